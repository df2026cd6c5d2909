package node

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/polder-exchange/polder/internal/web"
)

func (n *Node) openMatch(ctx context.Context) error { return nil }

func matchParts() []web.Part { return nil }

func (n *Node) mountMatch(site *web.Site) ([]web.Route, error) { return nil, nil }

func matchCommands() []*cobra.Command { return nil }
