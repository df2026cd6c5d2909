package members

import (
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/accounts"
	"github.com/polder-exchange/polder/internal/audit"
	"github.com/polder-exchange/polder/internal/cli"
)

func (c commands) audit() *cobra.Command {
	return group("audit", "The record of who did what", c.auditVerify(), c.auditList())
}

// verdict is what polder audit verify --json prints.
type verdict struct {
	Entries int64  `json:"entries"`
	Whole   bool   `json:"whole"`
	Wrong   int64  `json:"wrong,omitempty"` // the first wrong entry
	What    string `json:"what,omitempty"`
}

func (c commands) auditVerify() *cobra.Command {
	return c.on("verify", "Check that no entry was changed, taken out or put in", "polder audit verify --data node", cobra.NoArgs,
		func(cmd *cobra.Command, s *Store, _ []string) error {
			total, _, err := s.Audit.Head(cmd.Context())
			if err != nil {
				return err
			}
			bar := cli.NewProgress(cmd, "checking", total)
			n, err := s.Audit.Verify(cmd.Context(), bar.Set)
			bar.Done()
			broken, isBroken := errors.AsType[*audit.Broken](err)
			switch {
			case err != nil && !isBroken:
				return err
			case isBroken && cli.Out(cmd).AsJSON():
				return errors.Join(cli.Out(cmd).JSON(verdict{Entries: n, Wrong: broken.N, What: broken.What}), err)
			case isBroken:
				return err
			}
			return say(cmd, verdict{Entries: n, Whole: true}, "The audit log is whole: %d entries follow from each other.", n)
		})
}

type auditLine struct {
	Time      time.Time          `json:"time"`
	Action    string             `json:"action"`
	Org       polder.OrgID       `json:"org,omitempty"`
	Person    polder.PersonID    `json:"person,omitempty"`
	Token     polder.TokenID     `json:"token,omitempty"`
	Community polder.CommunityID `json:"community,omitempty"`
	Object    string             `json:"object,omitempty"`
	Detail    map[string]string  `json:"detail,omitempty"`
}

// who is the actor in one word.
func (l auditLine) who() string {
	switch {
	case l.Person != "":
		return string(l.Person)
	case l.Token != "":
		return "token " + string(l.Token)
	case l.Org != "":
		return string(l.Org)
	}
	return "the node"
}

func (c commands) auditList() *cobra.Command {
	var action string
	var limit int
	cmd := c.on("list", "List the latest entries that are about no object", "polder audit list --data node\npolder audit list --data node --action token. --json", cobra.NoArgs,
		func(cmd *cobra.Command, s *Store, _ []string) error {
			if limit < 1 || limit > 1000 {
				return cli.Usagef("--limit is a number from 1 to 1000")
			}
			records, err := s.Audit.List(cmd.Context(), audit.Filter{Viewer: accounts.Local(), Action: action, Limit: limit})
			if err != nil {
				return err
			}
			lines := make([]auditLine, len(records))
			for i, r := range records {
				lines[i] = auditLine{r.Time, r.Action, r.Org, r.Person, r.Token, r.Community, r.Object, r.Detail}
			}
			return printAll(cmd, lines, "no entries that match", []string{"TIME", "ACTION", "WHO", "ABOUT"},
				func(l auditLine) []string { return []string{stamp(l.Time), l.Action, l.who(), l.about()} })
		})
	cmd.Flags().StringVar(&action, "action", "", "only this `action`; \"token.\" means all that begin so")
	cmd.Flags().IntVar(&limit, "limit", 100, "at most so `many`")
	return cmd
}

// about is what an entry says beside actor and action, in one line.
func (l auditLine) about() string {
	var parts []string
	for _, p := range []string{l.Object, string(l.Community)} {
		if p != "" {
			parts = append(parts, p)
		}
	}
	for k, v := range l.Detail {
		parts = append(parts, k+"="+v)
	}
	slices.Sort(parts)
	return strings.Join(parts, " ")
}
