package screen

import (
	"net/http"
	"time"

	"github.com/polder-exchange/polder/internal/screen/lists"
	"github.com/polder-exchange/polder/internal/web"
)

func (a *API) listRoutes() []web.Route {
	return []web.Route{
		apiRoute("GET", "/lists", ".lists", web.Reader, a.lists, web.Doc{Summary: "The lists that your organisation asks, with their dates and how their refreshing goes", Answer: listList{}}),
		apiUpload("/lists", ".lists", web.Steward, a.importList, web.Doc{Summary: "Import a list of your own, or its next version: the whole of it, or nothing", Media: "application/octet-stream", Answer: listItem{}, Query: map[string]string{
			"name": "short: letters, digits, _ and -", "file": "name of the file, where name is not given", "form": "of the file, where it is not recognised", "purpose": "restricted or verified", "title": "of the list", "source": "who publishes it", "licence": "under which", "date": "of publication, as 2026-11-22"}}),
		apiRoute("GET", "/lists/{name}", ".list", web.Reader, a.list, web.Doc{Summary: "A list and its versions", Answer: listFull{}}),
		apiRoute("GET", "/lists/{name}/changes", ".list", web.Reader, a.listChanges, web.Doc{Summary: "What changed between two versions of a list", Answer: changesAnswer{}, Query: map[string]string{"old": "SHA-256 of a version; the one before new without it", "new": "SHA-256 of a version; the one that is asked without it", "limit": "most of each kind, at most 10,000; 200 without it"}}),
		apiRoute("GET", "/lists/{name}/entries/{id}", ".entry", web.Reader, a.listEntry, web.Doc{Summary: "A listing by the list's own id", Answer: lists.Entry{}}),
		apiUpload("/lists/{name}/refresh", ".list", web.Steward, a.refreshList, web.Doc{Summary: "Ask the origin of a list now; when that fails the list stays as it is", Answer: listItem{}}),
	}
}

// listItem is a list as it is kept, and how its refreshing goes.
type listItem struct {
	lists.Meta
	Owner    Owner      `json:"owner"` // node, own or shared
	From     string     `json:"from,omitempty"`
	Origin   string     `json:"origin,omitempty"`
	Every    string     `json:"every,omitempty"`
	Checked  *time.Time `json:"checked,omitempty"`
	Next     *time.Time `json:"next,omitempty"`
	Stale    bool       `json:"stale"`
	StaleAt  *time.Time `json:"stale_at,omitempty"`
	Failures int        `json:"failures"` // since refreshing last worked; the list that is kept is still asked
	Failed   *time.Time `json:"failed,omitempty"`
	Failure  string     `json:"failure,omitempty"`
}

type listList struct {
	Lists []listItem `json:"lists"`
}

func listItemOf(l KeptList) listItem {
	out := listItem{l.Meta, l.Owner, l.From, l.Origin, "", apiTime(l.Checked), apiTime(l.Next), l.Stale, apiTime(l.StaleAt), l.Failures, apiTime(l.Failed), l.Failure}
	if l.Every > 0 {
		out.Every = l.Every.String()
	}
	return out
}

func (a *API) lists(w http.ResponseWriter, r *http.Request) error {
	all, err := a.keeper.Lists(r.Context(), web.ActorOf(r))
	if err != nil {
		return err
	}
	out := listList{Lists: []listItem{}}
	for _, l := range all {
		out.Lists = append(out.Lists, listItemOf(l))
	}
	web.WriteJSON(w, http.StatusOK, out)
	return nil
}

func (a *API) importList(w http.ResponseWriter, r *http.Request) error {
	q := r.URL.Query()
	o := ListImport{Name: q.Get("name"), File: pageOr(clip(q.Get("file"), maxShort), "body"), Form: q.Get("form"), Purpose: lists.Purpose(q.Get("purpose")), Title: q.Get("title"), Source: q.Get("source"), Licence: q.Get("licence"), Date: q.Get("date")}
	if err := o.check(); err != nil {
		return err
	}
	l, err := a.keeper.Import(r.Context(), web.ActorOf(r), o, r.Body)
	if err != nil {
		return err
	}
	web.WriteJSON(w, http.StatusCreated, listItemOf(l))
	return nil
}

// listFull is a list with its versions.
type listFull struct {
	listItem
	Versions []versionItem `json:"versions"` // the newest first
}

type versionItem struct {
	askedList
	Read time.Time `json:"read"`
	By   string    `json:"by,omitempty"`
	Now  bool      `json:"now"` // it is the one that is asked
}

func versionItemOf(v ListVersion) versionItem {
	return versionItem{askedLists([]lists.Meta{v.Meta})[0], v.Read, v.By, v.Now}
}

func (a *API) list(w http.ResponseWriter, r *http.Request) error {
	l, err := keptList(r, a.keeper, r.PathValue("name"))
	if err != nil {
		return err
	}
	versions, err := a.keeper.Versions(r.Context(), web.ActorOf(r), l.Name)
	if err != nil {
		return err
	}
	out := listFull{listItem: listItemOf(l), Versions: []versionItem{}}
	for _, v := range versions {
		out.Versions = append(out.Versions, versionItemOf(v))
	}
	web.WriteJSON(w, http.StatusOK, out)
	return nil
}

// changesAnswer is what differs between two versions.
type changesAnswer struct {
	Old     versionItem    `json:"old"`
	New     versionItem    `json:"new"`
	Counts  changeCounts   `json:"counts"` // of all, given or not
	Added   []lists.Entry  `json:"added"`
	Removed []lists.Entry  `json:"removed"`
	Changed []changedEntry `json:"changed"`
}

type changeCounts struct {
	Added   int `json:"added"`
	Removed int `json:"removed"`
	Changed int `json:"changed"`
}

type changedEntry struct {
	Old lists.Entry `json:"old"`
	New lists.Entry `json:"new"`
}

func (a *API) listChanges(w http.ResponseWriter, r *http.Request) error {
	q := r.URL.Query()
	limit, err := limitOf(q, 10_000)
	if err != nil {
		return err
	}
	if limit == 0 {
		limit = maxShownChanges
	}
	d, err := a.keeper.Difference(r.Context(), web.ActorOf(r), r.PathValue("name"), q.Get("old"), q.Get("new"), limit)
	if err != nil {
		return err
	}
	out := changesAnswer{versionItemOf(d.Old), versionItemOf(d.New), changeCounts{d.AddedCount, d.RemovedCount, d.ChangedCount}, orEmpty(d.Added), orEmpty(d.Removed), []changedEntry{}}
	for _, c := range d.Changed {
		out.Changed = append(out.Changed, changedEntry(c))
	}
	web.WriteJSON(w, http.StatusOK, out)
	return nil
}

func (a *API) listEntry(w http.ResponseWriter, r *http.Request) error {
	e, err := a.keeper.Entry(r.Context(), web.ActorOf(r), r.PathValue("name"), r.PathValue("id"))
	if err != nil {
		return err
	}
	web.WriteJSON(w, http.StatusOK, e)
	return nil
}

func (a *API) refreshList(w http.ResponseWriter, r *http.Request) error {
	l, err := a.keeper.Refresh(r.Context(), web.ActorOf(r), r.PathValue("name"))
	if err != nil {
		return err
	}
	web.WriteJSON(w, http.StatusOK, listItemOf(l))
	return nil
}
