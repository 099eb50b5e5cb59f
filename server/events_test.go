package server_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	answerdesk "github.com/answerdesk-go/answerdesk"
	"github.com/answerdesk-go/answerdesk/access"
	"github.com/answerdesk-go/answerdesk/agent"
	"github.com/answerdesk-go/answerdesk/server"
	"github.com/answerdesk-go/answerdesk/store/sqlite"
)

// A slowStore takes a second to find a message.
type slowStore struct{ *sqlite.Store }

func (s slowStore) Message(ctx context.Context, company, id string) (agent.Message, error) {
	select {
	case <-time.After(time.Second):
	case <-ctx.Done():
		return agent.Message{}, ctx.Err()
	}
	return s.Store.Message(ctx, company, id)
}

// The events of a reply that has ended are told also by a store that takes its time,
// to a caller who does not wait for more.
func TestEventsOfASlowStore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		st, err := sqlite.Open(t.Context(), t.TempDir(), nil)
		if err != nil {
			t.Fatal(err)
		}
		defer st.Close()
		d, err := answerdesk.New(t.Context(), slowStore{st}, nil)
		if err != nil {
			t.Fatal(err)
		}
		defer d.Close()
		h := &host{Server: server.New(d, nil), desk: d}
		h.key = newKey(t, d, d.ID(), access.NewKey{Name: "k", Scope: access.ScopeFull})
		var reply struct {
			ID string `json:"id"`
		}
		h.do(t, "POST", "/v1/message", `{"message":"When do you open?"}`).read(t, 200, &reply)
		var got struct {
			Data []struct{} `json:"data"`
			Done bool       `json:"done"`
		}
		h.do(t, "GET", "/v1/messages/"+reply.ID+"/events", "").read(t, 200, &got)
		if len(got.Data) != 1 || !got.Done {
			t.Errorf("%d events, done %v, want the last one", len(got.Data), got.Done)
		}
	})
}
