package node

import (
	"context"
	"errors"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"slices"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/indicator"
	"github.com/polder-exchange/polder/internal/accounts"
	"github.com/polder-exchange/polder/internal/cases"
	"github.com/polder-exchange/polder/internal/detect"
	"github.com/polder-exchange/polder/internal/exchange"
	"github.com/polder-exchange/polder/internal/members"
	"github.com/polder-exchange/polder/internal/screen"
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
	warnings, err := n.warninglists()
	if err != nil {
		return err
	}
	if err := n.openTasks(ctx); err != nil {
		return err
	}
	if err := n.openKeys(ctx); err != nil {
		return err
	}
	n.Exchange = exchange.New(exchange.Options{
		DB: n.DB, Journal: n.Journal, Audit: n.Audit, Accounts: n.Accounts, Now: n.now, Secret: secret, Search: search, Warnings: warnings, Log: n.log,
		Blobs: n.blobs, Jobs: n.jobs, Signatures: n.federation.signatures,
	})
	if err := n.openDetection(ctx); err != nil {
		return err
	}
	if err := n.openScreening(ctx); err != nil {
		return err
	}
	if err := n.openCases(ctx); err != nil {
		return err
	}
	if err := n.openFederation(ctx); err != nil {
		return err
	}
	server, err := taxii.New(taxii.Options{
		Store: exchange.TAXII{Service: n.Exchange}, Authenticate: authenticated, CursorKey: cursorKey,
		Title: "Polder", Realm: "Polder", Log: n.log,
	})
	if err != nil {
		return err
	}
	return n.mount(ctx, server)
}

// warninglists are the built-in lists of what must never be blocked, and those of the folder, if it is there. A list
// that cannot be read is left out and said in the log.
func (n *Node) warninglists() (*indicator.Warnings, error) {
	w := indicator.NewWarnings()
	dir := filepath.Join(n.Dir, warningFolder)
	if _, err := os.Stat(dir); errors.Is(err, fs.ErrNotExist) {
		return w, nil
	}
	loaded, err := w.LoadFS(os.DirFS(dir))
	n.log.Info("warninglists loaded", "lists", loaded)
	if err != nil {
		n.log.Warn("some warninglists were left out", "reason", err)
	}
	return w, nil
}

// authenticated: the door has found out who asks before a handler runs.
func authenticated(r *http.Request) (taxii.Subject, error) {
	a := web.ActorOf(r)
	if a == (polder.Actor{}) {
		return nil, taxii.ErrUnauthorized
	}
	return exchange.Subject(a), nil
}

// mount makes the one handler of the node.
func (n *Node) mount(ctx context.Context, server *taxii.Server) error {
	m := newMetrics(prometheus.NewRegistry(), n)
	from := addresses(n.Config.Proxies)
	site, err := web.New(web.Options{
		Identify: paced{members.NewIdentifier(n.Accounts), accounts.NewLimiter(perActor, 10_000, nil)}, Secure: n.Config.secure(), From: from, Now: n.now, Log: n.log, Observe: m.observe,
	}, slices.Concat([]web.Part{members.Part(), exchange.Part(), detect.Part(), screen.ConsolePart()}, cases.Parts(), federationParts())...)
	if err != nil {
		return err
	}
	oidc, passkeys, err := n.signIn()
	if err != nil {
		return err
	}
	people := members.New(members.Options{Accounts: n.Accounts, Audit: n.Audit, Site: site, From: from, URL: n.Config.PublicURL, Secure: n.Config.secure(), Now: n.now, OIDC: oidc, Passkeys: passkeys})
	if err := n.openNotifier(ctx, site); err != nil {
		return err
	}
	pages := n.Exchange.Pages(site)
	site.AddNav(slices.Concat(pages.Nav(), people.Nav())...)
	site.AddSearches(pages)
	home := people.Home(pages.Overview)
	detecting, screening := n.mountDetection(site), n.mountScreening(site)
	working, err := n.mountCases(site)
	if err != nil {
		return err
	}
	spanning, err := n.mountFederation(site)
	if err != nil {
		return err
	}
	routes := slices.Concat(detecting, screening, working, spanning, n.Exchange.Routes(), pages.Routes(), people.Routes(), []web.Route{home}, n.taxiiRoutes(server), n.operations(m))
	n.routes = append(site.Routes(), routes...)
	if n.api, err = openAPI(n.routes); err != nil {
		return err
	}
	n.handler, err = site.Handler(routes...)
	return err
}

// Routes are all routes that the node answers, for the tests that walk them.
func (n *Node) Routes() []web.Route { return n.routes }
