// Package load measures a FHIR R4 server from outside, over HTTP alone:
// reproducible synthetic data, one scenario for each kind of request, request
// rates, latency percentiles and, where the server runs on this machine, the
// CPU and memory of its process. https://hl7.org/fhir/R4/http.html
package load

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"time"
)

// Data is a reproducible set of synthetic people and their observations. The
// same Seed gives the same bytes.
type Data struct {
	Seed         uint64
	Patients     int // people
	Observations int // for each person
}

const (
	identifierSystem = "https://kaigofhir.github.io/fhir/IdSystem/load-number"
	loinc            = "http://loinc.org"
)

var (
	families = []string{"佐藤 サトウ", "鈴木 スズキ", "高橋 タカハシ", "田中 タナカ", "伊藤 イトウ", "渡辺 ワタナベ", "山本 ヤマモト", "中村 ナカムラ", "小林 コバヤシ", "加藤 カトウ"}
	givens   = []string{"花子 ハナコ", "太郎 タロウ", "和子 カズコ", "清 キヨシ", "幸子 サチコ", "勇 イサム", "節子 セツコ", "実 ミノル", "文子 フミコ", "正 タダシ"}
	// codes are LOINC items of the Barthel index, weight and blood pressure.
	codes = []string{"96761-2", "83184-2", "83185-9", "96767-9", "83183-4", "83181-8", "83186-7", "96758-8", "83182-6", "29463-7"}
	epoch = time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC)
)

// PatientID is the id of person n, from 0. Servers that choose their own ids
// are found by PatientNumber instead.
func (d Data) PatientID(n int) string { return fmt.Sprintf("load-%d-p%d", d.Seed, n) }

// PatientNumber is the identifier value of person n.
func (d Data) PatientNumber(n int) string { return fmt.Sprintf("%d-%07d", d.Seed, n) }

// ObservationID is the id of observation k of person n.
func (d Data) ObservationID(n, k int) string { return fmt.Sprintf("load-%d-p%d-o%d", d.Seed, n, k) }

// Kana is the family name of person n in katakana.
func (d Data) Kana(n int) string {
	_, kana := name(families, d.source(n, 0))
	return kana
}

// Patient returns person n as JSON.
func (d Data) Patient(n int) string {
	r := d.source(n, 0)
	family, familyKana := name(families, r)
	given, givenKana := name(givens, r)
	birth := epoch.AddDate(-70-r.IntN(30), r.IntN(12), r.IntN(28)).Format(time.DateOnly)
	gender := []string{"male", "female"}[r.IntN(2)]
	return fmt.Sprintf(`{"resourceType":"Patient","id":%q,"identifier":[{"system":%q,"value":%q}],`+
		`"name":[{"use":"official","text":"%s %s","family":%q,"given":[%q],"extension":[{"url":"http://hl7.org/fhir/StructureDefinition/iso21090-EN-representation","valueCode":"IDE"}]},`+
		`{"use":"official","text":"%s %s","family":%q,"given":[%q],"extension":[{"url":"http://hl7.org/fhir/StructureDefinition/iso21090-EN-representation","valueCode":"SYL"}]}],`+
		`"gender":%q,"birthDate":%q,"address":[{"country":"JP","postalCode":"100-%04d","text":"架空県架空市%d丁目"}]}`,
		d.PatientID(n), identifierSystem, d.PatientNumber(n), family, given, family, given,
		familyKana, givenKana, familyKana, givenKana, gender, birth, r.IntN(10000), 1+r.IntN(9))
}

// Observation returns observation k of person n as JSON, about 1.2 KB.
func (d Data) Observation(n, k int) string {
	r := d.source(n, k+1)
	code := codes[k%len(codes)]
	at := epoch.Add(time.Duration(k/len(codes))*7*24*time.Hour + time.Duration(r.IntN(86400))*time.Second)
	return fmt.Sprintf(`{"resourceType":"Observation","id":%q,"status":"final",`+
		`"identifier":[{"system":%q,"value":"%s-%d"}],`+
		`"category":[{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/observation-category","code":"survey","display":"Survey"}]}],`+
		`"code":{"coding":[{"system":%q,"code":%q,"display":"synthetic item %s"}],"text":"合成データの項目"},`+
		`"subject":{"reference":"Patient/%s"},"effectiveDateTime":%q,"issued":%q,`+
		`"valueQuantity":{"value":%d.%d,"unit":"kg","system":"http://unitsofmeasure.org","code":"kg"},`+
		`"interpretation":[{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation","code":"N","display":"Normal"}]}],`+
		`"note":[{"text":%q}],`+
		`"referenceRange":[{"low":{"value":40.0,"unit":"kg","system":"http://unitsofmeasure.org","code":"kg"},"high":{"value":80.0,"unit":"kg","system":"http://unitsofmeasure.org","code":"kg"}}]}`,
		d.ObservationID(n, k), identifierSystem, d.PatientNumber(n), k, loinc, code, code, d.PatientID(n),
		at.Format(time.RFC3339), at.Add(time.Hour).Format(time.RFC3339), 40+r.IntN(40), r.IntN(10),
		strings.Repeat("合成された記録。", 1+r.IntN(3)))
}

// maxObservations of one transaction.
const maxObservations = 1000

// Transactions is the number of transactions that hold all the data.
func (d Data) Transactions() int { return d.Patients * d.parts() }

func (d Data) parts() int { return max(1, (d.Observations+maxObservations-1)/maxObservations) }

// Transaction returns transaction i of Transactions: a person with up to 1,000
// observations. Who has more is in several.
func (d Data) Transaction(i int) string {
	n, from := i/d.parts(), i%d.parts()*maxObservations
	var b strings.Builder
	b.WriteString(`{"resourceType":"Bundle","type":"transaction","entry":[`)
	fmt.Fprintf(&b, `{"resource":%s,"request":{"method":"PUT","url":"Patient/%s"}}`, d.Patient(n), d.PatientID(n))
	for k := from; k < min(from+maxObservations, d.Observations); k++ {
		fmt.Fprintf(&b, `,{"resource":%s,"request":{"method":"PUT","url":"Observation/%s"}}`, d.Observation(n, k), d.ObservationID(n, k))
	}
	b.WriteString(`]}`)
	return b.String()
}

// source returns the random source of one resource, so that each can be made
// on its own.
func (d Data) source(n, k int) *rand.Rand {
	return rand.New(rand.NewPCG(d.Seed, uint64(n)<<24|uint64(k)))
}

func name(list []string, r *rand.Rand) (kanji, kana string) {
	kanji, kana, _ = strings.Cut(list[r.IntN(len(list))], " ")
	return kanji, kana
}
