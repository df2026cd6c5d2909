package web

import (
	"encoding/json"
	"net/http"

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

// ReadJSON decodes a JSON body strictly: a member that into does not have is [polder.Invalid]. A body above the route's
// bound stays the error that it is.
func ReadJSON(r *http.Request, into any) error {
	dec := json.NewDecoder(r.Body)
	dec.DisallowUnknownFields()
	err := dec.Decode(into)
	if err != nil && Status(err) == http.StatusInternalServerError {
		return polder.Errorf(polder.Invalid, "body: %w", err)
	}
	return err
}
