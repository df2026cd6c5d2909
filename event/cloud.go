package event

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
