package sbom

import (
	"bytes"
	"encoding/json"
	"runtime/debug"
	"testing"
)

var info = &debug.BuildInfo{
	GoVersion: "go1.26.8",
	Path:      "example.org/p/cmd/p",
	Main:      debug.Module{Path: "example.org/p", Version: "v0.1.0"},
	Deps: []*debug.Module{
		{Path: "example.org/z", Version: "v1.0.0", Sum: "h1:z"},
		{Path: "example.org/a", Version: "v2.0.0", Replace: &debug.Module{Path: "example.org/fork", Version: "v2.0.1"}},
	},
	Settings: []debug.BuildSetting{{Key: "GOOS", Value: "linux"}, {Key: "-trimpath", Value: "true"}, {Key: "-ldflags", Value: "-s"}},
}

// TestC2SBOM: the bill names the program, the standard library, and every module as it was really linked.
func TestC2SBOM(t *testing.T) {
	b := Of(info)
	if err := b.Merge([]byte(`{"bomFormat":"CycloneDX","components":[{"type":"library","name":"SQLite","x-kept":1}]}`)); err != nil {
		t.Fatal(err)
	}
	var out, again bytes.Buffer
	if err := b.Write(&out); err != nil {
		t.Fatal(err)
	}
	var got struct {
		BomFormat, SpecVersion string
		Metadata               struct{ Component Component }
		Components             []Component
	}
	if err := json.Unmarshal(out.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	if got.BomFormat != "CycloneDX" || got.SpecVersion != "1.6" || got.Metadata.Component.PURL != "pkg:golang/example.org/p@v0.1.0" {
		t.Errorf("head: %+v", got)
	}
	want := []string{"pkg:golang/std@1.26.8", "pkg:golang/example.org/fork@v2.0.1", "pkg:golang/example.org/z@v1.0.0", ""}
	if len(got.Components) != len(want) {
		t.Fatalf("%d components, want %d:\n%s", len(got.Components), len(want), out.String())
	}
	for i, c := range got.Components {
		if c.PURL != want[i] {
			t.Errorf("component %d is %q, want %q", i, c.PURL, want[i])
		}
	}
	if !bytes.Contains(out.Bytes(), []byte(`"x-kept"`)) {
		t.Error("a merged component lost a property that this package does not know")
	}
	b2 := Of(info)
	_ = b2.Merge([]byte(`{"components":[{"type":"library","name":"SQLite","x-kept":1}]}`))
	if _ = b2.Write(&again); !bytes.Equal(out.Bytes(), again.Bytes()) {
		t.Error("the same binary gave two different bills")
	}
}

// TestMergeRefuses: a bill that is not JSON is an error, not an empty list.
func TestMergeRefuses(t *testing.T) {
	b := Of(info)
	if err := b.Merge([]byte("<bom/>")); err == nil {
		t.Error("XML was merged")
	}
}

// TestWithoutModule: a binary built outside a module still has a name.
func TestWithoutModule(t *testing.T) {
	if b := Of(&debug.BuildInfo{Path: "command-line-arguments"}); b.Metadata.Component.Name != "command-line-arguments" {
		t.Errorf("name is %q", b.Metadata.Component.Name)
	}
}
