package match

import (
	"crypto/ed25519"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/seal"
)

// The sources of a set.
const (
	FromFile = "file" // values that were read once and not kept
	FromRed  = "red"  // the owner's own TLP:RED indicators of a community, as they are now
)

// Set is a set of values that members of a community may ask.
type Set struct {
	ID        string
	Org       polder.OrgID // its owner
	Community polder.CommunityID
	Name      string
	Kind      Kind
	Source    string
	Budget    int
	Days      int
	Epoch     uint64 // in force; 0: none yet
	Made      time.Time
}

// Epoch is one key and one filter of a set.
type Epoch struct {
	Set    string
	N      uint64
	Node   polder.OrgID
	Public []byte
	Class  int
	SHA256 string // of the filter, in hexadecimal digits
	Made   time.Time
	Until  time.Time
	Ended  time.Time // zero: in force
}

// Context is what the outputs of an epoch are bound to.
func (e Epoch) Context() seal.MatchContext {
	return seal.MatchContext{Node: string(e.Node), Set: e.Set, Epoch: e.N}
}

// Descriptor is what a node says of a set in its present epoch, signed with the node's key. A client holds every answer
// to it.
type Descriptor struct {
	ID        string             `json:"id"`
	Name      string             `json:"name"`
	Community polder.CommunityID `json:"community"`
	Owner     polder.OrgID       `json:"owner"`
	OwnerName string             `json:"owner_name"` // not signed
	Type      Kind               `json:"type"`
	Epoch     uint64             `json:"epoch"`
	Key       []byte             `json:"key"`
	KeyPrint  string             `json:"key_fingerprint"` // not signed: it follows from the key
	SizeClass int                `json:"size_class"`
	Filter    string             `json:"filter_sha256"`
	Budget    int                `json:"budget"` // elements that an organisation may send in a day
	From      time.Time          `json:"from"`
	Until     time.Time          `json:"until"`
	Node      polder.OrgID       `json:"node"`
	Signer    polder.OrgID       `json:"signer"`
	SignerKey []byte             `json:"signer_key"`
	Signature []byte             `json:"signature"`
}

// signed is what is signed of a descriptor: a line a field.
func (d Descriptor) signed() []byte {
	return []byte(strings.Join([]string{
		"polder match descriptor 1", d.ID, strconv.Quote(d.Name), string(d.Community), string(d.Owner), string(d.Type), strconv.FormatUint(d.Epoch, 10),
		fmt.Sprintf("%x", d.Key), strconv.Itoa(d.SizeClass), d.Filter, strconv.Itoa(d.Budget), strconv.FormatInt(d.From.UnixMicro(), 10), strconv.FormatInt(d.Until.UnixMicro(), 10),
		string(d.Node), string(d.Signer), fmt.Sprintf("%x", d.SignerKey),
	}, "\n") + "\n")
}

// Check says what is wrong with a descriptor that somebody sent, its signature included.
func (d Descriptor) Check() error {
	switch {
	case d.ID == "" || d.Node == "" || d.Epoch == 0 || strings.ContainsAny(d.ID+string(d.Node), "\n\x00") || len(d.ID)+len(d.Node) > 512:
		return errors.New("its id, node or epoch is missing or no such thing")
	case len(d.Filter) != 64:
		return errors.New("it names no filter")
	case d.SizeClass < seal.MinTagClass || d.SizeClass > seal.MaxTags || d.SizeClass&(d.SizeClass-1) != 0:
		return fmt.Errorf("%d is no size class", d.SizeClass)
	case Budget(d.Type) == 0:
		return fmt.Errorf("%.40q is no type of value that sets are made of", string(d.Type))
	case len(d.SignerKey) != ed25519.PublicKeySize || !ed25519.Verify(d.SignerKey, d.signed(), d.Signature):
		return errors.New("it is not signed by the key that it names")
	}
	if _, err := seal.ParseMatchPublic(d.Key); err != nil {
		return fmt.Errorf("its key: %w", err)
	}
	return nil
}

// context is what the outputs of d are bound to.
func (d Descriptor) context() seal.MatchContext {
	return seal.MatchContext{Node: string(d.Node), Set: d.ID, Epoch: d.Epoch}
}
