package accounts

import (
	"context"
	"strconv"
	"time"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/db"
)

// firstAgreement is what a community's members accept until a steward writes something else.
const firstAgreement = `Members share what they know of threats so that all are safer.

1. What you receive here you use to protect your own organisation and those you answer for.
2. You pass it on only as far as its TLP marking allows. When in doubt, ask in the community first.
3. You do not try to find out who shared something that is shown as coming from "a member".
4. You share what you believe to be true, and withdraw it when you learn that it is not.
5. You tell the stewards at once when what you received here has come into other hands.
6. These duties last after you leave.
`

// Agreement is one version of the text under which a community shares.
type Agreement struct {
	Community polder.CommunityID
	Version   int // 1, 2, …
	Text      string
	Written   time.Time
}

// Acceptance says who accepted which version for whom, and when.
type Acceptance struct {
	Community polder.CommunityID
	Org       polder.OrgID
	Version   int
	Person    polder.PersonID // empty: the administrator at the machine
	Name      string          // as it was then
	Accepted  time.Time
}

// SetAgreement writes the next version of a community's agreement. With anew every member has to accept it before it
// sees anything again; without, it is shown to those who join from now on. Stewards may, and administrators.
func (s *Service) SetAgreement(ctx context.Context, by polder.Actor, id polder.CommunityID, text string, anew bool) (Agreement, error) {
	text, err := cleanText("agreement", text, maxAgreed)
	if err != nil {
		return Agreement{}, err
	}
	if text == "" {
		return Agreement{}, polder.Errorf(polder.Invalid, "the agreement is empty; write what members promise each other")
	}
	var a Agreement
	err = s.change(ctx, by, func(c *change) error {
		com, err := c.steward(id)
		if err != nil {
			return err
		}
		if err := lives(c.tx, com); err != nil {
			return err
		}
		have, err := currentVersion(c.tx, com.ID)
		if err != nil {
			return err
		}
		a = Agreement{Community: com.ID, Version: have + 1, Text: text, Written: when(c.now)}
		if err := insertAgreement(c.tx, com.ID, a.Version, text, c.now); err != nil {
			return err
		}
		if err := setVersion(c.tx, com.ID, a.Version, anew); err != nil {
			return err
		}
		return c.log("agreement.set", com.ID, "", "version", strconv.Itoa(a.Version), "anew", strconv.FormatBool(anew))
	})
	return a, err
}

// Agreement is a community's current agreement. Anybody who knows the community may read it: it is what one accepts
// before one belongs to it.
func (s *Service) Agreement(ctx context.Context, id polder.CommunityID) (Agreement, error) {
	return readAgreement(s.read(ctx), id)
}

// AcceptAgreement accepts the current agreement for by's organisation, which is a member or becomes none of it:
// NotFound without a membership. A named person accepts who may act for the organisation, so contributor or above;
// version is the one that was read, and Conflict says that there is a newer one.
func (s *Service) AcceptAgreement(ctx context.Context, by polder.Actor, id polder.CommunityID, version int) error {
	return s.change(ctx, by, func(c *change) error {
		if err := c.maySign(); err != nil {
			return err
		}
		m, err := membershipOf(c.tx, c.by, id)
		if err != nil {
			return err
		}
		if err := isCurrent(c.tx, m.ID, version); err != nil {
			return err
		}
		return c.accept(m.ID, c.by.Org, version)
	})
}

// maySign refuses who may not accept an agreement for an organisation.
func (c *change) maySign() error {
	switch {
	case c.by.Person == "":
		return polder.Errorf(polder.Forbidden, "an agreement is accepted by a named person; log in on the console")
	case c.by.Role < polder.RoleContributor:
		return polder.Errorf(polder.Forbidden, "an agreement is accepted by somebody who may act for the organisation: a contributor, steward or administrator")
	}
	return nil
}

// isCurrent refuses a version of the agreement that is not the current one.
func isCurrent(q db.Querier, id polder.CommunityID, version int) error {
	have, err := currentVersion(q, id)
	if err == nil && have != version {
		err = polder.Errorf(polder.Conflict, "the agreement has changed since you read it; read version %d", have)
	}
	return err
}

// accept writes down that by accepted a version for org.
func (c *change) accept(id polder.CommunityID, org polder.OrgID, version int) error {
	a := Acceptance{Community: id, Org: org, Version: version, Person: c.by.Person, Name: c.by.Name}
	return c.acceptAs(a)
}

func (c *change) acceptAs(a Acceptance) error {
	if _, err := c.tx.Exec(`UPDATE accounts_membership SET accepted = ? WHERE org = ? AND community = ?`, a.Version, a.Org, a.Community); err != nil {
		return err
	}
	if err := insertAcceptance(c.tx, a, c.now); err != nil {
		return err
	}
	return c.log("agreement.accept", a.Community, "", "org", string(a.Org), "version", strconv.Itoa(a.Version), "person", string(a.Person))
}

// Acceptances are all acceptances of a community's agreements, oldest first, for its stewards and administrators.
func (s *Service) Acceptances(ctx context.Context, by polder.Actor, id polder.CommunityID) ([]Acceptance, error) {
	q := s.read(ctx)
	by, _, err := s.readActorNow(q, by)
	if err != nil {
		return nil, err
	}
	if _, err := stewardOf(q, by, id); err != nil {
		return nil, err
	}
	return listAcceptances(q, id)
}

func currentVersion(q db.Querier, id polder.CommunityID) (n int, err error) {
	err = q.QueryRow(`SELECT agreement FROM accounts_community WHERE id = ?`, id).Scan(&n)
	return n, orNotFound(err, "no community %.80q", id)
}

func readAgreement(q db.Querier, id polder.CommunityID) (a Agreement, err error) {
	var written int64
	err = q.QueryRow(`SELECT a.community, a.version, a.text, a.written FROM accounts_agreement a JOIN accounts_community c
		ON c.id = a.community AND c.agreement = a.version WHERE c.id = ?`, id).Scan(&a.Community, &a.Version, &a.Text, &written)
	a.Written = when(written)
	return a, orNotFound(err, "no community %.80q", id)
}

func insertAgreement(tx *db.Tx, id polder.CommunityID, version int, text string, now int64) error {
	_, err := tx.Exec(`INSERT INTO accounts_agreement (community, version, text, written) VALUES (?, ?, ?, ?)`, id, version, text, now)
	return err
}

func setVersion(tx *db.Tx, id polder.CommunityID, version int, anew bool) error {
	_, err := tx.Exec(`UPDATE accounts_community SET agreement = ?1, needed = iif(?2, ?1, needed) WHERE id = ?3`, version, anew, id)
	return err
}

func insertAcceptance(tx *db.Tx, a Acceptance, now int64) error {
	_, err := tx.Exec(`INSERT INTO accounts_acceptance (community, org, version, person, name, accepted) VALUES (?, ?, ?, ?, ?, ?)`,
		a.Community, a.Org, a.Version, a.Person, a.Name, now)
	return err
}

func listAcceptances(q db.Querier, id polder.CommunityID) ([]Acceptance, error) {
	return list(q, func(r db.Row) (a Acceptance, err error) {
		var accepted int64
		err = r.Scan(&a.Community, &a.Org, &a.Version, &a.Person, &a.Name, &accepted)
		a.Accepted = when(accepted)
		return a, err
	}, `SELECT community, org, version, person, name, accepted FROM accounts_acceptance WHERE community = ? ORDER BY id`, id)
}
