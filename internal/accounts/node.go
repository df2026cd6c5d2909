package accounts

import (
	"context"
	"database/sql"
	"errors"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/db"
)

// Init is what a new node begins with. Password and Token are stored nowhere.
type Init struct {
	Org      polder.Org // the organisation that runs the node
	Admin    string     // the administrator's log-in name
	Password string     // to be changed at the first log-in
	Token    string     // an admin token
}

// AdminName is the log-in name of a node's first administrator.
const AdminName = "admin"

// Init makes the organisation that runs the node, its first administrator and an admin token. It works once per node;
// after that it is a Conflict.
func (s *Service) Init(ctx context.Context, name, country string) (Init, error) {
	password, hash, err := s.generated(ctx)
	if err != nil {
		return Init{}, err
	}
	got := Init{Admin: AdminName, Password: password}
	err = s.change(ctx, Local(), func(c *change) error {
		var have polder.OrgID
		if err := c.tx.QueryRow(`SELECT org FROM accounts_state WHERE id = 1`).Scan(&have); err != nil {
			return err
		}
		if have != "" {
			return polder.Errorf(polder.Conflict, "the node is initialised already; choose an empty folder for a new one")
		}
		if got.Org, err = c.addOrg(NewOrg{Name: name, Country: country}); err != nil {
			return err
		}
		if _, err := c.tx.Exec(`UPDATE accounts_state SET org = ? WHERE id = 1`, got.Org.ID); err != nil {
			return err
		}
		if _, err := c.addPerson(NewPerson{Org: got.Org.ID, Email: AdminName, Name: "Administrator", Role: polder.RoleAdmin}, hash); err != nil {
			return err
		}
		if _, got.Token, err = c.createToken(NewToken{Org: got.Org.ID, Role: polder.RoleAdmin, Name: "init"}); err != nil {
			return err
		}
		return c.log("node.init", "", string(got.Org.ID))
	})
	if err != nil {
		return Init{}, err
	}
	return got, nil
}

// Host is the organisation that runs the node; NotFound before [Service.Init].
func (s *Service) Host(ctx context.Context) (polder.Org, error) {
	q := s.read(ctx)
	var id polder.OrgID
	if err := q.QueryRow(`SELECT org FROM accounts_state WHERE id = 1`).Scan(&id); err != nil {
		return polder.Org{}, err
	}
	if id == "" {
		return polder.Org{}, polder.Errorf(polder.NotFound, "the node is not initialised; run polder init first")
	}
	return readOrg(q, id)
}

// NodeKey is a secret of the node, of 32 bytes, for one use: to sign cursors, to name what must not be told. It is made
// the first time it is asked for and stays.
func (s *Service) NodeKey(ctx context.Context, name string) (key []byte, err error) {
	key, err = readKey(s.read(ctx), name)
	if !errors.Is(err, sql.ErrNoRows) {
		return key, err
	}
	err = s.db.Write(ctx, func(tx *db.Tx) error {
		key, err = s.nodeKeyTx(tx, name)
		return err
	})
	return key, err
}

func (s *Service) nodeKeyTx(tx *db.Tx, name string) ([]byte, error) {
	key, err := readKey(tx, name)
	if !errors.Is(err, sql.ErrNoRows) {
		return key, err
	}
	if key, err = s.ids.bytes(32); err != nil {
		return nil, err
	}
	_, err = tx.Exec(`INSERT INTO accounts_key (name, key) VALUES (?, ?)`, name, key)
	return key, err
}

func readKey(q db.Querier, name string) (key []byte, err error) {
	err = q.QueryRow(`SELECT key FROM accounts_key WHERE name = ?`, name).Scan(&key)
	return key, err
}
