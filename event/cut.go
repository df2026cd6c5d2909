package event

import "bytes"

// cutter finds the borders of records in a stream. It is used by one scanner, from the beginning to the end.
type cutter interface {
	// cut appends to c.records the whole records at the beginning of data, which begins where the last call ended, and
	// returns how many bytes they take, with what stands between and after them. When data holds no whole record it
	// appends none; it is then called again with more data, the same bytes first less those it said it took. At the end
	// of the stream (eof) the last record needs no border after it, and what cut leaves is refused as incomplete. A cutter
	// may set c.context and end early when its context changes.
	cut(data []byte, eof bool, c *Chunk) int
	// skip passes over a record that is longer than allowed: the first call gets its beginning, further calls what
	// follows. It returns how many bytes still belong to that record, and whether it ended there.
	skip(data []byte, eof bool) (n int, done bool)
}

// lines cuts at line ends. Lines of white space are no records, nor are those that drop says true of.
type lines struct {
	drop func(line []byte) bool
}

// cutLines is the cutter of formats with a record in each line.
func cutLines(*head) cutter { return lines{} }

func (l lines) cut(data []byte, eof bool, c *Chunk) int {
	at := 0
	for at < len(data) {
		end := bytes.IndexByte(data[at:], '\n')
		next := at + end + 1
		if end < 0 {
			if !eof {
				break
			}
			next = len(data)
		}
		from, to := trim(data, at, next)
		if from < to && (l.drop == nil || !l.drop(data[from:to])) {
			c.records = append(c.records, span{from, to})
		}
		at = next
	}
	return at
}

func (lines) skip(data []byte, _ bool) (int, bool) {
	if end := bytes.IndexByte(data, '\n'); end >= 0 {
		return end + 1, true
	}
	return len(data), false
}

// trim narrows data[from:to] to what is no white space at its ends.
func trim(data []byte, from, to int) (int, int) {
	for from < to && isSpace(data[from]) {
		from++
	}
	for from < to && isSpace(data[to-1]) {
		to--
	}
	return from, to
}

func isSpace(c byte) bool { return c == ' ' || c == '\n' || c == '\r' || c == '\t' }

func countLines(data []byte) int64 { return int64(bytes.Count(data, []byte{'\n'})) }
