package main

import (
	"bytes"
	"encoding/binary"
	"image"
	"image/jpeg"
	"os"
	"slices"

	"github.com/rogpeppe/go-internal/testscript"
)

// photo FILE WORDS writes a picture as a phone makes it, with words in its EXIF data and behind its end.
func photo(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: photo FILE WORDS")
	}
	var b bytes.Buffer
	ts.Check(jpeg.Encode(&b, image.NewGray(image.Rect(0, 0, 24, 16)), nil))
	exif := "Exif\x00\x00II*\x00\x08\x00\x00\x00\x00\x00\x00\x00\x00\x00" + args[1]
	segment := append(binary.BigEndian.AppendUint16([]byte{0xff, 0xe1}, uint16(len(exif)+2)), exif...)
	out := slices.Concat(b.Bytes()[:2], segment, b.Bytes()[2:], []byte(args[1]))
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), out, 0o600))
}
