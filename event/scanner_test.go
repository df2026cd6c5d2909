package event

import (
	"errors"
	"io"
	"strings"
	"testing"
)

// readAll decodes a whole stream; each event is cloned.
func readAll(t testing.TB, r io.Reader, o Options) (events []Event, errs []*Error, s *Scanner) {
	t.Helper()
	s, err := Open(r, o)
	if err != nil {
		t.Fatalf("Open: %v", err)
	}
	d := s.NewDecoder()
	var e Event
	for {
		c, err := s.Next()
		if err == io.EOF {
			return events, errs, s
		}
		if err != nil {
			var bad *Error
			if !errors.As(err, &bad) {
				t.Fatalf("Next: %T, want *Error", err)
			}
			errs = append(errs, bad)
			continue
		}
		if c.Len() == 0 {
			t.Fatal("a chunk without records")
		}
		n := d.Decode(c, &e, func(err *Error) bool {
			if err != nil {
				errs = append(errs, err)
			} else {
				events = append(events, e.Clone())
			}
			return true
		})
		if n != c.Len() {
			t.Fatalf("Decode says %d records, the chunk %d", n, c.Len())
		}
	}
}

func TestLines(t *testing.T) {
	events, errs, s := readAll(t, strings.NewReader("{\"a\":1}\n\n{\"a\": {\"b\":\"x\\ny\"}}\r\n{\"a\":[1,true,null,{\"c\":2}]}"), Options{})
	if len(events) != 3 || len(errs) != 0 || s.Format() != JSON {
		t.Fatalf("%d events, %v, format %s", len(events), errs, s.Format())
	}
	if f := events[1].Get(Intern("a.b")); f == nil || string(f.Text(nil)) != "x\ny" {
		t.Fatalf("a.b: %v", f)
	}
	if n := len(events[2].Fields); n != 4 {
		t.Fatalf("%d fields of a list, want 4", n)
	}
}
