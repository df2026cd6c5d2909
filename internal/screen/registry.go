package screen

import (
	"context"
	"crypto/rand"
	"errors"
	"io"
	"io/fs"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"time"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/audit"
	"github.com/polder-exchange/polder/internal/db"
	"github.com/polder-exchange/polder/internal/fail"
	"github.com/polder-exchange/polder/internal/screen/lists"
)

// ListsDir is the folder of lists in a node's data folder.
const ListsDir = "lists"

// listName is a name that is a folder, a column and a word on a command line.
var listName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$`)

// Registry keeps the lists of a node in files: those that everybody on it asks, and each organisation's own.
//
//	DIR/changed        a word that is another one after every change, by whatever process
//	DIR/node/NAME/     a list of the node
//	DIR/org/UUID/NAME/ an organisation's own list, which nobody else asks or sees
//
// A list that is refreshed or imported is held against the one in use before it takes its place; what is implausible, or
// does not read, leaves the old list in use. All methods may be called from any goroutine.
type Registry struct {
	o RegistryOptions

	mu      sync.Mutex
	seen    string                       // of the file "changed"
	told    chan struct{}                // closed when that changes
	kept    map[place]loaded             // what is in memory
	joined  map[polder.OrgID]joinedLists // of what is in memory
	fetches sync.Mutex                   // one refresh at a time: a list in the making takes memory
}

// RegistryOptions are what a [Registry] needs; Dir and Now must be there.
type RegistryOptions struct {
	Dir       string
	Now       func() time.Time
	Client    *http.Client // for lists with an address; nil fetches none
	Log       *slog.Logger
	Shared    *SharedLists // lists that members share; nil has none
	Publisher Publisher    // shares an organisation's own; nil shares none
	DB        *db.DB       // with Audit: where it is written down who imported what
	Audit     *audit.Log
}

// place is where a list is kept.
type place struct {
	owner polder.OrgID // "" for the node
	name  string
}

// loaded is a list in memory.
type loaded struct {
	version  int
	screener *Screener
}

// joinedLists are all lists of an organisation together.
type joinedLists struct {
	stamp    string // of what is shared with it
	screener *Screener
}

// OpenRegistry opens the lists of a node.
func OpenRegistry(o RegistryOptions) (*Registry, error) {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if err := os.MkdirAll(o.Dir, 0o700); err != nil {
		return nil, err
	}
	r := &Registry{o: o, told: make(chan struct{}), kept: map[place]loaded{}, joined: map[polder.OrgID]joinedLists{}}
	return r, r.look()
}

func (r *Registry) folder(p place) (folder, error) {
	if !listName.MatchString(p.name) || strings.HasSuffix(p.name, ".") {
		return folder{}, polder.Errorf(polder.Invalid, "%q is no name for a list; use letters, digits, '-', '_' and '.', at most 64", p.name)
	}
	return folder{filepath.Join(r.ownerDir(p.owner), p.name)}, nil
}

func (r *Registry) ownerDir(owner polder.OrgID) string {
	if owner == "" {
		return filepath.Join(r.o.Dir, "node")
	}
	return filepath.Join(r.o.Dir, "org", filepath.Base(strings.TrimPrefix(string(owner), "identity--")))
}

// places are the lists of an owner, by name.
func (r *Registry) places(owner polder.OrgID) ([]place, error) {
	entries, err := os.ReadDir(r.ownerDir(owner))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var out []place
	for _, e := range entries {
		if e.IsDir() && listName.MatchString(e.Name()) {
			out = append(out, place{owner, e.Name()})
		}
	}
	return out, nil
}

// asked are the places of the lists that an organisation asks: the node's and its own.
func (r *Registry) asked(org polder.OrgID) ([]place, error) {
	all, err := r.places("")
	if err != nil || org == "" {
		return all, err
	}
	if fail.Bug("lists-of-others") {
		orgs, err := os.ReadDir(filepath.Join(r.o.Dir, "org"))
		for _, o := range orgs {
			some, _ := r.places(polder.OrgID("identity--" + o.Name()))
			all = append(all, some...)
		}
		return all, err
	}
	own, err := r.places(org)
	return append(all, own...), err
}

// find is the place of the list of that name that an organisation asks, which must have a version.
func (r *Registry) find(org polder.OrgID, name string) (place, folder, error) {
	for _, owner := range []polder.OrgID{org, ""} {
		p := place{owner, name}
		f, err := r.folder(p)
		if err != nil {
			return p, f, err
		}
		if n, err := f.current(); err != nil || n > 0 {
			return p, f, err
		}
		if s, err := f.readState(); err != nil || s.Source != nil {
			return p, f, err
		}
	}
	return place{}, folder{}, polder.Errorf(polder.NotFound, "there is no list %s", name)
}

// shared are the lists that members share with an organisation.
func (r *Registry) shared(ctx context.Context, org polder.OrgID) ([]*lists.List, string, error) {
	if r.o.Shared == nil || org == "" {
		return nil, "", nil
	}
	return r.o.Shared.Lists(ctx, org)
}

// Screener asks all lists of an organisation: the node's, its own, and those shared with it. With "" it asks those of
// the node. What another process has changed since the last call is read first.
func (r *Registry) Screener(ctx context.Context, org polder.OrgID) (*Screener, error) {
	shared, stamp, err := r.shared(ctx, org)
	if err != nil {
		return nil, err
	}
	if err := r.look(); err != nil {
		return nil, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if have, ok := r.joined[org]; ok && have.stamp == stamp {
		return have.screener, nil
	}
	all, err := r.asked(org)
	if err != nil {
		return nil, err
	}
	var parts []*Screener
	for _, p := range all {
		s, err := r.load(p)
		if err != nil {
			return nil, err
		}
		if s != nil {
			parts = append(parts, s)
		}
	}
	for _, l := range shared {
		parts = append(parts, NewScreener(l))
	}
	s := Join(parts...)
	r.joined[org] = joinedLists{stamp, s}
	return s, nil
}

// load is the screener of the current version of one list; nil when it has none.
func (r *Registry) load(p place) (*Screener, error) {
	f, err := r.folder(p)
	if err != nil {
		return nil, err
	}
	n, err := f.current()
	if err != nil || n == 0 {
		return nil, err
	}
	if have := r.kept[p]; have.version == n {
		return have.screener, nil
	}
	l, err := f.readList(n)
	if err != nil {
		return nil, err
	}
	s := NewScreener(l)
	r.kept[p] = loaded{n, s}
	return s, nil
}

// Version is one version of a list that an organisation asks; see [Lists].
func (r *Registry) Version(ctx context.Context, org polder.OrgID, name, sha256 string) (*lists.List, error) {
	shared, _, err := r.shared(ctx, org)
	if err != nil {
		return nil, err
	}
	for _, l := range shared {
		if l.Name == name && l.SHA256 == sha256 {
			return l, nil
		}
	}
	if !listName.MatchString(name) {
		return nil, polder.Errorf(polder.NotFound, "there is no list %s", name)
	}
	_, f, err := r.find(org, name)
	if err != nil {
		return nil, err
	}
	n, err := f.numberOf(sha256)
	if err != nil {
		return nil, err
	}
	return f.readList(n)
}

// Changed is closed when some list has another version, or counts for others than before.
func (r *Registry) Changed() <-chan struct{} {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.told
}

// look notices what any process has changed.
func (r *Registry) look() error {
	text, err := os.ReadFile(filepath.Join(r.o.Dir, "changed"))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if string(text) != r.seen {
		r.seen = string(text)
		clear(r.joined)
		r.tell()
	}
	return nil
}

// tell wakes whoever waits on [Registry.Changed]. The lock is held.
func (r *Registry) tell() {
	close(r.told)
	r.told = make(chan struct{})
}

// touch says that something has changed, to this process and others.
func (r *Registry) touch() error {
	err := replaceFile(filepath.Join(r.o.Dir, "changed"), func(w io.Writer) error {
		_, err := io.WriteString(w, rand.Text())
		return err
	})
	if err != nil {
		return err
	}
	return r.look()
}

// Put makes a list that was read the current version of the owner's list of that name ("" is the node's). Beside what is
// there it must be plausible, unless force is set. The same list again confirms it.
func (r *Registry) Put(ctx context.Context, by polder.Actor, owner polder.OrgID, l *lists.List, force bool) error {
	f, err := r.folder(place{owner, l.Name})
	if err != nil {
		return err
	}
	if err := r.nameIsFree(owner, l.Name); err != nil {
		return err
	}
	release, err := r.alone(ctx)
	if err != nil {
		return err
	}
	defer release()
	s, err := f.readState()
	if err != nil {
		return err
	}
	if err := r.accept(place{owner, l.Name}, f, l, whoActs(by), force); err != nil {
		return err
	}
	s.Confirmed, s.Failures, s.Failed = r.o.Now(), 0, ""
	if date, err := time.Parse(time.DateOnly, l.Date); err == nil && s.Source == nil {
		s.Confirmed = date // nobody has said since that it is current
	}
	if err := f.writeState(s); err != nil {
		return err
	}
	if err := r.note(ctx, by, "list.import", l); err != nil {
		return err
	}
	return r.touch()
}

// alone waits until nobody else, of whatever process, changes a list, and keeps others waiting until release.
func (r *Registry) alone(ctx context.Context) (release func(), err error) {
	return db.Hold(ctx, filepath.Join(r.o.Dir, "changing"))
}

// nameIsFree refuses an own list that would hide one of the node.
func (r *Registry) nameIsFree(owner polder.OrgID, name string) error {
	if owner == "" {
		return nil
	}
	f, err := r.folder(place{"", name})
	if err != nil {
		return err
	}
	if n, err := f.current(); err != nil || n > 0 {
		return errors.Join(err, polder.Errorf(polder.Conflict, "the node has a list %s; give yours another name", name))
	}
	return nil
}

// accept adds l as a version of f, when it is another than the current one and plausible beside it.
func (r *Registry) accept(p place, f folder, l *lists.List, by string, force bool) error {
	n, err := f.current()
	if err != nil {
		return err
	}
	if n > 0 {
		m, err := f.readMeta(n)
		if err != nil {
			return err
		}
		if m.SHA256 == l.SHA256 && m.Purpose == l.Purpose && m.Title == l.Title && m.Licence == l.Licence {
			return nil
		}
	}
	if !force {
		old := &lists.List{}
		if n > 0 {
			if old, err = f.readList(n); err != nil {
				return err
			}
		}
		if err := lists.Plausible(old, l); err != nil {
			return polder.Errorf(polder.Conflict, "%s stays as it was: %v", l.Name, err)
		}
	}
	if n, err = f.add(l, by); err != nil {
		return err
	}
	r.index(p, n, l)
	return nil
}

// index makes a new version of a list that is in use ready, so that nobody who asks waits for its index.
func (r *Registry) index(p place, version int, l *lists.List) {
	r.mu.Lock()
	_, used := r.kept[p]
	r.mu.Unlock()
	if !used {
		return
	}
	s := NewScreener(l)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.kept[p] = loaded{version, s}
}

// Remove takes a list away.
func (r *Registry) Remove(ctx context.Context, by polder.Actor, owner polder.OrgID, name string) error {
	f, err := r.folder(place{owner, name})
	if err != nil {
		return err
	}
	if _, err := os.Stat(f.dir); err != nil {
		return polder.Errorf(polder.NotFound, "there is no list %s", name)
	}
	if err := f.remove(); err != nil {
		return err
	}
	r.mu.Lock()
	delete(r.kept, place{owner, name})
	r.mu.Unlock()
	if err := r.note(ctx, by, "list.remove", &lists.List{Meta: lists.Meta{Name: name}}); err != nil {
		return err
	}
	return r.touch()
}

// note writes down who did what to a list.
func (r *Registry) note(ctx context.Context, by polder.Actor, action string, l *lists.List) error {
	if r.o.Audit == nil {
		return nil
	}
	e := audit.EntryOf(by)
	e.Action, e.Object = action, l.Name
	if l.SHA256 != "" {
		e.Detail = map[string]string{"date": l.Date, "sha256": l.SHA256}
	}
	e.Narrow = by.Org != "" // an organisation's own lists are its own business
	return r.o.DB.Write(ctx, func(tx *db.Tx) error { return r.o.Audit.Append(tx, e) })
}
