package accounts

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/db"
)

// Allowance is how often something may be done: Burst times at once, and one more after each Every.
type Allowance struct {
	Burst int
	Every time.Duration
}

func (a Allowance) or(otherwise Allowance) Allowance {
	if a.Burst == 0 || a.Every == 0 {
		return otherwise
	}
	return a
}

// TooOften is the cause of an error of kind Limited: when to try again. A door answers it as Retry-After.
type TooOften struct{ After time.Duration }

func (t *TooOften) Error() string { return "try again in " + t.Wait().String() }

// Wait is After in whole seconds, at least one.
func (t *TooOften) Wait() time.Duration {
	return max((t.After + time.Second - 1).Truncate(time.Second), time.Second)
}

func tooOften(what string, wait time.Duration) error {
	return polder.Errorf(polder.Limited, "too many %s: %w", what, &TooOften{wait})
}

// RetryAfter is how long the error asks to wait; 0 when it does not say.
func RetryAfter(err error) time.Duration {
	var t *TooOften
	if errors.As(err, &t) {
		return t.Wait()
	}
	return 0
}

// Limiter gives each key an allowance of its own, in memory that is bounded. It is for the doors: so many requests of a
// token, an organisation, an address. A restart forgets it; what must be remembered uses [LogInLimits].
type Limiter struct {
	each   Allowance
	most   int
	steady func() time.Duration

	mu    sync.Mutex
	keys  map[string]*rate.Limiter
	rest  *rate.Limiter // shared by the keys for which there was no room
	swept time.Duration
}

// NewLimiter makes a limiter for at most most keys at a time: when so many are under way, further ones share one
// allowance, so that inventing keys frees nobody. steady is a clock that nobody can set; nil is ours.
func NewLimiter(each Allowance, most int, steady func() time.Duration) *Limiter {
	if steady == nil {
		steady = sinceNow()
	}
	l := &Limiter{each: each, most: most, steady: steady, keys: map[string]*rate.Limiter{}}
	l.rest = l.fresh()
	return l
}

func (l *Limiter) fresh() *rate.Limiter {
	return rate.NewLimiter(rate.Every(l.each.Every), l.each.Burst)
}

// Take uses the allowance of a key once. When there is none left, ok is false and wait is how long until there is.
func (l *Limiter) Take(key string) (wait time.Duration, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Unix(0, 0).Add(l.steady())
	r := l.of(key, now).ReserveN(now, 1)
	if wait = r.DelayFrom(now); wait > 0 || !r.OK() {
		r.CancelAt(now)
		return wait, false
	}
	return 0, true
}

func (l *Limiter) of(key string, now time.Time) *rate.Limiter {
	if k, ok := l.keys[key]; ok {
		return k
	}
	if len(l.keys) >= l.most {
		l.sweep(now)
	}
	if len(l.keys) >= l.most {
		return l.rest
	}
	k := l.fresh()
	l.keys[key] = k
	return k
}

// sweep forgets the keys whose allowance is whole again. It runs at most once per Every, which is as often as that
// can change.
func (l *Limiter) sweep(now time.Time) {
	if at := now.Sub(time.Unix(0, 0)); at-l.swept >= l.each.Every {
		l.swept = at
		for key, k := range l.keys {
			if k.TokensAt(now) >= float64(l.each.Burst) {
				delete(l.keys, key)
			}
		}
	}
}

// Len is how many keys are remembered.
func (l *Limiter) Len() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.keys)
}

// LogInLimits bound failed log-ins. They are stored, refill only while the node runs, and count every spelling of a
// log-in name as one. A successful log-in gives back what it took.
//
// Where a person has logged in before, the allowance is Known, apart from the account's and the node's: so strangers who
// guess at an account, or at all, do not lock its owner out.
type LogInLimits struct {
	Account Allowance // of one log-in name, whether there is such an account or not
	Known   Allowance // of one account from one network where it was logged in before
	Network Allowance // of one address (IPv6: one /64)
	Node    Allowance // of all
}

// DefaultLogInLimits allow some 480 guesses a day at one account.
var DefaultLogInLimits = LogInLimits{
	Account: Allowance{Burst: 10, Every: 3 * time.Minute},
	Known:   Allowance{Burst: 10, Every: 3 * time.Minute},
	Network: Allowance{Burst: 50, Every: 10 * time.Second},
	Node:    Allowance{Burst: 300, Every: time.Second},
}

func (l *LogInLimits) defaults() {
	l.Account = l.Account.or(DefaultLogInLimits.Account)
	l.Known = l.Known.or(DefaultLogInLimits.Known)
	l.Network = l.Network.or(DefaultLogInLimits.Network)
	l.Node = l.Node.or(DefaultLogInLimits.Node)
}

// ration is one stored allowance.
type ration struct {
	key string
	of  Allowance
}

// ration names an allowance by a keyed hash, so that the table tells nobody who tried what.
func (s *Service) ration(key []byte, kind, value string, of Allowance) ration {
	m := hmac.New(sha256.New, key)
	fmt.Fprintf(m, "%s\x00%s", kind, value)
	return ration{hex.EncodeToString(m.Sum(nil)[:16]), of}
}

// take uses each of the rations once, or none when one is used up.
func take(tx *db.Tx, running int64, rations []ration) error {
	full := make([]int64, len(rations))
	for i, r := range rations {
		at, err := readLimit(tx, r.key)
		if err != nil {
			return err
		}
		every := r.of.Every.Microseconds()
		full[i] = max(at, running) + every
		if over := full[i] - running - int64(r.of.Burst)*every; over > 0 {
			return tooOften("failed log-ins", time.Duration(over)*time.Microsecond)
		}
	}
	for i, r := range rations {
		if err := writeLimit(tx, r.key, full[i]); err != nil {
			return err
		}
	}
	return pruneLimits(tx, running)
}

// giveBack undoes one take.
func giveBack(tx *db.Tx, rations []ration) error {
	for _, r := range rations {
		if _, err := tx.Exec(`UPDATE accounts_limit SET full = full - ? WHERE key = ?`, r.of.Every.Microseconds(), r.key); err != nil {
			return err
		}
	}
	return nil
}
