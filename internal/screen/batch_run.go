package screen

import (
	"context"
	"errors"
	"io"
	"runtime"
	"sync"

	"github.com/polder-exchange/polder"
)

// Answered is a party of a file and its answer; the answer is empty when the party has an error.
type Answered struct {
	Party  FileParty
	Answer Answer
}

// ScreenAll asks about all parties that next gives (io.EOF ends them), on as many processors as there are, and hands the
// answers to take in the order of the parties, from one goroutine. It holds a bounded number of them in memory. The first
// error, of next or of take, ends it.
func (s *Screener) ScreenAll(ctx context.Context, o Options, next func() (FileParty, error), take func(Answered) error) error {
	workers := min(runtime.GOMAXPROCS(0), 16)
	type job struct {
		party FileParty
		done  chan Answered
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	jobs := make(chan job)
	order := make(chan chan Answered, 64*workers)
	var ended error // of next; read after order is closed
	var wait sync.WaitGroup
	wait.Go(func() {
		defer close(order)
		defer close(jobs)
		for {
			p, err := next()
			if err != nil {
				if !errors.Is(err, io.EOF) {
					ended = err
				}
				return
			}
			j := job{p, make(chan Answered, 1)}
			select {
			case order <- j.done:
			case <-ctx.Done():
				return
			}
			select {
			case jobs <- j:
			case <-ctx.Done():
				return
			}
		}
	})
	for range workers {
		wait.Go(func() {
			for j := range jobs {
				j.done <- s.answered(j.party, o)
			}
		})
	}
	err := func() error {
		for done := range order {
			select {
			case x := <-done:
				if err := take(x); err != nil {
					return err
				}
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		return ctx.Err()
	}()
	stop()
	wait.Wait()
	if err == nil {
		err = ended
	}
	return err
}

// answered asks about one party. A fault of ours in it is the error of that party, and ends nothing else.
func (s *Screener) answered(p FileParty, o Options) (x Answered) {
	x.Party = p
	if p.Err != nil {
		return x
	}
	defer func() {
		if fault := recover(); fault != nil {
			x = Answered{Party: p}
			x.Party.Err = polder.Errorf(polder.Internal, "this party could not be asked about: %v", fault)
		}
	}()
	x.Answer = s.Screen(p.Query, o)
	return x
}
