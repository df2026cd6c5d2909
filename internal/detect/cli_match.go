package detect

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/polder-exchange/polder/internal/cli"
	"github.com/polder-exchange/polder/stix/pattern"
)

// MatchCommand is `polder match`: a pattern against observed data, without a node.
func MatchCommand() *cobra.Command {
	var text, file string
	c := &cobra.Command{
		Use:   "match --pattern P FILE",
		Short: "Match a STIX pattern against observed data",
		Long: "Match a STIX pattern against the observed-data of a file: a bundle, a list or single objects, of STIX 2.1 or 2.0; - is\n" +
			"standard input. It prints the first observations found that meet the pattern together. A file of cyber-observable\n" +
			"objects without observed-data is taken as one observation for each object, made at a time that is not known.\n\n" +
			"Exit status: 0 it matches, 3 it does not, 1 the pattern or the data cannot be read, 2 wrong usage.",
		Example: "  polder match --pattern \"[domain-name:value = 'gate.example']\" bundle.json\n" +
			"  polder match --json --pattern-file chain.pattern - < observed.json",
		Args: cobra.ExactArgs(1),
	}
	c.Flags().StringVar(&text, "pattern", "", "the `pattern`")
	c.Flags().StringVar(&file, "pattern-file", "", "read the pattern from this `file`")
	c.MarkFlagsOneRequired("pattern", "pattern-file")
	c.MarkFlagsMutuallyExclusive("pattern", "pattern-file")
	cli.JSONFlag(c)
	c.RunE = func(cmd *cobra.Command, args []string) error {
		if file == "-" && args[0] == "-" {
			return cli.Usagef("the pattern and the data cannot both come from standard input; name a file for one")
		}
		m, err := readPattern(cmd, text, file)
		if err != nil {
			return err
		}
		return runMatch(cmd, m, args[0])
	}
	return c
}

// readPattern compiles the pattern that was given, or that stands in a file.
func readPattern(cmd *cobra.Command, text, file string) (*pattern.Matcher, error) {
	name := "--pattern"
	if file != "" {
		f, err := cli.Open(cmd, file)
		if err != nil {
			return nil, err
		}
		defer f.Close()
		raw, err := io.ReadAll(io.LimitReader(f, pattern.MaxBytes+1))
		if err != nil {
			return nil, cli.At(file, 0, err)
		}
		name, text = file, string(raw)
	}
	p, err := pattern.Parse(text)
	if err != nil {
		return nil, atPattern(name, err)
	}
	m, err := pattern.Compile(p)
	return m, atPattern(name, err)
}

// atPattern says where in a pattern an error lies.
func atPattern(name string, err error) error {
	if e, ok := errors.AsType[*pattern.Error](err); ok {
		return cli.At(name, e.Pos.Line, fmt.Errorf("column %d: %s", e.Pos.Column, e.Text))
	}
	return cli.At(name, 0, err)
}

// matched is the answer of `match --json`.
type matched struct {
	Match    bool            `json:"match"`
	Pattern  string          `json:"pattern"`
	Observed []boundObserved `json:"observed"`
}

// boundObserved is an observation that meets the pattern, with others or alone.
type boundObserved struct {
	Index  int        `json:"index"` // among the observed-data of the file, from 0
	ID     string     `json:"id,omitempty"`
	First  *time.Time `json:"first_observed,omitempty"`
	Last   *time.Time `json:"last_observed,omitempty"`
	Number int        `json:"number_observed"`
}

func runMatch(cmd *cobra.Command, m *pattern.Matcher, file string) error {
	f, err := cli.Open(cmd, file)
	if err != nil {
		return err
	}
	defer f.Close()
	seen, err := pattern.ReadObserved(bufio.NewReaderSize(f, 1<<16), 0)
	if err != nil {
		return cli.At(file, 0, err)
	}
	bound, err := m.Match(seen)
	if err != nil {
		return cli.At(file, 0, err)
	}
	answer := matched{Match: bound != nil, Pattern: m.String(), Observed: []boundObserved{}}
	for _, i := range bound {
		o := seen[i]
		b := boundObserved{Index: i, ID: o.ID, Number: max(o.Number, 1)}
		if !o.First.IsZero() {
			b.First, b.Last = &o.First, &o.Last
		}
		answer.Observed = append(answer.Observed, b)
	}
	return answer.print(cli.Out(cmd), len(seen))
}

func (a matched) print(p *cli.Printer, all int) error {
	if p.AsJSON() {
		if err := p.JSON(a); err != nil {
			return err
		}
	} else if a.Match {
		p.Printf("The pattern matches, with %d of %d observations:\n", len(a.Observed), all)
		var rows [][]string
		for _, b := range a.Observed {
			row := []string{fmt.Sprint(b.Index), b.ID, "", "", fmt.Sprint(b.Number)}
			if b.First != nil {
				row[2], row[3] = b.First.Format(time.RFC3339Nano), b.Last.Format(time.RFC3339Nano)
			}
			rows = append(rows, row)
		}
		p.Table([]string{"INDEX", "ID", "FIRST", "LAST", "NUMBER"}, rows)
	} else {
		p.Printf("The pattern matches none of %d observations.\n", all)
	}
	if !a.Match {
		return cli.Nothing
	}
	return nil
}
