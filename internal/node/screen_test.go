package node

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/polder-exchange/polder/internal/accounts"
)

// asked is an answer about one party.
type asked struct {
	Hits []struct {
		ID, List string
		Score    float64
	}
	Lists []struct{ Name, Date, SHA256 string }
}

// screens asks about a party; an answer that there is no list to ask is an empty one.
func (p *place) screens(t *testing.T, as, name string) (out asked, text string) {
	t.Helper()
	a := p.ask(ask{as: as, path: "/api/v1/screen?name=" + url.QueryEscape(name)})
	if a.status == http.StatusConflict {
		return out, a.body
	}
	if a.status != http.StatusOK || json.Unmarshal([]byte(a.body), &out) != nil {
		t.Fatalf("%s asks about %s: %d %s", as, name, a.status, a.body)
	}
	return out, a.body
}

// post sends a body as a token.
func (p *place) post(t *testing.T, as, path, kind, body string, status int) string {
	t.Helper()
	a := p.ask(ask{as: as, method: "POST", path: path, kind: kind, body: body})
	if a.status != status {
		t.Fatalf("POST %s by %s: %d %s, want %d", path, as, a.status, a.body, status)
	}
	return a.body
}

const (
	suspects = "id,name,type\n7,Severny Vakuum Tekhnika,company\n8,Borealis Kristal,company\n"
	sharing  = `{"community":"ring","tlp":"amber"}`
)

// TestScreenSharedLists: an organisation's own list is asked by nobody else until it shares it; then by the members that
// policy lets see it, from the next question on, without a word of whose it is; and what it takes back is gone.
func TestScreenSharedLists(t *testing.T) {
	p := newPlace(t)
	importing, share := "/api/v1/screen/lists?name=suspects&file=suspects.csv", "/api/v1/screen/lists/suspects/share"
	p.post(t, "stew", importing, "application/octet-stream", suspects, http.StatusCreated)
	meets := func(why, as, name, list string) {
		t.Helper()
		got, text := p.screens(t, as, name)
		if list == "" && len(got.Hits) > 0 || list != "" && (len(got.Hits) != 1 || got.Hits[0].List != list) {
			t.Errorf("%s: %s asks about %s and meets %+v, want %q", why, as, name, got.Hits, list)
		}
		for _, word := range []string{"Rentmeester", string(p.orgs["stew"].ID)} {
			if as != "stew" && strings.Contains(text, word) {
				t.Errorf("%s: %s reads whose list it is: %s", why, as, text)
			}
		}
	}
	meets("its own", "stew", "Severny Vakuum Tekhnika", "suspects")
	meets("not shared", "plain", "Severny Vakuum Tekhnika", "")

	p.post(t, "plain", share, jsonKind, sharing, http.StatusNotFound)
	p.post(t, "reader", share, jsonKind, sharing, http.StatusForbidden)
	p.post(t, "foreign", share, jsonKind, sharing, http.StatusNotFound)
	if got := p.post(t, "stew", share, jsonKind, sharing, http.StatusOK); !strings.Contains(got, `"new":2`) {
		t.Errorf("sharing said %s", got)
	}
	meets("shared", "plain", "Severny Vakuum Tekhnika", "ring/suspects")
	meets("shared, to a member that is still there", "left", "Borealis Kristal", "ring/suspects")
	meets("shared elsewhere", "foreign", "Severny Vakuum Tekhnika", "")
	if got := p.post(t, "stew", share, jsonKind, sharing, http.StatusOK); !strings.Contains(got, `"new":0,"changed":0,"same":2`) {
		t.Errorf("sharing the same again said %s", got)
	}

	ok(t, p.Accounts.Leave(context.Background(), accounts.Local(), p.ring.ID, p.orgs["left"].ID))
	meets("after it left", "left", "Borealis Kristal", "")

	p.post(t, "stew", importing, "application/octet-stream", strings.Replace(suspects, "8,Borealis Kristal,company\n", "", 1), http.StatusCreated)
	if got := p.post(t, "stew", share, jsonKind, sharing, http.StatusOK); !strings.Contains(got, `"withdrawn":1`) {
		t.Errorf("sharing a shorter list said %s", got)
	}
	meets("taken back", "plain", "Borealis Kristal", "")
	meets("not taken back", "plain", "Severny Vakuum Tekhnika", "ring/suspects")
}
