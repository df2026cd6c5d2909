package node

import (
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/web"
)

// patterns are all paths that the node answers. A route whose path is not here fails [TestS1Walk]: whoever adds one says
// here with what it is asked. Empty is the path itself, its variables filled in by [place.fill].
var patterns = map[string]string{
	"/healthz": "", "/readyz": "", "/metrics": "", "/favicon.ico": "", "/static/{hash}/{file}": "", "/preferences": "", "/keyboard": "", "/components": "",

	"/api/openapi.json": "", "/api/v1/communities": "", "/api/v1/objects": "", "/api/v1/objects/{id}": "", "/api/v1/objects/{id}/signature": "", "/api/v1/keys": "", "/keys": "", "/api/v1/export": "/api/v1/export?format=stix", "/api/v1/stream": "/api/v1/stream?since=0",
	"/api/v1/search": "/api/v1/search?q=indicator", "/api/v1/values": "/api/v1/values?value=a.example",
	"/api/v1/communities/{community}/share": "", "/api/v1/communities/{community}/objects/{id}": "", "/api/v1/communities/{community}/objects/{id}/custodian": "",
	"/api/v1/communities/{community}/objects/{id}/sightings": "", "/api/v1/communities/{community}/objects/{id}/opinions": "", "/api/v1/communities/{community}/objects/{id}/notes": "",
	"/api/v1/communities/{community}/questions": "", "/api/v1/questions": "", "/api/v1/communities/{community}/questions/{id}/close": "",

	"/api/v1/communities/{community}/objects/{id}/proposals": "", "/api/v1/proposals": "", "/api/v1/communities/{community}/proposals/{id}/accept": "", "/api/v1/communities/{community}/proposals/{id}/decline": "",
	"/api/v1/objects/{id}/worth": "", "/api/v1/decay": "", "/api/v1/payback": "", "/api/v1/payback/rules": "", "/api/v1/payback/quality/{contributor}": "/api/v1/payback/quality/identity--5d0092c5-5f74-4287-9642-33f4c354e56d",
	"/api/v1/communities/{community}/contributors": "", "/api/v1/communities/{community}/health": "", "/payback": "", "/payback/contributors": "", "/payback/contributors/{contributor}": "/payback/contributors/identity--5d0092c5-5f74-4287-9642-33f4c354e56d",
	"/payback/health": "", "/payback/rules": "", "/proposals": "", "/proposals/{community}/{id}": "", "/proposals/{community}/{id}/accept": "", "/proposals/{community}/{id}/decline": "", "/objects/{id}/propose": "",

	"/api/v1/match/sets": "", "/api/v1/match/sets/{name}": "/api/v1/match/sets/none", "/api/v1/match/sets/{name}/epochs": "/api/v1/match/sets/none/epochs", "/api/v1/match/sets/{name}/filter": "/api/v1/match/sets/none/filter",
	"/api/v1/match/sets/{name}/evaluate": "/api/v1/match/sets/none/evaluate", "/match": "", "/match/{set}": "/match/none",
	"/pseudonyms": "", "/pseudonyms/{community}": "", "/pseudonyms/{community}/{pseudonym}": "/pseudonyms/{community}/none", "/pseudonyms/{community}/{pseudonym}/open": "/pseudonyms/{community}/none/open",
	"/pseudonyms/{community}/{pseudonym}/stop": "/pseudonyms/{community}/none/stop", "/pseudonyms/{community}/renew": "",

	"/log": "", "/log/checkpoint": "", "/log/evidence/{n}": "", "/peers": "", "/peers/invite": "", "/peers/accept": "", "/peers/invitations/{id}/revoke": "", "/peers/{id}": "",
	"/api/v1/peer/hello": "", "/api/v1/peer/session": "", "/api/v1/peer/look": "", "/api/v1/peer/join": "", "/api/v1/peer/state": "", "/api/v1/peer/roster": "", "/api/v1/peer/deliveries": "/api/v1/peer/deliveries?after=0",
	"/api/v1/peer/stream": "/api/v1/peer/stream?after=0", "/api/v1/peer/push": "", "/api/v1/peer/return": "", "/api/v1/peer/leave": "", "/api/v1/peer/statements": "", "/api/v1/peer/pseudonyms": "",
	"/api/v1/peer/match/sets": "", "/api/v1/peer/match/set": "", "/api/v1/peer/match/epochs": "", "/api/v1/peer/match/filter": "", "/api/v1/peer/match/evaluate": "",
	"/api/v1/peer/log/checkpoint": "", "/api/v1/peer/log/leaves": "", "/api/v1/peer/log/cosign": "", "/api/v1/peer/log/cosignatures": "",

	"/taxii2/{$}": "", "/taxii2": "", "/taxii2/": "/taxii2/nothing/", "/taxii2/root/{$}": "", "/taxii2/root": "", "/taxii2/root/": "/taxii2/root/nothing/",
	"/taxii2/root/collections/{$}": "", "/taxii2/root/collections": "", "/taxii2/root/collections/{id}/{$}": "", "/taxii2/root/collections/{id}": "",
	"/taxii2/root/collections/{id}/manifest/{$}": "", "/taxii2/root/collections/{id}/manifest": "", "/taxii2/root/collections/{id}/objects/{$}": "", "/taxii2/root/collections/{id}/objects": "",
	"/taxii2/root/collections/{id}/objects/{object}/{$}": "", "/taxii2/root/collections/{id}/objects/{object}": "",
	"/taxii2/root/collections/{id}/objects/{object}/versions/{$}": "", "/taxii2/root/collections/{id}/objects/{object}/versions": "",
	"/taxii2/root/status/{status}/{$}": "", "/taxii2/root/status/{status}": "",

	"/{$}": "", "/login": "", "/login/password": "", "/logout": "", "/invitation.js": "", "/account": "", "/account/password": "", "/account/sessions/{id}/end": "",
	"/login/with/{provider}": "", "/login/with/{provider}/back": "", "/login/passkey/begin": "", "/login/passkey": "", "/account/proof/begin": "", "/account/proof": "",
	"/account/passkeys/begin": "", "/account/passkeys": "", "/account/passkeys/{id}": "", "/account/passkeys/{id}/remove": "", "/account/providers/{provider}": "",
	"/account/identities/{id}": "", "/account/identities/{id}/remove": "",
	"/tokens": "", "/tokens/{id}/revoke": "", "/organisations": "", "/organisations/{org}": "", "/organisations/{org}/widest": "", "/organisations/{org}/people": "",
	"/organisations/{org}/people/{person}": "", "/organisations/{org}/people/{person}/role": "", "/organisations/{org}/people/{person}/disable": "",
	"/organisations/{org}/people/{person}/enable": "", "/organisations/{org}/people/{person}/reset": "", "/organisations/{org}/people/{person}/sessions/{id}/end": "",
	"/communities": "", "/communities/{alias}": "", "/communities/{alias}/agreement": "", "/communities/{alias}/accept": "", "/communities/{alias}/unmarked": "",
	"/communities/{alias}/leave": "", "/communities/{alias}/members": "", "/communities/{alias}/members/{org}": "", "/communities/{alias}/members/{org}/role": "",
	"/communities/{alias}/members/{org}/remove": "", "/communities/{alias}/invitations": "", "/communities/{alias}/invitations/{id}/revoke": "",
	"/communities/{alias}/requests/{id}/approve": "", "/communities/{alias}/requests/{id}/refuse": "",
	"/objects": "", "/objects/{id}": "", "/objects/{id}/sighting": "", "/objects/{id}/opinion": "", "/objects/{id}/note": "", "/objects/{id}/withdraw": "",
	"/objects/{id}/erase": "", "/objects/{id}/custodian": "", "/feed": "", "/share": "", "/share/preview": "", "/search": "", "/values": "", "/blocklists": "",
	"/advisories": "", "/advisories/new": "", "/advisories/drafts/{id}": "", "/advisories/drafts/{id}/files": "", "/advisories/drafts/{id}/files/{sha256}/remove": "",
	"/advisories/drafts/{id}/publish": "", "/advisories/drafts/{id}/delete": "", "/advisories/{community}/{id}": "", "/advisories/{community}/{id}/files/{sha256}": "",
	"/advisories/{community}/{id}/revise": "", "/advisories/{community}/{id}/revoke": "", "/questions": "", "/questions/{community}/{id}": "",
	"/questions/{community}/{id}/note": "", "/questions/{community}/{id}/opinion": "", "/questions/{community}/{id}/close": "",
	"/account/notifications": "", "/account/notifications/{id}/delete": "", "/account/notifications/{id}/on": "", "/account/notifications/{id}/off": "",
	"/account/notifications/{id}/test": "", "/off/{token}": "", "/notified/{seq}": "", "/api/v1/advisories": "", "/api/v1/communities/{community}/advisories": "",
	"/api/v1/communities/{community}/advisories/{id}": "", "/api/v1/communities/{community}/retention": "",
	"/api/v1/events": "", "/api/v1/alerts": "", "/api/v1/alerts/{id}": "", "/api/v1/alerts/{id}/state": "", "/api/v1/alerts/{id}/sighting": "",
	"/api/v1/suppressions": "", "/api/v1/suppressions/{id}": "", "/alerts": "", "/alerts/feed": "", "/alerts/{id}": "", "/alerts/{id}/state": "", "/alerts/{id}/suppress": "",
	"/alerts/{id}/sighting": "", "/suppressions": "", "/suppressions/{id}/end": "", "/detection": "", "/detection/sightings": "", "/detection/sightings/end": "",
	"/release": "", "/release/try": "", "/api/v1/release": "", "/api/v1/release/preview": "",
	"/check": "", "/account/alerts": "", "/account/alerts/{id}/delete": "", "/account/alerts/{id}/on": "", "/account/alerts/{id}/off": "", "/alert-off/{token}": "",
	"/api/v1/screen": "/api/v1/screen?name=Acme+Optics", "/api/v1/screen/records": "", "/api/v1/screen/records/{id}": "", "/api/v1/screen/records/{id}/erase": "",
	"/api/v1/screen/reviews": "", "/api/v1/screen/reviews/{id}": "", "/api/v1/screen/reviews/{id}/decision": "", "/api/v1/screen/parties": "", "/api/v1/screen/parties/import": "",
	"/api/v1/screen/parties/{id}": "", "/api/v1/screen/parties/{id}/erase": "", "/api/v1/screen/groups": "", "/api/v1/screen/groups/{name}": "/api/v1/screen/groups/agents",
	"/api/v1/screen/batches": "", "/api/v1/screen/batches/{id}": "", "/api/v1/screen/batches/{id}/stop": "", "/api/v1/screen/batches/{id}/rows": "", "/api/v1/screen/batches/{id}/results.csv": "",
	"/api/v1/screen/lists": "", "/api/v1/screen/lists/{name}": "/api/v1/screen/lists/suspects", "/api/v1/screen/lists/{name}/changes": "/api/v1/screen/lists/suspects/changes",
	"/api/v1/screen/lists/{name}/entries/{id}": "/api/v1/screen/lists/suspects/entries/7", "/api/v1/screen/lists/{name}/refresh": "/api/v1/screen/lists/suspects/refresh",
	"/api/v1/screen/lists/{name}/share": "/api/v1/screen/lists/suspects/share", "/api/v1/screen/record.csv": "", "/api/v1/screen/record.pdf": "", "/api/v1/screen/settings": "",
	"/screen": "", "/screen/compare": "", "/screen/keep": "", "/screen/queue": "", "/screen/reviews/{id}": "", "/screen/parties": "", "/screen/parties/find": "", "/screen/parties/import": "",
	"/screen/groups": "", "/screen/groups/{name}/remove": "/screen/groups/agents/remove", "/screen/parties/{id}": "", "/screen/parties/{id}/remove": "", "/screen/parties/{id}/erase": "",
	"/screen/batches": "", "/screen/batches/{id}": "", "/screen/batches/{id}/progress": "", "/screen/batches/{id}/stop": "", "/screen/batches/{id}/results": "",
	"/screen/lists": "", "/screen/lists/{name}": "/screen/lists/suspects", "/screen/lists/{name}/refresh": "/screen/lists/suspects/refresh", "/screen/lists/{name}/share": "/screen/lists/suspects/share", "/screen/settings": "", "/screen/settings/ask-again": "",
	"/screen/record": "", "/screen/record/{id}": "", "/screen/record/{id}/erase": "", "/screen/record.csv": "", "/screen/record.pdf": "",
	"/api/v1/reports": "", "/api/v1/reports/thread": "", "/api/v1/reports/thread/message": "", "/api/v1/reports/desks": "", "/api/v1/reports/desks/{alias}": "", "/api/v1/reports/keys": "", "/api/v1/reports/keys/{id}": "", "/api/v1/reports/keys/{id}/challenge": "",
	"/api/v1/reports/inbox": "", "/api/v1/reports/inbox/{id}": "", "/api/v1/reports/inbox/{id}/acknowledge": "", "/api/v1/reports/inbox/{id}/close": "", "/api/v1/reports/inbox/{id}/reopen": "",
	"/api/v1/reports/inbox/{id}/messages": "", "/api/v1/reports/inbox/{id}/case": "", "/api/v1/reports/inbox/{id}/wraps": "", "/api/v1/reports/inbox/{id}/files/{file}": "",
	"/api/v1/desks": "", "/api/v1/desks/{alias}": "", "/api/v1/desks/{alias}/readers": "", "/api/v1/desks/{alias}/readers/{key}": "", "/api/v1/desks/{alias}/readers/{key}/confirm": "",
	"/api/v1/cases": "", "/api/v1/cases/titles": "", "/api/v1/cases/orphaned": "", "/api/v1/cases/tasks": "", "/api/v1/cases/naming": "", "/api/v1/cases/settings": "", "/api/v1/cases/shared": "", "/api/v1/cases/cross-border": "",
	"/api/v1/cases/{id}": "", "/api/v1/cases/{id}/status": "", "/api/v1/cases/{id}/archive": "", "/api/v1/cases/{id}/announce": "", "/api/v1/cases/{id}/history": "", "/api/v1/cases/{id}/similar": "",
	"/api/v1/cases/{id}/members": "", "/api/v1/cases/{id}/members/{member}": "", "/api/v1/cases/{id}/damage": "", "/api/v1/cases/{id}/jewels": "", "/api/v1/cases/{id}/items": "",
	"/api/v1/cases/{id}/items/{item}": "", "/api/v1/cases/{id}/items/{item}/history": "", "/api/v1/cases/{id}/items/{item}/done": "", "/api/v1/cases/{id}/items/{item}/strike": "",
	"/api/v1/cases/{id}/items/{item}/erase": "", "/api/v1/cases/{id}/items/{item}/lookup": "", "/api/v1/cases/{id}/evidence": "", "/api/v1/cases/{id}/evidence/{item}": "",
	"/api/v1/cases/{id}/evidence/{item}/custody": "", "/api/v1/cases/{id}/deadlines": "", "/api/v1/cases/{id}/duties": "", "/api/v1/cases/{id}/aware": "", "/api/v1/cases/{id}/events": "",
	"/api/v1/cases/{id}/events/{n}/struck": "", "/api/v1/cases/{id}/deadlines/{rule}/sent": "", "/api/v1/cases/{id}/deadlines/{rule}/excused": "", "/api/v1/cases/{id}/deadlines/{rule}/reopened": "",
	"/api/v1/cases/{id}/deadlines/{rule}/form": "", "/api/v1/cases/{id}/deadlines/{rule}/form.pdf": "", "/api/v1/cases/{id}/export": "", "/api/v1/cases/{id}/sharings": "",
	"/api/v1/cases/{id}/sharings/{sharing}/stop": "", "/api/v1/cases/{id}/release": "", "/api/v1/shared-cases/{key}": "", "/api/v1/shared-cases/{key}/items": "",
	"/api/v1/deadlines": "/api/v1/deadlines?jurisdiction=NL&kind=incident&aware=2026-06-01T10:00:00Z", "/api/v1/deadlines/open": "",
	"/api/v1/jewels": "", "/api/v1/jewels/import": "", "/api/v1/jewels/{id}": "", "/api/v1/jewels/{id}/restore": "", "/api/v1/jewels/{id}/history": "",
	"/report": "", "/report/d/{alias}": "", "/report/d/{alias}/readers": "", "/report/thread": "", "/report/thread/say": "", "/report/pressed": "", "/report/pressed/{alias}": "", "/report/closed": "", "/report/mail.txt": "",
	"/cases": "", "/cases/find": "", "/cases/new": "", "/cases/settings": "", "/cases/orphaned": "", "/cases/release": "", "/cases/border": "", "/cases/shared": "", "/cases/shared/{key}": "", "/cases/reports": "", "/cases/reports/{id}": "", "/cases/key": "",
	"/cases/desks": "", "/cases/desks/{alias}": "", "/cases/desks/{alias}/close": "", "/cases/desks/{alias}/readers": "", "/cases/desks/{alias}/confirm": "", "/cases/desks/{alias}/remove": "", "/cases/desks/{alias}/poster": "",
	"/cases/{id}": "", "/cases/{id}/{page}": "/cases/{id}/items", "/cases/{id}/{page}/{item}": "/cases/{id}/items/none", "/cases/{id}/{page}/{item}/{act}": "/cases/{id}/items/none/upload",
	"/cases/deadlines": "", "/cases/assistant": "", "/cases/deadlines/{id}": "", "/cases/deadlines/{id}/duties": "", "/cases/deadlines/{id}/aware": "", "/cases/deadlines/{id}/events": "",
	"/cases/deadlines/{id}/events/{n}/struck": "", "/cases/deadlines/{id}/{rule}": "", "/cases/deadlines/{id}/{rule}/form.pdf": "", "/cases/deadlines/{id}/{rule}/form.json": "",
	"/cases/deadlines/{id}/{rule}/sent": "", "/cases/deadlines/{id}/{rule}/excused": "", "/cases/deadlines/{id}/{rule}/reopened": "",
	"/cases/jewels": "", "/cases/jewels/find": "", "/cases/jewels/new": "", "/cases/jewels/import": "", "/cases/jewels/{jewel}": "", "/cases/jewels/{jewel}/remove": "",
	"/join": "", "/join/accept": "", "/join/request": "", "/join/requests/{id}/withdraw": "", "/audit": "", "/api/v1/me": "", "/api/v1/communities/{alias}/members": "",
}

// fill puts values for the variables of a pattern, those of ring and of an object that plain reads.
func (p *place) fill(pattern, object string) string {
	path := patterns[pattern]
	if path == "" {
		path = pattern
	}
	community := p.ring.Alias
	if strings.Contains(pattern, "/collections/{id}") {
		path = strings.Replace(path, "{id}", community, 1)
	}
	return strings.NewReplacer("{$}", "", "{community}", community, "{alias}", community, "{id}", object, "{object}", object, "{org}", string(p.orgs["plain"].ID),
		"{person}", "nobody", "{member}", "nobody", "{item}", "none", "{key}", "none", "{jewel}", "none", "{sharing}", "none", "{n}", "1", "{rule}", "nis2-nl.early-warning", "{status}", "5d0092c5-5f74-4287-9642-33f4c354e56d", "{hash}", "0", "{file}", "polder.css").Replace(path)
}

// askers are the kinds of whoever asks.
var askers = []string{"", "reader", "contributor", "steward", "admin", "foreign", "expired", "revoked", "session"}

var methods = []string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND"}

// role is what an asker may at most, at any door.
func (p *place) role(as string) polder.Actor {
	roles := map[string]polder.Role{"reader": polder.RoleReader, "session": polder.RoleReader, "contributor": polder.RoleContributor,
		"foreign": polder.RoleContributor, "steward": polder.RoleSteward, "admin": polder.RoleAdmin}
	if r, known := roles[as]; known {
		return polder.Actor{Org: p.orgs["plain"].ID, Role: r}
	}
	return polder.Actor{}
}

// TestS1Walk (S1): every route × every method × every kind of asker. What no route declares is 405; nobody passes a door
// without the right that it declares; whoever has shown nothing, or a dead token, is told to log in; nothing is a fault.
func TestS1Walk(t *testing.T) {
	p := newPlace(t)
	p.share(t, "plain", p.ring.Alias, "", entry(1, 0, 2, ""))
	byPattern := map[string]map[string]web.Route{}
	for _, r := range p.Routes() {
		if _, listed := patterns[r.Pattern]; !listed {
			t.Errorf("%s %s: the table of paths lacks it", r.Method, r.Pattern)
		}
		if byPattern[r.Pattern] == nil {
			byPattern[r.Pattern] = map[string]web.Route{}
		}
		byPattern[r.Pattern][r.Method] = r
		if r.Method == "GET" {
			byPattern[r.Pattern]["HEAD"] = r
		}
	}
	cells := 0
	for _, pattern := range slices.Sorted(maps.Keys(byPattern)) {
		declared := byPattern[pattern]
		for _, method := range methods {
			for _, as := range askers {
				cells++
				r, is := declared[method]
				a := p.ask(p.sample(pattern, method, as, r))
				if pattern == "/logout" && as == "session" && a.status < 400 {
					p.logIn(t, p.Accounts)
				}
				p.judge(t, method+" "+pattern+" as "+as, a, r, is, as)
			}
		}
	}
	if want := len(byPattern) * len(methods) * len(askers); cells != want || cells < 2000 {
		t.Fatalf("%d cells were walked, want %d", cells, want)
	}
}

func (p *place) sample(pattern, method, as string, r web.Route) ask {
	q := ask{as: as, method: method, path: p.fill(pattern, entryID(1)), head: map[string]string{"Sec-Fetch-Site": "same-origin"}}
	if r.Stream {
		q.wait = 20e6
	}
	if method == "POST" || method == "PUT" || method == "PATCH" {
		q.body, q.kind = "{}", jsonKind
		if strings.HasPrefix(pattern, "/taxii2/") {
			q.body, q.kind = `{"objects":[]}`, taxiiKind
		}
	}
	return q
}

// judge holds one answer against what the route declares.
func (p *place) judge(t *testing.T, what string, a answer, r web.Route, declared bool, as string) {
	t.Helper()
	actor := p.role(as)
	dead := slices.Contains([]string{"expired", "revoked"}, as)
	login := a.status == http.StatusSeeOther && strings.HasPrefix(a.head.Get("Location"), "/login")
	api := r.API || r.Fail != nil || strings.HasPrefix(r.Pattern, "/api/")
	switch {
	case a.status >= 500:
		t.Errorf("%s: %d %s", what, a.status, a.body)
	case !declared:
		if a.status != http.StatusMethodNotAllowed || a.head.Get("Allow") == "" {
			t.Errorf("%s is not declared and answers %d", what, a.status)
		}
	case strings.HasPrefix(r.Exit, "peers.") && r.Unseen: // a peer is known by what it signs: whoever else asks is a stranger, with any token or session
		if a.status != http.StatusUnauthorized && a.status != http.StatusBadRequest && a.status != http.StatusTooManyRequests || a.head.Get("Set-Cookie") != "" {
			t.Errorf("%s: an answer to whoever is no peer: %d, cookie %q: %s", what, a.status, a.head.Get("Set-Cookie"), a.body)
		}
	case r.Unseen: // nobody looks at who asks, so that nothing can be kept of it
		if a.status == http.StatusUnauthorized || a.status == http.StatusForbidden || a.head.Get("Set-Cookie") != "" {
			t.Errorf("%s looks at who asks: %d, cookie %q", what, a.status, a.head.Get("Set-Cookie"))
		}
	case dead:
		if a.status != http.StatusUnauthorized && a.status != http.StatusTooManyRequests {
			t.Errorf("%s: a dead token gets %d", what, a.status)
		}
	case r.Need.Allows(actor):
		if a.status == http.StatusUnauthorized || login && as != "" && r.Need != web.Public {
			t.Errorf("%s: turned away with %d", what, a.status)
		}
	case actor == (polder.Actor{}):
		if api && a.status != http.StatusUnauthorized || !api && !login {
			t.Errorf("%s asks for %s and gives nobody %d", what, r.Need, a.status)
		}
	default:
		if a.status != http.StatusForbidden {
			t.Errorf("%s asks for %s and answers %d", what, r.Need, a.status)
		}
	}
}
