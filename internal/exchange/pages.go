package exchange

import (
	"context"
	"embed"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/web"
)

//go:embed templates locale
var pageFiles embed.FS

// Part is what this capability brings to the console.
func Part() web.Part { return web.Part{Name: "exchange", Files: pageFiles} }

// Pages are the console pages of the exchange. They decide nothing: each asks the service and the journal, by the sight
// of whoever reads.
type Pages struct {
	*Service
	site *web.Site
}

// Pages makes the console pages of s, on a site that was made with [Part].
func (s *Service) Pages(site *web.Site) *Pages { return &Pages{s, site} }

// Routes are all pages but the overview, which is [Pages.Overview] at the address that the node gives it.
func (p *Pages) Routes() []web.Route {
	page := func(pattern, exit string, need web.Need, h handler) web.Route {
		return web.Route{Method: http.MethodGet, Pattern: pattern, Need: need, Exit: "exchange." + exit, Handler: h.serve}
	}
	return append(slices.Concat(p.actRoutes(), p.advisoryRoutes(), p.questionRoutes(), p.proposalRoutes(), p.notifyRoutes(), p.releaseRoutes()),
		page("/objects", "objects", web.Reader, p.objectsPage),
		page("/objects/{id}", "object", web.Reader, p.objectPage),
		page("/search", "search", web.Reader, p.searchPage),
		page("/values", "value", web.Reader, p.valuesPage),
		page("/blocklists", "block lists", web.Reader, p.blocklistsPage),
		page("/share", "share", web.Reader, p.sharePage),
		web.Route{Method: http.MethodPost, Pattern: "/share/preview", Need: web.Contributor, Exit: "exchange.share", Handler: handler(p.previewShare).serve, MaxBody: maxFormBody, Timeout: shareTimeout},
		web.Route{Method: http.MethodPost, Pattern: "/share", Need: web.Contributor, Exit: "exchange.share", Handler: handler(p.confirmShare).serve, MaxBody: maxFormBody, Timeout: shareTimeout},
		web.Route{Method: http.MethodGet, Pattern: "/feed", Need: web.Reader, Exit: "exchange.feed", Handler: handler(p.feed).serve, Stream: true},
	)
}

// Nav are the entries of the rail.
func (p *Pages) Nav() []web.NavItem {
	return []web.NavItem{
		{Group: web.Top, Key: "o", Path: "/", Icon: "grid", Title: "exchange.overview", Need: web.LoggedIn},
		{Group: web.Know, Key: "b", Path: "/objects", Icon: "layers", Title: "exchange.objects", Need: web.Reader, Order: 10},
		{Group: web.Know, Key: "s", Path: "/share", Icon: "share", Title: "exchange.share", Need: web.Contributor, Order: 20},
		{Group: web.Know, Key: "q", Path: "/questions", Icon: "question", Title: "exchange.questions", Need: web.Reader, Order: 30},
		{Group: web.Know, Path: "/proposals", Icon: "pen", Title: "exchange.proposals", Need: web.Reader, Order: 35},
		{Group: web.Know, Key: "v", Path: "/advisories", Icon: "book", Title: "exchange.advisories", Need: web.Reader, Order: 40},
		{Group: web.Node, Path: "/release", Icon: "veil", Title: "exchange.release", Need: web.Steward, Order: 15},
		{Group: web.Know, Path: "/blocklists", Icon: "block", Title: "exchange.blocklists", Need: web.Reader, Order: 50},
	}
}

// handler answers a request, or says why not; the door turns that into a page or problem details.
type handler func(http.ResponseWriter, *http.Request) error

func (h handler) serve(w http.ResponseWriter, r *http.Request) {
	if err := h(w, r); err != nil {
		web.Problem(w, r, err)
	}
}

// address puts a path together; each part is escaped.
func address(parts ...string) string {
	var b strings.Builder
	for _, s := range parts {
		b.WriteString("/" + url.PathEscape(s))
	}
	return b.String()
}

// query adds values to an address: pairs of name and value, empty ones left out.
func query(at string, pairs ...string) string {
	q := url.Values{}
	for i := 0; i+1 < len(pairs); i += 2 {
		if pairs[i+1] != "" {
			q.Set(pairs[i], pairs[i+1])
		}
	}
	if len(q) == 0 {
		return at
	}
	return at + "?" + q.Encode()
}

// reader is whoever asks for a page, what it sees and what it may be told of names.
type reader struct {
	ctx    context.Context
	by     polder.Actor
	words  web.Words
	sight  polder.Sight
	places []polder.Membership          // where it reads, by name
	orgs   map[polder.OrgID]string      // members of those
	blind  map[string]polder.Membership // by the id that stands for "a member"
}

func (p *Pages) reader(r *http.Request) (*reader, error) {
	rd := &reader{ctx: r.Context(), by: web.ActorOf(r), words: web.WordsOf(r)}
	return rd, p.learn(rd)
}

// learn reads what the reader may see and whom it may know by name: the members of its communities (X13, X20).
func (p *Pages) learn(rd *reader) error {
	var err error
	if rd.sight, err = p.Sight(rd.ctx, rd.by); err != nil {
		return err
	}
	ms, err := p.accounts.MembershipsOf(rd.ctx, rd.by)
	if err != nil {
		return err
	}
	rd.places, rd.orgs, rd.blind = nil, map[polder.OrgID]string{}, map[string]polder.Membership{}
	for _, m := range ms {
		if m.Right(rd.by) < polder.RoleReader {
			continue
		}
		rd.places = append(rd.places, m)
		rd.blind[string(m.Blind)] = m
		members, err := p.accounts.MemberList(rd.ctx, rd.by, m.Community.ID)
		if err != nil {
			return err
		}
		for _, q := range members {
			rd.orgs[q.Organisation.ID] = q.Organisation.Name
		}
	}
	return nil
}

// place is the community of that id or alias, if the reader reads there.
func (rd *reader) place(community string) (polder.Membership, bool) {
	for _, m := range rd.places {
		if string(m.Community.ID) == community || m.Alias == community {
			return m, true
		}
	}
	return polder.Membership{}, false
}

// in is the name of a community that the reader reads.
func (rd *reader) in(c polder.CommunityID) string {
	m, _ := rd.place(string(c))
	return m.Name
}

// right is the most that the reader may do in any of its communities.
func (rd *reader) right() (most polder.Role) {
	for _, m := range rd.places {
		most = max(most, m.Right(rd.by))
	}
	return most
}
