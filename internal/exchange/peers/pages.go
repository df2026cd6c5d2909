package peers

import (
	"embed"

	"github.com/polder-exchange/polder/internal/web"
)

//go:embed templates locale
var pageFiles embed.FS

// ConsolePart is what this package brings to the console.
func ConsolePart() web.Part { return web.Part{Name: "peers", Files: pageFiles} }
