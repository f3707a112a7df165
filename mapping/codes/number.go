package codes

import (
	"strings"

	"github.com/kaigofhir/kaigofhir/profiles/care"
)

// NumberFault is what is wrong with an identifying number.
type NumberFault int

// The faults. BadCheckDigit alone leaves a number usable.
const (
	NumberGood NumberFault = iota
	BadLength
	BadCharacter
	BadCheckDigit
)

// CheckDigit computes the last digit of an insurer's or office's number from
// those before it: weights 2, 1, 2, … from the right, the digits of each
// product added, the complement to ten. This is the rule 保険者番号等設定要領
// (1976, 保険発第45号) gives for insurers' numbers; the six digits of long-term
// care insurers follow it (131011, 千代田区; 131045, 新宿区).
func CheckDigit(digits string) byte {
	sum := 0
	for i := range len(digits) {
		n := int(digits[len(digits)-1-i] - '0')
		if i%2 == 0 {
			n *= 2
		}
		sum += n/10 + n%10
	}
	return byte('0' + (10-sum%10)%10)
}

// CheckInsurer checks an insurer's number (保険者番号): two digits of the
// prefecture, three of the municipality, a check digit.
func CheckInsurer(number string) NumberFault { return checkNumber(number, 6) }

// CheckOffice checks the number of a care office or medical institution
// (事業所番号): two digits of the prefecture, the kind, six digits, a check
// digit. That the ninth digit is followed by the same check digit is public
// knowledge of the field but not found in an official text, and examples of
// official specifications break it: treat BadCheckDigit as a warning.
func CheckOffice(number string) NumberFault { return checkNumber(number, 10) }

func checkNumber(number string, length int) NumberFault {
	switch {
	case strings.Trim(number, "0123456789") != "":
		return BadCharacter
	case len(number) != length:
		return BadLength
	case CheckDigit(number[:length-1]) != number[length-1]:
		return BadCheckDigit
	}
	return NumberGood
}

// CheckInsured checks an insured person's number (被保険者番号): ten digits, or
// H and nine for people on public assistance only. Insurers choose their
// numbers; there is no common check digit.
func CheckInsured(number string) NumberFault {
	digits := strings.TrimPrefix(number, "H")
	switch {
	case strings.Trim(digits, "0123456789") != "":
		return BadCharacter
	case len(number) != 10:
		return BadLength
	}
	return NumberGood
}

// Insured joins an insurer's and a person's number into the value of a
// Patient.identifier.
func Insured(insurer, insured string) string { return insurer + ":" + insured }

// OrganizationSystem returns the identifier system and kind that a ten-digit
// office number has. The third digit tells the kind: 1 and 3 are medical and
// dental institutions, 4 pharmacies, whose ten digits are their medical
// institution code as well.
func OrganizationSystem(number string) (system, kind string) {
	if len(number) == 10 && strings.IndexByte("134", number[2]) >= 0 {
		return care.MedicalInstitution, care.KindMedicalInstitution
	}
	return care.OfficeNumber, care.KindCareOffice
}
