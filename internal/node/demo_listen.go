package node

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/polder-exchange/polder"
)

// heard is an event as a subscriber of the live stream received it.
type heard struct {
	kind      string // object or withdrawn
	seq       polder.Seq
	community string
	id        string // of the object
	body      string
	late      time.Duration // after the time that its number tells
}

// feed is a subscriber that remembers what it heard.
type feed struct {
	mu    sync.Mutex
	all   []heard
	err   error
	moved chan struct{} // closed and made anew when something came
}

// feeds are all subscribers of a stage.
type feeds struct {
	http   http.Transport
	cancel []context.CancelFunc
	done   sync.WaitGroup
}

// listen subscribes with a token and returns once the node has answered.
func (ls *feeds) listen(ctx context.Context, url, token string) (*feed, error) {
	ctx, cancel := context.WithCancel(ctx)
	ls.cancel = append(ls.cancel, cancel)
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, url+"/api/v1/stream?since=0", nil)
	if err != nil {
		return nil, err
	}
	r.Header.Set("Authorization", "Bearer "+token)
	answer, err := (&http.Client{Transport: &ls.http}).Do(r)
	if err != nil {
		return nil, err
	}
	if answer.StatusCode != http.StatusOK {
		_ = answer.Body.Close() // nothing of it is read
		return nil, fmt.Errorf("the live stream answered %s", answer.Status)
	}
	l := &feed{moved: make(chan struct{})}
	ls.done.Go(func() {
		defer answer.Body.Close()
		in := bufio.NewScanner(answer.Body)
		in.Buffer(nil, 4<<20)
		l.read(in)
	})
	return l, nil
}

// stop ends all subscriptions and waits until they have.
func (ls *feeds) stop() {
	for _, cancel := range ls.cancel {
		cancel()
	}
	ls.done.Wait()
	ls.http.CloseIdleConnections()
}

// read takes in Server-Sent Events until there are no more.
func (l *feed) read(in *bufio.Scanner) {
	var kind, data string
	for in.Scan() {
		name, value, _ := strings.Cut(in.Text(), ":")
		value = strings.TrimPrefix(value, " ")
		switch name {
		case "event":
			kind = value
		case "data":
			data += value
		case "":
			if in.Text() == "" && data != "" {
				l.hear(kind, data)
				kind, data = "", ""
			}
		}
	}
	l.end(in.Err())
}

func (l *feed) hear(kind, data string) {
	now := time.Now()
	var d struct {
		Seq       polder.Seq `json:"seq"`
		Community string     `json:"community"`
		ID        string     `json:"id"`
		Object    struct {
			ID string `json:"id"`
		} `json:"object"`
	}
	err := json.Unmarshal([]byte(data), &d)
	l.mu.Lock()
	defer l.mu.Unlock()
	if err != nil {
		l.err = fmt.Errorf("an event of the live stream is no JSON: %w", err)
	}
	l.all = append(l.all, heard{kind, d.Seq, d.Community, d.ID + d.Object.ID, data, max(0, now.Sub(d.Seq.Time()))})
	close(l.moved)
	l.moved = make(chan struct{})
}

func (l *feed) end(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err == nil {
		err = fmt.Errorf("the live stream ended")
	}
	l.err = err
	close(l.moved)
	l.moved = make(chan struct{})
}

// between are the events after one number, up to and with another.
func (l *feed) between(after, upTo polder.Seq) (out []heard) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, h := range l.all {
		if h.seq > after && h.seq <= upTo {
			out = append(out, h)
		}
	}
	return out
}

// until waits for the event of a number, at most patience.
func (l *feed) until(ctx context.Context, seq polder.Seq, patience time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for {
		l.mu.Lock()
		n, err, moved := len(l.all), l.err, l.moved
		arrived := n > 0 && l.all[n-1].seq >= seq
		l.mu.Unlock()
		if arrived {
			return nil
		}
		if err != nil {
			return err
		}
		select {
		case <-moved:
		case <-ctx.Done():
			return fmt.Errorf("heard nothing of it within %v", patience)
		}
	}
}
