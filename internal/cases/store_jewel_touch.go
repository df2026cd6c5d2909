package cases

import "github.com/polder-exchange/polder/internal/db"

// casesTouching are the cases of the viewer's organisation that touch a jewel and whose own fields the viewer sees, the
// latest first.
func casesTouching(a db.Querier, v caseViewer, jewel string, limit int) ([]CaseRef, error) {
	rows, err := a.Query(`SELECT `+caseColumns+`, `+memberColumns+` FROM cases_touch t JOIN cases_case c ON c.n = t.case_n JOIN cases_member m ON m.case_n = c.n
		WHERE t.jewel = ?3 AND c.org = ?2 AND m.part <> 'contact-point' AND `+caseOpen+` AND `+caseSeat+` ORDER BY c.n DESC LIMIT ?4`, string(v.person), string(v.org), jewel, limit)
	return db.All(func(r db.Row) (CaseRef, error) {
		into, done := memberScan()
		row, err := scanCase(r, into...)
		if err != nil {
			return CaseRef{}, err
		}
		row.member = done()
		return row.ref(v), nil
	}, rows, err)
}
