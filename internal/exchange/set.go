package exchange

import (
	"context"
	"encoding/json"
	"maps"
	"slices"
	"time"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/exchange/release"
	"github.com/polder-exchange/polder/internal/journal"
	"github.com/polder-exchange/polder/stix"
)

// Set is something of many parts that an organisation keeps in a community, such as a list: each part is an object, and
// sharing the set again brings what is there up to date.
type Set struct {
	Community  string                 // alias or id
	Name       string                 // of the set; with a part's key it tells its object
	Type       string                 // of the objects
	Definition []byte                 // of the extension that says what that type is
	In         func(stix.Object) bool // whether an object of Type that the organisation keeps there is of this set
	Level      stix.Marking           // of the objects whose part says none
	To         []polder.OrgID         // named recipients; empty for the community
	Named      bool                   // name the contributor
	Confirmed  bool
	Preview    bool // store nothing
	Parts      []SetPart
}

// SetPart is one part of a set.
type SetPart struct {
	Key   string // within the set
	Level stix.Marking
	Set   func(*stix.Members)
}

// SetResult says what sharing a set did.
type SetResult struct {
	New, Changed, Same, Withdrawn int
	Refused                       []Refusal
	Warnings                      []Warning
	Items                         []Item // of what is new or changed
}

const (
	setBatch = 1000
	maxSet   = 20_000 // parts
)

// ShareSet brings a set up to date: new parts are shared, changed ones get a new version, those that are gone are
// withdrawn, and what is as it was stays untouched. It stores in batches, and doing it again finishes what was
// interrupted. Another's objects are never touched.
func (s *Service) ShareSet(ctx context.Context, a polder.Actor, set Set) (out SetResult, err error) {
	if len(set.Parts) > maxSet {
		return out, polder.Errorf(polder.Invalid, "%s has %d parts; at most %d are shared as one", set.Name, len(set.Parts), maxSet)
	}
	sight, err := s.SightIn(ctx, a, set.Community)
	if err != nil {
		return out, err
	}
	have, err := s.setThere(ctx, a, sight, set)
	if err != nil {
		return out, err
	}
	rules, err := s.ReleaseRules(ctx, a.Org)
	if err != nil {
		return out, err
	}
	todo := map[stix.Marking][]Incoming{}
	for _, p := range set.Parts {
		if p.Level == stix.None {
			p.Level = set.Level
		}
		id := s.keyedID(set.Type, a.Org, sight.Communities[0], set.Name+" "+p.Key)
		old, there := have[id]
		delete(have, id)
		raw, same, err := s.setPart(set.Type, id, p, old, there, rules)
		if err != nil {
			return out, err
		}
		switch {
		case same:
			out.Same++
			continue
		case there:
			out.Changed++
		default:
			out.New++
		}
		todo[p.Level] = append(todo[p.Level], Incoming{Raw: raw, Made: true})
	}
	for _, level := range slices.Sorted(maps.Keys(todo)) {
		set.Level = level
		if err := s.shareSetParts(ctx, a, set, todo[level], &out); err != nil {
			return out, err
		}
	}
	held := !set.Confirmed && slices.ContainsFunc(out.Warnings, func(w Warning) bool { return w.Held })
	if set.Preview || held || len(out.Refused) > 0 {
		out.Withdrawn = len(have)
		return out, nil
	}
	for id := range have {
		if _, err := s.Withdraw(ctx, a, Withdrawal{Community: set.Community, ID: id, Reason: "no longer in " + set.Name}); err != nil {
			return out, err
		}
		out.Withdrawn++
	}
	return out, nil
}

// setThere are the last versions of what the organisation keeps of the set, by id.
func (s *Service) setThere(ctx context.Context, a polder.Actor, sight polder.Sight, set Set) (map[string]stix.Object, error) {
	out := map[string]stix.Object{}
	q := journal.Query{Types: []string{set.Type}, Limit: setBatch}
	for {
		page, err := s.journal.Page(ctx, sight, q)
		if err != nil {
			return nil, err
		}
		for _, d := range page.Deliveries {
			q.After = d.Seq
			if d.Custodian != a.Org || d.Raw == nil {
				continue
			}
			o, err := stix.Parse(d.Raw)
			if err != nil {
				return nil, err
			}
			if set.In(o) {
				out[d.ID] = o
			}
		}
		if !page.More {
			return out, nil
		}
	}
}

// setPart is the object of a part; same says that the version there says it already, as rules let it leave.
func (s *Service) setPart(typ, id string, p SetPart, old stix.Object, there bool, rules *release.Rules) (raw []byte, same bool, err error) {
	now := s.now().Truncate(time.Millisecond)
	kept := []string{"created_by_ref"}
	if there {
		if was, err := old.Level(); err != nil || was == p.Level {
			kept = append(kept, "object_marking_refs")
		}
	}
	build := func(modified any) (stix.Object, error) {
		return stix.Make(typ, func(m *stix.Members) {
			m.Set("id", id)
			m.Set("created", now)
			if there {
				m.Set("created", old.Created.Text)
				for _, name := range kept {
					if v := old.Property(name); v != nil {
						m.Set(name, json.RawMessage(v))
					}
				}
			}
			m.Set("modified", modified)
			p.Set(m)
			if there && len(kept) == 1 {
				m.Set("object_marking_refs", []string{p.Level.ID()})
			}
		})
	}
	if there {
		o, err := build(old.Modified.Text)
		if err != nil {
			return nil, false, polder.Errorf(polder.Invalid, "%s: %w", p.Key, err)
		}
		o, _, _ = rules.Apply(o)
		is, err := o.Digest()
		if err != nil {
			return nil, false, err
		}
		was, err := old.Digest()
		if err != nil || is == was {
			return nil, err == nil, err
		}
		if !now.After(old.Modified.Time) {
			now = old.Modified.Time.Add(time.Millisecond)
		}
	}
	o, err := build(now)
	if err != nil {
		return nil, false, polder.Errorf(polder.Invalid, "%s: %w", p.Key, err)
	}
	return o.Raw(), false, nil
}

func (s *Service) shareSetParts(ctx context.Context, a polder.Actor, set Set, todo []Incoming, out *SetResult) error {
	for len(todo) > 0 {
		n := min(len(todo), setBatch-1)
		r, err := s.Share(ctx, a, Request{
			Community: set.Community, Objects: append([]Incoming{{Raw: set.Definition}}, todo[:n]...), Level: set.Level, To: set.To, Named: set.Named, Confirmed: set.Confirmed, Preview: set.Preview,
		})
		out.Refused, out.Warnings = append(out.Refused, r.Refused...), append(out.Warnings, r.Warnings...)
		if len(r.Items) > 1 {
			out.Items = append(out.Items, r.Items[1:]...)
		}
		if err != nil || len(r.Refused) > 0 {
			return err
		}
		todo = todo[n:]
	}
	return nil
}
