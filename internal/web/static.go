package web

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"net/http"
	"path"
	"regexp"
	"slices"
	"time"

	polder "github.com/polder-exchange/polder"
)

// assets are the style, the scripts and the sign, held in memory under an address that changes with their content,
// so that a browser may keep them for ever. Those of the parts lie beside web's own, so that scripts import each other.
type assets struct {
	prefix string // "/static/HASH"
	hash   string
	files  map[string][]byte
}

var assetTypes = map[string]string{".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml"}

func newAssets(parts []Part) (*assets, error) {
	a := &assets{files: map[string][]byte{}}
	for _, part := range parts {
		if err := a.add(part); err != nil {
			return nil, err
		}
	}
	sum := sha256.New()
	for _, name := range slices.Sorted(maps.Keys(a.files)) {
		fmt.Fprintf(sum, "%s %d\n", name, len(a.files[name]))
		sum.Write(a.files[name])
	}
	a.hash = hex.EncodeToString(sum.Sum(nil)[:8])
	a.prefix = "/static/" + a.hash
	return a, nil
}

// add takes the files of a part's folder static, if it has one.
func (a *assets) add(part Part) error {
	entries, err := fs.ReadDir(part.Files, "static")
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read static files of %s: %w", part.Name, err)
	}
	for _, e := range entries {
		if a.files[e.Name()] != nil {
			return fmt.Errorf("part %s: there is another static file %s", part.Name, e.Name())
		}
		if assetTypes[path.Ext(e.Name())] == "" {
			return fmt.Errorf("part %s: static file %s is neither style, script nor SVG", part.Name, e.Name())
		}
		if a.files[e.Name()], err = fs.ReadFile(part.Files, "static/"+e.Name()); err != nil {
			return fmt.Errorf("read static files of %s: %w", part.Name, err)
		}
	}
	return nil
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
