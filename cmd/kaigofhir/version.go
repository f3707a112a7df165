package main

import (
	"fmt"
	"runtime/debug"
)

type versionCommand struct{}

// Run prints the module version and, where the build knows it, the commit.
func (versionCommand) Run(a *app) error {
	_, err := fmt.Fprintln(a.stdout, "kaigofhir", version())
	return err
}

// version is the module version and commit the binary was built from.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	text := info.Main.Version
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" {
			text += " " + s.Value
		}
	}
	return text
}
