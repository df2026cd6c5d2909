package keys

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"sync"
	"time"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/accounts"
	"github.com/polder-exchange/polder/internal/audit"
	"github.com/polder-exchange/polder/internal/db"
	"github.com/polder-exchange/polder/internal/exchange"
	"github.com/polder-exchange/polder/internal/seal"
	"github.com/polder-exchange/polder/stix"
)

// Pseudonyms sign and judge what bears the blind identity of a community. Until there are some, such objects are
// unsigned and taken as they are.
type Pseudonyms interface {
	// SignBlind returns o with the signature of org's pseudonym in c.
	SignBlind(ctx context.Context, org polder.OrgID, c polder.Community, o stix.Object) (stix.Object, error)
	// CheckBlind judges the signature of an object that bears c's blind identity; at is the number that the home of c
	// gave it, or 0 for now. What it finds valid is bound to its id as other signatures are.
	CheckBlind(ctx context.Context, c polder.Community, o stix.Object, at polder.Seq) (exchange.Signature, error)
	// Certificates are what a file of keys says of pseudonyms, a line each.
	Certificates(ctx context.Context) ([]json.RawMessage, error)
}

// Options are what a service needs; all are required but Rand, Log, Top and Pseudonyms.
type Options struct {
	DB         *db.DB
	Audit      *audit.Log
	Accounts   *accounts.Service
	Now        func() time.Time
	Top        func() polder.Seq // the last number of the log; nil goes by the clock alone
	Rand       io.Reader         // nil is crypto/rand
	Log        *slog.Logger
	Pseudonyms Pseudonyms
}

// Service holds the keys that a node knows, and signs with its own. It is safe for use by many goroutines.
type Service struct {
	o       Options
	changed bell

	mu      sync.Mutex
	version int64 // of the tables, when the following were read
	owners  map[polder.OrgID]*owner
	own     map[polder.OrgID]seal.SigningKey // by owner, of the key that signs
	blinds  map[polder.OrgID]polder.Community
	homes   map[polder.CommunityID]polder.OrgID
	node    polder.OrgID
	said    map[string]int64   // by link: the version of the tables at its last sync
	signers map[[2]string]bool // by community and signer: noted in the tables already
}

// New makes the service.
func New(o Options) *Service {
	if o.Rand == nil {
		o.Rand = rand.Reader
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	s := &Service{o: o, changed: make(bell, 1), signers: map[[2]string]bool{}, said: map[string]int64{}, homes: map[polder.CommunityID]polder.OrgID{}}
	s.forget(0)
	return s
}

// SetPseudonyms plugs in who signs blind. It is called once, before the service is used.
func (s *Service) SetPseudonyms(p Pseudonyms) { s.o.Pseudonyms = p }

// forget drops what was read; the caller holds mu, or is alone.
func (s *Service) forget(version int64) {
	s.version, s.owners, s.own, s.blinds = version, map[polder.OrgID]*owner{}, map[polder.OrgID]seal.SigningKey{}, map[polder.OrgID]polder.Community{}
}

// fresh drops what was read if the tables have changed since, by this process or another.
func (s *Service) fresh(q db.Querier) error {
	v, err := readVersion(q)
	if err != nil {
		return err
	}
	s.seen(v)
	return nil
}

// seen drops what was read before the tables got that version.
func (s *Service) seen(v int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if v != s.version {
		s.forget(v)
	}
}

// mark says when a statement came: after which number of a log, and at what time.
type mark struct{ at, seen int64 }

// owner is what is known of one owner of keys.
type owner struct {
	chain seal.Chain
	marks []mark                  // by this node's log
	homes map[polder.OrgID][]mark // by those of other nodes
}

// owner is what is known of an owner; nil when nothing is.
func (s *Service) owner(q db.Querier, id polder.OrgID) (*owner, error) {
	s.mu.Lock()
	have, ok := s.owners[id]
	version := s.version
	s.mu.Unlock()
	if ok {
		return have, nil
	}
	o, err := loadOwner(q, id)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.version == version && len(s.owners) < maxOwners {
		s.owners[id] = o
	}
	return o, nil
}

// maxOwners is how many owners a node knows at most.
const maxOwners = 20_000

func loadOwner(q db.Querier, id polder.OrgID) (*owner, error) {
	rows, err := readStatements(q, id)
	if err != nil || len(rows) == 0 {
		return nil, err
	}
	o := &owner{}
	bodies := make([][]byte, len(rows))
	for i, r := range rows {
		bodies[i], o.marks = r.body, append(o.marks, r.mark)
	}
	if o.chain, err = seal.ReadChain(bodies); err != nil {
		return nil, fmt.Errorf("the keys of %s as they are stored: %w", id, err)
	}
	o.homes, err = readMarks(q, id)
	return o, err
}

// known is what is known of an owner, read afresh where it changed.
func (s *Service) known(ctx context.Context, id polder.OrgID) (*owner, error) {
	q := s.read(ctx)
	if err := s.fresh(q); err != nil {
		return nil, err
	}
	return s.owner(q, id)
}

// ensure is like known, and makes the first key of what lives on this node.
func (s *Service) ensure(ctx context.Context, id polder.OrgID) (*owner, error) {
	o, err := s.known(ctx, id)
	if err != nil || o != nil {
		return o, err
	}
	local, err := s.local(ctx, id)
	if err != nil {
		return nil, err
	}
	if !local {
		return nil, polder.Errorf(polder.NotFound, "nobody here vouches for a key of %s", id)
	}
	if err := s.begin(ctx, id); err != nil {
		return nil, err
	}
	return s.known(ctx, id)
}

// local tells whether an owner lives on this node, so that its keys do.
func (s *Service) local(ctx context.Context, id polder.OrgID) (bool, error) {
	node, err := s.NodeID(ctx)
	if err != nil || id == node {
		return err == nil, err
	}
	o, err := s.o.Accounts.Org(ctx, id)
	if polder.KindOf(err) == polder.NotFound {
		return false, nil
	}
	return err == nil && !o.Remote(), err
}

// NodeID is the id under which this node signs and is known to others. It stays for good.
func (s *Service) NodeID(ctx context.Context) (polder.OrgID, error) {
	s.mu.Lock()
	id := s.node
	s.mu.Unlock()
	if id != "" {
		return id, nil
	}
	b, err := s.o.Accounts.NodeKey(ctx, "keys.node")
	if err != nil {
		return "", err
	}
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	id = polder.OrgID(fmt.Sprintf("identity--%x-%x-%x-%x-%x", b[0:4], b[4:6], b[6:8], b[8:10], b[10:16]))
	s.mu.Lock()
	defer s.mu.Unlock()
	s.node = id
	return id, nil
}

// signing is the private key with which an owner of this node signs now.
func (s *Service) signing(ctx context.Context, id polder.OrgID) (seal.SigningKey, error) {
	o, err := s.ensure(ctx, id)
	if err != nil {
		return seal.SigningKey{}, err
	}
	s.mu.Lock()
	k, ok := s.own[id]
	version := s.version
	s.mu.Unlock()
	if ok {
		return k, nil
	}
	if k, err = loadSigning(s.read(ctx), id, o.chain); err != nil {
		return k, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.version == version {
		s.own[id] = k
	}
	return k, nil
}

// loadSigning reads the private key of the key in force.
func loadSigning(q db.Querier, id polder.OrgID, c seal.Chain) (seal.SigningKey, error) {
	seed, err := readOwnKey(q, id, "sign", string(c.InForce().ID()))
	if errors.Is(err, sql.ErrNoRows) {
		return seal.SigningKey{}, polder.Errorf(polder.Unavailable,
			"the key of %s that is in force was not made on this node: somebody else changed it, or an old backup was restored; take it back with: polder keys revoke --recovery FILE", id)
	}
	if err != nil {
		return seal.SigningKey{}, err
	}
	if len(seed) != 32 {
		return seal.SigningKey{}, fmt.Errorf("the private key of %s as it is stored is damaged", id)
	}
	return seal.NewSigningKey([32]byte(seed)), nil
}

// Sign is what [exchange.Signatures] asks for.
func (s *Service) Sign(ctx context.Context, org polder.OrgID, c polder.Community, o stix.Object) (stix.Object, error) {
	switch creator := polder.OrgID(creatorOf(o)); {
	case !signable(o) || creator == "" || o.ID == string(c.Blind):
		return o, nil
	case creator == c.Blind:
		if s.o.Pseudonyms == nil {
			return o, nil
		}
		return s.o.Pseudonyms.SignBlind(ctx, org, c, o)
	case creator != org:
		return o, nil
	}
	k, err := s.signing(ctx, org)
	if err != nil {
		return o, err
	}
	form, err := o.SignedBytes()
	if err != nil {
		return o, err
	}
	if have, ok, err := o.Signature(); err == nil && ok && have.Signer == string(org) && have.Key == string(k.Public().ID()) && k.Public().Verify(seal.DomainObject, form, have.Value) {
		return o, nil
	}
	return o.WithSignature(stix.Signature{Signer: string(org), Key: string(k.Public().ID()), Value: k.Sign(seal.DomainObject, form)})
}

// signable tells whether objects of that kind are signed. An observable is what its id says; what defines standard
// markings is known to everybody; a definition of an extension cannot carry one.
func signable(o stix.Object) bool {
	return !o.IsObservable() && o.Type != "extension-definition" && !stix.IsStandardMarking(o.ID)
}

// creatorOf is who would sign an object: its creator, or of an identity that names none, itself.
func creatorOf(o stix.Object) string {
	if o.CreatedByRef == "" && o.Type == "identity" {
		return o.ID
	}
	return o.CreatedByRef
}

// Node is what [exchange.NodeKeys] asks for.
func (s *Service) Node(ctx context.Context) (polder.OrgID, ed25519.PublicKey, error) {
	id, err := s.NodeID(ctx)
	if err != nil {
		return "", nil, err
	}
	k, err := s.KeyOf(ctx, id)
	return id, k, err
}

// SignNode is what [exchange.NodeKeys] asks for. It refuses what could be taken for the signature of an object or of a
// statement about keys.
func (s *Service) SignNode(ctx context.Context, message []byte) ([]byte, error) {
	if seal.ReservedDomain(message) {
		return nil, polder.Errorf(polder.Invalid, "a node signs no objects and no statements about keys for others")
	}
	id, err := s.NodeID(ctx)
	if err != nil {
		return nil, err
	}
	k, err := s.signing(ctx, id)
	if err != nil {
		return nil, err
	}
	return k.Sign("", message), nil
}

// KeyOf is what [exchange.NodeKeys] asks for.
func (s *Service) KeyOf(ctx context.Context, id polder.OrgID) (ed25519.PublicKey, error) {
	o, err := s.ensure(ctx, id)
	if err != nil {
		return nil, err
	}
	k := o.chain.InForce()
	return k[:], nil
}

// Chain is what [exchange.NodeKeys] asks for.
func (s *Service) Chain(ctx context.Context, id polder.OrgID) (out []json.RawMessage, err error) {
	o, err := s.ensure(ctx, id)
	if err != nil {
		return nil, err
	}
	for _, st := range o.chain.Statements() {
		out = append(out, st.Raw())
	}
	return out, nil
}

// SealKey is what is sealed for an owner alone is sealed to; NotFound when nobody vouches for one.
func (s *Service) SealKey(ctx context.Context, id polder.OrgID) (seal.PublicKey, error) {
	o, err := s.ensure(ctx, id)
	if err != nil {
		return seal.PublicKey{}, err
	}
	return o.chain.SealTo(), nil
}

// OpenKeys open what was sealed to an owner of this node, now and earlier.
func (s *Service) OpenKeys(ctx context.Context, id polder.OrgID) (out []seal.PrivateKey, err error) {
	if _, err := s.ensure(ctx, id); err != nil {
		return nil, err
	}
	seeds, err := readSealSeeds(s.read(ctx), id)
	for _, seed := range seeds {
		if len(seed) == 32 {
			out = append(out, seal.NewPrivateKey([32]byte(seed)))
		}
	}
	return out, err
}
