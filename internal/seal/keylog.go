package seal

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// LogEntry is one change of who reads for a desk. Entries are only ever added; each names the hash of the one before.
type LogEntry struct {
	N    int       `json:"n"` // 1, 2, 3 …
	At   time.Time `json:"at"`
	Did  Did       `json:"did"`
	Key  PublicKey `json:"key"`
	Name string    `json:"name"` // whose key it is, as the desk names them
	By   string    `json:"by"`   // of a confirmation: the id of the key that confirmed; else who did it, in words
	Prev string    `json:"prev"` // hash of entry N-1; empty in the first
	Hash string    `json:"hash"`
}

// Did is what happened to a key.
type Did string

// What can happen to a key. The first key of a desk is in force when it is added; one that is added to others waits until
// the holder of a key in force confirms it.
const (
	DidAdd     Did = "added"
	DidConfirm Did = "confirmed"
	DidRemove  Did = "removed"
)

// MaxLog is how many entries a log can have, and maxLogText how many bytes a name in it.
const (
	MaxLog     = 4096
	maxLogText = 300
)

// AppendLog adds e to a log, and fills in its N, Prev and Hash. It verifies the log first.
func AppendLog(entries []LogEntry, e LogEntry) ([]LogEntry, error) {
	e.N, e.Prev = len(entries)+1, ""
	if len(entries) > 0 {
		e.Prev = entries[len(entries)-1].Hash
	}
	e.At = e.At.UTC().Truncate(time.Second)
	e.Hash = e.sum()
	out := append(slices.Clone(entries), e)
	if err := VerifyLog(out); err != nil {
		return nil, err
	}
	return out, nil
}

// VerifyLog says where a log is broken: an entry that was changed, left out or put in, or one that could not have
// happened after those before it.
func VerifyLog(entries []LogEntry) error {
	_, err := replayLog(entries)
	return err
}

// InForce are the keys to seal to, in the order in which they came into force. Of a broken log there are none.
func InForce(entries []LogEntry) []KeyID {
	s, err := replayLog(entries)
	if err != nil {
		return nil
	}
	return s.inForce
}

// Waiting are the keys that were added and not yet confirmed. Of a broken log there are none.
func Waiting(entries []LogEntry) []KeyID {
	s, err := replayLog(entries)
	if err != nil {
		return nil
	}
	return s.waiting
}

// logState is who reads after some entries.
type logState struct{ inForce, waiting []KeyID }

func replayLog(entries []LogEntry) (logState, error) {
	var s logState
	if len(entries) > MaxLog {
		return s, fmt.Errorf("the key log has %d entries; at most %d are read", len(entries), MaxLog)
	}
	prev, at := "", time.Time{}
	for i, e := range entries {
		if err := e.follows(i+1, prev, at); err != nil {
			return logState{}, fmt.Errorf("entry %d of the key log: %w", i+1, err)
		}
		if err := s.apply(e); err != nil {
			return logState{}, fmt.Errorf("entry %d of the key log: %w", i+1, err)
		}
		prev, at = e.Hash, e.At
	}
	return s, nil
}

func (e LogEntry) follows(n int, prev string, at time.Time) error {
	switch {
	case e.N != n:
		return fmt.Errorf("is numbered %d", e.N)
	case e.Prev != prev:
		return errors.New("does not follow the one before it: something was changed or left out")
	case e.Hash != e.sum():
		return errors.New("does not have its own hash: it was changed")
	case e.At.Before(at):
		return errors.New("is older than the one before it")
	case e.At.Nanosecond() != 0 || e.At.Year() < 2000 || e.At.Year() > 9999:
		return errors.New("its time is no full second from the year 2000 on")
	}
	if err := e.Key.Validate(); err != nil {
		return err
	}
	for _, s := range []string{e.Name, e.By} {
		if len(s) > maxLogText || !utf8.ValidString(s) || strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r == 0x7f }) {
			return fmt.Errorf("a name in it is longer than %d bytes, or has characters that are not shown", maxLogText)
		}
	}
	return nil
}

func (s *logState) apply(e LogEntry) error {
	id := e.Key.ID()
	reads, waits := slices.Contains(s.inForce, id), slices.Contains(s.waiting, id)
	switch {
	case e.Did == DidAdd && (reads || waits):
		return errors.New("adds a key that is there")
	case e.Did == DidAdd && len(s.inForce) == 0:
		s.inForce = append(s.inForce, id)
	case e.Did == DidAdd:
		s.waiting = append(s.waiting, id)
	case e.Did == DidConfirm && !waits:
		return errors.New("confirms a key that does not wait for it")
	case e.Did == DidConfirm && !slices.Contains(s.inForce, KeyID(e.By)):
		return errors.New("confirms by a key that is not in force")
	case e.Did == DidConfirm:
		s.waiting = slices.DeleteFunc(s.waiting, func(k KeyID) bool { return k == id })
		s.inForce = append(s.inForce, id)
	case e.Did == DidRemove && !reads && !waits:
		return errors.New("removes a key that is not there")
	case e.Did == DidRemove:
		gone := func(k KeyID) bool { return k == id }
		s.inForce, s.waiting = slices.DeleteFunc(s.inForce, gone), slices.DeleteFunc(s.waiting, gone)
	default:
		return fmt.Errorf("says %q; a key is added, confirmed or removed", e.Did)
	}
	return nil
}

// sum is the hash of e: SHA-256 over its fields, a line each.
func (e LogEntry) sum() string {
	h := sha256.Sum256([]byte(strings.Join([]string{"polder key log 1", strconv.Itoa(e.N), e.At.UTC().Format(time.RFC3339),
		string(e.Did), e.Key.String(), e.Name, e.By, e.Prev}, "\n")))
	return hex.EncodeToString(h[:])
}
