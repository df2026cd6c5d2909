package stix

import "strings"

// This file guards the marking definitions that everybody must read alike: those of TLP and PAP.

// A standardMarking is what the standard's definition under a known id says: for each of its properties the canonical
// JSON, timestamps as instants; "" where any value will do.
type standardMarking struct {
	label string
	props map[string]string
	needs string // the property that carries the mark
}

var standardMarkings = standardDefinitions()

func standardDefinitions() map[string]standardMarking {
	all := make(map[string]standardMarking)
	for m := Clear; m <= Red; m++ {
		all[m.ID()] = extendedMarking("tlp", m.Label(), extensionTLP, "tlp_2_0", `"2022-10-01T00:00:00Z"`)
	}
	for id, p := range papDefinitions {
		all[id] = extendedMarking("pap", "PAP:"+strings.ToUpper(p.word), extensionPAP, "pap", "") // published with various dates
	}
	for id, m := range oldMarkings {
		word := strings.Replace(m.String(), "clear", "white", 1)
		all[id] = standardMarking{"TLP:" + strings.ToUpper(word) + " of TLP 1.0", map[string]string{
			"created": `"2017-01-20T00:00:00Z"`, "name": `"TLP:` + strings.ToUpper(word) + `"`,
			"definition_type": `"tlp"`, "definition": `{"tlp":"` + word + `"}`,
		}, "definition"}
	}
	return all
}

// extendedMarking is a definition that an extension carries.
func extendedMarking(scheme, label, extension, property, created string) standardMarking {
	word := strings.ToLower(label[len(scheme)+1:])
	return standardMarking{label, map[string]string{
		"created": created, "created_by_ref": "", "name": `"` + label + `"`,
		"extensions": `{"` + extension + `":{"extension_type":"property-extension","` + property + `":"` + word + `"}}`,
	}, "extensions"}
}

// knownMarking refuses a definition under a known id that differs from the standard's, and a TLP or PAP definition
// under an id of one's own: whoever took either would read marks otherwise than everybody else.
func knownMarking(c *checker, n int32) {
	id := foldID(c.d.textOf(n, "id"))
	std, known := standardMarkings[id]
	if !known {
		if claim, use := c.d.claimedMarking(n); claim != "" {
			c.failAt(n, "id", "is not the id of "+claim+", which this definition claims to be; use "+use)
		}
		return
	}
	if !c.d.has(n, std.needs) {
		c.failAt(n, std.needs, "is required, as in the standard's definition of "+std.label)
	}
	w := canon{doc: c.d, instants: true}
	for name, v := range c.d.members(n) {
		if name == "type" || name == "spec_version" || name == "id" {
			continue
		}
		want, has := std.props[name]
		w.buf = w.buf[:0]
		w.value(v)
		switch {
		case !has:
			c.failAt(n, name, "is not in the standard's definition of "+std.label+", whose id this is; leave it out")
		case want != "" && string(w.buf) != want:
			c.failAt(n, name, "differs from the standard's definition of "+std.label+", whose id this is; it must be "+want)
		}
	}
}

// claimedMarking is the TLP or PAP level that a definition claims to be, by its type, an extension or its name, and
// the id to use for it; "" when it claims none.
func (d *document) claimedMarking(n int32) (claim, use string) {
	scheme, word := "", ""
	extended := d.get(n, "extensions")
	typ := strings.ToLower(d.textOf(n, "definition_type"))
	name := strings.ToLower(strings.TrimSpace(d.textOf(n, "name")))
	switch {
	case d.has(extended, extensionTLP):
		scheme, word = "tlp", d.textOf(d.get(extended, extensionTLP), "tlp_2_0")
	case d.has(extended, extensionPAP):
		scheme, word = "pap", d.textOf(d.get(extended, extensionPAP), "pap")
	case typ == "tlp" || typ == "pap":
		scheme, word = typ, d.textOf(d.get(n, "definition"), typ)
	case strings.HasPrefix(name, "tlp:") || strings.HasPrefix(name, "pap:"):
		scheme, word = name[:3], name[4:]
	default:
		return "", ""
	}
	claim = strings.ToUpper(scheme) + ":" + strings.ToUpper(shorten(word))
	if m, err := ParseMarking(word); scheme == "tlp" && err == nil {
		return claim, m.ID()
	}
	if p, err := ParsePAP(word); scheme == "pap" && err == nil {
		return claim, p.ID()
	}
	return claim, "one of the definitions that OASIS publishes"
}

// IsStandardMarking tells whether id is that of a marking definition of the standard, TLP or PAP, which is the same
// wherever it stands.
func IsStandardMarking(id string) bool {
	_, ok := standardMarkings[foldID(id)]
	return ok
}
