package cases

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/polder-exchange/polder/indicator"
	"github.com/polder-exchange/polder/internal/journal"
	"github.com/polder-exchange/polder/stix"
)

// A case that is shared is a header and one object for each item, so that each is marked, versioned and withdrawn by
// itself, and travels wherever STIX does.
const (
	sharedCaseType = "x-polder-case"
	sharedItemType = "x-polder-case-item"

	sharedCaseExtension = "extension-definition--6d0f3a1e-8b52-4c77-9f0e-2a4b8c6d1e35"
	sharedItemExtension = "extension-definition--b81c5d2f-47a9-4e06-8c3d-90f7e2a1b64c"

	// The definitions. Their bytes never change, so that everybody brings the same.
	sharedCaseDefinition = `{"type":"extension-definition","spec_version":"2.1","id":"` + sharedCaseExtension + `","created_by_ref":"identity--7f0a6d52-5d0b-4d3e-8a87-2f3c1b9e6d10","created":"2026-11-20T00:00:00.000Z","modified":"2026-11-20T00:00:00.000Z","name":"Shared case","description":"The header of a case that one organisation shares with another. Properties: case (string, required: a UUID that all its items bear), part (read, work or contact-point, required), name (string), description (string), kind, class, seriousness, status, stage (strings), roads, countries (lists of strings), crosses_borders (boolean), aware, occurred (timestamps).","schema":"https://github.com/polder-exchange/polder/blob/main/docs/extensions.md","version":"1.0.0","extension_types":["new-sdo"]}`
	sharedItemDefinition = `{"type":"extension-definition","spec_version":"2.1","id":"` + sharedItemExtension + `","created_by_ref":"identity--7f0a6d52-5d0b-4d3e-8a87-2f3c1b9e6d10","created":"2026-11-20T00:00:00.000Z","modified":"2026-11-20T00:00:00.000Z","name":"Item of a shared case","description":"One thing in a case that organisations share: of the one whose case it is, or added by the other. Properties: case (string, required), kind (entry, observable, evidence, note or decision, required), name (string), description (string), happened, first_seen, last_seen (timestamps), weighs, adversary (booleans), value_type, value, sha256, file_name, reason (strings).","schema":"https://github.com/polder-exchange/polder/blob/main/docs/extensions.md","version":"1.0.0","extension_types":["new-sdo"]}`
)

// Bounds of what others share.
const (
	sharedMaxCases = 500    // of one organisation, so that nobody's crowd out another's
	sharedMaxItems = 2000   // of one case and organisation
	sharedMaxTitle = 300    // characters
	sharedMaxText  = 20_000 // characters
	sharedMaxList  = 60     // countries, roads
	sharedMaxRaw   = 256 << 10
)

// sharedKinds are the kinds of item that are shared. Tasks are an organisation's own work, and a link leads to a case
// with readers of its own.
var sharedKinds = []ItemKind{ItemEntry, ItemObservable, ItemEvidence, ItemNote, ItemDecision}

// sharedHeader sets what the header of a sharing says. A contact point is told that a case crosses borders and how far
// it is, and not what it is about.
func sharedHeader(v Case, sh Sharing) func(*stix.Members) {
	return func(m *stix.Members) {
		m.Set("case", sh.ID)
		m.Set("part", string(sh.Part))
		if sh.Part != PartContact {
			m.Set("name", v.Title)
			m.Set("description", v.Summary)
			m.Set("occurred", sharedTime(v.Occurred))
			roads := []string{}
			for _, r := range v.Roads {
				roads = append(roads, string(r))
			}
			m.Set("roads", roads)
		}
		m.Set("kind", string(v.Kind))
		m.Set("class", v.Class)
		m.Set("seriousness", string(v.Severity))
		m.Set("status", string(v.Status))
		m.Set("stage", sh.stage)
		m.Set("countries", v.Countries)
		m.Set("crosses_borders", v.Crosses)
		m.Set("aware", sharedTime(v.Aware))
		m.Set("extensions", extensionOf(sharedCaseExtension))
	}
}

func sharedTime(t time.Time) time.Time { return t.UTC().Truncate(time.Millisecond) }

// sharedItem sets what an item says to the other side. Who made it stays at home.
func sharedItem(key string, it Item) func(*stix.Members) {
	return func(m *stix.Members) {
		m.Set("case", key)
		m.Set("kind", string(it.Kind))
		m.Set("name", it.Title)
		m.Set("description", it.Text)
		m.Set("happened", sharedTime(it.At))
		if it.Weighs {
			m.Set("weighs", true)
		}
		if o := it.Observable; o != nil {
			m.Set("value_type", string(o.Type))
			m.Set("value", o.Value)
			m.Set("first_seen", sharedTime(o.First))
			m.Set("last_seen", sharedTime(o.Last))
			m.Set("adversary", o.Bad)
		}
		if e := it.Evidence; e != nil {
			m.Set("file_name", e.Name)
			m.Set("sha256", e.SHA256)
		}
		if d := it.Decision; d != nil {
			m.Set("reason", d.Reason)
		}
		m.Set("extensions", extensionOf(sharedItemExtension))
	}
}

// sharedParts are the objects of a sharing: the header, and the items within the ceiling.
func sharedParts(v Case, items []Item, sh Sharing) (header, rest []KeptPart) {
	header = []KeptPart{{Key: "case", Level: v.Level, Set: sharedHeader(v, sh)}}
	if sh.Part == PartContact {
		return header, nil
	}
	for _, it := range items {
		if sharedLeaves(it, sh) {
			rest = append(rest, KeptPart{Key: it.ID, Level: it.Level, Set: sharedItem(sh.ID, it)})
		}
	}
	return header, rest
}

// sharedLeaves tells whether an item is shared with an organisation.
func sharedLeaves(it Item, sh Sharing) bool {
	return it.Struck.IsZero() && !it.Erased && it.Level != stix.None && it.Level <= sh.Ceiling && slices.Contains(sharedKinds, it.Kind)
}

// sharedDigest is equal as long as nothing has changed that the other side would see.
func sharedDigest(v Case, items []Item, sh Sharing) string {
	h := sha256.New()
	header, rest := sharedParts(v, items, sh)
	for _, p := range append(header, rest...) {
		o, err := stix.Make(sharedItemType, func(m *stix.Members) {
			m.Set("id", sharedItemType+"--00000000-0000-4000-8000-000000000000")
			m.Set("created", "2026-01-01T00:00:00.000Z")
			m.Set("modified", "2026-01-01T00:00:00.000Z")
			p.Set(m)
		})
		if err == nil {
			fmt.Fprintf(h, "%s %s %s\n", p.Key, p.Level, o.Raw())
		}
	}
	return hex.EncodeToString(h.Sum(nil))
}

// sharedIn tells whether an object is of a sharing.
func sharedIn(key string) func(stix.Object) bool {
	return func(o stix.Object) bool {
		var is string
		return json.Unmarshal(o.Property("case"), &is) == nil && is == key
	}
}

// sharedObject are the properties of both types as they come from others.
type sharedObject struct {
	Case        string    `json:"case"`
	Part        Part      `json:"part"`
	Name        string    `json:"name"`
	Description string    `json:"description"`
	Kind        string    `json:"kind"`
	Class       string    `json:"class"`
	Severity    Severity  `json:"seriousness"`
	Status      Status    `json:"status"`
	Stage       string    `json:"stage"`
	Roads       []Road    `json:"roads"`
	Countries   []string  `json:"countries"`
	Crosses     bool      `json:"crosses_borders"`
	Aware       time.Time `json:"aware"`
	At          time.Time `json:"happened"`
	First       time.Time `json:"first_seen"`
	Last        time.Time `json:"last_seen"`
	Weighs      bool      `json:"weighs"`
	Bad         bool      `json:"adversary"`
	ValueType   string    `json:"value_type"`
	Value       string    `json:"value"`
	SHA256      string    `json:"sha256"`
	FileName    string    `json:"file_name"`
	Reason      string    `json:"reason"`
}

// readSharedObject reads what others made of one of the types; what is none of it is left out.
func readSharedObject(raw []byte) (o stix.Object, s sharedObject, ok bool) {
	if len(raw) > sharedMaxRaw {
		return o, s, false
	}
	o, err := stix.Parse(raw)
	if err != nil || json.Unmarshal(raw, &s) != nil {
		return o, s, false
	}
	if n := len(s.Case); n == 0 || n > 64 || strings.ContainsFunc(s.Case, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return o, s, false
	}
	for text, most := range map[*string]int{&s.Name: sharedMaxTitle, &s.Description: sharedMaxText, &s.Reason: sharedMaxText, &s.FileName: sharedMaxTitle, &s.Value: indicator.MaxValue, &s.Stage: 40, &s.SHA256: 64} {
		*text = sharedClip(*text, most)
	}
	return o, s, true
}

// sharedClip shortens a text of others, which is cut between characters.
func sharedClip(s string, most int) string {
	s = strings.ToValidUTF8(s, "\uFFFD")
	if utf8.RuneCountInString(s) <= most {
		return s
	}
	return string([]rune(s)[:most-1]) + "…"
}

// sharedCaseOf is a header as others made it. Words that are none of ours are left out.
func sharedCaseOf(d journal.Delivery) (c SharedCase, ok bool) {
	o, s, ok := readSharedObject(d.Raw)
	if !ok || o.Type != sharedCaseType || !slices.Contains([]Part{PartRead, PartWork, PartContact}, s.Part) {
		return c, false
	}
	class, kind := rsitSplit(s.Class)
	c = SharedCase{Key: d.ID, Part: s.Part, Title: s.Name, Summary: s.Description, Class: class + "/" + kind, Crosses: s.Crosses, Aware: s.Aware, Level: d.Level, Changed: o.Modified.Time, Items: []Item{}, Countries: []string{},
		id: s.Case, custodian: d.Custodian, place: d.Community}
	if k := Kind(s.Kind); slices.Contains(caseKinds, k) {
		c.Kind = k
	}
	if slices.Contains(caseSeverities, s.Severity) {
		c.Severity = s.Severity
	}
	if slices.Contains(caseStatuses, s.Status) {
		c.Status = s.Status
	}
	if slices.Contains(sharedStages, s.Stage) {
		c.Stage = s.Stage
	}
	for _, country := range s.Countries[:min(len(s.Countries), sharedMaxList)] {
		if len(country) == 2 && strings.ToUpper(country) == country && strings.Trim(country, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") == "" {
			c.Countries = append(c.Countries, country)
		}
	}
	return c, true
}

// sharedStages are how far the duty to report may be.
var sharedStages = []string{"early-warning", "notification", "intermediate", "final"}

// sharedItemOf is an item as others made it.
func sharedItemOf(d journal.Delivery) (key string, it Item, ok bool) {
	o, s, ok := readSharedObject(d.Raw)
	if !ok || o.Type != sharedItemType || !slices.Contains(sharedKinds, ItemKind(s.Kind)) {
		return "", it, false
	}
	it = Item{ID: d.ID, Kind: ItemKind(s.Kind), Level: d.Level, Title: s.Name, Text: s.Description, At: s.At, Made: o.Created.Time, Changed: o.Modified.Time, Weighs: s.Weighs, Version: 1}
	switch it.Kind {
	case ItemObservable:
		kind, err := indicator.ParseKind(s.ValueType)
		if err != nil || s.Value == "" {
			return "", it, false
		}
		it.Observable = &Observable{Type: kind, Value: s.Value, First: s.First, Last: s.Last, Bad: s.Bad}
	case ItemEvidence:
		it.Evidence = &Evidence{Name: s.FileName, SHA256: s.SHA256, Custody: []Custody{}}
	case ItemDecision:
		it.Decision = &Decision{Reason: s.Reason}
	}
	return s.Case, it, true
}
