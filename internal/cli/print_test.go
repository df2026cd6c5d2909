package cli

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"pgregory.net/rapid"
)

// TestS44Terminal: what steers a terminal is shown, what people write is not touched.
func TestS44Terminal(t *testing.T) {
	for _, c := range []struct{ name, in, want string }{
		{"plain", "Acme Optics", "Acme Optics"},
		{"any script", "Łódź 株式会社 شركة ε", "Łódź 株式会社 شركة ε"},
		{"a wide space", "株　社", "株　社"},
		{"colour", "\x1b[31mred", `\x1b[31mred`},
		{"title by OSC", "\x1b]0;x\a", `\x1b]0;x\x07`},
		{"link by OSC 8", "\x1b]8;;http://evil\x1b\\x", `\x1b]8;;http://evil\x1b\x`},
		{"clipboard by OSC 52", "\x1b]52;c;aGk=\a", `\x1b]52;c;aGk=\x07`},
		{"CSI as C1", "\u009b2J", `\u009b2J`},
		{"CSI as a bare byte", "\x9b2J", `\x9b2J`},
		{"overwriting", "good\rbad", `good\rbad`},
		{"backspace", "a\bb", `a\x08b`},
		{"a line of one's own", "a\npolder: done", `a\npolder: done`},
		{"turned writing", "invoice\u202efdp.exe", `invoice\u202efdp.exe`},
		{"isolates", "a\u2066b\u2069", `a\u2066b\u2069`},
		{"no width", "pay\u200bpal", `pay\u200bpal`},
		{"tags beyond the first plane", "a\U000e0041", `a\U000e0041`},
		{"not UTF-8", "a\xff", `a\xff`},
		{"a real replacement sign", "a\ufffd", "a\ufffd"},
		{"nothing", "", ""},
	} {
		if got := Visible(c.in); got != c.want {
			t.Errorf("%s: got %q, want %q", c.name, got, c.want)
		}
	}
}

func hostile(s string) rune {
	for _, r := range s {
		if r != '\n' && r != '\t' && (unicode.Is(unicode.Cc, r) || unicode.Is(unicode.Cf, r) || r == 0x2028 || r == 0x2029) {
			return r
		}
	}
	if !utf8.ValidString(s) {
		return utf8.RuneError
	}
	return 0
}

// TestS44Printer: whatever data holds, nothing a Printer prints steers a terminal, and JSON still carries the data.
func TestS44Printer(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.OneOf(rapid.String(), rapid.StringOf(rapid.RuneFrom([]rune("a\x1b\r\n\t\x7f\u009b\u202e\u2066\u200b\u2028\U000e0041"))),
			rapid.Map(rapid.SliceOf(rapid.Byte()), func(b []byte) string { return string(b) })).Draw(t, "text")
		var b bytes.Buffer
		p := &Printer{w: &b}
		p.Printf("%s|%v|%q\n", text, text, text)
		if lines := strings.Count(b.String(), "\n"); hostile(b.String()) != 0 || lines != 1 {
			t.Fatalf("Printf gave %d lines: %q", lines, b.String())
		}
		b.Reset()
		p.Table([]string{"NAME"}, [][]string{{text}})
		if r := hostile(b.String()); r != 0 || strings.Count(b.String(), "\n") != 2 {
			t.Fatalf("Table gave %U: %q", r, b.String())
		}
		b.Reset()
		if err := p.JSON(map[string]string{"name": text}); err != nil {
			t.Fatal(err)
		}
		if r := hostile(b.String()); r != 0 || strings.Count(b.String(), "\n") != 1 {
			t.Fatalf("JSON gave %U: %q", r, b.String())
		}
		var back map[string]string
		if err := json.Unmarshal(b.Bytes(), &back); err != nil || back["name"] != strings.ToValidUTF8(text, "\ufffd") && utf8.ValidString(text) {
			t.Fatalf("JSON changed %q to %q: %v", text, back["name"], err)
		}
	})
}

// TestScreen: a document on a terminal keeps its lines and columns and loses its commands, however it is cut.
func TestScreen(t *testing.T) {
	const text = "a\tb\x1b[2J\nŁódź\u202e\n\xff株\n"
	want := "a\tb\\x1b[2J\nŁódź\\u202e\n\\xff株\n"
	for size := 1; size < len(text); size++ {
		var b bytes.Buffer
		s := &screen{w: &b}
		for rest := text; rest != ""; {
			n := min(size, len(rest))
			if _, err := s.Write([]byte(rest[:n])); err != nil {
				t.Fatal(err)
			}
			rest = rest[n:]
		}
		if b.String() != want {
			t.Fatalf("in pieces of %d: %q, want %q", size, b.String(), want)
		}
	}
}

// TestRaw: into a file or a pipe a document goes as it is.
func TestRaw(t *testing.T) {
	var b bytes.Buffer
	p := &Printer{w: &watched{w: &b}}
	if _, err := p.Raw().Write([]byte("\x1b\xff")); err != nil || b.String() != "\x1b\xff" {
		t.Errorf("%q, %v", b.String(), err)
	}
}

// TestNearest: one or two slips are understood, another word is not.
func TestNearest(t *testing.T) {
	have := []string{"share", "serve", "search", "watch", "lint", "tlp", "to"}
	for word, want := range map[string]string{"shre": "share", "serach": "search", "Lint": "lint", "wat": "watch", "tpl": "tlp", "export": "", "xy": ""} {
		if got := nearest(word, have); got != want {
			t.Errorf("%s: %q, want %q", word, got, want)
		}
	}
}
