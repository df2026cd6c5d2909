package sigma

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
)

// LoadOptions is what rules need to be loaded. The zero value serves rules without placeholders.
type LoadOptions struct {
	// Placeholders are the lists that expand puts in the place of %name%, by name.
	Placeholders map[string][]string
	// FS is where paths are read from; nil is the machine's own file system.
	FS fs.FS
}

// Bounds of what is loaded.
const (
	MaxFile  = 32 << 20 // bytes of a file
	MaxDepth = 64       // levels of a document or a condition
)

// Load reads rules from files and folders; of a folder every .yml and .yaml below it. What loads is returned even when
// something else does not; errors come in the order of the files.
func Load(paths []string, o LoadOptions) (*Collection, []*Error) {
	var files []string
	var errs []*Error
	for _, p := range paths {
		found, err := list(o.FS, p)
		if err != nil {
			errs = append(errs, &Error{File: p, Text: "cannot be read: " + reason(err)})
		}
		files = append(files, found...)
	}
	parts := make([]Collection, len(files))
	partErrs := make([][]*Error, len(files))
	var wg sync.WaitGroup
	next := make(chan int)
	for range min(runtime.GOMAXPROCS(0), len(files)) {
		wg.Go(func() {
			for i := range next {
				parts[i], partErrs[i] = loadFile(files[i], &o)
			}
		})
	}
	for i := range files {
		next <- i
	}
	close(next)
	wg.Wait()
	all := &Collection{}
	for i := range parts {
		all.Rules = append(all.Rules, parts[i].Rules...)
		all.Correlations = append(all.Correlations, parts[i].Correlations...)
		all.Filters = append(all.Filters, parts[i].Filters...)
		errs = append(errs, partErrs[i]...)
	}
	return all, append(errs, all.link()...)
}

// reason is an error of the file system without the path, which stands before it.
func reason(err error) string {
	var p *fs.PathError
	if errors.As(err, &p) {
		return p.Err.Error()
	}
	return err.Error()
}

// list is the files of a path: itself, or the rules below a folder in the order of their names.
func list(fsys fs.FS, path string) (files []string, err error) {
	visit := func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		ext := strings.ToLower(filepath.Ext(p))
		if !d.IsDir() && (p == path || ext == ".yml" || ext == ".yaml") {
			files = append(files, p)
		}
		return nil
	}
	if fsys != nil {
		err = fs.WalkDir(fsys, path, visit)
		return files, err
	}
	err = filepath.WalkDir(path, visit)
	return files, err
}

func loadFile(path string, o *LoadOptions) (Collection, []*Error) {
	data, err := readFile(o.FS, path)
	if err != nil {
		return Collection{}, []*Error{{File: path, Text: "cannot be read: " + reason(err)}}
	}
	c, errs := parse(data, path, o)
	return *c, errs
}

func readFile(fsys fs.FS, path string) ([]byte, error) {
	var f io.ReadCloser
	var err error
	if fsys != nil {
		f, err = fsys.Open(path)
	} else {
		f, err = os.Open(path)
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, MaxFile+1))
	if err == nil && len(data) > MaxFile {
		err = errTooLong
	}
	return data, err
}

var errTooLong = fmt.Errorf("longer than %d bytes; cut the collection into several files", MaxFile)

// Parse reads the rules of one file: one or more YAML documents, among them global, reset and repeat of rule
// collections. name stands in errors. What its correlations and filters speak of must be in it.
func Parse(data []byte, name string, o LoadOptions) (*Collection, []*Error) {
	c, errs := parse(data, name, &o)
	return c, append(errs, c.link()...)
}

// parse reads one file and leaves open what its documents say of rules elsewhere.
func parse(data []byte, name string, o *LoadOptions) (*Collection, []*Error) {
	c := &Collection{}
	if len(data) > MaxFile {
		return c, []*Error{{File: name, Text: errTooLong.Error()}}
	}
	p := fileParser{name: name, o: o, into: c}
	effort := maxEffort
	for _, d := range documents(bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))) {
		doc, err := parseYAML(d.data, d.after, &effort)
		if err == nil {
			err = p.document(&doc)
		}
		if err != nil {
			p.fail(err, d.after+1)
		}
	}
	if p.seen == 0 && len(p.errs) == 0 {
		p.fail(&Error{Text: "holds no rule; a rule is a YAML map with title, logsource and detection"}, 0)
	}
	return c, p.errs
}

// document is one YAML document of a file and the number of lines before it.
type document struct {
	data  []byte
	after int
}

// documents cuts a file at its document markers, which stand at the beginning of a line and, by YAML, nowhere inside a
// value. Each is then read alone, so what is wrong with one costs that one.
func documents(data []byte) []document {
	var out []document
	begin, first, line := 0, 0, 0
	for at := 0; at < len(data); line++ {
		end := at + bytes.IndexByte(data[at:], '\n') + 1
		if end == at {
			end = len(data)
		}
		text := bytes.TrimRight(data[at:end], "\r\n")
		mark := bytes.HasPrefix(text, []byte("---")) && (len(text) == 3 || text[3] == ' ' || text[3] == '\t')
		if mark || string(bytes.TrimRight(text, " \t")) == "..." {
			out = append(out, document{data[begin:at], first})
			begin, first = at, line
			if mark && strings.TrimSpace(string(text[3:])) == "" || !mark {
				begin, first = end, line+1
			}
		}
		at = end
	}
	return append(out, document{data[begin:], first})
}

// maxFileValues bounds the values of a file, those that global and repeat bring again included.
const maxFileValues = 8 << 20

// fileParser gathers what the documents of one file say.
type fileParser struct {
	name   string
	o      *LoadOptions
	into   *Collection
	errs   []*Error
	seen   int  // documents that are not empty
	spent  int  // values read, those that global and repeat bring again included
	global node // what action: global said, a map
	last   node // the rule before, for action: repeat
}

func (p *fileParser) fail(err error, line int) {
	e := &Error{}
	if !errors.As(err, &e) {
		e = &Error{Text: err.Error()}
	}
	e.File, e.Line = p.name, cmp.Or(e.Line, line)
	p.errs = append(p.errs, e)
}

// actions are what a document of a rule collection may say it is.
var actions = []string{"global", "reset", "repeat"}

// document takes one document: a rule, a correlation, a filter, or a part of a rule collection.
func (p *fileParser) document(doc *node) error {
	if doc.kind == nullNode {
		return nil
	}
	p.seen++
	if doc.kind != mapNode {
		return doc.errorf("the document is %s; a rule is a map with title, logsource and detection", doc.kind)
	}
	action, ok := doc.get("action")
	if !ok {
		p.last = overlay(p.global, *doc)
		return p.add(&p.last)
	}
	word, err := action.str("action")
	if err != nil {
		return err
	}
	rest := without(*doc, "action")
	switch strings.ToLower(word) {
	case "global":
		p.global = overlay(p.global, rest)
		return nil
	case "reset":
		p.global, p.last = node{}, node{}
		if len(rest.keys) == 0 {
			return nil
		}
		p.last = rest
		return p.add(&p.last)
	case "repeat":
		if p.last.kind != mapNode {
			return action.errorf("action: repeat has no rule before it to repeat")
		}
		p.last = overlay(p.last, rest)
		return p.add(&p.last)
	}
	return action.errorf("action %s is unknown; %s", quote(word), meant(word, actions))
}

// add takes a whole rule, correlation or filter into the collection.
func (p *fileParser) add(doc *node) error {
	if p.spent += doc.size(); p.spent > maxFileValues {
		return doc.errorf("more than %d values in one file, those of global and repeat counted each time; cut it into several files", maxFileValues)
	}
	if _, ok := doc.get("correlation"); ok {
		c, err := parseCorrelation(*doc)
		if err != nil {
			return err
		}
		c.File = p.name
		p.into.Correlations = append(p.into.Correlations, c)
		return nil
	}
	if _, ok := doc.get("filter"); ok {
		f, err := parseFilter(*doc, p.o)
		if err != nil {
			return err
		}
		f.File = p.name
		p.into.Filters = append(p.into.Filters, f)
		return nil
	}
	r, err := parseRule(doc, p.o)
	if err != nil {
		return err
	}
	r.File = p.name
	p.into.Rules = append(p.into.Rules, r)
	return nil
}

// overlay is a map with another laid over it: maps in both are laid over each other, all else is replaced.
func overlay(below, above node) node {
	if below.kind != mapNode || above.kind != mapNode {
		return above
	}
	out := above
	out.keys, out.items = slices.Clone(below.keys), slices.Clone(below.items)
	have := below.index()
	for i, k := range above.keys {
		if at, ok := have[k.text]; ok {
			out.keys[at], out.items[at] = k, overlay(out.items[at], above.items[i])
			continue
		}
		out.keys, out.items = append(out.keys, k), append(out.items, above.items[i])
	}
	return out
}

// without is a map without one of its keys.
func without(n node, key string) node {
	out := n
	out.keys, out.items = nil, nil
	for i, k := range n.keys {
		if k.text != key {
			out.keys, out.items = append(out.keys, k), append(out.items, n.items[i])
		}
	}
	return out
}
