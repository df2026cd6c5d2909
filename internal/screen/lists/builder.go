package lists

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/cespare/xxhash/v2"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/names"
)

// builder gathers the entries of one list: it cleans what they hold, keeps repeated texts once, counts what was left
// out and why, and joins rows that stand for one party.
type builder struct {
	s           *source
	meta        Meta
	mapping     *Mapping // nil for the known forms
	purposeOpen bool     // the caller did not say what the list is for
	parties     pile
	strict      bool              // broken bytes are refused rather than noted: JSON and XML
	merge       bool              // a second row with an id adds its names to the first; else the id is made distinct
	byID        map[uint64]int32  // by the hash of its id
	texts       map[string]string // texts that many entries share
	codes       map[string]string // countries as written, and their codes
	skipped     map[string]*skip
	order       []string // reasons, as they came
	notes       []string
	clipped     int
}

// pile holds entries in pieces, so that a long list is not copied again and again while it grows.
type pile struct {
	pieces [][]Entry
	n      int
}

const piece = 4096

func (p *pile) at(i int) *Entry { return &p.pieces[i/piece][i%piece] }

func (p *pile) add(e Entry) {
	if p.n%piece == 0 {
		size := piece
		if p.n == 0 {
			size = 16 // most lists of one's own are short
		}
		p.pieces = append(p.pieces, make([]Entry, 0, size))
	}
	last := &p.pieces[len(p.pieces)-1]
	*last = append(*last, e)
	p.n++
}

// all are the entries in one slice; the pile is empty afterwards.
func (p *pile) all() []Entry {
	out := make([]Entry, 0, p.n)
	for i, part := range p.pieces {
		out = append(out, part...)
		p.pieces[i] = nil
	}
	return out
}

// skip counts what was left out for one reason.
type skip struct{ n, line int }

func newBuilder(s *source, o ReadOptions) *builder {
	b := &builder{s: s, mapping: o.Mapping, purposeOpen: o.Purpose == "", byID: map[uint64]int32{}, texts: map[string]string{}, codes: map[string]string{}, skipped: map[string]*skip{}}
	b.meta = Meta{Name: o.As, Title: o.Title, Source: o.Source, Licence: o.Licence, Purpose: o.Purpose, Date: o.Date, Read: o.At}
	if b.meta.Name == "" {
		b.meta.Name = listName(s.name)
	}
	if b.meta.Purpose == "" {
		b.meta.Purpose = Restricted
	}
	return b
}

// about sets what a form says of the list as a whole, where the caller has not said it. The list's own date comes first.
func (b *builder) about(title, source, date, version string) {
	if b.meta.Title == "" {
		b.meta.Title = clip(clean(title), maxText)
	}
	if b.meta.Source == "" {
		b.meta.Source = clip(clean(source), maxText)
	}
	if date != "" {
		b.meta.Date = date
	}
	if version != "" {
		b.meta.Version = clip(clean(version), 100)
	}
}

// note says something about the list that is shown with each answer.
func (b *builder) note(text string) {
	if !slices.Contains(b.notes, text) && len(b.notes) < 100 {
		b.notes = append(b.notes, text)
	}
}

// skip counts a record that was left out.
func (b *builder) skip(line int, why string) {
	k := b.skipped[why]
	if k == nil {
		k = &skip{line: line}
		b.skipped[why] = k
		b.order = append(b.order, why)
	}
	k.n++
}

// add keeps an entry. One without any name is left out and counted.
func (b *builder) add(line int, e Entry) error {
	b.tidy(&e)
	if at, ok := b.find(e.ID); ok && b.merge && e.Name == "" && e.ID != "" {
		b.join(b.parties.at(at), &e)
		return nil
	}
	if e.Name == "" && !promote(&e) {
		b.skip(line, "no name")
		return nil
	}
	if e.ID == "" {
		e.ID = contentID(&e)
	}
	b.unfold(&e)
	if at, ok := b.find(e.ID); ok {
		old := b.parties.at(at)
		if b.merge || old.Name == e.Name && old.Type == e.Type {
			b.join(old, &e)
			return nil
		}
		b.notice(line, "an id that another party has was made distinct")
		e.ID += "-" + contentID(&e)
		if at, ok := b.find(e.ID); ok {
			b.join(b.parties.at(at), &e)
			return nil
		}
	}
	if b.parties.n >= maxEntries {
		return b.s.fail(line, fmt.Sprintf("more than %d entries", maxEntries), "split the list")
	}
	b.byID[xxhash.Sum64String(e.ID)] = int32(b.parties.n)
	b.parties.add(e)
	return nil
}

// unfold adds the names that the names of an entry hold within themselves. The name stays as listed.
func (b *builder) unfold(e *Entry) {
	more := innerNames(e.Name)
	for _, a := range e.Aliases {
		for _, in := range innerNames(a.Name) {
			in.Weak = a.Weak
			more = append(more, in)
		}
	}
	if len(more) > 0 {
		e.Aliases = dedupe(append(e.Aliases, more...), func(a Alias) string { return a.Name }, e.Name)
		e.Aliases = e.Aliases[:min(len(e.Aliases), maxAliases)]
	}
}

// promote makes an alias the name of an entry that has none: the first that is not weak, else the first.
func promote(e *Entry) bool {
	if len(e.Aliases) == 0 {
		return false
	}
	i := max(0, slices.IndexFunc(e.Aliases, func(a Alias) bool { return !a.Weak }))
	e.Name = e.Aliases[i].Name
	e.Aliases = dedupe(e.Aliases, func(a Alias) string { return a.Name }, e.Name)
	return true
}

// notice counts something that was noticed but not left out.
func (b *builder) notice(line int, why string) { b.skip(line, "\x00"+why) }

// find is where the entry with an id stands.
func (b *builder) find(id string) (int, bool) {
	at, ok := b.byID[xxhash.Sum64String(id)]
	if !ok || b.parties.at(int(at)).ID != id {
		return 0, false
	}
	return int(at), true
}

// join adds what another row says of the same party.
func (b *builder) join(old, e *Entry) {
	if e.Name != "" && e.Name != old.Name {
		old.Aliases = append(old.Aliases, Alias{Name: e.Name})
	}
	old.Aliases = dedupe(append(old.Aliases, e.Aliases...), func(a Alias) string { return a.Name }, old.Name)
	old.Aliases = old.Aliases[:min(len(old.Aliases), maxAliases)]
	old.Countries = dedupe(append(old.Countries, e.Countries...), same, "")
	old.Births = dedupe(append(old.Births, e.Births...), same, "")
	old.Addresses = dedupe(append(old.Addresses, e.Addresses...), same, "")
	old.Programmes = dedupe(append(old.Programmes, e.Programmes...), same, "")
	old.Identifiers = dedupe(append(old.Identifiers, e.Identifiers...), identifierKey, "")
	for _, p := range []struct{ old, new *string }{{&old.Means, &e.Means}, {&old.Note, &e.Note}, {&old.URL, &e.URL}, {&old.Listed, &e.Listed}, {&old.List, &e.List}} {
		if *p.old == "" {
			*p.old = *p.new
		}
	}
	old.Changed = max(old.Changed, e.Changed)
	if old.Type == names.Any {
		old.Type = e.Type
	}
}

func identifierKey(i Identifier) string { return i.Kind + "\x00" + i.Value }

// dedupe drops what has the same key as something before it, or as not, or an empty key; nil when nothing is left.
func dedupe[T any](in []T, key func(T) string, not string) []T {
	out := in[:0]
	for i, v := range in {
		k := key(v)
		if k == "" || k == not && not != "" {
			continue
		}
		if i < 32 {
			if slices.ContainsFunc(out, func(o T) bool { return key(o) == k }) {
				continue
			}
			out = append(out, v)
			continue
		}
		return dedupeMany(append(out, in[i:]...), key, not)
	}
	if len(out) == 0 {
		return nil
	}
	return slices.Clip(out)
}

func dedupeMany[T any](in []T, key func(T) string, not string) []T {
	seen := map[string]bool{"": true}
	if not != "" {
		seen[not] = true
	}
	out := in[:0]
	for _, v := range in {
		if k := key(v); !seen[k] {
			seen[k] = true
			out = append(out, v)
		}
	}
	return slices.Clip(out)
}

// tidy cleans an entry: white space, controls, lengths, doubles, and the country of a person, which only an address gives.
func (b *builder) tidy(e *Entry) {
	e.ID, e.Name = strings.Clone(clip(clean(e.ID), 200)), b.name(e.Name)
	e.List, e.Means, e.URL = b.shared(e.List, maxText), b.shared(e.Means, maxNote), b.shared(webAddress(e.URL), maxText)
	e.Listed, e.Changed = b.shared(e.Listed, 10), b.shared(e.Changed, 10)
	e.Note = strings.Clone(clip(clean(e.Note), maxNote))
	for i := range e.Aliases {
		e.Aliases[i].Name = b.name(e.Aliases[i].Name)
		e.Aliases[i].Kind = b.shared(e.Aliases[i].Kind, 100)
	}
	e.Aliases = dedupe(e.Aliases, func(a Alias) string { return a.Name }, e.Name)
	e.Aliases = e.Aliases[:min(len(e.Aliases), maxAliases)]
	for i, c := range e.Countries {
		e.Countries[i] = b.country(c)
	}
	e.Countries = dedupe(e.Countries, same, "")
	e.Programmes, e.Births = b.sharedAll(e.Programmes), b.sharedAll(e.Births)
	for i, a := range e.Addresses {
		e.Addresses[i] = strings.Clone(clip(clean(a), maxText))
	}
	e.Addresses = dedupe(e.Addresses, same, "")
	for i, d := range e.Identifiers {
		e.Identifiers[i] = Identifier{Kind: d.Kind, Value: strings.Clone(clip(clean(d.Value), 200))}
		if c := b.country(d.Country); len(c) == 2 {
			e.Identifiers[i].Country = c
		}
		if e.Identifiers[i].Value == "" {
			e.Identifiers[i].Kind = ""
		}
	}
	e.Identifiers = dedupe(e.Identifiers, func(d Identifier) string {
		if d.Kind == "" {
			return ""
		}
		return identifierKey(d)
	}, "")
}

// Tidy puts an entry that came by another way than a file of a list into the form that those have: without controls,
// bounded, its countries as codes, its address of more to read one of the web. It tells whether the entry has a name.
func Tidy(e *Entry) bool {
	newBuilder(&source{}, ReadOptions{}).tidy(e)
	e.Births = e.Births[:min(len(e.Births), maxAliases)]
	e.Addresses = e.Addresses[:min(len(e.Addresses), maxAliases)]
	e.Programmes = e.Programmes[:min(len(e.Programmes), maxAliases)]
	e.Identifiers = e.Identifiers[:min(len(e.Identifiers), maxAliases)]
	e.Countries = e.Countries[:min(len(e.Countries), maxAliases)]
	return e.Name != ""
}

// sharedAll cleans texts that many entries share.
func (b *builder) sharedAll(in []string) []string {
	for i, s := range in {
		in[i] = b.shared(s, maxText)
	}
	return dedupe(in, same, "")
}

// country is [Country], which is looked up once for each way of writing it.
func (b *builder) country(s string) string {
	if code, ok := b.codes[s]; ok {
		return code
	}
	code := strings.Clone(clip(Country(s), maxText))
	if len(b.codes) < 10_000 && len(s) < 200 {
		b.codes[strings.Clone(s)] = code
	}
	return code
}

// shared cleans a text and keeps equal ones once.
func (b *builder) shared(s string, most int) string {
	if s == "" {
		return ""
	}
	if known, ok := b.texts[s]; ok {
		return known
	}
	out := strings.Clone(clip(clean(s), most))
	if len(b.texts) < 200_000 && len(s) <= 4*maxNote {
		b.texts[strings.Clone(s)] = out
	}
	return out
}

// name cleans a name, and cuts one that is longer than any party's.
func (b *builder) name(s string) string {
	s = clean(s)
	if len(s) > maxName {
		if cut := clipRunes(s, maxName); cut != s {
			b.clipped++
			s = strings.TrimSpace(cut)
		}
	}
	return strings.Clone(s)
}

// list is what was gathered.
func (b *builder) list() (*List, error) {
	if b.parties.n == 0 {
		return nil, b.s.fail(0, "no entry in the list"+b.why(), "a list with parties; an empty one would find nobody")
	}
	if err := b.readable(); err != nil {
		return nil, err
	}
	b.byID, b.texts, b.codes = nil, nil, nil // the slice below takes their place
	l := &List{Meta: b.meta, Parties: b.parties.all()}
	l.Notes = b.notes
	for _, why := range b.order {
		k := b.skipped[why]
		text, noticed := strings.CutPrefix(why, "\x00")
		switch {
		case noticed:
			l.Notes = append(l.Notes, fmt.Sprintf("%d times: %s (first at %s)", k.n, text, b.where(k.line)))
		default:
			l.Notes = append(l.Notes, fmt.Sprintf("%d skipped: %s (first at %s)", k.n, text, b.where(k.line)))
		}
	}
	if b.clipped > 0 {
		l.Notes = append(l.Notes, fmt.Sprintf("%d names of more than %d characters were cut to that", b.clipped, maxName))
	}
	l.Entries = len(l.Parties)
	for i := range l.Parties {
		l.Names += 1 + len(l.Parties[i].Aliases)
	}
	return l, nil
}

func (b *builder) where(line int) string {
	if line > 0 {
		return fmt.Sprintf("line %d", line)
	}
	return "a record without a line"
}

func (b *builder) why() string {
	for _, w := range b.order {
		if !strings.HasPrefix(w, "\x00") {
			return fmt.Sprintf(" (%d skipped: %s)", b.skipped[w].n, w)
		}
	}
	return ""
}

// readable refuses a list most of whose names are no names: a column of numbers was taken for that of names.
func (b *builder) readable() error {
	bad := 0
	for i := range b.parties.n {
		if !strings.ContainsFunc(b.parties.at(i).Name, unicode.IsLetter) {
			bad++
		}
	}
	if bad*2 > b.parties.n {
		return polder.Errorf(polder.Invalid, "%s: %d of %d names have no letter, such as %q; check which column holds the names", b.s.name, bad, b.parties.n, clip(b.parties.at(0).Name, 40))
	}
	return nil
}

// contentID is the id of an entry that has none: the same as long as its names, type and countries are.
func contentID(e *Entry) string {
	h := sha256.New()
	fmt.Fprintf(h, "%s\x00%s\x00%d\x00%s\x00%s\x00", e.List, e.Name, e.Type, strings.Join(e.Countries, "\x01"), strings.Join(e.Births, "\x01"))
	for _, d := range e.Identifiers {
		fmt.Fprintf(h, "%s\x01%s\x00", d.Kind, d.Value)
	}
	return "x" + hex.EncodeToString(h.Sum(nil)[:8])
}

// clean is a text on one line: valid UTF-8, single spaces, without controls.
func clean(s string) string {
	if tidy(s) {
		return s
	}
	var out strings.Builder
	space := false
	for _, r := range s {
		switch {
		case unicode.IsSpace(r) || unicode.IsControl(r):
			space = out.Len() > 0
			continue
		case space:
			out.WriteByte(' ')
			space = false
		}
		out.WriteRune(r)
	}
	return out.String()
}

// tidy tells whether [clean] would leave a text as it is; it looks at ASCII only.
func tidy(s string) bool {
	if s == "" {
		return true
	}
	before := byte(' ')
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c < ' ' || c >= 0x7f || c == ' ' && before == ' ' {
			return false
		}
		before = c
	}
	return before != ' '
}

// clip cuts a text to so many bytes, between characters.
func clip(s string, most int) string {
	if len(s) <= most {
		return s
	}
	for most > 0 && !utf8.RuneStart(s[most]) {
		most--
	}
	return strings.TrimSpace(s[:most])
}

// clipRunes cuts a text to so many characters.
func clipRunes(s string, most int) string {
	n := 0
	for i := range s {
		if n == most {
			return s[:i]
		}
		n++
	}
	return s
}

// webAddress is a text when it is an http or https address, else "".
func webAddress(s string) string {
	s = strings.TrimSpace(s)
	lower := strings.ToLower(s[:min(len(s), 8)])
	if !strings.HasPrefix(lower, "http://") && !strings.HasPrefix(lower, "https://") || strings.ContainsAny(s, " \t\r\n\"<>\\") {
		return ""
	}
	return s
}
