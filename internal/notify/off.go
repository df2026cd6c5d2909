package notify

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"strings"
)

// OffToken ends one subscription without a log-in, and does nothing else. kind keeps the tokens of different kinds of
// subscriptions apart; id stands in it and holds no dot.
func OffToken(secret []byte, kind, id string) string {
	mac := hmac.New(sha256.New, secret)
	mac.Write([]byte(kind + "\x00" + id))
	return id + "." + base64.RawURLEncoding.EncodeToString(mac.Sum(nil)[:18])
}

// OffID is the id of the subscription that a token ends; ok is false for a token that was made up.
func OffID(secret []byte, kind, token string) (id string, ok bool) {
	id, _, _ = strings.Cut(token, ".")
	return id, subtle.ConstantTimeCompare([]byte(token), []byte(OffToken(secret, kind, id))) == 1
}
