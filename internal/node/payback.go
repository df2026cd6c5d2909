package node

import (
	"context"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/polder-exchange/polder/internal/exchange"
	"github.com/polder-exchange/polder/internal/exchange/payback"
	"github.com/polder-exchange/polder/internal/web"
)

// paybackFile is the index of payback; it may be deleted, and is made anew.
const paybackFile = "payback.db"

// openPayback opens what tells contributors what their knowledge did, and sets the rules by which indicators lose worth.
func (n *Node) openPayback(ctx context.Context) error {
	rules, err := exchange.OpenDecay(filepath.Join(n.Dir, exchange.DecayFile))
	if err != nil {
		return err
	}
	n.Exchange.UseDecay(rules)
	s, err := payback.Open(ctx, payback.Options{
		DB: n.DB, Path: filepath.Join(n.Dir, paybackFile), Journal: n.Journal, Accounts: n.Accounts, Exchange: n.Exchange, Now: n.now, Log: n.log,
	})
	if err != nil {
		return err
	}
	n.atEnd(s.Close)
	n.Exchange.CountBlocks(s)
	n.federation.payback = s
	n.federation.goes(s.Run)
	return nil
}

func paybackParts() []web.Part { return []web.Part{payback.ConsolePart()} }

// mountPayback adds the pages, the REST API and what spans pages.
func (n *Node) mountPayback(site *web.Site) ([]web.Route, error) {
	s := n.federation.payback
	pages := s.Pages(site)
	site.AddNav(pages.Nav()...)
	site.AddCards(pages)
	site.AddPanels(pages)
	return append(payback.NewAPI(s).Routes(), pages.Routes()...), nil
}

func paybackCommands() []*cobra.Command { return payback.Commands() }
