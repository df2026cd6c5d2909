package exchange

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/stix"
)

// TestWorthOf (X17): what an indicator is worth depends on its times and whether it is revoked.
func TestWorthOf(t *testing.T) {
	now := time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		members string
		want    Worth
		why     string
	}{
		{`"valid_from":"2026-01-01T00:00:00Z"`, WorthCounts, "open end"},
		{`"valid_from":"2026-01-01T00:00:00Z","valid_until":"2026-06-01T00:00:00.001Z"`, WorthCounts, "a moment left"},
		{`"valid_from":"2026-01-01T00:00:00Z","valid_until":"2026-06-01T00:00:00Z"`, WorthExpired, "valid_until is the first moment at which it no longer counts"},
		{`"valid_from":"2026-06-01T00:00:00Z"`, WorthCounts, "from this moment on"},
		{`"valid_from":"2026-06-02T00:00:00Z"`, WorthLater, "not yet"},
		{`"valid_from":"2026-06-02T00:00:00Z","revoked":true`, WorthRevoked, "revoked before it ever counted"},
		{`"valid_from":"2026-01-01T00:00:00Z","valid_until":"2026-02-01T00:00:00Z","revoked":true`, WorthRevoked, "revoked says more than expired"},
	} {
		o, err := stix.Parse(object("indicator", 1, stix.Green, `"pattern":"[domain-name:value = 'a.example']","pattern_type":"stix",`+c.members))
		ok(t, err)
		if got := WorthOf(o, now); got != c.want {
			t.Errorf("%s: got %s, want %s (%s)", c.members, got, c.want, c.why)
		}
	}
}

// TestValue: everything known here of a value comes together, as far as the reader may see it.
func TestValue(t *testing.T) {
	w := newWorld(t)
	ctx := context.Background()
	a, b, c := w.as("a", polder.RoleContributor), w.as("b", polder.RoleContributor), w.as("c", polder.RoleReader)
	on := func(n int, members string) []byte {
		return object("indicator", n, stix.Green, `"name":"I","pattern":"[ipv4-addr:value = '203.0.113.7']","pattern_type":"stix",`+members)
	}
	first := w.share(a, Request{Objects: one(on(1, `"valid_from":"2026-01-01T00:00:00Z"`), on(2, `"valid_from":"2026-01-01T00:00:00Z","valid_until":"2026-02-01T00:00:00Z"`))}).Seq
	address := `{"type":"ipv4-addr","spec_version":"2.1","id":"%s","value":"203.0.113.7","object_marking_refs":["` + stix.Green.ID() + `"]}`
	id, err := stix.ObservableID(fmt.Appendf(nil, address, "ipv4-addr--00000000-0000-4000-8000-000000000000"))
	ok(t, err)
	w.share(b, Request{Objects: one(
		fmt.Appendf(nil, address, id),
		onPattern(3, stix.Green, "Block", "[ipv4-addr:value ISSUBSET '203.0.112.0/23']"),
	)})
	w.share(b, Request{To: []polder.OrgID{w.orgs["a"].ID}, Objects: one(
		object("sighting", 4, stix.Green, `"sighting_of_ref":"indicator--00000000-0000-4000-8000-000000000001","count":1`),
		object("note", 5, stix.Green, `"content":"Ours","object_refs":["indicator--00000000-0000-4000-8000-000000000002"]`))})
	seen, err := w.Value(ctx, a, "203.0.113[.]7")
	ok(t, err)
	worth := map[string]Worth{}
	for _, i := range seen.Indicators {
		worth[i.Delivery.ID[len(i.Delivery.ID)-1:]] = i.Worth
	}
	if len(worth) != 3 || worth["1"] != WorthCounts || worth["2"] != WorthExpired || worth["3"] != WorthCounts {
		t.Errorf("indicators: %v", worth)
	}
	if seen.Kind != "ipv4" || seen.Value != "203.0.113.7" || len(seen.Sightings) != 1 || len(seen.Remarks) != 1 || seen.First == 0 || seen.First > first || seen.Last != w.journal.Top() || len(seen.Objects) != 1 || seen.Objects[0].ID != id {
		t.Errorf("a: %+v", seen)
	}
	other, err := w.Value(ctx, c, "203.0.113.7")
	ok(t, err)
	if len(other.Indicators) != 3 || len(other.Sightings) != 0 || len(other.Remarks) != 0 || other.Last == w.journal.Top() {
		t.Errorf("c, who is not told of the sighting and the note: %+v", other)
	}
	if _, err := w.Value(ctx, c, "two words"); polder.KindOf(err) != polder.Invalid {
		t.Errorf("words: %v", err)
	}
}
