package cases

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/deadline"
	"github.com/polder-exchange/polder/internal/blob"
	"github.com/polder-exchange/polder/internal/db"
	"github.com/polder-exchange/polder/internal/fail"
	"github.com/polder-exchange/polder/internal/seal"
)

// errNoReport is the answer to the id of nothing, and of a report that one does not read.
var errNoReport = polder.Errorf(polder.NotFound, "there is no report of that id that you read")

// reading is who reads, where, and with which keys.
type reading struct {
	person polder.PersonID
	desks  []string
	keys   []seal.KeyID // the present one and those before it
}

func (r reading) reads(row reportRow) bool {
	return fail.Bug("inbox-to-anyone") || slices.ContainsFunc(row.desks(), func(d string) bool { return slices.Contains(r.desks, d) })
}

// readingOf is where by reads. A person who has left the organisation of a desk reads nothing there.
func (s *Service) readingOf(ctx context.Context, q db.Querier, by polder.Actor) (r reading, err error) {
	if r.person, err = s.doer(ctx, by); err != nil {
		return r, err
	}
	places, err := personReads(q, r.person)
	if err != nil {
		return r, err
	}
	for _, p := range places {
		d, err := anyDesk(q, p.desk)
		if err != nil {
			return r, err
		}
		if d != nil && d.Org == by.Org && !slices.Contains(r.desks, p.desk) {
			r.desks = append(r.desks, p.desk)
		}
	}
	keys, err := personKeys(q, r.person)
	for _, k := range keys {
		r.keys = append(r.keys, k.ID)
	}
	return r, err
}

// readable is a report that by reads.
func (s *Service) readable(ctx context.Context, q db.Querier, by polder.Actor, id string) (reportRow, reading, error) {
	r, err := s.readingOf(ctx, q, by)
	if err != nil {
		return reportRow{}, r, err
	}
	row, err := readReport(q, id)
	if err != nil || row == nil || !r.reads(*row) {
		return reportRow{}, r, firstError(err, errNoReport)
	}
	return *row, r, nil
}

// Reports are those of the desks that by reads for, the oldest first: each with its own text, and of messages that they
// are there. Boxes carry the wraps of by's own keys.
func (s *Service) Reports(ctx context.Context, by polder.Actor, f ReportFilter) ([]ReportView, error) {
	switch {
	case f.Limit == 0:
		f.Limit = 50
	case f.Limit < 0 || f.Limit > 200:
		return nil, polder.Errorf(polder.Invalid, "limit: %d is not a number from 1 to 200", f.Limit)
	}
	if f.State != "" && !slices.Contains([]ReportState{ReportNew, ReportAcknowledged, ReportInCase, ReportClosed}, f.State) {
		return nil, polder.Errorf(polder.Invalid, "state: %.40q is not known; use new, acknowledged, in-case or closed", string(f.State))
	}
	q := s.committed(ctx)
	r, err := s.readingOf(ctx, q, by)
	if err != nil {
		return nil, err
	}
	if f.Desk != "" {
		r.desks = slices.DeleteFunc(r.desks, func(d string) bool { return d != f.Desk })
	}
	if len(r.desks) == 0 {
		return []ReportView{}, nil
	}
	var after *reportRow
	if f.After != "" {
		row, _, err := s.readable(ctx, q, by, f.After)
		if err != nil {
			return nil, err
		}
		after = &row
	}
	rows, err := listReports(q, r.desks, f, after)
	if err != nil {
		return nil, err
	}
	return s.reportViews(ctx, q, r, rows, false)
}

// Report is one of them, with everything.
func (s *Service) Report(ctx context.Context, by polder.Actor, id string) (ReportView, error) {
	q := s.committed(ctx)
	row, r, err := s.readable(ctx, q, by, id)
	if err != nil {
		return ReportView{}, err
	}
	views, err := s.reportViews(ctx, q, r, []reportRow{row}, true)
	return append(views, ReportView{})[0], err
}

// reportViews are reports as a reader sees them.
func (s *Service) reportViews(ctx context.Context, q db.Querier, r reading, rows []reportRow, all bool) ([]ReportView, error) {
	var ids []string
	for _, row := range rows {
		ids = append(ids, row.id)
	}
	boxes, err := readBoxes(q, ids, r.keys, all)
	if err != nil {
		return nil, err
	}
	readers, lacking, countries := map[string][]Reader{}, map[seal.KeyID]map[string]bool{}, map[string]string{}
	out := []ReportView{}
	for _, row := range rows {
		place := strings.Join(row.desks(), " ")
		if _, held := readers[place]; !held {
			now, err := inForce(q, row.desks())
			if err != nil {
				return nil, err
			}
			readers[place] = now
			for _, one := range now {
				if lacking[one.Key] == nil {
					if lacking[one.Key], err = boxesLacking(q, ids, one.Key); err != nil {
						return nil, err
					}
				}
			}
		}
		v := s.reportView(row, boxes[row.id])
		if row.state != ReportClosed {
			if _, held := countries[row.desk]; !held {
				if countries[row.desk], err = s.deskCountry(ctx, q, row.desk); err != nil {
					return nil, err
				}
			}
			v.AcknowledgeBy, v.FeedbackBy = s.reportClocks(countries[row.desk], row)
		}
		v.Readers = readers[place]
		v.Missing = slices.DeleteFunc(slices.Clone(v.Readers), func(one Reader) bool { return !lacking[one.Key][row.id] })
		if v.Missing == nil {
			v.Missing = []Reader{}
		}
		out = append(out, v)
	}
	return out, nil
}

func (s *Service) reportView(row reportRow, boxes []boxRow) ReportView {
	v := ReportView{Report: Report{ID: row.id, Desk: row.desk, State: row.state, Received: row.received, SealedBy: row.sealedBy, Thread: row.reporter != nil,
		Case: row.caseID, Acknowledged: row.acknowledged}, Reporter: row.public(), Closed: row.closed, Changed: row.changed}
	var own *seal.Box
	if v.Messages, v.Files, own = partsOf(boxes); own != nil {
		v.Box = *own
	}
	if row.team != "" {
		v.Also = "team"
	}
	if v.Thread {
		v.Ends = s.ends(row)
	}
	return v
}

// deskCountry is the country of the organisation of a desk.
func (s *Service) deskCountry(ctx context.Context, q db.Querier, alias string) (string, error) {
	d, err := anyDesk(q, alias)
	if err != nil || d == nil {
		return "", err
	}
	org, err := s.o.Accounts.Org(ctx, d.Org)
	return org.Country, err
}

// whistleblower is the kind of situation, in the packs of deadlines, that a report makes.
const whistleblower = "whistleblower-report"

// reportClocks are until when the law has a report acknowledged (zero once it is), and its reporter told what was done.
// Where the country has no rules of its own, those of the EU count.
func (s *Service) reportClocks(country string, row reportRow) (acknowledge, feedback time.Time) {
	where := "EU"
	if t, err := s.o.Packs.Jurisdiction(country); err == nil {
		where = t.ID
	}
	about := deadline.Situation{Jurisdiction: where, Kind: whistleblower, Aware: row.received, Events: map[string]time.Time{}}
	if !row.acknowledged.IsZero() {
		about.Events["sent:acknowledgement"] = later(row.acknowledged, row.received)
	}
	all, err := s.o.Packs.Due(about)
	if err != nil {
		s.o.Log.Warn("cannot say until when reports are to be answered", "error", err)
		return time.Time{}, time.Time{}
	}
	for _, d := range all {
		switch {
		case d.Due.IsZero():
		case strings.HasSuffix(d.ID, "/acknowledgement") && row.acknowledged.IsZero():
			acknowledge = d.Due
		case strings.HasSuffix(d.ID, "/feedback"):
			feedback = d.Due
		}
	}
	return acknowledge, feedback
}

// ReportFile opens an attachment: a [seal.Box] as JSON, with the wraps of by's own keys. The caller closes it.
func (s *Service) ReportFile(ctx context.Context, by polder.Actor, id, file string) (io.ReadCloser, int64, error) {
	q := s.committed(ctx)
	row, r, err := s.readable(ctx, q, by, id)
	if err != nil {
		return nil, 0, err
	}
	boxes, err := readBoxes(q, []string{row.id}, r.keys, false)
	if err != nil {
		return nil, 0, err
	}
	i := slices.IndexFunc(boxes[row.id], func(b boxRow) bool { return b.part == boxFile && b.id == file })
	if i < 0 || len(boxes[row.id][i].hash) != len(blob.Hash{}) {
		return nil, 0, errNoReport
	}
	done, err := enter(ctx, s.reports.files, polder.Errorf(polder.Unavailable, "too many attachments are read at once; try again in a few seconds"))
	if err != nil {
		return nil, 0, err
	}
	defer done()
	b := boxes[row.id][i]
	f, err := s.o.Blobs.Open(ctx, blob.Hash(b.hash))
	if err != nil {
		return nil, 0, err
	}
	defer f.Close()
	if b.box.Body, err = io.ReadAll(io.LimitReader(f, maxReportFile+boxOverhead)); err != nil {
		return nil, 0, err
	}
	text, err := json.Marshal(b.box)
	return io.NopCloser(bytes.NewReader(text)), int64(len(text)), err
}

// onReport changes a report that by reads, with an audit entry.
func (s *Service) onReport(ctx context.Context, by polder.Actor, id, action string, change func(tx *db.Tx, row *reportRow) (detail map[string]string, err error)) (ReportView, error) {
	err := s.o.DB.Write(ctx, func(tx *db.Tx) error {
		row, _, err := s.readable(ctx, tx, by, id)
		if err != nil {
			return err
		}
		before := row
		detail, err := change(tx, &row)
		if errors.Is(err, errUnchanged) {
			return nil
		}
		if err != nil {
			return err
		}
		if row.state != before.state || row.changed != before.changed {
			row.fading = time.Time{}
		}
		if err := updateReport(tx, row); err != nil {
			return err
		}
		tx.OnCommit(s.tell)
		if detail == nil {
			detail = map[string]string{}
		}
		detail["desk"] = row.desk
		return s.reportNote(tx, by, action, row.id, detail)
	})
	if err != nil {
		return ReportView{}, err
	}
	return s.Report(ctx, by, id)
}

// errUnchanged ends a change that has nothing to do.
var errUnchanged = errors.New("nothing to change")

// acknowledge notes that somebody has read row.
func (row *reportRow) acknowledge(at time.Time) {
	if row.acknowledged.IsZero() {
		row.acknowledged = at.UTC()
	}
	if row.state == ReportNew {
		row.state = ReportAcknowledged
	}
}

// AcknowledgeReport tells the reporter that somebody has read the report. A second time changes nothing.
func (s *Service) AcknowledgeReport(ctx context.Context, by polder.Actor, id string) (ReportView, error) {
	return s.onReport(ctx, by, id, "report.acknowledge", func(_ *db.Tx, row *reportRow) (map[string]string, error) {
		if row.state != ReportNew {
			return nil, errUnchanged
		}
		row.acknowledge(s.o.Now())
		return nil, nil
	})
}

// AnswerReport adds a message for the reporter, and acknowledges the report. A box that is not sealed to the reporter and
// the readers of now is a Conflict.
func (s *Service) AnswerReport(ctx context.Context, by polder.Actor, id string, in ReportAnswer) (ReportView, error) {
	if err := firstError(checkOnce(in.Once), checkBox("box", in.Box, maxReportText)); err != nil {
		return ReportView{}, err
	}
	once, err := s.reports.onceOf(in.Once, []any{"answer", id, in.Box})
	if err != nil {
		return ReportView{}, err
	}
	if err := s.o.DB.Room(); err != nil {
		return ReportView{}, err
	}
	return s.onReport(ctx, by, id, "report.answer", func(tx *db.Tx, row *reportRow) (map[string]string, error) {
		if seen, err := readOnce(tx, once); err != nil || seen != "" {
			return nil, firstError(err, errUnchanged)
		}
		now := s.o.Now().UTC()
		switch {
		case row.public() == nil:
			return nil, polder.Errorf(polder.Conflict, "box: nobody can read an answer to this report, since its reporter kept no receipt")
		case !slices.Contains(in.Box.Readers(), row.public().ID()):
			return nil, polder.Errorf(polder.Conflict, "box: is not sealed to the reporter; seal it to the key of the reporter and to all readers")
		}
		rows, err := s.boxesOf(&arrival{row: reportRow{id: row.id, received: now}}, in.Box, PurposeMessage, "desk", nil)
		if err != nil {
			return nil, err
		}
		if err := s.fits(tx, *row, rows); errors.Is(err, errOtherReaders) {
			return nil, polder.Errorf(polder.Conflict, "box: is not sealed to the readers of this report as they are now; read the report again, and seal it to those")
		} else if err != nil {
			return nil, err
		}
		row.acknowledge(now)
		row.changed = later(row.changed, now)
		return nil, reportSteps(
			func() error { return s.insertBoxes(tx, rows) },
			func() error { return insertOnce(tx, once, row.id, s.hour()) })
	})
}

// CloseReport ends the work on a report; its thread stays open for a while, and a message of the reporter opens it again.
func (s *Service) CloseReport(ctx context.Context, by polder.Actor, id string) (ReportView, error) {
	return s.onReport(ctx, by, id, "report.close", func(_ *db.Tx, row *reportRow) (map[string]string, error) {
		if row.state == ReportClosed {
			return nil, errUnchanged
		}
		row.acknowledge(s.o.Now())
		row.state, row.closed = ReportClosed, s.o.Now()
		return nil, nil
	})
}

// ReopenReport takes the work up again.
func (s *Service) ReopenReport(ctx context.Context, by polder.Actor, id string) (ReportView, error) {
	return s.onReport(ctx, by, id, "report.reopen", func(_ *db.Tx, row *reportRow) (map[string]string, error) {
		if row.state != ReportClosed {
			return nil, errUnchanged
		}
		row.reopen()
		return nil, nil
	})
}

func (row *reportRow) reopen() {
	row.state, row.closed = ReportAcknowledged, time.Time{}
	if row.caseID != "" {
		row.state = ReportInCase
	}
}

// SetReportCase notes the case that came of a report, one that by may see; the empty case takes the note away.
func (s *Service) SetReportCase(ctx context.Context, by polder.Actor, id string, c CaseID) (ReportView, error) {
	if c != "" && (!strings.HasPrefix(string(c), "case--") || len(c) != len("case--")+36) {
		return ReportView{}, polder.Errorf(polder.Invalid, "case: %.50q is no id of a case", string(c))
	}
	if c != "" {
		if _, err := s.Case(ctx, by, c); err != nil {
			return ReportView{}, err
		}
	}
	return s.onReport(ctx, by, id, "report.case", func(_ *db.Tx, row *reportRow) (map[string]string, error) {
		if row.caseID == c {
			return nil, errUnchanged
		}
		row.acknowledge(s.o.Now())
		row.caseID = c
		switch {
		case row.state == ReportClosed:
		case c != "":
			row.state = ReportInCase
		default:
			row.state = ReportAcknowledged
		}
		return nil, nil // which case it was is for the members of the case
	})
}

// AddReportWraps gives readers that came later what a report holds. Wraps for keys that have one already are passed over;
// one for a key that does not read is refused.
func (s *Service) AddReportWraps(ctx context.Context, by polder.Actor, id string, in ReportWraps) (ReportView, error) {
	return s.onReport(ctx, by, id, "report.rewrap", func(tx *db.Tx, row *reportRow) (map[string]string, error) {
		readers, err := inForce(tx, row.desks())
		if err != nil {
			return nil, err
		}
		ids, _ := readerKeys(readers)
		boxes, err := readBoxes(tx, []string{row.id}, ids, false)
		if err != nil {
			return nil, err
		}
		added := 0
		for _, b := range boxes[row.id] {
			wraps := in.Report
			switch b.part {
			case boxMessage:
				wraps = in.Messages[b.id]
			case boxFile:
				wraps = in.Files[b.id]
			}
			n, err := addWraps(tx, b, wraps, ids)
			if err != nil {
				return nil, err
			}
			added += n
		}
		if added == 0 {
			return nil, errUnchanged
		}
		return nil, nil
	})
}

func addWraps(tx *db.Tx, b boxRow, wraps []seal.Wrap, readers []seal.KeyID) (n int, err error) {
	if err := seal.ValidateWraps(wraps); err != nil {
		return 0, polder.Errorf(polder.Invalid, "%w", err)
	}
	have := b.box.Readers()
	var fresh []seal.Wrap
	for _, w := range wraps {
		switch {
		case !slices.Contains(readers, w.To):
			return 0, polder.Errorf(polder.Conflict, "wraps: key %s reads nothing of this report", w.To)
		case !slices.Contains(have, w.To):
			fresh = append(fresh, w)
		}
	}
	return len(fresh), insertWraps(tx, b.id, fresh)
}

// RemoveReport takes a closed report away, with its messages and files, for good.
func (s *Service) RemoveReport(ctx context.Context, by polder.Actor, id string) error {
	return s.o.DB.Write(ctx, func(tx *db.Tx) error {
		row, _, err := s.readable(ctx, tx, by, id)
		switch {
		case err != nil:
			return err
		case row.state != ReportClosed:
			return polder.Errorf(polder.Conflict, "this report is not closed; close it first")
		}
		if err := deleteReport(tx, s.o.Blobs, row.id); err != nil {
			return err
		}
		tx.OnCommit(s.tell)
		return s.reportNote(tx, by, "report.remove", row.id, map[string]string{"desk": row.desk})
	})
}

// Waiting counts the reports that nobody has acknowledged, of the desks that by reads for.
func (s *Service) Waiting(ctx context.Context, by polder.Actor) (reports int, err error) {
	if mayRead(by) != nil {
		return 0, nil
	}
	q := s.committed(ctx)
	r, err := s.readingOf(ctx, q, by)
	if err != nil || len(r.desks) == 0 {
		return 0, err
	}
	return countNew(q, r.desks)
}
