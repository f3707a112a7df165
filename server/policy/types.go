package policy

import "slices"

// directoryTypes describe organisations and professionals. Every caller sees
// them, and organisations write them.
var directoryTypes = []string{"Organization", "Practitioner", "PractitionerRole"}

// definitionTypes hold terminology and definitions. Every caller sees them;
// only the operator writes them.
var definitionTypes = []string{
	"ActivityDefinition", "CapabilityStatement", "CodeSystem", "CompartmentDefinition", "ConceptMap",
	"EffectEvidenceSynthesis", "Endpoint", "EventDefinition", "ExampleScenario", "GraphDefinition",
	"HealthcareService", "ImplementationGuide", "Library", "Measure", "MessageDefinition", "NamingSystem",
	"OperationDefinition", "OrganizationAffiliation", "PlanDefinition", "Questionnaire", "SearchParameter",
	"StructureDefinition", "StructureMap", "TerminologyCapabilities", "TestScript", "ValueSet",
}

// publicTypes are visible to every authenticated caller.
var publicTypes = slices.Concat(directoryTypes, definitionTypes)

// relationTypes tell who stands how to a person. They belong to no form.
var relationTypes = []string{"Consent", "EpisodeOfCare", "RelatedPerson"}

// ofPerson and ofInsurer are what a person and its insurer see besides forms.
var (
	ofPerson  = []string{"Patient", "Consent", "EpisodeOfCare", "RelatedPerson", "AuditEvent"}
	ofInsurer = relationTypes
)

// formless reports whether a type is labelled without a form.
func formless(resourceType string) bool {
	return resourceType == "Patient" || slices.Contains(relationTypes, resourceType) || slices.Contains(publicTypes, resourceType)
}
