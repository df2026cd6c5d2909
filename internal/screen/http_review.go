package screen

import (
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/polder-exchange/polder/internal/screen/lists"
	"github.com/polder-exchange/polder/internal/web"
)

func (a *API) reviewRoutes() []web.Route {
	return []web.Route{
		apiRoute("GET", "/reviews", ".reviews", web.Reader, a.reviews, web.Doc{Summary: "The queue of your organisation: hits that wait for a person, the best first", Answer: reviewList{}, Query: map[string]string{
			"state": "open, second, true, false, closed or all; what waits without it", "list": "only hits on this list", "group": "only parties of this group", "party": "only of this known party", "batch": "only those that this batch first met",
			"text": "only those whose party, reference or listing holds it", "asked": "yes: only those where something must be known first", "second": "yes: only those that wait for another person", "sort": "-score, -made or made", "limit": "at most 200; 50 without it", "next": "where the page begins, as the page before said"}}),
		apiRoute("GET", "/reviews/{id}", ".review", web.Reader, a.review, web.Doc{Summary: "A review with what was compared, and its whole history", Answer: reviewFull{}}),
		apiRoute("POST", "/reviews/{id}/decision", ".decision", web.Contributor, a.decide, web.Doc{Summary: "Say what a review is: true (the same party), false (another one) or more (something must be known first); where two people must agree, a token is none", Body: decisionBody{}, Answer: reviewItem{}}),
	}
}

// reviewItem is a review in a list.
type reviewItem struct {
	ID       string     `json:"id"`
	Party    string     `json:"party,omitempty"`
	Group    string     `json:"group,omitempty"`
	Batch    string     `json:"batch,omitempty"`
	Query    Query      `json:"query"`
	List     string     `json:"list"`
	Listing  string     `json:"listing"` // the list's own id
	Name     string     `json:"name"`
	Score    float64    `json:"score"`
	Why      string     `json:"why"`
	State    State      `json:"state"`
	Question string     `json:"question,omitempty"`
	Verdict  Verdict    `json:"verdict,omitempty"` // said last; with state "second" another person must agree with it
	By       string     `json:"by,omitempty"`
	Reason   string     `json:"reason,omitempty"`
	Decided  *time.Time `json:"decided,omitempty"`
	Note     string     `json:"note,omitempty"`
	Made     time.Time  `json:"made"`
	Changed  time.Time  `json:"changed"`
	Version  int        `json:"version"` // a decision names the one that it saw
}

type reviewList struct {
	Reviews []reviewItem `json:"reviews"`
	Next    string       `json:"next,omitempty"`
}

// apiTime leaves a time out that is not there.
func apiTime(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

func reviewItemOf(r Review) reviewItem {
	return reviewItem{r.ID, r.Party, r.Group, r.Batch, r.Query, r.List, r.Listing, r.Name, r.Score, r.Why, r.State, r.Question, r.Verdict, r.By, r.Reason, apiTime(r.Decided), r.Note, r.Made, r.Changed, r.Version}
}

func (a *API) reviews(w http.ResponseWriter, r *http.Request) error {
	f, err := queueFilterOf(r.URL.Query())
	if err != nil {
		return err
	}
	page, err := a.Queue(r.Context(), web.ActorOf(r), f)
	if err != nil {
		return err
	}
	out := reviewList{Reviews: []reviewItem{}, Next: page.Next}
	for _, one := range page.Reviews {
		out.Reviews = append(out.Reviews, reviewItemOf(one))
	}
	web.WriteJSON(w, http.StatusOK, out)
	return nil
}

// reviewFull is a review with all that belongs to it.
type reviewFull struct {
	reviewItem
	Comparison apiComparison `json:"comparison"`
	History    []apiDecision `json:"history"` // the oldest first
	May        []Verdict     `json:"may"`     // what whoever asks may say now
	WhyNot     string        `json:"why_not,omitempty"`
}

// apiComparison is what was seen last.
type apiComparison struct {
	At        time.Time   `json:"at"`
	Threshold float64     `json:"threshold"`
	Means     string      `json:"means"`
	Parts     []Part      `json:"parts"`
	Listing   lists.Entry `json:"listing"`
	List      askedList   `json:"list"`
}

type apiDecision struct {
	At       time.Time `json:"at"`
	By       string    `json:"by,omitempty"` // nobody: the node wrote it by itself
	Verdict  Verdict   `json:"verdict"`
	State    State     `json:"state"`
	Reason   string    `json:"reason,omitempty"`
	Score    float64   `json:"score"`
	List     string    `json:"list,omitempty"`
	ListDate string    `json:"list_date,omitempty"`
	SHA256   string    `json:"sha256,omitempty"`
}

func (a *API) review(w http.ResponseWriter, r *http.Request) error {
	d, err := a.Review(r.Context(), web.ActorOf(r), r.PathValue("id"))
	if err != nil {
		return err
	}
	now := d.Now()
	out := reviewFull{reviewItem: reviewItemOf(d.Review), History: []apiDecision{}, May: orEmpty(d.MayDecide), WhyNot: d.WhyNot,
		Comparison: apiComparison{now.At, now.Threshold, MeaningOf(now.Threshold).Words(), orEmpty(now.Hit.Parts), now.Listing, askedLists([]lists.Meta{now.List})[0]}}
	for _, h := range d.History {
		out.History = append(out.History, apiDecision{h.At, h.By, h.Verdict, h.State, h.Reason, h.Score, h.List, h.ListDate, h.SHA256})
	}
	web.WriteJSON(w, http.StatusOK, out)
	return nil
}

// orEmpty is all, or a list of nothing: JSON has [] then, and not null.
func orEmpty[T any](all []T) []T {
	if all == nil {
		return []T{}
	}
	return all
}

type decisionBody struct {
	Verdict Verdict `json:"verdict"`
	Reason  string  `json:"reason"`
	Version int     `json:"version"` // of the review, as it was read
}

func (a *API) decide(w http.ResponseWriter, r *http.Request) error {
	var body decisionBody
	if err := web.ReadJSON(r, &body); err != nil {
		return err
	}
	out, err := a.Decide(r.Context(), web.ActorOf(r), r.PathValue("id"), Judgement{body.Verdict, body.Reason, body.Version})
	if err != nil {
		return err
	}
	web.WriteJSON(w, http.StatusOK, reviewItemOf(out))
	return nil
}

func (a *API) recordRoutes() []web.Route {
	days := map[string]string{"from": "the first day, as 2026-01-01", "to": "the last day"}
	csv := apiRoute("GET", "/record.csv", ".record", web.Reader, a.recordCSV, web.Doc{Summary: "The auditor's record of a time as a table: every answer, decision and erasure", Query: days, Gives: "text/csv"})
	pdf := apiRoute("GET", "/record.pdf", ".record", web.Reader, a.recordPDF, web.Doc{Summary: "The same to print", Query: days, Gives: "application/pdf"})
	csv.Timeout, pdf.Timeout = uploadTimeout, uploadTimeout
	return []web.Route{
		apiRoute("GET", "/records", ".records", web.Reader, a.records, web.Doc{Summary: "The answers of your organisation that are on record, the newest first", Answer: recordList{}, Query: map[string]string{
			"party": "only about this known party", "text": "only those whose name, reference or note holds it", "hit": "yes: only those that met something", "limit": "at most 200; 50 without it", "next": "where the page begins, as the page before said"}}),
		apiRoute("GET", "/records/{id}", ".record-of", web.Reader, a.recordOne, web.Doc{Summary: "An answer on record, with the lists that were asked", Answer: recordItem{}}),
		apiRoute("POST", "/records/{id}/erase", ".record-of", web.Steward, a.eraseRecord, web.Doc{Summary: "Erase an answer on record, with all that is kept of the same query about nobody known", Body: eraseBody{}, Answer: erasedAnswer{}}),
		csv, pdf,
		apiRoute("GET", "/settings", ".settings", web.Reader, a.settings, web.Doc{Summary: "What your organisation chose for screening, and what thresholds do", Answer: settingsItem{}}),
		apiRoute("PUT", "/settings", ".settings", web.Steward, a.setSettings, web.Doc{Summary: "Change what your organisation chose; version is the one that you read", Body: settingsBody{}, Answer: settingsItem{}}),
	}
}

// recordItem is an answer on record.
type recordItem struct {
	ID        string      `json:"id"`
	At        time.Time   `json:"at"`
	By        string      `json:"by"`
	Party     string      `json:"party,omitempty"`
	Query     Query       `json:"query"`
	Threshold float64     `json:"threshold"`
	Lists     []askedList `json:"lists"`
	Hits      []BriefHit  `json:"hits"`
	More      int         `json:"more,omitempty"` // hits beyond those kept
	Note      string      `json:"note,omitempty"`
}

type recordList struct {
	Records []recordItem `json:"records"`
	Next    string       `json:"next,omitempty"`
}

func recordItemOf(s Screening) recordItem {
	return recordItem{s.ID, s.At, s.By, s.Party, s.Query, s.Threshold, askedLists(s.Lists), orEmpty(s.Hits), s.More, s.Note}
}

// screeningFilterOf is what an address asks of the answers on record.
func screeningFilterOf(q url.Values) (ScreeningFilter, error) {
	f := ScreeningFilter{Party: q.Get("party"), Text: strings.TrimSpace(q.Get("text")), Hit: q.Get("hit") == "yes", Next: q.Get("next")}
	var err error
	f.Limit, err = limitOf(q, 200)
	return f, err
}

func (a *API) records(w http.ResponseWriter, r *http.Request) error {
	f, err := screeningFilterOf(r.URL.Query())
	if err != nil {
		return err
	}
	page, err := a.Screenings(r.Context(), web.ActorOf(r), f)
	if err != nil {
		return err
	}
	out := recordList{Records: []recordItem{}, Next: page.Next}
	for _, s := range page.Screenings {
		out.Records = append(out.Records, recordItemOf(s))
	}
	web.WriteJSON(w, http.StatusOK, out)
	return nil
}

func (a *API) recordOne(w http.ResponseWriter, r *http.Request) error {
	s, err := a.Screening(r.Context(), web.ActorOf(r), r.PathValue("id"))
	if err != nil {
		return err
	}
	web.WriteJSON(w, http.StatusOK, recordItemOf(s))
	return nil
}

// eraseBody says why something is erased.
type eraseBody struct {
	Ground Ground `json:"ground"` // request, mistake or ended
}

// erasedAnswer is what is left of what was erased.
type erasedAnswer struct {
	At        time.Time `json:"at"`
	Ground    Ground    `json:"ground"`
	Parties   int       `json:"parties"`
	Records   int       `json:"records"`
	Reviews   int       `json:"reviews"`
	Decisions int       `json:"decisions"`
	Rows      int       `json:"rows"`
}

func (a *API) eraseRecord(w http.ResponseWriter, r *http.Request) error {
	return apiErase(w, r, func(g Ground) (Tombstone, error) {
		return a.EraseScreening(r.Context(), web.ActorOf(r), r.PathValue("id"), g)
	})
}

func apiErase(w http.ResponseWriter, r *http.Request, erase func(Ground) (Tombstone, error)) error {
	var body eraseBody
	if err := web.ReadJSON(r, &body); err != nil {
		return err
	}
	t, err := erase(body.Ground)
	if err != nil {
		return err
	}
	web.WriteJSON(w, http.StatusOK, erasedAnswer{t.At, t.Ground, t.Parties, t.Screenings, t.Reviews, t.Decisions, t.Rows})
	return nil
}

func (a *API) recordCSV(w http.ResponseWriter, r *http.Request) error {
	return sendRecord(w, r, a.Service, "csv", "from", "to")
}

func (a *API) recordPDF(w http.ResponseWriter, r *http.Request) error {
	return sendRecord(w, r, a.Service, "pdf", "from", "to")
}

// settingsBody is what an organisation chooses.
type settingsBody struct {
	Threshold     float64 `json:"threshold"`
	SecondFrom    float64 `json:"second_from"`     // from this score on "not the same" needs a second person; 0 never
	SecondForTrue bool    `json:"second_for_true"` // "the same" needs one too
	KeepDecided   int     `json:"keep_decided_days"`
	KeepUndecided int     `json:"keep_undecided_days"`
	RecordSingle  bool    `json:"record_single"` // what is asked on the console goes on record by itself
	Version       int     `json:"version"`       // as it was read
}

type settingsItem struct {
	settingsBody
	Means    string     `json:"means"`
	Meanings []Meaning  `json:"meanings"` // what thresholds do, as measured
	By       string     `json:"by,omitempty"`
	Changed  *time.Time `json:"changed,omitempty"`
}

func settingsItemOf(s Settings) settingsItem {
	return settingsItem{settingsBody{s.Threshold, s.SecondFrom, s.SecondForTrue, s.KeepDecided, s.KeepUndecided, s.RecordSingle, s.Version}, MeaningOf(s.Threshold).Words(), Meanings(), s.By, apiTime(s.Changed)}
}

func (a *API) settings(w http.ResponseWriter, r *http.Request) error {
	set, err := a.Settings(r.Context(), web.ActorOf(r))
	if err != nil {
		return err
	}
	web.WriteJSON(w, http.StatusOK, settingsItemOf(set))
	return nil
}

func (a *API) setSettings(w http.ResponseWriter, r *http.Request) error {
	var b settingsBody
	if err := web.ReadJSON(r, &b); err != nil {
		return err
	}
	set, err := a.Set(r.Context(), web.ActorOf(r), Settings{Threshold: b.Threshold, SecondFrom: b.SecondFrom, SecondForTrue: b.SecondForTrue, KeepDecided: b.KeepDecided, KeepUndecided: b.KeepUndecided, RecordSingle: b.RecordSingle, Version: b.Version})
	if err != nil {
		return err
	}
	web.WriteJSON(w, http.StatusOK, settingsItemOf(set))
	return nil
}
