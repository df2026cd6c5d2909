package members

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/accounts"
	"github.com/polder-exchange/polder/internal/web/webtest"
)

// TestPasskeyBrowser goes the whole way in a real browser with a virtual authenticator: add a passkey, log out, log in
// by it, confirm with it, remove it; under the strict policy, and in both languages.
func TestPasskeyBrowser(t *testing.T) {
	if testing.Short() {
		t.Skip("a browser takes a while")
	}
	b := webtest.Start(t)
	w := newWorld(t)
	d := newDouble(t, "Ministry")
	server := httptest.NewServer(w.handler)
	t.Cleanup(server.Close)
	site := strings.Replace(server.URL, "127.0.0.1", "localhost", 1)
	keys, err := w.store.Accounts.Passkeys(site)
	if err != nil {
		t.Fatal(err)
	}
	w.pages.o.Passkeys = keys
	if w.pages.o.OIDC, err = w.store.Accounts.OIDC(site, keys, []accounts.Provider{d.provider("127.0.0.0/8")}); err != nil {
		t.Fatal(err)
	}
	p := b.Open(t, site+"/login?next=/account")
	device := p.Authenticator()
	p.Check(t)
	p.Pictures("members-login-ways")
	p.Type("#email", "reader@example.org")
	p.Type("#password", password)
	p.Submit("main form button[type=submit]")
	p.Check(t)

	// Without the password nothing is added; the page says why. In a tab of its own: Chromium complains of an answer 403.
	wrong := p.Tab(t, "/account")
	wrong.Click("form[data-passkey=add] button[type=submit]")
	wrong.Wait("form[data-passkey=add] [data-passkey-says]:not([hidden])")
	if says := wrong.Text("form[data-passkey=add] [data-passkey-says]"); !strings.Contains(says, "Enter your present password") || device.Keeps() != 0 {
		t.Errorf("without proof: %q, %d passkeys", says, device.Keeps())
	}
	wrong.Close()
	p.Type("#name", "blue key")
	p.Type("form[data-passkey=add] #password", password)
	p.Submit("form[data-passkey=add] button[type=submit]")
	if device.Keeps() != 1 || !strings.Contains(p.Text("main"), "blue key") {
		t.Fatalf("%d passkeys; the page says %s", device.Keeps(), p.Text("main"))
	}
	p.Check(t)
	p.Pictures("members-passkeys")

	logOut := func() {
		t.Helper()
		webtest.Await[bool](p, `fetch("/logout", {method: "POST"}).then(() => true)`)
		p.Go(site + "/login?next=/communities")
	}
	logOut()
	device.Verifies(false)
	p.Click("button[data-passkey=log-in]")
	p.Wait("[data-passkey-says]:not([hidden])")
	if !strings.HasSuffix(p.Address(), "/login?next=/communities") {
		t.Fatal("a device that does not recognise its person logs in")
	}
	device.Verifies(true)
	p.Submit("button[data-passkey=log-in]")
	if !strings.HasSuffix(p.Address(), "/communities") {
		t.Fatalf("the passkey leads to %s", p.Address())
	}

	// Confirm with the passkey: link pages and removal need no password then.
	p.Go(site + "/account/providers/Ministry")
	p.Check(t)
	p.Submit("button[data-passkey=prove]")
	p.Check(t)
	p.Pictures("members-provider-away")
	if !strings.Contains(p.Text("main"), "Go on to Ministry") {
		t.Errorf("a passkey does not confirm: %s", p.Text("main"))
	}
	p.Go(site + "/account?lang=nl")
	p.Check(t)
	p.Submit("table a[href^='/account/passkeys/']")
	p.Check(t)
	p.Pictures("members-passkey")
	p.Submit("button[data-passkey=prove]")
	if p.Address() == "" || strings.Contains(p.Text("main"), "blue key") {
		t.Errorf("the passkey is still there, at %s", p.Address())
	}
	p.Go(site + "/login")
	p.Click("button[data-passkey=log-in]")
	p.Wait("[data-passkey-says]:not([hidden])")
	all, err := keys.Of(t.Context(), polder.PersonID(w.ids["reader"]))
	if err != nil || len(all) != 0 {
		t.Errorf("kept are %v: %v", all, err)
	}
}

// TestPasskeyPlace: passkeys are offered only where browsers offer them, and their doors are shut elsewhere.
func TestPasskeyPlace(t *testing.T) {
	w := newWorld(t)
	keys, err := w.store.Accounts.Passkeys("http://localhost:8080")
	if err != nil {
		t.Fatal(err)
	}
	w.pages.o.Passkeys = keys
	for host, want := range map[string]bool{"localhost:8080": true, "127.0.0.1:8080": false, "localhost:9999": false, "evil.example": false} {
		r := httptest.NewRequest("GET", "/login", nil)
		r.Host = host
		if got := strings.Contains(w.send(t, r).body, "data-passkey"); got != want {
			t.Errorf("at %s passkeys are offered: %v", host, got)
		}
		r = httptest.NewRequest("POST", "/login/passkey/begin", strings.NewReader("{}"))
		r.Host = host
		r.Header.Set("Sec-Fetch-Site", "same-origin")
		if a := w.send(t, r); (a.StatusCode == http.StatusOK) != want {
			t.Errorf("at %s a log-in begins: %d", host, a.StatusCode)
		}
		r = httptest.NewRequest("POST", "/login/passkey/begin", strings.NewReader("{}"))
		r.Host = host
		r.Header.Set("Sec-Fetch-Site", "cross-site")
		r.Header.Set("Origin", "https://evil.example")
		if a := w.send(t, r); a.StatusCode == http.StatusOK {
			t.Error("another site begins a log-in")
		}
	}
}
