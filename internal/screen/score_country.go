package screen

import "github.com/polder-exchange/polder/internal/screen/lists"

// countryCode is the ISO 3166-1 alpha-2 code of a country that is given by a code or by its name; "" for anything else.
func countryCode(text string) string {
	if len(text) == 2 && 'A' <= text[0] && text[0] <= 'Z' && 'A' <= text[1] && text[1] <= 'Z' && text != "UK" {
		return text
	}
	if len(text) > 100 {
		return ""
	}
	return lists.Country(text)
}
