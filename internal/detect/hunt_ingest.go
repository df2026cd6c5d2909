package detect

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"github.com/polder-exchange/polder/event"
	"github.com/polder-exchange/polder/internal/cli"
	"github.com/polder-exchange/polder/internal/detect/history"
)

// batchBytes is how much a goroutine gathers before it appends.
const batchBytes = 4 << 20

// Ingested is what was taken of one file into a history.
type Ingested struct {
	File        string   `json:"file"`
	Format      string   `json:"format"`
	Compression string   `json:"compression,omitempty"`
	Events      int64    `json:"events"`     // that could be read
	New         int64    `json:"new"`        // that the history did not have
	Unreadable  int64    `json:"unreadable"` // records that could not be read
	Bytes       int64    `json:"bytes"`      // of the content, uncompressed
	Trouble     []string `json:"trouble"`
}

// Ingest reads a file into a history, with as many goroutines as the machine has processors. What cannot be read of it is
// said in the answer; the error is that of ctx or of the history. It is durable after [history.Store.Flush].
func Ingest(ctx context.Context, store *history.Store, name string, in io.Reader, format event.Format, now time.Time) (Ingested, error) {
	got := Ingested{File: name, Trouble: []string{}}
	s, err := event.Open(in, event.Options{Format: format, Name: name, Now: now})
	if err != nil {
		got.Trouble = append(got.Trouble, complaint(err))
		return got, ctx.Err()
	}
	got.Format, got.Compression = string(s.Format()), s.Compression()
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	reading := store.NewReading(history.Origin{File: name, Format: s.Format(), Received: now})
	chunks := make(chan event.Chunk)
	var mu sync.Mutex
	var wg sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		w := &ingester{store: store, batch: reading.NewBatch(NewHistoryObserver()), decoder: s.NewDecoder()}
		wg.Go(func() {
			err := w.run(ctx, chunks)
			mu.Lock()
			defer mu.Unlock()
			got.Events += w.events
			got.New += w.fresh
			got.Unreadable += w.bad
			got.Trouble = append(got.Trouble, w.trouble[:min(len(w.trouble), max(0, maxTrouble-len(got.Trouble)))]...)
			if err != nil {
				cancel(err)
			}
		})
	}
	broken := feed(ctx, s, chunks)
	wg.Wait()
	got.Trouble = append(got.Trouble, broken...)
	got.Bytes = s.Bytes()
	return got, context.Cause(ctx)
}

// feed hands out the chunks of a stream until its end, and tells where the stream itself was broken.
func feed(ctx context.Context, s *event.Scanner, chunks chan<- event.Chunk) (broken []string) {
	defer close(chunks)
	for {
		c, err := s.Next()
		if err == io.EOF {
			return broken
		}
		if err != nil {
			broken = append(broken, complaint(err))
			continue
		}
		select {
		case chunks <- c:
		case <-ctx.Done():
			return broken
		}
	}
}

// ingester decodes chunks into a batch and appends that.
type ingester struct {
	store   *history.Store
	batch   *history.Batch
	decoder event.Decoder

	events, fresh, bad int64
	trouble            []string
}

func (w *ingester) run(ctx context.Context, chunks <-chan event.Chunk) error {
	var ev event.Event
	for c := range chunks {
		var failed error
		w.decoder.Decode(c, &ev, func(bad *event.Error) bool {
			if bad != nil {
				w.bad++
				if len(w.trouble) < maxTrouble {
					w.trouble = append(w.trouble, complaint(bad))
				}
				return true
			}
			w.events++
			w.batch.Add(&ev, nil)
			if w.batch.Bytes() > batchBytes {
				failed = w.append()
			}
			return failed == nil
		})
		if failed != nil {
			return failed
		}
		if ctx.Err() != nil {
			return nil
		}
	}
	return w.append()
}

func (w *ingester) append() error {
	n, err := w.store.Append(w.batch)
	w.fresh += int64(n)
	return err
}

// IngestCommand is `polder ingest`: events into a history, without a node.
func IngestCommand(now func() time.Time) *cobra.Command {
	var store, format string
	var values bool
	c := &cobra.Command{
		Use:   "ingest --store DIR FILE...",
		Short: "Put log files into a history that can be hunted",
		Long: "Put the events of log files into a history: a folder of Parquet files, made when it is not there, that `polder hunt` looks\n" +
			"back in and any data tool reads. Formats are recognised, gzip and zstd undone, folders walked; - is standard input. A record that\n" +
			"the history has is not put in again: a file may be given twice, or again when it has grown.\n\n" +
			"Formats: " + formatNames() + ".",
		Example: "  polder ingest --store history /var/log/suricata/eve.json Security.evtx\n  zcat old.gz | polder ingest --store history --format zeek-tsv -",
		Args:    cobra.MinimumNArgs(1),
	}
	c.Flags().StringVar(&store, "store", "", "the `folder` of the history")
	c.Flags().StringVar(&format, "format", "", "the `format` of the files, if it is not recognised")
	c.Flags().BoolVar(&values, "values-only", false, "keep the values that an indicator can name, not the events themselves: rules cannot be run over them")
	cli.JSONFlag(c)
	_ = c.MarkFlagRequired("store")
	_ = c.MarkFlagDirname("store")
	c.RunE = func(cmd *cobra.Command, args []string) error {
		asked := event.Format("")
		if format != "" {
			var err error
			if asked, err = event.ParseFormat(format); err != nil {
				return cli.Usagef("--format: %w", err)
			}
		}
		s, err := history.Open(store, history.Options{ObservablesOnly: values})
		if err != nil {
			return err
		}
		return errors.Join(ingestFiles(cmd, s, args, asked, now), s.Close())
	}
	return c
}

// ingestFiles reads the files that args name, and says of each what came of it.
func ingestFiles(cmd *cobra.Command, s *history.Store, args []string, format event.Format, now func() time.Time) error {
	out := cli.Out(cmd)
	var total Ingested
	files := 0
	bar := cli.NewProgress(cmd, "reading", -1)
	defer bar.Done()
	var before int64
	failed, err := eachFile(args, func(name string, named bool) (bool, error) {
		in, err := cli.Open(cmd, name)
		if err != nil {
			cli.Err(cmd).Printf("polder: %s\n", err)
			return false, nil
		}
		defer in.Close()
		var seen int64
		got, err := Ingest(cmd.Context(), s, name, &counted{in: in, tell: func(n int64) {
			seen = n
			bar.Set(before + n)
		}}, format, now())
		before += seen
		total.Events, total.New, total.Unreadable = total.Events+got.Events, total.New+got.New, total.Unreadable+got.Unreadable
		for _, t := range got.Trouble {
			cli.Err(cmd).Printf("polder: %s: %s\n", name, t)
		}
		if err != nil {
			return false, fmt.Errorf("%s: %w", name, err)
		}
		if got.Format != "" {
			files++
			err = got.print(out)
		}
		return got.Format != "" || !named, err
	})
	if err == nil {
		err = s.Flush()
	}
	if err == nil {
		_, err = s.Compact(cmd.Context())
	}
	switch {
	case err != nil:
		return err
	case files == 0:
		return errors.New("no file could be read; see above")
	case failed > 0:
		return fmt.Errorf("%d of the named files could not be read; see above", failed)
	}
	if !out.AsJSON() {
		out.Printf("%d events in %d files: %d are new, %d the history had already, %d records could not be read\n",
			total.Events, files, total.New, total.Events-total.New, total.Unreadable)
	}
	return nil
}

// print says what came of one file.
func (g *Ingested) print(out *cli.Printer) error {
	if out.AsJSON() {
		return out.JSON(g)
	}
	format := g.Format
	if g.Compression != "" {
		format += ", " + strings.ReplaceAll(g.Compression, ", ", " in ")
	}
	out.Printf("%s (%s): %d events, %d new\n", g.File, format, g.Events, g.New)
	return nil
}
