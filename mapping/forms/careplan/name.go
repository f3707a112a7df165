package careplan

import (
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/kaigofhir/kaigofhir/fhir"
	"github.com/kaigofhir/kaigofhir/mapping/codes"
	"github.com/kaigofhir/kaigofhir/mapping/csvform"
	"github.com/kaigofhir/kaigofhir/mapping/form"
)

// kinds are all kinds of files of the standard. Those without a sheet here are
// recognised, so that people learn that the server does not read them.
var kinds = []string{
	"UPHOSOKU", "UP1KYO", "UP2KYO", "UP3KYO", "DLT1KYO", "UPPLAN", "DLTPLAN", "UPJSK", "DLTJSK", "UPSIKYU",
	"UPKIHON", "UPKIHON_SUB1", "UPKIHON_SUB2", "UPKIHON_IMAGE", "DLTKIHON", "UPYOBO", "UPYOBO_SUB", "DLTYOBO",
}

var nameForm = regexp.MustCompile(`^([A-Z0-9]+(?:_SUB[12]?|_IMAGE)?)_(?:(\d{6})_)?(\d+)_([0-9A-Z]+)_(\d+)_([0-9A-Z]+)_(\d+)\.(?i:csv)$`)

// fileName is what an official file name says:
// KIND_[YYYYMM_]office_service_office_service_YYYYMMDDHHMMSS.CSV.
type fileName struct {
	kind                 string
	from, to             string // office numbers of sender and receiver
	fromService, service string // service kinds of sender and receiver
	stamp                string
}

// parseName reads an official name; ok is false for any other name.
func parseName(name string) (fileName, bool) {
	m := nameForm.FindStringSubmatch(name)
	if m == nil || !slices.Contains(kinds, m[1]) {
		return fileName{}, false
	}
	return fileName{kind: m[1], from: m[3], fromService: m[4], to: m[5], service: m[6], stamp: m[7]}, true
}

// check reports what is wrong with a name that has the official shape. A wrong
// name does not cost the file.
func (n fileName) check(file string, report *form.Report) {
	warn := func(field, en, ja string) {
		report.Add(form.Problem{File: file, Field: field, Severity: fhir.Warning, ID: "file-name", Message: fhir.Message{En: en, Ja: ja}})
	}
	for _, office := range []struct{ field, number string }{{"送信元事業所番号", n.from}, {"送信先事業所番号", n.to}} {
		switch codes.CheckOffice(office.number) {
		case codes.BadLength, codes.BadCharacter:
			warn(office.field, "the office number in the file's name must have 10 digits", "ファイル名の事業所番号は数字10桁です。")
		case codes.BadCheckDigit:
			warn(office.field, "the check digit of the office number in the file's name is wrong", "ファイル名の事業所番号の検証番号が合いません。")
		}
	}
	for _, service := range []struct{ field, code string }{{"送信元サービス種類コード", n.fromService}, {"送信先サービス種類コード", n.service}} {
		if _, ok := codes.ServiceKinds().Lookup(service.code); !ok {
			warn(service.field, "the service kind in the file's name is not in the code list", "ファイル名のサービス種類コードがコード表にありません。")
		}
	}
	if _, err := time.Parse("20060102150405", n.stamp); err != nil {
		warn("作成日時", "the time in the file's name is not YYYYMMDDHHMMSS", "ファイル名の作成日時が YYYYMMDDHHMMSS ではありません。")
	}
}

// Recognise reports whether a file is of the care-plan standard, by its name
// or by its first row.
func Recognise(name string, first csvform.Row) bool {
	if _, ok := parseName(name); ok {
		return true
	}
	return unofficialKind(name, first) != ""
}

// unofficialKind tells the kind of a file whose name is not official: by how
// the name begins, else by the first row.
func unofficialKind(name string, first csvform.Row) string {
	for kind := range Sheets() {
		if strings.HasPrefix(strings.ToUpper(name), kind) {
			return kind
		}
	}
	return kindOf(first)
}

// kindOf tells the kind of a file by its first row: a version YYYYMM and as
// many columns as a sheet has.
func kindOf(first csvform.Row) string {
	if v := first.Text(1); len(v) != 6 || strings.Trim(v, "0123456789") != "" {
		return ""
	}
	for kind, sheet := range Sheets() {
		if len(first.Cells) == len(sheet.Columns) {
			return kind
		}
	}
	return ""
}
