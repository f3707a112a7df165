package search

import (
	"iter"
	"maps"
	"sync"
)

// The groups below are written with the form of today first and the forms
// folded to it after. Nothing is here that NFKC already folds. The relation
// is equality for searching only: nothing stored is changed.

// joyoVariants are the forms in parentheses of the 常用漢字表 (Cabinet
// notification 2 of 2010), that is, the forms of the Kangxi dictionary, which
// the family register and older records still use. Many of them are also
// 人名用漢字 (別表第二 of the enforcement rules of the Family Register Act).
const joyoVariants = `
亜亞 悪惡 圧壓 囲圍 医醫 為爲 壱壹 隠隱 栄榮 営營 衛衞 駅驛 円圓 塩鹽 縁緣 艶艷 応應 欧歐 殴毆 桜櫻
奥奧 横橫 温溫 穏穩 仮假 価價 画畫 会會 壊壞 懐懷 絵繪 概槪 拡擴 殻殼 覚覺 学學 岳嶽 楽樂 渇渴 缶罐
巻卷 陥陷 勧勸 寛寬 関關 歓歡 観觀 気氣 既旣 帰歸 亀龜 偽僞 戯戲 犠犧 旧舊 拠據 挙擧 虚虛 峡峽 挟挾
狭狹 教敎 郷鄕 暁曉 区區 駆驅 勲勳 薫薰 径徑 茎莖 恵惠 掲揭 渓溪 経經 蛍螢 軽輕 継繼 鶏鷄 芸藝 撃擊
欠缺 研硏 県縣 倹儉 剣劍 険險 圏圈 検檢 献獻 権權 顕顯 験驗 厳嚴 戸戶 呉吳 娯娛 広廣 効效 恒恆 黄黃
鉱鑛 号號 国國 黒黑 済濟 砕碎 斎齋 剤劑 雑雜 参參 桟棧 蚕蠶 惨慘 賛贊 残殘 糸絲 歯齒 児兒 辞辭 湿濕
実實 写寫 釈釋 寿壽 収收 従從 渋澁 獣獸 縦縱 粛肅 処處 緒緖 叙敍 将將 称稱 渉涉 焼燒 証證 奨奬 条條
状狀 乗乘 浄淨 剰剩 畳疊 縄繩 壌壤 嬢孃 譲讓 醸釀 触觸 嘱囑 真眞 慎愼 寝寢 図圖 粋粹 酔醉 穂穗 随隨
髄髓 枢樞 数數 瀬瀨 声聲 斉齊 青靑 静靜 清淸 税稅 窃竊 摂攝 説說 絶絕 専專 浅淺 戦戰 践踐 銭錢 潜潛
繊纖 禅禪 双雙 壮壯 争爭 荘莊 捜搜 挿插 巣巢 曽曾 装裝 総總 騒騷 増增 蔵藏 臓臟 即卽 属屬 続續 堕墮
対對 体體 帯帶 滞滯 台臺 滝瀧 択擇 沢澤 脱脫 担擔 単單 胆膽 団團 断斷 弾彈 遅遲 痴癡 虫蟲 昼晝 鋳鑄
庁廳 聴聽 勅敕 鎮鎭 逓遞 鉄鐵 点點 転轉 伝傳 当當 党黨 盗盜 灯燈 稲稻 闘鬪 徳德 独獨 読讀 届屆 内內
弐貳 悩惱 脳腦 覇霸 拝拜 廃廢 売賣 麦麥 発發 髪髮 抜拔 蛮蠻 秘祕 浜濱 瓶甁 払拂 仏佛 併倂 並竝 餅餠
辺邊 変變 弁辨 弁瓣 弁辯 歩步 宝寶 豊豐 褒襃 頬頰 翻飜 毎每 万萬 満滿 麺麵 黙默 弥彌 訳譯 薬藥 与與
予豫 余餘 誉譽 揺搖 様樣 謡謠 来來 頼賴 乱亂 覧覽 竜龍 両兩 猟獵 緑綠 涙淚 塁壘 励勵 礼禮 霊靈 齢齡
暦曆 歴歷 恋戀 炉爐 労勞 郎郞 録錄 湾灣 湧涌 彦彥 産產 晩晚 刃刄 尚尙 姫姬 冊册 舎舍 巌巖 舗舖
`

// personalVariants are further pairs of the 人名用漢字 and of JIS X 0213 whose
// two forms are the same character: one is the 許容字体, simplified or printed
// form of the other.
const personalVariants = `
亘亙 凛凜 尭堯 槙槇 瑶瑤 遥遙 晃晄 桧檜 祢禰 晋晉 檪櫟 萌萠 蕊蘂 穣穰 竈竃 篭籠 薮藪 鴎鷗 蝋蠟 頚頸
鹸鹼 麹麴 侠俠 倶俱 剥剝 噛嚙 嘘噓 填塡 掴摑 掻搔 攅攢 涛濤 潅灌 焔焰 痩瘦 祷禱 箪簞 繋繫 莱萊 蒋蔣
醤醬 躯軀 迩邇 靭靱 鯵鰺 壷壺 曵曳 桑桒 芦蘆 蛎蠣 賎賤 鉤鈎 鴬鶯 砺礪 砿礦 桝枡 撹攪 昂昻
`

// nameVariants are the popular forms (俗字) of family and place names that the
// registers keep and that a user cannot be expected to type: circular 5202
// of the Ministry of Justice, 1990 (誤字俗字・正字一覧表), and the 人名外字
// of the vendors' extensions to JIS.
const nameVariants = `
高髙 崎﨑嵜 辺邉 浜濵 吉𠮷 柳栁 橋槗 島嶋嶌嶹 富冨 館舘 野埜 村邨 峰峯 淵渕渊 鶴靏靍鶮靎 徳悳 曽曾 土圡 翠翆 杯盃
煙烟 秋秌 船舩 松枩 梅楳 裏裡 節莭 勢㔟 喜㐂 隣鄰 園薗 柏栢
`

// variants maps each other form to the form of today.
var variants = sync.OnceValue(func() map[rune]rune {
	to := map[rune]rune{}
	for _, table := range []string{joyoVariants, personalVariants, nameVariants} {
		addVariants(to, table)
	}
	return to
})

func addVariants(to map[rune]rune, table string) {
	var head rune
	for _, r := range table {
		switch {
		case r == ' ' || r == '\n':
			head = 0
		case head == 0:
			head = r
		case r != head:
			to[r] = head
		}
	}
}

// Variants yields the pairs (other form, form of today) of the table of kanji
// variants that Fold applies.
func Variants() iter.Seq2[rune, rune] { return maps.All(variants()) }
