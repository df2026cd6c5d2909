package detect

import (
	"errors"
	"time"

	"github.com/polder-exchange/polder/indicator"
	"github.com/polder-exchange/polder/sigma"
)

// sharedRule reads a Sigma rule that came as an indicator: one document or several, correlations too. A rule that somebody
// else wrote is data: it is bounded as every rule is, and one that does not load is of no use here.
func sharedRule(i *indicator.Item) (*sigma.Collection, error) {
	c, wrong := sigma.Parse([]byte(i.Sigma), i.ID, sigma.LoadOptions{})
	if len(wrong) > 0 {
		return nil, wrong[0]
	}
	if len(c.Rules)+len(c.Correlations) == 0 {
		return nil, errors.New("its pattern holds no Sigma rule")
	}
	return c, nil
}

// knownRule is a shared rule with whose it is.
func knownRule(i *indicator.Item, c *sigma.Collection, o Origin) *KnownPattern {
	title := i.Title
	if title == "" && len(c.Rules) > 0 {
		title = c.Rules[0].Title
	}
	return &KnownPattern{Sigma: c, ID: i.ID, Title: title, ValidFrom: i.ValidFrom, ValidUntil: i.ValidUntil, Origin: o}
}

// ruleSet is the rules of now: those that were loaded, and those that were shared.
func (e *Engine) ruleSet() *ruleSet {
	base := e.rules.Now()
	if e.known == nil || e.known.rulesVersion.Load() == 0 {
		return base
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	shared, version := e.known.SharedRules()
	if e.merged != nil && e.mergedOf == base && e.mergedAt == version {
		return e.merged
	}
	all := *base.collection
	of := map[*sigma.Rule]*KnownPattern{}
	for _, k := range shared {
		all.Rules = append(all.Rules[:len(all.Rules):len(all.Rules)], k.Sigma.Rules...)
		all.Correlations = append(all.Correlations[:len(all.Correlations):len(all.Correlations)], k.Sigma.Correlations...)
		for _, r := range k.Sigma.Rules {
			of[r] = k
		}
		for _, c := range k.Sigma.Correlations {
			of[&c.Rule] = k
		}
	}
	set, err := newRuleSet(&all, base.advise)
	if err != nil { // more than can be compiled: those that were loaded count
		set = base
	} else {
		set.shared = of
	}
	e.merged, e.mergedOf, e.mergedAt = set, base, version
	return set
}

// meant says whether a rule means something at t: one that was shared may have a time in which it does.
func (s *ruleSet) meant(r *sigma.Rule, t time.Time) bool {
	k := s.shared[r]
	return k == nil || k.validAt(t)
}

// origin is under which terms a rule is used, and by which object it came.
func (s *ruleSet) origin(r *sigma.Rule) Origin {
	o := originOf(r)
	if k := s.shared[r]; k != nil {
		o.Object, o.Community, o.Level, o.PAP, o.List = k.Origin.Object, k.Origin.Community, k.Origin.Level, k.Origin.PAP, k.Origin.List
	}
	return o
}
