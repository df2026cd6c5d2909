package node

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/cli"
)

// This file is `polder demo`: a node in a folder of its own, on which organisations of a chip supply chain live through
// an intrusion together. Everything goes by the faces that users have (REST, TAXII, the live stream, the console's
// log-in, the command line), with the tokens and passwords that users would have.

func demoCommand() *cobra.Command {
	var listen string
	var once bool
	c := &cobra.Command{
		Use:   "demo",
		Short: "Show a node at work, with organisations that share",
		Long: "Start a node in a temporary folder and play a story on it: an intrusion at a small firm, shared without its name, asked about,\n" +
			"seen live by those who may and by nobody else, and found in the logs of others, which stay where they are; then an order\n" +
			"whose parties are held against lists, all of them made up; then a report without a name, and the case that comes of it; then nodes\n" +
			"of other firms, one of which lies. Each step is checked. Then the node stays up, with an event now and then, until Ctrl-C, which removes everything. With --once it ends\n" +
			"after the story; a step that fails means exit status 1.",
		Example: "  polder demo\n  polder demo --listen 127.0.0.1:8080\n  polder demo --once --json",
		Args:    cobra.NoArgs,
	}
	c.Flags().StringVar(&listen, "listen", "127.0.0.1:0", "`address` and port on this machine; port 0 takes a free one")
	c.Flags().BoolVar(&once, "once", false, "end after the story")
	cli.JSONFlag(c)
	c.RunE = func(cmd *cobra.Command, _ []string) error {
		if !loopback(listen) {
			return cli.Usagef("--listen: %s is not on this machine; the demo speaks without TLS, so use 127.0.0.1:PORT", listen)
		}
		return demo(cmd, listen, once)
	}
	return c
}

func demo(cmd *cobra.Command, listen string, once bool) (err error) {
	ctx, out := cmd.Context(), cli.Out(cmd)
	dir, err := os.MkdirTemp("", "polder-demo-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	if !out.AsJSON() {
		out.Printf("Polder demo: setting up %d organisations …\n", len(cast))
	}
	st, err := openStage(ctx, dir, listen, cmd.ErrOrStderr())
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, st.close()) }()
	tell := func(scene, outcome) {}
	if !out.AsJSON() {
		out.Printf("The node is up: %s\n\n", st.url)
		tell = func(s scene, o outcome) { printOutcome(out, s, o) }
	}
	sum, err := st.play(ctx, story(), tell)
	if errors.Is(err, context.Canceled) {
		return err
	}
	if !once {
		sum.LogIns = st.logins
	}
	if out.AsJSON() {
		err = errors.Join(out.JSON(sum), err)
	} else {
		printSummary(out, sum)
	}
	if err != nil || once {
		return err
	}
	st.feeds.stop()
	if !out.AsJSON() {
		printGuide(out, st)
	}
	return st.goOn(ctx)
}

// summary is what `polder demo --json` prints.
type summary struct {
	OK            bool         `json:"ok"`
	Node          string       `json:"node"`
	Organisations []orgSummary `json:"organisations"`
	Steps         []outcome    `json:"steps"`
	Objects       int          `json:"objects"` // deliveries of objects, withdrawals not counted
	Latency       latency      `json:"latency_ms"`
	Leaks         leaks        `json:"leaks"`
	LogIns        []login      `json:"log_ins,omitempty"` // while the node stays up
}

// orgSummary says what an organisation may see of the story and what reached its live stream.
type orgSummary struct {
	Name   string       `json:"name"`
	ID     polder.OrgID `json:"id"`
	MaySee int          `json:"may_see"`
	Saw    int          `json:"saw"`
}

// outcome is how one step went.
type outcome struct {
	Step  string  `json:"step"`
	OK    bool    `json:"ok"`
	MS    float64 `json:"ms"`
	Error string  `json:"error,omitempty"`
}

// latency is the time from the number that a delivery got to its arrival at a subscriber, in milliseconds.
type latency struct {
	P50 float64 `json:"p50"`
	P99 float64 `json:"p99"`
}

// leaks counts the pairs of a delivery and an organisation that may not see it, and those that it saw all the same.
type leaks struct {
	Checked int `json:"checked"`
	Found   int `json:"found"`
}

func printOutcome(out *cli.Printer, s scene, o outcome) {
	mark := "ok  "
	if !o.OK {
		mark = "FAIL"
	}
	out.Printf("  %s %7.1f ms  %s\n", mark, o.MS, s.says)
	if !o.OK {
		out.Printf("       %s: %s\n", o.Step, o.Error)
	}
}

func printSummary(out *cli.Printer, s summary) {
	out.Printf("\nWho saw what, live:\n")
	var rows [][]string
	for _, o := range s.Organisations {
		rows = append(rows, []string{"  " + o.Name, fmt.Sprint(o.MaySee), fmt.Sprint(o.Saw)})
	}
	out.Table([]string{"  ORGANISATION", "MAY SEE", "SAW"}, rows)
	out.Printf("\n%d objects shared; %d times an object was looked for where it may not be, found %d times.\n", s.Objects, s.Leaks.Checked, s.Leaks.Found)
	out.Printf("From stored to on the screen: %.1f ms in the middle, %.1f ms at the slow end.\n", s.Latency.P50, s.Latency.P99)
}

func printGuide(out *cli.Printer, st *stage) {
	out.Printf("\nOpen  %s  and log in as one of these:\n\n", st.url)
	var rows [][]string
	for _, l := range st.logins {
		rows = append(rows, []string{"  " + l.Org, l.Role, l.Email, l.Password})
	}
	out.Table([]string{"  ORGANISATION", "ROLE", "LOG-IN", "PASSWORD"}, rows)
	out.Printf(`
Look at this first:
  1. As Meridiaan Lithografie: the overview moves by itself. Search for TIDEGATE, see what it hangs together with,
     and that nobody can tell who shared it.
  2. As Klepwerk, whose machine it was: the same object, and the audit page, which shows the share to you alone.
     Then the alerts: what others shared was found in Klepwerk's own log, which nobody else reads.
  3. As Okular Optik: the object that the alert came from. It was seen, it helped; by whom, nobody says.
  4. As Meridiaan again: forty drawings on a stick, and a name that was in last week's log before anybody knew it.
  5. As Noor Hendriks of Klepwerk (export@klepwerk.example): what waits for a decision, a name in two scripts side by
     side, the two people who refuted it, the list's last change and the customer that it met, the record to print.
  6. As the same Noor Hendriks: the case, its clocks and forms; then Cases, Reports, where this passphrase opens what
     somebody dared to say:  %s
  7. As nobody, in a private window: %s/report, the page on which she said it. No account, no cookie.
  8. As Noordermeer Bank: none of it. Another community, and not a word of this one.
  9. As the National CSIRT: the second server, marked RED, which only two others can read.

Further nodes, each with its own database and keys, linked to the hub:

`, st.held["klepwerk passphrase"], st.url)
	rows = nil
	for _, key := range []string{"maker", "sme", "liar"} {
		o := st.outposts[key]
		for _, l := range o.logins {
			rows = append(rows, []string{"  " + o.url, l.Org, l.Role, l.Email, l.Password})
		}
	}
	out.Table([]string{"  NODE", "ORGANISATION", "ROLE", "LOG-IN", "PASSWORD"}, rows)
	out.Printf(`
 10. As the administrator of the hub: Peers shows the link to Grauwe Haven and what it was caught at; Log shows who
     witnessed. As the analyst of Lichtlijn, on its own node (in a private window: cookies are the machine's, not the
     port's): what came from Pompwerk, and that nobody says so.

Something happens every few seconds. Ctrl-C ends the demo and removes everything.
`)
}

// round gives milliseconds with one digit.
func round(d time.Duration) float64 {
	return float64(d.Round(100*time.Microsecond)) / float64(time.Millisecond)
}
