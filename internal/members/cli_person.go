package members

import (
	"context"
	"strings"

	"github.com/spf13/cobra"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/accounts"
)

type personLine struct {
	ID         polder.PersonID `json:"id"`
	Org        polder.OrgID    `json:"org"`
	Email      string          `json:"email"`
	Name       string          `json:"name"`
	Role       string          `json:"role"`
	Disabled   bool            `json:"disabled"`
	MustChange bool            `json:"must_change_password"`
}

func lineOf(p accounts.Person) personLine {
	return personLine{p.ID, p.Org, p.Email, p.Name, p.Role.String(), p.Disabled, p.MustChange}
}

func (l personLine) state() string {
	switch {
	case l.Disabled:
		return "disabled"
	case l.MustChange:
		return "not logged in yet"
	}
	return "active"
}

func (c commands) person() *cobra.Command {
	disable := func(ctx context.Context, s *Store, id polder.PersonID) error {
		return s.Accounts.Disable(ctx, accounts.Local(), id)
	}
	enable := func(ctx context.Context, s *Store, id polder.PersonID) error {
		return s.Accounts.Enable(ctx, accounts.Local(), id)
	}
	return group("person", "People of the organisations", c.personAdd(), c.personList(),
		c.personChange("disable", "End a person's access: sessions and tokens end", "disabled", disable),
		c.personChange("enable", "Let a disabled person log in again", "enabled", enable),
		c.personReset(), c.personLink(), c.personUnlink())
}

func (c commands) personAdd() *cobra.Command {
	var n accounts.NewPerson
	var org string
	role := roleFlag{most: polder.RoleAdmin}
	cmd := c.on("add", "Add a person and print the first password",
		"polder person add --data node --org identity--1b1a… --email sanne@klepwerk.example --role steward", cobra.NoArgs,
		func(cmd *cobra.Command, s *Store, _ []string) error {
			o, err := knownOrg(cmd.Context(), s, org)
			if err != nil {
				return err
			}
			n.Org, n.Role = o.ID, role.role
			p, password, err := s.Accounts.AddPerson(cmd.Context(), accounts.Local(), n)
			if err != nil {
				return err
			}
			return say(cmd, map[string]string{"id": string(p.ID), "password": password},
				"%s logs in as %s with the password %s and chooses another then; it is not shown again.", p.Name, p.Email, password)
		})
	cmd.Flags().StringVar(&org, "org", "", "the `id` of the organisation")
	cmd.Flags().StringVar(&n.Email, "email", "", "the e-mail `address`, which is the log-in name")
	cmd.Flags().StringVar(&n.Name, "name", "", "the `name`, as colleagues read it")
	cmd.Flags().Var(&role, "role", "reader, contributor, steward or admin")
	for _, f := range []string{"org", "email", "role"} {
		_ = cmd.MarkFlagRequired(f)
	}
	return cmd
}

func (c commands) personList() *cobra.Command {
	var org string
	cmd := c.on("list", "List the people", "polder person list --data node\npolder person list --data node --org identity--1b1a…", cobra.NoArgs,
		func(cmd *cobra.Command, s *Store, _ []string) error {
			if org != "" {
				if _, err := knownOrg(cmd.Context(), s, org); err != nil {
					return err
				}
			}
			people, err := s.Accounts.People(cmd.Context(), accounts.Local(), polder.OrgID(org))
			if err != nil {
				return err
			}
			lines := make([]personLine, len(people))
			for i, p := range people {
				lines[i] = lineOf(p)
			}
			return printAll(cmd, lines, "nobody yet; see polder person add --help", []string{"ID", "LOG-IN", "NAME", "ROLE", "STATE", "ORGANISATION"},
				func(l personLine) []string {
					return []string{string(l.ID), l.Email, l.Name, l.Role, l.state(), string(l.Org)}
				})
		})
	cmd.Flags().StringVar(&org, "org", "", "only of the organisation with this `id`")
	return cmd
}

// personChange is a command about one person, named by id or log-in name.
func (c commands) personChange(verb, short, done string, change func(context.Context, *Store, polder.PersonID) error) *cobra.Command {
	return c.on(verb+" PERSON", short, "polder person "+verb+" --data node sanne@klepwerk.example", cobra.ExactArgs(1),
		func(cmd *cobra.Command, s *Store, args []string) error {
			p, err := findPerson(cmd.Context(), s, args[0])
			if err != nil {
				return err
			}
			if err := change(cmd.Context(), s, p.ID); err != nil {
				return err
			}
			return say(cmd, map[string]string{"id": string(p.ID), "state": done}, "%s is %s.", p.Email, done)
		})
}

func (c commands) personReset() *cobra.Command {
	return c.on("reset-password PERSON", "Print a new password, to be changed at the next log-in",
		"polder person reset-password --data node sanne@klepwerk.example", cobra.ExactArgs(1),
		func(cmd *cobra.Command, s *Store, args []string) error {
			p, err := findPerson(cmd.Context(), s, args[0])
			if err != nil {
				return err
			}
			password, err := s.Accounts.ResetPassword(cmd.Context(), accounts.Local(), p.ID)
			if err != nil {
				return err
			}
			return say(cmd, map[string]string{"id": string(p.ID), "password": password},
				"%s logs in with the password %s and chooses another then; it is not shown again.", p.Email, password)
		})
}

// findPerson finds somebody by id or log-in name.
func findPerson(ctx context.Context, s *Store, name string) (accounts.Person, error) {
	people, err := s.Accounts.People(ctx, accounts.Local(), "")
	if err != nil {
		return accounts.Person{}, err
	}
	for _, p := range people {
		if string(p.ID) == name || strings.EqualFold(p.Email, strings.TrimSpace(name)) {
			return p, nil
		}
	}
	return accounts.Person{}, polder.Errorf(polder.NotFound, "%.80s is nobody on this node; see polder person list", name)
}
