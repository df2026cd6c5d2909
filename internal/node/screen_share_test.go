package node

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/accounts"
	"github.com/polder-exchange/polder/internal/screen"
	"github.com/polder-exchange/polder/stix"
)

// TestScreenShareFromPage: from the page of its own list an organisation sees how many others would read it, shares it
// where it may, and whoever is met there leads to the object that was shared.
func TestScreenShareFromPage(t *testing.T) {
	p := newPlace(t)
	p.post(t, "stew", "/api/v1/screen/lists?name=suspects&file=suspects.csv", "application/octet-stream", suspects, http.StatusCreated)
	post := func(seen string) answer {
		form := url.Values{"community": {"ring"}, "tlp": {"amber"}, "seen": {seen}}
		return p.ask(ask{as: "stew", method: "POST", path: "/screen/lists/suspects/share", kind: formKind, body: form.Encode(), head: map[string]string{"Accept": "text/html", "Sec-Fetch-Site": "same-origin"}})
	}
	seen := post("")
	if seen.status != http.StatusOK || !strings.Contains(seen.body, "Share 2 listings with 4 organisations") { // all members of the ring but the sharer
		_, main, _ := strings.Cut(seen.body, "<main")
		t.Fatalf("the preview: %d %s", seen.status, main)
	}
	if got, _ := p.screens(t, "plain", "Borealis Kristal"); len(got.Hits) > 0 {
		t.Fatal("looking shared it")
	}
	_, rest, _ := strings.Cut(seen.body, `name="seen" value="`)
	sight, _, _ := strings.Cut(rest, `"`)
	if out := post(sight); out.status != http.StatusSeeOther {
		t.Fatalf("sharing: %d %s", out.status, out.body)
	}
	got, _ := p.screens(t, "plain", "Borealis Kristal")
	if len(got.Hits) != 1 || got.Hits[0].List != "ring/suspects" {
		t.Fatalf("after sharing: %+v", got)
	}
	if page := p.ask(ask{as: "plain", path: "/objects/" + got.Hits[0].ID}); page.status != http.StatusOK {
		t.Errorf("the object of the listing: %d", page.status)
	}
	if again := post(""); !strings.Contains(again.body, "shared there already") {
		t.Error("sharing the same again does not say that it is there")
	}
}

// TestScreenSharesWhere: lists are shared where the organisation and whoever acts for it may share, at its levels.
func TestScreenSharesWhere(t *testing.T) {
	p := newPlace(t)
	x := forScreening{p.Node}
	for _, c := range []struct {
		org  string
		role polder.Role
		want string
	}{{"sharer", polder.RoleContributor, "Other Ring"}, {"sharer", polder.RoleReader, ""}, {"foreign", polder.RoleSteward, "Other"}, {"hub", polder.RoleContributor, ""}} {
		all, err := x.Shares(t.Context(), polder.Actor{Org: p.orgs[c.org].ID, Role: c.role})
		ok(t, err)
		var names []string
		for _, m := range all {
			names = append(names, m.Name)
		}
		if got := strings.Join(names, " "); got != c.want {
			t.Errorf("%s as %s shares in %q, want %q", c.org, c.role, got, c.want)
		}
	}
	ok(t, p.Accounts.SetWidest(t.Context(), accounts.Local(), p.orgs["sharer"].ID, stix.AmberStrict))
	var where screen.Communities = x
	if levels, err := where.Levels(t.Context(), polder.Actor{Org: p.orgs["sharer"].ID}); err != nil || len(levels) != 2 {
		t.Errorf("the levels are %v, %v", levels, err)
	}
}
