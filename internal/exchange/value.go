package exchange

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/indicator"
	"github.com/polder-exchange/polder/internal/journal"
	"github.com/polder-exchange/polder/stix"
)

// Worth is what an object is worth now (X17), in words that are stable: they are stored by nobody, and read by scripts.
type Worth string

// What an object may be worth.
const (
	WorthCounts  Worth = "counts"
	WorthLater   Worth = "later"   // it begins to count at its valid_from
	WorthExpired Worth = "expired" // its valid_until has come
	WorthRevoked Worth = "revoked" // for good, whatever its times say
)

// WorthOf is what an object is worth at a moment. An object without times counts until it is revoked.
func WorthOf(o stix.Object, now time.Time) Worth {
	switch {
	case o.Revoked:
		return WorthRevoked
	case !o.ValidUntil.IsZero() && !o.ValidUntil.Time.After(now):
		return WorthExpired
	case !o.ValidFrom.IsZero() && o.ValidFrom.Time.After(now):
		return WorthLater
	}
	return WorthCounts
}

// KnownIndicator is an indicator on a value, and what it is worth now.
type KnownIndicator struct {
	Delivery journal.Delivery
	Worth    Worth
}

// Known is everything that a reader may know here of a value.
type Known struct {
	Kind       indicator.Kind
	Value      string // in its one spelling
	Indicators []KnownIndicator
	Objects    []journal.Delivery // others that name it: observables, vulnerabilities
	Sightings  []journal.Delivery // of any of these
	Remarks    []journal.Delivery // notes, opinions, reports and other groups that refer to any of these
	First      polder.Seq         // when any version of what names it was first shared; 0 when nothing is known
	Last       polder.Seq         // and last, remarks and sightings included
	More       bool               // there is more of it than is listed
}

// maxKnown bounds each list of [Known].
const maxKnown = 200

// remarks are the types that say something about others.
var remarks = []string{"note", "opinion", "report", "grouping", "incident"}

// Value tells an actor everything known here of a value, defanged or not: an address, a name, a URL, a hash. Of an
// address it includes the blocks that hold it. That nothing is known is an answer like any other, and the same whether
// there is nothing or nothing that the actor may see.
func (s *Service) Value(ctx context.Context, a polder.Actor, value string) (Known, error) {
	values := valuesOfText(strings.TrimSpace(value))
	if len(values) == 0 || len(value) > maxQuery {
		return Known{}, polder.Errorf(polder.Invalid, "value: %q is no address, name, URL or hash; search finds words", clip(value, 60))
	}
	k := Known{Kind: values[0].Kind, Value: values[0].Value}
	sight, err := s.Sight(ctx, a)
	if err != nil {
		return Known{}, err
	}
	if err := s.search.await(ctx); err != nil {
		return Known{}, err
	}
	naming, more, err := s.naming(ctx, sight, values)
	if err != nil {
		return Known{}, err
	}
	k.More = more
	if err := k.sort(naming, s.now()); err != nil || len(naming) == 0 {
		return k, err
	}
	ids := make([]string, len(naming))
	for i, d := range naming {
		ids[i] = d.ID
	}
	if err := s.said(ctx, sight, &k, ids); err != nil {
		return Known{}, err
	}
	return k, s.times(ctx, sight, &k, ids)
}

// naming are the objects that name one of these values or, for an address, a block that holds it.
func (s *Service) naming(ctx context.Context, sight polder.Sight, values []indicator.Value) ([]journal.Delivery, bool, error) {
	var l look
	for _, v := range values {
		l.exact = append(l.exact, keyOfValue(v))
		l.around(v)
	}
	l.near = slices.DeleteFunc(l.near, func(key string) bool { return !strings.HasPrefix(key, "c:") })
	l.spans = nil
	g := &gathering{s: s, sight: sight, limit: maxKnown, where: where{scopes: s.journal.Scopes(sight)}, seen: map[polder.Seq]bool{}}
	err := g.all(ctx, l)
	found := g.found()
	return found.Deliveries, found.More, err
}

// sort puts the indicators apart and says what they are worth.
func (k *Known) sort(naming []journal.Delivery, now time.Time) error {
	for _, d := range naming {
		if d.Type() != "indicator" {
			k.Objects = append(k.Objects, d)
			continue
		}
		o, err := stix.Parse(d.Raw)
		if err != nil {
			return err
		}
		k.Indicators = append(k.Indicators, KnownIndicator{d, WorthOf(o, now)})
	}
	return nil
}

// said adds the sightings and remarks that refer to these ids.
func (s *Service) said(ctx context.Context, sight polder.Sight, k *Known, ids []string) error {
	sightings, err := s.referring(ctx, sight, ids, []string{"sighting"}, maxKnown)
	if err != nil {
		return err
	}
	said, err := s.referring(ctx, sight, ids, remarks, maxKnown)
	if err != nil {
		return err
	}
	k.Sightings, k.Remarks = sightings.Deliveries, said.Deliveries
	k.More = k.More || sightings.More || said.More
	return nil
}

// times finds when what names the value was first shared with this reader, and when anything of it last.
func (s *Service) times(ctx context.Context, sight polder.Sight, k *Known, ids []string) error {
	page, err := s.journal.Page(ctx, sight, journal.Query{IDs: ids, All: true, NoBodies: true, Limit: 1 << 20})
	if err != nil {
		return err
	}
	for _, d := range slices.Concat(page.Deliveries, k.Sightings, k.Remarks) {
		k.Last = max(k.Last, d.Seq)
	}
	if len(page.Deliveries) > 0 {
		k.First = page.Deliveries[0].Seq
	}
	return nil
}

// Referring lists what the actor sees that refers to an object: relationships, sightings, notes, reports. They are the
// newest ones, at most limit, in the order of their numbers; more says that there are older ones. Being an object's
// creator or its marking is no reference.
func (s *Service) Referring(ctx context.Context, a polder.Actor, id string, limit int) (out []journal.Delivery, more bool, err error) {
	if !stix.ValidID(id) || limit < 1 || limit > MaxFound {
		return nil, false, polder.Errorf(polder.Invalid, "id: %q is not a STIX id, or limit %d is not a number from 1 to %d", clip(id, 100), limit, MaxFound)
	}
	sight, err := s.Sight(ctx, a)
	if err != nil {
		return nil, false, err
	}
	if err := s.search.await(ctx); err != nil {
		return nil, false, err
	}
	found, err := s.referring(ctx, sight, []string{id}, nil, limit)
	slices.Reverse(found.Deliveries)
	return found.Deliveries, found.More, err
}

// referring are the objects of these types, all when none is given, that refer to one of ids, the newest first.
func (s *Service) referring(ctx context.Context, sight polder.Sight, ids, types []string, limit int) (Found, error) {
	keys := make([]string, len(ids))
	for i, id := range ids {
		keys[i] = "r:" + id
	}
	g := &gathering{s: s, sight: sight, limit: limit, where: where{s.journal.Scopes(sight), types}, seen: map[polder.Seq]bool{}}
	err := g.from(ctx, g.named(keys))
	return g.found(), err
}
