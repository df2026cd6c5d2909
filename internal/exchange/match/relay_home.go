package match

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	jsonv2 "github.com/go-json-experiment/json"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/exchange"
)

// What nodes ask each other about sets, below /api/v1/peer/.
const (
	peerSets     = "match/sets"
	peerSet      = "match/set"
	peerEpochs   = "match/epochs"
	peerFilter   = "match/filter"
	peerEvaluate = "match/evaluate"
)

// filterPart is how much of a filter goes into one answer.
const filterPart = 4 << 20

// peerOffer is a set as its home tells a member's node of it.
type peerOffer struct {
	ID        string             `json:"id"`
	Name      string             `json:"name"`
	Community polder.CommunityID `json:"community"`
	Owner     polder.OrgID       `json:"owner"`
	OwnerName string             `json:"owner_name"`
	Type      Kind               `json:"type"`
	Epoch     uint64             `json:"epoch"`
	Budget    int                `json:"budget"`
}

type peerOffers struct {
	Sets []peerOffer `json:"sets"`
}

// peerFilterPart is a piece of the filter of an epoch; there is none when whoever asks has that filter.
type peerFilterPart struct {
	SHA256 string `json:"sha256"`
	Size   int    `json:"size"`
	Part   []byte `json:"part,omitempty"`
}

// peerEpochList are the epochs of a set.
type peerEpochList struct {
	Epochs []peerEpoch `json:"epochs"`
}

type peerEpoch struct {
	N         uint64    `json:"epoch"`
	Key       []byte    `json:"key"`
	SizeClass int       `json:"size_class"`
	Filter    string    `json:"filter_sha256"`
	From      time.Time `json:"from"`
	Until     time.Time `json:"until"`
	Ended     time.Time `json:"ended,omitzero"`
}

// PeerRoutes is what [exchange.PeerPart] asks for: the node of a member asks for the member, whose rights and budget
// count, and learns what any asker does.
func (s *Service) PeerRoutes() []exchange.PeerRoute {
	get := func(path, summary string, h func(context.Context, polder.Actor, exchange.PeerLink, url.Values) (any, error)) exchange.PeerRoute {
		return exchange.PeerRoute{Method: http.MethodGet, Path: path, Summary: summary, Handle: func(ctx context.Context, l exchange.PeerLink, q url.Values, _ []byte) (any, error) {
			by, err := s.behind(ctx, l)
			if err != nil {
				return nil, err
			}
			return h(ctx, by, l, q)
		}}
	}
	return []exchange.PeerRoute{
		get(peerSets, "Sets that the organisation of the link may ask privately", s.peerSets),
		get(peerSet, "One of them in its present epoch, signed by the home", s.peerSet),
		get(peerEpochs, "The epochs of one of them", s.peerEpochs),
		get(peerFilter, "A part of its published filter", s.peerFilter),
		{Method: http.MethodPost, Path: peerEvaluate, Summary: "Answer a batch of blinded elements, against the budget of the organisation of the link", MaxBody: maxEvaluateBody, Handle: s.peerEvaluate},
	}
}

// Sync is what [exchange.PeerPart] asks for: sets are asked when somebody asks.
func (s *Service) Sync(context.Context, exchange.PeerLink, exchange.PeerCaller) error { return nil }

// Changed is what [exchange.PeerPart] asks for; nothing of sets is told unasked.
func (s *Service) Changed() <-chan struct{} { return nil }

// behind is who asks over a link. Sets are for those who are known: nothing of them passes before fingerprints were compared.
func (s *Service) behind(ctx context.Context, l exchange.PeerLink) (polder.Actor, error) {
	if !l.Serves || !l.Confirmed {
		return polder.Actor{}, polder.Errorf(polder.Forbidden, "sets are asked over a link once the home has confirmed the fingerprint of the member's node")
	}
	return s.o.Accounts.ActorOfToken(ctx, l.Token)
}

func (s *Service) peerSets(ctx context.Context, by polder.Actor, l exchange.PeerLink, _ url.Values) (any, error) {
	all, err := s.Offers(ctx, by)
	out := peerOffers{Sets: []peerOffer{}}
	for _, o := range all {
		if slices.Contains(l.Communities, o.Community) {
			out.Sets = append(out.Sets, peerOffer{o.ID, o.Name, o.Community, o.Org, o.Owner, o.Kind, o.Epoch, o.Budget})
		}
	}
	return out, err
}

func (s *Service) peerSet(ctx context.Context, by polder.Actor, _ exchange.PeerLink, q url.Values) (any, error) {
	return s.Describe(ctx, by, q.Get("set"))
}

func (s *Service) peerEpochs(ctx context.Context, by polder.Actor, _ exchange.PeerLink, q url.Values) (any, error) {
	all, err := s.Epochs(ctx, by, q.Get("set"))
	out := peerEpochList{Epochs: []peerEpoch{}}
	for _, e := range all[:min(len(all), maxRelayedEpochs)] {
		out.Epochs = append(out.Epochs, peerEpoch{e.N, e.Public, e.Class, e.SHA256, e.Made, e.Until, e.Ended})
	}
	return out, err
}

func (s *Service) peerFilter(ctx context.Context, by polder.Actor, _ exchange.PeerLink, q url.Values) (any, error) {
	at, err := strconv.Atoi(q.Get("at"))
	if err != nil || at < 0 {
		return nil, polder.Errorf(polder.Invalid, "at: %.40q is not how many bytes of the filter are there already", q.Get("at"))
	}
	b, sum, err := s.Filter(ctx, by, q.Get("set"))
	if err != nil {
		return nil, err
	}
	out := peerFilterPart{SHA256: sum, Size: len(b)}
	if q.Get("have") != sum {
		at = min(at, len(b))
		out.Part = b[at:min(len(b), at+filterPart)]
	}
	return out, nil
}

func (s *Service) peerEvaluate(ctx context.Context, l exchange.PeerLink, q url.Values, body []byte) (any, error) {
	by, err := s.behind(ctx, l)
	if err != nil {
		return nil, err
	}
	var in matchAsked
	if err := jsonv2.Unmarshal(body, &in); err != nil {
		return nil, polder.Errorf(polder.Invalid, "body: is no batch of blinded elements")
	}
	return s.Evaluate(ctx, by, q.Get("set"), in.Epoch, in.Elements)
}
