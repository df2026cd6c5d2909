package taxii

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// maxDepth bounds how deeply the lists and objects of one object may nest.
const maxDepth = 200

// ReadEnvelope reads a TAXII envelope strictly and returns its objects in order, each with exactly the bytes it came
// in. JSON that is wrong, is not UTF-8, names a property twice or nests deeper than 200 is an [ErrInvalid]; JSON that
// is no envelope with at least one and at most maxObjects objects is an [ErrUnprocessable]. The objects themselves are
// not judged. The reader's own errors are returned as they are.
func ReadEnvelope(r io.Reader, maxObjects int) ([]json.RawMessage, error) {
	e := envelopeReader{dec: jsontext.NewDecoder(r), max: maxObjects}
	if err := e.read(); err != nil {
		return nil, e.explain(err)
	}
	if len(e.objects) == 0 {
		return nil, unprocessable("the envelope holds no objects; list at least one under \"objects\"")
	}
	return e.objects, nil
}

type envelopeReader struct {
	dec     *jsontext.Decoder
	max     int
	objects []json.RawMessage
}

func (e *envelopeReader) read() error {
	if e.dec.PeekKind() != '{' {
		if _, err := e.dec.ReadValue(); err != nil {
			return err
		}
		return unprocessable("the body is no envelope; write {\"objects\": […]}")
	}
	if _, err := e.dec.ReadToken(); err != nil {
		return err
	}
	for e.dec.PeekKind() != '}' {
		name, err := e.dec.ReadToken()
		if err != nil {
			return err
		}
		if err := e.property(name.String()); err != nil {
			return err
		}
	}
	if _, err := e.dec.ReadToken(); err != nil {
		return err
	}
	if _, err := e.dec.ReadToken(); err != io.EOF {
		if err != nil {
			return err
		}
		return invalid("more follows after the envelope; send one JSON object")
	}
	return nil
}

func (e *envelopeReader) property(name string) error {
	switch {
	case name == "objects":
		return e.list()
	case name == "more" || name == "next" || strings.HasPrefix(name, "x_"):
		return e.dec.SkipValue()
	case name == "type" || name == "spec_version":
		return unprocessable("the body is a bundle or a bare object; TAXII 2.1 takes an envelope, {\"objects\": […]}")
	}
	return unprocessable("an envelope has no property %q; it has \"objects\", \"more\", \"next\" and names that begin with x_", clip(name))
}

func (e *envelopeReader) list() error {
	if e.dec.PeekKind() != '[' {
		if _, err := e.dec.ReadValue(); err != nil {
			return err
		}
		return unprocessable("\"objects\" is no list; write {\"objects\": […]}")
	}
	if _, err := e.dec.ReadToken(); err != nil {
		return err
	}
	for e.dec.PeekKind() != ']' {
		raw, err := e.dec.ReadValue()
		if err != nil {
			return err
		}
		n := len(e.objects)
		switch {
		case n == e.max:
			return unprocessable("the envelope holds more than %d objects; send them in several", e.max)
		case raw.Kind() != '{':
			return unprocessable("objects[%d] is no JSON object", n)
		case depth(raw) > maxDepth:
			return invalid("objects[%d] nests deeper than %d", n, maxDepth)
		}
		e.objects = append(e.objects, bytes.Clone(raw))
	}
	_, err := e.dec.ReadToken()
	return err
}

// explain turns the decoder's errors into refusals that say where.
func (e *envelopeReader) explain(err error) error {
	if syntax, ok := errors.AsType[*jsontext.SyntacticError](err); ok {
		cause := syntax.Err
		if errors.Is(cause, io.ErrUnexpectedEOF) {
			cause = errors.New("the text ends too early")
		}
		return invalid("the body is no JSON as it should be, at byte %d: %s", syntax.ByteOffset, clip(cause.Error()))
	}
	if err == io.EOF || errors.Is(err, io.ErrUnexpectedEOF) {
		return invalid("the body ends too early; send one JSON object")
	}
	return err
}

// depth is how deeply valid JSON nests.
func depth(raw []byte) int {
	deepest, level := 0, 0
	for i := 0; i < len(raw); i++ {
		switch raw[i] {
		case '"':
			for i++; raw[i] != '"'; i++ {
				if raw[i] == '\\' {
					i++
				}
			}
		case '{', '[':
			level++
			deepest = max(deepest, level)
		case '}', ']':
			level--
		}
	}
	return deepest
}

func unprocessable(format string, args ...any) *Error {
	return Errorf(http.StatusUnprocessableEntity, format, args...)
}
