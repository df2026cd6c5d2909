package event

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"math/rand"
	"os"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/klauspost/compress/zstd"
)

func gzipped(data []byte) []byte {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	z.Write(data)
	z.Close()
	return b.Bytes()
}

func zstded(t testing.TB, data []byte) []byte {
	z, err := zstd.NewWriter(nil)
	if err != nil {
		t.Fatal(err)
	}
	return z.EncodeAll(data, nil)
}

// numbered lines of JSON, each a little different.
func jsonLines(n int) []byte {
	var b bytes.Buffer
	for i := range n {
		fmt.Fprintf(&b, "{\"i\":%d,\"text\":\"%x\"}\n", i, i*7919)
	}
	return b.Bytes()
}

func TestCompression(t *testing.T) {
	plain := jsonLines(5000)
	for _, c := range []struct {
		why, want string
		data      []byte
	}{
		{"none", "", plain},
		{"gzip", "gzip", gzipped(plain)},
		{"zstd", "zstd", zstded(t, plain)},
		{"one inside the other", "gzip, zstd", gzipped(zstded(t, plain))},
		{"gzip twice, as by a log shipper and a person", "gzip, gzip", gzipped(gzipped(plain))},
		{"two members one after the other, as rotated logs are joined", "gzip", append(gzipped(plain[:bytes.IndexByte(plain, '\n')+1]), gzipped(plain[bytes.IndexByte(plain, '\n')+1:])...)},
	} {
		events, errs, s := readAll(t, bytes.NewReader(c.data), Options{})
		if len(events) != 5000 || len(errs) > 0 || s.Compression() != c.want {
			t.Errorf("%s: %d events, %v, compression %q", c.why, len(events), errs, s.Compression())
		}
		if s.Bytes() != int64(len(plain)) {
			t.Errorf("%s: %d bytes, want %d", c.why, s.Bytes(), len(plain))
		}
	}
}

func TestTruncated(t *testing.T) {
	var plain bytes.Buffer
	random := rand.New(rand.NewSource(1))
	for i := range 20_000 {
		fmt.Fprintf(&plain, "{\"i\":%d,\"text\":\"%x\"}\n", i, random.Int63())
	}
	for name, data := range map[string][]byte{"gzip": gzipped(plain.Bytes()), "zstd": zstded(t, plain.Bytes())} {
		events, errs, _ := readAll(t, bytes.NewReader(data[:len(data)*2/3]), Options{Name: "cut." + name})
		if len(events) < 5000 || len(errs) != 1 {
			t.Fatalf("%s: %d events, %v", name, len(events), errs)
		}
		for i, e := range events {
			if e.Index != i || string(e.Fields[0].Value) != fmt.Sprint(i) {
				t.Fatalf("%s: event %d is %d, %s", name, i, e.Index, e.Raw)
			}
		}
		if !strings.Contains(errs[0].Error(), "breaks off") || errs[0].Index != len(events) {
			t.Errorf("%s: %v at %d after %d events", name, errs[0], errs[0].Index, len(events))
		}
	}
	events, errs, _ := readAll(t, strings.NewReader("{\n \"a\": 1\n}\n{\n \"a\":"), Options{})
	if len(events) != 1 || len(errs) != 1 || !strings.Contains(errs[0].Text, "ends amid record 1") {
		t.Errorf("an object that ends early: %d events, %v", len(events), errs)
	}
}

// repeated gives text n times, without holding it.
type repeated struct {
	text string
	n    int
	rest string
}

func (r *repeated) Read(p []byte) (int, error) {
	if r.rest == "" {
		if r.n == 0 {
			return 0, io.EOF
		}
		r.n--
		r.rest = r.text
	}
	n := copy(p, r.rest)
	r.rest = r.rest[n:]
	return n, nil
}

// longLine is a stream with a line of about mebibytes MiB between two events.
func longLine(mebibytes int, open, end string) io.Reader {
	return io.MultiReader(strings.NewReader("{\"i\":0}\n"+open), &repeated{text: strings.Repeat("x", 1<<20), n: mebibytes},
		strings.NewReader(end+"\n{\"i\":2}\n"))
}

func TestLongRecord(t *testing.T) {
	for _, c := range []struct {
		why       string
		in        io.Reader
		o         Options
		mebibytes int
	}{
		{"a long line of JSON", longLine(3, `{"i":1,"text":"`, `"}`), Options{MaxRecord: 1 << 16}, 3},
		{"a long line that is no JSON", longLine(3, "", ""), Options{MaxRecord: 1 << 16}, 3},
		{"a long object in a list", io.MultiReader(strings.NewReader("["), longLine(3, `,{"i":1,"text":"}\"`, `"},`), strings.NewReader("]")), Options{MaxRecord: 1 << 16}, 3},
	} {
		events, errs, _ := readAll(t, c.in, c.o)
		if len(events) != 2 || events[1].Index != 2 || len(errs) != 1 || errs[0].Index != 1 {
			t.Errorf("%s: %d events, %v", c.why, len(events), errs)
			continue
		}
		if !strings.Contains(errs[0].Text, "the longest that is read is 65536") || errs[0].Line != 2 && errs[0].Line != 1 {
			t.Errorf("%s: %v", c.why, errs[0])
		}
	}
}

func TestRecordOfTheGreatestLength(t *testing.T) {
	for _, ending := range []string{"\n", "\r\n", ""} {
		for length, want := range map[int]int{1000: 0, 1001: 1} {
			line := `{"a":"` + strings.Repeat("x", length-8) + `"}`
			events, errs, _ := readAll(t, strings.NewReader(line+ending), Options{MaxRecord: 1000})
			if len(errs) != want || len(events) != 1-want {
				t.Errorf("%d bytes, ending %q: %d events, %v", len(line), ending, len(events), errs)
			}
		}
	}
}

func TestHundredMegabyteLine(t *testing.T) {
	if testing.Short() {
		t.Skip("reads 100 MB; left out with -short")
	}
	events, errs, _ := readAll(t, longLine(100, `{"i":1,"text":"`, `"}`), Options{Name: "big.json"})
	if len(events) != 2 || len(errs) != 1 || errs[0].Index != 1 || errs[0].Line != 2 {
		t.Fatalf("%d events, %v", len(events), errs)
	}
}

func TestBomb(t *testing.T) {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	io.Copy(z, &repeated{text: strings.Repeat("x", 1<<20), n: 64})
	z.Close()
	bomb := gzipped(b.Bytes()) // 64 MiB in well under a kilobyte
	s, err := Open(bytes.NewReader(bomb), Options{Format: JSON, MaxRecord: 1 << 16})
	if err != nil {
		t.Fatal(err)
	}
	c, err := s.Next()
	if err != nil || c.refused == nil {
		t.Fatalf("%v, %v", c.refused, err)
	}
	if held := cap(s.rest); held > 4<<20 {
		t.Errorf("%d bytes are held for a stream of one line", held)
	}
	if _, err := s.Next(); err != io.EOF {
		t.Errorf("after it: %v", err)
	}
}

func inUTF16(text string, low, mark bool) []byte {
	var b []byte
	units := utf16.Encode([]rune(text))
	if mark {
		units = append([]uint16{0xfeff}, units...)
	}
	for _, u := range units {
		if low {
			b = append(b, byte(u), byte(u>>8))
		} else {
			b = append(b, byte(u>>8), byte(u))
		}
	}
	return b
}

func TestEncodings(t *testing.T) {
	text := "{\"a\":\"caf\u00e9\"}\r\n\r\n{\"a\":2}\r\n"
	for why, data := range map[string][]byte{
		"UTF-8":                           []byte(text),
		"with a mark":                     []byte("\ufeff" + text),
		"UTF-16, as PowerShell redirects": inUTF16(text, true, true),
		"UTF-16, the other order":         inUTF16(text, false, true),
		"UTF-16 without a mark":           inUTF16("{\"a\":\"cafe\"}\r\n{\"a\":2}\r\n", true, false),
	} {
		events, errs, _ := readAll(t, bytes.NewReader(data), Options{})
		if len(events) != 2 || len(errs) != 0 || !strings.HasPrefix(string(events[0].Fields[0].Value), "caf") {
			t.Errorf("%s: %d events, %v", why, len(events), errs)
		}
	}
}

func TestRubbish(t *testing.T) {
	noise := make([]byte, 4096)
	rand.New(rand.NewSource(2)).Read(noise)
	for _, c := range []struct {
		why, want string
		data      []byte
	}{
		{"noise", "binary data", append([]byte{0}, noise...)},
		{"a zip archive", "zip archive: unpack it first", []byte("PK\x03\x04....")},
		{"a picture", "picture", []byte("\x89PNG\r\n\x1a\n")},
		{"a program", "Windows program", []byte("MZ\x90\x00")},
		{"a capture", "run Zeek or Suricata", []byte("\xd4\xc3\xb2\xa1\x02\x00")},
		{"a letter", "text that begins", []byte("Dear all\nplease find attached what we spoke of\n")},
		{"compressed noise", "binary data", gzipped(append([]byte{0}, noise...))},
		{"the beginning of a gzip stream", "gzip", []byte{0x1f, 0x8b, 8}},
	} {
		_, err := Open(bytes.NewReader(c.data), Options{Name: "file"})
		if err == nil || !strings.Contains(err.Error(), c.want) || !strings.HasPrefix(err.Error(), "file: ") {
			t.Errorf("%s: %v, want %q", c.why, err, c.want)
		}
	}
	for _, empty := range []string{"", "\n \r\n", "\ufeff"} {
		if events, errs, _ := readAll(t, strings.NewReader(empty), Options{}); len(events)+len(errs) > 0 {
			t.Errorf("%q: %d events, %v", empty, len(events), errs)
		}
	}
	if _, err := Open(strings.NewReader("{}"), Options{Format: "jsn"}); err == nil || !strings.Contains(err.Error(), `no format "jsn"; there are`) {
		t.Errorf("an unknown format: %v", err)
	}
	dir, err := os.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer dir.Close()
	if s, err := Open(dir, Options{Name: "dir"}); err == nil {
		if _, err = s.Next(); err == nil || err == io.EOF {
			t.Error("a folder is read as a file")
		}
	}
}

func TestDeep(t *testing.T) {
	deep := `{"a":` + strings.Repeat(`{"b":[`, 5000) + `1` + strings.Repeat(`]}`, 5000) + `}`
	events, errs, _ := readAll(t, strings.NewReader(deep+"\n{\"a\":1}\n"), Options{})
	if len(events) != 2 || len(errs) != 0 || len(events[0].Fields) != 1 {
		t.Fatalf("%d events, %v", len(events), errs)
	}
	if n := strings.Count(events[0].Fields[0].Name.String(), "."); n > maxDepth {
		t.Errorf("a name of %d parts", n)
	}
	wide := `{"a":[` + strings.Repeat("1,", maxFields) + `1]}`
	if _, errs, _ := readAll(t, strings.NewReader("{}\n"+wide), Options{}); len(errs) != 1 || !strings.Contains(errs[0].Text, "more than 65536 values") {
		t.Errorf("a record of too many values: %v", errs)
	}
}

// A log that makes up names does not fill the memory, and what rules ask for is still found in it.
func TestManyNames(t *testing.T) {
	Expect("FieldOfARule")
	r := newJSONReader(anyJSON)
	before := len(paths.text)
	var e Event
	for i := range 3 * maxNodes {
		line := fmt.Sprintf(`{"n%d":{"x%d":1},"%s":{"y":2},"timestamp":"2026-03-02","winlog":{"event_data":{"FieldOfARule":1}}}`, i, i, strings.Repeat("k", 600))
		e.begin(i, []byte(line), &noAlias)
		if err := r.read(e.Raw, nil, &e); err != nil {
			t.Fatal(err)
		}
		if len(e.Fields) != 4 || e.Fields[1].Name != Other || e.Fields[3].Name.String() != "winlog.event_data.FieldOfARule" || e.Time().Year() != 2026 {
			t.Fatalf("record %d: %v", i, e.Fields)
		}
	}
	if more := len(paths.text) - before; more > maxNodes || r.nodes > maxNodes {
		t.Errorf("%d names were entered, %d are remembered", more, r.nodes)
	}
}

func TestLive(t *testing.T) {
	in, out := io.Pipe()
	go func() {
		for i := range 3 {
			fmt.Fprintf(out, "{\"i\":%d,\"text\":%q}\n", i, strings.Repeat("x", 300))
		}
		out.Close()
	}()
	s, err := Open(in, Options{Live: true})
	if err != nil {
		t.Fatal(err)
	}
	c, err := s.Next()
	if err != nil || c.Len() == 3 {
		t.Fatalf("%d records at once, %v: want those that are there", c.Len(), err)
	}
}
