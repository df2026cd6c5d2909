package taxii

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"
)

// S5: what may not be known of reads like what does not exist, byte for byte.
func TestS05_ExistenceIsNotTold(t *testing.T) {
	m := newMemory()
	m.put(t, red, object("tool", 1, 1), "bob")
	m.put(t, blue, object("tool", 1, 1), "")
	h := serve(t, m, nil)
	status := decode[Status](t, call{method: "POST", path: base + "red/objects/", as: "alice", body: `{"objects":[{"id":"x"}]}`}.do(t, h)).ID
	none := "55555555-5555-4555-8555-555555555555"
	for _, c := range []struct{ as, method, hidden, missing string }{
		{"bob", "GET", base + blue + "/", base + none + "/"},
		{"bob", "GET", base + "blue/", base + "none/"},
		{"bob", "GET", base + blue + "/objects/", base + none + "/objects/"},
		{"bob", "GET", base + blue + "/objects/?limit=0", base + none + "/objects/?limit=0"},
		{"bob", "GET", base + blue + "/manifest/?next=x", base + none + "/manifest/?next=x"},
		{"bob", "POST", base + blue + "/objects/", base + none + "/objects/"},
		{"bob", "DELETE", base + blue + "/objects/" + objectID("tool", 1) + "/", base + none + "/objects/" + objectID("tool", 1) + "/"},
		{"carol", "GET", base + shown + "/objects/", base + none + "/objects/"},
		{"alice", "GET", base + "red/objects/" + objectID("tool", 1) + "/", base + "red/objects/" + objectID("tool", 9) + "/"},
		{"alice", "GET", base + "red/objects/" + objectID("tool", 1) + "/versions/", base + "red/objects/" + objectID("tool", 9) + "/versions/"},
		{"alice", "DELETE", base + "red/objects/" + objectID("tool", 1) + "/", base + "red/objects/" + objectID("tool", 9) + "/"},
		{"alice", "GET", base + "red/objects/?match[id]=" + objectID("tool", 1), base + "red/objects/?match[id]=" + objectID("tool", 9)},
		{"bob", "GET", "/taxii2/root/status/" + status + "/", "/taxii2/root/status/" + none + "/"},
	} {
		hidden := call{method: c.method, path: c.hidden, as: c.as, body: "{"}.do(t, h)
		missing := call{method: c.method, path: c.missing, as: c.as, body: "{"}.do(t, h)
		if hidden.Code != missing.Code || hidden.Body.String() != missing.Body.String() || fmt.Sprint(hidden.Header()) != fmt.Sprint(missing.Header()) {
			t.Errorf("%s %s as %s: %d %v %s\nbut %s: %d %v %s", c.method, c.hidden, c.as, hidden.Code, hidden.Header(), hidden.Body,
				c.missing, missing.Code, missing.Header(), missing.Body)
		}
	}
}

// S18: next serves one reader, one question, one server, and only as long as the reader has the right.
func TestS18_Next(t *testing.T) {
	m := newMemory()
	for n := range 9 {
		m.put(t, red, object("tool", n, 1), "")
		m.put(t, blue, object("tool", n, 1), "")
		m.put(t, red, object("tool", 0, n%9+1), "")
		m.put(t, red, object("tool", 1, n%9+1), "")
	}
	h := serve(t, m, nil)
	tool := func(n int) string { return base + "red/objects/" + objectID("tool", n) + "/" }
	next := decode[envelope](t, get(t, h, "alice", base+"red/objects/?limit=2&match[type]=tool")).Next
	good := base + "red/objects/?limit=2&match[type]=tool&next="
	want(t, get(t, h, "alice", good+next), 200)
	elsewhere := serve(t, m, func(o *Options) { o.CursorKey = bytes.Repeat([]byte("k"), 32) })
	for _, c := range []struct {
		why, as, path string
		h             http.Handler
		status        int
	}{
		{"another reader's", "bob", good + next, h, 400},
		{"no reader's", "", good + next, h, 401},
		{"another filter's", "alice", base + "red/objects/?match[type]=tool,indicator&next=" + next, h, 400},
		{"without its filter", "alice", base + "red/objects/?next=" + next, h, 400},
		{"with one filter more", "alice", good + next + "&match[spec_version]=2.1", h, 400},
		{"with another version filter", "alice", good + next + "&match[version]=all", h, 400},
		{"another collection's", "alice", base + "blue/objects/?match[type]=tool&next=" + next, h, 400},
		{"of a collection that is not his", "bob", base + "blue/objects/?match[type]=tool&next=" + next, h, 404},
		{"another resource's", "alice", base + "red/manifest/?match[type]=tool&next=" + next, h, 400},
		{"another server's", "alice", good + next, elsewhere, 400},
		{"one object's for the list", "alice", base + "red/objects/?next=" + decode[envelope](t, get(t, h, "alice", tool(0)+"?limit=1&match[version]=all")).Next, h, 400},
		{"one object's for another", "alice", tool(1) + "?match[version]=all&next=" + decode[envelope](t, get(t, h, "alice", tool(0)+"?limit=1&match[version]=all")).Next, h, 400},
		{"versions' of another object", "alice", tool(1) + "versions/?next=" + decode[envelope](t, get(t, h, "alice", tool(0)+"versions/?limit=1")).Next, h, 400},
		{"versions' for the object", "alice", tool(0) + "?match[version]=all&next=" + decode[envelope](t, get(t, h, "alice", tool(0)+"versions/?limit=1")).Next, h, 400},
		{"empty", "alice", good, h, 400},
		{"too long", "alice", good + strings.Repeat("A", 100_000), h, 400},
		{"doubled", "alice", good + next + next, h, 400},
		{"padded", "alice", good + next + "=", h, 400},
	} {
		w := get(t, c.h, c.as, c.path)
		if w.Code != c.status || strings.Contains(w.Body.String(), "object") && strings.Contains(w.Body.String(), "modified") {
			t.Errorf("%s: %d, want %d: %s", c.why, w.Code, c.status, w.Body)
		}
	}
	raw, err := base64.RawURLEncoding.DecodeString(next)
	if err != nil {
		t.Fatal(err)
	}
	for i := range raw { // every bit counts, and so does every byte that is missing
		for bit := range 8 {
			forged := slices.Clone(raw)
			forged[i] ^= 1 << bit
			want(t, get(t, h, "alice", good+base64.RawURLEncoding.EncodeToString(forged)), 400)
		}
		want(t, get(t, h, "alice", good+base64.RawURLEncoding.EncodeToString(raw[:i])), 400)
	}
	m.in(red).readers, m.in(red).writers = []user{"bob"}, []user{"bob"}
	want(t, get(t, h, "alice", good+next), 404)
}

// listen serves a store on a real port, with the bounds that a host sets.
func listen(t testing.TB, store Store, change func(*Options)) *httptest.Server {
	t.Helper()
	server := httptest.NewUnstartedServer(serve(t, store, change))
	server.Config.ReadHeaderTimeout = time.Second
	server.Config.MaxHeaderBytes = 16 << 10
	server.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	server.Start()
	t.Cleanup(server.Close)
	return server
}

// dial sends raw bytes and reads what comes back within the time.
func dial(t *testing.T, server *httptest.Server, within time.Duration, chunks ...string) string {
	t.Helper()
	conn, err := net.Dial("tcp", server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	for i, c := range chunks {
		if i > 0 {
			time.Sleep(30 * time.Millisecond)
		}
		_, _ = io.WriteString(conn, c)
	}
	_ = conn.SetReadDeadline(time.Now().Add(within))
	got, err := io.ReadAll(conn)
	if timeout, ok := errors.AsType[net.Error](err); ok && timeout.Timeout() {
		return string(got) + " [still open]"
	}
	return string(got)
}

// S19: odd and slow clients are bounded, and others are served meanwhile.
func TestS19_OddAndSlowClients(t *testing.T) {
	m := newMemory()
	for n := range 50 {
		m.put(t, red, object("tool", n, 1), "")
	}
	server := listen(t, m, func(o *Options) { o.ReadTimeout = time.Second })
	served := func() {
		t.Helper()
		c := &Client{URL: server.URL, Token: "alice", Limits: Limits{Request: 5 * time.Second}}
		if _, err := c.Discover(t.Context()); err != nil {
			t.Errorf("others are not served: %v", err)
		}
	}
	head := "Host: x\r\nAuthorization: Bearer alice\r\nAccept: */*\r\n"
	post := "POST " + base + "red/objects/ HTTP/1.1\r\n" + head + "Content-Type: application/taxii+json\r\n"

	t.Run("idle connections", func(t *testing.T) {
		var idle []net.Conn
		for range 400 {
			conn, err := net.Dial("tcp", server.Listener.Addr().String())
			if err != nil {
				t.Fatal(err)
			}
			idle = append(idle, conn)
		}
		served()
		for _, conn := range idle { // and each of them is let go in time
			_ = conn.SetReadDeadline(time.Now().Add(5 * time.Second))
			if _, err := conn.Read(make([]byte, 1)); err != io.EOF && !strings.Contains(fmt.Sprint(err), "reset") {
				t.Fatalf("an idle connection is kept: %v", err)
			}
			conn.Close()
		}
	})
	t.Run("slow headers", func(t *testing.T) {
		got := dial(t, server, 8*time.Second, "GET /taxii2/ HTTP/1.1\r\nHo", "st: x\r\nAcc", "ept: ")
		if strings.Contains(got, "still open") {
			t.Errorf("%q", got)
		}
		served()
	})
	t.Run("slow body", func(t *testing.T) {
		got := dial(t, server, 8*time.Second, post+"Content-Length: 1000\r\n\r\n{", "\"obj", "ects\":[")
		if !strings.HasPrefix(got, "HTTP/1.1 408") || !strings.Contains(got, MediaType) || strings.Contains(got, "still open") {
			t.Errorf("%q, want 408 and the end of the connection", got)
		}
	})
	t.Run("body that breaks off", func(t *testing.T) {
		got := dial(t, server, 8*time.Second, post+"Transfer-Encoding: chunked\r\n\r\n5\r\n{\"obj\r\nzz\r\n")
		if !strings.HasPrefix(got, "HTTP/1.1 400") {
			t.Errorf("%q, want 400", got)
		}
	})
	t.Run("pipelining", func(t *testing.T) {
		one := "GET /taxii2/ HTTP/1.1\r\n" + head
		got := dial(t, server, 8*time.Second, strings.Repeat(one+"\r\n", 20)+one+"Connection: close\r\n\r\n")
		if n := strings.Count(got, "HTTP/1.1 200 OK"); n != 21 {
			t.Errorf("%d answers, want 21", n)
		}
	})
	t.Run("chunk extensions", func(t *testing.T) {
		body := `{"objects":[{"id":"x"}]}`
		chunked := fmt.Sprintf("%x;%s\r\n%s\r\n0\r\n\r\n", len(body), strings.Repeat("e", 1000), body)
		got := dial(t, server, 8*time.Second, post+"Connection: close\r\nTransfer-Encoding: chunked\r\n\r\n"+chunked)
		if !strings.HasPrefix(got, "HTTP/1.1 202") {
			t.Errorf("%q, want 202", got)
		}
		endless := strings.Repeat("1;"+strings.Repeat("e", 4000)+"\r\n{\r\n", 20)
		got = dial(t, server, 8*time.Second, post+"Connection: close\r\nTransfer-Encoding: chunked\r\n\r\n"+endless)
		if !strings.HasPrefix(got, "HTTP/1.1 400") {
			t.Errorf("%q, want 400", got)
		}
	})
	t.Run("both lengths", func(t *testing.T) {
		body := "18\r\n{\"objects\":[{\"id\":\"x\"}]}\r\n0\r\n\r\n"
		smuggled := "GET /taxii2/root/ HTTP/1.1\r\n" + head + "Connection: close\r\n\r\n"
		got := dial(t, server, 8*time.Second, post+"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n"+body+smuggled)
		if strings.Count(got, "HTTP/1.1 ") != 2 || !strings.HasPrefix(got, "HTTP/1.1 202") || !strings.Contains(got, "HTTP/1.1 200") {
			t.Errorf("%q, want the chunks as the body and what follows as a request of its own", got)
		}
	})
	t.Run("long headers", func(t *testing.T) {
		got := dial(t, server, 8*time.Second, "GET /taxii2/ HTTP/1.1\r\n"+head+"X: "+strings.Repeat("x", 1<<20)+"\r\n\r\n")
		if strings.HasPrefix(got, "HTTP/1.1 2") {
			t.Errorf("%.80q", got)
		}
		served()
	})
	t.Run("announced length", func(t *testing.T) {
		got := dial(t, server, 8*time.Second, post+"Content-Length: 99999999999\r\n\r\n{")
		if !strings.HasPrefix(got, "HTTP/1.1 413") || strings.Contains(got, "still open") {
			t.Errorf("%q, want 413 at once", got)
		}
	})
}

// S19: a client that does not read its page is let go, and its connection does not hold later requests to the deadline.
func TestS19_ClientThatDoesNotRead(t *testing.T) {
	m := newMemory()
	for n := range 60 {
		m.put(t, red, fmt.Sprintf(`{"type":"tool","spec_version":"2.1","id":"tool--%d","created":"2020-01-01T00:00:00Z","x":%q}`, n, strings.Repeat("x", 200_000)), "")
	}
	server := listen(t, m, func(o *Options) { o.WriteTimeout = 700 * time.Millisecond })
	conn, err := net.Dial("tcp", server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	fmt.Fprintf(conn, "GET %sred/objects/?limit=60 HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer alice\r\n\r\n", base)
	time.Sleep(1500 * time.Millisecond)
	n, err := io.Copy(io.Discard, conn)
	if n >= 12_000_000 {
		t.Errorf("the whole page of %d bytes (%v) went to a client that did not read", n, err)
	}
	// A connection that is kept: the deadline of the first answer is not that of the second.
	conn2, err := net.Dial("tcp", server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn2.Close()
	in := bufio.NewReader(conn2)
	for i, path := range []string{base + "red/objects/?limit=1", "/taxii2/"} {
		fmt.Fprintf(conn2, "GET %s HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer alice\r\n\r\n", path)
		resp, err := http.ReadResponse(in, nil)
		if err != nil {
			t.Fatalf("answer %d: %v", i, err)
		}
		if n, err := io.Copy(io.Discard, resp.Body); err != nil || resp.StatusCode != 200 {
			t.Fatalf("answer %d: %d bytes, %v", i, n, err)
		}
		time.Sleep(900 * time.Millisecond)
	}
}

// S19: the time for a body is not the time for what the store does with it.
func TestS19_TheBodysTimeEndsWithTheBody(t *testing.T) {
	server := listen(t, slowAdd{newMemory()}, func(o *Options) { o.ReadTimeout = 500 * time.Millisecond })
	c := &Client{URL: server.URL, Token: "alice"}
	for s, err := range find(t, c, "red").Push(t.Context(), slices.Values([]json.RawMessage{[]byte(`{"id":"x"}`)})) {
		if err != nil || s.SuccessCount != 1 {
			t.Errorf("%+v, %v", s, err)
		}
	}
}

type slowAdd struct{ *memory }

func (s slowAdd) Add(ctx context.Context, who Subject, collection string, objects []json.RawMessage) (Status, error) {
	select {
	case <-ctx.Done():
		return Status{}, ctx.Err()
	case <-time.After(time.Second):
		return s.memory.Add(ctx, who, collection, objects)
	}
}

// S34: nothing of a request but its method and route is logged, and no secret is in an answer.
func TestS34_NoSecretsInLogsAndErrors(t *testing.T) {
	var log bytes.Buffer
	m := newMemory()
	m.fault = errors.New("a fault of the store")
	h := serve(t, m, func(o *Options) { o.Log = slog.New(slog.NewTextHandler(&log, nil)) })
	secrets := []string{"canary-object", "canary-filter", "canary-next", "YWxpY2U6c2VjcmV0", "canary-collection"}
	w := call{method: "GET", path: base + "canary-collection/objects/canary-object/?match[version]=canary-filter&next=canary-next",
		header: map[string]string{"Authorization": "Basic YWxpY2U6c2VjcmV0"}}.do(t, h)
	want(t, w, 500)
	id := decode[errorResource](t, w).ErrorID
	if id == "" || !strings.Contains(log.String(), id) || !strings.Contains(log.String(), "a fault of the store") {
		t.Errorf("the log %q does not have error_id %q and the fault", log.String(), id)
	}
	for _, s := range secrets {
		if strings.Contains(log.String(), s) || strings.Contains(w.Body.String(), s) {
			t.Errorf("%s is in the log %q or the answer %q", s, log.String(), w.Body)
		}
	}
}

func TestRefuse(t *testing.T) {
	s, err := New(Options{Store: newMemory(), Authenticate: authenticate, CursorKey: testKey})
	if err != nil {
		t.Fatal(err)
	}
	w := httptest.NewRecorder()
	s.Refuse(w, httptest.NewRequest("GET", "/taxii2/", nil), ErrUnauthorized)
	want(t, w, 401)
}

func zipped(s string) string {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	_, _ = io.WriteString(z, s)
	z.Close()
	return b.String()
}

func TestGzip(t *testing.T) {
	m := newMemory()
	for n := range 100 {
		m.put(t, red, object("tool", n, 1), "")
	}
	h := serve(t, m, nil)
	plainText := get(t, h, "alice", base+"red/objects/").Body.String()
	for accept, zip := range map[string]bool{
		"": false, "gzip": true, "deflate, GZIP;q=0.5": true, "*": true, "gzip;q=0, *": false, "br": false, "identity": false, "gzip;q=0": false,
	} {
		w := call{method: "GET", path: base + "red/objects/", as: "alice", header: map[string]string{"Accept-Encoding": accept}}.do(t, h)
		want(t, w, 200)
		text := w.Body.String()
		if (w.Header().Get("Content-Encoding") == "gzip") != zip {
			t.Errorf("Accept-Encoding %q: Content-Encoding %q", accept, w.Header().Get("Content-Encoding"))
		} else if zip {
			z, err := gzip.NewReader(w.Body)
			if err != nil {
				t.Fatal(err)
			}
			b, err := io.ReadAll(z)
			if text = string(b); err != nil {
				t.Fatal(err)
			}
		}
		if text != plainText {
			t.Errorf("Accept-Encoding %q: another text", accept)
		}
	}
	small := call{method: "GET", path: "/taxii2/", as: "alice", header: map[string]string{"Accept-Encoding": "gzip"}}.do(t, h)
	if small.Header().Get("Content-Encoding") != "" {
		t.Error("a small body is compressed")
	}
	off := call{method: "GET", path: base + "red/objects/", as: "alice", header: map[string]string{"Accept-Encoding": "gzip"}}.do(t, serve(t, m, func(o *Options) { o.NoGzip = true }))
	if off.Header().Get("Content-Encoding") != "" {
		t.Error("compressed in spite of NoGzip")
	}

	h = serve(t, m, func(o *Options) { o.MaxContentLength = 10_000 })
	body := `{"objects":[` + object("tool", 1, 1) + `]}`
	for _, c := range []struct {
		coding, body string
		status       int
		why          string
	}{
		{"gzip", zipped(body), 202, "gzip is taken"},
		{"identity", body, 202, "plain by name"},
		{"gzip", zipped(body)[:40], 400, "cut off"},
		{"gzip", body, 400, "not gzip"},
		{"gzip", zipped(`{"objects":[` + strings.Repeat(" ", 10_000_000) + `]}`), 413, "a bomb"},
		{"br", body, 415, "unknown"},
		{"gzip, gzip", zipped(zipped(body)), 415, "twice"},
	} {
		w := call{method: "POST", path: base + "red/objects/", as: "alice", body: c.body, header: map[string]string{"Content-Encoding": c.coding}}.do(t, h)
		if w.Code != c.status {
			t.Errorf("%s: %d, want %d: %s", c.coding, w.Code, c.status, c.why)
		}
		want(t, w, w.Code)
	}
}
