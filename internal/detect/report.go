package detect

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
)

// MaxSigns is how many different signs a report tells apart; what is beyond is counted.
const MaxSigns = 10_000

// maxPlaces is how many hosts, accounts and files of a sign a report names.
const maxPlaces = 5

// Report gathers what was found in files, for a person who asks one question: have we been hit? The zero value is
// ready. It holds a sign for each rule or indicator that was met, not each finding.
type Report struct {
	Files []Examined
	With  Knowing

	signs  map[string]*Sign
	Beyond int64 // findings that are in no sign, since there were MaxSigns
}

// Examined is what was read of one file.
type Examined struct {
	File, Format, Compression string
	Events                    int64 // records that could be read
	Unreadable                int64 // records that could not
	Gated                     int64 // values that are known, but that a warning list explains away
	Bytes                     int64 // of the content, uncompressed
	First, Last               time.Time
	// Trouble is what went wrong, in words, the first few.
	Trouble []string
}

// Knowing is what events were held against.
type Knowing struct {
	Rules, Correlations, Indicators, Patterns int
	// BuiltIn says that the rules are those that come with the program.
	BuiltIn bool
}

// Sign is everything found by one rule or one indicator.
type Sign struct {
	Finding     // the first one
	Count       int64
	First, Last time.Time
	Hosts       places
	Accounts    places
	Files       places
}

// places are distinct names in the order met, at most maxPlaces, and whether there were more.
type places struct {
	Names []string
	More  bool
}

func (p *places) add(name string) {
	switch {
	case name == "" || slices.Contains(p.Names, name):
	case len(p.Names) == maxPlaces:
		p.More = true
	default:
		p.Names = append(p.Names, name)
	}
}

func (p places) String() string {
	s := strings.Join(p.Names, ", ")
	if p.More {
		s += " and more"
	}
	return s
}

// Add takes in a finding.
func (r *Report) Add(f *Finding) {
	if r.signs == nil {
		r.signs = map[string]*Sign{}
	}
	key := string(f.Kind) + " " + f.ID
	s := r.signs[key]
	if s == nil {
		if len(r.signs) == MaxSigns {
			r.Beyond++
			return
		}
		s = &Sign{Finding: *f, First: f.Time, Last: f.Time}
		r.signs[key] = s
	}
	s.Count++
	s.Hosts.add(f.Host)
	s.Accounts.add(f.Account)
	s.Files.add(f.File)
	if !f.Time.IsZero() && (s.First.IsZero() || f.Time.Before(s.First)) {
		s.First = f.Time
	}
	if f.Time.After(s.Last) {
		s.Last = f.Time
	}
}

// Signs are the signs, the gravest first, then the most frequent.
func (r *Report) Signs() []*Sign {
	list := make([]*Sign, 0, len(r.signs))
	for _, s := range r.signs {
		list = append(list, s)
	}
	slices.SortFunc(list, func(a, b *Sign) int {
		return cmp.Or(cmp.Compare(b.Level.rank(), a.Level.rank()), cmp.Compare(b.Count, a.Count), cmp.Compare(a.Title, b.Title), cmp.Compare(a.ID, b.ID))
	})
	return list
}

// Verdict is the answer to the question, in steps that ask for different deeds.
type Verdict uint8

// The answers.
const (
	NothingRead Verdict = iota // there was nothing to look at
	NoSign                     // nothing was found
	Unlikely                   // only what happens in healthy networks too
	Perhaps                    // something that somebody should look at
	Probably                   // grave signs: act today
)

// Verdict is the answer that the gravest sign gives.
func (r *Report) Verdict() Verdict {
	gravest, events := -1, int64(0)
	for _, s := range r.signs {
		gravest = max(gravest, s.Level.rank())
	}
	for _, f := range r.Files {
		events += f.Events
	}
	switch {
	case gravest >= High.rank():
		return Probably
	case gravest >= Medium.rank():
		return Perhaps
	case gravest >= 0:
		return Unlikely
	case events == 0:
		return NothingRead
	}
	return NoSign
}

// counted is the signs by level in words: "2 high, 1 medium".
func (r *Report) counted() string {
	by := map[Level]int{}
	for _, s := range r.signs {
		by[levelAt(s.Level.rank())]++
	}
	var words []string
	for _, l := range slices.Backward(Levels) {
		if by[l] > 0 {
			words = append(words, fmt.Sprintf("%d %s", by[l], l))
		}
	}
	return strings.Join(words, ", ")
}
