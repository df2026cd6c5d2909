package keys

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"

	"github.com/spf13/cobra"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/accounts"
	"github.com/polder-exchange/polder/internal/cli"
	"github.com/polder-exchange/polder/internal/db"
	"github.com/polder-exchange/polder/internal/seal"
)

// Opened is the folder of a node, open for these commands; a node may serve from it meanwhile.
type Opened struct {
	Service *Service
	Close   func() error
}

// CommandOptions are what the commands need.
type CommandOptions struct {
	Open         func(ctx context.Context, dir string) (Opened, error)
	Certificates func() Certificates // reads pseudonyms in a file of keys; nil knows none
}

// Commands are `polder keys` and `polder verify`.
func Commands(o CommandOptions) []*cobra.Command {
	c := commands{o}
	group := &cobra.Command{Use: "keys", Short: "The keys with which organisations and the node sign"}
	group.AddCommand(c.show(), c.rotate(), c.revoke(), c.recovery())
	return []*cobra.Command{group, verifyCommand(o.Certificates)}
}

type commands struct{ o CommandOptions }

const orgHelp = "the identity `id` of an organisation, or of the node (default: the organisation that runs the node)"

// on is a command on the folder of a node.
func (c commands) on(cmd *cobra.Command, run func(*cobra.Command, *Service) error) *cobra.Command {
	cmd.Args = cobra.NoArgs
	dir := cli.DataFlag(cmd)
	cli.JSONFlag(cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) (err error) {
		s, err := c.o.Open(cmd.Context(), *dir)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, s.Close()) }()
		return run(cmd, s.Service)
	}
	return cmd
}

func (c commands) show() *cobra.Command {
	var everyone bool
	var org string
	cmd := &cobra.Command{
		Use: "show --data DIR", Short: "Show the keys in force and their fingerprints",
		Long: "Show the keys of the node and of its organisations, with the fingerprints that people compare. With --all those of everybody\n" +
			"that this node knows. What --all --json prints is the file of keys for `polder verify --keys`.",
		Example: "  polder keys show --data node\n  polder keys show --data node --all --json > keys.jsonl",
	}
	cmd.Flags().BoolVar(&everyone, "all", false, "organisations and nodes of others too")
	cmd.Flags().StringVar(&org, "org", "", "only that of this identity `id`")
	return c.on(cmd, func(cmd *cobra.Command, s *Service) error {
		list, err := s.Entries(cmd.Context(), everyone)
		if err != nil {
			return err
		}
		if org != "" {
			list = slices.DeleteFunc(list, func(e Entry) bool { return e.Owner != org })
			if len(list) == 0 {
				return polder.Errorf(polder.NotFound, "--org: no key of %s is known here; see polder keys show --all", org)
			}
		}
		return printEntries(cmd, s, list, everyone && org == "")
	})
}

func printEntries(cmd *cobra.Command, s *Service, list []Entry, whole bool) error {
	p := cli.Out(cmd)
	if !p.AsJSON() {
		rows := make([][]string, len(list))
		for i, e := range list {
			rows[i] = []string{e.Owner, e.Name, e.Key, e.Fingerprint, map[bool]string{true: "yes", false: "no"}[e.Recovery != ""]}
		}
		p.Table([]string{"owner", "name", "key", "fingerprint", "recovery"}, rows)
		return nil
	}
	for _, e := range list {
		if err := p.JSON(e); err != nil {
			return err
		}
	}
	if !whole {
		return nil
	}
	lines, err := s.more(cmd.Context())
	if err != nil {
		return err
	}
	for _, line := range lines {
		if err := p.JSON(line); err != nil {
			return err
		}
	}
	return nil
}

// whose are the owners that a command is about.
func (s *Service) whose(ctx context.Context, org string, all bool) ([]polder.OrgID, error) {
	if org != "" {
		return []polder.OrgID{polder.OrgID(org)}, nil
	}
	if all {
		list, err := s.Entries(ctx, false)
		out := make([]polder.OrgID, len(list))
		for i, e := range list {
			out[i] = polder.OrgID(e.Owner)
		}
		return out, err
	}
	host, err := s.o.Accounts.Host(ctx)
	return []polder.OrgID{host.ID}, err
}

func (c commands) rotate() *cobra.Command {
	cmd := &cobra.Command{
		Use: "rotate --data DIR", Short: "Put another key in the place of the one in force",
		Long: "Put another key in the place of the one in force. What was signed before stays valid, and the old key is taken for seven days\n" +
			"more. Everybody in the organisation's communities learns of it. If the key may be stolen, revoke it instead.",
		Example: "  polder keys rotate --data node\n  polder keys rotate --data node --org identity--…",
	}
	return c.changing(cmd, func(*cobra.Command) Change { return Change{Act: seal.KeyRotate} })
}

func (c commands) revoke() *cobra.Command {
	var ids []string
	cmd := &cobra.Command{
		Use: "revoke --data DIR", Short: "Revoke a key that may be stolen",
		Long: "Revoke the keys that are good now, and put another in their place. What the node and its peers took before stays, marked; what\n" +
			"comes later with a revoked key is refused. Without the key in force (a stolen key may have been changed by the thief),\n" +
			"--recovery names the file with the recovery key, which goes before all others.",
		Example: "  polder keys revoke --data node\n  polder keys revoke --data node --recovery recovery.txt",
	}
	cmd.Flags().StringArrayVar(&ids, "key", nil, "revoke only this key, by `id`; repeatable")
	return c.changing(cmd, func(*cobra.Command) Change {
		want := Change{Act: seal.KeyRevoke}
		for _, id := range ids {
			want.Keys = append(want.Keys, seal.KeyID(id))
		}
		return want
	})
}

// changing is a command that changes keys, by the key in force or a recovery key.
func (c commands) changing(cmd *cobra.Command, want func(*cobra.Command) Change) *cobra.Command {
	var org, recovery string
	var all bool
	f := cmd.Flags()
	f.StringVar(&org, "org", "", orgHelp)
	f.BoolVar(&all, "all", false, "of the node and all its organisations, as after a theft of the node")
	f.StringVar(&recovery, "recovery", "", "a `file` with the recovery key, which signs in place of the key in force")
	cmd.MarkFlagsMutuallyExclusive("org", "all")
	cmd.MarkFlagsMutuallyExclusive("all", "recovery")
	return c.on(cmd, func(cmd *cobra.Command, s *Service) error {
		w := want(cmd)
		if recovery != "" {
			k, err := readRecovery(cmd, recovery)
			if err != nil {
				return err
			}
			w.Recovery = &k
		}
		owners, err := s.whose(cmd.Context(), org, all)
		if err != nil {
			return err
		}
		for _, id := range owners {
			done, err := s.Change(cmd.Context(), accounts.Local(), id, w)
			if err != nil {
				return err
			}
			if err := sayChange(cmd, done); err != nil {
				return err
			}
		}
		return nil
	})
}

// changeLine is a line of `keys rotate --json` and `keys revoke --json`.
type changeLine struct {
	Owner       string       `json:"owner"`
	Act         seal.KeyAct  `json:"act"`
	Statement   int          `json:"statement"`
	Key         string       `json:"key"` // in force now
	Fingerprint string       `json:"fingerprint"`
	Revoked     []seal.KeyID `json:"revoked,omitempty"`
}

func sayChange(cmd *cobra.Command, c seal.Chain) error {
	last := c.Statement(c.Len())
	line := changeLine{Owner: c.Owner(), Act: last.Act, Statement: last.N, Key: string(c.InForce().ID()), Fingerprint: c.InForce().Fingerprint(), Revoked: last.Revoked}
	p := cli.Out(cmd)
	if p.AsJSON() {
		return p.JSON(line)
	}
	for _, id := range line.Revoked {
		p.Printf("revoked %s\n", string(id))
	}
	p.Printf("%s signs with %s, fingerprint %s\n", line.Owner, line.Key, line.Fingerprint)
	return nil
}

func readRecovery(cmd *cobra.Command, file string) (seal.SigningKey, error) {
	f, err := cli.Open(cmd, file)
	if err != nil {
		return seal.SigningKey{}, err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, 64<<10))
	if err != nil {
		return seal.SigningKey{}, cli.At(file, 0, err)
	}
	k, err := seal.ParseRecovery(string(text))
	return k, cli.At(file, 0, err)
}

func (c commands) recovery() *cobra.Command {
	var org, out, old string
	cmd := &cobra.Command{
		Use: "recovery --data DIR", Short: "Make a recovery key, which is kept off the node",
		Long: "Make a recovery key. It is shown once and is stored nowhere: write it down, or give --out FILE, and keep it off the node. With it\n" +
			"a stolen key is revoked even after the thief has changed it. To replace a recovery key, name the old one with --recovery.",
		Example: "  polder keys recovery --data node\n  polder keys recovery --data node --out recovery.txt",
	}
	f := cmd.Flags()
	f.StringVar(&org, "org", "", orgHelp)
	f.StringVar(&out, "out", "", "write it into this new `file`, readable by you alone, instead of showing it")
	f.StringVar(&old, "recovery", "", "a `file` with the recovery key that is replaced")
	return c.on(cmd, func(cmd *cobra.Command, s *Service) error { return makeRecovery(cmd, s, org, out, old) })
}

func makeRecovery(cmd *cobra.Command, s *Service, org, out, old string) (err error) {
	want := Change{Act: seal.KeyRecovery}
	if old != "" {
		k, err := readRecovery(cmd, old)
		if err != nil {
			return err
		}
		want.Recovery = &k
	}
	owners, err := s.whose(cmd.Context(), org, false)
	if err != nil {
		return err
	}
	if want.Fresh, err = s.NewRecovery(); err != nil {
		return err
	}
	text, id := want.Fresh.RecoveryText(), string(want.Fresh.Public().ID())
	if out != "" { // first: what could not be written down must not come into force
		if err := writeNew(out, fmt.Sprintf("# Recovery key of %s, %s\n%s\n", owners[0], id, text)); err != nil {
			return cli.At("--out", 0, err)
		}
		text = ""
	}
	if _, err := s.Change(cmd.Context(), accounts.Local(), owners[0], want); err != nil {
		if out != "" {
			err = errors.Join(err, os.Remove(out)) // it is no key
		}
		return err
	}
	p := cli.Out(cmd)
	if p.AsJSON() {
		return p.JSON(map[string]string{"owner": string(owners[0]), "recovery": id, "key": text, "file": out})
	}
	if text != "" {
		p.Printf("%s\n", text)
		cli.Err(cmd).Printf("This is the recovery key %s. It is shown this once and stored nowhere: keep it off this machine.\n", id)
		return nil
	}
	p.Printf("The recovery key %s is in %s and nowhere else: keep it off this machine.\n", id, out)
	return nil
}

// writeNew writes a file that was not there, readable by its owner alone, onto the disk.
func writeNew(name, text string) error {
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = f.WriteString(text)
	return errors.Join(err, f.Sync(), f.Close(), db.SyncDir(filepath.Dir(name)))
}

// printBuffered has many lines leave in few writes.
func printBuffered(cmd *cobra.Command, run func() error) error {
	w := bufio.NewWriterSize(cmd.OutOrStdout(), 64<<10)
	before := cmd.OutOrStdout()
	cmd.SetOut(w)
	defer cmd.SetOut(before)
	return errors.Join(run(), w.Flush())
}
