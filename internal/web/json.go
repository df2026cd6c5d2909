package web

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"

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
// [polder.Invalid]. A body above the route's
// bound stays the error that it is.
func ReadJSON(r *http.Request, into any) error {
	raw, err := io.ReadAll(r.Body)
	if err == nil {
		err = oneWay(raw)
	}
	if err == nil {
		dec := json.NewDecoder(bytes.NewReader(raw))
		dec.DisallowUnknownFields()
		err = dec.Decode(into)
	}
	if err != nil && Status(err) == http.StatusInternalServerError {
		return polder.Errorf(polder.Invalid, "body: %w", err)
	}
	return err
}

// oneWay refuses what programs may read in two ways: a member twice, text that is not UTF-8, something behind the value.
func oneWay(raw []byte) error {
	dec := jsontext.NewDecoder(bytes.NewReader(raw))
	if err := dec.SkipValue(); err != nil {
		return err
	}
	if _, err := dec.ReadToken(); err != io.EOF {
		return errors.New("something stands behind the value; send one")
	}
	return nil
}
