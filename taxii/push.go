package taxii

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"net/http"
	"net/url"
	"time"
)

// Push adds objects to the collection in batches and hands on the status of each batch, complete. A batch that the
// server finds too long is sent in halves; an object that is too long by itself becomes a failure in a status of its
// own. An error ends the push: the batches whose status was handed on are stored. After status 5xx or a broken
// connection it is not known whether the batch was; pushing it again does no harm.
func (r *Remote) Push(ctx context.Context, objects iter.Seq[json.RawMessage]) iter.Seq2[Status, error] {
	return func(yield func(Status, error) bool) {
		u, err := r.at("objects")
		if err != nil {
			yield(Status{}, err)
			return
		}
		p := &push{Remote: r, url: u, limits: r.client.Limits.orDefaults(), yield: yield}
		if most := r.Root.MaxContentLength; most > 0 {
			p.limits.BatchBytes = min(p.limits.BatchBytes, most)
		}
		var batch []json.RawMessage
		size := 0
		for o := range objects {
			if len(batch) == p.limits.Batch || len(batch) > 0 && int64(size+len(o)+envelopeBytes) > p.limits.BatchBytes {
				if !p.send(ctx, batch) {
					return
				}
				batch, size = batch[:0], 0
			}
			batch = append(batch, o)
			size += len(o) + 1
		}
		if len(batch) > 0 {
			p.send(ctx, batch)
		}
	}
}

// envelopeBytes is more than an envelope takes besides its objects.
const envelopeBytes = 16

type push struct {
	*Remote
	url    *url.URL
	limits Limits
	yield  func(Status, error) bool
}

// send sends a batch and hands its status on; it tells whether to go on.
func (p *push) send(ctx context.Context, batch []json.RawMessage) bool {
	body := append([]byte(`{"objects":[`), bytes.Join(messages(batch), comma)...)
	a, err := p.client.request(ctx, http.MethodPost, p.url, append(body, "]}"...))
	if hasStatus(err, http.StatusRequestEntityTooLarge) {
		if half := len(batch) / 2; half > 0 {
			return p.send(ctx, batch[:half]) && p.send(ctx, batch[half:])
		}
		return p.yield(tooLongFor(batch[0]), nil)
	}
	var status Status
	if err == nil {
		if err = json.Unmarshal(a.body, &status); err != nil {
			err = fmt.Errorf("the status is not the JSON it should be: %w", err)
		}
	}
	if err == nil {
		status, err = p.completed(ctx, status)
	}
	if err != nil {
		p.yield(status, about(http.MethodPost, p.url, err))
		return false
	}
	return p.yield(status, nil)
}

func messages(batch []json.RawMessage) [][]byte {
	list := make([][]byte, len(batch))
	for i, raw := range batch {
		list[i] = raw
	}
	return list
}

// tooLongFor is the status of an object that the server takes in no batch.
func tooLongFor(raw json.RawMessage) Status {
	var o struct{ ID, Modified, Created string }
	_ = json.Unmarshal(raw, &o) // what has no id is told without
	setDefault(&o.Modified, o.Created)
	detail := StatusDetail{ID: o.ID, Version: o.Modified, Message: fmt.Sprintf("the object alone, %d bytes, is longer than the server takes", len(raw))}
	return Status{Status: Complete, TotalCount: 1, FailureCount: 1, Failures: []StatusDetail{detail}}
}

// completed waits until a status is complete, and gives up after Limits.Pending.
func (p *push) completed(ctx context.Context, s Status) (Status, error) {
	wait, waited := 250*time.Millisecond, time.Duration(0)
	for id := s.ID; s.Status != Complete; wait = min(2*wait, 10*time.Second) {
		if s.Status != Pending {
			return s, errors.New("the server's status is neither complete nor pending")
		}
		if waited += wait; waited > p.limits.Pending {
			return s, fmt.Errorf("the server has not finished after %s; ask for status %s later", p.limits.Pending, p.client.clean(id))
		}
		if err := p.client.sleep(ctx, wait); err != nil {
			return s, err
		}
		var err error
		if s, err = p.Status(ctx, id); err != nil {
			return s, err
		}
	}
	return s, nil
}
