package node

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/accounts"
	"github.com/polder-exchange/polder/internal/exchange"
	"github.com/polder-exchange/polder/internal/exchange/peers"
	"github.com/polder-exchange/polder/internal/journal"
	"github.com/polder-exchange/polder/internal/policy"
	"github.com/polder-exchange/polder/stix"
)

// afloat is a node of its own, on a socket that keeps its address when the node is stopped and started again.
type afloat struct {
	*Node
	name  string
	dir   string
	addr  string // where it listens
	url   string // how others reach it; a proxy may stand between
	log   *lines
	org   polder.Org // that runs it
	token string     // a contributor's of org
	ahead atomic.Int64
	pace  peers.Pace // of its links
	set   Config     // but for its address
	end   func()
}

// newAfloat makes a node that serves, run by an organisation of that name.
func newAfloat(t testing.TB, name string) *afloat {
	t.Helper()
	return newAfloatWith(t, name, Config{LogLevel: "info"})
}

func newAfloatWith(t testing.TB, name string, set Config) *afloat {
	t.Helper()
	a := &afloat{name: name, dir: filepath.Join(t.TempDir(), "node"), log: &lines{}, set: set, end: func() {}}
	ctx, local := context.Background(), accounts.Local()
	s, err := OpenStore(ctx, a.dir, true)
	ok(t, err)
	quick := accounts.New(s.DB, s.Audit, accounts.Options{Password: demoPassword})
	made, err := quick.Init(ctx, name, "NL")
	ok(t, err)
	a.org = made.Org
	_, a.token, err = s.Accounts.CreateToken(ctx, local, accounts.NewToken{Org: a.org.ID, Role: polder.RoleContributor, Name: "tools"})
	ok(t, err)
	ok(t, s.Close())
	l, err := net.Listen("tcp", "127.0.0.1:0")
	ok(t, err)
	a.addr = l.Addr().String()
	a.url = "http://" + a.addr
	a.serve(t, l)
	t.Cleanup(func() { a.end() })
	return a
}

func (a *afloat) now() time.Time { return time.Now().Add(time.Duration(a.ahead.Load())) }

// actor is the organisation's own contributor.
func (a *afloat) actor(t testing.TB) polder.Actor {
	t.Helper()
	tokens, err := a.Accounts.Tokens(context.Background(), accounts.Local(), a.org.ID)
	ok(t, err)
	i := slices.IndexFunc(tokens, func(x accounts.Token) bool { return x.Name == "tools" })
	if i < 0 {
		t.Fatal("no token of the tools")
	}
	return polder.Actor{Org: a.org.ID, Token: tokens[i].ID, Role: polder.RoleContributor}
}

func (a *afloat) serve(t testing.TB, l net.Listener) {
	t.Helper()
	set := a.set
	set.PublicURL = a.url
	n, err := Open(context.Background(), a.dir, set.filled(), Options{Log: a.log, Now: a.now, pace: a.pace})
	ok(t, err)
	a.Node = n
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- n.Serve(ctx, l) }()
	a.end = sync.OnceFunc(func() {
		cancel()
		ok(t, <-done)
		ok(t, n.Close())
	})
}

// stop ends the node as SIGTERM does; start brings it up again on its address.
func (a *afloat) stop() { a.end() }

func (a *afloat) start(t testing.TB) {
	t.Helper()
	var l net.Listener
	var err error
	for range 100 { // the address may linger for a moment
		if l, err = net.Listen("tcp", a.addr); err == nil {
			break
		}
		time.Sleep(20 * time.Millisecond)
	}
	ok(t, err)
	a.serve(t, l)
}

// command runs a command of the program, as at a shell.
func (a *afloat) command(t testing.TB, into any, args ...string) string {
	t.Helper()
	out, err := run(context.Background(), args...)
	ok(t, err)
	if into != nil {
		if err := json.Unmarshal([]byte(out), into); err != nil {
			t.Fatalf("polder %s: %v in %s", strings.Join(args, " "), err, out)
		}
	}
	return out
}

// community makes a community whose home is a, with a's organisation as steward.
func (a *afloat) community(t testing.TB, name string) polder.Community {
	t.Helper()
	c, err := a.Accounts.AddCommunity(context.Background(), accounts.Local(), name, stix.None)
	ok(t, err)
	_, err = a.Accounts.Join(context.Background(), accounts.Local(), c.ID, a.org.ID, polder.RoleSteward)
	ok(t, err)
	return c
}

// share shares objects from a in the community of that id.
func (a *afloat) share(t testing.TB, c polder.CommunityID, level stix.Marking, to []polder.OrgID, raw ...[]byte) exchange.Result {
	t.Helper()
	r := exchange.Request{Community: string(c), Level: level, To: to, Confirmed: true}
	for _, b := range raw {
		r.Objects = append(r.Objects, exchange.Incoming{Raw: b})
	}
	res, err := a.Exchange.Share(context.Background(), a.actor(t), r)
	ok(t, err)
	if len(res.Refused) > 0 {
		t.Fatalf("%s: refused: %+v", a.name, res.Refused)
	}
	return res
}

// sees is what a's organisation sees in a community: id and version of each delivery, withdrawals as "-", in order.
func (a *afloat) sees(t testing.TB, c polder.CommunityID) (out []string) {
	t.Helper()
	m, err := a.Accounts.Memberships(context.Background(), a.org.ID)
	ok(t, err)
	sight := policy.Sight(a.actor(t), m).In(c)
	q := journal.Query{All: true, Limit: 1000}
	for {
		page, err := a.Journal.Page(context.Background(), sight, q)
		ok(t, err)
		for _, d := range page.Deliveries {
			q.After = d.Seq
			out = append(out, d.ID+" "+d.Version+" "+d.Level.String())
		}
		if !page.More {
			return out
		}
	}
}

// until waits for something, far longer than it takes.
func until(t testing.TB, what string, done func() bool) {
	t.Helper()
	for deadline := time.Now().Add(60 * time.Second); !done(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("not within a minute: %s", what)
		}
	}
}

// signal is an indicator that a's organisation creates, with a word that tells it from others.
func (a *afloat) signal(n int, word string) []byte {
	id := stix.NewID("indicator")
	at := time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC).Add(time.Duration(n) * time.Second).Format("2006-01-02T15:04:05.000Z")
	return fmt.Appendf(nil, `{"type":"indicator","spec_version":"2.1","id":%q,"created_by_ref":%q,"created":%q,"modified":%q,"name":"%s %d","pattern_type":"stix","pattern":"[domain-name:value = 'x%d-%d.example']","valid_from":%q}`,
		id, a.org.ID, at, at, word, n, n, rand.IntN(1<<30), at)
}

// strait is a proxy between nodes that cuts, stalls and slows what passes.
type strait struct {
	l     net.Listener
	to    string
	mu    sync.Mutex
	open  map[net.Conn]bool
	stall atomic.Bool  // nothing passes, nothing ends: half-open
	slow  atomic.Int64 // nanoseconds before each piece
	shut  atomic.Bool  // new connections are refused
	cuts  atomic.Int64
}

func newStrait(t testing.TB, to string) *strait {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	ok(t, err)
	s := &strait{l: l, to: to, open: map[net.Conn]bool{}}
	go s.run()
	t.Cleanup(func() { _ = l.Close(); s.cut() })
	return s
}

func (s *strait) url() string { return "http://" + s.l.Addr().String() }

func (s *strait) run() {
	for {
		c, err := s.l.Accept()
		if err != nil {
			return
		}
		if s.shut.Load() {
			_ = c.Close()
			continue
		}
		far, err := net.Dial("tcp", s.to)
		if err != nil {
			_ = c.Close()
			continue
		}
		s.mu.Lock()
		s.open[c], s.open[far] = true, true
		s.mu.Unlock()
		go s.pass(c, far)
		go s.pass(far, c)
	}
}

// pass carries one direction, in small pieces, so that a cut falls anywhere.
func (s *strait) pass(from, to net.Conn) {
	buf := make([]byte, 1500)
	for {
		n, err := from.Read(buf)
		for s.stall.Load() {
			time.Sleep(5 * time.Millisecond)
		}
		time.Sleep(time.Duration(s.slow.Load()))
		if n > 0 {
			if _, werr := to.Write(buf[:n]); werr != nil {
				break
			}
		}
		if err != nil {
			break
		}
	}
	_, _ = from.Close(), to.Close()
	s.mu.Lock()
	delete(s.open, from)
	delete(s.open, to)
	s.mu.Unlock()
}

// cut ends every connection that is open.
func (s *strait) cut() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.cuts.Add(1)
	for c := range s.open {
		if tcp, is := c.(*net.TCPConn); is && rand.IntN(2) == 0 {
			_ = tcp.SetLinger(0) // a reset instead of an end
		}
		_ = c.Close()
	}
	clear(s.open)
}
