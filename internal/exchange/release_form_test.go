package exchange

import (
	"strings"
	"testing"

	"github.com/polder-exchange/polder/internal/exchange/release"
)

// TestReleaseForm: the profile that the help shows is one, and a part of the wrong form is named as people write it.
func TestReleaseForm(t *testing.T) {
	p, err := readProfile(strings.NewReader(releaseShape))
	ok(t, err)
	_, err = release.Compile(p)
	ok(t, err)
	if len(p.Forbidden) != 1 || len(p.Facts.Staff) != 1 || len(p.Facts.Suffixes) != 1 || len(p.Keep) != 1 {
		t.Errorf("the form leaves something empty: %+v", p)
	}
	for _, bad := range []string{`{"forbidden":["Tulp"]}`, `{"facts":{"staff":["Sanne"]}}`, `[]`} {
		_, err := readProfile(strings.NewReader(bad))
		if err == nil || strings.Contains(err.Error(), "Go ") || strings.Contains(err.Error(), "unmarshal") {
			t.Errorf("%s: %v", bad, err)
		}
	}
}
