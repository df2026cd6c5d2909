package names

import (
	"bufio"
	"encoding/json"
	"os"
	"path/filepath"
	"sort"
	"testing"

	"github.com/polder-exchange/polder/internal/testdata"
)

// listVocabulary is every Latin word of the names on the consolidated list, folded.
func listVocabulary(t testing.TB) map[string]int {
	t.Helper()
	f, err := os.Open(filepath.Join(testdata.Dir(t), "screen", "us_csl.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	words := map[string]int{}
	sc := bufio.NewScanner(f)
	sc.Buffer(nil, 1<<20)
	for sc.Scan() {
		var e struct {
			Name    string   `json:"name"`
			Aliases []string `json:"aliases"`
		}
		if err := json.Unmarshal(sc.Bytes(), &e); err != nil {
			t.Fatal(err)
		}
		for _, name := range append(e.Aliases, e.Name) {
			for _, w := range Parse(name, Any).Words {
				if w.Script == Latin && asciiWord(w.Text) {
					words[w.Text]++
				}
			}
		}
	}
	if err := sc.Err(); err != nil {
		t.Fatal(err)
	}
	return words
}

// TestSoundDiscriminates holds that keys keep the words of a real list apart: retrieval by sound reads whole groups.
func TestSoundDiscriminates(t *testing.T) {
	groups := map[string][]string{}
	words := listVocabulary(t)
	for w := range words {
		groups[sound(w)] = append(groups[sound(w)], w)
	}
	pairs, worst := 0, []string{}
	keys := make([]string, 0, len(groups))
	for k, g := range groups {
		pairs += len(g) * len(g)
		if len(g) > len(worst) {
			worst = g
		}
		keys = append(keys, k)
	}
	sort.Slice(keys, func(i, j int) bool { return len(groups[keys[i]]) > len(groups[keys[j]]) })
	for _, k := range keys[:min(12, len(keys))] {
		sort.Strings(groups[k])
		t.Logf("%s: %d words, such as %v", k, len(groups[k]), groups[k][:min(14, len(groups[k]))])
	}
	mean := float64(pairs) / float64(len(words))
	t.Logf("%d words, %d keys; a word shares its key with %.2f words (itself among them), at most %d", len(words), len(groups), mean, len(worst))
	if mean > 6 {
		t.Errorf("a word shares its key with %.2f words on average, want at most 6", mean)
	}
	if len(worst) > 60 {
		t.Errorf("%d words share a key, want at most 60", len(worst))
	}
}
