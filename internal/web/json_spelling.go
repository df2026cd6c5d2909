package web

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/polder-exchange/polder/internal/fail"
)

// spelledTwice refuses an object with two members whose names differ in nothing but capital letters: one program would
// read the first of them, another the second.
func spelledTwice(raw []byte) error {
	dec := jsontext.NewDecoder(bytes.NewReader(raw))
	var names []map[string]bool // of the objects around; nil is a list
	for {
		t, err := dec.ReadToken()
		if err != nil {
			return nil // the end of what was read whole before
		}
		switch t.Kind() {
		case '{':
			names = append(names, map[string]bool{})
		case '[':
			names = append(names, nil)
		case '}', ']':
			names = names[:len(names)-1]
		case '"':
			if len(names) == 0 || names[len(names)-1] == nil {
				continue
			}
			if _, n := dec.StackIndex(dec.StackDepth()); n%2 == 0 {
				continue // a value
			}
			name := strings.ToLower(t.String())
			if names[len(names)-1][name] && !fail.Bug("two-spellings") {
				return fmt.Errorf("%.100q stands there in two spellings; send one", t.String())
			}
			names[len(names)-1][name] = true
		}
	}
}
