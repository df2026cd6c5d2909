package payback

import (
	"context"
	"errors"
	"maps"
	"slices"
	"time"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/exchange"
)

// Health is how a community is, from what all of it was given: objects that were for some are in none of its figures, so
// that every member reads the same. Times of delivery to other nodes are as those nodes said.
type Health struct {
	Community string   `json:"community"`
	Name      string   `json:"name"`
	Members   int      `json:"members"`
	Days      int      `json:"days"` // that the shares are about
	Givers    Part28   `json:"givers"`
	Answerers Part28   `json:"answerers"` // members who said something about what others gave
	Takers    Part28   `json:"takers"`    // members who took block lists from this node
	Gives     []Band   `json:"gives"`     // who gives: members by how much, in groups of at least five
	Takes     []Band   `json:"takes"`     // the same of block lists
	Weeks     []WeekOf `json:"weeks"`
	ToShared  Median   `json:"first_sight_to_shared"`
	ToLast    Median   `json:"shared_to_last_member"`
	Questions ShareOf  `json:"questions_answered"`
	Withdrawn ShareOf  `json:"withdrawn"`
	Expired   ShareOf  `json:"expired"` // of indicators
	Late      bool     `json:"late"`    // the numbers still grow: they are being made anew
}

// Band is a group of at least five members, ranked by how much they do, and its share of the whole.
type Band struct {
	Members int     `json:"members"`
	Share   float64 `json:"share"` // 0 to 1
}

// WeekOf is how many objects a week brought.
type WeekOf struct {
	Begins  time.Time `json:"begins"`
	Objects int       `json:"objects"`
}

// Median is the middle of some times.
type Median struct {
	Seconds float64 `json:"seconds"`
	Of      int     `json:"of"`      // how many
	Waiting int     `json:"waiting"` // of those that were looked at, how many are still on their way
}

// ShareOf is a share of objects.
type ShareOf struct {
	N  int `json:"n"`
	Of int `json:"of"`
}

const (
	healthDays = 90
	maxAsked   = 200 // deliveries whose way to other nodes is looked up
)

// Health is how a community (alias or id) is, for any of its readers.
func (s *Service) Health(ctx context.Context, a polder.Actor, community string) (Health, error) {
	if community == "" {
		return Health{}, polder.Errorf(polder.Invalid, "community: say of which")
	}
	v, in, err := s.viewing(ctx, a, community)
	if err != nil {
		return Health{}, err
	}
	late, err := s.index.caughtUp(ctx)
	if err != nil {
		return Health{}, err
	}
	m := in[0]
	n, err := s.others(ctx, m.Community.ID, "")
	if err != nil {
		return Health{}, err
	}
	f, err := once(ctx, s, cacheKey{what: "health", scopes: v.scopes, community: v.community}, func() (*figures, error) { return s.figuresOf(ctx, v) })
	if err != nil {
		return Health{}, err
	}
	h := Health{Community: m.Alias, Name: m.Name, Members: n, Days: healthDays, Late: late, Weeks: f.weeks, ToShared: f.toShared, Questions: f.questions, Withdrawn: f.withdrawn, Expired: f.expired}
	h.Givers, h.Answerers = Part28Of(min(len(f.gave), n), n), Part28Of(min(len(f.answered), n), n)
	taken, err := takes(ctx, s.o.DB, m.Community.ID, s.o.Now().Add(-healthDays*24*time.Hour))
	if err != nil {
		return Health{}, err
	}
	h.Takers = Part28Of(min(len(taken), n), n)
	h.Gives, h.Takes = bands(slices.Collect(maps.Values(f.gave)), n), bands(slices.Collect(maps.Values(taken)), n)
	h.ToLast, err = s.toLast(ctx, m.Community.ID, f.sample)
	return h, err
}

// figures are what the index says of a community.
type figures struct {
	gave, answered                map[string]int // by speaker
	weeks                         []WeekOf
	toShared                      Median
	questions, withdrawn, expired ShareOf
	sample                        []polder.Seq // the newest, for asking peers
}

func (s *Service) figuresOf(ctx context.Context, v view) (*figures, error) {
	now := s.o.Now()
	since := polder.SeqAt(now.Add(-healthDays * 24 * time.Hour))
	lines, err := s.index.wideSince(ctx, v, since)
	if err != nil {
		return nil, err
	}
	said, err := s.index.saidSince(ctx, v, since)
	if err != nil {
		return nil, err
	}
	gone, err := s.index.withdrawnSince(ctx, v, since)
	if err != nil {
		return nil, err
	}
	f := &figures{gave: map[string]int{}, answered: map[string]int{}, weeks: make([]WeekOf, weeks)}
	first := weekOf(now).Add(-(weeks - 1) * week)
	for i := range f.weeks {
		f.weeks[i].Begins = first.Add(time.Duration(i) * week)
	}
	heard := map[exchange.Ref]bool{}
	for _, r := range said {
		if r.stance != retracted {
			heard[r.Ref] = true
			f.answered[r.speaker]++
		}
	}
	var times []time.Duration
	for _, r := range lines {
		if r.typ == questionType {
			f.questions.Of++
			if heard[r.Ref] {
				f.questions.N++
			}
			continue
		}
		f.gave[r.open]++ // wideSince reads the speaker there
		if i := int(weekOf(r.first.Time()).Sub(first) / week); i >= 0 && i < weeks {
			f.weeks[i].Objects++
		}
		times = append(times, max(0, r.first.Time().Sub(time.UnixMicro(r.observed))))
		f.sample = append(f.sample, r.first)
		if r.typ == "indicator" {
			f.expired.Of++
			if r.until != 0 && r.until <= now.UnixMicro() {
				f.expired.N++
			}
		}
	}
	f.toShared = medianOf(times)
	f.withdrawn = ShareOf{gone, gone + len(lines)}
	slices.SortFunc(f.sample, func(a, b polder.Seq) int { return int(b - a) })
	f.sample = f.sample[:min(len(f.sample), maxAsked)]
	return f, nil
}

// toLast is how long the newest objects took to the last member. Members of this node had them when they were shared.
func (s *Service) toLast(ctx context.Context, c polder.CommunityID, sample []polder.Seq) (Median, error) {
	var times []time.Duration
	waiting := 0
	for _, seq := range sample {
		if s.o.Reached == nil {
			times = append(times, 0)
			continue
		}
		at, ok, err := s.o.Reached.ReachedAll(ctx, c, seq)
		if errors.Is(err, polder.ErrNotFound) {
			continue
		}
		if err != nil {
			return Median{}, err
		}
		if !ok {
			waiting++
			continue
		}
		times = append(times, max(0, at.Sub(seq.Time())))
	}
	m := medianOf(times)
	m.Waiting = waiting
	return m, nil
}

func medianOf(times []time.Duration) Median {
	if len(times) == 0 {
		return Median{}
	}
	slices.Sort(times)
	half := len(times) / 2
	d := times[half]
	if len(times)%2 == 0 {
		d = (times[half-1] + times[half]) / 2
	}
	return Median{Seconds: d.Seconds(), Of: len(times)}
}

// maxBands is into how many groups members are cut at most.
const maxBands = 5

// bands ranks members by how much they do and cuts them into groups of at least five, as even as can be, those who do most
// first. Members who do nothing count too. Fewer than ten make no two groups, and there is nothing to compare.
func bands(amounts []int, members int) []Band {
	out := []Band{}
	groups := min(maxBands, members/SmallGroup)
	if groups < 2 {
		return out
	}
	slices.SortFunc(amounts, func(a, b int) int { return b - a })
	amounts = amounts[:min(len(amounts), members)]
	total := 0
	for _, n := range amounts {
		total += n
	}
	at := 0
	for g := range groups {
		size := members / groups
		if g < members%groups {
			size++
		}
		sum := 0
		for i := at; i < min(at+size, len(amounts)); i++ {
			sum += amounts[i]
		}
		at += size
		b := Band{Members: size}
		if total > 0 {
			b.Share = float64(sum) / float64(total)
		}
		out = append(out, b)
	}
	return out
}
