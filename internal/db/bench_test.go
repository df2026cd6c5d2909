package db

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
)

// BenchmarkFsync is the floor of a commit: one page appended to a file and synced.
func BenchmarkFsync(b *testing.B) {
	f, err := os.Create(filepath.Join(b.TempDir(), "floor"))
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	page := make([]byte, 4096)
	for b.Loop() {
		if _, err := f.Write(page); err != nil {
			b.Fatal(err)
		}
		if err := f.Sync(); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkWrite is a durable write of one row of 1,400 bytes, by writers at the same time, to be read beside
// BenchmarkFsync of the same run. commits/write below 1 is what sharing a commit saves.
func BenchmarkWrite(b *testing.B) {
	body := strings.Repeat("x", 1400)
	for _, writers := range []int{1, 8, 64} {
		b.Run(fmt.Sprintf("writers=%d", writers), func(b *testing.B) {
			d := newDB(b, Options{})
			var next, left atomic.Int64
			left.Store(int64(b.N))
			done := make(chan error, writers)
			b.ReportAllocs()
			b.ResetTimer()
			for range writers {
				go func() {
					var err error
					for err == nil && left.Add(-1) >= 0 {
						n := next.Add(1)
						err = d.Write(context.Background(), func(tx *Tx) error {
							_, err := tx.Exec(`INSERT INTO t VALUES(?, ?)`, n, body)
							return err
						})
					}
					done <- err
				}()
			}
			for range writers {
				if err := <-done; err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkBatch is a durable write of 1,000 rows of 1,400 bytes.
func BenchmarkBatch(b *testing.B) {
	d := newDB(b, Options{})
	body := strings.Repeat("x", 1400)
	n := 0
	b.ReportAllocs()
	for b.Loop() {
		err := d.Write(context.Background(), func(tx *Tx) error {
			for range 1000 {
				n++
				if _, err := tx.Exec(`INSERT INTO t VALUES(?, ?)`, n, body); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(1000*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
}

// BenchmarkRead is a point read through the pool.
func BenchmarkRead(b *testing.B) {
	d := newDB(b, Options{})
	for i := range 1000 {
		mustWrite(b, d, `INSERT INTO t VALUES(?, 'x')`, i)
	}
	i := 0
	b.ReportAllocs()
	for b.Loop() {
		i++
		var s string
		if err := d.Read().QueryRow(`SELECT s FROM t WHERE n = ?`, i%1000).Scan(&s); err != nil {
			b.Fatal(err)
		}
	}
}
