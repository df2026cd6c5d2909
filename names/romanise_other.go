package names

// other reads a word of a script that has no rules here: nothing of it but Latin letters and digits.
func (r *reader) other(word []rune) { r.add(string(word)) }
