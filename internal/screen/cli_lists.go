package screen

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/polder-exchange/polder/internal/cli"
	"github.com/polder-exchange/polder/internal/screen/lists"
)

func listsCommand(o CommandOptions) *cobra.Command {
	c := &cobra.Command{Use: "lists", Short: "Keep lists of restricted and of verified parties"}
	c.AddCommand(importCommand(o), showCommand(o), differCommand(o), shareListCommand())
	return c
}

// importFlags are what `polder lists import` is asked.
type importFlags struct {
	as, form, mapping, purpose, title, licence, source, date string
	force                                                    bool
}

func importCommand(o CommandOptions) *cobra.Command {
	var f importFlags
	c := &cobra.Command{
		Use:   "import --data DIR FILE",
		Short: "Import a list, or its next version, into a node",
		Long: "Read a list and keep it in the folder of a node, where `polder screen --data DIR` and the console ask it. The form is\n" +
			"recognised; gzip and zip are undone. A file that cannot be read whole changes nothing. A list of the same name is replaced;\n" +
			"its versions are kept. A table of one's own is read by a mapping file.",
		Example: "  polder lists import --data node us_csl.jsonl\n" +
			"  polder lists import --data node --as denied --mapping denied.yml --date 2026-03-01 denied.csv\n" +
			"  polder lists import --data node --purpose verified --title \"Suppliers that we visited\" suppliers.csv",
		Args: cobra.ExactArgs(1),
	}
	dir := cli.DataFlag(c)
	fl := c.Flags()
	fl.StringVar(&f.as, "as", "", "the `name` of the list (default: that of the file)")
	fl.StringVar(&f.form, "form", "", "the `form` of the file, if it is not recognised")
	fl.StringVar(&f.mapping, "mapping", "", "a `file` that says what the columns of a table hold")
	fl.StringVar(&f.purpose, "purpose", "", "what it is a `list` of: restricted or verified parties (default restricted)")
	fl.StringVar(&f.title, "title", "", "its `title`")
	fl.StringVar(&f.licence, "licence", "", "its `licence`")
	fl.StringVar(&f.source, "source", "", "its `publisher`, or where it came from")
	fl.StringVar(&f.date, "date", "", "its `date`, as 2026-03-01, if the list does not say")
	fl.BoolVar(&f.force, "force", false, "take it although it lacks most of what the version before had")
	cli.JSONFlag(c)
	c.RunE = func(cmd *cobra.Command, args []string) error { return f.run(cmd, o, *dir, args[0]) }
	return c
}

// importLine is what `lists import --json` prints.
type importLine struct {
	listLine
	Form    string `json:"form"`
	Names   int    `json:"names"`
	Added   int    `json:"added"`
	Removed int    `json:"removed"`
	Changed int    `json:"changed"`
}

func (f *importFlags) run(cmd *cobra.Command, o CommandOptions, dir, file string) error {
	r := lists.ReadOptions{As: f.as, Form: f.form, Title: f.title, Licence: f.licence, Source: f.source, Date: f.date, At: o.Now().UTC()}
	switch f.purpose {
	case "", string(lists.Restricted), string(lists.Verified):
		r.Purpose = lists.Purpose(f.purpose)
	default:
		return cli.Usagef("--purpose %q: say restricted or verified", clip(f.purpose, 40))
	}
	if f.as != "" && !listName.MatchString(f.as) {
		return cli.Usagef("--as %q is no name of a list; use up to 64 letters, digits, - and _", clip(f.as, 80))
	}
	if _, err := time.Parse(time.DateOnly, f.date); f.date != "" && err != nil {
		return cli.Usagef("--date %q is no date; write it as 2026-03-01", clip(f.date, 40))
	}
	var err error
	if r.Mapping, err = readMapping(cmd, f.mapping); err != nil {
		return err
	}
	kept, err := o.Open(cmd.Context(), dir)
	if err != nil {
		return err
	}
	got, err := kept.Import(cmd.Context(), file, r, f.force)
	if err := errors.Join(err, kept.Close()); err != nil {
		return err
	}
	printImported(cli.Out(cmd), got)
	return nil
}

// readMapping reads a mapping file; nil when there is none.
func readMapping(cmd *cobra.Command, name string) (*lists.Mapping, error) {
	if name == "" {
		return nil, nil
	}
	in, err := cli.Open(cmd, name)
	if err != nil {
		return nil, err
	}
	defer in.Close()
	text, err := io.ReadAll(io.LimitReader(in, maxMappingBytes))
	if err != nil {
		return nil, cli.At(name, 0, err)
	}
	return lists.ParseMapping(name, text)
}

// maxMappingBytes is how much of a mapping file is read; it refuses one that is as long.
const maxMappingBytes = 1 << 20

func printImported(p *cli.Printer, got Imported) {
	m := got.List.Meta
	if p.AsJSON() {
		_ = p.JSON(importLine{lineOf(m), m.Form, m.Names, got.Added, got.Removed, got.Changed}) // its error is that of the writer, which ends the command
		return
	}
	p.Printf("Imported %s (%s), %s: %d parties with %d names; form %s, sha256 %s\n", m.Name, m.Purpose, m.When(), m.Entries, m.Names, m.Form, clip(m.SHA256, 12))
	if !got.First {
		p.Printf("  since the version before: %d new, %d gone, %d changed\n", got.Added, got.Removed, got.Changed)
	}
	for _, note := range m.Notes {
		p.Printf("  note: %s\n", note)
	}
}

// lineOf is a list as scripts read it.
func lineOf(m lists.Meta) listLine {
	return listLine{m.Name, m.Date, m.SHA256, m.Title, m.Version, m.Purpose, m.Entries, m.Notes}
}

func showCommand(o CommandOptions) *cobra.Command {
	c := &cobra.Command{
		Use:     "show --data DIR",
		Short:   "Show the lists of a node, and how old they are",
		Example: "  polder lists show --data node\n  polder lists show --data node --json",
		Args:    cobra.NoArgs,
	}
	dir := cli.DataFlag(c)
	cli.JSONFlag(c)
	c.RunE = func(cmd *cobra.Command, _ []string) error {
		kept, err := o.Open(cmd.Context(), *dir)
		if err != nil {
			return err
		}
		all, err := kept.Kept(cmd.Context())
		if err := errors.Join(err, kept.Close()); err != nil {
			return err
		}
		return printKept(cli.Out(cmd), all, *dir, o.Now())
	}
	return c
}

// keptLine is what `lists show --json` prints of a list.
type keptLine struct {
	listLine
	Form     string    `json:"form"`
	Source   string    `json:"source,omitempty"`
	Licence  string    `json:"licence,omitempty"`
	Names    int       `json:"names"`
	Owner    Owner     `json:"owner"`
	Read     time.Time `json:"read"`
	Origin   string    `json:"origin,omitempty"`
	Stale    bool      `json:"stale"`
	Failures int       `json:"failures"`
	Failure  string    `json:"failure,omitempty"`
	Versions int       `json:"versions"`
}

func printKept(p *cli.Printer, all []KeptList, dir string, now time.Time) error {
	if p.AsJSON() {
		for _, k := range all {
			l := keptLine{lineOf(k.Meta), k.Form, k.Source, k.Licence, k.Names, k.Owner, k.Read, k.Origin, k.Stale, k.Failures, k.Failure, k.Versions}
			if err := p.JSON(l); err != nil {
				return err
			}
		}
		return nil
	}
	if len(all) == 0 {
		p.Printf("There is no list yet. Import one with: polder lists import --data %s FILE\n", dir)
		return nil
	}
	var rows [][]string
	for _, k := range all {
		state := ""
		if k.Stale {
			state = "stale"
		}
		if k.Failures > 0 {
			state = fmt.Sprintf("%s refreshing failed %d times", state, k.Failures)
		}
		rows = append(rows, []string{k.Name, string(k.Purpose), cmp.Or(k.Date, "not known"), ageOf(k.Meta, now), strconv.Itoa(k.Entries), strconv.Itoa(k.Names), k.Form, clip(k.SHA256, 12), state})
	}
	p.Table([]string{"NAME", "PURPOSE", "DATE", "AGE", "PARTIES", "NAMES", "FORM", "SHA256", "STATE"}, rows)
	for _, k := range all {
		for _, note := range k.Notes {
			p.Printf("%s: note: %s\n", k.Name, note)
		}
		if k.Failure != "" {
			p.Printf("%s: the last refresh failed: %s; the list that is kept is still asked\n", k.Name, k.Failure)
		}
	}
	return nil
}

// ageOf is how old a list is, by its date or, without one, by when it was read.
func ageOf(m lists.Meta, now time.Time) string {
	since, err := time.Parse(time.DateOnly, m.Date)
	if err != nil {
		since = m.Read
	}
	days := int(now.Sub(since).Hours() / 24)
	switch {
	case since.IsZero():
		return "not known"
	case days <= 0:
		return "today"
	case days == 1:
		return "1 day"
	}
	return fmt.Sprintf("%d days", days)
}
