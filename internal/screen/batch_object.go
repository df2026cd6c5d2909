package screen

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/screen/lists"
)

// objectRows are parties as JSON objects: one a line, or all in an array.
type objectRows struct {
	t      *table
	column string
	array  *json.Decoder // of an array; nil for lines
	began  bool
	row    int
}

func newObjectRows(name string, in *bufio.Reader, array bool, o PartyOptions) (*objectRows, error) {
	r := &objectRows{t: &table{name: name, in: in, note: func(string) {}}, column: o.Column}
	if array {
		r.array = json.NewDecoder(in)
	}
	return r, nil
}

func (r *objectRows) close() error { return nil }

func (r *objectRows) next() (Query, int, error) {
	if r.array != nil {
		return r.nextOfArray()
	}
	for {
		line, err := r.t.readLine()
		if err != nil {
			return Query{}, r.t.line, err
		}
		if line = strings.TrimSpace(strings.TrimPrefix(line, "\ufeff")); line == "" {
			continue
		}
		q, err := r.query([]byte(line))
		if err != nil {
			return Query{}, r.t.line, &badRow{r.t.line, err}
		}
		return q, r.t.line, nil
	}
}

// nextOfArray reads the next object of an array. What is wrong in an array cannot be passed over.
func (r *objectRows) nextOfArray() (Query, int, error) {
	fail := func(err error) (Query, int, error) {
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			err = errors.New("the array is cut off; give the whole file")
		}
		return Query{}, 0, polder.Errorf(polder.Invalid, "%s: object %d: %w", r.t.name, r.row+1, err)
	}
	if !r.began {
		r.began = true
		if _, err := r.array.Token(); err != nil {
			return fail(err)
		}
	}
	if !r.array.More() {
		if _, err := r.array.Token(); err != nil {
			return fail(err)
		}
		return Query{}, 0, io.EOF
	}
	var raw json.RawMessage
	if err := r.array.Decode(&raw); err != nil {
		return fail(err)
	}
	r.row++
	q, err := r.query(raw)
	if err != nil {
		return Query{}, r.row, &badRow{r.row, err}
	}
	return q, r.row, nil
}

// query makes a query of an object. Its members are known by the same words as the columns of a table.
func (r *objectRows) query(raw []byte) (Query, error) {
	if len(raw) > maxPartyRecord {
		return Query{}, fmt.Errorf("the object has more than %d bytes; is it a party?", maxPartyRecord)
	}
	var members map[string]json.RawMessage
	if err := json.Unmarshal(raw, &members); err != nil {
		if _, ok := errors.AsType[*json.SyntaxError](err); ok {
			return Query{}, fmt.Errorf("it cannot be read as JSON (%w); write {\"name\":\"…\"} on a line", err)
		}
		return Query{}, errors.New("it is no JSON object; write {\"name\":\"…\"} on a line")
	}
	var keys, cells []string
	for _, key := range ordered(raw) {
		if text, ok := scalar(members[key]); ok {
			keys, cells = append(keys, key), append(cells, text)
		}
	}
	h := readHeading(keys)
	if r.column != "" {
		h.at[columnName] = -1
		for i, k := range keys {
			if k == r.column {
				h.at[columnName] = i
			}
		}
		if h.at[columnName] < 0 {
			return Query{}, fmt.Errorf("there is no member %q; there are: %s", clip(r.column, 60), columnsOf(keys))
		}
	}
	q := h.query(cells)
	if ids, ok := members["identifiers"]; ok {
		var more []lists.Identifier
		if err := json.Unmarshal(ids, &more); err != nil {
			return q, errors.New("identifiers are no list of {\"kind\":\"lei\",\"value\":\"…\"}")
		}
		q.Identifiers = append(q.Identifiers, more[:min(len(more), maxIdentifiers)]...)
	}
	return q, nil
}

// ordered are the members of an object in the order in which they stand.
func ordered(raw []byte) []string {
	d := json.NewDecoder(bytes.NewReader(raw))
	if _, err := d.Token(); err != nil {
		return nil
	}
	var out []string
	for d.More() {
		key, err := d.Token()
		if err != nil {
			return out
		}
		name, _ := key.(string)
		out = append(out, name)
		var skip json.RawMessage
		if d.Decode(&skip) != nil {
			return out
		}
	}
	return out
}

// scalar is a text or a number as text.
func scalar(raw json.RawMessage) (string, bool) {
	var s string
	if json.Unmarshal(raw, &s) == nil {
		return s, true
	}
	var n json.Number
	if json.Unmarshal(raw, &n) == nil {
		return n.String(), true
	}
	return "", false
}
