// Package agenttest helps to test a program that has a desk inside: a desk on a
// temporary folder, an answerer that does as it is told, and checks of what a desk
// answers, which are also a way to keep an eye on the knowledge itself.
//
//	func TestAnswers(t *testing.T) {
//		desk := agenttest.Desk(t, knowledge.Document{Title: "Hours", Text: "We open at nine."})
//		agenttest.MustAnswer(t, desk.Agent(""), "When do you open?", "Hours", "at nine")
//		agenttest.MustRefuse(t, desk.Agent(""), "Do you sell bicycles?")
//	}
//
// With [DeskWith] the desk has the parts under test, such as a [Script] in place
// of the answerer. All of it works inside the bubbles of testing/synctest.
package agenttest
