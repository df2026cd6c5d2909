package notify

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"
)

// names is a name server on the loopback interface that answers every question for an IPv4 address by the function.
func names(t *testing.T, answer func(name string) netip.Addr) *net.Resolver {
	t.Helper()
	pc, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = pc.Close() })
	go func() {
		buf := make([]byte, 1500)
		for {
			n, from, err := pc.ReadFrom(buf)
			if err != nil {
				return
			}
			var q dnsmessage.Message
			if q.Unpack(buf[:n]) != nil || len(q.Questions) != 1 {
				continue
			}
			a := dnsmessage.Message{Header: dnsmessage.Header{ID: q.ID, Response: true, RecursionAvailable: true}, Questions: q.Questions}
			if name := q.Questions[0].Name; q.Questions[0].Type == dnsmessage.TypeA {
				a.Answers = []dnsmessage.Resource{{
					Header: dnsmessage.ResourceHeader{Name: name, Type: dnsmessage.TypeA, Class: dnsmessage.ClassINET},
					Body:   &dnsmessage.AResource{A: answer(strings.TrimSuffix(name.String(), ".")).As4()},
				}}
			}
			if out, err := a.Pack(); err == nil {
				_, _ = pc.WriteTo(out, from)
			}
		}
	}()
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "udp", pc.LocalAddr().String())
	}}
}

// inside is a service of this machine that nobody outside should reach through us.
func inside(t *testing.T) (srv *httptest.Server, port string, reached *atomic.Int32) {
	t.Helper()
	reached = new(atomic.Int32)
	srv = httptest.NewTLSServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { reached.Add(1) }))
	t.Cleanup(srv.Close)
	u, err := url.Parse(srv.URL)
	if err != nil {
		t.Fatal(err)
	}
	return srv, u.Port(), reached
}

func roots(srv *httptest.Server) *x509.CertPool {
	p := x509.NewCertPool()
	p.AddCert(srv.Certificate())
	return p
}

// TestS20Addresses: no spelling of an inside address is reached, by https or http.
func TestS20Addresses(t *testing.T) {
	srv, port, reached := inside(t)
	var looks atomic.Int32
	g := &Guard{Roots: roots(srv), Timeout: 2 * time.Second, Resolver: names(t, func(name string) netip.Addr {
		if n := looks.Add(1); name == "rebind.example" && n%2 == 1 {
			return netip.MustParseAddr("198.51.100.7") // harmless at the first look
		}
		return netip.MustParseAddr("127.0.0.1") // as resolvers do that understand 0177.0.0.1 and 2130706433
	})}
	c := g.Client()
	for _, host := range []string{
		"127.0.0.1", "127.1.2.3", "localhost", "0.0.0.0", "[::1]", "[::]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[::127.0.0.1]", "[64:ff9b::7f00:1]",
		"[2002:7f00:1::1]", "[fe80::1%25lo]", "[fd00::1]", "2130706433", "0177.0.0.1", "0x7f.0.0.1", "0x7f000001", "127.1", "inside.example", "rebind.example",
		"10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "255.255.255.255", "224.0.0.1",
	} {
		for _, scheme := range []string{"https", "http"} {
			res, err := c.Get(scheme + "://" + host + ":" + port + "/")
			if err == nil {
				_ = res.Body.Close()
			}
			_, unknown := errors.AsType[*net.DNSError](err) // Go's own resolver takes no number for a name
			if !errors.Is(err, ErrRefused) && !unknown {
				t.Errorf("%s://%s: %v, want it refused", scheme, host, err)
			}
		}
	}
	if reached.Load() != 0 {
		t.Errorf("the inside was reached %d times", reached.Load())
	}
}

// TestS20Rebinding: what counts is the address at the moment of connecting, whatever the name said before.
func TestS20Rebinding(t *testing.T) {
	srv, port, reached := inside(t)
	var looks atomic.Int32
	g := &Guard{Roots: roots(srv), Timeout: 2 * time.Second, Allow: []netip.Prefix{netip.MustParsePrefix("127.0.0.2/32")}, Resolver: names(t, func(string) netip.Addr {
		if looks.Add(1) == 1 {
			return netip.MustParseAddr("127.0.0.2") // allowed, and nobody is there
		}
		return netip.MustParseAddr("127.0.0.1")
	})}
	c := g.Client()
	if _, err := c.Get("https://change.example:1/"); err == nil || errors.Is(err, ErrRefused) {
		t.Errorf("the allowed address: %v, want that nobody answers", err)
	}
	for range 3 {
		if _, err := c.Get("https://change.example:" + port + "/"); !errors.Is(err, ErrRefused) {
			t.Errorf("after the name changed: %v", err)
		}
	}
	if reached.Load() != 0 || looks.Load() < 4 {
		t.Errorf("reached %d times after %d look-ups", reached.Load(), looks.Load())
	}
}

// TestS20Allowed: an administrator opens a network, and only that.
func TestS20Allowed(t *testing.T) {
	srv, port, reached := inside(t)
	plain := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { reached.Add(1) }))
	defer plain.Close()
	g := &Guard{Roots: roots(srv), Allow: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}, Timeout: 2 * time.Second}
	for _, ok := range []string{srv.URL, plain.URL} {
		res, err := g.Client().Get(ok)
		if err != nil {
			t.Errorf("%s: %v", ok, err)
			continue
		}
		_ = res.Body.Close()
	}
	if reached.Load() != 2 {
		t.Errorf("reached %d times, want 2", reached.Load())
	}
	for _, no := range []string{"https://[::1]:" + port, "https://10.1.2.3:" + port, "ftp://127.0.0.1", "https://user:pw@127.0.0.1:" + port} {
		if _, err := g.Client().Get(no); !errors.Is(err, ErrRefused) {
			t.Errorf("%s: %v", no, err)
		}
	}
}

// TestS20Plain: http goes nowhere but to allowed networks, not even to the public internet.
func TestS20Plain(t *testing.T) {
	g := &Guard{}
	if err := g.control("tcp4", "93.184.216.34:80", true); !errors.Is(err, ErrRefused) {
		t.Errorf("http to a public address: %v", err)
	}
	if err := g.control("tcp4", "93.184.216.34:443", false); err != nil {
		t.Errorf("https to a public address: %v", err)
	}
	for _, bad := range []string{"udp4", "unix"} {
		if err := g.control(bad, "93.184.216.34:443", false); !errors.Is(err, ErrRefused) {
			t.Errorf("%s: %v", bad, err)
		}
	}
}

// TestS20Redirects: at most three, to the same host, and nothing that a request carried reaches another.
func TestS20Redirects(t *testing.T) {
	other, _, reached := inside(t)
	var srv *httptest.Server
	hops := 0
	srv = httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/again":
			hops++
			http.Redirect(w, r, "/again", http.StatusTemporaryRedirect)
		case "/once":
			http.Redirect(w, r, "/end", http.StatusTemporaryRedirect)
		case "/other":
			http.Redirect(w, r, other.URL, http.StatusTemporaryRedirect)
		case "/elsewhere":
			http.Redirect(w, r, "https://169.254.169.254/latest/meta-data", http.StatusFound)
		case "/plain":
			http.Redirect(w, r, strings.Replace(srv.URL, "https", "http", 1)+"/end", http.StatusTemporaryRedirect)
		case "/dropped":
			http.Redirect(w, r, "/end", http.StatusFound)
		case "/file":
			w.Header().Set("Location", "file:///etc/passwd")
			w.WriteHeader(http.StatusFound)
		case "/end":
			fmt.Fprint(w, "end")
		}
	}))
	defer srv.Close()
	pool := roots(srv)
	pool.AddCert(other.Certificate())
	g := &Guard{Roots: pool, Allow: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}, Timeout: 2 * time.Second}
	post := func(path string) (string, error) {
		req, err := http.NewRequest(http.MethodPost, srv.URL+path, strings.NewReader("body"))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", "Bearer x")
		req.Header.Set("X-Api-Key", "x")
		res, err := g.Client().Do(req)
		if err != nil {
			return "", err
		}
		defer res.Body.Close()
		b, err := io.ReadAll(res.Body)
		return string(b), err
	}
	if got, err := post("/once"); err != nil || got != "end" {
		t.Errorf("one redirect within the host: %q, %v", got, err)
	}
	for _, path := range []string{"/again", "/other", "/elsewhere", "/plain", "/dropped", "/file"} {
		if got, err := post(path); !errors.Is(err, ErrRefused) {
			t.Errorf("%s: %q, %v", path, got, err)
		}
	}
	if hops != 1+mostRedirects {
		t.Errorf("%d requests for a redirect to itself, want %d", hops, 1+mostRedirects)
	}
	if reached.Load() != 0 {
		t.Error("another host was reached")
	}
}

// TestPublic: the border between the internet and everything else.
func TestPublic(t *testing.T) {
	for ip, want := range map[string]bool{
		"93.184.216.34": true, "1.1.1.1": true, "100.63.255.255": true, "100.64.0.0": false, "100.127.255.255": false, "100.128.0.0": true,
		"172.15.255.255": true, "172.31.255.255": false, "192.0.1.1": true, "192.0.0.8": false, "198.17.255.255": true, "198.19.0.1": false,
		"223.255.255.255": true, "224.0.0.0": false, "255.255.255.255": false, "0.1.2.3": false,
		"2606:2800:220:1::1": true, "2001:4860:4860::8888": true, "2001:db8::1": false, "2001::1": false, "fc00::1": false, "fe80::1": false,
		"fec0::1": false, "ff02::1": false, "::": false, "::1": false, "::93.184.216.34": false, "::ffff:93.184.216.34": true, "::ffff:10.0.0.1": false,
		"64:ff9b::5db8:d822": true, "64:ff9b::a00:1": false, "64:ff9b:1::5db8:d822": false, "2002:5db8:d822::1": true, "2002:a00:1::1": false,
		"3fff::1": false, "100::1": false, "5f00::1": false,
	} {
		if got := Public(netip.MustParseAddr(ip)); got != want {
			t.Errorf("%s: public %v, want %v", ip, got, want)
		}
	}
	if Public(netip.Addr{}) {
		t.Error("no address at all is public")
	}
}

// TestGuardAnswer: how long an answer may take to begin is bounded, and for whoever asked for it otherwise than for the
// rest.
func TestGuardAnswer(t *testing.T) {
	slow := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		time.Sleep(300 * time.Millisecond)
		w.WriteHeader(http.StatusNoContent)
	}))
	defer slow.Close()
	for _, row := range []struct {
		why    string
		answer time.Duration
		comes  bool
	}{
		{"as long as it is by itself", 0, true},
		{"shorter than the server needs", 50 * time.Millisecond, false},
		{"longer than it needs", time.Minute, true},
	} {
		g := &Guard{Answer: row.answer, Allow: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}}
		res, err := g.Client().Get(slow.URL)
		if err == nil {
			_ = res.Body.Close()
		}
		if (err == nil) != row.comes {
			t.Errorf("%s: %v", row.why, err)
		}
	}
	if got := (&Guard{Answer: 2 * time.Minute}).transport(true).ResponseHeaderTimeout; got != 2*time.Minute {
		t.Errorf("an answer may take %s, want two minutes", got)
	}
}
