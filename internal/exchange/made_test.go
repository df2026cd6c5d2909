package exchange

import (
	"context"
	"strings"
	"testing"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/stix"
)

// TestAnswersStayInside (X6, X20, X23): what is said about an object reaches nobody whom that object did not reach, is
// never wider, and names nobody.
func TestAnswersStayInside(t *testing.T) {
	w := newWorld(t)
	ctx := context.Background()
	a, b, c := w.as("a", polder.RoleContributor), w.as("b", polder.RoleContributor), w.as("c", polder.RoleContributor)
	raw := someIndicator(1, 1, "x", stix.Amber, "")
	w.share(a, Request{Objects: one(raw), To: []polder.OrgID{b.Org}})
	about := About{ID: peekID(raw), Community: "ring"}
	res, err := w.MakeSighting(ctx, b, Sighting{About: about, Count: 3})
	ok(t, err)
	if res.Stored != 1 || strings.Contains(string(res.Items[0].Raw), string(b.Org)) {
		t.Fatalf("%+v", res)
	}
	id := res.Items[0].ID
	if _, err := w.inSight(ctx, a, "ring", id); err != nil {
		t.Fatalf("the contributor does not see that its indicator helped: %v", err)
	}
	if _, err := w.inSight(ctx, c, "ring", id); polder.KindOf(err) != polder.NotFound {
		t.Fatalf("a member that cannot see the indicator sees the sighting: %v", err)
	}
	if _, err := w.MakeNote(ctx, c, Note{About: about, Text: "x"}); polder.KindOf(err) != polder.NotFound {
		t.Fatalf("a note on an object out of sight: %v", err)
	}
	about.Level = stix.Green
	if _, err := w.MakeNote(ctx, b, Note{About: about, Text: "x"}); polder.KindOf(err) != polder.Forbidden {
		t.Fatalf("a note wider than its object: %v", err)
	}
}

// TestD2SameRequestTwice (D2): a request whose answer was lost is sent again with its key, and makes nothing new.
func TestD2SameRequestTwice(t *testing.T) {
	w := newWorld(t)
	a := w.as("a", polder.RoleContributor)
	raw := someIndicator(1, 1, "x", stix.Amber, "")
	w.share(a, Request{Objects: one(raw)})
	sight := Sighting{About: About{ID: peekID(raw), Community: "ring", Key: "7"}, Count: 3}
	for i, want := range []int{1, 0} {
		res, err := w.MakeSighting(context.Background(), a, sight)
		ok(t, err)
		if res.Stored != want {
			t.Fatalf("request %d: %+v", i, res)
		}
	}
	sight.Key = "8"
	if res, err := w.MakeSighting(context.Background(), a, sight); err != nil || res.Stored != 1 {
		t.Fatalf("another request: %+v %v", res, err)
	}
}

// TestQuestion (X23): a question is blind, open, answered by what refers to it, and closed by who asked.
func TestQuestion(t *testing.T) {
	w := newWorld(t)
	ctx := context.Background()
	a, b := w.as("a", polder.RoleContributor), w.as("b", polder.RoleContributor)
	res, err := w.Ask(ctx, a, Ask{Community: "ring", Question: "Has anybody seen this lure?", Level: stix.Green})
	ok(t, err)
	if len(res.Refused) > 0 {
		t.Fatalf("%+v", res.Refused)
	}
	id := res.Items[len(res.Items)-1].ID
	q, err := w.Question(ctx, b, "ring", id)
	ok(t, err)
	if q.State != Open || q.Mine || strings.Contains(string(q.Delivery.Raw), string(a.Org)) {
		t.Fatalf("%+v", q)
	}
	if _, err := w.CloseQuestion(ctx, b, "ring", id); polder.KindOf(err) != polder.Forbidden {
		t.Fatalf("another closes it: %v", err)
	}
	_, err = w.MakeNote(ctx, b, Note{About: About{ID: id, Community: "ring"}, Text: "Yes, in March."})
	ok(t, err)
	w.sync()
	if q, err = w.Question(ctx, a, "ring", id); err != nil || q.State != Answered || !q.Mine {
		t.Fatalf("%+v %v", q.State, err)
	}
	closed, err := w.CloseQuestion(ctx, a, "ring", id)
	if err != nil || len(closed.Refused) > 0 {
		t.Fatalf("%+v %v", closed, err)
	}
	if q, err = w.Question(ctx, b, "ring", id); err != nil || q.State != Closed {
		t.Fatalf("%+v %v", q.State, err)
	}
}
