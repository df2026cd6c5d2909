// Package rules holds Polder's own Sigma rules, which are in the binary and are used when no others are named.
//
// The folder knowhow is about the theft of know-how: copying in bulk, packing, sending out, from computers, Microsoft
// 365, AWS and the network. The folder edge is about the devices at the border of a network: firewalls, VPN portals,
// routers, and what runs on them. The folder intrusion is about the signs of a person at work in a network that does not
// belong there: services, accounts and log-ons, passwords taken, the virus scanner blinded, scripts, mail and roles in
// the cloud. Its 57 rules (4 critical, 37 high, 15 medium, 1 low) are few and choosy: high means act today, so what
// backups, management software and scanners for weaknesses do is left out, and told in the tests beside it. They ask
// what Windows, Linux, Entra and Microsoft 365 record by themselves first, and Sysmon and extra auditing where there are.
// On a collection of 123,169 Windows events of attack recordings they give 26 signs, 22 of them high or critical; on
// 25,993 events of one recording, 2. Files are Sigma of the specification 2.1; a correlation and the rules that only it
// needs share a file. Beside Sigma's own fields each has polder.next, what to do when it fires, by language.
//
// For each rule and correlation there is a folder in testdata, named as its file: each file whose name begins with fire
// makes it fire, each that begins with near nearly does. The package detects nothing itself.
package rules
