package cli

import (
	"strings"
	"testing"
	"time"
)

// TestProgress: the line tells what is done, at most ten times a second, and leaves nothing behind.
func TestProgress(t *testing.T) {
	at := time.Unix(1_800_000_000, 0)
	var out strings.Builder
	p := newProgress(&out, "shar\x1bing", 4000, func() time.Time { return at })
	steps := []struct {
		after time.Duration
		do    func()
		want  string
		why   string
	}{
		{0, func() { p.Set(10) }, "\rshar\\x1bing 10 of 4000 (0 %)", "the first is drawn at once, and no letter of it steers the terminal"},
		{50 * time.Millisecond, func() { p.Add(10) }, "", "too soon to draw"},
		{2 * time.Second, func() { p.Add(2030) }, "\rshar\\x1bing 2050 of 4000 (51 %), 1000 a second", "with the rate, once there is one"},
		{time.Second, func() { p.Set(9) }, "\rshar\\x1bing 9 of 4000 (0 %), 3 a second       ", "what was longer is painted over"},
		{0, p.Done, "\r" + strings.Repeat(" ", 39) + "\r", "and taken away"},
	}
	for _, s := range steps {
		at = at.Add(s.after)
		out.Reset()
		s.do()
		if out.String() != s.want {
			t.Errorf("%s: drew %q, want %q", s.why, out.String(), s.want)
		}
	}
	unknown := newProgress(&out, "reading", -1, func() time.Time { return at })
	out.Reset()
	unknown.Set(7)
	if out.String() != "\rreading 7" {
		t.Errorf("without a total: %q", out.String())
	}
	var none *Progress
	none.Set(1)
	none.Add(1)
	none.Done()
}
