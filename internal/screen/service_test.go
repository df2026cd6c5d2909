package screen

import (
	"testing"

	"github.com/polder-exchange/polder"
)

func TestKeepOpensOneReview(t *testing.T) {
	w := ready(t)
	r := w.review(company("", firmOne))
	if r.State != StateOpen || r.Listing != "1" || r.List != "alpha" || r.Score < DefaultThreshold || r.Version != 1 {
		t.Fatalf("the review is %+v", r)
	}
	if again := w.review(company("", firmOne)); again.ID != r.ID || again.Version != 1 {
		t.Fatalf("the same answer kept twice gives %s at version %d, want %s at 1", again.ID, again.Version, r.ID)
	}
	if p, err := w.Screenings(t.Context(), dirk, ScreeningFilter{}); err != nil || len(p.Screenings) != 2 || len(p.Screenings[0].Lists) != 1 || p.Screenings[0].Lists[0].SHA256 == "" {
		t.Fatalf("answers on record: %+v, %v", p, err)
	}
	if all := w.all(""); len(all) != 1 {
		t.Fatalf("%d reviews wait, want 1", len(all))
	}
}

func TestFalseHitIsRemembered(t *testing.T) {
	w := ready(t)
	p, err := w.AddParty(t.Context(), anna, Customers, company("C1", firmOne))
	must(t, err)
	w.work()
	all := w.all("")
	if len(all) != 1 || all[0].Party != p.ID || all[0].Group != Customers {
		t.Fatalf("after the first work: %+v", all)
	}
	_, err = w.say(anna, all[0].ID, VerdictFalse)
	must(t, err)
	must(t, w.AskAgain(t.Context(), carla))
	w.work()
	if r := w.get(all[0].ID); r.State != StateFalse {
		t.Fatalf("asked again, the review is %s, want false: nothing changed", r.State)
	}
	changed := entry("1", firmOne)
	changed.Addresses = []string{"1 New Street"}
	w.lists.put("alpha", "2026-11-02", changed, entry("2", firmTwo))
	w.work()
	if r := w.get(all[0].ID); r.State != StateOpen || r.Note != "the listing changed since 2026-11-01: addresses" {
		t.Fatalf("after the listing changed the review is %s: %q", r.State, r.Note)
	}
	_, err = w.say(anna, all[0].ID, VerdictFalse)
	must(t, err)
	_, err = w.ChangeParty(t.Context(), anna, p.ID, PartyChange{Query: Query{Ref: "C1", Name: firmOne, Type: p.Query.Type, Country: "NL"}, Seen: 1})
	must(t, err)
	w.work()
	if r := w.get(all[0].ID); r.State != StateOpen || r.Note != "the party changed: country" {
		t.Fatalf("after the party changed the review is %s: %q", r.State, r.Note)
	}
	isKind(t, func() error {
		_, err := w.Decide(t.Context(), anna, all[0].ID, Judgement{VerdictFalse, "checked the register", 1})
		return err
	}(), polder.Conflict)
}
