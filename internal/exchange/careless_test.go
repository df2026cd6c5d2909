package exchange

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/accounts"
	"github.com/polder-exchange/polder/stix"
)

// TestS12Careless: a text that tells what its sharer keeps closer is held until the sharer confirms.
func TestS12Careless(t *testing.T) {
	w := newWorld(t)
	ctx := context.Background()
	a, b := w.as("a", polder.RoleContributor), w.as("b", polder.RoleContributor)
	for _, p := range []accounts.NewPerson{
		{Org: w.orgs["a"].ID, Email: "wil.van.dijk@optics.example", Name: "Wil van Dijk", Role: polder.RoleReader},
		{Org: w.orgs["a"].ID, Email: "someone@gmail.com", Name: "Bo", Role: polder.RoleReader},
	} {
		_, _, err := w.accounts.AddPerson(ctx, accounts.Local(), p)
		ok(t, err)
	}
	hash := strings.Repeat("0f", 32)
	w.share(a, Request{Objects: one(
		onPattern(1, stix.Red, "Kept", "[domain-name:value = 'kept.example.com']"),
		onPattern(2, stix.Amber, "Address", "[ipv4-addr:value = '203.0.113.66']"),
		onPattern(3, stix.Amber, "Hash", "[file:hashes.'SHA-256' = '"+hash+"']"),
		onPattern(4, stix.Amber, "Open too", "[domain-name:value = 'open.example.com']"),
		onPattern(5, stix.Green, "Open", "[domain-name:value = 'open.example.com']"),
		onPattern(6, stix.Amber, "Mail", "[email-addr:value = 'boss@kept.example.net']"),
		onPattern(7, stix.Amber, "Page", "[url:value = 'https://kept.example.org/a']"),
		onPattern(8, stix.Amber, "No such end", "[domain-name:value = 'build7.fab']"),
	)})
	w.share(b, Request{Objects: one(onPattern(9, stix.Red, "Of another", "[domain-name:value = 'others.example.com']"))})
	mitre := `,"created_by_ref":"identity--c78cb6e5-0c4b-4611-8297-d1b8b55e40b5"`
	n := 100
	for _, c := range []struct {
		text  string
		more  string
		level stix.Marking
		want  string // in the reason or value; "" is not held
		why   string
	}{
		{"calls kept[.]example[.]com at night", "", stix.Green, "kept.example.com", "a value of an own RED object, defanged"},
		{"calls KEPT.example.com.", "", stix.Amber, "TLP:RED", "in any spelling, at any wider level"},
		{"calls kept.example.com", "", stix.Red, "", "as strict as the object itself"},
		{"it came from 203.0.113.66, then stopped", "", stix.Green, "203.0.113.66", "an address"},
		{"file " + hash, "", stix.Clear, hash, "a hash"},
		{"wrote as boss@kept.example.net", "", stix.Green, "boss@kept.example.net", "a mail address"},
		{"see https://kept.example.org/a .", "", stix.Green, "https://kept.example.org/a", "a URL"},
		{"ran on build7.fab last week", "", stix.Green, "build7.fab", "a name under no public ending"},
		{"https://kept.example.com/x", "", stix.Green, "kept.example.com", "the host of a URL"},
		{"calls open.example.com", "", stix.Green, "", "shared as GREEN already"},
		{"calls others.example.com", "", stix.Green, "", "another's RED is not told, not even by a warning"},
		{"calls unkept.example.com", "", stix.Green, "", "a whole value, not a part of one"},
		{"asked Wil  van Dijk about it", "", stix.Green, "wil van dijk", "one of one's own people"},
		{"asked Wil van Dijken about it", "", stix.Green, "", "whole words only"},
		{"Bo knows", "", stix.Green, "", "a name that is too short to mean anybody"},
		{"mail to info@optics.example", "", stix.Green, "own mail domain", "one's own mail domain"},
		{"seen on vpn.optics.example", "", stix.Green, "own mail domain", "a host in it"},
		{"mail to x@gmail.com", "", stix.Green, "", "everybody's mail domain"},
		{"seen on dc01.corp and printer.local", "", stix.Green, "inner network", "inner suffixes"},
		{"calls kept.example.com", mitre, stix.Green, "", "another's finished object is not the sharer's text"},
		{"An ordinary sentence. It ends.", "", stix.Green, "", "nothing"},
	} {
		n++
		raw := object("report", n, c.level, fmt.Sprintf(`"name":"R","description":%q,"published":"2026-01-01T00:00:00Z","object_refs":["indicator--00000000-0000-4000-8000-000000000001"]%s`, c.text, c.more))
		got, err := w.Share(ctx, a, Request{Community: w.where.Alias, Objects: one(raw)})
		ok(t, err)
		told := fmt.Sprint(got.Warnings)
		if got.Waits() != (c.want != "") || c.want != "" && !strings.Contains(told, c.want) {
			t.Errorf("%s as %s: waits %v, %s; want %q (%s)", c.text, c.level, got.Waits(), told, c.want, c.why)
		}
		if !got.Waits() {
			continue
		}
		got, err = w.Share(ctx, a, Request{Community: w.where.Alias, Objects: one(raw), Confirmed: true})
		ok(t, err)
		if got.Stored != 1 {
			t.Errorf("%s: confirmed, and stored %d", c.text, got.Stored)
		}
		again, err := w.Share(ctx, a, Request{Community: w.where.Alias, Objects: one(raw)})
		ok(t, err)
		if again.Waits() || again.Duplicates != 1 {
			t.Errorf("%s: what is held already waits again: %+v", c.text, again)
		}
	}
}

// TestCarelessWithin: the stricter object may come in the same share.
func TestCarelessWithin(t *testing.T) {
	w := newWorld(t)
	got := w.share(w.as("a", polder.RoleContributor), Request{Objects: one(
		onPattern(1, stix.Red, "Kept", "[domain-name:value = 'kept.example.com']"),
		object("report", 2, stix.Green, `"name":"R","description":"calls kept.example.com","published":"2026-01-01T00:00:00Z","object_refs":["indicator--00000000-0000-4000-8000-000000000001"]`))})
	if !got.Waits() || got.Stored != 0 {
		t.Errorf("got %+v", got)
	}
}

// TestHarmlessWarned (X22): an indicator on what must never become a block is told, and waits for nobody.
func TestHarmlessWarned(t *testing.T) {
	w := newWorld(t)
	got := w.share(w.as("a", polder.RoleContributor), Request{Preview: true, Objects: one(
		onPattern(1, stix.Green, "Private", "[ipv4-addr:value = '10.0.0.1']"),
		onPattern(2, stix.Green, "Resolver", "[ipv4-addr:value = '8.8.8.8']"),
		onPattern(3, stix.Green, "Right", "[domain-name:value = 'bad.example.com']"),
		onPattern(4, stix.Green, "Both", "[ipv4-addr:value = '10.0.0.1' AND file:name = 'x']"))})
	var values []string
	for _, x := range got.Warnings {
		if x.Held {
			t.Errorf("%+v is held", x)
		}
		values = append(values, x.Value)
	}
	if fmt.Sprint(values) != "[10.0.0.1 8.8.8.8]" {
		t.Errorf("warned of %v: %+v", values, got.Warnings)
	}
}

// TestFirstAdministratorIsNobody: the first log-in of a node is called by its task, and that word is in every other text.
func TestFirstAdministratorIsNobody(t *testing.T) {
	w := newWorld(t)
	ctx := context.Background()
	host, err := w.accounts.Host(ctx)
	ok(t, err)
	_, err = w.accounts.Join(ctx, accounts.Local(), w.where.ID, host.ID, polder.RoleContributor)
	ok(t, err)
	token, _, err := w.accounts.CreateToken(ctx, accounts.Local(), accounts.NewToken{Org: host.ID, Role: polder.RoleContributor, Name: "tools"})
	ok(t, err)
	res := w.share(polder.Actor{Org: host.ID, Token: token.ID, Role: polder.RoleContributor}, Request{Level: stix.Green, Objects: one(
		[]byte(`{"type":"note","spec_version":"2.1","id":"note--5e1a3c7d-2b4f-4a6c-8e9d-0f1a2b3c4d5e","created":"2026-11-01T10:00:00.000Z","modified":"2026-11-01T10:00:00.000Z","content":"They logged in as administrator.","object_refs":["indicator--5e1a3c7d-2b4f-4a6c-8e9d-0f1a2b3c4d5f"]}`))})
	if res.Stored == 0 {
		t.Errorf("held: %+v", res.Warnings)
	}
}
