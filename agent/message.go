package agent

import (
	"encoding/json"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/answerdesk-go/answerdesk/internal/id"
	"github.com/answerdesk-go/answerdesk/store"
)

// MaxMessage bounds the text of a message, in bytes.
const MaxMessage = 32 << 10

// A Role says who uttered a message.
type Role string

// The roles.
const (
	RoleUser  Role = "user"
	RoleAgent Role = "agent"
)

// A Message is one utterance. To ask, set Text and, if they are known, the
// conversation and the user; the rest is filled in when it is stored.
type Message struct {
	ID             string         `json:"id"`
	ConversationID string         `json:"conversation_id"` // empty: the user's open conversation, or a new one
	AgentID        string         `json:"agent_id"`
	Role           Role           `json:"role"`
	Text           string         `json:"text"`
	User           User           `json:"user,omitzero"`
	Metadata       map[string]any `json:"metadata,omitzero"` // the caller's own, at most 16 KiB of JSON; kept, and not read; numbers as in Context
	CreatedAt      time.Time      `json:"created_at"`

	// Context is what the caller knows that may help to answer, such as the page
	// the user looks at, at most 16 KiB of JSON and 8 objects or lists deep. Its words join the search, and its
	// values fill arguments of tools by their name. It is data: it may not tell an
	// agent what to do. Numbers that a float64 would change are a [json.Number].
	Context map[string]any `json:"context,omitzero"`

	// Attachments are files that belong to the message, by their ids: see
	// [Attachments]. At most 10, of no other conversation.
	Attachments []AttachmentRef `json:"attachments,omitzero"`

	// ReplyFormat is how the text of the reply is written; empty means
	// [FormatMarkdown]. What is quoted loses its marks in the others; citations have them.
	ReplyFormat ReplyFormat `json:"reply_format,omitzero"`

	// ReplySchema is a JSON Schema of an object, at most 32 KiB; nil: none. An answer to the message
	// has such an object in [Reply.Data], besides its text.
	ReplySchema json.RawMessage `json:"reply_schema,omitzero"`

	// MinRevision is the revision of the company's knowledge that the reply is
	// made from at least: see [knowledge.Query.MinRevision]. 0 asks for none. It
	// is not stored: a turn that is taken over from a process that was lost is
	// answered from the newest.
	//
	// [knowledge.Query.MinRevision]: https://pkg.go.dev/github.com/answerdesk-go/answerdesk/knowledge#Query
	MinRevision int64 `json:"-"`

	// Reply is what an agent's message holds besides its text.
	Reply *Reply `json:"reply,omitzero"`

	// Feedback is what somebody thinks of an agent's message, if they said so.
	Feedback *Feedback `json:"feedback,omitzero"`
}

// A ReplyFormat is how the text of a reply is written.
type ReplyFormat string

// The formats.
const (
	FormatMarkdown ReplyFormat = "markdown"
	FormatPlain    ReplyFormat = "plain"  // no marks: for channels that show them as they are
	FormatSpeech   ReplyFormat = "speech" // to be read aloud: short sentences, no lists, links or abbreviations
)

// An AttachmentRef names an [Attachment].
type AttachmentRef struct {
	ID string `json:"id"`
}

// A User is the customer who asks.
type User struct {
	ID    string `json:"id,omitzero"` // the caller's own id of the customer, up to 256 bytes
	Name  string `json:"name,omitzero"`
	Email string `json:"email,omitzero"`
	Phone string `json:"phone,omitzero"`
}

// check returns an [InvalidError] naming the first field that cannot be taken, or
// a [store.NotFoundError] for what cannot be the id of a conversation.
func (m *Message) check() error {
	if strings.TrimSpace(m.Text) == "" {
		return invalid("message", "is empty")
	}
	if len(m.Text) > MaxMessage {
		return invalid("message", "%d bytes are more than the %d a message may have", len(m.Text), MaxMessage)
	}
	for _, f := range []struct{ name, value string }{
		{"message", m.Text}, {"user.id", m.User.ID}, {"user.name", m.User.Name},
		{"user.email", m.User.Email}, {"user.phone", m.User.Phone},
	} {
		if !utf8.ValidString(f.value) || strings.ContainsRune(f.value, 0) {
			return invalid(f.name, "is not valid UTF-8 text")
		}
		if f.name != "message" && len(f.value) > 256 {
			return invalid(f.name, "is longer than 256 bytes")
		}
	}
	var err error
	if m.Metadata, err = readBack("metadata", m.Metadata, maxMetadata); err != nil {
		return err
	}
	if err := m.checkCarried(); err != nil {
		return err
	}
	if m.MinRevision < 0 {
		return invalid("min_revision", "%d is less than 0", m.MinRevision)
	}
	if m.ConversationID != "" {
		canonical, err := id.Parse(id.Conversation, m.ConversationID)
		if err != nil {
			return store.NotFound("conversation", clip(m.ConversationID))
		}
		m.ConversationID = canonical
	}
	return nil
}

// A Conversation is a run of turns between one user and one agent.
type Conversation struct {
	ID            string    `json:"id"`
	AgentID       string    `json:"agent_id"`
	UserID        string    `json:"user_id,omitzero"`
	Turns         int       `json:"turns"`             // how many have begun
	Running       bool      `json:"running"`           // whether the last one has not ended
	ReplyID       string    `json:"reply_id,omitzero"` // that it will have then: what it waits for, [Conversations.Watch] tells
	CreatedAt     time.Time `json:"created_at"`
	LastMessageAt time.Time `json:"last_message_at"`
}
