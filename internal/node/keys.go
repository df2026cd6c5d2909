package node

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/polder-exchange/polder/internal/web"
)

func (n *Node) openKeys(ctx context.Context) error { return nil }

func keysParts() []web.Part { return nil }

func (n *Node) mountKeys(site *web.Site) ([]web.Route, error) { return nil, nil }

func keysCommands() []*cobra.Command { return nil }
