package accounts

import (
	"context"
	"time"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/db"
)

// RequestID names a request to join.
type RequestID string

// RequestState is what became of a request to join.
type RequestState string

// The states of a request.
const (
	RequestOpen      RequestState = "open"
	RequestApproved  RequestState = "approved"
	RequestRefused   RequestState = "refused"
	RequestWithdrawn RequestState = "withdrawn"
)

// JoinRequest is an organisation's wish to join a community.
type JoinRequest struct {
	ID        RequestID
	Community polder.Community
	Org       polder.OrgID
	Person    polder.PersonID // who asked
	Message   string
	Version   int // of the agreement that was accepted with it; 0: none
	State     RequestState
	Reason    string // of a refusal
	Created   time.Time
	Decided   time.Time
}

// RequestJoin asks to join a community. A named person asks who may act for the organisation. version is the agreement
// that was read and is accepted with it, or 0 to accept it once approved. One request at a time: a second is a Conflict.
func (s *Service) RequestJoin(ctx context.Context, by polder.Actor, id polder.CommunityID, message string, version int) (JoinRequest, error) {
	message, err := cleanText("message", message, MaxNote)
	if err != nil {
		return JoinRequest{}, err
	}
	var r JoinRequest
	err = s.change(ctx, by, func(c *change) error {
		r, err = c.request(id, message, version)
		return err
	})
	if err != nil {
		return JoinRequest{}, err
	}
	return r, nil
}

func (c *change) request(id polder.CommunityID, message string, version int) (r JoinRequest, err error) {
	if err := c.maySign(); err != nil {
		return r, err
	}
	com, err := readCommunity(c.tx, string(id))
	if err != nil {
		return r, err
	}
	if err := lives(c.tx, com); err != nil {
		return r, err
	}
	if version != 0 {
		if err := isCurrent(c.tx, com.ID, version); err != nil {
			return r, err
		}
	}
	if err := c.freeToAsk(com); err != nil {
		return r, err
	}
	rid, err := c.s.ids.word(10)
	if err != nil {
		return r, err
	}
	r = JoinRequest{ID: RequestID(rid), Community: com, Org: c.by.Org, Person: c.by.Person, Message: message, Version: version, State: RequestOpen, Created: when(c.now)}
	if err := insertRequest(c.tx, r, c.now); err != nil {
		return r, err
	}
	return r, c.log("request.create", com.ID, "", "request", rid)
}

// freeToAsk refuses a request of a member, and a second one.
func (c *change) freeToAsk(com polder.Community) error {
	member, err := isMember(c.tx, com.ID, c.by.Org)
	if err != nil {
		return err
	}
	if member {
		return polder.Errorf(polder.Conflict, "your organisation is a member of %s already", com.Name)
	}
	open, err := exists(c.tx, `SELECT 1 FROM accounts_request WHERE community = ? AND org = ? AND state = 'open'`, com.ID, c.by.Org)
	if err == nil && open {
		err = polder.Errorf(polder.Conflict, "your organisation has asked to join %s; a steward will answer", com.Name)
	}
	return err
}

// ApproveRequest makes the organisation that asked a member. RoleNone stands for contributor. Stewards of the community
// may, and administrators. If the person who asked accepted the agreement, and it is still the current one, the
// membership gives sight at once; otherwise once a person of the organisation accepts it.
func (s *Service) ApproveRequest(ctx context.Context, by polder.Actor, id RequestID, role polder.Role) (polder.Membership, error) {
	if role == polder.RoleNone {
		role = polder.RoleContributor
	}
	if err := checkMemberRole(role); err != nil {
		return polder.Membership{}, err
	}
	var m polder.Membership
	err := s.change(ctx, by, func(c *change) error {
		r, err := c.openRequest(id)
		if err != nil {
			return err
		}
		if err := lives(c.tx, r.Community); err != nil {
			return err
		}
		if err := c.join(r.Community, r.Org, role); err != nil {
			return err
		}
		m = polder.Membership{Community: r.Community, Org: r.Org, Role: role}
		p, err := readPerson(c.tx, r.Person)
		if err != nil {
			return err
		}
		have, err := currentVersion(c.tx, r.Community.ID)
		if err != nil || have != r.Version || p.Disabled {
			return err
		}
		m.Accepted = true
		return c.acceptAs(Acceptance{Community: r.Community.ID, Org: r.Org, Version: r.Version, Person: p.ID, Name: p.Name})
	})
	return m, err
}

// RefuseRequest answers no, with a reason that the organisation reads.
func (s *Service) RefuseRequest(ctx context.Context, by polder.Actor, id RequestID, reason string) error {
	reason, err := cleanText("reason", reason, MaxNote)
	if err != nil {
		return err
	}
	return s.change(ctx, by, func(c *change) error {
		r, err := c.openRequest(id)
		if err != nil {
			return err
		}
		if err := decideRequest(c.tx, id, RequestRefused, reason, c.now); err != nil {
			return err
		}
		return c.log("request.refuse", r.Community.ID, "", "request", string(id), "org", string(r.Org))
	})
}

// WithdrawRequest takes back a request of by's own organisation.
func (s *Service) WithdrawRequest(ctx context.Context, by polder.Actor, id RequestID) error {
	return s.change(ctx, by, func(c *change) error {
		if err := c.maySign(); err != nil {
			return err
		}
		r, err := readRequest(c.tx, id)
		if err != nil {
			return err
		}
		if r.Org != c.by.Org {
			return polder.Errorf(polder.NotFound, "no request %.80s", id)
		}
		if r.State != RequestOpen {
			return polder.Errorf(polder.Conflict, "the request is %s already", r.State)
		}
		if err := decideRequest(c.tx, id, RequestWithdrawn, "", c.now); err != nil {
			return err
		}
		return c.log("request.withdraw", r.Community.ID, "", "request", string(id))
	})
}

// openRequest reads a request that by may decide.
func (c *change) openRequest(id RequestID) (JoinRequest, error) {
	r, err := readRequest(c.tx, id)
	if err != nil {
		return r, err
	}
	if _, err := c.steward(r.Community.ID); err != nil {
		if polder.KindOf(err) == polder.NotFound {
			err = polder.Errorf(polder.NotFound, "no request %.80s", id)
		}
		return r, err
	}
	if r.State != RequestOpen {
		return r, polder.Errorf(polder.Conflict, "the request is %s already", r.State)
	}
	return r, nil
}

// Requests are a community's requests to join, newest first, for its stewards and administrators.
func (s *Service) Requests(ctx context.Context, by polder.Actor, id polder.CommunityID) ([]JoinRequest, error) {
	q := s.read(ctx)
	by, _, err := s.readActorNow(q, by)
	if err != nil {
		return nil, err
	}
	if _, err := stewardOf(q, by, id); err != nil {
		return nil, err
	}
	return list(q, scanRequest, requestQuery+`WHERE r.community = ? ORDER BY r.created DESC, r.id`, id)
}

// OwnRequests are the requests of by's organisation, newest first.
func (s *Service) OwnRequests(ctx context.Context, by polder.Actor) ([]JoinRequest, error) {
	q := s.read(ctx)
	by, scoped, err := s.readActorNow(q, by)
	if err != nil || scoped {
		return nil, err
	}
	return list(q, scanRequest, requestQuery+`WHERE r.org = ? ORDER BY r.created DESC, r.id`, by.Org)
}

const requestQuery = `SELECT ` + communityColumns + `, r.id, r.org, r.person, r.message, r.accepted, r.state, r.reason, r.created, r.decided
	FROM accounts_request r JOIN accounts_community c ON c.id = r.community `

func scanRequest(s db.Row) (r JoinRequest, err error) {
	var made, created, decided int64
	c := &r.Community
	err = s.Scan(&c.ID, &c.Alias, &c.Name, marking{&c.Unmarked}, &c.Blind, &made, &c.Home,
		&r.ID, &r.Org, &r.Person, &r.Message, &r.Version, &r.State, &r.Reason, &created, &decided)
	c.Created, r.Created, r.Decided = when(made), when(created), when(decided)
	return r, err
}

func readRequest(q db.Querier, id RequestID) (JoinRequest, error) {
	r, err := scanRequest(q.QueryRow(requestQuery+`WHERE r.id = ?`, id))
	return r, orNotFound(err, "no request %.80s", id)
}

func insertRequest(tx *db.Tx, r JoinRequest, now int64) error {
	_, err := tx.Exec(`INSERT INTO accounts_request (id, community, org, person, message, accepted, state, reason, created, decided) VALUES (?, ?, ?, ?, ?, ?, 'open', '', ?, 0)`,
		r.ID, r.Community.ID, r.Org, r.Person, r.Message, r.Version, now)
	return err
}

func decideRequest(tx *db.Tx, id RequestID, state RequestState, reason string, now int64) error {
	_, err := tx.Exec(`UPDATE accounts_request SET state = ?, reason = ?, decided = ? WHERE id = ?`, state, reason, now, id)
	return err
}
