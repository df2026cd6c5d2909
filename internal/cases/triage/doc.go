// Package triage reads what a reporter wrote and proposes what it is about, how bad it is, and which reports speak of the
// same thing. It is pure: rules are data, the same words always give the same answer, and static/triage.js of package
// cases gives it too, so that both are made on the device of who reports or reads and nobody else sees the words.
//
// A proposal decides nothing; a person changes it with one click. Nothing is proposed for somebody who is pressed:
// callers do not ask.
package triage
