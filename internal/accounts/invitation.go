package accounts

import (
	"context"
	"database/sql"
	"errors"
	"strings"
	"time"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/db"
)

// InvitationID names an invitation. It is public; the invitation itself is a secret.
type InvitationID string

// Invitation lets one organisation join one community, once.
type Invitation struct {
	ID        InvitationID
	Community polder.Community
	Role      polder.Role
	Note      string // for whom it is
	Expires   time.Time
	Created   time.Time
	Used      time.Time    // zero: not yet
	UsedBy    polder.OrgID // who joined with it
	Revoked   time.Time    // zero: not
}

// NewInvitation is what an invitation is made from. Role zero is contributor; Expires zero is in fourteen days.
type NewInvitation struct {
	Community polder.CommunityID
	Role      polder.Role
	Note      string
	Expires   time.Time
}

const (
	invitationPrefix = "polderinvite_"
	invitationLife   = 14 * 24 * time.Hour
	maxInvitation    = 90 * 24 * time.Hour
)

var errInvitation = polder.Errorf(polder.Unauthorised, "the invitation is unknown, used, withdrawn or expired; ask for a new one")

// Invite makes an invitation and answers its text, which is stored nowhere. It belongs into the fragment of a link or
// a form, never into a path or query that proxies log. Stewards of the community may, and administrators; it works as
// long as who made it may.
func (s *Service) Invite(ctx context.Context, by polder.Actor, n NewInvitation) (Invitation, string, error) {
	if n.Role == polder.RoleNone {
		n.Role = polder.RoleContributor
	}
	if err := checkMemberRole(n.Role); err != nil {
		return Invitation{}, "", err
	}
	note, err := cleanLine("note", n.Note, MaxNote)
	if err != nil {
		return Invitation{}, "", err
	}
	n.Note = note
	var inv Invitation
	var text string
	err = s.change(ctx, by, func(c *change) error {
		inv, text, err = c.invite(n)
		return err
	})
	if err != nil {
		return Invitation{}, "", err
	}
	return inv, text, nil
}

func (c *change) invite(n NewInvitation) (Invitation, string, error) {
	com, err := c.steward(n.Community)
	if err != nil {
		return Invitation{}, "", err
	}
	if err := lives(c.tx, com); err != nil {
		return Invitation{}, "", err
	}
	expires := c.deadline(n.Expires)
	if expires == 0 {
		expires = c.now + invitationLife.Microseconds()
	}
	if expires <= c.now || expires > c.now+maxInvitation.Microseconds() {
		return Invitation{}, "", polder.Errorf(polder.Invalid, "an invitation expires within ninety days; give a time between now and then")
	}
	id, err := c.s.ids.word(10)
	if err != nil {
		return Invitation{}, "", err
	}
	secret, err := c.s.ids.word(20)
	if err != nil {
		return Invitation{}, "", err
	}
	secret = invitationPrefix + secret
	inv := Invitation{ID: InvitationID(id), Community: com, Role: n.Role, Note: n.Note, Expires: when(expires), Created: when(c.now)}
	if err := insertInvitation(c.tx, inv, digest(secret), c.by, expires, c.now); err != nil {
		return Invitation{}, "", err
	}
	return inv, secret, c.log("invitation.create", com.ID, "", "invitation", id, "role", n.Role.String())
}

// Invitation answers what an invitation is for, to be shown before it is accepted. Unauthorised when it does not work.
func (s *Service) Invitation(ctx context.Context, text string) (Invitation, error) {
	q := s.read(ctx)
	t, err := s.readClock(q)
	if err != nil {
		return Invitation{}, err
	}
	inv, _, err := openInvitation(q, text, t.now)
	return inv, err
}

// AcceptInvitation makes by's organisation a member. A named person accepts who may act for the organisation. version is
// the agreement that was read and is accepted with it, or 0 to accept it later by [Service.AcceptAgreement].
func (s *Service) AcceptInvitation(ctx context.Context, by polder.Actor, text string, version int) (polder.Membership, error) {
	var m polder.Membership
	err := s.change(ctx, by, func(c *change) error {
		if err := c.maySign(); err != nil {
			return err
		}
		inv, maker, err := openInvitation(c.tx, text, c.now)
		if err != nil {
			return err
		}
		if err := c.stillStands(inv, maker); err != nil {
			return err
		}
		m, err = c.acceptInvitation(inv, version)
		return err
	})
	if errors.Is(err, errInvitation) {
		s.touch(ctx, nil) // it may have expired just now: store that this time was seen
	}
	return m, err
}

// stillStands refuses an invitation whose maker may not make it any more: nobody gives what he does not hold.
func (c *change) stillStands(inv Invitation, maker polder.Actor) error {
	if maker == (polder.Actor{}) {
		return nil // made at the machine
	}
	now, _, err := readActor(c.tx, maker, c.now)
	if err == nil {
		_, err = stewardOf(c.tx, now, inv.Community.ID)
	}
	if k := polder.KindOf(err); err != nil && k != polder.Internal {
		return errInvitation
	}
	return err
}

func (c *change) acceptInvitation(inv Invitation, version int) (polder.Membership, error) {
	com, org := inv.Community, c.by.Org
	if err := lives(c.tx, com); err != nil {
		return polder.Membership{}, err
	}
	member, err := isMember(c.tx, com.ID, org)
	if err != nil {
		return polder.Membership{}, err
	}
	if member {
		return polder.Membership{}, polder.Errorf(polder.Conflict, "your organisation is a member of %s already", com.Name)
	}
	if _, err := c.tx.Exec(`UPDATE accounts_invitation SET used = ?, used_by = ? WHERE id = ?`, c.now, org, inv.ID); err != nil {
		return polder.Membership{}, err
	}
	if err := c.join(com, org, inv.Role); err != nil {
		return polder.Membership{}, err
	}
	m := polder.Membership{Community: com, Org: org, Role: inv.Role}
	if version == 0 {
		return m, nil
	}
	if err := isCurrent(c.tx, com.ID, version); err != nil {
		return polder.Membership{}, err
	}
	m.Accepted = true
	return m, c.accept(com.ID, org, version)
}

// RevokeInvitation withdraws an invitation. Stewards of its community may, and administrators.
func (s *Service) RevokeInvitation(ctx context.Context, by polder.Actor, id InvitationID) error {
	return s.change(ctx, by, func(c *change) error {
		var community polder.CommunityID
		err := c.tx.QueryRow(`SELECT community FROM accounts_invitation WHERE id = ?`, id).Scan(&community)
		if err != nil {
			return orNotFound(err, "no invitation %.80s", id)
		}
		if _, err := c.steward(community); err != nil {
			if polder.KindOf(err) == polder.NotFound {
				err = polder.Errorf(polder.NotFound, "no invitation %.80s", id)
			}
			return err
		}
		if _, err := c.tx.Exec(`UPDATE accounts_invitation SET revoked = ? WHERE id = ? AND revoked = 0`, c.now, id); err != nil {
			return err
		}
		return c.log("invitation.revoke", community, "", "invitation", string(id))
	})
}

// Invitations are a community's invitations, newest first, for its stewards and administrators.
func (s *Service) Invitations(ctx context.Context, by polder.Actor, id polder.CommunityID) ([]Invitation, error) {
	q := s.read(ctx)
	by, _, err := s.readActorNow(q, by)
	if err != nil {
		return nil, err
	}
	if _, err := stewardOf(q, by, id); err != nil {
		return nil, err
	}
	return list(q, func(r db.Row) (Invitation, error) {
		inv, _, err := scanInvitation(r)
		return inv, err
	}, invitationQuery+`WHERE i.community = ? ORDER BY i.created DESC, i.id`, id)
}

const invitationQuery = `SELECT ` + communityColumns + `, i.id, i.role, i.note, i.expires, i.created, i.used, i.used_by, i.revoked, i.maker_org, i.maker_person, i.maker_token
	FROM accounts_invitation i JOIN accounts_community c ON c.id = i.community `

func scanInvitation(r db.Row) (i Invitation, maker polder.Actor, err error) {
	var made, expires, created, used, revoked int64
	c := &i.Community
	err = r.Scan(&c.ID, &c.Alias, &c.Name, marking{&c.Unmarked}, &c.Blind, &made, &c.Home, &i.ID, role{&i.Role}, &i.Note, &expires, &created, &used, &i.UsedBy, &revoked,
		&maker.Org, &maker.Person, &maker.Token)
	c.Created, i.Expires, i.Created, i.Used, i.Revoked = when(made), when(expires), when(created), when(used), when(revoked)
	return i, maker, err
}

// openInvitation reads an invitation that works, and who made it.
func openInvitation(q db.Querier, text string, now int64) (Invitation, polder.Actor, error) {
	if !strings.HasPrefix(text, invitationPrefix) || len(text) != len(invitationPrefix)+secretLen {
		return Invitation{}, polder.Actor{}, errInvitation
	}
	i, maker, err := scanInvitation(q.QueryRow(invitationQuery+`WHERE i.hash = ?`, digest(text)))
	if errors.Is(err, sql.ErrNoRows) || err == nil && (!i.Used.IsZero() || !i.Revoked.IsZero() || i.Expires.UnixMicro() <= now) {
		return Invitation{}, polder.Actor{}, errInvitation
	}
	return i, maker, err
}

func insertInvitation(tx *db.Tx, i Invitation, hash []byte, by polder.Actor, expires, now int64) error {
	_, err := tx.Exec(`INSERT INTO accounts_invitation (id, hash, community, role, note, expires, created, used, used_by, revoked, maker_org, maker_person, maker_token)
		VALUES (?, ?, ?, ?, ?, ?, ?, 0, '', 0, ?, ?, ?)`,
		i.ID, hash, i.Community.ID, i.Role.String(), i.Note, expires, now, by.Org, by.Person, by.Token)
	return err
}
