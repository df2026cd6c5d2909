package pattern

import (
	"bufio"
	"compress/gzip"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/polder-exchange/polder/internal/testdata"
)

// eachLine calls fn with every line of a file of the real data.
func eachLine(t testing.TB, fn func(line []byte), elem ...string) {
	t.Helper()
	f, err := os.Open(testdata.File(t, elem...))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var r io.Reader = f
	if strings.HasSuffix(f.Name(), ".gz") {
		if r, err = gzip.NewReader(f); err != nil {
			t.Fatal(err)
		}
	}
	s := bufio.NewScanner(r)
	s.Buffer(nil, 1<<24)
	for s.Scan() {
		fn(s.Bytes())
	}
	if s.Err() != nil {
		t.Fatal(s.Err())
	}
}

// TestValidatorVectors: the verdicts of the OASIS validator for 2.1, which Parse and Check give together.
func TestValidatorVectors(t *testing.T) {
	judged := 0
	eachLine(t, func(line []byte) {
		var v struct {
			Pattern, Version string
			Valid            bool
		}
		if err := json.Unmarshal(line, &v); err != nil {
			t.Fatal(err)
		}
		if v.Version != "2.1" {
			return
		}
		judged++
		p, err := Parse(v.Pattern)
		valid := err == nil && len(p.Check()) == 0
		if v.Valid != valid {
			t.Errorf("%s: valid is %v, Parse says %v", v.Pattern, v.Valid, err)
		}
	}, "pattern", "validator_vectors.jsonl")
	if judged < 80 {
		t.Fatalf("only %d vectors of 2.1 were judged", judged)
	}
}

// TestKnownPatterns: every pattern of the specification and of the matcher's vectors for 2.1 parses and reads back equal
// when printed, and what that matcher's parser refuses is refused.
func TestKnownPatterns(t *testing.T) {
	var patterns []string
	eachLine(t, func(line []byte) {
		var v struct{ Pattern, Version, Outcome, Error string }
		if err := json.Unmarshal(line, &v); err != nil {
			t.Fatal(err)
		}
		if v.Version != "2.1" || v.Outcome != "passed" {
			return
		}
		if strings.HasPrefix(v.Error, "ParseException") || strings.Contains(v.Error, "must be positive") {
			if p, err := Parse(v.Pattern); err == nil {
				t.Errorf("%s is read as %s, want an error as %q", v.Pattern, p, v.Error)
			}
			return
		}
		patterns = append(patterns, v.Pattern)
	}, "pattern", "matcher_vectors.jsonl.gz")
	for _, name := range [][]string{
		{"pattern", "spec_examples_v21.txt"},
		{"pattern", "rstix-fixtures", "pattern", "spec-section-9-8-level1.txt"},
		{"pattern", "rstix-fixtures", "pattern", "spec-section-9-8-level23.txt"},
	} {
		eachLine(t, func(line []byte) {
			if text := strings.TrimSpace(string(line)); text != "" && !strings.HasPrefix(text, "#") {
				patterns = append(patterns, text)
			}
		}, name...)
	}
	patterns = append(patterns, patternsOfExamples(t)...)
	if len(patterns) < 400 {
		t.Fatalf("only %d patterns found", len(patterns))
	}
	for _, text := range patterns {
		p, err := Parse(text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if again, err := Parse(p.String()); err != nil || again.String() != p.String() {
			t.Errorf("%s prints as %s, which reads as %v, %v", text, p, again, err)
		}
	}
}

// patternsOfExamples are the patterns of the indicators in the STIX examples.
func patternsOfExamples(t testing.TB) (patterns []string) {
	root := testdata.File(t, "stix-schemas", "examples")
	err := filepath.WalkDir(root, func(path string, d os.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, ".json") {
			return err
		}
		raw, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		var bundle struct {
			Objects []struct {
				Pattern     string `json:"pattern"`
				PatternType string `json:"pattern_type"`
			}
		}
		if json.Unmarshal(raw, &bundle) != nil {
			return nil
		}
		for _, o := range bundle.Objects {
			if o.Pattern != "" && o.PatternType == "stix" {
				patterns = append(patterns, o.Pattern)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return patterns
}

func BenchmarkParse(b *testing.B) {
	const text = "[file:hashes.'SHA-256' = 'aec070645fe53ee3b3763059376134f058cc337247c978add178b6ccdfb0019f' AND file:mime_type = 'application/x-pdf'] " +
		"FOLLOWEDBY [domain-name:value IN ('a.example', 'b.example')] WITHIN 300 SECONDS"
	b.ReportAllocs()
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		if _, err := Parse(text); err != nil {
			b.Fatal(err)
		}
	}
}
