// Command kaigofhir is the FHIR R4 server for Japan's long-term care, and
// everything around it, in one binary.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/alecthomas/kong"
)

// cli is the command line: one field, and one file, for each command.
type cli struct {
	Demo     demoCommand           `cmd:"" help:"Play the main job on sample data."`
	Serve    serveCommand          `cmd:"" help:"Run the server."`
	Map      mapCommand            `cmd:"" help:"Show the FHIR of care files, or what is wrong with them."`
	FHIRPath fhirpathCommand       `cmd:"" name:"fhirpath" help:"Evaluate FHIRPath on a resource."`
	Convert  convertCommand        `cmd:"" help:"Turn a resource from JSON into XML or back."`
	Matrix   matrixCommand         `cmd:"" help:"Print the sharing matrix."`
	Validate validateCommand       `cmd:"" help:"Check resources against R4 and profiles."`
	Audit    auditCommand          `cmd:"" help:"Work on the record of accesses."`
	Store    storeCommand          `cmd:"" help:"Work on stores."`
	TokenKey rotateTokenKeyCommand `cmd:"" name:"rotate-token-key" help:"Let access tokens be signed with a new key."`
	Bench    benchCommand          `cmd:"" help:"Measure a FHIR server from outside."`
	Bare     bareCommand           `cmd:"" hidden:"" help:"The yardstick of bench."`
	Version  versionCommand        `cmd:"" help:"Print the version."`
}

// app is what a command may use of the outside world.
type app struct {
	ctx    context.Context // ends at an interrupt
	stdout io.Writer
	stderr io.Writer
	now    func() time.Time
	getenv func(string) string
}

// exitStatus is an error that only sets the exit status: what there was to
// say has been said.
type exitStatus int

func (s exitStatus) Error() string { return fmt.Sprintf("exit status %d", int(s)) }

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	a := &app{ctx: ctx, stdout: os.Stdout, stderr: os.Stderr, now: time.Now, getenv: os.Getenv}
	os.Exit(a.main(os.Args[1:]))
}

// main runs one command line and returns its exit status: 0 for success, 1 for
// a failure, 2 for a command line that cannot be understood.
func (a *app) main(args []string) int {
	var c cli
	parser, err := kong.New(&c,
		kong.Name("kaigofhir"),
		kong.Description("FHIR R4 server for Japan's long-term care (介護)."),
		kong.Writers(a.stdout, a.stderr),
		kong.Exit(func(status int) { panic(exitStatus(status)) }),
		kong.Configuration(a.loadConfig),
		kong.Bind(a),
	)
	if err != nil {
		fmt.Fprintln(a.stderr, "kaigofhir:", err)
		return 2
	}
	return a.run(parser, args)
}

func (a *app) run(parser *kong.Kong, args []string) (status int) {
	defer func() { // --help ends the parse by kong's Exit
		switch v := recover().(type) {
		case nil:
		case exitStatus:
			status = int(v)
		default:
			panic(v)
		}
	}()
	parsed, err := parser.Parse(args)
	if err != nil {
		fmt.Fprintln(a.stderr, "kaigofhir:", err)
		return 2
	}
	err = parsed.Run()
	var s exitStatus
	switch {
	case err == nil:
		return 0
	case errors.As(err, &s):
		return int(s)
	default:
		fmt.Fprintln(a.stderr, "kaigofhir:", err)
		return 1
	}
}
