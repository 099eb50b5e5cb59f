// Package evals asks an agent what its customers ask, and holds its replies to what
// they should be. A file of evals is an archive in the format of
// golang.org/x/tools/txtar, which a person can write:
//
//	The shop's hours, as customers ask for them.
//
//	-- hours.md --
//	We open at nine in the morning. On Sundays we stay closed.
//	-- conversation when --
//	> When do you open?
//	outcome: answer
//	cites: hours.md "at nine"
//	says: nine
//
//	> And at the weekend?
//	says: closed
//	never says: open all day
//	-- conversation something else --
//	> Do you repair bicycles?
//	outcome: refuse
//
// [Read] reads such files, [Run] plays them, and what they come to is a [Result] a
// conversation: [Table], [JUnit] and [Baseline] tell of many. [Export] makes a file
// of a conversation that took place. Tests call package agent/agenttest, and people
// answerdesk eval. docs/evals.md has the whole syntax.
package evals
