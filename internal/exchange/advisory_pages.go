package exchange

import (
	"io"
	"mime"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/journal"
	"github.com/polder-exchange/polder/internal/web"
	"github.com/polder-exchange/polder/stix"
)

func (p *Pages) advisoryRoutes() []web.Route {
	route := func(method, pattern, exit string, need web.Need, h handler) web.Route {
		return web.Route{Method: method, Pattern: pattern, Need: need, Exit: "exchange." + exit, Handler: h.serve}
	}
	const write = web.Contributor
	files := route("POST", "/advisories/drafts/{id}/files", "draft", write, p.attachFile)
	files.MaxBody, files.Timeout = MaxAttachment+1<<20, 5*time.Minute
	return []web.Route{
		route("GET", "/advisories", "advisories", web.Reader, p.advisoriesPage),
		route("GET", "/advisories/new", "draft", write, p.newDraftPage),
		route("POST", "/advisories/new", "draft", write, p.keepDraft),
		route("GET", "/advisories/drafts/{id}", "draft", write, p.draftPage),
		route("POST", "/advisories/drafts/{id}", "draft", write, p.keepDraft),
		files,
		route("POST", "/advisories/drafts/{id}/files/{sha256}/remove", "draft", write, p.detachFile),
		route("POST", "/advisories/drafts/{id}/publish", "draft", write, p.publishDraft),
		route("POST", "/advisories/drafts/{id}/delete", "draft", write, p.throwDraft),
		route("GET", "/advisories/{community}/{id}", "advisory", web.Reader, p.advisoryPage),
		route("GET", "/advisories/{community}/{id}/files/{sha256}", "advisory.file", web.Reader, p.advisoryFile),
		route("POST", "/advisories/{community}/{id}/revise", "advisory.revise", write, p.revise),
		route("POST", "/advisories/{community}/{id}/revoke", "advisory.revoke", write, p.revoke),
	}
}

// advisoryAt is the address of an advisory; a community whose alias is taken by another page goes by its id.
func advisoryAt(m polder.Membership, id string) string {
	alias := m.Alias
	if alias == "drafts" {
		alias = string(m.Community.ID)
	}
	return address("advisories", alias, id)
}

func (p *Pages) advisoriesPage(w http.ResponseWriter, r *http.Request) error {
	rd, err := p.reader(r)
	if err != nil {
		return err
	}
	words := rd.words
	all, err := p.Advisories(rd.ctx, rd.by, 100)
	if err != nil {
		return err
	}
	list := writeList{Empty: web.Empty{Icon: "book", Title: words.T("exchange.advisories.none"), Text: words.T("exchange.advisories.none-text")}}
	highest := stix.None
	for _, v := range all {
		m, _ := rd.place(string(v.Delivery.Community))
		row := writeRow{Title: v.Title, Href: advisoryAt(m, v.Delivery.ID), Sub: m.Name, TLP: v.Delivery.Level, At: v.Delivery.Seq.Time()}
		if v.Revoked {
			row.State = tag{Class: "warn", Icon: "alert", Text: words.T("exchange.worth.revoked")}
		}
		list.Rows, highest = append(list.Rows, row), max(highest, v.Delivery.Level)
	}
	v := pageView{}
	v.add(block(words.T("exchange.advisories"), "", "write-list", list))
	if rd.right() >= polder.RoleContributor {
		v.Actions = []web.Action{{Label: words.T("exchange.advisories.write"), Href: "/advisories/new", Icon: "plus", Primary: true}}
		drafts, err := p.Drafts(rd.ctx, rd.by)
		if err != nil {
			return err
		}
		mine := writeList{Empty: web.Empty{Icon: "pen", Title: words.T("exchange.drafts.none"), Text: words.T("exchange.drafts.none-text")}}
		for _, d := range drafts {
			mine.Rows = append(mine.Rows, writeRow{Title: d.Title, Href: address("advisories", "drafts", d.ID), Sub: d.By, At: d.Changed})
		}
		v.add(aside(words.T("exchange.drafts"), "", "write-list", mine))
	}
	p.site.Render(w, r, web.Page{Template: "exchange/page", Title: words.T("exchange.advisories"), Lede: words.T("exchange.advisories.lede"), TLP: highest, Data: v})
	return nil
}

func (p *Pages) newDraftPage(w http.ResponseWriter, r *http.Request) error {
	return p.showDraft(w, r, Draft{TLP: stix.Amber.String()}, nil)
}

func (p *Pages) draftPage(w http.ResponseWriter, r *http.Request) error {
	d, err := p.Draft(r.Context(), web.ActorOf(r), r.PathValue("id"))
	if err != nil {
		return err
	}
	return p.showDraft(w, r, d, nil)
}

// showDraft is the page of a draft: the form, its files, and how it will look.
func (p *Pages) showDraft(w http.ResponseWriter, r *http.Request, d Draft, failed error) error {
	rd, err := p.reader(r)
	if err != nil {
		return err
	}
	words := rd.words
	form, err := p.draftForm(rd, d)
	if err != nil {
		return err
	}
	v := pageView{Alerts: refusal(words, failed)}
	v.add(block(words.T("exchange.draft.text"), "", "write-form", form))
	if d.ID != "" {
		p.addDraftParts(rd, &v, d)
	}
	p.site.Render(w, r, web.Page{Template: "exchange/page", Title: words.T("exchange.draft"), Lede: words.T("exchange.draft.lede"), Data: v, Status: statusOf(failed),
		Crumbs: []web.Link{{Text: words.T("exchange.advisories"), Href: "/advisories"}}})
	return nil
}

func (p *Pages) draftForm(rd *reader, d Draft) (writeForm, error) {
	words := rd.words
	level, err := p.levelField(rd, d.TLP)
	f := writeForm{Action: "/advisories/new", Submit: words.T("exchange.draft.save"), Primary: d.ID == "", Fields: []web.Field{
		{Name: "title", Label: words.T("exchange.draft.title"), Value: d.Title, Required: true, Max: maxTitle},
		{Name: "for-whom", Label: words.T("exchange.advisory.for-whom"), Help: words.T("exchange.draft.for-whom-help"), Value: d.ForWhom, Rows: 3, Max: maxBox},
		{Name: "what-to-do", Label: words.T("exchange.advisory.what-to-do"), Help: words.T("exchange.draft.what-to-do-help"), Value: d.WhatToDo, Rows: 4, Max: maxBox},
		{Name: "body", Label: words.T("exchange.draft.body"), Help: words.T("exchange.draft.body-help"), Value: d.Body, Rows: 14, Max: maxAdvisory},
		{Name: "about", Label: words.T("exchange.draft.about"), Help: words.T("exchange.draft.about-help"), Value: strings.Join(d.About, "\n"), Rows: 3},
		rd.placeField(d.Community), level, rd.toField(d.To), rd.namedField(d.Named),
	}}
	if d.ID != "" {
		f.Action = address("advisories", "drafts", d.ID)
		f.Hidden = []web.Hidden{{Name: "changed", Value: strconv.FormatInt(d.Changed.UnixMicro(), 10)}}
	}
	return f, err
}

// addDraftParts adds the files, the preview and what can be done with a saved draft.
func (p *Pages) addDraftParts(rd *reader, v *pageView, d Draft) {
	words, at := rd.words, address("advisories", "drafts", d.ID)
	files := writeList{Empty: web.Empty{Icon: "doc", Title: words.T("exchange.draft.no-files"), Text: words.T("exchange.draft.no-files-text")}}
	for _, f := range d.Attachments {
		files.Rows = append(files.Rows, writeRow{Title: f.Name, Href: at, Sub: words.Size(f.Size), Buttons: []writeButton{{at + "/files/" + f.SHA256 + "/remove", words.T("exchange.draft.file-remove")}}})
	}
	v.add(aside(words.T("exchange.advisory.files"), "", "write-list", files))
	if len(d.Attachments) < MaxAttachments {
		v.add(aside(words.T("exchange.draft.file-add"), "", "write-form", writeForm{Action: at + "/files", Files: true, Submit: words.T("exchange.draft.file-attach"), Note: words.T("exchange.draft.file-note"),
			Fields: []web.Field{{Name: "file", Label: words.T("exchange.draft.file"), Type: "file", Required: true}}}))
	}
	v.add(advisoryBlocks(words, d.AdvisoryText)...)
	res, err := p.PreviewDraft(rd.ctx, rd.by, d.ID)
	var marks []web.Mark
	for _, it := range res.Items {
		if stix.TypeOf(it.ID) == advisoryType {
			marks = append(marks, web.Mark{Icon: "people", Text: words.T("exchange.draft.readers", "n", len(it.Readers))})
		}
	}
	for _, q := range res.Warnings {
		marks = append(marks, web.Mark{Class: "mind", Text: q.Reason})
	}
	if err == nil && len(res.Refused) > 0 {
		err = polder.Errorf(polder.Invalid, "%s", res.Refused[0].Error)
	}
	if err != nil {
		marks = append(marks, web.Mark{Class: "no", Text: err.Error()})
	}
	v.add(aside(words.T("exchange.draft.preview"), "", "notes", marks))
	publish := writeForm{Action: at + "/publish", Submit: words.T("exchange.draft.publish"), Primary: true, Hidden: []web.Hidden{{Name: "changed", Value: strconv.FormatInt(d.Changed.UnixMicro(), 10)}}}
	if len(res.Warnings) > 0 {
		publish.Fields = []web.Field{rd.confirmField()}
	}
	v.add(aside(words.T("exchange.draft.publish"), "", "write-form", publish),
		aside(words.T("exchange.draft.delete"), "", "write-form", writeForm{Action: at + "/delete", Submit: words.T("exchange.draft.delete"), Danger: true}))
}

// advisoryBlocks is the text as its readers see it: the box first.
func advisoryBlocks(words web.Words, t AdvisoryText) (blocks []web.Block) {
	type part struct{ Title, Text string }
	var box []part
	if t.ForWhom != "" {
		box = append(box, part{words.T("exchange.advisory.for-whom"), t.ForWhom})
	}
	if t.WhatToDo != "" {
		box = append(box, part{words.T("exchange.advisory.what-to-do"), t.WhatToDo})
	}
	if len(box) > 0 {
		blocks = append(blocks, block(words.T("exchange.advisory.box"), "", "advisory-box", box))
	}
	return append(blocks, block(words.T("exchange.advisory.text"), "", "prose", t.Body))
}

// draftFrom reads the form of a draft.
func draftFrom(r *http.Request) (Draft, error) {
	values, err := web.Form(r)
	d := Draft{
		ID: r.PathValue("id"), AdvisoryText: AdvisoryText{Title: values.Get("title"), Body: values.Get("body"), ForWhom: values.Get("for-whom"), WhatToDo: values.Get("what-to-do")},
		Community: values.Get("community"), TLP: values.Get("tlp"), To: orgsOf(values["to"]), Named: values.Get("named") == "yes", About: strings.Fields(values.Get("about")),
	}
	if n, err := strconv.ParseInt(values.Get("changed"), 10, 64); err == nil {
		d.Changed = time.UnixMicro(n).UTC()
	}
	return d, err
}

func (p *Pages) keepDraft(w http.ResponseWriter, r *http.Request) error {
	d, err := draftFrom(r)
	if err != nil {
		return err
	}
	saved, err := p.SaveDraft(r.Context(), web.ActorOf(r), d)
	if mendable(err) {
		return p.showDraft(w, r, d, err)
	}
	if err != nil {
		return err
	}
	return p.done(w, r, address("advisories", "drafts", saved.ID), "exchange.draft.saved")
}

// onDraft shows the draft again with what could not be done, or goes on to another page.
func (p *Pages) onDraft(w http.ResponseWriter, r *http.Request, err error, to, said string) error {
	if err == nil {
		return p.done(w, r, to, said)
	}
	if !mendable(err) {
		return err
	}
	d, again := p.Draft(r.Context(), web.ActorOf(r), r.PathValue("id"))
	if again != nil {
		return again
	}
	return p.showDraft(w, r, d, err)
}

// attachFile streams the file of a form into the store.
func (p *Pages) attachFile(w http.ResponseWriter, r *http.Request) error {
	parts, err := r.MultipartReader()
	if err != nil {
		return polder.Errorf(polder.Invalid, "the form cannot be read; open the page again")
	}
	at := address("advisories", "drafts", r.PathValue("id"))
	for {
		part, err := parts.NextPart()
		if err == io.EOF {
			return p.onDraft(w, r, polder.Errorf(polder.Invalid, "attachment: choose a file"), at, "")
		}
		if err != nil {
			return web.Translate(err)
		}
		if part.FormName() == "file" {
			_, err := p.Attach(r.Context(), web.ActorOf(r), r.PathValue("id"), part.FileName(), part)
			return p.onDraft(w, r, err, at, "exchange.draft.attached")
		}
	}
}

func (p *Pages) detachFile(w http.ResponseWriter, r *http.Request) error {
	_, err := p.Detach(r.Context(), web.ActorOf(r), r.PathValue("id"), r.PathValue("sha256"))
	return p.onDraft(w, r, err, address("advisories", "drafts", r.PathValue("id")), "exchange.draft.detached")
}

func (p *Pages) throwDraft(w http.ResponseWriter, r *http.Request) error {
	return p.onDraft(w, r, p.DeleteDraft(r.Context(), web.ActorOf(r), r.PathValue("id")), "/advisories", "exchange.draft.deleted")
}

// publishDraft publishes what its reader saw: a draft that changed since is shown again.
func (p *Pages) publishDraft(w http.ResponseWriter, r *http.Request) error {
	values, err := web.Form(r)
	if err != nil {
		return err
	}
	by, id := web.ActorOf(r), r.PathValue("id")
	d, err := p.Draft(r.Context(), by, id)
	if err != nil {
		return err
	}
	if values.Get("changed") != strconv.FormatInt(d.Changed.UnixMicro(), 10) {
		return p.showDraft(w, r, d, polder.Errorf(polder.Conflict, "draft: it changed since you looked at it; look again"))
	}
	res, err := p.PublishDraft(r.Context(), by, id, values.Get("confirm") == "yes")
	return p.onDraft(w, r, outcome(res, err), "/advisories", "exchange.draft.published")
}

func (p *Pages) advisoryPage(w http.ResponseWriter, r *http.Request) error {
	rd, err := p.reader(r)
	if err != nil {
		return err
	}
	a, err := p.Advisory(rd.ctx, rd.by, r.PathValue("community"), r.PathValue("id"))
	if err != nil {
		return err
	}
	words, d := rd.words, a.Delivery
	m, _ := rd.place(string(d.Community))
	about := []journal.Delivery{d}
	if len(a.About) > 0 {
		page, err := p.journal.Page(rd.ctx, rd.sight, journal.Query{IDs: a.About, Limit: 4 * maxAbout})
		if err != nil {
			return err
		}
		about = append(about, page.Deliveries...)
	}
	shown, err := p.show(rd, once(about))
	if err != nil {
		return err
	}
	v := pageView{}
	if a.Revoked {
		v.Alerts = []web.Alert{{Class: "warn", Title: words.T("exchange.worth.revoked"), Text: words.T("exchange.revoked.text")}}
	}
	v.add(advisoryBlocks(words, a.AdvisoryText)...)
	by, links := "", []web.Pair{}
	for _, s := range shown {
		if s.ID == d.ID {
			by = s.By
			continue
		}
		links = append(links, web.Pair{Term: rd.kind(s.Type()), Text: s.Title, Href: query(link(s.ID), "community", m.Alias), TLP: s.Level})
	}
	if err := p.addFiles(rd, &v, a, m); err != nil {
		return err
	}
	if len(links) > 0 {
		v.add(aside(words.T("exchange.draft.about"), "", "facts", links))
	}
	v.add(aside(words.T("exchange.may"), "", "notes", mayDo(words, d.Level)))
	if a.Mine && !a.Revoked && m.Right(rd.by) >= polder.RoleContributor {
		at := advisoryAt(m, d.ID)
		v.add(aside(words.T("exchange.advisory.revise"), "", "write-form", writeForm{Action: at + "/revise", Submit: words.T("exchange.advisory.revise")}),
			aside(words.T("exchange.advisory.revoke"), "", "write-form", writeForm{Action: at + "/revoke", Submit: words.T("exchange.advisory.revoke"), Danger: true, Note: words.T("exchange.advisory.revoke-note")}))
	}
	p.site.Render(w, r, web.Page{Template: "exchange/page", Title: a.Title, TLP: d.Level, Data: v,
		Crumbs: []web.Link{{Text: words.T("exchange.advisories"), Href: "/advisories"}},
		Facts: []web.Pair{{Term: words.T("exchange.marking"), TLP: d.Level}, {Term: words.T("exchange.created-by"), Text: by}, {Term: words.T("exchange.community"), Text: m.Name},
			{Term: words.T("exchange.shared"), Text: words.When(d.Seq.Time())}, {Term: words.T("exchange.object"), Text: words.T("exchange.advisory.object"), Href: query(link(d.ID), "community", m.Alias)}}})
	return nil
}

// addFiles adds the files that this node holds.
func (p *Pages) addFiles(rd *reader, v *pageView, a Advisory, m polder.Membership) error {
	type file struct{ Name, Href, Size string }
	var files []file
	for _, f := range a.Attachments {
		held, err := hasAttachment(rd.ctx, p.db.Read(), a.Delivery, f.SHA256)
		if err != nil {
			return err
		}
		if held {
			files = append(files, file{f.Name, advisoryAt(m, a.Delivery.ID) + "/files/" + f.SHA256, rd.words.Size(f.Size)})
		}
	}
	if len(files) > 0 {
		v.add(aside(rd.words.T("exchange.advisory.files"), "", "advisory-files", files))
	}
	return nil
}

// advisoryFile serves a file as bytes to keep, never to show.
func (p *Pages) advisoryFile(w http.ResponseWriter, r *http.Request) error {
	f, file, err := p.OpenAttachment(r.Context(), web.ActorOf(r), r.PathValue("community"), r.PathValue("id"), r.PathValue("sha256"))
	if err != nil {
		return err
	}
	defer file.Close()
	h := w.Header()
	h.Set("Content-Type", "application/octet-stream")
	h.Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": f.Name}))
	h.Set("X-Content-Type-Options", "nosniff")
	http.ServeContent(w, r, "", time.Time{}, file)
	return nil
}

func (p *Pages) revise(w http.ResponseWriter, r *http.Request) error {
	d, err := p.ReviseAdvisory(r.Context(), web.ActorOf(r), r.PathValue("community"), r.PathValue("id"))
	if err != nil {
		return err
	}
	return p.done(w, r, address("advisories", "drafts", d.ID), "exchange.draft.saved")
}

func (p *Pages) revoke(w http.ResponseWriter, r *http.Request) error {
	res, err := p.RevokeAdvisory(r.Context(), web.ActorOf(r), r.PathValue("community"), r.PathValue("id"))
	if err := outcome(res, err); err != nil {
		return err
	}
	return p.done(w, r, "/advisories", "exchange.advisory.revoked")
}
