package cli

import (
	"errors"
	"fmt"
)

// Nothing ends a command with exit code 3 and without a word: match found no match, or --fail-on-hit found one.
var Nothing error = answer{}

// answer is an error without a text for people: the exit code says it.
type answer struct{}

func (answer) Error() string { return "exit status 3" }

// usage is an error of the person who typed the command.
type usage struct{ err error }

func (u usage) Error() string { return u.err.Error() }
func (u usage) Unwrap() error { return u.err }

// Usage marks err as wrong usage: exit code 2. Usage(nil) is nil.
func Usage(err error) error {
	if err == nil {
		return nil
	}
	return usage{err}
}

// Usagef is [Usage] of a formatted text: what is wrong; what would be right.
func Usagef(format string, args ...any) error { return Usage(fmt.Errorf(format, args...)) }

// At says where err lies: in a file, at a line when it is above 0. At(nil) is nil.
func At(file string, line int, err error) error {
	switch {
	case err == nil:
		return nil
	case line > 0:
		return fmt.Errorf("%s:%d: %w", file, line, err)
	}
	return fmt.Errorf("%s: %w", file, err)
}

// Code is the exit code for what a command returned.
func Code(err error) int {
	switch {
	case err == nil:
		return 0
	case errors.Is(err, Nothing):
		return 3
	}
	if _, ok := errors.AsType[usage](err); ok {
		return 2
	}
	return 1
}
