package ledger

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/db"
)

//go:embed treedb/*.sql
var treeMigrations embed.FS

// chunkHashes is how many hashes one row holds.
const chunkHashes = 256

// trees keeps Merkle trees in a file of its own, which may be deleted: the own one is then built again from the journal,
// the others are fetched again.
type trees struct{ db *db.DB }

// tree is one of them, as it stands.
type tree struct {
	id      int64
	size    int64
	checked int64
	cursor  polder.Seq
}

// openTrees opens the file; where mend says so, one that is missing or damaged is made anew.
func openTrees(ctx context.Context, path string, mend bool, log *slog.Logger) (*trees, error) {
	t, err := openTreeFile(ctx, path, log)
	if err == nil || !mend || ctx.Err() != nil {
		return t, err
	}
	if !errors.Is(err, fs.ErrNotExist) {
		log.WarnContext(ctx, "the file of transparency logs is made anew", "why", err)
	}
	for _, end := range []string{"", "-wal", "-shm"} {
		if err := os.Remove(path + end); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("make the file of transparency logs anew: %w", err)
		}
	}
	return openTreeFile(ctx, path, log)
}

func openTreeFile(ctx context.Context, path string, log *slog.Logger) (*trees, error) {
	d, err := db.Open(ctx, path, db.Options{Log: log, Reserve: 64 << 10, DSN: db.Rebuildable})
	if err != nil {
		return nil, err
	}
	sub, err := fs.Sub(treeMigrations, "treedb")
	if err == nil {
		err = d.Migrate(ctx, "trees", sub)
	}
	if err != nil {
		return nil, errors.Join(err, d.Close())
	}
	return &trees{d}, nil
}

// find is the tree of an origin; ok is false when there is none.
func findTree(q db.Querier, origin string) (t tree, ok bool, err error) {
	err = q.QueryRow(`SELECT id, size, checked, cursor FROM tree WHERE origin = ?`, origin).Scan(&t.id, &t.size, &t.checked, &t.cursor)
	if errors.Is(err, sql.ErrNoRows) {
		return t, false, nil
	}
	return t, err == nil, err
}

// of is the tree of an origin, made empty where there is none.
func (t *trees) of(ctx context.Context, origin string) (out tree, err error) {
	out, ok, err := findTree(t.db.Read(), origin)
	if ok || err != nil {
		return out, err
	}
	err = t.db.Write(ctx, func(tx *db.Tx) error {
		if _, err := tx.Exec(`INSERT INTO tree (origin, size, checked, cursor) VALUES (?, 0, 0, 0) ON CONFLICT DO NOTHING`, origin); err != nil {
			return err
		}
		out, _, err = findTree(tx, origin)
		return err
	})
	return out, err
}

// hashes reads the hashes of one tree. It keeps what it read, so one serves one question.
type hashes struct {
	q     db.Querier
	tree  int64
	cache map[int64][]byte
}

func readHashes(q db.Querier, t tree) *hashes { return &hashes{q, t.id, map[int64][]byte{}} }

func chunkID(tree, n int64) int64 { return tree<<32 | n }

func (h *hashes) chunk(n int64) ([]byte, error) {
	if b, ok := h.cache[n]; ok {
		return b, nil
	}
	var b []byte
	err := h.q.QueryRow(`SELECT hashes FROM chunk WHERE id = ?`, chunkID(h.tree, n)).Scan(&b)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return nil, err
	}
	h.cache[n] = b
	return b, nil
}

// ReadHashes is what [tlog.HashReader] asks for.
func (h *hashes) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	out := make([]tlog.Hash, len(indexes))
	for i, x := range indexes {
		b, err := h.chunk(x / chunkHashes)
		if err != nil {
			return nil, err
		}
		at := int(x%chunkHashes) * tlog.HashSize
		if at+tlog.HashSize > len(b) {
			return nil, fmt.Errorf("the file of transparency logs lacks hash %d of a tree; delete log.db, it is made anew", x)
		}
		copy(out[i][:], b[at:])
	}
	return out, nil
}

// root is the hash of the tree when it had so many leaves.
func (h *hashes) root(size int64) (tlog.Hash, error) { return tlog.TreeHash(size, h) }

// leaf is leaf n. Whoever asks goes forward, so of what was read the last chunks are kept only.
func (h *hashes) leaf(n int64) (tlog.Hash, error) {
	x := tlog.StoredHashIndex(0, n)
	if _, have := h.cache[x/chunkHashes]; !have {
		clear(h.cache)
	}
	got, err := h.ReadHashes([]int64{x})
	if err != nil {
		return tlog.Hash{}, err
	}
	return got[0], nil
}

// each calls f with the leaves from one on, in order, until f says no.
func (h *hashes) each(from, to int64, f func(n int64, leaf tlog.Hash) bool) error {
	for n := from; n < to; n++ {
		leaf, err := h.leaf(n)
		if err != nil {
			return err
		}
		if !f(n, leaf) {
			return nil
		}
	}
	return nil
}

// growing is a tree that leaves are added to.
type growing struct {
	*hashes
	base int64 // index of the first hash in buf
	buf  []tlog.Hash
}

// ReadHashes reads what is stored, and what is about to be.
func (g *growing) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	out := make([]tlog.Hash, len(indexes))
	for i, x := range indexes {
		if x >= g.base {
			out[i] = g.buf[x-g.base]
			continue
		}
		got, err := g.hashes.ReadHashes([]int64{x})
		if err != nil {
			return nil, err
		}
		out[i] = got[0]
	}
	return out, nil
}

// extend adds leaves to a tree and returns it as it is then, in the caller's transaction.
func extend(tx *db.Tx, t tree, leaves []tlog.Hash) (tree, error) {
	if len(leaves) == 0 {
		return t, nil
	}
	g := &growing{hashes: readHashes(tx, t), base: tlog.StoredHashCount(t.size)}
	for i, leaf := range leaves {
		more, err := tlog.StoredHashesForRecordHash(t.size+int64(i), leaf, g)
		if err != nil {
			return t, err
		}
		g.buf = append(g.buf, more...)
	}
	if err := g.write(tx); err != nil {
		return t, err
	}
	t.size += int64(len(leaves))
	_, err := tx.Exec(`UPDATE tree SET size = ? WHERE id = ?`, t.size, t.id)
	return t, err
}

// write stores the new hashes, and with the first those that share its chunk.
func (g *growing) write(tx *db.Tx) error {
	first := g.base / chunkHashes
	head, err := g.chunk(first)
	if err != nil {
		return err
	}
	kept := int(g.base%chunkHashes) * tlog.HashSize
	if kept > len(head) {
		return fmt.Errorf("the file of transparency logs is cut short; delete log.db, it is made anew")
	}
	all := append(make([]byte, 0, kept+len(g.buf)*tlog.HashSize), head[:kept]...)
	for _, h := range g.buf {
		all = append(all, h[:]...)
	}
	const size = chunkHashes * tlog.HashSize
	for n := first; len(all) > 0; n++ {
		part := all[:min(size, len(all))]
		all = all[len(part):]
		if _, err := tx.Exec(`INSERT INTO chunk (id, hashes) VALUES (?, ?) ON CONFLICT (id) DO UPDATE SET hashes = excluded.hashes`, chunkID(g.tree, n), part); err != nil {
			return err
		}
	}
	return nil
}

// dropTree removes a tree.
func dropTree(tx *db.Tx, t tree) error {
	if _, err := tx.Exec(`DELETE FROM chunk WHERE id >= ? AND id < ?`, chunkID(t.id, 0), chunkID(t.id+1, 0)); err != nil {
		return err
	}
	_, err := tx.Exec(`DELETE FROM tree WHERE id = ?`, t.id)
	return err
}

// afresh is an empty tree of that name.
func (t *trees) afresh(ctx context.Context, origin string) (tree, error) {
	old, there, err := findTree(t.db.Read(), origin)
	if err == nil && there {
		err = t.db.Write(ctx, func(tx *db.Tx) error { return dropTree(tx, old) })
	}
	if err != nil {
		return tree{}, err
	}
	return t.of(ctx, origin)
}

// replace puts one tree in the place of another.
func (t *trees) replace(ctx context.Context, old, now tree, origin string) (tree, error) {
	err := t.db.Write(ctx, func(tx *db.Tx) error {
		if err := dropTree(tx, old); err != nil {
			return err
		}
		_, err := tx.Exec(`UPDATE tree SET origin = ? WHERE id = ?`, origin, now.id)
		return err
	})
	return now, err
}

// giveUp drops the second copy, and of the first what no checkpoint confirmed.
func (t *trees) giveUp(ctx context.Context, first, second tree) error {
	return t.db.Write(ctx, func(tx *db.Tx) error {
		if err := dropTree(tx, second); err != nil {
			return err
		}
		_, err := tx.Exec(`UPDATE tree SET size = checked WHERE id = ?`, first.id)
		return err
	})
}
