package members

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"sync"
	"testing"
	"time"

	"github.com/polder-exchange/polder/internal/accounts"
	"github.com/polder-exchange/polder/internal/notify"
)

// double is a provider of OpenID Connect over real TLS, whose answers a test can spoil.
type double struct {
	*httptest.Server
	t    testing.TB
	name string

	mu       sync.Mutex
	key      *ecdsa.PrivateKey
	kid      string
	codes    map[string]grant
	subject  string
	lax      bool                     // takes a code more than once
	down     bool                     // answers 503
	claims   func(map[string]any)     // spoils the ID token's claims
	token    func(good signed) string // spoils the whole ID token
	metadata func(map[string]any)     // spoils what it says of itself
	answer   func(map[string]any)     // spoils the answer of the token endpoint
}

// grant is what the double remembers of a code.
type grant struct{ nonce, challenge, redirect string }

// signed is a token as it should be.
type signed struct {
	header, claims map[string]any
	text           string
	key            *ecdsa.PrivateKey
}

const clientSecret = "the client's own secret"

func newDouble(t testing.TB, name string) *double {
	t.Helper()
	d := &double{t: t, name: name, codes: map[string]grant{}, subject: "subject-1"}
	d.rotate("1")
	mux := http.NewServeMux()
	mux.HandleFunc("GET /.well-known/openid-configuration", d.discovery)
	mux.HandleFunc("GET /keys", d.keys)
	mux.HandleFunc("POST /token", d.exchange)
	d.Server = httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		d.mu.Lock()
		defer d.mu.Unlock()
		if d.down {
			http.Error(w, "down", http.StatusServiceUnavailable)
			return
		}
		mux.ServeHTTP(w, r)
	}))
	t.Cleanup(d.Close)
	return d
}

// provider is the double as the node is told of it, reached by the guarded dialer that may reach allow.
func (d *double) provider(allow string) accounts.Provider {
	roots := x509.NewCertPool()
	roots.AddCert(d.Certificate())
	g := &notify.Guard{Roots: roots, Timeout: 5 * time.Second}
	if allow != "" {
		g.Allow = []netip.Prefix{netip.MustParsePrefix(allow)}
	}
	return accounts.Provider{Name: d.name, Issuer: d.URL, ClientID: "polder", ClientSecret: clientSecret, Client: g.Client()}
}

// rotate gives the double another key and forgets the one before.
func (d *double) rotate(kid string) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		d.t.Fatal(err)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.key, d.kid = key, kid
}

func (d *double) discovery(w http.ResponseWriter, _ *http.Request) {
	says := map[string]any{
		"issuer": d.URL, "authorization_endpoint": d.URL + "/authorize", "token_endpoint": d.URL + "/token", "jwks_uri": d.URL + "/keys",
		"response_types_supported": []string{"code"}, "subject_types_supported": []string{"public"}, "id_token_signing_alg_values_supported": []string{"ES256", "HS256", "none"},
	}
	if d.metadata != nil {
		d.metadata(says)
	}
	writeTo(w, says)
}

func writeTo(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(v)
}

func (d *double) keys(w http.ResponseWriter, _ *http.Request) {
	point, err := d.key.PublicKey.Bytes()
	if err != nil {
		d.t.Error(err)
		return
	}
	writeTo(w, map[string]any{"keys": []any{map[string]any{"kty": "EC", "crv": "P-256", "use": "sig", "alg": "ES256", "kid": d.kid, "x": b64(point[1:33]), "y": b64(point[33:])}}})
}

func b64(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

// authorize is what the double's own page does when somebody has logged in there: a code for the request at.
func (d *double) authorize(at *url.URL) string {
	d.t.Helper()
	q := at.Query()
	if q.Get("response_type") != "code" || q.Get("code_challenge_method") != "S256" || q.Get("client_id") != "polder" || q.Get("scope") != "openid" {
		d.t.Errorf("the request asks %s", at)
	}
	for _, name := range []string{"state", "nonce", "code_challenge"} {
		if len(q.Get(name)) < 43 {
			d.t.Errorf("%s is %q: too short to be a secret", name, q.Get(name))
		}
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	code := fmt.Sprintf("code-%d", len(d.codes))
	d.codes[code] = grant{q.Get("nonce"), q.Get("code_challenge"), q.Get("redirect_uri")}
	return code
}

func (d *double) exchange(w http.ResponseWriter, r *http.Request) {
	user, secret, _ := r.BasicAuth()
	g, known := d.codes[r.PostFormValue("code")]
	if !d.lax {
		delete(d.codes, r.PostFormValue("code"))
	}
	verifier := sha256.Sum256([]byte(r.PostFormValue("code_verifier")))
	if !known || user != "polder" || secret != url.QueryEscape(clientSecret) || b64(verifier[:]) != g.challenge || r.PostFormValue("redirect_uri") != g.redirect {
		w.WriteHeader(http.StatusBadRequest)
		writeTo(w, map[string]string{"error": "invalid_grant"})
		return
	}
	const access = "an access token"
	sum := sha256.Sum256([]byte(access))
	now := time.Now()
	good := signed{key: d.key, header: map[string]any{"alg": "ES256", "kid": d.kid, "typ": "JWT"}, claims: map[string]any{
		"iss": d.URL, "sub": d.subject, "aud": "polder", "nonce": g.nonce, "at_hash": b64(sum[:16]),
		"iat": now.Unix(), "exp": now.Add(5 * time.Minute).Unix(),
	}}
	if d.claims != nil {
		d.claims(good.claims)
	}
	good.text = good.sign()
	if d.token != nil {
		good.text = d.token(good)
	}
	answer := map[string]any{"access_token": access, "token_type": "Bearer", "expires_in": 300, "id_token": good.text}
	if d.answer != nil {
		d.answer(answer)
	}
	writeTo(w, answer)
}

// input is what is signed of a token.
func (s signed) input() string {
	header, _ := json.Marshal(s.header)
	claims, _ := json.Marshal(s.claims)
	return b64(header) + "." + b64(claims)
}

func (s signed) sign() string {
	text := s.input()
	sum := sha256.Sum256([]byte(text))
	r, v, err := ecdsa.Sign(rand.Reader, s.key, sum[:])
	if err != nil {
		return ""
	}
	return text + "." + b64(append(r.FillBytes(make([]byte, 32)), v.FillBytes(make([]byte, 32))...))
}

// with is s with another algorithm in its header, signed by sign.
func (s signed) with(alg string, sign func(input string) []byte) string {
	s.header = maps.Clone(s.header)
	s.header["alg"] = alg
	return s.input() + "." + b64(sign(s.input()))
}

// byPublicKey signs as if the public key, which everybody knows, were a shared secret.
func (s signed) byPublicKey() string {
	der, _ := x509.MarshalPKIXPublicKey(&s.key.PublicKey)
	secret := pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})
	return s.with("HS256", func(input string) []byte {
		m := hmac.New(sha256.New, secret)
		m.Write([]byte(input))
		return m.Sum(nil)
	})
}
