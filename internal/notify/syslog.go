package notify

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// BySyslog is the way to a log server.
const BySyslog Channel = "syslog"

// SyslogSchemes are the addresses of log servers: over TLS, over TCP, over UDP.
var SyslogSchemes = []string{"syslog+tls", "syslog+tcp", "syslog+udp"}

// Syslog sends letters to a log server as RFC 5424 has them: over TLS (RFC 5425) and TCP each after its length, over
// UDP (RFC 5426) one a datagram. It is a [Sender]. [Address.URL] is syslog+tls://host:port, or +tcp, or +udp.
//
// The address came from a user, so its [Guard] holds as for webhooks: the public internet over TLS only, other networks
// only where the administrator allows them. Over UDP nobody learns whether a letter arrived.
type Syslog struct {
	Guard *Guard
	Host  string // the name this node gives itself; "" is "-"
	Now   func() time.Time
}

// alertPriority is facility 14 (log alert), severity 4 (warning).
const alertPriority = 14*8 + 4

// longestDatagram is what every receiver over UDP takes (RFC 5426, 3.2).
const longestDatagram = 2048

// Send delivers l.
func (s *Syslog) Send(ctx context.Context, to Address, l Letter) error {
	u, err := url.Parse(to.URL)
	if err != nil || u.Port() == "" || u.User != nil {
		return permanent{errors.New("syslog: its address is not one")}
	}
	ctx, cancel := context.WithTimeout(ctx, s.Guard.patience())
	defer cancel()
	line := s.line(l)
	switch u.Scheme {
	case "syslog+udp":
		return s.send(ctx, "udp", u.Host, []byte(cutTo(line, longestDatagram)), nil)
	case "syslog+tcp":
		return s.send(ctx, "tcp", u.Host, framed(line), nil)
	case "syslog+tls":
		return s.send(ctx, "tcp", u.Host, framed(line), &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: s.Guard.Roots, ServerName: u.Hostname()})
	}
	return permanent{errors.New("syslog: its address begins with none of " + strings.Join(SyslogSchemes, ", "))}
}

// framed is a message after its length, as streams have it (RFC 6587, 3.4.1).
func framed(line string) []byte { return []byte(strconv.Itoa(len(line)) + " " + line) }

// line is a letter as a message of RFC 5424. Whatever could end the message or begin another one is taken out.
func (s *Syslog) line(l Letter) string {
	text := l.Subject
	for _, part := range []string{l.Body, l.Link} {
		if part = strings.TrimSpace(part); part != "" {
			text += " | " + part
		}
	}
	text = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(text, "\uFFFD"))
	at := l.Time
	if at.IsZero() {
		at = s.now()
	}
	return fmt.Sprintf("<%d>1 %s %s polder - alert - \uFEFF%s", alertPriority, at.UTC().Format("2006-01-02T15:04:05.000000Z"), headerName(s.Host), cutTo(text, 8000))
}

// headerName is a name as a header of RFC 5424 holds it: printable ASCII without space, at most 255 bytes.
func headerName(name string) string {
	name = strings.Map(func(r rune) rune {
		if r <= ' ' || r > '~' {
			return -1
		}
		return r
	}, name)
	if name == "" {
		return "-"
	}
	return name[:min(len(name), 255)]
}

// cutTo is at most n bytes of s, cut between characters.
func cutTo(s string, n int) string {
	if len(s) <= n {
		return s
	}
	return strings.ToValidUTF8(s[:n], "")
}

func (s *Syslog) now() time.Time {
	if s.Now == nil {
		return time.Time{}
	}
	return s.Now()
}

func (s *Syslog) send(ctx context.Context, network, address string, message []byte, secure *tls.Config) error {
	c, err := s.Guard.dial(ctx, network, address, secure == nil)
	if err == nil {
		defer func() { _ = c.Close() }()
		err = write(ctx, c, message, secure)
	}
	if err == nil {
		return nil
	}
	if op, ok := errors.AsType[*net.OpError](err); ok { // it names the address, which stays out of errors
		err = op.Err
	}
	return fmt.Errorf("syslog: %w", err)
}

// write sends a message over a connection, within the deadline of ctx.
func write(ctx context.Context, c net.Conn, message []byte, secure *tls.Config) error {
	if end, ok := ctx.Deadline(); ok {
		if err := c.SetDeadline(end); err != nil {
			return err
		}
	}
	if secure == nil {
		_, err := c.Write(message)
		return err
	}
	over := tls.Client(c, secure)
	if err := over.HandshakeContext(ctx); err != nil {
		return err
	}
	if _, err := over.Write(message); err != nil {
		return err
	}
	return over.CloseWrite()
}

// patience is how long a whole delivery may take.
func (g *Guard) patience() time.Duration {
	if g.Timeout == 0 {
		return 30 * time.Second
	}
	return g.Timeout
}

// dial connects to an address that a user chose, checked after its name was resolved, at the moment the connection is
// made. A connection without encryption reaches allowed networks alone.
func (g *Guard) dial(ctx context.Context, network, address string, plain bool) (net.Conn, error) {
	d := &net.Dialer{Timeout: 10 * time.Second, Resolver: g.Resolver,
		ControlContext: func(_ context.Context, network, address string, _ syscall.RawConn) error {
			return g.control(strings.Replace(network, "udp", "tcp", 1), address, plain)
		}}
	return d.DialContext(ctx, network, address)
}
