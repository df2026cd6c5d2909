package screen

import (
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/polder-exchange/polder/internal/web"
)

// This file holds what the pages of screening share: views of their own components, forms and small wording.

// pageMark is the data of "mark": a state in a word with its sign.
type pageMark struct{ Class, Icon, Text string }

// pageView is the data of templates/page.html: blocks in one or two columns, below a row of tabs.
type pageView struct {
	Leaves  bool // what it shows may leave this node
	Tabs    []pageTab
	Errors  []web.FieldError
	Alerts  []web.Alert
	Actions []web.Action
	Dialogs []web.Dialog
	Main    []web.Block
	Aside   []web.Block
}

func (v *pageView) add(b ...web.Block)    { v.Main = append(v.Main, b...) }
func (v *pageView) beside(b ...web.Block) { v.Aside = append(v.Aside, b...) }

// pageTab is a sibling page.
type pageTab struct {
	Text, Href string
	Here       bool
}

// pageBlock is a block of this part.
func pageBlock(title, note, template string, data any) web.Block {
	return web.Block{Title: title, Note: note, Template: "screen/" + template, Data: data}
}

// pageForm is the data of "form".
type pageForm struct {
	Action  string
	Files   bool
	Get     bool // it leads to an address that may be kept, and changes nothing
	Hidden  []web.Hidden
	Fields  []web.Field
	More    []web.Field // below "more", closed at first
	MoreIs  string      // what stands there
	Opened  bool
	Note    string
	Submit  string
	Primary bool
	Danger  bool
	Back    string
}

// pageTable is the data of "table". A name in it is somebody's: shown apart from the direction of what is around it.
type pageTable struct {
	Label string
	Heads []web.Head
	Rows  []pageRow
	Empty web.Empty
	Foot  string
	Pager web.Pager
}

// pageRow is a row: what leads on, then a cell for each further head.
type pageRow struct {
	Name, Href string
	Foreign    bool // the name is a party's, in whatever script
	Sub        string
	Cells      []pageCell
}

// pageCell is one cell.
type pageCell struct {
	Label   string
	Text    string
	Foreign bool
	Sub     string
	Num     bool
	Mark    pageMark
	At      time.Time
	Buttons []pageButton
}

// pageButton is a form of one button.
type pageButton struct {
	Action, Label string
	About         string // what it is about, for who does not see the row
	Row           bool   // it leads on from its row: by a form, where what is asked stays out of the address
	Hidden        []web.Hidden
}

// add appends a row, whose cells get the labels of their heads.
func (t *pageTable) add(row pageRow) {
	for i := range row.Cells {
		if i+1 < len(t.Heads) {
			row.Cells[i].Label, row.Cells[i].Num = t.Heads[i+1].Label, t.Heads[i+1].Num
		}
	}
	t.Rows = append(t.Rows, row)
}

// pageNotDone says on the page why something was not done; nil for nothing.
func pageNotDone(words web.Words, err error) []web.Alert {
	if err == nil {
		return nil
	}
	return []web.Alert{{Class: "bad", Title: words.T("screen.not-done"), Text: reasonText(words, err)}}
}

func pageStatus(err error) int {
	if err == nil {
		return http.StatusOK
	}
	return web.Status(err)
}

// pageOr is s, or other when s is empty.
func pageOr(s, other string) string {
	if s == "" {
		return other
	}
	return s
}

// pageHundred is a score from 0 to 1 as people read it.
func pageHundred(score float64) int {
	return int(min(max(score, 0), 1)*100 + 0.5)
}

// pageSigned writes points with their sign.
func pageSigned(n int) string {
	switch {
	case n > 0:
		return "+" + strconv.Itoa(n)
	case n < 0:
		return "−" + strconv.Itoa(-n)
	}
	return "0"
}

// pageDay says a day that a list gave as it says days: 2006-01-02 as a date, anything else as it stands.
func pageDay(words web.Words, day string) string {
	if t, err := time.Parse(time.DateOnly, day); err == nil {
		return words.Date(t.Add(12 * time.Hour))
	}
	return day
}

// pagePath joins a path of which the parts are somebody's.
func pagePath(base string, more ...string) string {
	for _, m := range more {
		base += "/" + url.PathEscape(m)
	}
	return base
}
