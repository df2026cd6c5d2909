package node

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/accounts"
	"github.com/polder-exchange/polder/stix"
)

// TestX2Unmarked (X2, X3): what becomes of an object without a level: by the community's setting, the level of the share,
// whose object it is, and the face it comes by.
func TestX2Unmarked(t *testing.T) {
	p := newPlace(t)
	foreign := `,"created_by_ref":"identity--00000000-0000-4000-8000-00000000ffff"`
	own := `,"created_by_ref":"` + string(p.orgs["plain"].ID) + `"`
	n := 0
	for _, setting := range []stix.Marking{stix.None, stix.Clear, stix.Green} {
		ok(t, p.Accounts.SetUnmarked(t.Context(), accounts.Local(), p.ring.ID, setting))
		for _, given := range []stix.Marking{stix.None, stix.Clear, stix.Green, stix.Amber, stix.Red} {
			for creator, more := range map[string]string{"nobody": "", "another": foreign, "the sharer": own} {
				n++
				want := given
				if want == stix.None {
					want = setting
				}
				written := creator != "another"
				if !written && want > stix.Green {
					want = stix.None
				}
				query := ""
				if given != stix.None {
					query = "tlp=" + given.String()
				}
				p.unmarked(t, fmt.Sprintf("setting %q, share %q, of %s", setting, given, creator), n, want, written, p.tryShare("plain", "ring", query, entry(n, 0, stix.None, more)))
				if given != stix.None {
					continue
				}
				n++ // TAXII knows no level of a share, and keeps the bytes
				a := p.ask(ask{as: "plain", method: "POST", path: "/taxii2/root/collections/ring/objects/", kind: taxiiKind, body: `{"objects":[` + entry(n, 0, stix.None, more) + `]}`})
				if strings.Contains(a.body, `"failure_count":1`) {
					a.status = 422
				}
				p.unmarked(t, fmt.Sprintf("setting %q over TAXII, of %s", setting, creator), n, setting, false, a)
			}
		}
	}
	p.share(t, "plain", "ring", "tlp=amber", entry(500, 0, stix.Green, "")) // X3
	if got := p.seen(t, "named", "")[entryID(500)]; got != "amber" {
		t.Errorf("a stricter level narrows: got %q", got)
	}
	if a := p.tryShare("plain", "ring", "tlp=green", entry(501, 0, stix.Amber, "")); a.status != 422 {
		t.Errorf("a wider level: %d", a.status)
	}
}

func (p *place) unmarked(t *testing.T, what string, n int, want stix.Marking, written bool, a answer) {
	t.Helper()
	if want == stix.None {
		if a.status != 422 {
			t.Errorf("%s: %d, want a refusal", what, a.status)
		}
		return
	}
	if a.status != 200 && a.status != 202 {
		t.Errorf("%s: %d %s", what, a.status, a.body)
		return
	}
	got := p.ask(ask{as: "plain", path: "/api/v1/objects/" + entryID(n)}).body
	if !strings.Contains(got, `"tlp":"`+want.String()+`"`) || strings.Contains(got, "object_marking_refs") != written {
		t.Errorf("%s: want %s, written %v; got %s", what, want, written, got)
	}
}

// TestX6Red (X6): RED that names nobody is its sharer's alone, and the answer says so.
func TestX6Red(t *testing.T) {
	p := newPlace(t)
	a := p.tryShare("plain", "ring", "", entry(1, 0, stix.Red, ""))
	if a.status != 200 || !strings.Contains(a.body, `"note":"TLP:RED`) {
		t.Errorf("got %d %s", a.status, a.body)
	}
	for as, want := range map[string]int{"plain": 1, "reader": 1, "named": 0, "steward": 0} {
		if got := p.seen(t, as, "ring"); len(got) != want {
			t.Errorf("%s sees %v", as, got)
		}
	}
}

// TestX7Onward (X7, X12, X13): a reader takes GREEN to another community of its own, AMBER not; a member of both gets one
// delivery from each, each naming its community.
func TestX7Onward(t *testing.T) {
	p := newPlace(t)
	p.join(t, "named", p.other)
	p.share(t, "plain", "ring", "", entry(1, 0, stix.Green, ""), entry(2, 0, stix.Amber, ""), entry(3, 0, stix.Green, `,"created_by_ref":"`+string(p.orgs["plain"].ID)+`"`))
	p.share(t, "named", "other", "", entry(1, 0, stix.Green, ""), entry(3, 0, stix.Green, `,"created_by_ref":"`+string(p.orgs["plain"].ID)+`"`))
	if a := p.tryShare("named", "other", "", entry(2, 0, stix.Amber, "")); a.status != 422 || !strings.Contains(a.body, "TLP:AMBER") {
		t.Errorf("AMBER went on: %d %s", a.status, a.body)
	}
	if a := p.tryShare("named", "other", "", entry(2, 9, stix.Green, "")); a.status != 422 {
		t.Errorf("AMBER went on as GREEN: %d %s", a.status, a.body)
	}
	impostor := entry(4, 0, stix.Green, `,"created_by_ref":"`+string(p.orgs["plain"].ID)+`"`)
	if a := p.tryShare("named", "other", "", impostor); a.status != 422 || !strings.Contains(a.body, "created_by_ref") {
		t.Errorf("an impostor: %d %s", a.status, a.body)
	}
	identity := `{"type":"identity","spec_version":"2.1","id":"` + string(p.orgs["plain"].ID) + `","created":"2026-01-01T00:00:00.000Z","modified":"2026-01-01T00:00:00.000Z","name":"Me","identity_class":"organization","object_marking_refs":["` + stix.Clear.ID() + `"]}`
	if a := p.tryShare("named", "ring", "", identity); a.status != 422 {
		t.Errorf("another's identity: %d %s", a.status, a.body)
	}
	if got := p.seen(t, "foreign", "other"); len(got) != 2 {
		t.Errorf("the other community sees %v", got)
	}
	var page struct {
		Objects []struct {
			Seq       int64
			Community string
			Object    struct{ ID string }
		}
	}
	ok(t, json.Unmarshal([]byte(p.ask(ask{as: "named", path: "/api/v1/objects/" + entryID(1) + "?version=all"}).body), &page))
	if len(page.Objects) != 2 || page.Objects[0].Community != "ring" || page.Objects[1].Community != "other" || page.Objects[0].Seq >= page.Objects[1].Seq {
		t.Errorf("a member of both gets %+v", page)
	}
}

func (p *place) join(t *testing.T, who string, c polder.Community) {
	t.Helper()
	_, err := p.Accounts.Join(t.Context(), accounts.Local(), c.ID, p.orgs[who].ID, polder.RoleContributor)
	ok(t, err)
}

// TestX9Joining (X9): who joins gets the history with its dates; who leaves has no sight at the next request; who comes
// back sees it again.
func TestX9Joining(t *testing.T) {
	p := newPlace(t)
	p.share(t, "plain", "ring", "", entry(1, 0, stix.Green, ""), entry(2, 0, stix.Green, ""))
	p.share(t, "plain", "ring", "to="+string(p.orgs["named"].ID), entry(3, 0, stix.Green, ""))
	manifest := ask{as: "plain", path: "/taxii2/root/collections/ring/manifest/"}
	before := p.ask(manifest).body
	if got := p.seen(t, "foreign", "ring"); len(got) != 0 {
		t.Fatalf("before: %v", got)
	}
	for range 2 {
		p.join(t, "foreign", p.ring)
		if got := p.seen(t, "foreign", "ring"); len(got) != 2 {
			t.Fatalf("joined: %v", got)
		}
		manifest.as = "foreign"
		for _, line := range strings.SplitAfter(p.ask(manifest).body, "date_added")[1:] {
			if date, _, _ := strings.Cut(strings.TrimPrefix(line, `":"`), `"`); !strings.Contains(before, date) {
				t.Errorf("a date of its own: %s", date)
			}
		}
		p.leave(t, "foreign", p.ring)
		if got := p.seen(t, "foreign", "ring"); len(got) != 0 {
			t.Fatalf("left: %v", got)
		}
	}
}

// TestX11Stride (X11, D7): the numbers of one batch rise by random steps, so that a gap tells nothing of what another
// shared in between.
func TestX11Stride(t *testing.T) {
	p := newPlace(t)
	var objects []string
	for i := range 300 {
		objects = append(objects, entry(i+1, 0, stix.Green, ""))
	}
	p.share(t, "plain", "ring", "", objects...)
	var page struct{ Objects []struct{ Seq int64 } }
	ok(t, json.Unmarshal([]byte(p.ask(ask{as: "named", path: "/api/v1/objects?limit=1000"}).body), &page))
	gaps := map[int64]int{}
	for i := 1; i < len(page.Objects); i++ {
		gap := page.Objects[i].Seq - page.Objects[i-1].Seq
		if gaps[gap]++; gap < 1 {
			t.Fatalf("%d follows %d", page.Objects[i].Seq, page.Objects[i-1].Seq)
		}
	}
	if len(page.Objects) != 300 || len(gaps) < 10 || gaps[1] > 100 {
		t.Errorf("%d objects with gaps %v", len(page.Objects), gaps)
	}
}

// TestX16Equal (X16): the same again succeeds and changes nothing, written otherwise too; 2.0 enters by the API and is the
// same as its 2.1; over TAXII it is a failure that says so.
func TestX16Equal(t *testing.T) {
	p := newPlace(t)
	first := entry(1, 0, stix.Green, `,"confidence":50`)
	seq := p.share(t, "plain", "ring", "", first)
	before := p.ask(ask{as: "named", path: "/api/v1/objects/" + entryID(1)}).body
	for name, again := range map[string]string{
		"the same bytes":        first,
		"other white space":     strings.ReplaceAll(first, `,"`, ",\n  \""),
		"other order":           strings.Replace(strings.Replace(first, `,"confidence":50`, "", 1), `{"type"`, `{"confidence":50,"type"`, 1),
		"a time in other words": strings.ReplaceAll(first, "00:00.000Z", "00:00Z"),
	} {
		for _, as := range []string{"plain", "named"} {
			if a := p.tryShare(as, "ring", "", again); a.status != 200 || !strings.Contains(a.body, `"stored":0,"duplicates":1`) {
				t.Errorf("%s by %s: %d %s", name, as, a.status, a.body)
			}
		}
	}
	if after := p.ask(ask{as: "named", path: "/api/v1/objects/" + entryID(1)}).body; after != before || p.Journal.Top() != seq {
		t.Errorf("the first bytes did not stay: %s", after)
	}
	old := `{"type":"bundle","id":"bundle--5d0092c5-5f74-4287-9642-33f4c354e56d","spec_version":"2.0","objects":[{"type":"indicator","id":"` + entryID(2) + `","created":"2026-01-01T00:00:00.000Z","modified":"2026-01-01T00:00:00.000Z","labels":["malicious-activity"],"pattern":"[domain-name:value = 'x2.example']","valid_from":"2026-01-01T00:00:00Z","object_marking_refs":["marking-definition--34098fce-860f-48ae-8e50-ebd3cc5e41da"]}]}`
	send := ask{as: "plain", method: "POST", path: "/api/v1/communities/ring/share", kind: jsonKind, body: old}
	if a := p.ask(send); a.status != 200 || !strings.Contains(a.body, `"stored":1`) {
		t.Fatalf("STIX 2.0: %d %s", a.status, a.body)
	}
	if a := p.ask(send); !strings.Contains(a.body, `"stored":0,"duplicates":1`) {
		t.Errorf("STIX 2.0 again: %d %s", a.status, a.body)
	}
	if got := p.ask(ask{as: "named", path: "/api/v1/objects/" + entryID(2)}).body; !strings.Contains(got, `"spec_version":"2.1"`) {
		t.Errorf("stored as %s", got)
	}
	inner := old[strings.Index(old, `[{`)+1 : strings.LastIndex(old, "]")]
	a := p.ask(ask{as: "plain", method: "POST", path: "/taxii2/root/collections/ring/objects/", kind: taxiiKind, body: `{"objects":[` + inner + `]}`})
	if !strings.Contains(a.body, `"failure_count":1`) || !strings.Contains(a.body, "2.0") {
		t.Errorf("STIX 2.0 over TAXII: %d %s", a.status, a.body)
	}
}

// TestX18Withdrawal (X18): the custodian takes an object out: every exit has forgotten it at once, the stream says so, and
// posting it again is a new record. Nobody else withdraws.
func TestX18Withdrawal(t *testing.T) {
	p := newPlace(t)
	first := p.share(t, "plain", "ring", "", entry(1, 0, stix.Green, `,"name":"zqgone"`))
	for _, as := range []string{"named", "reader", "foreign", "admin", ""} {
		for _, path := range []string{"/api/v1/communities/ring/objects/" + entryID(1), "/taxii2/root/collections/ring/objects/" + entryID(1) + "/"} {
			if a := p.ask(ask{as: as, method: "DELETE", path: path, head: map[string]string{"Sec-Fetch-Site": "same-origin"}}); a.status < 400 || a.status >= 500 {
				t.Errorf("withdrawn by %q: %d", as, a.status)
			}
		}
	}
	if a := p.ask(ask{as: "plain", method: "DELETE", path: "/taxii2/root/collections/ring/objects/" + entryID(1) + "/"}); a.status != 200 {
		t.Fatalf("withdraw: %d %s", a.status, a.body)
	}
	for _, r := range p.Routes() {
		if r.Method != "GET" || r.Stream {
			continue
		}
		for _, as := range []string{"named", "plain", "steward"} {
			for _, query := range []string{"", "?version=all", "?match[version]=all", "?q=zqgone", "?value=x1.example", "?format=csv"} {
				path := p.fill(r.Pattern, entryID(1))
				if i := strings.IndexByte(path, '?'); i >= 0 && query != "" {
					path = path[:i]
				}
				if a := p.ask(ask{as: as, path: path + query}); strings.Contains(a.body, "zqgone") && query != "?q=zqgone" || strings.Contains(a.body, "[domain-name:value = 'x1.example']") {
					t.Errorf("%s gives %s what was withdrawn: %s", path+query, as, a.body)
				}
			}
		}
	}
	p.serve(t)
	l := p.listen(t, "named", fmt.Sprintf("since=%d", int64(first)))
	if e := <-l.events; e.event != "withdrawn" || e.id != entryID(1) {
		t.Errorf("the stream tells %+v", e)
	}
	fresh := p.listen(t, "named", "since=0")
	again := p.share(t, "plain", "ring", "", entry(1, 0, stix.Green, `,"name":"zqgone"`))
	for _, s := range []*listener{l, fresh} {
		for e := range s.events {
			if e.event == "object" {
				if e.seq != again || again <= first {
					t.Errorf("again: %+v, want %d after %d", e, again, first)
				}
				break
			}
		}
	}
}

// TestX19Erasure (X19): a steward erases: no exit has the body, and after the node has stopped no file has its bytes.
func TestX19Erasure(t *testing.T) {
	p := newPlace(t)
	p.share(t, "plain", "ring", "", entry(1, 0, stix.Green, `,"name":"zqerasedzq"`), entry(2, 0, stix.Green, `,"name":"zqkeptzq"`))
	at := "/api/v1/communities/ring/objects/" + entryID(1) + "?erase=1"
	for _, as := range []string{"plain", "named", "reader", "admin"} {
		if a := p.ask(ask{as: as, method: "DELETE", path: at}); a.status != 403 && a.status != 404 {
			t.Errorf("erased by %s: %d", as, a.status)
		}
	}
	if a := p.ask(ask{as: "stew", method: "DELETE", path: at}); a.status != 200 {
		t.Fatalf("erase: %d %s", a.status, a.body)
	}
	if a := p.ask(ask{as: "named", path: "/api/v1/objects?version=all"}); strings.Contains(a.body, "zqerasedzq") || !strings.Contains(a.body, "zqkeptzq") {
		t.Errorf("pages: %s", a.body)
	}
	p.end()
	kept := false
	ok(t, filepath.WalkDir(p.dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		raw, err := os.ReadFile(path)
		if bytes.Contains(raw, []byte("zqerasedzq")) {
			t.Errorf("%s holds the erased bytes", filepath.Base(path))
		}
		kept = kept || bytes.Contains(raw, []byte("zqkeptzq"))
		return err
	}))
	if !kept {
		t.Error("no file holds what was kept, so nothing was tested")
	}
	p.open(t) // the log still hangs together
	if a := p.ask(ask{as: "named", path: "/api/v1/objects?version=all"}); a.status != 200 || !strings.Contains(a.body, "zqkeptzq") {
		t.Errorf("after a start: %d %s", a.status, a.body)
	}
}

// TestX21Partial (X21): one TAXII POST stores its valid objects and names the others; over the API one refused object
// means that none is stored; any 4xx stores nothing.
func TestX21Partial(t *testing.T) {
	p := newPlace(t)
	good, bad := entry(1, 0, stix.Green, ""), strings.Replace(entry(2, 0, stix.Green, ""), `"pattern_type":"stix",`, "", 1)
	top := p.Journal.Top()
	if a := p.tryShare("plain", "ring", "", good, bad); a.status != 422 || !strings.Contains(a.body, entryID(2)) || !strings.Contains(a.body, "pattern_type") || p.Journal.Top() != top {
		t.Errorf("API: %d %s", a.status, a.body)
	}
	for _, body := range []string{`{"objects":[` + good + `,`, `{"objects":{}}`, `[` + good + `]`, `{"objects":[` + good + `]} x`} {
		if a := p.ask(ask{as: "plain", method: "POST", path: "/taxii2/root/collections/ring/objects/", kind: taxiiKind, body: body}); a.status < 400 || a.status >= 500 || p.Journal.Top() != top {
			t.Errorf("TAXII %s: %d %s", body, a.status, a.body)
		}
	}
	a := p.ask(ask{as: "plain", method: "POST", path: "/taxii2/root/collections/ring/objects/", kind: taxiiKind, body: `{"objects":[` + bad + `,` + good + `]}`})
	var st struct {
		ID       string
		Success  int `json:"success_count"`
		Failures []struct{ ID, Message string }
	}
	ok(t, json.Unmarshal([]byte(a.body), &st))
	if a.status != 202 || st.Success != 1 || len(st.Failures) != 1 || st.Failures[0].ID != entryID(2) || st.Failures[0].Message == "" {
		t.Errorf("TAXII: %d %s", a.status, a.body)
	}
	if got := p.seen(t, "named", ""); len(got) != 1 {
		t.Errorf("stored: %v", got)
	}
	for as, want := range map[string]int{"plain": 200, "named": 404, "foreign": 404} {
		if a := p.ask(ask{as: as, path: "/taxii2/root/status/" + st.ID + "/"}); a.status != want {
			t.Errorf("status for %s: %d", as, a.status)
		}
	}
}

// TestS13Poison (S13, X22): what must never be blocked is in no block list, whoever shares it, and its neighbour is.
func TestS13Poison(t *testing.T) {
	p := newPlace(t)
	var objects []string
	for i, pattern := range []string{"[ipv4-addr:value = '0.0.0.0/0']", "[ipv6-addr:value = '::/0']", "[ipv4-addr:value = '10.0.0.1']", "[ipv4-addr:value = '8.8.8.8']", "[domain-name:value = 'com']", "[domain-name:value = 'co.uk']",
		"[ipv4-addr:value = '127.0.0.1']", "[domain-name:value = 'localhost']", "[domain-name:value = 'microsoft.com']", "[domain-name:value = 'download.microsoft.com']", "[domain-name:value MATCHES '.*']", "[domain-name:value LIKE '%']"} {
		q, _ := json.Marshal(pattern) // a string
		objects = append(objects, strings.Replace(entry(i+1, 0, stix.Green, ""), fmt.Sprintf(`"[domain-name:value = 'x%d.example']"`, i+1), string(q), 1))
	}
	objects = append(objects, entry(99, 0, stix.Green, ""))
	p.share(t, "plain", "ring", "confirm=1", objects...)
	for _, format := range []string{"suricata", "zeek", "rpz", "plain"} {
		list := p.ask(ask{as: "named", path: "/api/v1/export?format=" + format}).body
		if !strings.Contains(list, "x99.example") {
			t.Errorf("%s lacks what is right: %s", format, list)
		}
		for line := range strings.Lines(list) {
			line = strings.TrimSpace(line)
			for _, poison := range []string{"0.0.0.0", "::/0", "10.0.0.1", "8.8.8.8", "127.0.0.1", "localhost", "microsoft", "co.uk", ".*", "%"} {
				if !strings.HasPrefix(line, "#") && !strings.HasPrefix(line, ";") && !strings.HasPrefix(line, "$") && !strings.HasPrefix(line, "@") && strings.Contains(line, poison) {
					t.Errorf("%s blocks %s: %s", format, poison, line)
				}
			}
		}
	}
}

// TestS14Injection (S14): a hostile value is one record or none in every list, when another program reads it.
func TestS14Injection(t *testing.T) {
	p := newPlace(t)
	var objects []string
	values := []string{"a\nb.example", "a\tb.example", `a"b.example`, "a;b.example", "=cmd|' /C calc'!A0", "@SUM(1)", "-1+1", "+1", "a\rb", "x CNAME .", "x.example. IN A 1.2.3.4", `a\b`, "a,b", "$INCLUDE /etc/passwd", "#x", `"; sid:1;)`, "a|0a|b"}
	for i, v := range values {
		text, _ := json.Marshal("[file:name = '" + strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(v) + "']") // a string
		object := strings.Replace(entry(i+1, 0, stix.Green, `,"name":`+string(must(json.Marshal(v)))+`,"description":`+string(must(json.Marshal(v)))), fmt.Sprintf(`"[domain-name:value = 'x%d.example']"`, i+1), string(text), 1)
		objects = append(objects, object, strings.Replace(strings.Replace(object, "file:name", "url:value", 1), entryID(i+1), entryID(i+101), 1), strings.Replace(strings.Replace(object, "file:name", "domain-name:value", 1), entryID(i+1), entryID(i+201), 1))
	}
	sent := 0
	for _, o := range objects { // a pattern that cannot hold the value is refused by itself
		if p.tryShare("plain", "ring", "confirm=1", o).status == 200 {
			sent++
		}
	}
	if sent < len(values) {
		t.Fatalf("%d of %d were taken", sent, len(objects))
	}
	rows, err := csv.NewReader(strings.NewReader(p.ask(ask{as: "named", path: "/api/v1/export?format=csv"}).body)).ReadAll()
	ok(t, err)
	if len(rows) < 2 || len(rows) > sent+1 {
		t.Errorf("CSV: %d records of %d indicators", len(rows)-1, sent)
	}
	for _, row := range rows {
		for _, cell := range row {
			if cell != "" && strings.ContainsRune("=+-@\t\r", rune(cell[0])) {
				t.Errorf("CSV: the cell %q is a formula", cell)
			}
		}
	}
	for format, fields := range map[string]func(string) bool{
		"suricata": func(l string) bool { return strings.Count(l, "sid:") == 1 && strings.HasSuffix(l, ")") },
		"zeek":     func(l string) bool { return strings.Count(l, "\t") >= 2 && !strings.Contains(l, "  \t") },
		"rpz":      func(l string) bool { return len(strings.Fields(l)) >= 3 && !strings.Contains(l, "INCLUDE") },
		"plain":    func(l string) bool { return slices.Contains(values, l) },
	} {
		n := 0
		for line := range strings.Lines(p.ask(ask{as: "named", path: "/api/v1/export?format=" + format}).body) {
			line = strings.TrimRight(line, "\n")
			if line == "" || strings.HasPrefix(line, "#") || strings.HasPrefix(line, ";") || strings.HasPrefix(line, "$TTL") || strings.HasPrefix(line, "@ ") {
				continue
			}
			if n++; !fields(line) {
				t.Errorf("%s: %q is no record", format, line)
			}
		}
		if n > sent {
			t.Errorf("%s: %d records of %d indicators", format, n, sent)
		}
	}
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err) // strings always encode
	}
	return v
}
