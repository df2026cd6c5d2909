package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/polder-exchange/polder"
)

// Node is the client of a node's REST API. It may be used by several goroutines.
//
// It follows no redirect, so the token reaches the named node only. What the node refuses comes back as a
// [polder.Error] whose kind follows the status and whose text is the node's own sentence.
type Node struct {
	URL   string // without a slash at the end
	Token string

	HTTP *http.Client                               // nil: one that bounds connecting and the wait for the answer's head
	Wait func(context.Context, time.Duration) error // nil: really waits; for tests
}

const (
	tries       = 6                // of a request that is put off with 429 or 503
	longestWait = 30 * time.Second // between two of them, whatever the node asks for
	longestText = 1 << 20          // of a refusal
)

// Do sends in as JSON (nothing when nil; a []byte or json.RawMessage as it is) and reads the answer into out (nothing
// when nil). A request that is put off is sent again, a few times.
func (n *Node) Do(ctx context.Context, method, path string, in, out any) error {
	var body []byte
	header := http.Header{"Accept": {"application/json"}}
	if in != nil {
		var err error
		if body, err = json.Marshal(in); err != nil {
			return err
		}
		header.Set("Content-Type", "application/json")
	}
	res, err := n.Send(ctx, method, path, header, body)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if out == nil || res.StatusCode == http.StatusNoContent {
		return nil
	}
	if err := json.NewDecoder(res.Body).Decode(out); err != nil {
		return fmt.Errorf("read the answer of %s: %w", n.URL, err)
	}
	return nil
}

// Send sends body with header and returns the answer once it is a 2xx; the caller closes its body. A request that is
// put off is sent again, a few times.
func (n *Node) Send(ctx context.Context, method, path string, header http.Header, body []byte) (*http.Response, error) {
	return n.SendFor(ctx, method, path, header, body)
}

// SendFor is [Node.Send] for answers that carry more than a refusal's sentence: an answer with one of the statuses in
// also is returned as it is.
func (n *Node) SendFor(ctx context.Context, method, path string, header http.Header, body []byte, also ...int) (*http.Response, error) {
	for try := 1; ; try++ {
		res, err := n.once(ctx, method, path, header, body)
		if err != nil {
			return nil, err
		}
		if res.StatusCode/100 == 2 || slices.Contains(also, res.StatusCode) {
			return res, nil
		}
		putOff := res.StatusCode == http.StatusTooManyRequests || res.StatusCode == http.StatusServiceUnavailable
		refusal := n.refusal(res)
		if !putOff || try == tries {
			return nil, refusal
		}
		if err := n.wait(ctx, pause(res.Header.Get("Retry-After"), try)); err != nil {
			return nil, errors.Join(refusal, err)
		}
	}
}

// Pause waits a moment before a cut connection is taken up again.
func (n *Node) Pause(ctx context.Context) error { return n.wait(ctx, 500*time.Millisecond) }

func (n *Node) once(ctx context.Context, method, path string, header http.Header, body []byte) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, method, n.URL+path, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	for k, v := range header {
		req.Header[k] = v
	}
	req.Header.Set("User-Agent", "polder/"+strings.Fields(Version())[0])
	if n.Token != "" {
		req.Header.Set("Authorization", "Bearer "+n.Token)
	}
	client := n.HTTP
	if client == nil {
		client = defaultClient
	}
	res, err := client.Do(req)
	if err == nil {
		return res, nil
	}
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	if u, ok := errors.AsType[*url.Error](err); ok {
		err = u.Err // without method and address, which are said here
	}
	return nil, polder.Errorf(polder.Unavailable, "cannot reach %s: %w; is the node running there?", n.URL, err)
}

// defaultClient bounds what a node that does not answer can cost. A stream may last, so the whole is not bounded.
var defaultClient = &http.Client{
	Transport: &http.Transport{
		Proxy:                 http.ProxyFromEnvironment,
		DialContext:           (&net.Dialer{Timeout: 15 * time.Second, KeepAlive: 15 * time.Second}).DialContext,
		ForceAttemptHTTP2:     true,
		TLSHandshakeTimeout:   15 * time.Second,
		ResponseHeaderTimeout: 5 * time.Minute,
		MaxIdleConnsPerHost:   8,
		IdleConnTimeout:       time.Minute,
	},
	CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
}

// pause is how long to wait before the next try: what the node asks for in seconds, else longer each time.
func pause(retryAfter string, try int) time.Duration {
	d := 250 * time.Millisecond << try
	if s, err := strconv.Atoi(retryAfter); err == nil && s >= 0 {
		d = time.Duration(min(s, int(longestWait/time.Second))) * time.Second
	}
	return min(d, longestWait)
}

func (n *Node) wait(ctx context.Context, d time.Duration) error {
	if n.Wait != nil {
		return n.Wait(ctx, d)
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// problem is an RFC 9457 problem: title and detail are sentences, errors say what is wrong where.
type problem struct {
	Title, Detail string
	Errors        []struct{ Message, Location string }
}

var kinds = map[int]polder.Kind{
	http.StatusUnauthorized:          polder.Unauthorised,
	http.StatusForbidden:             polder.Forbidden,
	http.StatusNotFound:              polder.NotFound,
	http.StatusConflict:              polder.Conflict,
	http.StatusRequestEntityTooLarge: polder.TooLarge,
	http.StatusTooManyRequests:       polder.Limited,
	http.StatusServiceUnavailable:    polder.Unavailable,
	http.StatusInsufficientStorage:   polder.Full,
}

// refusal makes an error of an answer that is not a 2xx, and closes it.
func (n *Node) refusal(res *http.Response) error {
	defer res.Body.Close()
	kind := kinds[res.StatusCode]
	if kind == polder.Internal && res.StatusCode/100 == 4 {
		kind = polder.Invalid
	}
	if res.StatusCode/100 == 3 {
		return polder.Errorf(polder.Invalid, "%s sends us on to %q; give that address if you trust it", n.URL, res.Header.Get("Location"))
	}
	text, _ := io.ReadAll(io.LimitReader(res.Body, longestText))
	var p problem
	if json.Unmarshal(text, &p) != nil || p.Title == "" && p.Detail == "" {
		return polder.Errorf(kind, "%s answers %s; is it a Polder node?", n.URL, res.Status)
	}
	lines := []string{p.Detail}
	if p.Detail == "" {
		lines[0] = p.Title
	}
	for _, e := range p.Errors {
		line := e.Message
		if e.Location != "" {
			line = e.Location + ": " + e.Message
		}
		lines = append(lines, line)
	}
	if res.StatusCode == http.StatusUnauthorized {
		lines[0] += "; check --token or POLDER_TOKEN"
	}
	return polder.Errorf(kind, "%s", strings.Join(lines, "\n"))
}
