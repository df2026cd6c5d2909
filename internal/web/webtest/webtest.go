// Package webtest tests pages in a real browser: a headless Chromium that visits them under their strict
// Content-Security-Policy. It is for tests only.
//
// A test opens a [Page], drives it by keys and clicks, and calls [Page.Check], which fails when the page breaks a
// rule that every page of the console keeps: it fits every width, its text is readable in light and dark, every
// control has a name and is large enough, every reference resolves, nothing is inline, nothing was refused by the
// policy, nothing was fetched from elsewhere, no dialog of the browser opened.
package webtest

import (
	"context"
	_ "embed"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
)

// Browser is one running Chromium.
type Browser struct{ ctx context.Context }

// shared is the browser of all tests of a package that runs them by [Main].
var shared struct {
	sync.Mutex
	on  bool
	b   *Browser
	end []func()
}

// Main runs the tests of a package with one browser for all of them, where each tab has cookies and storage of its own.
// It is for a package's TestMain, and gives what that ends with.
func Main(m *testing.M) int {
	shared.on = true
	defer func() {
		if shared.b != nil { // the process ends at once, so the browser must have ended before
			ctx, cancel := context.WithTimeout(shared.b.ctx, timeout)
			_ = chromedp.Cancel(ctx)
			cancel()
		}
		for _, end := range slices.Backward(shared.end) {
			end()
		}
	}()
	return m.Run()
}

// Start starts Chromium, found as "chromium", "chromium-browser" or "google-chrome". Without one the test is
// skipped; with CI=true in the environment it fails. The browser ends with the test, or with [Main].
func Start(t testing.TB) *Browser {
	t.Helper()
	program := find()
	if program == "" {
		if os.Getenv("CI") == "true" {
			t.Fatal("no Chromium is installed; install the package chromium")
		}
		t.Skip("no Chromium is installed: pages are not looked at in a browser")
	}
	shared.Lock()
	defer shared.Unlock()
	if shared.b != nil && shared.b.ctx.Err() == nil {
		return shared.b
	}
	atEnd := t.Cleanup
	if shared.on {
		atEnd = func(f func()) { shared.end = append(shared.end, f) }
	}
	b, err := start(program, atEnd)
	if err != nil {
		t.Fatalf("start Chromium: %v", err)
	}
	if shared.on {
		shared.b = b
	}
	return b
}

// start starts a browser with a profile of its own; atEnd is told what to do at its end, the last first.
func start(program string, atEnd func(func())) (*Browser, error) {
	profile, err := os.MkdirTemp("", "polder-browser-")
	if err != nil {
		return nil, err
	}
	atEnd(func() { remove(profile) })
	allocator, cancel := chromedp.NewExecAllocator(context.Background(),
		chromedp.ExecPath(program), chromedp.UserDataDir(profile), chromedp.Headless, chromedp.NoSandbox, chromedp.DisableGPU, chromedp.NoFirstRun,
		chromedp.NoDefaultBrowserCheck, chromedp.WindowSize(1440, 1000), chromedp.WSURLReadTimeout(60*time.Second),
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-background-networking", true), chromedp.Flag("disable-component-update", true),
		chromedp.Flag("disable-sync", true), chromedp.Flag("disable-dev-shm-usage", true), chromedp.Flag("force-color-profile", "srgb"),
		chromedp.Flag("hide-scrollbars", true), chromedp.Flag("font-render-hinting", "none"), chromedp.Flag("disable-features", "Translate,OptimizationHints"))
	atEnd(cancel)
	ctx, cancel := chromedp.NewContext(allocator)
	atEnd(cancel)
	return &Browser{ctx}, chromedp.Do(ctx)
}

func find() string {
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	return ""
}

// remove deletes the profile; Chromium's children may still write there for a moment.
func remove(dir string) {
	for range 50 {
		if os.RemoveAll(dir) == nil {
			return
		}
		time.Sleep(100 * time.Millisecond)
	}
}

// Page is one tab, with cookies of its own.
type Page struct {
	t    testing.TB
	ctx  context.Context
	site *url.URL

	mu      sync.Mutex
	console []string // errors and warnings
	outside []string // requests to other hosts
	dialogs []string // alert, confirm, prompt
}

// Open opens a new tab at an address. Other hosts than that of the address are "outside" from then on.
func (b *Browser) Open(t testing.TB, address string) *Page {
	t.Helper()
	return open(t, b.ctx, address, chromedp.WithNewBrowserContext())
}

// Tab opens another tab beside p, with the same cookies.
func (p *Page) Tab(t testing.TB, address string) *Page {
	t.Helper()
	to, err := p.site.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	return open(t, p.ctx, to.String())
}

// Close closes the tab.
func (p *Page) Close() {
	p.t.Helper()
	if _, err := chromedp.Call(p.ctx, page.Close, cdp.Empty{}); err != nil {
		p.t.Fatalf("close a tab: %v", err)
	}
}

func open(t testing.TB, parent context.Context, address string, options ...chromedp.ContextOption) *Page {
	t.Helper()
	site, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	p := &Page{t: t, site: site}
	ctx, cancel := chromedp.NewContext(parent, options...)
	t.Cleanup(cancel)
	p.ctx = ctx
	if err := chromedp.Listen(ctx, p.see); err != nil {
		t.Fatalf("open a tab: %v", err)
	}
	messages := chromedp.Console(ctx)
	go p.read(messages)
	dialogs := chromedp.Events(ctx, page.JavascriptDialogOpening)
	go p.refuse(dialogs)
	p.Size(1440, 1000)
	p.Go(address)
	return p
}

func (p *Page) see(event any) {
	e, ok := event.(*network.EventRequestWillBeSent)
	if !ok {
		return
	}
	u, err := url.Parse(e.Request.URL)
	if err == nil && (u.Scheme == "http" || u.Scheme == "https" || u.Scheme == "ws" || u.Scheme == "wss") && u.Host != p.site.Host {
		p.note(&p.outside, e.Request.URL)
	}
}

func (p *Page) read(messages func(func(chromedp.ConsoleMessage, error) bool)) {
	for m, err := range messages {
		if err != nil {
			return
		}
		if m.Type == chromedp.ConsoleError || m.Type == chromedp.ConsoleWarning || m.IsException() {
			p.note(&p.console, m.String())
		}
	}
}

// refuse closes the browser's own dialogs; that one opened is a failure of its own.
func (p *Page) refuse(dialogs func(func(page.EventJavascriptDialogOpening, error) bool)) {
	for d, err := range dialogs {
		if err != nil {
			return
		}
		p.note(&p.dialogs, d.Message)
		if _, err := chromedp.Call(p.ctx, page.HandleJavaScriptDialog, page.HandleJavaScriptDialogParams{Accept: false}); err != nil {
			return
		}
	}
}

func (p *Page) note(list *[]string, text string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	*list = append(*list, text)
}

// timeout bounds each step in the browser.
const timeout = 30 * time.Second

func (p *Page) do(what string, steps ...chromedp.Action[chromedp.Void]) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, timeout)
	defer cancel()
	if err := chromedp.Do(ctx, steps...); err != nil {
		p.t.Fatalf("%s: %v", what, err)
	}
}

// Go visits an address, absolute or a path of the same site.
func (p *Page) Go(address string) {
	p.t.Helper()
	to, err := p.site.Parse(address)
	if err != nil {
		p.t.Fatal(err)
	}
	p.do("go to "+address, chromedp.Navigate(to.String()))
}

// Back goes back to the page before.
func (p *Page) Back() {
	p.t.Helper()
	p.do("go back", chromedp.NavigateBack())
}

// Size sets the width and height of the view.
func (p *Page) Size(width, height int) {
	p.t.Helper()
	p.do("set the size", chromedp.EmulateViewport(int64(width), int64(height)))
}

// Theme makes the system "light" or "dark".
func (p *Page) Theme(theme string) {
	p.t.Helper()
	_, err := chromedp.Call(p.ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
		Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: theme}}})
	if err != nil {
		p.t.Fatalf("set the theme: %v", err)
	}
}

// SetCookie gives the browser a cookie of the site.
func (p *Page) SetCookie(name, value string) {
	p.t.Helper()
	_, err := chromedp.Call(p.ctx, network.SetCookie, network.SetCookieParams{Name: name, Value: value, URL: p.site.String()})
	if err != nil {
		p.t.Fatalf("set a cookie: %v", err)
	}
}

// Script turns the running of scripts in the page on or off, from the next page on.
func (p *Page) Script(on bool) {
	p.t.Helper()
	_, err := chromedp.Call(p.ctx, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: !on})
	if err != nil {
		p.t.Fatalf("switch scripts: %v", err)
	}
}

// Click clicks what the CSS selector finds first.
func (p *Page) Click(selector string) {
	p.t.Helper()
	p.Wait(selector)
	p.still(selector)
	p.do("click "+selector, chromedp.Click(chromedp.CSS(selector)))
}

// still waits until what the CSS selector finds has stopped moving, as after the page scrolled to something, and a second at
// most: a click goes to where it was.
func (p *Page) still(selector string) {
	p.t.Helper()
	before := ""
	for range 50 {
		at := Eval[string](p, fmt.Sprintf(`(e => { e?.scrollIntoViewIfNeeded(); return JSON.stringify(e?.getBoundingClientRect() ?? "") })(document.querySelector(%q))`, selector))
		if at == before {
			return
		}
		before = at
		time.Sleep(20 * time.Millisecond)
	}
}

// Submit clicks what leads to another page, and waits until that page is there.
func (p *Page) Submit(selector string) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, timeout)
	defer cancel()
	if _, err := chromedp.RunResponse(ctx, chromedp.Click(chromedp.CSS(selector))); err != nil {
		p.t.Fatalf("submit %s: %v", selector, err)
	}
}

// Type types into the field that the CSS selector finds.
func (p *Page) Type(selector, text string) {
	p.t.Helper()
	p.do("type into "+selector, chromedp.SendKeys(chromedp.CSS(selector), text))
}

// Press presses keys where the focus is. Special keys are those of chromedp's package kb.
func (p *Page) Press(keys string) {
	p.t.Helper()
	p.do("press "+keys, chromedp.KeyEvent(keys))
}

// Wait waits until what the CSS selector finds can be seen.
func (p *Page) Wait(selector string) {
	p.t.Helper()
	p.do("wait for "+selector, chromedp.WaitVisible(chromedp.CSS(selector)))
}

// Text is the text of what the CSS selector finds first, as the page holds it.
func (p *Page) Text(selector string) string {
	p.t.Helper()
	return Eval[string](p, fmt.Sprintf("document.querySelector(%q).textContent", selector))
}

// Address is where the page is now.
func (p *Page) Address() string {
	p.t.Helper()
	return Eval[string](p, "location.href")
}

// Eval runs a JavaScript expression in the page.
func Eval[T any](p *Page, expression string) T {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, timeout)
	defer cancel()
	v, err := chromedp.Run(ctx, chromedp.Evaluate[T](expression))
	if err != nil {
		p.t.Fatalf("evaluate %.80s: %v", expression, err)
	}
	return v
}

// Await runs a JavaScript expression that is a promise, and gives what it comes to.
func Await[T any](p *Page, expression string) T {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, timeout)
	defer cancel()
	v, err := chromedp.Run(ctx, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
	if err != nil {
		p.t.Fatalf("await %.80s: %v", expression, err)
	}
	return v
}

// Screenshot writes a picture (PNG) of the whole page to a file; the folder is made.
func (p *Page) Screenshot(file string) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, timeout)
	defer cancel()
	png, err := chromedp.Run(ctx, chromedp.FullScreenshot(100))
	if err == nil {
		err = os.MkdirAll(filepath.Dir(file), 0o755)
	}
	if err == nil {
		err = os.WriteFile(file, png, 0o644)
	}
	if err != nil {
		p.t.Fatalf("take a screenshot: %v", err)
	}
}

// Pictures takes pictures of the page, light and dark, wide and narrow, into the folder that $POLDER_SHOTS names; none
// without it.
func (p *Page) Pictures(name string) {
	dir := os.Getenv("POLDER_SHOTS")
	if dir == "" {
		return
	}
	for _, theme := range []string{"light", "dark"} {
		for _, width := range []int{1440, 390} {
			p.Theme(theme)
			p.Size(width, 900)
			p.Screenshot(filepath.Join(dir, name+"-"+theme+"-"+strconv.Itoa(width)+".png"))
		}
	}
	p.Theme("light")
	p.Size(1440, 1000)
}

// Quiet fails when the browser complained since the tab was opened: an error or warning on the console (a refusal
// by the policy is one), a request to another host, a dialog of the browser.
func (p *Page) Quiet(t testing.TB) {
	t.Helper()
	Eval[int](p, "0") // what was sent before has arrived then
	time.Sleep(20 * time.Millisecond)
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, list := range []struct {
		what  string
		items *[]string
	}{{"the console says", &p.console}, {"a request went out", &p.outside}, {"a dialog opened", &p.dialogs}} {
		for _, text := range *list.items {
			t.Errorf("%s: %s: %s", p.site.Host, list.what, text)
		}
		*list.items = nil
	}
}

// Widths are those that every page must fit.
var Widths = []int{320, 360, 390, 720, 1024, 1440}

//go:embed check.js
var checks string

// Check holds the page that is open to the rules of the console: its layout and the contrast of its light theme at
// every one of [Widths], the contrast of its dark theme at the narrowest and the widest.
func (p *Page) Check(t testing.TB) {
	t.Helper()
	found := map[string]bool{}
	report := func(where string, faults []string) {
		for _, fault := range faults {
			if !found[fault] { // once is enough
				found[fault] = true
				t.Errorf("%s (%s): %s", Eval[string](p, "location.pathname"), where, fault)
			}
		}
	}
	report("markup", Eval[[]string](p, checks+"; page()"))
	look := func(width int, theme, rules string) {
		p.Size(width, 1000)
		report(fmt.Sprintf("%d px, %s", width, theme), Eval[[]string](p, checks+"; "+rules))
	}
	p.Theme("light")
	for _, width := range Widths {
		look(width, "light", "[...contrast(), ...layout()]")
	}
	p.Theme("dark")
	for _, width := range []int{Widths[0], Widths[len(Widths)-1]} {
		look(width, "dark", "contrast()")
	}
	p.Theme("light")
	p.Quiet(t)
}

// Strings are texts that try to become markup, script or structure (trust.md S35): each must come out of the page as
// it went in, but for what [github.com/polder-exchange/polder/internal/web.Visible] marks.
func Strings() []string { return strings.Split(strings.TrimSpace(hostile), "\n") }

//go:embed hostile.txt
var hostile string
