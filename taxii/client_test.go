package taxii

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"
)

// sleeper adds up what it is asked to sleep and does not sleep.
func sleeper(total *time.Duration) func(context.Context, time.Duration) error {
	return func(ctx context.Context, d time.Duration) error {
		*total += d
		return ctx.Err()
	}
}

// taxiiServer is our own server with our own client.
func taxiiServer(t testing.TB, m *memory, change func(*Options)) *Client {
	t.Helper()
	return &Client{URL: listen(t, m, change).URL, Token: "alice"}
}

func collect[T any](t *testing.T, p *Pull[T]) []T {
	t.Helper()
	var list []T
	for item, err := range p.All(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, item)
	}
	return list
}

func find(t testing.TB, c *Client, name string) *Remote {
	t.Helper()
	r, err := c.Find(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestClientWithOurServer(t *testing.T) {
	m := newMemory()
	c := taxiiServer(t, m, nil)
	if d, err := c.Discover(t.Context()); err != nil || d.Title != "Test node" {
		t.Fatalf("%+v, %v", d, err)
	}
	remote := find(t, c, "red")
	for _, name := range []string{red, "Red"} {
		if find(t, c, name).ID != remote.ID {
			t.Errorf("%s is another collection", name)
		}
	}
	if _, err := c.Find(t.Context(), "purple"); err == nil || !strings.Contains(err.Error(), "Red ("+red+")") {
		t.Errorf("%v: want the list of what there is", err)
	}
	if _, err := c.Find(t.Context(), ""); err == nil {
		t.Error("no name finds one of several")
	}

	var objects []json.RawMessage
	for n := range 25 {
		objects = append(objects, json.RawMessage(object("tool", n, 1)))
	}
	c.Limits = Limits{Batch: 10, PageObjects: 4}
	var batches []int
	for s, err := range remote.Push(t.Context(), slices.Values(objects)) {
		if err != nil {
			t.Fatal(err)
		}
		batches = append(batches, s.SuccessCount)
	}
	if !slices.Equal(batches, []int{10, 10, 5}) {
		t.Errorf("batches %v", batches)
	}
	pull := remote.Objects(Cursor{}, Filter{})
	if got := collect(t, pull); len(got) != 25 || string(got[7]) != string(objects[7]) {
		t.Errorf("%d objects, or other bytes", len(got))
	}
	m.put(t, red, object("tool", 99, 1), "")
	again := remote.Objects(pull.Cursor(), Filter{})
	if got := collect(t, again); len(got) != 1 || !strings.Contains(string(got[0]), "object 99") {
		t.Errorf("from the cursor: %s", got)
	}
	if got := collect(t, remote.Objects(Cursor{}, Filter{Types: []string{"indicator", "tool"}, IDs: []string{objectID("tool", 3)}, Versions: []string{"all"}, SpecVersions: []string{"2.1"}})); len(got) != 1 {
		t.Errorf("filtered: %d objects, want 1", len(got))
	}
	lines := collect(t, remote.Manifest(Cursor{}, Filter{}))
	if len(lines) != 26 || !slices.IsSortedFunc(lines, func(a, b ManifestRecord) int { return a.DateAdded.Compare(b.DateAdded.Time) }) {
		t.Errorf("%d lines of manifest", len(lines))
	}
	for v := 2; v <= 9; v++ {
		m.put(t, red, object("tool", 3, v), "")
	}
	if got := collect(t, remote.Versions(objectID("tool", 3))); len(got) != 9 {
		t.Errorf("versions %q", got)
	}
	if raw, err := remote.Get(t.Context(), objectID("tool", 3), ""); err != nil || string(raw) != object("tool", 3, 9) {
		t.Errorf("%s, %v", raw, err)
	}
	if raw, err := remote.Get(t.Context(), objectID("tool", 3), "2020-01-02T00:00:00Z"); err != nil || string(raw) != object("tool", 3, 2) {
		t.Errorf("%s, %v", raw, err)
	}
	for _, version := range []string{"2020-01-02T00:00:01Z", ""} {
		id := objectID("tool", 3)
		if version == "" {
			id = "tool--none"
		}
		if _, err := remote.Get(t.Context(), id, version); !errors.Is(err, ErrNotFound) {
			t.Errorf("%s %s: %v, want ErrNotFound", id, version, err)
		}
	}
	if err := remote.Delete(t.Context(), objectID("tool", 3), "2020-01-02T00:00:00Z", "2020-01-03T00:00:00Z"); err != nil {
		t.Error(err)
	}
	if got := collect(t, remote.Versions(objectID("tool", 3))); len(got) != 7 {
		t.Errorf("versions %q", got)
	}
	if err := remote.Delete(t.Context(), "../../x"); err == nil {
		t.Error("an id that leaves its path is sent")
	}
	if err := remote.Delete(t.Context(), ".."); err == nil {
		t.Error("an id that leaves its path is sent")
	}
	if err := remote.Delete(t.Context(), objectID("tool", 3)); err != nil {
		t.Error(err)
	}
	if err := remote.Delete(t.Context(), objectID("tool", 3)); !errors.Is(err, ErrNotFound) {
		t.Errorf("%v, want ErrNotFound", err)
	}
}

// A pull that is broken off anywhere goes on from its cursor: nothing lost, nothing doubled.
func TestClientResumesAnywhere(t *testing.T) {
	m := newMemory()
	for n := range 23 {
		m.put(t, red, object("tool", n, 1), "")
	}
	c := taxiiServer(t, m, nil)
	c.Limits.PageObjects = 5
	remote := find(t, c, "red")
	for stop := 1; stop <= 23; stop++ {
		var got []string
		var cursor Cursor
		for range 30 {
			pull, n := remote.Objects(cursor, Filter{}), 0
			for raw, err := range pull.All(t.Context()) {
				if err != nil {
					t.Fatal(err)
				}
				got = append(got, string(raw))
				if n++; n == stop {
					break
				}
			}
			if ahead := len(pull.Cursor().Ahead); ahead > c.Limits.PageObjects {
				t.Fatalf("%d marks ahead, more than a page has", ahead)
			}
			kept, err := json.Marshal(pull.Cursor()) // as a program keeps it between its runs
			if err != nil {
				t.Fatal(err)
			}
			cursor = Cursor{}
			if err := json.Unmarshal(kept, &cursor); err != nil {
				t.Fatal(err)
			}
		}
		slices.Sort(got)
		if len(got) != 23 || len(slices.Compact(got)) != 23 {
			t.Errorf("broken off after each %d: %d objects, want 23 different ones", stop, len(got))
		}
	}
}

// plainServer is a server without next, that stamps a whole POST of some objects with one time and takes part of a
// timestamp only.
func plainServer(t *testing.T, posts []int, maxPage int, layout string) *Remote {
	t.Helper()
	type record struct {
		at  time.Time
		raw string
	}
	var records []record
	for p, size := range posts {
		at := time.Date(2026, 1, 2, 0, 0, p, 123456789, time.UTC).Truncate(time.Microsecond)
		for range size {
			records = append(records, record{at, fmt.Sprintf(`{"id":"tool--%d"}`, len(records))})
		}
	}
	remote, _ := hostile(t, func(w http.ResponseWriter, r *http.Request) {
		var limit int
		fmt.Sscan(r.URL.Query().Get("limit"), &limit)
		limit = min(limit, maxPage)
		after, _ := ParseTime(r.URL.Query().Get("added_after"))
		after, _ = time.Parse(layout, after.Format(layout))
		var page []string
		var first, last time.Time
		more := false
		for _, rec := range records {
			if !rec.at.After(after) {
				continue
			}
			if more = len(page) == limit; more {
				break
			}
			if first.IsZero() {
				first = rec.at
			}
			page, last = append(page, rec.raw), rec.at
		}
		w.Header().Set("Content-Type", "application/taxii+json")
		if len(page) > 0 {
			w.Header().Set("X-TAXII-Date-Added-First", Time{first}.String())
			w.Header().Set("X-TAXII-Date-Added-Last", Time{last}.String())
		}
		fmt.Fprintf(w, `{"more":%v,"objects":[%s]}`, more, strings.Join(page, ","))
	})
	return remote
}

func TestClientWithServersWithoutNext(t *testing.T) {
	for _, c := range []struct {
		name   string
		posts  []int
		max    int
		layout string
		n      int // objects; -1 for an error
	}{
		{"a stamp each", slices.Repeat([]int{1}, 50), 1000, stampLayout, 50},
		{"several of a stamp", []int{7, 7, 7, 7}, 1000, stampLayout, 28},
		{"more of a stamp than a page", []int{3, 45, 3}, 1000, stampLayout, 51},
		{"milliseconds only", []int{7, 12, 7}, 1000, "2006-01-02T15:04:05.000Z", 26},
		{"seconds only", []int{7, 12, 7}, 1000, "2006-01-02T15:04:05Z", 26},
		{"more of a stamp than the longest page", []int{3, 45, 3}, 20, stampLayout, -1},
	} {
		remote := plainServer(t, c.posts, c.max, c.layout)
		remote.client.Limits.PageObjects = 10
		pull, n := remote.Objects(Cursor{}, Filter{}), 0
		for _, err := range pull.All(t.Context()) {
			if n++; err != nil {
				n = -1
				if !strings.Contains(err.Error(), "no way to go on") {
					t.Errorf("%s: %v", c.name, err)
				}
			}
		}
		if n != c.n {
			t.Errorf("%s: %d objects, want %d", c.name, n, c.n)
		}
		if c.n > 0 {
			if again := collect(t, remote.Objects(pull.Cursor(), Filter{})); len(again) != 0 {
				t.Errorf("%s: %d objects again", c.name, len(again))
			}
		}
	}
}

// More objects with one stamp than a cursor marks: it goes on after the stamp and stays small.
func TestClientWithVeryManyOfOneStamp(t *testing.T) {
	n := 0
	remote, _ := hostile(t, func(w http.ResponseWriter, r *http.Request) {
		if n == 25 {
			pageOf(w, `{}`, -1, -1)
			return
		}
		var page []string
		for i := range 1000 {
			page = append(page, fmt.Sprintf(`{"id":"tool--%d"}`, n*1000+i))
		}
		n++
		pageOf(w, fmt.Sprintf(`{"more":true,"next":"%d","objects":[%s]}`, n, strings.Join(page, ",")), 1, 1)
	})
	remote.client.Limits.PageBytes = 0
	pull := remote.Objects(Cursor{}, Filter{})
	if got := collect(t, pull); len(got) != 25_000 {
		t.Errorf("%d objects", len(got))
	}
	if c := pull.Cursor(); !c.Many || len(c.Seen) != 0 || !c.After.Equal(second(1).Time) {
		t.Errorf("cursor at %s, many %v, %d marks", c.After, c.Many, len(c.Seen))
	}
	if got := collect(t, pull); len(got) != 0 {
		t.Errorf("%d objects again", len(got))
	}
}

// A server that keeps one next for a cursor that it moves as soon as a page is sent, and that forgets it in time:
// whatever page breaks off or is left half read, nothing is lost and nothing doubled.
func TestClientWithServersThatMoveTheirCursor(t *testing.T) {
	for _, stamps := range []string{"a stamp each", "one stamp", "no stamps"} {
		for broken := range 6 {
			left, sent := 0, 0
			remote, _ := hostile(t, func(w http.ResponseWriter, r *http.Request) {
				from := left
				if r.URL.Query().Get("next") == "" {
					after, err := ParseTime(r.URL.Query().Get("added_after"))
					if from = 0; err == nil && stamps == "a stamp each" {
						from = int(after.Sub(second(0).Time)/time.Second) + 1
					}
				}
				var page []string
				for i := from; i < min(from+5, 23); i++ {
					page = append(page, fmt.Sprintf(`{"id":"tool--%d"}`, i))
				}
				left = from + len(page)
				first, last := from, left-1
				if stamps == "one stamp" {
					first, last = 1, 1
				} else if stamps == "no stamps" || len(page) == 0 {
					first = -1
				}
				if sent++; sent == broken {
					w.Header().Set("Content-Length", "9999")
				}
				pageOf(w, fmt.Sprintf(`{"more":%v,"next":"mine","objects":[%s]}`, left < 23, strings.Join(page, ",")), first, last)
			})
			var got []string
			pull := remote.Objects(Cursor{}, Filter{})
			for round := range 4 {
				for raw, err := range pull.All(t.Context()) {
					if err == nil {
						got = append(got, string(raw))
					}
					if round == 0 && broken == 0 && len(got) == 8 && stamps != "no stamps" {
						break
					}
				}
			}
			different := len(slices.Compact(slices.Sorted(slices.Values(got))))
			if stamps == "no stamps" && broken > 0 {
				continue // there is no way to know what such a server has sent
			}
			if len(got) != 23 || different != 23 {
				t.Errorf("%s, page %d broken: %d objects, %d different, want 23", stamps, broken, len(got), different)
			}
		}
	}
}

// A next that a server has forgotten between two pulls: what bears the stamp of the cursor comes again, and nothing is lost.
func TestClientFallsBackToTheStamp(t *testing.T) {
	m := newMemory()
	for n := range 20 {
		m.put(t, red, object("tool", n, 1), "")
	}
	c := taxiiServer(t, m, nil)
	remote := find(t, c, "red")
	after := TimeOf(m.in(red).records[6].Number)
	for name, from := range map[string]struct {
		Cursor
		n int
	}{
		"by the stamp":                 {Cursor{After: after, Next: "forgotten"}, 13},
		"too many of one stamp":        {Cursor{After: after, Next: "forgotten", Many: true}, 14},
		"no stamp":                     {Cursor{Next: "forgotten"}, 20},
		"too many of one stamp, ended": {Cursor{After: after, Many: true}, 13},
	} {
		if got := collect(t, remote.Objects(from.Cursor, Filter{})); len(got) != from.n {
			t.Errorf("%s: %d objects, want %d", name, len(got), from.n)
		}
	}
}

// A page that is too long is asked for in smaller pieces.
func TestClientAsksForLess(t *testing.T) {
	m := newMemory()
	for n := range 64 {
		m.put(t, red, fmt.Sprintf(`{"type":"tool","spec_version":"2.1","id":"tool--%d","created":"2020-01-01T00:00:00Z","x":%q}`, n, strings.Repeat("x", 20_000)), "")
	}
	c := taxiiServer(t, m, func(o *Options) { o.NoGzip = true })
	c.Limits = Limits{PageBytes: 100_000, PageObjects: 64}
	if got := collect(t, find(t, c, "red").Objects(Cursor{}, Filter{})); len(got) != 64 {
		t.Errorf("%d objects, want 64", len(got))
	}
	c.Limits.PageBytes = 15_000
	remote := find(t, c, "red")
	for _, err := range remote.Objects(Cursor{}, Filter{}).All(t.Context()) {
		if !errors.Is(err, errLongAnswer) {
			t.Errorf("an object longer than any page: %v", err)
		}
	}
}

func TestClientRetries(t *testing.T) {
	for _, c := range []struct {
		name    string
		answers []int
		after   string
		tries   int
		slept   time.Duration
		ok      bool
	}{
		{"at once", []int{200}, "", 1, 0, true},
		{"busy and then not", []int{503, 429, 200}, "2", 3, 4 * time.Second, true},
		{"without Retry-After", []int{503, 503, 503, 200}, "", 4, 7 * time.Second, true},
		{"a date", []int{503, 200}, "Fri, 02 Jan 2026 00:00:30 GMT", 2, 30 * time.Second, true},
		{"a date long past", []int{503, 200}, "Fri, 02 Jan 2015 00:00:30 GMT", 2, time.Second, true},
		{"for ever", []int{503, 503, 503, 503, 503, 503, 503}, "1", 5, 4 * time.Second, false},
		{"too long a wait", []int{429, 200}, "61", 1, 0, false},
		{"another error", []int{500, 200}, "1", 1, 0, false},
		{"refused", []int{401, 200}, "1", 1, 0, false},
	} {
		tries := 0
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", MediaType)
			w.Header().Set("Date", "Fri, 02 Jan 2026 00:00:00 GMT")
			w.Header().Set("Retry-After", c.after)
			w.WriteHeader(c.answers[tries])
			tries++
			fmt.Fprint(w, `{"title":"x"}`)
		}))
		var slept time.Duration
		client := &Client{URL: server.URL, Sleep: sleeper(&slept)}
		_, err := client.Discover(t.Context())
		if (err == nil) != c.ok || tries != c.tries || slept != c.slept {
			t.Errorf("%s: %v after %d tries and %s of sleep, want ok %v, %d, %s", c.name, err, tries, slept, c.ok, c.tries, c.slept)
		}
		server.Close()
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(503) }))
	defer server.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := (&Client{URL: server.URL}).Discover(ctx); !errors.Is(err, ErrUnavailable) || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%v, want both the refusal and that time was up", err)
	}
}

// S34: credentials go to one host, in a header, and into no error.
func TestS34_ClientCredentials(t *testing.T) {
	var seen []string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		seen = append(seen, r.Header.Get("Authorization")+" "+r.URL.String()+" "+r.UserAgent())
		if r.URL.Path == "/moved/" {
			http.Redirect(w, r, "/taxii2/", http.StatusMovedPermanently)
			return
		}
		w.Header().Set("Content-Type", MediaType)
		fmt.Fprint(w, `{"title":"x"}`)
	}))
	defer server.Close()
	for _, c := range []struct {
		client Client
		header string
	}{
		{Client{Token: "t0ken", User: "u", Password: "p"}, "Bearer t0ken"},
		{Client{User: "u", Password: "p", UserAgent: "agent"}, "Basic dTpw"},
		{Client{}, ""},
	} {
		seen = nil
		c.client.URL = server.URL + "/moved/"
		if _, err := c.client.Discover(t.Context()); err != nil {
			t.Fatal(err)
		}
		agent := c.client.UserAgent
		setDefault(&agent, "taxii-client")
		if !slices.Equal(seen, []string{c.header + " /moved/ " + agent, c.header + " /taxii2/ " + agent}) {
			t.Errorf("%q", seen)
		}
	}
	for url, says := range map[string]string{
		"https://user:s3cret@node.example/taxii2/":  "holds a user name or password",
		"ftp://node.example/":                       "is not like https",
		"node.example":                              "is not like https",
		"http://node.example/":                      "unencrypted",
		"https://node.example/taxii2/?token=s3cret": "leave out what follows",
	} {
		_, err := (&Client{URL: url, Token: "s3cret"}).Discover(t.Context())
		if err == nil || !strings.Contains(err.Error(), says) || strings.Contains(err.Error(), "s3cret") {
			t.Errorf("%s: %v, want %q", url, err, says)
		}
	}
	gone := httptest.NewServer(nil)
	gone.Close()
	remote := (&Client{URL: gone.URL, Token: "s3cret"}).Remote(Root{URL: gone.URL + "/root/"}, Collection{ID: "c"})
	_, err := remote.Get(t.Context(), "tool--1", "2020-01-02T00:00:00Z")
	if err == nil || strings.Contains(err.Error(), "2020-01-02") || strings.Contains(err.Error(), "s3cret") || !strings.Contains(err.Error(), "/root/collections/c/objects/tool--1/") {
		t.Errorf("%v: want the resource without its query", err)
	}
}

func TestClientWithAnAPIRoot(t *testing.T) {
	m := newMemory()
	m.collections = m.collections[:1]
	c := taxiiServer(t, m, nil)
	c.URL += "/taxii2/root"
	if r := find(t, c, ""); r.ID != red || r.Root.MaxContentLength != 8<<20 {
		t.Errorf("%+v", r)
	}
}

func TestPushSplits(t *testing.T) {
	m := newMemory()
	c := taxiiServer(t, m, func(o *Options) { o.MaxContentLength = 2000 })
	remote := find(t, c, "red")
	var objects []json.RawMessage
	for n := range 40 {
		objects = append(objects, json.RawMessage(object("tool", n, 1)))
	}
	objects[20] = json.RawMessage(fmt.Sprintf(`{"id":"tool--long","created":"2020-01-01T00:00:00Z","x":%q}`, strings.Repeat("x", 3000)))
	refused := 0
	c.HTTP = &http.Client{Transport: transport(func(r *http.Request) (*http.Response, error) {
		resp, err := http.DefaultTransport.RoundTrip(r)
		if err == nil && resp.StatusCode == 413 {
			refused++
		}
		return resp, err
	})}
	for name, known := range map[string]int64{"max_content_length is known": 2000, "it is not": 0} {
		remote.Root.MaxContentLength, refused = known, 0
		good, bad := 0, []StatusDetail(nil)
		for s, err := range remote.Push(t.Context(), slices.Values(objects)) {
			if err != nil {
				t.Fatal(err)
			}
			good, bad = good+s.SuccessCount, append(bad, s.Failures...)
		}
		if good != 39 || len(bad) != 1 || bad[0].ID != "tool--long" || !strings.Contains(bad[0].Message, "longer than the server takes") {
			t.Errorf("%s: %d stored, failures %+v", name, good, bad)
		}
		if once := refused == 1; once != (known > 0) {
			t.Errorf("%s: %d batches were too long; a known limit is kept but for the one object", name, refused)
		}
	}
}

// transport is a function as an http.RoundTripper.
type transport func(*http.Request) (*http.Response, error)

func (t transport) RoundTrip(r *http.Request) (*http.Response, error) { return t(r) }

func TestPushWaits(t *testing.T) {
	for _, c := range []struct {
		name  string
		polls int // until complete; negative for never
		says  string
	}{{"soon", 3, ""}, {"never", -1, "has not finished after 5m0s; ask for status 1234 later"}, {"complete at once", 0, ""}} {
		asked := 0
		mux := http.NewServeMux()
		status := func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", MediaType)
			state := Pending
			if asked == c.polls {
				state = Complete
			}
			asked++
			w.WriteHeader(202)
			fmt.Fprintf(w, `{"id":"1234","status":%q,"success_count":%d}`, state, asked)
		}
		mux.HandleFunc("/root/collections/c/objects/", status)
		mux.HandleFunc("/root/status/1234/", status)
		server := httptest.NewServer(mux)
		var slept time.Duration
		client := &Client{URL: server.URL, Sleep: sleeper(&slept)}
		remote := client.Remote(Root{URL: server.URL + "/root/"}, Collection{ID: "c"})
		n := 0
		for s, err := range remote.Push(t.Context(), slices.Values([]json.RawMessage{json.RawMessage(`{"id":"x"}`)})) {
			if n++; (err == nil) != (c.says == "") || err != nil && !strings.Contains(err.Error(), c.says) || err == nil && s.SuccessCount != c.polls+1 {
				t.Errorf("%s: %+v, %v", c.name, s, err)
			}
		}
		if n != 1 || slept > 5*time.Minute {
			t.Errorf("%s: %d statuses, slept %s", c.name, n, slept)
		}
		server.Close()
	}
}

func TestPushEnds(t *testing.T) {
	m := &faultyAdd{newMemory(), ErrForbidden}
	c := &Client{URL: listen(t, m, nil).URL, Token: "alice", Limits: Limits{Batch: 1}}
	n := 0
	for _, err := range find(t, c, "red").Push(t.Context(), slices.Values([]json.RawMessage{[]byte(`{}`), []byte(`{}`)})) {
		if n++; !errors.Is(err, ErrForbidden) || !strings.Contains(err.Error(), "POST http") {
			t.Errorf("%v", err)
		}
	}
	if n != 1 {
		t.Errorf("%d errors, want one and the end", n)
	}
	c = taxiiServer(t, newMemory(), nil)
	c.Limits.Batch = 1
	n = 0
	for range find(t, c, "red").Push(t.Context(), slices.Values([]json.RawMessage{[]byte(`{"id":"a"}`), []byte(`{"id":"b"}`)})) {
		n++
		break
	}
	if n != 1 {
		t.Errorf("%d", n)
	}
}
