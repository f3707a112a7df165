package samples_test

import (
	"bytes"

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

	opinionName := hospital.Number + "_2026050101.csv"
	broken := sjis(rows(opinion.Sheet(), opinions()...))
	files["bad/broken-row/"+opinionName] = bytes.Replace(broken, []byte("20260304"), []byte("20260304,20260230"), 1)
	files["bad/truncated/"+opinionName] = broken[:len(broken)-300]
}
