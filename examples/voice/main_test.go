package main

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// talk answers what is said, one sentence a line, and returns what was answered.
func talk(t *testing.T, said string) string {
	t.Helper()
	var out bytes.Buffer
	if err := run(t.Context(), &terminal{in: bufio.NewScanner(strings.NewReader(said)), out: &out}); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func TestVoice(t *testing.T) {
	if got := talk(t, "How do I rotate an API key?\n"); !strings.Contains(got, "rotate") || strings.ContainsAny(got, "`|#") {
		t.Errorf("the answer is spoken as %q, want one about rotating, without marks", got)
	}
	if got := talk(t, "What is the capital of Mongolia?\n"); !strings.Contains(got, "could not find") {
		t.Errorf("what nobody knows is answered with %q", got)
	}
}

// TestSpoken has espeak-ng speak an answer, where it is installed, and looks at the
// sound: a RIFF file with at least half a second that is not silence.
func TestSpoken(t *testing.T) {
	if _, err := exec.LookPath("espeak-ng"); err != nil {
		t.Skip("espeak-ng is not installed")
	}
	folder := t.TempDir()
	typed := terminal{in: bufio.NewScanner(strings.NewReader("How do I rotate an API key?\n")), out: new(bytes.Buffer)}
	if err := run(t.Context(), &espeak{terminal: typed, folder: folder}); err != nil {
		t.Fatal(err)
	}
	sound, err := os.ReadFile(filepath.Join(folder, "1.wav"))
	if err != nil || len(sound) < 44 || string(sound[:4]) != "RIFF" || string(sound[8:12]) != "WAVE" {
		t.Fatalf("1.wav is %d bytes of no sound, %v", len(sound), err)
	}
	rate, loud := int(binary.LittleEndian.Uint32(sound[24:])), 0
	for at := 44; at+2 <= len(sound); at += 2 {
		if v := int16(binary.LittleEndian.Uint16(sound[at:])); v > 300 || v < -300 {
			loud++
		}
	}
	if loud < rate/2 {
		t.Errorf("%d of %d samples can be heard, want half a second of them", loud, len(sound)/2)
	}
}
