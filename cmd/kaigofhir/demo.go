package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"time"

	"github.com/kaigofhir/kaigofhir/cmd/kaigofhir/internal/demo"
	"github.com/kaigofhir/kaigofhir/profiles/care"
	"github.com/kaigofhir/kaigofhir/server"
	"github.com/kaigofhir/kaigofhir/server/auth"
)

type demoCommand struct {
	Addr      string `default:"127.0.0.1:8080" help:"Address to listen on; port 0 takes a free one."`
	Data      string `type:"path" help:"Data folder, empty or not there yet; without it everything stays in memory."`
	Once      bool   `help:"End after the tables; exit status 0 only where every cell is as the matrix says."`
	ReadyJSON bool   `name:"ready-json" help:"Print one JSON object with url, pid, organizations and patients once everything is loaded."`
}

// demoReady is what --ready-json prints.
type demoReady struct {
	ready
	Organizations []*demo.Organization `json:"organizations"`
	Patients      []string             `json:"patients"`
}

// Run starts a server without records and plays the main job on it.
func (c *demoCommand) Run(a *app) error {
	world, err := demo.NewWorld(a.now)
	if err != nil {
		return err
	}
	clients, err := auth.NewClients()
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", c.Addr)
	if err != nil {
		return err
	}
	host, err := newHost(a, listener, hostConfig{
		configure: func(cfg *server.Config) { cfg.TokenLife = 15 * time.Minute },
		data:      c.Data, clients: clients, cacheMiB: 32, home: world.Board,
		log: slog.New(slog.NewTextHandler(a.stderr, &slog.HandlerOptions{Level: slog.LevelWarn})),
	})
	if err != nil {
		return err
	}
	world.Connect(host.url, host.tokenURL)
	ctx, end := context.WithCancel(a.ctx)
	defer end()
	right := true
	err = host.serve(ctx, func() (err error) {
		right, err = c.play(ctx, a, world, clients, host.url)
		if c.Once {
			end()
		}
		return err
	})
	if err == nil && !right {
		return exitStatus(1)
	}
	return err
}

// play does the main job; right reports whether every cell was as it must be.
func (c *demoCommand) play(ctx context.Context, a *app, w *demo.World, clients *auth.Clients, url string) (right bool, err error) {
	out := a.stdout
	if c.ReadyJSON {
		out = a.stderr // the first line of standard output is the JSON
	}
	step := func(format string, args ...any) { fmt.Fprintf(out, "  "+format+"\n", args...) }
	fmt.Fprintf(out, "kaigofhir demo: %s (all people are synthetic)\n\n", url)
	if err := c.load(ctx, w, clients, step); err != nil {
		return false, err
	}
	right, err = c.tables(ctx, w, out)
	if err != nil {
		return right, err
	}
	if c.ReadyJSON {
		if err := a.firstLine(demoReady{ready{URL: url, PID: os.Getpid()}, w.Organizations, w.Patients}); err != nil {
			return right, err
		}
	}
	if !c.Once {
		w.PrintCurl(out)
	}
	return right, nil
}

func (c *demoCommand) load(ctx context.Context, w *demo.World, clients *auth.Clients, step demo.Step) error {
	if err := replaceClients(clients, w); err != nil {
		return err
	}
	if err := w.Register(ctx, step); err != nil {
		return err
	}
	if err := w.AddPerson(); err != nil {
		return err
	}
	if err := replaceClients(clients, w); err != nil {
		return err
	}
	return w.Load(ctx, step)
}

func replaceClients(clients *auth.Clients, w *demo.World) error {
	list, err := w.Clients()
	if err != nil {
		return err
	}
	return clients.Replace(list...)
}

func (c *demoCommand) tables(ctx context.Context, w *demo.World, out io.Writer) (right bool, err error) {
	right = true
	for _, s := range []struct {
		stage  demo.Stage
		before func(context.Context) error
	}{
		{demo.BeforeConsent, func(context.Context) error { return nil }},
		{demo.AfterConsent, w.Consent},
		{demo.AfterWithdrawal, w.Withdraw},
	} {
		if err := s.before(ctx); err != nil {
			return false, err
		}
		table, err := w.Table(ctx, s.stage)
		if err != nil {
			return false, err
		}
		table.Print(out, w.Organizations)
		right = right && table.Right()
	}
	fmt.Fprintf(out, "\nEvery cell is the answer to a real request; forms are rows of %s.\n", care.FormSystem)
	return right, nil
}
