package accounts

import (
	"context"
	"errors"
	"net/netip"
	"strings"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/webauthn"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/db"
)

// BeginAdd asks an authenticator for a new passkey of by's own account, after a proof of who asks.
func (p *Passkeys) BeginAdd(ctx context.Context, by polder.Actor, proof Proof, from netip.Addr) (key string, question []byte, err error) {
	if err := p.mayBegin(from); err != nil {
		return "", nil, err
	}
	if err := p.s.prove(ctx, by, proof, p.tickets); err != nil {
		return "", nil, err
	}
	h, err := p.holder(ctx, by.Person)
	if err != nil {
		return "", nil, err
	}
	if len(h.keys) >= maxPasskeys {
		return "", nil, errManyPasskeys
	}
	options, data, err := p.rp.BeginRegistration(h, webauthn.WithExclusions(webauthn.Credentials(h.keys).CredentialDescriptors()))
	if err != nil {
		return "", nil, err
	}
	return p.begin(passkeyCeremony{data: *data, by: by.Person, to: toAdd, here: proof.Session}, options)
}

var errManyPasskeys = polder.Errorf(polder.Conflict, "a person keeps at most %d passkeys; remove one first", maxPasskeys)

// Add keeps the passkey that an authenticator made, under a name that its person gives it; empty: "Passkey".
func (p *Passkeys) Add(ctx context.Context, by polder.Actor, key, name string, answer []byte, here SessionID) (Passkey, error) {
	c, ok := p.ceremony.finish(key)
	if !ok || c.to != toAdd || c.by != by.Person || c.here != here {
		return Passkey{}, ErrFlow
	}
	name, err := passkeyName(name)
	if err != nil {
		return Passkey{}, err
	}
	h, err := p.holder(ctx, by.Person)
	if err != nil {
		return Passkey{}, err
	}
	refused := polder.Errorf(polder.Invalid, "the authenticator did not answer as it should; try again, or with another one")
	if len(answer) > maxPasskeyAnswer {
		return Passkey{}, refused
	}
	parsed, err := protocol.ParseCredentialCreationResponseBytes(answer)
	if err != nil {
		return Passkey{}, refused
	}
	made, err := p.rp.CreateCredential(h, c.data, parsed)
	if err != nil {
		return Passkey{}, refused
	}
	return p.insert(ctx, by, name, made)
}

func (p *Passkeys) insert(ctx context.Context, by polder.Actor, name string, made *webauthn.Credential) (Passkey, error) {
	id, err := p.s.ids.word(10)
	if err != nil {
		return Passkey{}, err
	}
	k := Passkey{ID: PasskeyID(id), Name: name}
	err = p.s.change(ctx, by, func(c *change) error {
		var n int
		if err := c.tx.QueryRow(`SELECT count(*) FROM accounts_passkey WHERE person = ?`, c.by.Person).Scan(&n); err != nil {
			return err
		}
		if n >= maxPasskeys {
			return errManyPasskeys
		}
		if _, err := readCredential(c.tx, made.ID); polder.KindOf(err) != polder.NotFound {
			return errors.Join(polder.Errorf(polder.Conflict, "this passkey is here already"), err)
		}
		k.Created = when(c.now)
		_, err := c.tx.Exec(`INSERT INTO accounts_passkey (id, credential, person, name, key, counter, eligible, created, used, cloned) VALUES (?, ?, ?, ?, ?, ?, ?, ?, 0, 0)`,
			id, made.ID, c.by.Person, name, made.PublicKey, made.Authenticator.SignCount, made.Flags.BackupEligible, c.now)
		if err != nil {
			return err
		}
		return c.log("passkey.add", "", id)
	})
	if err != nil {
		return Passkey{}, err
	}
	return k, nil
}

func passkeyName(name string) (string, error) {
	if strings.TrimSpace(name) == "" {
		return "Passkey", nil
	}
	return cleanName("name of the passkey", name, maxKeyName)
}

// Rename gives one of by's own passkeys another name.
func (p *Passkeys) Rename(ctx context.Context, by polder.Actor, id PasskeyID, name string) error {
	name, err := passkeyName(name)
	if err != nil {
		return err
	}
	return p.s.change(ctx, by, func(c *change) error {
		if err := c.ownPasskey(id); err != nil {
			return err
		}
		if _, err := c.tx.Exec(`UPDATE accounts_passkey SET name = ? WHERE id = ?`, name, id); err != nil {
			return err
		}
		return c.log("passkey.rename", "", string(id))
	})
}

// Remove takes one of by's own passkeys away, after a proof of who asks, and ends the sessions that began by passkey.
func (p *Passkeys) Remove(ctx context.Context, by polder.Actor, id PasskeyID, proof Proof) error {
	if err := p.s.prove(ctx, by, proof, p.tickets); err != nil {
		return err
	}
	return p.s.change(ctx, by, func(c *change) error {
		if err := c.ownPasskey(id); err != nil {
			return err
		}
		return c.removePasskeys(c.by.Person, id)
	})
}

func (c *change) ownPasskey(id PasskeyID) error {
	ok, err := exists(c.tx, `SELECT 1 FROM accounts_passkey WHERE id = ? AND person = ?`, id, c.by.Person)
	if err == nil && (!ok || c.by.Person == "") {
		err = polder.Errorf(polder.NotFound, "no passkey %.40s", id)
	}
	return err
}

func (c *change) removePasskeys(person polder.PersonID, id PasskeyID) error {
	if _, err := c.tx.Exec(`DELETE FROM accounts_passkey WHERE person = ?1 AND (id = ?2 OR ?2 = '')`, person, id); err != nil {
		return err
	}
	if err := c.lastWay(person); err != nil {
		return err
	}
	if err := c.endSessionsBy(person, ByPasskey); err != nil {
		return err
	}
	return c.log("passkey.remove", "", string(id), "person", string(person))
}

// Of lists a person's passkeys, oldest first. It checks no right: the caller shows them to the person.
func (p *Passkeys) Of(ctx context.Context, person polder.PersonID) ([]Passkey, error) {
	return list(p.s.read(ctx), func(r db.Row) (k Passkey, err error) {
		var created, used, cloned int64
		err = r.Scan(&k.ID, &k.Name, &created, &used, &cloned)
		k.Created, k.Used, k.Cloned = when(created), when(used), when(cloned)
		return k, err
	}, `SELECT id, name, created, used, cloned FROM accounts_passkey WHERE person = ? ORDER BY created, id`, person)
}

// kept is a passkey as it is stored.
type kept struct {
	id       PasskeyID
	person   polder.PersonID
	credID   []byte
	key      []byte
	counter  uint32
	eligible bool
	cloned   int64
}

func (k kept) credential() webauthn.Credential {
	return webauthn.Credential{
		ID: k.credID, PublicKey: k.key, AttestationType: "none",
		Flags:         webauthn.CredentialFlags{UserPresent: true, UserVerified: true, BackupEligible: k.eligible},
		Authenticator: webauthn.Authenticator{SignCount: k.counter},
	}
}

const keptColumns = `id, person, credential, key, counter, eligible, cloned`

func scanKept(r db.Row) (k kept, err error) {
	err = r.Scan(&k.id, &k.person, &k.credID, &k.key, &k.counter, &k.eligible, &k.cloned)
	return k, err
}

func readCredential(q db.Querier, credential []byte) (kept, error) {
	k, err := scanKept(q.QueryRow(`SELECT `+keptColumns+` FROM accounts_passkey WHERE credential = ?`, credential))
	return k, orNotFound(err, "no such passkey")
}

func listCredentials(q db.Querier, person polder.PersonID) ([]kept, error) {
	return list(q, scanKept, `SELECT `+keptColumns+` FROM accounts_passkey WHERE person = ? AND cloned = 0 ORDER BY created, id`, person)
}
