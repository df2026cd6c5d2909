package node

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"time"

	"github.com/spf13/cobra"

	signing "github.com/polder-exchange/polder/internal/exchange/keys"
	"github.com/polder-exchange/polder/internal/web"
)

// openKeys opens the keys of the node and its organisations, with which all that is shared is signed.
func (n *Node) openKeys(ctx context.Context) error {
	if err := signing.Migrate(ctx, n.DB); err != nil {
		return err
	}
	s := signing.New(signing.Options{DB: n.DB, Audit: n.Audit, Accounts: n.Accounts, Now: n.now, Top: n.Journal.Top, Log: n.log})
	n.federation.parts = append(n.federation.parts, s)
	n.federation.goes(s.Run)
	n.federation.signatures, n.federation.keys, n.federation.statements = s, s, s
	return n.openPseudonyms(ctx, s)
}

func keysParts() []web.Part { return []web.Part{signing.ConsolePart(), signing.PseudonymPart()} }

func (n *Node) mountKeys(site *web.Site) ([]web.Route, error) {
	pages := n.federation.statements.Pages(site)
	site.AddNav(pages.Nav()...)
	return slices.Concat(signing.NewAPI(n.federation.statements).Routes(), pages.Routes(), n.mountPseudonyms(site)), nil
}

func keysCommands() []*cobra.Command {
	return append(signing.Commands(signing.CommandOptions{Open: openSigning, Certificates: signing.ReadCertificates}), signing.PseudonymCommands(openPseudonymFolder)...)
}

// openSigning opens the keys in the folder of a node, for commands.
func openSigning(ctx context.Context, dir string) (signing.Opened, error) {
	store, err := OpenStore(ctx, dir, false)
	if err != nil {
		return signing.Opened{}, err
	}
	if err := signing.Migrate(ctx, store.DB); err != nil {
		return signing.Opened{}, errors.Join(err, store.Close())
	}
	s := signing.New(signing.Options{DB: store.DB, Audit: store.Audit, Accounts: store.Accounts, Now: time.Now, Log: slog.New(slog.DiscardHandler)})
	if _, err := pseudonymsOf(ctx, store.DB, s); err != nil {
		return signing.Opened{}, errors.Join(err, store.Close())
	}
	return signing.Opened{Service: s, Close: store.Close}, nil
}
