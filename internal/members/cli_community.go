package members

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/accounts"
	"github.com/polder-exchange/polder/internal/cli"
	"github.com/polder-exchange/polder/stix"
)

// longestAgreement bounds what is read of a file; accounts has the exact rule.
const longestAgreement = 1 << 20

// madeCommunity is what polder community add prints (rule X25).
type madeCommunity struct {
	ID    polder.CommunityID `json:"id"`
	Alias string             `json:"alias"`
}

type communityLine struct {
	ID       polder.CommunityID `json:"id"`
	Alias    string             `json:"alias"`
	Name     string             `json:"name"`
	Unmarked string             `json:"unmarked"`
	Members  int                `json:"members"`
}

func (c commands) community() *cobra.Command {
	return group("community", "Communities, and who belongs to them",
		c.communityAdd(), c.communityList(), c.communityJoin(), c.communityLeave(), c.communityAgreement())
}

func (c commands) communityAdd() *cobra.Command {
	var name string
	unmarked := levelFlag{words: map[string]stix.Marking{"refuse": stix.None, "clear": stix.Clear, "green": stix.Green}, help: "refuse, clear, green"}
	cmd := c.on("add", "Add a community and print its id and alias as JSON", "polder community add --data node --name 'Chip supply chain'", cobra.NoArgs,
		func(cmd *cobra.Command, s *Store, _ []string) error {
			com, err := s.Accounts.AddCommunity(cmd.Context(), accounts.Local(), name, unmarked.level)
			if err != nil {
				return err
			}
			return cli.Out(cmd).JSON(madeCommunity{com.ID, com.Alias})
		})
	cmd.Flags().StringVar(&name, "name", "", "its `name`; the alias follows from it")
	cmd.Flags().Var(&unmarked, "unmarked", "what becomes of objects without a TLP `level`: refuse (default), or take as clear or green")
	_ = cmd.MarkFlagRequired("name")
	return cmd
}

func (c commands) communityList() *cobra.Command {
	return c.on("list", "List the communities", "polder community list --data node", cobra.NoArgs,
		func(cmd *cobra.Command, s *Store, _ []string) error {
			all, err := s.Accounts.Communities(cmd.Context())
			if err != nil {
				return err
			}
			lines := make([]communityLine, len(all))
			for i, com := range all {
				members, err := s.Accounts.Members(cmd.Context(), com.ID)
				if err != nil {
					return err
				}
				lines[i] = communityLine{com.ID, com.Alias, com.Name, unmarkedWord(com.Unmarked), len(members)}
			}
			return printAll(cmd, lines, "no communities yet; see polder community add --help", []string{"ALIAS", "NAME", "MEMBERS", "UNMARKED", "ID"},
				func(l communityLine) []string {
					return []string{l.Alias, l.Name, fmt.Sprint(l.Members), l.Unmarked, string(l.ID)}
				})
		})
}

// unmarkedWord is how a community's rule for objects without a level is written in commands.
func unmarkedWord(m stix.Marking) string {
	if m == stix.None {
		return "refuse"
	}
	return m.String()
}

// placeFlags gives a command the community and organisation that it is about.
func placeFlags(cmd *cobra.Command, community, org *string) {
	cmd.Flags().StringVar(community, "community", "", "the `alias` or id of the community")
	cmd.Flags().StringVar(org, "org", "", "the `id` of the organisation")
	_ = cmd.MarkFlagRequired("community")
	_ = cmd.MarkFlagRequired("org")
}

func (c commands) communityJoin() *cobra.Command {
	var community, org string
	role := roleFlag{role: polder.RoleContributor, most: polder.RoleSteward}
	cmd := c.on("join", "Make an organisation a member; this accepts the agreement for it",
		"polder community join --data node --community chips --org identity--1b1a… --role steward", cobra.NoArgs,
		func(cmd *cobra.Command, s *Store, _ []string) error {
			com, o, err := whereAndWho(cmd, s, community, org)
			if err != nil {
				return err
			}
			m, err := s.Accounts.Join(cmd.Context(), accounts.Local(), com.ID, o.ID, role.role)
			if err != nil {
				return err
			}
			return say(cmd, map[string]string{"community": com.Alias, "org": string(o.ID), "role": m.Role.String()},
				"%s is a %s in %s; its agreement counts as accepted on your word.", o.Name, m.Role, com.Name)
		})
	placeFlags(cmd, &community, &org)
	cmd.Flags().Var(&role, "role", "reader, contributor or steward")
	return cmd
}

func (c commands) communityLeave() *cobra.Command {
	var community, org string
	cmd := c.on("leave", "End a membership, and with it sight", "polder community leave --data node --community chips --org identity--1b1a…", cobra.NoArgs,
		func(cmd *cobra.Command, s *Store, _ []string) error {
			com, o, err := whereAndWho(cmd, s, community, org)
			if err != nil {
				return err
			}
			if err := s.Accounts.Leave(cmd.Context(), accounts.Local(), com.ID, o.ID); err != nil {
				return err
			}
			return say(cmd, map[string]string{"community": com.Alias, "org": string(o.ID)}, "%s has left %s and sees it no more.", o.Name, com.Name)
		})
	placeFlags(cmd, &community, &org)
	return cmd
}

func whereAndWho(cmd *cobra.Command, s *Store, community, org string) (polder.Community, polder.Org, error) {
	com, err := knownCommunity(cmd.Context(), s, community)
	if err != nil {
		return com, polder.Org{}, err
	}
	o, err := knownOrg(cmd.Context(), s, org)
	return com, o, err
}

func (c commands) communityAgreement() *cobra.Command {
	var community, file string
	var anew bool
	cmd := c.on("agreement", "Set the agreement of a community from a file, or print it",
		"polder community agreement --data node --community chips\npolder community agreement --data node --community chips --file agreement.md --anew", cobra.NoArgs,
		func(cmd *cobra.Command, s *Store, _ []string) error {
			com, err := knownCommunity(cmd.Context(), s, community)
			if err != nil {
				return err
			}
			if file == "" {
				return printAgreement(cmd, s, com)
			}
			text, err := readText(cmd, file)
			if err != nil {
				return err
			}
			a, err := s.Accounts.SetAgreement(cmd.Context(), accounts.Local(), com.ID, text, anew)
			if err != nil {
				return cli.At(file, 0, err)
			}
			return say(cmd, map[string]any{"community": com.Alias, "version": a.Version}, "Version %d of the agreement of %s holds from now on.", a.Version, com.Name)
		})
	cmd.Flags().StringVar(&community, "community", "", "the `alias` or id of the community")
	cmd.Flags().StringVar(&file, "file", "", "the `file` with the text, - for standard input; without it the text is printed")
	cmd.Flags().BoolVar(&anew, "anew", false, "every member has to accept it before it sees anything again")
	_ = cmd.MarkFlagRequired("community")
	return cmd
}

func printAgreement(cmd *cobra.Command, s *Store, com polder.Community) error {
	a, err := s.Accounts.Agreement(cmd.Context(), com.ID)
	if err != nil {
		return err
	}
	p := cli.Out(cmd)
	if p.AsJSON() {
		return p.JSON(map[string]any{"community": com.Alias, "version": a.Version, "text": a.Text})
	}
	_, err = fmt.Fprintln(p.Raw(), a.Text)
	return err
}

// readText reads a file whole, or says that it is too long.
func readText(cmd *cobra.Command, name string) (string, error) {
	f, err := cli.Open(cmd, name)
	if err != nil {
		return "", err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, longestAgreement+1))
	if err == nil && len(b) > longestAgreement {
		err = polder.Errorf(polder.TooLarge, "it is above 1 MiB; an agreement is a text that people read")
	}
	return string(b), cli.At(name, 0, err)
}
