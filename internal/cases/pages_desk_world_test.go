package cases

import (
	"context"
	"crypto/rand"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/cases/triage"
	"github.com/polder-exchange/polder/internal/seal"
	"github.com/polder-exchange/polder/internal/web"
)

// readerWorld is a desk world with its pages, where cookies name people.
type readerWorld struct {
	*deskWorld
	handler http.Handler
	site    *web.Site
}

// readerPeople knows colleagues too.
type readerPeople struct{ deskNames }

func (readerPeople) Colleagues(_ context.Context, by polder.Actor) (out []Colleague, err error) {
	for _, p := range deskPeople {
		if p.Org == by.Org && p.Role != polder.RoleAdmin {
			out = append(out, Colleague{p.Person, p.Name, p.Role})
		}
	}
	slices.SortFunc(out, func(a, b Colleague) int { return int(a.Name[0]) - int(b.Name[0]) })
	return out, nil
}

func newReaderWorld(t testing.TB) *readerWorld {
	t.Helper()
	w := &readerWorld{deskWorld: newDeskWorld(t)}
	w.o.Accounts = readerPeople{}
	var err error
	w.site, err = web.New(web.Options{Identify: w, Now: w.clock}, web.Part{Name: "seal", Files: seal.Files}, web.Part{Name: "triage", Files: triage.Files}, ConsolePart())
	deskMust(t, err)
	routes := slices.Concat(NewAPI(w.Service).Routes(), w.Service.Pages(w.site).Routes())
	w.handler, err = w.site.Handler(routes...)
	deskMust(t, err)
	return w
}

// readerPhrase opens the keys of readers in these tests.
const readerPhrase = "six words that only this test may know"

// reader gives somebody a key that [readerPhrase] opens.
func (w *readerWorld) reader(name string) {
	w.t.Helper()
	k, err := seal.GenerateKey(rand.Reader)
	deskMust(w.t, err)
	locked, err := seal.Lock(rand.Reader, k, readerPhrase)
	deskMust(w.t, err)
	_, err = w.PutKey(w.t.Context(), deskPeople[name], locked)
	deskMust(w.t, err)
	w.keys[name] = k
}

// see is a page as somebody gets it from the node, without any script.
func (w *readerWorld) see(who, path string) string {
	w.t.Helper()
	r := httptest.NewRequest("GET", path, nil)
	r.AddCookie(&http.Cookie{Name: "polder", Value: who})
	out := httptest.NewRecorder()
	w.handler.ServeHTTP(out, r)
	if out.Code != 200 {
		w.t.Fatalf("GET %s as %s: %d %.800s", path, who, out.Code, out.Body.String())
	}
	return out.Body.String()
}

// post sends a form as somebody's browser does.
func (w *readerWorld) post(who, path string, pairs ...string) *httptest.ResponseRecorder {
	w.t.Helper()
	v := url.Values{}
	for i := 0; i < len(pairs); i += 2 {
		v.Add(pairs[i], pairs[i+1])
	}
	r := httptest.NewRequest("POST", path, strings.NewReader(v.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	r.AddCookie(&http.Cookie{Name: "polder", Value: who})
	out := httptest.NewRecorder()
	w.handler.ServeHTTP(out, r)
	return out
}
