package names

import (
	"fmt"
	"strings"
)

// Type is what a name names. It helps to read the name; a type that was only guessed never filters.
type Type uint8

// The types. The zero value is "not known".
const (
	Any Type = iota
	Person
	Company // firms, universities, authorities: whatever is not one person
	Vessel  // ships and aircraft
)

var typeNames = [...]string{Any: "any", Person: "person", Company: "company", Vessel: "vessel"}

// String is the word that scripts use.
func (t Type) String() string { return typeNames[t] }

// ParseType reads person, company, vessel or any; "" is any.
func ParseType(s string) (Type, error) {
	s = strings.ToLower(strings.TrimSpace(s))
	if s == "" {
		return Any, nil
	}
	for t, name := range typeNames {
		if s == name {
			return Type(t), nil
		}
	}
	return Any, fmt.Errorf("type %q is not known; use person, company, vessel or any", s)
}

// Kind is the part that a word plays in a name.
type Kind uint8

// The kinds of words.
const (
	Proper    Kind = iota // a word that sets this name apart
	Trade                 // a word of the trade: technology, trading, university, international
	LegalForm             // Ltd, GmbH, ООО, 有限公司
	Title                 // Mr, Dr, General, Haji
	Particle              // of, the, de, van, al, bin
	Initial               // one letter that stands for a given name
	Number                // digits, a roman number, a number word
	Place                 // a town, a region, a country
)

var kindNames = [...]string{"proper", "trade", "legal form", "title", "particle", "initial", "number", "place"}

// String is the kind as explanations name it.
func (k Kind) String() string { return kindNames[k] }

// Concept is a meaning that words of several languages share: Technology, Технологии and 技术 are one concept.
// 0 is no known meaning. [Concept.String] is the English word.
type Concept uint16

// Word is what is known of one written word, whatever name it stands in. Words are shared and never change.
type Word struct {
	Text    string   // as written: NFKC, lower case, without marks and controls
	Script  Script   // the script it is written in
	Latin   string   // its usual romanisation, folded to a–z and 0–9; of a Latin word its folded form
	Alt     []string // its other romanisations and readings, folded; at most 8
	Sound   string   // a key that the romanisations of one word share: consonants, folded by sound
	Kind    Kind     // outside of any context
	Concept Concept  // what it means, when it is a word of the trade or a legal form

	id      int32   // its number in the vocabulary of an index; meaningless outside of one
	info    float32 // how much it tells of a name, by its kind, its length and how common it is
	letters uint64  // the letters of Latin, a bit each: what [wordSim] rejects by
}

// MarshalText writes the type as [Type.String] does.
func (t Type) MarshalText() ([]byte, error) { return []byte(t.String()), nil }

// UnmarshalText reads what [ParseType] reads.
func (t *Type) UnmarshalText(text []byte) (err error) {
	*t, err = ParseType(string(text))
	return err
}
