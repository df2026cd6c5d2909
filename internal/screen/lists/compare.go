package lists

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"hash"
	"slices"
)

// Difference is what changed from one version of a list to another. The entries are those of the lists compared.
type Difference struct {
	Added   []*Entry
	Removed []*Entry
	Changed []Change
}

// Change is an entry that both versions have and that is not the same in both.
type Change struct {
	Old, New *Entry
	What     []string // which parts changed, in plain English: "name", "aliases", …
}

// Empty tells whether nothing changed that matters.
func (d Difference) Empty() bool { return len(d.Added)+len(d.Removed)+len(d.Changed) == 0 }

// Compare finds what changed from old to new, in the order of new (of old for what was removed). Entries are the same
// when their ids are. Old may be nil: then all is new. What [Fingerprint] leaves out is no change.
func Compare(old, new *List) Difference {
	var d Difference
	before := map[string]*Entry{}
	if old != nil {
		before = make(map[string]*Entry, len(old.Parties))
		for i := range old.Parties {
			before[old.Parties[i].ID] = &old.Parties[i]
		}
	}
	seen := make(map[string]bool, len(before))
	for i := range new.Parties {
		e := &new.Parties[i]
		o, ok := before[e.ID]
		if !ok {
			d.Added = append(d.Added, e)
			continue
		}
		seen[e.ID] = true
		if what := changes(o, e); len(what) > 0 {
			d.Changed = append(d.Changed, Change{Old: o, New: e, What: what})
		}
	}
	if old != nil {
		for i := range old.Parties {
			if e := &old.Parties[i]; !seen[e.ID] {
				d.Removed = append(d.Removed, e)
			}
		}
	}
	return d
}

// part is something of an entry that a decision may rest on.
type part struct {
	name string
	of   func(e *Entry) []string
}

// parts are what [Fingerprint] covers. Where to read more and when the list changed it decide nothing.
var parts = []part{
	{"list", func(e *Entry) []string { return []string{e.List} }},
	{"type", func(e *Entry) []string { return []string{e.Type.String()} }},
	{"name", func(e *Entry) []string { return []string{e.Name} }},
	{"aliases", func(e *Entry) []string {
		return sorted(e.Aliases, func(a Alias) string { return a.Name + "\x00" + a.Kind + "\x00" + weakWord(a.Weak) })
	}},
	{"countries", func(e *Entry) []string { return sorted(e.Countries, same) }},
	{"dates of birth", func(e *Entry) []string { return sorted(e.Births, same) }},
	{"identifiers", func(e *Entry) []string {
		return sorted(e.Identifiers, func(d Identifier) string { return d.Kind + "\x00" + d.Value + "\x00" + d.Country })
	}},
	{"addresses", func(e *Entry) []string { return sorted(e.Addresses, same) }},
	{"programmes", func(e *Entry) []string { return sorted(e.Programmes, same) }},
	{"what it forbids", func(e *Entry) []string { return []string{e.Means} }},
	{"remarks", func(e *Entry) []string { return []string{e.Note} }},
}

func same(s string) string { return s }

func weakWord(weak bool) string {
	if weak {
		return "weak"
	}
	return ""
}

// sorted are the keys of values in order, each once: the order in which a list writes them says nothing.
func sorted[T any](in []T, key func(T) string) []string {
	out := make([]string, len(in))
	for i, v := range in {
		out[i] = key(v)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// changes are the names of the parts in which two entries differ.
func changes(a, b *Entry) []string {
	var out []string
	for _, p := range parts {
		if !slices.Equal(p.of(a), p.of(b)) {
			out = append(out, p.name)
		}
	}
	return out
}

// Fingerprint is a short text that stays the same as long as nothing of an entry changes that a decision may rest on:
// its names, type, dates of birth, countries, addresses, identifiers, programmes, measures and remarks, in any order. The
// id, the dates of listing and change, and the address to read more do not count.
func Fingerprint(e *Entry) string {
	h := sha256.New()
	for _, p := range parts {
		values := p.of(e)
		count(h, len(values))
		for _, v := range values {
			count(h, len(v))
			h.Write([]byte(v))
		}
	}
	return hex.EncodeToString(h.Sum(nil)[:16])
}

func count(h hash.Hash, n int) {
	var b [8]byte
	binary.LittleEndian.PutUint64(b[:], uint64(n))
	h.Write(b[:])
}
