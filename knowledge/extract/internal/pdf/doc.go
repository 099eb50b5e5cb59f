// Package pdf reads the text of PDF files (ISO 32000) with the place of every
// character. It reads what libraries for trusted files leave open: cross
// references that are broken or run in circles, streams that unpack without end,
// objects that hold themselves. Every step counts against one budget, so no
// input takes more than some seconds; nothing but the file itself, one page and
// a few fonts is in memory at a time.
package pdf
