package peers

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/accounts"
	"github.com/polder-exchange/polder/internal/db"
	"github.com/polder-exchange/polder/internal/exchange"
)

// peerHello asks a node to prove who it is.
type peerHello struct {
	Node  polder.OrgID `json:"node"` // who asks
	Nonce []byte       `json:"nonce"`
}

// peerHelloAnswer is the proof, and a challenge for who asked.
type peerHelloAnswer struct {
	Node      polder.OrgID      `json:"node"`
	Name      string            `json:"name"`
	Challenge []byte            `json:"challenge"`
	Signature []byte            `json:"signature"`
	Chain     []json.RawMessage `json:"chain,omitempty"` // statements of the node's keys
}

// peerSigned is a request of a node that has no session yet.
type peerSigned struct {
	Node      polder.OrgID    `json:"node"`
	Nonce     []byte          `json:"nonce"`
	Challenge []byte          `json:"challenge"`
	Request   json.RawMessage `json:"request"`
	Signature []byte          `json:"signature"`
}

// peerJoin is what a node asks with an invitation.
type peerJoin struct {
	Secret    string             `json:"secret"`
	Key       []byte             `json:"key"` // of the node
	Name      string             `json:"name"`
	Chain     []json.RawMessage  `json:"chain,omitempty"`
	Org       accounts.RemoteOrg `json:"org"`
	OrgChain  []json.RawMessage  `json:"org_chain,omitempty"`
	Agreement int                `json:"agreement"` // the version that was accepted; 0 to look first
}

// peerLookAnswer is what an invitation is for, before it is accepted.
type peerLookAnswer struct {
	Community accounts.CommunityShape `json:"community"`
	Role      string                  `json:"role"`
}

// peerJoinAnswer is the link that was made.
type peerJoinAnswer struct {
	Link       string                  `json:"link"`
	Generation string                  `json:"generation"`
	Community  accounts.CommunityShape `json:"community"`
	Roster     []accounts.RosterEntry  `json:"roster"`
	Role       string                  `json:"role"`
	Confirmed  bool                    `json:"confirmed"`
}

// peerSession opens a session of a link.
type peerSession struct {
	Link  string            `json:"link"`
	Chain []json.RawMessage `json:"chain,omitempty"`
}

type peerSessionAnswer struct {
	Session string `json:"session"`
}

const maxChain = 200 // statements of one owner

var errInvitation = polder.Errorf(polder.Unauthorised, "the invitation is unknown, used, withdrawn or expired; ask for a new one")

// stranger checks what a node without a session signed, for a purpose; key is the one that it must be signed by.
func (s *Service) stranger(ctx context.Context, q peerSigned, purpose string, key []byte) error {
	own, _, err := s.o.Keys.Node(ctx)
	if err != nil {
		return err
	}
	text := signed(purpose, text64(q.Nonce), text64(q.Challenge), string(q.Node), string(own), digestHex(q.Request))
	if len(key) != ed25519.PublicKeySize || !ed25519.Verify(key, text, q.Signature) {
		return polder.Errorf(polder.Unauthorised, "the signature is not that of the node %.80s", q.Node)
	}
	return nil
}

// usable is the invitation of a secret, if org may use it now, or has used it: then link is what it made.
func (s *Service) usable(q db.Querier, in peerJoin) (o offer, err error) {
	if !secretForm.MatchString(in.Secret) {
		return offer{}, errInvitation
	}
	if o, err = readOffer(q, secretHash(in.Secret)); err != nil {
		return offer{}, err
	}
	switch {
	case !o.Revoked.IsZero():
		return offer{}, errInvitation
	case o.Used.IsZero() && !s.o.Now().Before(o.Expires):
		return offer{}, errInvitation
	case o.Org != "" && o.Org != in.Org.ID:
		return offer{}, polder.Errorf(polder.Forbidden, "the invitation is for another organisation")
	}
	return o, nil
}

// look answers what an invitation is for.
func (s *Service) look(ctx context.Context, q peerSigned, in peerJoin) (peerLookAnswer, error) {
	if err := s.stranger(ctx, q, forLook, in.Key); err != nil {
		return peerLookAnswer{}, err
	}
	o, err := s.usable(s.read(ctx), in)
	if err != nil {
		return peerLookAnswer{}, err
	}
	shape, err := s.o.Accounts.Shape(ctx, o.Community)
	return peerLookAnswer{shape, o.Role.String()}, err
}

// join makes the link that an invitation is for. Asked again by the same node for the same organisation, after an answer
// that was lost, it answers the same link.
func (s *Service) join(ctx context.Context, q peerSigned, in peerJoin) (peerJoinAnswer, error) {
	if err := s.stranger(ctx, q, forJoin, in.Key); err != nil {
		return peerJoinAnswer{}, err
	}
	o, err := s.usable(s.read(ctx), in)
	if err != nil {
		return peerJoinAnswer{}, err
	}
	if err := s.introduced(ctx, q.Node, in.Key, in.Chain); err != nil {
		return peerJoinAnswer{}, err
	}
	own, _, err := s.o.Keys.Node(ctx)
	if err == nil && in.Org.ID == own {
		err = polder.Errorf(polder.Conflict, "org: %s is the id of this node, and no organisation's", own)
	}
	if err != nil {
		return peerJoinAnswer{}, err
	}
	shape, err := s.o.Accounts.Shape(ctx, o.Community)
	if err != nil {
		return peerJoinAnswer{}, err
	}
	if shape.Agreement.Version != in.Agreement {
		return peerJoinAnswer{}, polder.Errorf(polder.Conflict, "the agreement of %s has changed since it was read; read version %d", shape.Name, shape.Agreement.Version)
	}
	var link string
	err = s.o.DB.Write(ctx, func(tx *db.Tx) error {
		link, err = s.joinTx(tx, q.Node, in)
		return err
	})
	if err != nil {
		return peerJoinAnswer{}, err
	}
	if len(in.OrgChain) > 0 {
		if err := s.o.Keys.Learn(ctx, in.Org.ID, in.OrgChain); err != nil {
			s.o.Log.WarnContext(ctx, "statements of an organisation's keys were not taken", "link", link, "org", in.Org.ID, "err", err)
		}
	}
	s.lookNow()
	return s.joined(ctx, link, shape)
}

// introduced takes what a node says of its keys, and refuses one whose key is not the one it signs with: whoever took
// its name before, or now, does not come in.
func (s *Service) introduced(ctx context.Context, node polder.OrgID, key []byte, chain []json.RawMessage) error {
	own, _, err := s.o.Keys.Node(ctx)
	switch {
	case err != nil:
		return err
	case !nodeForm.MatchString(string(node)):
		return polder.Errorf(polder.Invalid, "%.80q is not the id of a node", node)
	case node == own:
		return polder.Errorf(polder.Invalid, "this is the node that was asked; a node is no peer of itself")
	case len(chain) > maxChain:
		return polder.Errorf(polder.TooLarge, "%d statements are more than a node's keys have; at most %d", len(chain), maxChain)
	}
	if len(chain) > 0 {
		if !leadsOn(chain, key) {
			return polder.Errorf(polder.Conflict, "the statements of node %s do not lead to the key that it signs with; have its people compare fingerprints", node)
		}
		if err := s.o.Keys.Learn(ctx, node, chain); err != nil {
			return err
		}
	}
	known, err := s.o.Keys.KeyOf(ctx, node)
	if err == nil && !bytes.Equal(known, key) {
		return polder.Errorf(polder.Conflict, "the node %s is known here by another key, of fingerprint %s; have its people compare", node, fingerprint(known))
	}
	if err == nil || !errors.Is(err, polder.ErrNotFound) {
		return err
	}
	all, err := readLinks(s.read(ctx), true)
	if slices.ContainsFunc(all, func(l Link) bool { return l.Peer == node && !bytes.Equal(l.Key, key) }) {
		return polder.Errorf(polder.Conflict, "the node %s came here by another key before; have its people compare fingerprints, and remove the old link", node)
	}
	return err
}

func (s *Service) joinTx(tx *db.Tx, node polder.OrgID, in peerJoin) (string, error) {
	o, err := s.usable(tx, in)
	if err != nil {
		return "", err
	}
	if !o.Used.IsZero() {
		l, err := readLink(tx, o.Link)
		if err != nil || l.Peer != node || !bytes.Equal(l.Key, in.Key) || l.Org != in.Org.ID || !l.Ended.IsZero() {
			return "", errInvitation
		}
		return l.ID, nil
	}
	local := accounts.Local()
	home := accounts.Home{ID: node, Name: clip(in.Name, maxName-8)}
	if _, err := s.o.Accounts.PutRemoteOrg(tx, local, in.Org, home); err != nil {
		return "", err
	}
	member := accounts.RemoteMember{Community: o.Community, Org: in.Org.ID, Role: o.Role, Version: in.Agreement, Accepted: "the administrator of " + home.Name}
	if _, err := s.o.Accounts.JoinRemote(tx, local, member); err != nil {
		return "", err
	}
	l, err := s.linkFor(tx, node, in, o, home.Name)
	if err != nil {
		return "", err
	}
	if _, err := tx.Exec(`UPDATE peers_invitation SET used = ?, link = ? WHERE id = ?`, micros(s.o.Now()), l.ID, o.ID); err != nil {
		return "", err
	}
	rights, err := s.rightsIn(tx, l)
	if err != nil {
		return "", err
	}
	if err := raise(tx, l.ID, rights); err != nil {
		return "", err
	}
	detail := map[string]string{"peer": string(node), "org": string(in.Org.ID), "invitation": o.ID, "fingerprint": fingerprint(in.Key)}
	if err := s.note(tx, polder.Actor{}, "peer.join", l.ID, detail); err != nil {
		return "", err
	}
	return l.ID, moved(tx)
}

// linkFor is the link of an organisation of a node, made or widened by a community.
func (s *Service) linkFor(tx *db.Tx, node polder.OrgID, in peerJoin, o offer, name string) (Link, error) {
	com, err := s.aliasIn(tx, o.Community)
	if err != nil {
		return Link{}, err
	}
	l, ok, err := linkOf(tx, node, in.Org.ID, true)
	if err != nil {
		return Link{}, err
	}
	if ok {
		if err := s.o.Accounts.WidenLinkToken(tx, accounts.Local(), l.Token, o.Community); err != nil {
			return Link{}, err
		}
	} else {
		l = Link{PeerLink: exchange.PeerLink{Peer: node, Key: in.Key, Name: name, Org: in.Org.ID, Serves: true}, Created: s.o.Now()}
		if l.ID, err = word(s.o.Rand); err != nil {
			return Link{}, err
		}
		// The membership's role bounds what the token does.
		if l.Token, err = s.o.Accounts.LinkToken(tx, accounts.Local(), in.Org.ID, polder.RoleSteward, []polder.CommunityID{o.Community}, clip("link to "+name, 100)); err != nil {
			return Link{}, err
		}
		if err := insertLink(tx, l); err != nil {
			return Link{}, err
		}
	}
	if err := putCommunity(tx, l.ID, o.Community, com, o.Role.String()); err != nil {
		return Link{}, err
	}
	return readLink(tx, l.ID)
}

// aliasIn is a community's alias here.
func (s *Service) aliasIn(q db.Querier, c polder.CommunityID) (alias string, err error) {
	err = q.QueryRow(`SELECT alias FROM accounts_community WHERE id = ?`, c).Scan(&alias)
	return alias, err
}

// rightsIn describes what the organisation of a link may do, so that a change of it is noticed.
func (s *Service) rightsIn(tx *db.Tx, l Link) (string, error) {
	ms, err := s.o.Accounts.MembershipsOfTx(tx, polder.Actor{Org: l.Org, Token: l.Token})
	return rightsText(l, ms), err
}

func rightsText(l Link, ms []polder.Membership) string {
	var parts []string
	for _, m := range ms {
		if slices.Contains(l.Communities, m.Community.ID) {
			parts = append(parts, fmt.Sprintf("%s:%s:%t", m.Community.ID, m.Role, m.Accepted))
		}
	}
	slices.Sort(parts)
	return strings.Join(parts, " ")
}

func (s *Service) joined(ctx context.Context, link string, shape accounts.CommunityShape) (peerJoinAnswer, error) {
	l, err := readLink(s.read(ctx), link)
	if err != nil {
		return peerJoinAnswer{}, err
	}
	generation, err := s.generation(ctx, l)
	if err != nil {
		return peerJoinAnswer{}, err
	}
	roster, err := s.o.Accounts.Roster(ctx, shape.ID)
	if err != nil {
		return peerJoinAnswer{}, err
	}
	out := peerJoinAnswer{Link: l.ID, Generation: generation, Community: shape, Roster: roster, Confirmed: l.Confirmed}
	for _, e := range roster {
		if e.ID == l.Org {
			out.Role = e.Role
		}
	}
	return out, nil
}
