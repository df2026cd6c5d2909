package web

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"net/http"
	"path"
	"regexp"
	"time"

	polder "github.com/polder-exchange/polder"
)

// assets are the style, the script and the sign, held in memory under an address that changes with their content,
// so that a browser may keep them for ever.
type assets struct {
	prefix string // "/static/HASH"
	hash   string
	files  map[string][]byte
}

var assetTypes = map[string]string{".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml"}

func newAssets() (*assets, error) {
	a := &assets{files: map[string][]byte{}}
	sum := sha256.New()
	entries, err := fs.ReadDir(own, "static")
	if err != nil {
		return nil, fmt.Errorf("read static files: %w", err)
	}
	for _, e := range entries {
		body, err := fs.ReadFile(own, "static/"+e.Name())
		if err != nil {
			return nil, fmt.Errorf("read static files: %w", err)
		}
		a.files[e.Name()] = body
		fmt.Fprintf(sum, "%s %d\n", e.Name(), len(body))
		sum.Write(body)
	}
	a.hash = hex.EncodeToString(sum.Sum(nil)[:8])
	a.prefix = "/static/" + a.hash
	return a, nil
}

func (a *assets) serve(w http.ResponseWriter, r *http.Request) {
	if r.PathValue("hash") != a.hash {
		Problem(w, r, polder.Errorf(polder.NotFound, "this file is of another version of the node; reload the page"))
		return
	}
	a.write(w, r, r.PathValue("file"), "public, max-age=31536000, immutable")
}

// serveSign answers the browsers that ask for /favicon.ico whatever the page says.
func (a *assets) serveSign(w http.ResponseWriter, r *http.Request) {
	a.write(w, r, "mark.svg", "public, max-age=86400")
}

func (a *assets) write(w http.ResponseWriter, r *http.Request, name, cache string) {
	body, ok := a.files[name]
	if !ok {
		Problem(w, r, polder.Errorf(polder.NotFound, "there is no such file"))
		return
	}
	h := w.Header()
	h.Set("Content-Type", assetTypes[path.Ext(name)])
	h.Set("Cache-Control", cache)
	h.Set("ETag", `"`+a.hash+`"`)
	http.ServeContent(w, r, name, time.Time{}, bytes.NewReader(body))
}

// sprite are the names of the signs in templates/sprite.part.html.
var sprite = func() map[string]bool {
	text, err := own.ReadFile("templates/sprite.part.html")
	if err != nil {
		panic(err) // it is embedded
	}
	names := map[string]bool{}
	for _, m := range regexp.MustCompile(`id="i-([a-z]+)"`).FindAllSubmatch(text, -1) {
		names[string(m[1])] = true
	}
	return names
}()
