package stix

import (
	"fmt"
	"io"
)

// A BundleWriter writes a STIX bundle to a stream, object by object.
type BundleWriter struct {
	// ID is the id of the bundle. It may be changed until the first Add or Close.
	ID string

	w     io.Writer
	count int
	err   error
}

// WriteBundle begins a bundle with a random id. Nothing is written before the first Add or Close.
func WriteBundle(w io.Writer) *BundleWriter { return &BundleWriter{ID: NewID("bundle"), w: w} }

// Add writes one object, which must be JSON; its bytes are written as they are. After an error of the stream every
// further call returns the same error.
func (b *BundleWriter) Add(raw []byte) error {
	if b.err != nil {
		return b.err
	}
	if err := strict(raw); err != nil {
		return err // and the bundle goes on without it
	}
	lead := ",\n"
	if b.count == 0 {
		lead = fmt.Sprintf(`{"type":"bundle","id":%q,"objects":[`+"\n", b.ID)
	}
	b.count++
	b.write([]byte(lead))
	b.write(raw)
	return b.err
}

// Close ends the bundle; it does not close the stream. A bundle without objects has no list of them.
func (b *BundleWriter) Close() error {
	if b.count == 0 {
		b.write(fmt.Appendf(nil, `{"type":"bundle","id":%q}`+"\n", b.ID))
	} else {
		b.write([]byte("\n]}\n"))
	}
	return b.err
}

func (b *BundleWriter) write(p []byte) {
	if b.err == nil {
		_, b.err = b.w.Write(p)
	}
}
