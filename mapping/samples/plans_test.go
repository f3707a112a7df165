package samples_test

// planKey are the columns every row of a plan begins with.
func planKey(insured, planned string) values {
	return values{"version": "202407", "insurer": insurerNumber, "insured": insured, "planned": planned}
}

// supplements are the rows of UPHOSOKU.
func supplements() []values {
	common := values{"certification": "2", "month": "000000", "postal": "999-0001", "limit-start": "20260401"}
	return []values{
		common.with(planKey(hanako.Insured, "20260405")).with(values{
			"kana": "ミホン　ハナコ", "name": hanako.Name, "gender": "2", "birth": "19430305", "address-1": cityAddress, "address-2": "中央１－２－３",
			"phone": "098-000-0101", "certified": "20260401", "limit-end": "20280331", "level": "22", "limit": "19705",
		}),
		common.with(planKey(taro.Insured, "20260401")).with(values{
			"kana": "シケン　タロウ", "name": taro.Name, "gender": "1", "birth": "19380720", "address-1": cityAddress, "address-2": "港町４－５",
			"phone": "098-000-0102", "certified": "20260315", "limit-end": "20270331", "level": "23", "limit": "27048",
			"service-1": "17", "service-limit-1": "3000",
		}),
		common.with(planKey(fumi.Insured, "20260410")).with(values{
			"kana": "レイジ　フミ", "name": fumi.Name, "gender": "2", "birth": "19510228", "address-1": cityAddress, "address-2": "西原６－７ みほん荘２０２号",
			"certified": "20260401", "limit-end": "20270331", "level": "21", "limit": "16765",
		}),
	}
}

// firstSheets are the rows of UP1KYO.
func firstSheets() []values {
	common := values{
		"postal": "999-0001", "address-1": cityAddress, "manager": "手本　恵", "office-name": manager.Name, "office": manager.Number,
		"office-postal": "999-0002", "office-address-1": cityAddress + "中央２－１", "certification": "2", "updater": manager.Number,
	}
	return []values{
		common.with(planKey(hanako.Insured, "20260405")).with(values{
			"made": "20260405", "address-2": "中央１－２－３", "first": "20240415", "kind": "21", "certified": "20260401", "start": "20260401", "end": "20280331", "level": "22",
			"analysis":  "本人：膝は痛むが、住み慣れた家で暮らし続けたい。\n長女：日中ひとりなので転ばないか心配。\n歩行と入浴に手助けがあれば在宅生活を続けられる。",
			"committee": "転倒の予防に配慮し、通所介護の利用が望まれる。",
			"policy":    "転倒を防ぎながら、\"自分でできること\"を続けられるよう支援します。\n緊急時は長女（近隣在住）、みほん総合病院に連絡します。", "housekeeping": "1",
		}),
		common.with(planKey(taro.Insured, "20260401")).with(values{
			"made": "20260401", "address-2": "港町４－５", "first": "20220110", "kind": "21", "certified": "20260315", "start": "20260401", "end": "20270331", "level": "23",
			"analysis": "本人：妻に負担をかけず自宅で過ごしたい。\n妻：移乗の介助で腰を痛めた。", "policy": "移乗と入浴を支援し、妻の介護負担を軽くします。", "housekeeping": "2",
		}),
		common.with(planKey(fumi.Insured, "20260410")).with(values{
			"made": "20260410", "address-2": "西原６－７ みほん荘２０２号", "first": "20260410", "kind": "11", "certified": "20260401", "start": "20260401", "end": "20270331", "level": "21",
			"analysis": "本人：息切れはあるが、外に出て人と話したい。", "policy": "無理のない活動と栄養の改善を支援します。",
		}),
	}
}

// secondSheets are the rows of UP2KYO.
func secondSheets() []values {
	h := planKey(hanako.Insured, "20260405").with(values{"made": "20260405", "updater": manager.Number, "period": "令和8年4月～令和8年9月", "insured-service": "Y"})
	h1 := h.with(values{"need-no": "1", "need": "転ばずに家の中と近所を歩きたい", "goal-no": "1", "long": "近所の店まで歩いて買い物に行ける", "short": "屋内を杖で安全に歩ける",
		"long-period": "令和8年4月～令和9年3月", "short-period": "令和8年4月～令和8年9月"})
	t := planKey(taro.Insured, "20260401").with(values{"made": "20260401", "updater": manager.Number, "period": "令和8年4月～令和8年9月", "insured-service": "Y",
		"need-no": "1", "need": "安全に移乗し、清潔を保ちたい", "goal-no": "1", "long": "介助を受けて車いすで過ごせる", "short": "週3回清拭または入浴ができる",
		"long-period": "令和8年4月～令和9年3月", "short-period": "令和8年4月～令和8年9月"})
	f := planKey(fumi.Insured, "20260410").with(values{"made": "20260410", "updater": manager.Number, "period": "令和8年4月～令和8年9月", "insured-service": "Y",
		"need-no": "1", "need": "息切れを抑えて外出したい", "goal-no": "1", "long": "週1回は外出を楽しめる", "short": "休みながら10分歩ける",
		"long-period": "令和8年4月～令和9年3月", "short-period": "令和8年4月～令和8年9月"})
	return []values{
		h1.with(values{"service-no": "1", "service": "下肢筋力訓練、歩行訓練", "service-kind": "通所介護", "provider": dayCare.Number, "provider-name": dayCare.Name, "frequency": "週2回"}),
		h1.with(values{"service-no": "2", "service": "歩行器の貸与", "service-kind": "福祉用具貸与", "frequency": "常時", "provider-name": "みほん福祉用具"}),
		h.with(values{"need-no": "2", "need": "きれいな部屋で過ごしたい", "goal-no": "1", "long": "掃除を続けられる", "short": "ヘルパーと一緒に掃除ができる",
			"long-period": "令和8年4月～令和9年3月", "short-period": "令和8年4月～令和8年9月",
			"service-no": "1", "service": "掃除、買い物の支援", "service-kind": "訪問介護", "provider": homeHelp.Number, "provider-name": homeHelp.Name, "frequency": "週1回"}),
		h.with(values{"need-no": "2", "goal-no": "1", "service-no": "2", "service": "ゴミ出しの声かけ", "service-kind": "近隣の見守り", "insured-service": "N", "frequency": "随時", "provider-name": "町内会"}),
		t.with(values{"service-no": "1", "service": "移乗介助、清拭", "service-kind": "訪問介護", "provider": homeHelp.Number, "provider-name": homeHelp.Name, "frequency": "週3回"}),
		t.with(values{"service-no": "2", "service": "血糖の観察、皮膚の観察", "service-kind": "訪問看護", "provider": hospital.Number, "provider-name": hospital.Name, "frequency": "週1回"}),
		f.with(values{"service-no": "1", "service": "呼吸体操、栄養相談", "service-kind": "通所介護", "provider": dayCare.Number, "provider-name": dayCare.Name, "frequency": "週1回"}),
	}
}

// thirdSheets are the rows of UP3KYO.
func thirdSheets() []values {
	h := planKey(hanako.Insured, "20260405").with(values{"made": "20260405"})
	t := planKey(taro.Insured, "20260401").with(values{"made": "20260401"})
	f := planKey(fumi.Insured, "20260410").with(values{"made": "20260410"})
	return []values{
		h.with(values{"service": "通所介護", "weekday": "2", "from": "0930", "to": "1630"}),
		h.with(values{"service": "通所介護", "weekday": "5", "from": "0930", "to": "1630"}),
		h.with(values{"service": "訪問介護（生活援助）", "weekday": "3", "from": "1000", "to": "1045"}),
		h.with(values{"activity": "起床、朝食", "activity-from": "0630", "activity-to": "0800"}),
		h.with(values{"activity": "就寝", "activity-from": "2100", "activity-to": "0630"}),
		h.with(values{"other": "福祉用具貸与（歩行器）、月1回の通院"}),
		t.with(values{"service": "訪問介護（身体介護）", "weekday": "1", "from": "0900", "to": "0945"}),
		t.with(values{"service": "訪問介護（身体介護）", "weekday": "3", "from": "0900", "to": "0945"}),
		t.with(values{"service": "訪問介護（身体介護）", "weekday": "5", "from": "0900", "to": "0945"}),
		t.with(values{"service": "訪問看護", "weekday": "4", "from": "1400", "to": "1500"}),
		f.with(values{"service": "通所介護", "weekday": "4", "from": "0930", "to": "1230"}),
	}
}
