package cases

import (
	"context"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/json"
	"io"
	"strings"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/seal"
)

// ReceiptSalt is the public salt of this node's receipts: who holds the words derives from them with it.
func (s *Service) ReceiptSalt() []byte { return s.reports.salt }

// access derives from the words of a receipt, in its turn. Words that are none take as long, and lead nowhere.
func (s *Service) access(ctx context.Context, words string) (seal.Access, error) {
	if len(words) > maxReceiptText {
		words = words[:maxReceiptText]
	}
	done, err := s.reports.turn(ctx)
	if err != nil {
		return seal.Access{}, err
	}
	defer done()
	return seal.Receipt(strings.ToValidUTF8(words, "")).Access(s.reports.salt)
}

// maxReceiptText is how much of what somebody types as a receipt is looked at.
const maxReceiptText = 500

// checkOnce refuses what cannot tell one post from another.
func checkOnce(once string) error {
	if once == "" {
		return nil
	}
	if len(once) < 20 || len(once) > 64 || strings.ContainsFunc(once, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return polder.Errorf(polder.Invalid, "once: must be 20 to 64 random letters and digits, the same when the same post is sent again")
	}
	return nil
}

// onceOf names a post that says once, with what it holds: two that chose the same word do not meet. It is nil for a post
// that says nothing.
func (r *reportState) onceOf(once string, post any) ([]byte, error) {
	if once == "" {
		return nil, nil
	}
	text, err := json.Marshal(post)
	if err != nil {
		return nil, err
	}
	held := sha256.Sum256(text)
	m := hmac.New(sha256.New, r.onceKey)
	m.Write([]byte(once))
	m.Write([]byte{0})
	m.Write(held[:])
	return m.Sum(nil), nil
}

// receiptSource is where a receipt is drawn from: chance, or where the client can say the same post again, what it alone
// knows, so that a second time gives the same receipt though the node keeps none. once has at least 20 characters that
// the client drew; they are kept nowhere.
func (s *Service) receiptSource(once string, a Answers) (io.Reader, error) {
	if once == "" {
		return s.o.Rand, nil
	}
	text, err := json.Marshal(a)
	if err != nil {
		return nil, err
	}
	held := sha512.Sum512(text)
	key, err := hkdf.Key(sha256.New, []byte(once), s.reports.onceKey, "polder receipt draw 1\n"+string(held[:]), 64)
	if err != nil {
		return nil, err
	}
	return strings.NewReader(string(key)), nil
}
