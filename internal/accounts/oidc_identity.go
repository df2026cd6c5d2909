package accounts

import (
	"context"
	"net/url"
	"time"
	"unicode/utf8"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/db"
)

// Identity is somebody as a provider knows them. Issuer and Subject together are the key of it; an e-mail address is
// none, since a provider can give it to somebody else tomorrow.
type Identity struct {
	Issuer  string
	Subject string
	Linked  time.Time
	Used    time.Time // zero: not yet
}

// ID names the identity in addresses, where the subject itself does not belong.
func (i Identity) ID() string {
	return base32Lower.EncodeToString(digest(i.Issuer + "\x00" + i.Subject)[:10])
}

func (i Identity) check() error {
	u, err := url.Parse(i.Issuer)
	if err != nil || u.Scheme != "https" || u.Host == "" || len(i.Issuer) > 512 {
		return polder.Errorf(polder.Invalid, "the issuer %.200q is no https address", i.Issuer)
	}
	if i.Subject == "" || len(i.Subject) > maxSubject || !utf8.ValidString(i.Subject) {
		return polder.Errorf(polder.Invalid, "a subject is 1 to %d characters, as the provider names the person", maxSubject)
	}
	for _, r := range i.Subject {
		if hidden(r) {
			return polder.Errorf(polder.Invalid, "the subject holds characters that cannot be seen")
		}
	}
	return nil
}

// LinkIdentity lets whoever the provider knows as id log in as a person: one's own account, or, for whoever may change
// the person, another's. An identity belongs to one person.
func (s *Service) LinkIdentity(ctx context.Context, by polder.Actor, person polder.PersonID, id Identity) error {
	if err := id.check(); err != nil {
		return err
	}
	return s.change(ctx, by, func(c *change) error {
		if err := c.ownOrManaged(person); err != nil {
			return err
		}
		switch have, err := identityOwner(c.tx, id); {
		case err == nil && have == person:
			return nil
		case err == nil:
			return polder.Errorf(polder.Conflict, "this account of the provider is linked to somebody already; unlink it there first")
		case polder.KindOf(err) != polder.NotFound:
			return err
		}
		var n int
		if err := c.tx.QueryRow(`SELECT count(*) FROM accounts_identity WHERE person = ?`, person).Scan(&n); err != nil {
			return err
		}
		if n >= maxIdentities {
			return polder.Errorf(polder.Conflict, "at most %d accounts of providers are linked to a person; unlink one first", maxIdentities)
		}
		if _, err := c.tx.Exec(`INSERT INTO accounts_identity (issuer, subject, person, linked, used) VALUES (?, ?, ?, ?, 0)`, id.Issuer, id.Subject, person, c.now); err != nil {
			return err
		}
		return c.log("person.link", "", string(person), "issuer", id.Issuer)
	})
}

// UnlinkIdentity takes back [Service.LinkIdentity], and ends the person's sessions that began at a provider.
func (s *Service) UnlinkIdentity(ctx context.Context, by polder.Actor, person polder.PersonID, id Identity) error {
	return s.change(ctx, by, func(c *change) error {
		if err := c.ownOrManaged(person); err != nil {
			return err
		}
		got, err := c.tx.Exec(`DELETE FROM accounts_identity WHERE issuer = ? AND subject = ? AND person = ?`, id.Issuer, id.Subject, person)
		if err != nil {
			return err
		}
		if n, err := got.RowsAffected(); err != nil || n == 0 {
			return polder.Errorf(polder.NotFound, "no such account of a provider is linked to this person")
		}
		if err := c.lastWay(person); err != nil {
			return err
		}
		if err := c.endSessionsBy(person, ByProvider); err != nil {
			return err
		}
		return c.log("person.unlink", "", string(person), "issuer", id.Issuer)
	})
}

// endSessionsBy ends a person's sessions that began by way.
func (c *change) endSessionsBy(person polder.PersonID, way Way) error {
	_, err := c.tx.Exec(`UPDATE accounts_session SET ended = ? WHERE person = ? AND way = ? AND ended = 0`, c.now, person, string(way))
	return err
}

// Unlink takes an identity from by's own account, after a proof of who asks. passkeys may be that proof; nil when there
// are none.
func (s *Service) Unlink(ctx context.Context, by polder.Actor, id Identity, proof Proof, passkeys *Passkeys) error {
	var tickets *ceremonies[ticket]
	if passkeys != nil {
		tickets = passkeys.tickets
	}
	if err := s.prove(ctx, by, proof, tickets); err != nil {
		return err
	}
	return s.UnlinkIdentity(ctx, by, by.Person, id)
}

// ownOrManaged tells whether by may change how a person logs in: the own account, or that of somebody below.
func (c *change) ownOrManaged(person polder.PersonID) error {
	if c.by.Person != "" && c.by.Person == person {
		return nil
	}
	_, err := c.manage(person)
	return err
}

// Identities are the accounts at providers that are linked to a person. It checks no right: the caller shows them to the
// person, or to whoever may change the person.
func (s *Service) Identities(ctx context.Context, person polder.PersonID) ([]Identity, error) {
	return list(s.read(ctx), func(r db.Row) (i Identity, err error) {
		var linked, used int64
		err = r.Scan(&i.Issuer, &i.Subject, &linked, &used)
		i.Linked, i.Used = when(linked), when(used)
		return i, err
	}, `SELECT issuer, subject, linked, used FROM accounts_identity WHERE person = ? ORDER BY linked, issuer, subject`, person)
}

func identityOwner(q db.Querier, id Identity) (p polder.PersonID, err error) {
	err = q.QueryRow(`SELECT person FROM accounts_identity WHERE issuer = ? AND subject = ?`, id.Issuer, id.Subject).Scan(&p)
	return p, orNotFound(err, "nobody has linked this account of a provider")
}

// useIdentity notes that a person logs in by id now; NotFound when it is no longer linked to that person.
func useIdentity(tx *db.Tx, id Identity, person polder.PersonID, now int64) error {
	got, err := tx.Exec(`UPDATE accounts_identity SET used = ? WHERE issuer = ? AND subject = ? AND person = ?`, now, id.Issuer, id.Subject, person)
	if err != nil {
		return err
	}
	if n, err := got.RowsAffected(); err != nil || n == 0 {
		return polder.Errorf(polder.NotFound, "nobody has linked this account of a provider")
	}
	return nil
}
