package storetest

import "github.com/answerdesk-go/answerdesk/store/storetest/internal/reference"

// A Memory is the store that engines are compared with: everything in maps behind
// one mutex, and gone with the program. The zero value is an empty store. It is
// for tests of what runs on a store, where a file would be in the way; its steps
// take longer the more there is.
type Memory = reference.Store
