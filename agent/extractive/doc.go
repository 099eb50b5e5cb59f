// Package extractive answers with the documents' own sentences. It needs no
// model, no key and no network, and cannot invent: every word of a reply is a
// verbatim span of a passage, and is cited.
//
//	engine := agent.New(st, library, extractive.New(nil), nil)
//
// Of the passages found it takes the sentence that shares most with the question,
// weighing rare words more than common ones, and counting headings and the sentence
// before it too, and what the question asks for: a time if it asks when. Around it
// go as few sentences as will do: what an opening "it" stands for, what adds words
// of the question, and what a sentence leads up to, such as a list of steps. A
// question that asks two things may be answered by two passages. Of a table it takes
// the rows, and the header that names their columns; of data such as JSON the
// record. A pair of question and answer is quoted whole.
package extractive
