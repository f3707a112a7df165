package main

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"
)

// A request that is under way when the server is told to stop is answered, and
// what it wrote is there after the next start; new ones are refused meanwhile.
func TestGracefulShutdown(t *testing.T) {
	data := t.TempDir()
	p := start(t, "serve", "--open", "--data", data, "--addr", "127.0.0.1:0", "--ready-json")
	base, err := url.Parse(p.ready.URL)
	if err != nil {
		t.Fatal(err)
	}
	body := `{"resourceType":"Patient","id":"slow"}`
	conn, err := net.Dial("tcp", base.Host)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close() //nolint:errcheck // a test
	fmt.Fprintf(conn, "PUT /fhir/Patient/slow HTTP/1.1\r\nHost: %s\r\nContent-Type: application/fhir+json\r\nContent-Length: %d\r\nExpect: 100-continue\r\n\r\n", base.Host, len(body))
	answer := bufio.NewReader(conn)
	// The server asks for the body once its handler reads it: it is at work.
	if line, err := answer.ReadString('\n'); err != nil || !strings.Contains(line, "100 Continue") {
		t.Fatalf("%q, %v", line, err)
	}
	if _, err := answer.ReadString('\n'); err != nil {
		t.Fatal(err)
	}
	if err := p.cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	refused := false
	for range 500 {
		fresh, err := net.Dial("tcp", base.Host)
		if refused = err != nil; refused {
			break
		}
		_ = fresh.Close()
		time.Sleep(10 * time.Millisecond)
	}
	if !refused {
		t.Error("new connections are still taken")
	}
	fmt.Fprint(conn, body)
	res, err := http.ReadResponse(answer, nil)
	if err != nil {
		t.Fatalf("the request under way was cut off: %v\n%s", err, p.stderr)
	}
	if text, err := io.ReadAll(res.Body); res.StatusCode != http.StatusCreated || err != nil {
		t.Errorf("the request under way: %d %s, %v", res.StatusCode, text, err)
	}
	if err := res.Body.Close(); err != nil {
		t.Error(err)
	}
	ended := <-p.done
	p.done <- ended
	if ended != nil {
		t.Errorf("exit: %v\n%s", ended, p.stderr)
	}
	again := start(t, "serve", "--open", "--data", data, "--addr", "127.0.0.1:0", "--ready-json")
	if status, text := get(t, again.ready.URL+"/Patient/slow"); status != http.StatusOK {
		t.Errorf("after the next start: %d %s", status, text)
	}
}
