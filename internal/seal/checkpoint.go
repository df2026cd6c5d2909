package seal

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// Checkpoint says what a transparency log holds: so many leaves, under this root, and every delivery up to a number.
type Checkpoint struct {
	Origin string // of the log; see [LogOrigin]
	Size   int64
	Root   tlog.Hash
	Seq    int64 // every delivery with this number or a lower one is in the log
}

// Bounds of what is read.
const (
	MaxNote       = 64 << 10 // bytes of a checkpoint with its signatures
	maxCheckpoint = 512      // of its text
	maxLogNumber  = 1 << 53
)

const originPrefix = "polder.exchange/"

// LogOrigin names the log of a node: its id, and the lineage of its journal, which is another after each restore.
func LogOrigin(node, lineage string) string { return originPrefix + node + "/" + lineage }

// ParseLogOrigin takes a name of [LogOrigin] apart.
func ParseLogOrigin(origin string) (node, lineage string, ok bool) {
	rest, ok := strings.CutPrefix(origin, originPrefix)
	node, lineage, found := strings.Cut(rest, "/")
	return node, lineage, ok && found && logName(node) && logName(lineage) && len(origin) <= 200
}

// logName: letters, digits and dashes, of which ids and lineages are made.
func logName(s string) bool {
	for _, c := range []byte(s) {
		if c != '-' && (c < '0' || c > '9') && (c < 'a' || c > 'z') {
			return false
		}
	}
	return s != ""
}

// Text is the checkpoint as it is signed: a line each for origin, size, root, and the number of the last delivery.
func (c Checkpoint) Text() string {
	return fmt.Sprintf("%s\n%d\n%s\nseq %d\n", c.Origin, c.Size, base64.StdEncoding.EncodeToString(c.Root[:]), c.Seq)
}

// ParseCheckpoint reads what [Checkpoint.Text] writes, and nothing else.
func ParseCheckpoint(text string) (c Checkpoint, err error) {
	lines := strings.Split(text, "\n")
	if len(text) > maxCheckpoint || len(lines) != 5 {
		return c, errors.New("a checkpoint has four lines: origin, size, root, seq")
	}
	root, rootErr := base64.StdEncoding.Strict().DecodeString(lines[2])
	number, isSeq := strings.CutPrefix(lines[3], "seq ")
	size, sizeErr := strconv.ParseInt(lines[1], 10, 64)
	seq, seqErr := strconv.ParseInt(number, 10, 64)
	_, _, named := ParseLogOrigin(lines[0])
	switch {
	case !named:
		return c, errors.New("line 1: is no origin of a log: polder.exchange/NODE/LINEAGE")
	case sizeErr != nil || size < 0 || size > maxLogNumber:
		return c, errors.New("line 2: is no number of leaves")
	case rootErr != nil || len(root) != tlog.HashSize:
		return c, errors.New("line 3: is no root: 32 bytes in base64")
	case !isSeq || seqErr != nil || seq < 0 || seq > maxLogNumber:
		return c, errors.New("line 4: is not seq and the number of a delivery")
	}
	c = Checkpoint{Origin: lines[0], Size: size, Root: tlog.Hash(root), Seq: seq}
	if c.Text() != text {
		return Checkpoint{}, errors.New("it is not in its one form: numbers without leading zeros, and nothing behind them")
	}
	return c, nil
}

// Kinds of signature under a checkpoint.
const (
	logAlgorithm     = 1 // Ed25519 over the text
	witnessAlgorithm = 4 // Ed25519 over a time and the text
)

// LogKey is a public key that signs checkpoints: as the log itself, or as a witness, whose signature carries its time.
type LogKey struct {
	name      string
	algorithm byte
	key       ed25519.PublicKey
}

// LogKeyOf is the key with which a log signs; its name is the origin.
func LogKeyOf(origin string, key ed25519.PublicKey) LogKey { return LogKey{origin, logAlgorithm, key} }

// WitnessKeyOf is the key with which a node cosigns the logs of others; its name is the node's id.
func WitnessKeyOf(node string, key ed25519.PublicKey) LogKey {
	return LogKey{node, witnessAlgorithm, key}
}

// Name is what is implied by [note.Verifier].
func (k LogKey) Name() string { return k.name }

// KeyHash is what is implied by [note.Verifier].
func (k LogKey) KeyHash() uint32 {
	sum := sha256.Sum256(slices.Concat([]byte(k.name), []byte{'\n', k.algorithm}, k.key))
	return binary.BigEndian.Uint32(sum[:])
}

// Verify is what is implied by [note.Verifier].
func (k LogKey) Verify(msg, sig []byte) bool {
	if len(k.key) != ed25519.PublicKeySize {
		return false
	}
	if k.algorithm == logAlgorithm {
		return ed25519.Verify(k.key, msg, sig)
	}
	if len(sig) != 8+ed25519.SignatureSize {
		return false
	}
	at := int64(binary.BigEndian.Uint64(sig))
	return at >= 0 && ed25519.Verify(k.key, cosigned(msg, at), sig[8:])
}

// cosigned is what a witness signs: the form of C2SP cosignature/v1.
func cosigned(text []byte, at int64) []byte {
	return fmt.Appendf(nil, "cosignature/v1\ntime %d\n%s", at, text)
}

// Witness tells whether it is the key of a witness, not of a log.
func (k LogKey) Witness() bool { return k.algorithm == witnessAlgorithm }

// Public is the key itself.
func (k LogKey) Public() ed25519.PublicKey { return k.key }

// String is the key in the line form of signed notes: name, hash and key.
func (k LogKey) String() string {
	return fmt.Sprintf("%s+%08x+%s", k.name, k.KeyHash(), base64.StdEncoding.EncodeToString(append([]byte{k.algorithm}, k.key...)))
}

// ParseLogKey reads what [LogKey.String] writes.
func ParseLogKey(line string) (k LogKey, err error) {
	parts := strings.Split(line, "+")
	if len(line) > 400 || len(parts) < 3 {
		return k, errors.New("is no key of a log or witness: NAME+HASH+KEY")
	}
	raw, err := base64.StdEncoding.Strict().DecodeString(strings.Join(parts[2:], "+")) // base64 may hold a plus
	if err != nil || len(raw) != 1+ed25519.PublicKeySize || raw[0] != logAlgorithm && raw[0] != witnessAlgorithm {
		return k, errors.New("holds no Ed25519 key of a log or witness")
	}
	k = LogKey{parts[0], raw[0], ed25519.PublicKey(raw[1:])}
	sum, err := hex.DecodeString(parts[1])
	if err != nil || len(sum) != 4 || binary.BigEndian.Uint32(sum) != k.KeyHash() || k.String() != line {
		return LogKey{}, errors.New("the hash does not fit name and key; copy the whole line")
	}
	return k, nil
}

// LogSigner signs with the private half of a [LogKey].
type LogSigner struct {
	Key  LogKey
	At   time.Time // of a witness
	Make func(message []byte) ([]byte, error)
}

// noteSigner is a LogSigner as package note wants it.
type noteSigner struct{ LogSigner }

func (s noteSigner) Name() string    { return s.Key.name }
func (s noteSigner) KeyHash() uint32 { return s.Key.KeyHash() }
func (s noteSigner) Sign(msg []byte) ([]byte, error) {
	if s.Key.algorithm == logAlgorithm {
		return s.Make(msg)
	}
	at := s.At.Unix()
	sig, err := s.Make(cosigned(msg, at))
	return append(binary.BigEndian.AppendUint64(nil, uint64(at)), sig...), err
}

// SignCheckpoint is the checkpoint as a signed note.
func SignCheckpoint(c Checkpoint, by LogSigner) ([]byte, error) {
	if _, err := ParseCheckpoint(c.Text()); err != nil {
		return nil, err
	}
	return note.Sign(&note.Note{Text: c.Text()}, noteSigner{by})
}

// Signed is a checkpoint whose log signed it.
type Signed struct {
	Checkpoint
	Note      []byte     // with the signatures that were verified, and no others
	Cosigners []Cosigner // in the order of the note
	Unknown   int        // signatures of keys that were not given
}

// Cosigner is a witness whose signature was verified.
type Cosigner struct {
	Name string
	At   time.Time // by its own clock
}

// OpenCheckpoint reads a signed note and verifies it with the keys given: one of them must be that of the log which the
// text names. A signature by a key that was given and does not fit refuses the whole.
func OpenCheckpoint(raw []byte, keys ...LogKey) (Signed, error) {
	if len(raw) > MaxNote {
		return Signed{}, fmt.Errorf("a checkpoint with its signatures has at most %d bytes", MaxNote)
	}
	if err := strictNote(raw); err != nil {
		return Signed{}, err
	}
	n, err := note.Open(raw, verifiersOf(keys))
	if _, unsigned := errors.AsType[*note.UnverifiedNoteError](err); unsigned {
		return Signed{}, errors.New("no signature is by a key that is known here")
	}
	if err != nil {
		return Signed{}, err
	}
	c, err := ParseCheckpoint(n.Text)
	if err != nil {
		return Signed{}, fmt.Errorf("checkpoint: %w", err)
	}
	s := Signed{Checkpoint: c, Unknown: len(n.UnverifiedSigs)}
	own := false
	for _, sig := range n.Sigs {
		k := keys[slices.IndexFunc(keys, func(k LogKey) bool { return k.name == sig.Name && k.KeyHash() == sig.Hash })]
		if !k.Witness() {
			own = own || sig.Name == c.Origin
			continue
		}
		bytes, _ := base64.StdEncoding.DecodeString(sig.Base64) // note.Open has decoded it
		s.Cosigners = append(s.Cosigners, Cosigner{sig.Name, time.Unix(int64(binary.BigEndian.Uint64(bytes[4:])), 0).UTC()})
	}
	if !own {
		return Signed{}, errors.New("it is not signed by the log that it names")
	}
	s.Note, err = note.Sign(&note.Note{Text: n.Text, Sigs: n.Sigs})
	return s, err
}

func verifiersOf(keys []LogKey) note.Verifiers {
	var list []note.Verifier
	have := map[string]bool{}
	for _, k := range keys {
		if id := fmt.Sprintf("%s+%08x", k.name, k.KeyHash()); !have[id] {
			have[id] = true
			list = append(list, k)
		}
	}
	return note.VerifierList(list...)
}

// strictNote holds the signature lines to their one form, so that no byte of a note can be changed unseen.
func strictNote(raw []byte) error {
	text := string(raw)
	i := strings.LastIndex(text, "\n\n")
	if i < 0 {
		return errors.New("it is no signed note: a text, an empty line, signatures")
	}
	for line := range strings.Lines(text[i+2:]) {
		_, sig, _ := strings.Cut(strings.TrimPrefix(line, "— "), " ")
		sig = strings.TrimSuffix(sig, "\n")
		if raw, err := base64.StdEncoding.Strict().DecodeString(sig); err != nil || base64.StdEncoding.EncodeToString(raw) != sig {
			return errors.New("a signature is not in its one form of base64")
		}
	}
	return nil
}

// Cosign is a verified note with one more signature, that of a witness.
func Cosign(s Signed, by LogSigner, keys ...LogKey) ([]byte, error) {
	n, err := note.Open(s.Note, verifiersOf(keys))
	if err != nil {
		return nil, err
	}
	return note.Sign(n, noteSigner{by})
}

// MergeNotes puts the signatures of several notes of one text under it, each once.
func MergeNotes(notes ...[]byte) []byte {
	var text string
	var lines []string
	for _, raw := range notes {
		t, sigs, ok := strings.Cut(string(raw), "\n\n")
		if !ok || text != "" && t != text {
			continue
		}
		text = t
		for line := range strings.Lines(sigs) {
			if !slices.Contains(lines, line) {
				lines = append(lines, line)
			}
		}
	}
	return []byte(text + "\n\n" + strings.Join(lines, ""))
}
