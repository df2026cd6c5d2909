package taxii

import (
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// Options says what a [Server] serves and within which bounds. Store, Authenticate and CursorKey are required; a zero
// in another field takes the default written beside it.
type Options struct {
	Store Store

	// Authenticate finds out who asks. It refuses with [ErrUnauthorized], [ErrLimited] or another [*Error].
	Authenticate func(r *http.Request) (Subject, error)

	// CursorKey is the secret that signs `next`, at least 32 random bytes. Servers with the same key and store
	// understand each other's `next`, and so does one server before and after a restart.
	CursorKey []byte

	Title       string // of the server and its API root; "TAXII"
	Description string
	Contact     string
	Realm       string // in WWW-Authenticate; "TAXII"

	Root    string // path of the API root; "/taxii2/root/"
	BaseURL string // scheme and host written before Root in the discovery resource, without a last slash; empty for a path alone

	MaxContentLength int64 // longest body of a POST in bytes; 8 MiB
	MaxObjects       int   // most objects in one POST; 20,000
	PageMax          int   // most records on a page; 1,000
	PageDefault      int   // records on a page where the client names no limit; 250
	PageBytes        int   // most bytes of objects on a page; 16 MiB

	ReadTimeout  time.Duration // for the body of a POST, by the network's clock; one minute
	WriteTimeout time.Duration // for one answer, by the network's clock; two minutes
	NoGzip       bool          // never compress answers

	Log *slog.Logger // faults, without the values of requests; nowhere
}

// Server answers TAXII 2.1 for one API root. It keeps no state between requests and may be used by many goroutines.
type Server struct {
	o    Options
	sign signer
}

// DiscoveryPath is where every TAXII 2.1 server tells of itself.
const DiscoveryPath = "/taxii2/"

// New makes a server.
func New(o Options) (*Server, error) {
	switch {
	case o.Store == nil:
		return nil, errors.New("taxii server: Options.Store is missing")
	case o.Authenticate == nil:
		return nil, errors.New("taxii server: Options.Authenticate is missing")
	case len(o.CursorKey) < 32:
		return nil, errors.New("taxii server: Options.CursorKey needs at least 32 random bytes")
	}
	setDefault(&o.Title, "TAXII")
	setDefault(&o.Realm, "TAXII")
	setDefault(&o.Root, "/taxii2/root/")
	setDefault(&o.MaxContentLength, 8<<20)
	setDefault(&o.MaxObjects, 20_000)
	setDefault(&o.PageMax, 1000)
	setDefault(&o.PageDefault, 250)
	setDefault(&o.PageBytes, 16<<20)
	setDefault(&o.ReadTimeout, time.Minute)
	setDefault(&o.WriteTimeout, 2*time.Minute)
	o.PageDefault = min(o.PageDefault, o.PageMax)
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if !strings.HasPrefix(o.Root, "/") || !strings.HasSuffix(o.Root, "/") || strings.ContainsAny(o.Root, "{}?#% ") ||
		strings.Contains(o.Root, "//") || o.Root == "/" || o.Root == DiscoveryPath {
		return nil, errors.New("taxii server: Options.Root is no path of its own from / to /, such as /taxii2/root/")
	}
	if o.BaseURL != "" {
		u, err := url.Parse(o.BaseURL)
		if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || strings.HasSuffix(o.BaseURL, "/") || u.User != nil {
			return nil, errors.New("taxii server: Options.BaseURL is not like https://node.example, without a last slash")
		}
	}
	return &Server{o: o, sign: newSigner(o.CursorKey)}, nil
}

func setDefault[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}

// Route is one entry for a [net/http.ServeMux].
type Route struct {
	Method  string // GET (which answers HEAD too), POST or DELETE; empty for the answers to wrong methods and unknown paths
	Path    string // without the method
	Pattern string // for ServeMux.Handle
	Handler http.Handler
}

// endpoint answers one method of one path. It writes nothing when it returns an error.
type endpoint func(w http.ResponseWriter, r *http.Request, s Subject) error

// method is an endpoint under its method.
type method struct {
	name string
	call endpoint
}

// Routes lists every route of the server: the declared ones with their method, and, with an empty Method, those that
// answer in TAXII's manner what is not declared: a wrong method (405), a path without its last slash (308 to the path
// with it) and an unknown path (404).
func (s *Server) Routes() []Route {
	collection := s.o.Root + "collections/{id}/"
	object := collection + "objects/{object}/"
	var routes []Route
	for _, resource := range []struct {
		path    string
		methods []method
	}{
		{DiscoveryPath, []method{{"GET", s.discovery}}},
		{s.o.Root, []method{{"GET", s.apiRoot}}},
		{s.o.Root + "collections/", []method{{"GET", s.collections}}},
		{collection, []method{{"GET", s.collection}}},
		{collection + "manifest/", []method{{"GET", s.page(manifestKind)}}},
		{collection + "objects/", []method{{"GET", s.page(objectsKind)}, {"POST", s.add}}},
		{object, []method{{"GET", s.page(objectKind)}, {"DELETE", s.delete}}},
		{object + "versions/", []method{{"GET", s.page(versionsKind)}}},
		{s.o.Root + "status/{status}/", []method{{"GET", s.status}}},
	} {
		allow := ""
		for _, m := range resource.methods {
			path := resource.path + "{$}"
			routes = append(routes, Route{m.name, path, m.name + " " + path, s.handle(m.call)})
			allow += ", " + m.name
			if m.name == "GET" {
				allow += ", HEAD"
			}
		}
		routes = append(routes, fallback(resource.path+"{$}", s.wrongMethod(allow[2:])),
			fallback(strings.TrimSuffix(resource.path, "/"), http.HandlerFunc(s.addSlash)))
	}
	routes = append(routes, fallback(DiscoveryPath, http.HandlerFunc(s.unknownPath)))
	if !strings.HasPrefix(s.o.Root, DiscoveryPath) {
		routes = append(routes, fallback(s.o.Root, http.HandlerFunc(s.unknownPath)))
	}
	return routes
}

func fallback(path string, h http.Handler) Route {
	return Route{Path: path, Pattern: path, Handler: h}
}

// Handler is the server with all its routes mounted.
func (s *Server) Handler() http.Handler {
	mux := http.NewServeMux()
	for _, r := range s.Routes() {
		mux.Handle(r.Pattern, r.Handler)
	}
	return mux
}

// handle is what all endpoints have in common: who asks, and whether the answer is in a form the client takes.
func (s *Server) handle(call endpoint) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		subject, err := s.o.Authenticate(r)
		if err == nil && subject == nil {
			err = ErrUnauthorized
		}
		if err == nil && !acceptable(r.Header) {
			err = Errorf(http.StatusNotAcceptable, "the answer comes as %s only; send that in Accept, or */*", MediaType)
		}
		if err == nil {
			err = call(w, r, subject)
		}
		if err != nil {
			s.refuse(w, r, err)
		}
	})
}

func (s *Server) wrongMethod(allow string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Allow", allow)
		s.refuse(w, r, Errorf(http.StatusMethodNotAllowed, "this resource takes %s", allow))
	})
}

// addSlash sends a request for a path without its last slash to the path with it, on this host.
func (s *Server) addSlash(w http.ResponseWriter, r *http.Request) {
	to := url.URL{Path: r.URL.Path + "/", RawQuery: r.URL.RawQuery}
	if r.URL.RawPath != "" {
		to.RawPath = r.URL.RawPath + "/"
	}
	w.Header().Set("Location", to.String())
	s.refuse(w, r, Errorf(http.StatusPermanentRedirect, "every path of TAXII ends in a slash; ask again with it"))
}

func (s *Server) unknownPath(w http.ResponseWriter, r *http.Request) {
	s.refuse(w, r, ErrNotFound)
}
