package members

import (
	"github.com/spf13/cobra"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/accounts"
	"github.com/polder-exchange/polder/internal/cli"
)

// initAnswer is what polder init prints (rule X25).
type initAnswer struct {
	Org      polder.OrgID `json:"org"`
	Admin    string       `json:"admin"`
	Password string       `json:"password"`
	Token    string       `json:"token"`
}

func (c commands) init() *cobra.Command {
	var name, country string
	cmd := &cobra.Command{
		Use:   "init",
		Short: "Make a new node in an empty folder",
		Long: "Make a new node: the organisation that runs it, its first administrator and an admin token.\n" +
			"The password and the token are printed once and stored nowhere.",
		Example: "  polder init --data node --name 'Acme Optics' --country NL\n  polder init --data node --name 'Acme Optics' --json",
		Args:    cobra.NoArgs,
	}
	dir := cli.DataFlag(cmd)
	cli.JSONFlag(cmd)
	cmd.Flags().StringVar(&name, "name", "", "the `name` of the organisation that runs the node")
	cmd.Flags().StringVar(&country, "country", "", "its country, two `letters` (ISO 3166-1)")
	_ = cmd.MarkFlagRequired("name")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		return c.within(cmd, *dir, true, func(s *Store) error {
			got, err := s.Accounts.Init(cmd.Context(), name, country)
			if err != nil {
				return err
			}
			return printInit(cmd, *dir, got)
		})
	}
	return cmd
}

func printInit(cmd *cobra.Command, dir string, got accounts.Init) error {
	p := cli.Out(cmd)
	if p.AsJSON() {
		return p.JSON(initAnswer{got.Org.ID, got.Admin, got.Password, got.Token})
	}
	p.Printf("A new node for %s is in %s.\n\n", got.Org.Name, dir)
	p.Printf("  organisation  %s\n  log in as     %s\n  password      %s\n  admin token   %s\n\n", string(got.Org.ID), got.Admin, got.Password, got.Token)
	p.Printf("Neither is stored or shown again; the password is changed at the first log-in.\n\n")
	p.Printf("Next: polder serve --data %s\n", dir)
	return nil
}

type orgLine struct {
	ID      polder.OrgID `json:"id"`
	Name    string       `json:"name"`
	Country string       `json:"country,omitempty"`
	Sector  string       `json:"sector,omitempty"`
	Widest  string       `json:"widest_tlp"`
	Home    polder.OrgID `json:"home,omitempty"` // the node where it lives, when that is another
}

func (c commands) org() *cobra.Command {
	return group("org", "Organisations of the node", c.orgAdd(), c.orgList())
}

func (c commands) orgAdd() *cobra.Command {
	var n accounts.NewOrg
	widest := levelFlag{}
	cmd := c.on("add", "Add an organisation", "polder org add --data node --name 'Klepwerk BV' --country NL --sector manufacturing", cobra.NoArgs,
		func(cmd *cobra.Command, s *Store, _ []string) error {
			n.Widest = widest.level
			o, err := s.Accounts.AddOrg(cmd.Context(), accounts.Local(), n)
			if err != nil {
				return err
			}
			return say(cmd, map[string]string{"id": string(o.ID), "name": o.Name}, "%s  %s", string(o.ID), o.Name)
		})
	cmd.Flags().StringVar(&n.Name, "name", "", "its `name`, as others read it")
	cmd.Flags().StringVar(&n.Country, "country", "", "its country, two `letters` (ISO 3166-1)")
	cmd.Flags().StringVar(&n.Sector, "sector", "", "its `sector`, of the STIX vocabulary or a word of its own")
	cmd.Flags().Var(&widest, "widest-tlp", "the widest `level` it may use: clear, green, amber, amber+strict or red")
	_ = cmd.MarkFlagRequired("name")
	return cmd
}

func (c commands) orgList() *cobra.Command {
	return c.on("list", "List the organisations", "polder org list --data node", cobra.NoArgs,
		func(cmd *cobra.Command, s *Store, _ []string) error {
			orgs, err := s.Accounts.Orgs(cmd.Context())
			if err != nil {
				return err
			}
			lines := make([]orgLine, len(orgs))
			for i, o := range orgs {
				lines[i] = orgLine{o.ID, o.Name, o.Country, o.Sector, o.Widest.String(), o.Home}
			}
			return printAll(cmd, lines, "no organisations yet; polder init makes the first", []string{"ID", "NAME", "COUNTRY", "SECTOR", "WIDEST", "HOME"},
				func(l orgLine) []string {
					return []string{string(l.ID), l.Name, orDash(l.Country), orDash(l.Sector), l.Widest, orDash(string(l.Home))}
				})
		})
}
