package cases

import (
	"context"
	"encoding/json"
	"errors"
	"net/netip"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/db"
	"github.com/polder-exchange/polder/internal/fail"
	"github.com/polder-exchange/polder/internal/seal"
)

// ErrNoThread is the answer to every receipt that opens nothing: a wrong one, one that has ended, and what is none.
var ErrNoThread = polder.Errorf(polder.NotFound, "no report belongs to this receipt; look whether all six words are right")

// ends is when the thread of r ends, if nothing more is said.
func (s *Service) ends(r reportRow) time.Time {
	if r.state != ReportClosed {
		return r.changed.Add(s.reports.keep.Thread)
	}
	last := r.closed
	if r.changed.After(last) {
		last = r.changed
	}
	return last.Add(s.reports.keep.Closed)
}

// threadOf is the report that a proof opens. It always does the same work, whatever is wrong with the proof.
func (s *Service) threadOf(ctx context.Context, proof [32]byte, right bool) (reportRow, error) {
	if !right && fail.Bug("receipt-underived") {
		return reportRow{}, ErrNoThread
	}
	lookup, err := s.reports.lookup(ctx, proof)
	if err != nil {
		return reportRow{}, err
	}
	row, err := findReport(s.committed(ctx), lookup)
	switch {
	case err != nil:
		return reportRow{}, err
	case !right || row == nil || !s.ends(*row).After(s.o.Now()):
		return reportRow{}, ErrNoThread
	}
	return *row, nil
}

func (s *Service) threadOfProof(ctx context.Context, from netip.Addr, proof string) (reportRow, error) {
	if err := s.reports.admitLook(from); err != nil {
		return reportRow{}, err
	}
	p, right := readProof(proof)
	return s.threadOf(ctx, p, right)
}

// Thread opens the thread that a proof shows. Whatever is wrong with the proof is the same [ErrNoThread] after the same
// work.
func (s *Service) Thread(ctx context.Context, from netip.Addr, proof string) (ReportThreadView, error) {
	row, err := s.threadOfProof(ctx, from, proof)
	if err != nil {
		return ReportThreadView{}, err
	}
	return s.threadView(ctx, row)
}

// threadView is what the reporter sees of a report.
func (s *Service) threadView(ctx context.Context, row reportRow) (ReportThreadView, error) {
	public := row.public()
	if public == nil {
		return ReportThreadView{}, ErrNoThread
	}
	desk, err := s.deskOf(ctx, row.desk)
	if err != nil {
		return ReportThreadView{}, err
	}
	if row.team == "" {
		desk.Team = nil
	} else if desk.Team == nil || desk.Team.Alias != row.team {
		team, err := s.deskOf(ctx, row.team)
		if err != nil {
			return ReportThreadView{}, err
		}
		desk.Team = &DeskTeamView{Alias: team.Alias, Name: team.Name, Organisation: team.Organisation, Readers: team.Readers, Log: team.Log}
	}
	boxes, err := readBoxes(s.committed(ctx), []string{row.id}, []seal.KeyID{public.ID()}, true)
	if err != nil {
		return ReportThreadView{}, err
	}
	out := ReportThreadView{State: row.state, Received: row.received, Ends: s.ends(row), SealedBy: row.sealedBy, Public: *public, Desk: desk}
	if row.team != "" {
		out.Also = "team"
	}
	var own *seal.Box
	out.Messages, out.Files, own = partsOf(boxes[row.id])
	if own != nil && len(own.Wraps) > 0 {
		out.Box = own
	}
	return out, nil
}

// partsOf sorts what is sealed of a report.
func partsOf(rows []boxRow) (messages []Message, files []File, report *seal.Box) {
	messages, files = []Message{}, []File{}
	for _, b := range rows {
		if b.box.Wraps == nil {
			b.box.Wraps = []seal.Wrap{}
		}
		switch b.part {
		case boxReport:
			report = &b.box
		case boxMessage:
			messages = append(messages, Message{ID: b.id, From: b.sender, At: b.at, Box: b.box})
		case boxFile:
			files = append(files, File{ID: b.id, Size: b.size, With: b.of})
		}
	}
	return messages, files, report
}

// Say adds a message of the reporter to a thread, and answers with the thread. One to a closed report opens it again.
func (s *Service) Say(ctx context.Context, from netip.Addr, in ReportSaid) (ReportThreadView, error) {
	if err := firstError(checkOnce(in.Once), checkBox("box", in.Box, maxReportText), checkFiles(in.Files)); err != nil {
		return ReportThreadView{}, err
	}
	row, err := s.threadOfProof(ctx, from, in.Proof)
	if err != nil {
		return ReportThreadView{}, err
	}
	once, err := s.reports.onceOf(in.Once, []any{row.id, in.Box, nonces(in.Files)})
	if err != nil {
		return ReportThreadView{}, err
	}
	row, err = s.say(ctx, from, row, in.Box, in.Files, once)
	if errors.Is(err, errOtherReaders) {
		return ReportThreadView{}, s.threadReadersChanged(ctx, row)
	}
	if err != nil {
		return ReportThreadView{}, err
	}
	return s.threadView(ctx, row)
}

func (s *Service) threadReadersChanged(ctx context.Context, row reportRow) error {
	v, err := s.threadView(ctx, row)
	if err != nil {
		return err
	}
	return polder.Errorf(polder.Conflict, "box: is not sealed to the readers of this report as they are now; seal it to those in this answer, and send it again: %w", &ReadersChanged{v.Desk})
}

// say stores a message of the reporter.
func (s *Service) say(ctx context.Context, from netip.Addr, row reportRow, box seal.Box, files []seal.Box, once []byte) (reportRow, error) {
	if err := s.reports.admitPost(from); err != nil {
		return row, err
	}
	if err := s.o.DB.Room(); err != nil {
		return row, err
	}
	hour := s.hour()
	rows, err := s.boxesOf(&arrival{row: reportRow{id: row.id, received: hour}}, box, PurposeMessage, "reporter", files)
	if err != nil {
		return row, err
	}
	if seen, err := readOnce(s.committed(ctx), once); err != nil || seen != "" {
		return row, err
	}
	if err := s.putFiles(ctx, rows); err != nil {
		return row, err
	}
	err = s.o.DB.Write(ctx, func(tx *db.Tx) error {
		if seen, err := readOnce(tx, once); err != nil || seen != "" {
			return err
		}
		now, err := readReport(tx, row.id)
		if err != nil || now == nil || now.reporter == nil {
			return firstError(err, ErrNoThread)
		}
		if err := s.fits(tx, *now, rows); err != nil {
			return err
		}
		if now.state == ReportClosed {
			now.reopen()
		}
		now.changed, now.fading = later(now.changed, hour), time.Time{}
		row = *now
		return reportSteps(
			func() error { return updateReport(tx, row) },
			func() error { return s.insertBoxes(tx, rows) },
			func() error { return insertOnce(tx, once, row.id, hour) },
			func() error { return s.noteMessage(tx, row) })
	})
	return row, err
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// fits checks that what is added to a report is sealed to the readers of now, and that there is room for it.
func (s *Service) fits(tx *db.Tx, row reportRow, rows []boxRow) error {
	readers, err := inForce(tx, row.desks())
	if err != nil {
		return err
	}
	ids, _ := readerKeys(readers)
	if !sealedToAll(rows, ids, row.public()) {
		return errOtherReaders
	}
	var n int
	if err := tx.QueryRow(`SELECT count(*) FROM cases_box WHERE report = ?`, row.id).Scan(&n); err != nil {
		return err
	}
	if n+len(rows) > maxReportParts {
		return polder.Errorf(polder.Conflict, "this report holds %d messages and files, and no more fit; make a new report", n)
	}
	return nil
}

func (s *Service) noteMessage(tx *db.Tx, row reportRow) error {
	desk, err := anyDesk(tx, row.desk)
	if err != nil || desk == nil {
		return firstError(err, errNoDesk)
	}
	tx.OnCommit(s.tell)
	if err := s.scheduleKeep(tx); err != nil {
		return err
	}
	return s.noteArrival(tx, "report.message", *desk)
}

// ReportPlain is a thread that the node opened for a browser without script. Nothing of it is kept.
type ReportPlain struct {
	ReportThreadView
	Answers *Answers          // what was reported; nil where it was not sealed to the reporter
	Texts   map[string]string // of messages, by id; one that was not sealed to the reporter is missing
}

// ThreadPlain is [Service.Thread] for a browser that runs no script: the node derives from the words, and opens.
func (s *Service) ThreadPlain(ctx context.Context, from netip.Addr, words string) (ReportPlain, error) {
	access, row, err := s.threadOfWords(ctx, from, words)
	if err != nil {
		return ReportPlain{}, err
	}
	return s.plainView(ctx, row, access)
}

// threadOfWords is the report that words open. Words that are none cost the same.
func (s *Service) threadOfWords(ctx context.Context, from netip.Addr, words string) (seal.Access, reportRow, error) {
	if err := s.reports.admitLook(from); err != nil {
		return seal.Access{}, reportRow{}, err
	}
	access, err := s.access(ctx, words)
	if err != nil {
		return access, reportRow{}, err
	}
	row, err := s.threadOf(ctx, access.Proof, true)
	return access, row, err
}

func (s *Service) plainView(ctx context.Context, row reportRow, access seal.Access) (ReportPlain, error) {
	v, err := s.threadView(ctx, row)
	if err != nil {
		return ReportPlain{}, err
	}
	out := ReportPlain{ReportThreadView: v, Texts: map[string]string{}}
	if v.Box != nil {
		if text, err := v.Box.Open(PurposeReport, access.Key); err == nil {
			var a Answers
			if json.Unmarshal(text, &a) == nil {
				out.Answers = &a
			}
		}
	}
	for _, m := range v.Messages {
		if text, err := m.Box.Open(PurposeMessage, access.Key); err == nil {
			out.Texts[m.ID] = strings.ToValidUTF8(string(text), "\uFFFD")
		}
	}
	return out, nil
}

// SayPlain is [Service.Say] for a browser that runs no script: the node seals text and files on arrival.
func (s *Service) SayPlain(ctx context.Context, from netip.Addr, words, text, once string, files ...ReportAttachment) (ReportPlain, error) {
	switch {
	case strings.TrimSpace(text) == "" && len(files) == 0:
		return ReportPlain{}, polder.Errorf(polder.Invalid, "text: is empty; write a message")
	case len(text) > maxPlainMessage:
		return ReportPlain{}, polder.Errorf(polder.TooLarge, "text: is longer than %d characters; send it in parts", maxPlainMessage)
	case !utf8.ValidString(text):
		return ReportPlain{}, polder.Errorf(polder.Invalid, "text: is not UTF-8")
	}
	if err := firstError(checkOnce(once), checkPlainFiles(files)); err != nil {
		return ReportPlain{}, err
	}
	access, row, err := s.threadOfWords(ctx, from, words)
	if err != nil {
		return ReportPlain{}, err
	}
	seen, err := s.reports.onceOf(once, []any{row.id, text, files})
	if err != nil {
		return ReportPlain{}, err
	}
	for range reportTries {
		box, sealed, err := s.sealMessage(ctx, row, text, files)
		if err != nil {
			return ReportPlain{}, err
		}
		after, err := s.say(ctx, from, row, box, sealed, seen)
		if errors.Is(err, errOtherReaders) {
			continue
		}
		if err != nil {
			return ReportPlain{}, err
		}
		return s.plainView(ctx, after, access)
	}
	return ReportPlain{}, polder.Errorf(polder.Unavailable, "the readers of this desk change just now; send the message again")
}

// sealMessage seals a message of a reporter to the readers of now and to the reporter, files to the readers alone; to a
// desk for people who are pressed, all of it to the readers alone.
func (s *Service) sealMessage(ctx context.Context, row reportRow, text string, files []ReportAttachment) (seal.Box, []seal.Box, error) {
	readers, err := inForce(s.committed(ctx), row.desks())
	if err != nil {
		return seal.Box{}, nil, err
	}
	_, keys := readerKeys(readers)
	if len(keys) == 0 || row.public() == nil {
		return seal.Box{}, nil, ErrNoThread
	}
	desk, err := anyDesk(s.committed(ctx), row.desk)
	if err != nil {
		return seal.Box{}, nil, err
	}
	to := slices.Clone(keys)
	if desk == nil || desk.Kind != DeskPressed {
		to = append(to, *row.public())
	}
	box, err := seal.Seal(s.o.Rand, PurposeMessage, []byte(text), SealLeast, to...)
	if err != nil {
		return seal.Box{}, nil, err
	}
	sealed, err := s.sealFiles(files, keys)
	return box, sealed, err
}
