package samples_test

import "fmt"

// users are the rows of SERVICE_USER_INFO: those who attend the day care.
func users() []values {
	common := values{"care_facility_id": dayCare.Number, "service_code": "15", "insurer_no": insurerNumber, "version": "0310"}
	return []values{
		common.with(values{"external_system_management_number": "U-0001", "insured_no": hanako.Insured, "last_name": "見本", "first_name": "花子", "last_name_kana": "ﾐﾎﾝ", "first_name_kana": "ﾊﾅｺ",
			"gender": "2", "birthday": "19430305", "certified_date": "20260401", "care_period_start": "20260401", "care_period_end": "20280331", "care_level": "22", "start_date": "20240501"}),
		common.with(values{"external_system_management_number": "U-0002", "insured_no": taro.Insured, "last_name": "試験", "first_name": "太郎", "last_name_kana": "ｼｹﾝ", "first_name_kana": "ﾀﾛｳ",
			"gender": "1", "birthday": "19380720", "certified_date": "20260315", "care_period_start": "20260401", "care_period_end": "20270331", "care_level": "23", "start_date": "20250601"}),
		common.with(values{"external_system_management_number": "U-0003", "insured_no": fumi.Insured, "last_name": "例示", "first_name": "ふみ", "last_name_kana": "ﾚｲｼﾞ", "first_name_kana": "ﾌﾐ",
			"gender": "2", "birthday": "19510228", "certified_date": "20260401", "care_period_start": "20260401", "care_period_end": "20270331", "care_level": "21", "start_date": "20260415"}),
	}
}

// adl spreads ten digits over the items of the Barthel Index.
func adl(digits string) values {
	items := []string{"meal", "", "personal_hygiene_and_adjustment", "toilet_activity", "bathing", "flat_ground_walking", "stair_movement", "changing_clothes", "defecation_manage", "urination_manage"}
	v := values{}
	for i, d := range digits {
		id := "barthel_index_" + items[i]
		if i == 1 {
			id = "barthel_transfer"
		}
		v[id] = string(d)
	}
	return v
}

// mind spreads digits over DBD13 and the Vitality Index.
func mind(dbd, vitality string) values {
	v := values{}
	for i, d := range dbd {
		v[fmt.Sprintf("dbd13_%02d", i+1)] = string(d)
	}
	for i, d := range vitality {
		v[fmt.Sprintf("vitality_index_%02d", i+1)] = string(d)
	}
	return v
}

// promotions are the rows of 科学的介護推進; 花子 has two evaluations.
func promotions() []values {
	common := values{
		"care_facility_id": dayCare.Number, "service_code": "15", "insurer_no": insurerNumber, "facility_outpatient_category": "2", "record_staff_job_category": "170",
		"family_02": "0", "family_03": "0", "family_other": "0", "remote_working": "1", "food_form_ingestion": "2", "is_need_swallowing_adjusted_food": "0", "meal_form": "50", "thickening": "0",
		"is_serum_albumin_value": "0", "bedsore": "0", "visit_services_01": "0", "visit_services_02": "1", "visit_services_03": "0", "aspiration_pneumonitis_flag": "0", "diagnosis_of_dementia_flag": "0",
	}
	dated := func(day string) values {
		return values{"evaluate_date": day, "adl_evaluate": day, "nutrition_evalaute_date": day, "aspiration_pneumonitis_evaluate": day}
	}
	return []values{
		common.with(dated("20251101")).with(adl("2311011122")).with(mind("2110001000000", "21222")).with(values{
			"insured_no": hanako.Insured, "external_system_management_number": "R-2025-11-0001", "filing_staff": "模範　愛", "impaired_elderly_independence_degree": "4", "dementia_elderly_independence_degree": "3",
			"family_01": "0", "height": "148.5", "weight": "47.0", "low_operating_risk_level": "1", "diagnosis_of_dementia_flag": "1", "diagnosis_of_dementia_date": "20230610", "diagnosis_of_dementia_01": "1"}),
		common.with(dated("20260501")).with(adl("2322021122")).with(mind("2110001000000", "22222")).with(values{
			"insured_no": hanako.Insured, "external_system_management_number": "R-2026-05-0001", "last_evaluate_date": "20251101", "filing_staff": "模範　愛", "impaired_elderly_independence_degree": "4", "dementia_elderly_independence_degree": "3",
			"family_01": "0", "height": "148.5", "weight": "46.2", "low_operating_risk_level": "2", "is_serum_albumin_value": "1", "serum_albumin_value": "3.6", "diagnosis_of_dementia_flag": "1", "diagnosis_of_dementia_date": "20230610", "diagnosis_of_dementia_01": "1"}),
		common.with(dated("20260501")).with(adl("1110010111")).with(mind("0010020000000", "11211")).with(values{
			"insured_no": taro.Insured, "external_system_management_number": "R-2026-05-0002", "impaired_elderly_independence_degree": "6", "dementia_elderly_independence_degree": "2",
			"family_01": "1", "family_02": "1", "family_nursing_time": "1", "height": "162.0", "weight": "58.0", "low_operating_risk_level": "1", "thickening": "1", "visit_services_03": "1"}),
		common.with(dated("20260508")).with(adl("232222222")).with(values{
			"insured_no": fumi.Insured, "external_system_management_number": "R-2026-05-0003", "impaired_elderly_independence_degree": "3", "dementia_elderly_independence_degree": "1",
			"family_01": "0", "height": "151.0", "weight": "41.0", "low_operating_risk_level": "2", "vitality_index_02": "2"}),
	}
}
