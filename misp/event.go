package misp

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// text is a value that MISP writes as a string here and as a number or a boolean there. A missing one is empty.
type text string

func (t *text) UnmarshalJSON(raw []byte) error {
	switch {
	case raw[0] == '"':
		var s string
		if err := json.Unmarshal(raw, &s); err != nil {
			return err
		}
		*t = text(s)
	case raw[0] == '{' || raw[0] == '[':
		return fmt.Errorf("a text or a number is expected, not %.20s", raw)
	case string(raw) == "null":
		*t = ""
	default:
		*t = text(raw)
	}
	return nil
}

// yes reads a boolean in any of its spellings.
func (t text) yes() bool { return t == "true" || t == "1" || t == "True" }

// time reads seconds since 1970, or a date and time as first_seen has it; zero when it is none of both or out of range.
func (t text) time() time.Time {
	if n, err := strconv.ParseInt(string(t), 10, 64); err == nil {
		if n <= 0 || n > 7_258_118_400 { // the year 2200
			return time.Time{}
		}
		return time.Unix(n, 0).UTC()
	}
	for _, form := range []string{time.RFC3339Nano, "2006-01-02 15:04:05", "2006-01-02"} {
		if at, err := time.Parse(form, string(t)); err == nil && at.Year() > 1900 && at.Year() < 2200 {
			return at.UTC()
		}
	}
	return time.Time{}
}

type event struct {
	UUID        text            `json:"uuid"`
	Info        text            `json:"info"`
	Date        text            `json:"date"`
	Timestamp   text            `json:"timestamp"`
	Published   text            `json:"publish_timestamp"`
	ThreatLevel text            `json:"threat_level_id"`
	Analysis    text            `json:"analysis"`
	Orgc        org             `json:"Orgc"`
	Tags        []tag           `json:"Tag"`
	Galaxies    []galaxy        `json:"Galaxy"`
	Attributes  []attribute     `json:"Attribute"`
	Proposals   json.RawMessage `json:"ShadowAttribute"`
	Objects     []object        `json:"Object"`
	Reports     []eventReport   `json:"EventReport"`
}

type org struct {
	UUID text `json:"uuid"`
	Name text `json:"name"`
}

type tag struct {
	Name text `json:"name"`
}

type galaxy struct {
	Type     text      `json:"type"`
	Clusters []cluster `json:"GalaxyCluster"`
}

type cluster struct {
	UUID        text            `json:"uuid"`
	Type        text            `json:"type"`
	Value       text            `json:"value"`
	Description text            `json:"description"`
	Meta        json.RawMessage `json:"meta"`
}

type attribute struct {
	UUID         text       `json:"uuid"`
	Type         text       `json:"type"`
	Category     text       `json:"category"`
	Value        text       `json:"value"`
	Comment      text       `json:"comment"`
	ToIDs        text       `json:"to_ids"`
	Deleted      text       `json:"deleted"`
	Distribution text       `json:"distribution"`
	Timestamp    text       `json:"timestamp"`
	FirstSeen    text       `json:"first_seen"`
	LastSeen     text       `json:"last_seen"`
	Relation     text       `json:"object_relation"`
	Data         text       `json:"data"`
	Tags         []tag      `json:"Tag"`
	Galaxies     []galaxy   `json:"Galaxy"`
	Sightings    []sighting `json:"Sighting"`
}

type object struct {
	UUID         text        `json:"uuid"`
	Name         text        `json:"name"`
	MetaCategory text        `json:"meta-category"`
	Comment      text        `json:"comment"`
	Deleted      text        `json:"deleted"`
	Distribution text        `json:"distribution"`
	Timestamp    text        `json:"timestamp"`
	Attributes   []attribute `json:"Attribute"`
	References   []reference `json:"ObjectReference"`
}

type reference struct {
	UUID       text `json:"uuid"`
	Referenced text `json:"referenced_uuid"`
	Type       text `json:"relationship_type"`
	Comment    text `json:"comment"`
	Deleted    text `json:"deleted"`
	Timestamp  text `json:"timestamp"`
}

type sighting struct {
	UUID text `json:"uuid"`
	Type text `json:"type"` // 0 seen, 1 false positive, 2 expired
	Date text `json:"date_sighting"`
}

type eventReport struct {
	UUID      text `json:"uuid"`
	Name      text `json:"name"`
	Content   text `json:"content"`
	Deleted   text `json:"deleted"`
	Timestamp text `json:"timestamp"`
}

// Limits bounds the input. Zero means the default.
type Limits struct {
	Bytes   int // default 64 MiB
	Depth   int // of nested JSON; default 64
	Objects int // attributes, objects and the like of all events together; default 200,000
}

func (l Limits) withDefaults() Limits {
	if l.Bytes <= 0 {
		l.Bytes = 64 << 20
	}
	if l.Depth <= 0 {
		l.Depth = 64
	}
	if l.Objects <= 0 {
		l.Objects = 200_000
	}
	return l
}

// checkSize refuses JSON that is too long or too deep before anything is decoded.
func (l Limits) checkSize(raw []byte) error {
	if len(raw) > l.Bytes {
		return fmt.Errorf("the input has %d bytes; at most %d are read", len(raw), l.Bytes)
	}
	depth, quoted := 0, false
	for i := 0; i < len(raw); i++ {
		switch c := raw[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '{' || c == '[':
			if depth++; depth > l.Depth {
				return fmt.Errorf("the input is nested more than %d deep", l.Depth)
			}
		case c == '}' || c == ']':
			depth--
		}
	}
	return nil
}

// readEvents reads one event or many, in any of the wrappings that MISP gives them.
func readEvents(raw []byte, l Limits) ([]event, error) {
	if err := l.checkSize(raw); err != nil {
		return nil, err
	}
	bodies, err := unwrap(raw)
	if err != nil {
		return nil, err
	}
	if len(bodies) == 0 {
		return nil, errors.New(`the input holds no event; a MISP event is {"Event": {…}}`)
	}
	events := make([]event, len(bodies))
	count := 0
	for i, body := range bodies {
		if err := json.Unmarshal(body, &events[i]); err != nil {
			return nil, fmt.Errorf("event %d is no MISP event: %s", i+1, explain(err))
		}
		if count += events[i].count(); count > l.Objects {
			return nil, fmt.Errorf("the input holds more than %d attributes and objects; split it", l.Objects)
		}
	}
	return events, nil
}

// unwrap takes the events out of {"Event": …}, {"response": …}, a list of these, or an event by itself.
func unwrap(raw json.RawMessage) ([]json.RawMessage, error) {
	raw = bytes.TrimSpace(raw)
	if len(raw) > 0 && raw[0] == '[' {
		var list, all []json.RawMessage
		if err := json.Unmarshal(raw, &list); err != nil {
			return nil, fmt.Errorf("the input is no JSON: %s", explain(err))
		}
		for _, one := range list {
			bodies, err := unwrap(one)
			if err != nil {
				return nil, err
			}
			all = append(all, bodies...)
		}
		return all, nil
	}
	var wrap struct {
		Event    json.RawMessage `json:"Event"`
		Response json.RawMessage `json:"response"`
		Info     json.RawMessage `json:"info"`
		UUID     json.RawMessage `json:"uuid"`
	}
	if err := json.Unmarshal(raw, &wrap); err != nil {
		return nil, fmt.Errorf("the input is no JSON of a MISP event: %s", explain(err))
	}
	switch {
	case wrap.Event != nil:
		return []json.RawMessage{wrap.Event}, nil
	case wrap.Response != nil:
		return unwrap(wrap.Response)
	case wrap.Info != nil && wrap.UUID != nil:
		return []json.RawMessage{raw}, nil
	}
	return nil, errors.New(`the input is no MISP event: it has neither "Event" nor "response"`)
}

// explain says a decoding error in the words of the format, not of the language it is read with.
func explain(err error) string {
	if e, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		return fmt.Sprintf("%s is a JSON %s, which does not fit there (byte %d)", strings.TrimPrefix(e.Field, "."), e.Value, e.Offset)
	}
	if e, ok := errors.AsType[*json.SyntaxError](err); ok {
		return fmt.Sprintf("%v (byte %d)", e, e.Offset)
	}
	return err.Error()
}

// count is how many things an event holds.
func (e event) count() int {
	n := len(e.Tags) + len(e.Attributes) + len(e.Objects) + len(e.Reports) + clusterCount(e.Galaxies)
	for _, a := range e.Attributes {
		n += len(a.Tags) + len(a.Sightings) + clusterCount(a.Galaxies)
	}
	for _, o := range e.Objects {
		n += len(o.Attributes) + len(o.References)
		for _, a := range o.Attributes {
			n += len(a.Tags) + len(a.Sightings) + clusterCount(a.Galaxies)
		}
	}
	return n
}

func clusterCount(list []galaxy) (n int) {
	for _, g := range list {
		n += len(g.Clusters)
	}
	return n
}
