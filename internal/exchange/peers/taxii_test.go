package peers

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/accounts"
	"github.com/polder-exchange/polder/internal/audit"
	"github.com/polder-exchange/polder/internal/db"
	"github.com/polder-exchange/polder/internal/exchange"
	"github.com/polder-exchange/polder/internal/journal"
	"github.com/polder-exchange/polder/stix"
	"github.com/polder-exchange/polder/taxii"
)

// taxiiNode is a node with one community and one organisation, and the door of a TAXII server before it.
type taxiiNode struct {
	*Service
	t        testing.TB
	exchange *exchange.Service
	com      polder.Community
	org      polder.Org
	actor    polder.Actor
	secret   string
	url      string
	cut      atomic.Int64 // answers until connections break; 0 never
	posts    atomic.Int64
}

func taxiiOK(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func newTAXIINode(t testing.TB) *taxiiNode {
	t.Helper()
	ctx := context.Background()
	n := &taxiiNode{t: t}
	dir := t.TempDir()
	d, err := db.Open(ctx, filepath.Join(dir, "polder.db"), db.Options{})
	taxiiOK(t, err)
	t.Cleanup(func() { d.Close() })
	log := audit.New(d, time.Now)
	acc := accounts.New(d, log, accounts.Options{})
	taxiiOK(t, errors.Join(log.Migrate(ctx), acc.Migrate(ctx), journal.Migrate(ctx, d), exchange.Migrate(ctx, d), Migrate(ctx, d)))
	j, err := journal.Open(ctx, d, journal.Options{Now: time.Now, Step: func() int64 { return 3 }})
	taxiiOK(t, err)
	t.Cleanup(func() { j.Close() })
	x, err := exchange.OpenIndex(ctx, filepath.Join(dir, "search.db"), j, nil)
	taxiiOK(t, err)
	t.Cleanup(func() { x.Close() })
	n.exchange = exchange.New(exchange.Options{DB: d, Journal: j, Audit: log, Accounts: acc, Now: time.Now, Secret: make([]byte, 32), Search: x})
	n.Service, err = New(Options{DB: d, Audit: log, Accounts: acc, Client: &http.Client{}, Journal: j, Exchange: n.exchange, Now: time.Now})
	taxiiOK(t, err)
	n.com, err = acc.AddCommunity(ctx, accounts.Local(), "Ring", stix.None)
	taxiiOK(t, err)
	n.org, err = acc.AddOrg(ctx, accounts.Local(), accounts.NewOrg{Name: "Acme"})
	taxiiOK(t, err)
	_, err = acc.Join(ctx, accounts.Local(), n.com.ID, n.org.ID, polder.RoleContributor)
	taxiiOK(t, err)
	_, n.secret, err = acc.CreateToken(ctx, accounts.Local(), accounts.NewToken{Org: n.org.ID, Role: polder.RoleContributor, Name: "t"})
	taxiiOK(t, err)
	n.actor, err = acc.Authenticate(ctx, n.secret, netip.MustParseAddr("127.0.0.1"))
	taxiiOK(t, err)
	n.serve()
	return n
}

func (n *taxiiNode) serve() {
	n.t.Helper()
	server, err := taxii.New(taxii.Options{Store: exchange.TAXII{Service: n.exchange}, CursorKey: make([]byte, 32), PageMax: 7, MaxContentLength: 4000, Authenticate: func(r *http.Request) (taxii.Subject, error) {
		_, password, _ := r.BasicAuth()
		a, err := n.o.Accounts.Authenticate(r.Context(), password, netip.MustParseAddr("127.0.0.1"))
		return exchange.Subject(a), err
	}})
	taxiiOK(n.t, err)
	mux := http.NewServeMux()
	for _, route := range server.Routes() {
		mux.Handle(route.Pattern, route.Handler)
	}
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost {
			n.posts.Add(1)
		}
		if n.cut.Load() > 0 && n.cut.Add(-1) == 0 {
			n.cut.Store(1) // until somebody mends it
			panic(http.ErrAbortHandler)
		}
		mux.ServeHTTP(w, r)
	}))
	n.t.Cleanup(web.Close)
	n.url = web.URL + "/taxii2/root/"
}

// some shares n indicators from number first on, at a level.
func (n *taxiiNode) some(first, count int, level stix.Marking) {
	n.t.Helper()
	var all []exchange.Incoming
	for i := range count {
		all = append(all, exchange.Incoming{Raw: taxiiObject(first+i, level)})
	}
	got, err := n.exchange.Share(context.Background(), n.actor, exchange.Request{Community: n.com.Alias, Objects: all})
	taxiiOK(n.t, err)
	if got.Stored != count {
		n.t.Fatalf("shared %+v", got)
	}
}

func taxiiObject(i int, level stix.Marking) []byte {
	mark := ""
	if level != stix.None {
		mark = `,"object_marking_refs":["` + level.ID() + `"]`
	}
	return fmt.Appendf(nil, `{"type":"indicator","spec_version":"2.1","id":"indicator--00000000-0000-4000-8000-%012d","created":"2026-01-01T00:00:00.000Z","modified":"2026-01-01T00:00:00.000Z","name":"n","pattern":"[domain-name:value = 'x%d.example']","pattern_type":"stix","valid_from":"2026-01-01T00:00:00Z"%s}`, i, i, mark)
}

// sees is what the organisation of a node sees, in order: numbers of the objects.
func (n *taxiiNode) sees() (out []string) {
	n.t.Helper()
	page, err := n.o.Journal.Page(context.Background(), polder.Sight{Org: n.org.ID, Communities: []polder.CommunityID{n.com.ID}}, journal.Query{All: true, Limit: 10_000})
	taxiiOK(n.t, err)
	for _, d := range page.Deliveries {
		out = append(out, d.ID[len(d.ID)-4:])
	}
	return out
}

func (n *taxiiNode) connect(to *taxiiNode, change func(*NewTAXIIServer)) TAXIIServer {
	n.t.Helper()
	s := NewTAXIIServer{Community: n.com.Alias, Org: n.org.ID, URL: to.url, Collection: string(to.com.ID), User: "polder", Secret: to.secret, Direction: "both"}
	if change != nil {
		change(&s)
	}
	t, err := n.AddTAXII(context.Background(), accounts.Local(), s)
	taxiiOK(n.t, err)
	return t
}

func taxiiPace() TAXIIPace {
	p := DefaultTAXIIPace
	p.Limits.Retries, p.Limits.Pages, p.Limits.Request, p.Limits.PageBytes = 1, 300, 2*time.Second, 1<<20
	p.Sleep = func(context.Context, time.Duration) error { return nil }
	return p
}

// TestTAXIIBothWays: what a server holds is shared as the organisation, and what that may pass on goes there, in bodies as
// short as the server asks; cut anywhere, nothing is lost or doubled, and nothing goes round.
func TestTAXIIBothWays(t *testing.T) {
	ctx := context.Background()
	near, far := newTAXIINode(t), newTAXIINode(t)
	far.some(1, 20, stix.Green)
	near.some(101, 20, stix.Clear)
	near.some(201, 3, stix.Amber)
	s := near.connect(far, nil)
	cuts := 0
	for at := int64(2); cuts < 40; at++ {
		far.cut.Store(at)
		err := near.VisitTAXII(ctx, s.ID, taxiiPace())
		if err == nil {
			break
		}
		cuts++
	}
	far.cut.Store(0)
	taxiiOK(t, near.VisitTAXII(ctx, s.ID, taxiiPace()))
	if cuts == 0 {
		t.Error("nothing was cut")
	}
	posts := far.posts.Load()
	taxiiOK(t, near.VisitTAXII(ctx, s.ID, taxiiPace()))
	if far.posts.Load() != posts {
		t.Error("a second visit posts again")
	}
	for _, n := range []*taxiiNode{near, far} {
		got := n.sees()
		slices.Sort(got)
		want := 40
		if n == near {
			want = 43
		}
		if len(got) != want || len(slices.Compact(got)) != want {
			t.Errorf("%d objects, want %d once each", len(got), want)
		}
	}
	all, err := near.TAXIIServers(ctx, accounts.Local())
	taxiiOK(t, err)
	if len(all) != 1 || all[0].State() != "live" || all[0].Failures != 0 {
		t.Errorf("got %+v", all)
	}
}

// TestTAXIIPolicy: a server gets no AMBER but the organisation's own when told, and nothing whose level is not in its
// bytes; what it holds without a marking is refused, unless a level was given; pauses and removals hold.
func TestTAXIIPolicy(t *testing.T) {
	ctx := context.Background()
	near, far := newTAXIINode(t), newTAXIINode(t)
	_, err := far.exchange.Share(ctx, far.actor, exchange.Request{Community: far.com.Alias, Level: stix.Clear, Bytes: true, Objects: []exchange.Incoming{{Raw: taxiiObject(1, stix.None)}}})
	taxiiOK(t, err)
	near.some(201, 1, stix.Amber)
	_, err = near.exchange.Share(ctx, near.actor, exchange.Request{Community: near.com.Alias, Level: stix.Green, Bytes: true, Objects: []exchange.Incoming{{Raw: taxiiObject(301, stix.None)}}})
	taxiiOK(t, err)
	strict := near.connect(far, nil)
	taxiiOK(t, near.VisitTAXII(ctx, strict.ID, taxiiPace()))
	if got := strings.Join(far.sees(), " "); got != "0001" {
		t.Errorf("the server has %s", got)
	}
	failures, err := near.TAXIIFailures(ctx, accounts.Local(), strict.ID)
	taxiiOK(t, err)
	if len(failures) != 2 {
		t.Errorf("failures %+v", failures)
	}
	taxiiOK(t, near.PauseTAXII(ctx, accounts.Local(), strict.ID, true))
	near.some(401, 1, stix.Clear)
	taxiiOK(t, near.VisitTAXII(ctx, strict.ID, taxiiPace()))
	if got := strings.Join(far.sees(), " "); got != "0001" {
		t.Errorf("while it is paused the server got %s", got)
	}
	taxiiOK(t, near.RemoveTAXII(ctx, accounts.Local(), strict.ID))
	told := near.connect(far, func(n *NewTAXIIServer) { n.Amber, n.Unmarked = true, stix.Green })
	taxiiOK(t, near.VisitTAXII(ctx, told.ID, taxiiPace()))
	if got := strings.Join(far.sees(), " "); got != "0001 0201 0401" {
		t.Errorf("told to, the server has %s", got)
	}
	if got := strings.Join(near.sees(), " "); !strings.Contains(got, "0001") {
		t.Errorf("with a level given, this node has %s", got)
	}
}

// TestS21TAXIIPeers (S21): whatever a hostile server answers, the visit ends, says why, keeps its place, and takes nothing
// that it should not.
func TestS21TAXIIPeers(t *testing.T) {
	n := newTAXIINode(t)
	const page = `{"more":%v,"next":"%s","objects":[%s]}`
	foreign := string(taxiiObject(1, stix.Green))
	for _, c := range []struct {
		name    string
		objects func(w http.ResponseWriter, calls int64)
		fails   bool
	}{
		{"endless more", func(w http.ResponseWriter, i int64) {
			fmt.Fprintf(w, page, true, fmt.Sprint(i), taxiiObject(int(i), stix.Green))
		}, true},
		{"the same next", func(w http.ResponseWriter, i int64) { fmt.Fprintf(w, page, true, "x", foreign) }, true},
		{"empty pages", func(w http.ResponseWriter, i int64) { fmt.Fprintf(w, page, true, fmt.Sprint(i), "") }, true},
		{"a page without end", func(w http.ResponseWriter, i int64) {
			for range 4 << 10 {
				if _, err := w.Write(make([]byte, 1<<10)); err != nil {
					return
				}
			}
		}, true},
		{"no JSON", func(w http.ResponseWriter, i int64) { fmt.Fprint(w, "<html>") }, true},
		{"an error", func(w http.ResponseWriter, i int64) { w.WriteHeader(http.StatusInternalServerError) }, true},
		{"elsewhere", func(w http.ResponseWriter, i int64) {
			w.Header().Set("Location", "http://192.0.2.1/")
			w.WriteHeader(http.StatusFound)
		}, true},
		{"objects that are none", func(w http.ResponseWriter, i int64) { fmt.Fprintf(w, page, false, "", `{"id":"x--y"},7,`+foreign) }, false},
		{"changed content", func(w http.ResponseWriter, i int64) {
			fmt.Fprintf(w, page, false, "", strings.Replace(foreign, `"name":"n"`, `"name":"other"`, 1))
		}, false},
	} {
		var calls atomic.Int64
		web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "application/taxii+json;version=2.1")
			switch {
			case strings.HasSuffix(r.URL.Path, "/objects/"):
				c.objects(w, 500+calls.Add(1))
			case strings.HasSuffix(r.URL.Path, "/collections/"):
				fmt.Fprint(w, `{"collections":[{"id":"9ee8a9b3-da1b-45d1-9cf6-8141f7039f82","title":"c","can_read":true,"can_write":true}]}`)
			default:
				fmt.Fprint(w, `{"title":"t","versions":["application/taxii+json;version=2.1"],"max_content_length":1000000}`)
			}
		}))
		s := n.connect(n, func(s *NewTAXIIServer) {
			s.URL, s.Collection, s.Direction = web.URL+"/root/", "9ee8a9b3-da1b-45d1-9cf6-8141f7039f82", "pull"
		})
		err := n.VisitTAXII(t.Context(), s.ID, taxiiPace())
		if (err != nil) != c.fails {
			t.Errorf("%s: %v", c.name, err)
		}
		all, err := n.TAXIIServers(t.Context(), accounts.Local())
		taxiiOK(t, err)
		if got := all[len(all)-1]; c.fails && (got.State() != "failing" || got.Detail == "" || strings.Contains(got.Detail, n.secret)) || !c.fails && got.Failures == 0 {
			t.Errorf("%s: %+v", c.name, got)
		}
		web.Close()
		taxiiOK(t, n.RemoveTAXII(t.Context(), accounts.Local(), s.ID))
	}
	page1, err := n.o.Journal.Page(t.Context(), polder.Sight{Org: n.org.ID, Communities: []polder.CommunityID{n.com.ID}}, journal.Query{IDs: []string{"indicator--00000000-0000-4000-8000-000000000001"}, All: true, Limit: 10})
	taxiiOK(t, err)
	if len(page1.Deliveries) != 1 || string(page1.Deliveries[0].Raw) != foreign {
		t.Errorf("the first bytes are not what is held: %+v", page1)
	}
}

// TestTAXIIAddIsChecked: what cannot work is refused when it is added, and no secret is in a message.
func TestTAXIIAddIsChecked(t *testing.T) {
	n := newTAXIINode(t)
	for why, change := range map[string]func(*NewTAXIIServer){
		"a password in the address": func(s *NewTAXIIServer) { s.URL = "https://a:b@taxii.example/" },
		"no address":                func(s *NewTAXIIServer) { s.URL = "taxii.example" },
		"no collection":             func(s *NewTAXIIServer) { s.Collection = "" },
		"a name without a password": func(s *NewTAXIIServer) { s.Secret = "" },
		"a strict level":            func(s *NewTAXIIServer) { s.Unmarked = stix.Red },
		"no direction":              func(s *NewTAXIIServer) { s.Direction = "up" },
		"a stranger":                func(s *NewTAXIIServer) { s.Org = "identity--00000000-0000-4000-8000-000000000001" },
	} {
		s := NewTAXIIServer{Community: n.com.Alias, Org: n.org.ID, URL: "https://taxii.example/api/", Collection: "c", User: "u", Secret: "hidden-word", Direction: "pull"}
		change(&s)
		_, err := n.AddTAXII(t.Context(), accounts.Local(), s)
		if err == nil || strings.Contains(err.Error(), "hidden-word") {
			t.Errorf("%s: %v", why, err)
		}
	}
	if _, err := n.AddTAXII(t.Context(), n.actor, NewTAXIIServer{Community: n.com.Alias, Org: n.org.ID, URL: "https://taxii.example/api/", Collection: "c"}); polder.KindOf(err) != polder.Forbidden {
		t.Errorf("who is no administrator: %v", err)
	}
}
