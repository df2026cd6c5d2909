package exchange

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/spf13/cobra"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/accounts"
	"github.com/polder-exchange/polder/internal/cli"
	"github.com/polder-exchange/polder/internal/exchange/release"
	"github.com/polder-exchange/polder/stix"
)

// ReleaseOpener opens what the commands of release need in the folder of a node.
type ReleaseOpener func(ctx context.Context, dir string) (store ReleaseStore, done func() error, err error)

// ReleaseCommand shows, sets and tries what an organisation lets out.
func ReleaseCommand(open ReleaseOpener) *cobra.Command {
	c := &cobra.Command{
		Use:   "release",
		Short: "Set what leaves an organisation, and what is taken out before",
		Long: "Set the steps that everything goes through before it leaves an organisation: what is taken out (own names, people, addresses,\n" +
			"networks, hosts, words, custom properties), what happens to harmless values, whose name stands on it, and walls that nothing passes.",
		Example: "  polder release show --data node --org identity--… > release.json\n  polder release test --data node --org identity--… report.json",
	}
	c.AddCommand(releaseShow(open), releaseSet(open), releaseTest(open))
	return c
}

// releaseRun is what the three commands share: they work for one organisation of a node's folder.
func releaseRun(c *cobra.Command, open ReleaseOpener, run func(cmd *cobra.Command, s ReleaseStore, org polder.OrgID, args []string) error) *cobra.Command {
	var org string
	dir := cli.DataFlag(c)
	c.Flags().StringVar(&org, "org", "", "the organisation's identity `id`")
	_ = c.MarkFlagRequired("org")
	cli.JSONFlag(c)
	c.RunE = func(cmd *cobra.Command, args []string) (err error) {
		s, done, err := open(cmd.Context(), *dir)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, done()) }()
		if _, err := s.Accounts.Org(cmd.Context(), polder.OrgID(org)); err != nil {
			return polder.Errorf(polder.NotFound, "--org: %s is not an organisation of this node; see polder org list", org)
		}
		return run(cmd, s, polder.OrgID(org), args)
	}
	return c
}

func releaseShow(open ReleaseOpener) *cobra.Command {
	c := &cobra.Command{
		Use:     "show --data DIR --org ID",
		Short:   "Print what an organisation set, as JSON that set reads",
		Example: "  polder release show --data node --org identity--… > release.json",
		Args:    cobra.NoArgs,
	}
	return releaseRun(c, open, func(cmd *cobra.Command, s ReleaseStore, org polder.OrgID, _ []string) error {
		p, version, err := s.Get(cmd.Context(), org)
		if err != nil {
			return err
		}
		out := cli.Out(cmd)
		if out.AsJSON() {
			return out.JSON(releaseDocument{version, p})
		}
		e := json.NewEncoder(cmd.OutOrStdout())
		e.SetIndent("", "  ")
		e.SetEscapeHTML(false)
		return e.Encode(p)
	})
}

func releaseSet(open ReleaseOpener) *cobra.Command {
	c := &cobra.Command{
		Use:   "set --data DIR --org ID FILE",
		Short: "Give an organisation the profile in a file",
		Long: "Give an organisation the profile in a file, as `polder release show` prints it; - reads standard input. It holds from the next\n" +
			"request. What the node knows by itself (the organisation's name, its people and their mail domains, protected values) is looked for\n" +
			"too, and stands in no profile. A profile that uses everything:\n\n" + releaseShape,
		Example: "  polder release set --data node --org identity--… release.json",
		Args:    cobra.ExactArgs(1),
	}
	return releaseRun(c, open, func(cmd *cobra.Command, s ReleaseStore, org polder.OrgID, args []string) error {
		f, err := cli.Open(cmd, args[0])
		if err != nil {
			return err
		}
		defer f.Close()
		p, err := readProfile(f)
		if err != nil {
			return cli.At(args[0], 0, err)
		}
		version, err := s.Set(cmd.Context(), accounts.Local(), org, p, -1)
		if err != nil {
			return cli.At(args[0], 0, err)
		}
		out := cli.Out(cmd)
		if out.AsJSON() {
			return out.JSON(map[string]int64{"version": version})
		}
		out.Printf("what leaves goes through these steps from now on (version %d)\n", version)
		return nil
	})
}

// releaseShape is a profile with something in every place, for people who write one.
const releaseShape = `  {"minimise": {"names": true, "staff": true, "addresses": true, "networks": true, "hosts": true, "words": true, "custom": true},
   "warninglists": "stop", "blind": "made", "mark": "amber", "highest": "amber",
   "forbidden": [{"label": "export licences", "words": ["licence 4711"], "expression": "NL-EXP-[0-9]+"}],
   "facts": {"names": ["Klepwerk B.V."], "staff": [{"name": "Sanne de Vries", "mail": "s.devries@klepwerk.example"}],
     "domains": ["klepwerk.example"], "addresses": ["Dijkgracht 12, Delft"], "phones": ["+31 15 555 01 23"],
     "networks": ["192.0.2.0/24"], "hosts": ["fs1"], "suffixes": [".klepwerk.local"], "words": ["Project Tulp"]},
   "keep": ["x_opencti_score"]}`

// readProfile reads a profile strictly: a name that means nothing is an error.
func readProfile(r io.Reader) (p release.Profile, err error) {
	d := json.NewDecoder(io.LimitReader(r, maxReleaseBody))
	d.DisallowUnknownFields()
	err = d.Decode(&p)
	if bad, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		return p, fmt.Errorf("%s: holds a %s where something else belongs; polder release set --help shows a profile", cmp.Or(bad.Field, "the profile"), bad.Value)
	}
	if err != nil {
		return p, fmt.Errorf("is no profile: %w; start from what polder release show prints", err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return p, fmt.Errorf("something stands behind the profile; give one")
	}
	return p, nil
}

func releaseTest(open ReleaseOpener) *cobra.Command {
	c := &cobra.Command{
		Use:   "test --data DIR --org ID FILE...",
		Short: "Show what would become of STIX files that left the organisation",
		Long: "Show line by line what the steps of an organisation make of STIX files, what would stop, and which walls they run into. Nothing is\n" +
			"shared. Exit status 1 when something would not leave.",
		Example: "  polder release test --data node --org identity--… report.json",
		Args:    cobra.MinimumNArgs(1),
	}
	return releaseRun(c, open, func(cmd *cobra.Command, s ReleaseStore, org polder.OrgID, files []string) error {
		p, _, err := s.Get(cmd.Context(), org)
		if err != nil {
			return err
		}
		rules, err := s.Rules(cmd.Context(), org, p)
		if err != nil {
			return err
		}
		not := 0
		for _, file := range files {
			n, err := releaseTestFile(cmd, rules, file)
			if err != nil {
				return err
			}
			not += n
		}
		if not > 0 {
			return fmt.Errorf("%d of the objects would not leave", not)
		}
		return nil
	})
}

// releaseTestFile shows one file, and counts the objects that would not leave.
func releaseTestFile(cmd *cobra.Command, rules *release.Rules, file string) (not int, err error) {
	f, err := cli.Open(cmd, file)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	r := stix.NewReader(f, stix.Limits{})
	for {
		raw, pos, err := r.NextRaw()
		if errors.Is(err, io.EOF) {
			return not, nil
		}
		if err != nil {
			return not, cli.At(file, pos.Line, err)
		}
		var out releasePreview
		out.add(pos.Index, Incoming{Raw: raw, Where: Where{file, pos.Line}}, rules)
		if len(out.Refused) > 0 || slices.ContainsFunc(out.Warnings, func(w Warning) bool { return w.Stop }) {
			not++
		}
		if err := tellReleased(cmd, file, pos.Line, out); err != nil {
			return not, err
		}
	}
}

func tellReleased(cmd *cobra.Command, file string, line int, out releasePreview) error {
	p := cli.Out(cmd)
	if p.AsJSON() {
		return p.JSON(out)
	}
	for _, o := range out.Objects {
		if len(o.Changes) == 0 {
			p.Printf("%s\n  leaves as it is\n", o.ID)
			continue
		}
		p.Printf("%s\n", o.ID)
		printChanges(p, o.Changes)
	}
	for _, w := range out.Warnings {
		cli.Err(cmd).Printf("polder: %s: %s: %s (rule %s)\n", Where{file, line}, w.Path, w.Value+" "+w.Reason, w.Rule)
	}
	for _, f := range out.Refused {
		cli.Err(cmd).Printf("polder: %s: %s\n", Where{file, line}, withID(f))
	}
	return nil
}
