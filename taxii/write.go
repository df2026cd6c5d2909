package taxii

import (
	"bufio"
	"compress/gzip"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"io"
	"math"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/go-json-experiment/json/jsontext"
)

// smallBody is the length below which an answer is not compressed.
const smallBody = 1 << 10

// answer writes a resource as JSON.
func (s *Server) answer(w http.ResponseWriter, r *http.Request, status int, resource any) error {
	body, err := json.Marshal(resource)
	if err != nil {
		return err
	}
	s.write(w, r, status, [][]byte{body})
	return nil
}

// titles are the titles of error resources; others take the status's own words.
var titles = map[int]string{
	http.StatusBadRequest:            "The request is wrong as it stands",
	http.StatusUnauthorized:          "Log in first",
	http.StatusForbidden:             "You may not do this",
	http.StatusNotFound:              "Not found",
	http.StatusRequestEntityTooLarge: "The body is too long",
	http.StatusTooManyRequests:       "Too many requests",
	http.StatusInternalServerError:   "The server failed",
	http.StatusServiceUnavailable:    "The server cannot do this now",
	http.StatusInsufficientStorage:   "The server has no room left",
}

// fixed are the descriptions of refusals whose own text is never shown, so that one reads like another.
var fixed = map[int]string{
	http.StatusUnauthorized: "send a token as Bearer, or a user name with a token or password as Basic",
	http.StatusNotFound:     "there is nothing of this name, or nothing that you may see; the collections resource lists what you may use",
}

// refuse writes an error resource. An error that is no refusal is logged under a number, and only the number is told.
func (s *Server) refuse(w http.ResponseWriter, r *http.Request, err error) {
	if r.Context().Err() != nil && errors.Is(err, context.Canceled) {
		return // nobody is there to read an answer
	}
	refusal, ok := errors.AsType[*Error](err)
	if !ok || http.StatusText(refusal.Status) == "" || refusal.Status < 300 {
		refusal = Errorf(http.StatusInternalServerError, "the log of the server has the details under this error_id")
	}
	resource := errorResource{Title: titles[refusal.Status], Description: refusal.Text, HTTPStatus: strconv.Itoa(refusal.Status)}
	setDefault(&resource.Title, http.StatusText(refusal.Status))
	if text, ok := fixed[refusal.Status]; ok {
		resource.Description = text
	}
	if refusal.Status == http.StatusInternalServerError {
		resource.ErrorID = rand.Text()[:13]
		s.o.Log.ErrorContext(r.Context(), "taxii request failed", "method", r.Method, "route", r.Pattern, "error_id", resource.ErrorID, "error", err)
	}
	switch h := w.Header(); refusal.Status {
	case http.StatusUnauthorized:
		realm := strconv.QuoteToASCII(s.o.Realm)
		h.Add("WWW-Authenticate", "Basic realm="+realm+`, charset="UTF-8"`)
		h.Add("WWW-Authenticate", "Bearer realm="+realm)
	case http.StatusTooManyRequests, http.StatusServiceUnavailable:
		h.Set("Retry-After", strconv.Itoa(max(1, int(math.Ceil(refusal.RetryAfter.Seconds())))))
	}
	body, _ := json.Marshal(resource) // strings alone: cannot fail
	s.write(w, r, refusal.Status, [][]byte{body})
}

// writePage writes a page and the times of its first and last record.
func (s *Server) writePage(w http.ResponseWriter, r *http.Request, k kind, p Page, next string) {
	if n := len(p.Records); n > 0 {
		w.Header().Set("X-TAXII-Date-Added-First", TimeOf(p.Records[0].Number).String())
		w.Header().Set("X-TAXII-Date-Added-Last", TimeOf(p.Records[n-1].Number).String())
	}
	s.write(w, r, http.StatusOK, pageBody(k, p, next))
}

var comma = []byte(",")

// pageBody is the text of a page in pieces. The objects are among them as the store gave them.
func pageBody(k kind, p Page, next string) [][]byte {
	head := []byte("{")
	if p.More {
		head = append(head, `"more":true,"next":"`+next+`"`...) // base64url needs no escapes
		if len(p.Records) > 0 {
			head = append(head, ',')
		}
	}
	if len(p.Records) == 0 {
		return [][]byte{append(head, '}')}
	}
	if k == versionsKind {
		head = append(head, `"versions":[`...)
	} else {
		head = append(head, `"objects":[`...)
	}
	if k != objectsKind && k != objectKind {
		for i := range p.Records {
			if i > 0 {
				head = append(head, ',')
			}
			head = appendLine(head, k, &p.Records[i])
		}
		return [][]byte{append(head, "]}"...)}
	}
	parts := make([][]byte, 0, 2*len(p.Records)+1)
	parts = append(parts, head)
	for i := range p.Records {
		if i > 0 {
			parts = append(parts, comma)
		}
		parts = append(parts, p.Records[i].Raw)
	}
	return append(parts, []byte("]}"))
}

// appendLine appends what a record is in a manifest or a list of versions.
func appendLine(b []byte, k kind, r *Record) []byte {
	if k == versionsKind {
		return appendText(b, r.version())
	}
	b = appendText(append(b, `{"id":`...), r.ID)
	b = TimeOf(r.Number).AppendFormat(append(b, `,"date_added":"`...), stampLayout)
	b = appendText(append(b, `","version":`...), r.version())
	media := r.MediaType
	setDefault(&media, STIXMediaType)
	b = appendText(append(b, `,"media_type":`...), media)
	return append(b, '}')
}

// appendText appends s as a JSON string; what is not UTF-8 in it is replaced.
func appendText(b []byte, s string) []byte {
	b, _ = jsontext.AppendQuote(b, s)
	return b
}

// version is the text of the record's version.
func (r *Record) version() string {
	if r.Version == "" {
		return TimeOf(r.Number).String()
	}
	return r.Version
}

var (
	bufferPool = sync.Pool{New: func() any { return bufio.NewWriterSize(io.Discard, 64<<10) }}
	gzipPool   = sync.Pool{New: func() any {
		z, _ := gzip.NewWriterLevel(io.Discard, gzip.BestSpeed) // a level that exists: cannot fail
		return z
	}}
)

// write writes an answer, compressed where that is wanted and worth it, within the time for one answer.
func (s *Server) write(w http.ResponseWriter, r *http.Request, status int, parts [][]byte) {
	length := 0
	for _, p := range parts {
		length += len(p)
	}
	h := w.Header()
	h.Set("Content-Type", MediaType)
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	zip := !s.o.NoGzip && length >= smallBody && takesGzip(r.Header)
	if zip {
		h.Set("Content-Encoding", "gzip")
	} else {
		h.Set("Content-Length", strconv.Itoa(length))
	}
	h.Add("Vary", "Accept-Encoding")
	// net/http lifts the deadline when the request ends; a host without deadlines has its own.
	_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(s.o.WriteTimeout))
	w.WriteHeader(status)
	if r.Method == http.MethodHead {
		return
	}
	_ = writeParts(w, parts, zip) // a client that is gone reads no error either
}

func writeParts(w io.Writer, parts [][]byte, zip bool) error {
	if zip {
		z := gzipPool.Get().(*gzip.Writer)
		z.Reset(w)
		defer func() { z.Reset(io.Discard); gzipPool.Put(z) }()
		if err := writeBuffered(z, parts); err != nil {
			return err
		}
		return z.Close()
	}
	return writeBuffered(w, parts)
}

func writeBuffered(w io.Writer, parts [][]byte) error {
	b := bufferPool.Get().(*bufio.Writer)
	b.Reset(w)
	defer func() { b.Reset(io.Discard); bufferPool.Put(b) }()
	for _, p := range parts {
		if _, err := b.Write(p); err != nil {
			return err
		}
	}
	return b.Flush()
}
