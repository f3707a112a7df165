package mongodb

import "unicode/utf8"

// text writes bytes as a string that MongoDB orders as the bytes are: byte b
// becomes the character U+0001+b, which avoids U+0000.
func text(b []byte) string {
	out := make([]byte, 0, len(b)+len(b)/4)
	for _, c := range b {
		out = utf8.AppendRune(out, rune(c)+1)
	}
	return string(out)
}

// fromText is the reverse of text.
func fromText(s string) []byte {
	out := make([]byte, 0, len(s))
	for _, r := range s {
		out = append(out, byte(r-1))
	}
	return out
}

func texts(keys [][]byte) []string {
	out := make([]string, len(keys))
	for i, k := range keys {
		out[i] = text(k)
	}
	return out
}

func fromTexts(list []string) [][]byte {
	out := make([][]byte, len(list))
	for i, s := range list {
		out[i] = fromText(s)
	}
	return out
}
