package api

import (
	"net/http"
	"strings"
	"sync"

	"github.com/kaigofhir/kaigofhir/fhir"
	"github.com/kaigofhir/kaigofhir/fhir/fhirjson"
	"github.com/kaigofhir/kaigofhir/server/interaction"
)

// metadata answers the CapabilityStatement, encoded once for each form of it.
// https://hl7.org/fhir/R4/http.html#capabilities
func metadata(x *exchange) error {
	mode := x.Query("mode")
	switch mode {
	case "", "full", "normative":
		mode = "full"
	case "terminology":
	default:
		return interaction.Refuse(interaction.BadRequest, fhir.Value, "mode", fhir.Messagef(
			"mode is full, normative or terminology", "mode は full・normative・terminology のいずれかです"))
	}
	st, err := x.api.statements.get(mode, x.format, x.pretty)
	if err != nil {
		return err
	}
	x.Header("ETag", st.etag)
	x.Header("Cache-Control", "public, max-age=300")
	if tags := x.GetHeader("If-None-Match"); tags != "" && (tags == "*" || strings.Contains(tags, st.etag)) {
		x.Writer.WriteHeader(http.StatusNotModified)
		x.Writer.WriteHeaderNow()
		return nil
	}
	x.write(http.StatusOK, contentTypes[x.format], st.data)
	return nil
}

// statement is an encoded CapabilityStatement.
type statement struct {
	data []byte
	etag string
}

// statements makes each form once and keeps it. There are twelve at most.
type statements struct {
	api  *API
	mu   sync.Mutex
	made map[statementKey]*statement
}

type statementKey struct {
	mode   string
	format format
	pretty bool
	// registry tells apart statements before and after a change of the search
	// parameters in force.
	registry any
}

func newStatements(a *API) *statements {
	return &statements{api: a, made: map[statementKey]*statement{}}
}

func (s *statements) get(mode string, f format, pretty bool) (*statement, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	key := statementKey{mode, f, pretty, s.api.cfg.Service.Registry()}
	if st := s.made[key]; st != nil {
		return st, nil
	}
	for old := range s.made {
		if old.registry != key.registry {
			delete(s.made, old)
		}
	}
	e := s.api.capabilities()
	if mode == "terminology" {
		e = s.api.terminologyCapabilities()
	}
	var data []byte
	switch {
	case f == xmlFormat:
		data = encodeXML(e, pretty)
	case pretty:
		data = fhirjson.AppendIndent(nil, e)
	default:
		data = fhirjson.Append(nil, e)
	}
	st := &statement{data: data, etag: contentTag(data)}
	s.made[key] = st
	return st, nil
}
