package notify

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"syscall"
	"time"

	"github.com/polder-exchange/polder/internal/fail"
)

// Guard makes requests to addresses that users or other parties chose. It reaches the public internet over https, and
// private networks only where the administrator allows them. The zero value allows none.
type Guard struct {
	Allow    []netip.Prefix // networks that may be reached although they are not public, by http too
	Roots    *x509.CertPool // nil: those of the machine
	Resolver *net.Resolver  // nil: that of the machine
	Timeout  time.Duration  // of a whole request; 0 means 30 s
	Answer   time.Duration  // within which an answer begins; 20 s. Longer where whoever asks bounds it

	Certificates []tls.Certificate // shown to who asks for one; none by default
}

// ErrRefused is in the chain of every error that says: this address may not be reached.
var ErrRefused = errors.New("this address may not be reached from here")

// Client is a client whose every connection is checked after its name was resolved, at the moment it is made: a name
// that changes its address between two looks gains nothing. It uses no proxy, follows at most three redirects, and
// none to another host or away from https, so that no header reaches a second party.
func (g *Guard) Client() *http.Client {
	timeout := g.Timeout
	if timeout == 0 {
		timeout = 30 * time.Second
	}
	return &http.Client{
		Timeout:       timeout,
		Transport:     split{plain: g.transport(true), secure: g.transport(false)},
		CheckRedirect: sameHost,
	}
}

// split keeps connections without encryption apart: they are held to the list of allowed networks.
type split struct{ plain, secure *http.Transport }

func (s split) RoundTrip(r *http.Request) (*http.Response, error) {
	switch {
	case r.URL.User != nil:
		return nil, fmt.Errorf("%w: a name and a password do not belong in an address", ErrRefused)
	case r.URL.Scheme == "https":
		return s.secure.RoundTrip(r)
	case r.URL.Scheme == "http":
		return s.plain.RoundTrip(r)
	}
	return nil, fmt.Errorf("%w: only https is spoken", ErrRefused)
}

// CloseIdleConnections lets http.Client close what is kept open.
func (s split) CloseIdleConnections() {
	s.plain.CloseIdleConnections()
	s.secure.CloseIdleConnections()
}

func (g *Guard) transport(plain bool) *http.Transport {
	d := &net.Dialer{Timeout: 10 * time.Second, Resolver: g.Resolver,
		ControlContext: func(_ context.Context, network, address string, _ syscall.RawConn) error {
			return g.control(network, address, plain)
		}}
	answer := g.Answer
	if answer == 0 {
		answer = 20 * time.Second
	}
	return &http.Transport{
		DialContext:            d.DialContext,
		ForceAttemptHTTP2:      true,
		TLSClientConfig:        &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: g.Roots, Certificates: g.Certificates},
		TLSHandshakeTimeout:    10 * time.Second,
		ResponseHeaderTimeout:  answer,
		MaxResponseHeaderBytes: 64 << 10,
		MaxIdleConns:           16,
		IdleConnTimeout:        30 * time.Second,
	}
}

// control is called with the very address that is about to be connected to.
func (g *Guard) control(network, address string, plain bool) error {
	if network != "tcp4" && network != "tcp6" {
		return fmt.Errorf("%w: %s is not spoken", ErrRefused, network)
	}
	to, err := netip.ParseAddrPort(address)
	if err != nil {
		return fmt.Errorf("%w: it is not an address", ErrRefused)
	}
	ip := to.Addr().Unmap()
	for _, p := range g.Allow {
		if p.Contains(ip) {
			return nil
		}
	}
	switch {
	case !Public(ip) && !fail.Bug("inside-reached"):
		return fmt.Errorf("%w: it is not on the public internet; an administrator may allow its network", ErrRefused)
	case plain:
		return fmt.Errorf("%w: it does not begin with https", ErrRefused)
	}
	return nil
}

// special are networks that are not the public internet: one's own, other people's private ones, and those whose
// addresses stand for others.
var special = func() []netip.Prefix {
	var out []netip.Prefix
	for _, s := range []string{
		"0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24",
		"192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4",
		"2001::/23", "2001:db8::/32", "3fff::/20",
	} {
		out = append(out, netip.MustParsePrefix(s))
	}
	return out
}()

var (
	global   = netip.MustParsePrefix("2000::/3")
	sixToFor = netip.MustParsePrefix("2002::/16")
	nat64    = netip.MustParsePrefix("64:ff9b::/96")
)

// Public tells whether ip is an address of the public internet. An address that carries another one (IPv4 in IPv6,
// 6to4, NAT64) is public if the one inside is.
func Public(ip netip.Addr) bool {
	ip = ip.Unmap()
	if !ip.IsValid() || ip.Zone() != "" {
		return false
	}
	if ip.Is6() {
		b := ip.As16()
		switch {
		case nat64.Contains(ip):
			return Public(netip.AddrFrom4([4]byte(b[12:16])))
		case sixToFor.Contains(ip):
			return Public(netip.AddrFrom4([4]byte(b[2:6])))
		case !global.Contains(ip):
			return false
		}
	}
	for _, p := range special {
		if p.Contains(ip) {
			return false
		}
	}
	return true
}

const mostRedirects = 3

func sameHost(r *http.Request, via []*http.Request) error {
	first := via[0].URL
	switch {
	case len(via) > mostRedirects:
		return fmt.Errorf("%w: it redirects more than %d times", ErrRefused, mostRedirects)
	case r.Method != via[0].Method:
		return fmt.Errorf("%w: it redirects in a way that drops what is sent", ErrRefused)
	case r.URL.Host != first.Host && !fail.Bug("redirect-elsewhere"):
		return fmt.Errorf("%w: it redirects to another host", ErrRefused)
	case first.Scheme == "https" && r.URL.Scheme != "https":
		return fmt.Errorf("%w: it redirects away from https", ErrRefused)
	}
	return nil
}
