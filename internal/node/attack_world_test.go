package node

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/accounts"
	"github.com/polder-exchange/polder/stix"
)

// lines keeps what a node logs.
type lines struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// place is a node with organisations of every kind, asked without a network unless it is served:
//
//	sharer    contributor in ring and other: its name and id are what blinding hides
//	named     contributor in ring
//	plain     contributor in ring
//	stew      steward in ring
//	left      was a member of ring
//	foreign   contributor in other
//	hub       runs the node; its admin token
type place struct {
	*Node
	dir         string
	url         string // once served
	log         *lines
	orgs        map[string]polder.Org
	tokens      map[string]string // a contributor's token of each organisation, and by kind; see make
	ids         map[string]polder.TokenID
	cookie      string // the session of a person of plain who reads
	password    string // of that person
	ring, other polder.Community
	ahead       atomic.Int64 // how far the clock of the node is ahead
	end         func()
}

func newPlace(t testing.TB) *place {
	t.Helper()
	p := &place{dir: t.TempDir(), log: &lines{}, orgs: map[string]polder.Org{}, tokens: map[string]string{}, ids: map[string]polder.TokenID{}}
	p.make(t)
	p.open(t)
	return p
}

func (p *place) now() time.Time { return time.Now().Add(time.Duration(p.ahead.Load())) }

// open opens the node of the folder.
func (p *place) open(t testing.TB) {
	t.Helper()
	c := Config{LogLevel: "debug"}.filled()
	n, err := Open(context.Background(), p.dir, c, Options{Log: p.log, Now: p.now, Password: demoPassword})
	ok(t, err)
	p.Node = n
	p.end = sync.OnceFunc(func() { ok(t, n.Close()) })
	t.Cleanup(func() { p.end() })
}

// serve puts the node on a socket, for what needs connections; the exchange's own loops run too.
func (p *place) serve(t testing.TB) {
	t.Helper()
	sock, err := net.Listen("tcp", "127.0.0.1:0")
	ok(t, err)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	n := p.Node
	go func() { done <- n.Serve(ctx, sock) }()
	p.url = "http://" + sock.Addr().String()
	p.end = sync.OnceFunc(func() {
		cancel()
		ok(t, <-done)
		ok(t, n.Close())
	})
}

func (p *place) make(t testing.TB) {
	t.Helper()
	ctx, local := context.Background(), accounts.Local()
	s, err := OpenStore(ctx, p.dir, true)
	ok(t, err)
	defer s.Close()
	s.Accounts = accounts.New(s.DB, s.Audit, accounts.Options{Password: demoPassword})
	host, err := s.Accounts.Init(ctx, "Hub", "NL")
	ok(t, err)
	p.orgs["hub"], p.tokens["admin"] = host.Org, host.Token
	p.ring, err = s.Accounts.AddCommunity(ctx, local, "Ring", stix.None)
	ok(t, err)
	p.other, err = s.Accounts.AddCommunity(ctx, local, "Other", stix.Green)
	ok(t, err)
	for _, o := range []struct {
		key, name string
		in        []polder.Community
		role      polder.Role
	}{
		{"sharer", "Zonneklaar Vacuumventiel", []polder.Community{p.ring, p.other}, polder.RoleContributor},
		{"named", "Genoemd", []polder.Community{p.ring}, polder.RoleContributor},
		{"plain", "Gewoon", []polder.Community{p.ring}, polder.RoleContributor},
		{"stew", "Rentmeester", []polder.Community{p.ring}, polder.RoleSteward},
		{"left", "Vertrokken", []polder.Community{p.ring}, polder.RoleContributor},
		{"foreign", "Vreemd", []polder.Community{p.other}, polder.RoleContributor},
	} {
		p.orgs[o.key], err = s.Accounts.AddOrg(ctx, local, accounts.NewOrg{Name: o.name})
		ok(t, err)
		for _, c := range o.in {
			_, err = s.Accounts.Join(ctx, local, c.ID, p.orgs[o.key].ID, o.role)
			ok(t, err)
		}
		p.token(t, s.Accounts, o.key, o.key, o.role, time.Time{})
	}
	p.token(t, s.Accounts, "reader", "plain", polder.RoleReader, time.Time{})
	p.token(t, s.Accounts, "contributor", "plain", polder.RoleContributor, time.Time{})
	p.token(t, s.Accounts, "steward", "stew", polder.RoleSteward, time.Time{})
	p.token(t, s.Accounts, "expired", "plain", polder.RoleSteward, time.Now().Add(time.Hour))
	p.token(t, s.Accounts, "revoked", "plain", polder.RoleSteward, time.Time{})
	ok(t, s.Accounts.RevokeToken(ctx, local, p.ids["revoked"]))
	p.person(t, s.Accounts)
	p.ahead.Store(int64(2 * time.Hour)) // past what expires
}

func (p *place) token(t testing.TB, a *accounts.Service, key, org string, role polder.Role, expires time.Time) {
	t.Helper()
	made, text, err := a.CreateToken(context.Background(), accounts.Local(), accounts.NewToken{Org: p.orgs[org].ID, Role: role, Name: key, Expires: expires})
	ok(t, err)
	p.tokens[key], p.ids[key] = text, made.ID
}

// person logs a reader of plain in.
func (p *place) person(t testing.TB, a *accounts.Service) {
	t.Helper()
	ctx, email := context.Background(), "reader@plain.example"
	who, first, err := a.AddPerson(ctx, accounts.Local(), accounts.NewPerson{Org: p.orgs["plain"].ID, Email: email, Name: "Reader", Role: polder.RoleReader})
	ok(t, err)
	p.password = "vier losse woorden hier"
	by := polder.Actor{Org: p.orgs["plain"].ID, Person: who.ID, Role: polder.RoleReader}
	ok(t, a.ChangePassword(ctx, by, first, p.password, ""))
	p.logIn(t, a)
}

// logIn begins a session of that person.
func (p *place) logIn(t testing.TB, a *accounts.Service) {
	t.Helper()
	cookie, _, err := a.LogIn(context.Background(), "reader@plain.example", p.password, loopbackAddr, "test")
	ok(t, err)
	p.cookie = cookie
}

// ask is a request to a node that need not be served.
type ask struct {
	as     string // a key of tokens, "session", or "" for nobody
	method string // GET when empty
	path   string
	body   string
	kind   string // content type
	head   map[string]string
	wait   time.Duration // for streams: how long to listen
}

// answer is what came of it.
type answer struct {
	status int
	head   http.Header
	body   string
}

func (p *place) request(q ask) *http.Request {
	if q.method == "" {
		q.method = "GET"
	}
	u, err := url.Parse(q.path)
	if err != nil {
		panic(err) // a path of the test itself
	}
	r := httptest.NewRequest(q.method, "http://node.example/", strings.NewReader(q.body))
	r.URL.Path, r.URL.RawPath, r.URL.RawQuery, r.RequestURI = u.Path, u.RawPath, u.RawQuery, q.path
	r.RemoteAddr = "127.0.0.1:40000"
	switch q.as {
	case "":
	case "session":
		r.AddCookie(&http.Cookie{Name: "polder", Value: p.cookie})
	default:
		text, known := p.tokens[q.as]
		if !known {
			text = q.as
		}
		r.Header.Set("Authorization", "Bearer "+text)
	}
	r.Header.Set("Accept", "application/taxii+json;version=2.1, application/json;q=0.9, */*;q=0.8")
	if q.kind != "" {
		r.Header.Set("Content-Type", q.kind)
	}
	for k, v := range q.head {
		r.Header.Set(k, v)
	}
	return r
}

// ask asks the handler itself. A panic of a handler is a 500 there, as on a socket.
func (p *place) ask(q ask) answer {
	r := p.request(q)
	if q.wait > 0 {
		ctx, cancel := context.WithTimeout(r.Context(), q.wait)
		defer cancel()
		r = r.WithContext(ctx)
	}
	w := httptest.NewRecorder()
	p.Handler().ServeHTTP(w, r)
	return answer{w.Code, w.Header(), w.Body.String()}
}

const (
	taxiiKind = "application/taxii+json;version=2.1"
	jsonKind  = "application/json"
)

// share brings STIX into a community over the API and demands that it is taken.
func (p *place) share(t testing.TB, as, alias, query string, objects ...string) polder.Seq {
	t.Helper()
	a := p.tryShare(as, alias, query, objects...)
	var out struct{ Seq polder.Seq }
	if a.status != http.StatusOK || json.Unmarshal([]byte(a.body), &out) != nil {
		t.Fatalf("share by %s: %d %s", as, a.status, a.body)
	}
	return out.Seq
}

func (p *place) tryShare(as, alias, query string, objects ...string) answer {
	return p.ask(ask{as: as, method: "POST", path: "/api/v1/communities/" + alias + "/share?" + query, kind: jsonKind, body: bundleOf(objects...)})
}

func bundleOf(objects ...string) string {
	return `{"type":"bundle","id":"bundle--5d0092c5-5f74-4287-9642-33f4c354e56d","objects":[` + strings.Join(objects, ",") + `]}`
}

// entry is an indicator of the n-th id and the v-th second, with more properties after a comma.
func entry(n, v int, level stix.Marking, more string) string {
	mark := ""
	if level != stix.None {
		mark = fmt.Sprintf(`,"object_marking_refs":[%q]`, level.ID())
	}
	return fmt.Sprintf(`{"type":"indicator","spec_version":"2.1","id":%q,"created":"2026-01-01T00:00:00.000Z","modified":"2026-01-01T00:%02d:%02d.000Z","pattern":"[domain-name:value = 'x%d.example']","pattern_type":"stix","valid_from":"2026-01-01T00:00:00Z"%s%s}`,
		entryID(n), v/60, v%60, n, mark, more)
}

func entryID(n int) string { return fmt.Sprintf("indicator--00000000-0000-4000-8000-%012d", n) }

// seen are the ids and versions that a reader gets from the API of one community, or of all.
func (p *place) seen(t testing.TB, as, alias string) map[string]string {
	t.Helper()
	a := p.ask(ask{as: as, path: "/api/v1/objects?version=all&limit=1000&community=" + alias})
	if a.status == http.StatusNotFound {
		return map[string]string{}
	}
	var page struct {
		Objects []struct {
			TLP    string
			Object struct{ ID, Modified string }
		}
	}
	if a.status != http.StatusOK || json.Unmarshal([]byte(a.body), &page) != nil {
		t.Fatalf("objects for %s: %d %s", as, a.status, a.body)
	}
	out := map[string]string{}
	for _, o := range page.Objects {
		out[o.Object.ID] = o.TLP
	}
	return out
}
