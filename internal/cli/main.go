package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime/debug"
	"slices"
	"strings"
	"syscall"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/polder-exchange/polder/internal/cli/sbom"
)

// Main runs the command that args name (without the program's own name) and returns its exit code.
//
// The context of the command ends at the first SIGINT or SIGTERM; a second one ends the process at once.
// Main changes the commands it is given, so each belongs to one call.
func Main(args []string, stdin io.Reader, stdout, stderr io.Writer, commands ...*cobra.Command) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop)
	return Run(ctx, args, stdin, stdout, stderr, commands...)
}

// Run is [Main] without signals: the command ends early when ctx does.
func Run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer, commands ...*cobra.Command) int {
	out := &watched{w: stdout}
	root := newRoot()
	root.SetArgs(args)
	root.SetIn(stdin)
	root.SetOut(out)
	root.SetErr(stderr)
	root.AddCommand(versionCommand())
	root.AddCommand(commands...)
	root.InitDefaultHelpCmd()
	root.InitDefaultCompletionCmd() // only now: it keeps the writer
	started := false
	each(root, func(c *cobra.Command) { prepare(c, &started) })

	cmd, err := root.ExecuteContextC(ctx)
	if err != nil && !started {
		err = Usage(err)
	}
	if err == nil && out.err != nil {
		err = fmt.Errorf("write to standard output: %w", out.err)
	}
	report(stderr, cmd, err)
	return Code(err)
}

func newRoot() *cobra.Command {
	root := &cobra.Command{
		Use:   "polder",
		Short: "Share what protects know-how, and nothing else",
		Long: "Polder is a node on which organisations share threat knowledge with each other, by policy.\n" +
			"Every command has --help with an example.\n\n" +
			"Exit status: 0 done; 1 refused or failed; 2 wrong usage; 3 where a script asks by exit status.",
		Version:       Version(),
		SilenceErrors: true,
		SilenceUsage:  true,
	}
	root.SetVersionTemplate("polder {{.Version}}\n")
	return root
}

func each(c *cobra.Command, fn func(*cobra.Command)) {
	fn(c)
	for _, sub := range c.Commands() {
		each(sub, fn)
	}
}

// prepare makes a command tell us that it began (an error before that is wrong usage), and gives a command that only
// holds others something to say.
func prepare(c *cobra.Command, started *bool) {
	c.SetFlagErrorFunc(flagError)
	if !c.Runnable() {
		c.Args = cobra.ArbitraryArgs
		c.RunE = group
		return
	}
	run, plain := c.RunE, c.Run
	c.Run = nil
	c.RunE = func(cmd *cobra.Command, args []string) error {
		*started = true
		if run == nil {
			plain(cmd, args)
			return nil
		}
		return run(cmd, args)
	}
}

// group answers for a command that only holds others: help, or what the writer may have meant.
func group(c *cobra.Command, args []string) error {
	if len(args) == 0 {
		if !c.HasParent() {
			return c.Help()
		}
		return Usage(fmt.Errorf("%s needs one of: %s", c.CommandPath(), strings.Join(names(c), ", ")))
	}
	hint := "see " + c.CommandPath() + " --help"
	if near := nearest(args[0], names(c)); near != "" {
		hint = "did you mean " + near + "?"
	}
	return Usage(fmt.Errorf("there is no command %q in %s; %s", args[0], c.CommandPath(), hint))
}

func names(c *cobra.Command) []string {
	var out []string
	for _, sub := range c.Commands() {
		if sub.IsAvailableCommand() {
			out = append(out, sub.Name())
		}
	}
	return out
}

// Version is the version of this binary: that of its module, or the commit it was built from.
func Version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	commit, changed := "", ""
	for _, s := range info.Settings {
		switch {
		case s.Key == "vcs.revision" && len(s.Value) >= 12:
			commit = s.Value[:12]
		case s.Key == "vcs.modified" && s.Value == "true":
			changed = ", changed"
		}
	}
	version := info.Main.Version
	if version == "" || version == "(devel)" {
		version = "development"
	}
	if commit != "" && !strings.Contains(version, commit) {
		version += " (" + commit + changed + ")"
	}
	return version
}

func versionCommand() *cobra.Command {
	var bill bool
	c := &cobra.Command{
		Use:     "version",
		Short:   "Print the version, or what the program was built from",
		Example: "  polder version\n  polder version --sbom > polder.cdx.json",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			info, ok := debug.ReadBuildInfo()
			if !ok {
				info = &debug.BuildInfo{Path: "polder"}
			}
			if bill {
				return sbom.Of(info).Write(cmd.OutOrStdout())
			}
			p := Out(cmd)
			if p.AsJSON() {
				return p.JSON(map[string]string{"version": Version(), "go": info.GoVersion})
			}
			p.Printf("polder %s, %s\n", Version(), info.GoVersion)
			return nil
		},
	}
	c.Flags().BoolVar(&bill, "sbom", false, "print the bill of materials (CycloneDX) of this binary")
	JSONFlag(c)
	return c
}

// watched remembers the first error of a writer, for those who print without looking.
type watched struct {
	w   io.Writer
	err error
}

func (w *watched) Write(p []byte) (int, error) {
	n, err := w.w.Write(p)
	if err != nil && w.err == nil {
		w.err = err
	}
	return n, err
}

// report prints err, a line for each thing that is wrong, and after wrong usage where to read more.
func report(w io.Writer, cmd *cobra.Command, err error) {
	if err == nil || errors.Is(err, Nothing) {
		return
	}
	if errors.Is(err, context.Canceled) {
		err = errors.New("interrupted")
	}
	for line := range strings.SplitSeq(err.Error(), "\n") {
		if strings.TrimSpace(line) != "" {
			fmt.Fprintf(w, "polder: %s\n", Visible(line))
		}
	}
	if Code(err) == 2 && cmd != nil && !strings.Contains(err.Error(), "--help") {
		if strings.Contains(err.Error(), " arg(s), ") { // too few or too many: say which
			fmt.Fprintf(w, "polder: write %s\n", strings.TrimSuffix(cmd.UseLine(), " [flags]"))
		}
		fmt.Fprintf(w, "polder: see %s --help\n", cmd.CommandPath())
	}
}

// flagError says of an unknown flag which one may have been meant.
func flagError(c *cobra.Command, err error) error {
	text := err.Error()
	name, unknown := strings.CutPrefix(text, "unknown flag: --")
	if !unknown {
		return Usage(err)
	}
	var have []string
	c.Flags().VisitAll(func(f *pflag.Flag) { have = append(have, f.Name) })
	if near := nearest(name, have); near != "" {
		return Usage(fmt.Errorf("there is no flag --%s; did you mean --%s?", name, near))
	}
	return Usage(fmt.Errorf("there is no flag --%s", name))
}

// nearest is the name in have that is a slip of the finger or two away from word; "" when none is.
func nearest(word string, have []string) string {
	best, at := "", 3
	slices.Sort(have)
	for _, h := range have {
		d := distance(strings.ToLower(word), h)
		if strings.HasPrefix(h, word) && len(word) >= 2 {
			d = 0
		}
		if d < at && d < len(h) {
			best, at = h, d
		}
	}
	return best
}

// distance is how many letters must be changed, put in or left out to make b of a.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		before := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := before
			if a[i] != b[j] {
				cost++
			}
			before = row[j+1]
			row[j+1] = min(cost, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
