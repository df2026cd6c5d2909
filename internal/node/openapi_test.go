package node

import (
	"encoding/json"
	"strings"
	"testing"
)

// TestOpenAPI: every route of the REST API is described, and the document is what OpenAPI 3.1 asks for.
func TestOpenAPI(t *testing.T) {
	l := start(t, t.TempDir()+"/node")
	var doc struct {
		OpenAPI string
		Paths   map[string]map[string]struct {
			Summary   string
			Responses map[string]any
		}
	}
	status, body := l.do(t, "GET", "/api/openapi.json", l.reader, "", nil)
	if ok(t, json.Unmarshal(body, &doc)); status != 200 || !strings.HasPrefix(doc.OpenAPI, "3.1") {
		t.Fatalf("%d %.200s", status, body)
	}
	for _, r := range l.Routes() {
		if !strings.HasPrefix(r.Pattern, "/api/v1/") {
			continue
		}
		op := doc.Paths[r.Pattern][strings.ToLower(r.Method)]
		if op.Summary == "" || len(op.Responses) == 0 {
			t.Errorf("%s %s is not described; give its route a Doc", r.Method, r.Pattern)
		}
	}
}
