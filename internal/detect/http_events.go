package detect

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/klauspost/compress/zstd"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/web"
)

const (
	maxSent   = 8 << 20 // bytes of a request, as sent
	maxLine   = 1 << 20 // bytes of one event
	maxAtOnce = 8       // requests that are unpacked at the same time
)

// taken is the answer to events: they are on disk, and will be judged.
type taken struct {
	Events int `json:"events"`
	Bytes  int `json:"bytes"`
}

func (a *API) eventsRoute() web.Route {
	return web.Route{Method: http.MethodPost, Pattern: "/api/v1/events", Need: web.Contributor, Exit: "api.events", MaxBody: maxSent, Timeout: time.Minute, Handler: web.Handler(a.events).Serve,
		Doc: &web.Doc{Summary: "Take events in, to be judged: one JSON object a line, plain or with Content-Encoding gzip or zstd. 202 means that they are on disk. 429 with Retry-After means that too much waits; 507 that the disk is full",
			Query: map[string]string{"name": "what these events are from, such as dns or ws-041; alerts say it as their file"}, Media: "application/x-ndjson", Answer: taken{}}}
}

// events takes a request's events in. Nothing of a request is kept unless all of it is right.
func (a *API) events(w http.ResponseWriter, r *http.Request) error {
	if a.Intake == nil {
		return polder.Errorf(polder.Unavailable, "this node takes no events in")
	}
	select {
	case a.slots <- struct{}{}:
		defer func() { <-a.slots }()
	default:
		return polder.Errorf(polder.Limited, "%w; send it again in a moment", errBusy{})
	}
	by := web.ActorOf(r)
	b := Batch{Org: by.Org, Source: sourceOf(by), Name: clipped(strings.TrimSpace(r.URL.Query().Get("name")), 200)}
	if b.Name == "" {
		b.Name = "events"
	}
	data, err := unpackBody(r.Header.Get("Content-Encoding"), r.Body)
	if err != nil {
		return err
	}
	if b.Data, b.Events, err = checkLines(data); err != nil {
		return err
	}
	if b.Events == 0 {
		web.WriteJSON(w, http.StatusAccepted, taken{})
		return nil
	}
	if _, err := a.Intake.Accept(b); err != nil {
		return err
	}
	web.WriteJSON(w, http.StatusAccepted, taken{b.Events, len(b.Data)})
	return nil
}

// errBusy asks a sender to come again in a second.
type errBusy struct{}

func (errBusy) Error() string             { return "as many requests as can be are being read" }
func (errBusy) RetryAfter() time.Duration { return time.Second }

// sourceOf names the way in by which an actor sends.
func sourceOf(by polder.Actor) string {
	if by.Token != "" {
		return "token " + string(by.Token)
	}
	return actorName(by)
}

// unpackBody undoes the encoding of a body, up to [MaxBatch] bytes.
func unpackBody(encoding string, body io.Reader) ([]byte, error) {
	in := body
	switch encoding = strings.ToLower(strings.TrimSpace(encoding)); encoding {
	case "", "identity":
	case "gzip", "x-gzip":
		z, err := gzip.NewReader(body)
		if err != nil {
			return nil, unreadable("gzip", err)
		}
		in = z
	case "zstd":
		z, err := zstd.NewReader(body, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(MaxBatch), zstd.WithDecoderMaxWindow(8<<20))
		if err != nil {
			return nil, unreadable("zstd", err)
		}
		defer z.Close()
		in = z
	default:
		return nil, polder.Errorf(polder.Invalid, "Content-Encoding: %.40q is not understood; send gzip, zstd or none", encoding)
	}
	data, err := io.ReadAll(io.LimitReader(in, MaxBatch+1))
	switch {
	case len(data) > MaxBatch:
		return nil, polder.Errorf(polder.TooLarge, "the events are above %d bytes when unpacked; send them in parts", MaxBatch)
	case err != nil && in != body:
		return nil, unreadable(encoding, err)
	}
	return data, err
}

// unreadable is what a broken encoding is called; errors of the connection and of limits stay what they are.
func unreadable(encoding string, err error) error {
	_, ours := errors.AsType[*polder.Error](err)
	_, long := errors.AsType[*http.MaxBytesError](err)
	if ours || long {
		return err
	}
	return polder.Errorf(polder.Invalid, "the body is no whole %s: %w; nothing of it was taken, send it again", encoding, err)
}

// checkLines holds each line to be one JSON object, and gives the lines without empty ones, with their number.
func checkLines(data []byte) (kept []byte, events int, err error) {
	data = bytes.TrimPrefix(data, []byte("\xEF\xBB\xBF"))
	kept = make([]byte, 0, len(data)+1)
	n := 0
	for line := range bytes.Lines(data) {
		n++
		line = bytes.TrimSpace(line)
		switch {
		case len(line) == 0:
			continue
		case len(line) > maxLine:
			return nil, 0, polder.Errorf(polder.TooLarge, "line %d: an event is above %d bytes; nothing of this was taken", n, maxLine)
		case line[0] != '{' || !json.Valid(line):
			return nil, 0, polder.Errorf(polder.Invalid, "line %d: is no JSON object; send one event a line (NDJSON); nothing of this was taken", n)
		}
		kept = append(append(kept, line...), '\n')
		events++
	}
	return kept, events, nil
}
