package stix

import (
	"slices"
)

// The meta objects of STIX 2.1, part 7: marking definitions, language contents and extension definitions.

var metaObjects = map[string]*spec{
	"marking-definition": markingSpec(),
	"language-content": meta([]string{"lang"}, sdo("object_ref contents", props{
		"object_ref": identifierNot("bundle", "language-content"), "object_modified": timestamp, "contents": contents,
	})),
	"extension-definition": meta([]string{"confidence", "lang", "extensions"}, sdo("created_by_ref name schema version extension_types", props{
		"name": text, "description": text, "schema": text, "version": text, "extension_types": list(enum(extensionTypes...)),
		"extension_properties": list(textWith(func(s string) string {
			if !validProperty(s) {
				return "is not the name of a property; write 3 to 250 of a-z, 0-9 and _, a letter first"
			}
			return ""
		})),
	}, topLevelProperties)),
}

// meta is the spec of a meta object, which lacks some of the common properties.
func meta(lacks []string, s *spec) *spec {
	s.class = metaObject
	for _, name := range lacks {
		s.shape.props[name] = forbidden("is not a property of this type; leave it out")
	}
	return s
}

// markingSpec is that of a marking-definition, which has no versions.
func markingSpec() *spec {
	p := versioned()
	for _, name := range []string{"modified", "revoked", "labels", "confidence", "lang"} {
		p[name] = forbidden("is not a property of a marking-definition, which has no versions; leave it out")
	}
	p["name"], p["definition_type"], p["definition"] = text, text, wantObject
	need := []string{"spec_version", "id", "created"}
	return &spec{class: metaObject, shape: shape{p, need, []rule{ownID, selectors, markingContent, noOwnMark, knownMarking}}}
}

func wantObject(c *checker, n int32) { c.isObject(n) }

// markingContent asks for what is marked: a definition with its type, or an extension.
func markingContent(c *checker, n int32) {
	def := c.d.get(n, "definition")
	switch {
	case !c.d.has(n, "extensions"):
		for _, name := range []string{"definition_type", "definition"} {
			if !c.d.has(n, name) {
				c.failAt(n, name, "is required in a marking-definition without extensions")
			}
		}
	default:
		needs("definition", "definition_type")(c, n)
		needs("definition_type", "definition")(c, n)
	}
	if c.d.textOf(n, "definition_type") == "statement" && c.d.kind(def) == '{' && c.d.kind(c.d.get(def, "statement")) != '"' {
		c.failAt(n, "definition", "must hold a statement, a string")
	}
}

// noOwnMark refuses a marking-definition that is marked with itself.
func noOwnMark(c *checker, n int32) {
	if slices.Contains(foldIDs(c.d.strings(c.d.get(n, "object_marking_refs"))), foldID(c.d.textOf(n, "id"))) {
		c.failAt(n, "object_marking_refs", "names the marking-definition itself; leave it out")
	}
}

// topLevelProperties allows extension_properties only where the extension adds properties to the top of objects.
func topLevelProperties(c *checker, n int32) {
	if c.d.has(n, "extension_properties") && !slices.Contains(c.d.strings(c.d.get(n, "extension_types")), "toplevel-property-extension") {
		c.failAt(n, "extension_properties", "is only for extension_types with toplevel-property-extension")
	}
}

// contents is the translation of an object: by language, by property.
func contents(c *checker, n int32) {
	if !c.isObject(n) {
		return
	}
	for lang, v := range c.d.members(n) {
		back := c.enter(lang)
		if why := wrongLanguage(lang); why != "" {
			c.fail(v, why)
		}
		if c.isObject(v) {
			for name, t := range c.d.members(v) {
				inside := c.enter(name)
				translation(c, t)
				c.path = c.path[:inside]
			}
		}
		c.path = c.path[:back]
	}
}

// translation mirrors the property that it translates: a string, or a list or an object of them.
func translation(c *checker, n int32) {
	switch c.d.kind(n) {
	case '"', '{', '[':
		anything(c, n)
	default:
		c.fail(n, "must be a string, a list or an object, as the property that it translates")
	}
}
