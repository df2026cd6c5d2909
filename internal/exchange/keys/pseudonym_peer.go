package keys

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/db"
	"github.com/polder-exchange/polder/internal/exchange"
	"github.com/polder-exchange/polder/internal/seal"
)

// This file is how pseudonyms travel. A member has its keys certified by the home of a community, whom it tells nothing
// that the link does not say; the home hands its list to every member, in order.

const (
	peerPseudonyms     = "pseudonyms"
	maxPseudonymAnswer = 500     // entries in one answer
	maxPseudonymAsk    = 1 << 20 // bytes of a question
	maxPseudonymWishes = 20      // certificates and wishes in one question
)

type pseudonymAsk struct {
	Have    map[polder.CommunityID]int `json:"have"` // how many entries the member has
	Certify []pseudonymCertify         `json:"certify,omitempty"`
	Wishes  []pseudonymWish            `json:"wishes,omitempty"`
}

type pseudonymCertify struct {
	Community polder.CommunityID `json:"community"`
	Key       seal.VerifyKey     `json:"key"`
	Proof     []byte             `json:"proof"`
}

type pseudonymWish struct {
	Community polder.CommunityID `json:"community"`
	Pseudonym string             `json:"pseudonym"`
	Act       seal.PseudonymAct  `json:"act"`
	Reason    string             `json:"reason"`
}

type pseudonymAnswer struct {
	Entries map[polder.CommunityID][]json.RawMessage `json:"entries"`
	Granted []pseudonymGranted                       `json:"granted,omitempty"` // one for each wish, in order
	More    bool                                     `json:"more,omitempty"`
}

type pseudonymGranted struct {
	Box     *seal.Box `json:"box,omitempty"`
	Refused string    `json:"refused,omitempty"`
}

// PeerRoutes is what [exchange.PeerPart] asks for.
func (p *PseudonymBook) PeerRoutes() []exchange.PeerRoute {
	return []exchange.PeerRoute{{
		Method: http.MethodPost, Path: peerPseudonyms, Summary: "The lists of pseudonyms of the communities of the link; certificates for the member's own; what its stewards open and stop", MaxBody: maxPseudonymAsk, Handle: p.answer,
	}}
}

// Changed is what [exchange.PeerPart] asks for.
func (p *PseudonymBook) Changed() <-chan struct{} { return p.changed }

// Run notices what another process writes into a list, until ctx ends.
func (p *PseudonymBook) Run(ctx context.Context) {
	p.changed.watch(ctx, func() (n int64, err error) {
		err = p.s.read(ctx).QueryRow(`SELECT count(*) FROM pseudonym_entry`).Scan(&n)
		return n, err
	})
}

// answer is the home's side.
func (p *PseudonymBook) answer(ctx context.Context, l exchange.PeerLink, _ url.Values, body []byte) (any, error) {
	var ask pseudonymAsk
	if err := json.NewDecoder(bytes.NewReader(body)).Decode(&ask); err != nil {
		return nil, polder.Errorf(polder.Invalid, "pseudonyms: the question is not JSON of the right form: %w", err)
	}
	if len(ask.Certify)+len(ask.Wishes) > maxPseudonymWishes {
		return nil, polder.Errorf(polder.Invalid, "pseudonyms: the question asks for %d things; at most %d at once", len(ask.Certify)+len(ask.Wishes), maxPseudonymWishes)
	}
	for _, want := range ask.Certify {
		if err := p.certifyFor(ctx, l, want); err != nil {
			return nil, err
		}
	}
	out := pseudonymAnswer{Entries: map[polder.CommunityID][]json.RawMessage{}}
	for _, w := range ask.Wishes {
		out.Granted = append(out.Granted, p.grant(ctx, l, w))
	}
	left := maxPseudonymAnswer
	for _, c := range l.Communities {
		have, err := readEntries(p.s.read(ctx), c, max(ask.Have[c], 0), left+1)
		if err != nil {
			return nil, err
		}
		if len(have) > left {
			have, out.More = have[:left], true
		}
		left -= len(have)
		for _, e := range have {
			out.Entries[c] = append(out.Entries[c], e.raw)
		}
	}
	return out, nil
}

// served is a community of a link that lives here.
func (p *PseudonymBook) served(ctx context.Context, l exchange.PeerLink, c polder.CommunityID) (polder.Community, error) {
	if !slices.Contains(l.Communities, c) {
		return polder.Community{}, polder.Errorf(polder.NotFound, "pseudonyms: %.60q is no community of this link", string(c))
	}
	home, err := p.s.o.Accounts.HomeOfCommunity(ctx, c)
	if err != nil {
		return polder.Community{}, err
	}
	if home != "" {
		return polder.Community{}, polder.Errorf(polder.Forbidden, "pseudonyms: the community lives on another node; ask there")
	}
	return p.s.o.Accounts.Community(ctx, string(c))
}

// certifyFor certifies a key of the organisation of a link, which shows that it holds it. One that is certified already
// is no error: the answer may have been lost.
func (p *PseudonymBook) certifyFor(ctx context.Context, l exchange.PeerLink, want pseudonymCertify) error {
	c, err := p.served(ctx, l, want.Community)
	if err != nil {
		return err
	}
	ms, err := p.s.o.Accounts.Memberships(ctx, l.Org)
	if err != nil {
		return err
	}
	if !slices.ContainsFunc(ms, func(m polder.Membership) bool {
		return m.Community.ID == c.ID && m.Accepted && m.Role.OnObjects() >= polder.RoleContributor
	}) {
		return polder.Errorf(polder.Forbidden, "pseudonyms: only who shares in a community has one there")
	}
	if !seal.ProvesPseudonym(want.Key, string(c.ID), want.Proof) {
		return polder.Errorf(polder.Forbidden, "pseudonyms: that you hold the key is not proved")
	}
	slot, err := p.pseudonymSlot(ctx, l.Org, c.ID)
	if err != nil {
		return err
	}
	issue, err := p.issueFor(ctx, l.Org, c, slot)
	if err != nil {
		return err
	}
	err = p.s.o.DB.Write(ctx, func(tx *db.Tx) error {
		_, err := issue.certify(tx, want.Key)
		return err
	})
	if polder.KindOf(err) == polder.Conflict {
		return nil
	}
	return err
}

// grant does what a steward of a member's node asks for; a box leaves only behind its line in the list.
func (p *PseudonymBook) grant(ctx context.Context, l exchange.PeerLink, w pseudonymWish) (out pseudonymGranted) {
	refused := func(err error) pseudonymGranted {
		if polder.KindOf(err) == polder.Internal {
			p.s.o.Log.Error("a steward's wish about a pseudonym failed", "reason", err)
			return pseudonymGranted{Refused: "the home could not do it; ask again"}
		}
		return pseudonymGranted{Refused: err.Error()}
	}
	if !l.Confirmed {
		return refused(polder.Errorf(polder.Forbidden, "pseudonyms are opened and stopped over a link once the home has confirmed the fingerprint of the steward's node"))
	}
	c, err := p.served(ctx, l, w.Community)
	if err != nil {
		return refused(err)
	}
	by := polder.Actor{Org: l.Org, Role: polder.RoleSteward}
	reason, err := p.mayOpen(ctx, by, l.Org, c, w.Pseudonym, w.Reason)
	if err != nil {
		return refused(err)
	}
	switch w.Act {
	case seal.PseudonymStopped:
	case seal.PseudonymOpened:
		box, err := readBox(p.s.read(ctx), c.ID, w.Pseudonym)
		if err != nil {
			return refused(err)
		}
		key, err := p.s.SealKey(ctx, l.Org)
		if err != nil || !slices.Contains(box.Readers(), key.ID()) {
			return refused(polder.Errorf(polder.Forbidden, "who is behind this pseudonym is not sealed to the key of %s; nothing was opened", l.Org))
		}
		out.Box = &box
	default:
		return refused(polder.Errorf(polder.Invalid, "act: %.40q; pseudonyms are opened or stopped", string(w.Act)))
	}
	if err := p.sayOf(ctx, by, l.Org, c, w.Act, w.Pseudonym, reason); err != nil {
		return refused(err)
	}
	return out
}

// Sync is what [exchange.PeerPart] asks for: the member's side.
func (p *PseudonymBook) Sync(ctx context.Context, l exchange.PeerLink, to exchange.PeerCaller) error {
	wishes, err := readWishes(p.s.read(ctx), l.Org)
	if err != nil {
		return err
	}
	wishes = slices.DeleteFunc(wishes, func(w wish) bool { return w.refused != "" || !slices.Contains(l.Communities, w.community) })
	wishes = wishes[:min(len(wishes), maxPseudonymWishes/2)]
	for range maxRounds {
		ask, err := p.ask(ctx, l, wishes)
		if err != nil {
			return err
		}
		var got pseudonymAnswer
		if err := to.Call(ctx, http.MethodPost, peerPseudonyms, nil, ask, &got); err != nil {
			return fmt.Errorf("exchange pseudonyms: %w", err)
		}
		if err := p.heard(ctx, l, got, wishes); err != nil {
			return err
		}
		wishes = nil
		if !got.More {
			return nil
		}
	}
	return polder.Errorf(polder.Unavailable, "the peer has pseudonyms without end")
}

// First is what [exchange.PeerFirst] asks for: a pseudonym is certified before what it signed comes to the home, which
// refuses what nobody certified.
func (p *PseudonymBook) First(ctx context.Context, l exchange.PeerLink, to exchange.PeerCaller) error {
	for _, c := range l.Communities {
		slot, err := p.pseudonymSlot(ctx, l.Org, c)
		if err != nil {
			return err
		}
		own, err := uncertified(p.s.read(ctx), slot, c)
		if err != nil {
			return err
		}
		if len(own) > 0 {
			return p.Sync(ctx, l, to)
		}
	}
	return nil
}

// ask is what the home is asked: what it has more, and certificates for keys that have none.
func (p *PseudonymBook) ask(ctx context.Context, l exchange.PeerLink, wishes []wish) (pseudonymAsk, error) {
	out := pseudonymAsk{Have: map[polder.CommunityID]int{}}
	for _, c := range l.Communities {
		n, err := countEntries(p.s.read(ctx), c)
		if err != nil {
			return out, err
		}
		out.Have[c] = n
		slot, err := p.pseudonymSlot(ctx, l.Org, c)
		if err != nil {
			return out, err
		}
		own, err := uncertified(p.s.read(ctx), slot, c)
		if err != nil {
			return out, err
		}
		for _, k := range own {
			if len(out.Certify) < maxPseudonymWishes/2 {
				out.Certify = append(out.Certify, pseudonymCertify{c, k.key.Public(), seal.PseudonymProof(k.key, string(c))})
			}
		}
	}
	for _, w := range wishes {
		out.Wishes = append(out.Wishes, pseudonymWish{w.community, w.pseudonym, w.act, w.reason})
	}
	return out, nil
}

// heard takes what the home answers: entries that follow those that are here, signed by it, about its communities.
func (p *PseudonymBook) heard(ctx context.Context, l exchange.PeerLink, got pseudonymAnswer, wishes []wish) error {
	if len(got.Granted) != len(wishes) {
		return polder.Errorf(polder.Invalid, "the peer answered %d of %d wishes about pseudonyms", len(got.Granted), len(wishes))
	}
	home, err := p.s.known(ctx, l.Peer)
	if err != nil {
		return err
	}
	if home == nil {
		return polder.Errorf(polder.Unavailable, "the keys of %s are not known yet, so what it says of pseudonyms cannot be judged", l.Peer)
	}
	var fresh []listed
	for c, raws := range got.Entries {
		if !slices.Contains(l.Communities, c) || len(raws) > maxPseudonymAnswer {
			return polder.Errorf(polder.Invalid, "the peer sent pseudonyms that nobody asked for")
		}
		lives, err := p.s.o.Accounts.HomeOfCommunity(ctx, c)
		if err != nil {
			return err
		}
		com, err := p.s.o.Accounts.Community(ctx, string(c))
		if err != nil {
			return err
		}
		for _, raw := range raws {
			e, err := seal.ParsePseudonymEntry(raw)
			if err != nil {
				return polder.Errorf(polder.Invalid, "a pseudonym of the peer: %w", err)
			}
			k, ok := home.chain.Key(e.HomeKey)
			if lives != l.Peer || e.Home != string(l.Peer) || e.Community != string(c) || e.Blind != string(com.Blind) || !ok || revokedBefore(home, l.Peer, k, e) || !e.VerifiedBy(k.Key) {
				return polder.Errorf(polder.Invalid, "entry %d about pseudonyms of %s is not one that its home signed", e.N, com.Alias)
			}
			fresh = append(fresh, listed{e, raw})
		}
	}
	if len(fresh) == 0 && len(wishes) == 0 {
		return nil
	}
	return p.s.o.DB.Write(ctx, func(tx *db.Tx) error {
		began := map[polder.CommunityID]int{}
		for _, f := range fresh {
			n, err := countEntries(tx, polder.CommunityID(f.entry.Community))
			if err != nil {
				return err
			}
			c := polder.CommunityID(f.entry.Community)
			if _, ok := began[c]; !ok {
				began[c] = n
			}
			if f.entry.N <= began[c] { // what was asked twice at once was heard by the other
				held, err := readEntries(tx, c, f.entry.N-1, 1)
				if err != nil {
					return err
				}
				if len(held) == 1 && bytes.Equal(held[0].raw, f.raw) {
					continue
				}
			}
			if f.entry.N != n+1 {
				return polder.Errorf(polder.Invalid, "entry %d about pseudonyms came where %d follows", f.entry.N, n+1)
			}
			if err := insertEntry(tx, f.entry, f.raw); err != nil {
				return err
			}
		}
		return granted(tx, got.Granted, wishes)
	})
}

// revokedBefore tells whether the key that signed an entry was revoked, by the home's own order, before the entry was made.
func revokedBefore(home *owner, id polder.OrgID, k seal.ChainKey, e seal.PseudonymEntry) bool {
	marks := home.homes[id]
	return k.Revoked > 0 && k.Revoked <= len(marks) && e.At > marks[k.Revoked-1].at
}

// granted keeps what the home handed over, and why it did not.
func granted(tx *db.Tx, all []pseudonymGranted, wishes []wish) error {
	for i, g := range all {
		w := wishes[i]
		if w.refused = g.Refused; w.refused != "" {
			w.refused = w.refused[:min(len(w.refused), 500)]
			if err := writeWish(tx, w); err != nil {
				return err
			}
			continue
		}
		if g.Box != nil {
			if err := g.Box.Validate(maxPseudonymAsk); err != nil {
				return polder.Errorf(polder.Invalid, "the peer sent a box that is none: %w", err)
			}
			if err := writeBox(tx, w.community, w.pseudonym, *g.Box); err != nil {
				return err
			}
		}
		if err := dropWish(tx, w); err != nil {
			return err
		}
	}
	return nil
}
