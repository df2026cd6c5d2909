package peers

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	jsonv2 "github.com/go-json-experiment/json"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/notify"
)

// root is below which peers speak with each other.
const root = "/api/v1/peer/"

// Headers of a signed request.
const (
	headerSession   = "Polder-Session"
	headerCount     = "Polder-Count"
	headerSignature = "Polder-Signature"
)

// breach is an error that says: the peer does not keep to what was agreed.
type breach struct{ error }

func (b breach) Unwrap() error { return b.error }

func breached(format string, args ...any) error {
	return breach{polder.Errorf(polder.Invalid, format, args...)}
}

var statusKinds = map[int]polder.Kind{
	http.StatusBadRequest: polder.Invalid, http.StatusUnauthorized: polder.Unauthorised, http.StatusForbidden: polder.Forbidden, http.StatusNotFound: polder.NotFound,
	http.StatusConflict: polder.Conflict, http.StatusRequestEntityTooLarge: polder.TooLarge, http.StatusTooManyRequests: polder.Limited,
	http.StatusServiceUnavailable: polder.Unavailable, http.StatusInsufficientStorage: polder.Full,
}

const (
	callTime = 30 * time.Second // of a request that is no stream
	maxNoise = 64 << 10         // bytes between two frames of a stream that are none
)

// request makes a request to another node. Nothing is unpacked on the way: a small answer cannot become a large one.
func request(ctx context.Context, method, base, target string, body []byte) (*http.Request, error) {
	r, err := http.NewRequestWithContext(ctx, method, base+root+target, bytes.NewReader(body))
	if err != nil {
		return nil, polder.Errorf(polder.Invalid, "%.100q is not the address of a node", base)
	}
	r.Header.Set("Accept-Encoding", "identity")
	if method == http.MethodPost {
		r.Header.Set("Content-Type", "application/json")
	}
	return r, nil
}

// answered sends a request and refuses what is no answer of a node.
func (s *Service) answered(r *http.Request) (*http.Response, error) {
	res, err := s.o.Client.Do(r)
	if err != nil {
		return nil, unreachable(r, err)
	}
	if res.Header.Get("Content-Encoding") != "" {
		_ = res.Body.Close()
		return nil, breached("the peer packs its answers, which was not asked for")
	}
	if res.StatusCode/100 == 2 {
		return res, nil
	}
	defer res.Body.Close()
	text, _ := io.ReadAll(io.LimitReader(res.Body, 8<<10)) // what cannot be read is not shown
	var problem struct {
		Detail string `json:"detail"`
	}
	kind, known := statusKinds[res.StatusCode]
	if json.Unmarshal(text, &problem) != nil || problem.Detail == "" || !known {
		return nil, polder.Errorf(polder.Unavailable, "%s answers %d; is it a Polder node that takes peers?", r.URL.Host, res.StatusCode)
	}
	return nil, &refusal{polder.Errorf(kind, "%s says: %s", r.URL.Host, clip(problem.Detail, 500)), retryAfter(res)}
}

// refusal is what a peer answered instead of what was asked.
type refusal struct {
	error
	after time.Duration
}

func (r *refusal) Unwrap() error { return r.error }

// RetryAfter is when the peer says to try again.
func (r *refusal) RetryAfter() time.Duration { return r.after }

func retryAfter(res *http.Response) time.Duration {
	n, err := strconv.Atoi(res.Header.Get("Retry-After"))
	if err != nil || n < 0 {
		return 0
	}
	return time.Duration(min(n, 86400)) * time.Second
}

func unreachable(r *http.Request, err error) error {
	if u, ok := errors.AsType[*url.Error](err); ok {
		err = u.Err // without method and address
	}
	if ctx := r.Context().Err(); ctx != nil {
		return context.Cause(r.Context())
	}
	if errors.Is(err, notify.ErrRefused) {
		return polder.Errorf(polder.Forbidden, "%s: %w (peers: allow_networks in polder.yaml)", r.URL.Host, err)
	}
	return polder.Errorf(polder.Unavailable, "cannot reach %s: %w; is a node running there, and is that its address from here?", r.URL.Host, err)
}

// into reads an answer as JSON, within bounds.
func into(res *http.Response, to any) error {
	defer res.Body.Close()
	raw, err := io.ReadAll(io.LimitReader(res.Body, maxFrame+1))
	switch {
	case err != nil:
		return polder.Errorf(polder.Unavailable, "the peer's answer broke off: %w", err)
	case len(raw) > maxFrame:
		return breached("the peer's answer is longer than %d bytes", maxFrame)
	case to == nil:
		return nil
	}
	if f, ok := to.(*frame); ok {
		if *f, err = decodeFrame(raw, pageRows); err != nil {
			return breach{err}
		}
		return nil
	}
	if err := jsonv2.Unmarshal(raw, to); err != nil {
		return breached("the peer's answer is no JSON of the form that was agreed")
	}
	return nil
}

// post asks a node without a session.
func (s *Service) post(ctx context.Context, base, path string, body, to any) error {
	ctx, cancel := context.WithTimeout(ctx, callTime)
	defer cancel()
	raw, err := json.Marshal(body)
	if err != nil {
		return err
	}
	r, err := request(ctx, http.MethodPost, base, path, raw)
	if err != nil {
		return err
	}
	res, err := s.answered(r)
	if err != nil {
		return err
	}
	return into(res, to)
}

// conn is a session with the home of a link. It may be used from any goroutine.
type conn struct {
	s       *Service
	url     string
	session string
	count   atomic.Uint64
	heard   func() // a sign of life of the peer
}

// dial opens a session with the home of a link.
func (s *Service) dial(ctx context.Context, l Link) (*conn, error) {
	hello, nonce, err := s.greet(ctx, l.URL, l.Peer, s.keyOf(ctx, l.PeerLink))
	if err != nil {
		return nil, err
	}
	own, _, err := s.o.Keys.Node(ctx)
	if err != nil {
		return nil, err
	}
	chain, err := s.o.Keys.Chain(ctx, own)
	if err != nil && !errors.Is(err, polder.ErrNotFound) {
		return nil, err
	}
	q, err := s.sign(ctx, forSession, l.Peer, nonce, hello.Challenge, peerSession{l.ID, chain})
	if err != nil {
		return nil, err
	}
	var got peerSessionAnswer
	if err := s.post(ctx, l.URL, "session", q, &got); err != nil {
		return nil, err
	}
	if !secretForm.MatchString(got.Session) {
		return nil, breached("the peer opened a session without an id")
	}
	return &conn{s: s, url: l.URL, session: got.Session, heard: func() {}}, nil
}

// do sends a signed request.
func (c *conn) do(ctx context.Context, method, path string, query url.Values, body []byte) (*http.Response, error) {
	target := path
	if len(query) > 0 {
		target += "?" + query.Encode()
	}
	r, err := request(ctx, method, c.url, target, body)
	if err != nil {
		return nil, err
	}
	n := c.count.Add(1)
	signature, err := c.s.o.Keys.SignNode(ctx, requestText(c.session, n, method, target, body))
	if err != nil {
		return nil, err
	}
	r.Header.Set(headerSession, c.session)
	r.Header.Set(headerCount, strconv.FormatUint(n, 10))
	r.Header.Set(headerSignature, text64(signature))
	res, err := c.s.answered(r)
	if err == nil {
		c.heard()
	}
	return res, err
}

// Call asks the peer of a link, signed and bounded.
func (c *conn) Call(ctx context.Context, method, path string, query url.Values, body, to any) error {
	ctx, cancel := context.WithTimeout(ctx, callTime)
	defer cancel()
	var raw []byte
	if body != nil {
		var err error
		if raw, err = json.Marshal(body); err != nil {
			return err
		}
	}
	return c.raw(ctx, method, path, query, raw, to)
}

func (c *conn) raw(ctx context.Context, method, path string, query url.Values, body []byte, to any) error {
	res, err := c.do(ctx, method, path, query, body)
	if err != nil {
		return err
	}
	return into(res, to)
}

// page asks for what follows a cursor.
func (c *conn) page(ctx context.Context, generation string, after polder.Seq) (frame, error) {
	ctx, cancel := context.WithTimeout(ctx, 2*callTime)
	defer cancel()
	var f frame
	query := url.Values{"generation": {generation}, "after": {strconv.FormatInt(int64(after), 10)}}
	if err := c.raw(ctx, http.MethodGet, "deliveries", query, nil, &f); err != nil {
		return frame{}, err
	}
	return f, nil
}

// event is one thing that came over a stream: a frame, or the word that something changed.
type event struct {
	name string
	data []byte
}

// events reads a stream of events until it ends or next fails. A peer that sends no whole event, or more than its bound,
// is in breach; one that is silent for longer than silence is gone.
func events(in io.Reader, end func(), silence time.Duration, next func(event) error) error {
	watch, whole := time.AfterFunc(silence, end), time.AfterFunc(lineTime(silence), end)
	defer watch.Stop()
	defer whole.Stop()
	r := bufio.NewReaderSize(in, 64<<10)
	var e event
	noise := 0
	for {
		line, err := readLine(r, func() { watch.Reset(silence) })
		if err != nil {
			return err
		}
		whole.Reset(lineTime(silence))
		name, value, _ := strings.Cut(string(line[:min(len(line), 32)]), ":")
		switch {
		case len(line) == 0 && e.data != nil:
			if err := next(e); err != nil {
				return err
			}
			e, noise = event{}, 0
		case name == "event":
			e.name = strings.TrimSpace(value)
		case name == "data" && e.data == nil:
			e.data = bytes.TrimPrefix(line[len("data:"):], []byte(" "))
		case name == "data":
			return breached("the peer sent an event in more than one line")
		default:
			noise += len(line) + 1
		}
		if noise > maxNoise {
			return breached("the peer sent more than %d bytes without saying anything", maxNoise)
		}
	}
}

// lineTime is how long one line of a stream may take, however it trickles in.
func lineTime(silence time.Duration) time.Duration { return 10 * silence }

// readLine reads a line of at most a frame.
func readLine(r *bufio.Reader, alive func()) ([]byte, error) {
	var line []byte
	for {
		part, err := r.ReadSlice('\n')
		alive()
		line = append(line, part...)
		switch {
		case len(line) > maxFrame:
			return nil, breached("the peer sent a frame longer than %d bytes", maxFrame)
		case err == nil:
			return bytes.TrimRight(line, "\r\n"), nil
		case !errors.Is(err, bufio.ErrBufferFull):
			return nil, err
		}
	}
}
