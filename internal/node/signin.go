package node

import (
	"crypto/x509"
	"net"
	"net/netip"
	"os"
	"strings"
	"time"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/accounts"
	"github.com/polder-exchange/polder/internal/notify"
)

// SignIn says how people log in beside a password. Passkeys need no word here: they are offered where the node is
// reached by https and a name, or as http://localhost.
type SignIn struct {
	OIDC []OIDCProvider `yaml:"oidc"` // providers of OpenID Connect; the node tells them apart by issuer
}

// OIDCProvider is where people may log in instead of here. The node must be known there as a confidential client, with
// the redirect address PUBLIC_URL/login/with/NAME/back.
type OIDCProvider struct {
	Name             string   `yaml:"name"`               // on the button
	Issuer           string   `yaml:"issuer"`             // its https address, exactly as it names itself
	ClientID         string   `yaml:"client_id"`          // as which it knows this node
	ClientSecretFile string   `yaml:"client_secret_file"` // a file that holds the client's secret
	CAFile           string   `yaml:"ca_file"`            // its certificate authority (PEM), where this machine does not trust it
	AllowNetworks    []string `yaml:"allow_networks"`     // networks inside one's own where it lies, in CIDR form; none
}

// providerPatience is how long a provider may take over one answer.
const providerPatience = 10 * time.Second

// signIn is what the pages of log-in offer beside the password.
func (n *Node) signIn() (*accounts.OIDC, *accounts.Passkeys, error) {
	passkeys, err := n.Accounts.Passkeys(n.Config.named())
	if err != nil && polder.KindOf(err) != polder.NotFound { // not found: browsers offer none there
		return nil, nil, err
	}
	if len(n.Config.SignIn.OIDC) == 0 {
		return nil, passkeys, nil
	}
	if n.Config.PublicURL == "" {
		return nil, nil, polder.Errorf(polder.Invalid, "sign_in.oidc: a provider sends people back to public_url; set it")
	}
	var all []accounts.Provider
	for _, c := range n.Config.SignIn.OIDC {
		p, err := c.provider()
		if err != nil {
			return nil, nil, err
		}
		all = append(all, p)
	}
	oidc, err := n.Accounts.OIDC(n.Config.PublicURL, passkeys, all)
	return oidc, passkeys, err
}

// named is how people reach the node by a name, where passkeys work: on this machine, localhost.
func (c Config) named() string {
	_, port, err := net.SplitHostPort(c.Listen)
	if c.PublicURL != "" || err != nil || c.BehindProxy || !loopback(c.Listen) || port == "0" {
		return c.address()
	}
	if c.TLSCert != "" {
		return "https://localhost:" + port
	}
	return "http://localhost:" + port
}

// provider reads what the configuration names. An error tells the key, never the secret.
func (c OIDCProvider) provider() (accounts.Provider, error) {
	p := accounts.Provider{Name: c.Name, Issuer: c.Issuer, ClientID: c.ClientID}
	wrong := func(key, what string) error {
		return polder.Errorf(polder.Invalid, "sign_in.oidc: %s: %s: %s", c.Name, key, what)
	}
	secret, err := os.ReadFile(c.ClientSecretFile)
	if err != nil {
		return p, wrong("client_secret_file", err.Error())
	}
	p.ClientSecret = strings.TrimSpace(string(secret))
	guard := &notify.Guard{Timeout: providerPatience}
	for _, text := range c.AllowNetworks {
		network, err := netip.ParsePrefix(text)
		if err != nil {
			return p, wrong("allow_networks", text+" is not a network such as 10.0.0.0/8")
		}
		guard.Allow = append(guard.Allow, network)
	}
	if c.CAFile != "" {
		pem, err := os.ReadFile(c.CAFile)
		if err != nil {
			return p, wrong("ca_file", err.Error())
		}
		guard.Roots = x509.NewCertPool()
		if !guard.Roots.AppendCertsFromPEM(pem) {
			return p, wrong("ca_file", c.CAFile+" holds no certificate")
		}
	}
	p.Client = guard.Client()
	return p, nil
}
