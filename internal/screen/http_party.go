package screen

import (
	"net/http"
	"strconv"
	"time"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/web"
)

func (a *API) partyRoutes() []web.Route {
	return []web.Route{
		apiRoute("GET", "/parties", ".parties", web.Reader, a.parties, web.Doc{Summary: "Whom your organisation knows and has watched, by name", Answer: partyList{}, Query: map[string]string{
			"group": "only this group", "text": "only those whose name or reference holds it", "due": "yes: only those that are still to be asked about", "hit": "yes: only those on a list, or about which a person must decide", "removed": "yes: those that are no longer known", "limit": "at most 200; 50 without it", "next": "where the page begins, as the page before said"}}),
		apiRoute("POST", "/parties", ".parties", web.Contributor, a.addParty, web.Doc{Summary: "Make a party known: it is asked about now, and again whenever a list changes", Body: partyBody{}, Answer: partyItem{}}),
		apiUpload("/parties/import", ".parties", web.Contributor, a.importParties, web.Doc{Summary: "Make the parties of a file known", Media: "application/octet-stream", Answer: importAnswer{}, Query: map[string]string{"group": "into which", "column": "that holds the names, where it is not recognised", "name": "of the file, for messages"}}),
		apiRoute("GET", "/parties/{id}", ".party", web.Reader, a.party, web.Doc{Summary: "A known party, and which lists it was last asked against", Answer: partyItem{}}),
		apiRoute("PUT", "/parties/{id}", ".party", web.Contributor, a.changeParty, web.Doc{Summary: "Change a known party; version is the one that you read", Body: partyChangeBody{}, Answer: partyItem{}}),
		apiRoute("DELETE", "/parties/{id}", ".party", web.Contributor, a.removeParty, web.Doc{Summary: "End the watching of a party; what is on record of it stays"}),
		apiRoute("POST", "/parties/{id}/erase", ".party", web.Steward, a.eraseParty, web.Doc{Summary: "Erase a party and its whole history", Body: eraseBody{}, Answer: erasedAnswer{}}),
		apiRoute("GET", "/groups", ".groups", web.Reader, a.groups, web.Doc{Summary: "The groups of known parties", Answer: groupList{}}),
		apiRoute("POST", "/groups", ".groups", web.Steward, a.addGroup, web.Doc{Summary: "Make a group of your own", Body: groupBody{}}),
		apiRoute("DELETE", "/groups/{name}", ".groups", web.Steward, a.removeGroup, web.Doc{Summary: "Take an empty group of your own away"}),
	}
}

// partyItem is a known party.
type partyItem struct {
	ID        string      `json:"id"`
	Group     string      `json:"group"`
	Query     Query       `json:"query"`
	Added     time.Time   `json:"added"`
	AddedBy   string      `json:"added_by"`
	Changed   time.Time   `json:"changed"`
	Version   int         `json:"version"`
	Removed   *time.Time  `json:"removed,omitempty"`
	Screened  *time.Time  `json:"screened,omitempty"` // not there until it was asked about
	Against   []askedList `json:"against"`            // the lists it was last asked against
	Threshold float64     `json:"threshold,omitempty"`
	Waiting   int         `json:"waiting"` // reviews that wait for a person
	True      int         `json:"true"`    // listings that it is, as people decided
	False     int         `json:"false"`   // listings that it is not
}

type partyList struct {
	Parties []partyItem `json:"parties"`
	Next    string      `json:"next,omitempty"`
}

func partyItemOf(p Party) partyItem {
	return partyItem{p.ID, p.Group, p.Query, p.Added, p.AddedBy, p.Changed, p.Version, apiTime(p.Removed), apiTime(p.Screened), askedLists(p.Against), p.Threshold, p.Waiting, p.True, p.False}
}

func (a *API) parties(w http.ResponseWriter, r *http.Request) error {
	f, err := partyFilterOf(r.URL.Query())
	if err != nil {
		return err
	}
	page, err := a.Parties(r.Context(), web.ActorOf(r), f)
	if err != nil {
		return err
	}
	out := partyList{Parties: []partyItem{}, Next: page.Next}
	for _, p := range page.Parties {
		out.Parties = append(out.Parties, partyItemOf(p))
	}
	web.WriteJSON(w, http.StatusOK, out)
	return nil
}

type partyBody struct {
	Group string `json:"group"`
	Query Query  `json:"query"`
}

func (a *API) addParty(w http.ResponseWriter, r *http.Request) error {
	var b partyBody
	if err := web.ReadJSON(r, &b); err != nil {
		return err
	}
	p, err := a.AddParty(r.Context(), web.ActorOf(r), b.Group, b.Query)
	if err != nil {
		return err
	}
	web.WriteJSON(w, http.StatusCreated, partyItemOf(p))
	return nil
}

// importAnswer tells what became of the rows of a file.
type importAnswer struct {
	Added   int      `json:"added"`
	Changed int      `json:"changed"`
	Same    int      `json:"same"`
	Refused int      `json:"refused"`
	Faults  []string `json:"faults,omitempty"` // of the first refused rows
	Notes   []string `json:"notes,omitempty"`  // what was recognised and may be wrong
}

func (a *API) importParties(w http.ResponseWriter, r *http.Request) error {
	in, err := bodyParties(r)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := a.ImportParties(r.Context(), web.ActorOf(r), r.URL.Query().Get("group"), fileQueries(in))
	if err != nil {
		return err
	}
	web.WriteJSON(w, http.StatusOK, importAnswer{out.Added, out.Changed, out.Same, out.Refused, out.Faults, in.Notes()})
	return nil
}

// bodyParties reads the body of a request as a file of parties.
func bodyParties(r *http.Request) (*PartyReader, error) {
	q := r.URL.Query()
	return NewPartyReader(pageOr(clip(q.Get("name"), maxShort), "body"), r.Body, PartyOptions{Column: q.Get("column"), Encoding: q.Get("encoding"), Sheet: q.Get("sheet")})
}

func (a *API) party(w http.ResponseWriter, r *http.Request) error {
	p, err := a.Party(r.Context(), web.ActorOf(r), r.PathValue("id"))
	if err != nil {
		return err
	}
	web.WriteJSON(w, http.StatusOK, partyItemOf(p))
	return nil
}

type partyChangeBody struct {
	Group   string `json:"group,omitempty"` // where it is without it
	Query   Query  `json:"query"`
	Version int    `json:"version"`
}

func (a *API) changeParty(w http.ResponseWriter, r *http.Request) error {
	var b partyChangeBody
	if err := web.ReadJSON(r, &b); err != nil {
		return err
	}
	p, err := a.ChangeParty(r.Context(), web.ActorOf(r), r.PathValue("id"), PartyChange{b.Group, b.Query, b.Version})
	if err != nil {
		return err
	}
	web.WriteJSON(w, http.StatusOK, partyItemOf(p))
	return nil
}

func (a *API) removeParty(w http.ResponseWriter, r *http.Request) error {
	if err := a.RemoveParty(r.Context(), web.ActorOf(r), r.PathValue("id")); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

func (a *API) eraseParty(w http.ResponseWriter, r *http.Request) error {
	return apiErase(w, r, func(g Ground) (Tombstone, error) {
		return a.EraseParty(r.Context(), web.ActorOf(r), r.PathValue("id"), g)
	})
}

type groupBody struct {
	Name  string `json:"name"` // in addresses and files: lower case letters, digits and "-"
	Title string `json:"title,omitempty"`
}

type groupItem struct {
	groupBody
	Own     bool `json:"own"`
	Parties int  `json:"parties"`
}

type groupList struct {
	Groups []groupItem `json:"groups"`
}

func (a *API) groups(w http.ResponseWriter, r *http.Request) error {
	all, err := a.Groups(r.Context(), web.ActorOf(r))
	if err != nil {
		return err
	}
	out := groupList{Groups: []groupItem{}}
	for _, g := range all {
		out.Groups = append(out.Groups, groupItem{groupBody{g.Name, g.Title}, g.Own, g.Parties})
	}
	web.WriteJSON(w, http.StatusOK, out)
	return nil
}

func (a *API) addGroup(w http.ResponseWriter, r *http.Request) error {
	var b groupBody
	if err := web.ReadJSON(r, &b); err != nil {
		return err
	}
	if err := a.AddGroup(r.Context(), web.ActorOf(r), PartyGroup{Name: b.Name, Title: b.Title}); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

func (a *API) removeGroup(w http.ResponseWriter, r *http.Request) error {
	if err := a.RemoveGroup(r.Context(), web.ActorOf(r), r.PathValue("name")); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

func (a *API) batchRoutes() []web.Route {
	csv := apiRoute("GET", "/batches/{id}/results.csv", ".results", web.Reader, a.batchCSV, web.Doc{Summary: "What a batch met, as a table", Gives: "text/csv"})
	csv.Timeout = uploadTimeout
	return []web.Route{
		apiRoute("GET", "/batches", ".batches", web.Reader, a.batches, web.Doc{Summary: "The batches of your organisation, the newest first", Answer: batchList{}, Query: map[string]string{"limit": "at most 200; 50 without it"}}),
		apiUpload("/batches", ".batches", web.Contributor, a.addBatch, web.Doc{Summary: "Ask about the parties of a file (CSV, JSON lines, XLSX) in the background; at most 100,000", Media: "application/octet-stream", Answer: batchItem{}, Query: map[string]string{"name": "of the batch", "threshold": "your organisation's without it", "column": "that holds the names, where it is not recognised"}}),
		apiRoute("GET", "/batches/{id}", ".batch", web.Reader, a.batch, web.Doc{Summary: "How far a batch is", Answer: batchItem{}}),
		apiRoute("POST", "/batches/{id}/stop", ".batch", web.Contributor, a.stopBatch, web.Doc{Summary: "Stop a batch; what it has led to stays"}),
		apiRoute("GET", "/batches/{id}/rows", ".rows", web.Reader, a.batchRows, web.Doc{Summary: "Rows of a batch and what became of them", Answer: batchRowList{}, Query: map[string]string{"hit": "yes: only those that met something", "fault": "yes: only those that cannot be asked about, with why", "after": "rows behind this one", "limit": "at most 1,000; 50 without it"}}),
		csv,
	}
}

// batchItem is how far a batch is.
type batchItem struct {
	ID        string      `json:"id"`
	Name      string      `json:"name"`
	State     BatchState  `json:"state"`
	Made      time.Time   `json:"made"`
	By        string      `json:"by"`
	Ended     *time.Time  `json:"ended,omitempty"`
	Threshold float64     `json:"threshold"`
	Total     int         `json:"total"`
	Done      int         `json:"done"`
	Refused   int         `json:"refused"` // rows that cannot be asked about, as far as it is
	Met       int         `json:"met"`
	Opened    int         `json:"opened"` // reviews
	Lists     []askedList `json:"lists"`
}

type batchList struct {
	Batches []batchItem `json:"batches"`
}

func batchItemOf(b Batch) batchItem {
	return batchItem{b.ID, b.Name, b.State, b.Made, b.By, apiTime(b.Ended), b.Threshold, b.Total, b.Done, b.Refused, b.Met, b.New, askedLists(b.Lists)}
}

func (a *API) batches(w http.ResponseWriter, r *http.Request) error {
	n, err := limitOf(r.URL.Query(), 200)
	if err != nil {
		return err
	}
	if n == 0 {
		n = maxShownBatches
	}
	all, err := a.Batches(r.Context(), web.ActorOf(r), n)
	if err != nil {
		return err
	}
	out := batchList{Batches: []batchItem{}}
	for _, b := range all {
		out.Batches = append(out.Batches, batchItemOf(b))
	}
	web.WriteJSON(w, http.StatusOK, out)
	return nil
}

func (a *API) addBatch(w http.ResponseWriter, r *http.Request) error {
	o := BatchOrder{Name: clip(pageOr(r.URL.Query().Get("name"), "batch"), maxShort)}
	if text := r.URL.Query().Get("threshold"); text != "" {
		var err error
		if o.Threshold, err = strconv.ParseFloat(text, 64); err != nil || !(o.Threshold >= 0 && o.Threshold <= 1) {
			return polder.Errorf(polder.Invalid, "threshold: %.40q is not a number from 0 to 1", text)
		}
	}
	in, err := bodyParties(r)
	if err != nil {
		return err
	}
	defer in.Close()
	b, err := a.AddBatch(r.Context(), web.ActorOf(r), o, fileQueries(in))
	if err != nil {
		return err
	}
	web.WriteJSON(w, http.StatusAccepted, batchItemOf(b))
	return nil
}

func (a *API) batch(w http.ResponseWriter, r *http.Request) error {
	b, err := a.Batch(r.Context(), web.ActorOf(r), r.PathValue("id"))
	if err != nil {
		return err
	}
	web.WriteJSON(w, http.StatusOK, batchItemOf(b))
	return nil
}

func (a *API) stopBatch(w http.ResponseWriter, r *http.Request) error {
	if err := a.CancelBatch(r.Context(), web.ActorOf(r), r.PathValue("id")); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// batchRowItem is a row of a batch.
type batchRowItem struct {
	N     int        `json:"row"`
	Query Query      `json:"query"`
	Asked *time.Time `json:"asked,omitempty"` // not there until it was
	Fault string     `json:"error,omitempty"` // why it cannot be asked about
	Hits  []BriefHit `json:"hits"`
}

type batchRowList struct {
	Rows []batchRowItem `json:"rows"`
}

func (a *API) batchRows(w http.ResponseWriter, r *http.Request) error {
	q := r.URL.Query()
	f := BatchFilter{Hit: q.Get("hit") == "yes", Fault: q.Get("fault") == "yes"}
	var err error
	if f.Limit, err = limitOf(q, 1000); err != nil {
		return err
	}
	if text := q.Get("after"); text != "" {
		if f.After, err = strconv.Atoi(text); err != nil || f.After < 0 {
			return polder.Errorf(polder.Invalid, "after: %.40q is not the number of a row", text)
		}
	}
	rows, err := a.BatchRows(r.Context(), web.ActorOf(r), r.PathValue("id"), f)
	if err != nil {
		return err
	}
	out := batchRowList{Rows: []batchRowItem{}}
	for _, row := range rows {
		out.Rows = append(out.Rows, batchRowItem{row.N, row.Query, apiTime(row.At), row.Fault, orEmpty(row.Hits)})
	}
	web.WriteJSON(w, http.StatusOK, out)
	return nil
}

func (a *API) batchCSV(w http.ResponseWriter, r *http.Request) error {
	return sendResults(w, r, a.Service)
}
