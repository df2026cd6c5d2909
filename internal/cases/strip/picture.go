package strip

import (
	"bytes"
	"encoding/binary"
)

// jpeg keeps the segments that make the picture, and how it was held.
func (c *cleaner) jpeg() string {
	d := c.data
	c.out = append(c.out, 0xff, 0xd8)
	turned := uint16(0)
	for at := 2; ; {
		for at+1 < len(d) && d[at] == 0xff && d[at+1] == 0xff {
			at++ // fill bytes
		}
		if at+2 > len(d) || d[at] != 0xff {
			return damaged
		}
		marker := d[at+1]
		if marker == 0xd9 { // the end
			c.out = append(c.out, 0xff, 0xd9)
			if at+2 < len(d) {
				c.remove("what follows the end")
			}
			return ""
		}
		if at+4 > len(d) {
			return damaged
		}
		size := int(binary.BigEndian.Uint16(d[at+2:]))
		if size < 2 || at+2+size > len(d) || marker < 0xc0 || marker >= 0xd0 && marker <= 0xd8 {
			return damaged
		}
		body := d[at+4 : at+2+size]
		next := at + 2 + size
		if marker == 0xda {
			next = scanEnd(d, next)
		}
		switch {
		case marker == 0xe0 && bytes.HasPrefix(body, []byte("JFIF\x00")) && len(body) >= 12:
			c.out = append(append(append(c.out, 0xff, 0xe0, 0, 16), body[:12]...), 0, 0)
			if len(body) > 14 {
				c.remove("thumbnail")
			}
		case marker == 0xe1 && bytes.HasPrefix(body, []byte("Exif\x00\x00")):
			if o := orientation(body[6:]); o > 1 && turned == 0 {
				turned = o
				c.out = append(c.out, turnedSegment(o)...)
			}
			if !bytes.Equal(d[at:next], turnedSegment(turned)) {
				c.remove("EXIF")
			}
		case marker == 0xee && bytes.HasPrefix(body, []byte("Adobe")):
			c.out = append(c.out, d[at:next]...) // how colours are meant
		case marker >= 0xe0 && marker <= 0xef || marker >= 0xf0:
			c.remove(jpegName(marker, body))
		default:
			c.out = append(c.out, d[at:next]...)
		}
		at = next
	}
}

func jpegName(marker byte, body []byte) string {
	switch {
	case marker == 0xfe:
		return "comments"
	case marker == 0xe1:
		return "XMP"
	case marker == 0xe2 && bytes.HasPrefix(body, []byte("ICC_PROFILE\x00")):
		return "colour profile"
	}
	return "other data"
}

// scanEnd is where the coded picture that begins at a place ends: at the next marker that is no restart.
func scanEnd(d []byte, at int) int {
	for ; at+1 < len(d); at++ {
		if d[at] == 0xff && d[at+1] != 0 && d[at+1] != 0xff && (d[at+1] < 0xd0 || d[at+1] > 0xd7) {
			return at
		}
	}
	return len(d)
}

// turnedSegment is a segment that says how a photo was held, and nothing else.
func turnedSegment(o uint16) []byte {
	return []byte{0xff, 0xe1, 0, 34, 'E', 'x', 'i', 'f', 0, 0, 'M', 'M', 0, 42, 0, 0, 0, 8, 0, 1, 1, 0x12, 0, 3, 0, 0, 0, 1, 0, byte(o), 0, 0, 0, 0, 0, 0}
}

// orientation is that of an Exif block, 1 to 8; 0 where it does not say.
func orientation(t []byte) uint16 {
	var order binary.ByteOrder = binary.BigEndian
	if len(t) < 8 {
		return 0
	}
	if t[0] == 'I' {
		order = binary.LittleEndian
	}
	first := int64(order.Uint32(t[4:]))
	if first+2 > int64(len(t)) {
		return 0
	}
	count := int64(order.Uint16(t[first:]))
	for i := range count {
		at := first + 2 + 12*i
		if at+12 > int64(len(t)) {
			return 0
		}
		if order.Uint16(t[at:]) == 0x112 {
			if o := order.Uint16(t[at+8:]); o >= 1 && o <= 8 {
				return o
			}
			return 0
		}
	}
	return 0
}

// pngKept are the chunks that make the picture or move it; what else there is goes.
var pngKept = map[string]bool{
	"IHDR": true, "PLTE": true, "IDAT": true, "IEND": true, "tRNS": true, "gAMA": true, "cHRM": true, "sRGB": true, "sBIT": true, "bKGD": true,
	"hIST": true, "pHYs": true, "acTL": true, "fcTL": true, "fdAT": true,
}

var pngNames = map[string]string{"tEXt": "text", "zTXt": "text", "iTXt": "text", "eXIf": "EXIF", "tIME": "time", "iCCP": "colour profile"}

func (c *cleaner) png() string {
	d := c.data
	c.out = append(c.out, d[:8]...)
	for at := 8; ; {
		if at+12 > len(d) {
			return damaged
		}
		size := int64(binary.BigEndian.Uint32(d[at:]))
		if size > int64(len(d)-at-12) {
			return damaged
		}
		next := at + 12 + int(size)
		kind := string(d[at+4 : at+8])
		switch {
		case at == 8 && kind != "IHDR":
			return damaged
		case pngKept[kind]:
			c.out = append(c.out, d[at:next]...)
		case pngNames[kind] != "":
			c.remove(pngNames[kind])
		default:
			c.remove("other data")
		}
		if kind == "IEND" {
			if next < len(d) {
				c.remove("what follows the end")
			}
			return ""
		}
		at = next
	}
}

// gif keeps the pictures, how long each is shown, and that they repeat.
func (c *cleaner) gif() string {
	d := c.data
	if len(d) < 13 {
		return damaged
	}
	at := 13 + colours(d[10])
	if at > len(d) {
		return damaged
	}
	c.out = append(c.out, d[:at]...)
	for at < len(d) {
		var next int
		keep, name := true, ""
		switch d[at] {
		case 0x3b:
			c.out = append(c.out, 0x3b)
			if at+1 < len(d) {
				c.remove("what follows the end")
			}
			return ""
		case 0x2c:
			if at+10 > len(d) {
				return damaged
			}
			next = at + 10 + colours(d[at+9]) + 1 // and the size of codes
		case 0x21:
			if at+3 > len(d) {
				return damaged
			}
			next = at + 2
			keep, name = gifExtension(d, at)
		default:
			return damaged
		}
		if next = blocksEnd(d, next); next < 0 {
			return damaged
		}
		if keep {
			c.out = append(c.out, d[at:next]...)
		} else {
			c.remove(name)
		}
		at = next
	}
	return damaged
}

func gifExtension(d []byte, at int) (keep bool, name string) {
	switch d[at+1] {
	case 0xf9:
		return true, ""
	case 0xfe:
		return false, "comments"
	case 0xff:
		if at+14 > len(d) {
			return false, "other data"
		}
		switch string(d[at+3 : at+14]) {
		case "NETSCAPE2.0", "ANIMEXTS1.0":
			return true, ""
		case "XMP DataXMP":
			return false, "XMP"
		}
	}
	return false, "other data"
}

// colours is the size of a table of colours that a packed field announces.
func colours(packed byte) int {
	if packed&0x80 == 0 {
		return 0
	}
	return 3 << (packed&7 + 1)
}

// blocksEnd is what follows a row of blocks, or -1.
func blocksEnd(d []byte, at int) int {
	for at < len(d) {
		size := int(d[at])
		at += 1 + size
		if size == 0 {
			return at
		}
	}
	return -1
}

var webpNames = map[string]string{"EXIF": "EXIF", "XMP ": "XMP", "ICCP": "colour profile"}

// webp keeps the chunks that make the picture or move it.
func (c *cleaner) webp() string {
	d := c.data
	end := int64(binary.LittleEndian.Uint32(d[4:])) + 8
	if end > int64(len(d)) || end < 12 {
		return damaged
	}
	if end < int64(len(d)) {
		c.remove("what follows the end")
	}
	c.out = append(c.out, d[:12]...)
	for at := int64(12); at < end; {
		if at+8 > end {
			return damaged
		}
		size := int64(binary.LittleEndian.Uint32(d[at+4:]))
		next := at + 8 + size + size%2
		if at+8+size > end {
			return damaged
		}
		next = min(next, end)
		switch kind := string(d[at : at+4]); kind {
		case "VP8 ", "VP8L", "ALPH", "ANIM", "ANMF":
			c.out = append(c.out, d[at:next]...)
		case "VP8X":
			if size < 10 {
				return damaged
			}
			from := len(c.out)
			c.out = append(c.out, d[at:next]...)
			c.out[from+8] &^= 0x20 | 0x08 | 0x04 // says no more that there is a profile, EXIF or XMP
		default:
			if name := webpNames[kind]; name != "" {
				c.remove(name)
			} else {
				c.remove("other data")
			}
		}
		at = next
	}
	binary.LittleEndian.PutUint32(c.out[4:], uint32(len(c.out)-8))
	return ""
}
