package screen

import (
	"cmp"
	"slices"
	"strings"

	"github.com/polder-exchange/polder/internal/fail"
	"github.com/polder-exchange/polder/internal/screen/lists"
	"github.com/polder-exchange/polder/names"
)

// DefaultLimit is how many hits an answer holds at most when nothing else is asked for.
const DefaultLimit = 10

// MaxLimit is how many hits an answer holds at most.
const MaxLimit = 1000

// Screener answers queries from one or more lists. It never changes and may be used from any goroutine.
type Screener struct {
	shards []*shard
}

// shard is what one call of [NewScreener] indexed.
type shard struct {
	lists   []*lists.List
	listed  []listed // by the number of an entry
	index   *names.Index
	numbers map[string][]int32 // identifiers that decide, to the numbers of the entries that bear them
}

// listed is an entry and the list it stands on.
type listed struct {
	entry *lists.Entry
	list  *lists.List
}

// A name in the index refers to its entry: twice the entry's number, and one more for a weak alias. So an entry is found
// at most twice, with the best of its names and with the best of its weak ones.
func refOf(entry int, weak bool) int32 {
	ref := int32(entry) * 2
	if weak {
		ref++
	}
	return ref
}

// NewScreener indexes lists. The lists must not change afterwards.
func NewScreener(ls ...*lists.List) *Screener {
	sh := &shard{numbers: map[string][]int32{}}
	b := names.NewBuilder()
	for _, l := range ls {
		if l == nil {
			continue
		}
		sh.lists = append(sh.lists, l)
		for i := range l.Parties {
			sh.add(b, l, &l.Parties[i])
		}
	}
	sh.index = b.Index()
	return &Screener{shards: []*shard{sh}}
}

func (sh *shard) add(b *names.Builder, l *lists.List, e *lists.Entry) {
	n := len(sh.listed)
	sh.listed = append(sh.listed, listed{e, l})
	b.Add(refOf(n, false), e.Name, e.Type)
	for _, a := range e.Aliases {
		b.Add(refOf(n, a.Weak), a.Name, e.Type)
	}
	for _, id := range e.Identifiers {
		key := idKey(id.Kind, id.Value)
		if have := sh.numbers[key]; key != "" && (len(have) == 0 || have[len(have)-1] != int32(n)) {
			sh.numbers[key] = append(have, int32(n))
		}
	}
}

// Join is a screener of all lists of several, without indexing them again. Those that are nil are left out.
func Join(ss ...*Screener) *Screener {
	out := &Screener{}
	for _, s := range ss {
		if s == nil {
			continue
		}
		for _, sh := range s.shards {
			if !slices.Contains(out.shards, sh) {
				out.shards = append(out.shards, sh)
			}
		}
	}
	return out
}

// Lists are the lists that are asked: restricted ones first, then by name.
func (s *Screener) Lists() []lists.Meta {
	out := []lists.Meta{}
	for _, sh := range s.shards {
		for _, l := range sh.lists {
			out = append(out, l.Meta)
		}
	}
	slices.SortStableFunc(out, func(a, b lists.Meta) int {
		return cmp.Or(comparePurpose(a.Purpose, b.Purpose), cmp.Compare(a.Name, b.Name), cmp.Compare(a.SHA256, b.SHA256))
	})
	return out
}

// Entry is the listing of a list with that name and id; nil when there is none.
func (s *Screener) Entry(list, id string) *lists.Entry {
	for _, sh := range s.shards {
		for _, l := range sh.lists {
			if l.Name != list {
				continue
			}
			if i := slices.IndexFunc(l.Parties, func(e lists.Entry) bool { return e.ID == id }); i >= 0 {
				return &l.Parties[i]
			}
		}
	}
	return nil
}

func comparePurpose(a, b lists.Purpose) int {
	rank := func(p lists.Purpose) int {
		if p == lists.Verified {
			return 1
		}
		return 0
	}
	return cmp.Compare(rank(a), rank(b))
}

// asked is a query that is ready to be compared.
type asked struct {
	Query
	name    *names.Name
	birth   birth
	country string
	ids     []askedID
}

func newAsked(q Query) *asked {
	a := &asked{Query: q, name: names.Parse(q.Name, q.Type), country: countryCode(q.Country), ids: askedIDs(q.Identifiers)}
	a.birth, _ = parseBirth(q.Birth)
	return a
}

// candidate is a listing that may be a hit.
type candidate struct {
	listed
	met   *names.Name // the listing's name that met; nil when none did
	name  float64     // how well
	score float64
	moves []move
}

// Screen asks all lists about a party. It keeps nothing, and leaves Asked to the caller, who has the clock. A threshold
// that is no number within 0 to 1 is the usual one.
//
// A listing of another type than q.Type is no hit when the list itself says its type; a listing whose type the list does
// not say always may be one, and so may one that bears an identifier of q.
func (s *Screener) Screen(q Query, o Options) Answer {
	o = o.bounded()
	a := Answer{Query: q, Hits: []Hit{}, Lists: s.Lists(), Threshold: o.Threshold}
	asked := newAsked(q)
	floor := o.Threshold
	if o.Below > 0 {
		floor = max(floor-belowBy, least)
	}
	var all []candidate
	for _, sh := range s.shards {
		all = append(all, sh.candidates(asked, floor, o.Limit+o.Below)...)
	}
	slices.SortFunc(all, compareCandidates)
	for i := range all {
		c := &all[i]
		switch {
		case c.score >= o.Threshold && len(a.Hits) < o.Limit:
			a.Hits = append(a.Hits, asked.hit(c))
		case c.score < o.Threshold && len(a.Below) < o.Below:
			a.Below = append(a.Below, asked.hit(c))
		}
	}
	return a
}

// belowBy is how far below the threshold those are looked for that are shown beside the hits, and least the lowest score
// that is ever looked for: what is below it resembles nothing.
const (
	belowBy = 0.15
	least   = 0.2
)

// bounded puts what is usual for what is not said or cannot be.
func (o Options) bounded() Options {
	if !(o.Threshold > 0 && o.Threshold <= 1) {
		o.Threshold = DefaultThreshold
	}
	o.Threshold = max(o.Threshold, least)
	if o.Limit <= 0 {
		o.Limit = DefaultLimit
	}
	o.Limit = min(o.Limit, MaxLimit)
	o.Below = max(0, min(o.Below, MaxLimit))
	return o
}

// compareCandidates puts the better first; equal ones by the name, then restricted before verified, then by list and id,
// so that an answer is always in the same order.
func compareCandidates(a, b candidate) int {
	return cmp.Or(cmp.Compare(b.score, a.score), cmp.Compare(b.name, a.name), comparePurpose(a.list.Purpose, b.list.Purpose),
		cmp.Compare(a.list.Name, b.list.Name), cmp.Compare(a.entry.ID, b.entry.ID))
}

// candidates are the listings that score at least floor, at least the best limit of them.
func (sh *shard) candidates(q *asked, floor float64, limit int) []candidate {
	best := map[int32]candidate{}
	for _, n := range sh.byNumber(q) {
		c := sh.compareAll(q, n)
		if c.score >= floor {
			best[n] = c
		}
	}
	if len(q.name.Words) == 0 {
		return values(best)
	}
	needed := q.nameNeeded(floor)
	want := 2*limit + 16
	if !q.birth.zero() || q.country != "" || len(q.ids) > 0 {
		want *= 4 // what they raise may have met with a lesser name
	}
	for ; ; want *= 4 {
		found := sh.index.Search(q.name, needed, want)
		for _, f := range found {
			sh.take(q, f, floor, best)
		}
		if len(found) < want || len(best) >= limit || want > 8*MaxLimit {
			return values(best)
		}
	}
}

func values(m map[int32]candidate) []candidate {
	out := make([]candidate, 0, len(m))
	for _, c := range m {
		out = append(out, c)
	}
	return out
}

// take makes a candidate of a name that was found, unless its entry has a better one.
func (sh *shard) take(q *asked, f names.Found, floor float64, best map[int32]candidate) {
	n := f.Ref / 2
	at := sh.listed[n]
	moves := q.moves(at.entry, f.Ref%2 == 1)
	decided := len(moves) > 0 && moves[len(moves)-1].decide
	if !decided && q.Type != names.Any && (at.entry.Type != names.Any || fail.Bug("type-guessed")) && q.Type != at.entry.Type {
		return
	}
	score := scored(f.Score, moves)
	if have, ok := best[n]; score < floor || ok && (have.score > score || have.score == score && have.name >= f.Score) {
		return
	}
	best[n] = candidate{listed: at, met: sh.index.Name(f), name: f.Score, score: score, moves: moves}
}

// byNumber are the entries that bear an identifier of q.
func (sh *shard) byNumber(q *asked) []int32 {
	var out []int32
	for _, id := range q.ids {
		for _, n := range sh.numbers[idKey(id.Kind, id.Value)] {
			if !slices.Contains(out, n) && len(out) < MaxLimit {
				out = append(out, n)
			}
		}
	}
	return out
}

// compareAll compares a query with all names of an entry that was found by a number.
func (sh *shard) compareAll(q *asked, n int32) candidate {
	at := sh.listed[n]
	c := candidate{listed: at, score: -1}
	try := func(text string, weak bool) {
		name := names.Parse(text, at.entry.Type)
		score := 0.0
		if len(q.name.Words) > 0 {
			score = unit(names.Compare(q.name, name).Score)
		}
		moves := q.moves(at.entry, weak)
		if s := scored(score, moves); s > c.score {
			c.met, c.name, c.score, c.moves = name, score, s, moves
		}
	}
	try(at.entry.Name, false)
	for _, a := range at.entry.Aliases[:min(len(at.entry.Aliases), maxAliases)] {
		try(a.Name, a.Weak)
	}
	return c
}

// maxAliases is how many aliases of an entry that was found by a number are compared.
const maxAliases = 500

// hit explains a candidate.
func (q *asked) hit(c *candidate) Hit {
	h := Hit{ID: c.entry.ID, List: c.list.Name, Name: strings.ToValidUTF8(c.entry.Name, "\ufffd"), Score: c.score, Listing: c.entry}
	var parts []names.Part
	if c.met != nil {
		h.Name = c.met.Text
		if c.name > 0 {
			parts = names.Compare(q.name, c.met).Parts
		}
	}
	h.Parts = pointed(parts, c.name, c.moves, c.score)
	h.Why = why(q.name, c.met, c.name, parts, c.moves)
	return h
}
