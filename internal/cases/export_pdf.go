package cases

import (
	"bytes"
	"cmp"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/indicator"
	"github.com/polder-exchange/polder/internal/paper"
	"github.com/polder-exchange/polder/internal/web"
)

// exportTexts are the texts of documents, by language; they are read once.
var exportTexts = sync.OnceValues(func() (map[string]web.Catalogue, error) {
	out := map[string]web.Catalogue{}
	for _, lang := range web.Languages {
		c, err := web.ReadCatalogue(pageFiles, lang)
		if err != nil {
			return nil, err
		}
		out[lang] = c
	}
	return out, nil
})

// exportWriter writes a case as a document.
type exportWriter struct {
	*paper.Document
	c     *exportCase
	texts web.Catalogue
}

// exportPDF is a case as a document to hand over.
func exportPDF(c *exportCase) ([]byte, error) {
	w, err := newExportWriter(c)
	if err != nil {
		return nil, err
	}
	w.all()
	var b bytes.Buffer
	_, err = w.WriteTo(&b)
	return b.Bytes(), err
}

func newExportWriter(c *exportCase) (*exportWriter, error) {
	all, err := exportTexts()
	if err != nil {
		return nil, err
	}
	lang := cmp.Or(c.Ask.Language, web.Languages[0])
	w := &exportWriter{c: c, texts: all[lang]}
	if w.texts == nil {
		return nil, polder.Errorf(polder.Invalid, "lang: %q is none of %s", exportClip(lang, 20), strings.Join(web.Languages, ", "))
	}
	w.Document = paper.New(paper.Options{
		Title: c.View.Title, Language: lang, Made: c.Made, Level: c.Level, PAP: c.Ask.PAP, Foot: w.t("made", "when", w.minute(c.Made), "who", cmp.Or(c.By, c.Org.Name)), Cut: w.t("cut"),
		Page: func(n, all string) string { return w.t("page", "n", n, "all", all) },
	})
	return w, nil
}

// t is a text of the document with its blanks filled in.
func (w *exportWriter) t(key string, blanks ...string) string {
	return exportFill(cmp.Or(w.texts["cases.export."+key], key), blanks)
}

// word is a word of the cases' own texts, such as a status; as it stands where there is none.
func (w *exportWriter) word(group, word string) string {
	if word == "" {
		return ""
	}
	return cmp.Or(w.texts["cases."+group+"."+strings.ReplaceAll(word, "/", ".")], word)
}

// exportFill puts values into the braces of a text, all at once: a value is never read for braces.
func exportFill(text string, blanks []string) string {
	pairs := make([]string, len(blanks))
	for i := range blanks {
		if pairs[i] = blanks[i]; i%2 == 0 {
			pairs[i] = "{" + blanks[i] + "}"
		}
	}
	return strings.NewReplacer(pairs...).Replace(text)
}

func (w *exportWriter) minute(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format("2006-01-02 15:04") + " UTC"
}

// short is a time in a table; the document says once that times are in UTC.
func (w *exportWriter) short(t time.Time) string { return strings.TrimSuffix(w.minute(t), " UTC") }

// emphasis are the signs of Markdown that a printed text does not need.
var emphasis = regexp.MustCompile(`(?m)\*\*|__|^#{1,6} `)

// said are texts that people wrote, one below the other.
func (w *exportWriter) said(texts ...string) string {
	return emphasis.ReplaceAllString(strings.ReplaceAll(incidentText(texts...), "\n\n", "\n"), "")
}

// all writes the document: first what a director reads, then what an investigator does.
func (w *exportWriter) all() {
	w.front()
	w.timeline()
	w.adversary()
	w.observables()
	w.evidence()
	w.decisions()
	w.deadlines()
	w.damage()
	w.tasks()
	w.notes()
	w.people()
	w.Space(6)
	if w.Strange() {
		w.Small(w.t("strange"))
	}
	w.Small(w.t("means." + strings.ReplaceAll(w.c.Level.String(), "+", "-")))
}

// front says what the case is.
func (w *exportWriter) front() {
	v := w.c.View
	w.Small(w.t("of", "org", w.c.Org.Name) + " " + w.t("utc"))
	w.Title(v.Title)
	w.Space(3)
	if strings.TrimSpace(v.Summary) != "" {
		w.Paragraph(w.said(v.Summary))
		w.Space(3)
	}
	var roads []string
	for _, r := range v.Roads {
		roads = append(roads, w.word("road", string(r)))
	}
	for _, p := range [][2]string{
		{"kind", w.word("kind", string(v.Kind))}, {"status", w.word("status", string(v.Status))}, {"severity", w.word("severity", string(v.Severity))}, {"class", w.word("class", v.Class)},
		{"roads", strings.Join(roads, ", ")}, {"victim", v.Victim}, {"noticed", v.Noticed}, {"occurred", w.minute(v.Occurred)}, {"ended", w.minute(v.Ended)}, {"aware", w.minute(v.Aware)},
		{"opened", w.minute(v.Opened)}, {"closed", w.minute(v.Closed)}, {"countries", strings.Join(v.Countries, ", ")}, {"id", string(v.ID)},
	} {
		w.Pair(w.t(p[0]), p[1])
	}
}

// timeline says what happened, in its order.
func (w *exportWriter) timeline() {
	w.Heading(w.t("timeline"))
	var rows [][]string
	for _, it := range w.c.kept(ItemEntry, ItemDecision) {
		what := w.said(it.Title, it.Text)
		if it.Kind == ItemDecision {
			what = w.t("decided", "what", it.Title)
		}
		if it.Weighs {
			what = "• " + what
		}
		rows = append(rows, []string{w.short(exportAt(it)), what, it.Level.Label()})
	}
	w.rows([]float64{0.19, 0.61, 0.2}, []string{"when", "what", "mark"}, rows, "timeline.none")
}

// rows prints a table, or says that there is nothing.
func (w *exportWriter) rows(widths []float64, heads []string, rows [][]string, none string) {
	if len(rows) == 0 {
		w.Paragraph(w.t(none))
		return
	}
	said := make([]string, len(heads))
	for i, h := range heads {
		said[i] = w.t(h)
	}
	w.Table(widths, said, rows, false)
}

// adversary says what is known of who did it, and that a name is nobody's guess.
func (w *exportWriter) adversary() {
	w.Heading(w.t("who"))
	w.Paragraph(w.t("who.text"))
	n := 0
	for _, it := range w.c.kept(ItemObservable) {
		if it.Observable.Bad {
			n++
		}
	}
	if n > 0 {
		w.Paragraph(w.t("who.values", "n", strconv.Itoa(n)))
	}
}

// observables are written so that nobody follows one by accident.
func (w *exportWriter) observables() {
	w.Heading(w.t("observables"))
	items := w.c.kept(ItemObservable)
	slices.SortStableFunc(items, func(a, b Item) int {
		return cmp.Or(cmp.Compare(a.Observable.Type, b.Observable.Type), cmp.Compare(a.Observable.Value, b.Observable.Value))
	})
	var rows [][]string
	for _, it := range items {
		o := it.Observable
		bad := ""
		if o.Bad {
			bad = w.t("yes")
		}
		seen := w.short(o.First)
		if last := w.short(o.Last); last != "" && last != seen {
			seen += " – " + last
		}
		rows = append(rows, []string{string(o.Type), w.said(indicator.Defang(o.Type, o.Value), exportTitle(it)), seen, bad, it.Level.Label()})
	}
	w.rows([]float64{0.12, 0.36, 0.2, 0.12, 0.2}, []string{"type", "value", "seen", "adversary", "mark"}, rows, "observables.none")
}

// exportTitle is what an observable is called, where that is more than its value.
func exportTitle(it Item) string {
	if o := it.Observable; o != nil && o.Value != "" {
		if it.Title == o.Value {
			return ""
		}
		return strings.ReplaceAll(it.Title, o.Value, indicator.Defang(o.Type, o.Value))
	}
	return it.Title
}

// evidence stands with its hash and every step of its keeping, also where it was struck out.
func (w *exportWriter) evidence() {
	w.Heading(w.t("evidence"))
	n := 0
	for _, it := range w.c.Items {
		e := it.Evidence
		if it.Kind != ItemEvidence || e == nil {
			continue
		}
		n++
		w.Room(5)
		w.Space(2)
		name := cmp.Or(it.Title, e.Name)
		if !it.Struck.IsZero() {
			name = w.t("struck", "what", name)
		}
		w.Strong(name + "   " + it.Level.Label())
		if e.Name != "" && e.Name != it.Title {
			w.Indented(e.Name)
		}
		if e.SHA256 != "" {
			w.Indented("SHA-256 " + e.SHA256 + ", " + w.t("bytes", "n", strconv.FormatInt(e.Size, 10)))
		}
		if e.Where != "" {
			w.Indented(w.t("where", "where", e.Where))
		}
		if strings.TrimSpace(it.Text) != "" {
			w.Indented(w.said(it.Text))
		}
		var rows [][]string
		for _, s := range e.Custody {
			rows = append(rows, []string{w.short(s.At), w.word("custody", s.Did), cmp.Or(w.c.who(s.Person), w.t("somebody")), w.said(s.To, s.Reason)})
		}
		if len(rows) > 0 {
			w.rows([]float64{0.2, 0.2, 0.25, 0.35}, []string{"when", "did", "by", "custody"}, rows, "")
		}
	}
	if n == 0 {
		w.Paragraph(w.t("evidence.none"))
	}
}

func (w *exportWriter) decisions() {
	w.Heading(w.t("decisions"))
	items := w.c.kept(ItemDecision)
	titles := map[string]string{}
	for _, it := range items {
		titles[it.ID] = it.Title
	}
	for _, it := range items {
		d := it.Decision
		w.Room(4)
		w.Space(2)
		w.Strong(it.Title + "   " + it.Level.Label())
		w.Indented(w.t("decided.by", "when", w.minute(exportAt(it)), "who", cmp.Or(w.c.who(d.Person), w.t("somebody"))))
		w.Indented(w.said(it.Text))
		if strings.TrimSpace(d.Reason) != "" {
			w.Indented(w.t("reason", "why", d.Reason))
		}
		if by := titles[d.SupersededBy]; by != "" {
			w.Indented(w.t("superseded", "what", by))
		}
	}
	if len(items) == 0 {
		w.Paragraph(w.t("decisions.none"))
	}
}

func (w *exportWriter) deadlines() {
	if len(w.c.Deadlines) == 0 {
		return
	}
	w.Heading(w.t("deadlines"))
	var rows [][]string
	for _, d := range w.c.Deadlines {
		state := w.word("export.state", d.State)
		if !d.Sent.IsZero() {
			state += " " + w.short(d.Sent)
		}
		rows = append(rows, []string{d.Regulation + ": " + d.What, cmp.Or(w.short(d.Due), w.t("due.none")), state, w.said(d.Recipient, d.Source)})
	}
	w.rows([]float64{0.3, 0.18, 0.18, 0.34}, []string{"duty", "due", "state", "recipient"}, rows, "")
}

func (w *exportWriter) damage() {
	w.Heading(w.t("damage"))
	d := w.c.Damage
	if d == nil {
		w.Paragraph(w.t("damage.none"))
		return
	}
	w.Strong(w.t("taken." + string(d.Taken)))
	w.Paragraph(w.said(d.What))
	for _, p := range [][2]string{
		{"jewels", strings.Join(jewelNames(d.Touched), "\n")}, {"partners", strings.Join(d.Partners, "\n")}, {"products", strings.Join(d.Products, "\n")}, {"platforms", strings.Join(d.Platforms, "\n")},
		{"told", strings.Join(d.Told, "\n")}, {"measures", d.Measures}, {"assessed", w.said(w.minute(d.Assessed), w.c.who(d.AssessedBy))},
	} {
		w.Pair(w.t(p[0]), p[1])
	}
}

func (w *exportWriter) tasks() {
	var rows [][]string
	for _, it := range w.c.kept(ItemTask) {
		state := w.t("task.open")
		if !it.Task.Done.IsZero() {
			state = w.t("task.done", "when", w.short(it.Task.Done))
		}
		rows = append(rows, []string{w.said(it.Title, it.Text), state, w.c.who(it.Task.Owner), it.Level.Label()})
	}
	if len(rows) > 0 {
		w.Heading(w.t("tasks"))
		w.rows([]float64{0.4, 0.22, 0.18, 0.2}, []string{"what", "state", "by", "mark"}, rows, "")
	}
}

func (w *exportWriter) notes() {
	items := w.c.kept(ItemNote)
	if len(items) == 0 {
		return
	}
	w.Heading(w.t("notes"))
	for _, it := range items {
		w.Room(4)
		w.Space(2)
		w.Strong(it.Title + "   " + it.Level.Label())
		w.Paragraph(w.said(it.Text))
	}
}

// people are those of the reader's own organisation by name, and other organisations.
func (w *exportWriter) people() {
	var rows [][]string
	for _, m := range w.c.Members {
		if name := w.c.memberName(m); name != "" {
			rows = append(rows, []string{name, w.word("part", string(m.Part))})
		}
	}
	if len(rows) > 0 {
		w.Heading(w.t("people"))
		w.Table([]float64{0.5, 0.5}, nil, rows, true)
	}
}
