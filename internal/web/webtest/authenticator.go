package webtest

import (
	"github.com/chromedp/chromedp"

	"github.com/chromedp/cdproto/webauthn"
)

// Authenticator is a device that keeps passkeys, in the browser of a page. It is always touched at once.
type Authenticator struct {
	p  *Page
	id webauthn.AuthenticatorID
}

// Authenticator gives the page a device that keeps passkeys and verifies its person.
func (p *Page) Authenticator() *Authenticator {
	p.t.Helper()
	if _, err := chromedp.Call(p.ctx, webauthn.Enable, webauthn.EnableParams{}); err != nil {
		p.t.Fatalf("watch passkeys: %v", err)
	}
	made, err := chromedp.Call(p.ctx, webauthn.AddVirtualAuthenticator, webauthn.AddVirtualAuthenticatorParams{Options: &webauthn.VirtualAuthenticatorOptions{
		Protocol: webauthn.AuthenticatorProtocolCtap2, Transport: webauthn.AuthenticatorTransportInternal,
		HasResidentKey: true, HasUserVerification: true, IsUserVerified: true, AutomaticPresenceSimulation: true,
	}})
	if err != nil {
		p.t.Fatalf("add an authenticator: %v", err)
	}
	return &Authenticator{p, made.AuthenticatorID}
}

// Verifies tells the device whether it recognises its person from now on.
func (a *Authenticator) Verifies(yes bool) {
	a.p.t.Helper()
	if _, err := chromedp.Call(a.p.ctx, webauthn.SetUserVerified, webauthn.SetUserVerifiedParams{AuthenticatorID: a.id, IsUserVerified: yes}); err != nil {
		a.p.t.Fatalf("set whether the person is verified: %v", err)
	}
}

// Keeps is how many passkeys the device holds.
func (a *Authenticator) Keeps() int {
	a.p.t.Helper()
	got, err := chromedp.Call(a.p.ctx, webauthn.GetCredentials, webauthn.GetCredentialsParams{AuthenticatorID: a.id})
	if err != nil {
		a.p.t.Fatalf("read the passkeys: %v", err)
	}
	return len(got.Credentials)
}
