package match

import (
	"database/sql"
	"errors"
	"sync"
	"time"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/db"
)

// window is how long a budget lasts, in running time.
const window = 24 * time.Hour

// TooMuch is the cause of a refusal for want of budget.
type TooMuch struct{ Wait time.Duration }

func (e *TooMuch) Error() string { return "the budget of this day is used up" }

// RetryAfter is when there is a budget again.
func (e *TooMuch) RetryAfter() time.Duration { return e.Wait }

// ran is how long the node has been running, over all its lives, by a clock that nobody can set.
type ran struct {
	steady func() time.Duration
	mu     sync.Mutex
	base   int64
	based  bool
}

// now is the running time in microseconds, stored as it goes.
func (c *ran) now(tx *db.Tx) (int64, error) {
	var stored int64
	if err := tx.QueryRow(`SELECT running FROM match_clock WHERE id = 1`).Scan(&stored); err != nil {
		return 0, err
	}
	c.mu.Lock()
	if !c.based {
		c.base, c.based = stored-c.steady().Microseconds(), true
	}
	at := max(stored, c.base+c.steady().Microseconds())
	c.mu.Unlock()
	_, err := tx.Exec(`UPDATE match_clock SET running = ? WHERE id = 1`, at)
	return at, err
}

// spend takes n elements from what org may send to a set in a day. What there is not is refused whole; over is then how
// long to wait, and first whether this is the first refusal of the window.
func (s *Service) spend(tx *db.Tx, set Set, org polder.OrgID, n int) (over time.Duration, first bool, err error) {
	at, err := s.ran.now(tx)
	if err != nil {
		return 0, false, err
	}
	began, used, stopped := at, 0, false
	err = tx.QueryRow(`SELECT began, used, stopped FROM match_use WHERE set_id = ? AND org = ?`, set.ID, string(org)).Scan(&began, &used, &stopped)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return 0, false, err
	}
	if at-began >= window.Microseconds() {
		began, used, stopped = at, 0, false
	}
	if used+n > set.Budget {
		over, first, stopped = max(time.Second, window-time.Duration(at-began)*time.Microsecond), !stopped, true
	} else {
		used += n
	}
	_, err = tx.Exec(`INSERT INTO match_use (set_id, org, began, used, stopped) VALUES (?, ?, ?, ?, ?)
		ON CONFLICT (set_id, org) DO UPDATE SET began = excluded.began, used = excluded.used, stopped = excluded.stopped`, set.ID, string(org), began, used, stopped)
	if err != nil {
		return 0, false, err
	}
	if over > 0 {
		n = 0
	}
	_, err = tx.Exec(`INSERT INTO match_day (set_id, day, elements, stopped) VALUES (?, ?, ?, ?)
		ON CONFLICT (set_id, day) DO UPDATE SET elements = elements + excluded.elements, stopped = stopped + excluded.stopped`,
		set.ID, s.o.Now().Unix()/86400, n, first)
	return over, first, err
}
