package exchange

import (
	"strings"
	"testing"

	"github.com/polder-exchange/polder/stix"
)

func TestIsOwnDefinition(t *testing.T) {
	if len(definitions()) != 4 {
		t.Errorf("%d definitions are sound", len(definitions()))
	}
	for _, raw := range []string{proposalDefinition, questionDefinition, advisoryDefinition, blockedDefinition} {
		own, err := stix.Parse([]byte(raw))
		ok(t, err)
		other, err := stix.Parse([]byte(strings.Replace(raw, `"version":"1.0.0"`, `"version":"1.0.1"`, 1)))
		ok(t, err)
		if !IsOwnDefinition(own) || IsOwnDefinition(other) {
			t.Errorf("%s: own %t, with another version %t", own.ID, IsOwnDefinition(own), IsOwnDefinition(other))
		}
	}
}
