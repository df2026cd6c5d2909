package ledger

import (
	"testing"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/polder-exchange/polder/internal/journal"
	"github.com/polder-exchange/polder/internal/seal"
)

// many is a hub with so many deliveries in its log.
func many(b *testing.B, n int) (hub *site, all []journal.Delivery) {
	b.Helper()
	hub = newLand(b).site(b.TempDir())
	for from := 0; from < n; from += 1000 {
		all = append(all, hub.shares(from, min(1000, n-from))...)
	}
	return hub, all
}

// BenchmarkBuild is catching up with a journal: leaves a second, those that commit to nothing included.
func BenchmarkBuild(b *testing.B) {
	var leaves int64
	for b.Loop() {
		b.StopTimer()
		hub, _ := many(b, 5000)
		b.StartTimer()
		ok(b, hub.Build(ctx))
		leaves += hub.Size()
	}
	b.ReportMetric(float64(leaves)/b.Elapsed().Seconds(), "leaves/s")
}

// BenchmarkProve is a proof out of a log of some twenty thousand leaves.
func BenchmarkProve(b *testing.B) {
	hub, all := many(b, 5000)
	ok(b, hub.Build(ctx))
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		if _, err := hub.Prove(ctx, all[i*37%len(all)].ID, "", ""); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkVerify is verifying a proof, its checkpoint's signature included.
func BenchmarkVerify(b *testing.B) {
	hub, all := many(b, 5000)
	ok(b, hub.Build(ctx))
	p, err := hub.Prove(ctx, all[2500].ID, "", "")
	ok(b, err)
	raw := p.Marshal()
	keys := Keys{named: []seal.LogKey{hub.logKey()}}
	b.ReportAllocs()
	for b.Loop() {
		if v := VerifyFile("proof", raw, keys); v.Err != nil {
			b.Fatal(v.Err)
		}
	}
}

// BenchmarkMirror is a member that follows a log of a hundred thousand leaves for the first time, and looks up a thousand
// deliveries in it.
func BenchmarkMirror(b *testing.B) {
	hub, all := many(b, 22_300)
	ok(b, hub.Build(ctx))
	if hub.Size() < 95_000 {
		b.Fatalf("%d leaves", hub.Size())
	}
	land := &land{t: b, book: hub.keys.book, now: *hub.now, n: 1}
	for b.Loop() {
		b.StopTimer()
		a := land.site(b.TempDir())
		var some []journal.Delivery
		for i := 0; i < len(all); i += 22 {
			some = append(some, all[i])
		}
		a.takes(a.linked(hub), hub.handed(some))
		b.StartTimer()
		ok(b, a.syncs(hub))
	}
	b.ReportMetric(float64(hub.Size())*float64(b.N)/b.Elapsed().Seconds(), "leaves/s")
}

// BenchmarkReceived is what noting a frame costs the transaction that stores it, where its objects were parsed before.
func BenchmarkReceived(b *testing.B) {
	hub, all := many(b, 1000)
	batch := hub.handed(all)
	for i := range batch {
		parsed := mustParse(b, batch[i].Raw)
		batch[i].Parsed = &parsed
	}
	a := (&land{t: b, book: hub.keys.book, now: *hub.now, n: 1}).site(b.TempDir())
	for i := 0; b.Loop(); i++ {
		for k := range batch {
			batch[k].Seq += 1 << 32 // another delivery each time
		}
		a.takes(a.linked(hub), batch)
	}
	b.ReportMetric(1000*float64(b.N)/b.Elapsed().Seconds(), "deliveries/s")
}

// BenchmarkRoot is the floor: hashing leaves into a tree and nothing else.
func BenchmarkRoot(b *testing.B) {
	leaf := tlog.RecordHash([]byte("leaf"))
	var e edge
	for b.Loop() {
		e.add(leaf)
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "leaves/s")
}
