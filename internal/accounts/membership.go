package accounts

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/db"
)

// Memberships are the current memberships of an organisation, by community id. For what an actor may use, ask
// [Service.MembershipsOf]: a token may be limited to some of them.
func (s *Service) Memberships(ctx context.Context, org polder.OrgID) ([]polder.Membership, error) {
	return readMemberships(s.read(ctx), org, "")
}

// MembershipsOf are the memberships that an actor acts in: those of its organisation, and of a limited token only the
// communities it is limited to.
func (s *Service) MembershipsOf(ctx context.Context, a polder.Actor) ([]polder.Membership, error) {
	return readMemberships(s.read(ctx), a.Org, a.Token)
}

// MembershipsOfTx is [Service.MembershipsOf] inside a transaction, so that a right is checked where it is used.
func (s *Service) MembershipsOfTx(tx *db.Tx, a polder.Actor) ([]polder.Membership, error) {
	return readMemberships(tx, a.Org, a.Token)
}

// Members are the memberships of a community, by organisation id.
func (s *Service) Members(ctx context.Context, id polder.CommunityID) ([]polder.Membership, error) {
	return list(s.read(ctx), scanMembership, membershipQuery+`WHERE m.community = ? ORDER BY m.org`, id)
}

// Member is one line of a community's list of members.
type Member struct {
	polder.Membership
	Organisation polder.Org
	Since        time.Time
	Version      int // of the agreement that was accepted; 0: none yet
}

// MemberList is a community's list of members, by name, for its members and administrators.
func (s *Service) MemberList(ctx context.Context, by polder.Actor, id polder.CommunityID) ([]Member, error) {
	q := s.read(ctx)
	by, _, err := s.readActorNow(q, by)
	if err != nil {
		return nil, err
	}
	if by.Role != polder.RoleAdmin {
		m, err := membershipOf(q, by, id)
		if err != nil {
			return nil, err
		}
		if m.Right(by) < polder.RoleReader {
			return nil, polder.Errorf(polder.Forbidden, "accept the agreement of %s first", m.Name)
		}
	}
	return listMembers(q, id)
}

// CanManage tells whether an actor manages a community's members and agreement: its stewards, and administrators of
// the node. It gives no right on objects; for custody ask [polder.Membership.Right].
func (s *Service) CanManage(ctx context.Context, a polder.Actor, id polder.CommunityID) (bool, error) {
	q := s.read(ctx)
	a, _, err := s.readActorNow(q, a)
	if err != nil {
		return false, err
	}
	_, err = stewardOf(q, a, id)
	if k := polder.KindOf(err); err != nil && (k == polder.NotFound || k == polder.Forbidden) {
		return false, nil
	}
	return err == nil, err
}

// stewardOf answers a community that a may manage, or why not. Who does not belong to it learns nothing of it.
func stewardOf(q db.Querier, a polder.Actor, id polder.CommunityID) (polder.Community, error) {
	if a.Role == polder.RoleAdmin {
		return readCommunity(q, string(id))
	}
	m, err := membershipOf(q, a, id)
	if err != nil {
		return polder.Community{}, err
	}
	if m.Right(a) < polder.RoleSteward {
		return polder.Community{}, polder.Errorf(polder.Forbidden, "only a steward of %s may: in the community and as a person or token", m.Name)
	}
	return m.Community, nil
}

func (c *change) steward(id polder.CommunityID) (polder.Community, error) {
	return stewardOf(c.tx, c.by, id)
}

func checkMemberRole(r polder.Role) error {
	if r < polder.RoleReader || r > polder.RoleSteward {
		return polder.Errorf(polder.Invalid, "a member is a reader, contributor or steward")
	}
	return nil
}

// Join makes an organisation a member on an administrator's word, which counts as acceptance of the agreement.
// RoleNone stands for contributor. Who is a member already gets the role.
func (s *Service) Join(ctx context.Context, by polder.Actor, id polder.CommunityID, org polder.OrgID, r polder.Role) (polder.Membership, error) {
	if r == polder.RoleNone {
		r = polder.RoleContributor
	}
	if err := checkMemberRole(r); err != nil {
		return polder.Membership{}, err
	}
	var m polder.Membership
	err := s.change(ctx, by, func(c *change) error {
		if err := c.needAdmin("join an organisation to a community without its own acceptance"); err != nil {
			return err
		}
		com, err := readCommunity(c.tx, string(id))
		if err != nil {
			return err
		}
		if err := lives(c.tx, com); err != nil {
			return err
		}
		o, err := readOrg(c.tx, org)
		if err != nil {
			return err
		}
		if err := acts(c.tx, o); err != nil {
			return err
		}
		if err := c.join(com, org, r); err != nil {
			return err
		}
		version, err := currentVersion(c.tx, com.ID)
		if err != nil {
			return err
		}
		if err := c.accept(com.ID, org, version); err != nil {
			return err
		}
		m = polder.Membership{Community: com, Org: org, Role: r, Accepted: true}
		return nil
	})
	return m, err
}

// join writes a membership, which has accepted nothing yet, and closes a request for it.
func (c *change) join(com polder.Community, org polder.OrgID, r polder.Role) error {
	if err := upsertMembership(c.tx, com.ID, org, r, c.now); err != nil {
		return err
	}
	if _, err := c.tx.Exec(`UPDATE accounts_request SET state = 'approved', decided = ? WHERE community = ? AND org = ? AND state = 'open'`, c.now, com.ID, org); err != nil {
		return err
	}
	return c.log("community.join", com.ID, "", "org", string(org), "role", r.String())
}

// Leave ends a membership, and with it sight, from the next request. A steward of the organisation may, a steward of
// the community, and an administrator. Tokens limited to the community lose it; it does not return to them with a new
// membership.
func (s *Service) Leave(ctx context.Context, by polder.Actor, id polder.CommunityID, org polder.OrgID) error {
	return s.change(ctx, by, func(c *change) error {
		com, err := c.leaver(id, org)
		if err != nil {
			return err
		}
		if err := c.mayEnd(com, org); err != nil {
			return err
		}
		if err := deleteMembership(c.tx, com.ID, org); err != nil {
			return err
		}
		return c.log("community.leave", com.ID, "", "org", string(org))
	})
}

// mayEnd refuses to take another node's organisation out of a mirrored community: only its home does.
func (c *change) mayEnd(com polder.Community, org polder.OrgID) error {
	o, err := readOrg(c.tx, org)
	if err != nil || !o.Remote() {
		return err
	}
	return lives(c.tx, com)
}

// leaver answers the community that org leaves, if by may end that.
func (c *change) leaver(id polder.CommunityID, org polder.OrgID) (polder.Community, error) {
	if c.by.Org == org && c.by.Role == polder.RoleSteward {
		m, err := membershipOf(c.tx, c.by, id)
		return m.Community, err
	}
	com, err := c.steward(id)
	if err != nil {
		return com, err
	}
	member, err := isMember(c.tx, com.ID, org)
	if err == nil && !member {
		err = polder.Errorf(polder.NotFound, "organisation %.80s is not a member of %s", org, com.Alias)
	}
	return com, err
}

// SetMemberRole changes what an organisation is in a community. Its stewards may, and administrators.
func (s *Service) SetMemberRole(ctx context.Context, by polder.Actor, id polder.CommunityID, org polder.OrgID, r polder.Role) error {
	if err := checkMemberRole(r); err != nil {
		return err
	}
	return s.change(ctx, by, func(c *change) error {
		com, err := c.steward(id)
		if err != nil {
			return err
		}
		if err := lives(c.tx, com); err != nil {
			return err
		}
		done, err := c.tx.Exec(`UPDATE accounts_membership SET role = ? WHERE community = ? AND org = ?`, r.String(), com.ID, org)
		if err != nil {
			return err
		}
		if n, err := done.RowsAffected(); err != nil || n == 0 {
			return errors.Join(err, polder.Errorf(polder.NotFound, "organisation %.80s is not a member of %s", org, com.Alias))
		}
		return c.log("community.role", com.ID, "", "org", string(org), "role", r.String())
	})
}

// membershipQuery answers polder.Membership; an acceptance counts from the version that is needed.
const membershipQuery = `SELECT ` + communityColumns + `, m.org, m.role, m.accepted >= c.needed
	FROM accounts_membership m JOIN accounts_community c ON c.id = m.community `

// inScope leaves of a limited token's memberships those it is limited to. ?2 is the token, or empty.
const inScope = ` AND (?2 = '' OR NOT EXISTS (SELECT 1 FROM accounts_token t WHERE t.id = ?2 AND t.scoped = 1)
	OR EXISTS (SELECT 1 FROM accounts_token_scope s WHERE s.token = ?2 AND s.community = m.community)) `

func scanMembership(r db.Row) (m polder.Membership, err error) {
	var created int64
	err = r.Scan(&m.ID, &m.Alias, &m.Name, marking{&m.Unmarked}, &m.Blind, &created, &m.Home, &m.Org, role{&m.Role}, &m.Accepted)
	m.Created = when(created)
	return m, err
}

func readMemberships(q db.Querier, org polder.OrgID, token polder.TokenID) ([]polder.Membership, error) {
	return list(q, scanMembership, membershipQuery+`WHERE m.org = ?1`+inScope+`ORDER BY m.community`, org, token)
}

// membershipOf is the membership that an actor acts in; NotFound, as if there were no such community, when it has none.
func membershipOf(q db.Querier, a polder.Actor, id polder.CommunityID) (polder.Membership, error) {
	m, err := scanMembership(q.QueryRow(membershipQuery+`WHERE m.org = ?1`+inScope+`AND m.community = ?3`, a.Org, a.Token, id))
	if errors.Is(err, sql.ErrNoRows) {
		err = noCommunity(id)
	}
	return m, err
}

func isMember(q db.Querier, id polder.CommunityID, org polder.OrgID) (bool, error) {
	return exists(q, `SELECT 1 FROM accounts_membership WHERE org = ? AND community = ?`, org, id)
}

func listMembers(q db.Querier, id polder.CommunityID) ([]Member, error) {
	return list(q, func(r db.Row) (m Member, err error) {
		var created, orgCreated, since int64
		o := &m.Organisation
		err = r.Scan(&m.ID, &m.Alias, &m.Name, marking{&m.Unmarked}, &m.Blind, &created, &m.Home, &m.Org, role{&m.Role}, &m.Accepted,
			&m.Version, &since, &o.ID, &o.Name, &o.Country, &o.Sector, marking{&o.Widest}, &orgCreated, &o.Home)
		m.Created, m.Since, o.Created = when(created), when(since), when(orgCreated)
		return m, err
	}, `SELECT `+communityColumns+`, m.org, m.role, m.accepted >= c.needed, m.accepted, m.since, o.id, o.name, o.country, o.sector, o.widest, o.created, o.home
		FROM accounts_membership m JOIN accounts_community c ON c.id = m.community JOIN accounts_org o ON o.id = m.org
		WHERE m.community = ? ORDER BY o.name_key`, id)
}

func upsertMembership(tx *db.Tx, id polder.CommunityID, org polder.OrgID, r polder.Role, now int64) error {
	_, err := tx.Exec(`INSERT INTO accounts_membership (org, community, role, accepted, since) VALUES (?, ?, ?, 0, ?)
		ON CONFLICT (org, community) DO UPDATE SET role = excluded.role`, org, id, r.String(), now)
	return err
}

func deleteMembership(tx *db.Tx, id polder.CommunityID, org polder.OrgID) error {
	_, err := tx.Exec(`DELETE FROM accounts_membership WHERE org = ? AND community = ?`, org, id)
	if err != nil {
		return err
	}
	_, err = tx.Exec(`DELETE FROM accounts_token_scope WHERE community = ? AND token IN (SELECT id FROM accounts_token WHERE org = ?)`, id, org)
	return err
}
