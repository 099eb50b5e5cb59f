package sqlite

// Statements returns the text of every statement that a store has prepared, unless it is
// closed.
func Statements(s *Store) []string {
	var out []string
	add := func(c *conn) {
		for query := range c.statements {
			out = append(out, locks.ReplaceAllLiteralString(query, ""))
		}
	}
	select {
	case <-s.reader.closed: // and so is the writer
		return nil
	default:
	}
	add(s.writer.conn)
	for range s.reader.size {
		<-s.reader.free
	}
	for range s.reader.size {
		c := s.reader.take()
		add(c)
		defer s.reader.put(c)
	}
	return out
}
