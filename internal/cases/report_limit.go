package cases

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"io"
	"net/netip"
	"sync"
	"time"

	"golang.org/x/crypto/argon2"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/accounts"
)

// ReportRates are how often strangers may do something. The zero value is right for a node.
type ReportRates struct {
	Post      accounts.Allowance // reports and messages of one address (IPv6: one /64)
	Desk      accounts.Allowance // reports of one desk
	Node      accounts.Allowance // reports and messages of the node
	Look      accounts.Allowance // receipts that one address shows, right or wrong
	Looks     accounts.Allowance // receipts that are shown to the node
	Addresses int                // that are told apart at a time
}

// DefaultReportRates let an office behind one address report, and a guesser try some 860,000 receipts a day of 2^66.
var DefaultReportRates = ReportRates{
	Post:      accounts.Allowance{Burst: 20, Every: 3 * time.Minute},
	Desk:      accounts.Allowance{Burst: 60, Every: 30 * time.Second},
	Node:      accounts.Allowance{Burst: 200, Every: 5 * time.Second},
	Look:      accounts.Allowance{Burst: 30, Every: 20 * time.Second},
	Looks:     accounts.Allowance{Burst: 100, Every: 100 * time.Millisecond},
	Addresses: 20_000,
}

func (r ReportRates) filled() ReportRates {
	d := DefaultReportRates
	for _, a := range []struct{ have, otherwise *accounts.Allowance }{{&r.Post, &d.Post}, {&r.Desk, &d.Desk}, {&r.Node, &d.Node}, {&r.Look, &d.Look}, {&r.Looks, &d.Looks}} {
		if a.have.Burst == 0 || a.have.Every == 0 {
			*a.have = *a.otherwise
		}
	}
	if r.Addresses == 0 {
		r.Addresses = d.Addresses
	}
	return r
}

// ReportKeep is how long something is kept. The zero value is right for a node.
type ReportKeep struct {
	Thread time.Duration // that a receipt opens its thread after the last message; 0 is a year
	Closed time.Duration // that a report stays after it was closed or last changed; 0 is 90 days
}

func (k ReportKeep) filled() ReportKeep {
	if k.Thread == 0 {
		k.Thread = 365 * 24 * time.Hour
	}
	if k.Closed == 0 {
		k.Closed = 90 * 24 * time.Hour
	}
	return k
}

// What deriving costs. One derivation of a proof takes some 50 ms and 32 MiB; a few run at a time, however many come.
const (
	receiptMemory = 32 << 10 // KiB
	receiptPasses = 3
	receiptAtOnce = 2
	receiptQueue  = 64 // that wait for their turn; more are told to come back
	receiptWaits  = 10 * time.Second
	looksAtStart  = 5 // receipts that may be shown right after a start: a restart frees no guesser
	largePosts    = 4 // posts above reportSmall that are read at the same time
	largeWaits    = 20 * time.Second
	reportSmall   = 256 << 10
)

// reportState is what the service keeps in memory for strangers: limits, and who waits for a turn. Nothing in it is
// written anywhere.
type reportState struct {
	keep                          ReportKeep
	salt, pepper, onceKey         []byte
	addressKey                    []byte // of this process alone: addresses are counted, never known
	post, desk, node, look, looks *accounts.Limiter
	hashing                       chan struct{}
	waiting                       chan struct{}
	large, files                  chan struct{}
	sending                       sync.Map // addresses with a large post under way
	derive                        func(proof, pepper []byte) []byte
}

func newReportState(o ServiceOptions) *reportState {
	rates := o.Rates.filled()
	r := &reportState{
		keep: o.Keep.filled(), salt: reportKey(o.Secret, "polder receipt salt 1")[:16], pepper: reportKey(o.Secret, "polder receipt lookup 1"),
		onceKey: reportKey(o.Secret, "polder report once 1"), addressKey: make([]byte, 32),
		post: accounts.NewLimiter(rates.Post, rates.Addresses, nil), desk: accounts.NewLimiter(rates.Desk, 10_000, nil),
		node: accounts.NewLimiter(rates.Node, 1, nil), look: accounts.NewLimiter(rates.Look, rates.Addresses, nil),
		looks:   accounts.NewLimiter(rates.Looks, 1, nil),
		hashing: make(chan struct{}, receiptAtOnce), waiting: make(chan struct{}, receiptQueue), large: make(chan struct{}, largePosts), files: make(chan struct{}, largePosts),
		derive: func(proof, pepper []byte) []byte {
			return argon2.IDKey(proof, pepper, receiptPasses, receiptMemory, 1, 32)
		},
	}
	if _, err := io.ReadFull(rand.Reader, r.addressKey); err != nil {
		panic(err) // never fails
	}
	for range rates.Looks.Burst - looksAtStart {
		r.looks.Take("")
	}
	return r
}

// reportKey is a key of the node for one use.
func reportKey(secret []byte, use string) []byte {
	m := hmac.New(sha256.New, secret)
	m.Write([]byte(use))
	return m.Sum(nil)
}

// reportTooOften is the cause of an error of kind Limited; the door answers it as Retry-After.
type reportTooOften struct{ wait time.Duration }

func (e *reportTooOften) Error() string { return "try again in " + e.RetryAfter().String() }

// RetryAfter is when to try again.
func (e *reportTooOften) RetryAfter() time.Duration {
	return max((e.wait + time.Second - 1).Truncate(time.Second), time.Second)
}

func reportLimited(what string, wait time.Duration) error {
	return polder.Errorf(polder.Limited, "too many %s just now: %w", what, &reportTooOften{wait})
}

// address is a name for where somebody asks from, which only this process can make and nobody can turn back.
func (r *reportState) address(from netip.Addr) string {
	from = from.Unmap().WithZone("")
	if from.Is6() {
		if p, err := from.Prefix(64); err == nil {
			from = p.Addr()
		}
	}
	m := hmac.New(sha256.New, r.addressKey)
	m.Write(from.AsSlice())
	return string(m.Sum(nil)[:16])
}

// admitPost counts a report or message of an address, or refuses it. It says nothing of which limit was met.
func (r *reportState) admitPost(from netip.Addr) error {
	if wait, ok := r.post.Take(r.address(from)); !ok {
		return reportLimited("reports", wait)
	}
	if wait, ok := r.node.Take(""); !ok {
		return reportLimited("reports", wait)
	}
	return nil
}

func (r *reportState) admitDesk(alias string) error {
	if wait, ok := r.desk.Take(alias); !ok {
		return reportLimited("reports", wait)
	}
	return nil
}

func (r *reportState) admitLook(from netip.Addr) error {
	if wait, ok := r.look.Take(r.address(from)); !ok {
		return reportLimited("receipts", wait)
	}
	if wait, ok := r.looks.Take(""); !ok {
		return reportLimited("receipts", wait)
	}
	return nil
}

// turn waits for a place to derive in. The caller gives it back by calling done.
func (r *reportState) turn(ctx context.Context) (done func(), err error) {
	busy := polder.Errorf(polder.Unavailable, "too many reports and receipts at once; try again in a few seconds")
	select {
	case r.waiting <- struct{}{}:
		defer func() { <-r.waiting }()
	default:
		return nil, busy
	}
	ctx, cancel := context.WithTimeout(ctx, receiptWaits)
	defer cancel()
	select {
	case r.hashing <- struct{}{}:
		return func() { <-r.hashing }, nil
	case <-ctx.Done():
		return nil, busy
	}
}

// enterLarge waits for a place to take a large post in; an address has one at a time, so that a slow one keeps nobody
// else waiting for long.
func (r *reportState) enterLarge(ctx context.Context, from netip.Addr) (done func(), err error) {
	busy := polder.Errorf(polder.Unavailable, "too many reports with attachments at once; try again in a few seconds, or send the report without them first")
	name := r.address(from)
	if _, held := r.sending.LoadOrStore(name, true); held {
		return nil, busy
	}
	leave, err := enter(ctx, r.large, busy)
	if err != nil {
		r.sending.Delete(name)
		return nil, err
	}
	return func() { leave(); r.sending.Delete(name) }, nil
}

// enter waits for a place, for a while.
func enter(ctx context.Context, places chan struct{}, busy error) (done func(), err error) {
	ctx, cancel := context.WithTimeout(ctx, largeWaits)
	defer cancel()
	select {
	case places <- struct{}{}:
		return func() { <-places }, nil
	case <-ctx.Done():
		return nil, busy
	}
}

// readProof reads what a receipt gives; what is none becomes one that nobody has, so that the same is done for it.
func readProof(text string) (proof [32]byte, ok bool) {
	b, err := base64.StdEncoding.Strict().DecodeString(text)
	if err != nil || len(b) != len(proof) {
		return proof, false
	}
	return [32]byte(b), true
}

// lookup is where the thread of a proof lies. Nobody finds the proof from it.
func (r *reportState) lookup(ctx context.Context, proof [32]byte) ([]byte, error) {
	done, err := r.turn(ctx)
	if err != nil {
		return nil, err
	}
	defer done()
	return r.derive(proof[:], r.pepper), nil
}
