package members

import (
	"bytes"
	"compress/flate"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/accounts"
)

// site is how people reach the worlds of these tests.
const site = "https://polder.example"

// offering is a world that offers log-in by providers.
func offering(t *testing.T, all ...accounts.Provider) *world {
	t.Helper()
	w := newWorld(t)
	o, err := w.store.Accounts.OIDC(site, nil, all)
	if err != nil {
		t.Fatal(err)
	}
	w.pages.o.OIDC = o
	return w
}

// link links the double's subject to somebody, as an administrator does.
func (w *world) link(t *testing.T, who string, d *double) {
	t.Helper()
	if err := w.store.Accounts.LinkIdentity(t.Context(), accounts.Local(), polder.PersonID(w.ids[who]), accounts.Identity{Issuer: d.URL, Subject: d.subject}); err != nil {
		t.Fatal(err)
	}
}

// trip is a log-in under way: what the browser keeps, and where it was sent.
type trip struct {
	cookie string
	to     *url.URL
}

func (w *world) leave(t *testing.T, d *double, next string) trip {
	t.Helper()
	a := w.ask(t, "", "GET", "/login/with/"+d.name+"?next="+url.QueryEscape(next), "")
	to, err := url.Parse(a.Header.Get("Location"))
	if a.StatusCode != http.StatusSeeOther || err != nil || !strings.HasPrefix(to.String(), d.URL+"/authorize?") {
		t.Fatalf("leaving answers %d to %s", a.StatusCode, to)
	}
	return trip{cookieOf(a, "polder-signin"), to}
}

func cookieOf(a answer, name string) string {
	for _, c := range a.Cookies() {
		if c.Name == name && c.MaxAge >= 0 {
			return c.Value
		}
	}
	return ""
}

// back is the browser as it comes back with q, keeping cookie; who may be logged in already.
func (w *world) back(t *testing.T, name, cookie, who string, q url.Values) answer {
	t.Helper()
	r := httptest.NewRequest("GET", "/login/with/"+name+"/back?"+q.Encode(), nil)
	r.Header.Set("Sec-Fetch-Site", "cross-site")
	r.AddCookie(&http.Cookie{Name: "polder-signin", Value: cookie})
	if w.cookies[who] != "" {
		r.AddCookie(&http.Cookie{Name: "polder", Value: w.cookies[who]})
	}
	return w.send(t, r)
}

// round is one whole log-in at the double.
func (w *world) round(t *testing.T, d *double, next string) answer {
	t.Helper()
	v := w.leave(t, d, next)
	return w.back(t, d.name, v.cookie, "", url.Values{"code": {d.authorize(v.to)}, "state": {v.to.Query().Get("state")}})
}

// session tells who is logged in by the answer; empty when nobody.
func (w *world) session(t *testing.T, a answer) polder.Actor {
	t.Helper()
	cookie := cookieOf(a, "polder")
	if cookie == "" {
		return polder.Actor{}
	}
	got, ses, err := w.store.Accounts.Session(t.Context(), cookie)
	if err != nil {
		t.Fatalf("the session cookie is nobody's: %v", err)
	}
	if ses.Way != accounts.ByProvider {
		t.Errorf("the session began by %s", ses.Way)
	}
	return got
}

// TestS33Token: an ID token that is wrong in one thing gives no session, whichever thing it is; the same log-in with a
// right one does, so that each case stands or falls by what it spoils.
func TestS33Token(t *testing.T) {
	other, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	d := newDouble(t, "Ministry")
	w := offering(t, d.provider("127.0.0.0/8"))
	w.link(t, "reader", d)
	claim := func(name string, value any) func() {
		return func() { d.claims = func(c map[string]any) { c[name] = value } }
	}
	token := func(f func(signed) string) func() { return func() { d.token = f } }
	hour := time.Now().Add(time.Hour).Unix()
	for n, c := range []struct {
		name  string
		spoil func()
	}{
		{"issuer", claim("iss", "https://other.example")},
		{"audience", claim("aud", "somebody-else")},
		{"audiences without azp", claim("aud", []string{"polder", "somebody-else"})},
		{"azp", claim("azp", "somebody-else")},
		{"azp empty", claim("azp", "")},
		{"nonce", claim("nonce", strings.Repeat("n", 43))},
		{"nonce missing", func() { d.claims = func(c map[string]any) { delete(c, "nonce") } }},
		{"at_hash", claim("at_hash", b64(make([]byte, 16)))},
		{"expired", claim("exp", time.Now().Add(-time.Minute).Unix())},
		{"never expires", func() { d.claims = func(c map[string]any) { delete(c, "exp") } }},
		{"not yet", claim("nbf", hour)},
		{"issued tomorrow", claim("iat", time.Now().Add(24*time.Hour).Unix())},
		{"no subject", claim("sub", "")},
		{"subject too long", claim("sub", strings.Repeat("s", 256))},
		{"subject with a hidden character", claim("sub", "subject-1\u200b")},
		{"subject of another case", claim("sub", "Subject-1")},
		{"alg none", token(func(s signed) string { return s.with("none", func(string) []byte { return nil }) })},
		{"HS256 with the public key", token(signed.byPublicKey)},
		{"another key", token(func(s signed) string { s.key = other; return s.sign() })},
		{"claims changed after signing", token(func(s signed) string {
			parts := strings.Split(s.text, ".")
			s.claims["email"] = "reader@example.org"
			return s.input() + "." + parts[2]
		})},
		{"a JWE that unpacks without end", token(func(s signed) string { return bomb(t) })},
		{"not a token", token(func(signed) string { return "a.b.c" })},
		{"too long", token(func(s signed) string { return s.text + strings.Repeat("A", 100_000) })},
		{"no token", func() { d.answer = func(a map[string]any) { delete(a, "id_token") } }},
	} {
		t.Run(c.name, func(t *testing.T) {
			w.from = netip.AddrFrom4([4]byte{192, 0, 2, byte(n)}) // one address begins only so many log-ins
			d.claims, d.token, d.answer = nil, nil, nil
			c.spoil()
			a := w.round(t, d, "/")
			if who := w.session(t, a); who != (polder.Actor{}) || a.StatusCode != http.StatusUnauthorized {
				t.Errorf("answers %d, logged in %v", a.StatusCode, who)
			}
			d.claims, d.token, d.answer = nil, nil, nil
			if who := w.session(t, w.round(t, d, "/")); string(who.Person) != w.ids["reader"] {
				t.Errorf("put right, it logs in %q", who.Person)
			}
		})
	}
}

// bomb is an encrypted token that claims to be compressed, of a megabyte of nothing.
func bomb(t *testing.T) string {
	var b bytes.Buffer
	z, err := flate.NewWriter(&b, flate.BestCompression)
	if err != nil {
		t.Fatal(err)
	}
	_, _ = z.Write(make([]byte, 1<<20))
	_ = z.Close()
	return b64([]byte(`{"alg":"dir","enc":"A256GCM","zip":"DEF"}`)) + ".." + b64(make([]byte, 12)) + "." + b64(b.Bytes()) + "." + b64(make([]byte, 16))
}

// TestS33Answer: what comes back in the address must belong to the log-in that this browser began, at this provider.
func TestS33Answer(t *testing.T) {
	d, e := newDouble(t, "Ministry"), newDouble(t, "Elsewhere")
	w := offering(t, d.provider("127.0.0.0/8"), e.provider("127.0.0.0/8"))
	w.link(t, "reader", d)
	w.link(t, "reader", e)
	for _, c := range []struct {
		name  string
		spoil func(v *trip, q url.Values)
		want  int
	}{
		{"state of nobody", func(_ *trip, q url.Values) { q.Set("state", strings.Repeat("s", 43)) }, 400},
		{"no state", func(_ *trip, q url.Values) { q.Del("state") }, 400},
		{"two states", func(_ *trip, q url.Values) { q.Add("state", "x") }, 400},
		{"another browser", func(v *trip, _ url.Values) { v.cookie = "" }, 400},
		{"the state for the cookie", func(v *trip, q url.Values) { v.cookie = q.Get("state") }, 400},
		{"no code", func(_ *trip, q url.Values) { q.Del("code") }, 401},
		{"two codes", func(_ *trip, q url.Values) { q.Add("code", "x") }, 401},
		{"a code of nobody", func(_ *trip, q url.Values) { q.Set("code", "x") }, 401},
		{"an error of the provider", func(_ *trip, q url.Values) { q.Set("error", "access_denied") }, 401},
		{"another issuer answers", func(_ *trip, q url.Values) { q.Set("iss", e.URL) }, 401},
		{"the log-in of another flow", func(v *trip, _ url.Values) { v.cookie = w.leave(t, d, "/").cookie }, 400},
	} {
		v := w.leave(t, d, "/")
		q := url.Values{"code": {d.authorize(v.to)}, "state": {v.to.Query().Get("state")}}
		c.spoil(&v, q)
		a := w.back(t, d.name, v.cookie, "", q)
		if who := w.session(t, a); who != (polder.Actor{}) || a.StatusCode != c.want {
			t.Errorf("%s: answers %d, logged in %v", c.name, a.StatusCode, who)
		}
	}
	v := w.leave(t, d, "/")
	q := url.Values{"code": {d.authorize(v.to)}, "state": {v.to.Query().Get("state")}}
	if a := w.back(t, e.name, v.cookie, "", q); w.session(t, a) != (polder.Actor{}) {
		t.Error("a log-in that began at one provider ends at another")
	}
}

// TestS33Replay: a log-in is finished once, even if the provider takes its code again.
func TestS33Replay(t *testing.T) {
	d := newDouble(t, "Ministry")
	d.lax = true
	w := offering(t, d.provider("127.0.0.0/8"))
	w.link(t, "reader", d)
	v := w.leave(t, d, "/")
	q := url.Values{"code": {d.authorize(v.to)}, "state": {v.to.Query().Get("state")}}
	if who := w.session(t, w.back(t, d.name, v.cookie, "", q)); string(who.Person) != w.ids["reader"] {
		t.Fatalf("logged in %v", who)
	}
	if who := w.session(t, w.back(t, d.name, v.cookie, "", q)); who != (polder.Actor{}) {
		t.Error("the same answer logs in twice")
	}
	again := w.leave(t, d, "/")
	q.Set("state", again.to.Query().Get("state")) // the code of the log-in before
	if who := w.session(t, w.back(t, d.name, again.cookie, "", q)); who != (polder.Actor{}) {
		t.Error("a code that was used logs in again")
	}
}

// TestS33Strangers: who somebody is, is the issuer and the subject. A known e-mail address, the same subject elsewhere
// and claims of rights open nothing.
func TestS33Strangers(t *testing.T) {
	d, e := newDouble(t, "Ministry"), newDouble(t, "Elsewhere")
	w := offering(t, d.provider("127.0.0.0/8"), e.provider("127.0.0.0/8"))
	w.link(t, "reader", d)
	d.claims = func(c map[string]any) {
		c["email"], c["email_verified"], c["preferred_username"] = "admin", true, "admin"
		c["groups"], c["roles"], c["role"] = []string{"admin"}, []string{"admin"}, "admin"
	}
	who := w.session(t, w.round(t, d, "/"))
	if string(who.Person) != w.ids["reader"] || who.Role != polder.RoleReader {
		t.Errorf("claims of rights make %v", who)
	}
	for name, spoil := range map[string]func(){
		"e-mail of an existing person": func() {
			d.subject = "subject-2"
			d.claims = func(c map[string]any) { c["email"], c["email_verified"] = "steward@example.org", true }
		},
		"e-mail not verified": func() {
			d.subject = "subject-3"
			d.claims = func(c map[string]any) { c["email"], c["email_verified"] = "steward@example.org", false }
		},
	} {
		spoil()
		a := w.round(t, d, "/")
		if w.session(t, a) != (polder.Actor{}) || a.StatusCode != http.StatusUnauthorized {
			t.Errorf("%s: answers %d", name, a.StatusCode)
		}
		if strings.Contains(a.body, `href=""`) || strings.Contains(a.body, "button primary") {
			t.Errorf("%s: a button that leads nowhere", name)
		}
		for _, must := range []string{"Nobody here has linked this account", d.URL, d.subject, `href="/login"`} {
			if !strings.Contains(a.body, must) {
				t.Errorf("%s: the page does not say %q", name, must)
			}
		}
	}
	if a := w.round(t, e, "/"); w.session(t, a) != (polder.Actor{}) {
		t.Error("the same subject at another issuer logs in")
	}
	d.subject, d.claims = "subject-1", nil
	if err := w.store.Accounts.Disable(t.Context(), accounts.Local(), polder.PersonID(w.ids["reader"])); err != nil {
		t.Fatal(err)
	}
	if a := w.round(t, d, "/"); w.session(t, a) != (polder.Actor{}) || a.StatusCode != http.StatusUnauthorized {
		t.Errorf("a disabled person logs in: %d", a.StatusCode)
	}
}

// TestS33ReturnTo: after a log-in one goes on within this site.
func TestS33ReturnTo(t *testing.T) {
	d := newDouble(t, "Ministry")
	w := offering(t, d.provider("127.0.0.0/8"))
	w.link(t, "reader", d)
	for next, want := range map[string]string{
		"/communities?sort=name": "/communities?sort=name", "//evil.example": "/", "https://evil.example/": "/", `/\evil.example`: "/", "/ /evil": "/", "javascript:alert(1)": "/", "": "/",
	} {
		if a := w.round(t, d, next); a.Header.Get("Location") != want || w.session(t, a) == (polder.Actor{}) {
			t.Errorf("next=%s leads to %q, want %q", next, a.Header.Get("Location"), want)
		}
	}
}

// TestS33Keys: a provider that takes another key is believed by the new one, and no longer by the old one.
func TestS33Keys(t *testing.T) {
	d := newDouble(t, "Ministry")
	w := offering(t, d.provider("127.0.0.0/8"))
	w.link(t, "reader", d)
	if w.session(t, w.round(t, d, "/")) == (polder.Actor{}) {
		t.Fatal("no log-in before the keys change")
	}
	old := d.key
	d.rotate("2")
	if w.session(t, w.round(t, d, "/")) == (polder.Actor{}) {
		t.Error("no log-in by the new key")
	}
	d.token = func(s signed) string { s.key = old; return s.sign() }
	if w.session(t, w.round(t, d, "/")) != (polder.Actor{}) {
		t.Error("the old key still logs in")
	}
}

// TestS33Inside: what a provider says of itself sends the node to no inside address, and nobody is sent to one that is
// not https; who logs in by password does not notice.
func TestS33Inside(t *testing.T) {
	for name, c := range map[string]struct {
		allow    string
		metadata func(d *double) func(map[string]any)
	}{
		"an issuer inside":        {allow: ""},
		"a token endpoint inside": {"127.0.0.1/32", endpoint("token_endpoint", "127.0.0.2")},
		"keys inside":             {"127.0.0.1/32", endpoint("jwks_uri", "127.0.0.2")},
		"a page that is not https": {"127.0.0.0/8", func(*double) func(map[string]any) {
			return func(m map[string]any) { m["authorization_endpoint"] = "http://127.0.0.1/" }
		}},
		"another issuer": {"127.0.0.0/8", func(*double) func(map[string]any) {
			return func(m map[string]any) { m["issuer"] = "https://other.example" }
		}},
	} {
		d := newDouble(t, "Ministry")
		if c.metadata != nil {
			d.metadata = c.metadata(d)
		}
		w := offering(t, d.provider(c.allow))
		w.link(t, "reader", d)
		a := w.ask(t, "", "GET", "/login/with/Ministry", "")
		if a.StatusCode == http.StatusSeeOther {
			v := trip{cookieOf(a, "polder-signin"), must[*url.URL](t)(url.Parse(a.Header.Get("Location")))}
			a = w.back(t, d.name, v.cookie, "", url.Values{"code": {d.authorize(v.to)}, "state": {v.to.Query().Get("state")}})
		}
		if w.session(t, a) != (polder.Actor{}) || a.StatusCode != http.StatusServiceUnavailable && a.StatusCode != http.StatusUnauthorized {
			t.Errorf("%s: answers %d", name, a.StatusCode)
		}
		w.byPassword(t)
	}
}

// endpoint puts one of the double's endpoints on another host.
func endpoint(key, host string) func(d *double) func(map[string]any) {
	return func(d *double) func(map[string]any) {
		return func(m map[string]any) { m[key] = strings.Replace(m[key].(string), "127.0.0.1", host, 1) }
	}
}

// byPassword logs in as always.
func (w *world) byPassword(t *testing.T) {
	t.Helper()
	if a := w.ask(t, "", "POST", "/login", "email=reader@example.org&password="+url.QueryEscape(password)); a.StatusCode != http.StatusSeeOther || cookieOf(a, "polder") == "" {
		t.Errorf("by password: %d", a.StatusCode)
	}
}

// TestProviderDown: while a provider does not answer, the page says so and the password works; when it answers again,
// so does the log-in.
func TestProviderDown(t *testing.T) {
	d := newDouble(t, "Ministry")
	w := offering(t, d.provider("127.0.0.0/8"))
	w.link(t, "reader", d)
	v := w.leave(t, d, "/")
	q := url.Values{"code": {d.authorize(v.to)}, "state": {v.to.Query().Get("state")}}
	d.mu.Lock()
	d.down = true
	d.mu.Unlock()
	if a := w.back(t, d.name, v.cookie, "", q); a.StatusCode != http.StatusServiceUnavailable || !strings.Contains(a.body, "does not answer as it should") {
		t.Errorf("a provider that is down: %d", a.StatusCode)
	}
	w.byPassword(t)
	d.mu.Lock()
	d.down = false
	d.mu.Unlock()
	if w.session(t, w.round(t, d, "/")) == (polder.Actor{}) {
		t.Error("the provider is back and logs nobody in")
	}
}

// TestLink: a person links an identity from the account after proving who it is; it opens that account alone, and
// unlinking ends what it opened.
func TestLink(t *testing.T) {
	d := newDouble(t, "Ministry")
	w := offering(t, d.provider("127.0.0.0/8"))
	if page := w.get(t, "", "/login"); !strings.Contains(page, `href="/login/with/Ministry"`) || strings.Contains(page, "data-passkey") {
		t.Error("the log-in page does not offer what there is, and that alone")
	}
	for form, want := range map[string]int{"": 400, "password=wrong": 400, "ticket=made-up": 400} {
		if a := w.ask(t, "reader", "POST", "/account/providers/Ministry", form); a.StatusCode != want || cookieOf(a, "polder-signin") != "" {
			t.Errorf("without proof (%s): %d", form, a.StatusCode)
		}
	}
	begin := func(who string) trip {
		a := w.ask(t, who, "POST", "/account/providers/Ministry", "password="+url.QueryEscape(password))
		_, rest, ok := strings.Cut(a.body, `href="`+d.URL)
		if !ok {
			t.Fatalf("no way on: %d", a.StatusCode)
		}
		href, _, _ := strings.Cut(rest, `"`)
		return trip{cookieOf(a, "polder-signin"), must[*url.URL](t)(url.Parse(d.URL + strings.ReplaceAll(href, "&amp;", "&")))}
	}
	finish := func(v trip, who string) answer {
		return w.back(t, d.name, v.cookie, who, url.Values{"code": {d.authorize(v.to)}, "state": {v.to.Query().Get("state")}})
	}
	if a := finish(begin("reader"), "steward"); a.StatusCode != http.StatusBadRequest {
		t.Errorf("somebody else finishes the linking: %d", a.StatusCode)
	}
	if a := finish(begin("reader"), ""); a.StatusCode != http.StatusBadRequest {
		t.Errorf("nobody finishes the linking: %d", a.StatusCode)
	}
	if a := finish(begin("reader"), "reader"); a.to() != "/account" {
		t.Fatalf("linking answers %d", a.StatusCode)
	}
	if a := finish(begin("steward"), "steward"); a.StatusCode != http.StatusConflict {
		t.Errorf("an identity of two people: %d", a.StatusCode)
	}
	a := w.round(t, d, "/")
	if who := w.session(t, a); string(who.Person) != w.ids["reader"] {
		t.Fatalf("the linked identity logs in %v", who)
	}
	id := accounts.Identity{Issuer: d.URL, Subject: d.subject}
	if page := w.get(t, "reader", "/account"); !strings.Contains(page, "/account/identities/"+id.ID()) {
		t.Error("the account page does not show the identity")
	}
	remove := "/account/identities/" + id.ID() + "/remove"
	if a := w.ask(t, "steward", "POST", remove, "password="+url.QueryEscape(password)); a.StatusCode != http.StatusNotFound {
		t.Errorf("somebody else unlinks: %d", a.StatusCode)
	}
	if a := w.ask(t, "reader", "POST", remove, "password=wrong"); a.StatusCode != http.StatusBadRequest {
		t.Errorf("unlinked without proof: %d", a.StatusCode)
	}
	if a := w.ask(t, "reader", "POST", remove, "password="+url.QueryEscape(password)); a.to() != "/account" {
		t.Fatalf("unlinking answers %d", a.StatusCode)
	}
	if _, _, err := w.store.Accounts.Session(t.Context(), cookieOf(a, "polder")); polder.KindOf(err) != polder.Unauthorised || err == nil {
		t.Error("a session of the unlinked identity goes on")
	}
	if w.session(t, w.round(t, d, "/")) != (polder.Actor{}) {
		t.Error("the unlinked identity logs in")
	}
}

// TestLinkByAdministrator: who never had a password of the own logs in by a linked identity, is not asked for one, and
// keeps that way in; a new password takes every other way in away.
func TestLinkByAdministrator(t *testing.T) {
	d := newDouble(t, "Ministry")
	w := offering(t, d.provider("127.0.0.0/8"))
	ctx, s := t.Context(), w.store.Accounts
	p, _, err := s.AddPerson(ctx, accounts.Local(), accounts.NewPerson{Org: polder.OrgID(w.ids["klep"]), Email: "new@example.org", Role: polder.RoleReader})
	if err != nil {
		t.Fatal(err)
	}
	id := accounts.Identity{Issuer: d.URL, Subject: d.subject}
	if err := s.LinkIdentity(ctx, w.actor(t, "reader"), p.ID, id); polder.KindOf(err) != polder.Forbidden || err == nil {
		t.Errorf("a reader links for somebody else: %v", err)
	}
	if err := s.LinkIdentity(ctx, w.actor(t, "foreign"), p.ID, id); polder.KindOf(err) != polder.NotFound || err == nil {
		t.Errorf("a steward of another organisation links: %v", err)
	}
	if err := s.LinkIdentity(ctx, w.actor(t, "steward"), p.ID, id); err != nil {
		t.Fatal(err)
	}
	a := w.round(t, d, "/account")
	if who := w.session(t, a); who.Person != p.ID || a.to() != "/account" {
		t.Errorf("logged in %v, on to %s", who, a.to())
	}
	if err := s.UnlinkIdentity(ctx, accounts.Local(), p.ID, id); polder.KindOf(err) != polder.Conflict || err == nil {
		t.Errorf("the last way in is taken away: %v", err)
	}
	if _, err := s.ResetPassword(ctx, accounts.Local(), p.ID); err != nil {
		t.Fatal(err)
	}
	if w.session(t, w.round(t, d, "/")) != (polder.Actor{}) {
		t.Error("after a new password the linked identity still logs in")
	}
}

// TestS8Providers: one address begins only so many log-ins at providers at a time, and is told when to try again; another
// address, and the password, go on.
func TestS8Providers(t *testing.T) {
	d := newDouble(t, "Ministry")
	w := offering(t, d.provider("127.0.0.0/8"))
	for range 30 {
		w.leave(t, d, "/")
	}
	a := w.ask(t, "", "GET", "/login/with/Ministry", "")
	if a.StatusCode != http.StatusTooManyRequests || a.Header.Get("Retry-After") == "" {
		t.Errorf("the 31st log-in of an address: %d", a.StatusCode)
	}
	w.byPassword(t)
	w.from = netip.MustParseAddr("192.0.2.99")
	w.leave(t, d, "/")
}
