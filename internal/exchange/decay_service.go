package exchange

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"slices"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/journal"
	"github.com/polder-exchange/polder/stix"
)

// statementTypes are the types that say something about the worth of others.
var statementTypes = []string{"sighting", "opinion", "note"}

// OpenDecay reads the rules in a file, or gives those of the program where there is no such file.
func OpenDecay(path string) (Decay, error) {
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return BuiltinDecay(), nil
	}
	if err != nil {
		return Decay{}, err
	}
	d, err := ParseDecay(text)
	if err != nil {
		return Decay{}, polder.Errorf(polder.Invalid, "%s: %w", path, err)
	}
	return d, nil
}

// UseDecay sets the rules by which indicators lose worth; without it those of the program hold.
func (s *Service) UseDecay(d Decay) { s.decay.Store(&d) }

// Decay are the rules in force.
func (s *Service) Decay() Decay {
	if d := s.decay.Load(); d != nil {
		return *d
	}
	d := BuiltinDecay()
	s.decay.CompareAndSwap(nil, &d)
	return d
}

// Faded is what an indicator is worth now to whoever asked, and in which community it was read.
type Faded struct {
	Delivery journal.Delivery
	Title    string
	Fade
}

// WorthNow says what an indicator is worth now, and why, from what the actor sees of it and of what was said about it.
func (s *Service) WorthNow(ctx context.Context, a polder.Actor, community, id string) (Faded, error) {
	d, err := s.inSight(ctx, a, community, id)
	if err != nil {
		return Faded{}, err
	}
	if d.Type() != "indicator" || d.Raw == nil {
		return Faded{}, polder.Errorf(polder.Invalid, "id: only indicators lose worth with time, and this is none that can be read")
	}
	o, err := stix.Parse(d.Raw)
	if err != nil {
		return Faded{}, err
	}
	sight, err := s.SightIn(ctx, a, string(d.Community))
	if err != nil {
		return Faded{}, err
	}
	if err := s.search.await(ctx); err != nil {
		return Faded{}, err
	}
	found, err := s.referring(ctx, sight, []string{id}, statementTypes, MaxFound)
	if err != nil {
		return Faded{}, err
	}
	ear, f := s.newEar(), FadingOf(o)
	for _, said := range found.Deliveries {
		if err := ear.hear(ctx, said, map[string]*Fading{id: &f}); err != nil {
			return Faded{}, err
		}
	}
	return Faded{Delivery: d, Title: ownTitle(o), Fade: s.Decay().At(f, s.now())}, nil
}

// ear turns statements into what renews and ends. Whoever gives no name is told apart by who shared it, and only counted.
type ear struct {
	s        *Service
	speakers *Speakers
	members  map[polder.CommunityID]map[polder.OrgID]bool
}

func (s *Service) newEar() *ear {
	return &ear{s, NewSpeakers(s.accounts.IsOrg), map[polder.CommunityID]map[polder.OrgID]bool{}}
}

// hear adds what d says about each of into.
func (e *ear) hear(ctx context.Context, d journal.Delivery, into map[string]*Fading) error {
	if d.Raw == nil {
		return nil
	}
	o, err := stix.Parse(d.Raw)
	if err != nil {
		return nil // held by an earlier version of the rules; it says nothing that can be counted
	}
	for _, said := range StatementsOf(o) {
		f := into[said.About]
		if f == nil {
			continue
		}
		switch said.Stance {
		case StanceSeen, StanceBlocked:
			f.Sightings = append(f.Sightings, said.Heard(d))
		case StanceAgrees:
			f.Agreements = append(f.Agreements, said.Heard(d))
		case StanceFalse:
			named, err := e.names(ctx, d.Community, polder.OrgID(o.CreatedByRef))
			if err != nil {
				return err
			}
			who, err := e.speakers.Of(ctx, d, o)
			if err != nil {
				return err
			}
			if named {
				who = o.CreatedByRef
			}
			f.False = append(f.False, FalseAlarm{At: d.Seq.Time(), Who: who, Named: named})
		}
	}
	return nil
}

// names tells whether creator is a member of the community, so that the name counts.
func (e *ear) names(ctx context.Context, c polder.CommunityID, creator polder.OrgID) (bool, error) {
	have, known := e.members[c]
	if !known {
		all, err := e.s.accounts.Members(ctx, c)
		if err != nil {
			return false, err
		}
		have = map[polder.OrgID]bool{}
		for _, m := range all {
			have[m.Org] = true
		}
		e.members[c] = have
	}
	return have[creator], nil
}

// worths are the worths now of all indicators in sight that may stand in a file, from one pass over what was said.
func (s *Service) worths(ctx context.Context, sight polder.Sight) (map[string]int, error) {
	fadings := map[string]*Fading{}
	err := s.everything(ctx, sight, []string{"indicator"}, func(d journal.Delivery) error {
		o, err := stix.Parse(d.Raw)
		if err != nil {
			return err
		}
		f := FadingOf(o)
		fadings[d.ID] = &f
		return nil
	})
	if err != nil {
		return nil, err
	}
	ear := s.newEar()
	err = s.everything(ctx, sight, slices.Clone(statementTypes), func(d journal.Delivery) error { return ear.hear(ctx, d, fadings) })
	if err != nil {
		return nil, err
	}
	out, rules, now := make(map[string]int, len(fadings)), s.Decay(), s.now()
	for id, f := range fadings {
		out[id] = rules.At(*f, now).Worth
	}
	return out, nil
}
