package node

import (
	"bufio"
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"time"

	"filippo.io/age"
	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/accounts"
	"github.com/polder-exchange/polder/internal/audit"
	"github.com/polder-exchange/polder/internal/backup"
	"github.com/polder-exchange/polder/internal/cli"
	"github.com/polder-exchange/polder/internal/db"
	"github.com/polder-exchange/polder/internal/journal"
	"github.com/polder-exchange/polder/internal/screen"
)

// keys are how a backup is locked and opened.
type keys struct {
	recipients []string // age1…
	identity   string   // a file with AGE-SECRET-KEY-1…
	passphrase string   // a file with a passphrase
}

func (k *keys) passphraseFlag(c *cobra.Command) {
	c.Flags().StringVar(&k.passphrase, "passphrase-file", "", "a `file` whose first line is the passphrase (or POLDER_PASSPHRASE; asked for on a terminal)")
}

func backupCommand() *cobra.Command {
	var k keys
	c := &cobra.Command{
		Use:   "backup --data DIR FILE",
		Short: "Write an encrypted backup of a node, which may be serving",
		Long: "Write an encrypted backup of a node: everything acknowledged before it began is in it. The node may serve meanwhile.\n" +
			"It is locked for one or more age recipients, or with a passphrase. Never copy polder.db alone: what stands in the files\n" +
			"beside it would be missing. FILE may be - for standard output.",
		Example: "  polder backup --data /var/lib/polder --recipient age1… monday.backup\n  polder backup --data node --passphrase-file pass.txt - | ssh vault 'cat > monday.backup'",
		Args:    cobra.ExactArgs(1),
	}
	dir := cli.DataFlag(c)
	c.Flags().StringArrayVar(&k.recipients, "recipient", nil, "an age `recipient` who can open it; repeatable")
	k.passphraseFlag(c)
	cli.JSONFlag(c)
	c.RunE = func(cmd *cobra.Command, args []string) error {
		recipients, err := k.lock(cmd)
		if err != nil {
			return err
		}
		return writeBackup(cmd, *dir, args[0], recipients)
	}
	return c
}

// writeBackup writes beside the file and renames when it is whole.
func writeBackup(cmd *cobra.Command, dir, file string, recipients []age.Recipient) (err error) {
	s, err := OpenStore(cmd.Context(), dir, false)
	if err != nil {
		return err
	}
	defer s.Close()
	out, done := io.WriteCloser(nopCloser{cmd.OutOrStdout()}), func() error { return nil }
	if file != "-" {
		f, err := os.OpenFile(file+".part", os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
		if err != nil {
			return cli.At(file+".part", 0, fmt.Errorf("%w; is another backup writing it?", err))
		}
		defer os.Remove(file + ".part")
		out, done = f, func() error {
			return errors.Join(f.Sync(), f.Close(), os.Rename(file+".part", file), db.SyncDir(filepath.Dir(file)))
		}
	}
	bar := cli.NewProgress(cmd, "bytes", -1)
	src := backup.Sources{
		Databases: []backup.Database{{Name: databaseFile, DB: s.DB, Describe: describe}},
		Dir:       dir, Files: []string{"polder.yaml", blobFolder, screen.ListsDir}, Progress: bar.Set,
	}
	err = backup.Backup(cmd.Context(), src, out, recipients, backup.Manifest{Version: cli.Version(), Created: time.Now().UTC()})
	bar.Done()
	if err != nil {
		return err
	}
	if err := done(); err != nil {
		return err
	}
	if file != "-" {
		cli.Err(cmd).Printf("%s is written; check it with: polder restore --check %s\n", file, file)
	}
	return nil
}

type nopCloser struct{ io.Writer }

func (nopCloser) Close() error { return nil }

// describe adds to the manifest what the copy of the database holds.
func describe(ctx context.Context, path string, m *backup.Manifest) (err error) {
	d, err := db.Open(ctx, path, db.Options{})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.Close()) }()
	if m.Lineage, m.Seq, err = journal.Describe(ctx, d.Read()); err != nil {
		return err
	}
	n, hash, err := audit.New(d, time.Now).Head(ctx)
	m.AuditN, m.AuditHash = n, hex.EncodeToString(hash[:])
	return err
}

func restoreCommand() *cobra.Command {
	var k keys
	var check bool
	c := &cobra.Command{
		Use:   "restore [--data DIR] FILE",
		Short: "Make a node of a backup, in an empty folder, or check a backup",
		Long: "Make a node of a backup. The folder must be empty or not exist yet. The restored node goes on with numbers above all that\n" +
			"were handed out before, so no reader misses or doubles anything. --check reads the whole backup and writes nothing.",
		Example: "  polder restore --data /var/lib/polder --identity key.txt monday.backup\n  polder restore --check --passphrase-file pass.txt monday.backup",
		Args:    cobra.ExactArgs(1),
	}
	dir := c.Flags().String("data", "", "the `folder` to restore into")
	c.Flags().StringVar(&k.identity, "identity", "", "a `file` with the age identity that opens it")
	c.Flags().BoolVar(&check, "check", false, "only read the backup and say whether it is whole")
	k.passphraseFlag(c)
	cli.JSONFlag(c)
	c.RunE = func(cmd *cobra.Command, args []string) error {
		if !check && *dir == "" {
			return cli.Usagef("--data names the folder to restore into; --check only reads the backup")
		}
		identities, err := k.unlock(cmd)
		if err != nil {
			return err
		}
		f, err := cli.Open(cmd, args[0])
		if err != nil {
			return err
		}
		defer f.Close()
		in := bufio.NewReaderSize(f, 1<<20)
		var m backup.Manifest
		if check {
			m, err = backup.Check(cmd.Context(), in, identities)
		} else {
			m, err = restore(cmd.Context(), in, identities, *dir)
		}
		if err != nil {
			return cli.At(args[0], 0, err)
		}
		return tellRestored(cmd, m, check, *dir)
	}
	return c
}

func tellRestored(cmd *cobra.Command, m backup.Manifest, check bool, dir string) error {
	p := cli.Out(cmd)
	if p.AsJSON() {
		return p.JSON(m)
	}
	last := "nothing shared yet"
	if m.Seq > 0 {
		last = "the last record is of " + m.Seq.Time().Format(time.RFC3339)
	}
	p.Printf("the backup of %s is whole; %s\n", m.Created.Format(time.RFC3339), last)
	if !check {
		p.Printf("restored; start it with: polder serve --data %s\n", dir)
	}
	return nil
}

// restore unpacks a backup and begins a new lineage in it.
func restore(ctx context.Context, in io.Reader, identities []age.Identity, dir string) (backup.Manifest, error) {
	m, err := backup.Restore(ctx, in, identities, dir)
	if err != nil {
		return m, err
	}
	s, err := openAccounts(ctx, dir, time.Now, slog.New(slog.DiscardHandler), accounts.PasswordCost{})
	if err != nil {
		return m, err
	}
	err = errors.Join(journal.Migrate(ctx, s.DB), journal.Restored(ctx, s.DB, filepath.Join(dir, headFile), time.Now()))
	if err == nil {
		err = s.DB.Write(ctx, func(tx *db.Tx) error {
			e := audit.EntryOf(accounts.Local())
			e.Action, e.Detail = "node.restore", map[string]string{"backup": m.Created.Format(time.RFC3339)}
			return s.Audit.Append(tx, e)
		})
	}
	return m, errors.Join(err, s.Close())
}

// lock is for whom a backup is written.
func (k keys) lock(cmd *cobra.Command) (out []age.Recipient, err error) {
	for _, text := range k.recipients {
		r, err := age.ParseX25519Recipient(text)
		if err != nil {
			return nil, cli.Usagef("--recipient: %q is not an age recipient; it looks like age1… and is made by age-keygen", text)
		}
		out = append(out, r)
	}
	if len(out) > 0 && k.passphrase == "" {
		return out, nil
	}
	pass, err := k.ask(cmd)
	if err != nil {
		return nil, err
	}
	if len(out) > 0 {
		return nil, cli.Usagef("--recipient and a passphrase exclude each other; choose one")
	}
	r, err := age.NewScryptRecipient(pass)
	return []age.Recipient{r}, err
}

// unlock is what opens a backup.
func (k keys) unlock(cmd *cobra.Command) ([]age.Identity, error) {
	if k.identity == "" {
		pass, err := k.ask(cmd)
		if err != nil {
			return nil, err
		}
		i, err := age.NewScryptIdentity(pass)
		return []age.Identity{i}, err
	}
	f, err := cli.Open(cmd, k.identity)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	ids, err := age.ParseIdentities(io.LimitReader(f, 1<<20))
	if err != nil {
		return nil, cli.At(k.identity, 0, fmt.Errorf("is no age identity file: %w", err))
	}
	return ids, nil
}

// ask is the passphrase from the file, the variable, or a person.
func (k keys) ask(cmd *cobra.Command) (string, error) {
	if k.passphrase != "" {
		text, err := os.ReadFile(k.passphrase)
		if err != nil {
			return "", cli.At(k.passphrase, 0, err)
		}
		line, _, _ := bytes.Cut(text, []byte("\n"))
		return notEmpty(strings.TrimRight(string(line), "\r"))
	}
	if pass := os.Getenv("POLDER_PASSPHRASE"); pass != "" {
		return pass, nil
	}
	in, ok := cmd.InOrStdin().(*os.File)
	if !ok || !term.IsTerminal(int(in.Fd())) {
		return "", cli.Usagef("no key is given; give --recipient (backup) or --identity (restore), --passphrase-file, or POLDER_PASSPHRASE")
	}
	cli.Err(cmd).Printf("passphrase: ")
	text, err := term.ReadPassword(int(in.Fd()))
	cli.Err(cmd).Printf("\n")
	if err != nil {
		return "", err
	}
	return notEmpty(string(text))
}

func notEmpty(pass string) (string, error) {
	if pass == "" {
		return "", polder.Errorf(polder.Invalid, "the passphrase is empty")
	}
	return pass, nil
}
