package lists

import (
	"bytes"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// jsonText is a text that publishers also write as a number.
type jsonText string

// UnmarshalJSON reads a string, a number or null.
func (t *jsonText) UnmarshalJSON(b []byte) error {
	switch {
	case len(b) > 0 && b[0] == '"':
		var s string
		if err := json.Unmarshal(b, &s); err != nil {
			return err
		}
		*t = jsonText(s)
	case string(b) == "null":
		*t = ""
	default:
		*t = jsonText(b)
	}
	return nil
}

// readLines calls each for every line of JSON lines. Keys twice, other cases of a key, and anything behind an object are
// refused with the line.
func readLines[T any](s *source, b *builder, each func(line int, v *T) error) error {
	b.strict = true
	in := newRows(s.name, s.in, 0)
	for {
		in.line = in.next1
		line, err := in.readLine()
		if err != nil && err != io.EOF {
			return err
		}
		if text := bytes.TrimSpace(line); len(text) > 0 {
			if bad := checkShape(text); bad != "" {
				return s.fail(in.line, bad, "flat objects with each key once")
			}
			v := new(T)
			if jerr := json.Unmarshal(text, v); jerr != nil {
				return s.jsonFault(in.line, jerr, err == io.EOF)
			}
			if cerr := each(in.line, v); cerr != nil {
				return cerr
			}
		}
		if err == io.EOF {
			return nil
		}
	}
}

// jsonFault is an error of JSON with its line, in plain words.
func (s *source) jsonFault(line int, err error, last bool) error {
	text := err.Error()
	for _, p := range []string{"jsontext: ", "json: "} {
		text = strings.ReplaceAll(text, p, "")
	}
	if strings.Contains(text, "unexpected EOF") {
		if last {
			return s.fail(line, "the file ends in the middle of an object", "load it again; it was cut off")
		}
		return s.fail(line, "an object that does not end on its line", "one JSON object a line")
	}
	return s.fail(line, "this is not the JSON that was expected: "+clip(text, 200), "load the list again, or name its form")
}

// checkShape says that a JSON text is nested too deep, or that two keys of its object differ in their case alone, so that
// two programs could take either; "" when it is neither.
func checkShape(text []byte) string {
	depth, begun, quoted := 0, 0, false
	var keys [][]byte
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			if quoted = !quoted; quoted {
				begun = i + 1
			} else if depth == 1 && isKey(text[i+1:]) {
				key := text[begun:i]
				if slices.ContainsFunc(keys, func(k []byte) bool { return len(k) == len(key) && bytes.EqualFold(k, key) && !bytes.Equal(k, key) }) {
					return "the key " + clip(string(key), 40) + " twice, in another case"
				}
				if len(keys) < 64 {
					keys = append(keys, key)
				}
			}
		case quoted:
		case c == '{' || c == '[':
			if depth++; depth > maxDepth {
				return fmt.Sprintf("objects nested deeper than %d", maxDepth)
			}
		case c == '}' || c == ']':
			depth--
		}
	}
	return ""
}

// isKey tells whether a colon comes next.
func isKey(rest []byte) bool {
	rest = bytes.TrimLeft(rest, " \t\r\n")
	return len(rest) > 0 && rest[0] == ':'
}

// counted is a text whose lines are counted as a decoder takes them, and that refuses values that never end.
type counted struct {
	in    io.Reader
	ends  []int64 // of lines, as offsets, that are not yet behind the decoder
	line  int     // of the first of them
	given int64
	begun int64 // where the value at hand begins
}

func (c *counted) Read(p []byte) (int, error) {
	if c.given-c.begun > maxRecord+window {
		return 0, fmt.Errorf("a value of more than 16 MiB")
	}
	n, err := c.in.Read(p)
	for at := 0; ; {
		i := bytes.IndexByte(p[at:n], '\n')
		if i < 0 {
			break
		}
		at += i + 1
		c.ends = append(c.ends, c.given+int64(at))
	}
	c.given += int64(n)
	return n, err
}

// at is the line of an offset. Offsets only grow.
func (c *counted) at(off int64) int {
	n := 0
	for n < len(c.ends) && c.ends[n] <= off {
		n++
	}
	c.ends, c.line = c.ends[n:], c.line+n
	return c.line
}

// readArray calls each for every object of an array: the whole document, or the one under a key of an outer object, of
// whose other keys it keeps those of keep. Duplicate keys and anything behind the document are refused.
func readArray[T any](s *source, b *builder, key string, keep map[string]any, each func(line int, v *T) error) error {
	b.strict = true
	c := &counted{in: s.in, line: 1}
	dec := jsontext.NewDecoder(c)
	where := func() int { return c.at(dec.InputOffset()) }
	fault := func(err error) error { return s.jsonFault(where(), s.unwrap(err), true) }
	if dec.PeekKind() == '[' {
		if err := elements(s, dec, c, each); err != nil {
			return s.located(err, fault)
		}
	} else if err := outer(s, dec, c, key, keep, each); err != nil {
		return s.located(err, fault)
	}
	c.begun = dec.InputOffset()
	if _, err := dec.ReadToken(); err != io.EOF {
		return s.fail(where(), "something follows the end of the list", "one JSON document")
	}
	return nil
}

// located leaves an error that has its place and gives another one fault's.
func (s *source) located(err error, fault func(error) error) error {
	if located(err) {
		return err
	}
	return fault(err)
}

// unwrap takes the reader's own words out of a decoder's error.
func (s *source) unwrap(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}

// outer reads an object that holds the array under key.
func outer[T any](s *source, dec *jsontext.Decoder, c *counted, key string, keep map[string]any, each func(int, *T) error) error {
	if _, err := dec.ReadToken(); err != nil {
		return err
	}
	for dec.PeekKind() != '}' {
		tok, err := dec.ReadToken()
		if err != nil {
			return err
		}
		name := tok.String()
		c.begun = dec.InputOffset()
		switch to, kept := keep[name]; {
		case name == key && dec.PeekKind() == '[':
			err = elements(s, dec, c, each)
		case kept:
			err = json.UnmarshalDecode(dec, to)
		default:
			err = dec.SkipValue()
		}
		if err != nil {
			return err
		}
	}
	_, err := dec.ReadToken()
	return err
}

func elements[T any](s *source, dec *jsontext.Decoder, c *counted, each func(int, *T) error) error {
	if _, err := dec.ReadToken(); err != nil {
		return err
	}
	for dec.PeekKind() != ']' {
		c.begun = dec.InputOffset()
		value, err := dec.ReadValue()
		if err != nil {
			return err
		}
		line := c.at(dec.InputOffset() - int64(len(value)))
		if bad := checkShape(value); bad != "" {
			return s.fail(line, bad, "flat objects with each key once")
		}
		v := new(T)
		if err := json.Unmarshal(value, v); err != nil {
			return s.jsonFault(line, err, false)
		}
		if err := each(line, v); err != nil {
			return err
		}
	}
	_, err := dec.ReadToken()
	return err
}

// countOf is "5 of 12".
func countOf(n, of int) string { return fmt.Sprintf("%d of %d", n, of) }
