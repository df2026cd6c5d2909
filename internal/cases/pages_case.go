package cases

import (
	"context"
	"net/http"
	"time"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/web"
)

const (
	caseUploadTime = 20 * time.Minute
	caseFormBytes  = 1 << 20
)

func (p *Pages) caseRoutes() []web.Route {
	route := func(method, pattern, exit string, need web.Need, h web.Handler) web.Route {
		return web.Route{Method: method, Pattern: pattern, Need: need, Exit: "cases." + exit, Handler: h.Serve}
	}
	upload := route("POST", "/cases/{id}/{page}/{item}/{act}", "case.upload", web.Reader, p.caseActPage)
	upload.MaxBody, upload.Timeout = MaxEvidence+caseFormBytes, caseUploadTime
	download := route("POST", "/cases/{id}/{page}", "case", web.Reader, p.caseSubPage)
	download.Timeout = caseUploadTime
	return []web.Route{
		route("GET", "/cases", "list", web.Reader, p.caseList),
		route("POST", "/cases/find", "list", web.Reader, p.caseList),
		route("GET", "/cases/new", "new", web.Contributor, p.caseNew),
		route("POST", "/cases/new", "new", web.Contributor, p.openCase),
		route("GET", "/cases/settings", "settings", web.Reader, p.caseSettingsPage),
		route("POST", "/cases/settings", "settings", web.Steward, p.setCaseSettings),
		route("POST", "/cases/release", "report.release", web.Contributor, p.releaseReport),
		route("POST", "/cases/orphaned", "orphaned", web.Steward, p.handOverCase),
		route("GET", "/cases/border", "border", web.Reader, p.caseBorder),
		route("POST", "/cases/border", "border", web.Steward, p.setCaseBorder),
		route("GET", "/cases/shared", "shared", web.Reader, p.caseShared),
		route("GET", "/cases/shared/{key}", "shared.case", web.Reader, p.caseSharedOne),
		route("POST", "/cases/shared/{key}", "shared.case", web.Contributor, p.caseReply),
		route("GET", "/cases/{id}", "case", web.Reader, p.casePage),
		route("GET", "/cases/{id}/{page}", "case", web.Reader, p.caseSubPage),
		download,
		route("GET", "/cases/{id}/{page}/{item}", "case.item", web.Reader, p.caseItemPage),
		route("POST", "/cases/{id}/{page}/{item}", "case.item", web.Reader, p.caseItemPage),
		upload,
	}
}

// casePair is what a page of a case shows, and what its form does; either may be nil.
type casePair struct{ get, post web.Handler }

func (c casePair) serve(w http.ResponseWriter, r *http.Request) error {
	h := c.get
	if r.Method == http.MethodPost {
		h = c.post
	}
	if h == nil {
		return polder.Errorf(polder.NotFound, "there is no such page of a case")
	}
	return h(w, r)
}

// caseSubPage is a page of one case, by its name. Pages of other things stand beside cases under /cases, so the names are
// not patterns of their own; each page asks the service what the reader may do.
func (p *Pages) caseSubPage(w http.ResponseWriter, r *http.Request) error {
	return map[string]casePair{
		"edit":    {p.caseEdit, p.changeCase},
		"status":  {p.caseStatusPage, p.setCaseStatus},
		"archive": {post: p.archiveCase},
		"members": {p.caseMembers, p.setCaseMember},
		"leave":   {post: p.removeCaseMember},
		"jewels":  {p.caseJewels, p.touchCaseJewels},
		"damage":  {p.caseDamage, p.assessCaseDamage},
		"history": {get: p.caseHistory},
		"export":  {p.caseExport, p.exportCase},
		"release": {p.caseRelease, p.releaseCase},
		"sharing": {p.caseSharing, p.shareCase},
		"stop":    {post: p.stopSharing},
		"bring":   {post: p.bringShared},
		"tell":    {p.caseTell, p.tellContacts},
	}[r.PathValue("page")].serve(w, r)
}

// caseItemPage is a page of something in a case.
func (p *Pages) caseItemPage(w http.ResponseWriter, r *http.Request) error {
	return map[string]casePair{
		"add":   {p.caseAdd, p.addCaseItem},
		"all":   {get: p.caseAll},
		"items": {p.caseItem, p.changeCaseItem},
	}[r.PathValue("page")].serve(w, r)
}

// caseActPage does something with an item, and takes the files of evidence. Only those may be long.
func (p *Pages) caseActPage(w http.ResponseWriter, r *http.Request) error {
	page, act := r.PathValue("page"), r.PathValue("act")
	if page == "add" && act == "file" {
		return p.addCaseFile(w, r)
	}
	r.Body = http.MaxBytesReader(w, r.Body, caseFormBytes)
	acts := map[string]web.Handler{"done": p.finishCaseTask, "strike": p.strikeCaseItem, "erase": p.eraseCaseItem, "custody": p.addCaseCustody, "file": p.openCaseFile}
	if h := acts[act]; page == "items" && h != nil {
		return h(w, r)
	}
	return polder.Errorf(polder.NotFound, "there is no such page of a case")
}

// Nav are the entries of the rail.
func (p *Pages) Nav() []web.NavItem {
	return []web.NavItem{
		{Group: web.Respond, Key: "c", Path: "/cases", Icon: "flag", Title: "cases.nav", Need: web.Reader, Order: 1, Count: p.caseDueCount},
		{Group: web.Respond, Path: "/cases/reports", Icon: "bell", Title: "cases.nav.reports", Need: web.Reader, Order: 2, Count: p.caseReportCount},
		{Group: web.Respond, Key: "r", Path: "/report", Icon: "doc", Title: "cases.nav.report", Need: web.Public, Order: 40},
	}
}

// caseCrumbs is the way to a page of one case.
func caseCrumbs(words web.Words, c CaseView) []web.Link {
	return []web.Link{{Text: words.T("cases.nav"), Href: "/cases"}, {Text: web.Clip(caseTitle(words, c), 60), Href: casePath("/cases", string(c.ID))}}
}

// casesNamed says who people and organisations are, asking about each once.
type casesNamed struct {
	ctx    context.Context
	from   Accounts
	words  web.Words
	people map[polder.PersonID]string
	orgs   map[polder.OrgID]string
}

func (p *Pages) caseNames(ctx context.Context, words web.Words) *casesNamed {
	return &casesNamed{ctx, p.o.Accounts, words, map[polder.PersonID]string{}, map[polder.OrgID]string{}}
}

// org is the name of an organisation; one that is gone is said to be.
func (n *casesNamed) org(id polder.OrgID) string {
	if id == "" {
		return ""
	}
	if _, asked := n.orgs[id]; !asked {
		o, err := n.from.Org(n.ctx, id)
		if n.orgs[id] = o.Name; err != nil || o.Name == "" {
			n.orgs[id] = n.words.T("cases.gone-org")
		}
	}
	return n.orgs[id]
}

// person is the name of somebody, or of the organisation where the person is of another one, whose people it does not name.
func (n *casesNamed) person(id polder.PersonID, org polder.OrgID) string {
	if id == "" {
		return caseOr(n.org(org), n.words.T("cases.somebody"))
	}
	if _, asked := n.people[id]; !asked {
		name, _, err := n.from.Named(n.ctx, id)
		if n.people[id] = name; err != nil || name == "" {
			n.people[id] = n.words.T("cases.gone-person")
		}
	}
	return n.people[id]
}
