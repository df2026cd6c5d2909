package node

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/accounts"
	"github.com/polder-exchange/polder/internal/exchange"
	"github.com/polder-exchange/polder/internal/screen"
	"github.com/polder-exchange/polder/internal/web"
	"github.com/polder-exchange/polder/stix"
)

// screening is what the node runs of it.
type screening struct {
	service  *screen.Service
	registry *screen.Registry
	shared   *screen.SharedLists
}

// listTime is how long the fetching of one list may take; they are large, and their publishers slow.
const listTime = 10 * time.Minute

// openScreening opens the lists, and what is known and decided about parties.
func (n *Node) openScreening(ctx context.Context) (err error) {
	s := &n.screening
	if err := screen.Migrate(ctx, n.DB); err != nil {
		return err
	}
	s.shared = screen.NewSharedLists(n.Journal, n.own)
	client, err := n.listClient()
	if err != nil {
		return err
	}
	s.registry, err = screen.OpenRegistry(screen.RegistryOptions{
		Dir: filepath.Join(n.Dir, screen.ListsDir), Now: n.now, Client: client, Log: n.log, Shared: s.shared, Publisher: forScreening{n}, DB: n.DB, Audit: n.Audit,
	})
	if err != nil {
		return err
	}
	if err := s.registry.Follow(n.Config.Lists); err != nil {
		return err
	}
	s.service = screen.NewService(screen.ServiceOptions{DB: n.DB, Audit: n.Audit, Now: n.now, Lists: s.registry, Log: n.log})
	return nil
}

// listClient fetches lists from the addresses in the configuration: the public internet by https, and the networks that
// webhooks may reach too.
func (n *Node) listClient() (*http.Client, error) {
	guard, err := n.Config.Webhooks.guard()
	if err != nil {
		return nil, err
	}
	guard.Timeout = listTime
	return guard.Client(), nil
}

// mountScreening adds the pages, the REST API and what spans pages.
func (n *Node) mountScreening(site *web.Site) []web.Route {
	s := &n.screening
	pages := s.service.Pages(site, screen.PagesOptions{Lists: s.registry, Accounts: n.Accounts, Communities: forScreening{n}})
	site.AddNav(pages.Nav()...)
	site.AddCards(pages)
	site.AddSearches(pages)
	return append(screen.NewAPI(s.service, s.registry).Routes(), pages.Routes()...)
}

// forScreening is the exchange as screening needs it.
type forScreening struct{ node *Node }

// Shares is what [screen.Communities] asks for.
func (x forScreening) Shares(ctx context.Context, by polder.Actor) (out []screen.Community, err error) {
	ms, err := x.node.Accounts.MembershipsOf(ctx, by)
	for _, m := range ms {
		if m.Right(by) >= polder.RoleContributor {
			out = append(out, screen.Community{Alias: m.Alias, Name: m.Name})
		}
	}
	slices.SortFunc(out, func(a, b screen.Community) int { return strings.Compare(a.Name, b.Name) })
	return out, err
}

// Levels is what [screen.Communities] asks for.
func (x forScreening) Levels(ctx context.Context, by polder.Actor) ([]stix.Marking, error) {
	return x.node.Exchange.Levels(ctx, by.Org)
}

// Publish is what [screen.Publisher] asks for.
func (x forScreening) Publish(ctx context.Context, by polder.Actor, s screen.Share, parts screen.SharedParts) (screen.Published, error) {
	set := exchange.Set{
		Community: s.Community, Name: s.List, Type: parts.Type, Definition: parts.Definition, In: parts.In,
		Level: s.Level, Named: s.Named, Confirmed: s.Confirmed, Preview: s.Preview,
	}
	for _, p := range parts.Parts {
		set.Parts = append(set.Parts, exchange.SetPart{Key: p.Key, Set: p.Set})
	}
	r, err := x.node.Exchange.ShareSet(ctx, by, set)
	if err != nil {
		return screen.Published{}, err
	}
	out := screen.Published{New: r.New, Changed: r.Changed, Same: r.Same, Withdrawn: r.Withdrawn, Refused: []string{}, Warnings: []string{}}
	for _, no := range r.Refused {
		out.Refused = append(out.Refused, no.Error)
	}
	for _, w := range r.Warnings {
		out.Warnings = append(out.Warnings, w.Reason)
		out.Held = out.Held || w.Held
	}
	out.Readers, out.Sight = audienceOf(by.Org, r.Items)
	return out, nil
}

// audienceOf is how many others would read some of what leaves, and a digest of what leaves at which level to whom.
func audienceOf(by polder.OrgID, items []exchange.Item) (n int, sight string) {
	others, h := map[polder.OrgID]bool{}, sha256.New()
	for _, i := range items {
		fmt.Fprintf(h, "%s %s %q\n", i.ID, i.TLP, i.Readers)
		for _, o := range i.Readers {
			if o != by {
				others[o] = true
			}
		}
	}
	return len(others), hex.EncodeToString(h.Sum(nil))
}

// runScreening does what screening does by itself until ctx ends.
func (n *Node) runScreening(ctx context.Context, all *sync.WaitGroup) {
	s := &n.screening
	all.Go(func() { s.service.Run(ctx) })
	all.Go(func() { s.registry.Run(ctx) })
	all.Go(func() { s.shared.Run(ctx) })
}

// openLists opens the lists of a folder for commands, whether or not a node runs in it. A folder without a node keeps
// lists as well: who screens on one machine alone needs no more.
func openLists(ctx context.Context, dir string) (screen.NodeLists, error) {
	o := screen.RegistryOptions{Dir: filepath.Join(dir, screen.ListsDir), Now: time.Now}
	end := func() error { return nil }
	if _, err := os.Stat(filepath.Join(dir, databaseFile)); err == nil {
		store, err := OpenStore(ctx, dir, false)
		if err != nil {
			return nil, err
		}
		o.DB, o.Audit, end = store.DB, store.Audit, store.Close
	}
	r, err := screen.OpenRegistry(o)
	if err != nil {
		return nil, errors.Join(err, end())
	}
	return r.ForCommands(accounts.Local(), end), nil
}
