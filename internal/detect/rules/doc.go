// Package rules holds Polder's own Sigma rules, which are in the binary and are used when no others are named.
//
// The folder knowhow is about the theft of know-how: copying in bulk, packing, sending out, from computers, Microsoft
// 365, AWS and the network. The folder edge is about the devices at the border of a network: firewalls, VPN portals,
// routers, and what runs on them. Files are Sigma of the specification 2.1; a correlation and the rules that only it
// needs share a file. Beside Sigma's own fields each has polder.next, what to do when it fires, by language.
//
// For each rule and correlation there is a folder in testdata, named as its file: each file whose name begins with fire
// makes it fire, each that begins with near nearly does. The package detects nothing itself.
package rules
