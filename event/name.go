package event

import "sync"

// Name is the dotted path of a field, "winlog.event_data.Image", interned: two equal paths are one Name, small enough
// to index a slice. Equal only within a process.
type Name uint32

// Other is the name of every field whose path was met after MaxNames others. No rule can ask for it by name; searches
// over the whole event still see it.
const Other Name = 0

// MaxNames bounds the paths that logs can make a process remember. The paths that rules ask for are entered by
// [Intern] without that bound, since rules are trusted.
const MaxNames = 1 << 16

// MaxNameBytes is the longest path that is entered from a log.
const MaxNameBytes = 512

var paths = struct {
	sync.RWMutex
	byText   map[string]Name
	text     []string
	fromLogs int
}{byText: map[string]Name{}, text: []string{""}}

// Intern is the name of a path that a rule, a mapping or a program asks for.
func Intern(path string) Name {
	if n := Lookup([]byte(path)); n != Other {
		return n
	}
	return enter(path, false)
}

// Expect interns a field that a rule asks for and every path at which the shipped mappings would find it, so that logs
// with very many names of their own cannot crowd them out.
func Expect(field string) Name {
	for _, name := range Mappings() {
		for _, path := range MappingOf(name).paths(field) {
			Intern(path)
		}
	}
	return Intern(field)
}

// Lookup is the name of a path that has been entered, [Other] of one that has not.
func Lookup(path []byte) Name {
	paths.RLock()
	defer paths.RUnlock()
	return paths.byText[string(path)]
}

// Known is the name of a path found in a log: entered if there is room, [Other] if there is not.
func Known(path []byte) Name {
	if len(path) > MaxNameBytes {
		return Other
	}
	if n := Lookup(path); n != Other {
		return n
	}
	return enter(string(path), true)
}

func enter(path string, log bool) Name {
	paths.Lock()
	defer paths.Unlock()
	if n, ok := paths.byText[path]; ok {
		return n
	}
	if log {
		if paths.fromLogs >= MaxNames {
			return Other
		}
		paths.fromLogs++
	}
	n := Name(len(paths.text))
	paths.text = append(paths.text, path)
	paths.byText[path] = n
	return n
}

// String is the path; "" of [Other].
func (n Name) String() string {
	paths.RLock()
	defer paths.RUnlock()
	return paths.text[n]
}
