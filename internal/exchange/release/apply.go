package release

import (
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/polder-exchange/polder/stix"
	"github.com/polder-exchange/polder/stix/pattern"
)

// Change is something that a rule changes in an object before it leaves.
type Change struct {
	Path   string `json:"path"`
	Before string `json:"before"`
	After  string `json:"after"` // "" is taken out
	Rule   string `json:"rule"`  // several have commas between
	Why    string `json:"why"`
}

// Stop is a value that cannot be changed without changing what the object says, and that its organisation would not
// have leave.
type Stop struct {
	Path        string `json:"path"`
	Value       string `json:"value"`
	Rule        string `json:"rule"`
	Why         string `json:"why"`
	Overridable bool   `json:"overridable"` // by a person, with a reason
}

// Doubt is a word that may be a fact, such as the family name of one of an organisation's people: it stays, and a person
// decides about it.
type Doubt struct {
	Path  string `json:"path"`
	Value string `json:"value"`
	Rule  string `json:"rule"`
	Why   string `json:"why"`
}

// Rules are a profile made ready. They may be used by any number of goroutines.
type Rules struct {
	profile     Profile
	facts       *finder
	nets        networks
	words       *finder
	expressions []expression
	keep        map[string]bool
}

// Compile makes rules of a profile. known are extensions that leave always: the program's own.
func Compile(p Profile, known ...string) (*Rules, error) {
	if err := p.Check(); err != nil {
		return nil, err
	}
	r := &Rules{profile: p, facts: newFinder(terms(p)), words: forbiddenFinder(p.Forbidden), keep: map[string]bool{}}
	if p.Minimise.Networks {
		for _, n := range p.Facts.Networks {
			net, err := readNetwork(n)
			if err != nil {
				return nil, err
			}
			r.nets = append(r.nets, net)
		}
	}
	for _, f := range p.Forbidden {
		if f.Expression != "" {
			r.expressions = append(r.expressions, expression{f.Label, regexp.MustCompile("(?i:" + f.Expression + ")")}) // Check compiled it
		}
	}
	for _, k := range slices.Concat(p.Keep, known) {
		r.keep[k] = true
	}
	return r, nil
}

// Profile is what the rules were made of.
func (r *Rules) Profile() Profile { return r.profile }

// Idle tells whether the rules change nothing and stop nothing.
func (r *Rules) Idle() bool {
	return !r.profile.Minimise.Any() && r.profile.Highest == stix.None && len(r.profile.Forbidden) == 0
}

// Apply is the object as it may leave, what was changed in it, and what stops it. Where it is stopped for good, the
// object comes back as it was.
func (r *Rules) Apply(o stix.Object) (stix.Object, []Change, []Stop) {
	out, changes, stops, _ := r.Examine(o)
	return out, changes, stops
}

// Examine is [Rules.Apply], and tells what a person should look at: each word of each property once, at most [MaxDoubts].
func (r *Rules) Examine(o stix.Object) (stix.Object, []Change, []Stop, []Doubt) {
	if !r.profile.Minimise.Any() {
		return o, nil, nil, nil
	}
	root, err := parse(o.Raw())
	if err != nil {
		return o, nil, []Stop{{Rule: "release", Why: "cannot be read: " + err.Error()}}, nil
	}
	a := application{rules: r, object: o, typ: o.Type}
	a.object0(root)
	if len(a.changes) == 0 {
		return o, nil, a.stops, a.doubts
	}
	unsign(root)
	pruneSelectors(root)
	out, err := stix.Parse(root.json())
	if err == nil && out.Type == "indicator" && out.PatternType == "stix" {
		_, err = pattern.Parse(out.Pattern)
	}
	if err != nil {
		return o, a.changes, append(a.stops, Stop{Rule: a.changes[0].Rule, Path: a.changes[0].Path, Why: "cannot be taken out without breaking the object: " + err.Error()}), a.doubts
	}
	return out, a.changes, a.stops, a.doubts
}

// Text minimises a text that stands in no object.
func (r *Rules) Text(text string) (string, []Change) {
	a := application{rules: r}
	out, changed := a.text("", text)
	if !changed {
		return text, nil
	}
	return out, a.changes
}

// Doubts are the words in a text, once it is minimised, about which a person should decide.
func (r *Rules) Doubts(text string) []Doubt {
	a := application{rules: r}
	a.text("", text)
	return a.doubts
}

// spans are the facts in a text, in order and without overlaps, and what may be one.
func (r *Rules) spans(text string) (found, doubts []span) {
	for _, s := range append(r.direct(text), r.encoded(text)...) {
		if inUUID(text, s) {
			continue
		}
		for s.end < len(text) { // the marks on its last letter belong to it
			r, n := utf8.DecodeRuneInString(text[s.end:])
			if !unicode.Is(unicode.Mn, r) {
				break
			}
			s.end += n
		}
		if s.doubt {
			doubts = append(doubts, s)
		} else {
			found = append(found, s)
		}
	}
	found = merge(found)
	doubts = slices.DeleteFunc(merge(doubts), func(d span) bool {
		at, _ := slices.BinarySearchFunc(found, d.start, func(s span, start int) int { return s.end - start - 1 })
		return at < len(found) && found[at].start < d.end
	})
	return found, doubts
}

// inUUID tells whether a span lies within a UUID, which tells nothing by itself.
func inUUID(text string, s span) bool {
	from, to := s.start, s.end
	for from > 0 && to-from <= 36 && (hexDigit(text[from-1]) >= 0 || text[from-1] == '-') {
		from--
	}
	for to < len(text) && to-from <= 40 && (hexDigit(text[to]) >= 0 || text[to] == '-') {
		to++
	}
	word := strings.TrimLeft(text[from:to], "-")
	return len(word) == 36 && word[8] == '-' && word[13] == '-' && word[18] == '-' && word[23] == '-' && strings.Count(word, "-") == 4
}

// direct are the facts and doubts in a text as it is written, and as it reads.
func (r *Rules) direct(text string) []span {
	out := append(r.facts.find(text), r.nets.find(text)...)
	if v, ok := decoded(text); ok {
		read := string(v.text)
		for _, s := range append(r.facts.find(read), r.nets.find(read)...) {
			out = append(out, v.back(s))
		}
	}
	return out
}

// application is one object under way.
type application struct {
	rules   *Rules
	object  stix.Object
	typ     string
	changes []Change
	stops   []Stop
	doubts  []Doubt
}

// MaxDoubts bounds the doubts about one object: its sharer has to look again long before.
const MaxDoubts = 50

// doubt notes what a person should decide about.
func (a *application) doubt(at, text string, found []span) {
	for _, s := range found {
		d := Doubt{at, text[s.start:s.end], string(s.rule), maybe[s.rule]}
		if len(a.doubts) < MaxDoubts && !slices.Contains(a.doubts, d) {
			a.doubts = append(a.doubts, d)
		}
	}
}

// mode says what becomes of a fact in a text.
type mode uint8

const (
	replace mode = iota // it is replaced
	halt                // it stops the object
)

// fixed are properties whose texts are set by the standard; the type of a custom object is looked at by itself.
var fixed = []string{"id", "type", "spec_version", "created", "modified", "object_marking_refs", "granular_markings", "opinion", "encryption_algorithm", "definition_type"}

// named are properties whose texts are names that others go by: they cannot be replaced.
var named = []string{"lang", "pattern_type", "pattern_version", "relationship_type"}

// within are names of members that the standard itself gives to what lies within an object.
var within = []string{"source_name", "description", "url", "hashes", "external_id", "kill_chain_name", "phase_name", "statement", "tlp", "name", "value", "values", "data", "data_type", "body", "content_type", "content_disposition", "type", "key"}

// object0 goes over an object at its top.
func (a *application) object0(root *node) {
	m := replace
	if a.object.IsObservable() || a.typ == "marking-definition" || a.typ == "extension-definition" {
		m = halt
	}
	if !stix.Standard(a.typ) {
		a.customType()
	}
	if a.rules.profile.Minimise.Custom {
		a.custom(root)
	}
	a.members(root, "", m, stix.Standard(a.typ))
}

// customType stops an object of a type that is nobody's standard, unless it is kept.
func (a *application) customType() {
	if a.rules.profile.Minimise.Custom && !a.rules.keep[a.typ] && !a.keptType() {
		a.stops = append(a.stops, Stop{"type", a.typ, string(RuleCustom), "is a custom type that your organisation does not keep; put it on the list to keep", true})
	}
	a.halt("type", a.typ)
}

// keptType tells whether an extension that is kept makes the object's type.
func (a *application) keptType() bool {
	root, err := parse(a.object.Property("extensions"))
	if err != nil {
		return false
	}
	return slices.ContainsFunc(root.members, func(m member) bool {
		return a.rules.keep[m.name] && strings.HasPrefix(m.value.get("extension_type").string(), "new-")
	})
}

// custom takes out the custom properties at the top, and the extensions, that nobody keeps.
func (a *application) custom(root *node) {
	top := !stix.Standard(a.typ)
	if ext := root.get("extensions"); ext != nil && ext.kind == '{' {
		for _, m := range slices.Clone(ext.members) {
			kind := m.value.get("extension_type").string()
			kept := a.rules.keep[m.name] || strings.HasPrefix(kind, "new-") || !strings.HasPrefix(m.name, "extension-definition--")
			if kept {
				top = top || kind == "toplevel-property-extension"
				continue
			}
			a.takeOut(ext, "extensions", m, RuleCustom)
		}
		if len(ext.members) == 0 {
			root.drop("extensions")
		}
	}
	for _, m := range slices.Clone(root.members) {
		if a.rules.keep[m.name] || stix.Defined(a.typ, m.name) || top && !strings.HasPrefix(m.name, "x_") || m.name == "extensions" {
			continue
		}
		a.takeOut(root, "", m, RuleCustom)
	}
}

// takeOut drops a member and notes it.
func (a *application) takeOut(from *node, path string, m member, rule Rule) {
	from.drop(m.name)
	a.changes = append(a.changes, Change{below(path, m.name), m.value.shown(), "", string(rule), why[rule]})
}

// members goes over the members of an object; std says that custom ones may stand within it that nobody keeps.
func (a *application) members(n *node, path string, m mode, std bool) {
	for _, x := range slices.Clone(n.members) {
		at := below(path, x.name)
		switch {
		case std && path != "" && a.rules.profile.Minimise.Custom && strings.HasPrefix(x.name, "x_") && !a.rules.keep[x.name]:
			a.takeOut(n, path, x, RuleCustom)
			continue
		case !(path == "" && stix.Defined(a.typ, x.name) || std && slices.Contains(within, x.name)) && !a.name(n, path, x, m):
			continue
		}
		a.member(n, x, at, m, std && !a.rules.keep[x.name])
	}
}

// name looks at the name of a member, which tells too: a custom one with a fact in it goes. It says whether it stays.
func (a *application) name(n *node, path string, x member, m mode) bool {
	found, doubts := a.rules.spans(x.name)
	a.doubt(below(path, x.name), x.name, doubts)
	switch {
	case len(found) == 0:
		return true
	case m == halt:
		a.halt(below(path, x.name), x.name)
		return true
	}
	a.takeOut(n, path, x, found[0].rule)
	return false
}

// member goes over one member.
func (a *application) member(n *node, x member, at string, m mode, std bool) {
	v := x.value
	switch {
	case at == x.name && slices.Contains(fixed, at) || x.name == "extension_type" || x.name == "type" && stix.Standard(v.string()):
		return
	case at == x.name && slices.Contains(named, at):
		a.value(v, at, halt, std)
	case (strings.HasSuffix(x.name, "_ref") || strings.HasSuffix(x.name, "_refs")) && identifiers(v):
		a.references(v, at)
	case a.typ == "indicator" && at == "pattern" && v.kind == '"':
		a.pattern(v)
	case a.typ == "observed-data" && at == "objects":
		a.value(v, at, halt, false)
	case x.name == "url" && m == replace && strings.HasPrefix(at, "external_references["):
		a.reference(n, v, at)
	default:
		a.value(v, at, m, std)
	}
}

// identifiers tells whether a value is one, or a list of them.
func identifiers(v *node) bool {
	for _, x := range v.items {
		if !stix.ValidID(x.string()) {
			return false
		}
	}
	return v.kind == '[' || v.kind == '"' && stix.ValidID(v.text)
}

// references looks at the types that identifiers name: the standard's tell nothing.
func (a *application) references(v *node, at string) {
	for i, x := range v.items {
		a.references(x, inList(at, i))
	}
	if typ := stix.TypeOf(v.string()); typ != "" && !stix.Standard(typ) {
		a.halt(at, typ)
	}
}

// reference takes an address on the web out of an external reference. What is left of the reference says something still.
func (a *application) reference(n *node, v *node, at string) {
	found, doubts := a.rules.spans(v.string())
	if len(found) == 0 {
		a.doubt(at, v.string(), doubts)
		return
	}
	n.drop("url")
	n.drop("hashes")
	if n.get("description") == nil && n.get("external_id") == nil {
		n.set("description", textNode(stand[found[0].rule]))
	}
	a.changes = append(a.changes, Change{at, v.text, "", rulesOf(found), whyOf(found)})
}

func (a *application) value(v *node, at string, m mode, std bool) {
	switch v.kind {
	case '"':
		if m == halt {
			a.halt(at, v.text)
		} else if out, changed := a.text(at, v.text); changed {
			v.text = out
		}
	case '[':
		for i, x := range v.items {
			a.value(x, inList(at, i), m, std)
		}
	case '{':
		a.members(v, at, m, std)
	}
}

// maxRounds bounds how often a text is gone over: what is taken out may leave behind, as a word of its own, what was a
// part of one.
const maxRounds = 8

// text replaces the facts in a text.
func (a *application) text(at, text string) (string, bool) {
	out := text
	var all []span
	for range maxRounds {
		found, doubts := a.rules.spans(out)
		if len(found) == 0 {
			a.doubt(at, out, doubts)
			break
		}
		all = append(all, found...)
		out = replaced(out, found)
	}
	if len(all) == 0 {
		return text, false
	}
	a.changes = append(a.changes, Change{at, text, out, rulesOf(all), whyOf(all)})
	return out, true
}

// replaced is a text with neutral words for the facts that were found in it.
func replaced(text string, found []span) string {
	var b strings.Builder
	from := 0
	for _, s := range found {
		b.WriteString(text[from:s.start])
		b.WriteString(stand[s.rule])
		from = s.end
	}
	b.WriteString(text[from:])
	return b.String()
}

// halt stops at each fact in a value.
func (a *application) halt(at, text string) {
	found, doubts := a.rules.spans(text)
	a.doubt(at, text, doubts)
	for _, s := range found {
		a.stops = append(a.stops, Stop{at, text[s.start:s.end], string(s.rule), why[s.rule] + ", and what it stands in says something else without it", true})
	}
}

func rulesOf(found []span) string {
	return each(found, func(r Rule) string { return string(r) }, ", ")
}

func whyOf(found []span) string { return each(found, func(r Rule) string { return why[r] }, "; ") }

func each(found []span, say func(Rule) string, between string) string {
	var out []string
	for _, s := range found {
		if said := say(s.rule); !slices.Contains(out, said) {
			out = append(out, said)
		}
	}
	return strings.Join(out, between)
}

// pattern goes over the pattern of an indicator: comments are text, all else is value.
func (a *application) pattern(v *node) {
	var b strings.Builder
	changed := false
	for _, part := range comments(v.text, a.object.PatternType) {
		if part.comment {
			out, is := a.text("pattern", part.text)
			changed = changed || is
			b.WriteString(out)
			continue
		}
		a.halt("pattern", part.text)
		b.WriteString(part.text)
	}
	if changed {
		v.text = b.String()
	}
}
