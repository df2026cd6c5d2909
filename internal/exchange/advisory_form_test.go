package exchange

import (
	"testing"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/web"
)

// TestRefusal: why something was not done is a sentence, whatever letter it begins with and however it ends.
func TestRefusal(t *testing.T) {
	for said, want := range map[string]string{
		"name: is empty":      "Name: is empty.",
		"éolienne: not known": "Éolienne: not known.",
		"write it again.":     "Write it again.",
	} {
		if got := refusal(web.Words{}, polder.Errorf(polder.Invalid, "%s", said)); len(got) != 1 || got[0].Text != want {
			t.Errorf("%q is shown as %+v, want %q", said, got, want)
		}
	}
	if got := refusal(web.Words{}, nil); got != nil {
		t.Errorf("nothing refused is shown as %+v", got)
	}
}
