package ledger

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/seal"
)

// Alarms, beside the kinds of evidence.
const (
	Frozen  = "frozen"  // deliveries came, and no checkpoint covers them
	Silent  = "silent"  // the node has not answered
	Failing = "failing" // the last attempt to follow the log failed
	Behind  = "behind"  // this node's own log waits after an error
)

// Alarm is what is wrong with a log.
type Alarm struct {
	Kind  string
	Since time.Time
	Text  string // in the words of what failed; "" where the kind says it all
}

// Bad tells whether it shows a lie, or that a key or a journal is in other hands, rather than trouble.
func (a Alarm) Bad() bool {
	return slices.Contains([]string{Forked, Shorter, Omitted, Unproven, Changed, Usurped}, a.Kind)
}

// State is a log as people are shown it.
type State struct {
	Origin    string
	Node      polder.OrgID
	Name      string // of the node, as the link calls it; "" for the own one
	Own       bool
	Begun     time.Time
	Ended     time.Time // when another log of the node took its place: it was restored
	Left      bool      // no link leads to the node any more, so the log is not followed
	Size      int64
	Seq       polder.Seq
	Accepted  time.Time // when the last checkpoint was signed or accepted
	Contact   time.Time
	Witnessed int       // witnesses that signed the last checkpoint, or one of the last ten minutes
	Witnesses int       // nodes that ask for it, as far as is known
	Signed    time.Time // the last cosignature, by the witness's clock
	Signers   []polder.OrgID
	Waiting   int // deliveries that no checkpoint covers yet
	Logged    int // deliveries found in it
	Before    int // deliveries that the log which ended never showed
	Alarms    []Alarm
}

// States are all logs that this node keeps or witnesses, its own first.
func (s *Service) States(ctx context.Context) (out []State, err error) {
	logs, err := s.logs(ctx)
	if err != nil {
		return nil, err
	}
	found, err := s.allEvidence(ctx)
	if err != nil {
		return nil, err
	}
	linked := map[polder.OrgID]bool(nil)
	if s.o.Linked != nil {
		if linked, err = s.o.Linked(ctx); err != nil {
			return nil, err
		}
	}
	for _, k := range logs {
		if linked != nil && !k.Own && !linked[k.Node] {
			k.Left = true
		}
		st, err := s.state(ctx, k)
		if err != nil {
			return nil, err
		}
		for _, e := range slices.Backward(found) {
			if e.Origin == k.Origin {
				st.Alarms = append(st.Alarms, Alarm{Kind: e.Kind, Since: e.At})
			}
		}
		out = append(out, st)
	}
	return out, nil
}

func (s *Service) state(ctx context.Context, k known) (State, error) {
	st := State{Origin: k.Origin, Node: k.Node, Name: k.Name, Own: k.Own, Begun: k.Begun, Ended: k.Ended, Size: k.Size, Seq: polder.Seq(k.Seq),
		Accepted: k.Accepted, Contact: k.Contact, Witnesses: k.Witnesses}
	if err := s.witnessed(ctx, k, &st); err != nil {
		return st, err
	}
	var oldest int64
	err := s.db.Read().QueryRowContext(ctx, `SELECT count(*) FILTER (WHERE n = -1), count(*) FILTER (WHERE n >= 0), count(*) FILTER (WHERE n = -2), coalesce(min(at) FILTER (WHERE n = -1), 0)
		FROM ledger_received WHERE node = ? AND origin = ?`, string(k.Node), k.Origin).Scan(&st.Waiting, &st.Logged, &st.Before, &oldest)
	if err != nil {
		return st, err
	}
	st.Left = k.Left
	if k.Ended.IsZero() && !k.Left {
		st.Alarms = s.alarms(k, instant(oldest))
	}
	return st, nil
}

// witnessed counts who signed; a witness has ten minutes to sign what is new.
func (s *Service) witnessed(ctx context.Context, k known, st *State) error {
	var settled int64
	since := micros(s.o.Now().Add(-10 * time.Minute))
	err := s.db.Read().QueryRowContext(ctx, `SELECT coalesce(max(size), 0) FROM ledger_checkpoint WHERE origin = ? AND at < ?`, k.Origin, since).Scan(&settled)
	if err != nil {
		return err
	}
	all, err := s.cosignatures(ctx, k.Origin)
	if err != nil {
		return err
	}
	for _, c := range all {
		if c.Size >= max(settled, 1) {
			st.Witnessed++
			st.Signers = append(st.Signers, c.Witness)
		}
		if c.At.After(st.Signed) {
			st.Signed = c.At
		}
	}
	if k.Own && k.Ended.IsZero() {
		if st.Witnesses, err = s.witnesses(ctx); err != nil {
			return err
		}
	}
	st.Witnesses = max(st.Witnesses, len(all))
	return nil
}

// alarms are those of trouble; what shows a lie is evidence.
func (s *Service) alarms(k known, oldest time.Time) (out []Alarm) {
	now := s.o.Now()
	if k.Own {
		if why := s.failed.Load(); why != nil {
			out = append(out, Alarm{Kind: Behind, Since: k.Accepted, Text: *why})
		}
		return out
	}
	if !oldest.IsZero() && now.Sub(oldest) > s.o.Stale {
		out = append(out, Alarm{Kind: Frozen, Since: oldest})
	}
	heard := k.Contact
	if heard.IsZero() {
		heard = k.Begun
	}
	if now.Sub(heard) > s.o.Stale {
		out = append(out, Alarm{Kind: Silent, Since: heard})
	}
	if k.Trouble != "" {
		out = append(out, Alarm{Kind: Failing, Since: heard, Text: k.Trouble})
	}
	return out
}

// Checkpoint is the last checkpoint of a log with all cosignatures of it that are held: of the own log when name is
// empty, else of the log of a node, by the node's id or name or the log's origin.
func (s *Service) Checkpoint(ctx context.Context, name string) (seal.Checkpoint, []byte, error) {
	k, err := s.named(ctx, name)
	if err != nil {
		return seal.Checkpoint{}, nil, err
	}
	if k.Size == 0 {
		return seal.Checkpoint{}, nil, polder.Errorf(polder.NotFound, "the log has no checkpoint yet; the node signs one while it serves, after the first delivery")
	}
	raw, err := s.noteOf(ctx, k)
	return k.checkpoint(), raw, err
}

func (s *Service) named(ctx context.Context, name string) (known, error) {
	logs, err := s.logs(ctx)
	if err != nil {
		return known{}, err
	}
	var found []known
	for _, k := range logs {
		current := k.Ended.IsZero() && (name == "" && k.Own || name == string(k.Node) || strings.EqualFold(name, k.Name))
		if current && (name != "" || k.Own) || name == k.Origin {
			found = append(found, k)
		}
	}
	switch {
	case len(found) == 1:
		return found[0], nil
	case len(found) > 1:
		return known{}, polder.Errorf(polder.Conflict, "--log: several nodes are called %.80q; use the node's id", name)
	case name == "":
		return known{}, polder.Errorf(polder.NotFound, "the log has no checkpoint yet; the node signs one while it serves, after the first delivery")
	}
	return known{}, polder.Errorf(polder.NotFound, "--log: no log of %.80q is known here; see polder log list", name)
}

// noteOf is the last checkpoint with the cosignatures of exactly that.
func (s *Service) noteOf(ctx context.Context, k known) ([]byte, error) {
	all, err := s.cosignatures(ctx, k.Origin)
	if err != nil {
		return nil, err
	}
	notes := [][]byte{k.Note}
	for _, c := range all {
		if c.Size == k.Size && len(notes) < 90 { // a note has at most a hundred signatures
			notes = append(notes, c.Note)
		}
	}
	return seal.MergeNotes(notes...), nil
}

// Counts are figures over all logs.
type Counts struct {
	Followed int // logs of other nodes
	Waiting  int // deliveries that no checkpoint covers yet
	Alarms   int // logs with an alarm
}

// Counts counts; where that fails it counts one alarm.
func (s *Service) Counts(ctx context.Context) (c Counts) {
	all, err := s.States(ctx)
	if err != nil {
		return Counts{Alarms: 1}
	}
	for _, st := range all {
		if !st.Own && st.Ended.IsZero() && !st.Left {
			c.Followed++
		}
		c.Waiting += st.Waiting
		if len(st.Alarms) > 0 {
			c.Alarms++
		}
	}
	return c
}
