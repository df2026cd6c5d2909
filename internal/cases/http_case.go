package cases

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/web"
	"github.com/polder-exchange/polder/stix"
)

// caseHandler answers a request, or says what is wrong with it.
type caseHandler func(http.ResponseWriter, *http.Request) error

func (h caseHandler) serve(w http.ResponseWriter, r *http.Request) {
	err := h(w, r)
	if err == nil {
		return
	}
	body := CaseProblem{Type: "about:blank", Title: http.StatusText(http.StatusConflict), Status: http.StatusConflict, Detail: err.Error()}
	if conflict, ok := errors.AsType[*CaseConflict](err); ok {
		body.Current = conflict.current()
	} else if hold, ok := errors.AsType[*CarelessHold](err); ok {
		body.Found = hold.Found
	} else {
		web.Problem(w, r, err)
		return
	}
	text, err := json.Marshal(body)
	if err != nil { // texts, numbers and times always encode
		panic(err)
	}
	w.Header().Set("Content-Type", "application/problem+json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(http.StatusConflict)
	w.Write(append(text, '\n'))
}

// CaseProblem is the answer (RFC 9457) to a change that was made on an older version, or whose text holds what is marked
// stricter.
type CaseProblem struct {
	Type    string     `json:"type"`
	Title   string     `json:"title"`
	Status  int        `json:"status"`
	Detail  string     `json:"detail"`
	Current any        `json:"current,omitempty"` // what stands there now
	Found   []Careless `json:"found,omitempty"`   // confirm, and it may stand there
}

// current is what stands there now.
func (c *CaseConflict) current() any {
	switch {
	case c.Case != nil:
		return c.Case
	case c.Item != nil:
		return c.Item
	case c.Damage != nil:
		return c.Damage
	}
	return c.Jewel
}

func caseRoute(method, pattern, exit string, need web.Need, h caseHandler, doc web.Doc) web.Route {
	return web.Route{Method: method, Pattern: "/api/v1/cases" + pattern, Need: need, Exit: "cases.api.case" + exit, Handler: h.serve, Doc: &doc}
}

func (a *API) caseRoutes() []web.Route {
	out := []web.Route{
		caseRoute("GET", "", "", web.Reader, a.cases, web.Doc{Summary: "The cases that you were let into, the latest opened first", Answer: CasePage{}, Query: map[string]string{
			"text": "only those whose title or summary holds it", "status": "open, contained or closed", "open": "yes: all but closed ones", "class": "of the RSIT", "severity": "low, medium, high or critical", "road": "cyber, insider, acquisition, export, research or unknown",
			"kind": "incident, near-miss, approach or suspicion", "archived": "yes: those that were put away", "sort": "opened, changed or severity", "limit": "at most 200; 50 without it", "next": "where the page begins, as the page before said"}}),
		caseRoute("POST", "", "", web.Contributor, a.openCase, web.Doc{Summary: "Open a case; you become its lead, and nobody else sees it", Body: CaseNew{}, Answer: CaseView{}}),
		caseRoute("GET", "/titles", ".titles", web.Steward, a.caseTitles, web.Doc{Summary: "The titles of your organisation's cases that its settings let stewards list", Answer: CasePage{}, Query: map[string]string{"next": "where the page begins, as the page before said"}}),
		caseRoute("GET", "/orphaned", ".orphaned", web.Steward, a.orphanedCases, web.Doc{Summary: "Cases of your organisation that nobody leads any more, since their leads are disabled or gone: the day on which each was opened, and nothing else", Answer: CaseOrphanList{}}),
		caseRoute("POST", "/orphaned", ".orphaned", web.Steward, a.handOverCase, web.Doc{Summary: "Make a colleague lead such a case; not yourself", Body: CaseOrphanLead{}}),
		caseRoute("GET", "/tasks", ".tasks", web.Reader, a.caseTasks, web.Doc{Summary: "Your tasks that are not done, the most urgent first", Answer: CaseTaskList{}}),
		caseRoute("POST", "/naming", ".naming", web.Reader, a.casesNaming, web.Doc{Summary: "Your cases that name a value", Body: CaseNamingBody{}, Answer: CaseRefList{}}),
		caseRoute("GET", "/settings", ".settings", web.Reader, a.caseSettings, web.Doc{Summary: "Your organisation's choices about its cases", Answer: CaseSettings{}}),
		caseRoute("PUT", "/settings", ".settings", web.Steward, a.setCaseSettings, web.Doc{Summary: "Change them; version is the one that you read", Body: CaseSettings{}, Answer: CaseSettings{}}),
		caseRoute("GET", "/{id}", ".one", web.Reader, a.oneCase, web.Doc{Summary: "A case, as far as you may see it", Answer: CaseView{}}),
		caseRoute("PATCH", "/{id}", ".one", web.Contributor, a.changeCase, web.Doc{Summary: "Change fields of a case; version (or If-Match) is the one that you read. 409 carries what stands there now as current, or what your text gives away as found", Body: CaseChange{}, Answer: CaseView{}}),
		caseRoute("POST", "/{id}/status", ".status", web.Contributor, a.setCaseStatus, web.Doc{Summary: "Contain, close or open a case again", Body: CaseStatusChange{}, Answer: CaseView{}}),
		caseRoute("POST", "/{id}/archive", ".archive", web.Contributor, a.archiveCase, web.Doc{Summary: "Put a closed case away, or take it out again", Body: CaseArchiveBody{}, Answer: CaseView{}}),
		caseRoute("POST", "/{id}/announce", ".announce", web.Contributor, a.announceCase, web.Doc{Summary: "Let the contact points of a case see its header"}),
		caseRoute("GET", "/{id}/history", ".history", web.Reader, a.caseHistory, web.Doc{Summary: "What became of a case, the latest first", Answer: CaseHistoryList{}}),
		caseRoute("GET", "/{id}/similar", ".similar", web.Reader, a.similarCases, web.Doc{Summary: "Your other open cases that hold one of the same observables", Answer: CaseRefList{}}),
		caseRoute("GET", "/{id}/members", ".members", web.Reader, a.caseMembers, web.Doc{Summary: "Who was let into a case", Answer: CaseMemberList{}}),
		caseRoute("POST", "/{id}/members", ".members", web.Contributor, a.setCaseMember, web.Doc{Summary: "Let somebody in, or give a member another part or ceiling", Body: CaseWithWhom{}, Answer: CaseMemberList{}}),
		caseRoute("DELETE", "/{id}/members/{member}", ".members", web.Contributor, a.removeCaseMember, web.Doc{Summary: "End the sight of a member: the id of a person, or of an organisation"}),
		caseRoute("GET", "/{id}/damage", ".damage", web.Reader, a.caseDamage, web.Doc{Summary: "The damage assessment of a case, and what its crown jewels propose", Answer: DamageView{}}),
		caseRoute("PUT", "/{id}/damage", ".damage", web.Contributor, a.assessDamage, web.Doc{Summary: "Sign a damage assessment; version (or If-Match) is the one that you read", Body: DamageBody{}, Answer: DamageView{}}),
		caseRoute("PUT", "/{id}/jewels", ".jewels", web.Contributor, a.touchJewels, web.Doc{Summary: "Say which crown jewels a case touches", Body: CaseJewelsBody{}, Answer: DamageView{}}),
	}
	return append(append(out, a.itemRoutes()...), a.evidenceRoutes()...)
}

// Bodies and answers of these routes.
type (
	// CaseTaskList are tasks.
	CaseTaskList struct {
		Tasks []CaseTask `json:"tasks"`
	}
	// CaseRefList are cases by name.
	CaseRefList struct {
		Cases []CaseRef `json:"cases"`
	}
	// CaseNamingBody asks for a value.
	CaseNamingBody struct {
		Value string `json:"value"`
	}
	// CaseArchiveBody says whether a case is put away.
	CaseArchiveBody struct {
		Archived bool `json:"archived"`
	}
	// CaseHistoryList are steps, the latest first.
	CaseHistoryList struct {
		History []CaseRevision `json:"history"`
	}
	// CaseMemberList are those who were let into a case.
	CaseMemberList struct {
		Members []Member `json:"members"`
	}
	// CaseJewelsBody names crown jewels by their ids.
	CaseJewelsBody struct {
		Jewels []string `json:"jewels"`
	}
	// DamageBody is a damage assessment that somebody signs.
	DamageBody struct {
		Taken     Taken        `json:"taken"`
		Jewels    []string     `json:"jewels,omitempty"`
		What      string       `json:"what"`
		Partners  []string     `json:"partners,omitempty"`
		Products  []string     `json:"products,omitempty"`
		Platforms []string     `json:"platforms,omitempty"`
		Told      []string     `json:"told,omitempty"`
		Measures  string       `json:"measures,omitempty"`
		Level     stix.Marking `json:"tlp,omitempty"`
		Version   int          `json:"version"`
	}
)

// caseID is the case that the address names.
func caseID(r *http.Request) CaseID { return CaseID(r.PathValue("id")) }

// caseVersion is the version that a body or the header If-Match names; the two must not contradict each other.
func caseVersion(r *http.Request, body int) (int, error) {
	head := strings.Trim(strings.TrimPrefix(strings.TrimSpace(r.Header.Get("If-Match")), "W/"), `"`)
	if head == "" {
		return body, nil
	}
	n, err := strconv.Atoi(head)
	switch {
	case err != nil || n < 0:
		return 0, polder.Errorf(polder.Invalid, "If-Match: %.40q is no version; send the number that you read, as \"3\"", head)
	case body != 0 && body != n:
		return 0, polder.Errorf(polder.Invalid, "version: the body says %d, If-Match %d; send one of them", body, n)
	}
	return n, nil
}

// caseHasVersion is caseVersion where there must be one.
func caseHasVersion(r *http.Request, body int) (int, error) {
	n, err := caseVersion(r, body)
	if err == nil && n == 0 {
		err = polder.Errorf(polder.Invalid, "version: is missing; send the version that you read, so that nobody's words are lost")
	}
	return n, err
}

// caseQuery reads the parameters of a list; a word that is misspelt must not be taken for none.
func caseQuery(q url.Values, names ...string) error {
	for name := range q {
		known := name == "lang"
		for _, n := range names {
			known = known || n == name
		}
		if !known {
			return polder.Errorf(polder.Invalid, "%.40q is no parameter of this; use %s", name, strings.Join(names, ", "))
		}
	}
	return nil
}

// caseYes reads a parameter that is yes or no.
func caseYes(q url.Values, name string) (bool, error) {
	switch q.Get(name) {
	case "", "no", "false", "0":
		return false, nil
	case "yes", "true", "1":
		return true, nil
	}
	return false, polder.Errorf(polder.Invalid, "%s: write yes or no", name)
}

// caseNumber reads how many lines are asked for.
func caseNumber(q url.Values) (int, error) {
	if q.Get("limit") == "" {
		return 0, nil
	}
	n, err := strconv.Atoi(q.Get("limit"))
	if err != nil || n < 1 || n > maxCasePage {
		return 0, polder.Errorf(polder.Invalid, "limit: %.20q is not a number from 1 to %d", q.Get("limit"), maxCasePage)
	}
	return n, nil
}

func (a *API) cases(w http.ResponseWriter, r *http.Request) (err error) {
	q := r.URL.Query()
	if err := caseQuery(q, "text", "status", "open", "class", "severity", "road", "kind", "archived", "sort", "limit", "next"); err != nil {
		return err
	}
	f := CaseFilter{Text: q.Get("text"), Status: Status(q.Get("status")), Class: q.Get("class"), Severity: Severity(q.Get("severity")), Road: Road(q.Get("road")), Kind: Kind(q.Get("kind")), Sort: CaseSort(q.Get("sort")), Next: q.Get("next")}
	if f.Open, err = caseYes(q, "open"); err != nil {
		return err
	}
	if f.Archived, err = caseYes(q, "archived"); err != nil {
		return err
	}
	if f.Limit, err = caseNumber(q); err != nil {
		return err
	}
	page, err := a.Cases(r.Context(), web.ActorOf(r), f)
	if err != nil {
		return err
	}
	web.WriteJSON(w, http.StatusOK, page)
	return nil
}

// caseAnswer writes v, or gives the error.
func caseAnswer[T any](w http.ResponseWriter, status int, v T, err error) error {
	if err != nil {
		return err
	}
	web.WriteJSON(w, status, v)
	return nil
}

func (a *API) openCase(w http.ResponseWriter, r *http.Request) error {
	var body CaseNew
	if err := web.ReadJSON(r, &body); err != nil {
		return err
	}
	c, err := a.OpenCase(r.Context(), web.ActorOf(r), body)
	return caseAnswer(w, http.StatusCreated, c, err)
}

func (a *API) caseTitles(w http.ResponseWriter, r *http.Request) error {
	page, err := a.StewardCases(r.Context(), web.ActorOf(r), r.URL.Query().Get("next"))
	return caseAnswer(w, http.StatusOK, page, err)
}

func (a *API) caseTasks(w http.ResponseWriter, r *http.Request) error {
	tasks, err := a.MyTasks(r.Context(), web.ActorOf(r))
	return caseAnswer(w, http.StatusOK, CaseTaskList{append([]CaseTask{}, tasks...)}, err)
}

func (a *API) casesNaming(w http.ResponseWriter, r *http.Request) error {
	var body CaseNamingBody
	if err := web.ReadJSON(r, &body); err != nil {
		return err
	}
	refs, err := a.CasesNaming(r.Context(), web.ActorOf(r), body.Value)
	return caseAnswer(w, http.StatusOK, CaseRefList{refs}, err)
}

func (a *API) caseSettings(w http.ResponseWriter, r *http.Request) error {
	set, err := a.CaseSettings(r.Context(), web.ActorOf(r))
	return caseAnswer(w, http.StatusOK, set, err)
}

func (a *API) setCaseSettings(w http.ResponseWriter, r *http.Request) error {
	var body CaseSettings
	if err := web.ReadJSON(r, &body); err != nil {
		return err
	}
	set, err := a.SetCaseSettings(r.Context(), web.ActorOf(r), body)
	return caseAnswer(w, http.StatusOK, set, err)
}

func (a *API) oneCase(w http.ResponseWriter, r *http.Request) error {
	c, err := a.Case(r.Context(), web.ActorOf(r), caseID(r))
	if err == nil && !c.Header {
		w.Header().Set("ETag", strconv.Quote(strconv.Itoa(c.Version)))
	}
	return caseAnswer(w, http.StatusOK, c, err)
}

func (a *API) changeCase(w http.ResponseWriter, r *http.Request) (err error) {
	var body CaseChange
	if err := web.ReadJSON(r, &body); err != nil {
		return err
	}
	if body.Version, err = caseHasVersion(r, body.Version); err != nil {
		return err
	}
	c, err := a.ChangeCase(r.Context(), web.ActorOf(r), caseID(r), body)
	return caseAnswer(w, http.StatusOK, c, err)
}

func (a *API) setCaseStatus(w http.ResponseWriter, r *http.Request) (err error) {
	var body CaseStatusChange
	if err := web.ReadJSON(r, &body); err != nil {
		return err
	}
	if body.Version, err = caseHasVersion(r, body.Version); err != nil {
		return err
	}
	c, err := a.SetCaseStatus(r.Context(), web.ActorOf(r), caseID(r), body)
	return caseAnswer(w, http.StatusOK, c, err)
}

func (a *API) archiveCase(w http.ResponseWriter, r *http.Request) error {
	var body CaseArchiveBody
	if err := web.ReadJSON(r, &body); err != nil {
		return err
	}
	c, err := a.ArchiveCase(r.Context(), web.ActorOf(r), caseID(r), body.Archived)
	return caseAnswer(w, http.StatusOK, c, err)
}

func (a *API) announceCase(w http.ResponseWriter, r *http.Request) error {
	if err := a.Announce(r.Context(), web.ActorOf(r), caseID(r)); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

func (a *API) caseHistory(w http.ResponseWriter, r *http.Request) error {
	h, err := a.CaseHistory(r.Context(), web.ActorOf(r), caseID(r))
	return caseAnswer(w, http.StatusOK, CaseHistoryList{append([]CaseRevision{}, h...)}, err)
}

func (a *API) similarCases(w http.ResponseWriter, r *http.Request) error {
	refs, err := a.SimilarCases(r.Context(), web.ActorOf(r), caseID(r))
	return caseAnswer(w, http.StatusOK, CaseRefList{refs}, err)
}

func (a *API) caseMembers(w http.ResponseWriter, r *http.Request) error {
	all, err := a.Members(r.Context(), web.ActorOf(r), caseID(r))
	return caseAnswer(w, http.StatusOK, CaseMemberList{append([]Member{}, all...)}, err)
}

func (a *API) setCaseMember(w http.ResponseWriter, r *http.Request) error {
	var body CaseWithWhom
	if err := web.ReadJSON(r, &body); err != nil {
		return err
	}
	all, err := a.SetMember(r.Context(), web.ActorOf(r), caseID(r), body)
	return caseAnswer(w, http.StatusOK, CaseMemberList{append([]Member{}, all...)}, err)
}

func (a *API) removeCaseMember(w http.ResponseWriter, r *http.Request) error {
	person, org := polder.PersonID(r.PathValue("member")), polder.OrgID("")
	if strings.HasPrefix(string(person), "identity--") {
		person, org = "", polder.OrgID(person)
	}
	if err := a.RemoveMember(r.Context(), web.ActorOf(r), caseID(r), person, org); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

func (a *API) caseDamage(w http.ResponseWriter, r *http.Request) error {
	d, err := a.Damage(r.Context(), web.ActorOf(r), caseID(r))
	return caseAnswer(w, http.StatusOK, d, err)
}

func (a *API) assessDamage(w http.ResponseWriter, r *http.Request) error {
	var b DamageBody
	if err := web.ReadJSON(r, &b); err != nil {
		return err
	}
	version, err := caseVersion(r, b.Version)
	if err != nil {
		return err
	}
	d, err := a.AssessDamage(r.Context(), web.ActorOf(r), caseID(r), Damage{Taken: b.Taken, Jewels: b.Jewels, What: b.What, Partners: b.Partners, Products: b.Products, Platforms: b.Platforms, Told: b.Told, Measures: b.Measures, Level: b.Level, Version: version})
	return caseAnswer(w, http.StatusOK, d, err)
}

func (a *API) touchJewels(w http.ResponseWriter, r *http.Request) error {
	var body CaseJewelsBody
	if err := web.ReadJSON(r, &body); err != nil {
		return err
	}
	d, err := a.TouchJewels(r.Context(), web.ActorOf(r), caseID(r), body.Jewels)
	return caseAnswer(w, http.StatusOK, d, err)
}
