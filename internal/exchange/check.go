package exchange

import (
	"encoding/json"
	"strings"

	"github.com/polder-exchange/polder/stix"
	"github.com/polder-exchange/polder/stix/pattern"
)

// checked reads an object and holds it against everything that a single object must meet: its form, its markings, and
// where it is an indicator in STIX's own language, its pattern.
func checked(raw []byte) (stix.Object, error) {
	o, err := stix.Parse(raw)
	if err != nil {
		return o, err
	}
	if _, err := o.Level(); err != nil {
		return o, err
	}
	return o, checkPattern(o)
}

func checkPattern(o stix.Object) error {
	var version string
	_ = json.Unmarshal(o.Property("pattern_version"), &version) // its form is checked already
	if o.Type != "indicator" || o.PatternType != "stix" || strings.HasPrefix(version, "2.0") {
		return nil
	}
	p, err := pattern.Parse(o.Pattern)
	if err != nil {
		return &stix.Error{ID: o.ID, Property: "pattern", Text: err.Error()}
	}
	if wrong := p.Check(); len(wrong) > 0 {
		return &stix.Error{ID: o.ID, Property: "pattern", Text: wrong[0].Error()}
	}
	return nil
}
