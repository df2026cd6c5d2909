package notify

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/http/httptest"
	"net/netip"
	"regexp"
	"strings"
	"testing"
	"time"
)

var loopback = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}

func syslogLetter() Letter {
	return Letter{Key: "k", Subject: "An alert: high\n<0>1 forged", Body: "Found by: rule", Link: "https://node.example/alerts/1", Time: time.Date(2026, 11, 20, 9, 0, 0, 123456000, time.UTC)}
}

var rfc5424 = regexp.MustCompile(`^<116>1 2026-11-20T09:00:00\.123456Z node\.example polder - alert - \x{FEFF}[^\n\x00]+$`)

// listenOn takes one stream and gives what came.
func listenOn(t *testing.T, l net.Listener) <-chan string {
	t.Helper()
	got := make(chan string, 1)
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		c, err := l.Accept()
		if err != nil {
			return
		}
		defer c.Close()
		b, _ := io.ReadAll(c)
		got <- string(b)
	}()
	return got
}

// TestSyslog: over each way the server gets one whole message, which nothing in it can end or begin anew.
func TestSyslog(t *testing.T) {
	certified := httptest.NewTLSServer(nil)
	defer certified.Close()
	roots := x509.NewCertPool()
	roots.AddCert(certified.Certificate())
	s := &Syslog{Guard: &Guard{Allow: loopback, Roots: roots, Timeout: 5 * time.Second}, Host: "node.example"}

	plain, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	over, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: certified.TLS.Certificates})
	if err != nil {
		t.Fatal(err)
	}
	for scheme, l := range map[string]net.Listener{"syslog+tcp": plain, "syslog+tls": over} {
		got := listenOn(t, l)
		if err := s.Send(t.Context(), Address{URL: scheme + "://" + l.Addr().String()}, syslogLetter()); err != nil {
			t.Fatalf("%s: %v", scheme, err)
		}
		text := <-got
		length, line, _ := strings.Cut(text, " ")
		if !rfc5424.MatchString(line) || length != itoa(len(line)) {
			t.Errorf("%s: %q", scheme, text)
		}
	}
	udp, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer udp.Close()
	long := syslogLetter()
	long.Body = strings.Repeat("é", 5000)
	for _, l := range []Letter{syslogLetter(), long} {
		if err := s.Send(t.Context(), Address{URL: "syslog+udp://" + udp.LocalAddr().String()}, l); err != nil {
			t.Fatal(err)
		}
		buf := make([]byte, 65536)
		_ = udp.SetReadDeadline(time.Now().Add(5 * time.Second))
		n, _, err := udp.ReadFrom(buf)
		if err != nil || !rfc5424.Match(buf[:n]) || n > longestDatagram {
			t.Errorf("a datagram of %d bytes: %.100q, %v", n, buf[:n], err)
		}
	}
}

func itoa(n int) string {
	var b []byte
	for ; n > 0; n /= 10 {
		b = append([]byte{byte('0' + n%10)}, b...)
	}
	return string(b)
}

// TestSyslogGuard (S20): an address inside is not reached unless its network is allowed, and outside only over TLS.
func TestSyslogGuard(t *testing.T) {
	for _, c := range []struct {
		why, url  string
		allow     []netip.Prefix
		permanent bool
	}{
		{"inside over TCP", "syslog+tcp://127.0.0.1:9", nil, true},
		{"inside over UDP", "syslog+udp://127.0.0.1:9", nil, true},
		{"inside over TLS", "syslog+tls://127.0.0.1:9", nil, true},
		{"the service that clouds answer machines at", "syslog+udp://169.254.169.254:80", nil, true},
		{"outside without encryption", "syslog+tcp://1.1.1.1:9", nil, true},
		{"outside by datagrams", "syslog+udp://1.1.1.1:9", nil, true},
		{"another network is allowed", "syslog+tcp://127.0.0.1:9", []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}, true},
		{"no port", "syslog+tcp://127.0.0.1", loopback, true},
		{"another scheme", "http://127.0.0.1:9", loopback, true},
		{"a name and a password", "syslog+tcp://a:b@127.0.0.1:9", loopback, true},
		{"allowed, and nobody is there", "syslog+tcp://127.0.0.1:1", loopback, false},
	} {
		s := &Syslog{Guard: &Guard{Allow: c.allow, Timeout: 2 * time.Second}}
		err := s.Send(t.Context(), Address{URL: c.url}, syslogLetter())
		if err == nil || Permanent(err) != c.permanent {
			t.Errorf("%s: %v, in vain for ever: %v", c.why, err, Permanent(err))
		}
		if err != nil && (strings.Contains(err.Error(), "127.0.0.1") || strings.Contains(err.Error(), "169.254")) {
			t.Errorf("%s: the error holds the address: %v", c.why, err)
		}
	}
}

// TestSyslogTLS: a server that shows another's certificate gets nothing, and one that never answers does not hold us.
func TestSyslogTLS(t *testing.T) {
	certified := httptest.NewTLSServer(nil)
	defer certified.Close()
	s := &Syslog{Guard: &Guard{Allow: loopback, Timeout: 300 * time.Millisecond}}
	l, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: certified.TLS.Certificates})
	if err != nil {
		t.Fatal(err)
	}
	got := listenOn(t, l)
	if err := s.Send(t.Context(), Address{URL: "syslog+tls://" + l.Addr().String()}, syslogLetter()); err == nil {
		t.Error("a certificate of nobody known is taken")
	}
	if text := <-got; text != "" {
		t.Errorf("it got %q", text)
	}
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	go func() {
		c, err := silent.Accept()
		if err == nil {
			_, _ = bufio.NewReader(c).ReadString('\x00')
		}
	}()
	err = s.Send(t.Context(), Address{URL: "syslog+tls://" + silent.Addr().String()}, syslogLetter())
	var timeout net.Error
	if !errors.As(err, &timeout) && !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a silent server: %v", err)
	}
}
