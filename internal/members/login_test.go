package members

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"testing"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/accounts"
)

// logIn sends the log-in form.
func (w *world) logIn(t testing.TB, email, pass, next string) answer {
	t.Helper()
	return w.ask(t, "nobody", http.MethodPost, "/login", url.Values{"email": {email}, "password": {pass}, "next": {next}}.Encode())
}

func session(a answer) string {
	for _, c := range a.Cookies() {
		if c.Name == "polder" {
			return c.Value
		}
	}
	return ""
}

func TestLogIn(t *testing.T) {
	w := newWorld(t)
	for _, c := range []struct{ why, next, to string }{
		{"goes on to where one wanted to be", "/tokens?sort=name", "/tokens"},
		{"nowhere in particular", "", "/"},
		{"not to another site", "https://evil.example/", "/"},
		{"not to another site without its scheme", "//evil.example/x", "/"},
		{"not by a backslash", `/\evil.example`, "/"},
	} {
		a := w.logIn(t, "Steward@Example.org", password, c.next)
		if a.StatusCode != http.StatusSeeOther || a.to() != c.to || session(a) == "" {
			t.Errorf("%s: %d to %q", c.why, a.StatusCode, a.Header.Get("Location"))
		}
		for _, k := range a.Cookies() {
			if k.Name == "polder" && (!k.HttpOnly || k.SameSite != http.SameSiteLaxMode || k.Path != "/") {
				t.Errorf("%s: cookie %+v", c.why, k)
			}
		}
	}
	for _, c := range []struct{ why, email, pass string }{
		{"a wrong password", "steward@example.org", "wrong"}, {"nobody of that name", "nobody@example.org", password},
	} {
		a := w.logIn(t, c.email, c.pass, "")
		if a.StatusCode != http.StatusUnauthorized || session(a) != "" || !strings.Contains(a.body, "The log-in name or the password is wrong") {
			t.Errorf("%s: %d", c.why, a.StatusCode)
		}
		if strings.Contains(a.body, c.pass+`"`) {
			t.Errorf("%s: the password comes back", c.why)
		}
	}
	for _, form := range []string{"", "email=x@example.org", "password=x", "email=&password="} {
		if a := w.ask(t, "nobody", http.MethodPost, "/login", form); a.StatusCode != http.StatusBadRequest {
			t.Errorf("form %q answers %d", form, a.StatusCode)
		}
	}
	old := w.logIn(t, "reader@example.org", password, "")
	w.cookies = map[string]string{"again": session(old)}
	w.ask(t, "again", http.MethodPost, "/login", url.Values{"email": {"reader@example.org"}, "password": {password}}.Encode())
	if a := w.ask(t, "again", http.MethodGet, "/account", ""); a.to() != "/login" {
		t.Error("a new log-in in the same browser leaves the old session open")
	}
}

// A generated password opens nothing but the page on which another is chosen.
func TestFirstPassword(t *testing.T) {
	w := newWorld(t)
	_, first, err := w.store.Accounts.AddPerson(t.Context(), accounts.Local(), accounts.NewPerson{Org: polder.OrgID(w.ids["klep"]), Email: "new@example.org", Role: polder.RoleReader})
	if err != nil {
		t.Fatal(err)
	}
	a := w.logIn(t, "new@example.org", first, "/tokens")
	if a.to() != "/login/password" || !strings.Contains(a.Header.Get("Location"), "next=%2Ftokens") {
		t.Fatalf("goes to %s", a.Header.Get("Location"))
	}
	w.cookies = map[string]string{"new": session(a)}
	for _, row := range matrix {
		method, pattern, _ := strings.Cut(row.route, " ")
		if strings.HasPrefix(pattern, "/login") || pattern == "/logout" || pattern == "/invitation.js" {
			continue
		}
		if a := w.ask(t, "new", method, row.path, row.form); a.to() != "/login" && a.StatusCode != http.StatusUnauthorized {
			t.Errorf("%s answers %d before a password is chosen", row.route, a.StatusCode)
		}
	}
	if a := w.ask(t, "new", http.MethodGet, "/login?next=/tokens", ""); a.to() != "/login/password" {
		t.Errorf("the log-in page leads to %s", a.to())
	}
	choose := func(old, chosen, again string) answer {
		return w.ask(t, "new", http.MethodPost, "/login/password", url.Values{"old": {old}, "new": {chosen}, "again": {again}, "next": {"/tokens"}}.Encode())
	}
	for _, c := range []struct{ why, old, chosen, again, says string }{
		{"typed differently", first, password, password + "x", "Type the new password twice"},
		{"too short", first, "short", "short", "too short"},
		{"the given one is wrong", "wrong", password, password, "not the right password"},
		{"the given one again", first, first, first, "choose another"},
	} {
		if a := choose(c.old, c.chosen, c.again); a.StatusCode != http.StatusBadRequest || !strings.Contains(a.body, c.says) {
			t.Errorf("%s: %d, without %q", c.why, a.StatusCode, c.says)
		}
	}
	if a := choose(first, password, password); a.StatusCode != http.StatusSeeOther || a.to() != "/tokens" {
		t.Fatalf("choosing answers %d to %s", a.StatusCode, a.to())
	}
	if !strings.Contains(w.get(t, "new", "/tokens"), "Tokens") {
		t.Error("the session does not go on")
	}
	if a := w.logIn(t, "new@example.org", first, ""); a.StatusCode != http.StatusUnauthorized {
		t.Errorf("the generated password still works: %d", a.StatusCode)
	}
}

// S8 at the page: whatever the spelling of the name, from wherever, a name is tried so many times.
func TestS8LogInLimit(t *testing.T) {
	spellings := []string{"steward@example.org", "STEWARD@EXAMPLE.ORG", " steward@example.org ", "ｓteward@example.org", "ſteward@example.org"}
	for _, c := range []struct {
		why   string
		email func(i int) string
		from  func(i int) string
	}{
		{"one account from everywhere", func(i int) string { return spellings[i%len(spellings)] }, func(i int) string { return fmt.Sprintf("198.51.100.%d", i%200) }},
		{"an account that is none", func(i int) string { return []string{"nobody@example.org", "NOBODY@example.org"}[i%2] }, func(i int) string { return fmt.Sprintf("198.51.100.%d", i%200) }},
		{"many accounts from one network", func(i int) string { return fmt.Sprintf("p%d@example.org", i) }, func(i int) string { return fmt.Sprintf("2001:db8:1:2::%x", i+1) }},
	} {
		t.Run(c.why, func(t *testing.T) {
			w := newWorld(t)
			refused := -1
			for i := 0; i < 120 && refused < 0; i++ {
				w.from = netip.MustParseAddr(c.from(i))
				switch a := w.logIn(t, c.email(i), "guess number "+strconv.Itoa(i), ""); a.StatusCode {
				case http.StatusUnauthorized:
				case http.StatusTooManyRequests:
					refused = i
					if after, err := strconv.Atoi(a.Header.Get("Retry-After")); err != nil || after < 1 {
						t.Errorf("Retry-After is %q", a.Header.Get("Retry-After"))
					}
					if !strings.Contains(a.body, "Too many failed tries") {
						t.Error("the page does not say why")
					}
				default:
					t.Fatalf("try %d answers %d", i, a.StatusCode)
				}
			}
			if refused < 5 {
				t.Fatalf("refused at try %d", refused)
			}
			if c.why == "one account from everywhere" {
				if a := w.logIn(t, "steward@example.org", password, ""); a.StatusCode != http.StatusTooManyRequests {
					t.Errorf("a stranger's next guess is weighed: %d", a.StatusCode)
				}
				w.from = netip.MustParseAddr("192.0.2.7")
				if a := w.logIn(t, "steward@example.org", password, ""); a.StatusCode != http.StatusSeeOther {
					t.Errorf("the owner, where it is known, is locked out: %d", a.StatusCode)
				}
			}
		})
	}
}

// S8: what is no form is no try, and takes nothing from anybody's allowance.
func TestS8OtherForms(t *testing.T) {
	w := newWorld(t)
	for i := range 40 {
		r := httptest.NewRequest(http.MethodPost, "/login?email=steward@example.org&password=guess", strings.NewReader(`{"email":"steward@example.org","password":"guess"}`))
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("Sec-Fetch-Site", "same-origin")
		if a := w.send(t, r); a.StatusCode != http.StatusBadRequest {
			t.Fatalf("try %d as JSON and in the address answers %d", i, a.StatusCode)
		}
		if a := w.ask(t, "nobody", http.MethodPut, "/login", "email=steward@example.org&password=guess"); a.StatusCode != http.StatusMethodNotAllowed {
			t.Fatalf("PUT answers %d", a.StatusCode)
		}
	}
	w.from = netip.MustParseAddr("198.51.100.9")
	if a := w.logIn(t, "steward@example.org", password, ""); a.StatusCode != http.StatusSeeOther {
		t.Errorf("then the right password answers %d", a.StatusCode)
	}
}

// S8: wrong tokens are slowed down, and a right one is not.
func TestS8WrongTokens(t *testing.T) {
	w := newWorld(t)
	me := func(secret string) answer {
		r := httptest.NewRequest("GET", "/api/v1/me", nil)
		r.Header.Set("Authorization", "Bearer "+secret)
		return w.send(t, r)
	}
	limited := false
	for range 60 {
		a := me("polder_wrong")
		limited = limited || a.StatusCode == http.StatusTooManyRequests && a.Header.Get("Retry-After") != ""
	}
	if !limited {
		t.Error("wrong tokens are tried without end")
	}
	if a := me(w.ids["token-text"]); a.StatusCode != http.StatusOK {
		t.Errorf("a right token answers %d", a.StatusCode)
	}
}

func TestAccount(t *testing.T) {
	w := newWorld(t)
	page := w.get(t, "reader", "/account")
	for _, want := range []string{"Reader Jansen", "reader@example.org", "Klepwerk", "Firefox on Linux", "This browser"} {
		if !strings.Contains(page, want) {
			t.Errorf("the account does not show %q", want)
		}
	}
	a := w.ask(t, "reader", http.MethodPost, "/account", "language=nl&theme=dark")
	cookies := map[string]string{}
	for _, c := range a.Cookies() {
		cookies[c.Name] = c.Value
	}
	if cookies["polder-lang"] != "nl" || cookies["polder-theme"] != "dark" || cookies["polder-keys"] != "off" {
		t.Errorf("kept on the device: %v", cookies)
	}
	me, err := w.store.Accounts.Person(t.Context(), polder.PersonID(w.ids["reader"]))
	if err != nil || me.Preferences != (accounts.Preferences{Language: "nl", Theme: "dark"}) {
		t.Errorf("kept in the account: %+v, %v", me.Preferences, err)
	}
	if page := w.get(t, "reader", "/account"); !strings.Contains(page, `lang="nl"`) {
		t.Error("the chosen language is not used")
	}
	for _, form := range []string{"language=xx", "theme=pink"} {
		if a := w.ask(t, "reader", http.MethodPost, "/account", form); a.StatusCode != http.StatusBadRequest {
			t.Errorf("%s answers %d", form, a.StatusCode)
		}
	}
	other := session(w.logIn(t, "reader@example.org", password, ""))
	w.cookies = map[string]string{"reader": w.cookies["reader"], "other": other}
	form := url.Values{"old": {password}, "new": {"een heel ander wachtwoord"}, "again": {"een heel ander wachtwoord"}}
	if a := w.ask(t, "reader", http.MethodPost, "/account/password", form.Encode()); a.to() != "/account" {
		t.Fatalf("changing the password answers %d", a.StatusCode)
	}
	if a := w.ask(t, "other", http.MethodGet, "/account", ""); a.to() != "/login" {
		t.Error("another session outlives the password")
	}
	if a := w.ask(t, "reader", http.MethodGet, "/account", ""); a.StatusCode != http.StatusOK {
		t.Error("the session that changed the password ended")
	}
}

// The identifier is who accounts says, and nobody when accounts says nobody.
func TestIdentifier(t *testing.T) {
	w := newWorld(t)
	id := NewIdentifier(w.store.Accounts)
	who, err := id.BySession(context.Background(), w.cookies["steward"])
	if err != nil || who.OrgName != "Klepwerk" || who.Actor.Name != "Steward Jansen" || who.Actor.Role != polder.RoleSteward {
		t.Errorf("session: %+v, %v", who, err)
	}
	who, err = id.BySecret(context.Background(), w.ids["token-text"], w.from)
	if err != nil || who.OrgName != "Klepwerk" || who.Actor.Token == "" || who.Actor.Role != polder.RoleContributor {
		t.Errorf("secret: %+v, %v", who, err)
	}
	for _, cookie := range []string{"", "x", w.cookies["steward"] + "x", w.ids["token-text"]} {
		if who, err := id.BySession(context.Background(), cookie); polder.KindOf(err) != polder.Unauthorised || who.Actor != (polder.Actor{}) {
			t.Errorf("cookie %.8q: %+v, %v", cookie, who, err)
		}
	}
	if _, err := id.BySecret(context.Background(), w.cookies["steward"], w.from); polder.KindOf(err) != polder.Unauthorised {
		t.Errorf("a cookie as a token: %v", err)
	}
}
