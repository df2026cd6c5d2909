package web

import "net/http"

func (s *Site) components(w http.ResponseWriter, r *http.Request) {
	s.Render(w, r, Page{Template: "web/components", Title: "Components"})
}
