package seal

import _ "github.com/cloudflare/circl/oprf"
