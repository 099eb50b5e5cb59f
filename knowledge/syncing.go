package knowledge

import "context"

// sync does a run of an API.
func (l *Library) sync(_ context.Context, _ *activity) error {
	return &RunError{Kind: "internal", Message: "APIs are not read yet"}
}
