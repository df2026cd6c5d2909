package triage

import "slices"

// The kinds of report and the severities, from slight to grave.
var (
	kinds      = []string{"incident", "near-miss", "approach", "suspicion"}
	severities = []string{"low", "medium", "high", "critical"}
)

// most reasons that are given for a class, and for a severity.
const (
	classReasons    = 3
	severityReasons = 2
)

// Propose says what a's words suggest. It never fails: where nothing speaks for a class, that is what it says.
func Propose(a Answers) Proposal { return theRules().propose(a) }

func (r *ruleSet) propose(a Answers) Proposal {
	d := r.read(a.What)
	why := []Reason{}
	if !slices.Contains(kinds, a.Kind) {
		var reason Reason
		if a.Kind, reason = r.kind(d, a); reason.Says != "" {
			why = append(why, reason)
		}
	}
	class, reasons := r.class(d, a)
	why = append(reasons, why...)
	severity, reasons := r.severity(d, a, class)
	return Proposal{Class: class.ID, Severity: severity, Kind: a.Kind, Why: append(why, reasons...)}
}

// weighed is a rule that fits, with its words.
type weighed struct {
	Reason
	weight int
}

// kind is what the report is, where the reporter did not say.
func (r *ruleSet) kind(d *reading, a Answers) (string, Reason) {
	best, kind := weighed{}, "incident"
	for _, k := range r.Kinds {
		if words, ok := d.holds(k, a, ""); ok && k.Weight > best.weight {
			best, kind = weighed{Reason{words, k.says(a)}, k.Weight}, k.Kind
		}
	}
	return kind, best.Reason
}

// class is the one that most speaks for, with the heaviest reasons; of equals the one that stands first in the rules.
func (r *ruleSet) class(d *reading, a Answers) (classRule, []Reason) {
	found := map[string][]weighed{}
	for _, rule := range r.Rules {
		if words, ok := d.holds(rule, a, ""); ok {
			found[rule.Class] = append(found[rule.Class], weighed{Reason{words, ""}, rule.Weight})
		}
	}
	var best classRule
	most := r.Least - 1
	for _, c := range r.Classes {
		sum := 0
		for _, w := range found[c.ID] {
			sum += w.weight
		}
		if sum > most {
			best, most = c, sum
		}
	}
	if best.ID == "" {
		return r.byDefault(d, a)
	}
	heaviest := found[best.ID]
	slices.SortStableFunc(heaviest, func(a, b weighed) int { return b.weight - a.weight })
	var why []Reason
	for _, w := range heaviest {
		if w.Words != "" && len(why) < classReasons && !slices.ContainsFunc(why, func(x Reason) bool { return x.Words == w.Words }) {
			why = append(why, Reason{w.Words, best.says(a)})
		}
	}
	return best, why
}

// byDefault is the class of a report whose words say too little, by its road and kind.
func (r *ruleSet) byDefault(d *reading, a Answers) (classRule, []Reason) {
	for _, rule := range r.Defaults {
		if _, ok := d.holds(rule, a, ""); ok {
			i := slices.IndexFunc(r.Classes, func(c classRule) bool { return c.ID == rule.Class })
			return r.Classes[i], []Reason{{"", rule.says(a)}}
		}
	}
	return classRule{ID: "other/undetermined"}, nil
}

// severity begins where the class and the kind stand, and goes up or down by what is said. A step is four points. Where a
// floor holds, it is never less.
func (r *ruleSet) severity(d *reading, a Answers, c classRule) (string, []Reason) {
	base, ok := c.Base[a.Kind]
	if !ok {
		base = c.Base[""]
	}
	points, floor := 4*max(0, slices.Index(severities, base))+2, rule{}
	var moved []weighed
	for _, rule := range r.Severity {
		words, ok := d.holds(rule, a, c.ID)
		switch {
		case !ok:
		case rule.Floor != "":
			floor = rule
		default:
			points += rule.Weight
			moved = append(moved, weighed{Reason{words, rule.says(a)}, max(rule.Weight, -rule.Weight)})
		}
	}
	step := min(3, max(0, points)/4)
	if least := slices.Index(severities, floor.Floor); step < least {
		return severities[least], []Reason{{"", floor.says(a)}}
	}
	slices.SortStableFunc(moved, func(a, b weighed) int { return b.weight - a.weight })
	var why []Reason
	for _, w := range moved[:min(len(moved), severityReasons)] {
		why = append(why, w.Reason)
	}
	return severities[step], why
}

func (r rule) says(a Answers) string { return inLanguage(a, r.EN, r.NL) }

func (c classRule) says(a Answers) string { return inLanguage(a, c.EN, c.NL) }

func inLanguage(a Answers, en, nl string) string {
	if a.Language == "nl" {
		return nl
	}
	return en
}
