package api

// route is one line of the table of routes.
type route struct {
	method, path string
	handle       func(*exchange) error
	// codes are the interactions of the CapabilityStatement the route offers,
	// for a system-level path those of the system.
	codes  []string
	public bool // needs no token
}

// routes is everything the FHIR service answers. A name at :type, :id or
// :member that starts with "$" is an operation. Gin wants the same parameter
// name at the same position everywhere.
func routes() []route {
	return []route{
		{"GET", "/metadata", metadata, nil, true},
		{"GET", "/openapi.json", openAPI, nil, true},
		{"POST", "/metadata", notHere, nil, true},
		{"PUT", "/metadata", notHere, nil, true},
		{"PATCH", "/metadata", notHere, nil, true},
		{"DELETE", "/metadata", notHere, nil, true},
		{"OPTIONS", "", options, nil, true},
		{"GET", "", searchSystem, []string{"search-system"}, false},
		{"POST", "", bundle, []string{"transaction", "batch"}, false},
		{"POST", "/_search", searchSystem, nil, false},
		{"GET", "/_history", historySystem, []string{"history-system"}, false},

		{"GET", asyncPath + "/:id", asyncStatus, nil, false},
		{"GET", asyncPath + "/:id/:member", asyncFile, nil, false},
		{"DELETE", asyncPath + "/:id", asyncCancel, nil, false},

		{"GET", "/:type", searchType, []string{"search-type"}, false},
		{"POST", "/:type", create, []string{"create"}, false},
		{"PUT", "/:type", updateMatching, nil, false},
		{"PATCH", "/:type", patchMatching, nil, false},
		{"DELETE", "/:type", deleteMatching, nil, false},
		{"POST", "/:type/_search", searchType, nil, false},
		{"GET", "/:type/_history", historyType, []string{"history-type"}, false},

		{"GET", "/:type/:id", read, []string{"read"}, false},
		{"PUT", "/:type/:id", update, []string{"update"}, false},
		{"PATCH", "/:type/:id", patchOne, []string{"patch"}, false},
		{"DELETE", "/:type/:id", deleteOne, []string{"delete"}, false},
		{"POST", "/:type/:id", operationOnType, nil, false},
		{"GET", "/:type/:id/_history", historyInstance, []string{"history-instance"}, false},
		{"GET", "/:type/:id/_history/:version", vread, []string{"vread"}, false},

		{"GET", "/:type/:id/:member", searchCompartment, nil, false},
		{"POST", "/:type/:id/:member", operationOnInstance, nil, false},
		{"POST", "/:type/:id/:member/_search", searchCompartment, nil, false},
	}
}
