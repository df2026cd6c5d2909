package taxii

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"
)

// user is a subject of the tests; it is also its token.
type user string

func (u user) Key() string { return "user/" + string(u) }

// memory is a store for tests. Each collection says who may read and write, and each record who may see it.
type memory struct {
	mu          sync.Mutex
	now         int64 // the last number handed out
	collections []memCollection
	statuses    map[string]memStatus
	fault       error // returned by every method when set
	calls       int   // of Records
}

type memCollection struct {
	Collection
	readers, writers []user
	records          []memRecord
}

type memRecord struct {
	Record
	typ, spec string
	at        time.Time // the version as an instant
	only      user      // who alone may see it; empty for every reader
}

type memStatus struct {
	owner user
	Status
}

// ids of the collections of [newMemory].
const (
	red    = "11111111-1111-4111-8111-111111111111" // alice and bob read and write
	blue   = "22222222-2222-4222-8222-222222222222" // alice reads and writes, bob knows nothing of it
	dropID = "33333333-3333-4333-8333-333333333333" // bob only writes, alice only reads
	shown  = "44444444-4444-4444-8444-444444444444" // everyone knows of it and may do nothing
)

var everyone = []user{"alice", "bob", "carol"}

func newMemory() *memory {
	return &memory{
		now: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC).UnixMicro(),
		collections: []memCollection{
			{Collection: Collection{ID: red, Title: "Red", Alias: "red"}, readers: []user{"alice", "bob"}, writers: []user{"alice", "bob"}},
			{Collection: Collection{ID: blue, Title: "Blue", Description: "of alice", Alias: "blue"}, readers: []user{"alice"}, writers: []user{"alice"}},
			{Collection: Collection{ID: dropID, Title: "Drop box", Alias: "drop"}, readers: []user{"alice"}, writers: []user{"bob"}},
			{Collection: Collection{ID: shown, Title: "Shown", MediaTypes: []string{STIXMediaType}}},
		},
		statuses: map[string]memStatus{},
	}
}

func (m *memory) Collections(_ context.Context, s Subject) ([]Collection, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.fault != nil {
		return nil, m.fault
	}
	var list []Collection
	for _, c := range m.collections {
		c.CanRead, c.CanWrite = slices.Contains(c.readers, s.(user)), slices.Contains(c.writers, s.(user))
		if c.CanRead || c.CanWrite || c.ID == shown {
			list = append(list, c.Collection)
		}
	}
	return list, nil
}

func (m *memory) in(id string) *memCollection {
	i := slices.IndexFunc(m.collections, func(c memCollection) bool { return c.ID == id })
	return &m.collections[i]
}

func (m *memory) Records(_ context.Context, s Subject, collection string, q Query) (Page, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.calls++
	if m.fault != nil {
		return Page{}, m.fault
	}
	seen := m.in(collection).seen(s.(user), q.Object)
	if q.Object != "" && len(seen) == 0 {
		return Page{}, ErrNotFound
	}
	var page Page
	size := 0
	for _, r := range chosen(seen, q) {
		if r.Number <= q.After {
			continue
		}
		size += len(r.Raw)
		if len(page.Records) == q.Limit || q.Bytes > 0 && size > q.Bytes && len(page.Records) > 0 {
			page.More = true
			break
		}
		if !q.Bodies {
			r.Raw = nil
		}
		page.Records = append(page.Records, r.Record)
	}
	return page, nil
}

// seen are the records that u may see, of one object or of all.
func (c *memCollection) seen(u user, object string) []memRecord {
	var list []memRecord
	for _, r := range c.records {
		if (r.only == "" || r.only == u) && (object == "" || r.ID == object) {
			list = append(list, r)
		}
	}
	return list
}

// chosen applies the match filters.
func chosen(list []memRecord, q Query) []memRecord {
	latestSpec := map[string]string{}
	for _, r := range list {
		latestSpec[r.ID] = max(latestSpec[r.ID], r.spec)
	}
	list = slices.DeleteFunc(slices.Clone(list), func(r memRecord) bool {
		wrongSpec := !fitsList(q.SpecVersions, r.spec) || len(q.SpecVersions) == 0 && r.spec != latestSpec[r.ID]
		return wrongSpec || !fitsList(q.IDs, r.ID) || !fitsList(q.Types, r.typ)
	})
	first, last := map[string]time.Time{}, map[string]time.Time{}
	for _, r := range list {
		if t, ok := first[r.ID]; !ok || r.at.Before(t) {
			first[r.ID] = r.at
		}
		if r.at.After(last[r.ID]) {
			last[r.ID] = r.at
		}
	}
	return slices.DeleteFunc(list, func(r memRecord) bool {
		v := q.Versions
		return !(v.All || v.First && r.at.Equal(first[r.ID]) || v.Last && r.at.Equal(last[r.ID]) ||
			slices.ContainsFunc(v.Exact, r.at.Equal))
	})
}

func fitsList(list []string, v string) bool { return len(list) == 0 || slices.Contains(list, v) }

func (m *memory) Add(_ context.Context, s Subject, collection string, objects []json.RawMessage) (Status, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.fault != nil {
		return Status{}, m.fault
	}
	status := Status{
		ID: fmt.Sprintf("00000000-0000-4000-8000-%012d", len(m.statuses)+1), Status: Complete,
		RequestTimestamp: TimeOf(m.now), TotalCount: len(objects),
	}
	for _, raw := range objects {
		detail, err := m.in(collection).add(raw, &m.now, "")
		if err != nil {
			detail.Message = err.Error()
			status.Failures = append(status.Failures, detail)
			continue
		}
		status.Successes = append(status.Successes, detail)
	}
	status.SuccessCount, status.FailureCount = len(status.Successes), len(status.Failures)
	m.statuses[status.ID] = memStatus{s.(user), status}
	return status, nil
}

// add stores one object under the next number; the same version again is a success that changes nothing.
func (c *memCollection) add(raw []byte, now *int64, only user) (StatusDetail, error) {
	var o struct {
		ID          string `json:"id"`
		Type        string `json:"type"`
		SpecVersion string `json:"spec_version"`
		Created     string `json:"created"`
		Modified    string `json:"modified"`
	}
	if err := json.Unmarshal(raw, &o); err != nil || o.ID == "" {
		return StatusDetail{ID: "unknown", Version: TimeOf(*now).String()}, fmt.Errorf("the object has no id")
	}
	version := cmp.Or(o.Modified, o.Created)
	*now += 7
	r := memRecord{Record: Record{Number: *now, ID: o.ID, Version: version, Raw: raw}, typ: o.Type, spec: cmp.Or(o.SpecVersion, "2.0"), only: only}
	r.at = time.UnixMicro(*now)
	if version != "" {
		t, err := ParseTime(version)
		if err != nil {
			return StatusDetail{ID: o.ID, Version: TimeOf(*now).String()}, fmt.Errorf("modified: %w", err)
		}
		r.at = t
	}
	detail := StatusDetail{ID: o.ID, Version: cmp.Or(version, TimeOf(*now).String())}
	for _, held := range c.records {
		if held.ID == r.ID && held.at.Equal(r.at) {
			return detail, nil
		}
	}
	if r.spec == "2.0" {
		r.MediaType = "application/stix+json;version=2.0"
	}
	c.records = append(c.records, r)
	return detail, nil
}

func (m *memory) Delete(_ context.Context, s Subject, collection, object string, q Query) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.fault != nil {
		return m.fault
	}
	c := m.in(collection)
	q.Object = object
	gone := chosen(c.seen(s.(user), object), q)
	if len(gone) == 0 {
		return ErrNotFound
	}
	c.records = slices.DeleteFunc(c.records, func(r memRecord) bool {
		return slices.ContainsFunc(gone, func(g memRecord) bool { return g.Number == r.Number })
	})
	return nil
}

func (m *memory) Status(_ context.Context, s Subject, id string) (Status, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	st, ok := m.statuses[id]
	if m.fault != nil {
		return Status{}, m.fault
	}
	if !ok || st.owner != s.(user) {
		return Status{}, ErrNotFound
	}
	return st.Status, nil
}

// put stores an object as if somebody had shared it; only is who alone may see it.
func (m *memory) put(t testing.TB, collection, raw string, only user) int64 {
	t.Helper()
	m.mu.Lock()
	defer m.mu.Unlock()
	if _, err := m.in(collection).add([]byte(raw), &m.now, only); err != nil {
		t.Fatal(err)
	}
	return m.now
}

// object is a small object of a type: the n-th, in its v-th version.
func object(typ string, n, v int) string {
	return fmt.Sprintf(`{"type":%q,"spec_version":"2.1","id":"%s","created":"2020-01-01T00:00:00.000Z","modified":"2020-01-0%dT00:00:00.000Z","name":"object %d"}`,
		typ, objectID(typ, n), v, n)
}

func objectID(typ string, n int) string {
	return fmt.Sprintf("%s--00000000-0000-4000-9000-%012d", typ, n)
}

// authenticate knows the users of the tests by Bearer token or as the user name of Basic with the password "secret".
func authenticate(r *http.Request) (Subject, error) {
	if name, password, ok := r.BasicAuth(); ok && password == "secret" && slices.Contains(everyone, user(name)) {
		return user(name), nil
	}
	for _, u := range everyone {
		if r.Header.Get("Authorization") == "Bearer "+string(u) {
			return u, nil
		}
	}
	if r.Header.Get("Authorization") == "Bearer hasty" {
		return nil, &Error{Status: http.StatusTooManyRequests, RetryAfter: 90 * time.Second}
	}
	return nil, ErrUnauthorized
}

var testKey = []byte("a key of the tests, 32 bytes long")

// serve makes a server over a store; change may alter its options.
func serve(t testing.TB, store Store, change func(*Options)) http.Handler {
	t.Helper()
	o := Options{
		Store: store, Authenticate: authenticate, CursorKey: testKey,
		Title: "Test node", Description: "for tests", Contact: "someone", Realm: "test",
	}
	if change != nil {
		change(&o)
	}
	s, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	return s.Handler()
}
