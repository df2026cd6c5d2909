package node

import (
	"context"
	"slices"
	"sync"

	"github.com/spf13/cobra"

	"github.com/polder-exchange/polder/internal/exchange"
	signing "github.com/polder-exchange/polder/internal/exchange/keys"
	"github.com/polder-exchange/polder/internal/exchange/ledger"
	"github.com/polder-exchange/polder/internal/exchange/match"
	"github.com/polder-exchange/polder/internal/exchange/payback"
	"github.com/polder-exchange/polder/internal/exchange/peers"
	"github.com/polder-exchange/polder/internal/web"
)

// federation is what the node runs of the parts of the exchange that span nodes.
type federation struct {
	signatures exchange.Signatures // set by openKeys
	keys       exchange.NodeKeys
	statements *signing.Service       // the same, with its pages
	pseudonyms *signing.PseudonymBook // set by openKeys
	match      *match.Service         // set by openMatch
	ledger     exchange.Ledger        // set by openLedger
	log        *ledger.Service        // the same, with its pages and commands
	peers      *peers.Service         // set by openPeers
	parts      []exchange.PeerPart    // what keys, ledger and others say to peers
	payback    *payback.Service       // set by openPayback
	runs       []func(context.Context)
}

// goes has f run while the node serves.
func (f *federation) goes(run func(context.Context)) { f.runs = append(f.runs, run) }

// openFederation opens what stands over the exchange: peers come last, since they carry what the others say.
func (n *Node) openFederation(ctx context.Context) error {
	for _, open := range []func(context.Context) error{n.openLedger, n.openMatch, n.openPayback, n.openPeers} {
		if err := open(ctx); err != nil {
			return err
		}
	}
	return nil
}

func (n *Node) runFederation(ctx context.Context, all *sync.WaitGroup) {
	for _, run := range n.federation.runs {
		all.Go(func() { run(ctx) })
	}
}

// federationParts are the console's parts.
func federationParts() []web.Part {
	return slices.Concat(keysParts(), ledgerParts(), matchParts(), paybackParts(), peersParts())
}

// mountFederation adds pages, the REST API and what spans pages.
func (n *Node) mountFederation(site *web.Site) (routes []web.Route, err error) {
	for _, mount := range []func(*web.Site) ([]web.Route, error){n.mountKeys, n.mountLedger, n.mountMatch, n.mountPayback, n.mountPeers} {
		more, err := mount(site)
		if err != nil {
			return nil, err
		}
		routes = append(routes, more...)
	}
	return routes, nil
}

func federationCommands() []*cobra.Command {
	return slices.Concat(keysCommands(), ledgerCommands(), matchCommands(), paybackCommands(), peersCommands())
}
