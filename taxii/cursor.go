package taxii

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
)

// A `next` is, in base64url: one byte of form, eight bytes of number, 32 bytes of code.
const (
	nextForm = 1
	nextSize = 1 + 8 + sha256.Size
)

// signer makes and reads `next`. The code covers everything that must be the same at the next request, so none of it
// needs to be in the text: the kind of resource, the collection, the object, the filters and the subject. Limit and
// added_after may change between pages: a client may send the last page's added_after along with next, and the
// number in next decides alone.
type signer struct{ key []byte }

func newSigner(secret []byte) signer {
	mac := hmac.New(sha256.New, secret)
	mac.Write([]byte("taxii 2.1 next, form 1"))
	return signer{mac.Sum(nil)}
}

// make is the `next` that goes on after number.
func (g signer) make(number int64, k kind, s Subject, collection string, q Query) string {
	b := make([]byte, 9, nextSize)
	b[0] = nextForm
	binary.BigEndian.PutUint64(b[1:], uint64(number))
	return base64.RawURLEncoding.EncodeToString(append(b, g.code(b, k, s, collection, q)...))
}

// read is the number of a `next` that this server made for the same question of the same subject.
// It does not tell in what way another differs.
func (g signer) read(next string, k kind, s Subject, collection string, q Query) (int64, error) {
	b, err := base64.RawURLEncoding.Strict().DecodeString(clipTo(next, 2*nextSize))
	if err != nil || len(b) != nextSize || b[0] != nextForm || !hmac.Equal(b[9:], g.code(b[:9], k, s, collection, q)) {
		return 0, invalid("next is not one of this server for this question; send it unchanged with the filters of the page that it came with, or begin again with added_after")
	}
	return int64(binary.BigEndian.Uint64(b[1:9])), nil
}

// code authenticates head for one question of one subject. Each part is written behind its length, so that no two
// questions have the same text.
func (g signer) code(head []byte, k kind, s Subject, collection string, q Query) []byte {
	mac := hmac.New(sha256.New, g.key)
	mac.Write(head)
	text := []byte{byte(k)}
	text = appendPart(text, s.Key())
	text = appendPart(text, collection)
	text = appendPart(text, q.Object)
	for _, list := range [][]string{q.IDs, q.Types, q.SpecVersions, q.Versions.parts()} {
		text = binary.AppendUvarint(text, uint64(len(list)))
		for _, v := range list {
			text = appendPart(text, v)
		}
	}
	mac.Write(text)
	return mac.Sum(nil)
}

func appendPart(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

// parts is f as words, the same for equal filters.
func (f VersionFilter) parts() []string {
	var words []string
	for _, w := range []struct {
		set  bool
		word string
	}{{f.All, "all"}, {f.First, "first"}, {f.Last, "last"}} {
		if w.set {
			words = append(words, w.word)
		}
	}
	for _, t := range f.Exact {
		words = append(words, t.UTC().Format("2006-01-02T15:04:05.999999999Z"))
	}
	return words
}

func clipTo(s string, n int) string { return s[:min(len(s), n)] }
