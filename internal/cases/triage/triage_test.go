package triage

import (
	"bufio"
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/polder-exchange/polder/internal/testdata"
)

// labelled is a report of testdata/reports.tsv.
type labelled struct {
	part, language, road, kind, ongoing, class, severity, text string
}

func (l labelled) answers() Answers {
	return Answers{What: l.text, Roads: []string{l.road}, Ongoing: l.ongoing, Kind: l.kind, Language: l.language}
}

func readLabelled(t testing.TB) []labelled {
	t.Helper()
	f, err := os.Open("testdata/reports.tsv")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var all []labelled
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		c := strings.Split(lines.Text(), "\t")
		if len(c) != 8 {
			t.Fatalf("line %d has %d columns", len(all)+2, len(c))
		}
		if c[0] != "part" {
			all = append(all, labelled{c[0], c[1], c[2], c[3], c[4], c[5], c[6], c[7]})
		}
	}
	return all
}

// TestAgreement publishes how often the proposal is what a person chose, over the whole set and over the part that was
// written before the rules and never used to tune them, by road and by language.
func TestAgreement(t *testing.T) {
	type tally struct{ all, class, severity, near int }
	tallies := map[string]*tally{}
	for _, l := range readLabelled(t) {
		p := Propose(l.answers())
		for _, group := range []string{"all", l.part, l.language, l.road, l.part + " " + l.language, l.part + " " + l.road} {
			if tallies[group] == nil {
				tallies[group] = &tally{}
			}
			g := tallies[group]
			g.all++
			g.class += one(p.Class == l.class)
			g.severity += one(p.Severity == l.severity)
			off := slices.Index(severities, p.Severity) - slices.Index(severities, l.severity)
			g.near += one(-1 <= off && off <= 1)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(tallies)) {
		g := tallies[name]
		t.Logf("%-24s class %3d of %3d (%d %%), severity %d %%, within one step %d %%", name, g.class, g.all, 100*g.class/g.all, 100*g.severity/g.all, 100*g.near/g.all)
		if g.all < 20 {
			continue // too few to hold it to a share
		}
		if 100*g.class < 80*g.all {
			t.Errorf("%s: the class agrees in %d of %d, want 80 %%", name, g.class, g.all)
		}
		if 100*g.severity < 70*g.all {
			t.Errorf("%s: the severity agrees in %d of %d, want 70 %%", name, g.severity, g.all)
		}
	}
	t.Logf("as the rules stood when they were written, later had class 29 of 40 (72 %%), severity 70 %%")
	if tallies["all"].all < 140 || tallies["later"].all < 40 || tallies["held-out"].all < 60 || tallies["fresh"].all < 40 {
		t.Errorf("the set has %d reports, %d of them held out", tallies["all"].all, tallies["held-out"].all)
	}
}

func one(yes bool) int {
	if yes {
		return 1
	}
	return 0
}

// TestSeverity holds what moves a severity.
func TestSeverity(t *testing.T) {
	for _, c := range []struct {
		a    Answers
		want string
		why  string
	}{
		{Answers{What: "All files on the server are encrypted and there is a ransom note.", Kind: "incident", Ongoing: "no"}, "high", "data is locked, and it is over"},
		{Answers{What: "All files on the server are encrypted and there is a ransom note.", Kind: "incident", Ongoing: "yes"}, "critical", "the same while it goes on"},
		{Answers{What: "De aanvaller heeft domeinbeheerdersrechten, er zijn nieuwe beheerders.", Kind: "incident"}, "critical", "all rights are the worst that can be lost"},
		{Answers{What: "Phishingmail ontvangen, niemand heeft geklikt.", Kind: "near-miss"}, "low", "nothing came of it"},
		{Answers{What: "I typed my password on a fake login page.", Kind: "incident"}, "medium", "a password is known, nothing more yet"},
		{Answers{What: "Malware on several machines.", Kind: "incident"}, "high", "more than one machine"},
		{Answers{What: "Malware on one laptop.", Kind: "incident"}, "medium", "one machine"},
		{Answers{What: "Iemand vroeg op LinkedIn naar ons werk.", Kind: "approach", Ongoing: "no", Roads: []string{"research"}}, "low", "a question that was not answered"},
		{Answers{What: "Iemand vraagt op LinkedIn steeds naar ons werk.", Kind: "approach", Ongoing: "yes", Roads: []string{"research"}}, "medium", "somebody keeps at it"},
		{Answers{What: "We paid a fake invoice that pretended to come from a supplier.", Kind: "incident"}, "high", "money was paid"},
		{Answers{What: "We got a fake invoice that pretended to come from a supplier.", Kind: "near-miss"}, "low", "it was seen in time"},
		{Answers{}, "low", "nothing is said"},
	} {
		if got := Propose(c.a); got.Severity != c.want {
			t.Errorf("%q is %s, want %s: %s; %+v", c.a.What, got.Severity, c.want, c.why, got)
		}
	}
}

// TestStillGoingOn: an incident on the cyber road that is still going on is never low, whatever its words.
func TestStillGoingOn(t *testing.T) {
	texts := []string{"", "Something is wrong.", "Er gebeurt iets vreemds.", "Phishing mail, nobody has entered a password.", "Onze logs tonen een poortscan.", "Spam, steeds weer spam."}
	for _, l := range readLabelled(t) {
		texts = append(texts, l.text)
	}
	floored := 0
	for _, text := range texts {
		a := Answers{What: text, Roads: []string{"cyber"}, Ongoing: "yes", Kind: "incident"}
		p := Propose(a)
		if p.Severity == "low" || len(p.Why) == 0 {
			t.Errorf("%q is %+v", text, p)
		}
		if a.Ongoing = "no"; Propose(a).Severity == "low" {
			floored++
		}
	}
	if floored < 5 {
		t.Errorf("only %d of them are low when they are over, so the floor is not tried", floored)
	}
}

// TestEveryday holds kinds of report in wordings that no rule was written for.
func TestEveryday(t *testing.T) {
	const account, burglary = "intrusions/unprivileged-account-compromise", "intrusions/burglary"
	for _, c := range []struct{ road, want, text string }{
		{"cyber", account, "A fitter who left in September still logs in on the remote-access server."},
		{"cyber", account, "De vorige beheerder kan nog steeds bij onze mailboxen met zijn oude wachtwoord."},
		{"insider", account, "Our former bookkeeper signed in to the payroll portal again on Sunday; her login was never revoked."},
		{"cyber", account, "Het onderhoudsbedrijf, waarvan het contract is afgelopen, logt nog in op de pompbesturing via VPN."},
		{"insider", burglary, "Last night someone broke into the office and took two laptops."},
		{"unknown", burglary, "Vannacht zijn dieven via het raam van de kantine binnengekomen en er zijn computers weg."},
		{"research", burglary, "The door of the cold room was forced and a box of samples is missing."},
	} {
		if p := Propose(Answers{What: c.text, Roads: []string{c.road}, Kind: "incident"}); p.Class != c.want || p.Severity == "low" {
			t.Errorf("%q: %+v, want %s", c.text, p, c.want)
		}
	}
	for text, not := range map[string]string{
		"A former colleague still calls me to ask how the oven is set.":      account,
		"An intruder broke into the server and the backups are gone.":        burglary,
		"The visitor left us at four and still had access to the guest wifi": burglary,
	} {
		if p := Propose(Answers{What: text, Roads: []string{"cyber"}, Kind: "incident"}); p.Class == not {
			t.Errorf("%q: %+v", text, p)
		}
	}
}

// TestProposeReasons: every proposal says why, in the words of the report, and in the language asked for.
func TestProposeReasons(t *testing.T) {
	for _, l := range readLabelled(t) {
		for _, lang := range []string{"en", "nl"} {
			a := l.answers()
			a.Language = lang
			p := Propose(a)
			if len(p.Why) == 0 {
				t.Errorf("%q: no reason", l.text)
			}
			for _, w := range p.Why {
				for part := range strings.SplitSeq(w.Words, " … ") {
					if !strings.Contains(l.text, part) || w.Says == "" {
						t.Errorf("%q: the reason %q is not in the words", l.text, w)
					}
				}
			}
		}
	}
	if p := Propose(Answers{What: "phishing", Kind: "incident", Language: "nl"}); p.Why[0].Says != "phishing naar wachtwoorden" {
		t.Errorf("in Dutch the reason is %q", p.Why)
	}
}

// TestDenied: what is denied does not count as done.
func TestDenied(t *testing.T) {
	r := theRules()
	for text, want := range map[string]bool{
		"Ik heb niets ingevuld": true, "I did not click": true, "niemand heeft geklikt": true, "ze klikte niet": true,
		"I clicked": false, "niet zeker, maar ik heb geklikt": false, "nobody knows. He clicked": false,
	} {
		d := r.read(text)
		spans := slices.Concat(d.found["entered"], d.found["clicked"])
		if len(spans) == 0 || spans[0].denied != want {
			t.Errorf("%q: %+v, want denied %v", text, spans, want)
		}
	}
}

// TestRulesAreWhole: every class is one of RSIT's, every name that a rule uses is there, every text has both languages.
func TestRulesAreWhole(t *testing.T) {
	r, err := readRules()
	if err != nil {
		t.Fatal(err)
	}
	official := rsitClasses(t)
	known := map[string]bool{}
	for _, c := range r.Classes {
		known[c.ID] = true
		if !official[c.ID] {
			t.Errorf("%s is no class of RSIT", c.ID)
		}
		if c.EN == "" || c.NL == "" || !slices.Contains(severities, c.Base[""]) {
			t.Errorf("%s is not whole: %+v", c.ID, c)
		}
	}
	for _, l := range readLabelled(t) {
		if !official[l.class] || !known[l.class] || !slices.Contains(severities, l.severity) || !slices.Contains(kinds, l.kind) {
			t.Errorf("the set has %q", l)
		}
	}
	used := map[string]bool{}
	for _, rule := range slices.Concat(r.Rules, r.Kinds, r.Defaults, r.Severity) {
		for _, atom := range strings.Fields(rule.If + " " + rule.Also + " " + rule.Unless) {
			name := strings.TrimLeft(atom, "+-")
			used[name] = true
			if r.Concepts[name] == "" {
				t.Errorf("%+v names %q, which is not there", rule, name)
			}
		}
		if rule.Class != "" && !known[rule.Class] {
			t.Errorf("%+v names a class that is not there", rule)
		}
	}
	for _, rule := range slices.Concat(r.Kinds, r.Defaults, r.Severity) {
		if rule.EN == "" || rule.NL == "" {
			t.Errorf("%+v has no words in both languages", rule)
		}
	}
	for _, c := range r.concepts {
		if !used[c.name] {
			t.Errorf("no rule uses %q", c.name)
		}
		for _, p := range c.phrases {
			if len(p) == 0 || p[0].gap || p[len(p)-1].gap {
				t.Errorf("%s has a phrase that begins or ends with nothing", c.name)
			}
			for _, part := range p {
				if w := r.words(part.text); !part.gap && (len(w) != 1 || w[0].text != part.text) {
					t.Errorf("%s has %q, which no word can be", c.name, part.text)
				}
			}
		}
	}
}

// rsitClasses are all of RSIT, "classification/incident type".
func rsitClasses(t *testing.T) map[string]bool {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join(testdata.Dir(t), "taxonomies", "rsit.json"))
	if err != nil {
		t.Fatal(err)
	}
	var taxonomy struct {
		Values []struct {
			Predicate string
			Entry     []struct{ Value string }
		}
	}
	if err := json.Unmarshal(raw, &taxonomy); err != nil {
		t.Fatal(err)
	}
	all := map[string]bool{}
	for _, p := range taxonomy.Values {
		for _, e := range p.Entry {
			all[p.Predicate+"/"+e.Value] = true
		}
	}
	return all
}

// FuzzPropose: any text gives a proposal that can be shown.
func FuzzPropose(f *testing.F) {
	for _, l := range readLabelled(f) {
		f.Add(l.text, l.road, l.kind)
	}
	f.Add("\xff\xfe ~ * \u200b", "", "")
	f.Fuzz(func(t *testing.T, what, road, kind string) {
		p := Propose(Answers{What: what, Roads: []string{road}, Kind: kind})
		if !slices.Contains(severities, p.Severity) || !slices.Contains(kinds, p.Kind) || !strings.Contains(p.Class, "/") || len(p.Why) == 0 {
			t.Errorf("%q: %+v", what, p)
		}
		Duplicates([]Text{{ID: "a", Words: what}, {ID: "b", Words: what + kind}}, "en")
	})
}

// BenchmarkPropose is a report of the usual length.
func BenchmarkPropose(b *testing.B) {
	all := readLabelled(b)
	b.ReportAllocs()
	for b.Loop() {
		Propose(all[0].answers())
	}
}
