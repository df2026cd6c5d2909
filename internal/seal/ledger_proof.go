package seal

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"

	"golang.org/x/mod/sumdb/tlog"
)

// LeafProof shows, without asking anybody, that a delivery is in the log that a checkpoint stands for. Whoever gets it
// learns id, version and digest of what was delivered, and nothing of the rest of the log.
type LeafProof struct {
	Leaf       Leaf
	Nonce      []byte
	Index      int64 // of the leaf
	Path       tlog.RecordProof
	Checkpoint []byte // the signed note
}

// GrowthProof shows that the log of a later checkpoint begins with all that the log of an earlier one held.
type GrowthProof struct {
	Earlier, Later []byte // signed notes
	Path           tlog.TreeProof
}

// Bounds of a proof file.
const (
	MaxProof  = 256 << 10
	maxPath   = 120
	maxInLeaf = 400 // bytes of a text
)

// Kinds of proof file.
const (
	leafProofForm   = "polder log proof 1"
	growthProofForm = "polder log growth 1"
)

type leafProofFile struct {
	Form       string      `json:"form"`
	Seq        int64       `json:"seq"`
	Community  string      `json:"community"`
	Kind       byte        `json:"kind"`
	ID         string      `json:"id"`
	Version    string      `json:"version"`
	Digest     string      `json:"digest"`
	Nonce      string      `json:"nonce"`
	Index      int64       `json:"index"`
	Path       []tlog.Hash `json:"path"`
	Checkpoint string      `json:"checkpoint"`
}

type growthProofFile struct {
	Form    string      `json:"form"`
	Path    []tlog.Hash `json:"path"`
	Earlier string      `json:"earlier"`
	Later   string      `json:"later"`
}

// Marshal is the proof as a file.
func (p LeafProof) Marshal() []byte {
	return proofText(leafProofFile{
		Form: leafProofForm, Seq: p.Leaf.Seq, Community: p.Leaf.Community, Kind: p.Leaf.Kind, ID: p.Leaf.ID, Version: p.Leaf.Version,
		Digest: hex.EncodeToString(p.Leaf.Digest[:]), Nonce: hex.EncodeToString(p.Nonce), Index: p.Index, Path: path(p.Path), Checkpoint: string(p.Checkpoint),
	})
}

// Marshal is the proof as a file.
func (p GrowthProof) Marshal() []byte {
	return proofText(growthProofFile{growthProofForm, path(p.Path), string(p.Earlier), string(p.Later)})
}

func path(p []tlog.Hash) []tlog.Hash { return append([]tlog.Hash{}, p...) } // [] rather than null

func proofText(v any) []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	_ = e.Encode(v) // strings, numbers and hashes always encode
	return b.Bytes()
}

// ProofForm tells which kind of proof a file holds, if any.
func ProofForm(raw []byte) (leaf, growth bool) {
	head := raw[:min(len(raw), 64)]
	return bytes.Contains(head, []byte(`"`+leafProofForm+`"`)), bytes.Contains(head, []byte(`"`+growthProofForm+`"`))
}

var errProofForm = errors.New("it is not a proof in its one form, as polder log prove writes it; use the file as it was written")

// ParseLeafProof reads what [LeafProof.Marshal] writes, byte by byte, and nothing else.
func ParseLeafProof(raw []byte) (p LeafProof, err error) {
	var f leafProofFile
	if len(raw) > MaxProof || json.Unmarshal(raw, &f) != nil || f.Form != leafProofForm || len(f.Path) > maxPath {
		return p, errProofForm
	}
	digest, digestErr := hex.DecodeString(f.Digest)
	nonce, nonceErr := hex.DecodeString(f.Nonce)
	switch {
	case digestErr != nil || len(digest) != 32:
		return p, errors.New("digest: is not 64 hexadecimal digits")
	case nonceErr != nil || len(nonce) != NonceSize:
		return p, errors.New("nonce: is not 64 hexadecimal digits")
	case f.Kind > 1:
		return p, errors.New("kind: is neither 0, an object, nor 1, a withdrawal")
	case f.Seq < 0 || f.Index < 0 || f.Seq > maxLogNumber || f.Index > maxLogNumber:
		return p, errors.New("seq, index: are no numbers of a log")
	case len(f.Community) > maxInLeaf || len(f.ID) > maxInLeaf || len(f.Version) > maxInLeaf:
		return p, errors.New("community, id, version: are longer than any")
	}
	p = LeafProof{Leaf{f.Seq, f.Community, f.Kind, f.ID, f.Version, [32]byte(digest)}, nonce, f.Index, f.Path, []byte(f.Checkpoint)}
	if !bytes.Equal(p.Marshal(), raw) {
		return LeafProof{}, errProofForm
	}
	return p, nil
}

// ParseGrowthProof reads what [GrowthProof.Marshal] writes, byte by byte, and nothing else.
func ParseGrowthProof(raw []byte) (p GrowthProof, err error) {
	var f growthProofFile
	if len(raw) > MaxProof || json.Unmarshal(raw, &f) != nil || f.Form != growthProofForm || len(f.Path) > maxPath {
		return p, errProofForm
	}
	p = GrowthProof{[]byte(f.Earlier), []byte(f.Later), f.Path}
	if !bytes.Equal(p.Marshal(), raw) {
		return GrowthProof{}, errProofForm
	}
	return p, nil
}

// Verify says whether the delivery is in the log, whose checkpoint is returned. The error says what is wrong.
func (p LeafProof) Verify(keys ...LogKey) (Signed, error) {
	s, err := OpenCheckpoint(p.Checkpoint, keys...)
	if err != nil {
		return s, fmt.Errorf("checkpoint: %w", err)
	}
	if p.Leaf.Seq > s.Seq {
		return s, fmt.Errorf("the delivery is later than the checkpoint: number %d after %d", p.Leaf.Seq, s.Seq)
	}
	if p.Index >= s.Size {
		return s, fmt.Errorf("leaf %d is not in a log of %d leaves", p.Index, s.Size)
	}
	if tlog.CheckRecord(p.Path, s.Size, s.Root, p.Index, p.Leaf.Hash(p.Nonce)) != nil {
		return s, errors.New("the proof does not lead from this delivery to the root of the checkpoint")
	}
	return s, nil
}

// Verify says whether the later log begins with the earlier one. The error says what is wrong.
func (p GrowthProof) Verify(keys ...LogKey) (earlier, later Signed, err error) {
	if earlier, err = OpenCheckpoint(p.Earlier, keys...); err != nil {
		return earlier, later, fmt.Errorf("earlier checkpoint: %w", err)
	}
	if later, err = OpenCheckpoint(p.Later, keys...); err != nil {
		return earlier, later, fmt.Errorf("later checkpoint: %w", err)
	}
	return earlier, later, CheckGrowth(p.Path, earlier.Checkpoint, later.Checkpoint)
}

// CheckGrowth says whether the later checkpoint's log begins with the earlier one's.
func CheckGrowth(p tlog.TreeProof, earlier, later Checkpoint) error {
	switch {
	case earlier.Origin != later.Origin:
		return errors.New("they are checkpoints of two logs")
	case later.Size < earlier.Size || later.Seq < earlier.Seq:
		return errors.New("the log is shorter than it was")
	case earlier.Size == 0 && len(p) == 0:
		return nil // everything begins with nothing
	case earlier.Size == 0 || tlog.CheckTree(p, later.Size, later.Root, earlier.Size, earlier.Root) != nil:
		return errors.New("the later log does not begin with the earlier one")
	}
	return nil
}
