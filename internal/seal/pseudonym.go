package seal

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/polder-exchange/polder/internal/fail"
)

// PseudonymAct is what an entry in a community's list of pseudonyms says.
type PseudonymAct string

// What the home of a community says of pseudonyms.
const (
	PseudonymCertified PseudonymAct = "certified" // a member of the community signs with this key; which one is not said
	PseudonymOpened    PseudonymAct = "opened"    // a steward is about to look who is behind it
	PseudonymStopped   PseudonymAct = "stopped"   // what comes later with its signature is refused
)

// Bounds on an entry.
const (
	MaxPseudonymEntry  = 8 << 10
	MaxPseudonymReason = 1000 // bytes
)

// domainPseudonym stands before what the home's node key signs.
const domainPseudonym = "polder pseudonym 1\n"

// PseudonymEntry is one line of a community's list of pseudonyms, which its home keeps and hands to every member. Entries
// are only ever added. A certificate says that the key belongs to a member and holds nothing that leads to which: its
// key is random, its name is a hash of the key, and its date is a day.
type PseudonymEntry struct {
	Community string       `json:"community"`
	Blind     string       `json:"blind_identity"` // that stands for "a member" in the community
	N         int          `json:"n"`              // in the list, from 1
	Act       PseudonymAct `json:"act"`
	Pseudonym string       `json:"pseudonym"`
	Key       *VerifyKey   `json:"key,omitempty"`    // certified
	By        string       `json:"by,omitempty"`     // opened, stopped: the organisation of the steward
	Reason    string       `json:"reason,omitempty"` // opened, stopped
	At        int64        `json:"at"`               // the last number of the home's log when it was made
	Date      string       `json:"date"`             // certified: a day; else RFC 3339 in seconds
	Home      string       `json:"home"`             // id of the node that says so
	HomeKey   KeyID        `json:"home_key"`
	Signature signature    `json:"signature,omitempty"`
}

// ErrPseudonymEntry says that something is no entry of a list of pseudonyms.
var ErrPseudonymEntry = errors.New("this is no entry of a list of pseudonyms")

// PseudonymID is the name of the pseudonym with a key: "pseudonym--" and a UUID of version 8 from the key's hash.
func PseudonymID(k VerifyKey) string {
	h := sha256.Sum256(append([]byte("polder pseudonym id 1\n"), k[:]...))
	b := h[:16]
	b[6], b[8] = b[6]&0x0f|0x80, b[8]&0x3f|0x80
	return fmt.Sprintf("pseudonym--%x-%x-%x-%x-%x", b[0:4], b[4:6], b[6:8], b[8:10], b[10:16])
}

// IsPseudonym tells whether a signer is a pseudonym by its form.
func IsPseudonym(signer string) bool {
	return strings.HasPrefix(signer, "pseudonym--") && len(signer) == len("pseudonym--")+36
}

// form is what is signed, and with the signature what travels.
func (e PseudonymEntry) form() ([]byte, error) { return json.Marshal(e) }

func (e PseudonymEntry) message() ([]byte, error) {
	e.Signature = nil
	b, err := e.form()
	return append([]byte(domainPseudonym), b...), err
}

// SignedBy is e with the signature of a node's key, and its bytes.
func (e PseudonymEntry) SignedBy(k SigningKey) (PseudonymEntry, json.RawMessage, error) {
	e.HomeKey = k.Public().ID()
	if err := e.check(); err != nil {
		return e, nil, err
	}
	m, err := e.message()
	if err != nil {
		return e, nil, err
	}
	e.Signature = k.Sign("", m)
	raw, err := e.form()
	return e, raw, err
}

// VerifiedBy tells whether k signed e.
func (e PseudonymEntry) VerifiedBy(k VerifyKey) bool {
	m, err := e.message()
	return err == nil && e.HomeKey == k.ID() && k.Verify("", m, e.Signature)
}

// ParsePseudonymEntry reads the bytes of one entry strictly: the form in which it was signed, and no other. Whose
// signature it is, [PseudonymEntry.VerifiedBy] tells.
func ParsePseudonymEntry(raw []byte) (PseudonymEntry, error) {
	var e PseudonymEntry
	if len(raw) > MaxPseudonymEntry {
		return e, fmt.Errorf("%w: it has %d bytes; at most %d are read", ErrPseudonymEntry, len(raw), MaxPseudonymEntry)
	}
	d := json.NewDecoder(bytes.NewReader(raw))
	d.DisallowUnknownFields()
	if err := d.Decode(&e); err != nil {
		return PseudonymEntry{}, fmt.Errorf("%w: %w", ErrPseudonymEntry, err)
	}
	if form, err := e.form(); err != nil || !bytes.Equal(form, raw) {
		return PseudonymEntry{}, fmt.Errorf("%w: it is not in the form in which entries are signed", ErrPseudonymEntry)
	}
	return e, e.check()
}

// check looks at e alone.
func (e PseudonymEntry) check() error {
	wrong := func(what string) error { return fmt.Errorf("%w: %s", ErrPseudonymEntry, what) }
	switch {
	case e.Community == "" || e.Blind == "" || e.Home == "" || !e.HomeKey.Valid():
		return wrong("it names no community, home or key")
	case e.N < 1 || e.At < 0:
		return wrong("its numbers are below what there is")
	case !IsPseudonym(e.Pseudonym):
		return wrong("it names no pseudonym")
	case len(e.Reason) > MaxPseudonymReason || !utf8.ValidString(e.Reason):
		return wrong("its reason is too long, or no text")
	}
	switch e.Act {
	case PseudonymCertified:
		if e.Key == nil || PseudonymID(*e.Key) != e.Pseudonym || e.By != "" && !fail.Bug("pseudonym-named") || e.Reason != "" {
			return wrong("a certificate holds the key whose hash the pseudonym is, and nothing of anybody")
		}
		if err := e.Key.Validate(); err != nil {
			return wrong(err.Error())
		}
		if _, err := time.Parse(time.DateOnly, e.Date); err != nil {
			return wrong("a certificate has a day")
		}
	case PseudonymOpened, PseudonymStopped:
		if e.Key != nil || e.By == "" || strings.TrimSpace(e.Reason) == "" {
			return wrong("who opens or stops a pseudonym says who and why")
		}
		if _, err := time.Parse(time.RFC3339, e.Date); err != nil {
			return wrong("it has no time")
		}
	default:
		return wrong(fmt.Sprintf("%.40q is nothing that is said of pseudonyms", string(e.Act)))
	}
	return nil
}

// Time is when it was made, as the home's clock said; of a certificate the day.
func (e PseudonymEntry) Time() time.Time {
	layout := time.RFC3339
	if e.Act == PseudonymCertified {
		layout = time.DateOnly
	}
	t, _ := time.Parse(layout, e.Date) // checked when it was read or made
	return t
}

// PseudonymProof is what whoever asks for a certificate signs with its key, so that nobody has another's certified.
func PseudonymProof(k SigningKey, community string) []byte {
	return k.Sign(DomainProof, []byte("pseudonym\n"+community))
}

// ProvesPseudonym tells whether proof is that of the key's holder.
func ProvesPseudonym(k VerifyKey, community string, proof []byte) bool {
	return k.Validate() == nil && k.Verify(DomainProof, []byte("pseudonym\n"+community), proof)
}
