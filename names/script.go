package names

// Script is a writing system, as far as names are read in it.
type Script uint8

// The scripts that are read.
const (
	OtherScript Script = iota
	Latin
	Cyrillic
	Arabic // Persian and Urdu letters too
	Han
	Greek
	Kana
	Hangul
	Hebrew
	Digits // a word of digits alone
)
