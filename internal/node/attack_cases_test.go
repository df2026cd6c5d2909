package node

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/polder-exchange/polder/internal/web"
	"github.com/polder-exchange/polder/stix"
)

// caseProbe holds answers against the words that their readers may not see.
type caseProbe struct {
	*casesWorld
	t      *testing.T
	probes int
	found  map[string]int  // words, by exit
	seen   map[string]bool // words that somebody saw
}

// see holds one answer against every word.
func (x *caseProbe) see(exit, reader, sent string, a answer) {
	x.t.Helper()
	x.probes++
	if a.status >= 500 {
		x.t.Errorf("%s as %q: %s: %d %s", exit, reader, sent, a.status, a.body)
	}
	for _, w := range canaryWords(plainText(a)) {
		w = strings.ToLower(w)
		s, known := x.secrets[w]
		switch {
		case !known || strings.Contains(sent, w):
		case x.gone[w]:
			x.t.Errorf("%s gives %q the %s: %s", exit, reader, s.what, sent)
		case x.may(reader, s) || x.colleague(exit, reader, s):
			x.found[exit]++
			x.seen[w] = true
		default:
			x.t.Errorf("%s gives %q the %s of %s (%s): %s", exit, reader, s.what, s.in, s.level.Label(), sent)
		}
	}
}

// casePages are the pages of a case that its pattern does not name.
var casePages = []string{"edit", "status", "members", "jewels", "damage", "history", "export", "release", "sharing", "tell", "none"}

// addresses are those that a route of cases is asked at: for each case, each of its items, jewels and rules.
func (x *casesWorld) addresses(pattern string) (out []string) {
	if strings.Contains(pattern, "/jewels/{") {
		for _, o := range []string{"plain", "named"} {
			out = append(out, strings.NewReplacer("{id}", x.jewels[o], "{jewel}", x.jewels[o]).Replace(pattern))
		}
		return out
	}
	if strings.Contains(pattern, "{key}") && strings.Contains(pattern, "shared") {
		return []string{strings.Replace(pattern, "{key}", x.shared, 1)}
	}
	if !strings.Contains(pattern, "cases/") || !strings.Contains(pattern, "{id}") {
		return []string{x.fill(pattern, x.cases["open"])}
	}
	for _, key := range []string{"open", "hidden", "theirs"} {
		path := strings.NewReplacer("{id}", x.cases[key], "{sharing}", x.sharing, "{n}", "1", "{member}", string(x.ids["w green"])).Replace(pattern)
		switch {
		case strings.Contains(path, "{rule}"):
			for _, rule := range slices.Sorted(maps.Keys(x.rules)) {
				out = append(out, strings.Replace(path, "{rule}", strings.Replace(rule, "/", ".", 1), 1))
			}
		case strings.HasSuffix(path, "/{page}"):
			for _, page := range casePages {
				out = append(out, strings.Replace(path, "{page}", page, 1))
			}
		case strings.Contains(path, "{item}"):
			if strings.Contains(path, "/{page}/") && !strings.Contains(path, "{act}") {
				for _, all := range []string{"all/entry", "all/note", "all/observable", "all/evidence", "all/task", "all/decision", "add/note"} {
					out = append(out, strings.Replace(path, "{page}/{item}", all, 1))
				}
			}
			for _, name := range slices.Sorted(maps.Keys(x.items[key])) {
				out = append(out, strings.NewReplacer("{page}", "items", "{item}", x.items[key][name], "{act}", "custody").Replace(path))
			}
		default:
			out = append(out, path)
		}
	}
	return out
}

// TestS4Cases (S4): words in every field of every kind of item at every level, in fields of cases, assessments, deadlines,
// histories, jewels and desks, through every way out of the node, its pages, files, counts, forms, searches and log, as
// every kind of reader: nobody reads a word above what he was let in for.
func TestS4Cases(t *testing.T) {
	x := &caseProbe{casesWorld: newCasesWorld(t), t: t, found: map[string]int{}, seen: map[string]bool{}}
	for _, r := range x.Routes() {
		e, of := caseExits[r.Exit]
		if of && e.shows {
			x.found[r.Exit] += 0
		}
		if r.Method == "GET" {
			x.read(r, e, of)
		}
	}
	for name, n := range x.found {
		if caseExits[name].shows && n == 0 {
			t.Errorf("exit %s showed no word to anybody: it was not tested", name)
		}
	}
	for w, s := range x.secrets {
		if !x.seen[w] && !x.gone[w] {
			t.Errorf("nobody ever saw the %s of %s (%s), so hiding it proves nothing", s.what, s.in, s.level.Label())
		}
	}
	x.searches()
	for _, w := range canaryWords(x.log.String()) {
		if s, known := x.secrets[strings.ToLower(w)]; known && s.in != "desk" {
			t.Errorf("the log holds the %s of %s", s.what, s.in)
		}
	}
	if !strings.Contains(x.log.String(), `"msg":"request"`) || x.probes < 5000 {
		t.Errorf("%d probes, or an empty log: little was tested", x.probes)
	}
	t.Logf("%d probes against %d words", x.probes, len(x.secrets))
}

func (x *caseProbe) read(r web.Route, e exit, of bool) {
	paths := []string{x.fill(r.Pattern, entryID(1))}
	if of {
		paths = x.addresses(r.Pattern)
	}
	for _, path := range paths {
		for _, query := range append([]string{""}, e.queries...) {
			for _, reader := range caseReaders {
				q := ask{as: reader, path: path + query}
				if r.Stream {
					q.wait = 30 * time.Millisecond
				}
				x.see(r.Exit, reader, q.path, x.ask(q))
			}
		}
	}
}

// searches looks for every word by every search: whoever may not see it gets, word for word, the answer about a word that
// stands nowhere.
func (x *caseProbe) searches() {
	own := map[string]string{"Sec-Fetch-Site": "same-origin"}
	absent := "zq" + strings.Repeat("o", 9) + "qz"
	asks := func(w string) []ask {
		return []ask{
			{path: "/api/v1/cases?text=" + w},
			{path: "/api/v1/cases/" + x.cases["open"] + "/items?struck=yes&text=" + w},
			{path: "/api/v1/jewels?text=" + w},
			{path: "/search?q=" + url.QueryEscape(w+".example")},
			{path: "/api/v1/search?q=" + url.QueryEscape(w+".example")},
			{method: "POST", path: "/api/v1/cases/naming", kind: jsonKind, body: `{"value":"` + w + `.example"}`},
			{method: "POST", path: "/cases/find", kind: formKind, head: own, body: "text=" + w},
			{method: "POST", path: "/cases/jewels/find", kind: formKind, head: own, body: "text=" + w},
		}
	}
	// nothing is what a reader's kth search answers about the absent word: asked once, or once more.
	told := map[string]string{}
	nothing := func(reader string, k int, anew bool) string {
		key := fmt.Sprint(reader, k)
		if _, asked := told[key]; !asked || anew {
			q := asks(absent)[k]
			q.as = reader
			told[key] = strings.ReplaceAll(plainly(x.ask(q), absent), absent, "WORD")
		}
		return told[key]
	}
	for i, w := range slices.Sorted(maps.Keys(x.secrets)) {
		s := x.secrets[w]
		for j, reader := range []string{"w clear", "w green", "w amber", "named", "stew", "left", "plain", "sharer", "foreign", "admin"} {
			if x.may(reader, s) || x.colleague("search", reader, s) || (i+j)%3 > 0 { // each word as a third of all who may not see it
				continue
			}
			for k, q := range asks(w) {
				q.as = reader
				got := x.ask(q)
				x.see("search", reader, q.path+q.body, got)
				g := strings.ReplaceAll(plainly(got, w), w, "WORD")
				if g != nothing(reader, k, false) && g != nothing(reader, k, true) {
					x.t.Errorf("%s tells %q that the %s of %s (%s) is there:\n%s\nand of what is not\n%s", q.path+q.body, reader, s.what, s.in, s.level.Label(), g, nothing(reader, k, false))
				}
			}
		}
	}
}

// TestS4CaseCommands (S4): the commands about cases give each token what its bearer may see, and whoever manages the node
// reads nothing of a case by any command on its folder.
func TestS4CaseCommands(t *testing.T) {
	x := &caseProbe{casesWorld: newCasesWorld(t), t: t, found: map[string]int{}, seen: map[string]bool{}}
	x.serve(t)
	for _, reader := range []string{"contributor", "w clear", "w amber", "named", "left", "plain", "sharer", "foreign", "admin"} {
		with := []string{"--node", x.url, "--token", x.tokens[reader]}
		all := [][]string{{"case", "list"}, {"case", "list", "--json"}}
		for _, key := range []string{"open", "hidden", "theirs"} {
			all = append(all, []string{"case", "show", x.cases[key]}, []string{"case", "show", "--json", x.cases[key]})
			for _, format := range []string{"csv", "json", "stix", "veris", "rsit"} {
				all = append(all, []string{"case", "export", x.cases[key], "--format", format})
			}
		}
		for _, args := range all {
			_, out, errs := polderRun(t, append(slices.Clone(args), with...)...)
			x.see(strings.Join(args[:2], " "), reader, strings.Join(args, " "), answer{status: 200, body: out + errs})
		}
	}
	for _, args := range [][]string{{"audit", "list"}, {"audit", "list", "--json"}, {"org", "list"}, {"token", "list"}, {"person", "list"}} {
		_, out, errs := polderRun(t, append(slices.Clone(args), "--data", x.dir)...)
		x.see("polder "+args[0], "admin", strings.Join(args, " "), answer{status: 200, body: out + errs})
	}
	for _, name := range []string{"case list", "case show", "case export"} {
		if x.found[name] == 0 {
			t.Errorf("polder %s showed no word to anybody: it was not tested", name)
		}
	}
	t.Logf("%d probes", x.probes)
}

// TestS35Evidence (S35): a page with a script, kept as evidence under its own media type, is handed out by every door as a
// download of bytes that no browser shows.
func TestS35Evidence(t *testing.T) {
	x := &casesWorld{place: newPlace(t), secrets: map[string]caseSecret{}, sight: map[string]map[string]caseSight{}, cases: map[string]string{}, items: map[string]map[string]string{}}
	x.openCase(t, "open", "contributor", stix.Green)
	const hostile = "<script>alert(1)</script>"
	var it struct{ ID string }
	a := x.ask(ask{as: "contributor", method: "POST", path: "/api/v1/cases/" + x.cases["open"] + "/evidence", kind: "text/html", body: hostile, head: map[string]string{"X-File-Name": "page.html"}})
	if a.status != http.StatusCreated || json.Unmarshal([]byte(a.body), &it) != nil {
		t.Fatalf("evidence: %d %s", a.status, a.body)
	}
	for _, q := range []ask{
		{path: "/api/v1/cases/" + x.cases["open"] + "/evidence/" + it.ID},
		{method: "POST", path: "/cases/" + x.cases["open"] + "/items/" + it.ID + "/file", kind: formKind, body: "reason=look", head: map[string]string{"Sec-Fetch-Site": "same-origin"}},
	} {
		q.as = "contributor"
		a := x.ask(q)
		if a.status != http.StatusOK || a.body != hostile {
			t.Fatalf("%s: %d %.300s", q.path, a.status, a.body)
		}
		if got := a.head.Get("Content-Type"); got != octets {
			t.Errorf("%s: is handed out as %s", q.path, got)
		}
		if got := a.head.Get("Content-Disposition"); !strings.HasPrefix(got, "attachment") {
			t.Errorf("%s: a browser may show it: %q", q.path, got)
		}
		if a.head.Get("X-Content-Type-Options") != "nosniff" || !strings.Contains(a.head.Get("Content-Security-Policy"), "default-src 'none'") {
			t.Errorf("%s: %v", q.path, a.head)
		}
	}
}
