package payback

import (
	"context"
	"fmt"
	"testing"

	"github.com/polder-exchange/polder/internal/exchange"
	"github.com/polder-exchange/polder/stix"
)

// BenchmarkAccount is the page of an organisation that gave 100,000 objects, of which a tenth was sighted: as it is read
// first after something changed, and as it is read again.
func BenchmarkAccount(b *testing.B) {
	w := newWorld(b, 7)
	ctx := context.Background()
	const objects, batch = 100_000, 1000
	for at := 0; at < objects; at += batch {
		var given, seen []exchange.Incoming
		for i := at; i < at+batch; i++ {
			given = append(given, exchange.Incoming{Raw: fmt.Appendf(nil, `{"type":"indicator","spec_version":"2.1","id":"indicator--00000000-0000-4000-8000-%012d","created":"2026-11-19T08:00:00.000Z","modified":"2026-11-19T08:00:00.000Z","pattern":"[domain-name:value = 'x%d.example']","pattern_type":"stix","valid_from":"2026-11-19T08:00:00Z","object_marking_refs":[%q]}`, i, i, stix.Amber.ID()), Made: true})
			if i%10 == 0 {
				seen = append(seen, exchange.Incoming{Raw: fmt.Appendf(nil, `{"type":"sighting","spec_version":"2.1","id":"sighting--00000000-0000-4000-8000-%012d","created":"2026-11-19T08:00:00.000Z","modified":"2026-11-19T08:00:00.000Z","sighting_of_ref":"indicator--00000000-0000-4000-8000-%012d","object_marking_refs":[%q]}`, i, i, stix.Amber.ID()), Made: true})
			}
		}
		for who, objects := range map[string][]exchange.Incoming{"m0": given, fmt.Sprintf("m%d", 1+at/batch%6): seen} {
			if _, err := w.x.Share(ctx, w.who[who], exchange.Request{Community: w.where.Alias, Objects: objects, Confirmed: true}); err != nil {
				b.Fatal(err)
			}
		}
	}
	for {
		more, err := w.index.step(ctx)
		if err != nil {
			b.Fatal(err)
		}
		if !more {
			break
		}
	}
	if a := w.account("m0"); a.Objects != objects || a.Sightings.Times != objects/10 {
		b.Fatalf("%+v", a.Sightings)
	}
	b.Run("first", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			clear(w.known)
			w.account("m0")
		}
	})
	b.Run("again", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			w.account("m0")
		}
	})
}
