package demo

import (
	"github.com/kaigofhir/kaigofhir/profiles/care"
	"github.com/kaigofhir/kaigofhir/profiles/sharing"
)

// want tells what the matrix gives an organisation of a form at a stage:
// "records", "sheet" or "none". It reads the matrix, not the server.
func want(stage Stage, f form, o *Organization) string {
	row, known := sharing.National().Row(f.code)
	if !known || o.ID == otherCity {
		return none // no relation to the person, and no consent
	}
	cell, known := cellOf(row, f, o)
	if !known {
		return none
	}
	switch cell.Effect {
	case sharing.Author:
		if !o.wrote(f.code) && cell.Actor != sharing.Municipality {
			return none
		}
	case sharing.Shared:
		if !o.related() {
			return none
		}
	case sharing.Consent:
		// The person's own reading needs no consent record.
		if stage != AfterConsent && cell.Actor != sharing.Person {
			return none
		}
	default:
		return none
	}
	if cell.Types != nil && f.sheet != "" {
		return sheet
	}
	return records
}

// What a cell can hold.
const (
	records = "records"
	sheet   = "sheet"
	none    = "none"
)

// cellOf finds the organisation's cell; of a split cell, its side.
func cellOf(row *sharing.Row, f form, o *Organization) (sharing.Cell, bool) {
	side := sharing.OtherThan
	switch {
	case o.wrote(f.code):
		side = sharing.AuthorOf
	case o.Role == sharing.RoleCareProvider:
		if cell, split := row.Cell(sharing.Actor(o.Kind), sharing.CareProvider); split {
			return cell, true
		}
	}
	return row.Cell(sharing.Actor(o.Kind), side)
}

// wrote reports whether the organisation's files hold the form.
func (o *Organization) wrote(form string) bool { return authors[form] == o.ID }

// related reports whether ○ holds without any consent: the person, the
// insurer, and the offices registered for the person.
func (o *Organization) related() bool {
	return o.Kind == kindPerson || o.Kind == care.KindMunicipality || o.Role != ""
}

// authors are the organisations that send each form in the samples.
var authors = map[string]string{
	care.PhysicianOpinion: "hospital",
	care.HomeCarePlan:     "care-manager",
	care.LifeFeedback:     "day-care",
	care.InsuredCard:      "insurer",
}
