package node

import (
	"context"
	"io"
	"testing"

	"github.com/polder-exchange/polder/internal/web/webtest"
)

// TestConsoleNodes looks at the pages of what spans nodes, as the story leaves them: the hub as its administrator and as
// a contributor see it. With POLDER_SHOTS the README's picture is taken.
func TestConsoleNodes(t *testing.T) {
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
	liar, err := st.linkOf(ctx, st.outposts["liar"])
	ok(t, err)
	looks(t, st, page, "admin", []shown{
		{"/peers", "peers.png"}, {"/peers?lang=nl", ""}, {"/peers/" + liar.ID, ""}, {"/log", ""}, {"/log?lang=nl", ""}, {"/keys", ""}, {"/keys?lang=nl", ""},
	})
	looks(t, st, page, "export@okular.example", []shown{
		{"/payback?lang=en", ""}, {"/payback/contributors", ""}, {"/payback/health?lang=nl", ""}, {"/payback/rules", ""}, {"/match", ""}, {"/pseudonyms", ""}, {"/proposals", ""},
		{"/release", ""}, {"/release?lang=nl", ""}, {"/account", ""},
	})
}
