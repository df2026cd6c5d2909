package cases

import (
	"context"
	"errors"
	"io"
	"net/netip"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/seal"
)

type reportState struct{}

var errReportSoon = errors.New("not yet")

// ReadersChanged is the cause of a Conflict: a box was not sealed to the readers of now. Seal it to those of Desk.
type ReadersChanged struct{ Desk DeskView }

func (e *ReadersChanged) Error() string { return "the readers of the desk have changed" }

// PostReport takes a report in. from is the address that sends it; it is counted in memory, by a keyed hash, and kept
// nowhere. A box that is not sealed to the readers of now is a Conflict with the cause [ReadersChanged].
func (s *Service) PostReport(ctx context.Context, from netip.Addr, in ReportPost) (ReportPosted, error) {
	return ReportPosted{}, errReportSoon
}

// Thread opens the thread that a proof shows. Whatever is wrong with the proof is the same NotFound after the same work.
func (s *Service) Thread(ctx context.Context, from netip.Addr, proof string) (ReportThreadView, error) {
	return ReportThreadView{}, errReportSoon
}

// Say adds a message of the reporter to a thread, and answers with the thread.
func (s *Service) Say(ctx context.Context, from netip.Addr, in ReportSaid) (ReportThreadView, error) {
	return ReportThreadView{}, errReportSoon
}

// ReportPlain is a thread that the node opened for a browser without script. Nothing of it is kept.
type ReportPlain struct {
	ReportThreadView
	Answers *Answers          // what was reported; nil where it was not sealed to the reporter
	Texts   map[string]string // of messages, by id; one that was not sealed to the reporter is missing
}

// ThreadPlain is [Service.Thread] for a browser that runs no script: the node derives from the words, and opens.
func (s *Service) ThreadPlain(ctx context.Context, from netip.Addr, words string) (ReportPlain, error) {
	return ReportPlain{}, errReportSoon
}

// SayPlain is [Service.Say] for a browser that runs no script: the node seals text on arrival.
func (s *Service) SayPlain(ctx context.Context, from netip.Addr, words, text, once string) (ReportPlain, error) {
	return ReportPlain{}, errReportSoon
}

// Reports are those of the desks that by reads for, the oldest first.
func (s *Service) Reports(ctx context.Context, by polder.Actor, f ReportFilter) ([]ReportView, error) {
	return nil, errReportSoon
}

// Report is one of them.
func (s *Service) Report(ctx context.Context, by polder.Actor, id string) (ReportView, error) {
	return ReportView{}, errReportSoon
}

// ReportFile opens an attachment: a [seal.Box] as JSON. The caller closes it.
func (s *Service) ReportFile(ctx context.Context, by polder.Actor, id, file string) (io.ReadCloser, int64, error) {
	return nil, 0, errReportSoon
}

// AcknowledgeReport tells the reporter that somebody has read the report. A second time changes nothing.
func (s *Service) AcknowledgeReport(ctx context.Context, by polder.Actor, id string) (ReportView, error) {
	return ReportView{}, errReportSoon
}

// AnswerReport adds a message for the reporter.
func (s *Service) AnswerReport(ctx context.Context, by polder.Actor, id string, in ReportAnswer) (ReportView, error) {
	return ReportView{}, errReportSoon
}

// CloseReport ends the work on a report; its thread stays open for a while.
func (s *Service) CloseReport(ctx context.Context, by polder.Actor, id string) (ReportView, error) {
	return ReportView{}, errReportSoon
}

// ReopenReport takes the work up again.
func (s *Service) ReopenReport(ctx context.Context, by polder.Actor, id string) (ReportView, error) {
	return ReportView{}, errReportSoon
}

// SetReportCase notes the case that came of a report; the empty case takes the note away.
func (s *Service) SetReportCase(ctx context.Context, by polder.Actor, id string, c CaseID) (ReportView, error) {
	return ReportView{}, errReportSoon
}

// AddReportWraps gives readers that came later what a report holds.
func (s *Service) AddReportWraps(ctx context.Context, by polder.Actor, id string, in ReportWraps) (ReportView, error) {
	return ReportView{}, errReportSoon
}

// RemoveReport takes a closed report away, with its messages and files, for good.
func (s *Service) RemoveReport(ctx context.Context, by polder.Actor, id string) error {
	return errReportSoon
}

// Waiting counts the reports that nobody has acknowledged, of the desks that by reads for.
func (s *Service) Waiting(ctx context.Context, by polder.Actor) (reports int, err error) {
	return 0, errReportSoon
}

// ReceiptSalt is the public salt of this node's receipts.
func (s *Service) ReceiptSalt() []byte { return nil }

// Desks are those that anybody may know of, by name.
func (s *Service) Desks(ctx context.Context) ([]DeskView, error) { return nil, errReportSoon }

// DeskNamed is the public view of a desk, listed or not.
func (s *Service) DeskNamed(ctx context.Context, alias string) (DeskView, error) {
	return DeskView{}, errReportSoon
}

// OwnDesks are the desks of by's organisation, and of who reads them.
func (s *Service) OwnDesks(ctx context.Context, by polder.Actor) ([]DeskDetail, error) {
	return nil, errReportSoon
}

// OwnDesk is one of them.
func (s *Service) OwnDesk(ctx context.Context, by polder.Actor, alias string) (DeskDetail, error) {
	return DeskDetail{}, errReportSoon
}

// OpenDesk makes a desk.
func (s *Service) OpenDesk(ctx context.Context, by polder.Actor, in DeskSettings) (DeskDetail, error) {
	return DeskDetail{}, errReportSoon
}

// SetDesk changes what is said of a desk; its alias and kind stay.
func (s *Service) SetDesk(ctx context.Context, by polder.Actor, alias string, in DeskSettings) (DeskDetail, error) {
	return DeskDetail{}, errReportSoon
}

// CloseDesk takes a desk away that has no report left.
func (s *Service) CloseDesk(ctx context.Context, by polder.Actor, alias string) error {
	return errReportSoon
}

// DeskReaderPost names a reader of a desk.
type DeskReaderPost struct {
	Person    polder.PersonID `json:"person"`              // of the organisation of the desk, with a key
	Name      string          `json:"name,omitempty"`      // as reporters read it; empty: the person's own
	Confirmed bool            `json:"confirmed,omitempty"` // of a desk for people who are coerced: this is not their employer's person
}

// AddReader names a reader: the first one of a desk reads at once, further ones wait until a reader confirms.
func (s *Service) AddReader(ctx context.Context, by polder.Actor, alias string, in DeskReaderPost) (DeskDetail, error) {
	return DeskDetail{}, errReportSoon
}

// ConfirmReader lets a reader that waits read; a reader in force does that, and not who named the new one.
func (s *Service) ConfirmReader(ctx context.Context, by polder.Actor, alias string, key seal.KeyID) (DeskDetail, error) {
	return DeskDetail{}, errReportSoon
}

// RemoveReader takes a reader away, with what open reports hold for the key.
func (s *Service) RemoveReader(ctx context.Context, by polder.Actor, alias string, key seal.KeyID) (DeskDetail, error) {
	return DeskDetail{}, errReportSoon
}

// OwnKeys are the keys of by, the present one first.
func (s *Service) OwnKeys(ctx context.Context, by polder.Actor) ([]OwnKey, error) {
	return nil, errReportSoon
}

// PutKey keeps a key of by, locked by a passphrase that the node never has. It takes the place of the one before, which
// stays for what was sealed to it. Desks go on with the key they know, until a reader confirms the new one.
func (s *Service) PutKey(ctx context.Context, by polder.Actor, k seal.LockedKey) (OwnKey, error) {
	return OwnKey{}, errReportSoon
}
