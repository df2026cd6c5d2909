package accounts

import (
	"context"
	"crypto/subtle"
	"encoding/base64"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"golang.org/x/crypto/argon2"
	"golang.org/x/text/unicode/norm"

	"github.com/polder-exchange/polder"
)

// PasswordCost says how dear one guess of a password is made, in the terms of argon2id (RFC 9106).
type PasswordCost struct {
	MemoryKiB uint32 // memory of one hash
	Passes    uint32 // over that memory
	Lanes     uint8  // threads of one hash
}

// DefaultPasswordCost takes some 50 ms of one core and 32 MiB.
var DefaultPasswordCost = PasswordCost{MemoryKiB: 32 * 1024, Passes: 3, Lanes: 1}

const (
	saltBytes    = 16
	keyBytes     = 32
	hashesAtOnce = 2               // so log-ins take at most twice the memory of one, however many come
	hashPatience = 5 * time.Second // how long a log-in waits for its turn

	// MinPassword and MaxPassword bound a password that somebody chooses, in characters and in bytes.
	MinPassword = 12
	MaxPassword = 256

	maxCostMemory = 1 << 20 // KiB; a stored hash that asks for more is damaged
	maxCostPasses = 64
)

// hash is the stored form of a password: the PHC string of argon2id.
func (c PasswordCost) hash(password string, salt []byte) string {
	return c.phc(salt, c.key(password, salt))
}

func (c PasswordCost) phc(salt, key []byte) string {
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, c.MemoryKiB, c.Passes, c.Lanes,
		base64.RawStdEncoding.EncodeToString(salt), base64.RawStdEncoding.EncodeToString(key))
}

func (c PasswordCost) key(password string, salt []byte) []byte {
	return argon2.IDKey([]byte(norm.NFC.String(password)), salt, c.Passes, c.MemoryKiB, c.Lanes, keyBytes)
}

// parseHash takes a stored hash apart.
func parseHash(stored string) (c PasswordCost, salt, key []byte, err error) {
	wrong := fmt.Errorf("stored password hash is damaged")
	parts := strings.Split(stored, "$")
	if len(parts) != 6 || parts[0] != "" || parts[1] != "argon2id" || parts[2] != fmt.Sprintf("v=%d", argon2.Version) {
		return c, nil, nil, wrong
	}
	if _, err := fmt.Sscanf(parts[3], "m=%d,t=%d,p=%d", &c.MemoryKiB, &c.Passes, &c.Lanes); err != nil {
		return c, nil, nil, wrong
	}
	salt, err1 := base64.RawStdEncoding.DecodeString(parts[4])
	key, err2 := base64.RawStdEncoding.DecodeString(parts[5])
	switch {
	case err1 != nil, err2 != nil, len(salt) != saltBytes, len(key) != keyBytes,
		c.MemoryKiB == 0, c.MemoryKiB > maxCostMemory, c.Passes == 0, c.Passes > maxCostPasses, c.Lanes == 0:
		return c, nil, nil, wrong
	}
	return c, salt, key, nil
}

// decoy is what a password is compared with when there is no such account: the same work, never equal.
func (c PasswordCost) decoy() string { return c.phc(make([]byte, saltBytes), make([]byte, keyBytes)) }

// turn waits for a place to hash in. The caller gives it back by calling done.
func (s *Service) turn(ctx context.Context) (done func(), err error) {
	ctx, cancel := context.WithTimeout(ctx, hashPatience)
	defer cancel()
	select {
	case s.hashing <- struct{}{}:
		return func() { <-s.hashing }, nil
	case <-ctx.Done():
		return nil, polder.Errorf(polder.Unavailable, "too many log-ins at once; try again in a few seconds")
	}
}

// hashPassword makes the stored form of a password, in its turn.
func (s *Service) hashPassword(ctx context.Context, password string) (string, error) {
	salt, err := s.ids.bytes(saltBytes)
	if err != nil {
		return "", err
	}
	done, err := s.turn(ctx)
	if err != nil {
		return "", err
	}
	defer done()
	return s.o.Password.hash(password, salt), nil
}

// matches compares a password with a stored hash. The caller holds a turn.
func matches(stored, password string) (bool, error) {
	c, salt, key, err := parseHash(stored)
	if err != nil {
		return false, err
	}
	return subtle.ConstantTimeCompare(c.key(password, salt), key) == 1, nil
}

// newPassword is a password of 100 bits that can be read out and typed: five groups of four.
func (s *Service) newPassword() (string, error) {
	w, err := s.ids.word(13)
	if err != nil {
		return "", err
	}
	return w[0:4] + "-" + w[4:8] + "-" + w[8:12] + "-" + w[12:16] + "-" + w[16:20], nil
}

// CheckPassword says what is wrong with a password that somebody chose, or nil. The rule is length, not the kinds of
// characters; what is refused beyond that is what guessers try first.
func CheckPassword(password, email string) error {
	local, _, _ := strings.Cut(canonicalLogIn(email), "@")
	low := strings.ToLower(password)
	different := map[rune]bool{}
	for _, r := range low {
		different[r] = true
	}
	switch {
	case !utf8.ValidString(password):
		return polder.Errorf(polder.Invalid, "the password is not UTF-8")
	case utf8.RuneCountInString(password) < MinPassword:
		return polder.Errorf(polder.Invalid, "the password is too short; use at least %d characters, such as four words", MinPassword)
	case len(password) > MaxPassword:
		return polder.Errorf(polder.Invalid, "the password is too long; use at most %d bytes", MaxPassword)
	case len(different) < 5:
		return polder.Errorf(polder.Invalid, "the password repeats a few characters; use at least five different ones")
	case len(local) >= 4 && strings.Contains(low, local):
		return polder.Errorf(polder.Invalid, "the password holds your log-in name; choose one that does not")
	case row(low):
		return polder.Errorf(polder.Invalid, "the password is a row of neighbouring keys or letters; choose another")
	}
	return nil
}

// rows are what people type who have to type something.
var rows = []string{"abcdefghijklmnopqrstuvwxyz", "12345678901234567890", "qwertyuiopasdfghjklzxcvbnm", "azertyuiopqsdfghjklmwxcvbn", "1qaz2wsx3edc4rfv5tgb6yhn7ujm"}

// row tells whether s is nothing but a row, forwards or backwards.
func row(s string) bool {
	b := []byte(s)
	for i, j := 0, len(b)-1; i < j; i, j = i+1, j-1 {
		b[i], b[j] = b[j], b[i]
	}
	for _, r := range rows {
		if strings.Contains(r+r, s) || strings.Contains(r+r, string(b)) {
			return true
		}
	}
	return false
}
