package web

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// S38: whatever is in an event, it stays in its data.
func TestS38Events(t *testing.T) {
	for _, c := range []struct{ why, data, want string }{
		{"a line", "a", "data: a\n\n"},
		{"nothing", "", "data: \n\n"},
		{"two lines", "a\nb", "data: a\ndata: b\n\n"},
		{"a field of its own", "a\nevent: x\nid: 9", "data: a\ndata: event: x\ndata: id: 9\n\n"},
		{"an event of its own", "a\n\ndata: b", "data: a\ndata: \ndata: data: b\n\n"},
		{"CR", "a\revent: x", "data: a\ndata: event: x\n\n"},
		{"CR LF", "a\r\nb", "data: a\ndata: b\n\n"},
		{"NUL", "a\x00b", "data: a\uFFFDb\n\n"},
		{"U+2028 is no line break here", "a\u2028event: x", "data: a\u2028event: x\n\n"},
	} {
		w := httptest.NewRecorder()
		s, err := OpenStream(w, httptest.NewRequest("GET", "/", nil))
		if err != nil {
			t.Fatal(err)
		}
		w.Body.Reset()
		if err := s.Send(ServerEvent{Data: []byte(c.data)}); err != nil {
			t.Fatal(err)
		}
		if got := w.Body.String(); got != c.want {
			t.Errorf("%s: got %q, want %q", c.why, got, c.want)
		}
		for _, bad := range []ServerEvent{{ID: "1\nevent: x"}, {Name: "a\rb"}, {ID: "1\x00"}} {
			if err := s.Send(bad); err == nil {
				t.Errorf("sent %q", bad)
			}
		}
		if h := w.Header(); h.Get("X-Accel-Buffering") != "no" || h.Get("Cache-Control") != "no-store" || h.Get("Content-Type") != "text/event-stream" {
			t.Errorf("headers %v", h)
		}
	}
}

func TestStreamBeatsAndEnds(t *testing.T) {
	ended := make(chan error, 1)
	site := testSite(t, Options{})
	h := handler(t, site, Route{Method: "GET", Pattern: "/api/stream", Exit: "x", Stream: true, Handler: func(w http.ResponseWriter, r *http.Request) {
		s, err := OpenStream(w, r)
		if err != nil {
			ended <- err
			return
		}
		s.beat = 10 * time.Millisecond
		wake := make(chan struct{}, 1)
		wake <- struct{}{}
		if err := s.Wait(r.Context(), wake); err != nil {
			ended <- err
			return
		}
		if err := s.Send(ServerEvent{ID: "7", Name: "row", Data: []byte("x")}, ServerEvent{ID: "8", Data: []byte("y")}); err != nil {
			ended <- err
			return
		}
		ended <- s.Wait(r.Context(), nil)
	}})
	server := httptest.NewServer(h)
	defer server.Close()
	ctx, cancel := context.WithCancel(context.Background())
	req, _ := http.NewRequestWithContext(ctx, "GET", server.URL+"/api/stream", nil)
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(res.Body)
	var got []string
	for lines.Scan() {
		got = append(got, lines.Text())
		if lines.Text() == ": still here" {
			break
		}
	}
	want := "retry: 2000||id: 7|event: row|data: x||id: 8|data: y||: still here"
	if strings.Join(got, "|") != want {
		t.Errorf("got %q", strings.Join(got, "|"))
	}
	cancel()
	select {
	case err := <-ended:
		if !errors.Is(err, context.Canceled) && err == nil {
			t.Errorf("ended with %v", err)
		}
	case <-time.After(5 * time.Second):
		t.Fatal("the handler goes on after its client has gone")
	}
}

// S38: a peer that stops reading ends its stream, by the deadline of a write.
func TestS38PeerThatStopsReading(t *testing.T) {
	ended := make(chan int, 1)
	site := testSite(t, Options{})
	h := handler(t, site, Route{Method: "GET", Pattern: "/api/stream", Exit: "x", Stream: true, Handler: func(w http.ResponseWriter, r *http.Request) {
		s, err := OpenStream(w, r)
		if err != nil {
			ended <- -1
			return
		}
		s.write = 100 * time.Millisecond
		big := []byte(strings.Repeat("x", 1<<16))
		for n := range 10000 {
			if s.Send(ServerEvent{ID: fmt.Sprint(n), Data: big}) != nil {
				ended <- n
				return
			}
		}
		ended <- -1
	}})
	server := httptest.NewServer(h)
	defer server.Close()
	defer server.CloseClientConnections()
	conn, err := net.Dial("tcp", server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	io.WriteString(conn, "GET /api/stream HTTP/1.1\r\nHost: x\r\n\r\n")
	select {
	case n := <-ended:
		if n < 0 {
			t.Fatal("everything was written to nobody")
		}
	case <-time.After(20 * time.Second):
		t.Fatal("the handler is blocked")
	}
}
