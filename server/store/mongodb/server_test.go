package mongodb_test

import (
	"bufio"
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"github.com/kaigofhir/kaigofhir/server/store/mongodb"
)

// jars is where `make mongo-test-server` puts the test server.
const jars = "../../../.cache/mongo-test-server"

// testServer is the test server that TestMain ends.
var testServer struct {
	once  sync.Once
	uri   string
	err   error
	stdin io.Closer
	cmd   *exec.Cmd
}

func TestMain(m *testing.M) {
	status := m.Run()
	if testServer.cmd != nil {
		_ = testServer.stdin.Close() // it ends by itself then
		_ = testServer.cmd.Wait()
	}
	os.Exit(status)
}

func startTestServer() (string, error) {
	found, err := filepath.Glob(jars + "/*.jar")
	if err != nil || len(found) == 0 {
		return "", fmt.Errorf("no test server: make mongo-test-server (needs Maven) fetches it")
	}
	cmd := exec.Command("java", "-cp", jars+"/*", "testserver/Launcher.java")
	cmd.Stderr = os.Stderr
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return "", err
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return "", err
	}
	if err := cmd.Start(); err != nil {
		return "", err
	}
	testServer.cmd, testServer.stdin = cmd, stdin
	line, err := bufio.NewReader(stdout).ReadString('\n')
	return strings.TrimSpace(line), err
}

// plainServer is the connection string of a server without transactions. A
// missing one skips the test, but fails it in CI.
func plainServer(t testing.TB) string {
	t.Helper()
	testServer.once.Do(func() { testServer.uri, testServer.err = startTestServer() })
	if testServer.err != nil {
		missing(t, testServer.err.Error())
	}
	return testServer.uri
}

// realServer is the connection string of a real MongoDB.
func realServer(t *testing.T) string {
	t.Helper()
	uri := os.Getenv("KAIGOFHIR_TEST_MONGODB_URI")
	if uri == "" {
		t.Skip("KAIGOFHIR_TEST_MONGODB_URI does not name a MongoDB replica set")
	}
	return uri
}

func missing(t testing.TB, why string) {
	t.Helper()
	if os.Getenv("KAIGOFHIR_CI") != "" {
		t.Fatal(why)
	}
	t.Skip(why)
}

// openTest opens a store in a database of its own.
func openTest(t testing.TB, opts mongodb.Options) *mongodb.Engine {
	t.Helper()
	opts.Database = "kaigofhir-test-" + rand.Text()
	return openAgain(t, opts)
}

// openAgain opens the store of opts.Database and drops it after the test.
func openAgain(t testing.TB, opts mongodb.Options) *mongodb.Engine {
	t.Helper()
	e, err := mongodb.Open(t.Context(), opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { drop(t, opts) })
	return e
}

func connect(t testing.TB, uri string) *mongo.Client {
	t.Helper()
	client, err := mongo.Connect(options.Client().ApplyURI(uri).SetTimeout(10 * time.Second))
	if err != nil {
		t.Fatal(err)
	}
	return client
}

func drop(t testing.TB, opts mongodb.Options) {
	ctx := context.WithoutCancel(t.Context()) // it has ended
	client := connect(t, opts.URI)
	if err := client.Database(opts.Database).Drop(ctx); err != nil {
		t.Error(err)
	}
	_ = client.Disconnect(ctx)
}
