package sqlite

import (
	"fmt"
	"runtime/debug"
)

// The version of modernc.org/libc that each version of modernc.org/sqlite used
// with this package was translated against, from its go.mod. Another version
// may have other structs, and SQLite would corrupt memory in silence.
var libcOf = map[string]string{
	"v1.60.0": "v1.77.1",
}

// checkLibc refuses a program that links another libc than its SQLite needs,
// which happens when another dependency of the program asks for a newer one.
func checkLibc() error {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return nil
	}
	return libcFits(info.Deps)
}

func libcFits(deps []*debug.Module) error {
	linked := map[string]string{}
	for _, m := range deps {
		for m.Replace != nil {
			m = m.Replace
		}
		linked[m.Path] = m.Version
	}
	driver, libc := linked["modernc.org/sqlite"], linked["modernc.org/libc"]
	want, known := libcOf[driver]
	if driver == "" || !known || libc == want {
		return nil
	}
	return fmt.Errorf("this program links modernc.org/libc %s, but modernc.org/sqlite %s needs exactly %s: run \"go get modernc.org/libc@%s\" in its module",
		libc, driver, want, want)
}
