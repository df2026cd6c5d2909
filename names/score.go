package names

import (
	"math"
	"math/bits"
	"unicode/utf8"
)

// figures are the numbers that a score is made with. They were chosen on labelled pairs; a test fits them again.
type figures struct {
	contrary   float64 // how much words that contradict cost, of what they weigh
	extra      float64 // how much a word costs that only one name has
	scarce     float64 // how much more all that costs when little has met
	sole       float64 // how much more a word costs that only one name has when hardly a word has met
	single     float64 // how much more that is when that word is all there is of its name
	trades     float64 // how much a word of the trade contradicts that only one name has, when no other words met
	family     float64 // how much more it costs when that is the whole surname
	formClash  float64 // what two legal forms cost that are not the same
	orderClash float64 // what words in another order cost
	chainClash float64 // the same where the order says who is whose son
	slope      float64 // of the calibration: how fast the score rises with the odds of the raw figure
	offset     float64 // of the calibration: at even odds
}

// shipped are the figures in use.
var shipped = figures{
	contrary: 2.1, extra: 0.27, scarce: 0.15, sole: 1.6, single: 1.5, trades: 0.8, family: 4, formClash: 0.4, orderClash: 0.03, chainClash: 2,
	slope: 1.7, offset: -1.38,
}

// Scores that names do not reach: notEqual is for those that are not written alike, and otherWords for those that are not
// the same words in another order, which score at least that.
const (
	notEqual   = 0.995
	otherWords = 0.985
)

// foreignForm is how far legal forms of one kind and two countries differ, of two that are not of one kind at all.
const foreignForm = 0.5

// verdict is what a comparison found, in weights of words.
type verdict struct {
	met      float64 // what met
	proper   float64 // of that, words that set a name apart
	telling  float64 // of that, all words but those that any firm may bear
	contrary float64 // what contradicts
	extra    float64 // what only one name has, by what it costs
	strange  float64 // the same, of words that set a name apart
	bare     float64 // the same, however common those are
	forms    float64 // legal forms that differ
	raw      float64 // the figure before calibration
}

// information is what a word tells of a name.
func information(w *Word) float64 {
	switch w.Kind {
	case LegalForm, Title, Particle:
		return 0.06
	case Initial:
		return 0.3
	case Number:
		return 0.5
	case Trade:
		return 0.42
	case Place:
		return 0.5
	}
	return bareInformation(w) * (1 - 0.55*commonness(w.Latin))
}

// bareInformation is what a word that sets a name apart tells by its length alone.
func bareInformation(w *Word) float64 {
	size := len(w.Latin)
	if w.Script == Han {
		size = 2 * utf8.RuneCountInString(w.Text)
	} else if size == 0 {
		size = utf8.RuneCountInString(w.Text)
	}
	return informationByLength[min(size, len(informationByLength)-1)]
}

// informationByLength is what a word tells that has so many letters.
var informationByLength = [...]float64{0.3, 0.3, 0.55, 0.75, 0.88, 0.96, 1, 1.04, 1.08}

// judge makes the score of the links and of the words that are left, and links the latter as what they are.
func (s *scorer) judge() float64 {
	f := s.figures
	if f == nil {
		f = &shipped
	}
	v := &s.verdict
	for i := range s.links {
		s.weighLink(&s.links[i], f)
	}
	s.weighRest(f)
	same := s.a.bag == s.b.bag && s.a.bag != 0 && !s.a.cut && !s.b.cut
	if v.met <= 0 {
		if same {
			return otherWords
		}
		return 0
	}
	loss := f.contrary*v.contrary + v.extra + v.strange + v.bare*f.sole*max(0, 1.6-v.met) + f.formClash*v.forms
	loss *= 1 + f.scarce/(v.met+0.2)
	disorder := s.disorder(f)
	v.raw = v.met / (v.met + loss + disorder)
	score := calibrate(v.raw, f)
	if same && disorder < f.chainClash {
		return otherWords + (notEqual-otherWords)*score
	}
	return otherWords * score
}

// calibrate turns a raw figure into the score. It rises strictly from 0 at 0 to 1 at 1.
func calibrate(raw float64, f *figures) float64 {
	if !(raw > 0) {
		return 0
	}
	if raw >= 1 {
		return 1
	}
	return 1 / (1 + math.Exp(-f.offset-f.slope*math.Log(raw/(1-raw))))
}

// weighLink adds what a link says for the names and what against.
func (s *scorer) weighLink(l *link, f *figures) {
	wa, wb := 0.0, 0.0
	for i := range l.an {
		wa += s.wa[(l.ai+i)%len(s.a.Words)]
	}
	for j := range l.bn {
		wb += s.wb[(l.bi+j)%len(s.b.Words)]
	}
	l.weight = (wa + wb) / 2
	switch {
	case l.how == howInitial || l.how == howAcronym:
		l.weight = min(wa, wb)
		s.verdict.extra += 0.3 * f.extra * (max(wa, wb) - l.weight)
	case l.how == howSame && (s.a.Words[l.ai].Kind == LegalForm || s.b.Words[l.bi].Kind == LegalForm):
		l.weight = min(wa, wb)
	case l.how == howSame: // what one takes for a name may be a title to the other
	case l.how != howJoined && l.how != howOrganisation && max(wa, wb) > 3*min(wa, wb): // a name and a legal form
		l.weight = min(wa, wb)
		s.verdict.extra += f.extra * (max(wa, wb) - l.weight)
	}
	if l.how == howForeign {
		s.verdict.forms += foreignForm
	}
	against := (1 - l.sim) * math.Sqrt(math.Sqrt(1-l.sim))
	s.verdict.met += l.weight * (1 - against)
	s.verdict.contrary += l.weight * against
	if s.a.Words[l.ai].Kind == Proper || s.b.Words[l.bi].Kind == Proper {
		s.verdict.proper += l.weight * (1 - against)
	}
	if w := s.a.Words[l.ai]; w.Kind != LegalForm && w.Kind != Title && w.Kind != Particle && !isGeneric(w) {
		s.verdict.telling += l.weight * (1 - against)
	}
}

// weighRest adds the words that have no partner: as far as both names have such words they contradict, and the rest is
// what only one name says.
func (s *scorer) weighRest(f *figures) {
	var a, b rest
	v := &s.verdict
	a.add(s.a, s.wa[:], s.leftA, f, v.proper)
	b.add(s.b, s.wb[:], s.leftB, f, v.proper)
	if a.script != b.script {
		// Words of the trade are translated in more than one way.
		a.mass, b.mass = a.mass-0.4*a.trade, b.mass-0.4*b.trade
	}
	clash := min(a.mass, b.mass)
	v.contrary += clash + s.smallClash(&a, &b)
	restA, restB := over(a.mass, clash), over(b.mass, clash)
	if v.telling == 0 { // words that any firm may bear must all agree
		v.contrary += f.trades * (a.mass*restA + b.mass*restB)
	}
	if singleA, singleB := s.singles(); singleA != singleB {
		a.bare, b.bare = f.single*a.bare, f.single*b.bare
	}
	v.extra += a.cost*restA + b.cost*restB + 0.3*f.extra*(a.small+b.small)
	v.strange += a.strange*restA + b.strange*restB
	v.bare += a.bare*restA + b.bare*restB
	v.forms += float64(min(bits.OnesCount64(a.forms), bits.OnesCount64(b.forms)))
	if a.kin != noKin && b.kin != noKin && a.kin != b.kin {
		v.contrary += 0.3
	}
	v.forms += s.formOfOne(a.forms, b.forms)
	if s.a.Type != s.b.Type && s.a.Type != Any && s.b.Type != Any {
		v.forms += 0.5
	}
	s.linkContrary(a.heavy, b.heavy, f.contrary)
	s.linkContrary(a.forms, b.forms, 1)
	s.linkAlone(f)
}

// singles says for each of the two names whether all of it that tells anything is one word, or a run of words that met one
// word: names of more words hold it by chance.
func (s *scorer) singles() (a, b bool) {
	heavyA, heavyB := heavyWords(s.a), heavyWords(s.b)
	a, b = bits.OnesCount64(heavyA) == 1, bits.OnesCount64(heavyB) == 1
	for _, l := range s.links {
		if l.how == howJoined {
			a = a || runBits(l.ai, l.an, len(s.a.Words))&heavyA == heavyA
			b = b || runBits(l.bi, l.bn, len(s.b.Words))&heavyB == heavyB
		}
	}
	return a, b
}

// heavyWords are the words of a name that are no small ones, a bit each.
func heavyWords(n *Name) (heavy uint64) {
	for i, w := range n.Words {
		if w.Kind != LegalForm && w.Kind != Title && w.Kind != Particle {
			heavy |= 1 << i
		}
	}
	return heavy
}

// formOfOne is what it counts for that one name alone has a legal form: nothing, but where the other is a ship's or a
// person's. No ship has a legal form, and few people do business under their own name alone.
func (s *scorer) formOfOne(a, b uint64) float64 {
	other := s.b.Type
	switch {
	case a != 0 && b != 0 || a == 0 && b == 0 || s.a.Type == s.b.Type && other != Vessel:
		return 0
	case b != 0:
		other = s.a.Type
	}
	switch other {
	case Vessel:
		return 2
	case Person:
		return 1
	}
	return 0
}

// over is the share of a mass that is left when some of it is taken.
func over(mass, taken float64) float64 {
	if mass <= 0 {
		return 0
	}
	return (mass - taken) / mass
}

// rest is what of one name has no partner.
type rest struct {
	heavy   uint64  // the words that can contradict others
	forms   uint64  // the legal forms
	script  Script  // of the words of the trade
	trade   float64 // of the mass, words of the trade
	mass    float64 // of the heavy words
	cost    float64 // of the heavy words when they are merely more
	strange float64 // the same of those that set a name apart
	bare    float64 // the same, however common those are
	small   float64 // the weight of the others
	inner   float64 // what those of the others would weigh as names of a person
	edge    float64 // the same of those that begin or end the name
	kin     kin     // of the others
}

// add counts the words of n that are left; proper is how much has met of words that set names apart.
func (r *rest) add(n *Name, weights []float64, left uint64, f *figures, proper float64) {
	stranger := n.family != 0 && n.family&^left == 0
	for ; left != 0; left &= left - 1 {
		i := bits.TrailingZeros64(left)
		switch n.Words[i].Kind {
		case LegalForm:
			r.forms |= 1 << i
			r.small += weights[i]
			r.addSmall(n, i)
		case Title, Particle:
			r.small += weights[i]
			r.addSmall(n, i)
			r.kin = max(r.kin, kinship(n.Words[i]))
		default:
			r.heavy |= 1 << i
			cost := f.extra * costAlone(n, i)
			switch {
			case stranger && n.family>>i&1 == 1:
				cost *= f.family
			case n.Words[i].Kind == Proper:
				cost *= 1 + 1.5*max(0, 1-2*proper)
			}
			r.mass += contraryWeight(n.Words[i], weights[i])
			if n.Words[i].Kind == Trade {
				r.trade, r.script = r.trade+weights[i], n.Words[i].Script
			}
			if n.Words[i].Kind == Proper {
				r.strange += cost * contraryWeight(n.Words[i], weights[i])
				r.bare += cost * bareInformation(n.Words[i])
			} else {
				r.cost += cost * weights[i]
			}
		}
	}
}

// addSmall counts what word i, an article, a title or a legal form, would weigh as a name.
func (r *rest) addSmall(n *Name, i int) {
	w := *n.Words[i]
	if w.Kind == Title && len(w.Latin) > 4 {
		return
	}
	w.Kind = Proper
	weight := information(&w)
	if i == 0 || i == len(n.Words)-1 || n.family == 1<<i {
		r.edge += weight
	} else {
		r.inner += weight
	}
}

// smallClash is how far small words of persons' names contradict: what is taken for an article or a legal form may be a
// name (Do, Na, Ye, Sa), so that two of them in one place are two names, and so is one that begins or ends a name where
// the other has a name.
func (s *scorer) smallClash(a, b *rest) float64 {
	if !personLike(s.a) || !personLike(s.b) {
		return 0
	}
	restA, restB := over(a.mass, min(a.mass, b.mass))*a.mass, over(b.mass, min(a.mass, b.mass))*b.mass
	return max(min(a.edge+a.inner, b.edge+b.inner), min(a.edge, restB), min(b.edge, restA))
}

// personLike says whether a name is a person's, or may be one: a few words and none of the trade.
func personLike(n *Name) bool {
	if n.Type != Any {
		return n.Type == Person
	}
	for _, w := range n.Words {
		if w.Kind == Trade || w.Kind == Number {
			return false
		}
	}
	return len(n.Words) <= 5
}

// contraryWeight is what a word weighs that contradicts another: a common name contradicts nearly as much as a rare one.
func contraryWeight(w *Word, weight float64) float64 {
	if w.Kind != Proper {
		return weight
	}
	return max(weight, (weight+bareInformation(w))/2)
}

// costAlone is how much more or less than others word i costs when the other name does not have it.
func costAlone(n *Name, i int) float64 {
	w := n.Words[i]
	switch {
	case w.Kind == Number:
		return 1.5
	case n.Type != Person && isCountry(w):
		return 1.5 // a firm of that group in another country
	case n.aside>>i&1 == 1 && w.Kind != Place:
		return 0.5
	case isPatronymic(w.Latin):
		return 0.5
	case w.Kind == Proper && (w.Script == Han || w.Script == Hangul):
		return 2.5 // a syllable of a given name is never left out
	}
	return 1
}

// linkContrary sets words that are left of both names against one another, in their order.
func (s *scorer) linkContrary(a, b uint64, cost float64) {
	for ; a != 0 && b != 0; a, b = a&(a-1), b&(b-1) {
		i, j := bits.TrailingZeros64(a), bits.TrailingZeros64(b)
		s.link(link{ai: i, an: 1, bi: j, bn: 1, how: howContrary, weight: cost * (s.wa[i] + s.wb[j]) / 2})
	}
}

// linkAlone links the words that are still left to nothing.
func (s *scorer) linkAlone(f *figures) {
	for left := s.leftA; left != 0; left &= left - 1 {
		i := bits.TrailingZeros64(left)
		s.link(link{ai: i, an: 1, weight: f.extra * s.wa[i]})
	}
	for left := s.leftB; left != 0; left &= left - 1 {
		j := bits.TrailingZeros64(left)
		s.link(link{bi: j, bn: 1, weight: f.extra * s.wb[j]})
	}
}

// disorder is what it costs that the words of the two names stand in another order: nothing when one order is the other
// turned round at one place, as when the surname comes first.
func (s *scorer) disorder(f *figures) float64 {
	var at [maxWords]int
	n := 0
	for i := range s.a.Words {
		for k := range s.links {
			if l := &s.links[k]; l.ai == i && l.an > 0 && l.bn > 0 && l.sim > 0 && l.weight > 0.2 {
				at[n] = l.bi
				n++
			}
		}
	}
	chain := n > 1 && isChain(s.a) && isChain(s.b)
	if chain && n == 2 && at[0] > at[1] && s.a.family == 0 && s.b.family == 0 {
		return f.chainClash
	}
	if n < 3 {
		return 0
	}
	falls := 0
	for i := range n {
		if at[i] > at[(i+1)%n] {
			falls++
		}
	}
	if falls < 2 {
		return 0
	}
	if chain {
		return f.chainClash
	}
	return f.orderClash * float64(falls-1) / float64(n-1)
}

// isChain says whether a name tells whose child somebody is: the particle stands between the two.
func isChain(n *Name) bool {
	for i, w := range n.Words {
		if i > 0 && i < len(n.Words)-1 && kinship(w) == childOf {
			return true
		}
	}
	return false
}

// kin is what a particle says of two names.
type kin uint8

const (
	noKin kin = iota
	childOf
	parentOf
)

// kinship is what a particle says of the names before and after it.
func kinship(w *Word) kin {
	if w.Kind == Particle {
		switch w.Latin {
		case "bin", "ben", "ibn", "bint", "binti", "binte":
			return childOf
		case "abu", "abou", "aboo", "um", "umm", "oum", "umme":
			return parentOf
		}
	}
	return noKin
}
