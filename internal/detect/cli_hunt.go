package detect

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/cli"
	"github.com/polder-exchange/polder/internal/detect/history"
	"github.com/polder-exchange/polder/sigma"
	"github.com/polder-exchange/polder/stix/pattern"
)

// huntFlags are what `polder hunt` is asked.
type huntFlags struct {
	data, org, store, value, pattern, rule string
	since, until                           string
	placeholders                           []string
}

// HuntCommand is `polder hunt`: a look back in a history, of a node or of a folder.
func HuntCommand(now func() time.Time) *cobra.Command {
	var f huntFlags
	c := &cobra.Command{
		Use:   "hunt (--data DIR [--org ID] | --store DIR) (--value V | --pattern P | --rule FILE)",
		Short: "Look back in the events that were kept",
		Long: "Look for a value, a STIX pattern or Sigma rules in the events that a node keeps (--data), or that `polder ingest` put into a\n" +
			"folder (--store). A node keeps the events of each organisation apart: --org says whose they are, and may be left out where\n" +
			"only one has any. A domain finds its subdomains, a network the addresses in it; a value may be defanged, and may name its\n" +
			"kind, as in filename:plan.docx. --json prints a finding a line, as `polder detect` does.\n\n" +
			"A time is a date, a time as in 2026-03-01T12:00:00Z, or how long ago: 7d, 12h, 30m. Events that do not say when they\n" +
			"happened are always looked at.",
		Example: "  polder hunt --store history --value evil[.]example --since 30d\n" +
			"  polder hunt --data node --rule suspicious.yml --since 2026-01-01 --until 2026-02-01 --json",
		Args: cobra.NoArgs,
	}
	fl := c.Flags()
	fl.StringVar(&f.data, "data", "", "the `folder` of a node, which may be running")
	fl.StringVar(&f.org, "org", "", "the `organisation` of the node whose events these are, by its id")
	fl.StringVar(&f.store, "store", "", "the `folder` of a history")
	fl.StringVar(&f.value, "value", "", "a `value`: an address, a network, a domain, a URL, a hash, …")
	fl.StringVar(&f.pattern, "pattern", "", "a STIX `pattern`")
	fl.StringVar(&f.rule, "rule", "", "Sigma rules: a `path` of a file or folder")
	fl.StringArrayVar(&f.placeholders, "placeholders", nil, "a `folder` with NAME.txt for each %NAME% of the rules, a value a line")
	fl.StringVar(&f.since, "since", "", "from this `time` on")
	fl.StringVar(&f.until, "until", "", "up to this `time`, which is not in it")
	cli.JSONFlag(c)
	for _, names := range [][]string{{"data", "store"}, {"value", "pattern", "rule"}} {
		c.MarkFlagsOneRequired(names...)
		c.MarkFlagsMutuallyExclusive(names...)
	}
	c.RunE = func(cmd *cobra.Command, _ []string) error { return f.run(cmd, now()) }
	return c
}

// parseWhen reads a point in time: RFC 3339, a date (its beginning, UTC), or how long before now.
func parseWhen(text string, now time.Time) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04:05", "2006-01-02T15:04", time.DateOnly} {
		if t, err := time.Parse(layout, text); err == nil {
			return t.UTC(), nil
		}
	}
	units := map[byte]time.Duration{'s': time.Second, 'm': time.Minute, 'h': time.Hour, 'd': 24 * time.Hour, 'w': 7 * 24 * time.Hour}
	unit, ok := units[text[len(text)-1]]
	n, err := strconv.ParseUint(text[:len(text)-1], 10, 32)
	if !ok || err != nil || n > uint64(100*365*24*time.Hour/unit) {
		return time.Time{}, fmt.Errorf("%q is no time; write 2026-03-01, 2026-03-01T12:00:00Z or 7d (ago)", text)
	}
	return now.Add(-time.Duration(n) * unit).UTC(), nil
}

// sought is what a person looks for.
type sought struct {
	words   string // what it is, for a sentence
	byValue []history.Value
	pattern *pattern.Pattern
	rules   *sigma.Collection
}

func (f *huntFlags) sought(cmd *cobra.Command) (s sought, err error) {
	switch {
	case f.value != "":
		v, err := history.ParseValue(f.value)
		if err != nil {
			return s, cli.Usagef("--value: %w", err)
		}
		return sought{words: fmt.Sprintf("%s %s", v.Kind, v.Value), byValue: []history.Value{v}}, nil
	case f.pattern != "":
		p, err := pattern.Parse(f.pattern)
		if err != nil {
			return s, cli.Usage(atPattern("--pattern", err))
		}
		return sought{words: "the pattern " + shorten(p.String(), 200), pattern: p}, nil
	case f.rule != "":
		c, _, _, err := loadRules(cmd, []string{f.rule}, f.placeholders)
		if err != nil {
			return s, err
		}
		words := fmt.Sprintf("%d rules", len(c.Rules)+len(c.Correlations))
		if len(c.Rules)+len(c.Correlations) == 1 && len(c.Rules) == 1 {
			words = "the rule " + c.Rules[0].Title
		}
		return sought{words: words, rules: c}, nil
	}
	return s, cli.Usagef("what to look for is empty; give --value, --pattern or --rule")
}

// folder is the history that is looked through.
func (f *huntFlags) folder() (string, error) {
	if f.data == "" {
		if f.org != "" {
			return "", cli.Usagef("--org is of a node; give it with --data, not with --store")
		}
		return f.store, nil
	}
	dir := filepath.Join(f.data, HistoryDir)
	orgs, err := historiesIn(dir)
	switch {
	case err != nil:
		return "", err
	case f.org != "" && !slices.Contains(orgs, polder.OrgID(f.org)):
		return "", polder.Errorf(polder.NotFound, "--org: the node in %s keeps no history of %.80q; it keeps %s", f.data, f.org, historiesOf(orgs))
	case f.org != "":
		return filepath.Join(dir, f.org), nil
	case len(orgs) == 0:
		return "", polder.Errorf(polder.NotFound, "the node in %s keeps no history yet; it begins with the first events that it takes in", f.data)
	case len(orgs) > 1:
		return "", cli.Usagef("the node in %s keeps %s; say with --org which of them", f.data, historiesOf(orgs))
	}
	return filepath.Join(dir, string(orgs[0])), nil
}

// historiesOf lists organisations in words.
func historiesOf(orgs []polder.OrgID) string {
	if len(orgs) == 0 {
		return "none at all"
	}
	names := make([]string, len(orgs))
	for i, o := range orgs {
		names[i] = string(o)
	}
	return "those of " + strings.Join(names, ", ")
}

func (f *huntFlags) run(cmd *cobra.Command, now time.Time) error {
	since, err := parseWhen(f.since, now)
	if err != nil {
		return cli.Usagef("--since: %w", err)
	}
	until, err := parseWhen(f.until, now)
	if err != nil {
		return cli.Usagef("--until: %w", err)
	}
	if !since.IsZero() && !until.IsZero() && !since.Before(until) {
		return cli.Usagef("--since %s is not before --until %s; turn them round", f.since, f.until)
	}
	what, err := f.sought(cmd)
	if err != nil {
		return err
	}
	dir, err := f.folder()
	if err != nil {
		return err
	}
	store, err := history.Open(dir, history.Options{ReadOnly: true})
	if err != nil {
		return err
	}
	defer store.Close()
	r := huntReport{words: what.words, since: since, until: until}
	out := cli.Out(cmd)
	bar := cli.NewProgress(cmd, "hunting", -1)
	h := Hunt{Store: store, Since: since, Until: until, Progress: func(p history.Progress) { bar.Set(int64(p.Done)) }}
	take := func(x *Finding) error {
		if out.AsJSON() {
			return out.JSON(x.line())
		}
		r.add(x)
		return nil
	}
	done, err := what.hunt(cmd.Context(), &h, take)
	bar.Done()
	if err != nil {
		return err
	}
	if !out.AsJSON() {
		r.print(out, &done)
	}
	return done.outcome(cmd)
}

func (s *sought) hunt(ctx context.Context, h *Hunt, take func(*Finding) error) (Hunted, error) {
	switch {
	case s.pattern != nil:
		return h.Pattern(ctx, s.pattern, take)
	case s.rules != nil:
		return h.Rules(ctx, s.rules, take)
	}
	return h.Values(ctx, s.byValue, take)
}

// outcome is the exit code: 1 when the answer is not whole.
func (h *Hunted) outcome(cmd *cobra.Command) error {
	for _, text := range h.Damaged {
		cli.Err(cmd).Printf("polder: %s\n", text)
	}
	switch {
	case h.Progress.Damaged > 0:
		return fmt.Errorf("%d segments of the history cannot be read, so the answer is not whole; restore them from a backup, or remove them", h.Progress.Damaged)
	case h.Skipped > 0 && h.Open == 0 && h.Segments == h.Skipped:
		return errors.New("of the time asked for only values were kept, not the events themselves, so rules and patterns cannot be run; hunt for a --value")
	}
	return nil
}

// shownHits is how many findings of a hunt are listed for a person.
const shownHits = 100

// huntReport gathers what a hunt found, for a person.
type huntReport struct {
	words        string
	since, until time.Time
	count        int64
	first, last  time.Time
	hosts        places
	accounts     places
	files        places
	rows         [][]string
}

func (r *huntReport) add(f *Finding) {
	r.count++
	if !f.Time.IsZero() && (r.first.IsZero() || f.Time.Before(r.first)) {
		r.first = f.Time
	}
	if f.Time.After(r.last) {
		r.last = f.Time
	}
	r.hosts.add(f.Host)
	r.accounts.add(f.Account)
	r.files.add(f.File)
	if len(r.rows) == shownHits {
		return
	}
	when, field, value := "no time", "", ""
	if !f.Time.IsZero() {
		when = f.Time.UTC().Format("2006-01-02 15:04:05")
	}
	if len(f.Evidence) > 0 {
		field, value = f.Evidence[0].Field, shorten(f.Evidence[0].Value, 80)
	}
	r.rows = append(r.rows, []string{when, f.Host, shorten(f.Title, 60), field, value, f.File + ":" + strconv.Itoa(f.Event)})
}

// print writes the answer, then what was found.
func (r *huntReport) print(p *cli.Printer, h *Hunted) {
	if r.count == 0 {
		p.Printf("NOT FOUND: %s, %s.\n", r.words, r.span())
	} else {
		p.Printf("FOUND: %s, %s, %s.\n", r.words, times(r.count), r.span())
		if !r.first.IsZero() {
			p.Printf("  first     %s\n  last      %s\n", r.first.UTC().Format(time.RFC3339), r.last.UTC().Format(time.RFC3339))
		}
		for _, at := range []struct {
			name string
			of   places
		}{{"hosts", r.hosts}, {"accounts", r.accounts}, {"files", r.files}} {
			if len(at.of.Names) > 0 {
				p.Printf("  %-9s %s\n", at.name, at.of.String())
			}
		}
		p.Printf("\n")
		p.Table([]string{"TIME", "HOST", "WHAT", "FIELD", "VALUE", "EVENT"}, r.rows)
		if more := r.count - int64(len(r.rows)); more > 0 {
			p.Printf("and %d more; --json has them all\n", more)
		}
		p.Printf("\nWhat to do now\n  1. Look at what these hosts and accounts did just before and after.\n" +
			"  2. Keep the log files named above; do not clean a machine before somebody has looked at it.\n")
	}
	p.Printf("\nLooked at %d segments of history; opened %d, with %d events.\n", h.Segments, h.Open, h.Events)
	if h.Skipped > 0 {
		p.Printf("%d segments hold values alone, which rules and patterns cannot look at.\n", h.Skipped)
	}
}

// span is the time that was asked for, in words.
func (r *huntReport) span() string {
	day := func(t time.Time) string { return t.UTC().Format(time.RFC3339) }
	switch {
	case r.since.IsZero() && r.until.IsZero():
		return "in all that is kept"
	case r.until.IsZero():
		return "since " + day(r.since)
	case r.since.IsZero():
		return "before " + day(r.until)
	}
	return "from " + day(r.since) + " to " + day(r.until)
}
