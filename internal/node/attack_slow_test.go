package node

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/polder-exchange/polder/stix"
)

// TestS19Slow (S19): idle connections, heads and bodies that come a byte at a time, and streams up to the limit hold nobody
// up; what is malformed on the wire is refused.
func TestS19Slow(t *testing.T) {
	p := newPlace(t)
	p.serve(t)
	p.share(t, "plain", "ring", "", entry(1, 0, stix.Green, ""))
	dial := func() net.Conn {
		c, err := net.Dial("tcp", strings.TrimPrefix(p.url, "http://"))
		ok(t, err)
		t.Cleanup(func() { _ = c.Close() })
		return c
	}
	for range 100 {
		dial()
		fmt.Fprint(dial(), "GET /healthz HT")
		fmt.Fprintf(dial(), "POST /api/v1/communities/ring/share HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\nContent-Length: 1000\r\n\r\n{", p.tokens["plain"])
	}
	began := time.Now()
	for i := range 20 {
		p.share(t, "plain", "ring", "", entry(i+2, 0, stix.Green, ""))
		if got := len(pageIDs(t, p.url, p.tokens["named"])); got != i+2 {
			t.Fatalf("%d objects", got)
		}
	}
	if took := time.Since(began); took > 20*time.Second {
		t.Errorf("20 shares took %v beside slow clients", took)
	}
	auth := "Host: x\r\nAuthorization: Bearer " + p.tokens["plain"] + "\r\n"
	for name, request := range map[string]string{
		"both lengths":      "POST /api/v1/communities/ring/share HTTP/1.1\r\n" + auth + "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /healthz HTTP/1.1\r\nHost: x\r\n\r\n",
		"two lengths":       "POST /api/v1/communities/ring/share HTTP/1.1\r\n" + auth + "Content-Length: 5\r\nContent-Length: 6\r\n\r\n123456",
		"a negative length": "POST /api/v1/communities/ring/share HTTP/1.1\r\n" + auth + "Content-Length: -5\r\n\r\n",
		"no host":           "GET /healthz HTTP/1.1\r\n\r\n",
		"two hosts":         "GET /healthz HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
		"a long head":       "GET /healthz HTTP/1.1\r\nHost: x\r\nX: " + strings.Repeat("x", 200<<10) + "\r\n\r\n",
		"a bad chunk":       "POST /api/v1/communities/ring/share HTTP/1.1\r\n" + auth + "Transfer-Encoding: chunked\r\n\r\nzz\r\n\r\n",
		"a long chunk note": "POST /api/v1/communities/ring/share HTTP/1.1\r\n" + auth + "Transfer-Encoding: chunked\r\n\r\n1;" + strings.Repeat("x", 100<<10) + "\r\n{\r\n0\r\n\r\n",
		"too long a body":   "POST /taxii2/root/collections/ring/objects/ HTTP/1.1\r\n" + auth + "Content-Type: " + taxiiKind + "\r\nContent-Length: 999999999\r\n\r\n",
		"a space in a name": "GET /healthz HTTP/1.1\r\nHost: x\r\nX : y\r\n\r\n",
	} {
		c := dial()
		ok(t, c.SetDeadline(time.Now().Add(20*time.Second)))
		go func() { _, _ = io.WriteString(c, request) }() // the node may close first
		res, err := http.ReadResponse(bufio.NewReader(c), nil)
		if err != nil {
			continue // cut without an answer
		}
		if res.StatusCode < 400 || res.StatusCode >= 500 {
			t.Errorf("%s: %d", name, res.StatusCode)
		}
		res.Body.Close()
	}
	p.tooManyStreams(t)
}

// tooManyStreams opens one more than one token may.
func (p *place) tooManyStreams(t *testing.T) {
	t.Helper()
	for range 32 {
		p.listen(t, "named", "since=0")
	}
	a := p.ask(ask{as: "named", path: "/api/v1/stream?since=0", wait: 5 * time.Second})
	if a.status != http.StatusTooManyRequests || a.head.Get("Retry-After") == "" {
		t.Errorf("the stream above the limit: %d %s", a.status, a.body)
	}
	p.listen(t, "stew", "since=0") // another's are not counted
}
