package history

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"

	"github.com/parquet-go/parquet-go"
)

// sums protect what the sums of Parquet's pages do not: the end of the file, where indexes and footer say where
// everything lies, and the bloom filters of the column of values, which could hide it.
type sums struct {
	tail   int64    // length of the end of the file
	sum    uint32   // CRC-32C of it
	blooms []uint32 // of each group of rows
}

// maxTail bounds the end of a file that is read to check it.
const maxTail = 256 << 20

// sumsOf reads the sums of a segment's file as it is, and its size.
func sumsOf(f *os.File) (size int64, s sums, err error) {
	info, err := f.Stat()
	if err != nil {
		return 0, s, err
	}
	size = info.Size()
	pq, err := parquet.OpenFile(f, size, parquet.SkipPageIndex(true), parquet.SkipBloomFilters(true))
	if err != nil {
		return 0, s, err
	}
	var end [8]byte
	if _, err := f.ReadAt(end[:], size-8); err != nil {
		return 0, s, err
	}
	from := size - 8 - int64(binary.LittleEndian.Uint32(end[:]))
	for i, rg := range pq.Metadata().RowGroups {
		for _, c := range rg.Columns {
			for _, at := range []int64{c.ColumnIndexOffset, c.OffsetIndexOffset} {
				if at > 0 {
					from = min(from, at)
				}
			}
		}
		sum, err := bloomSum(f, pq, i)
		if err != nil {
			return 0, s, err
		}
		s.blooms = append(s.blooms, sum)
	}
	s.tail = size - from
	s.sum, err = sumAt(f, from, s.tail)
	return size, s, err
}

func sumAt(r io.ReaderAt, from, n int64) (uint32, error) {
	if from < 0 || n < 0 || n > maxTail {
		return 0, errors.New("its parts lie outside the file")
	}
	buf := make([]byte, n)
	if _, err := r.ReadAt(buf, from); err != nil {
		return 0, err
	}
	return crc32.Checksum(buf, castagnoli), nil
}

// bloomSum is the sum of a group's bloom filter of values; 0 when it has none.
func bloomSum(r io.ReaderAt, pq *parquet.File, group int) (uint32, error) {
	m := pq.Metadata().RowGroups[group].Columns[valueColumn].MetaData
	if m.BloomFilterOffset == 0 {
		return 0, nil
	}
	return sumAt(r, m.BloomFilterOffset, int64(m.BloomFilterLength))
}

// check says whether the end of a file is as it was written.
func (s *sums) check(r io.ReaderAt, wrote, size int64) error {
	if wrote != size {
		return fmt.Errorf("it has %d bytes, %d were written", size, wrote)
	}
	sum, err := sumAt(r, size-s.tail, s.tail)
	if err == nil && sum != s.sum {
		err = errors.New("its footer is not as it was written")
	}
	return err
}

// bloomIsWhole says whether a bloom filter can be believed.
func (s *sums) bloomIsWhole(o *opened, group int) bool {
	if group >= len(s.blooms) {
		return false
	}
	sum, err := bloomSum(o.file, o.pq, group)
	return err == nil && sum == s.blooms[group]
}
