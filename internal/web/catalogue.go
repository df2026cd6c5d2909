package web

import (
	"fmt"
	"io/fs"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// Languages are those of the console, the first being the one that is used when nothing else is asked for.
var Languages = []string{"en", "nl"}

// Catalogue is every text of the console in one language, by key. A key with forms for one and for many is held
// under "key.one" and "key.other".
type Catalogue map[string]string

// placeholder is a name in braces; the text in brackets is a link (see [Words.Link]).
var placeholder = regexp.MustCompile(`\{([a-z]+)\}`)

// ParseCatalogue reads a catalogue file: one "key = text" a line, "#" begins a comment line, and a line that begins
// with white space goes on with the text above. An error names the line and what would be right.
func ParseCatalogue(text string) (Catalogue, error) {
	c := Catalogue{}
	last := ""
	n := 0
	for line := range strings.Lines(text) {
		n++
		switch trimmed := strings.TrimSpace(line); {
		case trimmed == "" || line[0] == '#':
		case line[0] == ' ' || line[0] == '\t':
			if last == "" {
				return nil, fmt.Errorf("line %d: goes on with no text; begin the file with \"key = text\"", n)
			}
			c[last] += " " + trimmed
		default:
			key, value, ok := strings.Cut(trimmed, "=")
			key, value = strings.TrimSpace(key), strings.TrimSpace(value)
			if !ok || !goodKey(key) || value == "" {
				return nil, fmt.Errorf("line %d: %q is no text; write \"key = text\" with a key of a-z, 0-9, \".\" and \"-\"", n, trimmed)
			}
			if _, held := c[key]; held {
				return nil, fmt.Errorf("line %d: key %q is there twice; keep one", n, key)
			}
			c[key], last = value, key
		}
	}
	return c, nil
}

func goodKey(key string) bool {
	return key != "" && strings.Trim(key, "abcdefghijklmnopqrstuvwxyz0123456789.-+") == ""
}

// ReadCatalogue reads locale/LANG.txt of files, and locale/LANG.*.txt where a part has many texts. A part without any
// such files has no texts.
func ReadCatalogue(files fs.FS, lang string) (Catalogue, error) {
	names, err := fs.Glob(files, "locale/"+lang+".*txt")
	if err != nil {
		return nil, fmt.Errorf("read catalogue: %w", err)
	}
	if others, _ := fs.Glob(files, "locale/*.txt"); len(names) == 0 && len(others) > 0 {
		return nil, fmt.Errorf("locale/%s.txt is missing, beside %s", lang, others[0])
	}
	all := Catalogue{}
	for _, name := range names {
		text, err := fs.ReadFile(files, name)
		if err != nil {
			return nil, fmt.Errorf("read catalogue: %w", err)
		}
		c, err := ParseCatalogue(string(text))
		if err == nil {
			err = all.add(c)
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
	}
	return all, nil
}

// add takes the texts of from over. A key that is already there is an error: two parts would fight for it.
func (c Catalogue) add(from Catalogue) error {
	for _, key := range slices.Sorted(maps.Keys(from)) {
		if _, held := c[key]; held {
			return fmt.Errorf("key %q is in two catalogues; begin the keys of a part with its name", key)
		}
		c[key] = from[key]
	}
	return nil
}

// Placeholders are the distinct names in braces of a text, sorted, and "[]" when it holds a link.
func Placeholders(text string) []string {
	var names []string
	for _, m := range placeholder.FindAllStringSubmatch(text, -1) {
		names = append(names, m[1])
	}
	if strings.Contains(text, "[") {
		names = append(names, "[]")
	}
	slices.Sort(names)
	return slices.Compact(names)
}
