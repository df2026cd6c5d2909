package exchange

import (
	"context"
	"fmt"
	"net/http/httptest"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/journal"
	"github.com/polder-exchange/polder/internal/web"
	"github.com/polder-exchange/polder/stix"
)

// sync has the index take in everything that was shared.
func (w *world) sync() {
	w.t.Helper()
	ok(w.t, w.Service.search.Sync(context.Background()))
}

// finds are the names (or ids, of what has none) that a search gives, in its order.
func (w *world) finds(a polder.Actor, q SearchQuery) (names []string, more bool) {
	w.t.Helper()
	w.sync()
	found, err := w.Search(context.Background(), a, q)
	ok(w.t, err)
	return namesOf(w.t, found.Deliveries), found.More
}

func namesOf(t testing.TB, list []journal.Delivery) []string {
	t.Helper()
	out := []string{}
	for _, d := range list {
		o, err := stix.Parse(d.Raw)
		ok(t, err)
		out = append(out, title(o))
	}
	return out
}

// object is a valid object of any type with a number, a mark and further members.
func object(typ string, n int, level stix.Marking, members string) []byte {
	return fmt.Appendf(nil, `{"type":"%s","spec_version":"2.1","id":"%s--00000000-0000-4000-8000-%012d","created":"2026-01-01T00:00:00.000Z","modified":"2026-01-01T00:00:00.000Z","object_marking_refs":["%s"],%s}`,
		typ, typ, n, level.ID(), members)
}

// onPattern is an indicator with a name and a pattern.
func onPattern(n int, level stix.Marking, name, pattern string) []byte {
	return object("indicator", n, level, fmt.Sprintf(`"name":"%s","pattern":"%s","pattern_type":"stix","valid_from":"2026-01-01T00:00:00Z"`, name, pattern))
}

// library is a world that knows a little of everything.
func library(t testing.TB) *world {
	w := newWorld(t)
	w.share(w.as("a", polder.RoleContributor), Request{Confirmed: true, Objects: one(
		onPattern(1, stix.Green, "Apex beacon", "[domain-name:value = 'evil.example.com']"),
		onPattern(2, stix.Green, "Below it", "[domain-name:value = 'www.evil.example.com']"),
		onPattern(3, stix.Green, "Not below it", "[domain-name:value = 'evil.example.com-x.com']"),
		onPattern(4, stix.Green, "Page there", "[url:value = 'https://evil.example.com/gate.php']"),
		onPattern(5, stix.Green, "One address", "[ipv4-addr:value = '203.0.113.7']"),
		onPattern(6, stix.Green, "The block", "[ipv4-addr:value ISSUBSET '203.0.113.0/24']"),
		onPattern(7, stix.Green, "Hash", "[file:hashes.'SHA-256' = '"+strings.Repeat("ab", 32)+"']"),
		onPattern(8, stix.Green, "Pair", "[domain-name:value = 'pair.example.org' AND domain-name:value != 'x']"),
		object("attack-pattern", 9, stix.Green, `"name":"Command and Scripting","external_references":[{"source_name":"mitre-attack","external_id":"T1059"}]`),
		object("attack-pattern", 10, stix.Green, `"name":"PowerShell","description":"A child of T1059 that opens évil.example.com","external_references":[{"source_name":"mitre-attack","external_id":"T1059.001"}]`),
		object("intrusion-set", 11, stix.Green, `"name":"Fancy Crab","aliases":["APT 28b","Sofàcy"]`),
		object("report", 12, stix.Green, `"name":"What we saw","description":"Fancy crab went through the optics firms","published":"2026-01-01T00:00:00Z","object_refs":["intrusion-set--00000000-0000-4000-8000-000000000011"]`),
		object("note", 13, stix.Green, `"abstract":"日本語の報告","content":"光学メーカー","object_refs":["intrusion-set--00000000-0000-4000-8000-000000000011"]`),
	)})
	return w
}

// TestSearch: what a person types finds what is meant, the thing itself first.
func TestSearch(t *testing.T) {
	w := library(t)
	b := w.as("b", polder.RoleReader)
	for _, c := range []struct {
		text string
		want []string
		why  string
	}{
		{"evil.example.com", []string{"Apex beacon", "Page there", "Below it", "Not below it", "PowerShell"}, "the name, what is on it, what is below it, and then mentions of the same words"},
		{"hxxps://evil[.]example[.]com/gate.php", []string{"Page there"}, "defanged"},
		{"EVIL[.]example.com.", []string{"Apex beacon", "Page there", "Below it", "Not below it", "PowerShell"}, "spelling is no difference"},
		{"203.0.113.7", []string{"One address", "The block"}, "an address finds the blocks that hold it"},
		{"203.0.113.0/24", []string{"The block", "One address"}, "a block finds the addresses in it"},
		{"203.0.113.8", []string{"The block"}, "also one that nobody named"},
		{strings.Repeat("AB", 32), []string{"Hash"}, "hashes have no case"},
		{"pair.example.org", []string{"Pair"}, "a value in a combination"},
		{"t1059", []string{"Command and Scripting", "PowerShell"}, "an external id, then what mentions it or begins with it"},
		{"APT 28B", []string{"Fancy Crab"}, "an alias"},
		{"sofacy", []string{"Fancy Crab"}, "accents are no difference"},
		{"fancy crab", []string{"Fancy Crab", "What we saw"}, "the thing of that name first, then what speaks of it"},
		{"opt fir", nil, "only the last word may be begun"},
		{"optics fir", []string{"What we saw"}, "the last word may be begun"},
		{"光学", []string{"日本語の報告"}, "scripts without spaces"},
		{"indicator--00000000-0000-4000-8000-000000000003", []string{"Not below it"}, "an id"},
		{"indicator--00000000-0000-4000-8000-000000000099", nil, "an id that nobody shared"},
		{"\" OR name:x* NEAR(", nil, "signs of the query language are none here"},
		{"***", nil, "signs only"},
	} {
		if got, _ := w.finds(b, SearchQuery{Text: c.text}); !slices.Equal(got, append([]string{}, c.want...)) {
			t.Errorf("%s: got %q, want %q (%s)", c.text, got, c.want, c.why)
		}
	}
	if got, more := w.finds(b, SearchQuery{Text: "evil.example.com", Limit: 2}); len(got) != 2 || !more {
		t.Errorf("limit 2: %q, more %v", got, more)
	}
	many := make([]int64, 1000) // a reader with as many scopes as there are audiences
	for i := range many {
		many[i] = int64(len(many) - i)
	}
	hits, err := w.Service.search.worded(context.Background(), where{scopes: many}, termsOf("through the optics"), 0, 10)
	if ok(t, err); len(hits) != 1 {
		t.Errorf("many scopes: %v", hits)
	}
	if got, _ := w.finds(b, SearchQuery{Text: "evil.example.com", Types: []string{"attack-pattern"}}); !slices.Equal(got, []string{"PowerShell"}) {
		t.Errorf("type: %q", got)
	}
}

// TestSearchForgets: what is withdrawn, superseded or erased is found no more, and what replaces it is.
func TestSearchForgets(t *testing.T) {
	ctx := context.Background()
	w := newWorld(t)
	a, b := w.as("a", polder.RoleSteward), w.as("b", polder.RoleReader)
	w.join("a", w.where, polder.RoleSteward)
	w.share(a, Request{Objects: one(someIndicator(1, 1, "oldname", stix.Green, ""), someIndicator(2, 1, "zebra", stix.Green, ""))})
	w.share(a, Request{Objects: one(someIndicator(1, 2, "newname", stix.Green, ""))})
	for text, want := range map[string][]string{"oldname": {}, "newname": {"newname"}, "x1.example": {"newname"}} {
		if got, _ := w.finds(b, SearchQuery{Text: text}); !slices.Equal(got, want) {
			t.Errorf("after a new version, %s: %q, want %q", text, got, want)
		}
	}
	_, err := w.Withdraw(ctx, a, Withdrawal{Community: w.where.Alias, ID: "indicator--00000000-0000-4000-8000-000000000001", Versions: VersionChoice{Last: true}})
	ok(t, err)
	if got, _ := w.finds(b, SearchQuery{Text: "oldname"}); !slices.Equal(got, []string{"oldname"}) {
		t.Errorf("the version before is the last again: %q", got)
	}
	zebras := func() (n int) {
		ok(t, w.Service.search.db.Read().QueryRowContext(ctx, `SELECT (SELECT count(*) FROM posting WHERE key LIKE '%zebra%') + (SELECT count(*) FROM doc WHERE id LIKE '%000002')
			+ (SELECT count(*) FROM words_data WHERE instr(block, CAST('zebra' AS BLOB))) + (SELECT count(*) FROM words_content WHERE c0 LIKE '%zebra%')`).Scan(&n))
		return n
	}
	if n := zebras(); n != 4 {
		t.Errorf("the index holds it in %d places, want 4", n)
	}
	_, err = w.Withdraw(ctx, a, Withdrawal{Community: w.where.Alias, ID: "indicator--00000000-0000-4000-8000-000000000002", Erase: true})
	ok(t, err)
	if got, _ := w.finds(b, SearchQuery{Text: "zebra"}); len(got) != 0 {
		t.Errorf("erased: %q", got)
	}
	if n := zebras(); n != 0 {
		t.Errorf("%d places still hold what was erased", n)
	}
}

// content is everything that an index holds, in text.
func (x *Index) content(t testing.TB) string {
	t.Helper()
	var b strings.Builder
	for _, query := range []string{
		`SELECT 'state ' || lineage || ' ' || form || ' ' || cursor FROM state`,
		`SELECT 'doc ' || seq || ' ' || scope || ' ' || id || ' ' || type || ' ' || sharer || ' ' || level FROM doc ORDER BY seq`,
		`SELECT 'posting ' || scope || ' ' || key || ' ' || seq FROM posting ORDER BY scope, key, seq`,
	} {
		rows, err := x.db.Read().QueryContext(context.Background(), query)
		ok(t, err)
		ok(t, eachRow(rows, func() error {
			var line string
			err := rows.Scan(&line)
			b.WriteString(line + "\n")
			return err
		}))
	}
	return b.String()
}

// TestIndexAnew: an index made from number 0 is the one that followed along, and a file that is missing, damaged or of
// another form is made anew.
func TestIndexAnew(t *testing.T) {
	ctx := context.Background()
	w := library(t)
	a := w.as("a", polder.RoleContributor)
	w.sync()
	_, err := w.Withdraw(ctx, a, Withdrawal{Community: w.where.Alias, ID: "indicator--00000000-0000-4000-8000-000000000005"})
	ok(t, err)
	w.share(a, Request{Objects: one(someIndicator(77, 1, "late", stix.Amber, ""))})
	w.sync()
	want := w.Service.search.content(t)
	for name, prepare := range map[string]func(path string){
		"missing": func(string) {},
		"damaged": func(path string) { ok(t, os.WriteFile(path, []byte(strings.Repeat("not a database", 1000)), 0o600)) },
		"of another log": func(path string) {
			x, err := OpenIndex(ctx, path, w.journal, nil)
			ok(t, err)
			ok(t, x.Sync(ctx))
			ok(t, x.store(ctx, nil, w.journal.Top()+1))
			ok(t, x.Close())
		},
	} {
		path := filepath.Join(t.TempDir(), "search.db")
		prepare(path)
		x, err := OpenIndex(ctx, path, w.journal, nil)
		ok(t, err)
		ok(t, x.Sync(ctx))
		if got := x.content(t); got != want {
			t.Errorf("%s: got\n%s\nwant\n%s", name, got, want)
		}
		ok(t, x.store(ctx, []step{{gone: []polder.Seq{w.journal.Top()}}}, w.journal.Top())) // carried out already
		if got := x.content(t); got != want {
			t.Errorf("%s: a batch is carried out twice: got\n%s\nwant\n%s", name, got, want)
		}
		if x.Lag() != 0 {
			t.Errorf("%s: lag %v", name, x.Lag())
		}
		ok(t, x.Close())
	}
}

// byName lets everybody in who says a name that is known.
type byName map[string]polder.Actor

func (m byName) BySession(context.Context, string) (web.Identity, error) {
	return web.Identity{}, polder.Errorf(polder.Unauthorised, "no sessions here")
}

func (m byName) BySecret(_ context.Context, secret string, _ netip.Addr) (web.Identity, error) {
	return web.Identity{Actor: m[secret]}, nil
}

// zeros makes the ids of requests the same.
type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

// TestSearchTellsNothing: the answers to one who may not see a thing, and to one when there is no such thing, are the
// same bytes, on each way of asking.
func TestSearchTellsNothing(t *testing.T) {
	w := newWorld(t)
	a, b := w.as("a", polder.RoleContributor), w.as("b", polder.RoleReader)
	w.share(a, Request{Objects: one(
		onPattern(1, stix.Red, "Secretname", "[domain-name:value = 'hidden.example.com']"),
		object("note", 2, stix.Red, `"content":"Secretnote","object_refs":["indicator--00000000-0000-4000-8000-000000000001"]`))})
	w.sync()
	site, err := web.New(web.Options{Identify: byName{"a": a, "b": b}, Rand: zeros{}})
	ok(t, err)
	door, err := site.Handler(w.searchRoutes()...)
	ok(t, err)
	ask := func(who, path string) string {
		rec, req := httptest.NewRecorder(), httptest.NewRequest("GET", path, nil)
		req.Header.Set("Authorization", "Bearer "+who)
		door.ServeHTTP(rec, req)
		return fmt.Sprint(rec.Code, rec.Header(), rec.Body)
	}
	for _, c := range [][2]string{
		{"/api/v1/search?q=hidden.example.com", "/api/v1/search?q=absent.example.com"},
		{"/api/v1/search?q=example.com", "/api/v1/search?q=example.net"},
		{"/api/v1/search?q=Secretname", "/api/v1/search?q=Absentname"},
		{"/api/v1/search?q=secretno", "/api/v1/search?q=absentno"},
		{"/api/v1/search?q=indicator--00000000-0000-4000-8000-000000000001", "/api/v1/search?q=indicator--00000000-0000-4000-8000-000000000008"},
		{"/api/v1/values?value=hidden.example.com", "/api/v1/values?value=absent.example.com"},
	} {
		seen, forbidden, absent := ask("a", c[0]), ask("b", c[0]), ask("b", c[1])
		forbidden = strings.ReplaceAll(forbidden, "hidden.example.com", "absent.example.com") // the question's own words
		if forbidden != absent {
			t.Errorf("%s: got\n%s\nwant, as of what is not there,\n%s", c[0], forbidden, absent)
		}
		if !strings.Contains(seen, "000000000001") {
			t.Errorf("%s: its sharer finds it not: %s", c[0], seen)
		}
	}
	refs, _, err := w.Referring(context.Background(), b, "indicator--00000000-0000-4000-8000-000000000001", 10)
	if ok(t, err); len(refs) != 0 {
		t.Errorf("b learns of %v", refs)
	}
	refs, _, err = w.Referring(context.Background(), a, "indicator--00000000-0000-4000-8000-000000000001", 10)
	if ok(t, err); len(refs) != 1 {
		t.Errorf("a finds %v", refs)
	}
}

// TestIndexRuns: the index follows by itself, a share waits for nothing of it, and it ends with its context and with
// the journal.
func TestIndexRuns(t *testing.T) {
	w := newWorld(t)
	a, b := w.as("a", polder.RoleContributor), w.as("b", polder.RoleReader)
	x := w.Service.search
	run := func() (stop func()) {
		ctx, cancel := context.WithCancel(context.Background())
		ended := make(chan struct{})
		go func() { defer close(ended); x.run(ctx) }()
		return func() { cancel(); <-ended }
	}
	w.share(a, Request{Objects: one(someIndicator(1, 1, "before", stix.Green, ""))})
	stop := run()
	for n := 2; n < 12; n++ {
		w.share(a, Request{Objects: one(someIndicator(n, 1, "during", stix.Green, ""))})
		for deadline := 0; x.Lag() > 0 && deadline < 1000; deadline++ {
			<-time.After(10 * time.Millisecond)
		}
		found, err := w.Search(context.Background(), b, SearchQuery{Text: fmt.Sprintf("x%d.example", n)})
		if ok(t, err); len(found.Deliveries) != 1 {
			t.Fatalf("%d: found %d", n, len(found.Deliveries))
		}
	}
	stop()
	x.turn.Lock() // an index that is busy holds no share up
	w.share(a, Request{Objects: one(someIndicator(20, 1, "meanwhile", stix.Green, ""))})
	x.turn.Unlock()
	defer run()()
	w.journal.Stop()
}
