// Package notifytest is a mail server for tests: it speaks SMTP on the loopback interface and keeps what it gets.
package notifytest

import (
	"bufio"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"io"
	"net"
	"net/http/httptest"
	"net/mail"
	"net/textproto"
	"slices"
	"strings"
	"sync"
	"testing"
)

// Letter is a mail as the server got it.
type Letter struct {
	From, To  string
	Encrypted bool
	User      string // who logged in
	Raw       string
	Header    mail.Header
	Body      io.Reader // as sent: decode it by its transfer encoding
}

// Server is a mail server. Its fields are set by the function given to [New].
type Server struct {
	Addr  string         // host:port
	Roots *x509.CertPool // trusts its certificate

	NoTLS    bool              // offers no STARTTLS
	Implicit bool              // is encrypted from the first byte
	Password string            // that every user has; "" offers no log-in
	Answers  map[string]string // what RCPT answers to an address, such as "550 5.1.1 no such user"
	Silent   bool              // accepts connections and says nothing

	listener net.Listener
	cert     tls.Certificate
	mu       sync.Mutex
	got      []Letter
	arrived  chan struct{}
	open     map[net.Conn]bool
	sessions sync.WaitGroup
}

// New starts a server that the end of the test stops. setUp, which may be nil, sets its fields.
func New(t testing.TB, setUp func(*Server)) *Server {
	t.Helper()
	web := httptest.NewTLSServer(nil) // for its certificate, which is for 127.0.0.1
	defer web.Close()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &Server{Addr: l.Addr().String(), Roots: x509.NewCertPool(), listener: l, cert: web.TLS.Certificates[0], arrived: make(chan struct{}, 1000), open: map[net.Conn]bool{}}
	s.Roots.AddCert(web.Certificate())
	if setUp != nil {
		setUp(s)
	}
	s.sessions.Go(s.accept)
	t.Cleanup(func() {
		_ = l.Close()
		s.mu.Lock()
		for c := range s.open {
			_ = c.Close()
		}
		s.mu.Unlock()
		s.sessions.Wait()
	})
	return s
}

// Letters are the mails so far.
func (s *Server) Letters() []Letter {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.got)
}

// Next waits for the next mail.
func (s *Server) Next(t testing.TB) Letter {
	t.Helper()
	select {
	case <-s.arrived:
	case <-t.Context().Done():
		t.Fatal("no mail came")
	}
	all := s.Letters()
	return all[len(all)-1]
}

func (s *Server) accept() {
	for {
		c, err := s.listener.Accept()
		if err != nil {
			return
		}
		s.mu.Lock()
		s.open[c] = true
		s.mu.Unlock()
		s.sessions.Go(func() {
			defer c.Close()
			(&session{s: s, raw: c}).serve()
			s.mu.Lock()
			delete(s.open, c)
			s.mu.Unlock()
		})
	}
}

type session struct {
	s         *Server
	raw       net.Conn
	text      *textproto.Conn
	encrypted bool
	letter    Letter
}

func (x *session) encrypt() {
	x.raw = tls.Server(x.raw, &tls.Config{Certificates: []tls.Certificate{x.s.cert}})
	x.text = textproto.NewConn(x.raw)
	x.encrypted = true
}

func (x *session) serve() {
	if x.s.Silent {
		_, _ = io.Copy(io.Discard, x.raw)
		return
	}
	x.text = textproto.NewConn(x.raw)
	if x.s.Implicit {
		x.encrypt()
	}
	x.say("220 catcher ready")
	for {
		line, err := x.text.ReadLine()
		if err != nil || !x.command(line) {
			return
		}
	}
}

func (x *session) say(line string) { _ = x.text.PrintfLine("%s", line) }

// command answers one line; it returns false when the session is over.
func (x *session) command(line string) bool {
	verb, rest, _ := strings.Cut(line, " ")
	switch strings.ToUpper(verb) {
	case "EHLO", "HELO":
		x.greet()
	case "STARTTLS":
		x.say("220 go ahead")
		x.encrypt()
	case "AUTH":
		x.auth(rest)
	case "MAIL":
		x.letter = Letter{From: address(rest), Encrypted: x.encrypted, User: x.letter.User}
		x.say("250 ok")
	case "RCPT":
		x.letter.To = address(rest)
		answer := x.s.Answers[x.letter.To]
		if answer == "" {
			answer = "250 ok"
		}
		x.say(answer)
	case "DATA":
		return x.data() == nil
	case "QUIT":
		x.say("221 bye")
		return false
	default:
		x.say("500 what?")
	}
	return true
}

func (x *session) greet() {
	lines := []string{"catcher"}
	if !x.s.NoTLS && !x.encrypted {
		lines = append(lines, "STARTTLS")
	}
	if x.s.Password != "" {
		lines = append(lines, "AUTH PLAIN")
	}
	for i, l := range lines {
		sep := "-"
		if i == len(lines)-1 {
			sep = " "
		}
		x.say("250" + sep + l)
	}
}

func (x *session) auth(rest string) {
	_, secret, _ := strings.Cut(rest, " ")
	text, _ := base64.StdEncoding.DecodeString(secret)
	parts := strings.Split(string(text), "\x00")
	if len(parts) != 3 || parts[2] != x.s.Password {
		x.say("535 5.7.8 wrong password " + strings.Join(parts, " "))
		return
	}
	x.letter.User = parts[1]
	x.say("235 ok")
}

func (x *session) data() error {
	x.say("354 go ahead")
	raw, err := io.ReadAll(x.text.DotReader())
	if err != nil {
		return err
	}
	m, err := mail.ReadMessage(bufio.NewReader(strings.NewReader(string(raw))))
	if err != nil {
		x.say("554 not a mail")
		return err
	}
	l := x.letter
	l.Raw, l.Header, l.Body = string(raw), m.Header, m.Body
	x.s.mu.Lock()
	x.s.got = append(x.s.got, l)
	x.s.mu.Unlock()
	x.s.arrived <- struct{}{}
	x.say("250 kept")
	return nil
}

// address is what stands between the angle brackets.
func address(s string) string {
	_, s, _ = strings.Cut(s, "<")
	s, _, _ = strings.Cut(s, ">")
	return s
}
