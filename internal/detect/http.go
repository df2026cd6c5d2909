package detect

import (
	"encoding/json"
	"net/http"
	"strconv"
	"time"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/web"
	"github.com/polder-exchange/polder/stix"
)

// API is the REST face of detection.
type API struct {
	*Service
	Intake *Intake // nil takes no events in
	slots  chan struct{}
}

// NewAPI makes the REST face of a service. Without an intake it takes no events in.
func NewAPI(s *Service, in *Intake) *API { return &API{s, in, make(chan struct{}, maxAtOnce)} }

// Routes are those of the REST API.
func (a *API) Routes() []web.Route {
	route := func(method, pattern, exit string, need web.Need, h web.Handler, doc web.Doc) web.Route {
		return web.Route{Method: method, Pattern: "/api/v1/" + pattern, Need: need, Exit: "api." + exit, Handler: h.Serve, Doc: &doc}
	}
	return []web.Route{
		a.eventsRoute(),
		route("GET", "alerts", "alerts", web.Reader, a.list, web.Doc{Summary: "The alerts of your organisation, several of one rule, host and account as one", Answer: alertList{}, Query: map[string]string{
			"state": "new, in-work, confirmed, false, closed or suppressed; may be given several times; all but suppressed without it", "level": "informational, low, medium, high or critical; may be given several times",
			"kind": "rule, indicator, pattern or correlation; may be given several times", "host": "may be given several times", "object": "the id of a shared object that they rest on",
			"sort": "-last, last, -level or -count", "limit": "at most 200; 50 without it", "next": "where the page begins, as the page before said"}}),
		route("GET", "alerts/{id}", "alert", web.Reader, a.one, web.Doc{Summary: "An alert with its evidence and events", Answer: alertFull{}}),
		route("POST", "alerts/{id}/state", "alert.state", web.Contributor, a.decide, web.Doc{Summary: "Say how far you are with an alert; false asks for a reason", Body: stateBody{}, Answer: stateAnswer{}}),
		route("GET", "alerts/{id}/sighting", "alert.sighting", web.Contributor, a.previewSighting, web.Doc{Summary: "Exactly what would leave if you shared a confirmed alert as a sighting; nothing leaves", Answer: leavingAnswer{}}),
		route("POST", "alerts/{id}/sighting", "alert.sighting", web.Contributor, a.shareSighting, web.Doc{Summary: "Share a confirmed alert as a sighting: counts and times, and the text that you add", Body: sightingAsk{}, Answer: sightingAnswer{}}),
		route("GET", "suppressions", "suppressions", web.Reader, a.suppressions, web.Doc{Summary: "The suppressions of your organisation, those that count first", Answer: suppressionList{}}),
		route("POST", "suppressions", "suppressions", web.Contributor, a.suppress, web.Doc{Summary: "Keep alerts of a rule within a scope out of the queue until a time", Body: suppressionBody{}, Answer: suppressionItem{}}),
		route("GET", "suppressions/{id}", "suppression", web.Reader, a.suppression, web.Doc{Summary: "A suppression", Answer: suppressionItem{}}),
		route("PATCH", "suppressions/{id}", "suppression", web.Contributor, a.changeSuppression, web.Doc{Summary: "Give a suppression another reason or end", Body: suppressionChange{}, Answer: suppressionItem{}}),
		route("DELETE", "suppressions/{id}", "suppression", web.Contributor, a.endSuppression, web.Doc{Summary: "End a suppression now"}),
	}
}

// alertItem is a group of alerts in a list.
type alertItem struct {
	ID        string     `json:"id"`
	Kind      Kind       `json:"kind"`
	Rule      string     `json:"rule,omitempty"`
	Title     string     `json:"title,omitempty"`
	Level     Level      `json:"level"`
	Why       string     `json:"why,omitempty"`
	TLP       string     `json:"tlp,omitempty"`
	Host      string     `json:"host,omitempty"`
	Account   string     `json:"account,omitempty"`
	Count     int        `json:"count"`
	First     time.Time  `json:"first_seen"`
	Last      time.Time  `json:"last_seen"`
	State     State      `json:"state"`
	By        string     `json:"by,omitempty"`
	Reason    string     `json:"reason,omitempty"`
	Changed   time.Time  `json:"changed"`
	Sighting  string     `json:"sighting,omitempty"`
	Withdrawn bool       `json:"withdrawn,omitempty"` // what it rests on is no longer for you: nothing of that is told
	Origin    *apiOrigin `json:"origin,omitempty"`
}

// apiOrigin is whose knowledge an alert rests on.
type apiOrigin struct {
	Object     string   `json:"object,omitempty"`
	Community  string   `json:"community,omitempty"`
	PAP        string   `json:"pap,omitempty"`
	Author     string   `json:"author,omitempty"`
	License    string   `json:"license,omitempty"`
	References []string `json:"references,omitempty"`
	Tags       []string `json:"tags,omitempty"`
	List       string   `json:"list,omitempty"`
}

type alertList struct {
	Alerts []alertItem `json:"alerts"`
	Next   string      `json:"next,omitempty"`
}

func itemOf(g Shown) alertItem {
	out := alertItem{ID: g.ID, Kind: g.Kind, Rule: g.Rule, Title: g.Title, Level: g.Level, Why: g.Why, Host: g.Host, Account: g.Account, Count: g.Count, First: g.First, Last: g.Last,
		State: g.State, By: g.By, Reason: g.Reason, Changed: g.Changed, Sighting: g.Sighting, Withdrawn: g.Hidden}
	if level := g.TLP(); level != stix.None {
		out.TLP = level.String()
	}
	if g.Hidden {
		out.Sighting = ""
		return out
	}
	o := g.Origin
	out.Origin = &apiOrigin{Object: o.Object, Community: o.Community, Author: o.Author, License: o.License, References: o.References, Tags: o.Tags, List: o.List}
	if o.PAP != stix.PAPNone {
		out.Origin.PAP = o.PAP.String()
	}
	return out
}

func typed[T ~string](in []string) (out []T) {
	for _, s := range in {
		out = append(out, T(s))
	}
	return out
}

// filterOf is what an address asks of the list.
func filterOf(q map[string][]string) (f Filter, err error) {
	get := func(name string) string {
		if v := q[name]; len(v) > 0 {
			return v[0]
		}
		return ""
	}
	f = Filter{States: typed[State](q["state"]), Levels: typed[Level](q["level"]), Kinds: typed[Kind](q["kind"]), Hosts: q["host"], Object: get("object"), Sort: get("sort"), Next: get("next")}
	if text := get("limit"); text != "" {
		if f.Limit, err = strconv.Atoi(text); err != nil || f.Limit < 1 {
			return f, polder.Errorf(polder.Invalid, "limit: %.40q is not a number from 1 to 200", text)
		}
	}
	return f, nil
}

func (a *API) list(w http.ResponseWriter, r *http.Request) error {
	f, err := filterOf(r.URL.Query())
	if err != nil {
		return err
	}
	page, err := a.Alerts(r.Context(), web.ActorOf(r), f)
	if err != nil {
		return err
	}
	out := alertList{Alerts: []alertItem{}, Next: page.Next}
	for _, g := range page.Groups {
		out.Alerts = append(out.Alerts, itemOf(g))
	}
	web.WriteJSON(w, http.StatusOK, out)
	return nil
}

// alertFull is an alert with all that is kept of it.
type alertFull struct {
	alertItem
	Alerts    []apiAlert  `json:"alerts"` // the latest first, at most 50
	History   []apiChange `json:"history"`
	NextSteps []string    `json:"next_steps,omitempty"`
}

type apiAlert struct {
	ID       string     `json:"id"`
	Time     time.Time  `json:"time"`
	Received time.Time  `json:"received"`
	File     string     `json:"file"`
	Event    int        `json:"event"`
	Evidence []Evidence `json:"evidence,omitempty"`
	Events   []string   `json:"events,omitempty"` // as they were received
	Cut      bool       `json:"cut,omitempty"`    // some bytes of the events are left out
}

type apiChange struct {
	Time   time.Time `json:"time"`
	By     string    `json:"by"`
	What   string    `json:"what"`
	Reason string    `json:"reason,omitempty"`
}

func (a *API) one(w http.ResponseWriter, r *http.Request) error {
	sh, err := a.Alert(r.Context(), web.ActorOf(r), r.PathValue("id"))
	if err != nil {
		return err
	}
	out := alertFull{alertItem: itemOf(sh.Shown), Alerts: []apiAlert{}, History: []apiChange{}, NextSteps: sh.Steps}
	for _, m := range sh.Alerts {
		one := apiAlert{m.ID, m.Time, m.Received, m.File, m.Event, m.Evidence, nil, m.Cut}
		for _, e := range m.Events {
			one.Events = append(one.Events, string(e))
		}
		out.Alerts = append(out.Alerts, one)
	}
	for _, c := range sh.History {
		out.History = append(out.History, apiChange{c.At, c.By, c.What, c.Reason})
	}
	web.WriteJSON(w, http.StatusOK, out)
	return nil
}

type stateBody struct {
	State  State  `json:"state"`
	Reason string `json:"reason"`
}

// stateAnswer tells what a rule shared of a confirmed alert, or why it did not.
type stateAnswer struct {
	State    State  `json:"state"`
	Sighting string `json:"sighting,omitempty"`
	Refused  string `json:"sighting_refused,omitempty"`
}

func (a *API) decide(w http.ResponseWriter, r *http.Request) error {
	var body stateBody
	if err := web.ReadJSON(r, &body); err != nil {
		return err
	}
	out, err := a.Decide(r.Context(), web.ActorOf(r), r.PathValue("id"), body.State, body.Reason)
	if err != nil {
		return err
	}
	web.WriteJSON(w, http.StatusOK, stateAnswer{body.State, out.ID, out.Refused})
	return nil
}

type leavingAnswer struct {
	Object   json.RawMessage `json:"object"`
	TLP      string          `json:"tlp"`
	Readers  int             `json:"readers"`
	Warnings []string        `json:"warnings,omitempty"`
}

func (a *API) previewSighting(w http.ResponseWriter, r *http.Request) error {
	_, out, err := a.PreviewSighting(r.Context(), web.ActorOf(r), r.PathValue("id"), Extra{})
	if err != nil {
		return err
	}
	web.WriteJSON(w, http.StatusOK, leavingAnswer{out.Raw, out.Level.String(), out.Readers, out.Warnings})
	return nil
}

type sightingAsk struct {
	Text    string `json:"description"`
	Named   bool   `json:"named"`
	Confirm bool   `json:"confirm"`
}

type sightingAnswer struct {
	ID string `json:"id"`
}

func (a *API) shareSighting(w http.ResponseWriter, r *http.Request) error {
	var body sightingAsk
	if err := web.ReadJSON(r, &body); err != nil {
		return err
	}
	id, err := a.ShareSighting(r.Context(), web.ActorOf(r), r.PathValue("id"), Extra{body.Text, body.Named, body.Confirm})
	if err != nil {
		return err
	}
	web.WriteJSON(w, http.StatusCreated, sightingAnswer{id})
	return nil
}

type suppressionItem struct {
	ID      string     `json:"id"`
	Rule    string     `json:"rule,omitempty"`
	Title   string     `json:"title,omitempty"`
	Scope   Scope      `json:"scope"`
	Value   string     `json:"value"`
	Reason  string     `json:"reason"`
	By      string     `json:"by"`
	Made    time.Time  `json:"created"`
	Until   time.Time  `json:"until"`
	Ended   *time.Time `json:"ended,omitempty"`
	EndedBy string     `json:"ended_by,omitempty"`
	Active  bool       `json:"active"`
	Hidden  bool       `json:"withdrawn,omitempty"`
	Count   int        `json:"count"`
}

type suppressionList struct {
	Suppressions []suppressionItem `json:"suppressions"`
}

type suppressionBody struct {
	Rule   string    `json:"rule"`
	Scope  Scope     `json:"scope"`
	Value  string    `json:"value"`
	Reason string    `json:"reason"`
	Until  time.Time `json:"until"`
	Alert  string    `json:"alert"` // taken out of the queue too; may be empty
}

type suppressionChange struct {
	Reason string    `json:"reason"`
	Until  time.Time `json:"until"`
}

func (a *API) suppressionItem(u Suppression) suppressionItem {
	out := suppressionItem{ID: u.ID, Rule: u.Rule, Title: u.Title, Scope: u.Scope, Value: u.Value, Reason: u.Reason, By: u.By, Made: u.Made, Until: u.Until, EndedBy: u.EndedBy, Active: u.Active(a.o.Now()), Hidden: u.Hidden, Count: u.Count}
	if !u.Ended.IsZero() {
		out.Ended = &u.Ended
	}
	return out
}

func (a *API) suppressions(w http.ResponseWriter, r *http.Request) error {
	all, err := a.Suppressions(r.Context(), web.ActorOf(r))
	if err != nil {
		return err
	}
	out := suppressionList{[]suppressionItem{}}
	for _, u := range all {
		out.Suppressions = append(out.Suppressions, a.suppressionItem(u))
	}
	web.WriteJSON(w, http.StatusOK, out)
	return nil
}

func (a *API) suppression(w http.ResponseWriter, r *http.Request) error {
	return a.answerSuppression(w, r, r.PathValue("id"), http.StatusOK)
}

func (a *API) answerSuppression(w http.ResponseWriter, r *http.Request, id string, status int) error {
	u, err := a.Suppression(r.Context(), web.ActorOf(r), id)
	if err != nil {
		return err
	}
	web.WriteJSON(w, status, a.suppressionItem(u))
	return nil
}

func (a *API) suppress(w http.ResponseWriter, r *http.Request) error {
	var body suppressionBody
	if err := web.ReadJSON(r, &body); err != nil {
		return err
	}
	u, err := a.Suppress(r.Context(), web.ActorOf(r), Suppression{Rule: body.Rule, Scope: body.Scope, Value: body.Value, Reason: body.Reason, Until: body.Until}, body.Alert)
	if err != nil {
		return err
	}
	return a.answerSuppression(w, r, u.ID, http.StatusCreated)
}

func (a *API) changeSuppression(w http.ResponseWriter, r *http.Request) error {
	var body suppressionChange
	if err := web.ReadJSON(r, &body); err != nil {
		return err
	}
	if err := a.ChangeSuppression(r.Context(), web.ActorOf(r), r.PathValue("id"), body.Reason, body.Until); err != nil {
		return err
	}
	return a.answerSuppression(w, r, r.PathValue("id"), http.StatusOK)
}

func (a *API) endSuppression(w http.ResponseWriter, r *http.Request) error {
	if err := a.EndSuppression(r.Context(), web.ActorOf(r), r.PathValue("id")); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}
