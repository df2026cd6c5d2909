package members

import (
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/accounts"
	"github.com/polder-exchange/polder/internal/web/webtest"
)

// TestBrowser walks through the pages as people do, under the strict policy, and holds each to the rules of the console.
func TestBrowser(t *testing.T) {
	if testing.Short() {
		t.Skip("a browser takes a while")
	}
	b := webtest.Start(t)
	w := newWorld(t)
	server := httptest.NewServer(w.handler)
	t.Cleanup(server.Close)
	p := b.Open(t, server.URL+"/tokens")
	look := func(name string) {
		t.Helper()
		p.Check(t)
		p.Pictures("members-" + name)
	}
	fill := func(selector, text string) {
		p.Click(selector)
		p.Type(selector, text)
	}

	look("login")
	wrong := b.Open(t, server.URL+"/login") // a tab of its own: Chromium itself complains of an answer 401
	wrong.Type("#email", "steward@example.org")
	wrong.Type("#password", "not this one")
	wrong.Submit("main form button[type=submit]")
	if !strings.Contains(wrong.Text("main"), "The log-in name or the password is wrong") {
		t.Error("a wrong password is not told")
	}
	wrong.Pictures("members-login-wrong")
	fill("#email", "steward@example.org")
	fill("#password", password)
	p.Submit("main form button[type=submit]")
	if !strings.HasSuffix(p.Address(), "/tokens") {
		t.Fatalf("the log-in leads to %s", p.Address())
	}
	look("tokens")
	fill("#name", "SIEM, read only")
	p.Submit("main form.body button[type=submit]")
	if !strings.HasPrefix(p.Text("code[data-copy]"), "polder_") {
		t.Error("the token is not shown")
	}
	look("token-made")

	for _, at := range []struct{ path, name string }{
		{"/account", "account"}, {"/communities", "communities"}, {"/communities/chip-supply-chain", "community"}, {"/communities/chip-supply-chain/agreement", "agreement"},
		{"/communities/chip-supply-chain/members/{optik}", "member"}, {"/organisations", "organisations"}, {"/organisations/{klep}", "organisation"},
		{"/organisations/{klep}/people/{reader}", "person"}, {"/join", "join"}, {"/join/request?community=open-to-all", "ask"}, {"/audit", "audit"},
		{"/tokens/{token}/revoke", "confirm"},
	} {
		p.Go(server.URL + w.fill(at.path))
		look(at.name)
	}

	// A dialog asks first; the safe button keeps.
	p.Go(server.URL + w.fill("/organisations/{klep}/people/{reader}"))
	p.Click("button[commandfor=disable]")
	if !webtest.Eval[bool](p, `document.querySelector("#disable").open`) {
		t.Error("the dialog does not open")
	}
	p.Pictures("members-dialog")
	p.Click("#disable button[command=close]")
	if webtest.Eval[bool](p, `document.querySelector("#disable").open`) {
		t.Error("the safe button does not close the dialog")
	}
	p.Quiet(t)

	// In Dutch, and with an error to mend.
	p.Go(server.URL + w.fill("/organisations/{klep}?lang=nl"))
	look("organisation-nl")

	invited(t, b, w, server.URL)
	administrator(t, b, w, server.URL)
}

// invited follows an invitation's link over the log-in: the code stays in the fragment, where no server sees it.
func invited(t *testing.T, b *webtest.Browser, w *world, site string) {
	p := b.Open(t, site+w.fill("/join#{invitation-text}"))
	p.Click("#email")
	p.Type("#email", "foreign@example.org")
	p.Click("#password")
	p.Type("#password", password)
	p.Submit("main form button[type=submit]")
	if got := webtest.Eval[string](p, `document.querySelector("#invitation").value`); got != w.ids["invitation-text"] {
		t.Fatalf("after the log-in at %s the form holds %q", p.Address(), got)
	}
	if strings.Contains(p.Address(), "polderinvite") {
		t.Error("the invitation stays in the address")
	}
	p.Submit("form.invitation button[type=submit]")
	p.Check(t)
	p.Pictures("members-invitation")
	p.Submit("main form.body button[type=submit]")
	if !strings.HasSuffix(p.Address(), "/communities/chip-supply-chain") {
		t.Errorf("accepting leads to %s", p.Address())
	}
	p.Quiet(t)
}

// administrator looks at the pages of the administrator, and of a node that has nothing yet.
func administrator(t *testing.T, b *webtest.Browser, w *world, site string) {
	p := b.Open(t, site+"/login")
	p.SetCookie("polder", w.cookies["admin"])
	for _, at := range []struct{ path, name string }{{"/communities", "admin-communities"}, {"/organisations/{klep}", "admin-organisation"}, {"/audit", "admin-audit"}} {
		p.Go(site + w.fill(at.path))
		p.Check(t)
		p.Pictures("members-" + at.name)
	}
	s := newShell(t)
	st, err := openFolder(t.Context(), s.dir, false)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = st.Close() })
	n := &world{store: st, ids: map[string]string{}, cookies: map[string]string{}, from: w.from}
	n.serve(t)
	people, err := st.Accounts.People(t.Context(), accounts.Local(), "")
	if err != nil {
		t.Fatal(err)
	}
	first, err := st.Accounts.ResetPassword(t.Context(), accounts.Local(), people[0].ID)
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(n.handler)
	t.Cleanup(server.Close)
	p = b.Open(t, server.URL)
	p.Script(false) // everything works without
	p.Go(server.URL + "/")
	p.Type("#email", "admin")
	p.Type("#password", first)
	p.Submit("main form button[type=submit]")
	p.Pictures("members-first-password")
	p.Type("#old", first)
	p.Type("#new", password)
	p.Type("#again", password)
	p.Submit("main form button[type=submit]")
	p.Script(true)
	p.Go(server.URL + "/")
	p.Check(t)
	p.Pictures("members-first-run")
	p.Go(server.URL + "/communities")
	p.Check(t)
	p.Pictures("members-no-communities")
	q, pass, err := st.Accounts.AddPerson(t.Context(), accounts.Local(), accounts.NewPerson{Org: people[0].Org, Email: "n@example.org", Name: "Noor", Role: polder.RoleContributor})
	if err != nil {
		t.Fatal(err)
	}
	n.enter(t, "noor", q, pass)
	p = b.Open(t, server.URL+"/login")
	p.SetCookie("polder", n.cookies["noor"])
	p.Go(server.URL + "/")
	p.Check(t)
	p.Pictures("members-welcome")
}
