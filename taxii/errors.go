package taxii

import (
	"fmt"
	"net/http"
	"time"
)

// Error is a refusal, on both sides: what a [Store] returns to the server, what the server writes as an error
// resource, and what a [Client] returns when a server refused.
//
// Compare by status with errors.Is and one of the bare errors: errors.Is(err, taxii.ErrNotFound).
type Error struct {
	Status     int           // the HTTP status
	Text       string        // what is wrong and what would be right; shown to the other side
	RetryAfter time.Duration // when to come again, for statuses 429 and 503; zero for no advice
	Cause      error         // for the log; never shown to the other side
}

// The refusals that a [Store] or [Options.Authenticate] may give. Any other error is a fault: it is logged and the
// client reads only a number under which the log has it.
var (
	ErrInvalid       = &Error{Status: http.StatusBadRequest}   // the request is wrong as it stands
	ErrUnauthorized  = &Error{Status: http.StatusUnauthorized} // nobody has said who asks
	ErrForbidden     = &Error{Status: http.StatusForbidden}    // the subject may know of it, but not do this
	ErrNotFound      = &Error{Status: http.StatusNotFound}     // there is no such thing, or the subject may not know of it
	ErrTooLarge      = &Error{Status: http.StatusRequestEntityTooLarge}
	ErrUnprocessable = &Error{Status: http.StatusUnprocessableEntity} // understood, but not what TAXII asks for
	ErrLimited       = &Error{Status: http.StatusTooManyRequests}     // above a limit of rate
	ErrUnavailable   = &Error{Status: http.StatusServiceUnavailable}  // not now; again later
	ErrFull          = &Error{Status: http.StatusInsufficientStorage} // no room
)

// Errorf makes an error of a status with a text for the other side.
func Errorf(status int, format string, args ...any) *Error {
	return &Error{Status: status, Text: fmt.Sprintf(format, args...)}
}

func (e *Error) Error() string {
	if e.Text == "" {
		return fmt.Sprintf("%d %s", e.Status, http.StatusText(e.Status))
	}
	return e.Text
}

func (e *Error) Unwrap() error { return e.Cause }

// Is tells whether target is the bare error of the same status.
func (e *Error) Is(target error) bool {
	t, ok := target.(*Error)
	return ok && t.Text == "" && t.Cause == nil && t.Status == e.Status
}
