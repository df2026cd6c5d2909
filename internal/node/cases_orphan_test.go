package node

import (
	"testing"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/accounts"
	"github.com/polder-exchange/polder/internal/cases"
)

// TestOrphanedByAccounts: a case is orphaned when its lead's account is disabled, moved to manage the node, or was a token
// that no longer holds; and not before.
func TestOrphanedByAccounts(t *testing.T) {
	m := newMailed(t, nil, "carla", "lotte", "wim")
	ctx, service := t.Context(), m.Node.cases.service
	org := m.orgs["sharer"].ID
	token, _, err := m.Node.Accounts.CreateToken(ctx, accounts.Local(), accounts.NewToken{Org: org, Role: polder.RoleContributor, Name: "script"})
	ok(t, err)
	script := polder.Actor{Org: org, Token: token.ID, Name: "script", Role: polder.RoleContributor}
	for _, by := range []polder.Actor{m.people["lotte"], script} {
		_, err := service.OpenCase(ctx, by, cases.CaseNew{Title: "Of " + by.Name})
		ok(t, err)
	}
	orphaned := func(why string, want int) []cases.CaseOrphan {
		t.Helper()
		all, err := service.OrphanedCases(ctx, m.people["carla"])
		ok(t, err)
		if len(all) != want {
			t.Fatalf("%s: %d are orphaned, want %d", why, len(all), want)
		}
		return all
	}
	orphaned("everybody works", 0)
	ok(t, m.Node.Accounts.RevokeToken(ctx, accounts.Local(), token.ID))
	orphaned("the token was revoked", 1)
	ok(t, m.Node.Accounts.Disable(ctx, accounts.Local(), m.people["lotte"].Person))
	all := orphaned("and the person was disabled", 2)
	ok(t, m.Node.Accounts.Enable(ctx, accounts.Local(), m.people["lotte"].Person))
	orphaned("the person is back", 1)
	ok(t, m.Node.Accounts.Disable(ctx, accounts.Local(), m.people["lotte"].Person))
	in := cases.CaseOrphanLead{Case: all[0].Case, Person: m.people["wim"].Person, Reason: "Lotte has left"}
	if err := service.HandOver(ctx, m.people["carla"], cases.CaseOrphanLead{Case: in.Case, Person: m.people["lotte"].Person, Reason: "back to her"}); polder.KindOf(err) != polder.Invalid {
		t.Errorf("to somebody disabled: %v", err)
	}
	ok(t, service.HandOver(ctx, m.people["carla"], in))
	page, err := service.Cases(ctx, m.people["wim"], cases.CaseFilter{})
	ok(t, err)
	if len(page.Cases) != 1 || page.Cases[0].Title != "Of lotte" {
		t.Errorf("the colleague leads %+v", page.Cases)
	}
	orphaned("one was handed over", 1)
}
