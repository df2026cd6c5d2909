package lists

import (
	"fmt"
	"strings"
	"unicode"

	"github.com/polder-exchange/polder"
)

// Doubt is why a new version of a list is not taken without a person's word: it could be half a file, an old one, or one
// whose columns were swapped, and a list that silently lost its parties finds nobody. Its kind is [polder.Conflict].
type Doubt struct {
	List    string   // its name
	Reasons []string // each with figures
}

// Error says all reasons, and how to go on.
func (d *Doubt) Error() string {
	return fmt.Sprintf("%s: the new version is not plausible: %s; the old one stays until somebody confirms the new one", d.List, strings.Join(d.Reasons, "; "))
}

// Unwrap gives the doubt its kind.
func (d *Doubt) Unwrap() error { return polder.ErrConflict }

// few is a size below which a list may grow or shrink as it likes: one's own list of three suppliers.
const few = 20

// Plausible tells whether new may take the place of old without a person looking at it. The error is a [*Doubt], which a
// person may override by not asking; it keeps the old list and raises an alarm. Old may be nil.
func Plausible(old, new *List) error {
	d := &Doubt{List: new.Name}
	d.alone(new)
	if old != nil && len(old.Parties) > 0 {
		d.against(old, new)
	}
	if len(d.Reasons) > 0 {
		return d
	}
	return nil
}

func (d *Doubt) say(format string, args ...any) {
	d.Reasons = append(d.Reasons, fmt.Sprintf(format, args...))
}

// alone says what is wrong with a list by itself.
func (d *Doubt) alone(l *List) {
	if len(l.Parties) == 0 {
		d.say("it is empty")
		return
	}
	look := survey(l)
	if look.unnamed*2 > look.n {
		d.say("%d of %d names have no letter", look.unnamed, look.n)
	}
}

// against says what is wrong with a list beside the one that it would replace.
func (d *Doubt) against(old, new *List) {
	n, o := len(new.Parties), len(old.Parties)
	switch {
	case n == 0:
		return
	case o > few && n*2 < o:
		d.say("it has %d entries where the old one has %d", n, o)
	case o > few && n > o*10:
		d.say("it has %d entries where the old one has %d, more than ten times as many", n, o)
	}
	if old.Date != "" && new.Date != "" && new.Date < old.Date {
		d.say("it is of %s, older than the one of %s", new.Date, old.Date)
	}
	if o > few && old.Names > 0 && n > few && new.Names*o*2 < old.Names*n {
		d.say("it has %.1f names an entry where the old one has %.1f", ratio(new.Names, n), ratio(old.Names, o))
	}
	if o <= few || n <= few {
		return
	}
	was, is := survey(old), survey(new)
	if float64(is.wordy)/float64(n) > 0.5 && float64(was.wordy)/float64(o) < 0.1 {
		d.say("%d of %d ids read like names: columns may be swapped", is.wordy, n)
	}
	if float64(is.typed)/float64(n) < 0.1 && float64(was.typed)/float64(o) > 0.5 {
		d.say("the types of the entries are gone")
	}
	if kept, named := overlap(old, new); kept == 0 && named*10 < min(o, n) {
		d.say("it has no id and hardly a name in common with the old one")
	} else if kept > few && kept*2 > min(o, n) && named*10 < min(o, n) {
		d.say("the ids are those of the old one and the names are not: columns may be swapped")
	}
}

func ratio(a, b int) float64 { return float64(a) / float64(b) }

// look is what a list looks like from afar.
type look struct{ n, unnamed, wordy, typed int }

func survey(l *List) look {
	v := look{n: len(l.Parties)}
	for i := range l.Parties {
		e := &l.Parties[i]
		if !strings.ContainsFunc(e.Name, unicode.IsLetter) {
			v.unnamed++
		}
		if strings.Contains(e.ID, " ") && letters(e.ID) >= 6 {
			v.wordy++
		}
		if e.Type != 0 {
			v.typed++
		}
	}
	return v
}

func letters(s string) int {
	n := 0
	for _, r := range s {
		if unicode.IsLetter(r) {
			n++
		}
	}
	return n
}

// overlap counts the ids and the names of the new list that the old one has too.
func overlap(old, new *List) (ids, named int) {
	haveIDs, haveNames := make(map[string]bool, len(old.Parties)), make(map[string]bool, len(old.Parties))
	for i := range old.Parties {
		haveIDs[old.Parties[i].ID] = true
		haveNames[strings.ToLower(old.Parties[i].Name)] = true
	}
	for i := range new.Parties {
		if haveIDs[new.Parties[i].ID] {
			ids++
		}
		if haveNames[strings.ToLower(new.Parties[i].Name)] {
			named++
		}
	}
	return ids, named
}
