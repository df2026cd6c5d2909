package exchange

import (
	"context"
	"testing"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/journal"
	"github.com/polder-exchange/polder/stix"
)

// partsOf is a set of notes of a name: one for each key, which says what follows it.
func partsOf(name string, keysAndTexts ...string) Set {
	set := Set{
		Community: "ring", Name: name, Type: questionType, Definition: []byte(questionDefinition), Level: stix.Amber,
		In: func(o stix.Object) bool { return string(o.Property("content")) == `"`+name+`"` },
	}
	for i := 0; i < len(keysAndTexts); i += 2 {
		set.Parts = append(set.Parts, SetPart{Key: keysAndTexts[i], Set: func(m *stix.Members) {
			m.Set("question", keysAndTexts[i+1])
			m.Set("content", name)
			m.Set("status", "open")
			m.Set("valid_until", "2027-01-01T00:00:00Z")
			setQuestionExtension(m)
		}})
	}
	return set
}

// texts are those of all parts of sets that a reader sees, and how many versions of them.
func (w *world) texts(name string) (map[string]bool, int) {
	w.t.Helper()
	sight, err := w.SightIn(context.Background(), w.as(name, polder.RoleReader), "ring")
	ok(w.t, err)
	page, err := w.journal.Page(context.Background(), sight, journal.Query{Types: []string{questionType}, Limit: 100})
	ok(w.t, err)
	out := map[string]bool{}
	for _, d := range page.Deliveries {
		o, err := stix.Parse(d.Raw)
		ok(w.t, err)
		out[string(o.Property("question"))] = true
	}
	all, err := w.journal.Page(context.Background(), sight, journal.Query{Types: []string{questionType}, Limit: 100, All: true})
	ok(w.t, err)
	return out, len(all.Deliveries)
}

func TestShareSet(t *testing.T) {
	w := newWorld(t)
	a, b := w.as("a", polder.RoleContributor), w.as("b", polder.RoleContributor)
	for _, step := range []struct {
		why  string
		by   polder.Actor
		set  Set
		want SetResult
		see  []string
		all  int // versions
	}{
		{"what is new is shared", a, partsOf("vessels", "1", "Aurora", "2", "Borealis"), SetResult{New: 2}, []string{"Aurora", "Borealis"}, 2},
		{"doing it again changes nothing", a, partsOf("vessels", "1", "Aurora", "2", "Borealis"), SetResult{Same: 2}, []string{"Aurora", "Borealis"}, 2},
		{"another set stands beside it", a, partsOf("firms", "1", "Klepwerk"), SetResult{New: 1}, []string{"Aurora", "Borealis", "Klepwerk"}, 3},
		{"another member's set of that name is another", b, partsOf("vessels", "1", "Calypso"), SetResult{New: 1}, []string{"Aurora", "Borealis", "Klepwerk", "Calypso"}, 4},
		{"a changed part is a version, a gone one is withdrawn", a, partsOf("vessels", "1", "Aurora II"), SetResult{Changed: 1, Withdrawn: 1}, []string{"Aurora II", "Klepwerk", "Calypso"}, 4},
		{"an empty set takes all out", a, partsOf("vessels"), SetResult{Withdrawn: 1}, []string{"Klepwerk", "Calypso"}, 2},
	} {
		got, err := w.ShareSet(context.Background(), step.by, step.set)
		ok(t, err)
		if got.New != step.want.New || got.Changed != step.want.Changed || got.Same != step.want.Same || got.Withdrawn != step.want.Withdrawn {
			t.Fatalf("%s: %+v, want %+v", step.why, got, step.want)
		}
		see, all := w.texts("c")
		if len(see) != len(step.see) || all != step.all {
			t.Fatalf("%s: c sees %v in %d versions, want %v in %d", step.why, see, all, step.see, step.all)
		}
		for _, text := range step.see {
			if !see[`"`+text+`"`] {
				t.Errorf("%s: c does not see %s in %v", step.why, text, see)
			}
		}
	}
}

// TestShareSetPreview: a preview stores nothing and says what would come and go; a reader shares no set.
func TestShareSetPreview(t *testing.T) {
	w := newWorld(t)
	a := w.as("a", polder.RoleContributor)
	_, err := w.ShareSet(context.Background(), a, partsOf("vessels", "1", "Aurora"))
	ok(t, err)
	set := partsOf("vessels", "2", "Borealis")
	set.Preview = true
	got, err := w.ShareSet(context.Background(), a, set)
	ok(t, err)
	if got.New != 1 || got.Withdrawn != 1 || len(got.Items) != 1 {
		t.Errorf("the preview says %+v, want one new and one withdrawn", got)
	}
	if see, all := w.texts("b"); all != 1 || !see[`"Aurora"`] {
		t.Errorf("after a preview b sees %v in %d versions", see, all)
	}
	if _, err := w.ShareSet(context.Background(), w.as("a", polder.RoleReader), partsOf("vessels", "3", "Calypso")); polder.KindOf(err) != polder.Forbidden {
		t.Errorf("a reader shared a set: %v", err)
	}
	if _, err := w.ShareSet(context.Background(), w.as("out", polder.RoleContributor), partsOf("vessels", "3", "Calypso")); polder.KindOf(err) != polder.NotFound {
		t.Errorf("a stranger was told %v, want that there is no such community", err)
	}
}

// TestShareSetTo: a set that names its recipients is seen by them and its sharer alone, each part at its own level; a
// part whose level changes gets a version with that level, and what is gone is gone for them too.
func TestShareSetTo(t *testing.T) {
	w := newWorld(t)
	a := w.as("a", polder.RoleContributor)
	levels := func(name string) map[string]stix.Marking {
		sight, err := w.SightIn(context.Background(), w.as(name, polder.RoleReader), "ring")
		ok(t, err)
		page, err := w.journal.Page(context.Background(), sight, journal.Query{Types: []string{questionType}, Limit: 100})
		ok(t, err)
		out := map[string]stix.Marking{}
		for _, d := range page.Deliveries {
			o, err := stix.Parse(d.Raw)
			ok(t, err)
			out[string(o.Property("question"))], err = o.Level()
			ok(t, err)
		}
		return out
	}
	set := partsOf("vessels", "1", "Aurora", "2", "Borealis")
	set.To = []polder.OrgID{w.as("b", polder.RoleReader).Org}
	set.Parts[0].Level = stix.Red
	got, err := w.ShareSet(context.Background(), a, set)
	ok(t, err)
	if got.New != 2 {
		t.Fatalf("the first time: %+v", got)
	}
	if see := levels("b"); len(see) != 2 || see[`"Aurora"`] != stix.Red || see[`"Borealis"`] != stix.Amber {
		t.Errorf("b sees %v", see)
	}
	if see := levels("c"); len(see) != 0 {
		t.Errorf("c is not named and sees %v", see)
	}
	if again, err := w.ShareSet(context.Background(), a, set); err != nil || again.Same != 2 {
		t.Errorf("the second time: %+v %v", again, err)
	}
	for _, level := range []stix.Marking{stix.Green, stix.AmberStrict} {
		set.Parts[1].Level = level
		if got, err := w.ShareSet(context.Background(), a, set); err != nil || got.Changed != 1 || got.Same != 1 {
			t.Fatalf("as %s: %+v %v", level, got, err)
		}
		if see := levels("b"); see[`"Borealis"`] != level {
			t.Errorf("b sees %v, want Borealis as %s", see, level)
		}
	}
	set.Parts = set.Parts[:1]
	_, err = w.ShareSet(context.Background(), a, set)
	ok(t, err)
	if see := levels("b"); len(see) != 1 || see[`"Aurora"`] != stix.Red {
		t.Errorf("after one part is gone b sees %v", see)
	}
}
