package cases

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/accounts"
	"github.com/polder-exchange/polder/internal/audit"
	"github.com/polder-exchange/polder/internal/db"
	"github.com/polder-exchange/polder/internal/seal"
)

// reportNote writes the audit entry of what somebody of an organisation did. Only the organisation itself reads it.
func (s *Service) reportNote(tx *db.Tx, by polder.Actor, action, object string, detail map[string]string) error {
	e := audit.EntryOf(by)
	e.Action, e.Object, e.Detail, e.Narrow = action, object, detail, true
	return s.o.Audit.Append(tx, e)
}

// errNoDesk is the answer to an alias of nothing, of a desk that was closed, and of another organisation's.
var errNoDesk = polder.Errorf(polder.NotFound, "there is no desk of that name; look at /api/v1/reports/desks")

// mayRead checks that by acts for an organisation with a role that reads.
func mayRead(by polder.Actor) error {
	if by.Org == "" || by.Role.OnObjects() < polder.RoleReader {
		return polder.Errorf(polder.Forbidden, "reports and desks are for people of an organisation, with a role that reads; who manages the node reads none of them")
	}
	return nil
}

// doer is who acts, for what keys and names hang on.
func (s *Service) doer(ctx context.Context, by polder.Actor) (polder.PersonID, error) {
	if err := mayRead(by); err != nil {
		return "", err
	}
	person, err := s.o.Accounts.Doer(ctx, by)
	if err == nil && person == "" {
		err = polder.Errorf(polder.Forbidden, "nobody stands behind this token; use one that a person made")
	}
	return person, err
}

// managed is a desk that by may change.
func (s *Service) managed(ctx context.Context, q db.Querier, by polder.Actor, alias string) (Desk, polder.PersonID, error) {
	person, err := s.doer(ctx, by)
	if err != nil {
		return Desk{}, "", err
	}
	d, err := readDesk(q, alias)
	switch {
	case err != nil:
		return Desk{}, "", err
	case d == nil || d.Org != by.Org:
		return Desk{}, "", errNoDesk
	case by.Role.OnObjects() < polder.RoleSteward:
		return Desk{}, "", polder.Errorf(polder.Forbidden, "a desk is changed by a steward of its organisation; your role is %s", by.Role)
	}
	return *d, person, nil
}

// Desks are those that anybody may know of and that somebody reads for, by name.
func (s *Service) Desks(ctx context.Context) ([]DeskView, error) {
	q := s.committed(ctx)
	all, err := listedDesks(q)
	if err != nil {
		return nil, err
	}
	out := []DeskView{}
	for _, d := range all {
		v, err := s.deskView(ctx, q, d)
		if err != nil {
			return nil, err
		}
		if len(v.Readers) > 0 {
			out = append(out, v)
		}
	}
	return out, nil
}

// DeskNamed is the public view of a desk, listed or not.
func (s *Service) DeskNamed(ctx context.Context, alias string) (DeskView, error) {
	q := s.committed(ctx)
	d, err := readDesk(q, alias)
	if err != nil || d == nil {
		return DeskView{}, firstError(err, errNoDesk)
	}
	return s.deskView(ctx, q, *d)
}

func firstError(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// deskView is what anybody may read of a desk.
func (s *Service) deskView(ctx context.Context, q db.Querier, d Desk) (DeskView, error) {
	org, err := s.o.Accounts.Org(ctx, d.Org)
	if err != nil {
		return DeskView{}, err
	}
	v := DeskView{Alias: d.Alias, Name: d.Name, Organisation: org.Name, Kind: d.Kind, Listed: d.Listed, Promise: d.Promise, Phone: d.Phone,
		Salt: s.reports.salt, Limits: s.reportLimits()}
	if v.Readers, v.Log, err = deskPublic(q, d.Alias); err != nil || d.Team == "" {
		return v, err
	}
	team, err := readDesk(q, d.Team)
	if err != nil || team == nil || team.Kind != DeskTeam {
		return v, err
	}
	if org, err = s.o.Accounts.Org(ctx, team.Org); err != nil {
		return v, err
	}
	t := &DeskTeamView{Alias: team.Alias, Name: team.Name, Organisation: org.Name}
	if t.Readers, t.Log, err = deskPublic(q, team.Alias); err == nil && len(t.Readers) > 0 {
		v.Team = t
	}
	return v, err
}

// deskPublic are the readers in force of a desk and its list of keys.
func deskPublic(q db.Querier, alias string) ([]Reader, []seal.LogEntry, error) {
	rows, err := deskReading(q, alias)
	if err != nil {
		return nil, nil, err
	}
	out := []Reader{}
	for _, r := range rows {
		out = append(out, r.reader())
	}
	log, err := deskLog(q, alias)
	if log == nil {
		log = []seal.LogEntry{}
	}
	return out, log, err
}

func (s *Service) reportLimits() ReportLimits {
	days := func(d time.Duration) int { return int(d / (24 * time.Hour)) }
	return ReportLimits{Least: SealLeast, MaxText: maxReportText, MaxFiles: maxReportFiles, MaxFile: maxReportFile, MaxTotal: maxReportTotal,
		ThreadFor: days(s.reports.keep.Thread), ClosedFor: days(s.reports.keep.Closed)}
}

// OwnDesks are the desks of by's organisation, by name.
func (s *Service) OwnDesks(ctx context.Context, by polder.Actor) ([]DeskDetail, error) {
	person, err := s.doer(ctx, by)
	if err != nil {
		return nil, err
	}
	q := s.committed(ctx)
	all, err := desksOf(q, by.Org)
	if err != nil {
		return nil, err
	}
	out := []DeskDetail{}
	for _, d := range all {
		one, err := s.deskDetail(q, by, person, d)
		if err != nil {
			return nil, err
		}
		out = append(out, one)
	}
	return out, nil
}

// OwnDesk is a desk of by's organisation.
func (s *Service) OwnDesk(ctx context.Context, by polder.Actor, alias string) (DeskDetail, error) {
	person, err := s.doer(ctx, by)
	if err != nil {
		return DeskDetail{}, err
	}
	q := s.committed(ctx)
	d, err := readDesk(q, alias)
	if err != nil || d == nil || d.Org != by.Org {
		return DeskDetail{}, firstError(err, errNoDesk)
	}
	return s.deskDetail(q, by, person, *d)
}

func (s *Service) deskDetail(q db.Querier, by polder.Actor, person polder.PersonID, d Desk) (DeskDetail, error) {
	out := DeskDetail{Desk: d, Readers: []DeskReader{}, Manages: by.Role.OnObjects() >= polder.RoleSteward}
	rows, err := deskReaders(q, d.Alias)
	if err != nil {
		return out, err
	}
	out.Reads = slices.ContainsFunc(rows, func(r deskReaderRow) bool { return r.state == DeskReaderReading && r.person == person })
	for _, r := range rows {
		one := DeskReader{Reader: r.reader(), Person: r.person, State: r.state, Asked: r.asked, AskedBy: r.askedBy, Confirmed: r.confirmed, Gone: r.gone, Me: r.person == person}
		if r.state != DeskReaderGone {
			keys, err := personKeys(q, r.person)
			if err != nil {
				return out, err
			}
			one.Stale = len(keys) > 0 && keys[0].ID != r.key()
		}
		if r.state == DeskReaderReading && out.Reads {
			if one.Missing, err = countLacking(q, d.Alias, r.key()); err != nil {
				return out, err
			}
		}
		out.Readers = append(out.Readers, one)
	}
	out.MayConfirm = out.Reads
	if out.Reads {
		if out.Open, err = countOpen(q, d.Alias); err != nil {
			return out, err
		}
	}
	out.Log, err = deskLog(q, d.Alias)
	return out, err
}

// OpenDesk makes a desk of by's organisation. Nobody reads for it yet.
func (s *Service) OpenDesk(ctx context.Context, by polder.Actor, in DeskSettings) (DeskDetail, error) {
	person, err := s.doer(ctx, by)
	switch {
	case err != nil:
		return DeskDetail{}, err
	case by.Role.OnObjects() < polder.RoleSteward:
		return DeskDetail{}, polder.Errorf(polder.Forbidden, "a desk is made by a steward of its organisation; your role is %s", by.Role)
	}
	if err := in.Check(); err != nil {
		return DeskDetail{}, err
	}
	d := Desk{Org: by.Org, Kind: in.Kind}
	if d.Kind == "" {
		d.Kind = DeskReports
	}
	var out DeskDetail
	err = s.o.DB.Write(ctx, func(tx *db.Tx) error {
		have, err := desksOf(tx, by.Org)
		if err != nil {
			return err
		}
		if len(have) >= MaxDesks {
			return polder.Errorf(polder.Conflict, "an organisation has at most %d desks; close one first", MaxDesks)
		}
		if d.Alias, err = freeAlias(tx, in); err != nil {
			return err
		}
		if err := d.say(tx, in, s.o.Now()); err != nil {
			return err
		}
		if err := insertDesk(tx, d); err != nil {
			return err
		}
		tx.OnCommit(s.tell)
		if err := s.reportNote(tx, by, "desk.open", d.Alias, map[string]string{"name": d.Name, "kind": string(d.Kind)}); err != nil {
			return err
		}
		out, err = s.deskDetail(tx, by, person, d)
		return err
	})
	return out, err
}

// freeAlias is the alias that a desk gets: the one asked for, or one made of its name that nobody has or had.
func freeAlias(q db.Querier, in DeskSettings) (string, error) {
	asked := strings.TrimSpace(in.Alias)
	if asked != "" && accounts.Alias(asked, "") != asked {
		return "", polder.Errorf(polder.Invalid, "alias: may have lower-case letters, digits and single hyphens; %q would be right", accounts.Alias(asked, "desk"))
	}
	base := asked
	if base == "" {
		base = accounts.Alias(in.Name, "desk")
	}
	for n := 1; n <= 1000; n++ {
		alias := base
		if n > 1 {
			alias = fmt.Sprintf("%s-%d", base, n)
		}
		d, err := anyDesk(q, alias)
		switch {
		case err != nil:
			return "", err
		case d == nil:
			return alias, nil
		case asked != "":
			return "", polder.Errorf(polder.Conflict, "alias: %s belongs to a desk, or did; choose another", asked)
		}
	}
	return "", polder.Errorf(polder.Conflict, "alias: too many desks are called %s; choose another", base)
}

// say writes settings into d.
func (d *Desk) say(q db.Querier, in DeskSettings, at time.Time) error {
	d.Name, d.Listed, d.Promise, d.Phone, d.Changed = strings.TrimSpace(in.Name), in.Listed, strings.TrimSpace(in.Promise), strings.TrimSpace(in.Phone), at
	d.Team = strings.TrimSpace(in.Team)
	if d.Team == "" {
		return nil
	}
	team, err := readDesk(q, d.Team)
	switch {
	case err != nil:
		return err
	case d.Kind == DeskTeam:
		return polder.Errorf(polder.Invalid, "team: a desk of a response team has no further team; leave it empty")
	case team == nil || team.Kind != DeskTeam:
		return polder.Errorf(polder.Invalid, "team: there is no desk of a response team with that alias; make one of the kind team first")
	}
	return nil
}

// SetDesk changes what is said of a desk; its alias and kind stay.
func (s *Service) SetDesk(ctx context.Context, by polder.Actor, alias string, in DeskSettings) (out DeskDetail, err error) {
	err = s.o.DB.Write(ctx, func(tx *db.Tx) error {
		d, person, err := s.managed(ctx, tx, by, alias)
		if err != nil {
			return err
		}
		if in.Kind != "" && in.Kind != d.Kind || in.Alias != "" && in.Alias != d.Alias {
			return polder.Errorf(polder.Conflict, "alias, kind: of a desk stay what they are, since they stand on posters; open another desk")
		}
		in.Kind, in.Confirmed = d.Kind, true
		if err := in.Check(); err != nil {
			return err
		}
		if err := d.say(tx, in, s.o.Now()); err != nil {
			return err
		}
		if err := updateDesk(tx, d); err != nil {
			return err
		}
		tx.OnCommit(s.tell)
		if err := s.reportNote(tx, by, "desk.change", d.Alias, map[string]string{"name": d.Name}); err != nil {
			return err
		}
		out, err = s.deskDetail(tx, by, person, d)
		return err
	})
	return out, err
}

// CloseDesk has a desk take no more reports. What came stays with its readers, and threads go on.
func (s *Service) CloseDesk(ctx context.Context, by polder.Actor, alias string) error {
	return s.o.DB.Write(ctx, func(tx *db.Tx) error {
		d, _, err := s.managed(ctx, tx, by, alias)
		if err != nil {
			return err
		}
		if err := closeDesk(tx, d.Alias, s.o.Now()); err != nil {
			return err
		}
		tx.OnCommit(s.tell)
		return s.reportNote(tx, by, "desk.close", d.Alias, nil)
	})
}

// OwnKeys are the keys of by, the present one first. Nobody else reads them.
func (s *Service) OwnKeys(ctx context.Context, by polder.Actor) ([]OwnKey, error) {
	person, err := s.doer(ctx, by)
	if err != nil {
		return nil, err
	}
	rows, err := personKeys(s.committed(ctx), person)
	out := []OwnKey{}
	for _, r := range rows {
		r.Person = person
		out = append(out, r.OwnKey)
	}
	return out, err
}

// PutKey keeps a key of by, locked by a passphrase that the node never has. It takes the place of the one before, which
// stays for what was sealed to it. Desks go on with the key they know, until a reader confirms the new one.
func (s *Service) PutKey(ctx context.Context, by polder.Actor, k seal.LockedKey) (OwnKey, error) {
	person, err := s.doer(ctx, by)
	if err != nil {
		return OwnKey{}, err
	}
	if err := k.Validate(); err != nil {
		return OwnKey{}, polder.Errorf(polder.Invalid, "key: %w", err)
	}
	row := ownKeyRow{person: person, org: by.Org, OwnKey: OwnKey{ID: k.Public.ID(), Person: person, Fingerprint: k.Public.Fingerprint(), Locked: k, Made: s.o.Now().UTC(), Current: true}}
	err = s.o.DB.Write(ctx, func(tx *db.Tx) error {
		holder, err := keyHolder(tx, row.ID)
		if err != nil {
			return err
		}
		have, err := personKeys(tx, person)
		switch {
		case err != nil:
			return err
		case holder != "":
			return polder.Errorf(polder.Conflict, "key: is kept already; make a new one")
		case len(have) >= MaxKeys:
			return polder.Errorf(polder.Conflict, "key: you have had %d keys, and no more are kept", MaxKeys)
		}
		if err := insertKey(tx, row); err != nil {
			return err
		}
		tx.OnCommit(s.tell)
		return s.reportNote(tx, by, "report.key", string(row.ID), nil)
	})
	return row.OwnKey, err
}
