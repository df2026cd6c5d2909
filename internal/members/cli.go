package members

import (
	"context"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/accounts"
	"github.com/polder-exchange/polder/internal/audit"
	"github.com/polder-exchange/polder/internal/cli"
	"github.com/polder-exchange/polder/internal/db"
	"github.com/polder-exchange/polder/stix"
)

// Store is the part of a node's folder that these commands use. A node may serve from the folder meanwhile.
type Store struct {
	Accounts *accounts.Service
	Audit    *audit.Log
	DB       *db.DB
	Close    func() error
}

// Opener opens the folder of a node. With create it makes one where there is none; without, a folder that holds no node
// is an error that says so.
type Opener func(ctx context.Context, dir string, create bool) (*Store, error)

// Commands are the commands of this capability: init, org, person, community, token, audit. Who can run them on the
// node's folder is its administrator.
func Commands(open Opener) []*cobra.Command {
	c := commands{open: open, now: time.Now}
	return []*cobra.Command{c.init(), c.org(), c.person(), c.community(), c.token(), c.audit()}
}

type commands struct {
	open Opener
	now  func() time.Time
}

// on is a command that works on the folder of a node.
func (c commands) on(use, short, example string, args cobra.PositionalArgs, run func(*cobra.Command, *Store, []string) error) *cobra.Command {
	cmd := &cobra.Command{Use: use, Short: short, Example: "  " + strings.ReplaceAll(example, "\n", "\n  "), Args: args}
	dir := cli.DataFlag(cmd)
	cli.JSONFlag(cmd)
	cmd.RunE = func(cmd *cobra.Command, given []string) error {
		return c.within(cmd, *dir, false, func(s *Store) error { return run(cmd, s, given) })
	}
	return cmd
}

func (c commands) within(cmd *cobra.Command, dir string, create bool, fn func(*Store) error) (err error) {
	s, err := c.open(cmd.Context(), dir, create)
	if err != nil {
		return err
	}
	defer func() {
		if closed := s.Close(); err == nil {
			err = closed
		}
	}()
	return fn(s)
}

// group is a command that only holds others.
func group(use, short string, sub ...*cobra.Command) *cobra.Command {
	cmd := &cobra.Command{Use: use, Short: short}
	cmd.AddCommand(sub...)
	return cmd
}

// say prints v as JSON when that was asked for, and the sentence otherwise.
func say(cmd *cobra.Command, v any, format string, args ...any) error {
	p := cli.Out(cmd)
	if p.AsJSON() {
		return p.JSON(v)
	}
	p.Printf(format+"\n", args...)
	return nil
}

// printAll prints rows as a table, or one JSON line each. Nothing at all is said on standard error.
func printAll[T any](cmd *cobra.Command, rows []T, none string, heading []string, cells func(T) []string) error {
	p := cli.Out(cmd)
	if p.AsJSON() {
		for _, r := range rows {
			if err := p.JSON(r); err != nil {
				return err
			}
		}
		return nil
	}
	if len(rows) == 0 {
		cli.Err(cmd).Printf("%s\n", none)
		return nil
	}
	table := make([][]string, len(rows))
	for i, r := range rows {
		table[i] = cells(r)
	}
	p.Table(heading, table)
	return nil
}

// roleFlag reads a role.
type roleFlag struct {
	role polder.Role
	most polder.Role
}

func (f *roleFlag) Type() string { return "role" }

func (f *roleFlag) String() string {
	if f.role == polder.RoleNone {
		return ""
	}
	return f.role.String()
}

func (f *roleFlag) Set(s string) error {
	r, err := polder.ParseRole(s)
	if err != nil {
		return err
	}
	if r > f.most {
		return polder.Errorf(polder.Invalid, "a member is a reader, contributor or steward; %s is a role of the node", s)
	}
	f.role = r
	return nil
}

// levelFlag reads a TLP level that is one of a few.
type levelFlag struct {
	level stix.Marking
	words map[string]stix.Marking // what may be written; nil is every level
	help  string                  // the words, for an error
}

func (f *levelFlag) Type() string   { return "level" }
func (f *levelFlag) String() string { return f.level.String() }

func (f *levelFlag) Set(s string) error {
	if f.words != nil {
		m, ok := f.words[s]
		if !ok {
			return polder.Errorf(polder.Invalid, "use one of %s", f.help)
		}
		f.level = m
		return nil
	}
	m, err := stix.ParseMarking(s)
	if err != nil || m == stix.None {
		return polder.Errorf(polder.Invalid, "use one of clear, green, amber, amber+strict, red")
	}
	f.level = m
	return nil
}

// knownOrg refuses an organisation that is not one of the node.
func knownOrg(ctx context.Context, s *Store, id string) (polder.Org, error) {
	o, err := s.Accounts.Org(ctx, polder.OrgID(id))
	if polder.KindOf(err) == polder.NotFound {
		err = polder.Errorf(polder.NotFound, "--org: %.80s is not an organisation of this node; see polder org list", id)
	}
	return o, err
}

// knownCommunity finds a community by its alias or id.
func knownCommunity(ctx context.Context, s *Store, alias string) (polder.Community, error) {
	c, err := s.Accounts.Community(ctx, alias)
	if polder.KindOf(err) == polder.NotFound {
		err = polder.Errorf(polder.NotFound, "--community: %.80s is not a community of this node; see polder community list", alias)
	}
	return c, err
}

// stamp writes a time for a list: RFC 3339 in UTC to the second, "-" for none.
func stamp(t time.Time) string {
	if t.IsZero() {
		return "-"
	}
	return t.UTC().Format(time.RFC3339)
}

func orDash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}
