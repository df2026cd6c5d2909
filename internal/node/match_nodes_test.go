package node

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/accounts"
	"github.com/polder-exchange/polder/internal/audit"
)

// matchAnswer is an answer of a node's REST API.
type matchAnswer struct {
	status int
	header http.Header
	body   []byte
}

// asks sends a request of a's tools to a node's API.
func (a *afloat) asks(t testing.TB, method, path string, body []byte) matchAnswer {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, a.url+path, bytes.NewReader(body))
	ok(t, err)
	r.Header.Set("Authorization", "Bearer "+a.token)
	r.Header.Set("Content-Type", "application/json")
	res, err := http.DefaultTransport.RoundTrip(r) //house:allow http.DefaultTransport: a test's request
	ok(t, err)
	defer res.Body.Close()
	got, err := io.ReadAll(res.Body)
	ok(t, err)
	return matchAnswer{res.StatusCode, res.Header, got}
}

// matched is the last line of match-private --json.
type matched struct {
	Asked, Elements, Matched int
}

// privately asks a's own node about values, by the command.
func (a *afloat) privately(t testing.TB, set string, values ...string) (in []string, sum matched, err error) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "values")
	ok(t, os.WriteFile(file, []byte(strings.Join(values, "\n")+"\n"), 0o600))
	out, err := run(t.Context(), "match-private", "--node", a.url, "--token", a.token, "--set", set, "--seen", filepath.Join(a.dir, "..", "seen"), "--json", file)
	for line := range strings.Lines(out) {
		var one struct{ Value string }
		ok(t, json.Unmarshal([]byte(line), &one))
		if one.Value != "" {
			in = append(in, one.Value)
			continue
		}
		ok(t, json.Unmarshal([]byte(line), &sum))
	}
	return in, sum, err
}

// listed are the names of the sets that a's node lists, and the homes that it says are silent.
func (a *afloat) listed(t testing.TB) (names, silent []string) {
	t.Helper()
	var got struct {
		Sets   []struct{ Name, Home string }
		Silent []struct{ Home string }
	}
	answer := a.asks(t, http.MethodGet, "/api/v1/match/sets", nil)
	if answer.status != http.StatusOK {
		t.Fatalf("%s lists sets with %d %s", a.name, answer.status, answer.body)
	}
	ok(t, json.Unmarshal(answer.body, &got))
	for _, s := range got.Sets {
		names = append(names, s.Name+"@"+s.Home)
	}
	for _, s := range got.Silent {
		silent = append(silent, s.Home)
	}
	slices.Sort(names)
	return names, silent
}

// usedOf is what an organisation has used of the budget of a node's only set.
func (a *afloat) usedOf(t testing.TB, org polder.OrgID) (n int) {
	t.Helper()
	ok(t, a.DB.Read().QueryRowContext(t.Context(), `SELECT coalesce(sum(used), 0) FROM match_use WHERE org = ?`, string(org)).Scan(&n))
	return n
}

// asked are the entries of match.ask in a node's audit, by organisation.
func (a *afloat) askedIn(t testing.TB) (out []audit.Record) {
	t.Helper()
	out, err := a.Audit.List(t.Context(), audit.Filter{Viewer: polder.Actor{Org: a.org.ID, Role: polder.RoleSteward}, Action: "match.ask", Limit: 100})
	ok(t, err)
	return out
}

// TestS31MatchAcrossNodes: a member asks its own node, which passes blinded elements to the home of the community. The
// answer is right; the home learns how much was asked and by which organisation, and no value; neither does the member's
// node keep one. The budget is the organisation's, whoever of it asks.
func TestS31MatchAcrossNodes(t *testing.T) {
	hub, maker := newAfloat(t, "Hub"), newAfloat(t, "Maker")
	c := hub.community(t, "Chips")
	wire := newStrait(t, hub.addr)
	link := joins(t, hub, maker, c, wire.url())
	file := filepath.Join(t.TempDir(), "sealed")
	var sealed []string
	for n := range 300 {
		sealed = append(sealed, fmt.Sprintf("kwade-server-%d.example", n))
	}
	ok(t, os.WriteFile(file, []byte(strings.Join(sealed, "\n")), 0o600))
	publish := func(budget string) {
		hub.command(t, nil, "match-set", "publish", "--data", hub.dir, "--org", string(hub.org.ID), "--community", c.Alias, "--name", "sealed", "--type", "domain", "--budget", budget, file)
	}
	publish("2000")
	until(t, "the link is live", func() bool { return maker.linkAt(t, link.Link).Live() })

	// Before fingerprints were compared, sets are nobody's.
	if got := maker.asks(t, http.MethodGet, "/api/v1/match/sets/sealed", nil); got.status != http.StatusForbidden {
		t.Errorf("before the fingerprint is confirmed a set is described with %d %s", got.status, got.body)
	}
	ok(t, hub.federation.peers.Confirm(t.Context(), accounts.Local(), link.Link, link.OwnFingerprint))
	until(t, "the set is listed at the member", func() bool { names, _ := maker.listed(t); return slices.Equal(names, []string{"sealed@Hub"}) })

	// The answer.
	in, sum, err := maker.privately(t, "sealed", "kwade-server-7.example", "eigen-klant-van-maker.example", "kwade-server-299.example", "kwade-server-300.example")
	ok(t, err)
	if want := []string{"kwade-server-7.example", "kwade-server-299.example"}; !slices.Equal(in, want) || sum.Elements != 16 || sum.Matched != 2 {
		t.Errorf("in the set: %q, %+v; want %q of 16 elements", in, sum, want)
	}

	// What each side holds.
	if n := hub.usedOf(t, maker.org.ID); n != 16 {
		t.Errorf("the home counted %d elements of the member, want 16", n)
	}
	if n := maker.usedOf(t, maker.org.ID); n != 0 {
		t.Errorf("the member's node counted %d elements against a budget that is the home's", n)
	}
	if got := maker.askedIn(t); len(got) != 1 || got[0].Detail["elements"] != "16" || got[0].Token == "" {
		t.Errorf("the member's audit: %+v", got)
	}
	for _, a := range []*afloat{hub, maker} {
		a.tellsNothingOf(t, "eigen-klant-van-maker", "kwade-server-300")
	}
	maker.tellsNothingOf(t, "kwade-server-7.")

	matchEpochsAcross(t, hub, maker)
	matchBudgetAcross(t, hub, maker, publish)
	matchUnreachable(t, hub, maker, wire, publish)
}

// tellsNothingOf looks for words in a node's database and log.
func (a *afloat) tellsNothingOf(t testing.TB, words ...string) {
	t.Helper()
	for _, name := range []string{"polder.db", "polder.db-wal"} {
		b, err := os.ReadFile(filepath.Join(a.dir, name))
		if err != nil && !os.IsNotExist(err) {
			t.Fatal(err)
		}
		for _, w := range words {
			if bytes.Contains(b, []byte(w)) {
				t.Errorf("%s of %s holds %q", name, a.name, w)
			}
		}
	}
	for _, w := range words {
		if strings.Contains(a.log.String(), w) {
			t.Errorf("the log of %s holds %q", a.name, w)
		}
	}
}

// matchEpochsAcross: epochs and page of a set of the home at the member; names that are none.
func matchEpochsAcross(t *testing.T, hub, maker *afloat) {
	for _, path := range []string{"/api/v1/match/sets/sealed", "/api/v1/match/sets/sealed/epochs", "/api/v1/match/sets/sealed/filter"} {
		here, there := hub.asks(t, http.MethodGet, path, nil), maker.asks(t, http.MethodGet, path, nil)
		if here.status != http.StatusOK || there.status != http.StatusOK || path != "/api/v1/match/sets/sealed" && !bytes.Equal(here.body, there.body) {
			t.Errorf("%s: %d %.300s at the home, %d %.300s at the member", path, here.status, here.body, there.status, there.body)
		}
	}
	if got := maker.asks(t, http.MethodGet, "/match", nil); got.status != http.StatusOK || !bytes.Contains(got.body, []byte("sealed")) || !bytes.Contains(got.body, []byte("at Hub")) {
		t.Errorf("the member's page: %d %.200s", got.status, got.body)
	}
	for _, name := range []string{"nothing", "set--00000000000000000000000000000000"} {
		if got := maker.asks(t, http.MethodGet, "/api/v1/match/sets/"+name, nil); got.status != http.StatusNotFound {
			t.Errorf("the set %s: %d %s", name, got.status, got.body)
		}
	}
	wrong := maker.asks(t, http.MethodPost, "/api/v1/match/sets/sealed/evaluate", []byte(`{"epoch":1,"elements":["AAAA"]}`))
	if wrong.status != http.StatusBadRequest {
		t.Errorf("a batch of one: %d %s", wrong.status, wrong.body)
	}
}

// matchBudgetAcross: a second person's token of the organisation, asking by the API, finds what the first left.
func matchBudgetAcross(t *testing.T, hub, maker *afloat, publish func(string)) {
	publish("32") // 16 of them are used
	_, _, err := maker.privately(t, "sealed", "een.example")
	if err == nil || hub.usedOf(t, maker.org.ID) != 32 {
		t.Errorf("the second batch: %v, %d used, want none matched and 32", err, hub.usedOf(t, maker.org.ID))
	}
	_, token, err := maker.Accounts.CreateToken(t.Context(), accounts.Local(), accounts.NewToken{Org: maker.org.ID, Role: polder.RoleReader, Name: "another"})
	ok(t, err)
	first := maker.token
	maker.token = token
	defer func() { maker.token = first }()
	_, _, err = maker.privately(t, "sealed", "twee.example")
	if err == nil || !strings.Contains(err.Error(), "32 elements") || hub.usedOf(t, maker.org.ID) != 32 {
		t.Errorf("over the budget by another token: %v", err)
	}
	var d struct{ Epoch uint64 }
	ok(t, json.Unmarshal(maker.asks(t, http.MethodGet, "/api/v1/match/sets/sealed", nil).body, &d))
	body, err := json.Marshal(map[string]any{"epoch": d.Epoch, "elements": make([][]byte, 16)})
	ok(t, err)
	got := maker.asks(t, http.MethodPost, "/api/v1/match/sets/sealed/evaluate", body)
	if wait, err := strconv.Atoi(got.header.Get("Retry-After")); got.status != http.StatusTooManyRequests || err != nil || wait < 80_000 || wait > 86_400 {
		t.Errorf("over the budget: %d, Retry-After %q, %s", got.status, got.header.Get("Retry-After"), got.body)
	}
}

// matchUnreachable: without the home there are words, not waiting; what an old epoch says is not answered after it.
func matchUnreachable(t *testing.T, hub, maker *afloat, wire *strait, publish func(string)) {
	before := maker.asks(t, http.MethodGet, "/api/v1/match/sets/sealed/filter", nil).body
	publish("5000")
	if after := maker.asks(t, http.MethodGet, "/api/v1/match/sets/sealed/filter", nil).body; len(after) == 0 || bytes.Equal(before, after) {
		t.Error("the filter of an epoch that is over is handed out")
	}
	wire.shut.Store(true)
	wire.cut()
	until(t, "the home is silent", func() bool { _, silent := maker.listed(t); return slices.Equal(silent, []string{"Hub"}) })
	got := maker.asks(t, http.MethodGet, "/api/v1/match/sets/sealed", nil)
	if got.status != http.StatusServiceUnavailable || !strings.Contains(string(got.body), "Hub") {
		t.Errorf("without the home: %d %s", got.status, got.body)
	}
	wire.shut.Store(false)
}
