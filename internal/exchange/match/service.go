package match

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/hex"
	"io"
	"log/slog"
	"runtime"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/accounts"
	"github.com/polder-exchange/polder/internal/audit"
	"github.com/polder-exchange/polder/internal/db"
	"github.com/polder-exchange/polder/internal/fail"
	"github.com/polder-exchange/polder/internal/seal"
)

// Signer signs descriptors with the node's key. The keys of the exchange are one.
type Signer interface {
	Node(ctx context.Context) (polder.OrgID, ed25519.PublicKey, error)
	SignNode(ctx context.Context, message []byte) ([]byte, error)
}

// Reds reads what sets of TLP:RED indicators are made of.
type Reds interface {
	// Red calls each with every value of a kind that stands, as an indicator of its own, in an object that org shared as
	// TLP:RED in a community and that counts today.
	Red(ctx context.Context, org polder.OrgID, c polder.CommunityID, k Kind, each func(value string) error) error
	// Changed is closed when there may be others.
	Changed() <-chan struct{}
}

// Options are what a [Service] needs. Reds may be nil where no set of indicators is made: in a command.
type Options struct {
	DB       *db.DB
	Audit    *audit.Log
	Accounts *accounts.Service
	Signer   Signer
	Reds     Reds
	Homes    Homes // nil: sets of this node alone
	Now      func() time.Time
	Steady   func() time.Duration // how long this process has run, by a clock nobody can set
	Rand     io.Reader            // nil is crypto/rand
	Log      *slog.Logger
	Pause    time.Duration // between two looks at indicators that changed; 0 is ten seconds
}

// Service keeps sets and answers who asks them. Its methods may be called from any goroutine.
type Service struct {
	o     Options
	ran   ran
	relay relay
	busy  chan struct{} // holds one token for each batch that is answered just now
}

// New makes the service of a database that was brought up to date with [Migrate].
func New(o Options) *Service {
	if o.Rand == nil {
		o.Rand = rand.Reader
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Pause == 0 {
		o.Pause = 10 * time.Second
	}
	return &Service{o: o, ran: ran{steady: o.Steady}, relay: newRelay(), busy: make(chan struct{}, runtime.GOMAXPROCS(0))}
}

// DefaultDays is how long an epoch lasts.
const DefaultDays = 30

// Offer is a set as somebody sees it who may ask it.
type Offer struct {
	Set
	Owner string // its name
	Alias string // of the community
	Own   bool   // of the organisation that looks
	Link  string // over which the home of the community is asked; "" for a set of this node
	Home  string // name of that home
}

// offers are the sets that an actor may ask, as it is now.
func (s *Service) offers(a db.Querier, ms []polder.Membership, by polder.Actor) (out []Offer, err error) {
	all, err := readSets(a)
	if err != nil {
		return nil, err
	}
	for _, set := range all {
		for _, m := range ms {
			if m.Community.ID == set.Community && m.Right(by) >= polder.RoleReader {
				out = append(out, Offer{Set: set, Alias: m.Alias, Own: set.Org == by.Org})
			}
		}
	}
	return out, nil
}

// Offers are the sets that an actor may ask: those of its communities.
func (s *Service) Offers(ctx context.Context, by polder.Actor) ([]Offer, error) {
	ms, err := s.o.Accounts.MembershipsOf(ctx, by)
	if err != nil {
		return nil, err
	}
	out, err := s.offers(s.reader(ctx), ms, by)
	for i := range out {
		owner, err := s.o.Accounts.Org(ctx, out[i].Org)
		if err != nil {
			return nil, err
		}
		out[i].Owner = owner.Name
	}
	return out, err
}

// pick is the one offer of a name or an id. What there is not, and what the actor may not ask, is not found.
func pick(all []Offer, name string) (found Offer, err error) {
	n := 0
	for _, o := range all {
		if o.ID == name {
			return o, nil
		}
		if o.Name == name {
			found, n = o, n+1
		}
	}
	switch n {
	case 1:
		return found, nil
	case 0:
		return Offer{}, polder.Errorf(polder.NotFound, "there is no set %.60q that your organisation may ask; GET /api/v1/match/sets lists them", name)
	}
	return Offer{}, polder.Errorf(polder.Conflict, "%d sets are called %.60q; name one by its id, from GET /api/v1/match/sets", n, name)
}

// Offer is the one set of a name or an id that an actor may ask.
func (s *Service) Offer(ctx context.Context, by polder.Actor, name string) (Offer, error) {
	all, err := s.Offers(ctx, by)
	if err != nil {
		return Offer{}, err
	}
	return pick(all, name)
}

// Describe is the signed descriptor of a set in its present epoch.
func (s *Service) Describe(ctx context.Context, by polder.Actor, name string) (Descriptor, error) {
	o, err := s.Offer(ctx, by, name)
	if err != nil {
		return Descriptor{}, err
	}
	e, _, _, err := readEpoch(s.reader(ctx), o.Set)
	if err != nil {
		return Descriptor{}, err
	}
	d := Descriptor{
		ID: o.ID, Name: o.Name, Community: o.Community, Owner: o.Org, OwnerName: o.Owner, Type: o.Kind, Epoch: e.N, Key: e.Public, KeyPrint: seal.MatchFingerprint(e.Public),
		SizeClass: e.Class, Filter: e.SHA256, Budget: o.Budget, From: e.Made, Until: e.Until, Node: e.Node,
	}
	id, key, err := s.o.Signer.Node(ctx)
	if err != nil {
		return Descriptor{}, err
	}
	d.Signer, d.SignerKey = id, key
	d.Signature, err = s.o.Signer.SignNode(ctx, d.signed())
	return d, err
}

// Filter is the published filter of the present epoch of a set, and its hash.
func (s *Service) Filter(ctx context.Context, by polder.Actor, name string) (filter []byte, sha256 string, err error) {
	o, err := s.Offer(ctx, by, name)
	if err != nil {
		return nil, "", err
	}
	e, _, _, err := readEpoch(s.reader(ctx), o.Set)
	if err != nil {
		return nil, "", err
	}
	filter, err = readFilter(s.reader(ctx), e.Set, e.N)
	if err == nil && hashOf(filter) != e.SHA256 { // an epoch ended between the two
		err = polder.Errorf(polder.Unavailable, "the set %s begins a new epoch just now; ask again", o.Name)
	}
	return filter, e.SHA256, err
}

// Evaluated is the answer to a batch.
type Evaluated struct {
	Epoch    uint64   `json:"epoch"`
	Elements [][]byte `json:"elements"` // the images of what was sent, in its order
	Proof    []byte   `json:"proof"`    // that all were made with the key of the epoch
}

// Evaluate answers a batch of blinded elements of an epoch, which must be the one in force. The right to ask and the
// budget are those of the moment, read in the transaction that takes from the budget; what cannot be answered after it
// is not given back.
func (s *Service) Evaluate(ctx context.Context, by polder.Actor, name string, epoch uint64, blinded [][]byte) (Evaluated, error) {
	if !slices.Contains(seal.MatchSizes, len(blinded)) {
		return Evaluated{}, polder.Errorf(polder.Invalid, "elements: %d of them; a batch has 16, 64, 256 or 1024, filled up with dummies", len(blinded))
	}
	select {
	case s.busy <- struct{}{}:
		defer func() { <-s.busy }()
	case <-ctx.Done():
		return Evaluated{}, polder.Errorf(polder.Unavailable, "as many batches are answered just now as the node has processors; ask again")
	}
	key, err := s.admit(ctx, by, name, epoch, len(blinded))
	if err != nil {
		return Evaluated{}, err
	}
	elements, proof, err := key.Evaluate(s.o.Rand, blinded)
	if err != nil {
		return Evaluated{}, polder.Errorf(polder.Invalid, "elements: %w", err)
	}
	return Evaluated{epoch, elements, proof}, nil
}

// admit takes n elements from the budget of whoever asks, and answers with the key of the epoch.
func (s *Service) admit(ctx context.Context, by polder.Actor, name string, epoch uint64, n int) (key *seal.MatchKey, err error) {
	var over time.Duration
	var set Offer
	err = s.o.DB.Write(ctx, func(tx *db.Tx) error {
		now, err := s.o.Accounts.RefreshTx(tx, by)
		if err != nil {
			return err
		}
		ms, err := s.o.Accounts.MembershipsOfTx(tx, now)
		if err != nil {
			return err
		}
		all, err := s.offers(tx, ms, now)
		if err != nil {
			return err
		}
		if set, err = pick(all, name); err != nil {
			return err
		}
		e, secret, _, err := readEpoch(tx, set.Set)
		if err != nil {
			return err
		}
		if err := s.inForce(set.Set, e, epoch); err != nil {
			return err
		}
		if key, err = seal.ParseMatchKey(secret, e.Context()); err != nil {
			return err
		}
		var first bool
		asker := by.Org
		if fail.Bug("budget-per-token") {
			asker += polder.OrgID(by.Token)
		}
		if over, first, err = s.spend(tx, set.Set, asker, n); err != nil {
			return err
		}
		return s.noteAsked(tx, now, set.Set, n, over > 0, first)
	})
	if err == nil && over > 0 {
		return nil, polder.Errorf(polder.Limited, "your organisation may send %d elements to the set %s in a day, and has no %d left; ask again in %s: %w",
			set.Budget, set.Name, n, over.Round(time.Minute), &TooMuch{over})
	}
	return key, err
}

// inForce refuses what is asked of another epoch, and of one whose time is over.
func (s *Service) inForce(set Set, e Epoch, asked uint64) error {
	switch {
	case asked != e.N:
		return polder.Errorf(polder.Conflict, "epoch: %d is not in force; the set %s is in epoch %d, and answers nothing of others", asked, set.Name, e.N)
	case !s.o.Now().Before(e.Until):
		return polder.Errorf(polder.Conflict, "the set %s ended its epoch %d on %s; its owner has to publish it again", set.Name, e.N, e.Until.Format(time.DateOnly))
	}
	return nil
}

// noteAsked writes the audit: how much was asked, for whoever asked; and that somebody used a budget up, for the owner.
func (s *Service) noteAsked(tx *db.Tx, by polder.Actor, set Set, n int, over, first bool) error {
	e := audit.EntryOf(by)
	e.Action, e.Community, e.Object, e.Narrow = "match.ask", set.Community, set.ID, true
	e.Detail = map[string]string{"elements": itoa(n)}
	if over {
		if !first {
			return nil
		}
		e.Action = "match.stopped"
		owner := audit.Entry{Org: set.Org, Action: "match.budget", Community: set.Community, Object: set.ID, Narrow: true, Detail: map[string]string{"organisations": "1"}}
		if err := s.o.Audit.Append(tx, owner); err != nil {
			return err
		}
	}
	return s.o.Audit.Append(tx, e)
}

// Epochs are the epochs of a set that an actor may ask, the newest first: so that members can compare what each was given.
func (s *Service) Epochs(ctx context.Context, by polder.Actor, name string) ([]Epoch, error) {
	o, err := s.Offer(ctx, by, name)
	if err != nil {
		return nil, err
	}
	return readEpochs(s.reader(ctx), o.ID)
}

// checkName refuses names of sets that do not fit a line and an address.
func checkName(name string) error {
	if name == "" || len(name) > 60 || !utf8.ValidString(name) || strings.Trim(name, "abcdefghijklmnopqrstuvwxyz0123456789-_.") != "" {
		return polder.Errorf(polder.Invalid, "name: %.80q; a set is named with 1 to 60 of a-z, 0-9, '-', '_' and '.'", name)
	}
	return nil
}

// newSetID is an id that cannot be guessed.
func (s *Service) newSetID() (string, error) {
	b := make([]byte, 16)
	if _, err := io.ReadFull(s.o.Rand, b); err != nil {
		return "", err
	}
	return "set--" + hex.EncodeToString(b), nil
}
