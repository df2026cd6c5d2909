package members

import (
	"time"

	"github.com/spf13/cobra"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/accounts"
	"github.com/polder-exchange/polder/internal/cli"
)

type tokenLine struct {
	ID      polder.TokenID       `json:"id"`
	Org     polder.OrgID         `json:"org"`
	Role    string               `json:"role"`
	Name    string               `json:"name"`
	Scope   []polder.CommunityID `json:"communities,omitempty"`
	State   string               `json:"state"`
	Expires string               `json:"expires"`
	Used    string               `json:"used"`
}

// tokenState is a token's state at a time, in one word: works, expired or revoked.
func tokenState(t accounts.Token, now time.Time) string {
	switch {
	case !t.Revoked.IsZero():
		return "revoked"
	case !t.Expires.IsZero() && !now.Before(t.Expires):
		return "expired"
	}
	return "works"
}

func (c commands) token() *cobra.Command {
	return group("token", "Tokens, with which programs act", c.tokenCreate(), c.tokenRevoke(), c.tokenList())
}

func (c commands) tokenCreate() *cobra.Command {
	var n accounts.NewToken
	var org, expires string
	var only []string
	role := roleFlag{most: polder.RoleAdmin}
	cmd := c.on("create", "Create a token and print it as JSON, once",
		"polder token create --data node --org identity--1b1a… --role contributor --name 'mail gateway' --expires 90d", cobra.NoArgs,
		func(cmd *cobra.Command, s *Store, _ []string) error {
			at, err := parseExpiry(expires, c.now())
			if err != nil {
				return cli.Usagef("--expires: %w", err)
			}
			o, err := knownOrg(cmd.Context(), s, org)
			if err != nil {
				return err
			}
			n.Org, n.Role, n.Expires = o.ID, role.role, at
			for _, alias := range only {
				com, err := knownCommunity(cmd.Context(), s, alias)
				if err != nil {
					return err
				}
				n.Scope = append(n.Scope, com.ID)
			}
			t, text, err := s.Accounts.CreateToken(cmd.Context(), accounts.Local(), n)
			if err != nil {
				return err
			}
			return cli.Out(cmd).JSON(map[string]string{"id": string(t.ID), "token": text})
		})
	cmd.Flags().StringVar(&org, "org", "", "the `id` of the organisation it acts for")
	cmd.Flags().Var(&role, "role", "reader, contributor, steward or admin")
	cmd.Flags().StringVar(&n.Name, "name", "", "what it is for")
	cmd.Flags().StringVar(&expires, "expires", "", "`when` it ends: 90d, 12h or 2027-01-31; without it never")
	cmd.Flags().StringArrayVar(&only, "community", nil, "limit it to the community with this `alias`; may be given again")
	_ = cmd.MarkFlagRequired("org")
	_ = cmd.MarkFlagRequired("role")
	return cmd
}

func (c commands) tokenRevoke() *cobra.Command {
	return c.on("revoke ID", "End a token, and those it made, at once", "polder token revoke --data node k3vq7d2mwx4a", cobra.ExactArgs(1),
		func(cmd *cobra.Command, s *Store, args []string) error {
			err := s.Accounts.RevokeToken(cmd.Context(), accounts.Local(), polder.TokenID(args[0]))
			if polder.KindOf(err) == polder.NotFound {
				return polder.Errorf(polder.NotFound, "%.80s is not the id of a token of this node; see polder token list", args[0])
			}
			if err != nil {
				return err
			}
			return say(cmd, map[string]string{"id": args[0], "state": "revoked"}, "%s works no more.", args[0])
		})
}

func (c commands) tokenList() *cobra.Command {
	var org string
	cmd := c.on("list", "List the tokens, newest first", "polder token list --data node", cobra.NoArgs,
		func(cmd *cobra.Command, s *Store, _ []string) error {
			if org != "" {
				if _, err := knownOrg(cmd.Context(), s, org); err != nil {
					return err
				}
			}
			tokens, err := s.Accounts.Tokens(cmd.Context(), accounts.Local(), polder.OrgID(org))
			if err != nil {
				return err
			}
			lines := make([]tokenLine, len(tokens))
			for i, t := range tokens {
				lines[i] = tokenLine{t.ID, t.Org, t.Role.String(), t.Name, t.Scope, tokenState(t, c.now()), stamp(t.Expires), stamp(t.Used)}
			}
			return printAll(cmd, lines, "no tokens yet; see polder token create --help", []string{"ID", "NAME", "ROLE", "STATE", "EXPIRES", "USED", "ORGANISATION"},
				func(l tokenLine) []string {
					return []string{string(l.ID), orDash(l.Name), l.Role, l.State, l.Expires, l.Used, string(l.Org)}
				})
		})
	cmd.Flags().StringVar(&org, "org", "", "only of the organisation with this `id`")
	return cmd
}
