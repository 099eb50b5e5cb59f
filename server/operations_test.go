package server_test

import (
	"bytes"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/answerdesk-go/answerdesk"
	"github.com/answerdesk-go/answerdesk/agent/agenttest"
	"github.com/answerdesk-go/answerdesk/server"
)

// The contract is served as it is, but for the address of the server.
func TestContractServed(t *testing.T) {
	d := agenttest.Desk(t)
	for _, tt := range []struct {
		opts    server.Options
		address string
	}{
		{server.Options{}, "/"},
		{server.Options{BasePath: "/support"}, "/support"},
		{server.Options{BasePath: "/support/"}, "/support"},
		{server.Options{PublicURL: "https://api.example.com"}, "https://api.example.com"},
		{server.Options{PublicURL: "https://api.example.com/"}, "https://api.example.com"},
		{server.Options{PublicURL: "https://example.com:8443/x", BasePath: "/support"}, "https://example.com:8443/x/support"},
	} {
		h := &host{Server: server.New(d, &tt.opts), desk: d}
		base := ""
		if tt.opts.BasePath != "" {
			base = "/support"
		}
		a := get(t, h, base+"/openapi.yaml")
		if a.Code != 200 || a.Header().Get("Content-Type") != "application/yaml" {
			t.Fatalf("with %+v: %d %s", tt.opts, a.Code, a.Header().Get("Content-Type"))
		}
		doc, err := openapi3.NewLoader().LoadFromData(a.Body.Bytes())
		if err != nil {
			t.Fatalf("with %+v the contract cannot be read: %v", tt.opts, err)
		}
		if len(doc.Servers) != 1 || doc.Servers[0].URL != tt.address {
			t.Errorf("with %+v the server is at %v, want %s", tt.opts, doc.Servers[0].URL, tt.address)
		}
		served := bytes.Split(a.Body.Bytes(), []byte("\n"))
		differ := 0
		for i, line := range bytes.Split(answerdesk.OpenAPI(), []byte("\n")) {
			if !bytes.Equal(line, served[i]) {
				differ++
			}
		}
		if want := min(1, len(tt.address)-1); differ != want {
			t.Errorf("with %+v %d lines differ from openapi.yaml, want %d", tt.opts, differ, want)
		}
	}
}

// What whoever runs the server reads needs no key, and tells its version.
func TestHealth(t *testing.T) {
	h := open(t, nil, &server.Options{Version: "1.2.3"})
	var health struct{ Status, Version string }
	h.do(t, "GET", "/healthz", "", "X-Api-Key", "").read(t, 200, &health)
	if health.Status != "ok" || health.Version != "1.2.3" {
		t.Errorf("the health is %+v", health)
	}
	for _, path := range []string{"/readyz", "/metrics", "/openapi.yaml", "/docs"} {
		a := h.do(t, "GET", path, "", "X-Api-Key", "")
		a.read(t, 200, nil)
		if a.Header().Get("X-RateLimit-Limit") != "" {
			t.Errorf("%s has a rate limit", path)
		}
	}
	zip := get(t, h, "/openapi.yaml", "Accept-Encoding", "zstd, br, gzip;q=0.1")
	if zip.Header().Get("Content-Encoding") != "gzip" || !bytes.Equal(unzipped(t, zip.Body.Bytes()), answerdesk.OpenAPI()) {
		t.Error("in gzip the contract is another one")
	}
}
