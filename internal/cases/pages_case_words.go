package cases

import (
	"strings"

	"github.com/polder-exchange/polder/internal/web"
	"github.com/polder-exchange/polder/stix"
)

// This file says the words of a case as people read them, for all its pages.

// The orders in which choices are offered.
var (
	caseKinds      = []Kind{KindIncident, KindNearMiss, KindApproach, KindSuspicion}
	caseRoads      = []Road{RoadCyber, RoadInsider, RoadAcquisition, RoadExport, RoadResearch, RoadUnknown}
	caseSeverities = []Severity{SeverityLow, SeverityMedium, SeverityHigh, SeverityCritical}
	caseStatuses   = []Status{StatusOpen, StatusContained, StatusClosed}
	caseLevels     = []stix.Marking{stix.Red, stix.AmberStrict, stix.Amber, stix.Green, stix.Clear}
	caseParts      = []Part{PartLead, PartWork, PartRead, PartContact}
)

// caseClasses are the entries of the Reference Security Incident Taxonomy, in the order in which they are offered: what
// espionage comes to first.
var caseClasses = []string{
	"information-content-security/data-leak", "information-content-security/unauthorised-information-access", "information-content-security/unauthorised-information-modification", "information-content-security/data-loss",
	"intrusions/unprivileged-account-compromise", "intrusions/privileged-account-compromise", "intrusions/application-compromise", "intrusions/system-compromise", "intrusions/burglary",
	"information-gathering/social-engineering", "information-gathering/scanner", "information-gathering/sniffing",
	"fraud/phishing", "fraud/masquerade", "fraud/unauthorised-use-of-resources", "fraud/copyright",
	"intrusion-attempts/brute-force", "intrusion-attempts/ids-alert", "intrusion-attempts/exploit",
	"malicious-code/infected-system", "malicious-code/c2-server", "malicious-code/malware-distribution", "malicious-code/malware-configuration",
	"availability/sabotage", "availability/dos", "availability/ddos", "availability/misconfiguration", "availability/outage",
	"vulnerable/vulnerable-system", "vulnerable/potentially-unwanted-accessible", "vulnerable/information-disclosure", "vulnerable/weak-crypto", "vulnerable/ddos-amplifier",
	"abusive-content/harmful-speech", "abusive-content/spam", "abusive-content/violence",
	"other/other", "other/undetermined", "test/test",
}

// caseClassText is a class of the taxonomy in plain words; one that is not in it as it stands.
func caseClassText(words web.Words, class string) string {
	key := "cases.class." + strings.ReplaceAll(class, "/", "-")
	if class == "" || !words.Has(key) {
		return class
	}
	return words.T(key)
}

// caseRoadsText says roads in a line.
func caseRoadsText(words web.Words, roads []Road) string {
	said := make([]string, len(roads))
	for i, r := range roads {
		said[i] = words.T("cases.road." + string(r))
	}
	return strings.Join(said, ", ")
}

// caseWord says a word of a fixed set, of which key begins the names of the texts; nothing where the reader may not know it.
func caseWord[T ~string](words web.Words, key string, word T) string {
	if word == "" {
		return ""
	}
	return words.T(key + string(word))
}

// caseStatusMark is a status in a word with its sign; nothing where there is none.
func caseStatusMark(words web.Words, s Status) caseMark {
	m := map[Status]caseMark{StatusOpen: {Class: "info", Icon: "flag"}, StatusContained: {Class: "warn", Icon: "shield"}, StatusClosed: {Class: "ok", Icon: "check"}}[s]
	m.Text = caseWord(words, "cases.status.", s)
	return m
}

// caseSeverityMark is a severity in a word with its sign; high and critical stand out.
func caseSeverityMark(words web.Words, s Severity) caseMark {
	m := map[Severity]caseMark{SeverityHigh: {Class: "warn", Icon: "alert"}, SeverityCritical: {Class: "bad", Icon: "alert"}}[s]
	m.Text = caseWord(words, "cases.severity.", s)
	return m
}
