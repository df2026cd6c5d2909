package detect

import (
	"bytes"
	"fmt"
	"time"

	"github.com/polder-exchange/polder/event"
)

// clock gives events of the history their time, which correlations ask them for. An event's time is the one thing that only
// the reader of a log sets, so a record that says the time, and nothing else, is read for it. It is for one goroutine.
type clock struct{ text []byte }

func newClock() *clock { return &clock{} }

// set is the event with that time; it shares everything else with ev.
func (c *clock) set(ev *event.Event, at time.Time) (timed event.Event, err error) {
	if at.IsZero() {
		return *ev, nil
	}
	c.text = at.UTC().AppendFormat(append(c.text[:0], `{"@timestamp":"`...), time.RFC3339Nano)
	c.text = append(c.text, `"}`...)
	s, err := event.Open(bytes.NewReader(c.text), event.Options{Format: event.JSON})
	if err != nil {
		return timed, err
	}
	chunk, err := s.Next()
	if err != nil {
		return timed, err
	}
	var bad *event.Error
	s.NewDecoder().Decode(chunk, &timed, func(err *event.Error) bool {
		bad = err
		return false
	})
	if bad != nil || !timed.Time().Equal(at) {
		return timed, fmt.Errorf("give an event of the history its time %s: %v", at, bad)
	}
	timed.Index, timed.Source, timed.Mapping, timed.Fields, timed.Raw = ev.Index, ev.Source, ev.Mapping, ev.Fields, ev.Raw
	return timed, nil
}
