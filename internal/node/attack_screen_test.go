package node

import (
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/polder-exchange/polder/internal/web"
)

// screenExits are the ways out of screening by HTTP, by name, with how many probes more GET is asked. [TestS4Screening]
// walks them; what nobody reads anything at is said.
var screenExits = map[string]exit{
	"api.screen":          {shows: true},
	"api.screen.records":  {shows: true, queries: []string{"?hit=yes", "?limit=1"}},
	"api.screen.reviews":  {shows: true, queries: []string{"?state=all", "?sort=made", "?asked=yes"}},
	"api.screen.review":   {shows: true},
	"api.screen.decision": {none: "asked as others, it finds nothing; see TestS5Screening"},
	"api.screen.parties":  {shows: true, queries: []string{"?hit=yes", "?due=yes", "?group=visitors"}}, "api.screen.party": {shows: true},
	"api.screen.groups": {shows: true}, "api.screen.batches": {shows: true}, "api.screen.batch": {shows: true}, "api.screen.rows": {shows: true, queries: []string{"?hit=yes"}},
	"api.screen.results": {shows: true}, "api.screen.lists": {shows: true}, "api.screen.list": {shows: true}, "api.screen.entry": {shows: true},
	"api.screen.record-of": {shows: true}, "api.screen.record": {shows: true, queries: []string{"?from=2020-01-01&to=2100-01-01"}}, "api.screen.settings": {none: "figures that an organisation chose"},

	"screen.ask": {shows: true}, "screen.answer": {none: "asked by POST, below"}, "screen.queue": {shows: true, queries: []string{"?state=all", "?sort=made"}}, "screen.review": {shows: true},
	"screen.parties": {shows: true, queries: []string{"?hit=yes", "?group=visitors"}}, "screen.party": {shows: true}, "screen.groups": {none: "asked by POST; see TestS5Screening"},
	"screen.batches": {shows: true}, "screen.batch": {shows: true}, "screen.progress": {none: "how far a batch is, in figures"}, "screen.results": {shows: true},
	"screen.share": {none: "asked by POST; see TestS5Screening"}, "screen.lists": {shows: true}, "screen.list": {shows: true}, "screen.settings": {none: "figures that an organisation chose"}, "screen.record": {shows: true, queries: []string{"?from=2020-01-01&to=2100-01-01"}}, "screen.screening": {shows: true},
}

// screenReaders are whoever looks.
var screenReaders = append(slices.Clone(readers), "plain steward", "foreign steward")

// prying holds answers against the words that their readers may not see.
type prying struct {
	*screened
	t      *testing.T
	probes int
	found  map[string]int  // words, by exit
	seen   map[string]bool // words that somebody saw
}

// see holds one answer against every word.
func (x *prying) see(exit string, e exit, reader, sent string, a answer) {
	x.t.Helper()
	x.probes++
	if a.status >= 500 {
		x.t.Errorf("%s as %q: %s: %d %s", exit, reader, sent, a.status, a.body)
	}
	text := plainText(a)
	for _, w := range canaryWords(text) {
		w = strings.ToLower(w)
		s, known := x.secrets[w]
		switch {
		case !known || strings.Contains(sent, w):
		case x.may(reader, s):
			x.found[exit]++
			x.seen[w] = true
		default:
			x.t.Errorf("%s gives %q the %s of %s (community %q, %s): %s", exit, reader, s.what, s.owner, s.community, s.level.Label(), sent)
		}
	}
	fellow := (e.members || e.stewards) && reader != "" && reader != "left"
	if org(reader) == "sharer" || fellow {
		return
	}
	for _, word := range []string{x.orgs["sharer"].Name, string(x.orgs["sharer"].ID), string(x.place.ids["sharer"])} {
		if strings.Contains(text, word) {
			x.t.Errorf("%s tells %q of %q, who shares a list and is not named: %s", exit, reader, word, sent)
		}
	}
}

// TestS4Screening (S4): what an organisation asks, knows, decides and lists, and lists that members share at every level,
// through every way out of the node, its pages, counts, tables, prints and log, as every kind of reader.
func TestS4Screening(t *testing.T) {
	x := &prying{screened: newScreened(t), t: t, found: map[string]int{}, seen: map[string]bool{}}
	for _, r := range x.Routes() {
		e, screening := screenExits[r.Exit]
		if of, there := caseExits[r.Exit]; there {
			e = exit{members: of.members, stewards: of.stewards} // TestS4Cases asks them whole
		} else if !screening {
			e = exits[r.Exit]
		}
		if screening && e.shows {
			x.found[r.Exit] += 0
		}
		if r.Method == "GET" {
			x.read(r, e, screening)
		}
	}
	x.askAbout()
	for name, n := range x.found {
		if screenExits[name].shows && n == 0 {
			t.Errorf("exit %s showed no word to anybody: it was not tested", name)
		}
	}
	for w, s := range x.secrets {
		if !x.seen[w] {
			t.Errorf("nobody ever saw the %s of %s (community %q), so hiding it proves nothing", s.what, s.owner, s.community)
		}
	}
	for _, w := range canaryWords(x.log.String()) {
		if s, known := x.secrets[strings.ToLower(w)]; known {
			t.Errorf("the log holds the %s of %s", s.what, s.owner)
		}
	}
	if !strings.Contains(x.log.String(), `"msg":"request"`) || x.probes < 1500 {
		t.Errorf("%d probes, or an empty log: little was tested", x.probes)
	}
	t.Logf("%d probes against %d words", x.probes, len(x.secrets))
}

func (x *prying) read(r web.Route, e exit, screening bool) {
	paths := []string{x.fill(r.Pattern, entryID(1))}
	if screening {
		paths = x.addresses(r.Pattern)
	}
	for _, base := range paths {
		for _, query := range append([]string{""}, e.queries...) {
			if !screening && strings.Contains(query, "{") {
				continue // about objects; TestS4Canary asks
			}
			path := base
			if query != "" {
				path, _, _ = strings.Cut(base, "?")
				path += query
			}
			for _, reader := range screenReaders {
				q := ask{as: reader, path: path}
				if r.Stream {
					q.wait = 30 * time.Millisecond
				}
				x.see(r.Exit, e, reader, path, x.ask(q))
			}
		}
	}
}

// askAbout asks about every word by name, and looks for it in every list, as those who may and may not know of it.
func (x *prying) askAbout() {
	own := map[string]string{"Sec-Fetch-Site": "same-origin"}
	for _, w := range slices.Sorted(maps.Keys(x.secrets)) {
		s := x.secrets[w]
		name := w
		if strings.Contains(s.what, "name") || strings.Contains(s.what, "listing") {
			name += map[bool]string{true: " Scheepsbouw", false: " Handelshuis"}[s.community != ""]
		}
		for _, reader := range []string{"plain", "foreign", "named", "left", "sharer"} {
			for _, q := range []struct {
				exit string
				ask  ask
			}{
				{"api.screen", ask{path: "/api/v1/screen?threshold=0.5&name=" + url.QueryEscape(name)}},
				{"screen.answer", ask{method: "POST", path: "/screen", kind: formKind, head: own, body: "whole=yes&text=" + url.QueryEscape(name)}},
				{"screen.parties", ask{method: "POST", path: "/screen/parties/find", kind: formKind, head: own, body: "find=" + w}},
				{"screen.queue", ask{method: "POST", path: "/screen/queue", kind: formKind, head: own, body: "find=" + w}},
				{"exchange.search", ask{path: "/search?q=" + w}},
				{"api.search", ask{path: "/api/v1/search?q=" + w}},
			} {
				q.ask.as = reader
				x.see(q.exit, exit{}, reader, q.ask.path+q.ask.body, x.ask(q.ask))
			}
		}
	}
}

// TestS5Screening (S1, S5): whoever is of another organisation gets, whatever is asked of what is another's, by whatever
// verb, word for word the answer about something that does not exist; and nothing of it has changed.
func TestS5Screening(t *testing.T) {
	x := newScreened(t)
	before := x.record(t, "plain")
	absents := map[string]string{"review": "", "party": "", "record": "", "batch": "", "group": "no-such-group", "list": "no-such-list"}
	tried := 0
	for _, r := range x.Routes() {
		if _, screening := screenExits[r.Exit]; !screening || !strings.Contains(r.Pattern, "{") {
			continue
		}
		mine := x.addresses(r.Pattern)[0] // plain's
		for kind, id := range x.ids["plain"] {
			if !strings.Contains(mine, "/"+id) {
				continue
			}
			none := absents[kind]
			if none == "" {
				none = strings.Repeat("a", len(id))
			}
			absent := strings.Replace(mine, id, none, 1)
			for _, reader := range []string{"foreign steward", "foreign", "sharer steward", "stew", "named"} {
				kind, body := screenBody(r.Pattern)
				q := ask{as: reader, method: r.Method, path: mine, kind: kind, body: body, head: map[string]string{"Sec-Fetch-Site": "same-origin"}}
				if r.Stream {
					q.wait = 50 * time.Millisecond
				}
				w := q
				w.path = absent
				got, want := x.ask(q), x.ask(w)
				tried++
				if g, m := plainly(got, id), plainly(want, none); strings.ReplaceAll(g, id, "ID") != strings.ReplaceAll(m, none, "ID") {
					t.Errorf("%s %s as %s:\n%s\nand for what does not exist\n%s", r.Method, r.Pattern, reader, g, m)
				}
				if got.status != http.StatusNotFound && got.status != http.StatusForbidden {
					t.Errorf("%s %s as %s: %d", r.Method, r.Pattern, reader, got.status)
				}
			}
		}
	}
	if after := x.record(t, "plain"); after != before {
		t.Errorf("something of plain changed:\n%s\nwas\n%s", after, before)
	}
	if tried < 100 {
		t.Errorf("%d pairs", tried)
	}
}

// record is all that an organisation keeps, as its API gives it.
func (x *screened) record(t *testing.T, o string) (out string) {
	t.Helper()
	for _, path := range []string{"/reviews?state=all", "/parties", "/parties?removed=yes", "/records", "/batches", "/groups", "/settings", "/lists", "/reviews/" + x.ids[o]["review"]} {
		a := x.ask(ask{as: o, path: "/api/v1/screen" + path})
		if a.status != http.StatusOK {
			t.Fatalf("%s as %s: %d %s", path, o, a.status, a.body)
		}
		out += unique.ReplaceAllString(a.body, "*") + "\n" // when shared lists were looked at, and such
	}
	return out
}

// screenBody is what would do, so that it is the right and not the form that refuses it.
func screenBody(pattern string) (kind, body string) {
	switch {
	case !strings.HasPrefix(pattern, "/api/"):
		return formKind, "ground=request&decision=false&reason=none+of+your+business&seen=2&text=Acme&group=customers"
	case strings.HasSuffix(pattern, "/decision"):
		return jsonKind, `{"verdict":"false","reason":"none of your business","version":2}`
	case strings.HasSuffix(pattern, "/erase"):
		return jsonKind, `{"ground":"request"}`
	case strings.HasSuffix(pattern, "/share"):
		return jsonKind, sharing
	}
	return jsonKind, `{"query":{"name":"Acme"},"version":1}`
}

// TestS3Screening (S3): a body that names another's list, group, party or batch changes nothing of it, and joins nothing
// to it.
func TestS3Screening(t *testing.T) {
	x := newScreened(t)
	before := x.record(t, "plain")
	mine := x.ids["plain"]
	for _, q := range []ask{
		{method: "POST", path: "/api/v1/screen/parties", kind: jsonKind, body: fmt.Sprintf(`{"group":%q,"query":{"name":"Acme"}}`, mine["group"])},
		{method: "POST", path: "/api/v1/screen/parties/import?group=" + mine["group"], kind: octets, body: "name\nAcme\n"},
		{method: "PUT", path: "/api/v1/screen/parties/" + mine["party"], kind: jsonKind, body: fmt.Sprintf(`{"group":%q,"query":{"name":"Acme"},"version":1}`, mine["group"])},
		{path: "/api/v1/screen/reviews?state=all&party=" + mine["party"]},
		{path: "/api/v1/screen/reviews?state=all&batch=" + mine["batch"]},
		{path: "/api/v1/screen/reviews?state=all&list=" + mine["list"]},
		{path: "/api/v1/screen/records?party=" + mine["party"]},
		{path: "/api/v1/screen/parties?group=" + mine["group"]},
		{method: "POST", path: "/api/v1/screen/lists/" + mine["list"] + "/refresh"},
	} {
		q.as = "foreign steward"
		a := x.ask(q)
		if a.status >= 500 || strings.Contains(a.body, `"id":"`) && !strings.Contains(a.body, `"lists":[]`) {
			t.Errorf("%s %s: %d %s", q.method, q.path, a.status, a.body)
		}
		for _, w := range canaryWords(a.body) {
			if s := x.secrets[w]; s.owner == "plain" && !strings.Contains(q.path+q.body, w) {
				t.Errorf("%s %s tells the %s of plain", q.method, q.path, s.what)
			}
		}
	}
	// A list of the same name is another list: plain's is neither read, nor changed, nor in the way.
	x.must(t, "foreign steward", "POST", "/api/v1/screen/lists?name="+mine["list"]+"&file=x.csv", octets, suspects, http.StatusCreated, nil)
	if after := x.record(t, "plain"); after != before {
		t.Errorf("something of plain changed:\n%s\nwas\n%s", after, before)
	}
}

// TestS4ScreeningCommands (S4): who manages the node asks its own lists in its folder, and reads nothing of what
// organisations of it keep, by no command.
func TestS4ScreeningCommands(t *testing.T) {
	x := &prying{screened: newScreened(t), t: t, found: map[string]int{}, seen: map[string]bool{}}
	for _, args := range [][]string{
		{"lists", "show", "--data", x.dir}, {"lists", "show", "--data", x.dir, "--json"}, {"audit", "list", "--data", x.dir}, {"audit", "list", "--data", x.dir, "--json"},
	} {
		code, out, errs := polderRun(t, args...)
		x.see("polder "+strings.Join(args[:2], " "), exit{members: true}, "admin", strings.Join(args, " "), answer{status: 200, body: out + errs})
		if code != 0 && args[0] != "lists" {
			t.Errorf("%v: %d %s", args, code, errs)
		}
	}
	for w := range x.secrets {
		_, out, errs := polderRun(t, "screen", "--data", x.dir, "--json", w+" Handelshuis")
		x.see("polder screen", exit{members: true}, "admin", w, answer{status: 200, body: out + errs})
		if strings.Contains(out, `"score"`) {
			t.Fatalf("polder screen --data meets a list of an organisation: %s", out)
		}
	}
}
