package peers

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/polder-exchange/polder/internal/accounts"
	"github.com/polder-exchange/polder/stix"
)

// forgetful is a TAXII server that answers as widely used ones do, and Polder's own does not: it keeps the pages of a
// question, takes from them what it sends, whether it arrives or not, and forgets them when it starts anew; it gives all
// objects of a POST one stamp; and it calls a version that it has a failure.
type forgetful struct {
	mu      sync.Mutex
	objects []forgetfulRecord
	open    map[string][]forgetfulRecord
	asked   int
	cut     int  // so many answers on, they are lost; 0 is never
	lose    bool // the answer to the next POST is lost
}

type forgetfulRecord struct {
	at           time.Time
	id, modified string
	raw          json.RawMessage
}

const forgetfulPage = 4

func (f *forgetful) add(at time.Time, raw json.RawMessage) (fresh bool) {
	var o struct{ ID, Modified string }
	_ = json.Unmarshal(raw, &o) // a test's own objects
	if slices.ContainsFunc(f.objects, func(r forgetfulRecord) bool { return r.id == o.ID && r.modified == o.Modified }) {
		return false
	}
	f.objects = append(f.objects, forgetfulRecord{at, o.ID, o.Modified, raw})
	return true
}

func (f *forgetful) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	status, answer := f.answer(w, r)
	if f.cut--; f.cut == 0 || f.lose && r.Method == http.MethodPost {
		f.cut, f.lose = 1, false // until somebody mends it: a lost connection is tried again below
		if f.asked++; f.asked%2 == 0 {
			clear(f.open) // it starts anew
		}
		panic(http.ErrAbortHandler)
	}
	w.Header().Set("Content-Type", "application/taxii+json;version=2.1")
	w.WriteHeader(status)
	fmt.Fprint(w, answer)
}

func (f *forgetful) answer(w http.ResponseWriter, r *http.Request) (int, string) {
	const objects = "/group/collections/c/objects/"
	id := strings.Trim(strings.TrimPrefix(r.URL.Path, objects), "/")
	switch {
	case r.URL.Path == "/group/":
		return 200, `{"title":"R","versions":["application/taxii+json;version=2.1"],"max_content_length":9765625}`
	case r.URL.Path == "/group/collections/":
		return 200, `{"collections":[{"id":"c","title":"High","can_read":true,"can_write":true,"media_types":["application/stix+json;version=2.1"]}]}`
	case r.URL.Path == objects && r.Method == http.MethodPost:
		return f.post(r)
	case r.URL.Path == objects:
		return f.page(w, r)
	case strings.HasPrefix(r.URL.Path, objects) && r.Method == http.MethodGet:
		for _, o := range f.objects {
			if o.id == id && o.modified == r.URL.Query().Get("match[version]") {
				return 200, `{"objects":[` + string(o.raw) + `],"more":false}`
			}
		}
	}
	return 404, `{"title":"ProcessingError","http_status":"404","description":"not found"}`
}

func (f *forgetful) post(r *http.Request) (int, string) {
	var body struct{ Objects []json.RawMessage }
	if err := json.NewDecoder(r.Body).Decode(&body); err != nil {
		return 422, `{"title":"ProcessingError","http_status":"422"}`
	}
	at, good, bad := time.Now().UTC(), []string{}, []string{}
	for _, raw := range body.Objects {
		var o struct{ ID, Modified string }
		_ = json.Unmarshal(raw, &o) // a test's own objects
		if f.add(at, raw) {
			good = append(good, fmt.Sprintf(`{"id":%q,"version":%q}`, o.ID, o.Modified))
		} else {
			bad = append(bad, fmt.Sprintf(`{"id":%q,"version":%q,"message":"Unable to process object"}`, o.ID, o.Modified))
		}
	}
	return 202, fmt.Sprintf(`{"id":"s1","status":"complete","total_count":%d,"success_count":%d,"failure_count":%d,"pending_count":0,"successes":[%s],"failures":[%s]}`,
		len(body.Objects), len(good), len(bad), strings.Join(good, ","), strings.Join(bad, ","))
}

func (f *forgetful) page(w http.ResponseWriter, r *http.Request) (int, string) {
	q := r.URL.Query()
	limit, err := strconv.Atoi(q.Get("limit"))
	if err != nil {
		return 400, `{"title":"ProcessingError","http_status":"400"}`
	}
	limit = min(limit, forgetfulPage)
	next, rest := q.Get("next"), []forgetfulRecord(nil)
	if next != "" {
		var known bool
		if rest, known = f.open[next]; !known {
			return 400, `{"title":"ProcessingError","http_status":"400","description":"'next' not valid"}`
		}
	} else {
		after, _ := time.Parse(time.RFC3339Nano, q.Get("added_after")) // none is everything
		for _, o := range f.objects {
			if o.at.After(after) {
				rest = append(rest, o)
			}
		}
		slices.SortStableFunc(rest, func(a, b forgetfulRecord) int { return cmp.Compare(a.at.UnixMicro(), b.at.UnixMicro()) })
		next = fmt.Sprint("n", len(f.open), f.asked)
	}
	if len(rest) == 0 {
		return 200, `{}`
	}
	now, rest := rest[:min(limit, len(rest))], rest[min(limit, len(rest)):]
	var texts []string
	for _, o := range now {
		texts = append(texts, string(o.raw))
	}
	const stamp = "2006-01-02T15:04:05.000000Z"
	w.Header().Set("X-TAXII-Date-Added-First", now[0].at.Format(stamp))
	w.Header().Set("X-TAXII-Date-Added-Last", now[len(now)-1].at.Format(stamp))
	if len(rest) == 0 {
		delete(f.open, next)
		return 200, `{"objects":[` + strings.Join(texts, ",") + `],"more":false}`
	}
	f.open[next] = rest
	return 200, fmt.Sprintf(`{"objects":[%s],"more":true,"next":%q}`, strings.Join(texts, ","), next)
}

// TestTAXIIForgetfulServer: with a server that forgets where a reader was, loses answers after it acted on them, and calls
// what it has a failure, nothing is lost, doubled or shown as refused that was not.
func TestTAXIIForgetfulServer(t *testing.T) {
	near, far := newTAXIINode(t), &forgetful{open: map[string][]forgetfulRecord{}}
	for i := range 30 { // ten of a stamp
		far.add(time.Date(2026, 1, 1+i/10, 0, 0, 0, 1000, time.UTC), taxiiObject(1+i, stix.Clear))
	}
	near.some(101, 12, stix.Green)
	web := httptest.NewServer(far)
	defer web.Close()
	s := near.connect(near, func(n *NewTAXIIServer) { n.URL, n.Collection = web.URL+"/group/", "High" })
	visit := func(cut int) error {
		far.mu.Lock()
		far.cut = cut
		far.mu.Unlock()
		return near.VisitTAXII(t.Context(), s.ID, taxiiPace())
	}
	cuts := 0
	for at := 2; visit(at) != nil; at++ {
		if cuts++; cuts > 40 {
			t.Fatal("no visit comes to its end")
		}
		if cuts == 5 {
			far.mu.Lock()
			far.add(time.Now().UTC(), taxiiObject(40, stix.Clear)) // something new meanwhile
			far.mu.Unlock()
		}
	}
	near.some(113, 5, stix.Green)
	far.mu.Lock()
	far.lose = true
	far.mu.Unlock()
	err := visit(0)
	far.mu.Lock()
	waits := far.lose
	far.mu.Unlock()
	if err == nil || waits {
		t.Errorf("no answer to a post was lost: %v", err)
	}
	taxiiOK(t, visit(0))
	got := near.sees()
	slices.Sort(got)
	if cuts == 0 || len(got) != 48 || len(slices.Compact(got)) != 48 || len(far.objects) != 48 {
		t.Errorf("%d objects here and %d there after %d cuts, want 48 once each", len(got), len(far.objects), cuts)
	}
	all, err := near.TAXIIServers(t.Context(), accounts.Local())
	taxiiOK(t, err)
	if all[0].State() != "live" || all[0].Failures != 0 {
		t.Errorf("it is shown as %s with %d that were not taken: %+v", all[0].State(), all[0].Failures, all[0])
	}

	// Where nothing is pulled, all that the server has already is sent.
	pushed := near.connect(near, func(n *NewTAXIIServer) { n.URL, n.Collection, n.Direction = web.URL+"/group/", "High", "push" })
	taxiiOK(t, near.VisitTAXII(t.Context(), pushed.ID, taxiiPace()))
	if refused, err := near.TAXIIFailures(t.Context(), accounts.Local(), pushed.ID); err != nil || len(refused) > 0 || len(far.objects) != 48 {
		t.Errorf("%d objects that the server has are shown as not taken, and it has %d: %v", len(refused), len(far.objects), err)
	}
	taxiiOK(t, near.RemoveTAXII(t.Context(), accounts.Local(), pushed.ID))

	// What the server has otherwise than it is sent stays a failure.
	far.mu.Lock()
	other := taxiiObject(200, stix.Green)
	far.add(time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC), []byte(strings.Replace(string(other), `"name":"n"`, `"name":"another"`, 1)))
	far.mu.Unlock()
	near.some(200, 1, stix.Green)
	taxiiOK(t, visit(0))
	if all, err = near.TAXIIServers(t.Context(), accounts.Local()); err != nil || all[0].Failures != 1 {
		t.Errorf("an object that is another there: %+v, %v", all, err)
	}
}
