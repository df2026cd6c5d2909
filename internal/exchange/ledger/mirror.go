package ledger

import (
	"bytes"
	"context"
	"net/http"
	"net/url"
	"strconv"
	"sync"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/db"
	"github.com/polder-exchange/polder/internal/exchange"
	"github.com/polder-exchange/polder/internal/fail"
	"github.com/polder-exchange/polder/internal/seal"
)

// leavesAtOnce is how many leaves one answer holds at most.
const leavesAtOnce = 8192

// following is one attempt to follow the log of a peer.
type following struct {
	s  *Service
	l  exchange.PeerLink
	to exchange.PeerCaller

	key  seal.LogKey
	log  known // as it stood before
	next seal.Signed
	tree tree
}

// Sync follows the log of a link's peer: it accepts what the peer signed since, or keeps what shows that it may not be
// accepted; it cosigns, and takes over what other witnesses cosigned.
func (s *Service) Sync(ctx context.Context, l exchange.PeerLink, to exchange.PeerCaller) error {
	if l.Serves {
		return nil
	}
	turn := s.turnOf(l.Peer)
	turn.Lock()
	defer turn.Unlock()
	f := &following{s: s, l: l, to: to}
	err := f.follow(ctx)
	if f.log.Origin == "" || ctx.Err() != nil {
		return err
	}
	trouble := ""
	if err != nil {
		trouble = clip(err.Error(), 300)
	}
	if noted := s.touch(ctx, f.log.Origin, trouble, err == nil); err == nil {
		err = noted
	}
	return err
}

func clip(s string, most int) string {
	if r := []rune(s); len(r) > most {
		return string(r[:most])
	}
	return s
}

func (s *Service) turnOf(node polder.OrgID) *sync.Mutex {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.peers[node] == nil {
		s.peers[node] = &sync.Mutex{}
	}
	return s.peers[node]
}

func (f *following) follow(ctx context.Context) error {
	old, err := f.s.logOfNode(ctx, f.l.Peer)
	if err != nil && polder.KindOf(err) != polder.NotFound {
		return err
	}
	f.log = old
	if err := f.s.standing(ctx, f.l.Peer, f.l.Name); err != nil {
		return err
	}
	var got checkpointAnswer
	if err := f.to.Call(ctx, http.MethodGet, "log/checkpoint", nil, nil, &got); err != nil {
		return err
	}
	if got.Note == "" {
		if old.Size == 0 {
			return nil // nothing was delivered yet
		}
		// A home that was restored a moment ago has signed nothing yet. Silence proves nothing, and is an alarm when it lasts.
		return polder.Errorf(polder.Unavailable, "transparency log: %s shows no checkpoint", f.l.Name)
	}
	if err := f.open(ctx, got.Note); err != nil {
		return err
	}
	if err := f.place(ctx, old); err != nil {
		return err
	}
	if fail.Bug("cosigned-early") {
		early := f.log
		early.Note, early.Size = f.next.Note, f.next.Size
		if _, err := f.s.cosignAs(ctx, early, f.key); err != nil {
			return err
		}
	}
	if err := f.advance(ctx); err != nil {
		return err
	}
	if err := f.cosign(ctx); err != nil {
		return err
	}
	return f.others(ctx)
}

// open verifies the checkpoint with the key of the peer that is in force, and that it is of the peer's log.
func (f *following) open(ctx context.Context, raw string) error {
	key, err := f.s.o.Keys.KeyOf(ctx, f.l.Peer)
	if polder.KindOf(err) == polder.NotFound {
		key, err = f.l.Key, nil
	}
	if err != nil {
		return err
	}
	origin, _, _ := bytes.Cut([]byte(raw), []byte("\n"))
	node, _, ok := seal.ParseLogOrigin(string(origin))
	if !ok || node != string(f.l.Peer) {
		return polder.Errorf(polder.Invalid, "transparency log: %s shows the log of somebody else", f.l.Name)
	}
	f.key = seal.LogKeyOf(string(origin), key)
	if f.next, err = seal.OpenCheckpoint([]byte(raw), f.key); err != nil {
		return polder.Errorf(polder.Invalid, "transparency log: the checkpoint of %s does not verify: %w", f.l.Name, err)
	}
	return nil
}

// place finds the log that the checkpoint is of. A new one ends the one before; one that ended does not come back.
func (f *following) place(ctx context.Context, old known) error {
	s := f.s
	if old.Origin != f.next.Origin {
		again, err := s.logOf(ctx, f.next.Origin)
		if err == nil {
			f.log = again
			return s.convict(ctx, f.l.Name, evidence{Node: old.Node, Origin: old.Origin, Kind: Shorter, First: old.Note, Second: f.next.Note})
		}
		if polder.KindOf(err) != polder.NotFound {
			return err
		}
		if err := s.beginOther(ctx, f.l, f.next.Origin, old); err != nil {
			return err
		}
	}
	var err error
	f.log, err = s.logOf(ctx, f.next.Origin)
	return err
}

// advance accepts the checkpoint, or says why not.
func (f *following) advance(ctx context.Context) (err error) {
	switch {
	case f.next.Size < f.log.Size, f.next.Seq < f.log.Seq:
		return f.convict(ctx, Shorter)
	case f.next.Size == f.log.Size && f.log.Size > 0 && f.next.Root != f.log.Root:
		return f.convict(ctx, Forked)
	}
	if f.tree, err = f.s.trees.of(ctx, f.log.Origin); err != nil {
		return err
	}
	if err := f.grow(ctx); err != nil {
		return err
	}
	found, lost, err := f.s.locate(ctx, f.log, f.tree, f.next.Checkpoint)
	if err != nil {
		return err
	}
	if len(lost) > 0 {
		return f.omitted(ctx, lost)
	}
	if f.next.Checkpoint == f.log.checkpoint() && bytes.Equal(f.next.Note, f.log.Note) {
		return f.s.mark(ctx, f.l.Peer, found)
	}
	if err := f.s.accept(ctx, f.log, f.next, []seal.LogKey{f.key}); err != nil {
		return err
	}
	return f.s.mark(ctx, f.l.Peer, found)
}

func (f *following) convict(ctx context.Context, kind string) error {
	return f.s.convict(ctx, f.l.Name, against(f.log, kind, f.next))
}

// grow fetches the leaves that lack, and holds them against the checkpoint and the one accepted before. Before anybody is
// accused everything is fetched once more, into a second copy: the first one, which may have been damaged here, is only
// given up for one that is right.
func (f *following) grow(ctx context.Context) error {
	f.tree.size = min(f.tree.size, f.next.Size)
	kind, err := f.copied(ctx)
	if err != nil || kind == "" {
		return err
	}
	first := f.tree
	if f.tree, err = f.s.trees.afresh(ctx, f.log.Origin+againSuffix); err != nil {
		return err
	}
	if kind, err = f.copied(ctx); err != nil {
		return err
	}
	if kind == "" {
		f.tree, err = f.s.trees.replace(ctx, first, f.tree, f.log.Origin)
		return err
	}
	if err := f.s.trees.giveUp(ctx, first, f.tree); err != nil {
		return err
	}
	f.tree = first
	return f.convict(ctx, kind)
}

// againSuffix names the second copy of a log.
const againSuffix = " again"

// copied completes the copy and says what is wrong with it; where nothing is, that is noted.
func (f *following) copied(ctx context.Context) (kind string, err error) {
	if err := f.fetch(ctx); err != nil {
		return "", err
	}
	if kind, err = f.compare(); err != nil || kind != "" {
		return kind, err
	}
	return "", f.confirm(ctx)
}

// fetch asks for the leaves up to the checkpoint's size.
func (f *following) fetch(ctx context.Context) error {
	for f.tree.size < f.next.Size {
		to := min(f.next.Size, f.tree.size+leavesAtOnce)
		var got leavesAnswer
		query := url.Values{"from": {strconv.FormatInt(f.tree.size, 10)}, "to": {strconv.FormatInt(to, 10)}}
		if err := f.to.Call(ctx, http.MethodGet, "log/leaves", query, nil, &got); err != nil {
			return err
		}
		if n := len(got.Hashes); n == 0 || n%tlog.HashSize != 0 || int64(n/tlog.HashSize) > to-f.tree.size {
			return polder.Errorf(polder.Invalid, "transparency log: %s was asked for leaves %d to %d and answered %d bytes", f.l.Name, f.tree.size, to, n)
		}
		leaves := make([]tlog.Hash, len(got.Hashes)/tlog.HashSize)
		for i := range leaves {
			copy(leaves[i][:], got.Hashes[i*tlog.HashSize:])
		}
		err := f.s.trees.db.Write(ctx, func(tx *db.Tx) (err error) {
			f.tree, err = extend(tx, f.tree, leaves)
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// compare says what is wrong with the copy: "" when it makes the root of the checkpoint, and of the one accepted before.
func (f *following) compare() (kind string, err error) {
	h := readHashes(f.s.trees.db.Read(), f.tree)
	root, err := h.root(f.next.Size)
	if err != nil {
		return "", err
	}
	earlier, err := h.root(f.log.Size)
	switch {
	case err != nil:
		return "", err
	case root != f.next.Root:
		return Unproven, nil
	case f.log.Size > 0 && earlier != f.log.Root && !fail.Bug("log-inconsistent"):
		return Forked, nil
	}
	return "", nil
}

// confirm notes that the copy is right up to the checkpoint.
func (f *following) confirm(ctx context.Context) error {
	if f.tree.checked == f.next.Size && f.tree.size == f.next.Size {
		return nil
	}
	f.tree.checked = f.next.Size
	return f.s.trees.db.Write(ctx, func(tx *db.Tx) error {
		_, err := tx.Exec(`UPDATE tree SET size = ?, checked = ? WHERE id = ?`, f.tree.size, f.tree.checked, f.tree.id)
		return err
	})
}

// omitted keeps evidence of deliveries that are not in the log; some of many tell enough.
func (f *following) omitted(ctx context.Context, lost []located) error {
	s := f.s
	for i := range lost {
		lost[i].n = missing
	}
	if err := s.mark(ctx, f.l.Peer, lost); err != nil {
		return err
	}
	r, err := s.receiptAt(ctx, f.l.Peer, lost[0])
	if err != nil {
		return err
	}
	e := evidence{Node: f.log.Node, Origin: f.log.Origin, Kind: Omitted, First: f.next.Note, Detail: map[string]any{
		"missing": len(lost), "seq": r.seq, "community": r.Leaf.Community, "id": r.Leaf.ID, "version": r.Leaf.Version, "digest": r.Leaf.Digest[:], "nonce": r.Nonce,
	}}
	return s.convict(ctx, f.l.Name, e)
}
