package api

import (
	"mime"
	"net/http"
	"strconv"
	"strings"

	"github.com/kaigofhir/kaigofhir/fhir"
	"github.com/kaigofhir/kaigofhir/server/interaction"
)

// format is a wire format.
type format uint8

const (
	noFormat format = iota
	jsonFormat
	xmlFormat
)

// contentTypes are what answers are labelled with.
var contentTypes = [...]string{
	jsonFormat: "application/fhir+json; charset=utf-8",
	xmlFormat:  "application/fhir+xml; charset=utf-8",
}

// formats are the names of the formats, as media types and for _format.
// https://hl7.org/fhir/R4/http.html#mime-type
var formats = map[string]format{
	"json": jsonFormat, "application/json": jsonFormat, "application/fhir+json": jsonFormat, "text/json": jsonFormat,
	"xml": xmlFormat, "application/xml": xmlFormat, "application/fhir+xml": xmlFormat, "text/xml": xmlFormat,
}

// negotiate chooses the format of the answer: _format before Accept.
func negotiate(accept, override string) (format, error) {
	if override != "" {
		// A "+" of a media type arrives as a blank.
		if f := formatOf(strings.ReplaceAll(override, " ", "+")); f != noFormat {
			return f, nil
		}
		return jsonFormat, notAcceptable()
	}
	if accept == "" || accept == "*/*" || accept == "application/fhir+json" {
		return jsonFormat, nil
	}
	best, bestQ := noFormat, 0.0
	for part := range strings.SplitSeq(accept, ",") {
		f, q := accepted(part)
		if f != noFormat && q > bestQ {
			best, bestQ = f, q
		}
	}
	if best == noFormat {
		return jsonFormat, notAcceptable()
	}
	return best, nil
}

// accepted reads one range of an Accept header.
func accepted(part string) (format, float64) {
	name, params, err := mime.ParseMediaType(strings.TrimSpace(part))
	if err != nil || !rightVersion(params) {
		return noFormat, 0
	}
	q := 1.0
	if text, ok := params["q"]; ok {
		if q, err = strconv.ParseFloat(text, 64); err != nil {
			return noFormat, 0
		}
	}
	if cs, ok := params["charset"]; ok && !strings.EqualFold(cs, "utf-8") {
		return noFormat, 0
	}
	switch name {
	case "*/*", "application/*", "text/html", "application/xhtml+xml":
		return jsonFormat, q
	}
	return formats[name], q
}

// formatOf reads a media type or short name.
func formatOf(mediaType string) format {
	name, params, err := mime.ParseMediaType(mediaType)
	if err != nil || !rightVersion(params) {
		return noFormat
	}
	if cs, ok := params["charset"]; ok && !strings.EqualFold(cs, "utf-8") {
		return noFormat
	}
	return formats[name]
}

// rightVersion refuses media types of another FHIR version.
// https://hl7.org/fhir/R4/http.html#version-parameter
func rightVersion(params map[string]string) bool {
	v, ok := params["fhirversion"]
	return !ok || v == "4.0" || v == "4.0.1"
}

// acceptsHTML reports whether a request comes from a browser.
func notAcceptable() error {
	return interaction.Refuse(interaction.Format, fhir.NotSupported, "format", fhir.Messagef(
		"answers are written as application/fhir+json or application/fhir+xml, in UTF-8, FHIR version 4.0",
		"応答は UTF-8 の application/fhir+json または application/fhir+xml(FHIR 4.0)です"))
}

func unsupportedMedia() error {
	return interaction.Refuse(interaction.MediaType, fhir.NotSupported, "media-type", fhir.Messagef(
		"the Content-Type of the body is not one the server reads here: application/fhir+json or application/fhir+xml, in UTF-8, FHIR version 4.0",
		"本文の Content-Type に対応していません。UTF-8 の application/fhir+json または application/fhir+xml(FHIR 4.0)で送ってください"))
}

// language chooses between the two languages of messages.
func language(r *http.Request) fhir.Language {
	header := r.Header.Get("Accept-Language")
	if header == "" {
		return fhir.English
	}
	best, bestQ := fhir.English, 0.0
	for part := range strings.SplitSeq(header, ",") {
		tag, params, _ := strings.Cut(strings.TrimSpace(part), ";")
		q := 1.0
		if text, ok := strings.CutPrefix(strings.TrimSpace(params), "q="); ok {
			q, _ = strconv.ParseFloat(text, 64) //nolint:errcheck // nonsense counts 0
		}
		primary, _, _ := strings.Cut(strings.ToLower(tag), "-")
		if (primary == "ja" || primary == "en") && q > bestQ {
			best, bestQ = fhir.Language(primary), q
		}
	}
	return best
}
