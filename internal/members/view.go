package members

import (
	"cmp"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/web"
	"github.com/polder-exchange/polder/stix"
)

// view is the data of templates/page.html and templates/solo.html: panels beside each other, or one form.
type view struct {
	Form    form // of the page itself
	Alert   *web.Alert
	Actions []web.Action
	Dialogs []web.Dialog // opened by buttons in the head
	Main    []web.Block
	Aside   []web.Block
	Script  string   // an address of a script of this page, or empty
	Away    web.Link // leaves this site, to where somebody logs in
}

// errors are those of every form on the page, for the summary above.
func (v view) errors() (all []web.FieldError) {
	all = web.ErrorsOf(v.Form.Fields...)
	for _, b := range slices.Concat(v.Main, v.Aside) {
		if f, ok := b.Data.(form); ok {
			all = append(all, web.ErrorsOf(f.Fields...)...)
		}
	}
	return all
}

// Errors are those of every form on the page, for the template.
func (v view) Errors() []web.FieldError { return v.errors() }

// form is the data of the fragment "form".
type form struct {
	Action string
	Get    bool // changes nothing: its answers stand in the address
	Fields []web.Field
	Hidden []web.Hidden
	Submit string
	Back   string // where the way back leads; empty shows none
	Note   string
	Large  bool
	Beside bool   // not what the page is for: its button is not the primary one
	Class  string // "invitation": the script of invitations fills it

	Prove   string // whoever sends it shows to be still the one: by "password", or by a "passkey" too
	Passkey string // what the script of passkeys does when it is sent; without script it is hidden
}

// answers are what somebody wrote into a form that needs changes. The zero value is a fresh form.
type answers struct {
	values url.Values
	wrong  map[string]string // by field
	failed error             // what the service said of the whole
}

// field is f with what was written into it and what is wrong with that.
func (a answers) field(f web.Field) web.Field {
	f.Error = a.wrong[f.Name]
	if _, answered := a.values[f.Name]; !answered && !(f.Many && a.values != nil) {
		return f
	}
	if f.Type == "password" {
		return f
	}
	if len(f.Options) == 0 {
		f.Value = a.values.Get(f.Name)
		return f
	}
	f.Options = slices.Clone(f.Options)
	for i := range f.Options {
		f.Options[i].Chosen = slices.Contains(a.values[f.Name], f.Options[i].Value)
	}
	return f
}

// alert says what the service refused; nil when it did not.
func (a answers) alert(w web.Words) *web.Alert {
	if a.failed == nil {
		return nil
	}
	return &web.Alert{Class: "bad", Title: w.T("members.refused"), Text: web.Sentence(a.failed.Error())}
}

// status is the status of the page that shows the form again.
func (a answers) status() int {
	switch {
	case a.failed != nil:
		return web.Status(a.failed)
	case len(a.wrong) > 0:
		return http.StatusBadRequest
	}
	return http.StatusOK
}

// refused is a with what the service said of it, for the form that is shown again. An error that the reader cannot mend
// there comes back.
func (a answers) refused(err error) (answers, error) {
	switch polder.KindOf(err) {
	case polder.Invalid, polder.Conflict, polder.Forbidden:
		a.failed = err
		return a, nil
	}
	return a, err
}

// table is the data of the fragment "table".
type table struct {
	Label string
	Heads []web.Head
	Rows  []row
	Empty web.Empty
	Foot  string
	Pager *web.Pager
}

// row is a line of a table; its first cell names it.
type row []cell

// cell shows what is set of it, in the order of the fields.
type cell struct {
	Text, Href string
	Code       string
	At         time.Time
	TLP        stix.Marking
	Tag        *tag
	Sub        string
	Dialog     *web.Dialog
	Post       *button
	Bare       bool   // stands without its column's name where the table is folded
	sort       string // what the column is sorted by; empty is the text
}

// tag is a state in a word.
type tag struct{ Class, Icon, Text string }

// button is a form of one button.
type button struct{ Action, Label, Name string }

// Dialogs are the dialogs of the table's buttons.
func (t table) Dialogs() (all []web.Dialog) {
	for _, r := range t.Rows {
		for _, c := range r {
			if c.Dialog != nil {
				all = append(all, *c.Dialog)
			}
		}
	}
	return all
}

// sorted sorts the table as its address asks (?sort=KEY or -KEY) and gives it its heads. An unknown key sorts nothing.
func (t table) sorted(at *url.URL, columns ...web.Column) table {
	by := at.Query().Get("sort")
	key, down := strings.CutPrefix(by, "-")
	t.Heads = web.Heads(at, by, columns...)
	i := slices.IndexFunc(columns, func(c web.Column) bool { return c.Key != "" && c.Key == key })
	if i < 0 {
		return t
	}
	slices.SortStableFunc(t.Rows, func(a, b row) int {
		if down {
			a, b = b, a
		}
		return cmp.Compare(a[i].order(), b[i].order())
	})
	return t
}

func (c cell) order() string {
	switch {
	case c.sort != "":
		return c.sort
	case !c.At.IsZero():
		return c.At.UTC().Format(time.RFC3339Nano)
	}
	return strings.ToLower(c.Text)
}

// plainHeads are heads that sort nothing.
func plainHeads(labels ...string) []web.Head {
	heads := make([]web.Head, len(labels))
	for i, l := range labels {
		heads[i] = web.Head{Label: l}
	}
	return heads
}

// block is a panel with one of the fragments of this part.
func block(title, note, fragment string, data any) web.Block {
	return web.Block{Title: title, Note: note, Template: "members/" + fragment, Data: data}
}

// counted is the heading of a list: how many there are, or the bare name when there is nothing to count.
func counted(w web.Words, key string, n int) string {
	if n == 0 {
		return w.T(key)
	}
	return w.T(key+".count", "n", n)
}

// secret is the data of the fragment "secret": what is shown once.
type secret struct {
	Text  string
	Says  string
	Pairs []web.Pair
	Next  web.Action
}

// roleText is a role in words.
func roleText(w web.Words, r polder.Role) string { return w.T("members.role." + r.String()) }

// roleOptions are the roles up to most.
func roleOptions(w web.Words, most, chosen polder.Role) []web.Option {
	var all []web.Option
	for r := polder.RoleReader; r <= most; r++ {
		all = append(all, web.Option{Value: r.String(), Label: roleText(w, r), Help: w.T("members.role." + r.String() + ".help"), Chosen: r == chosen})
	}
	return all
}

// render answers with a page whose forms may say what is wrong.
func (p *Pages) render(w http.ResponseWriter, r *http.Request, page web.Page, a answers) error {
	v, ok := page.Data.(view)
	if ok && a.failed != nil {
		v.Alert = a.alert(web.WordsOf(r))
		page.Data = v
	}
	if page.Template == "" {
		page.Template = "members/page"
	}
	if page.Status == 0 {
		page.Status = a.status()
	}
	p.site.Render(w, r, page)
	return nil
}

// confirm is the page with the form of a dialog, for whoever cannot open dialogs.
func (p *Pages) confirm(dialog func(*http.Request) (web.Dialog, string, error)) handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		d, back, err := dialog(r)
		if err != nil {
			return err
		}
		f := form{Action: d.Action, Fields: d.Fields, Hidden: d.Hidden, Submit: d.Submit, Back: back}
		return p.render(w, r, web.Page{Template: "members/confirm", Title: d.Title, Lede: d.Text, Data: view{Form: f}}, answers{})
	}
}
