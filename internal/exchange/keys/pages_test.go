package keys

import (
	"context"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/accounts"
	"github.com/polder-exchange/polder/internal/seal"
	"github.com/polder-exchange/polder/internal/web"
)

// asking has one asker for every request.
type asking struct{ by polder.Actor }

func (a asking) BySession(context.Context, string) (web.Identity, error) {
	return web.Identity{Actor: a.by}, nil
}

func (a asking) BySecret(context.Context, string, netip.Addr) (web.Identity, error) {
	return web.Identity{Actor: a.by}, nil
}

// TestKeysPage: who changed which key is shown to those who meet its owner, with what somebody must look at.
func TestKeysPage(t *testing.T) {
	w := newWorld(t, "Node")
	ctx := context.Background()
	a := w.orgs["a"].ID
	out := w.org("out")
	for _, id := range []polder.OrgID{a, out} {
		_, err := w.KeyOf(ctx, id)
		must(t, err)
	}
	_, err := w.Change(ctx, accounts.Local(), a, Change{Act: seal.KeyRevoke})
	must(t, err)
	get := func(by polder.Actor, lang, path string) string {
		t.Helper()
		site, err := web.New(web.Options{Identify: asking{by}, Now: w.clock}, ConsolePart())
		must(t, err)
		pages := w.Pages(site)
		site.AddNav(pages.Nav()...)
		handler, err := site.Handler(append(pages.Routes(), NewAPI(w.Service).Routes()...)...)
		must(t, err)
		r := httptest.NewRequest("GET", path, nil)
		r.Header.Set("Authorization", "Bearer x")
		r.Header.Set("Accept-Language", lang)
		rec := httptest.NewRecorder()
		handler.ServeHTTP(rec, r)
		if rec.Code != 200 {
			t.Fatalf("%s: %d %s", path, rec.Code, rec.Body)
		}
		return rec.Body.String()
	}
	b := w.as("b")
	page := get(b, "en", "/keys")
	for _, want := range []string{"Org a", "Revoked ", "; signs with ", string(a), "node of Node", "Keys in force", "cannot be changed in silence"} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	for _, secret := range []string{string(out), "Org out", "keys.page", "Two stories"} {
		if strings.Contains(page, secret) {
			t.Errorf("the page has %q", secret)
		}
	}
	if dutch := get(b, "nl", "/keys"); !strings.Contains(dutch, "Geldende sleutels") {
		t.Error("the page in Dutch is not")
	}
	if api := get(b, "en", "/api/v1/keys"); !strings.Contains(api, `"owner":"`+string(a)+`"`) || strings.Contains(api, string(out)) {
		t.Errorf("the API: %s", api)
	}
	// A second beginning of a known owner is refused, kept, and shown to everybody who meets the owner.
	other, err := seal.Begin(string(a), w.clock(), seal.NewSigningKey([32]byte{66}), seal.NewPrivateKey([32]byte{66}).Public())
	must(t, err)
	if err := w.Learn(ctx, a, rawChain(other)); polder.KindOf(err) != polder.Conflict {
		t.Fatal(err)
	}
	if page := get(b, "en", "/keys"); !strings.Contains(page, "Two stories are told about the keys of Org a") {
		t.Error("the page does not say that two stories are told")
	}
}
