package node

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestD6Clock (D6): the node's clock is a field. One that runs years ahead dates what is shared, and nothing else of the
// machine's time is read.
func TestD6Clock(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "node")
	writer, _ := prepared(t, dir)
	at := time.Now().AddDate(5, 0, 0)
	n, err := Open(context.Background(), dir, Config{}.filled(), Options{Log: io.Discard, Now: func() time.Time { return at }})
	ok(t, err)
	defer n.Close()
	srv := httptest.NewServer(n.Handler())
	defer srv.Close()
	_, body := numbered(1, 1, 1, 1)
	status, err := post(srv.URL, writer, body)
	if ok(t, err); status != http.StatusAccepted {
		t.Fatalf("status %d", status)
	}
	if got := n.Journal.Top().String(); !strings.HasPrefix(got, at.UTC().Format("2006-01-02T15:04:05")) {
		t.Fatalf("dated %s, want %s", got, at)
	}
}
