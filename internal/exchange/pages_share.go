package exchange

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/base64"
	"encoding/csv"
	"encoding/hex"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/indicator"
	"github.com/polder-exchange/polder/internal/web"
	"github.com/polder-exchange/polder/stix"
)

// maxForm is the longest file or text that the form takes; maxFormBody is that in base64, and the rest of the form.
const (
	maxForm     = 4_000_000
	maxFormBody = maxForm/3*4 + 1<<20
)

// draft is what somebody wrote into the form. Nothing of it is stored: it travels in the form until it is shared.
type draft struct {
	place polder.Membership
	level stix.Marking
	asIs  bool // the objects' own marks decide
	named bool
	to    []polder.OrgID
	src   Source
	one   map[string]string // the fields of a single indicator
	seen  string            // what the sharer saw: see [outlook]

	derive   stix.Marking // what is marked stricter is taken out; None takes out nothing
	override string       // why it leaves although a value stops it
	tried    bool         // to share it, and not only to look
}

// shareView is the data of templates/share.html.
type shareView struct {
	Errors  []web.FieldError
	Alert   *web.Alert
	Places  []web.Link // other communities to share in
	Hidden  []web.Hidden
	Text    web.Field
	File    web.Field
	One     []web.Field
	Levels  web.Field
	Named   web.Field
	Derive  web.Field
	To      *web.Field
	Said    string
	Nothing *web.Empty
}

func (p *Pages) sharePage(w http.ResponseWriter, r *http.Request) error {
	rd, err := p.reader(r)
	if err != nil {
		return err
	}
	d := draft{level: stix.Amber, one: map[string]string{"value": clip(r.URL.Query().Get("value"), indicator.MaxValue)}}
	if d.place, err = rd.sharesIn(r.URL.Query().Get("community")); err != nil {
		return err
	}
	return p.shareForm(w, r, rd, d, nil)
}

// sharesIn is the community to share in: the one that is asked for, or the first in which the reader may share. The zero
// membership says that there is none.
func (rd *reader) sharesIn(community string) (polder.Membership, error) {
	if community != "" {
		m, ok := rd.place(community)
		if !ok {
			return m, polder.Errorf(polder.NotFound, "there is no such community, or your organisation does not belong to it")
		}
		if m.Right(rd.by) < polder.RoleContributor {
			return m, polder.Errorf(polder.Forbidden, "you may read in %s but not share; ask a steward for the role of contributor", m.Name)
		}
		return m, nil
	}
	for _, m := range rd.places {
		if m.Right(rd.by) >= polder.RoleContributor {
			return m, nil
		}
	}
	return polder.Membership{}, nil
}

// shareForm shows the form, with what was written into it and what is wrong with that.
func (p *Pages) shareForm(w http.ResponseWriter, r *http.Request, rd *reader, d draft, wrong error) error {
	words := rd.words
	v := shareView{}
	page := web.Page{Template: "exchange/share", Title: words.T("exchange.share"), Lede: words.T("exchange.share.lede")}
	if d.place.Community.ID == "" {
		v.Nothing = &web.Empty{Icon: "share", Title: words.T("exchange.share.nowhere"), Text: words.T("exchange.share.nowhere-text"),
			Actions: []web.Action{{Label: words.T("exchange.share.join"), Href: "/join", Primary: true}}}
		page.Data = v
		p.site.Render(w, r, page)
		return nil
	}
	if wrong != nil {
		v.Alert = &web.Alert{Class: "bad", Title: words.T("exchange.share.refused"), Text: web.Sentence(wrong.Error())}
		page.Status = web.Status(wrong)
	}
	for _, m := range rd.places {
		if m.Community.ID != d.place.Community.ID && m.Right(rd.by) >= polder.RoleContributor {
			v.Places = append(v.Places, web.Link{Text: m.Name, Href: query("/share", "community", m.Alias)})
		}
	}
	v.Said = words.T("exchange.share.in", "name", d.place.Name)
	v.Hidden = []web.Hidden{{Name: "community", Value: d.place.Alias}}
	written := ""
	if d.src.Name == textName {
		written = string(d.src.Body)
	}
	v.Text = web.Field{Name: "text", Label: words.T("exchange.share.text"), Help: words.T("exchange.share.text-help"), Rows: 8, Value: written}
	v.File = web.Field{Name: "file", Label: words.T("exchange.share.file"), Help: words.T("exchange.share.file-help", "size", words.Size(maxForm)), Type: "file"}
	for _, f := range oneFields {
		v.One = append(v.One, web.Field{Name: f.name, Label: words.T("exchange.share." + f.name), Help: helpOf(words, f.name), Value: d.one[f.name], Type: f.typ, Max: f.max})
	}
	v.Derive = deriveField(words, d)
	if err := p.audienceFields(rd, d, &v); err != nil {
		return err
	}
	page.Data = v
	p.site.Render(w, r, page)
	return nil
}

// oneFields are those of a single indicator.
var oneFields = []struct {
	name, typ string
	max       int
}{{"value", "", indicator.MaxValue}, {"name", "", 200}, {"description", "", 2000}, {"until", "date", 0}}

func helpOf(words web.Words, name string) string {
	if key := "exchange.share." + name + "-help"; words.Has(key) {
		return words.T(key)
	}
	return ""
}

// audienceFields are level, name and recipients.
func (p *Pages) audienceFields(rd *reader, d draft, v *shareView) error {
	words := rd.words
	org, err := p.accounts.Org(rd.ctx, rd.by.Org)
	if err != nil {
		return err
	}
	v.Levels = web.Field{Name: "tlp", Label: words.T("exchange.share.level")}
	if org.Widest > stix.Clear {
		v.Levels.Help = words.T("exchange.share.closed", "level", org.Widest)
	}
	chosen := max(d.level, org.Widest)
	for m := stix.Clear; m <= stix.Red; m++ {
		v.Levels.Options = append(v.Levels.Options, web.Option{Value: m.String(), TLP: m, Help: words.T("exchange.level." + m.String()), Chosen: !d.asIs && m == chosen, Closed: m.Wider(org.Widest)})
	}
	v.Levels.Options = append(v.Levels.Options, web.Option{Value: "", Label: words.T("exchange.share.as-marked"), Help: words.T("exchange.share.as-marked-help"), Chosen: d.asIs})
	v.Named = web.Field{Name: "named", Label: words.T("exchange.share.name-us"), Options: []web.Option{
		{Value: "no", Label: words.T("exchange.share.blind"), Help: words.T("exchange.share.blind-help"), Chosen: !d.named},
		{Value: "yes", Label: words.T("exchange.share.named", "name", org.Name), Chosen: d.named}}}
	members, err := p.accounts.MemberList(rd.ctx, rd.by, d.place.Community.ID)
	if err != nil {
		return err
	}
	to := web.Field{Name: "to", Label: words.T("exchange.share.to"), Help: words.T("exchange.share.to-help", "name", d.place.Name), Many: true}
	for _, m := range members {
		if m.Accepted && m.Role >= polder.RoleReader && m.Org != rd.by.Org {
			to.Options = append(to.Options, web.Option{Value: string(m.Org), Label: m.Organisation.Name, Chosen: slices.Contains(d.to, m.Org)})
		}
	}
	if len(to.Options) > 0 {
		v.To = &to
	}
	return nil
}

// textName is what a pasted text is called as a source.
const textName = "text"

// draft reads the form, from the form page or carried along by the preview.
func (p *Pages) draft(r *http.Request, rd *reader) (d draft, err error) {
	if err := r.ParseMultipartForm(maxFormBody); err != nil && err != http.ErrNotMultipart {
		if err = web.Translate(err); polder.KindOf(err) == polder.Internal {
			err = polder.Errorf(polder.Invalid, "the form cannot be read; open the page again")
		}
		return d, err
	}
	f := r.PostForm
	if d.place, err = rd.sharesIn(cmp.Or(f.Get("community"), "-")); err != nil {
		return d, err
	}
	d.asIs, d.named, d.seen, d.one = f.Get("tlp") == "", f.Get("named") == "yes", f.Get("seen"), map[string]string{}
	if !d.asIs {
		if d.level, err = stix.ParseMarking(f.Get("tlp")); err != nil {
			return d, polder.Errorf(polder.Invalid, "tlp: %w", err)
		}
	}
	d.override = strings.TrimSpace(f.Get("override"))
	if f.Get("derive") != "" {
		if d.derive, err = stix.ParseMarking(f.Get("derive")); err != nil {
			return d, polder.Errorf(polder.Invalid, "derive: %w", err)
		}
	}
	for _, o := range f["to"] {
		d.to = append(d.to, polder.OrgID(o))
	}
	for _, field := range oneFields {
		d.one[field.name] = strings.TrimSpace(f.Get(field.name))
	}
	d.src, err = sourceOf(r, d.one)
	d.src.Community = d.place.Alias
	return d, err
}

// sourceOf is what is handed in: what a preview carried along, a file, a single indicator, or a text.
func sourceOf(r *http.Request, one map[string]string) (src Source, err error) {
	f := r.PostForm
	if carried := f.Get("body"); carried != "" {
		src = Source{Name: f.Get("source"), ContentType: f.Get("kind")}
		if src.Body, err = base64.StdEncoding.DecodeString(carried); err != nil {
			return src, polder.Errorf(polder.Invalid, "the form cannot be read; open the page again")
		}
		return src, nil
	}
	if r.MultipartForm != nil && len(r.MultipartForm.File["file"]) > 0 && r.MultipartForm.File["file"][0].Size > 0 {
		head := r.MultipartForm.File["file"][0]
		file, err := head.Open()
		if err != nil {
			return src, err
		}
		defer file.Close()
		src = Source{Name: clip(head.Filename, 200), ContentType: head.Header.Get("Content-Type")}
		if src.Body, err = io.ReadAll(io.LimitReader(file, maxForm+1)); err == nil && len(src.Body) > maxForm {
			err = polder.Errorf(polder.TooLarge, "the file is larger than %d MB; share it with polder share, which cuts it up", maxForm/1_000_000)
		}
		return src, err
	}
	if one["value"] != "" {
		return table(one)
	}
	src = Source{Name: textName, Body: []byte(f.Get("text"))}
	if len(bytes.TrimSpace(src.Body)) == 0 {
		err = polder.Errorf(polder.Invalid, "there is nothing to share yet: paste a text, choose a file or write one indicator")
	}
	return src, err
}

// table is a single indicator as a table of one row, which is read as any table is.
func table(one map[string]string) (Source, error) {
	if _, _, err := indicator.Recognise(one["value"]); err != nil {
		return Source{Name: "indicator"}, polder.Errorf(polder.Invalid, "value: %w", err)
	}
	heads, cells := []string{"value"}, []string{indicator.GuardCell(one["value"])}
	for _, c := range [][2]string{{"name", "name"}, {"description", "description"}, {"valid_until", "until"}} {
		if v := one[c[1]]; v != "" {
			heads, cells = append(heads, c[0]), append(cells, indicator.GuardCell(v))
		}
	}
	if until := one["until"]; until != "" {
		if _, err := time.Parse(time.DateOnly, until); err != nil {
			return Source{Name: "indicator"}, polder.Errorf(polder.Invalid, "valid until: %q is no date such as 2027-02-23", until)
		}
	}
	var b bytes.Buffer
	out := csv.NewWriter(&b)
	err := out.WriteAll([][]string{heads, cells})
	return Source{Name: "indicator.csv", ContentType: "text/csv", Body: b.Bytes()}, err
}

// request is the share that the draft asks for.
func (d draft) request(read Reading, preview bool) Request {
	return Request{Community: d.place.Alias, Objects: read.Objects, LeftOut: read.LeftOut, Level: d.level, To: d.to, Named: d.named, Preview: preview, Confirmed: !preview, Derive: d.derive, Override: d.override}
}

// rehearse reads the draft and finds out what sharing it would come to. Nothing is stored.
func (p *Pages) rehearse(rd *reader, d draft) (Reading, Result, error) {
	read, err := p.Read(rd.ctx, rd.by, d.src)
	if err != nil {
		return read, Result{}, err
	}
	res, err := p.Share(rd.ctx, rd.by, d.request(read, true))
	return read, res, err
}

func (p *Pages) previewShare(w http.ResponseWriter, r *http.Request) error {
	rd, err := p.reader(r)
	if err != nil {
		return err
	}
	d, err := p.draft(r, rd)
	if err == nil {
		_, res, failed := p.rehearse(rd, d)
		if failed == nil {
			return p.preview(w, r, rd, d, res, false)
		}
		err = failed
	}
	return p.again(w, r, rd, d, err)
}

// again shows the form with an error that the sharer can mend there.
func (p *Pages) again(w http.ResponseWriter, r *http.Request, rd *reader, d draft, err error) error {
	switch polder.KindOf(err) {
	case polder.Invalid, polder.TooLarge, polder.Conflict, polder.Forbidden:
		if d.place.Community.ID != "" && d.place.Right(rd.by) >= polder.RoleContributor {
			return p.shareForm(w, r, rd, d, err)
		}
	}
	return err
}

// confirmShare shares what a preview showed. When something changed since, the preview is shown again instead.
func (p *Pages) confirmShare(w http.ResponseWriter, r *http.Request) error {
	rd, err := p.reader(r)
	if err != nil {
		return err
	}
	d, err := p.draft(r, rd)
	if err != nil {
		return p.again(w, r, rd, d, err)
	}
	if r.PostForm.Get("change") != "" {
		return p.shareForm(w, r, rd, d, nil)
	}
	d.tried = true
	read, res, err := p.rehearse(rd, d)
	if err != nil {
		return p.again(w, r, rd, d, err)
	}
	if len(res.Refused) > 0 || res.Stopped() || outlook(res) != d.seen {
		return p.preview(w, r, rd, d, res, d.seen != "" && outlook(res) != d.seen)
	}
	done, err := p.Share(rd.ctx, rd.by, d.request(read, false))
	if err != nil {
		return err
	}
	if len(done.Refused) > 0 {
		return p.preview(w, r, rd, d, done, true)
	}
	to, said := "/objects", "exchange.share.done"
	if len(done.Items) == 1 {
		to = query(link(done.Items[0].ID), "community", d.place.Alias)
	}
	if done.Stored == 0 {
		p.site.Toast(w, "", "exchange.share.known")
	} else {
		p.site.Toast(w, "", said, "n", done.Stored, "name", d.place.Name)
	}
	http.Redirect(w, r, to, http.StatusSeeOther)
	return nil
}

// outlook is a digest of what a share comes to: which objects leave at which level, and to whom. A share goes out only
// if it is still what its sharer saw.
func outlook(res Result) string {
	h := sha256.New()
	for _, it := range res.Items {
		h.Write([]byte(it.ID + it.TLP))
		for _, o := range it.Readers {
			h.Write([]byte(o))
		}
		for _, c := range it.Changes {
			h.Write([]byte(c.Path + c.After))
		}
	}
	return hex.EncodeToString(h.Sum(nil)[:16])
}
