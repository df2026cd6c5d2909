package node

import (
	"encoding/json"
	"fmt"
	"hash/fnv"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/stix"
)

// caseSecret is a word of a case, or of what an organisation keeps for its own cases.
type caseSecret struct {
	in    string // key of a case, or "register" or "desk" of plain
	level stix.Marking
	what  string
	title bool // contact points read it as far as their ceiling goes
}

// caseSight is what somebody was let into a case with.
type caseSight struct {
	part    string
	ceiling stix.Marking
}

// casesWorld is a place where organisations work on cases, of which each word stands nowhere else:
//
//	open    of plain, GREEN: items at every level; its people have every ceiling, named and stew belong to it,
//	        left is its contact point, and it is shared with sharer through the exchange
//	hidden  of plain, RED: its lead's alone; open links to it
//	theirs  of named, AMBER: its lead's alone
type casesWorld struct {
	*place
	secrets map[string]caseSecret
	sight   map[string]map[string]caseSight // of a case, by reader
	cases   map[string]string               // ids
	items   map[string]map[string]string    // of a case: ids by what they are
	jewels  map[string]string               // ids by organisation
	shared  string                          // the key of what sharer sees of open
	sharing string
	rules   map[string]bool // deadlines that words were said of
	gone    map[string]bool // words that nobody is to read any more
}

// caseLevels are the levels of items, and caseReaders whoever looks.
var (
	caseLevels  = []stix.Marking{stix.Clear, stix.Green, stix.Amber, stix.AmberStrict, stix.Red}
	caseReaders = []string{"contributor", "w clear", "w green", "w amber", "w strict", "reader", "named", "stew", "left", "plain", "plain steward", "session", "sharer", "foreign", "admin", ""}
)

// word makes one that belongs to nobody else.
func (x *casesWorld) word(s caseSecret) string {
	h := fnv.New64a()
	fmt.Fprintf(h, "%d %s %s", len(x.secrets), s.in, s.what)
	n, letters := h.Sum64(), make([]byte, 9)
	for i := range letters {
		letters[i] = "bcdfghklmnprstvw"[n&15]
		if i%2 == 1 {
			letters[i] = "aeiouyao"[n&7]
		}
		n >>= 4
	}
	w := "zq" + string(letters) + "qz"
	x.secrets[w] = s
	return w
}

// may is the rule of sight of cases, in words of its own.
func (x *casesWorld) may(reader string, s caseSecret) bool {
	switch s.in {
	case "register": // of crown jewels: those who work at plain; whoever only reads sees those of the case that he is in
		return strings.HasPrefix(reader, "w ") || slices.Contains([]string{"contributor", "plain", "plain steward", "reader"}, reader)
	case "desk":
		return org(reader) == "plain" || strings.HasPrefix(reader, "w ") || reader == "contributor" || reader == "plain steward"
	}
	m := x.sight[s.in][reader]
	return s.level <= m.ceiling && (m.part == "lead" || m.part == "work" || m.part == "read" || m.part == "contact-point" && s.title)
}

// colleague tells whether a word of open that left for sharer is read by a colleague in the exchange: what an organisation
// shares there is everybody's who reads for it, and the preview says so.
func (x *casesWorld) colleague(exit, reader string, s caseSecret) bool {
	own := org(reader) == "plain" || strings.HasPrefix(reader, "w ") || reader == "plain steward"
	return own && !strings.HasPrefix(exit, "cases.") && s.in == "open" && s.level <= stix.Green
}

// must asks over the API and demands a status.
func (x *casesWorld) must(t testing.TB, as, method, path, body string, status int, into any) {
	t.Helper()
	q := ask{as: as, method: method, path: path, body: body}
	if body != "" {
		q.kind = jsonKind
	}
	a := x.ask(q)
	if a.status != status {
		t.Fatalf("%s %s %s as %s: %d %s, want %d", method, path, body, as, a.status, a.body, status)
	}
	if into != nil {
		if err := json.Unmarshal([]byte(a.body), into); err != nil {
			t.Fatalf("%s %s as %s: %v: %s", method, path, as, err, a.body)
		}
	}
}

// tlpWord is how a level is written in a body.
func tlpWord(l stix.Marking) string { return strings.ToLower(strings.TrimPrefix(l.Label(), "TLP:")) }

func newCasesWorld(t *testing.T) *casesWorld {
	t.Helper()
	x := &casesWorld{place: newPlace(t), secrets: map[string]caseSecret{}, sight: map[string]map[string]caseSight{}, cases: map[string]string{},
		items: map[string]map[string]string{}, jewels: map[string]string{}, gone: map[string]bool{}}
	for _, l := range caseLevels[:4] {
		x.token(t, x.Accounts, caseWorker(l), "plain", polder.RoleContributor, time.Time{})
	}
	x.token(t, x.Accounts, "plain steward", "plain", polder.RoleSteward, time.Time{})
	x.token(t, x.Accounts, "named steward", "named", polder.RoleSteward, time.Time{})
	x.openCase(t, "hidden", "contributor", stix.Red)
	x.openCase(t, "theirs", "named", stix.Amber)
	x.openCase(t, "open", "contributor", stix.Green)
	for _, key := range []string{"hidden", "theirs", "open"} {
		for _, l := range caseLevels {
			x.fill5(t, key, map[string]string{"open": "contributor", "hidden": "contributor", "theirs": "named"}[key], l)
		}
	}
	x.changeItems(t)
	x.letIn(t)
	x.register(t)
	x.assess(t)
	x.deadlines(t)
	x.reach(t)
	return x
}

// caseWorker is the token of somebody of plain who works on open up to a level.
func caseWorker(l stix.Marking) string {
	return map[stix.Marking]string{stix.Clear: "w clear", stix.Green: "w green", stix.Amber: "w amber", stix.AmberStrict: "w strict"}[l]
}

// openCase opens a case whose own fields are words.
func (x *casesWorld) openCase(t *testing.T, key, as string, l stix.Marking) {
	t.Helper()
	w := func(what string) string { return x.word(caseSecret{in: key, level: l, what: what}) }
	title := x.word(caseSecret{in: key, level: l, what: "title of the case", title: true})
	var c struct{ ID string }
	x.must(t, as, "POST", "/api/v1/cases", fmt.Sprintf(`{"title":%q,"summary":%q,"tlp":%q,"noticed":%q,"victim":%q,"source":%q,"countries":["DE"],"sector":"digital-infrastructure","observables":[{"type":"domain","value":"%s.example"}]}`,
		title, w("summary"), tlpWord(l), w("when it was noticed"), w("victim"), w("source"), w("first observable")), http.StatusCreated, &c)
	x.cases[key], x.items[key] = c.ID, map[string]string{}
	x.sight[key] = map[string]caseSight{as: {"lead", stix.Red}}
}

// add adds an item to a case.
func (x *casesWorld) add(t *testing.T, key, as, name string, l stix.Marking, rest string) {
	t.Helper()
	var it struct{ ID string }
	x.must(t, as, "POST", "/api/v1/cases/"+x.cases[key]+"/items", fmt.Sprintf(`{"tlp":%q,"confirmed":true,%s}`, tlpWord(l), rest), http.StatusCreated, &it)
	x.items[key][name] = it.ID
}

// fill5 adds an item of every kind at a level.
func (x *casesWorld) fill5(t *testing.T, key, as string, l stix.Marking) {
	t.Helper()
	at := " at " + tlpWord(l)
	w := func(what string) string { return x.word(caseSecret{in: key, level: l, what: what + at}) }
	x.add(t, key, as, "entry"+at, l, fmt.Sprintf(`"kind":"entry","title":%q,"text":%q`, w("title of an entry"), w("text of an entry")))
	x.add(t, key, as, "observable"+at, l, fmt.Sprintf(`"kind":"observable","title":%q,"text":%q,"observable":{"type":"domain","value":"%s.example","bad":true}`, w("title of an observable"), w("text of an observable"), w("value")))
	x.add(t, key, as, "thing"+at, l, fmt.Sprintf(`"kind":"evidence","title":%q,"evidence":{"name":%q,"where":%q}`, w("title of a thing"), w("name of a thing"), w("where a thing lies")))
	x.add(t, key, as, "task"+at, l, fmt.Sprintf(`"kind":"task","title":%q,"text":%q,"task":{"step":%q,"owner":%q}`, w("title of a task"), w("text of a task"), w("step"), x.ids[as]))
	x.add(t, key, as, "note"+at, l, fmt.Sprintf(`"kind":"note","title":%q,"text":"**%s**"`, w("title of a note"), w("text of a note")))
	x.add(t, key, as, "decision"+at, l, fmt.Sprintf(`"kind":"decision","title":%q,"decision":{"reason":%q}`, w("title of a decision"), w("reason of a decision")))
	var it struct{ ID string }
	a := x.ask(ask{as: as, method: "POST", path: "/api/v1/cases/" + x.cases[key] + "/evidence?tlp=" + url.QueryEscape(tlpWord(l)) + "&title=" + w("title of a file"), kind: octets,
		body: w("content of a file"), head: map[string]string{"X-File-Name": w("name of a file") + ".txt"}})
	if a.status != http.StatusCreated || json.Unmarshal([]byte(a.body), &it) != nil {
		t.Fatalf("evidence of %s: %d %s", key, a.status, a.body)
	}
	x.items[key]["file"+at] = it.ID
	x.must(t, as, "POST", "/api/v1/cases/"+x.cases[key]+"/evidence/"+it.ID+"/custody", fmt.Sprintf(`{"did":"handed over","to":%q,"reason":%q}`, w("to whom a file went"), w("reason of custody")), http.StatusOK, nil)
}

// changeItems makes items of open that are not what they were: of another level, struck out, erased, and a link.
func (x *casesWorld) changeItems(t *testing.T) {
	t.Helper()
	red := func(what string) string { return x.word(caseSecret{in: "open", level: stix.Red, what: what}) }
	green := func(what string) string { return x.word(caseSecret{in: "open", level: stix.Green, what: what}) }
	path := func(name string) string {
		return "/api/v1/cases/" + x.cases["open"] + "/items/" + x.items["open"][name]
	}
	const as = "contributor"
	x.add(t, "open", as, "lowered", stix.Red, fmt.Sprintf(`"kind":"note","title":%q,"text":%q`, red("title before it was lowered"), red("text before it was lowered")))
	x.must(t, as, "PATCH", path("lowered"), fmt.Sprintf(`{"version":1,"confirmed":true,"tlp":"green","title":%q,"text":%q}`, green("title after it was lowered"), green("text after it was lowered")), http.StatusOK, nil)
	x.add(t, "open", as, "raised", stix.Green, fmt.Sprintf(`"kind":"note","title":%q`, red("title before it was raised")))
	x.must(t, as, "PATCH", path("raised"), fmt.Sprintf(`{"version":1,"tlp":"red","title":%q}`, red("title after it was raised")), http.StatusOK, nil)
	x.add(t, "open", as, "struck", stix.Red, fmt.Sprintf(`"kind":"entry","title":%q`, red("title of what was struck out")))
	x.must(t, as, "POST", path("struck")+"/strike", fmt.Sprintf(`{"version":1,"reason":%q}`, red("reason why it was struck out")), http.StatusOK, nil)
	erased := red("title of what was erased")
	x.gone[erased] = true
	x.add(t, "open", as, "erased", stix.Red, fmt.Sprintf(`"kind":"entry","title":%q`, erased))
	x.must(t, as, "POST", path("erased")+"/erase", fmt.Sprintf(`{"reason":%q}`, red("reason why it was erased")), http.StatusOK, nil)
	both := x.word(caseSecret{in: "hidden", level: stix.Red, what: "title of a link"})
	x.add(t, "open", as, "link", stix.Green, fmt.Sprintf(`"kind":"link","title":%q,"link":{"to":%q}`, both, x.cases["hidden"]))
	// Both cases hold one value: who sees open alone learns nothing of the other by it.
	for _, key := range []string{"open", "hidden"} {
		x.add(t, key, as, "same", stix.Green, `"kind":"observable","observable":{"type":"domain","value":"same-in-both.example"}`)
	}
}

// letIn lets people and organisations into open.
func (x *casesWorld) letIn(t *testing.T) {
	t.Helper()
	path := "/api/v1/cases/" + x.cases["open"] + "/members"
	in := func(reader, who, part string, l stix.Marking) {
		x.must(t, "contributor", "POST", path, fmt.Sprintf(`{%s,"part":%q,"ceiling":%q}`, who, part, tlpWord(l)), http.StatusOK, nil)
		x.sight["open"][reader] = caseSight{part, l}
	}
	for _, l := range caseLevels[:4] {
		in(caseWorker(l), fmt.Sprintf(`"person":%q`, x.ids[caseWorker(l)]), "work", l)
	}
	in("reader", fmt.Sprintf(`"person":%q`, x.ids["reader"]), "read", stix.Red)
	in("named", fmt.Sprintf(`"org":%q`, x.orgs["named"].ID), "work", stix.Green)
	in("stew", fmt.Sprintf(`"org":%q`, x.orgs["stew"].ID), "read", stix.Amber)
	in("left", fmt.Sprintf(`"org":%q`, x.orgs["left"].ID), "contact-point", stix.Green)
	x.must(t, "contributor", "POST", "/api/v1/cases/"+x.cases["open"]+"/announce", "", http.StatusNoContent, nil)
}

// register gives plain and named crown jewels, and plain a desk that is not listed.
func (x *casesWorld) register(t *testing.T) {
	t.Helper()
	for _, o := range []string{"plain", "named"} {
		in := "register"
		if o != "plain" {
			in = "theirs"
		}
		w := func(what string) string { return x.word(caseSecret{in: in, level: stix.Amber, what: what}) }
		var j struct{ ID string }
		x.must(t, o+" steward", "POST", "/api/v1/jewels", fmt.Sprintf(`{"name":%q,"technology":[%q],"systems":[%q],"products":[%q],"partners":[%q],"platforms":[%q],"worth":%q,"owner":%q}`, w("name of a jewel"),
			w("technology"), w("system"), w("product"), w("partner"), w("platform"), w("worth"), w("owner")), http.StatusCreated, &j)
		x.jewels[o] = j.ID
	}
	alias := x.word(caseSecret{in: "desk", what: "a desk that is not listed"})
	x.must(t, "plain steward", "POST", "/api/v1/desks", fmt.Sprintf(`{"alias":%q,"name":%q,"listed":false,"promise":"%s"}`, alias, alias, alias), http.StatusCreated, nil)
}

// assess signs a damage assessment of each case.
func (x *casesWorld) assess(t *testing.T) {
	t.Helper()
	for key, as := range map[string]string{"open": "contributor", "hidden": "contributor", "theirs": "named"} {
		l := stix.Amber
		if key == "hidden" {
			l = stix.Red
		}
		w := func(what string) string {
			return x.word(caseSecret{in: key, level: l, what: what + " of the assessment"})
		}
		o := map[string]string{"contributor": "plain", "named": "named"}[as]
		x.must(t, as, "PUT", "/api/v1/cases/"+x.cases[key]+"/jewels", fmt.Sprintf(`{"jewels":[%q]}`, x.jewels[o]), http.StatusOK, nil)
		x.must(t, as, "PUT", "/api/v1/cases/"+x.cases[key]+"/damage", fmt.Sprintf(`{"taken":"some","jewels":[%q],"what":%q,"partners":[%q],"products":[%q],"platforms":[%q],"told":[%q],"measures":%q,"tlp":%q,"version":0}`, x.jewels[o],
			w("what"), w("partner"), w("product"), w("platform"), w("told"), w("measures"), tlpWord(l)), http.StatusOK, nil)
	}
}

// deadlines counts what the law asks, with words in every reason.
func (x *casesWorld) deadlines(t *testing.T) {
	t.Helper()
	for key, as := range map[string]string{"open": "contributor", "hidden": "contributor", "theirs": "named"} {
		l := map[string]stix.Marking{"open": stix.Green, "hidden": stix.Red, "theirs": stix.Amber}[key]
		w := func(what string) string { return x.word(caseSecret{in: key, level: l, what: what}) }
		path := "/api/v1/cases/" + x.cases[key]
		var c struct{ Version int }
		x.must(t, as, "GET", path, "", http.StatusOK, &c)
		x.must(t, as, "POST", path+"/aware", fmt.Sprintf(`{"at":%q,"reason":%q,"version":%d}`, x.now().Add(-3*time.Hour).UTC().Format(time.RFC3339), w("reason of awareness"), c.Version), http.StatusOK, nil)
		var d struct {
			Profile   struct{ Version int }
			Deadlines []struct {
				Rule    string
				Version int
			}
		}
		x.must(t, as, "GET", path+"/deadlines", "", http.StatusOK, &d)
		x.must(t, as, "POST", path+"/duties", fmt.Sprintf(`{"jurisdictions":["NL"],"sectors":["digital-infrastructure"],"kinds":["incident"],"serious":"yes","version":%d}`, d.Profile.Version), http.StatusOK, nil)
		x.must(t, as, "POST", path+"/events", fmt.Sprintf(`{"name":"ongoing","at":%q}`, x.now().Add(-time.Hour).UTC().Format(time.RFC3339)), http.StatusOK, nil)
		x.must(t, as, "GET", path+"/deadlines", "", http.StatusOK, &d)
		said := map[string]bool{}
		for _, of := range d.Deadlines {
			do, what := "sent", "reference"
			if len(said) == 1 {
				do, what = "excused", "reason"
			}
			body := fmt.Sprintf(`{%q:%q,"version":%d}`, what, w(what+" of a deadline"), of.Version)
			said[of.Rule] = true
			if x.must(t, as, "POST", path+"/deadlines/"+strings.Replace(of.Rule, "/", ".", 1)+"/"+do, body, http.StatusOK, nil); len(said) == 2 {
				break
			}
		}
		if len(said) != 2 {
			t.Fatalf("the law asks of %s only %v", key, said)
		}
		x.rules = said
	}
}

// reach shares open with sharer through the exchange, up to GREEN.
func (x *casesWorld) reach(t *testing.T) {
	t.Helper()
	x.must(t, "contributor", "POST", "/api/v1/cases/"+x.cases["open"]+"/sharings", fmt.Sprintf(`{"community":%q,"org":%q,"part":"work","ceiling":"green","confirmed":true}`, x.ring.Alias, x.orgs["sharer"].ID), http.StatusOK, nil)
	x.sight["open"]["sharer"] = caseSight{"read", stix.Green}
	var with struct {
		Cases []struct{ Key string }
	}
	x.must(t, "sharer", "GET", "/api/v1/cases/shared", "", http.StatusOK, &with)
	var ours struct {
		Sharings []struct{ ID string }
	}
	x.must(t, "contributor", "GET", "/api/v1/cases/"+x.cases["open"]+"/sharings", "", http.StatusOK, &ours)
	if len(with.Cases) != 1 || len(ours.Sharings) != 1 {
		t.Fatalf("sharer sees %+v of %+v", with, ours)
	}
	x.shared, x.sharing = with.Cases[0].Key, ours.Sharings[0].ID
}
