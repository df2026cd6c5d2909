package cases

import (
	"cmp"
	"context"
	"io"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/cli"
	"github.com/polder-exchange/polder/stix"
)

func caseCommand(now func() time.Time) *cobra.Command {
	c := &cobra.Command{Use: "case", Short: "Open, read, add to and export cases"}
	c.AddCommand(caseListCommand(), caseShowCommand(), caseExportCommand(), caseOpenCommand(now), caseAddCommand(now))
	return c
}

// caseListFlags are what `polder case list` is asked.
type caseListFlags struct {
	status, class, severity, text string
	archived, crossBorder, shared bool
}

func caseListCommand() *cobra.Command {
	var f caseListFlags
	c := &cobra.Command{
		Use:   "list",
		Short: "List the cases that you were let into",
		Long: "List the cases that you were let into, the latest opened first. With --shared those that other organisations share with\n" +
			"yours; with --cross-border, for a country's contact point, those that touch more than one country.",
		Example: "  polder case list --node http://127.0.0.1:8080 --status open\n" +
			"  polder case list --class information-content-security/data-leak --json",
		Args: cobra.NoArgs,
	}
	node := cli.NodeFlags(c)
	fl := c.Flags()
	fl.StringVar(&f.status, "status", "", "only those of this `status`: open, contained or closed")
	fl.StringVar(&f.class, "class", "", "only those of this `class` of the RSIT, as fraud/phishing")
	fl.StringVar(&f.severity, "severity", "", "only those of this `severity`: low, medium, high or critical")
	fl.StringVar(&f.text, "text", "", "only those with this `text` in title or summary")
	fl.BoolVar(&f.archived, "archived", false, "those that were put away instead")
	fl.BoolVar(&f.shared, "shared", false, "those that other organisations share with yours")
	fl.BoolVar(&f.crossBorder, "cross-border", false, "those that touch more than one country")
	cli.JSONFlag(c)
	c.RunE = func(cmd *cobra.Command, _ []string) error {
		n, err := node()
		if err != nil {
			return err
		}
		if f.shared || f.crossBorder {
			return f.others(cmd, n)
		}
		return f.own(cmd, n)
	}
	return c
}

// own lists page after page.
func (f caseListFlags) own(cmd *cobra.Command, n *cli.Node) error {
	q := url.Values{"limit": {"200"}}
	for name, value := range map[string]string{"status": f.status, "class": f.class, "severity": f.severity, "text": f.text} {
		if value != "" {
			q.Set(name, value)
		}
	}
	if f.archived {
		q.Set("archived", "yes")
	}
	out := cli.Out(cmd)
	var rows [][]string
	for {
		var page CasePage
		if err := n.Do(cmd.Context(), http.MethodGet, "/api/v1/cases?"+q.Encode(), nil, &page); err != nil {
			return err
		}
		for _, v := range page.Cases {
			if out.AsJSON() {
				if err := out.JSON(v); err != nil {
					return err
				}
				continue
			}
			rows = append(rows, []string{string(v.ID), string(v.Status), string(v.Severity), v.Level.Label(), v.Opened.UTC().Format(time.DateOnly), v.Title})
		}
		if page.Next == "" {
			break
		}
		q.Set("next", page.Next)
	}
	out.Table([]string{"ID", "STATUS", "SEVERITY", "TLP", "OPENED", "TITLE"}, rows)
	return nil
}

// others lists the cases of others.
func (f caseListFlags) others(cmd *cobra.Command, n *cli.Node) error {
	path := "/api/v1/cases/shared"
	if f.crossBorder {
		path = "/api/v1/cases/cross-border"
	}
	var all caseSharedList
	if err := n.Do(cmd.Context(), http.MethodGet, path, nil, &all); err != nil {
		return err
	}
	out := cli.Out(cmd)
	var rows [][]string
	for _, c := range all.Cases {
		if f.status != "" && f.status != string(c.Status) || f.class != "" && f.class != c.Class || f.severity != "" && f.severity != string(c.Severity) {
			continue
		}
		if out.AsJSON() {
			if err := out.JSON(c); err != nil {
				return err
			}
			continue
		}
		rows = append(rows, []string{c.Key, string(c.Part), string(c.Status), string(c.Severity), strings.Join(c.Countries, " "), c.Stage, cmp.Or(c.Title, c.Class)})
	}
	out.Table([]string{"ID", "PART", "STATUS", "SEVERITY", "COUNTRIES", "STAGE", "TITLE"}, rows)
	return nil
}

// caseShown is what `polder case show --json` prints.
type caseShown struct {
	CaseView
	Items []Item `json:"items"`
}

func caseShowCommand() *cobra.Command {
	c := &cobra.Command{
		Use:     "show ID",
		Short:   "Show a case with its items",
		Long:    "Show a case as far as you see it: its fields, and its items by time.",
		Example: "  polder case show case--6f1d2c3b-4a59-4687-9a8b-7c6d5e4f3a2b",
		Args:    cobra.ExactArgs(1),
	}
	node := cli.NodeFlags(c)
	cli.JSONFlag(c)
	c.RunE = func(cmd *cobra.Command, args []string) error {
		n, err := node()
		if err != nil {
			return err
		}
		got, err := readCaseShown(cmd.Context(), n, args[0])
		if err != nil {
			return err
		}
		out := cli.Out(cmd)
		if out.AsJSON() {
			return out.JSON(got)
		}
		got.print(out)
		return nil
	}
	return c
}

// caseAddress is the address of a case, or of something in it.
func caseAddress(id string, more ...string) string {
	path := "/api/v1/cases/" + url.PathEscape(id)
	for _, m := range more {
		path += "/" + m
	}
	return path
}

func readCaseShown(ctx context.Context, n *cli.Node, id string) (out caseShown, err error) {
	if err := n.Do(ctx, http.MethodGet, caseAddress(id), nil, &out.CaseView); err != nil {
		return out, err
	}
	out.Items = []Item{}
	if out.Header {
		return out, nil
	}
	q := url.Values{"oldest": {"yes"}, "struck": {"yes"}, "limit": {"200"}}
	for {
		var page ItemPage
		if err := n.Do(ctx, http.MethodGet, caseAddress(id, "items?"+q.Encode()), nil, &page); err != nil {
			return out, err
		}
		if out.Items = append(out.Items, page.Items...); page.Next == "" {
			return out, nil
		}
		q.Set("next", page.Next)
	}
}

// print shows a case to a person.
func (c caseShown) print(out *cli.Printer) {
	out.Printf("%s   %s\n", c.Title, c.Level.Label())
	if c.Summary != "" {
		out.Printf("%s\n", c.Summary)
	}
	out.Printf("\n")
	for _, l := range [][2]string{
		{"id", string(c.ID)}, {"of", c.OrgName}, {"kind", string(c.Kind)}, {"status", string(c.Status)}, {"severity", string(c.Severity)}, {"class", c.Class}, {"aware", exportStamp(c.Aware)}, {"occurred", exportStamp(c.Occurred)},
		{"sector", c.Sector}, {"countries", strings.Join(c.Countries, " ")}, {"victim", c.Victim}, {"opened", exportStamp(c.Opened)}, {"closed", exportStamp(c.Closed)}, {"your part", string(c.Access.Part) + ", up to " + c.Access.Ceiling.Label()},
	} {
		if l[1] != "" {
			out.Printf("  %-10s %s\n", l[0], l[1])
		}
	}
	var rows [][]string
	for _, it := range c.Items {
		what := cmp.Or(it.Title, it.Text)
		if o := it.Observable; o != nil {
			what = strings.TrimSpace(string(o.Type) + " " + o.Value + " " + it.Title)
		}
		if !it.Struck.IsZero() {
			what = "(struck out) " + what
		}
		rows = append(rows, []string{exportStamp(exportAt(it)), string(it.Kind), it.Level.Label(), what, it.ID})
	}
	if len(rows) > 0 {
		out.Printf("\n")
		out.Table([]string{"AT", "KIND", "TLP", "WHAT", "ID"}, rows)
	}
}

// caseExportFlags are what `polder case export` is asked.
type caseExportFlags struct {
	format, ceiling, pap, language, table, file string
	red, named, force                           bool
}

func caseExportCommand() *cobra.Command {
	var f caseExportFlags
	c := &cobra.Command{
		Use:   "export ID --format FORMAT",
		Short: "Write a case as a file: PDF, STIX, VERIS, RSIT, CSV or JSON",
		Long: "Write a case as a file, from what you see of it. Nothing above the ceiling is in it, and nothing says that something was\n" +
			"left out. The file bears the strictest level that is in it. What is marked TLP:RED is in no file unless the case's lead says\n" +
			"so with --ceiling red --red.\n\n" +
			"The file goes to standard output, or to -o FILE; a PDF is not written to a terminal.",
		Example: "  polder case export case--6f1d2c3b-4a59-4687-9a8b-7c6d5e4f3a2b --format pdf --ceiling amber -o case.pdf\n" +
			"  polder case export case--6f1d2c3b-4a59-4687-9a8b-7c6d5e4f3a2b --format csv --table observables > observables.csv",
		Args: cobra.ExactArgs(1),
	}
	node := cli.NodeFlags(c)
	fl := c.Flags()
	fl.StringVar(&f.format, "format", "", "the `form`: pdf, stix, veris, rsit, csv or json")
	fl.StringVar(&f.ceiling, "ceiling", "", "the strictest `level` in it: clear, green, amber, amber+strict or red (default your own, up to amber+strict)")
	fl.BoolVar(&f.red, "red", false, "as the case's lead: what is marked TLP:RED may be in it")
	fl.StringVar(&f.pap, "pap", "", "what may be done with it, written on it: clear, green, amber or red")
	fl.StringVar(&f.language, "language", "", "the `language` of a PDF: en or nl")
	fl.StringVar(&f.table, "table", "", "which `table` of a CSV: timeline, observables or rsit (default all items)")
	fl.BoolVar(&f.named, "named", false, "name your organisation in a STIX bundle or a VERIS incident")
	fl.StringVarP(&f.file, "output", "o", "", "write to this `file`")
	fl.BoolVar(&f.force, "force", false, "write over a file that is there")
	_ = c.MarkFlagRequired("format")
	c.RunE = func(cmd *cobra.Command, args []string) error { return f.run(cmd, node, args[0]) }
	return c
}

// query is what the node is asked, or what is wrong with it.
func (f caseExportFlags) query() (url.Values, error) {
	q := url.Values{"format": {f.format}}
	if !slices.Contains(Formats, Format(f.format)) {
		return nil, cli.Usagef("--format %q is none of pdf, stix, veris, rsit, csv and json", exportClip(f.format, 40))
	}
	if f.ceiling != "" {
		if _, err := stix.ParseMarking(f.ceiling); err != nil {
			return nil, cli.Usagef("--ceiling: %v", err)
		}
	}
	if f.pap != "" {
		if _, err := stix.ParsePAP(f.pap); err != nil {
			return nil, cli.Usagef("--pap: %v", err)
		}
	}
	for name, value := range map[string]string{"ceiling": f.ceiling, "pap": f.pap, "language": f.language, "table": f.table} {
		if value != "" {
			q.Set(name, value)
		}
	}
	for name, yes := range map[string]bool{"red": f.red, "named": f.named} {
		if yes {
			q.Set(name, "yes")
		}
	}
	return q, nil
}

func (f caseExportFlags) run(cmd *cobra.Command, node func() (*cli.Node, error), id string) error {
	q, err := f.query()
	if err != nil {
		return err
	}
	if f.file == "" && Format(f.format) == FormatPDF && caseTerminal(cmd.OutOrStdout()) {
		return cli.Usagef("a PDF is not written to a terminal; say -o FILE, or send it on with >")
	}
	n, err := node()
	if err != nil {
		return err
	}
	answer, err := n.Send(cmd.Context(), http.MethodGet, caseAddress(id, "export?"+q.Encode()), nil, nil)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if f.file == "" {
		_, err = io.Copy(cli.Out(cmd).Raw(), answer.Body)
		return err
	}
	return f.write(cmd, answer.Body)
}

// write writes the file, which nobody else may read, and takes it away again when it did not arrive whole.
func (f caseExportFlags) write(cmd *cobra.Command, body io.Reader) error {
	how := os.O_CREATE | os.O_WRONLY | os.O_EXCL
	if f.force {
		how = os.O_CREATE | os.O_WRONLY | os.O_TRUNC
	}
	out, err := os.OpenFile(f.file, how, 0o600)
	if os.IsExist(err) {
		return polder.Errorf(polder.Conflict, "%s is there already; give another name, or --force to write over it", f.file)
	}
	if err != nil {
		return err
	}
	n, err := io.Copy(out, body)
	if err = cmp.Or(err, out.Close()); err != nil {
		_ = os.Remove(f.file) // the error that matters is the one before
		return err
	}
	cli.Err(cmd).Printf("%s: %d bytes\n", f.file, n)
	return nil
}

// caseTerminal tells whether somebody would look at what is written.
func caseTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}
