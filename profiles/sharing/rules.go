package sharing

// Rule is one sentence of the sources that changes what the marks of the
// matrix alone would give.
type Rule struct {
	Number string // "R1"
	En, Ja string
	Source string
}

// RuleByNumber finds a rule.
func RuleByNumber(number string) (Rule, bool) {
	for _, r := range rules {
		if r.Number == number {
			return r, true
		}
	}
	return Rule{}, false
}

// Rules returns the rules in order.
func Rules() []Rule { return append([]Rule(nil), rules...) }

var rules = []Rule{
	{"R1", "Information is shared form by form", "共有の単位は様式とする", "S1 §1(1)①"},
	{"R2", "For now certification, claims, LIFE and care plans are shared; other documents follow as they are standardised", "当面は要介護認定・請求給付・LIFE・ケアプランを対象とし、他は標準化に応じて追加する", "S1 §1(1)①"},
	{"R3", "Who makes or holds the information today keeps seeing it", "現在の作成・保有主体は引き続き閲覧できる", "S1 §1(1)②"},
	{"R4", "New actors are added only where sharing was shown to be useful", "新たな共有先は有用性が認められたものに限る", "S1 §1(1)②"},
	{"R5", "Only offices and institutions related to the person, by the person's consent, may see", "利用者が同意した、利用者に関係する事業所等に限り共有する", "S1 §1(1)②"},
	{"R6", "A municipality sees only the persons it insures", "保険者は自らの被保険者の情報に限り閲覧できる", "S1 §1(1)②"},
	{"R7", "In a disaster the municipality that takes in the evacuee sees as the insurer does", "災害避難時は避難先の保険者も閲覧できる", "S1 §1(1)②"},
	{"R8", "Prefectures see nothing for now", "都道府県への共有は当面行わない", "S1 §1(1)②"},
	{"R9", "Who sees it inside an office is for the office to decide", "事業所内の閲覧範囲は各事業所が判断する", "S1 §1(1)②"},
	{"R10", "The person sees the information unless what should be written would suffer", "利用者には、記載内容に影響する場合を除き共有する", "S1 §1(1)③"},
	{"R11", "The person is shown an understandable form, not the raw registration", "利用者には理解しやすい形で共有する", "S1 §1(1)③"},
	{"R12", "Family sees what the person sees unless the person refuses", "家族は、本人の拒否がない限り利用者と同様に扱う", "S1 §1(1)③"},
	{"R13", "The survey is not shown to the person", "認定調査票は利用者に共有しない", "S1 ①"},
	{"R14", "The person obtains the opinion through the physician", "主治医意見書は医師を通じて利用者に共有する", "S1 ②"},
	{"R15", "An opinion whose physician refused its use for care planning is not shared on the person's consent", "医師が同意しない主治医意見書は同意に基づく共有をしない", "S1 ②"},
	{"R16", "Burden cards are not shared with institutions that deliver no care service", "負担割合証等は介護サービスを提供しない医療機関に共有しない", "S1 ③"},
	{"R17", "The application is shared with nobody further", "要介護認定申請書は現在の作成・保有主体に限る", "S1 ④"},
	{"R18", "Claims are shared with nobody further", "請求・給付情報は現在の作成・保有主体に限る", "S1 ② claims"},
	{"R19", "LIFE is seen by its office and, with consent, by other offices; person and municipality get the feedback sheet", "LIFE情報は作成事業所と同意を得た事業所等、利用者・市区町村はフィードバック票", "S1 ③ LIFE"},
	{"R20", "Care plans go to municipalities for inspection and to institutions the person consented to", "ケアプランは点検を行う市区町村と同意を得た医療機関に共有する", "S1 ④ care plan"},
	{"R21", "Consent is taken once, at contract or application, for all information", "同意は契約時等に包括的に取得する", "S1 §2(1)"},
	{"R22", "Consent can be withdrawn, and single forms or offices refused", "同意の撤回と情報ごとの拒否ができる", "S1 §2(1)"},
	{"R23", "The purpose of consent must be clear to the person", "同意の目的を明確に説明する", "S1 §2(1)"},
	{"R24", "A legal representative may consent; the identity of who consents is checked", "法定代理人も同意でき、なりすましを防ぐため本人確認を行う", "S1 §2(2)"},
	{"R25", "For a person who cannot consent and has no representative there is no common rule", "同意できず代理人もいない場合の扱いは検討中", "S1 §2(2)"},
	{"R26", "Registering information needs no consent; viewing does", "登録に同意は不要、閲覧に同意が必要", "S4"},
	{"R27", "Care information is handled as medical information is", "介護情報は医療情報と同様に取り扱う", "S1 §3(1)"},
	{"R28", "The Internet may be used, encrypted", "暗号化したインターネット回線を利用できる", "S1 §3(2)"},
	{"R29", "Offices use a computer or a mobile with card reader", "事業所の端末と携帯端末を利用する", "S1 §3(2)"},
	{"R30", "Care information is kept about five years", "介護情報の保存期間は5年間を目安とする", "S1 §4(2)"},
	{"R31", "Delivered documents are deleted after receipt", "送付文書は受領後に消去する", "S1 §4(2)"},
	{"R32", "Unreceived documents are kept about six months", "未受領の文書は6か月程度保存する", "S1 §4(2)"},
	{"R33", "Laboratory results are kept one year", "検査結果は1年間保存する", "S1 §4(2)"},
	{"R34", "The platform holds named data, the care database anonymised data", "介護情報基盤は顕名、介護DBは匿名の情報を保有する", "S1 §5(1)"},
	{"R35", "Free text does not enter the care database", "自由記載は介護DBに収集しない", "S0"},
	{"R36", "In an emergency information may be seen without consent", "緊急時は同意によらず閲覧できる", "S0"},
}
