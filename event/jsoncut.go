package event

import "bytes"

// cutJSON chooses how JSON is cut: at line ends when the first lines are an object each, since a broken line then costs
// nothing but itself; at the borders of the objects otherwise.
func cutJSON(h *head) cutter {
	whole, begun := 0, 0
	if first := h.lines(1); len(first) > 0 && first[0][0] == '[' && len(first[0]) > 1 {
		return &objects{}
	}
	for _, line := range h.lines(16) {
		if line[0] != '{' {
			continue
		}
		begun++
		line = bytes.TrimSuffix(line, []byte{','})
		if objectEnd(line, 0) == len(line) && wrapper(line) <= 0 {
			whole++
		}
	}
	if whole > 0 && whole*2 >= begun {
		return lines{drop: listMark}
	}
	return &objects{}
}

// listMark says whether a line is but the beginning or the end of a list whose elements have a line each.
func listMark(line []byte) bool {
	return len(line) <= 2 && (line[0] == '[' || line[0] == ']') && (len(line) == 1 || line[1] == ',')
}

// objects cuts a stream of objects: one after the other, in a list, or in a list that is a member of an object around
// them ({"Records":[…]}). What stands between and is no object is a record that cannot be read.
type objects struct {
	around place
	skips  skipping
}

// place is where in the objects around the records the stream is.
type place uint8

const (
	outside place = iota // between objects, or in a list of them
	within               // in the list that is a member of the object around
	behind               // behind that list, before the end of the object around
)

func (o *objects) cut(data []byte, eof bool, c *Chunk) int {
	at := 0
	for at < len(data) {
		switch ch := data[at]; {
		case isSpace(ch) || ch == ',' || ch == '[' && o.around == outside:
			at++
		case ch == ']' && o.around != behind:
			if o.around == within {
				o.around = behind
			}
			at++
		case o.around == behind:
			end := closing(data, at)
			if end < 0 {
				return at
			}
			at, o.around = end, outside
		case ch == '{':
			end, more := o.object(data, at, eof, c)
			if more {
				return at
			}
			at = end
		default:
			end := stray(data, at)
			if end == len(data) && !eof {
				return at
			}
			if _, to := trim(data, at, end); !numbered(data[at:to]) {
				c.records = append(c.records, span{at, to})
			}
			at = end
		}
	}
	return at
}

// numbered says whether the line is a heading that evtx_dump writes over each record, "Record 12".
func numbered(line []byte) bool {
	number, ok := bytes.CutPrefix(line, []byte("Record "))
	return ok && len(number) > 0 && len(bytes.Trim(number, "0123456789")) == 0
}

// object enters the object at data[at] as a record, or goes into the list of records in it.
func (o *objects) object(data []byte, at int, eof bool, c *Chunk) (end int, more bool) {
	if o.around == outside {
		switch n := wrapper(data[at:]); {
		case n > 0:
			o.around = within
			return at + n, false
		case n < 0 && !eof:
			return 0, true
		}
	}
	end = objectEnd(data, at)
	if end < 0 {
		return 0, true
	}
	_, to := trim(data, at, end)
	c.records = append(c.records, span{at, to})
	return end, false
}

func (o *objects) skip(data []byte, _ bool) (int, bool) {
	n, done := o.skips.pass(data)
	if done {
		o.skips = skipping{}
	}
	return n, done
}

// skipping follows strings and braces through an object that comes in pieces.
type skipping struct {
	depth           int
	quoted, escaped bool
}

func (s *skipping) pass(data []byte) (n int, done bool) {
	for i, c := range data {
		switch {
		case s.escaped:
			s.escaped = false
		case s.quoted:
			s.escaped, s.quoted = c == '\\', c != '"'
		case c == '"':
			s.quoted = true
		case c == '{':
			s.depth++
		case c == '}':
			if s.depth--; s.depth <= 0 {
				return i + 1, true
			}
		}
	}
	return len(data), false
}

// stray is where something that is no object ends: at the line's end or before the next object.
func stray(data []byte, at int) int {
	if n := bytes.IndexAny(data[at:], "\n{"); n >= 0 {
		return at + n
	}
	return len(data)
}

// objectEnd is where the object that begins at data[at] ends, -1 when it does not. An object that is broken for certain,
// because a string runs over a line's end or an object begins where none can, ends there.
func objectEnd(data []byte, at int) int {
	depth, before := 0, byte(',')
	for i := at; i < len(data); i++ {
		c := data[i]
		switch c {
		case ' ', '\n', '\r', '\t':
			continue
		case '"':
			end, _ := stringEnd(data, i+1)
			line := bytes.IndexByte(data[i+1:max(end, i+1)], '\n')
			if end < 0 {
				line = bytes.IndexByte(data[i+1:], '\n')
			}
			if line >= 0 {
				return i + 1 + line
			}
			if end < 0 {
				return -1
			}
			i = end
		case '{':
			if before != ',' && before != ':' && before != '[' {
				return i
			}
			depth++
		case '}':
			if depth--; depth == 0 {
				return i + 1
			}
		}
		before = c
	}
	return -1
}

// valueEnd is where the object or list that begins at data[at] ends, -1 when it does not.
func valueEnd(data []byte, at int) int { return closed(data, at, 0) }

// closing is where the object ends whose members go on at data[at]; -1 when it does not.
func closing(data []byte, at int) int { return closed(data, at, 1) }

// closed is where as many objects and lists have ended as there were open at data[at] and began behind it.
func closed(data []byte, at, depth int) int {
	for i := at; i < len(data); i++ {
		switch data[i] {
		case '"':
			end, _ := stringEnd(data, i+1)
			if end < 0 {
				return -1
			}
			i = end
		case '{', '[':
			depth++
		case '}', ']':
			if depth--; depth == 0 {
				return i + 1
			}
		}
	}
	return -1
}

// wrappers are the members that hold lists of records: of AWS, of Azure, of Microsoft Graph, of others.
var wrappers = [][]byte{[]byte("Records"), []byte("records"), []byte("value"), []byte("Events"), []byte("events"), []byte("logs"), []byte("data")}

// maxWrapper is how far into an object the list of records must begin.
const maxWrapper = 4096

// wrapper looks whether the object at the beginning of data is one around a list of records: if its first member that is
// no plain value is such a list. It is how many bytes lie before the first record, 0 when it is none, -1 when more
// data is needed to know.
func wrapper(data []byte) int {
	part := data[:min(len(data), maxWrapper)]
	unknown := -1
	if len(part) == maxWrapper {
		unknown = 0
	}
	i := 1
	for {
		if i = space(part, i); i >= len(part) {
			return unknown
		}
		if part[i] != '"' {
			return 0
		}
		end, _ := stringEnd(part, i+1)
		if end < 0 {
			return unknown
		}
		key := part[i+1 : end]
		if i = space(part, end+1); i < len(part) && part[i] == ':' {
			i = space(part, i+1)
		}
		if i >= len(part) {
			return unknown
		}
		switch part[i] {
		case '[':
			return inList(part, i+1, key, unknown)
		case '{':
			return 0
		case '"':
			if i, _ = stringEnd(part, i+1); i < 0 {
				return unknown
			}
			i++
		}
		n := bytes.IndexAny(part[i:], ",}")
		if n < 0 {
			return unknown
		}
		if part[i+n] == '}' {
			return 0
		}
		i += n + 1
	}
}

// inList is where the first record in the list behind the member key begins, if it is a list of records.
func inList(part []byte, i int, key []byte, unknown int) int {
	i = space(part, i)
	if i >= len(part) {
		return unknown
	}
	if part[i] != '{' && part[i] != ']' {
		return 0
	}
	for _, w := range wrappers {
		if bytes.Equal(w, key) {
			return i
		}
	}
	return 0
}
