package web

import (
	"bytes"
	"context"
	"net/http"
	"strings"
	"time"

	polder "github.com/polder-exchange/polder"
)

// EventStream writes Server-Sent Events to one client. Its methods are called by the handler's goroutine alone.
//
// What it holds (trust.md S38): data never begins a field or an event, whatever it holds; each write has a deadline,
// so a peer that stops reading ends the stream instead of the handler; a heartbeat goes out at least every 15 s, so
// both sides notice a dead connection; proxies are asked not to buffer.
type EventStream struct {
	w       http.ResponseWriter
	control *http.ResponseController
	beat    time.Duration
	write   time.Duration
}

// ServerEvent is one event. ID is what a client sends back as Last-Event-ID; Name and ID may be empty.
type ServerEvent struct {
	ID, Name string
	Data     []byte
}

// OpenStream answers r with the head of an event stream. The route must be declared with Stream.
func OpenStream(w http.ResponseWriter, r *http.Request) (*EventStream, error) {
	s := &EventStream{w, http.NewResponseController(w), 15 * time.Second, 10 * time.Second}
	h := w.Header()
	h.Set("Content-Type", "text/event-stream")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Accel-Buffering", "no")
	w.WriteHeader(http.StatusOK)
	return s, s.put([]byte("retry: 2000\n\n"))
}

// Send writes events and flushes them together. An error means that the client has gone: end the handler.
func (s *EventStream) Send(events ...ServerEvent) error {
	var b bytes.Buffer
	for _, e := range events {
		if strings.ContainsAny(e.ID+e.Name, "\r\n\x00") {
			return polder.Errorf(polder.Internal, "send event: id or name holds a line break or NUL")
		}
		if e.ID != "" {
			b.WriteString("id: " + e.ID + "\n")
		}
		if e.Name != "" {
			b.WriteString("event: " + e.Name + "\n")
		}
		data := bytes.ReplaceAll(bytes.ReplaceAll(e.Data, []byte("\r\n"), []byte("\n")), []byte("\r"), []byte("\n"))
		for line := range bytes.SplitSeq(bytes.ReplaceAll(data, []byte{0}, []byte("\uFFFD")), []byte("\n")) {
			b.WriteString("data: ")
			b.Write(line)
			b.WriteByte('\n')
		}
		b.WriteByte('\n')
	}
	return s.put(b.Bytes())
}

// Wait returns when wake does, beating meanwhile: nil then, the cause when ctx has ended or the client has gone.
func (s *EventStream) Wait(ctx context.Context, wake <-chan struct{}) error {
	beat := time.NewTicker(s.beat)
	defer beat.Stop()
	for {
		select {
		case <-wake:
			return nil
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-beat.C:
			if err := s.Beat(); err != nil {
				return err
			}
		}
	}
}

// Beat writes a comment, for handlers that wait for events in a way of their own. Call it at least every 15 s.
func (s *EventStream) Beat() error { return s.put([]byte(": still here\n\n")) }

// put writes and flushes within the deadline of one write.
func (s *EventStream) put(b []byte) error {
	_ = s.control.SetWriteDeadline(time.Now().Add(s.write)) // a recorder in a test has no deadline and needs none
	if _, err := s.w.Write(b); err != nil {
		return err
	}
	return s.control.Flush()
}
