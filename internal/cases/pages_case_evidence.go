package cases

import (
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"net/url"
	"path"
	"strings"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/web"
)

// This file takes evidence in, shows its custody, and hands it out. A file is never shown, only handed out as a download.

// evidenceBlocks say what a piece of evidence is, who kept it, and how to get it.
func (c *caseSheet) evidenceBlocks(v *caseView, it Item, rows *[]web.Pair) {
	t, e := c.words.T, it.Evidence
	*rows = append(*rows, web.Pair{Term: t("cases.evidence.where"), Text: caseOr(e.Where, t("cases.evidence.here"))})
	if e.Name != "" {
		*rows = append(*rows, web.Pair{Term: t("cases.evidence.name"), Text: web.Clip(e.Name, 200)}, web.Pair{Term: t("cases.evidence.size"), Text: c.words.Size(e.Size)})
	}
	if e.SHA256 != "" {
		*rows = append(*rows, web.Pair{Term: "SHA-256", Text: e.SHA256, Code: true})
	}
	var steps []caseEntry
	for i := len(e.Custody) - 1; i >= 0; i-- {
		s := e.Custody[i]
		row := caseEntry{Item: Item{At: s.At}, Title: caseCustodyText(c.words, s.Did), By: c.names.person(s.Person, it.Org), Says: s.Reason}
		if s.To != "" {
			row.Title = t("cases.custody.to", "did", row.Title, "to", s.To)
		}
		steps = append(steps, row)
	}
	if len(steps) > 0 {
		v.add(caseBlock(t("cases.custody"), t("cases.custody.note"), "case-timeline", steps))
	}
	if e.SHA256 != "" && it.Struck.IsZero() && !it.Erased {
		v.add(caseBlock(t("cases.evidence.get"), "", "case-form", caseForm{Action: casePath(c.item(it), "file"), Submit: t("cases.evidence.get.do"), Note: t("cases.evidence.get.note"), Fields: []web.Field{{Name: "reason", Label: t("cases.evidence.get.why"), Help: t("cases.evidence.get.why-help"), Max: 500, Required: true}}}))
	}
	if c.works() && it.Struck.IsZero() && !it.Erased {
		did := web.Field{Name: "did", Label: t("cases.custody.did")}
		for _, s := range custodySteps {
			did.Options = append(did.Options, web.Option{Value: s, Label: caseCustodyText(c.words, s)})
		}
		v.add(caseBlock(t("cases.custody.add"), "", "case-form", caseForm{Action: casePath(c.item(it), "custody"), Submit: t("cases.custody.add"), Fields: []web.Field{did,
			{Name: "receiver", Label: t("cases.custody.receiver"), Help: t("cases.custody.receiver-help"), Max: caseMaxShort},
			{Name: "because", Label: t("cases.why"), Max: 500, Required: true},
			{Name: "when", Label: t("cases.custody.when"), Help: t("cases.item.zone", "zone", c.words.ZoneName()), Type: "datetime-local", Short: true, Value: c.words.Input(c.p.o.Now())}}}))
	}
}

// caseUpload is a form with at most one file, read as it arrives.
type caseUpload struct {
	values url.Values
	name   string
	kind   string // media type as the sender names it
	file   io.ReadCloser
	form   *multipart.Form
}

func (u *caseUpload) close() {
	if u.file != nil {
		u.file.Close()
	}
	u.form.RemoveAll()
}

// caseUploadOf reads a form; its file is empty where none was chosen.
func caseUploadOf(r *http.Request) (*caseUpload, error) {
	if err := r.ParseMultipartForm(caseFormBytes); err != nil {
		if err = web.Translate(err); polder.KindOf(err) == polder.Internal {
			err = polder.Errorf(polder.Invalid, "the form cannot be read; open the page again")
		}
		return nil, err
	}
	u := &caseUpload{values: r.MultipartForm.Value, form: r.MultipartForm}
	all := r.MultipartForm.File["file"]
	if len(all) == 0 || all[0].Filename == "" {
		return u, nil
	}
	u.name, u.kind = caseFileName(all[0].Filename), all[0].Header.Get("Content-Type")
	f, err := all[0].Open()
	if err != nil {
		u.close()
		return nil, err
	}
	u.file = f
	return u, nil
}

// caseFileName is the name of a file without the folders that some browsers send along.
func caseFileName(name string) string {
	return web.Clip(path.Base(strings.ReplaceAll(name, `\`, "/")), caseMaxShort)
}

// addCaseFile adds a file, or a thing that lies somewhere, as evidence.
func (p *Pages) addCaseFile(w http.ResponseWriter, r *http.Request) error {
	if r.PathValue("item") != string(ItemEvidence) {
		return polder.Errorf(polder.NotFound, "a file is added as evidence")
	}
	v, err := p.Case(r.Context(), web.ActorOf(r), CaseID(r.PathValue("id"))) // before a byte of a file is taken
	switch {
	case err != nil:
		return err
	case !v.Access.May(PartWork):
		return polder.Errorf(polder.Forbidden, "your part in this case is %s; this asks for %s", v.Access.Part, PartWork)
	}
	u, err := caseUploadOf(r)
	if err != nil {
		return err
	}
	defer u.close()
	d, words := caseDraftOf(u.values), web.WordsOf(r)
	it, err := d.item(words, ItemEvidence, Item{})
	if err == nil && u.file == nil && d.Where == "" {
		err = polder.Errorf(polder.Invalid, "where: %s", words.T("cases.evidence.missing"))
	}
	if err == nil {
		err = p.keepEvidence(r, u, it)
	}
	if web.Mendable(err) {
		c, sheetErr := p.caseSheetOf(r)
		if sheetErr != nil {
			return sheetErr
		}
		return p.showCaseAdd(w, r, c, ItemEvidence, d, err)
	}
	if err != nil {
		return err
	}
	return p.caseDone(w, r, casePath("/cases", r.PathValue("id")), "cases.added.evidence")
}

func (p *Pages) keepEvidence(r *http.Request, u *caseUpload, it Item) error {
	id, by := CaseID(r.PathValue("id")), web.ActorOf(r)
	if u.file == nil {
		_, err := p.AddItem(r.Context(), by, id, it)
		return err
	}
	it.Evidence.Name, it.Evidence.Type = u.name, u.kind
	_, err := p.AddEvidence(r.Context(), by, id, it, u.file)
	return err
}

// addCaseCustody adds a step to the custody of evidence.
func (p *Pages) addCaseCustody(w http.ResponseWriter, r *http.Request) error {
	values, err := web.Form(r)
	if err != nil {
		return err
	}
	at, err := web.WordsOf(r).ReadInput(values.Get("when"))
	if err == nil {
		_, err = p.AddCustody(r.Context(), web.ActorOf(r), CaseID(r.PathValue("id")), r.PathValue("item"), Custody{At: at, Did: values.Get("did"), To: strings.TrimSpace(values.Get("receiver")), Reason: strings.TrimSpace(caseLines(values.Get("because")))})
	}
	return p.caseActed(w, r, err, casePath("/cases", r.PathValue("id"), "items", r.PathValue("item")), "cases.custody.added")
}

// openCaseFile hands a file out as a download. That is a step of its custody, so it is asked for by a form, with a reason.
func (p *Pages) openCaseFile(w http.ResponseWriter, r *http.Request) error {
	values, err := web.Form(r)
	if err != nil {
		return err
	}
	f, it, err := p.OpenEvidence(r.Context(), web.ActorOf(r), CaseID(r.PathValue("id")), r.PathValue("item"), strings.TrimSpace(caseLines(values.Get("reason"))))
	if err != nil {
		return p.caseActed(w, r, err, "", "")
	}
	defer f.Close()
	caseDownload(w, it.Evidence.Name, "application/octet-stream")
	http.ServeContent(w, r, "", it.Made, f)
	return nil
}

// caseDownload makes an answer a download of that name, which no browser shows in the page.
func caseDownload(w http.ResponseWriter, name, kind string) {
	h := w.Header()
	h.Set("Content-Type", kind)
	h.Set("Content-Disposition", caseOr(mime.FormatMediaType("attachment", map[string]string{"filename": caseOr(caseFileName(name), "evidence")}), "attachment"))
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Content-Security-Policy", "default-src 'none'; sandbox")
	h.Set("Cache-Control", "no-store")
}
