package misp

import (
	"strconv"
	"strings"
	"time"

	"github.com/polder-exchange/polder/stix"
)

// textTypes are attribute types that say something to people: a note is what they are, not a makeshift.
var textTypes = map[string]bool{"text": true, "comment": true, "link": true, "other": true, "email-body": true, "campaign-name": true,
	"threat-actor": true, "attachment": true, "float": true, "counter": true, "datetime": true, "boolean": true, "size-in-bytes": true,
	"mime-type": true, "port": true, "github-username": true, "hex": true, "phone-number": true, "target-org": true, "target-user": true}

// attribute turns one attribute and returns the id of the object that stands for it; "" when there is none.
func (c *converter) attribute(path string, a *attribute) string {
	uuid := readUUID(a.UUID)
	switch {
	case a.Deleted.yes():
		c.b.skip(path, "it is deleted")
		return ""
	case uuid == "":
		c.b.skip(path, "it has no sound UUID")
		return ""
	case strings.TrimSpace(string(a.Value)) == "":
		c.b.skip(path, "it has no value")
		return ""
	case ownOnly(a.Distribution):
		c.b.skip(path, "its distribution is the own organisation only")
		return ""
	case a.Data != "":
		c.b.skip(path, "the file itself is not carried, what is known of it is")
	}
	marked := c.readMarks(path, a.Tags, c.marks)
	id := c.attributeObject(path, uuid, a, marked)
	if id == "" {
		return ""
	}
	c.ids[uuid] = id
	c.galaxies(path, a.Galaxies, id, marked)
	c.sightings(path, a, id, marked)
	return id
}

// attributeObject chooses what stands for an attribute.
func (c *converter) attributeObject(path, uuid string, a *attribute, marked marks) string {
	typ, value := string(a.Type), string(a.Value)
	if typ == "vulnerability" {
		return c.vulnerability(path, uuid, a, marked)
	}
	pattern, language, err := patternOf(typ, value)
	if a.ToIDs.yes() && err == nil && pattern != "" {
		return c.indicator(path, uuid, a, marked, pattern, language)
	}
	observables, errObserve := observablesOf(typ, value)
	if !a.ToIDs.yes() && err == nil && errObserve == nil && len(observables) > 0 {
		return c.observed(path, uuid, a, marked, observables)
	}
	switch {
	case err != nil:
		c.b.skip(path, "kept as a note: %v", err)
	case errObserve != nil:
		c.b.skip(path, "kept as a note: %v", errObserve)
	case !textTypes[typ]:
		c.b.skip(path, "kept as a note: the type %.60q has no counterpart in STIX", typ)
	}
	return c.note(path, uuid, a, marked)
}

// labels are what STIX has no property for.
func (a *attribute) labels(marked marks) []string {
	toIDs := "false"
	if a.ToIDs.yes() {
		toIDs = "true"
	}
	return compact(append([]string{label(keyType, string(a.Type)), label(keyCategory, string(a.Category)), label(keyToIDs, toIDs),
		label(keyRelation, string(a.Relation)), label(keyFirstSeen, string(a.FirstSeen)), label(keyLastSeen, string(a.LastSeen))}, marked.tags...))
}

// since is from when an attribute holds: when it was first seen, else when it was written.
func (c *converter) since(a *attribute) time.Time {
	for _, t := range []time.Time{a.FirstSeen.time(), a.Timestamp.time()} {
		if !t.IsZero() {
			return t
		}
	}
	return c.created
}

func (c *converter) indicator(path, uuid string, a *attribute, marked marks, pattern, language string) string {
	return c.make(path, "indicator", uuid, a.Timestamp.time(), marked, func(m *stix.Members) {
		m.Set("name", indicatorName(a))
		m.Set("description", string(a.Comment))
		m.Set("pattern", pattern)
		m.Set("pattern_type", language)
		m.Set("valid_from", c.since(a))
		m.Set("labels", a.labels(marked))
	})
}

// indicatorName is the value, cut short, or for a rule its first line.
func indicatorName(a *attribute) string {
	line, _, _ := strings.Cut(strings.TrimSpace(string(a.Value)), "\n")
	if r := []rune(line); len(r) > 150 {
		line = string(r[:150]) + "…"
	}
	return line
}

func (c *converter) observed(path, uuid string, a *attribute, marked marks, observables []stix.Object) string {
	var refs []string
	for _, o := range observables {
		if marked.tlp != stix.None {
			o, _ = o.WithMarking(marked.tlp)
		}
		c.b.add(o)
		refs = append(refs, o.ID)
	}
	first := c.since(a)
	last := a.LastSeen.time()
	if last.Before(first) {
		last = first
	}
	id := c.make(path, "observed-data", uuid, a.Timestamp.time(), marked, func(m *stix.Members) {
		m.Set("first_observed", first)
		m.Set("last_observed", last)
		m.Set("number_observed", 1)
		m.Set("object_refs", compact(refs))
		m.Set("x_misp_comment", string(a.Comment))
		m.Set("labels", a.labels(marked))
	})
	if id != "" {
		c.refs = append(c.refs, refs...)
	}
	return id
}

func (c *converter) vulnerability(path, uuid string, a *attribute, marked marks) string {
	return c.make(path, "vulnerability", uuid, a.Timestamp.time(), marked, func(m *stix.Members) {
		m.Set("name", string(a.Value))
		m.Set("description", string(a.Comment))
		m.Set("labels", a.labels(marked))
		if id := strings.ToUpper(strings.TrimSpace(string(a.Value))); strings.HasPrefix(id, "CVE-") {
			m.Set("external_references", []func(*stix.Members){func(m *stix.Members) {
				m.Set("source_name", "cve")
				m.Set("external_id", id)
			}})
		}
	})
}

func (c *converter) note(path, uuid string, a *attribute, marked marks) string {
	return c.make(path, "note", uuid, a.Timestamp.time(), marked, func(m *stix.Members) {
		m.Set("abstract", "MISP "+orText(string(a.Type), "attribute"))
		m.Set("content", string(a.Value))
		m.Set("object_refs", []string{c.report})
		m.Set("x_misp_comment", string(a.Comment))
		m.Set("labels", a.labels(marked))
	})
}

// sightings turns what was seen into sightings and false positives into opinions. Who saw it is left out.
func (c *converter) sightings(path string, a *attribute, id string, marked marks) {
	for i, s := range a.Sightings {
		uuid := readUUID(s.UUID)
		if uuid == "" {
			uuid = uuid5("sighting", id, string(s.Date), string(s.Type), strconv.Itoa(i))
		}
		at := s.Date.time()
		switch s.Type {
		case "", "0":
			c.make(path+".Sighting", "sighting", uuid, at, marked, func(m *stix.Members) {
				m.Set("sighting_of_ref", id)
				m.Set("first_seen", at)
				m.Set("last_seen", at)
				m.Set("count", 1)
			})
		case "1":
			c.make(path+".Sighting", "opinion", uuid, at, marked, func(m *stix.Members) {
				m.Set("opinion", "strongly-disagree")
				m.Set("explanation", "false positive")
				m.Set("object_refs", []string{id})
			})
		default:
			c.b.skip(path+".Sighting", "the type %.20q of a sighting has no counterpart in STIX", string(s.Type))
		}
	}
}
