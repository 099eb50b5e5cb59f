// Package extractive answers with the documents' own sentences. It needs no
// model, no key and no network, and cannot invent: every word of a reply is a
// verbatim span of a passage, and is cited.
//
//	engine := agent.New(st, library, extractive.New(nil), nil)
//
// Of the passages found it takes the sentences that share most with the question,
// weighing rare words more than common ones and the headings above them too, and
// what follows them where they lead up to it, such as a list of steps. Of a table
// it takes the rows, and the header that names their columns; of data such as JSON
// the record. A pair of question and answer is quoted whole.
package extractive
