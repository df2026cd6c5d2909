package exchange

import (
	"bytes"
	"cmp"
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/indicator"
	"github.com/polder-exchange/polder/internal/journal"
	"github.com/polder-exchange/polder/internal/web"
	"github.com/polder-exchange/polder/stix"
	"github.com/polder-exchange/polder/stix/pattern"
)

// pageView is the data of templates/page.html: panels beside each other.
type pageView struct {
	Errors  []web.FieldError
	Alerts  []web.Alert
	Actions []web.Action
	Dialogs []web.Dialog // opened by buttons in the head
	Main    []web.Block
	Aside   []web.Block
}

// add puts blocks where they belong.
func (v *pageView) add(blocks ...web.Block) {
	for _, b := range blocks {
		if b.Aside {
			v.Aside = append(v.Aside, b)
		} else {
			v.Main = append(v.Main, b)
		}
	}
}

// block is a panel with one of the fragments of this part.
func block(title, note, fragment string, data any) web.Block {
	return web.Block{Title: title, Note: note, Template: "exchange/" + fragment, Data: data}
}

func aside(title, note, fragment string, data any) web.Block {
	b := block(title, note, fragment, data)
	b.Aside = true
	return b
}

// property is a row of "properties".
type property struct {
	Name, Text string
	Lines      []string
	Links      []web.Link
	Code       bool
}

// sheet is one object on its page: what the reader sees of it, in one community.
type sheet struct {
	rd       *reader
	at       polder.Membership
	now      shown   // the last version
	versions []shown // newest first
	others   []shown // the last versions in other communities
	refers   []shown // what refers to it, newest first
	refs     []shown // what it refers to
}

const (
	maxVersions  = 200 // deliveries of one object that its page reads
	maxReferring = 200 // objects that refer to it
)

// sheet reads an object. Where it stands in several communities, the address chooses; otherwise it is the newest.
func (p *Pages) sheet(rd *reader, id, community string) (*sheet, error) {
	page, err := p.journal.Page(rd.ctx, rd.sight, journal.Query{IDs: []string{id}, All: true, Newest: true, Limit: maxVersions})
	if err != nil {
		return nil, err
	}
	all, err := p.show(rd, page.Deliveries)
	if err != nil {
		return nil, err
	}
	sh := &sheet{rd: rd}
	wanted, _ := rd.place(community)
	seen := map[polder.CommunityID]bool{}
	for _, s := range all {
		here := wanted.Community.ID == s.Community || community == "" && (sh.at.Community.ID == "" || sh.at.Community.ID == s.Community)
		switch {
		case here:
			sh.at, _ = rd.place(string(s.Community))
			sh.versions = append(sh.versions, s)
		case !seen[s.Community]:
			seen[s.Community] = true
			sh.others = append(sh.others, s)
		}
	}
	if len(sh.versions) == 0 {
		return nil, polder.Errorf(polder.NotFound, "no such object, or none that you may see")
	}
	sh.now = sh.versions[0]
	for _, s := range sh.versions {
		if s.Last.Contains(rd.by.Org) {
			sh.now = s
		}
	}
	return sh, p.around(sh)
}

// around reads what the object refers to and what refers to it.
func (p *Pages) around(sh *sheet) error {
	if sh.now.Raw == nil {
		return nil
	}
	var ids []string
	for _, ref := range sh.now.o.Refs() {
		if typ := stix.TypeOf(ref.ID); typ != "marking-definition" && typ != "extension-definition" && ref.Property != "created_by_ref" && ref.ID != sh.now.ID && !slices.Contains(ids, ref.ID) && len(ids) < web.MaxGraphNodes {
			ids = append(ids, ref.ID)
		}
	}
	if len(ids) > 0 {
		page, err := p.journal.Page(sh.rd.ctx, sh.rd.sight, journal.Query{IDs: ids, Limit: 4 * len(ids), Newest: true})
		if err != nil {
			return err
		}
		if sh.refs, err = p.show(sh.rd, once(page.Deliveries)); err != nil {
			return err
		}
	}
	found, _, err := p.Referring(sh.rd.ctx, sh.rd.by, sh.now.ID, maxReferring)
	if err != nil {
		return err
	}
	slices.Reverse(found)
	sh.refers, err = p.show(sh.rd, once(found))
	return err
}

// once keeps the first delivery of each object.
func once(all []journal.Delivery) (out []journal.Delivery) {
	seen := map[string]bool{}
	for _, d := range all {
		if !seen[d.ID] && d.Raw != nil {
			seen[d.ID] = true
			out = append(out, d)
		}
	}
	return out
}

func (p *Pages) objectPage(w http.ResponseWriter, r *http.Request) error {
	rd, err := p.reader(r)
	if err != nil {
		return err
	}
	sh, err := p.sheet(rd, strings.ToLower(r.PathValue("id")), r.URL.Query().Get("community"))
	if err != nil {
		return err
	}
	v, err := p.objectView(r, sh)
	if err != nil {
		return err
	}
	words, s := rd.words, sh.now
	facts := []web.Pair{{Term: words.T("exchange.type"), Text: rd.kind(s.Type())}, {Term: words.T("exchange.marking"), TLP: s.Level}, {Term: words.T("exchange.created-by"), Text: s.By},
		{Term: words.T("exchange.community"), Text: sh.at.Name, Href: query("/objects", "community", sh.at.Alias)}}
	if valid := validity(words, s.o); valid != "" {
		facts = append(facts, web.Pair{Term: words.T("exchange.valid"), Text: valid})
	}
	facts = append(facts, web.Pair{Term: words.T("exchange.shared"), Text: words.When(s.Seq.Time())}, web.Pair{Term: words.T("exchange.id"), Text: s.ID, Code: true})
	p.site.Render(w, r, web.Page{Template: "exchange/page", Title: s.Title, Lede: p.finding(sh), TLP: max(s.Level, highest(sh.refers), highest(sh.refs)), Facts: facts, Data: v,
		Crumbs: []web.Link{{Text: words.T("exchange.objects"), Href: "/objects"}, {Text: rd.kind(s.Type()), Href: query("/objects", "type", s.Type())}}})
	return nil
}

func validity(words web.Words, o stix.Object) string {
	switch {
	case o.ValidFrom.IsZero():
		return ""
	case o.ValidUntil.IsZero():
		return words.T("exchange.valid.from", "from", words.Date(o.ValidFrom.Time))
	}
	return words.T("exchange.valid.until", "from", words.Date(o.ValidFrom.Time), "until", words.Date(o.ValidUntil.Time))
}

// finding says in a sentence what the object tells.
func (p *Pages) finding(sh *sheet) string {
	o, words := sh.now.o, sh.rd.words
	for _, said := range []string{o.Description, text(o, "abstract"), text(o, "explanation")} {
		if said = strings.TrimSpace(said); said != "" {
			return firstSentence(said)
		}
	}
	switch o.Type {
	case "indicator":
		if values, err := indicator.AnyFromPattern(o.Pattern); err == nil && len(values) == 1 {
			return words.T("exchange.finding.value", "kind", words.T("exchange.kind."+string(values[0].Kind)), "value", indicator.Defang(values[0].Kind, values[0].Value))
		}
		return words.T("exchange.finding.pattern")
	case "sighting":
		var n int64
		if json.Unmarshal(o.Property("count"), &n) == nil && n > 0 {
			return words.T("exchange.finding.sighting", "n", n)
		}
		return words.T("exchange.finding.seen")
	case "opinion":
		if value := text(o, "opinion"); slices.Contains(opinionValues, value) {
			return words.T("exchange.opinion." + value)
		}
	}
	return words.T("exchange.finding.plain", "type", sh.rd.kind(sh.now.Type()))
}

// opinionValues are those of the standard, from against to for.
var opinionValues = []string{"strongly-disagree", "disagree", "neutral", "agree", "strongly-agree"}

func firstSentence(s string) string {
	line, _, _ := strings.Cut(s, "\n")
	if i := strings.Index(line, ". "); i > 40 {
		line = line[:i+1]
	}
	return clip(line, 280)
}

func (p *Pages) objectView(r *http.Request, sh *sheet) (v pageView, err error) {
	words, s := sh.rd.words, sh.now
	v.Alerts = p.objectAlerts(sh)
	if v.Dialogs, err = p.dialogs(sh); err != nil {
		return v, err
	}
	if len(sh.refers)+len(sh.refs) > 0 {
		picture, err := p.picture(sh)
		if err != nil {
			return v, err
		}
		v.add(block(words.T("exchange.relations"), words.T("exchange.relations.step"), "picture", picture))
	}
	if s.o.Pattern != "" {
		v.add(block(words.T("exchange.matches"), s.o.PatternType, "pattern", matching(words, s.o)))
	}
	if s.o.Description != "" {
		v.add(block(words.T("exchange.description"), "", "prose", s.o.Description))
	}
	if body := text(s.o, "content"); body != "" {
		v.add(block(words.T("exchange.content"), "", "prose", body))
	}
	v.add(p.answers(sh)...)
	if rows := properties(s.o); len(rows) > 0 {
		v.add(block(words.T("exchange.properties"), "", "properties", rows))
	}
	history := p.history(sh)
	v.add(block(words.T("exchange.history"), words.T("exchange.versions", "n", len(history)), "history", history))
	sees, err := p.sees(sh)
	if err != nil {
		return v, err
	}
	past, err := p.releasePairs(sh)
	if err != nil {
		return v, err
	}
	v.add(aside(words.T("exchange.worth"), "", "facts", append(p.standing(sh), past...)), aside(words.T("exchange.sees"), "", "notes", sees), aside(words.T("exchange.may"), "", "notes", mayDo(words, s.Level)))
	judged, err := p.judged(sh)
	if err != nil {
		return v, err
	}
	v.add(judged...)
	signed, err := p.signaturePairs(sh)
	if err != nil {
		return v, err
	}
	if len(signed) > 0 {
		v.add(aside(words.T("exchange.signature"), "", "facts", signed))
	}
	if len(sh.others) > 0 {
		var pairs []web.Pair
		for _, o := range sh.others {
			m, _ := sh.rd.place(string(o.Community))
			pairs = append(pairs, web.Pair{Term: m.Name, Text: words.When(o.Seq.Time()), Href: query(link(o.ID), "community", m.Alias), TLP: o.Level})
		}
		v.add(aside(words.T("exchange.elsewhere"), "", "facts", pairs))
	}
	v.add(p.site.Panels(r, s.ID)...)
	return v, nil
}

func (p *Pages) objectAlerts(sh *sheet) (all []web.Alert) {
	words := sh.rd.words
	switch until := sh.now.o.ValidUntil.Time; {
	case sh.now.Erased:
		all = append(all, web.Alert{Class: "warn", Title: words.T("exchange.worth.erased"), Text: words.T("exchange.erased.text")})
	case sh.now.Revoked:
		all = append(all, web.Alert{Class: "warn", Title: words.T("exchange.worth.revoked"), Text: words.T("exchange.revoked.text")})
	case !until.IsZero() && !until.After(p.now()):
		all = append(all, web.Alert{Class: "warn", Title: words.T("exchange.worth.expired", "date", words.Date(until)), Text: words.T("exchange.expired.text")})
	}
	return all
}

// matching is the data of "pattern": a pattern in lines, and where its values are known.
type matchingView struct {
	Lines  []string
	Values []web.Link
	Note   string
}

func matching(words web.Words, o stix.Object) matchingView {
	v := matchingView{Lines: strings.Split(o.Pattern, "\n")}
	if o.PatternType != "stix" {
		return v
	}
	parsed, err := pattern.Parse(o.Pattern)
	if err != nil {
		v.Note = words.T("exchange.pattern.odd")
		return v
	}
	said := parsed.String()
	for _, op := range []string{" OR ", " AND ", " FOLLOWEDBY "} {
		said = strings.ReplaceAll(said, "]"+op, "]\n"+op[1:])
	}
	v.Lines = strings.Split(said, "\n")
	values, err := indicator.AnyFromPattern(o.Pattern)
	if err != nil {
		return v
	}
	for _, value := range values[:min(len(values), 20)] {
		v.Values = append(v.Values, web.Link{Text: indicator.Defang(value.Kind, value.Value), Href: query("/values", "value", value.Value)})
	}
	return v
}

// elsewhere on the page: these properties are not said again in the list.
var saidElsewhere = []string{"type", "id", "spec_version", "pattern", "description", "content", "object_marking_refs", "created_by_ref", "name", "extensions"}

// properties are an object's other properties in the order of its text, whatever they are.
func properties(o stix.Object) (rows []property) {
	dec := json.NewDecoder(bytes.NewReader(o.Raw()))
	if t, err := dec.Token(); err != nil || t != json.Delim('{') {
		return nil
	}
	for dec.More() {
		name, err := dec.Token()
		var value json.RawMessage
		if err != nil || dec.Decode(&value) != nil {
			return rows
		}
		if n, ok := name.(string); ok && !slices.Contains(saidElsewhere, n) {
			rows = append(rows, propertyOf(n, value))
		}
	}
	return rows
}

// longest value of a property that a page shows.
const maxValue = 2000

func propertyOf(name string, value json.RawMessage) property {
	row := property{Name: name}
	var s string
	var list []string
	switch {
	case json.Unmarshal(value, &s) == nil:
		row.Text = s
		if strings.HasSuffix(name, "_ref") && stix.ValidID(s) {
			row.Text, row.Links = "", []web.Link{{Text: s, Href: link(strings.ToLower(s))}}
		}
	case json.Unmarshal(value, &list) == nil && strings.HasSuffix(name, "_refs"):
		for _, id := range list[:min(len(list), 100)] {
			row.Links = append(row.Links, web.Link{Text: id, Href: link(strings.ToLower(id))})
		}
	case json.Unmarshal(value, &list) == nil:
		row.Text = strings.Join(list, ", ")
	case len(linesOf(name, value)) > 0:
		row.Lines = linesOf(name, value)
	default:
		row.Text, row.Code = string(value), value[0] == '{' || value[0] == '['
	}
	row.Text = clip(row.Text, maxValue)
	return row
}

// linesOf writes the structures that people read most as lines of text; none for any other. Addresses are no links:
// what stands in an object is not followed by accident.
func linesOf(name string, value json.RawMessage) (lines []string) {
	var rows []map[string]json.RawMessage
	switch name {
	case "kill_chain_phases", "external_references":
		if json.Unmarshal(value, &rows) != nil {
			return nil
		}
	case "hashes":
		return hashLines(value)
	}
	said := func(row map[string]json.RawMessage, keys ...string) string {
		var parts []string
		for _, key := range keys {
			var s string
			if json.Unmarshal(row[key], &s) == nil && s != "" {
				parts = append(parts, s)
			}
		}
		return strings.Join(parts, " · ")
	}
	for _, row := range rows[:min(len(rows), 100)] {
		if line := said(row, "kill_chain_name", "phase_name", "source_name", "external_id", "description", "url"); line != "" {
			lines = append(lines, clip(line, maxValue))
		}
	}
	return lines
}

func hashLines(value json.RawMessage) (lines []string) {
	var hashes map[string]string
	if json.Unmarshal(value, &hashes) != nil {
		return nil
	}
	for _, kind := range slices.Sorted(maps.Keys(hashes)) {
		lines = append(lines, clip(kind+" "+hashes[kind], maxValue))
	}
	return lines
}

// history is every version that the reader sees, newest first, each with what it changed.
func (p *Pages) history(sh *sheet) (events []web.Event) {
	words := sh.rd.words
	for i, s := range sh.versions {
		e := web.Event{At: s.Seq.Time(), Title: words.T("exchange.version.shared"), Text: s.By}
		if _, blind := sh.rd.blind[s.o.CreatedByRef]; blind && s.Sharer == sh.rd.by.Org && s.Custodian == sh.rd.by.Org {
			e.Text = words.T("exchange.by.you-blind")
		}
		if i == 0 {
			e.Class = "main"
		}
		if i+1 < len(sh.versions) {
			e.Title = words.T("exchange.version.new")
			before := sh.versions[i+1]
			e.Changes = changes(before.o, s.o)
			if before.Level != s.Level {
				e.Changes = append(e.Changes, web.Change{Property: words.T("exchange.marking"), Was: before.Level.Label(), Is: s.Level.Label()})
			}
			if len(e.Changes) == 0 {
				e.Title = words.T("exchange.version.again")
			}
		}
		switch {
		case s.Erased:
			e.Class, e.Title = "bad", words.T("exchange.worth.erased")
		case s.Revoked:
			e.Class, e.Title = "bad", words.T("exchange.worth.revoked")
		}
		events = append(events, e)
	}
	return events
}

// changes are the properties that differ between two versions; times of the version itself go without saying.
func changes(was, is stix.Object) (out []web.Change) {
	a, b := membersOf(was), membersOf(is)
	names := make([]string, 0, len(a)+len(b))
	for n := range a {
		names = append(names, n)
	}
	for n := range b {
		names = append(names, n)
	}
	slices.Sort(names)
	for _, n := range slices.Compact(names) {
		if n == "modified" || n == "object_marking_refs" || bytes.Equal(a[n], b[n]) || len(a) == 0 || len(b) == 0 {
			continue
		}
		out = append(out, web.Change{Property: n, Was: brief(a[n]), Is: brief(b[n])})
	}
	return out
}

// membersOf are the properties of an object by name, in compact form.
func membersOf(o stix.Object) map[string]json.RawMessage {
	var m map[string]json.RawMessage
	_ = json.Unmarshal(o.Raw(), &m) // an erased object has none
	for n, v := range m {
		var b bytes.Buffer
		if json.Compact(&b, v) == nil {
			m[n] = b.Bytes()
		}
	}
	return m
}

func brief(v json.RawMessage) string {
	var s string
	if v == nil || json.Unmarshal(v, &s) == nil {
		return clip(s, 300)
	}
	return clip(string(v), 300)
}

// standing says what the object is worth now and what it does.
func (p *Pages) standing(sh *sheet) []web.Pair {
	words, s := sh.rd.words, sh.now
	state := p.worth(words, s)
	if state.Text == "" {
		state.Text = words.T("exchange.worth.stands")
	}
	pairs := []web.Pair{{Term: words.T("exchange.now"), Text: state.Text}}
	if s.Type() == "indicator" {
		lists := words.T("exchange.lists.in")
		if s.Level == stix.Red || s.o.PAP() >= stix.PAPAmber || p.unfit(s.o, AsPlain) != "" {
			lists = words.T("exchange.lists.out")
		}
		pairs = append(pairs, web.Pair{Term: words.T("exchange.blocklists"), Text: lists, Href: "/blocklists"})
	}
	if pap := s.o.PAP(); pap != stix.PAPNone {
		pairs = append(pairs, web.Pair{Term: "PAP", Text: pap.Label()})
	}
	changes := words.T("exchange.custody.elsewhere")
	if s.Custodian == sh.rd.by.Org {
		changes = words.T("exchange.custody.you")
	}
	return append(pairs, web.Pair{Term: words.T("exchange.custody"), Text: changes})
}

// sees says who may see the object and why. Named recipients are told to whoever named them; others learn that they are
// among them, and no more.
func (p *Pages) sees(sh *sheet) ([]web.Mark, error) {
	words, rd, s := sh.rd.words, sh.rd, sh.now
	all, mine := false, false
	var named []string
	for _, v := range sh.versions {
		if v.Digest != s.Digest {
			continue
		}
		all = all || v.Nominal.Except()
		if v.Sharer == rd.by.Org {
			mine = true
			for _, o := range v.Nominal.Listed() {
				if o != rd.by.Org && !slices.Contains(named, rd.orgs[o]) {
					named = append(named, cmp.Or(rd.orgs[o], words.T("exchange.left")))
				}
			}
		}
	}
	slices.Sort(named)
	switch {
	case !all && mine && toCustodian(s.Raw):
		return []web.Mark{{Icon: "people", Text: words.T("exchange.sees.custodian")}, {Class: "yes", Text: words.T("exchange.sees.you-shared")}}, nil
	case all:
		members, err := p.members(rd.ctx, sh.at.Community.ID)
		if err != nil {
			return nil, err
		}
		return []web.Mark{{Icon: "people", Text: words.T("exchange.sees.members", "n", len(members), "name", sh.at.Name), Href: address("communities", sh.at.Alias)},
			{Class: "yes", Text: words.T("exchange.sees.you-member", "role", words.T("exchange.role."+sh.at.Role.OnObjects().String()))}}, nil
	case mine && len(named) > 0:
		return []web.Mark{{Icon: "people", Text: words.T("exchange.sees.named", "names", strings.Join(named, ", "))}, {Class: "yes", Text: words.T("exchange.sees.you-shared")}}, nil
	case mine:
		return []web.Mark{{Icon: "lock", Text: words.T("exchange.sees.nobody")}}, nil
	}
	return []web.Mark{{Icon: "lock", Text: words.T("exchange.sees.recipients", "name", sh.at.Name)}, {Class: "yes", Text: words.T("exchange.sees.you-named")}}, nil
}

// mayDo says what a reader may do with an object of a level (X7).
func mayDo(words web.Words, level stix.Marking) []web.Mark {
	yes := func(key string) web.Mark { return web.Mark{Class: "yes", Text: words.T("exchange.may." + key)} }
	no := func(key string) web.Mark { return web.Mark{Class: "no", Text: words.T("exchange.may." + key)} }
	switch level {
	case stix.Clear, stix.Green:
		marks := []web.Mark{yes("communities"), yes("clients")}
		if level == stix.Clear {
			return append(marks, yes("public"))
		}
		return append(marks, no("not-public"))
	case stix.Amber:
		return []web.Mark{yes("clients"), no("not-communities")}
	case stix.AmberStrict:
		return []web.Mark{yes("inside"), no("not-clients"), no("not-communities")}
	}
	return []web.Mark{no("nobody"), no("no-file")}
}
