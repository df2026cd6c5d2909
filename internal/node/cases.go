package node

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/cases"
	"github.com/polder-exchange/polder/internal/web"
)

// openCases opens reports, cases and their deadlines.
func (n *Node) openCases(ctx context.Context) error {
	if err := cases.Migrate(ctx, n.DB); err != nil {
		return err
	}
	secret, err := n.Accounts.NodeKey(ctx, "cases.receipts")
	if err != nil {
		return err
	}
	n.cases = cases.NewService(cases.ServiceOptions{
		DB: n.DB, Audit: n.Audit, Now: n.now, Blobs: n.blobs, Jobs: n.jobs, Accounts: casePeople{n}, Secret: secret, Log: n.log,
	})
	return nil
}

// mountCases adds the pages, the REST API and what spans pages.
func (n *Node) mountCases(site *web.Site) []web.Route {
	pages := n.cases.Pages(site)
	return append(cases.NewAPI(n.cases).Routes(), pages.Routes()...)
}

// casePeople is what [cases.Accounts] asks for.
type casePeople struct{ node *Node }

// Org is what [cases.Accounts] asks for.
func (p casePeople) Org(ctx context.Context, id polder.OrgID) (polder.Org, error) {
	return p.node.Accounts.Org(ctx, id)
}

// Doer is what [cases.Accounts] asks for.
func (p casePeople) Doer(ctx context.Context, by polder.Actor) (polder.PersonID, error) {
	if by.Person != "" || by.Token == "" {
		return by.Person, nil
	}
	t, err := p.node.Accounts.Token(ctx, by.Token)
	if err != nil || t.Maker != "" {
		return t.Maker, err
	}
	return polder.PersonID(by.Token), nil
}

// Named is what [cases.Accounts] asks for.
func (p casePeople) Named(ctx context.Context, id polder.PersonID) (string, polder.OrgID, error) {
	who, err := p.node.Accounts.Person(ctx, id)
	if !errors.Is(err, polder.ErrNotFound) {
		return who.Name, who.Org, err
	}
	t, err := p.node.Accounts.Token(ctx, polder.TokenID(id))
	return t.Name, t.Org, err
}

// Colleagues is what [cases.Accounts] asks for.
func (p casePeople) Colleagues(ctx context.Context, by polder.Actor) (out []cases.Colleague, err error) {
	people, err := p.node.Accounts.People(ctx, by, by.Org)
	for _, who := range people {
		if !who.Disabled {
			out = append(out, cases.Colleague{ID: who.ID, Name: who.Name, Role: who.Role})
		}
	}
	slices.SortFunc(out, func(a, b cases.Colleague) int { return strings.Compare(a.Name, b.Name) })
	return out, err
}
