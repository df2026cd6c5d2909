package cases

import (
	"cmp"
	"encoding/json"
	"slices"
	"strconv"
	"strings"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/db"
	"github.com/polder-exchange/polder/stix"
)

// By what lists are sorted: a member sees no order that comes of what it does not see. sortMembers keeps both with the
// seat, so that a page reads its own cases and not all that the member was let into.
const (
	caseKeyChanged  = `CASE WHEN ` + caseOpen + ` AND m.part <> 'contact-point' THEN c.changed ELSE 0 END`
	caseKeySeverity = `CASE WHEN ` + caseOpen + ` OR m.part = 'contact-point' THEN c.weight ELSE 0 END`
)

// sortMembers puts the members of a case where lists show them. Call it whenever the case or one of them has changed.
func sortMembers(tx *db.Tx, n int64) error {
	_, err := tx.Exec(`UPDATE cases_member AS m SET by_changed = `+caseKeyChanged+`, by_severity = `+caseKeySeverity+` FROM cases_case c WHERE c.n = m.case_n AND m.case_n = ?`, n)
	return err
}

// caseFilters ask of each field only those who see it. ?3 and ?4 are the seat, ?5 to ?12 and ?16 the filter.
const caseFilters = `m.is_org = ?3 AND m.who = ?4 AND ` + caseSeat + `
	AND (?5 = '' OR instr(c.folded, ?5) > 0 AND ` + caseOpen + ` AND (m.part <> 'contact-point' OR instr(lower(c.title), ?5) > 0))
	AND (?6 = '' OR c.status = ?6) AND (?7 = 0 OR c.status <> 'closed')
	AND (?8 = '' OR c.class = ?8 AND (` + caseOpen + ` OR m.part = 'contact-point'))
	AND (?9 = '' OR c.severity = ?9 AND (` + caseOpen + ` OR m.part = 'contact-point'))
	AND (?10 = '' OR instr(c.roads, ?10) > 0 AND ` + caseOpen + ` AND m.part <> 'contact-point')
	AND (?11 = '' OR c.kind = ?11 AND ` + caseOpen + ` AND m.part <> 'contact-point')
	AND (c.archived > 0) = ?12 AND (?16 = 0 OR m.part = 'lead')`

// A list finds the numbers of its cases first, and then what they hold. ?13 and ?14 are the place where the page begins,
// ?15 is how many are asked for.
const (
	caseListFrom = ` FROM cases_member m CROSS JOIN cases_case c ON c.n = m.case_n WHERE ` + caseFilters
	caseListHead = `SELECT ` + caseColumns + `, p.k, ` + memberColumns + ` FROM (`
	caseListTail = ` LIMIT ?15) p JOIN cases_case c ON c.n = p.n JOIN cases_member m ON m.case_n = c.n AND m.is_org = ?3 AND m.who = ?4`

	casesByOpened   = caseListHead + `SELECT m.case_n AS n, 0 AS k` + caseListFrom + ` AND m.case_n < ?14 AND ?13 >= 0 ORDER BY m.case_n DESC` + caseListTail
	casesByChanged  = caseListHead + `SELECT m.case_n AS n, m.by_changed AS k` + caseListFrom + ` AND (m.by_changed, m.case_n) < (?13, ?14) ORDER BY m.by_changed DESC, m.case_n DESC` + caseListTail
	casesBySeverity = caseListHead + `SELECT m.case_n AS n, m.by_severity AS k` + caseListFrom + ` AND (m.by_severity, m.case_n) < (?13, ?14) ORDER BY m.by_severity DESC, m.case_n DESC` + caseListTail
)

var caseLists = map[CaseSort]string{CasesByOpened: casesByOpened, CasesByChanged: casesByChanged, CasesBySeverity: casesBySeverity}

func caseFilterArgs(v caseViewer, f CaseFilter, isOrg bool) []any {
	who, road := string(v.person), ""
	if isOrg {
		who = string(v.org)
	}
	if f.Road != "" {
		road = "," + string(f.Road) + ","
	}
	return []any{string(v.person), string(v.org), isOrg, who, strings.ToLower(strings.TrimSpace(f.Text)), string(f.Status), f.Open, f.Class, string(f.Severity), road, string(f.Kind), f.Archived}
}

// casePlace is where a page begins: behind the case of that number with that key.
type casePlace struct{ key, n int64 }

// listCases is a page of the cases that the viewer was let into, each with its key.
func listCases(a db.Querier, v caseViewer, f CaseFilter) (out []caseHeld, keys []int64, err error) {
	after, err := caseAfter(a, v, f.Next)
	if err != nil {
		return nil, nil, err
	}
	type line struct {
		caseHeld
		key int64
	}
	var all []line
	for _, isOrg := range []bool{false, true} {
		args := append(caseFilterArgs(v, f, isOrg), after.key, after.n, f.Limit+1, f.Leads)
		rows, err := a.Query(caseLists[f.Sort], args...)
		part, err := db.All(func(r db.Row) (l line, err error) {
			into, done := memberScan()
			l.caseHeld, err = scanCase(r, append([]any{&l.key}, into...)...)
			l.member = done()
			return l, err
		}, rows, err)
		if err != nil {
			return nil, nil, err
		}
		all = append(all, part...)
	}
	slices.SortFunc(all, func(x, y line) int { return cmp.Or(cmp.Compare(y.key, x.key), cmp.Compare(y.n, x.n)) })
	for _, l := range all[:min(len(all), f.Limit+1)] {
		out, keys = append(out, l.caseHeld), append(keys, l.key)
	}
	return out, keys, nil
}

// caseNext is where the page after a case begins, in a form that tells nothing but what the page told.
func caseNext(key int64, id CaseID) string { return strconv.FormatInt(key, 36) + "." + string(id) }

var errCasePlace = polder.Errorf(polder.Invalid, "next: is no place in this list; take it from the page before, or leave it out to begin at the top")

// caseAfter reads what caseNext wrote.
func caseAfter(a db.Querier, v caseViewer, next string) (casePlace, error) {
	if next == "" {
		return casePlace{1<<62 - 1, 1<<62 - 1}, nil
	}
	text, id, ok := strings.Cut(next, ".")
	key, err := strconv.ParseInt(text, 36, 64)
	if !ok || err != nil || key < 0 {
		return casePlace{}, errCasePlace
	}
	at, err := readSeat(a, v, CaseID(id))
	if polder.KindOf(err) == polder.NotFound {
		return casePlace{}, errCasePlace
	}
	return casePlace{key, at.n}, err
}

// countCases counts what the viewer sees, by status.
func countCases(a db.Querier, v caseViewer) (t CaseTotals, err error) {
	for _, isOrg := range []bool{false, true} {
		who := string(v.person)
		if isOrg {
			who = string(v.org)
		}
		var open, contained, closed, critical int
		err := a.QueryRow(`SELECT coalesce(sum(c.status = 'open'), 0), coalesce(sum(c.status = 'contained'), 0), coalesce(sum(c.status = 'closed'), 0), coalesce(sum(c.status <> 'closed' AND c.severity = 'critical' AND (`+caseOpen+` OR m.part = 'contact-point')), 0)
			FROM cases_member m CROSS JOIN cases_case c ON c.n = m.case_n WHERE m.is_org = ?3 AND m.who = ?4 AND c.archived = 0 AND `+caseSeat, string(v.person), string(v.org), isOrg, who).Scan(&open, &contained, &closed, &critical)
		if err != nil {
			return t, err
		}
		t.Open, t.Contained, t.Closed, t.Critical = t.Open+open, t.Contained+contained, t.Closed+closed, t.Critical+critical
	}
	return t, nil
}

// stewardCases are an organisation's cases up to a level, the latest first, below a number.
func stewardCases(a db.Querier, org polder.OrgID, upTo stix.Marking, below int64, limit int) ([]caseHeld, error) {
	rows, err := a.Query(`SELECT `+caseColumns+` FROM cases_case c WHERE c.org = ? AND c.n < ? AND c.level <= ? ORDER BY c.n DESC LIMIT ?`, string(org), below, int(upTo), limit)
	return db.All(func(r db.Row) (caseHeld, error) { return scanCase(r) }, rows, err)
}

// caseLeads are the people who lead a case of an organisation and see all of it, whether or not they may work.
func caseLeads(a db.Querier, org polder.OrgID) ([]polder.PersonID, error) {
	rows, err := a.Query(`SELECT DISTINCT m.who FROM cases_case c JOIN cases_member m ON m.case_n = c.n WHERE c.org = ? AND m.is_org = 0 AND m.part = 'lead' AND m.ceiling = ?`, string(org), int(stix.Red))
	return db.All(func(r db.Row) (p polder.PersonID, err error) {
		err = r.Scan(&p)
		return p, err
	}, rows, err)
}

// casesNotLedBy are the cases of an organisation that none of some people leads who sees all of it, the oldest first;
// people is a list in JSON.
func casesNotLedBy(a db.Querier, org polder.OrgID, people string) ([]caseHeld, error) {
	rows, err := a.Query(`SELECT `+caseColumns+` FROM cases_case c WHERE c.org = ? AND NOT EXISTS (SELECT 1 FROM cases_member m WHERE m.case_n = c.n AND m.is_org = 0 AND m.part = 'lead' AND m.ceiling = ?
		AND m.who IN (SELECT value FROM json_each(?))) ORDER BY c.n`, string(org), int(stix.Red), people)
	return db.All(func(r db.Row) (caseHeld, error) { return scanCase(r) }, rows, err)
}

// casesWith are the cases in which the viewer sees an item of one of the values, but those of one case, the latest first.
func casesWith(a db.Querier, v caseViewer, values []string, not CaseID, openOnly bool, limit int) ([]CaseRef, error) {
	list, err := json.Marshal(values)
	if err != nil {
		return nil, err
	}
	rows, err := a.Query(`SELECT `+caseColumns+`, i.value, i.id, `+memberColumns+` FROM json_each(?6) l CROSS JOIN cases_item i ON i.value = l.value JOIN cases_case c ON c.n = i.case_n JOIN cases_member m ON m.case_n = c.n
		WHERE i.value <> '' AND i.struck = 0 AND c.id <> ?3 AND (?4 = 0 OR c.status <> 'closed') AND `+itemSight+` ORDER BY c.n DESC, i.n LIMIT ?5`, string(v.person), string(v.org), string(not), openOnly, limit, string(list))
	return db.All(func(r db.Row) (CaseRef, error) {
		var value, item string
		into, done := memberScan()
		row, err := scanCase(r, append([]any{&value, &item}, into...)...)
		if err != nil {
			return CaseRef{}, err
		}
		row.member = done()
		ref := row.ref(v)
		ref.Why, ref.Item = value, item
		return ref, nil
	}, rows, err)
}

// ref names a case to the viewer whose seat the row holds.
func (r caseHeld) ref(v caseViewer) CaseRef {
	seen, _ := r.seenWith(v.access(r.Case, r.member))
	return CaseRef{ID: seen.ID, Title: seen.Title, Status: seen.Status, Level: seen.Level, Opened: seen.Opened, Changed: seen.Changed}
}
