package rules

import (
	"bytes"
	"embed"
	"fmt"
	"io/fs"
	"sync"

	"github.com/goccy/go-yaml"
)

//go:embed knowhow edge intrusion
var files embed.FS

// FS is the rules as files, to be loaded from its root.
func FS() fs.FS { return files }

// Next says in plain words what to do when the rule with this id has fired, in a language ("en", "nl"), or in English
// when that is not there. It is "" for a rule that is not of this package.
func Next(id, lang string) string {
	steps := next()[id]
	if text := steps[lang]; text != "" {
		return text
	}
	return steps["en"]
}

// header is what Next reads of a rule.
type header struct {
	ID     string
	Polder struct{ Next map[string]string }
}

var next = sync.OnceValue(func() map[string]map[string]string {
	out := map[string]map[string]string{}
	err := fs.WalkDir(files, ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := files.ReadFile(path)
		if err != nil {
			return err
		}
		for _, doc := range bytes.Split(data, []byte("\n---\n")) {
			var h header
			if err := yaml.Unmarshal(doc, &h); err != nil {
				return fmt.Errorf("%s: %w", path, err)
			}
			if len(h.Polder.Next) > 0 {
				out[h.ID] = h.Polder.Next
			}
		}
		return nil
	})
	if err != nil {
		panic("the rules in the binary cannot be read: " + err.Error()) // a test reads them all
	}
	return out
})
