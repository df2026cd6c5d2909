package screen

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/db"
)

// keptAtOnce is how many answers, or how many hits, one transaction keeps, so that it does not hold the writer.
const (
	keptAtOnce = 100
	hitsAtOnce = 40
)

// Keep puts one answer on record, and its hits into the queue. It asks for a contributor. An answer about a known party
// must be about the party as it is kept.
func (s *Service) Keep(ctx context.Context, by polder.Actor, a Answer, o KeepOptions) (Screening, error) {
	out, err := s.KeepAll(ctx, by, []Answer{a}, o)
	if err != nil {
		return Screening{}, err
	}
	return out[0], nil
}

// KeepAll is [Service.Keep] for up to [MaxQueries] answers. They are kept in their order, some at a time: after an error
// those before it may be on record, and keeping them again doubles no review.
func (s *Service) KeepAll(ctx context.Context, by polder.Actor, answers []Answer, o KeepOptions) ([]Screening, error) {
	if err := mayScreen(by, polder.RoleContributor); err != nil {
		return nil, err
	}
	o.Note = strings.TrimSpace(o.Note)
	if len(answers) > MaxQueries || len(o.Note) > maxReason {
		return nil, polder.Errorf(polder.TooLarge, "at most %d answers at once, with a note of at most %d bytes", MaxQueries, maxReason)
	}
	for i, a := range answers {
		if err := checkQuery(a.Query, maxKeptName); err != nil {
			return nil, polder.Errorf(polder.KindOf(err), "answer %d: %w", i+1, err)
		}
		if len(a.Lists) == 0 {
			return nil, polder.Errorf(polder.Invalid, "answer %d: no list was asked, so there is nothing to put on record", i+1)
		}
	}
	if err := s.o.DB.Room(); err != nil {
		return nil, err
	}
	var out []Screening
	for len(answers) > 0 {
		n, hits := 0, 0
		for n < len(answers) && n < keptAtOnce && (n == 0 || hits+len(answers[n].Hits) <= hitsAtOnce) {
			hits += min(len(answers[n].Hits), maxKeptHits)
			n++
		}
		some, err := s.keepSome(ctx, by, answers[:n], o)
		if err != nil {
			return out, err
		}
		out, answers = append(out, some...), answers[n:]
	}
	return out, nil
}

// keepSome keeps a few answers in one transaction.
func (s *Service) keepSome(ctx context.Context, by polder.Actor, answers []Answer, o KeepOptions) (out []Screening, err error) {
	var known Party
	if o.Party != "" {
		if known, err = readParty(s.reader(ctx), by.Org, o.Party); err != nil {
			return nil, err
		}
	}
	ms := make([]meeting, len(answers))
	for i, a := range answers {
		ms[i] = meetingOf(by.Org, known, a)
		if known.ID != "" && ms[i].asked != known.fingerprint {
			return nil, polder.Errorf(polder.Conflict, "the answer is about other fields than the party has; ask about the party as it is kept, or keep the answer without it")
		}
	}
	err = s.write(ctx, func(tx *db.Tx) error {
		out = out[:0]
		now := s.o.Now().UTC().Truncate(time.Microsecond)
		if known.ID != "" { // it may have changed, or gone, since it was read
			if p, err := readParty(tx, by.Org, known.ID); err != nil || p.fingerprint != known.fingerprint || !p.Removed.IsZero() {
				if err == nil {
					err = polder.Errorf(polder.Conflict, "the party changed meanwhile; ask about it again")
				}
				return err
			}
		}
		for i, m := range ms {
			c, err := s.keepTx(tx, by, m, answers[i], o.Note, now)
			if err != nil {
				return err
			}
			out = append(out, c)
		}
		return nil
	})
	return slices.Clone(out), err
}

// keepTx keeps one answer.
func (s *Service) keepTx(tx *db.Tx, by polder.Actor, m meeting, a Answer, note string, now time.Time) (Screening, error) {
	at := a.Asked.UTC().Truncate(time.Microsecond)
	if at.IsZero() || at.After(now) {
		at = now
	}
	g := againstOf(a.Lists, a.Threshold, 0)
	n, err := againstTx(tx, by.Org, g)
	if err != nil {
		return Screening{}, err
	}
	got, err := s.meetTx(tx, m, now)
	if err != nil {
		return Screening{}, err
	}
	c := Screening{ID: newScreenID(), Org: by.Org, At: at, By: whoActs(by), Person: by.Person, Token: by.Token, Party: m.party, Query: m.query, Threshold: a.Threshold, Lists: g.lists, Hits: got.hits, More: m.more, Note: note}
	if err := insertScreening(tx, c, m.subject, n, len(got.hits)+m.more); err != nil {
		return Screening{}, err
	}
	return c, s.noteTx(tx, by, "screen.keep", c.ID, nil)
}

// Screenings lists answers on record, the newest first.
func (s *Service) Screenings(ctx context.Context, by polder.Actor, f ScreeningFilter) (ScreeningPage, error) {
	if err := mayScreen(by, polder.RoleReader); err != nil {
		return ScreeningPage{}, err
	}
	if len(f.Text) > maxShort || len(f.Next) > maxShort {
		return ScreeningPage{}, polder.Errorf(polder.TooLarge, "text, next: at most %d bytes each", maxShort)
	}
	return listScreenings(s.reader(ctx), by.Org, f)
}

// Screening is one answer on record.
func (s *Service) Screening(ctx context.Context, by polder.Actor, id string) (Screening, error) {
	if err := mayScreen(by, polder.RoleReader); err != nil {
		return Screening{}, err
	}
	a := s.reader(ctx)
	k, err := scanScreening(a.QueryRow(selectScreening+`WHERE id = ? AND org = ?`, id, string(by.Org)))
	if err != nil {
		return Screening{}, err
	}
	out, err := whole(a, []keptScreening{k}, againstCache{})
	if err != nil {
		return Screening{}, err
	}
	return out[0], nil
}

// Decided tells what people have decided about the hits of answers, by the place of answer and hit: Known is "true",
// "false" or "", Review the id of the review, if there is one. It keeps nothing. party is the known party that was asked
// about, or "".
func (s *Service) Decided(ctx context.Context, by polder.Actor, answers []Answer, party string) ([][]BriefHit, error) {
	if err := mayScreen(by, polder.RoleReader); err != nil {
		return nil, err
	}
	if len(answers) > MaxQueries {
		return nil, polder.Errorf(polder.TooLarge, "at most %d answers at once", MaxQueries)
	}
	reader := s.reader(ctx)
	out := make([][]BriefHit, len(answers))
	for i, a := range answers {
		m := meetingOf(by.Org, Party{ID: party}, a)
		for _, h := range a.Hits {
			b := BriefHit{List: h.List, ID: h.ID, Name: h.Name, Score: h.Score}
			r, found, err := reviewOf(reader, by.Org, m.subject, h.List, clipKept(h.ID, maxKeptString))
			if err != nil {
				return nil, err
			}
			if found {
				b.Review = r.ID
			}
			at := slices.IndexFunc(m.hits, func(k metHit) bool { return k.snapshot.Hit.List == h.List && k.snapshot.Hit.ID == r.Listing })
			if found && r.State.decided() && at >= 0 && r.asked == m.asked && (r.State == StateTrue || r.listed == m.hits[at].listed) {
				b.Known = string(r.State)
			}
			out[i] = append(out[i], b)
		}
	}
	return out, nil
}
