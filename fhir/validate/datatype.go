package validate

import (
	"encoding/base64"
	"strconv"
	"strings"

	"github.com/kaigofhir/kaigofhir/fhir"
)

// attachment checks that the size said is that of the data.
// https://hl7.org/fhir/R4/datatypes.html#attachment
func (r *run) attachment(e *fhir.Element) {
	data, size := e.Text("data"), e.Text("size")
	if data == "" || size == "" {
		return
	}
	compact := strings.Map(func(c rune) rune {
		if c == ' ' || c == '\t' || c == '\r' || c == '\n' {
			return -1
		}
		return c
	}, data)
	actual := base64.StdEncoding.DecodedLen(len(compact)) - strings.Count(compact[max(0, len(compact)-2):], "=")
	if n, err := strconv.Atoi(size); err == nil && n != actual {
		r.fail(fhir.Value, "attachment-size", fhir.Messagef(
			"The size says %d bytes but the data has %d", "size は %d バイトですが data は %d バイトです", n, actual))
	}
}

const uriSystem = "urn:ietf:rfc:3986"

// identifier checks that the system of an identifier is absolute, and its
// value where it is a URI.
// https://hl7.org/fhir/R4/datatypes.html#identifier
func (r *run) identifier(e *fhir.Element) {
	if system := e.Get("system"); system != nil && system.Value != "" && !isAbsolute(system.Value) {
		r.failAt(system, fhir.Value, "system-relative", fhir.Messagef(
			"The system must be an absolute URI", "system は絶対 URI でなければなりません"))
	}
	if v := e.Text("value"); v != "" && e.Text("system") == uriSystem && !isAbsolute(v) {
		r.failAt(e.Get("value"), fhir.Value, "identifier-uri", fhir.Messagef(
			"An identifier of the system %s must be an absolute URI", "システム %s の識別子は絶対 URI でなければなりません", uriSystem))
	}
}

// uri checks the form of the two URN kinds FHIR uses, where a uri holds one.
// https://hl7.org/fhir/R4/datatypes.html#uri
func (r *run) uri(e *fhir.Element) {
	v := e.Value
	switch {
	case strings.HasPrefix(v, "urn:uuid:") && !isUUID(v):
		r.fail(fhir.Value, "uri-uuid", fhir.Messagef("A urn:uuid: must hold a UUID", "urn:uuid: の後は UUID でなければなりません"))
	case strings.HasPrefix(v, "urn:oid:") && !isOID(v):
		r.fail(fhir.Value, "uri-oid", fhir.Messagef("A urn:oid: must hold an OID", "urn:oid: の後は OID でなければなりません"))
	case e.Type.Name == "canonical" && r.frame != nil && !isAbsolute(v) && !strings.HasPrefix(v, "#"):
		r.fail(fhir.Invalid, "canonical-relative", fhir.Messagef(
			"A canonical must be an absolute URL or a fragment", "canonical は絶対 URL または # 参照でなければなりません"))
	}
}

// isAbsolute reports whether a URI has a scheme.
func isAbsolute(v string) bool {
	scheme, rest, ok := strings.Cut(v, ":")
	if !ok || scheme == "" || rest == "" {
		return false
	}
	for i := 0; i < len(scheme); i++ {
		c := scheme[i]
		if !isAlphanumeric(c) && c != '+' && c != '-' && c != '.' || i == 0 && (c < 'A') {
			return false
		}
	}
	return true
}
