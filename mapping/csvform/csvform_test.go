package csvform_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/text/encoding/japanese"

	"github.com/kaigofhir/kaigofhir/mapping/csvform"
)

func sjis(t testing.TB, s string) []byte {
	t.Helper()
	b, err := japanese.ShiftJIS.NewEncoder().Bytes([]byte(s))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestDetect(t *testing.T) {
	euc, _ := japanese.EUCJP.NewEncoder().Bytes([]byte("介護サービスをりようするひとのなまえ"))
	jis, _ := japanese.ISO2022JP.NewEncoder().Bytes([]byte("介護"))
	tests := []struct {
		name string
		data []byte
		want csvform.Encoding
	}{
		{"ascii", []byte("a,b\r\n"), csvform.ShiftJIS},
		{"shift_jis", sjis(t, "居宅サービス計画書,佐藤"), csvform.ShiftJIS},
		{"half-width katakana that is valid UTF-8", []byte("\xc2\xb1,\xc3\xb2"), csvform.ShiftJIS},
		{"half-width names", sjis(t, "ｻﾄｳ ﾊﾅｺ,ﾔﾏﾀﾞ ﾀﾛｳ"), csvform.ShiftJIS},
		{"utf-8", []byte("居宅"), csvform.UTF8},
		{"utf-8 cut inside a character", []byte("居宅サービス計画\xe6\x9b"), csvform.UTF8},
		{"utf-8 with mark", []byte("\xef\xbb\xbfa"), csvform.UTF8},
		{"utf-16", []byte("\xff\xfea\x00"), csvform.UTF16},
		{"euc-jp", euc, csvform.EUCJP},
		{"iso-2022-jp", jis, csvform.JIS},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := csvform.Detect(tt.data); got != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
		})
	}
}

func TestDecodeRefusesAnotherEncoding(t *testing.T) {
	text, found, faults := csvform.Decode([]byte("居宅,計画"), csvform.ShiftJIS)
	if text != "" || found != csvform.UTF8 || len(faults) != 1 || faults[0].ID != "file-encoding" {
		t.Fatalf("got %q %s %v", text, found, faults)
	}
	if m := faults[0].Message; !strings.Contains(m.Ja, "UTF-8") || !strings.Contains(m.En, "Shift_JIS") {
		t.Errorf("message does not name both encodings: %v", m)
	}
}

func TestParse(t *testing.T) {
	type fault struct {
		Line, Column int
		ID           string
	}
	tests := []struct {
		name   string
		in     string
		want   [][]string
		lines  []int
		faults []fault
	}{
		{"plain", "a,b\r\nc,d\r\n", [][]string{{"a", "b"}, {"c", "d"}}, []int{1, 2}, nil},
		{"no last line break", "a,b\r\nc,d", [][]string{{"a", "b"}, {"c", "d"}}, []int{1, 2}, nil},
		{"empty cells", ",\r\n\r\nx,\r\n", [][]string{{"x", ""}}, []int{3}, nil},
		{"ends after a comma", "a,", [][]string{{"a", ""}}, []int{1}, nil},
		{"quoted", "\"a,\"\"b\"\"\r\nc\",d\r\ne,f\r\n", [][]string{{"a,\"b\"\nc", "d"}, {"e", "f"}}, []int{1, 3}, nil},
		{"unix and mac line breaks", "a\nb\rc", [][]string{{"a"}, {"b"}, {"c"}}, []int{1, 2, 3}, nil},
		{"vertical tab", "a\vb", [][]string{{"a\nb"}}, []int{1}, nil},
		{"never closed", "a,b\r\nc,\"d\r\ne", [][]string{{"a", "b"}, {"c", "d\ne"}}, []int{1, 2}, []fault{{2, 2, "file-truncated"}}},
		{"quote inside", "a\"b,c\r\n", [][]string{{"a\"b", "c"}}, []int{1}, []fault{{1, 1, "quote-misplaced"}}},
		{"text after quote", "\"a\"b,c\r\n", [][]string{{"ab", "c"}}, []int{1}, []fault{{1, 1, "quote-misplaced"}}},
		{"broken character on the third line of a cell", "a,\"x\r\ny\r\n\uFFFD\"\r\n", [][]string{{"a", "x\ny\n\uFFFD"}}, []int{1}, []fault{{3, 2, "character-broken"}}},
		{"private character", "\uE001", [][]string{{"\uE001"}}, []int{1}, []fault{{1, 1, "character-private"}}},
		{"control character", "a\x01", [][]string{{"a\x01"}}, []int{1}, []fault{{1, 1, "character-control"}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var got [][]string
			var lines []int
			var faults []fault
			for _, row := range csvform.Parse(tt.in) {
				var cells []string
				for _, c := range row.Cells {
					cells = append(cells, c.Text)
				}
				got, lines = append(got, cells), append(lines, row.Line)
				for _, f := range row.Faults {
					faults = append(faults, fault{f.Line, f.Column, f.ID})
				}
			}
			if d := cmp.Diff(tt.want, got); d != "" {
				t.Errorf("cells (-want +got):\n%s", d)
			}
			if d := cmp.Diff(tt.lines, lines); d != "" {
				t.Errorf("lines (-want +got):\n%s", d)
			}
			if d := cmp.Diff(tt.faults, faults); d != "" {
				t.Errorf("faults (-want +got):\n%s", d)
			}
		})
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte("a,\"b\r\nc\",d\r\n"))
	f.Add(sjis(f, "保険者番号,被保険者番号\r\n\"意向\r\n\"\"家\"\"\",x\r\n"))
	f.Add([]byte("\"\x82"))
	f.Fuzz(func(t *testing.T, data []byte) {
		text, _, _ := csvform.Decode(data, csvform.ShiftJIS, csvform.UTF8)
		last := 0
		for _, row := range csvform.Parse(text) {
			if row.Line <= last || len(row.Cells) == 0 {
				t.Fatalf("row at line %d after line %d, %d cells", row.Line, last, len(row.Cells))
			}
			last = row.Line
			for _, fault := range row.Faults {
				if fault.Line < row.Line || fault.Column < 1 || fault.Column > len(row.Cells) {
					t.Fatalf("fault outside its row: %+v in row of line %d", fault, row.Line)
				}
			}
		}
	})
}

func BenchmarkParse(b *testing.B) {
	text := strings.Repeat("202407,131011,0000000001,\"住み慣れた家で\r\n暮らしたい\",1,2,3,4,5\r\n", 1000)
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		csvform.Parse(text)
	}
}
