package notify

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/quotedprintable"
	"net"
	"net/mail"
	"net/smtp"
	"net/textproto"
	"net/url"
	"regexp"
	"strings"
	"time"
	"unicode"
)

// Security says how a mail server is spoken to. The zero value is STARTTLS, without which nothing is sent.
type Security uint8

const (
	StartTLS    Security = iota // a plain connection that is encrypted before anything is said
	ImplicitTLS                 // encrypted from the first byte (port 465)
	Unencrypted                 // for a mail server on this machine; without a password
)

// ParseSecurity reads "starttls" (or nothing), "tls" and "none".
func ParseSecurity(s string) (Security, error) {
	switch s {
	case "", "starttls":
		return StartTLS, nil
	case "tls":
		return ImplicitTLS, nil
	case "none":
		return Unencrypted, nil
	}
	return 0, fmt.Errorf("%q is no way to speak to a mail server; use starttls, tls or none", s)
}

// Mail sends letters as plain text through one mail server. It is a [Sender].
type Mail struct {
	Server   string // host:port
	Security Security
	User     string // "" logs in nowhere
	Password string
	From     mail.Address
	Hello    string           // the name this node gives itself; "" is localhost
	Roots    *x509.CertPool   // nil: those of the machine
	Timeout  time.Duration    // of one delivery; 0 means 1 min
	Now      func() time.Time // nil is the clock of the machine

	Dial func(ctx context.Context, network, address string) (net.Conn, error) // nil dials
}

// Send delivers l. What the server says beyond its code stays out of the error: it repeats addresses.
func (m *Mail) Send(ctx context.Context, to Address, l Letter) error {
	rcpt, err := mail.ParseAddress(to.Mail)
	if err != nil || strings.ContainsFunc(rcpt.Address, unicode.IsControl) {
		return permanent{errors.New("mail: the recipient's address is not one")}
	}
	text, err := m.compose(rcpt.Address, to.Unsubscribe, l)
	if err != nil {
		return permanent{fmt.Errorf("mail: %w", err)}
	}
	timeout := m.Timeout
	if timeout == 0 {
		timeout = time.Minute
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	c, err := m.connect(ctx)
	if err != nil {
		return fmt.Errorf("mail: %w", quiet(ctx, err))
	}
	defer c.Close()
	if err := m.transfer(c, rcpt.Address, text); err != nil {
		return fmt.Errorf("mail: %w", quiet(ctx, err))
	}
	return nil
}

// connect opens a connection that is encrypted and logged in as asked. It ends with ctx.
func (m *Mail) connect(ctx context.Context) (*smtp.Client, error) {
	host, _, err := net.SplitHostPort(m.Server)
	if err != nil {
		return nil, errors.New("the mail server must be named as host:port")
	}
	dial := m.Dial
	if dial == nil {
		dial = (&net.Dialer{}).DialContext
	}
	conn, err := dial(ctx, "tcp", m.Server)
	if err != nil {
		return nil, err
	}
	context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) }) // whatever waits, fails
	config := &tls.Config{ServerName: host, MinVersion: tls.VersionTLS12, RootCAs: m.Roots}
	if m.Security == ImplicitTLS {
		conn = tls.Client(conn, config)
	}
	c, err := smtp.NewClient(conn, host)
	if err == nil {
		err = m.greet(c, config, host)
	}
	if err != nil {
		_ = conn.Close()
		return nil, err
	}
	return c, nil
}

func (m *Mail) greet(c *smtp.Client, config *tls.Config, host string) error {
	hello := m.Hello
	if hello == "" {
		hello = "localhost"
	}
	if err := c.Hello(hello); err != nil {
		return err
	}
	if m.Security == StartTLS {
		if ok, _ := c.Extension("STARTTLS"); !ok {
			return errors.New("the mail server offers no STARTTLS, and nothing is sent without encryption")
		}
		if err := c.StartTLS(config); err != nil {
			return err
		}
	}
	if m.User == "" {
		return nil
	}
	if m.Security == Unencrypted {
		return errors.New("a password is not sent without encryption")
	}
	return c.Auth(smtp.PlainAuth("", m.User, m.Password, host))
}

func (m *Mail) transfer(c *smtp.Client, rcpt string, text []byte) error {
	if err := c.Mail(m.From.Address); err != nil {
		return err
	}
	if err := final(c.Rcpt(rcpt)); err != nil {
		return err
	}
	w, err := c.Data()
	if err != nil {
		return final(err)
	}
	if _, err := w.Write(text); err != nil {
		return err
	}
	if err := final(w.Close()); err != nil {
		return err
	}
	_ = c.Quit() // the letter is the server's by now
	return nil
}

// final makes a refusal of the letter or its recipient one that is not tried again.
func final(err error) error {
	if e, ok := errors.AsType[*textproto.Error](err); ok && e.Code/100 == 5 {
		return permanent{err}
	}
	return err
}

var enhanced = regexp.MustCompile(`^[245]\.\d{1,3}\.\d{1,3}\b`)

// quiet takes the server's own words out of an error, but not its codes, and tells a timeout by its name.
func quiet(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return fmt.Errorf("the mail server did not answer in time: %w", ctx.Err())
	}
	e, ok := errors.AsType[*textproto.Error](err)
	if !ok {
		return err
	}
	said := fmt.Errorf("the mail server refused: %d %s", e.Code, enhanced.FindString(e.Msg))
	if Permanent(err) {
		return permanent{said}
	}
	return said
}

// compose writes the letter as RFC 5322 asks. Each header is either made here, encoded, or checked.
func (m *Mail) compose(to, unsubscribe string, l Letter) ([]byte, error) {
	now := m.Now
	if now == nil {
		now = time.Now
	}
	var b bytes.Buffer
	header := func(name, value string) { fmt.Fprintf(&b, "%s: %s\r\n", name, value) }
	header("From", m.From.String())
	header("To", (&mail.Address{Address: to}).String())
	header("Subject", subject(l.Subject))
	header("Date", now().UTC().Format(time.RFC1123Z))
	header("Message-ID", messageID(l.Key, m.From.Address))
	header("Auto-Submitted", "auto-generated")
	if unsubscribe != "" {
		u, err := url.Parse(unsubscribe)
		if err != nil || u.Scheme != "https" && u.Scheme != "http" || strings.ContainsAny(unsubscribe, "<> \t\r\n") {
			return nil, errors.New("the address that ends these messages is not one")
		}
		header("List-Unsubscribe", "<"+u.String()+">")
		header("List-Unsubscribe-Post", "List-Unsubscribe=One-Click")
	}
	header("MIME-Version", "1.0")
	header("Content-Type", "text/plain; charset=utf-8")
	header("Content-Transfer-Encoding", "quoted-printable")
	b.WriteString("\r\n")
	q := quotedprintable.NewWriter(&b)
	if _, err := io.WriteString(q, plainText(l, unsubscribe)); err != nil {
		return nil, err
	}
	if err := q.Close(); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

func plainText(l Letter, unsubscribe string) string {
	parts := []string{}
	for _, p := range []string{l.Body, l.Link} {
		if p = strings.TrimSpace(p); p != "" {
			parts = append(parts, p)
		}
	}
	if unsubscribe != "" {
		parts = append(parts, "-- \n"+unsubscribe)
	}
	return strings.ReplaceAll(strings.Join(parts, "\n\n"), "\r", "") + "\n"
}

const longestSubject = 200

// subject is s as a header value: one line, encoded where it must be, folded where it is long.
func subject(s string) string {
	s = strings.Join(strings.Fields(strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, "?"))), " ")
	if r := []rune(s); len(r) > longestSubject {
		s = string(r[:longestSubject-1]) + "…"
	}
	return strings.ReplaceAll(mime.QEncoding.Encode("utf-8", s), "?= =?", "?=\r\n =?")
}

// messageID is the same for the same letter, so that a mail program that got it twice can tell.
func messageID(key, from string) string {
	sum := sha256.Sum256([]byte(key))
	_, domain, _ := strings.Cut(from, "@")
	return "<" + hex.EncodeToString(sum[:16]) + "@" + domain + ">"
}
