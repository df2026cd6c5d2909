package notify

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/db"
	"github.com/polder-exchange/polder/internal/notify/notifytest"
)

// desk is a directory and a sender in one: it keeps what goes out and fails as told.
type desk struct {
	mu     sync.Mutex
	began  time.Time
	out    []string                                    // "after: key: subject"
	bodies []string                                    // beside out
	reach  func(m Message) (Address, error)            // nil reaches everybody
	fail   func(ctx context.Context, key string) error // nil never fails
}

func (d *desk) Reach(_ context.Context, m Message) (Address, error) {
	if d.reach == nil {
		return Address{}, nil
	}
	return d.reach(m)
}

func (d *desk) Send(ctx context.Context, _ Address, l Letter) error {
	if d.fail != nil {
		if err := d.fail(ctx, l.Key); err != nil {
			return err
		}
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.out = append(d.out, fmt.Sprintf("%v: %s: %s", time.Since(d.began).Round(time.Second), l.Key, l.Subject))
	d.bodies = append(d.bodies, l.Body)
	return nil
}

func open(t testing.TB, path string, d *desk, o Options) (*db.DB, *Box) {
	t.Helper()
	data, err := db.Open(context.Background(), path, db.Options{Reserve: 1})
	if err != nil {
		t.Fatal(err)
	}
	d.began = time.Now()
	o.Directory = d
	if o.Senders == nil {
		o.Senders = map[Channel]Sender{ByMail: d, ByWebhook: d}
	}
	b := New(data, o)
	if err := b.Migrate(context.Background()); err != nil {
		t.Fatal(err)
	}
	return data, b
}

func put(t testing.TB, d *db.DB, b *Box, all ...Message) {
	t.Helper()
	err := d.Write(context.Background(), func(tx *db.Tx) error {
		for _, m := range all {
			if m.To == "" {
				m.To = "anna"
			}
			if m.Channel == "" {
				m.Channel = ByMail
			}
			if m.Subject == "" {
				m.Subject = "about " + m.Key
			}
			m.Body = "body of " + m.Key
			if err := b.Enqueue(tx, m); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func start(b *Box) (stop func() error) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- b.Run(ctx) }()
	return func() error { cancel(); return <-done }
}

// bubble runs fn on a clock of its own, which begins on 2000-01-01 at midnight UTC.
func bubble(t *testing.T, fn func(t *testing.T, path string)) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "node.db")
	synctest.Test(t, func(t *testing.T) { fn(t, path) })
}

func after(t *testing.T, wait time.Duration, d *desk, want ...string) {
	t.Helper()
	time.Sleep(wait)
	synctest.Wait()
	d.mu.Lock()
	defer d.mu.Unlock()
	if !slices.Equal(d.out, want) {
		t.Errorf("sent:\n  %s\nwant:\n  %s", strings.Join(d.out, "\n  "), strings.Join(want, "\n  "))
	}
}

func finish(t *testing.T, stop func() error) {
	t.Helper()
	if err := stop(); err != nil {
		t.Error(err)
	}
}

// TestAtOnce: a message goes out at once or at its time, once per key, and its text leaves the database.
func TestAtOnce(t *testing.T) {
	bubble(t, func(t *testing.T, path string) {
		d := &desk{}
		data, b := open(t, path, d, Options{Poll: time.Hour})
		defer data.Close()
		stop := start(b)
		put(t, data, b, Message{Key: "a"}, Message{Key: "a", Subject: "twice"}, Message{Key: "later", NotBefore: time.Now().Add(time.Hour)})
		after(t, time.Minute, d, "0s: a: about a")
		put(t, data, b, Message{Key: "a", Subject: "after delivery"})
		after(t, 2*time.Hour, d, "0s: a: about a", "1h0m0s: later: about later")
		var texts int
		if err := data.Read().QueryRow(`SELECT count(*) FROM outbox WHERE subject || body || link <> ''`).Scan(&texts); err != nil || texts != 0 {
			t.Errorf("%d texts of sent messages are left (%v)", texts, err)
		}
		time.Sleep(31 * 24 * time.Hour)
		synctest.Wait()
		var keys int
		if err := data.Read().QueryRow(`SELECT count(*) FROM outbox`).Scan(&keys); err != nil || keys != 0 {
			t.Errorf("%d keys are left after a month (%v)", keys, err)
		}
		finish(t, stop)
	})
}

// TestTogether: a message is there exactly if the transaction that it tells of is.
func TestTogether(t *testing.T) {
	bubble(t, func(t *testing.T, path string) {
		d := &desk{}
		data, b := open(t, path, d, Options{})
		defer data.Close()
		stop := start(b)
		no := errors.New("no")
		err := data.Write(t.Context(), func(tx *db.Tx) error {
			return errors.Join(b.Enqueue(tx, Message{Key: "k", To: "anna", Channel: ByMail}), no)
		})
		if !errors.Is(err, no) {
			t.Fatal(err)
		}
		for _, bad := range []Message{{To: "anna", Channel: ByMail}, {Key: "k", Channel: ByMail}, {Key: "k", To: "anna", Channel: "pigeon"}} {
			if err := data.Write(t.Context(), func(tx *db.Tx) error { return b.Enqueue(tx, bad) }); err == nil {
				t.Errorf("%+v was taken", bad)
			}
		}
		after(t, time.Minute, d)
		finish(t, stop)
	})
}

// TestRetries: a failure is tried again, each time later; after the last try the message is kept as dead and can be revived.
func TestRetries(t *testing.T) {
	bubble(t, func(t *testing.T, path string) {
		var at []time.Duration
		failing := true
		d := &desk{}
		d.fail = func(context.Context, string) error {
			at = append(at, time.Since(d.began).Round(time.Second))
			if len(at) == 2 {
				panic("a fault of ours")
			}
			if failing {
				return errors.New("busy")
			}
			return nil
		}
		data, b := open(t, path, d, Options{Tries: 4, First: time.Minute, Longest: 3 * time.Minute})
		defer data.Close()
		stop := start(b)
		put(t, data, b, Message{Key: "a", About: "object--1"})
		after(t, 24*time.Hour, d)
		if want := []time.Duration{0, time.Minute, 3 * time.Minute, 6 * time.Minute}; !slices.Equal(at, want) {
			t.Errorf("tried after %v, want %v", at, want)
		}
		dead, err := b.Dead(t.Context(), 10)
		if err != nil || len(dead) != 1 || dead[0].Key != "a" || dead[0].About != "object--1" || dead[0].Fault != "busy" || dead[0].Tries != 4 || dead[0].Body != "" {
			t.Errorf("dead: %+v, %v", dead, err)
		}
		failing = false
		if err := data.Write(t.Context(), func(tx *db.Tx) error { return b.Revive(tx, "a") }); err != nil {
			t.Fatal(err)
		}
		after(t, time.Minute, d, "24h0m0s: a: about a")
		if err := data.Write(t.Context(), func(tx *db.Tx) error { return b.Revive(tx, "a") }); !errors.Is(err, polder.ErrNotFound) {
			t.Errorf("reviving what is sent: %v", err)
		}
		finish(t, stop)
	})
}

// TestPermanent: what will never work is not tried again; a channel that is not set up is such a case.
func TestPermanent(t *testing.T) {
	bubble(t, func(t *testing.T, path string) {
		tries := 0
		d := &desk{fail: func(context.Context, string) error { tries++; return fmt.Errorf("webhook: %w", ErrRefused) }}
		data, b := open(t, path, d, Options{})
		defer data.Close()
		b.o.Senders = map[Channel]Sender{ByWebhook: d}
		stop := start(b)
		put(t, data, b, Message{Key: "a", Channel: ByWebhook}, Message{Key: "b"})
		after(t, 24*time.Hour, d)
		dead, err := b.Dead(t.Context(), 10)
		if err != nil || len(dead) != 2 || tries != 1 {
			t.Errorf("%d tries, dead: %+v, %v", tries, dead, err)
		}
		if i := slices.IndexFunc(dead, func(d Dead) bool { return d.Key == "b" }); i < 0 || dead[i].Fault != "mail is not set up on this node" {
			t.Errorf("dead: %+v", dead)
		}
		finish(t, stop)
	})
}

// TestReach: where and whether a person is told is decided at the moment of delivery.
func TestReach(t *testing.T) {
	bubble(t, func(t *testing.T, path string) {
		d := &desk{}
		d.reach = func(m Message) (Address, error) {
			switch {
			case m.About == "object--hidden":
				return Address{}, polder.Errorf(polder.NotFound, "no sight any more")
			case time.Since(d.began) < time.Minute:
				return Address{}, errors.New("busy")
			}
			return Address{}, nil
		}
		data, b := open(t, path, d, Options{First: 2 * time.Minute})
		defer data.Close()
		stop := start(b)
		put(t, data, b, Message{Key: "a", About: "object--hidden"}, Message{Key: "b"})
		after(t, time.Hour, d, "2m0s: b: about b")
		finish(t, stop)
	})
}

// TestForget: what was withdrawn, and who left, is told nothing more, a dead message included.
func TestForget(t *testing.T) {
	bubble(t, func(t *testing.T, path string) {
		d := &desk{}
		data, b := open(t, path, d, Options{})
		defer data.Close()
		later := time.Now().Add(time.Hour)
		put(t, data, b, Message{Key: "a", About: "object--1", NotBefore: later}, Message{Key: "b", To: "bob", NotBefore: later}, Message{Key: "c", NotBefore: later})
		err := data.Write(t.Context(), func(tx *db.Tx) error {
			return errors.Join(b.Forget(tx, "object--1"), b.Forget(tx, ""), b.ForgetPerson(tx, "bob"))
		})
		if err != nil {
			t.Fatal(err)
		}
		var texts string
		if err := data.Read().QueryRow(`SELECT group_concat(subject) FROM outbox WHERE subject <> ''`).Scan(&texts); err != nil || texts != "about c" {
			t.Errorf("left in the database: %q, %v", texts, err)
		}
		stop := start(b)
		after(t, 2*time.Hour, d, "1h0m0s: c: about c")
		finish(t, stop)
	})
}

// TestDigest: messages of a rhythm come together, at its time, in the order they were made.
func TestDigest(t *testing.T) {
	bubble(t, func(t *testing.T, path string) {
		d := &desk{}
		data, b := open(t, path, d, Options{})
		defer data.Close()
		stop := start(b)
		time.Sleep(10 * time.Minute)
		put(t, data, b, Message{Key: "h1", Rhythm: Hourly}, Message{Key: "d1", Rhythm: Daily})
		time.Sleep(time.Minute)
		put(t, data, b, Message{Key: "h2", Rhythm: Hourly}, Message{Key: "bob", To: "bob", Rhythm: Hourly})
		time.Sleep(2 * time.Hour)
		put(t, data, b, Message{Key: "d2", Rhythm: Daily})
		time.Sleep(6 * time.Hour)
		synctest.Wait()
		slices.Sort(d.out)
		after(t, 0, d, "1h0m0s: bob: about bob", "1h0m0s: h1: 2 messages, first: about h1", "7h0m0s: d1: 2 messages, first: about d1")
		if i := slices.IndexFunc(d.bodies, func(b string) bool { return strings.Contains(b, "d1") }); i < 0 ||
			d.bodies[i] != "1. about d1\n   body of d1\n\n2. about d2\n   body of d2\n\n" {
			t.Errorf("bodies: %q", d.bodies)
		}
		finish(t, stop)
	})
}

// TestLimit: nobody gets more letters an hour than the bound; what is more comes together, and nothing is lost.
func TestLimit(t *testing.T) {
	bubble(t, func(t *testing.T, path string) {
		d := &desk{}
		data, b := open(t, path, d, Options{Hourly: 3})
		defer data.Close()
		stop := start(b)
		put(t, data, b, Message{Key: "1"}, Message{Key: "2"})
		after(t, 10*time.Minute, d, "0s: 1: about 1", "0s: 2: about 2")
		put(t, data, b, Message{Key: "3"}, Message{Key: "4"}, Message{Key: "bob", To: "bob"})
		time.Sleep(time.Minute)
		put(t, data, b, Message{Key: "5"}, Message{Key: "6"}, Message{Key: "7"}, Message{Key: "8"})
		time.Sleep(2 * time.Hour)
		synctest.Wait()
		d.mu.Lock()
		out := slices.DeleteFunc(slices.Clone(d.out), func(s string) bool { return strings.Contains(s, "bob") })
		d.mu.Unlock()
		want := []string{"0s: 1: about 1", "0s: 2: about 2", "10m0s: 3: 2 messages, first: about 3", "1h0m0s: 5: 4 messages, first: about 5"}
		if !slices.Equal(out, want) {
			t.Errorf("sent:\n  %s\nwant:\n  %s", strings.Join(out, "\n  "), strings.Join(want, "\n  "))
		}
		finish(t, stop)
	})
}

// TestSlow: one recipient that hangs does not keep the others waiting, and its context ends with the lease.
func TestSlow(t *testing.T) {
	bubble(t, func(t *testing.T, path string) {
		d := &desk{fail: func(ctx context.Context, key string) error {
			if key != "slow" {
				return nil
			}
			<-ctx.Done()
			return ctx.Err()
		}}
		data, b := open(t, path, d, Options{Lease: time.Minute, Tries: 1})
		defer data.Close()
		stop := start(b)
		put(t, data, b, Message{Key: "slow", To: "bob"}, Message{Key: "a"})
		time.Sleep(time.Second)
		put(t, data, b, Message{Key: "b"})
		after(t, time.Second, d, "0s: a: about a", "1s: b: about b")
		time.Sleep(2 * time.Minute)
		synctest.Wait()
		if dead, _ := b.Dead(t.Context(), 1); len(dead) != 1 {
			t.Errorf("dead: %+v", dead)
		}
		finish(t, stop)
	})
}

// TestRestart: what a process held when it died is delivered by the next one, when the lease is over.
func TestRestart(t *testing.T) {
	bubble(t, func(t *testing.T, path string) {
		d := &desk{}
		data, dying := open(t, path, d, Options{Lease: time.Minute})
		put(t, data, dying, Message{Key: "a"})
		if p, err := dying.take(t.Context(), recipient{"anna", ByMail}); err != nil || len(p) != 1 {
			t.Fatal(p, err)
		} // and the process ends here
		if err := data.Close(); err != nil {
			t.Fatal(err)
		}
		data, b := open(t, path, d, Options{Lease: time.Minute})
		defer data.Close()
		stop := start(b)
		after(t, time.Hour, d, "1m0s: a: about a")
		finish(t, stop)
	})
}

// TestStop: stopping ends a delivery under way; the try does not count.
func TestStop(t *testing.T) {
	bubble(t, func(t *testing.T, path string) {
		d := &desk{fail: func(ctx context.Context, _ string) error { <-ctx.Done(); return ctx.Err() }}
		data, b := open(t, path, d, Options{})
		defer data.Close()
		stop := start(b)
		put(t, data, b, Message{Key: "a"}, Message{Key: "b"})
		time.Sleep(time.Second)
		finish(t, stop)
		var ready int
		if err := data.Read().QueryRow(`SELECT count(*) FROM outbox WHERE state = 0 AND tries = 0 AND leased = 0`).Scan(&ready); err != nil || ready != 2 {
			t.Errorf("%d of 2 messages are ready for the next process (%v)", ready, err)
		}
	})
}

// TestS34Logs: whatever goes wrong, no address, password, secret or text is in the log or kept as a reason.
func TestS34Logs(t *testing.T) {
	mails := notifytest.New(t, func(s *notifytest.Server) {
		s.Password = "right"
		s.Answers = map[string]string{"anna@canary.example": "550 5.1.1 anna@canary.example is unknown"}
	})
	var log bytes.Buffer
	d := &desk{reach: func(Message) (Address, error) {
		return Address{Mail: "anna@canary.example", URL: "https://127.0.0.1:1/canary", Secret: []byte("canary"), Unsubscribe: "https://node.example/off/canary"}, nil
	}}
	m := mailer(mails)
	m.User, m.Password = "node", "right"
	data, b := open(t, filepath.Join(t.TempDir(), "node.db"), d, Options{
		Log:     slog.New(slog.NewTextHandler(&log, nil)),
		Senders: map[Channel]Sender{ByMail: m, ByWebhook: &Webhook{HTTP: (&Guard{}).Client()}},
		Tries:   1,
	})
	defer data.Close()
	put(t, data, b, Message{Key: "a", Subject: "canary"}, Message{Key: "b", Channel: ByWebhook, Subject: "canary"}, Message{Key: "c", To: "bob", Subject: "canary"})
	for _, r := range []recipient{{"anna", ByMail}, {"anna", ByWebhook}} {
		if err := b.serve(t.Context(), r); err != nil {
			t.Fatal(err)
		}
	}
	m.Password = "canary"
	if err := b.serve(t.Context(), recipient{"bob", ByMail}); err != nil {
		t.Fatal(err)
	}
	dead, err := b.Dead(t.Context(), 10)
	if err != nil || len(dead) != 3 {
		t.Fatalf("dead: %+v, %v", dead, err)
	}
	if all := log.String() + fmt.Sprint(dead); strings.Contains(all, "canary") || !strings.Contains(all, "550 5.1.1") {
		t.Errorf("the log and the reasons say too much or too little:\n%s\n%v", log.String(), dead)
	}
}

// TestRhythm: a message never goes out before it was made, a digest at its hour in the reader's zone, summer time included.
func TestRhythm(t *testing.T) {
	zone, err := time.LoadLocation("Europe/Amsterdam")
	if err != nil {
		t.Skipf("no time zones here: %v", err)
	}
	rapid.Check(t, func(t *rapid.T) {
		at := time.Unix(rapid.Int64Range(0, 1<<32).Draw(t, "at"), 0)
		if got := AtOnce.After(at, zone); !got.Equal(at) {
			t.Fatalf("at once: %v", got)
		}
		if got := Hourly.After(at, zone); got.Before(at) || got.Sub(at) >= time.Hour || got.Minute() != 0 {
			t.Fatalf("hourly: %v after %v", got, at)
		}
		if got := Daily.After(at, zone); got.Before(at) || got.Sub(at) > 25*time.Hour || got.In(zone).Hour() != digestHour {
			t.Fatalf("daily: %v after %v", got, at)
		}
	})
}
