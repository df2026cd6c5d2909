package event

import "slices"

// Logs in the two common schemas, ECS and OCSF, name their kind of event in words of their own. Sigma's categories follow
// from them; the names of the fields are in the mapping.

// Where the kinds below look.
const (
	seenProduct = iota
	seenCategory
	seenService
	ecsCategory
	ecsType
	ecsOS
	ecsFamily
	ocsfClass
	ocsfActivity
	ocsfOS
	ocsfOSID
	ecsPlatform
)

// schemaPaths are watched in JSON of which nothing else is known.
var schemaPaths = []string{
	seenProduct: "product", seenCategory: "category", seenService: "service",
	ecsCategory: "event.category", ecsType: "event.type", ecsOS: "host.os.type", ecsFamily: "host.os.family",
	ocsfClass: "class_uid", ocsfActivity: "activity_id", ocsfOS: "device.os.name", ocsfOSID: "device.os.type_id",
	ecsPlatform: "host.os.platform",
}

// ecsCategories are Sigma's categories by event.category and event.type.
var ecsCategories = map[[2]string][]string{
	{"process", "start"}:      {"process_creation"},
	{"process", "end"}:        {"process_termination"},
	{"process", "access"}:     {"process_access"},
	{"file", "creation"}:      {"file_event"},
	{"file", "deletion"}:      {"file_delete"},
	{"file", "access"}:        {"file_access"},
	{"file", "change"}:        {"file_change"},
	{"registry", "change"}:    {"registry_set", "registry_event"},
	{"registry", "creation"}:  {"registry_add", "registry_event"},
	{"registry", "deletion"}:  {"registry_delete", "registry_event"},
	{"network", "connection"}: {"network_connection"},
	{"network", "start"}:      {"network_connection"},
	{"network", "allowed"}:    {"firewall"},
	{"network", "denied"}:     {"firewall"},
	{"network", "protocol"}:   {"dns_query", "dns"},
	{"library", "start"}:      {"image_load"},
	{"driver", "start"}:       {"driver_load"},
	{"driver", "info"}:        {"driver_load"},
	{"web", "access"}:         {"webserver", "proxy"},
	{"malware", "info"}:       {"antivirus"},
	{"network", "info"}:       {"firewall"},
}

// ocsfCategories are Sigma's categories by class_uid and activity_id.
var ocsfCategories = map[[2]string][]string{
	{"1007", "1"}:   {"process_creation"},
	{"1007", "2"}:   {"process_termination"},
	{"1007", "3"}:   {"process_access"},
	{"1007", "4"}:   {"create_remote_thread"},
	{"1001", "1"}:   {"file_event"},
	{"1001", "2"}:   {"file_access"},
	{"1001", "3"}:   {"file_change"},
	{"1001", "4"}:   {"file_delete"},
	{"1001", "5"}:   {"file_rename"},
	{"1002", "1"}:   {"driver_load"},
	{"1005", "1"}:   {"image_load"},
	{"4001", "1"}:   {"network_connection"},
	{"4001", "5"}:   {"firewall"},
	{"4002", ""}:    {"webserver", "proxy"},
	{"4003", ""}:    {"dns_query", "dns"},
	{"201001", "1"}: {"registry_add", "registry_event"},
	{"201001", "4"}: {"registry_delete", "registry_event"},
	{"201002", "2"}: {"registry_set", "registry_event"},
	{"201002", "1"}: {"registry_set", "registry_event"},
	{"201002", "4"}: {"registry_delete", "registry_event"},
}

// systems are the names and numbers of operating systems by Sigma's product.
var systems = map[string]string{
	"windows": "windows", "100": "windows", "linux": "linux", "200": "linux", "debian": "linux", "redhat": "linux",
	"ubuntu": "linux", "centos": "linux", "macos": "macos", "300": "macos", "darwin": "macos",
}

// schemaSource is the source of JSON of which nothing else is known: by what it says itself, in members named as in
// Sigma's logsource; by ECS; by OCSF. It is worked out once for each set of words.
func (r *jsonReader) schemaSource(e *Event) *Source {
	key := r.words[:0]
	for i := range schemaPaths {
		f := r.seen(i)
		if f == nil || f.Kind == Null || len(f.Value) > 64 {
			key = append(key, 0)
			continue
		}
		key = append(append(key, f.Value...), 0)
		if i != ecsCategory && i != ecsType {
			continue
		}
		for k := range e.Fields {
			if g := &e.Fields[k]; g.Name == f.Name && g != f && len(key) < 512 && len(g.Value) < 64 {
				key = append(append(key, g.Value...), 1)
			}
		}
	}
	r.words = key
	if s, ok := r.known[string(key)]; ok {
		return s
	}
	if len(r.known) >= maxSources || r.known == nil {
		r.known = map[string]*Source{}
	}
	s := r.schemaWords(e)
	r.known[string(key)] = s
	return s
}

func (r *jsonReader) schemaWords(e *Event) *Source {
	text := func(i int) string {
		if f := r.seen(i); f != nil && f.Kind != Null {
			return lowered(f.Text(nil))
		}
		return ""
	}
	one := func(s string) []string {
		if s == "" {
			return nil
		}
		return []string{s}
	}
	system := ""
	for _, i := range []int{ecsOS, ecsFamily, ecsPlatform, ocsfOSID, ocsfOS} {
		if system == "" {
			system = systems[firstWord(text(i))]
		}
	}
	product := text(seenProduct)
	switch {
	case product != "":
	case text(ecsCategory) != "":
		var found []string
		for _, c := range e.all("event.category") {
			for _, t := range e.all("event.type") {
				found = append(found, ecsCategories[[2]string{c, t}]...)
			}
		}
		slices.Sort(found)
		return knownSource(system, slices.Compact(found), one(text(seenService)))
	case text(ocsfClass) != "":
		found, ok := ocsfCategories[[2]string{text(ocsfClass), text(ocsfActivity)}]
		if !ok {
			found = ocsfCategories[[2]string{text(ocsfClass), ""}]
		}
		return knownSource(system, found, nil)
	}
	if product == "" {
		product = system
	}
	return knownSource(product, one(text(seenCategory)), one(text(seenService)))
}
