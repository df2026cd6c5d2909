package journal

import (
	"bytes"
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/db"
)

// The head file says where the log ends: lineage, last number, chain. It has two slots that are written in turn, each
// with a checksum, so a torn write leaves the one before. It is written after every commit and synced every second and
// at a clean stop: after a power loss it may lag behind the log, never run ahead of it.
const (
	slotSize  = 256
	headMagic = "polder head 1\n"
)

type head struct {
	mu      sync.Mutex
	file    *os.File
	lineage string
	seq     polder.Seq
	chain   [32]byte
	turn    int64
	dirty   bool
	failed  error
	stop    chan struct{}
	stopped chan struct{}
}

type headState struct {
	Lineage string
	Seq     polder.Seq
	Chain   [32]byte
	turn    int64
}

func encodeHead(s headState) []byte {
	b := make([]byte, 0, slotSize)
	b = append(b, headMagic...)
	b = binary.BigEndian.AppendUint64(b, uint64(s.turn))
	b = binary.BigEndian.AppendUint64(b, uint64(s.Seq))
	b = append(b, s.Chain[:]...)
	b = append(b, byte(len(s.Lineage)))
	b = append(b, s.Lineage...)
	sum := sha256.Sum256(b)
	b = append(b, sum[:]...)
	return append(b, make([]byte, slotSize-len(b))...)
}

func decodeHead(b []byte) (s headState, ok bool) {
	const fixed = len(headMagic) + 8 + 8 + 32 + 1
	if len(b) < slotSize || !bytes.HasPrefix(b, []byte(headMagic)) {
		return s, false
	}
	n := fixed + int(b[fixed-1])
	if n+32 > slotSize {
		return s, false
	}
	sum := sha256.Sum256(b[:n])
	if !bytes.Equal(sum[:], b[n:n+32]) {
		return s, false
	}
	at := len(headMagic)
	s.turn = int64(binary.BigEndian.Uint64(b[at:]))
	s.Seq = polder.Seq(binary.BigEndian.Uint64(b[at+8:]))
	copy(s.Chain[:], b[at+16:])
	s.Lineage = string(b[fixed:n])
	return s, true
}

// readHead reads the newer sound slot; ok is false when there is none.
func readHead(r io.ReaderAt) (newest headState, ok bool) {
	for i := range int64(2) {
		b := make([]byte, slotSize)
		if _, err := r.ReadAt(b, i*slotSize); err != nil {
			continue
		}
		if s, sound := decodeHead(b); sound && (!ok || s.turn > newest.turn) {
			newest, ok = s, true
		}
	}
	return newest, ok
}

func openHead(ctx context.Context, j *Journal, path string, seq polder.Seq, chain [32]byte, begun bool) (*head, error) {
	var lineage string
	if err := j.db.Read().QueryRowContext(ctx, `SELECT id FROM lineage ORDER BY since DESC, rowid DESC LIMIT 1`).Scan(&lineage); err != nil {
		return nil, err
	}
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600) //house:allow os.OpenFile: the head file lies beside the database
	if err != nil {
		return nil, err
	}
	saved, ok := readHead(file)
	if err := j.compare(ctx, saved, ok, begun, lineage, seq); err != nil {
		file.Close()
		return nil, err
	}
	h := &head{file: file, lineage: lineage, seq: seq, chain: chain, turn: saved.turn, dirty: true, stop: make(chan struct{}), stopped: make(chan struct{})}
	h.save()
	if err := h.sync(); err != nil {
		file.Close()
		return nil, err
	}
	go h.keep()
	return h, nil
}

// compare refuses a log that ends before the head, or that differs from what the head saw (D1).
func (j *Journal) compare(ctx context.Context, saved headState, ok, begun bool, lineage string, seq polder.Seq) error {
	const advice = "restore the newest backup into an empty folder, or put back the files that belong together"
	switch {
	case !ok && begun && seq == 0:
		return nil
	case !ok:
		return polder.Errorf(polder.Unavailable, "the head file is missing or damaged beside a log: this folder is a partial copy; %s", advice)
	case saved.Lineage != lineage:
		return polder.Errorf(polder.Unavailable, "the head file belongs to another lineage of this log; %s", advice)
	case saved.Seq == 0:
		return nil
	}
	var chain []byte
	err := j.db.Read().QueryRowContext(ctx, `SELECT chain FROM delivery WHERE seq = ?`, int64(saved.Seq)).Scan(&chain)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return polder.Errorf(polder.Unavailable, "the log was cut short: it ends at %s, but %s was written; %s", seq, saved.Seq, advice)
	case err != nil:
		return err
	case !bytes.Equal(chain, saved.Chain[:]):
		return polder.Errorf(polder.Unavailable, "the log differs at %s from what was written there; %s", saved.Seq, advice)
	}
	return nil
}

func (h *head) write(seq polder.Seq, chain [32]byte) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.seq, h.chain, h.dirty = seq, chain, true
	h.save()
}

func (h *head) save() {
	h.turn++
	b := encodeHead(headState{h.lineage, h.seq, h.chain, h.turn})
	if _, err := h.file.WriteAt(b, (h.turn%2)*slotSize); err != nil {
		h.failed = err
	}
}

func (h *head) sync() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.failed != nil {
		return fmt.Errorf("write the head file: %w", h.failed)
	}
	if !h.dirty {
		return nil
	}
	h.dirty = false
	return h.file.Sync()
}

func (h *head) keep() {
	defer close(h.stopped)
	t := time.NewTicker(time.Second)
	defer t.Stop()
	for {
		select {
		case <-t.C:
			if err := h.sync(); err != nil {
				h.mu.Lock()
				h.failed, h.dirty = nil, true // again in a second; the log itself is safe
				h.mu.Unlock()
			}
		case <-h.stop:
			return
		}
	}
}

func (h *head) close() error {
	close(h.stop)
	<-h.stopped
	err := h.sync()
	return errors.Join(err, h.file.Close())
}

// Restored makes a journal that came out of a backup one to be served: a new lineage, whose numbers lie above every
// number that the old one may have handed out until now, and a head file for it (D1).
func Restored(ctx context.Context, d *db.DB, path string, now time.Time) error {
	err := d.Write(ctx, func(tx *db.Tx) error {
		_, err := tx.Exec(`INSERT INTO lineage (id, since) SELECT lower(hex(randomblob(16))),
			max(?, coalesce((SELECT max(seq) FROM delivery), 0), coalesce((SELECT max(since) FROM lineage), 0))`, int64(polder.SeqAt(now.Add(time.Second))))
		return err
	})
	if err != nil {
		return err
	}
	var s headState
	if err := d.Read().QueryRowContext(ctx, `SELECT id FROM lineage ORDER BY since DESC, rowid DESC LIMIT 1`).Scan(&s.Lineage); err != nil {
		return err
	}
	var chain []byte
	err = d.Read().QueryRowContext(ctx, `SELECT seq, chain FROM delivery ORDER BY seq DESC LIMIT 1`).Scan(&s.Seq, &chain)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return err
	}
	copy(s.Chain[:], chain)
	s.turn = 1
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o600) //house:allow os.OpenFile: the head file lies beside the database
	if err != nil {
		return err
	}
	_, err = file.WriteAt(encodeHead(s), slotSize)
	return errors.Join(err, file.Sync(), file.Close(), db.SyncDir(filepath.Dir(path)))
}

// Describe tells lineage and last number of a journal's database, for the manifest of a backup.
func Describe(ctx context.Context, d *sql.DB) (lineage string, seq polder.Seq, err error) {
	err = d.QueryRowContext(ctx, `SELECT (SELECT id FROM lineage ORDER BY since DESC, rowid DESC LIMIT 1), coalesce((SELECT max(seq) FROM delivery), 0)`).Scan(&lineage, &seq)
	return lineage, seq, err
}
