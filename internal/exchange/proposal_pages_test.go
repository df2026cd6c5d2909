package exchange

import (
	"encoding/json"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/web/webtest"
	"github.com/polder-exchange/polder/stix"
)

// TestProposalPages: a member proposes in a dialog, the custodian sees the difference and decides; nobody else gets a form.
func TestProposalPages(t *testing.T) {
	c := newConsole(t)
	c.story()
	id := sid("indicator", 1) // of valve
	for _, page := range []struct{ who, path, want, why string }{
		{"valve", "/proposals", "Nothing waits for you", "an empty page says what it is for"},
		{"maker", "/objects/" + id, "Propose a change", "another's object can be proposed a change to"},
		{"maker", "/objects/" + id, "Worth ", "and says what it is worth now"},
		{"maker", "/objects/" + id + "?lang=nl", "zijn eigen zekerheid", "and why, in Dutch too"},
		{"maker", "/objects/" + id, "Their balance is told from five up", "one opinion has no balance"},
	} {
		if body := c.get(page.who, page.path); !strings.Contains(body, page.want) {
			t.Errorf("%s as %s lacks %q: %s", page.path, page.who, page.want, page.why)
		}
	}
	for _, page := range []struct{ who, why string }{{"valve", "its custodian"}, {"uni", "a reader"}} {
		if body := c.get(page.who, "/objects/"+id); strings.Contains(body, "propose-reason") {
			t.Errorf("%s is offered to propose a change", page.why)
		}
	}
	form := url.Values{"community": {c.where.Alias}, "propose-name": {"firmware-klepwerk.example"}, "propose-description": {"First line.\r\nSecond line."}, "propose-labels": {"c2, loader"},
		"propose-confidence": {""}, "propose-valid_until": {"2027-02-23T00:00:00Z"}, "propose-revoked": {""}, "propose-reason": {""}, "propose-named": {"no"}}
	if status, body, _ := c.ask("maker", "POST", "/objects/"+id+"/propose", form); status != 422 && status != 400 || !strings.Contains(body, "reason") {
		t.Errorf("without a reason: %d", status)
	}
	form.Set("propose-reason", "We took it apart.")
	if status, body, _ := c.ask("maker", "POST", "/objects/"+id+"/propose", form); status != 303 {
		t.Fatalf("propose: %d %s", status, clip(body, 1000))
	}
	all, err := c.Proposals(t.Context(), c.who["valve"].Actor, "")
	if ok(t, err); len(all) != 1 || len(all[0].Patch) != 3 || string(all[0].Patch["confidence"]) != "null" || string(all[0].Patch["labels"]) != `["c2","loader"]` {
		t.Fatalf("proposed: %+v", all)
	}
	at := "/proposals/" + c.where.Alias + "/" + all[0].Delivery.ID
	if body := c.get("valve", "/proposals"); !strings.Contains(body, at) {
		t.Error("the custodian's list lacks it")
	}
	body := c.get("valve", at)
	for _, want := range []string{"<ins>First line.</ins>", "<ins>Second line.</ins>", "<del>82</del>", "We took it apart.", at + "/accept", at + "/decline"} {
		if !strings.Contains(body, want) {
			t.Errorf("the custodian's page lacks %q", want)
		}
	}
	if body := c.get("maker", at); strings.Contains(body, at+"/accept") || !strings.Contains(body, "You proposed this") {
		t.Error("its maker is offered to decide, or not told that it is its own")
	}
	for _, who := range []string{"maker", "csirt"} {
		if status, _, _ := c.ask(who, "POST", at+"/accept", url.Values{}); status != 403 {
			t.Errorf("%s accepts: %d, want 403", who, status)
		}
	}
	if status, _, _ := c.ask("new", "GET", at, nil); status != 404 {
		t.Errorf("a stranger reads it: %d, want 404", status)
	}
	if status, _, _ := c.ask("valve", "POST", at+"/decline", url.Values{"reason": {" "}}); status != 422 && status != 400 {
		t.Errorf("declined without a reason: %d", status)
	}
	if status, body, _ := c.ask("valve", "POST", at+"/accept", url.Values{}); status != 303 {
		t.Errorf("accept: %d %s", status, clip(body, 1000))
	}
	if body := c.get("maker", at); !strings.Contains(body, "Accepted") {
		t.Error("its maker does not read that it is accepted")
	}
	if body := c.get("maker", "/objects/"+id); !strings.Contains(body, "Second line.") || !strings.Contains(body, at) {
		t.Error("the object's page lacks the new version, or the way to the proposal")
	}
}

// TestBalance: how opinions stand is told once five members gave one (X28).
func TestBalance(t *testing.T) {
	c := newConsole(t)
	c.story()
	for i, who := range []string{"maker", "optics", "csirt", "valve"} {
		for range 3 {
			_, err := c.MakeOpinion(t.Context(), c.who[who].Actor, Opinion{About: About{ID: sid("indicator", 10), Community: c.where.Alias, Confirmed: true}, Value: Opinions[i]})
			ok(t, err)
		}
	}
	if body := c.get("uni", "/objects/"+sid("indicator", 10)); !strings.Contains(body, "told from five up") {
		t.Error("the balance of four members is told")
	}
	fifth := c.org("fifth")
	c.join("fifth", c.where, polder.RoleContributor)
	_, err := c.MakeOpinion(t.Context(), c.as("fifth", polder.RoleContributor), Opinion{About: About{ID: sid("indicator", 10), Community: c.where.Alias, Confirmed: true}, Value: "agree"})
	ok(t, err)
	if body := c.get("uni", "/objects/"+sid("indicator", 10)); !strings.Contains(body, "6 of 13") || strings.Contains(body, fifth.Name) {
		t.Error("the balance of five members is not told, or names one")
	}
}

// TestBrowserProposals walks through a proposal as two people do.
func TestBrowserProposals(t *testing.T) {
	if testing.Short() {
		t.Skip("a browser takes a while")
	}
	b := webtest.Start(t)
	c := newConsole(t)
	c.story()
	server := httptest.NewServer(c.handler)
	t.Cleanup(server.Close)
	p := b.Open(t, server.URL+"/static/none")
	p.SetCookie("polder", "maker")
	p = p.Tab(t, server.URL+"/proposals")
	p.Check(t)
	p.Go(server.URL + "/objects/" + sid("indicator", 1))
	p.Click("button[commandfor=propose]")
	p.Pictures("exchange-propose")
	p.Type("#propose-labels", "c2")
	p.Type("#propose-reason", "We took it apart.")
	p.Submit("#propose button[type=submit]")
	if !strings.Contains(p.Text(".toast"), "with the custodian") {
		t.Errorf("after the proposal the page says %q", p.Text("main"))
	}
	p.Check(t)
	for i, bad := range webtest.Strings() {
		if i == 5 {
			break
		}
		_, err := c.MakeProposal(t.Context(), c.who["csirt"].Actor, Propose{About: About{ID: sid("indicator", 1), Community: c.where.Alias, Confirmed: true}, Reason: bad, Patch: patchOf("labels", string(mustJSON(t, []string{bad})))})
		ok(t, err)
	}
	p.SetCookie("polder", "valve")
	p.Go(server.URL + "/proposals")
	p.Check(t)
	p.Pictures("exchange-proposals")
	all, err := c.Proposals(t.Context(), c.who["valve"].Actor, "")
	ok(t, err)
	for _, q := range all[:3] {
		p.Go(server.URL + "/proposals/" + c.where.Alias + "/" + q.Delivery.ID)
		p.Check(t)
	}
	p.Pictures("exchange-proposal")
	p.Submit("form[action$='/accept'] button[type=submit]")
	if !strings.Contains(p.Text(".toast"), "Done") {
		t.Errorf("after accepting the page says %q", p.Text("main"))
	}
	p.Check(t)
	p.Quiet(t)
	if _, o := c.last(c.who["uni"].Actor, sid("indicator", 1)); o.Property("labels") == nil || stix.TypeOf(o.ID) != "indicator" {
		t.Errorf("the accepted version: %s", o.Raw())
	}
}

func mustJSON(t *testing.T, v any) []byte {
	t.Helper()
	out, err := json.Marshal(v)
	ok(t, err)
	return out
}

// TestProposalTellsNoCustodian: a proposal about an object for some goes to its custodian, and tells its maker on no page
// and in no answer who that is.
func TestProposalTellsNoCustodian(t *testing.T) {
	c := newConsole(t)
	valve, maker := c.who["valve"], c.who["maker"]
	c.share(valve.Actor, Request{Objects: one(someIndicator(61, 0, "narrow", stix.Amber, "")), To: []polder.OrgID{maker.Actor.Org}})
	propose := Propose{About: About{ID: sid("indicator", 61), Community: c.where.Alias, Confirmed: true, Preview: true}, Patch: patchOf("name", `"known better"`), Reason: "We know better."}
	seen, err := c.MakeProposal(t.Context(), maker.Actor, propose)
	ok(t, err)
	if len(seen.Readers) > 0 {
		t.Errorf("the preview names %v", seen.Readers)
	}
	propose.Preview = false
	made, err := c.MakeProposal(t.Context(), maker.Actor, propose)
	ok(t, err)
	for _, it := range seen.Items {
		if len(it.Readers) > 0 {
			t.Errorf("the preview of %s names %v", it.ID, it.Readers)
		}
	}
	for _, it := range made.Items {
		if body := c.get("maker", "/objects/"+it.ID); strings.Contains(body, "Those you named") || !strings.Contains(body, "The custodian of the object") {
			t.Errorf("the page of %s names the custodian", it.ID)
		}
	}
}
