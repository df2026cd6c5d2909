package names

import "testing"

func TestLexiconCompiles(t *testing.T) {
	if _, err := compileLexicon(); err != nil {
		t.Fatal(err)
	}
}
