package node

import (
	"bytes"
	"compress/gzip"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"
	"unicode"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/screen"
	"github.com/polder-exchange/polder/stix"
)

// firms is a table of n listings of which each is unlike the others; the first is Severny Vakuum Tekhnika.
func firms(n int) string {
	b := strings.Builder{}
	b.WriteString("id,name,type\n1,Severny Vakuum Tekhnika,company\n")
	for i := 2; i <= n; i++ {
		fmt.Fprintf(&b, "%d,%c%c%cdar %c%cvelm Handel,company\n", i, 'B'+i%20, "aeiou"[i%5], "bdfgklmn"[i/5%8], 'B'+i/7%20, "aeiou"[i/20%5])
	}
	return b.String()
}

// listing makes organisation plain one that keeps a list of its own.
func listing(t *testing.T, table string) *screened {
	t.Helper()
	x := &screened{place: newPlace(t), secrets: map[string]secret{}, ids: map[string]map[string]string{}}
	x.token(t, x.Accounts, "plain steward", "plain", polder.RoleSteward, time.Time{})
	x.must(t, "plain steward", "POST", "/api/v1/screen/lists?name=own&file=own.csv", octets, table, http.StatusCreated, nil)
	return x
}

// form is a page's form with a file.
func form(t *testing.T, name, file string, fields map[string]string) (kind, body string) {
	t.Helper()
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	for k, v := range fields {
		ok(t, w.WriteField(k, v))
	}
	part, err := w.CreateFormFile("file", name)
	ok(t, err)
	_, err = part.Write([]byte(file))
	ok(t, err)
	ok(t, w.Close())
	return w.FormDataContentType(), b.String()
}

func gzipped(t *testing.T, text string) string {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, err := w.Write([]byte(text))
	ok(t, err)
	ok(t, w.Close())
	return b.String()
}

// TestS45Uploads (S40, S41, S42, S45): what is no list, or half of one, sent as the next version over the API and on the
// page: it is refused with words, the old list stays in use, and nothing of the refused one is left.
func TestS45Uploads(t *testing.T) {
	table := firms(200)
	x := listing(t, table)
	rows := strings.SplitAfter(table, "\n")
	swapped := []string{"id,name,type\n"}
	for _, r := range rows[1:200] {
		cells := strings.Split(strings.TrimSpace(r), ",")
		swapped = append(swapped, cells[1]+","+cells[0]+","+cells[2]+"\n")
	}
	entities := `<?xml version="1.0"?><!DOCTYPE sdnList [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;"><!ENTITY c SYSTEM "file:///etc/passwd">]><sdnList><sdnEntry><uid>1</uid><lastName>&b;&c;</lastName></sdnEntry></sdnList>`
	for why, file := range map[string]string{
		"empty":                       "",
		"a heading alone":             rows[0],
		"a page for people":           "<!DOCTYPE html><html><head><title>Log in</title></head><body>Session expired</body></html>",
		"a page for people, gzipped":  gzipped(t, "<html><body>Maintenance</body></html>"),
		"a fifth of the list":         strings.Join(rows[:40], ""),
		"cut within a row":            table[:len(table)-len(rows[200])+2],
		"swapped columns":             strings.Join(swapped, ""),
		"entities":                    entities,
		"deep XML":                    `<?xml version="1.0"?><sdnList>` + strings.Repeat("<a>", 100_000),
		"a gzip that unpacks to much": gzipped(t, rows[0]+"1,"+strings.Repeat("a", 64<<20)+",company\n"),
		"a gzip that was cut":         gzipped(t, table)[:300],
		"a zip of nothing":            "PK\x05\x06" + strings.Repeat("\x00", 18),
		"bytes":                       "\x00\x01\x02\xff\xfe" + strings.Repeat("\x00", 1000),
		"JSON twice":                  `{"id":"1","schema":"Company","id":"2","caption":"A"}`,
		"a name that is a path":       "id,name\n",
	} {
		began := time.Now()
		path := "/api/v1/screen/lists?name=own&file=own.csv"
		if strings.HasSuffix(why, "path") {
			path = "/api/v1/screen/lists?name=" + url.QueryEscape("../../own") + "&file=own.csv"
		}
		a := x.ask(ask{as: "plain steward", method: "POST", path: path, kind: octets, body: file})
		if a.status < 400 || a.status >= 500 || len(a.body) > 4000 {
			t.Errorf("%s: the API answers %d %.300s", why, a.status, a.body)
		}
		kind, body := form(t, "own.csv", file, map[string]string{"name": "own", "purpose": "restricted"})
		b := x.ask(ask{as: "plain steward", method: "POST", path: "/screen/lists", kind: kind, body: body, head: map[string]string{"Sec-Fetch-Site": "same-origin"}})
		if b.status < 400 || b.status >= 500 || !strings.Contains(b.body, `class="alert bad"`) {
			t.Errorf("%s: the page answers %d %.300s", why, b.status, b.body)
		}
		if took := time.Since(began); took > 20*time.Second {
			t.Errorf("%s: refused after %v", why, took)
		}
		if got, text := x.screens(t, "plain", "Severny Vakuum Tekhnika"); len(got.Hits) != 1 || len(got.Lists) != 1 {
			t.Fatalf("%s: the old list is asked no more: %s", why, text)
		}
	}
	var kept struct {
		Entries  int
		Versions []struct{ SHA256 string }
	}
	x.must(t, "plain", "GET", "/api/v1/screen/lists/own", "", "", http.StatusOK, &kept)
	if kept.Entries != 200 || len(kept.Versions) != 1 {
		t.Errorf("what is kept: %+v", kept)
	}
	ok(t, filepath.WalkDir(filepath.Join(x.dir, screen.ListsDir), func(path string, d os.DirEntry, err error) error {
		if strings.HasPrefix(d.Name(), ".new-") || strings.HasPrefix(d.Name(), ".sent-") || strings.Contains(path, "..") {
			t.Errorf("%s is left", path)
		}
		return err
	}))
}

// TestS12ScreeningBounds (S12): what is asked at once, how long and how often is bounded, and whatever stands in a name is
// answered or refused with words.
func TestS12ScreeningBounds(t *testing.T) {
	x := listing(t, firms(200))
	many := func(n int, name string) string {
		q := `{"name":` + string(must(json.Marshal(name))) + `}`
		return `{"queries":[` + strings.Repeat(q+",", n-1) + q + `]}`
	}
	for _, c := range []struct {
		why, body string
		status    int
	}{
		{"1,000 at once", many(1000, "Acme"), 200},
		{"one more", many(1001, "Acme"), 413},
		{"none", `{"queries":[]}`, 400},
		{"a body of more than 8 MiB", `{"queries":[{"name":"` + strings.Repeat("a", 8<<20) + `"}]}`, 413},
		{"a name of 100,000 letters", many(1, strings.Repeat("Severny ", 12_500)), 200},
		{"80 names of 100,000 letters, each another word", many(80, strings.Repeat("Vakuum", 16_666)), 200},
		{"a name of one more", many(1, strings.Repeat("a", 100_001)), 413},
		{"an empty name", many(1, ""), 400},
		{"white space", many(1, " \t\u200b\u2028"), 0},
		{"one letter", many(1, "a"), 200},
		{"bidi controls", many(1, "\u202eSeverny\u202c \u2066Vakuum\u2069 Tekhnika"), 200},
		{"mixed scripts", many(1, "Sеvеrny Вakuum 技术 تكنيكا"), 200},
		{"marks upon marks", many(1, "a"+strings.Repeat("\u0301", 5000)), 200},
		{"a NUL", many(1, "Severny\x00Vakuum"), 0},
		{"half a pair", `{"queries":[{"name":"\ud800"}]}`, 0},
		{"no text", `{"queries":[{"name":7}]}`, 400},
		{"a name twice", `{"queries":[{"name":"Acme","name":"Severny Vakuum Tekhnika"}]}`, 400},
		{"a type that is none", `{"queries":[{"name":"Acme","type":"country"}]}`, 400},
		{"a threshold that is none", `{"queries":[{"name":"Acme"}],"threshold":-1}`, 400},
		{"a limit beyond all", `{"queries":[{"name":"Acme"}],"limit":100000}`, 400},
	} {
		began := time.Now()
		a := x.ask(ask{as: "plain", method: "POST", path: "/api/v1/screen", kind: jsonKind, body: c.body})
		if a.status != c.status && (c.status != 0 || a.status != 200 && a.status != 400) {
			t.Errorf("%s: %d %.300s, want %d", c.why, a.status, a.body, c.status)
		}
		if took := time.Since(began); took > 30*time.Second {
			t.Errorf("%s: answered after %v", c.why, took)
		}
	}
	if got, _ := x.screens(t, "plain", "\u202eSeverny\u202c Vakuum \u200bTekhnika"); len(got.Hits) != 1 {
		t.Errorf("controls hid a name: %+v", got.Hits)
	}
}

// TestS2Screening (S2): parameters of the wrong type, empty, twice, hostile or far too long are refused or do nothing, at
// every address of screening; no answer is a fault, or longer than without them.
func TestS2Screening(t *testing.T) {
	x := newScreened(t)
	names := []string{"limit", "next", "state", "sort", "group", "party", "batch", "text", "list", "from", "to", "old", "new", "after", "hit", "due", "removed", "threshold", "birth", "country", "id", "name", "type"}
	values := []string{"", "-1", "99999999999999999999", "NaN", "1e309", "'; DROP TABLE screen_party; --", "../../../etc/passwd", "\x00\xff", strings.Repeat("9", 5000)}
	tried := 0
	for _, r := range x.Routes() {
		if _, of := screenExits[r.Exit]; !of || r.Method != "GET" || r.Stream {
			continue
		}
		base := x.addresses(r.Pattern)[0]
		for i, name := range names {
			for j, v := range values {
				if (i+j)%3 > 0 && len(names) > 3 { // a third of all pairs, each name and each value with several others
					continue
				}
				for _, query := range []string{name + "=" + url.QueryEscape(v), "name=Acme&" + name + "=" + url.QueryEscape(v) + "&" + name + "=1"} {
					a := x.ask(ask{as: "plain", path: base + "?" + query})
					if tried++; a.status >= 500 || a.status == 0 || len(a.body) > 400_000 {
						t.Errorf("%s?%.200s: %d, %d bytes", base, query, a.status, len(a.body))
					}
				}
			}
		}
	}
	if tried < 3000 {
		t.Errorf("%d addresses were tried", tried)
	}
}

// TestF8ScreeningClock (F8): the limit of questions does not open when the clock is set back, and lists grow old and
// young with it; nothing of it is a fault.
func TestF8ScreeningClock(t *testing.T) {
	x := listing(t, "id,name\n1,Severny Vakuum Tekhnika\n")
	file := filepath.Join(t.TempDir(), "node.csv")
	ok(t, os.WriteFile(file, []byte("id,name\n1,Borealis Kristal\n"), 0o600))
	if code, _, errs := polderRun(t, "lists", "import", "--data", x.dir, "--date", time.Now().Format(time.DateOnly), file); code != 0 {
		t.Fatal(errs)
	}
	start := x.ahead.Load()
	stale := func() bool {
		var l struct{ Stale bool }
		x.must(t, "plain", "GET", "/api/v1/screen/lists/node", "", "", http.StatusOK, &l)
		return l.Stale
	}
	for _, c := range []struct {
		by   time.Duration
		want bool
	}{{0, false}, {10 * 365 * 24 * time.Hour, true}, {-10 * 365 * 24 * time.Hour, false}, {-time.Since(time.Unix(0, 0)), false}, {8 * 24 * time.Hour, true}, {0, false}} {
		x.ahead.Store(start + int64(c.by))
		if got := stale(); got != c.want {
			t.Errorf("by %v the list is stale: %v", c.by, got)
		}
		if got, text := x.screens(t, "plain", "Borealis Kristal"); len(got.Hits) != 1 {
			t.Errorf("by %v: %s", c.by, text)
		}
		x.work(t)
	}
	x.ahead.Store(start)
	asks := `{"queries":[` + strings.Repeat(`{"name":"a"},`, 999) + `{"name":"a"}]}`
	send := func() int {
		return x.ask(ask{as: "plain", method: "POST", path: "/api/v1/screen", kind: jsonKind, body: asks}).status
	}
	n := 0
	for ; send() == http.StatusOK; n++ {
		if n > 200 {
			t.Fatal("there is no limit")
		}
	}
	for _, back := range []time.Duration{time.Second, time.Hour, 24 * time.Hour} {
		x.ahead.Store(start - int64(back))
		if got := send(); got != http.StatusTooManyRequests {
			t.Errorf("the clock %v back: %d", back, got)
		}
	}
	x.ahead.Store(start + int64(2*time.Minute))
	if got := send(); got != http.StatusOK || n < 100 {
		t.Errorf("after %d thousand, and two minutes later: %d", n, got)
	}
}

// formulas are texts that a spreadsheet, a terminal or a printer would take for more.
var formulas = []string{"=cmd|' /C calc'!A0", "+1+1", "-1+2", "@SUM(A1)", "\tTAB", "\r=1+1", "a\nb,\"c\";d", "＝1+1", "\x1b]0;title\x07", "\x1b[2J", "\u202egpj", "\u009b31m", "A\u2028=1"}

// TestS14ScreeningExports (S14, S44): names, references, reasons and notes that begin as formulas, or hold controls, are
// one cell of one row in every table, text in the print, and visible on a terminal, while JSON carries them.
func TestS14ScreeningExports(t *testing.T) {
	x := listing(t, "id,name\n1,Severny Vakuum Tekhnika\n")
	var table, batch bytes.Buffer
	rows := csv.NewWriter(&batch)
	ok(t, rows.Write([]string{"name", "ref"}))
	for i, s := range formulas {
		name := s + " Severny Vakuum " + fmt.Sprint(i)
		table.WriteString(entity(s+fmt.Sprint(i), name, s, s, ""))
		ok(t, rows.Write([]string{name, s + fmt.Sprint(i)}))
		q := must(json.Marshal(map[string]any{"queries": []map[string]string{{"name": name, "ref": s + fmt.Sprint(i)}}, "note": s}))
		if a := x.ask(ask{as: "plain", method: "POST", path: "/api/v1/screen/records", kind: jsonKind, body: string(q)}); a.status != 201 && a.status != 400 {
			t.Errorf("%q: %d %s", s, a.status, a.body)
		}
	}
	rows.Flush()
	x.must(t, "plain steward", "POST", "/api/v1/screen/lists?name="+url.QueryEscape("hostile")+"&file=h.jsonl&title="+url.QueryEscape("=1+1"), octets, table.String(), http.StatusCreated, nil)
	var b struct{ ID string }
	x.must(t, "plain", "POST", "/api/v1/screen/batches?name="+url.QueryEscape("=cmd"), octets, batch.String(), http.StatusAccepted, &b)
	x.work(t)
	for _, path := range []string{"/api/v1/screen/record.csv?from=2020-01-01&to=2100-01-01", "/api/v1/screen/batches/" + b.ID + "/results.csv", "/screen/record.csv?from=2020-01-01&to=2100-01-01", "/screen/batches/" + b.ID + "/results"} {
		a := x.ask(ask{as: "plain", path: path})
		read, err := csv.NewReader(strings.NewReader(a.body)).ReadAll()
		if err != nil || a.status != 200 || len(read) < len(formulas)/2 {
			t.Errorf("%s: %d, %d rows, %v", path, a.status, len(read), err)
		}
		for _, row := range read {
			for _, cell := range row {
				if cell != "" && strings.ContainsRune("=+-@\t\r＝", []rune(cell)[0]) && len(cell) > 1 {
					t.Errorf("%s: the cell %q is a formula", path, cell)
				}
			}
		}
		if disposition := a.head.Get("Content-Disposition"); !strings.HasPrefix(disposition, "attachment") || strings.ContainsAny(disposition, "=\r\n") && strings.Count(disposition, "=") > 1 {
			t.Errorf("%s: Content-Disposition is %q", path, disposition)
		}
	}
	pdf := x.ask(ask{as: "plain", path: "/api/v1/screen/record.pdf?from=2020-01-01&to=2100-01-01"})
	if pdf.status != 200 || !strings.HasPrefix(pdf.body, "%PDF") || strings.Contains(pdf.body, "/JavaScript") || strings.Contains(pdf.body, "/Launch") {
		t.Errorf("the print: %d %.40q", pdf.status, pdf.body)
	}
	file := filepath.Join(t.TempDir(), "hostile.jsonl")
	ok(t, os.WriteFile(file, table.Bytes(), 0o600))
	for _, s := range formulas {
		code, out, errs := polderRun(t, "screen", "--list", file, "--threshold", "0.5", s+" Severny Vakuum")
		if code > 2 || strings.ContainsFunc(strings.ReplaceAll(out+errs, "\n", ""), func(r rune) bool { return unicode.IsControl(r) || r == 0x202e || r == 0x2028 }) {
			t.Errorf("%q steers a terminal: %d %q %q", s, code, out, errs)
		}
	}
	_, out, _ := polderRun(t, "screen", "--list", file, "--json", "=cmd|' /C calc'!A0 Severny Vakuum 0")
	var line struct{ Hits []struct{ Name string } }
	if err := json.Unmarshal([]byte(out), &line); err != nil || len(line.Hits) == 0 || !strings.HasPrefix(line.Hits[0].Name, "=cmd|") {
		t.Errorf("JSON is %q: %v", out, err)
	}
}

// TestS20Lists (S20): a list whose address leads inside is not fetched, however it is written; the old list stays, its
// refusal is said, and the answer does not tell what stands there.
func TestS20Lists(t *testing.T) {
	var reached atomic.Int64
	inside := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		reached.Add(1)
		_, _ = w.Write([]byte("id,name\n1,Secret Inside\n"))
	}))
	defer inside.Close()
	port := inside.URL[strings.LastIndexByte(inside.URL, ':'):]
	p := newPlace(t)
	p.token(t, p.Accounts, "plain steward", "plain", polder.RoleSteward, time.Time{})
	p.end()
	c := Config{LogLevel: "debug"}.filled()
	hosts := []string{"http://127.0.0.1" + port, "https://127.0.0.1" + port, "https://localhost" + port, "https://0.0.0.0" + port, "https://[::1]" + port, "https://[::ffff:127.0.0.1]" + port, "https://2130706433" + port, "https://0x7f.1" + port, "https://169.254.169.254", "https://10.0.0.1", "https://user:hunter2secret@127.0.0.1" + port}
	for i, host := range hosts {
		c.Lists = append(c.Lists, screen.Source{Name: fmt.Sprintf("inside%d", i), From: host + "/list.csv?key=hunter2secret"})
	}
	n, err := Open(t.Context(), p.dir, c, Options{Log: p.log, Now: p.now, Password: demoPassword})
	ok(t, err)
	p.Node = n
	defer func() { ok(t, n.Close()) }()
	for i, host := range hosts {
		a := p.ask(ask{as: "plain steward", method: "POST", path: fmt.Sprintf("/api/v1/screen/lists/inside%d/refresh", i)})
		if a.status < 400 || strings.Contains(a.body, "Secret Inside") || strings.Contains(a.body, "hunter2secret") {
			t.Errorf("%s: %d %s", host, a.status, a.body)
		}
		for _, path := range []string{"/api/v1/screen/lists", fmt.Sprintf("/screen/lists/inside%d", i), "/screen/lists"} {
			if page := p.ask(ask{as: "plain", path: path}); page.status != 200 || strings.Contains(page.body, "hunter2secret") {
				t.Errorf("%s: %s answers %d, or shows the key in the address", host, path, page.status)
			}
		}
	}
	if reached.Load() > 0 {
		t.Errorf("%d requests went inside", reached.Load())
	}
	if strings.Contains(p.log.String(), "hunter2secret") {
		t.Error("the log holds the key in an address of a list")
	}
}

// TestS35SharedListings (S35): a listing that a member shares with the exchange, past every importer, is text and bounded:
// its address never becomes a link unless it leads to the web, and too much of it is cut.
func TestS35SharedListings(t *testing.T) {
	p := newPlace(t)
	object := func(n int, listing string) string {
		return fmt.Sprintf(`{"type":"x-polder-listing","spec_version":"2.1","id":"x-polder-listing--00000000-0000-4000-8000-%012d","created":"2026-01-01T00:00:00.000Z","modified":"2026-01-01T00:00:00.000Z","name":"Kwaad %d","list":"evil","title":%q,"purpose":"restricted","listing":%s,"object_marking_refs":[%q],"extensions":{"extension-definition--c2f0b6f4-3a57-4d0e-9c1b-5e8d7a94f1c3":{"extension_type":"new-sdo"}}}`,
			n, n, strings.Repeat("t", 5000), listing, stix.Green.ID())
	}
	p.share(t, "stew", "ring", "confirm=1",
		object(1, `{"id":"1","name":"Kwaadaardig Handelshuis","url":"javascript:alert(1)","note":"<script>alert(1)</script>","means":"`+strings.Repeat("m", 50_000)+`"}`),
		object(2, `{"id":"2","name":"Kwaadaardig Scheepsbouw","url":"https://lists.example/2","aliases":[`+strings.Repeat(`{"name":"x"},`, 100)+`{"name":"<img src=x onerror=alert(1)>"}]}`),
		object(3, `{"id":"3","name":""}`), object(5, `"text"`), object(6, `{"id":7,"name":{"first":"x"}}`))
	got, text := p.screens(t, "named", "Kwaadaardig Handelshuis")
	if len(got.Hits) == 0 || strings.Contains(text, "javascript:") || len(text) > 60_000 {
		t.Fatalf("the API answers %d bytes: %.2000s", len(text), text)
	}
	var kept struct {
		Records []struct{ Hits []struct{ Review string } }
	}
	p.must201(t, "named", "/api/v1/screen/records", `{"queries":[{"name":"Kwaadaardig Handelshuis"},{"name":"Kwaadaardig Scheepsbouw"}]}`, &kept)
	pages := []string{"/screen/lists", "/screen/lists/ring%2Fevil", "/screen/queue", "/screen/record"}
	for _, r := range kept.Records {
		for _, h := range r.Hits {
			pages = append(pages, "/screen/reviews/"+h.Review, "/api/v1/screen/reviews/"+h.Review)
		}
	}
	if len(pages) < 8 {
		t.Fatalf("nothing was met: %+v", kept)
	}
	for _, path := range pages {
		a := p.ask(ask{as: "named", path: path})
		if a.status != 200 || strings.Contains(a.body, "javascript:") || strings.HasPrefix(path, "/screen") && (strings.Contains(a.body, "<script>alert") || strings.Contains(a.body, "<img src=x")) || len(a.body) > 300_000 {
			t.Errorf("%s: %d, %d bytes", path, a.status, len(a.body))
		}
	}
}

// must201 posts JSON that makes something.
func (p *place) must201(t *testing.T, as, path, body string, into any) {
	t.Helper()
	ok(t, json.Unmarshal([]byte(p.post(t, as, path, jsonKind, body, http.StatusCreated)), into))
}
