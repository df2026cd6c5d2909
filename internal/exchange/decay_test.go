package exchange

import (
	"bytes"
	"context"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/indicator"
	"github.com/polder-exchange/polder/stix"
)

var decayDay0 = time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)

func decayDay(n float64) time.Time {
	return decayDay0.Add(time.Duration(n * 24 * float64(time.Hour)))
}

// TestDecay: which rule fits, what age takes, what renews, what ends.
func TestDecay(t *testing.T) {
	d := BuiltinDecay()
	address := Fading{Kinds: []indicator.Kind{indicator.IPv4}, Start: decayDay0, Confidence: -1}
	with := func(f Fading, change func(*Fading)) Fading { change(&f); return f }
	unnamed := func(n int) (all []FalseAlarm) {
		for i := range n {
			all = append(all, FalseAlarm{At: decayDay(1), Who: fmt.Sprint(i)})
		}
		return all
	}
	for _, c := range []struct {
		why  string
		f    Fading
		day  float64
		want int
		rule string
	}{
		{"an address begins at 100", address, 0, 100, "addresses"},
		{"and has lost half after its half-life", address, 14, 50, "addresses"},
		{"and three quarters after two", address, 28, 25, "addresses"},
		{"before it begins it is as at its beginning", address, -30, 100, "addresses"},
		{"its own confidence is where it begins", with(address, func(f *Fading) { f.Confidence = 40 }), 14, 20, "addresses"},
		{"a sighting renews it", with(address, func(f *Fading) { f.Sightings = []time.Time{decayDay(14)} }), 28, 50, "addresses"},
		{"so does agreement", with(address, func(f *Fading) { f.Agreements = []time.Time{decayDay(28)} }), 28, 100, "addresses"},
		{"a sighting from the future counts as of now", with(address, func(f *Fading) { f.Sightings = []time.Time{decayDay(400)} }), 28, 100, "addresses"},
		{"valid_until ends it", with(address, func(f *Fading) { f.Until = decayDay(1) }), 1, 0, "addresses"},
		{"and not before", with(address, func(f *Fading) { f.Until = decayDay(1.01) }), 1, 95, "addresses"},
		{"revoked ends it", with(address, func(f *Fading) { f.Revoked = true }), 0, 0, "addresses"},
		{"one who gives a name does not end it", with(address, func(f *Fading) { f.False = []FalseAlarm{{decayDay(1), "a", true}, {decayDay(2), "a", true}} }), 14, 50, "addresses"},
		{"two do", with(address, func(f *Fading) { f.False = []FalseAlarm{{decayDay(1), "a", true}, {decayDay(1), "b", true}} }), 14, 0, "addresses"},
		{"four without a name do not", with(address, func(f *Fading) { f.False = unnamed(4) }), 14, 50, "addresses"},
		{"five do", with(address, func(f *Fading) { f.False = unnamed(5) }), 14, 0, "addresses"},
		{"unless it was seen since", with(address, func(f *Fading) { f.False, f.Sightings = unnamed(5), []time.Time{decayDay(2)} }), 16, 50, "addresses"},
		{"phishing goes faster", with(address, func(f *Fading) { f.Types = []string{"phishing"} }), 7, 50, "phishing"},
		{"a file has a floor", Fading{Kinds: []indicator.Kind{indicator.SHA256, indicator.MD5}, Start: decayDay0, Confidence: -1}, 36500, 40, "hashes"},
		{"a floor lifts nothing that began below it", Fading{Kinds: []indicator.Kind{indicator.SHA256}, Start: decayDay0, Confidence: 10}, 36500, 10, "hashes"},
		{"of several kinds of value the rule for everything holds", Fading{Kinds: []indicator.Kind{indicator.SHA256, indicator.IPv4}, Start: decayDay0, Confidence: -1}, 180, 60, "everything else"},
		{"so it does of none", Fading{Start: decayDay0, Confidence: -1}, 180, 60, "everything else"},
	} {
		got := d.At(c.f, decayDay(c.day))
		if got.Worth != c.want || got.Rule.Name != c.rule || len(got.Because) < 3 {
			t.Errorf("%s: %d by %q, want %d by %q (%+v)", c.why, got.Worth, got.Rule.Name, c.want, c.rule, got.Because)
		}
	}
}

func drawFading(t *rapid.T) Fading {
	moment := rapid.Map(rapid.Float64Range(-100, 400), decayDay)
	f := Fading{Start: moment.Draw(t, "start"), Confidence: rapid.IntRange(-1, 100).Draw(t, "confidence"), Revoked: rapid.Bool().Draw(t, "revoked")}
	f.Kinds = rapid.SliceOfN(rapid.SampledFrom([]indicator.Kind{indicator.IPv4, indicator.URL, indicator.Domain, indicator.SHA256, indicator.ASN}), 0, 2).Draw(t, "kinds")
	f.Sightings, f.Agreements = rapid.SliceOfN(moment, 0, 4).Draw(t, "sightings"), rapid.SliceOfN(moment, 0, 4).Draw(t, "agreements")
	f.False = rapid.SliceOfN(rapid.Custom(func(t *rapid.T) FalseAlarm {
		return FalseAlarm{moment.Draw(t, "at"), rapid.SampledFrom([]string{"a", "b", "c", "d", "e", "f"}).Draw(t, "who"), rapid.Bool().Draw(t, "named")}
	}), 0, 8).Draw(t, "false")
	if rapid.Bool().Draw(t, "ends") {
		f.Until = moment.Draw(t, "until")
	}
	return f
}

// TestDecayLaws: worth stays between 0 and 100; without renewal time never raises it; renewal never lowers it; saying that
// it is false never raises it; a clock that jumped and is right again leaves no trace.
func TestDecayLaws(t *testing.T) {
	d := BuiltinDecay()
	rapid.Check(t, func(t *rapid.T) {
		f := drawFading(t)
		now := decayDay(rapid.Float64Range(-50, 500).Draw(t, "now"))
		before := d.At(f, now)
		if before.Exact < 0 || before.Exact > 100 || math.IsNaN(before.Exact) || before.Worth < 0 || before.Worth > 100 {
			t.Fatalf("worth %v", before.Exact)
		}
		later := now.Add(time.Duration(rapid.Float64Range(0, 1000).Draw(t, "later") * float64(time.Hour)))
		if after := d.At(f, later); after.Exact > before.Exact+1e-9 && !renewedBetween(f, now, later) {
			t.Fatalf("from %v to %v without renewal", before.Exact, after.Exact)
		}
		d.At(f, later.Add(24*time.Hour))
		d.At(f, now.Add(-24*time.Hour))
		if again := d.At(f, now); again.Exact != before.Exact {
			t.Fatalf("after a jump of the clock %v, before %v", again.Exact, before.Exact)
		}
		more := f
		more.Sightings = append(append([]time.Time{}, f.Sightings...), decayDay(rapid.Float64Range(-100, 500).Draw(t, "seen")))
		if after := d.At(more, now); after.Exact < before.Exact-1e-9 {
			t.Fatalf("a sighting lowers %v to %v", before.Exact, after.Exact)
		}
		less := f
		less.False = append(append([]FalseAlarm{}, f.False...), FalseAlarm{now, "z", rapid.Bool().Draw(t, "by name")})
		if after := d.At(less, now); after.Exact > before.Exact+1e-9 {
			t.Fatalf("a false alarm raises %v to %v", before.Exact, after.Exact)
		}
	})
}

// renewedBetween tells whether something renewed f in (a, b], or it began there.
func renewedBetween(f Fading, a, b time.Time) bool {
	for _, at := range append(append([]time.Time{}, f.Sightings...), f.Agreements...) {
		if at.After(a) && !at.After(b) {
			return true
		}
	}
	return false
}

// TestParseDecay: rules that would mislead, or tell of single members, are refused with what is wrong.
func TestParseDecay(t *testing.T) {
	text := string(decayBuiltin)
	if d := BuiltinDecay(); d.Text != text || len(d.Rules) != 6 {
		t.Errorf("the rules in the program: %d", len(d.Rules))
	}
	for _, c := range []struct{ was, is, want, why string }{
		{"version: 1", "version: 2", "version", "another form"},
		{"unnamed: 5", "unnamed: 4", "tell of single members", "four members are too few (X28)"},
		{"named: 2", "named: 0", "named", "nobody ends nothing"},
		{"half_life_days: 7", "half_life_days: 0", "half_life_days", "no half-life"},
		{"half_life_days: 7", "half_life_days: .nan", "half_life_days", "no number"},
		{"floor: 40", "floor: 101", "floor", "above all worth"},
		{"start: 100", "start: -1", "start", "below none"},
		{"kinds: [url]", "kinds: [web]", "kinds", "an unknown kind"},
		{"renewed_by: [sighting, agreement]", "renewed_by: [hope]", "renewed_by", "an unknown renewal"},
		{"ended_by: [valid_until, revoked, false-positive]", "ended_by: [doubt]", "ended_by", "an unknown end"},
		{"    start: 100", "    begin: 100", "begin", "a word that no rule has"},
		{"    says: Behaviour", "    kinds: [asn]\n    says: Behaviour", "has to fit everything", "some indicators would have no rule"},
	} {
		_, err := ParseDecay([]byte(strings.Replace(text, c.was, c.is, 1)))
		if polder.KindOf(err) != polder.Invalid || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want it to say %q", c.why, err, c.want)
		}
	}
	if _, err := ParseDecay(bytes.Repeat([]byte("#"), 300<<10)); err == nil {
		t.Error("rules of 300 KiB are read")
	}
}

// FuzzParseDecay: no file of rules brings the program down, and what is read gives worths within bounds.
func FuzzParseDecay(f *testing.F) {
	f.Add(decayBuiltin)
	f.Add([]byte("version: 1\nrules: [{name: a, half_life_days: 1}]\nfalse_positive: {named: 1, unnamed: 5}"))
	f.Fuzz(func(t *testing.T, text []byte) {
		d, err := ParseDecay(text)
		if err != nil {
			return
		}
		if w := d.At(Fading{Start: decayDay0, Confidence: -1}, decayDay(3)); w.Worth < 0 || w.Worth > 100 {
			t.Fatalf("worth %d", w.Worth)
		}
	})
}

// TestWorthNow: an indicator's worth is counted from what its reader sees; what was said to others changes nothing for it.
func TestWorthNow(t *testing.T) {
	w := newWorld(t)
	ctx := context.Background()
	a, b, c, out := w.as("a", polder.RoleContributor), w.as("b", polder.RoleContributor), w.as("c", polder.RoleContributor), w.as("out", polder.RoleContributor)
	w.share(a, Request{Objects: one(someIndicator(1, 0, "x", stix.Amber, ""))})
	worth := func(by polder.Actor) int {
		t.Helper()
		f, err := w.WorthNow(ctx, by, "", sid("indicator", 1))
		ok(t, err)
		return f.Worth
	}
	old := worth(b)
	if old < 5 || old > 10 {
		t.Errorf("a domain of 323 days is worth %d", old)
	}
	raw := thing("sighting", 2, 0, stix.Amber, `"sighting_of_ref":"`+sid("indicator", 1)+`","last_seen":"2026-11-20T08:00:00Z","first_seen":"2026-11-20T08:00:00Z"`)
	w.share(c, Request{Objects: []Incoming{{Raw: raw, Made: true}}, To: []polder.OrgID{w.orgs["a"].ID}, Confirmed: true})
	if worth(b) != old || worth(a) < 99 {
		t.Errorf("a narrow sighting: b reads %d, want %d; a reads %d, want about 100", worth(b), old, worth(a))
	}
	for _, hidden := range []struct {
		by      polder.Actor
		id, why string
	}{{out, sid("indicator", 1), "no member"}, {b, sid("indicator", 9), "no such object"}} {
		if _, err := w.WorthNow(ctx, hidden.by, "", hidden.id); polder.KindOf(err) != polder.NotFound {
			t.Errorf("%s: %v, want not found", hidden.why, err)
		}
	}
	if _, err := w.WorthNow(ctx, a, "", sid("sighting", 2)); polder.KindOf(err) != polder.Invalid {
		t.Errorf("of a sighting: %v, want invalid", err)
	}
	lists := func(by polder.Actor, least int) string {
		t.Helper()
		var text bytes.Buffer
		_, err := w.ExportWorth(ctx, by, "", AsPlain, least, &text)
		ok(t, err)
		return text.String()
	}
	if l := lists(b, 0); !strings.Contains(l, "x1.example") {
		t.Errorf("without a least worth the list is %q", l)
	}
	if l := lists(b, 50); strings.Contains(l, "x1.example") {
		t.Errorf("b asks for 50 and gets %q", l)
	}
	if l := lists(a, 50); !strings.Contains(l, "x1.example") {
		t.Errorf("a, who reads the sighting, asks for 50 and gets %q", l)
	}
	if _, err := w.ExportWorth(ctx, a, "", AsSTIX, 50, &bytes.Buffer{}); polder.KindOf(err) != polder.Invalid {
		t.Errorf("STIX with a least worth: %v", err)
	}
	for _, text := range []string{"101", "-1", "x"} {
		if _, err := ParseMinWorth(text); polder.KindOf(err) != polder.Invalid {
			t.Errorf("min_worth %q: %v", text, err)
		}
	}
}

// TestStatements: what a sighting, an opinion and a note say.
func TestStatements(t *testing.T) {
	about := sid("indicator", 1)
	for _, c := range []struct {
		raw  []byte
		want Stance
		why  string
	}{
		{thing("sighting", 1, 0, stix.Amber, `"sighting_of_ref":"`+about+`"`), StanceSeen, "a sighting"},
		{thing("sighting", 1, 0, stix.Amber, `"sighting_of_ref":"`+about+`","count":0`), StanceFalse, "seen no time"},
		{thing("sighting", 1, 0, stix.Amber, `"sighting_of_ref":"`+about+`","extensions":{"`+BlockedExtension+`":{"extension_type":"property-extension","blocked":true}}`), StanceBlocked, "in a block list"},
		{thing("opinion", 1, 0, stix.Amber, `"opinion":"disagree","object_refs":["`+about+`"]`), StanceFalse, "against it"},
		{thing("opinion", 1, 0, stix.Amber, `"opinion":"strongly-agree","object_refs":["`+about+`"]`), StanceAgrees, "for it"},
		{thing("opinion", 1, 0, stix.Amber, `"opinion":"neutral","object_refs":["`+about+`"]`), StanceNeutral, "neither"},
		{thing("note", 1, 0, stix.Amber, `"content":"x","labels":["False-Positive"],"object_refs":["`+about+`"]`), StanceFalse, "labelled"},
		{thing("note", 1, 0, stix.Amber, `"content":"x","object_refs":["`+about+`"]`), StanceRemarked, "a note"},
	} {
		o, err := stix.Parse(c.raw)
		ok(t, err)
		if got := StatementsOf(o); len(got) != 1 || got[0].Stance != c.want || got[0].About != about {
			t.Errorf("%s: %+v, want %s", c.why, got, c.want)
		}
	}
	o, err := stix.Parse(thing("opinion", 1, 0, stix.Amber, `"opinion":"agree","revoked":true,"object_refs":["`+about+`"]`))
	ok(t, err)
	if got := StatementsOf(o); got != nil {
		t.Errorf("a revoked opinion says %+v", got)
	}
}
