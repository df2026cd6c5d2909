package node

import (
	"os"
	"path/filepath"
	"testing"
)

// TestConfigBeside: files that polder.yaml names are found beside it, wherever a command is run.
func TestConfigBeside(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"polder.yaml": "tls_cert: cert.pem\ntls_key: elsewhere.pem\nmail: {password_file: mail.secret}\npeers: {ca_file: /etc/peers.pem, client_cert: peer.pem}\nsign_in: {oidc: [{name: work, client_secret_file: oidc.secret}]}\n",
		"cert.pem":    "x", "mail.secret": "x", "peer.pem": "x", "oidc.secret": "x",
	} {
		ok(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600))
	}
	t.Chdir(t.TempDir())
	c, err := ReadConfig(dir)
	ok(t, err)
	for _, f := range []struct{ got, want, why string }{
		{c.TLSCert, filepath.Join(dir, "cert.pem"), "beside polder.yaml"},
		{c.TLSKey, "elsewhere.pem", "not there: where the command runs"},
		{c.Mail.PasswordFile, filepath.Join(dir, "mail.secret"), "of a part"},
		{c.Peers.CAFile, "/etc/peers.pem", "a whole path"},
		{c.Peers.ClientCert, filepath.Join(dir, "peer.pem"), "of links"},
		{c.SignIn.OIDC[0].ClientSecretFile, filepath.Join(dir, "oidc.secret"), "of a provider"},
		{c.Peers.ClientKey, "", "nothing"},
	} {
		if f.got != f.want {
			t.Errorf("%s: %q, want %q", f.why, f.got, f.want)
		}
	}
}
