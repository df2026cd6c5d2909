package node

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/accounts"
	"github.com/polder-exchange/polder/stix"
)

// lyingHome stands before a home and answers in its place while it has a lie to tell: pages of deliveries, or its stream.
type lyingHome struct {
	home   http.Handler
	server *httptest.Server
	lie    atomic.Pointer[homeLie]
	asked  atomic.Int64 // requests while it lied
}

type homeLie struct {
	path   string // of what is answered otherwise
	change func(true []byte, q url.Values) []byte
	packed bool
}

func newLyingHome(t testing.TB, home *afloat) *lyingHome {
	t.Helper()
	to, err := url.Parse(home.url)
	ok(t, err)
	l := &lyingHome{home: &httputil.ReverseProxy{FlushInterval: -1, Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(to) }}}
	l.server = httptest.NewServer(l)
	t.Cleanup(l.server.Close)
	return l
}

func (l *lyingHome) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	lie := l.lie.Load()
	if lie != nil {
		l.asked.Add(1)
	}
	if lie != nil && lie.path == "/deliveries" && strings.HasSuffix(r.URL.Path, "/stream") {
		w.WriteHeader(http.StatusServiceUnavailable) // or the truth would come by the stream before the page lies
		return
	}
	if lie == nil || !strings.HasSuffix(r.URL.Path, lie.path) {
		defer func() { _ = recover() }() // the proxy ends a cut stream by a panic that a server would catch
		l.home.ServeHTTP(w, r)
		return
	}
	var answer []byte
	if lie.path == "/deliveries" {
		got := httptest.NewRecorder()
		l.home.ServeHTTP(got, r)
		if answer = got.Body.Bytes(); got.Code != http.StatusOK { // a request that was cut on its way
			w.WriteHeader(got.Code)
			_, _ = w.Write(answer)
			return
		}
	}
	if lie.packed {
		w.Header().Set("Content-Encoding", "gzip")
	}
	_, _ = w.Write(lie.change(answer, r.URL.Query())) // a peer that has had enough hangs up
}

// tells has the home tell a lie from now on, on a connection that begins anew; nil is the truth.
func (l *lyingHome) tells(lie *homeLie) {
	l.asked.Store(0)
	l.lie.Store(lie)
	l.server.CloseClientConnections()
}

// bomb is a small text that unpacks to a very long one.
func bomb(t testing.TB) []byte {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	_, err := io.CopyN(z, endless{}, 64<<20)
	ok(t, err)
	ok(t, z.Close())
	return b.Bytes()
}

// endless is zeros.
type endless struct{}

func (endless) Read(p []byte) (int, error) { clear(p); return len(p), nil }

// TestS22HomeOverWire (S22, F9): a home that answers what no home may stops its link, by name; nothing of it is stored, the
// member's node goes on, and when the home tells the truth again and a person resumes the link, all comes.
func TestS22HomeOverWire(t *testing.T) {
	t.Parallel() // it waits more than it works
	hub, maker := newAfloat(t, "Hub"), newAfloat(t, "Maker")
	c := hub.community(t, "Chips")
	wire := newLyingHome(t, hub)
	link := linked(t, hub, maker, c, wire.server.URL)
	own := maker.community(t, "Maker's own")
	packed := bomb(t)
	elsewhere := []byte(own.ID)
	for n, row := range []struct {
		why  string
		lie  homeLie
		want string // in the reason
	}{
		{"a page that unpacks to 64 MB", homeLie{path: "/deliveries", packed: true, change: func([]byte, url.Values) []byte { return packed }}, "packs"},
		{"a page of a community that the link is not for", homeLie{path: "/deliveries", change: func(b []byte, _ url.Values) []byte {
			return bytes.ReplaceAll(b, []byte(c.ID), elsewhere)
		}}, "not for"},
		{"a page that leads back to itself", homeLie{path: "/deliveries", change: func(_ []byte, q url.Values) []byte {
			return fmt.Appendf(nil, `{"generation":%q,"next":%s,"top":1,"more":true,"deliveries":[]}`, q.Get("generation"), q.Get("after"))
		}}, ""},
		{"a page with numbers that fall", homeLie{path: "/deliveries", change: func(b []byte, q url.Values) []byte {
			after, _ := strconv.ParseInt(q.Get("after"), 10, 64)
			return fmt.Appendf(nil, `{"generation":%q,"next":%d,"top":1,"deliveries":[]}`, q.Get("generation"), after-1)
		}}, ""},
		{"a page without end", homeLie{path: "/deliveries", change: func([]byte, url.Values) []byte { return bytes.Repeat([]byte(" "), 13<<20) }}, "longer than"},
		{"no JSON", homeLie{path: "/deliveries", change: func([]byte, url.Values) []byte { return []byte("<html>") }}, ""},
		{"a stream of noise", homeLie{path: "/stream", change: func([]byte, url.Values) []byte { return bytes.Repeat([]byte(": x\n"), 30_000) }}, "without saying anything"},
		{"a line without end", homeLie{path: "/stream", change: func([]byte, url.Values) []byte { return bytes.Repeat([]byte("data"), 4<<20) }}, "longer than"},
	} {
		lie := row.lie
		wire.tells(&lie)
		raw := hub.signal(n, "truth")
		hub.share(t, c.ID, stix.Green, nil, raw)
		until(t, row.why+" stops the link", func() bool { return maker.linkAt(t, link.Link).Standing() == "stopped" })
		if why := maker.linkAt(t, link.Link).Why(); !strings.Contains(why, row.want) || why == "" {
			t.Errorf("%s: the reason is %q, want %q in it", row.why, why, row.want)
		}
		if got := wire.asked.Load(); got > 60 {
			t.Errorf("%s: the member asked %d times before it stopped", row.why, got)
		}
		if lie.path == "/deliveries" {
			maker.lacks(t, c.ID, idOf(t, raw))
		}
		maker.share(t, own.ID, stix.Green, nil, maker.signal(100+n, "own"))
		wire.tells(nil)
		ok(t, maker.federation.peers.Resume(t.Context(), accounts.Local(), link.Link))
		maker.holds(t, c.ID, idOf(t, raw))
	}
	homeForges(t, hub, maker, wire, c, link.Link)
}

// homeForges: a hundred objects whose bytes are not what was signed: each refused and kept by name, and then the link stops.
func homeForges(t *testing.T, hub, maker *afloat, wire *lyingHome, c polder.Community, link string) {
	wire.tells(&homeLie{path: "/deliveries", change: func(b []byte, _ url.Values) []byte {
		return bytes.ReplaceAll(b, []byte(`"forged `), []byte(`"Forged `))
	}})
	var raws [][]byte
	for n := range 120 {
		raws = append(raws, hub.signal(1000+n, "forged"))
	}
	hub.share(t, c.ID, stix.Green, nil, raws...)
	until(t, "a hundred forged objects stop the link", func() bool { return maker.linkAt(t, link).Standing() == "stopped" })
	l := maker.linkAt(t, link)
	if l.Quarantined < 100 || !strings.Contains(l.Why(), "in a row") {
		t.Errorf("after forged objects: %d kept, %q", l.Quarantined, l.Why())
	}
	for _, raw := range raws {
		maker.lacks(t, c.ID, idOf(t, raw))
	}
	wire.tells(nil)
	ok(t, maker.federation.peers.Resume(t.Context(), accounts.Local(), link))
	raw := hub.signal(2000, "after")
	hub.share(t, c.ID, stix.Green, nil, raw)
	maker.holds(t, c.ID, idOf(t, raw))
}

// TestS22HomeWavers (S22): a home that names another generation in each page than it says how the link stands costs few
// questions, and what it has comes when it has made up its mind.
func TestS22HomeWavers(t *testing.T) {
	t.Parallel() // it waits more than it works
	hub, maker := newAfloat(t, "Hub"), newAfloat(t, "Maker")
	c := hub.community(t, "Chips")
	wire := newLyingHome(t, hub)
	link := linked(t, hub, maker, c, wire.server.URL)
	until(t, "the link is live", func() bool { return maker.linkAt(t, link.Link).Live() })
	wire.tells(&homeLie{path: "/deliveries", change: func(b []byte, q url.Values) []byte {
		return bytes.Replace(b, []byte(q.Get("generation")), []byte("aaaaaaaaaaaaaaaaaaaaaaaaaa.7"), 1)
	}})
	time.Sleep(time.Second)
	if n := wire.asked.Load(); n < 3 || n > 60 {
		t.Errorf("a home that names another generation in each page was asked %d times in a second", n)
	}
	wire.tells(nil)
	raw := hub.signal(3000, "steady")
	hub.share(t, c.ID, stix.Green, nil, raw)
	until(t, "the member holds what the home has", func() bool {
		return len(maker.sees(t, c.ID)) == 1
	})
}
