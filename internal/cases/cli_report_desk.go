package cases

import (
	"context"
	"net/http"
	"net/url"

	"github.com/spf13/cobra"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/cli"
)

func reportDeskCommand() *cobra.Command {
	c := &cobra.Command{
		Use:     "desk",
		Short:   "Desks of your organisation: open one, name who reads",
		Long:    "Desks take reports. Two commands give one that works: the first makes your key, the second opens the desk and names you as its\nfirst reader.",
		Example: "  polder report key --node https://desk.example\n  polder report desk open --node https://desk.example 'Confidential adviser'",
	}
	c.AddCommand(reportDeskOpenCommand(), reportDeskReaderCommand(), reportDeskListCommand())
	return c
}

func reportDeskOpenCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "open NAME",
		Short: "Open a desk that takes reports, and read for it",
		Long: "Open a desk. It is named on the report page, unless --unlisted. Who opens it and has a key (polder report key) is its first\n" +
			"reader, unless --no-reader. Nothing can be reported to a desk that nobody reads for.",
		Example: "  polder report key --node https://desk.example\n  polder report desk open --node https://desk.example 'Confidential adviser' --promise 'We call you within a day.'",
		Args:    cobra.ExactArgs(1),
	}
	node := cli.NodeFlags(c)
	var s DeskSettings
	fl := c.Flags()
	fl.StringVar(&s.Alias, "alias", "", "the `alias` in addresses; made from the name without it")
	fl.StringVar((*string)(&s.Kind), "kind", "reports", "what it is for: reports, `team` or pressed")
	unlisted := fl.Bool("unlisted", false, "leave it off the report page; it is reached by its own address only")
	alone := fl.Bool("no-reader", false, "name nobody as its first reader")
	fl.StringVar(&s.Promise, "promise", "", "what happens after a report, as `text`")
	fl.StringVar(&s.Phone, "phone", "", "a telephone `number` for who is in danger now")
	fl.StringVar(&s.Team, "team", "", "the `alias` of the response team's desk that a reporter may let read too")
	fl.BoolVar(&s.Confirmed, "confirmed", false, "of a desk for people who are pressed: its readers are not their employer's")
	cli.JSONFlag(c)
	c.RunE = func(cmd *cobra.Command, args []string) error {
		n, err := node()
		if err != nil {
			return err
		}
		s.Name, s.Listed = args[0], !*unlisted
		var d DeskDetail
		if err := n.Do(cmd.Context(), http.MethodPost, "/api/v1/desks", s, &d); err != nil {
			return err
		}
		if !*alone {
			if d, err = readFirst(cmd.Context(), n, d, s.Confirmed); err != nil {
				return err
			}
		}
		if err := printDesks(cmd, []DeskDetail{d}); err != nil || len(d.Readers) > 0 || cli.Out(cmd).AsJSON() {
			return err
		}
		cli.Out(cmd).Printf("\nNobody reads for it yet. Make a key with polder report key, then name yourself with polder report desk reader %s.\n", d.Alias)
		return nil
	}
	return c
}

// readFirst names who asks as the first reader of a new desk, if there is a key to read with.
func readFirst(ctx context.Context, n *cli.Node, d DeskDetail, confirmed bool) (DeskDetail, error) {
	have, err := reportKeysOf(ctx, n)
	if err == nil && len(have) > 0 {
		err = n.Do(ctx, http.MethodPost, deskReadersPath(d.Alias), DeskReaderPost{Confirmed: confirmed}, &d)
	}
	if err != nil {
		return d, polder.Errorf(polder.KindOf(err), "the desk %s is open, but nobody reads for it yet: %w; name a reader with polder report desk reader %s", d.Alias, err, d.Alias)
	}
	return d, nil
}

// deskReadersPath is where readers of a desk are named.
func deskReadersPath(alias string) string {
	return "/api/v1/desks/" + url.PathEscape(alias) + "/readers"
}

func reportDeskReaderCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "reader ALIAS [PERSON]",
		Short: "Name yourself or a person of your organisation, who has a key, as a reader",
		Long: "Name a reader of a desk: yourself, or the person of an id, which polder report key shows to that person. The first reads at\n" +
			"once; each further one waits until a reader confirms the key (polder report confirm).",
		Example: "  polder report desk reader --node https://desk.example acme\n  polder report desk reader --node https://desk.example acme person--6f0c --name 'Anna de Vries, Acme'",
		Args:    cobra.RangeArgs(1, 2),
	}
	node := cli.NodeFlags(c)
	var in DeskReaderPost
	c.Flags().StringVar(&in.Name, "name", "", "the `name` that reporters read; the person's own without it")
	c.Flags().BoolVar(&in.Confirmed, "confirmed", false, "of a desk for people who are pressed: this is not their employer's person")
	cli.JSONFlag(c)
	c.RunE = func(cmd *cobra.Command, args []string) error {
		n, err := node()
		if err != nil {
			return err
		}
		if len(args) == 2 {
			in.Person = polder.PersonID(args[1])
		}
		var d DeskDetail
		if err := n.Do(cmd.Context(), http.MethodPost, deskReadersPath(args[0]), in, &d); err != nil {
			return err
		}
		return printDesks(cmd, []DeskDetail{d})
	}
	return c
}

func reportDeskListCommand() *cobra.Command {
	c := &cobra.Command{
		Use:     "list",
		Short:   "List the desks of your organisation, with who reads and who waits",
		Example: "  polder report desk list --node https://desk.example",
		Args:    cobra.NoArgs,
	}
	node := cli.NodeFlags(c)
	cli.JSONFlag(c)
	c.RunE = func(cmd *cobra.Command, _ []string) error {
		n, err := node()
		if err != nil {
			return err
		}
		var list reportOwnDesks
		if err := n.Do(cmd.Context(), http.MethodGet, "/api/v1/desks", nil, &list); err != nil {
			return err
		}
		return printDesks(cmd, list.Desks)
	}
	return c
}

func printDesks(cmd *cobra.Command, desks []DeskDetail) error {
	out := cli.Out(cmd)
	var rows [][]string
	for _, d := range desks {
		if out.AsJSON() {
			if err := out.JSON(d); err != nil {
				return err
			}
			continue
		}
		if len(d.Readers) == 0 {
			rows = append(rows, []string{d.Alias, d.Name})
		}
		for _, r := range d.Readers {
			rows = append(rows, []string{d.Alias, d.Name, r.Name, string(r.State), r.Public.Fingerprint(), string(r.Key), string(r.Person)})
		}
	}
	if !out.AsJSON() {
		out.Table([]string{"ALIAS", "DESK", "READER", "STATE", "FINGERPRINT", "KEY", "PERSON"}, rows)
	}
	return nil
}
