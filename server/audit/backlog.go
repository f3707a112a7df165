package audit

// Backlog returns how many entries wait to be written.
func (l *Log) Backlog() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.waiting)
}
