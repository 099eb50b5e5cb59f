package sqlstore

// What a statement that reads rows ends in when its step goes on to change
// something that rests on them. Where several transactions write at a time, each
// of their statements sees what was committed before it began: a row that was read
// stays as it is only while it is locked. An engine with one writer at a time
// leaves these words out.
//
// A row is locked before what belongs to it is read or written, and in this order,
// so that two steps seldom wait for each other, one for each: the operator's, the
// company's, an agent's, a conversation's, a document's, a message's, and then
// what rides along with a commit. An engine runs a step again that was chosen to
// give way.
const (
	// forUpdate is for who changes the row, or deletes it or what belongs to it.
	forUpdate = ` FOR UPDATE`

	// forChange is for who changes the row, and leaves those in peace who only
	// want it to stay: see keyShare.
	forChange = ` FOR NO KEY UPDATE`

	// keyShare is for who adds something that the row must not be deleted under.
	keyShare = ` FOR KEY SHARE`

	// skipLocked is for who takes what nobody else is taking just now.
	skipLocked = ` FOR UPDATE SKIP LOCKED`
)
