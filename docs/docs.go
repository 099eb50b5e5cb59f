// Package docs holds Answerdesk's documentation as Markdown pages, so that a
// program can show them or answer from them without a copy on disk.
//
// Begin with getting-started.md.
package docs

import "embed"

// Pages are the pages, each a file such as "getting-started.md" at the top of
// the file system.
//
//go:embed *.md
var Pages embed.FS
