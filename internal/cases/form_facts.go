package cases

import (
	"context"
	"slices"
	"strings"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/deadline"
	"github.com/polder-exchange/polder/stix"
)

// malicious are the classifications of RSIT that somebody means to do. Of the others a class says nothing of malice, so a
// person does.
var malicious = []string{"malicious-code", "intrusions", "intrusion-attempts", "information-gathering", "fraud", "abusive-content"}

// maliciousTypes are further classes that somebody means to do.
var maliciousTypes = []string{"availability/dos", "availability/ddos", "availability/sabotage", "information-content-security/unauthorised-information-access", "information-content-security/unauthorised-information-modification"}

// classFacts adds what the class of a case says: whether malice is suspected, and the kind of threat.
func classFacts(c Case, facts deadline.Facts) {
	classification, _, _ := strings.Cut(c.Class, "/")
	if slices.Contains(malicious, classification) || slices.Contains(maliciousTypes, c.Class) {
		facts["case.malicious"] = "yes (" + c.Class + ")"
	}
	if c.Class != "" && classification != "other" && classification != "test" {
		facts["case.cause"] = strings.Join(append([]string{strings.ReplaceAll(c.Class, "/", ": ")}, roadNames(c.Roads)...), ", ")
	}
}

// roadNames are the roads of a case that are known.
func roadNames(roads []Road) (names []string) {
	for _, r := range roads {
		if r != RoadUnknown && r != "" {
			names = append(names, string(r))
		}
	}
	return names
}

// damageFacts adds what the damage assessment says, if somebody made one that is marked no stricter than the case, and,
// where the case is AMBER+STRICT or stricter, the entries of control lists of the jewels that it touches, never what they
// are called.
func (s *Service) damageFacts(ctx context.Context, by polder.Actor, c Case, facts deadline.Facts) error {
	v, err := s.Damage(ctx, by, c.ID)
	if err != nil {
		return err
	}
	if c.Level >= stix.AmberStrict {
		var entries []string
		for _, j := range v.Touched {
			entries = append(entries, j.Technology...)
		}
		slices.Sort(entries)
		facts["case.technology"] = strings.Join(slices.Compact(entries), ", ")
	}
	if !v.Signed || v.Level > c.Level {
		return nil
	}
	impact := []string{v.What}
	for _, one := range []struct {
		of    string
		names []string
	}{{"Partners", v.Partners}, {"Products", v.Products}, {"Platforms", v.Platforms}} {
		if len(one.names) > 0 {
			impact = append(impact, one.of+": "+strings.Join(one.names, ", "))
		}
	}
	facts["case.impact"], facts["case.told"] = strings.Join(impact, "\n"), strings.Join(v.Told, ", ")
	if v.Measures != "" {
		facts["case.measures"] = strings.TrimSpace(v.Measures + "\n" + facts["case.measures"])
	}
	return nil
}
