package ledger

import (
	"context"
	"database/sql"
	"errors"
	"slices"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/db"
	"github.com/polder-exchange/polder/internal/exchange"
	"github.com/polder-exchange/polder/internal/seal"
)

// located is a delivery that was received, and where it stands in the log of whoever handed it over.
type located struct {
	seq  int64
	leaf tlog.Hash
	n    int64
}

// receipt is a delivery that was received, with all that its commitment is made of.
type receipt struct {
	located
	Node   polder.OrgID
	Origin string
	Leaf   seal.Leaf
	Nonce  []byte
}

// Received notes what the peer handed over in the transaction that stores it. It is looked up in the peer's log once a
// checkpoint covers it; what the peer's own organisations push to their home is in no log.
func (s *Service) Received(tx *db.Tx, l exchange.PeerLink, batch []exchange.Handed) error {
	if l.Serves || len(batch) == 0 {
		return nil
	}
	var origin string
	err := tx.QueryRow(`SELECT origin FROM ledger_log WHERE node = ? AND ended = 0`, string(l.Peer)).Scan(&origin)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return err
	}
	now := micros(s.o.Now())
	for _, h := range batch {
		leaf, readable := handedLeaf(h)
		if !readable {
			continue // it is never stored, so nobody rests on it
		}
		nonce := h.Nonce
		if len(nonce) != seal.NonceSize {
			nonce = make([]byte, seal.NonceSize) // opens nothing, so that it will be found missing
		}
		hash := leaf.Hash(nonce)
		_, err := tx.Exec(`INSERT INTO ledger_received (node, seq, leaf, community, kind, id, version, digest, nonce, origin, n, at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
			ON CONFLICT DO UPDATE SET origin = excluded.origin, n = excluded.n, at = excluded.at WHERE origin <> excluded.origin`,
			string(l.Peer), leaf.Seq, hash[:], leaf.Community, int(leaf.Kind), leaf.ID, leaf.Version, leaf.Digest[:], nonce, origin, waits, now)
		if err != nil {
			return err
		}
	}
	return nil
}

// waiting are some of the deliveries of a log that wait and have at most this number, in order.
func (s *Service) waiting(ctx context.Context, k known, after, upTo int64, limit int) (out []located, err error) {
	rows, err := s.db.Read().QueryContext(ctx, `SELECT seq, leaf FROM ledger_received INDEXED BY ledger_received_waits
		WHERE node = ? AND n = -1 AND seq > ? AND seq <= ? AND origin = ? ORDER BY seq LIMIT ?`, string(k.Node), after, upTo, k.Origin, limit)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		f := located{n: waits}
		var leaf []byte
		if err := rows.Scan(&f.seq, &leaf); err != nil {
			return nil, err
		}
		copy(f.leaf[:], leaf)
		out = append(out, f)
	}
	return out, rows.Err()
}

// placeBefore is the leaf of the last delivery before seq that was found; leaves stand in the order of numbers.
func (s *Service) placeBefore(ctx context.Context, k known, seq int64) (n int64, err error) {
	err = s.db.Read().QueryRowContext(ctx, `SELECT n FROM ledger_received WHERE node = ? AND seq < ? AND n >= 0 AND origin = ? ORDER BY seq DESC LIMIT 1`, string(k.Node), seq, k.Origin).Scan(&n)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, nil
	}
	return n, err
}

const receiptColumns = `node, seq, leaf, community, kind, id, version, digest, nonce, origin, n`

// receiptsOf are the deliveries of an object that were received, the latest first.
func (s *Service) receiptsOf(ctx context.Context, id string) ([]receipt, error) {
	return s.receipts(ctx, `id = ? ORDER BY seq DESC`, id)
}

// receiptAt is one delivery.
func (s *Service) receiptAt(ctx context.Context, node polder.OrgID, f located) (receipt, error) {
	all, err := s.receipts(ctx, `node = ? AND seq = ? AND leaf = ?`, string(node), f.seq, f.leaf[:])
	if err != nil || len(all) == 0 {
		return receipt{}, errors.Join(err, sql.ErrNoRows)
	}
	return all[0], nil
}

func (s *Service) receipts(ctx context.Context, where string, args ...any) (out []receipt, err error) {
	rows, err := s.db.Read().QueryContext(ctx, `SELECT `+receiptColumns+` FROM ledger_received WHERE `+where+` LIMIT 1000`, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var r receipt
		var leaf, digest []byte
		if err := rows.Scan(&r.Node, &r.seq, &leaf, &r.Leaf.Community, &r.Leaf.Kind, &r.Leaf.ID, &r.Leaf.Version, &digest, &r.Nonce, &r.Origin, &r.n); err != nil {
			return nil, err
		}
		copy(r.leaf[:], leaf)
		copy(r.Leaf.Digest[:], digest)
		r.Leaf.Seq = r.seq
		out = append(out, r)
	}
	return out, rows.Err()
}

// scanAtOnce bounds how many deliveries one walk over the leaves looks for.
const scanAtOnce = 50_000

// locate finds the waiting deliveries that a checkpoint covers among the leaves of its log, and those that are not there.
func (s *Service) locate(ctx context.Context, k known, t tree, c seal.Checkpoint) (found, lost []located, err error) {
	for after := int64(-1); ; {
		some, err := s.waiting(ctx, k, after, c.Seq, scanAtOnce)
		if err != nil || len(some) == 0 {
			return found, lost, err
		}
		from, err := s.placeBefore(ctx, k, some[0].seq)
		if err != nil {
			return nil, nil, err
		}
		sought := make(map[tlog.Hash]int, len(some))
		for i, f := range some {
			sought[f.leaf] = i
		}
		err = readHashes(s.trees.db.Read(), t).each(from, c.Size, func(n int64, leaf tlog.Hash) bool {
			if i, ok := sought[leaf]; ok {
				some[i].n = n
				delete(sought, leaf)
			}
			return len(sought) > 0
		})
		if err != nil {
			return nil, nil, err
		}
		for _, f := range some {
			if f.n == waits {
				lost = append(lost, f)
			} else {
				found = append(found, f)
			}
		}
		after = some[len(some)-1].seq
	}
}

// mark notes where deliveries stand. A batch a transaction, since there may be many after a time away.
func (s *Service) mark(ctx context.Context, node polder.OrgID, all []located) error {
	for some := range slices.Chunk(all, 1000) {
		err := s.db.Write(ctx, func(tx *db.Tx) error {
			for _, f := range some {
				if _, err := tx.Exec(`UPDATE ledger_received SET n = ? WHERE node = ? AND seq = ? AND leaf = ?`, f.n, string(node), f.seq, f.leaf[:]); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}
