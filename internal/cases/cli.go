package cases

import (
	"time"

	"github.com/spf13/cobra"
)

// Commands are those that report, work on cases, and say what is due.
func Commands(now func() time.Time) []*cobra.Command {
	return []*cobra.Command{reportCommand(now), caseCommand(now), deadlinesCommand(now)}
}
