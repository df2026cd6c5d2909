package web

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/polder-exchange/polder"
)

// TestS40ReadJSON (S40): a body that programs may read in two ways is refused, and so is what the receiver does not know.
func TestS40ReadJSON(t *testing.T) {
	for _, c := range []struct {
		why, body string
		kind      polder.Kind
		want      string
	}{
		{"as it should be", ` {"name":"a","more":{"name":"b"}} ` + "\n", 0, "a"},
		{"a member twice", `{"name":"a","name":"b"}`, polder.Invalid, ""},
		{"a member in two spellings", `{"name":"a","NAME":"b"}`, polder.Invalid, ""},
		{"a member in two spellings, within", `{"name":"a","more":{"name":"b","Name":"c"}}`, polder.Invalid, ""},
		{"a member twice, within", `{"name":"a","more":{"name":"b","name":"c"}}`, polder.Invalid, ""},
		{"a member that is none", `{"name":"a","nationality":"b"}`, polder.Invalid, ""},
		{"a second value", `{"name":"a"}{"name":"b"}`, polder.Invalid, ""},
		{"text behind it", `{"name":"a"} x`, polder.Invalid, ""},
		{"half a pair", `{"name":"\ud800"}`, polder.Invalid, ""},
		{"no UTF-8", "{\"name\":\"\xff\"}", polder.Invalid, ""},
		{"nothing", ``, polder.Invalid, ""},
		{"cut", `{"name":"a"`, polder.Invalid, ""},
		{"deep", strings.Repeat(`{"more":`, 20_000), polder.Invalid, ""},
	} {
		var into struct {
			Name string
			More struct{ Name string }
		}
		err := ReadJSON(httptest.NewRequest(http.MethodPost, "/", strings.NewReader(c.body)), &into)
		if (err == nil) != (c.kind == 0) || err != nil && polder.KindOf(err) != c.kind || err == nil && into.Name != c.want {
			t.Errorf("%s: %v, %+v", c.why, err, into)
		}
	}
}

// TestReadJSONKnown: who writes a member that is none reads where it stands and what would be known there.
func TestReadJSONKnown(t *testing.T) {
	type base struct {
		Kind string `json:"kind"`
	}
	for _, c := range []struct{ why, body, want string }{
		{"at the top", `{"naem":"a"}`, "body: naem: is not known; known are kind, name, at, rows, by"},
		{"embedded members are its own", `{"kind":"a","x":1}`, "body: x: is not known; known are kind, name, at, rows, by"},
		{"within rows", `{"rows":[{"kind":"a"},{"kind":"b","king":"c"}]}`, "body: rows[1].king: is not known; known are kind"},
		{"within a map", `{"by":{"a":{"kin":"d"}}}`, "body: by.a.kin: is not known; known are kind"},
		{"a wrong type is told as such", `{"name":7}`, "json: cannot unmarshal number"},
		{"what reads itself has no members", `{"at":{"x":1}}`, "Time.UnmarshalJSON"},
	} {
		var into struct {
			base
			Name string          `json:"name"`
			At   time.Time       `json:"at"`
			Rows []base          `json:"rows"`
			By   map[string]base `json:"by,omitempty"`
			Off  string          `json:"-"`
		}
		err := ReadJSON(httptest.NewRequest(http.MethodPost, "/", strings.NewReader(c.body)), &into)
		if polder.KindOf(err) != polder.Invalid || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %s", c.why, err, c.want)
		}
	}
}
