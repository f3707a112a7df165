package care

import (
	"embed"
	"encoding/json"
	"path"
	"slices"
	"strings"
	"sync"
)

//go:embed resources
var published embed.FS

// resources are the published resources by canonical URL.
var resources = sync.OnceValue(func() map[string][]byte {
	entries, err := published.ReadDir("resources")
	if err != nil {
		panic(err) // the folder is embedded
	}
	byURL := make(map[string][]byte, len(entries))
	for _, e := range entries {
		data, err := published.ReadFile(path.Join("resources", e.Name()))
		if err != nil {
			panic(err)
		}
		var head struct {
			URL string `json:"url"`
		}
		if err := json.Unmarshal(data, &head); err != nil {
			panic("care: " + e.Name() + ": " + err.Error()) // checked by a test of mapping/guide
		}
		byURL[head.URL] = data
	}
	return byURL
})

// Resource returns the JSON of a published resource (StructureDefinition,
// ValueSet, CodeSystem, Questionnaire) by its canonical URL without version.
// The bytes must not be changed.
func Resource(url string) ([]byte, bool) {
	data, ok := resources()[url]
	return data, ok
}

// URLs returns the canonical URLs of the published resources of a type, "" for
// all, sorted.
func URLs(resourceType string) []string {
	var urls []string
	for url := range resources() {
		if resourceType == "" || strings.HasPrefix(url, Canonical+"/"+resourceType+"/") {
			urls = append(urls, url)
		}
	}
	slices.Sort(urls)
	return urls
}
