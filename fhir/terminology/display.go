package terminology

import "strings"

// displayIn returns the display of a concept in a language: the designation
// in just that language, then one in its base language, then the concept's own.
func (c *concept) displayIn(own, language string) string {
	if language == "" || sameLanguage(own, language) {
		return c.display
	}
	for _, match := range []func(a, b string) bool{strings.EqualFold, sameLanguage} {
		for _, d := range c.designations {
			if d.Language != "" && match(d.Language, language) {
				return d.Value
			}
		}
	}
	return c.display
}

// sameLanguage compares the primary subtags of two language tags.
func sameLanguage(a, b string) bool {
	a, _, _ = strings.Cut(a, "-")
	b, _, _ = strings.Cut(b, "-")
	return strings.EqualFold(a, b)
}

// accepts reports whether a text is a display of the concept: its own or any
// designation, without regard to case and runs of blanks.
func (c *concept) accepts(display string) bool {
	want := foldDisplay(display)
	if c.display == "" && len(c.designations) == 0 || foldDisplay(c.display) == want {
		return true
	}
	for _, d := range c.designations {
		if foldDisplay(d.Value) == want {
			return true
		}
	}
	return false
}

func foldDisplay(s string) string {
	return strings.ToLower(strings.Join(strings.Fields(s), " "))
}

// matchesText reports whether every word of a filter occurs in the code, the
// display or a designation.
func (c *Contained) matchesText(words []string) bool {
	for _, w := range words {
		if !c.hasText(w) {
			return false
		}
	}
	return true
}

func (c *Contained) hasText(word string) bool {
	if strings.Contains(strings.ToLower(c.Code), word) || strings.Contains(strings.ToLower(c.Display), word) {
		return true
	}
	for _, d := range c.Designations {
		if strings.Contains(strings.ToLower(d.Value), word) {
			return true
		}
	}
	return false
}
