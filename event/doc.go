// Package event holds what Answerdesk tells others about: the envelope of an
// event and the names of the types.
//
// An event is written in the same transaction as the change it reports, and is
// read in order within its stream. It holds ids, never text: whoever sends or
// shows an event reads the things it names at that moment, so that what was
// deleted in between is not told.
//
//	for ev, err := range desk.Events(ctx, "") {
//		if err != nil {
//			return err
//		}
//		fmt.Println(ev.Type, ev.Refs.DocumentID)
//	}
package event
