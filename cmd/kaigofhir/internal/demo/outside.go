package demo

import (
	"encoding/json"
	"path/filepath"

	"github.com/kaigofhir/kaigofhir/mapping/samples"
	"github.com/kaigofhir/kaigofhir/profiles/care"
	"github.com/kaigofhir/kaigofhir/profiles/sharing"
	"github.com/kaigofhir/kaigofhir/server/auth/authclient"
)

// personClient is the id of the person's client in the outside flow.
const personClient = "person"

type outsideClient struct {
	Client string          `json:"client"`
	JWK    *authclient.Key `json:"jwk"` // private
}

type outsideProbe struct {
	Form         string `json:"form"`
	ResourceType string `json:"resourceType"`
}

type outsideUpload struct {
	By    string   `json:"by"`
	Paths []string `json:"paths"`
}

type outsideConsent struct {
	By   string   `json:"by"`
	Body resource `json:"body"` // patient is filled in by the client
}

// Outside returns what a client written by others needs to play the main job
// itself: keys, files, and the resources to write. folder holds the sample
// files, clientsFile is the registration file it adds the person to. The world
// must be connected and without people.
func (w *World) Outside(folder, clientsFile string) ([]byte, error) {
	person, err := newOrganization(personClient, kindPerson, samples.People()[0].Name)
	if err != nil {
		return nil, err
	}
	keys, err := person.key.Public()
	if err != nil {
		return nil, err
	}
	clients := map[string]outsideClient{
		operatorID: {operatorID, w.operator.key}, personClient: {personClient, person.key},
	}
	columns := []string{personClient}
	var organizations, relations []resource
	var uploads []outsideUpload
	var consents []outsideConsent
	for _, o := range w.Organizations {
		clients[o.ID] = outsideClient{o.ID, o.key}
		columns = append(columns, o.ID)
		organizations = append(organizations, organizationResource(o))
		if o.Role != "" {
			relations = append(relations, plain((&sharing.Registration{Organization: o.ID, Role: o.Role, Active: true, Start: w.now()}).Resource()))
		}
		if len(o.files) > 0 && o != w.insurer() {
			uploads = append(uploads, outsideUpload{o.ID, o.paths(folder)})
		}
	}
	for _, o := range w.offices() {
		terms := sharing.Terms{Taker: o.ID, Active: true, Permit: true, Recipients: []string{o.ID}, Identified: sharing.ByMyNumberCard, Start: w.now()}
		consents = append(consents, outsideConsent{o.ID, plain(terms.Resource())})
	}
	return json.Marshal(map[string]any{
		"base": w.base, "tokenURL": w.tokenURL, "formSystem": care.FormSystem, "clientsFile": clientsFile,
		"clients": clients, "columns": columns, "probes": probes(), "organizations": organizations,
		"person":  map[string]any{"id": personClient, "name": person.Name, "kind": person.Kind, "jwks": keys},
		"insurer": w.insurer().ID, "patient": []string{care.InsuredNumber, samples.People()[0].Identifier()},
		"relations": relations, "consents": consents,
		"files": map[string]any{"insuredCard": w.insurer().paths(folder), "records": uploads},
	})
}

func (o *Organization) paths(folder string) []string {
	var paths []string
	for _, f := range o.files {
		paths = append(paths, filepath.Join(folder, o.ID, f.name))
	}
	return paths
}

func probes() []outsideProbe {
	var list []outsideProbe
	for _, f := range forms {
		list = append(list, outsideProbe{f.code, f.records})
		if f.sheet != "" {
			list = append(list, outsideProbe{f.code, f.sheet})
		}
	}
	return list
}

// Sees turns the counts of the outside flow ("form/type/column") into what
// each column sees ("form/column").
func Sees(counts map[string]int) map[string]string {
	seen := map[string]string{}
	for _, f := range forms {
		for cell := range counts {
			form, column := filepath.Dir(filepath.Dir(cell)), filepath.Base(cell)
			if form == f.code {
				c := Cell{Records: counts[f.code+"/"+f.records+"/"+column], Sheets: counts[f.code+"/"+f.sheet+"/"+column]}
				seen[f.code+"/"+column] = c.Sees()
			}
		}
	}
	return seen
}
