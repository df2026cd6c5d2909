package web

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/netip"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	polder "github.com/polder-exchange/polder"
)

// Options is what a [Site] needs. The zero value works, for tests: nobody can log in, times are UTC.
type Options struct {
	Identify Identifier
	Secure   bool                            // the site is reached over TLS, directly or through a proxy: Secure cookies, HSTS
	Origins  []string                        // origins ("https://polder.example") that count as this site, where a proxy changes the Host
	From     func(*http.Request) netip.Addr  // the address that asks; nil is the connection's
	Zone     *time.Location                  // in which times are said; nil is UTC
	Now      func() time.Time                // nil is time.Now
	Rand     io.Reader                       // for ids of requests and the key of toasts; nil is crypto/rand
	Log      *slog.Logger                    // nil is silence
	Observe  func(context.Context, Observed) // called after every request, for metrics; nil is nobody
}

// Observed is what a finished request was.
type Observed struct {
	Exit, Method string
	Status       int
	Took         time.Duration
	Panicked     bool
}

// Part is what a capability brings to the console, embedded: templates/NAME.html is the page PART/NAME,
// templates/*.part.html hold what its pages share and its fragments, locale/LANG.txt its texts, and static/ scripts and
// styles of its own, whose names no other part uses.
type Part struct {
	Name  string
	Files FS
}

// Site is the console: shell, pages, words and the door. It is made once by [New]; nav entries, cards, panels and
// searches are added before [Site.Handler] is called, and nothing changes after it.
type Site struct {
	o          Options
	words      map[string]Words
	pages      map[string]map[string]*page // language, then "part/name"
	nav        []NavItem
	cards      []Card
	panels     []Panel
	searches   []Search
	static     *assets
	protection *http.CrossOriginProtection
	key        []byte // signs toasts
}

// New parses every template and catalogue. An error names the file and what is wrong with it.
func New(o Options, parts ...Part) (*Site, error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Rand == nil {
		o.Rand = rand.Reader
	}
	s := &Site{o: o, protection: http.NewCrossOriginProtection(), key: make([]byte, 32)}
	if _, err := io.ReadFull(o.Rand, s.key); err != nil {
		return nil, fmt.Errorf("make the key of toasts: %w", err)
	}
	for _, origin := range o.Origins {
		if err := s.protection.AddTrustedOrigin(origin); err != nil {
			return nil, fmt.Errorf("trust origin %q: %w", origin, err)
		}
	}
	var err error
	parts = append([]Part{{"web", own}}, parts...)
	if s.static, err = newAssets(parts); err != nil {
		return nil, err
	}
	if err := s.readWords(parts); err != nil {
		return nil, err
	}
	return s, s.readPages(parts)
}

// readWords merges the catalogues of all parts.
func (s *Site) readWords(parts []Part) error {
	s.words = map[string]Words{}
	for _, lang := range Languages {
		all := Catalogue{}
		for _, part := range parts {
			c, err := ReadCatalogue(part.Files, lang)
			if err == nil {
				err = all.add(c)
			}
			if err != nil {
				return fmt.Errorf("part %s: %w", part.Name, err)
			}
		}
		s.words[lang] = Words{lang, all, s.o.Zone, s.o.Now}
	}
	return nil
}

// Words are the words of a language, for what is written outside a request (mails); of the first of [Languages]
// when the language is unknown.
func (s *Site) Words(lang string) Words {
	if w, ok := s.words[lang]; ok {
		return w
	}
	return s.words[Languages[0]]
}

// Routes are the routes of web itself: static files, preferences, the keyboard map, the page of components.
func (s *Site) Routes() []Route {
	return []Route{
		{Method: "GET", Pattern: "/static/{hash}/{file}", Exit: "static files", Handler: s.static.serve},
		{Method: "GET", Pattern: "/favicon.ico", Exit: "sign", Handler: s.static.serveSign},
		{Method: "GET", Pattern: "/preferences", Exit: "preferences page", Handler: s.preferences},
		{Method: "POST", Pattern: "/preferences", Exit: "preferences page", Handler: s.setPreferences},
		{Method: "GET", Pattern: "/keyboard", Exit: "keyboard page", Handler: s.keyboard},
		{Method: "GET", Pattern: "/components", Need: LoggedIn, Exit: "components page", Handler: s.components},
	}
}

// Handler serves the routes and the site's own, and refuses everything else.
func (s *Site) Handler(routes ...Route) (http.Handler, error) {
	mux, err := s.mount(slices.Concat(s.Routes(), routes))
	if err != nil {
		return nil, err
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		began := time.Now() //house:allow time.Now: how long it took, whatever the time
		q := &request{site: s, id: s.newID()}
		r = r.WithContext(context.WithValue(r.Context(), requestKey{}, q))
		out := &recorder{ResponseWriter: w}
		s.headers(out.Header(), q.id)
		panicked := s.serve(out, r, mux)
		s.observe(r, q, out.status, time.Since(began), panicked) //house:allow time.Since: how long it took, whatever the time
	}), nil
}

// serve runs the request and catches a panic: 500 without details; the log has them.
func (s *Site) serve(w *recorder, r *http.Request, mux *http.ServeMux) (panicked bool) {
	q := requestOf(r.Context())
	defer func() {
		fault := recover()
		if fault == nil || fault == http.ErrAbortHandler {
			if fault != nil {
				panic(fault)
			}
			return
		}
		panicked = true
		s.log().ErrorContext(r.Context(), "request panicked", "request", q.id, "route", q.route.Pattern, "fault", fault, "stack", string(debug.Stack()))
		if w.status != 0 {
			panic(http.ErrAbortHandler) // too late to say anything: cut the connection
		}
		Problem(w, r, polder.Errorf(polder.Internal, "panic"))
	}()
	if _, pattern := mux.Handler(r); pattern == "" {
		q.route.API = strings.HasPrefix(r.URL.Path, "/api/") || strings.HasPrefix(r.URL.Path, "/taxii2/")
		if err := s.identify(q, r); err != nil {
			Problem(w, r, err)
			return false
		}
		Problem(w, r, polder.Errorf(polder.NotFound, "there is nothing at this address"))
		return false
	}
	mux.ServeHTTP(w, r)
	return false
}

func (s *Site) observe(r *http.Request, q *request, status int, took time.Duration, panicked bool) {
	if status == 0 {
		status = http.StatusOK
	}
	// The pattern and not the path: paths hold ids and values (trust.md S34).
	s.log().DebugContext(r.Context(), "request", "request", q.id, "method", token(r.Method), "route", q.route.Pattern, "status", status, "took", took)
	if s.o.Observe != nil {
		s.o.Observe(r.Context(), Observed{q.route.Exit, token(r.Method), status, took, panicked})
	}
}

func (s *Site) newID() string {
	var id [8]byte
	if _, err := io.ReadFull(s.o.Rand, id[:]); err != nil {
		return "unknown"
	}
	return hex.EncodeToString(id[:])
}

// policy is the Content-Security-Policy of every answer.
const policy = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; font-src 'none'; " +
	"form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

// headers are on every answer, whoever writes it; a handler may replace Cache-Control.
func (s *Site) headers(h http.Header, id string) {
	h.Set("Content-Security-Policy", policy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Permissions-Policy", "accelerometer=(), camera=(), geolocation=(), gyroscope=(), microphone=(), payment=(), usb=()")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Request-Id", id)
	if s.o.Secure {
		h.Set("Strict-Transport-Security", "max-age=31536000")
	}
}

// recorder notes the status of an answer.
type recorder struct {
	http.ResponseWriter
	status int
}

func (w *recorder) WriteHeader(status int) {
	if w.status == 0 && status >= 200 {
		w.status = status
	}
	w.ResponseWriter.WriteHeader(status)
}

func (w *recorder) Write(b []byte) (int, error) {
	if w.status == 0 {
		w.status = http.StatusOK
	}
	return w.ResponseWriter.Write(b)
}

// Unwrap lets http.ResponseController reach the connection.
func (w *recorder) Unwrap() http.ResponseWriter { return w.ResponseWriter }
