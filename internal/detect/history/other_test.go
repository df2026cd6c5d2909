package history

import (
	"os/exec"
	"path/filepath"
	"testing"
)

// TestAnotherReader: what lies in a history is plain Parquet, for whatever tool its owner has. It runs the tests of
// tools/parquet, which read segments with a library that shares nothing with the one that wrote them. That library and
// its tree are a module of their own, so that the program does not depend on them.
func TestAnotherReader(t *testing.T) {
	if testing.Short() {
		t.Skip("a second reader of Parquet takes a while to build")
	}
	cmd := exec.Command("go", "test", "-count=1", "-v", ".")
	cmd.Dir = filepath.Join("..", "..", "..", "tools", "parquet")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("go test in tools/parquet: %v\n%s", err, out)
	}
}
