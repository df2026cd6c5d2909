package payback

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/exchange"
)

// Account is what the knowledge of an organisation did, in the clear for itself.
type Account struct {
	Objects    int     `json:"objects"`
	Revoked    int     `json:"revoked"`
	Expired    int     `json:"expired"`
	Sightings  Effect  `json:"sightings"`
	Blocks     Effect  `json:"blocks"` // of lists taken from this node, and of members who say so
	Agreements Effect  `json:"agreements"`
	False      Effect  `json:"false_positives"`
	Answers    Effect  `json:"answers"` // to questions that it asked
	Weeks      []Week  `json:"weeks"`   // the last twelve
	Quality    Score   `json:"quality"`
	Most       []Thing `json:"most"` // objects that did most
	Late       bool    `json:"late"` // the numbers still grow: they are being made anew
}

// Effect is something that knowledge did.
type Effect struct {
	Objects int     `json:"objects"` // of the organisation's own
	Times   int     `json:"times"`   // how often others said so
	Members Members `json:"members"` // by how many of them
}

// Week is a week of effects.
type Week struct {
	Begins    time.Time `json:"begins"`
	Sightings int       `json:"sightings"`
	False     int       `json:"false_positives"`
}

// Thing is an object and what it did.
type Thing struct {
	exchange.Ref
	Title     string  `json:"title"`
	Alias     string  `json:"alias"`
	TLP       string  `json:"tlp"`
	Sightings Members `json:"sightings"`
	Blocks    Members `json:"blocks"`
	False     Members `json:"false_positives"`
	weight    int
}

const (
	weeks   = 12
	maxMost = 25
	week    = 7 * 24 * time.Hour
)

// Account is what the knowledge of the actor's organisation did, in one community (alias or id) or in all of its
// communities. It counts what others did, each once, and what the organisation sees of it.
func (s *Service) Account(ctx context.Context, a polder.Actor, community string) (Account, error) {
	v, in, err := s.viewing(ctx, a, community)
	if err != nil {
		return Account{}, err
	}
	late, err := s.index.caughtUp(ctx)
	if err != nil {
		return Account{}, err
	}
	out, err := once(ctx, s, cacheKey{what: "account", org: string(a.Org), scopes: v.scopes, community: v.community}, func() (Account, error) {
		blocks, err := s.blocksOf(ctx, a.Org, in)
		if err != nil {
			return Account{}, err
		}
		l, err := s.ledgerOf(ctx, v, a.Org)
		if err != nil {
			return Account{}, err
		}
		return l.account(ctx, s, blocks)
	})
	if err != nil {
		return Account{}, err
	}
	out.Late = late
	if out.Most, err = s.shown(ctx, a, in, out.Most); err != nil {
		return out, err
	}
	out.Quality, err = s.confirmed(ctx, a, in, out.Quality)
	return out, err
}

// confirmed is a score of which the objects behind its parts are those that the actor may read now.
func (s *Service) confirmed(ctx context.Context, a polder.Actor, in []polder.Membership, q Score) (Score, error) {
	q.Parts = slices.Clone(q.Parts)
	for i, p := range q.Parts {
		things := make([]Thing, len(p.Behind))
		for j, r := range p.Behind {
			things[j].Ref = r
		}
		things, err := s.shown(ctx, a, in, things)
		if err != nil {
			return q, err
		}
		q.Parts[i].Behind = make([]exchange.Ref, len(things))
		for j, t := range things {
			q.Parts[i].Behind[j] = t.Ref
		}
	}
	return q, nil
}

// blocked is what is known of lists in the communities of an organisation.
type blocked struct {
	by     map[exchange.Ref]blockCount
	others map[polder.CommunityID]int // members who could have done it
}

func (s *Service) blocksOf(ctx context.Context, org polder.OrgID, in []polder.Membership) (blocked, error) {
	out := blocked{map[exchange.Ref]blockCount{}, map[polder.CommunityID]int{}}
	for _, m := range in {
		n, err := s.others(ctx, m.Community.ID, org)
		if err != nil {
			return out, err
		}
		out.others[m.Community.ID] = n
		if n < SmallGroup {
			continue // nothing may be told
		}
		all, err := blockCounts(ctx, s.o.DB, m.Community.ID, org)
		if err != nil {
			return out, err
		}
		for _, b := range all {
			out.by[b.Ref] = b
		}
	}
	return out, nil
}

// tally is what others said about one object.
type tally struct {
	seen, denied, agreed, blocked     map[string]bool // by whom
	sightings, denials, nods, answers int
	confirmed, wrong                  polder.Seq
}

// ledger is everything that counts for one contributor and one reader.
type ledger struct {
	org   polder.OrgID
	lines []lineRow
	said  map[exchange.Ref]*tally
	weeks map[time.Time]*Week
}

func (s *Service) ledgerOf(ctx context.Context, v view, org polder.OrgID) (*ledger, error) {
	lines, err := s.index.byCustodian(ctx, v, org)
	if err != nil {
		return nil, err
	}
	said, err := s.index.saidOfCustodian(ctx, v, org)
	if err != nil {
		return nil, err
	}
	l := newLedger(lines)
	l.org = org
	for _, r := range said {
		if r.speaker != string(org) {
			l.hear(r, r.speaker)
		}
	}
	return l, nil
}

func newLedger(lines []lineRow) *ledger {
	l := &ledger{lines: lines, said: map[exchange.Ref]*tally{}, weeks: map[time.Time]*Week{}}
	slices.SortFunc(l.lines, func(a, b lineRow) int { return cmp.Compare(a.first, b.first) })
	return l
}

// hear counts a statement by who.
func (l *ledger) hear(r statementRow, who string) {
	t := l.said[r.Ref]
	if t == nil {
		t = &tally{seen: map[string]bool{}, denied: map[string]bool{}, agreed: map[string]bool{}, blocked: map[string]bool{}}
		l.said[r.Ref] = t
	}
	w := l.week(r.at.Time())
	switch r.stance {
	case exchange.StanceSeen, exchange.StanceBlocked:
		t.seen[who] = true
		if r.stance == exchange.StanceBlocked {
			t.blocked[who] = true
		}
		t.sightings++
		w.Sightings++
		t.confirmed = max(t.confirmed, r.seq)
	case exchange.StanceAgrees:
		t.agreed[who] = true
		t.nods++
		t.confirmed = max(t.confirmed, r.seq)
	case exchange.StanceFalse:
		t.denied[who] = true
		t.denials++
		w.False++
		t.wrong = max(t.wrong, r.seq)
	}
	if r.stance != retracted {
		t.answers++
	}
}

func (l *ledger) week(at time.Time) *Week {
	begins := weekOf(at)
	w := l.weeks[begins]
	if w == nil {
		w = &Week{Begins: begins}
		l.weeks[begins] = w
	}
	return w
}

// weekOf is the Monday before a time.
func weekOf(at time.Time) time.Time {
	day := at.UTC().Truncate(24 * time.Hour)
	return day.AddDate(0, 0, -(int(day.Weekday())+6)%7)
}

// questionType is that of questions to a community.
const questionType = "x-polder-question"

func (l *ledger) account(ctx context.Context, s *Service, blocks blocked) (Account, error) {
	now := s.o.Now()
	out := Account{Quality: s.rules.Score(l.judged(blocks)), Most: []Thing{}}
	sets := map[string]map[string]bool{"seen": {}, "denied": {}, "agreed": {}, "blocked": {}, "answered": {}}
	own := map[polder.CommunityID]map[string]bool{}
	listed := false
	for i := range l.lines {
		row := &l.lines[i]
		t := l.said[row.Ref]
		if row.typ == questionType {
			if t != nil && t.answers > 0 {
				out.Answers.Objects++
				out.Answers.Times += t.answers
				into(sets["answered"], t.seen, t.denied, t.agreed)
			}
			continue
		}
		out.Objects++
		switch {
		case row.revoked:
			out.Revoked++
		case row.until != 0 && row.until <= now.UnixMicro():
			out.Expired++
		}
		if own[row.Community] == nil {
			own[row.Community] = map[string]bool{}
		}
		own[row.Community][row.ID] = true
		b := blocks.by[row.Ref]
		thing := l.thing(row.Ref, blocks)
		if t != nil {
			l.effects(&out, t, sets)
		}
		if b.orgs > 0 || t != nil && len(t.blocked) > 0 {
			out.Blocks.Objects++
			listed = true
			thing.weight += 2 * min(thing.Blocks.Count(), 1_000)
		}
		if thing.weight > 0 || b.orgs > 0 {
			out.Most = append(out.Most, thing)
		}
	}
	slices.SortStableFunc(out.Most, func(a, b Thing) int { return cmp.Or(b.weight-a.weight, strings.Compare(a.ID, b.ID)) })
	out.Most = out.Most[:min(len(out.Most), maxMost)]
	out.Sightings.Members, out.False.Members = MembersOf(len(sets["seen"]), -1), MembersOf(len(sets["denied"]), -1)
	out.Agreements.Members, out.Answers.Members = MembersOf(len(sets["agreed"]), -1), MembersOf(len(sets["answered"]), -1)
	out.Weeks = l.lastWeeks(now)
	return out, s.countBlockers(ctx, &out, l.org, blocks, own, sets["blocked"], listed)
}

// thing is what one object did, without its name.
func (l *ledger) thing(r exchange.Ref, blocks blocked) Thing {
	out := Thing{Ref: r, Blocks: MembersOf(blocks.by[r].orgs, blocks.others[r.Community])}
	if t := l.said[r]; t != nil {
		out.Sightings, out.False = MembersOf(len(t.seen), -1), MembersOf(len(t.denied), -1)
		if len(t.blocked) > 0 {
			out.Blocks = MembersOf(max(len(t.blocked), out.Blocks.n), -1)
		}
		out.weight = 3*len(t.seen) + len(t.agreed) + 3*len(t.denied)
	}
	return out
}

// Did is what one object of the actor's organisation did; mine is false for every other object.
func (s *Service) Did(ctx context.Context, a polder.Actor, object string) (t Thing, mine bool, err error) {
	v, _, err := s.viewing(ctx, a, "")
	if err != nil {
		return t, false, err
	}
	if _, err := s.index.caughtUp(ctx); err != nil {
		return t, false, err
	}
	lines, err := s.index.byID(ctx, v, a.Org, object)
	if err != nil || len(lines) == 0 {
		return t, false, err
	}
	l := newLedger(lines)
	said, err := s.index.saidOf(ctx, v, l.lines[0].Ref)
	if err != nil {
		return t, false, err
	}
	for _, r := range said {
		if r.speaker != string(a.Org) {
			l.hear(r, r.speaker)
		}
	}
	at := l.lines[0].Ref
	blocks := blocked{map[exchange.Ref]blockCount{}, map[polder.CommunityID]int{}}
	if blocks.others[at.Community], err = s.others(ctx, at.Community, a.Org); err != nil {
		return t, false, err
	}
	if blocks.by[at], err = blockCountOf(ctx, s.o.DB, at, a.Org); err != nil {
		return t, false, err
	}
	return l.thing(at, blocks), true, nil
}

// effects adds what was said about one object.
func (l *ledger) effects(out *Account, t *tally, sets map[string]map[string]bool) {
	for _, e := range []struct {
		into  *Effect
		set   string
		by    map[string]bool
		times int
	}{{&out.Sightings, "seen", t.seen, t.sightings}, {&out.False, "denied", t.denied, t.denials}, {&out.Agreements, "agreed", t.agreed, t.nods}, {&out.Blocks, "blocked", t.blocked, len(t.blocked)}} {
		if len(e.by) == 0 {
			continue
		}
		if e.into != &out.Blocks {
			e.into.Objects++
		}
		e.into.Times += e.times
		into(sets[e.set], e.by)
	}
}

// countBlockers says how many members block something of an organisation, where that may be told.
func (s *Service) countBlockers(ctx context.Context, out *Account, org polder.OrgID, blocks blocked, own map[polder.CommunityID]map[string]bool, said map[string]bool, listed bool) error {
	told := len(said) > 0
	for c, ids := range own {
		if blocks.others[c] < SmallGroup {
			continue
		}
		told = true
		if !listed {
			continue
		}
		by, err := blockers(ctx, s.o.DB, c, org, ids)
		if err != nil {
			return err
		}
		into(said, by)
	}
	out.Blocks.Members = MembersOf(len(said), -1)
	if !told {
		out.Blocks.Members = Members{hidden: true}
	}
	return nil
}

func into(set map[string]bool, all ...map[string]bool) {
	for _, m := range all {
		for k := range m {
			set[k] = true
		}
	}
}

// lastWeeks are the last twelve weeks, those without anything included.
func (l *ledger) lastWeeks(now time.Time) []Week {
	out := make([]Week, weeks)
	begins := weekOf(now).Add(-(weeks - 1) * week)
	for i := range out {
		out[i] = Week{Begins: begins.Add(time.Duration(i) * week)}
		if w := l.weeks[out[i].Begins]; w != nil {
			out[i] = *w
		}
	}
	return out
}

// judged are the objects as the score sees them. A block counts as a confirmation where it may be told that there is one.
func (l *ledger) judged(blocks blocked) []Judged {
	out := make([]Judged, 0, len(l.lines))
	for _, row := range l.lines {
		j := Judged{Ref: row.Ref, Type: row.typ, Observed: time.UnixMicro(row.observed), Shared: row.first.Time(), Context: row.context}
		if t := l.said[row.Ref]; t != nil {
			j.Confirmed, j.False = t.confirmed, t.wrong
		}
		if b := blocks.by[row.Ref]; b.orgs >= SmallGroup {
			j.Confirmed = max(j.Confirmed, b.first)
		}
		out = append(out, j)
	}
	return out
}

// shown asks the exchange for the names of things as the actor may read them now. What it may not is left out.
func (s *Service) shown(ctx context.Context, a polder.Actor, in []polder.Membership, things []Thing) ([]Thing, error) {
	out := things[:0:0]
	byPlace := map[polder.CommunityID][]string{}
	for _, t := range things {
		byPlace[t.Community] = append(byPlace[t.Community], t.ID)
	}
	seen := map[exchange.Ref]exchange.Glimpse{}
	for _, m := range in {
		got, err := s.o.Exchange.Glimpses(ctx, a, m.Alias, byPlace[m.Community.ID])
		if err != nil {
			return nil, err
		}
		for _, g := range got {
			seen[exchange.Ref{Community: m.Community.ID, ID: g.ID}] = g
		}
	}
	for _, t := range things {
		if g, ok := seen[t.Ref]; ok {
			t.Title, t.Alias, t.TLP = g.Title, g.Community, g.Level.String()
			out = append(out, t)
		}
	}
	return out, nil
}
