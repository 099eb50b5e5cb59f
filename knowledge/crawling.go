package knowledge

import "context"

// crawl does a run of a website.
func (l *Library) crawl(_ context.Context, _ *activity) error {
	return &RunError{Kind: "internal", Message: "websites are not read yet"}
}
