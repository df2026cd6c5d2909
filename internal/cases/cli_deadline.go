package cases

import (
	"cmp"
	"errors"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/polder-exchange/polder/deadline"
	"github.com/polder-exchange/polder/internal/cli"
)

// deadlineFlags are what `polder deadlines` is asked.
type deadlineFlags struct {
	packs, jurisdiction, sector, kind, aware string
	events                                   []string
	now                                      func() time.Time
}

func deadlinesCommand(now func() time.Time) *cobra.Command {
	f := deadlineFlags{now: now}
	c := &cobra.Command{
		Use:   "deadlines --jurisdiction NL --sector S --kind KIND --aware TIME",
		Short: "Say what must be reported, to whom and until when",
		Long: "Count the deadlines of the law from the moment something was first known: NIS2, GDPR, CRA, DORA and the whistleblower\n" +
			"directive, with national law where it is known. It works on this machine alone, needs no node and sends nothing.\n\n" +
			"Hours run from the moment itself and never pause. Days and months end with their last day (23:59:59 there), and move to the\n" +
			"next working day where the act says so. What waits for an event, or is due without a fixed time, is listed last; its \"due\"\n" +
			"is then empty. Each deadline says whether the duty is in force, voluntary, or unconfirmed: then the national law could not\n" +
			"be established, and whoever is careful acts as if it held.\n\n" +
			"Rules are files: --packs DIR counts by the packs of a folder instead of those in the program.\n\n" +
			"Exit status: 0 done, 1 refused or failed (a pack is wrong), 2 wrong usage (a word is not known).",
		Example: "  polder deadlines --jurisdiction NL --sector energy --kind incident --aware 2026-11-22T09:44:00+01:00\n" +
			"  polder deadlines --jurisdiction DE --sector banking --kind incident --aware \"2026-11-22 09:44\" --event classified=\"2026-11-22 15:00\"\n" +
			"  polder deadlines --jurisdiction NL --kind personal-data-breach --aware 2026-11-22T09:44 --json",
		Args: cobra.NoArgs,
	}
	fl := c.Flags()
	fl.StringVar(&f.packs, "packs", "", "count by the packs (*.yaml) in this `folder`")
	fl.StringVar(&f.jurisdiction, "jurisdiction", "", "the member `state` of the main establishment, as NL, or EU")
	fl.StringVar(&f.sector, "sector", "any", "the `sector`, as energy, banking or manufacturing; any lists whatever may hold")
	fl.StringVar(&f.kind, "kind", "", "`what` happened: incident, personal-data-breach, exploited-vulnerability, …")
	fl.StringVar(&f.aware, "aware", "", "the `time` when it was first known: RFC 3339, or 2026-11-22 09:44 in the zone of the jurisdiction; now is this moment")
	fl.StringArrayVar(&f.events, "event", nil, "what else has happened and when, as `name=time`: classified, ongoing, handled, corrective-measure, sent:notification")
	cli.JSONFlag(c)
	for _, name := range []string{"jurisdiction", "kind", "aware"} {
		_ = c.MarkFlagRequired(name)
	}
	c.RunE = f.run
	return c
}

func (f *deadlineFlags) run(cmd *cobra.Command, _ []string) error {
	var packs deadline.Packs
	if f.packs != "" {
		info, err := os.Stat(f.packs)
		if err == nil && !info.IsDir() {
			return cli.Usagef("--packs %s: is a file; name the folder that it lies in", f.packs)
		}
		if packs, err = deadline.Load(os.DirFS(f.packs)); err != nil {
			return deadlinePackError(f.packs, err)
		}
	}
	s, err := f.situation(packs)
	if err != nil {
		return cli.Usage(err)
	}
	all, err := packs.Due(s)
	if err != nil {
		return cli.Usage(err)
	}
	out := cli.Out(cmd)
	if out.AsJSON() {
		return out.JSON(deadlineAnswer{Deadlines: deadlineLines(all)})
	}
	printDeadlines(out, all)
	return nil
}

// deadlinePackError names a wrong pack by the path that the caller can open.
func deadlinePackError(dir string, err error) error {
	wrong, ok := errors.AsType[*deadline.FileError](err)
	if !ok {
		return err
	}
	dir = strings.TrimRight(dir, "/")
	return cli.At(dir+"/"+wrong.File, wrong.Line, errors.New(wrong.Text))
}

// situation is what the flags ask.
func (f *deadlineFlags) situation(packs deadline.Packs) (s deadline.Situation, err error) {
	zone, err := packs.Zone(f.jurisdiction)
	if err != nil {
		return s, err
	}
	s = deadline.Situation{Jurisdiction: f.jurisdiction, Sector: cmp.Or(f.sector, "any"), Kind: f.kind, Events: map[string]time.Time{}}
	if s.Aware, err = deadlineMoment("--aware", f.aware, zone, f.now); err != nil {
		return s, err
	}
	for _, e := range f.events {
		name, at, _ := strings.Cut(e, "=")
		if name, err = packs.Event(name); err != nil {
			return s, err
		}
		if s.Events[name], err = deadlineMoment("--event "+name, at, zone, f.now); err != nil {
			return s, err
		}
	}
	return s, nil
}

// deadlineMoment reads a time as people write it; without a zone it is the local time of a place.
func deadlineMoment(what, text string, zone *time.Location, now func() time.Time) (time.Time, error) {
	text = strings.TrimSpace(text)
	if text == "now" {
		return now(), nil
	}
	if t, err := time.Parse(time.RFC3339Nano, text); err == nil {
		return t, nil
	}
	for _, form := range []string{"2006-01-02T15:04:05", "2006-01-02T15:04", "2006-01-02 15:04:05", "2006-01-02 15:04"} {
		t, err := time.ParseInLocation(form, text, zone)
		if err != nil {
			continue
		}
		if t.Format(form) != text { // the hour that is left out when summer time begins
			return t, cliTime(what, text, "there is no such time in "+zone.String()+": the clock was put forward; ")
		}
		return earlierOfTwo(t), nil
	}
	return time.Time{}, cliTime(what, text, "")
}

func cliTime(what, text, why string) error {
	if len(text) > 60 {
		text = text[:60] + "…"
	}
	return errors.New(what + " \"" + text + "\" cannot be read as a time; " + why + "write 2026-11-22T09:44:00+01:00, or 2026-11-22 09:44 in the time of the jurisdiction")
}

// earlierOfTwo is the first of the two moments that a local time names in the night when summer time ends: the safe side.
func earlierOfTwo(t time.Time) time.Time {
	const form = "2006-01-02T15:04:05"
	if before := t.Add(-time.Hour); before.Format(form) == t.Format(form) {
		return before
	}
	return t
}

// deadlineAnswer is what --json prints, and GET /api/v1/deadlines answers.
type deadlineAnswer struct {
	Deadlines []deadlineLine `json:"deadlines"`
}

// deadlineLine is one deadline. due is RFC 3339 in the zone of the jurisdiction; empty where there is no fixed time, or
// where the rule waits for an event.
type deadlineLine struct {
	Regulation   string `json:"regulation"`
	What         string `json:"what"`
	Due          string `json:"due"`
	Source       string `json:"source"`
	ID           string `json:"id"`
	Jurisdiction string `json:"jurisdiction"`
	Article      string `json:"article"`
	Delay        string `json:"delay"`
	Start        string `json:"start,omitempty"` // from when it is counted
	Recipient    string `json:"recipient"`
	Form         string `json:"form,omitempty"`
	Status       string `json:"status"`              // in-force, voluntary or unconfirmed
	Estimated    bool   `json:"estimated,omitempty"` // counted from the last moment of a report that was not sent yet
	Waits        string `json:"waits,omitempty"`     // the event that it waits for
	Why          string `json:"why"`
	Note         string `json:"note,omitempty"`
}

func deadlineLines(all []deadline.Deadline) []deadlineLine {
	out := []deadlineLine{}
	for _, d := range all {
		out = append(out, deadlineLine{d.Regulation, d.Rule.What, deadlineRFC(d.Due), d.Rule.Source, d.ID, d.Jurisdiction, d.Rule.Article, d.Rule.Delay, deadlineRFC(d.Start), d.Rule.Recipient, d.Rule.Form, d.Status,
			d.Estimated, d.Waits, d.Why, d.Note})
	}
	return out
}

// deadlineRFC is a time in its zone; nothing for none.
func deadlineRFC(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.Format(time.RFC3339)
}

func printDeadlines(out *cli.Printer, all []deadline.Deadline) {
	if len(all) == 0 {
		out.Printf("No duty to report was found for this.\n")
		return
	}
	var rows [][]string
	for _, d := range all {
		due := d.Rule.Delay
		switch {
		case d.Waits != "":
			due += " after: " + d.Waits
		case !d.Due.IsZero():
			due = d.Due.Format("Mon 2 Jan 2006 15:04 MST")
		}
		if d.Estimated {
			due += " (estimate)"
		}
		if d.Status != deadline.InForce {
			due += " (" + d.Status + ")"
		}
		rows = append(rows, []string{d.Regulation, d.Rule.What, due, d.Rule.Recipient, d.Rule.Article})
	}
	out.Table([]string{"act", "what", "until", "to", "article"}, rows)
	said := map[string]bool{}
	for _, d := range all {
		if d.Status == deadline.Unconfirmed && !said[d.Regulation] {
			said[d.Regulation] = true
			out.Printf("%s: %s\n", d.Regulation, d.Note)
		}
	}
}
