package cases

import (
	"context"
	"slices"
	"time"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/web"
)

// This file shows the deadlines of the law on pages of cases: as clocks on a case, as the next one in a list, as a count.

// caseClocksShown is how many clocks the page of a case shows; all stand on the page of its deadlines.
const caseClocksShown = 8

// caseIsNear tells whether a deadline presses: it is over, or in the last quarter of its time.
func caseIsNear(d CaseDeadline, now time.Time) bool {
	return !d.Due.IsZero() && d.Open() && (d.State == DeadlineLate || d.Used(now) >= 0.75)
}

// addClocks shows what the law asks, the most urgent first.
func (c *caseSheet) addClocks(v *caseView) error {
	if c.Header { // they are counted from the case's own fields
		return nil
	}
	duties, err := c.p.Deadlines(c.ctx, c.by, c.ID)
	if err != nil {
		return err
	}
	known := slices.DeleteFunc(duties.Deadlines, func(d CaseDeadline) bool { return d.Gone })
	clocks := deadlineClocks(c.words, known[:min(len(known), caseClocksShown)], c.p.o.Now())
	note := c.words.T("cases.clocks.zone", "zone", c.words.ZoneName())
	more := web.Link{Text: c.words.T("cases.clocks.all", "n", len(known)), Href: dutiesPath(c.ID)}
	if len(clocks) == 0 {
		v.across(web.Block{Title: c.words.T("cases.clocks"), More: more, Template: "cases/case-nothing", Data: web.Empty{Icon: "clock", Title: c.words.T("cases.clocks.none"), Text: c.words.T("cases.clocks.none-text"), Actions: []web.Action{{Label: c.words.T("cases.tab.assistant"), Href: "/cases/assistant"}}}})
		return nil
	}
	b := caseBlock(c.words.T("cases.clocks"), note, "case-clocks", clocks)
	b.More = more
	v.across(b)
	return nil
}

// caseNextDue is the next open deadline of each case, where it has one.
func (p *Pages) caseNextDue(ctx context.Context, by polder.Actor, words web.Words, all []CaseView) (map[CaseID]caseDue, error) {
	out := map[CaseID]caseDue{}
	page, err := p.OpenDeadlines(ctx, by, DeadlineFilter{Limit: 500})
	if err != nil {
		return nil, err
	}
	now := p.o.Now()
	for _, d := range page.Deadlines {
		if _, held := out[d.Case]; held || d.Due.IsZero() || !slices.ContainsFunc(all, func(c CaseView) bool { return c.ID == d.Case }) {
			continue
		}
		due := caseDue{What: deadlineCapital(d.Said(words.Lang())), At: d.Due}
		if caseIsNear(d, now) {
			due.Mark = deadlineMarkOf(words, d, now)
		}
		out[d.Case] = due
	}
	return out, nil
}

// caseDueCount counts the cases of which a deadline presses, for the rail; what fails counts nothing, the page itself says
// what is wrong.
func (p *Pages) caseDueCount(ctx context.Context, by polder.Actor) (n int, due bool) {
	page, err := p.OpenDeadlines(ctx, by, DeadlineFilter{Limit: 500})
	if err != nil {
		return 0, false
	}
	seen, now := map[CaseID]bool{}, p.o.Now()
	for _, d := range page.Deadlines {
		if caseIsNear(d, now) {
			seen[d.Case] = true
		}
	}
	return len(seen), len(seen) > 0
}

// caseReportCount counts the reports that nobody has acknowledged.
func (p *Pages) caseReportCount(ctx context.Context, by polder.Actor) (n int, due bool) {
	n, err := p.Waiting(ctx, by)
	if err != nil {
		return 0, false
	}
	return n, false
}
