package cases

import (
	"io"
	"mime"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/fail"
	"github.com/polder-exchange/polder/internal/web"
	"github.com/polder-exchange/polder/stix"
)

func (a *API) itemRoutes() []web.Route {
	return []web.Route{
		caseRoute("GET", "/{id}/items", ".items", web.Reader, a.items, web.Doc{Summary: "The items of a case that you see, the latest first", Answer: ItemPage{}, Query: map[string]string{
			"kind": "entry, observable, evidence, task, note, decision or link; several with commas", "text": "only those that hold it", "struck": "yes: with those that were struck out", "oldest": "yes: the oldest first", "limit": "at most 200; 50 without it", "next": "where the page begins, as the page before said"}}),
		caseRoute("POST", "/{id}/items", ".items", web.Contributor, a.addCaseItem, web.Doc{Summary: "Add an item; a value that the case holds already is given back", Body: ItemBody{}, Answer: Item{}}),
		caseRoute("GET", "/{id}/items/{item}", ".item", web.Reader, a.caseItem, web.Doc{Summary: "An item of a case", Answer: Item{}}),
		caseRoute("PATCH", "/{id}/items/{item}", ".item", web.Contributor, a.changeCaseItem, web.Doc{Summary: "Change fields of an item; version (or If-Match) is the one that you read. 409 carries what stands there now as current, or what your text gives away as found", Body: ItemPatch{}, Answer: Item{}}),
		caseRoute("GET", "/{id}/items/{item}/history", ".item.history", web.Reader, a.caseItemHistory, web.Doc{Summary: "What an item once was, the latest first", Answer: CaseHistoryList{}}),
		caseRoute("POST", "/{id}/items/{item}/done", ".item.done", web.Contributor, a.finishTask, web.Doc{Summary: "Say that a task is done, or that it is not", Body: ItemDoneBody{}, Answer: Item{}}),
		caseRoute("POST", "/{id}/items/{item}/strike", ".item.strike", web.Contributor, a.strikeItem, web.Doc{Summary: "Strike an item out; it is kept, and counts no more", Body: ItemStrikeBody{}, Answer: Item{}}),
		caseRoute("POST", "/{id}/items/{item}/erase", ".item.erase", web.Contributor, a.eraseItem, web.Doc{Summary: "Take the content of an item and of its history away, for good; the lead alone", Body: ItemEraseBody{}, Answer: Item{}}),
		caseRoute("GET", "/{id}/items/{item}/lookup", ".item.lookup", web.Reader, a.lookUpItem, web.Doc{Summary: "What the exchange and your other cases know of an observable", Answer: ItemLookUpAnswer{}}),
	}
}

func (a *API) evidenceRoutes() []web.Route {
	add := caseRoute("POST", "/{id}/evidence", ".evidence", web.Contributor, a.addEvidence, web.Doc{Summary: "Add a file as evidence: the body is the file, its name is in the header X-File-Name (percent-encoded UTF-8) or in Content-Disposition; or a form with the field file",
		Media: "application/octet-stream", Answer: Item{}, Query: map[string]string{"tlp": "the marking; the case's without it", "title": "what it is called; the file's name without it", "where": "where the original lies"}})
	add.MaxBody, add.Timeout = MaxEvidence+(1<<20), 20*time.Minute
	get := caseRoute("GET", "/{id}/evidence/{item}", ".evidence.file", web.Reader, a.openEvidence, web.Doc{Summary: "A file of evidence, as a download; that you opened it is a step of its custody", Gives: "application/octet-stream"})
	get.Timeout = 20 * time.Minute
	return []web.Route{add, get,
		caseRoute("POST", "/{id}/evidence/{item}/custody", ".evidence.custody", web.Contributor, a.addCustodyStep, web.Doc{Summary: "Add a step to the custody of evidence: handed over, copied, returned or destroyed", Body: CustodyBody{}, Answer: Item{}}),
	}
}

// Bodies and answers of these routes.
type (
	// ItemBody is a new item.
	ItemBody struct {
		Kind       ItemKind          `json:"kind"`
		Level      stix.Marking      `json:"tlp,omitempty"` // the case's without it
		Title      string            `json:"title,omitempty"`
		Text       string            `json:"text,omitempty"`
		At         time.Time         `json:"at,omitzero"`
		Weighs     bool              `json:"weighs,omitempty"`
		Observable *Observable       `json:"observable,omitempty"`
		Evidence   *ItemThingBody    `json:"evidence,omitempty"`
		Task       *ItemTaskBody     `json:"task,omitempty"`
		Decision   *ItemDecisionBody `json:"decision,omitempty"`
		Link       *ItemLinkBody     `json:"link,omitempty"`
		Confirmed  bool              `json:"confirmed,omitempty"` // what the text gives away was read
	}
	// ItemThingBody is a thing that is held as evidence.
	ItemThingBody struct {
		Name  string `json:"name"`
		Where string `json:"where"`
	}
	// ItemTaskBody is what a task adds.
	ItemTaskBody struct {
		Owner polder.PersonID `json:"owner,omitempty"`
		Step  string          `json:"step,omitempty"`
	}
	// ItemDecisionBody is what a decision adds.
	ItemDecisionBody struct {
		Reason     string `json:"reason"`
		Supersedes string `json:"supersedes,omitempty"` // id of the decision whose place this one takes
	}
	// ItemLinkBody names another case.
	ItemLinkBody struct {
		To CaseID `json:"to"`
	}
	// ItemPatch changes the fields of an item that it has.
	ItemPatch struct {
		Version    int            `json:"version"`
		Level      *stix.Marking  `json:"tlp,omitempty"`
		Title      *string        `json:"title,omitempty"`
		Text       *string        `json:"text,omitempty"`
		At         *time.Time     `json:"at,omitempty"`
		Weighs     *bool          `json:"weighs,omitempty"`
		Observable *Observable    `json:"observable,omitempty"`
		Evidence   *ItemThingBody `json:"evidence,omitempty"`
		Task       *ItemTaskBody  `json:"task,omitempty"`
		Link       *ItemLinkBody  `json:"link,omitempty"`
		Confirmed  bool           `json:"confirmed,omitempty"`
	}
	// ItemDoneBody says whether a task is done.
	ItemDoneBody struct {
		Done bool `json:"done"`
	}
	// ItemStrikeBody strikes an item out.
	ItemStrikeBody struct {
		Version int    `json:"version"`
		Reason  string `json:"reason"`
	}
	// ItemEraseBody erases an item.
	ItemEraseBody struct {
		Reason string `json:"reason"`
	}
	// ItemLookUpAnswer is what is known of an observable.
	ItemLookUpAnswer struct {
		Known []ItemKnown `json:"known"`
		Cases []CaseRef   `json:"cases"`
	}
	// ItemKnown is an object of the exchange that names the value.
	ItemKnown struct {
		ID        string       `json:"id"`
		Type      string       `json:"type"`
		Title     string       `json:"title"`
		Community string       `json:"community"`
		Level     stix.Marking `json:"tlp"`
		Shared    time.Time    `json:"shared"`
	}
	// CustodyBody is a step in the keeping of evidence.
	CustodyBody struct {
		Did    string `json:"did"`
		To     string `json:"to,omitempty"`
		Reason string `json:"reason,omitempty"`
	}
)

// item is the item that the body asks for.
func (b ItemBody) item() Item {
	it := Item{Kind: b.Kind, Level: b.Level, Title: b.Title, Text: b.Text, At: b.At, Weighs: b.Weighs, Observable: b.Observable, Confirmed: b.Confirmed}
	if b.Evidence != nil {
		it.Evidence = &Evidence{Name: b.Evidence.Name, Where: b.Evidence.Where}
	}
	if b.Task != nil {
		it.Task = &Task{Owner: b.Task.Owner, Step: b.Task.Step}
	}
	if b.Decision != nil {
		it.Decision = &Decision{Reason: b.Decision.Reason, Supersedes: b.Decision.Supersedes}
	}
	if b.Link != nil {
		it.Link = &Link{To: b.Link.To}
	}
	return it
}

// over is an item with what the patch changes.
func (b ItemPatch) over(it Item) Item {
	caseSet(&it.Level, b.Level)
	caseSet(&it.Title, b.Title)
	caseSet(&it.Text, b.Text)
	caseSet(&it.At, b.At)
	caseSet(&it.Weighs, b.Weighs)
	it.Confirmed = b.Confirmed
	parts := ItemBody{Observable: b.Observable, Evidence: b.Evidence, Task: b.Task, Link: b.Link}.item()
	if parts.Observable != nil {
		it.Observable = parts.Observable
	}
	if parts.Evidence != nil {
		it.Evidence = parts.Evidence
	}
	if parts.Task != nil {
		it.Task = parts.Task
	}
	if parts.Link != nil {
		it.Link = parts.Link
	}
	return it
}

func (a *API) items(w http.ResponseWriter, r *http.Request) (err error) {
	q := r.URL.Query()
	if err := caseQuery(q, "kind", "text", "struck", "oldest", "limit", "next"); err != nil {
		return err
	}
	f := ItemFilter{Text: q.Get("text"), Next: q.Get("next")}
	for kind := range strings.SplitSeq(q.Get("kind"), ",") {
		if kind != "" {
			f.Kinds = append(f.Kinds, ItemKind(kind))
		}
	}
	if f.Struck, err = caseYes(q, "struck"); err != nil {
		return err
	}
	if f.Oldest, err = caseYes(q, "oldest"); err != nil {
		return err
	}
	if f.Limit, err = caseNumber(q); err != nil {
		return err
	}
	page, err := a.Items(r.Context(), web.ActorOf(r), caseID(r), f)
	return caseAnswer(w, http.StatusOK, page, err)
}

func (a *API) addCaseItem(w http.ResponseWriter, r *http.Request) error {
	var body ItemBody
	if err := web.ReadJSON(r, &body); err != nil {
		return err
	}
	it, err := a.AddItem(r.Context(), web.ActorOf(r), caseID(r), body.item())
	return caseAnswer(w, http.StatusCreated, it, err)
}

func (a *API) caseItem(w http.ResponseWriter, r *http.Request) error {
	it, err := a.Item(r.Context(), web.ActorOf(r), caseID(r), r.PathValue("item"))
	if err == nil {
		w.Header().Set("ETag", strconv.Quote(strconv.Itoa(it.Version)))
	}
	return caseAnswer(w, http.StatusOK, it, err)
}

func (a *API) changeCaseItem(w http.ResponseWriter, r *http.Request) error {
	var body ItemPatch
	if err := web.ReadJSON(r, &body); err != nil {
		return err
	}
	version, err := caseHasVersion(r, body.Version)
	if err != nil {
		return err
	}
	was, err := a.Item(r.Context(), web.ActorOf(r), caseID(r), r.PathValue("item"))
	if err != nil {
		return err
	}
	n := body.over(was)
	n.Version = version
	it, err := a.ChangeItem(r.Context(), web.ActorOf(r), caseID(r), n)
	return caseAnswer(w, http.StatusOK, it, err)
}

func (a *API) caseItemHistory(w http.ResponseWriter, r *http.Request) error {
	h, err := a.ItemHistory(r.Context(), web.ActorOf(r), caseID(r), r.PathValue("item"))
	return caseAnswer(w, http.StatusOK, CaseHistoryList{append([]CaseRevision{}, h...)}, err)
}

func (a *API) finishTask(w http.ResponseWriter, r *http.Request) error {
	var body ItemDoneBody
	if err := web.ReadJSON(r, &body); err != nil {
		return err
	}
	it, err := a.FinishTask(r.Context(), web.ActorOf(r), caseID(r), r.PathValue("item"), body.Done)
	return caseAnswer(w, http.StatusOK, it, err)
}

func (a *API) strikeItem(w http.ResponseWriter, r *http.Request) error {
	var body ItemStrikeBody
	if err := web.ReadJSON(r, &body); err != nil {
		return err
	}
	version, err := caseHasVersion(r, body.Version)
	if err != nil {
		return err
	}
	it, err := a.StrikeItem(r.Context(), web.ActorOf(r), caseID(r), r.PathValue("item"), version, body.Reason)
	return caseAnswer(w, http.StatusOK, it, err)
}

func (a *API) eraseItem(w http.ResponseWriter, r *http.Request) error {
	var body ItemEraseBody
	if err := web.ReadJSON(r, &body); err != nil {
		return err
	}
	it, err := a.EraseItem(r.Context(), web.ActorOf(r), caseID(r), r.PathValue("item"), body.Reason)
	return caseAnswer(w, http.StatusOK, it, err)
}

func (a *API) lookUpItem(w http.ResponseWriter, r *http.Request) error {
	found, err := a.LookUp(r.Context(), web.ActorOf(r), caseID(r), r.PathValue("item"))
	out := ItemLookUpAnswer{Known: []ItemKnown{}, Cases: append([]CaseRef{}, found.Cases...)}
	for _, k := range found.Known {
		out.Known = append(out.Known, ItemKnown{k.ID, k.Type, k.Title, k.Community, k.Level, k.Seen})
	}
	return caseAnswer(w, http.StatusOK, out, err)
}

// addEvidence takes a file as the body, or as the field "file" of a form.
func (a *API) addEvidence(w http.ResponseWriter, r *http.Request) error {
	q := r.URL.Query()
	if err := caseQuery(q, "tlp", "title", "where"); err != nil {
		return err
	}
	n := Item{Title: q.Get("title"), Evidence: &Evidence{Where: q.Get("where"), Type: r.Header.Get("Content-Type")}}
	if err := evidenceLevel(&n, q.Get("tlp")); err != nil {
		return err
	}
	var file io.Reader = r.Body
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err == nil && kind == "multipart/form-data" {
		if file, err = evidenceForm(r, &n); err != nil {
			return err
		}
	} else if n.Evidence.Name, err = evidenceHeader(r.Header); err != nil {
		return err
	}
	if _, _, err := mime.ParseMediaType(n.Evidence.Type); err != nil || len(n.Evidence.Type) > 100 {
		n.Evidence.Type = ""
	}
	it, err := a.AddEvidence(r.Context(), web.ActorOf(r), caseID(r), n, file)
	return caseAnswer(w, http.StatusCreated, it, err)
}

func evidenceLevel(n *Item, word string) (err error) {
	if word != "" {
		if n.Level, err = stix.ParseMarking(word); err != nil {
			return polder.Errorf(polder.Invalid, "tlp: %w", err)
		}
	}
	return nil
}

// evidenceHeader is the name of the file that the body is.
func evidenceHeader(h http.Header) (string, error) {
	if name := h.Get("X-File-Name"); name != "" {
		out, err := url.PathUnescape(name)
		if err != nil {
			return "", polder.Errorf(polder.Invalid, "X-File-Name: %w; percent-encode the name as in an address", err)
		}
		return out, nil
	}
	if _, params, err := mime.ParseMediaType(h.Get("Content-Disposition")); err == nil && params["filename"] != "" {
		return params["filename"], nil
	}
	return "", polder.Errorf(polder.Invalid, "X-File-Name: is missing; send the name of the file in this header")
}

// evidenceForm reads the fields of a form up to the file, which comes last and is not held in memory.
func evidenceForm(r *http.Request, n *Item) (io.Reader, error) {
	form, err := r.MultipartReader()
	if err != nil {
		return nil, polder.Errorf(polder.Invalid, "body: %w", err)
	}
	for range 16 {
		part, err := form.NextPart()
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, polder.Errorf(polder.Invalid, "body: %w", err)
		}
		if part.FormName() == "file" {
			n.Evidence.Name, n.Evidence.Type = part.FileName(), part.Header.Get("Content-Type")
			return part, nil
		}
		text, err := io.ReadAll(io.LimitReader(part, maxCaseText+1))
		if err != nil {
			return nil, polder.Errorf(polder.Invalid, "body: %w", err)
		}
		switch part.FormName() {
		case "title":
			n.Title = string(text)
		case "text":
			n.Text = string(text)
		case "where":
			n.Evidence.Where = string(text)
		case "tlp":
			if err := evidenceLevel(n, string(text)); err != nil {
				return nil, err
			}
		}
	}
	return nil, polder.Errorf(polder.Invalid, "file: is missing; send the file as the last field of the form, under the name file")
}

// openEvidence hands a file out so that no browser shows it.
func (a *API) openEvidence(w http.ResponseWriter, r *http.Request) error {
	f, it, err := a.OpenEvidence(r.Context(), web.ActorOf(r), caseID(r), r.PathValue("item"), "")
	if err != nil {
		return err
	}
	defer f.Close()
	WriteEvidence(w, it, f)
	return nil
}

// WriteEvidence answers with a file as a download of bytes, whatever is in it.
func WriteEvidence(w http.ResponseWriter, it Item, f io.Reader) {
	h := w.Header()
	h.Set("Content-Type", "application/octet-stream")
	h.Set("Content-Length", strconv.FormatInt(it.Evidence.Size, 10))
	h.Set("Content-Disposition", "attachment; filename*=UTF-8''"+url.PathEscape(it.Evidence.Name))
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Content-Security-Policy", "default-src 'none'; sandbox")
	h.Set("Cache-Control", "no-store")
	if fail.Bug("evidence-inline") {
		h.Set("Content-Type", it.Evidence.Type)
		h.Set("Content-Disposition", "inline")
	}
	_, _ = io.Copy(w, f) // the client is gone
}

func (a *API) addCustodyStep(w http.ResponseWriter, r *http.Request) error {
	var body CustodyBody
	if err := web.ReadJSON(r, &body); err != nil {
		return err
	}
	it, err := a.AddCustody(r.Context(), web.ActorOf(r), caseID(r), r.PathValue("item"), Custody{Did: body.Did, To: body.To, Reason: body.Reason})
	return caseAnswer(w, http.StatusOK, it, err)
}
