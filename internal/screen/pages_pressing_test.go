package screen

import (
	"strings"
	"testing"

	"github.com/polder-exchange/polder/internal/web"
)

// TestPressingFirst: on the overview a hit that speaks for a party waits behind one that speaks against it, however well
// it scores, and the queue says which is which.
func TestPressingFirst(t *testing.T) {
	w := filled(t)
	for _, q := range []Query{company("L-1", "Meerwijk Optics B.V."), company("C-2", "Brundelwijk Photonics")} {
		_, err := w.AddParty(t.Context(), anna, Suppliers, q)
		must(t, err)
	}
	w.work()
	page, err := w.Queue(t.Context(), anna, QueueFilter{})
	must(t, err)
	if len(page.Reviews) != 2 || page.Reviews[0].List != "verified" {
		t.Fatalf("the test wants the verified party to score best: %+v", page.Reviews)
	}
	card, err := w.pages.Card(t.Context(), anna, w.site.Words("en"))
	must(t, err)
	rows, is := card.Data.([]web.Todo)
	if !is || len(rows) < 2 || rows[0].Title != "Brundelwijk Photonics" || !strings.Contains(rows[0].Text, "Made-up Consolidated List") {
		t.Errorf("the card shows %+v", card.Data)
	}
	if text := w.see("contributor", "/screen/queue"); strings.Count(text, "Verified parties") != 1 {
		t.Errorf("the queue does not say once that a hit is on a list of verified parties")
	}
}
