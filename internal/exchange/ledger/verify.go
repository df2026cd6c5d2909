package ledger

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/journal"
	"github.com/polder-exchange/polder/internal/seal"
)

// Verified is what was found about one file.
type Verified struct {
	Name   string
	Form   string // leaf, growth or checkpoint
	Leaf   seal.Leaf
	Signed []seal.Signed // the checkpoints in it, that of a proof's root last
	Err    error         // what is wrong; nil when nothing is
}

// Forms of file.
const (
	FormLeaf       = "delivery"
	FormGrowth     = "growth"
	FormCheckpoint = "checkpoint"
)

// VerifyFile verifies a proof or a checkpoint by itself, with the keys that are known.
func VerifyFile(name string, raw []byte, known Keys) Verified {
	v := Verified{Name: name, Form: FormCheckpoint}
	leaf, growth := seal.ProofForm(raw)
	switch {
	case leaf:
		v.Form = FormLeaf
		p, err := seal.ParseLeafProof(raw)
		if v.Err = err; err != nil {
			return v
		}
		v.Leaf = p.Leaf
		s, err := p.Verify(known.For(p.Checkpoint)...)
		v.Signed, v.Err = []seal.Signed{s}, err
	case growth:
		v.Form = FormGrowth
		p, err := seal.ParseGrowthProof(raw)
		if v.Err = err; err != nil {
			return v
		}
		earlier, later, err := p.Verify(known.For(p.Earlier, p.Later)...)
		v.Signed, v.Err = []seal.Signed{earlier, later}, err
	case bytes.HasPrefix(raw, []byte("{")):
		v.Err = errors.New("it is neither a proof, as polder log prove writes it, nor a checkpoint, as polder log checkpoint prints it")
	default:
		s, err := seal.OpenCheckpoint(raw, known.For(raw)...)
		v.Signed, v.Err = []seal.Signed{s}, err
	}
	return v
}

// Contradicting finds two checkpoints among those verified that cannot be of one log; ok is false when there are none.
func Contradicting(all []Verified) (a, b seal.Signed, ok bool) {
	seen := map[string]seal.Signed{}
	for _, v := range all {
		if v.Err != nil {
			continue
		}
		for _, s := range v.Signed {
			key := fmt.Sprintf("%s %d", s.Origin, s.Size)
			if other, have := seen[key]; have && other.Root != s.Root {
				return other, s, true
			}
			seen[key] = s
		}
	}
	return a, b, false
}

// ErrNotSeen says that a checkpoint cannot be compared: this node has not seen as much of that log, or nothing at all.
var ErrNotSeen = polder.Errorf(polder.NotFound, "this node has not seen that much of the log, so there is nothing to compare with")

// Compare holds a signed checkpoint, which somebody else was shown, against what this node has seen of the log. What
// contradicts is kept as evidence if keep says so; the links to that log's node are then stopped.
func (s *Service) Compare(ctx context.Context, c seal.Signed, keep bool) error {
	k, err := s.logOf(ctx, c.Origin)
	if polder.KindOf(err) == polder.NotFound {
		return ErrNotSeen
	}
	if err != nil {
		return err
	}
	t, there, err := findTree(s.trees.db.Read(), k.Origin)
	if err != nil {
		return err
	}
	if c.Size > k.Size || !there || t.size < c.Size {
		return ErrNotSeen
	}
	root, err := readHashes(s.trees.db.Read(), t).root(c.Size)
	if err != nil || root == c.Root {
		return err
	}
	kind := Forked
	if k.Own {
		kind = Usurped
	}
	verdict := polder.Errorf(polder.Conflict, "it contradicts what this node has seen of the log of %s: two stories were told", c.Origin)
	if !keep {
		return verdict
	}
	if err := s.keep(ctx, against(k, kind, c)); err != nil {
		return errors.Join(verdict, err)
	}
	return errors.Join(verdict, s.act(ctx, k.Node, verdict.Error()))
}

// VerifyOwn builds this node's log from its journal once more, keeping nothing, and holds it against the leaves as they
// were built and the checkpoints as they were signed. The error names the first delivery that is wrong. progress, if not
// nil, is called now and then with the number of deliveries read.
func (s *Service) VerifyOwn(ctx context.Context, progress func(n int64)) (deliveries int64, err error) {
	k, err := s.named(ctx, "")
	if err != nil {
		return 0, err
	}
	w := &walk{s: s, k: k}
	if w.signed, err = s.checkpoints(ctx, k.Origin); err != nil {
		return 0, err
	}
	t, there, err := findTree(s.trees.db.Read(), k.Origin)
	if err != nil {
		return 0, err
	}
	if there {
		w.kept = readHashes(s.trees.db.Read(), t)
		w.size = t.size
	}
	for {
		more, err := w.batch(ctx)
		if err != nil || !more {
			return w.n, err
		}
		if progress != nil {
			progress(w.n)
		}
	}
}

// walk is a log that is built again in passing.
type walk struct {
	s      *Service
	k      known
	kept   *hashes
	size   int64 // leaves kept
	signed []seal.Checkpoint

	n    int64 // deliveries
	at   polder.Seq
	tree edge
}

// edge is the right edge of a Merkle tree: the roots of the full trees that it is made of, the largest first. It is all
// that is needed to add leaves and to know the root.
type edge struct {
	size  int64
	roots []tlog.Hash
}

func (e *edge) add(leaf tlog.Hash) {
	e.roots = append(e.roots, leaf)
	for n := e.size; n&1 == 1; n >>= 1 { // two of one size become one
		last := len(e.roots) - 1
		e.roots = append(e.roots[:last-1], tlog.NodeHash(e.roots[last-1], e.roots[last]))
	}
	e.size++
}

func (e *edge) root() (h tlog.Hash) {
	for i := len(e.roots) - 1; i >= 0; i-- {
		if i == len(e.roots)-1 {
			h = e.roots[i]
			continue
		}
		h = tlog.NodeHash(e.roots[i], h)
	}
	return h
}

func (w *walk) batch(ctx context.Context) (more bool, err error) {
	batch, err := w.s.journal.Headers(ctx, w.at, buildBatch)
	if err != nil {
		return false, w.damaged(ctx, err)
	}
	if len(batch) == 0 {
		return false, w.end()
	}
	for _, d := range batch {
		if err := w.take(d); err != nil {
			return false, err
		}
	}
	return true, nil
}

// damaged finds the row that could not be read.
func (w *walk) damaged(ctx context.Context, cause error) error {
	for {
		one, err := w.s.journal.Headers(ctx, w.at, 1)
		if err != nil {
			return polder.Errorf(polder.Unavailable, "the journal is damaged at the delivery after %s (%d): %w", w.at, int64(w.at), cause)
		}
		if len(one) == 0 {
			return cause
		}
		w.at = one[0].Seq
	}
}

func (w *walk) take(d journal.Delivery) error {
	leaves, _ := w.s.leaves([]journal.Delivery{d}, w.tree.size)
	for _, leaf := range leaves {
		if w.tree.size < w.size {
			kept, err := w.kept.leaf(w.tree.size)
			if err != nil {
				return err
			}
			if kept != leaf {
				return w.wrong(d.Seq, "the journal differs there from what was put into the log")
			}
		}
		w.tree.add(leaf)
	}
	w.n++
	before := w.at
	w.at = d.Seq
	for len(w.signed) > 0 && w.signed[0].Seq <= int64(d.Seq) {
		c := w.signed[0]
		w.signed = w.signed[1:]
		if c.Size != w.tree.size || c.Seq != int64(d.Seq) || w.tree.root() != c.Root {
			return w.wrong(d.Seq, fmt.Sprintf("the journal up to there, from %s on, does not make what was signed for it", before.Time().Format(time.DateTime)))
		}
	}
	return nil
}

func (w *walk) wrong(seq polder.Seq, what string) error {
	return polder.Errorf(polder.Conflict, "transparency log, delivery %s (%d): %s", seq, int64(seq), what)
}

// end: the journal must reach as far as what was signed.
func (w *walk) end() error {
	if len(w.signed) > 0 {
		c := w.signed[0]
		return w.wrong(polder.Seq(c.Seq), "the journal ends before what was signed")
	}
	return nil
}

// checkpoints are those that were kept of a log, in order.
func (s *Service) checkpoints(ctx context.Context, origin string) (out []seal.Checkpoint, err error) {
	rows, err := s.db.Read().QueryContext(ctx, `SELECT note FROM ledger_checkpoint WHERE origin = ? ORDER BY size`, origin)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var note []byte
		if err := rows.Scan(&note); err != nil {
			return nil, err
		}
		text, _, _ := bytes.Cut(note, []byte("\n\n"))
		c, err := seal.ParseCheckpoint(string(text) + "\n")
		if err != nil {
			return nil, err
		}
		out = append(out, c)
	}
	return out, rows.Err()
}
