package triage

import (
	"math"
	"slices"
	"strings"
	"time"
)

// Two reports are compared by what both name (addresses, domains, hashes, names of systems), by their words, rare ones
// counting more, and by how far apart they came. mostCompared bounds how many are compared, pairsKept how many pairs come
// out.
const (
	mostCompared = 2000
	pairsKept    = 5000
	likeness     = 0.30 // from here two reports count as alike by words alone
	inCommon     = 0.10 // from here the words are a reason beside others
	near         = 14 * 24 * time.Hour
)

// Duplicates are the pairs of reports that name the same rare thing or are nearly the same in words, the most alike
// first. Of more than 2,000 reports the first 2,000 are compared. Reasons are in lang ("nl", else English).
func Duplicates(reports []Text, lang string) []Pair {
	reports = reports[:min(len(reports), mostCompared)]
	r := theRules()
	all := make([]compared, len(reports))
	in := map[string]int{} // in how many reports a term stands
	for i, t := range reports {
		all[i] = r.compared(t)
		for term := range all[i].terms {
			in[term]++
		}
		for _, n := range all[i].named {
			in["\x00"+n]++
		}
	}
	for i := range all {
		all[i].weigh(in, len(all))
	}
	pairs := []Pair{}
	for i := range all {
		for j := i + 1; j < len(all); j++ {
			if p, ok := alike(&all[i], &all[j], in, len(all), lang); ok {
				pairs = append(pairs, p)
			}
		}
	}
	slices.SortStableFunc(pairs, func(a, b Pair) int {
		switch {
		case a.Score > b.Score:
			return -1
		case a.Score < b.Score:
			return 1
		}
		return 0
	})
	return pairs[:min(len(pairs), pairsKept)]
}

// compared is a report as it is compared.
type compared struct {
	Text
	terms  map[string]int    // words and pairs of words, and how often
	whole  map[string]string // the word that a stem was cut from, as it first stands
	order  []string          // of terms, as they first stand: sums are made in this order, so that both programs agree
	weight map[string]float64
	length float64
	named  []string // what it names, in order
}

func (r *ruleSet) compared(t Text) compared {
	c := compared{Text: t, terms: map[string]int{}, whole: map[string]string{}}
	points, at := spread(t.Words)
	c.named = names(points, at, t.Words)
	before := ""
	for _, w := range r.words(t.Words) {
		if r.common[w.text] || len([]rune(w.text)) < 3 {
			continue
		}
		stem := string([]rune(w.text)[:min(6, len([]rune(w.text)))])
		if c.terms[stem] == 0 {
			c.whole[stem] = w.text
		}
		c.count(stem)
		if before != "" {
			c.count(before + " " + stem)
		}
		before = stem
	}
	return c
}

func (c *compared) count(term string) {
	if c.terms[term] == 0 {
		c.order = append(c.order, term)
	}
	c.terms[term]++
}

// weigh gives each term its weight: rarer in all reports is more. Integers under the root keep both programs equal.
func (c *compared) weigh(in map[string]int, reports int) {
	c.weight = map[string]float64{}
	sum := 0.0
	for _, term := range c.order {
		w := math.Sqrt(float64(min(3, c.terms[term]))) * math.Sqrt(float64(reports)/float64(in[term])+1)
		c.weight[term] = w
		sum += float64(w * w) // the conversion keeps processors from fusing both steps
	}
	c.length = math.Sqrt(sum)
}

// alike compares two reports. What more than a tenth of all reports name, and more than three, is no sign: it is likely
// the organisation's own.
func alike(a, b *compared, in map[string]int, reports int, lang string) (Pair, bool) {
	var shared []string
	for _, n := range a.named {
		if in["\x00"+n] <= 3+reports/10 && slices.Contains(b.named, n) {
			shared = append(shared, n)
		}
	}
	product := 0.0
	var rare []string
	for _, term := range a.order {
		if w, ok := b.weight[term]; ok {
			product += float64(a.weight[term] * w)
			if !strings.Contains(term, " ") {
				rare = append(rare, term)
			}
		}
	}
	same := 0.0
	if a.length > 0 && b.length > 0 {
		same = product / (a.length * b.length)
	}
	close := !a.At.IsZero() && !b.At.IsZero() && a.At.Sub(b.At).Abs() <= near
	score := same
	if len(shared) > 0 {
		score = 0.7 + float64(0.2*same) + float64(0.05*float64(min(2, len(shared)-1)))
	}
	if close {
		score += 0.05
	}
	score = math.Round(min(1, score)*100) / 100
	if same < likeness && len(shared) == 0 {
		return Pair{}, false
	}
	return Pair{a.ID, b.ID, score, whyAlike(shared, rare, a.whole, same, close, in, lang)}, true
}

func whyAlike(shared, rare []string, whole map[string]string, same float64, close bool, in map[string]int, lang string) []Reason {
	why := []Reason{}
	for _, n := range shared[:min(3, len(shared))] {
		why = append(why, Reason{n, inWords(lang, "both name it", "beide noemen het")})
	}
	if same >= inCommon && len(rare) > 0 {
		slices.SortStableFunc(rare, func(a, b string) int { return in[a] - in[b] })
		rare = rare[:min(5, len(rare))]
		for i, stem := range rare {
			rare[i] = whole[stem]
		}
		why = append(why, Reason{strings.Join(rare, ", "), inWords(lang, "words that both use", "woorden die beide gebruiken")})
	}
	if close {
		why = append(why, Reason{"", inWords(lang, "they came within two weeks", "ze kwamen binnen twee weken na elkaar")})
	}
	return why
}

func inWords(lang, en, nl string) string { return inLanguage(Answers{Language: lang}, en, nl) }
