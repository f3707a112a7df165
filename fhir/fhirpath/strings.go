package fhirpath

import (
	"strings"
	"unicode/utf8"
)

// String manipulation: https://hl7.org/fhirpath/N1/#string-manipulation
// Places and lengths count characters (code points), not bytes.

// texts returns the input and the first n arguments as strings; ok is false
// where one of them is empty.
func (ev *evaluation) texts(c *call, in Collection, n int) (s string, args [2]string, ok bool, err error) {
	if s, ok, err = c.inputText(in); err != nil || !ok {
		return s, args, false, err
	}
	for i := range n {
		if args[i], ok, err = ev.argText(c, i); err != nil || !ok {
			return s, args, false, err
		}
	}
	return s, args, true, nil
}

func indexOf(ev *evaluation, c *call, in, dst Collection) (Collection, error) {
	s, args, ok, err := ev.texts(c, in, 1)
	if err != nil || !ok {
		return dst, err
	}
	return append(dst, place(s, strings.Index(s, args[0]))), nil
}

func lastIndexOf(ev *evaluation, c *call, in, dst Collection) (Collection, error) {
	s, args, ok, err := ev.texts(c, in, 1)
	if err != nil || !ok {
		return dst, err
	}
	return append(dst, place(s, strings.LastIndex(s, args[0]))), nil
}

// place turns a byte offset into a count of characters.
func place(s string, at int) Integer {
	if at < 0 {
		return -1
	}
	return Integer(utf8.RuneCountInString(s[:at]))
}

func substring(ev *evaluation, c *call, in, dst Collection) (Collection, error) {
	s, ok, err := c.inputText(in)
	if err != nil || !ok {
		return dst, err
	}
	start, ok, err := ev.argInteger(c, 0)
	if err != nil || !ok {
		return dst, err
	}
	size, limited, err := ev.argInteger(c, 1)
	if err != nil {
		return dst, err
	}
	runes := []rune(s)
	if start < 0 || int(start) >= len(runes) {
		return dst, nil
	}
	runes = runes[start:]
	if limited {
		runes = runes[:min(max(0, int(size)), len(runes))]
	}
	return append(dst, String(runes)), nil
}

func startsWith(ev *evaluation, c *call, in Collection) (truth, error) {
	s, args, ok, err := ev.texts(c, in, 1)
	if err != nil || !ok {
		return unsure, err
	}
	return truthFrom(strings.HasPrefix(s, args[0])), nil
}

func endsWith(ev *evaluation, c *call, in Collection) (truth, error) {
	s, args, ok, err := ev.texts(c, in, 1)
	if err != nil || !ok {
		return unsure, err
	}
	return truthFrom(strings.HasSuffix(s, args[0])), nil
}

func containsText(ev *evaluation, c *call, in Collection) (truth, error) {
	s, args, ok, err := ev.texts(c, in, 1)
	if err != nil || !ok {
		return unsure, err
	}
	return truthFrom(strings.Contains(s, args[0])), nil
}

// mapped appends what f makes of the input.
func mapped(c *call, in, dst Collection, f func(string) string) (Collection, error) {
	s, ok, err := c.inputText(in)
	if err != nil || !ok {
		return dst, err
	}
	return append(dst, String(f(s))), nil
}

func upper(_ *evaluation, c *call, in, dst Collection) (Collection, error) {
	return mapped(c, in, dst, strings.ToUpper)
}

func lower(_ *evaluation, c *call, in, dst Collection) (Collection, error) {
	return mapped(c, in, dst, strings.ToLower)
}

func trim(_ *evaluation, c *call, in, dst Collection) (Collection, error) {
	return mapped(c, in, dst, strings.TrimSpace)
}

func replace(ev *evaluation, c *call, in, dst Collection) (Collection, error) {
	s, args, ok, err := ev.texts(c, in, 2)
	if err != nil || !ok {
		return dst, err
	}
	if len(s)+(strings.Count(s, args[0])+1)*len(args[1]) > maxText {
		return dst, tooCostly()
	}
	return append(dst, String(strings.ReplaceAll(s, args[0], args[1]))), nil
}

func length(_ *evaluation, c *call, in, dst Collection) (Collection, error) {
	s, ok, err := c.inputText(in)
	if err != nil || !ok {
		return dst, err
	}
	return append(dst, Integer(utf8.RuneCountInString(s))), nil
}

func toChars(ev *evaluation, c *call, in, dst Collection) (Collection, error) {
	s, ok, err := c.inputText(in)
	if err != nil || !ok {
		return dst, err
	}
	for _, r := range s {
		dst = append(dst, String(r))
	}
	return dst, ev.step(len(s))
}

func split(ev *evaluation, c *call, in, dst Collection) (Collection, error) {
	s, args, ok, err := ev.texts(c, in, 1)
	if err != nil || !ok {
		return dst, err
	}
	for part := range strings.SplitSeq(s, args[0]) {
		dst = append(dst, String(part))
	}
	return dst, ev.step(len(s))
}

// join takes several strings, unlike its neighbours.
func join(ev *evaluation, c *call, in, dst Collection) (Collection, error) {
	separator, _, err := ev.argText(c, 0)
	if err != nil || len(in) == 0 {
		return dst, err
	}
	var b strings.Builder
	written := false
	for _, v := range in {
		s, ok, err := textOf(v, c.name)
		if err != nil {
			return dst, err
		}
		if !ok {
			continue
		}
		if written {
			b.WriteString(separator)
		}
		b.WriteString(s)
		written = true
		if b.Len() > maxText {
			return dst, tooCostly()
		}
	}
	return append(dst, String(b.String())), nil
}
