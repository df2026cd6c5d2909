package deadline

import (
	"embed"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"sync"
	"time"
	_ "time/tzdata" // zones of places, on machines that have none

	"golang.org/x/text/unicode/norm"
)

//go:embed data packs forms
var own embed.FS

// place is a jurisdiction.
type place struct {
	Term     `yaml:",inline"`
	Zone     string `yaml:"zone"`
	Calendar string `yaml:"calendar"`
	location *time.Location
}

// vocabulary is what packs may speak of.
type vocabulary struct {
	sectors, kinds, events []Term
	places                 []place
	calendars              map[string]Calendar
	questions              []Question
	forms                  map[string]Form
}

// words is the vocabulary of the package. That it can be read is tested; a package that cannot read itself is broken.
var words = sync.OnceValue(func() *vocabulary {
	v, err := readVocabulary(own)
	if err != nil {
		panic(err)
	}
	return v
})

func readVocabulary(files fs.FS) (*vocabulary, error) {
	v := &vocabulary{calendars: map[string]Calendar{}, forms: map[string]Form{}}
	var calendars []Calendar
	for name, into := range map[string]any{"sectors": &v.sectors, "kinds": &v.kinds, "events": &v.events, "places": &v.places, "calendars": &calendars, "questions": &v.questions} {
		if _, err := readYAML(files, "data/"+name+".yaml", into); err != nil {
			return nil, err
		}
	}
	for _, c := range calendars {
		if err := c.check(); err != nil {
			return nil, err
		}
		v.calendars[c.ID] = c
	}
	for i, p := range v.places {
		zone, err := time.LoadLocation(p.Zone)
		if err != nil {
			return nil, fmt.Errorf("place %s: %w", p.ID, err)
		}
		if _, ok := v.calendars[p.Calendar]; !ok {
			return nil, fmt.Errorf("place %s: calendar %q is not there", p.ID, p.Calendar)
		}
		v.places[i].location = zone
	}
	return v, readForms(files, v.forms)
}

// plainWord is a word without case, accents, and with one dash for whatever stands between its parts.
func plainWord(s string) string {
	var b strings.Builder
	dash := false
	for _, r := range norm.NFD.String(strings.ToLower(s)) {
		switch {
		case r >= 'a' && r <= 'z' || r >= '0' && r <= '9':
			if dash && b.Len() > 0 {
				b.WriteByte('-')
			}
			dash = false
			b.WriteRune(r)
		case r >= 0x300 && r < 0x370: // an accent
		default:
			dash = true
		}
	}
	return b.String()
}

// findTerm is the term that a word names, by id, name or alias. what is what the list holds, for the error. Of words with
// a finer one behind or before them, as in "energy/electricity" or "Health (hospitals)", the term is taken that they agree on.
func findTerm(terms []Term, what, word string) (Term, error) {
	if len(word) > 100 {
		return Term{}, &UnknownError{What: what, Word: word[:100], Known: idsOf(terms)}
	}
	if t := termNamed(terms, word); t != nil {
		return *t, nil
	}
	var found *Term
	for part := range strings.FieldsFuncSeq(word, func(r rune) bool { return strings.ContainsRune("/:;,()>|", r) }) {
		switch t := termNamed(terms, part); {
		case t == nil:
		case found == nil:
			found = t
		case found.ID != t.ID:
			return Term{}, &UnknownError{What: what, Word: word, Known: idsOf(terms)}
		}
	}
	if found == nil {
		return Term{}, &UnknownError{What: what, Word: word, Known: idsOf(terms)}
	}
	return *found, nil
}

// termNamed is the term of exactly that word; nil where there is none.
func termNamed(terms []Term, word string) *Term {
	plain := plainWord(word)
	for i, t := range terms {
		if plain != "" && (plain == plainWord(t.ID) || plain == plainWord(t.EN) || plain == plainWord(t.NL) || slices.Contains(t.Aliases, plain)) {
			return &terms[i]
		}
	}
	return nil
}

func idsOf(terms []Term) []string {
	ids := make([]string, len(terms))
	for i, t := range terms {
		ids[i] = t.ID
	}
	return ids
}

// UnknownError says that a word is not known, and which are.
type UnknownError struct {
	What  string // "sector"
	Word  string
	Known []string
}

func (e *UnknownError) Error() string {
	if e.Word == "" {
		return fmt.Sprintf("%s: nothing is said; use one of %s", e.What, strings.Join(e.Known, ", "))
	}
	return fmt.Sprintf("%s %q is not known; use one of %s", e.What, e.Word, strings.Join(e.Known, ", "))
}

// Sectors are those that the rules tell apart.
func (p Packs) Sectors() []Term { return slices.Clone(words().sectors) }

// Kinds are what can have happened.
func (p Packs) Kinds() []Term { return slices.Clone(words().kinds) }

// Events are what rules wait for, beside the sending of reports.
func (p Packs) Events() []Term { return slices.Clone(words().events) }

// Jurisdictions are the member states of the European Union, and the Union itself.
func (p Packs) Jurisdictions() []Term {
	terms := make([]Term, len(words().places))
	for i, at := range words().places {
		terms[i] = at.Term
	}
	return terms
}

// Zone is the zone of time of a jurisdiction.
func (p Packs) Zone(jurisdiction string) (*time.Location, error) {
	at, err := p.place(jurisdiction)
	return at.location, err
}

func (p Packs) place(word string) (place, error) {
	t, err := findTerm(p.Jurisdictions(), "jurisdiction", word)
	if err != nil {
		return place{}, err
	}
	return words().places[slices.IndexFunc(words().places, func(at place) bool { return at.ID == t.ID })], nil
}

// Event is the name of an event by a word: one of [Packs.Events], or "sent:" and a report of some pack, with or without the
// pack before it.
func (p Packs) Event(word string) (string, error) {
	if report, ok := strings.CutPrefix(word, "sent:"); ok {
		var known []string
		for _, pack := range p.open().packs {
			for _, r := range pack.Rules {
				if report == r.Report || report == pack.ID+"/"+r.Report {
					return word, nil
				}
				known = append(known, r.Report)
			}
		}
		slices.Sort(known)
		return "", &UnknownError{What: "report", Word: report, Known: slices.Compact(known)}
	}
	t, err := findTerm(words().events, "event", word)
	return t.ID, err
}

// Sector is the sector that a word names.
func (p Packs) Sector(word string) (Term, error) { return findTerm(words().sectors, "sector", word) }

// Kind is the kind of event that a word names.
func (p Packs) Kind(word string) (Term, error) { return findTerm(words().kinds, "kind", word) }

// Jurisdiction is the member state that a word names, or the Union.
func (p Packs) Jurisdiction(word string) (Term, error) {
	at, err := p.place(word)
	return at.Term, err
}
