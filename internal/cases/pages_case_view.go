package cases

import (
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/web"
	"github.com/polder-exchange/polder/stix"
)

// This file holds what the console pages of cases share: the tabs, views of their own components, and small wording.

// caseMark is the data of "case-mark": a state in a word with its sign.
type caseMark struct{ Class, Icon, Text string }

// caseView is the data of templates/case.html: a row of tabs, blocks over the whole width, then one or two columns.
type caseView struct {
	Tabs    []caseTab
	Errors  []web.FieldError
	Alerts  []web.Alert
	Actions []web.Action
	Dialogs []web.Dialog
	Even    bool // both columns are of one width
	Wide    []web.Block
	Main    []web.Block
	Aside   []web.Block
}

func (v *caseView) across(b ...web.Block) { v.Wide = append(v.Wide, b...) }
func (v *caseView) add(b ...web.Block)    { v.Main = append(v.Main, b...) }
func (v *caseView) beside(b ...web.Block) { v.Aside = append(v.Aside, b...) }

// caseTab is a sibling page.
type caseTab struct {
	Text, Href string
	Here       bool
}

// caseTabs are the pages of cases beside each other, for who may read them; here is the path of the one that is open.
func caseTabs(words web.Words, by polder.Actor, here string) []caseTab {
	var out []caseTab
	for _, t := range []struct {
		key, path string
		need      web.Need
	}{{"cases.tab.cases", "/cases", web.Reader}, {"cases.tab.reports", "/cases/reports", web.Reader}, {"cases.tab.deadlines", "/cases/deadlines", web.Reader}, {"cases.tab.assistant", "/cases/assistant", web.Reader},
		{"cases.tab.jewels", "/cases/jewels", web.Reader}, {"cases.tab.shared", "/cases/shared", web.Reader}, {"cases.tab.desks", "/cases/desks", web.Steward}} {
		if t.need.Allows(by) {
			out = append(out, caseTab{words.T(t.key), t.path, t.path == here})
		}
	}
	return out
}

// caseBlock is a block of this part.
func caseBlock(title, note, template string, data any) web.Block {
	return web.Block{Title: title, Note: note, Template: "cases/" + template, Data: data}
}

// caseForm is the data of "case-form".
type caseForm struct {
	Action  string
	Files   bool
	Hidden  []web.Hidden
	Fields  []web.Field
	More    []web.Field // below "more", closed at first
	MoreIs  string      // what stands there
	Opened  bool
	Note    string
	Submit  string
	Also    *caseSubmit // a second button of the same form
	Primary bool
	Danger  bool
	Back    string
}

// caseSubmit is a button that sends its form with a value of its own, whether the form is filled in or not.
type caseSubmit struct{ Name, Value, Text string }

// errors are those of the form's fields, for the summary above.
func (f caseForm) errors() []web.FieldError {
	return append(web.ErrorsOf(f.Fields...), web.ErrorsOf(f.More...)...)
}

// caseTable is the data of "case-table".
type caseTable struct {
	Label string
	Heads []web.Head
	Rows  []caseRow
	Empty web.Empty
	Foot  string
	Pager web.Pager
}

// caseRow is a row: what leads on, then a cell for each further head.
type caseRow struct {
	Name, Href string
	Code       bool // the name is a value: shown as machines write it
	Level      stix.Marking
	Sub        string
	Cells      []caseCell
}

// caseCell is one cell.
type caseCell struct {
	Label   string
	Text    string
	Code    bool
	Href    string
	Sub     string
	Num     bool
	Mark    caseMark
	At      time.Time
	Links   []web.Link
	Buttons []caseButton
}

// caseButton is a form of one button.
type caseButton struct {
	Action, Label string
	About         string // what it is about, for who does not see the row
	Hidden        []web.Hidden
}

// add appends a row, whose cells get the labels of their heads.
func (t *caseTable) add(row caseRow) {
	for i := range row.Cells {
		if i+1 < len(t.Heads) {
			row.Cells[i].Label, row.Cells[i].Num = t.Heads[i+1].Label, t.Heads[i+1].Num
		}
	}
	t.Rows = append(t.Rows, row)
}

// caseNotDone says on the page why something was not done; nil for nothing.
func caseNotDone(words web.Words, err error) []web.Alert {
	if err == nil {
		return nil
	}
	return []web.Alert{{Class: "bad", Title: words.T("cases.not-done"), Text: web.Sentence(err.Error())}}
}

func caseStatus(err error) int {
	if err == nil {
		return http.StatusOK
	}
	return web.Status(err)
}

// caseDone sends the reader on to a page, where the text of key is said.
func (p *Pages) caseDone(w http.ResponseWriter, r *http.Request, to, key string, pairs ...any) error {
	p.site.Toast(w, "", key, pairs...)
	http.Redirect(w, r, to, http.StatusSeeOther)
	return nil
}

// caseFirstLine is the first line of a text, clipped: for where one line is shown of what people wrote.
func caseFirstLine(s string, runes int) string {
	s, _, _ = strings.Cut(strings.TrimSpace(s), "\n")
	return web.Clip(strings.TrimSpace(s), runes)
}

// casePath joins a path of which the parts are somebody's.
func casePath(base string, more ...string) string {
	for _, m := range more {
		base += "/" + url.PathEscape(m)
	}
	return base
}

// caseStricter is the stricter of two levels: what a page that shows both is marked.
func caseStricter(a, b stix.Marking) stix.Marking { return max(a, b) }
