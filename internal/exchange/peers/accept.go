package peers

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"io"
	"slices"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/accounts"
	"github.com/polder-exchange/polder/internal/db"
	"github.com/polder-exchange/polder/internal/exchange"
	"github.com/polder-exchange/polder/internal/seal"
)

// Terms are what somebody agrees to who accepts an invitation.
type Terms struct {
	Home           string // name of the other node
	URL            string
	Fingerprint    string // of its key, to be compared with its people
	OwnFingerprint string // of ours, for them to compare
	Community      string // name
	Role           string
	Org            polder.Org // for which it is accepted
	Agreement      string
}

// Acceptance is what an invitation is accepted with.
type Acceptance struct {
	Line  string            // the invitation
	Org   polder.OrgID      // for whom; "" is the organisation that runs the node
	Alias string            // of the community here; "" is its own
	Agree func(Terms) error // asks a person; an error ends it
}

// Joined is the link that was made.
type Joined struct {
	Link           string             `json:"link"`
	Peer           polder.OrgID       `json:"peer"`
	Name           string             `json:"name"`
	Community      polder.CommunityID `json:"community"`
	CommunityName  string             `json:"community_name"`
	Alias          string             `json:"alias"`
	Fingerprint    string             `json:"fingerprint"`
	OwnFingerprint string             `json:"own_fingerprint"`
	Confirmed      bool               `json:"confirmed"` // the home has compared ours already
}

// Accept joins a community of another node with an invitation: it proves that the node at the address has the key that
// the invitation names, accepts the agreement for the organisation, and mirrors the community. It may be repeated.
func (s *Service) Accept(ctx context.Context, by polder.Actor, a Acceptance) (Joined, error) {
	if err := s.admin(ctx, by); err != nil {
		return Joined{}, err
	}
	inv, err := ParseInvitation(a.Line)
	if err != nil {
		return Joined{}, err
	}
	org, err := s.joining(ctx, a.Org, inv)
	if err != nil {
		return Joined{}, err
	}
	j, err := s.approach(ctx, inv, org)
	if err != nil {
		return Joined{}, err
	}
	var seen peerLookAnswer
	if err := j.send(ctx, "look", forLook, 0, &seen); err != nil {
		return Joined{}, err
	}
	if seen.Community.ID != inv.Community {
		return Joined{}, polder.Errorf(polder.Invalid, "the node at %s answers for another community than the invitation names", inv.URL)
	}
	out := Joined{Peer: inv.Node, Name: j.name, Community: inv.Community, CommunityName: clip(seen.Community.Name, maxName), Fingerprint: inv.Fingerprint(), OwnFingerprint: fingerprint(j.key)}
	terms := Terms{
		Home: j.name, URL: inv.URL, Fingerprint: out.Fingerprint, OwnFingerprint: out.OwnFingerprint, Community: clip(seen.Community.Name, maxName), Role: clip(seen.Role, 20), Org: org,
		Agreement: seen.Community.Agreement.Text,
	}
	if a.Agree != nil {
		if err := a.Agree(terms); err != nil {
			return Joined{}, err
		}
	}
	var got peerJoinAnswer
	if err := j.send(ctx, "join", forJoin, seen.Community.Agreement.Version, &got); err != nil {
		return Joined{}, err
	}
	if got.Community.ID != inv.Community || !secretForm.MatchString(got.Link) || !generationForm(got.Generation) {
		return Joined{}, polder.Errorf(polder.Invalid, "the node at %s answered with something that is no link", inv.URL)
	}
	if a.Alias != "" {
		got.Community.Alias = a.Alias
	}
	out.Link, out.Confirmed = got.Link, got.Confirmed
	out.Alias, err = s.mirror(ctx, by, inv, org, j.name, got)
	return out, err
}

// joining is the local organisation that joins.
func (s *Service) joining(ctx context.Context, id polder.OrgID, inv Invitation) (polder.Org, error) {
	if id == "" {
		id = inv.Org
	}
	var org polder.Org
	var err error
	if id == "" {
		org, err = s.o.Accounts.Host(ctx)
	} else {
		org, err = s.o.Accounts.Org(ctx, id)
	}
	switch {
	case id == inv.Org && errors.Is(err, polder.ErrNotFound):
		return polder.Org{}, polder.Errorf(polder.NotFound, "the invitation is for the organisation %s alone, which this node does not have; ask for one of your own", inv.Org)
	case err != nil:
		return polder.Org{}, err
	case org.Home != "":
		return polder.Org{}, polder.Errorf(polder.Invalid, "org: %s lives at another node; name an organisation of this one", org.Name)
	case inv.Org != "" && inv.Org != org.ID:
		return polder.Org{}, polder.Errorf(polder.Forbidden, "the invitation is for another organisation, %s", inv.Org)
	}
	com, err := s.o.Accounts.Community(ctx, string(inv.Community))
	switch {
	case errors.Is(err, polder.ErrNotFound):
		return org, nil
	case err == nil && com.Home == "":
		err = polder.Errorf(polder.Conflict, "community %s lives at this node; join the organisation with: polder community join", com.Alias)
	case err == nil && com.Home != inv.Node:
		err = polder.Errorf(polder.Conflict, "community %s is known here as one of another node, %s", com.Alias, s.nameOf(ctx, com.Home))
	}
	return org, err
}

// approaching is a node that joins another, from the first word to the last.
type approaching struct {
	s    *Service
	inv  Invitation
	ask  peerJoin
	own  polder.OrgID
	key  ed25519.PublicKey
	name string // of the home
}

// approach has the home prove that it holds the key that the invitation names, and gathers what this node says of itself.
func (s *Service) approach(ctx context.Context, inv Invitation, org polder.Org) (*approaching, error) {
	own, key, err := s.o.Keys.Node(ctx)
	if err != nil {
		return nil, err
	}
	j := &approaching{s: s, inv: inv, own: own, key: key}
	hello, _, err := s.greet(ctx, inv.URL, inv.Node, inv.Key)
	if err != nil {
		return nil, err
	}
	if err := s.introduced(ctx, inv.Node, inv.Key, hello.Chain); err != nil {
		return nil, err
	}
	host, err := s.o.Accounts.Host(ctx)
	if err != nil {
		return nil, err
	}
	j.name = clip(hello.Name, maxName-8)
	j.ask = peerJoin{Secret: inv.Secret, Key: key, Name: host.Name, Org: accounts.RemoteOrg{ID: org.ID, Name: org.Name, Country: org.Country, Sector: org.Sector}}
	if j.ask.Chain, err = s.o.Keys.Chain(ctx, own); err != nil && !errors.Is(err, polder.ErrNotFound) {
		return nil, err
	}
	if j.ask.OrgChain, err = s.o.Keys.Chain(ctx, org.ID); err != nil && !errors.Is(err, polder.ErrNotFound) {
		return nil, err
	}
	return j, nil
}

// send asks with the invitation, each time under a new challenge.
func (j *approaching) send(ctx context.Context, path, purpose string, agreement int, into any) error {
	hello, nonce, err := j.s.greet(ctx, j.inv.URL, j.inv.Node, j.inv.Key)
	if err != nil {
		return err
	}
	ask := j.ask
	ask.Agreement = agreement
	q, err := j.s.sign(ctx, purpose, j.inv.Node, nonce, hello.Challenge, ask)
	if err != nil {
		return err
	}
	return j.s.post(ctx, j.inv.URL, path, q, into)
}

// sign makes a request of a node without a session.
func (s *Service) sign(ctx context.Context, purpose string, to polder.OrgID, nonce, challenge []byte, request any) (peerSigned, error) {
	own, _, err := s.o.Keys.Node(ctx)
	if err != nil {
		return peerSigned{}, err
	}
	q := peerSigned{Node: own, Nonce: nonce, Challenge: challenge}
	if q.Request, err = json.Marshal(request); err != nil {
		return q, err
	}
	q.Signature, err = s.o.Keys.SignNode(ctx, signed(purpose, text64(nonce), text64(challenge), string(own), string(to), digestHex(q.Request)))
	return q, err
}

// greet has a node prove that it is the one it should be, and answers its challenge with the nonce that it was asked
// with. key is the one that counts; a newer one counts when the node's statements lead to it.
func (s *Service) greet(ctx context.Context, url string, node polder.OrgID, key []byte) (hello peerHelloAnswer, nonce []byte, err error) {
	own, _, err := s.o.Keys.Node(ctx)
	if err != nil {
		return hello, nil, err
	}
	nonce = make([]byte, nonceSize)
	if _, err := io.ReadFull(s.o.Rand, nonce); err != nil {
		return hello, nil, err
	}
	if err := s.post(ctx, url, "hello", peerHello{own, nonce}, &hello); err != nil {
		return hello, nil, err
	}
	text := signed(forHello, text64(nonce), text64(hello.Challenge), string(own), string(node))
	wrong := polder.Errorf(polder.Forbidden, "the node at %s is not %s, or its key has changed: it does not prove the key of fingerprint %s; ask its people before going on", url, node, fingerprint(key))
	if hello.Node != node || len(hello.Challenge) > 256 || len(hello.Chain) > maxChain {
		return hello, nil, wrong
	}
	if ed25519.Verify(key, text, hello.Signature) {
		return hello, nonce, nil
	}
	if !leadsOn(hello.Chain, key) || s.o.Keys.Learn(ctx, node, hello.Chain) != nil {
		return hello, nil, wrong
	}
	newer, err := s.o.Keys.KeyOf(ctx, node)
	if err != nil || bytes.Equal(newer, key) || !ed25519.Verify(newer, text, hello.Signature) {
		return hello, nil, wrong
	}
	return hello, nonce, nil
}

// leadsOn tells whether statements say anything of a key: others that a stranger made under the node's name are not even
// kept, since whose statements came first is believed later.
func leadsOn(chain []json.RawMessage, key []byte) bool {
	return slices.ContainsFunc(chain, func(raw json.RawMessage) bool {
		st, err := seal.ParseStatement(raw)
		if err != nil {
			return false
		}
		k, ok := st.NewKey()
		return ok && bytes.Equal(k[:], key)
	})
}

// mirror writes down what was joined.
func (s *Service) mirror(ctx context.Context, by polder.Actor, inv Invitation, org polder.Org, name string, got peerJoinAnswer) (alias string, err error) {
	role, err := polder.ParseRole(got.Role)
	if err != nil {
		return "", polder.Errorf(polder.Invalid, "the home gives the role %.40q, which is none", got.Role)
	}
	home := accounts.Home{ID: inv.Node, Name: name}
	detail := map[string]string{"peer": string(inv.Node), "org": string(org.ID), "community": string(inv.Community), "fingerprint": inv.Fingerprint()}
	err = s.change(ctx, by, "peer.accept", got.Link, detail, func(tx *db.Tx) error {
		com, err := s.o.Accounts.MirrorCommunity(tx, by, got.Community, home, org.ID, role, got.Community.Agreement.Version)
		if err != nil {
			return err
		}
		alias = com.Alias
		if _, err := s.o.Accounts.SetRoster(tx, by, com.ID, org.ID, got.Roster); err != nil {
			return err
		}
		if err := s.dialled(tx, inv, org, name, got); err != nil {
			return err
		}
		return putCommunity(tx, got.Link, com.ID, com.Alias, got.Role)
	})
	return alias, err
}

// dialled writes the link down, or what is new of it. A link that the home does not know any more gives way.
func (s *Service) dialled(tx *db.Tx, inv Invitation, org polder.Org, name string, got peerJoinAnswer) error {
	have, ok, err := linkOf(tx, inv.Node, org.ID, false)
	if err != nil {
		return err
	}
	if ok && have.ID == got.Link {
		_, err := tx.Exec(`UPDATE peers_link SET url = ?, key = ?, name = ?, stopped = '', confirmed = 1 WHERE id = ?`, inv.URL, inv.Key, name, have.ID)
		return err
	}
	if ok {
		if _, err := tx.Exec(`UPDATE peers_link SET ended = ? WHERE id = ?`, micros(s.o.Now()), have.ID); err != nil {
			return err
		}
	}
	return insertLink(tx, Link{
		PeerLink: exchange.PeerLink{ID: got.Link, Peer: inv.Node, Key: inv.Key, Name: name, URL: inv.URL, Org: org.ID, Confirmed: true}, Created: s.o.Now(), Trusted: got.Confirmed,
	})
}
