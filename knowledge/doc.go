// Package knowledge holds what a company's agents may answer from: documents,
// cut into passages, and found by what a customer asks.
//
//	lib := knowledge.New(st, nil)
//	kb := lib.Company(companyID)
//	doc, err := kb.Put(ctx, knowledge.Document{Title: "Hours", Text: "We open at nine."})
//	found, err := kb.Search(ctx, knowledge.Query{Text: "When do you open?"})
//
// A [Document] is stored whole; its [Passage]s are what is indexed and cited. A
// [Library] keeps an index of each company's passages in memory, made from the
// store when it is first searched. The index changes only by following the
// company's feed of changes: a write returns when it can be found, and a search
// first catches up with the store, so that several processes on one store see
// each other's writes at once. What was deleted is never found again: passages
// are read from the store for each search, and those that are not there are
// dropped.
package knowledge
