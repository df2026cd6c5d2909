package node

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/netip"
	"os"
	"path/filepath"

	"github.com/goccy/go-yaml"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/screen"
)

// Config is how a node runs. The zero value of each field is a working default. It is read from polder.yaml in the data
// folder, where an unknown key is an error; flags of `polder serve` go before it.
type Config struct {
	Listen      string          `yaml:"listen"`       // address and port; 127.0.0.1:8080
	TLSCert     string          `yaml:"tls_cert"`     // file with the certificate chain (PEM)
	TLSKey      string          `yaml:"tls_key"`      // file with its key (PEM)
	BehindProxy bool            `yaml:"behind_proxy"` // TLS ends at a proxy in front; cookies are Secure
	Proxies     []string        `yaml:"proxies"`      // addresses of proxies whose X-Forwarded-For is believed; none
	PublicURL   string          `yaml:"public_url"`   // how people reach the node, for links in mails; http://LISTEN
	LogLevel    string          `yaml:"log_level"`    // debug, info, warn or error; info
	Mail        Mail            `yaml:"mail"`
	Webhooks    Webhooks        `yaml:"webhooks"`
	Peers       Peers           `yaml:"peers"`  // how other nodes are reached
	Ledger      Ledger          `yaml:"ledger"` // the transparency log
	History     History         `yaml:"history"`
	Watch       []Watch         `yaml:"watch"` // folders of logs that are taken in
	Lists       []screen.Source `yaml:"lists"` // where lists of parties come from by themselves
	SignIn      SignIn          `yaml:"sign_in"`
}

// Mail is the server by which notifications leave. Without Server none do.
type Mail struct {
	Server       string `yaml:"server"`        // host:port
	From         string `yaml:"from"`          // the sender's address
	User         string `yaml:"user"`          // for authentication, with PasswordFile
	PasswordFile string `yaml:"password_file"` // a file that holds the password
	TLS          string `yaml:"tls"`           // starttls (default), implicit, or none (loopback only)
}

// Webhooks says which addresses inside one's own network webhooks may reach; all others there are refused.
type Webhooks struct {
	AllowNetworks []string `yaml:"allow_networks"` // in CIDR form
}

// ReadConfig reads polder.yaml of a data folder; without one everything is as by default.
func ReadConfig(dir string) (Config, error) {
	var c Config
	path := filepath.Join(dir, "polder.yaml")
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return c.filled(), nil
	}
	if err != nil {
		return c, err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, 1<<20))
	if err != nil {
		return c, err
	}
	if len(bytes.TrimSpace(text)) > 0 {
		if err := yaml.NewDecoder(bytes.NewReader(text), yaml.Strict()).Decode(&c); err != nil {
			return c, polder.Errorf(polder.Invalid, "%s: %s", path, yaml.FormatError(err, false, false))
		}
	}
	c.beside(dir)
	return c.filled(), nil
}

// beside finds the files that polder.yaml names without a whole path in its own folder, so that a command may be run from
// any other. What is not there is looked for where the command runs.
func (c *Config) beside(dir string) {
	names := []*string{&c.TLSCert, &c.TLSKey, &c.Mail.PasswordFile, &c.Peers.CAFile, &c.Peers.ClientCert, &c.Peers.ClientKey}
	for i := range c.SignIn.OIDC {
		names = append(names, &c.SignIn.OIDC[i].ClientSecretFile, &c.SignIn.OIDC[i].CAFile)
	}
	for _, name := range names {
		if *name == "" || filepath.IsAbs(*name) {
			continue
		}
		if here := filepath.Join(dir, *name); exists(here) {
			*name = here
		}
	}
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

func (c Config) filled() Config {
	if c.Listen == "" {
		c.Listen = "127.0.0.1:8080"
	}
	if c.LogLevel == "" {
		c.LogLevel = "info"
	}
	return c
}

// Print writes c as it would stand in polder.yaml.
func (c Config) Print(w io.Writer) error {
	text, err := yaml.Marshal(c)
	if err != nil {
		return err
	}
	_, err = w.Write(text)
	return err
}

// secure tells whether people reach the node by TLS.
func (c Config) secure() bool { return c.TLSCert != "" || c.BehindProxy }

// check refuses to be reached from elsewhere in the clear (X26).
func (c Config) check() error {
	if (c.TLSCert == "") != (c.TLSKey == "") {
		return polder.Errorf(polder.Invalid, "--tls-cert and --tls-key belong together; give both")
	}
	if c.TLSCert != "" && c.BehindProxy {
		return polder.Errorf(polder.Invalid, "--tls-cert and --behind-proxy exclude each other: TLS ends here, or at the proxy")
	}
	if !c.secure() && !loopback(c.Listen) {
		return polder.Errorf(polder.Invalid, "refusing to listen on %s without TLS: give --tls-cert and --tls-key, or --behind-proxy, or listen on 127.0.0.1", c.Listen)
	}
	return c.Ledger.check()
}

func loopback(address string) bool {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return false
	}
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.Unmap().IsLoopback()
}

// url is how this machine reaches the node that listens at address.
func (c Config) url(address net.Addr) string {
	scheme := "http"
	if c.TLSCert != "" {
		scheme = "https"
	}
	return fmt.Sprintf("%s://%s", scheme, address)
}
