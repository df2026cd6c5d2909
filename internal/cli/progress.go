package cli

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"
)

// drawEvery is how often a line of progress is drawn at most.
const drawEvery = 100 * time.Millisecond

// Progress shows how far long work is, on standard error and only on a terminal. It is nil-safe and used by one goroutine.
type Progress struct {
	w            io.Writer
	what         string
	done, total  int64 // total below 0: nobody knows
	now          func() time.Time
	began, drawn time.Time
	width        int // of the line that stands on the terminal
}

// NewProgress begins to show work of total steps, or of unknown length when total is below 0.
func NewProgress(cmd *cobra.Command, what string, total int64) *Progress {
	if !terminal(cmd.ErrOrStderr()) {
		return nil
	}
	return newProgress(cmd.ErrOrStderr(), what, total, time.Now)
}

func newProgress(w io.Writer, what string, total int64, now func() time.Time) *Progress {
	return &Progress{w: w, what: Visible(what), total: total, now: now, began: now()}
}

// Set says that n steps are done.
func (p *Progress) Set(n int64) {
	if p == nil {
		return
	}
	p.done = n
	if now := p.now(); now.Sub(p.drawn) >= drawEvery {
		p.drawn = now
		p.draw(p.line(now.Sub(p.began)))
	}
}

// Add says that n more steps are done.
func (p *Progress) Add(n int64) {
	if p != nil {
		p.Set(p.done + n)
	}
}

// Done takes the line away, so that what is printed next stands on one of its own.
func (p *Progress) Done() {
	if p != nil && p.width > 0 {
		p.draw("")
		fmt.Fprint(p.w, "\r")
	}
}

// line says what is done, how much of the whole it is, and how fast it goes.
func (p *Progress) line(took time.Duration) string {
	text := fmt.Sprintf("%s %d", p.what, p.done)
	if p.total > 0 {
		text += fmt.Sprintf(" of %d (%d %%)", p.total, 100*p.done/p.total)
	}
	if seconds := took.Seconds(); seconds >= 1 {
		text += fmt.Sprintf(", %.0f a second", float64(p.done)/seconds)
	}
	return text
}

// draw puts text, which is printable, where the line before stood.
func (p *Progress) draw(text string) {
	width := len([]rune(text))
	fmt.Fprint(p.w, "\r"+text+strings.Repeat(" ", max(0, p.width-width)))
	p.width = width
}
