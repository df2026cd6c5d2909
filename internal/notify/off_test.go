package notify

import "testing"

// TestOffToken: a token ends what it was made for, and nothing else.
func TestOffToken(t *testing.T) {
	secret := []byte("secret")
	token := OffToken(secret, "alerts", "a1")
	for _, c := range []struct {
		why, kind, token string
		secret           []byte
		ok               bool
	}{
		{"its own", "alerts", token, secret, true},
		{"of another kind", "objects", token, secret, false},
		{"under another secret", "alerts", token, []byte("other"), false},
		{"for another subscription", "alerts", "a2" + token[2:], secret, false},
		{"cut short", "alerts", token[:len(token)-1], secret, false},
		{"without a proof", "alerts", "a1", secret, false},
		{"nothing", "alerts", "", secret, false},
	} {
		if id, ok := OffID(c.secret, c.kind, c.token); ok != c.ok || ok && id != "a1" {
			t.Errorf("%s: %q, %v", c.why, id, ok)
		}
	}
}
