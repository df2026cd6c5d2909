package accounts

import (
	"sync"
	"time"

	"github.com/polder-exchange/polder/internal/db"
)

// This file keeps the two clocks of the package. Both are stored in accounts_state, in microseconds.
//
//   - high is the latest time ever seen. What expires is judged by the greatest of the machine's clock, the stored
//     high and what this process last saw plus the time it has run since. So a clock that is set back ends nothing
//     later and revives nothing, and while it lags, time still passes.
//   - running is how long the node has been running, by a clock that nobody can set. The log-in limits refill by it
//     alone: neither a clock moved forward nor a restart gives anybody another try.
//
// Both are written with every change, and at least once a minute while requests come in.

// clock turns the machine's clock, a steady one and what is stored into the two clocks.
type clock struct {
	wall   func() time.Time
	steady func() time.Duration // how long this process has run

	mu     sync.Mutex
	last   int64         // what now last answered
	lastAt time.Duration // on the steady clock
	base   int64         // running, as the process found it
	based  bool
}

// sinceNow is a steady clock that begins now.
func sinceNow() func() time.Duration {
	start := time.Now()                                      //house:allow time.Now: the default of a field
	return func() time.Duration { return time.Since(start) } //house:allow time.Since: the default of a field
}

// now is the time that never goes back, given the stored high.
func (c *clock) now(high int64) int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	at := c.steady()
	t := max(c.wall().UnixMicro(), high)
	if c.last != 0 {
		t = max(t, c.last+(at-c.lastAt).Microseconds())
	}
	c.last, c.lastAt = t, at
	return t
}

// running is the time the node has been running, given what is stored of it.
func (c *clock) running(stored int64) int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.based {
		c.base, c.based = stored, true
	}
	return max(stored, c.base+c.steady().Microseconds())
}

// instant is a reading of both clocks.
type instant struct {
	now     int64
	running int64
	ahead   int64 // how far now is ahead of the machine's clock
}

// readClock reads both clocks.
func (s *Service) readClock(q db.Querier) (instant, error) {
	var high, running int64
	if err := q.QueryRow(`SELECT high, running FROM accounts_state WHERE id = 1`).Scan(&high, &running); err != nil {
		return instant{}, err
	}
	return s.instant(high, running), nil
}

func (s *Service) instant(high, running int64) instant {
	now := s.clock.now(high)
	return instant{now: now, running: s.clock.running(running), ahead: now - s.o.Now().UnixMicro()}
}

// tick reads both clocks and stores them.
func (s *Service) tick(tx *db.Tx) (instant, error) {
	t, err := s.readClock(tx)
	if err != nil {
		return t, err
	}
	_, err = tx.Exec(`UPDATE accounts_state SET high = max(high, ?), running = max(running, ?) WHERE id = 1`, t.now, t.running)
	return t, err
}

// deadline turns a time of the machine's clock into one of ours, so that "in ninety days" means that even while our
// clock is ahead. The zero time stays "never".
func (t instant) deadline(at time.Time) int64 {
	if at.IsZero() {
		return 0
	}
	return at.UnixMicro() + t.ahead
}

// when turns a stored time into a [time.Time]; 0 is the zero time.
func when(micro int64) time.Time {
	if micro == 0 {
		return time.Time{}
	}
	return time.UnixMicro(micro).UTC()
}
