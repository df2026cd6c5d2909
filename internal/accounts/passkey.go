package accounts

import _ "github.com/go-webauthn/webauthn/webauthn"
