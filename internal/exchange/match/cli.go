package match

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/accounts"
	"github.com/polder-exchange/polder/internal/cli"
	"github.com/polder-exchange/polder/internal/seal"
)

func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }

func keyPrint(e Epoch) string { return seal.MatchFingerprint(e.Public) }

// CommandOptions are what the commands need of the program.
type CommandOptions struct {
	// Open opens the sets of a node's folder, whether or not the node serves.
	Open func(ctx context.Context, dir string) (*Service, func() error, error)
	// Config is the folder in which this user keeps settings.
	Config func() (string, error)
	Rand   io.Reader
}

// Commands are match-private and match-set.
func Commands(o CommandOptions) []*cobra.Command {
	set := &cobra.Command{
		Use:     "match-set",
		Short:   "Sets that members of a community may ask privately",
		Example: "  polder match-set publish --data node --org identity--… --community chips --name denials --type party parties.txt\n  polder match-set list --data node",
	}
	set.AddCommand(o.publish(), o.list(), o.remove())
	return []*cobra.Command{o.ask(), set}
}

// on runs fn on the sets of a folder.
func (o CommandOptions) on(cmd *cobra.Command, dir string, fn func(*Service) error) (err error) {
	s, end, err := o.Open(cmd.Context(), dir)
	if err != nil {
		return err
	}
	defer func() {
		if closed := end(); err == nil {
			err = closed
		}
	}()
	return fn(s)
}

func (o CommandOptions) publish() *cobra.Command {
	var n NewSet
	var org, kind string
	var red bool
	c := &cobra.Command{
		Use:   "publish --data DIR --org ID --community ALIAS --name NAME --type T (FILE | --from-red)",
		Short: "Publish a set, or begin its next epoch",
		Long: "Make a set that members of a community may ask with polder match-private, or begin its next epoch with a new key. The set is made\n" +
			"from a file, a value a line, of which nothing but a filter and a key is kept: so publish it again before its epoch ends. With\n" +
			"--from-red it is made of the organisation's own TLP:RED indicators in the community, by the node while it serves, and made anew\n" +
			"when they change. A line that cannot be read is an error, and nothing is published then.\n\n" +
			"Types: ipv4, ipv6, domain, url, email, md5, sha1, sha256, sha512, and party: names of firms and people, equal when they have the same\n" +
			"words in any script or case and with or without a legal form, or identifiers of a register such as lei:5493001KJTIIGC8Y1R12.",
		Example: "  polder match-set publish --data node --org identity--… --community chips --name denials --type party parties.txt\n" +
			"  polder match-set publish --data node --org identity--… --community chips --name seen --type domain --from-red",
		Args: cobra.MaximumNArgs(1),
	}
	dir := cli.DataFlag(c)
	f := c.Flags()
	f.StringVar(&org, "org", "", "the `id` of the organisation whose set it is")
	f.StringVar(&n.Community, "community", "", "the `alias` of the community whose members may ask")
	f.StringVar(&n.Name, "name", "", "the `name` of the set: a-z, 0-9, '-', '_', '.'")
	f.StringVar(&kind, "type", "", "the `type` of its values")
	f.BoolVar(&red, "from-red", false, "make it of the organisation's own TLP:RED indicators")
	f.IntVar(&n.Budget, "budget", 0, "`elements` that an organisation may send in a day (default by type, from 2,000 to 50,000)")
	f.IntVar(&n.Days, "days", 0, "how many `days` an epoch lasts (default 30)")
	for _, name := range []string{"org", "community", "name", "type"} {
		_ = c.MarkFlagRequired(name)
	}
	cli.JSONFlag(c)
	c.RunE = func(cmd *cobra.Command, args []string) (err error) {
		if red == (len(args) == 1) {
			return cli.Usagef("give either a file of values or --from-red")
		}
		if n.Kind, err = ParseKind(kind); err != nil {
			return cli.Usage(err)
		}
		n.Org, n.Source = polder.OrgID(org), FromFile
		if red {
			n.Source = FromRed
		}
		return o.on(cmd, *dir, func(s *Service) error { return publishFile(cmd, s, n, args) })
	}
	return c
}

func publishFile(cmd *cobra.Command, s *Service, n NewSet, args []string) error {
	values := func(yield func(string, error) bool) {}
	var progress func(int)
	if len(args) == 1 {
		file, err := cli.Open(cmd, args[0])
		if err != nil {
			return err
		}
		defer file.Close()
		bar := cli.NewProgress(cmd, "publish", -1)
		defer bar.Done()
		progress = func(done int) { bar.Set(int64(done)) }
		values = func(yield func(string, error) bool) {
			for one, err := range lines(args[0], file, n.Kind) {
				if !yield(one.Value, err) {
					return
				}
			}
		}
	}
	p, err := s.Publish(cmd.Context(), accounts.Local(), n, values, progress)
	if err != nil {
		return err
	}
	out := cli.Out(cmd)
	if out.AsJSON() {
		line := setLine(p.Set, p.Present)
		line.Values = &p.Values
		return out.JSON(line)
	}
	if p.Source == FromRed {
		out.Printf("%s is made of TLP:RED indicators of the type %s while the node serves\n", p.Name, p.Kind)
		return nil
	}
	out.Printf("%s: epoch %d, %d values, size class %d, until %s; key %s\n", p.Name, p.Present.N, p.Values, p.Present.Class, p.Present.Until.Format(time.DateOnly), keyPrint(p.Present))
	return nil
}

// matchSetLine is a set as match-set prints it.
type matchSetLine struct {
	ID        string `json:"id"`
	Name      string `json:"name"`
	Org       string `json:"org"`
	Community string `json:"community"`
	Type      Kind   `json:"type"`
	Source    string `json:"source"`
	Budget    int    `json:"budget"`
	Epoch     uint64 `json:"epoch"`
	Values    *int   `json:"values,omitempty"` // when it is published
	SizeClass int    `json:"size_class,omitempty"`
	KeyPrint  string `json:"key_fingerprint,omitempty"`
	Until     string `json:"until,omitempty"`
}

func setLine(s Set, e Epoch) matchSetLine {
	l := matchSetLine{ID: s.ID, Name: s.Name, Org: string(s.Org), Community: string(s.Community), Type: s.Kind, Source: s.Source, Budget: s.Budget, Epoch: s.Epoch}
	if e.N > 0 {
		l.SizeClass, l.KeyPrint, l.Until = e.Class, keyPrint(e), stamp(e.Until)
	}
	return l
}

func (o CommandOptions) list() *cobra.Command {
	c := &cobra.Command{
		Use: "list --data DIR", Short: "List the sets of a node", Args: cobra.NoArgs,
		Example: "  polder match-set list --data node --json",
	}
	dir := cli.DataFlag(c)
	cli.JSONFlag(c)
	c.RunE = func(cmd *cobra.Command, _ []string) error {
		return o.on(cmd, *dir, func(s *Service) error {
			sets, present, err := s.All(cmd.Context(), accounts.Local())
			if err != nil {
				return err
			}
			out := cli.Out(cmd)
			var rows [][]string
			for i, set := range sets {
				l := setLine(set, present[i])
				if out.AsJSON() {
					if err := out.JSON(l); err != nil {
						return err
					}
					continue
				}
				rows = append(rows, []string{l.Name, string(l.Type), l.Source, fmt.Sprint(l.Epoch), fmt.Sprint(l.SizeClass), fmt.Sprint(l.Budget), l.Until, l.Org})
			}
			out.Table([]string{"NAME", "TYPE", "FROM", "EPOCH", "CLASS", "BUDGET", "UNTIL", "ORGANISATION"}, rows)
			return nil
		})
	}
	return c
}

func (o CommandOptions) remove() *cobra.Command {
	var org, community string
	c := &cobra.Command{
		Use: "remove --data DIR --org ID --community ALIAS NAME", Short: "End a set: its key and filter are erased", Args: cobra.ExactArgs(1),
		Example: "  polder match-set remove --data node --org identity--… --community chips denials",
	}
	dir := cli.DataFlag(c)
	c.Flags().StringVar(&org, "org", "", "the `id` of the organisation whose set it is")
	c.Flags().StringVar(&community, "community", "", "the `alias` of its community")
	_ = c.MarkFlagRequired("org")
	_ = c.MarkFlagRequired("community")
	cli.JSONFlag(c)
	c.RunE = func(cmd *cobra.Command, args []string) error {
		return o.on(cmd, *dir, func(s *Service) error {
			gone, err := s.Remove(cmd.Context(), accounts.Local(), polder.OrgID(org), community, args[0])
			if err != nil {
				return err
			}
			out := cli.Out(cmd)
			if out.AsJSON() {
				return out.JSON(map[string]string{"id": gone.ID, "state": "removed"})
			}
			out.Printf("%s is removed; its key and its filter are erased.\n", gone.Name)
			return nil
		})
	}
	return c
}
