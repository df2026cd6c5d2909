package web

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	polder "github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/stix"
)

func TestWords(t *testing.T) {
	zone := time.FixedZone("Europe/Amsterdam", 3600)
	s := testSite(t, Options{Zone: zone})
	en, nl := s.Words("en"), s.Words("nl")
	for _, c := range []struct{ why, got, want string }{
		{"one", en.T("form.errors", "n", 1), "One answer needs a change"},
		{"many", en.T("form.errors", "n", 12345), "12\u202f345 answers need a change"},
		{"none is many", nl.T("form.errors", "n", 0), "0 antwoorden moeten anders"},
		{"an unknown key says itself", en.T("no.such"), "no.such"},
		{"a placeholder that nobody fills stays", en.T("score.of"), "of {max}"},
		{"values are not looked into", en.T("score.of", "max", "{n}", "n", 3), "of {n}"},
		{"a marking", en.T("score.of", "max", stix.AmberStrict), "of TLP:AMBER+STRICT"},
		{"an unknown language", s.Words("xx").Lang(), "en"},
		{"today", en.When(at.Add(-4 * time.Minute)), "Today 15:28"},
		{"today, Dutch", nl.When(at), "Vandaag 15:32"},
		{"yesterday", en.When(at.Add(-22 * time.Hour)), "Mon 17:32"},
		{"six days ago", nl.When(at.Add(-6 * 24 * time.Hour)), "wo 15:32"},
		{"a week ago", en.When(at.Add(-7 * 24 * time.Hour)), "17 Nov 2026"},
		{"the day after tomorrow", en.When(at.Add(48 * time.Hour)), "Thu 26 Nov, 15:32"},
		{"in a month", nl.When(at.Add(100 * 24 * time.Hour)), "4 mrt 2027"},
		{"never", en.When(time.Time{}), "–"},
		{"midnight belongs to the zone", en.When(time.Date(2026, 11, 23, 23, 30, 0, 0, time.UTC)), "Today 00:30"},
		{"clock", en.Clock(at), "15:32"},
		{"clock of another day", en.Clock(at.Add(-22 * time.Hour)), "Mon 17:32"},
		{"now", nl.Now(), "Dinsdag 24 november 2026, 15:32"},
		{"zone", en.ZoneName(), "Amsterdam"},
		{"span", en.Span(19*time.Hour + 12*time.Minute), "19 h 12 min"},
		{"span of days", nl.Span(6 * 24 * time.Hour), "6 dagen"},
		{"a short span", en.Span(time.Second), "1 second"},
		{"an hour", nl.Span(time.Hour), "1 uur"},
		{"small number", en.Number(1290), "1290"},
		{"large number", en.Number(-1234567), "−1\u202f234\u202f567"},
		{"bytes", en.Size(1), "1 byte"},
		{"megabytes", nl.Size(3_400_000), "3,4\u00a0MB"},
		{"round megabytes", en.Size(99_999_999), "100\u00a0MB"},
	} {
		if c.got != c.want {
			t.Errorf("%s: got %q, want %q", c.why, c.got, c.want)
		}
	}
	if got := string(en.Link("keys.off", "/preferences?a=b&c=d")); got != `Single keys can be <a href="/preferences?a=b&amp;c=d">switched off</a>.` {
		t.Errorf("link: %s", got)
	}
	if got := string(en.Link("keys.off", "javascript:x")); strings.Contains(got, "href") {
		t.Errorf("link: %s", got)
	}
}

func TestDefang(t *testing.T) {
	for in, want := range map[string]string{
		"firmware.klepwerk.example": "firmware.klepwerk[.]example", "https://a.example/x.html?y=1.2": "hxxps://a[.]example/x.html?y=1.2", "HTTP://a.example": "hxxp://a[.]example",
		"ftp://a.example/": "fxp://a[.]example/", "203.0.113.77": "203.0.113[.]77", "someone@a.example": "someone@a[.]example", "": "", "9f2c41": "9f2c41", "a.example.": "a[.]example.",
		"a.example/x.y": "a[.]example/x.y",
	} {
		if got := Defang(in); got != want {
			t.Errorf("Defang(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestParseCatalogue(t *testing.T) {
	c, err := ParseCatalogue("# words\n\na.b = One\n  and two\nc-d = {n} = [x]\n")
	if err != nil || c["a.b"] != "One and two" || c["c-d"] != "{n} = [x]" {
		t.Fatalf("%v %v", c, err)
	}
	if got := strings.Join(Placeholders(c["c-d"]+"{n}{a}"), " "); got != "[] a n" {
		t.Errorf("placeholders %s", got)
	}
	for why, text := range map[string]string{"no sign": "abc", "no text": "a =", "no key": "= b", "a key with a space": "a b = c", "twice": "a = b\na = c", "goes on with nothing": " x"} {
		if _, err := ParseCatalogue(text); err == nil || !strings.HasPrefix(err.Error(), "line ") {
			t.Errorf("%s: %v", why, err)
		}
	}
}

func FuzzParseCatalogue(f *testing.F) {
	f.Add("a = b\n c\n# d\n")
	f.Add("=\n \n")
	f.Fuzz(func(t *testing.T, text string) {
		c, err := ParseCatalogue(text)
		if err != nil {
			return
		}
		for key, value := range c {
			if !goodKey(key) || value == "" {
				t.Errorf("%q = %q", key, value)
			}
		}
	})
}

func TestNewRefuses(t *testing.T) {
	good := func() fstest.MapFS {
		return fstest.MapFS{"locale/en.txt": {Data: []byte("p.x = X")}, "locale/nl.txt": {Data: []byte("p.x = X")}, "templates/a.html": {Data: []byte("<p>{{t \"p.x\"}}</p>")}}
	}
	if _, err := New(Options{}, Part{"p", good()}); err != nil {
		t.Fatal(err)
	}
	for why, change := range map[string]func(fstest.MapFS){
		"no Dutch":               func(f fstest.MapFS) { delete(f, "locale/nl.txt") },
		"a key of somebody else": func(f fstest.MapFS) { f["locale/en.txt"].Data = []byte("nav.know = X") },
		"a broken template":      func(f fstest.MapFS) { f["templates/a.html"].Data = []byte("{{if}}") },
		"an unknown function":    func(f fstest.MapFS) { f["templates/x.part.html"] = &fstest.MapFile{Data: []byte("{{frobnicate}}")} },
	} {
		f := good()
		change(f)
		if _, err := New(Options{}, Part{"p", f}); err == nil || !strings.Contains(err.Error(), "part p") {
			t.Errorf("%s: %v", why, err)
		}
	}
	if _, err := New(Options{Origins: []string{"not an origin"}}); err == nil {
		t.Error("a bad origin is trusted")
	}
	if _, err := New(Options{Rand: strings.NewReader("")}); err == nil {
		t.Error("a toast's key without randomness")
	}
}

func TestRenderFails(t *testing.T) {
	part := Part{"p", fstest.MapFS{"locale/en.txt": {}, "locale/nl.txt": {}, "templates/a.html": {Data: []byte(`{{icon "no-such"}}`)},
		"templates/f.part.html": {Data: []byte(`{{define "row"}}<li>{{.}}</li>{{end}}`)}}}
	s := testSite(t, Options{}, part)
	h := handler(t, s, Route{Method: "GET", Pattern: "/a", Exit: "x", Handler: func(w http.ResponseWriter, r *http.Request) { s.Render(w, r, Page{Template: "p/a", Title: "half"}) }},
		Route{Method: "GET", Pattern: "/b", Exit: "x", Handler: func(w http.ResponseWriter, r *http.Request) { s.Render(w, r, Page{Template: "p/none"}) }})
	for _, path := range []string{"/a", "/b"} {
		if w := ask(h, "GET", path, ""); w.Code != 500 || strings.Contains(w.Body.String(), "half") || strings.Contains(w.Body.String(), "no-such") {
			t.Errorf("%s: %d %s", path, w.Code, w.Body)
		}
	}
	if s.Try("en", "p/a", nil) == nil || s.Try("en", "p/none", nil) == nil {
		t.Error("Try does not tell")
	}
	row, err := s.Fragment(s.Words("nl"), "p/row", "<b>\u202e")
	if err != nil || string(row) != "<li>&lt;b&gt;⟦U+202E⟧</li>" {
		t.Errorf("fragment %q %v", row, err)
	}
	if _, err := s.Fragment(s.Words("nl"), "p/none", nil); err == nil {
		t.Error("a fragment that is not there")
	}
}

func TestHeads(t *testing.T) {
	at, _ := url.Parse("/objects?type=a&type=b&sort=name&next=xyz")
	heads := Heads(at, "name", Column{Key: "name", Label: "Object"}, Column{Key: "changed", Label: "Changed", Down: true}, Column{Label: "30 days"})
	for i, want := range []Head{{Label: "Object", Href: "/objects?sort=-name&type=a&type=b", Order: "ascending"}, {Label: "Changed", Href: "/objects?sort=-changed&type=a&type=b"}, {Label: "30 days"}} {
		if heads[i] != want {
			t.Errorf("got %+v, want %+v", heads[i], want)
		}
	}
	if heads := Heads(at, "-name", Column{Key: "name"}); heads[0].Order != "descending" || !strings.Contains(heads[0].Href, "sort=name") {
		t.Errorf("%+v", heads)
	}
}

func TestFacets(t *testing.T) {
	f := specimens(at)["Facets"].(Facets)
	chips := f.Chips()
	if len(chips) != 2 || chips[0] != (Link{"Indicator", "/components?sort=-changed&type=malware"}) {
		t.Errorf("chips %+v", chips)
	}
	if f.Clear() != "/components?sort=-changed" || len(f.Hidden()) != 1 {
		t.Errorf("clear %s, hidden %v", f.Clear(), f.Hidden())
	}
}

// block is a capability that shows one thing, or fails.
type block struct {
	b   Block
	err error
}

func (b block) Card(context.Context, polder.Actor, Words) (Block, error) { return b.b, b.err }
func (b block) Panel(_ context.Context, _ polder.Actor, object string, _ Words) (Block, error) {
	b.b.Title += object
	return b.b, b.err
}
func (b block) Search(_ context.Context, _ polder.Actor, text string, limit int, _ Words) ([]Hit, error) {
	return []Hit{{Title: text, Exact: b.b.Aside}}, b.err
}

func TestSpan(t *testing.T) {
	s := testSite(t, Options{})
	late, soon, nothing, broken := block{b: Block{Title: "late", Template: "x", Order: 2}}, block{b: Block{Title: "soon", Template: "x", Order: 1, Aside: true}}, block{}, block{err: errors.New("x")}
	s.AddCards(late, broken, nothing, soon)
	s.AddPanels(late, broken, nothing, soon)
	s.AddSearches(late, broken, soon)
	r := httptest.NewRequest("GET", "/", nil)
	if got := s.Cards(r); len(got) != 2 || got[0].Title != "soon" {
		t.Errorf("cards %+v", got)
	}
	if got := s.Panels(r, "!"); len(got) != 2 || got[1].Title != "late!" {
		t.Errorf("panels %+v", got)
	}
	if got := s.Find(r, "q", 5); len(got) != 2 || !got[0].Exact {
		t.Errorf("hits %+v", got)
	}
}

// What an input holds is read back as the same moment, in the zone of the words; on the night when clocks go back too.
func TestWordsInput(t *testing.T) {
	zone, err := time.LoadLocation("Europe/Amsterdam")
	if err != nil {
		t.Fatal(err)
	}
	w := Words{zone: zone}
	for _, c := range []struct{ text, want, why string }{
		{"2026-11-24T09:12", "2026-11-24T08:12:00Z", "winter time is an hour ahead of UTC"},
		{"2026-07-01 09:12", "2026-07-01T07:12:00Z", "a person writes a space; summer time is two hours ahead"},
		{"2026-07-01", "2026-06-30T22:00:00Z", "a day alone is its beginning"},
		{"2026-07-01T09:12:30", "2026-07-01T07:12:30Z", "some browsers send seconds"},
	} {
		got, err := w.ReadInput(c.text)
		if err != nil || got.Format(time.RFC3339) != c.want {
			t.Errorf("ReadInput(%q) is %s, %v; want %s: %s", c.text, got.Format(time.RFC3339), err, c.want, c.why)
		}
		if again, err := w.ReadInput(w.Input(got)); err != nil || got.Sub(again).Abs() >= time.Minute {
			t.Errorf("%q comes back as %s, %v", c.text, again, err)
		}
	}
	if at, err := w.ReadInput(""); err != nil || !at.IsZero() || w.Input(at) != "" {
		t.Errorf("nothing is read as %s, %v", at, err)
	}
	for _, bad := range []string{"tomorrow", "24-11-2026", "2026-13-01T00:00", "2026-02-30"} {
		if at, err := w.ReadInput(bad); polder.KindOf(err) != polder.Invalid {
			t.Errorf("ReadInput(%q) is %s, %v; it is no time", bad, at, err)
		}
	}
}
