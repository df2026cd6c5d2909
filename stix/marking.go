package stix

import (
	"fmt"
	"strings"
)

// Marking is a TLP level: how far an object may travel. Levels are ordered from wide to narrow, so a stricter level
// compares greater. The zero value is None: no level was given.
type Marking uint8

const (
	None Marking = iota
	Clear
	Green
	Amber
	AmberStrict
	Red
)

// PAP is what a reader may do with an object (Permissible Actions Protocol), from free to careful, so a stricter one
// compares greater. The zero value is PAPNone: nothing was said.
type PAP uint8

const (
	PAPNone PAP = iota
	PAPClear
	PAPGreen
	PAPAmber
	PAPRed
)

// Ids of the extensions that carry TLP 2.0 and PAP in marking definitions.
const (
	extensionTLP = "extension-definition--60a3c5c5-0d10-413e-aab3-9e08dde9e88d"
	extensionPAP = "extension-definition--f8d78575-edfd-406e-8e84-6162a8450f5b"
)

var markingNames = [...]string{"", "clear", "green", "amber", "amber+strict", "red"}

// markingIDs are the definitions of TLP 2.0.
var markingIDs = [...]string{
	"",
	"marking-definition--94868c89-83c2-464b-929b-a1a8aa3c8487",
	"marking-definition--bab4a63c-aed9-4cf5-a766-dfca5abac2bb",
	"marking-definition--55d920b0-5e8b-4f79-9ee9-91f868d9b421",
	"marking-definition--939a9414-2ddd-4d32-a0cd-375ea402b003",
	"marking-definition--e828b379-4e03-4974-9ac4-e53a884c97c1",
}

// oldMarkings are the definitions of TLP 1.0, which STIX 2.1 itself names.
var oldMarkings = map[string]Marking{
	"marking-definition--613f2e26-407d-48c7-9eca-b8e91df99dc9": Clear,
	"marking-definition--34098fce-860f-48ae-8e50-ebd3cc5e41da": Green,
	"marking-definition--f88d31f6-486f-44da-b317-01333bde0b82": Amber,
	"marking-definition--5e57c739-391a-4eb3-b6be-7d15ca92d5ed": Red,
}

var papNames = [...]string{"", "clear", "green", "amber", "red"}

// papDefinitions are the definitions of PAP as OASIS publishes them, with the word that each carries.
var papDefinitions = map[string]struct {
	level PAP
	word  string
}{
	"marking-definition--ad15a0cd-55b6-4588-a14c-a66105329b92": {PAPClear, "clear"},
	"marking-definition--a3bea94c-b469-41dc-9cfe-d6e7daba7730": {PAPClear, "white"},
	"marking-definition--c43594d1-4b11-4c59-93ab-1c9b14d53ce9": {PAPGreen, "green"},
	"marking-definition--60f8932b-e51e-4458-b265-a2e8be9a80ab": {PAPAmber, "amber"},
	"marking-definition--740d36e5-7714-4c30-961a-3ae632ceee0e": {PAPRed, "red"},
}

// String is the level's word in lower case ("amber+strict"), or "" for None.
func (m Marking) String() string {
	if int(m) < len(markingNames) {
		return markingNames[m]
	}
	return ""
}

// MarshalText writes the level's word, "" for None: so JSON has it.
func (m Marking) MarshalText() ([]byte, error) { return []byte(m.String()), nil }

// UnmarshalText reads what [ParseMarking] reads; nothing is None.
func (m *Marking) UnmarshalText(text []byte) (err error) {
	if len(text) == 0 {
		*m = None
		return nil
	}
	*m, err = ParseMarking(string(text))
	return err
}

// Label is the level as people write it ("TLP:AMBER+STRICT"), or "" for None.
func (m Marking) Label() string {
	if s := m.String(); s != "" {
		return "TLP:" + strings.ToUpper(s)
	}
	return ""
}

// ID is the id of the level's TLP 2.0 definition, or "" for None.
func (m Marking) ID() string {
	if int(m) < len(markingIDs) {
		return markingIDs[m]
	}
	return ""
}

// Wider tells whether m lets an object travel further than the other does. None is no level, neither wider nor narrower.
func (m Marking) Wider(than Marking) bool { return m != None && m < than }

// ParseMarking reads a level by its word or label in any case: "amber", "TLP:AMBER+STRICT", "white" (of TLP 1.0) for clear.
func ParseMarking(s string) (Marking, error) {
	word := strings.ToLower(strings.TrimSpace(s))
	word = strings.TrimPrefix(word, "tlp:")
	if word == "white" {
		return Clear, nil
	}
	for i, name := range markingNames[1:] {
		if word == name {
			return Marking(i + 1), nil
		}
	}
	return None, &Error{Text: fmt.Sprintf("TLP level %s is unknown; use %s", quoted(s), oneOf(markingNames[1:]))}
}

// MarkingOf is the TLP level that a marking-definition id stands for (TLP 2.0 or 1.0), or None for any other.
func MarkingOf(id string) Marking {
	id = foldID(id)
	for i, have := range markingIDs[1:] {
		if id == have {
			return Marking(i + 1)
		}
	}
	return oldMarkings[id]
}

// String is the word in lower case, or "" for PAPNone.
func (p PAP) String() string {
	if int(p) < len(papNames) {
		return papNames[p]
	}
	return ""
}

// Label is the word as people write it ("PAP:RED"), or "" for PAPNone.
func (p PAP) Label() string {
	if s := p.String(); s != "" {
		return "PAP:" + strings.ToUpper(s)
	}
	return ""
}

// ID is the id of the definition that OASIS publishes for p, or "" for PAPNone.
func (p PAP) ID() string {
	for id, d := range papDefinitions {
		if d.level == p && d.word == p.String() {
			return id
		}
	}
	return ""
}

// ParsePAP reads a PAP word or label in any case: "amber", "PAP:RED", "white" for clear.
func ParsePAP(s string) (PAP, error) {
	word := strings.ToLower(strings.TrimSpace(s))
	word = strings.TrimPrefix(word, "pap:")
	if word == "white" {
		return PAPClear, nil
	}
	for i, name := range papNames[1:] {
		if word == name {
			return PAP(i + 1), nil
		}
	}
	return PAPNone, &Error{Text: fmt.Sprintf("PAP level %s is unknown; use %s", quoted(s), oneOf(papNames[1:]))}
}

// PAPOf is the PAP level that a marking-definition id stands for, or PAPNone for any other.
func PAPOf(id string) PAP { return papDefinitions[foldID(id)].level }

// Definition is the marking-definition object of the level as TLP 2.0 defines it, or nil for None.
func Definition(m Marking) []byte {
	if m.ID() == "" {
		return nil
	}
	return fmt.Appendf(nil, `{"type":"marking-definition","spec_version":"2.1","id":"%s","created":"2022-10-01T00:00:00.000Z","name":"%s",`+
		`"extensions":{"%s":{"extension_type":"property-extension","tlp_2_0":"%s"}}}`, m.ID(), m.Label(), extensionTLP, m)
}

// Level is the TLP level of the object (rule X1): the mark in object_marking_refs, raised by a stricter granular one.
// It is None when the object carries no TLP at all. Two different TLP marks on the object contradict each other, and
// granular marks on an object without a level leave the rest of it without one: both are errors.
func (o Object) Level() (Marking, error) {
	first, err := o.ownLevel()
	if err != nil {
		return None, err
	}
	strictest := None
	for _, g := range o.Granular {
		strictest = max(strictest, MarkingOf(g.MarkingRef))
	}
	if first == None && strictest != None {
		return None, &Error{ID: o.ID, Property: "object_marking_refs", Text: fmt.Sprintf(
			"names no TLP, while granular_markings does; mark the whole object, as %s or narrower", strictest.Label())}
	}
	return max(first, strictest), nil
}

// ownLevel is the level that object_marking_refs gives.
func (o Object) ownLevel() (Marking, error) {
	var first string
	for _, id := range o.MarkingRefs {
		switch {
		case MarkingOf(id) == None || id == first:
		case first == "":
			first = id
		default:
			return None, &Error{ID: o.ID, Property: "object_marking_refs", Text: fmt.Sprintf(
				"names two TLP marks, %s and %s; keep one", markLabel(first), markLabel(id))}
		}
	}
	return MarkingOf(first), nil
}

func markLabel(id string) string {
	if m, old := oldMarkings[id]; old {
		if m == Clear {
			return "TLP:WHITE of TLP 1.0"
		}
		return m.Label() + " of TLP 1.0"
	}
	return MarkingOf(id).Label()
}

// PAP is the strictest PAP mark that the object carries, as a whole or in parts; PAPNone when it carries none.
func (o Object) PAP() PAP {
	strictest := PAPNone
	for _, id := range o.MarkingRefs {
		strictest = max(strictest, PAPOf(id))
	}
	for _, g := range o.Granular {
		strictest = max(strictest, PAPOf(g.MarkingRef))
	}
	return strictest
}
