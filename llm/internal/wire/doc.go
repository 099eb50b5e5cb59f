// Package wire is what the packages of providers share: a request of JSON is
// posted, and an answer is read whole or event after event, within bounds of bytes
// and time. Whatever goes wrong is an [llm.Error] that holds no key, no text and no
// address.
package wire
