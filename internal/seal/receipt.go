package seal

import (
	"crypto/hkdf"
	"crypto/pbkdf2"
	"crypto/sha256"
	"database/sql/driver"
	_ "embed"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strings"
)

// Receipt is six words that open a thread. It is never stored: it prints as "receipt(…)", whatever the verb, and refuses
// to be encoded or to go into a database. [Receipt.Words] is the one way to its words.
type Receipt string

// ReceiptWords is how many words a receipt has.
const ReceiptWords = 6

// Words are the words themselves, to be shown once.
func (r Receipt) Words() string { return string(r) }

// String hides the words.
func (Receipt) String() string { return "receipt(…)" }

// GoString hides the words.
func (r Receipt) GoString() string { return r.String() }

// Format hides the words, for every verb.
func (r Receipt) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, r.String()) }

// LogValue hides the words.
func (r Receipt) LogValue() slog.Value { return slog.StringValue(r.String()) }

var errReceiptKept = errors.New("a receipt is shown once, and neither encoded nor kept")

// MarshalText refuses.
func (Receipt) MarshalText() ([]byte, error) { return nil, errReceiptKept }

// Value refuses.
func (Receipt) Value() (driver.Value, error) { return nil, errReceiptKept }

//go:embed words_en.txt
var wordsEnglish string

//go:embed words_nl.txt
var wordsDutch string

// wordBits is what one word of a list is worth.
const wordBits = 11

// Words is the list of a language, "en" or "nl"; of others, the English one. It has 2048 words.
func Words(lang string) []string {
	if lang == "nl" {
		return strings.Fields(wordsDutch)
	}
	return strings.Fields(wordsEnglish)
}

func drawWords(rand io.Reader, lang string) (string, error) {
	drawn := make([]byte, 2*ReceiptWords)
	if _, err := io.ReadFull(rand, drawn); err != nil {
		return "", fmt.Errorf("draw words: %w", err)
	}
	list := Words(lang)
	words := make([]string, ReceiptWords)
	for i := range words {
		words[i] = list[binary.BigEndian.Uint16(drawn[2*i:])%(1<<wordBits)]
	}
	return strings.Join(words, " "), nil
}

// NewReceipt draws six words of the list of a language ("en", "nl"; others get English words): 66 bits.
func NewReceipt(rand io.Reader, lang string) (Receipt, error) {
	w, err := drawWords(rand, lang)
	return Receipt(w), err
}

// NewPassphrase draws six words to lock a key with: 66 bits.
func NewPassphrase(rand io.Reader, lang string) (string, error) { return drawWords(rand, lang) }

// Normalise is r as it is derived from: see [Normalise].
func (r Receipt) Normalise() Receipt { return Receipt(Normalise(string(r))) }

// Check says what is wrong with r where it cannot be a receipt, for who types it on their own device. It names no word.
// A server asks [Receipt.Access] and never this, so that a wrong receipt and none look the same.
func (r Receipt) Check() error {
	words := strings.Fields(string(r.Normalise()))
	if len(words) != ReceiptWords {
		return fmt.Errorf("a receipt has %d words, not %d", ReceiptWords, len(words))
	}
	known := slices.Concat(Words("en"), Words("nl"))
	for i, w := range words {
		if !slices.Contains(known, w) {
			return fmt.Errorf("word %d is in no list of receipts; look how it is spelled", i+1)
		}
	}
	return nil
}

// Access is what a receipt opens with: Proof shows the server that one has it, Key reads the thread. It prints as
// nothing.
type Access struct {
	Proof [32]byte
	Key   PrivateKey
}

// Format hides the proof, for every verb.
func (a Access) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "access(…)") }

// LogValue hides the proof.
func (a Access) LogValue() slog.Value { return slog.StringValue("access(…)") }

// Access derives both from the words, however they are spaced and written, and the node's public salt of at least 16
// bytes (PBKDF2-HMAC-SHA-256, then HKDF). It takes a tenth of a second to a second on purpose, and as long for words
// that are no receipt: those lead to a proof that nobody has.
func (r Receipt) Access(salt []byte) (Access, error) {
	if len(salt) < saltSize || len(salt) > 1024 {
		return Access{}, fmt.Errorf("the salt of receipts has %d bytes; it must have from %d to 1024", len(salt), saltSize)
	}
	words := string(r.Normalise())
	salted := append([]byte("polder receipt 1\n"), salt...)
	stretched, err := pbkdf2.Key(sha256.New, words, salted, Iterations, 32)
	if err != nil {
		return Access{}, fmt.Errorf("receipt: %w", err)
	}
	proof, err := hkdf.Key(sha256.New, stretched, nil, "polder receipt proof 1", 32)
	if err != nil {
		return Access{}, fmt.Errorf("receipt: %w", err)
	}
	seed, err := hkdf.Key(sha256.New, stretched, nil, "polder receipt key 1", 32)
	if err != nil {
		return Access{}, fmt.Errorf("receipt: %w", err)
	}
	return Access{Proof: [32]byte(proof), Key: NewPrivateKey([32]byte(seed))}, nil
}
