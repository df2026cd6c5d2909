package ledger

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/cli"
	"github.com/polder-exchange/polder/internal/seal"
)

// CommandOptions are what the commands need of the program.
type CommandOptions struct {
	// Open opens the ledger in a node's folder to read, whether or not the node serves.
	Open func(ctx context.Context, dir string) (*Service, func() error, error)
}

// Commands is `polder log`.
func Commands(o CommandOptions) *cobra.Command {
	c := &cobra.Command{
		Use:     "log",
		Short:   "The transparency log: what nodes delivered, proved",
		Example: "  polder log list --data node\n  polder log prove --data node --out proof.json indicator--…\n  polder log verify --keys keys.jsonl proof.json",
	}
	c.AddCommand(o.checkpoint(), o.prove(), o.verify(), o.list())
	return c
}

// on runs fn on the ledger of a folder.
func (o CommandOptions) on(cmd *cobra.Command, dir string, fn func(*Service) error) (err error) {
	s, end, err := o.Open(cmd.Context(), dir)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, end()) }()
	return fn(s)
}

// checkpointLine is what `log checkpoint --json` prints.
type checkpointLine struct {
	Origin string `json:"origin"`
	Size   int64  `json:"size"`
	Root   string `json:"root"`
	Seq    int64  `json:"seq"`
	Note   string `json:"note"`
}

func (o CommandOptions) checkpoint() *cobra.Command {
	var log string
	c := &cobra.Command{
		Use:   "checkpoint --data DIR",
		Short: "Print the latest checkpoint of a log, with its signatures",
		Long: "Print the latest checkpoint of this node's own log, or of one that it follows, as a signed note: origin, number of leaves, root,\n" +
			"number of the last delivery, and the signatures of the log and of those who witnessed exactly this checkpoint. Give it to another\n" +
			"member, who holds it against what was shown there: polder log verify --data DIR FILE.",
		Example: "  polder log checkpoint --data node\n  polder log checkpoint --data node --log identity--… > checkpoint.txt",
		Args:    cobra.NoArgs,
	}
	dir := cli.DataFlag(c)
	c.Flags().StringVar(&log, "log", "", "whose log: the id or name of a `node` (default: this node's own)")
	cli.JSONFlag(c)
	c.RunE = func(cmd *cobra.Command, _ []string) error {
		return o.on(cmd, *dir, func(s *Service) error {
			at, raw, err := s.Checkpoint(cmd.Context(), log)
			if err != nil {
				return err
			}
			p := cli.Out(cmd)
			if p.AsJSON() {
				return p.JSON(checkpointLine{at.Origin, at.Size, at.Root.String(), at.Seq, string(raw)})
			}
			_, err = p.Raw().Write(raw)
			return err
		})
	}
	return c
}

func (o CommandOptions) prove() *cobra.Command {
	var out, version, log, since string
	var wait time.Duration
	c := &cobra.Command{
		Use:   "prove --data DIR (ID | --since FILE)",
		Short: "Write a proof that a delivery is in the log, or that a log only grew",
		Long: "Write a file that proves to anybody, offline, that what this node received or delivered is in the log: the latest delivery of an\n" +
			"object. With --since the proof is that the log began as an earlier checkpoint of it said. What is proved names the object, its\n" +
			"version and community, and the digest of its content; it tells nothing of the rest of the log. Verify it with polder log verify.",
		Example: "  polder log prove --data node --out proof.json indicator--…\n  polder log prove --data node --since checkpoint.txt > growth.json",
		Args:    cobra.MaximumNArgs(1),
	}
	dir := cli.DataFlag(c)
	f := c.Flags()
	f.StringVar(&out, "out", "", "write the proof to this `file` (default: standard output)")
	f.StringVar(&version, "version", "", "of this `version` of the object")
	f.StringVar(&log, "log", "", "in the log of this `node`, by id or name")
	f.StringVar(&since, "since", "", "a `file` with an earlier checkpoint")
	f.DurationVar(&wait, "wait", 15*time.Second, "how `long` to wait for a checkpoint that covers the delivery")
	c.RunE = func(cmd *cobra.Command, args []string) error {
		if (len(args) == 1) == (since != "") {
			return cli.Usagef("name either the id of an object, or with --since a file with an earlier checkpoint")
		}
		return o.on(cmd, *dir, func(s *Service) error {
			proof, err := proofOf(cmd, s, args, version, log, since, wait)
			if err != nil {
				return err
			}
			if out == "" {
				_, err = cli.Out(cmd).Raw().Write(proof)
				return err
			}
			return os.WriteFile(out, proof, 0o644)
		})
	}
	return c
}

func proofOf(cmd *cobra.Command, s *Service, args []string, version, log, since string, wait time.Duration) ([]byte, error) {
	if since != "" {
		raw, err := readSmall(cmd, since, seal.MaxNote)
		if err != nil {
			return nil, err
		}
		p, err := s.ProveGrowth(cmd.Context(), raw)
		if err != nil {
			return nil, cli.At(since, 0, err)
		}
		return p.Marshal(), nil
	}
	const pace = 250 * time.Millisecond
	for waited := time.Duration(0); ; waited += pace {
		p, err := s.Prove(cmd.Context(), args[0], version, log)
		if !errors.Is(err, errUncovered) || waited >= wait {
			return p.Marshal(), err
		}
		pause(cmd.Context(), nil, pace)
		if err := cmd.Context().Err(); err != nil {
			return nil, err
		}
	}
}

// readSmall reads a whole file that is no longer than most.
func readSmall(cmd *cobra.Command, name string, most int64) ([]byte, error) {
	f, err := cli.Open(cmd, name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	raw, err := io.ReadAll(io.LimitReader(f, most+1))
	if err == nil && int64(len(raw)) > most {
		err = polder.Errorf(polder.TooLarge, "is longer than %d bytes, so it is no such file", most)
	}
	return raw, cli.At(name, 0, err)
}

func (o CommandOptions) list() *cobra.Command {
	var keys bool
	c := &cobra.Command{
		Use:   "list --data DIR",
		Short: "List the logs that this node keeps and follows, who witnesses them, and what is wrong",
		Long: "List this node's own log and those that it follows: how many leaves, how many of the nodes that ask for it signed its latest\n" +
			"checkpoint or one of the last ten minutes, when, and what is wrong. With --keys the keys under which this node verified them, as\n" +
			"polder log verify --keys reads them.",
		Example: "  polder log list --data node\n  polder log list --data node --keys > keys.txt",
		Args:    cobra.NoArgs,
	}
	dir := cli.DataFlag(c)
	c.Flags().BoolVar(&keys, "keys", false, "print the keys of logs and witnesses instead")
	cli.JSONFlag(c)
	c.RunE = func(cmd *cobra.Command, _ []string) error {
		return o.on(cmd, *dir, func(s *Service) error {
			if keys {
				return printKeys(cmd, s)
			}
			return printStates(cmd, s)
		})
	}
	return c
}

func printKeys(cmd *cobra.Command, s *Service) error {
	k, err := s.Keys(cmd.Context())
	if err != nil {
		return err
	}
	for _, line := range k.Lines() {
		cli.Out(cmd).Printf("%s\n", line)
	}
	return nil
}

// logLine is what `log list --json` prints of a log.
type logLine struct {
	Origin    string      `json:"origin"`
	Node      string      `json:"node"`
	Name      string      `json:"name,omitempty"`
	Own       bool        `json:"own"`
	Size      int64       `json:"size"`
	Seq       int64       `json:"seq"`
	Accepted  string      `json:"accepted,omitempty"`
	Contact   string      `json:"contact,omitempty"`
	Ended     string      `json:"ended,omitempty"`
	Left      bool        `json:"left,omitempty"`
	Witnessed int         `json:"witnessed"`
	Witnesses int         `json:"witnesses"`
	Signed    string      `json:"signed,omitempty"`
	Waiting   int         `json:"waiting"`
	Logged    int         `json:"logged"`
	Alarms    []alarmLine `json:"alarms"`
}

type alarmLine struct {
	Kind  string `json:"kind"`
	Since string `json:"since,omitempty"`
	Text  string `json:"text,omitempty"`
	Bad   bool   `json:"bad"`
}

func stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}

func printStates(cmd *cobra.Command, s *Service) error {
	all, err := s.States(cmd.Context())
	if err != nil {
		return err
	}
	p := cli.Out(cmd)
	var rows [][]string
	for _, st := range all {
		if p.AsJSON() {
			if err := p.JSON(lineOf(st)); err != nil {
				return err
			}
			continue
		}
		rows = append(rows, rowOf(st))
	}
	if !p.AsJSON() && len(rows) > 0 {
		p.Table([]string{"log", "leaves", "accepted", "witnessed", "state"}, rows)
	}
	return nil
}

func lineOf(st State) logLine {
	l := logLine{Origin: st.Origin, Node: string(st.Node), Name: st.Name, Own: st.Own, Size: st.Size, Seq: int64(st.Seq), Accepted: stamp(st.Accepted), Contact: stamp(st.Contact),
		Ended: stamp(st.Ended), Left: st.Left, Witnessed: st.Witnessed, Witnesses: st.Witnesses, Signed: stamp(st.Signed), Waiting: st.Waiting, Logged: st.Logged, Alarms: []alarmLine{}}
	for _, a := range st.Alarms {
		l.Alarms = append(l.Alarms, alarmLine{a.Kind, stamp(a.Since), a.Text, a.Bad()})
	}
	return l
}

func rowOf(st State) []string {
	name, state := st.Name, "sound"
	if st.Own {
		name = "this node"
	}
	switch {
	case !st.Ended.IsZero():
		state = "ended: restored " + stamp(st.Ended)
	case st.Left:
		state = "no longer followed"
	}
	if len(st.Alarms) > 0 {
		var kinds []string
		for _, a := range st.Alarms {
			kinds = append(kinds, strings.TrimSpace(a.Kind+" "+stamp(a.Since)))
		}
		state = strings.Join(kinds, ", ")
	}
	accepted := stamp(st.Accepted)
	if accepted == "" {
		accepted = "-"
	}
	return []string{name, strconv.FormatInt(st.Size, 10), accepted, fmt.Sprintf("%d of %d", st.Witnessed, st.Witnesses), state}
}
