package sigma

import (
	"bytes"
	"unicode/utf8"
)

// shape is how a pattern is best compared.
type shape uint8

const (
	whole   shape = iota // the text is the value
	prefix               // text*
	suffix               // *text
	within               // *text*
	present              // *
	mixed                // all else
)

// glob is a pattern made ready to be compared with values: with folded ones unless it minds case.
type glob struct {
	shape shape
	cased bool
	text  []byte // of the simple shapes
	parts []globPart
}

type globPart struct {
	kind partKind
	text []byte
}

func newGlob(p pattern) glob {
	p = p.folded()
	g := glob{cased: p.cased}
	open := func(i int) bool { return p.parts[i].kind == anyText }
	lit := func(i int) bool { return p.parts[i].kind == literal }
	switch n := len(p.parts); {
	case n == 0:
	case n == 1 && lit(0):
		g.text = []byte(p.parts[0].text)
	case n == 1 && open(0):
		g.shape = present
	case n == 2 && lit(0) && open(1):
		g.shape, g.text = prefix, []byte(p.parts[0].text)
	case n == 2 && open(0) && lit(1):
		g.shape, g.text = suffix, []byte(p.parts[1].text)
	case n == 3 && open(0) && lit(1) && open(2):
		g.shape, g.text = within, []byte(p.parts[1].text)
	default:
		g.shape = mixed
		for _, x := range p.parts {
			g.parts = append(g.parts, globPart{x.kind, []byte(x.text)})
		}
	}
	return g
}

// matches says whether a value is what the pattern describes.
func (g *glob) matches(s []byte) bool {
	switch g.shape {
	case whole:
		return bytes.Equal(s, g.text)
	case prefix:
		return bytes.HasPrefix(s, g.text)
	case suffix:
		return bytes.HasSuffix(s, g.text)
	case within:
		return bytes.Contains(s, g.text)
	case present:
		return true
	}
	return matchParts(g.parts, s)
}

// matchParts compares piece by piece between the stars. A piece after a star is taken where it first occurs: since
// each piece, begun later, does not end earlier, a later place never helps. So the time is the length of the value times
// that of the longest piece.
func matchParts(parts []globPart, s []byte) bool {
	at, free := 0, false // free: a star stands before the next piece
	for len(parts) > 0 {
		if parts[0].kind == anyText {
			parts, free = parts[1:], true
			continue
		}
		n := 0
		for n < len(parts) && parts[n].kind != anyText {
			n++
		}
		piece, last := parts[:n], n == len(parts)
		parts = parts[n:]
		switch {
		case !free:
			end := pieceAt(piece, s, at)
			if end < 0 || last && end != len(s) {
				return false
			}
			at = end
		case last:
			return pieceEnds(piece, s, at)
		default:
			if at = pieceFrom(piece, s, at); at < 0 {
				return false
			}
		}
		free = false
	}
	return free || at == len(s)
}

// pieceAt is where a piece that begins at a place ends, or -1.
func pieceAt(piece []globPart, s []byte, at int) int {
	for i := range piece {
		x := &piece[i]
		switch x.kind {
		case literal:
			if !bytes.HasPrefix(s[at:], x.text) {
				return -1
			}
			at += len(x.text)
		case anyRune:
			if at == len(s) || inside(s, at) {
				return -1
			}
			_, n := utf8.DecodeRune(s[at:])
			at += n
		case anyDash:
			n := dashAt(s[at:])
			if n == 0 {
				return -1
			}
			at += n
		}
	}
	return at
}

// dashAt is the length of the dash a text begins with; 0 is none.
func dashAt(s []byte) int {
	if len(s) == 0 {
		return 0
	}
	if s[0] == '-' || s[0] == '/' {
		return 1
	}
	if len(s) >= 3 && s[0] == 0xe2 && s[1] == 0x80 && s[2] >= 0x93 && s[2] <= 0x95 { // – — ―
		return 3
	}
	return 0
}

// pieceFrom is where a piece that begins at a place or later ends, for the first place it can begin; or -1.
func pieceFrom(piece []globPart, s []byte, at int) int {
	for ; at <= len(s); at++ {
		if piece[0].kind == literal {
			i := bytes.Index(s[at:], piece[0].text)
			if i < 0 {
				return -1
			}
			at += i
		}
		if end := pieceAt(piece, s, at); end >= 0 {
			return end
		}
	}
	return -1
}

// pieceEnds says whether a piece that begins at a place or later ends with the value.
func pieceEnds(piece []globPart, s []byte, at int) bool {
	least, most := 0, 0
	for i := range piece {
		switch piece[i].kind {
		case literal:
			least, most = least+len(piece[i].text), most+len(piece[i].text)
		case anyRune:
			least, most = least+1, most+utf8.UTFMax
		case anyDash:
			least, most = least+1, most+3
		}
	}
	for at = max(at, len(s)-most); at <= len(s)-least; at++ {
		if pieceAt(piece, s, at) == len(s) {
			return true
		}
	}
	return false
}
