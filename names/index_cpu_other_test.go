//go:build !linux

package names

import "time"

var started = time.Now() //house:allow time.Now: a benchmark measures

// threadTime is the time that has passed: here the time of a thread cannot be asked.
func threadTime() time.Duration { return time.Since(started) } //house:allow time.Since: a benchmark measures
