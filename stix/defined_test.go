package stix

import "testing"

func TestDefined(t *testing.T) {
	for _, c := range []struct {
		typ, property string
		want          bool
		why           string
	}{
		{"indicator", "pattern", true, "its own"},
		{"indicator", "labels", true, "of all that have versions"},
		{"file", "labels", true, "known, and refused there: nobody's custom property"},
		{"indicator", "x_risk", false, "custom"},
		{"indicator", "risk", false, "no property of the standard"},
		{"x-thing", "name", false, "no type of the standard"},
	} {
		if got := Defined(c.typ, c.property); got != c.want {
			t.Errorf("%s.%s: %v (%s)", c.typ, c.property, got, c.why)
		}
	}
	if !Standard("file") || Standard("x-thing") {
		t.Error("a type is taken for another's")
	}
}
