package detect

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"
	"sync"
	"time"

	"github.com/polder-exchange/polder/event"
	"github.com/polder-exchange/polder/sigma"
)

// maxTrouble is how many complaints about a file are kept in words.
const maxTrouble = 5

// Run judges files one after the other, as a person does who holds some logs against what is known. Correlations go
// across the files. Make it with [Engine.NewRun]; it is for one goroutine.
type Run struct {
	e        *Engine
	set      *ruleSet
	patterns *patternSet
	o        RunOptions
	linked   *linker
	wants    map[*sigma.Rule]bool
	matched  func(*Finding) error
}

// RunOptions say how files are read.
type RunOptions struct {
	Mapping *event.Mapping // a person\'s own, beside those of the formats; nil for none
	Format  event.Format   // "" recognises it
	// Threads is how many read; 0: as many as the machine has processors. It is one when a pattern looks at several
	// events, since their order counts.
	Threads   int
	MaxRecord int       // bytes; 0: see [event.Options]
	Now       time.Time // before which dates without a year lie
	// Progress is called now and then with the bytes that were read of the file as it is stored.
	Progress func(n int64)
}

// NewRun begins a run. found gets each finding, in the order of the events; its error ends the run. What it is given is
// its own.
func (e *Engine) NewRun(o RunOptions, found func(*Finding) error) (*Run, error) {
	if o.Threads <= 0 {
		o.Threads = runtime.GOMAXPROCS(0)
	}
	set, patterns := e.ruleSet(), e.patterns()
	if patterns.ordered {
		o.Threads = 1
	}
	l, err := newLinker(set, sigma.CorrelatorOptions{Grace: sigma.Forever})
	if err != nil {
		return nil, err
	}
	return &Run{e: e, set: set, patterns: patterns, o: o, linked: l, wants: l.wants(), matched: found}, nil
}

// chunkJob is a chunk on its way to a worker, with its place in the file.
type chunkJob struct {
	n     int
	chunk event.Chunk
}

// chunkResult is what a worker made of a chunk.
type chunkResult struct {
	n                  int
	events, bad, gated int64
	first, last        time.Time
	trouble            []string
	matches            []match
}

// File judges one file. What cannot be read is said in what it returns; the error is that of ctx or of whoever takes the
// findings.
func (r *Run) File(ctx context.Context, name string, in io.Reader) (Examined, error) {
	x := Examined{File: name}
	if r.o.Progress != nil {
		in = &counted{in: in, tell: r.o.Progress}
	}
	s, err := event.Open(in, event.Options{Format: r.o.Format, Name: name, Mapping: r.o.Mapping, MaxRecord: r.o.MaxRecord, Now: r.o.Now})
	if err != nil {
		x.complain(err)
		return x, ctx.Err()
	}
	x.Format, x.Compression = string(s.Format()), s.Compression()
	told := ctx
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	jobs := make(chan chunkJob, r.o.Threads)
	results := make(chan chunkResult, r.o.Threads)
	// A chunk is begun only when the oldest unfinished one is near, so that what waits for its turn stays small.
	ahead := make(chan struct{}, 2*r.o.Threads)
	var running sync.WaitGroup
	var broken []string
	running.Go(func() {
		defer close(jobs)
		broken = read(ctx, s, jobs, ahead)
	})
	var workers sync.WaitGroup
	for range r.o.Threads {
		w := r.e.newJudge(r.set, r.patterns, r.wants, name)
		d := s.NewDecoder()
		workers.Go(func() { w.work(ctx, d, jobs, results) })
	}
	running.Go(func() {
		workers.Wait()
		close(results)
	})
	err = r.inOrder(results, ahead, &x)
	cancel()
	for range results {
	}
	running.Wait()
	x.Bytes = s.Bytes()
	x.Trouble = append(x.Trouble, broken...)
	if err == nil {
		err = told.Err() // what was read is not the whole
	}
	return x, err
}

// read hands the file's chunks out until its end, and tells where the stream itself was broken.
func read(ctx context.Context, s *event.Scanner, jobs chan<- chunkJob, ahead chan<- struct{}) (broken []string) {
	for n := 0; ; {
		c, err := s.Next()
		if err == io.EOF {
			return broken
		}
		if err != nil {
			broken = append(broken, complaint(err))
			continue
		}
		select {
		case ahead <- struct{}{}:
		case <-ctx.Done():
			return broken
		}
		select {
		case jobs <- chunkJob{n, c}:
			n++
		case <-ctx.Done():
			return broken
		}
	}
}

// inOrder takes the results as they come and hands them on in the order of the file.
func (r *Run) inOrder(results <-chan chunkResult, ahead <-chan struct{}, x *Examined) error {
	waiting := map[int]chunkResult{}
	for next := 0; ; {
		res, ok := <-results
		if !ok {
			return nil
		}
		waiting[res.n] = res
		for {
			res, ok := waiting[next]
			if !ok {
				break
			}
			delete(waiting, next)
			next++
			<-ahead
			x.take(&res)
			for i := range res.matches {
				if err := r.linked.take(&res.matches[i], r.matched); err != nil {
					return err
				}
			}
		}
	}
}

// End says what can be said only when there are no more files: correlations whose windows were still open.
func (r *Run) End() error { return r.linked.end(r.matched) }

// GaveUp says in words which patterns asked for more work than an event is given, so that what they look for may have been
// missed; the first few.
func (r *Run) GaveUp() (words []string) {
	for i, s := range r.patterns.compiled.streams {
		if s == nil || len(words) == maxTrouble {
			continue
		}
		s.Lock()
		n := s.Stats().Unsettled
		s.Unlock()
		if n > 0 {
			k := r.patterns.known[i]
			words = append(words, fmt.Sprintf("pattern %s (%s) asks for too much work: %d events were not held against it to the end", k.ID, k.Title, n))
		}
	}
	if n := r.patterns.compiled.skipped.Load(); n > 0 {
		words = append(words, fmt.Sprintf("patterns asked for too much work: %d times an event was not held against one to the end", n))
	}
	return words
}

// work judges chunks until there are no more.
func (j *judge) work(ctx context.Context, d event.Decoder, jobs <-chan chunkJob, results chan<- chunkResult) {
	var ev event.Event
	for job := range jobs {
		res := chunkResult{n: job.n}
		d.Decode(job.chunk, &ev, func(bad *event.Error) bool {
			if bad != nil {
				res.bad++
				if len(res.trouble) < maxTrouble {
					res.trouble = append(res.trouble, complaint(bad))
				}
				return ctx.Err() == nil
			}
			res.events++
			res.when(ev.Time())
			j.judge(&ev, &res.matches)
			return ctx.Err() == nil
		})
		res.gated, j.gated = j.gated, 0
		select {
		case results <- res:
		case <-ctx.Done():
			return
		}
	}
}

func (res *chunkResult) when(t time.Time) {
	if t.IsZero() {
		return
	}
	if res.first.IsZero() || t.Before(res.first) {
		res.first = t
	}
	if t.After(res.last) {
		res.last = t
	}
}

// take adds what was seen in a chunk.
func (x *Examined) take(res *chunkResult) {
	x.Events += res.events
	x.Unreadable += res.bad
	x.Gated += res.gated
	if !res.first.IsZero() && (x.First.IsZero() || res.first.Before(x.First)) {
		x.First = res.first
	}
	if res.last.After(x.Last) {
		x.Last = res.last
	}
	x.Trouble = append(x.Trouble, res.trouble[:min(len(res.trouble), maxTrouble-min(maxTrouble, len(x.Trouble)))]...)
}

func (x *Examined) complain(err error) { x.Trouble = append(x.Trouble, complaint(err)) }

// complaint is an error about a file without the file's name, which stands beside it.
func complaint(err error) string {
	if e, ok := errors.AsType[*event.Error](err); ok {
		if e.Line > 0 {
			return fmt.Sprintf("line %d: %s", e.Line, e.Text)
		}
		return e.Text
	}
	return err.Error()
}

// counted tells how far reading is.
type counted struct {
	in   io.Reader
	n    int64
	tell func(int64)
}

func (c *counted) Read(p []byte) (int, error) {
	n, err := c.in.Read(p)
	c.n += int64(n)
	c.tell(c.n)
	return n, err
}
