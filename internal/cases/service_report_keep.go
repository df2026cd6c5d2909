package cases

import (
	"context"
	"time"

	"github.com/polder-exchange/polder/internal/audit"
	"github.com/polder-exchange/polder/internal/db"
	"github.com/polder-exchange/polder/internal/jobs"
	"github.com/polder-exchange/polder/internal/seal"
)

const (
	reportKeepJob = "cases.reports"
	onceKept      = 24 * time.Hour
	// fadingWait is how long a report must have been due before it goes: a clock that is set wrong for less than a day
	// takes nothing away.
	fadingWait = 24 * time.Hour
	keepAtOnce = 200
)

// keepReports is the daily work: what has come to its end goes, and what a crash left undone is done. What a reporter or
// reader has just added keeps a report, whatever its age.
func (s *Service) keepReports(ctx context.Context, _ jobs.Job) error {
	steps := []func() error{
		func() error { return s.endReports(ctx) },
		func() error { return s.dropLeftWraps(ctx) },
		func() error {
			return s.o.DB.Write(ctx, func(tx *db.Tx) error {
				now := s.o.Now()
				if _, err := tx.Exec(`DELETE FROM cases_once WHERE at < ? OR at > ?`, now.Add(-onceKept-time.Hour).UnixMicro(), now.Add(onceKept).UnixMicro()); err != nil {
					return err
				}
				var held bool
				if err := tx.QueryRow(`SELECT EXISTS (SELECT 1 FROM cases_report) OR EXISTS (SELECT 1 FROM cases_once)`).Scan(&held); err != nil || !held {
					return err
				}
				return s.scheduleKeep(tx)
			})
		},
	}
	return reportSteps(steps...)
}

// endReports ends the threads of open reports and takes closed reports away, when their time has come for a day.
func (s *Service) endReports(ctx context.Context) error {
	after := ""
	for {
		var last string
		var n int
		err := s.o.DB.Write(ctx, func(tx *db.Tx) (err error) {
			n, last, err = s.endSome(tx, after)
			return err
		})
		if err != nil || n < keepAtOnce {
			return err
		}
		after = last
	}
}

// endSome looks at reports after one, in the order of ids.
func (s *Service) endSome(tx *db.Tx, after string) (n int, last string, err error) {
	rows, err := tx.Query(`SELECT `+reportColumns+` FROM cases_report WHERE id > ? AND (lookup IS NOT NULL OR state = 'closed' OR fading <> 0) ORDER BY id LIMIT ?`, after, keepAtOnce)
	all, err := db.All(scanReportRow, rows, err)
	if err != nil {
		return 0, "", err
	}
	for _, row := range all {
		last = row.id
		if err := s.endOne(tx, row); err != nil {
			return 0, "", err
		}
	}
	return len(all), last, nil
}

func (s *Service) endOne(tx *db.Tx, row reportRow) error {
	now := s.o.Now()
	switch due := !s.ends(row).After(now); {
	case !due && row.fading.IsZero():
		return nil
	case !due:
		row.fading = time.Time{}
		return updateReport(tx, row)
	case row.fading.IsZero() || row.fading.After(now):
		row.fading = now
		return updateReport(tx, row)
	case now.Sub(row.fading) < fadingWait:
		return nil
	case row.state != ReportClosed: // the receipt ends; its readers keep the report until they close it
		row.lookup, row.reporter, row.fading = nil, nil, time.Time{}
		return updateReport(tx, row)
	}
	desk, err := anyDesk(tx, row.desk)
	if err != nil {
		return err
	}
	if err := deleteReport(tx, s.o.Blobs, row.id); err != nil {
		return err
	}
	tx.OnCommit(s.tell)
	e := audit.Entry{Action: "report.expire", Object: row.id, Detail: map[string]string{"desk": row.desk}, Narrow: true}
	if desk != nil {
		e.Org = desk.Org
	}
	return s.o.Audit.Append(tx, e)
}

// dropLeftWraps takes away what is still wrapped for who no longer reads: a crash may have come between.
func (s *Service) dropLeftWraps(ctx context.Context) error {
	rows, err := s.committed(ctx).Query(`SELECT ` + deskReaderColumns + ` FROM cases_reader g WHERE state = 'gone'
		AND NOT EXISTS (SELECT 1 FROM cases_reader r WHERE r.desk = g.desk AND r.person = g.person AND r.state = 'reading')
		AND EXISTS (SELECT 1 FROM cases_wrap w WHERE w.key = g.key) LIMIT 1000`)
	all, err := db.All(scanDeskReader, rows, err)
	if err != nil {
		return err
	}
	for _, r := range all {
		if err := s.dropWraps(ctx, r.desk, []seal.KeyID{r.key()}); err != nil {
			return err
		}
	}
	return nil
}
