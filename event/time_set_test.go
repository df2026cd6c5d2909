package event

import (
	"testing"
	"time"
)

// TestSetTime: an event that comes from no reader of logs has the time that it was given, and keeps it when it is copied.
func TestSetTime(t *testing.T) {
	ev := Event{Index: 7, Raw: []byte("x")}
	for _, at := range []time.Time{time.Date(2026, 3, 1, 10, 0, 0, 123456000, time.UTC), time.Date(1999, 1, 1, 0, 0, 0, 0, time.UTC), {}} {
		ev.SetTime(at)
		if kept := ev.Clone(); !ev.Time().Equal(at) || !kept.Time().Equal(at) {
			t.Errorf("%s: %s, copied %s", at, ev.Time(), kept.Time())
		}
	}
}

// TestMappingOf: every shipped mapping is there by its name, the same pointer each time; another name knows no others.
func TestMappingOf(t *testing.T) {
	for _, name := range Mappings() {
		m := MappingOf(name)
		if m != MappingOf(name) || m.Name() != name {
			t.Errorf("%s: %q", name, m.Name())
		}
	}
	if m := MappingOf("no such mapping"); len(m.Names("a.b")) != 1 {
		t.Errorf("an unknown mapping: %q", m.Names("a.b"))
	}
	if got := MappingOf("winlogbeat").Names("winlog.event_data.Image"); len(got) < 3 {
		t.Errorf("the names of winlog.event_data.Image: %q", got)
	}
}
