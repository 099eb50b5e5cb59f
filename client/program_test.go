package client_test

import (
	"debug/buildinfo"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// program is what a user's smallest program looks like.
const program = `package main

import (
	"context"
	"fmt"
	"os"

	"github.com/answerdesk-go/answerdesk/client"
	"github.com/answerdesk-go/answerdesk/client/api"
)

func main() {
	c, err := client.New(os.Args[1], client.WithAPIKey(os.Getenv("ANSWERDESK_API_KEY")))
	if err != nil {
		panic(err)
	}
	fmt.Println(client.Accumulate(c.Messages.Stream(context.Background(), api.MessageRequest{Message: os.Args[2]})))
	fmt.Println(c.Knowledge.Files.Upload(context.Background(), client.FileFromPath(os.Args[3]), nil))
}
`

// TestProgram bounds what a program takes on that imports the client: bytes,
// modules, and rooms of this one.
func TestProgram(t *testing.T) {
	dir := t.TempDir()
	src, bin := filepath.Join(dir, "main.go"), filepath.Join(dir, "main.exe")
	if err := os.WriteFile(src, []byte(program), 0o600); err != nil {
		t.Fatal(err)
	}
	golang := func(args ...string) string {
		cmd := exec.CommandContext(t.Context(), "go", args...)
		cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOARCH=amd64", "GOFLAGS=")
		var stderr strings.Builder
		cmd.Stderr = &stderr
		out, err := cmd.Output()
		if err != nil {
			t.Fatalf("%v: %v\n%s", cmd.Args, err, stderr.String())
		}
		return string(out)
	}
	golang("build", "-ldflags", "-s -w", "-trimpath", "-buildvcs=false", "-o", bin, src)

	stat, err := os.Stat(bin)
	if err != nil {
		t.Fatal(err)
	}
	info, err := buildinfo.ReadFile(bin)
	if err != nil {
		t.Fatal(err)
	}
	modules := []string{"github.com/answerdesk-go/answerdesk"}
	for _, m := range info.Deps {
		if m.Path != modules[0] {
			modules = append(modules, m.Path)
		}
	}
	t.Logf("%d bytes, modules %q", stat.Size(), modules)
	if most := int64(6_800_000); stat.Size() > most {
		t.Errorf("a program with the client has %d bytes, want at most %d", stat.Size(), most)
	}
	if len(modules) > 8 {
		t.Errorf("a program with the client links %d modules, want at most 8: %q", len(modules), modules)
	}
	var ours []string
	for pkg := range strings.Lines(golang("list", "-deps", src)) {
		if room, ok := strings.CutPrefix(strings.TrimSpace(pkg), modules[0]); ok {
			ours = append(ours, room)
		}
	}
	slices.Sort(ours)
	if want := []string{"/client", "/client/api", "/client/internal/raw", "/internal/sse"}; !slices.Equal(ours, want) {
		t.Errorf("a program with the client links %q of this module, want %q", ours, want)
	}
}
