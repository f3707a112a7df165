package main

import "github.com/kaigofhir/kaigofhir/server/store/embedded"

type storeCompactCommand struct{ folderFlags }

// Run rewrites all files of the store; it needs as much free space as they take.
func (c *storeCompactCommand) Run(a *app) error {
	return c.with(a, false, func(e *embedded.Engine) error { return e.Compact(a.ctx) })
}
