package ledger

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"errors"
	"time"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/audit"
	"github.com/polder-exchange/polder/internal/db"
	"github.com/polder-exchange/polder/internal/seal"
)

// What evidence shows.
const (
	Forked   = "forked"   // two signed checkpoints cannot be of one log
	Shorter  = "shorter"  // the log became shorter, or an earlier log came back
	Omitted  = "omitted"  // a delivery that the node handed over is not in its log
	Unproven = "unproven" // the leaves that the node shows do not make the root that it signed
	Changed  = "changed"  // this node's own journal no longer holds what was signed for it
	Usurped  = "usurped"  // somebody signs checkpoints of this node's log that it did not sign
)

// evidence is what shows that a log told two stories.
type evidence struct {
	ID     int64
	Node   polder.OrgID
	Origin string
	Kind   string
	First  []byte // signed notes
	Second []byte
	Detail map[string]any
	At     time.Time
}

// same is equal for what says the same.
func (e evidence) same() string {
	detail, _ := json.Marshal(e.Detail) // strings and numbers always encode
	text, _ := json.Marshal([]string{string(e.Node), e.Origin, e.Kind, string(e.First), string(e.Second), string(detail)})
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}

// keep writes evidence down for good, once; of one node the first hundred pieces are enough.
func (s *Service) keep(ctx context.Context, e evidence) error {
	if e.Detail == nil {
		e.Detail = map[string]any{}
	}
	detail, err := json.Marshal(e.Detail)
	if err != nil {
		return err
	}
	return s.db.Write(ctx, func(tx *db.Tx) error {
		res, err := tx.Exec(`INSERT INTO ledger_evidence (same, node, origin, kind, first, second, detail, at) SELECT ?, ?, ?, ?, ?, ?, ?, ?
			WHERE (SELECT count(*) FROM ledger_evidence WHERE node = ?2) < 100 ON CONFLICT DO NOTHING`,
			e.same(), string(e.Node), e.Origin, e.Kind, string(e.First), string(e.Second), string(detail), micros(s.o.Now()))
		if err != nil {
			return err
		}
		if n, err := res.RowsAffected(); err != nil || n == 0 {
			return err
		}
		return s.o.Audit.Append(tx, audit.Entry{Action: "log.evidence", Object: string(e.Node), Detail: map[string]string{"why": e.Kind}})
	})
}

// allEvidence is what was kept, the newest first.
func (s *Service) allEvidence(ctx context.Context) (out []evidence, err error) {
	rows, err := s.db.Read().QueryContext(ctx, `SELECT id, node, origin, kind, first, second, detail, at FROM ledger_evidence ORDER BY id DESC LIMIT 1000`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var e evidence
		var detail []byte
		var at int64
		if err := rows.Scan(&e.ID, &e.Node, &e.Origin, &e.Kind, &e.First, &e.Second, &detail, &at); err != nil {
			return nil, err
		}
		if err := json.Unmarshal(detail, &e.Detail); err != nil {
			return nil, err
		}
		e.At = instant(at)
		out = append(out, e)
	}
	return out, rows.Err()
}

// caught is the error of a log that told two stories.
func caught(name, kind string) error {
	what := map[string]string{
		Forked:   "signed two checkpoints that cannot be of one log",
		Shorter:  "showed a log that is shorter than it was",
		Omitted:  "handed over what is not in its log",
		Unproven: "signed a root that its own leaves do not make",
	}[kind]
	return polder.Errorf(polder.Conflict, "transparency log: %s %s; the evidence is kept, see polder log list", name, what)
}

// convict keeps evidence against a node's log and stops the links to it.
func (s *Service) convict(ctx context.Context, name string, e evidence) error {
	if err := s.keep(ctx, e); err != nil {
		return errors.Join(caught(name, e.Kind), err)
	}
	s.log.ErrorContext(ctx, "a transparency log told two stories", "node", string(e.Node), "kind", e.Kind)
	return errors.Join(caught(name, e.Kind), s.act(ctx, e.Node, caught(name, e.Kind).Error()))
}

// act stops the links to a node, and notes that its evidence was acted on.
func (s *Service) act(ctx context.Context, node polder.OrgID, reason string) error {
	if s.o.Stop == nil {
		return nil
	}
	if err := s.o.Stop.StopPeer(ctx, node, reason); err != nil {
		return err
	}
	return s.db.Write(ctx, func(tx *db.Tx) error {
		_, err := tx.Exec(`UPDATE ledger_evidence SET acted = 1 WHERE node = ? AND acted = 0`, string(node))
		return err
	})
}

// standing acts on evidence that a command found, in another process, while this one served.
func (s *Service) standing(ctx context.Context, node polder.OrgID, name string) error {
	var kind string
	err := s.db.Read().QueryRowContext(ctx, `SELECT kind FROM ledger_evidence WHERE node = ? AND acted = 0 ORDER BY id LIMIT 1`, string(node)).Scan(&kind)
	if errors.Is(err, sql.ErrNoRows) {
		return nil
	}
	if err != nil {
		return err
	}
	verdict := caught(name, kind)
	return errors.Join(verdict, s.act(ctx, node, verdict.Error()))
}

// against is what shows that two checkpoints of one log cannot both be.
func against(k known, kind string, second seal.Signed) evidence {
	return evidence{Node: k.Node, Origin: k.Origin, Kind: kind, First: k.Note, Second: second.Note}
}
