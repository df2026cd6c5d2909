package payback

import (
	"cmp"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/polder-exchange/polder/internal/cli"
)

// Commands are those of payback.
func Commands() []*cobra.Command {
	c := &cobra.Command{
		Use:     "payback",
		Short:   "See what your knowledge did, and how a community is",
		Example: "  polder payback show --node http://127.0.0.1:8080\n  polder payback health --node http://127.0.0.1:8080 --community chips\n  polder payback rules",
	}
	c.AddCommand(showCommand(), contributorsCommand(), healthCommand(), rulesCommand())
	return []*cobra.Command{c}
}

// asking is a command that prints what a node answers.
func asking[T any](c *cobra.Command, needsCommunity bool, path func(community string) string, print func(*cli.Printer, T)) *cobra.Command {
	var community string
	node := cli.NodeFlags(c)
	c.Args = cobra.NoArgs
	c.Flags().StringVar(&community, "community", "", "the community's `alias`")
	if needsCommunity {
		_ = c.MarkFlagRequired("community")
	}
	cli.JSONFlag(c)
	c.RunE = func(cmd *cobra.Command, _ []string) error {
		n, err := node()
		if err != nil {
			return err
		}
		var out T
		if err := n.Do(cmd.Context(), http.MethodGet, path(community), nil, &out); err != nil {
			return err
		}
		p := cli.Out(cmd)
		if p.AsJSON() {
			return p.JSON(out)
		}
		print(p, out)
		return nil
	}
	return c
}

func showCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "show",
		Short: "What the knowledge of your organisation did",
		Long: "What others did with what your organisation shared: sightings, blocks, agreement, false positives, answers; and its quality\n" +
			"score with its parts. How many members did something is told from five up; below that it is \"some\".",
		Example: "  polder payback show --node http://127.0.0.1:8080\n  polder payback show --community chips --json",
	}
	return asking(c, false, func(community string) string {
		if community == "" {
			return "/api/v1/payback"
		}
		return "/api/v1/payback?community=" + url.QueryEscape(community)
	}, func(p *cli.Printer, a Account) {
		p.Table([]string{"EFFECT", "OBJECTS", "TIMES", "MEMBERS"}, [][]string{
			{"shared", strconv.Itoa(a.Objects), "", ""}, effectRow("sighted", a.Sightings), effectRow("blocked", a.Blocks), effectRow("agreed with", a.Agreements),
			effectRow("false positive", a.False), effectRow("questions answered", a.Answers),
		})
		printScore(p, a.Quality)
		for _, t := range a.Most {
			p.Printf("%s  seen by %s, blocked by %s, called false by %s  %s\n", t.ID, t.Sightings.text(), t.Blocks.text(), t.False.text(), t.Title)
		}
	})
}

func effectRow(name string, e Effect) []string {
	return []string{name, strconv.Itoa(e.Objects), strconv.Itoa(e.Times), e.Members.text()}
}

func (m Members) text() string {
	if m.Says() == "counted" {
		return strconv.Itoa(m.Count())
	}
	return m.Says()
}

func printScore(p *cli.Printer, s Score) {
	if !s.Known {
		p.Printf("quality: too little to say; others said something about %d objects, and it takes %d\n", s.Judged, s.Least)
		return
	}
	p.Printf("quality: %d of 100, from %d objects, %d of them judged by others\n", s.Value, s.Objects, s.Judged)
	for _, part := range s.Parts {
		p.Printf("  %-16s %5.1f of %d  %s\n", part.Name, part.Points, part.Weight, part.Says)
	}
}

func contributorsCommand() *cobra.Command {
	c := &cobra.Command{
		Use:     "contributors --community ALIAS",
		Short:   "The quality of those whom you tell apart: members by name, and pseudonyms",
		Example: "  polder payback contributors --node http://127.0.0.1:8080 --community chips",
	}
	return asking(c, true, func(community string) string {
		return "/api/v1/communities/" + url.PathEscape(community) + "/contributors"
	}, func(p *cli.Printer, l contributorList) {
		var rows [][]string
		for _, one := range l.Contributors {
			value := "too little to say"
			if one.Quality.Known {
				value = strconv.Itoa(one.Quality.Value)
			}
			rows = append(rows, []string{cmp.Or(one.Name, one.ID), strconv.Itoa(one.Quality.Objects), strconv.Itoa(one.Quality.Judged), value})
		}
		p.Table([]string{"CONTRIBUTOR", "OBJECTS", "JUDGED", "QUALITY"}, rows)
	})
}

func healthCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "health --community ALIAS",
		Short: "How a community is: who gives, who takes, how fast it is",
		Long: "How a community is, from what all of it was given in the last 90 days. Members are counted in groups of at least five, and\n" +
			"nothing is told of fewer.",
		Example: "  polder payback health --node http://127.0.0.1:8080 --community chips",
	}
	return asking(c, true, func(community string) string {
		return "/api/v1/communities/" + url.PathEscape(community) + "/health"
	}, printHealth)
}

func printHealth(p *cli.Printer, h Health) {
	rows := [][]string{
		{"members", strconv.Itoa(h.Members)}, {"who give", h.Givers.text()}, {"who answer", h.Answerers.text()}, {"who take block lists", h.Takers.text()},
		{"first sight to shared", h.ToShared.text()}, {"shared to last member", h.ToLast.text()},
		{"questions answered", h.Questions.text()}, {"withdrawn", h.Withdrawn.text()}, {"expired", h.Expired.text()},
	}
	p.Table([]string{"IN " + strconv.Itoa(h.Days) + " DAYS", ""}, rows)
	for i, b := range h.Gives {
		p.Printf("group %d of %d members gives %.0f %%\n", i+1, b.Members, 100*b.Share)
	}
	for i, b := range h.Takes {
		p.Printf("group %d of %d members takes %.0f %%\n", i+1, b.Members, 100*b.Share)
	}
	for _, w := range h.Weeks {
		if w.Objects > 0 {
			p.Printf("week of %s: %d objects\n", w.Begins.Format(time.DateOnly), w.Objects)
		}
	}
}

func (p Part28) text() string {
	if p.Says == "counted" {
		return fmt.Sprintf("%d of %d", p.Count, p.Of)
	}
	return p.Says
}

func (m Median) text() string {
	if m.Of == 0 {
		return "nothing yet"
	}
	d := time.Duration(m.Seconds * float64(time.Second))
	said := d.Round(time.Millisecond).String()
	if days := int(d.Hours() / 24); days >= 2 {
		said = strconv.Itoa(days) + " days"
	}
	said += " (median of " + strconv.Itoa(m.Of) + ")"
	if m.Waiting > 0 {
		said += ", " + strconv.Itoa(m.Waiting) + " on their way"
	}
	return said
}

func (s ShareOf) text() string { return fmt.Sprintf("%d of %d", s.N, s.Of) }

func rulesCommand() *cobra.Command {
	c := &cobra.Command{
		Use:     "rules",
		Short:   "Print how the quality score is computed",
		Example: "  polder payback rules",
		Args:    cobra.NoArgs,
	}
	cli.JSONFlag(c)
	c.RunE = func(cmd *cobra.Command, _ []string) error {
		r := QualityRules()
		if p := cli.Out(cmd); p.AsJSON() {
			return p.JSON(r)
		}
		_, err := fmt.Fprint(cmd.OutOrStdout(), r.Text)
		return err
	}
	return c
}
