package detect

import (
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"

	"github.com/polder-exchange/polder"
)

func gzipped(t testing.TB, text string) string {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	_, err := io.WriteString(z, text)
	noErr(t, errors.Join(err, z.Close()))
	return b.String()
}

func zstded(t testing.TB, text string) string {
	z, err := zstd.NewWriter(nil)
	noErr(t, err)
	return string(z.EncodeAll([]byte(text), nil))
}

// TestEventsDoor: what is right is on disk before the answer; what is not is refused with the line, and nothing of it
// is kept.
func TestEventsDoor(t *testing.T) {
	w := newAlertWorld(t)
	in := w.intake(IntakeOptions{Judge: newLineJudge()})
	c := consoleOf(t, w, in)
	two := "{\"a\":1}\r\n\n{\"bad\":2}"
	send := func(who, encoding, body string) *httptest.ResponseRecorder {
		r := httptest.NewRequest("POST", "/api/v1/events?name=dns", strings.NewReader(body))
		r.Header.Set("Authorization", "Bearer "+who)
		r.Header.Set("Content-Type", "application/x-ndjson")
		r.Header.Set("Content-Encoding", encoding)
		out := httptest.NewRecorder()
		c.handler.ServeHTTP(out, r)
		return out
	}
	for _, x := range []struct {
		why, who, encoding, body string
		status                   int
		says                     string
	}{
		{"plain", "contributor", "", two, 202, `"events":2`},
		{"with a byte order mark", "contributor", "", "\xEF\xBB\xBF" + two, 202, `"events":2`},
		{"gzip", "contributor", "gzip", gzipped(t, two), 202, `"events":2`},
		{"zstd", "contributor", "zstd", zstded(t, two), 202, `"events":2`},
		{"nothing", "contributor", "", "\n\n", 202, `"events":0`},
		{"a reader's token", "reader", "", two, 403, "contributor"},
		{"an administrator's token", "admin", "", two, 403, "contributor"},
		{"no token of ours", "odd", "", two, 401, ""},
		{"another encoding", "contributor", "br", two, 400, "Content-Encoding"},
		{"gzip that is none", "contributor", "gzip", two, 400, "no whole gzip"},
		{"gzip cut off", "contributor", "gzip", gzipped(t, strings.Repeat(two, 100))[:40], 400, "no whole gzip"},
		{"zstd that is none", "contributor", "zstd", two, 400, "no whole zstd"},
		{"a line that is no JSON", "contributor", "", "{\"a\":1}\n{\"a\":}\n", 400, "line 2"},
		{"an array", "contributor", "", "[{\"a\":1}]", 400, "line 1"},
		{"a text", "contributor", "", "Nov 20 09:00:00 host app: hello", 400, "NDJSON"},
		{"a line that is too long", "contributor", "", `{"a":"` + strings.Repeat("x", maxLine) + `"}`, 413, "line 1"},
		{"a body that is too long", "contributor", "", strings.Repeat(`{"a":"`+strings.Repeat("x", 1000)+"\"}\n", maxSent/1000+1), 413, "bytes"},
		{"a gzip bomb", "contributor", "gzip", gzipped(t, strings.Repeat("{}\n", MaxBatch/3+10)), 413, "when unpacked"},
		{"a zstd bomb", "contributor", "zstd", zstded(t, strings.Repeat("{}\n", MaxBatch/3+10)), 413, "when unpacked"},
	} {
		before := in.Waiting()
		out := send(x.who, x.encoding, x.body)
		if out.Code != x.status || !strings.Contains(out.Body.String(), x.says) {
			t.Errorf("%s: %d %s", x.why, out.Code, out.Body)
		}
		if kept := in.Waiting() > before; kept != (x.status == 202 && !strings.Contains(x.says, ":0")) {
			t.Errorf("%s: answered %d, kept %v", x.why, out.Code, kept)
		}
	}
	stop := running(t, in)
	until(t, "all of it", func() bool { return in.Waiting() == 0 })
	stop()
	counts, err := w.Counts(t.Context(), w.reader(here))
	noErr(t, err)
	sources, err := w.Sources(t.Context(), w.reader(here))
	noErr(t, err)
	if counts.States[StateNew] != 1 || len(sources) != 1 || sources[0].Name != "token tok1" || sources[0].Events != 8 {
		t.Errorf("four times the same event: %+v; the source %+v", counts.States, sources)
	}
	var file string
	noErr(t, w.db.Read().QueryRow(`SELECT file FROM alert`).Scan(&file))
	if file != "dns" {
		t.Errorf("the alert says its file is %q", file)
	}
}

// TestEventsBackPressure: a full spool answers 429 with Retry-After, a full disk 507, a node without intake 503, and as
// many senders as can be read at once are held back.
func TestEventsBackPressure(t *testing.T) {
	for _, x := range []struct {
		why    string
		o      IntakeOptions
		busy   bool
		status int
	}{
		{"a full spool", IntakeOptions{Bound: 1}, false, 429},
		{"a full disk", IntakeOptions{Room: func() error { return polder.Errorf(polder.Full, "the disk is nearly full") }}, false, 507},
		{"too many senders", IntakeOptions{}, true, 429},
	} {
		w := newAlertWorld(t)
		x.o.Judge = newLineJudge()
		in := w.intake(x.o)
		c := consoleOf(t, w, in)
		send := func() *httptest.ResponseRecorder {
			return c.ask("token contributor", "POST", "/api/v1/events", "application/x-ndjson", strings.NewReader("{}\n"))
		}
		if x.o.Bound > 0 {
			if out := send(); out.Code != 202 { // into an empty spool anything fits
				t.Errorf("%s: the first is answered %d", x.why, out.Code)
			}
		}
		if x.busy {
			for range maxAtOnce {
				c.api.slots <- struct{}{}
			}
		}
		out := send()
		if out.Code != x.status || out.Header().Get("Retry-After") == "" {
			t.Errorf("%s: %d, Retry-After %q", x.why, out.Code, out.Header().Get("Retry-After"))
		}
		noErr(t, in.Close())
	}
	c := newAlertConsole(t, nil)
	if out := c.ask("token contributor", "POST", "/api/v1/events", "", strings.NewReader("{}\n")); out.Code != 503 {
		t.Errorf("without an intake: %d", out.Code)
	}
}

func FuzzEventLines(f *testing.F) {
	f.Add([]byte("{\"a\":1}\n\n {} \r\n"))
	f.Add([]byte("\xEF\xBB\xBF{}"))
	f.Add([]byte("[1]"))
	f.Fuzz(func(t *testing.T, data []byte) {
		kept, n, err := checkLines(data)
		if err != nil {
			return
		}
		again, m, err := checkLines(kept)
		if err != nil || m != n || !bytes.Equal(again, kept) || bytes.Count(kept, []byte("\n")) != n {
			t.Fatalf("%d lines of %q became %q: %v", n, data, kept, err)
		}
	})
}
