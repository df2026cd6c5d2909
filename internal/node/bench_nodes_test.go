package node

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/accounts"
	"github.com/polder-exchange/polder/internal/db"
	"github.com/polder-exchange/polder/internal/policy"
	"github.com/polder-exchange/polder/stix"
)

// BenchmarkNodes measures nodes that are linked: every object is signed by who made it, checked at each node and on disk
// there, with the transparency log on. All nodes share this process and its cores.
func BenchmarkNodes(b *testing.B) {
	b.Run("fan-out", benchFanOut)
	b.Run("sustained", benchSustained)
	b.Run("catch-up", benchCatchUp)
}

const (
	fanMembers = 20
	fanRate    = 20 // objects a second
	fanObjects = 300
)

// benchFanOut has a maker share to its hub, and 20 member nodes take it: the time from sending the share to the moment
// when the last of them has it on disk, at 20 objects a second.
func benchFanOut(b *testing.B) {
	f := newFan(b)
	f.round(b, 2, 40) // every part has spoken once
	for b.Loop() {
		began := processor(b)
		took := f.round(b, fanRate, fanObjects)
		b.ReportMetric(milli([]time.Duration{processor(b) - began}, 1)/(fanObjects*(fanMembers+2)), "ms-processor/store")
		b.ReportMetric(milli(took.last, .5), "ms-p50")
		b.ReportMetric(milli(took.last, .99), "ms-p99")
		b.ReportMetric(milli(took.last, 1), "ms-max")
		b.ReportMetric(milli(took.first, .5), "ms-first-member-p50")
		b.ReportMetric(milli(took.share, .5), "ms-share-p50")
		echoed := echoedFan(b)
		b.ReportMetric(milli(echoed, .5), "ms-floor-echo-p50")
		b.ReportMetric(milli(echoed, .99), "ms-floor-echo-p99")
		b.ReportMetric(milli(committed(b, f.maker.DB), .5), "ms-floor-commit-p50")
	}
}

// benchSustained is the highest rate at which the time to the last of 20 members does not grow.
func benchSustained(b *testing.B) {
	f := newFan(b)
	f.round(b, 2, 20)
	for b.Loop() {
		b.ReportMetric(f.bearable(b), "objects/s")
	}
}

// processor is the processor time that this process has used.
func processor(b *testing.B) time.Duration {
	var used syscall.Rusage
	ok(b, syscall.Getrusage(syscall.RUSAGE_SELF, &used))
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}

// milli is a quantile of sorted times, in milliseconds.
func milli(took []time.Duration, p float64) float64 {
	return float64(took[int(p*float64(len(took)-1))].Microseconds()) / 1000
}

// fan is a maker, a hub and members, linked and confirmed.
type fan struct {
	hub, maker *afloat
	community  polder.CommunityID
	alias      string // at the maker
	n          int    // objects shared so far

	mu   sync.Mutex
	sent map[string]time.Time
	got  map[string][]time.Duration
	all  chan string // an id that every member holds
}

func newFan(b *testing.B) *fan {
	f := &fan{hub: newAfloat(b, "Hub"), maker: newAfloat(b, "Maker"), sent: map[string]time.Time{}, got: map[string][]time.Duration{}, all: make(chan string, 1<<16)}
	c := f.hub.community(b, "Chips")
	f.community, f.alias = c.ID, c.Alias
	linked(b, f.hub, f.maker, c, f.hub.url)
	ctx, cancel := context.WithCancel(context.Background())
	var watching sync.WaitGroup
	b.Cleanup(func() { cancel(); watching.Wait() })
	for i := range fanMembers {
		member := newAfloat(b, fmt.Sprintf("Member %d", i))
		linked(b, f.hub, member, c, f.hub.url)
		watching.Go(func() { f.watch(ctx, b, member) })
	}
	first := f.maker.signal(0, "first")
	f.expect(idOf(b, first))
	f.maker.share(b, c.ID, stix.Amber, nil, first)
	f.await(b, 1)
	return f
}

// watch follows what a member has on disk.
func (f *fan) watch(ctx context.Context, b *testing.B, member *afloat) {
	var cursor polder.Seq
	for ctx.Err() == nil {
		ms, err := member.Accounts.Memberships(ctx, member.org.ID)
		if err != nil {
			return
		}
		sight := policy.Sight(polder.Actor{Org: member.org.ID, Role: polder.RoleContributor}, ms).In(f.community)
		batch, next, err := member.Journal.Follow(ctx, sight, cursor, 1000, nil, time.Second)
		if err != nil {
			return
		}
		cursor = next
		now := time.Now()
		f.mu.Lock()
		for _, d := range batch {
			if at, known := f.sent[d.ID]; known {
				f.got[d.ID] = append(f.got[d.ID], now.Sub(at))
				if len(f.got[d.ID]) == fanMembers {
					f.all <- d.ID
				}
			}
		}
		f.mu.Unlock()
	}
}

func (f *fan) expect(id string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.sent[id] = time.Now()
}

// await waits until every member holds n more objects.
func (f *fan) await(b *testing.B, n int) {
	b.Helper()
	enough := time.After(2 * time.Minute)
	for range n {
		select {
		case <-f.all:
		case <-enough:
			b.Fatal("not within two minutes: every member holds what was shared")
		}
	}
}

// fanTook are the times of a round, sorted: the last member, the first one, the answer to who shared.
type fanTook struct {
	last, first, share []time.Duration
	order              []time.Duration // the last member's, in the order of sharing
}

// round shares n objects at a rate, each in a request of its own, and waits until every member holds them.
func (f *fan) round(b *testing.B, rate, n int) (took fanTook) {
	b.Helper()
	tick := time.NewTicker(time.Second / time.Duration(rate))
	defer tick.Stop()
	ids, share := make([]string, n), make([]time.Duration, n)
	var all sync.WaitGroup
	for i := range n {
		<-tick.C
		f.n++
		raw := f.object(f.n)
		ids[i] = idOf(b, raw)
		all.Go(func() {
			f.expect(ids[i])
			began := time.Now()
			if err := f.post(raw); err != nil {
				b.Error(err)
			}
			share[i] = time.Since(began)
		})
	}
	all.Wait()
	if b.Failed() {
		b.FailNow()
	}
	f.await(b, n)
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, id := range ids {
		took.order = append(took.order, slices.Max(f.got[id]))
		took.first = append(took.first, slices.Min(f.got[id]))
	}
	took.last, took.share = slices.Sorted(slices.Values(took.order)), share
	slices.Sort(took.first)
	slices.Sort(took.share)
	return took
}

// object is an indicator of the maker, as large as the objects of ATT&CK are.
func (f *fan) object(n int) []byte {
	raw := f.maker.signal(n, "fan")
	return append(raw[:len(raw)-1], fmt.Sprintf(`,"description":"%0900d"}`, n)...)
}

func (f *fan) post(raw []byte) error {
	r, err := http.NewRequest("POST", f.maker.url+"/api/v1/communities/"+f.alias+"/share?tlp=amber", bytes.NewReader(raw))
	if err != nil {
		return err
	}
	r.Header.Set("Authorization", "Bearer "+f.maker.token)
	r.Header.Set("Content-Type", "application/stix+json;version=2.1")
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if res.StatusCode/100 != 2 {
		return fmt.Errorf("the share was answered by %s", res.Status)
	}
	return nil
}

// bearable is the highest rate of a ramp at which the time to the last member does not grow over ten seconds: in the last
// quarter it is at most twice that of the second one, or 100 ms.
func (f *fan) bearable(b *testing.B) (best float64) {
	for _, rate := range []int{20, 40, 80, 120, 160, 240, 320, 480} {
		order := f.round(b, rate, 10*rate).order
		quarter := len(order) / 4
		early, late := slices.Sorted(slices.Values(order[quarter:2*quarter])), slices.Sorted(slices.Values(order[3*quarter:]))
		b.Logf("at %d/s: last member p50 %.1f ms in the second quarter, %.1f ms in the last", rate, milli(early, .5), milli(late, .5))
		if milli(late, .5) > max(2*milli(early, .5), 100) {
			return best
		}
		best = float64(rate)
	}
	return best
}

// echoedFan is the floor of the network: the same bytes at the same rate, echoed to 20 open answers, nothing stored.
func echoedFan(b *testing.B) []time.Duration {
	e := newEcho()
	srv := httptest.NewServer(e)
	defer srv.Close()
	defer e.end()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	got := make(chan time.Duration, fanObjects*fanMembers)
	var ready, done sync.WaitGroup
	for range fanMembers {
		ready.Add(1)
		done.Go(func() { listen(ctx, srv.URL, "", ready.Done, func(d time.Duration) { got <- d }) })
	}
	ready.Wait()
	tick := time.NewTicker(time.Second / fanRate)
	defer tick.Stop()
	var last []time.Duration
	for i := range fanObjects / 3 {
		<-tick.C
		res, err := http.Post(srv.URL, "application/json", bytes.NewReader(stamped(fmt.Sprintf("indicator--00000000-0000-4000-8000-%012x", i), time.Now())))
		ok(b, err)
		ok(b, res.Body.Close())
		slowest := time.Duration(0)
		for range fanMembers {
			slowest = max(slowest, <-got)
		}
		last = append(last, slowest)
	}
	cancel()
	done.Wait()
	slices.Sort(last)
	return last
}

// committed is the floor of the disk: one small row, committed.
func committed(b *testing.B, d *db.DB) (took []time.Duration) {
	ctx := context.Background()
	ok(b, d.Write(ctx, func(tx *db.Tx) error {
		_, err := tx.Exec(`CREATE TABLE IF NOT EXISTS bench_floor (n INTEGER PRIMARY KEY) STRICT`)
		return err
	}))
	for range 100 {
		began := time.Now()
		ok(b, d.Write(ctx, func(tx *db.Tx) error { _, err := tx.Exec(`INSERT INTO bench_floor DEFAULT VALUES`); return err }))
		took = append(took, time.Since(began))
	}
	slices.Sort(took)
	return took
}

// benchCatchUp has a member that was away take all of ATT&CK, made the hub's own and signed by it, from a hub that has
// nothing else to do. Its floor is the hub's share of the same objects: checked, signed and stored, without a network.
func benchCatchUp(b *testing.B) {
	ctx, local := context.Background(), accounts.Local()
	hub, member := newAfloat(b, "Hub"), newAfloat(b, "Member")
	c := hub.community(b, "Chips")
	link := linked(b, hub, member, c, hub.url).Link
	first := hub.signal(0, "first")
	hub.share(b, c.ID, stix.Amber, nil, first)
	member.holds(b, c.ID, idOf(b, first))
	objects, shared, took := 0, time.Duration(0), time.Duration(0)
	for b.Loop() {
		b.StopTimer()
		ok(b, member.federation.peers.Pause(ctx, local, link))
		own := ownedBy(b, hub.org.ID, attack(b))
		began := time.Now()
		for batch := range slices.Chunk(own, 1000) {
			hub.share(b, c.ID, stix.Amber, nil, batch...)
		}
		shared += time.Since(began)
		objects += len(own)
		want := hub.Journal.Top()
		until(b, "the hub has done with what it was given", func() bool { return hub.Exchange.SearchLag() == 0 && hub.federation.log.Lag() == 0 })
		b.StartTimer()
		began = time.Now()
		ok(b, member.federation.peers.Resume(ctx, local, link))
		until(b, "the member has caught up", func() bool { return member.linkAt(b, link).Cursor >= want })
		took += time.Since(began)
	}
	if have := len(member.sees(b, c.ID)); have != objects+1 {
		b.Fatalf("the member holds %d objects, want %d", have, objects+1)
	}
	b.ReportMetric(float64(objects)/took.Seconds(), "objects/s")
	b.ReportMetric(float64(objects)/shared.Seconds(), "objects/s-share")
}

// ownedBy makes objects an organisation's own, under new ids; identities and markings stay away.
func ownedBy(b *testing.B, org polder.OrgID, all [][]byte) (out [][]byte) {
	for _, raw := range all {
		var o map[string]any
		ok(b, json.Unmarshal(raw, &o))
		kind, _ := o["type"].(string)
		if kind == "identity" || kind == "marking-definition" || strings.HasPrefix(kind, "extension") {
			continue
		}
		o["id"], o["created_by_ref"] = stix.NewID(kind), org
		delete(o, "object_marking_refs")
		delete(o, "granular_markings")
		made, err := json.Marshal(o)
		ok(b, err)
		out = append(out, made)
	}
	return out
}
