package taxii

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
	"unicode"
)

// Client is a TAXII 2.1 client of one server. Set the fields before the first call; after that it may be used by many
// goroutines. Only URL is required.
type Client struct {
	// URL is the server's discovery resource, such as https://node.example/taxii2/, or one of its API roots.
	// Without a path it means /taxii2/ there. It never holds a user name or password.
	URL string

	Token          string // sent as Bearer; goes before User
	User, Password string // sent as Basic
	UserAgent      string // "taxii-client"
	PlainHTTP      bool   // let credentials go unencrypted to a host that is not this machine

	HTTP   *http.Client // its Transport and Timeout are used; cookies and its rule for redirects are not
	Limits Limits
	Sleep  func(context.Context, time.Duration) error // waits between tries; nil waits in real time
}

// Limits bounds what a client takes, sends and waits for. A zero takes the default written beside the field.
type Limits struct {
	PageBytes   int64         // longest answer, after decompression; 32 MiB
	PageObjects int           // objects asked for at once; 1,000
	Pages       int           // most pages of one pull; 100,000
	IdlePages   int           // most pages one after the other that bring nothing new and promise more; 8
	BatchBytes  int64         // longest body sent, where the server does not ask for shorter ones; 4 MiB
	Batch       int           // most objects sent at once; 1,000
	Request     time.Duration // for one request and its whole answer; one minute
	Retries     int           // further tries after 429 and 503; 4
	Wait        time.Duration // longest wait before one of them; one minute
	Pending     time.Duration // how long a push waits for a status to be complete; five minutes
}

func (l Limits) orDefaults() Limits {
	setDefault(&l.PageBytes, 32<<20)
	setDefault(&l.PageObjects, 1000)
	setDefault(&l.Pages, 100_000)
	setDefault(&l.IdlePages, 8)
	setDefault(&l.BatchBytes, 4<<20)
	setDefault(&l.Batch, 1000)
	setDefault(&l.Request, time.Minute)
	setDefault(&l.Retries, 4)
	setDefault(&l.Wait, time.Minute)
	setDefault(&l.Pending, 5*time.Minute)
	return l
}

const maxRedirects = 3

// home is the URL of discovery. Its scheme and host are the only ones that the client talks to.
func (c *Client) home() (*url.URL, error) {
	u, err := url.Parse(c.URL)
	switch {
	case err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "":
		return nil, errors.New("the URL of the server is not like https://node.example/taxii2/")
	case u.User != nil:
		return nil, errors.New("the URL of the server holds a user name or password; give them apart from it")
	case u.RawQuery != "" || u.Fragment != "":
		return nil, errors.New("the URL of the server has a ? or #; leave out what follows")
	case u.Scheme == "http" && (c.Token != "" || c.User != "") && !c.PlainHTTP && !loopback(u.Hostname()):
		return nil, fmt.Errorf("credentials would go to %s unencrypted; use https, or allow plain HTTP", u.Host)
	}
	if u.Path == "" || u.Path == "/" {
		u.Path = DiscoveryPath
	}
	return withSlash(u), nil
}

func withSlash(u *url.URL) *url.URL {
	if strings.HasSuffix(u.Path, "/") {
		return u
	}
	return u.JoinPath("/")
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// sameOrigin tells whether a and b are of one scheme, host and port.
func sameOrigin(a, b *url.URL) bool {
	return a.Scheme == b.Scheme && strings.EqualFold(a.Hostname(), b.Hostname()) && port(a) == port(b)
}

func port(u *url.URL) string {
	switch {
	case u.Port() != "":
		return u.Port()
	case u.Scheme == "https":
		return "443"
	}
	return "80"
}

// answer is what a server sent with a status of success.
type answer struct {
	header http.Header
	body   []byte
}

// request sends a request, again where the server asks to come later, and returns an answer of TAXII's type.
// Its errors do not name the resource: see about.
func (c *Client) request(ctx context.Context, method string, u *url.URL, body []byte) (answer, error) {
	limits := c.Limits.orDefaults()
	for try := 0; ; try++ {
		a, err := c.once(ctx, method, u, body, limits)
		if err == nil {
			return a, nil
		}
		refusal, ok := errors.AsType[*Error](err)
		later := ok && (refusal.Status == http.StatusTooManyRequests || refusal.Status == http.StatusServiceUnavailable)
		if !later || try >= limits.Retries {
			return answer{}, err
		}
		wait := refusal.RetryAfter
		if wait == 0 {
			wait = min(time.Second<<try, limits.Wait)
		}
		if wait > limits.Wait {
			return answer{}, fmt.Errorf("%w (come again in %s)", err, wait.Round(time.Second))
		}
		if slept := c.sleep(ctx, wait); slept != nil {
			return answer{}, fmt.Errorf("%w (while waiting: %w)", err, slept)
		}
	}
}

// about says which request err is about, without the query: its values are nobody's business.
func about(method string, u *url.URL, err error) error {
	return fmt.Errorf("%s %s: %w", method, withoutQuery(u), err)
}

func withoutQuery(u *url.URL) string {
	bare := url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path, RawPath: u.RawPath}
	return bare.String()
}

func (c *Client) sleep(ctx context.Context, d time.Duration) error {
	if c.Sleep != nil {
		return c.Sleep(ctx, d)
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}

// once sends one request and follows a few redirects on the same host.
func (c *Client) once(ctx context.Context, method string, u *url.URL, body []byte, limits Limits) (answer, error) {
	ctx, cancel := context.WithTimeout(ctx, limits.Request)
	defer cancel()
	for hop := 0; ; hop++ {
		resp, err := c.send(ctx, method, u, body)
		if err != nil {
			return answer{}, err
		}
		to, err := redirected(resp, method)
		if to == nil && err == nil {
			defer resp.Body.Close()
			return c.read(resp, limits)
		}
		resp.Body.Close()
		switch {
		case err != nil:
			return answer{}, err
		case !sameOrigin(to, u):
			return answer{}, fmt.Errorf("the server redirects to another host, %s; nothing was sent there", to.Host)
		case hop >= maxRedirects:
			return answer{}, fmt.Errorf("the server redirects more than %d times", maxRedirects)
		}
		u = to
	}
}

// redirected is where a redirect leads; nil when the answer is none.
func redirected(resp *http.Response, method string) (*url.URL, error) {
	switch resp.StatusCode {
	case http.StatusMovedPermanently, http.StatusFound, http.StatusSeeOther:
		if method != http.MethodGet {
			return nil, fmt.Errorf("the server redirects a %s with status %d; only 307 and 308 keep it whole", method, resp.StatusCode)
		}
	case http.StatusTemporaryRedirect, http.StatusPermanentRedirect:
	default:
		return nil, nil
	}
	to, err := resp.Location()
	if err != nil {
		return nil, errors.New("the server redirects without saying where to")
	}
	return to, nil
}

// send sends one request with the credentials, to the client's own host alone.
func (c *Client) send(ctx context.Context, method string, u *url.URL, body []byte) (*http.Response, error) {
	home, err := c.home()
	if err != nil {
		return nil, err
	}
	if !sameOrigin(home, u) {
		return nil, fmt.Errorf("it is on another host than %s; make a client of its own for it", home.Host)
	}
	req, err := http.NewRequestWithContext(ctx, method, u.String(), bytes.NewReader(body))
	if err != nil {
		return nil, errors.New("no request can be made of this URL")
	}
	req.Header.Set("Accept", MediaType)
	req.Header.Set("Accept-Encoding", "gzip")
	agent := c.UserAgent
	setDefault(&agent, "taxii-client")
	req.Header.Set("User-Agent", agent)
	if method == http.MethodPost {
		req.Header.Set("Content-Type", MediaType)
	}
	if c.Token != "" {
		req.Header.Set("Authorization", "Bearer "+c.Token)
	} else if c.User != "" {
		req.SetBasicAuth(c.User, c.Password)
	}
	client := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	if c.HTTP != nil {
		client.Transport, client.Timeout = c.HTTP.Transport, c.HTTP.Timeout
	}
	resp, err := client.Do(req)
	if wrapped, ok := errors.AsType[*url.Error](err); ok {
		err = wrapped.Err // without the URL and its query
	}
	return resp, err
}

// read reads an answer to its end, within the limits.
func (c *Client) read(resp *http.Response, limits Limits) (answer, error) {
	if resp.StatusCode/100 != 2 {
		return answer{}, c.refusal(resp)
	}
	body, err := readAll(resp, limits.PageBytes)
	if err != nil {
		return answer{}, err
	}
	if typ := resp.Header.Get("Content-Type"); len(body) > 0 && !isTAXII(typ) {
		return answer{}, fmt.Errorf("the answer is %q, not %s; is this a TAXII 2.1 server?", c.clean(typ), MediaType)
	}
	return answer{resp.Header, body}, nil
}

// errLongAnswer says that an answer is longer than Limits.PageBytes.
var errLongAnswer = errors.New("the answer is longer than this client takes")

func readAll(resp *http.Response, limit int64) ([]byte, error) {
	if resp.ContentLength > limit {
		return nil, fmt.Errorf("%w: %d bytes, and the limit is %d", errLongAnswer, resp.ContentLength, limit)
	}
	body := io.Reader(resp.Body)
	switch coding := strings.ToLower(resp.Header.Get("Content-Encoding")); coding {
	case "", "identity":
	case "gzip", "x-gzip":
		unzipped, err := gzip.NewReader(io.LimitReader(body, limit))
		if err != nil {
			return nil, fmt.Errorf("the answer says it is gzip and is not: %w", err)
		}
		body = unzipped
	default:
		return nil, fmt.Errorf("the answer is encoded as %q, which was not asked for", clip(coding))
	}
	text, err := io.ReadAll(io.LimitReader(body, limit+1))
	switch {
	case int64(len(text)) > limit:
		return nil, fmt.Errorf("%w: the limit is %d bytes", errLongAnswer, limit)
	case err != nil:
		return nil, fmt.Errorf("the answer broke off after %d bytes: %w", len(text), err)
	}
	return text, nil
}

// refusal is the error that a server answered with.
func (c *Client) refusal(resp *http.Response) error {
	e := &Error{Status: resp.StatusCode, RetryAfter: retryAfter(resp.Header)}
	e.Text = fmt.Sprintf("the server answers %d %s", resp.StatusCode, http.StatusText(resp.StatusCode))
	body, err := readAll(resp, 64<<10)
	var said errorResource
	if err == nil && json.Unmarshal(body, &said) == nil && said.Title != "" {
		e.Text += ": " + c.clean(said.Title)
		if said.Description != "" {
			e.Text += "; " + c.clean(said.Description)
		}
	}
	return e
}

// retryAfter reads Retry-After: seconds, or a date against the server's own clock.
func retryAfter(h http.Header) time.Duration {
	text := h.Get("Retry-After")
	if n, err := strconv.ParseInt(text, 10, 32); err == nil {
		return time.Duration(max(0, n)) * time.Second
	}
	at, err := http.ParseTime(text)
	now, errNow := http.ParseTime(h.Get("Date"))
	if err != nil || errNow != nil {
		return 0
	}
	return max(0, at.Sub(now))
}

// clean makes what a server says fit for a message: short, on one line, and without our own secrets, which a hostile
// server could send back.
func (c *Client) clean(s string) string {
	for _, secret := range []string{c.Token, c.Password, basicOf(c.User, c.Password)} {
		if secret != "" {
			s = strings.ReplaceAll(s, secret, "[secret]")
		}
	}
	s = strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return ' '
		}
		return r
	}, s)
	if len(s) > 300 {
		s = strings.ToValidUTF8(s[:300], "") + "…"
	}
	return s
}

func basicOf(user, password string) string {
	if user == "" {
		return ""
	}
	r := http.Request{Header: http.Header{}}
	r.SetBasicAuth(user, password)
	return strings.TrimPrefix(r.Header.Get("Authorization"), "Basic ")
}
