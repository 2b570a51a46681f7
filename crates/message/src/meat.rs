//! 肉类蔬菜流通追溯报文 (handbook §1.10): five messages of the technical rules of 2010, joined into
//! what happened: a trade, goods that came in, a sale.

use std::collections::BTreeMap;

use crate::{Fault, Flat, Form, MessageError, Read, flat::read_flat, record::record};

/// Letters of numbers that are given elsewhere: certificates, batches.
const NUMBER: Form = Form::Text(40);
const NAME: Form = Form::Text(60);

record! {
    /// 零售市场进场基本信息
    RetailIn, "retail_market_in_info_base", {
        retail_market_id: String, Form::Party, "零售市场编码";
        retail_market_name: Option<String>, NAME, "零售市场名称";
        in_date: String, Form::Moment, "进场日期";
        retailer_id: String, Form::Party, "零售商编码";
        retailer_name: Option<String>, NAME, "零售商名称";
        tran_id: String, Form::Code(40), "交易凭证号";
        quarantine_animal_products_id: Option<String>, NUMBER, "动物产品检疫合格证号";
        inspection_meat_id: Option<String>, NUMBER, "肉品品质检验合格证号";
        prov_id: Option<String>, NUMBER, "产地证明号";
        batch_id: Option<String>, Form::Code(30), "批次号";
    }
}

record! {
    /// 零售市场进场明细
    RetailInDetail, "retail_market_in_info_detail", {
        tran_id: String, Form::Code(40), "交易凭证号";
        quarantine_animal_products_id: Option<String>, NUMBER, "动物产品检疫合格证号";
        batch_id: Option<String>, Form::Code(30), "批次号";
        goods_code: String, Form::Code(12), "商品编码";
        goods_name: String, Form::Text(40), "商品名称";
        weight: String, Form::Amount, "重量（千克）";
        price: Option<String>, Form::Decimal, "单价（元/千克）";
        area_origin_id: Option<String>, Form::Text(12), "产地编码";
        area_origin_name: Option<String>, NAME, "产地名称";
        ws_supplier_id: Option<String>, Form::Party, "供货批发商编码";
        ws_supplier_name: Option<String>, NAME, "供货批发商名称";
    }
}

record! {
    /// 零售市场销售汇总
    RetailSale, "retail_market_tran_info_summ", {
        retail_market_id: String, Form::Party, "零售市场编码";
        retail_market_name: Option<String>, NAME, "零售市场名称";
        in_date: Option<String>, Form::Moment, "进场日期";
        sale_date: String, Form::Moment, "销售日期";
        retailer_id: String, Form::Party, "零售商编码";
        retailer_name: Option<String>, NAME, "零售商名称";
        position_id: Option<String>, Form::Text(20), "摊位号";
        tran_id: String, Form::Code(20), "交易凭证号";
        quarantine_animal_products_id: Option<String>, NUMBER, "动物产品检疫合格证号";
        batch_id: Option<String>, Form::Code(30), "批次号";
        goods_code: String, Form::Code(12), "商品编码";
        goods_name: String, Form::Text(40), "商品名称";
        weight: String, Form::Amount, "重量（千克）";
        price: Option<String>, Form::Decimal, "单价（元/千克）";
        sale_tran_id: String, Form::Code(20), "销售凭证号（追溯码）";
    }
}

record! {
    /// 超市进场信息
    SupermarketIn, "super_market_in_info_base", {
        supermarket_id: String, Form::Party, "超市编码";
        supermarket_name: Option<String>, NAME, "超市名称";
        in_date: String, Form::Moment, "进场日期";
        supplier_id: Option<String>, Form::Party, "供货商编码";
        supplier_name: Option<String>, NAME, "供货商名称";
        tran_id: String, Form::Code(40), "交易凭证号";
        quarantine_animal_products_id: Option<String>, NUMBER, "动物产品检疫合格证号";
        inspection_meat_id: Option<String>, NUMBER, "肉品品质检验合格证号";
        prov_id: Option<String>, NUMBER, "产地证明号";
        quarantine_vege_id: Option<String>, NUMBER, "蔬菜检测合格证号";
        batch_id: Option<String>, Form::Code(30), "批次号";
    }
}

record! {
    /// 批发市场交易明细
    MarketTrade, "market_tran_info_detail", {
        market_id: String, Form::Party, "批发市场编码";
        market_name: Option<String>, NAME, "批发市场名称";
        tran_date: String, Form::Moment, "交易日期";
        ws_supplier_id: String, Form::Party, "批发商编码";
        ws_supplier_name: Option<String>, NAME, "批发商名称";
        retailer_id: Option<String>, Form::Party, "购买方编码";
        retailer_name: Option<String>, NAME, "购买方名称";
        tran_id: String, Form::Code(20), "交易凭证号";
        quarantine_animal_products_id: Option<String>, NUMBER, "动物产品检疫合格证号";
        batch_id: String, Form::Code(30), "批次号";
        goods_code: String, Form::Code(12), "商品编码";
        goods_name: String, Form::Text(40), "商品名称";
        weight: String, Form::Amount, "重量（千克）";
        price: Option<String>, Form::Decimal, "单价（元/千克）";
        dest: Option<String>, NAME, "销往地";
    }
}

/// Names of the five messages.
pub const NAMES: [&str; 5] = [
    RetailIn::NAME,
    RetailInDetail::NAME,
    RetailSale::NAME,
    SupermarketIn::NAME,
    MarketTrade::NAME,
];

/// One record of one of the five messages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MeatRecord {
    /// 零售市场进场基本信息
    RetailIn(RetailIn),
    /// 零售市场进场明细
    RetailInDetail(RetailInDetail),
    /// 零售市场销售汇总
    RetailSale(RetailSale),
    /// 超市进场信息
    SupermarketIn(SupermarketIn),
    /// 批发市场交易明细
    MarketTrade(MarketTrade),
}

impl MeatRecord {
    /// Reads a record by the name of its message.
    pub fn of(flat: &Flat) -> Result<Self, Vec<Fault>> {
        Ok(match flat.name.as_str() {
            RetailIn::NAME => Self::RetailIn(RetailIn::of(flat)?),
            RetailInDetail::NAME => Self::RetailInDetail(RetailInDetail::of(flat)?),
            RetailSale::NAME => Self::RetailSale(RetailSale::of(flat)?),
            SupermarketIn::NAME => Self::SupermarketIn(SupermarketIn::of(flat)?),
            MarketTrade::NAME => Self::MarketTrade(MarketTrade::of(flat)?),
            other => {
                let detail = match other {
                    "" => format!(
                        "没有写明是哪一种报文：XML 以元素名、JSON 以字段 message 写明，应为：{}",
                        NAMES.join("、")
                    ),
                    _ => format!("没有 {other} 这种报文，应为：{}", NAMES.join("、")),
                };
                return Err(vec![Fault::new("", detail)]);
            }
        })
    }

    /// As it is sent.
    pub fn flat(&self, number: usize) -> Flat {
        match self {
            Self::RetailIn(record) => record.flat(number),
            Self::RetailInDetail(record) => record.flat(number),
            Self::RetailSale(record) => record.flat(number),
            Self::SupermarketIn(record) => record.flat(number),
            Self::MarketTrade(record) => record.flat(number),
        }
    }
}

/// What happened, from all the records that tell of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Happening {
    /// 批发交易, one voucher.
    Trade(Vec<MarketTrade>),
    /// 零售市场进场, one voucher with its goods.
    Arrival(RetailIn, Vec<RetailInDetail>),
    /// 超市进场
    SupermarketArrival(SupermarketIn),
    /// 零售, one voucher.
    Sale(Vec<RetailSale>),
}

/// A happening and the numbers of the records that tell of it; or what is wrong with them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Joined {
    /// Numbers of the records in the message.
    pub records: Vec<usize>,
    /// The records as they came.
    pub flats: Vec<Flat>,
    /// What they tell.
    pub told: Result<Happening, Vec<Fault>>,
}

/// Reads a message.
pub fn read(bytes: &[u8]) -> Result<Vec<Read<MeatRecord>>, MessageError> {
    let one = |flat: Flat| Read { record: MeatRecord::of(&flat), flat };
    Ok(read_flat(bytes, &NAMES)?.into_iter().map(one).collect())
}

/// Reads a message and joins its records by their vouchers.
pub fn read_joined(bytes: &[u8]) -> Result<Vec<Joined>, MessageError> {
    read(bytes).map(join)
}

/// What records belong together: of the arrivals base and details by `tran_id`, of the trades and the
/// sales those of one voucher.
fn key(flat: &Flat) -> (&'static str, String) {
    let of = |name| String::from(flat.get(name).unwrap_or_default().trim());
    match flat.name.as_str() {
        RetailIn::NAME | RetailInDetail::NAME => ("arrival", of("tran_id")),
        RetailSale::NAME => ("sale", of("sale_tran_id")),
        SupermarketIn::NAME => {
            ("supermarket", format!("{}/{}", of("supermarket_id"), of("tran_id")))
        }
        MarketTrade::NAME => ("trade", of("tran_id")),
        _ => ("", format!("{}", flat.number)),
    }
}

/// Joins records by their vouchers, in the order of the first of each.
pub fn join(read: Vec<Read<MeatRecord>>) -> Vec<Joined> {
    let mut groups: Vec<Vec<Read<MeatRecord>>> = Vec::new();
    let mut known: BTreeMap<(&'static str, String), usize> = BTreeMap::new();
    for one in read {
        let key = key(&one.flat);
        // Without a voucher it belongs to nothing.
        let at = if key.1.is_empty() { None } else { known.get(&key).copied() };
        if let Some(group) = at.and_then(|at| groups.get_mut(at)) {
            group.push(one);
        } else {
            known.insert(key, groups.len());
            groups.push(vec![one]);
        }
    }
    groups.into_iter().map(joined).collect()
}

fn joined(group: Vec<Read<MeatRecord>>) -> Joined {
    let records = group.iter().map(|one| one.flat.number).collect();
    let flats: Vec<Flat> = group.iter().map(|one| one.flat.clone()).collect();
    let (mut sound, mut faults) = (Vec::new(), Vec::new());
    let several = group.len() > 1;
    for one in group {
        match one.record {
            Ok(record) => sound.push(record),
            Err(found) => faults.extend(found.into_iter().map(|fault| {
                let detail = if several {
                    format!("第 {} 条记录：{}", one.flat.number, fault.detail)
                } else {
                    fault.detail
                };
                Fault { field: fault.field, detail }
            })),
        }
    }
    let told = if faults.is_empty() { happening(sound) } else { Err(faults) };
    Joined { records, flats, told }
}

fn happening(records: Vec<MeatRecord>) -> Result<Happening, Vec<Fault>> {
    let (mut bases, mut details, mut supermarkets) = (Vec::new(), Vec::new(), Vec::new());
    let (mut sales, mut trades) = (Vec::new(), Vec::new());
    for record in records {
        match record {
            MeatRecord::RetailIn(record) => bases.push(record),
            MeatRecord::RetailInDetail(record) => details.push(record),
            MeatRecord::SupermarketIn(record) => supermarkets.push(record),
            MeatRecord::RetailSale(record) => sales.push(record),
            MeatRecord::MarketTrade(record) => trades.push(record),
        }
    }
    if let Some(first) = trades.first() {
        one_of("ws_supplier_id", "批发商", trades.iter().map(|one| &one.ws_supplier_id))?;
        one_of("tran_date", "交易日期", trades.iter().map(|one| &one.tran_date))?;
        one_of("retailer_id", "购买方", trades.iter().map(|one| &one.retailer_id))?;
        each_once(&first.tran_id, trades.iter().map(|one| one.goods_code.as_str()))?;
        return Ok(Happening::Trade(trades));
    }
    if let Some(first) = sales.first() {
        one_of("retailer_id", "零售商", sales.iter().map(|one| &one.retailer_id))?;
        one_of("sale_date", "销售日期", sales.iter().map(|one| &one.sale_date))?;
        each_once(&first.sale_tran_id, sales.iter().map(|one| one.goods_code.as_str()))?;
        return Ok(Happening::Sale(sales));
    }
    if let Some(first) = supermarkets.pop() {
        if !supermarkets.is_empty() {
            return Err(vec![Fault::new("tran_id", "同一超市的同一交易凭证号在报文中重复")]);
        }
        return Ok(Happening::SupermarketArrival(first));
    }
    let Some(base) = bases.pop() else {
        let voucher = details.first().map(|one| one.tran_id.clone()).unwrap_or_default();
        let detail = format!(
            "没有交易凭证号为 {voucher} 的进场基本信息，{} 应与 {} 在同一报文中",
            RetailInDetail::NAME,
            RetailIn::NAME
        );
        return Err(vec![Fault::new("tran_id", detail)]);
    };
    if !bases.is_empty() {
        let detail = format!("交易凭证号 {} 的进场基本信息重复", base.tran_id);
        return Err(vec![Fault::new("tran_id", detail)]);
    }
    if details.is_empty() {
        let detail = format!(
            "没有交易凭证号为 {} 的进场明细，{} 应与其全部 {} 在同一报文中",
            base.tran_id,
            RetailIn::NAME,
            RetailInDetail::NAME
        );
        return Err(vec![Fault::new("tran_id", detail)]);
    }
    one_of("ws_supplier_id", "供货批发商", details.iter().map(|one| &one.ws_supplier_id))?;
    each_once(&base.tran_id, details.iter().map(|one| one.goods_code.as_str()))?;
    Ok(Happening::Arrival(base, details))
}

fn one_of<T: PartialEq>(
    field: &str,
    label: &str,
    mut values: impl Iterator<Item = T>,
) -> Result<(), Vec<Fault>> {
    let first = values.next();
    if values.all(|value| first.as_ref() == Some(&value)) {
        return Ok(());
    }
    Err(vec![Fault::new(field, format!("同一凭证号下的{label}应相同"))])
}

fn each_once<'a>(voucher: &str, goods: impl Iterator<Item = &'a str>) -> Result<(), Vec<Fault>> {
    let mut seen = std::collections::BTreeSet::new();
    for code in goods {
        if !seen.insert(code) {
            let detail = format!("凭证号 {voucher} 下的商品 {code} 重复，请合并为一条");
            return Err(vec![Fault::new("goods_code", detail)]);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const SAMPLE: &[u8] = include_bytes!("../samples/meat-vegetable.xml");

    #[test]
    fn the_recorded_sample_is_four_happenings() {
        let joined = read_joined(SAMPLE).unwrap();
        let records: Vec<_> = joined.iter().map(|one| one.records.clone()).collect();
        assert_eq!(records, [vec![1], vec![2, 3], vec![4], vec![5]]);
        assert!(
            matches!(&joined[0].told, Ok(Happening::Trade(trades)) if trades[0].weight == "60")
        );
        let Ok(Happening::Arrival(base, details)) = &joined[1].told else { panic!("{joined:?}") };
        assert_eq!((base.tran_id.len(), details[0].goods_name.as_str()), (20, "示例猪肉"));
    }

    #[test]
    fn the_same_in_gbk_is_the_same() {
        let text = String::from_utf8(SAMPLE.to_vec()).unwrap().replace("UTF-8", "GBK");
        let (bytes, _, lossy) = encoding_rs::GBK.encode(&text);
        assert!(!lossy);
        assert_eq!(read_joined(&bytes).unwrap(), read_joined(SAMPLE).unwrap());
        assert!(read_joined(&bytes[..bytes.len() - 30]).unwrap_err().0.contains("第"));
    }

    #[test]
    fn document_types_attributes_and_entities_are_refused() {
        for (text, word) in [
            ("<!DOCTYPE a [<!ENTITY b \"c\">]><a/>", "DOCTYPE"),
            ("<a><super_market_in_info_base x=\"1\"/></a>", "属性"),
            (
                "<a><super_market_in_info_base><tran_id>&b;</tran_id></super_market_in_info_base></a>",
                "实体",
            ),
            ("<a><b><c><d><e/></d></c></b></a>", "嵌套过深"),
            ("<a></a>", "没有记录"),
            ("", "空的"),
            ("<?xml version=\"1.0\" encoding=\"big5\"?><a/>", "big5"),
        ] {
            let error = read(text.as_bytes()).unwrap_err();
            assert!(error.0.contains(word), "{text}: {error}");
        }
    }

    #[test]
    fn what_is_wrong_is_told_record_by_record() {
        let text = r"<m>
            <retail_market_in_info_detail><tran_id>61011600100010000009</tran_id><goods_code>1</goods_code><goods_name>示例</goods_name><weight>0</weight></retail_market_in_info_detail>
            <retail_market_in_info_detail><tran_id>61011600100010000008</tran_id><goods_code>1</goods_code>
            <goods_name>示例</goods_name><weight>1</weight><colour>red</colour></retail_market_in_info_detail>
            <retail_market_in_info_detail><tran_id>61011600100010000007</tran_id><goods_code>1</goods_code><goods_name>示例</goods_name><weight>1</weight></retail_market_in_info_detail>
            <colours/>
        </m>";
        let joined = read_joined(text.as_bytes()).unwrap();
        for (one, (field, word)) in joined.iter().zip([
            ("weight", "大于 0"),
            ("colour", "没有 colour 这个字段"),
            ("tran_id", "应与 retail_market_in_info_base"),
            ("", "没有 colours 这种报文"),
        ]) {
            let faults = one.told.as_ref().unwrap_err();
            assert_eq!(faults[0].field, field);
            assert!(faults[0].detail.contains(word), "{faults:?}");
        }
    }
}
