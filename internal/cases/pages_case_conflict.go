package cases

import (
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/web"
)

// This file changes a case's own fields. When two people change at once, the second sees both texts side by side, the own
// kept in the form.

// caseDiffer is a field of which two people wrote different things: what stands there now, and what the reader wrote.
type caseDiffer struct {
	Field        string
	There, Yours []web.Segment
}

// caseConflict is the data of "case-conflict".
type caseConflict struct {
	Who  string
	At   time.Time
	Rows []caseDiffer
}

func caseConflictAlert(words web.Words) web.Alert {
	return web.Alert{Class: "warn", Title: words.T("cases.conflict"), Text: words.T("cases.conflict.text")}
}

func caseConflictBlock(words web.Words, who string, at time.Time, rows []caseDiffer) web.Block {
	return caseBlock(words.T("cases.conflict.both"), words.T("cases.by", "at", at, "who", who), "case-conflict", caseConflict{who, at, rows})
}

// caseDiffs are the pairs of texts that differ.
type caseDiffs []caseDiffer

func (d *caseDiffs) add(field, there, yours string) {
	if there != yours {
		a, b := caseSegments(there, yours)
		*d = append(*d, caseDiffer{field, a, b})
	}
}

// caseItemDiffers compares an item as it stands with what was typed.
func caseItemDiffers(words web.Words, there, yours caseDraft) []caseDiffer {
	var d caseDiffs
	t := words.T
	flag := func(on bool) string {
		if on {
			return t("cases.yes")
		}
		return t("cases.no")
	}
	d.add(t("cases.item.title"), there.Title, yours.Title)
	d.add(t("cases.item.text"), there.Text, yours.Text)
	d.add(t("cases.value"), there.Value, yours.Value)
	d.add(t("cases.item.at"), there.At, yours.At)
	d.add(t("cases.value.first"), there.First, yours.First)
	d.add(t("cases.value.last"), there.Last, yours.Last)
	d.add(t("cases.evidence.where"), there.Where, yours.Where)
	d.add(t("cases.task.owner"), string(there.Owner), string(yours.Owner))
	d.add(t("cases.marking"), there.Level.Label(), yours.Level.Label())
	d.add(t("cases.item.weighs"), flag(there.Weighs), flag(yours.Weighs))
	d.add(t("cases.value.bad-is"), flag(there.Bad), flag(yours.Bad))
	return d
}

// caseDiffersOf compares a case as it stands with what was typed.
func caseDiffersOf(words web.Words, there, yours caseInput) []caseDiffer {
	var d caseDiffs
	t := words.T
	d.add(t("cases.title"), there.Title, yours.Title)
	d.add(t("cases.summary.short"), there.Summary, yours.Summary)
	d.add(t("cases.kind.short"), caseWord(words, "cases.kind.", there.Kind), caseWord(words, "cases.kind.", yours.Kind))
	d.add(t("cases.road"), caseRoadsText(words, there.Roads), caseRoadsText(words, yours.Roads))
	d.add(t("cases.class.short"), caseClassText(words, there.Class), caseClassText(words, yours.Class))
	d.add(t("cases.severity.short"), caseWord(words, "cases.severity.", there.Severity), caseWord(words, "cases.severity.", yours.Severity))
	d.add(t("cases.marking"), there.Level.Label(), yours.Level.Label())
	d.add(t("cases.noticed.short"), there.Noticed, yours.Noticed)
	d.add(t("cases.occurred.short"), there.Occurred, yours.Occurred)
	d.add(t("cases.ended.short"), there.Ended, yours.Ended)
	d.add(t("cases.sector"), there.Sector, yours.Sector)
	d.add(t("cases.countries"), there.Countries, yours.Countries)
	d.add(t("cases.victim.short"), there.Victim, yours.Victim)
	return d
}

// caseDiffWork bounds what comparing two texts word by word may cost; longer ones are marked from the first difference to
// the last.
const caseDiffWork = 1 << 20

// caseSegments marks in two texts the words that the other has not.
func caseSegments(a, b string) (before, after []web.Segment) {
	x, y := caseWords(a), caseWords(b)
	from := 0
	for from < len(x) && from < len(y) && x[from] == y[from] {
		from++
	}
	end := 0
	for end < len(x)-from && end < len(y)-from && x[len(x)-1-end] == y[len(y)-1-end] {
		end++
	}
	midX, midY := x[from:len(x)-end], y[from:len(y)-end]
	keepX, keepY := make([]bool, len(midX)), make([]bool, len(midY))
	if len(midX)*len(midY) <= caseDiffWork {
		caseCommon(midX, midY, keepX, keepY)
	}
	before, after = caseMarked(midX, keepX, "del"), caseMarked(midY, keepY, "ins")
	head, tail := strings.Join(x[:from], ""), strings.Join(x[len(x)-end:], "")
	return caseFramed(head, before, tail), caseFramed(head, after, tail)
}

// caseWords cuts a text into words and what stands between them; together they are the text.
func caseWords(s string) []string {
	var out []string
	start, space := 0, false
	for i, r := range s {
		if now := unicode.IsSpace(r); i > 0 && now != space {
			out = append(out, s[start:i])
			start, space = i, now
		} else {
			space = now
		}
	}
	if start < len(s) {
		out = append(out, s[start:])
	}
	return out
}

// caseCommon marks a longest run of words that both hold in the same order.
func caseCommon(x, y []string, keepX, keepY []bool) {
	width := len(y) + 1
	best := make([]int32, (len(x)+1)*width)
	for i := len(x) - 1; i >= 0; i-- {
		for j := len(y) - 1; j >= 0; j-- {
			if x[i] == y[j] {
				best[i*width+j] = best[(i+1)*width+j+1] + 1
			} else {
				best[i*width+j] = max(best[(i+1)*width+j], best[i*width+j+1])
			}
		}
	}
	for i, j := 0, 0; i < len(x) && j < len(y); {
		switch {
		case x[i] == y[j]:
			keepX[i], keepY[j] = true, true
			i, j = i+1, j+1
		case best[(i+1)*width+j] >= best[i*width+j+1]:
			i++
		default:
			j++
		}
	}
}

// caseMarked joins words into segments, those that are not kept marked.
func caseMarked(words []string, keep []bool, mark string) []web.Segment {
	var out []web.Segment
	for i, w := range words {
		m := mark
		if keep[i] {
			m = ""
		}
		if n := len(out); n > 0 && out[n-1].Mark == m {
			out[n-1].Text += w
			continue
		}
		out = append(out, web.Segment{Text: w, Mark: m})
	}
	return out
}

func caseFramed(head string, middle []web.Segment, tail string) []web.Segment {
	var out []web.Segment
	if head != "" {
		out = append(out, web.Segment{Text: head})
	}
	out = append(out, middle...)
	if tail != "" {
		out = append(out, web.Segment{Text: tail})
	}
	return out
}

// caseHold asks for a word where a text holds what the case keeps marked stricter than the text; it tells whether err is
// such a thing.
func caseHold(words web.Words, f *caseForm, err error) bool {
	hold, held := errors.AsType[*CarelessHold](err)
	if !held {
		return false
	}
	var said []string
	for _, found := range hold.Found[:min(len(hold.Found), 10)] {
		said = append(said, words.T("cases.careless.value", "value", web.Defang(web.Clip(found.Value, 80)), "level", found.Level))
	}
	f.Fields = append(f.Fields, web.Field{Name: "confirmed", Label: words.T("cases.careless"), Error: words.T("cases.careless.text", "values", strings.Join(said, "; ")), Many: true, Class: "across", Options: []web.Option{{Value: "yes", Label: words.T("cases.careless.yes")}}})
	return true
}

// caseEdit shows the form that changes a case's own fields.
func (p *Pages) caseEdit(w http.ResponseWriter, r *http.Request) error {
	c, err := p.caseSheetOf(r)
	if err != nil {
		return err
	}
	return p.showCaseEdit(w, r, c, caseInputFrom(c.words, c.Case), c.Version, nil, nil)
}

func (p *Pages) showCaseEdit(w http.ResponseWriter, r *http.Request, c *caseSheet, in caseInput, version int, say []web.Alert, failed error) error {
	if !c.works() || c.Header {
		return polder.Errorf(polder.Forbidden, "you read this case; who leads it can let you work on it")
	}
	v := caseView{Alerts: say}
	if conflict, stale := errors.AsType[*CaseConflict](failed); stale && conflict.Case != nil {
		there := conflict.Case
		version = there.Version
		v.Alerts = append(v.Alerts, caseConflictAlert(c.words))
		v.across(caseConflictBlock(c.words, c.words.T("cases.somebody"), there.Changed, caseDiffersOf(c.words, caseInputFrom(c.words, there.Case), in)))
	}
	f := caseForm{Action: c.home + "/edit", Submit: c.words.T("cases.edit.do"), Primary: true, Back: c.home, MoreIs: c.words.T("cases.new.more"), Opened: true, Hidden: []web.Hidden{{Name: "version", Value: strconv.Itoa(version)}}, Also: &caseSubmit{"propose", "yes", c.words.T("cases.propose")}}
	f.Fields, f.More = in.fields(c.words, false)
	if _, stale := errors.AsType[*CaseConflict](failed); !stale && !caseHold(c.words, &f, failed) && !caseBlame(&f, failed) {
		v.Alerts = append(v.Alerts, caseNotDone(c.words, failed)...)
	}
	v.Errors = f.errors()
	v.add(caseBlock(c.words.T("cases.edit"), "", "case-form", f))
	v.beside(caseBlock(c.words.T("cases.known"), "", "case-marks", []web.Mark{{Icon: "clock", Text: c.words.T("cases.aware.stands", "at", c.Aware)}}))
	p.site.Render(w, r, web.Page{Template: "cases/case", Title: c.words.T("cases.edit.title"), TLP: c.Level, Crumbs: caseCrumbs(c.words, c.CaseView), Status: caseStatus(failed), Data: v})
	return nil
}

// changeCase changes a case's own fields, or fills in what their words propose.
func (p *Pages) changeCase(w http.ResponseWriter, r *http.Request) error {
	values, err := web.Form(r)
	if err != nil {
		return err
	}
	c, err := p.caseSheetOf(r)
	if err != nil {
		return err
	}
	version, err := strconv.Atoi(values.Get("version"))
	if err != nil {
		return polder.Errorf(polder.Invalid, "the form does not say which state you saw; open the page again")
	}
	in := caseInputOf(values)
	if values.Get("propose") != "" {
		in, why := in.proposed(c.words)
		return p.showCaseEdit(w, r, c, in, version, []web.Alert{why}, nil)
	}
	err = p.changeCaseTo(r, c, in, version, values.Get("confirmed") == "yes")
	if web.Mendable(err) {
		return p.showCaseEdit(w, r, c, in, version, nil, err)
	}
	if err != nil {
		return err
	}
	return p.caseDone(w, r, c.home, "cases.edited")
}

func (p *Pages) changeCaseTo(r *http.Request, c *caseSheet, in caseInput, version int, confirmed bool) error {
	_, occurred, ended, err := in.times(c.words)
	if err != nil {
		return err
	}
	countries := caseCountries(in.Countries)
	change := CaseChange{Version: version, Title: &in.Title, Summary: &in.Summary, Kind: &in.Kind, Roads: &in.Roads, Class: &in.Class, Severity: &in.Severity, Noticed: &in.Noticed, Occurred: &occurred, Ended: &ended, Sector: &in.Sector, Countries: &countries, Victim: &in.Victim, Confirmed: confirmed}
	if in.Level != c.Level {
		change.Level = &in.Level
	}
	_, err = p.ChangeCase(r.Context(), c.by, c.ID, change)
	return err
}
