package cases

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/polder-exchange/polder/indicator"
	"github.com/polder-exchange/polder/stix"
)

// This file writes a case as a STIX 2.1 bundle: an incident with the core extension that OASIS publishes among its common
// objects, what was seen of it as observables, observed data and indicators with sightings, what happened as events, what
// is to be done as tasks, and decisions as notes. Every object bears its own level.
//
// Of the core extension only those properties are written on which its versions agree: determination,
// investigation_status, criticality and incident_types. The lists of events and tasks were renamed between versions, so
// a grouping says what belongs together, and the damage is a note.

// Extensions of the OASIS common object repository.
const (
	incidentCore  = "extension-definition--ef765651-680c-498d-9894-99799f2fa126"
	incidentEvent = "extension-definition--4ca6de00-5b0d-45ef-a1dc-ea7279ea910e"
	incidentTask  = "extension-definition--2074a052-8be4-4932-849e-f5e7798e0030"
)

// incidentTypes are classes in the words of the extension's event-type-ov; a class without one is left out.
var incidentTypes = map[string]string{
	"abusive-content/spam": "spam", "abusive-content/harmful-speech": "policy-violation",
	"malicious-code/infected-system": "infected-by-known-malware", "malicious-code/c2-server": "infected-by-known-malware", "malicious-code/malware-distribution": "hosting-malware-webpage",
	"information-gathering/scanner": "scan-probe", "information-gathering/sniffing": "wiretapping",
	"intrusion-attempts/brute-force": "dictionary-attack-attempt", "intrusion-attempts/exploit": "exploit-attempt", "intrusion-attempts/ids-alert": "exploit-attempt",
	"intrusions/privileged-account-compromise": "theft-access-credentials", "intrusions/unprivileged-account-compromise": "theft-access-credentials",
	"intrusions/application-compromise": "unauthorized-access-system", "intrusions/system-compromise": "unauthorized-access-system", "intrusions/burglary": "equipment-theft",
	"availability/dos": "denial-of-service", "availability/ddos": "packet-flood", "availability/misconfiguration": "misconfiguration", "availability/sabotage": "destruction",
	"information-content-security/unauthorised-information-access": "unauthorized-access-information", "information-content-security/unauthorised-information-modification": "modification-information",
	"information-content-security/data-loss": "deletion-information", "information-content-security/data-leak": "data-exfiltration",
	"fraud/unauthorised-use-of-resources": "illegitimate-use-resources", "fraud/copyright": "copyrighted-content", "fraud/masquerade": "illegitimate-use-name", "fraud/phishing": "dissemination-phishing-emails",
}

// incidentWeight is the criticality of a severity, 0 to 100.
var incidentWeight = map[Severity]int{SeverityLow: 20, SeverityMedium: 40, SeverityHigh: 70, SeverityCritical: 95}

// incidentMaker makes the objects of one bundle.
type incidentMaker struct {
	c       *exportCase
	id      string // of the incident
	raw     [][]byte
	refs    []string // of what the grouping holds
	have    map[string]bool
	widest  map[string]stix.Marking // of a value that several items name
	creator string
	err     error
}

// incidentBundle is a case as a bundle.
func incidentBundle(c *exportCase) ([]byte, error) {
	m := &incidentMaker{c: c, have: map[string]bool{}, widest: map[string]stix.Marking{}}
	m.definitions()
	if c.Ask.Named {
		m.creator = string(c.Org.ID)
		m.add("identity", m.creator, stix.None, c.Org.Created, c.Org.Created, func(o *stix.Members) {
			o.Set("name", c.Org.Name)
			o.Set("identity_class", "organization")
		})
	}
	for _, it := range c.Items {
		if it.Observable != nil {
			m.names(it.Observable.Type, it.Observable.Value, it.Level)
		}
		if it.Evidence != nil {
			m.names(indicator.SHA256, it.Evidence.SHA256, it.Level)
		}
	}
	m.id = m.keyed("incident", string(c.View.ID))
	m.incident()
	for _, it := range c.Items {
		m.item(it)
	}
	m.damage()
	m.grouping()
	if m.err != nil {
		return nil, m.err
	}
	var b bytes.Buffer
	w := stix.WriteBundle(&b)
	for _, raw := range m.raw {
		if err := w.Add(raw); err != nil {
			return nil, err
		}
	}
	err := w.Close()
	return b.Bytes(), err
}

// keyed is an id that is the same for the same thing in each export, and another where the organisation is named.
func (m *incidentMaker) keyed(typ, what string) string {
	h := sha256.Sum256([]byte("polder export\n" + typ + "\n" + m.creator + "\n" + what))
	u := h[:16]
	u[6], u[8] = u[6]&0x0f|0x40, u[8]&0x3f|0x80
	x := hex.EncodeToString(u)
	return typ + "--" + x[:8] + "-" + x[8:12] + "-" + x[12:16] + "-" + x[16:20] + "-" + x[20:]
}

// definitions are those of the levels and of what may be done, which every reader knows and some want to have beside.
func (m *incidentMaker) definitions() {
	levels := []stix.Marking{m.c.View.Level}
	for _, it := range m.c.Items {
		levels = append(levels, it.Level)
	}
	if m.c.Damage != nil {
		levels = append(levels, m.c.Damage.Level)
	}
	slices.Sort(levels)
	for _, l := range slices.Compact(append(levels, m.c.Level)) {
		if d := stix.Definition(l); d != nil && !m.have[l.ID()] {
			m.have[l.ID()] = true
			m.raw = append(m.raw, d)
		}
	}
}

// add makes a domain object, or does nothing after an error.
func (m *incidentMaker) add(typ, id string, level stix.Marking, created, modified time.Time, set func(*stix.Members)) {
	if m.err != nil {
		return
	}
	created, modified = created.UTC().Truncate(time.Millisecond), modified.UTC().Truncate(time.Millisecond)
	if modified.Before(created) {
		modified = created
	}
	o, err := stix.Make(typ, func(o *stix.Members) {
		o.Set("id", id)
		if typ != "identity" {
			o.Set("created_by_ref", m.creator)
		}
		o.Set("created", created)
		o.Set("modified", modified)
		set(o)
		if level != stix.None {
			o.Set("object_marking_refs", m.marks(level))
		}
	})
	if err != nil {
		m.err = err
		return
	}
	m.raw = append(m.raw, o.Raw())
	if typ != "identity" && typ != "grouping" {
		m.refs = append(m.refs, id)
	}
}

// marks are the markings of an object.
func (m *incidentMaker) marks(level stix.Marking) []string {
	out := []string{level.ID()}
	if id := m.c.Ask.PAP.ID(); id != "" {
		out = append(out, id)
	}
	return out
}

// incident is the case itself.
func (m *incidentMaker) incident() {
	v := m.c.View
	class, kind := rsitSplit(v.Class)
	labels := []string{"rsit:" + class + "=\"" + kind + "\"", "kind:" + string(v.Kind)}
	for _, r := range v.Roads {
		labels = append(labels, "road:"+string(r))
	}
	m.add("incident", m.id, v.Level, v.Opened, v.Changed, func(o *stix.Members) {
		o.Set("name", v.Title)
		o.Set("description", v.Summary)
		o.Set("labels", labels)
		o.Set("extensions", func(x *stix.Members) {
			x.Set(incidentCore, func(e *stix.Members) {
				e.Set("extension_type", "property-extension")
				e.Set("determination", incidentDetermination(v.Case))
				e.Set("investigation_status", map[bool]string{true: "closed", false: "open"}[v.Status == StatusClosed])
				e.Set("criticality", cmp.Or(incidentWeight[v.Severity], incidentWeight[SeverityMedium]))
				if t := incidentTypes[class+"/"+kind]; t != "" {
					e.Set("incident_types", []string{t})
				}
			})
		})
	})
}

// incidentDetermination says what a case was found to be.
func incidentDetermination(c Case) string {
	switch c.Kind {
	case KindIncident:
		return "confirmed"
	case KindNearMiss:
		return "failed-attempt"
	}
	return "suspected"
}

// item makes the objects of an item.
func (m *incidentMaker) item(it Item) {
	switch {
	case it.Kind == ItemObservable && it.Observable != nil:
		m.observable(it)
	case it.Kind == ItemEntry:
		m.add("event", m.keyed("event", it.ID), it.Level, it.Made, it.Changed, func(o *stix.Members) {
			o.Set("name", it.Title)
			o.Set("description", it.Text)
			o.Set("status", "occurred")
			o.Set("start_time", it.At.UTC().Truncate(time.Millisecond))
			o.Set("extensions", extensionOf(incidentEvent))
		})
	case it.Kind == ItemTask && it.Task != nil:
		m.add("task", m.keyed("task", it.ID), it.Level, it.Made, it.Changed, func(o *stix.Members) {
			o.Set("name", it.Title)
			o.Set("description", it.Text)
			o.Set("outcome", map[bool]string{true: "pending", false: "successful"}[it.Task.Done.IsZero()])
			o.Set("end_time", it.Task.Done.UTC().Truncate(time.Millisecond))
			o.Set("extensions", extensionOf(incidentTask))
		})
	case it.Kind == ItemDecision && it.Decision != nil:
		m.note(it.ID, it.Level, it.Made, it.Changed, []string{"decision"}, it.Title, incidentText(it.Text, it.Decision.Reason))
	case it.Kind == ItemEvidence && it.Evidence != nil:
		m.evidence(it)
	case it.Kind == ItemNote:
		m.note(it.ID, it.Level, it.Made, it.Changed, nil, it.Title, it.Text)
	}
}

// extensionOf says of which extension a type is.
func extensionOf(id string) func(*stix.Members) {
	return func(x *stix.Members) { x.Set(id, func(e *stix.Members) { e.Set("extension_type", "new-sdo") }) }
}

// incidentText are the texts that say something, as paragraphs.
func incidentText(texts ...string) string {
	return strings.Join(slices.DeleteFunc(texts, func(s string) bool { return strings.TrimSpace(s) == "" }), "\n\n")
}

// note is a text about the incident.
func (m *incidentMaker) note(key string, level stix.Marking, made, changed time.Time, labels []string, abstract, content string, more ...string) {
	m.add("note", m.keyed("note", key), level, made, changed, func(o *stix.Members) {
		o.Set("abstract", abstract)
		o.Set("content", cmp.Or(content, abstract, "-"))
		o.Set("labels", labels)
		o.Set("object_refs", append([]string{m.id}, more...))
	})
}

// observable is a value that was seen: the value, when it was seen, and for the adversary's how to find it.
func (m *incidentMaker) observable(it Item) {
	o := it.Observable
	first, last := o.First, o.Last
	if first.IsZero() {
		first = cmp.Or(it.At, it.Made)
	}
	if last.Before(first) {
		last = first
	}
	first, last = first.UTC().Truncate(time.Millisecond), last.UTC().Truncate(time.Millisecond)
	var seen string
	if sco := m.value(o.Type, o.Value); sco != "" {
		seen = m.keyed("observed-data", it.ID)
		m.add("observed-data", seen, it.Level, it.Made, it.Changed, func(d *stix.Members) {
			d.Set("first_observed", first)
			d.Set("last_observed", last)
			d.Set("number_observed", 1)
			d.Set("object_refs", []string{sco})
		})
	}
	pattern := indicator.Pattern(o.Type, o.Value)
	_, sound := indicator.Normalise(o.Type, o.Value)
	switch {
	case o.Type == indicator.CVE && sound == nil:
		m.add("vulnerability", m.keyed("vulnerability", it.ID), it.Level, it.Made, it.Changed, func(d *stix.Members) {
			d.Set("name", o.Value)
			d.Set("external_references", []func(*stix.Members){func(r *stix.Members) {
				r.Set("source_name", "cve")
				r.Set("external_id", strings.ToUpper(o.Value))
			}})
		})
	case o.Bad && pattern != "":
		m.indicator(it, pattern, first, last, seen)
	case seen == "":
		m.note(it.ID, it.Level, it.Made, it.Changed, nil, it.Title, string(o.Type)+": "+o.Value)
	}
}

// indicator says how to find a value of the adversary, and that it was seen.
func (m *incidentMaker) indicator(it Item, pattern string, first, last time.Time, seen string) {
	id := m.keyed("indicator", it.ID)
	m.add("indicator", id, it.Level, it.Made, it.Changed, func(d *stix.Members) {
		d.Set("name", cmp.Or(it.Title, it.Observable.Value))
		d.Set("description", it.Text)
		d.Set("indicator_types", []string{"malicious-activity"})
		d.Set("pattern", pattern)
		d.Set("pattern_type", "stix")
		d.Set("valid_from", first)
	})
	m.add("sighting", m.keyed("sighting", it.ID), it.Level, it.Made, it.Changed, func(d *stix.Members) {
		d.Set("first_seen", first)
		d.Set("last_seen", last)
		d.Set("sighting_of_ref", id)
		if seen != "" {
			d.Set("observed_data_refs", []string{seen})
		}
		if m.creator != "" {
			d.Set("where_sighted_refs", []string{m.creator})
		}
	})
	m.add("relationship", m.keyed("relationship", it.ID), it.Level, it.Made, it.Changed, func(d *stix.Members) {
		d.Set("relationship_type", "related-to")
		d.Set("source_ref", id)
		d.Set("target_ref", m.id)
	})
}

// names notes that an item of a level names a value.
func (m *incidentMaker) names(kind indicator.Kind, value string, level stix.Marking) {
	key := string(kind) + " " + value
	if have, ok := m.widest[key]; !ok || level < have {
		m.widest[key] = level
	}
}

// value is the observable of a value, marked as the widest item that names it; "" for a kind that has none.
func (m *incidentMaker) value(kind indicator.Kind, value string) string {
	typ, set := observableShape(kind, value)
	if typ == "" || m.err != nil {
		return ""
	}
	o, err := stix.Make(typ, set)
	if err != nil {
		return "" // a value that is not of its kind is told by its note
	}
	if m.have[o.ID] {
		return o.ID
	}
	marked, err := o.WithMarking(m.widest[string(kind)+" "+value])
	if err != nil {
		m.err = err
		return ""
	}
	m.have[o.ID] = true
	m.raw, m.refs = append(m.raw, marked.Raw()), append(m.refs, o.ID)
	return o.ID
}

// observableShape is the observable object of a kind of value.
func observableShape(kind indicator.Kind, value string) (typ string, set func(*stix.Members)) {
	plain := func(typ, name string) (string, func(*stix.Members)) {
		return typ, func(o *stix.Members) { o.Set(name, value) }
	}
	hash := func(typ, name string) (string, func(*stix.Members)) {
		return typ, func(o *stix.Members) { o.Set("hashes", map[string]string{name: value}) }
	}
	switch kind {
	case indicator.IPv4:
		return plain("ipv4-addr", "value")
	case indicator.IPv6:
		return plain("ipv6-addr", "value")
	case indicator.CIDR:
		if strings.Contains(value, ":") {
			return plain("ipv6-addr", "value")
		}
		return plain("ipv4-addr", "value")
	case indicator.Domain:
		return plain("domain-name", "value")
	case indicator.URL:
		return plain("url", "value")
	case indicator.Email:
		return plain("email-addr", "value")
	case indicator.MAC:
		return plain("mac-addr", "value")
	case indicator.Mutex:
		return plain("mutex", "name")
	case indicator.RegistryKey:
		return plain("windows-registry-key", "key")
	case indicator.Filename:
		return plain("file", "name")
	case indicator.MD5:
		return hash("file", "MD5")
	case indicator.SHA1:
		return hash("file", "SHA-1")
	case indicator.SHA256:
		return hash("file", "SHA-256")
	case indicator.SHA512:
		return hash("file", "SHA-512")
	case indicator.ASN:
		n, err := strconv.ParseInt(strings.TrimPrefix(strings.ToUpper(value), "AS"), 10, 64)
		if err != nil {
			return "", nil
		}
		return "autonomous-system", func(o *stix.Members) { o.Set("number", n) }
	}
	return "", nil
}

// evidence is a file by its hash, and a note of what it is and who had it.
func (m *incidentMaker) evidence(it Item) {
	e := it.Evidence
	var lines []string
	for _, step := range e.Custody {
		lines = append(lines, strings.TrimSpace(step.At.UTC().Format(time.RFC3339)+" "+step.Did+" "+step.To+" "+step.Reason))
	}
	var refs []string
	if e.SHA256 != "" {
		if id := m.value(indicator.SHA256, e.SHA256); id != "" {
			refs = append(refs, id)
		}
	}
	m.note(it.ID, it.Level, it.Made, it.Changed, []string{"evidence"}, cmp.Or(it.Title, e.Name), incidentText(it.Text, e.Name, strings.Join(lines, "\n")), refs...)
}

// damage is the assessment as a note.
func (m *incidentMaker) damage() {
	d := m.c.Damage
	if d == nil {
		return
	}
	content := incidentText("Taken: "+string(d.Taken), d.What, incidentList("Partners", d.Partners), incidentList("Products", d.Products), incidentList("Platforms", d.Platforms), incidentList("Told", d.Told), incidentList("Crown jewels", jewelNames(d.Touched)), d.Measures)
	m.note("damage "+string(m.c.View.ID)+strconv.Itoa(len(d.Touched)), d.Level, d.Assessed, d.Assessed, []string{"damage-assessment"}, "Damage assessment", content)
}

// incidentList is a name with what belongs to it; "" without.
func incidentList(name string, of []string) string {
	if len(of) == 0 {
		return ""
	}
	return name + ": " + strings.Join(of, ", ")
}

// grouping says what belongs together, as of now.
func (m *incidentMaker) grouping() {
	slices.Sort(m.refs)
	refs := slices.Compact(m.refs)
	m.add("grouping", stix.NewID("grouping"), m.c.Level, m.c.Made, m.c.Made, func(o *stix.Members) {
		o.Set("name", m.c.View.Title)
		o.Set("context", "suspicious-activity")
		o.Set("object_refs", refs)
	})
}
