package detect

import (
	"errors"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/polder-exchange/polder/indicator"
	"github.com/polder-exchange/polder/internal/cli"
)

// loadKnowledge reads files of indicators, and the gate of what is no hit. Without files it is nil: nothing is known.
// What cannot be used of a file is said, with what would be right, and the rest is used; a file of which nothing can be
// used is an error.
func loadKnowledge(cmd *cobra.Command, files []string, warninglists string) (*Knowledge, error) {
	if len(files) == 0 {
		if warninglists != "" {
			return nil, cli.Usagef("--warninglists gates indicators: name a file of them with --indicators")
		}
		return nil, nil
	}
	gate := indicator.NewGate()
	gate.AddBuiltin()
	if warninglists != "" {
		loaded, err := gate.LoadFS(os.DirFS(warninglists))
		switch {
		case loaded == 0:
			return nil, cli.Usagef("--warninglists %s: no warninglist is below it; each is a file list.json", warninglists)
		case err != nil: // what could be used of the lists is used
			lines := strings.Split(err.Error(), "\n")
			for _, line := range lines[:min(len(lines), maxTrouble)] {
				cli.Err(cmd).Printf("polder: %s: %s\n", warninglists, line)
			}
			if more := len(lines) - maxTrouble; more > 0 {
				cli.Err(cmd).Printf("polder: %s: and %d more entries or lists that could not be used\n", warninglists, more)
			}
		}
	}
	k := NewKnowledge(gate)
	for _, name := range files {
		if err := loadIndicators(cmd, k, name); err != nil {
			return nil, err
		}
	}
	return k, nil
}

func loadIndicators(cmd *cobra.Command, k *Knowledge, name string) error {
	in, err := cli.Open(cmd, name)
	if err != nil {
		return err
	}
	defer in.Close()
	report, err := k.LoadFile(in, indicator.LoadOptions{Name: name})
	if err != nil {
		return err
	}
	out := cli.Err(cmd)
	for _, e := range report.Errors {
		out.Printf("polder: %s\n", e)
	}
	if more := report.Wrong - len(report.Errors); more > 0 {
		out.Printf("polder: %s: and %d more that could not be used\n", name, more)
	}
	for why, n := range report.Skipped {
		if why == indicator.SkippedBlank {
			continue
		}
		out.Printf("polder: %s: %d left out: %s\n", name, n, why)
	}
	if report.Values+report.Patterns+report.Expressions == 0 {
		return cli.At(name, 0, errors.New("no indicator could be read from it; give STIX, MISP, CSV with a heading, or a value a line"))
	}
	return nil
}
