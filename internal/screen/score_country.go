package screen

import "github.com/polder-exchange/polder/internal/screen/lists"

// countryCode is the ISO 3166-1 alpha-2 code of a country that is given by a code or by its name in English; "" for
// anything else.
func countryCode(text string) string {
	if isCode(text) && text != "UK" {
		return text
	}
	if len(text) > 100 {
		return ""
	}
	if code := lists.Country(text); isCode(code) {
		return code
	}
	return ""
}

func isCode(text string) bool {
	return len(text) == 2 && 'A' <= text[0] && text[0] <= 'Z' && 'A' <= text[1] && text[1] <= 'Z'
}
