package main

import (
	"context"
	"fmt"
	"runtime"
	"runtime/debug"
)

var versionCommand = command{
	name: "version", about: "print which version of the program this is",
	more: `Prints the version of the program, and the version of Go and the system that it
was built with and for.`,
	do: version,
}

func version(_ context.Context, given *call) error {
	_, err := fmt.Fprintf(given.stdout, "answerdesk %s %s %s/%s\n", programVersion(), runtime.Version(), runtime.GOOS, runtime.GOARCH)
	return err
}

// programVersion is the version of the module that the program was built from.
func programVersion() string {
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		return info.Main.Version
	}
	return "unknown"
}
