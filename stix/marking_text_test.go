package stix

import (
	"encoding/json"
	"testing"
)

// TestMarkingText: in JSON a level is its word, and every spelling that a person may write is read.
func TestMarkingText(t *testing.T) {
	for _, c := range []struct {
		in   string
		want Marking
		out  string
		why  string
	}{
		{`"amber+strict"`, AmberStrict, `"amber+strict"`, "the word"},
		{`"TLP:RED"`, Red, `"red"`, "the label"},
		{`""`, None, `""`, "no level was given"},
	} {
		var m Marking
		if err := json.Unmarshal([]byte(c.in), &m); err != nil || m != c.want {
			t.Errorf("%s is read as %v, %v: %s", c.in, m, err, c.why)
		}
		if out, err := json.Marshal(m); err != nil || string(out) != c.out {
			t.Errorf("%v is written as %s, %v: %s", m, out, err, c.why)
		}
	}
	var m Marking
	if json.Unmarshal([]byte(`"purple"`), &m) == nil || json.Unmarshal([]byte(`5`), &m) == nil {
		t.Error("what is no level was read as one")
	}
}
