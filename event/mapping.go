package event

// Mapping says under which names the fields of a format may be asked for: Sigma's taxonomy, ECS and OCSF, beside the
// path in the log itself. It is read from mapping files; see the folder mappings.
type Mapping struct {
	name  string
	alias map[string][]string
}

// Name is the mapping's name: that of its file.
func (m *Mapping) Name() string { return m.name }

// Names is every name under which the field at path may be asked for, the path itself first. Engines call it once for
// each path they meet and remember the answer, by mapping and [Name].
func (m *Mapping) Names(path string) []string {
	return append([]string{path}, m.alias[path]...)
}

// mappingOf is the mapping shipped under this name; one without aliases when there is none.
func mappingOf(name string) *Mapping {
	return &noAlias
}

var noAlias Mapping
