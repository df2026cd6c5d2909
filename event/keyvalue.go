package event

import (
	"bytes"
	"fmt"
)

// words are the names of fields that a reader has met, without a lock. The zero value is ready.
type words struct {
	known map[string]Name
}

// name is the name of a path found in a log.
func (w *words) name(path []byte) Name {
	if len(path) > MaxNameBytes {
		return Other
	}
	if n, ok := w.known[string(path)]; ok {
		return n
	}
	n := Known(path)
	if n == Other {
		return n
	}
	if w.known == nil {
		w.known = map[string]Name{}
	}
	w.known[string(path)] = n
	return n
}

// full says that the event has as many fields as one may have; readers of text then stop and refuse the record.
func (e *Event) full() bool { return len(e.Fields) > maxFields }

var errFull = fmt.Errorf("the record has more than %d values", maxFields)

// pairs goes through text of the form key=value key="value with spaces": a value in quotes may hold its quote after a
// backslash. Words without = are passed over. Values with backslashes before a quote or a backslash are put right in buf.
type pairs struct {
	rest []byte
	buf  []byte
}

// next is the next pair; ok is false when there is none.
func (p *pairs) next() (key, value []byte, ok bool) {
	for {
		p.rest = bytes.TrimLeft(p.rest, " \t,;")
		if len(p.rest) == 0 {
			return nil, nil, false
		}
		n := 0
		for n < len(p.rest) && isKeyByte(p.rest[n]) {
			n++
		}
		if n > 0 && n < len(p.rest) && p.rest[n] == '=' {
			key = p.rest[:n]
			p.rest = p.rest[n+1:]
			return key, p.value(), true
		}
		end := bytes.IndexAny(p.rest, " \t,;")
		if end < 0 {
			p.rest = nil
			return nil, nil, false
		}
		p.rest = p.rest[end:]
	}
}

func isKeyByte(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '_' || c == '-' || c == '.' || c == '/'
}

func (p *pairs) value() []byte {
	if len(p.rest) > 0 && p.rest[0] == '"' {
		value, rest, escaped := cutQuoted(p.rest)
		p.rest = rest
		if escaped {
			value = p.plain(value)
		}
		return value
	}
	end := bytes.IndexAny(p.rest, " \t")
	if end < 0 {
		end = len(p.rest)
	}
	value := p.rest[:end]
	p.rest = p.rest[end:]
	return value
}

// cutQuoted cuts off what stands between the quotes that text begins with. Without a closing quote it is all of it.
func cutQuoted(text []byte) (value, rest []byte, escaped bool) {
	quote := text[0]
	for i := 1; i < len(text); i++ {
		switch text[i] {
		case '\\':
			if i+1 < len(text) && (text[i+1] == quote || text[i+1] == '\\') {
				escaped = true
				i++
			}
		case quote:
			return text[1:i], text[i+1:], escaped
		}
	}
	return text[1:], nil, escaped
}

// plain takes the backslashes away that stand before a quote, a bracket or a backslash.
func (p *pairs) plain(text []byte) []byte {
	from := len(p.buf)
	for i := 0; i < len(text); i++ {
		if text[i] == '\\' && i+1 < len(text) && (text[i+1] == '"' || text[i+1] == '\'' || text[i+1] == '\\' || text[i+1] == ']') {
			i++
		}
		p.buf = append(p.buf, text[i])
	}
	return p.buf[from:len(p.buf):len(p.buf)]
}
