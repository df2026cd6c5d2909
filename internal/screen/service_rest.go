package screen

import (
	"context"
	"io"
	"time"

	"github.com/polder-exchange/polder"
)

// WriteCSV writes the auditor's record of a period. It asks for a reader, and is noted in the audit.
func (s *Service) WriteCSV(ctx context.Context, by polder.Actor, p Period, w io.Writer) error {
	return polder.ErrUnavailable
}

// WritePDF writes the same for people who print.
func (s *Service) WritePDF(ctx context.Context, by polder.Actor, p Period, w io.Writer) error {
	return polder.ErrUnavailable
}

// Period is from one time until before another.
type Period struct{ From, To time.Time }
