package members

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/accounts"
)

// personLink lets the administrator say who somebody is at a provider: the page that a stranger is shown names the
// issuer and the subject.
func (c commands) personLink() *cobra.Command {
	return c.personIdentity("link", "Let somebody log in by an account at a provider of OpenID Connect", "linked",
		func(ctx context.Context, s *Store, p polder.PersonID, id accounts.Identity) error {
			return s.Accounts.LinkIdentity(ctx, accounts.Local(), p, id)
		})
}

func (c commands) personUnlink() *cobra.Command {
	return c.personIdentity("unlink", "Take an account at a provider from somebody", "unlinked",
		func(ctx context.Context, s *Store, p polder.PersonID, id accounts.Identity) error {
			return s.Accounts.UnlinkIdentity(ctx, accounts.Local(), p, id)
		})
}

func (c commands) personIdentity(verb, short, done string, change func(context.Context, *Store, polder.PersonID, accounts.Identity) error) *cobra.Command {
	var id accounts.Identity
	cmd := c.on(verb+" PERSON", short, "polder person "+verb+" --data node --issuer https://id.example --subject 248289761001 sanne@klepwerk.example", cobra.ExactArgs(1),
		func(cmd *cobra.Command, s *Store, args []string) error {
			p, err := findPerson(cmd.Context(), s, args[0])
			if err != nil {
				return err
			}
			if err := change(cmd.Context(), s, p.ID, id); err != nil {
				return err
			}
			return say(cmd, map[string]string{"id": string(p.ID), "state": done}, "%s at %s is %s: %s.", p.Email, id.Issuer, done, id.Subject)
		})
	cmd.Flags().StringVar(&id.Issuer, "issuer", "", "the `address` of the provider, exactly as polder.yaml names it")
	cmd.Flags().StringVar(&id.Subject, "subject", "", "what the provider calls the person: its `sub`, never an e-mail address")
	for _, f := range []string{"issuer", "subject"} {
		_ = cmd.MarkFlagRequired(f)
	}
	return cmd
}
