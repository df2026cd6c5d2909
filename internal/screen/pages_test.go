package screen

import (
	"net/url"
	"testing"
	"time"

	"github.com/polder-exchange/polder/internal/web"
	"github.com/polder-exchange/polder/internal/web/webtest"
)

func TestCatalogues(t *testing.T) { webtest.Catalogues(t, ConsolePart(), ".") }

// screenSamples are full and empty data for every page of this part.
var screenSamples = map[string][]any{
	"screen/page": {pageView{Tabs: []pageTab{{"T", "/screen", true}}, Errors: []web.FieldError{{Name: "text", Text: "t"}}, Alerts: []web.Alert{{Class: "bad", Title: "T", Text: "X"}}, Actions: []web.Action{{Label: "A", Href: "/a", Shortcut: "j"}},
		Dialogs: []web.Dialog{{ID: "d", Title: "T", Action: "/x", Page: "/x", Open: "O", Submit: "S"}},
		Main: []web.Block{pageBlock("F", "", "facts", []web.Pair{{Term: "t", Text: "x"}}), pageBlock("M", "n", "marks-body", []web.Mark{{Class: "no", Text: "x"}}), pageBlock("H", "", "history", []web.Event{{Title: "H"}}), pageBlock("T", "", "todos", []web.Todo{{Icon: "list", Title: "T", Href: "/x"}}),
			pageBlock("N", "", "nothing-here", web.Empty{Icon: "list", Title: "E"}), pageBlock("T", "", "table", fullTable()), pageBlock("T", "", "table", pageTable{Empty: web.Empty{Icon: "list", Title: "E"}}),
			pageBlock("S", "", "score-across", compareScore{Value: 86, Says: "s", Gauge: web.Gauge{Label: "l", Parts: []float64{0.5, 0.3}, Mark: 0.7}, Legend: []scoreLegend{{1, "Name +50"}, {0, "x"}}, Means: "m"}),
			pageBlock("E", "", "evidence", []evidenceRow{{Head: "H", Yours: []evidenceText{{Text: "a", Met: true}}, Listed: []evidenceText{{Text: "b"}, {Text: "c", Sub: true}, {Text: "d", Nothing: true}}, Finding: pageMark{"bad", "alert", "F"}, English: true, Points: "+3"}}),
			pageBlock("W", "", "words", compareView{Words: []wordColumn{{Head: "Word", Yours: []wordRun{{"ab", false}, {"c", true}}, Alike: "0.91", How: "same", Points: "+1"}}, Left: 2, WordsNote: "n"}), pageBlock("W", "", "words", compareView{WordsNote: "n"}),
			pageBlock("L", "", "listing", []listingPair{{Term: "t", Text: "x", Link: "https://example.com/a"}, {Term: "t", Text: "x", Foreign: true}, {Term: "t", Text: "x"}}),
			pageBlock("C", "", "changes", []changeRow{{Icon: "pen", Name: "n", Text: "t", Mark: pageMark{"info", "pen", "M"}, Changes: []web.Change{{Property: "p", Was: "a", Is: "b"}}}}), pageBlock("C", "", "changes", []changeRow(nil)),
			pageBlock("P", "", "progress", progressView{Feed: "/f", Done: 3, Says: "of 4", Gauge: web.Gauge{Label: "l", Level: 0.5}, Text: "t"})},
		Aside: []web.Block{pageBlock("F", "", "form", pageForm{Action: "/x", Files: true, Hidden: []web.Hidden{{Name: "h"}}, Fields: []web.Field{{Name: "f", Label: "F"}, {Name: "c", Label: "C", Class: "across", Options: []web.Option{{Value: "a", Label: "A"}}}, {Name: "s", Label: "S", Options: []web.Option{{Value: "a", Label: "A"}}}}, More: []web.Field{{Name: "m", Label: "M"}}, MoreIs: "more", Note: "n", Submit: "S", Back: "/b", Danger: true}),
			pageBlock("D", "", "decision", decisionView{Action: "/x", Hidden: []web.Hidden{{Name: "seen", Value: "1"}}, Legend: "L", Error: "e", Choices: []decisionChoice{{"true", "The same", "h", "1", true}}, Reason: web.Field{Name: "reason", Label: "Why", Rows: 3}, Submit: "S", Later: "/l", Note: "n"}),
			pageBlock("F", "", "found", foundView{Legend: "l", Help: "h", Hidden: []web.Hidden{{Name: "text", Value: "t"}}, Rows: []foundRow{{Value: "0", Name: "N", Kind: "Person", Context: "c", Chosen: true}, {Value: "1", Name: "N"}}})}}, pageView{}},
	"screen/queue": {queueView{Tabs: []pageTab{{"T", "/screen", false}}, Alerts: []web.Alert{{Title: "A"}}, Actions: []web.Action{{Label: "A", Href: "/a"}}, Find: &pageFind{"/f", "L", "v"}, Chosen: []web.Link{{Text: "C", Href: "/c"}}, Count: "1", Note: "n", Table: fullTable(), Below: []web.Block{pageBlock("F", "", "facts", []web.Pair{{Term: "t", Text: "x"}})},
		Facets: web.Facets{At: &url.URL{Path: "/screen/queue"}, Groups: []web.FacetGroup{{Name: "state", Legend: "L", Options: []web.FacetOption{{Value: "open", Label: "N", Count: 3, Chosen: true}}}}}}, queueView{Table: pageTable{Empty: web.Empty{Icon: "list", Title: "E"}}}},
}

func fullTable() pageTable {
	t := pageTable{Label: "L", Heads: web.PlainHeads("A", "#B", "C"), Foot: "f", Pager: web.Pager{Older: "/o", Newer: "/n"}}
	t.add(pageRow{Name: "n", Href: "/x", Foreign: true, Sub: "s", Cells: []pageCell{{Text: "1"}, {Text: "x", Foreign: true, Sub: "s", Mark: pageMark{"ok", "check", "M"}, At: time.Unix(9, 0), Buttons: []pageButton{{"/b", "B", "about", true, []web.Hidden{{Name: "h", Value: "v"}}}}}}})
	t.add(pageRow{Name: "n"})
	return t
}

// Every template, full and empty, in every language.
func TestScreenTemplates(t *testing.T) {
	site, err := web.New(web.Options{}, ConsolePart())
	if err != nil {
		t.Fatal(err)
	}
	webtest.Renders(t, site, "screen", screenSamples)
}
