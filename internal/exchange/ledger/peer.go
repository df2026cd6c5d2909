package ledger

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/db"
	"github.com/polder-exchange/polder/internal/exchange"
	"github.com/polder-exchange/polder/internal/seal"
)

// witnessesAtMost bounds how many witnesses a log has.
const witnessesAtMost = 1000

// checkpointAnswer is the last checkpoint of the node's log; an empty note where nothing was delivered yet.
type checkpointAnswer struct {
	Note string `json:"note"`
}

// leavesAnswer are leaves in order, 32 bytes each.
type leavesAnswer struct {
	Hashes []byte `json:"hashes"`
}

// cosignBody is a checkpoint of the node's log with the caller's cosignature.
type cosignBody struct {
	Note string `json:"note"`
}

// cosignaturesAnswer are the latest cosignatures, a note each, and how many nodes ask for the log.
type cosignaturesAnswer struct {
	Notes     []string `json:"notes"`
	Witnesses int      `json:"witnesses"`
}

// PeerRoutes are what a node answers to those who witness its log.
func (s *Service) PeerRoutes() []exchange.PeerRoute {
	return []exchange.PeerRoute{
		{Method: http.MethodGet, Path: "log/checkpoint", Summary: "The last checkpoint of this node's transparency log.", Handle: s.answerCheckpoint},
		{Method: http.MethodGet, Path: "log/leaves", Summary: "Leaves of this node's transparency log, from the first named up to before the second.", Handle: s.answerLeaves},
		{Method: http.MethodPost, Path: "log/cosign", Summary: "Take the caller's cosignature of a checkpoint.", MaxBody: 2 * seal.MaxNote, Handle: s.takeCosignature},
		{Method: http.MethodGet, Path: "log/cosignatures", Summary: "The latest cosignature of each witness of this node's transparency log.", Handle: s.answerCosignatures},
	}
}

func (s *Service) answerCheckpoint(ctx context.Context, l exchange.PeerLink, _ url.Values, _ []byte) (any, error) {
	k, err := s.logOf(ctx, s.origin)
	if err != nil {
		return nil, err
	}
	return checkpointAnswer{Note: string(k.Note)}, s.met(ctx, l)
}

// met notes that a node asks for the log: at most once a minute, since each asks often.
func (s *Service) met(ctx context.Context, l exchange.PeerLink) error {
	now := micros(s.o.Now())
	var last int64
	err := s.db.Read().QueryRowContext(ctx, `SELECT coalesce(max(contact), 0) FROM ledger_witness WHERE node = ?`, string(l.Peer)).Scan(&last)
	if err != nil || last > now-60_000_000 && last <= now {
		return err
	}
	return s.db.Write(ctx, func(tx *db.Tx) error {
		_, err := tx.Exec(`INSERT INTO ledger_witness (node, name, contact) VALUES (?, ?, ?)
			ON CONFLICT (node) DO UPDATE SET name = excluded.name, contact = excluded.contact`, string(l.Peer), clip(l.Name, 200), now)
		return err
	})
}

func (s *Service) answerLeaves(ctx context.Context, _ exchange.PeerLink, query url.Values, _ []byte) (any, error) {
	from, err := strconv.ParseInt(query.Get("from"), 10, 64)
	to, err2 := strconv.ParseInt(query.Get("to"), 10, 64)
	if err != nil || err2 != nil || from < 0 || to <= from || to-from > leavesAtOnce {
		return nil, polder.Errorf(polder.Invalid, "from, to: ask for 1 to %d leaves: from=0&to=%d", leavesAtOnce, leavesAtOnce)
	}
	k, err := s.logOf(ctx, s.origin)
	if err != nil {
		return nil, err
	}
	if to > k.Size {
		return nil, polder.Errorf(polder.Invalid, "to: the last checkpoint has %d leaves", k.Size)
	}
	t, err := s.ownTree(ctx)
	if err != nil {
		return nil, err
	}
	if t.size < to {
		return nil, polder.Errorf(polder.Unavailable, "the log is being built anew; ask again in a minute")
	}
	out := make([]byte, 0, (to-from)*tlog.HashSize)
	err = readHashes(s.trees.db.Read(), t).each(from, to, func(_ int64, leaf tlog.Hash) bool {
		out = append(out, leaf[:]...)
		return true
	})
	return leavesAnswer{Hashes: out}, err
}

// takeCosignature keeps what a witness signed, when it is a checkpoint of this log.
func (s *Service) takeCosignature(ctx context.Context, l exchange.PeerLink, _ url.Values, body []byte) (any, error) {
	var in cosignBody
	if err := json.Unmarshal(body, &in); err != nil {
		return nil, polder.Errorf(polder.Invalid, `body: is not {"note": "…"}`)
	}
	_, own, err := s.o.Keys.Node(ctx)
	if err != nil {
		return nil, err
	}
	key, err := s.o.Keys.KeyOf(ctx, l.Peer)
	if polder.KindOf(err) == polder.NotFound {
		key, err = l.Key, nil
	}
	if err != nil {
		return nil, err
	}
	witness := seal.WitnessKeyOf(string(l.Peer), key)
	c, err := seal.OpenCheckpoint([]byte(in.Note), seal.LogKeyOf(s.origin, own), witness)
	if err != nil {
		return nil, polder.Errorf(polder.Invalid, "note: %w", err)
	}
	if len(c.Cosigners) != 1 {
		return nil, polder.Errorf(polder.Invalid, "note: carries no cosignature of %s", l.Peer)
	}
	if err := s.mine(ctx, c); err != nil {
		return nil, err
	}
	err = s.db.Write(ctx, func(tx *db.Tx) error {
		if err := keepKeys(tx, []seal.LogKey{witness}, micros(s.o.Now())); err != nil {
			return err
		}
		return keepCosignature(tx, c.Origin, cosignature{l.Peer, c.Size, c.Cosigners[0].At, c.Note})
	})
	return struct{}{}, err
}

// mine holds a checkpoint, signed with this node's key, against its own log. One that it never signed means that its key
// is in other hands.
func (s *Service) mine(ctx context.Context, c seal.Signed) error {
	k, err := s.logOf(ctx, s.origin)
	if err != nil {
		return err
	}
	t, err := s.ownTree(ctx)
	if err != nil {
		return err
	}
	same := c.Size <= k.Size
	if same && t.size < c.Size {
		return polder.Errorf(polder.Unavailable, "the log is being built anew; send it again in a minute")
	}
	if same {
		root, err := readHashes(s.trees.db.Read(), t).root(c.Size)
		if err != nil {
			return err
		}
		same = root == c.Root
	}
	if same {
		return nil
	}
	if err := s.keep(ctx, evidence{Node: s.node, Origin: s.origin, Kind: Usurped, First: k.Note, Second: c.Note}); err != nil {
		return err
	}
	return polder.Errorf(polder.Conflict, "note: this node did not sign that checkpoint; it has kept it as evidence")
}

func (s *Service) answerCosignatures(ctx context.Context, _ exchange.PeerLink, _ url.Values, _ []byte) (any, error) {
	all, err := s.cosignatures(ctx, s.origin)
	if err != nil {
		return nil, err
	}
	out := cosignaturesAnswer{Notes: []string{}}
	for _, c := range all[:min(len(all), witnessesAtMost)] {
		out.Notes = append(out.Notes, string(c.Note))
	}
	out.Witnesses, err = s.witnesses(ctx)
	return out, err
}

// witnesses is how many nodes asked for this node's log in the last thirty days.
func (s *Service) witnesses(ctx context.Context) (n int, err error) {
	since := s.o.Now().AddDate(0, 0, -30)
	err = s.db.Read().QueryRowContext(ctx, `SELECT count(*) FROM ledger_witness WHERE contact > ?`, micros(since)).Scan(&n)
	return min(n, witnessesAtMost), err
}
