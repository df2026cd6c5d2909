// Package sbom writes down what a binary was built from, as a CycloneDX 1.6 bill of materials (trust.md C2).
//
// The list comes from the binary itself: the modules that Go linked and recorded there, the standard library
// included. It is the same every time for the same binary: no time, no random number.
package sbom

import (
	"cmp"
	"encoding/json"
	"io"
	"runtime/debug"
	"slices"
	"strings"
)

// BOM is a bill of materials. Components that this package does not make itself are kept as they came.
type BOM struct {
	Format     string            `json:"bomFormat"`
	Spec       string            `json:"specVersion"`
	Version    int               `json:"version"`
	Metadata   Metadata          `json:"metadata"`
	Components []json.RawMessage `json:"components"`
}

// Metadata says what the bill is about.
type Metadata struct {
	Component Component `json:"component"`
}

// Component is a program or a library.
type Component struct {
	Type       string     `json:"type"`
	Ref        string     `json:"bom-ref"`
	Name       string     `json:"name"`
	Version    string     `json:"version,omitempty"`
	PURL       string     `json:"purl,omitempty"`
	Hashes     []Hash     `json:"hashes,omitempty"`
	Properties []Property `json:"properties,omitempty"`
}

// Hash is a checksum of a component.
type Hash struct {
	Algorithm string `json:"alg"`
	Content   string `json:"content"`
}

// Property is a fact for which CycloneDX has no field of its own.
type Property struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// Of makes the bill of what info describes.
func Of(info *debug.BuildInfo) BOM {
	main := component("application", info.Main)
	if main.Name == "" {
		main.Name, main.Ref, main.PURL = info.Path, info.Path, ""
	}
	for _, s := range info.Settings {
		if s.Value != "" && !strings.HasPrefix(s.Key, "-ldflags") {
			main.Properties = append(main.Properties, Property{"go:build:" + strings.TrimPrefix(s.Key, "-"), s.Value})
		}
	}
	b := BOM{Format: "CycloneDX", Spec: "1.6", Version: 1, Metadata: Metadata{main}}
	std := strings.TrimPrefix(info.GoVersion, "go")
	b.Add(Component{Type: "library", Ref: "pkg:golang/std@" + std, Name: "std", Version: std, PURL: "pkg:golang/std@" + std})
	deps := slices.Clone(info.Deps)
	slices.SortFunc(deps, func(a, b *debug.Module) int { return cmp.Compare(a.Path, b.Path) })
	for _, m := range deps {
		if m.Replace != nil {
			m = m.Replace
		}
		b.Add(component("library", *m))
	}
	return b
}

func component(kind string, m debug.Module) Component {
	c := Component{Type: kind, Name: m.Path, Version: m.Version, PURL: "pkg:golang/" + m.Path + "@" + m.Version}
	c.Ref = c.PURL
	if m.Sum != "" {
		c.Properties = []Property{{"go:sum", m.Sum}}
	}
	return c
}

// Add appends a component.
func (b *BOM) Add(c Component) {
	raw, err := json.Marshal(c)
	if err != nil {
		panic(err) // a struct of strings
	}
	b.Components = append(b.Components, raw)
}

// Merge appends the components of another CycloneDX bill in JSON: what is inside a dependency and no Go module names,
// such as C code that was translated.
func (b *BOM) Merge(other []byte) error {
	var o BOM
	if err := json.Unmarshal(other, &o); err != nil {
		return err
	}
	b.Components = append(b.Components, o.Components...)
	return nil
}

// Write writes the bill as JSON.
func (b BOM) Write(w io.Writer) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	return e.Encode(b)
}
