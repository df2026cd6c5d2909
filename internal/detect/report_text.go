package detect

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/polder-exchange/polder/internal/cli"
)

// shownSigns is how many signs a printed report shows whole; of the others it gives a line each, and then a count.
const (
	shownSigns = 10
	namedSigns = 40
)

// Print writes the report for a person: the answer, what was found, what to do now, what was looked at.
func (r *Report) Print(p *cli.Printer) {
	p.Printf("%s\n", r.answer())
	signs := r.Signs()
	for i, s := range signs {
		switch {
		case i < shownSigns:
			s.print(p, i+1)
		case i == shownSigns:
			p.Printf("\nAlso found\n")
			fallthrough
		case i < namedSigns:
			p.Printf("%4d. [%s] %s, %s\n", i+1, string(s.Level), s.Title, times(s.Count))
		case i == namedSigns:
			p.Printf("      and %d more; --json has them all\n", len(signs)-namedSigns)
		}
	}
	if r.Beyond > 0 {
		p.Printf("      and %d findings of further rules or indicators, which are not told apart\n", r.Beyond)
	}
	if steps := r.next(signs); len(steps) > 0 {
		p.Printf("\nWhat to do now\n")
		for i, step := range steps {
			p.Printf("  %d. %s\n", i+1, step)
		}
	}
	r.printExamined(p)
}

// answer is the first line: it answers the question before anything else is said.
func (r *Report) answer() string {
	switch r.Verdict() {
	case Probably:
		return "PROBABLY HIT: there are grave signs (" + r.counted() + "). Act today."
	case Perhaps:
		return "PERHAPS: there are signs that somebody should look at (" + r.counted() + ")."
	case Unlikely:
		return "NO CLEAR SIGN: only things that happen in healthy networks too (" + r.counted() + ")."
	case NoSign:
		return "NO SIGN FOUND in what was looked at."
	}
	return "NO ANSWER: there was no event to look at."
}

func (s *Sign) print(p *cli.Printer, n int) {
	p.Printf("\n%d. [%s] %s\n", n, string(s.Level), s.Title)
	line := func(name, text string) {
		if text != "" {
			p.Printf("   %-6s %s\n", name, text)
		}
	}
	when := times(s.Count)
	if !s.First.IsZero() {
		when += ", " + span(s.First, s.Last)
	}
	line("when", when)
	line("where", where(s))
	for i, e := range s.Evidence {
		if i == 3 {
			line("", fmt.Sprintf("and %d more fields", len(s.Evidence)-i))
			break
		}
		line(seeing(i), e.Field+": "+shorten(e.Value, 160))
	}
	line("event", fmt.Sprintf("%d of %s", s.Event, s.File))
	line("why", s.Why)
	line("do", s.Advice)
	line("from", s.Origin.words())
}

func seeing(i int) string {
	if i == 0 {
		return "saw"
	}
	return ""
}

func where(s *Sign) string {
	var parts []string
	if len(s.Hosts.Names) > 0 {
		parts = append(parts, "host "+s.Hosts.String())
	}
	if len(s.Accounts.Names) > 0 {
		parts = append(parts, "account "+s.Accounts.String())
	}
	if len(s.Files.Names) > 1 || s.Files.More {
		parts = append(parts, "files "+s.Files.String())
	}
	return strings.Join(parts, "; ")
}

// words says whose knowledge it is: author, licence, list, level.
func (o Origin) words() string {
	var parts []string
	add := func(format, text string) {
		if text != "" {
			parts = append(parts, fmt.Sprintf(format, text))
		}
	}
	add("%s", o.Author)
	add("licence %s", o.License)
	add("list %s", o.List)
	add("object %s", o.Object)
	if o.Level != 0 {
		parts = append(parts, o.Level.Label())
	}
	return strings.Join(parts, ", ")
}

func times(n int64) string {
	if n == 1 {
		return "once"
	}
	return fmt.Sprintf("%d times", n)
}

// span is a stretch of time in UTC, as short as it can be said.
func span(first, last time.Time) string {
	const minute, clock = "2006-01-02 15:04", "15:04"
	first, last = first.UTC(), last.UTC()
	switch {
	case last.Sub(first) < time.Minute:
		return first.Format(minute) + " UTC"
	case first.Format(time.DateOnly) == last.Format(time.DateOnly):
		return first.Format(minute) + " to " + last.Format(clock) + " UTC"
	}
	return first.Format(minute) + " to " + last.Format(minute) + " UTC"
}

// shorten cuts a long text amid, since both its ends tell.
func shorten(s string, most int) string {
	r := []rune(s)
	if len(r) <= most {
		return s
	}
	half := (most - 3) / 2
	return string(r[:half]) + " … " + string(r[len(r)-half:])
}

// next is what a person does now, the most urgent first.
func (r *Report) next(signs []*Sign) []string {
	switch r.Verdict() {
	case Probably:
		steps := []string{
			"Keep the machines that are named above switched on, but take them off the network: switching off destroys traces.",
			"Keep this log and the ones before it; copy them to a place that these machines cannot write to.",
			"Call whoever looks after your systems, or your national CSIRT; give them this report.",
			"From another machine, end the sessions of the accounts named above and change their passwords.",
		}
		if shared(signs) {
			steps = append(steps, "Somebody shared what was found here: tell them that it helped, with a sighting.")
		}
		return steps
	case Perhaps:
		return []string{
			"Ask the people whose accounts are named above whether that was them, and why.",
			"What nobody can explain, hand to whoever looks after your systems, with this report.",
			"Look at the same time in other logs: mail, VPN, firewall.",
		}
	case Unlikely:
		return []string{"Look through the list once; what you know to be normal needs nothing more."}
	case NoSign:
		return []string{
			"No sign is no proof: a log holds only what was logged, and rules know only what is known.",
			"Look at other logs too: the mail service's audit log, the VPN or firewall, the domain controller.",
			"Ask again when there is new knowledge: polder detect --indicators FILE, with what your CSIRT or your peers share.",
		}
	}
	return []string{
		"See above what could not be read and why; --format names a format that was not recognised.",
		"On Windows: wevtutil epl Security security.evtx, then polder detect security.evtx",
	}
}

func shared(signs []*Sign) bool {
	for _, s := range signs {
		if s.Origin.Object != "" {
			return true
		}
	}
	return false
}

// shownFiles is up to how many files a printed report names each; of more it sums up those that were read well.
const shownFiles = 12

func (r *Report) printExamined(p *cli.Printer) {
	p.Printf("\nLooked at\n")
	var sum Examined
	var formats []string
	for i := range r.Files {
		f := &r.Files[i]
		if len(r.Files) > shownFiles && f.Format != "" && len(f.Trouble) == 0 {
			sum.take(&chunkResult{events: f.Events, bad: f.Unreadable, gated: f.Gated, first: f.First, last: f.Last})
			formats = append(formats, f.Format)
			continue
		}
		f.print(p, f.File)
	}
	if len(formats) > 0 {
		sum.Format = strings.Join(slices.Compact(slices.Sorted(slices.Values(formats))), ", ")
		sum.print(p, fmt.Sprintf("%d files", len(formats)))
	}
	p.Printf("  with %s\n", r.With.words())
}

func (f *Examined) print(p *cli.Printer, name string) {
	p.Printf("  %s: ", name)
	if f.Format == "" {
		p.Printf("not read\n")
	} else {
		p.Printf("%s%s, %d events", f.Format, packed(f.Compression), f.Events)
		if !f.First.IsZero() {
			p.Printf(", %s", span(f.First, f.Last))
		}
		if f.Gated > 0 {
			p.Printf(", %d known values that a warning list explains", f.Gated)
		}
		if f.Unreadable > 0 {
			p.Printf(", %d records unreadable", f.Unreadable)
		}
		p.Printf("\n")
	}
	for _, t := range f.Trouble {
		p.Printf("    %s\n", t)
	}
}

func packed(compression string) string {
	if compression == "" {
		return ""
	}
	return " (" + compression + ")"
}

func (k Knowing) words() string {
	rules := fmt.Sprintf("%d rules", k.Rules)
	if k.BuiltIn {
		rules += " of Polder's own"
	}
	return fmt.Sprintf("%s, %d correlations, %d indicators, %d patterns", rules, k.Correlations, k.Indicators, k.Patterns)
}
