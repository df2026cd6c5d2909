package node

import (
	"context"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/polder-exchange/polder/internal/exchange/ledger"
	"github.com/polder-exchange/polder/internal/web"
)

// openLedger opens the transparency log of what this node delivers, and what it witnesses of others'.
func (n *Node) openLedger(ctx context.Context) error {
	secret, err := n.Accounts.NodeKey(ctx, ledger.SecretName)
	if err != nil {
		return err
	}
	s, err := ledger.Open(ctx, ledger.Options{
		DB: n.DB, Path: filepath.Join(n.Dir, ledger.File), Journal: n.Journal, Audit: n.Audit, Keys: n.federation.keys, Secret: secret, Now: n.now, Log: n.log,
	})
	if err != nil {
		return err
	}
	n.atEnd(s.Close)
	n.federation.ledger = s
	n.federation.parts = append(n.federation.parts, s)
	n.federation.goes(s.Run)
	return nil
}

func ledgerParts() []web.Part { return nil }

func (n *Node) mountLedger(site *web.Site) ([]web.Route, error) { return nil, nil }

func ledgerCommands() []*cobra.Command { return nil }
