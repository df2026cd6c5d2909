package node

import (
	"net/http/httptest"
	"testing"
)

// TestS23ForwardedFor: X-Forwarded-For counts from a listed proxy only, and only as far as listed proxies wrote it.
func TestS23ForwardedFor(t *testing.T) {
	from := addresses([]string{"10.0.0.2", "10.0.0.3"})
	for _, c := range []struct{ name, remote, header, want string }{
		{"no proxy", "203.0.113.9:5", "198.51.100.1", "203.0.113.9"},
		{"listed proxy", "10.0.0.2:5", "198.51.100.1", "198.51.100.1"},
		{"two proxies", "10.0.0.2:5", "198.51.100.1, 10.0.0.3", "198.51.100.1"},
		{"a client's own lie before it", "10.0.0.2:5", "127.0.0.1, 198.51.100.1", "198.51.100.1"},
		{"rubbish", "10.0.0.2:5", "x", "10.0.0.2"},
		{"nothing said", "10.0.0.2:5", "", "10.0.0.2"},
	} {
		r := httptest.NewRequest("GET", "/", nil)
		r.RemoteAddr = c.remote
		if c.header != "" {
			r.Header.Set("X-Forwarded-For", c.header)
		}
		if got := from(r).String(); got != c.want {
			t.Errorf("%s: got %s, want %s", c.name, got, c.want)
		}
	}
}
