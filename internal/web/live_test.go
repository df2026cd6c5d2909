package web_test

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/polder-exchange/polder/internal/web"
	"github.com/polder-exchange/polder/internal/web/webtest"
)

// tail is a stream of rows that a test adds to.
type tail struct {
	mu   sync.Mutex
	rows []web.ServerEvent
	more chan struct{}
	open atomic.Int32
	site *web.Site
}

func (l *tail) add(t *testing.T, name, key string) {
	t.Helper()
	data := []byte(key)
	if name == "row" {
		row, err := l.site.Fragment(l.site.Words("en"), "web/feed-row", web.FeedRow{Key: key, Icon: "eye", Title: "Row " + key, Href: "/objects/" + key, Text: "<b>text</b>"})
		if err != nil {
			t.Fatal(err)
		}
		data = row
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.rows = append(l.rows, web.ServerEvent{ID: strconv.Itoa(len(l.rows) + 1), Name: name, Data: data})
	close(l.more)
	l.more = make(chan struct{})
}

func (l *tail) serve(w http.ResponseWriter, r *http.Request) {
	l.open.Add(1)
	defer l.open.Add(-1)
	at, _ := strconv.Atoi(r.URL.Query().Get("since"))
	if last := r.Header.Get("Last-Event-ID"); last != "" {
		at, _ = strconv.Atoi(last)
	}
	s, err := web.OpenStream(w, r)
	for err == nil {
		l.mu.Lock()
		rows, more := l.rows[at:], l.more
		l.mu.Unlock()
		at += len(rows)
		if err = s.Send(rows...); err == nil {
			err = s.Wait(r.Context(), more)
		}
	}
}

func eventually(t *testing.T, what string, yes func() bool) {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); !yes(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%s: waited in vain", what)
		}
	}
}

// The feed moves by itself, behind a pill; two tabs read one stream; what is withdrawn goes.
func TestBrowserLiveFeed(t *testing.T) {
	if testing.Short() {
		t.Skip("the browser takes a while")
	}
	s := newSite(t)
	rows := &tail{more: make(chan struct{}), site: s}
	rows.add(t, "row", "first")
	data := s.Specimens()
	data["Feed"] = web.Feed{URL: "/api/v1/stream?as=row", Since: "1", Label: "Newest first", Newer: "/feed", Rows: []web.FeedRow{{Key: "first", Icon: "eye", Title: "Row first", Href: "/objects/first"}}}
	address := serve(t, s, page(s, "/feed", web.Page{Template: "web/components", Title: "Feed", Live: true, Data: data}),
		web.Route{Method: "GET", Pattern: "/api/v1/stream", Need: web.Reader, Exit: "stream", Stream: true, Handler: rows.serve})
	browser := webtest.Start(t)
	p := browser.Open(t, address+"/preferences")
	p.SetCookie("polder", "x")
	p.Go("/feed")
	eventually(t, "the dot shows the connection", func() bool {
		return webtest.Eval[bool](p, `!document.querySelector(".live .dot").classList.contains("off")`)
	})
	q := p.Tab(t, "/feed")
	eventually(t, "the second tab is told of the connection", func() bool {
		return webtest.Eval[bool](q, `!document.querySelector(".live .dot").classList.contains("off")`)
	})
	if n := rows.open.Load(); n != 1 {
		t.Errorf("%d streams are open for two tabs", n)
	}

	rows.add(t, "row", "second")
	rows.add(t, "row", "third")
	for _, tab := range []*webtest.Page{p, q} {
		eventually(t, "the pill counts two", func() bool { return strings.HasPrefix(tab.Text(".pill"), "2 new") })
		if n := webtest.Eval[int](tab, `document.querySelectorAll("#live > li:not([hidden])").length`); n != 1 {
			t.Errorf("%d rows show before anybody asked", n)
		}
	}
	q.Press(".")
	if got := webtest.Eval[[]string](q, `[...document.querySelectorAll("#live > li:not([hidden]) .what")].map((e) => e.textContent)`); fmt.Sprint(got) != "[Row third Row second Row first]" {
		t.Errorf("rows %q", got)
	}
	if got := webtest.Eval[string](q, `document.activeElement.textContent`); got != "Row third" {
		t.Errorf("the focus is on %q", got)
	}
	q.Press("j")
	if got := webtest.Eval[string](q, `document.activeElement.textContent`); got != "Row second" {
		t.Errorf("after j the focus is on %q", got)
	}
	rows.add(t, "gone", "second")
	eventually(t, "a withdrawn row goes", func() bool {
		return !strings.Contains(q.Text("#live"), "Row second") && !strings.Contains(p.Text("#live"), "Row second")
	})
	if strings.Contains(webtest.Eval[string](q, `document.querySelector("#live").innerHTML`), "<b>") {
		t.Error("data became markup")
	}

	// The tab that holds the stream closes; the other goes on where it was.
	p.Close()
	eventually(t, "the other tab takes over", func() bool { return rows.open.Load() == 1 })
	rows.add(t, "row", "fourth")
	eventually(t, "rows come to the tab that is left", func() bool { return strings.Contains(q.Text("#live"), "Row fourth") })
	if n := webtest.Eval[int](q, `[...document.querySelectorAll("#live .what")].filter((e) => e.textContent === "Row third").length`); n != 1 {
		t.Errorf("a row is there %d times", n)
	}
	q.Quiet(t)
}

func TestBrowserKeysAndDialogs(t *testing.T) {
	if testing.Short() {
		t.Skip("the browser takes a while")
	}
	s := newSite(t)
	address := serve(t, s, page(s, "/{$}", web.Page{Template: "web/error", Title: "Home", Data: map[string]any{}}),
		page(s, "/search", web.Page{Template: "web/error", Title: "Found", Data: map[string]any{}}))
	p := webtest.Start(t).Open(t, address+"/preferences")
	p.SetCookie("polder", "x")
	p.Go("/components")
	focus := func() string { return webtest.Eval[string](p, `document.activeElement.id`) }

	p.Press("/")
	if focus() != "q" {
		t.Errorf("/ leads to %q", focus())
	}
	p.Press("jk?.")
	if got := webtest.Eval[string](p, `document.activeElement.value`); !strings.HasSuffix(got, "jk?.") {
		t.Errorf("keys do not rest in a field: %q", got)
	}
	p.Press("\x1b")
	p.Click(`[commandfor="withdraw"][command="show-modal"]`)
	p.Wait("#withdraw")
	p.Press("?")
	if p.Address() != address+"/components" {
		t.Error("keys do not rest in a dialog")
	}
	p.Click(`#withdraw [command="close"]`)
	eventually(t, "the dialog closes", func() bool { return !webtest.Eval[bool](p, `document.querySelector("#withdraw").open`) })
	if got := webtest.Eval[string](p, `document.activeElement.getAttribute("commandfor")`); got != "withdraw" {
		t.Errorf("the focus is not back at the dialog's button: %q", got)
	}
	p.Click(`[popovertarget="evidence"]`)
	p.Wait("#evidence")
	p.Press("\x1b")
	eventually(t, "the drawer closes", func() bool {
		return !webtest.Eval[bool](p, `document.querySelector("#evidence").matches(":popover-open")`)
	})
	if n := webtest.Eval[int](p, `document.querySelectorAll("code[data-copy] + button.copy").length`); n == 0 {
		t.Error("nothing can be copied")
	}
	p.Press("g")
	p.Press("o")
	eventually(t, "g o leads home", func() bool {
		return p.Address() == address+"/" && webtest.Eval[string](p, "document.readyState") == "complete"
	})
	p.Press("?")
	eventually(t, "? leads to the keys", func() bool { return strings.HasPrefix(p.Address(), address+"/keyboard") })
	p.SetCookie("polder-keys", "off")
	p.Go("/")
	p.Press("?")
	time.Sleep(200 * time.Millisecond)
	if p.Address() != address+"/" {
		t.Error("single keys were switched off and still work")
	}
	p.Quiet(t)
}

// Without script everything is there: menus, dialogs in browsers that open them alone, forms, links.
func TestBrowserWithoutScript(t *testing.T) {
	if testing.Short() {
		t.Skip("the browser takes a while")
	}
	s := newSite(t)
	address := serve(t, s)
	p := webtest.Start(t).Open(t, address+"/preferences")
	p.SetCookie("polder", "x")
	p.Script(false)
	p.Go("/components")
	p.Click(`[popovertarget="me"]`)
	p.Wait("#me")
	p.Click(`#me a[href^="/preferences"]`)
	p.Wait(`input[name="theme"][value="dark"]`)
	p.Click(`input[name="theme"][value="dark"]`)
	p.Submit(`main button[type="submit"]`)
	if p.Address() != address+"/components" {
		t.Errorf("the form leads to %s", p.Address())
	}
	if webtest.Eval[string](p, `document.documentElement.dataset.theme`) != "dark" {
		t.Error("the theme is not kept")
	}
	p.Quiet(t)
}

// S39: after the log-out, Back leads to the log-in and not to what was read.
func TestS39BackShowsNothing(t *testing.T) {
	if testing.Short() {
		t.Skip("the browser takes a while")
	}
	s := newSite(t)
	address := serve(t, s, page(s, "/login", web.Page{Template: "web/error", Title: "Log in", Solo: true, Data: map[string]any{}}),
		web.Route{Method: "POST", Pattern: "/logout", Need: web.LoggedIn, Exit: "log-out", Handler: func(w http.ResponseWriter, r *http.Request) {
			s.EndSession(w)
			http.Redirect(w, r, "/login", http.StatusSeeOther)
		}})
	p := webtest.Start(t).Open(t, address+"/preferences")
	p.SetCookie("polder", "x")
	p.Go("/components")
	p.Click(`[popovertarget="me"]`)
	p.Wait("#me")
	p.Submit(`#me form button`)
	if p.Text("h1") != "Log in" {
		t.Fatalf("after the log-out the page is %q", p.Text("h1"))
	}
	p.Back()
	eventually(t, "Back leads to the log-in", func() bool { return strings.HasPrefix(p.Address(), address+"/login") && p.Text("h1") == "Log in" })
	p.Quiet(t)
}
