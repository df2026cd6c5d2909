package detect

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/indicator"
	"github.com/polder-exchange/polder/internal/journal"
	"github.com/polder-exchange/polder/stix"
)

// Log is what the knowledge reads of the journal. *journal.Journal is one.
type Log interface {
	// Scan is every delivery above a number, for a reader of this process that can be rebuilt.
	Scan(ctx context.Context, after polder.Seq, limit int) ([]journal.Scanned, polder.Seq, error)
	// Page is what a reader may see.
	Page(ctx context.Context, sight polder.Sight, q journal.Query) (journal.Page, error)
	// Top is the highest number handed out.
	Top() polder.Seq
	// Changed is closed at the next append.
	Changed() <-chan struct{}
}

// Own says for whom the knowledge is: what each of this node's own organisations may see now, and the alias of every
// community in it.
type Own func(ctx context.Context) (sights []polder.Sight, aliases map[polder.CommunityID]string, err error)

// Sizes and times of a follower.
const (
	followBatch = 256
	followPage  = 500
	followSweep = 16          // parts of the table after each batch
	followLook  = time.Second // how often it looks whether rights have changed
	followRetry = 5 * time.Second
)

// Follower keeps a knowledge current from the journal: every indicator of which policy lets one of the own organisations
// see a version, in its last such version, unless that is revoked. A valid_from that is no other time than that at which
// the object was made bounds nothing: what is shared today is looked for in the logs of yesterday. It keeps nothing: after a start it reads what is in
// force now, which leaves out what was withdrawn or replaced, and then follows. A change counts as soon as it is taken in.
type Follower struct {
	k   *Knowledge
	log Log
	own Own
	say *slog.Logger
	// New, if not nil, is told of every value and pattern that came after the first reading, so that it can be hunted for
	// in history. Set it before Run.
	New func(values []indicator.Known, patterns []*KnownPattern)
	// Since, if not 0, has New told of what the first reading finds above this number too: it came when nobody was there to
	// hunt for it. Set it before the first Sync.
	Since polder.Seq

	turn   sync.Mutex
	begun  bool
	read   bool     // for the first time
	missed gathered // at that, and not told yet
	seen   map[polder.CommunityID]*followed
	cursor atomic.Int64
}

// followed is a community whose indicators are in the table.
type followed struct {
	no    uint32 // of its list
	alias string
	orgs  []polder.OrgID // the own organisations that see it
}

// NewFollower makes a follower; [Follower.Run] or [Follower.Sync] fill the knowledge. say may be nil.
func NewFollower(k *Knowledge, log Log, own Own, say *slog.Logger) *Follower {
	if say == nil {
		say = slog.New(slog.DiscardHandler)
	}
	return &Follower{k: k, log: log, own: own, say: say, seen: map[polder.CommunityID]*followed{}}
}

// Cursor is the last number that was taken in.
func (f *Follower) Cursor() polder.Seq { return polder.Seq(f.cursor.Load()) }

// Run follows until ctx ends. After an error it waits and goes on where it was.
func (f *Follower) Run(ctx context.Context) {
	for ctx.Err() == nil {
		changed := f.log.Changed()
		wait := followLook
		if err := f.Sync(ctx); err != nil && ctx.Err() == nil {
			f.say.ErrorContext(ctx, "the indicators wait after an error", "err", err)
			changed, wait = nil, followRetry
		}
		timer := time.NewTimer(wait)
		select {
		case <-changed:
		case <-timer.C:
		case <-ctx.Done():
		}
		timer.Stop()
	}
}

// Sync takes in everything that the journal holds now, and what has changed in the rights.
func (f *Follower) Sync(ctx context.Context) error {
	f.turn.Lock()
	defer f.turn.Unlock()
	sights, aliases, err := f.own(ctx)
	if err != nil {
		return fmt.Errorf("find what may be used: %w", err)
	}
	if !f.begun { // what stands before the end is read as it is now, what comes after it is followed
		f.begun = true
		f.cursor.Store(int64(f.log.Top()))
	}
	if err := f.rights(ctx, sights, aliases); err != nil {
		return err
	}
	f.read = true
	if f.New != nil && len(f.missed.told)+len(f.missed.patterns) > 0 {
		f.New(f.missed.told, f.missed.patterns)
		f.missed = gathered{}
	}
	for {
		cursor := f.Cursor()
		batch, next, err := f.log.Scan(ctx, cursor, followBatch)
		if err != nil {
			return err
		}
		if next == cursor {
			for f.k.Table.Sweep(followSweep) && ctx.Err() == nil {
			}
			return ctx.Err()
		}
		if err := f.take(ctx, sights, batch); err != nil {
			return err
		}
		f.cursor.Store(int64(next))
		f.k.Table.Sweep(followSweep)
	}
}

// rights brings in communities that can be seen now and drops those that cannot.
func (f *Follower) rights(ctx context.Context, sights []polder.Sight, aliases map[polder.CommunityID]string) error {
	now := map[polder.CommunityID][]polder.OrgID{}
	for _, s := range sights {
		for _, c := range s.Communities {
			now[c] = append(now[c], s.Org)
		}
	}
	for c, have := range f.seen {
		if !slices.Equal(have.orgs, now[c]) {
			f.k.Table.DropList(have.no)
			f.k.dropPatterns(func(key patternKey) bool { return key.list == have.no })
			delete(f.seen, c)
		}
	}
	for c, orgs := range now {
		if f.seen[c] != nil {
			continue
		}
		in := &followed{alias: aliases[c], orgs: orgs}
		in.no = f.k.listNumber("community "+string(c), knownList{community: in.alias})
		if err := f.fill(ctx, c, in, sights); err != nil {
			return err
		}
		f.seen[c] = in
	}
	return nil
}

// fill reads all that is in force in a community.
func (f *Follower) fill(ctx context.Context, c polder.CommunityID, in *followed, sights []polder.Sight) error {
	defer debug.SetGCPercent(debug.SetGCPercent(loadGC))
	var t gathered
	for _, s := range sights {
		q := journal.Query{Limit: followPage, Types: []string{"indicator"}}
		for more := slices.Contains(s.Communities, c); more; {
			page, err := f.log.Page(ctx, s.In(c), q)
			if err != nil {
				return err
			}
			for _, d := range page.Deliveries {
				values, patterns := len(t.values), len(t.patterns)
				t.version(f, in, d)
				if !f.read && f.Since != 0 && d.Seq > f.Since {
					f.missed.told = append(f.missed.told, t.values[values:]...)
					f.missed.patterns = append(f.missed.patterns, t.patterns[patterns:]...)
				}
				q.After = d.Seq
			}
			more = page.More
			if len(t.values) >= indicator.LoadBatch || !more {
				t.store(f)
			}
		}
	}
	return nil
}

// take takes in one batch of changes, each object once.
func (f *Follower) take(ctx context.Context, sights []polder.Sight, batch []journal.Scanned) error {
	type object struct {
		c  polder.CommunityID
		id string
	}
	var order []object
	withdrawn := map[object]bool{}
	for _, d := range batch {
		if d.Type() != "indicator" || f.seen[d.Community] == nil {
			continue
		}
		o := object{d.Community, d.ID}
		if _, met := withdrawn[o]; !met {
			order = append(order, o)
		}
		withdrawn[o] = withdrawn[o] || d.Kind == journal.Withdrawn
	}
	var t gathered
	for _, o := range order {
		if err := f.refresh(ctx, sights, o.c, o.id, withdrawn[o], &t); err != nil {
			return err
		}
	}
	t.store(f)
	if f.New != nil && len(t.told)+len(t.patterns) > 0 {
		f.New(t.told, t.patterns)
	}
	return nil
}

// refresh brings one object up to date: in with what its last version says, out with what no longer holds. Of a version
// that was withdrawn only the id is left, so then everything of the object is forgotten first.
func (f *Follower) refresh(ctx context.Context, sights []polder.Sight, c polder.CommunityID, id string, withdrawn bool, t *gathered) error {
	in := f.seen[c]
	uuid, ok := indicator.ObjectUUID(id)
	if !ok {
		return nil
	}
	last, err := f.versions(ctx, sights, c, journal.Query{Limit: followPage, IDs: []string{id}})
	if err != nil {
		return err
	}
	values, patterns := len(t.values), len(t.patterns)
	if withdrawn {
		f.k.Table.Forget(uuid, in.no)
	}
	for _, d := range last {
		t.version(f, in, d)
	}
	if len(t.patterns) == patterns {
		f.k.dropPattern(uuid, in.no)
	}
	if withdrawn {
		return nil
	}
	all, err := f.versions(ctx, sights, c, journal.Query{Limit: followPage, IDs: []string{id}, All: true})
	if err != nil || len(all) < 2 {
		return err
	}
	for _, d := range all {
		t.old(f, in, d, t.values[values:])
	}
	return nil
}

// versions are the deliveries in a community that any of the own organisations sees, each once.
func (f *Follower) versions(ctx context.Context, sights []polder.Sight, c polder.CommunityID, q journal.Query) (out []journal.Delivery, err error) {
	for _, s := range sights {
		if !slices.Contains(s.Communities, c) {
			continue
		}
		page, err := f.log.Page(ctx, s.In(c), q)
		if err != nil {
			return nil, err
		}
		for _, d := range page.Deliveries {
			if !slices.ContainsFunc(out, func(have journal.Delivery) bool { return have.Seq == d.Seq }) {
				out = append(out, d)
			}
		}
	}
	return out, nil
}

// gathered gathers what goes into the table together.
type gathered struct {
	values   []indicator.Known
	told     []indicator.Known
	patterns []*KnownPattern
}

// old takes out what a version said and the last one does not.
func (t *gathered) old(f *Follower, in *followed, d journal.Delivery, holds []indicator.Known) {
	_, values, uuid, ok := readDelivery(f, d)
	if !ok {
		return
	}
	for _, v := range values {
		if !slices.ContainsFunc(holds, func(k indicator.Known) bool { return k.Kind == v.Kind && k.Value == v.Value }) {
			f.k.Table.Remove(v.Kind, v.Value, uuid, in.no)
		}
	}
}

// readDelivery is what a delivery says; ok is false when that is nothing for a table or a matcher.
func readDelivery(f *Follower, d journal.Delivery) (item indicator.Item, values []indicator.Value, uuid [16]byte, ok bool) {
	uuid, ok = indicator.ObjectUUID(d.ID)
	if !ok || d.Kind != journal.Object || d.Raw == nil {
		return item, nil, uuid, false
	}
	o, err := stix.Parse(d.Raw)
	if err == nil {
		item, values, err = indicator.ReadIndicator(o)
	}
	if err != nil {
		f.say.Debug("an indicator is of no use here", "id", d.ID, "why", err)
		return item, nil, uuid, false
	}
	if d.Level != stix.None {
		item.Marking = d.Level // as the reader may see it; the bytes are as they came
	}
	return item, values, uuid, true
}

// version gathers what a version says, unless it is revoked.
func (t *gathered) version(f *Follower, in *followed, d journal.Delivery) {
	if d.Revoked {
		return
	}
	item, values, uuid, ok := readDelivery(f, d)
	if !ok {
		return
	}
	f.k.setTitle(uuid, item.Title)
	if item.Sigma != "" {
		c, err := sharedRule(&item)
		if err != nil {
			f.say.Debug("a shared rule is of no use here", "id", d.ID, "why", err)
			return
		}
		p := knownRule(&item, c, Origin{Object: item.ID, Community: in.alias, Level: item.Marking, PAP: item.PAP})
		f.k.setPattern(uuid, in.no, p)
		t.patterns = append(t.patterns, p)
		return
	}
	if item.Pattern != nil {
		level, why := severity("", item.Confidence)
		p := &KnownPattern{Pattern: item.Pattern, ID: item.ID, Title: itemTitle(&item), ValidFrom: item.ValidFrom, ValidUntil: item.ValidUntil, Level: level, Why: why,
			Origin: Origin{Object: item.ID, Community: in.alias, Level: item.Marking, PAP: item.PAP}}
		f.k.setPattern(uuid, in.no, p)
		t.patterns = append(t.patterns, p)
		return
	}
	for _, v := range values {
		t.values = append(t.values, indicator.Known{Kind: v.Kind, Value: v.Value, Reference: item.Reference(uuid, in.no)})
	}
}

// store puts what was gathered into the table.
func (t *gathered) store(f *Follower) {
	f.k.Table.AddAll(t.values, func(i int, err error) {
		f.say.Debug("a value is of no use here", "object", idOf(t.values[i].Object), "why", err)
	})
	t.told, t.values = t.values, nil
}

// ErrGone says that an object is no longer there to rest a finding on.
var ErrGone = errors.New("the object is withdrawn, revoked or no longer visible")

// Confirm looks the object of a hit up once more, as the own organisations see it now, and gives it: its name, its
// description, its relations are found by it. A hit from a file has no object and gives ErrGone.
func (f *Follower) Confirm(ctx context.Context, h *Hit) (stix.Object, error) {
	sights, aliases, err := f.own(ctx)
	if err != nil {
		return stix.Object{}, err
	}
	for _, s := range sights {
		for _, c := range s.Communities {
			if h.Origin.Object == "" || aliases[c] != h.Origin.Community {
				continue
			}
			page, err := f.log.Page(ctx, s.In(c), journal.Query{Limit: 1, IDs: []string{h.Origin.Object}})
			if err != nil {
				return stix.Object{}, err
			}
			for _, d := range page.Deliveries {
				if o, err := stix.Parse(d.Raw); err == nil && !d.Revoked {
					return o, nil
				}
			}
		}
	}
	return stix.Object{}, ErrGone
}
