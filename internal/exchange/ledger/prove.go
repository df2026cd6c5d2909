package ledger

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/journal"
	"github.com/polder-exchange/polder/internal/seal"
)

// errUncovered says that a delivery is known, but no checkpoint covers it yet.
var errUncovered = polder.Errorf(polder.Unavailable, "no checkpoint covers that delivery yet; the node signs one within some seconds, and a member follows within a minute")

// Prove shows that what this node received or delivered is logged: the latest delivery of an object, or of one version of
// it, in the log of the node that handed it over, or in this node's own. name restricts it to one log.
func (s *Service) Prove(ctx context.Context, id, version, name string) (seal.LeafProof, error) {
	all, err := s.receiptsOf(ctx, id)
	if err != nil {
		return seal.LeafProof{}, err
	}
	own, err := s.delivered(ctx, id)
	if err != nil {
		return seal.LeafProof{}, err
	}
	var only string
	if name != "" {
		k, err := s.named(ctx, name)
		if err != nil {
			return seal.LeafProof{}, err
		}
		only = k.Origin
	}
	err = polder.Errorf(polder.NotFound, "%.120s: this node neither received nor delivered that; ids are those of polder search", id)
	for _, r := range append(all, own...) {
		if version != "" && !sameVersion(version, r.Leaf.Version) || only != "" && r.Origin != only {
			continue
		}
		var p seal.LeafProof
		if p, err = s.proveOne(ctx, r); err == nil || !errors.Is(err, errUncovered) {
			return p, err
		}
	}
	return seal.LeafProof{}, err
}

func sameVersion(asked, have string) bool {
	a, errA := time.Parse(time.RFC3339Nano, asked)
	b, errB := time.Parse(time.RFC3339Nano, have)
	return asked == have || errA == nil && errB == nil && a.Equal(b)
}

// delivered are the deliveries of an object of this node, the latest first.
func (s *Service) delivered(ctx context.Context, id string) (out []receipt, err error) {
	if s.origin == "" {
		return nil, nil
	}
	all, err := s.journal.HeadersOf(ctx, id)
	if err != nil {
		return nil, err
	}
	for i := len(all) - 1; i >= 0; i-- {
		r, err := s.ownReceipt(ctx, all[i])
		if err != nil {
			return nil, err
		}
		out = append(out, r)
	}
	return out, nil
}

func (s *Service) ownReceipt(ctx context.Context, d journal.Delivery) (receipt, error) {
	leaf, nonce := leafOf(d), s.Nonce(d)
	r := receipt{located: located{seq: int64(d.Seq), leaf: leaf.Hash(nonce), n: waits}, Node: s.node, Origin: s.origin, Leaf: leaf, Nonce: nonce}
	err := s.trees.db.Read().QueryRowContext(ctx, `SELECT n FROM leaf WHERE seq = ?`, int64(d.Seq)).Scan(&r.n)
	if errors.Is(err, sql.ErrNoRows) {
		err = nil
	}
	return r, err
}

func (s *Service) proveOne(ctx context.Context, r receipt) (p seal.LeafProof, err error) {
	switch r.n {
	case missing:
		return p, polder.Errorf(polder.Conflict, "%s: its node handed it over and does not have it in its log; the evidence is kept, see polder log list", r.Leaf.ID)
	case before:
		return p, polder.Errorf(polder.NotFound, "%s: the log of its node ended, in a restore, before a checkpoint covered it", r.Leaf.ID)
	case waits:
		return p, errUncovered
	}
	k, err := s.logOf(ctx, r.Origin)
	if err != nil {
		return p, err
	}
	if r.n >= k.Size || r.seq > k.Seq {
		return p, errUncovered
	}
	t, there, err := findTree(s.trees.db.Read(), k.Origin)
	if err != nil {
		return p, err
	}
	if !there || t.size < k.Size {
		return p, polder.Errorf(polder.Unavailable, "the leaves of that log are being fetched again; try in a minute")
	}
	path, err := tlog.ProveRecord(k.Size, r.n, readHashes(s.trees.db.Read(), t))
	if err != nil {
		return p, err
	}
	note, err := s.noteOf(ctx, k)
	return seal.LeafProof{Leaf: r.Leaf, Nonce: r.Nonce, Index: r.n, Path: path, Checkpoint: note}, err
}

// ProveGrowth shows that the log of an earlier checkpoint, a signed note, is how the log that this node has seen began.
func (s *Service) ProveGrowth(ctx context.Context, earlier []byte) (p seal.GrowthProof, err error) {
	keys, err := s.keys(ctx)
	if err != nil {
		return p, err
	}
	old, err := seal.OpenCheckpoint(earlier, keys...)
	if err != nil {
		return p, polder.Errorf(polder.Invalid, "%w", err)
	}
	k, err := s.logOf(ctx, old.Origin)
	if err != nil {
		return p, err
	}
	if err := s.Compare(ctx, old, false); err != nil {
		return p, err
	}
	if old.Size > k.Size || old.Size == 0 {
		return p, polder.Errorf(polder.Invalid, "it is newer than what this node has seen of that log: %d leaves after %d", old.Size, k.Size)
	}
	t, _, err := findTree(s.trees.db.Read(), k.Origin)
	if err != nil {
		return p, err
	}
	path, err := tlog.ProveTree(k.Size, old.Size, readHashes(s.trees.db.Read(), t))
	if err != nil {
		return p, err
	}
	note, err := s.noteOf(ctx, k)
	return seal.GrowthProof{Earlier: old.Note, Later: note, Path: path}, err
}
