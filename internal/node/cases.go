package node

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/cases"
	"github.com/polder-exchange/polder/internal/db"
	"github.com/polder-exchange/polder/internal/notify"
	"github.com/polder-exchange/polder/internal/web"
)

// casework is what the node runs of cases.
type casework struct {
	service  *cases.Service
	notifier *cases.Notifier // nil without a mail server
}

// caseOutboxFile holds messages about reports and deadlines that wait to be sent.
const caseOutboxFile = "cases-outbox.db"

// openCases opens reports, cases and their deadlines.
func (n *Node) openCases(ctx context.Context) error {
	if err := cases.Migrate(ctx, n.DB); err != nil {
		return err
	}
	secret, err := n.Accounts.NodeKey(ctx, "cases.receipts")
	if err != nil {
		return err
	}
	n.cases.service = cases.NewService(cases.ServiceOptions{
		DB: n.DB, Audit: n.Audit, Now: n.now, Blobs: n.blobs, Jobs: n.jobs, Accounts: casePeople{n}, Exchange: forCases{n}, Keeper: forCases{n}, Objects: forCases{n}, Shared: n.Journal, Own: n.own, Reminder: caseReminder{n}, Secret: secret, Log: n.log,
	})
	return nil
}

// openCaseNotifier sets up messages about reports and deadlines, where the node has a mail server.
func (n *Node) openCaseNotifier(ctx context.Context, site *web.Site, senders map[notify.Channel]notify.Sender) error {
	if senders[notify.ByMail] == nil {
		return nil
	}
	outbox, err := db.Open(ctx, filepath.Join(n.Dir, caseOutboxFile), db.Options{Log: n.log, Now: n.now})
	if err != nil {
		return err
	}
	n.atEnd(outbox.Close)
	n.cases.notifier = cases.NewNotifier(cases.NotifierOptions{
		Service: n.cases.service, Accounts: n.Accounts, Outbox: outbox, Site: site, URL: n.Config.address(), Senders: senders, Log: n.log,
	})
	return n.cases.notifier.Migrate(ctx)
}

// runCases does what cases do by themselves until ctx ends.
func (n *Node) runCases(ctx context.Context, all *sync.WaitGroup) {
	if n.cases.notifier != nil {
		all.Go(func() { n.cases.notifier.Run(ctx) })
	}
}

// caseReminder tells of deadlines, where there is a way to.
type caseReminder struct{ node *Node }

// Remind is what [cases.Reminder] asks for.
func (r caseReminder) Remind(tx *db.Tx, d cases.DeadlineReminder) error {
	if r.node.cases.notifier == nil {
		return nil
	}
	return r.node.cases.notifier.Remind(tx, d)
}

// helpFolder holds contacts for people who are pressed, in place of those in the binary.
const helpFolder = "help"

// mountCases adds the pages, the REST API and what spans pages.
func (n *Node) mountCases(site *web.Site) ([]web.Route, error) {
	var own []fs.FS
	if dir := filepath.Join(n.Dir, helpFolder); isFolder(dir) {
		own = append(own, os.DirFS(dir))
	}
	help, err := cases.LoadHelp(own...)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", helpFolder, err)
	}
	pages := n.cases.service.Pages(site)
	pages.SetHelp(help)
	site.AddNav(pages.Nav()...)
	site.AddCards(pages)
	site.AddPanels(pages)
	site.AddSearches(pages)
	return append(cases.NewAPI(n.cases.service).Routes(), pages.Routes()...), nil
}

func isFolder(path string) bool {
	at, err := os.Stat(path)
	return err == nil && at.IsDir()
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

// Works is what [cases.Accounts] asks for.
func (p casePeople) Works(ctx context.Context, id polder.PersonID, org polder.OrgID) (bool, error) {
	who, err := p.node.Accounts.Person(ctx, id)
	if !errors.Is(err, polder.ErrNotFound) {
		return !who.Disabled && who.Org == org && who.Role.OnObjects() >= polder.RoleReader, err
	}
	t, err := p.node.Accounts.Token(ctx, polder.TokenID(id))
	if errors.Is(err, polder.ErrNotFound) {
		return false, nil
	}
	return t.Revoked.IsZero() && (t.Expires.IsZero() || t.Expires.After(p.node.now())) && t.Org == org && t.Role.OnObjects() >= polder.RoleReader, err
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
