package fhirpath

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"html"
	"strings"
	"unicode/utf8"
)

// Encoding and escaping, after N1 for trial use:
// https://build.fhir.org/ig/HL7/FHIRPath/#additional-string-functions

func encode(ev *evaluation, c *call, in, dst Collection) (Collection, error) {
	s, args, ok, err := ev.texts(c, in, 1)
	if err != nil || !ok {
		return dst, err
	}
	switch args[0] {
	case "base64":
		return append(dst, String(base64.StdEncoding.EncodeToString([]byte(s)))), nil
	case "urlbase64":
		return append(dst, String(base64.URLEncoding.EncodeToString([]byte(s)))), nil
	case "hex":
		return append(dst, String(hex.EncodeToString([]byte(s)))), nil
	}
	return dst, nil
}

func decode(ev *evaluation, c *call, in, dst Collection) (Collection, error) {
	s, args, ok, err := ev.texts(c, in, 1)
	if err != nil || !ok {
		return dst, err
	}
	var b []byte
	switch args[0] {
	case "base64":
		b, err = base64.StdEncoding.DecodeString(s)
	case "urlbase64":
		b, err = base64.URLEncoding.DecodeString(s)
	case "hex":
		b, err = hex.DecodeString(s)
	default:
		return dst, nil
	}
	if err != nil || !utf8.Valid(b) {
		return dst, nil // not encoded that way: empty
	}
	return append(dst, String(b)), nil
}

func escapeText(ev *evaluation, c *call, in, dst Collection) (Collection, error) {
	s, args, ok, err := ev.texts(c, in, 1)
	if err != nil || !ok {
		return dst, err
	}
	switch args[0] {
	case "html":
		s = strings.ReplaceAll(html.EscapeString(s), "&#34;", "&quot;")
		return append(dst, String(s)), nil
	case "json":
		return append(dst, String(escapeJSON(s))), nil
	}
	return dst, nil
}

// escapeJSON escapes what JSON must have escaped, and no more.
func escapeJSON(s string) string {
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(s); err != nil {
		return ""
	}
	return strings.TrimSuffix(b.String(), "\"\n")[1:]
}

func unescapeText(ev *evaluation, c *call, in, dst Collection) (Collection, error) {
	s, args, ok, err := ev.texts(c, in, 1)
	if err != nil || !ok {
		return dst, err
	}
	switch args[0] {
	case "html":
		return append(dst, String(html.UnescapeString(s))), nil
	case "json":
		var out string
		if json.Unmarshal([]byte(`"`+s+`"`), &out) != nil {
			// Quotes that an earlier reader unescaped stand for themselves.
			if json.Unmarshal([]byte(`"`+strings.ReplaceAll(s, `"`, `\"`)+`"`), &out) != nil {
				return dst, nil
			}
		}
		return append(dst, String(out)), nil
	}
	return dst, nil
}
