package samples_test

import (
	"bytes"

	"github.com/kaigofhir/kaigofhir/mapping/forms/careplan"
	"github.com/kaigofhir/kaigofhir/mapping/forms/insuredcard"
	"github.com/kaigofhir/kaigofhir/mapping/forms/opinion"
)

// bad makes files with one defect each.
func bad(files map[string][]byte) {
	cardName := "介護保険被保険者証_479998_20260501090000.csv"
	card := cards()
	card[1]["level"] = "99"
	files["bad/unknown-code/"+cardName] = []byte(named(insuredcard.Sheet(), card...))

	card = cards()
	card[0]["insurer"] = "479997"
	files["bad/wrong-check-digit/"+cardName] = []byte(named(insuredcard.Sheet(), card...))

	badPlans(files)

	opinionName := hospital.Number + "_2026050101.csv"
	broken := sjis(rows(opinion.Sheet(), opinions()...))
	files["bad/broken-row/"+opinionName] = bytes.Replace(broken, []byte("20260304"), []byte("20260304,20260230"), 1)
	files["bad/truncated/"+opinionName] = broken[:len(broken)-300]
}

// badPlans are defects of care-plan files.
func badPlans(files map[string][]byte) {
	tail := manager.Number + "_43_" + dayCare.Number + "_15_20260506101500.CSV"
	people := []string{hanako.Insured, fumi.Insured}
	files["bad/wrong-encoding/UP1KYO_"+tail] = []byte(rows(careplan.First(), about(people, firstSheets())...))

	files["bad/broken-row-of-plan/UPHOSOKU_000000_"+tail] = sjis(rows(careplan.Supplement(), about(people, supplements())...))
	files["bad/broken-row-of-plan/UP1KYO_"+tail] = sjis(rows(careplan.First(), about(people, firstSheets())...))
	second := sjis(rows(careplan.Second(), about(people, secondSheets())...))
	files["bad/broken-row-of-plan/UP2KYO_"+tail] = bytes.Replace(second, sjis("歩行器の貸与\""), sjis("歩行器の\"貸与\""), 1)

	foreign := sjis(rows(careplan.First(), about(people, firstSheets())...))
	files["bad/wrong-sender/UP1KYO_"+homeHelp.Number+"_43_"+dayCare.Number+"_15_20260506101500.CSV"] = foreign

	lost := bytes.Replace(foreign, sjis("総合病院"), []byte("\x81\x01\x85\xa0\xfc\xfe\xef\xefab"), 1)
	files["bad/broken-character/UP1KYO_"+tail] = lost
}
