package screen

import (
	"context"
	"strings"
	"testing"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/screen/lists"
	"github.com/polder-exchange/polder/internal/web/webtest"
	"github.com/polder-exchange/polder/names"
	"github.com/polder-exchange/polder/stix"
)

// fakeExchange takes lists, and says what it was told to.
type fakeExchange struct {
	places []Community
	out    Published
	err    error
	asked  []Share
}

func (f *fakeExchange) Shares(context.Context, polder.Actor) ([]Community, error) {
	return f.places, nil
}

func (f *fakeExchange) Levels(context.Context, polder.Actor) ([]stix.Marking, error) {
	return []stix.Marking{stix.Amber, stix.AmberStrict, stix.Red}, nil
}

func (f *fakeExchange) Publish(_ context.Context, _ polder.Actor, s Share, _ SharedParts) (Published, error) {
	f.asked = append(f.asked, s)
	out := f.out
	out.Held = out.Held && !s.Confirmed
	return out, f.err
}

// shared tells what was shared, previews left out.
func (f *fakeExchange) shared() (out []Share) {
	for _, s := range f.asked {
		if !s.Preview {
			out = append(out, s)
		}
	}
	return out
}

// sharing is a world in which the organisation keeps a list "suspects" and may share it.
func sharing(t testing.TB) (*pageWorld, *fakeExchange) {
	t.Helper()
	w := filled(t)
	x := &fakeExchange{places: []Community{{"ring", "Vacuum Ring"}, {"delta", "Delta <Council>"}}, out: Published{New: 11, Changed: 1, Same: 5, Readers: 14, Sight: "a"}}
	w.registry.o.Publisher, w.pages.more.Communities = x, x
	answered(t, "importing", w.upload("steward", "/screen/lists", "suspects.csv", "id,name,type\n7,Severny Vakuum Tekhnika,company\n", "name", "suspects", "purpose", "restricted"), 303)
	return w, x
}

// seenIn is what a preview says that was seen.
func seenIn(page string) string {
	_, rest, _ := strings.Cut(page, `name="seen" value="`)
	seen, _, _ := strings.Cut(rest, `"`)
	return seen
}

// TestShareFromPage: what sharing would do is shown first, and the button says what goes and to how many.
func TestShareFromPage(t *testing.T) {
	w, x := sharing(t)
	at := "/screen/lists/suspects"
	page := w.see("contributor", at)
	holds(t, page, "Share with a community", "Vacuum Ring", htmlOf("Delta <Council>"), `value="amber"`, "Name Meridiaan Lithografie", "Look at it first")
	holdsNot(t, page, `value="red"`, "Stays on your node")
	form := []string{"community", "ring", "tlp", "amber+strict", "named", "yes"}
	page = answered(t, "looking", w.post("contributor", at+"/share", form...), 200)
	holds(t, page, "Share 12 listings with 14 organisations", "Vacuum Ring", "TLP:AMBER+STRICT", "Name Meridiaan Lithografie", ">11<", ">5<")
	for _, fault := range webtest.Broken([]byte(page)) {
		t.Error(fault)
	}
	if len(x.shared()) > 0 {
		t.Fatal("looking shared it")
	}
	form = append(form, "seen", seenIn(page))
	out := w.post("contributor", at+"/share", form...)
	answered(t, "sharing", out, 303)
	if got := x.shared(); len(got) != 1 || got[0] != (Share{List: "suspects", Community: "ring", Level: stix.AmberStrict, Named: true}) {
		t.Errorf("it shared %+v", got)
	}
	if to := out.Header().Get("Location"); to != at {
		t.Errorf("sharing leads to %s", to)
	}
	x.out.Sight = "b"
	page = answered(t, "sharing what has changed since", w.post("contributor", at+"/share", form...), 200)
	holds(t, page, "It is not what you saw")
	if len(x.shared()) != 1 {
		t.Error("what was not seen was shared")
	}
	holds(t, answered(t, "in Dutch", w.post("contributor", at+"/share?lang=nl", form...), 200), "12 vermeldingen delen met 14 organisaties")
}

// TestShareSaysWhy: what is not shared says so, and shows no button that shares.
func TestShareSaysWhy(t *testing.T) {
	w, x := sharing(t)
	at := "/screen/lists/suspects/share"
	look := func() string {
		t.Helper()
		return answered(t, "looking", w.post("contributor", at, "community", "ring", "tlp", "amber"), 200)
	}
	for _, c := range []struct {
		why       string
		out       Published
		want, not string
	}{
		{"nothing new", Published{Same: 5}, "shared there already", `name="seen"`},
		{"refused listings", Published{New: 3, Refused: []string{"7: name: is <empty>"}}, htmlOf("7: name: is <empty>"), `name="seen"`},
		{"withdrawn alone", Published{Same: 5, Withdrawn: 2}, "Withdraw 2 listings", "organisations</button>"},
		{"both", Published{New: 1, Withdrawn: 2, Readers: 1}, "Share 1 listing with 1 organisation, and withdraw 2 listings", "is refused"},
		{"a warning", Published{New: 1, Readers: 3, Warnings: []string{"names a person"}}, "Names a person.", `name="confirm"`},
		{"a warning that holds it", Published{New: 1, Readers: 3, Held: true, Warnings: []string{"names a person"}}, `name="confirm"`, "is refused"},
	} {
		x.out = c.out
		page := look()
		if !strings.Contains(page, c.want) || strings.Contains(page, c.not) {
			t.Errorf("%s: the page lacks %q or has %q", c.why, c.want, c.not)
		}
	}
	seen := seenIn(look())
	answered(t, "sharing what is held", w.post("contributor", at, "community", "ring", "tlp", "amber", "seen", seen), 200)
	if len(x.shared()) > 0 {
		t.Error("what is held was shared")
	}
	answered(t, "confirming it", w.post("contributor", at, "community", "ring", "tlp", "amber", "seen", seen, "confirm", "yes"), 303)
	if got := x.shared(); len(got) != 1 || !got[0].Confirmed {
		t.Errorf("confirming shared %+v", got)
	}
	x.err = polder.Errorf(polder.Invalid, "suspects has 30000 parts")
	page := answered(t, "an error", w.post("contributor", at, "community", "delta", "tlp", "amber+strict", "named", "yes"), 400)
	holds(t, page, "Suspects has 30000 parts.", `value="delta" selected`, `value="amber&#43;strict" checked`)
}

// TestWhoShares: readers see no form, lists of the node have none, and where nobody may share the page says so.
func TestWhoShares(t *testing.T) {
	w, x := sharing(t)
	for _, c := range []struct{ who, path, why string }{
		{"reader", "/screen/lists/suspects", "a reader"}, {"steward", "/screen/lists/restricted", "a list of the node"},
	} {
		if strings.Contains(w.see(c.who, c.path), "Share with a community") {
			t.Errorf("%s has the form", c.why)
		}
	}
	for _, c := range []struct {
		who, path string
		want      int
	}{{"reader", "/screen/lists/suspects/share", 403}, {"their-contributor", "/screen/lists/suspects/share", 404}, {"contributor", "/screen/lists/restricted/share", 404}, {"contributor", "/screen/lists/none/share", 404}} {
		if got := w.post(c.who, c.path, "community", "ring", "tlp", "amber").Code; got != c.want {
			t.Errorf("%s at %s: %d, want %d", c.who, c.path, got, c.want)
		}
	}
	x.places = nil
	page := w.see("contributor", "/screen/lists/suspects")
	holds(t, page, "no community in which you may share")
	holdsNot(t, page, "Look at it first")
	if len(x.shared()) > 0 {
		t.Error("something was shared")
	}
}

// TestSharedListingLeads: a listing that a member shares leads to the page of its object, any other to none.
func TestSharedListingLeads(t *testing.T) {
	w := filled(t)
	id := listingType + "--5f2c1d0e-3a57-4d0e-9c1b-5e8d7a94f1c3"
	for _, c := range []struct{ list, id, want string }{
		{"ring/suspects", id, "/objects/" + id}, {"suspects", id, ""}, {"ring/suspects", "7", ""}, {"ring/suspects", listingType + "--../x", "/objects/" + listingType + "--..%2Fx"},
	} {
		if got := sharedObject(c.list, c.id); got != c.want {
			t.Errorf("%s %s leads to %q, want %q", c.list, c.id, got, c.want)
		}
	}
	words := w.site.Words("en")
	h := Hit{ID: id, List: "ring/suspects", Name: "Severny Vakuum", Score: 0.9, Listing: &lists.Entry{ID: id, Name: "Severny Vakuum", Type: names.Company}}
	led := false
	for _, one := range listingPairs(words, h, lists.Meta{Name: "ring/suspects"}) {
		led = led || one.Here == "/objects/"+id && one.Text == id
	}
	if !led {
		t.Error("the listing leads nowhere")
	}
}
