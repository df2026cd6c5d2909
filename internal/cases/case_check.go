package cases

import (
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/stix"
)

// Bounds of what is kept of a case.
const (
	maxCaseTitle     = 300      // bytes
	maxCaseText      = 64 << 10 // bytes of a summary or the text of an item
	maxCaseWords     = 1_000    // bytes of noticed, victim, a reason and their like
	maxCaseCountries = 60
	maxCaseMembers   = 200
	maxCaseItems     = 20_000
	maxCasesOrg      = 100_000
	caseFuture       = 24 * time.Hour // how far a clock may be ahead of this one
)

// caseLatest and caseEarliest bound every time that somebody writes.
var (
	caseEarliest = time.Date(1970, 1, 2, 0, 0, 0, 0, time.UTC)
	caseLatest   = time.Date(2200, 1, 1, 0, 0, 0, 0, time.UTC)
)

// caseLine checks a text of one line and gives it without white space around.
func caseLine(name, s string, longest int, must bool) (string, error) {
	s = strings.TrimSpace(s)
	switch {
	case s == "" && must:
		return "", polder.Errorf(polder.Invalid, "%s: is empty; write it in a few words", name)
	case len(s) > longest:
		return "", polder.Errorf(polder.TooLarge, "%s: is %d bytes long; at most %d", name, len(s), longest)
	case !utf8.ValidString(s):
		return "", polder.Errorf(polder.Invalid, "%s: is not UTF-8; save the text as UTF-8 and send it again", name)
	case strings.ContainsFunc(s, unicode.IsControl):
		return "", polder.Errorf(polder.Invalid, "%s: holds a line break or another control character; write it in one line", name)
	}
	return s, nil
}

// caseProse checks a text of several lines.
func caseProse(name, s string, longest int) (string, error) {
	s = strings.ReplaceAll(s, "\r\n", "\n")
	switch {
	case len(s) > longest:
		return "", polder.Errorf(polder.TooLarge, "%s: is %d bytes long; at most %d", name, len(s), longest)
	case !utf8.ValidString(s):
		return "", polder.Errorf(polder.Invalid, "%s: is not UTF-8; save the text as UTF-8 and send it again", name)
	case strings.ContainsRune(s, 0):
		return "", polder.Errorf(polder.Invalid, "%s: holds a NUL character; take it out", name)
	}
	return s, nil
}

// caseReason checks the reason of a step that asks for one.
func caseReason(s string) (string, error) {
	s, err := caseProse("reason", strings.TrimSpace(s), maxCaseWords)
	if err == nil && utf8.RuneCountInString(s) < 3 {
		err = polder.Errorf(polder.Invalid, "reason: is missing; say in a few words why, for who reads this later")
	}
	return s, err
}

// caseMoment checks a time that somebody wrote; the zero time stands for none.
func caseMoment(name string, t time.Time) (time.Time, error) {
	if t.IsZero() {
		return time.Time{}, nil
	}
	if t.Before(caseEarliest) || !t.Before(caseLatest) {
		return t, polder.Errorf(polder.Invalid, "%s: %s lies outside what a clock can mean here; write a time from 1970 to 2199 as 2026-11-22T09:30:00Z", name, t.Format(time.RFC3339))
	}
	return t.UTC().Truncate(time.Microsecond), nil
}

// caseOneOf checks a word against those that there are.
func caseOneOf[T ~string](name string, have T, all []T) error {
	if slices.Contains(all, have) {
		return nil
	}
	words := make([]string, len(all))
	for i, w := range all {
		words[i] = string(w)
	}
	return polder.Errorf(polder.Invalid, "%s: %.40q is not known; use one of %s", name, string(have), strings.Join(words, ", "))
}

// caseLevel checks a level that must be there.
func caseLevel(name string, m stix.Marking) error {
	if m < stix.Clear || m > stix.Red {
		return polder.Errorf(polder.Invalid, "%s: has no level; use one of clear, green, amber, amber+strict, red", name)
	}
	return nil
}

// caseClassKnown checks a class of the Reference Security Incident Taxonomy; empty is none yet.
func caseClassKnown(class string) error {
	if class == "" || slices.Contains(caseClasses, class) {
		return nil
	}
	return polder.Errorf(polder.Invalid, "class: %.60q is no entry of the RSIT; write class and type, as intrusions/application-compromise", class)
}

// casePlaces checks and sorts countries.
func casePlaces(all []string) ([]string, error) {
	if len(all) > maxCaseCountries {
		return nil, polder.Errorf(polder.TooLarge, "countries: %d are too many; at most %d", len(all), maxCaseCountries)
	}
	out := make([]string, 0, len(all))
	for _, c := range all {
		c = strings.ToUpper(strings.TrimSpace(c))
		if len(c) != 2 || c[0] < 'A' || c[0] > 'Z' || c[1] < 'A' || c[1] > 'Z' {
			return nil, polder.Errorf(polder.Invalid, "countries: %.20q is no code of a country; use two letters of ISO 3166-1, as NL", c)
		}
		out = append(out, c)
	}
	slices.Sort(out)
	return slices.Compact(out), nil
}

// caseRoadsKnown checks and sorts the roads of a case; none is unknown.
func caseRoadsKnown(all []Road) ([]Road, error) {
	if len(all) == 0 {
		return []Road{RoadUnknown}, nil
	}
	out := slices.Clone(all)
	for _, r := range out {
		if err := caseOneOf("roads", r, caseRoads); err != nil {
			return nil, err
		}
	}
	slices.SortFunc(out, func(a, b Road) int { return slices.Index(caseRoads, a) - slices.Index(caseRoads, b) })
	out = slices.Compact(out)
	if len(out) > 1 {
		out = slices.DeleteFunc(out, func(r Road) bool { return r == RoadUnknown })
	}
	return out, nil
}

// check puts the own fields of a case right, or says what is wrong with the first that is not.
func (c *Case) check(now time.Time) (err error) {
	for _, f := range []struct {
		name    string
		text    *string
		longest int
		must    bool
	}{{"title", &c.Title, maxCaseTitle, true}, {"noticed", &c.Noticed, maxCaseWords, false}, {"victim", &c.Victim, maxCaseWords, false}, {"sector", &c.Sector, 100, false}, {"report", &c.Report, 100, false}} {
		if *f.text, err = caseLine(f.name, *f.text, f.longest, f.must); err != nil {
			return err
		}
	}
	if c.Summary, err = caseProse("summary", c.Summary, maxCaseText); err != nil {
		return err
	}
	for _, f := range []struct {
		name string
		at   *time.Time
	}{{"aware", &c.Aware}, {"occurred", &c.Occurred}, {"ended", &c.Ended}} {
		if *f.at, err = caseMoment(f.name, *f.at); err != nil {
			return err
		}
		if f.at.After(now.Add(caseFuture)) {
			return polder.Errorf(polder.Invalid, "%s: lies in the future; write when it was", f.name)
		}
	}
	if !c.Ended.IsZero() && c.Ended.Before(c.Occurred) {
		return polder.Errorf(polder.Invalid, "ended: lies before occurred; one of the two is wrong")
	}
	if c.Roads, err = caseRoadsKnown(c.Roads); err != nil {
		return err
	}
	if c.Countries, err = casePlaces(c.Countries); err != nil {
		return err
	}
	for _, err := range []error{caseOneOf("kind", c.Kind, caseKinds), caseOneOf("severity", c.Severity, caseSeverities), caseOneOf("status", c.Status, caseStatuses), caseLevel("tlp", c.Level), caseClassKnown(c.Class)} {
		if err != nil {
			return err
		}
	}
	return nil
}

// crosses tells whether a case touches a country that is not its organisation's own.
func (c Case) crosses(home string) bool {
	return len(c.Countries) > 1 || len(c.Countries) == 1 && home != "" && !strings.EqualFold(c.Countries[0], home)
}

// neutralTitle stands for a title that is marked stricter than its reader may see. It tells nothing but the id.
func (c Case) neutralTitle() string {
	_, id, _ := strings.Cut(string(c.ID), "--")
	short, _, _ := strings.Cut(id, "-")
	return "case " + short
}

// seenWith is what somebody sees of a case: all of it; the header, for a contact point; or, where its own fields are
// marked stricter than the ceiling, that it is there and how far it is.
func (c Case) seenWith(x Access) (seen Case, header bool) {
	within := x.sees(c.Level)
	switch {
	case x.Part == PartContact:
		seen = Case{ID: c.ID, Org: c.Org, Title: c.neutralTitle(), Status: c.Status, Class: c.Class, Severity: c.Severity, Countries: c.Countries, Crosses: c.Crosses, Announced: c.Announced}
		if within {
			seen.Title, seen.Level = c.Title, c.Level
		}
		return seen, true
	case !within:
		return Case{ID: c.ID, Org: c.Org, Title: c.neutralTitle(), Status: c.Status, Opened: c.Opened, Closed: c.Closed, Archived: c.Archived}, true
	}
	return c, false
}

// apply makes a change of a case's own fields.
func (c *Case) apply(n CaseChange) {
	caseSet(&c.Title, n.Title)
	caseSet(&c.Summary, n.Summary)
	caseSet(&c.Kind, n.Kind)
	caseSet(&c.Roads, n.Roads)
	caseSet(&c.Class, n.Class)
	caseSet(&c.Severity, n.Severity)
	caseSet(&c.Level, n.Level)
	caseSet(&c.Noticed, n.Noticed)
	caseSet(&c.Occurred, n.Occurred)
	caseSet(&c.Ended, n.Ended)
	caseSet(&c.Sector, n.Sector)
	caseSet(&c.Countries, n.Countries)
	caseSet(&c.Victim, n.Victim)
}

func caseSet[T any](field *T, to *T) {
	if to != nil {
		*field = *to
	}
}
