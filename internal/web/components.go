package web

import (
	"net/http"
	"net/url"
	"time"

	"github.com/polder-exchange/polder/stix"
)

// components is the page that shows every component in every state: for whoever builds pages, and for the browser
// test. What it shows is made up, and in English alone.
func (s *Site) components(w http.ResponseWriter, r *http.Request) {
	words := WordsOf(r)
	data := specimens(s.o.Now())
	s.Render(w, r, Page{
		Template: "web/components", Title: words.T("components.title"), Lede: words.T("components.lede"), TLP: stix.AmberStrict, Live: true,
		Crumbs: []Link{{words.T("nav.node"), "/"}},
		Facts: []Pair{{Term: "Type", Text: "Indicator, domain"}, {Term: "Community", Text: "Chip supply chain", Href: "/components"},
			{Term: "Id", Text: "indicator--5d3f0a52-8b6e-4d57-9a5d-2f1d8e4ba91c", Code: true}},
		Data: data,
	})
}

// specimens is the data of the page of components, by name.
func specimens(now time.Time) map[string]any {
	picture, err := NewPicture(specimenGraph(), "Relations of firmware-klepwerk[.]example", []LegendItem{
		{"self", "This object"}, {"threat", "Threat"}, {"org", "Organisation"}, {"plain", "Other"}}, Link{"Show 2 steps", "/components?steps=2"})
	if err != nil {
		panic(err) // the specimen is a good graph
	}
	list, err := NewPicture(Graph{Nodes: make([]GraphNode, MaxGraphNodes+1)}, "Relations of Salt Heron", nil)
	if err != nil {
		panic(err)
	}
	list.Edges = []PictureRow{{Link{"Salt Heron", "/components"}, Link{"Tidepipe", "/components"}, "uses"}, {Link{"Salt Heron", "/components"}, Link{"Optics", ""}, "targets"}}
	d := map[string]any{
		"Picture": picture, "LargePicture": list,
		"Markings": []stix.Marking{stix.Red, stix.AmberStrict, stix.Amber, stix.Green, stix.Clear},
		"Empty": Empty{"chain", "No parts list yet", "Load a parts list to see where a product hangs on one country or one firm. It stays on this node.",
			[]Action{{Label: "Load a parts list", Href: "/components", Primary: true}, {Label: "Try the example", Href: "/components"}}},
		"Alert":     Alert{"warn", "Seen at your organisation today", "Two workstations asked for it at 09:12 and 09:14.", []Link{{"Open a case", "/components"}}},
		"PlainNote": Alert{Title: "RED that names nobody is seen by you alone", Text: "Name who may read it."},
		"Marks": []Mark{{Icon: "people", Text: "14 organisations in Chip supply chain", Href: "/components"}, {Class: "yes", Text: "You, because Meridiaan is a reader there"},
			{Class: "no", Text: "Not the community Universities"}, {Class: "mind", Text: "The hash is already known"}},
		"Written": "## What to do\n\nBlock it, then **look back** in `dns.log`:\n\n- resolvers first\n- then [the proxy](https://example.com/x)\n\n| host | seen |\n|---|---|\n| a | 3 |\n\n> Quoted.\n",
		"Pager":   Pager{"1 – 11 of 1 290", "/components?newer=1", "/components?next=b3x"},
	}
	specimenForms(d)
	specimenLists(d, now)
	specimenFigures(d)
	return d
}

func specimenForms(d map[string]any) {
	name := Field{Name: "community-name", Label: "Name of the community", Help: "Members see it.", Value: "Chip supply chain", Required: true}
	until := Field{Name: "valid-until", Label: "Valid until", Help: "Day, month, year.", Error: "Enter a date after 24 November 2026. You wrote 24 10 2026.", Value: "24 10 2026", Short: true}
	level := Field{Name: "tlp", Label: "How far may it go?", Help: "CLEAR and GREEN are closed: you share at AMBER at the widest.", Options: []Option{
		{Value: "green", TLP: stix.Green, Help: "All communities of this node", Closed: true}, {Value: "amber", TLP: stix.Amber, Help: "Members and clients who must act", Chosen: true},
		{Value: "red", TLP: stix.Red, Help: "Those you name"}}}
	d["Errors"] = ErrorsOf(name, until)
	d["Fields"] = []Field{name, until,
		{Name: "body", Label: "What did you notice?", Rows: 3, Value: "A fitter's account still logs in at night.", Max: 5000},
		{Name: "role", Label: "Role", Options: []Option{{Value: "reader", Label: "Reader"}, {Value: "contributor", Label: "Contributor", Chosen: true}, {Value: "admin", Label: "Admin", Closed: true}}},
		{Name: "file", Label: "File", Type: "file", Accept: ".json,.csv", Many: true},
		{Name: "password", Label: "Password", Type: "password", Autocomplete: "current-password"}}
	d["Choices"] = []Field{level,
		{Name: "road", Label: "What does it look like?", Help: "Choose all that fit.", Many: true, Class: "across", Options: []Option{
			{Value: "a", Label: "Break-in", Chosen: true}, {Value: "b", Label: "Someone with access", Help: "Staff, former staff, visitor"}, {Value: "c", Label: "I am not sure"}}},
		{Name: "on", Label: "Is it still going on?", Error: "Choose one.", Class: "three", Options: []Option{{Value: "y", Label: "Yes"}, {Value: "n", Label: "No"}, {Value: "u", Label: "Not sure"}}}}
	d["Dialog"] = Dialog{ID: "withdraw", Title: "Withdraw firmware-klepwerk[.]example?", Text: "14 organisations no longer see it. What they have read stays with them.",
		Action: "/components", Page: "/components?withdraw=1", Open: "Withdraw…", Submit: "Withdraw from 14 organisations", Danger: true,
		Fields: []Field{{Name: "why", Label: "Why?", Help: "Readers see this text.", Required: true}}, Hidden: []Hidden{{"id", "x"}}}
	d["Drawer"] = Drawer{ID: "evidence", Title: "Malware in common: 30 of 40", Text: "Two files share a build path.", Open: "Evidence", Pairs: []Pair{
		{Term: "File", Text: "9f2c41aa00bb11cc22dd33ee44ff5566778899e07b", Code: true}, {Term: "Compared by", Text: "National CSIRT", Href: "/components"}},
		Page: Link{"Open the object", "/components"}}
	at := &url.URL{Path: "/components", RawQuery: "type=indicator&type=malware&sort=-changed&next=abc"}
	d["Facets"] = Facets{At: at, Keep: []string{"sort"}, Groups: []FacetGroup{
		{"type", "Type", []FacetOption{{"indicator", "Indicator", 1204, true}, {"malware", "Malware", 86, true}, {"report", "Report", 14000, false}}},
		{"tlp", "Marking", []FacetOption{{"red", "RED", 2, false}, {"amber+strict", "AMBER+STRICT", 45, false}}}}}
	d["Heads"] = Heads(at, "-changed", Column{Key: "name", Label: "Object"}, Column{Label: "30 days"}, Column{Key: "score", Label: "Score", Num: true, Down: true}, Column{Key: "changed", Label: "Changed", Down: true})
}

func specimenLists(d map[string]any, now time.Time) {
	d["Pairs"] = []Pair{{Term: "Block lists", Text: "In force since 07:20"}, {Term: "Marking", Text: "as shared", TLP: stix.Amber}, {Term: "Journal", Text: "indicator--5d3f0a52-8b6e-4d57-9a5d-2f1d8e4ba91c", Code: true}}
	d["Todo"] = []Todo{{"bad", "flag", "Send the notification of case 2026-031", "/components", "Root cause is missing.", "19 h left", "clock"},
		{"", "share", "Release the report “Tidepipe loader”", "/components", "", "", ""}}
	d["Feed"] = Feed{Label: "Newest first", Newer: "/components", Rows: []FeedRow{
		{"a", "eye", "Sighting of firmware-klepwerk[.]example", "/components", "a member · Chip supply chain", now.Add(-time.Minute), stix.Amber},
		{"b", "bug", "Malware Tidepipe", "/components", "National CSIRT", now.Add(-26 * time.Hour), stix.AmberStrict}}}
	d["EmptyFeed"] = Feed{Label: "Questions", Newer: "/components", Empty: Empty{"question", "No question is open", "Ask your communities what they know.", nil}}
	d["Timeline"] = []Event{{At: now, Class: "main", Title: "Version 3, National CSIRT", Changes: []Change{{"Confidence", "74", "82"}, {"Pattern", "", "OR ipv4-addr:value = '203.0.113.77'"}}},
		{At: now.Add(-5 * time.Hour), Title: "Seen at Meridiaan, twice", Text: "Released without host names."},
		{At: now.Add(-400 * 24 * time.Hour), Class: "ok", Title: "Version 1", More: Link{"Open", "/components"}}}
	d["Diff"] = []Diff{
		{"cut", "observed-data.src_ref", []Segment{{Text: "10.41.7.114", Mark: "del"}}, []Segment{{Text: "Not sent: inside addresses", Mark: "gone"}}},
		{"blind", "report.created_by_ref", []Segment{{Text: "Meridiaan Lithografie"}}, []Segment{{Text: "A member of Chip supply chain"}}},
		{"keep", "indicator.pattern", []Segment{{Text: "[file:name = 'x']", Mark: "code"}}, []Segment{{Text: "[file:name = 'x']", Mark: "code"}}},
		{"add", "report.object_marking_refs", []Segment{{Text: "None", Mark: "gone"}}, []Segment{{TLP: stix.Amber}}}}
	d["Clocks"] = []Clock{{"", "Running", "2 days", 0.3, "30 percent used", "due Thu 26 Nov, 10:00", "", ""}, {"warn", "Due soon", "5 h 10 min left", 0.93, "93 percent used", "due today, 19:42", "Draft", "clock"},
		{"bad", "Overdue", "2 h 14 min over", 1, "All time used", "was due today, 12:18", "", ""}, {"ok", "Done", "Sent after 7 h", 0.33, "33 percent used", "Mon 17:34", "Sent", "check"}}
	d["Score"] = Score{Value: 62, Of: 100, Mark: 75, Says: "of 100 · said aloud from 75", Label: "62 of 100, said aloud from 75", Parts: []ScorePart{
		{"Malware in common", 30, 40, []string{"Tidepipe, same build."}, "The builder was sold.", Link{"Evidence", "/components"}}, {"Ways of working", 22, 30, []string{"9 of 14 techniques."}, "", Link{}},
		{"Infrastructure", 10, 30, nil, "", Link{}}}}
}

func specimenFigures(d map[string]any) {
	d["Lines"] = Lines{Label: "Sightings rose from 12 to 49 a month, objects shared by you from 8 to 30", First: "Dec 2025", Last: "Nov 2026", Limit: 30, LimitText: "goal 30",
		Lines: []Line{{"Sightings", []float64{12, 18, 15, 22, 30, 26, 34, 40, 37, 45, 52, 49}, "49"}, {"Shared", []float64{8, 9, 12, 11, 15, 18, 16, 20, 24, 22, 27, 30}, "30"}}}
	d["Bars"] = Bars{"First steps seen: spearphishing 46, trusted relationship 31, removable media 9", []Bar{{"Spearphishing", 46, "46"}, {"Trusted relationship", 31, "31"}, {"Removable media", 9, "9"}}}
	d["Shares"] = Shares{Label: "Share of suppliers: NL 44, DE 23, JP 18, US 11, other 4 percent", Mark: 0.65, MarkText: "65% rule",
		Items: []Bar{{"NL", 44, "44%"}, {"DE", 23, "23%"}, {"JP", 18, "18%"}, {"US", 11, "11%"}, {"Other", 4, "4%"}}}
	weeks := Columns{Label: "Objects received per week, weeks 37 to 48", First: "wk 37", Last: "wk 48"}
	for i, n := range []float64{22, 18, 31, 24, 19, 40, 27, 22, 35, 28, 25, 21} {
		b := Bar{Label: "Week " + string(rune('A'+i)), Value: n}
		if i%3 == 0 {
			b.Text = "1"
		}
		weeks.Items = append(weeks.Items, b)
	}
	d["Columns"] = weeks
	d["Spark"] = Spark{"Sightings over 30 days", []float64{0, 0, 1, 2, 1, 6, 5, 13, 14}}
	d["Table"] = Table{Label: "First steps seen", Heads: []Head{{Label: "Step"}, {Label: "Count", Num: true}}, Rows: []Row{{"Spearphishing", []string{"46"}}, {"Trusted relationship", []string{"31"}}}}
}

func specimenGraph() Graph {
	return Graph{
		Nodes: []GraphNode{
			{"i", "firmware-klepwerk[.]example", "indicator, this object", "self", "/components"}, {"m", "Tidepipe", "malware, loader", "threat", "/components"},
			{"a", "203.0.113.77", "address", "", "/components"}, {"s", "Salt Heron", "intrusion set", "threat", "/components"}, {"c", "Rotate vendor keys", "course of action", "", "/components"},
			{"t1", "T1566.001", "spearphishing attachment", "", "/components"}, {"t2", "T1199", "trusted relationship", "", "/components"},
			{"v", "Valves and vacuum", "sector, 6 members", "org", ""}, {"y", "Meridiaan (you)", "sighting, 2 today", "org", "/components"}, {"b", "A member", "sighting, 3", "hidden", "/components"}},
		Edges: []GraphEdge{{"y", "i", "seen", ""}, {"b", "i", "seen", ""}, {"i", "m", "indicates", ""}, {"i", "a", "resolves to", ""}, {"s", "m", "uses", ""}, {"c", "m", "mitigates", "weak"},
			{"s", "t1", "uses", ""}, {"s", "t2", "uses", ""}, {"s", "v", "targets", "new"}},
	}
}
