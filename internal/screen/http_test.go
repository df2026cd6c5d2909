package screen

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/polder-exchange/polder/internal/web"
)

var updateShapes = flag.Bool("update-shapes", false, "write the golden shapes of the API anew")

// shapeOf is what an answer looks like: its members with their kinds, in order, and of lists what their first item is.
func shapeOf(v any) any {
	switch v := v.(type) {
	case map[string]any:
		out := map[string]any{}
		for k, one := range v {
			out[k] = shapeOf(one)
		}
		return out
	case []any:
		if len(v) == 0 {
			return []any{}
		}
		return []any{shapeOf(v[0])}
	case string:
		return "text"
	case float64:
		return "number"
	case bool:
		return "yes or no"
	}
	return "nothing"
}

// TestAPIShapes holds every answer to its golden shape: scripts rely on the names.
func TestAPIShapes(t *testing.T) {
	w := filled(t)
	changed := slices.Clone(restrictedEntries[1:])
	changed[0].Means = "No dealings at all"
	id := w.reviewIn(Query{Name: "Severnaya Vakuumnaya Tekhnika", Country: "RU"})
	w.put(listOf("restricted", "Made-up Consolidated List", "2026-11-19", "restricted", append(changed, restrictedEntries[0], verifiedEntries[0])...))
	var got strings.Builder
	last := map[string]any{}
	ask := func(what, who, method, path, body string, status int) {
		t.Helper()
		out := w.send(who, method, path, "application/json", strings.NewReader(body))
		text := answered(t, what, out, status)
		fmt.Fprintf(&got, "## %s\n%s %s\n%d %s\n", what, method, regexp.MustCompile(`[a-z2-7]{26}`).ReplaceAllString(path, "ID"), out.Code, out.Header().Get("Content-Type"))
		if !strings.Contains(out.Header().Get("Content-Type"), "json") {
			got.WriteString("\n")
			return
		}
		var v any
		must(t, json.Unmarshal([]byte(text), &v))
		last, _ = v.(map[string]any)
		shape, err := json.MarshalIndent(shapeOf(v), "", " ")
		must(t, err)
		got.WriteString(string(shape) + "\n\n")
	}
	ask("one party", "reader", "GET", "/api/v1/screen?name=Severnaya+Vakuumnaya+Tekhnika&type=company&limit=3&threshold=0.7&country=RU", "", 200)
	ask("a party that no list names", "reader", "GET", "/api/v1/screen?name=Zuivelhoeve+Pannekoek", "", 200)
	ask("several", "token reader", "POST", "/api/v1/screen", `{"queries":[{"name":"Brundelwick Photonics","ref":"A1","identifiers":[{"kind":"lei","value":"X"}]},{"name":"Zuivelhoeve Pannekoek"}],"limit":2}`, 200)
	ask("kept", "contributor", "POST", "/api/v1/screen/records", `{"queries":[{"name":"Brundelwick Photonics"}],"note":"Order 7"}`, 201)
	ask("records", "reader", "GET", "/api/v1/screen/records?limit=1", "", 200)
	ask("the queue", "reader", "GET", "/api/v1/screen/reviews?limit=1", "", 200)
	ask("a review", "contributor", "GET", "/api/v1/screen/reviews/"+id, "", 200)
	ask("a decision", "contributor", "POST", "/api/v1/screen/reviews/"+id+"/decision", fmt.Sprintf(`{"verdict":"false","reason":"Another firm of that name.","version":%v}`, last["version"]), 200)
	ask("a party made known", "contributor", "POST", "/api/v1/screen/parties", `{"group":"customers","query":{"name":"Lindhorst Cargo GmbH","ref":"C1"}}`, 201)
	party := last["id"].(string)
	w.work()
	ask("parties", "reader", "GET", "/api/v1/screen/parties?group=customers", "", 200)
	ask("a known party", "reader", "GET", "/api/v1/screen/parties/"+party, "", 200)
	ask("a party changed", "contributor", "PUT", "/api/v1/screen/parties/"+party, `{"query":{"name":"Lindhorst Freight GmbH"},"version":1}`, 200)
	ask("a file of parties", "contributor", "POST", "/api/v1/screen/parties/import?group=suppliers", "name,ref\nAcme Optics,S1\n,S2\n", 200)
	ask("a party removed", "contributor", "DELETE", "/api/v1/screen/parties/"+party, "", 204)
	ask("a party erased", "steward", "POST", "/api/v1/screen/parties/"+party+"/erase", `{"ground":"request"}`, 200)
	ask("a group", "steward", "POST", "/api/v1/screen/groups", `{"name":"board","title":"The board"}`, 204)
	ask("groups", "reader", "GET", "/api/v1/screen/groups", "", 200)
	ask("a group gone", "steward", "DELETE", "/api/v1/screen/groups/board", "", 204)
	ask("a batch", "contributor", "POST", "/api/v1/screen/batches?name=orders", "name,ref\nBrundelwick Photonics,A1\nAcme Optics,A2\n", 202)
	batch := last["id"].(string)
	w.work()
	ask("batches", "reader", "GET", "/api/v1/screen/batches", "", 200)
	ask("how far it is", "reader", "GET", "/api/v1/screen/batches/"+batch, "", 200)
	ask("its rows", "reader", "GET", "/api/v1/screen/batches/"+batch+"/rows?hit=yes", "", 200)
	ask("its table", "reader", "GET", "/api/v1/screen/batches/"+batch+"/results.csv", "", 200)
	ask("lists", "reader", "GET", "/api/v1/screen/lists", "", 200)
	ask("a list", "reader", "GET", "/api/v1/screen/lists/restricted", "", 200)
	ask("what changed", "reader", "GET", "/api/v1/screen/lists/restricted/changes", "", 200)
	ask("a listing", "reader", "GET", "/api/v1/screen/lists/restricted/entries/R-101", "", 200)
	ask("a list of one's own", "steward", "POST", "/api/v1/screen/lists?name=own&purpose=restricted", "id,name,type\n1,Grauwacht Turbinen,company\n", 201)
	ask("settings", "reader", "GET", "/api/v1/screen/settings", "", 200)
	ask("settings changed", "steward", "PUT", "/api/v1/screen/settings", `{"threshold":0.8,"second_from":0.9,"second_for_true":true,"keep_decided_days":400,"keep_undecided_days":90,"record_single":false,"version":0}`, 200)
	ask("the record as a table", "reader", "GET", "/api/v1/screen/record.csv?from=2026-01-01&to=2026-12-31", "", 200)
	ask("the record to print", "reader", "GET", "/api/v1/screen/record.pdf?from=2026-01-01&to=2026-12-31", "", 200)
	ask("a problem", "reader", "GET", "/api/v1/screen?name=", "", 400)
	golden := filepath.Join("testdata", "api_shapes.txt")
	if *updateShapes {
		must(t, os.MkdirAll("testdata", 0o755))
		must(t, os.WriteFile(golden, []byte(got.String()), 0o644))
	}
	want, err := os.ReadFile(golden)
	must(t, err)
	if got.String() != string(want) {
		t.Errorf("the answers have another shape than %s; if that is meant, run with -update-shapes. Now:\n%s", golden, got.String())
	}
}

// TestAPIAnswer: the names that the issue gives, with values that make sense.
func TestAPIAnswer(t *testing.T) {
	w := filled(t)
	var one struct {
		Hits []struct {
			ID, List, Name, Why string
			Score               float64
			Parts               []Part
			Programmes          []string
			Means               string
		}
		Lists     []struct{ Name, Date, SHA256 string }
		Threshold float64
		Means     string
	}
	text := answered(t, "asking", w.send("reader", "GET", "/api/v1/screen?name=%D0%A1%D0%B5%D0%B2%D0%B5%D1%80%D0%BD%D0%B0%D1%8F+%D0%92%D0%B0%D0%BA%D1%83%D1%83%D0%BC%D0%BD%D0%B0%D1%8F+%D0%A2%D0%B5%D1%85%D0%BD%D0%B8%D0%BA%D0%B0&type=company", "", nil), 200)
	must(t, json.Unmarshal([]byte(text), &one))
	if len(one.Hits) != 1 || one.Hits[0].ID != "R-101" || one.Hits[0].List != "restricted" || one.Hits[0].Score < one.Threshold || len(one.Hits[0].Parts) == 0 || one.Hits[0].Why == "" || one.Hits[0].Means == "" {
		t.Errorf("the answer is %s", text)
	}
	if len(one.Lists) != 2 || one.Lists[0].Date != "2026-11-18" || len(one.Lists[0].SHA256) != 64 || !strings.Contains(one.Means, "innocent") {
		t.Errorf("the answer names its lists, or what the threshold means, otherwise: %s", text)
	}
	var many struct {
		Results []struct {
			Query Query
			Hits  []Hit
		}
	}
	var b strings.Builder
	b.WriteString(`{"queries":[`)
	for i := range MaxQueries {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, `{"name":"Zuivelhoeve Pannekoek %d","ref":"r%d"}`, i, i)
	}
	body := b.String()
	text = answered(t, "1,000 at once", w.send("reader", "POST", "/api/v1/screen", "application/json", strings.NewReader(body+"]}")), 200)
	must(t, json.Unmarshal([]byte(text), &many))
	if len(many.Results) != MaxQueries || many.Results[999].Query.Ref != "r999" || many.Results[0].Hits == nil {
		t.Errorf("%d results", len(many.Results))
	}
	answered(t, "1,001 at once", w.send("reader", "POST", "/api/v1/screen", "application/json", strings.NewReader(body+`,{"name":"one more"}]}`)), 413)
	answered(t, "9 MiB", w.send("reader", "POST", "/api/v1/screen", "application/json", strings.NewReader(`{"queries":[{"name":"`+strings.Repeat("x", 9<<20)+`"}]}`)), 413)
}

// TestAPIProblems: bad questions get problem details that say what would be right.
func TestAPIProblems(t *testing.T) {
	w := filled(t)
	for _, c := range []struct {
		why, method, path, body, says string
		status                        int
	}{
		{"no name", "GET", "/api/v1/screen", "", "name", 400},
		{"a name of spaces", "GET", "/api/v1/screen?name=+++", "", "name", 400},
		{"a type that is none", "GET", "/api/v1/screen?name=Acme&type=planet", "", "person, company, vessel or any", 400},
		{"a limit that is none", "GET", "/api/v1/screen?name=Acme&limit=many", "", "limit", 400},
		{"a limit of nothing", "GET", "/api/v1/screen?name=Acme&limit=0", "", "limit", 400},
		{"a threshold beyond 1", "GET", "/api/v1/screen?name=Acme&threshold=1.5", "", "threshold", 400},
		{"a threshold that is no number", "GET", "/api/v1/screen?name=Acme&threshold=NaN", "", "threshold", 400},
		{"a parameter that is misspelt", "GET", "/api/v1/screen?name=Acme&treshold=0.9", "", "no parameter", 400},
		{"a number without a kind", "GET", "/api/v1/screen?name=Acme&id=5493001", "", "id", 400},
		{"no queries", "POST", "/api/v1/screen", `{"queries":[]}`, "queries", 400},
		{"a member that is none", "POST", "/api/v1/screen", `{"queries":[{"name":"Acme","nationality":"X"}]}`, "nationality", 400},
		{"no JSON", "POST", "/api/v1/screen", `name=Acme`, "body", 400},
		{"a query without a name", "POST", "/api/v1/screen", `{"queries":[{"name":"Acme"},{"name":""}]}`, "query 2", 400},
		{"a list that is none", "GET", "/api/v1/screen/lists/none", "", "no such list", 404},
		{"a review that is none", "GET", "/api/v1/screen/reviews/none", "", "", 404},
		{"a record without days", "GET", "/api/v1/screen/record.csv", "", "from", 400},
		{"a record that ends before it begins", "GET", "/api/v1/screen/record.pdf?from=2026-02-01&to=2026-01-01", "", "before", 400},
		{"a batch from an empty file", "POST", "/api/v1/screen/batches", "", "empty", 400},
		{"a file of parties into no group", "POST", "/api/v1/screen/parties/import?group=nobody", "name\nAcme\n", "group", 400},
		{"a page of rows that is none", "GET", "/api/v1/screen/reviews?limit=1000", "", "limit", 400},
	} {
		out := w.send("steward", c.method, c.path, "application/json", strings.NewReader(c.body))
		var p struct {
			Status        int
			Title, Detail string
		}
		if out.Code != c.status || out.Header().Get("Content-Type") != "application/problem+json" || json.Unmarshal(out.Body.Bytes(), &p) != nil || p.Status != c.status || !strings.Contains(p.Detail, c.says) {
			t.Errorf("%s: %d %s %s, want %d that says %q", c.why, out.Code, out.Header().Get("Content-Type"), out.Body.String(), c.status, c.says)
		}
	}
}

// TestNothingLogged: neither what is asked nor whom it is about stands in the log, whatever goes wrong.
func TestNothingLogged(t *testing.T) {
	w := filled(t)
	var log bytes.Buffer
	lg := slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	site, err := web.New(web.Options{Identify: w, Log: lg}, ConsolePart())
	must(t, err)
	w.Service = NewService(ServiceOptions{DB: w.db, Audit: w.audit, Now: w.o.Now, Lists: w.registry, Log: lg})
	pages := w.Service.Pages(site, PagesOptions{Lists: w.registry})
	w.handler, err = site.Handler(append(pages.Routes(), NewAPI(w.Service, w.registry).Routes()...)...)
	must(t, err)
	const secret = "Geheimhuis"
	w.send("reader", "GET", "/api/v1/screen?name="+secret+"&type=planet", "", nil)
	w.send("reader", "GET", "/api/v1/screen?name="+secret, "", nil)
	w.send("reader", "POST", "/api/v1/screen", "application/json", strings.NewReader(`{"queries":[{"name":"`+secret+`","`+secret+`":1}]}`))
	w.post("contributor", "/screen", "text", secret, "type", secret)
	w.post("contributor", "/screen/keep", "text", "Brundelwick Photonics", "for", secret)
	w.post("contributor", "/screen/parties", "text", secret, "group", secret)
	w.post("contributor", "/screen/parties", "text", secret, "group", "customers")
	w.post("contributor", "/screen/parties/find", "find", secret)
	w.upload("contributor", "/screen/batches", secret+".csv", "name\n"+secret+"\n\"open")
	must(t, w.db.Close()) // from here on everything fails inside
	w.post("contributor", "/screen", "text", secret)
	w.send("reader", "GET", "/api/v1/screen?name="+secret, "", nil)
	if text := log.String(); strings.Contains(text, secret) || !strings.Contains(text, "request failed") {
		t.Errorf("the log says: %s", text)
	}
}

// TestAPIDocs: every route says what it is for, and no two exits are one thing.
func TestAPIDocs(t *testing.T) {
	w := newPageWorld(t)
	for _, r := range w.api.Routes() {
		if r.Doc == nil || r.Doc.Summary == "" || r.Exit == "" || !strings.HasPrefix(r.Pattern, "/api/v1/screen") {
			t.Errorf("%s %s says nothing of itself", r.Method, r.Pattern)
		}
	}
}
