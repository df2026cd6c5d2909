package cases

import (
	"net/http"
	"strings"

	"github.com/polder-exchange/polder/internal/web"
	"github.com/polder-exchange/polder/stix"
)

// This file tells who changed what in a case, and when.

// caseHistory is the page of what became of a case, its items and its members.
func (p *Pages) caseHistory(w http.ResponseWriter, r *http.Request) error {
	c, err := p.caseSheetOf(r)
	if err != nil {
		return err
	}
	all, err := p.CaseHistory(r.Context(), c.by, c.ID)
	if err != nil {
		return err
	}
	v := caseView{}
	v.add(caseBlock(c.words.T("cases.history"), c.words.T("cases.history.count", "n", len(all)), "case-events", c.revisions(all)))
	for _, rev := range all {
		c.level = caseStricter(c.level, rev.Level)
	}
	p.site.Render(w, r, web.Page{Template: "cases/case", Title: c.words.T("cases.history.title"), Lede: c.words.T("cases.history.lede"), TLP: c.level, Crumbs: caseCrumbs(c.words, c.CaseView), Data: v})
	return nil
}

// caseEvent is a row of "case-events".
type caseEvent struct {
	web.Event
	Level stix.Marking
	Who   string
}

// revisions are what was done, the latest first, each with what it changed since the version before.
func (c *caseSheet) revisions(all []CaseRevision) []caseEvent {
	var out []caseEvent
	for i, rev := range all {
		e := caseEvent{Event: web.Event{At: rev.At, Title: c.did(rev), Text: rev.Reason}, Level: rev.Level, Who: c.names.person(rev.By, rev.Org)}
		if rev.What == "jewels" {
			e.Text = c.jewelNames(rev.Reason)
		}
		if before := caseBefore(all[i+1:], rev); before != nil {
			e.Changes = c.changes(*before, rev)
		}
		if rev.Of != nil && !rev.Of.Erased && rev.What == "item" {
			e.More = web.Link{Text: c.words.T("cases.history.item"), Href: c.item(*rev.Of)}
		}
		out = append(out, e)
	}
	return out
}

// jewelNames are the names of jewels whose ids stand in a text; one that the reader may not read is left out.
func (c *caseSheet) jewelNames(ids string) string {
	var names []string
	for _, id := range strings.Fields(ids) {
		if j, err := c.p.Jewel(c.ctx, c.by, id); err == nil {
			names = append(names, web.Clip(j.Name, 80))
		}
	}
	return strings.Join(names, ", ")
}

// caseBefore is the version of the same thing before rev.
func caseBefore(older []CaseRevision, rev CaseRevision) *CaseRevision {
	for i := range older {
		if o := &older[i]; o.What == rev.What && o.Item == rev.Item && o.What != "member" {
			return o
		}
	}
	return nil
}

// did says what was done, in words where there are some.
func (c *caseSheet) did(rev CaseRevision) string {
	said := rev.Did
	if key := "cases.did." + rev.Did; c.words.Has(key) {
		said = c.words.T(key)
	}
	switch {
	case rev.Of != nil:
		return c.words.T("cases.did.item", "did", said, "kind", c.words.T("cases.item."+string(rev.Of.Kind)), "title", web.Clip(caseItemTitle(c.words, *rev.Of), 120))
	case rev.Member != nil:
		return c.words.T("cases.did.member", "did", said, "who", caseOr(rev.Member.Name, c.names.person(rev.Member.Person, rev.Member.Org)), "part", c.words.T("cases.part."+string(rev.Member.Part)), "level", rev.Member.Ceiling)
	case rev.What != "case":
		return said
	}
	return c.words.T("cases.did.case", "did", said)
}

// caseHistoryText is how much of a text the history shows.
const caseHistoryText = 400

// changes are the properties that differ between two versions.
func (c *caseSheet) changes(was, is CaseRevision) []web.Change {
	var out []web.Change
	add := func(key, a, b string) {
		if a != b {
			out = append(out, web.Change{Property: c.words.T(key), Was: web.Clip(a, caseHistoryText), Is: web.Clip(b, caseHistoryText)})
		}
	}
	switch {
	case was.Case != nil && is.Case != nil:
		for _, d := range caseDiffersOf(c.words, caseInputFrom(c.words, *was.Case), caseInputFrom(c.words, *is.Case)) {
			out = append(out, web.Change{Property: d.Field, Was: web.Clip(caseJoined(d.There), caseHistoryText), Is: web.Clip(caseJoined(d.Yours), caseHistoryText)})
		}
		add("cases.known", c.words.When(was.Case.Aware), c.words.When(is.Case.Aware))
		add("cases.status", c.words.T("cases.status."+string(was.Case.Status)), c.words.T("cases.status."+string(is.Case.Status)))
	case was.Of != nil && is.Of != nil && !is.Of.Erased && !was.Of.Erased:
		a, b := caseDraftFrom(c.words, *was.Of), caseDraftFrom(c.words, *is.Of)
		a.Owner, b.Owner = "", "" // names of people are said in words
		for _, d := range caseItemDiffers(c.words, a, b) {
			out = append(out, web.Change{Property: d.Field, Was: web.Clip(caseJoined(d.There), caseHistoryText), Is: web.Clip(caseJoined(d.Yours), caseHistoryText)})
		}
		if was.Of.Task != nil && is.Of.Task != nil {
			add("cases.task.owner", caseTaskOwner(c, *was.Of), caseTaskOwner(c, *is.Of))
			add("cases.task.state", caseTaskState(c.words, *was.Of), caseTaskState(c.words, *is.Of))
		}
	case was.Damage != nil && is.Damage != nil:
		add("cases.taken", caseWord(c.words, "cases.taken.", was.Damage.Taken), caseWord(c.words, "cases.taken.", is.Damage.Taken))
		add("cases.damage.what", was.Damage.What, is.Damage.What)
		add("cases.damage.measures", was.Damage.Measures, is.Damage.Measures)
		add("cases.damage.told", strings.Join(was.Damage.Told, ", "), strings.Join(is.Damage.Told, ", "))
	}
	return out
}

func caseJoined(all []web.Segment) string {
	var b strings.Builder
	for _, s := range all {
		b.WriteString(s.Text)
	}
	return b.String()
}
