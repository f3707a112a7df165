package fhirpath

import (
	"regexp"
)

// Regular expressions are those of Go (RE2): in time linear in the text,
// without look-around and back references. A dot matches line ends too.
// https://hl7.org/fhirpath/N1/#matchesregex-string-boolean

// maxPattern is the longest regular expression, in bytes.
const maxPattern = 4096

// matching is a test of the input by a regular expression.
type matching struct{ full bool }

// makeMatches compiles a constant pattern once.
func makeMatches(c *call) (node, error) {
	m := matching{full: c.name == "matchesFull"}
	if err := c.prepare(m.full); err != nil {
		return nil, err
	}
	return &testCall{*c, m.test}, nil
}

func makeReplaceMatches(c *call) (node, error) {
	if err := c.prepare(false); err != nil {
		return nil, err
	}
	c.fn = replaceMatches
	return c, nil
}

func (c *call) prepare(full bool) error {
	l, ok := c.args[0].(literal)
	if !ok {
		return nil
	}
	s, ok := text(l.v)
	if !ok {
		return nil
	}
	re, err := pattern(s, full)
	if err != nil {
		return err
	}
	c.prepared = re
	return nil
}

func pattern(s string, full bool) (*regexp.Regexp, error) {
	if len(s) > maxPattern {
		return nil, fault("the regular expression is too long", "正規表現が長すぎます")
	}
	if full {
		s = `\A(?:` + s + `)\z`
	}
	re, err := regexp.Compile("(?s)" + s)
	if err != nil {
		return nil, fault("the regular expression is not one of RE2", "正規表現が RE2 の書式ではありません")
	}
	return re, nil
}

func (c *call) regexp(s string, full bool) (*regexp.Regexp, error) {
	if re, ok := c.prepared.(*regexp.Regexp); ok {
		return re, nil
	}
	return pattern(s, full)
}

func (m matching) test(ev *evaluation, c *call, in Collection) (truth, error) {
	s, args, ok, err := ev.texts(c, in, 1)
	if err != nil || !ok {
		return unsure, err
	}
	re, err := c.regexp(args[0], m.full)
	if err != nil {
		return unsure, err
	}
	return truthFrom(re.MatchString(s)), ev.step(len(s))
}

// replaceMatches leaves the text alone where the pattern is empty.
func replaceMatches(ev *evaluation, c *call, in, dst Collection) (Collection, error) {
	s, args, ok, err := ev.texts(c, in, 2)
	if err != nil || !ok {
		return dst, err
	}
	if args[0] == "" {
		return append(dst, String(s)), nil
	}
	re, err := c.regexp(args[0], false)
	if err != nil {
		return dst, err
	}
	if (len(s)+1)*(len(args[1])+1) > maxText && len(re.FindAllStringIndex(s, -1))*len(args[1]) > maxText {
		return dst, tooCostly()
	}
	return append(dst, String(re.ReplaceAllString(s, args[1]))), ev.step(len(s))
}
