package web

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"reflect"
	"slices"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/polder-exchange/polder"
)

// WriteJSON answers with v as JSON.
func WriteJSON(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(v) // the client is gone
}

// ReadJSON decodes a JSON body strictly: a member that into does not have, or that stands there twice, is
// [polder.Invalid], and the error names the members that are known in its place. A body above the route's bound stays the
// error that it is.
func ReadJSON(r *http.Request, into any) error {
	raw, err := io.ReadAll(r.Body)
	if err == nil {
		err = oneWay(raw)
	}
	if err == nil {
		dec := json.NewDecoder(bytes.NewReader(raw))
		dec.DisallowUnknownFields()
		if err = dec.Decode(into); err != nil {
			if path, known := unknownMember(reflect.TypeOf(into), raw, ""); path != "" {
				err = fmt.Errorf("%.100s: is not known; known are %s", path, strings.Join(known, ", "))
			}
		}
	}
	if err != nil && Status(err) == http.StatusInternalServerError {
		return polder.Errorf(polder.Invalid, "body: %w", err)
	}
	return err
}

// oneWay refuses what programs may read in two ways: a member twice or in two spellings, text that is not UTF-8, something behind the value.
func oneWay(raw []byte) error {
	dec := jsontext.NewDecoder(bytes.NewReader(raw))
	if err := dec.SkipValue(); err != nil {
		return err
	}
	if _, err := dec.ReadToken(); err != io.EOF {
		return errors.New("something stands behind the value; send one")
	}
	return spelledTwice(raw)
}

// memberDepth is how deep an unknown member is looked for.
const memberDepth = 6

// unknownMember is where raw has a member that a t does not have, and what it has there; empty where nothing is found.
func unknownMember(t reflect.Type, raw []byte, path string) (at string, known []string) {
	if strings.Count(path, ".") >= memberDepth {
		return "", nil
	}
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if reflect.PointerTo(t).Implements(reflect.TypeFor[json.Unmarshaler]()) {
		return "", nil
	}
	switch t.Kind() {
	case reflect.Slice, reflect.Array:
		var all []json.RawMessage
		_ = json.Unmarshal(raw, &all) // anything else holds no members
		for i, one := range all {
			if at, known = unknownMember(t.Elem(), one, fmt.Sprintf("%s[%d]", path, i)); at != "" {
				return at, known
			}
		}
	case reflect.Map, reflect.Struct:
		var all map[string]json.RawMessage
		_ = json.Unmarshal(raw, &all)
		for _, name := range slices.Sorted(maps.Keys(all)) {
			of, here := t, strings.TrimPrefix(path+"."+name, ".")
			if t.Kind() == reflect.Map {
				of = t.Elem()
			} else if of, known = memberOf(t, name); of == nil {
				return here, known
			}
			if at, known = unknownMember(of, all[name], here); at != "" {
				return at, known
			}
		}
	}
	return "", nil
}

// memberOf is the type of a member of t, nil where t has none of that name, and the names of all.
func memberOf(t reflect.Type, name string) (of reflect.Type, known []string) {
	for _, f := range reflect.VisibleFields(t) {
		called, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		if !f.IsExported() || called == "-" || f.Anonymous && called == "" {
			continue
		}
		if called == "" {
			called = f.Name
		}
		if strings.EqualFold(called, name) {
			of = f.Type
		}
		known = append(known, called)
	}
	return of, known
}
