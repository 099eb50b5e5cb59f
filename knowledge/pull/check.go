package pull

// Check returns the [*FieldError] with which [Puller.Pull] would refuse a source, or
// nil.
func Check(s Source) error {
	_, err := newPlan(s, true)
	return err
}
