package ledger

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/audit"
	"github.com/polder-exchange/polder/internal/db"
	"github.com/polder-exchange/polder/internal/exchange"
	"github.com/polder-exchange/polder/internal/seal"
)

// known is a log that this node keeps or witnesses, as far as it signed or accepted it.
type known struct {
	Origin    string
	Node      polder.OrgID
	Name      string
	Own       bool
	Begun     time.Time
	Ended     time.Time
	Contact   time.Time
	Accepted  time.Time
	Size      int64
	Root      tlog.Hash
	Seq       int64
	Note      []byte
	Sent      int64
	Witnesses int
	Trouble   string
	Left      bool // no link leads there; not stored
}

// checkpoint is the last one.
func (k known) checkpoint() seal.Checkpoint {
	return seal.Checkpoint{Origin: k.Origin, Size: k.Size, Root: k.Root, Seq: k.Seq}
}

// States of what was received, beside the number of its leaf.
const (
	waits   = -1
	before  = -2 // its log ended before a checkpoint covered it
	missing = -3
)

func micros(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMicro()
}

func instant(n int64) time.Time {
	if n == 0 {
		return time.Time{}
	}
	return time.UnixMicro(n).UTC()
}

const logColumns = `origin, node, name, own, begun, ended, contact, accepted, size, root, seq, note, sent, witnesses, trouble`

func scanLog(row db.Row) (k known, err error) {
	var begun, ended, contact, accepted int64
	var root []byte
	err = row.Scan(&k.Origin, &k.Node, &k.Name, &k.Own, &begun, &ended, &contact, &accepted, &k.Size, &root, &k.Seq, &k.Note, &k.Sent, &k.Witnesses, &k.Trouble)
	k.Begun, k.Ended, k.Contact, k.Accepted = instant(begun), instant(ended), instant(contact), instant(accepted)
	copy(k.Root[:], root)
	return k, err
}

// logs are all logs that this node knows, its own first, the latest of each node before those that ended.
func (s *Service) logs(ctx context.Context) (out []known, err error) {
	rows, err := s.db.Read().QueryContext(ctx, `SELECT `+logColumns+` FROM ledger_log ORDER BY own DESC, node, ended <> 0, begun DESC LIMIT 10000`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		k, err := scanLog(rows)
		if err != nil {
			return nil, err
		}
		out = append(out, k)
	}
	return out, rows.Err()
}

// logOf is one log; NotFound where this node knows none of that name.
func (s *Service) logOf(ctx context.Context, origin string) (known, error) {
	return logIn(s.db.Read().QueryRowContext(ctx, `SELECT `+logColumns+` FROM ledger_log WHERE origin = ?`, origin))
}

// logOfNode is the log of a node that has not ended.
func (s *Service) logOfNode(ctx context.Context, node polder.OrgID) (known, error) {
	return logIn(s.db.Read().QueryRowContext(ctx, `SELECT `+logColumns+` FROM ledger_log WHERE node = ? AND ended = 0`, string(node)))
}

func logIn(row *sql.Row) (known, error) {
	k, err := scanLog(row)
	if errors.Is(err, sql.ErrNoRows) {
		return k, polder.Errorf(polder.NotFound, "no such transparency log is known here; polder log list names those that are")
	}
	return k, err
}

// beginOwn notes which log is this node's own.
func (s *Service) beginOwn(ctx context.Context) error {
	_, err := s.logOf(ctx, s.origin)
	if err == nil || polder.KindOf(err) != polder.NotFound {
		return err
	}
	now := micros(s.o.Now())
	return s.db.Write(ctx, func(tx *db.Tx) error {
		res, err := tx.Exec(`UPDATE ledger_log SET ended = ? WHERE own = 1 AND ended = 0`, now)
		if err != nil {
			return err
		}
		_, err = tx.Exec(`INSERT INTO ledger_log (origin, node, name, own, begun, contact) VALUES (?, ?, '', 1, ?, ?) ON CONFLICT DO NOTHING`, s.origin, string(s.node), now, now)
		if err != nil {
			return err
		}
		if n, err := res.RowsAffected(); err != nil || n == 0 {
			return err
		}
		return s.o.Audit.Append(tx, audit.Entry{Action: "log.begin", Detail: map[string]string{"why": "the journal was restored"}})
	})
}

// beginOther notes a log that another node shows, and that its log before, if there was one, has ended.
func (s *Service) beginOther(ctx context.Context, l exchange.PeerLink, origin string, old known) error {
	now := micros(s.o.Now())
	return s.db.Write(ctx, func(tx *db.Tx) error {
		if old.Origin != "" {
			if _, err := tx.Exec(`UPDATE ledger_log SET ended = ? WHERE origin = ? AND ended = 0`, now, old.Origin); err != nil {
				return err
			}
			if _, err := tx.Exec(`UPDATE ledger_received SET n = ? WHERE node = ? AND n = ? AND origin = ?`, before, string(l.Peer), waits, old.Origin); err != nil {
				return err
			}
			if err := s.o.Audit.Append(tx, audit.Entry{Action: "log.restored", Object: string(l.Peer), Detail: map[string]string{"name": l.Name}}); err != nil {
				return err
			}
		}
		if _, err := tx.Exec(`UPDATE ledger_received SET origin = ? WHERE node = ? AND origin = ''`, origin, string(l.Peer)); err != nil {
			return err
		}
		_, err := tx.Exec(`INSERT INTO ledger_log (origin, node, name, own, begun) VALUES (?, ?, ?, 0, ?)`, origin, string(l.Peer), l.Name, now)
		return err
	})
}

// accept makes a checkpoint the last one of its log, if that is still prev. It is on disk when accept returns.
func (s *Service) accept(ctx context.Context, prev known, c seal.Signed, keys []seal.LogKey) error {
	now := micros(s.o.Now())
	return s.db.Write(ctx, func(tx *db.Tx) error {
		res, err := tx.Exec(`UPDATE ledger_log SET size = ?1, root = ?2, seq = ?3, sent = CASE WHEN note = ?4 THEN sent ELSE -1 END, note = ?4,
			accepted = ?5, contact = ?5, trouble = '' WHERE origin = ?6 AND size = ?7 AND root = ?8`,
			c.Size, c.Root[:], c.Seq, string(c.Note), now, c.Origin, prev.Size, rootOf(prev))
		if err != nil {
			return err
		}
		if n, err := res.RowsAffected(); err != nil || n != 1 {
			return errors.Join(err, polder.Errorf(polder.Conflict, "the log moved on meanwhile; try again"))
		}
		if err := remember(tx, c, now); err != nil {
			return err
		}
		return keepKeys(tx, keys, now)
	})
}

// rootOf is the root as it is stored: none before the first checkpoint.
func rootOf(k known) []byte {
	if len(k.Note) == 0 {
		return []byte{}
	}
	return k.Root[:]
}

// rememberDays: of earlier days the first checkpoint stays.
const rememberLatest = 200

func remember(tx *db.Tx, c seal.Signed, now int64) error {
	_, err := tx.Exec(`INSERT INTO ledger_checkpoint (origin, size, note, at) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING`, c.Origin, c.Size, string(c.Note), now)
	if err != nil {
		return err
	}
	const day = int64(24 * time.Hour / time.Microsecond)
	_, err = tx.Exec(`DELETE FROM ledger_checkpoint WHERE origin = ?1 AND size = (SELECT size FROM ledger_checkpoint WHERE origin = ?1 ORDER BY size DESC LIMIT 1 OFFSET ?2)
		AND EXISTS (SELECT 1 FROM ledger_checkpoint e WHERE e.origin = ?1 AND e.size < ledger_checkpoint.size AND e.at / ?3 = ledger_checkpoint.at / ?3)`, c.Origin, rememberLatest, day)
	return err
}

func keepKeys(tx *db.Tx, keys []seal.LogKey, now int64) error {
	for _, k := range keys {
		if _, err := tx.Exec(`INSERT INTO ledger_key (line, since) VALUES (?, ?) ON CONFLICT DO NOTHING`, k.String(), now); err != nil {
			return err
		}
	}
	return nil
}

// keys are those under which this node verified something, the oldest first.
func (s *Service) keys(ctx context.Context) (out []seal.LogKey, err error) {
	rows, err := s.db.Read().QueryContext(ctx, `SELECT line FROM ledger_key ORDER BY since, line LIMIT 10000`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var line string
		if err := rows.Scan(&line); err != nil {
			return nil, err
		}
		k, err := seal.ParseLogKey(line)
		if err != nil {
			return nil, err
		}
		out = append(out, k)
	}
	return out, rows.Err()
}

// cosignature is that of one witness.
type cosignature struct {
	Witness polder.OrgID
	Size    int64
	At      time.Time
	Note    []byte
}

// keepCosignature keeps a witness's latest.
func keepCosignature(tx *db.Tx, origin string, c cosignature) error {
	_, err := tx.Exec(`INSERT INTO ledger_cosignature (origin, witness, size, at, note) VALUES (?, ?, ?, ?, ?)
		ON CONFLICT (origin, witness) DO UPDATE SET size = excluded.size, at = excluded.at, note = excluded.note WHERE excluded.size >= size`,
		origin, string(c.Witness), c.Size, c.At.Unix(), string(c.Note))
	return err
}

// cosignatures are the latest of each witness of a log, the newest first.
func (s *Service) cosignatures(ctx context.Context, origin string) (out []cosignature, err error) {
	rows, err := s.db.Read().QueryContext(ctx, `SELECT witness, size, at, note FROM ledger_cosignature WHERE origin = ? ORDER BY size DESC, witness LIMIT 1000`, origin)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var c cosignature
		var at int64
		if err := rows.Scan(&c.Witness, &c.Size, &at, &c.Note); err != nil {
			return nil, err
		}
		c.At = time.Unix(at, 0).UTC()
		out = append(out, c)
	}
	return out, rows.Err()
}

// touch notes that a log's node answered, and what ailed it; "" is nothing.
func (s *Service) touch(ctx context.Context, origin, trouble string, answered bool) error {
	return s.db.Write(ctx, func(tx *db.Tx) error {
		contact := int64(0)
		if answered {
			contact = micros(s.o.Now())
		}
		_, err := tx.Exec(`UPDATE ledger_log SET trouble = ?, contact = max(contact, ?) WHERE origin = ?`, trouble, contact, origin)
		return err
	})
}
