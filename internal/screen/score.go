package screen

import (
	"fmt"
	"math"
	"strings"

	"github.com/polder-exchange/polder/internal/screen/lists"
	"github.com/polder-exchange/polder/names"
)

// The score begins with the name and is then moved by what else both sides say. Each move is a rising function of the
// score before it that keeps 0 to 1, so a better name never makes a worse score, and each adds or takes points that are
// shown. Place of birth, nationality, religion and the origin of a name are not among the moves and never will be.

// nameAlone is the score of two equal names of which nothing else is known.
const nameAlone = 0.95

// decided is the least score of a listing that bears an identifier of the query.
const decided = 0.98

// How strongly things move the score.
const (
	raiseBirthDay     = 0.80
	raiseBirthMonth   = 0.60
	raiseBirthSwapped = 0.50 // day and month the other way round
	raiseBirthYear    = 0.35
	raiseBirthAbout   = 0.20 // within a range, or a year beside one that is only known about
	raiseBirthSlip    = 0.10 // one of day and month differs
	lowerBirthDay     = 0.95 // the year agrees, day and month do not
	lowerBirthYear    = 0.92 // a year beside
	lowerBirthYears   = 0.84
	lowerBirthFar     = 0.74 // more than five years

	raiseCountry = 0.25
	lowerCountry = 0.96
	lowerWeak    = 0.90
	lowerType    = 0.95
	raiseOtherID = 0.30
)

// move is one thing beside the name that both sides say, and what it does to the score.
type move struct {
	kind          string  // of [Part]
	query, listed string  // what each side says
	alike         float64 // 0 to 1
	how           string  // for [Part]
	why           string  // for the sentence of [Hit]; "" when it is not worth a word

	raise  float64 // above 0: raises by this much
	lower  float64 // above 0: the score is multiplied with it
	decide bool    // nothing else matters
}

// apply moves a score. It rises with s and keeps 0 to 1.
func (m *move) apply(s float64) float64 {
	switch {
	case m.decide:
		return decided + (1-decided)*s
	case m.raise > 0:
		return s + m.raise*s*s*(1-s) // little for names that hardly agree, little for those that agree wholly
	case m.lower > 0:
		return s * m.lower
	}
	return s
}

// scored is the score of a name that met with score name, after all moves.
func scored(name float64, moves []move) float64 {
	s := nameAlone * unit(name)
	for i := range moves {
		s = moves[i].apply(s)
	}
	return round(s)
}

// unit keeps x within 0 to 1; what is no number is 0.
func unit(x float64) float64 {
	if !(x > 0) {
		return 0
	}
	return min(x, 1)
}

// round keeps the four digits that answers show, so that what is compared is what is shown.
func round(x float64) float64 { return math.Round(x*1e4) / 1e4 }

// nameNeeded is the least score of a name with which an answer to q can still reach threshold.
func (q *asked) nameNeeded(threshold float64) float64 {
	var best []move
	if !q.birth.zero() {
		best = append(best, move{raise: raiseBirthDay})
	}
	if q.country != "" {
		best = append(best, move{raise: raiseCountry})
	}
	if len(q.ids) > 0 {
		best = append(best, move{raise: raiseOtherID})
	}
	low, high := 0.0, 1.0
	for range 20 {
		mid := (low + high) / 2
		if scored(mid, best) >= threshold {
			high = mid
		} else {
			low = mid
		}
	}
	return low
}

// moves compares what q and an entry say beside their names. The identifier that decides comes last.
func (q *asked) moves(e *lists.Entry, weak bool) []move {
	var out []move
	if weak {
		out = append(out, move{kind: "weak alias", alike: 0, lower: lowerWeak, how: "the list calls this alias weak",
			why: "the list calls this alias weak"})
	}
	if m, ok := compareTypes(q.Type, e.Type); ok {
		out = append(out, m)
	}
	if m, ok := q.compareBirth(e); ok {
		out = append(out, m)
	}
	if m, ok := q.compareCountry(e); ok {
		out = append(out, m)
	}
	if m, ok := q.compareIdentifiers(e); ok {
		out = append(out, m)
	}
	return out
}

// compareTypes says what two types do: only such as contradict each other do anything.
func compareTypes(a, b names.Type) (move, bool) {
	if a == names.Any || b == names.Any || a == b {
		return move{}, false
	}
	return move{kind: "type", query: a.String(), listed: b.String(), lower: lowerType,
		how: "the types differ", why: fmt.Sprintf("it is listed as a %s, not as a %s", b, a)}, true
}

// compareCountry compares countries of address, registration or flag. One that agrees says a little; ones that differ
// say a little of firms and ships, and nothing of people, who move.
func (q *asked) compareCountry(e *lists.Entry) (move, bool) {
	if q.country == "" || len(e.Countries) == 0 {
		return move{}, false
	}
	known := 0
	for _, c := range e.Countries {
		code := countryCode(c)
		if code == "" {
			continue
		}
		known++
		if code == q.country {
			return move{kind: "country", query: q.country, listed: code, alike: 1, raise: raiseCountry,
				how: "the same country", why: "the country agrees (" + code + ")"}, true
		}
	}
	if known == 0 || known < len(e.Countries) || e.Type == names.Person || q.Type == names.Person {
		return move{}, false
	}
	listed := strings.Join(e.Countries[:min(3, len(e.Countries))], ", ")
	return move{kind: "country", query: q.country, listed: listed, lower: lowerCountry,
		how: "another country", why: fmt.Sprintf("the country differs (%s, listed %s)", q.country, listed)}, true
}
