package machine

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
)

// A MemoryUse is what a process has in memory, in bytes.
type MemoryUse struct {
	Resident int64
	Peak     int64 // the most that was resident since [ForgetPeak], or ever
}

// Memory returns what this process has in memory, as Linux counts it.
func Memory() (m MemoryUse, err error) {
	f, err := os.Open("/proc/self/status")
	if err != nil {
		return m, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	for s := bufio.NewScanner(f); s.Scan(); {
		name, value, _ := strings.Cut(s.Text(), ":")
		into := map[string]*int64{"VmRSS": &m.Resident, "VmHWM": &m.Peak}[name]
		if into == nil {
			continue
		}
		kB, err := strconv.ParseInt(strings.TrimSpace(strings.TrimSuffix(value, " kB")), 10, 64)
		if err != nil {
			return m, fmt.Errorf("/proc/self/status: %w", err)
		}
		*into = kB << 10
	}
	if m.Resident == 0 || m.Peak == 0 {
		return m, errors.New("/proc/self/status does not say how much memory is in use")
	}
	return m, nil
}

// ForgetPeak makes what is in memory now the peak.
func ForgetPeak() error { return os.WriteFile("/proc/self/clear_refs", []byte("5"), 0) }
