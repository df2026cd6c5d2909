// Package event reads the logs of many systems into one flat form, fast: a list of named values that points into the
// bytes that were read, with no map made.
//
// A [Scanner] recognises a file's compression and format by itself and says them. A format's [Decoder] turns its records
// into [Event] values; a [Mapping] knows under which names of Sigma's taxonomy, ECS and OCSF each field may be asked for.
package event
