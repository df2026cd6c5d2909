package node

import (
	"net/http"
	"net/netip"
	"strings"
	"time"

	"github.com/polder-exchange/polder/internal/exchange"
	"github.com/polder-exchange/polder/internal/web"
	"github.com/polder-exchange/polder/taxii"
)

// taxiiNeeds says what the door asks for each TAXII resource, by the end of its path; the store checks the community.
var taxiiNeeds = []struct {
	method, end string
	need        web.Need
	exit        string
}{
	{"GET", "manifest/{$}", web.Reader, "taxii.manifest"},
	{"GET", "versions/{$}", web.Reader, "taxii.versions"},
	{"GET", "{object}/{$}", web.Reader, "taxii.object"},
	{"DELETE", "{object}/{$}", web.Contributor, "taxii.delete"},
	{"GET", "objects/{$}", web.Reader, "taxii.objects"},
	{"POST", "objects/{$}", web.Contributor, "taxii.add"},
	{"GET", "status/{status}/{$}", web.LoggedIn, "taxii.status"},
	{"GET", "collections/{id}/{$}", web.LoggedIn, "taxii.collection"},
	{"GET", "collections/{$}", web.LoggedIn, "taxii.collections"},
	{"GET", "root/{$}", web.LoggedIn, "taxii.root"},
	{"GET", "taxii2/{$}", web.LoggedIn, "taxii.discovery"},
}

// taxiiRoutes mounts the TAXII server behind the console's door. What the door refuses is said in TAXII's own form.
//
// A client on this machine gets answers as they are: compressing a page costs more than writing it.
func (n *Node) taxiiRoutes(server *taxii.Server) (out []web.Route) {
	fail := func(w http.ResponseWriter, r *http.Request, err error) { server.Refuse(w, r, exchange.TAXIIError(err)) }
	for _, t := range server.Routes() {
		route := web.Route{Method: t.Method, Pattern: t.Path, Handler: n.plainNearby(t.Handler), Fail: fail, Exit: "taxii.other", MaxBody: 8<<20 + 1, Timeout: 2 * time.Minute}
		if t.Method == "" {
			route.Method = http.MethodGet
		}
		for _, n := range taxiiNeeds {
			if t.Method == n.method && strings.HasSuffix(t.Path, n.end) {
				route.Need, route.Exit = n.need, n.exit
				break
			}
		}
		if t.Method == "" && hasMethods(server, t.Path) {
			continue // web answers wrong methods itself, by way of fail
		}
		out = append(out, route)
	}
	return out
}

func hasMethods(server *taxii.Server, path string) bool {
	for _, t := range server.Routes() {
		if t.Path == path && t.Method != "" {
			return true
		}
	}
	return false
}

func (n *Node) plainNearby(h http.Handler) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if at, err := netip.ParseAddrPort(r.RemoteAddr); err == nil && at.Addr().Unmap().IsLoopback() && !n.Config.BehindProxy {
			r = r.Clone(r.Context())
			r.Header.Del("Accept-Encoding")
		}
		h.ServeHTTP(w, r)
	}
}
