package node

import (
	"context"
	"errors"
	"time"

	"github.com/polder-exchange/polder/internal/db"
	signing "github.com/polder-exchange/polder/internal/exchange/keys"
	"github.com/polder-exchange/polder/internal/web"
)

// openPseudonyms opens the pseudonyms under which members share, and plugs them into the keys.
func (n *Node) openPseudonyms(ctx context.Context, s *signing.Service) error {
	book, err := pseudonymsOf(ctx, n.DB, s)
	if err != nil {
		return err
	}
	n.federation.parts = append(n.federation.parts, book)
	n.federation.goes(book.Run)
	n.federation.pseudonyms = book
	return nil
}

func pseudonymsOf(ctx context.Context, d *db.DB, s *signing.Service) (*signing.PseudonymBook, error) {
	if err := signing.MigratePseudonyms(ctx, d); err != nil {
		return nil, err
	}
	return signing.NewPseudonyms(s), nil
}

func (n *Node) mountPseudonyms(site *web.Site) []web.Route {
	pages := n.federation.pseudonyms.Pages(site)
	site.AddNav(pages.Nav()...)
	return pages.Routes()
}

// openPseudonymFolder opens the pseudonyms in the folder of a node, for commands.
func openPseudonymFolder(ctx context.Context, dir string) (out signing.OpenedPseudonyms, err error) {
	store, err := OpenStore(ctx, dir, false)
	if err != nil {
		return out, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, store.Close())
		}
	}()
	if err := signing.Migrate(ctx, store.DB); err != nil {
		return out, err
	}
	s := signing.New(signing.Options{DB: store.DB, Audit: store.Audit, Accounts: store.Accounts, Now: time.Now})
	book, err := pseudonymsOf(ctx, store.DB, s)
	return signing.OpenedPseudonyms{Book: book, Accounts: store.Accounts, Close: store.Close}, err
}
