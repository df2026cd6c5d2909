package screen

import (
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/polder-exchange/polder/internal/web/webtest"
)

// TestBrowserShare shares a list from its page as people do, and sees rows of a file refused, under the rules of the
// console.
func TestBrowserShare(t *testing.T) {
	if testing.Short() {
		t.Skip("a browser takes a while")
	}
	b := webtest.Start(t)
	w, x := sharing(t)
	server := httptest.NewServer(w.handler)
	t.Cleanup(server.Close)
	t.Cleanup(server.CloseClientConnections)
	p := b.Open(t, server.URL+"/static/none")
	p.SetCookie("polder", "steward")
	p = p.Tab(t, server.URL+"/screen")
	for _, lang := range []string{"nl", "en"} {
		p.Go(server.URL + "/screen/lists/suspects?lang=" + lang)
		p.Check(t)
		p.Pictures("screen-share-form-" + lang)
		x.out.Warnings = []string{"7: Severny Vakuum Tekhnika is named in a note that you marked TLP:RED"}
		p.Submit("main form[action='/screen/lists/suspects/share'] button[type=submit]")
		p.Check(t)
		p.Pictures("screen-share-preview-" + lang)
	}
	p.Submit("main form button.primary")
	if !strings.Contains(p.Text(".toast"), "12 listings were shared") {
		t.Errorf("after sharing the page says %q", p.Text("main"))
	}
	p.Check(t)
	answered(t, "importing", w.upload("steward", "/screen/parties/import", "c.csv", "name\nAcme\n", "into", Customers), 200)
	to := w.upload("contributor", "/screen/batches", "b.csv", "name,birth\nBrundelwick Photonics,31-02-1990\nZarkontin Ilya,1961\n").Header().Get("Location")
	w.work()
	p.Go(server.URL + to + "?lang=nl")
	p.Check(t)
	p.Pictures("screen-batch-faults")
}
