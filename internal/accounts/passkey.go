package accounts

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/json"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/webauthn"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/db"
)

// PasskeyID names a passkey on its person's account page. It is no secret and not what the authenticator calls it.
type PasskeyID string

// Passkey is a key of a person's device or password manager, by which the person logs in without a password.
type Passkey struct {
	ID      PasskeyID
	Name    string
	Created time.Time
	Used    time.Time // zero: not yet
	Cloned  time.Time // when a copy of it was noticed, from when it is good for nothing; zero: never
}

// Passkeys logs people in by passkeys (WebAuthn): always with the person verified by the device, and without asking
// for a log-in name. It is safe for concurrent use.
type Passkeys struct {
	s        *Service
	rp       *webauthn.WebAuthn
	origin   string
	ceremony *ceremonies[passkeyCeremony]
	tickets  *ceremonies[ticket]
	starts   *Limiter
}

// passkeyCeremony is a question to an authenticator that waits for its answer.
type passkeyCeremony struct {
	data webauthn.SessionData
	by   polder.PersonID // who adds a passkey or proves who he is; empty: somebody logs in
	to   purpose
	here SessionID
}

type purpose uint8

const (
	toLogIn purpose = iota
	toAdd
	toProve
)

// ticket says that a person has just proven who it is, in one session.
type ticket struct {
	person  polder.PersonID
	session SessionID
}

// ErrPasskey is in the chain of every error that says: this passkey does not log in, without saying why.
var ErrPasskey = polder.Errorf(polder.Unauthorised, "this passkey does not log in here; use another way")

// maxPasskeyAnswer bounds what an authenticator answers, in bytes.
const maxPasskeyAnswer = 64 << 10

// Passkeys makes the log-in by passkey for people who reach the node at address: https, or http on localhost. NotFound
// when browsers offer no passkeys there, as at an IP address.
func (s *Service) Passkeys(address string) (*Passkeys, error) {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || !(u.Scheme == "https" || u.Scheme == "http" && u.Hostname() == "localhost") {
		return nil, polder.Errorf(polder.NotFound, "passkeys need https, or http://localhost")
	}
	if protocol.ValidateRPID(u.Hostname()) != nil || !strings.Contains(u.Hostname(), ".") && u.Hostname() != "localhost" {
		return nil, polder.Errorf(polder.NotFound, "passkeys need a domain name; %s is none", u.Hostname())
	}
	required := true
	rp, err := webauthn.New(&webauthn.Config{
		RPID: u.Hostname(), RPDisplayName: "Polder", RPOrigins: []string{u.Scheme + "://" + u.Host},
		AttestationPreference: protocol.PreferNoAttestation,
		AuthenticatorSelection: protocol.AuthenticatorSelection{
			RequireResidentKey: &required, ResidentKey: protocol.ResidentKeyRequirementRequired, UserVerification: protocol.VerificationRequired,
		},
	})
	if err != nil {
		return nil, polder.Errorf(polder.NotFound, "passkeys do not work at %s: %w", address, err)
	}
	return &Passkeys{
		s: s, rp: rp, origin: u.Scheme + "://" + u.Host, starts: NewLimiter(beginnings, 10_000, s.o.Steady),
		ceremony: newCeremonies[passkeyCeremony](s.o.Steady), tickets: newCeremonies[ticket](s.o.Steady),
	}, nil
}

// Origin is where passkeys work: the scheme and host of the address that people must be at.
func (p *Passkeys) Origin() string { return p.origin }

// holder is a person as package webauthn asks for one.
type holder struct {
	Person
	handle []byte
	keys   []webauthn.Credential
}

func (h holder) WebAuthnID() []byte                         { return h.handle }
func (h holder) WebAuthnName() string                       { return h.Email }
func (h holder) WebAuthnDisplayName() string                { return h.Name }
func (h holder) WebAuthnCredentials() []webauthn.Credential { return h.keys }

// handle is how authenticators know a person: it says nothing to whoever reads it there.
func (p *Passkeys) handle(ctx context.Context, id polder.PersonID) ([]byte, error) {
	key, err := p.s.NodeKey(ctx, "passkey.handles")
	if err != nil {
		return nil, err
	}
	m := hmac.New(sha256.New, key)
	m.Write([]byte(id))
	return m.Sum(nil), nil
}

func (p *Passkeys) holder(ctx context.Context, id polder.PersonID) (h holder, err error) {
	if h.Person, err = p.s.Person(ctx, id); err != nil {
		return h, err
	}
	if h.handle, err = p.handle(ctx, id); err != nil {
		return h, err
	}
	kept, err := listCredentials(p.s.read(ctx), id)
	for _, k := range kept {
		h.keys = append(h.keys, k.credential())
	}
	return h, err
}

// begin keeps a question under a key that the browser gets, and is the question as JSON.
func (p *Passkeys) begin(c passkeyCeremony, options any) (key string, question []byte, err error) {
	if key, err = p.s.ids.cookie(); err != nil {
		return "", nil, err
	}
	if question, err = json.Marshal(options); err != nil {
		return "", nil, err
	}
	return key, question, p.ceremony.begin(key, c, ceremonyLife)
}

func (p *Passkeys) mayBegin(from netip.Addr) error {
	if wait, ok := p.starts.Take(network(from)); !ok {
		return tooOften("log-ins", wait)
	}
	return nil
}

// BeginLogIn asks whatever authenticator there is for a passkey of this node.
func (p *Passkeys) BeginLogIn(from netip.Addr) (key string, question []byte, err error) {
	if err := p.mayBegin(from); err != nil {
		return "", nil, err
	}
	options, data, err := p.rp.BeginDiscoverableLogin(webauthn.WithUserVerification(protocol.VerificationRequired))
	if err != nil {
		return "", nil, err
	}
	return p.begin(passkeyCeremony{data: *data, to: toLogIn}, options)
}

// LogIn begins a session by the answer of an authenticator. Unauthorised, always in the same words, when it is wrong,
// unknown, of a disabled person, or of a passkey that was copied; Limited after too many failures.
func (p *Passkeys) LogIn(ctx context.Context, key string, answer []byte, from netip.Addr, agent string) (cookie string, ses Session, err error) {
	c, ok := p.ceremony.finish(key)
	if !ok || c.to != toLogIn {
		return "", Session{}, ErrFlow
	}
	got, err := p.judge(ctx, c, answer, from)
	if err != nil {
		return "", Session{}, err
	}
	cookie, ses, err = p.s.enter(ctx, got.person, ByPasskey, from, agent, func(ch *change) error {
		if err := giveBack(ch.tx, got.rations); err != nil {
			return err
		}
		return got.use(ch.tx, ch.now)
	})
	if polder.KindOf(err) == polder.Unauthorised && err != nil { // the person is disabled
		return "", Session{}, p.failed(ctx, from, got.person)
	}
	return cookie, ses, err
}

// BeginProof asks for one of by's own passkeys, to prove that it is still by who asks.
func (p *Passkeys) BeginProof(ctx context.Context, by polder.Actor, here SessionID, from netip.Addr) (key string, question []byte, err error) {
	if err := p.mayBegin(from); err != nil {
		return "", nil, err
	}
	h, err := p.holder(ctx, by.Person)
	if err != nil {
		return "", nil, err
	}
	if len(h.keys) == 0 {
		return "", nil, polder.Errorf(polder.Conflict, "you have no passkey yet; enter your password")
	}
	options, data, err := p.rp.BeginLogin(h, webauthn.WithUserVerification(protocol.VerificationRequired))
	if err != nil {
		return "", nil, err
	}
	return p.begin(passkeyCeremony{data: *data, by: by.Person, to: toProve, here: here}, options)
}

// Prove answers a ticket for one change: see [Proof].
func (p *Passkeys) Prove(ctx context.Context, by polder.Actor, key string, answer []byte, here SessionID, from netip.Addr) (string, error) {
	c, ok := p.ceremony.finish(key)
	if !ok || c.to != toProve || c.by != by.Person || c.here != here {
		return "", ErrFlow
	}
	got, err := p.judge(ctx, c, answer, from)
	if err != nil {
		return "", err
	}
	err = p.s.change(ctx, by, func(ch *change) error {
		if err := giveBack(ch.tx, got.rations); err != nil {
			return err
		}
		return got.use(ch.tx, ch.now)
	})
	if err != nil {
		return "", err
	}
	t, err := p.s.ids.cookie()
	if err != nil {
		return "", err
	}
	return t, p.tickets.begin(t, ticket{by.Person, here}, proofLife)
}

// judged is a passkey whose answer was right.
type judged struct {
	kept
	counter uint32
	rations []ration
}

// use notes that the passkey was used now. That its counter has gone on meanwhile is as wrong as a copy of it.
func (j judged) use(tx *db.Tx, now int64) error {
	got, err := tx.Exec(`UPDATE accounts_passkey SET used = ?1, counter = ?2 WHERE id = ?3 AND cloned = 0 AND (counter < ?2 OR counter = 0 AND ?2 = 0)`, now, j.counter, j.id)
	if err != nil {
		return err
	}
	if n, err := got.RowsAffected(); err != nil || n == 0 {
		return ErrPasskey
	}
	return nil
}

// judge holds an answer to the question of c. Every attempt takes its rations first, of the address, of the account
// whose passkey it names, and of the node; the caller gives them back.
func (p *Passkeys) judge(ctx context.Context, c passkeyCeremony, answer []byte, from netip.Addr) (judged, error) {
	if len(answer) > maxPasskeyAnswer {
		return judged{}, ErrPasskey
	}
	parsed, err := protocol.ParseCredentialRequestResponseBytes(answer)
	if err != nil {
		return judged{}, ErrPasskey
	}
	var j judged
	err = p.s.db.Write(ctx, func(tx *db.Tx) error {
		if j.kept, err = readCredential(tx, parsed.RawID); err != nil && polder.KindOf(err) != polder.NotFound {
			return err
		}
		j.rations, err = p.s.passkeyRations(tx, j.person, network(from))
		return err
	})
	if err != nil {
		return judged{}, err
	}
	if j.person == "" || j.cloned != 0 || c.by != "" && c.by != j.person {
		return judged{}, p.failed(ctx, from, j.person)
	}
	h, err := p.holder(ctx, j.person)
	if err != nil {
		return judged{}, err
	}
	got, err := p.verify(c, h, parsed)
	if err != nil {
		return judged{}, p.failed(ctx, from, j.person)
	}
	if got.Authenticator.CloneWarning {
		return judged{}, p.copied(ctx, j.kept, from)
	}
	j.counter = got.Authenticator.SignCount
	return j, nil
}

func (p *Passkeys) verify(c passkeyCeremony, h holder, parsed *protocol.ParsedCredentialAssertionData) (*webauthn.Credential, error) {
	if c.by != "" {
		return p.rp.ValidateLogin(h, c.data, parsed)
	}
	_, got, err := p.rp.ValidatePasskeyLogin(func(_, handle []byte) (webauthn.User, error) {
		if !bytes.Equal(handle, h.handle) {
			return nil, ErrPasskey
		}
		return h, nil
	}, c.data, parsed)
	return got, err
}

// passkeyRations takes what an attempt costs. person is whose passkey it names; empty when it is nobody's.
func (s *Service) passkeyRations(tx *db.Tx, person polder.PersonID, from string) ([]ration, error) {
	t, err := s.tick(tx)
	if err != nil {
		return nil, err
	}
	key, err := s.nodeKeyTx(tx, "limits")
	if err != nil {
		return nil, err
	}
	l := s.o.LogIn
	rations := []ration{s.ration(key, "network", from, l.Network), s.ration(key, "passkeys", "", l.Node)}
	if person != "" {
		rations = append(rations, s.ration(key, "passkey", string(person), l.Account))
	}
	return rations, take(tx, t.running, rations)
}

func (p *Passkeys) failed(ctx context.Context, from netip.Addr, id polder.PersonID) error {
	var whose Person
	if id != "" {
		whose, _ = p.s.Person(ctx, id) // who it is only names the entry
	}
	return p.s.refuse(ctx, ErrPasskey, ByPasskey, from, whose)
}

// copied ends a passkey whose counter went back: somebody else has a copy of it, or had.
func (p *Passkeys) copied(ctx context.Context, k kept, from netip.Addr) error {
	whose, err := p.s.Person(ctx, k.person)
	if err != nil {
		return err
	}
	err = p.s.change(ctx, polder.Actor{Org: whose.Org, Person: whose.ID}, func(c *change) error {
		if _, err := c.tx.Exec(`UPDATE accounts_passkey SET cloned = ? WHERE id = ? AND cloned = 0`, c.now, k.id); err != nil {
			return err
		}
		if err := c.endSessionsBy(whose.ID, ByPasskey); err != nil {
			return err
		}
		return c.log("passkey.copied", "", string(k.id), "from", network(from))
	})
	if err != nil && polder.KindOf(err) != polder.Unauthorised { // a disabled person's passkey is good for nothing anyway
		return err
	}
	return ErrPasskey
}
