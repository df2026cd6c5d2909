package members

import (
	"fmt"
	"html"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/accounts"
	"github.com/polder-exchange/polder/internal/web"
	"github.com/polder-exchange/polder/internal/web/webtest"
	"github.com/polder-exchange/polder/stix"
)

func TestCatalogues(t *testing.T) { webtest.Catalogues(t, Part(), ".") }

// Every template, full and empty, with everything that a fragment can hold.
func TestTemplates(t *testing.T) {
	site, err := web.New(web.Options{}, Part())
	if err != nil {
		t.Fatal(err)
	}
	dialog := web.Dialog{ID: "d", Title: "Sure?", Text: "T", Action: "/x", Page: "/x", Open: "Open", Submit: "Do", Danger: true, Fields: []web.Field{{Name: "why", Label: "Why", Rows: 2}}}
	full := form{Action: "/x", Submit: "Go", Back: "/", Note: "N", Large: true, Class: "invitation", Hidden: []web.Hidden{{Name: "h", Value: "v"}}, Fields: []web.Field{
		{Name: "a", Label: "A", Error: "E", Help: "H", Required: true}, {Name: "b", Label: "B", Many: true, Options: []web.Option{{Value: "1", Label: "One", Chosen: true}}},
		{Name: "c", Label: "C", Class: "across", Options: []web.Option{{Value: "1", Label: "One", Help: "H"}}}, {Name: "e", Label: "E", Options: []web.Option{{Value: "1", Label: "One"}}}}}
	all := table{Label: "L", Heads: plainHeads("A", "B"), Foot: "F", Pager: &web.Pager{Newer: "/n", Older: "/o"}, Rows: []row{
		{{Text: "a", Href: "/a", Sub: "s", Tag: &tag{"ok", "check", "T"}}, {Code: "c", At: time.Unix(1, 0), TLP: stix.Amber, Dialog: &dialog, Post: &button{"/p", "P", "Post it"}, Bare: true}}}}
	blocks := []web.Block{block("F", "n", "form", full), block("T", "", "table", all), block("E", "", "table", table{Empty: web.Empty{Icon: "key", Title: "None", Text: "T", Actions: []web.Action{{Label: "L", Href: "/"}}}}),
		block("P", "", "facts", []web.Pair{{Term: "t", Text: "x"}}), block("M", "", "prose", "1. a\n2. b\n\n<b>no</b>"), block("N", "", "notes", []web.Mark{{Class: "yes", Text: "y"}}),
		block("S", "", "secret", secret{Text: "abc", Says: "s", Pairs: []web.Pair{{Term: "t", Text: "x"}}, Next: web.Action{Label: "L", Href: "/"}}),
		block("O", "", "steps", []step{{Class: "now", Title: "t", Text: "x", Tag: "Done", Actions: []web.Action{{Label: "L", Href: "/"}}}}), block("0", "", "nothing", web.Empty{Icon: "key", Title: "None", Text: "T"})}
	proven := full
	proven.Prove, proven.Passkey = "passkey", "add"
	blocks = append(blocks, block("W", "", "ways", ways{Passkey: true, Providers: []web.Link{{Text: "W", Href: "/login/with/W"}}, Next: "/"}), block("w", "", "ways", ways{}),
		block("K", "", "passkeys", passkeys{all, proven}), block("k", "", "passkeys", passkeys{}), block("I", "", "identities", identities{all, []web.Link{{Text: "I", Href: "/"}}}), block("i", "", "identities", identities{}))
	whole := view{Form: full, Away: web.Link{Text: "Go", Href: "https://id.example/authorize?a=b&c=d"}, Alert: &web.Alert{Class: "bad", Title: "A", Text: "T"}, Actions: []web.Action{{Label: "L", Href: "/"}}, Dialogs: []web.Dialog{dialog}, Main: blocks, Aside: blocks[3:4], Script: scriptPath}
	out := webtest.Renders(t, site, "members", map[string][]any{
		"members/page":    {whole, view{}},
		"members/solo":    {whole, view{}},
		"members/confirm": {whole, view{}},
		"members/signin":  {whole, view{}},
	})
	for name, pages := range out {
		if strings.Contains(pages[0], "<b>no</b>") {
			t.Errorf("%s: an agreement becomes markup", name)
		}
	}
}

// S35: names that are markup are shown as what they are, on every page that shows names.
func TestS35Names(t *testing.T) {
	w := newWorld(t)
	a, local := w.store.Accounts, accounts.Local()
	taken := 0
	for i, bad := range webtest.Strings() {
		o, err := a.AddOrg(t.Context(), local, accounts.NewOrg{Name: fmt.Sprint(bad, " ", i), Sector: bad})
		if err != nil {
			continue // a name that accounts refuses is on no page
		}
		taken++
		must[polder.Membership](t)(a.Join(t.Context(), local, polder.CommunityID(w.ids["chips"]), o.ID, polder.RoleReader))
		if _, _, err := a.AddPerson(t.Context(), local, accounts.NewPerson{Org: o.ID, Email: fmt.Sprintf("p%d@example.org", i), Name: bad + "x", Role: polder.RoleReader}); err != nil && polder.KindOf(err) != polder.Invalid {
			t.Fatal(err)
		}
		w.ids["bad"] = string(o.ID)
		for _, path := range []string{"/organisations/{bad}", "/communities/chip-supply-chain/members/{bad}"} {
			page := w.get(t, "admin", path)
			for _, fault := range webtest.Broken([]byte(page)) {
				t.Errorf("%s with the name %q: %s", path, bad, fault)
			}
			if name := html.EscapeString(o.Name); strings.Contains(o.Name, "<") && (strings.Contains(page, o.Name) || !strings.Contains(page, strings.ReplaceAll(name, "+", "&#43;"))) {
				t.Errorf("%s does not show %q as it is", path, o.Name)
			}
		}
	}
	if taken < 10 {
		t.Fatalf("only %d names were tried", taken)
	}
	for _, path := range []string{"/organisations", "/communities/chip-supply-chain", "/audit", "/tokens"} {
		for _, fault := range webtest.Broken([]byte(w.get(t, "admin", path))) {
			t.Errorf("%s: %s", path, fault)
		}
	}
}

// Lists are sorted by their address, and an unknown order is none.
func TestSorting(t *testing.T) {
	w := newWorld(t)
	order := func(path string, names ...string) bool {
		page, at := w.get(t, "admin", path), -1
		for _, n := range names {
			i := strings.Index(page, ">"+n+"</a>")
			if i < at || i < 0 {
				return false
			}
			at = i
		}
		return true
	}
	for path, names := range map[string][]string{
		"/organisations?sort=name":     {"Acme Optics", "Bankenveste", "Klepwerk", "Okular Optik"},
		"/organisations?sort=-name":    {"Verborgen Tegel", "Okular Optik", "Klepwerk", "Acme Optics"},
		"/organisations?sort=-sector":  {"Okular Optik", "Klepwerk", "Bankenveste"},
		"/organisations?sort=nonsense": {"Acme Optics", "Bankenveste", "Klepwerk"},
		"/communities?sort=-members":   {"Chip supply chain", "Geldzaken", "Open to all"},
		"/communities?sort=-name":      {"Open to all", "Geldzaken", "Chip supply chain"},
	} {
		if !order(path, names...) {
			t.Errorf("%s is not in the order %v", path, names)
		}
	}
}

// A form that is refused comes back with what was written, and says what is wrong; passwords do not come back.
func TestFormsComeBack(t *testing.T) {
	w := newWorld(t)
	for _, c := range []struct{ who, path, form, says, keeps string }{
		{"admin", "/organisations", "name=&country=NL&sector=water", "Enter the name of the organisation", `value="water"`},
		{"admin", "/organisations", "name=KLEPWERK&country=NL", "This was not done", `value="KLEPWERK"`},
		{"admin", "/organisations", "name=Delta&country=Nederland", "This was not done", `value="Delta"`},
		{"admin", "/organisations/{klep}", "name=&sector=water", "Enter the name", `value="water"`},
		{"admin", "/communities", "name=&unmarked=green", "Enter a name", `value="green" selected`},
		{"steward", "/organisations/{klep}/people", "email=&person-name=Noor&role=steward", "Enter an e-mail address", `value="Noor"`},
		{"steward", "/organisations/{klep}/people", "email=reader@example.org&person-name=Noor&role=steward", "logs in on this node already", `value="steward" checked`},
		{"steward", "/organisations/{klep}/people", "email=nonsense&person-name=Noor&role=steward", "name@example.org", `value="nonsense"`},
		{"steward", "/join/request", "community=chip-supply-chain&message=Hello+there", "is a member of Chip supply chain already", "Hello there"},
	} {
		a := w.ask(t, c.who, http.MethodPost, c.path, c.form)
		if a.StatusCode < 400 || a.StatusCode > 409 || !strings.Contains(a.body, c.says) || !strings.Contains(a.body, c.keeps) {
			t.Errorf("%s %s answers %d; says %q: %v, keeps %q: %v", c.path, c.form, a.StatusCode, c.says, strings.Contains(a.body, c.says), c.keeps, strings.Contains(a.body, c.keeps))
		}
	}
}

// The rail counts what waits for its reader: a request for the steward, an agreement for whose it is.
func TestWaiting(t *testing.T) {
	w := newWorld(t)
	for who, want := range map[string]int{"reader": 0, "steward": 1, "foreign": 0, "maas": 1, "admin": 1} {
		if got, _ := w.pages.waiting(t.Context(), w.actor(t, who)); got != want {
			t.Errorf("%d wait for %s, want %d", got, who, want)
		}
	}
}

func TestDutch(t *testing.T) {
	w := newWorld(t)
	page := w.get(t, "steward", "/communities/chip-supply-chain?lang=nl")
	for _, want := range []string{`lang="nl"`, "Gemeenschappen", "Uitnodigingen", "Deelnemer", "Eén organisatie wil lid worden"} {
		if !strings.Contains(page, want) {
			t.Errorf("the Dutch page has no %q", want)
		}
	}
}
