package peers

import (
	"bytes"
	"encoding/json"
	"strconv"

	jsonv2 "github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/exchange"
	"github.com/polder-exchange/polder/internal/journal"
	"github.com/polder-exchange/polder/stix"
)

// Bounds of what is sent at once.
const (
	frameRows  = 256     // of a frame of the stream
	frameBytes = 1 << 20 // of the objects in it, unless one alone is longer
	pageRows   = exchange.Batch
	pageBytes  = 4 << 20
	pushRows   = exchange.Batch
	pushBytes  = 4 << 20
	maxFrame   = 12 << 20 // of a frame or page as it is read
	maxRow     = 9 << 20  // of one delivery
	maxTo      = 10_000   // organisations that one delivery names
)

// frame is what one node hands another at once: deliveries in the order of the sender's numbers.
type frame struct {
	Generation string
	Next       polder.Seq // the cursor after it: deliveries that are not for the reader are passed
	Top        polder.Seq // the newest number of the sender
	More       bool       // there is more already
	Batch      []exchange.Handed
}

// wireHead is a frame without its deliveries.
type wireHead struct {
	Generation string           `json:"generation"`
	Next       polder.Seq       `json:"next"`
	Top        polder.Seq       `json:"top"`
	More       bool             `json:"more,omitempty"`
	Deliveries []jsontext.Value `json:"deliveries"`
}

// wireRow is a delivery. The object's bytes go as they are, so that their hash is the same on both sides; where they
// hold line breaks, which a stream of events would change, they go in base64.
type wireRow struct {
	Seq       polder.Seq         `json:"seq"`
	Kind      journal.Kind       `json:"kind,omitempty"`
	Community polder.CommunityID `json:"community"`
	ID        string             `json:"id"`
	Version   string             `json:"version,omitempty"`
	Record    []byte             `json:"record,omitempty"`
	Level     stix.Marking       `json:"level"`
	Everyone  bool               `json:"everyone,omitempty"`
	To        []polder.OrgID     `json:"to,omitempty"`
	Mine      bool               `json:"mine,omitempty"`
	Erased    bool               `json:"erased,omitempty"`
	Nonce     []byte             `json:"nonce,omitempty"`
	Bytes     []byte             `json:"bytes,omitempty"`
	Object    jsontext.Value     `json:"object,omitempty"`
}

// appendRow writes h as it travels.
func appendRow(b []byte, h exchange.Handed) ([]byte, error) {
	row := wireRow{
		Seq: h.Seq, Kind: h.Kind, Community: h.Community, ID: h.ID, Version: h.Version, Record: h.Record, Level: h.Level, Everyone: h.Everyone, To: h.To, Mine: h.Mine, Erased: h.Erased, Nonce: h.Nonce,
	}
	plain := len(h.Raw) > 0 && !bytes.ContainsAny(h.Raw, "\r\n\x00") && h.Raw[0] == '{' && h.Raw[len(h.Raw)-1] == '}'
	if !plain {
		row.Bytes = h.Raw
	}
	head, err := json.Marshal(row)
	if err != nil {
		return nil, err
	}
	b = append(b, head...)
	if plain {
		b = append(b[:len(b)-1], `,"object":`...)
		b = append(append(b, h.Raw...), '}')
	}
	return b, nil
}

// encode writes f as one line of JSON.
func (f frame) encode() ([]byte, error) {
	size := 256
	for _, h := range f.Batch {
		size += len(h.Raw) + 320
	}
	b := append(make([]byte, 0, size), `{"generation":`...)
	b = strconv.AppendQuote(b, f.Generation) // of letters, digits and dots
	b = append(strconv.AppendInt(append(b, `,"next":`...), int64(f.Next), 10), `,"top":`...)
	b = strconv.AppendInt(b, int64(f.Top), 10)
	if f.More {
		b = append(b, `,"more":true`...)
	}
	b = append(b, `,"deliveries":[`...)
	var err error
	for i, h := range f.Batch {
		if i > 0 {
			b = append(b, ',')
		}
		if b, err = appendRow(b, h); err != nil {
			return nil, err
		}
	}
	return append(b, "]}"...), nil
}

// decodeFrame reads what a peer sent. Everything in it is bounded; that numbers rise is the caller's to check, who knows
// the cursor.
func decodeFrame(raw []byte, rows int) (frame, error) {
	bad := func(what string) (frame, error) {
		return frame{}, polder.Errorf(polder.Invalid, "the peer sent a frame that %s", what)
	}
	if len(raw) > maxFrame {
		return bad("is too long")
	}
	var head wireHead
	if err := jsonv2.Unmarshal(raw, &head); err != nil {
		return bad("is no JSON of the form that was agreed")
	}
	switch {
	case len(head.Deliveries) > rows:
		return bad("holds more deliveries than were asked for")
	case head.Next < 0 || head.Top < 0:
		return bad("has a number below zero")
	case !generationForm(head.Generation):
		return bad("names no generation")
	}
	f := frame{Generation: head.Generation, Next: head.Next, Top: head.Top, More: head.More, Batch: make([]exchange.Handed, len(head.Deliveries))}
	for i, one := range head.Deliveries {
		h, err := decodeRow(one)
		if err != nil {
			return bad("holds a delivery that " + err.Error())
		}
		f.Batch[i] = h
	}
	return f, nil
}

func decodeRow(raw []byte) (exchange.Handed, error) {
	var row wireRow
	if len(raw) > maxRow {
		return exchange.Handed{}, polder.Errorf(polder.TooLarge, "is too long")
	}
	if err := jsonv2.Unmarshal(raw, &row); err != nil {
		return exchange.Handed{}, polder.Errorf(polder.Invalid, "is no JSON of the form that was agreed")
	}
	switch {
	case row.Seq <= 0:
		return exchange.Handed{}, polder.Errorf(polder.Invalid, "has no number")
	case row.Kind > journal.Withdrawn:
		return exchange.Handed{}, polder.Errorf(polder.Invalid, "is of a kind that is not known")
	case row.Level > stix.Red:
		return exchange.Handed{}, polder.Errorf(polder.Invalid, "has a level that is not known")
	case len(row.To) > maxTo || len(row.Nonce) > 64 || len(row.Record) > 64 || len(row.ID) > 200 || len(row.Version) > 64:
		return exchange.Handed{}, polder.Errorf(polder.TooLarge, "has a member that is too long")
	case !communityForm.MatchString(string(row.Community)):
		return exchange.Handed{}, polder.Errorf(polder.Invalid, "names no community")
	case len(row.Object) > 0 && len(row.Bytes) > 0:
		return exchange.Handed{}, polder.Errorf(polder.Invalid, "holds its object twice")
	}
	h := exchange.Handed{
		Seq: row.Seq, Kind: row.Kind, Community: row.Community, ID: row.ID, Version: row.Version, Record: row.Record, Level: row.Level, Everyone: row.Everyone, To: row.To, Mine: row.Mine, Erased: row.Erased, Nonce: row.Nonce,
		Raw: json.RawMessage(row.Object),
	}
	if len(row.Bytes) > 0 {
		h.Raw = row.Bytes
	}
	return h, nil
}

// rising checks that a frame goes on behind a cursor: numbers that go back or repeat are a breach of what was agreed.
func (f frame) rising(after polder.Seq) error {
	last := after
	for _, h := range f.Batch {
		if h.Seq <= last {
			return polder.Errorf(polder.Invalid, "the peer sent number %d behind %d; its numbers must rise", int64(h.Seq), int64(last))
		}
		last = h.Seq
	}
	switch {
	case f.Next < last:
		return polder.Errorf(polder.Invalid, "the peer's next number %d lies before %d, which it has sent", int64(f.Next), int64(last))
	case f.More && f.Next == after:
		return polder.Errorf(polder.Invalid, "the peer says that there is more, and sent nothing behind %d", int64(after))
	}
	return nil
}

// split is how many of the deliveries fit within a bound of bytes; at least one.
func split(sizes []int, most int) int {
	sum := 0
	for i, n := range sizes {
		if sum += n + 320; sum > most && i > 0 {
			return i
		}
	}
	return len(sizes)
}

// generationForm: lineage, a dot, a number.
func generationForm(g string) bool {
	if g == "" || len(g) > 100 {
		return false
	}
	for _, c := range g {
		if (c < '0' || c > '9') && (c < 'a' || c > 'z') && c != '.' && c != '-' {
			return false
		}
	}
	return true
}
