//! 货物规则 (handbook §4): what is asked of an event because of what its goods are and how much of them
//! comes out. Pure; what the goods are is read elsewhere.

use serde::Serialize;
use serde_json::{Map, Value};
use yj_kernel::FieldError;
use yj_model::{Quantity, UnitCode};

use crate::{documents::is_one_of, pack::EventSpec};

/// Among the attributes of a product, the code of its class: 产品分类代码.
pub const CLASS: &str = "catalogue_code";

/// A rule over an event and its goods, with the name by which people know it.
#[derive(Debug, Serialize)]
pub struct GoodsRule {
    /// 规则名称
    pub name: String,
    /// 产品分类代码 it is for, with all below them; of all goods where there are none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub classes: Vec<String>,
    /// The code or flag of the product on which it depends; of every product where there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub product: Option<String>,
    /// The values of `product` that it is for.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub product_is: Vec<String>,
    /// What must hold.
    #[serde(flatten)]
    pub demand: GoodsDemand,
}

/// What comes out of events of a type belongs to one subject, who alone may do it: 一只气瓶一个充装单位.
#[derive(Debug, Clone, Serialize)]
pub struct Belongs {
    /// 规则名称
    pub name: String,
    /// Event types by which somebody puts it on record as theirs; before, it belongs to who did it first.
    pub by: Vec<String>,
    /// The field that names the thing, where its code may be another: 气瓶编号.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub named: Option<String>,
}

/// A vehicle makes one trip at a time, under one bill: 一车一趟一单.
#[derive(Debug, Clone, Serialize)]
pub struct Trips {
    /// 规则名称
    pub name: String,
    /// The field that names the vehicle.
    pub vehicle: String,
    /// The field that says when it sets out.
    pub departs: String,
    /// The field that says when it arrives.
    pub arrives: String,
    /// The field that holds the number of the bill.
    pub bill: String,
    /// The code on which it depends whether the trip takes place; always where there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub when: Option<String>,
    /// The values of `when` with which it takes place.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub is: Vec<String>,
}

/// What a rule asks of an event.
#[derive(Debug, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum GoodsDemand {
    /// These fields are filled in.
    Filled {
        /// The fields.
        fields: Vec<String>,
    },
    /// What comes out is at most `per` × `rate`, or `unless` says why it is more: 产量不超过面积与单产,
    /// 载货不超过核定载质量.
    OutputMax {
        /// The number of the event that it goes by: 面积.
        per: String,
        /// The unit of what comes out for each of it.
        unit: String,
        /// The attribute of the product that says how much of it: 最高单产.
        #[serde(skip_serializing_if = "Option::is_none")]
        rate: Option<String>,
        /// How much where the product does not say; without it such goods are passed over.
        #[serde(skip_serializing_if = "Option::is_none")]
        otherwise: Option<Quantity>,
        /// The explanation that more must carry; without one more is refused.
        #[serde(skip_serializing_if = "Option::is_none")]
        unless: Option<String>,
    },
    /// No more comes out than went in, where both are counted alike: 卸货不多于装货.
    NoMore {
        /// By how many percent scales may differ.
        tolerance_percent: Quantity,
    },
    /// Codes of so many digits begin so if and only if the goods are of this kind: 特药的追溯码.
    Marked {
        /// How many digits.
        digits: usize,
        /// What the codes of this kind begin with.
        begins: String,
        /// The code of the event, or else of its products, that says of which kind they are.
        by: String,
        /// The codes of `by` of this kind.
        is: Vec<String>,
    },
}

/// What went into an event and came out of it.
#[derive(Debug, Clone, Copy)]
pub struct Moved<'a> {
    /// What went in, as far as it is counted.
    pub inputs: &'a [(Quantity, UnitCode)],
    /// What came out.
    pub outputs: &'a [(Quantity, UnitCode)],
    /// The codes of what came out.
    pub codes: &'a [&'a str],
}

/// What a product says of itself, its class among it.
type Product = Map<String, Value>;

impl GoodsRule {
    /// Whether it asks the same of all goods.
    pub fn is_for_all(&self) -> bool {
        self.classes.is_empty() && self.product.is_none()
    }

    /// What is wrong with an event of these attributes by which this was moved of these goods, if it breaks
    /// the rule. The path begins with `attributes.`, or is that of a line.
    pub fn broken(
        &self,
        event: &EventSpec,
        attributes: &Map<String, Value>,
        (goods, moved): (&[&Product], Moved<'_>),
    ) -> Option<FieldError> {
        let meant = |product: &&&Product| {
            let class = product.get(CLASS).and_then(Value::as_str).unwrap_or_default();
            let of_class = self.classes.iter().any(|one| class.starts_with(&**one));
            let said = |name: &String| is_one_of(product, name, &self.product_is);
            (self.classes.is_empty() || of_class) && self.product.as_ref().is_none_or(said)
        };
        let goods: Vec<_> = goods.iter().filter(meant).copied().collect();
        if goods.is_empty() && !self.is_for_all() {
            return None;
        }
        let (field, detail) = self.demand.broken(event, attributes, (&goods, moved))?;
        let detail = format!("不符合规则“{}”：{detail}", self.name);
        let of_line = field.starts_with("outputs[");
        let field = if of_line { field } else { format!("attributes.{field}") };
        Some(FieldError { field, detail })
    }

    /// The rule in one sentence, for forms, templates and the dictionary.
    pub fn said(&self, event: &EventSpec) -> String {
        let of = match self.classes.as_slice() {
            [] => String::new(),
            classes => format!("产品分类为 {} 的，", classes.join("、")),
        };
        let of = match &self.product {
            Some(name) => format!("{of}产品的 {name} 为 {} 的，", self.product_is.join("、")),
            None => of,
        };
        let asked = match &self.demand {
            GoodsDemand::Filled { fields } => {
                let labels: Vec<_> = fields.iter().map(|name| label(event, name)).collect();
                format!("{}必填", labels.join("、"))
            }
            GoodsDemand::OutputMax { per, unit, rate, otherwise, unless } => {
                let unit = unit.parse().map_or("", |unit: UnitCode| unit.unit().name);
                let much = match (rate, otherwise) {
                    (Some(_), Some(most)) => format!("产品登记的值，没有登记的按 {most} {unit}"),
                    (Some(_), None) => format!("产品登记的值（{unit}）"),
                    (None, most) => format!("{} {unit}", most.unwrap_or_default()),
                };
                let more = unless.as_ref().map_or_else(String::new, |name| {
                    format!("，超出的须填写{}", label(event, name))
                });
                format!("产出合计不超过{} × {much}{more}", label(event, per))
            }
            GoodsDemand::NoMore { tolerance_percent } => {
                format!("产出合计不超过投入合计（允差 {tolerance_percent}%）")
            }
            GoodsDemand::Marked { digits, begins, by, is } => {
                let kinds = kinds(event, (by, is));
                let by = label(event, by);
                format!("{digits} 位数字的追溯码以 {begins} 开头的，{by}为{kinds}，其余不是")
            }
        };
        format!("{}：{of}{asked}", self.name)
    }
}

impl GoodsDemand {
    fn broken(
        &self,
        event: &EventSpec,
        attributes: &Map<String, Value>,
        (goods, moved): (&[&Product], Moved<'_>),
    ) -> Option<(String, String)> {
        match self {
            Self::Filled { fields } => {
                let missing = fields.iter().find(|name| !attributes.contains_key(*name))?;
                Some((missing.clone(), format!("{}必填", label(event, missing))))
            }
            Self::OutputMax { per, unit, rate, otherwise, unless } => {
                let explained = unless.as_ref().is_some_and(|name| attributes.contains_key(name));
                let each = number(attributes, per).filter(|_| !explained)?;
                let unit: UnitCode = unit.parse().ok()?;
                let own = |product: &&Product| number(product, rate.as_ref()?);
                let rate = goods.iter().filter_map(own).max().or(*otherwise)?;
                let found = total(moved.outputs, unit)?;
                if found <= i128::from(each.scaled()) * i128::from(rate.scaled()) {
                    return None;
                }
                let (of, name) = (label(event, per), unit.unit().name);
                let more = unless.as_ref().map_or_else(String::new, |name| {
                    format!("；确属实情的，请填写{}", label(event, name))
                });
                let sum = shown(found);
                let detail =
                    format!("产出合计 {sum} {name}，超过{of}（{each}） × {rate} {name}{more}");
                Some((per.clone(), detail))
            }
            Self::NoMore { tolerance_percent } => no_more(moved, *tolerance_percent),
            Self::Marked { digits, begins, by, is } => {
                let own = goods.iter().filter_map(|product| product.get(by)).collect::<Vec<_>>();
                // Of products of several kinds nobody knows which code is whose.
                let alike = own.windows(2).all(|pair| pair[0] == pair[1]);
                let of_goods = own.first().copied().filter(|_| alike);
                let kind = attributes.get(by).or(of_goods)?.as_str()?;
                let of_kind = is.iter().any(|one| one == kind);
                let whole = |code: &str| {
                    code.len() == *digits && code.bytes().all(|byte| byte.is_ascii_digit())
                };
                let wrong = |code: &str| whole(code) && code.starts_with(&**begins) != of_kind;
                let at = moved.codes.iter().position(|code| wrong(code))?;
                let (code, kinds) = (moved.codes[at], kinds(event, (by, is)));
                let now = kinds_label(event, by, kind);
                let by = label(event, by);
                let detail = if of_kind {
                    format!("{by}为{now}的，追溯码应以 {begins} 开头，现为 {code}")
                } else {
                    format!("追溯码 {code} 以 {begins} 开头，{by}应为{kinds}，现为{now}")
                };
                Some((format!("outputs[{at}].code"), detail))
            }
        }
    }

    /// The fields that it names, each with the key that names it.
    pub(crate) fn fields(&self) -> Vec<(String, &str)> {
        match self {
            Self::Filled { fields } => {
                let fields = fields.iter().enumerate();
                fields.map(|(at, name)| (format!("fields[{at}]"), name.as_str())).collect()
            }
            Self::OutputMax { per, unless, .. } => {
                let explained = unless.iter().map(|name| (String::from("unless"), name.as_str()));
                std::iter::once((String::from("per"), per.as_str())).chain(explained).collect()
            }
            // What `by` names may be an attribute of products alone.
            Self::NoMore { .. } | Self::Marked { .. } => Vec::new(),
        }
    }
}

/// What a code of a field is called, or of the products of the domain.
fn kinds_label(event: &EventSpec, by: &str, code: &str) -> String {
    String::from(event.label(by, code).unwrap_or(code))
}

fn kinds(event: &EventSpec, (by, is): (&str, &[String])) -> String {
    is.iter().map(|code| kinds_label(event, by, code)).collect::<Vec<_>>().join("或")
}

/// Ten-thousandths of a percent in the whole.
const WHOLE: i128 = 1_000_000;

/// More came out than went in, counted in the unit of the first that went in.
fn no_more(moved: Moved<'_>, tolerance: Quantity) -> Option<(String, String)> {
    let (_, unit) = moved.inputs.first()?;
    let all = |amounts: &[(Quantity, UnitCode)]| {
        let counted = amounts.iter().filter(|(amount, own)| own.nearest(*amount, *unit).is_some());
        (counted.count() == amounts.len()).then(|| total(amounts, *unit)).flatten()
    };
    let (came, went) = (all(moved.outputs)?, all(moved.inputs)?);
    if came * WHOLE <= went * (WHOLE + i128::from(tolerance.scaled())) {
        return None;
    }
    let (name, came, went) = (unit.unit().name, shown(came), shown(went));
    let detail =
        format!("产出的数量 {came} {name} 应不超过投入的数量 {went} {name}（允差 {tolerance}%）");
    Some((String::from("outputs[0].quantity"), detail))
}

/// The sum of what can be counted in a unit, in hundred-millionths of it; nothing where nothing can.
fn total(amounts: &[(Quantity, UnitCode)], unit: UnitCode) -> Option<i128> {
    let counted = amounts.iter().filter_map(|(quantity, own)| own.nearest(*quantity, unit));
    let counted: Vec<_> = counted.map(|quantity| i128::from(quantity.scaled())).collect();
    (!counted.is_empty()).then(|| counted.iter().sum::<i128>() * 10_000)
}

/// A sum as people write it.
fn shown(hundred_millionths: i128) -> String {
    let scaled = i64::try_from(hundred_millionths / 10_000).ok();
    let quantity = scaled.and_then(|scaled| Quantity::from_scaled(scaled).ok());
    quantity.map_or_else(|| String::from("超出范围"), |quantity| quantity.to_string())
}

fn number(attributes: &Map<String, Value>, name: &str) -> Option<Quantity> {
    match attributes.get(name)? {
        Value::String(text) => text.parse().ok(),
        other => other.to_string().parse().ok(),
    }
}

fn label<'a>(event: &'a EventSpec, name: &'a str) -> &'a str {
    event.fields.iter().find(|field| field.name == name).map_or(name, |field| &*field.label)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{EventType, read};

    /// What an event with these attributes breaks, by which so much of a product of this class came out.
    fn broken(rule: &Value, attributes: &Value, (product, amount): (&Value, &str)) -> Vec<String> {
        let field = |name: &str, label: &str, kind: &str| json!({ "name": name, "label": label, "kind": kind, "required": false });
        let pack = json!({
            "code": "sample", "name": "示例", "version": "1.0.0", "effective_on": "2026-01-01",
            "stages": [{ "stage": "primary_production", "events": [{
                "code": "pick", "name": "采收", "inputs": { "mode": "none", "min": 0, "max": 0 },
                "outputs": { "min": 1, "max": 1 }, "fields": [
                    field("area", "面积", "decimal"), field("sown_on", "播种日期", "date"),
                    field("deviation", "说明", "text"),
                ],
                "goods_rules": [rule],
            }] }],
            "product_fields": [field("most", "最高单产", "decimal")],
        });
        let pack = std::sync::Arc::new(read(&pack).unwrap());
        let event = EventType::find(&pack, "pick").unwrap();
        let (quantity, unit) = amount.split_once(' ').unwrap();
        let amounts = [(quantity.parse().unwrap(), unit.parse().unwrap())];
        let moved = Moved { inputs: &[], outputs: &amounts, codes: &[] };
        let given = (&[product.as_object().unwrap()][..], moved);
        let broken = event.goods_rules.iter().filter_map(|rule| {
            rule.broken(&event, attributes.as_object().unwrap(), given).map(|error| error.detail)
        });
        broken.collect()
    }

    #[test]
    fn what_comes_out_is_at_most_area_by_yield_in_any_unit_of_mass() {
        let rule = json!({ "name": "单产", "kind": "output_max", "per": "area", "unit": "KGM",
            "rate": "most", "otherwise": "1000", "unless": "deviation", "classes": ["0101"] });
        let leek = json!({ "catalogue_code": "010106" });
        let two = json!({ "area": "2" });
        assert_eq!(broken(&rule, &two, (&leek, "2000 KGM")), [""; 0]);
        assert_eq!(broken(&rule, &two, (&leek, "2 TNE")), [""; 0]);
        let found = broken(&rule, &two, (&leek, "2000.0001 KGM"));
        assert!(
            found[0].contains("超过面积（2） × 1000 千克；确属实情的，请填写说明"),
            "{found:?}"
        );
        assert_eq!(broken(&rule, &two, (&leek, "3 TNE")).len(), 1);
        // No odd gram takes a batch out of the reckoning.
        let tons = json!({ "name": "载质量", "kind": "output_max", "per": "area", "unit": "TNE", "otherwise": "1" });
        assert_eq!(broken(&tons, &two, (&leek, "3000001 GRM")).len(), 1);
        // Boxes are no mass, other classes are not meant, and an explanation is enough.
        assert_eq!(broken(&rule, &two, (&leek, "9999 BX")), [""; 0]);
        let pig = json!({ "catalogue_code": "010601" });
        assert_eq!(broken(&rule, &two, (&pig, "9 TNE")), [""; 0]);
        let said = json!({ "area": "2", "deviation": "示例" });
        assert_eq!(broken(&rule, &said, (&leek, "9 TNE")), [""; 0]);
        // What the product says of itself comes first.
        let rich = json!({ "catalogue_code": "010106", "most": "5000" });
        assert_eq!(broken(&rule, &two, (&rich, "10 TNE")), [""; 0]);
        assert_eq!(broken(&rule, &two, (&rich, "10.1 TNE")).len(), 1);
        assert_eq!(broken(&rule, &json!({}), (&leek, "9 TNE")), [""; 0]);
    }

    #[test]
    fn a_field_is_asked_for_where_the_goods_have_it() {
        let rule = json!({ "name": "播种", "kind": "filled", "fields": ["area", "sown_on"], "classes": ["0101"] });
        let leek = json!({ "catalogue_code": "010106" });
        let found = broken(&rule, &json!({ "area": "2" }), (&leek, "1 KGM"));
        assert_eq!(found, ["不符合规则“播种”：播种日期必填"]);
        let whole = json!({ "area": "2", "sown_on": "2026-08-01" });
        assert_eq!(broken(&rule, &whole, (&leek, "1 KGM")), [""; 0]);
        assert_eq!(broken(&rule, &json!({}), (&json!({}), "1 KGM")), [""; 0]);
    }
}
