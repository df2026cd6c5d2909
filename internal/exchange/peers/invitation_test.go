package peers

import (
	"encoding/base64"
	"strings"
	"testing"
)

func someInvitation() Invitation {
	return Invitation{
		URL: "https://hub.example", Node: "identity--0b7e4ba4-5f0c-4f5c-9a6e-0d3c0a1b2c3d", Key: make([]byte, 32), Community: someCommunity, CommunityName: "Chips", Role: "contributor",
		Secret: strings.Repeat("a", wordSize), Expires: 1_800_000_000,
	}
}

func TestInvitation(t *testing.T) {
	want := someInvitation()
	line := want.String()
	if strings.ContainsAny(line, " \n") || !strings.HasPrefix(line, invitationPrefix) {
		t.Errorf("%q is not one line", line)
	}
	got, err := ParseInvitation(" " + line[:40] + "\r\n  " + line[40:] + "\n")
	if err != nil || got.String() != line {
		t.Errorf("wrapped by a mail program: %+v, %v", got, err)
	}
	for why, change := range map[string]func(*Invitation){
		"another scheme":        func(i *Invitation) { i.URL = "ftp://hub.example" },
		"a name in the address": func(i *Invitation) { i.URL = "https://u:p@hub.example" },
		"a query":               func(i *Invitation) { i.URL = "https://hub.example/?a=b" },
		"no host":               func(i *Invitation) { i.URL = "https:///x" },
		"no node":               func(i *Invitation) { i.Node = "hub" },
		"a short key":           func(i *Invitation) { i.Key = i.Key[:31] },
		"no community":          func(i *Invitation) { i.Community = "chips" },
		"no name":               func(i *Invitation) { i.CommunityName = "" },
		"a role of the node":    func(i *Invitation) { i.Role = "admin" },
		"no role":               func(i *Invitation) { i.Role = "none" },
		"no secret":             func(i *Invitation) { i.Secret = "" },
		"an organisation":       func(i *Invitation) { i.Org = "Acme" },
	} {
		i := someInvitation()
		i.Key = append([]byte{}, i.Key...)
		change(&i)
		if _, err := ParseInvitation(i.String()); err == nil {
			t.Errorf("an invitation with %s was taken", why)
		}
	}
	for _, s := range []string{"", "polderinvite_abc", invitationPrefix, invitationPrefix + "****", invitationPrefix + base64.RawURLEncoding.EncodeToString([]byte(`{} {}`)), strings.Repeat("a", 1<<20)} {
		if _, err := ParseInvitation(s); err == nil {
			t.Errorf("%.60q was taken as an invitation", s)
		}
	}
}

func FuzzInvitation(f *testing.F) {
	f.Add(someInvitation().String())
	f.Add(invitationPrefix + "e30")
	f.Fuzz(func(t *testing.T, line string) {
		i, err := ParseInvitation(line)
		if err != nil {
			return
		}
		again, err := ParseInvitation(i.String())
		if err != nil || again.String() != i.String() {
			t.Fatalf("%q is read, and its own line is not: %v", line, err)
		}
	})
}

// TestReach: an invitation names an address that others get to, or says that they do not.
func TestReach(t *testing.T) {
	for _, c := range []struct {
		url  string
		want reach
		ok   bool
		why  string
	}{
		{"https://hub.example", reachable, true, "a name"},
		{"https://192.0.2.7:8443", reachable, true, "an address"},
		{"http://10.0.0.7:8080", fromInside, true, "no TLS"},
		{"http://127.0.0.1:8080", fromHere, true, "this machine"},
		{"http://[::1]:8080", fromHere, true, "this machine by IPv6"},
		{"http://[::ffff:127.0.0.2]:8080", fromHere, true, "this machine by IPv4 in IPv6"},
		{"https://localhost:8443", fromHere, true, "this machine by name"},
		{"http://0.0.0.0:8080", reachable, false, "a wildcard"},
		{"https://[::]:8443", reachable, false, "a wildcard of IPv6"},
	} {
		if got, err := reachOf(c.url); got != c.want || (err == nil) != c.ok {
			t.Errorf("%s, %s: %v, %v", c.url, c.why, got, err)
		}
	}
}
