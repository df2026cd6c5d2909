package exchange

import (
	"bytes"
	"context"
	"errors"
	"io"
	"regexp"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/stix"
)

// Source is what somebody hands in: a file, a form, the body of a request.
type Source struct {
	Community   string
	Name        string // of the file, for messages
	ContentType string
	Body        []byte
	Named       bool
}

// Read makes objects of a source, whatever importable format it is in.
func (s *Service) Read(ctx context.Context, a polder.Actor, src Source) ([]Incoming, error) {
	return readSTIX(src)
}

func readSTIX(src Source) (out []Incoming, err error) {
	r := stix.NewReader(bytes.NewReader(src.Body), stix.Limits{})
	for {
		raw, pos, err := r.NextRaw()
		if errors.Is(err, io.EOF) {
			return out, nil
		}
		if err != nil {
			return nil, polder.Errorf(polder.Invalid, "%w", err)
		}
		out = append(out, Incoming{Raw: raw, Where: Where{src.Name, pos.Line}})
	}
}

// LooksLikeSTIX tells from the first bytes of a file whether it is JSON with STIX objects.
func LooksLikeSTIX(head []byte) bool {
	head = bytes.TrimLeft(bytes.TrimPrefix(head, []byte("\xef\xbb\xbf")), " \t\r\n")
	if len(head) == 0 || head[0] != '{' && head[0] != '[' {
		return false
	}
	return stixMark.Match(head) && !mispMark.Match(head)
}

var (
	stixMark = regexp.MustCompile(`"(id|type)"\s*:\s*"([a-z0-9-]+--[0-9a-fA-F-]{36}|bundle|[a-z0-9-]{3,250})"|"objects"\s*:\s*\[`)
	mispMark = regexp.MustCompile(`^[\[{\s]*"(Event|response)"\s*:`)
)
