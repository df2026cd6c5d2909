package peers

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/exchange"
	"github.com/polder-exchange/polder/internal/journal"
	"github.com/polder-exchange/polder/stix"
)

func ok(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

const someCommunity = "0b7e4ba4-5f0c-4f5c-9a6e-0d3c0a1b2c3d"

// TestFrameKeepsBytes: an object arrives as it left, byte for byte, whatever white space it holds.
func TestFrameKeepsBytes(t *testing.T) {
	for _, raw := range []string{`{"a":1}`, "{\"a\": 1 , \"b\":\"<&>\"}", "{\r\n  \"a\": 1\n}", `{"a":"\u0000é"}`} {
		f := frame{Generation: "ab.1", Next: 9, Top: 12, More: true, Batch: []exchange.Handed{
			{Seq: 3, Community: someCommunity, ID: "indicator--1", Level: stix.Amber, To: []polder.OrgID{"identity--a"}, Mine: true, Nonce: []byte{1}, Raw: json.RawMessage(raw)},
			{Seq: 9, Kind: journal.Withdrawn, Community: someCommunity, ID: "indicator--1", Version: "2026-01-01T00:00:00Z", Record: []byte{7}, Everyone: true, Erased: true, Level: stix.Green},
		}}
		text, err := f.encode()
		ok(t, err)
		if bytes.ContainsAny(text, "\r\n") {
			t.Errorf("%q: the frame has a line break, which a stream of events would change", raw)
		}
		got, err := decodeFrame(text, 2)
		ok(t, err)
		if string(got.Batch[0].Raw) != raw {
			t.Errorf("object %q arrives as %q", raw, got.Batch[0].Raw)
		}
		got.Batch[0].Raw, f.Batch[0].Raw = nil, nil
		a, _ := json.Marshal(got)
		b, _ := json.Marshal(f)
		if !bytes.Equal(a, b) {
			t.Errorf("frame %s arrives as %s", b, a)
		}
	}
}

// TestS22Numbers: numbers that go back, repeat or stand still are a breach, and no loop.
func TestS22Numbers(t *testing.T) {
	row := func(seqs ...polder.Seq) (out []exchange.Handed) {
		for _, s := range seqs {
			out = append(out, exchange.Handed{Seq: s})
		}
		return out
	}
	for _, c := range []struct {
		why string
		f   frame
		ok  bool
	}{
		{"rising numbers", frame{Next: 9, Batch: row(6, 9)}, true},
		{"an empty frame that passes some", frame{Next: 9}, true},
		{"a sign of life", frame{Next: 5}, true},
		{"a number that was sent before", frame{Next: 9, Batch: row(5)}, false},
		{"a number twice", frame{Next: 9, Batch: row(7, 7)}, false},
		{"numbers that fall", frame{Next: 9, Batch: row(8, 7)}, false},
		{"a cursor before its deliveries", frame{Next: 7, Batch: row(8)}, false},
		{"a cursor that goes back", frame{Next: 4}, false},
		{"the same page for ever", frame{Next: 5, More: true}, false},
	} {
		if err := c.f.rising(5); (err == nil) != c.ok {
			t.Errorf("%s: %v", c.why, err)
		}
	}
}

// TestS19Frames: what is no frame is refused in words, and costs no more than its length.
func TestS19Frames(t *testing.T) {
	good := `{"generation":"a.1","next":5,"top":5,"deliveries":[{"seq":5,"community":"` + someCommunity + `","id":"x--1","level":"green","object":{}}]}`
	if _, err := decodeFrame([]byte(good), 10); err != nil {
		t.Fatal(err)
	}
	for why, text := range map[string]string{
		"nothing":                    "",
		"not JSON":                   "<html>",
		"deep JSON":                  strings.Repeat("[", 100_000),
		"deep object":                strings.Replace(good, `"object":{}`, `"object":`+strings.Repeat(`{"a":`, 20_000), 1),
		"a member twice":             strings.Replace(good, `"next":5`, `"next":5,"next":6`, 1),
		"no generation":              strings.Replace(good, "a.1", "", 1),
		"a generation with a break":  strings.Replace(good, "a.1", `a\n1`, 1),
		"a number below zero":        strings.Replace(good, `"seq":5`, `"seq":-5`, 1),
		"no number":                  strings.Replace(good, `"seq":5,`, ``, 1),
		"a kind of nobody":           strings.Replace(good, `"seq":5`, `"seq":5,"kind":7`, 1),
		"a level of nobody":          strings.Replace(good, `green`, `ultra`, 1),
		"no community":               strings.Replace(good, someCommunity, "chips", 1),
		"the object twice":           strings.Replace(good, `"object":{}`, `"object":{},"bytes":"e30"`, 1),
		"more than was asked for":    strings.Replace(good, `"deliveries":[`, `"deliveries":[`+strings.Repeat(`{},`, 11), 1),
		"a number above all numbers": strings.Replace(good, `"next":5`, `"next":99999999999999999999`, 1),
	} {
		if _, err := decodeFrame([]byte(text), 10); err == nil {
			t.Errorf("%s: was taken as a frame", why)
		}
	}
	if _, err := decodeFrame(make([]byte, maxFrame+1), 10); err == nil {
		t.Error("a frame above the bound was read")
	}
}

// endless gives the same bytes for ever.
type endless struct {
	text string
	read int64
}

func (e *endless) Read(p []byte) (int, error) {
	n := 0
	for n+len(e.text) <= len(p) {
		n += copy(p[n:], e.text)
	}
	if n == 0 {
		n = copy(p, e.text)
	}
	e.read += int64(n)
	return n, nil
}

// TestS22EndlessStream: a stream that never says anything, or says one thing without end, is left within a bound.
func TestS22EndlessStream(t *testing.T) {
	for why, text := range map[string]string{"a line without end": "data: " + strings.Repeat("x", 1000), "signs of life without end": ": still here\n\n", "fields of nobody": "id: 1\n"} {
		in := &endless{text: text}
		if strings.HasPrefix(why, "a line") {
			in.text = "x"
		}
		err := events(in, func() {}, time.Minute, func(event) error { return nil })
		if _, is := errors.AsType[breach](err); !is {
			t.Errorf("%s: ends with %v, want a breach", why, err)
		}
		if in.read > 2*maxFrame {
			t.Errorf("%s: %d bytes were read of it", why, in.read)
		}
	}
	in := io.MultiReader(strings.NewReader("event: frame\ndata: {}\ndata: {}\n\n"))
	if _, is := errors.AsType[breach](events(in, func() {}, time.Minute, func(event) error { return nil })); !is {
		t.Error("an event in two lines was taken")
	}
}

// TestF9Silence: a stream from which nothing comes is ended from this side.
func TestF9Silence(t *testing.T) {
	r, w := io.Pipe()
	go func() { _, _ = io.WriteString(w, "event: frame\n") }()
	began := time.Now()
	err := events(r, func() { _ = r.CloseWithError(io.ErrClosedPipe) }, 50*time.Millisecond, func(event) error { return nil })
	if err == nil || time.Since(began) > 5*time.Second {
		t.Errorf("a silent stream ended with %v after %v", err, time.Since(began))
	}
}

func FuzzFrame(f *testing.F) {
	f.Add([]byte(`{"generation":"a.1","next":5,"top":5,"deliveries":[{"seq":5,"community":"` + someCommunity + `","id":"x--1","level":"green","object":{}}]}`))
	f.Add([]byte(`{"generation":"a.1","next":5,"deliveries":[{"seq":1,"bytes":"e30="}]}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		one, err := decodeFrame(raw, 100)
		if err != nil {
			return
		}
		text, err := one.encode()
		ok(t, err)
		again, err := decodeFrame(text, 100)
		if err != nil {
			t.Fatalf("%q was read and is written as %q: %v", raw, text, err)
		}
		for i := range one.Batch {
			if !bytes.Equal(one.Batch[i].Raw, again.Batch[i].Raw) {
				t.Fatalf("object %q became %q", one.Batch[i].Raw, again.Batch[i].Raw)
			}
		}
	})
}
