package seal

import (
	"bytes"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"os"
	"strings"
	"testing"
)

const passphrase = "bread on the long table"

func TestLock(t *testing.T) {
	k := newKey(t)
	l, err := Lock(rand.Reader, k, passphrase)
	if err != nil {
		t.Fatal(err)
	}
	if l.Iterations < 600_000 {
		t.Errorf("%d iterations; at least 600000 are promised", l.Iterations)
	}
	for _, c := range []struct {
		typed string
		right bool
		why   string
	}{
		{passphrase, true, "as it was made"},
		{" Bread-on  the LONG\ttable\n", true, "spaces, dashes and capitals do not count"},
		{passphrase + "s", false, "a letter more"},
		{"", false, "nothing"},
	} {
		got, err := l.Unlock(c.typed)
		if c.right && (err != nil || !got.Equal(k)) || !c.right && !errors.Is(err, ErrPassphrase) {
			t.Errorf("%s: %v, %v", c.why, got, err)
		}
	}
	for why, change := range map[string]func(l *LockedKey){
		"another public key": func(l *LockedKey) { l.Public = newKey(t).Public() },
		"few iterations":     func(l *LockedKey) { l.Iterations = 1 },
		"endless iterations": func(l *LockedKey) { l.Iterations = 1 << 40 },
		"a short salt":       func(l *LockedKey) { l.Salt = l.Salt[:15] },
		"a short nonce":      func(l *LockedKey) { l.Nonce = nil },
		"a flipped bit":      func(l *LockedKey) { l.Key = append([]byte{l.Key[0] ^ 1}, l.Key[1:]...) },
		"a key cut short":    func(l *LockedKey) { l.Key = l.Key[:47] },
	} {
		bad := l
		change(&bad)
		if got, err := bad.Unlock(passphrase); err == nil {
			t.Errorf("%s: opens %v", why, got)
		}
	}
}

func TestCheckPassphrase(t *testing.T) {
	for _, c := range []struct {
		p, says, why string
	}{
		{"short", "16", "too few"},
		{"fifteen letters", "16", "one too few"},
		{"sixteen letters!", "", "just enough"},
		{strings.Repeat("a", 40), "over and over", "one character"},
		{strings.Repeat(" .-", 20), "16", "only what does not count"},
		{"  a         b         c  ", "16", "many spaces count once"},
		{strings.Repeat("ab", 600), "1000", "too many"},
		{"één twee drie vier vijf", "", "accents"},
	} {
		err := CheckPassphrase(c.p)
		if (err == nil) != (c.says == "") || err != nil && !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v, want %q", c.why, err, c.says)
		}
		if _, lockErr := Lock(rand.Reader, newKey(t), c.p); err != nil && lockErr == nil {
			t.Errorf("%s: locks all the same", c.why)
		}
	}
	for _, lang := range []string{"en", "nl"} {
		for range 50 {
			p, err := NewPassphrase(rand.Reader, lang)
			if err != nil || CheckPassphrase(p) != nil {
				t.Fatalf("an offered passphrase breaks the rule: %v, %v", err, CheckPassphrase(p))
			}
		}
	}
}

// known are answers that must never change: with others, no receipt and no key from before opens any more.
type known struct {
	Words       string    `json:"words"`
	Salt        string    `json:"salt"`
	Proof       string    `json:"proof"`
	Public      string    `json:"public"`
	ID          KeyID     `json:"id"`
	Fingerprint string    `json:"fingerprint"`
	Passphrase  string    `json:"passphrase"`
	Locked      LockedKey `json:"locked"`
	Box         Box       `json:"box"`
	Text        string    `json:"text"`
}

// TestKnownAnswers holds all formats to testdata/known.json, so that none changes unnoticed.
func TestKnownAnswers(t *testing.T) {
	const file = "testdata/known.json"
	const words = "amber bread cloud delta ember forest"
	salt := []byte("the salt of a node, thirty-two b")
	a, err := Receipt(words).Access(salt)
	if err != nil {
		t.Fatal(err)
	}
	pub := a.Key.Public()
	now := known{Words: words, Salt: hex.EncodeToString(salt), Proof: hex.EncodeToString(a.Proof[:]), Public: pub.String(), ID: pub.ID(),
		Fingerprint: pub.Fingerprint(), Passphrase: passphrase, Text: "wat er is gebeurd"}
	if *update {
		if now.Locked, err = Lock(rand.Reader, a.Key, passphrase); err != nil {
			t.Fatal(err)
		}
		now.Box = mustSeal(t, "report", []byte(now.Text), 64, pub)
		text, err := json.MarshalIndent(now, "", " ")
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, append(text, '\n'), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var want known
	if err := json.Unmarshal(text, &want); err != nil {
		t.Fatal(err)
	}
	got := now
	got.Locked, got.Box = want.Locked, want.Box
	x, _ := json.Marshal(got)
	y, _ := json.Marshal(want)
	if !bytes.Equal(x, y) {
		t.Errorf("what a receipt leads to has changed:\n%s\nwant\n%s", x, y)
	}
	k, err := want.Locked.Unlock(want.Passphrase)
	if err != nil || !k.Equal(a.Key) {
		t.Errorf("a key that was locked before opens as %v, %v", k, err)
	}
	if opened, err := want.Box.Open("report", a.Key); err != nil || string(opened) != want.Text {
		t.Errorf("a box that was sealed before opens as %q, %v", opened, err)
	}
}
