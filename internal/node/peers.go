package node

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/polder-exchange/polder/internal/web"
)

func (n *Node) openPeers(ctx context.Context) error { return nil }

func peersParts() []web.Part { return nil }

func (n *Node) mountPeers(site *web.Site) ([]web.Route, error) { return nil, nil }

func peersCommands() []*cobra.Command { return nil }
