package cases

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/stix"
)

// exportCase is what of a case goes into a file: read for one actor, and cut at one ceiling before any form sees it.
type exportCase struct {
	View      CaseView
	Items     []Item   // not erased, no links; the earliest first
	Members   []Member // as far as the actor sees them
	Damage    *DamageView
	Deadlines []exportDeadline
	Names     map[polder.PersonID]string // of people of the actor's organisation
	Org       polder.Org                 // whose case it is
	By        string                     // who makes the file
	Made      time.Time
	Level     stix.Marking // the strictest in it
	Ask       ExportAsk    // with the ceiling that holds
}

// exportDeadline is a duty of the case, as it stands.
type exportDeadline struct {
	Regulation, What, Recipient, State, Source string
	Due, Sent                                  time.Time
}

// exportMost is how many items a file holds; a case has no more.
const exportMost = 50_000

// exportCase reads what goes into a file.
func (s *Service) exportCase(ctx context.Context, by polder.Actor, id CaseID, ask ExportAsk) (*exportCase, error) {
	v, err := s.Case(ctx, by, id)
	if err != nil {
		return nil, err
	}
	if v.Header {
		return nil, polder.Errorf(polder.Forbidden, "you see the header of this case only; ask its lead for a file")
	}
	if ask.Ceiling, err = exportCeiling(v, ask); err != nil {
		return nil, err
	}
	c := &exportCase{View: v, Ask: ask, Level: v.Level, Made: s.o.Now().UTC(), Names: map[polder.PersonID]string{}}
	if c.Org, err = s.o.Accounts.Org(ctx, v.Org); err != nil {
		return nil, err
	}
	if err := s.exportItems(ctx, by, c); err != nil {
		return nil, err
	}
	c.narrow()
	if ask.Format == FormatCSV {
		return c, s.exportNames(ctx, by, c)
	}
	if err := s.exportDamage(ctx, by, c); err != nil {
		return nil, err
	}
	if c.Members, err = s.Members(ctx, by, id); err != nil {
		return nil, err
	}
	if c.Deadlines, err = s.exportDeadlines(ctx, by, id, ask.Language); err != nil {
		return nil, err
	}
	return c, s.exportNames(ctx, by, c)
}

// exportCeiling is the ceiling that holds: never above the actor's, and TLP:RED on the lead's word only.
func exportCeiling(v CaseView, ask ExportAsk) (stix.Marking, error) {
	top := ask.Ceiling
	if top == stix.None {
		top = min(v.Access.Ceiling, stix.AmberStrict)
	}
	if top == stix.Red && (!ask.Red || v.Access.Part != PartLead || !v.Access.Own) {
		return 0, polder.Errorf(polder.Forbidden, "ceiling: TLP:RED goes into a file on the word of the case's lead only; choose TLP:AMBER+STRICT, or say as the lead that it may (red)")
	}
	top = min(top, v.Access.Ceiling)
	if top < v.Level && (ask.Format != FormatCSV || ask.Table == tableRSIT) { // other tables hold items only
		return 0, polder.Errorf(polder.Forbidden, "ceiling: the case itself is marked %s, so a file up to %s cannot say what it is about; choose at least %s, or mark the case wider first", v.Level.Label(), top.Label(), v.Level.Label())
	}
	return top, nil
}

// exportItems reads the items that the actor sees, and keeps those within the ceiling. Links stay out: another case has
// readers of its own.
func (s *Service) exportItems(ctx context.Context, by polder.Actor, c *exportCase) error {
	f := ItemFilter{Oldest: true, Struck: true, Limit: 200}
	for {
		page, err := s.Items(ctx, by, c.View.ID, f)
		if err != nil {
			return err
		}
		for _, it := range page.Items {
			if it.Level <= c.Ask.Ceiling && it.Level != stix.None && !it.Erased && it.Kind != ItemLink {
				c.Items = append(c.Items, it)
			}
		}
		if page.Next == "" {
			break
		}
		if f.Next = page.Next; len(c.Items) > exportMost {
			return polder.Errorf(polder.TooLarge, "the case has more than %d items; no file holds as many", exportMost)
		}
	}
	in := map[string]bool{}
	for _, it := range c.Items {
		in[it.ID] = true
	}
	for i, it := range c.Items {
		if d := it.Decision; d != nil { // a decision above the ceiling is not even hinted at
			cut := *d
			if !in[cut.Supersedes] {
				cut.Supersedes = ""
			}
			if !in[cut.SupersededBy] {
				cut.SupersededBy = ""
			}
			c.Items[i].Decision = &cut
		}
	}
	slices.SortStableFunc(c.Items, func(a, b Item) int {
		return cmp.Or(exportAt(a).Compare(exportAt(b)), cmp.Compare(a.ID, b.ID))
	})
	return nil
}

// narrow keeps what the form of the file has room for, and finds the level of that.
func (c *exportCase) narrow() {
	holds := func(Item) bool { return true }
	switch {
	case c.Ask.Format == FormatRSIT, c.Ask.Format == FormatVERIS:
		holds = func(it Item) bool { return it.Struck.IsZero() && it.Observable != nil && it.Observable.Bad }
	case c.Ask.Format == FormatCSV && c.Ask.Table == tableObservables:
		holds = func(it Item) bool { return it.Struck.IsZero() && it.Kind == ItemObservable }
	case c.Ask.Format == FormatCSV && c.Ask.Table == tableTimeline:
		holds = func(it Item) bool { return it.Struck.IsZero() && it.Kind != ItemObservable }
	case c.Ask.Format == FormatCSV && c.Ask.Table == tableRSIT:
		holds = func(Item) bool { return false }
	case c.Ask.Format != FormatJSON && c.Ask.Format != FormatPDF:
		holds = func(it Item) bool { return it.Struck.IsZero() }
	}
	c.Items = slices.DeleteFunc(c.Items, func(it Item) bool { return !holds(it) })
	c.Level = c.View.Level
	if c.Ask.Format == FormatCSV && c.Ask.Table != tableRSIT && len(c.Items) > 0 {
		c.Level = stix.Clear
	}
	for _, it := range c.Items {
		c.Level = max(c.Level, it.Level)
	}
}

// exportAt is when an item has its place in the order of things.
func exportAt(it Item) time.Time {
	switch {
	case it.Kind == ItemObservable && it.Observable != nil && !it.Observable.First.IsZero():
		return it.Observable.First
	case !it.At.IsZero():
		return it.At
	}
	return it.Made
}

// exportDamage takes the assessment in where it is signed and within the ceiling. Names of crown jewels stand in files
// only that stay within the organisation.
func (s *Service) exportDamage(ctx context.Context, by polder.Actor, c *exportCase) error {
	d, err := s.Damage(ctx, by, c.View.ID)
	switch {
	case errors.Is(err, polder.ErrNotFound), errors.Is(err, polder.ErrForbidden):
		return nil
	case err != nil:
		return err
	case !d.Signed:
		return nil
	}
	if d.Level == stix.None {
		d.Level = c.View.Level
	}
	if d.Level > c.Ask.Ceiling {
		return nil
	}
	c.Level = max(c.Level, d.Level)
	if by.Org != c.View.Org || c.Ask.Ceiling < stix.AmberStrict {
		d.Touched = nil
	}
	if len(d.Touched) > 0 {
		c.Level = max(c.Level, stix.AmberStrict)
	}
	d.Proposed = Damage{}
	c.Damage = &d
	return nil
}

// exportNames learns what people are called, where they are of the actor's own organisation.
func (s *Service) exportNames(ctx context.Context, by polder.Actor, c *exportCase) error {
	learn := func(id polder.PersonID) {
		if id == "" {
			return
		}
		if _, known := c.Names[id]; known {
			return
		}
		c.Names[id] = ""
		if name, org, err := s.o.Accounts.Named(ctx, id); err == nil && org == by.Org {
			c.Names[id] = name
		}
	}
	me, err := s.o.Accounts.Doer(ctx, by)
	if err != nil {
		return err
	}
	learn(me)
	c.By = c.Names[me]
	for _, it := range c.Items {
		learn(it.MadeBy)
		learn(it.By)
		if it.Decision != nil {
			learn(it.Decision.Person)
		}
		if it.Task != nil {
			learn(it.Task.Owner)
		}
		if it.Evidence != nil {
			for _, step := range it.Evidence.Custody {
				learn(step.Person)
			}
		}
	}
	for _, m := range c.Members {
		learn(m.Person)
	}
	if c.Damage != nil {
		learn(c.Damage.AssessedBy)
	}
	learn(c.View.OpenedBy)
	return nil
}

// kept are the items of a kind that were not struck out.
func (c *exportCase) kept(kinds ...ItemKind) (out []Item) {
	for _, it := range c.Items {
		if it.Struck.IsZero() && slices.Contains(kinds, it.Kind) {
			out = append(out, it)
		}
	}
	return out
}
