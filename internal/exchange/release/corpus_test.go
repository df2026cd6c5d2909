package release

import (
	"encoding/base64"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

// valves and harrow are the two invented organisations of the texts in testdata.
func valves() Profile {
	return Profile{
		Minimise: Minimise{Names: true, Staff: true, Addresses: true, Networks: true, Hosts: true, Words: true, Custom: true},
		Facts: Facts{
			Names: []string{"Zaanse Kleppenfabriek B.V.", "Zaanse Kleppen", "ZKF"},
			Staff: []Person{
				{"Jan de Vries", "j.devries@zaansekleppen.example"}, {"Anneke van der Meer", ""}, {"Renée Visser", ""}, {"Pieter Bakker", "pbakker@zaansekleppen.example"},
				{"Łukasz Wójcik", ""}, {"Zoë Jansen-de Boer", ""}, {"Fatima El Amrani", ""},
			},
			Domains:   []string{"zaansekleppen.example"},
			Addresses: []string{"Industrieweg 14, 1505 HX Zaandam"},
			Phones:    []string{"+31 75 555 0142"},
			Networks:  []string{"203.0.113.0/25", "10.20.0.0/16", "2001:db8:51::/48"},
			Hosts:     []string{"zkf-dc01", "zkf-fs02", "plc-hal3", "00:1b:44:11:3a:b7"},
			Suffixes:  []string{".zkf.local"},
			Words:     []string{"Project Noordkaap", "Noordkaap", "KlepMaster"},
		},
	}
}

func harrow() Profile {
	return Profile{
		Minimise: Minimise{Names: true, Staff: true, Addresses: true, Networks: true, Hosts: true, Words: true, Custom: true},
		Facts: Facts{
			Names: []string{"Harrow & Finch Optics Ltd", "Harrow & Finch", "Harrow Finch", "HFO"},
			Staff: []Person{
				{"Eleanor Whitcombe", "eleanor.whitcombe@harrowfinch.example"}, {"Samuel J. Young", ""}, {"Priya Raghunathan", "p.raghunathan@harrowfinch.example"},
				{"Conor O'Dwyer", ""}, {"María Núñez", ""},
			},
			Domains:   []string{"harrowfinch.example"},
			Addresses: []string{"7 Mill Lane, Thornby NN6 8ZZ"},
			Phones:    []string{"+44 1632 960418"},
			Networks:  []string{"192.0.2.64/26", "2001:db8:aa::/48"},
			Hosts:     []string{"hfo-mail01", "hfo-vpn"},
			Suffixes:  []string{".hfo.internal"},
			Words:     []string{"Project Lantern", "Lumenfold"},
		},
	}
}

// piece is a labelled part of a text, in bytes.
type piece struct {
	label      rune // ⟦ must go, ⟪ must stay, ⟨ is asked about
	start, end int
}

// sample is one text of the corpus with its labels.
type sample struct {
	line      int
	org, kind string
	text      string
	pieces    []piece
}

var encodedIn = regexp.MustCompile(`\{b64:([^}]*)\}`)

func readCorpus(t testing.TB, file string) (all []sample) {
	t.Helper()
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for i, line := range strings.Split(string(raw), "\n") {
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		head, body, ok := strings.Cut(line, " | ")
		f := strings.Fields(head)
		if !ok || len(f) != 3 {
			t.Fatalf("%s:%d: want three words and a text", file, i+1)
		}
		body = encodedIn.ReplaceAllStringFunc(body, func(s string) string {
			return base64.StdEncoding.EncodeToString([]byte(s[len("{b64:") : len(s)-1]))
		})
		body = strings.NewReplacer("{n}", "\n", "{t}", "\t").Replace(body)
		body = regexp.MustCompile(`\{u\+([0-9a-f]+)\}`).ReplaceAllStringFunc(body, func(s string) string {
			n, _ := strconv.ParseUint(s[3:len(s)-1], 16, 32)
			return string(rune(n))
		})
		s := sample{line: i + 1, org: f[0], kind: f[1] + " " + f[2]}
		var b strings.Builder
		for _, r := range body {
			switch r {
			case '⟦', '⟪', '⟨':
				s.pieces = append(s.pieces, piece{label: r, start: b.Len()})
			case '⟧', '⟫', '⟩':
				s.pieces[len(s.pieces)-1].end = b.Len()
			default:
				b.WriteRune(r)
			}
		}
		s.text = b.String()
		all = append(all, s)
	}
	return all
}

var neutralWord = regexp.MustCompile(`\[(organisation|person|address|host|project)\]`)

// taken lists what went from a text, in bytes of it.
func taken(t testing.TB, text, out string) (all []piece) {
	t.Helper()
	kept := neutralWord.Split(out, -1)
	for i := range kept {
		kept[i] = regexp.QuoteMeta(kept[i])
	}
	m := regexp.MustCompile(`(?s)^` + strings.Join(kept, "(.+?)") + `$`).FindStringSubmatchIndex(text)
	if m == nil {
		t.Fatalf("%q is not what %q leaves behind", out, text)
	}
	for i := 2; i < len(m); i += 2 {
		all = append(all, piece{start: m[i], end: m[i+1]})
	}
	return all
}

// within counts the letters and digits of a text from start to end that lie in the pieces.
func lettersWithin(text string, start, end int, pieces []piece) (in, of int) {
	for i, r := range text[start:end] {
		if !unicode.IsLetter(r) && !unicode.IsDigit(r) {
			continue
		}
		of++
		if slices.ContainsFunc(pieces, func(p piece) bool { return p.start <= start+i && start+i < p.end }) {
			in++
		}
	}
	return in, of
}

// score is what became of a corpus.
type score struct {
	go_, gone, stay, stayed, ask, asked, cuts, right int
	misses                                           []string
}

func (s score) String() string {
	share := func(a, b int) string {
		return fmt.Sprintf("%d of %d, %.1f %%", a, b, 100*float64(a)/float64(max(b, 1)))
	}
	return fmt.Sprintf("recall %s; precision %s; near misses that stayed %s; asked about %s", share(s.gone, s.go_), share(s.right, s.cuts), share(s.stayed, s.stay), share(s.asked, s.ask))
}

// scored goes over a corpus. A piece that must go is gone when no letter or digit of it is left. What was cut is right
// when it took a piece that must go, no near miss, and at most twelve letters that were not labelled.
func scored(t testing.TB, all []sample, orgs map[string]Profile) (s score) {
	t.Helper()
	rules := map[string]*Rules{}
	for name, p := range orgs {
		rules[name] = rulesOfProfile(t, p)
	}
	for _, x := range all {
		r := rules[x.org]
		out, _ := r.Text(x.text)
		cuts := taken(t, x.text, out)
		miss := func(what string, p piece) {
			s.misses = append(s.misses, fmt.Sprintf("line %d (%s): %s %q\n   %q\n   %q", x.line, x.kind, what, x.text[p.start:p.end], x.text, out))
		}
		for _, p := range x.pieces {
			in, of := lettersWithin(x.text, p.start, p.end, cuts)
			switch p.label {
			case '⟦':
				s.go_++
				if in == of {
					s.gone++
				} else {
					miss("left", p)
				}
			case '⟪':
				s.stay++
				if in == 0 {
					s.stayed++
				} else {
					miss("took the near miss", p)
				}
			case '⟨':
				s.ask++
				if in == 0 && doubted(r, x.text[p.start:p.end], x.text) {
					s.asked++
				} else {
					miss("did not ask about", p)
				}
			}
		}
		for _, c := range cuts {
			s.cuts++
			var core, near []piece
			for _, p := range x.pieces {
				if p.label == '⟦' {
					core = append(core, p)
				} else {
					near = append(near, p)
				}
			}
			in, of := lettersWithin(x.text, c.start, c.end, core)
			if n, _ := lettersWithin(x.text, c.start, c.end, near); in > 0 && n == 0 && of-in <= 12 {
				s.right++
			} else {
				miss("cut wrongly", c)
			}
		}
		if again, _ := r.Text(out); again != out {
			t.Errorf("line %d: a second time gives %q of %q", x.line, again, out)
		}
		if !utf8.ValidString(out) {
			t.Errorf("line %d: %q is no text", x.line, out)
		}
	}
	return s
}

// doubted tells whether a person is asked about a word of a text.
func doubted(r *Rules, word, text string) bool {
	return slices.ContainsFunc(r.Doubts(text), func(d Doubt) bool { return strings.Contains(d.Value, word) })
}

// TestCorpus goes over the texts with labels: none may be judged worse than it is labelled.
func TestCorpus(t *testing.T) {
	s := scored(t, readCorpus(t, "testdata/corpus.txt"), map[string]Profile{"zkf": valves(), "hfo": harrow()})
	t.Log(s)
	for _, m := range s.misses {
		t.Error(m)
	}
}
