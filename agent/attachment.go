package agent

import "time"

// An Attachment is a file that belongs to a message, as text.
type Attachment struct {
	ID        string    `json:"id"`
	Name      string    `json:"name"`       // of the file
	MediaType string    `json:"media_type"` // as it was recognized
	Size      int       `json:"size"`       // of the file, in bytes
	Text      string    `json:"-"`          // what it says, at most [MaxAttachment] bytes
	CreatedAt time.Time `json:"created_at"`
	ExpiresAt time.Time `json:"expires_at,omitzero"` // when it is gone, unless a message names it by then
}

// MaxAttachment bounds the text of an attachment, in bytes.
const MaxAttachment = 256 << 10
