package lists

import (
	"archive/zip"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/polder-exchange/polder"
)

// companions are the files that a list came with, in a folder or a zip file. Their names are looked up among what is
// there; none is ever taken as a path.
type companions struct {
	name  string // of the folder or zip
	o     ReadOptions
	files map[string]func() (io.ReadCloser, error)
	sums  map[string]string // of the files that were read
	shut  []io.Closer
}

// stem is a file's name by which it is found: lower case, without its end.
func stem(name string) string {
	base := strings.ToLower(path.Base(filepath.ToSlash(name)))
	return strings.TrimSuffix(strings.TrimSuffix(base, ".gz"), path.Ext(strings.TrimSuffix(base, ".gz")))
}

// open is the text of the first of these files that is there; nil without one. It may be asked of nil.
func (c *companions) open(stems ...string) (*source, string, error) {
	if c == nil {
		return nil, "", nil
	}
	for _, want := range stems {
		for _, name := range sortedKeys(c.files) {
			if stem(name) != want {
				continue
			}
			s, err := c.source(name)
			return s, name, err
		}
	}
	return nil, "", nil
}

// source opens one file of the set, hashed as it is read.
func (c *companions) source(name string) (*source, error) {
	f, err := c.files[name]()
	if err != nil {
		return nil, wrap(path.Join(c.name, name), err)
	}
	c.shut = append(c.shut, f)
	full := path.Join(filepath.ToSlash(c.name), name)
	w := newRaw(full, f, c.o)
	s, err := newSource(full, w, c.o)
	if err != nil {
		return nil, err
	}
	s.in.Peek(1) //nolint:errcheck // the reader of the form meets the error
	c.files[name] = func() (io.ReadCloser, error) {
		return nil, failf(full, 0, "read twice", "")
	}
	c.sums[name] = ""
	c.shut = append(c.shut, closeFunc(func() error {
		err := w.drain()
		c.sums[name] = hex.EncodeToString(w.sum.Sum(nil))
		return err
	}))
	return s, nil
}

type closeFunc func() error

func (f closeFunc) Close() error { return f() }

// close finishes the files that were opened, the newest first.
func (c *companions) close() error {
	var first error
	for _, f := range slices.Backward(c.shut) {
		if err := f.Close(); err != nil && first == nil {
			first = err
		}
	}
	c.shut = nil
	return first
}

// sum is the hash of the set: that of its one file, or of the lines "hash  name" of all that were read, in order.
func (c *companions) sum() string {
	if len(c.sums) == 1 {
		for _, s := range c.sums {
			return s
		}
	}
	h := sha256.New()
	for _, name := range sortedKeys(c.sums) {
		fmt.Fprintf(h, "%s  %s\n", c.sums[name], name)
	}
	return hex.EncodeToString(h.Sum(nil))
}

// read reads the list of the set: its one file, or the main one of OFAC's.
func (c *companions) read() (l *List, err error) {
	main := ""
	for _, name := range sortedKeys(c.files) {
		if stem(name) == "sdn" || stem(name) == "cons_prim" || len(c.files) == 1 {
			main = name
			break
		}
	}
	if main == "" {
		return nil, failf(c.name, 0, "holds "+clip(strings.Join(sortedKeys(c.files), ", "), 200)+", and it is not plain which is the list", "name the file, or a folder with sdn.csv and its companions")
	}
	if c.o.As == "" {
		c.o.As = listName(c.name)
	}
	defer func() {
		if e := c.close(); e != nil && err == nil {
			l, err = nil, e
		}
		if l != nil {
			l.SHA256 = c.sum()
		}
	}()
	s, err := c.source(main)
	if err != nil {
		return nil, err
	}
	s.more = c
	return readSource(s, c.o)
}

// ReadPath reads the list at a path: a file, or a folder with the files of one list. What is no regular file (a pipe, a
// device) is refused; no link is followed out of the folder. The SHA-256 of a set of files is that of the lines
// "hash  name" of those that were read, in the order of their names. A list that says no date has that of its newest
// file, and a note that says so.
func ReadPath(name string, o ReadOptions) (*List, error) {
	l, changed, err := readPath(name, o)
	if err == nil && l.Date == "" && !changed.IsZero() {
		l.Date, l.OfFile = changed.UTC().Format(time.DateOnly), true
		l.Notes = append(l.Notes, "the list does not say its date; this is the date of its file")
	}
	return l, err
}

// readPath reads the list at a path, and says when its newest file was last changed.
func readPath(name string, o ReadOptions) (l *List, changed time.Time, err error) {
	info, err := os.Stat(name)
	if err != nil {
		return nil, changed, polder.Errorf(polder.NotFound, "%s: %w; name a file or a folder", name, err.(*fs.PathError).Err)
	}
	if info.IsDir() {
		return readFolder(name, o)
	}
	if !info.Mode().IsRegular() {
		return nil, changed, failf(name, 0, "is no regular file", "a file or a folder")
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, changed, wrap(name, err)
	}
	defer f.Close()
	l, err = Read(name, f, o)
	return l, info.ModTime(), err
}

func readFolder(name string, o ReadOptions) (l *List, changed time.Time, err error) {
	root, err := os.OpenRoot(name)
	if err != nil {
		return nil, changed, wrap(name, err)
	}
	defer root.Close()
	entries, err := fs.ReadDir(root.FS(), ".")
	if err != nil {
		return nil, changed, wrap(name, err)
	}
	c := &companions{name: name, o: o, files: map[string]func() (io.ReadCloser, error){}, sums: map[string]string{}}
	for _, e := range entries {
		if info, err := root.Stat(e.Name()); err == nil && info.Mode().IsRegular() && !strings.HasPrefix(e.Name(), ".") {
			c.files[e.Name()] = func() (io.ReadCloser, error) { return root.Open(e.Name()) }
			if info.ModTime().After(changed) {
				changed = info.ModTime()
			}
		}
	}
	if len(c.files) == 0 {
		return nil, changed, failf(name, 0, "the folder is empty", "a folder with the files of one list")
	}
	l, err = c.read()
	return l, changed, err
}

// readZip reads the list in a zip file: its one file, or OFAC's set. The names in it are compared, never used as paths.
func readZip(name string, w *raw, o ReadOptions) (*List, error) {
	packed, err := io.ReadAll(io.LimitReader(w.buf, maxPackedBytes+1))
	if err != nil {
		return nil, wrap(name, err)
	}
	if len(packed) > maxPackedBytes {
		return nil, tooLarge(name, maxPackedBytes)
	}
	z, err := zip.NewReader(bytes.NewReader(packed), int64(len(packed)))
	if err != nil {
		return nil, failf(name, 0, "the zip file is broken: "+err.Error(), "load it again")
	}
	c := &companions{name: name, o: o, files: map[string]func() (io.ReadCloser, error){}, sums: map[string]string{}}
	if len(z.File) > 100 {
		return nil, failf(name, 0, fmt.Sprintf("%d files in a zip", len(z.File)), "the files of one list")
	}
	for _, f := range z.File {
		if err := zipMember(c, f); err != nil {
			return nil, err
		}
	}
	if len(c.files) == 0 {
		return nil, failf(name, 0, "the zip file holds no file", "the files of one list")
	}
	l, err := c.read()
	if err == nil {
		l.SHA256 = hex.EncodeToString(w.sum.Sum(nil))
	}
	return l, err
}

// zipMember takes up one file of a zip, or says why not.
func zipMember(c *companions, f *zip.File) error {
	base := path.Base(strings.ReplaceAll(f.Name, "\\", "/"))
	switch {
	case strings.HasSuffix(f.Name, "/") || strings.HasPrefix(base, ".") || strings.Contains(f.Name, "__MACOSX"):
		return nil
	case f.Flags&1 != 0:
		return failf(c.name, 0, "the zip file is encrypted", "the files as published")
	case !f.Mode().IsRegular():
		return failf(c.name, 0, "the zip file holds something that is no regular file", "the files of one list")
	case strings.HasSuffix(strings.ToLower(base), ".zip"):
		return failf(c.name, 0, "a zip file within the zip file", "unpack the outer one")
	case c.files[base] != nil:
		return failf(c.name, 0, "two files of the name "+clip(base, 60), "one")
	}
	packed := int64(f.CompressedSize64)
	c.files[base] = func() (io.ReadCloser, error) {
		r, err := f.Open()
		if err != nil {
			return nil, failf(c.name, 0, "the zip file is broken: "+err.Error(), "load it again")
		}
		return struct {
			io.Reader
			io.Closer
		}{&unpacked{name: c.name, in: r, max: limit(c.o), packed: func() int64 { return packed }}, r}, nil
	}
	return nil
}

// sortedKeys are the keys of a map in order.
func sortedKeys[V any](m map[string]V) []string {
	out := make([]string, 0, len(m))
	for k := range m {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}
