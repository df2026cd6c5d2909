package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/polder-exchange/polder"
)

func serve(t *testing.T, h http.HandlerFunc) (*Node, *[]time.Duration) {
	t.Helper()
	srv := httptest.NewServer(h)
	t.Cleanup(srv.Close)
	var waits []time.Duration
	return &Node{URL: srv.URL, Token: "the-token", Wait: func(_ context.Context, d time.Duration) error {
		waits = append(waits, d)
		return nil
	}}, &waits
}

// TestNodeDo: JSON goes there and back, with the token.
func TestNodeDo(t *testing.T) {
	n, _ := serve(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if r.Header.Get("Authorization") != "Bearer the-token" || r.Header.Get("Content-Type") != "application/json" || r.URL.Path != "/api/v1/x" {
			t.Errorf("request: %v %v", r.URL, r.Header)
		}
		fmt.Fprintf(w, `{"got":%s}`, body)
	})
	var out struct{ Got struct{ A int } }
	if err := n.Do(t.Context(), "POST", "/api/v1/x", map[string]int{"a": 7}, &out); err != nil || out.Got.A != 7 {
		t.Errorf("%+v, %v", out, err)
	}
}

// TestNodeRefusals: a refusal becomes the node's own sentence and a kind; a token is in none of them.
func TestNodeRefusals(t *testing.T) {
	for _, c := range []struct {
		status     int
		body, want string
		kind       polder.Kind
	}{
		{403, `{"title":"Forbidden","detail":"your role is reader; sharing needs contributor"}`, "your role is reader; sharing needs contributor", polder.Forbidden},
		{404, `{"title":"Not Found"}`, "Not Found", polder.NotFound},
		{401, `{"detail":"the token is not known"}`, "the token is not known; check --token or POLDER_TOKEN", polder.Unauthorised},
		{422, `{"detail":"two errors","errors":[{"message":"no id","location":"body.objects[3]"},{"message":"too old"}]}`, "two errors\nbody.objects[3]: no id\ntoo old", polder.Invalid},
		{507, `{"detail":"the disk is full"}`, "the disk is full", polder.Full},
		{502, `<html>bad gateway the-token</html>`, "answers 502 Bad Gateway; is it a Polder node?", polder.Internal},
		{302, ``, `sends us on to "https://elsewhere.example/"; give that address if you trust it`, polder.Invalid},
	} {
		n, _ := serve(t, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Location", "https://elsewhere.example/")
			w.WriteHeader(c.status)
			fmt.Fprint(w, c.body)
		})
		err := n.Do(t.Context(), "GET", "/", nil, nil)
		if err == nil || !strings.HasSuffix(err.Error(), c.want) || polder.KindOf(err) != c.kind || strings.Contains(err.Error(), "the-token") {
			t.Errorf("%d: %v (%v), want %q (%v)", c.status, err, polder.KindOf(err), c.want, c.kind)
		}
	}
}

// TestNodeRetries: a request that is put off is sent again with its body, as long as asked for but bounded, and not for ever.
func TestNodeRetries(t *testing.T) {
	calls := 0
	n, waits := serve(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if calls++; string(body) != `"x"` {
			t.Errorf("try %d sent %q", calls, body)
		}
		switch calls {
		case 1:
			w.Header().Set("Retry-After", "2")
			w.WriteHeader(429)
		case 2:
			w.Header().Set("Retry-After", "86400")
			w.WriteHeader(503)
		case 3:
			w.WriteHeader(503)
		}
	})
	if err := n.Do(t.Context(), "POST", "/", "x", nil); err != nil {
		t.Fatal(err)
	}
	if want := []time.Duration{2 * time.Second, 30 * time.Second, 2 * time.Second}; fmt.Sprint(*waits) != fmt.Sprint(want) {
		t.Errorf("waits %v, want %v", *waits, want)
	}
	calls = 0
	n, _ = serve(t, func(w http.ResponseWriter, r *http.Request) {
		calls++
		w.WriteHeader(503)
		fmt.Fprint(w, `{"detail":"busy"}`)
	})
	if err := n.Do(t.Context(), "GET", "/", nil, nil); !errors.Is(err, polder.ErrUnavailable) || err.Error() != "busy" || calls != tries {
		t.Errorf("%v after %d tries", err, calls)
	}
}

// TestNodeSendFor: a status that the caller can read comes back as it is, others as errors.
func TestNodeSendFor(t *testing.T) {
	status := 409
	n, _ := serve(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status); fmt.Fprint(w, `{"detail":"no"}`) })
	res, err := n.SendFor(t.Context(), "POST", "/", nil, nil, 409, 422)
	if err != nil || res.StatusCode != 409 {
		t.Fatalf("%v, %v", res, err)
	}
	if text, _ := io.ReadAll(res.Body); string(text) != `{"detail":"no"}` {
		t.Errorf("body %q", text)
	}
	_ = res.Body.Close()
	status = 403
	if _, err := n.SendFor(t.Context(), "POST", "/", nil, nil, 409); !errors.Is(err, polder.ErrForbidden) {
		t.Errorf("got %v", err)
	}
}

// TestNodeAway: no node there is said in words, and ending the context ends the wait.
func TestNodeAway(t *testing.T) {
	srv := httptest.NewServer(http.NotFoundHandler())
	srv.Close()
	n := &Node{URL: srv.URL, Token: "the-token"}
	err := n.Do(t.Context(), "GET", "/api/v1/x", nil, nil)
	if !errors.Is(err, polder.ErrUnavailable) || !strings.Contains(err.Error(), "is the node running there?") || strings.Contains(err.Error(), "the-token") {
		t.Errorf("%v", err)
	}
	n, _ = serve(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(503) })
	n.Wait = nil
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if err := n.Do(ctx, "GET", "/", nil, nil); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%v, want the deadline", err)
	}
}
