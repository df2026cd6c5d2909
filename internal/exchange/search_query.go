package exchange

import (
	"context"
	"net/netip"
	"strings"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/indicator"
	"github.com/polder-exchange/polder/internal/journal"
	"github.com/polder-exchange/polder/stix"
)

// Bounds of a search.
const (
	maxQuery      = 4096 // bytes of its text
	maxTerms      = 16   // words that count
	maxCandidates = 6000 // looked at, at each stage
	MaxFound      = 1000 // objects in an answer
)

// SearchQuery asks for objects by what a person would type: a STIX id, an indicator (defanged or not), an external id such
// as T1059 or CVE-2024-3094, a name, or words, of which the last may be begun only.
type SearchQuery struct {
	Text      string
	Community string   // alias or id; empty for all that the actor reads
	Types     []string // of the objects; empty for all
	Limit     int      // 1 to MaxFound; 0 is 100
}

// Found is the answer: the last versions that the reader may see, the best first. More says that there are others.
type Found struct {
	Deliveries []journal.Delivery
	More       bool
}

// look is a text as the index is asked for it, in the order of what counts.
type look struct {
	id     string
	exact  []string  // keys of the thing itself
	near   []string  // keys of what holds it: blocks, URLs on the host
	spans  []keySpan // and of what lies below it: names below a domain, addresses in a block
	terms  []term
	values []indicator.Value
}

// term is a word that must be there, or the beginning of one.
type term struct {
	word   string
	prefix bool
}

// Search finds objects for an actor. What the actor may not see changes neither the answer nor the work.
func (s *Service) Search(ctx context.Context, a polder.Actor, q SearchQuery) (Found, error) {
	if q.Limit == 0 {
		q.Limit = 100
	}
	text := strings.TrimSpace(q.Text)
	switch {
	case text == "":
		return Found{}, polder.Errorf(polder.Invalid, "q: is empty; give an indicator, a name, an id or words")
	case len(text) > maxQuery:
		return Found{}, polder.Errorf(polder.Invalid, "q: is longer than %d bytes", maxQuery)
	case q.Limit < 1 || q.Limit > MaxFound:
		return Found{}, polder.Errorf(polder.Invalid, "limit: %d is not a number from 1 to %d", q.Limit, MaxFound)
	}
	sight, err := s.SightIn(ctx, a, q.Community)
	if err != nil {
		return Found{}, err
	}
	l := readLook(text)
	if l.id != "" {
		page, err := s.journal.Page(ctx, sight, journal.Query{IDs: []string{l.id}, Types: q.Types, Limit: q.Limit})
		return Found{page.Deliveries, page.More}, err
	}
	if err := s.search.await(ctx); err != nil {
		return Found{}, err
	}
	g := &gathering{s: s, sight: sight, limit: q.Limit, where: where{s.journal.Scopes(sight), q.Types}, seen: map[polder.Seq]bool{}}
	err = g.all(ctx, l)
	return g.found(), err
}

// readLook reads what was typed. It never fails: what is nothing else is words.
func readLook(text string) (l look) {
	if id := strings.ToLower(text); stix.ValidID(id) {
		return look{id: id}
	}
	l.values = valuesOfText(text)
	for _, v := range l.values {
		l.exact = append(l.exact, keyOfValue(v))
		l.around(v)
	}
	l.exact = append(l.exact, "e:"+strings.ToLower(text))
	if k := nameKey(text); k != "" {
		l.exact = append(l.exact, k)
	}
	l.terms = termsOf(indicator.Refang(text))
	return l
}

// valuesOfText is what a text may be as a whole: some names are both a domain and a file.
func valuesOfText(text string) (out []indicator.Value) {
	kind, value, err := indicator.Recognise(text)
	if err == nil {
		out = append(out, indicator.Value{Kind: kind, Value: value})
	}
	plain := indicator.Refang(text)
	if strings.ContainsAny(plain, " \t\n") {
		return out
	}
	for _, k := range []indicator.Kind{indicator.Domain, indicator.Filename, indicator.Mutex, indicator.RegistryKey, indicator.MAC, indicator.URL, indicator.Email} {
		if k == kind || k == indicator.Domain && !strings.Contains(plain, ".") {
			continue
		}
		if v, err := indicator.Normalise(k, plain); err == nil {
			out = append(out, indicator.Value{Kind: k, Value: v})
		}
	}
	return out
}

// around adds what a value lies in and what lies below it.
func (l *look) around(v indicator.Value) {
	switch v.Kind {
	case indicator.Domain:
		r := reversed(v.Value)
		l.near = append(l.near, "h:"+r)
		below := strings.TrimSuffix(r, ".")
		l.spans = append(l.spans, keySpan{"d:" + r + "-", "d:" + below + "/"}, keySpan{"h:" + r + "-", "h:" + below + "/"})
	case indicator.IPv4, indicator.IPv6:
		l.near = append(l.near, "h:"+v.Value)
		if a, err := netip.ParseAddr(v.Value); err == nil {
			for bits := a.BitLen(); bits >= 0; bits-- {
				if p, err := a.Prefix(bits); err == nil {
					l.near = append(l.near, "c:"+p.String())
				}
			}
		}
	case indicator.CIDR:
		if p, err := netip.ParsePrefix(v.Value); err == nil {
			l.spans = append(l.spans, keySpan{"i:" + hexOf(p.Masked().Addr()), "i:" + hexOf(lastOf(p)) + "~"})
		}
	}
}

// lastOf is the last address of a block.
func lastOf(p netip.Prefix) netip.Addr {
	b := p.Masked().Addr().AsSlice()
	for i := p.Bits(); i < len(b)*8; i++ {
		b[i/8] |= 1 << (7 - i%8)
	}
	a, _ := netip.AddrFromSlice(b) // as long as it was
	return a
}

// termsOf are the words of a query. The last counts as begun, unless it is so short that it would mean everything.
func termsOf(text string) (out []term) {
	list := words(text)
	for i, w := range list[:min(len(list), maxTerms)] {
		out = append(out, term{w, i == len(list)-1 && len(w) >= 2})
	}
	return out
}

// gathering collects what a search confirms.
type gathering struct {
	s     *Service
	sight polder.Sight
	where where
	limit int
	seen  map[polder.Seq]bool
	out   []journal.Delivery
	more  bool
}

// stage yields candidates from an offset on.
type stage func(ctx context.Context, offset, n int) ([]hit, error)

func (g *gathering) named(keys []string) stage {
	return func(ctx context.Context, offset, n int) ([]hit, error) {
		return g.s.search.named(ctx, g.where, keys, offset, n)
	}
}

// all goes through the stages until there is enough.
func (g *gathering) all(ctx context.Context, l look) error {
	x := g.s.search
	stages := []stage{g.named(l.exact)}
	if len(l.near) > 0 {
		stages = append(stages, g.named(l.near))
	}
	if len(l.spans) > 0 {
		stages = append(stages, func(ctx context.Context, offset, n int) ([]hit, error) {
			return x.between(ctx, g.where, l.spans, offset, n)
		})
	}
	if len(l.terms) > 0 {
		stages = append(stages, func(ctx context.Context, offset, n int) ([]hit, error) {
			return x.worded(ctx, g.where, l.terms, offset, n)
		})
	}
	for _, st := range stages {
		if err := g.from(ctx, st); err != nil || len(g.out) > g.limit {
			return err
		}
	}
	return nil
}

// from takes what one stage yields, as far as the journal confirms it, until there is one more than asked for.
func (g *gathering) from(ctx context.Context, st stage) error {
	for offset := 0; len(g.out) <= g.limit; {
		n := min(max(2*(g.limit+1-len(g.out)), 32), 300)
		hits, err := st(ctx, offset, n)
		if err != nil {
			return err
		}
		if err := g.confirm(ctx, hits); err != nil {
			return err
		}
		if len(hits) < n {
			return nil
		}
		if offset += n; offset >= maxCandidates {
			g.more = true
			return nil
		}
	}
	return nil
}

// confirm keeps the candidates that the journal gives this reader as the last of their object.
func (g *gathering) confirm(ctx context.Context, hits []hit) error {
	var ids []string
	for _, h := range hits {
		if !g.seen[h.seq] {
			ids = append(ids, h.id)
		}
	}
	if len(ids) == 0 {
		return nil
	}
	page, err := g.s.journal.Page(ctx, g.sight, journal.Query{IDs: ids, Limit: 1 << 20})
	if err != nil {
		return err
	}
	last := map[polder.Seq]journal.Delivery{}
	for _, d := range page.Deliveries {
		last[d.Seq] = d
	}
	for _, h := range hits {
		if d, ok := last[h.seq]; ok && !g.seen[h.seq] && !d.Erased {
			g.out = append(g.out, d)
		}
		g.seen[h.seq] = true
	}
	return nil
}

func (g *gathering) found() Found {
	if len(g.out) > g.limit {
		return Found{g.out[:g.limit], true}
	}
	return Found{g.out, g.more}
}
