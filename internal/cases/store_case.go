package cases

import (
	"database/sql"
	"encoding/json"
	"errors"
	"strings"
	"time"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/db"
	"github.com/polder-exchange/polder/stix"
)

// The rule of sight in SQL, as [caseViewer.access], [Access.sees] and [Access.seesItem] say it in Go; a property test holds
// the two equal. m is a row of cases_member, c its case, i an item of that; ?1 is the viewer's person, ?2 its organisation.
const (
	caseSeat  = `((m.is_org = 0 AND m.who = ?1 AND c.org = ?2) OR (m.is_org = 1 AND m.who = ?2 AND c.org <> ?2)) AND (m.part <> 'contact-point' OR c.announced > 0)`
	caseOpen  = `c.level <= m.ceiling` // its own fields are seen
	itemSight = caseSeat + ` AND m.part <> 'contact-point' AND i.level <= m.ceiling AND (i.kind <> 'link' OR i.target IN (SELECT c.id FROM cases_member m JOIN cases_case c ON c.n = m.case_n WHERE c.id = i.target AND ` + caseSeat + `))`
)

const caseColumns = `c.n, c.id, c.org, c.level, c.title, c.summary, c.kind, c.roads, c.class, c.severity, c.status, c.aware, c.noticed, c.occurred, c.ended, c.sector, c.countries, c.crosses, c.report, c.victim, c.opened, c.opened_by, c.closed, c.changed, c.version, c.archived, c.announced`

// caseHeld is a case as it is kept, with the row of who asks.
type caseHeld struct {
	Case
	n      int64
	member Member
}

func scanCase(row db.Row, more ...any) (r caseHeld, err error) {
	var roads, countries string
	var aware, occurred, ended, opened, closed, changed, archived, announced int64
	into := []any{&r.n, &r.ID, &r.Org, &r.Level, &r.Title, &r.Summary, &r.Kind, &roads, &r.Class, &r.Severity, &r.Status, &aware, &r.Noticed, &occurred, &ended, &r.Sector, &countries, &r.Crosses,
		&r.Report, &r.Victim, &opened, &r.OpenedBy, &closed, &changed, &r.Version, &archived, &announced}
	if err = row.Scan(append(into, more...)...); err != nil {
		return r, err
	}
	r.Aware, r.Occurred, r.Ended, r.Opened = caseTime(aware), caseTime(occurred), caseTime(ended), caseTime(opened)
	r.Closed, r.Changed, r.Archived, r.Announced = caseTime(closed), caseTime(changed), caseTime(archived), caseTime(announced)
	r.Roads, r.Countries = []Road{}, []string{}
	for road := range strings.SplitSeq(strings.Trim(roads, ","), ",") {
		r.Roads = append(r.Roads, Road(road))
	}
	if countries != "" {
		r.Countries = strings.Split(countries, ",")
	}
	return r, nil
}

const memberColumns = `m.is_org, m.who, m.part, m.ceiling, m.since, m.actor`

// memberScan reads the columns of a member; call done after the scan.
func memberScan() (into []any, done func() Member) {
	var isOrg bool
	var who string
	var since int64
	m := new(Member)
	return []any{&isOrg, &who, &m.Part, &m.Ceiling, &since, &m.By}, func() Member {
		m.Since = caseTime(since)
		if isOrg {
			m.Org = polder.OrgID(who)
		} else {
			m.Person = polder.PersonID(who)
		}
		return *m
	}
}

// scanSeat reads a case with the row of who asks.
func scanSeat(row db.Row) (caseHeld, error) {
	into, done := memberScan()
	r, err := scanCase(row, into...)
	r.member = done()
	return r, err
}

var errNoCase = polder.Errorf(polder.NotFound, "no such case, or none that you were let into")

// readSeat is a case that the viewer was let into.
func readSeat(a db.Querier, v caseViewer, id CaseID) (caseHeld, error) {
	r, err := scanSeat(a.QueryRow(`SELECT `+caseColumns+`, `+memberColumns+` FROM cases_case c JOIN cases_member m ON m.case_n = c.n WHERE c.id = ?3 AND `+caseSeat, string(v.person), string(v.org), string(id)))
	if errors.Is(err, sql.ErrNoRows) {
		return r, errNoCase
	}
	return r, err
}

// readCase is a case, whoever asks.
func readCase(a db.Querier, id CaseID) (caseHeld, error) {
	r, err := scanCase(a.QueryRow(`SELECT `+caseColumns+` FROM cases_case c WHERE c.id = ?`, string(id)))
	if errors.Is(err, sql.ErrNoRows) {
		return r, errNoCase
	}
	return r, err
}

// caseFields are the columns that a change writes, in the order of their names in the statements.
func caseFields(c Case) []any {
	roads := make([]string, len(c.Roads))
	for i, r := range c.Roads {
		roads[i] = string(r)
	}
	return []any{int(c.Level), c.Title, c.Summary, strings.ToLower(c.Title + "\n" + c.Summary), string(c.Kind), "," + strings.Join(roads, ",") + ",", c.Class, string(c.Severity), c.Severity.weight(), string(c.Status),
		caseStamp(c.Aware), c.Noticed, caseStamp(c.Occurred), caseStamp(c.Ended), c.Sector, strings.Join(c.Countries, ","), c.Crosses, c.Report, c.Victim, caseStamp(c.Closed), caseStamp(c.Changed), c.Version, caseStamp(c.Archived), caseStamp(c.Announced)}
}

// weight orders severities.
func (s Severity) weight() int {
	for i, have := range caseSeverities {
		if s == have {
			return i + 1
		}
	}
	return 0
}

func insertCase(tx *db.Tx, c Case) (n int64, err error) {
	res, err := tx.Exec(`INSERT INTO cases_case (level, title, summary, folded, kind, roads, class, severity, weight, status, aware, noticed, occurred, ended, sector, countries, crosses, report, victim, closed, changed, version, archived, announced, id, org, opened, opened_by)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`, append(caseFields(c), string(c.ID), string(c.Org), caseStamp(c.Opened), string(c.OpenedBy))...)
	if err != nil {
		return 0, err
	}
	return res.LastInsertId()
}

func updateCase(tx *db.Tx, n int64, c Case) error {
	_, err := tx.Exec(`UPDATE cases_case SET level = ?, title = ?, summary = ?, folded = ?, kind = ?, roads = ?, class = ?, severity = ?, weight = ?, status = ?, aware = ?, noticed = ?, occurred = ?, ended = ?, sector = ?, countries = ?, crosses = ?, report = ?, victim = ?,
		closed = ?, changed = ?, version = ?, archived = ?, announced = ? WHERE n = ?`, append(caseFields(c), n)...)
	if err != nil {
		return err
	}
	return sortMembers(tx, n)
}

func setMember(tx *db.Tx, n int64, m Member) error {
	who, isOrg := string(m.Person), false
	if m.Person == "" {
		who, isOrg = string(m.Org), true
	}
	_, err := tx.Exec(`INSERT INTO cases_member (is_org, who, case_n, part, ceiling, since, actor) VALUES (?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (is_org, who, case_n) DO UPDATE SET part = excluded.part, ceiling = excluded.ceiling`, isOrg, who, n, string(m.Part), int(m.Ceiling), caseStamp(m.Since), string(m.By))
	if err != nil {
		return err
	}
	return sortMembers(tx, n)
}

func deleteMember(tx *db.Tx, n int64, m Member) error {
	_, err := tx.Exec(`DELETE FROM cases_member WHERE case_n = ? AND who = ? AND is_org = ?`, n, string(m.Person)+string(m.Org), m.Person == "")
	return err
}

func listMembers(a db.Querier, n int64) ([]Member, error) {
	rows, err := a.Query(`SELECT `+memberColumns+` FROM cases_member m WHERE m.case_n = ? ORDER BY m.is_org, m.since, m.who`, n)
	return db.All(func(r db.Row) (Member, error) {
		into, done := memberScan()
		err := r.Scan(into...)
		return done(), err
	}, rows, err)
}

// caseStamp is a time as it is kept.
func caseStamp(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMicro()
}

// caseTime is a time that was kept.
func caseTime(n int64) time.Time {
	if n == 0 {
		return time.Time{}
	}
	return time.UnixMicro(n).UTC()
}

const insertRevisionText = `INSERT INTO cases_revision (case_n, what, item, version, at, person, org, did, reason, level, body) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`

// insertRevision keeps what something is from now on, and who made it so.
func insertRevision(tx *db.Tx, n int64, v caseViewer, r CaseRevision) error {
	body, err := json.Marshal(revisionBody{r.Case, r.Of, r.Member, r.Damage})
	if err != nil {
		return err
	}
	_, err = tx.Exec(insertRevisionText, n, r.What, r.Item, r.Version, caseStamp(r.At), string(v.person), string(v.org), r.Did, r.Reason, int(r.Level), string(body))
	return err
}

// revisionBody is what a revision holds, as JSON.
type revisionBody struct {
	Case   *Case   `json:"case,omitempty"`
	Item   *Item   `json:"item,omitempty"`
	Member *Member `json:"member,omitempty"`
	Damage *Damage `json:"damage,omitempty"`
}

// listRevisions are those of a case, or of one of its items, that the viewer may see, the latest first: neither the
// revision nor what it is of may be marked stricter than the ceiling.
func listRevisions(a db.Querier, v caseViewer, id CaseID, item string, limit int) ([]CaseRevision, error) {
	rows, err := a.Query(`SELECT r.what, r.item, r.version, r.at, r.person, r.org, r.did, r.reason, r.level, r.body FROM cases_case c JOIN cases_member m ON m.case_n = c.n JOIN cases_revision r ON r.case_n = c.n LEFT JOIN cases_item i ON i.id = r.item AND r.item <> ''
		WHERE c.id = ?3 AND (?4 = '' OR r.item = ?4) AND `+caseSeat+` AND m.part <> 'contact-point' AND r.level <= m.ceiling
		AND (r.item <> '' OR `+caseOpen+`) AND (r.item = '' OR `+itemSight+`) AND (r.what NOT IN ('member', 'damage', 'jewels') OR c.org = ?2) AND (r.what NOT IN ('sharing', 'release') OR ?2 IN (c.org, r.org)) ORDER BY r.n DESC LIMIT ?5`, string(v.person), string(v.org), string(id), item, limit)
	return db.All(scanRevision, rows, err)
}

func scanRevision(row db.Row) (r CaseRevision, err error) {
	var at int64
	var text string
	if err = row.Scan(&r.What, &r.Item, &r.Version, &at, &r.By, &r.Org, &r.Did, &r.Reason, &r.Level, &text); err != nil {
		return r, err
	}
	r.At = caseTime(at)
	var body revisionBody
	if text != "" {
		err = json.Unmarshal([]byte(text), &body)
	}
	r.Case, r.Of, r.Member, r.Damage = body.Case, body.Item, body.Member, body.Damage
	return r, err
}

// readCaseSettings are an organisation's choices.
func readCaseSettings(a db.Querier, org polder.OrgID) (set CaseSettings, err error) {
	var level int
	err = a.QueryRow(`SELECT stewards_list, readers_jewels, version FROM cases_setting WHERE org = ?`, string(org)).Scan(&level, &set.ReadersJewels, &set.Version)
	if errors.Is(err, sql.ErrNoRows) {
		return CaseSettings{}, nil
	}
	set.StewardsList = stix.Marking(level)
	return set, err
}

func writeCaseSettings(tx *db.Tx, org polder.OrgID, set CaseSettings) error {
	_, err := tx.Exec(`INSERT INTO cases_setting (org, stewards_list, readers_jewels, version) VALUES (?, ?, ?, ?) ON CONFLICT (org) DO UPDATE SET stewards_list = excluded.stewards_list, readers_jewels = excluded.readers_jewels, version = excluded.version`,
		string(org), int(set.StewardsList), set.ReadersJewels, set.Version)
	return err
}
