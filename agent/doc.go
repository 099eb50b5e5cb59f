// Package agent holds who answers: agents, their conversations and turns, and the
// citations and confidence of what they say.
//
//	engine := agent.New(st, library, extractive.New(nil), nil)
//	reply, err := engine.Agent(companyID, "").Ask(ctx, agent.Message{Text: "When do you open?"})
//	if reply.Outcome == agent.Answer {
//		fmt.Println(reply.Text, reply.Citations[0].Quote)
//	}
//
// A turn is a user's [Message] and the [Reply] to it. It is on record from its
// first step: the message is stored before anything is done about it, and if the
// process is lost another one takes the turn over ([Engine.Recover]). A
// conversation has one turn at a time; messages that come meanwhile wait.
// [Handle.Start] begins a turn that goes on by itself, and [Conversations.Watch]
// tells how it does, from any process.
//
// A turn searches ([Retriever]), and refuses when what was found is not likely
// enough to answer. Otherwise an [Answerer] writes the reply. Each [Citation] is
// compared with the stored text in the transaction that stores the reply, so that
// no reply quotes what is not there. [Middleware] wraps all of it.
package agent
