package screen

import (
	"encoding/csv"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/polder-exchange/polder/internal/cli"
	"github.com/polder-exchange/polder/names"
)

func namesCommand() *cobra.Command {
	c := &cobra.Command{Use: "names", Short: "Compare names"}
	c.AddCommand(compareCommand())
	return c
}

// compareFlags are what `polder names compare` is asked.
type compareFlags struct {
	kind, file string
	csv        bool
}

func compareCommand() *cobra.Command {
	var f compareFlags
	c := &cobra.Command{
		Use:   "compare [--type T] (A B | --file pairs.csv)",
		Short: "Say how alike two names are, and why",
		Long: "Compare two names of people, companies or vessels, in any script, word by word. A file of pairs is CSV with the columns\n" +
			"name1, name2 and, if it has one, type; its answers are JSON lines in the order of the file, or a table with --csv.",
		Example: "  polder names compare \"Positiv Tekhnolodzhiz\" \"Позитив Технолоджиз\"\n  polder names compare --type person --json \"Jon Smith\" \"SMITH, John\"\n" +
			"  polder names compare --file pairs.csv",
	}
	c.Flags().StringVar(&f.kind, "type", "", "what they name: person, company, vessel or any")
	c.Flags().StringVar(&f.file, "file", "", "compare the pairs of this `file`; - is standard input")
	c.Flags().BoolVar(&f.csv, "csv", false, "with --file: print a table that a spreadsheet opens safely")
	cli.JSONFlag(c)
	c.RunE = f.run
	return c
}

func (f *compareFlags) run(cmd *cobra.Command, args []string) error {
	t, err := names.ParseType(f.kind)
	switch {
	case err != nil:
		return cli.Usagef("--type: %w", err)
	case f.file != "" && len(args) > 0:
		return cli.Usagef("names are given and a file too; give one of them")
	case f.file != "":
		return f.runFile(cmd, t)
	case f.csv:
		return cli.Usagef("--csv goes with --file")
	case len(args) != 2:
		return cli.Usagef("compare two names, or those of --file; %d were given", len(args))
	}
	c := names.Compare(names.Parse(args[0], t), names.Parse(args[1], t))
	out := cli.Out(cmd)
	if out.AsJSON() {
		return out.JSON(comparisonLine(c))
	}
	printComparison(out, args[0], args[1], c)
	return nil
}

// comparisonLine is a comparison as scripts read it.
func comparisonLine(c names.Comparison) names.Comparison {
	if c.Parts == nil {
		c.Parts = []names.Part{}
	}
	return c
}

// printComparison says in words how alike two names are.
func printComparison(p *cli.Printer, a, b string, c names.Comparison) {
	m := MeaningOf(nameAlone * c.Score)
	word := "They are hardly alike"
	switch {
	case c.Score >= 1:
		word = "They are the same name"
	case m.Threshold >= DefaultThreshold:
		word = "They may be the same name"
	}
	p.Printf("%.3f  %s: “%s” and “%s”.\n", c.Score, word, a, b)
	rows := make([][]string, len(c.Parts))
	for i, part := range c.Parts {
		rows[i] = []string{"", part.Kind, clip(part.A, 40), clip(part.B, 40), fmt.Sprintf("%.2f", part.Score), fmt.Sprintf("%.0f%%", 100*part.Share), part.How}
	}
	p.Table([]string{"", "PART", "FIRST", "SECOND", "ALIKE", "SHARE", "HOW"}, rows)
}

// pairLine is a pair of a file, compared.
type pairLine struct {
	Row   int    `json:"row"`
	Name1 string `json:"name1"`
	Name2 string `json:"name2"`
	names.Comparison
	Error string `json:"error,omitempty"`
}

// runFile compares the pairs of a file, a line each.
func (f *compareFlags) runFile(cmd *cobra.Command, t names.Type) error {
	in, err := cli.Open(cmd, f.file)
	if err != nil {
		return err
	}
	defer in.Close()
	pairs, err := newPairs(f.file, in)
	if err != nil {
		return err
	}
	out := cli.Out(cmd)
	print := func(l pairLine) error { return out.JSON(l) }
	if f.csv {
		w := csv.NewWriter(out.Raw())
		if err := w.Write([]string{"row", "name1", "name2", "score"}); err != nil {
			return err
		}
		print = func(l pairLine) error {
			return w.Write(guarded(fmt.Sprint(l.Row), l.Name1, l.Name2, fmt.Sprintf("%.4f", l.Score)))
		}
		defer w.Flush() // its error is that of the writer, which ends the command
	}
	for {
		p, more, err := pairs.next()
		if err != nil || !more {
			return err
		}
		kind := t
		if p.kind != names.Any {
			kind = p.kind
		}
		c := names.Compare(names.Parse(p.a, kind), names.Parse(p.b, kind))
		if err := print(pairLine{Row: p.row, Name1: p.a, Name2: p.b, Comparison: comparisonLine(c)}); err != nil {
			return err
		}
	}
}
