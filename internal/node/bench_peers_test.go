package node

import (
	"context"
	"testing"
	"time"

	"github.com/polder-exchange/polder/internal/accounts"
	"github.com/polder-exchange/polder/stix"
)

// BenchmarkCatchUp: a member that was away takes what its home holds, all of it signed, verified and stored.
func BenchmarkCatchUp(b *testing.B) {
	const objects = 10_000
	ctx, local := context.Background(), accounts.Local()
	hub, maker := newAfloat(b, "Hub"), newAfloat(b, "Maker")
	c := hub.community(b, "Chips")
	got := linked(b, hub, maker, c, hub.url)
	first := hub.signal(0, "first")
	hub.share(b, c.ID, stix.Green, nil, first)
	maker.holds(b, c.ID, idOf(b, first))
	for b.Loop() {
		b.StopTimer()
		ok(b, maker.federation.peers.Pause(ctx, local, got.Link))
		time.Sleep(time.Second)
		var batch [][]byte
		for n := range objects {
			if batch = append(batch, hub.signal(n, "s")); len(batch) == 1000 {
				hub.share(b, c.ID, stix.Amber, nil, batch...)
				batch = nil
			}
		}
		last := hub.signal(objects, "last")
		hub.share(b, c.ID, stix.Green, nil, last)
		want := hub.Journal.Top()
		b.StartTimer()
		ok(b, maker.federation.peers.Resume(ctx, local, got.Link))
		until(b, "the member has caught up", func() bool { return maker.linkAt(b, got.Link).Cursor >= want })
	}
	b.ReportMetric(float64(objects*b.N)/b.Elapsed().Seconds(), "objects/s")
}
