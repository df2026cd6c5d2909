package cases

import (
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/deadline"
	"github.com/polder-exchange/polder/internal/web"
)

func (a *API) deadlineRoutes() []web.Route {
	route := func(method, pattern, exit string, need web.Need, h web.Handler, doc web.Doc) web.Route {
		return web.Route{Method: method, Pattern: "/api/v1" + pattern, Need: need, Exit: "cases.api.deadline" + exit, Handler: h.Serve, Doc: &doc}
	}
	const of = "/cases/{id}/deadlines"
	return []web.Route{
		route("GET", "/deadlines", ".compute", web.Reader, a.computeDeadlines, web.Doc{Summary: "What must be reported of something, to whom and until when", Answer: deadlineAnswer{}, Query: map[string]string{
			"jurisdiction": "a member state, as NL, or EU", "sector": "as energy or banking; any without it", "kind": "incident, personal-data-breach, exploited-vulnerability, …", "aware": "when it was first known: RFC 3339, or local time of the jurisdiction", "serious": "yes, no or unknown"}}),
		route("GET", "/deadlines/open", ".open", web.Reader, a.openDeadlines, web.Doc{Summary: "Open deadlines of all cases that you were let into, the earliest first", Answer: DeadlinePage{}, Query: map[string]string{"late": "yes: only those that are over"}}),
		route("GET", of, ".list", web.Reader, a.caseDeadlines, web.Doc{Summary: "What the law asks in a case: duties with their state, what is counted from what, and what asks nothing", Answer: CaseDuties{}}),
		route("POST", "/cases/{id}/duties", ".profile", web.Contributor, a.setProfile, web.Doc{Summary: "Say by which rules a case is counted", Body: deadlineProfileBody{}, Answer: CaseDuties{}}),
		route("POST", "/cases/{id}/aware", ".aware", web.Contributor, a.setAware, web.Doc{Summary: "Say when your organisation first knew; all that was said stays in the history", Body: deadlineAwareBody{}, Answer: CaseDuties{}}),
		route("POST", "/cases/{id}/events", ".event", web.Contributor, a.setEvent, web.Doc{Summary: "Say that something happened that deadlines are counted from, such as classified, ongoing, handled, corrective-measure", Body: deadlineEventBody{}, Answer: CaseDuties{}}),
		route("POST", "/cases/{id}/events/{n}/struck", ".struck", web.Contributor, a.strikeEvent, web.Doc{Summary: "Strike an event out: it stays in view and counts no more", Body: deadlineReasonBody{}, Answer: CaseDuties{}}),
		route("POST", of+"/{rule}/sent", ".sent", web.Contributor, a.markSent, web.Doc{Summary: "Say that a report was sent; Polder sends nothing itself. rule is as nis2-nl.early-warning", Body: deadlineSentBody{}, Answer: CaseDuties{}}),
		route("POST", of+"/{rule}/excused", ".excused", web.Contributor, a.excuse, web.Doc{Summary: "Say why a report need not be sent", Body: deadlineReasonBody{}, Answer: CaseDuties{}}),
		route("POST", of+"/{rule}/reopened", ".reopened", web.Contributor, a.reopen, web.Doc{Summary: "Take back that a report was sent or excused", Body: deadlineReasonBody{}, Answer: CaseDuties{}}),
		route("GET", of+"/{rule}/form", ".form", web.Reader, a.deadlineForm, web.Doc{Summary: "The form of a report, filled in with what the case knows; required fields that are empty are named", Answer: DeadlineForm{}}),
		route("GET", of+"/{rule}/form.pdf", ".pdf", web.Reader, a.deadlinePDF, web.Doc{Summary: "The same for print", Gives: "application/pdf"}),
	}
}

// deadlineRule is the rule that an address names: "nis2-nl.early-warning", or with a slash.
func deadlineRule(r *http.Request) string {
	return strings.Replace(r.PathValue("rule"), ".", "/", 1)
}

// deadlineAsked are the parameters of GET /api/v1/deadlines. Others are refused: a sector that is misspelt must not be
// taken for none.
var deadlineAsked = []string{"jurisdiction", "sector", "kind", "aware", "serious", "lang"}

func (a *API) computeDeadlines(w http.ResponseWriter, r *http.Request) error {
	if _, err := a.caseViewer(r.Context(), web.ActorOf(r)); err != nil {
		return err
	}
	q := r.URL.Query()
	for name, values := range q {
		if !strings.Contains(" "+strings.Join(deadlineAsked, " ")+" ", " "+name+" ") {
			return polder.Errorf(polder.Invalid, "query: %q is not known; use %s", web.Clip(name, 40), strings.Join(deadlineAsked, ", "))
		}
		if len(values) > 1 {
			return polder.Errorf(polder.Invalid, "query: %s is given twice", name)
		}
	}
	serious, err := deadlineTribool(q.Get("serious"))
	if err != nil {
		return err
	}
	f := deadlineFlags{jurisdiction: q.Get("jurisdiction"), sector: q.Get("sector"), kind: q.Get("kind"), aware: q.Get("aware"), now: a.o.Now}
	s, err := f.situation(a.o.Packs)
	if err == nil {
		s.Serious = serious
		var all []deadline.Deadline
		if all, err = a.o.Packs.Due(s); err == nil {
			web.WriteJSON(w, http.StatusOK, deadlineAnswer{deadlineLines(all)})
			return nil
		}
	}
	return polder.Errorf(polder.Invalid, "%w", err)
}

func (a *API) openDeadlines(w http.ResponseWriter, r *http.Request) error {
	page, err := a.OpenDeadlines(r.Context(), web.ActorOf(r), DeadlineFilter{Late: r.URL.Query().Get("late") == "yes", Limit: 500})
	return answerDeadline(w, page, err)
}

func (a *API) caseDeadlines(w http.ResponseWriter, r *http.Request) error {
	out, err := a.Deadlines(r.Context(), web.ActorOf(r), CaseID(r.PathValue("id")))
	return answerDeadline(w, out, err)
}

func answerDeadline(w http.ResponseWriter, v any, err error) error {
	if err != nil {
		return err
	}
	web.WriteJSON(w, http.StatusOK, v)
	return nil
}

// deadlineProfileBody is by which rules a case is to be counted.
type deadlineProfileBody struct {
	Jurisdictions []string `json:"jurisdictions"`
	Sectors       []string `json:"sectors"`
	Kinds         []string `json:"kinds"`
	Serious       string   `json:"serious"`
	Version       int      `json:"version"` // of the profile that was seen
}

func (a *API) setProfile(w http.ResponseWriter, r *http.Request) error {
	var in deadlineProfileBody
	if err := web.ReadJSON(r, &in); err != nil {
		return err
	}
	out, err := a.SetDeadlineProfile(r.Context(), web.ActorOf(r), CaseID(r.PathValue("id")), DeadlineProfile{Jurisdictions: in.Jurisdictions, Sectors: in.Sectors, Kinds: in.Kinds, Serious: in.Serious, Version: in.Version})
	return answerDeadline(w, out, err)
}

// deadlineAwareBody says when the organisation first knew.
type deadlineAwareBody struct {
	At      time.Time `json:"at"`
	Reason  string    `json:"reason"`
	Version int       `json:"version"` // of the case that was seen
}

func (a *API) setAware(w http.ResponseWriter, r *http.Request) error {
	var in deadlineAwareBody
	if err := web.ReadJSON(r, &in); err != nil {
		return err
	}
	out, err := a.SetAware(r.Context(), web.ActorOf(r), CaseID(r.PathValue("id")), in.Version, in.At, in.Reason)
	return answerDeadline(w, out, err)
}

// deadlineEventBody is something that happened.
type deadlineEventBody struct {
	Name string    `json:"name"`
	At   time.Time `json:"at"`
}

func (a *API) setEvent(w http.ResponseWriter, r *http.Request) error {
	var in deadlineEventBody
	if err := web.ReadJSON(r, &in); err != nil {
		return err
	}
	out, err := a.SetCaseEvent(r.Context(), web.ActorOf(r), CaseID(r.PathValue("id")), in.Name, in.At)
	return answerDeadline(w, out, err)
}

// deadlineReasonBody is a reason, and the version of the deadline that was seen.
type deadlineReasonBody struct {
	Reason  string `json:"reason"`
	Version int    `json:"version,omitempty"`
}

func (a *API) strikeEvent(w http.ResponseWriter, r *http.Request) error {
	var in deadlineReasonBody
	if err := web.ReadJSON(r, &in); err != nil {
		return err
	}
	out, err := a.StrikeCaseEvent(r.Context(), web.ActorOf(r), CaseID(r.PathValue("id")), deadlineNumber(r.PathValue("n")), in.Reason)
	return answerDeadline(w, out, err)
}

// deadlineNumber reads a small number; 0 is none.
func deadlineNumber(s string) (n int) {
	for _, c := range s {
		if c < '0' || c > '9' || n > 1_000_000 {
			return 0
		}
		n = 10*n + int(c-'0')
	}
	return n
}

// deadlineSentBody says when a report was sent.
type deadlineSentBody struct {
	At        time.Time `json:"at,omitzero"` // none: now
	Reference string    `json:"reference,omitempty"`
	Version   int       `json:"version"`                 // of the deadline that was seen
	Tell      bool      `json:"tell_contacts,omitempty"` // tell the contact points of the countries that the case touches
}

func (a *API) markSent(w http.ResponseWriter, r *http.Request) error {
	var in deadlineSentBody
	if err := web.ReadJSON(r, &in); err != nil {
		return err
	}
	mark := a.MarkSent
	if in.Tell {
		mark = func(ctx context.Context, by polder.Actor, id CaseID, rule string, m DeadlineMark) (CaseDuties, error) {
			out, _, err := a.MarkSentAndTell(ctx, by, id, rule, m)
			return out, err
		}
	}
	out, err := mark(r.Context(), web.ActorOf(r), CaseID(r.PathValue("id")), deadlineRule(r), DeadlineMark{Version: in.Version, Sent: in.At, Reference: in.Reference})
	return answerDeadline(w, out, err)
}

func (a *API) excuse(w http.ResponseWriter, r *http.Request) error {
	var in deadlineReasonBody
	if err := web.ReadJSON(r, &in); err != nil {
		return err
	}
	out, err := a.ExcuseDeadline(r.Context(), web.ActorOf(r), CaseID(r.PathValue("id")), deadlineRule(r), DeadlineMark{Version: in.Version, Reason: in.Reason})
	return answerDeadline(w, out, err)
}

func (a *API) reopen(w http.ResponseWriter, r *http.Request) error {
	var in deadlineReasonBody
	if err := web.ReadJSON(r, &in); err != nil {
		return err
	}
	out, err := a.ReopenDeadline(r.Context(), web.ActorOf(r), CaseID(r.PathValue("id")), deadlineRule(r), DeadlineMark{Version: in.Version, Reason: in.Reason})
	return answerDeadline(w, out, err)
}

func (a *API) deadlineForm(w http.ResponseWriter, r *http.Request) error {
	out, err := a.DeadlineForm(r.Context(), web.ActorOf(r), CaseID(r.PathValue("id")), deadlineRule(r))
	return answerDeadline(w, out, err)
}

func (a *API) deadlinePDF(w http.ResponseWriter, r *http.Request) error {
	return sendFormPDF(a.Service, w, r)
}
