package detect

import (
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/stix"
)

// Shown is a group of alerts as one reader may see it now.
type Shown struct {
	Group
	Object *Object // the shared object that it rests on; nil when it rests on none

	// Hidden says that it rests on a shared object that the reader may no longer see: withdrawn, erased, or shared in a
	// community that was left. Then nothing is in the group but when, where and how often.
	Hidden bool
}

// TLP is how far what is shown may travel: the level of the object or of the knowledge; None for knowledge of one's own.
func (s Shown) TLP() stix.Marking {
	level := s.Origin.Level
	if s.Object != nil {
		level = max(level, s.Object.Level)
	}
	return level
}

// show holds groups against what the reader may see of the objects that they rest on.
func (s *Service) show(ctx context.Context, by polder.Actor, groups []Group) ([]Shown, error) {
	seen, err := s.see(ctx, by, groups)
	if err != nil {
		return nil, err
	}
	out := make([]Shown, 0, len(groups))
	for _, g := range groups {
		one := Shown{Group: g}
		if g.Origin.Object != "" {
			if o, ok := seen[refOf(g)]; ok {
				one.Object = &o
			} else {
				one.hide()
			}
		}
		out = append(out, one)
	}
	return out, nil
}

func refOf(g Group) Ref { return Ref{g.Origin.Community, g.Origin.Object} }

func (s *Service) see(ctx context.Context, by polder.Actor, groups []Group) (map[Ref]Object, error) {
	var refs []Ref
	asked := map[Ref]bool{}
	for _, g := range groups {
		if r := refOf(g); g.Origin.Object != "" && !asked[r] {
			asked[r] = true
			refs = append(refs, r)
		}
	}
	if s.o.Objects == nil {
		return nil, nil
	}
	out := map[Ref]Object{}
	for part := range slices.Chunk(refs, mostRefs) {
		seen, err := s.o.Objects.See(ctx, by, part)
		if err != nil {
			return nil, err
		}
		maps.Copy(out, seen)
	}
	return out, nil
}

// hide takes out whatever tells what the object said: its name, its values, its terms.
func (s *Shown) hide() {
	s.Hidden, s.Title, s.Why, s.Rule, s.Origin, s.Reason = true, "", "", "", Origin{Level: s.Origin.Level}, ""
}

// blankTitles takes out of suppressions what tells of objects that the reader may no longer see.
func (s *Service) blankTitles(ctx context.Context, by polder.Actor, all []Suppression) error {
	var groups []Group
	for _, u := range all {
		if u.Object != "" {
			groups = append(groups, Group{Origin: Origin{Object: u.Object}})
		}
	}
	seen, err := s.see(ctx, by, groups)
	if err != nil {
		return err
	}
	for i, u := range all {
		if _, ok := seen[Ref{ID: u.Object}]; u.Object == "" || ok {
			continue
		}
		all[i].Hidden, all[i].Rule, all[i].Object, all[i].Title, all[i].Reason = true, "", "", "", ""
		if u.Scope == ScopeValue {
			all[i].Value = ""
		}
	}
	return nil
}

// Page is a part of a list of alerts. Next is where the following part begins, "" at the end.
type Page struct {
	Groups []Shown
	Next   string
}

// Alerts lists groups of alerts of the actor's organisation.
func (s *Service) Alerts(ctx context.Context, by polder.Actor, f Filter) (Page, error) {
	if err := may(by, polder.RoleReader); err != nil {
		return Page{}, err
	}
	if err := f.check(); err != nil {
		return Page{}, err
	}
	groups, next, err := listGroups(ctx, s.o.DB.Read(), by.Org, f)
	if err != nil {
		return Page{}, err
	}
	shown, err := s.show(ctx, by, groups)
	if f.Object != "" { // that something rests on what is gone is not told either
		shown = slices.DeleteFunc(shown, func(g Shown) bool { return g.Hidden })
	}
	return Page{shown, next}, err
}

// Waiting is how many groups of the actor's organisation are new, and how many of those are high or critical.
func (s *Service) Waiting(ctx context.Context, by polder.Actor) (n, urgent int, err error) {
	if err := may(by, polder.RoleReader); err != nil {
		return 0, 0, err
	}
	return countNew(ctx, s.o.DB.Read(), by.Org, High)
}

// Since lists groups above a number, for the live list: what is new after what the reader has.
func (s *Service) Since(ctx context.Context, by polder.Actor, seq int64, limit int) ([]Shown, error) {
	if err := may(by, polder.RoleReader); err != nil {
		return nil, err
	}
	groups, err := groupsBehind(ctx, s.o.DB.Read(), by.Org, seq, limit)
	if err != nil {
		return nil, err
	}
	return s.show(ctx, by, groups)
}

// Counts are how many groups the actor's organisation has.
func (s *Service) Counts(ctx context.Context, by polder.Actor) (Counts, error) {
	if err := may(by, polder.RoleReader); err != nil {
		return Counts{}, err
	}
	return countGroups(ctx, s.o.DB.Read(), by.Org)
}

// Sheet is a group with all that its page shows.
type Sheet struct {
	Shown
	Alerts    []Alert // the latest first; at most 50. Of a hidden group only times and places
	History   []Change
	Relations []Relation
	Steps     []string // what to do next, as keys
}

// Alert is one group of the actor's organisation.
func (s *Service) Alert(ctx context.Context, by polder.Actor, id string) (Sheet, error) {
	if err := may(by, polder.RoleReader); err != nil {
		return Sheet{}, err
	}
	g, err := readGroup(ctx, s.o.DB.Read(), by.Org, id)
	if err != nil {
		return Sheet{}, err
	}
	shown, err := s.show(ctx, by, []Group{g})
	if err != nil {
		return Sheet{}, err
	}
	sh := Sheet{Shown: shown[0], Steps: nextSteps(g)}
	if sh.Alerts, err = readAlerts(ctx, s.o.DB.Read(), g.N, maxDetailed); err != nil {
		return Sheet{}, err
	}
	if sh.History, err = readHistory(ctx, s.o.DB.Read(), g.N); err != nil {
		return Sheet{}, err
	}
	if sh.Hidden {
		sh.blank()
		return sh, nil
	}
	if sh.Object != nil {
		sh.Relations, err = s.o.Objects.Relations(ctx, by, sh.Object.Ref, 20)
	}
	return sh, err
}

// blank leaves of a hidden group when, where and how often.
func (sh *Sheet) blank() {
	for i := range sh.Alerts {
		sh.Alerts[i].Evidence, sh.Alerts[i].Events = nil, nil
	}
	for i := range sh.History {
		sh.History[i].Reason = ""
	}
	sh.Steps = []string{"decide"}
}

// Seen is how often an object was met in the actor's own events, and when.
func (s *Service) Seen(ctx context.Context, by polder.Actor, object string) ([]Shown, error) {
	if err := may(by, polder.RoleReader); err != nil {
		return nil, err
	}
	groups, err := groupsOf(ctx, s.o.DB.Read(), by.Org, object, 20)
	if err != nil {
		return nil, err
	}
	return s.show(ctx, by, groups)
}

// Find lists groups whose title, host or account holds a text, or whose id or rule it is.
func (s *Service) Find(ctx context.Context, by polder.Actor, text string, limit int) ([]Shown, error) {
	text = strings.TrimSpace(text)
	if err := may(by, polder.RoleReader); err != nil || len(text) < 2 {
		return nil, err
	}
	groups, err := groupsLike(ctx, s.o.DB.Read(), by.Org, text, limit)
	if err != nil {
		return nil, err
	}
	all, err := s.show(ctx, by, groups)
	out := all[:0]
	for _, g := range all {
		if !g.Hidden { // that it was found would tell what it says
			out = append(out, g)
		}
	}
	return out, err
}
