package node

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/polder-exchange/polder/internal/web"
)

func (n *Node) openPayback(ctx context.Context) error { return nil }

func paybackParts() []web.Part { return nil }

func (n *Node) mountPayback(site *web.Site) ([]web.Route, error) { return nil, nil }

func paybackCommands() []*cobra.Command { return nil }
