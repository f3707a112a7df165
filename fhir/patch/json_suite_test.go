package patch

import (
	"encoding/json"
	"os"
	"testing"
)

// The official cases change any JSON, so they run below the resource level.
// See testdata/fhir-test-cases/SOURCES.md.
const jsonSuite = "../../testdata/fhir-test-cases/r4/patch/json-patch-tests.json"

func TestOfficialJSONPatch(t *testing.T) {
	data, err := os.ReadFile(jsonSuite)
	if err != nil {
		t.Fatal(err)
	}
	var cases []struct {
		Comment, Error       string
		Doc, Patch, Expected json.RawMessage
	}
	if err := json.Unmarshal(data, &cases); err != nil {
		t.Fatal(err)
	}
	for _, c := range cases {
		t.Run(c.Comment, func(t *testing.T) {
			got, err := patched(t, c.Doc, c.Patch)
			if c.Error != "" {
				if err == nil {
					t.Fatalf("got %s, want an error: %s", got.appendTo(nil), c.Error)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			want, err := parseValue(c.Expected)
			if err != nil {
				t.Fatal(err)
			}
			if !got.equal(want) {
				t.Errorf("got %s, want %s", got.appendTo(nil), c.Expected)
			}
		})
	}
	t.Logf("%d cases", len(cases))
}

func patched(t *testing.T, doc, patch []byte) (*value, error) {
	t.Helper()
	d, err := parseValue(doc)
	if err != nil {
		t.Fatal(err)
	}
	ops, err := parseOperations(patch)
	if err != nil {
		return nil, err
	}
	return applyAll(d, ops)
}

// TestMerge runs the examples of RFC 7396, appendix A. Where RFC 7396 gives an
// empty object, FHIR has nothing.
func TestMerge(t *testing.T) {
	tests := []struct{ target, patch, want string }{
		{`{"a":"b"}`, `{"a":"c"}`, `{"a":"c"}`},
		{`{"a":"b"}`, `{"b":"c"}`, `{"a":"b","b":"c"}`},
		{`{"a":"b"}`, `{"a":null}`, `{}`},
		{`{"a":"b","b":"c"}`, `{"a":null}`, `{"b":"c"}`},
		{`{"a":["b"]}`, `{"a":"c"}`, `{"a":"c"}`},
		{`{"a":"c"}`, `{"a":["b"]}`, `{"a":["b"]}`},
		{`{"a":{"b":"c"}}`, `{"a":{"b":"d","c":null}}`, `{"a":{"b":"d"}}`},
		{`{"a":[{"b":"c"}]}`, `{"a":[1]}`, `{"a":[1]}`},
		{`{"e":null}`, `{"a":1}`, `{"e":null,"a":1}`},
		{`[1,2]`, `{"a":"b","c":null}`, `{"a":"b"}`},
		{`{}`, `{"a":{"bb":{"ccc":null}}}`, `{}`},
	}
	for _, tt := range tests {
		target, err := parseValue([]byte(tt.target))
		if err != nil {
			t.Fatal(err)
		}
		patch, err := parseValue([]byte(tt.patch))
		if err != nil {
			t.Fatal(err)
		}
		if got := string(merge(target, patch).appendTo(nil)); got != tt.want {
			t.Errorf("%s with %s: got %s, want %s", tt.target, tt.patch, got, tt.want)
		}
	}
}

// TestNumbers compares numbers by value, but not at any cost.
func TestNumbers(t *testing.T) {
	tests := []struct {
		a, b string
		want bool
	}{
		{"1", "1.0", true},
		{"100", "1e2", true},
		{"1.10", "1.1", true},
		{"1", "2", false},
		{"-0", "0", true},
		{"1e2147483647", "1e2147483647", true},
		{"1e2147483647", "1", false},
		{"1e99999999999", "1", false},
	}
	for _, tt := range tests {
		if got := equalNumbers(tt.a, tt.b); got != tt.want {
			t.Errorf("%s and %s: got %v", tt.a, tt.b, got)
		}
	}
}

// TestBomb stops copies that would grow without end.
func TestBomb(t *testing.T) {
	ops := `[{"op":"add","path":"/a","value":[1]}`
	for range 40 {
		ops += `,{"op":"copy","from":"/a","path":"/a/-"}`
	}
	if _, err := patched(t, []byte(`{}`), []byte(ops+"]")); err == nil {
		t.Error("2^40 values were made")
	}
}
