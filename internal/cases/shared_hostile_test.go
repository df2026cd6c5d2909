package cases

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/stix"
)

// forgedCase has the contact point's organisation share a header that it made up with Wafer Werke.
func forgedCase(t *testing.T, ring *sharedRing, name string, keys ...string) {
	t.Helper()
	set := Kept{Community: "ring", To: []polder.OrgID{wafers}, Type: sharedCaseType, Definition: []byte(sharedCaseDefinition), Name: name, In: func(stix.Object) bool { return false }, Named: true}
	for i, key := range keys {
		set.Parts = append(set.Parts, KeptPart{Key: fmt.Sprint(i), Level: stix.Green, Set: sharedHeader(Case{Title: "forged " + name, Kind: KindIncident, Severity: SeverityHigh, Status: StatusOpen, Level: stix.Green}, Sharing{ID: key, Part: PartWork})})
	}
	_, err := ring.Keep(t.Context(), contact, set)
	caseMust(t, err)
}

// TestS15SharedCrowd (S15): an organisation that shares more cases than anybody reads hides none of another's.
func TestS15SharedCrowd(t *testing.T) {
	w, ring := newSharedWorld(t)
	var keys []string
	for i := range sharedMaxCases + 100 {
		keys = append(keys, fmt.Sprintf("00000000-0000-4000-8000-%012d", i))
	}
	ring.page = 500
	forgedCase(t, ring, "crowd", keys...)
	c := w.open(stix.Green, "Lens holder")
	_, err := w.ShareCase(t.Context(), lead, withPartner(c.ID, PartWork, stix.Green))
	caseMust(t, err)
	for range 5 { // in whatever order the exchange gives them
		theirs, err := w.SharedWithUs(t.Context(), partner)
		caseMust(t, err)
		if n := len(theirs); n != sharedMaxCases+1 || !slices.ContainsFunc(theirs, func(s SharedCase) bool { return s.Title == "Lens holder" }) {
			t.Fatalf("of %d cases the other's is not one", n)
		}
	}
}

// TestS4ForgedKey (S4): who shares a case under the key of another's is told nothing of what was said to that other.
func TestS4ForgedKey(t *testing.T) {
	w, ring := newSharedWorld(t)
	ctx := t.Context()
	c := w.open(stix.Green, "Lens holder")
	_, err := w.ShareCase(ctx, lead, withPartner(c.ID, PartWork, stix.Green))
	caseMust(t, err)
	theirs, err := w.SharedWithUs(ctx, partner)
	caseMust(t, err)
	_, err = w.ReplyToShared(ctx, partner, theirs[0].Key, Item{Kind: ItemNote, Title: "canary for Acme alone"}, true)
	caseMust(t, err)
	forgedCase(t, ring, "key", theirs[0].id)
	all, err := w.SharedWithUs(ctx, partner)
	caseMust(t, err)
	at := slices.IndexFunc(all, func(s SharedCase) bool { return strings.HasPrefix(s.Title, "forged") })
	if at < 0 {
		t.Fatal("the forged case is not there; the test says nothing")
	}
	_, err = w.ReplyToShared(ctx, partner, all[at].Key, Item{Kind: ItemNote, Title: "said to who forged it"}, true)
	caseMust(t, err)
	if saw := ring.sees(ncsc); !strings.Contains(saw, "said to who forged it") || strings.Contains(saw, "canary for Acme alone") {
		t.Errorf("who forged the key reads %s", saw)
	}
}
