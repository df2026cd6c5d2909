package notify

import (
	"context"
	"errors"
	"io"
	"mime"
	"mime/quotedprintable"
	"net/mail"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/polder-exchange/polder/internal/notify/notifytest"
)

var noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

func mailer(s *notifytest.Server) *Mail {
	return &Mail{Server: s.Addr, Roots: s.Roots, From: mail.Address{Name: "Polder, Node \"A\"", Address: "polder@node.example"}, Now: func() time.Time { return noon }}
}

func text(t *testing.T, l notifytest.Letter) string {
	t.Helper()
	b, err := io.ReadAll(quotedprintable.NewReader(l.Body))
	if err != nil {
		t.Fatal(err)
	}
	return strings.ReplaceAll(string(b), "\r\n", "\n")
}

// TestMail: a letter arrives as plain text, encrypted, with the headers that mail programs need, RFC 8058's included.
func TestMail(t *testing.T) {
	s := notifytest.New(t, func(s *notifytest.Server) { s.Password = "s3cret-of-mail" })
	m := mailer(s)
	m.User, m.Password = "node", "s3cret-of-mail"
	l := Letter{Key: "k1", Subject: "Łódź: an advisory about optics", Body: "First line.\n.\nA line with = and ü.\n" + strings.Repeat("long ", 50), Link: "https://node.example/objects/1"}
	err := m.Send(t.Context(), Address{Mail: "anna@acme.example", Unsubscribe: "https://node.example/off/abc"}, l)
	if err != nil {
		t.Fatal(err)
	}
	got := s.Next(t)
	if !got.Encrypted || got.User != "node" || got.From != "polder@node.example" || got.To != "anna@acme.example" {
		t.Errorf("envelope: %+v", got)
	}
	for name, want := range map[string]string{
		"To":                    "<anna@acme.example>",
		"Date":                  "Sun, 22 Nov 2026 12:00:00 +0000",
		"List-Unsubscribe":      "<https://node.example/off/abc>",
		"List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
		"Auto-Submitted":        "auto-generated",
		"Content-Type":          "text/plain; charset=utf-8",
		"From":                  `"Polder, Node \"A\"" <polder@node.example>`,
	} {
		if v := got.Header.Get(name); v != want {
			t.Errorf("%s: %q, want %q", name, v, want)
		}
	}
	if s, err := new(mime.WordDecoder).DecodeHeader(got.Header.Get("Subject")); err != nil || s != l.Subject {
		t.Errorf("subject %q, %v", s, err)
	}
	if want := strings.TrimSpace(l.Body) + "\n\n" + l.Link + "\n\n-- \nhttps://node.example/off/abc\n"; text(t, got) != want {
		t.Errorf("body %q, want %q", text(t, got), want)
	}
	if err := m.Send(t.Context(), Address{Mail: "anna@acme.example"}, l); err != nil {
		t.Fatal(err)
	}
	again := s.Next(t)
	if a, b := got.Header.Get("Message-Id"), again.Header.Get("Message-Id"); a == "" || a != b {
		t.Errorf("the same letter has two ids: %q and %q", a, b)
	}
}

// TestMailSecurity: nothing is said in the clear unless the administrator wants it so, and a password never.
func TestMailSecurity(t *testing.T) {
	for _, c := range []struct {
		name     string
		security Security
		server   func(*notifytest.Server)
		user     string
		want     string // of the error
	}{
		{"STARTTLS", StartTLS, func(*notifytest.Server) {}, "", ""},
		{"TLS from the start", ImplicitTLS, func(s *notifytest.Server) { s.Implicit = true }, "", ""},
		{"STARTTLS taken out of the offer", StartTLS, func(s *notifytest.Server) { s.NoTLS = true }, "", "offers no STARTTLS"},
		{"a certificate nobody vouches for", StartTLS, func(s *notifytest.Server) { s.Roots = nil }, "", "certificate"},
		{"in the clear as asked", Unencrypted, func(s *notifytest.Server) { s.NoTLS = true }, "", ""},
		{"a password in the clear", Unencrypted, func(s *notifytest.Server) { s.NoTLS = true; s.Password = "x" }, "node", "password is not sent without encryption"},
	} {
		s := notifytest.New(t, c.server)
		m := mailer(s)
		m.Security, m.User, m.Password = c.security, c.user, "x"
		err := m.Send(t.Context(), Address{Mail: "a@b.example"}, Letter{Key: "k", Subject: "s"})
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		}
		if c.want != "" && len(s.Letters()) > 0 {
			t.Errorf("%s: sent all the same", c.name)
		}
	}
}

// TestMailRefusals: what is tried again and what is not; and no address or password in any error (S34).
func TestMailRefusals(t *testing.T) {
	for _, c := range []struct {
		name, answer, to, password string
		permanent                  bool
		want                       string
	}{
		{"no such user", "550 5.1.1 <anna@acme.example> is unknown", "anna@acme.example", "right", true, "mail: the mail server refused: 550 5.1.1"},
		{"greylisted", "451 4.7.1 come back later anna@acme.example", "anna@acme.example", "right", false, "mail: the mail server refused: 451 4.7.1"},
		{"wrong password", "", "anna@acme.example", "wrong-one", false, "mail: the mail server refused: 535 5.7.8"},
		{"no address", "", "anna", "right", true, "mail: the recipient's address is not one"},
		{"two lines", "", "anna@acme.example\r\nBcc: eve@evil.example", "right", true, "mail: the recipient's address is not one"},
	} {
		s := notifytest.New(t, func(s *notifytest.Server) {
			s.Password = "right"
			s.Answers = map[string]string{"anna@acme.example": c.answer}
		})
		m := mailer(s)
		m.User, m.Password = "node", c.password
		err := m.Send(t.Context(), Address{Mail: c.to}, Letter{Key: "k", Subject: "s"})
		if err == nil || err.Error() != c.want || Permanent(err) != c.permanent {
			t.Errorf("%s: %v (permanent %v), want %q (%v)", c.name, err, Permanent(err), c.want, c.permanent)
		}
	}
}

// TestMailTimeout: a server that says nothing costs a bounded time.
func TestMailTimeout(t *testing.T) {
	s := notifytest.New(t, func(s *notifytest.Server) { s.Silent = true })
	m := mailer(s)
	m.Timeout = 50 * time.Millisecond
	err := m.Send(t.Context(), Address{Mail: "a@b.example"}, Letter{Key: "k"})
	if !errors.Is(err, context.DeadlineExceeded) || Permanent(err) {
		t.Errorf("got %v", err)
	}
}

// TestMailInjection: no subject, body, link or address makes a header or ends the letter.
func TestMailInjection(t *testing.T) {
	m := &Mail{From: mail.Address{Name: "Polder", Address: "polder@node.example"}, Now: func() time.Time { return noon }}
	hostile := rapid.OneOf(rapid.String(), rapid.StringOf(rapid.RuneFrom([]rune("\r\n\x00:.= ?_<>ÄBcc\u2028"))), rapid.Just("x\r\nBcc: eve@evil.example\r\n\r\nbody"))
	rapid.Check(t, func(t *rapid.T) {
		l := Letter{Key: hostile.Draw(t, "key"), Subject: hostile.Draw(t, "subject"), Body: hostile.Draw(t, "body"), Link: hostile.Draw(t, "link")}
		raw, err := m.compose("anna@acme.example", "", l)
		if err != nil {
			t.Fatal(err)
		}
		got, err := mail.ReadMessage(strings.NewReader(string(raw)))
		if err != nil {
			t.Fatalf("%v\n%q", err, raw)
		}
		want := []string{"From", "To", "Subject", "Date", "Message-Id", "Auto-Submitted", "Mime-Version", "Content-Type", "Content-Transfer-Encoding"}
		if len(got.Header) != len(want) {
			t.Fatalf("headers %v", got.Header)
		}
		for _, name := range want {
			if len(got.Header[name]) != 1 {
				t.Fatalf("%s: %q", name, got.Header[name])
			}
		}
		for line := range strings.SplitSeq(string(raw), "\r\n") {
			if len(line) > 900 || strings.ContainsAny(line, "\r\n\x00") {
				t.Fatalf("a line of %d bytes that a server may refuse: %q", len(line), line)
			}
		}
	})
	for _, bad := range []string{"javascript:alert(1)", "https://x.example/>\r\nBcc: eve@evil.example", "https://x.example/a b", "x"} {
		if _, err := m.compose("anna@acme.example", bad, Letter{}); err == nil {
			t.Errorf("%q passes for the address that ends these messages", bad)
		}
	}
}

// TestSecurityNames: what the configuration may say.
func TestSecurityNames(t *testing.T) {
	for name, want := range map[string]Security{"": StartTLS, "starttls": StartTLS, "tls": ImplicitTLS, "none": Unencrypted} {
		if got, err := ParseSecurity(name); err != nil || got != want {
			t.Errorf("%q: %v, %v", name, got, err)
		}
	}
	if _, err := ParseSecurity("ssl"); err == nil || !strings.Contains(err.Error(), "use starttls, tls or none") {
		t.Errorf("ssl: %v", err)
	}
}
