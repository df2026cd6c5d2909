package misp

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/polder-exchange/polder/stix"
)

// Options say how events become STIX objects.
type Options struct {
	Creator string           // identity id that goes into created_by_ref; empty: none
	Default stix.Marking     // for what no TLP tag marks; None: it stays unmarked
	NameOrg bool             // also make an identity of the organisation that created the event
	Now     func() time.Time // for what has no time of its own; nil: the clock
	Limits  Limits
}

// Skipped is a piece that could not be carried as what it is, and why.
type Skipped struct {
	Path   string // such as Event[0].Attribute[3]
	Reason string
}

// Result is what events became. Every object has passed the checks of stix.
type Result struct {
	Objects []json.RawMessage
	Skipped []Skipped
}

// ToSTIX makes STIX objects of a MISP event, of a response with many, or of a list. The error is for input that is no
// MISP event or is beyond the limits; what a sound event holds that cannot be carried is in Skipped.
func ToSTIX(raw []byte, o Options) (Result, error) {
	o.Limits = o.Limits.withDefaults()
	if o.Now == nil {
		o.Now = time.Now
	}
	events, err := readEvents(raw, o.Limits)
	if err != nil {
		return Result{}, err
	}
	var b bundle
	for i := range events {
		c := converter{o: o, b: &b, e: &events[i], path: fmt.Sprintf("Event[%d]", i)}
		c.event()
	}
	return Result{Objects: b.raw(), Skipped: b.skipped}, nil
}

// bundle gathers objects, each id once.
type bundle struct {
	objects []stix.Object
	at      map[string]int
	skipped []Skipped
}

func (b *bundle) skip(path, format string, args ...any) {
	b.skipped = append(b.skipped, Skipped{path, fmt.Sprintf(format, args...)})
}

// add takes an object. An observable that is there already keeps the stricter marking; of another object the first
// stays.
func (b *bundle) add(o stix.Object) bool {
	if b.at == nil {
		b.at = map[string]int{}
	}
	i, ok := b.at[o.ID]
	if !ok {
		b.at[o.ID] = len(b.objects)
		b.objects = append(b.objects, o)
		return true
	}
	if !o.IsObservable() {
		return false
	}
	have, errHave := b.objects[i].Level()
	got, errGot := o.Level()
	if errHave == nil && errGot == nil && got > have {
		b.objects[i] = o
	}
	return true
}

// level is the marking of an object in the bundle.
func (b *bundle) level(id string) stix.Marking {
	i, ok := b.at[id]
	if !ok {
		return stix.None
	}
	level, _ := b.objects[i].Level() // sound: the object was made here
	return level
}

func (b *bundle) raw() []json.RawMessage {
	out := make([]json.RawMessage, len(b.objects))
	for i, o := range b.objects {
		out[i] = o.Raw()
	}
	return out
}

// converter turns one event.
type converter struct {
	o       Options
	b       *bundle
	e       *event
	path    string
	report  string            // id of the report
	refs    []string          // what the report refers to
	ids     map[string]string // STIX id by MISP UUID
	created time.Time         // of everything in the event
	marks   marks             // of the event
}

// marks are the TLP and PAP of something, and its other tags.
type marks struct {
	tlp  stix.Marking
	pap  stix.PAP
	tags []string
}

// readMarks sorts tags. Of two TLP tags the stricter counts, and that is told.
func (c *converter) readMarks(path string, tags []tag, above marks) marks {
	m := marks{tlp: above.tlp, pap: above.pap}
	var tlp stix.Marking
	for _, t := range tags {
		name := strings.TrimSpace(string(t.Name))
		lower := strings.ToLower(name)
		switch {
		case name == "":
		case strings.HasPrefix(lower, "tlp:"):
			level, err := stix.ParseMarking(name)
			if err != nil {
				c.b.skip(path, "the tag %.60q is no TLP level; it marks nothing", name)
				continue
			}
			if tlp != stix.None && tlp != level {
				c.b.skip(path, "two TLP tags, %s and %s; the stricter counts", tlp.Label(), level.Label())
			}
			tlp = max(tlp, level)
		case strings.HasPrefix(lower, "pap:"):
			level, err := stix.ParsePAP(name)
			if err != nil {
				c.b.skip(path, "the tag %.60q is no PAP level; it marks nothing", name)
				continue
			}
			m.pap = max(m.pap, level)
		case strings.HasPrefix(lower, "misp-galaxy:"):
			// The galaxy beside it says the same with more.
		default:
			if _, _, own := readLabel(name); own {
				c.b.skip(path, "the tag %.60q is reserved", name)
				continue
			}
			m.tags = append(m.tags, name)
		}
	}
	m.tlp = max(m.tlp, tlp)
	return m
}

// refs of the markings of TLP and PAP.
func (m marks) refs() []string {
	return compact([]string{m.tlp.ID(), m.pap.ID()})
}

// times sets created, which all versions of an event's objects share, and modified.
func (c *converter) times(m *stix.Members, modified time.Time) {
	created := c.created
	if modified.IsZero() {
		modified = created
	}
	if modified.Before(created) {
		created = modified
	}
	m.Set("created", created)
	m.Set("modified", modified)
}

// make makes an object with an id that follows from MISP, and returns the id; "" when it could not be made.
func (c *converter) make(path, typ, uuid string, modified time.Time, marked marks, set func(*stix.Members)) string {
	o, err := stix.Make(typ, func(m *stix.Members) {
		m.Set("id", typ+"--"+uuid)
		m.Set("created_by_ref", c.o.Creator)
		c.times(m, modified)
		m.Set("object_marking_refs", marked.refs())
		set(m)
	})
	if err != nil {
		c.b.skip(path, "%v", err)
		return ""
	}
	if !c.b.add(o) {
		c.b.skip(path, "the UUID %s is used twice", uuid)
		return ""
	}
	c.refs = append(c.refs, o.ID)
	return o.ID
}

// event turns the event; the report, which refers to all others, comes last.
func (c *converter) event() {
	uuid := readUUID(c.e.UUID)
	if uuid == "" {
		c.b.skip(c.path, "the event has no sound UUID, so nothing of it could be told apart from another")
		return
	}
	c.report, c.ids = "report--"+uuid, map[string]string{}
	modified := c.e.Timestamp.time()
	if c.created = c.e.Date.time(); c.created.IsZero() {
		c.created = modified
	}
	if c.created.IsZero() {
		c.created = c.o.Now().UTC().Truncate(time.Millisecond)
	}
	c.marks = c.readMarks(c.path, c.e.Tags, marks{})
	if c.marks.tlp == stix.None {
		c.marks.tlp = c.o.Default
	}
	for i := range c.e.Attributes {
		c.attribute(fmt.Sprintf("%s.Attribute[%d]", c.path, i), &c.e.Attributes[i])
	}
	for i := range c.e.Objects {
		c.object(fmt.Sprintf("%s.Object[%d]", c.path, i), &c.e.Objects[i])
	}
	for i := range c.e.Objects {
		c.references(fmt.Sprintf("%s.Object[%d]", c.path, i), &c.e.Objects[i])
	}
	c.galaxies(c.path, c.e.Galaxies, "", c.marks)
	for i, r := range c.e.Reports {
		c.eventReport(fmt.Sprintf("%s.EventReport[%d]", c.path, i), r)
	}
	if len(c.e.Proposals) > 2 {
		c.b.skip(c.path+".ShadowAttribute", "proposals are not part of an event")
	}
	c.organisation()
	if len(c.refs) == 0 {
		c.b.skip(c.path, "the event holds nothing that could be shared")
		return
	}
	c.makeReport(uuid, modified)
}

func (c *converter) organisation() {
	uuid := readUUID(c.e.Orgc.UUID)
	if !c.o.NameOrg || uuid == "" || c.e.Orgc.Name == "" {
		return
	}
	c.make(c.path+".Orgc", "identity", uuid, time.Time{}, c.marks, func(m *stix.Members) {
		m.Set("name", string(c.e.Orgc.Name))
		m.Set("identity_class", "organization")
	})
}

// makeReport leaves out what is marked stricter than the event: who may read the report only must not learn that the
// rest exists.
func (c *converter) makeReport(uuid string, modified time.Time) {
	published := c.e.Published.time()
	if published.IsZero() {
		published = modified
	}
	if published.IsZero() {
		published = c.created
	}
	refs := slices.DeleteFunc(compact(c.refs), func(id string) bool { return c.b.level(id) > c.marks.tlp })
	if len(refs) == 0 {
		c.b.skip(c.path, "all that the event holds is marked stricter than the event, so no report can name it")
		return
	}
	c.make(c.path, "report", uuid, modified, c.marks, func(m *stix.Members) {
		m.Set("name", orText(string(c.e.Info), "MISP event"))
		m.Set("report_types", []string{"threat-report"})
		m.Set("published", published)
		m.Set("object_refs", refs)
		m.Set("labels", compact(append([]string{label(keyThreatLevel, string(c.e.ThreatLevel)), label(keyAnalysis, string(c.e.Analysis)),
			label(keyDate, string(c.e.Date))}, c.marks.tags...)))
	})
}

func orText(s, other string) string {
	if strings.TrimSpace(s) == "" {
		return other
	}
	return s
}

func (c *converter) eventReport(path string, r eventReport) {
	uuid := readUUID(r.UUID)
	switch {
	case r.Deleted.yes():
		c.b.skip(path, "it is deleted")
		return
	case uuid == "":
		c.b.skip(path, "it has no sound UUID")
		return
	}
	c.make(path, "note", uuid, r.Timestamp.time(), c.marks, func(m *stix.Members) {
		m.Set("abstract", string(r.Name))
		m.Set("content", orText(string(r.Content), string(r.Name)))
		m.Set("object_refs", []string{c.report})
		m.Set("labels", []string{label(keyReport, "yes")})
	})
}

// object turns an object of MISP: its attributes each by itself, and a grouping around them.
func (c *converter) object(path string, o *object) {
	uuid := readUUID(o.UUID)
	switch {
	case o.Deleted.yes():
		c.b.skip(path, "it is deleted")
		return
	case uuid == "":
		c.b.skip(path, "it has no sound UUID")
		return
	case ownOnly(o.Distribution):
		c.b.skip(path, "its distribution is the own organisation only")
		return
	}
	var members []string
	for i := range o.Attributes {
		if id := c.attribute(fmt.Sprintf("%s.Attribute[%d]", path, i), &o.Attributes[i]); id != "" {
			members = append(members, id)
		}
	}
	if len(members) == 0 {
		c.b.skip(path, "it holds nothing that could be shared")
		return
	}
	c.ids[uuid] = c.make(path, "grouping", uuid, o.Timestamp.time(), c.strictest(members...), func(m *stix.Members) {
		m.Set("name", orText(string(o.Name), "object"))
		m.Set("description", string(o.Comment))
		m.Set("context", "unspecified")
		m.Set("object_refs", compact(members))
		m.Set("labels", compact([]string{label(keyName, orText(string(o.Name), "object")), label(keyMetaCategory, string(o.MetaCategory))}))
	})
}

// strictest are the marks of the event, raised to the strictest level of some objects: what names them tells of them.
func (c *converter) strictest(ids ...string) marks {
	m := c.marks
	for _, id := range ids {
		m.tlp = max(m.tlp, c.b.level(id))
	}
	return m
}

// ownOnly says whether a piece of an event is kept back: distribution 0 is "your organisation only". That of the event
// itself does not count: who shares an event has decided about it.
func ownOnly(distribution text) bool { return distribution == "0" }

// references turns the references of an object into relationships.
func (c *converter) references(path string, o *object) {
	source := c.ids[readUUID(o.UUID)]
	if source == "" {
		return
	}
	for i, r := range o.References {
		at := fmt.Sprintf("%s.ObjectReference[%d]", path, i)
		target := c.ids[readUUID(r.Referenced)]
		if r.Deleted.yes() {
			continue
		}
		if target == "" {
			c.b.skip(at, "it refers to %.40q, which is not among what is shared", string(r.Referenced))
			continue
		}
		uuid := readUUID(r.UUID)
		if uuid == "" {
			uuid = uuid5("reference", source, target, string(r.Type))
		}
		c.make(at, "relationship", uuid, r.Timestamp.time(), c.strictest(source, target), func(m *stix.Members) {
			m.Set("relationship_type", relationshipType(string(r.Type)))
			m.Set("source_ref", source)
			m.Set("target_ref", target)
			m.Set("description", string(r.Comment))
			m.Set("labels", []string{label(keyReference, orText(string(r.Type), "related-to"))})
		})
	}
}

// relationshipType is a type of relationship in the letters that STIX allows.
func relationshipType(s string) string {
	out := strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9':
			return r
		case r >= 'A' && r <= 'Z':
			return r + 'a' - 'A'
		}
		return '-'
	}, s)
	for strings.Contains(out, "--") {
		out = strings.ReplaceAll(out, "--", "-")
	}
	if out = strings.Trim(out, "-"); len(out) < 3 || len(out) > 100 {
		return "related-to"
	}
	return out
}
