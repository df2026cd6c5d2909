// Package strip takes out of a file what tells of who made it, when, where and with what. It is pure, and strip.js among
// the scripts of package cases gives the same bytes, so that a reporter's device cleans before it seals.
//
// Pictures (JPEG, PNG, GIF, WebP) keep their pixels bit for bit, and lose everything beside them but what is needed to
// show them: how a photo was held is kept, the colour profile is not, since profiles name devices. Office documents
// (Office Open XML, OpenDocument) keep their text and lose properties, names of authors of comments and changes, paths,
// printers, and what their pictures tell. What a picture shows and a text says stays, of course: nobody else can judge it.
//
// Every other kind of file, PDF among them, is an error: it is not cleaned, and nobody can vouch for what is inside.
package strip

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
)

// ErrNotCleaned says that a file was not cleaned, so nobody can vouch for what it tells of its maker.
var ErrNotCleaned = errors.New("it is not cleaned, and nobody can vouch for what is inside")

// Most is the largest file that is cleaned.
const Most = 64 << 20

// Strip is data without what tells of its maker, and what was removed, each named once: "EXIF", "XMP", "comments",
// "colour profile", "text", "time", "thumbnail", "what follows the end", "other data", "document properties", "names",
// "paths", "printers". The kind is read from data; name is only said in the error, which is [ErrNotCleaned] with a
// reason. data is not changed.
func Strip(name string, data []byte) (out []byte, removed []string, err error) {
	if len(data) > Most {
		return nil, nil, refuse(name, "it is larger than 64 MiB")
	}
	c := &cleaner{data: data}
	reason := c.clean()
	if reason != "" {
		return nil, nil, refuse(name, reason)
	}
	return c.out, c.removed, nil
}

func refuse(name, reason string) error {
	return fmt.Errorf("%q: %s; %w", name, reason, ErrNotCleaned)
}

// cleaner reads data and writes out. Each of its methods named by a kind gives the reason why it cannot, or "".
type cleaner struct {
	data    []byte
	out     []byte
	removed []string
}

func (c *cleaner) clean() string {
	switch d := c.data; {
	case bytes.HasPrefix(d, []byte{0xff, 0xd8, 0xff}):
		return c.jpeg()
	case bytes.HasPrefix(d, []byte("\x89PNG\r\n\x1a\n")):
		return c.png()
	case bytes.HasPrefix(d, []byte("GIF87a")), bytes.HasPrefix(d, []byte("GIF89a")):
		return c.gif()
	case len(d) >= 12 && string(d[:4]) == "RIFF" && string(d[8:12]) == "WEBP":
		return c.webp()
	case bytes.HasPrefix(d, []byte("PK\x03\x04")):
		return c.office()
	case bytes.HasPrefix(d, []byte("%PDF")):
		return "a PDF keeps its history in ways that cannot be taken out safely"
	}
	return "this kind of file is not known here"
}

// remove notes what was removed.
func (c *cleaner) remove(what string) {
	if !slices.Contains(c.removed, what) {
		c.removed = append(c.removed, what)
	}
}

// damaged is the reason for a file that does not keep to its kind.
const damaged = "the file is damaged"
