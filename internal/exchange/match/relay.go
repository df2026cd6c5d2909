package match

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/audit"
	"github.com/polder-exchange/polder/internal/db"
	"github.com/polder-exchange/polder/internal/exchange"
	"github.com/polder-exchange/polder/internal/seal"
)

// Homes are the nodes at which communities of this node live.
type Homes interface {
	// Dialled are the links by which an organisation reaches them.
	Dialled(ctx context.Context, org polder.OrgID) ([]exchange.PeerLink, error)
	// Caller asks over a link now; Unavailable when the home cannot be reached.
	Caller(ctx context.Context, link string) (exchange.PeerCaller, error)
	// PeerKey is the key of the home that is in force.
	PeerKey(ctx context.Context, l exchange.PeerLink) ed25519.PublicKey
}

// Bounds of what a home is believed to say.
const (
	maxRelayedSets   = 1000
	maxRelayedEpochs = 400
	maxRelayedBytes  = 64 << 20 // of filters that are kept to be handed out again
	maxRelayedProof  = 1024
	listTime         = 5 * time.Second // for the homes to tell their sets
)

// relay is what a service remembers of sets of other nodes.
type relay struct {
	fetch chan struct{} // holds one token for each filter that is fetched just now

	mu      sync.Mutex
	known   map[string]string // set id → id of the link
	filters map[string][]byte // by link and set; whole and of the hash that the home named
}

func newRelay() relay {
	return relay{fetch: make(chan struct{}, 2), known: map[string]string{}, filters: map[string][]byte{}}
}

// Silent is a home that did not tell its sets.
type Silent struct {
	Home string
	Err  error
}

// reason says why, in words that are meant for people.
func (s Silent) reason() string {
	if polder.KindOf(s.Err) == polder.Internal {
		return "it cannot be asked just now"
	}
	return s.Err.Error()
}

// Reachable are the sets that an actor may ask: those of this node, and those of the homes of its communities. A home
// that does not answer is named and hides no other.
func (s *Service) Reachable(ctx context.Context, by polder.Actor) (all []Offer, silent []Silent, err error) {
	if all, err = s.Offers(ctx, by); err != nil || s.o.Homes == nil {
		return all, nil, err
	}
	links, err := s.o.Homes.Dialled(ctx, by.Org)
	if err != nil {
		return nil, nil, err
	}
	ms, err := s.o.Accounts.MembershipsOf(ctx, by)
	if err != nil {
		return nil, nil, err
	}
	answers, errs := make([][]Offer, len(links)), make([]error, len(links))
	limited, cancel := context.WithTimeout(ctx, listTime)
	defer cancel()
	var homes sync.WaitGroup
	for i, l := range links {
		homes.Go(func() { answers[i], errs[i] = s.offersOf(limited, l, by, ms) })
	}
	homes.Wait()
	for i, l := range links {
		if errs[i] != nil {
			if ctx.Err() != nil {
				return nil, nil, context.Cause(ctx)
			}
			if limited.Err() != nil {
				errs[i] = polder.Errorf(polder.Unavailable, "%s did not answer in time; ask again later", l.Name)
			}
			silent = append(silent, Silent{l.Name, errs[i]})
		}
		for _, o := range answers[i] {
			if !slices.ContainsFunc(all, func(x Offer) bool { return x.ID == o.ID }) { // an id is the first one's who says it
				all = append(all, o)
			}
		}
	}
	return all, silent, nil
}

var setForm = regexp.MustCompile(`^set--[0-9a-f]{32}$`)

// offersOf are the sets of one home that an actor may ask. What is no set, or of a community that does not live there, is
// left out.
func (s *Service) offersOf(ctx context.Context, l exchange.PeerLink, by polder.Actor, ms []polder.Membership) (out []Offer, err error) {
	to, err := s.o.Homes.Caller(ctx, l.ID)
	if err != nil {
		return nil, err
	}
	var got peerOffers
	if err := to.Call(ctx, http.MethodGet, peerSets, nil, nil, &got); err != nil {
		return nil, err
	}
	for _, g := range got.Sets[:min(len(got.Sets), maxRelayedSets)] {
		i := slices.IndexFunc(ms, func(m polder.Membership) bool {
			return m.Community.ID == g.Community && m.Right(by) >= polder.RoleReader
		})
		if i < 0 || !slices.Contains(l.Communities, g.Community) || !setForm.MatchString(g.ID) || checkName(g.Name) != nil || Budget(g.Type) == 0 || g.Budget < 1 || len(g.Owner) > 100 {
			continue
		}
		out = append(out, Offer{
			Set:   Set{ID: g.ID, Org: g.Owner, Community: g.Community, Name: g.Name, Kind: g.Type, Budget: g.Budget, Epoch: g.Epoch},
			Owner: clipped(g.OwnerName), Alias: ms[i].Alias, Link: l.ID, Home: l.Name,
		})
	}
	s.relay.remember(l.ID, out)
	return out, nil
}

func clipped(name string) string {
	r := []rune(name)
	return string(r[:min(len(r), 200)])
}

// remember notes over which link sets are asked.
func (r *relay) remember(link string, all []Offer) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.known) > 10*maxRelayedSets {
		clear(r.known)
	}
	for _, o := range all {
		r.known[o.ID] = link
	}
}

func (r *relay) linkOf(set string) string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.known[set]
}

// choose is the one set of a name or an id that an actor may ask, here or at a home. While a home is silent, what is not
// found is not known to be absent.
func (s *Service) choose(ctx context.Context, by polder.Actor, name string) (Offer, error) {
	if setForm.MatchString(name) {
		own, err := s.Offers(ctx, by)
		if err != nil {
			return Offer{}, err
		}
		if o, err := pick(own, name); err == nil {
			return o, nil
		}
	}
	all, silent, err := s.Reachable(ctx, by)
	if err != nil {
		return Offer{}, err
	}
	o, err := pick(all, name)
	if err != nil && polder.KindOf(err) == polder.NotFound && len(silent) > 0 {
		return o, polder.Errorf(polder.KindOf(silent[0].Err), "there is no set %.60q here, and %s does not tell its sets: %w", name, silent[0].Home, silent[0].Err)
	}
	return o, err
}

// away finds the link over which a set is asked without asking its home; nil for a set of this node and one that is not
// known. The actor must still belong to the link's organisation, and the home judges its rights.
func (s *Service) away(ctx context.Context, by polder.Actor, set string) (*exchange.PeerLink, error) {
	id := s.relay.linkOf(set)
	if id == "" || s.o.Homes == nil {
		return nil, nil
	}
	links, err := s.o.Homes.Dialled(ctx, by.Org)
	if err != nil {
		return nil, err
	}
	ms, err := s.o.Accounts.MembershipsOf(ctx, by)
	if err != nil {
		return nil, err
	}
	for _, l := range links {
		if l.ID == id && slices.ContainsFunc(ms, func(m polder.Membership) bool {
			return slices.Contains(l.Communities, m.Community.ID) && m.Right(by) >= polder.RoleReader
		}) {
			return &l, nil
		}
	}
	return nil, nil
}

// over is the link over which a set of that name or id is asked, and its id; nil where it is one of this node's.
func (s *Service) over(ctx context.Context, by polder.Actor, name string) (*exchange.PeerLink, string, error) {
	if l, err := s.away(ctx, by, name); err != nil || l != nil {
		if _, own := s.Offer(ctx, by, name); own != nil { // an id of ours is ours, whatever a home says
			return l, name, err
		}
	}
	o, err := s.choose(ctx, by, name)
	if err != nil || o.Link == "" {
		return nil, o.ID, err
	}
	l, err := s.away(ctx, by, o.ID)
	if err == nil && l == nil {
		err = polder.Errorf(polder.Unavailable, "the link to %s has changed just now; ask again", o.Home)
	}
	return l, o.ID, err
}

// call asks the home of a set.
func (s *Service) call(ctx context.Context, l exchange.PeerLink, method, path string, query url.Values, body, into any) error {
	to, err := s.o.Homes.Caller(ctx, l.ID)
	if err != nil {
		return err
	}
	return to.Call(ctx, method, path, query, body, into)
}

// DescribeAny is [Service.Describe] for sets of homes too. Their signature must be by the home's key, as this node knows it.
func (s *Service) DescribeAny(ctx context.Context, by polder.Actor, name string) (Descriptor, error) {
	l, id, err := s.over(ctx, by, name)
	if err != nil {
		return Descriptor{}, err
	}
	if l == nil {
		return s.Describe(ctx, by, id)
	}
	var d Descriptor
	if err := s.call(ctx, *l, http.MethodGet, peerSet, url.Values{"set": {id}}, nil, &d); err != nil {
		return Descriptor{}, err
	}
	wrong := func(why string) (Descriptor, error) {
		return Descriptor{}, polder.Errorf(polder.Unavailable, "what %s says of the set %.60s is refused: %s", l.Name, id, why)
	}
	switch err := d.Check(); {
	case err != nil:
		return wrong(err.Error())
	case d.ID != id || !slices.Contains(l.Communities, d.Community):
		return wrong("it is another set")
	case d.Signer != l.Peer || !bytes.Equal(d.SignerKey, s.o.Homes.PeerKey(ctx, *l)):
		return wrong("it is not signed by the key of that node; if the key was changed, ask again in a minute")
	}
	d.OwnerName, d.KeyPrint = clipped(d.OwnerName), seal.MatchFingerprint(d.Key)
	return d, nil
}

// EpochsAny is [Service.Epochs] for sets of homes too.
func (s *Service) EpochsAny(ctx context.Context, by polder.Actor, name string) (out []Epoch, err error) {
	l, id, err := s.over(ctx, by, name)
	if err != nil {
		return nil, err
	}
	if l == nil {
		return s.Epochs(ctx, by, id)
	}
	var got peerEpochList
	if err := s.call(ctx, *l, http.MethodGet, peerEpochs, url.Values{"set": {id}}, nil, &got); err != nil {
		return nil, err
	}
	for _, e := range got.Epochs[:min(len(got.Epochs), maxRelayedEpochs)] {
		if _, err := seal.ParseMatchPublic(e.Key); err != nil || len(e.Filter) != 64 {
			return nil, polder.Errorf(polder.Unavailable, "what %s says of the epochs of the set %.60s is refused: a key or a filter is no such thing", l.Name, id)
		}
		out = append(out, Epoch{Set: id, N: e.N, Node: l.Peer, Public: e.Key, Class: e.SizeClass, SHA256: e.Filter, Made: e.From, Until: e.Until, Ended: e.Ended})
	}
	return out, nil
}

// FilterAny is [Service.Filter] for sets of homes too. A filter is fetched once and handed out while its epoch lasts.
func (s *Service) FilterAny(ctx context.Context, by polder.Actor, name string) (filter []byte, sha256 string, err error) {
	l, id, err := s.over(ctx, by, name)
	if err != nil {
		return nil, "", err
	}
	if l == nil {
		return s.Filter(ctx, by, id)
	}
	select {
	case s.relay.fetch <- struct{}{}:
		defer func() { <-s.relay.fetch }()
	case <-ctx.Done():
		return nil, "", polder.Errorf(polder.Unavailable, "other filters are fetched just now; ask again")
	}
	return s.relayFilter(ctx, *l, id)
}

// relayFilter fetches a filter in parts, unless the one that is kept is still the home's.
func (s *Service) relayFilter(ctx context.Context, l exchange.PeerLink, id string) ([]byte, string, error) {
	kept := s.relay.filter(l.ID + id)
	query := url.Values{"set": {id}, "at": {"0"}}
	if kept != nil {
		query.Set("have", hashOf(kept))
	}
	wrong := func(why string) ([]byte, string, error) {
		return nil, "", polder.Errorf(polder.Unavailable, "the filter of the set %.60s from %s is refused: %s; ask again", id, l.Name, why)
	}
	var got []byte
	for first, sum := true, ""; ; first = false {
		var part peerFilterPart
		if err := s.call(ctx, l, http.MethodGet, peerFilter, query, nil, &part); err != nil {
			return nil, "", err
		}
		switch {
		case first && kept != nil && part.SHA256 == hashOf(kept):
			return kept, part.SHA256, nil
		case part.Size < 1 || part.Size > seal.MaxTagBytes(seal.MaxTags):
			return wrong("it is longer than any filter")
		case !first && part.SHA256 != sum:
			return wrong("another epoch began meanwhile")
		case len(part.Part) == 0 || len(got)+len(part.Part) > part.Size:
			return wrong("its parts do not fit together")
		}
		got, sum = append(got, part.Part...), part.SHA256
		if len(got) == part.Size {
			if hashOf(got) != sum {
				return wrong("it is not what its hash says")
			}
			s.relay.keep(l.ID+id, got)
			return got, sum, nil
		}
		query.Del("have")
		query.Set("at", strconv.Itoa(len(got)))
	}
}

func (r *relay) filter(key string) []byte {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.filters[key]
}

// keep keeps a filter, and forgets others where they are too long together.
func (r *relay) keep(key string, b []byte) {
	r.mu.Lock()
	defer r.mu.Unlock()
	sum := len(b)
	for k, f := range r.filters {
		if sum += len(f); sum > maxRelayedBytes {
			sum -= len(f)
			delete(r.filters, k)
		}
	}
	r.filters[key] = b
}

// EvaluateAny is [Service.Evaluate] for sets of homes too, where the organisation's budget is counted. This node passes
// blinded elements on, and cannot tell what they are; it notes how many somebody sent.
func (s *Service) EvaluateAny(ctx context.Context, by polder.Actor, name string, epoch uint64, blinded [][]byte) (Evaluated, error) {
	l, id, err := s.over(ctx, by, name)
	if err != nil {
		return Evaluated{}, err
	}
	if l == nil {
		return s.Evaluate(ctx, by, id, epoch, blinded)
	}
	if !slices.Contains(seal.MatchSizes, len(blinded)) {
		return Evaluated{}, polder.Errorf(polder.Invalid, "elements: %d of them; a batch has 16, 64, 256 or 1024, filled up with dummies", len(blinded))
	}
	var got Evaluated
	err = s.call(ctx, *l, http.MethodPost, peerEvaluate, url.Values{"set": {id}}, matchAsked{epoch, blinded}, &got)
	if k := polder.KindOf(err); err != nil && k != polder.Unavailable {
		return Evaluated{}, err // the home answered nothing
	}
	if noted := s.noteRelayed(ctx, by, *l, id, len(blinded)); err == nil {
		err = noted
	}
	if err == nil && (len(got.Elements) != len(blinded) || len(got.Proof) > maxRelayedProof) {
		err = polder.Errorf(polder.Unavailable, "%s gave an answer that is none", l.Name)
	}
	return got, err
}

// noteRelayed writes the audit of what somebody had passed on: how much, and never of what.
func (s *Service) noteRelayed(ctx context.Context, by polder.Actor, l exchange.PeerLink, set string, n int) error {
	return s.o.DB.Write(ctx, func(tx *db.Tx) error {
		now, err := s.o.Accounts.RefreshTx(tx, by)
		if err != nil {
			return err
		}
		e := audit.EntryOf(now)
		e.Action, e.Object, e.Narrow = "match.ask", set, true
		e.Detail = map[string]string{"elements": itoa(n), "home": string(l.Peer)}
		return s.o.Audit.Append(tx, e)
	})
}
