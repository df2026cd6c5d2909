package history

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/polder-exchange/polder/event"
	"github.com/polder-exchange/polder/indicator"
)

// said is an event of a test: what stands in it, and when it happened.
type said struct {
	at     time.Time
	fields [][2]string // name (a kind, or something else) and value
	raw    string
}

// saying makes an event; its raw record holds its values in a row.
func saying(at time.Time, fields ...[2]string) said {
	s := said{at: at, fields: fields, raw: at.Format(time.RFC3339Nano)}
	for _, f := range fields {
		s.raw += fmt.Sprintf(" %s=%q", f[0], f[1])
	}
	return s
}

var (
	someSource  = &event.Source{Product: "windows", Categories: []string{"dns_query"}, Services: []string{"sysmon"}}
	someMapping = new(event.Mapping)
)

// event decodes nothing: it points into raw as a decoder does.
func (s said) event() *event.Event {
	ev := &event.Event{Source: someSource, Mapping: someMapping, Raw: []byte(s.raw)}
	at := 0
	for _, f := range s.fields {
		i := strings.Index(s.raw[at:], f[1])
		value := []byte(f[1])
		if i >= 0 {
			value = ev.Raw[at+i : at+i+len(f[1])]
			at += i + len(f[1])
		}
		ev.Fields = append(ev.Fields, event.Field{Name: event.Intern(f[0]), Value: value})
	}
	return ev
}

// byKind is an observer for which a field named after a kind holds a value of it.
type byKind struct{}

func (byKind) Observe(ev *event.Event, yield func(string, Value)) {
	for i := range ev.Fields {
		f := &ev.Fields[i]
		kind, err := indicator.ParseKind(f.Name.String())
		if err != nil {
			continue
		}
		if v, ok := indicator.AppendKey(nil, kind, f.Value); ok {
			yield(f.Name.String(), Value{Kind: kind, Value: string(v)})
		}
	}
}

// values are all observables of an event, the hosts of URLs and mail addresses among them.
func (s said) values() []Value {
	var all []Value
	byKind{}.Observe(s.event(), func(_ string, v Value) {
		all = append(all, v)
		if k, host, ok := indicator.Host(v.Kind, v.Value); ok {
			all = append(all, Value{Kind: k, Value: host})
		}
	})
	return all
}

// plenty is a disk that never fills, and its opposite.
func plenty(string) (int64, error) { return 1 << 50, nil }

func open(t testing.TB, dir string, o Options) *Store {
	t.Helper()
	if o.Free == nil {
		o.Free = plenty
	}
	s, err := Open(dir, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func storeDir(t testing.TB) string { return filepath.Join(t.TempDir(), "history") }

var received = time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)

// keep appends events as one reading and returns how many were new.
func keep(t testing.TB, s *Store, file string, events ...said) int {
	t.Helper()
	n, err := tryKeep(s, file, received, events...)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func tryKeep(s *Store, file string, when time.Time, events ...said) (int, error) {
	r := s.NewReading(Origin{File: file, Format: event.JSON, Received: when})
	b := r.NewBatch(byKind{})
	for i, e := range events {
		ev := e.event()
		ev.Index = i
		b.add(ev, e.at, nil)
	}
	return s.Append(b)
}

// rawHits returns the raw records in which something was found, sorted, and fails on damage.
func rawHits(t testing.TB, s *Store, q Query) []string {
	t.Helper()
	raws, errs := tryHunt(s, q)
	if len(errs) > 0 {
		t.Fatal(errors.Join(errs...))
	}
	return raws
}

func tryHunt(s *Store, q Query) (raws []string, errs []error) {
	last := time.Time{}
	for hit, err := range s.Hunt(context.Background(), q, nil) {
		if err != nil {
			errs = append(errs, err)
			continue
		}
		if hit.Time.Before(last) {
			errs = append(errs, fmt.Errorf("a hit at %s came after one at %s", hit.Time, last))
		}
		last = hit.Time
		raws = append(raws, string(hit.Raw))
	}
	slices.Sort(raws)
	return raws, errs
}

func value(t testing.TB, text string) []Value {
	t.Helper()
	v, err := ParseValue(text)
	if err != nil {
		t.Fatal(err)
	}
	return []Value{v}
}

// contains is a matcher for events in which a field's value contains a text.
type contains string

func (c contains) Match(ev *event.Event, _ Where) []Finding {
	for i := range ev.Fields {
		if v := string(ev.Fields[i].Value); strings.Contains(v, string(c)) {
			return []Finding{{Evidence: []Evidence{{Field: ev.Fields[i].Name.String(), Value: v}}}}
		}
	}
	return nil
}
