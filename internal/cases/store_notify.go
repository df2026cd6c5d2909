package cases

import (
	"time"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/db"
)

// reportWait is a report that nobody has acknowledged, and one of those who read for its desk.
type reportWait struct {
	Report, Desk, Name string
	Person             polder.PersonID
}

// reportsWaiting are the reports of hours that are over, that nobody has acknowledged, with their readers in
// force, at most limit.
func reportsWaiting(q db.Querier, now time.Time, limit int) ([]reportWait, error) {
	rows, err := q.Query(`SELECT r.id, d.alias, d.name, p.person FROM cases_report r JOIN cases_desk d ON d.alias = r.desk JOIN cases_reader p ON p.desk = r.desk AND p.state = 'reading'
		WHERE r.state = 'new' AND r.received <= ? ORDER BY r.received DESC, r.id LIMIT ?`, now.Add(-time.Hour).UnixMicro(), limit)
	return db.All(func(row db.Row) (w reportWait, err error) {
		return w, row.Scan(&w.Report, &w.Desk, &w.Name, &w.Person)
	}, rows, err)
}
