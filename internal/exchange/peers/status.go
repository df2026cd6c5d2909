package peers

import (
	"context"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/db"
)

// States of a link, as pages and commands show them.
const (
	stateConnecting = "connecting"
	stateCatching   = "catching up"
	stateLive       = "live"
	stateWaiting    = "waiting" // where this node serves: the peer is not connected
	stateUnreached  = "unreachable"
	statePaused     = "paused"
	stateThere      = "paused there"
	stateStopped    = "stopped"
	stateEnded      = "ended"
)

// Standing is a link's state in one word: what a person decided goes before what the process last said.
func (l Link) Standing() string {
	switch {
	case !l.Ended.IsZero():
		return stateEnded
	case l.Stopped != "":
		return stateStopped
	case l.Paused:
		return statePaused
	case l.State == "" && l.Serves:
		return stateWaiting
	case l.State == "":
		return stateConnecting
	}
	return l.State
}

// Why is what there is to say about a link's state.
func (l Link) Why() string {
	if l.Stopped != "" {
		return l.Stopped
	}
	if l.Paused {
		return ""
	}
	return l.Detail
}

// Direction says who dials.
func (l Link) Direction() string {
	if l.Serves {
		return "in"
	}
	return "out"
}

// status is how a link goes in this process; it is written down now and then.
type status struct {
	state, detail string
	contact       time.Time
	behind        int
	lag           time.Duration
	acked         polder.Seq
	epoch         int64
	reached       []acknowledged // not written down yet

	dirty  bool
	last   time.Duration // when something was heard of the peer
	cancel context.CancelCauseFunc
	turn   int // of streams
	syncs  uint64
	says   uint64
	mark   string // of the communities and members that the peer was told of
}

// statusOf is the status of a link; the caller holds s.mu.
func (s *Service) statusOf(link string) *status {
	st := s.statuses[link]
	if st == nil {
		st = &status{}
		s.statuses[link] = st
	}
	return st
}

// report changes the status of a link.
func (s *Service) report(link string, fn func(*status)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	st := s.statusOf(link)
	state, detail := st.state, st.detail
	fn(st)
	st.detail = clip(st.detail, 500)
	st.contact = s.o.Now()
	if st.state != state || st.detail != detail {
		st.dirty = true
	}
}

// failed says that a link does not work, which is no sign of life.
func (s *Service) failed(link, state, detail string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	st := s.statusOf(link)
	st.dirty = st.dirty || st.state != state || st.detail != clip(detail, 500)
	st.state, st.detail = state, clip(detail, 500)
}

// flush writes down how links go: with all, also what only moved on.
func (s *Service) flush(ctx context.Context, all bool) {
	s.mu.Lock()
	write, usage := map[string]status{}, map[string]int64{}
	day := s.o.Now().Unix() / 86400
	for id, st := range s.statuses {
		if _, known := s.links[id]; known && (st.dirty || all) {
			write[id] = *st
			st.dirty, st.reached = false, nil
		}
	}
	for id, m := range s.meters {
		if n := m.used(day); n > 0 && all {
			usage[id] = n
		}
	}
	s.mu.Unlock()
	if len(write) == 0 && len(usage) == 0 {
		return
	}
	err := s.o.DB.Write(ctx, func(tx *db.Tx) error {
		for id, st := range write {
			if err := writeStatus(tx, id, st); err != nil {
				return err
			}
		}
		for id, n := range usage {
			if err := writeUsage(tx, id, day, n); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil && ctx.Err() == nil {
		s.o.Log.WarnContext(ctx, "how links go could not be written down", "err", err)
	}
}

// meter measures what comes over a link.
type meter struct {
	mu      sync.Mutex
	now     func() time.Time
	rate    *rate.Limiter
	most    int64 // bytes a day
	day     int64
	bytes   int64
	refused int // in a row
}

// meter is that of a link, with the limits it has now.
func (s *Service) meter(l Link) *meter {
	s.mu.Lock()
	defer s.mu.Unlock()
	m := s.meters[l.ID]
	if m == nil {
		m = &meter{now: s.o.Now, rate: rate.NewLimiter(1, 1), day: s.o.Now().Unix() / 86400}
		m.bytes, _ = readUsage(s.read(context.Background()), l.ID, m.day) // what cannot be read begins at 0
		s.meters[l.ID] = m
	}
	m.set(l)
	return m
}

func (m *meter) set(l Link) {
	m.mu.Lock()
	defer m.mu.Unlock()
	each, bytes := l.Rate, l.Bytes
	if each == 0 {
		each = DefaultRate
	}
	if bytes == 0 {
		bytes = DefaultBytes
	}
	if m.rate.Limit() != rate.Limit(each) {
		m.rate = rate.NewLimiter(rate.Limit(each), int(max(each, pageRows)))
	}
	m.most = bytes
}

// admit counts what came, or refuses it until later.
func (m *meter) admit(rows, bytes int) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	now := m.now()
	if day := now.Unix() / 86400; day > m.day {
		m.day, m.bytes = day, 0
	}
	if m.bytes+int64(bytes) > m.most {
		return tooOften("as many bytes came over this link today as are allowed", 10*time.Minute)
	}
	r := m.rate.ReserveN(now, rows)
	if wait := r.DelayFrom(now); wait > 0 {
		r.CancelAt(now)
		return tooOften("more deliveries a second came over this link than are allowed", wait)
	}
	m.bytes += int64(bytes)
	return nil
}

// used is how many bytes came on a day.
func (m *meter) used(day int64) int64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.day != day {
		return 0
	}
	return m.bytes
}

// row counts what was refused in a row.
func (m *meter) row(refused bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.refused++; !refused {
		m.refused = 0
	}
}

func (m *meter) inARow() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.refused
}

// forgive begins the counting of refusals anew, when a person has resumed the link.
func (m *meter) forgive() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.refused = 0
}

// Live tells whether deliveries pass as they come.
func (l Link) Live() bool { return l.Standing() == stateLive }

// Compared tells whether more than CLEAR and GREEN may flow: a person at the home has compared the other's fingerprint.
func (l Link) Compared() bool {
	if l.Serves {
		return l.Confirmed
	}
	return l.Confirmed && l.Trusted
}
