package exchange

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/polder-exchange/polder/internal/cli"
	"github.com/polder-exchange/polder/stix"
	"github.com/polder-exchange/polder/taxii"
)

func taxiiCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "taxii",
		Short: "Work with any TAXII 2.1 server",
		Long:  "Work with any TAXII 2.1 server: this node's or another's. Give --user and --password, or --token.",
	}
	c.AddCommand(taxiiDiscover(), taxiiCollections(), taxiiPull(), taxiiPush())
	return c
}

// taxiiFlags gives a command what it needs to reach a server.
func taxiiFlags(c *cobra.Command) func(url string) *taxii.Client {
	var user, password, token string
	var plain bool
	c.Flags().StringVar(&user, "user", "", "`name` for HTTP Basic")
	c.Flags().StringVar(&password, "password", "", "`password` for HTTP Basic")
	c.Flags().StringVar(&token, "token", "", "`token` sent as Bearer (or POLDER_TOKEN)")
	c.Flags().BoolVar(&plain, "plain-http", false, "let credentials go unencrypted to another machine")
	return func(url string) *taxii.Client {
		if token == "" && user == "" {
			token = os.Getenv("POLDER_TOKEN") //house:allow os.Getenv: it stands in for --token
		}
		return &taxii.Client{URL: url, User: user, Password: password, Token: token, PlainHTTP: plain, UserAgent: "polder/" + strings.Fields(cli.Version())[0]}
	}
}

func taxiiDiscover() *cobra.Command {
	c := &cobra.Command{
		Use:     "discover URL",
		Short:   "Show what a server says of itself",
		Example: "  polder taxii discover http://127.0.0.1:8080/taxii2/ --token TOKEN",
		Args:    cobra.ExactArgs(1),
	}
	client := taxiiFlags(c)
	cli.JSONFlag(c)
	c.RunE = func(cmd *cobra.Command, args []string) error {
		d, err := client(args[0]).Discover(cmd.Context())
		if err != nil {
			return err
		}
		p := cli.Out(cmd)
		if p.AsJSON() {
			return p.JSON(d)
		}
		p.Printf("%s\n", d.Title)
		for _, root := range d.APIRoots {
			p.Printf("%s\n", root)
		}
		return nil
	}
	return c
}

func taxiiCollections() *cobra.Command {
	c := &cobra.Command{
		Use:     "collections URL",
		Short:   "List a server's collections",
		Example: "  polder taxii collections http://127.0.0.1:8080/taxii2/ --user me --password TOKEN",
		Args:    cobra.ExactArgs(1),
	}
	client := taxiiFlags(c)
	cli.JSONFlag(c)
	c.RunE = func(cmd *cobra.Command, args []string) error {
		cl := client(args[0])
		roots, err := cl.Roots(cmd.Context())
		if err != nil {
			return err
		}
		p := cli.Out(cmd)
		var rows [][]string
		for _, root := range roots {
			list, err := cl.Collections(cmd.Context(), root.URL)
			if err != nil {
				return err
			}
			for _, col := range list {
				if p.AsJSON() {
					if err := p.JSON(col); err != nil {
						return err
					}
					continue
				}
				rows = append(rows, []string{col.ID, col.Alias, col.Title, rightsOf(col)})
			}
		}
		p.Table([]string{"ID", "ALIAS", "TITLE", "MAY"}, rows)
		return nil
	}
	return c
}

func rightsOf(c taxii.Collection) string {
	var may []string
	if c.CanRead {
		may = append(may, "read")
	}
	if c.CanWrite {
		may = append(may, "write")
	}
	return strings.Join(may, ", ")
}

func taxiiPull() *cobra.Command {
	var collection, state string
	var f taxii.Filter
	c := &cobra.Command{
		Use:   "pull URL",
		Short: "Print a collection's objects, one a line",
		Long: "Print a collection's objects, one a line, oldest first. With --state FILE it goes on where the last pull into that file\n" +
			"ended, and writes where this one ends.",
		Example: "  polder taxii pull http://127.0.0.1:8080/taxii2/ --collection chips --token TOKEN > objects.jsonl",
		Args:    cobra.ExactArgs(1),
	}
	client := taxiiFlags(c)
	c.Flags().StringVar(&collection, "collection", "", "the collection's id, alias or `title`; the only one when there is one")
	c.Flags().StringVar(&state, "state", "", "a `file` that remembers how far the pull came")
	c.Flags().StringSliceVar(&f.Types, "type", nil, "only objects of these `types`")
	c.Flags().StringSliceVar(&f.IDs, "id", nil, "only objects of these `ids`")
	c.Flags().StringSliceVar(&f.Versions, "version", nil, "these `versions`: first, last, all or timestamps; last without it")
	c.RunE = func(cmd *cobra.Command, args []string) error {
		from, err := readCursor(state)
		if err != nil {
			return err
		}
		remote, err := client(args[0]).Find(cmd.Context(), collection)
		if err != nil {
			return err
		}
		pull := remote.Objects(from, f)
		p, bar := cli.Out(cmd), cli.NewProgress(cmd, "pulling", -1)
		for raw, err := range pull.All(cmd.Context()) {
			if err != nil {
				bar.Done()
				return errors.Join(err, writeCursor(state, pull.Cursor()))
			}
			if err := p.JSON(raw); err != nil {
				return err
			}
			bar.Add(1)
		}
		bar.Done()
		return writeCursor(state, pull.Cursor())
	}
	return c
}

func readCursor(file string) (c taxii.Cursor, err error) {
	if file == "" {
		return c, nil
	}
	text, err := os.ReadFile(file)
	if errors.Is(err, os.ErrNotExist) {
		return c, nil
	}
	if err != nil {
		return c, err
	}
	if err := json.Unmarshal(text, &c); err != nil {
		return c, cli.At(file, 0, fmt.Errorf("is not the state of a pull: %w", err))
	}
	return c, nil
}

// writeCursor replaces the file at once, so a crash leaves the old state or the new.
func writeCursor(file string, c taxii.Cursor) error {
	if file == "" {
		return nil
	}
	text, err := json.Marshal(c)
	if err != nil {
		return err
	}
	if err := os.WriteFile(file+".new", text, 0o600); err != nil {
		return err
	}
	return os.Rename(file+".new", file)
}

func taxiiPush() *cobra.Command {
	var collection string
	c := &cobra.Command{
		Use:     "push URL FILE...",
		Short:   "Add the objects of STIX files to a collection",
		Example: "  polder taxii push http://127.0.0.1:8080/taxii2/ --collection chips --token TOKEN bundle.json",
		Args:    cobra.MinimumNArgs(2),
	}
	client := taxiiFlags(c)
	c.Flags().StringVar(&collection, "collection", "", "the collection's id, alias or `title`; the only one when there is one")
	cli.JSONFlag(c)
	c.RunE = func(cmd *cobra.Command, args []string) error {
		remote, err := client(args[0]).Find(cmd.Context(), collection)
		if err != nil {
			return err
		}
		var broken error
		objects := func(yield func(json.RawMessage) bool) {
			for _, file := range args[1:] {
				if broken = eachObject(cmd, file, yield); broken != nil {
					return
				}
			}
		}
		good, bad := 0, 0
		for st, err := range remote.Push(cmd.Context(), objects) {
			if err != nil {
				return err
			}
			good, bad = good+st.SuccessCount, bad+st.FailureCount
			for _, f := range st.Failures {
				cli.Err(cmd).Printf("polder: %s: %s\n", f.ID, f.Message)
			}
		}
		if broken != nil {
			return broken
		}
		p := cli.Out(cmd)
		if p.AsJSON() {
			if err := p.JSON(map[string]int{"success": good, "failure": bad}); err != nil {
				return err
			}
		} else {
			p.Printf("%d added, %d failed\n", good, bad)
		}
		if bad > 0 {
			return fmt.Errorf("%d objects were not taken", bad)
		}
		return nil
	}
	return c
}

var errStopped = errors.New("stopped")

func eachObject(cmd *cobra.Command, file string, yield func(json.RawMessage) bool) error {
	f, err := cli.Open(cmd, file)
	if err != nil {
		return err
	}
	defer f.Close()
	r := stix.NewReader(bufio.NewReaderSize(f, 1<<20), stix.Limits{})
	for {
		raw, pos, err := r.NextRaw()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return cli.At(file, pos.Line, err)
		}
		if !yield(raw) {
			return errStopped
		}
	}
}
