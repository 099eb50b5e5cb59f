package server

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"strconv"
	"time"

	"github.com/answerdesk-go/answerdesk/server/internal/api"
)

// probe bounds how long the store may take to say that it is there.
const probe = 2 * time.Second

// operations are the routes for whoever runs the server, by the id of the
// operation. They need no key, and tell nothing about any company.
func (s *Server) operations(contract []byte) map[string]http.Handler {
	contract = s.addressed(contract)
	return map[string]http.Handler{
		"getHealth": http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			sendJSON(w, http.StatusOK, api.Health{Status: "ok", Version: s.opts.Version})
		}),
		"getReadiness": http.HandlerFunc(s.readiness),
		"getMetrics": http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
			s.meters.write(w)
		}),
		"getOpenAPI": http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/yaml")
			_, _ = w.Write(contract)
		}),
		"getDocs": http.HandlerFunc(s.docs),
	}
}

// addressed is the contract with the address at which it is served.
func (s *Server) addressed(contract []byte) []byte {
	address := s.opts.PublicURL + s.opts.BasePath // neither ends in a slash: see New
	if address == "" {
		return contract
	}
	return bytes.Replace(contract, []byte("  - url: /\n"), []byte("  - url: "+strconv.Quote(address)+"\n"), 1)
}

// readiness answers a load balancer: not while the server drains, and not without
// a store.
func (s *Server) readiness(w http.ResponseWriter, r *http.Request) {
	if s.draining.Err() != nil {
		sendJSON(w, http.StatusServiceUnavailable, api.Readiness{Status: "draining"})
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), probe)
	defer cancel()
	if err := s.desk.Ping(ctx); err != nil {
		s.log.WarnContext(ctx, "not ready", "error", err)
		sendJSON(w, http.StatusServiceUnavailable, api.Readiness{Status: "unavailable"})
		return
	}
	sendJSON(w, http.StatusOK, api.Readiness{Status: "ready"})
}

func sendJSON(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", jsonMedia)
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v) // the caller is gone
}
