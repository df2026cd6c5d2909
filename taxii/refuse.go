package taxii

import "net/http"

// Refuse writes err as the error resource of TAXII, for a host that refuses before a handler of this server runs.
func (s *Server) Refuse(w http.ResponseWriter, r *http.Request, err error) { s.refuse(w, r, err) }
