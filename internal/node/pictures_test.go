package node

import (
	"bytes"
	"context"
	"image"
	"image/png"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/journal"
	"github.com/polder-exchange/polder/internal/web/webtest"
)

// TestConsole plays the demo's story on a real node and looks at its pages in a browser, as one of the members, at every
// width and in both themes. With $POLDER_SHOTS it writes the pictures of the README there.
func TestConsole(t *testing.T) {
	if testing.Short() {
		t.Skip("a browser looks at every page; not in a short run")
	}
	ctx := context.Background()
	browser := webtest.Start(t)
	st, err := openStage(ctx, t.TempDir(), "127.0.0.1:0", io.Discard)
	ok(t, err)
	defer func() { ok(t, st.close()) }()
	_, err = st.play(ctx, story(), quiet)
	ok(t, err)
	page := browser.Open(t, st.at+"/login")
	alerts, err := st.alarms(ctx, "meridiaan")
	ok(t, err)
	looks(t, st, page, "analyst@meridiaan.example", append(alertPages(alerts), []shown{
		{"/", "overview.png"}, {"/objects/" + threat(t, st), "object.png"}, {"/objects", ""}, {"/share", ""}, {"/questions", ""}, {"/advisories", ""},
		{"/search?q=tidegate", ""}, {"/blocklists", ""}, {"/communities", ""}, {"/audit", ""}, {"/tokens", ""}, {"/account", ""}, {"/account/notifications", ""},
		{"/alerts", "alerts.png"}, {"/alerts?level=high&level=critical&lang=nl", ""}, {"/detection", ""}, {"/detection?lang=nl", ""}, {"/check", ""}, {"/check?lang=nl", ""},
		{"/suppressions", ""}, {"/account/alerts", ""},
	}...))
	looks(t, st, page, exportControl, screenPages(t, st))
	asksOrder(t, st, page)
	home := "/cases/" + st.held["case"]
	looks(t, st, page, exportControl, []shown{{home + "?lang=en", "case.png"}, {home + "?lang=nl", ""}, {"/cases?lang=en", ""}, {"/cases/reports?lang=en", ""}, {"/cases/deadlines?lang=nl", ""}})
	reportsByPhone(t, st, browser.Open(t, st.at+"/report?lang=en"))
}

// reportsByPhone looks at the page for who reports as it stands on a phone.
func reportsByPhone(t *testing.T, st *stage, page *webtest.Page) {
	t.Helper()
	page.Go(st.at + "/report/d/" + caseDesk + "?lang=en")
	page.Wait("#seals-device")
	page.Size(390, 844)
	picture(page, "report.png")
	screenful(t, "report.png", 844)
	page.Check(t)
}

// screenful cuts a picture to what a screen shows of it at first.
func screenful(t *testing.T, name string, height int) {
	t.Helper()
	dir := os.Getenv("POLDER_SHOTS")
	if dir == "" {
		return
	}
	text, err := os.ReadFile(filepath.Join(dir, name))
	ok(t, err)
	whole, err := png.Decode(bytes.NewReader(text))
	ok(t, err)
	part := whole.(interface {
		SubImage(image.Rectangle) image.Image
	}).SubImage(image.Rect(0, 0, whole.Bounds().Dx(), height))
	var out bytes.Buffer
	ok(t, png.Encode(&out, part))
	ok(t, os.WriteFile(filepath.Join(dir, name), out.Bytes(), 0o600))
}

// shown is a page that the test looks at, and the name of its picture; "" has none.
type shown struct{ path, picture string }

// looks looks at pages as a person of the demo.
func looks(t *testing.T, st *stage, page *webtest.Page, email string, pages []shown) {
	t.Helper()
	v, err := st.visitAs(t.Context(), email)
	ok(t, err)
	page.SetCookie(v.cookies[0].Name, v.cookies[0].Value)
	for _, at := range pages {
		page.Size(1440, 900)
		page.Go(st.at + at.path)
		picture(page, at.picture)
		page.Check(t)
		page.Quiet(t)
	}
}

// picture writes a picture where one is asked for.
func picture(page *webtest.Page, name string) {
	if dir := os.Getenv("POLDER_SHOTS"); dir != "" && name != "" {
		page.Screenshot(filepath.Join(dir, name))
	}
}

// screenPages are the pages of screening, as the story leaves them, in both languages. The review of the order's
// consignee is pictured, and a list of two versions.
func screenPages(t *testing.T, st *stage) (out []shown) {
	t.Helper()
	customer, err := st.review(t.Context(), newlyListed, controlList)
	ok(t, err)
	party, err := st.knownAs(t.Context(), listedClient)
	ok(t, err)
	var batches struct{ Batches []struct{ ID string } }
	ok(t, st.ask(t.Context(), st.players["klepwerk"].reader, "GET", "/api/v1/screen/batches", nil, &batches))
	var records struct{ Records []struct{ ID string } }
	ok(t, st.ask(t.Context(), st.players["klepwerk"].reader, "GET", "/api/v1/screen/records?hit=yes", nil, &records))
	for _, at := range []shown{
		{"/screen", ""}, {"/screen/queue", ""}, {"/screen/queue?state=all", ""}, {"/screen/reviews/" + st.held["consignee"], "review.png"}, {"/screen/reviews/" + st.held["client"], ""},
		{"/screen/reviews/" + customer.ID, ""}, {"/screen/parties", ""}, {"/screen/parties/" + party.ID, ""}, {"/screen/batches", ""}, {"/screen/batches/" + batches.Batches[0].ID, ""},
		{"/screen/lists", ""}, {"/screen/lists/" + controlList, "list.png"}, {"/screen/lists/verified", ""}, {"/screen/lists/" + url.PathEscape(sharedList), ""}, {"/screen/record", ""},
		{"/screen/record/" + records.Records[0].ID, ""}, {"/screen/settings", ""},
	} {
		in := "?lang=nl"
		if strings.Contains(at.path, "?") {
			in = "&lang=nl"
		}
		out = append(out, shown{at.path + in, ""}, shown{at.path + strings.Replace(in, "nl", "en", 1), at.picture})
	}
	return out
}

// asksOrder pastes the order of the story as a person does, and looks at what is found in it and at the answer.
func asksOrder(t *testing.T, st *stage, page *webtest.Page) {
	t.Helper()
	order, err := st.text("order.txt")
	ok(t, err)
	page.Size(1440, 900)
	page.Go(st.at + "/screen")
	page.Type("#text", string(order))
	for _, name := range []string{"found.png", "answer.png"} {
		page.Submit("main form button.primary")
		picture(page, name)
		page.Check(t)
		page.Quiet(t)
	}
	if !strings.Contains(page.Text("main"), consigneeIs) {
		t.Errorf("the answer says %q", page.Text("main"))
	}
}

// alertPages are the pages of alerts, in both languages; that of the gravest is pictured.
func alertPages(all []alarm) (out []shown) {
	for _, a := range all {
		picture := ""
		if a.Rule == leakRule {
			picture = "alert.png"
		}
		out = append(out, shown{"/alerts/" + a.ID, picture}, shown{"/alerts/" + a.ID + "?lang=nl", ""})
	}
	return out
}

// threat is the id of the back door of the story.
func threat(t *testing.T, st *stage) string {
	t.Helper()
	sight, err := st.node.Exchange.Sight(t.Context(), actorOf(t, st.node, st.players["meridiaan"].reader))
	ok(t, err)
	page, err := st.node.Journal.Page(t.Context(), sight, journal.Query{Types: []string{"malware"}, Limit: 1})
	if ok(t, err); len(page.Deliveries) == 0 {
		t.Fatal("the story has no malware")
	}
	return page.Deliveries[0].ID
}

func actorOf(t *testing.T, n *Node, token string) polder.Actor {
	t.Helper()
	a, err := n.Accounts.Authenticate(t.Context(), token, loopbackAddr)
	ok(t, err)
	return a
}
