package ledger

import (
	"context"
	"crypto/ed25519"
	"fmt"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/db"
	"github.com/polder-exchange/polder/internal/journal"
	"github.com/polder-exchange/polder/internal/seal"
)

const (
	buildBatch  = 1000            // deliveries a transaction
	buildGather = time.Second     // to take in together what comes one by one
	buildRetry  = 5 * time.Second // after an error
	buildLook   = time.Minute     // the node's key may have been changed by a command
)

// Run builds the log as the journal grows, and signs checkpoints, until ctx ends. An error costs a wait; sharing and
// delivering go on without it.
func (s *Service) Run(ctx context.Context) {
	for ctx.Err() == nil {
		changed := s.journal.Changed()
		due, err := s.advance(ctx)
		if ctx.Err() != nil {
			return
		}
		s.note(err)
		if err != nil {
			s.log.ErrorContext(ctx, "the transparency log waits after an error", "err", err)
			pause(ctx, nil, buildRetry)
			continue
		}
		if due == 0 {
			due = buildLook
		}
		if pause(ctx, changed, due) {
			pause(ctx, nil, max(time.Millisecond, min(buildGather, s.o.Every/5)))
		}
	}
}

// pause waits for the bell, and at most for d where d is above 0; it tells whether the bell rang.
func pause(ctx context.Context, bell <-chan struct{}, d time.Duration) bool {
	var enough <-chan time.Time
	if d > 0 {
		t := time.NewTimer(d)
		defer t.Stop()
		enough = t.C
	}
	select {
	case <-bell:
		return true
	case <-enough:
	case <-ctx.Done():
	}
	return false
}

// note keeps what ails the own log, for whoever looks.
func (s *Service) note(err error) {
	if err == nil {
		s.failed.Store(nil)
		return
	}
	text := err.Error()
	s.failed.Store(&text)
}

// advance takes in what the journal holds and signs a checkpoint if one is due. due is how long until then; 0 when
// nothing waits to be signed.
func (s *Service) advance(ctx context.Context) (due time.Duration, err error) {
	s.build.Lock()
	defer s.build.Unlock()
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v", p)
		}
	}()
	for {
		more, err := s.step(ctx)
		if err != nil {
			return 0, err
		}
		if !more {
			return s.signDue(ctx)
		}
	}
}

// ownTree is the tree of the own log. That of another lineage is dropped.
func (s *Service) ownTree(ctx context.Context) (t tree, err error) {
	t, ok, err := findTree(s.trees.db.Read(), s.origin)
	if ok || err != nil {
		return t, err
	}
	err = s.trees.db.Write(ctx, func(tx *db.Tx) error {
		if _, err := tx.Exec(`DELETE FROM leaf`); err != nil {
			return err
		}
		_, err := tx.Exec(`INSERT INTO tree (origin, size, checked, cursor) VALUES (?, 0, 0, 0) ON CONFLICT DO NOTHING`, s.origin)
		return err
	})
	if err != nil {
		return t, err
	}
	return s.trees.of(ctx, s.origin)
}

// step takes in one batch; more is false when there was nothing to take in.
func (s *Service) step(ctx context.Context) (more bool, err error) {
	t, err := s.ownTree(ctx)
	if err != nil {
		return false, err
	}
	batch, err := s.journal.Headers(ctx, t.cursor, buildBatch)
	if err != nil || len(batch) == 0 {
		return false, err
	}
	leaves, at := s.leaves(batch, t.size)
	err = s.trees.db.Write(ctx, func(tx *db.Tx) error {
		now, _, err := findTree(tx, s.origin)
		if err != nil || now.cursor != t.cursor {
			return err // it was taken in already, by a write whose answer was not waited for
		}
		for i, d := range batch {
			if _, err := tx.Exec(`INSERT INTO leaf (seq, n) VALUES (?, ?)`, int64(d.Seq), at[i]); err != nil {
				return err
			}
		}
		if now, err = extend(tx, now, leaves); err != nil {
			return err
		}
		_, err = tx.Exec(`UPDATE tree SET cursor = ? WHERE id = ?`, int64(batch[len(batch)-1].Seq), now.id)
		return err
	})
	if err != nil {
		return false, err
	}
	s.cursor.Store(int64(batch[len(batch)-1].Seq))
	s.size.Store(t.size + int64(len(leaves)))
	return true, nil
}

// leaves are those of a batch, decoys included, and where each delivery's own stands in a tree of so many before.
func (s *Service) leaves(batch []journal.Delivery, size int64) (leaves []tlog.Hash, at []int64) {
	for _, d := range batch {
		at = append(at, size+int64(len(leaves)))
		leaves = append(leaves, leafOf(d).Hash(s.Nonce(d)))
		leaves = append(leaves, seal.Decoys(s.o.Secret, int64(d.Seq))...)
	}
	return leaves, at
}

// signDue signs unless the last checkpoint is too young. A key that was changed signs the last one again.
func (s *Service) signDue(ctx context.Context) (due time.Duration, err error) {
	last, err := s.logOf(ctx, s.origin)
	if err != nil {
		return 0, err
	}
	if last.Size == s.size.Load() {
		return 0, s.signAgain(ctx, last)
	}
	if wait := last.Accepted.Add(s.o.Every).Sub(s.o.Now()); !last.Accepted.IsZero() && wait > 0 && wait <= s.o.Every {
		return wait, nil
	}
	return 0, s.sign(ctx)
}

// sign signs what the tree holds now, unless it contradicts what was signed before.
func (s *Service) sign(ctx context.Context) error {
	last, err := s.logOf(ctx, s.origin)
	if err != nil {
		return err
	}
	t, err := s.ownTree(ctx)
	if err != nil {
		return err
	}
	if err := s.holds(ctx, t, last); err != nil || t.size == last.Size {
		return err
	}
	root, err := readHashes(s.trees.db.Read(), t).root(t.size)
	if err != nil {
		return err
	}
	_, key, err := s.o.Keys.Node(ctx)
	if err != nil {
		return err
	}
	return s.publish(ctx, last, seal.Checkpoint{Origin: s.origin, Size: t.size, Root: root, Seq: int64(t.cursor)}, key)
}

// signAgain puts the key that is in force under the last checkpoint.
func (s *Service) signAgain(ctx context.Context, last known) error {
	_, key, err := s.o.Keys.Node(ctx)
	if err != nil || last.Size == 0 {
		return err
	}
	if _, err := seal.OpenCheckpoint(last.Note, seal.LogKeyOf(s.origin, key)); err == nil {
		return nil
	}
	return s.publish(ctx, last, last.checkpoint(), key)
}

// publish signs a checkpoint, keeps it, and then says that there is one.
func (s *Service) publish(ctx context.Context, last known, c seal.Checkpoint, key ed25519.PublicKey) error {
	k := seal.LogKeyOf(s.origin, key)
	raw, err := seal.SignCheckpoint(c, seal.LogSigner{Key: k, Make: func(m []byte) ([]byte, error) { return s.o.Keys.SignNode(ctx, m) }})
	if err != nil {
		return err
	}
	signed, err := seal.OpenCheckpoint(raw, k)
	if err != nil {
		return fmt.Errorf("the node's key signs what does not verify: %w", err)
	}
	if err := s.accept(ctx, last, signed, []seal.LogKey{k}); err != nil {
		return err
	}
	s.ring()
	return nil
}

// holds tells whether the tree, built to the journal's end, begins with what was signed last. It does not when the
// journal was changed behind the node's back; nothing is signed then any more.
func (s *Service) holds(ctx context.Context, t tree, last known) error {
	if last.Size == 0 {
		return nil
	}
	same := t.size >= last.Size && int64(t.cursor) >= last.Seq
	if same {
		root, err := readHashes(s.trees.db.Read(), t).root(last.Size)
		if err != nil {
			return err
		}
		same = root == last.Root
	}
	if same {
		return nil
	}
	if err := s.keep(ctx, evidence{Node: s.node, Origin: s.origin, Kind: Changed, First: last.Note}); err != nil {
		return err
	}
	return polder.Errorf(polder.Unavailable, "the journal no longer holds what was signed for it on %s: it was changed; polder log verify names where", last.Accepted.Format(time.DateTime))
}

// Lag is the time from the last delivery in the log to the journal's last.
func (s *Service) Lag() time.Duration {
	return max(0, s.journal.Top().Time().Sub(polder.Seq(s.cursor.Load()).Time()))
}

// Size is how many leaves the own log has.
func (s *Service) Size() int64 { return s.size.Load() }
