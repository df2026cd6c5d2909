package members

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/accounts"
)

// X10: an invitation shows the agreement, a named person accepts it, and then there is sight; once.
func TestX10Invitation(t *testing.T) {
	w := newWorld(t)
	link := "http://polder.example/join#" + w.ids["invitation-text"]
	page := w.ask(t, "foreign", http.MethodPost, "/join", url.Values{"invitation": {link}}.Encode())
	for _, want := range []string{"Chip supply chain", "Members share what they know", "Foreign Jansen accepted it", `name="version" value="1"`} {
		if !strings.Contains(page.body, want) {
			t.Errorf("the invitation does not show %q", want)
		}
	}
	if strings.Contains(page.body, "Okular Optik") {
		t.Error("an invitation tells who the members are before it is accepted")
	}
	old := w.ask(t, "foreign", http.MethodPost, "/join/accept", "invitation={invitation-text}&version=7")
	if old.StatusCode != http.StatusConflict {
		t.Errorf("a version that was not shown is accepted: %d", old.StatusCode)
	}
	done := w.ask(t, "foreign", http.MethodPost, "/join/accept", "invitation={invitation-text}&version=1")
	if done.to() != "/communities/chip-supply-chain" || strings.Contains(done.Header.Get("Location"), "polderinvite") {
		t.Fatalf("accepting answers %d to %s", done.StatusCode, done.Header.Get("Location"))
	}
	if !strings.Contains(w.get(t, "foreign", done.to()), "Okular Optik") {
		t.Error("the new member does not see the members")
	}
	if a := w.ask(t, "maas", http.MethodPost, "/join", "invitation={invitation-text}"); a.StatusCode != http.StatusBadRequest || !strings.Contains(a.body, "unknown, used, withdrawn") {
		t.Errorf("a used invitation answers %d", a.StatusCode)
	}
	for _, code := range []string{"", "polderinvite_x", "%00", "https://polder.example/join#polderinvite_aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"} {
		if a := w.ask(t, "maas", http.MethodPost, "/join", url.Values{"invitation": {code}}.Encode()); a.StatusCode != http.StatusBadRequest {
			t.Errorf("invitation %q answers %d", code, a.StatusCode)
		}
	}
}

// X10: a request, its answer, and what the organisation reads of it.
func TestX10Request(t *testing.T) {
	w := newWorld(t)
	if a := w.ask(t, "steward", http.MethodGet, "/join/request?community=none", ""); a.StatusCode != http.StatusBadRequest || !strings.Contains(a.body, "no community “none”") {
		t.Errorf("a community that is none answers %d", a.StatusCode)
	}
	if page := w.get(t, "steward", "/communities/chip-supply-chain"); !strings.Contains(page, "May we join?") {
		t.Error("the steward does not read the request")
	}
	if page := w.get(t, "contributor", "/communities/chip-supply-chain"); strings.Contains(page, "May we join?") || strings.Contains(page, "Bankenveste") {
		t.Error("a contributor reads a request")
	}
	w.ask(t, "steward", http.MethodPost, "/communities/chip-supply-chain/requests/{request}/refuse", "reason-{request}=Not+our+chain")
	if page := w.get(t, "foreign", "/communities"); !strings.Contains(page, "Not our chain") || !strings.Contains(page, "Refused") {
		t.Error("the organisation does not read why")
	}
	w.ask(t, "foreign", http.MethodPost, "/join/request", "community=chip-supply-chain&version=1&accept=yes&message=Again")
	requests, err := w.store.Accounts.OwnRequests(t.Context(), w.actor(t, "foreign"))
	if err != nil || len(requests) != 2 || requests[0].State != accounts.RequestOpen || requests[0].Version != 1 {
		t.Fatalf("requests %+v, %v", requests, err)
	}
	w.ids["again"] = string(requests[0].ID)
	w.ask(t, "steward", http.MethodPost, "/communities/chip-supply-chain/requests/{again}/approve", "")
	if page := w.get(t, "foreign", "/communities/chip-supply-chain"); !strings.Contains(page, "Klepwerk") {
		t.Error("an approved request whose asker accepted the agreement gives no sight")
	}
	if a := w.ask(t, "steward", http.MethodPost, "/communities/chip-supply-chain/requests/{again}/approve", ""); a.StatusCode != http.StatusNotFound {
		t.Errorf("a request is approved twice: %d", a.StatusCode)
	}
}

// X10: no sight of the members before the agreement is accepted, nor after it was asked for anew.
func TestX10NoSightBeforeAcceptance(t *testing.T) {
	w := newWorld(t)
	page := w.get(t, "maas", "/communities/chip-supply-chain")
	if !strings.Contains(page, "Accept for my organisation") || strings.Contains(page, "Klepwerk") {
		t.Error("a member that has not accepted sees the members, or not the agreement")
	}
	if a := w.ask(t, "maas", http.MethodGet, "/api/v1/communities/chip-supply-chain/members", ""); a.StatusCode != http.StatusForbidden {
		t.Errorf("the API answers %d", a.StatusCode)
	}
	if home := w.get(t, "maas", "/"); !strings.Contains(home, "The agreement of Chip supply chain waits") {
		t.Error("the first page does not say what waits")
	}
	w.ask(t, "maas", http.MethodPost, "/communities/chip-supply-chain/accept", "version=1")
	if !strings.Contains(w.get(t, "maas", "/communities/chip-supply-chain"), "Klepwerk") || w.get(t, "maas", "/") != "the overview" {
		t.Error("acceptance gives no sight")
	}
	if a := w.ask(t, "steward", http.MethodPost, "/communities/chip-supply-chain/agreement", "text=&anew=no"); a.StatusCode != http.StatusBadRequest {
		t.Errorf("an empty agreement answers %d", a.StatusCode)
	}
	w.ask(t, "steward", http.MethodPost, "/communities/chip-supply-chain/agreement", "text=Another+one&anew=yes")
	if page := w.get(t, "contributor", "/communities/chip-supply-chain"); strings.Contains(page, "Okular Optik") || !strings.Contains(page, "Another one") {
		t.Error("a new version that everybody has to accept does not end sight")
	}
	if page := w.get(t, "reader", "/communities/chip-supply-chain"); strings.Contains(page, "Accept for my organisation") {
		t.Error("a reader is offered to accept")
	}
}

func TestMembersAndLeaving(t *testing.T) {
	w := newWorld(t)
	page := w.get(t, "steward", "/communities/chip-supply-chain/members/{optik}")
	if !strings.Contains(page, "administrator") || !strings.Contains(page, "Version 1") {
		t.Error("the member's page does not say who accepted what")
	}
	w.ask(t, "steward", http.MethodPost, "/communities/chip-supply-chain/members/{optik}/role", "role=reader")
	members, err := w.store.Accounts.Members(t.Context(), polder.CommunityID(w.ids["chips"]))
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range members {
		if string(m.Org) == w.ids["optik"] && m.Role != polder.RoleReader {
			t.Errorf("the role is %s", m.Role)
		}
	}
	w.ask(t, "steward", http.MethodPost, "/communities/chip-supply-chain/members/{optik}/remove", "")
	if strings.Contains(w.get(t, "steward", "/organisations"), "Okular Optik") {
		t.Error("who was removed is still a neighbour")
	}
	if a := w.ask(t, "steward", http.MethodPost, "/communities/chip-supply-chain/leave", ""); a.to() != "/communities" {
		t.Errorf("leaving answers %d", a.StatusCode)
	}
	if a := w.ask(t, "steward", http.MethodGet, "/communities/chip-supply-chain", ""); a.StatusCode != http.StatusNotFound {
		t.Errorf("who has left gets %d", a.StatusCode)
	}
}

func TestAPIMembers(t *testing.T) {
	w := newWorld(t)
	var got struct {
		Community string
		Members   []map[string]any
	}
	if err := json.Unmarshal([]byte(w.get(t, "reader", "/api/v1/communities/{chips}/members")), &got); err != nil {
		t.Fatal(err)
	}
	if got.Community != "chip-supply-chain" || len(got.Members) != 3 {
		t.Fatalf("members: %+v", got)
	}
	for _, m := range got.Members {
		for _, name := range []string{"id", "name", "role", "since", "accepted"} {
			if m[name] == nil {
				t.Errorf("a member without %s: %v", name, m)
			}
		}
		if m["widest_tlp"] != nil {
			t.Error("how wide an organisation may share is told to others")
		}
	}
}

// The first page says what to do, until there is something to see.
func TestHome(t *testing.T) {
	w := newWorld(t)
	for who, want := range map[string]string{"reader": "the overview", "steward": "the overview", "foreign": "the overview", "admin": "the overview"} {
		if got := w.get(t, who, "/"); got != want {
			t.Errorf("%s reads %.60q", who, got)
		}
	}
	s := newShell(t)
	st, err := openFolder(t.Context(), s.dir, false)
	if err != nil {
		t.Fatal(err)
	}
	defer st.Close()
	n := &world{store: st, ids: map[string]string{}, cookies: map[string]string{}, from: w.from}
	n.serve(t)
	first, err := st.Accounts.ResetPassword(t.Context(), accounts.Local(), must[[]accounts.Person](t)(st.Accounts.People(t.Context(), accounts.Local(), ""))[0].ID)
	if err != nil {
		t.Fatal(err)
	}
	people := must[[]accounts.Person](t)(st.Accounts.People(t.Context(), accounts.Local(), ""))
	n.enter(t, "admin", people[0], first)
	page := n.get(t, "admin", "/")
	if !strings.Contains(page, "Add a community") || strings.Count(page, `class="now"`) != 1 {
		t.Errorf("a new node does not say what to do first")
	}
	n.ask(t, "admin", http.MethodPost, "/communities", "name=Chips&unmarked=refuse")
	if page := n.get(t, "admin", "/"); strings.Count(page, `<li class="ok">`) != 1 {
		t.Error("what is done is not marked")
	}
}
