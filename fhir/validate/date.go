package validate

// isDate accepts YYYY, YYYY-MM and YYYY-MM-DD of the calendar, from year 1.
// https://hl7.org/fhir/R4/datatypes.html#date
func isDate(v string) bool {
	year, ok := twoDigits(v, 0)
	if !ok {
		return false
	}
	low, ok := twoDigits(v, 2)
	if year = year*100 + low; !ok || year == 0 {
		return false
	}
	if len(v) == 4 {
		return true
	}
	month, ok := twoDigits(v, 5)
	if !ok || v[4] != '-' || month < 1 || month > 12 {
		return false
	}
	if len(v) == 7 {
		return true
	}
	day, ok := twoDigits(v, 8)
	return ok && len(v) == 10 && v[7] == '-' && day >= 1 && day <= daysIn(year, month)
}

func daysIn(year, month int) int {
	switch month {
	case 4, 6, 9, 11:
		return 30
	case 2:
		if year%4 == 0 && (year%100 != 0 || year%400 == 0) {
			return 29
		}
		return 28
	}
	return 31
}

// isDateTime accepts a date, or a full date with time and time zone. Seconds
// are required, a leap second is allowed.
// https://hl7.org/fhir/R4/datatypes.html#dateTime
func isDateTime(v string) bool {
	if len(v) <= 10 {
		return isDate(v)
	}
	if v[10] != 'T' || !isDate(v[:10]) {
		return false
	}
	rest := v[11:]
	n := timeLength(rest)
	return n > 0 && isZone(rest[n:])
}

// isTime accepts hh:mm:ss with a fraction, without time zone.
// https://hl7.org/fhir/R4/datatypes.html#time
func isTime(v string) bool { return timeLength(v) == len(v) && v != "" }

// timeLength returns how many bytes a time takes at the start of v, 0 where
// there is none.
func timeLength(v string) int {
	hour, ok1 := twoDigits(v, 0)
	minute, ok2 := twoDigits(v, 3)
	second, ok3 := twoDigits(v, 6)
	if !ok1 || !ok2 || !ok3 || v[2] != ':' || v[5] != ':' || hour > 23 || minute > 59 || second > 60 {
		return 0
	}
	if len(v) > 8 && v[8] == '.' {
		fraction, _ := digits(v[9:])
		if fraction == "" {
			return 0
		}
		return 9 + len(fraction)
	}
	return 8
}

// isZone accepts Z and offsets up to 14:00.
func isZone(v string) bool {
	if v == "Z" {
		return true
	}
	hour, ok1 := twoDigits(v, 1)
	minute, ok2 := twoDigits(v, 4)
	return len(v) == 6 && ok1 && ok2 && (v[0] == '+' || v[0] == '-') && v[3] == ':' &&
		minute <= 59 && (hour < 14 || hour == 14 && minute == 0)
}

// twoDigits reads the two digits at a position.
func twoDigits(v string, at int) (int, bool) {
	if at+2 > len(v) {
		return 0, false
	}
	a, b := v[at]-'0', v[at+1]-'0'
	return int(a)*10 + int(b), a <= 9 && b <= 9
}
