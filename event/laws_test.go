package event

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// trickle gives a stream in pieces of drawn sizes.
type trickle struct {
	data  []byte
	sizes []int
	i     int
}

func (r *trickle) Read(p []byte) (int, error) {
	if len(r.data) == 0 {
		return 0, io.EOF
	}
	n := min(r.sizes[r.i%len(r.sizes)], len(p), len(r.data))
	r.i++
	copy(p, r.data[:n])
	r.data = r.data[n:]
	return n, nil
}

// transcript is all that a stream gives: events and errors in order, with where they are.
func transcript(t rapid.TB, in io.Reader, o Options) string {
	s, err := Open(in, o)
	if err != nil {
		return err.Error()
	}
	var b strings.Builder
	d := s.NewDecoder()
	var e Event
	for next := 0; ; {
		c, err := s.Next()
		if err == io.EOF {
			fmt.Fprintf(&b, "%s %d bytes", s.Format(), s.Bytes())
			return b.String()
		}
		if err != nil {
			fmt.Fprintf(&b, "broken: %v\n", err)
			continue
		}
		if c.First != next {
			t.Fatalf("a chunk begins at %d after %d records", c.First, next)
		}
		next += d.Decode(c, &e, func(err *Error) bool {
			if err != nil {
				fmt.Fprintf(&b, "%d %d %d %s\n", err.Index, err.Line, err.Offset, err)
				return true
			}
			fmt.Fprintf(&b, "%d %s", e.Index, e.Raw)
			for _, f := range e.Fields {
				fmt.Fprintf(&b, " %s=%d%q", f.Name, f.Kind, f.Value)
			}
			b.WriteByte('\n')
			return true
		})
	}
}

// However a stream comes in, and into whatever chunks it is cut, it gives the same events and the same errors at the same
// places.
func TestChunksAreTheWhole(t *testing.T) {
	samples, err := filepath.Glob("testdata/json/*json*")
	if err != nil {
		t.Fatal(err)
	}
	var all [][]byte
	for _, path := range samples {
		if !strings.HasSuffix(path, ".golden") {
			data, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, data)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		data := bytes.Clone(rapid.SampledFrom(all).Draw(t, "sample"))
		if rapid.Bool().Draw(t, "damaged") {
			at := rapid.IntRange(0, len(data)-1).Draw(t, "at")
			data[at] = rapid.SampledFrom([]byte("{}[]\",:x\n\\ ")).Draw(t, "byte")
		}
		o := Options{MaxRecord: rapid.SampledFrom([]int{0, 64, 300}).Draw(t, "longest")}
		if o.MaxRecord > 0 && !lineCut(data) {
			// Where an object of a list is too long, what its error counts depends on nothing but the object; but a
			// damaged one has no certain end, so that only lines are held to this law with a bound.
			o.MaxRecord = 0
		}
		want := transcript(t, bytes.NewReader(data), o)
		o.chunk = rapid.IntRange(1, 400).Draw(t, "chunk")
		o.Live = rapid.Bool().Draw(t, "live")
		sizes := rapid.SliceOfN(rapid.IntRange(1, 200), 1, 5).Draw(t, "reads")
		if o.Live {
			// Recognition sees one read only, so that the first must hold enough.
			sizes[0] = len(data)
			o.Live = len(data) < 4096
		}
		if got := transcript(t, &trickle{data: data, sizes: sizes}, o); got != want {
			t.Fatalf("in pieces:\n%s\nas a whole:\n%s", got, want)
		}
	})
}

// TestHalfAChunk: where what is left behind whole records is half a chunk, and a record that is not whole, the scanner reads
// on, and says where the stream ends. It once looked at the same half for ever.
func TestHalfAChunk(t *testing.T) {
	for _, cut := range []string{"{\"a\":1}\n{\"bbbbbbbbbbbbbbbbbbbb", "[{\"a\":1}]{\"bbbbbbbbbbbbbbbbbbbb", "[{\"a\":1},{\"bbbbbbbbbbbbbbbbbbbb"} {
		for end := 10; end <= len(cut); end++ {
			for chunk := 1; chunk <= 40; chunk++ {
				done := make(chan string, 1)
				go func() {
					done <- transcript(t, &trickle{data: []byte(cut[:end]), sizes: []int{end}}, Options{chunk: chunk, Live: true})
				}()
				select {
				case <-done:
				case <-time.After(10 * time.Second):
					t.Fatalf("%q, chunk %d: it looks at the same for ever", cut[:end], chunk)
				}
			}
		}
	}
}

func lineCut(data []byte) bool {
	_, ok := cutJSON(newHead(data, true, "")).(lines)
	return ok
}

// anyValue draws a value as encoding/json knows it.
func anyValue(depth int) *rapid.Generator[any] {
	scalar := rapid.OneOf(
		rapid.Map(rapid.String(), func(s string) any { return s }),
		rapid.Map(rapid.SampledFrom([]string{"a\\b", "\"", "\\\"", "\u2028", "\x00\x1f", "C:\\x\\", "😀"}), func(s string) any { return s }),
		rapid.Map(rapid.Int64(), func(n int64) any { return n }),
		rapid.Map(rapid.Bool(), func(b bool) any { return b }),
		rapid.Just[any](nil),
	)
	if depth == 0 {
		return scalar
	}
	inner := anyValue(depth - 1)
	return rapid.OneOf(scalar,
		rapid.Map(rapid.SliceOfN(inner, 0, 4), func(l []any) any { return l }),
		rapid.Map(rapid.MapOfN(rapid.String(), inner, 0, 4), func(m map[string]any) any { return m }))
}

// flatten is what the walk of JSON promises, worked out by encoding/json: names in dots, lists repeat the name, an empty
// object or list is null.
func flatten(path string, v any, out map[string][]string) {
	switch v := v.(type) {
	case map[string]any:
		for k, member := range v {
			p := k
			if path != "\x00" {
				p = path + "." + k
			}
			flatten(p, member, out)
		}
		if len(v) == 0 && path != "\x00" {
			out[path] = append(out[path], "null")
		}
	case []any:
		for _, e := range v {
			flatten(path, e, out)
		}
		if len(v) == 0 {
			out[path] = append(out[path], "null")
		}
	case string:
		out[path] = append(out[path], fmt.Sprintf("%q", v))
	case nil:
		out[path] = append(out[path], "null")
	default:
		out[path] = append(out[path], fmt.Sprint(v))
	}
}

func TestWalkIsThatOfEncodingJSON(t *testing.T) {
	r := newJSONReader(&jsonKind{})
	rapid.Check(t, func(t *rapid.T) {
		object := rapid.MapOfN(rapid.StringMatching(`[a-z"\\é.]{0,6}`), anyValue(3), 0, 6).Draw(t, "object")
		indent := rapid.SampledFrom([]string{"", " ", "\t"}).Draw(t, "indent")
		text, err := json.Marshal(object)
		if indent != "" {
			text, err = json.MarshalIndent(object, "", indent)
		}
		if err != nil {
			t.Fatal(err)
		}
		var back any
		d := json.NewDecoder(bytes.NewReader(text))
		d.UseNumber()
		if err := d.Decode(&back); err != nil {
			t.Fatal(err)
		}
		want := map[string][]string{}
		flatten("\x00", back, want)
		var e Event
		e.begin(0, text, &noAlias)
		if err := r.read(text, nil, &e); err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		got := map[string][]string{}
		for _, f := range e.Fields {
			got[f.Name.String()] = append(got[f.Name.String()], value(f))
		}
		for path, values := range want {
			if len(path) > MaxNameBytes || path == "" {
				continue
			}
			a, b := fmt.Sprint(sortedCopy(got[path])), fmt.Sprint(sortedCopy(values))
			if a != b {
				t.Fatalf("%s: %q is %s, want %s", text, path, a, b)
			}
		}
	})
}

func TestSteadyStateAllocatesNothing(t *testing.T) {
	for _, file := range []string{"winlogbeat.ndjson", "nxlog.ndjson", "windows-json.ndjson", "evtx_dump.jsonl", "m365.ndjson", "entra-diagnostic.ndjson", "cloudtrail.json", "ecs.ndjson", "ocsf.ndjson", "mixed.ndjson"} {
		data, err := os.ReadFile(filepath.Join("testdata", "json", file))
		if err != nil {
			t.Fatal(err)
		}
		s, err := Open(bytes.NewReader(data), Options{})
		if err != nil {
			t.Fatal(err)
		}
		c, err := s.Next()
		if err != nil {
			t.Fatal(err)
		}
		d := s.NewDecoder()
		var e Event
		yield := func(err *Error) bool { return err == nil }
		if n := testing.AllocsPerRun(100, func() { d.Decode(c, &e, yield) }); n > 0 {
			t.Errorf("%s: %v allocations for %d events", file, n, c.Len())
		}
	}
}

func TestDecodeStops(t *testing.T) {
	s, err := Open(bytes.NewReader(jsonLines(10)), Options{})
	if err != nil {
		t.Fatal(err)
	}
	c, err := s.Next()
	if err != nil {
		t.Fatal(err)
	}
	seen := 0
	var e Event
	n := s.NewDecoder().Decode(c, &e, func(*Error) bool { seen++; return seen < 3 })
	if seen != 3 || n != 10 {
		t.Errorf("%d events after a stop at 3, %d records of 10", seen, n)
	}
}
