// Command proof runs what docs/proof.md promises and prints each promise with its result; with -mutants it puts each
// listed bug back and demands that the test beside it turns red.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/polder-exchange/polder/internal/house"
)

func main() {
	mutants := flag.Bool("mutants", false, "put each bug back and demand that its test notices")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Stdout, *mutants); err != nil {
		fmt.Fprintln(os.Stderr, "proof:", err)
		stop()
		os.Exit(1)
	}
}

func run(ctx context.Context, w io.Writer, mutants bool) error {
	text, err := os.ReadFile(filepath.Join("docs", "proof.md"))
	if err != nil {
		return fmt.Errorf("run it at the root of the project: %w", err)
	}
	dir, err := os.MkdirTemp("", "polder-proof-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	p := prover{dir: dir, bugs: mutants, built: map[string]string{}}
	promises, bugs := house.Proof(string(text))
	out := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	defer out.Flush()
	if mutants {
		return p.mutants(ctx, out, bugs)
	}
	return p.promises(ctx, out, promises)
}

// prover runs single tests from binaries that it builds once per package.
type prover struct {
	dir   string
	bugs  bool // with the build tag that lets bugs be put back
	built map[string]string
}

// result of one test: "pass", "FAIL" or "skip".
func (p *prover) run(ctx context.Context, t house.Test, bug string) (string, error) {
	bin, err := p.build(ctx, t.Package)
	if err != nil {
		return "", err
	}
	cmd := exec.CommandContext(ctx, bin, "-test.run", "^"+t.Name+"$", "-test.v", "-test.timeout", "10m")
	cmd.Dir = t.Package
	if bug != "" {
		cmd.Env = append(os.Environ(), "POLDER_FAIL="+bug+"=on")
	}
	out, err := cmd.CombinedOutput()
	_, failed := errors.AsType[*exec.ExitError](err)
	switch {
	case err != nil && !failed:
		return "", err
	case failed:
		return "FAIL", nil
	case strings.Contains(string(out), "--- SKIP: "+t.Name+" "):
		return "skip", nil
	case !strings.Contains(string(out), "--- PASS: "+t.Name+" "):
		return "", fmt.Errorf("%s %s did not run", t.Package, t.Name)
	}
	return "pass", nil
}

func (p *prover) build(ctx context.Context, pkg string) (string, error) {
	if bin := p.built[pkg]; bin != "" {
		return bin, nil
	}
	bin := filepath.Join(p.dir, strings.ReplaceAll(pkg, "/", "-")+".test")
	args := []string{"test", "-c", "-o", bin}
	if p.bugs {
		args = append(args, "-tags", "fail")
	}
	if out, err := exec.CommandContext(ctx, "go", append(args, "./"+pkg)...).CombinedOutput(); err != nil {
		return "", fmt.Errorf("build the tests of %s: %w\n%s", pkg, err, out)
	}
	p.built[pkg] = bin
	return bin, nil
}

func (p *prover) promises(ctx context.Context, w *tabwriter.Writer, all []house.Promise) error {
	wrong := 0
	for _, promise := range all {
		for _, t := range promise.Tests {
			if _, err := p.build(ctx, t.Package); err != nil {
				return err // now, so that the time below is the test's own
			}
			began := time.Now()
			result, err := p.run(ctx, t, "")
			if err != nil {
				return err
			}
			if result == "FAIL" {
				wrong++
			}
			fmt.Fprintf(w, "%s\t%s\t%s %s\t%s\t%s\n", promise.Name, result, t.Package, t.Name, time.Since(began).Round(time.Millisecond), promise.Text)
		}
	}
	if wrong > 0 {
		return fmt.Errorf("%d tests failed", wrong)
	}
	return nil
}

// mutants demands of each bug that its tests pass without it, and that at least one fails with it.
func (p *prover) mutants(ctx context.Context, w *tabwriter.Writer, all []house.Bug) error {
	missed := 0
	for _, bug := range all {
		noticed := ""
		for _, t := range bug.Tests {
			without, err := p.run(ctx, t, "")
			if err != nil {
				return err
			}
			if without == "FAIL" {
				return fmt.Errorf("%s %s fails without any bug", t.Package, t.Name)
			}
			with, err := p.run(ctx, t, bug.Name)
			if err != nil {
				return err
			}
			if with == "FAIL" {
				noticed = t.Package + " " + t.Name
			}
		}
		verdict := "noticed"
		if noticed == "" {
			verdict = "MISSED"
			missed++
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", bug.Name, verdict, noticed, bug.Text)
	}
	if missed > 0 {
		return fmt.Errorf("%d of %d bugs were put back and not noticed", missed, len(all))
	}
	fmt.Fprintf(w, "%d bugs put back, all noticed\n", len(all))
	return nil
}
