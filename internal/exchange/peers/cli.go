package peers

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/cli"
)

// CommandOptions are what the commands need of the program.
type CommandOptions struct {
	Open func(ctx context.Context, dir string) (*Opened, error) // the links in a node's folder
}

// Opened are the links of a folder, in which a node may serve.
type Opened struct {
	*Service
	By    polder.Actor // the administrator at the machine
	URL   string       // of this node, as its configuration says
	Close func() error
}

type commands struct{ o CommandOptions }

// Command is `polder peer`.
func Command(o CommandOptions) *cobra.Command {
	c := commands{o}
	cmd := &cobra.Command{
		Use:   "peer",
		Short: "Links to other nodes",
		Long: "A community has one home, the node on which it was made. Another node joins it for one of its organisations: the home invites,\n" +
			"the other accepts, and people compare the two fingerprints by a way of their own. Until the home has confirmed the other's\n" +
			"fingerprint only TLP:CLEAR and TLP:GREEN flow.",
	}
	cmd.AddCommand(c.invite(), c.accept(), c.list(), c.confirm(), c.pause(), c.resume(), c.remove(), c.limit(), c.refused(), c.taxii())
	return cmd
}

// on is a command on the folder of a node.
func (c commands) on(use, short, example string, args cobra.PositionalArgs, run func(*cobra.Command, *Opened, []string) error) *cobra.Command {
	cmd := &cobra.Command{Use: use, Short: short, Example: "  " + strings.ReplaceAll(example, "\n", "\n  "), Args: args}
	dir := cli.DataFlag(cmd)
	cli.JSONFlag(cmd)
	cmd.RunE = func(cmd *cobra.Command, given []string) (err error) {
		s, err := c.o.Open(cmd.Context(), *dir)
		if err != nil {
			return err
		}
		defer func() {
			if closed := s.Close(); err == nil {
				err = closed
			}
		}()
		return run(cmd, s, given)
	}
	return cmd
}

func (c commands) invite() *cobra.Command {
	var community, url, role, org, expires string
	cmd := c.on("invite --data DIR --community ALIAS", "Invite another node to a community of this one", "polder peer invite --data node --community chips\npolder peer invite --data node --community chips --url https://hub.example --expires 2d --json",
		cobra.NoArgs, func(cmd *cobra.Command, s *Opened, _ []string) error {
			n := NewInvitation{Community: community, URL: url, Org: polder.OrgID(org)}
			if n.URL == "" {
				n.URL = s.URL
			}
			var err error
			if n.Role, err = polder.ParseRole(role); err != nil {
				return cli.Usagef("--role: %v", err)
			}
			if n.Life, err = lifetime(expires); err != nil {
				return cli.Usagef("--expires: %v", err)
			}
			inv, err := s.Invite(cmd.Context(), s.By, n)
			if err != nil {
				return err
			}
			warnReach(cmd, inv.URL)
			p := cli.Out(cmd)
			if p.AsJSON() {
				return p.JSON(struct {
					Invitation  string `json:"invitation"`
					Expires     string `json:"expires"`
					Fingerprint string `json:"fingerprint"`
				}{inv.String(), time.Unix(inv.Expires, 0).UTC().Format(time.RFC3339), inv.Fingerprint()})
			}
			p.Printf("%s\n", inv.String())
			cli.Err(cmd).Printf("It works once, until %s. Whoever has the line can use it: send it to one person, and read them this node's fingerprint another way:\n%s\n", time.Unix(inv.Expires, 0).UTC().Format(time.RFC3339), inv.Fingerprint())
			return nil
		})
	f := cmd.Flags()
	f.StringVar(&community, "community", "", "the `alias` of the community")
	f.StringVar(&url, "url", "", "the `address` under which the other node reaches this one (default: public_url, or where this node listens)")
	f.StringVar(&role, "role", "contributor", "what it will be: reader, contributor or steward")
	f.StringVar(&org, "org", "", "the only organisation that may use it, by its identity `id`")
	f.StringVar(&expires, "expires", "7d", "how long it can be used, as 12h or 7d; at most 90d")
	_ = cmd.MarkFlagRequired("community")
	return cmd
}

// warnReach says when another machine would not get to the address that an invitation names.
func warnReach(cmd *cobra.Command, url string) {
	switch far, _ := reachOf(url); far { // the invitation was made, so it is an address
	case fromHere:
		cli.Err(cmd).Printf("The line names %s, which only this machine reaches. For a node on another one give --url https://…, or set public_url in polder.yaml.\n", url)
	case fromInside:
		cli.Err(cmd).Printf("The line names %s without TLS. The other node refuses it unless its polder.yaml has that network in peers: allow_networks; better give --url https://….\n", url)
	}
}

// lifetime reads hours or days.
func lifetime(s string) (time.Duration, error) {
	unit := map[string]time.Duration{"h": time.Hour, "d": 24 * time.Hour}
	if len(s) > 1 {
		n, err := strconv.Atoi(s[:len(s)-1])
		if of, ok := unit[s[len(s)-1:]]; err == nil && ok && n > 0 && n <= 2400 {
			return time.Duration(n) * of, nil
		}
	}
	return 0, fmt.Errorf("%q is no time such as 12h or 7d", s)
}

func (c commands) accept() *cobra.Command {
	var org, alias string
	var yes bool
	cmd := c.on("accept --data DIR INVITATION", "Join a community of another node", "polder peer accept --data node polder-invite-1:eyJ1cmwi…\npolder peer accept --data node --org identity--… --as chips-nl --yes polder-invite-1:eyJ1cmwi…",
		cobra.ExactArgs(1), func(cmd *cobra.Command, s *Opened, args []string) error {
			a := Acceptance{Line: args[0], Org: polder.OrgID(org), Alias: alias}
			if !yes && asksSomebody(cmd) {
				a.Agree = func(t Terms) error { return agree(cmd, t) }
			}
			got, err := s.Accept(cmd.Context(), s.By, a)
			if err != nil {
				return err
			}
			p := cli.Out(cmd)
			if p.AsJSON() {
				return p.JSON(got)
			}
			p.Printf("Joined %s at %s. Here it is called %s.\n", got.CommunityName, got.Name, got.Alias)
			p.Printf("Fingerprint of %s: %s\nFingerprint of this node: %s\n", got.Name, got.Fingerprint, got.OwnFingerprint)
			if !got.Confirmed {
				p.Printf("Only TLP:CLEAR and TLP:GREEN flow until the people of %s have compared the second one with you and run:\n  polder peer confirm --data DIR %s '%s'\n", got.Name, got.Link, got.OwnFingerprint)
			}
			return nil
		})
	f := cmd.Flags()
	f.StringVar(&org, "org", "", "for which organisation of this node, by its identity `id` (default: the one that runs it)")
	f.StringVar(&alias, "as", "", "the `alias` of the community on this node")
	f.BoolVar(&yes, "yes", false, "the fingerprint was compared and the agreement is accepted; do not ask (a script is never asked)")
	return cmd
}

// asksSomebody tells whether a person sits at the terminal. A script has decided already: the line that it was given holds
// the key that the other node has to prove.
func asksSomebody(cmd *cobra.Command) bool {
	f, is := cmd.InOrStdin().(*os.File)
	return is && term.IsTerminal(int(f.Fd()))
}

// agree shows what is agreed to and asks; without somebody who answers it is a no.
func agree(cmd *cobra.Command, t Terms) error {
	e := cli.Err(cmd)
	e.Printf("%s at %s invites %s to the community %s, as a %s.\nIts fingerprint, to be compared with its people: %s\n\nThe agreement of the community:\n", t.Home, t.URL, t.Org.Name, t.Community, t.Role, t.Fingerprint)
	for line := range strings.SplitSeq(t.Agreement, "\n") {
		e.Printf("  %s\n", line)
	}
	e.Printf("Is the fingerprint right, and do you accept the agreement for %s? [y/N] ", t.Org.Name)
	line, err := bufio.NewReader(io.LimitReader(cmd.InOrStdin(), 100)).ReadString('\n')
	if err != nil && err != io.EOF {
		return err
	}
	if answer := strings.ToLower(strings.TrimSpace(line)); answer != "y" && answer != "yes" {
		return polder.Errorf(polder.Conflict, "nothing was joined; answer y, or give --yes once the fingerprint was compared")
	}
	return nil
}

// linkLine is a link as `polder peer list --json` prints it.
type linkLine struct {
	ID          string       `json:"id"`
	Peer        polder.OrgID `json:"peer"`
	Name        string       `json:"name"`
	URL         string       `json:"url,omitempty"`
	Community   string       `json:"community"` // aliases here, with commas between
	Org         polder.OrgID `json:"org"`
	Direction   string       `json:"direction"` // out: this node dials; in: the peer does
	State       string       `json:"state"`
	Detail      string       `json:"detail,omitempty"`
	Confirmed   bool         `json:"confirmed"`
	Fingerprint string       `json:"fingerprint"`
	Contact     string       `json:"last_contact,omitempty"`
	Behind      int          `json:"behind"`
	Lag         float64      `json:"behind_seconds"`
	Quarantined int          `json:"quarantined"`
	Rate        int64        `json:"rate"`
	Bytes       int64        `json:"bytes_per_day"`
}

func (s *Service) line(ctx context.Context, l Link) linkLine {
	out := linkLine{
		ID: l.ID, Peer: l.Peer, Name: l.Name, URL: l.URL, Community: aliasesOf(l), Org: l.Org, Direction: l.Direction(), State: l.Standing(), Detail: l.Why(), Confirmed: l.Compared(), Fingerprint: s.Fingerprint(ctx, l),
		Behind: l.Behind, Lag: l.Lag.Seconds(), Quarantined: l.Quarantined, Rate: l.Rate, Bytes: l.Bytes,
	}
	if out.Rate == 0 {
		out.Rate = DefaultRate
	}
	if out.Bytes == 0 {
		out.Bytes = DefaultBytes
	}
	if !l.Contact.IsZero() {
		out.Contact = l.Contact.Format(time.RFC3339)
	}
	return out
}

func (c commands) list() *cobra.Command {
	return c.on("list --data DIR", "The links of this node, and how far each has come", "polder peer list --data node\npolder peer list --data node --json", cobra.NoArgs, func(cmd *cobra.Command, s *Opened, _ []string) error {
		all, err := s.Links(cmd.Context(), s.By)
		if err != nil {
			return err
		}
		p := cli.Out(cmd)
		var rows [][]string
		for _, l := range all {
			one := s.line(cmd.Context(), l)
			if p.AsJSON() {
				if err := p.JSON(one); err != nil {
					return err
				}
				continue
			}
			confirmed := "confirmed"
			if !one.Confirmed {
				confirmed = "not confirmed"
			}
			contact := one.Contact
			if contact == "" {
				contact = "never"
			}
			state := one.State
			if one.Detail != "" {
				state += ": " + one.Detail
			}
			rows = append(rows, []string{one.ID, one.Name, one.Community, one.Direction, state, confirmed, one.Fingerprint, contact, fmt.Sprintf("%d, %.0f s", one.Behind, one.Lag), strconv.Itoa(one.Quarantined)})
		}
		servers, err := s.TAXIIServers(cmd.Context(), s.By)
		if err != nil {
			return err
		}
		if !p.AsJSON() && len(rows)+len(servers) == 0 {
			cli.Err(cmd).Printf("This node has no links.\n")
			return nil
		}
		if len(servers) > 0 {
			if err := c.printTAXII(cmd, s, servers); err != nil {
				return err
			}
		}
		if len(rows) == 0 {
			return nil
		}
		p.Table([]string{"LINK", "PEER", "COMMUNITY", "DIRECTION", "STATE", "FINGERPRINT IS", "FINGERPRINT", "LAST CONTACT", "BEHIND", "REFUSED"}, rows)
		return nil
	})
}

// one is a command on one link that prints it afterwards.
func (c commands) one(use, short, example string, args cobra.PositionalArgs, run func(*cobra.Command, *Opened, []string) error) *cobra.Command {
	return c.on(use, short, example, args, func(cmd *cobra.Command, s *Opened, given []string) error {
		before, err := s.Link(cmd.Context(), s.By, given[0])
		if err != nil {
			return err
		}
		given[0] = before.ID
		if err := run(cmd, s, given); err != nil {
			return err
		}
		l, err := s.Link(cmd.Context(), s.By, before.ID)
		if err != nil {
			return err
		}
		p := cli.Out(cmd)
		if p.AsJSON() {
			return p.JSON(s.line(cmd.Context(), l))
		}
		p.Printf("%s  %s  %s\n", l.ID, l.Name, l.Standing())
		return nil
	})
}

func (c commands) confirm() *cobra.Command {
	return c.one("confirm --data DIR LINK FINGERPRINT", "Confirm that the peer's people read out this fingerprint", "polder peer confirm --data node k3j4h5… '01234 56789 01234 56789 01234 56789'", cobra.MinimumNArgs(2), func(cmd *cobra.Command, s *Opened, args []string) error {
		return s.Confirm(cmd.Context(), s.By, args[0], strings.Join(args[1:], " "))
	})
}

func (c commands) pause() *cobra.Command {
	return c.one("pause --data DIR LINK", "Let nothing flow over a link until it is resumed", "polder peer pause --data node k3j4h5…", cobra.ExactArgs(1), func(cmd *cobra.Command, s *Opened, args []string) error {
		return s.Pause(cmd.Context(), s.By, args[0])
	})
}

func (c commands) resume() *cobra.Command {
	return c.one("resume --data DIR LINK", "Have a link go on that was paused, or that stopped by itself", "polder peer resume --data node k3j4h5…", cobra.ExactArgs(1), func(cmd *cobra.Command, s *Opened, args []string) error {
		return s.Resume(cmd.Context(), s.By, args[0])
	})
}

func (c commands) remove() *cobra.Command {
	return c.one("remove --data DIR LINK", "End a link: cut the peer off, or leave the home", "polder peer remove --data node k3j4h5…", cobra.ExactArgs(1), func(cmd *cobra.Command, s *Opened, args []string) error {
		return s.Remove(cmd.Context(), s.By, args[0])
	})
}

func (c commands) limit() *cobra.Command {
	var rate, bytes int64
	cmd := c.one("limit --data DIR LINK", "Set how much may come over a link", "polder peer limit --data node --rate 500 --bytes-per-day 1000000000 k3j4h5…\npolder peer limit --data node --rate 0 k3j4h5…", cobra.ExactArgs(1), func(cmd *cobra.Command, s *Opened, args []string) error {
		l, err := s.Link(cmd.Context(), s.By, args[0])
		if err != nil {
			return err
		}
		if !cmd.Flags().Changed("rate") {
			rate = l.Rate
		}
		if !cmd.Flags().Changed("bytes-per-day") {
			bytes = l.Bytes
		}
		return s.Limit(cmd.Context(), s.By, args[0], rate, bytes)
	})
	cmd.Flags().Int64Var(&rate, "rate", 0, fmt.Sprintf("deliveries a second; 0 is the default, %d", DefaultRate))
	cmd.Flags().Int64Var(&bytes, "bytes-per-day", 0, fmt.Sprintf("bytes a day; 0 is the default, %d", int64(DefaultBytes)))
	return cmd
}

func (c commands) refused() *cobra.Command {
	return c.on("refused --data DIR LINK", "What was refused over a link, the newest first", "polder peer refused --data node k3j4h5…", cobra.ExactArgs(1), func(cmd *cobra.Command, s *Opened, args []string) error {
		l, err := s.Link(cmd.Context(), s.By, args[0])
		if err != nil {
			return err
		}
		all, err := s.Quarantine(cmd.Context(), s.By, l.ID)
		if err != nil {
			return err
		}
		if len(all) == 0 {
			cli.Err(cmd).Printf("Nothing was refused.\n")
		}
		p := cli.Out(cmd)
		var rows [][]string
		for _, r := range all {
			if p.AsJSON() {
				if err := p.JSON(r); err != nil {
					return err
				}
				continue
			}
			rows = append(rows, []string{r.At.Format(time.RFC3339), r.ID, r.Reason})
		}
		p.Table([]string{"AT", "OBJECT", "REASON"}, rows)
		return nil
	})
}
