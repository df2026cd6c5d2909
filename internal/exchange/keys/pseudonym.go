package keys

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/db"
	"github.com/polder-exchange/polder/internal/exchange"
	"github.com/polder-exchange/polder/internal/fail"
	"github.com/polder-exchange/polder/internal/journal"
	"github.com/polder-exchange/polder/internal/seal"
	"github.com/polder-exchange/polder/stix"
)

// PseudonymBook signs what organisations share as "a member", each under a pseudonym of its own in each community, and
// keeps the lists in which the homes of communities certify, open and stop pseudonyms. It is a [Pseudonyms] and an
// [exchange.PeerPart].
//
// A certificate names the community, the key and a day, and nobody. Who is behind it stands in a box sealed to the
// organisations that were stewards then; there is no other record of it beside the log, in which the home of a community
// has who shared what anyway. Opening writes a line into the list first, which every member reads.
type PseudonymBook struct {
	s       *Service
	changed bell

	mu     sync.Mutex
	secret []byte
}

// NewPseudonyms makes the book of a service, after [MigratePseudonyms], and plugs it in.
func NewPseudonyms(s *Service) *PseudonymBook {
	p := &PseudonymBook{s: s, changed: make(bell, 1)}
	s.SetPseudonyms(p)
	return p
}

// pseudonymSlot is what an organisation's pseudonyms in a community are kept under.
func (p *PseudonymBook) pseudonymSlot(ctx context.Context, org polder.OrgID, c polder.CommunityID) (string, error) {
	p.mu.Lock()
	secret := p.secret
	p.mu.Unlock()
	if secret == nil {
		var err error
		if secret, err = p.s.o.Accounts.NodeKey(ctx, "pseudonym.slot"); err != nil {
			return "", err
		}
		p.mu.Lock()
		p.secret = secret
		p.mu.Unlock()
	}
	h := hmac.New(sha256.New, secret)
	fmt.Fprintf(h, "%s\n%s", org, c)
	return hex.EncodeToString(h.Sum(nil)[:16]), nil
}

// pseudonymKey is a private key of an organisation of this node.
type pseudonymKey struct {
	id  string
	key seal.SigningKey
}

// SignBlind is what [Pseudonyms] asks for. An object that one of the organisation's earlier pseudonyms signed first is
// signed by that, so that its versions stay together; every other by the present one, which is made when it is first
// needed.
func (p *PseudonymBook) SignBlind(ctx context.Context, org polder.OrgID, c polder.Community, o stix.Object) (stix.Object, error) {
	k, err := p.keyFor(ctx, org, c, o.ID)
	if err != nil {
		return o, err
	}
	form, err := o.SignedBytes()
	if err != nil {
		return o, err
	}
	id := string(k.key.Public().ID())
	if have, ok, err := o.Signature(); err == nil && ok && have.Signer == k.id && have.Key == id && k.key.Public().Verify(seal.DomainObject, form, have.Value) {
		return o, nil
	}
	return o.WithSignature(stix.Signature{Signer: k.id, Key: id, Value: k.key.Sign(seal.DomainObject, form)})
}

func (p *PseudonymBook) keyFor(ctx context.Context, org polder.OrgID, c polder.Community, id string) (pseudonymKey, error) {
	slot, err := p.pseudonymSlot(ctx, org, c.ID)
	if err != nil {
		return pseudonymKey{}, err
	}
	q := p.s.read(ctx)
	signer, err := boundTo(q, c.ID, id)
	if err != nil {
		return pseudonymKey{}, err
	}
	if seal.IsPseudonym(signer) {
		k, err := ownPseudonym(q, slot, signer)
		if err == nil || !errors.Is(err, sql.ErrNoRows) {
			return k, err
		}
	}
	k, err := ownPseudonym(q, slot, "")
	if errors.Is(err, sql.ErrNoRows) {
		k, err = p.makePseudonym(ctx, org, c, slot)
	}
	return k, err
}

// ownPseudonym is a key of a slot: that of a pseudonym, or the present one.
func ownPseudonym(q db.Querier, slot, pseudonym string) (k pseudonymKey, err error) {
	var seed []byte
	err = q.QueryRow(`SELECT pseudonym, seed FROM pseudonym_own WHERE slot = ? AND (pseudonym = ? OR ? = '' AND present = 1)`, slot, pseudonym, pseudonym).Scan(&k.id, &seed)
	if err == nil && len(seed) != 32 {
		err = errors.New("the private key of a pseudonym as it is stored is damaged")
	}
	if err == nil {
		k.key = seal.NewSigningKey([32]byte(seed))
	}
	return k, err
}

// makePseudonym makes the present pseudonym of a slot. Where the community lives here it is certified at once; else its
// home does when the node talks to it next, and what is signed meanwhile waits there.
func (p *PseudonymBook) makePseudonym(ctx context.Context, org polder.OrgID, c polder.Community, slot string) (k pseudonymKey, err error) {
	home, err := p.s.o.Accounts.HomeOfCommunity(ctx, c.ID)
	if err != nil {
		return k, err
	}
	var issue *pseudonymIssue
	if home == "" {
		if issue, err = p.issueFor(ctx, org, c, slot); err != nil {
			return k, err
		}
	}
	if k.key, err = seal.GenerateSigningKey(p.s.o.Rand); err != nil {
		return k, err
	}
	k.id = seal.PseudonymID(k.key.Public())
	err = p.s.o.DB.Write(ctx, func(tx *db.Tx) error {
		have, err := ownPseudonym(tx, slot, "")
		if err == nil { // somebody was quicker
			k = have
			return nil
		}
		if !errors.Is(err, sql.ErrNoRows) {
			return err
		}
		seed := k.key.Seed()
		if _, err := tx.Exec(`INSERT INTO pseudonym_own (slot, pseudonym, community, seed, present) VALUES (?, ?, ?, ?, 1)`, slot, k.id, string(c.ID), seed[:]); err != nil {
			return err
		}
		if issue == nil {
			return nil
		}
		_, err = issue.certify(tx, k.key.Public())
		return err
	})
	return k, err
}

// CheckBlind is what [Pseudonyms] asks for. An object without a signature is taken as it is: it is from before there were
// pseudonyms, or came by a way that keeps bytes.
func (p *PseudonymBook) CheckBlind(ctx context.Context, c polder.Community, o stix.Object, at polder.Seq) (exchange.Signature, error) {
	sig, signed, err := o.Signature()
	switch {
	case err != nil:
		return exchange.Signature{State: exchange.SignatureWrong, Reason: err.Error()}, nil
	case !signed:
		return exchange.Signature{State: exchange.SignatureNone}, nil
	}
	q := p.s.read(ctx)
	key, stopped, err := pseudonymIn(q, c.ID, sig.Signer)
	if errors.Is(err, sql.ErrNoRows) {
		key, err = ownPseudonymKey(q, c.ID, sig.Signer)
	}
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return pseudonymUnknown(sig), nil
	case err != nil:
		return exchange.Signature{}, err
	}
	return judgePseudonym(o, sig, key, stopped, func(e seal.PseudonymEntry) bool { return at != 0 && int64(at) <= e.At }), nil
}

// pseudonymUnknown is a signature by a pseudonym that was not certified, or by somebody who is none.
func pseudonymUnknown(sig stix.Signature) exchange.Signature {
	if !seal.IsPseudonym(sig.Signer) {
		return exchange.Signature{State: exchange.SignatureWrong, Signer: sig.Signer, Key: sig.Key, Reason: fmt.Sprintf("is signed by %.80s; what stands for a member is signed by a pseudonym of its community", sig.Signer)}
	}
	return exchange.Signature{State: exchange.SignatureUnknown, Signer: sig.Signer, Key: sig.Key, Reason: "the home of the community has not certified this pseudonym here"}
}

// judgePseudonym holds an object against the key of its pseudonym. before tells whether it came before an entry.
func judgePseudonym(o stix.Object, sig stix.Signature, key seal.VerifyKey, stopped *seal.PseudonymEntry, before func(seal.PseudonymEntry) bool) exchange.Signature {
	out := exchange.Signature{State: exchange.SignatureWrong, Signer: sig.Signer, Key: sig.Key}
	form, err := o.SignedBytes()
	switch {
	case err != nil:
		out.Reason = err.Error()
	case sig.Key != string(key.ID()):
		out.Reason = "names another key than that of its pseudonym"
	case !key.Verify(seal.DomainObject, form, sig.Value):
		out.Reason = "its signature does not fit: the object was changed after it was signed, or signed with another key"
	case stopped != nil && !before(*stopped):
		out.Reason = "a steward stopped this pseudonym on " + stopped.Time().Format("2006-01-02") + ", before this object came"
	case stopped != nil:
		out.State, out.Reason = exchange.SignatureEarlier, "signed before a steward stopped this pseudonym, on "+stopped.Time().Format("2006-01-02")
	default:
		out.State = exchange.SignatureValid
	}
	return out
}

// ownPseudonymKey is the key of a pseudonym that an organisation of this node made and that is not certified yet.
func ownPseudonymKey(q db.Querier, c polder.CommunityID, pseudonym string) (seal.VerifyKey, error) {
	var seed []byte
	if err := q.QueryRow(`SELECT seed FROM pseudonym_own WHERE community = ? AND pseudonym = ?`, string(c), pseudonym).Scan(&seed); err != nil {
		return seal.VerifyKey{}, err
	}
	if len(seed) != 32 {
		return seal.VerifyKey{}, errors.New("the private key of a pseudonym as it is stored is damaged")
	}
	return seal.NewSigningKey([32]byte(seed)).Public(), nil
}

// pseudonymIn is the key of a certified pseudonym, and the entry that stopped it, if one did.
func pseudonymIn(q db.Querier, c polder.CommunityID, pseudonym string) (key seal.VerifyKey, stopped *seal.PseudonymEntry, err error) {
	all, err := readEntriesOf(q, c, pseudonym)
	if err != nil {
		return key, nil, err
	}
	found := false
	for _, e := range all {
		switch e.Act {
		case seal.PseudonymCertified:
			key, found = *e.Key, true
		case seal.PseudonymStopped:
			if stopped == nil {
				stopped = &e
			}
		}
	}
	if !found {
		return key, nil, sql.ErrNoRows
	}
	return key, stopped, nil
}

// pseudonymLine is a line of a file of keys about a pseudonym.
type pseudonymLine struct {
	Pseudonym string          `json:"pseudonym"`
	Entry     json.RawMessage `json:"entry"`
}

// Certificates is what [Pseudonyms] asks for: the certificates and what was stopped, of all communities known here.
func (p *PseudonymBook) Certificates(ctx context.Context) (out []json.RawMessage, err error) {
	all, err := readAllEntries(p.s.read(ctx))
	if err != nil {
		return nil, err
	}
	for _, e := range all {
		if e.entry.Act == seal.PseudonymOpened {
			continue
		}
		line, err := json.Marshal(pseudonymLine{e.entry.Pseudonym, e.raw})
		if err != nil {
			return nil, err
		}
		out = append(out, line)
	}
	return out, nil
}

// Renew has an organisation begin a fresh pseudonym in a community with its next object. Nothing says that it is of the
// same member as the one before, which from now on signs new versions of its own objects alone.
func (p *PseudonymBook) Renew(ctx context.Context, by polder.Actor, org polder.OrgID, c polder.Community) error {
	slot, err := p.pseudonymSlot(ctx, org, c.ID)
	if err != nil {
		return err
	}
	return p.s.o.DB.Write(ctx, func(tx *db.Tx) error {
		if _, err := tx.Exec(`UPDATE pseudonym_own SET present = 0 WHERE slot = ?`, slot); err != nil {
			return err
		}
		return p.noteOwn(tx, by, org, c.ID, "pseudonym.renew")
	})
}

// pseudonymBehind is what stands in the box: who is behind a pseudonym.
type pseudonymBehind struct {
	Organisation polder.OrgID       `json:"organisation"`
	Name         string             `json:"name"`
	Community    polder.CommunityID `json:"community"`
	Pseudonym    string             `json:"pseudonym"`
}

// pseudonymIssue is what the home needs to certify a member's key in one transaction.
type pseudonymIssue struct {
	book      *PseudonymBook
	community polder.Community
	slot      string
	behind    pseudonymBehind
	to        []seal.PublicKey
	node      polder.OrgID
	sign      seal.SigningKey
}

// maxPseudonyms is how many pseudonyms a member can have in a community, over time.
const maxPseudonyms = 100

// issueFor prepares certificates for a member of a community that lives here. It must not be called in a transaction.
func (p *PseudonymBook) issueFor(ctx context.Context, org polder.OrgID, c polder.Community, slot string) (*pseudonymIssue, error) {
	o, err := p.s.o.Accounts.Org(ctx, org)
	if err != nil {
		return nil, err
	}
	i := &pseudonymIssue{book: p, community: c, slot: slot, behind: pseudonymBehind{Organisation: org, Name: o.Name, Community: c.ID}}
	if i.node, err = p.s.NodeID(ctx); err != nil {
		return nil, err
	}
	if i.sign, err = p.s.signing(ctx, i.node); err != nil {
		return nil, err
	}
	i.to, err = p.stewardKeys(ctx, c.ID)
	return i, err
}

// stewardKeys are the keys to which who is behind a pseudonym is sealed: those of the organisations that are stewards
// of the community; where none is known, that of the organisation that runs the home.
func (p *PseudonymBook) stewardKeys(ctx context.Context, c polder.CommunityID) (out []seal.PublicKey, err error) {
	ms, err := p.s.o.Accounts.Members(ctx, c)
	if err != nil {
		return nil, err
	}
	for _, m := range ms {
		if m.Role < polder.RoleSteward || len(out) == seal.MaxWraps {
			continue
		}
		k, err := p.s.SealKey(ctx, m.Org)
		if polder.KindOf(err) == polder.NotFound {
			continue
		}
		if err != nil {
			return nil, err
		}
		out = append(out, k)
	}
	if len(out) > 0 {
		return out, nil
	}
	host, err := p.s.o.Accounts.Host(ctx)
	if err != nil {
		return nil, err
	}
	k, err := p.s.SealKey(ctx, host.ID)
	return []seal.PublicKey{k}, err
}

// pseudonymPurpose is what the box is sealed for, and pseudonymPad hides how long the name in it is.
const (
	pseudonymPurpose = "pseudonym"
	pseudonymPad     = 512
)

// certify adds a certificate for key to the list, and the box to what the home keeps.
func (i *pseudonymIssue) certify(tx *db.Tx, key seal.VerifyKey) (seal.PseudonymEntry, error) {
	id := seal.PseudonymID(key)
	have, err := readEntriesOf(tx, i.community.ID, id)
	if err != nil || len(have) > 0 {
		return seal.PseudonymEntry{}, errors.Join(err, pseudonymTaken(have))
	}
	var n int
	err = tx.QueryRow(`INSERT INTO pseudonym_count (slot, n) VALUES (?, 1) ON CONFLICT (slot) DO UPDATE SET n = n + 1 RETURNING n`, i.slot).Scan(&n)
	if err != nil {
		return seal.PseudonymEntry{}, err
	}
	if n > maxPseudonyms {
		return seal.PseudonymEntry{}, polder.Errorf(polder.Limited, "a member has had %d pseudonyms in this community; no more are certified", maxPseudonyms)
	}
	behind := i.behind
	behind.Pseudonym = id
	text, err := json.Marshal(behind)
	if err != nil {
		return seal.PseudonymEntry{}, err
	}
	box, err := seal.Seal(i.book.s.o.Rand, pseudonymPurpose, text, pseudonymPad, i.to...)
	if err != nil {
		return seal.PseudonymEntry{}, err
	}
	if err := writeBox(tx, i.community.ID, id, box); err != nil {
		return seal.PseudonymEntry{}, err
	}
	certificate := seal.PseudonymEntry{Act: seal.PseudonymCertified, Pseudonym: id, Key: &key, Date: i.book.s.o.Now().UTC().Format("2006-01-02")}
	if fail.Bug("pseudonym-named") {
		certificate.By = string(i.behind.Organisation)
	}
	return i.book.say(tx, i.community, i.node, i.sign, certificate)
}

func pseudonymTaken(have []seal.PseudonymEntry) error {
	if len(have) == 0 {
		return nil
	}
	return polder.Errorf(polder.Conflict, "that key is certified already")
}

// say adds an entry to the list of a community that lives here.
func (p *PseudonymBook) say(tx *db.Tx, c polder.Community, node polder.OrgID, sign seal.SigningKey, e seal.PseudonymEntry) (seal.PseudonymEntry, error) {
	last, err := journal.Last(tx)
	if err != nil {
		return e, err
	}
	n, err := countEntries(tx, c.ID)
	if err != nil {
		return e, err
	}
	e.Community, e.Blind, e.N, e.At, e.Home = string(c.ID), string(c.Blind), n+1, int64(last), string(node)
	e, raw, err := e.SignedBy(sign)
	if err != nil {
		return e, err
	}
	tx.OnCommit(p.changed.ring)
	return e, insertEntry(tx, e, raw)
}

// PseudonymState is a pseudonym of a community, as every member may know it.
type PseudonymState struct {
	ID      string
	Since   string // a day
	Stopped *seal.PseudonymEntry
	Opened  []seal.PseudonymEntry
	Openers int // of how many keys one opens it; 0 where the box is not here
}

// List are the pseudonyms of a community, in the order in which they were certified.
func (p *PseudonymBook) List(ctx context.Context, c polder.CommunityID) (out []PseudonymState, err error) {
	q := p.s.read(ctx)
	all, err := readEntries(q, c, 0, 1<<30)
	if err != nil {
		return nil, err
	}
	at := map[string]int{}
	for _, r := range all {
		e := r.entry
		i, ok := at[e.Pseudonym]
		switch {
		case e.Act == seal.PseudonymCertified:
			at[e.Pseudonym] = len(out)
			one := PseudonymState{ID: e.Pseudonym, Since: e.Date}
			if box, err := readBox(q, c, e.Pseudonym); err == nil {
				one.Openers = len(box.Wraps)
			}
			out = append(out, one)
		case ok && e.Act == seal.PseudonymStopped && out[i].Stopped == nil:
			out[i].Stopped = &e
		case ok && e.Act == seal.PseudonymOpened:
			out[i].Opened = append(out[i].Opened, e)
		}
	}
	return out, nil
}

// checkPseudonymReason refuses what is no reason.
func checkPseudonymReason(reason string) (string, error) {
	reason = strings.Join(strings.Fields(reason), " ")
	if len([]rune(reason)) < 10 || len(reason) > seal.MaxPseudonymReason {
		return "", polder.Errorf(polder.Invalid, "reason: say in 10 characters to %d bytes why; every member of the community reads it", seal.MaxPseudonymReason)
	}
	return reason, nil
}
