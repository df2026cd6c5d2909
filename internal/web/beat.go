package web

// Beat writes a comment, for handlers that wait for events in a way of their own. Call it at least every 15 s.
func (s *EventStream) Beat() error { return s.put([]byte(": still here\n\n")) }
