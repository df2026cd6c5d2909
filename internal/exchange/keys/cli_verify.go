package keys

import (
	"bufio"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/polder-exchange/polder/internal/cli"
	"github.com/polder-exchange/polder/internal/exchange"
	"github.com/polder-exchange/polder/stix"
)

// verdictLine is a line of `polder verify --json`.
type verdictLine struct {
	File   string                  `json:"file"`
	Line   int                     `json:"line"`
	ID     string                  `json:"id,omitempty"`
	State  exchange.SignatureState `json:"state"`
	Signer string                  `json:"signer,omitempty"`
	Key    string                  `json:"key,omitempty"`
	Reason string                  `json:"reason,omitempty"`
	Right  bool                    `json:"right"`
}

func verifyCommand(certificates func() Certificates) *cobra.Command {
	var file string
	c := &cobra.Command{
		Use:   "verify [--keys FILE] FILE...",
		Short: "Verify the signatures of the objects in files, without a node",
		Long: "Verify the signatures of the objects in files: bundles, single objects, lists or JSON lines; - is standard input. One line for each\n" +
			"object: its id, state, signer, key and a reason. Exit status 0 means that every object is what its creator made: validly\n" +
			"signed, an observable whose id is made of what it says, a definition of TLP, PAP or an extension of Polder's, or the\n" +
			"identity that stands for a member of a community in the file of keys. Unsigned objects, unknown keys and signatures that do not fit give status 1; so\n" +
			"does a key that was revoked later, since a file alone cannot show that the object is older (state valid-revoked).\n\n" +
			"The file of keys is what `polder keys show --all --json --data DIR` prints on a node that you trust.",
		Example: "  polder keys show --all --json --data node > keys.jsonl\n  polder verify --keys keys.jsonl report.json\n  polder export --format stix | polder verify --keys keys.jsonl -",
		Args:    cobra.MinimumNArgs(1),
	}
	c.Flags().StringVar(&file, "keys", "", "a `file` of keys")
	cli.JSONFlag(c)
	c.RunE = func(cmd *cobra.Command, files []string) error {
		var known Certificates
		if certificates != nil {
			known = certificates()
		}
		r, err := openRing(cmd, file, known)
		if err != nil {
			return err
		}
		return printBuffered(cmd, func() error { return verifyAll(cmd, r, files) })
	}
	return c
}

func openRing(cmd *cobra.Command, file string, known Certificates) (*Ring, error) {
	if file == "" {
		return ReadRing(io.MultiReader(), known)
	}
	f, err := cli.Open(cmd, file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	r, err := ReadRing(f, known)
	if err != nil {
		return nil, fmt.Errorf("%s:%w", file, err)
	}
	if r.Empty() {
		return nil, fmt.Errorf("%s: holds no keys; it should be what `polder keys show --all --json --data DIR` prints", file)
	}
	return r, nil
}

func verifyAll(cmd *cobra.Command, r *Ring, files []string) error {
	all, wrong := 0, 0
	for _, file := range files {
		n, bad, err := verifyFile(cmd, r, file)
		if err != nil {
			return err
		}
		all, wrong = all+n, wrong+bad
	}
	switch {
	case all == 0:
		return errors.New("there are no objects in what was given")
	case wrong > 0:
		return fmt.Errorf("%d of %d objects are not shown to be what their creators made", wrong, all)
	}
	return nil
}

func verifyFile(cmd *cobra.Command, r *Ring, file string) (n, wrong int, err error) {
	f, err := cli.Open(cmd, file)
	if err != nil {
		return 0, 0, err
	}
	defer f.Close()
	in := stix.NewReader(bufio.NewReaderSize(f, 1<<20), stix.Limits{})
	for {
		o, pos, err := in.Next()
		var broken *stix.Error
		switch {
		case errors.Is(err, io.EOF):
			return n, wrong, nil
		case errors.As(err, &broken):
		case err != nil:
			return n, wrong, cli.At(file, pos.Line, err)
		}
		line := verdictLine{File: file, Line: pos.Line, ID: o.ID}
		if broken != nil {
			line.ID, line.State, line.Reason = broken.ID, exchange.SignatureWrong, fmt.Sprintf("%s:%d: is no STIX 2.1 object: %v", cli.Visible(file), pos.Line, broken)
		} else {
			s := r.Verify(o)
			line.State, line.Signer, line.Key, line.Reason, line.Right = s.State, s.Signer, s.Key, s.Reason, Right(s.State)
		}
		n++
		if !line.Right {
			wrong++
		}
		if err := printVerdict(cmd, line); err != nil {
			return n, wrong, err
		}
	}
}

func printVerdict(cmd *cobra.Command, v verdictLine) error {
	p := cli.Out(cmd)
	if p.AsJSON() {
		return p.JSON(v)
	}
	dash := func(s string) string {
		if s == "" {
			return "-"
		}
		return s
	}
	p.Printf("%s %s %s %s %s\n", dash(v.ID), string(v.State), dash(v.Signer), dash(v.Key), dash(v.Reason))
	return nil
}
