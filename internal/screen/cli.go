package screen

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/polder-exchange/polder/internal/cli"
	"github.com/polder-exchange/polder/internal/screen/lists"
	"github.com/polder-exchange/polder/names"
)

// NodeLists are the lists that a node's folder keeps for all its organisations. The registry of a node is one.
type NodeLists interface {
	// Screener answers from all of them; it is nil when there are none.
	Screener(ctx context.Context) (*Screener, error)

	// Kept are the lists, restricted ones before verified ones, then by name.
	Kept(ctx context.Context) ([]KeptList, error)

	// Import makes a file or a folder a list, or the next version of one: the whole of it, or nothing and an error that
	// says why. Without force a version that lacks most of what the one before it had is refused.
	Import(ctx context.Context, path string, o lists.ReadOptions, force bool) (Imported, error)

	Close() error
}

// Imported is a list that was imported, and how it differs from the version before it.
type Imported struct {
	List                    KeptList
	First                   bool // there was no version before
	Added, Removed, Changed int
}

// CommandOptions are what the commands need of the program.
type CommandOptions struct {
	Now  func() time.Time
	Open func(ctx context.Context, dir string) (NodeLists, error) // the lists of a node's folder
}

// Commands are those that screen parties, compare names and keep lists.
func Commands(o CommandOptions) []*cobra.Command {
	return []*cobra.Command{screenCommand(o), namesCommand(), listsCommand(o)}
}

// screenFlags are what `polder screen` is asked.
type screenFlags struct {
	CommandOptions
	lists                                     []string
	data                                      string
	threshold                                 float64
	limit                                     int
	kind, country, birth                      string
	ids                                       []string
	file, column, encoding, sheet, text, rest string
	csv, failOnHit                            bool
}

func screenCommand(o CommandOptions) *cobra.Command {
	f := screenFlags{CommandOptions: o}
	c := &cobra.Command{
		Use:   "screen [--list FILE]... NAME...",
		Short: "Look for parties on lists of restricted and of verified parties",
		Long: "Ask lists whether they name a party, under any of its names and in any script. It works on this machine alone: nothing leaves\n" +
			"it, and nothing is kept. Lists are files (--list) or those that a node has imported (--data). No hit is no clearance: the\n" +
			"answer says which lists, of which date, were asked.\n\n" +
			"Many parties come from a file (--file): CSV with a heading, JSON lines or XLSX. Its columns are recognised: name, type,\n" +
			"country, birth, ref, lei, registration, imo, tax. The answers are JSON lines in the order of the file, or a table with --csv.\n" +
			"With --resume FILE they are written to FILE, and a run that was interrupted goes on where FILE ends.\n\n" +
			"A contract, an order or a letter comes as text (--text): the parties that are found in it are asked about.\n\n" +
			"Exit status: 0 done, 3 something was found (with --fail-on-hit), 1 refused or failed, 2 wrong usage.",
		Example: "  polder screen --list us_csl.jsonl \"Hangzhou Hikvision\"\n" +
			"  polder screen --data node --type company --country CN --id lei:5493001KJTIIGC8Y1R12 \"Acme Optics\"\n" +
			"  polder screen --list us_csl.jsonl --file parties.csv --resume answers.jsonl\n" +
			"  polder screen --list us_csl.jsonl --text contract.txt",
	}
	fl := c.Flags()
	fl.StringArrayVar(&f.lists, "list", nil, "a `file` or folder with a list; may be given more than once")
	fl.StringVar(&f.data, "data", "", "ask the lists of the node in this `folder`")
	fl.Float64Var(&f.threshold, "threshold", DefaultThreshold, "show what scores at least this, from 0 to 1")
	fl.IntVar(&f.limit, "limit", DefaultLimit, "show at most this `number` of hits for each name")
	fl.StringVar(&f.kind, "type", "", "what it is: person, company, vessel or any")
	fl.StringVar(&f.country, "country", "", "the `country` of its address, registration or flag, as NL; never a nationality")
	fl.StringVar(&f.birth, "birth", "", "the `date` of birth: 1961, 1961-04 or 1961-04-30")
	fl.StringArrayVar(&f.ids, "id", nil, "a number of it, as `kind:value`; kinds: "+strings.Join(idKindNames(), ", "))
	fl.StringVar(&f.file, "file", "", "ask about the parties in this `file`: CSV, JSON lines or XLSX; - is standard input")
	fl.StringVar(&f.column, "column", "", "the `column` of the file that holds the names, by its heading or number")
	fl.StringVar(&f.encoding, "encoding", "", "the `encoding` of the file, if it is not recognised, as windows-1251")
	fl.StringVar(&f.sheet, "sheet", "", "the `sheet` of an XLSX file (default: the first with a column of names)")
	fl.StringVar(&f.text, "text", "", "ask about the parties that are found in the text of this `file`")
	fl.BoolVar(&f.csv, "csv", false, "with --file: print a table, a hit a row, that a spreadsheet opens safely")
	fl.StringVar(&f.rest, "resume", "", "with --file: write the answers to this `file`, or go on where it ends")
	fl.BoolVar(&f.failOnHit, "fail-on-hit", false, "exit with 3 when anything was found")
	cli.JSONFlag(c)
	c.MarkFlagsMutuallyExclusive("file", "text")
	c.RunE = f.run
	return c
}

func (f *screenFlags) run(cmd *cobra.Command, args []string) error {
	q, o, err := f.asked(cmd, args)
	if err != nil {
		return err
	}
	s, err := f.screener(cmd)
	if err != nil {
		return err
	}
	var hits int
	switch {
	case f.file != "":
		hits, err = f.runFile(cmd, s, q, o)
	case f.text != "":
		hits, err = f.runText(cmd, s, q.Type, o)
	default:
		hits, err = f.runNames(cmd, s, q, args, o)
	}
	if err == nil && f.failOnHit && hits > 0 {
		return cli.Nothing
	}
	return err
}

// asked checks what was asked before anything is read. The query lacks its name.
func (f *screenFlags) asked(cmd *cobra.Command, args []string) (q Query, o Options, err error) {
	o = Options{Threshold: f.threshold, Limit: f.limit}
	if q.Type, err = names.ParseType(f.kind); err != nil {
		return q, o, cli.Usagef("--type: %w", err)
	}
	if !(f.threshold >= 0 && f.threshold <= 1) {
		return q, o, cli.Usagef("--threshold %v: give a number from 0 to 1", f.threshold)
	}
	if o.Threshold < least {
		o.Threshold = least
	}
	if f.limit < 1 || f.limit > MaxLimit {
		return q, o, cli.Usagef("--limit %d: give a number from 1 to %d", f.limit, MaxLimit)
	}
	if f.country != "" {
		if q.Country = countryCode(f.country); q.Country == "" {
			return q, o, cli.Usagef("--country %q is no country; give its code of two letters, as NL", clip(f.country, 40))
		}
	}
	if f.birth != "" {
		if q.Birth, err = ParseBirth(f.birth); err != nil {
			return q, o, cli.Usagef("--birth: %w", err)
		}
	}
	for _, text := range f.ids {
		id, err := ParseIdentifier(text)
		if err != nil {
			return q, o, cli.Usagef("--id: %w", err)
		}
		q.Identifiers = append(q.Identifiers, id)
	}
	return q, o, f.fits(cmd, q, args)
}

// fits says which flags do not go together.
func (f *screenFlags) fits(cmd *cobra.Command, q Query, args []string) error {
	many := f.file != "" || f.text != ""
	one := q.Country != "" || q.Birth != "" || len(q.Identifiers) > 0
	switch {
	case many && len(args) > 0:
		return cli.Usagef("names are given and a file too; give one of them")
	case many && one:
		return cli.Usagef("--country, --birth and --id are of one party; in a file they are columns")
	case !many && len(args) == 0:
		return cli.Usagef("whom to look for is not said; give a name, --file or --text")
	case one && len(args) > 1:
		return cli.Usagef("--country, --birth and --id are of one party; give one name with them")
	case f.file != "" && f.csv && cli.Out(cmd).AsJSON():
		return cli.Usagef("--csv and --json are two forms; give one of them")
	}
	if f.file == "" {
		for _, name := range []string{"column", "encoding", "sheet", "csv", "resume"} {
			if cmd.Flags().Changed(name) {
				return cli.Usagef("--%s goes with --file", name)
			}
		}
	}
	for _, a := range args {
		if strings.TrimSpace(a) == "" {
			return cli.Usagef("a name is empty; give one")
		}
	}
	return nil
}

// screener loads the lists that were named, and those of a node.
func (f *screenFlags) screener(cmd *cobra.Command) (*Screener, error) {
	var all []*Screener
	var named []*lists.List
	for _, path := range f.lists {
		l, err := lists.ReadPath(path, lists.ReadOptions{At: f.Now()})
		if err != nil {
			return nil, err
		}
		if cmd.Context().Err() != nil {
			return nil, cmd.Context().Err()
		}
		named = append(named, l)
	}
	if len(named) > 0 {
		all = append(all, NewScreener(named...))
	}
	if f.data != "" {
		kept, err := f.Open(cmd.Context(), f.data)
		if err != nil {
			return nil, err
		}
		s, err := kept.Screener(cmd.Context())
		if err := errors.Join(err, kept.Close()); err != nil {
			return nil, err
		}
		if s == nil && len(named) == 0 {
			return nil, cli.Usagef("the node in %s has no list yet; import one with: polder lists import --data %s FILE", f.data, f.data)
		}
		all = append(all, s)
	}
	if len(all) == 0 {
		return nil, cli.Usagef("no list is named; give --list FILE, or import one with: polder lists import --data DIR FILE\nand ask with --data DIR")
	}
	return Join(all...), nil
}

// runNames answers about each name.
func (f *screenFlags) runNames(cmd *cobra.Command, s *Screener, q Query, args []string, o Options) (hits int, err error) {
	out := cli.Out(cmd)
	asked := shownLists(s.Lists())
	for i, name := range args {
		if cmd.Context().Err() != nil {
			return hits, cmd.Context().Err()
		}
		q.Name = name
		a := s.Screen(q, o)
		a.Asked = f.Now().UTC()
		hits += len(a.Hits)
		if out.AsJSON() {
			if err := out.JSON(showAnswer(&a, asked)); err != nil {
				return hits, err
			}
			continue
		}
		if i > 0 {
			out.Printf("\n")
		}
		printAnswer(out, &a)
	}
	if !out.AsJSON() {
		printFoot(out, s, o.Threshold)
	}
	return hits, nil
}
