package taxii

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// thousand is a page of 1,000 objects of 1.4 kB, the mean of ATT&CK.
func thousand() Page {
	var p Page
	for n := range 1000 {
		o := object("indicator", n, 1)
		pad := strings.Repeat("x", 1400-len(o)-len(`,"x":""`))
		raw := strings.TrimSuffix(o, "}") + `,"x":"` + pad + `"}`
		p.Records = append(p.Records, Record{Number: int64(n + 1), ID: objectID("indicator", n), Version: "2020-01-01T00:00:00.000Z", Raw: []byte(raw)})
	}
	return p
}

// BenchmarkPage is a page of 1,000 objects of 1.4 kB over a real connection, beside its floor: the same bytes copied
// by io.Copy, and what decoding and encoding the page again would cost.
func BenchmarkPage(b *testing.B) {
	page := thousand()
	body := bytes.Join(pageBody(objectsKind, page, ""), nil)
	taxii := serve(b, fixedPage{newMemory(), page}, nil)
	for _, c := range []struct {
		name   string
		accept string
		h      http.Handler
	}{
		{"taxii", "identity", taxii},
		{"taxii-gzip", "gzip", taxii},
		{"floor-io.Copy", "identity", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Length", itoa(len(body)))
			_, _ = io.Copy(w, struct{ io.Reader }{bytes.NewReader(body)})
		})},
		{"encoding-json", "identity", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			var e struct {
				Objects []map[string]any `json:"objects"`
			}
			_ = json.Unmarshal(body, &e)
			_ = json.NewEncoder(w).Encode(e)
		})},
	} {
		b.Run(c.name, func(b *testing.B) {
			server := httptest.NewServer(c.h)
			defer server.Close()
			b.SetBytes(int64(len(body)))
			b.ReportAllocs()
			for b.Loop() {
				r, _ := http.NewRequest("GET", server.URL+base+"red/objects/?limit=1000", nil)
				r.Header.Set("Authorization", "Bearer alice")
				r.Header.Set("Accept-Encoding", c.accept)
				resp, err := http.DefaultTransport.RoundTrip(r)
				if err != nil {
					b.Fatal(err)
				}
				n, err := io.Copy(io.Discard, resp.Body)
				resp.Body.Close()
				if err != nil || resp.StatusCode != 200 || c.accept == "identity" && int(n) < len(body)/2 {
					b.Fatal(resp.Status, n, err)
				}
			}
		})
	}
}

// BenchmarkHandler is the server's own part of a page of 1,000: no connection, a store that answers at once.
func BenchmarkHandler(b *testing.B) {
	h := serve(b, fixedPage{newMemory(), thousand()}, nil)
	for _, resource := range []string{"objects", "manifest"} {
		b.Run(resource, func(b *testing.B) {
			r := httptest.NewRequest("GET", base+"red/"+resource+"/?limit=1000", nil)
			r.Header.Set("Authorization", "Bearer alice")
			b.ReportAllocs()
			for b.Loop() {
				h.ServeHTTP(&discard{header: http.Header{}}, r)
			}
		})
	}
}

// discard is a connection to nowhere.
type discard struct{ header http.Header }

func (d *discard) Header() http.Header         { return d.header }
func (d *discard) Write(b []byte) (int, error) { return len(b), nil }
func (d *discard) WriteHeader(int)             {}

// BenchmarkEnvelope reads a POST of 1,000 objects of 1.4 kB, beside encoding/json on the same bytes.
func BenchmarkEnvelope(b *testing.B) {
	body := bytes.Join(pageBody(objectsKind, thousand(), ""), nil)
	for name, read := range map[string]func() (int, error){
		"taxii": func() (int, error) {
			objects, err := ReadEnvelope(bytes.NewReader(body), 1000)
			return len(objects), err
		},
		"encoding-json": func() (int, error) {
			var e struct{ Objects []json.RawMessage }
			err := json.Unmarshal(body, &e)
			return len(e.Objects), err
		},
	} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(body)))
			b.ReportAllocs()
			for b.Loop() {
				if n, err := read(); n != 1000 || err != nil {
					b.Fatal(n, err)
				}
			}
		})
	}
}

// BenchmarkPull is our client reading 10,000 objects of 1.4 kB from our server, page by page.
func BenchmarkPull(b *testing.B) {
	m := newMemory()
	for n, r := range thousand().Records {
		for i := range 10 {
			m.put(b, red, strings.Replace(string(r.Raw), r.ID, fmt.Sprintf("%s-%d-%d", r.ID, n, i), 1), "")
		}
	}
	server := httptest.NewServer(serve(b, m, nil))
	defer server.Close()
	remote := find(b, &Client{URL: server.URL, Token: "alice"}, "red")
	b.ReportAllocs()
	for b.Loop() {
		n := 0
		for _, err := range remote.Objects(Cursor{}, Filter{}).All(context.Background()) {
			if n++; err != nil {
				b.Fatal(err)
			}
		}
		if n != 10_000 {
			b.Fatal(n)
		}
	}
	b.ReportMetric(float64(b.N)*10_000/b.Elapsed().Seconds(), "objects/s")
}
