package cases

import (
	"bytes"
	"context"
	"encoding/base32"
	"encoding/json"
	"errors"
	"io"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/audit"
	"github.com/polder-exchange/polder/internal/blob"
	"github.com/polder-exchange/polder/internal/db"
	"github.com/polder-exchange/polder/internal/jobs"
	"github.com/polder-exchange/polder/internal/seal"
)

// ReadersChanged is the cause of a Conflict: a box was not sealed to the readers of now. Seal it to those of Desk.
type ReadersChanged struct{ Desk DeskView }

func (e *ReadersChanged) Error() string { return "the readers of the desk are others" }

// errOtherReaders ends a write whose boxes were sealed to others than the readers of now.
var errOtherReaders = errors.New("sealed to others than the readers of now")

// reportTries is how often the node seals answers anew when readers change meanwhile.
const reportTries = 3

// PostReport takes a report in. from is the address that sends it; it is counted in memory, by a keyed hash, and kept
// nowhere. A box that is not sealed to the readers of now is a Conflict with the cause [ReadersChanged].
func (s *Service) PostReport(ctx context.Context, from netip.Addr, in ReportPost) (ReportPosted, error) {
	if err := in.check(); err != nil {
		return ReportPosted{}, err
	}
	if err := s.reports.admitPost(from); err != nil {
		return ReportPosted{}, err
	}
	if err := s.o.DB.Room(); err != nil {
		return ReportPosted{}, err
	}
	desk, err := s.deskFor(ctx, in.To)
	if err != nil {
		return ReportPosted{}, err
	}
	if err := s.reports.admitDesk(desk.Alias); err != nil {
		return ReportPosted{}, err
	}
	if in.Box != nil {
		return s.postSealed(ctx, desk, in)
	}
	return s.postPlain(ctx, desk, in)
}

// deskFor is the desk that a report goes to: the one named, or the only one there is to know of.
func (s *Service) deskFor(ctx context.Context, alias string) (DeskView, error) {
	if alias != "" {
		return s.DeskNamed(ctx, alias)
	}
	all, err := s.Desks(ctx)
	if err != nil || len(all) == 1 {
		return append(all, DeskView{})[0], err
	}
	var names []string
	for _, d := range all {
		names = append(names, d.Alias)
	}
	if len(names) == 0 {
		return DeskView{}, polder.Errorf(polder.Invalid, "to: is empty, and no desk of this node is listed; ask your organisation for the alias of its desk")
	}
	return DeskView{}, polder.Errorf(polder.Invalid, "to: is empty; name one of the desks %s", strings.Join(names, ", "))
}

// readersOf are the readers in force to whom a report to desk is sealed.
func readersOf(desk DeskView, also string) ([]Reader, error) {
	out := desk.Readers
	if also != "" {
		if desk.Team == nil {
			return nil, polder.Errorf(polder.Conflict, "also: this desk has no response team that could read too; leave it out")
		}
		out = slices.Concat(out, desk.Team.Readers)
	}
	if len(desk.Readers) == 0 {
		return nil, polder.Errorf(polder.Conflict, "to: nobody reads for this desk yet; choose another one")
	}
	return out, nil
}

// arrival is a report that is about to be stored.
type arrival struct {
	row    reportRow
	boxes  []boxRow // the report first
	once   []byte
	wanted []seal.KeyID // readers that everything is sealed to
}

// postSealed stores what a device has sealed.
func (s *Service) postSealed(ctx context.Context, desk DeskView, in ReportPost) (ReportPosted, error) {
	readers, err := readersOf(desk, in.Also)
	if err != nil {
		return ReportPosted{}, err
	}
	out := ReportPosted{SealedBy: "device", Desk: desk.Alias}
	a, err := s.arrive(desk, in.Also, "device")
	if err != nil {
		return ReportPosted{}, err
	}
	a.wanted, _ = readerKeys(readers)
	if a.once, err = s.reports.onceOf(in.Once, []any{desk.Alias, in.Also, in.Box, nonces(in.Files)}); err != nil {
		return ReportPosted{}, err
	}
	if in.Thread != nil {
		proof, _ := readProof(in.Thread.Proof)
		if a.row.lookup, err = s.reports.lookup(ctx, proof); err != nil {
			return ReportPosted{}, err
		}
		a.row.reporter = in.Thread.Public[:]
	}
	if a.boxes, err = s.boxesOf(&a, *in.Box, PurposeReport, "reporter", in.Files); err != nil {
		return ReportPosted{}, err
	}
	id, err := s.store(ctx, &a)
	if errors.Is(err, errOtherReaders) {
		return ReportPosted{}, s.readersChanged(ctx, desk.Alias)
	}
	if err == nil && in.Thread == nil {
		out.ID = id
	}
	return out, err
}

// nonces tell files apart.
func nonces(files []seal.Box) (out [][]byte) {
	for _, f := range files {
		out = append(out, f.Nonce)
	}
	return out
}

// readersChanged is the error that tells a client whom to seal to.
func (s *Service) readersChanged(ctx context.Context, alias string) error {
	desk, err := s.deskOf(ctx, alias)
	if err != nil {
		return err
	}
	return polder.Errorf(polder.Conflict, "box: is not sealed to the readers of this desk as they are now; seal it to those in this answer, and send it again: %w", &ReadersChanged{desk})
}

// postPlain seals answers on arrival and stores what became of them.
func (s *Service) postPlain(ctx context.Context, desk DeskView, in ReportPost) (out ReportPosted, err error) {
	out = ReportPosted{SealedBy: "server", Desk: desk.Alias}
	once, err := s.reports.onceOf(in.Once, []any{desk.Alias, in.Also, in.Answers, in.Anonymous, in.Plain})
	if err != nil {
		return ReportPosted{}, err
	}
	var access seal.Access
	var lookup []byte
	if in.Anonymous {
		source, err := s.receiptSource(in.Once, *in.Answers)
		if err != nil {
			return ReportPosted{}, err
		}
		receipt, err := seal.NewReceipt(source, in.Answers.Language)
		if err != nil {
			return ReportPosted{}, err
		}
		if access, err = s.access(ctx, receipt.Words()); err != nil {
			return ReportPosted{}, err
		}
		if lookup, err = s.reports.lookup(ctx, access.Proof); err != nil {
			return ReportPosted{}, err
		}
		out.Receipt = receipt.Words()
	}
	for range reportTries {
		a, err := s.arrive(desk, in.Also, "server")
		if err != nil {
			return ReportPosted{}, err
		}
		a.once, a.row.lookup = once, lookup
		if err := s.sealArrival(&a, desk, in, access); err != nil {
			return ReportPosted{}, err
		}
		id, err := s.store(ctx, &a)
		if errors.Is(err, errOtherReaders) {
			if desk, err = s.DeskNamed(ctx, desk.Alias); err != nil {
				return ReportPosted{}, err
			}
			continue
		}
		if err == nil && !in.Anonymous {
			out.ID = id
		}
		return out, err
	}
	return ReportPosted{}, polder.Errorf(polder.Unavailable, "the readers of this desk change just now; send the report again")
}

// sealArrival seals answers and attachments to the readers of now, and the answers to the reporter too. Who is pressed may
// be made to give the words away, so what was said to a desk for that is sealed to its readers alone.
func (s *Service) sealArrival(a *arrival, desk DeskView, in ReportPost, access seal.Access) error {
	readers, err := readersOf(desk, in.Also)
	if err != nil {
		return err
	}
	ids, keys := readerKeys(readers)
	a.wanted = ids
	to, answers := keys, *in.Answers
	if in.Anonymous {
		public := access.Key.Public()
		a.row.reporter, answers.Reply = public[:], public.String()
		if desk.Kind != DeskPressed {
			to = append(slices.Clone(keys), public)
		}
	}
	text, err := json.Marshal(answers)
	if err != nil {
		return err
	}
	box, err := seal.Seal(s.o.Rand, PurposeReport, text, SealLeast, to...)
	if err != nil {
		return err
	}
	files, err := s.sealFiles(in.Plain, keys)
	if err != nil {
		return err
	}
	a.boxes, err = s.boxesOf(a, box, PurposeReport, "reporter", files)
	return err
}

func (s *Service) sealFiles(plain []ReportAttachment, keys []seal.PublicKey) ([]seal.Box, error) {
	var out []seal.Box
	for _, f := range plain {
		text, err := f.fileText()
		if err != nil {
			return nil, err
		}
		b, err := seal.Seal(s.o.Rand, PurposeFile, text, SealLeast, keys...)
		if err != nil {
			return nil, err
		}
		out = append(out, b)
	}
	return out, nil
}

// arrive begins a report to desk.
func (s *Service) arrive(desk DeskView, also, sealedBy string) (a arrival, err error) {
	hour := s.hour()
	a.row = reportRow{desk: desk.Alias, state: ReportNew, sealedBy: sealedBy, received: hour, changed: hour}
	if also != "" && desk.Team != nil {
		a.row.team = desk.Team.Alias
	}
	a.row.id, err = s.newReportID()
	return a, err
}

// hour is now, as coarse as what a reporter does is kept.
func (s *Service) hour() time.Time { return s.o.Now().UTC().Truncate(time.Hour) }

// newReportID names a report, a message or a file. Nobody guesses it.
func (s *Service) newReportID() (string, error) {
	b := make([]byte, 16)
	if _, err := io.ReadFull(s.o.Rand, b); err != nil {
		return "", err
	}
	return strings.ToLower(base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(b)), nil
}

// boxesOf are the rows of a text and its files.
func (s *Service) boxesOf(a *arrival, box seal.Box, purpose, sender string, files []seal.Box) ([]boxRow, error) {
	id, err := s.newReportID()
	if err != nil {
		return nil, err
	}
	at := a.row.received
	rows := []boxRow{{id: id, report: a.row.id, part: purpose, sender: sender, at: at, box: box, size: int64(len(box.Body))}}
	of := id
	if purpose == PurposeReport {
		of = ""
	}
	for _, f := range files {
		id, err := s.newReportID()
		if err != nil {
			return nil, err
		}
		rows = append(rows, boxRow{id: id, report: a.row.id, part: boxFile, sender: sender, at: at, of: of, box: f, size: int64(len(f.Body))})
	}
	return rows, nil
}

// putFiles stores the bodies of files and notes where they lie.
func (s *Service) putFiles(ctx context.Context, rows []boxRow) error {
	for i := range rows {
		if rows[i].part != boxFile {
			continue
		}
		h, _, err := s.o.Blobs.Put(ctx, bytes.NewReader(rows[i].box.Body))
		if err != nil {
			return err
		}
		rows[i].hash = h[:]
	}
	return nil
}

// insertBoxes writes rows, and holds their files.
func (s *Service) insertBoxes(tx *db.Tx, rows []boxRow) error {
	for _, b := range rows {
		if err := insertBox(tx, b); err != nil {
			return err
		}
		if b.part != boxFile {
			continue
		}
		if err := s.o.Blobs.Ref(tx, blob.Hash(b.hash), "cases."+b.id); err != nil {
			return err
		}
	}
	return nil
}

// inForce are the keys of those who read for desks now.
func inForce(q db.Querier, desks []string) (readers []Reader, err error) {
	for _, desk := range desks {
		rows, err := deskReading(q, desk)
		if err != nil {
			return nil, err
		}
		for _, r := range rows {
			readers = append(readers, r.reader())
		}
	}
	return readers, nil
}

// store writes a report, once: the id is that of the first time where the same post came before.
func (s *Service) store(ctx context.Context, a *arrival) (id string, err error) {
	if id, err = readOnce(s.committed(ctx), a.once); err != nil || id != "" {
		return id, err
	}
	if !sealedToAll(a.boxes, a.wanted, a.row.public()) {
		return "", errOtherReaders
	}
	if err := s.putFiles(ctx, a.boxes); err != nil {
		return "", err
	}
	err = s.o.DB.Write(ctx, func(tx *db.Tx) (err error) {
		if id, err = readOnce(tx, a.once); err != nil || id != "" {
			return err
		}
		id = a.row.id
		return s.storeTx(tx, a)
	})
	return id, err
}

// sealedToAll tells whether all boxes are sealed to the readers wanted; the texts may be to the reporter too.
func sealedToAll(boxes []boxRow, wanted []seal.KeyID, reporter *seal.PublicKey) bool {
	for _, b := range boxes {
		var may []seal.KeyID
		if reporter != nil && b.part != boxFile {
			may = append(may, reporter.ID())
		}
		if !sealedTo(b.box, wanted, may...) {
			return false
		}
	}
	return true
}

func (s *Service) storeTx(tx *db.Tx, a *arrival) error {
	desk, err := readDesk(tx, a.row.desk)
	if err != nil || desk == nil {
		return firstError(err, errNoDesk)
	}
	readers, err := inForce(tx, a.row.desks())
	if err != nil {
		return err
	}
	now, _ := readerKeys(readers)
	if !sameKeys(now, a.wanted) || a.row.team != "" && desk.Team != a.row.team {
		return errOtherReaders
	}
	if a.row.lookup != nil {
		other, err := findReport(tx, a.row.lookup)
		if err != nil {
			return err
		}
		if other != nil {
			return polder.Errorf(polder.Conflict, "thread: has come before with another report; draw a new receipt and send it again")
		}
	}
	if err := insertReport(tx, a.row); err != nil {
		return err
	}
	if err := s.insertBoxes(tx, a.boxes); err != nil {
		return err
	}
	if err := insertOnce(tx, a.once, a.row.id, a.row.received); err != nil {
		return err
	}
	if err := s.scheduleKeep(tx); err != nil {
		return err
	}
	tx.OnCommit(s.tell)
	return s.noteArrival(tx, "report.received", *desk)
}

func sameKeys(a, b []seal.KeyID) bool {
	return len(a) == len(b) && !slices.ContainsFunc(a, func(k seal.KeyID) bool { return !slices.Contains(b, k) })
}

// noteArrival writes that something came to a desk: not what, not from whom, and the time to the hour.
func (s *Service) noteArrival(tx *db.Tx, action string, desk Desk) error {
	return s.o.Audit.Append(tx, audit.Entry{Org: desk.Org, Action: action, Object: string(desk.Org), Detail: map[string]string{"desk": desk.Alias}, Narrow: true, Hour: true})
}

// scheduleKeep has old reports looked at tomorrow.
func (s *Service) scheduleKeep(tx *db.Tx) error {
	if s.o.Jobs == nil {
		return nil
	}
	return s.o.Jobs.Schedule(tx, jobs.Job{Key: reportKeepJob, Kind: reportKeepJob, At: s.o.Now().UTC().Truncate(24 * time.Hour).Add(24 * time.Hour)})
}

// deskOf is the public view of a desk that may have been closed.
func (s *Service) deskOf(ctx context.Context, alias string) (DeskView, error) {
	q := s.committed(ctx)
	d, err := anyDesk(q, alias)
	if err != nil || d == nil {
		return DeskView{}, firstError(err, errNoDesk)
	}
	return s.deskView(ctx, q, *d)
}
