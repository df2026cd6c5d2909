package detect

import (
	"bytes"
	"context"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/polder-exchange/polder/internal/cli"
)

// TestReadme runs the command that the README shows and holds what it says to what is shown there. How many rules there
// are is not compared: it changes with each rule that is added.
func TestReadme(t *testing.T) {
	t.Chdir("../..")
	text, err := os.ReadFile("README.md")
	noErr(t, err)
	_, shown, ok := strings.Cut(string(text), "\n$ polder detect ")
	if !ok {
		t.Fatal("the README shows no run of polder detect any more")
	}
	file, shown, _ := strings.Cut(shown, "\n")
	shown, _, _ = strings.Cut(shown, "```")
	var out, said bytes.Buffer
	if code := cli.Run(context.Background(), []string{"detect", file}, strings.NewReader(""), &out, &said, Commands(time.Now)...); code != 0 || said.Len() > 0 {
		t.Fatalf("exit %d: %s", code, said.String())
	}
	count := regexp.MustCompile(`with \d+ rules of Polder's own, \d+ correlations`)
	mask := func(s string) string {
		return count.ReplaceAllString(s, "with N rules of Polder's own, N correlations")
	}
	if got, want := mask(out.String()), mask(shown); got != want {
		t.Errorf("polder detect %s says\n%s\nand the README\n%s", file, got, want)
	}
}
