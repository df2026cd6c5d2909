package node

import (
	"context"
	"net/http"
	"net/netip"
	"path/filepath"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/exchange"
	"github.com/polder-exchange/polder/internal/web"
	"github.com/polder-exchange/polder/taxii"
)

// build plugs the capabilities together and mounts what they answer.
func (n *Node) build(ctx context.Context) error {
	secret, err := n.Accounts.NodeKey(ctx, "exchange.ids")
	if err != nil {
		return err
	}
	cursorKey, err := n.Accounts.NodeKey(ctx, "taxii.next")
	if err != nil {
		return err
	}
	search, err := exchange.OpenIndex(ctx, filepath.Join(n.Dir, searchFile), n.Journal, n.log)
	if err != nil {
		return err
	}
	n.atEnd(search.Close)
	n.Exchange = exchange.New(exchange.Options{
		DB: n.DB, Journal: n.Journal, Audit: n.Audit, Accounts: n.Accounts, Now: n.now, Secret: secret, Search: search, Log: n.log,
	})
	server, err := taxii.New(taxii.Options{
		Store: exchange.TAXII{Service: n.Exchange}, Authenticate: authenticated, CursorKey: cursorKey,
		Title: "Polder", Realm: "Polder", Log: n.log,
	})
	if err != nil {
		return err
	}
	return n.mount(ctx, server)
}

// authenticated: the door has found out who asks before a handler runs.
func authenticated(r *http.Request) (taxii.Subject, error) {
	a := web.ActorOf(r)
	if a == (polder.Actor{}) {
		return nil, taxii.ErrUnauthorized
	}
	return exchange.Subject(a), nil
}

// identify finds out who asks.
type identify struct{ *Node }

func (n identify) BySession(ctx context.Context, cookie string) (web.Identity, error) {
	a, _, err := n.Accounts.Session(ctx, cookie)
	if err != nil {
		return web.Identity{}, err
	}
	org, err := n.Accounts.Org(ctx, a.Org)
	return web.Identity{Actor: a, OrgName: org.Name}, err
}

func (n identify) BySecret(ctx context.Context, secret string, from netip.Addr) (web.Identity, error) {
	a, err := n.Accounts.Authenticate(ctx, secret, from)
	return web.Identity{Actor: a}, err
}

// mount makes the one handler of the node.
func (n *Node) mount(ctx context.Context, server *taxii.Server) error {
	m := newMetrics(prometheus.NewRegistry(), n)
	site, err := web.New(web.Options{
		Identify: identify{n}, Secure: n.Config.secure(), Now: n.now, Log: n.log, Observe: m.observe,
	})
	if err != nil {
		return err
	}
	routes := n.Exchange.Routes()
	routes = append(routes, taxiiRoutes(server)...)
	routes = append(routes, n.operations(m)...)
	n.routes = append(site.Routes(), routes...)
	n.handler, err = site.Handler(routes...)
	return err
}

// Routes are all routes that the node answers, for the tests that walk them.
func (n *Node) Routes() []web.Route { return n.routes }
