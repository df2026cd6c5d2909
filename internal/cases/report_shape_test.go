package cases

import (
	"net/http"
	"strings"
	"testing"
)

// TestReportShape: who writes a client by hand and gets the body wrong reads what a body looks like, and nothing is kept.
func TestReportShape(t *testing.T) {
	w := newDeskWorld(t)
	w.acme()
	for _, c := range []struct {
		why  string
		body map[string]any
		want string
	}{
		{"the answers stand at the top", map[string]any{"what": "Somebody photographed the drawings"}, `what: is not known; known are to, also, box, thread, files, answers, anonymous`},
		{"an answer that is none", map[string]any{"answers": map[string]any{"what": "A drone", "where": "roof"}}, `answers.where: is not known; known are what, noticed`},
		{"a text in place of answers", map[string]any{"answers": "A drone"}, "cannot unmarshal string"},
	} {
		res := w.send("", "POST", "/api/v1/reports", c.body)
		got := strings.ReplaceAll(res.Body.String(), `\"`, `"`)
		if res.Code != http.StatusBadRequest {
			t.Errorf("%s: %d %s", c.why, res.Code, got)
		}
		deskHolds(t, c.why, got, c.want, `{"answers":{"what":`, `"anonymous":true}`, "or {\"box\":")
	}
	if all := w.inbox("anna"); len(all) != 0 {
		t.Errorf("%d reports were kept", len(all))
	}
	res := w.send("carla", "POST", "/api/v1/desks", map[string]any{"nmae": "A desk"})
	if res.Code != http.StatusBadRequest {
		t.Errorf("a desk: %d %s", res.Code, res.Body)
	}
	deskHolds(t, "a desk", res.Body.String(), "nmae: is not known; known are alias, name, kind")
}
