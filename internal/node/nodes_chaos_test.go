package node

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/accounts"
	"github.com/polder-exchange/polder/internal/exchange"
	"github.com/polder-exchange/polder/internal/journal"
	"github.com/polder-exchange/polder/stix"
)

// ship is a node of a fleet: others share on it while it is stopped and started, and its wire to the hub is cut.
type ship struct {
	*afloat
	at    sync.RWMutex // written while the node is down
	by    polder.Actor
	wire  *strait // nil for the hub
	link  string
	luck  *rand.Rand // of the load
	owned []*thing
	made  int
}

// thing is an object that a ship's organisation shared.
type thing struct {
	id      string
	n       int
	version int
	level   stix.Marking
	to      []polder.OrgID
	open    bool // its bytes are marked TLP:GREEN, whatever the level of a share
}

// fleet is a hub with members that are linked over wires, confirmed, in one community.
type fleet struct {
	t     testing.TB
	hub   *ship
	ships []*ship // the hub first
	c     polder.Community
	luck  *rand.Rand // of the faults
	plain bool       // everything is for everybody
}

func newFleet(t testing.TB, seed uint64, names ...string) *fleet {
	t.Helper()
	f := &fleet{t: t, luck: rand.New(rand.NewPCG(seed, 0))}
	for i, name := range names {
		s := &ship{afloat: newAfloat(t, name), luck: rand.New(rand.NewPCG(seed, uint64(i)+1))}
		s.by = s.actor(t)
		if f.ships = append(f.ships, s); i == 0 {
			f.hub, f.c = s, s.community(t, "Ring")
			continue
		}
		s.wire = newStrait(t, f.hub.addr)
		s.link = linked(t, f.hub.afloat, s.afloat, f.c, s.wire.url()).Link
	}
	for _, s := range f.ships[1:] {
		until(t, s.name+" knows every member", func() bool {
			ms, err := s.Accounts.Members(context.Background(), f.c.ID)
			ok(t, err)
			return len(ms) >= len(names)
		})
	}
	return f
}

func (f *fleet) members() []*ship { return f.ships[1:] }

// write is a version of a thing.
func (s *ship) write(x *thing, revoked bool) []byte {
	began := time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC).Add(time.Duration(x.n) * time.Second)
	created, modified := began.Format("2006-01-02T15:04:05.000Z"), began.Add(time.Duration(x.version)*time.Hour).Format("2006-01-02T15:04:05.000Z")
	marked := ""
	if x.open {
		marked = fmt.Sprintf(`"object_marking_refs":[%q],`, stix.Green.ID())
	}
	return fmt.Appendf(nil, `{"type":"indicator","spec_version":"2.1","id":%q,%s"created_by_ref":%q,"created":%q,"modified":%q,"revoked":%t,"name":"storm%s %d","pattern_type":"stix","pattern":"[domain-name:value = '%s%d-%d.example']","valid_from":%q}`,
		x.id, marked, s.org.ID, created, modified, revoked, strings.ToLower(s.name), x.n, strings.ToLower(s.name), x.n, x.version, created)
}

// others are some of the organisations of the fleet beside s.
func (f *fleet) others(s *ship) (to []polder.OrgID) {
	for _, i := range s.luck.Perm(len(f.ships))[:1+s.luck.IntN(2)] {
		if f.ships[i] != s {
			to = append(to, f.ships[i].org.ID)
		}
	}
	if len(to) == 0 {
		return f.others(s)
	}
	return to
}

// fresh is something new, for all or for some.
func (f *fleet) fresh(s *ship) *thing {
	s.made++
	x := &thing{id: stix.NewID("indicator"), n: s.made, level: []stix.Marking{stix.Clear, stix.Green, stix.Amber, stix.Amber}[s.luck.IntN(4)]}
	if s.luck.IntN(3) == 0 && !f.plain {
		x.to, x.level = f.others(s), []stix.Marking{stix.Amber, stix.Red}[s.luck.IntN(2)]
	}
	if x.open = s.luck.IntN(2) == 0 && !f.plain; x.open {
		x.level = max(x.level, stix.Green)
	}
	return x
}

// wider is the same version for more, or at a wider level; what its bytes do not allow comes with another version.
func (f *fleet) wider(s *ship, x thing) thing {
	switch dice := s.luck.IntN(3); {
	case x.open && x.level > stix.Green && (dice == 0 || len(x.to) == 0):
		x.level = stix.Green
	case x.level == stix.Red && !x.open || len(x.to) > 0 && dice == 1:
		x.to = slices.Concat(x.to, f.others(s))
		slices.Sort(x.to)
		x.to = slices.Compact(x.to)
	case len(x.to) > 0:
		if x.to = nil; x.open {
			x.level = min(x.level, []stix.Marking{stix.Green, stix.Amber}[s.luck.IntN(2)])
		}
	case x.level == stix.Amber:
		x.level, x.version = stix.Green, x.version+1
	}
	return x
}

// act has s share, widen, renew, revoke, withdraw or share again something; what it owns is what the answers say.
func (f *fleet) act(s *ship) error {
	s.at.RLock()
	defer s.at.RUnlock()
	ctx := context.Background()
	share := func(x thing, revoked bool) error {
		res, err := s.Exchange.Share(ctx, s.by, exchange.Request{Community: string(f.c.ID), Level: x.level, To: x.to, Confirmed: true, Objects: []exchange.Incoming{{Raw: s.write(&x, revoked)}}})
		if err == nil && len(res.Refused) > 0 {
			err = fmt.Errorf("refused: %+v", res.Refused)
		}
		return err
	}
	dice := s.luck.IntN(100)
	if len(s.owned) == 0 || dice < 50 {
		x := f.fresh(s)
		if err := share(*x, false); err != nil {
			return fmt.Errorf("share: %w", err)
		}
		s.owned = append(s.owned, x)
		return nil
	}
	i := s.luck.IntN(len(s.owned))
	x := s.owned[i]
	next := *x
	switch {
	case dice < 70:
		next.version++
		if err := share(next, false); err != nil {
			return fmt.Errorf("new version: %w", err)
		}
	case dice < 83:
		next = f.wider(s, *x)
		if err := share(next, false); err != nil {
			return fmt.Errorf("widen: %w", err)
		}
	case dice < 88:
		next.version++
		if err := share(next, true); err != nil {
			return fmt.Errorf("revoke: %w", err)
		}
		s.owned = slices.Delete(s.owned, i, i+1)
		return nil
	case dice >= 90:
		if _, err := s.Exchange.Withdraw(ctx, s.by, exchange.Withdrawal{Community: string(f.c.ID), ID: x.id}); err != nil {
			return fmt.Errorf("withdraw: %w", err)
		}
		if s.luck.IntN(2) == 0 {
			if err := share(*x, false); err != nil {
				return fmt.Errorf("share again: %w", err)
			}
			return nil
		}
		s.owned = slices.Delete(s.owned, i, i+1)
		return nil
	}
	*x = next
	return nil
}

// sail has every node share until stop is called.
func (f *fleet) sail(pause time.Duration) (stop func()) {
	done := make(chan struct{})
	var all sync.WaitGroup
	for _, s := range f.ships {
		all.Go(func() {
			for {
				select {
				case <-done:
					return
				case <-time.After(pause + time.Duration(s.luck.Int64N(int64(pause)))):
				}
				if err := f.act(s); err != nil {
					f.t.Errorf("%s: %v", s.name, err)
				}
			}
		})
	}
	return sync.OnceFunc(func() { close(done); all.Wait() })
}

// restart stops a node for a while and starts it again, at the same address.
func (f *fleet) restart(s *ship, away time.Duration) {
	s.at.Lock()
	defer s.at.Unlock()
	s.stop()
	time.Sleep(away)
	s.start(f.t)
}

// fault has something go wrong on the way between a member and the hub.
func (f *fleet) fault() (what string) {
	s := f.members()[f.luck.IntN(len(f.members()))]
	w, long := s.wire, time.Duration(50+f.luck.IntN(250))*time.Millisecond
	switch dice := f.luck.IntN(100); {
	case dice < 70:
		w.cut()
		return "cut"
	case dice < 82:
		w.slow.Store(int64(time.Duration(f.luck.IntN(8)) * time.Millisecond))
		return "delay"
	case dice < 92: // half-open: nothing passes and nothing ends; then it goes on, or turns out to be dead
		w.stall.Store(true)
		time.AfterFunc(2*long, func() {
			if long > 150*time.Millisecond {
				w.cut()
			}
			w.stall.Store(false)
		})
		return "half-open"
	default:
		w.shut.Store(true)
		w.cut()
		time.AfterFunc(long, func() { w.shut.Store(false) })
		return "shut"
	}
}

func (f *fleet) heal() {
	for _, s := range f.members() {
		s.wire.slow.Store(0)
		s.wire.stall.Store(false)
		s.wire.shut.Store(false)
	}
}

// kept is what an organisation holds on a node: of each object every version with its level, in order.
type kept struct {
	mine, others []string // indicators that it shared, and those that others did
	rest         []string // what introduces their makers
	gone         []string // ids that were withdrawn
	level        map[string]stix.Marking
	readers      map[string]string // whom its versions address, as far as the organisation may know
}

func keeps(t testing.TB, n *afloat, org polder.OrgID, c polder.CommunityID) (k kept) {
	t.Helper()
	k.level, k.readers = map[string]stix.Marking{}, map[string]string{}
	q := journal.Query{All: true, Withdrawals: true, Limit: 1000}
	for {
		page, err := n.Journal.Page(context.Background(), polder.Sight{Org: org, Communities: []polder.CommunityID{c}}, q)
		ok(t, err)
		held, err := n.Journal.History(n.DB.Read(), c, idsOfPage(page))
		ok(t, err)
		for _, d := range page.Deliveries {
			q.After = d.Seq
			text := d.ID + " " + d.VersionText()
			switch {
			case d.Kind == journal.Withdrawn:
				k.gone = append(k.gone, d.ID)
				continue
			case d.Type() != "indicator":
				k.rest = append(k.rest, text)
			case d.Sharer == org:
				k.mine = append(k.mine, text)
			default:
				k.others = append(k.others, text)
			}
			k.level[text], k.readers[text] = d.Level, addressed(held[d.ID], d, org)
		}
		if !page.More {
			slices.Sort(k.rest)
			return k
		}
	}
}

func idsOfPage(page journal.Page) (ids []string) {
	for _, d := range page.Deliveries {
		ids = append(ids, d.ID)
	}
	return slices.Compact(slices.Sorted(slices.Values(ids)))
}

// addressed is whom a version addresses: of an organisation's own everybody whom it named; of another's
// everyone, or itself.
func addressed(held []journal.Delivery, d journal.Delivery, org polder.OrgID) string {
	var to polder.Audience
	for _, h := range held {
		switch {
		case h.Line != d.Line || h.Version != d.Version || !h.Nominal.Contains(org):
		case d.Sharer == org || h.Nominal.Equal(polder.Everyone()):
			to = to.Union(h.Nominal)
		default:
			to = to.Union(polder.Only(org))
		}
	}
	return to.String()
}

// differs says how what a member's node holds is not what the hub's policy gives its organisation; "" when it is.
func (f *fleet) differs(s *ship) string {
	want, got := keeps(f.t, f.hub.afloat, s.org.ID, f.c.ID), keeps(f.t, s.afloat, s.org.ID, f.c.ID)
	for _, part := range []struct {
		what      string
		want, got []string
	}{{"its own", want.mine, got.mine}, {"others'", want.others, got.others}, {"makers", want.rest, got.rest}} {
		if !slices.Equal(part.want, part.got) {
			return fmt.Sprintf("%s: %s: %s", s.name, part.what, apart(part.want, part.got))
		}
	}
	for text, level := range want.level {
		if got.level[text] != level {
			return fmt.Sprintf("%s: %s is at %s, want %s", s.name, text, got.level[text], level)
		}
		if got.readers[text] != want.readers[text] {
			return fmt.Sprintf("%s: %s is for %q, want %q", s.name, text, got.readers[text], want.readers[text])
		}
	}
	for _, id := range want.gone {
		held, err := s.Journal.WithdrawnOf(s.DB.Read(), f.c.ID, id) // what came after it was withdrawn never was here
		ok(f.t, err)
		if len(held) > 0 && !slices.Contains(got.gone, id) {
			return fmt.Sprintf("%s: nobody is told that %s was withdrawn", s.name, id)
		}
	}
	return ""
}

// apart is the first place in which two lists differ, and what one of them lacks.
func apart(want, got []string) string {
	var lacks, extra []string
	for _, x := range want {
		if !slices.Contains(got, x) {
			lacks = append(lacks, x)
		}
	}
	for _, x := range got {
		if !slices.Contains(want, x) {
			extra = append(extra, x)
		}
	}
	i := 0
	for i < min(len(want), len(got)) && want[i] == got[i] {
		i++
	}
	return fmt.Sprintf("%d at the hub, %d here; lacks %d %.3q, has %d too many %.3q; they part at %d", len(want), len(got), len(lacks), lacks, len(extra), extra, i)
}

// agree waits until every node holds what policy gives it, and looks that it stays so and nothing was put aside.
func (f *fleet) agree() {
	f.t.Helper()
	why := ""
	defer func() {
		if f.t.Failed() {
			f.t.Log(why)
			for _, s := range f.ships {
				f.t.Logf("%s: %s", s.name, f.standing(s))
			}
		}
	}()
	same := func() bool {
		for _, s := range f.members() {
			if why = f.differs(s); why != "" {
				return false
			}
		}
		return true
	}
	until(f.t, "every node holds what policy gives it", same)
	time.Sleep(300 * time.Millisecond)
	if !same() {
		f.t.Errorf("it did not stay so: %s", why)
	}
	for _, s := range f.ships {
		links, err := s.federation.peers.Links(context.Background(), accounts.Local())
		ok(f.t, err)
		for _, l := range links {
			if l.Quarantined > 0 || l.Stopped != "" {
				f.t.Errorf("%s: link to %s: %d in quarantine, stopped %q", s.name, l.Name, l.Quarantined, l.Stopped)
			}
		}
		once(f.t, s.name, keeps(f.t, s.afloat, s.org.ID, f.c.ID))
	}
}

func (f *fleet) standing(s *ship) (out []string) {
	links, err := s.federation.peers.Links(context.Background(), accounts.Local())
	ok(f.t, err)
	for _, l := range links {
		out = append(out, fmt.Sprintf("%s %s %q quarantined %d", l.Name, l.Standing(), l.Detail, l.Quarantined))
	}
	return out
}

// once: nothing is held twice.
func once(t testing.TB, name string, k kept) {
	t.Helper()
	seen := map[string]bool{}
	for _, x := range slices.Concat(k.mine, k.others, k.rest) {
		if seen[x] {
			t.Errorf("%s holds %s twice", name, x)
		}
		seen[x] = true
	}
}

// exits: pages, stream, search and the export of a member's node tell of the same objects.
func (f *fleet) exits(s *ship) {
	t, ctx := f.t, context.Background()
	t.Helper()
	sight := polder.Sight{Org: s.org.ID, Communities: []polder.CommunityID{f.c.ID}}
	want, open, n := map[string]bool{}, map[string]bool{}, 0
	for q := (journal.Query{Limit: 1000}); ; {
		page, err := s.Journal.Page(ctx, sight, q)
		ok(t, err)
		for _, d := range page.Deliveries {
			q.After = d.Seq
			if want[d.ID] = true; d.Level != stix.Red {
				open[d.ID] = true
			}
		}
		if !page.More {
			break
		}
	}
	k := keeps(t, s.afloat, s.org.ID, f.c.ID)
	n = len(k.mine) + len(k.others) + len(k.rest) + len(k.gone)
	tt, plain := t.(*testing.T), map[string]bool{}
	pages, streamed, found := setOf(pageIDs(tt, s.url, s.token)), setOf(streamIDs(tt, s.url, s.token, n)), map[string]bool{}
	for _, other := range f.ships {
		got, err := s.Exchange.Search(ctx, s.by, exchange.SearchQuery{Text: "storm" + strings.ToLower(other.name), Limit: exchange.MaxFound})
		ok(t, err)
		if got.More {
			t.Fatalf("more than %d of %s: shorten the test", exchange.MaxFound, other.name)
		}
		for _, d := range got.Deliveries {
			found[d.ID] = true
		}
	}
	var text bytes.Buffer
	_, err := s.Exchange.Export(ctx, s.by, string(f.c.ID), exchange.AsSTIX, &text)
	ok(t, err)
	var bundle struct{ Objects []struct{ ID string } }
	ok(t, json.Unmarshal(text.Bytes(), &bundle))
	for _, o := range bundle.Objects {
		plain[o.ID] = true
	}
	indicators := maps.Clone(want)
	maps.DeleteFunc(indicators, func(id string, _ bool) bool { return !strings.HasPrefix(id, "indicator--") })
	maps.DeleteFunc(streamed, func(id string, _ bool) bool { return !want[id] && slices.Contains(k.gone, id) || id == "" })
	for what, pair := range map[string][2]map[string]bool{"pages": {want, pages}, "stream": {want, streamed}, "search": {indicators, found}, "export": {open, plain}} {
		if !maps.Equal(pair[0], pair[1]) {
			t.Errorf("%s: %s tell of %d objects, want %d", s.name, what, len(pair[1]), len(pair[0]))
		}
	}
}

func setOf(all []string) map[string]bool {
	out := map[string]bool{}
	for _, x := range all {
		out[x] = true
	}
	return out
}

// seedOf is a seed that the log names, so that a failure can be had again.
func seedOf(t testing.TB) uint64 {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	return seed
}

// TestF9Nodes (F9, F10): five nodes share, widen, renew, revoke, withdraw and share again under 200 cuts, delays, half-open wires, shut
// doors and restarts, of the hub too, while clocks jump a day. Healed, every node holds what policy gives it, once, in the
// hub's order, at its level and for its readers, with nothing put aside, and every exit of a member tells of the same. In the words of etcd's promises for
// watches: Ordered, Unique, Atomic, Reliable, Resumable, and filtered by the reader's sight.
func TestF9Nodes(t *testing.T) {
	f := newFleet(t, seedOf(t), "Hub", "Maker", "Small", "Power", "Water")
	stop := f.sail(100 * time.Millisecond)
	defer stop()
	faults, done := soak(200, 4000), map[string]int{}
	for i := range faults {
		switch {
		case i%40 == 20:
			f.restart(f.members()[f.luck.IntN(4)], time.Duration(f.luck.IntN(200))*time.Millisecond)
			done["restart of a member"]++
		case i%100 == 70:
			f.restart(f.hub, time.Duration(f.luck.IntN(200))*time.Millisecond)
			done["restart of the hub"]++
		case i%100 == 30:
			day := time.Duration(1-2*f.luck.IntN(2)) * 24 * time.Hour
			f.ships[f.luck.IntN(5)].ahead.Store(int64(day))
			f.hub.ahead.Store(-int64(day))
			done["clocks apart"]++
		default:
			done[f.fault()]++
		}
		time.Sleep(time.Duration(20+f.luck.IntN(30)) * time.Millisecond)
	}
	stop()
	f.heal()
	began := time.Now()
	f.agree()
	f.exits(f.members()[f.luck.IntN(4)])
	k := keeps(t, f.hub.afloat, f.hub.org.ID, f.c.ID)
	t.Logf("%v; %d deliveries at the hub; healed after %s", done, len(k.mine)+len(k.others), time.Since(began).Round(time.Millisecond))
}
