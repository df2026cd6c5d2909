package event

import (
	"bytes"
	"path/filepath"
	"strings"
	"time"
)

// headBytes is how much of a stream is looked at to recognise it.
const headBytes = 64 << 10

// head is the beginning of a stream, as recognition sees it: without compression, in UTF-8.
type head struct {
	data  []byte // up to headBytes
	whole bool   // data is the whole stream
	now   time.Time
	name  string // of the file, lower case, without folders and without .gz and .zst

	json    []Event // see events
	decoded bool
}

func newHead(data []byte, whole bool, name string) *head {
	name = strings.ToLower(filepath.Base(filepath.ToSlash(name)))
	for _, ext := range []string{".gz", ".gzip", ".zst", ".zstd"} {
		name = strings.TrimSuffix(name, ext)
	}
	return &head{data: data, whole: whole, name: name}
}

// lines are the first lines of the stream that are not empty, at most n, without the white space at their ends. A line
// that is cut off by the end of the head is left out, unless it is the only one.
func (h *head) lines(n int) [][]byte {
	var all [][]byte
	rest := h.data
	for len(rest) > 0 && len(all) < n {
		line, after, ended := bytes.Cut(rest, []byte{'\n'})
		if !ended && !h.whole && len(all) > 0 {
			break
		}
		if line = bytes.TrimSpace(line); len(line) > 0 {
			all = append(all, line)
		}
		rest = after
	}
	return all
}

// events are the first events of the stream if it holds JSON objects, at most 16. Of a record that is broken or cut off
// there are the fields before that, if it is the only one.
func (h *head) events() []Event {
	if h.decoded {
		return h.json
	}
	h.decoded = true
	first := bytes.TrimLeft(h.data, " \t\r\n[")
	if line, rest, _ := bytes.Cut(first, []byte{'\n'}); numbered(bytes.TrimSpace(line)) {
		first = bytes.TrimLeft(rest, " \t\r\n")
	}
	if len(first) == 0 || first[0] != '{' && !h.begunAmid() {
		return nil
	}
	c := Chunk{Data: h.data}
	cutJSON(h).cut(h.data, h.whole, &c)
	r := newJSONReader(&jsonKind{})
	for _, s := range c.records[:min(16, len(c.records))] {
		var e Event
		e.begin(0, h.data[s.from:s.to], &noAlias)
		if r.read(e.Raw, &c, &e) == nil {
			h.json = append(h.json, e)
		}
	}
	if len(h.json) == 0 && first[0] == '{' {
		first = first[max(0, wrapper(first)):]
		var e Event
		e.begin(0, first, &noAlias)
		if r.read(first, &c, &e); len(e.Fields) > 0 {
			h.json = append(h.json, e)
		}
	}
	return h.json
}

// begunAmid says whether only the first line is no object: a log of lines that was cut off in front.
func (h *head) begunAmid() bool {
	all := h.lines(3)
	for _, line := range all[min(1, len(all)):] {
		if line[0] != '{' || objectEnd(line, 0) != len(line) {
			return false
		}
	}
	return len(all) > 1
}

// sure is how certain it is that the stream holds events of the kind: the mean over the first events, 0 when most of
// them are none.
func (h *head) sure(k *jsonKind) int {
	sum, yes := 0, 0
	all := h.events()
	for i := range all {
		if n := k.sure(&all[i]); n > 0 {
			sum, yes = sum+n, yes+1
		}
	}
	if yes == 0 || yes*2 < len(all) {
		return 0
	}
	return sum / len(all)
}
