package node

import (
	"strings"
	"testing"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/exchange"
	"github.com/polder-exchange/polder/internal/journal"
	"github.com/polder-exchange/polder/stix"
)

// TestKnownTitles: what is known of a value is called in words, also where an object has no name of its own.
func TestKnownTitles(t *testing.T) {
	for _, c := range []struct{ why, object, want string }{
		{"its own name", `"type":"indicator","pattern_type":"stix","valid_from":"2026-11-01T00:00:00Z","name":"Tidepipe calls home","pattern":"[domain-name:value = 'bad.example']"`, "Tidepipe calls home"},
		{"a pattern where there is no name", `"type":"indicator","pattern_type":"stix","valid_from":"2026-11-01T00:00:00Z","pattern":"[domain-name:value = 'bad.example']"`, "[domain-name:value = 'bad.example']"},
		{"the value itself", `"type":"domain-name","value":"bad.example"`, "bad.example"},
		{"a sighting has no name", `"type":"sighting","sighting_of_ref":"indicator--11111111-1111-4111-8111-111111111111"`, "Sighting of bad.example"},
		{"an opinion with its word", `"type":"opinion","opinion":"strongly-disagree","object_refs":["indicator--11111111-1111-4111-8111-111111111111"]`, "Opinion on bad.example: strongly disagree"},
		{"the heading of a note", `"type":"note","abstract":"A resolver","content":"It is a resolver.\nShared by all.","object_refs":["indicator--11111111-1111-4111-8111-111111111111"]`, "A resolver"},
		{"the first line of a note", `"type":"note","content":"It is a resolver.\nShared by all.","object_refs":["indicator--11111111-1111-4111-8111-111111111111"]`, "It is a resolver."},
		{"an observation", `"type":"observed-data","number_observed":3,"first_observed":"2026-11-01T00:00:00Z","last_observed":"2026-11-01T00:00:00Z","object_refs":["domain-name--11111111-1111-4111-8111-111111111111"]`, "Observation of bad.example"},
		{"a group without a name", `"type":"grouping","context":"x","object_refs":["indicator--11111111-1111-4111-8111-111111111111"]`, "grouping with bad.example"},
	} {
		typ, _, _ := strings.Cut(strings.TrimPrefix(c.object, `"type":"`), `"`)
		times := `"created":"2026-11-01T00:00:00.000Z","modified":"2026-11-01T00:00:00.000Z",`
		if typ == "domain-name" {
			times = ""
		}
		o, err := stix.Parse([]byte(`{"spec_version":"2.1","id":"` + typ + `--22222222-2222-4222-8222-222222222222",` + times + c.object + `}`))
		ok(t, err)
		if got := knownTitle(o, "bad.example"); got != c.want {
			t.Errorf("%s: %q, want %q", c.why, got, c.want)
		}
	}
}

// TestKnownInOrder: indicators come first, since they say what a value is; of the rest, the latest.
func TestKnownInOrder(t *testing.T) {
	at := func(seq int64) journal.Delivery { return journal.Delivery{Seq: polder.Seq(seq)} }
	k := exchange.Known{Objects: []journal.Delivery{at(1), at(7)}, Sightings: []journal.Delivery{at(9), at(3)}, Remarks: []journal.Delivery{at(8)},
		Indicators: []exchange.KnownIndicator{{Delivery: at(2)}, {Delivery: at(5)}}}
	var got []int64
	for _, d := range knownInOrder(k) {
		got = append(got, int64(d.Seq))
	}
	want := []int64{5, 2, 9, 8, 7, 3, 1}
	for i := range want {
		if len(got) != len(want) || got[i] != want[i] {
			t.Fatalf("%v, want %v", got, want)
		}
	}
}
