package keys

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/accounts"
	"github.com/polder-exchange/polder/internal/cli"
	"github.com/polder-exchange/polder/internal/seal"
)

// OpenedPseudonyms is the folder of a node, open for the commands about pseudonyms.
type OpenedPseudonyms struct {
	Book     *PseudonymBook
	Accounts *accounts.Service
	Close    func() error
}

// PseudonymCommands are `polder pseudonym`.
func PseudonymCommands(open func(ctx context.Context, dir string) (OpenedPseudonyms, error)) []*cobra.Command {
	c := pseudonymCommands{open}
	group := &cobra.Command{
		Use: "pseudonym", Short: "Pseudonyms under which members share without their names",
		Example: "  polder pseudonym list --data node --community chips",
	}
	group.AddCommand(c.list(), c.opening(), c.stopping(), c.renew())
	return []*cobra.Command{group}
}

type pseudonymCommands struct {
	open func(ctx context.Context, dir string) (OpenedPseudonyms, error)
}

// on is a command on the folder of a node, about one community.
func (c pseudonymCommands) on(cmd *cobra.Command, run func(*cobra.Command, OpenedPseudonyms, polder.Community, []string) error) *cobra.Command {
	dir := cli.DataFlag(cmd)
	var community string
	cmd.Flags().StringVar(&community, "community", "", "the `alias` of the community")
	_ = cmd.MarkFlagRequired("community")
	cli.JSONFlag(cmd)
	cmd.RunE = func(cmd *cobra.Command, args []string) (err error) {
		o, err := c.open(cmd.Context(), *dir)
		if err != nil {
			return err
		}
		defer func() {
			if closed := o.Close(); err == nil {
				err = closed
			}
		}()
		com, err := o.Accounts.Community(cmd.Context(), community)
		if err != nil {
			return err
		}
		return run(cmd, o, com, args)
	}
	return cmd
}

// listedPseudonym is a line of `pseudonym list --json`.
type listedPseudonym struct {
	Pseudonym string            `json:"pseudonym"`
	Since     string            `json:"since"` // a day
	State     string            `json:"state"` // certified or stopped
	Stopped   *saidOfPseudonym  `json:"stopped,omitempty"`
	Opened    []saidOfPseudonym `json:"opened,omitempty"`
}

// saidOfPseudonym is what a steward said in public.
type saidOfPseudonym struct {
	By     string `json:"by"` // the steward's organisation
	At     string `json:"at"`
	Reason string `json:"reason"`
}

func saidOf(e seal.PseudonymEntry) saidOfPseudonym { return saidOfPseudonym{e.By, e.Date, e.Reason} }

func (c pseudonymCommands) list() *cobra.Command {
	return c.on(&cobra.Command{
		Use: "list --data DIR --community ALIAS", Short: "List the pseudonyms of a community, and who opened one", Args: cobra.NoArgs,
		Long: "List the pseudonyms that the home of a community has certified, what stewards opened or stopped, and why. Every member reads the\n" +
			"same list. Objects under one pseudonym are of one member; which one, nothing here says.",
		Example: "  polder pseudonym list --data node --community chips --json",
	}, func(cmd *cobra.Command, o OpenedPseudonyms, com polder.Community, _ []string) error {
		all, err := o.Book.List(cmd.Context(), com.ID)
		if err != nil {
			return err
		}
		out := cli.Out(cmd)
		var rows [][]string
		var said []string
		for _, s := range all {
			line := listedPseudonym{Pseudonym: s.ID, Since: s.Since, State: "certified"}
			if s.Stopped != nil {
				said := saidOf(*s.Stopped)
				line.State, line.Stopped = "stopped", &said
			}
			for _, e := range s.Opened {
				line.Opened = append(line.Opened, saidOf(e))
			}
			if out.AsJSON() {
				if err := out.JSON(line); err != nil {
					return err
				}
				continue
			}
			rows = append(rows, []string{line.Pseudonym, line.Since, line.State, fmt.Sprint(len(line.Opened))})
			for _, e := range line.Opened {
				said = append(said, pseudonymSaid(cmd.Context(), o, s.ID, "opened", e))
			}
			if line.Stopped != nil {
				said = append(said, pseudonymSaid(cmd.Context(), o, s.ID, "stopped", *line.Stopped))
			}
		}
		out.Table([]string{"PSEUDONYM", "SINCE", "STATE", "OPENED"}, rows)
		for _, line := range said {
			out.Printf("%s\n", line)
		}
		return nil
	})
}

// pseudonymSaid tells who did what to a pseudonym, when and why, as a person reads it.
func pseudonymSaid(ctx context.Context, o OpenedPseudonyms, pseudonym, did string, e saidOfPseudonym) string {
	by := e.By
	if org, err := o.Accounts.Org(ctx, polder.OrgID(e.By)); err == nil {
		by = org.Name
	}
	return fmt.Sprintf("%s was %s by %s at %s: %s", pseudonym, did, cli.Visible(by), e.At, cli.Visible(e.Reason))
}

// stewarding is a command by which a steward's organisation does something with a pseudonym, for a reason.
func (c pseudonymCommands) stewarding(cmd *cobra.Command, run func(cmd *cobra.Command, o OpenedPseudonyms, com polder.Community, org polder.OrgID, pseudonym, reason string) error) *cobra.Command {
	var org, reason string
	cmd.Args = cobra.ExactArgs(1)
	cmd.Flags().StringVar(&org, "org", "", "the identity `id` of the steward's organisation")
	cmd.Flags().StringVar(&reason, "reason", "", "why; every member of the community reads it")
	_ = cmd.MarkFlagRequired("org")
	_ = cmd.MarkFlagRequired("reason")
	return c.on(cmd, func(cmd *cobra.Command, o OpenedPseudonyms, com polder.Community, args []string) error {
		return run(cmd, o, com, polder.OrgID(org), args[0], reason)
	})
}

func (c pseudonymCommands) opening() *cobra.Command {
	return c.stewarding(&cobra.Command{
		Use: "open --data DIR --community ALIAS --org ID --reason TEXT PSEUDONYM", Short: "Look who is behind a pseudonym, for all to see",
		Long: "Look who is behind a pseudonym. First a line is written into the community's list: who opens, which pseudonym, when and why;\n" +
			"every member reads it. Then the box is opened, with the key of an organisation that was a steward when the pseudonym was made.\n" +
			"Where the community lives on another node, its home is asked when this node talks to it; run the command again then.",
		Example: "  polder pseudonym open --data node --community chips --org identity--… --reason 'shared forged reports on 12 November' pseudonym--…",
	}, func(cmd *cobra.Command, o OpenedPseudonyms, com polder.Community, org polder.OrgID, pseudonym, reason string) error {
		b, err := o.Book.Open(cmd.Context(), accounts.Local(), org, com, pseudonym, reason)
		if err != nil {
			return err
		}
		out := cli.Out(cmd)
		switch {
		case out.AsJSON():
			return out.JSON(b)
		case b.Waits:
			out.Printf("The home of %s is asked to open %s; run this again in a minute.\n", com.Alias, pseudonym)
		default:
			out.Printf("%s is %s (%s). That you opened it stands in the list of %s.\n", pseudonym, b.Name, string(b.Organisation), com.Alias)
		}
		return nil
	})
}

func (c pseudonymCommands) stopping() *cobra.Command {
	return c.stewarding(&cobra.Command{
		Use: "stop --data DIR --community ALIAS --org ID --reason TEXT PSEUDONYM", Short: "Have what comes later under a pseudonym refused",
		Long: "Have what comes later with the signature of a pseudonym refused; what came before stays, marked. The member behind it can begin\n" +
			"another: to shut a member out, open the pseudonym and end its membership.",
		Example: "  polder pseudonym stop --data node --community chips --org identity--… --reason 'its key was published' pseudonym--…",
	}, func(cmd *cobra.Command, o OpenedPseudonyms, com polder.Community, org polder.OrgID, pseudonym, reason string) error {
		waits, err := o.Book.Stop(cmd.Context(), accounts.Local(), org, com, pseudonym, reason)
		if err != nil {
			return err
		}
		out := cli.Out(cmd)
		switch {
		case out.AsJSON():
			return out.JSON(map[string]any{"pseudonym": pseudonym, "state": "stopped", "waits": waits})
		case waits:
			out.Printf("The home of %s is asked to stop %s.\n", com.Alias, pseudonym)
		default:
			out.Printf("%s is stopped.\n", pseudonym)
		}
		return nil
	})
}

func (c pseudonymCommands) renew() *cobra.Command {
	var org string
	cmd := &cobra.Command{
		Use: "renew --data DIR --community ALIAS --org ID", Short: "Begin a fresh pseudonym with the next object", Args: cobra.NoArgs,
		Long: "Begin a fresh pseudonym with the organisation's next object in a community. Nothing says that it is of the same member as the\n" +
			"one before, whose good name stays behind; new versions of objects that the old one signed are still signed by it.",
		Example: "  polder pseudonym renew --data node --community chips --org identity--…",
	}
	cmd.Flags().StringVar(&org, "org", "", "the identity `id` of the organisation")
	_ = cmd.MarkFlagRequired("org")
	return c.on(cmd, func(cmd *cobra.Command, o OpenedPseudonyms, com polder.Community, _ []string) error {
		if _, err := o.Accounts.Org(cmd.Context(), polder.OrgID(org)); err != nil {
			return polder.Errorf(polder.NotFound, "--org: %s is not an organisation of this node; see polder org list", org)
		}
		if err := o.Book.Renew(cmd.Context(), accounts.Local(), polder.OrgID(org), com); err != nil {
			return err
		}
		out := cli.Out(cmd)
		if out.AsJSON() {
			return out.JSON(map[string]string{"community": com.Alias, "state": "renewed"})
		}
		out.Printf("The next object in %s begins a fresh pseudonym.\n", com.Alias)
		return nil
	})
}
