package lists

import (
	"fmt"
	"io"
	"os"
	"runtime"
	"strings"
	"testing"

	"github.com/polder-exchange/polder/internal/testdata"
)

// manyRows is a table of n parties in its short form, made as it is read.
type manyRows struct {
	n, at int
	buf   []byte
}

func (m *manyRows) Read(p []byte) (int, error) {
	if m.at == 0 {
		m.buf = append(m.buf, "id,name,type,country,programme\n"...)
	}
	for len(m.buf) < len(p) && m.at < m.n {
		m.at++
		m.buf = fmt.Appendf(m.buf, "P-%d,Firm %d of %s,company,%s,programme %d\n", m.at, m.at, [...]string{"Nordlicht", "Springwell", "Harbour Crystal"}[m.at%3], [...]string{"NL", "Germany", "Viet Nam"}[m.at%3], m.at%17)
	}
	n := copy(p, m.buf)
	m.buf = append(m.buf[:0], m.buf[n:]...)
	if n == 0 {
		return 0, io.EOF
	}
	return n, nil
}

// readMany reads n parties and wants at most so many bytes kept for each.
func readMany(t *testing.T, n int) {
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	l, err := Read("many.csv", &manyRows{n: n}, ReadOptions{})
	if err != nil || l.Entries != n {
		t.Fatalf("%v, %d entries", err, l.Entries)
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	each := float64(after.HeapAlloc-before.HeapAlloc) / float64(n)
	t.Logf("%d parties: %.0f bytes each", n, each)
	if each > 600 {
		t.Errorf("%.0f bytes are kept for each party, want at most 600", each)
	}
	runtime.KeepAlive(l)
}

// TestMillionRows: a list of a million rows is read as a stream, and what is kept of each is bounded.
func TestMillionRows(t *testing.T) {
	if testing.Short() {
		t.Skip("a million rows take seconds")
	}
	readMany(t, 1_000_000)
}

// TestFiveMillionRows is the same with five million.
func TestFiveMillionRows(t *testing.T) {
	if os.Getenv("POLDER_SOAK") == "" {
		t.Skip("set POLDER_SOAK for five million rows")
	}
	readMany(t, 5_000_000)
}

// benchRead reads a file again and again.
func benchRead(b *testing.B, name string, data []byte) {
	b.ReportAllocs()
	b.SetBytes(int64(len(data)))
	for b.Loop() {
		if _, err := Read(name, strings.NewReader(string(data)), ReadOptions{}); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkRead(b *testing.B) {
	for _, file := range []string{"us_csl.jsonl", "UN_consolidated.xml", "uk_sanctions_list_2025-08-11_primary_names.csv", "us_ofac_2023/sdn.csv"} {
		data, err := os.ReadFile(testdata.File(b, "screen", file))
		if err != nil {
			b.Fatal(err)
		}
		b.Run(file, func(b *testing.B) { benchRead(b, file, data) })
	}
	b.Run("table of 100,000", func(b *testing.B) {
		data, err := io.ReadAll(&manyRows{n: 100_000})
		if err != nil {
			b.Fatal(err)
		}
		benchRead(b, "many.csv", data)
	})
}

// BenchmarkXMLForms reads each XML form, its sample's records repeated to some megabytes.
func BenchmarkXMLForms(b *testing.B) {
	for form, tag := range map[string]string{"ofac-advanced-xml": "DistinctParty", "eu-xml": "sanctionEntity", "uk-xml": "Designation"} {
		data, err := os.ReadFile("testdata/forms/" + form + ".xml")
		if err != nil {
			b.Fatal(err)
		}
		text := string(data)
		from, to := strings.Index(text, "<"+tag+" "), strings.LastIndex(text, "</"+tag+">")+len(tag)+3
		if from < 0 {
			from = strings.Index(text, "<"+tag+">")
		}
		text = text[:from] + strings.Repeat(text[from:to], 1000) + text[to:]
		b.Run(form, func(b *testing.B) { benchRead(b, form, []byte(text)) })
	}
}

// BenchmarkKept reads a list as it is kept on disk, beside BenchmarkRead of its source.
func BenchmarkKept(b *testing.B) {
	l := real(b, "us_csl.jsonl")
	var out strings.Builder
	if err := WriteJSONL(&out, l); err != nil {
		b.Fatal(err)
	}
	b.Run("read", func(b *testing.B) {
		b.SetBytes(int64(out.Len()))
		for b.Loop() {
			if _, err := ReadJSONL("kept", strings.NewReader(out.String())); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("write", func(b *testing.B) {
		for b.Loop() {
			if err := WriteJSONL(io.Discard, l); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("compare", func(b *testing.B) {
		for b.Loop() {
			if !Compare(l, l).Empty() {
				b.Fatal("a list differs from itself")
			}
		}
	})
}
