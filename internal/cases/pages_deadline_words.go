package cases

import (
	"strconv"
	"strings"
	"time"

	"github.com/polder-exchange/polder/deadline"
	"github.com/polder-exchange/polder/internal/web"
)

// deadlineWhen writes a time in its own zone: a deadline ends with a day of its jurisdiction, wherever the reader is.
func deadlineWhen(words web.Words, t time.Time) string {
	if t.IsZero() {
		return "–"
	}
	return words.T("when.weekday."+strconv.Itoa(int(t.Weekday()))) + " " + strconv.Itoa(t.Day()) + " " + words.T("when.month."+strconv.Itoa(int(t.Month()))) + " " + t.Format("2006, 15:04 MST")
}

// deadlineUntil says until when a duty is to be met, or why there is no time.
func deadlineUntil(words web.Words, d CaseDeadline) string {
	switch {
	case d.Waits != "":
		return words.T("cases.deadline.waits-for", "delay", deadlineDelay(words, d.Delay), "what", deadlineEvent(words, d.Waits))
	case d.Due.IsZero():
		return deadlineDelay(words, d.Delay)
	case d.Estimated:
		return words.T("cases.deadline.due-estimate", "at", deadlineWhen(words, d.Due))
	}
	return words.T("cases.deadline.due", "at", deadlineWhen(words, d.Due))
}

// deadlineDelay says a delay of a rule in the reader's language.
func deadlineDelay(words web.Words, delay string) string {
	var parts []string
	for part := range strings.SplitSeq(delay, " then ") {
		count, unit, timed := strings.Cut(part, " ")
		n, err := strconv.Atoi(count)
		if err != nil || !timed {
			parts = append(parts, words.T("cases.delay."+strings.ReplaceAll(part, " ", "-")))
			continue
		}
		unit = strings.ReplaceAll(strings.TrimSuffix(unit, "s"), " ", "-")
		parts = append(parts, words.T("cases.delay."+unit, "n", n))
	}
	return strings.Join(parts, ", "+words.T("cases.delay.then")+" ")
}

// deadlineEvent is what an event is called.
func deadlineEvent(words web.Words, name string) string {
	for _, t := range (deadline.Packs{}).Events() {
		if t.ID == name {
			return t.In(words.Lang())
		}
	}
	return name
}

// deadlineMarkOf is the state of a duty in a word with its sign. A state that a person must act on stands out.
func deadlineMarkOf(words web.Words, d CaseDeadline, now time.Time) caseMark {
	text := words.T("cases.deadline.state." + string(d.State))
	switch d.State {
	case DeadlineSent:
		return caseMark{"ok", "check", text}
	case DeadlineLate:
		if !d.Sent.IsZero() {
			text = words.T("cases.deadline.sent-late")
		}
		return caseMark{"bad", "alert", text}
	case DeadlineExcused:
		return caseMark{"", "cross", text}
	case DeadlineWaits:
		return caseMark{"", "clock", text}
	}
	if d.Used(now) >= 0.75 {
		return caseMark{"warn", "clock", words.T("cases.deadline.soon")}
	}
	return caseMark{"info", "clock", text}
}

// deadlineStatus says how binding a duty is, where it is not simply in force.
func deadlineStatus(words web.Words, status string) string {
	if status == deadline.InForce {
		return ""
	}
	return words.T("cases.deadline.status." + status)
}

// deadlineClocks are the duties as clocks: what, time left, how much of it is used, due time and law. A duty without a
// time has an empty gauge.
func deadlineClocks(words web.Words, all []CaseDeadline, now time.Time) []web.Clock {
	var out []web.Clock
	for _, d := range all {
		m := deadlineMarkOf(words, d, now)
		c := web.Clock{Class: m.Class, Title: deadlineCapital(d.Said(words.Lang())), Tag: m.Text, TagIcon: m.Icon, Left: deadlineLeft(words, d, now), Used: d.Used(now), Text: d.Regulation + " " + d.Article + " · " + deadlineUntil(words, d)}
		if c.Class == "info" {
			c.Class = ""
		}
		switch {
		case d.State == DeadlineSent || d.State == DeadlineLate && !d.Sent.IsZero():
			c.Used = d.Used(d.Sent)
		case d.State == DeadlineExcused:
			c.Used = 0
		}
		c.Label = words.T("cases.deadline.used", "n", int(100*c.Used+0.5))
		if status := deadlineStatus(words, d.Status); status != "" {
			c.Text += " · " + status
		}
		out = append(out, c)
	}
	return out
}

// deadlineLeft is how much time there is, or how it ended.
func deadlineLeft(words web.Words, d CaseDeadline, now time.Time) string {
	switch {
	case !d.Sent.IsZero() && !d.Start.IsZero() && !d.Sent.Before(d.Start):
		return words.T("cases.deadline.sent-after", "span", words.Span(d.Sent.Sub(d.Start)))
	case !d.Sent.IsZero():
		return words.T("cases.deadline.state.sent")
	case d.State == DeadlineExcused, d.State == DeadlineWaits:
		return words.T("cases.deadline.state." + string(d.State))
	case d.Due.IsZero():
		return deadlineCapital(deadlineDelay(words, d.Delay))
	case now.After(d.Due):
		return words.T("cases.deadline.over", "span", words.Span(now.Sub(d.Due)))
	case d.State == DeadlineLate:
		return words.T("cases.deadline.state.late")
	}
	return words.T("cases.deadline.left", "span", words.Span(d.Due.Sub(now)))
}

// deadlineCapital gives a text a capital, as a heading begins.
func deadlineCapital(s string) string { return strings.TrimSuffix(web.Sentence(s), ".") }
