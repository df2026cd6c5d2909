package node

import (
	"context"
	"errors"
	"time"

	"github.com/spf13/cobra"

	"github.com/polder-exchange/polder/internal/exchange"
)

// releaseCommands set what leaves an organisation, in the folder of a node that may be serving meanwhile.
func releaseCommands() []*cobra.Command {
	return []*cobra.Command{exchange.ReleaseCommand(func(ctx context.Context, dir string) (exchange.ReleaseStore, func() error, error) {
		s, err := OpenStore(ctx, dir, false)
		if err != nil {
			return exchange.ReleaseStore{}, nil, err
		}
		if err := exchange.Migrate(ctx, s.DB); err != nil {
			return exchange.ReleaseStore{}, nil, errors.Join(err, s.Close())
		}
		return exchange.ReleaseStore{DB: s.DB, Audit: s.Audit, Accounts: s.Accounts, Now: time.Now}, s.Close, nil
	})}
}
