package exchange

import (
	"bytes"
	"context"
	"strings"
	"testing"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/indicator"
	"github.com/polder-exchange/polder/internal/accounts"
	"github.com/polder-exchange/polder/stix"
)

// TestX22Own (X22): a member's own domains and networks, with what lies in them, never become blocks, and the reason does
// not say whose they are.
func TestX22Own(t *testing.T) {
	w := newWorld(t)
	ctx := context.Background()
	a := w.as("a", polder.RoleContributor)
	_, err := Protect(ctx, w.db, w.audit, accounts.Local(), w.orgs["b"].ID, []string{"Klepwerk-own.com", "91.198.174.0/24"}, false)
	ok(t, err)
	if _, err := Protect(ctx, w.db, w.audit, accounts.Local(), w.orgs["b"].ID, []string{"d41d8cd98f00b204e9800998ecf8427e"}, false); polder.KindOf(err) != polder.Invalid {
		t.Fatalf("a hash is protected: %v", err)
	}
	pattern := func(n int, value string) []byte {
		return []byte(strings.Replace(string(someIndicator(n, 1, "x", stix.Green, "")), "x"+itoa(n)+".example", value, 1))
	}
	w.share(a, Request{Objects: one(pattern(1, "mail.klepwerk-own.com"), pattern(2, "klepwerk-own.com.evil-site.net")), Confirmed: true})
	var list bytes.Buffer
	left, err := w.Export(ctx, a, "", AsPlain, &list)
	ok(t, err)
	if list.String() != "klepwerk-own.com.evil-site.net\n" || len(left) != 1 || strings.Contains(left[0].Reason, "Org b") {
		t.Fatalf("%q, left out %+v", list.String(), left)
	}
	for _, c := range []struct {
		kind  indicator.Kind
		value string
		want  bool
		why   string
	}{
		{indicator.URL, "https://mail.klepwerk-own.com/x", true, "a URL on a protected host"},
		{indicator.IPv4, "91.198.174.7", true, "an address in a protected network"},
		{indicator.CIDR, "91.198.0.0/16", true, "a network that holds a protected one"},
		{indicator.IPv4, "91.198.175.7", false, "the address next to it"},
		{indicator.Domain, "notklepwerk-own.com", false, "a name that only ends alike"},
	} {
		if got := len(w.Stops(c.kind, c.value)) > 0; got != c.want {
			t.Errorf("%s: %v", c.why, got)
		}
	}
	_, err = Protect(ctx, w.db, w.audit, accounts.Local(), w.orgs["b"].ID, []string{"klepwerk-own.com"}, true)
	ok(t, err)
	list.Reset()
	if _, err := w.Export(ctx, a, "", AsPlain, &list); err != nil || !strings.Contains(list.String(), "mail.klepwerk-own.com") {
		t.Fatalf("still protected: %q %v", list.String(), err)
	}
}

// TestX16Old (X16): a STIX 2.0 object whose id and modified are held as 2.1 is a duplicate, whatever else differs.
func TestX16Old(t *testing.T) {
	w := newWorld(t)
	a, b := w.as("a", polder.RoleContributor), w.as("b", polder.RoleContributor)
	w.share(a, Request{Objects: one(someIndicator(1, 1, "as 2.1 says it", stix.Green, `,"confidence":80`))})
	old := []byte(`{"type":"indicator","id":"indicator--00000000-0000-4000-8000-000000000001","created":"2026-01-01T00:00:00.000Z","modified":"2026-01-01T00:00:01.000Z","labels":["malicious-activity"],"name":"as 2.0 said it","pattern":"[domain-name:value = 'x1.example']","valid_from":"2026-01-01T00:00:00Z","object_marking_refs":["` + stix.Green.ID() + `"]}`)
	for _, by := range []polder.Actor{a, b} {
		if got := w.share(by, Request{Objects: one(old)}); got.Duplicates != 1 || len(got.Refused) > 0 {
			t.Fatalf("%+v", got)
		}
	}
}
