package samples_test

import (
	"bytes"

	"github.com/kaigofhir/kaigofhir/mapping/forms/careplan"
	"github.com/kaigofhir/kaigofhir/mapping/forms/insuredcard"
	"github.com/kaigofhir/kaigofhir/mapping/forms/life"
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
	badOthers(files)

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

	for name, data := range map[string][]byte{
		"UPHOSOKU_000000_": sjis(rows(careplan.Supplement(), about(people, supplements())...)),
		"UP1KYO_":          sjis(rows(careplan.First(), about(people, firstSheets())...)),
		"UP2KYO_":          second[:len(second)-400],
	} {
		files["bad/truncated-plan/"+name+tail] = data
	}

	foreign := sjis(rows(careplan.First(), about(people, firstSheets())...))
	files["bad/wrong-sender/UP1KYO_"+homeHelp.Number+"_43_"+dayCare.Number+"_15_20260506101500.CSV"] = foreign

	lost := bytes.Replace(foreign, sjis("総合病院"), []byte("\x81\x01\x85\xa0\xfc\xfe\xef\xefab"), 1)
	files["bad/broken-character/UP1KYO_"+tail] = lost
}

// badOthers are defects of LIFE files and of files that are no form.
func badOthers(files map[string][]byte) {
	rows := promotions()
	rows[1]["barthel_transfer"] = "5"
	files["bad/unknown-code-of-life/SERVICE_USER_INFO_20260601.csv"] = []byte(lifeFile("SERVICE_USER_INFO", life.User(), users()...))
	files["bad/unknown-code-of-life/FORM_0000_2021_20260601.csv"] = []byte(lifeFile("FORM_0000_2021", life.Promotion(), rows...))
	files["bad/no-form/予定表.csv"] = []byte("日付,予定\r\n2026-05-01,会議\r\n")
}
