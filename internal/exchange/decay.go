package exchange

import (
	_ "embed"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/goccy/go-yaml"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/indicator"
	"github.com/polder-exchange/polder/stix"
)

//go:embed decay.yaml
var decayBuiltin []byte

// smallGroup is how many members a statistic about them needs at least (X28).
const smallGroup = 5

// Decay says how indicators lose worth with time: rules that people can read, in the order in which they are asked.
// Everything about it is pure: the same indicator, evidence and time give the same worth, on whatever clock.
type Decay struct {
	Version       int         `yaml:"version" json:"version"`
	Rules         []DecayRule `yaml:"rules" json:"rules"`
	FalsePositive DecayFalse  `yaml:"false_positive" json:"false_positive"`
	Text          string      `yaml:"-" json:"-"` // as it was read
}

// DecayFalse says how many have to call an indicator a false positive.
type DecayFalse struct {
	Named   int `yaml:"named" json:"named"`     // organisations that give their name
	Unnamed int `yaml:"unnamed" json:"unnamed"` // members that do not; never below five (X28)
}

// DecayRule is how one kind of indicator loses worth.
type DecayRule struct {
	Name      string           `yaml:"name" json:"name"`
	Says      string           `yaml:"says" json:"says"`
	Types     []string         `yaml:"indicator_types" json:"indicator_types,omitempty"` // any of these; all when empty
	Kinds     []indicator.Kind `yaml:"kinds" json:"kinds,omitempty"`                     // of its values, all of them; all kinds when empty
	Start     float64          `yaml:"start" json:"start"`                               // worth at the beginning, where the indicator says no confidence
	HalfLife  float64          `yaml:"half_life_days" json:"half_life_days"`             // days
	Floor     float64          `yaml:"floor" json:"floor"`                               // age alone takes it no lower
	RenewedBy []string         `yaml:"renewed_by" json:"renewed_by"`
	EndedBy   []string         `yaml:"ended_by" json:"ended_by"`
}

// What renews and what ends an indicator.
const (
	RenewSighting  = "sighting"
	RenewAgreement = "agreement"
	EndValidUntil  = "valid_until"
	EndRevoked     = "revoked"
	EndFalse       = "false-positive"
)

// maxDecayRules bounds a file of rules.
const maxDecayRules = 200

// BuiltinDecay are the rules in the program.
func BuiltinDecay() Decay {
	d, err := ParseDecay(decayBuiltin)
	if err != nil {
		panic(fmt.Sprintf("decay.yaml: %v", err)) // a test reads it
	}
	return d
}

// ParseDecay reads rules. What is wrong with them is said with the rule's name.
func ParseDecay(text []byte) (d Decay, err error) {
	if len(text) > 256<<10 {
		return d, polder.Errorf(polder.Invalid, "the rules are longer than 256 KiB")
	}
	if err := yaml.UnmarshalWithOptions(text, &d, yaml.Strict()); err != nil {
		return Decay{}, polder.Errorf(polder.Invalid, "%s", strings.TrimSpace(yaml.FormatError(err, false, false)))
	}
	d.Text = string(text)
	return d, d.check()
}

func (d Decay) check() error {
	switch {
	case d.Version != 1:
		return polder.Errorf(polder.Invalid, "version: %d is unknown; this program reads 1", d.Version)
	case len(d.Rules) == 0 || len(d.Rules) > maxDecayRules:
		return polder.Errorf(polder.Invalid, "rules: there are %d; write 1 to %d", len(d.Rules), maxDecayRules)
	case d.FalsePositive.Named < 1:
		return polder.Errorf(polder.Invalid, "false_positive: named: %d is not a number from 1", d.FalsePositive.Named)
	case d.FalsePositive.Unnamed < smallGroup:
		return polder.Errorf(polder.Invalid, "false_positive: unnamed: %d is less than %d, and would tell of single members", d.FalsePositive.Unnamed, smallGroup)
	}
	for _, r := range d.Rules {
		if err := r.check(); err != nil {
			return polder.Errorf(polder.Invalid, "rule %q: %w", clip(r.Name, 80), err)
		}
	}
	if last := d.Rules[len(d.Rules)-1]; len(last.Types)+len(last.Kinds) > 0 {
		return polder.Errorf(polder.Invalid, "rule %q: is the last one and has to fit everything; leave out indicator_types and kinds", clip(last.Name, 80))
	}
	return nil
}

func (r DecayRule) check() error {
	within := func(v, low, high float64) bool { return v >= low && v <= high }
	switch {
	case strings.TrimSpace(r.Name) == "":
		return fmt.Errorf("name: is empty")
	case !within(r.Start, 0, 100):
		return fmt.Errorf("start: %v is not between 0 and 100", r.Start)
	case !within(r.Floor, 0, 100):
		return fmt.Errorf("floor: %v is not between 0 and 100", r.Floor)
	case !within(r.HalfLife, 0.01, 36500):
		return fmt.Errorf("half_life_days: %v is not between 0.01 and 36500", r.HalfLife)
	}
	for _, k := range r.Kinds {
		if _, err := indicator.ParseKind(string(k)); err != nil {
			return fmt.Errorf("kinds: %w", err)
		}
	}
	for _, w := range r.RenewedBy {
		if w != RenewSighting && w != RenewAgreement {
			return fmt.Errorf("renewed_by: %q is unknown; use %s or %s", w, RenewSighting, RenewAgreement)
		}
	}
	for _, w := range r.EndedBy {
		if w != EndValidUntil && w != EndRevoked && w != EndFalse {
			return fmt.Errorf("ended_by: %q is unknown; use %s, %s or %s", w, EndValidUntil, EndRevoked, EndFalse)
		}
	}
	return nil
}

func (r DecayRule) fits(types []string, kinds []indicator.Kind) bool {
	if len(r.Types) > 0 && !slices.ContainsFunc(types, func(t string) bool { return slices.Contains(r.Types, t) }) {
		return false
	}
	if len(r.Kinds) == 0 {
		return true
	}
	return len(kinds) > 0 && !slices.ContainsFunc(kinds, func(k indicator.Kind) bool { return !slices.Contains(r.Kinds, k) })
}

// Fading is an indicator with what was said of it, as one reader sees it.
type Fading struct {
	Types      []string
	Kinds      []indicator.Kind
	Start      time.Time // valid_from, else created
	Until      time.Time
	Revoked    bool
	Confidence int // 0 to 100; -1 when it says none
	Sightings  []time.Time
	Agreements []time.Time
	False      []FalseAlarm
}

// FalseAlarm is somebody's saying that an indicator is a false positive.
type FalseAlarm struct {
	At    time.Time
	Who   string // tells those who say so apart
	Named bool
}

// FadingOf reads what an indicator itself says.
func FadingOf(o stix.Object) Fading {
	f := Fading{Types: texts(o, "indicator_types"), Start: o.ValidFrom.Time, Until: o.ValidUntil.Time, Revoked: o.Revoked, Confidence: -1}
	if f.Start.IsZero() {
		f.Start = o.Created.Time
	}
	if o.Property("confidence") != nil {
		f.Confidence = int(min(100, max(0, number(o, "confidence"))))
	}
	for _, v := range valuesOf(o) {
		if !slices.Contains(f.Kinds, v.Kind) {
			f.Kinds = append(f.Kinds, v.Kind)
		}
	}
	return f
}

// Because is one reason of a worth: a key of the catalogue, its values, and the same in English.
type Because struct {
	Key  string
	Args []any
	Text string
}

// Fade is what an indicator is worth now, and why.
type Fade struct {
	Worth    int // 0 to 100
	Exact    float64
	Rule     DecayRule
	Renewed  time.Time // from when its age counts
	Because  []Because
	Finished bool // something ended it
}

// At is the worth of f at a time. Age never counts below nothing, and evidence from the future counts as of now: a clock
// that is off changes nothing for good, since nothing is stored.
func (d Decay) At(f Fading, now time.Time) Fade {
	out := Fade{}
	for _, r := range d.Rules {
		if out.Rule = r; r.fits(f.Types, f.Kinds) {
			break
		}
	}
	out.because("rule", fmt.Sprintf("the rule %q: it loses half of its worth every %s days, and age takes it no lower than %s", out.Rule.Name, plainNumber(out.Rule.HalfLife), plainNumber(out.Rule.Floor)),
		"rule", out.Rule.Name, "days", plainNumber(out.Rule.HalfLife), "floor", plainNumber(out.Rule.Floor))
	start := out.Rule.Start
	if f.Confidence >= 0 {
		start = float64(f.Confidence)
		out.because("confidence", fmt.Sprintf("it begins at %d, its own confidence", f.Confidence), "from", plainNumber(start))
	} else {
		out.because("start", fmt.Sprintf("it begins at %s, since it says no confidence", plainNumber(start)), "from", plainNumber(start))
	}
	renewed, by := out.Rule.renewed(f, now)
	out.Renewed = renewed
	days := max(0, now.Sub(renewed).Hours()/24)
	floor := min(out.Rule.Floor, start)
	out.Exact = floor + (start-floor)*math.Exp2(-days/out.Rule.HalfLife)
	age := plainNumber(math.Floor(days))
	switch by {
	case "":
		out.because("age", fmt.Sprintf("its age is %s days, from %s", age, renewed.UTC().Format(time.DateOnly)), "days", age, "at", renewed)
	default:
		out.because("renewed."+by, fmt.Sprintf("it was renewed %s days ago by a %s", age, by), "days", age, "at", renewed)
	}
	if why, key := d.ends(out.Rule, f, now); why != "" {
		out.Exact, out.Finished = 0, true
		out.because(key, why, "at", f.Until)
	}
	out.Worth = int(math.Round(out.Exact))
	return out
}

func (f *Fade) because(key, text string, args ...any) {
	f.Because = append(f.Because, Because{Key: "exchange.decay.because." + key, Args: args, Text: text})
}

// renewed is from when the age counts, and what it counts from.
func (r DecayRule) renewed(f Fading, now time.Time) (at time.Time, by string) {
	at = earlier(f.Start, now)
	for _, way := range []struct {
		by  string
		all []time.Time
	}{{RenewSighting, f.Sightings}, {RenewAgreement, f.Agreements}} {
		if !slices.Contains(r.RenewedBy, way.by) {
			continue
		}
		for _, t := range way.all {
			if t = earlier(t, now); t.After(at) {
				at, by = t, way.by
			}
		}
	}
	return at, by
}

func earlier(a, b time.Time) time.Time {
	if a.After(b) {
		return b
	}
	return a
}

// ends says what has ended f, or "".
func (d Decay) ends(r DecayRule, f Fading, now time.Time) (why, key string) {
	by := func(w string) bool { return slices.Contains(r.EndedBy, w) }
	switch {
	case f.Revoked && by(EndRevoked):
		return "it is revoked", "revoked"
	case !f.Until.IsZero() && !f.Until.After(now) && by(EndValidUntil):
		return "it was valid until " + f.Until.UTC().Format(time.DateOnly), "expired"
	case by(EndFalse) && d.deniedSince(r, f):
		return "members say that it is a false positive, and nobody has seen it since", "false"
	}
	return "", ""
}

// deniedSince tells whether enough say that it is a false positive after whatever renewed it last.
func (d Decay) deniedSince(r DecayRule, f Fading) bool {
	last, _ := r.renewed(f, time.Unix(1<<40, 0))
	named, unnamed := map[string]bool{}, map[string]bool{}
	for _, x := range f.False {
		if x.At.Before(last) && last.After(f.Start) {
			continue
		}
		if x.Named {
			named[x.Who] = true
		} else {
			unnamed[x.Who] = true
		}
	}
	return len(named) >= d.FalsePositive.Named || len(unnamed) >= d.FalsePositive.Unnamed
}

// plainNumber writes a number as people do: 7, 0.5.
func plainNumber(v float64) string {
	return strings.TrimSuffix(strings.TrimRight(fmt.Sprintf("%.2f", v), "0"), ".")
}
