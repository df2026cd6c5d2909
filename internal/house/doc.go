// Package house holds the rules of the house, as tests: which package may import which, what must be documented,
// which modules the program depends on and why, and which calls no package makes.
//
// A rule that must be broken in one place is broken aloud: a comment "//house:allow RULE: reason" on the line or on
// the line above it, where RULE is the name the failing test printed. An exception that excuses nothing fails too.
package house
