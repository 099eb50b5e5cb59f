package main

import (
	"io"
	"os"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"
)

// A progress is a bar on a terminal, or nothing anywhere else.
type progress struct{ bar *progressbar.ProgressBar }

// newProgress shows a bar on w, if that is a terminal, of what is done, in as many
// steps as total says.
func newProgress(w io.Writer, what string, total func() int) progress {
	f, ok := w.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) {
		return progress{}
	}
	return newBar(w, what, total())
}

func newBar(w io.Writer, what string, total int) progress {
	return progress{progressbar.NewOptions(max(total, 1),
		progressbar.OptionSetWriter(w),
		progressbar.OptionSetDescription(what),
		progressbar.OptionShowCount(),
		progressbar.OptionThrottle(50*time.Millisecond),
		progressbar.OptionClearOnFinish(),
	)}
}

// A bar that cannot be drawn is not worth an error: the methods ignore it.

// advance counts one more step.
func (p progress) advance() {
	if p.bar != nil {
		_ = p.bar.Add(1)
	}
}

// reach counts all steps up to n.
func (p progress) reach(n int64) {
	if p.bar != nil {
		_ = p.bar.Set64(n)
	}
}

// of counts all steps up to done, of as many as are known by now.
func (p progress) of(total, done int) {
	if p.bar != nil && total > 0 {
		p.bar.ChangeMax(total)
		_ = p.bar.Set(min(done, total))
	}
}

// interrupt makes room for a line; the bar comes again with the next step.
func (p progress) interrupt() {
	if p.bar != nil {
		_ = p.bar.Clear()
	}
}

// end takes the bar away.
func (p progress) end() {
	if p.bar != nil {
		_ = p.bar.Finish()
	}
}
