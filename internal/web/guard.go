package web

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"strings"
	"time"

	polder "github.com/polder-exchange/polder"
)

// Identity is who a request comes from.
type Identity struct {
	Actor    polder.Actor
	OrgName  string // of the actor's organisation, for the band
	Language string // that the person chose in the account, or empty
}

// Identifier tells who asks. Node supplies it, over accounts. An error of kind Unauthorised means that the session
// has ended or the secret is none; Limited, that the address or account has tried too often. Both methods are called
// from many goroutines, at every request that carries a session or a secret, so that a change holds from the next one.
type Identifier interface {
	BySession(ctx context.Context, cookie string) (Identity, error)
	BySecret(ctx context.Context, secret string, from netip.Addr) (Identity, error)
}

// request is what web knows of one request. It travels in the context.
type request struct {
	site  *Site
	id    string
	who   Identity
	by    way
	route Route
}

// way is how the identity of a request was shown.
type way uint8

const (
	byNothing way = iota
	bySession
	byBearer
	byBasic
)

type requestKey struct{}

func requestOf(ctx context.Context) *request {
	q, _ := ctx.Value(requestKey{}).(*request)
	return q
}

// ActorOf is who asks; the zero Actor when nobody has said.
func ActorOf(r *http.Request) polder.Actor { return ActorIn(r.Context()) }

// ActorIn is ActorOf for code that has the request's context only.
func ActorIn(ctx context.Context) polder.Actor { return IdentityIn(ctx).Actor }

// IdentityIn is the identity that the request of ctx has shown; zero when none.
func IdentityIn(ctx context.Context) Identity {
	if q := requestOf(ctx); q != nil {
		return q.who
	}
	return Identity{}
}

// RequestID is the id of the request of ctx, for log lines; empty outside a request.
func RequestID(ctx context.Context) string {
	if q := requestOf(ctx); q != nil {
		return q.id
	}
	return ""
}

// door asks who it is, whether that is enough, and holds the body and the time to the route's limits.
func (s *Site) door(route Route) http.Handler {
	limit, timeout := route.MaxBody, route.Timeout
	if limit == 0 {
		limit = defaultBody
	}
	if timeout == 0 {
		timeout = defaultTimeout
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		q := requestOf(r.Context())
		q.route = route
		if !route.Unseen {
			if err := s.identify(q, r); err != nil {
				Problem(w, r, err)
				return
			}
		}
		if err := s.cross(q, r); err != nil {
			Problem(w, r, err)
			return
		}
		if !route.Need.Allows(q.who.Actor) {
			s.turnAway(w, r, q)
			return
		}
		control := http.NewResponseController(w)
		if route.Stream {
			control.SetReadDeadline(time.Time{})
			control.SetWriteDeadline(time.Time{})
		} else {
			//house:allow time.Now: the kernel keeps the deadline, by its own clock
			end := time.Now().Add(timeout)
			// The context ends first: a connection that ends would look as if the client had gone. Then comes whoever
			// sends too slowly, and there is a moment left to say that time is up.
			control.SetReadDeadline(end.Add(time.Second))
			control.SetWriteDeadline(end.Add(2 * time.Second))
			ctx, cancel := context.WithDeadline(r.Context(), end)
			defer cancel()
			r = r.WithContext(ctx)
		}
		r.Body = body{http.MaxBytesReader(w, r.Body, limit)}
		route.Handler(w, r)
	})
}

// body is a request's body. That it cannot be read to its end is the sender's fault (a chunk that is none, a connection
// cut), not ours.
type body struct{ io.ReadCloser }

func (b body) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	_, long := errors.AsType[*http.MaxBytesError](err)
	if err == nil || err == io.EOF || long || errors.Is(err, os.ErrDeadlineExceeded) || errors.Is(err, context.DeadlineExceeded) {
		return n, err
	}
	return n, polder.Errorf(polder.Invalid, "the body cannot be read to its end: %w; send it again", err)
}

// identify finds who asks: a secret in the Authorization header counts before a session. A session that has ended
// is as none; a wrong secret is refused everywhere, so that no script goes on unnoticed as nobody.
func (s *Site) identify(q *request, r *http.Request) (err error) {
	if s.o.Identify == nil {
		return nil
	}
	if header := r.Header.Get("Authorization"); header != "" {
		secret, by := secretOf(r, header)
		if by == byNothing {
			return polder.Errorf(polder.Unauthorised, "the Authorization header is neither Bearer nor Basic; send a token as either")
		}
		q.by = by
		q.who, err = s.o.Identify.BySecret(r.Context(), secret, s.from(r))
		return err
	}
	cookie, err := r.Cookie(s.cookieName())
	if err != nil {
		return nil
	}
	who, err := s.o.Identify.BySession(r.Context(), cookie.Value)
	switch {
	case err == nil:
		q.who, q.by = who, bySession
	case polder.KindOf(err) != polder.Unauthorised:
		return err
	}
	return nil
}

func secretOf(r *http.Request, header string) (string, way) {
	scheme, value, _ := strings.Cut(header, " ")
	switch value = strings.TrimSpace(value); strings.ToLower(scheme) {
	case "bearer":
		return value, byBearer
	case "basic":
		if _, password, ok := r.BasicAuth(); ok {
			return password, byBasic
		}
	}
	return "", byNothing
}

// cross refuses what another site makes a browser send. A Bearer token is nothing that a browser adds by itself;
// sessions and Basic credentials are, and so are checked, as is every request that shows nothing.
func (s *Site) cross(q *request, r *http.Request) error {
	if q.by == byBearer {
		return nil
	}
	if err := s.protection.Check(r); err != nil {
		return polder.Errorf(polder.Forbidden, "this request was sent by another site; open the page here and send it again")
	}
	return nil
}

// turnAway answers whoever may not pass: to the log-in page, or a refusal.
func (s *Site) turnAway(w http.ResponseWriter, r *http.Request, q *request) {
	if q.who.Actor != (polder.Actor{}) {
		Problem(w, r, polder.Errorf(polder.Forbidden, "your role does not allow this; it asks for %s", q.route.Need))
		return
	}
	if q.route.api() {
		Problem(w, r, polder.Errorf(polder.Unauthorised, "log in, or send a token as Bearer or as the password of Basic"))
		return
	}
	next := "/"
	if r.Method == http.MethodGet || r.Method == http.MethodHead {
		next = LocalPath(r.URL.RequestURI())
	}
	to := "/login"
	if next != "/" {
		to += "?" + url.Values{"next": {next}}.Encode()
	}
	http.Redirect(w, r, to, http.StatusSeeOther)
}

// LocalPath is s when s is an address on this site (a path from the root, perhaps with query and fragment), else "/".
// It is what a log-in may go on to.
func LocalPath(s string) string {
	if len(s) > 2000 || !strings.HasPrefix(s, "/") || strings.HasPrefix(s, "//") {
		return "/"
	}
	for _, c := range s {
		if c <= ' ' || c == 0x7f || c == '\\' {
			return "/"
		}
	}
	u, err := url.Parse(s)
	if err != nil || u.Scheme != "" || u.Host != "" || u.User != nil || strings.HasPrefix(u.Path, "//") || strings.ContainsAny(u.Path, "\\") {
		return "/"
	}
	return s
}

// from is the address that asks.
func (s *Site) from(r *http.Request) netip.Addr {
	if s.o.From != nil {
		return s.o.From(r)
	}
	at, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return netip.Addr{}
	}
	return at.Addr().Unmap()
}

// From is the address that asks, as the site of the request sees it; zero outside a request. It is for limits: whoever
// promises to keep no address hands it to nothing else.
func From(r *http.Request) netip.Addr {
	if q := requestOf(r.Context()); q != nil {
		return q.site.from(r)
	}
	return netip.Addr{}
}

// cookieName is the session cookie: with the __Host- prefix where cookies are Secure.
func (s *Site) cookieName() string {
	if s.o.Secure {
		return "__Host-polder"
	}
	return "polder" // plain HTTP is for loopback only (rule X26)
}

// StartSession gives the browser the session cookie of a log-in.
func (s *Site) StartSession(w http.ResponseWriter, cookie string, ends time.Time) {
	c := s.cookie(s.cookieName(), cookie)
	c.Expires = ends
	http.SetCookie(w, c)
}

// EndSession takes the session cookie away, and asks the browser to forget the pages it has kept.
func (s *Site) EndSession(w http.ResponseWriter) {
	c := s.cookie(s.cookieName(), "")
	c.MaxAge = -1
	http.SetCookie(w, c)
	w.Header().Set("Clear-Site-Data", `"cache"`)
}

// Session is the session cookie of r, for a log-out; empty when there is none.
func (s *Site) Session(r *http.Request) string {
	c, err := r.Cookie(s.cookieName())
	if err != nil {
		return ""
	}
	return c.Value
}

func (s *Site) cookie(name, value string) *http.Cookie {
	return &http.Cookie{Name: name, Value: value, Path: "/", HttpOnly: true, Secure: s.o.Secure, SameSite: http.SameSiteLaxMode}
}

func (s *Site) log() *slog.Logger {
	if s.o.Log == nil {
		return slog.New(slog.DiscardHandler)
	}
	return s.o.Log
}
