package node

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/polder-exchange/polder/internal/web"
)

func (n *Node) openLedger(ctx context.Context) error { return nil }

func ledgerParts() []web.Part { return nil }

func (n *Node) mountLedger(site *web.Site) ([]web.Route, error) { return nil, nil }

func ledgerCommands() []*cobra.Command { return nil }
