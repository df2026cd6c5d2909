package stix

// The domain objects of STIX 2.1, part 4.

var domainObjects = map[string]*spec{
	"attack-pattern": sdo("name", props{
		"name": text, "description": text, "aliases": texts, "kill_chain_phases": killChainPhases,
	}),
	"campaign": sdo("name", props{
		"name": text, "description": text, "aliases": texts, "first_seen": timestamp, "last_seen": timestamp, "objective": text,
	}, notBefore("first_seen", "last_seen")),
	"course-of-action": sdo("name", props{
		"name": text, "description": text, "action": forbidden("is a property that STIX keeps for itself; leave it out"),
	}),
	"grouping": sdo("context object_refs", props{
		"name": text, "description": text, "context": open(groupingContexts), "object_refs": objectRefs,
	}),
	"identity": sdo("name", props{
		"name": text, "description": text, "roles": texts, "identity_class": open(identityClasses),
		"sectors": list(open(industrySectors)), "contact_information": text,
	}),
	"incident": sdo("name", props{
		"name": text, "description": text,
	}),
	"indicator": sdo("pattern pattern_type valid_from", props{
		"name": text, "description": text, "indicator_types": list(open(indicatorTypes)), "pattern": text,
		"pattern_type": open(patternTypes), "pattern_version": text, "valid_from": timestamp, "valid_until": timestamp,
		"kill_chain_phases": killChainPhases,
	}, after("valid_from", "valid_until")),
	"infrastructure": sdo("name", props{
		"name": text, "description": text, "infrastructure_types": list(open(infrastructureTypes)), "aliases": texts,
		"kill_chain_phases": killChainPhases, "first_seen": timestamp, "last_seen": timestamp,
	}, notBefore("first_seen", "last_seen")),
	"intrusion-set": sdo("name", props{
		"name": text, "description": text, "aliases": texts, "first_seen": timestamp, "last_seen": timestamp, "goals": texts,
		"resource_level": open(resourceLevels), "primary_motivation": open(motivations),
		"secondary_motivations": list(open(motivations)),
	}, notBefore("first_seen", "last_seen")),
	"location": sdo("", props{
		"name": text, "description": text, "latitude": degrees(90), "longitude": degrees(180), "precision": number,
		"region": open(regions), "country": text, "administrative_area": text, "city": text, "street_address": text,
		"postal_code": text,
	}, atLeastOne("region", "country", "latitude", "longitude"), needs("latitude", "longitude"), needs("longitude", "latitude"),
		needs("precision", "latitude", "longitude")),
	"malware": sdo("is_family", props{
		"name": text, "description": text, "malware_types": list(open(malwareTypes)), "is_family": boolean, "aliases": texts,
		"kill_chain_phases": killChainPhases, "first_seen": timestamp, "last_seen": timestamp,
		"operating_system_refs": list(identifier("software")), "architecture_execution_envs": list(open(architectures)),
		"implementation_languages": list(open(programmingLanguages)), "capabilities": list(open(malwareCapabilities)),
		"sample_refs": list(identifier("artifact", "file")),
	}, notBefore("first_seen", "last_seen"), familyName),
	"malware-analysis": sdo("product", props{
		"product": text, "version": text, "host_vm_ref": identifier("software"), "operating_system_ref": identifier("software"),
		"installed_software_refs": list(identifier("software")), "configuration_version": text, "modules": texts,
		"analysis_engine_version": text, "analysis_definition_version": text, "submitted": timestamp,
		"analysis_started": timestamp, "analysis_ended": timestamp, "result_name": text, "result": open(analysisResults),
		"analysis_sco_refs": list(observableRef), "sample_ref": identifier("file", "network-traffic", "artifact"),
	}, atLeastOne("result", "analysis_sco_refs")),
	"note": sdo("content object_refs", props{
		"abstract": text, "content": text, "authors": texts, "object_refs": objectRefs,
	}),
	"observed-data": sdo("first_observed last_observed number_observed", props{
		"first_observed": timestamp, "last_observed": timestamp, "number_observed": between(1, 999_999_999),
		"objects": observedObjects, "object_refs": list(observableOrRelationRef),
	}, notBefore("first_observed", "last_observed"), exactlyOne("objects", "object_refs")),
	"opinion": sdo("opinion object_refs", props{
		"explanation": text, "authors": texts, "object_refs": objectRefs,
		"opinion": enum("strongly-disagree", "disagree", "neutral", "agree", "strongly-agree"),
	}),
	"report": sdo("name published object_refs", props{
		"name": text, "description": text, "report_types": list(open(reportTypes)), "published": timestamp, "object_refs": objectRefs,
	}),
	"threat-actor": sdo("name", props{
		"name": text, "description": text, "threat_actor_types": list(open(threatActorTypes)), "aliases": texts,
		"first_seen": timestamp, "last_seen": timestamp, "roles": list(open(threatActorRoles)), "goals": texts,
		"sophistication": open(sophistications), "resource_level": open(resourceLevels), "primary_motivation": open(motivations),
		"secondary_motivations": list(open(motivations)), "personal_motivations": list(open(motivations)),
	}, notBefore("first_seen", "last_seen")),
	"tool": sdo("name", props{
		"name": text, "description": text, "tool_types": list(open(toolTypes)), "aliases": texts,
		"kill_chain_phases": killChainPhases, "tool_version": text,
	}),
	"vulnerability": sdo("name", props{
		"name": text, "description": text,
	}),
}

var objectRefs = list(identifierNot("bundle"))

var (
	domainTypes = []string{
		"attack-pattern", "campaign", "course-of-action", "grouping", "identity", "incident", "indicator", "infrastructure",
		"intrusion-set", "location", "malware", "malware-analysis", "note", "observed-data", "opinion", "report",
		"threat-actor", "tool", "vulnerability",
	}
	relationTypes = []string{"relationship", "sighting"}
	metaTypes     = []string{"bundle", "extension-definition", "language-content", "marking-definition"}
)

var (
	observableRef           = identifierNot(joined(domainTypes, relationTypes, metaTypes)...)
	observableOrRelationRef = identifierNot(joined(domainTypes, metaTypes)...)
	domainOrObservableRef   = identifierNot(joined(relationTypes, metaTypes)...)
)

func joined(lists ...[]string) []string {
	var all []string
	for _, l := range lists {
		all = append(all, l...)
	}
	return all
}

func familyName(c *checker, n int32) {
	if c.d.isTrue(n, "is_family") && !c.d.has(n, "name") {
		c.failAt(n, "name", "is required where is_family is true")
	}
}

// observedObjects are the deprecated way of an observed-data to hold observables: by keys of one's own, to which their
// references lead. STIX 2.0 knows no other.
func observedObjects(c *checker, n int32) {
	if !c.isObject(n) {
		return
	}
	c.nested, c.container = true, n
	for key, v := range c.d.members(n) {
		back := c.enter(key)
		if !validKey(key) {
			c.fail(v, "is not a key of a dictionary; write at most 250 of a-z, A-Z, 0-9, _ and -")
		}
		c.object(v)
		if typ := c.d.textOf(v, "type"); c.table[typ] != nil && c.table[typ].class != observable {
			c.failAt(v, "type", "is "+typ+"; must be an observable")
		}
		c.path = c.path[:back]
	}
	c.nested = false
}
