package taxii

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// hostile is a server that misbehaves on its objects resource, and is otherwise one collection.
func hostile(t testing.TB, objects http.HandlerFunc) (*Remote, *httptest.Server) {
	t.Helper()
	mux := http.NewServeMux()
	mux.HandleFunc("/root/collections/c/objects/", objects)
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	c := &Client{URL: server.URL, Token: "the-secret-token", Limits: Limits{PageBytes: 1 << 20, Request: 10 * time.Second, Pages: 300}}
	return c.Remote(Root{URL: server.URL + "/root/"}, Collection{ID: "c"}), server
}

// pageOf writes a page; times are seconds from the start of the tests' day, and below zero there is no header.
func pageOf(w http.ResponseWriter, body string, first, last int) {
	w.Header().Set("Content-Type", MediaType)
	if first >= 0 {
		w.Header().Set("X-TAXII-Date-Added-First", second(first).String())
		w.Header().Set("X-TAXII-Date-Added-Last", second(last).String())
	}
	_, _ = w.Write([]byte(body))
}

func second(n int) Time { return TimeOf(time.Date(2026, 1, 2, 0, 0, n, 0, time.UTC).UnixMicro()) }

// S21: a pull from a hostile server ends, says why, keeps its cursor, and its memory stays flat.
func TestS21_HostileServers(t *testing.T) {
	var n atomic.Int64 // requests of the case
	item := func(i int64) string { return fmt.Sprintf(`{"id":"tool--%d"}`, i) }
	elsewhere := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		t.Errorf("a request reached another host: %s, Authorization %q", r.URL, r.Header.Get("Authorization"))
	}))
	defer elsewhere.Close()
	for _, c := range []struct {
		name  string
		serve http.HandlerFunc // n is 1 at the first request
		says  string
		items int // at least this many are handed on; -1 for none
		keeps int // the second that the cursor keeps; -1 for none
	}{
		{"endless more", func(w http.ResponseWriter, r *http.Request) {
			i := n.Load()
			pageOf(w, fmt.Sprintf(`{"more":true,"next":"%d","objects":[%s]}`, i, item(i)), int(i), int(i))
		}, "still has more after 300 pages", 300, 300},
		{"endless more without next", func(w http.ResponseWriter, r *http.Request) {
			i := n.Load()
			pageOf(w, fmt.Sprintf(`{"more":true,"objects":[%s]}`, item(i)), int(i), int(i))
		}, "still has more after 300 pages", 300, 300},
		{"same next for ever", func(w http.ResponseWriter, r *http.Request) {
			pageOf(w, `{"more":true,"next":"x","objects":[`+item(1)+`]}`, 2, 2)
		}, "round in circles", 1, 2},
		{"a circle of nexts", func(w http.ResponseWriter, r *http.Request) {
			pageOf(w, fmt.Sprintf(`{"more":true,"next":"%d","objects":[%s]}`, n.Load()%7, item(n.Load()%7)), -1, -1)
		}, "round in circles", 7, -1},
		{"a circle of more items than are marked", func(w http.ResponseWriter, r *http.Request) {
			var page []string
			for i := range int64(1000) {
				page = append(page, item(n.Load()%23*1000+i))
			}
			pageOf(w, fmt.Sprintf(`{"more":true,"next":"%d","objects":[%s]}`, n.Load()%23, strings.Join(page, ",")), -1, -1)
		}, "round in circles", 23_000, -1},
		{"the same page for ever", func(w http.ResponseWriter, r *http.Request) {
			pageOf(w, fmt.Sprintf(`{"more":true,"next":"%d","objects":[%s]}`, n.Load(), item(1)), 1, 1)
		}, "brought nothing new", 1, 1},
		{"the same page for ever without next", func(w http.ResponseWriter, r *http.Request) {
			pageOf(w, `{"more":true,"objects":[`+item(1)+`]}`, 1, 1)
		}, "no way to go on", 1, 1},
		{"empty pages for ever", func(w http.ResponseWriter, r *http.Request) {
			pageOf(w, fmt.Sprintf(`{"more":true,"next":"%d"}`, n.Load()), -1, -1)
		}, "brought nothing new", -1, -1},
		{"more and no way to it", func(w http.ResponseWriter, r *http.Request) {
			pageOf(w, `{"more":true,"objects":[`+item(1)+`]}`, -1, -1)
		}, "no way to go on", 1, -1},
		{"page of a gigabyte", func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", MediaType)
			_, _ = w.Write([]byte(`{"objects":["`))
			block := []byte(strings.Repeat("x", 1<<20))
			for range 1024 {
				if _, err := w.Write(block); err != nil {
					return
				}
			}
		}, "longer than this client takes", -1, -1},
		{"announced gigabyte", func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Length", "1000000000")
			pageOf(w, `{`, -1, -1)
		}, "longer than this client takes", -1, -1},
		{"gzip bomb", func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Encoding", "gzip")
			pageOf(w, bomb, -1, -1)
		}, "longer than this client takes", -1, -1},
		{"not gzip", func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Encoding", "gzip")
			pageOf(w, `{"objects":[]}`, -1, -1)
		}, "says it is gzip and is not", -1, -1},
		{"gzip that is not asked for", func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Encoding", "br")
			pageOf(w, `{"objects":[]}`, -1, -1)
		}, `encoded as "br"`, -1, -1},
		{"slow drip", func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", MediaType)
			for range 100 {
				_, _ = w.Write([]byte(" "))
				w.(http.Flusher).Flush()
				select {
				case <-r.Context().Done():
					return
				case <-time.After(50 * time.Millisecond):
				}
			}
		}, "deadline exceeded", -1, -1},
		{"silence", func(w http.ResponseWriter, r *http.Request) { <-r.Context().Done() }, "deadline exceeded", -1, -1},
		{"breaks off", func(w http.ResponseWriter, r *http.Request) {
			if n.Load() == 1 {
				pageOf(w, `{"more":true,"next":"2","objects":[`+item(1)+`]}`, 5, 5)
				return
			}
			w.Header().Set("Content-Length", "5000")
			pageOf(w, `{"objects":[`+item(2)+`,`, 6, 6)
		}, "broke off", 1, 5},
		{"half JSON", func(w http.ResponseWriter, r *http.Request) {
			pageOf(w, `{"objects":[`+item(1)+`,{"id":`, 6, 6)
		}, "no JSON as it should be", -1, -1},
		{"JSON and more", func(w http.ResponseWriter, r *http.Request) {
			pageOf(w, `{"objects":[`+item(1)+`]}{}`, 6, 6)
		}, "goes on after its end", -1, -1},
		{"two nexts", func(w http.ResponseWriter, r *http.Request) {
			pageOf(w, `{"more":true,"next":"a","next":"b","objects":[`+item(1)+`]}`, 6, 6)
		}, `"next" twice`, -1, -1},
		{"a list", func(w http.ResponseWriter, r *http.Request) { pageOf(w, `[`+item(1)+`]`, 6, 6) }, "no TAXII envelope", -1, -1},
		{"objects that are no list", func(w http.ResponseWriter, r *http.Request) {
			pageOf(w, `{"objects":{"a":1}}`, 6, 6)
		}, "no list", -1, -1},
		{"more that is no truth value", func(w http.ResponseWriter, r *http.Request) {
			pageOf(w, `{"more":"yes","objects":[`+item(1)+`]}`, 6, 6)
		}, `"more" is not what it should be`, -1, -1},
		{"next of a megabyte", func(w http.ResponseWriter, r *http.Request) {
			pageOf(w, `{"more":true,"next":"`+strings.Repeat("x", 900_000)+`","objects":[`+item(1)+`]}`, 6, 6)
		}, "longer than 8 KiB", -1, -1},
		{"nested for ever", func(w http.ResponseWriter, r *http.Request) {
			pageOf(w, `{"objects":[`+strings.Repeat(`[`, 500_000), 6, 6)
		}, "no JSON as it should be", -1, -1},
		{"wrong type", func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "text/html")
			_, _ = w.Write([]byte("<html>log in</html>"))
		}, `the answer is "text/html"`, -1, -1},
		{"times that go back between pages", func(w http.ResponseWriter, r *http.Request) {
			at := 100 - 10*int(n.Load())
			pageOf(w, fmt.Sprintf(`{"more":true,"next":"%d","objects":[%s]}`, n.Load(), item(n.Load())), at, at)
		}, "times go backwards", 1, 90},
		{"times that go back within a page", func(w http.ResponseWriter, r *http.Request) {
			pageOf(w, `{"objects":[`+item(1)+`]}`, 50, 40)
		}, "times go backwards", -1, -1},
		{"302 elsewhere", func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, elsewhere.URL+"/steal/", http.StatusFound)
		}, "redirects to another host", -1, -1},
		{"308 elsewhere on the second page", func(w http.ResponseWriter, r *http.Request) {
			if n.Load() == 1 {
				pageOf(w, `{"more":true,"next":"2","objects":[`+item(1)+`]}`, 5, 5)
				return
			}
			http.Redirect(w, r, elsewhere.URL+"/steal/", http.StatusPermanentRedirect)
		}, "redirects to another host", 1, 5},
		{"redirects for ever", func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "?"+strconv.Itoa(int(n.Load())), http.StatusFound)
		}, "redirects more than 3 times", -1, -1},
		{"redirect to nowhere", func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(302) }, "without saying where to", -1, -1},
		{"our token in the error", func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", MediaType)
			w.WriteHeader(403)
			fmt.Fprintf(w, `{"title":"you sent %s\u001b[31m","http_status":"403"}`, r.Header.Get("Authorization"))
		}, "you sent Bearer [secret] [31m", -1, -1},
		{"always later", func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Retry-After", "1")
			w.WriteHeader(503)
		}, "503", -1, -1},
		{"much later", func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Retry-After", "86400")
			w.WriteHeader(429)
		}, "come again in 24h0m0s", -1, -1},
		{"forgets the cursor", func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Query().Get("next") != "" {
				http.Error(w, "what cursor?", 400)
				return
			}
			pageOf(w, `{"more":true,"next":"2","objects":[`+item(1)+`]}`, 5, 5)
		}, "400", 1, 5},
		{"error of a gigabyte", func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(500)
			block := []byte(strings.Repeat("x", 1<<20))
			for range 1024 {
				if _, err := w.Write(block); err != nil {
					return
				}
			}
		}, "500", -1, -1},
		{"endless headers", func(w http.ResponseWriter, r *http.Request) {
			conn, out, err := http.NewResponseController(w).Hijack()
			if err != nil {
				return
			}
			defer conn.Close()
			_, _ = out.WriteString("HTTP/1.1 200 OK\r\n")
			line := "X-More: " + strings.Repeat("x", 1<<20) + "\r\n"
			for range 1024 {
				if _, err := out.WriteString(line); err != nil {
					return
				}
			}
		}, "header", -1, -1},
	} {
		t.Run(c.name, func(t *testing.T) {
			n.Store(0)
			remote, _ := hostile(t, func(w http.ResponseWriter, r *http.Request) { n.Add(1); c.serve(w, r) })
			var slept time.Duration
			remote.client.Sleep = sleeper(&slept)
			if c.says == "deadline exceeded" {
				remote.client.Limits.Request = 500 * time.Millisecond
			}
			pull, got, why := remote.Objects(Cursor{}, Filter{}), 0, error(nil)
			before, all := heap()
			began := time.Now()
			for _, err := range pull.All(t.Context()) {
				if why = err; err == nil {
					got++
				}
			}
			if why == nil || !strings.Contains(why.Error(), c.says) {
				t.Errorf("it says %v, want %q", why, c.says)
			}
			if strings.Contains(fmt.Sprint(why), "the-secret-token") || strings.Contains(fmt.Sprint(why), "?limit") {
				t.Errorf("a secret or the query is told: %v", why)
			}
			if got < c.items || c.items < 0 && got > 0 {
				t.Errorf("%d items, want %d", got, c.items)
			}
			var keeps Time
			if c.keeps >= 0 {
				keeps = second(c.keeps)
			}
			if !pull.Cursor().After.Equal(keeps.Time) {
				t.Errorf("the cursor is at %s, want %s", pull.Cursor().After, keeps)
			}
			if now, sum := heap(); now-before > 8<<20 || sum-all > 256<<20 {
				t.Errorf("%d MiB more memory is held, and %d MiB were asked for", (now-before)>>20, (sum-all)>>20)
			}
			if took := time.Since(began); took > 30*time.Second || slept > 5*time.Minute {
				t.Errorf("it took %s, and asked to sleep %s", took, slept)
			}
		})
	}
}

var bomb = zipped(`{"objects":["` + strings.Repeat("x", 64<<20) + `"]}`)

// heap is the memory that is held, and all that ever was.
func heap() (held, all int64) {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc), int64(m.TotalAlloc)
}

// S21: an object changed after delivery, or not its own, is handed on as it came; judging is the caller's business.
func TestS21_ChangedObjectsAreHandedOn(t *testing.T) {
	for _, second := range []string{`{"id":"tool--1","modified":"2020","name":"changed"}`, `{"id":"identity--of-another"}`, `{"id":"a","id":"b"}`, "{\"id\":\"\xff\"}", `17`} {
		pages := []string{`{"more":true,"next":"2","objects":[{"id":"tool--1","modified":"2020","name":"first"}]}`, `{"objects":[` + second + `]}`}
		remote, _ := hostile(t, func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Query().Get("next") == "2" {
				pageOf(w, pages[1], 2, 2)
			} else {
				pageOf(w, pages[0], 1, 1)
			}
		})
		var got []string
		for raw, err := range remote.Objects(Cursor{}, Filter{}).All(t.Context()) {
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, string(raw))
		}
		if len(got) != 2 || got[1] != second {
			t.Errorf("%q, want the second object as %s", got, second)
		}
	}
}

// S21: discovery with roots elsewhere: they are named, and nothing is sent there.
func TestS21_ForeignRoots(t *testing.T) {
	elsewhere := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		t.Errorf("a request reached another host: %s %v", r.URL, r.Header)
	}))
	defer elsewhere.Close()
	var server *httptest.Server
	server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", MediaType)
		switch r.URL.Path {
		case "/taxii2/":
			roots := []string{elsewhere.URL + "/root/", "/relative/", server.URL + "/absolute", "//" + elsewhere.Listener.Addr().String() + "/x/",
				"http://user:password@" + server.Listener.Addr().String() + "/x/", "://", "/old/", "/gone/"}
			_ = json.NewEncoder(w).Encode(Discovery{Title: "x", APIRoots: roots})
		case "/relative/", "/absolute/":
			_, _ = w.Write([]byte(`{"title":"r","versions":["application/taxii+json;version=2.1"],"max_content_length":1000}`))
		case "/old/":
			_, _ = w.Write([]byte(`{"title":"r","versions":["application/taxii+json;version=2.0"],"max_content_length":1000}`))
		default:
			w.WriteHeader(404)
		}
	}))
	defer server.Close()
	c := &Client{URL: server.URL, Token: "the-secret-token"}
	roots, err := c.Roots(t.Context())
	if err != nil || len(roots) != 8 {
		t.Fatalf("%d roots, %v", len(roots), err)
	}
	for i, says := range []string{"another host", "", "", "another host", "no URL", "no URL", "does not speak TAXII 2.1", "404"} {
		if (says == "") != (roots[i].Err == nil) || roots[i].Err != nil && !strings.Contains(roots[i].Err.Error(), says) {
			t.Errorf("root %d, %s: %v, want %q", i, roots[i].URL, roots[i].Err, says)
		}
	}
	if _, err := c.Collections(t.Context(), elsewhere.URL+"/root/"); err == nil {
		t.Error("collections of another host are asked for")
	}
	if _, err := c.Find(t.Context(), "x"); err == nil || !strings.Contains(err.Error(), "another host") {
		t.Errorf("Find says %v, want why roots could not be used", err)
	}
	if errors.Is(roots[7].Err, ErrNotFound) != true {
		t.Errorf("%v is no ErrNotFound", roots[7].Err)
	}
}
