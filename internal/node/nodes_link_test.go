package node

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/polder-exchange/polder/internal/accounts"
	"github.com/polder-exchange/polder/internal/exchange/peers"
	"github.com/polder-exchange/polder/stix"
)

// repaced starts a node again with another pace of its links.
func (a *afloat) repaced(t testing.TB, p peers.Pace) {
	t.Helper()
	a.stop()
	a.pace = p
	a.start(t)
}

// TestF9HomeHalfOpen (F9): a member goes silently, while its stream still looks open to the home. The home ends the stream
// after the silence that it allows, and says so, though the member has not hung up; and what was shared meanwhile comes
// when the wire does.
func TestF9HomeHalfOpen(t *testing.T) {
	t.Parallel() // it waits more than it works
	hub, maker := newAfloat(t, "Hub"), newAfloat(t, "Maker")
	hub.repaced(t, peers.Pace{Beat: 200 * time.Millisecond, Silent: 2 * time.Second})
	maker.repaced(t, peers.Pace{Beat: 200 * time.Millisecond, First: 20 * time.Millisecond, Last: 200 * time.Millisecond}) // it waits long itself
	c := hub.community(t, "Chips")
	wire := newStrait(t, hub.addr)
	link := linked(t, hub, maker, c, wire.url()).Link
	first := hub.signal(1, "first")
	hub.share(t, c.ID, stix.Green, nil, first)
	maker.holds(t, c.ID, idOf(t, first))
	until(t, "the home shows the link as live", func() bool { return hub.linkAt(t, link).Live() })

	wire.stall.Store(true)
	second := hub.signal(2, "second")
	hub.share(t, c.ID, stix.Green, nil, second)
	shown := false
	for deadline := time.Now().Add(15 * time.Second); !shown && time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		l := hub.linkAt(t, link)
		shown = l.Standing() == "waiting" && strings.Contains(l.Why(), "nothing was heard")
	}
	if l := hub.linkAt(t, link); !shown {
		t.Errorf("the home shows the link as %s %q after more than the silence that it allows", l.Standing(), l.Why())
	}
	if got := maker.linkAt(t, link).Standing(); got != "live" {
		t.Errorf("the member shows the link as %s: it hung up itself, so the home was not asked", got)
	}

	wire.cut()
	wire.stall.Store(false)
	maker.holds(t, c.ID, idOf(t, second))
	until(t, "the link is live again, and says nothing of it any more", func() bool {
		l := hub.linkAt(t, link)
		return l.Live() && l.Why() == ""
	})
}

// limits sets the limits of a link by the command, and looks that they are shown.
func (a *afloat) limits(t testing.TB, link string, rate, bytes int) {
	t.Helper()
	type limits struct {
		Rate  int
		Bytes int `json:"bytes_per_day"`
	}
	var said, listed limits
	a.command(t, &said, "peer", "limit", "--data", a.dir, "--rate", strconv.Itoa(rate), "--bytes-per-day", strconv.Itoa(bytes), "--json", link)
	a.command(t, &listed, "peer", "list", "--data", a.dir, "--json")
	want := limits{rate, bytes}
	if rate == 0 {
		want.Rate = peers.DefaultRate
	}
	if bytes == 0 {
		want.Bytes = peers.DefaultBytes
	}
	if said != want || listed != want {
		t.Errorf("limits are said to be %+v and listed as %+v, want %+v", said, listed, want)
	}
}

// TestLinkLimits: the limits of a link hold up a member that pushes, where the home sets them, and a home that hands down
// too much, where the member does. The member says why it waits, the other direction goes on, and when the limit is lifted
// everything comes at once.
func TestLinkLimits(t *testing.T) {
	t.Parallel()       // it waits more than it works
	const burst = 1000 // what may come at once whatever the rate
	hub, maker := newAfloat(t, "Hub"), newAfloat(t, "Maker")
	c := hub.community(t, "Chips")
	link := linked(t, hub, maker, c, hub.url).Link
	numbers := 0
	several := func(from *afloat, count int) (ids []string) {
		var raw [][]byte
		for range count {
			numbers++
			raw = append(raw, from.signal(numbers, "l"))
			ids = append(ids, idOf(t, raw[len(raw)-1]))
		}
		from.share(t, c.ID, stix.Green, nil, raw...)
		return ids
	}
	has := func(n *afloat, ids []string) (count int) {
		seen := n.sees(t, c.ID)
		for i, s := range seen {
			seen[i], _, _ = strings.Cut(s, " ")
		}
		slices.Sort(seen)
		for _, id := range ids {
			if _, held := slices.BinarySearch(seen, id); held {
				count++
			}
		}
		return count
	}
	several(hub, 1)
	for _, row := range []struct {
		why         string
		at, from    *afloat // whose limit; who is held up by it
		rate, bytes int
		count, most int
		says        string
	}{
		{"bytes a day of what is pushed", hub, maker, 0, 1, 1, 0, "bytes"},
		{"deliveries a second of what is pushed", hub, maker, 1, 0, burst + 200, burst, "deliveries a second"},
		{"bytes a day of what is pulled", maker, hub, 0, 1, 1, 0, "bytes"},
		{"deliveries a second of what is pulled", maker, hub, 1, 0, burst + 200, burst, "deliveries a second"},
	} {
		until(t, "the link is live", func() bool { return maker.linkAt(t, link).Live() })
		row.at.limits(t, link, row.rate, row.bytes)
		time.Sleep(500 * time.Millisecond) // a command is heeded within a quarter of a second
		held := several(row.from, row.count)
		until(t, row.why+": the member says what holds it up", func() bool { return strings.Contains(maker.linkAt(t, link).Why(), row.says) })
		passed := has(row.at, held)
		if passed > row.most {
			t.Errorf("%s: %d of %d passed, want at most %d", row.why, passed, row.count, row.most)
		}
		if row.from == maker { // what a member is slow to take does not hold up what it gives, nor the other way round
			maker.holds(t, c.ID, several(hub, 1)[0])
		} else {
			hub.holds(t, c.ID, several(maker, 1)[0])
		}
		began := time.Now()
		row.at.limits(t, link, 0, 0)
		until(t, row.why+": lifted, all of it comes", func() bool { return has(row.at, held) == row.count })
		until(t, row.why+": nothing is said of it any more", func() bool { return maker.linkAt(t, link).Why() == "" })
		t.Logf("%s: %d of %d passed; the rest %s after the limit was lifted", row.why, passed, row.count, time.Since(began).Round(time.Millisecond))
	}
	var twice []string
	seen := maker.sees(t, c.ID)
	for i, s := range seen {
		if slices.Contains(seen[:i], s) {
			twice = append(twice, s)
		}
	}
	if len(twice) > 0 {
		t.Errorf("the member holds %d twice: %.3q", len(twice), twice)
	}
}

// TestS17StolenStream (S17): who stole a node's key and holds a stream open that he opened with it gets nothing more from
// a second after the link was removed on, though he asks for nothing and so is refused nothing.
func TestS17StolenStream(t *testing.T) {
	t.Parallel() // it waits more than it works
	ctx := context.Background()
	hub, maker := newAfloat(t, "Hub"), newAfloat(t, "Maker")
	c := hub.community(t, "Chips")
	tap := &tapped{}
	door := httptest.NewServer(tap.before(hub.Handler()))
	defer door.Close()
	link := linked(t, hub, maker, c, door.URL).Link
	known := hub.signal(1, "known")
	hub.share(t, c.ID, stix.Green, nil, known)
	maker.holds(t, c.ID, idOf(t, known))
	until(t, "the link is live", func() bool { return hub.linkAt(t, link).Live() })
	heard := tap.last("/stream")
	session, target := heard.Header.Get("Polder-Session"), "stream?"+heard.URL.RawQuery
	signature, err := maker.federation.keys.SignNode(ctx, fmt.Appendf(nil, "polder request 1\n%s\n400\nGET\n%s\n%x\n", session, target, sha256.Sum256(nil)))
	ok(t, err)
	maker.stop() // its own stream would take the place of the thief's

	ctx, hangUp := context.WithCancel(ctx)
	defer hangUp()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, hub.url+"/api/v1/peer/"+target, nil)
	ok(t, err)
	r.Header = http.Header{"Polder-Session": {session}, "Polder-Count": {"400"}, "Polder-Signature": {base64.RawStdEncoding.EncodeToString(signature)}}
	res, err := http.DefaultTransport.RoundTrip(r)
	ok(t, err)
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		t.Fatalf("the stream is answered %d", res.StatusCode)
	}
	var mu sync.Mutex
	var read strings.Builder
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for lines := bufio.NewReader(res.Body); ; {
			line, err := lines.ReadString('\n')
			mu.Lock()
			read.WriteString(line)
			mu.Unlock()
			if err != nil {
				return
			}
		}
	}()
	says := func(raw []byte) bool {
		mu.Lock()
		defer mu.Unlock()
		return strings.Contains(read.String(), idOf(t, raw))
	}
	before, after := hub.signal(2, "before"), hub.signal(3, "after")
	hub.share(t, c.ID, stix.Green, nil, before)
	until(t, "the thief reads along", func() bool { return says(before) })
	ok(t, hub.federation.peers.Remove(ctx, accounts.Local(), link))
	time.Sleep(time.Second)
	hub.share(t, c.ID, stix.Green, nil, after)
	select {
	case <-ended:
	case <-time.After(3 * time.Second):
		t.Error("the stream goes on after its link was removed")
	}
	if says(after) {
		t.Error("the stream says what was shared after its link was removed")
	}
}
