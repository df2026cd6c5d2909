package deadline

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/lexer"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

// Bounds of what is read.
const (
	maxFile   = 256 << 10 // bytes of a file
	maxFiles  = 500       // of a folder
	maxNested = 8         // brackets within brackets
	maxColumn = 400       // of a line where something begins other than in brackets
)

// FileError says what is wrong in a file, and where.
type FileError struct {
	File string
	Line int // 0 where it is the file as a whole
	Text string
}

func (e *FileError) Error() string {
	if e.Line == 0 {
		return e.File + ": " + e.Text
	}
	return fmt.Sprintf("%s:%d: %s", e.File, e.Line, e.Text)
}

// source is a file with its tree, to say where something stands.
type source struct {
	name string
	tree *ast.File
}

// errorAt is an error at a place such as "$.rules[2].trigger"; where there is no such place, at the nearest above it.
func (s source) errorAt(at string, format string, args ...any) error {
	text := fmt.Sprintf(format, args...)
	for at != "$" && at != "" {
		p, err := yaml.PathString(at)
		if err == nil && s.tree != nil {
			if n, err := p.FilterFile(s.tree); err == nil && n != nil && n.GetToken() != nil {
				return &FileError{s.name, lineOf(n), text}
			}
		}
		at = at[:max(strings.LastIndexAny(at, ".["), 0)]
	}
	return &FileError{s.name, 1, text}
}

// lineOf is the first line of a node: of a map that of its first key.
func lineOf(n ast.Node) int {
	if m, ok := n.(*ast.MappingNode); ok && len(m.Values) > 0 {
		n = m.Values[0].Key
	}
	return n.GetToken().Position.Line
}

// readYAML reads one file strictly into v: a key that v does not have, a key twice, an anchor are errors with their line.
func readYAML(files fs.FS, name string, v any) (src source, err error) {
	src = source{name: name}
	raw, err := readBounded(files, name)
	if err != nil {
		return src, err
	}
	defer func() { // a parser that meets what nobody thought of is no reason to fall
		if p := recover(); p != nil {
			err = &FileError{name, 0, "cannot be read as YAML"}
		}
	}()
	if err := boundYAML(name, string(raw)); err != nil {
		return src, err
	}
	if src.tree, err = parser.ParseBytes(raw, 0); err != nil {
		return src, yamlError(name, err)
	}
	if len(src.tree.Docs) > 1 {
		return src, &FileError{name, 1, fmt.Sprintf("holds %d documents; write one to a file", len(src.tree.Docs))}
	}
	if err := yaml.UnmarshalWithOptions(raw, v, yaml.Strict()); err != nil && !errors.Is(err, io.EOF) {
		return src, yamlError(name, err)
	}
	return src, nil
}

func readBounded(files fs.FS, name string) ([]byte, error) {
	f, err := files.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	raw, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err == nil && len(raw) > maxFile {
		return nil, &FileError{name, 0, fmt.Sprintf("is larger than %d bytes", maxFile)}
	}
	return raw, err
}

// boundYAML refuses what could take a parser down, and anchors, which no pack needs.
func boundYAML(name, text string) error {
	depth := 0
	for _, t := range lexer.Tokenize(text) {
		switch t.Type {
		case token.AnchorType, token.AliasType, token.MergeKeyType, token.TagType:
			return &FileError{name, t.Position.Line, "anchors, aliases and tags are not read here; write it out"}
		case token.MappingStartType, token.SequenceStartType:
			depth++
		case token.MappingEndType, token.SequenceEndType:
			depth--
		case token.SequenceEntryType, token.MappingKeyType:
			if t.Position.Column > maxColumn {
				depth = maxNested + 1
			}
		}
		if depth > maxNested || depth == 0 && t.Type == token.MappingValueType && t.Position.Column > maxColumn {
			return &FileError{name, t.Position.Line, "is nested too deep"}
		}
	}
	return nil
}

// yamlError is an error of the YAML library in our words: one line, with its place.
func yamlError(name string, err error) error {
	var e yaml.Error
	if !errors.As(err, &e) {
		return &FileError{name, 0, firstLine(err.Error())}
	}
	line := 0
	if t := e.GetToken(); t != nil && t.Position != nil {
		line = t.Position.Line
	}
	return &FileError{name, line, firstLine(e.GetMessage())}
}

func firstLine(s string) string {
	s, _, _ = strings.Cut(strings.TrimSpace(s), "\n")
	return s
}

// yamlFiles are the names of the YAML files of a folder, sorted.
func yamlFiles(files fs.FS) ([]string, error) {
	entries, err := fs.ReadDir(files, ".")
	if err != nil {
		return nil, err
	}
	var names []string
	for _, e := range entries {
		if ext := path.Ext(e.Name()); !e.IsDir() && (ext == ".yaml" || ext == ".yml") {
			names = append(names, e.Name())
		}
	}
	if len(names) > maxFiles {
		return nil, fmt.Errorf("%d files are too many; at most %d", len(names), maxFiles)
	}
	return names, nil
}
