package ledger

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/cli"
	"github.com/polder-exchange/polder/internal/seal"
)

func (o CommandOptions) verify() *cobra.Command {
	var keys, dir string
	c := &cobra.Command{
		Use:   "verify [--keys FILE] [--data DIR] [FILE...]",
		Short: "Verify proofs and checkpoints, offline or against what a node has seen",
		Long: "Verify proofs that polder log prove wrote and checkpoints that polder log checkpoint printed, a line for each file. Keys come from a\n" +
			"file, as `polder log list --keys` or `polder keys show --all --json` prints it, or from the folder of a node. With --data each\n" +
			"checkpoint is held against what that node has seen of the log too; what contradicts it is kept there as evidence, and the link\n" +
			"to the log's node is stopped. With --data and no file the node's own log is built from its journal once more and held against what\n" +
			"was signed; the first delivery that is wrong is named. Exit status 1: something is wrong, or contradicts something else.",
		Example: "  polder log verify --keys keys.jsonl proof.json checkpoint.txt\n  polder log verify --data node checkpoint-of-another-member.txt\n  polder log verify --data node",
	}
	c.Flags().StringVar(&keys, "keys", "", "a `file` of keys")
	c.Flags().StringVar(&dir, "data", "", "the `folder` of a node on this machine")
	cli.JSONFlag(c)
	c.RunE = func(cmd *cobra.Command, files []string) error {
		switch {
		case len(files) == 0 && dir == "":
			return cli.Usagef("name files to verify, or with --data the node whose own log is to be verified")
		case keys == "" && dir == "":
			return cli.Usagef("whose keys count? Give --keys with a file, as polder log list --keys prints it, or --data with the folder of a node")
		}
		v := &verifying{cmd: cmd, files: files}
		if keys != "" {
			f, err := cli.Open(cmd, keys)
			if err != nil {
				return err
			}
			v.keys, err = ReadKeys(f)
			if err := errors.Join(err, f.Close()); err != nil {
				return fmt.Errorf("%s:%w", keys, err)
			}
		}
		if dir == "" {
			return v.run(nil)
		}
		return o.on(cmd, dir, v.run)
	}
	return c
}

// verifying is one call of the command.
type verifying struct {
	cmd   *cobra.Command
	files []string
	keys  Keys
	wrong int
}

// verifyLine is what `log verify --json` prints of a file.
type verifyLine struct {
	File      string   `json:"file"`
	Form      string   `json:"form"`
	Right     bool     `json:"right"`
	Reason    string   `json:"reason,omitempty"`
	Origin    string   `json:"origin,omitempty"`
	Size      int64    `json:"size,omitempty"`
	Seq       int64    `json:"seq,omitempty"`
	ID        string   `json:"id,omitempty"`
	Version   string   `json:"version,omitempty"`
	Digest    string   `json:"digest,omitempty"`
	Witnesses []string `json:"witnesses"`
	Compared  bool     `json:"compared"` // held against what a node has seen
}

func (v *verifying) run(s *Service) error {
	if s != nil {
		if len(v.files) == 0 {
			return v.own(s)
		}
		known, err := s.Keys(v.cmd.Context())
		if err != nil {
			return err
		}
		v.keys = v.keys.With(known)
	}
	var all []Verified
	for _, name := range v.files {
		raw, err := readSmall(v.cmd, name, seal.MaxProof)
		if err != nil {
			return err
		}
		one := VerifyFile(name, raw, v.keys)
		all = append(all, one)
		if err := v.one(s, one); err != nil {
			return err
		}
	}
	if a, b, twice := Contradicting(all); twice {
		v.wrong++
		return fmt.Errorf("two checkpoints of %s with %d leaves have different roots, %s and %s: two stories were told", a.Origin, a.Size, a.Root, b.Root)
	}
	if v.wrong > 0 {
		return fmt.Errorf("%d of %d files are wrong, or contradict what is known", v.wrong, len(v.files))
	}
	return nil
}

// one judges and prints one file.
func (v *verifying) one(s *Service, f Verified) error {
	line := verifyLine{File: f.Name, Form: f.Form, Witnesses: []string{}}
	err := f.Err
	if err == nil && s != nil {
		line.Compared = true
		for _, c := range f.Signed {
			switch seen := s.Compare(v.cmd.Context(), c, true); {
			case errors.Is(seen, ErrNotSeen):
				line.Compared = false
			case seen != nil:
				err = seen
			}
		}
	}
	if n := len(f.Signed); err == nil || f.Err == nil && n > 0 {
		c := f.Signed[n-1]
		line.Origin, line.Size, line.Seq = c.Origin, c.Size, c.Seq
		for _, w := range c.Cosigners {
			line.Witnesses = append(line.Witnesses, w.Name)
		}
		if f.Form == FormLeaf {
			line.ID, line.Version, line.Digest = f.Leaf.ID, f.Leaf.Version, fmt.Sprintf("%x", f.Leaf.Digest)
		}
	}
	line.Right = err == nil
	if err != nil {
		v.wrong++
		line.Reason = err.Error()
	}
	p := cli.Out(v.cmd)
	if p.AsJSON() {
		return p.JSON(line)
	}
	p.Printf("%s: %s\n", f.Name, sentence(line, s != nil))
	return nil
}

// sentence says in words what was found.
func sentence(l verifyLine, data bool) string {
	if !l.Right {
		return "wrong: " + l.Reason
	}
	var b strings.Builder
	switch l.Form {
	case FormLeaf:
		fmt.Fprintf(&b, "right: %s %s is in the log %s of %d leaves", l.ID, l.Version, l.Origin, l.Size)
	case FormGrowth:
		fmt.Fprintf(&b, "right: the log %s of %d leaves began as the earlier checkpoint says", l.Origin, l.Size)
	default:
		fmt.Fprintf(&b, "right: checkpoint of the log %s, %d leaves", l.Origin, l.Size)
	}
	if len(l.Witnesses) > 0 {
		fmt.Fprintf(&b, ", witnessed by %s", strings.Join(l.Witnesses, ", "))
	}
	switch {
	case l.Compared:
		b.WriteString("; it fits what this node has seen")
	case data:
		b.WriteString("; this node has not seen that much of the log, so there was nothing to compare with")
	}
	return b.String()
}

// ownLine is what `log verify --data DIR --json` prints.
type ownLine struct {
	Deliveries int64  `json:"deliveries"`
	Right      bool   `json:"right"`
	Reason     string `json:"reason,omitempty"`
}

func (v *verifying) own(s *Service) error {
	bar := cli.NewProgress(v.cmd, "verify", -1)
	n, err := s.VerifyOwn(v.cmd.Context(), bar.Set)
	bar.Done()
	if k := polder.KindOf(err); err != nil && k != polder.Conflict && k != polder.Unavailable {
		return err
	}
	p := cli.Out(v.cmd)
	if p.AsJSON() {
		line := ownLine{Deliveries: n, Right: err == nil}
		if err != nil {
			line.Reason = err.Error()
		}
		return errors.Join(p.JSON(line), err)
	}
	if err == nil {
		p.Printf("right: the journal's %d deliveries make what was signed for them\n", n)
	}
	return err
}
