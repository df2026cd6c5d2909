package misp

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/polder-exchange/polder/indicator"
	"github.com/polder-exchange/polder/stix"
)

// ExportOptions say how objects become an event.
type ExportOptions struct {
	Info   string           // title of the event when no report gives one
	Now    func() time.Time // for what has no time of its own; nil: the clock
	Limits Limits
}

// Export is an event and what could not go into it.
type Export struct {
	Event   []byte // {"Event": {…}}
	Skipped []Skipped
}

// FromSTIX makes one MISP event of STIX objects. A report gives it its UUID, title and tags; of several reports the first
// does, and the others become event reports. An object that is not sound is told in Skipped. The event is neither
// published nor distributed beyond the own organisation: that is the decision of who imports it.
func FromSTIX(objects []json.RawMessage, o ExportOptions) (Export, error) {
	o.Limits = o.Limits.withDefaults()
	if o.Now == nil {
		o.Now = time.Now
	}
	if len(objects) > o.Limits.Objects {
		return Export{}, fmt.Errorf("there are %d objects; at most %d become an event", len(objects), o.Limits.Objects)
	}
	x := exporter{o: o, byID: map[string]*loaded{}, attributes: map[string][]*outAttribute{}, object: map[string]*outObject{}}
	if err := x.load(objects); err != nil {
		return Export{}, err
	}
	x.begin()
	for _, l := range x.all {
		x.convert(l)
	}
	for _, l := range x.all {
		x.connect(l)
	}
	x.finish()
	raw, err := json.Marshal(map[string]*outEvent{"Event": &x.out})
	return Export{raw, x.skipped}, err
}

// loaded is one object with what is read of it.
type loaded struct {
	path  string
	o     stix.Object
	own   map[string]string // our labels
	tags  []string          // the others
	used  bool              // an attribute speaks for it
	props props
}

// props are the properties that an event has a place for.
type props struct {
	Labels        []string          `json:"labels"`
	Description   string            `json:"description"`
	Comment       string            `json:"x_misp_comment"`
	Content       string            `json:"content"`
	Abstract      string            `json:"abstract"`
	ValidFrom     string            `json:"valid_from"`
	Published     string            `json:"published"`
	SightingOf    string            `json:"sighting_of_ref"`
	LastSeen      string            `json:"last_seen"`
	Opinion       string            `json:"opinion"`
	Source        string            `json:"source_ref"`
	Target        string            `json:"target_ref"`
	Relation      string            `json:"relationship_type"`
	FirstObserved string            `json:"first_observed"`
	References    []json.RawMessage `json:"external_references"`
}

type exporter struct {
	o          ExportOptions
	all        []*loaded
	byID       map[string]*loaded
	report     *loaded
	tlp        stix.Marking // of the event
	out        outEvent
	attributes map[string][]*outAttribute // by STIX id
	object     map[string]*outObject
	skipped    []Skipped
}

func (x *exporter) skip(l *loaded, format string, args ...any) {
	x.skipped = append(x.skipped, Skipped{l.path, fmt.Sprintf(format, args...)})
}

// load reads the objects. Of two versions of one the newer counts.
func (x *exporter) load(objects []json.RawMessage) error {
	size := 0
	for i, raw := range objects {
		path := fmt.Sprintf("objects[%d]", i)
		if size += len(raw); size > x.o.Limits.Bytes {
			return fmt.Errorf("the objects have more than %d bytes", x.o.Limits.Bytes)
		}
		o, err := stix.Parse(raw)
		if err != nil {
			x.skipped = append(x.skipped, Skipped{path, err.Error()})
			continue
		}
		l := &loaded{path: path + " " + o.ID, o: o}
		if err := json.Unmarshal(raw, &l.props); err != nil {
			x.skip(l, "a property is not what the standard says: %s", explain(err))
			continue
		}
		l.own, l.tags = splitLabels(l.props.Labels)
		if have := x.byID[o.ID]; have != nil {
			if o.Version() > have.o.Version() {
				*have = *l
			}
			continue
		}
		x.byID[o.ID] = l
		x.all = append(x.all, l)
	}
	return nil
}

// begin fills the head of the event from the first report.
func (x *exporter) begin() {
	var ids []string
	for _, l := range x.all {
		ids = append(ids, l.o.ID)
		if l.o.Type == "report" && (x.report == nil || x.report.own[keyThreatLevel] == "" && l.own[keyThreatLevel] != "") {
			x.report = l
		}
	}
	now := x.o.Now().UTC()
	x.out = outEvent{UUID: uuid5(append([]string{"event"}, ids...)...), Info: orText(x.o.Info, "STIX objects"), Date: now.Format(time.DateOnly),
		ThreatLevel: "4", Analysis: "2", Distribution: "0", Timestamp: strconv.FormatInt(now.Unix(), 10),
		Attributes: []*outAttribute{}, Objects: []*outObject{}}
	for _, l := range x.all {
		if level, err := l.o.Level(); err == nil {
			x.tlp = max(x.tlp, level)
		}
	}
	if x.report == nil {
		x.addTags(&x.out.Tags, nil, x.tlp, stix.PAPNone)
		return
	}
	x.headOf(x.report)
}

func (x *exporter) headOf(r *loaded) {
	r.used = true
	level, err := r.o.Level()
	if err == nil && level != stix.None {
		x.tlp = level
	}
	x.out.UUID = uuidOf(r.o.ID)
	x.out.Info = orText(r.o.Name, x.out.Info)
	x.out.Timestamp = seconds(r.o.Modified.Time)
	x.out.Date = orText(r.own[keyDate], r.o.Created.Time.UTC().Format(time.DateOnly))
	x.out.ThreatLevel = orText(r.own[keyThreatLevel], x.out.ThreatLevel)
	x.out.Analysis = orText(r.own[keyAnalysis], x.out.Analysis)
	if t := text(r.props.Published).time(); !t.IsZero() {
		x.out.Published = seconds(t)
	}
	if creator := x.byID[r.o.CreatedByRef]; creator != nil && creator.o.Type == "identity" {
		x.out.Orgc = &outOrg{UUID: uuidOf(creator.o.ID), Name: creator.o.Name}
	}
	x.addTags(&x.out.Tags, r.tags, x.tlp, r.o.PAP())
	if r.props.Description != "" {
		x.out.Reports = append(x.out.Reports, outReport{uuid5("description", r.o.ID), r.o.Name, r.props.Description, x.out.Timestamp})
	}
}

func seconds(t time.Time) string { return strconv.FormatInt(t.Unix(), 10) }

// addTags adds the tags of a marking and others. What comes twice goes in finish, at one time for all.
func (x *exporter) addTags(to *[]outTag, tags []string, tlp stix.Marking, pap stix.PAP) {
	all := tags
	if tlp != stix.None {
		all = append([]string{"tlp:" + tlp.String()}, all...)
	}
	if pap != stix.PAPNone {
		all = append(all[:len(all):len(all)], pap.Label())
	}
	for _, t := range all {
		*to = append(*to, outTag{t})
	}
}

// eachOnce drops the tags that stand in a list before.
func eachOnce(tags []outTag) []outTag {
	seen := map[outTag]bool{{}: true}
	return slices.DeleteFunc(tags, func(t outTag) bool {
		had := seen[t]
		seen[t] = true
		return had
	})
}

// convert makes what an object becomes by itself.
func (x *exporter) convert(l *loaded) {
	switch l.o.Type {
	case "indicator":
		x.indicator(l)
	case "observed-data":
		x.observed(l)
	case "vulnerability":
		if l.own[keyGalaxy] != "" {
			x.galaxy(l)
			return
		}
		x.add(l, "vulnerability", l.o.Name, l.props.Description)
	case "note":
		x.note(l)
	case "report":
		if !l.used {
			x.out.Reports = append(x.out.Reports, outReport{uuidOf(l.o.ID), l.o.Name, orText(l.props.Description, l.o.Name), seconds(l.o.Modified.Time)})
		}
	case "threat-actor", "intrusion-set", "malware", "tool", "attack-pattern", "course-of-action", "campaign":
		x.galaxy(l)
	case "identity":
		if l.own[keyGalaxy] != "" {
			x.galaxy(l)
		}
	}
}

// add adds an attribute for an object.
func (x *exporter) add(l *loaded, typ, value, comment string) *outAttribute {
	a := &outAttribute{UUID: uuidOf(l.o.ID), Type: typ, Category: orText(l.own[keyCategory], categoryOf(typ)), Value: value, Comment: comment,
		ToIDs: l.own[keyToIDs] == "true", Timestamp: seconds(l.o.Modified.Time), Distribution: "5", Relation: l.own[keyRelation],
		FirstSeen: l.own[keyFirstSeen], LastSeen: l.own[keyLastSeen], Deleted: l.o.Revoked}
	if a.Timestamp == seconds(time.Time{}) {
		a.Timestamp = x.out.Timestamp
	}
	level, err := l.o.Level()
	if err != nil || level == x.tlp {
		level = stix.None
	}
	pap := l.o.PAP()
	if x.report != nil && pap == x.report.o.PAP() {
		pap = stix.PAPNone
	}
	x.addTags(&a.Tags, l.tags, level, pap)
	x.attributes[l.o.ID] = append(x.attributes[l.o.ID], a)
	x.out.Attributes = append(x.out.Attributes, a)
	l.used = true
	return a
}

// indicator makes an attribute of a pattern: the one that it was, one for each value that it lists, or the pattern itself.
func (x *exporter) indicator(l *loaded) {
	comment := l.props.Description
	if typ := l.own[keyType]; typ != "" {
		if value, ok := valueOfPattern(typ, l.o.Pattern, l.o.PatternType); ok {
			x.add(l, typ, value, comment)
			return
		}
	}
	comment = orText(comment, l.o.Name)
	switch l.o.PatternType {
	case "stix":
	case "yara", "sigma", "snort":
		x.add(l, l.o.PatternType, l.o.Pattern, comment).ToIDs = true
		return
	default:
		x.add(l, "text", l.o.Pattern, comment)
		return
	}
	values, err := indicator.AnyFromPattern(l.o.Pattern)
	if err != nil || len(values) == 0 {
		x.add(l, "stix2-pattern", l.o.Pattern, comment).ToIDs = true
		return
	}
	for i, v := range values {
		a := x.add(l, typeOfKind(v.Kind), v.Value, comment)
		a.ToIDs = true
		if i > 0 {
			a.UUID = uuid5("value", l.o.ID, string(v.Kind), v.Value)
		}
	}
}

func typeOfKind(k indicator.Kind) string {
	switch k {
	case indicator.IPv4, indicator.IPv6, indicator.CIDR:
		return "ip-dst"
	case indicator.Email:
		return "email-src"
	case indicator.ASN:
		return "AS"
	case indicator.CVE:
		return "vulnerability"
	case indicator.MAC:
		return "mac-address"
	case indicator.RegistryKey:
		return "regkey"
	}
	return string(k)
}

// observed makes attributes of observed data: the one that it was, or one for each value of its observables.
func (x *exporter) observed(l *loaded) {
	var values []typedValue
	var ids []string
	for _, ref := range l.o.ObjectRefs {
		if o := x.byID[ref]; o != nil && o.o.IsObservable() {
			o.used = true
			values = append(values, valuesOf(o.o)...)
			ids = append(ids, ref)
		}
	}
	if typ := l.own[keyType]; typ != "" {
		if value, ok := valueOfObservables(typ, values, ids); ok {
			x.add(l, typ, value, l.props.Comment)
			return
		}
	}
	if len(values) == 0 {
		x.skip(l, "nothing that it observed has an attribute type")
		return
	}
	for i, v := range values {
		a := x.add(l, v.typ, v.value, l.props.Comment)
		if i > 0 {
			a.UUID = uuid5("value", l.o.ID, v.typ, v.value)
		}
	}
}

// note makes an attribute of a note that was one, else an event report.
func (x *exporter) note(l *loaded) {
	if typ := l.own[keyType]; typ != "" {
		x.add(l, typ, l.props.Content, l.props.Comment)
		return
	}
	x.out.Reports = append(x.out.Reports, outReport{uuidOf(l.o.ID), orText(l.props.Abstract, "Note"), l.props.Content, seconds(l.o.Modified.Time)})
	l.used = true
}

// galaxy tags the event with what it is about.
func (x *exporter) galaxy(l *loaded) {
	if tag := galaxyTag(l); tag != "" {
		x.addTags(&x.out.Tags, []string{tag}, stix.None, stix.PAPNone)
		l.used = true
	}
}

// galaxyOf are the galaxies of objects that do not say which they came from.
var galaxyOf = map[string]string{"threat-actor": "threat-actor", "intrusion-set": "mitre-intrusion-set", "malware": "malpedia", "tool": "tool",
	"attack-pattern": "mitre-attack-pattern", "course-of-action": "mitre-course-of-action"}

func galaxyTag(l *loaded) string {
	galaxy := orText(l.own[keyGalaxy], galaxyOf[l.o.Type])
	if galaxy == "" || l.o.Name == "" {
		return ""
	}
	return "misp-galaxy:" + galaxy + `="` + l.o.Name + `"`
}

// connect does what needs the other objects to be there: groupings, relationships, sightings, and observables that
// nothing has used.
func (x *exporter) connect(l *loaded) {
	switch l.o.Type {
	case "grouping":
		x.grouping(l)
	case "sighting":
		x.sighting(l, l.props.SightingOf, "0", l.props.LastSeen)
	case "opinion":
		if l.props.Opinion == "strongly-disagree" && len(l.o.ObjectRefs) == 1 {
			x.sighting(l, l.o.ObjectRefs[0], "1", "")
			return
		}
		x.skip(l, "MISP has no place for such an opinion")
	default:
		x.leftOver(l)
	}
}

// leftOver tells of what nothing has taken up; an observable becomes an attribute that is not meant for detection.
func (x *exporter) leftOver(l *loaded) {
	switch {
	case l.used || l.o.Type == "relationship" || l.o.Type == "identity" || l.o.IsMarkingFree():
	case l.o.IsObservable():
		for i, v := range valuesOf(l.o) {
			a := x.add(l, v.typ, v.value, "")
			if i > 0 {
				a.UUID = uuid5("value", l.o.ID, v.typ, v.value)
			}
		}
		if !l.used {
			x.skip(l, "MISP has no attribute type for it")
		}
	default:
		x.skip(l, "MISP has no place for a %s", l.o.Type)
	}
}

func (x *exporter) grouping(l *loaded) {
	name := l.own[keyName]
	if name == "" {
		x.skip(l, "MISP has no place for a grouping that is no MISP object")
		return
	}
	o := &outObject{UUID: uuidOf(l.o.ID), Name: name, MetaCategory: orText(l.own[keyMetaCategory], "misc"), Comment: l.props.Description,
		Timestamp: seconds(l.o.Modified.Time), Distribution: "5", Attributes: []*outAttribute{}}
	for _, ref := range l.o.ObjectRefs {
		for _, a := range x.attributes[ref] {
			if a.placed {
				continue // in an object that came before
			}
			a.placed = true
			a.Relation = orText(a.Relation, a.Type)
			o.Attributes = append(o.Attributes, a)
		}
	}
	x.object[l.o.ID] = o
	x.out.Objects = append(x.out.Objects, o)
}

func (x *exporter) sighting(l *loaded, of, kind, seen string) {
	seenOf := x.attributes[of]
	if len(seenOf) == 0 {
		x.skip(l, "what was seen is not in the event")
		return
	}
	a := seenOf[0]
	at := text(seen).time()
	if at.IsZero() {
		at = l.o.Modified.Time
	}
	a.Sightings = append(a.Sightings, outSighting{UUID: uuidOf(l.o.ID), Type: kind, Date: seconds(at)})
}

// finish takes out of the event what has its place in an object, does the relationships, and leaves each tag once.
func (x *exporter) finish() {
	x.out.Attributes = slices.DeleteFunc(x.out.Attributes, func(a *outAttribute) bool { return a.placed })
	for _, l := range x.all {
		if l.o.Type != "relationship" {
			continue
		}
		source, target := x.object[l.props.Source], x.byID[l.props.Target]
		about := x.attributes[l.props.Source]
		switch {
		case source != nil && (x.object[l.props.Target] != nil || len(x.attributes[l.props.Target]) > 0):
			source.References = append(source.References, outReference{UUID: uuidOf(l.o.ID), Referenced: uuidOf(l.props.Target),
				Type: orText(l.own[keyReference], l.props.Relation), Comment: l.props.Description, Timestamp: seconds(l.o.Modified.Time)})
		case len(about) > 0 && target != nil && galaxyTag(target) != "":
			for _, a := range about {
				x.addTags(&a.Tags, []string{galaxyTag(target)}, stix.None, stix.PAPNone)
			}
		default:
			x.skip(l, "MISP has no place for this relationship (%s)", strings.TrimSpace(l.props.Relation))
		}
	}
	x.out.Tags = eachOnce(x.out.Tags)
	for _, list := range x.attributes {
		for _, a := range list {
			a.Tags = eachOnce(a.Tags)
		}
	}
}
