package notify

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// SignatureHeader holds the time of sending and the signature of a webhook: "t=1767225600,v1=…", where v1 is the
// HMAC-SHA256 of the time, a dot and the body, in hexadecimal, under the secret that both sides know.
const SignatureHeader = "Polder-Signature"

// Webhook posts letters as JSON: {"id","time","subject","body","link"}. It is a [Sender].
type Webhook struct {
	HTTP *http.Client     // of a [Guard]
	Now  func() time.Time // nil is the clock of the machine
}

// hook is the body of a webhook.
type hook struct {
	ID      string    `json:"id"`
	Time    time.Time `json:"time"`
	Subject string    `json:"subject"`
	Body    string    `json:"body,omitempty"`
	Link    string    `json:"link,omitempty"`
}

// Send delivers l. The address is not in the error: with many services it is itself a secret.
func (w *Webhook) Send(ctx context.Context, to Address, l Letter) error {
	body, err := json.Marshal(hook{l.Key, l.Time.UTC(), l.Subject, l.Body, l.Link})
	if err != nil {
		return permanent{err}
	}
	now := w.Now
	if now == nil {
		now = time.Now
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, to.URL, bytes.NewReader(body))
	if err != nil {
		return permanent{errors.New("webhook: its address is not one")}
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", "polder")
	req.Header.Set("Idempotency-Key", strconv.Quote(l.Key))
	if len(to.Secret) > 0 {
		req.Header.Set(SignatureHeader, Sign(to.Secret, now(), body))
	}
	res, err := w.HTTP.Do(req)
	if err != nil {
		if u, ok := errors.AsType[*url.Error](err); ok {
			err = u.Err
		}
		return fmt.Errorf("webhook: %w", err)
	}
	defer res.Body.Close()
	_, _ = io.CopyN(io.Discard, res.Body, 64<<10) // so that the connection can be used again
	switch {
	case res.StatusCode/100 == 2:
		return nil
	case res.StatusCode == http.StatusGone:
		return permanent{errors.New("webhook: it is gone (410)")}
	}
	return fmt.Errorf("webhook: it answered %d", res.StatusCode)
}

// Sign is the value of [SignatureHeader] for body, sent at t.
func Sign(secret []byte, t time.Time, body []byte) string {
	stamp := strconv.FormatInt(t.Unix(), 10)
	return "t=" + stamp + ",v1=" + hex.EncodeToString(mac(secret, stamp, body))
}

func mac(secret []byte, stamp string, body []byte) []byte {
	h := hmac.New(sha256.New, secret)
	io.WriteString(h, stamp+".")
	h.Write(body)
	return h.Sum(nil)
}

// Verify is what a receiver does: the signature must be right, and not older or newer than tolerance at now, so that
// a recorded message cannot be played again later.
func Verify(secret []byte, header string, body []byte, now time.Time, tolerance time.Duration) error {
	stamp, sum, ok := strings.Cut(strings.TrimPrefix(header, "t="), ",v1=")
	at, err := strconv.ParseInt(stamp, 10, 64)
	if !ok || err != nil {
		return errors.New("the signature has another form than t=…,v1=…")
	}
	got, err := hex.DecodeString(sum)
	if err != nil || !hmac.Equal(got, mac(secret, stamp, body)) {
		return errors.New("the signature is wrong")
	}
	if age := now.Sub(time.Unix(at, 0)); age > tolerance || age < -tolerance {
		return errors.New("the signature is too old, or of the future")
	}
	return nil
}
