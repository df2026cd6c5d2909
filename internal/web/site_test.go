package web

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	polder "github.com/polder-exchange/polder"
)

var update = flag.Bool("update", false, "write the golden files anew")

// at is the moment of every test: a Tuesday.
var at = time.Date(2026, 11, 24, 14, 32, 0, 0, time.UTC)

// people is an Identifier of fixed people: the cookie or secret is the name of a role, or of a failure.
type people struct{}

func (people) of(name string) (Identity, error) {
	role, err := polder.ParseRole(name)
	switch {
	case name == "limited":
		return Identity{}, polder.Errorf(polder.Limited, "too many tries from this address; again in a minute")
	case name == "broken":
		return Identity{}, errors.New("open /secret/place: disk on fire")
	case err != nil:
		return Identity{}, polder.Errorf(polder.Unauthorised, "this token is none")
	}
	return Identity{Actor: polder.Actor{Org: "identity--1", Person: "p1", Name: "Sanne de Wit", Role: role}, OrgName: "Meridiaan Lithografie"}, nil
}

func (p people) BySession(_ context.Context, cookie string) (Identity, error) { return p.of(cookie) }

func (p people) BySecret(_ context.Context, secret string, from netip.Addr) (Identity, error) {
	if !from.IsValid() {
		return Identity{}, errors.New("no address")
	}
	return p.of(secret)
}

func testSite(t testing.TB, o Options, parts ...Part) *Site {
	t.Helper()
	if o.Identify == nil {
		o.Identify = people{}
	}
	if o.Now == nil {
		o.Now = func() time.Time { return at }
	}
	s, err := New(o, parts...)
	if err != nil {
		t.Fatal(err)
	}
	s.AddNav(
		NavItem{Group: Top, Key: "o", Path: "/", Icon: "grid", Title: "nav.node", Need: LoggedIn},
		NavItem{Group: Know, Key: "b", Path: "/objects", Icon: "layers", Title: "nav.know", Need: Reader,
			Count: func(context.Context, polder.Actor) (int, bool) { return 12345, true }},
		NavItem{Group: Node, Path: "/admin", Icon: "list", Title: "nav.decide", Need: Admin},
	)
	return s
}

func handler(t testing.TB, s *Site, routes ...Route) http.Handler {
	t.Helper()
	h, err := s.Handler(routes...)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// ask sends a request; headers are pairs.
func ask(h http.Handler, method, target, body string, headers ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, target, strings.NewReader(body))
	for i := 0; i < len(headers); i += 2 {
		r.Header.Add(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func ok(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "done "+string(ActorOf(r).Org)) }

func TestRoutes(t *testing.T) {
	h := handler(t, testSite(t, Options{}),
		Route{Method: "GET", Pattern: "/public", Exit: "x", Handler: ok},
		Route{Method: "GET", Pattern: "/page", Need: Reader, Exit: "x", Handler: ok},
		Route{Method: "POST", Pattern: "/page", Need: Contributor, Exit: "x", Handler: ok},
		Route{Method: "GET", Pattern: "/admin", Need: Admin, Exit: "x", Handler: ok},
		Route{Method: "GET", Pattern: "/api/v1/things", Need: Reader, Exit: "x", Handler: ok},
		Route{Method: "DELETE", Pattern: "/api/v1/things", Need: Steward, Exit: "x", Handler: ok},
	)
	for _, c := range []struct {
		why, method, path, as string
		status                int
	}{
		{"anybody may", "GET", "/public", "", 200},
		{"an ended session is as none", "GET", "/public", "nobody", 200},
		{"HEAD goes with GET", "HEAD", "/public", "", 200},
		{"an undeclared method", "POST", "/public", "", 405},
		{"an undeclared method that has a body", "PATCH", "/page", "reader", 405},
		{"a made-up method", "FROBNICATE", "/page", "reader", 405},
		{"an unknown path", "GET", "/nothing", "", 404},
		{"an unknown path of the API", "GET", "/api/v1/nothing", "reader", 404},
		{"nobody at a page goes to log in", "GET", "/page", "", 303},
		{"an ended session goes to log in", "GET", "/page", "nobody", 303},
		{"nobody at the API", "GET", "/api/v1/things", "", 401},
		{"a reader reads", "GET", "/page", "reader", 200},
		{"a reader does not write", "POST", "/page", "reader", 403},
		{"a steward may what a contributor may", "POST", "/page", "steward", 200},
		{"an admin has no right on objects (X8)", "GET", "/page", "admin", 403},
		{"an admin manages the node", "GET", "/admin", "admin", 200},
		{"a steward does not manage the node", "GET", "/admin", "steward", 403},
		{"a contributor is no steward", "DELETE", "/api/v1/things", "contributor", 403},
		{"too many tries", "GET", "/public", "limited", 429},
		{"a fault while asking who it is", "GET", "/public", "broken", 500},
	} {
		t.Run(c.why, func(t *testing.T) {
			var headers []string
			if c.as != "" {
				headers = []string{"Cookie", "polder=" + c.as}
			}
			w := ask(h, c.method, c.path, "", headers...)
			if w.Code != c.status {
				t.Fatalf("%s %s as %q: got %d, want %d: %s", c.method, c.path, c.as, w.Code, c.status, w.Body)
			}
			if c.status == 405 && w.Header().Get("Allow") == "" {
				t.Error("405 without Allow")
			}
			if strings.Contains(w.Body.String(), "/secret/place") {
				t.Errorf("a fault's text was sent: %s", w.Body)
			}
			if strings.HasPrefix(c.path, "/api/") && c.status >= 400 && w.Header().Get("Content-Type") != "application/problem+json" {
				t.Errorf("the API answers with %s", w.Header().Get("Content-Type"))
			}
		})
	}
}

func TestSecretsAtTheDoor(t *testing.T) {
	h := handler(t, testSite(t, Options{}), Route{Method: "GET", Pattern: "/api/v1/things", Need: Reader, Exit: "x", Handler: ok},
		Route{Method: "GET", Pattern: "/public", Exit: "x", Handler: ok})
	basic := func(user, password string) string {
		r := httptest.NewRequest("GET", "/", nil)
		r.SetBasicAuth(user, password)
		return r.Header.Get("Authorization")
	}
	for _, c := range []struct {
		why, path, header string
		status            int
	}{
		{"Bearer", "/api/v1/things", "Bearer reader", 200},
		{"Bearer in small letters", "/api/v1/things", "bearer reader", 200},
		{"Basic under any name", "/api/v1/things", basic("whoever", "reader"), 200},
		{"a wrong token", "/api/v1/things", "Bearer wrong", 401},
		{"a wrong token is refused even where none is needed", "/public", "Bearer wrong", 401},
		{"another scheme", "/api/v1/things", "Digest x", 401},
		{"broken Basic", "/api/v1/things", "Basic !!!", 401},
	} {
		t.Run(c.why, func(t *testing.T) {
			if w := ask(h, "GET", c.path, "", "Authorization", c.header); w.Code != c.status {
				t.Fatalf("got %d, want %d: %s", w.Code, c.status, w.Body)
			} else if c.status == 401 && len(w.Header().Values("WWW-Authenticate")) != 2 {
				t.Errorf("challenges: %q", w.Header().Values("WWW-Authenticate"))
			}
		})
	}
	w := ask(h, "GET", "/api/v1/things", "", "Sec-Fetch-Mode", "cors")
	if got := w.Header().Values("WWW-Authenticate"); len(got) != 1 || !strings.HasPrefix(got[0], "Bearer") {
		t.Errorf("a browser would open its own box: %q", got)
	}
}

func TestLogInComesBack(t *testing.T) {
	h := handler(t, testSite(t, Options{}), Route{Method: "GET", Pattern: "/objects", Need: Reader, Exit: "x", Handler: ok},
		Route{Method: "POST", Pattern: "/objects", Need: Reader, Exit: "x", Handler: ok})
	for _, c := range []struct{ why, method, target, to string }{
		{"a page with its filters", "GET", "/objects?type=malware", "/login?next=%2Fobjects%3Ftype%3Dmalware"},
		{"a form is not sent again", "POST", "/objects", "/login"},
	} {
		w := ask(h, c.method, c.target, "")
		if got := w.Header().Get("Location"); w.Code != 303 || got != c.to {
			t.Errorf("%s: got %d to %q, want %q", c.why, w.Code, got, c.to)
		}
	}
}

func TestLocalPath(t *testing.T) {
	for _, good := range []string{"/", "/objects", "/objects?type=a&b=c", "/objects/x#y", "/a%20b", "/a//b"} {
		if got := LocalPath(good); got != good {
			t.Errorf("LocalPath(%q) = %q", good, got)
		}
	}
	for _, bad := range []string{"", "objects", "//evil.example", "///evil.example", "/\\evil.example", "\\\\evil.example", "https://evil.example", "javascript:alert(1)",
		"/\t/evil.example", "/ /evil", "/%zz", "/\x00", "/%2f%2fx\\", "/%5cevil", "http:/objects", "//user@evil.example/", strings.Repeat("/a", 2000)} {
		if got := LocalPath(bad); got != "/" {
			t.Errorf("LocalPath(%q) = %q, want /", bad, got)
		}
	}
}

// S39: a state change that another site makes a browser send is refused; a token call is not.
func TestS39CrossSite(t *testing.T) {
	h := handler(t, testSite(t, Options{Origins: []string{"https://polder.example"}}),
		Route{Method: "POST", Pattern: "/change", Need: Contributor, Exit: "x", Handler: ok},
		Route{Method: "GET", Pattern: "/change", Need: Contributor, Exit: "x", Handler: ok})
	session := []string{"Cookie", "polder=contributor"}
	for _, c := range []struct {
		why, method string
		headers     []string
		status      int
	}{
		{"a form of this site", "POST", append([]string{"Sec-Fetch-Site", "same-origin", "Origin", "http://example.com"}, session...), 200},
		{"a form of another site", "POST", append([]string{"Sec-Fetch-Site", "cross-site", "Origin", "https://evil.example"}, session...), 403},
		{"a form of a sibling", "POST", append([]string{"Sec-Fetch-Site", "same-site", "Origin", "https://a.example.com"}, session...), 403},
		{"an old browser, another site", "POST", append([]string{"Origin", "https://evil.example"}, session...), 403},
		{"a sandboxed frame", "POST", append([]string{"Sec-Fetch-Site", "cross-site", "Origin", "null"}, session...), 403},
		{"the address in front of the proxy", "POST", append([]string{"Origin", "https://polder.example"}, session...), 200},
		{"reading from elsewhere changes nothing", "GET", append([]string{"Sec-Fetch-Site", "cross-site"}, session...), 200},
		{"a program with a token", "POST", []string{"Authorization", "Bearer contributor"}, 200},
		{"a token is nothing that a browser adds", "POST", []string{"Authorization", "Bearer contributor", "Sec-Fetch-Site", "cross-site"}, 200},
		{"Basic is what a browser adds by itself", "POST", []string{"Authorization", "Basic Ong6Y29udHJpYnV0b3I=", "Sec-Fetch-Site", "cross-site"}, 401},
	} {
		t.Run(c.why, func(t *testing.T) {
			if w := ask(h, c.method, "/change", "", c.headers...); w.Code != c.status {
				t.Errorf("got %d, want %d: %s", w.Code, c.status, w.Body)
			}
		})
	}
	r := httptest.NewRequest("POST", "/change", nil)
	r.SetBasicAuth("x", "contributor")
	r.Header.Set("Sec-Fetch-Site", "cross-site")
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	if w.Code != 403 {
		t.Errorf("Basic from another site: got %d, want 403", w.Code)
	}
}

func TestHeaders(t *testing.T) {
	for _, secure := range []bool{false, true} {
		s := testSite(t, Options{Secure: secure})
		h := handler(t, s, Route{Method: "GET", Pattern: "/page", Need: LoggedIn, Exit: "x", Handler: ok})
		name := "polder"
		if secure {
			name = "__Host-polder"
		}
		for _, path := range []string{"/page", "/nothing", "/keyboard"} {
			w := ask(h, "GET", path, "", "Cookie", name+"=reader")
			got := w.Header()
			for key, want := range map[string]string{
				"Content-Security-Policy": policy, "X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer",
				"Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Resource-Policy": "same-origin", "Cache-Control": "no-store",
			} {
				if got.Get(key) != want {
					t.Errorf("%s %s = %q, want %q", path, key, got.Get(key), want)
				}
			}
			if got.Get("Permissions-Policy") == "" || len(got.Get("X-Request-Id")) != 16 {
				t.Errorf("%s: headers missing: %v", path, got)
			}
			if (got.Get("Strict-Transport-Security") != "") != secure {
				t.Errorf("%s secure %v: HSTS %q", path, secure, got.Get("Strict-Transport-Security"))
			}
		}
		w := httptest.NewRecorder()
		s.StartSession(w, "abc", at.Add(time.Hour))
		cookie := w.Header().Get("Set-Cookie")
		for _, part := range []string{name + "=abc", "Path=/", "HttpOnly", "SameSite=Lax"} {
			if !strings.Contains(cookie, part) {
				t.Errorf("session cookie %q lacks %s", cookie, part)
			}
		}
		if strings.Contains(cookie, "Secure") != secure || strings.Contains(cookie, "Domain") {
			t.Errorf("session cookie %q", cookie)
		}
	}
}

func TestEndSession(t *testing.T) {
	s := testSite(t, Options{})
	w := httptest.NewRecorder()
	s.EndSession(w)
	if c := w.Header().Get("Set-Cookie"); !strings.Contains(c, "polder=;") || !strings.Contains(c, "Max-Age=0") {
		t.Errorf("Set-Cookie %q", c)
	}
	if w.Header().Get("Clear-Site-Data") != `"cache"` {
		t.Error("the browser may keep pages")
	}
}

func TestMountRefuses(t *testing.T) {
	good := Route{Method: "GET", Pattern: "/x", Exit: "x", Handler: ok}
	with := func(change func(*Route)) Route { r := good; change(&r); return r }
	for why, routes := range map[string][]Route{
		"no handler":           {with(func(r *Route) { r.Handler = nil })},
		"no exit":              {with(func(r *Route) { r.Exit = "" })},
		"a method by accident": {with(func(r *Route) { r.Method = "" })},
		"a pattern of a host":  {with(func(r *Route) { r.Pattern = "example.com/" })},
		"twice":                {good, good},
		"ambiguous patterns":   {with(func(r *Route) { r.Pattern = "/a/{x}/b" }), with(func(r *Route) { r.Pattern = "/a/b/{y}" })},
	} {
		if _, err := testSite(t, Options{}).Handler(routes...); err == nil {
			t.Errorf("%s: mounted", why)
		}
	}
}

func TestPanic(t *testing.T) {
	var log bytes.Buffer
	var seen []Observed
	s := testSite(t, Options{Log: slog.New(slog.NewTextHandler(&log, nil)), Observe: func(_ context.Context, o Observed) { seen = append(seen, o) }})
	h := handler(t, s,
		Route{Method: "GET", Pattern: "/api/boom", Exit: "boom", Handler: func(http.ResponseWriter, *http.Request) { panic("secret-canary") }},
		Route{Method: "GET", Pattern: "/late", Exit: "late", Handler: func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "half"); panic("late") }})
	w := ask(h, "GET", "/api/boom", "")
	if w.Code != 500 || strings.Contains(w.Body.String(), "canary") || w.Header().Get("Content-Type") != "application/problem+json" {
		t.Errorf("got %d %s", w.Code, w.Body)
	}
	if !strings.Contains(log.String(), "secret-canary") || !strings.Contains(log.String(), w.Header().Get("X-Request-Id")) {
		t.Error("the log does not tell of it")
	}
	if len(seen) != 1 || !seen[0].Panicked || seen[0].Exit != "boom" || seen[0].Status != 500 {
		t.Errorf("observed %+v", seen)
	}
	func() {
		defer func() {
			if recover() != http.ErrAbortHandler {
				t.Error("a half answer must be cut off")
			}
		}()
		ask(h, "GET", "/late", "")
	}()
}

func TestProblem(t *testing.T) {
	secret := errors.New("sql: secret detail")
	for _, c := range []struct {
		why    string
		err    error
		status int
		text   string
	}{
		{"invalid", polder.Errorf(polder.Invalid, "field x is wrong"), 400, "field x is wrong"},
		{"not found", polder.Errorf(polder.NotFound, "no such"), 404, "no such"},
		{"forbidden, bare", polder.ErrForbidden, 403, "forbidden"},
		{"conflict", polder.Errorf(polder.Conflict, "twice"), 409, "twice"},
		{"unauthorised", polder.Errorf(polder.Unauthorised, "who"), 401, "who"},
		{"too large", polder.Errorf(polder.TooLarge, "big"), 413, "big"},
		{"limited", polder.Errorf(polder.Limited, "slow"), 429, "slow"},
		{"unavailable", polder.Errorf(polder.Unavailable, "later"), 503, "later"},
		{"full", polder.Errorf(polder.Full, "disk"), 507, "disk"},
		{"a fault", secret, 500, "a fault of this node"},
		{"a fault of that kind", polder.Errorf(polder.Internal, "secret detail"), 500, "a fault of this node"},
		{"what is wrapped around is not for the reader", fmt.Errorf("secret detail: %w", polder.Errorf(polder.Invalid, "told")), 400, "told"},
		{"what lies below is not for the reader", &polder.Error{Kind: polder.Invalid, Cause: secret}, 400, "invalid"},
		{"a body above the limit", &http.MaxBytesError{Limit: 7}, 413, "above 7 bytes"},
		{"too slow", fmt.Errorf("query: %w", context.DeadlineExceeded), 503, "took too long"},
	} {
		t.Run(c.why, func(t *testing.T) {
			fail := func(w http.ResponseWriter, r *http.Request) { Problem(w, r, c.err) }
			h := handler(t, testSite(t, Options{}), Route{Method: "GET", Pattern: "/api/x", Exit: "x", Handler: fail},
				Route{Method: "GET", Pattern: "/x", Exit: "x", Handler: fail})
			w := ask(h, "GET", "/api/x", "")
			var d details
			if err := json.Unmarshal(w.Body.Bytes(), &d); err != nil {
				t.Fatal(err)
			}
			if w.Code != c.status || d.Status != c.status || !strings.Contains(d.Detail, c.text) || !strings.HasSuffix(d.Instance, w.Header().Get("X-Request-Id")) {
				t.Errorf("got %d %+v", w.Code, d)
			}
			page := ask(h, "GET", "/x", "")
			if page.Code != c.status || !strings.HasPrefix(page.Header().Get("Content-Type"), "text/html") {
				t.Errorf("page: %d %s", page.Code, page.Header())
			}
			for _, out := range []string{w.Body.String(), page.Body.String()} {
				if strings.Contains(out, "secret detail") {
					t.Errorf("told: %s", out)
				}
			}
			if wait := w.Header().Get("Retry-After"); (wait != "") != (c.status == 429 || c.status == 503 || c.status == 507) {
				t.Errorf("Retry-After %q", wait)
			}
			if Status(c.err) != c.status {
				t.Errorf("Status = %d", Status(c.err))
			}
		})
	}
}

type waits struct{ error }

func (waits) RetryAfter() time.Duration { return 90 * time.Second }

func TestRetryAfter(t *testing.T) {
	w := httptest.NewRecorder()
	retry(w, polder.Errorf(polder.Limited, "slow: %w", waits{errors.New("x")}))
	if got := w.Header().Get("Retry-After"); got != "90" {
		t.Errorf("Retry-After %q", got)
	}
}

func TestFailOfAFace(t *testing.T) {
	fail := func(w http.ResponseWriter, r *http.Request, err error) {
		w.WriteHeader(Status(err))
		io.WriteString(w, "own form")
	}
	h := handler(t, testSite(t, Options{}), Route{Method: "GET", Pattern: "/taxii2/", Need: Reader, Exit: "x", Handler: ok, Fail: fail})
	if w := ask(h, "GET", "/taxii2/", ""); w.Code != 401 || w.Body.String() != "own form" || w.Header().Get("WWW-Authenticate") == "" {
		t.Errorf("got %d %s", w.Code, w.Body)
	}
}

func TestBodyAndTime(t *testing.T) {
	read := func(w http.ResponseWriter, r *http.Request) {
		if _, err := io.ReadAll(r.Body); err != nil {
			Problem(w, r, err)
		}
	}
	wait := func(w http.ResponseWriter, r *http.Request) { <-r.Context().Done(); Problem(w, r, r.Context().Err()) }
	h := handler(t, testSite(t, Options{}),
		Route{Method: "POST", Pattern: "/api/a", Exit: "x", Handler: read, MaxBody: 10},
		Route{Method: "POST", Pattern: "/api/b", Exit: "x", Handler: read},
		Route{Method: "POST", Pattern: "/api/drip", Exit: "x", Handler: read, Timeout: 20 * time.Millisecond},
		Route{Method: "GET", Pattern: "/api/slow", Exit: "x", Handler: wait, Timeout: 20 * time.Millisecond},
		Route{Method: "GET", Pattern: "/api/stream", Exit: "x", Stream: true, Timeout: time.Millisecond, Handler: func(w http.ResponseWriter, r *http.Request) {
			if _, bounded := r.Context().Deadline(); bounded {
				t.Error("a stream has a deadline")
			}
		}})
	if w := ask(h, "POST", "/api/a", "0123456789"); w.Code != 200 {
		t.Errorf("10 bytes: %d", w.Code)
	}
	if w := ask(h, "POST", "/api/a", "0123456789a"); w.Code != 413 {
		t.Errorf("11 bytes: %d", w.Code)
	}
	if w := ask(h, "POST", "/api/b", strings.Repeat("a", defaultBody+1)); w.Code != 413 {
		t.Errorf("above the default: %d", w.Code)
	}
	server := httptest.NewServer(h)
	defer server.Close()
	res, err := http.Get(server.URL + "/api/slow")
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	if res.StatusCode != 503 || res.Header.Get("Retry-After") == "" {
		t.Errorf("too slow: %d", res.StatusCode)
	}
	ask(h, "GET", "/api/stream", "")

	// A client that sends its body too slowly is told so.
	conn, err := net.Dial("tcp", server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	io.WriteString(conn, "POST /api/drip HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nab")
	answer, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	answer.Body.Close()
	if answer.StatusCode != 503 {
		t.Errorf("a slow body: %d", answer.StatusCode)
	}
}

func TestStatic(t *testing.T) {
	s := testSite(t, Options{})
	h := handler(t, s)
	for file, kind := range map[string]string{"polder.css": "text/css; charset=utf-8", "polder.js": "text/javascript; charset=utf-8", "mark.svg": "image/svg+xml"} {
		w := ask(h, "GET", s.static.prefix+"/"+file, "")
		if w.Code != 200 || w.Header().Get("Content-Type") != kind || !strings.Contains(w.Header().Get("Cache-Control"), "immutable") {
			t.Errorf("%s: %d %v", file, w.Code, w.Header())
		}
		if again := ask(h, "GET", s.static.prefix+"/"+file, "", "If-None-Match", w.Header().Get("ETag")); again.Code != 304 {
			t.Errorf("%s again: %d", file, again.Code)
		}
	}
	for _, path := range []string{"/static/0000/polder.css", s.static.prefix + "/nothing.css", s.static.prefix + "/../doc.go", "/static/"} {
		if w := ask(h, "GET", path, ""); w.Code == 200 {
			t.Errorf("%s: served", path)
		}
	}
	if w := ask(h, "GET", "/favicon.ico", ""); w.Code != 200 {
		t.Errorf("/favicon.ico: %d", w.Code)
	}
}

func TestLanguage(t *testing.T) {
	h := handler(t, testSite(t, Options{}))
	for _, c := range []struct {
		why, query string
		headers    []string
		want       string
	}{
		{"nothing asked", "", nil, "en"},
		{"the browser asks", "", []string{"Accept-Language", "nl-NL,nl;q=0.9,en;q=0.5"}, "nl"},
		{"the browser asks for what we have not", "", []string{"Accept-Language", "fr,de;q=0.9"}, "en"},
		{"the device chose", "", []string{"Accept-Language", "nl", "Cookie", "polder-lang=en"}, "en"},
		{"the address says", "?lang=nl", []string{"Cookie", "polder-lang=en"}, "nl"},
		{"nonsense in the address", "?lang=xx", []string{"Accept-Language", "nl"}, "nl"},
		{"nonsense from the browser", "", []string{"Accept-Language", ";;;=,"}, "en"},
	} {
		w := ask(h, "GET", "/preferences"+c.query, "", c.headers...)
		if !strings.Contains(w.Body.String(), `<html lang="`+c.want+`"`) {
			t.Errorf("%s: not in %s", c.why, c.want)
		}
	}
}

func TestPreferences(t *testing.T) {
	h := handler(t, testSite(t, Options{}))
	form := []string{"Content-Type", "application/x-www-form-urlencoded"}
	w := ask(h, "POST", "/preferences", "lang=nl&theme=dark&keys=off&next=/objects", form...)
	if w.Code != 303 || w.Header().Get("Location") != "/objects" {
		t.Fatalf("got %d %v", w.Code, w.Header())
	}
	var cookies []string
	for _, c := range w.Result().Cookies() {
		cookies = append(cookies, "Cookie", c.Name+"="+c.Value)
	}
	page := ask(h, "GET", "/preferences", "", cookies...).Body.String()
	if !strings.Contains(page, `<html lang="nl" data-theme="dark" data-keys="off">`) {
		t.Error("preferences are not kept")
	}
	if w := ask(h, "POST", "/preferences", "theme=%22%3E%3Cscript%3E", form...); w.Code != 400 {
		t.Errorf("a theme of one's own: %d", w.Code)
	}
	if w := ask(h, "POST", "/preferences", "next=//evil.example", form...); w.Header().Get("Location") != "/" {
		t.Errorf("sent on to %q", w.Header().Get("Location"))
	}
}

func TestToast(t *testing.T) {
	s := testSite(t, Options{})
	h := handler(t, s, Route{Method: "GET", Pattern: "/do", Exit: "x", Handler: func(w http.ResponseWriter, r *http.Request) {
		s.Toast(w, "/objects/1", "form.errors", "n", 14, "x", `<b>`)
	}})
	cookie := ask(h, "GET", "/do", "").Result().Cookies()[0]
	w := ask(h, "GET", "/keyboard", "", "Cookie", cookie.Name+"="+cookie.Value)
	if body := w.Body.String(); !strings.Contains(body, `role="status"`) || !strings.Contains(body, "14 answers") || !strings.Contains(body, `href="/objects/1"`) {
		t.Error("the toast does not show")
	}
	if gone := w.Result().Cookies(); len(gone) != 1 || gone[0].MaxAge >= 0 {
		t.Error("the toast would show twice")
	}
	other := "x"
	if cookie.Value[0] == 'x' {
		other = "y"
	}
	for why, value := range map[string]string{"forged": other + cookie.Value[1:], "another's": func() string {
		w := httptest.NewRecorder()
		testSite(t, Options{Rand: bytes.NewReader(make([]byte, 4096))}).Toast(w, "", "form.errors")
		return w.Result().Cookies()[0].Value
	}(), "empty": "", "noise": "!!!"} {
		if body := ask(h, "GET", "/keyboard", "", "Cookie", cookie.Name+"="+value).Body.String(); strings.Contains(body, `role="status"`) {
			t.Errorf("a toast that is %s shows", why)
		}
	}
}

func TestNavIsForTheReader(t *testing.T) {
	h := handler(t, testSite(t, Options{}))
	reader := ask(h, "GET", "/keyboard", "", "Cookie", "polder=reader").Body.String()
	admin := ask(h, "GET", "/keyboard", "", "Cookie", "polder=admin").Body.String()
	nobody := ask(h, "GET", "/keyboard", "").Body.String()
	if !strings.Contains(reader, `href="/objects"`) || strings.Contains(reader, `href="/admin"`) {
		t.Error("a reader's rail is wrong")
	}
	if !strings.Contains(admin, `href="/admin"`) || strings.Contains(admin, `href="/objects"`) {
		t.Error("an admin's rail is wrong")
	}
	if strings.Contains(nobody, `class="rail"`) || strings.Contains(nobody, `role="search"`) {
		t.Error("nobody sees a rail")
	}
	if !strings.Contains(reader, "12\u202f345") {
		t.Error("the count does not show")
	}
}

// golden compares with, or with -update writes, a file of testdata.
func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	file := "testdata/" + name
	if *update {
		if err := os.WriteFile(file, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s differs; look at it, and run with -update when it is right. Got:\n%s", file, got)
	}
}

func TestShellGolden(t *testing.T) {
	part := Part{"demo", fstest.MapFS{
		"templates/one.html": {Data: []byte(`{{define "actions"}}<div class="actions"><a class="button" href="/x">{{.}}</a></div>{{end}}<p>{{.}}</p>`)},
		"locale/en.txt":      {Data: []byte("demo.x = One")}, "locale/nl.txt": {Data: []byte("demo.x = Een")},
	}}
	s := testSite(t, Options{Rand: bytes.NewReader(make([]byte, 4096))}, part)
	s.static.prefix = "/static/hash"
	h := handler(t, s, Route{Method: "GET", Pattern: "/objects/{id}", Need: Reader, Exit: "x", Handler: func(w http.ResponseWriter, r *http.Request) {
		s.Render(w, r, Page{Template: "demo/one", Title: "firmware[.]example", Lede: "What it is.", TLP: 3, Live: true, Crumbs: []Link{{"Objects", "/objects"}},
			Facts: []Pair{{Term: "Id", Text: "indicator--11111111-2222-4333-8444-555555555555", Code: true}}, Data: `<script>alert("x")</script>`})
	}})
	page := ask(h, "GET", "/objects/1", "", "Cookie", "polder=reader").Body.Bytes()
	before, rest, _ := bytes.Cut(page, []byte(`<svg class="sprite"`))
	_, after, _ := bytes.Cut(rest, []byte("</symbol>\n</svg>"))
	golden(t, "shell.html", append(append(before, "(sprite)"...), after...))
}

// BenchmarkNew is what the console adds to the start of a node.
func BenchmarkNew(b *testing.B) {
	for b.Loop() {
		if _, err := New(Options{}); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkRender is a large page with every component, from request to bytes.
func BenchmarkRender(b *testing.B) {
	h := handler(b, testSite(b, Options{}))
	b.ReportAllocs()
	for b.Loop() {
		if w := ask(h, "GET", "/components", "", "Cookie", "polder=reader"); w.Code != http.StatusOK {
			b.Fatal(w.Code)
		}
	}
}
