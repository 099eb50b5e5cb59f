package analysis

// Reading returns the languages that [Question] reads a question in: the likeliest,
// and after it the next if that is not sure.
func Reading(text string, among []string) []string {
	first, second, sure := likeliest(text, among)
	if sure || second == "" {
		return []string{first}
	}
	return []string{first, second}
}
