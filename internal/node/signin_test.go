package node

import (
	"context"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/polder-exchange/polder"
)

// TestSignInConfig: a node starts with what the configuration says of providers, or says which key is wrong, without
// the secret; passkeys are offered where browsers offer them.
func TestSignInConfig(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "node")
	prepared(t, dir)
	secret := filepath.Join(t.TempDir(), "secret")
	ok(t, os.WriteFile(secret, []byte("a-secret-of-the-client\n"), 0o600))
	good := OIDCProvider{Name: "Ministry", Issuer: "https://id.example", ClientID: "polder", ClientSecretFile: secret}
	with := func(change func(*OIDCProvider)) []OIDCProvider {
		p := good
		change(&p)
		return []OIDCProvider{p}
	}
	for _, c := range []struct {
		why, url string
		oidc     []OIDCProvider
		wrong    string // empty: it starts
	}{
		{"as it should be", "https://polder.example", []OIDCProvider{good}, ""},
		{"nobody knows where to come back to", "", []OIDCProvider{good}, "public_url"},
		{"an issuer without TLS", "https://polder.example", with(func(p *OIDCProvider) { p.Issuer = "http://id.example" }), "issuer"},
		{"no issuer", "https://polder.example", with(func(p *OIDCProvider) { p.Issuer = "" }), "issuer"},
		{"no client", "https://polder.example", with(func(p *OIDCProvider) { p.ClientID = "" }), "client_id"},
		{"no secret", "https://polder.example", with(func(p *OIDCProvider) { p.ClientSecretFile = "" }), "client_secret_file"},
		{"a secret that is not there", "https://polder.example", with(func(p *OIDCProvider) { p.ClientSecretFile += ".lost" }), "client_secret_file"},
		{"a name that is an address", "https://polder.example", with(func(p *OIDCProvider) { p.Name = "../x" }), "name"},
		{"two of one name", "https://polder.example", append(with(func(*OIDCProvider) {}), with(func(p *OIDCProvider) { p.Name = "ministry" })...), "name"},
		{"a network that is none", "https://polder.example", with(func(p *OIDCProvider) { p.AllowNetworks = []string{"inside"} }), "allow_networks"},
		{"an authority that is none", "https://polder.example", with(func(p *OIDCProvider) { p.CAFile = secret }), "ca_file"},
	} {
		config := Config{PublicURL: c.url, BehindProxy: c.url != "", SignIn: SignIn{OIDC: c.oidc}}.filled()
		n, err := Open(context.Background(), dir, config, Options{Log: io.Discard})
		if err == nil {
			ok(t, n.Close())
		}
		if c.wrong == "" && err != nil || c.wrong != "" && (err == nil || polder.KindOf(err) != polder.Invalid || !strings.Contains(err.Error(), c.wrong) || strings.Contains(err.Error(), "a-secret")) {
			t.Errorf("%s: %v", c.why, err)
		}
	}
	for _, c := range []struct {
		config Config
		want   string
	}{
		{Config{PublicURL: "https://polder.example/", Listen: "127.0.0.1:8080", BehindProxy: true}, "https://polder.example"},
		{Config{Listen: "127.0.0.1:8080"}, "http://localhost:8080"},
		{Config{Listen: "[::1]:8080"}, "http://localhost:8080"},
		{Config{Listen: "localhost:8443", TLSCert: "c", TLSKey: "k"}, "https://localhost:8443"},
		{Config{Listen: "0.0.0.0:443", TLSCert: "c", TLSKey: "k"}, "https://0.0.0.0:443"},
		{Config{Listen: "127.0.0.1:0"}, "http://127.0.0.1:0"},
	} {
		if got := c.config.named(); got != c.want {
			t.Errorf("%+v is reached at %s, want %s", c.config, got, c.want)
		}
	}
}
