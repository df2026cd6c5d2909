package exchange

import (
	"context"
	"log/slog"

	"github.com/polder-exchange/polder/internal/journal"
)

// Index is the search over everything shared.
type Index struct{}

// OpenIndex opens the search.
func OpenIndex(context.Context, string, *journal.Journal, *slog.Logger) (*Index, error) {
	return &Index{}, nil
}

// Close ends it.
func (x *Index) Close() error { return nil }
