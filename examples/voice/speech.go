package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// A Speech hears what a customer says, and speaks to them. Put a service for speech,
// or the programs of a telephone, behind these two methods.
type Speech interface {
	// Listen returns what was said next, as text; at the end it is io.EOF.
	Listen(ctx context.Context) (string, error)

	// Speak says some sentences, and returns when they are said. When ctx ends,
	// because the customer speaks again, it falls silent.
	Speak(ctx context.Context, sentences string) error
}

// A terminal hears what is typed, and speaks by printing.
type terminal struct {
	in  *bufio.Scanner
	out io.Writer
}

func (t *terminal) Listen(context.Context) (string, error) {
	for t.in.Scan() {
		if said := strings.TrimSpace(t.in.Text()); said != "" {
			return said, nil
		}
	}
	if err := t.in.Err(); err != nil {
		return "", err
	}
	return "", io.EOF
}

func (t *terminal) Speak(_ context.Context, sentences string) error {
	_, err := fmt.Fprintln(t.out, sentences)
	return err
}

// An espeak hears what is typed, and speaks with the program espeak-ng: into files
// 1.wav, 2.wav and so on of a folder, or aloud if it has none.
type espeak struct {
	terminal
	folder string
	spoken int
}

func (e *espeak) Speak(ctx context.Context, sentences string) error {
	if err := e.terminal.Speak(ctx, sentences); err != nil {
		return err
	}
	args := []string{"--stdin"} // what is said is never read as an option
	if e.folder != "" {
		e.spoken++
		args = append(args, "-w", filepath.Join(e.folder, fmt.Sprint(e.spoken, ".wav")))
	}
	cmd := exec.CommandContext(ctx, "espeak-ng", args...)
	cmd.Stdin, cmd.Stderr = strings.NewReader(sentences), os.Stderr
	return cmd.Run()
}
