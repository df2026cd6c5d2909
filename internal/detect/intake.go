package detect

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math"
	"runtime/debug"
	"sync"
	"time"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/db"
	"github.com/polder-exchange/polder/internal/fail"
)

// Batch is events of one organisation that came in together, as they were received: whole records, a line each.
type Batch struct {
	Number   int64 // rises from batch to batch
	Org      polder.OrgID
	Source   string // the way in: a token, a folder
	Name     string // of the file, or of the way in; findings say it as their File
	First    int    // index of its first event in its file; findings count from here
	Events   int    // how many lines
	Received time.Time
	Data     []byte

	// Again says that the batch was judged before this start: it is there to rebuild windows, and what is found in it is
	// kept already.
	Again bool
}

// Judge holds events against what is known. It is called by one goroutine, batch after batch in the order in which they
// were taken in, and each batch at least once: after a crash the last ones come again. An error means that the batch
// was not judged; it is tried again.
type Judge interface {
	Judge(ctx context.Context, b Batch) ([]Finding, error)
}

// IntakeOptions are what an [Intake] needs; Dir, Service, Judge and Now must be there.
type IntakeOptions struct {
	Dir     string // of the spool; its own
	Service *Service
	Judge   Judge
	Now     func() time.Time
	Log     *slog.Logger
	Room    func() error // says that the disk has no room for more, as [db.DB.Room] does; nil asks nobody

	Bound   int64         // bytes that may wait to be judged; 0 is 1 GiB
	Segment int64         // bytes of a file of the spool; 0 is 64 MiB
	Horizon time.Duration // how far back events are kept to rebuild windows; 0 is a day
	Tries   int           // how often a batch is tried; 0 is 5
	Wait    time.Duration // before the second try, doubled each time; 0 is a second

	create func(string) (spoolFile, error)
}

// Intake takes events in and has them judged. What it has acknowledged survives a crash: it lies in a spool until it is
// judged and its alerts are stored, and the place up to which that is done is written in the transaction that stores
// the alerts.
type Intake struct {
	o     IntakeOptions
	spool *spool

	mu      sync.Mutex
	refused map[source]int
}

// source is a way in of an organisation.
type source struct {
	org  polder.OrgID
	name string
}

// judgedCursor names the last batch whose alerts are stored.
const judgedCursor = "judged"

// OpenIntake opens the spool; [Intake.Run] judges what lies in it.
func OpenIntake(ctx context.Context, o IntakeOptions) (*Intake, error) {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	setDefault(&o.Bound, 1<<30)
	setDefault(&o.Segment, 64<<20)
	setDefault(&o.Horizon, 24*time.Hour)
	setDefault(&o.Tries, 5)
	setDefault(&o.Wait, time.Second)
	judged, err := cursor(ctx, o.Service.o.DB.Read(), judgedCursor)
	if err != nil {
		return nil, err
	}
	s, err := openSpool(spoolOptions{dir: o.Dir, bound: o.Bound, segment: o.Segment, room: o.Room, create: o.create, log: o.Log}, judged)
	if err != nil {
		return nil, err
	}
	return &Intake{o: o, spool: s, refused: map[source]int{}}, nil
}

func setDefault[T comparable](v *T, to T) {
	var zero T
	if *v == zero {
		*v = to
	}
}

// Accept takes a batch in and returns its number when it is on disk. Limited means that too much waits, Full that the
// disk is full, Unavailable that the disk has failed; nothing of the batch is kept then.
func (i *Intake) Accept(b Batch) (int64, error) {
	if b.Org == "" {
		return 0, polder.Errorf(polder.Internal, "take events in: whose they are is not said")
	}
	n, err := i.spool.append(i.o.Now(), packBatch(b))
	if err != nil {
		i.refuse(b.Org, b.Source)
	}
	return n, err
}

// refuse counts a request that was sent away; it is written down with the next batch that is judged.
func (i *Intake) refuse(org polder.OrgID, name string) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if len(i.refused) < 10_000 {
		i.refused[source{org, name}]++
	}
}

// Waiting is how many bytes wait to be judged.
func (i *Intake) Waiting() int64 { return i.spool.waiting() }

// Close ends the intake, after Run has returned. Nothing is taken in any more.
func (i *Intake) Close() error { return i.spool.close() }

// Bounds of one transaction of the judging loop.
const (
	judgeBatches  = 256
	judgeBytes    = 16 << 20
	judgeFindings = recordBatch
)

// Run judges what waits and what comes, until ctx ends or the database fails.
func (i *Intake) Run(ctx context.Context) error {
	judged, err := cursor(ctx, i.o.Service.o.DB.Read(), judgedCursor)
	if err != nil {
		return err
	}
	r := &spoolReader{s: i.spool, judged: judged}
	defer r.close()
	if at := i.spool.receivedAt(judged); !at.IsZero() {
		r.since = at.Add(-i.o.Horizon).UnixMicro()
	}
	if fail.Bug("windows-forgotten") {
		r.since = math.MaxInt64
	}
	for {
		there := i.spool.synced.Load() // whatever is not read now, of what is there now, cannot be read
		round, err := i.read(ctx, r, judged)
		if err != nil {
			if ctx.Err() != nil {
				return nil
			}
			return err
		}
		if round.bytes > 0 {
			err := i.store(ctx, round)
			if err == nil {
				err = fail.At("alerts.after")
			}
			if err != nil {
				if ctx.Err() != nil {
					return nil
				}
				return err
			}
			judged, r.judged = round.last, round.last
			i.spool.judgedUp(judged, round.bytes, round.received.Add(-i.o.Horizon))
			continue
		}
		if round.again {
			continue
		}
		select {
		case <-ctx.Done():
			return nil
		case <-i.spool.more(there):
		}
	}
}

// round is what one transaction stores: the findings of some batches, and how far judging has come with them.
type round struct {
	last     int64 // number of the last batch
	received time.Time
	bytes    int64 // of the spool
	findings map[polder.OrgID][]Finding
	sources  map[source]*intakeCount
	again    bool // batches were judged a second time, which stores nothing
	count    int
}

// intakeCount is what is added to the figures of a source.
type intakeCount struct {
	events, bytes, lost, refused int64
	last                         time.Time
}

// read judges some batches that wait.
func (i *Intake) read(ctx context.Context, r *spoolReader, judged int64) (round, error) {
	out := round{last: judged, findings: map[polder.OrgID][]Finding{}, sources: map[source]*intakeCount{}}
	for n := 0; n < judgeBatches && out.bytes < judgeBytes && out.count < judgeFindings; n++ {
		h, body, err := r.next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return out, err
		}
		again := h.number <= judged
		if out.again = out.again || again; !again {
			out.last, out.received = h.number, time.UnixMicro(h.received)
			out.bytes += h.end(0)
		}
		if body == nil { // damaged
			continue
		}
		b, err := unpackBatch(h, body)
		if err != nil {
			return out, err
		}
		b.Again = again
		found, fault := i.judge(ctx, b)
		if ctx.Err() != nil {
			return out, ctx.Err()
		}
		if again {
			continue
		}
		for f := range found {
			if !plausible(found[f].Time) {
				found[f].Time = b.Received // the same at every try
			}
		}
		out.count += len(found)
		out.findings[b.Org] = append(out.findings[b.Org], found...)
		c := out.source(b.Org, b.Source)
		c.events += int64(b.Events)
		c.bytes += int64(len(b.Data))
		c.last = b.Received
		if fault {
			c.lost += int64(b.Events)
		}
	}
	return out, nil
}

func (r *round) source(org polder.OrgID, name string) *intakeCount {
	k := source{org, name}
	if r.sources[k] == nil {
		r.sources[k] = &intakeCount{}
	}
	return r.sources[k]
}

// judge has one batch judged, again when that fails. A batch that fails each time is passed over, said in the log and
// counted, so that it does not keep what follows from being judged.
func (i *Intake) judge(ctx context.Context, b Batch) (found []Finding, lost bool) {
	wait := i.o.Wait
	for try := 1; ; try++ {
		found, err := i.judgeOnce(ctx, b)
		if err == nil {
			return found, false
		}
		if try == i.o.Tries || ctx.Err() != nil {
			i.o.Log.Error("events could not be judged and are passed over", "number", b.Number, "events", b.Events, "error", err)
			return nil, true
		}
		i.o.Log.Warn("events could not be judged; trying again", "number", b.Number, "error", err)
		select {
		case <-ctx.Done():
			return nil, true
		case <-time.After(wait):
		}
		wait *= 2
	}
}

func (i *Intake) judgeOnce(ctx context.Context, b Batch) (found []Finding, err error) {
	defer func() {
		if fault := recover(); fault != nil {
			i.o.Log.Error("judging events panicked", "number", b.Number, "fault", fault, "stack", string(debug.Stack()))
			found, err = nil, errors.New("a fault of ours; see the log")
		}
	}()
	return i.o.Judge.Judge(ctx, b)
}

// store keeps the findings of a round, and in the last transaction how far judging has come. When the database is full
// or busy it waits and tries again: nothing is passed over for that.
func (i *Intake) store(ctx context.Context, r round) error {
	i.mu.Lock()
	refused := i.refused
	i.refused = map[source]int{}
	i.mu.Unlock()
	for k, n := range refused {
		r.source(k.org, k.name).refused += int64(n)
	}
	if fail.Bug("cursor-early") {
		if err := i.write(ctx, func(tx *db.Tx) error { return setCursor(tx, judgedCursor, r.last) }); err != nil {
			return err
		}
	}
	if err := fail.At("alerts.before"); err != nil {
		return err
	}
	for org, found := range r.findings {
		for len(found) > judgeFindings {
			part := found[:judgeFindings]
			if err := i.write(ctx, func(tx *db.Tx) error { _, err := i.o.Service.recordTx(tx, org, part); return err }); err != nil {
				return err
			}
			found = found[judgeFindings:]
		}
		r.findings[org] = found
	}
	return i.write(ctx, func(tx *db.Tx) error {
		for org, found := range r.findings {
			if _, err := i.o.Service.recordTx(tx, org, found); err != nil {
				return err
			}
		}
		for k, c := range r.sources {
			if err := countSource(tx, k, *c); err != nil {
				return err
			}
		}
		return setCursor(tx, judgedCursor, r.last)
	})
}

// write is a transaction that is tried until it is through, the database fails for good, or ctx ends.
func (i *Intake) write(ctx context.Context, fn func(*db.Tx) error) error {
	wait := i.o.Wait
	for {
		err := i.o.Service.o.DB.Write(ctx, fn)
		kind := polder.KindOf(err)
		switch {
		case err == nil, ctx.Err() != nil:
			return err
		case i.o.Service.o.DB.Err() != nil || kind != polder.Full && kind != polder.Unavailable:
			return fmt.Errorf("store alerts: %w", err)
		}
		i.o.Log.Error("alerts cannot be stored; trying again", "error", err)
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(wait):
		}
		wait = min(2*wait, time.Minute)
	}
}

// IntakeSource is what came in by one way.
type IntakeSource struct {
	Name                         string
	Events, Bytes, Lost, Refused int64
	Last                         time.Time
}

// Sources are the ways by which events of the actor's organisation came in.
func (s *Service) Sources(ctx context.Context, by polder.Actor) ([]IntakeSource, error) {
	if err := may(by, polder.RoleReader); err != nil {
		return nil, err
	}
	return listSources(ctx, s.o.DB.Read(), by.Org)
}
