package screen

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/polder-exchange/polder/internal/cli"
	"github.com/polder-exchange/polder/internal/screen/lists"
	"github.com/polder-exchange/polder/names"
)

// answerLine is an answer as scripts read it, a line each.
type answerLine struct {
	Row       int             `json:"row,omitempty"` // in a file of parties, from 1
	Ref       string          `json:"ref,omitempty"`
	Query     string          `json:"query"`
	Type      string          `json:"type,omitempty"`
	Hits      []hitLine       `json:"hits"`
	Lists     json.RawMessage `json:"lists"`
	Threshold float64         `json:"threshold"`
	Asked     time.Time       `json:"asked"`
	Error     string          `json:"error,omitempty"` // why this row could not be asked about
}

// hitLine is a hit with what its list says of it.
type hitLine struct {
	Hit
	Listed     string        `json:"listed"` // the primary name
	Type       string        `json:"type,omitempty"`
	Part       string        `json:"part,omitempty"` // of a consolidated list
	Purpose    lists.Purpose `json:"purpose"`
	Programmes []string      `json:"programmes,omitempty"`
	Means      string        `json:"means,omitempty"`
	Countries  []string      `json:"countries,omitempty"`
	URL        string        `json:"url,omitempty"`
}

// listLine is a list that was asked.
type listLine struct {
	Name    string        `json:"name"`
	Date    string        `json:"date"`
	SHA256  string        `json:"sha256"`
	Title   string        `json:"title,omitempty"`
	Version string        `json:"version,omitempty"`
	Purpose lists.Purpose `json:"purpose"`
	Entries int           `json:"entries"`
	Notes   []string      `json:"notes,omitempty"`
}

// shownLists are the lists that were asked, ready to stand in each answer.
func shownLists(all []lists.Meta) json.RawMessage {
	out := make([]listLine, len(all))
	for i, m := range all {
		out[i] = listLine{m.Name, m.Date, m.SHA256, m.Title, m.Version, m.Purpose, m.Entries, m.Notes}
	}
	text, err := json.Marshal(out)
	if err != nil {
		panic(err) // it is text and numbers
	}
	return text
}

func showAnswer(a *Answer, asked json.RawMessage) answerLine {
	l := answerLine{Ref: a.Query.Ref, Query: a.Query.Name, Hits: make([]hitLine, len(a.Hits)), Lists: asked, Threshold: a.Threshold, Asked: a.Asked}
	if a.Query.Type != names.Any {
		l.Type = a.Query.Type.String()
	}
	for i, h := range a.Hits {
		e := h.Listing
		l.Hits[i] = hitLine{Hit: h, Listed: e.Name, Part: e.List, Purpose: a.purposeOf(h.List), Programmes: e.Programmes, Means: e.Means, Countries: e.Countries, URL: e.URL}
		if e.Type != names.Any {
			l.Hits[i].Type = e.Type.String()
		}
	}
	return l
}

// purposeOf is what the list of a hit is for.
func (a *Answer) purposeOf(list string) lists.Purpose {
	if m := a.list(list); m != nil {
		return m.Purpose
	}
	return lists.Restricted
}

func (a *Answer) list(name string) *lists.Meta {
	if i := slices.IndexFunc(a.Lists, func(m lists.Meta) bool { return m.Name == name }); i >= 0 {
		return &a.Lists[i]
	}
	return nil
}

// printAnswer prints an answer for people: what it comes to first.
func printAnswer(p *cli.Printer, a *Answer) {
	restricted := 0
	for _, h := range a.Hits {
		if a.purposeOf(h.List) != lists.Verified {
			restricted++
		}
	}
	verified := len(a.Hits) - restricted
	switch {
	case restricted > 0:
		p.Printf("POSSIBLE HIT: %s “%s”. Somebody must look before you go on.\n", resembles(restricted, "listing"), a.Query.Name)
	default:
		p.Printf("NO HIT: no entry of %s resembles “%s”.\n", namedLists(a.Lists, lists.Restricted), a.Query.Name)
	}
	if verified > 0 {
		p.Printf("On lists of verified parties %s it, which speaks for it and clears it of nothing.\n", resembles(verified, "listing"))
	}
	for i, h := range a.Hits {
		p.Printf("\n")
		printHit(p, a, i+1, h)
	}
}

func resembles(n int, what string) string {
	if n == 1 {
		return "1 " + what + " resembles"
	}
	return fmt.Sprintf("%d %ss resemble", n, what)
}

// namedLists names lists of a purpose with their dates; all of them when none has it.
func namedLists(all []lists.Meta, purpose lists.Purpose) string {
	var out []string
	for _, m := range all {
		if m.Purpose == purpose || m.Purpose == "" && purpose == lists.Restricted {
			out = append(out, m.Name+" ("+m.When()+")")
		}
	}
	switch {
	case len(out) > 0:
		return strings.Join(out, ", ")
	case purpose == lists.Verified || len(all) == 0:
		return "no list"
	}
	return namedLists(all, lists.Verified)
}

func printHit(p *cli.Printer, a *Answer, n int, h Hit) {
	e := h.Listing
	p.Printf("%d. %.2f  %s\n", n, h.Score, e.Name)
	line := func(name, text string) {
		if text != "" {
			p.Printf("   %-8s %s\n", name, text)
		}
	}
	if h.Name != e.Name {
		line("met as", h.Name)
	}
	where := e.ID + " on " + h.List
	if m := a.list(h.List); m != nil {
		where += " of " + m.When()
		if m.Version != "" {
			where += ", version " + m.Version
		}
	}
	if e.List != "" {
		where += ", part " + e.List
	}
	line("listed", where)
	what := strings.Join(e.Countries[:min(len(e.Countries), 5)], ", ")
	if e.Type != names.Any {
		what = strings.Trim(e.Type.String()+", "+what, ", ")
	}
	line("party", what)
	line("since", e.Listed)
	line("under", clip(strings.Join(e.Programmes, "; "), 300))
	line("means", clip(e.Means, 600))
	line("why", h.Why)
	line("read", e.URL)
	rows := make([][]string, len(h.Parts))
	for i, part := range h.Parts {
		rows[i] = []string{"", part.Kind, clip(part.Query, 40), clip(part.Listed, 40), fmt.Sprintf("%.2f", part.Score), fmt.Sprintf("%+.3f", part.Points), part.How}
	}
	p.Table([]string{"", "PART", "ASKED", "LISTED", "ALIKE", "POINTS", "HOW"}, rows)
}

// printFoot says what was asked and what the threshold means.
func printFoot(p *cli.Printer, s *Screener, threshold float64) {
	p.Printf("\nAsked\n")
	for _, m := range s.Lists() {
		p.Printf("  %s, %s: %d parties, %d names; sha256 %s\n", m.Name, m.When(), m.Entries, m.Names, clip(m.SHA256, 12))
		for _, note := range m.Notes {
			p.Printf("    note: %s\n", note)
		}
	}
	p.Printf("%s\nA name that is on no list may still be owned or sent by one that is. A person decides.\n", MeaningOf(threshold).Words())
}
