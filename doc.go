// Package answerdesk answers a business's customers from the business's own
// knowledge, and shows where it read it. It runs inside a Go program: no server,
// no key, no network.
//
//	desk, err := answerdesk.Open(ctx, "data", nil)
//	if err != nil {
//		return err
//	}
//	defer desk.Close()
//	_, err = desk.Knowledge().Put(ctx, knowledge.Document{Title: "Hours", Text: "We open at nine."})
//	reply, err := desk.Agent("").Ask(ctx, agent.Message{Text: "When do you open?"})
//	fmt.Println(reply.Text, reply.Citations)
//
// A [Desk] is where the rooms meet. [Company.Knowledge] holds documents and finds
// passages in them (package knowledge), [Company.Agent] holds conversations and
// answers (package agent), and everything is kept in a [Store], by default an
// SQLite database in a folder (package store/sqlite).
package answerdesk
