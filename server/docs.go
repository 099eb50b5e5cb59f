package server

import "net/http"

func (s *Server) docs(w http.ResponseWriter, _ *http.Request) {}
func (s *Server) assets(mux *http.ServeMux)                   {}
