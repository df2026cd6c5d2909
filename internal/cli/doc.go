// Package cli is what all commands have in common: flags, output, progress, exit codes, and how a command talks to a
// node. It knows no capability; node hands it the commands.
//
// # Promises
//
//   - Exit codes are those scripts rely on (rule X24): 0 done; 1 refused or failed; 2 wrong usage; 3 where a script asks
//     by exit status. See [Usage] and [Nothing].
//   - Errors go to standard error, a line each, as "polder: file:line: what; what would be right". See [At].
//   - Nothing that comes from data can steer a terminal: what is printed through [Printer] shows control characters
//     instead of sending them (trust.md S44), and JSON escapes them without changing a value.
//   - A write to standard output that fails is exit 1, whatever the command thought.
//   - A token is never printed: not in help, not in errors.
package cli
