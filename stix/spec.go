package stix

import (
	"maps"
	"slices"
	"strings"
)

// A class is what an object is in the standard's order of things.
type class uint8

const (
	domainObject   class = iota // SDO
	relationObject              // SRO
	observable                  // SCO
	metaObject                  // marking-definition, extension-definition, language-content
)

// A spec is what the standard asks of one type.
type spec struct {
	class class
	shape shape
	ids   []string // the properties that make up an observable's version-5 id
}

// specs is the table of all types of the standard; its parts are in spec_sdo.go, spec_sro.go, spec_sco.go and spec_meta.go.
var specs = gather(domainObjects, relationObjects, observables, metaObjects)

func gather(parts ...map[string]*spec) map[string]*spec {
	all := make(map[string]*spec)
	for _, p := range parts {
		maps.Copy(all, p)
	}
	return all
}

// Properties that objects of all classes have.
func shared() props {
	return props{
		"type":                text, // it has chosen this spec
		"spec_version":        specVersion,
		"id":                  text, // ownID checks it
		"object_marking_refs": list(identifier("marking-definition")),
		"granular_markings":   list(object(granularMarking)),
		"extensions":          extensions(nil),
		"severity":            reserved,
		"action":              reserved,
		"username":            reserved,
		"phone_numbers":       reserved,
	}
}

var reserved = forbidden("is a name that STIX keeps for itself; choose another, such as one that begins with x_")

// versioned adds the properties of objects that have a creator and versions.
func versioned() props {
	p := shared()
	maps.Copy(p, props{
		"created_by_ref":      identifier("identity"),
		"created":             toTheMillisecond,
		"modified":            toTheMillisecond,
		"defanged":            forbidden("is a property of observables only; leave it out"),
		"revoked":             boolean,
		"labels":              texts,
		"confidence":          between(0, 100),
		"lang":                language,
		"external_references": list(object(externalReference)),
	})
	return p
}

var versionedRequired = []string{"spec_version", "id", "created", "modified"}

func join(required string, rules []rule, general []string, first ...rule) ([]string, []rule) {
	return append(slices.Clone(general), strings.Fields(required)...), append(first, rules...)
}

// sdo is the spec of a domain object: its own properties, those required (space-separated), and its rules.
func sdo(required string, own props, rules ...rule) *spec {
	p := versioned()
	maps.Copy(p, own)
	need, all := join(required, rules, versionedRequired, ownID, notBefore("created", "modified"), selectors)
	return &spec{class: domainObject, shape: shape{p, need, all}}
}

func sro(required string, own props, rules ...rule) *spec {
	s := sdo(required, own, rules...)
	s.class = relationObject
	return s
}

// sco is the spec of an observable. Its ids are the properties of which its version-5 id is made (space-separated).
func sco(required, ids string, own props, rules ...rule) *spec {
	p := shared()
	p["defanged"] = boolean
	for _, name := range []string{"created_by_ref", "created", "modified", "revoked", "labels", "confidence", "lang", "external_references"} {
		p[name] = notOnObservables
	}
	maps.Copy(p, own)
	need, all := join(required, rules, []string{"id"}, ownID, selectors, deterministicID)
	return &spec{class: observable, shape: shape{p, need, all}, ids: strings.Fields(ids)}
}

// notOnObservables refuses a common property that observables lack. Those of STIX 2.0 had some of the names for times.
func notOnObservables(c *checker, n int32) {
	if !c.nested {
		c.fail(n, "is not a property of observables; leave it out")
	}
}

var (
	customDomain     = sdo("", nil)
	customObservable = sco("", "", nil)
)

func customSpec(k class) *spec {
	if k == observable {
		return customObservable
	}
	return customDomain
}

func specVersion(c *checker, n int32) {
	switch {
	case c.d.kind(n) == '"' && c.d.string(n) == "2.1":
	case c.d.kind(n) == '"' && c.d.string(n) == "2.0":
		c.fail(n, `is "2.0"; this is STIX 2.1: upgrade the object and write "2.1"`)
	default:
		c.fail(n, `must be "2.1"`)
	}
}

// ownID checks that the object's id is an identifier of its type.
func ownID(c *checker, n int32) {
	v := c.d.get(n, "id")
	if v < 0 || c.nested {
		return
	}
	id := ""
	if c.d.kind(v) == '"' {
		id = c.d.string(v)
	}
	switch typ := TypeOf(id); {
	case c.d.kind(v) != '"': // reported as no string
	case typ == "":
		c.failAt(n, "id", wrongID(id))
	case typ != c.typ:
		c.failAt(n, "id", "is that of "+typ+"; must begin with "+c.typ+"--")
	}
}

var externalReference = shape{
	props: props{
		"source_name": text, "description": text, "url": web, "hashes": hashes, "external_id": text,
	},
	required: []string{"source_name"},
	rules:    []rule{atLeastOne("description", "url", "external_id"), wellKnownSource},
}

// wellKnownSource checks the form of identifiers of CVE and CAPEC.
func wellKnownSource(c *checker, n int32) {
	source, id := c.d.textOf(n, "source_name"), c.d.textOf(n, "external_id")
	switch {
	case source == "cve" && !validCVE(id):
		c.failAt(n, "external_id", "must be a CVE identifier, such as CVE-2024-12345")
	case source == "capec" && !numbered(id, "CAPEC-", 1):
		c.failAt(n, "external_id", "must be a CAPEC identifier, such as CAPEC-163")
	}
}

func validCVE(s string) bool {
	return len(s) > 9 && s[8] == '-' && numbered(s[:8], "CVE-", 4) && numbered(s, s[:9], 4)
}

func numbered(s, prefix string, atLeast int) bool {
	rest, found := strings.CutPrefix(s, prefix)
	_, ok := digits(rest)
	return found && ok && len(rest) >= atLeast
}

var killChainPhase = shape{
	props:    props{"kill_chain_name": text, "phase_name": text},
	required: []string{"kill_chain_name", "phase_name"},
}

var killChainPhases = list(object(killChainPhase))
