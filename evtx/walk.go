package evtx

import (
	"encoding/binary"
	"errors"
)

// Visitor is told the elements of an event in their order. What it is given holds during the call.
type Visitor interface {
	// Start is called for an element, then Attr for each of its attributes, before all that it holds.
	Start(name string)
	Attr(name string, v Value)
	// Text is called for each piece of text in an element: usually one, its value.
	Text(v Value)
	End()
}

var (
	errSteps = errors.New("the event has too many elements")
	errEmpty = errors.New("the event holds no element: its template is lost")
	errText  = errors.New("the event has too much text")
)

// Visit tells v the event. An error is a *[Damage]: v was told what stands before the damage, and elements that were
// open then were not ended. It may be called until the chunk or the reader goes on to the next record.
func (r *Record) Visit(v Visitor) error {
	c := r.chunk
	w := &c.out
	w.c, w.v = c, v
	w.vals, w.steps, w.size, w.depth, w.inAttr, w.any = w.vals[:0], 0, 0, 0, false, false
	err := w.part(r.at, r.end, false, 0)
	if err == nil && !w.any {
		err = errEmpty
	}
	w.v = nil
	if err != nil {
		return &Damage{Offset: r.Offset, Lost: true, Text: err.Error()}
	}
	return nil
}

// walker runs compiled steps against the values of a record.
type walker struct {
	c     *Chunk
	v     Visitor
	vals  []val
	buf   []byte
	steps int
	size  int
	depth int
	any   bool // an element has begun

	inAttr   bool
	attr     uint32
	attrHas  int // pieces of the attribute's value that are not null
	attrType Type
	attrText []byte
}

// val is one value of a template: a part of the chunk.
type val struct {
	typ      Type
	from, to int
}

// frame is what steps are run against: the values of a template, or one element of an array among them.
type frame struct {
	vals    []val
	end     int // of the part that the template's values lie in
	element bool
	typ     Type
	item    []byte
}

func (f *frame) val(i uint32) val {
	if int64(i) < int64(len(f.vals)) {
		return f.vals[i]
	}
	return val{}
}

// part walks a piece of binary XML that stands in the record: the event itself, or a value that is XML.
func (w *walker) part(from, end int, nested bool, level int) error {
	s := w.c.compile(from, end, nested)
	if s.err != nil {
		return s.err
	}
	return w.run(s.lo, s.hi, frame{end: end}, level)
}

func (w *walker) run(lo, hi int, f frame, level int) error {
	if level > MaxDepth {
		return errNest
	}
	for i := lo; i < hi; i++ {
		if w.steps++; w.steps > MaxSteps {
			return errSteps
		}
		o := w.c.ops[i]
		var err error
		switch o.kind {
		case opOpen:
			if o.b != noDependency && f.val(o.b).typ == Null {
				i += int(o.size) - 1
				continue
			}
			if o.list && !f.element {
				if v := f.val(w.c.ops[i+int(o.size)-2].a); v.typ&Array != 0 {
					err = w.each(i, i+int(o.size), f, v, level)
					i += int(o.size) - 1
					break
				}
			}
			err = w.start(o.a)
		case opAttr:
			w.endAttr()
			w.inAttr, w.attr, w.attrHas, w.attrText = true, o.a, 0, w.attrText[:0]
		case opCloseStart:
			w.endAttr()
		case opEnd:
			w.endAttr()
			w.depth--
			w.v.End()
		case opText:
			err = w.text(String, w.c.text[o.a:o.a+o.b])
		case opSub:
			err = w.sub(o.a, &f, level)
		case opTemplate:
			w.endAttr()
			err = w.template(int(o.a), int(o.b), f.end, level)
		}
		if err != nil {
			return err
		}
	}
	w.endAttr()
	return nil
}

func (w *walker) start(name uint32) error {
	w.endAttr()
	if w.depth++; w.depth > MaxDepth {
		return errNest
	}
	w.any = true
	w.v.Start(w.c.name[name])
	return nil
}

// each walks an element once for every member of the array that is its content; once, empty, when there are none.
func (w *walker) each(lo, hi int, f frame, v val, level int) error {
	f.element, f.typ = true, v.typ&^Array
	rest := w.c.data[v.from:v.to]
	for {
		f.item, rest = v.typ.cut(rest)
		if err := w.run(lo, hi, f, level+1); err != nil || len(rest) == 0 {
			return err
		}
	}
}

// sub gives the value at an index of the template.
func (w *walker) sub(i uint32, f *frame, level int) error {
	if f.element && !w.inAttr {
		return w.value(f.typ, f.item)
	}
	v := f.val(i)
	switch {
	case v.typ == BinXML && !w.inAttr:
		if v.from == v.to {
			return nil
		}
		return w.part(v.from, v.to, true, level+1)
	case v.typ == Null && w.inAttr:
		return nil
	}
	return w.value(v.typ, w.c.data[v.from:v.to])
}

func (w *walker) value(t Type, b []byte) error {
	w.buf = appendValue(w.buf[:0], t, b)
	return w.text(t, w.buf)
}

func (w *walker) text(t Type, b []byte) error {
	if w.size += len(b); w.size > MaxText {
		return errText
	}
	if !w.inAttr {
		w.v.Text(Value{t, b})
		return nil
	}
	w.attrHas++
	w.attrType = t
	w.attrText = append(w.attrText, b...)
	return nil
}

// endAttr tells the attribute that was being read; one whose only value is null is left out.
func (w *walker) endAttr() {
	if !w.inAttr {
		return
	}
	w.inAttr = false
	if w.attrHas == 0 {
		return
	}
	if w.attrHas > 1 {
		w.attrType = String
	}
	w.v.Attr(w.c.name[w.attr], Value{w.attrType, w.attrText})
}

// template walks the definition at def with the values at from, which must end before end.
func (w *walker) template(def, from, end, level int) error {
	d := w.c.data
	if from+4 > end {
		return errValues
	}
	n := int(binary.LittleEndian.Uint32(d[from:]))
	at := from + 4
	if n < 0 || n > (end-at)/4 {
		return errValues
	}
	base := len(w.vals)
	data := at + 4*n
	for i := range n {
		desc := d[at+4*i:]
		size := int(binary.LittleEndian.Uint16(desc))
		if data+size > end {
			w.vals = w.vals[:base]
			return errValues
		}
		w.vals = append(w.vals, val{Type(desc[2]), data, data + size})
		data += size
	}
	size := int(binary.LittleEndian.Uint32(d[def+20:]))
	body := def + definitionFrame
	if size < 0 || size > len(d)-body {
		size = len(d) - body
	}
	s := w.c.compile(body, body+size, false)
	err := s.err
	if err == nil {
		err = w.run(s.lo, s.hi, frame{vals: w.vals[base : base+n], end: end}, level+1)
	}
	w.vals = w.vals[:base]
	return err
}
