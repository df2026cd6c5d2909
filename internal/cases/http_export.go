package cases

import (
	"mime"
	"net/http"
	"net/url"
	"strconv"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/web"
	"github.com/polder-exchange/polder/stix"
)

// exportRoutes hand a case out as a file, and the cases that others share.
func (a *API) exportRoutes() []web.Route {
	return []web.Route{
		{Method: "GET", Pattern: "/api/v1/cases/{id}/export", Need: web.Reader, Exit: "cases.api.export", Handler: web.Handler(a.exportFile).Serve, Doc: &web.Doc{
			Summary: "A case as a file, from what you may see of it; nothing above the ceiling is in it, or said to be left out", Gives: "application/octet-stream", Query: map[string]string{
				"format": "pdf, stix, veris, rsit, csv or json; pdf without it", "ceiling": "the strictest level in it; your own up to amber+strict without it", "red": "yes: the lead's word that what is marked red may be in it",
				"pap": "what may be done with it, written on it: clear, green, amber or red", "language": "of a pdf: en or nl", "table": "of a csv: timeline, observables or rsit; all items without it", "named": "yes: a bundle or an incident names the organisation"}}},
		{Method: "GET", Pattern: "/api/v1/cases/shared", Need: web.Reader, Exit: "cases.api.shared", Handler: web.Handler(a.sharedList).Serve, Doc: &web.Doc{
			Summary: "The cases that other organisations share with yours, the last changed first", Answer: caseSharedList{}}},
		{Method: "GET", Pattern: "/api/v1/shared-cases/{key}", Need: web.Reader, Exit: "cases.api.shared.one", Handler: web.Handler(a.sharedOne).Serve, Doc: &web.Doc{
			Summary: "One of them, with the items of all sides", Answer: SharedCase{}}},
		{Method: "POST", Pattern: "/api/v1/shared-cases/{key}/items", Need: web.Contributor, Exit: "cases.api.shared.reply", Handler: web.Handler(a.sharedReply).Serve, Doc: &web.Doc{
			Summary: "Add an entry, an observable or a note to a case that another organisation shares, and share it back", Body: caseReplyBody{}, Answer: Item{}}},
		{Method: "GET", Pattern: "/api/v1/cases/{id}/sharings", Need: web.Reader, Exit: "cases.api.sharings", Handler: web.Handler(a.sharingList).Serve, Doc: &web.Doc{
			Summary: "With whom a case is shared", Answer: caseSharingList{}}},
		{Method: "POST", Pattern: "/api/v1/cases/{id}/sharings", Need: web.Contributor, Exit: "cases.api.share", Handler: web.Handler(a.shareCase).Serve, Doc: &web.Doc{
			Summary: "Share a case with another organisation up to a ceiling, or show what would leave", Body: caseSharingBody{}, Answer: ReleaseAnswer{}}},
		{Method: "POST", Pattern: "/api/v1/cases/{id}/sharings/{sharing}/stop", Need: web.Contributor, Exit: "cases.api.unshare", Handler: web.Handler(a.unshareCase).Serve, Doc: &web.Doc{
			Summary: "Withdraw what was shared of a case with an organisation"}},
		{Method: "POST", Pattern: "/api/v1/cases/{id}/release", Need: web.Contributor, Exit: "cases.api.release", Handler: web.Handler(a.releaseCase).Serve, Doc: &web.Doc{
			Summary: "Share chosen observables and a text of a case with a community, or show what would leave", Body: caseReleaseBody{}, Answer: ReleaseAnswer{}}},
		{Method: "GET", Pattern: "/api/v1/cases/cross-border", Need: web.Reader, Exit: "cases.api.cross-border", Handler: web.Handler(a.crossBorder).Serve, Doc: &web.Doc{
			Summary: "For a contact point: the cases that cross borders, and how far each is", Answer: caseSharedList{}}},
	}
}

// exportAskOf reads how a file is asked for. What is misspelt is refused: a ceiling must not be taken for none.
func exportAskOf(q url.Values) (ask ExportAsk, err error) {
	ask.Format, ask.Language, ask.Table = Format(q.Get("format")), q.Get("language"), q.Get("table")
	if ask.Format == "" {
		ask.Format = FormatPDF
	}
	for name := range q {
		switch name {
		case "format", "ceiling", "red", "pap", "language", "table", "named", "lang":
		default:
			return ask, polder.Errorf(polder.Invalid, "%s: there is no such parameter; use format, ceiling, red, pap, language, table or named", exportClip(name, 40))
		}
	}
	if c := q.Get("ceiling"); c != "" {
		if ask.Ceiling, err = stix.ParseMarking(c); err != nil {
			return ask, polder.Errorf(polder.Invalid, "ceiling: %w", err)
		}
	}
	if p := q.Get("pap"); p != "" {
		if ask.PAP, err = stix.ParsePAP(p); err != nil {
			return ask, polder.Errorf(polder.Invalid, "pap: %w", err)
		}
	}
	for name, into := range map[string]*bool{"red": &ask.Red, "named": &ask.Named} {
		switch q.Get(name) {
		case "", "no":
		case "yes":
			*into = true
		default:
			return ask, polder.Errorf(polder.Invalid, "%s: say yes, or leave it out", name)
		}
	}
	return ask, nil
}

func (a *API) exportFile(w http.ResponseWriter, r *http.Request) error {
	ask, err := exportAskOf(r.URL.Query())
	if err != nil {
		return err
	}
	out, err := a.Export(r.Context(), web.ActorOf(r), CaseID(r.PathValue("id")), ask)
	if err != nil {
		return err
	}
	out.serve(w)
	return nil
}

// serve hands the file out as a download; no browser shows it within the site.
func (e Exported) serve(w http.ResponseWriter) {
	h := w.Header()
	h.Set("Content-Type", e.Type)
	h.Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": e.Name}))
	h.Set("Content-Length", strconv.Itoa(len(e.Body)))
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cache-Control", "no-store")
	w.WriteHeader(http.StatusOK)
	_, _ = w.Write(e.Body) // whoever went away has no file
}

// caseSharedList are cases of others.
type caseSharedList struct {
	Cases []SharedCase `json:"cases"`
}

type caseSharingList struct {
	Sharings []Sharing `json:"sharings"`
}

// caseSharingBody is with whom a case is to be shared.
type caseSharingBody struct {
	Community string       `json:"community"`
	Org       polder.OrgID `json:"org"`
	Part      Part         `json:"part"`
	Ceiling   stix.Marking `json:"ceiling"`
	Confirmed bool         `json:"confirmed,omitempty"`
	Preview   bool         `json:"preview,omitempty"`
}

// caseReplyBody is what is added to a case of another.
type caseReplyBody struct {
	Item      Item `json:"item"`
	Confirmed bool `json:"confirmed,omitempty"`
}

// caseReleaseBody is what of a case is to be shared with a community.
type caseReleaseBody struct {
	Items     []string       `json:"items,omitempty"`
	Values    []Observable   `json:"values,omitempty"`
	Title     string         `json:"title,omitempty"`
	Text      string         `json:"text,omitempty"`
	Community string         `json:"community"`
	To        []polder.OrgID `json:"to,omitempty"`
	Level     stix.Marking   `json:"tlp"`
	Named     bool           `json:"named,omitempty"`
	Confirmed bool           `json:"confirmed,omitempty"`
	Preview   bool           `json:"preview,omitempty"`
	Seen      string         `json:"seen,omitempty"`
}

func (a *API) sharedList(w http.ResponseWriter, r *http.Request) error {
	all, err := a.SharedWithUs(r.Context(), web.ActorOf(r))
	if err != nil {
		return err
	}
	web.WriteJSON(w, http.StatusOK, caseSharedList{append([]SharedCase{}, all...)})
	return nil
}

func (a *API) sharedOne(w http.ResponseWriter, r *http.Request) error {
	c, err := a.SharedWith(r.Context(), web.ActorOf(r), r.PathValue("key"))
	if err != nil {
		return err
	}
	web.WriteJSON(w, http.StatusOK, c)
	return nil
}

func (a *API) sharedReply(w http.ResponseWriter, r *http.Request) error {
	var in caseReplyBody
	if err := web.ReadJSON(r, &in); err != nil {
		return err
	}
	it, err := a.ReplyToShared(r.Context(), web.ActorOf(r), r.PathValue("key"), in.Item, in.Confirmed)
	if err != nil {
		return err
	}
	web.WriteJSON(w, http.StatusCreated, it)
	return nil
}

func (a *API) sharingList(w http.ResponseWriter, r *http.Request) error {
	all, err := a.Sharings(r.Context(), web.ActorOf(r), CaseID(r.PathValue("id")))
	if err != nil {
		return err
	}
	web.WriteJSON(w, http.StatusOK, caseSharingList{append([]Sharing{}, all...)})
	return nil
}

func (a *API) shareCase(w http.ResponseWriter, r *http.Request) error {
	var in caseSharingBody
	if err := web.ReadJSON(r, &in); err != nil {
		return err
	}
	out, err := a.ShareCase(r.Context(), web.ActorOf(r), SharingAsk{CaseID(r.PathValue("id")), in.Community, in.Org, in.Part, in.Ceiling, in.Confirmed, in.Preview})
	if err != nil {
		return err
	}
	web.WriteJSON(w, http.StatusOK, out)
	return nil
}

func (a *API) unshareCase(w http.ResponseWriter, r *http.Request) error {
	if err := a.StopSharing(r.Context(), web.ActorOf(r), CaseID(r.PathValue("id")), r.PathValue("sharing")); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

func (a *API) releaseCase(w http.ResponseWriter, r *http.Request) error {
	var in caseReleaseBody
	if err := web.ReadJSON(r, &in); err != nil {
		return err
	}
	out, err := a.ReleaseFrom(r.Context(), web.ActorOf(r), ReleaseAsk{Case: CaseID(r.PathValue("id")), Items: in.Items, Values: in.Values, Title: in.Title, Text: in.Text, Community: in.Community, To: in.To,
		Level: in.Level, Named: in.Named, Confirmed: in.Confirmed, Preview: in.Preview, Seen: in.Seen})
	if err != nil {
		return err
	}
	web.WriteJSON(w, http.StatusOK, out)
	return nil
}

func (a *API) crossBorder(w http.ResponseWriter, r *http.Request) error {
	all, err := a.CrossBorder(r.Context(), web.ActorOf(r))
	if err != nil {
		return err
	}
	web.WriteJSON(w, http.StatusOK, caseSharedList{append([]SharedCase{}, all...)})
	return nil
}
