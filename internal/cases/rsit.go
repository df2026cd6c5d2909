package cases

import (
	"strings"
	"time"
)

// rsitVersion is the version of the Reference Security Incident Taxonomy whose words are used.
const rsitVersion = "1003"

// rsitRecord is a case by the Reference Security Incident Taxonomy, as a CSIRT takes it in.
type rsitRecord struct {
	Taxonomy        string      `json:"taxonomy"`
	TaxonomyVersion string      `json:"taxonomy_version"`
	Classification  string      `json:"classification"`
	IncidentType    string      `json:"incident_type"`
	Tag             string      `json:"tag"` // machine tag
	ID              string      `json:"id"`
	TLP             string      `json:"tlp"`
	Title           string      `json:"title"`
	Summary         string      `json:"summary,omitempty"`
	Kind            Kind        `json:"kind"`
	Roads           []Road      `json:"roads"`
	Severity        Severity    `json:"severity"`
	Status          Status      `json:"status"`
	Occurred        *time.Time  `json:"occurred,omitempty"`
	Detected        *time.Time  `json:"detected,omitempty"`
	Closed          *time.Time  `json:"closed,omitempty"`
	Countries       []string    `json:"countries"`
	CrossBorder     bool        `json:"cross_border"`
	Indicators      []rsitValue `json:"indicators"`
}

// rsitValue is an observable of the adversary.
type rsitValue struct {
	Type  string `json:"type"`
	Value string `json:"value"`
	TLP   string `json:"tlp"`
}

// rsitClasses are the incident types of each classification.
var rsitClasses = map[string][]string{
	"abusive-content":              {"spam", "harmful-speech", "violence"},
	"malicious-code":               {"infected-system", "c2-server", "malware-distribution", "malware-configuration"},
	"information-gathering":        {"scanner", "sniffing", "social-engineering"},
	"intrusion-attempts":           {"ids-alert", "brute-force", "exploit"},
	"intrusions":                   {"privileged-account-compromise", "unprivileged-account-compromise", "application-compromise", "system-compromise", "burglary"},
	"availability":                 {"dos", "ddos", "misconfiguration", "sabotage", "outage"},
	"information-content-security": {"unauthorised-information-access", "unauthorised-information-modification", "data-loss", "data-leak"},
	"fraud":                        {"unauthorised-use-of-resources", "copyright", "masquerade", "phishing"},
	"vulnerable":                   {"weak-crypto", "ddos-amplifier", "potentially-unwanted-accessible", "information-disclosure", "vulnerable-system"},
	"other":                        {"other", "undetermined"},
	"test":                         {"test"},
}

// rsitSplit is the classification and the type of a class; one that the taxonomy does not have is undetermined.
func rsitSplit(class string) (classification, kind string) {
	classification, kind, _ = strings.Cut(class, "/")
	for _, known := range rsitClasses[classification] {
		if known == kind {
			return classification, kind
		}
	}
	return "other", "undetermined"
}

// rsitOf is a case by the taxonomy.
func rsitOf(c *exportCase) rsitRecord {
	v := c.View
	class, kind := rsitSplit(v.Class)
	out := rsitRecord{
		Taxonomy: "RSIT", TaxonomyVersion: rsitVersion, Classification: class, IncidentType: kind, Tag: "rsit:" + class + "=\"" + kind + "\"",
		ID: string(v.ID), TLP: c.Level.Label(), Title: v.Title, Summary: v.Summary, Kind: v.Kind, Roads: append([]Road{}, v.Roads...), Severity: v.Severity, Status: v.Status,
		Occurred: exportTime(v.Occurred), Detected: exportTime(v.Aware), Closed: exportTime(v.Closed),
		Countries: append([]string{}, v.Countries...), CrossBorder: v.Crosses, Indicators: []rsitValue{},
	}
	for _, it := range c.kept(ItemObservable) {
		if o := it.Observable; o != nil && o.Bad {
			out.Indicators = append(out.Indicators, rsitValue{string(o.Type), o.Value, it.Level.Label()})
		}
	}
	return out
}

// exportTime leaves a time out that is not there.
func exportTime(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC()
	return &t
}
