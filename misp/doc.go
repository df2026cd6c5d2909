// Package misp goes between MISP events (the JSON of the MISP core format) and STIX 2.1 objects.
//
// [ToSTIX] makes of an event a report, of each attribute the object that says the same: an indicator where the attribute
// is meant for detection (to_ids) and its type has a pattern, else observed data with its observables, a vulnerability,
// or a note. Objects of MISP become groupings, references between them relationships, galaxy clusters threat actors,
// intrusion sets, malware, tools and techniques, event reports notes, TLP and PAP tags markings. Identifiers follow
// from the UUIDs of MISP, so that the same event always gives the same objects. [FromSTIX] goes back, and makes an event
// of objects that never came from MISP as far as MISP has words for them. What cannot be carried is told, never dropped
// in silence.
//
// What STIX has no property for travels in labels of the form misp:key="value", the comment of a note or of observed
// data in the property x_misp_comment. The name of the organisation that created the event, the mail address of its
// author and the organisations behind sightings are left out unless asked for: who shares decides whether it is named.
package misp
