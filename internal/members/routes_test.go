package members

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/polder-exchange/polder/internal/web/webtest"
)

// roles are the columns of [matrix].
var roles = []string{"nobody", "reader", "contributor", "steward", "foreign", "admin"}

// matrix says what each route answers to whom: reader, contributor and steward are of Klepwerk, steward of chips;
// foreign is a steward of an organisation that shares nothing with it. "login" is a redirect to the log-in page.
var matrix = []struct{ route, path, form, want string }{
	{"GET /login", "/login", "", "200 303 303 303 303 303"},
	{"POST /login", "/login", "email=x@example.org&password=wrong", "401 401 401 401 401 401"},
	{"GET /login/password", "/login/password", "", "login login login login login login"},
	{"POST /login/password", "/login/password", "old=a&new=b&again=b", "login login login login login login"},
	{"POST /logout", "/logout", "", "login login login login login login"},
	{"GET /invitation.js", "/invitation.js", "", "200 200 200 200 200 200"},
	{"GET /login/with/{provider}", "/login/with/Ministry", "", "404 404 404 404 404 404"}, // this world offers neither providers nor passkeys
	{"GET /login/with/{provider}/back", "/login/with/Ministry/back?code=x&state=y", "", "404 404 404 404 404 404"},
	{"POST /login/passkey/begin", "/login/passkey/begin", "", "404 404 404 404 404 404"},
	{"POST /login/passkey", "/login/passkey", "", "404 404 404 404 404 404"},
	{"POST /account/proof/begin", "/account/proof/begin", "", "401 404 404 404 404 404"},
	{"POST /account/proof", "/account/proof", "", "401 404 404 404 404 404"},
	{"POST /account/passkeys/begin", "/account/passkeys/begin", "", "401 404 404 404 404 404"},
	{"POST /account/passkeys", "/account/passkeys", "", "401 404 404 404 404 404"},
	{"GET /account/passkeys/{id}", "/account/passkeys/abc", "", "login 404 404 404 404 404"},
	{"POST /account/passkeys/{id}", "/account/passkeys/abc", "name=x", "login 404 404 404 404 404"},
	{"POST /account/passkeys/{id}/remove", "/account/passkeys/abc/remove", "password=x", "login 404 404 404 404 404"},
	{"GET /account/providers/{provider}", "/account/providers/Ministry", "", "login 404 404 404 404 404"},
	{"POST /account/providers/{provider}", "/account/providers/Ministry", "password=x", "login 404 404 404 404 404"},
	{"GET /account/identities/{id}", "/account/identities/abc", "", "login 404 404 404 404 404"},
	{"POST /account/identities/{id}/remove", "/account/identities/abc/remove", "password=x", "login 404 404 404 404 404"},
	{"GET /account", "/account", "", "login 200 200 200 200 200"},
	{"POST /account", "/account", "language=nl&theme=dark&shortcuts=on", "login 303 303 303 303 303"},
	{"POST /account/password", "/account/password", "old=a&new=b&again=c", "login 400 400 400 400 400"},
	{"POST /account/sessions/{id}/end", "/account/sessions/{reader-session}/end", "", "login 303 404 404 404 404"},
	{"GET /tokens", "/tokens", "", "login 200 200 200 200 200"},
	{"POST /tokens", "/tokens", "name=x&role=reader&expires=30d", "login 200 200 200 200 200"},
	{"GET /tokens/{id}/revoke", "/tokens/{token}/revoke", "", "login 404 200 200 404 200"},
	{"POST /tokens/{id}/revoke", "/tokens/{token}/revoke", "", "login 403 303 303 404 303"},
	{"GET /organisations", "/organisations", "", "login 200 200 200 200 200"},
	{"POST /organisations", "/organisations", "name=Delta", "login 403 403 403 403 303"},
	{"GET /organisations/{org}", "/organisations/{optik}", "", "login 200 200 200 404 200"},
	{"POST /organisations/{org}", "/organisations/{klep}", "name=Klepwerk+NV", "login 403 403 403 403 303"},
	{"POST /organisations/{org}/widest", "/organisations/{klep}/widest", "widest=amber", "login 403 403 303 404 303"},
	{"POST /organisations/{org}/people", "/organisations/{klep}/people", "email=n@example.org&role=reader", "login 403 403 200 404 200"},
	{"GET /organisations/{org}/people/{person}", "/organisations/{klep}/people/{reader}", "", "login 403 403 200 404 200"},
	{"POST /organisations/{org}/people/{person}/role", "/organisations/{klep}/people/{reader}/role", "role=contributor", "login 403 403 303 404 303"},
	{"GET /organisations/{org}/people/{person}/disable", "/organisations/{klep}/people/{reader}/disable", "", "login 403 403 200 404 200"},
	{"POST /organisations/{org}/people/{person}/disable", "/organisations/{klep}/people/{reader}/disable", "", "login 403 403 303 404 303"},
	{"POST /organisations/{org}/people/{person}/enable", "/organisations/{klep}/people/{reader}/enable", "", "login 403 403 303 404 303"},
	{"GET /organisations/{org}/people/{person}/reset", "/organisations/{klep}/people/{reader}/reset", "", "login 403 403 200 404 200"},
	{"POST /organisations/{org}/people/{person}/reset", "/organisations/{klep}/people/{reader}/reset", "", "login 403 403 200 404 200"},
	{"POST /organisations/{org}/people/{person}/sessions/{id}/end", "/organisations/{klep}/people/{reader}/sessions/{reader-session}/end", "", "login 403 403 303 404 303"},
	{"GET /communities", "/communities", "", "login 200 200 200 200 200"},
	{"POST /communities", "/communities", "name=Valves&unmarked=refuse", "login 403 403 403 403 303"},
	{"GET /communities/{alias}", "/communities/chip-supply-chain", "", "login 200 200 200 404 200"},
	{"GET /communities/{alias}/agreement", "/communities/chip-supply-chain/agreement", "", "login 200 200 200 404 200"},
	{"POST /communities/{alias}/agreement", "/communities/chip-supply-chain/agreement", "text=Dry&anew=no", "login 403 403 303 404 303"},
	{"POST /communities/{alias}/accept", "/communities/chip-supply-chain/accept", "version=1", "login 403 303 303 404 404"},
	{"POST /communities/{alias}/unmarked", "/communities/chip-supply-chain/unmarked", "unmarked=green", "login 403 403 303 404 303"},
	{"GET /communities/{alias}/leave", "/communities/chip-supply-chain/leave", "", "login 403 403 200 404 403"},
	{"POST /communities/{alias}/leave", "/communities/chip-supply-chain/leave", "", "login 403 403 303 404 404"},
	{"POST /communities/{alias}/members", "/communities/chip-supply-chain/members", "org={bank}&member-role=reader", "login 403 403 403 403 303"},
	{"GET /communities/{alias}/members/{org}", "/communities/chip-supply-chain/members/{optik}", "", "login 403 403 200 404 200"},
	{"POST /communities/{alias}/members/{org}/role", "/communities/chip-supply-chain/members/{optik}/role", "role=reader", "login 403 403 303 404 303"},
	{"GET /communities/{alias}/members/{org}/remove", "/communities/chip-supply-chain/members/{optik}/remove", "", "login 403 403 200 404 200"},
	{"POST /communities/{alias}/members/{org}/remove", "/communities/chip-supply-chain/members/{optik}/remove", "", "login 403 403 303 404 303"},
	{"POST /communities/{alias}/invitations", "/communities/chip-supply-chain/invitations", "invite-role=reader&days=14&note=x", "login 403 403 200 404 200"},
	{"GET /communities/{alias}/invitations/{id}/revoke", "/communities/chip-supply-chain/invitations/{invitation}/revoke", "", "login 403 403 200 404 200"},
	{"POST /communities/{alias}/invitations/{id}/revoke", "/communities/chip-supply-chain/invitations/{invitation}/revoke", "", "login 403 403 303 404 303"},
	{"POST /communities/{alias}/requests/{id}/approve", "/communities/chip-supply-chain/requests/{request}/approve", "", "login 403 403 303 404 303"},
	{"GET /communities/{alias}/requests/{id}/refuse", "/communities/chip-supply-chain/requests/{request}/refuse", "", "login 403 403 200 404 200"},
	{"POST /communities/{alias}/requests/{id}/refuse", "/communities/chip-supply-chain/requests/{request}/refuse", "reason-{request}=no", "login 403 403 303 404 303"},
	{"GET /join", "/join", "", "login 200 200 200 200 200"},
	{"POST /join", "/join", "invitation={invitation-text}", "login 200 200 200 200 200"},
	{"POST /join/accept", "/join/accept", "invitation={invitation-text}&version=1", "login 403 409 409 303 303"},
	{"GET /join/request", "/join/request?community=open-to-all", "", "login 200 200 200 200 200"},
	{"POST /join/request", "/join/request", "community=open-to-all&message=hi", "login 403 303 303 303 303"},
	{"POST /join/requests/{id}/withdraw", "/join/requests/{request}/withdraw", "", "login 403 404 404 303 404"},
	{"GET /audit", "/audit", "", "login 200 200 200 200 200"},
	{"GET /api/v1/me", "/api/v1/me", "", "401 200 200 200 200 200"},
	{"GET /api/v1/communities/{alias}/members", "/api/v1/communities/chip-supply-chain/members", "", "401 200 200 200 404 200"},
	{"GET /{$}", "/", "", "login 200 200 200 200 200"},
}

// S1: every route answers every role as declared, and a route without a row fails.
func TestS1Routes(t *testing.T) {
	rows := map[string]bool{}
	unchanged := newWorld(t) // for what reads, or is refused
	for _, row := range matrix {
		if rows[row.route] {
			t.Errorf("%s has two rows", row.route)
		}
		rows[row.route] = true
		want := strings.Fields(row.want)
		method, _, _ := strings.Cut(row.route, " ")
		for i, who := range roles {
			t.Run(strings.ReplaceAll(row.route, "/", "|")+" "+who, func(t *testing.T) {
				w := unchanged
				if method == http.MethodPost && (want[i] == "200" || want[i] == "303" || row.path == "/logout") {
					w = newWorld(t)
				}
				a := w.ask(t, who, method, row.path, row.form)
				got := fmt.Sprint(a.StatusCode)
				if a.StatusCode == http.StatusSeeOther && a.to() == "/login" {
					got = "login"
				}
				if got != want[i] {
					t.Errorf("answers %s, want %s", got, want[i])
				}
				if strings.Contains(a.Header.Get("Content-Type"), "text/html") {
					for _, fault := range webtest.Broken([]byte(a.body)) {
						t.Error(fault)
					}
				}
			})
		}
	}
	w := newWorld(t)
	for _, r := range append(w.pages.Routes(), w.pages.Home(nil)) {
		if !rows[r.Method+" "+r.Pattern] {
			t.Errorf("%s %s has no row", r.Method, r.Pattern)
		}
		if !strings.HasPrefix(r.Exit, "members.") {
			t.Errorf("%s %s is exit %q", r.Method, r.Pattern, r.Exit)
		}
	}
}

// S1: a method that is not declared is 405, and nothing happens.
func TestS1Methods(t *testing.T) {
	w := newWorld(t)
	declared := map[string]map[string]bool{}
	for _, row := range matrix {
		method, _, _ := strings.Cut(row.route, " ")
		_, pattern, _ := strings.Cut(row.route, " ")
		if declared[pattern] == nil {
			declared[pattern] = map[string]bool{}
		}
		declared[pattern][method] = true
		if method == "GET" {
			declared[pattern]["HEAD"] = true
		}
	}
	for _, row := range matrix {
		_, pattern, _ := strings.Cut(row.route, " ")
		path, ok := row.path, declared[pattern]
		for _, method := range []string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND"} {
			if ok[method] {
				continue
			}
			if a := w.ask(t, "admin", method, path, ""); a.StatusCode != http.StatusMethodNotAllowed {
				t.Errorf("%s %s answers %d", method, path, a.StatusCode)
			}
		}
	}
}

// S1: who is gone is nobody: a revoked token, a disabled person, an ended session.
func TestS1Gone(t *testing.T) {
	w := newWorld(t)
	me := func(secret string) int {
		r := httptest.NewRequest("GET", "/api/v1/me", nil)
		r.Header.Set("Authorization", "Bearer "+secret)
		return w.send(t, r).StatusCode
	}
	if got := me(w.ids["token-text"]); got != http.StatusOK {
		t.Fatalf("a token answers %d", got)
	}
	if a := w.ask(t, "steward", "POST", "/tokens/{token}/revoke", ""); a.StatusCode != http.StatusSeeOther {
		t.Fatalf("revoke answers %d", a.StatusCode)
	}
	if got := me(w.ids["token-text"]); got != http.StatusUnauthorized {
		t.Errorf("a revoked token answers %d", got)
	}
	w.ask(t, "steward", "POST", "/organisations/{klep}/people/{reader}/disable", "")
	if a := w.ask(t, "reader", "GET", "/account", ""); a.to() != "/login" {
		t.Errorf("a disabled person gets %d %s", a.StatusCode, a.to())
	}
	w.ask(t, "contributor", "POST", "/logout", "")
	if a := w.ask(t, "contributor", "GET", "/account", ""); a.to() != "/login" {
		t.Errorf("who logged out gets %d %s", a.StatusCode, a.to())
	}
}

// S39: a form that another site sends changes nothing.
func TestS39OtherSite(t *testing.T) {
	w := newWorld(t)
	for _, row := range matrix {
		method, _, _ := strings.Cut(row.route, " ")
		if method != http.MethodPost {
			continue
		}
		r := httptest.NewRequest(method, w.fill(row.path), strings.NewReader(w.fill(row.form)))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("Sec-Fetch-Site", "cross-site")
		r.AddCookie(&http.Cookie{Name: "polder", Value: w.cookies["admin"]})
		if a := w.send(t, r); a.StatusCode != http.StatusForbidden {
			t.Errorf("%s from another site answers %d", row.route, a.StatusCode)
		}
	}
}
