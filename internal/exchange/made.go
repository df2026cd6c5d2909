package exchange

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/journal"
	"github.com/polder-exchange/polder/stix"
)

// About names the object that an answer is about, and how the answer goes out. An answer reaches nobody whom the
// object it is about did not reach, and is never wider.
type About struct {
	ID        string       // of the object; it must be in sight
	Community string       // alias or id, where it was read
	Level     stix.Marking // of the answer; None takes the object's
	Named     bool         // name the contributor
	Confirmed bool
	Override  string // why it leaves although a value in it stops it
	Preview   bool   // store nothing: Result.Items is what would leave
	Key       string // of the request; sending it again with the same key makes nothing new (D2)
}

// Sighting says that something was seen. Only counts and times leave (rule X20); who saw it does not.
type Sighting struct {
	About
	Count       int // 1 to 999,999,999; 0 is left out
	First, Last time.Time
	Text        string
	Blocked     bool // it stands in a block list of whoever says so
}

// Opinion is how much its giver agrees with an object.
type Opinion struct {
	About
	Value string // strongly-disagree, disagree, neutral, agree, strongly-agree
	Text  string
}

// Note is a remark about an object, or an answer to a question.
type Note struct {
	About
	Abstract, Text string
}

// Opinions are the values of an opinion, from against to for.
var Opinions = []string{"strongly-disagree", "disagree", "neutral", "agree", "strongly-agree"}

// MakeSighting shares a sighting of an object.
func (s *Service) MakeSighting(ctx context.Context, a polder.Actor, g Sighting) (Result, error) {
	if g.Count < 0 || g.Count > 999_999_999 {
		return Result{}, polder.Errorf(polder.Invalid, "count: %d is not a number from 1 to 999,999,999", g.Count)
	}
	if !g.First.IsZero() && g.Last.Before(g.First) {
		return Result{}, polder.Errorf(polder.Invalid, "last seen: must not be before first seen")
	}
	var definitions []string
	if g.Blocked {
		definitions = append(definitions, blockedDefinition)
	}
	return s.answer(ctx, a, g.About, "sighting", func(o *stix.Members) {
		o.Set("description", g.Text)
		o.Set("first_seen", g.First)
		o.Set("last_seen", g.Last)
		if g.Count > 0 {
			o.Set("count", g.Count)
		}
		o.Set("sighting_of_ref", g.ID)
		if g.Blocked {
			setBlocked(o)
		}
	}, definitions...)
}

// MakeOpinion shares an opinion on an object.
func (s *Service) MakeOpinion(ctx context.Context, a polder.Actor, g Opinion) (Result, error) {
	if !slices.Contains(Opinions, g.Value) {
		return Result{}, polder.Errorf(polder.Invalid, "opinion: %q is unknown; use one of %s", g.Value, strings.Join(Opinions, ", "))
	}
	return s.answer(ctx, a, g.About, "opinion", func(o *stix.Members) {
		o.Set("explanation", g.Text)
		o.Set("opinion", g.Value)
		o.Set("object_refs", []string{g.ID})
	})
}

// MakeNote shares a note about an object.
func (s *Service) MakeNote(ctx context.Context, a polder.Actor, g Note) (Result, error) {
	if strings.TrimSpace(g.Text) == "" {
		return Result{}, polder.Errorf(polder.Invalid, "text: is empty; write what you want to say")
	}
	return s.answer(ctx, a, g.About, "note", func(o *stix.Members) {
		o.Set("abstract", g.Abstract)
		o.Set("content", g.Text)
		o.Set("object_refs", []string{g.ID})
	})
}

// answer makes an object about another and shares it with those whom that one reached. The definitions of extensions that
// it uses go with it.
func (s *Service) answer(ctx context.Context, a polder.Actor, about About, typ string, set func(*stix.Members), definitions ...string) (Result, error) {
	d, err := s.inSight(ctx, a, about.Community, about.ID)
	if err != nil {
		return Result{}, err
	}
	var to []polder.OrgID
	if !d.Nominal.Except() {
		to = slices.DeleteFunc(d.Nominal.Listed(), func(o polder.OrgID) bool { return o == a.Org })
	}
	return s.answerTo(ctx, a, about, d, to, typ, set, definitions...)
}

// answerTo is answer for recipients that the caller chose among those whom d reached; none is the community.
func (s *Service) answerTo(ctx context.Context, a polder.Actor, about About, d journal.Delivery, to []polder.OrgID, typ string, set func(*stix.Members), definitions ...string) (Result, error) {
	level := max(about.Level, d.Level)
	if about.Level != stix.None && about.Level.Wider(d.Level) {
		return Result{}, polder.Errorf(polder.Forbidden, "level: what is said about a %s object cannot be %s", d.Level.Label(), about.Level.Label())
	}
	raw, err := s.made(typ, func(o *stix.Members) {
		if about.Key != "" {
			o.Set("id", s.keyedID(typ, a.Org, d.Community, about.ID+" "+about.Key))
		}
		set(o)
	})
	if err != nil {
		return Result{}, err
	}
	var objects []Incoming
	for _, def := range definitions {
		objects = append(objects, Incoming{Raw: []byte(def)})
	}
	return s.Share(ctx, a, Request{
		Community: about.Community, Objects: append(objects, Incoming{Raw: raw, Made: true}), Level: level, to: to, Named: about.Named, Confirmed: about.Confirmed, Override: about.Override, Preview: about.Preview,
	})
}

// inSight is the last version of an object that the actor sees in a community.
func (s *Service) inSight(ctx context.Context, a polder.Actor, community, id string) (journal.Delivery, error) {
	sight, err := s.SightIn(ctx, a, community)
	if err != nil {
		return journal.Delivery{}, err
	}
	page, err := s.journal.Page(ctx, sight, journal.Query{IDs: []string{id}, Limit: 1})
	if err != nil {
		return journal.Delivery{}, err
	}
	if len(page.Deliveries) == 0 {
		return journal.Delivery{}, polder.Errorf(polder.NotFound, "no such object, or none that you may see, in this community")
	}
	return page.Deliveries[0], nil
}

// made is a new object of a type, made now.
func (s *Service) made(typ string, set func(*stix.Members)) ([]byte, error) {
	now := stix.FormatTime(s.now().Truncate(time.Millisecond))
	o, err := stix.Make(typ, func(m *stix.Members) {
		m.Set("created", now)
		m.Set("modified", now)
		set(m)
	})
	if err != nil {
		return nil, polder.Errorf(polder.Invalid, "%w", err)
	}
	return o.Raw(), nil
}
