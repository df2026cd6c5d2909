package cases

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/web"
	"github.com/polder-exchange/polder/stix"
)

// caseDoor is the REST API of a world behind the door of a site. A token is the name of one of [everyCaseActor].
type caseDoor struct {
	*caseWorld
	handler http.Handler
	routes  []web.Route
}

func (d *caseDoor) BySession(context.Context, string) (web.Identity, error) {
	return web.Identity{}, polder.Errorf(polder.Unauthorised, "log in")
}

func (d *caseDoor) BySecret(_ context.Context, secret string, _ netip.Addr) (web.Identity, error) {
	a, ok := everyCaseActor[secret]
	if !ok || secret == "nobody" {
		return web.Identity{}, polder.Errorf(polder.Unauthorised, "log in")
	}
	return web.Identity{Actor: a}, nil
}

func newCaseDoor(t testing.TB) *caseDoor {
	t.Helper()
	d := &caseDoor{caseWorld: newCaseWorld(t)}
	site, err := web.New(web.Options{Identify: d})
	caseMust(t, err)
	api := NewAPI(d.Service)
	d.routes = append(api.caseRoutes(), api.jewelRoutes()...)
	d.handler, err = site.Handler(d.routes...)
	caseMust(t, err)
	return d
}

// ask sends a request as somebody.
func (d *caseDoor) ask(who, method, path, body string, header ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	if who != "nobody" {
		r.Header.Set("Authorization", "Bearer "+who)
	}
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	out := httptest.NewRecorder()
	d.handler.ServeHTTP(out, r)
	return out
}

// caseGot reads an answer of a status.
func caseGot[T any](t testing.TB, out *httptest.ResponseRecorder, status int) (v T) {
	t.Helper()
	if out.Code != status {
		t.Fatalf("%d %s, want %d", out.Code, out.Body, status)
	}
	caseMust(t, json.Unmarshal(out.Body.Bytes(), &v))
	return v
}

var canaryLevels = []stix.Marking{stix.Clear, stix.Green, stix.Amber, stix.AmberStrict, stix.Red}

func canary(level stix.Marking, what string) string { return fmt.Sprintf("cnry%dx%s", level, what) }

var canaryWord = regexp.MustCompile(`cnry([1-5])x[a-z]+`)

// canaryReaders are those who are let into every case of the canary world, with what they see at most.
var canaryReaders = map[string]Access{
	"lead": {PartLead, stix.Red, true}, "token": {PartLead, stix.Red, true}, "worker": {PartWork, stix.Amber, true}, "looker": {PartLead, stix.Green, true},
	"partner": {PartWork, stix.AmberStrict, false}, "guest": {PartWork, stix.AmberStrict, false}, "contact": {PartContact, stix.Amber, false},
}

// canaryWorld fills a case of each level with an item of each kind at each level, each with words that tell its level.
func canaryWorld(t testing.TB) (d *caseDoor, cases []CaseID, items map[CaseID][]Item) {
	t.Helper()
	d, items = newCaseDoor(t), map[CaseID][]Item{}
	other := d.open(stix.Clear, "another one")
	for _, who := range slices.Sorted(maps.Keys(canaryReaders)) {
		if a := everyCaseActor[who]; who != "lead" && who != "token" && who != "guest" {
			d.let(other.ID, a, canaryReaders[who].Part, canaryReaders[who].Ceiling)
		}
	}
	for _, own := range canaryLevels {
		c, err := d.OpenCase(t.Context(), lead, CaseNew{Title: canary(own, "title"), Summary: canary(own, "summary"), Level: own, Noticed: canary(own, "noticed"), Victim: canary(own, "victim")})
		caseMust(t, err)
		cases = append(cases, c.ID)
		for _, level := range canaryLevels {
			for _, it := range []Item{
				{Kind: ItemEntry, Title: canary(level, "entry")}, {Kind: ItemNote, Text: canary(level, "note")},
				{Kind: ItemObservable, Observable: &Observable{Type: "domain", Value: canary(level, "value") + ".example"}},
				{Kind: ItemTask, Title: canary(level, "task"), Task: &Task{Step: canary(level, "step")}},
				{Kind: ItemDecision, Title: canary(level, "decision"), Decision: &Decision{Reason: canary(level, "reason")}},
				{Kind: ItemEvidence, Evidence: &Evidence{Name: canary(level, "thing"), Where: canary(level, "where")}},
				{Kind: ItemLink, Title: canary(level, "link"), Link: &Link{To: other.ID}},
			} {
				it.Level, it.Confirmed = level, true
				items[c.ID] = append(items[c.ID], d.add(lead, c.ID, it))
			}
			f, err := d.AddEvidence(t.Context(), lead, c.ID, Item{Level: level, Evidence: &Evidence{Name: canary(level, "file") + ".txt"}}, strings.NewReader("it says "+canary(level, "bytes")+string(own)))
			caseMust(t, err)
			items[c.ID] = append(items[c.ID], f)
		}
		_, err = d.AssessDamage(t.Context(), lead, c.ID, Damage{Taken: TakenMaybe, What: canary(stix.Red, "damage"), Level: stix.Red})
		caseMust(t, err)
		for _, who := range slices.Sorted(maps.Keys(canaryReaders)) {
			if a := everyCaseActor[who]; who != "lead" && who != "token" && who != "guest" {
				d.let(c.ID, a, canaryReaders[who].Part, canaryReaders[who].Ceiling)
			}
		}
		caseMust(t, d.Announce(t.Context(), lead, c.ID))
	}
	return d, cases, items
}

// canaryMay tells whether a reader may read a canary of a level: a contact point the title of a case, and nothing else.
func canaryMay(who, word string, level stix.Marking) bool {
	x, let := canaryReaders[who]
	return let && level <= x.Ceiling && (x.Part != PartContact || strings.HasSuffix(word, "xtitle"))
}

// TestS4CanariesOfCases: words of every level, in every kind of item and every field of a case, are asked for at every
// route by every kind of reader, and reach nobody above the ceiling; and those within it are seen (the test bites).
func TestS4CanariesOfCases(t *testing.T) {
	d, cases, items := canaryWorld(t)
	probes, seen := 0, map[string]map[string]bool{}
	look := func(who, what string, out *httptest.ResponseRecorder) {
		probes++
		text := out.Body.String() + fmt.Sprint(out.Header())
		for _, m := range canaryWord.FindAllStringSubmatch(text, -1) {
			level, _ := strconv.Atoi(m[1])
			if !canaryMay(who, m[0], stix.Marking(level)) {
				t.Fatalf("%s reads %s at %s: %d %.300s", who, m[0], what, out.Code, text)
			}
			if seen[who] == nil {
				seen[who] = map[string]bool{}
			}
			seen[who][m[0]] = true
		}
	}
	for who := range everyCaseActor {
		for _, r := range d.routes {
			if strings.Contains(r.Pattern, "{member}") {
				continue // takes members away; [TestCaseRightsLaw] walks it
			}
			for _, id := range cases {
				ids := []string{""}
				if strings.Contains(r.Pattern, "{item}") {
					ids = itemIDs(items[id])
				} else if !strings.Contains(r.Pattern, "{id}") && id != cases[0] {
					continue
				}
				for _, item := range ids {
					path := strings.NewReplacer("{id}", string(id), "{item}", item).Replace(r.Pattern)
					body := ""
					switch {
					case strings.HasSuffix(r.Pattern, "/naming"):
						body = `{"value":"` + canary(stix.Red, "value") + `.example"}`
					case r.Method == "PATCH":
						body = `{"version":99}`
					case strings.HasSuffix(r.Pattern, "/status"):
						body = `{"status":"contained","version":99}`
					case strings.HasSuffix(r.Pattern, "/damage") && r.Method == "PUT":
						body = `{"taken":"some","what":"x","version":99}`
					case r.Method != "GET":
						body = `{}`
					}
					look(who, r.Method+" "+path, d.ask(who, r.Method, path, body))
				}
			}
		}
		for _, q := range []string{"?text=cnry", "?sort=changed", "?sort=severity&limit=2", "?open=yes"} {
			look(who, "GET cases"+q, d.ask(who, "GET", "/api/v1/cases"+q, ""))
		}
	}
	if probes < 5_000 {
		t.Errorf("%d probes, want 5,000", probes)
	}
	for who, x := range canaryReaders {
		for _, level := range canaryLevels {
			for _, what := range []string{"title", "entry", "note", "value", "task", "reason", "where", "link", "bytes"} {
				word := canary(level, what)
				if canaryMay(who, word, level) != seen[who][word] {
					t.Errorf("%s with %+v: %s was seen: %v", who, x, word, seen[who][word])
				}
			}
		}
	}
	t.Logf("%d probes", probes)
}

// TestS5NoCaseIsLikeAForbiddenOne: whoever was not let into a case gets the same bytes for it as for one that is not there,
// at every route; so do those who see a case for an item above their ceiling.
func TestS5NoCaseIsLikeAForbiddenOne(t *testing.T) {
	d, cases, items := canaryWorld(t)
	const noCase, noItem = "case--00000000-0000-4000-8000-000000000000", "00000000-0000-4000-8000-000000000000"
	same := func(who, method, path, none, body string) {
		t.Helper()
		a, b := d.ask(who, method, path, body), d.ask(who, method, none, body)
		text := regexp.MustCompile(`urn:polder:request:[^"]*`)
		if a.Code != b.Code || text.ReplaceAllString(a.Body.String(), "") != text.ReplaceAllString(b.Body.String(), "") || a.Header().Get("Content-Type") != b.Header().Get("Content-Type") || a.Header().Get("ETag") != "" {
			t.Errorf("%s %s %s: %d %s, for none %d %s", who, method, path, a.Code, a.Body, b.Code, b.Body)
		}
	}
	bodies := map[string]string{"PATCH": `{"version":1}`, "POST": `{"reason":"because","version":1,"status":"closed","did":"copied","kind":"note","text":"x","part":"work","person":"person-Wim","ceiling":"green"}`}
	for _, r := range d.routes {
		if !strings.Contains(r.Pattern, "{id}") || !strings.HasPrefix(r.Pattern, "/api/v1/cases") {
			continue
		}
		for _, who := range []string{"chief", "admin"} {
			item := items[cases[0]][0].ID
			fill := strings.NewReplacer("{id}", string(cases[0]), "{item}", item, "{member}", "person-Wim").Replace(r.Pattern)
			none := strings.NewReplacer("{id}", noCase, "{item}", item, "{member}", "person-Wim").Replace(r.Pattern)
			same(who, r.Method, fill, none, bodies[r.Method])
		}
		if !strings.Contains(r.Pattern, "{item}") {
			continue
		}
		for _, it := range items[cases[0]] {
			if it.Level > stix.AmberStrict {
				fill := strings.NewReplacer("{id}", string(cases[0]), "{item}", it.ID).Replace(r.Pattern)
				same("partner", r.Method, fill, strings.ReplaceAll(fill, it.ID, noItem), bodies[r.Method])
			}
		}
	}
}

// TestS3CaseAndItemMixed: an item is changed only at the address of its own case, by who may change it there.
func TestS3CaseAndItemMixed(t *testing.T) {
	d := newCaseDoor(t)
	mine := d.open(stix.Green, "Mine")
	theirs, err := d.OpenCase(t.Context(), chief, CaseNew{Title: "Hers", Level: stix.Green})
	caseMust(t, err)
	hers := d.add(chief, theirs.ID, Item{Kind: ItemNote, Text: "her words"})
	file, err := d.AddEvidence(t.Context(), chief, theirs.ID, Item{Evidence: &Evidence{Name: "a.txt"}}, strings.NewReader("bytes"))
	caseMust(t, err)
	for _, r := range d.routes {
		if !strings.Contains(r.Pattern, "{item}") {
			continue
		}
		for _, id := range []CaseID{mine.ID, theirs.ID} {
			for _, it := range []Item{hers, file} {
				path := strings.NewReplacer("{id}", string(id), "{item}", it.ID).Replace(r.Pattern)
				out := d.ask("lead", r.Method, path, `{"version":1,"reason":"because","text":"mine","did":"copied","done":true}`)
				if out.Code < 400 {
					t.Errorf("%s %s: %d %s", r.Method, path, out.Code, out.Body)
				}
			}
		}
	}
	body := fmt.Sprintf(`{"version":1,"id":%q,"case":%q,"text":"mine"}`, hers.ID, theirs.ID)
	note := d.add(lead, mine.ID, Item{Kind: ItemNote, Text: "my words"})
	if out := d.ask("lead", "PATCH", "/api/v1/cases/"+string(mine.ID)+"/items/"+note.ID, body); out.Code != 400 {
		t.Errorf("a body that names another item: %d %s", out.Code, out.Body)
	}
	now, err := d.Item(t.Context(), chief, theirs.ID, hers.ID)
	caseMust(t, err)
	if now.Text != "her words" || now.Version != 1 {
		t.Errorf("her item is %+v", now)
	}
	steps, err := d.Item(t.Context(), chief, theirs.ID, file.ID)
	caseMust(t, err)
	if len(steps.Evidence.Custody) != 1 {
		t.Errorf("her evidence has %+v", steps.Evidence.Custody)
	}
	_, err = d.AddItem(t.Context(), lead, mine.ID, Item{Kind: ItemDecision, Title: "x", Decision: &Decision{Reason: "because", Supersedes: hers.ID}})
	caseIs(t, err, polder.Invalid, "supersedes")
	_, err = d.AddItem(t.Context(), lead, mine.ID, Item{Kind: ItemLink, Link: &Link{To: theirs.ID}})
	caseIs(t, err, polder.Invalid, "link")
}

// TestS43EvidenceNames: the name of a file is words to read: it never reaches a file system, a header or a page as it came.
func TestS43EvidenceNames(t *testing.T) {
	d := newCaseDoor(t)
	c := d.open(stix.Green, "Names")
	for _, row := range []struct{ name, want, why string }{
		{"../../etc/passwd", "passwd", "a path is cut to its last part"},
		{`C:\Users\a\plan.docx`, "plan.docx", "of the other kind too"},
		{".bashrc", "bashrc", "no hidden file"},
		{"a\r\nSet-Cookie: x=1", "a__Set-Cookie: x=1", "no line break in a header"},
		{"a\x1b[2Jb", "a_[2Jb", "no terminal command"},
		{"exe.\u202efdp", "exe._fdp", "no text that runs backwards"},
		{"-rf", "-rf", "a dash is a dash"},
		{strings.Repeat("n", 400), strings.Repeat("n", 255), "no longer than a file system takes"},
		{"a\xffb", "a\uFFFDb", "what is no UTF-8 is shown as such"},
		{`"; filename="x.html`, `"; filename="x.html`, "quotes are escaped in the header"},
	} {
		it, err := d.AddEvidence(t.Context(), lead, c.ID, Item{Evidence: &Evidence{Name: row.name, Type: "text/html"}}, strings.NewReader("<script>alert(1)</script>"+row.name))
		if err != nil || it.Evidence.Name != row.want {
			t.Errorf("%q becomes %+v, %v; want %q: %s", row.name, it.Evidence, err, row.want, row.why)
			continue
		}
		out := d.ask("lead", "GET", "/api/v1/cases/"+string(c.ID)+"/evidence/"+it.ID, "")
		h := out.Header()
		if out.Code != 200 || h.Get("Content-Type") != "application/octet-stream" || !strings.HasPrefix(h.Get("Content-Disposition"), "attachment; filename*=UTF-8''") || h.Get("X-Content-Type-Options") != "nosniff" || len(h["Set-Cookie"]) > 0 || strings.ContainsAny(h.Get("Content-Disposition"), "\r\n\"") {
			t.Errorf("%q is given as %d %v", row.name, out.Code, h)
		}
	}
	for _, name := range []string{"", "...", "/", "a/"} {
		if _, err := d.AddEvidence(t.Context(), lead, c.ID, Item{Evidence: &Evidence{Name: name}}, strings.NewReader("x")); polder.KindOf(err) != polder.Invalid {
			t.Errorf("%q: %v", name, err)
		}
	}
}
