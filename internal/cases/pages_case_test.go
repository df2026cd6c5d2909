package cases

import (
	"testing"
	"time"

	"github.com/polder-exchange/polder/internal/web"
	"github.com/polder-exchange/polder/internal/web/webtest"
	"github.com/polder-exchange/polder/stix"
)

// caseSamples are full and empty data for every page of cases.
var caseSamples = map[string][]any{
	"cases/case": {caseView{Tabs: []caseTab{{"T", "/cases", true}}, Errors: []web.FieldError{{Name: "title", Text: "t"}}, Alerts: []web.Alert{{Class: "bad", Title: "T", Text: "X"}}, Actions: []web.Action{{Label: "A", Href: "/a", Shortcut: "e"}}, Even: true,
		Dialogs: []web.Dialog{{ID: "d", Title: "T", Action: "/x", Page: "/x", Open: "O", Submit: "S"}},
		Wide:    []web.Block{caseBlock("C", "", "case-clocks", []web.Clock{{Title: "C", Left: "l", Label: "x"}}), caseBlock("D", "", "case-conflict", caseConflict{Rows: []caseDiffer{{"Title", []web.Segment{{Text: "a", Mark: "del"}}, nil}}}), caseBlock("D", "", "case-conflict", caseConflict{})},
		Main: []web.Block{caseBlock("F", "", "case-facts", []web.Pair{{Term: "t", Text: "x"}}), caseBlock("M", "n", "case-marks", []web.Mark{{Class: "no", Text: "x"}}), caseBlock("T", "", "case-todos", []web.Todo{{Icon: "list", Title: "T", Href: "/x"}}),
			caseBlock("N", "", "case-nothing", web.Empty{Icon: "list", Title: "E"}), caseBlock("T", "", "case-table", caseFullTable()), caseBlock("T", "", "case-table", caseTable{Empty: web.Empty{Icon: "list", Title: "E"}}),
			caseBlock("L", "", "case-timeline", []caseEntry{{Item: Item{At: time.Unix(9, 0), Level: stix.Red}, Class: "main", Title: "t", Text: "*x*", Says: "s", By: "b", Href: "/x", Struck: true}, {Known: true}}), caseBlock("L", "", "case-timeline", []caseEntry(nil)),
			caseBlock("N", "", "case-notes", []caseEntry{{Item: Item{Made: time.Unix(9, 0)}, Title: "t", Text: "x", By: "b", Struck: true}}), caseBlock("W", "", "case-written", "# x"), caseBlock("W", "", "case-written", ""),
			caseBlock("V", "", "case-values", caseValueTable{Label: "L", Rows: []caseValue{{Shown: "a[.]b", Whole: "a.b", Href: "/x", Type: "T", Level: stix.Green, Title: "t", Bad: true, Seen: "s", Known: []web.Link{{Text: "k", Href: "/k"}}, Cases: []web.Link{{Text: "c", Href: "/c"}}}, {Shown: "x"}}}), caseBlock("V", "", "case-values", caseValueTable{Empty: web.Empty{Icon: "target", Title: "E"}}),
			caseBlock("E", "", "case-events", []caseEvent{{Event: web.Event{At: time.Unix(9, 0), Title: "t", Text: "x", Changes: []web.Change{{Property: "p", Was: "a", Is: "b"}}, More: web.Link{Text: "m", Href: "/m"}}, Level: stix.Amber, Who: "w"}}), caseBlock("R", "", "case-raws", []caseRaw{{"s", "{}"}})},
		Aside: []web.Block{caseBlock("F", "", "case-form", caseForm{Action: "/x", Files: true, Hidden: []web.Hidden{{Name: "h"}}, Fields: []web.Field{{Name: "f", Label: "F"}, {Name: "c", Label: "C", Class: "across", Options: []web.Option{{Value: "a", Label: "A"}}}, {Name: "s", Label: "S", Options: []web.Option{{Value: "a", Label: "A"}}}}, More: []web.Field{{Name: "m", Label: "M"}}, MoreIs: "more", Opened: true, Note: "n", Submit: "S", Also: &caseSubmit{"p", "yes", "P"}, Back: "/b", Danger: true})}}, caseView{}},
	"cases/caselist": {caseListView{Tabs: []caseTab{{"T", "/cases", false}}, Alerts: []web.Alert{{Title: "A"}}, Actions: []web.Action{{Label: "A", Href: "/a"}}, Find: &caseFind{"/f", "L", "v"}, Chosen: []web.Link{{Text: "C", Href: "/c"}}, Count: "1", Note: "n", Table: caseFullTable(), Below: []web.Block{caseBlock("F", "", "case-facts", []web.Pair{{Term: "t", Text: "x"}})},
		Facets: web.Facets{Groups: []web.FacetGroup{{Name: "status", Legend: "L", Options: []web.FacetOption{{Value: "open", Label: "N", Count: 3, Chosen: true}}}}}}, caseListView{Table: caseTable{Empty: web.Empty{Icon: "list", Title: "E"}}}},
}

func caseFullTable() caseTable {
	t := caseTable{Label: "L", Heads: web.PlainHeads("A", "#B", "C"), Foot: "f", Pager: web.Pager{Older: "/o", Newer: "/n"}}
	t.add(caseRow{Name: "n", Href: "/x", Level: stix.Amber, Sub: "s", Cells: []caseCell{{Text: "1"}, {Text: "x", Href: "/y", Sub: "s", Mark: caseMark{"ok", "check", "M"}, At: time.Unix(9, 0), Links: []web.Link{{Text: "l", Href: "/l"}}, Buttons: []caseButton{{"/b", "B", "about", []web.Hidden{{Name: "h", Value: "v"}}}}}}})
	t.add(caseRow{Name: "v", Code: true, Cells: []caseCell{{Text: "c", Code: true}}})
	return t
}

// Every template of cases, full and empty, in every language.
func TestCaseTemplates(t *testing.T) {
	site, err := web.New(web.Options{}, ConsolePart())
	if err != nil {
		t.Fatal(err)
	}
	webtest.Renders(t, site, "cases-pages", caseSamples)
}
