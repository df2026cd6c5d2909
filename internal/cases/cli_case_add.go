package cases

import (
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/polder-exchange/polder/indicator"
	"github.com/polder-exchange/polder/internal/cli"
	"github.com/polder-exchange/polder/stix"
)

// caseOpenFlags are what `polder case open` is asked.
type caseOpenFlags struct {
	now                                                                                  func() time.Time
	title, summary, kind, class, severity, tlp, aware, occurred, sector, victim, noticed string
	roads, countries                                                                     []string
}

func caseOpenCommand(now func() time.Time) *cobra.Command {
	f := caseOpenFlags{now: now}
	c := &cobra.Command{
		Use:   "open --title TITLE",
		Short: "Open a case",
		Long: "Open a case. You become its lead, and nobody else sees it until you let them in. --aware is when your organisation first\n" +
			"knew: every clock of the law runs from it, so say it as it was.",
		Example: "  polder case open --title \"Drawings left the house\" --aware 2026-11-22T09:44:00+01:00 --severity high --json",
		Args:    cobra.NoArgs,
	}
	node := cli.NodeFlags(c)
	fl := c.Flags()
	fl.StringVar(&f.title, "title", "", "what it is, in a line of `text`")
	fl.StringVar(&f.summary, "summary", "", "what is known, in a few sentences of `text`")
	fl.StringVar(&f.aware, "aware", "", "`when` your organisation first knew: RFC 3339 (default now)")
	fl.StringVar(&f.occurred, "occurred", "", "`when` it began, as far as known: RFC 3339")
	fl.StringVar(&f.noticed, "noticed", "", "when it was noticed, in the `words` of who noticed")
	fl.StringVar(&f.kind, "kind", "", "the `kind`: incident, near-miss, approach or suspicion (default incident)")
	fl.StringVar(&f.class, "class", "", "the `class` of the RSIT, as fraud/phishing")
	fl.StringVar(&f.severity, "severity", "", "the `severity`: low, medium, high or critical (default medium)")
	fl.StringVar(&f.tlp, "tlp", "", "the `level` of the case's own fields (default amber+strict)")
	fl.StringVar(&f.sector, "sector", "", "the `sector`, as `polder deadlines` knows it")
	fl.StringVar(&f.victim, "victim", "", "`who` is hit, where it is not your organisation")
	fl.StringSliceVar(&f.roads, "road", nil, "the `road` by which it came: cyber, insider, acquisition, export, research")
	fl.StringSliceVar(&f.countries, "country", nil, "a `country` that it touches, as NL")
	_ = c.MarkFlagRequired("title")
	cli.JSONFlag(c)
	c.RunE = func(cmd *cobra.Command, _ []string) error {
		in, err := f.body()
		if err != nil {
			return err
		}
		n, err := node()
		if err != nil {
			return err
		}
		var v CaseView
		if err := n.Do(cmd.Context(), http.MethodPost, "/api/v1/cases", in, &v); err != nil {
			return err
		}
		return casePrintID(cmd, string(v.ID))
	}
	return c
}

// casePrintID prints the id of what was made.
func casePrintID(cmd *cobra.Command, id string) error {
	out := cli.Out(cmd)
	if out.AsJSON() {
		return out.JSON(struct {
			ID string `json:"id"`
		}{id})
	}
	out.Printf("%s\n", id)
	return nil
}

func (f caseOpenFlags) body() (in CaseNew, err error) {
	in = CaseNew{Title: f.title, Summary: f.summary, Kind: Kind(f.kind), Class: f.class, Severity: Severity(f.severity), Sector: f.sector, Victim: f.victim, Noticed: f.noticed, Countries: f.countries}
	for _, r := range f.roads {
		in.Roads = append(in.Roads, Road(r))
	}
	if in.Level, err = caseLevelFlag("tlp", f.tlp); err != nil {
		return in, err
	}
	if in.Aware, err = f.time("aware", f.aware); err != nil {
		return in, err
	}
	in.Occurred, err = f.time("occurred", f.occurred)
	return in, err
}

func caseLevelFlag(name, text string) (stix.Marking, error) {
	if text == "" {
		return stix.None, nil
	}
	l, err := stix.ParseMarking(text)
	if err != nil {
		return l, cli.Usagef("--%s: %v", name, err)
	}
	return l, nil
}

func (f caseOpenFlags) time(name, text string) (time.Time, error) {
	return caseTimeFlag(f.now, name, text)
}

// caseTimeFlag reads a time; "now" is this moment, nothing is none.
func caseTimeFlag(now func() time.Time, name, text string) (time.Time, error) {
	switch text {
	case "":
		return time.Time{}, nil
	case "now":
		return now().UTC(), nil
	}
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return t, cli.Usagef("--%s %q is no time; write it as 2026-11-22T09:44:00+01:00, or now", name, exportClip(text, 40))
	}
	return t, nil
}

// caseAddFlags are what `polder case add` is asked.
type caseAddFlags struct {
	now                                         func() time.Time
	kind, title, text, tlp, at, typ, value, why string
	bad, weighs, confirm                        bool
}

func caseAddCommand(now func() time.Time) *cobra.Command {
	f := caseAddFlags{now: now}
	c := &cobra.Command{
		Use:   "add ID --kind KIND",
		Short: "Add an entry, an observable, a note, a task or a decision to a case",
		Long: "Add an item to a case. Without --tlp it is marked as the case. The type of an observable is recognised unless --type says\n" +
			"it; a value that the case holds already is given back.",
		Example: "  polder case add ID --kind entry --title \"The message came in\" --at 2026-11-20T08:10:00Z\n" +
			"  polder case add ID --kind observable --value drawings[.]example --adversary --tlp green\n" +
			"  polder case add ID --kind decision --title \"Take the server off\" --reason \"files still went out\" --json",
		Args: cobra.ExactArgs(1),
	}
	node := cli.NodeFlags(c)
	fl := c.Flags()
	fl.StringVar(&f.kind, "kind", "", "the `kind`: entry, observable, note, task or decision")
	fl.StringVar(&f.title, "title", "", "what it is, in a line of `text`")
	fl.StringVar(&f.text, "text", "", "more of it, as `text`")
	fl.StringVar(&f.tlp, "tlp", "", "its `level` (default that of the case)")
	fl.StringVar(&f.at, "at", "", "`when` it happened, is due or was decided: RFC 3339 (default now)")
	fl.StringVar(&f.value, "value", "", "the `value` of an observable, defanged or not")
	fl.StringVar(&f.typ, "type", "", "the `type` of an observable, where it is not recognised")
	fl.BoolVar(&f.bad, "adversary", false, "the value is known to be the adversary's")
	fl.BoolVar(&f.weighs, "weighs", false, "the entry weighs")
	fl.StringVar(&f.why, "reason", "", "why it was decided, as `text`")
	fl.BoolVar(&f.confirm, "confirm", false, "go on although the text gives away what is marked stricter")
	_ = c.MarkFlagRequired("kind")
	cli.JSONFlag(c)
	c.RunE = func(cmd *cobra.Command, args []string) error {
		in, err := f.body()
		if err != nil {
			return err
		}
		n, err := node()
		if err != nil {
			return err
		}
		var it Item
		if err := n.Do(cmd.Context(), http.MethodPost, caseAddress(args[0], "items"), in, &it); err != nil {
			return err
		}
		return casePrintID(cmd, it.ID)
	}
	return c
}

// caseAddKinds are the kinds of item that the command adds.
var caseAddKinds = []ItemKind{ItemEntry, ItemObservable, ItemNote, ItemTask, ItemDecision}

func (f caseAddFlags) body() (in ItemBody, err error) {
	in = ItemBody{Kind: ItemKind(f.kind), Title: f.title, Text: f.text, Weighs: f.weighs, Confirmed: f.confirm}
	if !slices.Contains(caseAddKinds, in.Kind) {
		return in, cli.Usagef("--kind %q is none of entry, observable, note, task and decision", exportClip(f.kind, 40))
	}
	if in.Level, err = caseLevelFlag("tlp", f.tlp); err != nil {
		return in, err
	}
	if in.At, err = caseTimeFlag(f.now, "at", f.at); err != nil {
		return in, err
	}
	switch in.Kind {
	case ItemObservable:
		in.Observable, err = f.observable()
	case ItemTask:
		in.Task = &ItemTaskBody{}
	case ItemDecision:
		if strings.TrimSpace(f.why) == "" {
			return in, cli.Usagef("--reason: a decision has a reason; say why")
		}
		in.Decision = &ItemDecisionBody{Reason: f.why}
	}
	return in, err
}

// observable is the value with its type.
func (f caseAddFlags) observable() (*Observable, error) {
	if strings.TrimSpace(f.value) == "" {
		return nil, cli.Usagef("--value: give the value that was seen")
	}
	if f.typ == "" {
		kind, value, err := indicator.Recognise(f.value)
		if err != nil {
			return nil, cli.Usagef("--value %q: %v; say what it is with --type", exportClip(f.value, 60), err)
		}
		return &Observable{Type: kind, Value: value, Bad: f.bad}, nil
	}
	kind, err := indicator.ParseKind(f.typ)
	if err != nil {
		return nil, cli.Usagef("--type: %v", err)
	}
	return &Observable{Type: kind, Value: f.value, Bad: f.bad}, nil
}
