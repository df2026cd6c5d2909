package web

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

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
