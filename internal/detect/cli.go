package detect

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/polder-exchange/polder/event"
	"github.com/polder-exchange/polder/internal/cli"
	"github.com/polder-exchange/polder/sigma"
)

// Commands are those that work on files and on history, without a node.
func Commands(now func() time.Time) []*cobra.Command {
	return []*cobra.Command{detectCommand(now), rulesCommand(), MatchCommand(), HuntCommand(now), IngestCommand(now)}
}

// detectFlags are what `polder detect` is asked.
type detectFlags struct {
	rules, indicators, placeholders []string
	warninglists, format, mapping   string
	count, failOnHit                bool
	threads                         int
}

func detectCommand(now func() time.Time) *cobra.Command {
	var f detectFlags
	c := &cobra.Command{
		Use:   "detect FILE...",
		Short: "Look for signs of an intrusion in log files",
		Long: "Hold log files against rules and indicators, on this machine alone: nothing leaves it. The format of a file is recognised, gzip and\n" +
			"zstd are undone, folders are walked, - is standard input. Without --rules it uses Polder's own rules.\n\n" +
			"Formats: " + formatNames() + ".",
		Example: "  polder detect security.evtx\n  polder detect --indicators feed.json --indicators bad-domains.txt /var/log/\n" +
			"  polder detect --rules sigma/rules --json --fail-on-hit events.jsonl.gz",
		Args: cobra.MinimumNArgs(1),
	}
	fl := c.Flags()
	fl.StringArrayVar(&f.rules, "rules", nil, "Sigma rules: a `path` of a file or folder; instead of Polder's own")
	fl.StringArrayVar(&f.indicators, "indicators", nil, "a `file` of indicators: STIX, MISP, CSV or a plain list")
	fl.StringArrayVar(&f.placeholders, "placeholders", nil, "a `folder` with NAME.txt for each %NAME% of the rules, a value a line")
	fl.StringVar(&f.warninglists, "warninglists", "", "a `folder` of MISP warninglists: values in them are no hits")
	fl.StringVar(&f.format, "format", "", "the `format` of the files, if it is not recognised")
	fl.StringVar(&f.mapping, "mapping", "", "a `file` that says under which names of Sigma, ECS or OCSF the fields of the logs are known")
	fl.BoolVar(&f.count, "count", false, "print counts alone, as JSON")
	fl.BoolVar(&f.failOnHit, "fail-on-hit", false, "exit with 3 when anything was found")
	fl.IntVar(&f.threads, "threads", 0, "read with this `number` of threads (default: one for each processor)")
	cli.JSONFlag(c)
	c.RunE = func(cmd *cobra.Command, args []string) error { return f.run(cmd, args, now) }
	return c
}

func formatNames() string {
	var names []string
	for _, f := range event.Formats() {
		names = append(names, string(f))
	}
	return strings.Join(names, ", ")
}

// collectAt keeps the garbage of a run small beside rules and indicators, which stay: the collector runs when the heap has
// grown by this many percent.
const collectAt = 30

func (f *detectFlags) run(cmd *cobra.Command, args []string, now func() time.Time) error {
	format, err := f.asked()
	if err != nil {
		return err
	}
	mapping, err := readMapping(cmd, f.mapping)
	if err != nil {
		return err
	}
	engine, builtIn, err := f.engine(cmd)
	if err != nil {
		return err
	}
	debug.FreeOSMemory() // what loading left
	defer debug.SetGCPercent(debug.SetGCPercent(collectAt))
	out, began := cli.Out(cmd), now()
	report := Report{With: engine.Knowing()}
	report.With.BuiltIn = builtIn
	var alerts int64
	take := func(x *Finding) error {
		alerts++
		switch {
		case f.count:
			return nil
		case out.AsJSON():
			return out.JSON(x.line())
		}
		report.Add(x)
		return nil
	}
	progress := cli.NewProgress(cmd, "reading", -1)
	var before, seen int64
	run, err := engine.NewRun(RunOptions{Format: format, Mapping: mapping, Threads: f.threads, Now: began, Progress: func(n int64) {
		seen = n
		progress.Set(before + n)
	}}, take)
	if err != nil {
		return err
	}
	failed, err := eachFile(args, func(name string, named bool) (bool, error) {
		x, err := examine(cmd, run, name)
		before += seen
		seen = 0
		report.Files = append(report.Files, x)
		return x.Format != "" || !named, err
	})
	if err == nil {
		err = run.End()
	}
	progress.Done()
	if err != nil {
		return err
	}
	for _, words := range run.GaveUp() {
		cli.Err(cmd).Printf("polder: %s\n", words)
	}
	f.conclude(cmd, &report, alerts, now().Sub(began))
	return f.outcome(&report, alerts, failed)
}

// asked checks what was asked before anything is read.
func (f *detectFlags) asked() (event.Format, error) {
	if f.threads < 0 || f.threads > 256 {
		return "", cli.Usagef("--threads %d: give a number from 1 to 256, or none", f.threads)
	}
	if f.format == "" {
		return "", nil
	}
	format, err := event.ParseFormat(f.format)
	if err != nil {
		return "", cli.Usagef("--format: %w", err)
	}
	return format, nil
}

// engine loads rules and indicators. A rule that does not load is said and left out; so is a line of a list.
func (f *detectFlags) engine(cmd *cobra.Command) (*Engine, bool, error) {
	collection, advise, builtIn, err := loadRules(cmd, f.rules, f.placeholders)
	if err != nil {
		return nil, false, err
	}
	known, err := loadKnowledge(cmd, f.indicators, f.warninglists)
	if err != nil {
		return nil, false, err
	}
	set, err := FixedRules(collection, advise)
	if err != nil {
		return nil, false, err
	}
	return NewEngine(set, known), builtIn, nil
}

// readMapping reads a mapping that a person wrote; nil when there is none.
func readMapping(cmd *cobra.Command, name string) (*event.Mapping, error) {
	if name == "" {
		return nil, nil
	}
	in, err := cli.Open(cmd, name)
	if err != nil {
		return nil, err
	}
	defer in.Close()
	m, err := event.ReadMapping(in)
	if e, ok := errors.AsType[*event.Error](err); ok {
		return nil, cli.At(name, int(e.Line), errors.New(e.Text))
	}
	return m, cli.At(name, 0, err)
}

// loadRules loads the rules at paths, or Polder's own when there are none.
func loadRules(cmd *cobra.Command, paths, placeholders []string) (*sigma.Collection, Advice, bool, error) {
	if len(paths) == 0 {
		if len(placeholders) > 0 {
			return nil, nil, false, cli.Usagef("--placeholders gives lists to rules: name the rules with --rules")
		}
		c, err := OwnRules()
		return c, ownAdvice, true, err
	}
	o, err := loadOptions(placeholders)
	if err != nil {
		return nil, nil, false, err
	}
	c, wrong := sigma.Load(paths, o)
	for _, e := range wrong {
		cli.Err(cmd).Printf("polder: %s\n", e)
	}
	if len(c.Rules)+len(c.Correlations) == 0 {
		return nil, nil, false, fmt.Errorf("--rules: no rule could be loaded from %s", strings.Join(paths, ", "))
	}
	return c, ownAdvice, false, nil
}

// Bounds of placeholder lists.
const maxPlaceholderBytes = 32 << 20

// loadOptions reads the lists of placeholders: in each folder NAME.txt is the list of %NAME%, a value a line.
func loadOptions(folders []string) (sigma.LoadOptions, error) {
	o := sigma.LoadOptions{Placeholders: map[string][]string{}}
	for _, dir := range folders {
		files, err := filepath.Glob(filepath.Join(dir, "*.txt"))
		if err != nil || len(files) == 0 {
			return o, cli.Usagef("--placeholders %s: no file NAME.txt is in it", dir)
		}
		for _, file := range files {
			info, err := os.Stat(file)
			if err != nil || !info.Mode().IsRegular() || info.Size() > maxPlaceholderBytes {
				return o, cli.At(file, 0, fmt.Errorf("it is no file of at most %d bytes", maxPlaceholderBytes))
			}
			text, err := os.ReadFile(file)
			if err != nil {
				return o, err
			}
			name := strings.TrimSuffix(filepath.Base(file), ".txt")
			for line := range strings.Lines(string(text)) {
				if v := strings.TrimSpace(line); v != "" && !strings.HasPrefix(v, "#") {
					o.Placeholders[name] = append(o.Placeholders[name], v)
				}
			}
		}
	}
	return o, nil
}

// eachFile calls do for every file that args name, those in folders too; named says that it was an argument itself.
// do says whether the file could be read. failed is how many arguments came to nothing.
func eachFile(args []string, do func(name string, named bool) (read bool, err error)) (failed int, err error) {
	for _, arg := range args {
		info, err := os.Stat(arg)
		if arg == "-" || err != nil || !info.IsDir() {
			read, err := do(arg, true)
			if err != nil {
				return failed, err
			}
			if !read {
				failed++
			}
			continue
		}
		err = filepath.WalkDir(arg, func(path string, d fs.DirEntry, err error) error {
			switch {
			case err != nil:
				_, err = do(path, false)
				return err
			case d.Type().IsRegular():
				_, err = do(path, false)
				return err
			}
			return nil // a folder is walked; a link, a pipe or a device in it is not read
		})
		if err != nil {
			return failed, err
		}
	}
	return failed, nil
}

// examine judges one file; one that cannot be opened is said in the answer.
func examine(cmd *cobra.Command, run *Run, name string) (Examined, error) {
	in, err := cli.Open(cmd, name)
	if err != nil {
		return Examined{File: name, Trouble: []string{strings.TrimPrefix(err.Error(), name+": ")}}, nil
	}
	defer in.Close()
	return run.File(cmd.Context(), name, in)
}

// counts is what --count prints.
type counts struct {
	Events     int64   `json:"events"`
	Bytes      int64   `json:"bytes"`
	Seconds    float64 `json:"seconds"`
	Rules      int     `json:"rules"`
	Indicators int     `json:"indicators"`
	Alerts     int64   `json:"alerts"`
}

// conclude prints what is printed at the end.
func (f *detectFlags) conclude(cmd *cobra.Command, r *Report, alerts int64, took time.Duration) {
	out := cli.Out(cmd)
	if !f.count && !out.AsJSON() {
		r.Print(out)
		return
	}
	for _, x := range r.Files {
		for _, t := range x.Trouble {
			cli.Err(cmd).Printf("polder: %s: %s\n", x.File, t)
		}
	}
	if !f.count {
		return
	}
	c := counts{Seconds: took.Seconds(), Rules: r.With.Rules + r.With.Correlations, Indicators: r.With.Indicators + r.With.Patterns, Alerts: alerts}
	for _, x := range r.Files {
		c.Events += x.Events
		c.Bytes += x.Bytes
	}
	_ = out.JSON(c) // its error is that of the writer, which ends the command
}

// outcome is the exit code: 1 when a named file could not be read, or nothing could.
func (f *detectFlags) outcome(r *Report, alerts int64, failed int) error {
	read := 0
	for _, x := range r.Files {
		if x.Format != "" {
			read++
		}
	}
	switch {
	case failed > 0:
		return fmt.Errorf("%d of the named files could not be read; see above", failed)
	case read == 0:
		return errors.New("no file could be read; see above")
	case f.failOnHit && alerts > 0:
		return cli.Nothing
	}
	return nil
}

func rulesCommand() *cobra.Command {
	c := &cobra.Command{Use: "rules", Short: "Check Sigma rules"}
	c.AddCommand(rulesLintCommand())
	return c
}

func rulesLintCommand() *cobra.Command {
	var placeholders []string
	c := &cobra.Command{
		Use:     "lint PATH...",
		Short:   "Load Sigma rules and say what is wrong with them",
		Long:    "Load Sigma rules, correlations and filters from files and folders, and say of each that does not load where it is wrong and what\nwould be right. Exit code 1 when one does not load.",
		Example: "  polder rules lint sigma/rules\n  polder rules lint --json --placeholders lists my-rules",
		Args:    cobra.MinimumNArgs(1),
	}
	c.Flags().StringArrayVar(&placeholders, "placeholders", nil, "a `folder` with NAME.txt for each %NAME% of the rules, a value a line")
	cli.JSONFlag(c)
	c.RunE = func(cmd *cobra.Command, args []string) error {
		o, err := loadOptions(placeholders)
		if err != nil {
			return err
		}
		return lintRules(cmd, args, o)
	}
	return c
}

// lintResult is what `rules lint --json` prints.
type lintResult struct {
	Loaded int         `json:"loaded"`
	Failed []lintError `json:"failed"`
}

type lintError struct {
	File  string `json:"file"`
	Line  int    `json:"line"`
	Error string `json:"error"`
}

func lintRules(cmd *cobra.Command, paths []string, o sigma.LoadOptions) error {
	c, wrong := sigma.Load(paths, o)
	if len(wrong) == 0 {
		if _, err := sigma.Compile(c, sigma.Options{}); err != nil {
			return err
		}
	}
	res := lintResult{Loaded: len(c.Rules) + len(c.Correlations) + len(c.Filters), Failed: []lintError{}}
	for _, e := range wrong {
		res.Failed = append(res.Failed, lintError{File: e.File, Line: e.Line, Error: e.Text})
	}
	out := cli.Out(cmd)
	switch {
	case out.AsJSON():
		if err := out.JSON(res); err != nil {
			return err
		}
	default:
		for _, e := range wrong {
			cli.Err(cmd).Printf("polder: %s\n", e)
		}
		out.Printf("%d loaded, %d failed\n", res.Loaded, len(res.Failed))
	}
	switch {
	case len(wrong) > 0:
		return fmt.Errorf("%d of the rules did not load", len(wrong))
	case res.Loaded == 0:
		return fmt.Errorf("no rule is in %s; rules are .yml or .yaml files", strings.Join(paths, ", "))
	}
	return nil
}
