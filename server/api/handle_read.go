package api

import (
	"strconv"

	"github.com/kaigofhir/kaigofhir/fhir"
	"github.com/kaigofhir/kaigofhir/server/interaction"
)

func read(x *exchange) error {
	if isOperation(x.Param("id")) {
		return x.operation(interaction.OperationRequest{Type: x.Param("type"), Name: x.Param("id")})
	}
	v, err := x.api.cfg.Service.Read(x.Request.Context(), x.call, x.key())
	if err != nil {
		if v.Version > 0 { // a deletion the caller may know of
			x.stamp(v)
		}
		return err
	}
	return x.sendVersion(v)
}

func vread(x *exchange) error {
	n, err := strconv.ParseUint(x.Param("version"), 10, 64)
	if err != nil || n == 0 {
		return interaction.Refuse(interaction.Unknown, fhir.NotFound, "version-not-found", fhir.Messagef(
			"version ids are whole numbers from 1", "版番号は1以上の整数です"))
	}
	v, err := x.api.cfg.Service.VRead(x.Request.Context(), x.call, x.key(), n)
	if err != nil {
		return err
	}
	return x.sendVersion(v)
}

func historySystem(x *exchange) error { return x.history(interaction.HistoryRequest{}) }
func historyType(x *exchange) error {
	return x.history(interaction.HistoryRequest{Type: x.Param("type")})
}
func historyInstance(x *exchange) error {
	return x.history(interaction.HistoryRequest{Type: x.Param("type"), ID: x.Param("id")})
}

func (x *exchange) history(ask interaction.HistoryRequest) error {
	ask.Query = x.rawQuery()
	b, err := x.api.cfg.Service.History(x.Request.Context(), x.call, ask)
	if err != nil {
		return err
	}
	return x.sendBundle(b)
}
