package evtx

import (
	"encoding/binary"
	"errors"
	"unicode/utf8"
)

// This file turns binary XML into a flat list of steps, once for each template of a chunk. The rules are: an offset is
// checked before it is used, all tries of a chunk together take at most maxWork tokens and MaxText bytes of text, and a template is not followed here but
// when a record that uses it is walked, so that one that holds itself ends at MaxDepth.

// The tokens of binary XML.
const (
	tokEnd          = 0x00
	tokOpen         = 0x01
	tokCloseStart   = 0x02
	tokCloseEmpty   = 0x03
	tokEndElement   = 0x04
	tokValue        = 0x05
	tokAttribute    = 0x06
	tokCDATA        = 0x07
	tokCharRef      = 0x08
	tokEntityRef    = 0x09
	tokPITarget     = 0x0a
	tokPIData       = 0x0b
	tokTemplate     = 0x0c
	tokNormalSub    = 0x0d
	tokOptionalSub  = 0x0e
	tokFragment     = 0x0f
	tokMore         = 0x40
	maxWork         = 1 << 18
	maxName         = 512
	maxInterned     = 1 << 13
	noDependency    = 0xffff
	definitionFrame = 24 // next, GUID, size in front of a template's XML
)

type opKind uint8

const (
	opOpen       opKind = iota // a: name; b: the value it depends on, or noDependency
	opAttr                     // a: name
	opCloseStart               // the start tag ends
	opEnd                      // the element ends
	opText                     // a, b: offset and length of text
	opSub                      // a: index of the value
	opTemplate                 // a: offset of the definition; b: offset of the values
	opNothing                  // a processing instruction, which no event has a use for
)

type op struct {
	kind opKind
	// list, of an opOpen: the element holds one value and nothing else, so that an array makes several elements;
	// size is then the number of steps to behind its end.
	list bool
	size uint32
	a, b uint32
}

// span is a compiled part: steps from lo to hi, and where in the chunk it ended.
type span struct {
	lo, hi int
	end    int
	err    error
}

var (
	errCut    = errors.New("the binary XML is cut off")
	errToken  = errors.New("the binary XML has a token that is not known")
	errName   = errors.New("the binary XML names an element at an impossible place")
	errNest   = errors.New("the binary XML nests deeper than 64 levels")
	errMany   = errors.New("the templates of the chunk have too many elements")
	errClose  = errors.New("the binary XML closes more or fewer elements than it opens")
	errValues = errors.New("the values of a template reach past their record")
)

// compiler reads one part of a chunk.
type compiler struct {
	c        *Chunk
	at, end  int
	nested   bool // inside a value, where elements have no dependency identifier
	open     []int
	closedAt []int
}

// compile gives the steps of the binary XML in a part of the chunk, from memory if it was asked for before.
func (c *Chunk) compile(from, end int, nested bool) span {
	key := uint32(from) << 1
	if nested {
		key |= 1
	}
	if s, ok := c.spans[key]; ok {
		return s
	}
	k := compiler{c: c, at: from, end: min(end, len(c.data)), nested: nested}
	s := span{lo: len(c.ops)}
	s.err = k.run()
	if s.err != nil {
		c.ops = c.ops[:s.lo]
	}
	s.hi, s.end = len(c.ops), k.at
	c.spans[key] = s
	return s
}

func (k *compiler) add(o op) { k.c.ops = append(k.c.ops, o) }

func (k *compiler) run() error {
	for k.at < k.end {
		if k.c.work++; k.c.work > maxWork || len(k.c.text) > MaxText {
			return errMany
		}
		tok := k.c.data[k.at]
		if tok == tokEnd {
			k.at++
			break
		}
		if err := k.token(tok); err != nil {
			return err
		}
		// A nested value holds one element or one template; padding may follow.
		if len(k.open) == 0 && (tok&^tokMore == tokTemplate || tok == tokEndElement || tok == tokCloseEmpty) {
			break
		}
	}
	if len(k.open) > 0 {
		return errClose
	}
	return nil
}

func (k *compiler) token(tok byte) error {
	switch tok &^ tokMore {
	case tokFragment:
		return k.skip(4)
	case tokOpen:
		return k.element(tok)
	case tokCloseStart:
		k.add(op{kind: opCloseStart})
		if n := len(k.open); n > 0 {
			k.closedAt[n-1] = len(k.c.ops)
		}
		return k.skip(1)
	case tokCloseEmpty, tokEndElement:
		return k.close(tok)
	case tokValue:
		return k.value()
	case tokAttribute:
		k.at++
		name, err := k.name()
		k.add(op{kind: opAttr, a: name})
		return err
	case tokCDATA:
		k.at++
		return k.string(opText)
	case tokCharRef:
		return k.charRef()
	case tokEntityRef:
		return k.entityRef()
	case tokPITarget:
		k.at++
		_, err := k.name()
		return err
	case tokPIData:
		k.at++
		return k.string(opNothing)
	case tokTemplate:
		return k.template()
	case tokNormalSub, tokOptionalSub:
		b, err := k.bytes(4)
		if err == nil {
			k.add(op{kind: opSub, a: uint32(binary.LittleEndian.Uint16(b[1:]))})
		}
		return err
	}
	return errToken
}

func (k *compiler) skip(n int) error {
	_, err := k.bytes(n)
	return err
}

func (k *compiler) bytes(n int) ([]byte, error) {
	if n < 0 || k.end-k.at < n {
		return nil, errCut
	}
	b := k.c.data[k.at : k.at+n]
	k.at += n
	return b, nil
}

// element reads an open tag. Whether it carries a dependency identifier depends on where it stands, and writers differ,
// so the form that points at a name is taken.
func (k *compiler) element(tok byte) error {
	if len(k.open) >= MaxDepth {
		return errNest
	}
	k.at++
	with := !k.nested
	if !k.named(with) {
		with = !with
	}
	dep := uint32(noDependency)
	if with {
		b, err := k.bytes(2)
		if err != nil {
			return err
		}
		dep = uint32(binary.LittleEndian.Uint16(b))
	}
	if err := k.skip(4); err != nil {
		return err
	}
	name, err := k.name()
	if err != nil {
		return err
	}
	if tok&tokMore != 0 {
		if err := k.skip(4); err != nil {
			return err
		}
	}
	k.open = append(k.open, len(k.c.ops))
	k.closedAt = append(k.closedAt, 0)
	k.add(op{kind: opOpen, a: name, b: dep})
	return nil
}

// named says whether a name stands where an element with or without dependency identifier says.
func (k *compiler) named(with bool) bool {
	at := k.at + 4
	if with {
		at += 2
	}
	if at+4 > k.end {
		return false
	}
	off := int(binary.LittleEndian.Uint32(k.c.data[at:]))
	if off < firstRecord || off+10 > len(k.c.data) || off > at+4 {
		return false
	}
	n := int(binary.LittleEndian.Uint16(k.c.data[off+6:]))
	return n > 0 && n <= maxName && off+8+2*n <= len(k.c.data)
}

func (k *compiler) close(tok byte) error {
	n := len(k.open)
	if n == 0 {
		return errClose
	}
	at := k.open[n-1]
	if tok == tokCloseEmpty {
		k.add(op{kind: opCloseStart})
	} else if c := k.closedAt[n-1]; c > 0 && len(k.c.ops) == c+1 && k.c.ops[c].kind == opSub {
		k.c.ops[at].list = true
	}
	k.add(op{kind: opEnd})
	k.c.ops[at].size = uint32(len(k.c.ops) - at)
	k.open, k.closedAt = k.open[:n-1], k.closedAt[:n-1]
	return k.skip(1)
}

// value reads a text that stands in the XML itself.
func (k *compiler) value() error {
	b, err := k.bytes(2)
	if err != nil {
		return err
	}
	if b[1] != typeString {
		return errToken
	}
	return k.string(opText)
}

// string reads a counted text.
func (k *compiler) string(kind opKind) error {
	b, err := k.bytes(2)
	if err != nil {
		return err
	}
	if b, err = k.bytes(2 * int(binary.LittleEndian.Uint16(b))); err != nil {
		return err
	}
	from := len(k.c.text)
	k.c.text = appendUTF16(k.c.text, b)
	k.add(op{kind: kind, a: uint32(from), b: uint32(len(k.c.text) - from)})
	return nil
}

func (k *compiler) charRef() error {
	b, err := k.bytes(3)
	if err != nil {
		return err
	}
	from := len(k.c.text)
	k.c.text = utf8.AppendRune(k.c.text, rune(binary.LittleEndian.Uint16(b[1:])))
	k.add(op{kind: opText, a: uint32(from), b: uint32(len(k.c.text) - from)})
	return nil
}

func (k *compiler) entityRef() error {
	k.at++
	name, err := k.name()
	if err != nil {
		return err
	}
	from := len(k.c.text)
	switch s := k.c.name[name]; s {
	case "amp":
		k.c.text = append(k.c.text, '&')
	case "lt":
		k.c.text = append(k.c.text, '<')
	case "gt":
		k.c.text = append(k.c.text, '>')
	case "quot":
		k.c.text = append(k.c.text, '"')
	case "apos":
		k.c.text = append(k.c.text, '\'')
	default:
		k.c.text = append(append(append(k.c.text, '&'), s...), ';')
	}
	k.add(op{kind: opText, a: uint32(from), b: uint32(len(k.c.text) - from)})
	return nil
}

// template reads a use of a template: where its definition stands, which may be right here, and where its values begin.
func (k *compiler) template() error {
	b, err := k.bytes(10)
	if err != nil {
		return err
	}
	def := int(binary.LittleEndian.Uint32(b[6:]))
	if def < firstRecord || def+definitionFrame > len(k.c.data) {
		return errName
	}
	if def == k.at {
		if b, err = k.bytes(definitionFrame); err != nil {
			return err
		}
		if err = k.skip(int(binary.LittleEndian.Uint32(b[20:]))); err != nil {
			return err
		}
	}
	k.add(op{kind: opTemplate, a: uint32(def), b: uint32(k.at)})
	k.at = k.end // what follows are the values
	return nil
}

// name reads a reference to a name, which may stand right behind it.
func (k *compiler) name() (uint32, error) {
	b, err := k.bytes(4)
	if err != nil {
		return 0, err
	}
	off := binary.LittleEndian.Uint32(b)
	id, length, err := k.c.nameAt(off)
	if err == nil && int(off) == k.at {
		err = k.skip(length)
	}
	return id, err
}

// nameAt is the index in c.name of the name at an offset, and how many bytes it takes up there.
func (c *Chunk) nameAt(off uint32) (id uint32, length int, err error) {
	if off < firstRecord || int64(off)+8 > int64(len(c.data)) {
		return 0, 0, errName
	}
	n := int(binary.LittleEndian.Uint16(c.data[off+6:]))
	from := int(off) + 8
	if n == 0 || n > maxName || from+2*n > len(c.data) {
		return 0, 0, errName
	}
	length = 8 + 2*n + 2
	if id, ok := c.names[off]; ok {
		return id, length, nil
	}
	at := len(c.text)
	c.text = appendUTF16(c.text, c.data[from:from+2*n])
	s, ok := c.intern[string(c.text[at:])]
	if !ok {
		s = string(c.text[at:])
		c.intern[s] = s
	}
	c.text = c.text[:at]
	id = uint32(len(c.name))
	c.name = append(c.name, s)
	c.names[off] = id
	return id, length, nil
}
