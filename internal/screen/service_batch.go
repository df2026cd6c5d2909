package screen

import (
	"context"
	"errors"
	"iter"
	"strconv"
	"strings"
	"time"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/db"
)

// Bounds of batches.
const (
	maxUnended  = 20  // batches of an organisation that have not ended
	rowsAtOnce  = 200 // rows that come in in one transaction
	askedAtOnce = 100 // rows that are asked in one step
	maxFault    = 500 // bytes of why a row cannot be asked about
)

// RowFault is why one row cannot be asked about; those behind it can. Rows that end otherwise end in another error.
type RowFault struct{ Why error }

func (f *RowFault) Error() string { return f.Why.Error() }
func (f *RowFault) Unwrap() error { return f.Why }

// takeRow is a row in the form in which it is kept, or why it cannot be asked about. An error ends the rows.
func takeRow(q Query, bad error) (out Query, fault, err error) {
	if f, ok := errors.AsType[*RowFault](bad); ok {
		return keptQuery(q), f.Why, nil
	}
	if bad != nil {
		return Query{}, nil, bad
	}
	out = keptQuery(q)
	return out, checkQuery(out, maxKeptName), nil
}

// AddBatch stores up to [MaxBatchRows] queries, which are then asked in the background and go on after a restart. Rows
// that cannot be asked about are kept with what is wrong with them. When the rows themselves end in an error nothing is
// asked, and nothing is kept; a [RowFault] is of its row alone. It asks for a contributor.
func (s *Service) AddBatch(ctx context.Context, by polder.Actor, o BatchOrder, rows iter.Seq2[Query, error]) (Batch, error) {
	if err := mayScreen(by, polder.RoleContributor); err != nil {
		return Batch{}, err
	}
	o.Name = strings.TrimSpace(o.Name)
	if o.Name == "" || len(o.Name) > maxShort {
		return Batch{}, polder.Errorf(polder.Invalid, "name: give the batch a name of at most %d bytes", maxShort)
	}
	opt, err := s.options(ctx, by.Org, Options{Threshold: o.Threshold})
	if err == nil {
		err = s.o.DB.Room()
	}
	if err != nil {
		return Batch{}, err
	}
	now := s.o.Now().UTC().Truncate(time.Microsecond)
	b := Batch{ID: newScreenID(), Org: by.Org, Name: o.Name, State: BatchStoring, Made: now, By: whoActs(by), Threshold: opt.Threshold, person: by.Person, token: by.Token}
	s.mark(b.ID, true)
	defer s.mark(b.ID, false)
	err = s.write(ctx, func(tx *db.Tx) error {
		if n, err := countUnended(tx, by.Org); err != nil || n >= maxUnended {
			if err == nil {
				err = polder.Errorf(polder.Conflict, "%d batches have not ended yet; wait for one, or cancel one", n)
			}
			return err
		}
		return insertBatch(tx, &b)
	})
	if err != nil {
		return Batch{}, err
	}
	total, err := s.storeRows(ctx, b, rows)
	if err == nil {
		err = s.write(ctx, func(tx *db.Tx) error { return s.batchStored(tx, by, b, total) })
	}
	if err != nil {
		// What came in is of no use; should this fail too, Work takes it away later.
		_ = s.dropBatch(context.WithoutCancel(ctx), b)
		return Batch{}, err
	}
	return readBatch(s.reader(ctx), by.Org, b.ID)
}

// batchStored says that all rows of a batch are there.
func (s *Service) batchStored(tx *db.Tx, by polder.Actor, b Batch, total int) error {
	if total == 0 {
		return polder.Errorf(polder.Invalid, "there is no row to ask about; is the column of the names the right one?")
	}
	if err := setBatchTotal(tx, b.n, total); err != nil {
		return err
	}
	if ok, err := setBatchState(tx, b.n, BatchWaiting, time.Time{}, BatchStoring, BatchStoring); err != nil || !ok {
		if err == nil {
			err = polder.Errorf(polder.Conflict, "the batch was cancelled while its rows came in")
		}
		return err
	}
	tx.OnCommit(s.toWork)
	return s.noteTx(tx, by, "batch.add", b.ID, map[string]string{"rows": strconv.Itoa(total)})
}

// mark says whether the rows of a batch come in just now.
func (s *Service) mark(id string, on bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if on {
		s.storing[id] = true
	} else {
		delete(s.storing, id)
	}
}

// storeRows stores the rows of a batch, some at a time.
func (s *Service) storeRows(ctx context.Context, b Batch, rows iter.Seq2[Query, error]) (total int, err error) {
	var part []BatchRow
	flush := func() error {
		err := s.write(ctx, func(tx *db.Tx) error {
			for _, r := range part {
				if err := insertBatchRow(tx, b.n, r); err != nil {
					return err
				}
			}
			return nil
		})
		part = part[:0]
		return err
	}
	for q, bad := range rows {
		q, fault, err := takeRow(q, bad)
		if err != nil {
			return total, polder.Errorf(polder.KindOf(err), "row %d: %w; nothing is asked, send the mended file", total+1, err)
		}
		if total++; total > MaxBatchRows {
			return total, polder.Errorf(polder.TooLarge, "a batch takes %d rows; send the rest as a second one", MaxBatchRows)
		}
		r := BatchRow{N: total, Query: q}
		if fault != nil {
			r.Fault, r.Query = clipKept(fault.Error(), maxFault), Query{Ref: clipKept(q.Ref, maxShort), Name: clipKept(q.Name, maxShort)}
		}
		if part = append(part, r); len(part) == rowsAtOnce {
			if err := flush(); err != nil {
				return total, err
			}
		}
	}
	return total, flush()
}

// dropBatch takes a batch away with its rows.
func (s *Service) dropBatch(ctx context.Context, b Batch) error {
	for more := true; more; {
		err := s.write(ctx, func(tx *db.Tx) error {
			n, err := dropBatchRows(tx, b.n, rowsAtOnce)
			if more = n > 0; more || err != nil {
				return err
			}
			return deleteBatch(tx, b.n)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// cutBatches ends batches whose rows came in when the process ended: what came in is taken away, and people are told.
func (s *Service) cutBatches(ctx context.Context) error {
	half, err := batchesIn(s.reader(ctx), BatchStoring, 10*maxUnended)
	if err != nil {
		return err
	}
	for _, b := range half {
		s.mu.Lock()
		coming := s.storing[b.ID]
		s.mu.Unlock()
		for more := !coming; more; {
			err := s.write(ctx, func(tx *db.Tx) error {
				n, err := dropBatchRows(tx, b.n, rowsAtOnce)
				if more = n > 0; more || err != nil {
					return err
				}
				_, err = setBatchState(tx, b.n, BatchCut, s.o.Now(), BatchStoring, BatchStoring)
				return err
			})
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// batch asks some rows of the organisation's oldest batch.
func (w *orgWork) batch(ctx context.Context) (bool, error) {
	b, found, err := nextBatch(w.s.reader(ctx), w.org)
	if err != nil || !found {
		return false, err
	}
	rows, err := batchRows(w.s.reader(ctx), b.n, BatchFilter{After: b.Done, Limit: askedAtOnce})
	if err != nil {
		return false, err
	}
	for len(rows) > 0 {
		n, hits := 0, 0
		var ms []meeting
		for n < len(rows) && hits < hitsAtOnce {
			if err := ctx.Err(); err != nil {
				return false, err
			}
			m := w.askRow(b, rows[n])
			hits += len(m.hits)
			ms = append(ms, m)
			n++
		}
		if ok, err := w.keepRows(ctx, &b, rows[:n], ms); err != nil || !ok {
			return true, err
		}
		rows = rows[n:]
	}
	if b.Done < b.Total { // rows at the end that were erased
		left, err := batchRows(w.s.reader(ctx), b.n, BatchFilter{After: b.Done, Limit: 1})
		if err == nil && len(left) == 0 {
			_, err = w.keepRows(ctx, &b, nil, nil)
		}
		return true, err
	}
	return true, nil
}

// askRow asks about a row.
func (w *orgWork) askRow(b Batch, r BatchRow) meeting {
	if r.Fault != "" {
		return meeting{}
	}
	a := w.screener.Screen(r.Query, Options{Threshold: b.Threshold, Limit: maxKeptHits})
	a.Asked = w.s.o.Now().UTC()
	m := meetingOf(w.org, Party{}, a)
	m.batch = b.ID
	return m
}

// keepRows writes what rows met, and how far the batch is; without rows, that it is done. False when the batch was
// cancelled meanwhile.
func (w *orgWork) keepRows(ctx context.Context, b *Batch, rows []BatchRow, ms []meeting) (ok bool, err error) {
	d := batchSpan{to: b.Total}
	err = w.s.write(ctx, func(tx *db.Tx) error {
		now := w.s.o.Now().UTC().Truncate(time.Microsecond)
		with, err := againstTx(tx, w.org, againstOf(w.now.lists, b.Threshold, 0))
		if err != nil {
			return err
		}
		for i, r := range rows {
			d.to = r.N
			if r.Fault != "" {
				d.refused++
				continue
			}
			got, err := w.s.meetTx(tx, ms[i], now)
			if err != nil {
				return err
			}
			if err := setBatchRow(tx, b.n, r.N, now, with, got.hits); err != nil {
				return err
			}
			if d.opened, d.hits = d.opened+got.opened, d.hits+len(got.hits); len(got.hits) > 0 {
				d.met++
			}
		}
		if ok, err = advanceBatch(tx, *b, d, with, now); err == nil && !ok {
			err = errBatchMoved
		}
		tx.OnCommit(w.s.wake)
		return err
	})
	if err == errBatchMoved {
		return false, nil
	}
	b.Done = d.to
	return ok, err
}

// errBatchMoved undoes what was found for a batch that was cancelled meanwhile.
var errBatchMoved = polder.Errorf(polder.Conflict, "the batch was cancelled")

// Batches are those of the actor's organisation, the newest first; at most limit.
func (s *Service) Batches(ctx context.Context, by polder.Actor, limit int) ([]Batch, error) {
	if err := mayScreen(by, polder.RoleReader); err != nil {
		return nil, err
	}
	return listBatches(s.reader(ctx), by.Org, min(max(limit, 1), 200))
}

// Batch is one batch.
func (s *Service) Batch(ctx context.Context, by polder.Actor, id string) (Batch, error) {
	if err := mayScreen(by, polder.RoleReader); err != nil {
		return Batch{}, err
	}
	return readBatch(s.reader(ctx), by.Org, id)
}

// BatchRows are rows of a batch, in their order.
func (s *Service) BatchRows(ctx context.Context, by polder.Actor, id string, f BatchFilter) ([]BatchRow, error) {
	if err := mayScreen(by, polder.RoleReader); err != nil {
		return nil, err
	}
	if f.Limit <= 0 {
		f.Limit = 50
	}
	f.Limit = min(f.Limit, 1000)
	b, err := readBatch(s.reader(ctx), by.Org, id)
	if err != nil {
		return nil, err
	}
	return batchRows(s.reader(ctx), b.n, f)
}

// CancelBatch stops a batch; what it has led to stays. One that has ended is [polder.Conflict]. It asks for a
// contributor.
func (s *Service) CancelBatch(ctx context.Context, by polder.Actor, id string) error {
	if err := mayScreen(by, polder.RoleContributor); err != nil {
		return err
	}
	return s.write(ctx, func(tx *db.Tx) error {
		b, err := readBatch(tx, by.Org, id)
		if err != nil {
			return err
		}
		if b.State.ended() {
			return polder.Errorf(polder.Conflict, "the batch has ended: %s", b.State)
		}
		if b.State == BatchStoring {
			return polder.Errorf(polder.Conflict, "the batch's rows still come in; stop sending them")
		}
		if _, err := setBatchState(tx, b.n, BatchCancelled, s.o.Now(), BatchWaiting, BatchRunning); err != nil {
			return err
		}
		tx.OnCommit(s.wake)
		return s.noteTx(tx, by, "batch.cancel", b.ID, nil)
	})
}
