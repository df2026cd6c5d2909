package payback

import (
	_ "embed"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/goccy/go-yaml"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/exchange"
)

//go:embed rules/quality.yaml
var qualityText []byte

// Rules say how the quality of what a contributor shares is computed.
type Rules struct {
	Version int        `yaml:"version" json:"version"`
	Least   int        `yaml:"least" json:"least"`     // judged objects below which nothing is said
	Objects []string   `yaml:"objects" json:"objects"` // types that are judged
	Parts   []RulePart `yaml:"parts" json:"parts"`
	Text    string     `yaml:"-" json:"-"` // as it was read
}

// RulePart is one part of the score.
type RulePart struct {
	Name      string   `yaml:"name" json:"name"`
	Weight    int      `yaml:"weight" json:"weight"`
	Says      string   `yaml:"says" json:"says"`
	Formula   string   `yaml:"formula" json:"formula"`
	FullHours float64  `yaml:"full_hours" json:"full_hours,omitempty"`
	NoneDays  float64  `yaml:"none_days" json:"none_days,omitempty"`
	Worst     float64  `yaml:"worst" json:"worst,omitempty"`
	Items     []string `yaml:"items" json:"items,omitempty"`
}

// The parts of a score.
const (
	PartTimeliness = "timeliness"
	PartConfirmed  = "confirmed"
	PartContext    = "context"
	PartFalse      = "false-positives"
)

// partNames are all parts; rules have each of them once.
var partNames = []string{PartTimeliness, PartConfirmed, PartContext, PartFalse}

// contextItems are what an object may carry, in the order of their bits.
var contextItems = []string{"description", "classification", "confidence", "references", "valid_until"}

// QualityRules are the rules in the program.
func QualityRules() Rules {
	r, err := parseRules(qualityText)
	if err != nil {
		panic(fmt.Sprintf("quality.yaml: %v", err)) // a test reads it
	}
	return r
}

func parseRules(text []byte) (r Rules, err error) {
	if err := yaml.UnmarshalWithOptions(text, &r, yaml.Strict()); err != nil {
		return r, polder.Errorf(polder.Invalid, "%s", strings.TrimSpace(yaml.FormatError(err, false, false)))
	}
	r.Text = string(text)
	return r, r.check()
}

func (r Rules) check() error {
	switch {
	case r.Version != 1:
		return fmt.Errorf("version: %d is unknown", r.Version)
	case r.Least < SmallGroup:
		return fmt.Errorf("least: %d is less than %d", r.Least, SmallGroup)
	}
	sum := 0
	var names []string
	for _, p := range r.Parts {
		sum += p.Weight
		names = append(names, p.Name)
		switch {
		case p.Weight < 0 || p.Says == "" || p.Formula == "":
			return fmt.Errorf("%s: has no weight, says or formula", p.Name)
		case p.Name == PartTimeliness && !(p.FullHours >= 0 && p.NoneDays*24 > p.FullHours):
			return fmt.Errorf("%s: none_days must lie after full_hours", p.Name)
		case p.Name == PartFalse && !(p.Worst > 0 && p.Worst <= 1):
			return fmt.Errorf("%s: worst is not above 0 and at most 1", p.Name)
		case p.Name == PartContext && (len(p.Items) == 0 || slices.ContainsFunc(p.Items, func(i string) bool { return !slices.Contains(contextItems, i) })):
			return fmt.Errorf("%s: items are some of %s", p.Name, strings.Join(contextItems, ", "))
		}
	}
	slices.Sort(names)
	if want := slices.Sorted(slices.Values(partNames)); sum != 100 || !slices.Equal(names, want) {
		return fmt.Errorf("parts: are %s with weights of %d; each of %s once, with weights of 100", strings.Join(names, ", "), sum, strings.Join(want, ", "))
	}
	return nil
}

// Judged is an object of a contributor, with what others said of it, as one reader sees it.
type Judged struct {
	exchange.Ref
	Type     string
	Observed time.Time // first sight
	Shared   time.Time
	Context  int // bits of contextItems

	Confirmed polder.Seq // when somebody else last sighted, blocked or agreed; 0 for never
	False     polder.Seq // when somebody else last called it a false positive
}

// heard tells whether somebody else said anything that counts.
func (j Judged) heard() bool { return j.Confirmed+j.False > 0 }
func (j Judged) wrong() bool { return j.False > j.Confirmed }

// Score is the quality of what a contributor shares. Without enough that was judged it has no value.
type Score struct {
	Known   bool        `json:"known"`
	Value   int         `json:"value"`   // 0 to 100; 0 where not known
	Objects int         `json:"objects"` // that can be judged
	Judged  int         `json:"judged"`  // about which others said something
	Least   int         `json:"least"`   // that have to be judged before there is a value
	Parts   []ScorePart `json:"parts"`   // none where not known
}

// ScorePart is one part of a score with its evidence.
type ScorePart struct {
	Name    string         `json:"name"`
	Weight  int            `json:"weight"`
	Points  float64        `json:"points"` // of the weight
	Value   float64        `json:"value"`  // 0 to 1
	Says    string         `json:"says"`
	Formula string         `json:"formula"`
	Counts  map[string]int `json:"counts"`
	Behind  []exchange.Ref `json:"behind"` // objects that make it what it is, the telling ones first
}

// maxBehind is how many objects stand behind a part.
const maxBehind = 20

// Score computes the quality of objects. Their order counts for nothing.
func (r Rules) Score(all []Judged) Score {
	var objects []Judged
	s := Score{Least: r.Least, Parts: []ScorePart{}}
	for _, j := range all {
		if slices.Contains(r.Objects, j.Type) {
			objects = append(objects, j)
			if j.heard() {
				s.Judged++
			}
		}
	}
	if s.Objects = len(objects); s.Judged < r.Least {
		return s
	}
	s.Known = true
	total := 0.0
	for _, p := range r.Parts {
		part := p.of(objects)
		part.Points = part.Value * float64(p.Weight)
		total += part.Points
		s.Parts = append(s.Parts, part)
	}
	s.Value = int(math.Round(total))
	return s
}

func (p RulePart) of(objects []Judged) ScorePart {
	out := ScorePart{Name: p.Name, Weight: p.Weight, Says: p.Says, Formula: p.Formula, Behind: []exchange.Ref{}}
	var behind []telling
	switch p.Name {
	case PartTimeliness:
		out.Value, out.Counts, behind = p.timeliness(objects)
	case PartContext:
		out.Value, out.Counts, behind = p.context(objects)
	case PartConfirmed:
		judged, confirmed := 0, 0
		for _, j := range objects {
			if j.heard() {
				judged++
				if !j.wrong() {
					confirmed++
					behind = append(behind, telling{j.Ref, float64(j.Confirmed)})
				}
			}
		}
		out.Value, out.Counts = float64(confirmed)/float64(judged), map[string]int{"judged": judged, "confirmed": confirmed}
	case PartFalse:
		judged, wrong := 0, 0
		for _, j := range objects {
			if j.heard() {
				judged++
				if j.wrong() {
					wrong++
					behind = append(behind, telling{j.Ref, float64(j.False)})
				}
			}
		}
		out.Value, out.Counts = max(0, 1-float64(wrong)/float64(judged)/p.Worst), map[string]int{"judged": judged, "false": wrong}
	}
	slices.SortFunc(behind, telling.compare)
	for _, t := range behind[:min(len(behind), maxBehind)] {
		out.Behind = append(out.Behind, t.Ref)
	}
	return out
}

// telling is an object and how much it tells about a part.
type telling struct {
	exchange.Ref
	much float64
}

func (t telling) compare(o telling) int {
	switch {
	case t.much > o.much:
		return -1
	case t.much < o.much:
		return 1
	}
	return strings.Compare(t.ID+string(t.Community), o.ID+string(o.Community))
}

// timeliness tells of the slowest.
func (p RulePart) timeliness(objects []Judged) (value float64, counts map[string]int, behind []telling) {
	sum, soon, late := 0.0, 0, 0
	for _, j := range objects {
		hours := j.Shared.Sub(j.Observed).Hours()
		v := 1 - (hours-p.FullHours)/(p.NoneDays*24-p.FullHours)
		v = min(1, max(0, v))
		sum += v
		switch v {
		case 1:
			soon++
		case 0:
			late++
		}
		if v < 1 {
			behind = append(behind, telling{j.Ref, hours})
		}
	}
	return sum / float64(len(objects)), map[string]int{"objects": len(objects), "soon": soon, "late": late}, behind
}

// context tells of those that carry least.
func (p RulePart) context(objects []Judged) (value float64, counts map[string]int, behind []telling) {
	sum, full := 0.0, 0
	for _, j := range objects {
		have, of := 0, 0
		for _, item := range p.Items {
			if item == "valid_until" && j.Type != "indicator" {
				continue
			}
			of++
			if j.Context&(1<<slices.Index(contextItems, item)) != 0 {
				have++
			}
		}
		v := 1.0
		if of > 0 {
			v = float64(have) / float64(of)
		}
		sum += v
		if v == 1 {
			full++
		} else {
			behind = append(behind, telling{j.Ref, 1 - v})
		}
	}
	return sum / float64(len(objects)), map[string]int{"objects": len(objects), "full": full}, behind
}
