package fail

import (
	"os"
	"os/exec"
	"testing"
)

// TestD5Failpoints (D5): a program that is built as people build it has no failpoints, whatever the environment says;
// with the tag "fail" a point breaks exactly when it was asked to.
func TestD5Failpoints(t *testing.T) {
	if os.Getenv("POLDER_FAIL_CHILD") == "" {
		for tags, want := range map[string]string{"": "without", "fail": "with"} {
			cmd := exec.Command("go", "test", "-count=1", "-tags", tags, "-run", "^TestD5Failpoints$", ".")
			cmd.Env = append(os.Environ(), "POLDER_FAIL_CHILD="+want, "POLDER_FAIL=here=error@2,bug=on")
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Errorf("tags %q: %v\n%s", tags, err, out)
			}
		}
		return
	}
	with := os.Getenv("POLDER_FAIL_CHILD") == "with"
	for n, breaks := range []bool{false, with, false} {
		if err := At("here"); (err != nil) != breaks {
			t.Errorf("time %d: %v", n+1, err)
		}
	}
	if At("elsewhere") != nil || Bug("bug") != with || Bug("other") {
		t.Errorf("another point broke, or the bug is %v", Bug("bug"))
	}
}
