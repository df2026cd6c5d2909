package web

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	polder "github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/fail"
)

// Need is the least that is asked at the door of a route. Services check again, per community.
type Need uint8

const (
	Public      Need = iota // anybody, logged in or not
	LoggedIn                // any person or token
	Reader                  // a role that reads objects
	Contributor             // a role that shares
	Steward                 // a role that manages communities
	Admin                   // the administrator of the node; no other role is enough
)

var needNames = [...]string{"public", "logged in", "reader", "contributor", "steward", "admin"}

func (n Need) String() string { return needNames[n] }

// Allows tells whether by may pass. The zero Actor passes Public only.
func (n Need) Allows(by polder.Actor) bool {
	switch n {
	case Public:
		return true
	case LoggedIn:
		return by != polder.Actor{}
	case Admin:
		return by.Role == polder.RoleAdmin
	}
	return by.Role.OnObjects() >= n.role()
}

func (n Need) role() polder.Role {
	return [...]polder.Role{Reader: polder.RoleReader, Contributor: polder.RoleContributor, Steward: polder.RoleSteward}[n]
}

// Route is one thing that the node answers. Whatever no route declares is refused.
type Route struct {
	Method  string // one method; GET answers HEAD too
	Pattern string // of http.ServeMux, without method and host: "/objects/{id}"
	Need    Need
	Exit    string // the name of the exit in the list that the canary test walks
	Handler http.HandlerFunc
	Stream  bool // goes on without end: no deadline for the whole, each event has its own
	Unseen  bool // who asks is not looked at: no session, no secret, no cookie; Need must be Public

	API     bool          // answers machines: errors are problem details, nobody is sent to the log-in page; always so below /api/
	MaxBody int64         // longest body in bytes; 0 is 1 MiB
	Timeout time.Duration // for reading, working and writing; 0 is 30 s

	Doc *Doc // what the OpenAPI document says of it; every route below /api/v1/ has one

	// Fail writes an error that arises at the door, for faces with an error form of their own (TAXII).
	// Nil is [Problem]. Problem itself calls it, so a handler below it may use Problem too.
	Fail func(http.ResponseWriter, *http.Request, error)
}

// Doc describes a route of the REST API.
type Doc struct {
	Summary string            // one line
	Query   map[string]string // parameters of the query, and what each means
	Body    any               // a value of the type that is sent as JSON; nil for none or for another media type
	Media   string            // of the body, where it is not JSON
	Answer  any               // a value of the type that a 2xx answers as JSON; nil for none or for another media type
	Gives   string            // media type of the answer, where it is not JSON
}

const (
	defaultBody    = 1 << 20
	defaultTimeout = 30 * time.Second
)

func (r Route) api() bool { return r.API || r.Fail != nil || strings.HasPrefix(r.Pattern, "/api/") }

// mount puts the routes on a new ServeMux: one handler per pattern, which knows the methods declared for it.
func (s *Site) mount(routes []Route) (mux *http.ServeMux, err error) {
	defer func() {
		if fault := recover(); fault != nil { // ServeMux panics at patterns that contradict each other
			mux, err = nil, fmt.Errorf("mount routes: %v", fault)
		}
	}()
	byPattern := map[string]map[string]Route{}
	for _, r := range routes {
		if err := r.check(); err != nil {
			return nil, err
		}
		methods := byPattern[r.Pattern]
		if methods == nil {
			methods = map[string]Route{}
			byPattern[r.Pattern] = methods
		}
		if _, twice := methods[r.Method]; twice {
			return nil, fmt.Errorf("mount routes: %s %s is declared twice", r.Method, r.Pattern)
		}
		methods[r.Method] = r
	}
	mux = http.NewServeMux()
	for pattern, methods := range byPattern {
		mux.Handle(pattern, s.dispatch(methods))
	}
	return mux, nil
}

func (r Route) check() error {
	switch {
	case r.Handler == nil:
		return fmt.Errorf("mount routes: %s %s has no handler", r.Method, r.Pattern)
	case r.Exit == "":
		return fmt.Errorf("mount routes: %s %s has no exit name; name it for the list of exits", r.Method, r.Pattern)
	case !strings.HasPrefix(r.Pattern, "/"):
		return fmt.Errorf("mount routes: pattern %q does not begin with \"/\"", r.Pattern)
	case r.Unseen && r.Need != Public:
		return fmt.Errorf("mount routes: %s %s looks at nobody, and so cannot ask for %s", r.Method, r.Pattern, r.Need)
	case !slices.Contains([]string{"GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}, r.Method):
		return fmt.Errorf("mount routes: %s has method %q; declare one method of HTTP in capitals", r.Pattern, r.Method)
	}
	return nil
}

// dispatch answers the methods that were declared for one pattern and refuses the others with 405.
func (s *Site) dispatch(methods map[string]Route) http.Handler {
	var allow []string
	handlers := map[string]http.Handler{}
	for method, route := range methods {
		handlers[method] = s.door(route)
		allow = append(allow, method)
		if method == http.MethodGet {
			handlers[http.MethodHead] = handlers[method]
			allow = append(allow, http.MethodHead)
		}
	}
	slices.Sort(allow)
	any := methods[allow[0]]
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h, ok := handlers[r.Method]
		if r.Method == http.MethodPut && fail.Bug("put-unguarded") {
			h, ok = handlers[http.MethodPost]
		}
		if ok {
			h.ServeHTTP(w, r)
			return
		}
		w.Header().Set("Allow", strings.Join(allow, ", "))
		requestOf(r.Context()).route = any
		s.problem(w, r, http.StatusMethodNotAllowed, polder.Errorf(polder.Invalid, "the method %s is not for this address; use %s",
			token(r.Method), strings.Join(allow, " or ")))
	})
}

// token is a word from a request line, fit to be shown.
func token(s string) string {
	if len(s) > 20 {
		s = s[:20]
	}
	return strings.Map(func(c rune) rune {
		if c > ' ' && c < 0x7f {
			return c
		}
		return '?'
	}, s)
}

// Handler answers a request, or says why not; [Problem] tells whoever asked.
type Handler func(http.ResponseWriter, *http.Request) error

// Serve is h as an http.HandlerFunc.
func (h Handler) Serve(w http.ResponseWriter, r *http.Request) {
	if err := h(w, r); err != nil {
		Problem(w, r, err)
	}
}
