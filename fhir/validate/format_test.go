package validate

import "testing"

func TestIsFormatted(t *testing.T) {
	good := map[string][]string{
		"boolean": {"true", "false"}, "integer": {"0", "-5", "+5", "2147483647", "-2147483648"}, "unsignedInt": {"0"}, "positiveInt": {"1"},
		"decimal": {"0", "-0.0", "1.10", "1e5", "1E-5", "0.00001"}, "date": {"2026", "2026-12", "2024-02-29", "0001-01-01"},
		"dateTime": {"2026", "2026-01-01T00:00:00Z", "2026-01-01T23:59:60.123+09:00", "2026-01-01T00:00:00-14:00"},
		"instant":  {"2026-01-01T00:00:00.5Z"}, "time": {"00:00:00", "23:59:59.999"}, "base64Binary": {"aGVsbG8=", "aGVs\nbG8="},
		"id": {"a", "A-1.b"}, "code": {"a", "a b"}, "uri": {"urn:x", "#a"}, "oid": {"urn:oid:1.2.392.0"},
		"uuid": {"urn:uuid:187e0c12-8dd2-67e2-99b2-bf273c878281"}, "string": {"山田 太郎\n"}, "markdown": {"# x"},
	}
	bad := map[string][]string{
		"boolean": {"TRUE", "1"}, "integer": {"01", "1.0", "--1", "2147483648", ""}, "unsignedInt": {"-1"}, "positiveInt": {"0"},
		"decimal": {".5", "1.", "01", "1e", "+1", "NaN"}, "date": {"0000", "26", "2026-13", "2026-00", "2025-02-29", "2100-02-29", "2026-1-1", "2026-01-01T", "令和8年"},
		"dateTime": {"2026-01-01T00:00:00", "2026-01-01T00:00Z", "2026-01-01T24:00:00Z", "2026-01-01 00:00:00Z", "2026-01-01T00:00:00+15:00"},
		"instant":  {"2026-01-01", "2026"}, "time": {"24:00:00", "00:00", "00:00:00Z", "00:00:61"}, "base64Binary": {"a", "a===", "====", "aG=="[:3], "%%%2"},
		"id": {"a_b", "12345678901234567890123456789012345678901234567890123456789012345"}, "code": {" a", "a ", "a  b", "\t"},
		"uri": {"a b"}, "oid": {"urn:oid:3.1", "urn:oid:1", "urn:oid:1.02", "1.2.3"}, "uuid": {"urn:uuid:187E0C12-8DD2-67E2-99B2-BF273C878281", "urn:uuid:1"},
		"string": {" ", "\x00", "a\x1b"},
	}
	for typeName, values := range good {
		for _, v := range values {
			if !isFormatted(typeName, v) {
				t.Errorf("%s %q was refused", typeName, v)
			}
		}
	}
	for typeName, values := range bad {
		for _, v := range values {
			if isFormatted(typeName, v) {
				t.Errorf("%s %q was taken", typeName, v)
			}
		}
	}
}
