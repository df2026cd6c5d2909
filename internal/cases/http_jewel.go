package cases

import (
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/web"
)

func jewelRoute(method, pattern, exit string, need web.Need, h caseHandler, doc web.Doc) web.Route {
	return web.Route{Method: method, Pattern: "/api/v1/jewels" + pattern, Need: need, Exit: "cases.api.jewel" + exit, Handler: h.serve, Doc: &doc}
}

func (a *API) jewelRoutes() []web.Route {
	in := jewelRoute("POST", "/import", ".import", web.Steward, a.importJewels, web.Doc{Summary: "Take a file of crown jewels, a table with a heading or JSON; its name is in the header X-File-Name. One of a name that the register has is changed", Media: "application/octet-stream", Answer: JewelImport{}})
	in.MaxBody, in.Timeout = maxJewelImport+1, 5*time.Minute
	return []web.Route{
		jewelRoute("GET", "", "", web.Reader, a.jewels, web.Doc{Summary: "The crown jewels of your organisation, by name", Answer: JewelPage{}, Query: map[string]string{
			"text": "only those that hold it", "technology": "an entry of a control list, or how it begins", "removed": "yes: those that are no longer in the register", "limit": "at most 200; 50 without it", "next": "where the page begins, as the page before said"}}),
		jewelRoute("POST", "", "", web.Steward, a.addJewel, web.Doc{Summary: "Add a crown jewel: names and list entries, never the know-how itself", Body: JewelBody{}, Answer: Jewel{}}),
		in,
		jewelRoute("GET", "/{id}", ".one", web.Reader, a.jewel, web.Doc{Summary: "A crown jewel", Answer: Jewel{}}),
		jewelRoute("PUT", "/{id}", ".one", web.Steward, a.setJewel, web.Doc{Summary: "Change a crown jewel; version (or If-Match) is the one that you read. 409 carries what stands there now as current", Body: JewelBody{}, Answer: Jewel{}}),
		jewelRoute("DELETE", "/{id}", ".one", web.Steward, a.removeJewel, web.Doc{Summary: "Take a crown jewel out of the register; cases that name it still do. version (or If-Match) is the one that you read", Answer: Jewel{}, Query: map[string]string{"version": "that you read"}}),
		jewelRoute("POST", "/{id}/restore", ".restore", web.Steward, a.restoreJewel, web.Doc{Summary: "Put a crown jewel back into the register", Body: JewelRestoreBody{}, Answer: Jewel{}}),
		jewelRoute("GET", "/{id}/history", ".history", web.Reader, a.jewelHistory, web.Doc{Summary: "What a crown jewel once was, the latest first", Answer: JewelHistoryList{}}),
	}
}

// Bodies and answers of these routes.
type (
	// JewelBody is a crown jewel as somebody writes it.
	JewelBody struct {
		Name       string   `json:"name"`
		Technology []string `json:"technology,omitempty"`
		Systems    []string `json:"systems,omitempty"`
		Products   []string `json:"products,omitempty"`
		Partners   []string `json:"partners,omitempty"`
		Platforms  []string `json:"platforms,omitempty"`
		Worth      string   `json:"worth,omitempty"`
		Owner      string   `json:"owner,omitempty"`
		Version    int      `json:"version,omitempty"`
	}
	// JewelRestoreBody names the version that was read.
	JewelRestoreBody struct {
		Version int `json:"version"`
	}
	// JewelHistoryList are steps, the latest first.
	JewelHistoryList struct {
		History []JewelRevision `json:"history"`
	}
)

func (b JewelBody) jewel(id string, version int) Jewel {
	return Jewel{ID: id, Name: b.Name, Technology: b.Technology, Systems: b.Systems, Products: b.Products, Partners: b.Partners, Platforms: b.Platforms, Worth: b.Worth, Owner: b.Owner, Version: version}
}

func (a *API) jewels(w http.ResponseWriter, r *http.Request) (err error) {
	q := r.URL.Query()
	if err := caseQuery(q, "text", "technology", "removed", "limit", "next"); err != nil {
		return err
	}
	f := JewelFilter{Text: q.Get("text"), Technology: q.Get("technology"), Next: q.Get("next")}
	if f.Removed, err = caseYes(q, "removed"); err != nil {
		return err
	}
	if f.Limit, err = caseNumber(q); err != nil {
		return err
	}
	page, err := a.Jewels(r.Context(), web.ActorOf(r), f)
	return caseAnswer(w, http.StatusOK, page, err)
}

func (a *API) addJewel(w http.ResponseWriter, r *http.Request) error {
	var body JewelBody
	if err := web.ReadJSON(r, &body); err != nil {
		return err
	}
	j, err := a.SetJewel(r.Context(), web.ActorOf(r), body.jewel("", body.Version))
	return caseAnswer(w, http.StatusCreated, j, err)
}

func (a *API) jewel(w http.ResponseWriter, r *http.Request) error {
	j, err := a.Jewel(r.Context(), web.ActorOf(r), r.PathValue("id"))
	if err == nil {
		w.Header().Set("ETag", strconv.Quote(strconv.Itoa(j.Version)))
	}
	return caseAnswer(w, http.StatusOK, j, err)
}

func (a *API) setJewel(w http.ResponseWriter, r *http.Request) error {
	var body JewelBody
	if err := web.ReadJSON(r, &body); err != nil {
		return err
	}
	version, err := caseHasVersion(r, body.Version)
	if err != nil {
		return err
	}
	j, err := a.SetJewel(r.Context(), web.ActorOf(r), body.jewel(r.PathValue("id"), version))
	return caseAnswer(w, http.StatusOK, j, err)
}

func (a *API) removeJewel(w http.ResponseWriter, r *http.Request) error {
	asked := 0
	if text := r.URL.Query().Get("version"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 {
			return polder.Errorf(polder.Invalid, "version: %.20q is no number", text)
		}
		asked = n
	}
	version, err := caseHasVersion(r, asked)
	if err != nil {
		return err
	}
	j, err := a.RemoveJewel(r.Context(), web.ActorOf(r), r.PathValue("id"), version, true)
	return caseAnswer(w, http.StatusOK, j, err)
}

func (a *API) restoreJewel(w http.ResponseWriter, r *http.Request) error {
	var body JewelRestoreBody
	if err := web.ReadJSON(r, &body); err != nil {
		return err
	}
	version, err := caseHasVersion(r, body.Version)
	if err != nil {
		return err
	}
	j, err := a.RemoveJewel(r.Context(), web.ActorOf(r), r.PathValue("id"), version, false)
	return caseAnswer(w, http.StatusOK, j, err)
}

func (a *API) jewelHistory(w http.ResponseWriter, r *http.Request) error {
	h, err := a.JewelHistory(r.Context(), web.ActorOf(r), r.PathValue("id"))
	return caseAnswer(w, http.StatusOK, JewelHistoryList{append([]JewelRevision{}, h...)}, err)
}

func (a *API) importJewels(w http.ResponseWriter, r *http.Request) error {
	name, err := url.PathUnescape(r.Header.Get("X-File-Name"))
	if err != nil {
		return polder.Errorf(polder.Invalid, "X-File-Name: %w; percent-encode the name as in an address", err)
	}
	if name == "" {
		name = "body"
	}
	out, err := a.ImportJewels(r.Context(), web.ActorOf(r), name, r.Body)
	return caseAnswer(w, http.StatusOK, out, err)
}
