package life

// barthelItems are the items of the Barthel Index in the order of LIFE, with
// the points of each answer (LIFE's own: 整容 and 入浴 give 0, 0, 5) and the
// codes of LOINC's panel 96761-2.
var barthelItems = []struct {
	id, name, answers string
	points            []int // by the written code 0, 1, 2, …
	loinc, display    string
}{
	{"barthel_index_meal", "食事", "help", []int{0, 5, 10}, "83184-2", "Feeding"},
	{"barthel_transfer", "椅子とベッド間の移乗", "transfer", []int{0, 5, 10, 15}, "83185-9", "Transfers"},
	{"barthel_index_personal_hygiene_and_adjustment", "整容", "help", []int{0, 0, 5}, "96767-9", "Grooming"},
	{"barthel_index_toilet_activity", "トイレ動作", "help", []int{0, 5, 10}, "83183-4", "Toilet use"},
	{"barthel_index_bathing", "入浴", "help", []int{0, 0, 5}, "83181-8", "Bathing"},
	{"barthel_index_flat_ground_walking", "平地歩行", "walking", []int{0, 5, 10, 15}, "83186-7", "Mobility"},
	{"barthel_index_stair_movement", "階段昇降", "help", []int{0, 5, 10}, "96758-8", "Stairs"},
	{"barthel_index_changing_clothes", "更衣", "help", []int{0, 5, 10}, "83182-6", "Dressing"},
	{"barthel_index_defecation_manage", "排便コントロール", "help", []int{0, 5, 10}, "96759-6", "Bowels"},
	{"barthel_index_urination_manage", "排尿コントロール", "help", []int{0, 5, 10}, "96760-4", "Bladder"},
}

// dbdItems are the questions of DBD13, answered 0 (never) to 4 (always).
var dbdItems = []string{
	"同じことを何度も何度も聞く", "よく物をなくしたり、置き場所を間違えたり、隠したりする", "日常的な物事に関心を示さない", "特別な事情がないのに夜中起き出す",
	"特別な根拠もないのに人に言いがかりをつける", "昼間、寝てばかりいる", "やたらに歩きまわる", "同じ動作をいつまでも繰り返す", "口汚くののしる",
	"場違いあるいは季節に合わない不適切な服装をする", "世話をされるのを拒否する", "物を貯め込む", "引き出しや箪笥の中身をみんな出してしまう",
}

// vitalityItems are the items of the Vitality Index, 0 to 2 points each.
var vitalityItems = []struct{ name, answers string }{
	{"起床", "waking"}, {"意思疎通", "communication"}, {"食事（意欲）", "eating"}, {"排せつ", "excretion"}, {"リハビリ、活動", "rehabilitation"},
}
