package screen

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/screen/lists"
	"github.com/polder-exchange/polder/internal/web"
	"github.com/polder-exchange/polder/names"
)

const (
	maxLine      = 200 // runes of a line that is taken for one name
	maxAskedHere = 50  // parties that one page answers
	belowShown   = 5   // entries just below the mark that are shown
	maxListNames = 12  // lists that a page names; the rest are counted
)

// askForm is what the box holds.
type askForm struct {
	Text, Type, Country, Birth, IDKind, IDValue, IDCountry string
}

func askFormOf(v url.Values) askForm {
	return askForm{strings.TrimSpace(v.Get("text")), v.Get("type"), strings.TrimSpace(v.Get("country")), strings.TrimSpace(v.Get("birth")), v.Get("id-kind"), strings.TrimSpace(v.Get("id")), strings.TrimSpace(v.Get("id-country"))}
}

// more tells whether anything stands below "more".
func (f askForm) more() bool { return f.Country+f.Birth+f.IDValue+f.IDCountry != "" }

// query is what the box asks about one party.
func (f askForm) query(name string) (Query, error) {
	t, err := names.ParseType(f.Type)
	if err != nil {
		return Query{}, polder.Errorf(polder.Invalid, "%w", err)
	}
	q := Query{Name: name, Type: t, Country: f.Country, Birth: f.Birth}
	if f.IDValue != "" {
		q.Identifiers = []lists.Identifier{{Kind: pageOr(f.IDKind, lists.IDRegistration), Value: f.IDValue, Country: f.IDCountry}}
	}
	return q, nil
}

// askedKinds are the kinds of identifiers that the box offers.
var askedKinds = []string{lists.IDRegistration, lists.IDLEI, lists.IDTax, lists.IDIMO, lists.IDMMSI, lists.IDAircraft, lists.IDBIC, lists.IDPassport, lists.IDNational}

// fields are the box and what stands below "more".
func (f askForm) form(words web.Words) pageForm {
	types := []web.Option{}
	for _, t := range []names.Type{names.Any, names.Person, names.Company, names.Vessel} {
		types = append(types, web.Option{Value: t.String(), Label: words.T("screen.type." + t.String()), Chosen: f.Type == t.String()})
	}
	kinds := []web.Option{}
	for _, k := range askedKinds {
		kinds = append(kinds, web.Option{Value: k, Label: words.T("screen.id." + k), Chosen: f.IDKind == k})
	}
	return pageForm{Action: "/screen", Submit: words.T("screen.ask.do"), Primary: true, Note: words.T("screen.ask.note"), MoreIs: words.T("screen.ask.more"), Opened: f.more(),
		Fields: []web.Field{{Name: "text", Label: words.T("screen.ask.text"), Help: words.T("screen.ask.text-help"), Value: f.Text, Rows: 4, Required: true},
			{Name: "type", Label: words.T("screen.type"), Options: types, Help: words.T("screen.ask.type-help")}},
		More: []web.Field{{Name: "country", Label: words.T("screen.ask.country"), Help: words.T("screen.ask.country-help"), Value: f.Country, Short: true, Max: 60},
			{Name: "birth", Label: words.T("screen.ask.birth"), Help: words.T("screen.ask.birth-help"), Value: f.Birth, Short: true, Max: 10},
			{Name: "id-kind", Label: words.T("screen.ask.id-kind"), Options: kinds}, {Name: "id", Label: words.T("screen.ask.id"), Value: f.IDValue, Max: 100},
			{Name: "id-country", Label: words.T("screen.ask.id-country"), Value: f.IDCountry, Short: true, Max: 60}}}
}

// askPage is the box. A name in the address, as the console's search gives it, stands in it and is not asked yet.
func (p *Pages) askPage(w http.ResponseWriter, r *http.Request) error {
	if err := mayScreen(web.ActorOf(r), polder.RoleReader); err != nil {
		return err
	}
	words := web.WordsOf(r)
	return p.showAsk(w, r, askForm{Text: web.Clip(strings.TrimSpace(r.URL.Query().Get("name")), maxLine)}, pageView{}, words.T("screen.ask"), words.T("screen.ask.lede"), nil)
}

// showAsk shows the box, beside an answer where there is one.
func (p *Pages) showAsk(w http.ResponseWriter, r *http.Request, f askForm, v pageView, title, lede string, failed error) error {
	words, by := web.WordsOf(r), web.ActorOf(r)
	v.Alerts = append(v.Alerts, pageNotDone(words, failed)...)
	v.Tabs = p.tabs(words, "/screen")
	box := pageBlock(words.T("screen.ask.box"), "", "form", f.form(words))
	kept, err := p.more.Lists.Lists(r.Context(), by)
	if err != nil {
		return err
	}
	if len(kept) == 0 {
		v.Alerts = append(v.Alerts, web.Alert{Class: "warn", Title: words.T("screen.lists.none"), Text: words.T("screen.lists.none-text"), Links: []web.Link{{Text: words.T("screen.tab.lists"), Href: "/screen/lists"}}})
	}
	for _, l := range kept {
		if l.Stale {
			v.Alerts = append(v.Alerts, staleAlert(words, p, l))
		}
	}
	if len(v.Main) == 0 {
		v.add(box)
	} else {
		box.Title = words.T("screen.ask.another")
		v.beside(box)
	}
	v.beside(listsBlock(words, p, kept))
	set, err := p.Settings(r.Context(), by)
	if err != nil {
		return err
	}
	v.beside(pageBlock(words.T("screen.threshold"), "", "marks-body", []web.Mark{{Icon: "target", Text: meaningText(words, set.Threshold)}, {Icon: "shield", Text: words.T("screen.never-used")}}))
	p.site.Render(w, r, web.Page{Template: "screen/page", Title: title, Lede: lede, Status: pageStatus(failed), Data: v})
	return nil
}

// listsBlock names the lists that are asked, each with its age.
func listsBlock(words web.Words, p *Pages, kept []KeptList) web.Block {
	t := pageTable{Label: words.T("screen.lists.asked"), Heads: web.PlainHeads(words.T("screen.list"), words.T("screen.list.date")), Empty: web.Empty{Icon: "list", Title: words.T("screen.lists.none"), Text: words.T("screen.lists.none-text")}}
	for _, l := range kept[:min(len(kept), maxListNames)] {
		t.add(pageRow{Name: listTitle(l.Meta), Href: pagePath("/screen/lists", l.Name), Sub: words.T("screen.purpose." + string(l.Purpose)), Cells: []pageCell{{Text: listDate(words, l.Meta), Sub: listAge(words, p, l)}}})
	}
	if more := len(kept) - maxListNames; more > 0 {
		t.Foot = words.T("screen.lists.more", "n", more)
	}
	return pageBlock(words.T("screen.lists.asked"), "", "table", t)
}

// ask answers what was posted: a name at once; of a longer text first which parties stand in it.
func (p *Pages) ask(w http.ResponseWriter, r *http.Request) error {
	values, err := web.Form(r)
	if err != nil {
		return err
	}
	f := askFormOf(values)
	qs, found, err := p.asked(values, f)
	switch {
	case err != nil:
	case found != nil:
		return p.showFound(w, r, f, found)
	default:
		var answers []Answer
		answers, err = p.Screen(r.Context(), web.ActorOf(r), qs, Options{Below: belowShown})
		if err == nil {
			err = p.keepSingle(r, answers)
		}
		if err == nil {
			return p.showAnswers(w, r, f, answers, f.again(values["ask"]))
		}
	}
	if !web.Mendable(err) {
		return err
	}
	words := web.WordsOf(r)
	return p.showAsk(w, r, f, pageView{}, words.T("screen.ask"), words.T("screen.ask.lede"), err)
}

// keepSingle puts what was asked on record where the organisation wants all of it there.
func (p *Pages) keepSingle(r *http.Request, answers []Answer) error {
	by := web.ActorOf(r)
	set, err := p.Settings(r.Context(), by)
	if err != nil || !set.RecordSingle || !contributes(by) {
		return err
	}
	_, err = p.KeepAll(r.Context(), by, answers, KeepOptions{})
	return err
}

// asked is what a form asks about: the parties that were ticked, a single name, the whole text as one name, or, of a
// text that holds several, the parties that were found in it and are yet to be ticked.
func (p *Pages) asked(values url.Values, f askForm) (qs []Query, found []Mention, err error) {
	ticked := values["ask"]
	if len(ticked) > maxAskedHere {
		return nil, nil, polder.Errorf(polder.TooLarge, "%d parties at once are too many for a page; tick at most %d, or send a batch", len(ticked), maxAskedHere)
	}
	if len(ticked) > 0 {
		qs, err = tickedOf(f.Text, ticked)
		return qs, nil, err
	}
	if f.Text == "" {
		return nil, nil, polder.Errorf(polder.Invalid, "the box is empty; write a name, or paste a text with names in it")
	}
	if found = Extract(f.Text); values.Get("whole") != "yes" && (len(found) > 1 || !isOneName(f.Text)) {
		if len(found) == 0 {
			return nil, nil, polder.Errorf(polder.Invalid, "no party was found in this text; write one name a line, or paste the part that names the parties")
		}
		return nil, found, nil
	}
	q, err := f.query(oneLine(f.Text))
	return []Query{q}, nil, err
}

// tickedOf are the parties of a text that were ticked, each by its place among them.
func tickedOf(text string, ticked []string) (qs []Query, err error) {
	found := Extract(text)
	for _, v := range ticked {
		n, err := strconv.Atoi(v)
		if err != nil || n < 0 || n >= len(found) {
			return nil, polder.Errorf(polder.Invalid, "the text is not the one in which these parties were found; paste it again")
		}
		q := found[n].Query()
		q.Name = pageOr(q.Name, found[n].Name) // a number that stands alone is asked about under what it is
		qs = append(qs, q)
	}
	return qs, nil
}

// isOneName tells whether a text is short enough to be one name.
func isOneName(text string) bool {
	return !strings.ContainsAny(text, "\r\n") && utf8.RuneCountInString(text) <= maxLine
}

func oneLine(text string) string { return strings.Join(strings.Fields(text), " ") }

// foundView is the data of "found": the parties of a text, to be ticked.
type foundView struct {
	Legend, Help string
	Hidden       []web.Hidden
	Rows         []foundRow
}

type foundRow struct {
	Value, Name, Kind, Context string
	Chosen                     bool
}

func (p *Pages) showFound(w http.ResponseWriter, r *http.Request, f askForm, found []Mention) error {
	words := web.WordsOf(r)
	v := foundView{Legend: words.T("screen.found.legend"), Help: words.T("screen.found.help"), Hidden: f.hidden()}
	for i, e := range found[:min(len(found), maxAskedHere)] {
		v.Rows = append(v.Rows, foundRow{Value: strconv.Itoa(i), Name: web.Clip(e.Name, maxPageName), Kind: mentionText(words, e), Context: foundContext(f.Text, e), Chosen: true})
	}
	view := pageView{}
	view.add(pageBlock(words.T("screen.found"), words.T("screen.found.count", "n", len(found)), "found", v))
	if more := len(found) - maxAskedHere; more > 0 {
		view.Alerts = append(view.Alerts, web.Alert{Class: "warn", Title: words.T("screen.found.many"), Text: words.T("screen.found.many-text", "n", more)})
	}
	return p.showAsk(w, r, f, view, words.T("screen.found.question"), words.T("screen.found.lede"), nil)
}

// mentionText says what a party of a text seems to be, with the numbers that stand beside it.
func mentionText(words web.Words, m Mention) string {
	said := compareIDs(words, m.Identifiers)
	if m.Type != names.Any {
		said = append([]string{words.T("screen.type." + m.Type.String())}, said...)
	}
	return strings.Join(said, " · ")
}

// hidden are the values of the box that a form carries along.
func (f askForm) hidden() []web.Hidden {
	var out []web.Hidden
	for _, h := range []web.Hidden{{Name: "text", Value: f.Text}, {Name: "type", Value: f.Type}, {Name: "country", Value: f.Country}, {Name: "birth", Value: f.Birth}, {Name: "id-kind", Value: f.IDKind}, {Name: "id", Value: f.IDValue}, {Name: "id-country", Value: f.IDCountry}} {
		if h.Value != "" {
			out = append(out, h)
		}
	}
	return out
}

// foundContext is what stands around a name in a text.
func foundContext(text string, e Mention) string {
	from := max(0, min(e.Start, len(text)))
	to := max(from, min(e.End, len(text)))
	for n := 0; from > 0 && n < 40 && text[from-1] != '\n'; n++ {
		from--
	}
	for n := 0; to < len(text) && n < 40 && text[to] != '\n'; n++ {
		to++
	}
	out := oneLine(strings.ToValidUTF8(text[from:to], ""))
	if out == e.Name {
		return ""
	}
	return "… " + out + " …"
}

// again are the values by which a form asks what this one asked: the parties that were ticked, or the one that it names.
func (f askForm) again(ticked []string) []web.Hidden {
	out := append(f.hidden(), web.Hidden{Name: "whole", Value: "yes"})
	for _, n := range ticked {
		out = append(out, web.Hidden{Name: "ask", Value: n})
	}
	return out
}

// queryHidden are the values by which a form asks the same again.
func queryHidden(q Query) []web.Hidden {
	out := askForm{Text: q.Name, Type: q.Type.String(), Country: q.Country, Birth: q.Birth}
	if len(q.Identifiers) > 0 {
		out.IDKind, out.IDValue, out.IDCountry = q.Identifiers[0].Kind, q.Identifiers[0].Value, q.Identifiers[0].Country
	}
	return append(out.hidden(), web.Hidden{Name: "whole", Value: "yes"})
}

// showAnswers says what was met, in words before anything else. again are the values by which a form asks the same.
func (p *Pages) showAnswers(w http.ResponseWriter, r *http.Request, f askForm, answers []Answer, again []web.Hidden) error {
	words, by := web.WordsOf(r), web.ActorOf(r)
	v := pageView{}
	sum := countAnswers(answers)
	known, err := p.Decided(r.Context(), by, answers, "")
	if err != nil {
		return err
	}
	for i, a := range answers {
		v.add(answerBlocks(words, a, knownAt(known, i), len(answers) > 1, i)...)
	}
	if contributes(by) && len(answers) > 0 {
		v.beside(pageBlock(words.T("screen.keep"), "", "form", keepForm(words, sum.restricted+sum.verified, again)))
	}
	title, lede := answerTitle(words, sum), words.T("screen.answer.person-decides")
	if sum.restricted == 0 {
		lede = askedText(words, answers[0].Lists) + " " + words.T("screen.answer.no-clearance")
	}
	if sum.verified > 0 {
		v.Alerts = append(v.Alerts, web.Alert{Title: words.T("screen.answer.verified", "n", sum.verified), Text: words.T("screen.answer.verified-text")})
	}
	return p.showAsk(w, r, f, v, title, lede, nil)
}

// answerCount is what answers come to: hits on lists of restricted parties, and on those of verified ones.
type answerCount struct{ parties, with, restricted, verified, lists int }

func countAnswers(answers []Answer) answerCount {
	c := answerCount{parties: len(answers)}
	for i := range answers {
		a := &answers[i]
		met := 0
		for _, h := range a.Hits {
			if a.purposeOf(h.List) == lists.Verified {
				c.verified++
			} else {
				met++
			}
		}
		c.restricted += met
		if met > 0 {
			c.with++
		}
	}
	for _, m := range answers[0].Lists {
		if m.Purpose != lists.Verified {
			c.lists++
		}
	}
	return c
}

// answerTitle is the answer in one line. A hit on a list of verified parties is none of its entries.
func answerTitle(words web.Words, c answerCount) string {
	switch {
	case c.restricted == 0 && c.parties == 1:
		return words.T("screen.answer.none", "n", c.lists)
	case c.restricted == 0:
		return words.T("screen.answer.none-many", "n", c.lists)
	case c.parties == 1:
		return words.T("screen.answer.some", "n", c.restricted)
	}
	return words.T("screen.answer.some-many", "n", c.with, "of", c.parties)
}

// askedText names the lists that were asked, with their dates.
func askedText(words web.Words, asked []lists.Meta) string {
	var said []string
	for _, m := range asked[:min(len(asked), maxListNames)] {
		said = append(said, words.T("screen.list.of-date", "list", listTitle(m), "date", listDate(words, m)))
	}
	if more := len(asked) - maxListNames; more > 0 {
		said = append(said, words.T("screen.and-more", "n", more))
	}
	return words.T("screen.answer.asked", "lists", strings.Join(said, "; "))
}

// answerBlocks are the hits of one answer, and what lies just below the mark.
func answerBlocks(words web.Words, a Answer, known []BriefHit, many bool, i int) []web.Block {
	title, note := words.T("screen.hits"), words.T("screen.hits.count", "n", len(a.Hits))
	if many {
		title = strconv.Itoa(i+1) + ". " + web.Clip(a.Query.Name, maxLine)
	}
	t := hitTable(words, a, a.Hits, known)
	t.Empty = web.Empty{Icon: "list", Title: words.T("screen.answer.no-entry"), Text: askedText(words, a.Lists) + " " + words.T("screen.answer.no-clearance")}
	out := []web.Block{pageBlock(title, note, "table", t)}
	if len(a.Below) > 0 {
		out = append(out, pageBlock(words.T("screen.below"), words.T("screen.below.count", "n", len(a.Below)), "table", hitTable(words, a, a.Below, nil)))
	}
	return out
}

// hitTable lists hits; each leads to the two side by side, by a form, since the address must not hold who is asked about.
func hitTable(words web.Words, a Answer, hits []Hit, known []BriefHit) pageTable {
	t := pageTable{Label: words.T("screen.hits"), Heads: web.PlainHeads(words.T("screen.listed"), words.T("screen.list"), "#"+words.T("screen.score"), words.T("screen.why"), words.T("screen.look"))}
	for i, h := range hits {
		meta := metaOf(a.Lists, h.List)
		list, sub := listTitle(meta), listDate(words, meta)
		if h.Listing != nil && h.Listing.List != "" {
			list += ", " + h.Listing.List
		}
		look := pageButton{Action: "/screen/compare", Label: words.T("screen.compare"), About: web.Clip(h.Name, maxLine), Row: true, Hidden: append(queryHidden(a.Query), web.Hidden{Name: "list", Value: h.List}, web.Hidden{Name: "entry", Value: h.ID})}
		row := pageRow{Name: web.Clip(h.Name, maxLine), Foreign: true, Cells: []pageCell{{Text: list, Sub: sub}, {Text: strconv.Itoa(pageHundred(h.Score))}, {Text: whyText(words, h)}, {Buttons: []pageButton{look}}}}
		if meta.Purpose == lists.Verified {
			row.Cells[0].Mark = purposeCell(words, meta.Purpose).Mark
		}
		if h.Listing != nil {
			row.Sub = strings.Join(h.Listing.Programmes[:min(len(h.Listing.Programmes), 3)], "; ")
		}
		if i < len(known) && known[i].Known != "" {
			row.Cells[2].Mark = pageMark{"", "check", words.T("screen.known." + known[i].Known)}
		}
		t.add(row)
	}
	return t
}

// knownAt is what people decided about the hits of answer i.
func knownAt(known [][]BriefHit, i int) []BriefHit {
	if i < len(known) {
		return known[i]
	}
	return nil
}

// metaOf is a list by its name; one that is not among all has its name alone.
func metaOf(all []lists.Meta, name string) lists.Meta {
	if i := slices.IndexFunc(all, func(m lists.Meta) bool { return m.Name == name }); i >= 0 {
		return all[i]
	}
	return lists.Meta{Name: name}
}

func listTitle(m lists.Meta) string { return web.Clip(pageOr(m.Title, m.Name), 120) }

func listDate(words web.Words, m lists.Meta) string {
	if m.Date == "" {
		return words.T("screen.list.no-date")
	}
	return pageDay(words, m.Date)
}

// looksLikeName tells whether a text may be the name of a party: mostly letters, no address, no id, no value.
func looksLikeName(text string) bool {
	if len(text) > 800 || strings.ContainsAny(text, "@/\\[]{}<>=|\n") || strings.Contains(text, "--") {
		return false
	}
	letters, all := 0, 0
	for _, r := range text {
		all++
		if unicode.IsLetter(r) || unicode.IsMark(r) || r == ' ' {
			letters++
		}
	}
	spaced := strings.ContainsAny(text, " ") || !strings.Contains(text, ".")
	return all >= 2 && all <= maxLine && letters*10 >= all*7 && spaced
}
