// Package detect holds shared knowledge against one's own telemetry, now and back in time. Telemetry never leaves the
// node; only a sighting that was released does.
package detect
