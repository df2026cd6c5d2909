package match

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"github.com/polder-exchange/polder"
)

// Seen is what a client saw of epochs and nodes' keys, in a file of its own: so that a node that gives somebody another
// key or filter than before for the same epoch, or goes back to an earlier one, is refused.
type Seen struct {
	path string
	mu   sync.Mutex
}

// NewSeen remembers in a file, which need not be there yet.
func NewSeen(path string) *Seen { return &Seen{path: path} }

// seenSet is what was last seen of a set.
type seenSet struct {
	Node   string       `json:"node"` // the address
	Set    string       `json:"set"`
	Epoch  uint64       `json:"epoch"`
	Key    []byte       `json:"key"`
	Filter string       `json:"filter_sha256"`
	Signer polder.OrgID `json:"signer"`
}

// maxSeen bounds the file.
const maxSeen = 10_000

// hold compares a descriptor with what was seen, and remembers it.
func (s *Seen) hold(node string, d Descriptor) error {
	if s == nil {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	all, err := s.read()
	if err != nil {
		return err
	}
	now := seenSet{node, d.ID, d.Epoch, d.Key, d.Filter, d.Signer}
	for i, was := range all {
		if was.Node != node || was.Set != d.ID {
			continue
		}
		switch {
		case was.Signer != d.Signer:
			return seenRefusal(s.path, node, d, "it was signed by %s before, and is now by %s", was.Signer, d.Signer)
		case was.Epoch > d.Epoch:
			return seenRefusal(s.path, node, d, "epoch %d was seen before", was.Epoch)
		case was.Epoch == d.Epoch && (!bytes.Equal(was.Key, d.Key) || was.Filter != d.Filter):
			return seenRefusal(s.path, node, d, "the same epoch had another key or another filter before")
		case was.Epoch == d.Epoch:
			return nil
		}
		all[i] = now
		return s.write(all)
	}
	return s.write(append(all, now))
}

func seenRefusal(path, node string, d Descriptor, why string, args ...any) error {
	return polder.Errorf(polder.Conflict, "%s: epoch %d of the set %s is refused, and nothing was sent: %s. Ask the set's owner; what was seen is in %s", node, d.Epoch, d.Name, fmt.Sprintf(why, args...), path)
}

func (s *Seen) read() (out []seenSet, err error) {
	b, err := os.ReadFile(s.path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	for i, line := range strings.Split(strings.TrimSpace(string(b)), "\n") {
		var one seenSet
		if err := json.Unmarshal([]byte(line), &one); err != nil {
			return nil, polder.Errorf(polder.Invalid, "%s:%d: is no line of what was seen of sets; put the file aside, and the next question begins a new one", s.path, i+1)
		}
		out = append(out, one)
	}
	return out, nil
}

func (s *Seen) write(all []seenSet) error {
	if len(all) > maxSeen {
		all = all[len(all)-maxSeen:]
	}
	var out bytes.Buffer
	for _, one := range all {
		line, err := json.Marshal(one)
		if err != nil {
			return err
		}
		out.Write(append(line, '\n'))
	}
	if err := os.MkdirAll(filepath.Dir(s.path), 0o700); err != nil {
		return err
	}
	next := s.path + ".new"
	if err := os.WriteFile(next, out.Bytes(), 0o600); err != nil {
		return err
	}
	return os.Rename(next, s.path)
}

// samePrint compares fingerprints by their digits and letters.
func samePrint(a, b string) bool {
	bare := func(s string) string {
		return strings.Map(func(r rune) rune {
			if strings.ContainsRune(" \t\r\n.-:\u00a0\u202f", r) {
				return -1
			}
			return r
		}, strings.ToLower(s))
	}
	return b != "" && bare(a) == bare(b)
}
