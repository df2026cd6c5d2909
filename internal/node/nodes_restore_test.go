package node

import (
	"context"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"filippo.io/age"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/accounts"
	"github.com/polder-exchange/polder/internal/db"
	"github.com/polder-exchange/polder/internal/exchange"
	"github.com/polder-exchange/polder/stix"
)

// shares has a ship share a thing, new or another version of it, and fails the test when it is refused.
func (s *ship) shares(t testing.TB, c polder.CommunityID, x *thing) string {
	t.Helper()
	if x.id == "" {
		s.made++
		x.id, x.n = stix.NewID("indicator"), s.made
	}
	s.share(t, c, x.level, x.to, s.write(x, false))
	return x.id
}

// renews shares the next version of a thing.
func (s *ship) renews(t testing.TB, c polder.CommunityID, x *thing) string {
	t.Helper()
	x.version++
	return s.shares(t, c, x)
}

func (s *ship) withdraws(t testing.TB, c polder.CommunityID, id string) {
	t.Helper()
	_, err := s.Exchange.Withdraw(context.Background(), s.by, exchange.Withdrawal{Community: string(c), ID: id})
	ok(t, err)
}

// TestLinkLostAnswer: a member whose home took what it pushed, while the answer was lost, pushes it again and stays the
// custodian of what it shared.
func TestLinkLostAnswer(t *testing.T) {
	t.Parallel() // it waits more than it works
	f := newFleet(t, 1, "Hub", "Maker")
	maker := f.members()[0]
	x := &thing{level: stix.Amber}
	id := maker.shares(t, f.c.ID, x)
	f.hub.holds(t, f.c.ID, id)
	maker.stop()
	s, err := OpenStore(context.Background(), maker.dir, false)
	ok(t, err)
	ok(t, s.DB.Write(context.Background(), func(tx *db.Tx) error {
		_, err := tx.Exec(`UPDATE peers_link SET pushed = 0`)
		return err
	}))
	ok(t, s.Close())
	maker.start(t)
	until(t, "it was pushed again", func() bool { return maker.linkAt(t, maker.link).Pushed > 0 })
	maker.renews(t, f.c.ID, x)
	f.agree()
}

// backup writes a backup of a node that serves; restore puts it into a new folder, from which the node goes on.
func (s *ship) backup(t testing.TB) (restore func()) {
	t.Helper()
	key, err := age.GenerateX25519Identity()
	ok(t, err)
	dir := t.TempDir()
	file, identity, to := filepath.Join(dir, "b"), filepath.Join(dir, "key"), filepath.Join(dir, "node")
	ok(t, os.WriteFile(identity, []byte(key.String()+"\n"), 0o600))
	s.command(t, nil, "backup", "--data", s.dir, "--recipient", key.Recipient().String(), file)
	return func() {
		s.command(t, nil, "restore", "--data", to, "--identity", identity, file)
		s.dir = to
	}
}

// missing are the ids that an organisation does not see on its own node.
func (s *ship) missing(t testing.TB, c polder.CommunityID, ids ...string) (out []string) {
	t.Helper()
	seen := s.sees(t, c)
	for _, id := range ids {
		if !slices.ContainsFunc(seen, func(x string) bool { return strings.HasPrefix(x, id+" ") }) {
			out = append(out, id)
		}
	}
	return out
}

func (f *fleet) allHold(what string, ids ...string) {
	f.t.Helper()
	for _, s := range f.ships {
		var lacks []string
		for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(20 * time.Millisecond) {
			if lacks = s.missing(f.t, f.c.ID, ids...); len(lacks) == 0 {
				break
			}
			if time.Now().After(deadline) {
				f.t.Fatalf("%s lacks %q of %s, which are %q", s.name, lacks, what, ids)
			}
		}
	}
}

// TestF19LinksMember (F19): a member is restored from yesterday's backup. It has again what came since, its own with
// custody too, nothing twice and nothing that was withdrawn since; both directions go on.
func TestF19LinksMember(t *testing.T) {
	t.Parallel() // it waits more than it works
	f := newFleet(t, 2, "Hub", "Maker", "Small")
	hub, maker, small := f.hub, f.ships[1], f.ships[2]
	old, gone, theirs := &thing{level: stix.Amber}, &thing{level: stix.Green}, &thing{level: stix.Green}
	f.allHold("what is in the backup", maker.shares(t, f.c.ID, old), maker.shares(t, f.c.ID, gone), hub.shares(t, f.c.ID, theirs))
	restore := maker.backup(t)

	since, named := &thing{level: stix.Amber}, &thing{level: stix.Amber, to: []polder.OrgID{small.org.ID}}
	later := []string{maker.shares(t, f.c.ID, since), maker.renews(t, f.c.ID, old), hub.shares(t, f.c.ID, &thing{level: stix.Amber}), small.shares(t, f.c.ID, &thing{level: stix.Green})}
	told := maker.shares(t, f.c.ID, named)
	maker.withdraws(t, f.c.ID, gone.id)
	hub.withdraws(t, f.c.ID, theirs.id)
	f.allHold("what came since", later...)
	small.holds(t, f.c.ID, told)
	f.agree()

	maker.stop()
	restore()
	maker.start(t)
	f.allHold("what came since, restored", later...)
	maker.holds(t, f.c.ID, told)
	until(t, "what was withdrawn since is gone", func() bool { return len(maker.missing(t, f.c.ID, gone.id, theirs.id)) == 2 })
	maker.renews(t, f.c.ID, since)
	maker.renews(t, f.c.ID, old)
	maker.renews(t, f.c.ID, named)
	f.allHold("what is shared then", maker.shares(t, f.c.ID, &thing{level: stix.Amber}), hub.shares(t, f.c.ID, &thing{level: stix.Amber}))
	f.together()
}

// together waits until every member holds what policy gives it, in whatever order: a node that was restored has its own
// again behind what came meanwhile.
func (f *fleet) together() {
	f.t.Helper()
	for _, s := range f.members() {
		why := ""
		sorted := func(n *afloat) []string {
			k := keeps(f.t, n, s.org.ID, f.c.ID)
			once(f.t, n.name, k)
			all := slices.Concat(k.mine, k.others, k.rest)
			for i, text := range all {
				all[i] = text + " " + k.level[text].String()
			}
			slices.Sort(all)
			return all
		}
		for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(20 * time.Millisecond) {
			want, got := sorted(f.hub.afloat), sorted(s.afloat)
			if slices.Equal(want, got) {
				break
			}
			if why = apart(want, got); time.Now().After(deadline) {
				f.t.Fatalf("%s: %s", s.name, why)
			}
		}
		if l := s.linkAt(f.t, s.link); l.Quarantined > 0 || l.Stopped != "" {
			f.t.Errorf("%s: %d in quarantine, stopped %q", s.name, l.Quarantined, l.Stopped)
		}
	}
}

// TestF19LinksHub (F19): the hub is restored from yesterday's backup. It gets back what members shared since, and what
// its own organisation shared and members hold; nothing twice; both directions go on.
func TestF19LinksHub(t *testing.T) {
	t.Parallel() // it waits more than it works
	f := newFleet(t, 3, "Hub", "Maker", "Small")
	hub, maker, small := f.hub, f.ships[1], f.ships[2]
	old, own := &thing{level: stix.Amber}, &thing{level: stix.Amber}
	f.allHold("what is in the backup", maker.shares(t, f.c.ID, old), hub.shares(t, f.c.ID, own))
	restore := hub.backup(t)

	theirs, open := &thing{level: stix.Amber}, &thing{level: stix.Green}
	later := []string{maker.shares(t, f.c.ID, theirs), maker.renews(t, f.c.ID, old), hub.shares(t, f.c.ID, open), hub.renews(t, f.c.ID, own), hub.shares(t, f.c.ID, &thing{level: stix.Amber})}
	f.allHold("what came since", later...)
	named := small.shares(t, f.c.ID, &thing{level: stix.Amber, to: []polder.OrgID{maker.org.ID}})
	maker.holds(t, f.c.ID, named)
	f.agree()

	hub.stop()
	restore()
	hub.start(t)
	f.allHold("what came since, restored", later...)
	maker.holds(t, f.c.ID, named)
	hub.lacks(t, f.c.ID, named)
	hub.renews(t, f.c.ID, own)
	hub.renews(t, f.c.ID, open)
	maker.renews(t, f.c.ID, theirs)
	f.allHold("what is shared then", maker.shares(t, f.c.ID, &thing{level: stix.Amber}), hub.shares(t, f.c.ID, &thing{level: stix.Amber}))
	f.together()
}

// TestF8Nodes (F8): clocks of a member and of the hub a day apart either way, and set back while links are open: numbers,
// and with them date_added, still rise, links go on, nothing is lost.
func TestF8Nodes(t *testing.T) {
	t.Parallel() // it waits more than it works
	f := newFleet(t, 4, "Hub", "Maker")
	hub, maker := f.hub, f.ships[1]
	const day = 24 * time.Hour
	for i, at := range []struct{ hub, maker time.Duration }{{day, 0}, {-day, day}, {0, -day}, {-day, -day}, {day, -day}} {
		hub.ahead.Store(int64(at.hub))
		maker.ahead.Store(int64(at.maker))
		if i == 3 { // a new session, each with another day in mind
			maker.wire.cut()
			f.restart(maker, 0)
		}
		f.allHold("what is shared while clocks differ", hub.shares(t, f.c.ID, &thing{level: stix.Amber}), maker.shares(t, f.c.ID, &thing{level: stix.Amber}))
		for _, s := range f.ships {
			rising(t, s.afloat)
		}
	}
	f.agree()
}

// rising: the numbers of a node's log rise, and its dates with them.
func rising(t testing.TB, n *afloat) {
	t.Helper()
	rows, _, err := n.Journal.Scan(context.Background(), 0, 1000)
	ok(t, err)
	for i := 1; i < len(rows); i++ {
		if rows[i].Seq <= rows[i-1].Seq || !rows[i].Seq.Time().After(rows[i-1].Seq.Time()) {
			t.Fatalf("%s: number %d follows %d", n.name, rows[i].Seq, rows[i-1].Seq)
		}
	}
}

// TestLinkHeldInTraffic: over a link that is paused on either side while both nodes share nothing passes; resumed, it
// loses and doubles nothing; one that is removed gets nothing more, the other member's goes on.
func TestLinkHeldInTraffic(t *testing.T) {
	t.Parallel() // it waits more than it works
	ctx, local := context.Background(), accounts.Local()
	f := newFleet(t, 5, "Hub", "Maker", "Small")
	stop := f.sail(10 * time.Millisecond)
	defer stop()
	passed := func() (down, up int) { // over the link of the first member
		return len(keeps(t, f.ships[1].afloat, f.ships[1].org.ID, f.c.ID).others), len(keeps(t, f.hub.afloat, f.ships[1].org.ID, f.c.ID).mine)
	}
	for _, by := range []*ship{f.hub, f.ships[1], f.hub} {
		ok(t, by.federation.peers.Pause(ctx, local, f.ships[1].link))
		time.Sleep(time.Second) // what was on its way has come
		down, up := passed()
		time.Sleep(300 * time.Millisecond)
		if laterDown, laterUp := passed(); laterDown != down || laterUp != up {
			t.Errorf("paused at %s, %d deliveries passed down and %d up", by.name, laterDown-down, laterUp-up)
		}
		ok(t, by.federation.peers.Resume(ctx, local, f.ships[1].link))
		time.Sleep(200 * time.Millisecond)
	}
	stop()
	f.agree()

	f.plain = true
	for _, s := range f.ships {
		s.owned = nil
	}
	stop = f.sail(10 * time.Millisecond)
	time.Sleep(200 * time.Millisecond)
	removed := f.ships[1]
	removed.at.Lock() // it shares no more: nobody would get it
	ok(t, f.hub.federation.peers.Remove(ctx, local, removed.link))
	time.Sleep(time.Second)
	before := removed.sees(t, f.c.ID)
	time.Sleep(300 * time.Millisecond)
	after := removed.sees(t, f.c.ID)
	go stop() // the removed member's own load ends when its node may be used again
	removed.at.Unlock()
	stop()
	f.ships = slices.Delete(f.ships, 1, 2)
	f.agree()
	if !slices.Equal(before, after) {
		t.Errorf("a member that was removed got %d more", len(after)-len(before))
	}
}

// TestF3Links (F3): the real program is killed at random moments and around commits, a member and the hub in turn, while
// both are written to. Every batch that was acknowledged is on both nodes, once and whole.
func TestF3Links(t *testing.T) {
	f := newFleet(t, 6, "Hub", "Maker")
	_, err := program()
	ok(t, err)
	var running [2]*process
	points := []string{"", "commit.before=kill@60", "", "commit.after=kill@70"}
	for i, s := range f.ships {
		s.stop()
		running[i] = spawnAt(t, s.dir, s.addr)
	}
	acked, sent := map[string]bool{}, map[string][]string{}
	for round := range soak(4, 40) {
		victim := round % 2
		running[victim].kill()
		running[victim] = spawnAt(t, f.ships[victim].dir, f.ships[victim].addr, "POLDER_FAIL="+points[(round/2+2*victim)%len(points)])
		other := 1 - victim
		ids, body := numbered(round, 9, 0, 20)
		status, err := post(running[other].url, f.ships[other].token, body)
		ok(t, err)
		sent[ids[0]], acked[ids[0]] = ids, status == http.StatusAccepted
		writeUntilKilled(running[victim], f.ships[victim].token, round, acked, sent, time.Duration(100+rand.IntN(300))*time.Millisecond)
		running[victim] = spawnAt(t, f.ships[victim].dir, f.ships[victim].addr)
	}
	began := time.Now()
	sorted := func(i int) []string {
		return slices.Sorted(slices.Values(pageIDs(t, running[i].url, f.ships[i].token)))
	}
	until(t, "both nodes hold the same", func() bool { return slices.Equal(sorted(0), sorted(1)) })
	t.Logf("%d batches, %d acknowledged; the same on both nodes after %s", len(sent), len(acked), time.Since(began).Round(time.Millisecond))
	for i, s := range f.ships {
		checkSurvivors(t, running[i], s.token, acked, sent)
	}
	if len(acked) < 8 {
		t.Errorf("only %d batches were acknowledged, so little was tested", len(acked))
	}
}
