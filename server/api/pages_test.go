package api_test

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/kaigofhir/kaigofhir/server/servertest"
)

const pages = "../../docs/interactions"

// TestPages runs the examples of the reference pages. Every status that a page
// names is shown by one of its examples, unless it says where else it is shown.
func TestPages(t *testing.T) {
	files, err := filepath.Glob(pages + "/*.md")
	if err != nil || len(files) < 12 {
		t.Fatal(files, err)
	}
	index, err := os.ReadFile(pages + "/README.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		name := filepath.Base(file)
		if name == "README.md" {
			continue
		}
		t.Run(strings.TrimSuffix(name, ".md"), func(t *testing.T) {
			if !strings.Contains(string(index), "("+name+")") {
				t.Errorf("README.md does not lead to %s", name)
			}
			data, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			checkPage(t, string(data))
		})
	}
}

var statusRow = regexp.MustCompile(`(?m)^\| (\d{3}) \| (.*) \|$`)

func checkPage(t *testing.T, page string) {
	t.Helper()
	c := servertest.Start(t, servertest.Open).Anonymous()
	var shown []int
	for _, block := range strings.Split(page, "```http\n")[1:] {
		block, _, _ = strings.Cut(block, "```")
		request, want, ok := strings.Cut(block, "--- ")
		status, err := strconv.Atoi(strings.TrimSpace(want))
		if !ok || err != nil {
			t.Fatalf("no status in %s", block)
		}
		head, body, _ := strings.Cut(request, "\n\n")
		lines := strings.Split(strings.TrimSpace(head), "\n")
		method, path, _ := strings.Cut(lines[0], " ")
		c.Do(method, path, strings.TrimSuffix(body, "\n"), lines[1:]...).Want(status)
		shown = append(shown, status)
	}
	var named []int
	for _, row := range statusRow.FindAllStringSubmatch(page, -1) {
		status, _ := strconv.Atoi(row[1]) //nolint:errcheck // three digits
		named = append(named, status)
		if !slices.Contains(shown, status) && !strings.Contains(row[2], "shown in the tests") {
			t.Errorf("no example of status %d", status)
		}
	}
	if len(named) == 0 || len(shown) == 0 {
		t.Error("the page has no statuses or no examples")
	}
}
