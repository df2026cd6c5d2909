package screen

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/screen/lists"
	"github.com/polder-exchange/polder/internal/web"
	"github.com/polder-exchange/polder/names"
)

// API is the REST face of screening.
type API struct {
	*Service
	keeper ListKeeper
}

// NewAPI makes the REST face of a service and of the lists that it asks.
func NewAPI(s *Service, keeper ListKeeper) *API { return &API{s, keeper} }

// maxAskBody is the longest body of a call that asks about parties.
const maxAskBody = 8 << 20

// Routes are those of the REST API. What is asked stands in no log: routes are logged by their pattern.
func (a *API) Routes() []web.Route {
	return slices.Concat(a.askRoutes(), a.reviewRoutes(), a.partyRoutes(), a.batchRoutes(), a.listRoutes(), a.shareRoutes(), a.recordRoutes())
}

func apiRoute(method, pattern, exit string, need web.Need, h web.Handler, doc web.Doc) web.Route {
	return web.Route{Method: method, Pattern: "/api/v1/screen" + pattern, Need: need, Exit: "api.screen" + exit, Handler: h.Serve, Doc: &doc}
}

// apiUpload is a route that takes a file as its body.
func apiUpload(pattern, exit string, need web.Need, h web.Handler, doc web.Doc) web.Route {
	r := apiRoute("POST", pattern, exit, need, h, doc)
	r.MaxBody, r.Timeout = maxUpload, uploadTimeout
	return r
}

func (a *API) askRoutes() []web.Route {
	ask := apiRoute("POST", "", "", web.Reader, a.askMany, web.Doc{Summary: "Ask the lists about up to 1,000 parties; nothing is kept", Body: askedBody{}, Answer: askedAnswer{}})
	keep := apiRoute("POST", "/records", ".records", web.Contributor, a.keepMany, web.Doc{Summary: "Ask about up to 1,000 parties, put the answers on record and the hits into the queue", Body: keepBody{}, Answer: recordList{}})
	ask.MaxBody, keep.MaxBody = maxAskBody, maxAskBody
	return []web.Route{
		apiRoute("GET", "", "", web.Reader, a.askOne, web.Doc{Summary: "Ask the lists about one party; nothing is kept", Answer: askedOne{}, Query: map[string]string{
			"name": "of the party, in any script", "type": "person, company, vessel or any", "limit": "most hits, at most 1,000; 10 without it", "threshold": "from 0 to 1; your organisation's without it",
			"country": "of an address, registration or flag, ISO 3166-1 alpha-2; never a nationality", "birth": "1961, 1961-04 or 1961-04-30", "id": "a number as kind:value; may be given several times"}}),
		ask, keep,
	}
}

// askQuery are the parameters of GET /api/v1/screen. Others are refused: a threshold that is misspelt must not be taken
// for the usual one.
var askQuery = []string{"name", "type", "limit", "threshold", "country", "birth", "id", "lang"}

// askedOne is the answer about one party.
type askedOne struct {
	Query     Query       `json:"query"`
	Hits      []hitLine   `json:"hits"`
	Lists     []askedList `json:"lists"` // that were asked: no hit says that these, of these dates, do not name the party
	Threshold float64     `json:"threshold"`
	Means     string      `json:"means"` // what the threshold does
	Asked     time.Time   `json:"asked"`
}

// askedList is a list that was asked.
type askedList struct {
	Name    string        `json:"name"`
	Title   string        `json:"title,omitempty"`
	Date    string        `json:"date"`
	Version string        `json:"version,omitempty"`
	SHA256  string        `json:"sha256"`
	Purpose lists.Purpose `json:"purpose"`
	Entries int           `json:"entries"`
	Notes   []string      `json:"notes,omitempty"`
}

func askedLists(all []lists.Meta) []askedList {
	out := make([]askedList, len(all))
	for i, m := range all {
		out[i] = askedList{m.Name, m.Title, m.Date, m.Version, m.SHA256, m.Purpose, m.Entries, m.Notes}
	}
	return out
}

// oneOf reads a single answer of GET.
func (a *API) askOne(w http.ResponseWriter, r *http.Request) error {
	q, o, err := askOf(r.URL.Query())
	if err != nil {
		return err
	}
	answers, err := a.Screen(r.Context(), web.ActorOf(r), []Query{q}, o)
	if err != nil {
		return err
	}
	one := answers[0]
	web.WriteJSON(w, http.StatusOK, askedOne{one.Query, hitLines(&one), askedLists(one.Lists), one.Threshold, MeaningOf(one.Threshold).Words(), one.Asked})
	return nil
}

// hitLines are the hits of an answer with what their lists say of them, as the command line prints them.
func hitLines(a *Answer) []hitLine { return showAnswer(a, nil).Hits }

// askOf is what an address asks.
func askOf(v url.Values) (q Query, o Options, err error) {
	for name := range v {
		if !slices.Contains(askQuery, name) {
			return q, o, polder.Errorf(polder.Invalid, "%.40q is no parameter of this; use %s", name, strings.Join(askQuery[:7], ", "))
		}
	}
	q = Query{Name: v.Get("name"), Country: v.Get("country"), Birth: v.Get("birth")}
	if strings.TrimSpace(q.Name) == "" {
		return q, o, polder.Errorf(polder.Invalid, "name: is empty; write the name of the party, as ?name=Acme+Optics")
	}
	if q.Type, err = names.ParseType(v.Get("type")); err != nil {
		return q, o, polder.Errorf(polder.Invalid, "%w", err)
	}
	for _, text := range v["id"] {
		id, err := ParseIdentifier(text)
		if err != nil {
			return q, o, polder.Errorf(polder.Invalid, "id: %w", err)
		}
		q.Identifiers = append(q.Identifiers, id)
	}
	if o.Limit, err = limitOf(v, MaxLimit); err != nil {
		return q, o, err
	}
	if text := v.Get("threshold"); text != "" {
		if o.Threshold, err = strconv.ParseFloat(text, 64); err != nil || !(o.Threshold >= 0 && o.Threshold <= 1) {
			return q, o, polder.Errorf(polder.Invalid, "threshold: %.40q is not a number from 0 to 1", text)
		}
	}
	return q, o, nil
}

// askedBody is what POST asks.
type askedBody struct {
	Queries   []Query `json:"queries"`             // at most 1,000
	Threshold float64 `json:"threshold,omitempty"` // your organisation's without it
	Limit     int     `json:"limit,omitempty"`     // most hits of each; 10 without it
}

// askedAnswer is the answer about several parties, in their order.
type askedAnswer struct {
	Results   []askedResult `json:"results"`
	Lists     []askedList   `json:"lists"`
	Threshold float64       `json:"threshold"`
	Means     string        `json:"means"`
	Asked     time.Time     `json:"asked"`
}

// askedResult is the answer about one of them.
type askedResult struct {
	Query Query     `json:"query"`
	Hits  []hitLine `json:"hits"`
}

// check refuses what cannot be asked.
func (b askedBody) check() (Options, error) {
	switch {
	case len(b.Queries) == 0:
		return Options{}, polder.Errorf(polder.Invalid, `queries: is empty; send {"queries":[{"name":"Acme Optics"}]}`)
	case b.Limit < 0 || b.Limit > MaxLimit:
		return Options{}, polder.Errorf(polder.Invalid, "limit: %d is not a number from 1 to %d", b.Limit, MaxLimit)
	}
	return Options{Threshold: b.Threshold, Limit: b.Limit}, nil
}

func (a *API) askMany(w http.ResponseWriter, r *http.Request) error {
	var body askedBody
	if err := web.ReadJSON(r, &body); err != nil {
		return err
	}
	o, err := body.check()
	if err != nil {
		return err
	}
	answers, err := a.Screen(r.Context(), web.ActorOf(r), body.Queries, o)
	if err != nil {
		return err
	}
	out := askedAnswer{Results: make([]askedResult, len(answers)), Lists: askedLists(answers[0].Lists), Threshold: answers[0].Threshold, Means: MeaningOf(answers[0].Threshold).Words(), Asked: answers[0].Asked}
	for i := range answers {
		out.Results[i] = askedResult{answers[i].Query, hitLines(&answers[i])}
	}
	web.WriteJSON(w, http.StatusOK, out)
	return nil
}

// keepBody is what is asked and kept.
type keepBody struct {
	askedBody
	Note string `json:"note,omitempty"` // what it is for
}

func (a *API) keepMany(w http.ResponseWriter, r *http.Request) error {
	var body keepBody
	if err := web.ReadJSON(r, &body); err != nil {
		return err
	}
	o, err := body.check()
	if err != nil {
		return err
	}
	by := web.ActorOf(r)
	answers, err := a.Screen(r.Context(), by, body.Queries, o)
	if err != nil {
		return err
	}
	kept, err := a.KeepAll(r.Context(), by, answers, KeepOptions{Note: body.Note})
	if err != nil {
		return err
	}
	out := recordList{Records: []recordItem{}}
	for _, s := range kept {
		out.Records = append(out.Records, recordItemOf(s))
	}
	web.WriteJSON(w, http.StatusCreated, out)
	return nil
}
