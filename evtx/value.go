package evtx

import (
	"encoding/binary"
	"encoding/hex"
	"math"
	"strconv"
	"time"
	"unicode/utf16"
	"unicode/utf8"
)

// Type is what a value is in the log. With [Array] set it is a list of such values.
type Type uint8

// The types of values.
const (
	Null       Type = 0x00
	String     Type = 0x01 // UTF-16 in the log
	ANSI       Type = 0x02 // bytes of a code page that the log does not name; read as Windows-1252's Latin part
	Int8       Type = 0x03
	Uint8      Type = 0x04
	Int16      Type = 0x05
	Uint16     Type = 0x06
	Int32      Type = 0x07
	Uint32     Type = 0x08
	Int64      Type = 0x09
	Uint64     Type = 0x0a
	Real32     Type = 0x0b
	Real64     Type = 0x0c
	Bool       Type = 0x0d
	Binary     Type = 0x0e
	GUID       Type = 0x0f
	Size       Type = 0x10
	FileTime   Type = 0x11
	SystemTime Type = 0x12
	SID        Type = 0x13
	Hex32      Type = 0x14
	Hex64      Type = 0x15
	BinXML     Type = 0x21
	Array      Type = 0x80
)

const typeString = byte(String)

// Number says whether values of the type are written as a number of tens.
func (t Type) Number() bool { return t >= Int8 && t <= Real64 }

// Value is one value of an event.
type Value struct {
	Type Type
	// Text is the value as Windows writes it in XML, before any escaping: numbers of tens, hexadecimal ones with 0x,
	// GUIDs in braces, S-1-5-… for a SID, times as 2024-02-01T08:15:30.1234567Z, binary as digits. Of null it is empty.
	Text []byte
}

// width is the size of one value of a type, 0 when it varies.
func (t Type) width() int {
	switch t &^ Array {
	case Int8, Uint8:
		return 1
	case Int16, Uint16:
		return 2
	case Int32, Uint32, Real32, Bool, Hex32:
		return 4
	case Int64, Uint64, Real64, FileTime, Hex64:
		return 8
	case GUID, SystemTime:
		return 16
	}
	return 0
}

// cut gives the first element of an array and the rest.
func (t Type) cut(b []byte) (first, rest []byte) {
	switch n := t.width(); {
	case n > 0:
		n = min(n, len(b))
		return b[:n], b[n:]
	case t&^Array == String:
		for i := 0; i+1 < len(b); i += 2 {
			if b[i] == 0 && b[i+1] == 0 {
				return b[:i], b[i+2:]
			}
		}
	case t&^Array == ANSI:
		for i, c := range b {
			if c == 0 {
				return b[:i], b[i+1:]
			}
		}
	case t&^Array == SID && len(b) >= 8:
		n := min(8+4*int(b[1]), len(b))
		return b[:n], b[n:]
	}
	return b, nil
}

// appendValue appends the text of a value; of an array its elements with commas between.
func appendValue(dst []byte, t Type, b []byte) []byte {
	if t&Array == 0 {
		return appendOne(dst, t, b)
	}
	for i := 0; len(b) > 0; i++ {
		var first []byte
		first, b = t.cut(b)
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = appendOne(dst, t&^Array, first)
	}
	return dst
}

func appendOne(dst []byte, t Type, b []byte) []byte {
	if n := t.width(); n > 0 && len(b) != n {
		return appendOdd(dst, t, b)
	}
	le := binary.LittleEndian
	switch t {
	case Null, BinXML:
		return dst
	case String:
		return appendUTF16(dst, trimUTF16(b))
	case ANSI:
		return appendANSI(dst, b)
	case Int8:
		return strconv.AppendInt(dst, int64(int8(b[0])), 10)
	case Uint8:
		return strconv.AppendUint(dst, uint64(b[0]), 10)
	case Int16:
		return strconv.AppendInt(dst, int64(int16(le.Uint16(b))), 10)
	case Uint16:
		return strconv.AppendUint(dst, uint64(le.Uint16(b)), 10)
	case Int32:
		return strconv.AppendInt(dst, int64(int32(le.Uint32(b))), 10)
	case Uint32:
		return strconv.AppendUint(dst, uint64(le.Uint32(b)), 10)
	case Int64:
		return strconv.AppendInt(dst, int64(le.Uint64(b)), 10)
	case Uint64:
		return strconv.AppendUint(dst, le.Uint64(b), 10)
	case Real32:
		return strconv.AppendFloat(dst, float64(math.Float32frombits(le.Uint32(b))), 'g', -1, 32)
	case Real64:
		return strconv.AppendFloat(dst, math.Float64frombits(le.Uint64(b)), 'g', -1, 64)
	case Bool:
		return strconv.AppendBool(dst, le.Uint32(b) != 0)
	case GUID:
		return appendGUID(dst, b)
	case FileTime:
		return filetime(le.Uint64(b)).AppendFormat(dst, stamp)
	case SystemTime:
		return appendSystemTime(dst, b)
	case SID:
		return appendSID(dst, b)
	case Hex32:
		return strconv.AppendUint(append(dst, "0x"...), uint64(le.Uint32(b)), 16)
	case Hex64:
		return strconv.AppendUint(append(dst, "0x"...), le.Uint64(b), 16)
	case Size:
		return appendOdd(dst, t, b)
	}
	return appendHex(dst, b)
}

// stamp is how a time is written: in the log's own steps of 100 nanoseconds.
const stamp = "2006-01-02T15:04:05.0000000Z"

// appendOdd writes a value whose size is not that of its type, which some writers produce for booleans and sizes: as a
// whole number when it can be one, else its bytes.
func appendOdd(dst []byte, t Type, b []byte) []byte {
	if len(b) == 0 {
		return dst
	}
	if len(b) > 8 {
		return appendHex(dst, b)
	}
	var n uint64
	for i, c := range b {
		n |= uint64(c) << (8 * i)
	}
	switch t {
	case Bool:
		return strconv.AppendBool(dst, n != 0)
	case Size, Hex32, Hex64:
		return strconv.AppendUint(append(dst, "0x"...), n, 16)
	case Uint8, Uint16, Uint32, Uint64:
		return strconv.AppendUint(dst, n, 10)
	}
	return appendHex(dst, b)
}

const digits = "0123456789ABCDEF"

func appendHex(dst, b []byte) []byte {
	for _, c := range b {
		dst = append(dst, digits[c>>4], digits[c&15])
	}
	return dst
}

func appendGUID(dst, b []byte) []byte {
	g := [16]byte{b[3], b[2], b[1], b[0], b[5], b[4], b[7], b[6]}
	copy(g[8:], b[8:16])
	dst = append(dst, '{')
	for i := range g {
		if i == 4 || i == 6 || i == 8 || i == 10 {
			dst = append(dst, '-')
		}
		dst = hex.AppendEncode(dst, g[i:i+1])
	}
	return append(dst, '}')
}

func appendSID(dst, b []byte) []byte {
	if len(b) < 8 || len(b) < 8+4*int(b[1]) {
		return appendHex(dst, b)
	}
	dst = strconv.AppendUint(append(dst, "S-"...), uint64(b[0]), 10)
	var authority uint64
	for _, c := range b[2:8] {
		authority = authority<<8 | uint64(c)
	}
	dst = strconv.AppendUint(append(dst, '-'), authority, 10)
	for i := range int(b[1]) {
		dst = strconv.AppendUint(append(dst, '-'), uint64(binary.LittleEndian.Uint32(b[8+4*i:])), 10)
	}
	return dst
}

func appendSystemTime(dst, b []byte) []byte {
	var f [8]int
	for i := range f {
		f[i] = int(binary.LittleEndian.Uint16(b[2*i:]))
	}
	t := time.Date(f[0], time.Month(f[1]), f[3], f[4], f[5], f[6], f[7]*int(time.Millisecond), time.UTC)
	return t.AppendFormat(dst, "2006-01-02T15:04:05.000Z")
}

// filetime is a time counted in steps of 100 nanoseconds from the year 1601. One past the year 9999 is the zero time.
func filetime(n uint64) time.Time {
	const toUnix, last = 11644473600, 2650467744000000000
	if n > last {
		return time.Time{}
	}
	return time.Unix(int64(n/1e7)-toUnix, int64(n%1e7)*100).UTC()
}

// trimUTF16 takes zeros off the end, which fill fixed fields.
func trimUTF16(b []byte) []byte {
	b = b[:len(b)&^1]
	for len(b) >= 2 && b[len(b)-1] == 0 && b[len(b)-2] == 0 {
		b = b[:len(b)-2]
	}
	return b
}

func appendANSI(dst, b []byte) []byte {
	for len(b) > 0 && b[len(b)-1] == 0 {
		b = b[:len(b)-1]
	}
	for _, c := range b {
		dst = utf8.AppendRune(dst, rune(c))
	}
	return dst
}

// appendUTF16 appends text of UTF-16, little end first, as UTF-8; half a surrogate pair becomes U+FFFD.
func appendUTF16(dst, src []byte) []byte {
	for len(src) >= 2 {
		r := rune(binary.LittleEndian.Uint16(src))
		src = src[2:]
		if r < utf8.RuneSelf {
			dst = append(dst, byte(r))
			continue
		}
		if utf16.IsSurrogate(r) {
			low := rune(utf8.RuneError)
			if len(src) >= 2 {
				low = rune(binary.LittleEndian.Uint16(src))
			}
			if r = utf16.DecodeRune(r, low); r != utf8.RuneError {
				src = src[2:]
			}
		}
		dst = utf8.AppendRune(dst, r)
	}
	return dst
}
