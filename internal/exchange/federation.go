package exchange

import (
	"context"
	"crypto/ed25519"
	"encoding/json"
	"net/url"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/db"
	"github.com/polder-exchange/polder/internal/journal"
	"github.com/polder-exchange/polder/stix"
)

// This file holds the words in which the parts of the exchange that span nodes speak with each other: keys, peers, the
// transparency log. They live in folders below this one, do not know each other, and are plugged together by node.

// SignatureState says what a signature is worth.
type SignatureState string

const (
	SignatureNone    SignatureState = "unsigned" // nobody who is known would sign it
	SignatureValid   SignatureState = "valid"
	SignatureEarlier SignatureState = "valid-revoked" // valid, and made known here before its key was revoked
	SignatureMissing SignatureState = "missing"       // its creator is known to sign, and did not
	SignatureWrong   SignatureState = "wrong"         // it does not fit the bytes, the signer or the id
	SignatureUnknown SignatureState = "unknown-key"   // of a key that nobody here vouches for
)

// Accepted tells whether an object with such a signature is taken from a peer.
func (s SignatureState) Accepted() bool {
	return s == SignatureNone || s == SignatureValid || s == SignatureEarlier
}

// Signature is what was found about the signature of an object.
type Signature struct {
	State  SignatureState
	Signer string // identity id of the organisation, or the pseudonym; "" where there is none
	Key    string // id of the key
	Reason string // in words, for people; "" when valid
}

// Signatures signs what organisations of this node create, and says what the signatures of objects are worth.
type Signatures interface {
	// Sign returns o with the signature of org, or of its pseudonym in c where o bears c's blind identity. An object of
	// anybody else's, an observable and a standard marking come back as they are.
	Sign(ctx context.Context, org polder.OrgID, c polder.Community, o stix.Object) (stix.Object, error)
	// Check judges the signature of o as it came into c; at is the number that the home of c gave it, or 0 for now.
	Check(ctx context.Context, c polder.CommunityID, o stix.Object, at polder.Seq) (Signature, error)
	// Bind notes in the transaction that stores o who signed its id first; another signer of that id is refused later.
	Bind(tx *db.Tx, c polder.CommunityID, id string, s Signature) error
}

// Handed is a delivery as one node hands it to another.
type Handed struct {
	Seq       polder.Seq         `json:"seq"` // the sender's
	Kind      journal.Kind       `json:"kind"`
	Community polder.CommunityID `json:"community"`
	ID        string             `json:"id"`
	Version   string             `json:"version,omitempty"` // of what is withdrawn, as [journal.Delivery.Stated]; "" is all of them
	Record    []byte             `json:"record,omitempty"`  // of the withdrawal of an observable, which has no version: digest of what it took out
	Level     stix.Marking       `json:"level"`
	Everyone  bool               `json:"everyone,omitempty"` // it addresses the whole community
	To        []polder.OrgID     `json:"to,omitempty"`       // to the home: whom the sharer named; to a member: its organisation alone
	Mine      bool               `json:"mine,omitempty"`     // to a member: its own organisation shared it
	Erased    bool               `json:"erased,omitempty"`   // of a withdrawal: the bytes go for good
	Nonce     []byte             `json:"nonce,omitempty"`    // opens the sender's commitment to it in its transparency log
	Raw       json.RawMessage    `json:"object,omitempty"`

	Parsed *stix.Object `json:"-"` // Raw, from whoever has parsed it already; nil has it parsed where it is needed
}

// Origin is where handed deliveries come from, as the node that takes them knows it.
type Origin struct {
	Link      string       // of this node to the peer
	Peer      polder.OrgID // the other node: custodian and sharer here of what others share there
	Name      string
	Org       polder.OrgID       // the local organisation to which it delivers
	Community polder.CommunityID // "" takes what comes for any community that lives at the peer and that Org belongs to
	Most      stix.Marking       // nothing stricter is taken: green until the peer's fingerprint is confirmed, then red
	Restored  polder.Seq         // up to this number the peer's log came out of a backup; 0 when it was never restored
}

// Verdict is what became of one handed delivery.
type Verdict struct {
	Seq       polder.Seq `json:"seq"` // the sender's
	ID        string     `json:"id"`
	State     string     `json:"state"`               // stored, duplicate, withdrawn, refused or quarantined
	Custodian bool       `json:"custodian,omitempty"` // from the home: the sharer is the custodian of the id there
	Reason    string     `json:"reason,omitempty"`
}

// PeerLink is a link between this node and another, for one organisation.
type PeerLink struct {
	ID          string
	Peer        polder.OrgID      // id of the other node
	Key         ed25519.PublicKey // its key when the link was made; later ones follow from its statements
	Name        string
	URL         string
	Org         polder.OrgID   // for whom: a local organisation where this node dials, one of the peer's where it serves
	Token       polder.TokenID // of the home: by which the peer's organisation acts there; "" where this node dials
	Serves      bool           // this node is the home of the communities, and the peer dials
	Communities []polder.CommunityID
	Confirmed   bool // a person here compared the peer's fingerprint
	Paused      bool
}

// PeerCaller asks the peer of a link, signed and bounded. Paths are below /api/v1/peer/.
type PeerCaller interface {
	Call(ctx context.Context, method, path string, query url.Values, body, into any) error
}

// PeerPart is a part of the exchange that has something to say to peers beside deliveries.
type PeerPart interface {
	// PeerRoutes are what it answers to peers.
	PeerRoutes() []PeerRoute
	// Sync asks the peer of a link that this node dials; it is called when the link comes up, before deliveries are taken,
	// whenever the peer says that something changed, and at least every minute.
	Sync(ctx context.Context, l PeerLink, to PeerCaller) error
	// Changed rings when peers that this node serves should sync; nil never does.
	Changed() <-chan struct{}
}

// PeerFirst is a [PeerPart] that the home must have heard before deliveries are pushed to it, such as a new key before what
// it signed. First is called before every push and costs next to nothing when there is nothing to say.
type PeerFirst interface {
	First(ctx context.Context, l PeerLink, to PeerCaller) error
}

// PeerRoute is one thing that a part answers to peers, who are known by the link.
type PeerRoute struct {
	Method  string
	Path    string // below /api/v1/peer/
	Summary string // for the API's document
	MaxBody int64
	Handle  func(ctx context.Context, l PeerLink, query url.Values, body []byte) (any, error) // the answer becomes JSON
}

// Ledger is the transparency log as peers' deliveries need it.
type Ledger interface {
	// Nonce opens the commitment to a delivery of this node.
	Nonce(d journal.Delivery) []byte
	// Received notes, in the transaction that stores them, what the peer handed over, so that it is looked up in the peer's log.
	Received(tx *db.Tx, l PeerLink, batch []Handed) error
}

// NodeKeys is the node's own identity towards other nodes, and what it knows of keys.
type NodeKeys interface {
	Node(ctx context.Context) (polder.OrgID, ed25519.PublicKey, error)
	SignNode(ctx context.Context, message []byte) ([]byte, error)
	// KeyOf is the key of a node or organisation that is in force now; NotFound when nobody vouches for one.
	KeyOf(ctx context.Context, owner polder.OrgID) (ed25519.PublicKey, error)
	// Chain is an owner's statements, for whoever has to be introduced to it; Learn takes such a chain after checking it.
	Chain(ctx context.Context, owner polder.OrgID) ([]json.RawMessage, error)
	Learn(ctx context.Context, owner polder.OrgID, chain []json.RawMessage) error
}
