package cases

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/fail"
	"github.com/polder-exchange/polder/internal/seal"
	"github.com/polder-exchange/polder/internal/web"
)

// Bounds of bodies and answers at these routes.
const (
	maxReportBody    = 32 << 20
	reportTimeout    = 3 * time.Minute // of a slow line with attachments
	leastPosted      = 2 << 10         // bytes of an answer to a report
	leastThread      = 32 << 10        // bytes of a thread, and of the answer to a receipt that opens none
	reportFileType   = "application/octet-stream"
	reportQueueLimit = "reports on a page, 50 without it, at most 200"
)

// reportServe answers a request, or says what is wrong with it.
type reportServe func(http.ResponseWriter, *http.Request) error

func (h reportServe) serve(w http.ResponseWriter, r *http.Request) {
	err := h(w, r)
	if err == nil {
		return
	}
	if changed, ok := errors.AsType[*ReadersChanged](err); ok {
		detail := "the readers of this desk are others now; seal to those in this answer, and send it again"
		w.Header().Set("Cache-Control", "no-store")
		w.Header().Set("Content-Type", "application/problem+json")
		writeReportJSON(w, http.StatusConflict, ReportConflict{"about:blank", http.StatusText(http.StatusConflict), http.StatusConflict, detail, changed.Desk})
		return
	}
	web.Problem(w, r, err)
}

// writeReportJSON is [web.WriteJSON] with the media type that was set.
func writeReportJSON(w http.ResponseWriter, status int, v any) {
	text, err := json.Marshal(v)
	if err != nil { // texts and numbers always encode
		panic(err)
	}
	w.WriteHeader(status)
	_, _ = w.Write(append(text, '\n')) // the client is gone
}

// reportRoutes are those of reports: for reporters, whom nobody looks at, and for those who read.
func (a *API) reportRoutes() []web.Route {
	public := func(method, pattern, exit string, h reportServe, doc web.Doc) web.Route {
		return web.Route{Method: method, Pattern: "/api/v1/reports" + pattern, Need: web.Public, Unseen: true, Exit: "cases.api.report" + exit, Handler: h.serve, Doc: &doc}
	}
	post := public("POST", "", "", a.inTurn(a.postReport), web.Doc{Summary: "Report, sealed on the device or as plain answers that the node seals on arrival; no account is needed", Body: ReportPost{}, Answer: ReportPosted{}})
	say := public("POST", "/thread/message", ".say", a.inTurn(a.sayInThread), web.Doc{Summary: "Add a sealed message to the thread that a receipt opens", Body: ReportSaid{}, Answer: ReportThreadView{}})
	for _, r := range []*web.Route{&post, &say} {
		r.MaxBody, r.Timeout = maxReportBody, reportTimeout
	}
	out := []web.Route{post, say,
		public("POST", "/thread", ".thread", a.showThread, web.Doc{Summary: "Open the thread of an anonymous report by what its receipt gives", Body: ReportProof{}, Answer: ReportThreadView{}}),
		public("GET", "/desks", ".desks", a.listDesks, web.Doc{Summary: "Desks that anybody may report to, with their readers", Answer: reportDeskList{}}),
		public("GET", "/desks/{alias}", ".desk", a.showDesk, web.Doc{Summary: "One desk, listed or not, with its readers and the list of their keys", Answer: DeskView{}}),
	}
	return append(append(out, a.inboxRoutes()...), a.deskRoutes()...)
}

// inboxRoutes are those of readers.
func (a *API) inboxRoutes() []web.Route {
	inbox := func(method, pattern, exit string, h reportServe, doc web.Doc) web.Route {
		return web.Route{Method: method, Pattern: "/api/v1/reports/inbox" + pattern, Need: web.Reader, Exit: "cases.api.inbox" + exit, Handler: h.serve, Doc: &doc}
	}
	act := func(name, summary string, do func(context.Context, polder.Actor, string) (ReportView, error)) web.Route {
		return inbox("POST", "/{id}/"+name, "."+name, reportAct(do), web.Doc{Summary: summary, Answer: ReportView{}})
	}
	return []web.Route{
		inbox("GET", "", "", a.listInbox, web.Doc{Summary: "Reports of the desks that you read for, the oldest first; open ones, without state", Answer: reportInboxPage{}, Query: map[string]string{
			"desk": "alias of one desk", "state": "new, acknowledged, in-case or closed", "after": "id of the last report of the page before", "limit": reportQueueLimit}}),
		inbox("GET", "/{id}", ".one", reportAct(a.Report), web.Doc{Summary: "One report with its messages, sealed", Answer: ReportView{}}),
		act("acknowledge", "Tell the reporter that the report was read", a.AcknowledgeReport),
		act("close", "End the work on a report", a.CloseReport),
		act("reopen", "Take the work on a report up again", a.ReopenReport),
		inbox("POST", "/{id}/messages", ".answer", a.answerReport, web.Doc{Summary: "Answer the reporter with a sealed message", Body: ReportAnswer{}, Answer: ReportView{}}),
		inbox("PUT", "/{id}/case", ".case", a.setReportCase, web.Doc{Summary: "Note the case that came of a report", Body: reportCaseBody{}, Answer: ReportView{}}),
		inbox("POST", "/{id}/wraps", ".wraps", a.addReportWraps, web.Doc{Summary: "Give readers that came later the keys of what a report holds", Body: ReportWraps{}, Answer: ReportView{}}),
		inbox("GET", "/{id}/files/{file}", ".file", a.showReportFile, web.Doc{Summary: "An attachment, sealed: a box as JSON", Gives: reportFileType}),
		inbox("DELETE", "/{id}", ".remove", a.removeReport, web.Doc{Summary: "Remove a closed report for good"}),
	}
}

// reportAct asks for something about the report that the address names.
func reportAct(do func(context.Context, polder.Actor, string) (ReportView, error)) reportServe {
	return func(w http.ResponseWriter, r *http.Request) error {
		v, err := do(r.Context(), web.ActorOf(r), r.PathValue("id"))
		if err == nil {
			web.WriteJSON(w, http.StatusOK, v)
		}
		return err
	}
}

// inTurn has a large post wait for its turn: so many take a bounded memory, however many come.
func (a *API) inTurn(h reportServe) reportServe {
	return func(w http.ResponseWriter, r *http.Request) error {
		if r.ContentLength < 0 || r.ContentLength > reportSmall {
			done, err := a.reports.enterLarge(r.Context(), web.From(r))
			if err != nil {
				return err
			}
			defer done()
		}
		return h(w, r)
	}
}

// reportShape says to who writes a client by hand what a post looks like.
const reportShape = `A report is {"answers":{"what":"Somebody photographed the drawings","noticed":"yesterday"},"anonymous":true}, which the node seals on arrival, ` +
	`or {"box":…,"thread":…}, sealed on the device`

func (a *API) postReport(w http.ResponseWriter, r *http.Request) error {
	var in ReportPost
	if err := web.ReadJSON(r, &in); err != nil {
		if polder.KindOf(err) == polder.Invalid {
			err = polder.Errorf(polder.Invalid, "%w. %s", err, reportShape)
		}
		return err
	}
	out, err := a.PostReport(r.Context(), web.From(r), in)
	if err != nil {
		return err
	}
	w.Header().Set("Cache-Control", "no-store")
	writePadded(w, http.StatusCreated, leastPosted, out, func(v *ReportPosted, pad string) { v.Pad = pad })
	return nil
}

// writePadded answers with v, made as long as the next size class, at least least bytes.
func writePadded[T any](w http.ResponseWriter, status, least int, v T, set func(*T, string)) {
	set(&v, "")
	bare, err := json.Marshal(v)
	if err != nil { // texts and numbers always encode
		panic(err)
	}
	if !fail.Bug("answers-unpadded") {
		set(&v, strings.Repeat("0", seal.PaddedSize(len(bare), least)-len(bare)))
	}
	if w.Header().Get("Content-Type") == "" {
		w.Header().Set("Content-Type", "application/json")
	}
	writeReportJSON(w, status, v)
}

// reportNone is the answer to every receipt that opens nothing: problem details, as long as a short thread.
type reportNone struct {
	Type   string `json:"type"`
	Title  string `json:"title"`
	Status int    `json:"status"`
	Detail string `json:"detail"`
	Pad    string `json:"pad"`
}

// threadAnswer writes a thread, or that there is none, in sizes that tell little.
func threadAnswer(w http.ResponseWriter, v ReportThreadView, err error) error {
	w.Header().Set("Cache-Control", "no-store")
	if errors.Is(err, ErrNoThread) {
		w.Header().Set("Content-Type", "application/problem+json")
		none := reportNone{Type: "about:blank", Title: http.StatusText(http.StatusNotFound), Status: http.StatusNotFound, Detail: ErrNoThread.Error()}
		writePadded(w, http.StatusNotFound, leastThread, none, func(v *reportNone, pad string) { v.Pad = pad })
		return nil
	}
	if err == nil {
		writePadded(w, http.StatusOK, leastThread, v, func(v *ReportThreadView, pad string) { v.Pad = pad })
	}
	return err
}

func (a *API) showThread(w http.ResponseWriter, r *http.Request) error {
	var in ReportProof
	if err := web.ReadJSON(r, &in); err != nil {
		return err
	}
	v, err := a.Thread(r.Context(), web.From(r), in.Proof)
	return threadAnswer(w, v, err)
}

func (a *API) sayInThread(w http.ResponseWriter, r *http.Request) error {
	var in ReportSaid
	if err := web.ReadJSON(r, &in); err != nil {
		return err
	}
	v, err := a.Say(r.Context(), web.From(r), in)
	return threadAnswer(w, v, err)
}

// reportDeskList are desks.
type reportDeskList struct {
	Desks []DeskView `json:"desks"`
}

func (a *API) listDesks(w http.ResponseWriter, r *http.Request) error {
	all, err := a.Desks(r.Context())
	if err == nil {
		web.WriteJSON(w, http.StatusOK, reportDeskList{all})
	}
	return err
}

func (a *API) showDesk(w http.ResponseWriter, r *http.Request) error {
	d, err := a.DeskNamed(r.Context(), r.PathValue("alias"))
	if err == nil {
		web.WriteJSON(w, http.StatusOK, d)
	}
	return err
}

// reportInboxPage is a page of a queue.
type reportInboxPage struct {
	Reports []ReportView `json:"reports"` // of messages it holds that they are there, not what they say
	Next    string       `json:"next,omitempty"`
}

func (a *API) listInbox(w http.ResponseWriter, r *http.Request) error {
	q := r.URL.Query()
	f := ReportFilter{Desk: q.Get("desk"), State: ReportState(q.Get("state")), After: q.Get("after"), Limit: 50}
	if text := q.Get("limit"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 {
			return polder.Errorf(polder.Invalid, "limit: %.20q is not a number from 1 to 200", text)
		}
		f.Limit = n
	}
	all, err := a.Reports(r.Context(), web.ActorOf(r), f)
	if err != nil {
		return err
	}
	page := reportInboxPage{Reports: all}
	if len(all) == f.Limit {
		page.Next = all[len(all)-1].ID
	}
	web.WriteJSON(w, http.StatusOK, page)
	return nil
}

func (a *API) answerReport(w http.ResponseWriter, r *http.Request) error {
	var in ReportAnswer
	if err := web.ReadJSON(r, &in); err != nil {
		return err
	}
	return reportAct(func(ctx context.Context, by polder.Actor, id string) (ReportView, error) {
		return a.AnswerReport(ctx, by, id, in)
	})(w, r)
}

// reportCaseBody names a case; an empty one takes the note away.
type reportCaseBody struct {
	Case CaseID `json:"case"`
}

func (a *API) setReportCase(w http.ResponseWriter, r *http.Request) error {
	var in reportCaseBody
	if err := web.ReadJSON(r, &in); err != nil {
		return err
	}
	return reportAct(func(ctx context.Context, by polder.Actor, id string) (ReportView, error) {
		return a.SetReportCase(ctx, by, id, in.Case)
	})(w, r)
}

func (a *API) addReportWraps(w http.ResponseWriter, r *http.Request) error {
	var in ReportWraps
	if err := web.ReadJSON(r, &in); err != nil {
		return err
	}
	return reportAct(func(ctx context.Context, by polder.Actor, id string) (ReportView, error) {
		return a.AddReportWraps(ctx, by, id, in)
	})(w, r)
}

func (a *API) showReportFile(w http.ResponseWriter, r *http.Request) error {
	f, size, err := a.ReportFile(r.Context(), web.ActorOf(r), r.PathValue("id"), r.PathValue("file"))
	if err != nil {
		return err
	}
	defer f.Close()
	h := w.Header()
	h.Set("Content-Type", reportFileType)
	h.Set("Content-Disposition", `attachment; filename="attachment.sealed"`)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cache-Control", "no-store")
	h.Set("Content-Length", strconv.FormatInt(size, 10))
	_, _ = io.Copy(w, f) // the client is gone
	return nil
}

func (a *API) removeReport(w http.ResponseWriter, r *http.Request) error {
	if err := a.RemoveReport(r.Context(), web.ActorOf(r), r.PathValue("id")); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}
