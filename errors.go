package polder

import (
	"errors"
	"fmt"
)

// Kind is the kind of an error: what a caller does next depends on it, and every face (page, API, TAXII, command
// line) translates it in one place.
type Kind uint8

const (
	Internal     Kind = iota // a fault of ours; its text is for the log only
	Invalid                  // the request is wrong as it stands
	NotFound                 // there is no such thing, or the caller may not know of it
	Forbidden                // the caller may know of it, but not do this
	Conflict                 // it contradicts what is held
	Unauthorised             // nobody has said who asks
	TooLarge                 // above a limit of size
	Limited                  // above a limit of rate; again later
	Unavailable              // the node cannot do it now; again later
	Full                     // the disk is full
)

var kindNames = [...]string{"internal", "invalid", "not found", "forbidden", "conflict", "unauthorised", "too large", "limited", "unavailable", "full"}

func (k Kind) String() string { return kindNames[k] }

// Error is an error of a kind, with a text that a person can act on: what, where, what would be right.
type Error struct {
	Kind  Kind
	Text  string
	Cause error // for the log; never shown
}

func (e *Error) Error() string {
	if e.Text == "" && e.Cause != nil {
		return e.Cause.Error()
	}
	return e.Text
}

func (e *Error) Unwrap() error { return e.Cause }

// Is lets errors.Is compare by kind: errors.Is(err, polder.ErrNotFound).
func (e *Error) Is(target error) bool {
	t, ok := target.(*Error)
	return ok && t.Text == "" && t.Cause == nil && t.Kind == e.Kind
}

// One bare error per kind, for errors.Is.
var (
	ErrInvalid      = &Error{Kind: Invalid}
	ErrNotFound     = &Error{Kind: NotFound}
	ErrForbidden    = &Error{Kind: Forbidden}
	ErrConflict     = &Error{Kind: Conflict}
	ErrUnauthorised = &Error{Kind: Unauthorised}
	ErrTooLarge     = &Error{Kind: TooLarge}
	ErrLimited      = &Error{Kind: Limited}
	ErrUnavailable  = &Error{Kind: Unavailable}
	ErrFull         = &Error{Kind: Full}
)

// Errorf makes an error of kind k. A %w operand becomes its cause; its text is part of the message as with fmt.Errorf.
func Errorf(k Kind, format string, args ...any) error {
	err := fmt.Errorf(format, args...)
	return &Error{Kind: k, Text: err.Error(), Cause: errors.Unwrap(err)}
}

// KindOf is the kind of the first [Error] in err's chain; Internal when there is none.
func KindOf(err error) Kind {
	var e *Error
	if errors.As(err, &e) {
		return e.Kind
	}
	return Internal
}
