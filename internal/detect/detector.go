package detect

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/event"
	"github.com/polder-exchange/polder/indicator"
	"github.com/polder-exchange/polder/internal/detect/history"
	"github.com/polder-exchange/polder/internal/fail"
	"github.com/polder-exchange/polder/internal/web"
	"github.com/polder-exchange/polder/sigma"
	"github.com/polder-exchange/polder/stix"
)

// Detector is the detection of a node: it judges what its organisations take in, keeps it as history, and hunts back in
// that for what the exchange newly tells. Each organisation's events are held against what that organisation may see,
// and nothing else: an alert tells nobody of an object that is not for it.
type Detector struct {
	o     DetectorOptions
	rules *Rules

	mu    sync.Mutex
	ctx   context.Context // of Run
	tasks sync.WaitGroup
	orgs  map[polder.OrgID]*orgDetector

	judged struct{ events, unreadable, findings, kept, hunted atomic.Int64 }
}

// Judged is what was judged so far.
func (d *Detector) Judged() Judged {
	j := &d.judged
	return Judged{j.events.Load(), j.unreadable.Load(), j.findings.Load(), j.kept.Load(), j.hunted.Load()}
}

// DetectorOptions are what a [Detector] needs; Service, Log, Own and Now must be there.
type DetectorOptions struct {
	Service *Service
	Journal Log
	// Own is what an organisation may see now, and the alias of every community in it.
	Own func(ctx context.Context, org polder.OrgID) (polder.Sight, map[polder.CommunityID]string, error)
	Now func() time.Time
	Log *slog.Logger
	// Rules is a folder of Sigma rules beside Polder's own; it need not be there.
	Rules string
	// Gate says which values are no hits; nil gates nothing.
	Gate *indicator.Gate
	// Dir holds a history for each organisation; "" keeps none.
	Dir     string
	History HistoryBounds
}

// HistoryBounds say how much of the past an organisation keeps.
type HistoryBounds struct {
	Keep       time.Duration // 0 is for good
	MaxBytes   int64         // of disk; 0 is no bound
	ValuesOnly bool          // keep the values that an indicator can name, not the events
}

// options are those of a history within b that shares a process with a node.
func (b HistoryBounds) options() history.Options {
	return history.Options{Keep: b.Keep, MaxBytes: b.MaxBytes, ObservablesOnly: b.ValuesOnly, FilterBytes: 32 << 20, FlushBytes: 8 << 20}
}

// orgDetector is the detection of one organisation. Its judging state belongs to whoever holds the turn.
type orgDetector struct {
	org      polder.OrgID
	known    *Knowledge
	follower *Follower
	engine   *Engine
	store    *history.Store // nil: no history is kept
	now      func() time.Time

	turn     sync.Mutex
	set      *ruleSet
	linked   *linker
	wants    map[*sigma.Rule]bool
	patterns *patternSet
	judge    *judge // of set and patterns
	full     bool   // history has no room, and it was said
}

// Judged is what was judged since the start, of all organisations together. What is judged again after a start to
// rebuild windows does not count.
type Judged struct {
	Events, Unreadable, Findings int64
	Kept                         int64 // events that went into histories
	Hunted                       int64 // alerts on events of histories, of what the exchange newly told
}

// NewDetector loads the rules. [Detector.Run] does what it does by itself.
func NewDetector(o DetectorOptions) (*Detector, error) {
	rules, err := OpenRules(o.Rules, o.Log)
	if err != nil {
		return nil, err
	}
	return &Detector{o: o, rules: rules, orgs: map[polder.OrgID]*orgDetector{}, ctx: context.Background()}, nil
}

// Run follows the journal for every organisation that has a history or takes events in, rereads the rules when their
// folder changes, and keeps histories within their bounds, until ctx ends. Judging waits for it.
func (d *Detector) Run(ctx context.Context) {
	d.mu.Lock()
	d.ctx = ctx
	for _, o := range d.orgs {
		d.follow(o)
	}
	d.mu.Unlock()
	for _, org := range d.withHistory() {
		if _, err := d.of(ctx, org); err != nil && ctx.Err() == nil {
			d.o.Log.Error("the history of an organisation is not looked through for what is new", "org", org, "error", err)
		}
	}
	d.tasks.Go(func() { d.rules.Watch(ctx) })
	d.tend(ctx)
	d.tasks.Wait()
}

// withHistory are the organisations that have a history.
func (d *Detector) withHistory() []polder.OrgID {
	if d.o.Dir == "" {
		return nil
	}
	orgs, err := historiesIn(d.o.Dir)
	if err != nil {
		d.o.Log.Error("histories cannot be listed", "error", err)
	}
	return orgs
}

// historiesIn are the organisations that have a history in a folder, with something in it. The folder need not be there.
func historiesIn(dir string) (orgs []polder.OrgID, err error) {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	for _, e := range entries {
		if !e.IsDir() || !stix.ValidID(e.Name()) {
			continue
		}
		holds, wrong := history.Holds(filepath.Join(dir, e.Name()))
		if err = errors.Join(err, wrong); holds {
			orgs = append(orgs, polder.OrgID(e.Name()))
		}
	}
	return orgs, err
}

// How often histories are written to disk, and put in order. What a crash takes of a history lies in the spool still, and
// is kept again when its windows are rebuilt.
const (
	flushEvery = 10 * time.Second
	tendEvery  = 60 // flushes
)

// tend writes histories to disk, keeps them within their bounds and merges their small segments, until ctx ends.
func (d *Detector) tend(ctx context.Context) {
	t := time.NewTicker(flushEvery)
	defer t.Stop()
	for n := 1; ; n++ {
		select {
		case <-ctx.Done():
			return
		case <-t.C:
		}
		for _, o := range d.all() {
			if o.store == nil {
				continue
			}
			if err := o.store.Flush(); err != nil {
				d.o.Log.Error("history is not written to disk", "org", o.org, "error", err)
			}
			if n%tendEvery != 0 {
				continue
			}
			if _, err := o.store.Retain(d.o.Now()); err != nil {
				d.o.Log.Error("a history cannot be kept within its bounds", "org", o.org, "error", err)
			}
			if _, err := o.store.Compact(ctx); err != nil && ctx.Err() == nil {
				d.o.Log.Error("a history cannot be compacted", "org", o.org, "error", err)
			}
		}
	}
}

func (d *Detector) all() (all []*orgDetector) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, o := range d.orgs {
		all = append(all, o)
	}
	return all
}

// Close writes what histories hold in memory and gives them up. Run has returned, and nothing is judged any more.
func (d *Detector) Close() error {
	var errs []error
	for _, o := range d.all() {
		if o.store != nil {
			errs = append(errs, o.store.Close())
		}
	}
	return errors.Join(errs...)
}

// of is the detection of an organisation; the first time it reads all that the organisation may see.
func (d *Detector) of(ctx context.Context, org polder.OrgID) (*orgDetector, error) {
	if !stix.ValidID(string(org)) {
		return nil, polder.Errorf(polder.Internal, "detect for %q: it is no organisation", org)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if o := d.orgs[org]; o != nil {
		return o, nil
	}
	o := &orgDetector{org: org, known: NewKnowledge(d.o.Gate), now: d.o.Now}
	o.follower = NewFollower(o.known, d.o.Journal, func(ctx context.Context) ([]polder.Sight, map[polder.CommunityID]string, error) {
		sight, aliases, err := d.o.Own(ctx, org)
		return []polder.Sight{sight}, aliases, err
	}, d.o.Log)
	hunted, err := cursor(ctx, d.o.Service.o.DB.Read(), huntedCursor(org))
	if err != nil {
		return nil, err
	}
	o.follower.Since = polder.Seq(hunted)
	if err := o.follower.Sync(ctx); err != nil {
		return nil, err
	}
	if hunted == 0 { // there is no history before this
		if err := d.setHunted(ctx, org, max(1, o.follower.Cursor())); err != nil { // a full disk stops no detection
			d.o.Log.Error("what is shared now may not be hunted for if the node stops before it was", "org", org, "error", err)
		}
	}
	o.engine = &Engine{rules: d.rules, known: o.known}
	if fail.Bug("knowledge-shared") {
		for _, neighbour := range d.orgs {
			o.engine.known = neighbour.known
		}
	}
	if d.o.Dir != "" {
		store, err := history.Open(filepath.Join(d.o.Dir, string(org)), d.o.History.options())
		if err != nil { // detection goes on without it
			d.o.Log.Error("no history is kept", "org", org, "error", err)
		} else {
			o.store = store
		}
	}
	d.orgs[org] = o
	d.follow(o)
	return o, nil
}

// follow keeps what an organisation knows current, and hunts back for what is new. d.mu is held.
func (d *Detector) follow(o *orgDetector) {
	ctx := d.ctx
	if ctx.Done() == nil { // Run has not begun
		return
	}
	news := newHunts(d, o)
	o.follower.New = news.add
	d.tasks.Go(func() { o.follower.Run(ctx) })
	d.tasks.Go(func() { news.run(ctx) })
}

// Judge reads the records of a batch and returns what is found in them: it makes the detector the [Judge] of an intake.
// A record that cannot be read is counted and passed over, and so is a batch whose format is not known: no later try
// would read it.
func (d *Detector) Judge(ctx context.Context, b Batch) ([]Finding, error) {
	o, err := d.of(ctx, b.Org)
	if err != nil {
		return nil, err
	}
	o.turn.Lock()
	defer o.turn.Unlock()
	if err := o.current(); err != nil {
		return nil, err
	}
	s, err := event.Open(bytes.NewReader(b.Data), event.Options{Name: b.Name, Now: b.Received})
	if err != nil {
		d.count(b, batchReader{unreadable: int64(b.Events)})
		d.o.Log.Warn("events of no known format were taken in", "org", b.Org, "source", b.Source, "error", err)
		return nil, nil
	}
	r := batchReader{o: o, b: b, judge: o.judge.of(b.Name)}
	if o.store != nil {
		r.batch = o.store.NewReading(history.Origin{File: b.Name, Format: s.Format(), Received: b.Received}).NewBatch(NewHistoryObserver())
	}
	if err := r.read(ctx, s); err != nil {
		return nil, err
	}
	d.keep(o, r.batch)
	if o.full && fail.Bug("history-stops-judging") {
		return nil, errors.New("history has no room")
	}
	d.count(b, r)
	return r.found, nil
}

// count adds what a batch came to.
func (d *Detector) count(b Batch, r batchReader) {
	if b.Again {
		return
	}
	d.judged.events.Add(r.events)
	d.judged.unreadable.Add(r.unreadable)
	d.judged.findings.Add(int64(len(r.found)))
}

// keep puts events into the history. That it has no room is said once, and stops nothing else.
func (d *Detector) keep(o *orgDetector, batch *history.Batch) {
	if batch == nil {
		return
	}
	n, err := o.store.Append(batch)
	d.judged.kept.Add(int64(n))
	switch {
	case err != nil && !o.full:
		d.o.Log.Error("history keeps no events now; judging goes on", "org", o.org, "error", err)
	case err == nil && o.full:
		d.o.Log.Info("history keeps events again", "org", o.org)
	}
	o.full = err != nil
}

// batchReader judges the records of one batch.
type batchReader struct {
	o       *orgDetector
	b       Batch
	judge   *judge
	batch   *history.Batch // nil keeps nothing
	matches []match
	found   []Finding
	place   []byte

	events, unreadable int64
}

func (r *batchReader) read(ctx context.Context, s *event.Scanner) error {
	d := s.NewDecoder()
	var ev event.Event
	for {
		c, err := s.Next()
		if err == io.EOF {
			return ctx.Err()
		}
		if err != nil {
			r.unreadable++
			continue
		}
		d.Decode(c, &ev, func(bad *event.Error) bool {
			if bad != nil {
				r.unreadable++
				return true
			}
			r.events++
			r.judge.judge(&ev, &r.matches)
			if r.batch != nil {
				// The place in the spool tells records apart that are equal, and is the same when the batch comes again.
				r.place = binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint64(r.place[:0], uint64(r.b.Number)), uint64(ev.Index))
				r.batch.Add(&ev, r.place)
			}
			return ctx.Err() == nil
		})
		for i := range r.matches {
			r.matches[i].finding.Event += r.b.First
			_ = r.o.linked.take(&r.matches[i], func(f *Finding) error {
				r.found = append(r.found, *f)
				return nil
			})
		}
		r.matches = r.matches[:0]
	}
}

// current brings the judging state up to the rules and patterns of now. With other rules, and with other patterns, what
// was remembered of earlier events is forgotten.
func (o *orgDetector) current() error {
	set, patterns := o.set, o.patterns
	if now := o.engine.ruleSet(); o.set != now {
		linked, err := newLinker(now, sigma.CorrelatorOptions{Now: o.now})
		if err != nil {
			return err
		}
		o.set, o.linked, o.wants = now, linked, linked.wants()
	}
	if o.patterns == nil || o.patterns.version != o.known.PatternsVersion() {
		o.patterns = o.engine.patterns()
	}
	if o.set != set || o.patterns != patterns {
		o.judge = o.engine.newJudge(o.set, o.patterns, o.wants, "")
	}
	return nil
}

// Check holds a log against what whoever asks may use: it is the [Checker] of the console. What is checked is not kept.
func (d *Detector) Check(ctx context.Context, name string, in io.Reader, found func(*Finding) error) (Examined, error) {
	return d.CheckFor(ctx, web.ActorIn(ctx).Org, name, in, found)
}

// Knowing is what logs are held against, apart from indicators, which differ from one organisation to the other.
func (d *Detector) Knowing() Knowing { return (&Engine{rules: d.rules}).Knowing() }

// CheckFor is Check for an organisation.
func (d *Detector) CheckFor(ctx context.Context, org polder.OrgID, name string, in io.Reader, found func(*Finding) error) (Examined, error) {
	o, err := d.of(ctx, org)
	if err != nil {
		return Examined{}, err
	}
	run, err := o.engine.NewRun(RunOptions{Threads: 1, Now: d.o.Now()}, found)
	if err != nil {
		return Examined{}, err
	}
	x, err := run.File(ctx, name, in)
	if err == nil {
		err = run.End()
	}
	return x, err
}

// Overview is what is known of rules and indicators, for the console.
func (d *Detector) Overview(ctx context.Context, by polder.Actor) (Overview, error) {
	o, err := d.of(ctx, by.Org)
	if err != nil {
		return Overview{}, err
	}
	return Overview{
		Knowing:    o.engine.Knowing(),
		Rules:      d.rules.Sources(),
		Indicators: o.known.Sources(),
		History:    o.kept(),
	}, nil
}

// kept is how much history there is; nil when none is kept.
func (o *orgDetector) kept() *Kept {
	if o.store == nil {
		return nil
	}
	segments, err := o.store.Segments()
	waiting, _ := o.store.Pending()
	k := &Kept{Events: int64(waiting), Damaged: err != nil}
	for _, s := range segments {
		k.Events, k.Bytes = k.Events+s.Events, k.Bytes+s.Bytes
		if !s.First.IsZero() && (k.First.IsZero() || s.First.Before(k.First)) {
			k.First = s.First
		}
		if s.Last.After(k.Last) {
			k.Last = s.Last
		}
	}
	return k
}
