package node

import (
	"io"
	"net/http"
	"strings"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/web"
)

// operations are the routes for whoever runs the node.
func (n *Node) operations(m *metrics) []web.Route {
	return []web.Route{
		{Method: "GET", Pattern: "/healthz", Exit: "ops.health", API: true, Handler: n.health},
		{Method: "GET", Pattern: "/readyz", Exit: "ops.ready", API: true, Handler: n.readiness},
		{Method: "GET", Pattern: "/api/openapi.json", Exit: "api.description", Handler: n.describeAPI},
		{Method: "GET", Pattern: "/metrics", Need: web.Admin, Exit: "ops.metrics", API: true, Handler: m.handler().ServeHTTP},
	}
}

func (n *Node) health(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	_, _ = io.WriteString(w, "ok\n") // the asker is gone
}

// readiness is 200 while the node takes shares, else 503 with what is wrong.
func (n *Node) readiness(w http.ResponseWriter, r *http.Request) {
	if err := n.ready(); err != nil {
		web.Problem(w, r, err)
		return
	}
	n.health(w, r)
}

// ready says why the node takes no shares, or nil. It tells of no object.
func (n *Node) ready() error {
	if err := n.DB.Err(); err != nil {
		return polder.Errorf(polder.Unavailable, "the database failed; restart the node, and see the log")
	}
	if bad := n.Journal.Damage(); len(bad) > 0 {
		return polder.Errorf(polder.Unavailable, "stored rows are damaged: %s; restore a backup", strings.Join(bad, ", "))
	}
	return n.DB.Room()
}

// describeAPI answers the OpenAPI document.
func (n *Node) describeAPI(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/vnd.oai.openapi+json;version=3.1")
	_, _ = w.Write(n.api) // the asker is gone
}
