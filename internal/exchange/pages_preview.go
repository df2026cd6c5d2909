package exchange

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"slices"
	"strings"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/web"
	"github.com/polder-exchange/polder/stix"
)

// previewView is the data of templates/preview.html.
type previewView struct {
	Errors   []web.FieldError
	Override *web.Field // asks why it leaves although a value stops it
	Alerts   []web.Alert
	Changes  []web.Diff
	Kept     []web.Diff
	KeptText string
	Note     string
	Checks   []web.Mark
	Audience []web.Mark
	Names    []string
	All      string // summary of Names
	Hidden   []web.Hidden
	Submit   string // empty when nothing can be shared
	Confirm  string
	Audit    string
}

// previewRows is how many rows of each kind a preview shows; equal ones of several objects are one row.
const previewRows = 100

// preview shows what sharing comes to: each property as it is and as it leaves, what to mind, and who will read it.
func (p *Pages) preview(w http.ResponseWriter, r *http.Request, rd *reader, d draft, res Result, changed bool) error {
	words := rd.words
	v := previewView{Hidden: d.hidden(), Confirm: words.T("exchange.preview.effect"), Audit: words.T("exchange.preview.audit")}
	v.Hidden = append(v.Hidden, web.Hidden{Name: "seen", Value: outlook(res)})
	if changed {
		v.Alerts = append(v.Alerts, web.Alert{Class: "warn", Title: words.T("exchange.preview.changed"), Text: words.T("exchange.preview.changed-text")})
	}
	v.refusals(words, d, res)
	v.warnings(words, res)
	v.releases(words, d, res)
	v.rows(rd, res)
	readers := audience(rd.by.Org, res)
	v.audience(rd, d, res, readers)
	level := stix.None
	for _, it := range res.Items {
		level = max(level, it.Level)
	}
	if len(res.Refused) == 0 && len(res.Items) > 0 {
		v.Submit = words.T("exchange.preview.share", "n", len(readers))
		if len(readers) == 0 {
			v.Submit = words.T("exchange.preview.keep")
		}
	}
	facts := []web.Pair{{Term: words.T("exchange.objects"), Text: words.T("exchange.preview.of", "n", len(res.Items), "of", len(res.Items)+len(res.Refused))},
		{Term: words.T("exchange.preview.new"), Text: words.Number(int64(res.Stored))}, {Term: words.T("exchange.preview.known"), Text: words.Number(int64(res.Duplicates))},
		{Term: words.T("exchange.preview.readers"), Text: words.T("exchange.preview.orgs", "n", len(readers))}, {Term: words.T("exchange.community"), Text: d.place.Name}}
	p.site.Render(w, r, web.Page{Template: "exchange/preview", Title: words.T("exchange.preview.title", "what", v.name(rd, d, res)), Lede: words.T("exchange.preview.lede"), TLP: level, Facts: facts, Data: v,
		Crumbs: []web.Link{{Text: words.T("exchange.share"), Href: query("/share", "community", d.place.Alias)}}})
	return nil
}

// name is what is being shared, in a few words.
func (v previewView) name(rd *reader, d draft, res Result) string {
	if len(res.Items) == 1 {
		return itemTitle(rd, res.Items[0])
	}
	if d.src.Name != textName {
		return clip(d.src.Name, 80)
	}
	return rd.words.T("exchange.objects.count", "n", len(res.Items))
}

func itemTitle(rd *reader, it Item) string {
	o, err := stix.Parse(it.Raw)
	if err != nil {
		return it.ID
	}
	return rd.title(it.ID, o, nil)
}

// hidden carries the draft through the preview: nothing is stored before it is shared.
func (d draft) hidden() []web.Hidden {
	all := []web.Hidden{{Name: "community", Value: d.place.Alias}, {Name: "tlp", Value: d.level.String()}, {Name: "source", Value: d.src.Name}, {Name: "kind", Value: d.src.ContentType},
		{Name: "body", Value: base64.StdEncoding.EncodeToString(d.src.Body)}}
	if d.named {
		all = append(all, web.Hidden{Name: "named", Value: "yes"})
	}
	if d.derive != stix.None {
		all = append(all, web.Hidden{Name: "derive", Value: d.derive.String()})
	}
	for _, o := range d.to {
		all = append(all, web.Hidden{Name: "to", Value: string(o)})
	}
	for _, f := range oneFields {
		if value := d.one[f.name]; value != "" {
			all = append(all, web.Hidden{Name: f.name, Value: value})
		}
	}
	return all
}

// audience are the others who would be able to read something of it.
func audience(by polder.OrgID, res Result) (all []polder.OrgID) {
	for _, it := range res.Items {
		for _, o := range it.Readers {
			if o != by {
				all = append(all, o)
			}
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

func (v *previewView) audience(rd *reader, d draft, res Result, readers []polder.OrgID) {
	words := rd.words
	for _, o := range readers {
		v.Names = append(v.Names, rd.orgs[o])
	}
	slices.SortFunc(v.Names, func(a, b string) int { return strings.Compare(strings.ToLower(a), strings.ToLower(b)) })
	v.All = words.T("exchange.preview.names", "n", len(v.Names))
	v.Audience = []web.Mark{{Icon: "people", Text: words.T("exchange.preview.orgs", "n", len(readers))}}
	switch {
	case len(d.to) > 0:
		v.Audience = append(v.Audience, web.Mark{Icon: "lock", Text: words.T("exchange.preview.named-only")})
	case len(readers) > 0:
		v.Audience = append(v.Audience, web.Mark{Class: "yes", Text: words.T("exchange.preview.members", "name", d.place.Name)})
	}
	named := d.named || slices.ContainsFunc(res.Items, func(it Item) bool { return it.NamesYou })
	if named {
		v.Audience = append(v.Audience, web.Mark{Class: "mind", Text: words.T("exchange.preview.names-you", "name", rd.orgs[rd.by.Org])})
	} else {
		v.Audience = append(v.Audience, web.Mark{Icon: "veil", Text: words.T("exchange.preview.blind")})
	}
	for m := stix.Red; m >= stix.Clear; m-- {
		if slices.ContainsFunc(res.Items, func(it Item) bool { return it.Level == m }) {
			v.Audience = append(v.Audience, web.Mark{Icon: "share", Text: m.Label() + ": " + words.T("exchange.level."+m.String())})
		}
	}
}

// refusals say which objects were not taken, why, and where they stand.
func (v *previewView) refusals(words web.Words, d draft, res Result) {
	if len(res.Refused) == 0 {
		if len(res.Items) == 0 {
			v.Alerts = append(v.Alerts, web.Alert{Class: "warn", Title: words.T("exchange.preview.nothing"), Text: words.T("exchange.preview.nothing-text")})
		}
		return
	}
	var lines []string
	for _, f := range res.Refused[:min(len(res.Refused), 20)] {
		at := f.Where.String()
		if d.src.Name == textName && f.Line > 0 {
			at = words.T("exchange.preview.line", "n", f.Line)
		}
		lines = append(lines, strings.TrimSpace(strings.Join([]string{at, f.ID, f.Error}, " · ")))
	}
	v.Alerts = append(v.Alerts, web.Alert{Class: "bad", Title: words.T("exchange.preview.refused", "n", len(res.Refused)), Text: words.T("exchange.preview.refused-text")})
	for _, line := range lines {
		v.Checks = append(v.Checks, web.Mark{Class: "no", Text: strings.TrimLeft(line, "· ")})
	}
}

// warnings say what to mind before sharing.
func (v *previewView) warnings(words web.Words, res Result) {
	if len(res.Refused) == 0 && len(res.Items) > 0 {
		v.Checks = append(v.Checks, web.Mark{Class: "yes", Text: words.T("exchange.preview.valid", "n", len(res.Items))})
	}
	held := 0
	for _, w := range res.Warnings[:min(len(res.Warnings), 50)] {
		class := "mind"
		if w.Held && w.Stop {
			class = "no"
		} else if w.Held {
			held++
		}
		v.Checks = append(v.Checks, web.Mark{Class: class, Text: warningText(words, w)})
	}
	if len(res.Warnings) == 0 && len(res.Items) > 0 {
		v.Checks = append(v.Checks, web.Mark{Class: "yes", Text: words.T("exchange.preview.harmless")})
	}
	if held > 0 {
		v.Alerts = append(v.Alerts, web.Alert{Class: "warn", Title: words.T("exchange.preview.careless", "n", held), Text: words.T("exchange.preview.careless-text")})
	}
	for _, it := range res.Items {
		if it.Level == stix.Red && len(it.Readers) <= 1 {
			v.Alerts = append(v.Alerts, web.Alert{Class: "warn", Title: words.T("exchange.preview.red"), Text: words.T("exchange.preview.red-text")})
			break
		}
	}
}

// shownAlways are the properties that a preview shows even where they stay as they are.
var shownAlways = []string{"name", "pattern", "description", "value", "content", "abstract"}

// rows compares each object property by property, as it is and as it leaves.
func (v *previewView) rows(rd *reader, res Result) {
	seen := map[string]bool{}
	kept := 0
	for _, it := range res.Items {
		for _, row := range sideBySide(rd, it) {
			form, _ := json.Marshal(row) // texts and numbers only
			switch {
			case seen[string(form)]:
				continue
			case row.Outcome != "keep" || slices.Contains(shownAlways, afterDot(row.Property)):
				if len(v.Changes) < previewRows {
					v.Changes = append(v.Changes, row)
				}
			default:
				kept++
				if len(v.Kept) < previewRows {
					v.Kept = append(v.Kept, row)
				}
			}
			seen[string(form)] = true
		}
	}
	slices.SortStableFunc(v.Changes, func(a, b web.Diff) int {
		return slices.Index(outcomes, a.Outcome) - slices.Index(outcomes, b.Outcome)
	})
	v.KeptText = rd.words.T("exchange.preview.kept", "n", kept)
	v.Note = rd.words.T("exchange.preview.properties", "n", len(v.Changes))
}

var outcomes = []string{"cut", "blind", "add", "keep"}

func afterDot(s string) string {
	_, name, _ := strings.Cut(s, ".")
	return name
}

// sideBySide is one object as it is beside what leaves.
func sideBySide(rd *reader, it Item) (rows []web.Diff) {
	before, after := rawMembers(it.Before), rawMembers(it.Raw)
	rows, told := changeRows(rd.words, it)
	names := make([]string, 0, len(after))
	for _, m := range []map[string]json.RawMessage{before, after} {
		for n := range m {
			names = append(names, n)
		}
	}
	slices.Sort(names)
	for _, n := range slices.Compact(names) {
		if told[n] {
			continue
		}
		was, is := before[n], after[n]
		row := web.Diff{Outcome: "keep", Property: it.Type + "." + n, Before: rd.segments(n, was), After: rd.segments(n, is)}
		switch {
		case bytes.Equal(was, is):
		case is == nil:
			row.Outcome, row.After = "cut", []web.Segment{{Text: rd.words.T("exchange.preview.not-sent"), Mark: "gone"}}
		case n == "created_by_ref":
			if row.Outcome = "add"; !it.NamesYou {
				row.Outcome = "blind"
			}
			if was == nil {
				row.Before = []web.Segment{{Text: rd.orgs[rd.by.Org]}}
			}
		case was == nil:
			row.Outcome, row.Before = "add", []web.Segment{{Text: rd.words.T("exchange.preview.none"), Mark: "gone"}}
		default:
			row.Outcome = "add"
		}
		rows = append(rows, row)
	}
	if rowOf(rows, "object_marking_refs") < 0 || it.Level != levelIn(it.Raw) {
		rows = append(rows, web.Diff{Outcome: "add", Property: it.Type + " · " + rd.words.T("exchange.marking"), Before: []web.Segment{{Text: rd.words.T("exchange.preview.none"), Mark: "gone"}}, After: []web.Segment{{TLP: it.Level}}})
	}
	return rows
}

func rowOf(rows []web.Diff, name string) int {
	return slices.IndexFunc(rows, func(d web.Diff) bool { return afterDot(d.Property) == name })
}

// levelIn is the level that stands in an object's own bytes.
func levelIn(raw []byte) stix.Marking {
	o, err := stix.Parse(raw)
	if err != nil {
		return stix.None
	}
	level, _ := o.Level() // a preview holds no object whose level contradicts itself
	return level
}

func rawMembers(raw []byte) map[string]json.RawMessage {
	var m map[string]json.RawMessage
	_ = json.Unmarshal(raw, &m) // what cannot be read was refused
	for n, v := range m {
		var b bytes.Buffer
		if json.Compact(&b, v) == nil {
			m[n] = b.Bytes()
		}
	}
	return m
}

// segments are a value for people: chips for marks, names for creators, text for texts.
func (rd *reader) segments(name string, value json.RawMessage) []web.Segment {
	if value == nil {
		return nil
	}
	var s string
	var list []string
	switch {
	case name == "object_marking_refs" && json.Unmarshal(value, &list) == nil:
		var out []web.Segment
		for _, id := range list {
			if level := stix.MarkingOf(id); level != stix.None {
				out = append(out, web.Segment{TLP: level})
			} else {
				out = append(out, web.Segment{Text: id + " ", Mark: "code"})
			}
		}
		return out
	case name == "created_by_ref" && json.Unmarshal(value, &s) == nil:
		if said := rd.creator(s, nil); said != rd.words.T("exchange.by.unknown") {
			return []web.Segment{{Text: said}}
		}
		return []web.Segment{{Text: s, Mark: "code"}}
	case json.Unmarshal(value, &s) == nil:
		mark := ""
		if name == "pattern" || name == "id" || strings.HasSuffix(name, "_ref") {
			mark = "code"
		}
		return []web.Segment{{Text: clip(s, 600), Mark: mark}}
	}
	return []web.Segment{{Text: clip(string(value), 600), Mark: "code"}}
}
