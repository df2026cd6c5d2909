package exchange

import (
	"encoding/json"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/fail"
	"github.com/polder-exchange/polder/internal/journal"
	"github.com/polder-exchange/polder/internal/web"
	"github.com/polder-exchange/polder/stix"
)

// MaxShare is the longest body of a share in bytes. The command line cuts larger bundles into batches.
const MaxShare = 32 << 20

// The REST routes. Each error is a problem detail (RFC 9457).
func (s *Service) apiRoutes() []web.Route {
	return []web.Route{
		{Method: "POST", Pattern: "/api/v1/communities/{community}/share", Need: web.Contributor, Exit: "api.share", Handler: s.apiShare, MaxBody: MaxShare, Timeout: shareTimeout, Doc: &web.Doc{Summary: "Share objects, or a file of another format, with a community", Query: map[string]string{"tlp": "level of this share", "to": "identity id of a recipient; repeatable", "named": "1 names the contributor in what is made of the file", "preview": "1 stores nothing", "confirm": "1 goes on although a warning asks to look twice", "override": "why it leaves although a value in it would stop it", "derive": "level; what is marked stricter is taken out, which makes another object", "name": "file name, for messages"}, Media: "application/octet-stream", Answer: shareOutcome{}}},
		{Method: "DELETE", Pattern: "/api/v1/communities/{community}/objects/{id}", Need: web.Contributor, Exit: "api.withdraw", Handler: s.apiWithdraw, Doc: &web.Doc{Summary: "Withdraw an object, or some of its versions", Query: map[string]string{"version": "first, last, all or timestamps", "erase": "1 removes the bytes too"}, Answer: withdrawn{}}},
		{Method: "PUT", Pattern: "/api/v1/communities/{community}/objects/{id}/custodian", Need: web.Steward, Exit: "api.custodian", Handler: s.apiReassign, Doc: &web.Doc{Summary: "Give custody of an object to another member", Body: custodianBody{}}},
		{Method: "GET", Pattern: "/api/v1/communities", Need: web.Reader, Exit: "api.communities", Handler: s.apiCommunities, Doc: &web.Doc{Summary: "The communities in which you read", Answer: communityList{}}},
		{Method: "GET", Pattern: "/api/v1/objects", Need: web.Reader, Exit: "api.objects", Handler: s.apiObjects, Doc: &web.Doc{Summary: "A page of objects, oldest first", Query: pageParameters, Answer: eventPage{}}},
		{Method: "GET", Pattern: "/api/v1/objects/{id}", Need: web.Reader, Exit: "api.object", Handler: s.apiObject, Doc: &web.Doc{Summary: "The versions of one object that you may see", Query: pageParameters, Answer: eventPage{}}},
		{Method: "GET", Pattern: "/api/v1/export", Need: web.Reader, Exit: "api.export", Handler: s.apiExport, Timeout: shareTimeout, Doc: &web.Doc{Summary: "What you may see, as a file", Query: map[string]string{"format": "stix, misp, csv, suricata, zeek, rpz or plain", "community": "alias; all of yours without it", "min_worth": "leaves indicators out of a list that are worth less than this now, 0 to 100"}, Gives: "application/octet-stream"}},
		{Method: "GET", Pattern: "/api/v1/stream", Need: web.Reader, Exit: "api.stream", Handler: s.apiStream, Stream: true, Doc: &web.Doc{Summary: "What is shared, as it is shared (Server-Sent Events)", Query: map[string]string{"community": "alias; all of yours without it", "since": "the number to go on after; 0 is everything; now without it"}, Gives: "text/event-stream"}},
	}
}

// Event is an object as the stream, search and API give it.
type Event struct {
	Seq       polder.Seq      `json:"seq"`
	DateAdded string          `json:"date_added"`
	Community string          `json:"community"`
	TLP       string          `json:"tlp"`
	Object    json.RawMessage `json:"object"`
}

// Gone is a withdrawal as the stream gives it.
type Gone struct {
	Seq       polder.Seq `json:"seq"`
	DateAdded string     `json:"date_added"`
	Community string     `json:"community"`
	ID        string     `json:"id"`
	Version   string     `json:"version"`
}

// eventPage is a page of objects; After goes into the next request's after.
type eventPage struct {
	Objects []Event    `json:"objects"`
	More    bool       `json:"more"`
	After   polder.Seq `json:"after,omitempty"`
}

// withdrawn says what was withdrawn, and the number of the withdrawal.
type withdrawn struct {
	ID  string     `json:"id"`
	Seq polder.Seq `json:"seq"`
}

// custodianBody names the member that gets custody.
type custodianBody struct {
	To polder.OrgID `json:"to"`
}

// pageParameters are those of a page of objects.
var pageParameters = map[string]string{
	"community": "alias; all of yours without it", "type": "types, with commas between", "limit": "1 to 1000; 100 without it",
	"after": "what the page before gave as after", "version": "all gives every version that you may see, not only the last",
}

// eventOf is a delivery as data of the stream; alias names its community.
func eventOf(d journal.Delivery, alias string) any {
	if d.Kind == journal.Withdrawn {
		return Gone{d.Seq, d.Seq.String(), alias, d.ID, d.Version + "Z"}
	}
	return Event{d.Seq, d.Seq.String(), alias, d.Level.String(), d.Raw}
}

// shareOutcome is the answer to a share; with refusals it is a problem detail too.
type shareOutcome struct {
	Type   string `json:"type,omitempty"`
	Title  string `json:"title,omitempty"`
	Status int    `json:"status,omitempty"`
	Detail string `json:"detail,omitempty"`
	Result
	Objects []Item `json:"objects,omitempty"`
}

func (s *Service) apiShare(w http.ResponseWriter, r *http.Request) {
	req, err := shareRequest(r)
	if err != nil {
		web.Problem(w, r, err)
		return
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		web.Problem(w, r, err)
		return
	}
	a := web.ActorOf(r)
	read, err := s.Read(r.Context(), a, Source{Community: req.Community, ContentType: r.Header.Get("Content-Type"), Name: r.URL.Query().Get("name"), Body: body})
	if err != nil {
		web.Problem(w, r, err)
		return
	}
	req.Objects, req.LeftOut = read.Objects, read.LeftOut
	res, err := s.Share(r.Context(), a, req)
	if err != nil {
		web.Problem(w, r, err)
		return
	}
	out := shareOutcome{Result: res}
	if req.Preview {
		out.Objects = res.Items
	}
	switch {
	case len(res.Refused) > 0:
		out.Type, out.Title, out.Status = "about:blank", "Refused", http.StatusUnprocessableEntity
		out.Detail = strconv.Itoa(len(res.Refused)) + " of the objects are refused, so nothing is stored; see refused"
	case res.Waits() && !req.Preview:
		out.Type, out.Title, out.Status = "about:blank", "Held", http.StatusConflict
		out.Detail = "nothing is stored yet: read the warnings, and share again with confirm=1 if it is right"
		if res.Stopped() {
			out.Detail = "nothing is stored: a value in it does not leave by itself; take it out, or share again with a reason (override)"
		}
	}
	if out.Status == 0 {
		web.WriteJSON(w, http.StatusOK, out)
		return
	}
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(out.Status)
	_ = json.NewEncoder(w).Encode(out) // the client is gone
}

func shareRequest(r *http.Request) (Request, error) {
	q := r.URL.Query()
	for name, values := range q {
		if len(values) > 1 && name != "to" && !fail.Bug("said-twice") {
			return Request{}, polder.Errorf(polder.Invalid, "%s: is given %d times; give it once", name, len(values))
		}
	}
	req := Request{Community: r.PathValue("community"), Named: yes(q.Get("named")), Preview: yes(q.Get("preview")), Confirmed: yes(q.Get("confirm")), Override: q.Get("override")}
	if t := q.Get("tlp"); t != "" {
		m, err := stix.ParseMarking(t)
		if err != nil {
			return req, polder.Errorf(polder.Invalid, "tlp: %w", err)
		}
		req.Level = m
	}
	if t := q.Get("derive"); t != "" {
		m, err := stix.ParseMarking(t)
		if err != nil {
			return req, polder.Errorf(polder.Invalid, "derive: %w", err)
		}
		req.Derive = m
	}
	for _, o := range q["to"] {
		req.To = append(req.To, polder.OrgID(o))
	}
	return req, nil
}

func yes(s string) bool { return s == "1" || s == "true" || s == "yes" || s == "on" }

func (s *Service) apiWithdraw(w http.ResponseWriter, r *http.Request) {
	choice, err := versionChoice(r.URL.Query().Get("version"))
	if err != nil {
		web.Problem(w, r, err)
		return
	}
	seq, err := s.Withdraw(r.Context(), web.ActorOf(r), Withdrawal{
		Community: r.PathValue("community"), ID: r.PathValue("id"), Versions: choice, Erase: yes(r.URL.Query().Get("erase")),
	})
	if err != nil {
		web.Problem(w, r, err)
		return
	}
	web.WriteJSON(w, http.StatusOK, withdrawn{r.PathValue("id"), seq})
}

// versionChoice reads "", "all", "first", "last" or timestamps, joined by commas.
func versionChoice(text string) (v VersionChoice, err error) {
	if text == "" || text == "all" {
		return v, nil
	}
	for part := range strings.SplitSeq(text, ",") {
		switch part {
		case "first":
			v.First = true
		case "last":
			v.Last = true
		default:
			t, err := stix.ParseTimestamp(part)
			if err != nil {
				return v, polder.Errorf(polder.Invalid, "version: %w; use first, last, all or a timestamp", err)
			}
			v.Exact = append(v.Exact, sortable(t.Instant()))
		}
	}
	return v, nil
}

func (s *Service) apiReassign(w http.ResponseWriter, r *http.Request) {
	var body custodianBody
	if err := web.ReadJSON(r, &body); err != nil {
		web.Problem(w, r, err)
		return
	}
	if err := s.Reassign(r.Context(), web.ActorOf(r), r.PathValue("community"), r.PathValue("id"), body.To); err != nil {
		web.Problem(w, r, err)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

// communityItem is a community as its member lists it.
type communityItem struct {
	ID    polder.CommunityID `json:"id"`
	Alias string             `json:"alias"`
	Name  string             `json:"name"`
	Role  string             `json:"role"`
}

type communityList struct {
	Communities []communityItem `json:"communities"`
}

func (s *Service) apiCommunities(w http.ResponseWriter, r *http.Request) {
	a := web.ActorOf(r)
	ms, err := s.accounts.MembershipsOf(r.Context(), a)
	if err != nil {
		web.Problem(w, r, err)
		return
	}
	out := []communityItem{}
	for _, m := range ms {
		if m.Right(a) >= polder.RoleReader {
			out = append(out, communityItem{m.Community.ID, m.Alias, m.Name, m.Right(a).String()})
		}
	}
	web.WriteJSON(w, http.StatusOK, communityList{out})
}

// pageRequest reads the parameters that pages of objects share.
func pageRequest(r *http.Request) (q journal.Query, err error) {
	v := r.URL.Query()
	q = journal.Query{Limit: 100, All: v.Get("version") == "all"}
	if t := v.Get("limit"); t != "" {
		if q.Limit, err = strconv.Atoi(t); err != nil || q.Limit < 1 || q.Limit > 1000 {
			return q, polder.Errorf(polder.Invalid, "limit: %q is not a number from 1 to 1000", t)
		}
	}
	if t := v.Get("after"); t != "" {
		n, err := strconv.ParseInt(t, 10, 64)
		if err != nil || n < 0 {
			return q, polder.Errorf(polder.Invalid, "after: %q is not a number that an earlier page gave", t)
		}
		q.After = polder.Seq(n)
	}
	if t := v.Get("type"); t != "" {
		q.Types = strings.Split(t, ",")
	}
	return q, nil
}

func (s *Service) apiObjects(w http.ResponseWriter, r *http.Request) {
	q, err := pageRequest(r)
	if err != nil {
		web.Problem(w, r, err)
		return
	}
	s.answerPage(w, r, q)
}

func (s *Service) apiObject(w http.ResponseWriter, r *http.Request) {
	q, err := pageRequest(r)
	if err != nil {
		web.Problem(w, r, err)
		return
	}
	q.IDs = []string{r.PathValue("id")}
	s.answerPage(w, r, q)
}

func (s *Service) answerPage(w http.ResponseWriter, r *http.Request, q journal.Query) {
	sight, err := s.SightIn(r.Context(), web.ActorOf(r), r.URL.Query().Get("community"))
	if err != nil {
		web.Problem(w, r, err)
		return
	}
	page, err := s.journal.Page(r.Context(), sight, q)
	if err == nil && len(q.IDs) > 0 && len(page.Deliveries) == 0 {
		err = polder.Errorf(polder.NotFound, "no such object, or none that you may see")
	}
	if err != nil {
		web.Problem(w, r, err)
		return
	}
	names, err := s.aliases(r.Context())
	if err != nil {
		web.Problem(w, r, err)
		return
	}
	events := []Event{}
	for _, d := range page.Deliveries {
		events = append(events, Event{d.Seq, d.Seq.String(), names[d.Community], d.Level.String(), d.Raw})
	}
	out := eventPage{Objects: events, More: page.More}
	if page.More {
		out.After = page.Deliveries[len(page.Deliveries)-1].Seq
	}
	web.WriteJSON(w, http.StatusOK, out)
}

// shareTimeout bounds a share: reading 32 MiB over a slow line, checking and storing it.
const shareTimeout = 5 * time.Minute
