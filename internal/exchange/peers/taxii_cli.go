package peers

import (
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/cli"
	"github.com/polder-exchange/polder/stix"
)

// taxii is `polder peer taxii`.
func (c commands) taxii() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "taxii",
		Short: "Exchange with plain TAXII 2.1 servers",
		Long: "What a collection of a TAXII 2.1 server holds is shared in a community as one organisation, its bytes as they are; what that\n" +
			"organisation may pass on goes there, signed. The server knows nothing of recipients: it gets TLP:CLEAR and TLP:GREEN alone,\n" +
			"and the organisation's own TLP:AMBER when told.",
	}
	cmd.AddCommand(c.taxiiAdd(), c.taxiiList(), c.taxiiPause(true), c.taxiiPause(false), c.taxiiRemove(), c.taxiiRefused())
	return cmd
}

func (c commands) taxiiAdd() *cobra.Command {
	var n NewTAXIIServer
	var org, passwordFile, tokenFile, unmarked string
	cmd := c.on("add --data DIR --community ALIAS --org ID --url API-ROOT --collection ID", "Connect a community with a collection of a server",
		"polder peer taxii add --data node --community chips --org identity--… --url https://taxii.example/api1/ --collection 9ee8a9b3-da1b-45d1-9cf6-8141f7039f82 --user polder --password-file secret.txt --direction both",
		cobra.NoArgs, func(cmd *cobra.Command, s *Opened, _ []string) (err error) {
			n.Org = polder.OrgID(org)
			if unmarked != "" {
				if n.Unmarked, err = stix.ParseMarking(unmarked); err != nil {
					return cli.Usagef("--unmarked: %v", err)
				}
			}
			if passwordFile != "" && tokenFile != "" {
				return cli.Usagef("give --password-file with --user, or --token-file alone")
			}
			if n.Secret, err = secretIn(passwordFile + tokenFile); err != nil {
				return err
			}
			if tokenFile != "" && n.User != "" || passwordFile != "" && n.User == "" {
				return cli.Usagef("--user belongs to --password-file, and --token-file stands alone")
			}
			t, err := s.AddTAXII(cmd.Context(), s.By, n)
			if err != nil {
				return err
			}
			cli.Err(cmd).Printf("A node that serves looks there within seconds; see polder peer taxii list for what came of it.\n")
			return c.printTAXII(cmd, s, []TAXIIServer{t})
		})
	f := cmd.Flags()
	f.StringVar(&n.Community, "community", "", "the `alias` of the community")
	f.StringVar(&org, "org", "", "the organisation as which what comes is shared, by its identity `id`")
	f.StringVar(&n.URL, "url", "", "the `address` of the API root, or of the server's discovery")
	f.StringVar(&n.Collection, "collection", "", "the collection's `id` or alias")
	f.StringVar(&n.User, "user", "", "`name` for HTTP Basic")
	f.StringVar(&passwordFile, "password-file", "", "a `file` that holds the password")
	f.StringVar(&tokenFile, "token-file", "", "a `file` that holds a token, sent as Bearer")
	f.StringVar(&n.Direction, "direction", "pull", "pull, push or both")
	f.BoolVar(&n.Amber, "own-amber", false, "let the organisation's own TLP:AMBER objects go to the server too")
	f.StringVar(&unmarked, "unmarked", "", "take objects without a TLP marking as this `level`: clear or green (default: refuse them)")
	for _, name := range []string{"community", "org", "url", "collection"} {
		_ = cmd.MarkFlagRequired(name)
	}
	return cmd
}

// secretIn is the first line of a file.
func secretIn(path string) (string, error) {
	if path == "" {
		return "", nil
	}
	b, err := os.ReadFile(path)
	if err != nil {
		return "", polder.Errorf(polder.Invalid, "%w", err)
	}
	line, _, _ := strings.Cut(string(b), "\n")
	if line = strings.TrimSpace(line); line == "" || len(line) > 4096 {
		return "", polder.Errorf(polder.Invalid, "%s: its first line should be the secret", path)
	}
	return line, nil
}

// taxiiLine is a server as `polder peer list --json` prints it.
type taxiiLine struct {
	ID          string       `json:"id"`
	Kind        string       `json:"kind"` // taxii
	URL         string       `json:"url"`
	Collection  string       `json:"collection"`
	Community   string       `json:"community"`
	Org         polder.OrgID `json:"org"`
	Direction   string       `json:"direction"` // pull, push or both
	State       string       `json:"state"`
	Detail      string       `json:"detail,omitempty"`
	Contact     string       `json:"last_contact,omitempty"`
	Quarantined int          `json:"quarantined"`
}

// printTAXII prints servers: as lines of JSON, or as rows for the table of links.
func (c commands) printTAXII(cmd *cobra.Command, s *Opened, all []TAXIIServer) error {
	p := cli.Out(cmd)
	rows, err := c.taxiiRows(cmd, s, all)
	if err == nil && !p.AsJSON() {
		p.Table(taxiiHead, rows)
	}
	return err
}

var taxiiHead = []string{"SERVER", "URL", "COLLECTION", "COMMUNITY", "DIRECTION", "STATE", "LAST CONTACT", "REFUSED"}

// taxiiRows are the rows of a table; with --json they are printed at once.
func (c commands) taxiiRows(cmd *cobra.Command, s *Opened, all []TAXIIServer) (rows [][]string, err error) {
	p := cli.Out(cmd)
	for _, t := range all {
		com, err := s.o.Accounts.Community(cmd.Context(), string(t.Community))
		if err != nil {
			return nil, err
		}
		one := taxiiLine{ID: t.ID, Kind: "taxii", URL: t.URL, Collection: t.Collection, Community: com.Alias, Org: t.Org, Direction: direction(t), State: t.State(), Detail: t.Detail, Quarantined: t.Failures}
		if !t.Contact.IsZero() {
			one.Contact = t.Contact.Format(time.RFC3339)
		}
		if p.AsJSON() {
			if err := p.JSON(one); err != nil {
				return nil, err
			}
			continue
		}
		state, contact := one.State, one.Contact
		if one.Detail != "" {
			state += ": " + one.Detail
		}
		if contact == "" {
			contact = "never"
		}
		rows = append(rows, []string{one.ID, one.URL, one.Collection, one.Community, one.Direction, state, contact, fmt.Sprint(one.Quarantined)})
	}
	return rows, nil
}

func direction(t TAXIIServer) string {
	switch {
	case t.Pulls && t.Pushes:
		return "both"
	case t.Pushes:
		return "push"
	}
	return "pull"
}

func (c commands) taxiiList() *cobra.Command {
	return c.on("list --data DIR", "The servers with which communities exchange", "polder peer taxii list --data node", cobra.NoArgs, func(cmd *cobra.Command, s *Opened, _ []string) error {
		all, err := s.TAXIIServers(cmd.Context(), s.By)
		if err != nil {
			return err
		}
		if len(all) == 0 {
			cli.Err(cmd).Printf("No community of this node exchanges with a TAXII server.\n")
		}
		return c.printTAXII(cmd, s, all)
	})
}

func (c commands) taxiiPause(pause bool) *cobra.Command {
	use, short := "resume", "Have the exchange with a server go on"
	if pause {
		use, short = "pause", "Let nothing pass between this node and a server"
	}
	return c.on(use+" --data DIR SERVER", short, "polder peer taxii "+use+" --data node k3j4h5…", cobra.ExactArgs(1), func(cmd *cobra.Command, s *Opened, args []string) error {
		if err := s.PauseTAXII(cmd.Context(), s.By, args[0], pause); err != nil {
			return err
		}
		t, err := s.taxii(cmd.Context(), s.By, args[0])
		if err != nil {
			return err
		}
		return c.printTAXII(cmd, s, []TAXIIServer{t})
	})
}

func (c commands) taxiiRemove() *cobra.Command {
	return c.on("remove --data DIR SERVER", "End the exchange with a server; what came stays", "polder peer taxii remove --data node k3j4h5…", cobra.ExactArgs(1), func(cmd *cobra.Command, s *Opened, args []string) error {
		if err := s.RemoveTAXII(cmd.Context(), s.By, args[0]); err != nil {
			return err
		}
		cli.Err(cmd).Printf("The exchange with %s has ended; what came stays.\n", args[0])
		return nil
	})
}

func (c commands) taxiiRefused() *cobra.Command {
	return c.on("refused --data DIR SERVER", "What this node did not take from a server, or it not from this node", "polder peer taxii refused --data node k3j4h5…", cobra.ExactArgs(1), func(cmd *cobra.Command, s *Opened, args []string) error {
		all, err := s.TAXIIFailures(cmd.Context(), s.By, args[0])
		if err != nil {
			return err
		}
		if len(all) == 0 {
			cli.Err(cmd).Printf("Nothing was refused.\n")
		}
		p := cli.Out(cmd)
		var rows [][]string
		for _, f := range all {
			if p.AsJSON() {
				if err := p.JSON(struct {
					ID     string `json:"id"`
					Reason string `json:"reason"`
					At     string `json:"at"`
				}{f.ID, f.Reason, f.At.Format(time.RFC3339)}); err != nil {
					return err
				}
				continue
			}
			rows = append(rows, []string{f.At.Format(time.RFC3339), f.ID, f.Reason})
		}
		if !p.AsJSON() {
			p.Table([]string{"WHEN", "OBJECT", "WHY"}, rows)
		}
		return nil
	})
}
