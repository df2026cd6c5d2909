package node

import (
	"context"
	"io"
	"os"
	"path/filepath"
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
	var as login
	for _, l := range st.logins {
		if l.Email == "analyst@meridiaan.example" {
			as = l
		}
	}
	cookie, _, err := st.node.Accounts.LogIn(ctx, as.Email, as.Password, loopbackAddr, "test")
	ok(t, err)
	alerts, err := st.alarms(ctx, "meridiaan")
	ok(t, err)
	page := browser.Open(t, st.at+"/login")
	page.SetCookie("polder", cookie)
	for _, at := range append(alertPages(alerts), []struct{ path, picture string }{
		{"/", "overview.png"}, {"/objects/" + threat(t, st), "object.png"}, {"/objects", ""}, {"/share", ""}, {"/questions", ""}, {"/advisories", ""},
		{"/search?q=tidegate", ""}, {"/blocklists", ""}, {"/communities", ""}, {"/audit", ""}, {"/tokens", ""}, {"/account", ""}, {"/account/notifications", ""},
		{"/alerts", "alerts.png"}, {"/alerts?level=high&level=critical&lang=nl", ""}, {"/detection", ""}, {"/detection?lang=nl", ""}, {"/check", ""}, {"/check?lang=nl", ""},
		{"/suppressions", ""}, {"/account/alerts", ""},
	}...) {
		page.Size(1440, 900)
		page.Go(st.at + at.path)
		if dir := os.Getenv("POLDER_SHOTS"); dir != "" && at.picture != "" {
			page.Screenshot(filepath.Join(dir, at.picture))
		}
		page.Check(t)
		page.Quiet(t)
	}
}

// alertPages are the pages of alerts, in both languages; that of the gravest is pictured.
func alertPages(all []alarm) (out []struct{ path, picture string }) {
	for _, a := range all {
		picture := ""
		if a.Rule == leakRule {
			picture = "alert.png"
		}
		out = append(out, struct{ path, picture string }{"/alerts/" + a.ID, picture}, struct{ path, picture string }{"/alerts/" + a.ID + "?lang=nl", ""})
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
