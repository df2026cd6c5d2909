package node

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"filippo.io/age"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/accounts"
	"github.com/polder-exchange/polder/internal/notify/notifytest"
	"github.com/polder-exchange/polder/stix"
)

// hushed is what the maker keeps to itself: every word of it is taken out of all that leaves. They stand in the maker's
// profile, and at its own node; elsewhere they may be found nowhere.
var hushed = []string{
	"zqhandelsnaam", "zqvoornaam", "zqachternaam", "zqpostbus", "zqmaildomein", "zqeigendomein", "zqstraatweg", "555 77 31", "198.18.77.", "zqmeetserver", "zqbinnen",
	"zqnachtvlinder", "zqveld", "zqveldwaarde", "zqextensie", "zqredenwaarom",
}

// fenced are words behind walls: no object that holds one leaves at all.
var fenced = []string{"zqverboden", "zqticket-4711", "zqhoogste"}

// makerProfile is what the maker sets about what leaves it.
const makerProfile = `{"minimise":{"names":true,"staff":true,"addresses":true,"networks":true,"hosts":true,"words":true,"custom":true},"warninglists":"tell","blind":"all","highest":"amber",
"forbidden":[{"label":"work for the ministry","words":["zqverboden"]},{"label":"numbers of tickets","expression":"zqticket-\\d+"}],
"facts":{"names":["Zqhandelsnaam Optiek B.V."],"staff":[{"name":"Zqvoornaam Zqachternaam","mail":"zqpostbus@zqmaildomein.example"}],"domains":["zqeigendomein.example","zqlosgelaten.example"],"addresses":["Zqstraatweg 12, Eindhoven"],
"phones":["+31 40 555 77 31"],"networks":["198.18.77.0/24"],"hosts":["zqmeetserver"],"suffixes":[".zqbinnen.local"],"words":["Zqnachtvlinder"]},"keep":["x_kept"]}`

// telltale is a text that says all that the maker keeps to itself, in the ways that people write it.
const telltale = "Zqhandelsnaam Optiek BV (ZQHANDELSNAAM-OPTIEK), Zqstraatweg 12, Eindhoven, tel. +31 40 555 77 31: Zqvoornaam Zqachternaam <zqpostbus@zqmaildomein[.]example> saw it on zqmeetserver, db1.zqbinnen.local and 198.18.77.9, " +
	"by way of hxxps://portal.zqeigendomein[.]example/x and during Zqnacht\u00advlinder"

// briefly is a short one, for a line.
const briefly = "Zqvoornaam Zqachternaam of Zqhandelsnaam Optiek BV, about Zqnachtvlinder"

// hushWorld is a hub, a maker that keeps things to itself and shares blind, and a small member, with all kinds of readers.
type hushWorld struct {
	t                 *testing.T
	hub, maker, small *afloat
	places            map[*afloat]*place
	readers           map[*afloat][]string
	c                 polder.Community
	post              *notifytest.Server
	key               *age.X25519Identity
	kept              []hushKept
	asked             []string // ids that exits are asked for
	names             []string // what names the maker
	theirs            string   // an object of the hub
	listing           string   // of the maker's list, as it is shared
	alert             string   // of the small member, about a value of the maker
	gone              []string // words of what was withdrawn
}

// hushKept is a word that leaves with what was minimised.
type hushKept struct{ word, id, why string }

// reader makes a token of some role for an organisation of a node.
func (x *hushWorld) reader(a *afloat, key string, org polder.OrgID, role polder.Role) {
	x.t.Helper()
	_, text, err := a.Accounts.CreateToken(context.Background(), accounts.Local(), accounts.NewToken{Org: org, Role: role, Name: key})
	ok(x.t, err)
	x.places[a].tokens[key] = text
}

// people puts readers of every kind on a node: a member, its steward and its administrator, a person of it that is told by
// mail, somebody outside and nobody; at the hub also a member beside it.
func (x *hushWorld) people(a *afloat) {
	x.t.Helper()
	ctx, local := context.Background(), accounts.Local()
	c, err := a.Accounts.Community(ctx, string(x.c.ID))
	ok(x.t, err)
	p := &place{Node: a.Node, dir: a.dir, log: a.log, ring: c, orgs: map[string]polder.Org{"plain": a.org}, tokens: map[string]string{"member": a.token}}
	x.places[a] = p
	outside, err := a.Accounts.AddOrg(ctx, local, accounts.NewOrg{Name: "Outsider of " + a.name})
	ok(x.t, err)
	x.reader(a, "outsider", outside.ID, polder.RoleContributor)
	x.reader(a, "steward", a.org.ID, polder.RoleSteward)
	x.reader(a, "admin", a.org.ID, polder.RoleAdmin)
	x.readers[a] = []string{"member", "steward", "admin", "outsider", ""}
	if a == x.hub {
		beside, err := a.Accounts.AddOrg(ctx, local, accounts.NewOrg{Name: "Neighbour"})
		ok(x.t, err)
		_, err = a.Accounts.Join(ctx, local, c.ID, beside.ID, polder.RoleContributor)
		ok(x.t, err)
		x.reader(a, "neighbour", beside.ID, polder.RoleContributor)
		x.readers[a] = append(x.readers[a], "neighbour")
	}
	if a == x.maker {
		x.readers[a] = []string{"member", "outsider", ""} // stewards read the profile
		return
	}
	email := "reader@" + strings.ToLower(a.name) + ".example"
	quick := accounts.New(a.DB, a.Audit, accounts.Options{Password: demoPassword})
	who, first, err := quick.AddPerson(ctx, local, accounts.NewPerson{Org: a.org.ID, Email: email, Name: "Reader", Role: polder.RoleContributor})
	ok(x.t, err)
	ok(x.t, quick.ChangePassword(ctx, polder.Actor{Org: a.org.ID, Person: who.ID, Role: polder.RoleContributor}, first, "vier losse woorden hier", ""))
	p.cookie, _, err = a.Accounts.LogIn(ctx, email, "vier losse woorden hier", loopbackAddr, "test")
	ok(x.t, err)
	x.must(a, "session", http.MethodPost, "/account/notifications", formKind, "kind=everything&channel=mail&digest=now", http.StatusSeeOther, nil)
	x.readers[a] = append(x.readers[a], "session")
}

// must asks a node and demands a status.
func (x *hushWorld) must(a *afloat, as, method, path, kind, body string, status int, into any) answer {
	x.t.Helper()
	got := x.places[a].ask(ask{as: as, method: method, path: path, kind: kind, body: body, head: map[string]string{"Sec-Fetch-Site": "same-origin"}})
	if got.status != status {
		x.t.Fatalf("%s %s as %s at %s: %d %s, want %d", method, path, as, a.name, got.status, got.body, status)
	}
	if into != nil {
		ok(x.t, json.Unmarshal([]byte(got.body), into))
	}
	return got
}

// at is an address under the community's of the REST API of a node.
func (x *hushWorld) at(a *afloat, path string) string {
	return "/api/v1/communities/" + x.places[a].ring.Alias + path
}

// keep notes a word that leaves, and waits until all nodes hold what it stands in.
func (x *hushWorld) keep(word, id, why string) {
	x.t.Helper()
	x.kept = append(x.kept, hushKept{word, id, why})
	x.asked = append(x.asked, id)
	for _, a := range []*afloat{x.hub, x.maker, x.small} {
		a.holds(x.t, x.c.ID, id)
	}
}

// shared is what a share answers.
type hushShared struct {
	Stored  int
	Refused []struct{ ID, Error string }
}

// says shares a body at the maker, and gives the id of the object that holds a word.
func (x *hushWorld) says(word, why, query, kind, body string) {
	x.t.Helper()
	var out hushShared
	got := x.must(x.maker, "member", http.MethodPost, x.at(x.maker, "/share?confirm=1&"+query), kind, body, http.StatusOK, &out)
	if out.Stored == 0 || len(out.Refused) > 0 {
		x.t.Fatalf("%s: %s", why, got.body)
	}
	x.keep(word, x.holder(word), why)
}

// holder is the object at the maker that holds a word.
func (x *hushWorld) holder(word string) string {
	x.t.Helper()
	var page struct {
		Objects []struct{ Object json.RawMessage }
	}
	x.must(x.maker, "member", http.MethodGet, "/api/v1/objects?limit=1000", "", "", http.StatusOK, &page)
	for _, o := range page.Objects {
		if bytes.Contains(bytes.ToLower(o.Object), []byte(word)) {
			return idOf(x.t, o.Object)
		}
	}
	x.t.Fatalf("nothing holds %q", word)
	return ""
}

// makes has the maker make something by a route that says what it made.
func (x *hushWorld) makes(word, why, path, body string) {
	x.t.Helper()
	var made struct{ ID string }
	x.must(x.maker, "member", http.MethodPost, x.at(x.maker, path), jsonKind, body, http.StatusCreated, &made)
	x.keep(word, made.ID, why)
}

// leave has the maker say what it keeps to itself in everything that it can share, beside words that leave.
func (x *hushWorld) leave() {
	x.t.Helper()
	tell := func(word string) string {
		raw, err := json.Marshal(telltale + ", " + word)
		return string(must(raw, err))
	}
	line := func(word string) string { return `"` + briefly + ", " + word + `"` }
	own := `"spec_version":"2.1","created_by_ref":"` + string(x.maker.org.ID) + `","created":"2026-11-01T00:00:00.000Z","modified":"2026-11-01T00:00:00.000Z"`
	x.says("zqblijft01", "a report of its own", "tlp=green", jsonKind, bundleOf(`{"type":"report","id":"report--00000000-0000-4000-8000-000000000001",`+own+`,"published":"2026-11-01T00:00:00Z","object_refs":["indicator--00000000-0000-4000-8000-000000000002"],
		"name":`+tell("zqblijft01")+`,"description":`+tell("zqblijft01")+`,"labels":[`+tell("x")+`],"external_references":[{"source_name":"Zqnachtvlinder","url":"https://wiki.zqeigendomein.example/zqnachtvlinder","description":`+tell("y")+`}],
		"x_zqveld":"zqveldwaarde","x_kept":`+tell("z")+`,"extensions":{"extension-definition--7b5f2cc5-1e24-4b7f-9b2f-2b5a7d3b8f01":{"extension_type":"property-extension","word":"zqextensie"}}}`))
	pattern, err := json.Marshal("/* by zqnachtvlinder, at 198.18.77.9 */ [domain-name:value = 'zqblijft02.example']")
	ok(x.t, err)
	x.says("zqblijft02", "an indicator with a comment in its pattern", "tlp=amber", jsonKind, bundleOf(`{"type":"indicator","id":"indicator--00000000-0000-4000-8000-000000000002",`+own+`,"valid_from":"2026-11-01T00:00:00Z","pattern_type":"stix","pattern":`+string(pattern)+`,"description":`+tell("x")+`}`))
	x.says("zqblijft03", "free text", "tlp=green&name=zqnachtvlinder.txt", "text/plain", "Zqvoornaam Zqachternaam of Zqhandelsnaam Optiek BV saw zqblijft03[.]example during Zqnachtvlinder.\n")
	x.says("zqblijft04", "a table", "tlp=green&name=zqnachtvlinder.csv", "text/csv", "value,description\nzqblijft04.example,\""+strings.ReplaceAll(telltale, `"`, `""`)+"\"\n")
	x.says("zqblijft05", "a MISP event", "tlp=amber&name=zqnachtvlinder.json", jsonKind, `{"Event":{"uuid":"5d0092c5-5f74-4287-9642-33f4c354e56d","info":`+tell("event")+`,"date":"2026-11-01","timestamp":"1780000000","Orgc":{"name":"Zqhandelsnaam Optiek BV","uuid":"5d0092c5-5f74-4287-9642-33f4c354e57d"},
		"Attribute":[{"uuid":"5d0092c5-5f74-4287-9642-33f4c354e58d","type":"domain","category":"Network activity","to_ids":true,"value":"zqblijft05.example","comment":`+tell("attribute")+`,"timestamp":"1780000000"}]}}`)
	about := "/objects/" + x.theirs
	x.makes("zqblijft06", "a note", about+"/notes", `{"tlp":"green","abstract":`+line("x")+`,"content":`+tell("zqblijft06")+`}`)
	x.makes("zqblijft07", "an opinion", about+"/opinions", `{"tlp":"green","opinion":"agree","explanation":`+tell("zqblijft07")+`}`)
	x.makes("zqblijft08", "a sighting", about+"/sightings", `{"tlp":"green","count":3,"description":`+tell("zqblijft08")+`}`)
	x.makes("zqblijft09", "a question", "/questions", `{"tlp":"green","question":`+line("zqblijft09")+`,"content":`+tell("x")+`}`)
	x.makes("zqblijft10", "an advisory", "/advisories", `{"tlp":"green","title":`+line("zqblijft10")+`,"body":`+tell("zqblijft10")+`,"for_whom":`+tell("y")+`,"what_to_do":`+tell("z")+`}`)
	x.makes("zqblijft11", "a proposal", about+"/proposals", `{"tlp":"green","patch":{"description":`+tell("zqblijft11")+`},"reason":`+tell("x")+`}`)
	x.says("zqblijft12", "a value of its own that a person let go", "tlp=green&name=n.csv&override=zqredenwaarom", "text/csv", "value,description\nzqblijft12.zqlosgelaten.example,x\n")
	x.listed(tell("zqblijft13"))
}

// listed shares a list of parties of the maker.
func (x *hushWorld) listed(note string) {
	x.t.Helper()
	line := `{"id":"own-1","schema":"Company","caption":"Zqblijft13 Scheepsbouw","properties":{"name":["Zqblijft13 Scheepsbouw"],"notes":[` + note + `]}}` + "\n"
	x.must(x.maker, "steward", http.MethodPost, "/api/v1/screen/lists?name=verdacht&file=own.jsonl&title=Verdacht&source=Zqnachtvlinder", octets, line, http.StatusCreated, nil)
	x.must(x.maker, "member", http.MethodPost, "/api/v1/screen/lists/verdacht/share", jsonKind, `{"community":"`+x.places[x.maker].ring.Alias+`","tlp":"green","confirm":true}`, http.StatusOK, nil)
	x.listing = x.holder("zqblijft13")
	x.keep("zqblijft13", x.listing, "a listing")
	until(x.t, "the shared list is asked", func() bool {
		got := x.places[x.small].ask(ask{as: "member", path: "/api/v1/screen?name=" + url.QueryEscape("Zqblijft13 Scheepsbouw")})
		return strings.Contains(got.body, "Zqblijft13 Scheepsbouw")
	})
}

// declined has the hub propose a change to an object of the maker, who declines it and says why.
func (x *hushWorld) declined() {
	x.t.Helper()
	var made struct{ ID string }
	x.must(x.hub, "member", http.MethodPost, x.at(x.hub, "/objects/"+x.kept[1].id+"/proposals"), jsonKind, `{"tlp":"amber","patch":{"name":"Better"},"reason":"Seen."}`, http.StatusCreated, &made)
	x.maker.holds(x.t, x.c.ID, made.ID)
	raw, err := json.Marshal(telltale + ", zqblijft14")
	ok(x.t, err)
	x.makes("zqblijft14", "the reason of a decision", "/proposals/"+made.ID+"/decline", `{"reason":`+string(raw)+`}`)
}

// walls tries to get forbidden words, and what is stricter than the highest level, out of the maker's node by every way in;
// each is refused without a word of it, and the maker's own log has none of it.
func (x *hushWorld) walls() {
	x.t.Helper()
	before := x.maker.Journal.Top()
	about, p := "/objects/"+x.theirs, x.places[x.maker]
	own := `"spec_version":"2.1","created":"2026-11-01T00:00:00.000Z","modified":"2026-11-01T00:00:00.000Z","valid_from":"2026-11-01T00:00:00Z","pattern_type":"stix"`
	indicator := func(n int, level stix.Marking, name string) string {
		return fmt.Sprintf(`{"type":"indicator","id":"indicator--00000000-0000-4000-8000-0000000007%02d",%s,"pattern":"[domain-name:value = 'w%d.example']","name":%q,"object_marking_refs":[%q]}`, n, own, n, name, level.ID())
	}
	for n, q := range []struct{ path, kind, body string }{
		{"/share", jsonKind, bundleOf(indicator(1, stix.Green, "for Zq\u00adVER\u200bboden"))},
		{"/share", jsonKind, bundleOf(indicator(2, stix.Green, "see ZQTICKET-4711"))},
		{"/share", jsonKind, bundleOf(indicator(3, stix.AmberStrict, "zqhoogste"))},
		{"/share?to=" + string(x.small.org.ID), jsonKind, bundleOf(indicator(4, stix.Red, "zqhoogste"))},
		{"/share?tlp=green", jsonKind, bundleOf(indicator(5, stix.AmberStrict, "zqhoogste"))},
		{"/share?tlp=green&override=because", "text/csv", "value,description\nw6.example,zqverboden\n"},
		{"/share?tlp=green&override=zqverboden", "text/csv", "value,description\nw7.example,x\n"},
		{"/share?tlp=green", "text/csv", "value,description\nzqverboden.example,x\n"},
		{about + "/notes", jsonKind, `{"tlp":"green","content":"zqverboden"}`},
		{about + "/notes", jsonKind, `{"tlp":"amber+strict","content":"zqhoogste"}`},
		{about + "/opinions", jsonKind, `{"tlp":"green","opinion":"agree","explanation":"zqverboden"}`},
		{about + "/sightings", jsonKind, `{"tlp":"green","count":1,"description":"zqticket-4711"}`},
		{about + "/proposals", jsonKind, `{"tlp":"green","patch":{"description":"zqverboden"},"reason":"x"}`},
		{about + "/proposals", jsonKind, `{"tlp":"green","patch":{"description":"x"},"reason":"zqverboden"}`},
		{"/questions", jsonKind, `{"tlp":"green","question":"zqverboden?"}`},
		{"/advisories", jsonKind, `{"tlp":"green","title":"t","body":"zqverboden"}`},
	} {
		path := q.path
		if strings.HasPrefix(path, "/share") {
			path = strings.Replace(path+"&confirm=1", "/share&", "/share?", 1)
		}
		got := p.ask(ask{as: "member", method: http.MethodPost, path: x.at(x.maker, path), kind: q.kind, body: q.body})
		var out hushShared
		_ = json.Unmarshal([]byte(got.body), &out) // an error is no share
		if got.status/100 == 2 && (out.Stored > 0 || len(out.Refused) == 0) || got.status >= 500 {
			x.t.Errorf("wall %d: %s %s: %d %s", n, path, q.body, got.status, got.body)
		}
		for _, word := range fenced {
			if strings.Contains(strings.ToLower(got.body), word) {
				x.t.Errorf("wall %d repeats a word that it keeps: %s", n, got.body)
			}
		}
	}
	over := p.ask(ask{as: "member", method: http.MethodPost, path: "/taxii2/root/collections/" + p.ring.Alias + "/objects/", kind: taxiiKind,
		body: `{"objects":[` + indicator(20, stix.Green, "zqverboden") + "," + indicator(21, stix.AmberStrict, "zqhoogste") + "," + indicator(22, stix.Green, "at Zqnachtvlinder") + `]}`})
	if !strings.Contains(over.body, `"failure_count":3`) {
		x.t.Errorf("walls over TAXII: %d %s", over.status, over.body)
	}
	if after := x.maker.Journal.Top(); after != before {
		x.t.Errorf("something that runs into a wall is in the maker's log: %d, was %d", after, before)
	}
}

// own tries to share values that are the maker's: they wait for a person's reason, and nothing of them leaves.
func (x *hushWorld) own() {
	x.t.Helper()
	for _, body := range []string{"value\nportal.zqeigendomein.example\n", "value\n198.18.77.9\n", "value\ndb1.zqbinnen.local\n", "value\nzqpostbus@zqmaildomein.example\n"} {
		got := x.places[x.maker].ask(ask{as: "member", method: http.MethodPost, path: x.at(x.maker, "/share?tlp=green&name=x.csv&confirm=1"), kind: "text/csv", body: body})
		var out hushShared
		_ = json.Unmarshal([]byte(got.body), &out)
		if out.Stored > 0 || got.status >= 500 {
			x.t.Errorf("a value of the maker's own leaves: %q: %d %s", body, got.status, got.body)
		}
	}
}

// alerted has the small member meet a value of the maker in its own events.
func (x *hushWorld) alerted() (id string) {
	x.t.Helper()
	event := `{"Channel":"Microsoft-Windows-Sysmon/Operational","EventID":22,"Computer":"ws-1","UtcTime":"` + time.Now().UTC().Format("2006-01-02 15:04:05.000") + `","QueryName":"zqblijft05.example"}`
	x.must(x.small, "member", http.MethodPost, "/api/v1/events?name=dns", "application/x-ndjson", event, http.StatusAccepted, nil)
	until(x.t, "the small member has an alert", func() bool {
		var list struct{ Alerts []struct{ ID string } }
		x.must(x.small, "member", http.MethodGet, "/api/v1/alerts?limit=200", "", "", http.StatusOK, &list)
		if len(list.Alerts) > 0 {
			id = list.Alerts[0].ID
		}
		return id != ""
	})
	return id
}
