package taxii

import (
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
)

func (s *Server) discovery(w http.ResponseWriter, r *http.Request, _ Subject) error {
	root := s.o.BaseURL + s.o.Root
	return s.answer(w, r, http.StatusOK, Discovery{
		Title: s.o.Title, Description: s.o.Description, Contact: s.o.Contact, Default: root, APIRoots: []string{root},
	})
}

func (s *Server) apiRoot(w http.ResponseWriter, r *http.Request, _ Subject) error {
	return s.answer(w, r, http.StatusOK, APIRoot{
		Title: s.o.Title, Description: s.o.Description, Versions: []string{MediaType}, MaxContentLength: s.o.MaxContentLength,
	})
}

func (s *Server) collections(w http.ResponseWriter, r *http.Request, subject Subject) error {
	list, err := s.o.Store.Collections(r.Context(), subject)
	if err != nil {
		return err
	}
	return s.answer(w, r, http.StatusOK, struct {
		Collections []Collection `json:"collections,omitempty"`
	}{list})
}

func (s *Server) collection(w http.ResponseWriter, r *http.Request, subject Subject) error {
	c, err := s.find(r, subject)
	if err != nil {
		return err
	}
	return s.answer(w, r, http.StatusOK, c)
}

// find is the collection that the path names by id or alias; an id goes before an equal alias.
func (s *Server) find(r *http.Request, subject Subject) (Collection, error) {
	list, err := s.o.Store.Collections(r.Context(), subject)
	if err != nil {
		return Collection{}, err
	}
	name := r.PathValue("id")
	for _, c := range list {
		if c.ID == name {
			return c, nil
		}
	}
	for _, c := range list {
		if c.Alias == name && name != "" {
			return c, nil
		}
	}
	return Collection{}, ErrNotFound
}

// readable finds a collection to read from: without any right in it, it is not found.
func (s *Server) readable(r *http.Request, subject Subject) (Collection, error) {
	c, err := s.find(r, subject)
	switch {
	case err != nil:
		return c, err
	case c.CanRead:
		return c, nil
	case c.CanWrite:
		return c, Errorf(http.StatusForbidden, "you may add objects to this collection but not read it")
	}
	return c, ErrNotFound
}

// writable finds a collection to write to: without any right in it, it is not found.
func (s *Server) writable(r *http.Request, subject Subject) (Collection, error) {
	c, err := s.find(r, subject)
	switch {
	case err != nil:
		return c, err
	case c.CanWrite:
		return c, nil
	case c.CanRead:
		return c, Errorf(http.StatusForbidden, "you may read this collection but not change it")
	}
	return c, ErrNotFound
}

// page is the endpoint of a resource that comes in pages.
func (s *Server) page(k kind) endpoint {
	return func(w http.ResponseWriter, r *http.Request, subject Subject) error {
		c, err := s.readable(r, subject)
		if err != nil {
			return err
		}
		q, err := s.question(r, k, subject, c.ID)
		if err != nil {
			return err
		}
		page, err := s.o.Store.Records(r.Context(), subject, c.ID, q)
		if err != nil {
			return err
		}
		page = cut(page, q)
		if err := checkPage(page, q); err != nil {
			return err
		}
		next := ""
		if page.More {
			next = s.sign.make(page.Records[len(page.Records)-1].Number, k, subject, c.ID, q)
		}
		s.writePage(w, r, k, page, next)
		return nil
	}
}

// question reads the parameters of a page and settles where it begins and how long it is.
func (s *Server) question(r *http.Request, k kind, subject Subject, collection string) (Query, error) {
	req, err := parsePage(r.URL.RawQuery, k)
	if err != nil {
		return Query{}, err
	}
	q := req.Query
	if k == objectKind || k == versionsKind {
		q.Object = r.PathValue("object")
		if !plain(q.Object) {
			return q, ErrNotFound
		}
	}
	if req.next != "" {
		if q.After, err = s.sign.read(req.next, k, subject, collection, q); err != nil {
			return q, err
		}
	}
	if q.Limit == 0 {
		q.Limit = s.o.PageDefault
	}
	q.Limit = min(q.Limit, s.o.PageMax)
	q.Bodies = k == objectsKind || k == objectKind
	if q.Bodies {
		q.Bytes = s.o.PageBytes
	}
	return q, nil
}

// cut shortens a page that a store made longer than it was asked to.
func cut(p Page, q Query) Page {
	n, size := min(len(p.Records), q.Limit), 0
	for i := range p.Records[:n] {
		size += len(p.Records[i].Raw)
		if q.Bytes > 0 && size > q.Bytes && i > 0 {
			n = i
			break
		}
	}
	return Page{Records: p.Records[:n], More: p.More || n < len(p.Records)}
}

// checkPage holds a store to its promise; a page that breaks it would make readers lose objects.
func checkPage(p Page, q Query) error {
	last := q.After
	for i := range p.Records {
		if p.Records[i].Number <= last {
			return fmt.Errorf("store: record %d of a page has number %d after %d; numbers must rise", i, p.Records[i].Number, last)
		}
		last = p.Records[i].Number
	}
	if p.More && len(p.Records) == 0 {
		return errors.New("store: a page without records says that more follow")
	}
	return nil
}

func (s *Server) add(w http.ResponseWriter, r *http.Request, subject Subject) error {
	c, err := s.writable(r, subject)
	if err != nil {
		return err
	}
	if !isTAXII(r.Header.Get("Content-Type")) {
		return Errorf(http.StatusUnsupportedMediaType, "the body is not declared as TAXII; send it with Content-Type: %s", MediaType)
	}
	objects, err := s.readBody(w, r)
	if err != nil {
		return err
	}
	status, err := s.o.Store.Add(r.Context(), subject, c.ID, objects)
	if err != nil {
		return err
	}
	return s.answer(w, r, http.StatusAccepted, status)
}

// readBody reads the envelope that a POST sends, within the bounds of length and time.
func (s *Server) readBody(w http.ResponseWriter, r *http.Request) ([]json.RawMessage, error) {
	if r.ContentLength > s.o.MaxContentLength {
		w.Header().Set("Connection", "close")
		return nil, s.tooLarge()
	}
	// net/http lifts the deadline when the body has been read or the request ends; a host without deadlines has its own.
	_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(s.o.ReadTimeout))
	body := io.Reader(http.MaxBytesReader(w, r.Body, s.o.MaxContentLength))
	switch coding := strings.ToLower(strings.TrimSpace(r.Header.Get("Content-Encoding"))); coding {
	case "", "identity":
	case "gzip", "x-gzip":
		unzipped, err := gzip.NewReader(body)
		if err != nil {
			return nil, s.bodyError(w, err)
		}
		body = http.MaxBytesReader(w, unzipped, s.o.MaxContentLength)
	default:
		w.Header().Set("Accept-Encoding", "gzip, identity")
		return nil, Errorf(http.StatusUnsupportedMediaType, "the body is encoded as %q; send it plain or with gzip", clip(coding))
	}
	objects, err := ReadEnvelope(body, s.o.MaxObjects)
	if err != nil {
		return nil, s.bodyError(w, err) // what is left of the body is under the deadline too
	}
	return objects, nil
}

// bodyError says what is wrong with a body that cannot be read to its end.
func (s *Server) bodyError(w http.ResponseWriter, err error) error {
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return s.tooLarge()
	}
	if _, ok := errors.AsType[*Error](err); ok {
		return err
	}
	w.Header().Set("Connection", "close")
	if timeout, ok := errors.AsType[interface {
		error
		Timeout() bool
	}](err); ok && timeout.Timeout() {
		return Errorf(http.StatusRequestTimeout, "the body did not come within %s; send smaller envelopes", s.o.ReadTimeout)
	}
	return &Error{Status: http.StatusBadRequest, Text: "the body could not be read to its end; send it whole, and if with gzip as one complete stream", Cause: err}
}

func (s *Server) tooLarge() error {
	return Errorf(http.StatusRequestEntityTooLarge, "the body is longer than the max_content_length of %d bytes; send the objects in several envelopes", s.o.MaxContentLength)
}

func (s *Server) delete(w http.ResponseWriter, r *http.Request, subject Subject) error {
	c, err := s.find(r, subject)
	switch {
	case err != nil:
		return err
	case !c.CanRead && !c.CanWrite:
		return ErrNotFound
	case !c.CanRead || !c.CanWrite:
		return Errorf(http.StatusForbidden, "only who may both read and write in this collection deletes from it")
	}
	q, err := parseDelete(r.URL.RawQuery)
	if err != nil {
		return err
	}
	object := r.PathValue("object")
	if !plain(object) {
		return ErrNotFound
	}
	if err := s.o.Store.Delete(r.Context(), subject, c.ID, object, q); err != nil {
		return err
	}
	s.write(w, r, http.StatusOK, nil)
	return nil
}

func (s *Server) status(w http.ResponseWriter, r *http.Request, subject Subject) error {
	id := r.PathValue("status")
	if !plain(id) {
		return ErrNotFound
	}
	status, err := s.o.Store.Status(r.Context(), subject, id)
	if err != nil {
		return err
	}
	return s.answer(w, r, http.StatusOK, status)
}
