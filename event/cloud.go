package event

import "bytes"

// The audit logs of AWS.

var cloudTrail = &jsonKind{
	format: CloudTrail,
	sure: func(e *Event) int {
		if e.has("eventSource", "eventName") == 2 && e.has("awsRegion", "eventVersion", "userIdentity.type", "recipientAccountId") > 0 {
			return 95
		}
		return 0
	},
	times:  []stamp{{"eventTime", readStamp}, {"@timestamp", readStamp}},
	whole:  []string{"requestParameters", "responseElements", "additionalEventData", "serviceEventDetails"},
	source: func(*jsonReader, *Event) *Source { return fromCloudTrail },
}

var fromCloudTrail = knownSource("aws", nil, []string{"cloudtrail"})

// The unified audit log of Microsoft 365: the records themselves, records in the AuditData of an export, and records of
// the audit log query of Graph.

var m365 = &jsonKind{
	format: M365,
	sure: func(e *Event) int {
		switch {
		case e.has("Operation", "Workload") == 2 && e.has("RecordType", "CreationTime", "OrganizationId", "UserType") > 0,
			e.has("auditData.Operation", "auditData.Workload") == 2:
			return 95
		case e.has("AuditData") == 1 && e.has("Operations", "Operation", "RecordType", "UserIds", "UserId") > 0:
			return 95
		}
		return 0
	},
	watch:  []string{"Workload", "auditData.Workload", "AuditData"},
	times:  []stamp{{"CreationTime", readStamp}, {"auditData.CreationTime", readStamp}, {"CreationDate", readStamp}, {"createdDateTime", readStamp}},
	whole:  []string{"Parameters", "ExtendedProperties", "ModifiedProperties", "OperationProperties", "auditData.Parameters"},
	finish: openAuditData,
	source: m365Source,
	pairs: []nameValues{
		{"ExtendedProperties", "Name", []string{"Value"}},
		{"Parameters", "Name", []string{"Value"}},
		{"OperationProperties", "Name", []string{"Value"}},
		{"DeviceProperties", "Name", []string{"Value"}},
		{"ModifiedProperties", "Name", []string{"NewValue", "OldValue"}},
		{"auditData.ExtendedProperties", "Name", []string{"Value"}},
		{"auditData.Parameters", "Name", []string{"Value"}},
		{"auditData.OperationProperties", "Name", []string{"Value"}},
		{"auditData.DeviceProperties", "Name", []string{"Value"}},
		{"auditData.ModifiedProperties", "Name", []string{"NewValue", "OldValue"}},
	},
}

// openAuditData adds the fields of the record that an export holds as text in AuditData.
func openAuditData(r *jsonReader, e *Event) {
	f := r.seen(2)
	if f == nil || f.Kind != String {
		return
	}
	text := f.Value
	if f.Escaped {
		text = f.Text(r.keep(len(f.Value)))
	}
	before, at, times := len(e.Fields), r.at, r.times
	if !r.walk(bytes.TrimSpace(text)) {
		e.Fields, r.at, r.times = e.Fields[:before], at, times
	}
}

var (
	fromM365         = knownSource("m365", nil, []string{"audit"})
	fromM365Exchange = knownSource("m365", nil, []string{"audit", "exchange"})
	fromM365Threats  = knownSource("m365", nil, []string{"audit", "threat_management", "threat_detection"})
)

func m365Source(r *jsonReader, _ *Event) *Source {
	w := r.seen(0)
	if w == nil {
		w = r.seen(1)
	}
	if w == nil {
		return fromM365
	}
	switch string(w.Value) {
	case "Exchange":
		return fromM365Exchange
	case "SecurityComplianceCenter", "ThreatIntelligence", "MicrosoftDefenderForEndpoint", "MCAS", "CloudAppSecurity":
		return fromM365Threats
	}
	return fromM365
}
