package taxii

import (
	"bytes"
	"encoding/json"
	"net/http/httptest"
	"net/url"
	"reflect"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// FuzzQuery: any query is answered with 200 or 400, and what is understood is within its bounds and means the same
// when it is asked again in other words.
func FuzzQuery(f *testing.F) {
	for _, q := range []string{"", "limit=10&next=", "added_after=2020-01-01T00:00:00Z", "match[version]=all", "match[version]=first,2020-01-01T00:00:00.5%2B01:00",
		"match[type]=tool,indicator&match[id]=tool--1&match[spec_version]=2.0,2.1", "next=AQAAAAAAAAAB&added_after=x", "match[id]=%ff", "limit=1&limit=2", "a;b", "%zz"} {
		f.Add(q)
	}
	m := newMemory()
	for n := range 3 {
		m.put(f, red, object("tool", n, 1), "")
	}
	h := serve(f, m, nil)
	f.Fuzz(func(t *testing.T, query string) {
		for _, k := range []kind{objectsKind, manifestKind, versionsKind, objectKind} {
			req, err := parsePage(query, k)
			if err != nil {
				if !hasStatus(err, 400) {
					t.Fatalf("%q: %v is no 400", query, err)
				}
				continue
			}
			if req.Limit < 0 || req.After < 0 || len(req.IDs) > maxValues || req.Versions.All && (req.Versions.First || len(req.Versions.Exact) > 0) {
				t.Fatalf("%q: %+v is out of bounds", query, req)
			}
			if again, err := parsePage(rewritten(req), k); err != nil || !reflect.DeepEqual(again, req) {
				t.Fatalf("%q: %+v, but written anew %q: %+v, %v", query, req, rewritten(req), again, err)
			}
		}
		r := httptest.NewRequest("GET", base+"red/objects/", nil)
		r.URL.RawQuery = query
		r.Header.Set("Authorization", "Bearer alice")
		w := httptest.NewRecorder()
		if h.ServeHTTP(w, r); w.Code != 200 && w.Code != 400 {
			t.Fatalf("%q: %d %s", query, w.Code, w.Body)
		}
		if _, err := parseDelete(query); err != nil && !hasStatus(err, 400) {
			t.Fatalf("DELETE %q: %v is no 400", query, err)
		}
	})
}

// rewritten is a query that says what req says.
func rewritten(req request) string {
	v := url.Values{}
	set := func(name string, list []string) {
		if len(list) > 0 {
			v.Set(name, strings.Join(list, ","))
		}
	}
	set("match[id]", req.IDs)
	set("match[type]", req.Types)
	set("match[spec_version]", req.SpecVersions)
	set("match[version]", req.Versions.parts())
	if req.Limit > 0 {
		v.Set("limit", itoa(req.Limit))
	}
	if req.After > 0 || req.next == "" {
		v.Set("added_after", time.UnixMicro(req.After).UTC().Format(time.RFC3339Nano))
	}
	if req.next != "" {
		v.Set("next", req.next)
	}
	return v.Encode()
}

// FuzzEnvelope: a body is refused with 400 or 422, or its objects are exactly the bytes in it, one after the other.
func FuzzEnvelope(f *testing.F) {
	for _, s := range []string{`{"objects":[{"id":"a"}, {"id":"b","x":[1,{"y":null}]} ]}`, `{"more":true,"next":"x","x_a":{},"objects":[{}]}`, `{"objects":[`,
		`[]`, `{}`, `{"objects":[1]}`, `{"objects":[{"a":1,"a":2}]}`, "{\"objects\":[{\"a\":\"\xff\"}]}", `{"objects":[{"a":"\ud800"}]}`, `{"objects":[{}]} x`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		objects, err := ReadEnvelope(bytes.NewReader(body), 100)
		if err != nil {
			if !hasStatus(err, 400) && !hasStatus(err, 422) {
				t.Fatalf("%q: %v", body, err)
			}
			return
		}
		var want struct{ Objects []json.RawMessage }
		if err := json.Unmarshal(body, &want); err != nil || len(want.Objects) != len(objects) || len(objects) == 0 {
			t.Fatalf("%q: %d objects, encoding/json says %d, %v", body, len(objects), len(want.Objects), err)
		}
		rest := body
		for i, o := range objects {
			at := bytes.Index(rest, o)
			if at < 0 || !bytes.Equal(o, want.Objects[i]) || depth(o) > maxDepth {
				t.Fatalf("%q: object %d is %q", body, i, o)
			}
			rest = rest[at+len(o):]
		}
	})
}

// FuzzNext: nothing but what the server made is a next, and what it made is one for its own question alone.
func FuzzNext(f *testing.F) {
	g := newSigner(testKey)
	f.Add(g.make(7, objectsKind, user("alice"), red, Query{}), "alice", red, "", int64(7))
	f.Add("", "", "", "", int64(0))
	f.Add("AQ", "alice", "r", "ed", int64(-1))
	f.Fuzz(func(t *testing.T, text, subject, collection, object string, number int64) {
		s, q := user(subject), Query{Object: object, Versions: VersionFilter{Last: true}}
		made := g.make(number, objectKind, s, collection, q)
		if got, err := g.read(made, objectKind, s, collection, q); err != nil || got != number {
			t.Fatalf("made for %d, read as %d, %v", number, got, err)
		}
		if got, err := g.read(text, objectKind, s, collection, q); err == nil && text != made && (g.make(got, objectKind, s, collection, q) != text) {
			t.Fatalf("%q is taken and was not made here", text)
		}
		for name, try := range map[string]func() (int64, error){
			"another reader":     func() (int64, error) { return g.read(made, objectKind, s+"x", collection, q) },
			"another collection": func() (int64, error) { return g.read(made, objectKind, s, collection+"x", q) },
			"another object": func() (int64, error) {
				return g.read(made, objectKind, s, collection, Query{Object: object + "x", Versions: q.Versions})
			},
			"another filter": func() (int64, error) { return g.read(made, objectKind, s, collection, Query{Object: object}) },
			"another kind":   func() (int64, error) { return g.read(made, versionsKind, s, collection, q) },
			"another key":    func() (int64, error) { return newSigner([]byte("x")).read(made, objectKind, s, collection, q) },
			"shifted parts": func() (int64, error) {
				return g.read(made, objectKind, s, collection+object, Query{Versions: q.Versions})
			},
		} {
			if name == "shifted parts" && object == "" {
				continue
			}
			if _, err := try(); err == nil {
				t.Fatalf("a next for %q %q %q serves %s", subject, collection, object, name)
			}
		}
	})
}

// FuzzPage: the client reads any body without a fault, and its items are parts of it.
func FuzzPage(f *testing.F) {
	for _, s := range []string{`{"more":true,"next":"x","objects":[{"id":"a"},1,"b",null]}`, `{"objects":null}`, `{}`, `{"objects":[`, `{"objects":[{"a":1,"a":"` + "\xff" + `"}]}`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		p, err := readPage(body, "objects")
		if err != nil {
			return
		}
		rest := body
		for _, o := range p.items {
			at := bytes.Index(rest, o)
			if at < 0 {
				t.Fatalf("%q: item %q is not of it", body, o)
			}
			rest = rest[at+len(o):]
		}
	})
}

// FuzzTime: what is read as a time and written again is read as the same instant, to the microsecond.
func FuzzTime(f *testing.F) {
	for _, s := range []string{"2020-01-01T00:00:00Z", "2020-01-01t00:00:00.123456789z", "2020-01-01T00:00:00 01:00", "2020-02-30T00:00:00Z", ""} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		at, err := ParseTime(s)
		if err != nil {
			return
		}
		again, err := ParseTime(Time{at}.String())
		if year := at.Year(); year < 0 || year > 9999 {
			return // an offset led out of what RFC 3339 can write
		}
		if err != nil || floorMicro(again) != floorMicro(at) {
			t.Fatalf("%q is %s, and written again %s (%v)", s, at, again, err)
		}
	})
}

// Law: whatever is written, deleted and asked, a reader that follows the pages gets each record it may see once, in
// order, and no other's.
func TestPagesAreTheWholeTruth(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := newMemory()
		for n := range rapid.IntRange(0, 40).Draw(t, "records") {
			only := rapid.SampledFrom([]user{"", "alice", "bob"}).Draw(t, "only")
			raw := object(rapid.SampledFrom([]string{"tool", "indicator"}).Draw(t, "type"), n%7, rapid.IntRange(1, 9).Draw(t, "version"))
			if _, err := m.in(red).add([]byte(raw), &m.now, only); err != nil {
				t.Fatal(err)
			}
		}
		filter := rapid.SampledFrom([]string{"", "&match[type]=tool", "&match[version]=all", "&match[version]=first", "&match[version]=first,last&match[type]=indicator"}).Draw(t, "filter")
		as := rapid.SampledFrom([]user{"alice", "bob"}).Draw(t, "reader")
		limit := rapid.IntRange(1, 15).Draw(t, "limit")
		req, err := parsePage("limit=1"+filter, objectsKind)
		if err != nil {
			t.Fatal(err)
		}
		var want, got []string
		for _, r := range chosen(m.in(red).seen(as, ""), req.Query) {
			want = append(want, string(r.Raw))
		}
		s, err := New(Options{Store: m, Authenticate: authenticate, CursorKey: testKey})
		if err != nil {
			t.Fatal(err)
		}
		for next := ""; ; {
			r := httptest.NewRequest("GET", base+"red/objects/?limit="+itoa(limit)+filter+next, nil)
			r.Header.Set("Authorization", "Bearer "+string(as))
			w := httptest.NewRecorder()
			s.Handler().ServeHTTP(w, r)
			var e envelope
			if err := json.Unmarshal(w.Body.Bytes(), &e); err != nil || w.Code != 200 || len(e.Objects) > limit {
				t.Fatalf("%d %s", w.Code, w.Body)
			}
			for _, o := range e.Objects {
				got = append(got, string(o))
			}
			if !e.More {
				break
			}
			next = "&next=" + e.Next
		}
		if !reflect.DeepEqual(got, want) {
			t.Fatalf("got %d, want %d records, or in another order", len(got), len(want))
		}
	})
}
