package cases

import (
	"cmp"
	"slices"
	"strings"
	"time"
)

// This file writes a case as an incident of VERIS 1.3. What happened is told by what the case says of itself: its class,
// its roads, its damage. What it does not say is "Unknown"; nothing is guessed, least of all who did it and why.
//
//	class of RSIT                          action                                        attribute
//	abusive-content                        social: Spam, Other                           integrity: Alter behavior
//	malicious-code                         malware: C2, Downloader, Unknown              integrity: Software installation
//	information-gathering/scanner          hacking: Footprinting                         confidentiality
//	information-gathering/sniffing         physical: Wiretapping                         confidentiality
//	information-gathering/social-…         social: Elicitation                           integrity: Alter behavior
//	intrusion-attempts                     hacking: Brute force, Unknown                 confidentiality
//	intrusions/…-account-compromise        hacking: Use of stolen creds                  confidentiality
//	intrusions/application-compromise      hacking: Unknown, by Web application          integrity: Alter behavior
//	intrusions/system-compromise           hacking: Unknown                              integrity: Software installation
//	intrusions/burglary                    physical: Theft                               availability: Loss
//	availability/dos, ddos                 hacking: DoS                                  availability: Degradation
//	availability/misconfiguration, outage  error: Misconfiguration, Malfunction          availability: Interruption
//	availability/sabotage                  physical: Destruction                         availability: Destruction
//	information-content-security           error: Loss, or what its roads are            integrity: Modify data; availability: Loss
//	fraud                                  misuse: Other, Illicit content; social: Forgery, Phishing
//	vulnerable                             error: Misconfiguration, Omission             confidentiality
//	other, test, none                      unknown                                       confidentiality
//
// A road adds what it is: cyber hacking where the class says nothing, insider a misuse, acquisition social Influence, export social Pretexting, research social
// Elicitation. Confidentiality is always told, since it is what espionage is after.

// verisVersion is the schema whose words are used.
const verisVersion = "1.3"

// verisUnknown is the word of VERIS for what is not known.
const verisUnknown = "Unknown"

type verisIncident struct {
	SchemaVersion    string                    `json:"schema_version"`
	IncidentID       string                    `json:"incident_id"`
	SourceID         string                    `json:"source_id"`
	SecurityIncident string                    `json:"security_incident"`
	Confidence       string                    `json:"confidence"`
	Targeted         string                    `json:"targeted"`
	Summary          string                    `json:"summary"`
	Timeline         verisTimeline             `json:"timeline"`
	Victim           verisVictim               `json:"victim"`
	Actor            map[string]verisActor     `json:"actor"`
	Action           map[string]verisAction    `json:"action"`
	Asset            verisAsset                `json:"asset"`
	Attribute        map[string]verisAttribute `json:"attribute"`
	DiscoveryMethod  string                    `json:"discovery_method"`
	Impact           verisImpact               `json:"impact"`
	IOC              []verisIOC                `json:"ioc,omitempty"`
	Plus             verisPlus                 `json:"plus"`
}

type verisTimeline struct {
	Incident    verisDate  `json:"incident"`
	Discovery   *verisSpan `json:"discovery,omitempty"`
	Containment *verisSpan `json:"containment,omitempty"`
}

type verisDate struct {
	Year  int    `json:"year"`
	Month int    `json:"month"`
	Day   int    `json:"day"`
	Time  string `json:"time"`
}

type verisSpan struct {
	Unit  string `json:"unit"`
	Value int    `json:"value,omitempty"`
}

type verisVictim struct {
	VictimID      string   `json:"victim_id,omitempty"`
	Country       []string `json:"country"`
	EmployeeCount string   `json:"employee_count"`
	Industry      string   `json:"industry"` // NAICS
}

type verisActor struct {
	Country []string `json:"country,omitempty"`
	Variety []string `json:"variety,omitempty"`
	Motive  []string `json:"motive,omitempty"`
	Notes   string   `json:"notes,omitempty"`
}

type verisAction struct {
	Variety []string `json:"variety,omitempty"`
	Vector  []string `json:"vector,omitempty"`
	Target  []string `json:"target,omitempty"`
	Notes   string   `json:"notes,omitempty"`
}

type verisAsset struct {
	Assets []verisVariety `json:"assets"`
}

type verisVariety struct {
	Variety string `json:"variety"`
}

type verisAttribute struct {
	Variety        []string       `json:"variety,omitempty"`
	DataDisclosure string         `json:"data_disclosure,omitempty"`
	Data           []verisVariety `json:"data,omitempty"`
}

type verisImpact struct {
	OverallRating string      `json:"overall_rating"`
	Loss          []verisLoss `json:"loss,omitempty"`
}

type verisLoss struct {
	Variety string `json:"variety"`
	Rating  string `json:"rating"`
}

type verisIOC struct {
	Indicator string `json:"indicator"`
	Comment   string `json:"comment"`
}

// verisPlus is what VERIS leaves to who writes: the marking, and the words of RSIT.
type verisPlus struct {
	TLP      string     `json:"tlp"`
	RSIT     string     `json:"rsit"`
	Kind     Kind       `json:"kind"`
	Roads    []Road     `json:"roads"`
	Status   Status     `json:"status"`
	Created  time.Time  `json:"created"`
	Modified time.Time  `json:"modified"`
	Closed   *time.Time `json:"closed,omitempty"`
}

// verisOf is a case as an incident of VERIS.
func verisOf(c *exportCase) verisIncident {
	v := c.View
	class, kind := rsitSplit(v.Class)
	out := verisIncident{
		SchemaVersion: verisVersion, IncidentID: strings.TrimPrefix(string(v.ID), "case--"), SourceID: "polder",
		SecurityIncident: cmp.Or(verisCertainty[v.Kind], "Suspected"), Confidence: cmp.Or(verisConfidence[v.Status], "Low"), Targeted: verisUnknown, Summary: strings.TrimSpace(v.Title + "\n\n" + v.Summary),
		Timeline: verisTimes(v.Case), Victim: verisVictimOf(c), Actor: verisActors(v.Roads), Action: verisActions(class, kind, v.Roads),
		Asset: verisAsset{[]verisVariety{{verisAssets[class+"/"+kind]}}}, Attribute: verisAttributes(class, kind, c.Damage), DiscoveryMethod: verisUnknown,
		Impact: verisImpact{OverallRating: cmp.Or(verisRatings[v.Severity], verisUnknown)},
		Plus:   verisPlus{c.Level.Label(), class + "/" + kind, v.Kind, append([]Road{}, v.Roads...), v.Status, v.Opened.UTC(), v.Changed.UTC(), exportTime(v.Closed)},
	}
	if v.Kind == KindApproach {
		out.Targeted = "Targeted"
	}
	if out.Asset.Assets[0].Variety == "" {
		out.Asset.Assets[0].Variety = verisUnknown
	}
	if c.Damage != nil && slices.Contains([]Taken{TakenSome, TakenAll}, c.Damage.Taken) {
		out.Impact.Loss = []verisLoss{{"Competitive advantage", verisUnknown}}
	}
	if c.Ask.Named {
		out.SourceID, out.Victim.VictimID = c.Org.Name, c.Org.Name
	}
	for _, it := range c.kept(ItemObservable) {
		out.IOC = append(out.IOC, verisIOC{it.Observable.Value, string(it.Observable.Type) + ", " + it.Level.Label()})
	}
	return out
}

var (
	verisCertainty  = map[Kind]string{KindIncident: "Confirmed", KindNearMiss: "Near miss", KindApproach: "Suspected", KindSuspicion: "Suspected"}
	verisConfidence = map[Status]string{StatusOpen: "Low", StatusContained: "Medium", StatusClosed: "High"}
	verisRatings    = map[Severity]string{SeverityLow: "Insignificant", SeverityMedium: "Distracting", SeverityHigh: "Damaging", SeverityCritical: "Catastrophic"}
)

// verisAssets are the assets that a class is about by its meaning; none is unknown.
var verisAssets = map[string]string{
	"information-gathering/social-engineering": "P - Unknown", "fraud/phishing": "P - Unknown", "fraud/masquerade": "P - Unknown", "abusive-content/spam": "S - Mail",
	"abusive-content/harmful-speech": "P - Unknown", "intrusions/application-compromise": "S - Web application", "intrusions/system-compromise": "S - Unknown",
	"information-gathering/sniffing": "N - Unknown", "malicious-code/infected-system": "U - Unknown", "availability/dos": "S - Unknown", "availability/ddos": "S - Unknown",
}

// verisIndustries are sectors of the deadline rules as industries of NAICS.
var verisIndustries = map[string]string{
	"energy": "22", "drinking-water": "2213", "waste-water": "2213", "transport": "48", "banking": "5221", "financial-market": "5232", "health": "62", "digital-infrastructure": "518",
	"ict-services": "5415", "public-administration": "92", "space": "9271", "postal": "491", "waste-management": "562", "chemicals": "325", "food": "311", "manufacturing": "33",
	"digital-providers": "519", "research": "5417", "trust-services": "518", "financial": "52", "product-maker": "33",
}

func verisVictimOf(c *exportCase) verisVictim {
	out := verisVictim{Country: []string{verisUnknown}, EmployeeCount: verisUnknown, Industry: "00"}
	if c.Org.Country != "" && c.View.Victim == "" { // where another is hit, the organisation's country says nothing of it
		out.Country = []string{strings.ToUpper(c.Org.Country)}
	}
	if n := verisIndustries[c.View.Sector]; n != "" {
		out.Industry = n
	}
	return out
}

// verisTimes say when it was, how long it took until it was noticed, and how long from then until it was over.
func verisTimes(v Case) verisTimeline {
	at := v.Occurred
	if at.IsZero() {
		at = v.Aware
	}
	if at.IsZero() {
		at = v.Opened
	}
	at = at.UTC()
	out := verisTimeline{Incident: verisDate{at.Year(), int(at.Month()), at.Day(), at.Format("15:04")}}
	if !v.Occurred.IsZero() && !v.Aware.IsZero() {
		out.Discovery = verisSpanOf(v.Aware.Sub(v.Occurred))
	}
	if !v.Ended.IsZero() && !v.Aware.IsZero() {
		out.Containment = verisSpanOf(v.Ended.Sub(v.Aware))
	}
	return out
}

// verisSpanOf is a time in the largest unit of which it holds at least one.
func verisSpanOf(d time.Duration) *verisSpan {
	const day = 24 * time.Hour
	for _, u := range []struct {
		name string
		long time.Duration
	}{{"Years", 365 * day}, {"Months", 30 * day}, {"Weeks", 7 * day}, {"Days", day}, {"Hours", time.Hour}, {"Minutes", time.Minute}, {"Seconds", time.Second}} {
		if d >= u.long {
			return &verisSpan{u.name, int(d / u.long)}
		}
	}
	return &verisSpan{Unit: "NA"}
}

// verisActors are who may have done it, as far as the roads say; what they are and why is never claimed.
func verisActors(roads []Road) map[string]verisActor {
	out := map[string]verisActor{}
	for _, r := range roads {
		switch r {
		case RoadInsider:
			out["internal"] = verisActor{Variety: []string{verisUnknown}, Motive: []string{verisUnknown}}
		case RoadCyber, RoadAcquisition, RoadExport, RoadResearch:
			out["external"] = verisActor{Country: []string{verisUnknown}, Variety: []string{verisUnknown}, Motive: []string{verisUnknown}}
		}
	}
	if len(out) == 0 {
		out["unknown"] = verisActor{Notes: "not known"}
	}
	return out
}

// verisStep is one action with its varieties and vectors.
type verisStep struct{ category, variety, vector string }

// verisSteps are the actions of classes.
var verisSteps = map[string]verisStep{
	"abusive-content/spam": {"social", "Spam", "Email"}, "abusive-content/harmful-speech": {"social", "Other", verisUnknown}, "abusive-content/violence": {"social", "Other", verisUnknown},
	"malicious-code/infected-system": {"malware", verisUnknown, verisUnknown}, "malicious-code/c2-server": {"malware", "C2", verisUnknown},
	"malicious-code/malware-distribution": {"malware", "Downloader", "Web download"}, "malicious-code/malware-configuration": {"malware", verisUnknown, verisUnknown},
	"information-gathering/scanner": {"hacking", "Footprinting", verisUnknown}, "information-gathering/sniffing": {"physical", "Wiretapping", verisUnknown},
	"information-gathering/social-engineering": {"social", "Elicitation", verisUnknown},
	"intrusion-attempts/ids-alert":             {"hacking", verisUnknown, verisUnknown}, "intrusion-attempts/brute-force": {"hacking", "Brute force", verisUnknown}, "intrusion-attempts/exploit": {"hacking", verisUnknown, verisUnknown},
	"intrusions/privileged-account-compromise": {"hacking", "Use of stolen creds", verisUnknown}, "intrusions/unprivileged-account-compromise": {"hacking", "Use of stolen creds", verisUnknown},
	"intrusions/application-compromise": {"hacking", verisUnknown, "Web application"}, "intrusions/system-compromise": {"hacking", verisUnknown, verisUnknown}, "intrusions/burglary": {"physical", "Theft", verisUnknown},
	"availability/dos": {"hacking", "DoS", verisUnknown}, "availability/ddos": {"hacking", "DoS", verisUnknown}, "availability/misconfiguration": {"error", "Misconfiguration", verisUnknown},
	"availability/sabotage": {"physical", "Destruction", verisUnknown}, "availability/outage": {"error", "Malfunction", verisUnknown},
	"information-content-security/data-loss": {"error", "Loss", verisUnknown},
	"fraud/unauthorised-use-of-resources":    {"misuse", "Other", verisUnknown}, "fraud/copyright": {"misuse", "Illicit content", verisUnknown}, "fraud/masquerade": {"social", "Forgery", verisUnknown}, "fraud/phishing": {"social", "Phishing", "Email"},
	"vulnerable/weak-crypto": {"error", "Misconfiguration", verisUnknown}, "vulnerable/ddos-amplifier": {"error", "Misconfiguration", verisUnknown},
	"vulnerable/potentially-unwanted-accessible": {"error", "Misconfiguration", verisUnknown}, "vulnerable/information-disclosure": {"error", "Misconfiguration", verisUnknown}, "vulnerable/vulnerable-system": {"error", "Omission", verisUnknown},
}

// verisRoads are the actions that a road is.
var verisRoads = map[Road]verisStep{
	RoadInsider: {"misuse", verisUnknown, verisUnknown}, RoadAcquisition: {"social", "Influence", verisUnknown},
	RoadExport: {"social", "Pretexting", verisUnknown}, RoadResearch: {"social", "Elicitation", verisUnknown},
}

func verisActions(class, kind string, roads []Road) map[string]verisAction {
	out := map[string]verisAction{}
	add := func(s verisStep) {
		a := out[s.category]
		a.Variety, a.Vector = verisAdd(a.Variety, s.variety), verisAdd(a.Vector, s.vector)
		if s.category == "social" {
			a.Target = []string{verisUnknown}
		}
		out[s.category] = a
	}
	if s, ok := verisSteps[class+"/"+kind]; ok {
		add(s)
	} else if slices.Contains(roads, RoadCyber) {
		add(verisStep{"hacking", verisUnknown, verisUnknown})
	}
	for _, r := range roads {
		if s, ok := verisRoads[r]; ok {
			add(s)
		}
	}
	if len(out) == 0 {
		out["unknown"] = verisAction{Notes: "not known"}
	}
	return out
}

// verisAdd adds a word once; a known one takes the place of "Unknown".
func verisAdd(list []string, word string) []string {
	switch {
	case slices.Contains(list, word), word == verisUnknown && len(list) > 0:
		return list
	case len(list) == 1 && list[0] == verisUnknown:
		return []string{word}
	}
	return append(list, word)
}

func verisAttributes(class, kind string, d *DamageView) map[string]verisAttribute {
	secret := verisAttribute{DataDisclosure: verisUnknown}
	if d != nil {
		secret.DataDisclosure = map[Taken]string{TakenNothing: "No", TakenMaybe: "Potentially", TakenSome: "Yes", TakenAll: "Yes"}[d.Taken]
		if d.Taken != TakenNothing && len(d.Jewels) > 0 {
			secret.Data = []verisVariety{{"Secrets"}}
		}
	}
	if secret.DataDisclosure == "" {
		secret.DataDisclosure = verisUnknown
	}
	out := map[string]verisAttribute{"confidentiality": secret}
	full := class + "/" + kind
	for of, word := range map[string]string{"malicious-code": "Software installation", "intrusions/system-compromise": "Software installation", "intrusions/application-compromise": "Alter behavior",
		"information-gathering/social-engineering": "Alter behavior", "abusive-content": "Alter behavior", "fraud/phishing": "Alter behavior", "information-content-security/unauthorised-information-modification": "Modify data"} {
		if of == class || of == full {
			out["integrity"] = verisAttribute{Variety: []string{word}}
		}
	}
	for of, word := range map[string]string{"availability/dos": "Degradation", "availability/ddos": "Degradation", "availability/misconfiguration": "Interruption", "availability/outage": "Interruption",
		"availability/sabotage": "Destruction", "information-content-security/data-loss": "Loss", "intrusions/burglary": "Loss"} {
		if of == full {
			out["availability"] = verisAttribute{Variety: []string{word}}
		}
	}
	return out
}
