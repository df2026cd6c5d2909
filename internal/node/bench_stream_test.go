package node

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/polder-exchange/polder/stix"
)

const (
	subscribers = 20
	perSecond   = 200
)

// BenchmarkStream shares 200 objects a second, one a POST and each on disk before its 202, with 20 subscribers on the
// live stream. It measures from the moment a POST is sent to the moment each subscriber has read the event. Its floor
// is the same traffic without a node: a POST that is echoed to 20 open answers, nothing stored.
func BenchmarkStream(b *testing.B) {
	b.Run("node", func(b *testing.B) {
		l := start(b, b.TempDir()+"/node")
		follow := l.url + "/api/v1/stream?since=0"
		measure(b, follow, l.reader, func(id string, at time.Time) error {
			status, err := post(l.url, l.writer, envelope([][]byte{stamped(id, at)}))
			if err == nil && status != http.StatusAccepted {
				err = fmt.Errorf("status %d", status)
			}
			return err
		})
	})
	b.Run("floor", func(b *testing.B) {
		e := newEcho()
		srv := httptest.NewServer(e)
		defer srv.Close()
		defer e.end()
		measure(b, srv.URL, "", func(id string, at time.Time) error {
			res, err := http.Post(srv.URL, "application/json", bytes.NewReader(stamped(id, at)))
			if err != nil {
				return err
			}
			return res.Body.Close()
		})
	})
}

// stamped is an object of about 1.4 kB whose name is the time at which it is sent.
func stamped(id string, at time.Time) []byte {
	return fmt.Appendf(nil, `{"type":"indicator","spec_version":"2.1","id":%q,"created":"2026-01-01T00:00:00.000Z","modified":"2026-01-01T00:00:00.000Z","name":"sent %d.","description":"%01000d","pattern":"[domain-name:value = 'update.klepwerk.example']","pattern_type":"stix","valid_from":"2026-01-01T00:00:00Z","object_marking_refs":[%q]}`,
		id, at.UnixNano(), 0, stix.Amber.ID())
}

func measure(b *testing.B, follow, token string, share func(id string, at time.Time) error) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	var mu sync.Mutex
	var took []time.Duration
	var ready, done sync.WaitGroup
	for range subscribers {
		ready.Add(1)
		done.Go(func() {
			listen(ctx, follow, token, ready.Done, func(d time.Duration) { mu.Lock(); took = append(took, d); mu.Unlock() })
		})
	}
	ready.Wait()
	n := 0
	for b.Loop() {
		n++
		sendFor(b, 5*time.Second, n, share)
	}
	time.Sleep(200 * time.Millisecond)
	cancel()
	done.Wait()
	want := n * 5 * perSecond * subscribers
	if len(took) != want {
		b.Fatalf("%d events arrived, want %d", len(took), want)
	}
	slices.Sort(took)
	ms := func(p float64) float64 { return float64(took[int(p*float64(len(took)-1))].Microseconds()) / 1000 }
	b.ReportMetric(ms(.5), "ms-p50")
	b.ReportMetric(ms(.99), "ms-p99")
	b.ReportMetric(ms(1), "ms-max")
}

// sendFor shares at the rate for a while, from as many goroutines as are needed to keep it.
func sendFor(b *testing.B, d time.Duration, round int, share func(string, time.Time) error) {
	tick := time.NewTicker(time.Second / perSecond)
	defer tick.Stop()
	var wg sync.WaitGroup
	for i := range int(d.Seconds()) * perSecond {
		<-tick.C
		wg.Go(func() {
			id := fmt.Sprintf("indicator--%08x-0000-4000-8000-%012x", round, i)
			if err := share(id, time.Now()); err != nil {
				b.Error(err)
			}
		})
	}
	wg.Wait()
}

// listen reads a stream and says how old each object is when it is read.
func listen(ctx context.Context, url, token string, ready func(), got func(time.Duration)) {
	req, err := http.NewRequestWithContext(ctx, "GET", url, nil)
	if err != nil {
		panic(err)
	}
	req.Header.Set("Authorization", "Bearer "+token)
	res, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		panic(err)
	}
	defer res.Body.Close()
	in := bufio.NewReaderSize(res.Body, 1<<16)
	ready()
	for {
		line, err := in.ReadSlice('\n')
		if err != nil {
			return
		}
		if _, rest, found := bytes.Cut(line, []byte(`"name":"sent `)); found {
			digits, _, _ := bytes.Cut(rest, []byte("."))
			if at, err := strconv.ParseInt(string(digits), 10, 64); err == nil {
				got(time.Since(time.Unix(0, at)))
			}
		}
	}
}

// echo writes what is posted to it to everybody who listens.
type echo struct {
	mu   sync.Mutex
	open map[chan []byte]bool
	stop chan struct{}
}

func newEcho() *echo { return &echo{open: map[chan []byte]bool{}, stop: make(chan struct{})} }

func (e *echo) end() { close(e.stop) }

func (e *echo) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodPost {
		body, _ := io.ReadAll(r.Body)
		e.mu.Lock()
		for c := range e.open {
			c <- body
		}
		e.mu.Unlock()
		return
	}
	c := make(chan []byte, 1024)
	e.mu.Lock()
	e.open[c] = true
	e.mu.Unlock()
	w.WriteHeader(http.StatusOK)
	control := http.NewResponseController(w)
	_ = control.Flush()
	for {
		select {
		case body := <-c:
			_, _ = w.Write(append(body, '\n'))
			_ = control.Flush()
		case <-r.Context().Done():
			e.mu.Lock()
			delete(e.open, c)
			e.mu.Unlock()
			return
		case <-e.stop:
			return
		}
	}
}
