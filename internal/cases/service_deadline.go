package cases

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/deadline"
	"github.com/polder-exchange/polder/internal/db"
	"github.com/polder-exchange/polder/internal/fail"
)

// proposeProfile is what a new case is counted by until a person chooses: the organisation's country and sector, and what
// the case is said to be. An approach or a suspicion asks nothing of the law.
func (s *Service) proposeProfile(c Case, org polder.Org) DeadlineProfile {
	p := DeadlineProfile{Jurisdictions: []string{"EU"}, Sectors: []string{}, Kinds: []string{}, Serious: "unknown", Proposed: true, Version: 1}
	if t, err := s.o.Packs.Jurisdiction(org.Country); err == nil {
		p.Jurisdictions = []string{t.ID}
	}
	for _, word := range []string{c.Sector, org.Sector} {
		if t, err := s.o.Packs.Sector(word); err == nil && len(p.Sectors) == 0 {
			p.Sectors = []string{t.ID}
		}
	}
	if len(p.Sectors) == 0 {
		p.Sectors = []string{"any"}
	}
	if c.Kind == KindIncident || c.Kind == KindNearMiss {
		p.Kinds = []string{string(c.Kind)}
	}
	return p
}

// startDeadlinesTx stores, for a case that is being opened, when the organisation first knew, and what that asks of it.
func (s *Service) startDeadlinesTx(tx *db.Tx, v caseViewer, c Case, org polder.Org) error {
	if err := addAware(tx, c.ID, AwareChange{At: c.Aware, Made: c.Opened, By: v.person}); err != nil {
		return err
	}
	p := s.proposeProfile(c, org)
	p.Changed = c.Opened
	if err := writeProfile(tx, c.ID, c.Org, p); err != nil {
		return err
	}
	return s.recountTx(tx, c)
}

// Deadlines is what the law asks in a case, for whoever sees the case's own fields.
func (s *Service) Deadlines(ctx context.Context, by polder.Actor, id CaseID) (CaseDuties, error) {
	v, err := s.caseViewer(ctx, by)
	if err != nil {
		return CaseDuties{}, err
	}
	return s.dutiesAt(s.committed(ctx), v, id)
}

func (s *Service) dutiesAt(a db.Querier, v caseViewer, id CaseID) (out CaseDuties, err error) {
	r, x, err := caseFieldsAt(a, v, id, PartRead)
	if err != nil {
		return out, err
	}
	out = CaseDuties{Case: r.Case, Access: x, Deadlines: []CaseDeadline{}, Not: []deadline.NoDuty{}}
	if out.Profile, _, err = readProfile(a, id); err != nil {
		return out, err
	}
	if out.Aware, err = listAware(a, id); err != nil {
		return out, err
	}
	if out.Events, err = listCaseEvents(a, id); err != nil {
		return out, err
	}
	rows, err := listDeadlines(a, id)
	if err != nil {
		return out, err
	}
	now := s.o.Now()
	for _, row := range rows {
		out.Deadlines = append(out.Deadlines, row.shown(now, r.Title))
	}
	_, out.Not, err = s.countDuties(r.Case, out.Profile, out.Events, rows)
	if !x.Own { // who of another organisation did something is not said
		for i := range out.Deadlines {
			out.Deadlines[i].By = ""
		}
		for i := range out.Aware {
			out.Aware[i].By = ""
		}
		for i := range out.Events {
			out.Events[i].By = ""
		}
		out.Profile.By = ""
	}
	return out, err
}

// shown is a deadline as it stands at a moment, in the zone of its jurisdiction.
func (r deadlineRow) shown(now time.Time, title string) CaseDeadline {
	d := r.CaseDeadline
	d.State, d.CaseTitle = d.stateAt(now, r.mark), title
	if zone, err := time.LoadLocation(d.Zone); err == nil {
		for _, t := range []*time.Time{&d.Start, &d.Due} {
			if !t.IsZero() {
				*t = t.In(zone)
			}
		}
	}
	return d
}

// countDuties asks the rules about a case as it is said to be.
func (s *Service) countDuties(c Case, p DeadlineProfile, events []CaseEvent, rows []deadlineRow) (due []deadline.Deadline, not []deadline.NoDuty, err error) {
	if len(p.Kinds) == 0 || len(p.Jurisdictions) == 0 {
		return nil, []deadline.NoDuty{}, nil
	}
	serious, err := deadlineTribool(p.Serious)
	if err != nil {
		return nil, nil, err
	}
	happened := s.happened(events, rows)
	asked := map[string]bool{}
	var none []deadline.NoDuty
	for _, where := range p.Jurisdictions {
		advice, err := s.o.Packs.Advise(deadline.Answers{Jurisdiction: where, Sectors: p.Sectors, Kinds: p.Kinds, Serious: serious, Aware: c.Aware, Events: happened})
		if err != nil {
			return nil, nil, err
		}
		for _, d := range advice.Duties {
			pack, _, _ := strings.Cut(d.ID, "/")
			if _, held, ok := s.o.Packs.Rule(d.ID); ok {
				asked[held.Act] = true
			}
			if i := slices.IndexFunc(due, func(o deadline.Deadline) bool { return o.ID == d.ID }); i < 0 {
				due = append(due, d)
			} else if !d.Due.IsZero() && d.Due.Before(due[i].Due) && pack != "" {
				due[i] = d
			}
		}
		none = append(none, advice.Not...)
	}
	not = []deadline.NoDuty{}
	for _, n := range none {
		if !asked[n.Act] {
			asked[n.Act] = true
			not = append(not, n)
		}
	}
	return due, not, nil
}

// happened are the events that rules are counted from: of each the first, unless the rules want the latest; and the
// sending of reports.
func (s *Service) happened(events []CaseEvent, rows []deadlineRow) map[string]time.Time {
	latest := map[string]bool{}
	for _, t := range s.o.Packs.Events() {
		latest[t.ID] = slices.Contains(t.Groups, "latest")
	}
	out := map[string]time.Time{}
	keep := func(name string, at time.Time, last bool) {
		if have, ok := out[name]; !ok || at.Before(have) != last {
			out[name] = at
		}
	}
	for _, e := range events {
		if !e.Struck {
			keep(e.Name, e.At, latest[e.Name])
		}
	}
	for _, r := range rows {
		if rule, pack, ok := s.o.Packs.Rule(r.Rule); ok && r.mark == string(DeadlineSent) {
			keep("sent:"+pack.ID+"/"+rule.Report, r.Sent, false)
		}
	}
	return out
}

// recountTx counts the deadlines of a case again: after it was opened, and whenever something that they hang on changed.
// What people said of a deadline stays.
func (s *Service) recountTx(tx *db.Tx, c Case) error {
	p, ok, err := readProfile(tx, c.ID)
	if err != nil || !ok {
		return err
	}
	events, err := listCaseEvents(tx, c.ID)
	if err != nil {
		return err
	}
	rows, err := listDeadlines(tx, c.ID)
	if err != nil {
		return err
	}
	due, _, err := s.countDuties(c, p, events, rows)
	if err != nil {
		return err
	}
	had := map[string]deadlineRow{}
	for _, r := range rows {
		had[r.Rule] = r
	}
	for _, d := range due {
		r := had[d.ID]
		delete(had, d.ID)
		if err := s.storeDeadlineTx(tx, c, r.counted(c, d, s.caseNow())); err != nil {
			return err
		}
	}
	for _, r := range had {
		if err := s.dropDeadlineTx(tx, c, r); err != nil {
			return err
		}
	}
	tx.OnCommit(s.tell)
	return nil
}

// counted is a deadline with what the rules say of it now. One that moved to a later time is no longer over, and is
// reminded of anew.
func (r deadlineRow) counted(c Case, d deadline.Deadline, now time.Time) deadlineRow {
	old := r.CaseDeadline
	r.org = c.Org
	zone := "UTC"
	if !d.Start.IsZero() {
		zone = d.Start.Location().String()
	}
	r.CaseDeadline = CaseDeadline{Case: c.ID, Rule: d.ID, Regulation: d.Regulation, What: d.Rule.What, WhatNL: d.Rule.WhatNL, Article: d.Rule.Article, Source: d.Rule.Source, Recipient: d.Rule.Recipient, Form: d.Rule.Form,
		Delay: d.Rule.Delay, Status: d.Status, Note: d.Note, Why: d.Why, Zone: zone, Start: d.Start, Due: d.Due.Truncate(time.Microsecond), Estimated: d.Estimated, Hours: d.Hours, Waits: d.Waits,
		Sent: old.Sent, Reference: old.Reference, Reason: old.Reason, By: old.By, Version: max(old.Version, 1), late: old.late, fired: old.fired}
	if !old.Due.Equal(r.Due) {
		r.fired = time.Time{}
		if r.Due.IsZero() || r.Due.After(now) {
			r.late = time.Time{}
		}
	}
	return r
}

// storeDeadlineTx stores a deadline and sees to its next reminder.
func (s *Service) storeDeadlineTx(tx *db.Tx, c Case, r deadlineRow) error {
	if err := writeDeadline(tx, r); err != nil {
		return err
	}
	return s.scheduleDeadlineTx(tx, c, r)
}

// dropDeadlineTx takes away a deadline that the rules no longer ask; one that somebody said something of stays in view.
func (s *Service) dropDeadlineTx(tx *db.Tx, c Case, r deadlineRow) error {
	r.Gone = true
	if r.mark != "" {
		return s.storeDeadlineTx(tx, c, r)
	}
	if err := s.scheduleDeadlineTx(tx, c, r); err != nil {
		return err
	}
	return deleteDeadline(tx, c.ID, r.Rule)
}

// deadlineChange does something with the duties of a case, for a member of its organisation who works on it, and notes it.
func (s *Service) deadlineChange(ctx context.Context, by polder.Actor, id CaseID, did string, change func(tx *db.Tx, v caseViewer, c *Case) (reason string, err error)) (CaseDuties, error) {
	v, err := s.caseViewer(ctx, by)
	if err != nil {
		return CaseDuties{}, err
	}
	err = s.o.DB.Write(ctx, func(tx *db.Tx) error {
		r, x, err := caseFieldsAt(tx, v, id, PartWork)
		if err != nil {
			return err
		}
		if !x.Own {
			return polder.Errorf(polder.Forbidden, "the duties of a case are its own organisation's to say something of")
		}
		was := r.Version
		reason, err := change(tx, v, &r.Case)
		if err != nil {
			return err
		}
		if r.Version != was {
			if err := updateCase(tx, r.n, r.Case); err != nil {
				return err
			}
		}
		if err := s.recountTx(tx, r.Case); err != nil {
			return err
		}
		return s.caseNoteAt(tx, by, v, r.n, id, CaseRevision{What: "deadline", Version: r.Version, Did: did, Reason: reason, Level: r.Level})
	})
	if err != nil {
		return CaseDuties{}, err
	}
	return s.dutiesAt(s.committed(ctx), v, id)
}

// SetAware says when the organisation first knew. The clocks are counted anew; what was said before stays in the history.
func (s *Service) SetAware(ctx context.Context, by polder.Actor, id CaseID, version int, at time.Time, reason string) (CaseDuties, error) {
	reason, err := caseReason(reason)
	if err != nil {
		return CaseDuties{}, err
	}
	now := s.caseNow()
	if err := deadlineTime("aware", at, now); err != nil {
		return CaseDuties{}, err
	}
	return s.deadlineChange(ctx, by, id, "aware", func(tx *db.Tx, v caseViewer, c *Case) (string, error) {
		if version != c.Version {
			return "", polder.Errorf(polder.Conflict, "the case was changed in the meantime; look again, then say when you first knew")
		}
		have, err := listAware(tx, id)
		if err != nil {
			return "", err
		}
		if len(have) >= maxAwareChanges {
			return "", polder.Errorf(polder.Conflict, "this was changed %d times, as often as is kept", len(have))
		}
		c.Aware, c.Changed, c.Version = at.UTC().Truncate(time.Microsecond), now, c.Version+1
		if fail.Bug("awareness-silent") {
			return reason, nil
		}
		return reason, addAware(tx, id, AwareChange{At: c.Aware, Made: now, By: v.person, Reason: reason})
	})
}

// deadlineTime refuses a time that lies in the future or before anybody kept cases.
func deadlineTime(what string, at, now time.Time) error {
	switch {
	case at.IsZero():
		return polder.Errorf(polder.Invalid, "%s: the time is missing", what)
	case at.After(now.Add(time.Minute)):
		return polder.Errorf(polder.Invalid, "%s: lies in the future; write when it was", what)
	case at.Year() < 1990:
		return polder.Errorf(polder.Invalid, "%s: lies before 1990", what)
	}
	return nil
}

// SetDeadlineProfile says by which rules a case is counted.
func (s *Service) SetDeadlineProfile(ctx context.Context, by polder.Actor, id CaseID, p DeadlineProfile) (CaseDuties, error) {
	p, err := p.check(s.o.Packs)
	if err != nil {
		return CaseDuties{}, err
	}
	return s.deadlineChange(ctx, by, id, "profile", func(tx *db.Tx, v caseViewer, c *Case) (string, error) {
		have, _, err := readProfile(tx, id)
		if err != nil {
			return "", err
		}
		if p.Version != have.Version {
			return "", polder.Errorf(polder.Conflict, "somebody chose other rules in the meantime; look again")
		}
		p.Version, p.By, p.Changed = have.Version+1, v.person, s.caseNow()
		return strings.Join(slices.Concat(p.Jurisdictions, p.Sectors, p.Kinds), ", "), writeProfile(tx, id, c.Org, p)
	})
}

// SetCaseEvent says that something happened that rules wait for. The first time counts; to correct it, strike it out first.
func (s *Service) SetCaseEvent(ctx context.Context, by polder.Actor, id CaseID, name string, at time.Time) (CaseDuties, error) {
	name, err := s.o.Packs.Event(name)
	if err != nil || strings.HasPrefix(name, "sent:") {
		return CaseDuties{}, polder.Errorf(polder.Invalid, "event: %w; that a report was sent is said of the report", errOrUnknown(err))
	}
	if err := deadlineTime("event", at, s.caseNow()); err != nil {
		return CaseDuties{}, err
	}
	return s.deadlineChange(ctx, by, id, "event", func(tx *db.Tx, v caseViewer, c *Case) (string, error) {
		have, err := listCaseEvents(tx, id)
		if err != nil {
			return "", err
		}
		if len(have) >= maxCaseEvents {
			return "", polder.Errorf(polder.Conflict, "%d events were noted, as many as are kept", len(have))
		}
		return name, addCaseEvent(tx, id, CaseEvent{Name: name, At: at.UTC().Truncate(time.Microsecond), Made: s.caseNow(), By: v.person})
	})
}

func errOrUnknown(err error) error {
	if err == nil {
		return polder.Errorf(polder.Invalid, "this is a report")
	}
	return err
}

// StrikeCaseEvent has an event count no more. It stays in view.
func (s *Service) StrikeCaseEvent(ctx context.Context, by polder.Actor, id CaseID, n int, reason string) (CaseDuties, error) {
	reason, err := caseReason(reason)
	if err != nil {
		return CaseDuties{}, err
	}
	return s.deadlineChange(ctx, by, id, "event-struck", func(tx *db.Tx, v caseViewer, c *Case) (string, error) {
		ok, err := strikeCaseEvent(tx, id, n, reason)
		if err == nil && !ok {
			err = polder.Errorf(polder.NotFound, "there is no event %d, or it was struck out already", n)
		}
		return reason, err
	})
}

// markDeadline changes what is said of one deadline.
func (s *Service) markDeadline(ctx context.Context, by polder.Actor, id CaseID, rule, did string, version int, change func(tx *db.Tx, r *deadlineRow, c Case) (reason string, err error)) (CaseDuties, error) {
	return s.deadlineChange(ctx, by, id, did, func(tx *db.Tx, v caseViewer, c *Case) (string, error) {
		r, err := readDeadline(tx, id, rule)
		if err != nil {
			return "", err
		}
		if version != r.Version {
			return "", polder.Errorf(polder.Conflict, "somebody said something of this deadline in the meantime; look again")
		}
		reason, err := change(tx, &r, *c)
		if err != nil {
			return "", err
		}
		r.Version, r.By = r.Version+1, v.person
		return strings.TrimSpace(rule + " " + reason), s.storeDeadlineTx(tx, *c, r)
	})
}

// MarkSent says that a report was sent, when, and what the recipient gave back. Polder sends nothing itself. The first
// version counts; [Service.ReopenDeadline] takes it back. The first report under NIS2 lets contact points see the case.
func (s *Service) MarkSent(ctx context.Context, by polder.Actor, id CaseID, rule string, m DeadlineMark) (CaseDuties, error) {
	now := s.caseNow()
	if m.Sent.IsZero() {
		m.Sent = now
	}
	reference, err := caseLine("reference", m.Reference, maxReference, false)
	if err == nil {
		err = deadlineTime("sent", m.Sent, now)
	}
	if err != nil {
		return CaseDuties{}, err
	}
	return s.markDeadline(ctx, by, id, rule, "sent", m.Version, func(tx *db.Tx, r *deadlineRow, c Case) (string, error) {
		switch {
		case r.mark == string(DeadlineSent):
			return "", polder.Errorf(polder.Conflict, "this was sent already; the first version counts. To correct it, open it again first")
		case m.Sent.Before(c.Aware):
			return "", polder.Errorf(polder.Invalid, "sent: lies before you first knew")
		}
		r.mark, r.Sent, r.Reference, r.Reason = string(DeadlineSent), m.Sent.UTC().Truncate(time.Microsecond), reference, ""
		if _, pack, ok := s.o.Packs.Rule(rule); ok && pack.Act == "nis2" {
			return reference, s.announceTx(tx, id)
		}
		return reference, nil
	})
}

// ExcuseDeadline says why a report need not be sent.
func (s *Service) ExcuseDeadline(ctx context.Context, by polder.Actor, id CaseID, rule string, m DeadlineMark) (CaseDuties, error) {
	reason, err := caseReason(m.Reason)
	if err != nil {
		return CaseDuties{}, err
	}
	return s.markDeadline(ctx, by, id, rule, "excused", m.Version, func(tx *db.Tx, r *deadlineRow, c Case) (string, error) {
		if r.mark != "" {
			return "", polder.Errorf(polder.Conflict, "this was sent or excused already; open it again first")
		}
		r.mark, r.Reason = string(DeadlineExcused), reason
		return reason, nil
	})
}

// ReopenDeadline takes back that a report was sent or excused.
func (s *Service) ReopenDeadline(ctx context.Context, by polder.Actor, id CaseID, rule string, m DeadlineMark) (CaseDuties, error) {
	reason, err := caseReason(m.Reason)
	if err != nil {
		return CaseDuties{}, err
	}
	return s.markDeadline(ctx, by, id, rule, "reopened", m.Version, func(tx *db.Tx, r *deadlineRow, c Case) (string, error) {
		if r.mark == "" {
			return "", polder.Errorf(polder.Conflict, "this is open already")
		}
		r.mark, r.Sent, r.Reference, r.Reason = "", time.Time{}, "", ""
		return reason, nil
	})
}

// OpenDeadlines are the open deadlines of all cases of the organisation that by may see, the earliest first.
func (s *Service) OpenDeadlines(ctx context.Context, by polder.Actor, f DeadlineFilter) (DeadlinePage, error) {
	v, err := s.caseViewer(ctx, by)
	if err != nil {
		return DeadlinePage{}, err
	}
	if f.Limit <= 0 {
		f.Limit = 100
	}
	f.Limit = min(f.Limit, 500)
	now, a := s.o.Now(), s.committed(ctx)
	ask := f
	ask.Limit++
	rows, err := openDeadlines(a, v, now, ask)
	if err != nil {
		return DeadlinePage{}, err
	}
	out := DeadlinePage{Deadlines: []CaseDeadline{}, More: len(rows) > f.Limit}
	for _, r := range rows[:min(len(rows), f.Limit)] {
		out.Deadlines = append(out.Deadlines, r.shown(now, r.CaseTitle))
	}
	out.Open, out.Late, err = countOpenDeadlines(a, v, now)
	return out, err
}

// Advise answers the five questions about what must be reported. It keeps nothing.
func (s *Service) Advise(ctx context.Context, by polder.Actor, a deadline.Answers) (deadline.Advice, error) {
	if _, err := s.caseViewer(ctx, by); err != nil {
		return deadline.Advice{}, err
	}
	advice, err := s.o.Packs.Advise(a)
	if err != nil {
		return advice, polder.Errorf(polder.Invalid, "%w", err)
	}
	return advice, nil
}
