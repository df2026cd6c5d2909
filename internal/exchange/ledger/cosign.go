package ledger

import (
	"context"
	"crypto/ed25519"
	"net/http"
	"strings"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/db"
	"github.com/polder-exchange/polder/internal/seal"
)

// cosign signs what was accepted as a witness, and tells the peer. What is signed was read back from the disk: whatever
// was accepted last, and nothing else.
func (f *following) cosign(ctx context.Context) error {
	s := f.s
	k, err := s.logOf(ctx, f.log.Origin)
	if err != nil || k.Size == 0 || k.Sent == k.Size {
		return err
	}
	c, err := s.cosignAs(ctx, k, f.key)
	if err != nil {
		return err
	}
	if err := f.to.Call(ctx, http.MethodPost, "log/cosign", nil, cosignBody{Note: string(c.Note)}, nil); err != nil {
		return err
	}
	return s.db.Write(ctx, func(tx *db.Tx) error {
		_, err := tx.Exec(`UPDATE ledger_log SET sent = ? WHERE origin = ?`, c.Size, k.Origin)
		return err
	})
}

// cosignAs makes this node's cosignature of the last accepted checkpoint and keeps it.
func (s *Service) cosignAs(ctx context.Context, k known, key seal.LogKey) (c cosignature, err error) {
	node, public, err := s.o.Keys.Node(ctx)
	if err != nil {
		return c, err
	}
	open, err := seal.OpenCheckpoint(k.Note, key)
	if err != nil {
		return c, err
	}
	by := seal.LogSigner{Key: seal.WitnessKeyOf(string(node), public), At: s.o.Now(), Make: func(m []byte) ([]byte, error) { return s.o.Keys.SignNode(ctx, m) }}
	raw, err := seal.Cosign(open, by, key)
	if err != nil {
		return c, err
	}
	c = cosignature{node, k.Size, by.At, raw}
	return c, s.db.Write(ctx, func(tx *db.Tx) error {
		if err := keepKeys(tx, []seal.LogKey{by.Key}, micros(by.At)); err != nil {
			return err
		}
		return keepCosignature(tx, k.Origin, c)
	})
}

// others takes over what other witnesses cosigned. A checkpoint among them that contradicts the copy of the log here is
// the other story.
func (f *following) others(ctx context.Context) error {
	var got cosignaturesAnswer
	if err := f.to.Call(ctx, http.MethodGet, "log/cosignatures", nil, nil, &got); err != nil {
		return err
	}
	if len(got.Notes) > witnessesAtMost || got.Witnesses < 0 || got.Witnesses > witnessesAtMost {
		return polder.Errorf(polder.Invalid, "transparency log: %s names more than %d witnesses", f.l.Name, witnessesAtMost)
	}
	for _, raw := range got.Notes {
		if err := f.other(ctx, raw); err != nil {
			return err
		}
	}
	return f.s.db.Write(ctx, func(tx *db.Tx) error {
		_, err := tx.Exec(`UPDATE ledger_log SET witnesses = ? WHERE origin = ?`, got.Witnesses, f.log.Origin)
		return err
	})
}

// other takes over one note with the cosignature of one witness. What does not verify is left out: it shows nothing.
func (f *following) other(ctx context.Context, raw string) error {
	s := f.s
	witness, ok := witnessOf(raw, f.next.Origin)
	if !ok || witness == string(s.node) || witness == string(f.l.Peer) {
		return nil
	}
	key, err := s.o.Keys.KeyOf(ctx, polder.OrgID(witness))
	if polder.KindOf(err) == polder.NotFound || err == nil && len(key) != ed25519.PublicKeySize {
		return nil // nobody here vouches for it
	}
	if err != nil {
		return err
	}
	vouched := seal.WitnessKeyOf(witness, key)
	signed, err := seal.OpenCheckpoint([]byte(raw), f.key, vouched)
	if err != nil || len(signed.Cosigners) != 1 || signed.Origin != f.next.Origin {
		return nil
	}
	if signed.Size > f.next.Size {
		return nil // newer than what is held here; it comes again
	}
	h := readHashes(s.trees.db.Read(), f.tree)
	root, err := h.root(signed.Size)
	if err != nil {
		return err
	}
	if root != signed.Root {
		return s.convict(ctx, f.l.Name, evidence{Node: f.log.Node, Origin: f.log.Origin, Kind: Forked, First: f.next.Note, Second: signed.Note})
	}
	c := signed.Cosigners[0]
	return s.db.Write(ctx, func(tx *db.Tx) error {
		if err := keepKeys(tx, []seal.LogKey{vouched}, micros(s.o.Now())); err != nil {
			return err
		}
		return keepCosignature(tx, signed.Origin, cosignature{polder.OrgID(c.Name), signed.Size, c.At, signed.Note})
	})
}

// witnessOf is the name under the one signature of a note that is not the log's.
func witnessOf(raw, origin string) (name string, ok bool) {
	_, sigs, found := strings.Cut(raw, "\n\n")
	if !found || len(raw) > seal.MaxNote {
		return "", false
	}
	for line := range strings.Lines(sigs) {
		who, _, _ := strings.Cut(strings.TrimPrefix(line, "— "), " ")
		if who == origin {
			continue
		}
		if name != "" {
			return "", false
		}
		name = who
	}
	return name, name != ""
}
