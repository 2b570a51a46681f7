//! 药品追溯单据 (handbook §4.3): the bills of the large third-party platforms, each with its type, its
//! number and the codes it moves.

use crate::{Fault, Flat, Form, MessageError, Read, flat::read_all, record::record};

/// 单据类型
pub const BILL_TYPES: &[(&str, &str)] = &[
    ("101", "生产入库"),
    ("102", "采购入库"),
    ("103", "退货入库"),
    ("104", "调拨入库"),
    ("106", "零头入库"),
    ("107", "供应入库"),
    ("108", "召回入库"),
    ("110", "赠品入库"),
    ("111", "盘盈入库"),
    ("112", "报废入库"),
    ("113", "其他入库"),
    ("116", "消费者退货入库"),
    ("201", "销售出库"),
    ("202", "退货出库"),
    ("203", "调拨出库"),
    ("204", "返工出库"),
    ("205", "销毁出库"),
    ("206", "抽检出库"),
    ("207", "直调出库"),
    ("208", "生产出库"),
    ("209", "供应出库"),
    ("211", "召回出库"),
    ("212", "赠品出库"),
    ("214", "盘亏出库"),
    ("215", "损坏出库"),
    ("216", "报废出库"),
    ("217", "其他出库"),
    ("237", "直调退货"),
    ("321", "零售出库"),
    ("322", "疫苗接种"),
];

/// 药品类别
pub const DRUG_KINDS: &[(&str, &str)] = &[("2", "特药"), ("3", "普药")];

const QUALITY: &[(&str, &str)] =
    &[("qualified", "合格"), ("pending", "待验"), ("rejected", "不合格")];
const STORAGE: &[(&str, &str)] = &[
    ("cold", "冷藏 2–8 ℃"),
    ("cool", "阴凉 ≤ 20 ℃"),
    ("room", "常温 10–30 ℃"),
    ("frozen", "冷冻 ≤ −15 ℃"),
];
const CAUSES: &[(&str, &str)] = &[
    ("expired", "超过有效期"),
    ("failed", "检验不合格"),
    ("recalled", "召回"),
    ("damaged", "损坏"),
    ("returned", "退货"),
    ("other", "其他"),
];
const METHODS: &[(&str, &str)] = &[("destroy", "销毁"), ("harmless", "无害化处理")];

record! {
    /// 单据
    Bill, "bill", {
        bill_no: String, Form::Text(50), "单据号";
        bill_type: String, Form::List(BILL_TYPES), "单据类型";
        bill_time: String, Form::Moment, "单据时间";
        enterprise_id: String, Form::Party, "上报企业代码";
        owner_id: Option<String>, Form::Party, "货主代码";
        from_id: Option<String>, Form::Party, "发货企业代码";
        from_name: Option<String>, Form::Text(60), "发货企业";
        to_id: Option<String>, Form::Party, "收货企业代码";
        to_name: Option<String>, Form::Text(60), "收货企业";
        drug_kind: Option<String>, Form::List(DRUG_KINDS), "药品类别";
        codes: Vec<String>, Form::Code(40), "追溯码";
        unit: Option<String>, Form::Text(10), "每个追溯码的计量单位";
        voucher_no: Option<String>, Form::Text(50), "随货同行单号";
        batch_no: Option<String>, Form::Text(50), "产品批号";
        produced_on: Option<String>, Form::Day, "生产日期";
        expires_on: Option<String>, Form::Day, "有效期至";
        quality_state: Option<String>, Form::List(QUALITY), "质量状态";
        storage: Option<String>, Form::List(STORAGE), "储运条件";
        temperature_min: Option<String>, Form::Text(10), "最低温度（℃）";
        temperature_max: Option<String>, Form::Text(10), "最高温度（℃）";
        humidity_percent: Option<String>, Form::Decimal, "相对湿度（%）";
        record_interval_minutes: Option<String>, Form::Whole(1440), "记录间隔（分钟）";
        deviation: Option<String>, Form::Text(200), "偏差处置说明";
        reason: Option<String>, Form::Text(100), "原因";
        recall_no: Option<String>, Form::Text(50), "召回通知编号";
        cause: Option<String>, Form::List(CAUSES), "处置原因";
        method: Option<String>, Form::List(METHODS), "处置方式";
        witness: Option<String>, Form::Text(20), "监督人";
        product: Option<String>, Form::Text(60), "产品代码";
        material_code: Option<String>, Form::Code(64), "所用原料的追溯码";
        material_quantity: Option<String>, Form::Amount, "所用原料数量";
        material_unit: Option<String>, Form::Text(10), "所用原料计量单位";
        holder: Option<String>, Form::Text(60), "上市许可持有人";
        maker: Option<String>, Form::Text(60), "生产企业";
        common_name: Option<String>, Form::Text(60), "药品通用名";
        dosage_form: Option<String>, Form::Text(40), "剂型";
        strength: Option<String>, Form::Text(40), "规格";
        package_spec: Option<String>, Form::Text(40), "包装规格";
        approval_no: Option<String>, Form::Text(20), "批准文号";
        identifier: Option<String>, Form::Text(7), "药品标识码";
        lot_release_no: Option<String>, Form::Text(40), "批签发证明编号";
        prescription: Option<String>, Form::Flag, "是否处方药";
        prescription_no: Option<String>, Form::Text(40), "处方编号";
        physician: Option<String>, Form::Text(20), "医师";
        patient: Option<String>, Form::Text(20), "患者";
        pharmacist: Option<String>, Form::Text(20), "审方药师";
        settled: Option<String>, Form::Flag, "医保结算是否核对追溯码";
        site: Option<String>, Form::Text(60), "接种单位";
        recipient: Option<String>, Form::Text(20), "受种者";
        dose_number: Option<String>, Form::Whole(20), "剂次";
        vaccinator: Option<String>, Form::Text(20), "接种人员";
    }
}

impl Bill {
    /// What its type is called.
    pub fn type_label(&self) -> &'static str {
        let found = BILL_TYPES.iter().find(|(code, _)| *code == self.bill_type);
        found.map_or("", |(_, label)| label)
    }
}

/// Reads the bills of a message.
pub fn read(bytes: &[u8]) -> Result<Vec<Read<Bill>>, MessageError> {
    read_all(bytes, Bill::NAME, of)
}

/// Why goods of a kind have no such code: of 药品追溯码 of 20 digits those of 特药, and no others, begin with
/// 89. Of codes of other makes nothing is known.
fn unlike(code: &str, kind: &str) -> Option<String> {
    let is_drug = code.len() == 20 && code.bytes().all(|byte| byte.is_ascii_digit());
    let special = code.starts_with("89");
    match kind {
        _ if !is_drug => None,
        "3" if special => Some(format!("药品类别：追溯码 {code} 属特药，应为 2 特药")),
        "2" if !special => Some(format!(
            "药品类别：特药的追溯码应以 89 开头，{code} 不是，应为 3 普药或更正追溯码"
        )),
        _ => None,
    }
}

/// Reads one bill.
pub fn of(flat: &Flat) -> Result<Bill, Vec<Fault>> {
    let bill = Bill::of(flat)?;
    let mut faults = Vec::new();
    if bill.codes.is_empty() {
        faults.push(Fault::new("codes", "追溯码：至少一个"));
    }
    let mut seen = std::collections::BTreeSet::new();
    if let Some(twice) = bill.codes.iter().find(|code| !seen.insert(code.as_str())) {
        faults.push(Fault::new("codes", format!("追溯码：{twice} 在单据中重复")));
    }
    if let Some(kind) = &bill.drug_kind
        && let Some(detail) = bill.codes.iter().find_map(|code| unlike(code, kind))
    {
        faults.push(Fault::new("drug_kind", detail));
    }
    if faults.is_empty() { Ok(bill) } else { Err(faults) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_recorded_samples_say_the_same_in_both_notations() {
        let xml = read(include_bytes!("../samples/drug-bill.xml")).unwrap();
        let json = read(include_bytes!("../samples/drug-bill.json")).unwrap();
        let bills = |read: &[Read<Bill>]| {
            read.iter().map(|one| one.record.clone().unwrap()).collect::<Vec<_>>()
        };
        assert_eq!(bills(&xml), bills(&json));
        assert_eq!((xml.len(), bills(&xml)[0].codes.len()), (2, 2));
    }

    #[test]
    fn a_bill_says_what_it_moves_once_and_as_what_it_is() {
        let bill = |codes: &str, kind: &str| {
            let text = format!(
                r#"{{"bill_no":"示例-1","bill_type":"101","bill_time":"2026-11-01","enterprise_id":"6101160010001","drug_kind":"{kind}","codes":{codes}}}"#
            );
            read(text.as_bytes()).unwrap().remove(0).record
        };
        assert!(bill(r#"["81234560000000000001"]"#, "3").is_ok());
        let word = |codes: &str| bill(codes, "3").unwrap_err()[0].detail.clone();
        assert!(word("[]").contains("至少一个"));
        assert!(word(r#"["81","81"]"#).contains("重复"));
        assert!(word(r#"["89234560000000000001"]"#).contains("应为 2 特药"));
        assert!(bill(r#"["89234560000000000001"]"#, "2").is_ok());
        let wrong = bill(r#"["81234560000000000001"]"#, "2").unwrap_err();
        assert!(wrong[0].detail.contains("应以 89 开头"));
        // Codes of other makes say nothing of the kind.
        assert!(bill(r#"["(01)06901234567892(21)A1"]"#, "2").is_ok());
        assert!(bill(r#"["81"]"#, "4").unwrap_err()[0].detail.contains("2 特药、3 普药"));
    }

    #[test]
    fn the_types_are_movement_types() {
        for (code, label) in BILL_TYPES {
            let known = yj_model::Movement::ALL.iter().find(|movement| movement.code == *code);
            assert_eq!(known.map(|movement| movement.label), Some(*label), "{code}");
        }
        assert_eq!(BILL_TYPES.len(), yj_model::Movement::ALL.len());
    }
}
