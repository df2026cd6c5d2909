package detect

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"

	"github.com/polder-exchange/polder/event"
	"github.com/polder-exchange/polder/indicator"
	"github.com/polder-exchange/polder/internal/cli/clitest"
	"github.com/polder-exchange/polder/sigma"
)

// asked runs a command of detection as a person would.
func asked(t testing.TB, stdin string, args ...string) (stdout, stderr string, code int) {
	t.Helper()
	return clitest.Run(t, stdin, args, Commands(time.Now)...)
}

// written is a file of a folder of its own.
func written(t testing.TB, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	noErr(t, os.WriteFile(path, []byte(text), 0o600))
	return path
}

// everyProcess is a rule that any new process meets.
const everyProcess = `title: Any process
id: 21111111-2222-4333-8444-555555555555
level: high
logsource:
  product: windows
  category: process_creation
detection:
  selection:
    Image|exists: true
  condition: selection
`

// process is the record of a process whose image, account and host are those.
func process(image, account, host string) string {
	b, _ := json.Marshal(map[string]any{"EventID": 1, "Channel": "Microsoft-Windows-Sysmon/Operational", "Image": image, "User": account, "Computer": host})
	return string(b) + "\n"
}

// engineOf is an engine of rules and of one file of indicators, "" for none.
func engineOf(t testing.TB, rules, indicators string) *Engine {
	t.Helper()
	c, wrong := sigma.Parse([]byte(rules), "rule.yml", sigma.LoadOptions{})
	for _, e := range wrong {
		t.Fatal(e)
	}
	set, err := FixedRules(c, func(string) string { return "" })
	noErr(t, err)
	known := NewKnowledge(nil)
	if indicators != "" {
		_, err := known.LoadFile(strings.NewReader(indicators), indicator.LoadOptions{Name: "list"})
		noErr(t, err)
	}
	return NewEngine(set, known)
}

// judged is what an engine finds in a stream.
func judgedBy(t testing.TB, e *Engine, o RunOptions, name string, in io.Reader) (found []Finding, x Examined) {
	t.Helper()
	run, err := e.NewRun(o, func(f *Finding) error { found = append(found, *f); return nil })
	noErr(t, err)
	x, err = run.File(t.Context(), name, in)
	noErr(t, err)
	noErr(t, run.End())
	return found, x
}

// peak is how far the heap grew above what it was, at its highest, while do ran.
func peak(do func()) uint64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	before, most := m.HeapAlloc, uint64(0)
	stop, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		var m runtime.MemStats
		for {
			select {
			case <-stop:
				return
			case <-time.After(5 * time.Millisecond):
			}
			runtime.ReadMemStats(&m)
			if m.HeapAlloc > before {
				most = max(most, m.HeapAlloc-before)
			}
		}
	}()
	do()
	close(stop)
	<-done
	return most
}

// hostile are values that a spreadsheet, a terminal, a browser or a line of a log would obey.
var hostile = []string{
	`=cmd|' /C calc'!A0`, "@SUM(1)", "-1+1", "+1", "a\nb: forged", "a\r\nb", "a\tb", `a"b,c;d`, "nul\x00byte",
	"\x1b[2J\x1b[31mred", "\x1b]8;;https://evil.example\x1b\\click\x1b]8;;\x1b\\", "\x1b]52;c;ZXZpbA==\a", "\u202egpj.exe", "zero\u200bwidth", "c1 \u009b31m",
	"{\"kind\":\"rule\"}\n{\"kind\":\"rule\"}", "<script>alert(1)</script>",
}

// TestS14LogValues (S14): a value that an attacker put into a log is one value of one alert, in the JSON that scripts
// read and in the table of a hunt; it begins no record of its own.
func TestS14LogValues(t *testing.T) {
	var log strings.Builder
	for _, v := range hostile {
		log.WriteString(process(v, v, v))
	}
	rules, events, store := written(t, "rule.yml", everyProcess), written(t, "events.jsonl", log.String()), filepath.Join(t.TempDir(), "history")
	_, said, code := asked(t, "", "ingest", "--store", store, events)
	if code != 0 {
		t.Fatalf("ingest: %d, %s", code, said)
	}
	for _, args := range [][]string{{"detect", "--rules", rules, "--json", events}, {"hunt", "--store", store, "--rule", rules, "--json"}} {
		out, said, code := asked(t, "", args...)
		if code != 0 {
			t.Fatalf("%s: %d, %s", args[0], code, said)
		}
		met := map[string]bool{}
		for l := range strings.Lines(out) {
			var got line
			if err := json.Unmarshal([]byte(l), &got); err != nil {
				t.Fatalf("%s: %v in %q", args[0], err, l)
			}
			if got.Host != got.Account || got.Host != got.Evidence[0].Value {
				t.Errorf("%s: one value became %q, %q, %q", args[0], got.Host, got.Account, got.Evidence[0].Value)
			}
			met[got.Evidence[0].Value] = true
		}
		for _, v := range hostile {
			if !met[v] {
				t.Errorf("%s: %q did not come out as it went in", args[0], v)
			}
		}
		if len(met) != len(hostile) || strings.Count(out, "\n") != len(hostile) {
			t.Errorf("%s: %d values and %d lines of %d events", args[0], len(met), strings.Count(out, "\n"), len(hostile))
		}
	}
	out, _, _ := asked(t, "", "hunt", "--store", store, "--rule", rules)
	rows := 0
	for l := range strings.Lines(out) {
		if strings.Contains(l, "events.jsonl:") {
			rows++
		}
	}
	if rows != len(hostile) {
		t.Errorf("the table has %d rows for %d events:\n%s", rows, len(hostile), out)
	}
}

// TestS44TerminalReport (S44): nothing in a log, in the name of a file, in a rule or in a list steers the terminal on which the
// report is read; all of it is shown.
func TestS44TerminalReport(t *testing.T) {
	for i, v := range hostile {
		title, err := json.Marshal("T " + v)
		noErr(t, err)
		rule := written(t, "rule.yml", strings.Replace(everyProcess, "title: Any process", "title: "+string(title)+"\nauthor: "+string(title), 1))
		name := "events.jsonl"
		if !strings.ContainsAny(v, "/\x00") {
			name = v + ".jsonl"
		}
		events := written(t, name, process(v, v, v)+v+"\n")
		list := written(t, "list.txt", "192.0.2.1 # "+strings.ReplaceAll(v, "\n", " ")+"\n"+v+"\n")
		for _, args := range [][]string{
			{"detect", "--rules", rule, "--indicators", list, events}, {"detect", "--rules", rule, "--json", events}, {"detect", "--rules", rule, events + "\x1b[31m"}, {"rules", "lint", events},
			{"rules", "lint", "--json", events},
		} {
			out, said, _ := asked(t, "", args...)
			for _, r := range out + said {
				if r != '\n' && (r < 0x20 && r != '\t' || r >= 0x7f && r < 0xa0 || r >= 0x200b && r <= 0x200f || r >= 0x202a && r <= 0x202e) {
					t.Fatalf("value %d, %v: %q reaches the terminal:\n%q", i, args[:1], r, out+said)
				}
			}
			if slices.Contains(args, "--indicators") && !strings.Contains(out, "1. [high] T ") {
				t.Errorf("value %d: the sign is not in the report:\n%s", i, out)
			}
		}
	}
}

// TestS20NothingOutside (S20): detection asks nobody. What reads, judges and remembers events can open no connection: none of
// these packages imports what could; and a run over every kind of knowledge, PAP:RED too, holds no socket at any step.
func TestS20NothingOutside(t *testing.T) {
	dialers := []string{"net/http", "net/rpc", "net/smtp", "crypto/tls", "syscall", "os/exec", "golang.org/x/sys/unix"}
	for _, dir := range []string{"sigma", "event", "evtx", "indicator", "stix/pattern", "internal/detect/history", "internal/detect/rules"} {
		files, err := filepath.Glob(filepath.Join("..", "..", dir, "*.go"))
		noErr(t, err)
		if len(files) == 0 {
			t.Fatalf("%s holds no code: has it moved?", dir)
		}
		for _, file := range files {
			if strings.HasSuffix(file, "_test.go") || strings.HasSuffix(file, "space_unix.go") || strings.HasSuffix(file, "space_windows.go") { // the room on a disk
				continue
			}
			f, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
			noErr(t, err)
			addresses := false
			for _, i := range f.Imports {
				path := strings.Trim(i.Path.Value, `"`)
				if addresses = addresses || path == "net"; slices.Contains(dialers, path) {
					t.Errorf("%s imports %s", file, path)
				}
			}
			ast.Inspect(f, func(n ast.Node) bool {
				s, ok := n.(*ast.SelectorExpr)
				if !ok {
					return true
				}
				if from, ok := s.X.(*ast.Ident); ok && addresses && from.Name == "net" && !strings.HasPrefix(s.Sel.Name, "Parse") { // forms of addresses
					t.Errorf("%s uses net.%s", file, s.Sel.Name)
				}
				return true
			})
		}
	}
	if runtime.GOOS != "linux" {
		t.Skip("open sockets are listed on Linux only")
	}
	bundle := `{"type":"bundle","id":"bundle--aaaaaaaa-0000-4000-8000-0000000000ff","objects":[
{"type":"marking-definition","spec_version":"2.1","id":"marking-definition--c43594d1-4b11-4c59-93ab-1c9b14d53ce9","created":"2022-10-01T00:00:00Z","name":"PAP:RED","extensions":{"extension-definition--f8d78575-edfd-406e-8e84-6162a8450f5b":{"extension_type":"property-extension","pap":"red"}}},
{"type":"indicator","spec_version":"2.1","id":"indicator--aaaaaaaa-0000-4000-8000-000000000001","created":"2026-01-01T00:00:00Z","modified":"2026-01-01T00:00:00Z","pattern":"[domain-name:value = 'gate.example']","pattern_type":"stix","valid_from":"2026-01-01T00:00:00Z","object_marking_refs":["marking-definition--c43594d1-4b11-4c59-93ab-1c9b14d53ce9"]},
{"type":"indicator","spec_version":"2.1","id":"indicator--aaaaaaaa-0000-4000-8000-000000000002","created":"2026-01-01T00:00:00Z","modified":"2026-01-01T00:00:00Z","pattern":"[url:value LIKE 'https://gate.example/%']","pattern_type":"stix","valid_from":"2026-01-01T00:00:00Z"}]}`
	e := engineOf(t, everyProcess, bundle)
	log := process("https://gate.example/x", "u", "gate.example") + `{"EventID":22,"Channel":"Microsoft-Windows-Sysmon/Operational","QueryName":"www.gate.example","Image":"x"}` + "\n"
	before, found := sockets(t), 0
	check := func() {
		if now := sockets(t); now != before {
			t.Fatalf("%d sockets are open, %d were", now, before)
		}
	}
	run, err := e.NewRun(RunOptions{Progress: func(int64) { check() }}, func(f *Finding) error { found++; check(); return nil })
	noErr(t, err)
	_, err = run.File(t.Context(), "events.jsonl", strings.NewReader(strings.Repeat(log, 100)))
	noErr(t, err)
	if found < 200 {
		t.Errorf("%d findings, want one of the rule and one of the indicator for each round", found)
	}
}

func sockets(t testing.TB) (n int) {
	entries, err := os.ReadDir("/proc/self/fd")
	noErr(t, err)
	for _, e := range entries {
		if to, err := os.Readlink("/proc/self/fd/" + e.Name()); err == nil && strings.HasPrefix(to, "socket:") {
			n++
		}
	}
	return n
}

// TestS40WindowsXML (S40): XML of a log has no document type, no entity of its own and no file behind a name: such things stay
// text, and what stands around the records is no record.
func TestS40WindowsXML(t *testing.T) {
	secret := written(t, "secret", "the secret")
	record := func(image string) string {
		return `<Event xmlns="http://schemas.microsoft.com/win/2004/08/events/event"><System><Provider Name="Microsoft-Windows-Sysmon"/><EventID>1</EventID><Channel>Microsoft-Windows-Sysmon/Operational</Channel></System><EventData><Data Name="Image">` + image + `</Data></EventData></Event>`
	}
	for _, c := range []struct {
		why, text string
		want      []string // the images, "" in it for a record that is refused
	}{
		{"a document type with an entity that names a file", `<?xml version="1.0"?><!DOCTYPE Events [<!ENTITY e SYSTEM "file://` + secret + `">]><Events>` + record("a&e;b") + `</Events>`, []string{"a&e;b"}},
		{"one that grows", `<!DOCTYPE E [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]><Events>` + record("&b;&b;") + `</Events>`, []string{"&b;&b;"}},
		{"one from elsewhere", `<!DOCTYPE E SYSTEM "https://evil.example/x.dtd">` + record("a"), []string{"a"}},
		{"text around the root and between records", "before" + `<Events>x` + record("a") + "between" + record("b") + `</Events>` + "after", []string{"a", "b"}},
		{"the five names that XML knows", record("&lt;&gt;&amp;&quot;&apos;&#65;&#x42;"), []string{`<>&"'AB`}},
		{"no character of XML", record("a&#0;&#xD800;&#1114112;b"), nil},
		{"a record within a record", `<Event><System><EventID>1</EventID></System>` + record("a") + `</Event>`, nil},
		{"elements that never end", `<Events>` + record("a") + `<Event><System><EventID>1</EventID>`, []string{"a"}},
	} {
		found, x := judgedBy(t, engineOf(t, everyProcess, ""), RunOptions{Format: event.Wevtutil}, "x.xml", strings.NewReader(c.text))
		var got []string
		for _, f := range found {
			got = append(got, f.Evidence[0].Value)
			if strings.Contains(f.Evidence[0].Value, "secret") {
				t.Errorf("%s: a file was read: %q", c.why, f.Evidence[0].Value)
			}
		}
		if c.want != nil && !slices.Equal(got, c.want) {
			t.Errorf("%s: %q, want %q; %v", c.why, got, c.want, x.Trouble)
		}
		for _, v := range got {
			if len(v) > 64 {
				t.Errorf("%s: the value is %q", c.why, v)
			}
		}
	}
}

// samples are the texts of every format that the reader's own tests hold.
func samples(t testing.TB) map[string][]byte {
	out := map[string][]byte{}
	noErr(t, filepath.WalkDir(filepath.Join("..", "..", "event", "testdata"), func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || strings.HasSuffix(path, ".golden") || strings.Contains(path, "fuzz") {
			return err
		}
		text, err := os.ReadFile(path)
		out[filepath.Base(path)] = text
		return err
	}))
	if len(out) < 20 {
		t.Fatalf("%d samples: have they moved?", len(out))
	}
	return out
}

// TestS41DamagedLogs (S41): every format cut off, with flipped bits and spliced with another is read as far as it goes. What is not
// read has its place, nothing panics, records and memory stay within the size of the file.
func TestS41DamagedLogs(t *testing.T) {
	own, err := OwnRules()
	noErr(t, err)
	set, err := FixedRules(own, ownAdvice)
	noErr(t, err)
	e := NewEngine(set, knowing(t, nil, "gate.example\n192.0.2.0/24\n", "list"))
	r := rand.New(rand.NewPCG(1, 2))
	all := samples(t)
	names := make([]string, 0, len(all))
	for name := range all {
		names = append(names, name)
	}
	slices.Sort(names)
	try := func(name, why string, data []byte) {
		_, x := judgedBy(t, e, RunOptions{Threads: 1, MaxRecord: 1 << 20}, name, bytes.NewReader(data))
		if x.Events+x.Unreadable > int64(len(data))+1 && x.Compression == "" {
			t.Errorf("%s, %s: %d records in %d bytes", name, why, x.Events+x.Unreadable, len(data))
		}
		if x.Unreadable > 0 && len(x.Trouble) == 0 || x.Format == "" && len(x.Trouble) == 0 && len(data) > 0 {
			t.Errorf("%s, %s: something could not be read, and nothing is said: %+v", name, why, x)
		}
		for _, text := range x.Trouble {
			if len(text) > 2000 {
				t.Errorf("%s, %s: a complaint of %d bytes", name, why, len(text))
			}
		}
	}
	most := peak(func() {
		for i, name := range names {
			data := all[name]
			for range 8 {
				n := r.IntN(len(data))
				try(name, fmt.Sprintf("cut at %d", n), data[:n])
				flipped := bytes.Clone(data)
				for range 1 + r.IntN(20) {
					flipped[r.IntN(len(flipped))] ^= 1 << r.IntN(8)
				}
				try(name, "flipped", flipped)
				other := all[names[(i+1)%len(names)]]
				try(name, "spliced", append(bytes.Clone(data[:n]), other[r.IntN(len(other)):]...))
			}
		}
	})
	if most > 96<<20 {
		t.Errorf("the heap grew by %d MiB", most>>20)
	}
}

// repeats is a stream of so many bytes of a text, over and over.
type repeats struct {
	text string
	left int64
	at   int
}

func (r *repeats) Read(p []byte) (int, error) {
	if r.left == 0 {
		return 0, io.EOF
	}
	n := 0
	for n < len(p) && r.left > 0 {
		c := copy(p[n:min(len(p), n+int(min(r.left, int64(len(p)))))], r.text[r.at:])
		r.at = (r.at + c) % len(r.text)
		n += c
		r.left -= int64(c)
	}
	return n, nil
}

// TestS42LogBombs (S42): a small file that unpacks to a large one, in one layer or in two, costs time in proportion to what it
// unpacks to, and hardly any memory. A third layer is not undone.
func TestS42LogBombs(t *testing.T) {
	const size = 128 << 20
	text := strings.Repeat(" ", 1000) + "\n"
	pack := func(gz bool, in io.Reader) []byte {
		var b bytes.Buffer
		var w io.WriteCloser
		if gz {
			w, _ = gzip.NewWriterLevel(&b, gzip.BestSpeed)
		} else {
			var err error
			w, err = zstd.NewWriter(&b, zstd.WithEncoderConcurrency(1))
			noErr(t, err)
		}
		_, err := io.Copy(w, in)
		noErr(t, err)
		noErr(t, w.Close())
		return b.Bytes()
	}
	record := process("a", "b", "c")
	bomb := func() io.Reader {
		return io.MultiReader(strings.NewReader(record), &repeats{text: text, left: size}, strings.NewReader(record))
	}
	one, other := pack(true, bomb()), pack(false, bomb())
	long := pack(true, io.MultiReader(strings.NewReader(record+`{"EventID":1,"Image":"`), &repeats{text: "x", left: size}, strings.NewReader("\"}\n"+record)))
	e := engineOf(t, everyProcess, "")
	for _, c := range []struct {
		why   string
		data  []byte
		want  int
		wrong int64
	}{
		{"gzip", one, 2, 0}, {"zstd", other, 2, 0}, {"gzip in zstd", pack(false, bytes.NewReader(one)), 2, 0},
		{"a record that has no end", long, 2, 1},
		{"three layers", pack(true, bytes.NewReader(pack(false, bytes.NewReader(one)))), 0, 0},
	} {
		var found []Finding
		var x Examined
		most := peak(func() { found, x = judgedBy(t, e, RunOptions{Threads: 2}, "bomb", bytes.NewReader(c.data)) })
		if len(found) != c.want || x.Unreadable != c.wrong || c.want == 0 && (x.Format != "" || len(x.Trouble) == 0) {
			t.Errorf("%s: %d findings, %+v", c.why, len(found), x)
		}
		if most > 128<<20 {
			t.Errorf("%s: %d bytes took %d MiB of memory", c.why, len(c.data), most>>20)
		}
	}
}

// TestLongLog: a log that is far longer than memory is judged in memory of a fixed size. Ten gigabytes are stood in for by a reader
// that repeats: all ten when soaking is asked for, 160 MB otherwise; the bound is the same for both.
func TestLongLog(t *testing.T) {
	size := int64(160 << 20)
	if os.Getenv("POLDER_SOAK") != "" {
		size = 10 << 30
	}
	text := strings.Repeat(process(`C:\quiet.exe`, "u", "h"), 100)
	text += process(`C:\whoami.exe`, "u", "h")
	size -= size % int64(len(text))
	rule := strings.Replace(everyProcess, "Image|exists: true", `Image|endswith: '\whoami.exe'`, 1)
	e := engineOf(t, rule, "")
	var n int
	run, err := e.NewRun(RunOptions{Threads: 2}, func(*Finding) error { n++; return nil })
	noErr(t, err)
	var x Examined
	most := peak(func() { x, err = run.File(t.Context(), "long.jsonl", &repeats{text: text, left: size}) })
	noErr(t, err)
	if int64(n) != size/int64(len(text)) || x.Bytes != size || most > 96<<20 {
		t.Errorf("%d findings in %d bytes of %d, with %d MiB", n, x.Bytes, size, most>>20)
	}
}

// TestInterrupted: a run that is told to end ends, also amid a stream that has none, and its half answer is not given as a whole.
func TestInterrupted(t *testing.T) {
	e := engineOf(t, everyProcess, "")
	ctx, cancel := context.WithCancel(t.Context())
	n := 0
	run, err := e.NewRun(RunOptions{Threads: 2}, func(*Finding) error {
		if n++; n == 1000 {
			cancel()
		}
		return nil
	})
	noErr(t, err)
	done := make(chan error, 1)
	go func() {
		_, err := run.File(ctx, "endless", &repeats{text: process("a", "b", "c"), left: 1 << 50})
		done <- err
	}()
	select {
	case err := <-done:
		if err != context.Canceled {
			t.Errorf("the run ended with %v", err)
		}
	case <-time.After(20 * time.Second):
		t.Fatal("the run did not end")
	}
}
