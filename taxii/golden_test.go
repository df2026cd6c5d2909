package taxii

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

var update = flag.Bool("update", false, "write the golden files anew")

// TestGolden holds every answer, headers and all, to a file of testdata/golden: what changes there, clients see.
func TestGolden(t *testing.T) {
	m := newMemory()
	for v := 1; v <= 3; v++ {
		m.put(t, red, object("tool", 1, v), "")
	}
	m.put(t, red, `{"type":"ipv4-addr","id":"ipv4-addr--1","spec_version":"2.1","value":"198.51.100.1"}`, "")
	m.put(t, red, "{\n  \"type\": \"tool\",\n  \"id\": \"tool--2\",\n  \"created\": \"2017-01-01T00:00:00Z\", \"modified\": \"2017-01-01T00:00:00Z\", \"name\": \"of STIX 2.0 <&> é\"\n}", "")
	h := serve(t, m, nil)
	id := objectID("tool", 1)
	post := `{"objects":[` + object("tool", 1, 1) + `,{"type":"tool"}]}`
	for _, c := range []struct {
		name string
		call
	}{
		{"discovery", call{method: "GET", path: "/taxii2/", as: "alice"}},
		{"api-root", call{method: "GET", path: "/taxii2/root/", as: "alice"}},
		{"collections", call{method: "GET", path: base, as: "alice"}},
		{"collection", call{method: "GET", path: base + "drop/", as: "bob"}},
		{"manifest", call{method: "GET", path: base + "red/manifest/?match[version]=all", as: "alice"}},
		{"manifest-page", call{method: "GET", path: base + "red/manifest/?limit=1", as: "alice"}},
		{"objects", call{method: "GET", path: base + "red/objects/", as: "alice"}},
		{"objects-page", call{method: "GET", path: base + "red/objects/?limit=2&match[version]=all", as: "alice"}},
		{"objects-none", call{method: "GET", path: base + "red/objects/?match[type]=x", as: "alice"}},
		{"object", call{method: "GET", path: base + "red/objects/" + id + "/", as: "alice"}},
		{"versions", call{method: "GET", path: base + "red/objects/" + id + "/versions/", as: "alice"}},
		{"versions-page", call{method: "GET", path: base + "red/objects/" + id + "/versions/?limit=2", as: "alice"}},
		{"post", call{method: "POST", path: base + "red/objects/", as: "alice", body: post}},
		{"status", call{method: "GET", path: "/taxii2/root/status/00000000-0000-4000-8000-000000000001/", as: "alice"}},
		{"delete", call{method: "DELETE", path: base + "red/objects/" + id + "/", as: "alice"}},
		{"no-slash", call{method: "GET", path: "/taxii2/root?x=1", as: "alice"}},
		{"error-400", call{method: "GET", path: base + "red/objects/?added_after=banana", as: "alice"}},
		{"error-401", call{method: "GET", path: base}},
		{"error-403", call{method: "GET", path: base + "drop/objects/", as: "bob"}},
		{"error-404", call{method: "GET", path: base + "red/objects/" + id + "/", as: "alice"}},
		{"error-405", call{method: "PUT", path: base + "red/objects/", as: "alice"}},
		{"error-406", call{method: "GET", path: "/taxii2/", as: "alice", header: map[string]string{"Accept": "text/html"}}},
		{"error-415", call{method: "POST", path: base + "red/objects/", as: "alice", header: map[string]string{"Content-Type": "text/csv"}}},
		{"error-422", call{method: "POST", path: base + "red/objects/", as: "alice", body: `{"type":"bundle"}`}},
		{"error-429", call{method: "GET", path: base, as: "hasty"}},
	} {
		w := c.do(t, h)
		var b bytes.Buffer
		fmt.Fprintf(&b, "%s %s\n%s\n\n%d\n", c.method, c.path, "as "+c.as, w.Code)
		var names []string
		for name := range w.Header() {
			names = append(names, name)
		}
		slices.Sort(names)
		for _, name := range names {
			for _, v := range w.Header()[name] {
				fmt.Fprintf(&b, "%s: %s\n", name, v)
			}
		}
		fmt.Fprintf(&b, "\n%s\n", w.Body)
		path := filepath.Join("testdata", "golden", c.name+".txt")
		if *update {
			if err := os.WriteFile(path, b.Bytes(), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(b.Bytes(), want) {
			t.Errorf("%s:\n%s\nwant\n%s", c.name, b.Bytes(), want)
		}
	}
}
