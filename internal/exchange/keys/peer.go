package keys

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/db"
	"github.com/polder-exchange/polder/internal/exchange"
	"github.com/polder-exchange/polder/internal/seal"
)

// This file is how statements about keys travel. A node that dials tells the home of its communities what its own
// organisation and itself said; the home numbers that by its log, and hands to every member what all of them said. So a
// change of keys reaches everybody in the order in which it happened among the objects, whoever made it.

const (
	peerStatements = "statements"
	maxAnswer      = 500     // statements in one answer
	maxAsk         = 2 << 20 // bytes of a question
	maxRounds      = 100     // answers taken in one sync: 50,000 statements
)

// wireAsk is what a member asks.
type wireAsk struct {
	Have       map[string]int    `json:"have"` // by owner: how many statements with the home's numbers it has
	Statements []json.RawMessage `json:"statements,omitempty"`
}

// wireAnswer is what the home answers.
type wireAnswer struct {
	Statements []wireStatement `json:"statements"`
	Known      map[string]int  `json:"known"` // how many statements the home has of the asker's own owners
	More       bool            `json:"more,omitempty"`
}

type wireStatement struct {
	At        int64           `json:"at"`   // the last number of the home's log when it came
	Seen      int64           `json:"seen"` // when that was, in microseconds since 1970
	Statement json.RawMessage `json:"statement"`
}

// PeerRoutes is what [exchange.PeerPart] asks for.
func (s *Service) PeerRoutes() []exchange.PeerRoute {
	return []exchange.PeerRoute{{
		Method: http.MethodPost, Path: peerStatements, Summary: "Statements about keys: those of the member, against those of all whom it meets here", MaxBody: maxAsk, Handle: s.answer,
	}}
}

// Changed is what [exchange.PeerPart] asks for.
func (s *Service) Changed() <-chan struct{} { return s.changed }

// Run notices what another process changes, until ctx ends.
func (s *Service) Run(ctx context.Context) {
	s.changed.watch(ctx, func() (int64, error) { return readVersion(s.read(ctx)) })
}

// answer is the home's side.
func (s *Service) answer(ctx context.Context, l exchange.PeerLink, _ url.Values, body []byte) (any, error) {
	var ask wireAsk
	dec := json.NewDecoder(bytes.NewReader(body))
	if err := dec.Decode(&ask); err != nil {
		return nil, polder.Errorf(polder.Invalid, "statements: the question is not JSON of the right form: %w", err)
	}
	if len(ask.Have) > maxOwners || len(ask.Statements) > 2*seal.MaxStatements {
		return nil, polder.Errorf(polder.Invalid, "statements: the question names %d owners and %d statements; that is too many", len(ask.Have), len(ask.Statements))
	}
	if err := s.told(ctx, l, ask.Statements); err != nil {
		return nil, err
	}
	return s.visible(ctx, l, ask.Have)
}

// told takes what a peer says about its own keys, and nothing about others'.
func (s *Service) told(ctx context.Context, l exchange.PeerLink, all []json.RawMessage) error {
	byOwner, order, err := grouped(all)
	if err != nil {
		return err
	}
	for _, id := range order {
		if id != l.Org && id != l.Peer {
			return polder.Errorf(polder.Forbidden, "statements: %s is neither the organisation nor the node of this link", id)
		}
		if err := s.learnFrom(ctx, l.Peer, []told{{owner: id, chain: byOwner[id]}}, true); err != nil {
			return err
		}
	}
	return nil
}

// grouped sorts statements by owner, each in the order in which they came.
func grouped(all []json.RawMessage) (by map[polder.OrgID][]json.RawMessage, order []polder.OrgID, err error) {
	by = map[polder.OrgID][]json.RawMessage{}
	for _, raw := range all {
		st, err := seal.ParseStatement(raw)
		if err != nil {
			return nil, nil, polder.Errorf(polder.Invalid, "statements: %w", err)
		}
		id := polder.OrgID(st.Owner)
		if by[id] == nil {
			order = append(order, id)
		}
		by[id] = append(by[id], raw)
	}
	return by, order, nil
}

// visible is what a member is told: the statements of those whom it meets in the communities of the link.
func (s *Service) visible(ctx context.Context, l exchange.PeerLink, have map[string]int) (wireAnswer, error) {
	out := wireAnswer{Statements: []wireStatement{}, Known: map[string]int{}}
	owners, err := s.meets(ctx, l)
	if err != nil {
		return out, err
	}
	for _, id := range owners {
		o, err := s.known(ctx, id)
		if err != nil {
			return out, err
		}
		if o == nil {
			continue
		}
		if id == l.Org || id == l.Peer {
			out.Known[string(id)] = o.chain.Len()
		}
		for _, st := range o.chain.Statements()[min(max(have[string(id)], 0), o.chain.Len()):] {
			if len(out.Statements) == maxAnswer {
				out.More = true
				break
			}
			m := o.marks[st.N-1]
			out.Statements = append(out.Statements, wireStatement{At: m.at, Seen: m.seen, Statement: st.Raw()})
		}
	}
	return out, nil
}

// meets are the owners whose signatures a member may come upon in the communities of a link: members, their nodes, those
// who signed there and left, and this node.
func (s *Service) meets(ctx context.Context, l exchange.PeerLink) ([]polder.OrgID, error) {
	node, err := s.NodeID(ctx)
	if err != nil {
		return nil, err
	}
	if _, err := s.ensure(ctx, node); err != nil {
		return nil, err
	}
	orgs, err := s.o.Accounts.Orgs(ctx)
	if err != nil {
		return nil, err
	}
	homes := map[polder.OrgID]polder.OrgID{}
	for _, o := range orgs {
		homes[o.ID] = o.Home
	}
	met := map[polder.OrgID]bool{node: true, l.Org: true, l.Peer: true}
	for _, c := range l.Communities {
		ms, err := s.o.Accounts.Members(ctx, c)
		if err != nil {
			return nil, err
		}
		for _, m := range ms {
			met[m.Org] = true
			if home := homes[m.Org]; home != "" {
				met[home] = true
			}
		}
		left, err := signersIn(s.read(ctx), c)
		if err != nil {
			return nil, err
		}
		for _, id := range left {
			met[id] = true
		}
	}
	return slices.Sorted(maps.Keys(met)), nil
}

// Sync is what [exchange.PeerPart] asks for: the member's side.
func (s *Service) Sync(ctx context.Context, l exchange.PeerLink, to exchange.PeerCaller) error {
	node, err := s.NodeID(ctx)
	if err != nil {
		return err
	}
	own := []polder.OrgID{l.Org, node}
	for _, id := range own {
		if _, err := s.ensure(ctx, id); err != nil {
			return err
		}
	}
	v, err := readVersion(s.read(ctx))
	if err != nil {
		return err
	}
	var say []json.RawMessage
	for range maxRounds {
		have, err := marked(s.read(ctx), l.Peer)
		if err != nil {
			return err
		}
		var got wireAnswer
		if err := to.Call(ctx, http.MethodPost, peerStatements, nil, wireAsk{Have: have, Statements: say}, &got); err != nil {
			return fmt.Errorf("exchange statements about keys: %w", err)
		}
		if err := s.heard(ctx, l, got.Statements); err != nil {
			return err
		}
		told := len(say) > 0
		if say, err = s.untold(ctx, own, got.Known); err != nil {
			return err
		}
		if !got.More && (len(say) == 0 || told) {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.said[l.ID] = v
			return nil
		}
	}
	return polder.Errorf(polder.Unavailable, "the peer has statements about keys without end")
}

// First is what [exchange.PeerFirst] asks for: a key is known to the home before what it signed comes there.
func (s *Service) First(ctx context.Context, l exchange.PeerLink, to exchange.PeerCaller) error {
	v, err := readVersion(s.read(ctx))
	if err != nil {
		return err
	}
	s.mu.Lock()
	said := s.said[l.ID]
	s.mu.Unlock()
	if said == v {
		return nil
	}
	return s.Sync(ctx, l, to)
}

// untold is what the home lacks of this node's own owners: at first all, and after it was restored what it lost.
func (s *Service) untold(ctx context.Context, own []polder.OrgID, known map[string]int) (say []json.RawMessage, err error) {
	for _, id := range own {
		chain, err := s.Chain(ctx, id)
		if err != nil {
			return nil, err
		}
		say = append(say, chain[min(max(known[string(id)], 0), len(chain)):]...)
	}
	return say, nil
}

// mostAhead is by how much a home's numbers may run before this node's clock: both may be a day off. One that says that a
// revocation has not come yet, or that a first key is still to come, is believed no further.
const mostAhead = 48 * time.Hour

// heard takes what the home says. What it says wrongly of one owner is kept as evidence, and the others' is taken.
func (s *Service) heard(ctx context.Context, l exchange.PeerLink, all []wireStatement) error {
	if len(all) > maxAnswer {
		return polder.Errorf(polder.Invalid, "the peer sent %d statements at once; at most %d are taken", len(all), maxAnswer)
	}
	var batch []told
	latest := s.moment() + mostAhead.Microseconds()
	at := map[polder.OrgID]int{}
	for _, w := range all {
		st, err := seal.ParseStatement(w.Statement)
		if err != nil {
			return polder.Errorf(polder.Invalid, "a statement of the peer: %w", err)
		}
		if w.At < 0 || w.Seen < 0 {
			return polder.Errorf(polder.Invalid, "a statement of the peer has the number %d and the time %d; neither is below 0", w.At, w.Seen)
		}
		id := polder.OrgID(st.Owner)
		i, ok := at[id]
		if !ok {
			i = len(batch)
			at[id], batch = i, append(batch, told{owner: id, marks: &homeMarks{home: l.Peer, first: st.N}})
		}
		b := &batch[i]
		if st.N != b.marks.first+len(b.chain) {
			return polder.Errorf(polder.Invalid, "the statements of %s came from the peer out of order", id)
		}
		b.chain, b.marks.marks = append(b.chain, w.Statement), append(b.marks.marks, mark{min(w.At, latest), min(w.Seen, latest)})
	}
	if len(batch) == 0 {
		return nil
	}
	return s.learnFrom(ctx, l.Peer, batch, false)
}

// told is a chain, or the continuation of one, that another node told.
type told struct {
	owner polder.OrgID
	chain []json.RawMessage
	marks *homeMarks // nil where the teller numbers nothing
}

// learnFrom takes chains in one transaction. What contradicts a known chain is kept as evidence; with strict it is an
// error as well, and so is whatever else is wrong with one of them.
func (s *Service) learnFrom(ctx context.Context, from polder.OrgID, batch []told, strict bool) error {
	if _, err := s.NodeID(ctx); err != nil { // made before the transaction that asks for it
		return err
	}
	var refused error
	var evidence []dispute
	news := false
	for _, t := range batch { // most often nothing is new
		o, err := s.known(ctx, t.owner)
		if err != nil {
			return err
		}
		news = news || o == nil || t.marks != nil && len(o.homes[t.marks.home]) < t.marks.first+len(t.marks.marks)-1
		if !news {
			next, err := extend(o.chain, t.chain)
			news = err != nil || next.Len() > o.chain.Len()
		}
	}
	if !news {
		return nil
	}
	err := s.write(ctx, func(tx *db.Tx) error {
		refused, evidence = nil, nil
		for _, t := range batch {
			err := s.learnIn(tx, t)
			switch polder.KindOf(err) {
			case polder.Conflict:
				refused, evidence = err, append(evidence, s.evidence(tx, t, from)...)
			case polder.Invalid, polder.Unavailable:
				refused = err
				s.o.Log.Warn("statements about keys were not taken", "owner", t.owner, "from", from, "reason", err)
			default:
				if err != nil {
					return err
				}
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	for _, d := range evidence {
		if err := s.dispute(ctx, d); err != nil {
			return err
		}
	}
	if strict {
		return refused
	}
	return nil
}
