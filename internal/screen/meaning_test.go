package screen

import (
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestMeaningWords(t *testing.T) {
	for _, c := range []struct {
		stopped float64
		in      int
		words   string
	}{
		{1, 1, "nearly every innocent name is stopped"}, {0.1, 10, "about 1 in 10 innocent names is stopped"}, {0.0099, 100, "about 1 in 100 innocent names is stopped"},
		{0.0033, 300, "about 1 in 300 "}, {0.0005, 2000, "about 1 in 2000 "}, {0, 0, "hardly any innocent name is stopped"},
	} {
		m := Meaning{Threshold: 0.7, Stopped: c.stopped, Found: 0.876}
		if m.OneIn() != c.in || !strings.Contains(m.Words(), c.words) || !strings.Contains(m.Words(), "about 88 in 100 variants") || !strings.Contains(m.Words(), "(0.70)") {
			t.Errorf("%v: 1 in %d, %q", c.stopped, m.OneIn(), m.Words())
		}
	}
}

// TestMeaningLaws: a higher threshold never stops or finds more, the table says what it says, and the usual threshold
// stops at most one in a hundred.
func TestMeaningLaws(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := rapid.Float64Range(0, 1).Draw(t, "a"), rapid.Float64Range(0, 1).Draw(t, "b")
		x, y := MeaningOf(min(a, b)), MeaningOf(max(a, b))
		if x.Stopped < y.Stopped || x.Found < y.Found {
			t.Fatalf("%+v, then %+v", x, y)
		}
	})
	for _, m := range Meanings() {
		if MeaningOf(m.Threshold) != m {
			t.Errorf("%+v is said to be %+v", m, MeaningOf(m.Threshold))
		}
	}
	if m := MeaningOf(DefaultThreshold); m.Stopped > 0.01 {
		t.Errorf("the usual threshold stops %v", m.Stopped)
	}
}
