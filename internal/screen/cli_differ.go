package screen

import (
	"strings"

	"github.com/spf13/cobra"

	"github.com/polder-exchange/polder/internal/cli"
	"github.com/polder-exchange/polder/internal/screen/lists"
)

// differFlags are what `polder lists compare` is asked.
type differFlags struct {
	mapping string
	limit   int
}

func differCommand(o CommandOptions) *cobra.Command {
	var f differFlags
	c := &cobra.Command{
		Use:     "compare OLD NEW",
		Short:   "Say what differs between two versions of a list",
		Example: "  polder lists compare us_csl-2026-06.jsonl us_csl-2026-07.jsonl\n  polder lists compare --json old.xml new.xml",
		Args:    cobra.ExactArgs(2),
	}
	c.Flags().StringVar(&f.mapping, "mapping", "", "a `file` that says what the columns of both tables hold")
	c.Flags().IntVar(&f.limit, "limit", 50, "print at most this `number` of listings of each kind; 0 is all")
	cli.JSONFlag(c)
	c.RunE = func(cmd *cobra.Command, args []string) error { return f.run(cmd, o, args) }
	return c
}

// differLine is what `lists compare --json` prints, one listing a line.
type differLine struct {
	Change string       `json:"change"` // added, removed or changed
	ID     string       `json:"id"`
	Old    *lists.Entry `json:"old,omitempty"`
	New    *lists.Entry `json:"new,omitempty"`
	What   []string     `json:"what,omitempty"` // of what changed
}

// differences are those of two versions, a listing each.
func differences(d lists.Difference) []differLine {
	var out []differLine
	for _, e := range d.Added {
		out = append(out, differLine{Change: "added", ID: e.ID, New: e})
	}
	for _, e := range d.Removed {
		out = append(out, differLine{Change: "removed", ID: e.ID, Old: e})
	}
	for _, c := range d.Changed {
		out = append(out, differLine{"changed", c.New.ID, c.Old, c.New, c.What})
	}
	return out
}

func (f *differFlags) run(cmd *cobra.Command, o CommandOptions, args []string) error {
	if f.limit < 0 {
		return cli.Usagef("--limit %d: give a number from 0 on", f.limit)
	}
	r := lists.ReadOptions{At: o.Now().UTC()}
	var err error
	if r.Mapping, err = readMapping(cmd, f.mapping); err != nil {
		return err
	}
	var two [2]*lists.List
	for i, path := range args {
		l, err := lists.ReadPath(path, r)
		if err != nil {
			return err
		}
		two[i] = l
	}
	lines := differences(lists.Compare(two[0], two[1]))
	p := cli.Out(cmd)
	if p.AsJSON() {
		for _, l := range lines {
			if err := p.JSON(l); err != nil {
				return err
			}
		}
		return nil
	}
	f.print(p, two, lines)
	return nil
}

// print says what differs: how much first.
func (f *differFlags) print(p *cli.Printer, two [2]*lists.List, lines []differLine) {
	count := map[string]int{}
	for _, l := range lines {
		count[l.Change]++
	}
	p.Printf("%s, %s: %d parties; %s, %s: %d parties.\n", two[0].Name, two[0].When(), len(two[0].Parties), two[1].Name, two[1].When(), len(two[1].Parties))
	p.Printf("%d new, %d gone, %d changed.\n", count["added"], count["removed"], count["changed"])
	shown := map[string]int{}
	var rows [][]string
	for _, l := range lines {
		if shown[l.Change]++; f.limit > 0 && shown[l.Change] > f.limit {
			continue
		}
		e := l.New
		if e == nil {
			e = l.Old
		}
		rows = append(rows, []string{l.Change, l.ID, clip(e.Name, 80), clip(strings.Join(l.What, ", "), 80)})
	}
	p.Table([]string{"CHANGE", "ID", "NAME", "WHAT"}, rows)
	if more := len(lines) - len(rows); more > 0 {
		p.Printf("and %d more; --limit 0 shows all\n", more)
	}
}
