package web

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"os"
	"strconv"
	"time"

	polder "github.com/polder-exchange/polder"
)

// statuses is the one translation of kinds of error to HTTP.
var statuses = [...]int{
	polder.Internal: http.StatusInternalServerError, polder.Invalid: http.StatusBadRequest, polder.NotFound: http.StatusNotFound,
	polder.Forbidden: http.StatusForbidden, polder.Conflict: http.StatusConflict, polder.Unauthorised: http.StatusUnauthorized,
	polder.TooLarge: http.StatusRequestEntityTooLarge, polder.Limited: http.StatusTooManyRequests,
	polder.Unavailable: http.StatusServiceUnavailable, polder.Full: http.StatusInsufficientStorage,
}

// Status is the HTTP status of err.
func Status(err error) int { return statuses[polder.KindOf(Translate(err))] }

// Translate gives the errors of the standard library that a handler meets their kind: a body above its limit is
// TooLarge, a deadline passed is Unavailable. Others come back as they are.
func Translate(err error) error {
	if _, ok := errors.AsType[*polder.Error](err); ok {
		return err
	}
	if long, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return polder.Errorf(polder.TooLarge, "the body is above %d bytes; send it in parts", long.Limit)
	}
	if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, os.ErrDeadlineExceeded) {
		return polder.Errorf(polder.Unavailable, "this took too long; ask for less, or again later")
	}
	return err
}

// RetryAfter may be an error in the chain of a Limited, Unavailable or Full one: when to try again.
// The default is 30 s for Limited and 5 s for the others.
type RetryAfter interface {
	error
	RetryAfter() time.Duration
}

// Problem answers with err: problem details (RFC 9457) where a machine asks, a page where a person does, the
// route's own form where it has one. The text of an internal fault goes to the log; the answer has the request's id.
// When the client has gone, nothing is written.
func Problem(w http.ResponseWriter, r *http.Request, err error) {
	if errors.Is(err, context.Canceled) && r.Context().Err() != nil {
		return
	}
	err = Translate(err)
	q := requestOf(r.Context())
	if q == nil {
		writeProblem(w, statuses[polder.KindOf(err)], problemText(err, ""), "")
		return
	}
	retry(w, err)
	if polder.KindOf(err) == polder.Internal {
		q.site.log().ErrorContext(r.Context(), "request failed", "request", q.id, "route", q.route.Pattern, "err", err)
	}
	if q.route.Fail != nil {
		if polder.KindOf(err) == polder.Unauthorised {
			challenge(w, r)
		}
		q.route.Fail(w, r, err)
		return
	}
	q.site.problem(w, r, statuses[polder.KindOf(err)], err)
}

func retry(w http.ResponseWriter, err error) {
	var wait time.Duration
	switch polder.KindOf(err) {
	case polder.Limited:
		wait = 30 * time.Second
	case polder.Unavailable, polder.Full:
		wait = 5 * time.Second
	default:
		return
	}
	if after, ok := errors.AsType[RetryAfter](err); ok {
		wait = after.RetryAfter()
	}
	w.Header().Set("Retry-After", strconv.Itoa(max(1, int((wait+time.Second-1)/time.Second))))
}

// challenge says how to log in. A browser that would open a box of its own for Basic is only told of Bearer.
func challenge(w http.ResponseWriter, r *http.Request) {
	w.Header().Add("WWW-Authenticate", `Bearer realm="polder"`)
	if r.Header.Get("Sec-Fetch-Mode") == "" {
		w.Header().Add("WWW-Authenticate", `Basic realm="polder", charset="UTF-8"`)
	}
}

// problem writes err with a status, as a page or as problem details.
func (s *Site) problem(w http.ResponseWriter, r *http.Request, status int, err error) {
	q := requestOf(r.Context())
	if status == http.StatusUnauthorized {
		challenge(w, r)
	}
	if q.route.api() {
		writeProblem(w, status, problemText(err, q.id), q.id)
		return
	}
	s.errorPage(w, r, status, err)
}

// problemText is what the asker may read of err: the text of the [polder.Error] in its chain, nothing that was
// wrapped around it or lies below.
func problemText(err error, id string) string {
	e, ok := errors.AsType[*polder.Error](err)
	switch {
	case ok && e.Kind != polder.Internal && e.Text != "":
		return e.Text
	case ok && e.Kind != polder.Internal:
		return e.Kind.String()
	case id == "":
		return "a fault of this node; it is in its log"
	}
	return "a fault of this node; it is in its log as " + id
}

// details is the body of RFC 9457.
type details struct {
	Type     string `json:"type"`
	Title    string `json:"title"`
	Status   int    `json:"status"`
	Detail   string `json:"detail,omitempty"`
	Instance string `json:"instance,omitempty"`
}

func writeProblem(w http.ResponseWriter, status int, text, id string) {
	d := details{Type: "about:blank", Title: http.StatusText(status), Status: status, Detail: text}
	if id != "" {
		d.Instance = "urn:polder:request:" + id
	}
	body, err := json.Marshal(d)
	if err != nil { // strings and numbers always encode
		panic(err)
	}
	w.Header().Set("Content-Type", "application/problem+json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	w.Write(append(body, '\n'))
}
