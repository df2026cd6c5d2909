package seal

import (
	"bytes"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/polder-exchange/polder/internal/web/webtest"
)

// TestBrowserSeal holds static/seal.js to the vectors of RFC 9180 and to Go, in a browser and under a policy as strict as
// that of the console.
func TestBrowserSeal(t *testing.T) {
	if testing.Short() {
		t.Skip("a browser takes a while")
	}
	b := webtest.Start(t)
	mux := http.NewServeMux()
	mux.Handle("GET /static/", http.FileServerFS(Files))
	mux.HandleFunc("GET /page.js", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/javascript")
		_, _ = w.Write([]byte("import * as seal from \"./static/seal.js\";\nwindow.seal = seal;\n" +
			"window.bytes = (s) => Uint8Array.from(s.match(/../g) ?? [], (x) => parseInt(x, 16));\n" +
			"window.code = (p) => p.then(() => \"opened\", (e) => e.code ?? String(e));\n"))
	})
	mux.HandleFunc("GET /favicon.ico", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) })
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Security-Policy", "default-src 'none'; script-src 'self'; img-src 'self'")
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = w.Write([]byte("<!doctype html><title>seal</title><script type=module src=/page.js></script>"))
	})
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	t.Cleanup(server.CloseClientConnections)
	p := b.Open(t, server.URL+"/")
	if !webtest.Await[bool](p, "seal.supported()") {
		t.Fatal("this browser cannot seal, says seal.js; Chromium knows X25519 since 133")
	}
	t.Run("vectors", func(t *testing.T) { browserVectors(t, p) })
	t.Run("keys", func(t *testing.T) { browserKeys(t, p) })
	t.Run("boxes", func(t *testing.T) { browserBoxes(t, p) })
	t.Run("padding", func(t *testing.T) { browserPadding(t, p) })
	t.Run("locks", func(t *testing.T) { browserLocks(t, p) })
	t.Run("receipts", func(t *testing.T) { browserReceipts(t, p) })
	t.Run("words", func(t *testing.T) { browserWords(t, p) })
	t.Run("log", func(t *testing.T) { browserLog(t, p) })
	p.Quiet(t)
}

// js is v as JavaScript.
func js(t *testing.T, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// seedOf is the seed of k as JavaScript.
func seedOf(k PrivateKey) string { return fmt.Sprintf("bytes(%q)", hex.EncodeToString(k.seed[:])) }

// withKey is a JavaScript expression in which k is named key.
func withKey(k PrivateKey, expression string) string {
	return fmt.Sprintf("(async () => { const key = await seal.keyOfSeed(%s); return %s })()", seedOf(k), expression)
}

func browserVectors(t *testing.T, p *webtest.Page) {
	for _, v := range readVectors(t) {
		got := webtest.Await[string](p, fmt.Sprintf(`seal.hpkeSeal(bytes(%q), bytes(%q), bytes(%q), bytes(%q), {aead: %d, ephemeral: bytes(%q)})
			.then(({enc, sealed}) => seal.toHex(enc) + " " + seal.toHex(sealed))`, v.Public, v.Info, v.AAD, v.Text, v.AEAD, v.Ephemeral))
		if want := v.Enc + " " + v.Sealed; got != want {
			t.Errorf("aead %d: sealed\n%s, want\n%s", v.AEAD, got, want)
		}
		open := func(sealed, aad string) string {
			return fmt.Sprintf(`seal.keyOfSeed(bytes(%q)).then((key) => seal.hpkeOpen(bytes(%q), key, bytes(%q), bytes(%q), bytes(%q), {aead: %d}))`,
				v.Private, v.Enc, v.Info, aad, sealed, v.AEAD)
		}
		if got := webtest.Await[string](p, open(v.Sealed, v.AAD)+".then(seal.toHex)"); got != v.Text {
			t.Errorf("aead %d: opened %s, want %s", v.AEAD, got, v.Text)
		}
		if got := webtest.Await[string](p, "code("+open(v.Sealed, v.AAD+"00")+")"); got != "damaged" {
			t.Errorf("aead %d: with other data beside it: %s, want damaged", v.AEAD, got)
		}
	}
}

func browserKeys(t *testing.T, p *webtest.Page) {
	for i := range 20 {
		k := newKey(t)
		pub := k.Public()
		got := webtest.Await[[]string](p, withKey(k, "[key.public, key.id, await seal.keyID(key.public), await seal.fingerprint(key.public), String(key.private.extractable)]"))
		want := []string{pub.String(), string(pub.ID()), string(pub.ID()), pub.Fingerprint(), "false"}
		if !slices.Equal(got, want) {
			t.Fatalf("key %d: browser says %q, Go %q", i, got, want)
		}
	}
	for _, c := range badKeys {
		if got := webtest.Await[string](p, "code(seal.parseKey("+js(t, c.text)+"))"); got != "key" {
			t.Errorf("%s: %s, want it refused as a key", c.why, got)
		}
	}
}

func browserBoxes(t *testing.T, p *webtest.Page) {
	a, b, c := newKey(t), newKey(t), newKey(t)
	for _, text := range []string{"", "x", "Wie vroeg naar de tekening? 😀 é", strings.Repeat("long ", 5000)} {
		box, err := Seal(rand.Reader, "report", []byte(text), 8192, a.Public(), b.Public())
		if err != nil {
			t.Fatal(err)
		}
		open := func(k PrivateKey, box, purpose string) string {
			return withKey(k, fmt.Sprintf("seal.openBox(%s, %q, key).then((b) => new TextDecoder().decode(b))", box, purpose))
		}
		if got := webtest.Await[string](p, open(b, js(t, box), "report")); got != text {
			t.Errorf("Go sealed %.30q, the browser opened %.30q", text, got)
		}
		if got := webtest.Await[string](p, "code("+open(b, js(t, box), "message")+")"); got != "damaged" {
			t.Errorf("for another purpose: %s", got)
		}
		if got := webtest.Await[string](p, "code("+open(c, js(t, box), "report")+")"); got != "not-for-key" {
			t.Errorf("with another key: %s", got)
		}
		flipped := box
		flipped.Body = bytes.Clone(box.Body)
		flipped.Body[0] ^= 1
		if got := webtest.Await[string](p, "code("+open(b, js(t, flipped), "report")+")"); got != "damaged" {
			t.Errorf("with a flipped bit: %s", got)
		}
		weak := box
		weak.Wraps = []Wrap{{To: b.Public().ID(), Enc: make([]byte, encSize), Key: box.Wraps[1].Key}}
		if got := webtest.Await[string](p, "code("+open(b, js(t, weak), "report")+")"); got != "damaged" {
			t.Errorf("a wrap whose sender's key is zero: %s", got)
		}
		sealed := webtest.Await[Box](p, fmt.Sprintf("seal.sealBox('report', %s, 8192, [%q, %q, %[2]q])", js(t, text), a.Public(), b.Public()))
		if err := sealed.Validate(1 << 20); err != nil || len(sealed.Wraps) != 2 || len(sealed.Body) != len(box.Body) {
			t.Errorf("the browser's box: %v, %d wraps, %d bytes; Go's has 2 and %d", err, len(sealed.Wraps), len(sealed.Body), len(box.Body))
		}
		if got, err := sealed.Open("report", a); err != nil || string(got) != text {
			t.Errorf("the browser sealed %.30q, Go opened %.30q, %v", text, got, err)
		}
		wraps := webtest.Await[[]Wrap](p, withKey(a, fmt.Sprintf("seal.rewrapFor(%s, 'report', key, [%q, %q])", js(t, box), b.Public(), c.Public())))
		if len(wraps) != 1 {
			t.Fatalf("%d wraps for one new reader", len(wraps))
		}
		if got, err := box.With(wraps...).Open("report", c); err != nil || string(got) != text {
			t.Errorf("after a wrap by the browser: %.30q, %v", got, err)
		}
	}
	if got := webtest.Await[string](p, "code(seal.sealBox('report', 'x', 0, []))"); got != "input" {
		t.Errorf("sealed to nobody: %s", got)
	}
}

func browserPadding(t *testing.T, p *webtest.Page) {
	var sizes []int
	for n := 0; n < 70000; n = n*11/10 + 1 {
		sizes = append(sizes, n)
	}
	sizes = append(sizes, 1<<20, 10<<20, 10<<20+1, 1<<27, 1<<28)
	for _, least := range []int{0, 31, 32, 33, 1000, 8192, 8193} {
		got := webtest.Eval[[]int](p, fmt.Sprintf("%s.map((n) => seal.padmeSize(n, %d))", js(t, sizes), least))
		for i, n := range sizes {
			if want := PaddedSize(n, least); got[i] != want {
				t.Errorf("%d bytes, at least %d: browser %d, Go %d", n, least, got[i], want)
			}
		}
	}
	padded, err := Pad([]byte("abc"), 64)
	if err != nil {
		t.Fatal(err)
	}
	if got := webtest.Eval[string](p, `seal.toHex(seal.pad(new TextEncoder().encode("abc"), 64))`); got != hex.EncodeToString(padded) {
		t.Errorf("browser pads %s, Go %x", got, padded)
	}
	for i := range padded {
		bad := bytes.Clone(padded)
		bad[i] ^= 0x80
		_, err := Unpad(bad)
		got := webtest.Eval[bool](p, fmt.Sprintf("(() => { try { seal.unpad(bytes(%q)); return true } catch { return false } })()", hex.EncodeToString(bad)))
		if got != (err == nil) {
			t.Errorf("byte %d changed: browser takes it: %v, Go: %v", i, got, err)
		}
	}
}

func browserLocks(t *testing.T, p *webtest.Page) {
	const passphrase = "Bread on the long table"
	k := newKey(t)
	l, err := Lock(rand.Reader, k, passphrase)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ passphrase, want, why string }{
		{passphrase, k.Public().String(), "what Go locked"},
		{"bread-on the  LONG\ttable", k.Public().String(), "spaces and capitals do not count"},
		{passphrase + "s", "passphrase", "a letter more"},
	} {
		got := webtest.Await[string](p, fmt.Sprintf("seal.unlockKey(%s, %s).then((k) => k.public, (e) => e.code)", js(t, l), js(t, c.passphrase)))
		if got != c.want {
			t.Errorf("%s: %s, want %s", c.why, got, c.want)
		}
	}
	locked := webtest.Await[LockedKey](p, fmt.Sprintf("seal.lockKey(%s, %q)", seedOf(k), passphrase))
	if got, err := locked.Unlock(passphrase); err != nil || !got.Equal(k) {
		t.Errorf("what the browser locked, Go opened as %v, %v", got, err)
	}
	made := webtest.Await[struct {
		Public string
		Locked LockedKey
	}](p, fmt.Sprintf("seal.makeKey(%q).then(({key, locked}) => ({Public: key.public, Locked: locked}))", passphrase))
	if got, err := made.Locked.Unlock(passphrase); err != nil || got.Public().String() != made.Public {
		t.Errorf("a key of the browser: %v, %v; want %s", got, err, made.Public)
	}
	for p2, want := range map[string]string{"too short": "short", strings.Repeat("a", 20): "same", strings.Repeat("ab", 501): "long", passphrase: ""} {
		got := webtest.Eval[string](p, "seal.passphraseFault("+js(t, p2)+")")
		if err := CheckPassphrase(p2); got != want || (err == nil) != (want == "") {
			t.Errorf("%.20q: browser %q, Go %v; want %q", p2, got, err, want)
		}
	}
	if got := webtest.Await[string](p, "code(seal.lockKey(new Uint8Array(32), 'too short'))"); got != "passphrase" {
		t.Errorf("locked with a short passphrase: %s", got)
	}
}

func browserReceipts(t *testing.T, p *webtest.Page) {
	salt := bytes.Repeat([]byte{7}, 32)
	for _, lang := range []string{"en", "nl"} {
		words := webtest.Eval[string](p, fmt.Sprintf("seal.newReceipt(%q)", lang))
		if err := Receipt(words).Check(); err != nil {
			t.Errorf("a receipt of the browser: %v", err)
		}
		a, err := Receipt(words).Access(salt)
		if err != nil {
			t.Fatal(err)
		}
		typed := " " + strings.ToUpper(strings.ReplaceAll(words, " ", " - ")) + "\n"
		got := webtest.Await[[]string](p, fmt.Sprintf("seal.receiptAccess(%s, bytes(%q)).then((a) => [seal.toHex(a.proof), a.key.public])", js(t, typed), hex.EncodeToString(salt)))
		if want := []string{hex.EncodeToString(a.Proof[:]), a.Key.Public().String()}; !slices.Equal(got, want) {
			t.Errorf("browser derives %s, Go %s", got, want)
		}
	}
	for _, r := range []string{"", "one", "a b c d e f"} {
		got := webtest.Eval[string](p, "seal.receiptFault("+js(t, r)+").problem")
		if err := Receipt(r).Check(); (got == "") != (err == nil) {
			t.Errorf("%q: browser %q, Go %v", r, got, err)
		}
	}
	if got := webtest.Eval[int](p, "seal.newPassphrase('nl').split(' ').length"); got != ReceiptWords {
		t.Errorf("a passphrase has %d words", got)
	}
}

func browserWords(t *testing.T, p *webtest.Page) {
	for _, s := range typedWords {
		if got := webtest.Eval[string](p, "seal.normalise("+js(t, s.typed)+")"); got != Normalise(s.typed) {
			t.Errorf("%q: browser %q, Go %q", s.typed, got, Normalise(s.typed))
		}
	}
	// Every letter that is not beyond the first plane, in one string and letter by letter.
	const all = "Array.from({length: 0x3100}, (_, i) => 'x' + String.fromCharCode(i) + 'x')"
	got := webtest.Eval[[]string](p, all+".map(seal.normalise)")
	for i, g := range got {
		if want := Normalise("x" + string(rune(i)) + "x"); g != want {
			t.Errorf("U+%04X: browser %q, Go %q", i, g, want)
		}
	}
}

func browserLog(t *testing.T, p *webtest.Page) {
	log := exampleLog(t)
	state := webtest.Await[struct{ InForce, Waiting []KeyID }](p, "seal.verifyLog("+js(t, log)+").then((s) => ({InForce: s.inForce, Waiting: s.waiting}))")
	if !slices.Equal(state.InForce, InForce(log)) || !slices.Equal(state.Waiting, Waiting(log)) {
		t.Errorf("browser %+v; Go %v and %v", state, InForce(log), Waiting(log))
	}
	for _, c := range brokenLogs(t) {
		if got := webtest.Await[string](p, "code(seal.verifyLog("+js(t, c.log)+"))"); got != "log" && got != "key" {
			t.Errorf("%s: %s, want it refused", c.why, got)
		}
	}
	if got := webtest.Await[[]string](p, "seal.verifyLog([]).then((s) => s.inForce)"); len(got) != 0 {
		t.Errorf("an empty log has readers: %v", got)
	}
}
