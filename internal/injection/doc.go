// Package injection attacks a whole desk with text that tells a model what to do. Its
// tests have no other code.
//
// The model of these tests does all it is told, by whoever it is: see
// [llmtest.Obedient]. What holds it back is the desk. The same attacks are then made
// on a desk whose guard is taken away, and there each of them must succeed.
//
// Beside them it holds whole desks with models to what breaks elsewhere: answers that
// are cut off, forms beside tools, usage. See docs/complaints.md.
//
// [llmtest.Obedient]: https://pkg.go.dev/github.com/answerdesk-go/answerdesk/llm/llmtest#Obedient
package injection
