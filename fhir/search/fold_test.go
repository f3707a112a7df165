package search

import (
	"testing"

	"golang.org/x/text/unicode/norm"
	"pgregory.net/rapid"
)

func TestFold(t *testing.T) {
	same := []struct{ name, a, b string }{
		{"blank between family and given", "山田 太郎", "山田太郎"},
		{"ideographic blank", "山田　太郎", "山田太郎"},
		{"half-width katakana with dakuten", "ﾔﾏﾀﾞ", "やまだ"},
		{"full-width katakana", "ヤマダ", "やまだ"},
		{"vu", "ヴァイオリン", "ゔぁいおりん"},
		{"full-width Latin and digits", "ＡＢＣ１２３", "abc123"},
		{"accents", "Müller Ångström", "muller angstrom"},
		{"decomposed accent", "Mu\u0308ller", "müller"},
		{"sharp s", "Straße", "strasse"},
		{"Greek final sigma", "Σίσυφος", "σισυφοσ"},
		{"ladder high", "髙橋", "高橋"},
		{"standing saki", "山﨑", "山崎"},
		{"both old forms of nabe", "渡邊", "渡邉"},
		{"nabe of today", "渡辺", "渡邊"},
		{"sawa", "澤田", "沢田"},
		{"hama, two old forms", "濵田", "濱田"},
		{"hiro", "廣瀨", "広瀬"},
		{"sakura", "櫻井", "桜井"},
		{"koku", "國分", "国分"},
		{"sai of fasting", "齋藤", "斎藤"},
		{"sai of order", "齊藤", "斉藤"},
		{"yoshi with the long lower stroke", "𠮷野", "吉野"},
		{"variation selector", "葛\U000E0100城", "葛城"},
		{"compatibility ideograph", "\uFA19", "神"},
		{"long vowel, half-width", "ｻｰﾋﾞｽ", "さーびす"},
		{"circled and squared", "㈱介護", "(株)介護"},
		{"many hyphens", "1−2‐3－4", "1-2-3-4"},
		{"iteration mark of katakana", "サヽキ", "さゝき"},
		{"NUL and controls", "a\x00b\x1f", "ab"},
	}
	for _, tt := range same {
		t.Run(tt.name, func(t *testing.T) {
			if a, b := Fold(tt.a), Fold(tt.b); a != b {
				t.Errorf("Fold(%q) = %q, Fold(%q) = %q", tt.a, a, tt.b, b)
			}
		})
	}
	differ := []struct{ name, a, b string }{
		{"dakuten", "はは", "ばば"},
		{"handakuten", "はり", "ぱり"},
		{"long vowel", "おおの", "おーの"},
		{"long vowel written", "ゆうこ", "ゆこ"},
		{"small tsu", "はつとり", "はっとり"},
		{"two different sai", "斎藤", "斉藤"},
		{"different kanji", "太田", "大田"},
	}
	for _, tt := range differ {
		t.Run(tt.name, func(t *testing.T) {
			if Fold(tt.a) == Fold(tt.b) {
				t.Errorf("%q and %q fold to the same %q", tt.a, tt.b, Fold(tt.a))
			}
		})
	}
}

func TestFoldIsIdempotent(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.String().Draw(t, "s")
		once := Fold(s)
		if twice := Fold(once); twice != once {
			t.Fatalf("Fold(%q) = %q, again %q", s, once, twice)
		}
	})
}

// TestStable checks the short way against the whole table of NFKC.
func TestStable(t *testing.T) {
	for r := rune(1); r <= 0xffff; r++ {
		if s := string(r); stable(s) && r != 0x3000 && norm.NFKC.String(s) != s {
			t.Errorf("%U is not stable under NFKC", r)
		}
		if s := "か" + string(r) + "は"; stable(s) && r != 0x3000 && norm.NFKC.String(s) != s {
			t.Errorf("%U is not stable between others", r)
		}
	}
}

func TestVariantTable(t *testing.T) {
	for other, today := range Variants() {
		if _, ok := variants()[today]; ok {
			t.Errorf("%c folds to %c, which folds on", other, today)
		}
		if got := norm.NFKC.String(string(other)); got != string(other) {
			t.Errorf("%c (%U) is already folded by NFKC, to %s", other, other, got)
		}
		if got := norm.NFKC.String(string(today)); got != string(today) {
			t.Errorf("%c (%U) is not stable under NFKC", today, today)
		}
	}
	if n := len(variants()); n < 380 {
		t.Errorf("only %d variants", n)
	}
}

func BenchmarkFold(b *testing.B) {
	for _, s := range []string{"Heart rate", "山田　太郎", "ﾔﾏﾀﾞ ﾀﾛｳ"} {
		b.Run(s, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				Fold(s)
			}
		})
	}
}
