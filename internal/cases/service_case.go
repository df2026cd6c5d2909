package cases

import (
	"context"
	"slices"
	"strings"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/indicator"
	"github.com/polder-exchange/polder/internal/db"
	"github.com/polder-exchange/polder/stix"
)

// Bounds of lists.
const (
	casePage    = 50
	maxCasePage = 200
	maxHistory  = 1_000 // revisions of an answer
	maxSimilar  = 50
	itemsAtOnce = 50 // that one transaction adds
)

// OpenCase opens a case. Who opens it becomes its lead, with the ceiling TLP:RED; nobody else of the organisation is in
// it, unless named. The moment of awareness is stored first. It asks for a contributor.
func (s *Service) OpenCase(ctx context.Context, by polder.Actor, n CaseNew) (CaseView, error) {
	v, err := s.caseViewer(ctx, by)
	if err != nil {
		return CaseView{}, err
	}
	if v.role < polder.RoleContributor {
		return CaseView{}, polder.Errorf(polder.Forbidden, "your role is %s; opening a case asks for contributor", by.Role)
	}
	home, err := s.o.Accounts.Org(ctx, v.org)
	if err != nil {
		return CaseView{}, err
	}
	c, err := s.newCase(v, home, n)
	if err != nil {
		return CaseView{}, err
	}
	items, err := s.firstItems(c, n)
	if err != nil {
		return CaseView{}, err
	}
	members, err := s.firstMembers(ctx, c, n.Members)
	if err != nil {
		return CaseView{}, err
	}
	first := items[:min(len(items), itemsAtOnce)]
	if n.Report != "" {
		err = s.openFromReport(ctx, by, v, home, c, members, first, n.Jewels)
	} else {
		err = s.caseWrite(ctx, func(tx *db.Tx) error { return s.openCaseTx(tx, by, v, home, c, members, first, n.Jewels) })
	}
	if err != nil {
		return CaseView{}, err
	}
	for some := range slices.Chunk(items[len(first):], itemsAtOnce) {
		if err := s.caseWrite(ctx, func(tx *db.Tx) error { return s.moreItemsTx(tx, v, c.ID, some) }); err != nil {
			return CaseView{}, err
		}
	}
	return s.Case(ctx, by, c.ID)
}

// moreItemsTx adds further items that a case was opened with.
func (s *Service) moreItemsTx(tx *db.Tx, v caseViewer, id CaseID, items []Item) error {
	r, _, err := caseRowAt(tx, v, id, PartLead)
	for i := 0; i < len(items) && err == nil; i++ {
		_, err = s.addItemTx(tx, v, r.n, id, items[i])
	}
	return err
}

// openFromReport stores a new case and, in the same transaction, that it came of a report which by may read.
func (s *Service) openFromReport(ctx context.Context, by polder.Actor, v caseViewer, home polder.Org, c Case, members []Member, items []Item, jewels []string) error {
	_, err := s.onReport(ctx, by, c.Report, "report.case", func(tx *db.Tx, row *reportRow) (map[string]string, error) {
		if row.caseID != "" {
			return nil, polder.Errorf(polder.Conflict, "report: there is a case of this report already")
		}
		row.acknowledge(c.Opened)
		row.caseID = c.ID
		if row.state != ReportClosed {
			row.state = ReportInCase
		}
		return nil, s.openCaseTx(tx, by, v, home, c, members, items, jewels)
	})
	return err
}

// newCase is the case that a person asks for, put right.
func (s *Service) newCase(v caseViewer, home polder.Org, n CaseNew) (Case, error) {
	now := s.caseNow()
	id, err := s.newCaseUUID()
	if err != nil {
		return Case{}, err
	}
	c := Case{ID: CaseID("case--" + id), Org: v.org, Title: n.Title, Summary: n.Summary, Kind: n.Kind, Roads: n.Roads, Class: n.Class, Severity: n.Severity, Status: StatusOpen, Level: n.Level, Aware: n.Aware, Noticed: n.Noticed,
		Occurred: n.Occurred, Ended: n.Ended, Sector: n.Sector, Countries: n.Countries, Report: n.Report, Victim: n.Victim, Opened: now, OpenedBy: v.person, Changed: now, Version: 1}
	if c.Kind == "" {
		c.Kind = KindIncident
	}
	if c.Severity == "" {
		c.Severity = SeverityMedium
	}
	if c.Level == stix.None {
		c.Level = stix.AmberStrict
	}
	if c.Aware.IsZero() {
		c.Aware = now
	}
	if c.Aware.After(now) {
		return c, polder.Errorf(polder.Invalid, "aware: lies in the future; write when your organisation first knew")
	}
	if err := c.check(now); err != nil {
		return c, err
	}
	c.Crosses = c.crosses(home.Country)
	return c, nil
}

// firstItems are the items that a case begins with.
func (s *Service) firstItems(c Case, n CaseNew) (out []Item, err error) {
	if len(n.Observables) > 1_000 {
		return nil, polder.Errorf(polder.TooLarge, "observables: %d at once are too many; open the case with 1,000 and add the others to it", len(n.Observables))
	}
	if n.Source != "" {
		out = append(out, Item{Kind: ItemEntry, Title: n.Source})
	}
	for _, o := range n.Observables {
		out = append(out, Item{Kind: ItemObservable, Observable: &o})
	}
	seen := map[string]bool{}
	kept := out[:0]
	for i, it := range out {
		it.Level = c.Level
		if err := it.check(s.caseNow()); err != nil {
			return nil, polder.Errorf(polder.KindOf(err), "item %d: %w", i+1, err)
		}
		if it.Observable != nil && seen[it.Observable.Value] {
			continue
		}
		if it.Observable != nil {
			seen[it.Observable.Value] = true
		}
		kept = append(kept, it)
	}
	return kept, nil
}

// openCaseTx stores a new case: its moment of awareness before everything else.
func (s *Service) openCaseTx(tx *db.Tx, by polder.Actor, v caseViewer, home polder.Org, c Case, members []Member, items []Item, jewels []string) error {
	var have int
	if err := tx.QueryRow(`SELECT count(*) FROM cases_case WHERE org = ?`, string(v.org)).Scan(&have); err != nil {
		return err
	}
	if have >= maxCasesOrg {
		return polder.Errorf(polder.Conflict, "your organisation has %d cases, as many as a node keeps", have)
	}
	n, err := insertCase(tx, c)
	if err != nil {
		return err
	}
	if err := s.startDeadlinesTx(tx, v, c, home); err != nil {
		return err
	}
	members = append([]Member{{Person: v.person, Part: PartLead, Ceiling: stix.Red}}, members...)
	for _, m := range members {
		m.Since, m.By = c.Opened, v.person
		if err := setMember(tx, n, m); err != nil {
			return err
		}
		if err := insertRevision(tx, n, v, CaseRevision{What: "member", At: c.Opened, Did: "added", Level: stix.Clear, Member: &m}); err != nil {
			return err
		}
	}
	if err := s.touchTx(tx, v, n, jewels); err != nil {
		return err
	}
	for _, it := range items {
		if _, err := s.addItemTx(tx, v, n, c.ID, it); err != nil {
			return err
		}
	}
	return s.caseNoteAt(tx, by, v, n, c.ID, CaseRevision{What: "case", Version: c.Version, At: c.Opened, Did: "opened", Level: c.Level, Case: &c})
}

// caseLimit checks how many lines are asked for.
func caseLimit(limit int) (int, error) {
	if limit < 0 || limit > maxCasePage {
		return 0, polder.Errorf(polder.Invalid, "limit: %d is not a number from 1 to %d", limit, maxCasePage)
	}
	if limit == 0 {
		limit = casePage
	}
	return limit, nil
}

// check puts a filter right, or says what is wrong with it.
func (f *CaseFilter) check() (err error) {
	if f.Limit, err = caseLimit(f.Limit); err != nil {
		return err
	}
	if f.Sort == "" {
		f.Sort = CasesByOpened
	}
	if f.Text, err = caseLine("text", f.Text, maxCaseTitle, false); err != nil {
		return err
	}
	for _, c := range []struct {
		asked bool
		err   error
	}{{f.Status != "", caseOneOf("status", f.Status, caseStatuses)}, {f.Severity != "", caseOneOf("severity", f.Severity, caseSeverities)}, {f.Road != "", caseOneOf("road", f.Road, caseRoads)},
		{f.Kind != "", caseOneOf("kind", f.Kind, caseKinds)}, {true, caseOneOf("sort", f.Sort, []CaseSort{CasesByOpened, CasesByChanged, CasesBySeverity})}, {true, caseClassKnown(f.Class)}} {
		if c.asked && c.err != nil {
			return c.err
		}
	}
	return nil
}

// Cases are the cases that somebody was let into.
func (s *Service) Cases(ctx context.Context, by polder.Actor, f CaseFilter) (CasePage, error) {
	page := CasePage{Cases: []CaseView{}}
	v, err := s.caseViewer(ctx, by)
	if err != nil {
		return page, err
	}
	if err := f.check(); err != nil {
		return page, err
	}
	rows, keys, err := listCases(s.committed(ctx), v, f)
	if err != nil {
		return page, err
	}
	if len(rows) > f.Limit {
		rows = rows[:f.Limit]
		page.Next = caseNext(keys[f.Limit-1], rows[f.Limit-1].ID)
	}
	names := s.orgNames(ctx)
	for _, r := range rows {
		view, err := s.viewOf(r, v.access(r.Case, r.member), v, names)
		if err != nil {
			return page, err
		}
		page.Cases = append(page.Cases, view)
	}
	return page, nil
}

// orgNames remembers the names of organisations for one answer. One that is not there any more has its id for a name.
func (s *Service) orgNames(ctx context.Context) func(polder.OrgID) (string, error) {
	known := map[polder.OrgID]string{}
	return func(id polder.OrgID) (string, error) {
		if name, ok := known[id]; ok {
			return name, nil
		}
		org, err := s.o.Accounts.Org(ctx, id)
		switch {
		case polder.KindOf(err) == polder.NotFound && err != nil:
			org.Name = string(id)
		case err != nil:
			return "", err
		}
		known[id] = org.Name
		return org.Name, nil
	}
}

// viewOf is a case as somebody with x sees it.
func (s *Service) viewOf(r caseHeld, x Access, v caseViewer, names func(polder.OrgID) (string, error)) (view CaseView, err error) {
	view.Access = x
	view.Case, view.Header = r.seenWith(x)
	if !x.Own {
		view.OpenedBy, view.Report = "", ""
	}
	if view.Roads == nil {
		view.Roads = []Road{}
	}
	if view.Countries == nil {
		view.Countries = []string{}
	}
	view.OrgName, err = names(r.Org)
	return view, err
}

// CaseCounts counts the cases that somebody was let into.
func (s *Service) CaseCounts(ctx context.Context, by polder.Actor) (CaseTotals, error) {
	v, err := s.caseViewer(ctx, by)
	if err != nil {
		return CaseTotals{}, err
	}
	return countCases(s.committed(ctx), v)
}

// Case is a case as somebody may see it; [polder.ErrNotFound] for who was not let in.
func (s *Service) Case(ctx context.Context, by polder.Actor, id CaseID) (CaseView, error) {
	v, err := s.caseViewer(ctx, by)
	if err != nil {
		return CaseView{}, err
	}
	return s.caseView(ctx, s.committed(ctx), v, id)
}

func (s *Service) caseView(ctx context.Context, a db.Querier, v caseViewer, id CaseID) (CaseView, error) {
	r, x, err := caseRowAt(a, v, id, PartContact)
	if err != nil {
		return CaseView{}, err
	}
	view, err := s.viewOf(r, x, v, s.orgNames(ctx))
	if err == nil && x.May(PartRead) {
		view.Counts, err = countItems(a, v, id)
	}
	return view, err
}

// caseConflict is the error of a change on an older version, with what the asker sees now.
func (s *Service) caseConflict(ctx context.Context, a db.Querier, v caseViewer, id CaseID) error {
	view, err := s.caseView(ctx, a, v, id)
	if err != nil {
		return err
	}
	return &CaseConflict{Case: &view}
}

// ChangeCase changes the fields of a case. A change made on an older version is a [*CaseConflict]; one whose text
// would hold a value that is marked stricter is a [*CarelessHold] until it is confirmed.
func (s *Service) ChangeCase(ctx context.Context, by polder.Actor, id CaseID, n CaseChange) (CaseView, error) {
	v, err := s.caseViewer(ctx, by)
	if err != nil {
		return CaseView{}, err
	}
	home, err := s.o.Accounts.Org(ctx, by.Org)
	if err != nil {
		return CaseView{}, err
	}
	if err := s.holdCase(ctx, v, id, n); err != nil {
		return CaseView{}, err
	}
	err = s.caseWrite(ctx, func(tx *db.Tx) error {
		r, x, err := caseFieldsAt(tx, v, id, PartWork)
		if err != nil {
			return err
		}
		if !x.Own {
			return polder.Errorf(polder.Forbidden, "a case's own fields are its organisation's to write; add an item of yours")
		}
		if n.Version != r.Version {
			return s.caseConflict(ctx, tx, v, id)
		}
		was, kind, sector := r.Level, r.Kind, r.Sector
		r.apply(n)
		if err := r.check(s.caseNow()); err != nil {
			return err
		}
		if err := mayMark(x, was, r.Level, x.May(PartLead)); err != nil {
			return err
		}
		r.Crosses, r.Changed, r.Version = r.crosses(home.Country), s.caseNow(), r.Version+1
		if err := updateCase(tx, r.n, r.Case); err != nil {
			return err
		}
		if kind != r.Kind || sector != r.Sector {
			if err := s.reproposeTx(tx, r.Case, home); err != nil {
				return err
			}
		}
		return s.caseNoteAt(tx, by, v, r.n, id, CaseRevision{What: "case", Version: r.Version, At: r.Changed, Did: "changed", Level: max(was, r.Level), Case: &r.Case})
	})
	if err != nil {
		return CaseView{}, err
	}
	return s.Case(ctx, by, id)
}

// holdCase is [holdCareless] for the fields of a case as a change would make them.
func (s *Service) holdCase(ctx context.Context, v caseViewer, id CaseID, n CaseChange) error {
	a := s.committed(ctx)
	r, _, err := caseFieldsAt(a, v, id, PartWork)
	if err != nil || n.Confirmed || n.Version != r.Version {
		return err
	}
	r.apply(n)
	return holdCareless(a, v, id, r.Level, "", false, map[string]string{"title": r.Title, "summary": r.Summary, "noticed": r.Noticed, "victim": r.Victim})
}

// reproposeTx counts the deadlines of a case by what it is said to be now, unless a person chose by what they are counted.
func (s *Service) reproposeTx(tx *db.Tx, c Case, home polder.Org) error {
	have, ok, err := readProfile(tx, c.ID)
	if err != nil || !ok || !have.Proposed {
		return err
	}
	p := s.proposeProfile(c, home)
	p.Changed, p.Version = c.Changed, have.Version+1
	if err := writeProfile(tx, c.ID, c.Org, p); err != nil {
		return err
	}
	return s.recountTx(tx, c)
}

// mayMark checks that whoever has x may move a marking; wider says whether making it wider is theirs to do.
func mayMark(x Access, from, to stix.Marking, wider bool) error {
	switch {
	case to > x.Ceiling:
		return polder.Errorf(polder.Forbidden, "tlp: %s is above your ceiling, %s: you could not read it any more", to.Label(), x.Ceiling.Label())
	case to.Wider(from) && !wider:
		return polder.Errorf(polder.Forbidden, "tlp: %s is wider than %s; only a lead of the case makes a marking wider", to.Label(), from.Label())
	}
	return nil
}

// SetCaseStatus moves a case on, closes it or opens it again. Closing asks for a damage assessment, or the statement that
// nothing was touched, and for a reason where a deadline is open and due.
func (s *Service) SetCaseStatus(ctx context.Context, by polder.Actor, id CaseID, n CaseStatusChange) (CaseView, error) {
	v, err := s.caseViewer(ctx, by)
	if err != nil {
		return CaseView{}, err
	}
	if err := caseOneOf("status", n.Status, caseStatuses); err != nil {
		return CaseView{}, err
	}
	err = s.caseWrite(ctx, func(tx *db.Tx) error {
		r, x, err := caseFieldsAt(tx, v, id, PartWork)
		switch {
		case err != nil:
			return err
		case !x.Own:
			return polder.Errorf(polder.Forbidden, "the status of a case is its organisation's to say")
		case n.Version != r.Version:
			return s.caseConflict(ctx, tx, v, id)
		case n.Status == r.Status:
			return polder.Errorf(polder.Conflict, "status: the case is %s already", r.Status)
		}
		if n.Status == StatusClosed || r.Status == StatusClosed {
			if n.Reason, err = caseReason(n.Reason); err != nil {
				return err
			}
		} else if n.Reason, err = caseProse("reason", n.Reason, maxCaseWords); err != nil {
			return err
		}
		if n.Status == StatusClosed {
			if err := s.mayClose(tx, by, v, r, x, n); err != nil {
				return err
			}
		}
		did := map[Status]string{StatusOpen: "reopened", StatusContained: "contained", StatusClosed: "closed"}[n.Status]
		r.Status, r.Changed, r.Version, r.Closed, r.Archived = n.Status, s.caseNow(), r.Version+1, caseTime(0), caseTime(0)
		if n.Status == StatusClosed {
			r.Closed = r.Changed
		}
		if err := updateCase(tx, r.n, r.Case); err != nil {
			return err
		}
		if err := s.deadlineStatusTx(tx, r.Case); err != nil {
			return err
		}
		if err := s.deadlineStatusTx(tx, r.Case); err != nil {
			return err
		}
		return s.caseNoteAt(tx, by, v, r.n, id, CaseRevision{What: "case", Version: r.Version, At: r.Changed, Did: did, Reason: n.Reason, Level: r.Level, Case: &r.Case})
	})
	if err != nil {
		return CaseView{}, err
	}
	return s.Case(ctx, by, id)
}

// ArchiveCase puts a closed case away, or takes it out again. It asks for the lead.
func (s *Service) ArchiveCase(ctx context.Context, by polder.Actor, id CaseID, away bool) (CaseView, error) {
	v, err := s.caseViewer(ctx, by)
	if err != nil {
		return CaseView{}, err
	}
	err = s.caseWrite(ctx, func(tx *db.Tx) error {
		r, _, err := caseFieldsAt(tx, v, id, PartLead)
		switch {
		case err != nil:
			return err
		case r.Status != StatusClosed:
			return polder.Errorf(polder.Conflict, "only a closed case is put away; close it first")
		case away == !r.Archived.IsZero():
			return nil
		}
		did := "taken-out"
		r.Archived = caseTime(0)
		if away {
			did, r.Archived = "archived", s.caseNow()
		}
		if err := updateCase(tx, r.n, r.Case); err != nil {
			return err
		}
		return s.caseNoteAt(tx, by, v, r.n, id, CaseRevision{What: "case", Version: r.Version, Did: did, Level: r.Level, Case: &r.Case})
	})
	if err != nil {
		return CaseView{}, err
	}
	return s.Case(ctx, by, id)
}

// Announce lets the contact points of a case see its header from now on. It asks for the lead; marking an early warning as
// sent does the same.
func (s *Service) Announce(ctx context.Context, by polder.Actor, id CaseID) error {
	v, err := s.caseViewer(ctx, by)
	if err != nil {
		return err
	}
	return s.caseWrite(ctx, func(tx *db.Tx) error {
		r, _, err := caseFieldsAt(tx, v, id, PartLead)
		if err != nil || !r.Announced.IsZero() {
			return err
		}
		if err := s.announceTx(tx, id); err != nil {
			return err
		}
		return s.caseNoteAt(tx, by, v, r.n, id, CaseRevision{What: "case", Version: r.Version, Did: "announced", Level: r.Level})
	})
}

// CaseHistory is what became of a case, its items and its members, the latest first, as far as the asker sees each: at most
// 1,000 steps.
func (s *Service) CaseHistory(ctx context.Context, by polder.Actor, id CaseID) ([]CaseRevision, error) {
	return s.history(ctx, by, id, "")
}

// history is that of a case, or of one of its items.
func (s *Service) history(ctx context.Context, by polder.Actor, id CaseID, item string) ([]CaseRevision, error) {
	v, err := s.caseViewer(ctx, by)
	if err != nil {
		return nil, err
	}
	a := s.committed(ctx)
	r, _, err := caseRowAt(a, v, id, PartRead)
	if err == nil && item != "" {
		_, _, _, err = itemRowAt(a, v, id, item, PartRead)
	}
	if err != nil {
		return nil, err
	}
	out, err := listRevisions(a, v, id, item, maxHistory)
	if err != nil {
		return nil, err
	}
	hide := s.caseHider(ctx, v, r.Org)
	for i := range out {
		if err := hide.revision(&out[i]); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// StewardCases are the titles of the organisation's cases that its settings let a steward list, whether or not the steward
// was let in: nothing but title, status and when it was opened.
func (s *Service) StewardCases(ctx context.Context, by polder.Actor, next string) (CasePage, error) {
	page := CasePage{Cases: []CaseView{}}
	v, err := s.caseViewer(ctx, by)
	if err != nil {
		return page, err
	}
	if v.role < polder.RoleSteward {
		return page, polder.Errorf(polder.Forbidden, "your role is %s; this asks for steward", by.Role)
	}
	a := s.committed(ctx)
	set, err := readCaseSettings(a, v.org)
	if err != nil || set.StewardsList == stix.None {
		return page, err
	}
	below := int64(1<<62 - 1)
	if next != "" {
		at, err := readCase(a, CaseID(next))
		if err != nil || at.Org != v.org || at.Level > set.StewardsList {
			return page, errCasePlace
		}
		below = at.n
	}
	rows, err := stewardCases(a, v.org, set.StewardsList, below, casePage+1)
	if err != nil {
		return page, err
	}
	if len(rows) > casePage {
		rows = rows[:casePage]
		page.Next = string(rows[casePage-1].ID)
	}
	names := s.orgNames(ctx)
	for _, r := range rows {
		name, err := names(r.Org)
		if err != nil {
			return page, err
		}
		page.Cases = append(page.Cases, CaseView{Case: Case{ID: r.ID, Org: r.Org, Title: r.Title, Status: r.Status, Level: r.Level, Opened: r.Opened, Closed: r.Closed, Archived: r.Archived, Roads: []Road{}, Countries: []string{}}, OrgName: name, Header: true})
	}
	return page, nil
}

// SimilarCases are other cases that are not closed, that hold one of the same observables, and that the asker sees.
func (s *Service) SimilarCases(ctx context.Context, by polder.Actor, id CaseID) ([]CaseRef, error) {
	v, err := s.caseViewer(ctx, by)
	if err != nil {
		return nil, err
	}
	a := s.committed(ctx)
	if _, _, err := caseRowAt(a, v, id, PartRead); err != nil {
		return nil, err
	}
	values, err := caseValues(a, v, id)
	if err != nil {
		return nil, err
	}
	return onePerCase(a, v, values, id, true)
}

// onePerCase are the cases that hold one of the values, each once.
func onePerCase(a db.Querier, v caseViewer, values []string, not CaseID, openOnly bool) ([]CaseRef, error) {
	out := []CaseRef{}
	for part := range slices.Chunk(values, 500) {
		found, err := casesWith(a, v, part, not, openOnly, 10*maxSimilar)
		if err != nil {
			return nil, err
		}
		for _, ref := range found {
			if len(out) < maxSimilar && !slices.ContainsFunc(out, func(have CaseRef) bool { return have.ID == ref.ID }) {
				out = append(out, ref)
			}
		}
	}
	return out, nil
}

// CasesNaming are the cases in which the asker sees an observable of that value, however it is written.
func (s *Service) CasesNaming(ctx context.Context, by polder.Actor, value string) ([]CaseRef, error) {
	v, err := s.caseViewer(ctx, by)
	if err != nil {
		return nil, err
	}
	if len(value) > indicator.MaxValue {
		return []CaseRef{}, nil
	}
	value = strings.TrimSpace(indicator.Refang(value))
	values := []string{value}
	for _, k := range indicator.Kinds() {
		if text, err := indicator.Normalise(k, value); err == nil && !slices.Contains(values, text) {
			values = append(values, text)
		}
	}
	return onePerCase(s.committed(ctx), v, values, "", false)
}

// CaseOfReport is the case that was opened from a report, where the asker sees it.
func (s *Service) CaseOfReport(ctx context.Context, by polder.Actor, report string) (CaseRef, bool, error) {
	v, err := s.caseViewer(ctx, by)
	if err != nil || report == "" {
		return CaseRef{}, false, err
	}
	a := s.committed(ctx)
	id, found, err := caseOfReport(a, v, report)
	if err != nil || !found {
		return CaseRef{}, false, err
	}
	r, err := readSeat(a, v, id)
	if err != nil {
		return CaseRef{}, false, err
	}
	return r.ref(v), true, nil
}

// CaseSettings are the choices of the actor's organisation.
func (s *Service) CaseSettings(ctx context.Context, by polder.Actor) (CaseSettings, error) {
	v, err := s.caseViewer(ctx, by)
	if err != nil {
		return CaseSettings{}, err
	}
	return readCaseSettings(s.committed(ctx), v.org)
}

// SetCaseSettings changes them. It asks for a steward.
func (s *Service) SetCaseSettings(ctx context.Context, by polder.Actor, set CaseSettings) (CaseSettings, error) {
	v, err := s.caseViewer(ctx, by)
	if err != nil {
		return set, err
	}
	if v.role < polder.RoleSteward {
		return set, polder.Errorf(polder.Forbidden, "your role is %s; this asks for steward", by.Role)
	}
	if set.StewardsList != stix.None {
		if err := caseLevel("stewards_list", set.StewardsList); err != nil {
			return set, err
		}
	}
	err = s.caseWrite(ctx, func(tx *db.Tx) error {
		have, err := readCaseSettings(tx, v.org)
		if err != nil {
			return err
		}
		if have.Version != set.Version {
			return polder.Errorf(polder.Conflict, "the settings have changed since you read them: you saw version %d, they are at %d; read them again", set.Version, have.Version)
		}
		set.Version++
		if err := writeCaseSettings(tx, v.org, set); err != nil {
			return err
		}
		return s.caseAudit(tx, by, "case.settings", string(v.org))
	})
	return set, err
}
