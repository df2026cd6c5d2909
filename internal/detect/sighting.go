package detect

import (
	"context"
	"strings"
	"time"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/db"
	"github.com/polder-exchange/polder/stix"
)

// Sighting is what leaves of a confirmed alert: how often and when, and nothing else unless a person wrote it.
type Sighting struct {
	Ref
	Count       int
	First, Last time.Time
	Text        string // what a person adds, or nothing
	Named       bool   // with the organisation's name; otherwise as "a member"
	Confirmed   bool   // the person saw what the careless check found and goes on
	Key         string // the same key is the same sighting: sent again it is not doubled
}

// Leaving is what a sighting looks like from outside, before it leaves.
type Leaving struct {
	Raw      []byte // the object, byte for byte
	Level    stix.Marking
	Readers  int      // organisations that will be able to read it
	Warnings []string // what the careless check found; then it waits for Confirmed
}

// Released is a sighting that left.
type Released struct {
	ID string // empty when nothing left

	// Refused says, in words for a person, why a rule did not share it; empty when it did or when there is no rule.
	Refused string
}

// Release is the exchange's release step, as alerts need it. node plugs it in. Both methods check the actor's right in
// the community; [polder.NotFound] means that the object was withdrawn or is no longer for the actor.
type Release interface {
	Preview(ctx context.Context, by polder.Actor, s Sighting) (Leaving, error)
	Share(ctx context.Context, by polder.Actor, s Sighting) (id string, err error)
}

// Extra is what a person chooses about a sighting.
type Extra struct {
	Text      string
	Named     bool
	Confirmed bool
}

// sightingOf is the sighting of a group. Its key is that of the group, so that sharing it again after further alerts
// makes a new version and no second sighting.
func sightingOf(g Group, x Extra) Sighting {
	return Sighting{Ref: refOf(g), Count: min(g.Count, 999_999_999), First: g.First.Truncate(time.Millisecond), Last: g.Last.Truncate(time.Millisecond),
		Text: strings.TrimSpace(x.Text), Named: x.Named, Confirmed: x.Confirmed, Key: "alert " + g.ID}
}

// sightable reads a group that can become a sighting, or says why it cannot.
func (s *Service) sightable(ctx context.Context, by polder.Actor, id string) (Shown, error) {
	if err := may(by, polder.RoleContributor); err != nil {
		return Shown{}, err
	}
	g, err := readGroup(ctx, s.o.DB.Read(), by.Org, id)
	if err != nil {
		return Shown{}, err
	}
	all, err := s.show(ctx, by, []Group{g})
	if err != nil {
		return Shown{}, err
	}
	one := all[0]
	switch {
	case one.Hidden:
		return one, errWithdrawn
	case one.Object == nil:
		return one, polder.Errorf(polder.Conflict, "this alert rests on your own rules or lists; only what was shared with you can be sighted back")
	case s.o.Release == nil:
		return one, polder.Errorf(polder.Conflict, "this node has no exchange to share a sighting in")
	case one.Object.Revoked:
		return one, polder.Errorf(polder.Conflict, "its maker has revoked this indicator: it is not held to be true any more, so a sighting of it would mislead; close the alert, or report what you found in a note")
	case one.State != StateConfirmed:
		return one, polder.Errorf(polder.Conflict, "the alert is not confirmed; confirm it first, since others will act on the sighting")
	}
	return one, nil
}

var errWithdrawn = polder.Errorf(polder.Conflict, "the indicator was withdrawn or is no longer for you, so nothing can be said about it; nothing has left")

// PreviewSighting is exactly what would leave of a confirmed alert. Nothing is stored and nothing leaves.
func (s *Service) PreviewSighting(ctx context.Context, by polder.Actor, id string, x Extra) (Shown, Leaving, error) {
	one, err := s.sightable(ctx, by, id)
	if err != nil {
		return one, Leaving{}, err
	}
	out, err := s.o.Release.Preview(ctx, by, sightingOf(one.Group, x))
	return one, out, gone(err)
}

// gone says a NotFound of the release step in words that help.
func gone(err error) error {
	if err != nil && polder.KindOf(err) == polder.NotFound {
		return errWithdrawn
	}
	return err
}

// ShareSighting shares a confirmed alert as a sighting: counts and times, and what the person chose to add. Sharing it
// again makes nothing twice.
func (s *Service) ShareSighting(ctx context.Context, by polder.Actor, id string, x Extra) (string, error) {
	if len(x.Text) > maxText {
		return "", polder.Errorf(polder.Invalid, "text: is longer than %d bytes", maxText)
	}
	one, err := s.sightable(ctx, by, id)
	if err != nil {
		return "", err
	}
	shared, err := s.o.Release.Share(ctx, by, sightingOf(one.Group, x))
	if err != nil {
		return "", gone(err)
	}
	now := s.o.Now()
	return shared, s.o.DB.Write(ctx, func(tx *db.Tx) error {
		g, err := readGroupTx(tx, by.Org, id)
		if err != nil {
			return err
		}
		if err := setSighting(tx, g, shared, one.Count, now); err != nil {
			return err
		}
		if g.Sighting == shared && g.Sighted == one.Count {
			return nil
		}
		if err := addHistory(tx, g, by, "sighting", "", now); err != nil {
			return err
		}
		return s.noteTx(tx, by, "alert.sighting", g.ID, map[string]string{"sighting": shared})
	})
}

// SightingRule lets confirmed alerts leave as sightings by themselves: those of one community whose object is at least
// so sure. Without a rule nothing leaves by itself.
type SightingRule struct {
	Community  string // alias
	Confidence int    // 0 to 100; objects that say nothing of their confidence count as 0
	By         string
	Made       time.Time
}

// SightingRules are those of the actor's organisation.
func (s *Service) SightingRules(ctx context.Context, by polder.Actor) ([]SightingRule, error) {
	if err := may(by, polder.RoleReader); err != nil {
		return nil, err
	}
	return sightingRules(ctx, s.o.DB.Read(), by.Org)
}

// SetSightingRule adds or replaces the rule of a community. It asks for a steward: it decides what leaves for others.
func (s *Service) SetSightingRule(ctx context.Context, by polder.Actor, r SightingRule) error {
	if err := may(by, polder.RoleSteward); err != nil {
		return err
	}
	switch {
	case r.Community == "" || len(r.Community) > 200:
		return polder.Errorf(polder.Invalid, "community: write the alias of the community whose indicators are sighted back")
	case r.Confidence < 0 || r.Confidence > 100:
		return polder.Errorf(polder.Invalid, "confidence: %d is not between 0 and 100", r.Confidence)
	}
	r.By, r.Made = actorName(by), s.o.Now().UTC()
	return s.o.DB.Write(ctx, func(tx *db.Tx) error {
		if err := putSightingRule(tx, by.Org, r); err != nil {
			return err
		}
		return s.noteTx(tx, by, "sighting.rule", r.Community, nil)
	})
}

// DropSightingRule takes the rule of a community away; one that is not there is no error.
func (s *Service) DropSightingRule(ctx context.Context, by polder.Actor, community string) error {
	if err := may(by, polder.RoleSteward); err != nil {
		return err
	}
	return s.o.DB.Write(ctx, func(tx *db.Tx) error {
		if err := dropSightingRule(tx, by.Org, community); err != nil {
			return err
		}
		return s.noteTx(tx, by, "sighting.rule.end", community, nil)
	})
}

// releaseByRule shares a group that was just confirmed, where a rule says so. That it cannot be shared does not undo
// the decision; the person is told.
func (s *Service) releaseByRule(ctx context.Context, by polder.Actor, id string) (Released, error) {
	rules, err := sightingRules(ctx, s.o.DB.Read(), by.Org)
	if err != nil || len(rules) == 0 {
		return Released{}, err
	}
	one, err := s.sightable(ctx, by, id)
	if err != nil {
		return Released{}, nil // what cannot be sighted is no fault of the decision
	}
	for _, r := range rules {
		if r.Community != one.Origin.Community || max(one.Object.Confidence, 0) < r.Confidence {
			continue
		}
		shared, err := s.ShareSighting(ctx, by, id, Extra{})
		switch kind := polder.KindOf(err); {
		case err == nil:
			return Released{ID: shared}, nil
		case kind == polder.Internal:
			s.o.Log.ErrorContext(ctx, "a sighting by rule was not shared", "alert", id, "error", err)
			return Released{Refused: kind.String()}, nil
		default:
			return Released{Refused: err.Error()}, nil
		}
	}
	return Released{}, nil
}
