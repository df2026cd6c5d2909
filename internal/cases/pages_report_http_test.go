package cases

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/seal"
	"github.com/polder-exchange/polder/internal/web"
	"github.com/polder-exchange/polder/internal/web/webtest"
)

// reportForms is a form as a browser without script sends it.
func reportForms(pairs []string, files map[string][]byte) (contentType string, body *bytes.Buffer) {
	body = &bytes.Buffer{}
	form := multipart.NewWriter(body)
	for i := 0; i+1 < len(pairs); i += 2 {
		_ = form.WriteField(pairs[i], pairs[i+1])
	}
	for name, data := range files {
		part, _ := form.CreateFormFile("file", name)
		_, _ = part.Write(data)
	}
	_ = form.Close()
	return form.FormDataContentType(), body
}

// posted sends a form, and gives status and page.
func (w *reportWorld) posted(path string, files map[string][]byte, pairs ...string) (int, string, http.Header) {
	w.t.Helper()
	kind, body := reportForms(pairs, files)
	r, err := http.Post(w.url+path, kind, body)
	w.must(err)
	defer r.Body.Close()
	text, err := io.ReadAll(r.Body)
	w.must(err)
	return r.StatusCode, string(text), r.Header
}

// TestReportFormRefuses: what must be changed is said above the form and above the field, nothing is kept, and what was
// filled in stays.
func TestReportFormRefuses(t *testing.T) {
	w := newReportWorld(t)
	w.openDesk(DeskSettings{Name: "Orion Optics", Alias: "orion", Listed: true})
	six := map[string][]byte{}
	for i := range 6 {
		six[fmt.Sprint(i, ".txt")] = []byte("x")
	}
	large := map[string][]byte{"a": make([]byte, 10<<20+1)}
	for _, row := range []struct {
		pairs []string
		files map[string][]byte
		want  []string
		why   string
	}{
		{nil, nil, []string{`href="#what"`, "Write in a few words what you noticed."}, "nothing was said"},
		{[]string{"what", " \n "}, nil, []string{`href="#what"`}, "white space says nothing"},
		{[]string{"what", "it", "when", "1 1 2999"}, nil, []string{`href="#when"`, "did you mean 1 January 2026?", `value="1 1 2999"`}, "a date ahead"},
		{[]string{"what", strings.Repeat("a", 20_001)}, nil, []string{"1 characters too long"}, "too long for a report"},
		{[]string{"what", "it", "named", "yes"}, nil, []string{`href="#name"`, "Write your name"}, "with a name, but none"},
		{[]string{"what", "it", "systems", strings.Repeat("b", 2_001)}, nil, []string{`href="#more-systems"`, "<details class=\"more\" id=\"more\" open>"}, "one of the later answers is too long"},
		{[]string{"what", "it"}, six, []string{`href="#files"`, "You chose 6 files"}, "too many files"},
		{[]string{"what", "it"}, large, []string{"too large"}, "a file above 10 MB"},
		{[]string{"what", "it", "strip", "yes"}, map[string][]byte{"odd<b>.bin": {0, 1, 2}}, []string{"odd&lt;b&gt;.bin is of a kind that cannot be cleaned here"}, "unclean files stay"},
		{[]string{"what", ""}, map[string][]byte{"a.txt": []byte("x")}, []string{"Choose your files again"}, "a browser forgets files"},
		{[]string{"what", "", "road", "export", "call", "06<b>", "kind", "approach"}, nil, []string{`value="export" checked`, `value="06&lt;b&gt;"`, `value="approach" checked`}, "what was filled in stays"},
	} {
		code, page, _ := w.posted("/report/d/orion?lang=en", row.files, row.pairs...)
		if code != http.StatusUnprocessableEntity {
			t.Errorf("%s: answers %d", row.why, code)
		}
		for _, want := range row.want {
			if !strings.Contains(page, want) {
				t.Errorf("%s: the page lacks %q", row.why, want)
			}
		}
		for _, fault := range webtest.Broken([]byte(page)) {
			t.Errorf("%s: %s", row.why, fault)
		}
	}
	if views, _ := w.reportsOf(); len(views) != 0 {
		t.Errorf("%d reports were kept", len(views))
	}
}

// TestReportFormArrives: the same form again makes no second report and shows the same words; files arrive sealed.
func TestReportFormArrives(t *testing.T) {
	w := newReportWorld(t)
	w.openDesk(DeskSettings{Name: "Orion Optics", Alias: "orion", Listed: true})
	pairs := []string{"what", "Twice", "day", "today", "road", "cyber", "road", "nonsense", "on", "yes", "who", "team", "once", strings.Repeat("z", 30), "know_how", "3B001"}
	file := map[string][]byte{"note.txt": []byte("zeldzaamword")}
	words := func(page string) string {
		_, rest, _ := strings.Cut(page, `translate="no">`)
		receipt, _, _ := strings.Cut(rest, "<")
		return receipt
	}
	code, first, header := w.posted("/report/d/orion?lang=en", file, pairs...)
	_, second, _ := w.posted("/report/d/orion?lang=en", file, pairs...)
	if code != http.StatusOK || len(strings.Fields(words(first))) != 6 || words(first) != words(second) {
		t.Fatalf("%d: %q and %q", code, words(first), words(second))
	}
	if header.Get("Cache-Control") != "no-store" || len(header["Set-Cookie"]) != 0 {
		t.Errorf("the answer with the words: %v", header)
	}
	views, answers := w.reportsOf()
	if len(views) != 1 || len(views[0].Files) != 1 {
		t.Fatalf("%d reports arrived", len(views))
	}
	for _, want := range []string{`"noticed":"2026-11-22"`, `"roads":["cyber"]`, `"may_know":"desk"`, `"know_how":"3B001"`} {
		if !strings.Contains(answers[0], want) {
			t.Errorf("the answers lack %s: %s", want, answers[0])
		}
	}
	for _, where := range w.holds("zeldzaamword", w.disk()) {
		t.Errorf("the file stands readable in %s", where)
	}
	_, named, _ := w.posted("/report/d/orion?lang=nl", nil, "what", "Met naam", "named", "yes", "name", "Kees <b>")
	if strings.Contains(named, `id="receipt"`) || !strings.Contains(named, "Uw melding heeft nummer") {
		t.Errorf("a report with a name is answered %.2000s", named)
	}
}

// TestReportThreadAlike: wrong, malformed and missing words are answered alike to the byte (trust.md S30).
func TestReportThreadAlike(t *testing.T) {
	w := newReportWorld(t)
	w.openDesk(DeskSettings{Name: "Orion Optics", Alias: "orion", Listed: true})
	want := ""
	for _, words := range []string{"prance globe comfort tuesday plenty attach", "one two three", "", "\x00", strings.Repeat("a ", 5_000), "<script>alert(1)</script>"} {
		for _, path := range []string{"/report/thread?lang=en", "/report/thread/say?lang=en"} {
			r, err := http.PostForm(w.url+path, url.Values{"words": {words}, "say": {"hello"}, "once": {strings.Repeat("o", 20)}})
			w.must(err)
			text, err := io.ReadAll(r.Body)
			w.must(err)
			r.Body.Close()
			if want == "" {
				want = string(text)
			}
			if r.StatusCode != http.StatusNotFound || string(text) != want || !strings.Contains(want, "These words open nothing") {
				t.Errorf("%.20q at %s is answered %d with %d bytes, another with %d", words, path, r.StatusCode, len(text), len(want))
			}
		}
	}
}

// TestReportLooksAtNobody: a session or a token changes nothing and is not asked for; no answer sets a cookie, is kept,
// or lets a browser say where it came from (trust.md S29, S34).
func TestReportLooksAtNobody(t *testing.T) {
	w := newReportWorld(t)
	w.openDesk(DeskSettings{Name: "Orion Optics", Alias: "orion", Listed: true})
	w.openDesk(DeskSettings{Name: "Adviser", Alias: "adviser", Listed: true, Kind: DeskPressed})
	site, err := web.New(web.Options{Identify: reportNobody{t}, Now: func() time.Time { return reportNow }}, reportParts()...)
	w.must(err)
	pages := w.Pages(site)
	h, err := site.Handler(pages.Routes()...)
	w.must(err)
	for _, route := range pages.reportRoutes() {
		if route.Need != web.Public || !route.Unseen {
			t.Errorf("%s %s looks at who asks", route.Method, route.Pattern)
		}
		alias := "orion"
		if strings.Contains(route.Pattern, "pressed") {
			alias = "adviser"
		}
		r := httptest.NewRequest(route.Method, strings.Replace(route.Pattern, "{alias}", alias, 1)+"?lang=nl", strings.NewReader("x"))
		r.AddCookie(&http.Cookie{Name: "polder", Value: "a-session"})
		r.AddCookie(&http.Cookie{Name: "polder-toast", Value: "x"})
		r.Header.Set("Authorization", "Bearer a-token")
		out := httptest.NewRecorder()
		h.ServeHTTP(out, r)
		if out.Code == http.StatusInternalServerError || out.Code == http.StatusUnauthorized {
			t.Errorf("%s %s answers %d", route.Method, route.Pattern, out.Code)
		}
		if len(out.Header()["Set-Cookie"]) != 0 || out.Header().Get("Cache-Control") != "no-store" || out.Header().Get("Referrer-Policy") != "no-referrer" {
			t.Errorf("%s %s answers with %v", route.Method, route.Pattern, out.Header())
		}
	}
}

// reportNobody fails when somebody is looked at.
type reportNobody struct{ t *testing.T }

func (n reportNobody) BySession(context.Context, string) (web.Identity, error) {
	n.t.Error("a session was looked at")
	return web.Identity{}, polder.Errorf(polder.Unauthorised, "no")
}
func (n reportNobody) BySecret(context.Context, string, netip.Addr) (web.Identity, error) {
	n.t.Error("a secret was looked at")
	return web.Identity{}, polder.Errorf(polder.Unauthorised, "no")
}

// TestReportWays: one listed desk is its form, several are a choice, one that is not listed is reached by its address, and
// one for people who are pressed has its own page.
func TestReportWays(t *testing.T) {
	w := newReportWorld(t)
	if page := w.page("/report?lang=en"); !strings.Contains(page, "Nobody takes reports here yet") {
		t.Errorf("without a desk: %.500s", page)
	}
	if page := w.page("/report/pressed?lang=en"); !strings.Contains(page, "No desk for this was set up here") || !strings.Contains(page, "0800-7000") {
		t.Error("without a desk for it, somebody who is pressed is not told whom to call")
	}
	w.openDesk(DeskSettings{Name: "Orion Optics", Alias: "orion", Listed: true})
	w.openDesk(DeskSettings{Name: "Hidden desk", Alias: "hidden"})
	w.openDesk(DeskSettings{Name: "Adviser", Alias: "adviser", Listed: true, Kind: DeskPressed})
	if page := w.page("/report?lang=en"); !strings.Contains(page, `action="/report/d/orion?lang=en"`) || strings.Contains(page, "Choose another desk") {
		t.Error("the only listed desk is not its form")
	}
	if page := w.page("/report/d/hidden?lang=en"); !strings.Contains(page, "To Hidden desk") {
		t.Error("a desk that is not listed is not reached by its address")
	}
	if page := w.page("/report/d/adviser?lang=en"); !strings.Contains(page, "Are you being put under pressure?") {
		t.Error("the desk for people who are pressed has the usual form")
	}
	w.openDesk(DeskSettings{Name: "Second desk", Alias: "second", Listed: true})
	page := w.page("/report?lang=en")
	if !strings.Contains(page, `href="/report/d/second?lang=en"`) || strings.Contains(page, "Adviser") || strings.Contains(page, "Hidden") {
		t.Errorf("the choice of desks is %.3000s", page)
	}
	if page := w.page("/report/d/second?lang=en"); !strings.Contains(page, "Choose another desk") {
		t.Error("of several desks the form does not lead to the others")
	}
	if page := w.page("/report/d/second/readers?lang=en"); !strings.Contains(page, "Anna Visser may read") || !strings.Contains(page, "The list holds together") {
		t.Errorf("who can read is %.3000s", page)
	}
	if page := w.page("/report/d/nobody?lang=nl"); !strings.Contains(page, "Op dit adres is niets.") {
		t.Errorf("a desk that is not there is %.500s", page)
	}
	r := httptest.NewRequest("GET", "/report", nil)
	r.Header.Set("Accept-Language", "fr, nl-BE;q=0.8, en;q=0.5")
	if lang := embeddedReportPages(w.site).leaflet.Words(r).Lang(); lang != "nl" {
		t.Errorf("who prefers French and then Dutch reads %s", lang)
	}
}

// TestReportBrokenLog: a list of keys that does not hold together is shown as such.
func TestReportBrokenLog(t *testing.T) {
	log, err := seal.AppendLog(nil, seal.LogEntry{At: reportNow, Did: seal.DidAdd, Key: seal.NewPrivateKey([32]byte{8}).Public(), Name: "Anna", By: "the desk"})
	if err != nil {
		t.Fatal(err)
	}
	words := reportSite(t).Words("en")
	if newReportKeyLog(words, "", log).Broken {
		t.Error("a whole log is called broken")
	}
	log[0].Name = "Eve"
	if !newReportKeyLog(words, "", log).Broken {
		t.Error("a log that was changed is called whole")
	}
}

func FuzzReadReportForm(f *testing.F) {
	kind, body := reportForms([]string{"what", "it", "strip", "yes"}, map[string][]byte{"a.txt": []byte("x")})
	f.Add(kind, body.Bytes())
	f.Add("multipart/form-data; boundary=b", []byte("--b\r\nContent-Disposition: form-data; name=\"what\"\r\n\r\nit\r\n--b--"))
	f.Add("multipart/form-data", []byte("--"))
	p := &Pages{Service: NewService(ServiceOptions{Now: func() time.Time { return reportNow }, Secret: make([]byte, 32)})}
	f.Fuzz(func(t *testing.T, kind string, body []byte) {
		r := httptest.NewRequest("POST", "/report/d/x", bytes.NewReader(body))
		r.Header["Content-Type"] = []string{kind}
		values, files, err := p.readReportForm(r)
		if err == nil && (values == nil || len(files.kept) > reportMostFiles) {
			t.Fatalf("%v, %v", values, files)
		}
	})
}

// TestS15FormsInTurn (S15): forms that hold much are read a few at a time, also where it is answers and names that make them
// large and not files; one that is small always is.
func TestS15FormsInTurn(t *testing.T) {
	p := &Pages{Service: NewService(ServiceOptions{Now: func() time.Time { return reportNow }, Secret: make([]byte, 32)})}
	for range largePosts {
		p.Service.reports.large <- struct{}{}
	}
	var many []string
	for i := range 60 {
		many = append(many, fmt.Sprint("answer", i), strings.Repeat("a", 100<<10))
	}
	for _, c := range []struct {
		why   string
		pairs []string
		files map[string][]byte
		waits bool
	}{
		{"many long answers", many, nil, true},
		{"the name of an answer", []string{strings.Repeat("n", 1<<20), "x"}, nil, true},
		{"a large file", nil, map[string][]byte{"a.txt": make([]byte, 1<<20)}, true},
		{"a small form", []string{"what", "it"}, nil, false},
		{"a small file", nil, map[string][]byte{"a.txt": []byte("x")}, false},
	} {
		kind, body := reportForms(c.pairs, c.files)
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		r := httptest.NewRequestWithContext(ctx, "POST", "/report/d/x", body)
		r.Header.Set("Content-Type", kind)
		_, _, err := p.readReportForm(r)
		cancel()
		if busy := err != nil && polder.KindOf(err) == polder.Unavailable; busy != c.waits {
			t.Errorf("%s: %v, want that it waits: %t", c.why, err, c.waits)
		}
	}
}
