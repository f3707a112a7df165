package operation

import (
	"context"
	"strings"

	"github.com/kaigofhir/kaigofhir/fhir"
	"github.com/kaigofhir/kaigofhir/profiles/care"
	"github.com/kaigofhir/kaigofhir/profiles/sharing"
	"github.com/kaigofhir/kaigofhir/server/interaction"
	"github.com/kaigofhir/kaigofhir/server/policy"
	"github.com/kaigofhir/kaigofhir/server/store"
)

// Overviewer tells what a caller may see of a person, form by form;
// *policy.Policy is one.
type Overviewer interface {
	Overview(ctx context.Context, c policy.Caller, patient string) ([]policy.Decision, error)
}

// Sharing is $sharing on an Organization: what it may see of a person's
// records made by others, form by form, and by which rules. The organisation
// itself may ask, the person, and the operator; all others get what they get
// for a person that does not exist.
func Sharing(s *interaction.Service, p Overviewer) Operation {
	return Operation{
		Name: "sharing", Definition: care.Canonical + "/OperationDefinition/sharing",
		Instance: true, Types: []string{"Organization"},
		Run: func(ctx context.Context, c interaction.Call, in Input) (*interaction.Reply, error) {
			patient := strings.TrimPrefix(in.Text("patient"), "Patient/")
			if !interaction.ValidID(patient) {
				return nil, interaction.Refuse(interaction.BadRequest, fhir.Required, "patient", fhir.Messagef(
					"the parameter patient names one Patient", "パラメータ patient に Patient を一つ指定してください"))
			}
			organization, err := s.Read(ctx, c, store.Key{Type: "Organization", ID: in.ID})
			if err != nil {
				return nil, err
			}
			asker := c.Caller
			if !asker.Unrestricted && asker.Organization != in.ID && asker.Patient != patient {
				patient = "-" // somebody else's matter: as for a person that does not exist
			}
			if _, err := s.Read(ctx, c, store.Key{Type: "Patient", ID: patient}); err != nil {
				return nil, err
			}
			subject, err := organizationCaller(organization)
			if err != nil {
				return nil, err
			}
			decisions, err := p.Overview(ctx, subject, patient)
			if err != nil {
				return nil, err
			}
			return &interaction.Reply{Resource: sharingAnswer(decisions)}, nil
		},
	}
}

// organizationCaller is the organisation as a caller with every scope of its
// kind.
func organizationCaller(v store.Version) (policy.Caller, error) {
	e, err := decodeStored(v.JSON)
	if err != nil {
		return policy.Caller{}, err
	}
	for t := range e.All("type") {
		for coding := range t.All("coding") {
			if coding.Text("system") == care.OrganizationKindSystem {
				return policy.Caller{Kind: policy.Kind(coding.Text("code")), Organization: v.ID}, nil
			}
		}
	}
	return policy.Caller{}, interaction.Refuse(interaction.Unacceptable, fhir.BusinessRule, "organization-kind", fhir.Messagef(
		"the organisation has no kind, so the matrix gives it nothing", "組織の種別が登録されていないため、共有の範囲を決められません"))
}

// sharingAnswer is a Parameters with one parameter "form" for each form.
func sharingAnswer(decisions []policy.Decision) *fhir.Element {
	out := fhir.NewResource("Parameters")
	for i, row := range sharing.National().Rows {
		form := out.Add("parameter").Set("name", "form")
		part := func(name, property, value string) {
			form.Add("part").Set("name", name).Set(property, value)
		}
		part("code", "valueCode", row.Code)
		part("display", "valueString", row.Ja)
		d := decisions[i]
		part("visible", "valueBoolean", map[bool]string{true: "true", false: "false"}[d.Allowed])
		if d.Cell.Effect != "" {
			part("effect", "valueCode", string(d.Cell.Effect))
		}
		for _, r := range d.Rules {
			part("rule", "valueCode", r)
		}
	}
	return out
}
