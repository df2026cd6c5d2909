package detect

import "encoding/binary"

// Bounds of the titles that are kept in memory; beyond them a hit is named by its value and its id.
const (
	maxTitleBytes   = 32 << 20
	maxTitleObjects = 200_000
	maxTitle        = 300
)

// titles are the names of objects and the comments of lists. Many lines share one.
type titles struct {
	text    []string
	no      map[string]uint32
	bytes   int
	objects map[[16]byte]uint32
}

func newTitles() titles {
	return titles{text: []string{""}, no: map[string]uint32{"": 0}, objects: map[[16]byte]uint32{}}
}

// number is the number of a text; 0 stands for none.
func (t *titles) number(text string) uint32 {
	if len(text) > maxTitle {
		text = text[:maxTitle]
	}
	if no, ok := t.no[text]; ok {
		return no
	}
	if t.bytes += len(text); t.bytes > maxTitleBytes {
		return 0
	}
	no := uint32(len(t.text))
	t.text = append(t.text, text)
	t.no[text] = no
	return no
}

// line is what a table keeps of a line of a list.
func (t *titles) line(line int, title string) (out [16]byte) {
	binary.BigEndian.PutUint64(out[:], uint64(line))
	binary.BigEndian.PutUint32(out[8:], t.number(title))
	return out
}

func (t *titles) ofLine(object [16]byte) (line int, title string) {
	return int(binary.BigEndian.Uint64(object[:])), t.text[binary.BigEndian.Uint32(object[8:])]
}

func (t *titles) setObject(object [16]byte, title string) {
	no := t.number(title)
	if _, have := t.objects[object]; no != 0 && (have || len(t.objects) < maxTitleObjects) {
		t.objects[object] = no
	}
}

func (t *titles) ofObject(object [16]byte) string { return t.text[t.objects[object]] }
