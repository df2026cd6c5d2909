package node

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// visitor is a person of the demo at the console, logged in by the form.
type visitor struct {
	st      *stage
	cookies []*http.Cookie
}

// visit logs the first person of a part in.
func (st *stage) visit(ctx context.Context, key string) (*visitor, error) {
	i := slices.IndexFunc(st.logins, func(l login) bool { return l.Org == st.players[key].name })
	v := &visitor{st: st}
	answer, err := v.ask(ctx, "POST", "/login", url.Values{"email": {st.logins[i].Email}, "password": {st.logins[i].Password}})
	if err != nil {
		return nil, err
	}
	_ = answer.Body.Close() // a redirect says nothing
	v.cookies = answer.Cookies()
	switch to := answer.Header.Get("Location"); {
	case answer.StatusCode != http.StatusSeeOther || len(v.cookies) == 0:
		return nil, fmt.Errorf("the form answered %s", answer.Status)
	case to != "/":
		return nil, fmt.Errorf("led to %s instead of the first page", to)
	}
	return v, nil
}

func (v *visitor) ask(ctx context.Context, method, path string, form url.Values) (*http.Response, error) {
	r, err := http.NewRequestWithContext(ctx, method, v.st.at+path, strings.NewReader(form.Encode()))
	if err != nil {
		return nil, err
	}
	if form != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for _, c := range v.cookies {
		r.AddCookie(c)
	}
	return v.st.http.Do(r)
}

// open reads a page.
func (v *visitor) open(ctx context.Context, path string) (string, error) {
	answer, err := v.ask(ctx, "GET", path, nil)
	if err != nil {
		return "", err
	}
	defer answer.Body.Close()
	page, err := io.ReadAll(io.LimitReader(answer.Body, 4<<20))
	if err == nil && answer.StatusCode != http.StatusOK {
		err = &refused{answer.StatusCode, path}
	}
	return string(page), err
}

// shows opens a page and demands that texts are in it, and others are not.
func (v *visitor) shows(ctx context.Context, path string, has, lacks []string) error {
	page, err := v.open(ctx, path)
	if err != nil {
		return err
	}
	for _, text := range has {
		if !strings.Contains(page, text) {
			return fmt.Errorf("the page %s does not say %q", path, text)
		}
	}
	for _, text := range lacks {
		if strings.Contains(page, text) {
			return fmt.Errorf("the page %s says %q", path, text)
		}
	}
	return nil
}

// send sends a form and demands that it was done, which leads to another page.
func (v *visitor) send(ctx context.Context, path string, form url.Values) error {
	answer, err := v.ask(ctx, "POST", path, form)
	if err != nil {
		return err
	}
	_ = answer.Body.Close() // it is a redirect, or not what was wanted
	if answer.StatusCode != http.StatusSeeOther {
		return &refused{answer.StatusCode, path}
	}
	return nil
}
