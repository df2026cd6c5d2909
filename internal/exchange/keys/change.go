package keys

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/audit"
	"github.com/polder-exchange/polder/internal/db"
	"github.com/polder-exchange/polder/internal/journal"
	"github.com/polder-exchange/polder/internal/seal"
)

// begin makes the first keys of an owner that lives on this node, unless it has some.
func (s *Service) begin(ctx context.Context, id polder.OrgID) error {
	return s.write(ctx, func(tx *db.Tx) error {
		have, err := loadOwner(tx, id)
		if err != nil || have != nil {
			return err
		}
		sign, box, err := s.generate()
		if err != nil {
			return err
		}
		c, err := seal.Begin(string(id), s.o.Now(), sign, box.Public())
		if err != nil {
			return err
		}
		if err := s.keepOwn(tx, id, sign, &box); err != nil {
			return err
		}
		return s.keep(tx, polder.Actor{}, seal.Chain{}, c, nil)
	})
}

// write runs fn in a transaction, after which what was read is read afresh, and peers are told.
func (s *Service) write(ctx context.Context, fn func(tx *db.Tx) error) error {
	return s.o.DB.Write(ctx, func(tx *db.Tx) error {
		if err := fn(tx); err != nil {
			return err
		}
		tx.OnCommit(s.changed.ring)
		return bumpVersion(tx)
	})
}

// box is a private key that opens, beside the seed it is kept by.
type box struct {
	seal.PrivateKey
	seed [32]byte
}

func (s *Service) generate() (seal.SigningKey, box, error) {
	sign, err := seal.GenerateSigningKey(s.o.Rand)
	if err != nil {
		return sign, box{}, err
	}
	var b box
	if _, err := io.ReadFull(s.o.Rand, b.seed[:]); err != nil {
		return sign, b, fmt.Errorf("make a key: %w", err)
	}
	b.PrivateKey = seal.NewPrivateKey(b.seed)
	return sign, b, nil
}

// keepOwn keeps the private keys that an owner has from now on; the one that signed before is forgotten.
func (s *Service) keepOwn(tx *db.Tx, id polder.OrgID, sign seal.SigningKey, open *box) error {
	key, seed := string(sign.Public().ID()), sign.Seed()
	if err := insertOwnKey(tx, id, "sign", key, seed[:]); err != nil {
		return err
	}
	if err := dropSigningKeys(tx, id, key); err != nil || open == nil {
		return err
	}
	return insertOwnKey(tx, id, "seal", string(open.Public().ID()), open.seed[:])
}

// keep stores what a chain has over the one that was known, with an entry in the audit for each statement. theirs are
// the numbers that another node gave them, if it did.
func (s *Service) keep(tx *db.Tx, by polder.Actor, before, after seal.Chain, theirs *homeMarks) error {
	owner := polder.OrgID(after.Owner())
	last, err := journal.Last(tx)
	if err != nil {
		return err
	}
	if before.Len() == 0 {
		n, err := countOwners(tx)
		if err != nil {
			return err
		}
		if n >= maxOwners {
			return polder.Errorf(polder.Unavailable, "this node knows the keys of %d organisations and takes no more", n)
		}
	}
	fresh := after.Statements()[before.Len():]
	for _, st := range fresh { // before anything is stored, so that what is refused leaves nothing
		if k, ok := st.NewKey(); ok {
			if err := freeKey(tx, k.ID(), owner); err != nil {
				return err
			}
		}
	}
	for _, st := range fresh {
		if k, ok := st.NewKey(); ok {
			if err := insertKey(tx, k.ID(), owner); err != nil {
				return err
			}
		}
		row := stored{owner: owner, n: st.N, body: st.Raw(), mark: mark{at: int64(last), seen: int64(polder.SeqAt(s.o.Now()))}}
		if err := insertStatement(tx, row); err != nil {
			return err
		}
		e := audit.EntryOf(by)
		e.Action, e.Object, e.Detail = "keys."+string(st.Act), string(owner), map[string]string{"statement": strconv.Itoa(st.N), "by": string(st.By)}
		if theirs != nil {
			e.Detail["from"] = string(theirs.home)
		}
		if err := s.o.Audit.Append(tx, e); err != nil {
			return err
		}
	}
	return nil
}

// Change is what an owner's administrator wants to do with its keys.
type Change struct {
	Act      seal.KeyAct      // rotate, revoke or recovery
	Keys     []seal.KeyID     // revoke: which; none is all that are good now
	Recovery *seal.SigningKey // signs in place of the key in force
	Fresh    seal.SigningKey  // recovery: the new recovery key, of [Service.NewRecovery], written down by now
}

// NewRecovery makes a recovery key, which is stored nowhere here. It counts for nothing until [Service.Change] says so.
func (s *Service) NewRecovery() (seal.SigningKey, error) { return seal.GenerateSigningKey(s.o.Rand) }

// Change changes the keys of an owner that lives on this node. Who may, the caller has found out.
func (s *Service) Change(ctx context.Context, by polder.Actor, id polder.OrgID, want Change) (out seal.Chain, err error) {
	if _, err := s.ensure(ctx, id); err != nil {
		return out, err
	}
	local, err := s.local(ctx, id)
	if err != nil {
		return out, err
	}
	if !local {
		return out, polder.Errorf(polder.Forbidden, "%s lives on another node; its keys change there", id)
	}
	err = s.write(ctx, func(tx *db.Tx) error {
		out, err = s.change(tx, by, id, want)
		return err
	})
	return out, err
}

func (s *Service) change(tx *db.Tx, by polder.Actor, id polder.OrgID, want Change) (out seal.Chain, err error) {
	have, err := loadOwner(tx, id)
	if err != nil {
		return out, err
	}
	c := have.chain
	say := seal.NewStatement{Act: want.Act, Now: s.o.Now()}
	if want.Recovery != nil {
		if k, ok := c.Recovery(); !ok || k != want.Recovery.Public() {
			return out, polder.Errorf(polder.Forbidden, "that is not the recovery key of %s", id)
		}
		say.By = *want.Recovery
	} else if say.By, err = loadSigning(tx, id, c); err != nil {
		return out, err
	}
	sign, open, err := s.generate()
	if err != nil {
		return out, err
	}
	if err := plan(&say, c, want, sign, open); err != nil {
		return out, err
	}
	next, err := c.Say(say)
	if err != nil {
		return out, polder.Errorf(polder.Conflict, "%w", err)
	}
	if want.Act != seal.KeyRecovery && !say.Fresh.IsZero() {
		opens := &open
		if say.Seal == nil {
			opens = nil
		}
		if err := s.keepOwn(tx, id, sign, opens); err != nil {
			return out, err
		}
	}
	return next, s.keep(tx, by, c, next, nil)
}

// plan fills in what is said: which keys go, and whether others follow.
func plan(say *seal.NewStatement, c seal.Chain, want Change, sign seal.SigningKey, open box) error {
	public := open.Public()
	switch want.Act {
	case seal.KeyRotate:
		say.Fresh = sign
		return nil
	case seal.KeyRecovery:
		if say.Fresh = want.Fresh; say.Fresh.IsZero() {
			return polder.Errorf(polder.Invalid, "there is no recovery key to be set")
		}
		return nil
	case seal.KeyRevoke:
	default:
		return polder.Errorf(polder.Invalid, "keys are rotated or revoked, or a recovery key is made; not %q", want.Act)
	}
	say.Revoked = want.Keys
	for _, k := range c.Keys() {
		if id := k.Key.ID(); len(want.Keys) == 0 && k.Revoked == 0 {
			say.Revoked = append(say.Revoked, id)
		}
	}
	if over := len(say.Revoked) - maxAtOnce; over > 0 && len(want.Keys) == 0 {
		say.Revoked = say.Revoked[over:] // older ones are long past their seven days
	}
	if slices.Contains(say.Revoked, c.InForce().ID()) {
		say.Fresh, say.Seal = sign, &public
	}
	return nil
}

// maxAtOnce is how many keys one statement revokes.
const maxAtOnce = 16

// homeMarks are the numbers that the home of communities gave to statements of one owner, from statement first on.
type homeMarks struct {
	home  polder.OrgID
	first int
	marks []mark
}

// Learn is what [exchange.NodeKeys] asks for. What contradicts a chain that is known, or holds another owner's key, is a
// Conflict, and kept as evidence; the chain of who lives on this node begins here and nowhere else.
func (s *Service) Learn(ctx context.Context, id polder.OrgID, chain []json.RawMessage) error {
	if len(chain) > seal.MaxStatements {
		return polder.Errorf(polder.Invalid, "%d statements came of %s; at most %d are read", len(chain), id, seal.MaxStatements)
	}
	return s.learnFrom(ctx, "", []told{{owner: id, chain: chain}}, true)
}

// extend adds statements to a chain; its errors are of the kind that who sent them did wrong.
func extend(c seal.Chain, chain []json.RawMessage) (seal.Chain, error) {
	bodies := make([][]byte, len(chain))
	for i, raw := range chain {
		bodies[i] = raw
	}
	next, err := c.Extend(bodies)
	switch {
	case errors.Is(err, seal.ErrOtherChain):
		return c, polder.Errorf(polder.Conflict, "%w", err)
	case err != nil:
		return c, polder.Errorf(polder.Invalid, "%w", err)
	}
	return next, nil
}

// chainIn is the chain of an owner in a transaction, empty where there is none.
func chainIn(tx *db.Tx, id polder.OrgID) (seal.Chain, error) {
	have, err := loadOwner(tx, id)
	if err != nil || have == nil {
		return seal.Chain{}, err
	}
	return have.chain, nil
}

// learnIn stores what is new of a chain, or nothing at all.
func (s *Service) learnIn(tx *db.Tx, t told) error {
	before, err := chainIn(tx, t.owner)
	if err != nil {
		return err
	}
	next, err := extend(before, t.chain)
	if err != nil {
		return err
	}
	if next.Owner() != string(t.owner) {
		return polder.Errorf(polder.Invalid, "the statements are of %q; asked for were those of %s", next.Owner(), t.owner)
	}
	if before.Len() == 0 {
		local, err := s.local(tx.Context(), t.owner)
		if err != nil {
			return err
		}
		if local {
			return polder.Errorf(polder.Conflict, "%s lives on this node; its keys begin here and nowhere else", t.owner)
		}
	}
	if err := s.keep(tx, polder.Actor{}, before, next, t.marks); err != nil || t.marks == nil {
		return err
	}
	for i, m := range t.marks.marks {
		if n := t.marks.first + i; n <= next.Len() {
			if err := insertMark(tx, t.marks.home, t.owner, n, m); err != nil {
				return err
			}
		}
	}
	return nil
}

// evidence are the statements of a refused chain that say something else than what is known: of the same number, or
// with a key that is another owner's.
func (s *Service) evidence(tx *db.Tx, t told, from polder.OrgID) (out []dispute) {
	have, err := chainIn(tx, t.owner)
	if err != nil {
		return nil
	}
	for _, raw := range t.chain {
		st, err := seal.ParseStatement(raw)
		if err != nil || st.N <= have.Len() && have.Statement(st.N).Hash() == st.Hash() {
			continue
		}
		return []dispute{{hash: st.Hash(), owner: t.owner, n: st.N, body: raw, source: from, seen: int64(polder.SeqAt(s.o.Now()))}}
	}
	return nil
}

// dispute keeps evidence that two stories are told about an owner.
func (s *Service) dispute(ctx context.Context, d dispute) error {
	return s.o.DB.Write(ctx, func(tx *db.Tx) error {
		fresh, err := insertDispute(tx, d)
		if err != nil || !fresh {
			return err
		}
		s.o.Log.Warn("two stories are told about the keys of an organisation", "owner", d.owner, "statement", d.n)
		return s.o.Audit.Append(tx, audit.Entry{Action: "keys.dispute", Object: string(d.owner), Detail: map[string]string{"statement": strconv.Itoa(d.n), "from": string(d.source)}})
	})
}
