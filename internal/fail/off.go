//go:build !fail

// Package fail marks the places where a test may break the program: failpoints, where a process dies or a call
// fails, and old or likely bugs that can be put back, so that a test proves it would notice them.
//
// Without the build tag "fail" every function here is empty and costs nothing. With it, $POLDER_FAIL names what breaks:
// a list of "point=kill", "point=error" or "bug=on", each optionally with "@n" for the n-th time it is reached.
package fail

// At is a failpoint. It returns an error, or never returns, when the test asked for that.
func At(string) error { return nil }

// Bug tells whether the named bug is put back.
func Bug(string) bool { return false }
