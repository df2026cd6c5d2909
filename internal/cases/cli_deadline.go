package cases

import (
	"time"

	"github.com/spf13/cobra"
)

func deadlinesCommand(now func() time.Time) *cobra.Command { return &cobra.Command{Use: "deadlines"} }
