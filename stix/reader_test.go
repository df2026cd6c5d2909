package stix_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"runtime"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/polder-exchange/polder/stix"
)

// drain reads to the end.
func drain(r *stix.Reader) (objects int, errs []error) {
	for {
		_, _, err := r.Next()
		switch {
		case err == io.EOF:
			return objects, errs
		case err != nil:
			errs = append(errs, err)
		default:
			objects++
		}
	}
}

func url(n int) string {
	return fmt.Sprintf(`{"type":"url","id":"url--00000000-0000-4000-8000-%012d","value":"https://example.com/%d"}`, n, n)
}

const bundleHead = `{"type":"bundle","id":"bundle--00000000-0000-4000-8000-000000000001",`

func TestReader(t *testing.T) {
	for _, v := range []struct {
		name, in string
		want     []string // line:index of each object, and line:index:property of each error, then its beginning
	}{
		{"nothing", "", nil},
		{"white space", " \n\n", nil},
		{"one object", "\n\n" + url(1) + "\n", []string{"3:0"}},
		{"a byte order mark", "\ufeff" + url(1), []string{"1:0"}},
		{"bundle", bundleHead + "\"objects\":[\n" + url(1) + ",\n\n" + url(2) + "]}", []string{"2:0", "4:1"}},
		{"bundle of nothing", bundleHead[:len(bundleHead)-1] + "}", nil},
		{"bundle with its objects first", `{"objects":[` + url(1) + `],"id":"bundle--00000000-0000-4000-8000-000000000001","type":"bundle"}`, []string{"1:0"}},
		{"bundle of STIX 2.0", `{"type":"bundle","spec_version":"2.0","id":"bundle--00000000-0000-4000-8000-000000000001","objects":[` + url(1) + `]}`, []string{"1:0"}},
		{"envelope", `{"more":true,"next":"x","objects":[` + url(1) + "," + url(2) + `]}`, []string{"1:0", "1:1"}},
		{"envelope of nothing", `{"more":false}`, []string{"1:0:type is required"}},
		{"list", "[" + url(1) + "\n," + url(2) + "]", []string{"1:0", "2:1"}},
		{"empty list", "[]", nil},
		{"lines", url(1) + "\n" + url(2) + "\n" + url(3), []string{"1:0", "2:1", "3:2"}},
		{"objects without a line between", url(1) + url(2), []string{"1:0", "1:1"}},
		{"two bundles", bundleHead + `"objects":[` + url(1) + "]}\n" + bundleHead + `"objects":[` + url(2) + "]}", []string{"1:0", "2:1"}},
		{"observed-data, whose objects are no list", `{"type":"observed-data","spec_version":"2.1","id":"observed-data--00000000-0000-4000-8000-000000000001",` +
			`"created":"2024-03-05T06:07:08Z","modified":"2024-03-05T06:07:08Z","first_observed":"2024-03-05T06:07:08Z","last_observed":"2024-03-05T06:07:08Z",` +
			`"number_observed":1,"objects":{"0":{"type":"url","value":"https://example.com"}}}`, []string{"1:0"}},
		{"a wrong object goes by", "[" + url(1) + ",\n{\"type\":\n\"url\"},\n" + url(2) + "]", []string{"1:0", "2:1:id is required", "4:2"}},
		{"the line of a property", "[\n{\"type\":\"url\",\n\"id\":5,\"value\":\"https://example.com\"}]", []string{"3:0:id must be a string"}},
		{"JSON that is broken within", "[" + url(1) + `,{"type":url},` + url(2) + "]", []string{"1:0", "1:1:type is not JSON", "1:2"}},
		{"a name twice", `[{"type":"url","type":"url"},` + url(2) + "]", []string{"1:0:type is given twice", "1:1"}},
		{"an empty element", "[" + url(1) + ",," + url(2) + "]", []string{"1:0", "1:1: is empty", "1:2"}},
		{"no comma", "[" + url(1) + " " + url(2) + "]", []string{"1:0", "1:-1: a comma"}},
		{"no name", `{5:1}`, []string{"1:-1: the name of a property"}},
		{"no colon", `{"type" 1}`, []string{"1:-1: a colon"}},
		{"no comma in an object", `{"type":1 "id":2}`, []string{"1:-1: a comma"}},
		{"no value", `{"type":}`, []string{"1:0:type is not JSON"}},
		{"cut off behind a name", `{"type"`, []string{"1:-1: the JSON ends too early"}},
		{"cut off behind a colon", `{"type":`, []string{"1:-1: the JSON ends too early"}},
		{"cut off in a name", `{"ty`, []string{"1:-1: the JSON ends too early"}},
		{"cut off behind a comma", `{"type":1,`, []string{"1:-1: the JSON ends too early"}},
		{"cut off behind a comma of a list", `[` + url(1) + `,`, []string{"1:0", "1:-1: the JSON ends too early"}},
		{"broken behind the objects", bundleHead + `"objects":[` + url(1) + `];}`, []string{"1:0", "1:-1: a comma"}},
		{"cut off in a value behind the objects", bundleHead + `"objects":[` + url(1) + `],"x":"`, []string{"1:0", "1:-1: the JSON ends too early"}},
		{"a number at the end", `5`, []string{"1:-1: is not JSON with objects"}},
		{"a bracket of the other kind", `[}`, []string{"1:0: is empty", "1:-1: a comma"}},
		{"cut off in a list", "[" + url(1), []string{"1:0", "1:-1: the JSON ends too early"}},
		{"cut off in an object", "[" + url(1) + `,{"type":`, []string{"1:0", "1:-1: the JSON ends too early"}},
		{"cut off behind the objects", bundleHead + `"objects":[` + url(1) + "]", []string{"1:0", "1:-1: the JSON ends too early"}},
		{"cut off in one object", `{"type":"url"`, []string{"1:-1: the JSON ends too early"}},
		{"not JSON", "<stix/>", []string{"1:-1: is not JSON with objects"}},
		{"bundle without id", `{"type":"bundle","objects":[` + url(1) + `]}`, []string{"1:0", "1:-1:id must be the bundle's"}},
		{"bundle with an empty list", bundleHead + `"objects":[]}`, []string{"1:-1:objects must not be an empty list"}},
		{"bundle of another version", bundleHead + `"spec_version":"3","objects":[` + url(1) + `]}`, []string{"1:0", "1:-1:spec_version is not a property"}},
		{"bundle with two lists", bundleHead + `"objects":[` + url(1) + `],"objects":[` + url(2) + `]}`, []string{"1:0", "1:-1:objects is given twice"}},
		{"a campaign that says what it is behind its objects", `{"objects":[` + url(1) + `],"type":"campaign"}`, []string{"1:0", `1:-1:type must be "bundle"`}},
		{"a bundle within a bundle", bundleHead + `"objects":[` + bundleHead + `"objects":[` + url(1) + "]}]}", []string{"1:0:type is bundle"}},
	} {
		for _, piece := range []int{1, 7, 1 << 20} {
			r := stix.NewReader(pieces{strings.NewReader(v.in), piece}, stix.Limits{})
			n := 0
			for ; ; n++ {
				_, pos, err := r.Next()
				if err == io.EOF {
					break
				}
				got := fmt.Sprintf("%d:%d", pos.Line, pos.Index)
				if e, ok := err.(*stix.Error); ok {
					got = fmt.Sprintf("%d:%d:%s %s", e.Line, pos.Index, e.Property, e.Text)
				}
				if n >= len(v.want) || err == nil && got != v.want[n] || !strings.HasPrefix(got, v.want[n]) {
					t.Errorf("%s, read by %d: number %d is %q (%v), want %q", v.name, piece, n, got, err, v.want)
				}
			}
			if n != len(v.want) {
				t.Errorf("%s, read by %d: got %d, want %q", v.name, piece, n, v.want)
			}
			if _, _, err := r.Next(); err != io.EOF {
				t.Errorf("%s: behind the end comes %v", v.name, err)
			}
		}
	}
}

// pieces gives at most n bytes at a time.
type pieces struct {
	r io.Reader
	n int
}

func (p pieces) Read(b []byte) (int, error) { return p.r.Read(b[:min(len(b), p.n)]) }

func TestReaderLimits(t *testing.T) {
	long := `{"type":"url","x":"` + strings.Repeat("x", 300_000) + `"}`
	in := bundleHead + `"x_padding":"` + strings.Repeat("y", 300_000) + `","objects":[` + url(1) + ",\n" + long + ",\n" + url(2) + "]}\n" + long + "\n" + url(3)
	var got []string
	r := stix.NewReader(strings.NewReader(in), stix.Limits{ObjectBytes: 100_000})
	for {
		_, pos, err := r.Next()
		if err == io.EOF {
			break
		}
		got = append(got, fmt.Sprint(pos, err))
	}
	want := []string{
		"{1 0} <nil>", "{2 1} is longer than 100000 bytes; no more are read", "{3 2} <nil>",
		"{4 3} is longer than 100000 bytes; no more are read", "{5 4} <nil>",
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("got %q, want %q", got, want)
	}
	objects, errs := drain(stix.NewReader(strings.NewReader("["+url(1)+","+url(2)+","+url(3)+"]"), stix.Limits{Objects: 2}))
	if objects != 2 || len(errs) != 1 || !strings.Contains(errs[0].Error(), "at most 2 are read") {
		t.Errorf("got %d objects, errors %v", objects, errs)
	}
	deep := campaign(`,"x_deep":[[[[1]]]]`)
	objects, errs = drain(stix.NewReader(strings.NewReader(deep+url(1)), stix.Limits{Depth: 4}))
	if objects != 1 || len(errs) != 1 || !strings.Contains(errs[0].Error(), "deeper than 4 levels") {
		t.Errorf("got %d objects, errors %v", objects, errs)
	}
}

func TestReaderTellsOfABrokenStream(t *testing.T) {
	broken := errors.New("the line is dead")
	r := stix.NewReader(io.MultiReader(strings.NewReader("["+url(1)+","), iotest.ErrReader(broken)), stix.Limits{})
	if _, _, err := r.Next(); err != nil {
		t.Fatal(err)
	}
	if _, _, err := r.Next(); !errors.Is(err, broken) {
		t.Errorf("got %v, want %v", err, broken)
	}
	if _, _, err := r.Next(); err != io.EOF {
		t.Errorf("got %v, want io.EOF", err)
	}
}

func TestNextRaw(t *testing.T) {
	r := stix.NewReader(strings.NewReader(`[{"id": 1} , 5,`+url(1)+`]`), stix.Limits{})
	var got []string
	for {
		raw, _, err := r.NextRaw()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, string(raw))
	}
	if want := []string{`{"id": 1}`, "5", url(1)}; fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// bundleOf streams a bundle of so many bytes and more, without holding it.
func bundleOf(size int) io.Reader {
	r, w := io.Pipe()
	go func() {
		b := stix.WriteBundle(w)
		for i, n := 0, 0; n < size; i++ {
			raw := campaign(fmt.Sprintf(`,"x_number":%d,"description":%q`, i, strings.Repeat("tulip ", 200)))
			n += len(raw)
			if b.Add([]byte(raw)) != nil {
				return
			}
		}
		w.CloseWithError(b.Close())
	}()
	return r
}

// TestReaderInLittleMemory reads 100 MB and watches how much memory is taken in all at any time.
func TestReaderInLittleMemory(t *testing.T) {
	if testing.Short() {
		t.Skip("reads 100 MB")
	}
	before, most := heap(), uint64(0)
	r := stix.NewReader(bundleOf(100<<20), stix.Limits{})
	for n := 0; ; n++ {
		_, _, err := r.Next()
		if err == io.EOF {
			if n < 70_000 {
				t.Fatalf("read %d objects", n)
			}
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if n%2000 == 0 {
			most = max(most, heap())
		}
	}
	used := (int64(most) - int64(before)) >> 20
	if used > 30 {
		t.Errorf("took %d MB more than before; want at most 30", used)
	}
	t.Logf("took %d MB more than before", used)
}

func heap() uint64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapInuse
}

// TestReaderOverDamagedFiles is S41: truncated, bit-flipped and spliced input gives errors with a line, and ends.
func TestReaderOverDamagedFiles(t *testing.T) {
	var file bytes.Buffer
	b := stix.WriteBundle(&file)
	for _, raw := range samples(t) {
		if err := b.Add(raw); err != nil {
			t.Fatal(err)
		}
	}
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	random := rand.New(rand.NewPCG(1, 2))
	for range 300 {
		damaged := bytes.Clone(file.Bytes())
		switch random.IntN(3) {
		case 0:
			damaged = damaged[:random.IntN(len(damaged))]
		case 1:
			damaged[random.IntN(len(damaged))] ^= 1 << random.IntN(8)
		case 2:
			damaged = append(damaged[:random.IntN(len(damaged))], damaged[random.IntN(len(damaged)):]...)
		}
		_, errs := drain(stix.NewReader(bytes.NewReader(damaged), stix.Limits{}))
		for _, err := range errs {
			if e, ok := err.(*stix.Error); !ok || e.Line < 1 {
				t.Fatalf("error without a line: %v", err)
			}
		}
	}
}

func TestBundleWriter(t *testing.T) {
	var out bytes.Buffer
	b := stix.WriteBundle(&out)
	b.ID = "bundle--00000000-0000-4000-8000-000000000001"
	if err := b.Add([]byte(`{"a":1,"a":2}`)); err == nil {
		t.Error("took what is not JSON")
	}
	for _, raw := range []string{url(1), url(2)} {
		if err := b.Add([]byte(raw)); err != nil {
			t.Fatal(err)
		}
	}
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	want := `{"type":"bundle","id":"bundle--00000000-0000-4000-8000-000000000001","objects":[` + "\n" + url(1) + ",\n" + url(2) + "\n]}\n"
	if out.String() != want {
		t.Errorf("got %s, want %s", out.String(), want)
	}
	out.Reset()
	if err := stix.WriteBundle(&out).Close(); err != nil {
		t.Fatal(err)
	}
	if objects, errs := drain(stix.NewReader(&out, stix.Limits{})); objects != 0 || len(errs) != 0 {
		t.Errorf("an empty bundle gives %d objects and %v", objects, errs)
	}
	full := stix.WriteBundle(fullDisk{})
	if err := full.Add([]byte(url(1))); !errors.Is(err, errFull) {
		t.Errorf("got %v, want %v", err, errFull)
	}
	if err := full.Close(); !errors.Is(err, errFull) {
		t.Errorf("got %v, want %v", err, errFull)
	}
}

var errFull = errors.New("the disk is full")

type fullDisk struct{}

func (fullDisk) Write([]byte) (int, error) { return 0, errFull }
