package stix

// The relationship objects of STIX 2.1, part 5.

var relationObjects = map[string]*spec{
	"relationship": sro("relationship_type source_ref target_ref", props{
		"relationship_type": relationshipType, "description": text, "source_ref": domainOrObservableRef,
		"target_ref": domainOrObservableRef, "start_time": timestamp, "stop_time": timestamp,
	}, after("start_time", "stop_time")),
	"sighting": sro("sighting_of_ref", props{
		"description": text, "first_seen": timestamp, "last_seen": timestamp, "count": between(0, 999_999_999),
		"sighting_of_ref": sightable, "observed_data_refs": list(identifier("observed-data")),
		"where_sighted_refs": list(identifier("identity", "location")), "summary": boolean,
	}, notBefore("first_seen", "last_seen")),
}

var relationshipType = textWith(func(s string) string {
	for i := range len(s) {
		if c := s[i]; !(c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '-') {
			return "is " + quoted(s) + "; write a-z, 0-9 and hyphens"
		}
	}
	if s == "" {
		return "must not be empty; write a-z, 0-9 and hyphens"
	}
	return ""
})

// sightable is a domain object, the standard's or one's own; what was seen itself goes into observed_data_refs.
var sightable = identifierNot(joined(observableTypes, relationTypes, metaTypes)...)
