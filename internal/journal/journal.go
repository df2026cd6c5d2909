package journal

import (
	"context"
	"crypto/sha256"
	"embed"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"io/fs"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/db"
	"github.com/polder-exchange/polder/stix"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Kind tells objects from withdrawals.
type Kind uint8

const (
	Object Kind = iota
	Withdrawn
)

// Delivery is one row. The zero Seq means that it is not yet appended.
type Delivery struct {
	Seq            polder.Seq
	Kind           Kind
	Community      polder.CommunityID
	Line           int64  // the number of the line's first delivery; on append 0 begins one, and -n is that of the batch's n-th (from 1)
	ID             string // of the object
	Version        string // sortable instant text without its Z; "" for observables
	VersionAsGiven string // the text in which it came, where that is not Version and a Z
	Sharer         polder.OrgID
	Level          stix.Marking // a reader's page has the widest at which the version reaches it
	OwnLevel       stix.Marking // as read or written: of this delivery alone
	Revoked        bool
	Nominal        polder.Audience
	Reached        polder.Audience
	Digest         [32]byte // of the object; of a withdrawal of an observable that of the record it took out
	Raw            []byte   // nil for withdrawals, and when erased
	Erased         bool     // the bytes are gone for good; of a withdrawal: it took them out so

	Custodian polder.OrgID
	Last      polder.Audience
	Gone      polder.Seq // the withdrawal that took it out; 0 while live
	Widened   bool

	BodyOf polder.Seq // on append: take the body of that delivery (-n: of the batch's n-th) instead of Raw

	body     int64
	bodyHash [32]byte
}

// Type is the object's type.
func (d Delivery) Type() string {
	typ, _, _ := strings.Cut(d.ID, "--")
	return typ
}

// VersionText is the version as a STIX timestamp, in the text in which it came; for observables it is the number (X15).
func (d Delivery) VersionText() string {
	if d.Version == "" {
		return d.Seq.String()
	}
	return d.Stated()
}

// Stated is the version's own text; "" for observables.
func (d Delivery) Stated() string {
	switch {
	case d.VersionAsGiven != "":
		return d.VersionAsGiven
	case d.Version == "":
		return ""
	}
	return d.Version + "Z"
}

// Journal is the log of one node. Make it with [Open].
type Journal struct {
	db   *db.DB
	log  *slog.Logger
	now  func() time.Time
	step func() int64 // 1 to 16

	scopes *scopes
	live   *live
	head   *head

	widening atomic.Int64 // the last number of a delivery that widens

	mu      sync.Mutex
	damaged map[polder.Seq]string
}

// Options are the outside world of a journal. Log and Head may be left out, the others not.
type Options struct {
	Now  func() time.Time
	Step func() int64 // a random step of 1 to 16 (X11)
	Log  *slog.Logger
	Head string // the path of the head file; "" keeps none (tests)
}

// Migrate brings the journal's tables up to date.
func Migrate(ctx context.Context, d *db.DB) error {
	sub, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return err
	}
	return d.Migrate(ctx, "journal", sub)
}

// Open starts the journal of a migrated database. It compares the log with its head file and checks the last rows, and
// refuses with Unavailable, naming what is wrong, when anything is missing or changed.
func Open(ctx context.Context, d *db.DB, o Options) (*Journal, error) {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	j := &Journal{db: d, log: o.Log, now: o.Now, step: o.Step, damaged: map[polder.Seq]string{}}
	var err error
	if j.scopes, err = loadScopes(ctx, d); err != nil {
		return nil, err
	}
	if err := j.lastWidening(ctx); err != nil {
		return nil, err
	}
	begun, err := j.beginLineage(ctx)
	if err != nil {
		return nil, err
	}
	seq, chain, err := j.end(ctx)
	if err != nil {
		return nil, err
	}
	if o.Head != "" {
		if j.head, err = openHead(ctx, j, o.Head, seq, chain, begun); err != nil {
			return nil, err
		}
	}
	j.live = newLive(seq)
	if err := j.checkTail(ctx, 5000); err != nil {
		return nil, err
	}
	return j, nil
}

// Stop ends all followers, so that a server can be shut down. Reading and appending go on.
func (j *Journal) Stop() { j.live.close() }

// Close writes the head a last time and ends all followers.
func (j *Journal) Close() error {
	j.live.close()
	if j.head == nil {
		return nil
	}
	return j.head.close()
}

// Damage lists the rows that were found changed since the start; it is empty on a sound log.
func (j *Journal) Damage() []string {
	j.mu.Lock()
	defer j.mu.Unlock()
	var out []string
	for seq, what := range j.damaged {
		out = append(out, fmt.Sprintf("%d: %s", int64(seq), what))
	}
	return out
}

func (j *Journal) damage(seq polder.Seq, what string) error {
	j.mu.Lock()
	j.damaged[seq] = what
	j.mu.Unlock()
	j.log.Error("journal row is damaged", "seq", int64(seq), "what", what)
	return polder.Errorf(polder.Unavailable, "a stored record is damaged and is not served; the administrator finds it named in the log")
}

// hash is the row's own: over everything that never changes.
func (d Delivery) hash() [32]byte {
	h := sha256.New()
	buf := make([]byte, 0, 512)
	text := func(s string) {
		buf = binary.AppendUvarint(buf, uint64(len(s)))
		buf = append(buf, s...)
	}
	buf = append(buf, "polder delivery 1\n"...)
	buf = binary.BigEndian.AppendUint64(buf, uint64(d.Seq))
	buf = append(buf, byte(d.Kind), byte(d.Level), bit(d.flag()))
	buf = binary.BigEndian.AppendUint64(buf, uint64(d.Line))
	for _, s := range []string{string(d.Community), d.ID, d.Version, d.VersionAsGiven, string(d.Sharer), d.Nominal.String(), d.Reached.String()} {
		text(s)
	}
	buf = append(buf, d.Digest[:]...)
	buf = append(buf, d.bodyHash[:]...)
	h.Write(buf)
	return [32]byte(h.Sum(nil))
}

// flag is what the column revoked holds: of an object whether it is revoked, of a withdrawal whether it erased.
func (d Delivery) flag() bool { return d.Revoked || d.Kind == Withdrawn && d.Erased }

func bit(b bool) byte {
	if b {
		return 1
	}
	return 0
}

func link(chain, hash [32]byte) [32]byte {
	return sha256.Sum256(append(chain[:], hash[:]...))
}

// uuidOf is the 16 bytes of an id's UUID.
func uuidOf(id string) ([]byte, error) {
	_, text, ok := strings.Cut(id, "--")
	u, err := hex.DecodeString(strings.ReplaceAll(text, "-", ""))
	if !ok || err != nil || len(u) != 16 {
		return nil, polder.Errorf(polder.Invalid, "id %q is not a type, two dashes and a UUID", id)
	}
	return u, nil
}

func idOf(typ string, u []byte) string {
	h := hex.EncodeToString(u)
	return typ + "--" + h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]
}
