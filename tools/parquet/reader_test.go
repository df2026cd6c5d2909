// Package parquet holds the histories that the program writes against a reader of Parquet that shares no code with the
// writer. It is a module of its own, so that the reader and all that it needs are no part of what the program depends on.
package parquet

import (
	"context"
	"encoding/json"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
	parquetfile "github.com/apache/arrow-go/v18/parquet/file"
	"github.com/apache/arrow-go/v18/parquet/pqarrow"

	"github.com/polder-exchange/polder/event"
	"github.com/polder-exchange/polder/indicator"
	"github.com/polder-exchange/polder/internal/detect/history"
)

// byKind is an observer for which a field named after a kind holds a value of it.
type byKind struct{}

// Observe is what [history.Observer] asks for.
func (byKind) Observe(ev *event.Event, yield func(string, history.Value)) {
	for i := range ev.Fields {
		f := &ev.Fields[i]
		kind, err := indicator.ParseKind(f.Name.String())
		if err != nil {
			continue
		}
		if v, ok := indicator.AppendKey(nil, kind, f.Value); ok {
			yield(f.Name.String(), history.Value{Kind: kind, Value: string(v)})
		}
	}
}

// TestAnotherReader reads segments with a library that shares nothing with the one that wrote them: what lies in a
// history is plain Parquet, for whatever tool its owner has.
func TestAnotherReader(t *testing.T) {
	dir := t.TempDir()
	s, err := history.Open(dir, history.Options{})
	if err != nil {
		t.Fatal(err)
	}
	at := time.Date(2026, 3, 2, 14, 5, 0, 0, time.UTC)
	batch := s.NewReading(history.Origin{File: "dns.log", Format: "zeek-json", Received: at}).NewBatch(byKind{})
	lines := []string{
		`{"@timestamp":"2026-03-02T14:05:00Z","domain":"example.org","ipv4":"192.0.2.1"}`,
		`{"@timestamp":"2026-03-02T14:06:00Z","domain":"example.net"}`,
		`{"@timestamp":"2026-03-02T14:07:00Z"}`,
	}
	in, err := event.Open(strings.NewReader(strings.Join(lines, "\n")), event.Options{Format: event.JSON})
	if err != nil {
		t.Fatal(err)
	}
	c, err := in.Next()
	if err != nil {
		t.Fatal(err)
	}
	var ev event.Event
	in.NewDecoder().Decode(c, &ev, func(*event.Error) bool { batch.Add(&ev, nil); return true })
	if n, err := s.Append(batch); err != nil || n != len(lines) {
		t.Fatalf("appended %d: %v", n, err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	files, _ := filepath.Glob(filepath.Join(dir, "day=2026-03-02", "*.parquet"))
	if len(files) != 1 {
		t.Fatalf("segments: %v", files)
	}
	f, err := parquetfile.OpenParquetFile(files[0], false)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	r, err := pqarrow.NewFileReader(f, pqarrow.ArrowReadProperties{}, memory.DefaultAllocator)
	if err != nil {
		t.Fatal(err)
	}
	table, err := r.ReadTable(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	defer table.Release()
	if table.NumRows() != int64(len(lines)) {
		t.Fatalf("%d rows, %d were written", table.NumRows(), len(lines))
	}
	rows := array.NewTableReader(table, 0)
	defer rows.Release()
	var got []string
	for rows.Next() {
		text, err := rows.RecordBatch().MarshalJSON()
		if err != nil {
			t.Fatal(err)
		}
		var list []struct {
			Time        string
			RawData     []byte `json:"raw_data"`
			Observables []struct{ Type, Value string }
		}
		if err := json.Unmarshal(text, &list); err != nil {
			t.Fatalf("%v in %s", err, text)
		}
		for _, row := range list {
			line := row.Time + " " + string(row.RawData)
			for _, o := range row.Observables {
				line += " | " + o.Type + " " + o.Value
			}
			got = append(got, line)
		}
	}
	want := []string{
		"2026-03-02T14:05:00Z " + lines[0] + " | domain example.org | ipv4 192.0.2.1",
		"2026-03-02T14:06:00Z " + lines[1] + " | domain example.net",
		"2026-03-02T14:07:00Z " + lines[2],
	}
	if !slices.Equal(got, want) {
		t.Errorf("another reader sees\n%s\nwhere there is\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}
