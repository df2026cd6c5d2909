package lists

import (
	"bufio"
	"io"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// head is the beginning of a list, as much as the form is told by.
type head struct {
	text  string              // the first 64 KiB, without leading white space
	whole bool                // text is the whole file
	root  string              // the first element, when it is XML
	decl  int                 // the line of a DOCTYPE before it; 0 for none
	space string              // the root's namespaces and schema, lower case
	keys  map[string]struct{} // of the first object, when it is JSON
	array bool                // JSON that begins with [
	lines [][]string          // the first rows, when it is a table
	delim byte                // between its columns
}

func (s *source) head() (*head, error) {
	peek, err := s.in.Peek(window)
	if err != nil && err != io.EOF && err != bufio.ErrBufferFull {
		return nil, s.locate(err)
	}
	h := &head{text: strings.TrimLeft(string(peek), " \t\r\n"), whole: err == io.EOF}
	switch {
	case h.text == "":
	case h.text[0] == '<':
		h.readRoot()
	case h.text[0] == '{', h.text[0] == '[':
		h.readKeys()
	default:
		h.readRows()
	}
	return h, nil
}

func (h *head) empty() bool { return strings.Trim(h.text, "\x1a \r\n\t") == "" }

// page tells a web page, which is what a publisher's server answers when something is wrong.
func (h *head) page() bool {
	start := strings.ToLower(h.text[:min(len(h.text), 512)])
	return strings.HasPrefix(start, "<!doctype html") || h.root == "html" || strings.HasPrefix(start, "<html") || strings.HasPrefix(start, "<head")
}

// describe says what a text looks like whose form is not known.
func (h *head) describe() string {
	switch {
	case h.root != "":
		return "XML whose first element is <" + clip(h.root, 60) + ">"
	case h.keys != nil:
		return "JSON whose first object has the keys " + clip(strings.Join(sortedKeys(h.keys), ", "), 200)
	case len(h.lines) > 0 && len(h.lines[0]) > 1:
		return "a table whose first row is " + clip(strings.Join(h.lines[0], " | "), 200)
	}
	return "it begins with " + clip(strings.TrimSpace(firstLine(h.text)), 80)
}

func firstLine(s string) string {
	line, _, _ := strings.Cut(s, "\n")
	return line
}

// readRoot finds the first element, past the declaration and comments.
func (h *head) readRoot() {
	rest := h.text
	for {
		rest = strings.TrimLeft(rest, " \t\r\n")
		end := ""
		switch {
		case strings.HasPrefix(rest, "<?"):
			end = "?>"
		case strings.HasPrefix(rest, "<!--"):
			end = "-->"
		case strings.HasPrefix(rest, "<") && !strings.HasPrefix(rest, "<!"):
			tag, _, _ := strings.Cut(rest[1:], ">")
			fields := strings.Fields(tag)
			if len(fields) == 0 {
				return
			}
			_, local, found := strings.Cut(fields[0], ":")
			if !found {
				local = fields[0]
			}
			h.root, h.space = strings.TrimSuffix(local, "/"), strings.ToLower(strings.Join(fields[1:], " "))
			if strings.EqualFold(h.root, "html") {
				h.root = "html"
			}
			return
		default:
			if strings.HasPrefix(rest, "<!") {
				h.decl = 1 + strings.Count(h.text[:len(h.text)-len(rest)], "\n")
			}
			return
		}
		_, after, ok := strings.Cut(rest, end)
		if !ok {
			return
		}
		rest = after
	}
}

// readKeys lists the keys of the first object, as far as it lies in the window.
func (h *head) readKeys() {
	h.keys = map[string]struct{}{}
	dec := jsontext.NewDecoder(strings.NewReader(h.text), jsontext.AllowDuplicateNames(true))
	tok, err := dec.ReadToken()
	if err == nil && tok.Kind() == '[' {
		h.array = true
		tok, err = dec.ReadToken()
	}
	if err != nil || tok.Kind() != '{' {
		return
	}
	for {
		tok, err := dec.ReadToken()
		if err != nil || tok.Kind() != '"' {
			return
		}
		h.keys[tok.String()] = struct{}{}
		if dec.SkipValue() != nil {
			return
		}
	}
}

// has tells whether the first object or the header has all these names.
func (h *head) has(names ...string) bool {
	for _, n := range names {
		if _, ok := h.keys[n]; !ok {
			return false
		}
	}
	return len(names) > 0
}

// readRows reads the first rows as a table, with the delimiter that the first line with more than one column has.
func (h *head) readRows() {
	h.delim = delimiter(h.text)
	rows := newRows("", bufio.NewReader(strings.NewReader(h.text)), h.delim)
	for len(h.lines) < 20 {
		row, err := rows.next()
		if err != nil {
			break
		}
		h.lines = append(h.lines, append([]string(nil), row...))
	}
	if n := len(h.lines); !h.whole && n > 1 && n < 20 {
		h.lines = h.lines[:n-1] // it may be cut by the window
	}
}

// delimiter is the one of , ; tab and | that the first lines have most steadily.
func delimiter(text string) byte {
	best, most := byte(','), 0
	for _, d := range []byte{',', ';', '\t', '|'} {
		n := 0
		rows := newRows("", bufio.NewReader(strings.NewReader(text)), d)
		for i := 0; i < 3; i++ {
			row, err := rows.next()
			if err != nil {
				break
			}
			n = max(n, len(row)-1)
		}
		if n > most {
			best, most = d, n
		}
	}
	return best
}

// header tells whether one of the first rows has all these columns, whatever their case.
func (h *head) header(names ...string) bool {
	for _, row := range h.lines[:min(len(h.lines), 3)] {
		if hasColumns(row, names...) {
			return true
		}
	}
	return false
}

func hasColumns(row []string, names ...string) bool {
	have := map[string]bool{}
	for _, c := range row {
		have[columnKey(c)] = true
	}
	for _, n := range names {
		if !have[columnKey(n)] {
			return false
		}
	}
	return true
}

// columnKey is a column's name by which it is found: lower case letters and digits.
func columnKey(s string) string {
	out := make([]rune, 0, len(s))
	for _, r := range strings.ToLower(s) {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r > 127 {
			out = append(out, r)
		}
	}
	return string(out)
}
