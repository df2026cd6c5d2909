package accounts

import (
	"context"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/db"
	"github.com/polder-exchange/polder/stix"
)

// This file holds what other nodes answer for. An organisation or a community has a home: the node where it lives. What
// lives elsewhere is known here so that it can be named and addressed, and is changed from here only as its home says:
// nobody acts here for a remote organisation, and nobody adds to, invites to or changes a mirrored community. All of it
// happens in the transaction of the caller, who has proved who the other node is, and stands in the audit.

// Home is another node, as what lives there is shown.
type Home struct {
	ID   polder.OrgID
	Name string
}

// RemoteOrg is an organisation as its home describes it.
type RemoteOrg struct {
	ID      polder.OrgID `json:"id"`
	Name    string       `json:"name"`
	Country string       `json:"country,omitempty"`
	Sector  string       `json:"sector,omitempty"`
}

// CommunityShape is a community as its home hands it to nodes that mirror it: with it, [Service.BlindObject] gives the
// same bytes there as here.
type CommunityShape struct {
	ID        polder.CommunityID `json:"id"`
	Alias     string             `json:"alias"` // wanted; a mirror adds -2, -3 … where it is taken
	Name      string             `json:"name"`
	Unmarked  stix.Marking       `json:"unmarked"`
	Blind     polder.OrgID       `json:"blind"`
	Created   int64              `json:"created"`  // microseconds since 1970
	Modified  int64              `json:"modified"` // likewise
	Agreement AgreementShape     `json:"agreement"`
}

// AgreementShape is the agreement of a community, as its home hands it on.
type AgreementShape struct {
	Version int    `json:"version"`
	Needed  int    `json:"needed"` // the oldest version whose acceptance still counts
	Text    string `json:"text"`
	Written int64  `json:"written"` // microseconds since 1970
}

// RosterEntry is one member of a community, as its home says.
type RosterEntry struct {
	RemoteOrg
	Role     string `json:"role"`
	Accepted bool   `json:"accepted"` // the agreement, so that it sees what is shared
}

// MaxRoster is how many members a mirrored community has at most.
const MaxRoster = 10_000

// RemoteMember is the membership of an organisation in a community that the other node of the two knows already.
type RemoteMember struct {
	Community polder.CommunityID
	Org       polder.OrgID
	Role      polder.Role
	Version   int    // of the agreement that was accepted for it; 0 is none yet
	Accepted  string // by whom, in words, for the record of acceptances
}

// PutRemoteOrg writes down an organisation as its home describes it, or what changed of it. A name that is taken gets
// the home's behind it. An id of an organisation of this node, or of another home, is a Conflict: a home speaks for its
// own alone.
func (s *Service) PutRemoteOrg(tx *db.Tx, by polder.Actor, o RemoteOrg, home Home) (org polder.Org, err error) {
	err = s.changeIn(tx, by, func(c *change) error {
		if err := c.needAdmin("write down an organisation of another node"); err != nil {
			return err
		}
		if err := c.putHome(home); err != nil {
			return err
		}
		org, err = c.putRemote(o, home)
		return err
	})
	return org, err
}

// JoinRemote makes an organisation of another node a member of a community of this one, or gives it another role; who
// accepted the agreement for it is on the record. [Service.Leave] and [Service.SetMemberRole] hold for it as for others.
func (s *Service) JoinRemote(tx *db.Tx, by polder.Actor, m RemoteMember) (polder.Membership, error) {
	if m.Role == polder.RoleNone {
		m.Role = polder.RoleContributor
	}
	if err := checkMemberRole(m.Role); err != nil {
		return polder.Membership{}, err
	}
	var out polder.Membership
	err := s.changeIn(tx, by, func(c *change) (err error) {
		out, err = c.joinRemote(m)
		return err
	})
	return out, err
}

// Shape is a community of this node, for a node that mirrors it. That of a mirrored one is its home's to hand out.
func (s *Service) Shape(ctx context.Context, id polder.CommunityID) (CommunityShape, error) {
	q := s.read(ctx)
	com, err := readCommunity(q, string(id))
	if err != nil {
		return CommunityShape{}, err
	}
	if err := lives(q, com); err != nil {
		return CommunityShape{}, err
	}
	shape := CommunityShape{ID: com.ID, Alias: com.Alias, Name: com.Name, Unmarked: com.Unmarked, Blind: com.Blind}
	a := &shape.Agreement
	err = q.QueryRow(`SELECT c.created, c.modified, c.agreement, c.needed, a.text, a.written FROM accounts_community c
		JOIN accounts_agreement a ON a.community = c.id AND a.version = c.agreement WHERE c.id = ?`, com.ID).
		Scan(&shape.Created, &shape.Modified, &a.Version, &a.Needed, &a.Text, &a.Written)
	return shape, err
}

// Roster is who belongs to a community of this node, for nodes that mirror it.
func (s *Service) Roster(ctx context.Context, id polder.CommunityID) ([]RosterEntry, error) {
	all, err := listMembers(s.read(ctx), id)
	out := make([]RosterEntry, 0, len(all))
	for _, m := range all {
		o := m.Organisation
		out = append(out, RosterEntry{RemoteOrg: RemoteOrg{ID: o.ID, Name: o.Name, Country: o.Country, Sector: o.Sector}, Role: m.Role.String(), Accepted: m.Accepted})
	}
	return out, err
}

// MirrorCommunity writes down a community that lives on another node, or what changed of it, and makes a local
// organisation its member there, as the home's roster says. version is of the agreement that by accepted for it; 0
// leaves what was accepted as it is. An id, or a blind identity, that is taken otherwise is a Conflict.
func (s *Service) MirrorCommunity(tx *db.Tx, by polder.Actor, shape CommunityShape, home Home, org polder.OrgID, role polder.Role, version int) (com polder.Community, err error) {
	err = s.changeIn(tx, by, func(c *change) error {
		if err := c.needAdmin("mirror a community of another node"); err != nil {
			return err
		}
		if err := c.putHome(home); err != nil {
			return err
		}
		if com, err = c.mirror(shape, home); err != nil {
			return err
		}
		return c.joinMirror(com, org, role, version)
	})
	return com, err
}

// SetRoster makes the members of a mirrored community what its home says: remote organisations are added, changed and
// removed. Of this node's own organisations only own is touched, for which the roster was asked: it gets its role.
// What the home says of an organisation that another home vouches for changes its membership alone. changed tells
// whether anything did.
func (s *Service) SetRoster(tx *db.Tx, by polder.Actor, id polder.CommunityID, own polder.OrgID, entries []RosterEntry) (changed bool, err error) {
	if len(entries) > MaxRoster {
		return false, polder.Errorf(polder.Invalid, "the roster names %d members; at most %d", len(entries), MaxRoster)
	}
	r := roster{own: own, entries: entries}
	same, err := r.same(tx, id)
	if err != nil || same {
		return false, err
	}
	return true, s.changeIn(tx, by, func(c *change) error {
		if err := c.needAdmin("change the members of a community of another node"); err != nil {
			return err
		}
		return c.setRoster(id, r)
	})
}

// RemoveMirror ends the membership of a local organisation in a mirrored community. When it was the last of this node,
// the remote members go too; the community stays, with what was received, for who reads the past by another right.
func (s *Service) RemoveMirror(tx *db.Tx, by polder.Actor, id polder.CommunityID, org polder.OrgID) error {
	return s.changeIn(tx, by, func(c *change) error {
		if err := c.needAdmin("leave a community of another node"); err != nil {
			return err
		}
		return c.removeMirror(id, org)
	})
}

// LinkToken makes the token by which a remote organisation's node acts here. Nobody has its secret: it holds rights,
// and opens nothing. It is limited to the communities given, and revoked, listed and refreshed as any other.
func (s *Service) LinkToken(tx *db.Tx, by polder.Actor, org polder.OrgID, role polder.Role, scope []polder.CommunityID, name string) (id polder.TokenID, err error) {
	n, err := NewToken{Org: org, Role: role, Name: name, Scope: scope}.clean()
	if err != nil {
		return "", err
	}
	if len(scope) == 0 || role == polder.RoleAdmin {
		return "", polder.Errorf(polder.Invalid, "a link is limited to communities, and is no administrator")
	}
	err = s.changeIn(tx, by, func(c *change) error {
		id, err = c.linkToken(n)
		return err
	})
	return id, err
}

// WidenLinkToken adds a community to those in which a link's token acts.
func (s *Service) WidenLinkToken(tx *db.Tx, by polder.Actor, id polder.TokenID, community polder.CommunityID) error {
	return s.changeIn(tx, by, func(c *change) error {
		if err := c.needAdmin("widen a link"); err != nil {
			return err
		}
		t, err := c.remoteToken(id)
		if err != nil {
			return err
		}
		if err := insertScope(c.tx, id, t.Org, community); err != nil {
			return err
		}
		return c.log("token.scope", community, string(id), "org", string(t.Org))
	})
}

// RevokeLinkToken ends a link's token at once; a revoked one is revoked again without complaint.
func (s *Service) RevokeLinkToken(tx *db.Tx, by polder.Actor, id polder.TokenID) error {
	return s.changeIn(tx, by, func(c *change) error {
		if err := c.needAdmin("end a link"); err != nil {
			return err
		}
		t, err := c.remoteToken(id)
		if err != nil {
			return err
		}
		if err := revokeToken(c.tx, id, c.now); err != nil {
			return err
		}
		return c.log("token.revoke", "", string(id), "org", string(t.Org))
	})
}

// ActorOfToken is who acts with a token, as it is now; Unauthorised when it is revoked or expired.
func (s *Service) ActorOfToken(ctx context.Context, id polder.TokenID) (polder.Actor, error) {
	q := s.read(ctx)
	t, err := readToken(q, id)
	if err != nil {
		return polder.Actor{}, err
	}
	a, _, err := s.readActorNow(q, polder.Actor{Org: t.Org, Token: id, Role: t.Role})
	return a, err
}

// HomeOf is the node where an organisation lives; empty is this one, NotFound nobody's.
func (s *Service) HomeOf(ctx context.Context, id polder.OrgID) (polder.OrgID, error) {
	o, err := readOrg(s.read(ctx), id)
	return o.Home, err
}

// HomeOfCommunity is the node where a community lives; empty is this one.
func (s *Service) HomeOfCommunity(ctx context.Context, id polder.CommunityID) (polder.OrgID, error) {
	com, err := readCommunity(s.read(ctx), string(id))
	return com.Home, err
}

// Homes are the other nodes that anything known here lives on, by id, with the names under which they are shown.
func (s *Service) Homes(ctx context.Context) (map[polder.OrgID]string, error) {
	all, err := list(s.read(ctx), func(r db.Row) (h Home, err error) { err = r.Scan(&h.ID, &h.Name); return h, err }, `SELECT id, name FROM accounts_home`)
	out := make(map[polder.OrgID]string, len(all))
	for _, h := range all {
		out[h.ID] = h.Name
	}
	return out, err
}
