package event

import (
	"embed"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
)

// Mapping says under which names the fields of a format may be asked for: Sigma's taxonomy, ECS and OCSF, beside the
// path in the log itself. It is read from mapping files; see [ReadMapping] and the folder mappings.
type Mapping struct {
	name   string
	strip  []string            // the longest first
	groups map[string][]string // by any name of a group, all its names
	rename map[string][]string // by the path in the log, further names
}

// Name is the mapping's name, as its file says.
func (m *Mapping) Name() string { return m.name }

// Names is every name under which the field at path may be asked for, the path itself first. Engines call it once for
// each path they meet and remember the answer, by mapping and [Name].
func (m *Mapping) Names(path string) []string {
	names := []string{path}
	add := func(more ...string) {
		for _, n := range more {
			if !slices.Contains(names, n) {
				names = append(names, n)
			}
		}
	}
	bare := m.bare(path)
	if bare != path {
		add(bare)
	}
	for _, p := range []string{path, bare} {
		add(m.rename[p]...)
	}
	for _, p := range slices.Clone(names) {
		add(m.groups[p]...)
	}
	return names
}

// paths are paths in a log at which the field may be found: what Names takes apart, put together.
func (m *Mapping) paths(field string) []string {
	var all []string
	for path, names := range m.rename {
		if slices.Contains(names, field) {
			all = append(all, path)
		}
	}
	for _, name := range append([]string{field}, m.groups[field]...) {
		all = append(all, name)
		for _, s := range m.strip {
			all = append(all, s+name)
		}
	}
	return all
}

// bare is the path without what the format puts around its fields.
func (m *Mapping) bare(path string) string {
	for changed := true; changed; {
		changed = false
		for _, s := range m.strip {
			if rest, ok := strings.CutPrefix(path, s); ok && rest != "" {
				path, changed = rest, true
				break
			}
		}
	}
	path = strings.TrimSuffix(path, ".#text")
	return strings.ReplaceAll(path, ".#attributes.", "_")
}

//go:embed mappings/*.yml
var mappingFiles embed.FS

var shipped struct {
	sync.Mutex
	byName map[string]*Mapping
}

// Mappings are the names of the mappings that are shipped.
func Mappings() []string {
	files, err := mappingFiles.ReadDir("mappings")
	if err != nil {
		return nil
	}
	var names []string
	for _, f := range files {
		names = append(names, strings.TrimSuffix(f.Name(), ".yml"))
	}
	return names
}

// MappingOf is the mapping shipped under this name, the same pointer each time; one that knows no other names when the
// name is "". Shipped files are sound: a test reads them all.
func MappingOf(name string) *Mapping {
	shipped.Lock()
	defer shipped.Unlock()
	m, err := shippedMapping(name, 0)
	if err != nil {
		return &noAlias
	}
	return m
}

var noAlias Mapping

// shippedMapping reads a shipped mapping and what it uses; the caller holds the lock.
func shippedMapping(name string, depth int) (*Mapping, error) {
	if m := shipped.byName[name]; m != nil {
		return m, nil
	}
	f, err := mappingFiles.Open("mappings/" + name + ".yml")
	if err != nil || depth > maxUse {
		return nil, fmt.Errorf("no mapping %q is shipped; there are %s", name, strings.Join(Mappings(), ", "))
	}
	defer f.Close()
	m, err := readMapping(f, name+".yml", depth+1)
	if err != nil {
		return nil, err
	}
	if shipped.byName == nil {
		shipped.byName = map[string]*Mapping{}
	}
	shipped.byName[name] = m
	return m, nil
}

// maxUse is how deep mappings may use one another.
const maxUse = 4

// ReadMapping reads a mapping file, in YAML:
//
//	name: acme                    # of the mapping
//	use: [windows]                # shipped mappings whose names hold here too
//	strip: [acme.data.]           # what stands before the fields' own names
//	rename:                       # a path in the log, and its name or names in Sigma's words
//	  acme.proc: Image
//	fields:                       # names that mean the same: of Sigma's taxonomy, of ECS, of OCSF; a name or a list
//	  - {sigma: Image, ecs: process.executable, ocsf: process.file.path}
//
// The error is an *Error with the line, and says what would be right.
func ReadMapping(r io.Reader) (*Mapping, error) {
	shipped.Lock()
	defer shipped.Unlock()
	return readMapping(r, "", 0)
}

// merge takes over what another mapping knows.
func (m *Mapping) merge(from *Mapping) {
	m.strip = append(m.strip, from.strip...)
	for k, v := range from.rename {
		m.alias(k, v)
	}
	for k, v := range from.groups {
		m.group(k, v)
	}
}

func (m *Mapping) alias(path string, names []string) {
	if m.rename == nil {
		m.rename = map[string][]string{}
	}
	m.rename[path] = append(m.rename[path], names...)
}

func (m *Mapping) group(name string, all []string) {
	if m.groups == nil {
		m.groups = map[string][]string{}
	}
	for _, n := range all {
		if n != name && !slices.Contains(m.groups[name], n) {
			m.groups[name] = append(m.groups[name], n)
		}
	}
}
