package match

import (
	"fmt"
	"path/filepath"
	"slices"

	"github.com/spf13/cobra"

	"github.com/polder-exchange/polder/internal/cli"
	"github.com/polder-exchange/polder/internal/seal"
)

func (o CommandOptions) ask() *cobra.Command {
	var set, kind, print, seen string
	c := &cobra.Command{
		Use:   "match-private --node URL --token T --set NAME [--type T] FILE",
		Short: "Find which values are in another's set, without showing them",
		Long: "Ask a set that may not be shown which of your values it holds. What is sent are blinded values: the node learns how many, to the\n" +
			"next multiple of 16, and when; neither what they are nor whether they matched. Its answers are proved to be by the key of the\n" +
			"set's epoch. Values are read one a line, - is standard input; those that are in the set come out. A line that cannot be read\n" +
			"is named on standard error and not sent. Each value is sent once, and counts against the day's budget of your organisation.\n\n" +
			"With --json a matching value is a line {\"value\"}, and the last line is {\"set\",\"type\",\"epoch\",\"size_class\",\"key_fingerprint\",\n" +
			"\"until\",\"asked\",\"elements\",\"matched\",\"unread\"}: elements are those sent, dummies included.\n\n" +
			"Exit status: 0 when something matched, 3 when nothing did, 1 when not all could be asked; what was answered is printed then too.",
		Example: "  polder match-private --node https://hub.example --set denials --type party customers.txt\n" +
			"  cut -f3 conn.log | sort -u | polder match-private --set seen --type ipv4 --json -",
		Args: cobra.ExactArgs(1),
	}
	node := cli.NodeFlags(c)
	f := c.Flags()
	f.StringVar(&set, "set", "", "the `name` or id of the set")
	f.StringVar(&kind, "type", "", "the `type` of the values; that of the set when it is left out")
	f.StringVar(&print, "key", "", "`fingerprint` of the epoch's key or of the node's, as the owner says it; another is refused")
	f.StringVar(&seen, "seen", "", "`file` that remembers keys and filters of epochs (default match-seen.jsonl in your settings); another key for an epoch is refused")
	_ = c.MarkFlagRequired("set")
	cli.JSONFlag(c)
	c.RunE = func(cmd *cobra.Command, args []string) (err error) {
		n, err := node()
		if err != nil {
			return err
		}
		var want Kind
		if kind != "" {
			if want, err = ParseKind(kind); err != nil {
				return cli.Usage(err)
			}
		}
		client := &Client{Node: n, Rand: o.Rand, Print: print}
		if seen == "" {
			if dir, err := o.Config(); err == nil {
				seen = filepath.Join(dir, "polder", "match-seen.jsonl")
			} else {
				cli.Err(cmd).Printf("keys of epochs are not remembered: %s; give --seen FILE\n", err)
			}
		}
		if seen != "" {
			client.Seen = NewSeen(seen)
		}
		return askFile(cmd, client, set, want, args[0])
	}
	return c
}

// matchAnswer is the last line of match-private --json.
type matchAnswer struct {
	Set       string `json:"set"`
	Type      Kind   `json:"type"`
	Epoch     uint64 `json:"epoch"`
	SizeClass int    `json:"size_class"`
	KeyPrint  string `json:"key_fingerprint"`
	Until     string `json:"until"`
	Asked     int    `json:"asked"`    // different values that were answered
	Elements  int    `json:"elements"` // that were sent
	Matched   int    `json:"matched"`
	Unread    int    `json:"unread"` // lines that could not be read
}

func askFile(cmd *cobra.Command, client *Client, set string, want Kind, name string) error {
	file, err := cli.Open(cmd, name)
	if err != nil {
		return err
	}
	defer file.Close()
	d, err := client.Describe(cmd.Context(), set, want)
	if err != nil {
		return err
	}
	var read []asked
	var values []string
	unread := 0
	for one, err := range lines(name, file, d.Type) {
		if err != nil {
			if one.Line == 0 {
				return err
			}
			unread++
			cli.Err(cmd).Printf("polder: %s\n", err)
			continue
		}
		if len(read) == seal.MaxTags {
			return cli.At(name, one.Line, fmt.Errorf("is the %dth value; ask about at most so many at once", seal.MaxTags))
		}
		read, values = append(read, one), append(values, one.Value)
	}
	slices.Sort(values)
	values = slices.Compact(values)
	if len(values) == 0 {
		return cli.At(name, 0, errNothing)
	}
	bar := cli.NewProgress(cmd, "ask", int64(len(values)))
	m, err := client.Match(cmd.Context(), d, values, func(n int) { bar.Add(int64(n)) })
	bar.Done()
	found, printErr := printMatches(cmd, m, read, unread)
	switch {
	case err != nil:
		return fmt.Errorf("%d of %d values were answered: %w", len(m.In), len(values), err)
	case printErr != nil:
		return printErr
	case found == 0:
		return cli.Nothing
	}
	return nil
}

// printMatches prints each line that is in the set as it was given.
func printMatches(cmd *cobra.Command, m *Matched, read []asked, unread int) (found int, err error) {
	out := cli.Out(cmd)
	for _, one := range read {
		if !m.In[one.Value] {
			continue
		}
		found++
		if !out.AsJSON() {
			out.Printf("%s\n", one.Given)
			continue
		}
		if err := out.JSON(map[string]string{"value": one.Given}); err != nil {
			return found, err
		}
	}
	d := m.Descriptor
	if out.AsJSON() {
		return found, out.JSON(matchAnswer{Set: d.Name, Type: d.Type, Epoch: d.Epoch, SizeClass: d.SizeClass, KeyPrint: seal.MatchFingerprint(d.Key), Until: stamp(d.Until),
			Asked: len(m.In), Elements: m.Elements, Matched: found, Unread: unread})
	}
	cli.Err(cmd).Printf("%d of %d values are in %s (epoch %d)\n", found, len(m.In), d.Name, d.Epoch)
	return found, nil
}
