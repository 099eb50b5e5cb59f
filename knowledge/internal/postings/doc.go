// Package postings writes and reads the rows that hold a term: in which rows it
// stands, and how often.
//
// Rows come in blocks of [Block]. A block has the distances between its rows and the
// frequencies less one, each as numbers of one width in bits (frame of reference:
// Lemire and Boytsov, "Decoding billions of integers per second through
// vectorization", 2015, without the vectors).
//
// A list is
//
//	how many rows                                     uvarint
//	how many bytes the blocks take                    uvarint; if there are several blocks
//	for each block: its last row, where it begins     2 x uint32, little endian; likewise
//	for each block: the widths of distances (5 bits) and frequencies (4) in two bytes, distances, frequencies
//
// Numbers are read eight bytes at a time: [Padding] bytes have to follow the last
// list.
package postings

const (
	// Block is how many rows are written together.
	Block = 128
	// MaxFrequency is how often a term is counted in a row.
	MaxFrequency = 255
	// MaxRow is the greatest number of a row.
	MaxRow = 1<<31 - 2
	// Padding is how many bytes have to stand behind the last list.
	Padding = 8
)

// skip is how many bytes a block has in the table of blocks.
const skip = 8
