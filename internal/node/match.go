package node

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/indicator"
	"github.com/polder-exchange/polder/internal/exchange"
	keyring "github.com/polder-exchange/polder/internal/exchange/keys"
	"github.com/polder-exchange/polder/internal/exchange/match"
	"github.com/polder-exchange/polder/internal/exchange/peers"
	"github.com/polder-exchange/polder/internal/journal"
	"github.com/polder-exchange/polder/internal/members"
	"github.com/polder-exchange/polder/internal/web"
	"github.com/polder-exchange/polder/stix"
)

// openMatch opens the sets that members may ask privately.
func (n *Node) openMatch(ctx context.Context) error {
	if err := match.Migrate(ctx, n.DB); err != nil {
		return err
	}
	n.federation.match = match.New(match.Options{
		DB: n.DB, Audit: n.Audit, Accounts: n.Accounts, Signer: n.federation.keys, Reds: redIndicators{n}, Homes: homesOf(func() *peers.Service { return n.federation.peers }), Now: n.now, Steady: running(), Log: n.log,
	})
	n.federation.parts = append(n.federation.parts, n.federation.match)
	n.federation.goes(n.federation.match.Run)
	return nil
}

// homesOf is how private matching reaches the homes of mirrored communities: by the links, which are opened after it.
type homesOf func() *peers.Service

// Dialled is what [match.Homes] asks for.
func (h homesOf) Dialled(ctx context.Context, org polder.OrgID) ([]exchange.PeerLink, error) {
	return h().Dialled(ctx, org)
}

// Caller is what [match.Homes] asks for.
func (h homesOf) Caller(ctx context.Context, link string) (exchange.PeerCaller, error) {
	return h().Caller(ctx, link)
}

// PeerKey is what [match.Homes] asks for.
func (h homesOf) PeerKey(ctx context.Context, l exchange.PeerLink) ed25519.PublicKey {
	return h().PeerKey(ctx, l)
}

// running is a clock that begins now and that nobody can set.
func running() func() time.Duration {
	start := time.Now()
	return func() time.Duration { return time.Since(start) }
}

func matchParts() []web.Part { return []web.Part{match.ConsolePart()} }

func (n *Node) mountMatch(site *web.Site) ([]web.Route, error) {
	pages := n.federation.match.Pages(site)
	site.AddNav(pages.Nav()...)
	return append(match.NewAPI(n.federation.match).Routes(), pages.Routes()...), nil
}

// matchCommands open the sets of a folder, whether or not a node serves from it.
func matchCommands() []*cobra.Command {
	return match.Commands(match.CommandOptions{Config: os.UserConfigDir, Rand: rand.Reader, Open: func(ctx context.Context, dir string) (*match.Service, func() error, error) {
		store, err := OpenStore(ctx, dir, false)
		if err != nil {
			return nil, nil, err
		}
		s, err := matchOf(ctx, store)
		if err != nil {
			_ = store.Close() // the first error counts
			return nil, nil, err
		}
		return s, store.Close, nil
	}})
}

func matchOf(ctx context.Context, store *members.Store) (*match.Service, error) {
	if err := keyring.Migrate(ctx, store.DB); err != nil {
		return nil, err
	}
	if err := match.Migrate(ctx, store.DB); err != nil {
		return nil, err
	}
	signer := keyring.New(keyring.Options{DB: store.DB, Audit: store.Audit, Accounts: store.Accounts, Now: time.Now})
	return match.New(match.Options{DB: store.DB, Audit: store.Audit, Accounts: store.Accounts, Signer: signer, Now: time.Now, Steady: running()}), nil
}

// redIndicators are the TLP:RED indicators of organisations, as the log has them.
type redIndicators struct{ node *Node }

// Changed is what [match.Reds] asks for.
func (x redIndicators) Changed() <-chan struct{} { return x.node.Journal.Changed() }

// Red is what [match.Reds] asks for. An organisation that has left the community has no sight there any more, and so
// nothing in its set.
func (x redIndicators) Red(ctx context.Context, org polder.OrgID, c polder.CommunityID, k match.Kind, each func(string) error) error {
	ms, err := x.node.Accounts.Memberships(ctx, org)
	if err != nil {
		return err
	}
	sight := polder.Sight{Org: org}
	for _, m := range ms {
		if m.Community.ID == c && m.Accepted {
			sight.Communities = []polder.CommunityID{c}
		}
	}
	q := journal.Query{Limit: 1000, Types: []string{"indicator"}}
	for more := len(sight.Communities) > 0; more; {
		page, err := x.node.Journal.Page(ctx, sight, q)
		if err != nil {
			return err
		}
		for _, d := range page.Deliveries {
			q.After = d.Seq
			if d.Level != stix.Red || d.Sharer != org || d.Erased || d.Revoked {
				continue
			}
			if err := x.values(d, k, each); err != nil {
				return err
			}
		}
		more = page.More
	}
	return nil
}

// values calls each with the values of a kind of one indicator that counts now.
func (x redIndicators) values(d journal.Delivery, k match.Kind, each func(string) error) error {
	o, err := stix.Parse(d.Raw)
	if err != nil {
		return err
	}
	item, values, err := indicator.ReadIndicator(o)
	if err != nil || !item.ValidUntil.IsZero() && !item.ValidUntil.After(x.node.now()) {
		return nil // what says no value, and what has expired, is in no set
	}
	for _, v := range values {
		if match.Kind(v.Kind) != k {
			continue
		}
		if err := each(v.Value); err != nil {
			return err
		}
	}
	return nil
}
