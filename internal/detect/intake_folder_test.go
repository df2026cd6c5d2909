package detect

import (
	"bytes"
	"compress/gzip"
	"context"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// wholeJudge checks a whole file by lines, after gzip was undone.
type wholeJudge struct {
	names []string
	err   error
}

func (c *wholeJudge) Knowing() Knowing { return Knowing{Rules: 41, Indicators: 1200, BuiltIn: true} }

func (c *wholeJudge) Check(_ context.Context, name string, in io.Reader, found func(*Finding) error) (Examined, error) {
	c.names = append(c.names, name)
	x := Examined{File: name, Format: "json"}
	data, err := io.ReadAll(in)
	if err != nil {
		return x, err
	}
	if z, err := gzip.NewReader(bytes.NewReader(data)); err == nil {
		x.Compression = "gzip"
		data, _ = io.ReadAll(z)
	}
	for line := range bytes.Lines(data) {
		line = bytes.TrimSpace(line)
		if !bytes.HasPrefix(line, []byte("{")) {
			x.Unreadable++
			continue
		}
		if bytes.Contains(line, []byte("bad")) {
			f := Finding{Kind: ByRule, ID: "rule", Title: "Archive made before upload", Level: High, Why: "the rule's own", File: name, Event: int(x.Events), Events: [][]byte{line}, Host: "WS-041", Evidence: []Evidence{{"x", string(line)}}}
			if err := found(&f); err != nil {
				return x, err
			}
		}
		x.Events++
	}
	x.Bytes = int64(len(data))
	return x, c.err
}

// folderWorld is a watched folder.
type folderWorld struct {
	*alertWorld
	f     *Folder
	in    *Intake
	j     *lineJudge
	whole *wholeJudge
	path  string
}

func newFolderWorld(t *testing.T, done string) *folderWorld {
	w := &folderWorld{alertWorld: newAlertWorld(t), j: newLineJudge(), whole: &wholeJudge{}, path: t.TempDir()}
	w.in = w.intake(IntakeOptions{Judge: w.j})
	stop := running(t, w.in)
	t.Cleanup(stop)
	w.f = NewFolder(FolderOptions{Dir: w.path, Org: here, Done: done, Intake: w.in, Checker: w.whole, Service: w.Service, Now: func() time.Time { return w.pass(0) }})
	return w
}

// write puts bytes into a file that then has not changed for so long.
func (w *folderWorld) write(name, text string, age time.Duration) {
	w.t.Helper()
	path := filepath.Join(w.path, name)
	noErr(w.t, os.WriteFile(path, []byte(text), 0o600))
	at := w.pass(0).Add(-age)
	noErr(w.t, os.Chtimes(path, at, at))
}

// look goes over the folder and gives how often each line was judged since the last look.
func (w *folderWorld) look() map[string]int {
	w.t.Helper()
	w.j.mu.Lock()
	w.j.lines = map[string]int{}
	w.j.mu.Unlock()
	noErr(w.t, w.f.look(w.t.Context()))
	until(w.t, "the lines", func() bool { return w.in.Waiting() == 0 })
	w.j.mu.Lock()
	defer w.j.mu.Unlock()
	return w.j.lines
}

func onlyLines(t *testing.T, why string, got map[string]int, want ...string) {
	t.Helper()
	if len(got) != len(want) {
		t.Errorf("%s: judged %v, want %q", why, got, want)
		return
	}
	for _, line := range want {
		if got[line] != 1 {
			t.Errorf("%s: judged %v, want %q once each", why, got, want)
		}
	}
}

// TestFolderFollows: a log is followed as it grows, is renamed, cut and replaced, across starts; half a line waits for
// its other half.
func TestFolderFollows(t *testing.T) {
	w := newFolderWorld(t, "")
	w.write("a.log", "one\ntwo\nthr", time.Second)
	w.write(".hidden", "x\n", time.Hour)
	w.write("half.part", "x\n", time.Hour)
	noErr(t, os.Symlink("/etc/hostname", filepath.Join(w.path, "link.log")))
	noErr(t, os.Mkdir(filepath.Join(w.path, "below"), 0o700))
	onlyLines(t, "first", w.look(), "one", "two")
	onlyLines(t, "nothing new", w.look())
	w.write("a.log", "one\ntwo\nthree\n", time.Second)
	onlyLines(t, "the other half", w.look(), "three")
	w.f = NewFolder(w.f.o) // a start
	w.write("a.log", "one\ntwo\nthree\nfour", time.Hour)
	onlyLines(t, "a last line without its end, when nothing comes any more", w.look(), "four")
	noErr(t, os.Rename(filepath.Join(w.path, "a.log"), filepath.Join(w.path, "a.log.1")))
	w.write("a.log", "five\n", time.Second)
	onlyLines(t, "rotated: the new one alone", w.look(), "five")
	w.write("a.log.1", "one\ntwo\nthree\nfour\nlate\n", time.Second)
	onlyLines(t, "the renamed one goes on", w.look(), "late")
	w.write("a.log", "six\nseven\n", time.Second)
	onlyLines(t, "replaced by another", w.look(), "six", "seven")
	noErr(t, os.Remove(filepath.Join(w.path, "a.log")))
	onlyLines(t, "gone", w.look())
	w.write("a.log", "six\n", time.Second)
	onlyLines(t, "there again", w.look(), "six")
}

// TestFolderHeadings: lines that come later are judged with the lines that say what their columns are, and count from
// where they stand.
func TestFolderHeadings(t *testing.T) {
	w := newFolderWorld(t, "")
	w.write("dns.log", "#separator \\x09\n#fields\tts\tquery\n1\tgood\n", time.Second)
	w.write("fw.csv", "time,action\n1,allow\n", time.Second)
	w.look()
	w.write("dns.log", "#separator \\x09\n#fields\tts\tquery\n1\tgood\n2\tbad\n", time.Second)
	w.write("fw.csv", "time,action\n1,allow\n2,bad\n", time.Second)
	onlyLines(t, "later lines", w.look(), "#separator \\x09", "#fields\tts\tquery", "2\tbad", "time,action", "2,bad")
	var events []int
	rows, err := w.db.Read().Query(`SELECT event FROM alert ORDER BY file`)
	noErr(t, err)
	defer rows.Close()
	for rows.Next() {
		var n int
		noErr(t, rows.Scan(&n))
		events = append(events, n)
	}
	if len(events) != 2 {
		t.Errorf("alerts at %v", events)
	}
}

// TestFolderWhole: a packed file is read as a whole once it does not change, kept once, and moved away.
func TestFolderWhole(t *testing.T) {
	done := filepath.Join(t.TempDir(), "done")
	w := newFolderWorld(t, done)
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	_, _ = z.Write([]byte("{\"x\":\"bad\"}\n{\"x\":1}\nrubbish\n"))
	noErr(t, z.Close())
	w.write("old.json.gz", packed.String(), time.Second)
	w.look()
	if len(w.whole.names) != 0 {
		t.Error("a file that may still grow was read")
	}
	w.write("old.json.gz", packed.String(), time.Hour)
	w.write("lines.log", "{\"x\":\"bad line\"}\n", time.Hour)
	w.look()
	w.look()
	if len(w.whole.names) != 1 {
		t.Errorf("read as a whole: %v", w.whole.names)
	}
	for _, name := range []string{"old.json.gz", "lines.log"} {
		if _, err := os.Stat(filepath.Join(done, name)); err != nil {
			t.Errorf("a finished file was not moved: %v", err)
		}
	}
	sources, err := w.Sources(t.Context(), w.reader(here))
	noErr(t, err)
	if len(sources) != 1 || sources[0].Events != 3 || sources[0].Lost != 1 || !strings.HasPrefix(sources[0].Name, "folder ") {
		t.Errorf("the figures are %+v", sources)
	}
	counts, err := w.Counts(t.Context(), w.reader(here))
	noErr(t, err)
	if counts.States[StateNew] == 0 {
		t.Error("nothing was kept")
	}
	w.write("lines.log", "{\"x\":\"another\"}\n", time.Hour)
	onlyLines(t, "another of the same name", w.look(), `{"x":"another"}`)
	if left, _ := os.ReadDir(done); len(left) != 3 {
		t.Errorf("%d files were moved, want 3 and none written over", len(left))
	}
}

// TestFolderLongLine: a line that is longer than any event is passed over, and what follows is read.
func TestFolderLongLine(t *testing.T) {
	w := newFolderWorld(t, "")
	w.write("a.log", "before\n"+strings.Repeat("x", followPiece+followPiece/2)+"\nafter\n", time.Second)
	onlyLines(t, "around the long line", w.look(), "before", "after")
}
