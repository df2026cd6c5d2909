package node

import (
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/stix"
)

// cutter is a TCP proxy that cuts each connection after a random number of bytes.
type cutter struct {
	l      net.Listener
	target atomic.Pointer[string]
	cuts   atomic.Int64
	whole  atomic.Bool // cut no more
}

func newCutter(t *testing.T) *cutter {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	ok(t, err)
	c := &cutter{l: l}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			in, err := l.Accept()
			if err != nil {
				return
			}
			go c.carry(in)
		}
	}()
	return c
}

func (c *cutter) url() string { return "http://" + c.l.Addr().String() }

func (c *cutter) carry(in net.Conn) {
	defer in.Close()
	out, err := net.Dial("tcp", strings.TrimPrefix(*c.target.Load(), "http://"))
	if err != nil {
		return
	}
	defer out.Close()
	go func() { _, _ = io.Copy(out, in) }() // ends with the connection
	if c.whole.Load() {
		_, _ = io.Copy(in, out)
		return
	}
	_, _ = io.CopyN(in, out, 600+rand.Int64N(12_000))
	c.cuts.Add(1)
	if tcp, isTCP := in.(*net.TCPConn); isTCP && rand.IntN(2) == 0 {
		_ = tcp.SetLinger(0) // a reset instead of an end
	}
}

// record is what one client was told over all its connections.
type record struct {
	mu      sync.Mutex
	events  []told
	resumes int
}

func (h *record) follow(url, token string, stop <-chan struct{}) {
	last := polder.Seq(0)
	for {
		l, err := follow(url, token, fmt.Sprintf("since=%d", int64(last)))
		if err != nil {
			select {
			case <-stop:
				return
			case <-time.After(20 * time.Millisecond):
				continue
			}
		}
		h.mu.Lock()
		h.resumes++
		h.mu.Unlock()
		for open := true; open; {
			select {
			case e := <-l.events:
				last = h.take(e)
			case <-l.ended:
				open = false
			case <-stop:
				l.cancel()
				return
			}
		}
		for len(l.events) > 0 {
			last = h.take(<-l.events)
		}
	}
}

func (h *record) take(e told) polder.Seq {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.events = append(h.events, e)
	return e.seq
}

func (h *record) len() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.events)
}

// batch are the ids of one acknowledged share, and whether it named somebody else than the follower.
type batch struct {
	ids    []string
	hidden bool
}

// TestF10Stream (F10): connections are cut at random and the node is restarted while two writers share. Each client's
// history is filtered, ordered, unique, atomic and reliable over all its resumes, and at the end pages, stream, search and
// export hold the same.
func TestF10Stream(t *testing.T) {
	p := newPlace(t)
	p.serve(t)
	c := newCutter(t)
	first := p.url
	c.target.Store(&first)
	stop := make(chan struct{})
	var followers sync.WaitGroup
	histories := []*record{{}, {}}
	for _, h := range histories {
		followers.Go(func() { h.follow(c.url(), p.tokens["named"], stop) })
	}
	var sent []batch
	for half := range 2 {
		sent = append(sent, p.writeBatches(t, half)...)
		if half == 0 {
			p.end()
			p.open(t)
			p.serve(t)
			url := p.url
			c.target.Store(&url)
		}
	}
	want := 0
	for _, b := range sent {
		if !b.hidden {
			want += len(b.ids)
		}
	}
	until := time.Now().Add(60 * time.Second)
	for i, h := range histories {
		for h.len() < want {
			if time.Now().After(until) {
				t.Fatalf("Reliable: client %d has %d of %d events after %d resumes", i, h.len(), want, h.resumes)
			}
			time.Sleep(10 * time.Millisecond)
		}
	}
	time.Sleep(100 * time.Millisecond) // for what would come twice
	close(stop)
	followers.Wait()
	for _, h := range histories {
		checkHistory(t, h, sent)
	}
	if c.cuts.Load() < 5 {
		t.Errorf("%d connections were cut: little was tested", c.cuts.Load())
	}
	p.agree(t, histories[0])
}

func (p *place) writeBatches(t *testing.T, half int) (sent []batch) {
	t.Helper()
	var mu sync.Mutex
	var writers sync.WaitGroup
	for w, as := range []string{"sharer", "plain"} {
		writers.Go(func() {
			for i := range soak(20, 400) {
				b := batch{hidden: i%4 == 3}
				var objects []string
				for k := range 1 + (i*5+w)%9 {
					n := half*1_000_000 + w*100_000 + i*10 + k + 1
					b.ids = append(b.ids, entryID(n))
					objects = append(objects, entry(n, 0, stix.Green, `,"name":"stroom"`))
				}
				query := ""
				if b.hidden {
					query = "to=" + string(p.orgs["stew"].ID)
				}
				a := p.tryShare(as, "ring", query, objects...)
				if a.status != 200 {
					t.Errorf("share: %d %s", a.status, a.body)
					return
				}
				mu.Lock()
				sent = append(sent, b)
				mu.Unlock()
			}
		})
	}
	writers.Wait()
	return sent
}

// checkHistory holds a history against what was acknowledged, by etcd's names for what a watch promises.
func checkHistory(t *testing.T, h *record, sent []batch) {
	t.Helper()
	at := map[string]int{}
	for i, e := range h.events {
		if i > 0 && e.seq <= h.events[i-1].seq {
			t.Errorf("Ordered: %d follows %d", e.seq, h.events[i-1].seq)
		}
		if _, twice := at[e.id]; twice {
			t.Errorf("Unique: %s twice", e.id)
		}
		at[e.id] = i
	}
	for _, b := range sent {
		for k, id := range b.ids {
			i, has := at[id]
			switch {
			case b.hidden && has:
				t.Errorf("Filter: told of %s", id)
			case !b.hidden && !has:
				t.Errorf("Reliable: never told of %s", id)
			case !b.hidden && k > 0 && i != at[b.ids[k-1]]+1:
				t.Errorf("Atomic: %s does not follow the one before it in its batch", id)
			}
		}
	}
	if h.resumes < 3 {
		t.Errorf("Resumable: %d connections only", h.resumes)
	}
}

// agree compares stream, pages, export and search of the follower.
func (p *place) agree(t *testing.T, h *record) {
	t.Helper()
	var stream []string
	for _, e := range h.events {
		stream = append(stream, e.id)
	}
	if pages := pageIDs(t, p.url, p.tokens["named"]); !slices.Equal(pages, stream) {
		t.Errorf("pages have %d objects, the stream has %d, or in another order", len(pages), len(stream))
	}
	var bundle struct{ Objects []struct{ ID string } }
	ok(t, json.Unmarshal([]byte(p.ask(ask{as: "named", path: "/api/v1/export?format=stix"}).body), &bundle))
	slices.Sort(stream)
	if export := sortedIDs(bundle.Objects); !slices.Equal(export, stream) {
		t.Errorf("the export has %d objects, the stream has %d", len(export), len(stream))
	}
	for _, id := range []string{stream[0], stream[len(stream)/2], stream[len(stream)-1]} {
		if a := p.ask(ask{as: "named", path: "/api/v1/search?q=" + id}); a.status != 200 || !strings.Contains(a.body, id) {
			t.Errorf("search does not find %s: %s", id, a.body)
		}
	}
}

func sortedIDs(objects []struct{ ID string }) (ids []string) {
	for _, o := range objects {
		ids = append(ids, o.ID)
	}
	slices.Sort(ids)
	return ids
}

// TestS38Stalled (S38): a peer that stops reading holds nobody else up, and is cut by the deadline of one write.
func TestS38Stalled(t *testing.T) {
	if testing.Short() {
		t.Skip("waits out the deadline of a write")
	}
	p := newPlace(t)
	p.serve(t)
	conn, err := net.Dial("tcp", strings.TrimPrefix(p.url, "http://"))
	ok(t, err)
	defer conn.Close()
	ok(t, conn.(*net.TCPConn).SetReadBuffer(4096))
	fmt.Fprintf(conn, "GET /api/v1/stream?since=0 HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\n\r\n", p.tokens["named"])
	l := p.listen(t, "stew", "since=0")
	big := `,"description":"` + strings.Repeat("w", 200_000) + `"`
	const n = 60
	var slowest time.Duration
	for i := range n {
		began := time.Now()
		p.share(t, "plain", "ring", "", entry(i+1, 0, stix.Green, big))
		slowest = max(slowest, time.Since(began))
	}
	for range n {
		select {
		case <-l.events:
		case <-time.After(20 * time.Second):
			t.Fatal("another reader waits for the one that stopped")
		}
	}
	if slowest > 8*time.Second {
		t.Errorf("a share took %v", slowest)
	}
	for until := time.Now().Add(25 * time.Second); !strings.Contains(p.log.String(), `"route":"/api/v1/stream"`); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(until) {
			t.Fatal("the node still writes to a peer that stopped reading")
		}
	}
}
