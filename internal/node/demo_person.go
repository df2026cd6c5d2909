package node

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"html"
	"io"
	"mime/multipart"
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
	return st.visitAs(ctx, st.logins[i].Email)
}

// visitAs logs a person in, once.
func (st *stage) visitAs(ctx context.Context, email string) (*visitor, error) {
	if v := st.visitors[email]; v != nil {
		return v, nil
	}
	i := slices.IndexFunc(st.logins, func(l login) bool { return l.Email == email })
	v := &visitor{st: st}
	answer, err := v.ask(ctx, "POST", "/login", url.Values{"email": {email}, "password": {st.logins[i].Password}})
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
	st.visitors[email] = v
	return v, nil
}

func (v *visitor) ask(ctx context.Context, method, path string, form url.Values) (*http.Response, error) {
	kind := ""
	if form != nil {
		kind = "application/x-www-form-urlencoded"
	}
	return v.request(ctx, method, path, kind, strings.NewReader(form.Encode()))
}

func (v *visitor) request(ctx context.Context, method, path, kind string, body io.Reader) (*http.Response, error) {
	r, err := http.NewRequestWithContext(ctx, method, v.st.at+path, body)
	if err != nil {
		return nil, err
	}
	if kind != "" {
		r.Header.Set("Content-Type", kind)
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
	return readPage(answer, path)
}

// post sends a form and reads the page that answers it.
func (v *visitor) post(ctx context.Context, path string, form url.Values) (string, error) {
	answer, err := v.ask(ctx, "POST", path, form)
	if err != nil {
		return "", err
	}
	return readPage(answer, path)
}

func readPage(answer *http.Response, path string) (string, error) {
	defer answer.Body.Close()
	page, err := io.ReadAll(io.LimitReader(answer.Body, 4<<20))
	if err == nil && answer.StatusCode != http.StatusOK {
		err = &refused{answer.StatusCode, path}
	}
	return html.UnescapeString(string(page)), err
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
	return redirected(answer, path)
}

// upload sends a form with a file and demands that it was done.
func (v *visitor) upload(ctx context.Context, path, name string, file []byte, form map[string]string) error {
	var body bytes.Buffer
	parts := multipart.NewWriter(&body)
	for key, value := range form {
		if err := parts.WriteField(key, value); err != nil {
			return err
		}
	}
	w, err := parts.CreateFormFile("file", name)
	if err != nil {
		return err
	}
	_, err = w.Write(file)
	if err := errors.Join(err, parts.Close()); err != nil {
		return err
	}
	answer, err := v.request(ctx, "POST", path, parts.FormDataContentType(), &body)
	if err != nil {
		return err
	}
	return redirected(answer, path)
}

func redirected(answer *http.Response, path string) error {
	_ = answer.Body.Close() // it is a redirect, or not what was wanted
	if answer.StatusCode != http.StatusSeeOther {
		return &refused{answer.StatusCode, path}
	}
	return nil
}
