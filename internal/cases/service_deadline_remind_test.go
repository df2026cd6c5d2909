package cases

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/audit"
	"github.com/polder-exchange/polder/internal/blob"
	"github.com/polder-exchange/polder/internal/db"
	"github.com/polder-exchange/polder/internal/jobs"
	"github.com/polder-exchange/polder/stix"
)

// reminded is a [Reminder] that keeps what it was told, once that is committed.
type reminded struct {
	mu    sync.Mutex
	began time.Time
	now   func() time.Time
	told  []string
	keys  map[string]int
	fail  int // so many times it fails first
	last  DeadlineReminder
}

func (r *reminded) Remind(tx *db.Tx, d DeadlineReminder) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.fail > 0 {
		r.fail--
		return errors.New("the outbox is full")
	}
	after := r.now().Sub(r.began)
	tx.OnCommit(func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		_, rule, _ := strings.Cut(d.Deadline.Rule, "/")
		r.told = append(r.told, fmt.Sprintf("%s %s %s", rule, d.Moment, after.Round(time.Minute)))
		r.keys[d.Key]++
		r.last = d
	})
	return nil
}

func (r *reminded) of(rule string) (out []string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, one := range r.told {
		if rest, ok := strings.CutPrefix(one, rule+" "); ok {
			out = append(out, rest)
		}
	}
	return out
}

// remindWorld runs a world whose clock is that of a bubble, on Friday 20 November 2026, with its jobs at work.
func remindWorld(t *testing.T, fn func(t *testing.T, w *caseWorld, r *reminded)) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		shift := time.Until(time.Date(2026, 11, 20, 8, 0, 0, 0, time.UTC))
		now := func() time.Time { return time.Now().Add(shift) }
		w := &caseWorld{t: t, people: &casePeople{map[polder.OrgID]polder.Org{optics: {ID: optics, Name: "Acme Optics", Country: "NL"}}, map[polder.PersonID]polder.Actor{}}}
		ctx, cancel := context.WithCancel(t.Context())
		d, err := db.Open(ctx, filepath.Join(dir, "polder.db"), db.Options{Reserve: 1})
		caseMust(t, err)
		defer d.Close()
		w.db, w.audit = d, audit.New(d, now)
		caseMust(t, w.audit.Migrate(ctx))
		w.blobs, err = blob.Open(d, filepath.Join(dir, "files"), blob.Options{Now: now})
		caseMust(t, err)
		defer w.blobs.Close()
		caseMust(t, w.blobs.Migrate(ctx))
		j := jobs.New(d, jobs.Options{Now: now, Poll: 12 * time.Hour})
		caseMust(t, j.Migrate(ctx))
		caseMust(t, Migrate(ctx, d))
		r := &reminded{began: now(), now: now, keys: map[string]int{}}
		w.Service = NewService(ServiceOptions{DB: d, Audit: w.audit, Now: now, Blobs: w.blobs, Jobs: j, Accounts: w.people, Reminder: r, Secret: []byte(strings.Repeat("s", 32))})
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			if err := j.Run(ctx); err != nil {
				t.Errorf("jobs: %v", err)
			}
		}()
		fn(t, w, r)
		cancel()
		<-ended
	})
}

// remindCase is a case that is known from now on and counted by NIS2 in the Netherlands.
func (w *caseWorld) remindCase(title string) CaseID {
	w.t.Helper()
	c, err := w.OpenCase(w.t.Context(), lead, CaseNew{Title: title, Level: stix.Amber, Sector: "energy"})
	caseMust(w.t, err)
	return c.ID
}

func wantTold(t *testing.T, what string, got []string, want ...string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s: reminded %q, want %q", what, got, want)
	}
}

// People are reminded at half of the time, in its last quarter, two hours before and when it is over; of long deadlines
// five and two days before and the day after (SERIMA#451, globaleaks#4866). Each once.
func TestReminders(t *testing.T) {
	remindWorld(t, func(t *testing.T, w *caseWorld, r *reminded) {
		id := w.remindCase("Odd log-ins")
		time.Sleep(40 * 24 * time.Hour)
		synctest.Wait()
		wantTold(t, "24 hours", r.of("early-warning"), "half 12h0m0s", "last-quarter 18h0m0s", "before 22h0m0s", "over 24h0m0s")
		wantTold(t, "72 hours", r.of("notification"), "half 36h0m0s", "last-quarter 54h0m0s", "before 70h0m0s", "over 72h0m0s")
		// The estimate: 23 December 23:59:59 in Amsterdam is 33 days, 14 h 59 m 59 s after the begin.
		long := 33*24*time.Hour + 14*time.Hour + 59*time.Minute + 59*time.Second
		say := func(d time.Duration) string { return d.Round(time.Minute).String() }
		wantTold(t, "a month", r.of("final-report"), "before "+say(long-5*24*time.Hour), "before "+say(long-2*24*time.Hour), "after "+say(long+24*time.Hour))
		for key, n := range r.keys {
			if n != 1 {
				t.Errorf("reminder %s was given %d times", key, n)
			}
		}
		if d := w.duty(id, ruleFinal); d.State != DeadlineLate || d.late.IsZero() {
			t.Errorf("over: %+v, want late, and that this was seen", d)
		}
		if !slices.Equal(r.last.People, []polder.PersonID{lead.Person}) || r.last.Level != stix.Amber || r.last.Org != optics || r.last.Case != id {
			t.Errorf("the reminder is for %v about %s at %s", r.last.People, r.last.Case, r.last.Level)
		}
	})
}

// What was sent, excused or closed reminds nobody; opened again it does.
func TestRemindersEnd(t *testing.T) {
	remindWorld(t, func(t *testing.T, w *caseWorld, r *reminded) {
		id := w.remindCase("Odd log-ins")
		time.Sleep(13 * time.Hour)
		synctest.Wait()
		w.sent(id, ruleWarning, time.Time{}, "NC-1")
		_, err := w.ExcuseDeadline(t.Context(), lead, id, ruleNotification, DeadlineMark{Version: 1, Reason: "the authority waived it"})
		caseMust(t, err)
		time.Sleep(48 * time.Hour)
		synctest.Wait()
		wantTold(t, "sent after half the time", r.of("early-warning"), "half 12h0m0s")
		wantTold(t, "excused", r.of("notification"))
		_, err = w.ReopenDeadline(t.Context(), lead, id, ruleNotification, DeadlineMark{Version: w.duty(id, ruleNotification).Version, Reason: "they want it after all"})
		caseMust(t, err)
		time.Sleep(20 * time.Hour)
		synctest.Wait()
		wantTold(t, "opened again after 61 hours", r.of("notification"), "before 70h0m0s", "over 72h0m0s")
	})
}

// A reminder is given in the transaction that ends its job: one that cannot be given is tried again, and is given once.
func TestReminderSurvivesItsFailure(t *testing.T) {
	remindWorld(t, func(t *testing.T, w *caseWorld, r *reminded) {
		r.fail = 3
		w.remindCase("Odd log-ins")
		time.Sleep(17 * time.Hour)
		synctest.Wait()
		got := r.of("early-warning")
		if len(got) != 1 || !strings.HasPrefix(got[0], "half 12h") {
			t.Errorf("after three failures: reminded %q, want once, of half the time", got)
		}
	})
}

// A deadline that moves is reminded of anew, at its new moments.
func TestRemindersFollowAwareness(t *testing.T) {
	remindWorld(t, func(t *testing.T, w *caseWorld, r *reminded) {
		id := w.remindCase("Odd log-ins")
		time.Sleep(13 * time.Hour)
		synctest.Wait()
		_, err := w.SetAware(t.Context(), lead, id, w.duties(lead, id).Case.Version, w.o.Now().Add(-time.Hour), "the log was read wrong")
		caseMust(t, err)
		time.Sleep(24 * time.Hour)
		synctest.Wait()
		wantTold(t, "known 12 hours later", r.of("early-warning"), "half 12h0m0s", "half 24h0m0s", "last-quarter 30h0m0s", "before 34h0m0s", "over 36h0m0s")
	})
}
