package misp

import (
	"slices"
	"strings"

	"github.com/polder-exchange/polder/indicator"
	"github.com/polder-exchange/polder/stix/pattern"
)

// valueOfPattern gives back the value of an attribute type from its pattern. The label that names the type comes from
// outside, so it counts only if the value gives this very pattern again.
func valueOfPattern(typ, text, language string) (string, bool) {
	if m, ok := mappings[typ]; ok && m.language != "" {
		return text, m.language == language
	}
	if language != "stix" {
		return "", false
	}
	p, err := pattern.Parse(text)
	if err != nil {
		return "", false
	}
	var pieces []string
	for _, c := range p.Comparisons() {
		if len(c.Values) != 1 {
			return "", false
		}
		pieces = append(pieces, c.Values[0].Text)
	}
	value := strings.Join(pieces, "|")
	if typ == "AS" {
		value = "AS" + value
	}
	again, _, err := patternOf(typ, value)
	if err != nil || again == "" {
		return "", false
	}
	q, err := pattern.Parse(again)
	return value, err == nil && q.String() == p.String()
}

// valueOfObservables gives back the value of an attribute type from the values of its observables, under the same terms.
func valueOfObservables(typ string, values []typedValue, ids []string) (string, bool) {
	var pieces []string
	for _, v := range values {
		pieces = append(pieces, v.value)
	}
	value := strings.Join(pieces, "|")
	objects, err := observablesOf(typ, value)
	if err != nil || len(objects) == 0 {
		return "", false
	}
	var again []string
	for _, o := range objects {
		again = append(again, o.ID)
	}
	return value, slices.Equal(again, ids)
}

// categories are the categories of attribute types that no label names.
var categories = map[string]string{"md5": "Payload delivery", "sha1": "Payload delivery", "sha256": "Payload delivery", "sha512": "Payload delivery",
	"sha3-256": "Payload delivery", "sha3-512": "Payload delivery", "ssdeep": "Payload delivery", "tlsh": "Payload delivery",
	"filename": "Payload delivery", "yara": "Payload delivery", "sigma": "Payload delivery", "snort": "Network activity",
	"email": "Payload delivery", "email-src": "Payload delivery", "email-subject": "Payload delivery", "email-message-id": "Payload delivery",
	"mutex": "Artifacts dropped", "regkey": "Persistence mechanism", "vulnerability": "External analysis", "text": "Other",
	"stix2-pattern": "Payload delivery"}

// categoryOf is the category that MISP asks of every attribute.
func categoryOf(typ string) string {
	switch c := categories[typ]; {
	case c != "":
		return c
	case strings.HasPrefix(typ, "x509-"):
		return "Network activity"
	}
	if _, err := indicator.ParseKind(typ); err == nil || strings.HasPrefix(typ, "ip-") || mappings[typ].parts != nil {
		return "Network activity"
	}
	return "Other"
}

// The types below are an event as it is written.

type outEvent struct {
	UUID         string          `json:"uuid"`
	Info         string          `json:"info"`
	Date         string          `json:"date"`
	Timestamp    string          `json:"timestamp"`
	Published    string          `json:"publish_timestamp,omitempty"`
	ThreatLevel  string          `json:"threat_level_id"`
	Analysis     string          `json:"analysis"`
	Distribution string          `json:"distribution"`
	IsPublished  bool            `json:"published"`
	Orgc         *outOrg         `json:"Orgc,omitempty"`
	Tags         []outTag        `json:"Tag,omitempty"`
	Attributes   []*outAttribute `json:"Attribute"`
	Objects      []*outObject    `json:"Object"`
	Reports      []outReport     `json:"EventReport,omitempty"`
}

type outOrg struct {
	UUID string `json:"uuid"`
	Name string `json:"name"`
}

type outTag struct {
	Name string `json:"name"`
}

type outAttribute struct {
	UUID         string        `json:"uuid"`
	Type         string        `json:"type"`
	Category     string        `json:"category"`
	Value        string        `json:"value"`
	Comment      string        `json:"comment"`
	ToIDs        bool          `json:"to_ids"`
	Timestamp    string        `json:"timestamp"`
	Distribution string        `json:"distribution"`
	FirstSeen    string        `json:"first_seen,omitempty"`
	LastSeen     string        `json:"last_seen,omitempty"`
	Relation     string        `json:"object_relation,omitempty"`
	Tags         []outTag      `json:"Tag,omitempty"`
	Sightings    []outSighting `json:"Sighting,omitempty"`
	Deleted      bool          `json:"deleted,omitempty"` // the object was revoked
	placed       bool          // in an object
}

type outObject struct {
	UUID         string          `json:"uuid"`
	Name         string          `json:"name"`
	MetaCategory string          `json:"meta-category"`
	Comment      string          `json:"comment"`
	Timestamp    string          `json:"timestamp"`
	Distribution string          `json:"distribution"`
	Attributes   []*outAttribute `json:"Attribute"`
	References   []outReference  `json:"ObjectReference,omitempty"`
}

type outReference struct {
	UUID       string `json:"uuid"`
	Referenced string `json:"referenced_uuid"`
	Type       string `json:"relationship_type"`
	Comment    string `json:"comment"`
	Timestamp  string `json:"timestamp"`
}

type outSighting struct {
	UUID string `json:"uuid"`
	Type string `json:"type"`
	Date string `json:"date_sighting"`
}

type outReport struct {
	UUID      string `json:"uuid"`
	Name      string `json:"name"`
	Content   string `json:"content"`
	Timestamp string `json:"timestamp"`
}
