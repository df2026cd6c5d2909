package accounts

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/db"
	"github.com/polder-exchange/polder/stix"
)

// AddCommunity makes a community; only an administrator may. unmarked is the level given to objects without one:
// stix.None refuses them, clear and green are the choices (rule X2). The alias follows from the name (rule X25). It
// begins with an agreement of ours, which a steward replaces by [Service.SetAgreement].
func (s *Service) AddCommunity(ctx context.Context, by polder.Actor, name string, unmarked stix.Marking) (polder.Community, error) {
	name, err := cleanName("name of the community", name, MaxName)
	if err != nil {
		return polder.Community{}, err
	}
	if err := checkUnmarked(unmarked); err != nil {
		return polder.Community{}, err
	}
	var com polder.Community
	err = s.change(ctx, by, func(c *change) error {
		if err := c.needAdmin("add a community"); err != nil {
			return err
		}
		com, err = c.addCommunity(name, unmarked)
		return err
	})
	return com, err
}

func checkUnmarked(m stix.Marking) error {
	if m == stix.None || m == stix.Clear || m == stix.Green {
		return nil
	}
	return polder.Errorf(polder.Invalid, "objects without a level can be refused, or taken as clear or green; nothing else is safe to assume")
}

func (c *change) addCommunity(name string, unmarked stix.Marking) (polder.Community, error) {
	id, err := c.s.ids.uuid()
	if err != nil {
		return polder.Community{}, err
	}
	blind, err := c.s.ids.identity()
	if err != nil {
		return polder.Community{}, err
	}
	free, err := freeAlias(c.tx, alias(name))
	if err != nil {
		return polder.Community{}, err
	}
	com := polder.Community{ID: polder.CommunityID(id), Alias: free, Name: name, Unmarked: unmarked, Blind: polder.OrgID(blind), Created: when(c.now)}
	if err := insertCommunity(c.tx, com, c.now); err != nil {
		return polder.Community{}, err
	}
	if err := insertAgreement(c.tx, com.ID, 1, firstAgreement, c.now); err != nil {
		return polder.Community{}, err
	}
	return com, c.log("community.add", com.ID, "", "alias", free)
}

// freeAlias adds "-2", "-3" … to an alias that is taken.
func freeAlias(q db.Querier, a string) (string, error) {
	for n := 1; ; n++ {
		try := a
		if n > 1 {
			try = fmt.Sprintf("%s-%d", a, n)
		}
		taken, err := exists(q, `SELECT 1 FROM accounts_community WHERE alias = ?`, try)
		if err != nil || !taken {
			return try, err
		}
	}
}

// SetUnmarked changes what level a community gives to objects without one. An administrator may, and its stewards.
func (s *Service) SetUnmarked(ctx context.Context, by polder.Actor, id polder.CommunityID, unmarked stix.Marking) error {
	if err := checkUnmarked(unmarked); err != nil {
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
		if _, err := c.tx.Exec(`UPDATE accounts_community SET unmarked = ? WHERE id = ?`, unmarked.String(), id); err != nil {
			return err
		}
		return c.log("community.unmarked", id, "", "unmarked", unmarked.String())
	})
}

// Community is one community, by its id or its alias; NotFound when there is none.
func (s *Service) Community(ctx context.Context, aliasOrID string) (polder.Community, error) {
	return readCommunity(s.read(ctx), aliasOrID)
}

// Communities are all communities of the node, by alias.
func (s *Service) Communities(ctx context.Context) ([]polder.Community, error) {
	return list(s.read(ctx), scanCommunity, `SELECT `+communityColumns+` FROM accounts_community c ORDER BY c.alias`)
}

// BlindOf tells whose blind identity an id is, if it is one.
func (s *Service) BlindOf(ctx context.Context, id polder.OrgID) (c polder.CommunityID, ok bool, err error) {
	err = s.read(ctx).QueryRow(`SELECT id FROM accounts_community WHERE blind = ?`, id).Scan(&c)
	if errors.Is(err, sql.ErrNoRows) {
		return "", false, nil
	}
	return c, err == nil, err
}

// BlindObject is the STIX 2.1 identity object that stands for "a member" of a community (rule X20). It says nothing of
// anybody, so it is TLP:CLEAR.
func (s *Service) BlindObject(ctx context.Context, id polder.CommunityID) ([]byte, error) {
	q := s.read(ctx)
	c, err := readCommunity(q, string(id))
	if err != nil {
		return nil, err
	}
	var created, modified int64
	if err := q.QueryRow(`SELECT created, modified FROM accounts_community WHERE id = ?`, c.ID).Scan(&created, &modified); err != nil {
		return nil, err
	}
	return identity{
		ID: string(c.Blind), Created: stixTime(created), Modified: stixTime(modified),
		Name: "A member of " + c.Name, Class: "unspecified", Markings: []string{stix.Clear.ID()},
	}.bytes()
}

const communityColumns = `c.id, c.alias, c.name, c.unmarked, c.blind, c.created, c.home`

func scanCommunity(r db.Row) (c polder.Community, err error) {
	var created int64
	err = r.Scan(&c.ID, &c.Alias, &c.Name, marking{&c.Unmarked}, &c.Blind, &created, &c.Home)
	c.Created = when(created)
	return c, err
}

// readCommunity prefers an id to an alias; no alias has the form of an id.
func readCommunity(q db.Querier, aliasOrID string) (polder.Community, error) {
	c, err := scanCommunity(q.QueryRow(`SELECT `+communityColumns+` FROM accounts_community c WHERE c.id = ?1 OR c.alias = ?1`, aliasOrID))
	return c, orNotFound(err, "no community %.80q", aliasOrID)
}

func noCommunity(id polder.CommunityID) error {
	return polder.Errorf(polder.NotFound, "no community %.80q", id)
}

func insertCommunity(tx *db.Tx, c polder.Community, now int64) error {
	_, err := tx.Exec(`INSERT INTO accounts_community (id, alias, name, unmarked, blind, agreement, needed, created, modified, home) VALUES (?, ?, ?, ?, ?, 1, 1, ?, ?, ?)`,
		c.ID, c.Alias, c.Name, c.Unmarked.String(), c.Blind, now, now, c.Home)
	return err
}
