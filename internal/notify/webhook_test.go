package notify

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func hookTo(t *testing.T, h http.HandlerFunc) (*Webhook, *httptest.Server) {
	t.Helper()
	srv := httptest.NewTLSServer(h)
	t.Cleanup(srv.Close)
	g := &Guard{Roots: roots(srv), Allow: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}, Timeout: 2 * time.Second}
	return &Webhook{HTTP: g.Client(), Now: func() time.Time { return noon }}, srv
}

// TestWebhook: the receiver gets JSON whose signature it can check.
func TestWebhook(t *testing.T) {
	secret := []byte("shared-by-both-sides")
	var got hook
	w, srv := hookTo(t, func(_ http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		if err := Verify(secret, r.Header.Get(SignatureHeader), body, noon.Add(time.Minute), 5*time.Minute); err != nil {
			t.Errorf("signature: %v", err)
		}
		if r.Method != "POST" || r.Header.Get("Content-Type") != "application/json" || r.Header.Get("Idempotency-Key") != `"k1"` {
			t.Errorf("%s %v", r.Method, r.Header)
		}
		if err := json.Unmarshal(body, &got); err != nil {
			t.Error(err)
		}
	})
	want := hook{ID: "k1", Time: noon, Subject: "An advisory", Body: "Text.\n", Link: "https://node.example/1"}
	err := w.Send(t.Context(), Address{URL: srv.URL + "/hook", Secret: secret}, Letter{Key: "k1", Subject: want.Subject, Body: want.Body, Link: want.Link, Time: noon})
	if err != nil || got != want {
		t.Errorf("got %+v (%v), want %+v", got, err, want)
	}
}

// TestWebhookAnswers: what is tried again and what is not; the address, which may be a secret, is in no error (S34).
func TestWebhookAnswers(t *testing.T) {
	status := 0
	w, srv := hookTo(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Location", "https://elsewhere.example/")
		w.WriteHeader(status)
	})
	for _, c := range []struct {
		status    int
		ok, final bool
	}{{200, true, false}, {202, true, false}, {204, true, false}, {400, false, false}, {404, false, false}, {410, false, true}, {429, false, false}, {500, false, false}, {302, false, true}, {307, false, true}} {
		status = c.status
		err := w.Send(t.Context(), Address{URL: srv.URL + "/path-that-is-a-secret"}, Letter{Key: "k"})
		if (err == nil) != c.ok || Permanent(err) != c.final {
			t.Errorf("%d: %v, final %v", c.status, err, Permanent(err))
		}
		if err != nil && (strings.Contains(err.Error(), "secret") || strings.Contains(err.Error(), srv.URL)) {
			t.Errorf("%d: the address is in the error: %v", c.status, err)
		}
	}
	srv.Close()
	if err := w.Send(t.Context(), Address{URL: srv.URL + "/path-that-is-a-secret"}, Letter{}); err == nil || Permanent(err) || strings.Contains(err.Error(), "secret") {
		t.Errorf("nobody there: %v", err)
	}
	for _, bad := range []string{"http://[secret", "file:///secret", "https://a:secret@127.0.0.1/"} {
		if err := w.Send(t.Context(), Address{URL: bad}, Letter{}); !Permanent(err) || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: %v", bad, err)
		}
	}
}

// TestS20Webhook: a webhook goes through the guard.
func TestS20Webhook(t *testing.T) {
	srv, _, reached := inside(t)
	w := &Webhook{HTTP: (&Guard{Roots: roots(srv)}).Client()}
	if err := w.Send(t.Context(), Address{URL: srv.URL}, Letter{}); !errors.Is(err, ErrRefused) || !Permanent(err) {
		t.Errorf("got %v", err)
	}
	if reached.Load() != 0 {
		t.Error("a webhook reached the inside")
	}
}

// TestSignature: only the right secret, time and body pass.
func TestSignature(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		secret, body := rapid.SliceOfN(rapid.Byte(), 1, 40).Draw(t, "secret"), rapid.SliceOf(rapid.Byte()).Draw(t, "body")
		header := Sign(secret, noon, body)
		if err := Verify(secret, header, body, noon, time.Minute); err != nil {
			t.Fatal(err)
		}
		at := rapid.IntRange(0, len(header)-1).Draw(t, "at")
		changed := []byte(header)
		changed[at] ^= 1
		if Verify(secret, string(changed), body, noon, time.Minute) == nil {
			t.Fatalf("%q passes for %q", changed, header)
		}
		if Verify(append(secret, 1), header, body, noon, time.Minute) == nil || Verify(secret, header, append(body, 0), noon, time.Minute) == nil {
			t.Fatal("another secret or body passes")
		}
	})
	header := Sign([]byte("s"), noon, nil)
	for _, off := range []time.Duration{-2 * time.Minute, 2 * time.Minute} {
		if Verify([]byte("s"), header, nil, noon.Add(off), time.Minute) == nil {
			t.Errorf("a signature %v away passes", off)
		}
	}
	for _, bad := range []string{"", "t=1", "v1=00", "t=x,v1=00", "t=1,v1=zz"} {
		if Verify([]byte("s"), bad, nil, noon, time.Minute) == nil {
			t.Errorf("%q passes", bad)
		}
	}
}
