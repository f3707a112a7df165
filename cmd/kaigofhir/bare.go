package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"

	"github.com/kaigofhir/kaigofhir/conformance/load"
	"github.com/kaigofhir/kaigofhir/server/api"
)

// bareCommand is the yardstick of bench, in a process of its own: it answers
// every request with the bytes it was given on standard input.
type bareCommand struct{}

// Run serves until the process is told to stop.
func (bareCommand) Run(a *app) error {
	body, err := io.ReadAll(os.Stdin)
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	srv := &http.Server{Handler: api.Bare("application/fhir+json; charset=utf-8", body), ReadHeaderTimeout: headerTimeout}
	go func() {
		<-a.ctx.Done()
		_ = srv.Close()
	}()
	if err := a.firstLine(ready{URL: "http://" + listener.Addr().String(), PID: os.Getpid()}); err != nil {
		return err
	}
	if err := srv.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// bareRate measures a bare handler that returns what the server answers to one
// request of the scenario.
func bareRate(ctx context.Context, r load.Runner, s load.Scenario) (load.Result, error) {
	body, err := r.Sample(ctx, s)
	if err != nil {
		return load.Result{}, err
	}
	self, err := os.Executable()
	if err != nil {
		return load.Result{}, err
	}
	cmd := exec.CommandContext(ctx, self, "bare")
	in, err := cmd.StdinPipe()
	if err != nil {
		return load.Result{}, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return load.Result{}, err
	}
	if err := cmd.Start(); err != nil {
		return load.Result{}, err
	}
	defer func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	}()
	if _, err := in.Write(body); err != nil {
		return load.Result{}, err
	}
	if err := in.Close(); err != nil {
		return load.Result{}, err
	}
	var up ready
	if err := json.NewDecoder(out).Decode(&up); err != nil {
		return load.Result{}, fmt.Errorf("the bare handler did not start: %w", err)
	}
	r.Base, r.PID, r.Token = up.URL, up.PID, ""
	return r.Run(ctx, s), nil
}
