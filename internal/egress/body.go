package egress

import (
	"context"
	"io"
)

// A body is a response's body, whose request ends when it is closed.
type body struct {
	io.ReadCloser // bounded
	fail          func(error) error
	cancel        context.CancelFunc
}

func (b *body) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if err != nil && err != io.EOF {
		err = b.fail(err)
	}
	return n, err
}

func (b *body) Close() error {
	defer b.cancel()
	return b.ReadCloser.Close()
}
