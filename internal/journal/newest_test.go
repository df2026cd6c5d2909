package journal

import (
	"context"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/polder-exchange/polder"
)

// TestNewestFirst: pages that begin with the newest give exactly the ascending pages in reverse, for every reader,
// choice of versions and of types, and page size, within every pair of bounds.
func TestNewestFirst(t *testing.T) {
	j, d := must(t, t.TempDir())
	defer end(t, j, d)
	n := 0
	rapid.Check(t, func(rt *rapid.T) {
		for range rapid.IntRange(1, 12).Draw(rt, "n") {
			to := rapid.SampledFrom([]polder.Audience{polder.Everyone(), polder.Only("x"), polder.Only("x", "y"), polder.Only("y"), polder.AllBut("y"), {}}).Draw(rt, "to")
			appended(t, j, d, n, 1, to)
			n++
		}
		q := Query{Limit: 10_000, All: rapid.Bool().Draw(rt, "all"), Types: rapid.SampledFrom([][]string{nil, {"indicator"}, {"indicator", "malware"}, {"malware"}}).Draw(rt, "types")}
		sight := all(rapid.SampledFrom([]string{"x", "y", "z"}).Draw(rt, "reader"))
		whole, err := j.Page(context.Background(), sight, q)
		ok(t, err)
		if len(whole.Deliveries) > 0 && rapid.Bool().Draw(rt, "bounded") {
			pick := func(name string) polder.Seq {
				return whole.Deliveries[rapid.IntRange(0, len(whole.Deliveries)-1).Draw(rt, name)].Seq
			}
			q.After, q.Before = pick("after"), pick("before")
			whole.Deliveries = slices.DeleteFunc(whole.Deliveries, func(d Delivery) bool { return d.Seq <= q.After || d.Seq >= q.Before })
		}
		if q.Types != nil && q.Types[0] == "malware" && len(whole.Deliveries) > 0 {
			rt.Fatal("no malware was appended")
		}
		slices.Reverse(whole.Deliveries)
		q.Newest, q.Limit = true, rapid.IntRange(1, 9).Draw(rt, "limit")
		var got []string
		for more := true; more; {
			page, err := j.Page(context.Background(), sight, q)
			ok(t, err)
			if len(page.Deliveries) < q.Limit && page.More {
				rt.Fatal("a short page that is not the last")
			}
			for _, p := range page.Deliveries {
				got, q.Before = append(got, p.Seq.String()+string(p.Raw)), p.Seq
			}
			more = page.More
		}
		var want []string
		for _, p := range whole.Deliveries {
			want = append(want, p.Seq.String()+string(p.Raw))
		}
		if strings.Join(got, "\n") != strings.Join(want, "\n") {
			rt.Fatalf("got\n%v\nwant\n%v", got, want)
		}
	})
	// By id they come newest first too.
	first := delivery(n, polder.Everyone())
	appended(t, j, d, n, 1, polder.Everyone())
	appended(t, j, d, n, 1, polder.Everyone())
	page, err := j.Page(context.Background(), all("x"), Query{IDs: []string{first.ID}, All: true, Newest: true, Limit: 5})
	ok(t, err)
	if len(page.Deliveries) != 2 || page.Deliveries[0].Seq < page.Deliveries[1].Seq {
		t.Fatalf("by id: %v", page.Deliveries)
	}
}
