package seal

import "embed"

// Files holds seal.js, the same for browsers, in the folder static.
//
//go:embed static
var Files embed.FS
