package ledger

import (
	"bufio"
	"bytes"
	"context"
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/polder-exchange/polder/internal/seal"
)

// Keys are those that are trusted to sign checkpoints: each for one name, or an owner's for whatever it signs.
type Keys struct {
	named  []seal.LogKey
	owners map[string][]ed25519.PublicKey
}

// ReadKeys reads a file of keys: lines as `polder log list --keys` prints them, or as `polder keys show --all --json`
// does. Of the latter, revoked keys are left out.
func ReadKeys(in io.Reader) (Keys, error) {
	k := Keys{owners: map[string][]ed25519.PublicKey{}}
	lines := bufio.NewScanner(in)
	lines.Buffer(make([]byte, 0, 64<<10), seal.MaxKeyLine)
	n := 0
	for lines.Scan() {
		if n++; n > seal.MaxKeyLines {
			return k, fmt.Errorf("%d: more lines than %d are not read", n, seal.MaxKeyLines)
		}
		if err := k.read(bytes.TrimSpace(lines.Bytes())); err != nil {
			return k, fmt.Errorf("%d: %w", n, err)
		}
	}
	if errors.Is(lines.Err(), bufio.ErrTooLong) {
		return k, fmt.Errorf("%d: the line is longer than %d bytes", n+1, seal.MaxKeyLine)
	}
	return k, lines.Err()
}

func (k *Keys) read(line []byte) error {
	if len(line) == 0 || line[0] == '#' {
		return nil
	}
	if line[0] != '{' {
		one, err := seal.ParseLogKey(string(line))
		if err == nil {
			k.named = append(k.named, one)
		}
		return err
	}
	var e struct {
		Owner      string            `json:"owner"`
		Statements []json.RawMessage `json:"statements"`
	}
	if err := json.Unmarshal(line, &e); err != nil {
		return errors.New("is neither a key of a log, as polder log list --keys prints it, nor JSON of polder keys show --all --json")
	}
	if e.Owner == "" || len(e.Statements) == 0 {
		return nil // of others who sign no checkpoints
	}
	if len(e.Statements) > seal.MaxStatements {
		return fmt.Errorf("%d statements are more than any owner has", len(e.Statements))
	}
	var raw [][]byte
	for _, s := range e.Statements {
		raw = append(raw, s)
	}
	chain, err := seal.ReadChain(raw)
	if err != nil {
		return err
	}
	if chain.Owner() != e.Owner {
		return fmt.Errorf("the statements are of %q, not of %.80s", chain.Owner(), e.Owner)
	}
	for _, one := range chain.Keys() {
		if one.Revoked == 0 {
			k.owners[e.Owner] = append(k.owners[e.Owner], one.Key[:])
		}
	}
	return nil
}

// Empty tells whether there are none.
func (k Keys) Empty() bool { return len(k.named) == 0 && len(k.owners) == 0 }

// For are the keys that may have signed these notes.
func (k Keys) For(notes ...[]byte) []seal.LogKey {
	out := slices.Clone(k.named)
	for _, raw := range notes {
		_, sigs, _ := strings.Cut(string(raw[:min(len(raw), seal.MaxNote)]), "\n\n")
		for line := range strings.Lines(sigs) {
			name, _, _ := strings.Cut(strings.TrimPrefix(line, "— "), " ")
			if node, _, ok := seal.ParseLogOrigin(name); ok {
				for _, key := range k.owners[node] {
					out = append(out, seal.LogKeyOf(name, key))
				}
				continue
			}
			for _, key := range k.owners[name] {
				out = append(out, seal.WitnessKeyOf(name, key))
			}
		}
	}
	return out
}

// Keys are those under which this node verified checkpoints.
func (s *Service) Keys(ctx context.Context) (Keys, error) {
	named, err := s.keys(ctx)
	return Keys{named: named}, err
}

// With are the keys of both.
func (k Keys) With(other Keys) Keys {
	out := Keys{named: slices.Concat(k.named, other.named), owners: map[string][]ed25519.PublicKey{}}
	for _, from := range []Keys{k, other} {
		for owner, keys := range from.owners {
			out.owners[owner] = append(out.owners[owner], keys...)
		}
	}
	return out
}

// Lines are the keys that are named, a line each.
func (k Keys) Lines() (out []string) {
	for _, one := range k.named {
		out = append(out, one.String())
	}
	return out
}
