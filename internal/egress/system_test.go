//go:build cgo

package egress_test

import (
	"net"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/answerdesk-go/answerdesk/internal/egress"
)

// TestNumbersAsNames asks the C library, which takes these for 127.0.0.1 and
// 0.0.0.0. Which resolver is used is read once a process, so it runs in its own.
func TestNumbersAsNames(t *testing.T) {
	if os.Getenv("GODEBUG") != "netdns=cgo" {
		cmd := exec.Command(os.Args[0], "-test.run=^TestNumbersAsNames$", "-test.v")
		cmd.Env = append(os.Environ(), "GODEBUG=netdns=cgo")
		out, err := cmd.CombinedOutput()
		if err != nil || !strings.Contains(string(out), "--- PASS: TestNumbersAsNames") {
			t.Fatalf("with the system's resolver: %v\n%s", err, out)
		}
		return
	}
	for _, host := range []string{"2130706433", "0x7f000001", "017700000001", "0177.0.0.1", "127.1", "127.000.000.001", "0"} {
		c := newClient(t, &egress.Options{Resolver: new(net.Resolver)})
		_, d, err := get(t, c, "https://"+host+"/")
		wantRefused(t, host, d, err)
		if len(d.refused) == 0 {
			t.Errorf("get %s = %v without having been resolved; the dial was not tested", host, err)
		}
	}
}
