package screen

import (
	"math"
	"slices"
	"strings"
	"unicode"

	"github.com/polder-exchange/polder/internal/screen/lists"
	"github.com/polder-exchange/polder/internal/web"
	"github.com/polder-exchange/polder/names"
)

// compareView is the data of "compare": a party beside a listing, and what each thing that was compared did.
type compareView struct {
	Score     compareScore
	Evidence  []evidenceRow
	Words     []wordColumn
	Left      int    // words that are not shown: of very long names
	WordsNote string // how words were compared
	Listing   []listingPair
}

// compareScore is the score against the mark from which it is raised.
type compareScore struct {
	Value  int
	Says   string
	Gauge  web.Gauge
	Legend []scoreLegend
	Means  string // the threshold in words
}

// scoreLegend is one part of the score. Colour 0 has none: it takes away.
type scoreLegend struct {
	Colour int
	Text   string
}

// evidenceRow is a line of the table of evidence.
type evidenceRow struct {
	Head          string
	Yours, Listed []evidenceText
	Finding       pageMark
	English       bool // the finding is in English, in which the comparison explains itself
	Points        string
}

// evidenceText is one thing that a side gives. What is nothing says so.
type evidenceText struct {
	Text    string
	Sub     bool
	Nothing bool
	Met     bool // this is what agreed
}

// wordColumn is a pair of words that met, or a word that met none.
type wordColumn struct {
	Head           string
	Yours, Listed  []wordRun
	Alike, How     string
	English        bool
	Points         string
	YoursIs, NotIn bool // YoursIs: your side has it; NotIn: a side has none
}

// wordRun is a piece of a word; Differs where the other has something else.
type wordRun struct {
	Text    string
	Differs bool
}

// listingPair is a row about the listing; Link leads away from this node.
type listingPair struct {
	Term, Text, Link string
	Here             string // leads to a page of this node
	Foreign          bool
}

const (
	maxPageName     = 300 // runes of a name on a page
	maxShownWords   = 24  // columns of the names word by word
	maxShownAliases = 4
)

// otherKinds are the parts that are not of the name.
var otherKinds = []string{"birth date", "country", "identifier", "weak alias", "type"}

func ofName(p Part) bool { return !slices.Contains(otherKinds, p.Kind) }

// compareOf sets q beside the listing that h met.
func compareOf(words web.Words, q Query, h Hit, meta lists.Meta, threshold float64) compareView {
	points := comparePoints(h)
	v := compareView{Score: compareScoreOf(words, h, points, threshold), Listing: listingPairs(words, h, meta)}
	v.Evidence = evidenceOf(words, q, h, points, meta.Purpose == lists.Verified)
	v.Words, v.Left = compareWords(words, h, points)
	v.WordsNote = words.T("screen.words.note")
	return v
}

// comparePoints are the points of each part in hundredths, rounded so that they add up to the score that is shown.
func comparePoints(h Hit) []int {
	out := make([]int, len(h.Parts))
	sum, whole := 0.0, 0
	type rest struct {
		i int
		r float64
	}
	var rests []rest
	for i, p := range h.Parts {
		if math.IsNaN(p.Points) || math.IsInf(p.Points, 0) {
			continue
		}
		exact := p.Points * 100
		out[i] = int(math.Floor(exact))
		rests = append(rests, rest{i, exact - math.Floor(exact)})
		sum, whole = sum+exact, whole+out[i]
	}
	if math.Abs(sum/100-h.Score) > 0.02 { // the parts do not tell the whole: round each for itself
		for _, r := range rests {
			if r.r >= 0.5 {
				out[r.i]++
			}
		}
		return out
	}
	slices.SortStableFunc(rests, func(a, b rest) int {
		switch {
		case a.r > b.r:
			return -1
		case a.r < b.r:
			return 1
		}
		return 0
	})
	for i := 0; i < pageHundred(h.Score)-whole && i < len(rests); i++ {
		out[rests[i].i]++
	}
	return out
}

// compareScoreOf is the score with its parts: the name as one, then whatever else was compared.
func compareScoreOf(words web.Words, h Hit, points []int, threshold float64) compareScore {
	value, mark := pageHundred(h.Score), pageHundred(threshold)
	s := compareScore{Value: value, Says: words.T("screen.score.says", "mark", mark), Means: meaningText(words, threshold)}
	type sum struct {
		kind   string
		points int
	}
	var sums []sum
	for i, p := range h.Parts {
		kind := p.Kind
		if ofName(p) {
			kind = "name"
		}
		at := slices.IndexFunc(sums, func(s sum) bool { return s.kind == kind })
		if at < 0 {
			sums, at = append(sums, sum{kind: kind}), len(sums)
		}
		sums[at].points += points[i]
	}
	said := []string{}
	takes := false
	for _, one := range sums {
		text := kindText(words, one.kind) + " " + pageSigned(one.points)
		said = append(said, text)
		l := scoreLegend{Text: text}
		if one.points > 0 {
			s.Gauge.Parts = append(s.Gauge.Parts, float64(one.points)/100)
			l.Colour = (len(s.Gauge.Parts)-1)%5 + 1
		}
		takes = takes || one.points < 0
		s.Legend = append(s.Legend, l)
	}
	if takes || len(s.Gauge.Parts) == 0 { // what takes away cannot be drawn as a part: draw the level
		s.Gauge.Parts, s.Gauge.Level = nil, float64(value)/100
		for i := range s.Legend {
			s.Legend[i].Colour = 0
		}
	}
	s.Gauge.Mark = float64(mark) / 100
	s.Gauge.Label = words.T("screen.score.label", "value", value, "parts", strings.Join(said, ", "), "mark", mark)
	return s
}

// kindText is how a kind of part is called.
func kindText(words web.Words, kind string) string {
	if key := "screen.kind." + strings.ReplaceAll(kind, " ", "-"); words.Has(key) {
		return words.T(key)
	}
	return kind
}

// howText says how two things met. A comparison explains itself in English, as the API and the record have it; where
// the catalogue knows the phrases it is put together of, it is said in the reader's language.
func howText(words web.Words, how string) (text string, english bool) {
	if key := "screen.how." + strings.ReplaceAll(strings.ToLower(how), " ", "-"); words.Has(key) {
		return words.T(key), false
	}
	if n, rest, ok := strings.Cut(how, " "); ok && rest == "letters differ" {
		return words.T("screen.how.letters-differ", "n", n), false
	}
	for kind, k := range idKinds {
		switch how {
		case "the same " + k.name:
			return words.T("screen.how.same-id", "id", idText(words, kind)), false
		case "another " + k.name:
			return words.T("screen.how.another-id", "id", idText(words, kind)), false
		}
	}
	for _, between := range []string{": ", "; ", ", "} {
		before, after, ok := strings.Cut(how, between)
		if !ok {
			continue
		}
		said, unknown := howText(words, before)
		if unknown {
			break
		}
		if rest, no := howText(words, after); !no { // what follows may be a word of the names, which stays as it is
			after = rest
		}
		return said + between + after, false
	}
	return how, words.Lang() != "en"
}

// whyText says in a sentence why a listing is like a party.
func whyText(words web.Words, h Hit) string {
	if words.Lang() == "en" && h.Why != "" {
		return web.Clip(h.Why, 400)
	}
	var said []string
	for _, p := range h.Parts {
		if len(said) == 3 || p.Query == "" && p.Listed == "" {
			continue
		}
		how, _ := howText(words, p.How)
		said = append(said, strings.Trim(web.Clip(p.Query, 40)+" – "+web.Clip(p.Listed, 40), " –")+": "+how)
	}
	return strings.Join(said, "; ")
}

func compareNothing(words web.Words) []evidenceText {
	return []evidenceText{{Text: words.T("screen.not-given"), Nothing: true}}
}

// evidenceOf are the rows of the table of evidence: the name first, then what else each side gives.
func evidenceOf(words web.Words, q Query, h Hit, points []int, verified bool) []evidenceRow {
	e := h.Listing
	if e == nil {
		e = &lists.Entry{ID: h.ID, Name: h.Name}
	}
	rows := []evidenceRow{nameRow(words, q, h, e, points, verified)}
	given := map[string]bool{}
	for i, p := range h.Parts {
		if ofName(p) {
			continue
		}
		given[p.Kind] = true
		row := evidenceRow{Head: kindText(words, p.Kind), Yours: compareText(words, p.Query), Listed: compareText(words, p.Listed), Points: pageSigned(points[i])}
		if points[i] > 0 {
			for _, side := range [][]evidenceText{row.Yours, row.Listed} {
				side[0].Met = !side[0].Nothing
			}
		}
		row.Finding = findingMark(points[i], verified)
		row.Finding.Text, row.English = howText(words, p.How)
		row.Finding.Text = strings.TrimSuffix(web.Sentence(row.Finding.Text), ".")
		rows = append(rows, row)
	}
	cannot := func(kind, yours string, listed []string) {
		if given[kind] || yours == "" && len(listed) == 0 {
			return
		}
		row := evidenceRow{Head: kindText(words, kind), Yours: compareText(words, yours), Listed: compareTexts(words, listed), Points: "0"}
		row.Finding = pageMark{"", "cross", words.T("screen.finding.cannot")}
		if yours != "" && len(listed) > 0 {
			row.Finding = pageMark{"", "info", words.T("screen.finding.no-weight")}
		}
		rows = append(rows, row)
	}
	cannot("birth date", q.Birth, e.Births)
	cannot("identifier", compareIDLine(words, q.Identifiers, 1), compareIDs(words, e.Identifiers))
	cannot("country", q.Country, e.Countries)
	if len(e.Addresses) > 0 {
		rows = append(rows, evidenceRow{Head: words.T("screen.address"), Yours: compareNothing(words), Listed: compareTexts(words, e.Addresses), Points: "0", Finding: pageMark{"", "eye", words.T("screen.finding.for-you")}})
	}
	if !given["type"] && (q.Type != names.Any || e.Type != names.Any) {
		rows = append(rows, evidenceRow{Head: words.T("screen.type"), Yours: typeText(words, q.Type), Listed: typeText(words, e.Type), Points: "0", Finding: pageMark{"", "info", words.T("screen.finding.type")}})
	}
	return rows
}

func typeText(words web.Words, t names.Type) []evidenceText {
	if t == names.Any {
		return compareNothing(words)
	}
	return []evidenceText{{Text: words.T("screen.type." + t.String())}}
}

func compareText(words web.Words, s string) []evidenceText {
	if strings.TrimSpace(s) == "" {
		return compareNothing(words)
	}
	return []evidenceText{{Text: web.Clip(s, maxPageName)}}
}

func compareTexts(words web.Words, all []string) []evidenceText {
	if len(all) == 0 {
		return compareNothing(words)
	}
	var out []evidenceText
	for _, s := range all[:min(len(all), maxShownAliases)] {
		out = append(out, evidenceText{Text: web.Clip(s, maxPageName), Sub: len(out) > 0})
	}
	if more := len(all) - len(out); more > 0 {
		out = append(out, evidenceText{Text: words.T("screen.and-more", "n", more), Nothing: true, Sub: true})
	}
	return out
}

func compareIDs(words web.Words, all []lists.Identifier) (out []string) {
	for _, id := range all {
		out = append(out, strings.TrimSpace(idText(words, id.Kind)+" "+id.Value+" "+id.Country))
	}
	return out
}

// idText is how a kind of number is called.
func idText(words web.Words, kind string) string {
	if key := "screen.id." + kind; words.Has(key) {
		return words.T(key)
	}
	return words.T("screen.id.unknown")
}

func compareIDLine(words web.Words, all []lists.Identifier, most int) string {
	return strings.Join(compareIDs(words, all[:min(len(all), most)]), ", ")
}

func findingMark(points int, verified bool) pageMark {
	switch {
	case points > 0 && verified:
		return pageMark{Class: "info", Icon: "check"}
	case points >= 10:
		return pageMark{Class: "bad", Icon: "alert"}
	case points > 0:
		return pageMark{Class: "warn", Icon: "eye"}
	case points < 0:
		return pageMark{Class: "ok", Icon: "check"}
	}
	return pageMark{Icon: "info"}
}

// nameRow is what the names are, and how alike as a whole.
func nameRow(words web.Words, q Query, h Hit, e *lists.Entry, points []int, verified bool) evidenceRow {
	row := evidenceRow{Head: words.T("screen.kind.name"), Yours: []evidenceText{{Text: web.Clip(q.Name, maxPageName)}}, Listed: []evidenceText{{Text: web.Clip(h.Name, maxPageName)}}}
	total := 0
	for i, p := range h.Parts {
		if ofName(p) {
			total += points[i]
		}
	}
	var others []string
	for _, n := range append([]lists.Alias{{Name: e.Name}}, e.Aliases...) {
		if n.Name != "" && n.Name != h.Name && !slices.Contains(others, n.Name) {
			others = append(others, n.Name)
		}
	}
	for i, n := range others[:min(len(others), maxShownAliases)] {
		text := web.Clip(n, maxPageName)
		if i == 0 {
			row.Listed = append(row.Listed, evidenceText{Text: words.T("screen.also"), Sub: true, Nothing: true})
		}
		row.Listed = append(row.Listed, evidenceText{Text: text, Sub: true})
	}
	if more := len(others) - maxShownAliases; more > 0 {
		row.Listed = append(row.Listed, evidenceText{Text: words.T("screen.and-more", "n", more), Nothing: true, Sub: true})
	}
	row.Points, row.Finding = pageSigned(total), findingMark(total, verified)
	switch alike := compareNames(h); {
	case alike >= 0.995:
		row.Finding.Text = words.T("screen.finding.same-name")
	case otherScript(q.Name, h.Name):
		row.Finding.Text = words.T("screen.finding.other-script")
	case alike >= 0.85:
		row.Finding.Text = words.T("screen.finding.other-spelling")
	default:
		row.Finding.Text = words.T("screen.finding.alike")
	}
	return row
}

// compareNames is how alike the words that met are, by what each counts.
func compareNames(h Hit) float64 {
	sum, weight := 0.0, 0.0
	for _, p := range h.Parts {
		if ofName(p) {
			w := math.Abs(p.Points) + 1e-9
			sum, weight = sum+w*p.Score, weight+w
		}
	}
	if weight == 0 {
		return h.Score
	}
	return sum / weight
}

// otherScript tells whether two names share no script of letters.
func otherScript(a, b string) bool {
	of := func(s string) map[string]bool {
		out := map[string]bool{}
		for _, r := range web.Clip(s, maxPageName) {
			for _, name := range []string{"Latin", "Cyrillic", "Greek", "Arabic", "Han", "Hebrew", "Hangul", "Hiragana", "Katakana"} {
				if unicode.Is(unicode.Scripts[name], r) {
					out[name] = true
				}
			}
		}
		return out
	}
	x, y := of(a), of(b)
	if len(x) == 0 || len(y) == 0 {
		return false
	}
	for name := range x {
		if y[name] {
			return false
		}
	}
	return true
}

// compareWords is the names word by word.
func compareWords(words web.Words, h Hit, points []int) (out []wordColumn, left int) {
	n := 0
	for i, p := range h.Parts {
		if !ofName(p) {
			continue
		}
		if n++; n > maxShownWords {
			left++
			continue
		}
		c := wordColumn{Head: kindText(words, p.Kind), Points: pageSigned(points[i]), YoursIs: p.Query != "", NotIn: p.Query == "" || p.Listed == ""}
		c.Yours, c.Listed = compareRuns(web.Clip(p.Query, 60), web.Clip(p.Listed, 60))
		if p.Kind == "legal form" { // two forms that are one differ in every letter
			c.Yours, c.Listed = compareRun(web.Clip(p.Query, 60), false), compareRun(web.Clip(p.Listed, 60), false)
		}
		c.How, c.English = howText(words, p.How)
		if !c.NotIn {
			c.Alike = hundredths(words, p.Score)
		}
		out = append(out, c)
	}
	return out, left
}

// hundredths is a score with two digits, as the language writes it.
func hundredths(words web.Words, score float64) string {
	n := pageHundred(score)
	return words.T("screen.decimal", "whole", n/100, "digits", string([]byte{byte('0' + n/10%10), byte('0' + n%10)}))
}

// compareRuns marks where two words differ: between what they begin and what they end with in common. Words of other
// scripts have nothing to mark.
func compareRuns(a, b string) (x, y []wordRun) {
	if a == "" || b == "" || otherScript(a, b) {
		return compareRun(a, false), compareRun(b, false)
	}
	p, q := []rune(a), []rune(b)
	begin := 0
	for begin < len(p) && begin < len(q) && unicode.ToLower(p[begin]) == unicode.ToLower(q[begin]) {
		begin++
	}
	end := 0
	for end < len(p)-begin && end < len(q)-begin && unicode.ToLower(p[len(p)-1-end]) == unicode.ToLower(q[len(q)-1-end]) {
		end++
	}
	for begin > 0 && begin < len(p) && unicode.Is(unicode.M, p[begin]) { // a mark stays with its letter
		begin--
	}
	cut := func(w []rune) (out []wordRun) {
		out = append(out, compareRun(string(w[:begin]), false)...)
		out = append(out, compareRun(string(w[begin:len(w)-end]), true)...)
		return append(out, compareRun(string(w[len(w)-end:]), false)...)
	}
	if compareJoined(a) || compareJoined(b) { // letters of Arabic change their form when they are cut apart
		return compareRun(a, a != b), compareRun(b, a != b)
	}
	return cut(p), cut(q)
}

// compareJoined tells whether the letters of s join.
func compareJoined(s string) bool {
	return strings.ContainsFunc(s, func(r rune) bool {
		return unicode.Is(unicode.Arabic, r) || unicode.Is(unicode.Devanagari, r)
	})
}

func compareRun(s string, differs bool) []wordRun {
	if s == "" {
		return nil
	}
	return []wordRun{{s, differs}}
}

// listingPairs are what is known of the listing.
func listingPairs(words web.Words, h Hit, meta lists.Meta) []listingPair {
	e := h.Listing
	if e == nil {
		e = &lists.Entry{ID: h.ID, Name: h.Name}
	}
	var out []listingPair
	add := func(key, text string) {
		if text != "" {
			out = append(out, listingPair{Term: words.T(key), Text: web.Clip(text, 2000)})
		}
	}
	title := pageOr(meta.Title, pageOr(meta.Name, h.List))
	if e.List != "" {
		title += ", " + e.List
	}
	add("screen.listing.list", title)
	add("screen.list.date", pageDay(words, pageOr(meta.Date, words.T("screen.list.no-date"))))
	if h.ID != "" {
		out = append(out, listingPair{Term: words.T("screen.listing.entry"), Text: web.Clip(h.ID, maxPageName), Here: sharedObject(h.List, h.ID)})
	}
	if e.Name != "" {
		out = append(out, listingPair{Term: words.T("screen.listing.name"), Text: web.Clip(e.Name, maxPageName), Foreign: true})
	}
	add("screen.listing.programme", strings.Join(e.Programmes, "; "))
	add("screen.listing.means", pageOr(e.Means, words.T("screen.listing.means-unsaid")))
	add("screen.listing.since", pageDay(words, pageOr(e.Listed, words.T("screen.list.no-date"))))
	add("screen.listing.changed", pageDay(words, e.Changed))
	add("screen.listing.note", e.Note)
	if strings.HasPrefix(e.URL, "https://") || strings.HasPrefix(e.URL, "http://") {
		out = append(out, listingPair{Term: words.T("screen.listing.source"), Text: web.Defang(web.Clip(e.URL, 120)), Link: e.URL})
	}
	add("screen.list.publisher", meta.Source)
	add("screen.list.licence", meta.Licence)
	return out
}
