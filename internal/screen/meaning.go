package screen

import (
	"fmt"
	"math"
	"slices"
)

// DefaultThreshold is the threshold at which at most one innocent name in a hundred is stopped; see [Meanings].
const DefaultThreshold = 0.44

// Meaning says what a threshold does, as measured: which share of innocent names it stops, and which share of true
// variants of listed names it finds.
type Meaning struct {
	Threshold float64 `json:"threshold"`
	Stopped   float64 `json:"stopped"` // 0 to 1, of innocent names
	Found     float64 `json:"found"`   // 0 to 1, of variants of listed names
}

// measured are the figures of this version on the US Consolidated Screening List, with names alone; TestMeaning measures
// them again. Ordered by threshold; Stopped and Found never rise.
var measured = []Meaning{
	{0.40, 0.0101, 0.992},
	{0.44, 0.0073, 0.992},
	{0.48, 0.0064, 0.983},
	{0.50, 0.0055, 0.980},
	{0.54, 0.0046, 0.961},
	{0.60, 0.0046, 0.944},
	{0.66, 0.0032, 0.922},
	{0.70, 0.0018, 0.908},
	{0.74, 0.0018, 0.897},
	{0.80, 0.0014, 0.858},
	{0.84, 0.0014, 0.813},
	{0.90, 0.0009, 0.709},
}

// Meanings is the published table of what thresholds do.
func Meanings() []Meaning { return slices.Clone(measured) }

// MeaningOf is what a threshold does. Between two of the table it lies on the line between them.
func MeaningOf(threshold float64) Meaning {
	t := unit(threshold)
	after := slices.IndexFunc(measured, func(m Meaning) bool { return m.Threshold >= t })
	switch {
	case after == 0:
		return Meaning{t, measured[0].Stopped, measured[0].Found}
	case after < 0:
		last := measured[len(measured)-1]
		return Meaning{t, last.Stopped, last.Found}
	}
	a, b := measured[after-1], measured[after]
	at := (t - a.Threshold) / (b.Threshold - a.Threshold)
	return Meaning{t, a.Stopped + at*(b.Stopped-a.Stopped), a.Found + at*(b.Found-a.Found)}
}

// OneIn is N where about one innocent name in N is stopped, rounded to what a person remembers; 0 when hardly any is.
func (m Meaning) OneIn() int {
	if m.Stopped < 1.0/5000 {
		return 0
	}
	n := 1 / m.Stopped
	for _, step := range []float64{5, 10, 50, 100, 500} {
		if n < step*4 {
			return int(max(math.Round(n/step*5)*step/5, 1))
		}
	}
	return int(math.Round(n/500) * 500)
}

// Words are the meaning as a sentence.
func (m Meaning) Words() string {
	stopped := "hardly any innocent name is stopped"
	if n := m.OneIn(); n == 1 {
		stopped = "nearly every innocent name is stopped"
	} else if n > 1 {
		stopped = fmt.Sprintf("about 1 in %d innocent names is stopped", n)
	}
	return fmt.Sprintf("At this threshold (%.2f) %s, and about %d in 100 variants of listed names are found.", m.Threshold, stopped, int(math.Round(m.Found*100)))
}
