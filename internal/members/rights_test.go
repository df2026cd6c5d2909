package members

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/accounts"
)

// S6 at the pages: nobody gives a right that he does not hold, or changes who stands above him.
func TestS6Climbing(t *testing.T) {
	for _, c := range []struct{ why, who, path, form string }{
		{"a reader's token shares", "reader", "/tokens", "name=x&role=contributor&expires=30d"},
		{"a contributor's token manages", "contributor", "/tokens", "name=x&role=steward&expires=30d"},
		{"a steward's token runs the node", "steward", "/tokens", "name=x&role=admin&expires=30d"},
		{"a steward makes an administrator", "steward", "/organisations/{klep}/people", "email=n@example.org&role=admin"},
		{"a steward raises a colleague above himself", "steward", "/organisations/{klep}/people/{reader}/role", "role=admin"},
		{"a steward raises himself", "steward", "/organisations/{klep}/people/{steward}/role", "role=admin"},
		{"a contributor raises himself", "contributor", "/organisations/{klep}/people/{contributor}/role", "role=steward"},
		{"a reader raises himself", "reader", "/organisations/{klep}/people/{reader}/role", "role=contributor"},
		{"a contributor resets his steward's password", "contributor", "/organisations/{klep}/people/{steward}/reset", ""},
		{"a contributor disables his steward", "contributor", "/organisations/{klep}/people/{steward}/disable", ""},
		{"a contributor makes himself steward of the community", "contributor", "/communities/chip-supply-chain/members/{klep}/role", "role=steward"},
		{"a reader invites", "reader", "/communities/chip-supply-chain/invitations", "invite-role=steward&days=3"},
		{"a reader accepts an agreement", "reader", "/communities/chip-supply-chain/accept", "version=1"},
		{"a steward joins a community by himself", "steward", "/communities/geldzaken/members", "org={klep}&member-role=steward"},
	} {
		t.Run(c.why, func(t *testing.T) {
			w := newWorld(t)
			before := w.rights(t)
			if a := w.ask(t, c.who, http.MethodPost, c.path, c.form); a.StatusCode != http.StatusForbidden && a.StatusCode != http.StatusNotFound {
				t.Errorf("answers %d", a.StatusCode)
			}
			if after := w.rights(t); after != before {
				t.Errorf("rights changed:\n%s\n%s", before, after)
			}
		})
	}
	for _, c := range []struct{ why, who, path, form string }{
		{"another organisation's token", "steward", "/tokens", "org={bank}&name=x&role=reader&expires=30d"},
		{"another organisation's people", "foreign", "/organisations/{klep}/people", "email=n@example.org&role=reader"},
		{"a person under another organisation's address", "foreign", "/organisations/{bank}/people/{reader}/role", "role=steward"},
		{"the same, to disable", "foreign", "/organisations/{bank}/people/{reader}/disable", ""},
		{"the same, to read a password", "foreign", "/organisations/{bank}/people/{reader}/reset", ""},
		{"another's session under the own account", "foreign", "/account/sessions/{reader-session}/end", ""},
		{"the administrator's account", "steward", "/organisations/{acme}/people/{admin}/reset", ""},
		{"an invitation under another community's address", "foreign", "/communities/geldzaken/invitations/{invitation}/revoke", ""},
		{"a request under another community's address", "foreign", "/communities/geldzaken/requests/{request}/approve", ""},
		{"a member under another community's address", "foreign", "/communities/geldzaken/members/{klep}/remove", ""},
	} {
		t.Run(c.why, func(t *testing.T) {
			w := newWorld(t)
			before := w.rights(t)
			a := w.ask(t, c.who, http.MethodPost, c.path, c.form)
			// An invitation's id works whatever community the address names only if its steward asks: then it is refused too.
			if a.StatusCode != http.StatusNotFound {
				t.Errorf("answers %d", a.StatusCode)
			}
			if after := w.rights(t); after != before {
				t.Errorf("rights changed:\n%s\n%s", before, after)
			}
		})
	}
}

// rights is who holds what, as text.
func (w *world) rights(t *testing.T) string {
	t.Helper()
	ctx, a, local := t.Context(), w.store.Accounts, accounts.Local()
	people := must[[]accounts.Person](t)(a.People(ctx, local, ""))
	tokens := must[[]accounts.Token](t)(a.Tokens(ctx, local, ""))
	for i := range tokens {
		tokens[i].Used = tokens[i].Created
	}
	var members []polder.Membership
	for _, c := range must[[]polder.Community](t)(a.Communities(ctx)) {
		members = append(members, must[[]polder.Membership](t)(a.Members(ctx, c.ID))...)
	}
	text, err := json.Marshal([]any{people, tokens, members})
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// An organisation reads the names of those with which it shares a community, and of nobody else, on whatever page.
func TestNamesStayWithinCommunities(t *testing.T) {
	w := newWorld(t)
	const klep, optik, bank, hidden, finance = "Klepwerk", "Okular Optik", "Bankenveste", "Verborgen Tegel", "Geldzaken"
	sees := map[string][]string{
		"reader":  {bank, hidden, finance, "Foreign Jansen"}, // must not appear
		"foreign": {klep, optik, hidden, "Universiteit Maas", "Steward Jansen", "Reader Jansen"},
		"maas":    {klep, optik, bank, hidden, finance, "Steward Jansen"}, // a member that has not accepted the agreement
		"steward": {hidden, finance, "Foreign Jansen"},                    // Bankenveste asks to join and so says who it is
	}
	for who, absent := range sees {
		for _, row := range matrix {
			path, ok := strings.CutPrefix(row.route, "GET ")
			if !ok || path == "/login" {
				continue
			}
			a := w.ask(t, who, http.MethodGet, row.path, "")
			for _, name := range absent {
				if strings.Contains(a.body, name) {
					t.Errorf("%s reads %q at %s", who, name, path)
				}
			}
		}
	}
	for who, name := range map[string]string{"reader": optik, "steward": bank, "admin": hidden} {
		page := map[string]string{"reader": "/organisations", "steward": "/communities/chip-supply-chain", "admin": "/organisations"}[who]
		if !strings.Contains(w.get(t, who, page), name) {
			t.Errorf("%s does not read %q at %s", who, name, page)
		}
	}
	if w.ask(t, "foreign", "POST", "/communities/geldzaken/members/{klep}/role", "role=steward").StatusCode != http.StatusNotFound {
		t.Error("an organisation that is no member has a page there")
	}
}

// A secret stands in the answer that made it, and in no address, cookie, or later page.
func TestSecretsAreShownOnce(t *testing.T) {
	w := newWorld(t)
	for _, c := range []struct{ who, path, form, begins, page string }{
		{"steward", "/tokens", "name=SIEM&role=reader&expires=30d", "polder_", "/tokens"},
		{"steward", "/organisations/{klep}/people", "email=n@example.org&person-name=Noor&role=reader", "", "/organisations/{klep}"},
		{"steward", "/communities/chip-supply-chain/invitations", "invite-role=reader&days=3&note=x", "http://example.com/join#polderinvite_", "/communities/chip-supply-chain"},
		{"steward", "/organisations/{klep}/people/{reader}/reset", "", "", "/organisations/{klep}/people/{reader}"},
	} {
		a := w.ask(t, c.who, http.MethodPost, c.path, c.form)
		_, rest, _ := strings.Cut(a.body, `<code data-copy="`)
		secret, _, _ := strings.Cut(rest, `"`)
		if a.StatusCode != http.StatusOK || secret == "" || !strings.HasPrefix(secret, c.begins) {
			t.Fatalf("%s answers %d and shows %q", c.path, a.StatusCode, secret)
		}
		if a.Header.Get("Cache-Control") != "no-store" || len(a.Cookies()) > 0 || a.Header.Get("Location") != "" {
			t.Errorf("%s: headers %v", c.path, a.Header)
		}
		if again := w.get(t, c.who, c.page); strings.Contains(again, secret) {
			t.Errorf("%s shows the secret of %s again", c.page, c.path)
		}
		if again := w.get(t, c.who, "/audit"); strings.Contains(again, secret) {
			t.Errorf("the audit shows the secret of %s", c.path)
		}
	}
}

// X25: a change by a command on the folder of a serving node holds from the next request.
func TestX25CommandsWhileServing(t *testing.T) {
	w := newWorld(t)
	s := &shell{t, w.dir}
	me := func() int {
		r := httptest.NewRequest("GET", "/api/v1/me", nil)
		r.Header.Set("Authorization", "Bearer "+w.ids["token-text"])
		return w.send(t, r).StatusCode
	}
	if me() != http.StatusOK {
		t.Fatal("the token does not work before")
	}
	s.do(0, "token", "revoke", w.ids["token"])
	if got := me(); got != http.StatusUnauthorized {
		t.Errorf("a token revoked by a command answers %d", got)
	}
	s.do(0, "community", "leave", "--community", "chip-supply-chain", "--org", w.ids["klep"])
	if a := w.ask(t, "reader", http.MethodGet, "/communities/chip-supply-chain", ""); a.StatusCode != http.StatusNotFound {
		t.Errorf("a community left by a command answers %d", a.StatusCode)
	}
	s.do(0, "person", "disable", w.ids["reader"])
	if a := w.ask(t, "reader", http.MethodGet, "/account", ""); a.to() != "/login" {
		t.Errorf("a person disabled by a command gets %d", a.StatusCode)
	}
	if a := w.ask(t, "steward", http.MethodPost, "/tokens", "name=x&role=reader&expires=30d"); a.StatusCode != http.StatusOK {
		t.Errorf("the node writes no more: %d", a.StatusCode)
	}
	s.do(0, "audit", "verify")
}

// The made token works with what was chosen, and no more.
func TestTokenOfAForm(t *testing.T) {
	w := newWorld(t)
	a := w.ask(t, "steward", http.MethodPost, "/tokens", "name=SIEM&role=reader&expires=30d&community={chips}")
	_, rest, _ := strings.Cut(a.body, `<code data-copy="`)
	secret, _, _ := strings.Cut(rest, `"`)
	r := httptest.NewRequest("GET", "/api/v1/me", nil)
	r.SetBasicAuth("anybody", secret)
	got := w.send(t, r)
	var me apiSelf
	if err := json.Unmarshal([]byte(got.body), &me); err != nil {
		t.Fatalf("%s: %v", got.body, err)
	}
	if me.Role != "reader" || me.Org.Name != "Klepwerk" || me.Person != nil || len(me.Communities) != 1 || me.Communities[0].Right != "reader" || me.Communities[0].Role != "steward" {
		t.Fatalf("me: %s", got.body)
	}
	r = httptest.NewRequest("GET", "/account", nil)
	r.Header.Set("Authorization", "Bearer "+secret)
	if got := w.send(t, r); got.StatusCode != http.StatusForbidden {
		t.Errorf("the account of a token answers %d", got.StatusCode)
	}
	for _, form := range []string{"name=&role=reader&expires=30d", "name=x&role=boss&expires=30d", "name=x&role=reader&expires=soon", "name=x&role=reader&expires=30d&community={finance}"} {
		if a := w.ask(t, "steward", http.MethodPost, "/tokens", form); a.StatusCode < 400 || a.StatusCode >= 500 || !strings.Contains(a.body, `action="/tokens"`) {
			t.Errorf("%s answers %d", form, a.StatusCode)
		}
	}
}
