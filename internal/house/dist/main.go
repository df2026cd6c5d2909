// Command dist builds what is released: a static binary for each target, a bill of materials beside each, and
// SHA256SUMS over all. With -verify it builds twice, in two places with two caches, and compares.
package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"debug/buildinfo"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"

	"github.com/polder-exchange/polder/internal/cli/sbom"
)

// program is the package that is built.
const program = "./cmd/polder"

// targets are the systems that a release is for.
var targets = []string{"linux/amd64", "linux/arm64", "darwin/amd64", "darwin/arm64", "windows/amd64", "windows/arm64"}

func main() {
	verify := flag.Bool("verify", false, "build twice and compare instead")
	out := flag.String("out", "dist", "the folder to build into")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	var err error
	if *verify {
		err = repeat(ctx, os.Stdout, ".", program)
	} else {
		err = release(ctx, os.Stdout, ".", *out)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "dist:", err)
		stop()
		os.Exit(1)
	}
}

// release builds every target of the checkout at src into out.
func release(ctx context.Context, w io.Writer, src, out string) error {
	if err := os.MkdirAll(out, 0o755); err != nil {
		return err
	}
	out, err := filepath.Abs(out)
	if err != nil {
		return err
	}
	inside, err := shipped(ctx, src)
	if err != nil {
		return err
	}
	for _, t := range targets {
		bin := filepath.Join(out, fileName(t))
		if err := build(ctx, src, program, bin, t); err != nil {
			return err
		}
		if err := bill(bin, inside); err != nil {
			return err
		}
		fmt.Fprintln(w, filepath.Base(bin))
	}
	return sums(out)
}

// fileName is the name of the binary for a target: polder-linux-amd64, polder-windows-amd64.exe.
func fileName(target string) string {
	name := "polder-" + strings.ReplaceAll(target, "/", "-")
	if strings.HasPrefix(target, "windows/") {
		name += ".exe"
	}
	return name
}

// build builds a package reproducibly: nothing of the machine, the path or the user is in the binary.
func build(ctx context.Context, src, pkg, bin, target string, env ...string) error {
	system, arch, _ := strings.Cut(target, "/")
	cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-buildvcs=auto", "-mod=readonly", "-ldflags=-s -w -buildid=", "-o", bin, pkg)
	cmd.Dir = src
	cmd.Env = append(os.Environ(), append([]string{"CGO_ENABLED=0", "GOFLAGS=", "GOAMD64=v1", "GOOS=" + system, "GOARCH=" + arch}, env...)...)
	if text, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("build %s: %w\n%s", target, err, text)
	}
	return nil
}

// shipped is the bill that the SQLite module brings of the C code inside it, which no list of Go modules names.
func shipped(ctx context.Context, src string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, "go", "list", "-m", "-f", "{{.Dir}}", "modernc.org/sqlite")
	cmd.Dir = src
	dir, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("find modernc.org/sqlite: %w", err)
	}
	return os.ReadFile(filepath.Join(strings.TrimSpace(string(dir)), "sbom.cdx.json"))
}

// bill writes the bill of materials beside a binary, from what the binary itself says.
func bill(bin string, inside []byte) error {
	info, err := buildinfo.ReadFile(bin)
	if err != nil {
		return err
	}
	b := sbom.Of(info)
	if err := b.Merge(inside); err != nil {
		return err
	}
	sum, err := sha(bin)
	if err != nil {
		return err
	}
	b.Metadata.Component.Hashes = []sbom.Hash{{Algorithm: "SHA-256", Content: sum}}
	var text bytes.Buffer
	if err := b.Write(&text); err != nil {
		return err
	}
	return os.WriteFile(strings.TrimSuffix(bin, ".exe")+".cdx.json", text.Bytes(), 0o644)
}

func sha(file string) (string, error) {
	f, err := os.Open(file)
	if err != nil {
		return "", err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", err
	}
	return fmt.Sprintf("%x", h.Sum(nil)), nil
}

// sums writes SHA256SUMS over all other files in dir, in the form that sha256sum -c reads.
func sums(dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	var lines []string
	for _, e := range entries {
		if e.Name() == "SHA256SUMS" || !e.Type().IsRegular() {
			continue
		}
		sum, err := sha(filepath.Join(dir, e.Name()))
		if err != nil {
			return err
		}
		lines = append(lines, sum+"  "+e.Name()+"\n")
	}
	slices.Sort(lines)
	return os.WriteFile(filepath.Join(dir, "SHA256SUMS"), []byte(strings.Join(lines, "")), 0o644)
}

// repeat builds the last commit of src in two places, with two caches and two time zones, and demands the same bytes.
func repeat(ctx context.Context, w io.Writer, src, pkg string) error {
	dir, err := os.MkdirTemp("", "polder-twice-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	var seen []string
	for _, place := range []struct{ path, zone string }{{"one", "UTC"}, {filepath.Join("two", "deeper"), "Pacific/Auckland"}} {
		clone, bin := filepath.Join(dir, place.path, "src"), filepath.Join(dir, place.path, "bin")
		if text, err := exec.CommandContext(ctx, "git", "clone", "-q", src, clone).CombinedOutput(); err != nil {
			return fmt.Errorf("clone: %w\n%s", err, text)
		}
		err := build(ctx, clone, pkg, bin, "linux/amd64", "TZ="+place.zone, "GOCACHE="+filepath.Join(dir, place.path, "cache"))
		if err != nil {
			return err
		}
		sum, err := sha(bin)
		if err != nil {
			return err
		}
		fmt.Fprintln(w, sum, place.path)
		seen = append(seen, sum)
	}
	if seen[0] != seen[1] {
		return errors.New("the two binaries differ: the build is not reproducible")
	}
	return nil
}
