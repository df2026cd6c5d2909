package cases

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/db"
	"github.com/polder-exchange/polder/internal/jobs"
)

// deadlineJob is the kind of the jobs that remind of deadlines and see that they are over. There is one job for each open
// deadline, at the next moment.
const deadlineJob = "cases.reminder"

// deadlineTask is what a job holds.
type deadlineTask struct {
	Case CaseID `json:"case"`
	Rule string `json:"rule"`
	At   int64  `json:"at"` // the moment it is for, in microseconds: a job that is tried again has a later time of its own
}

func deadlineKey(id CaseID, rule string) string { return deadlineJob + "/" + string(id) + "/" + rule }

// deadlineMoments are when people are reminded.
func (s *Service) deadlineMoments() []DeadlineMoment {
	if s.o.Moments == nil {
		return DeadlineMoments()
	}
	return s.o.Moments
}

// scheduleDeadlineTx puts the next moment of a deadline among the jobs, in the transaction that changes the deadline. What
// passed before it was counted is not made up for, except that it is over.
func (s *Service) scheduleDeadlineTx(tx *db.Tx, c Case, r deadlineRow) error {
	if s.o.Jobs == nil {
		return nil
	}
	now := s.o.Now()
	after := r.fired
	if now.After(after) {
		after = now
	}
	at, _, ok := nextMoment(s.deadlineMoments(), r.CaseDeadline, after)
	if !r.Due.IsZero() && r.late.IsZero() && !r.Due.After(now) { // over, and not seen yet
		at, ok = now, r.Waits == ""
	}
	if !ok || r.mark != "" || r.Gone || c.Status == StatusClosed {
		return s.o.Jobs.Cancel(tx, deadlineKey(c.ID, r.Rule))
	}
	payload, err := json.Marshal(deadlineTask{c.ID, r.Rule, caseStamp(at)})
	if err != nil {
		return err
	}
	return s.o.Jobs.Schedule(tx, jobs.Job{Key: deadlineKey(c.ID, r.Rule), Kind: deadlineJob, At: at, Payload: payload})
}

// remindJob gives the reminder of a moment, notes that a deadline is over, and sees to the next moment, all in one
// transaction with the end of the job: a reminder is given once, whatever happens to the process.
func (s *Service) remindJob(ctx context.Context, j jobs.Job) error {
	var task deadlineTask
	if err := json.Unmarshal(j.Payload, &task); err != nil {
		return fmt.Errorf("reminder of a deadline: %w", err)
	}
	return s.o.DB.Write(ctx, func(tx *db.Tx) error {
		if err := s.o.Jobs.Done(tx, j); err != nil {
			return err
		}
		c, err := readCase(tx, task.Case)
		if errors.Is(err, polder.ErrNotFound) {
			return nil
		}
		if err != nil {
			return err
		}
		r, err := readDeadline(tx, task.Case, task.Rule)
		if errors.Is(err, polder.ErrNotFound) {
			return nil
		}
		if err != nil {
			return err
		}
		if r.mark != "" || r.Gone || c.Status == StatusClosed {
			return nil
		}
		return s.remindTx(tx, c.Case, r, caseTime(task.At))
	})
}

// remindTx does what belongs to the moment for which a job was scheduled.
func (s *Service) remindTx(tx *db.Tx, c Case, r deadlineRow, at time.Time) error {
	now := s.o.Now()
	if !r.Due.IsZero() && !now.Before(r.Due) && r.late.IsZero() {
		r.late = now.UTC().Truncate(time.Microsecond)
		tx.OnCommit(s.tell)
	}
	if when, m, ok := nextMoment(s.deadlineMoments(), r.CaseDeadline, at.Add(-time.Microsecond)); ok && when.Equal(at) && m.Name != "" && s.o.Reminder != nil {
		people, err := caseWorkers(tx, c.ID)
		if err != nil {
			return err
		}
		told := DeadlineReminder{Key: fmt.Sprintf("%s/%d", deadlineKey(c.ID, r.Rule), at.UnixMicro()), Org: c.Org, Case: c.ID, Level: c.Level, People: people, Deadline: r.shown(now, c.Title), Moment: m.Name}
		if err := s.o.Reminder.Remind(tx, told); err != nil {
			return err
		}
	}
	if at.After(r.fired) {
		r.fired = at
	}
	return s.storeDeadlineTx(tx, c, r)
}

// deadlineStatusTx sees to the reminders of a case that was closed, or opened again.
func (s *Service) deadlineStatusTx(tx *db.Tx, c Case) error {
	rows, err := listDeadlines(tx, c.ID)
	if err != nil {
		return err
	}
	for _, r := range rows {
		if err := s.scheduleDeadlineTx(tx, c, r); err != nil {
			return err
		}
	}
	return nil
}
