// Package samples holds files of each form about three people of one
// municipality, as the programs of six organisations would write them. All
// people, offices and numbers are invented: the insurer's number uses a
// municipality code (47999) that does not exist. The files are made by
// TestFiles with -update.
package samples

import (
	"embed"
	"path"

	"github.com/kaigofhir/kaigofhir/mapping/codes"
	"github.com/kaigofhir/kaigofhir/mapping/form"
	"github.com/kaigofhir/kaigofhir/profiles/care"
)

//go:embed files
var files embed.FS

// Organization is one of the organisations of the samples.
type Organization struct {
	Key    string // "insurer", "care-manager", "day-care", "home-help", "hospital", "clinic"
	Kind   string // of care.OrganizationKindSystem
	System string // identifier system
	Number string
	Name   string
	NameEn string
	// Folder under which its files lie, "" for an organisation that sends none.
	Folder string
}

// Organizations lists the organisations, the insurer first.
func Organizations() []Organization {
	list := []Organization{
		{Key: "insurer", Kind: care.KindMunicipality, Number: "479998", Name: "みほん市", NameEn: "Mihon City", Folder: "insurer"},
		{Key: "care-manager", Kind: care.KindCareManagerOffice, Number: number("477990001"), Name: "みほん居宅介護支援事業所", NameEn: "Mihon Care Management", Folder: "care-manager"},
		{Key: "day-care", Kind: care.KindCareOffice, Number: number("477990002"), Name: "デイサービスみほん", NameEn: "Mihon Day Care", Folder: "day-care"},
		{Key: "home-help", Kind: care.KindCareOffice, Number: number("477990003"), Name: "ヘルパーステーションみほん", NameEn: "Mihon Home Help"},
		{Key: "hospital", Kind: care.KindMedicalInstitution, Number: number("471990001"), Name: "みほん総合病院", NameEn: "Mihon General Hospital", Folder: "hospital"},
		{Key: "clinic", Kind: care.KindMedicalInstitution, Number: number("471990002"), Name: "みほん内科クリニック", NameEn: "Mihon Clinic"},
	}
	for i, o := range list {
		if o.Kind == care.KindMunicipality {
			list[i].System = care.InsurerNumber
			continue
		}
		list[i].System, _ = codes.OrganizationSystem(o.Number)
	}
	return list
}

// number appends the check digit.
func number(digits string) string { return digits + string(codes.CheckDigit(digits)) }

// Person is one of the people of the samples.
type Person struct {
	Insured, Name, Kana string
}

// Identifier is the value of the person's identifier in care.InsuredNumber.
func (p Person) Identifier() string { return codes.Insured("479998", p.Insured) }

// People lists the people.
func People() []Person {
	return []Person{
		{"0000000101", "見本　花子", "みほん　はなこ"},
		{"0000000102", "試験　太郎", "しけん　たろう"},
		{"H000000103", "例示　ふみ", "れいじ　ふみ"},
	}
}

// Of returns the files of an organisation, in the order of their names.
func Of(o Organization) []form.File {
	if o.Folder == "" {
		return nil
	}
	return read(path.Join("files", o.Folder))
}

// Bad returns files with one defect each, the name of the defect before the
// name of the file: "wrong-encoding", …
func Bad() map[string][]form.File {
	bad := map[string][]form.File{}
	entries, _ := files.ReadDir("files/bad")
	for _, e := range entries {
		bad[e.Name()] = read(path.Join("files/bad", e.Name()))
	}
	return bad
}

// read reads a folder of the embedded files, which is known to exist.
func read(folder string) []form.File {
	entries, err := files.ReadDir(folder)
	if err != nil {
		panic(err)
	}
	var list []form.File
	for _, e := range entries {
		data, err := files.ReadFile(path.Join(folder, e.Name()))
		if err != nil {
			panic(err)
		}
		list = append(list, form.File{Name: e.Name(), Data: data})
	}
	return list
}
