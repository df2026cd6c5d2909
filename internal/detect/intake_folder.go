package detect

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/db"
)

// Checker holds a whole log against what is known. It may be called by several goroutines, each with a log of its own.
type Checker interface {
	// Check reads in to its end. found is called by one goroutine, in the order of the events; its error ends the check
	// and comes back. What could not be read is said in Examined.
	Check(ctx context.Context, name string, in io.Reader, found func(*Finding) error) (Examined, error)
	// Knowing is what it holds logs against now.
	Knowing() Knowing
}

// FolderOptions are what a [Folder] needs; Dir, Org, Intake, Checker, Service and Now must be there.
type FolderOptions struct {
	Dir     string
	Org     polder.OrgID // whose events these are
	Done    string       // where finished files are moved; "" leaves them where they are, and remembers them
	Intake  *Intake
	Checker Checker
	Service *Service
	Now     func() time.Time
	Log     *slog.Logger
	Poll    time.Duration // 0 is five seconds
	Settle  time.Duration // after which a file that does not change counts as finished; 0 is half a minute
}

// Folder takes in what lies in a folder. Logs of lines are followed while they grow, and go through the spool; packed
// and binary files are read as a whole once they do not change any more. A file is known again by how it begins, so
// that one that was renamed goes on where it was and one that was replaced begins anew.
//
// Only files of the folder itself are read: no folders below it, no links, none that begin with a dot.
type Folder struct{ o FolderOptions }

// NewFolder makes a watcher; [Folder.Run] runs it.
func NewFolder(o FolderOptions) *Folder {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	setDefault(&o.Poll, 5*time.Second)
	setDefault(&o.Settle, 30*time.Second)
	return &Folder{o}
}

// Run looks into the folder again and again until ctx ends.
func (f *Folder) Run(ctx context.Context) {
	t := time.NewTicker(f.o.Poll)
	defer t.Stop()
	said := ""
	for {
		err := f.look(ctx)
		switch {
		case ctx.Err() != nil:
			return
		case err == nil:
			said = ""
		case err.Error() != said: // the same again is not said again
			said = err.Error()
			f.o.Log.Error("a watched folder cannot be read; trying again", "folder", f.o.Dir, "error", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-t.C:
		}
	}
}

const (
	knownStart  = 1 << 10 // bytes by which a file is known again
	followPiece = 4 << 20 // bytes of a log that make one batch
	mostFiles   = 10_000  // of one folder
)

// watched is a file of the folder, open.
type watched struct {
	name string
	file *os.File
	info fs.FileInfo
	mark fileMark
	own  bool // the mark is that of its name
}

// look goes over the folder once.
func (f *Folder) look(ctx context.Context) error {
	root, err := os.OpenRoot(f.o.Dir)
	if err != nil {
		return err
	}
	defer root.Close()
	names, err := f.names(root)
	if err != nil {
		return err
	}
	marks, err := readMarks(ctx, f.o.Service.o.DB.Read(), f.o.Dir)
	if err != nil {
		return err
	}
	claimed := map[string]bool{}
	for _, known := range []bool{true, false} { // who is known by name and beginning goes first
		for _, name := range names {
			if claimed["/"+name] {
				continue
			}
			if err := f.visit(ctx, root, name, marks, claimed, known); err != nil {
				return err
			}
		}
	}
	return f.forget(ctx, marks, names)
}

// names are the files that are read, sorted.
func (f *Folder) names(root *os.Root) ([]string, error) {
	dir, err := root.Open(".")
	if err != nil {
		return nil, err
	}
	defer dir.Close()
	entries, err := dir.ReadDir(mostFiles)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	var names []string
	for _, e := range entries {
		if e.Type().IsRegular() && !strings.HasPrefix(e.Name(), ".") && !strings.HasSuffix(e.Name(), ".tmp") && !strings.HasSuffix(e.Name(), ".part") {
			names = append(names, e.Name())
		}
	}
	slices.Sort(names)
	return names, nil
}

// visit reads what is new in one file. With known it does so only if the file is the one that is remembered under its
// name. claimed holds the marks that were found again, and as "/name" the files that were visited.
func (f *Folder) visit(ctx context.Context, root *os.Root, name string, marks []fileMark, claimed map[string]bool, known bool) error {
	file, err := root.Open(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		f.o.Log.Warn("a file of a watched folder cannot be read", "file", name, "error", err)
		return nil
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return err
	}
	w := watched{name: name, file: file, info: info, mark: fileMark{path: name}}
	for _, m := range marks {
		if claimed[m.path] || known != (m.path == name) || !m.begins(file, info.Size()) {
			continue
		}
		claimed[m.path] = true
		w.mark, w.own = m, known
		w.mark.path = name
		break
	}
	if known && !w.own {
		return nil
	}
	claimed["/"+name] = true
	return f.read(ctx, root, &w)
}

// begins tells whether a file is the one that the mark is of: at least as long, with the same beginning.
func (m fileMark) begins(file io.ReaderAt, size int64) bool {
	return size >= m.offset && bytes.Equal(m.start, startOf(file, m.known))
}

// startOf is the hash of the first n bytes of a file.
func startOf(file io.ReaderAt, n int64) []byte {
	h := sha256.New()
	_, _ = io.Copy(h, io.NewSectionReader(file, 0, n)) // what cannot be read has another hash
	return h.Sum(nil)
}

// settled tells whether a file has not changed for a while.
func (f *Folder) settled(w *watched) bool {
	return !w.info.ModTime().After(f.o.Now().Add(-f.o.Settle))
}

// read takes in what is new in a file, and puts it away when it is finished.
func (f *Folder) read(ctx context.Context, root *os.Root, w *watched) error {
	if w.info.Size() > w.mark.offset {
		var head [16]byte
		n, _ := w.file.ReadAt(head[:], 0)
		var err error
		if wholeFile(head[:n]) {
			if !f.settled(w) {
				return nil
			}
			err = f.check(ctx, w)
		} else {
			err = f.follow(ctx, w)
		}
		if err != nil {
			return err
		}
	} else if !w.own && w.mark.known > 0 { // renamed since
		if err := f.remember(ctx, w); err != nil {
			return err
		}
	}
	if f.o.Done != "" && w.info.Size() > 0 && w.mark.offset >= w.info.Size() && f.settled(w) {
		return f.putAway(root, w)
	}
	return nil
}

// wholeFile tells by its first bytes whether a file cannot be read line by line: gzip, zstd, EVTX, XML, a JSON array,
// and text in UTF-16.
func wholeFile(head []byte) bool {
	for _, magic := range []string{"\x1f\x8b", "\x28\xb5\x2f\xfd", "ElfFile\x00", "\xff\xfe", "\xfe\xff", "<", "[", "\xef\xbb\xbf<", "\xef\xbb\xbf["} {
		if bytes.HasPrefix(head, []byte(magic)) {
			return true
		}
	}
	return false
}

// source is the way in by which the folder is named.
func (f *Folder) source() string { return "folder " + filepath.Base(f.o.Dir) }

// follow takes in the whole lines behind where it was, and the last one too when the file does not change any more.
func (f *Folder) follow(ctx context.Context, w *watched) error {
	buf := make([]byte, followPiece)
	for w.mark.offset < w.info.Size() && ctx.Err() == nil {
		n, err := w.file.ReadAt(buf, w.mark.offset)
		if err != nil && err != io.EOF {
			return err
		}
		piece := buf[:n]
		switch end := bytes.LastIndexByte(piece, '\n'); {
		case end >= 0:
			piece = piece[:end+1]
		case n == len(buf):
			if err := f.pass(ctx, w); err != nil {
				return err
			}
			continue
		case !f.settled(w) || n == 0:
			return nil
		}
		if err := f.take(ctx, w, piece); err != nil {
			return err
		}
	}
	return ctx.Err()
}

// take puts lines of a file into the spool, with the lines that say what its columns are, and remembers it.
func (f *Folder) take(ctx context.Context, w *watched, piece []byte) error {
	events := 0
	for line := range bytes.Lines(piece) {
		if line = bytes.TrimSpace(line); len(line) > 0 && line[0] != '#' {
			events++
		}
	}
	data := piece
	if w.mark.offset > 0 {
		data = slices.Concat(f.heading(w), piece)
	}
	if events > 0 {
		if _, err := f.o.Intake.Accept(Batch{Org: f.o.Org, Source: f.source(), Name: w.name, First: w.mark.line, Events: events, Data: data}); err != nil {
			return err
		}
	}
	w.mark.offset += int64(len(piece))
	w.mark.line += events
	return f.remember(ctx, w)
}

// heading are the lines at the beginning of a file without which the others cannot be read: the comments of Zeek, the
// names of columns of CSV.
func (f *Folder) heading(w *watched) []byte {
	head := make([]byte, 64<<10)
	n, _ := w.file.ReadAt(head, 0)
	head = head[:min(int64(n), w.mark.offset)]
	end := 0
	for line := range bytes.Lines(head) {
		if line[0] != '#' && !(end == 0 && strings.EqualFold(filepath.Ext(w.name), ".csv")) || line[len(line)-1] != '\n' {
			break
		}
		end += len(line)
	}
	return head[:end]
}

// pass goes on behind a line that is longer than a batch.
func (f *Folder) pass(ctx context.Context, w *watched) error {
	in := io.NewSectionReader(w.file, w.mark.offset, w.info.Size()-w.mark.offset)
	buf := make([]byte, 64<<10)
	for {
		n, err := in.Read(buf)
		if end := bytes.IndexByte(buf[:n], '\n'); end >= 0 {
			w.mark.offset += int64(end) + 1
			break
		}
		w.mark.offset += int64(n)
		if err != nil || ctx.Err() != nil {
			break
		}
	}
	w.mark.line++
	f.o.Log.Warn("a line of a file is too long for an event and was passed over", "file", w.name, "line", w.mark.line)
	if err := f.count(ctx, intakeCount{lost: 1}); err != nil {
		return err
	}
	return f.remember(ctx, w)
}

// check reads a file as a whole and keeps what is found. Only when it is through is the file remembered: after a crash
// it is read again, which stores nothing twice.
func (f *Folder) check(ctx context.Context, w *watched) error {
	var found []Finding
	keep := func() error {
		_, err := f.o.Service.Record(ctx, f.o.Org, found)
		found = found[:0]
		return err
	}
	x, err := f.o.Checker.Check(ctx, w.name, io.NewSectionReader(w.file, 0, w.info.Size()), func(one *Finding) error {
		found = append(found, *one)
		if len(found) < recordBatch {
			return nil
		}
		return keep()
	})
	if err == nil {
		err = keep()
	}
	if err != nil {
		return err
	}
	for _, said := range x.Trouble {
		f.o.Log.Warn("a file was not read as a whole", "file", w.name, "trouble", said)
	}
	w.mark.offset = w.info.Size()
	if err := f.count(ctx, intakeCount{events: x.Events, bytes: w.info.Size(), lost: x.Unreadable, last: f.o.Now()}); err != nil {
		return err
	}
	return f.remember(ctx, w)
}

func (f *Folder) count(ctx context.Context, c intakeCount) error {
	return f.o.Service.o.DB.Write(ctx, func(tx *db.Tx) error { return countSource(tx, source{f.o.Org, f.source()}, c) })
}

// remember writes down how far a file was read.
func (f *Folder) remember(ctx context.Context, w *watched) error {
	w.mark.known = min(w.mark.offset, knownStart)
	w.mark.start = startOf(w.file, w.mark.known)
	return f.o.Service.o.DB.Write(ctx, func(tx *db.Tx) error { return putMark(tx, f.o.Dir, w.mark, f.o.Now()) })
}

// putAway moves a finished file; one of its name that is there already is not touched.
func (f *Folder) putAway(root *os.Root, w *watched) error {
	if err := os.MkdirAll(f.o.Done, 0o700); err != nil {
		return err
	}
	to := filepath.Join(f.o.Done, w.name)
	if _, err := os.Lstat(to); err == nil {
		to = filepath.Join(f.o.Done, f.o.Now().UTC().Format("20060102T150405.000000Z-")+w.name)
	}
	return os.Rename(filepath.Join(root.Name(), w.name), to)
}

// forget drops what is remembered of files that are gone.
func (f *Folder) forget(ctx context.Context, marks []fileMark, names []string) error {
	for _, m := range marks {
		if slices.Contains(names, m.path) {
			continue
		}
		if err := f.o.Service.o.DB.Write(ctx, func(tx *db.Tx) error { return dropMark(tx, f.o.Dir, m.path) }); err != nil {
			return err
		}
	}
	return nil
}
