//! 数据字典 of trace data: what each event type of each domain holds besides what all events hold.

use jiff::civil::Date;
use yj_domain::{
    DocumentDemand, Domains, EventSpec, FieldClass, FieldKind, FieldSpec, GoodsDemand, GoodsRule,
    LENGTH_MAX, Lacking, Pack,
};
use yj_kernel::{
    DataClass,
    dictionary::{Element, FIRST_EDITION, Obligation, defined, explained, in_words},
};
use yj_model::DocumentKind;

/// Name, 中文名称, definition, format, obligation, whether it repeats: what every event holds
/// (handbook §1.2 D).
const COMMON: &[(&str, &str, &str, &str, Obligation, bool)] = &[
    ("id", "事件标识", "平台给出的唯一标识，按时间递增", "an36", Obligation::Derived, false),
    ("domain", "领域", "产品所属的领域", "an..20", Obligation::Mandatory, false),
    ("type", "事件类型", "领域包中的事件类型", "an..30", Obligation::Mandatory, false),
    ("stage", "环节", "由事件类型确定", "an..20", Obligation::Derived, false),
    ("subject", "主体代码", "对事件负责的追溯主体", "an18", Obligation::Mandatory, false),
    (
        "event_time",
        "发生时间",
        "事件实际发生的时间，带时区",
        "YYYYMMDDThhmmss",
        Obligation::Mandatory,
        false,
    ),
    (
        "recorded_at",
        "登记时间",
        "平台收到的时间",
        "YYYYMMDDThhmmss±hhmm",
        Obligation::Derived,
        false,
    ),
    ("inputs", "投入", "投入的追溯码、数量与单位", "an..64", Obligation::Optional, true),
    (
        "outputs",
        "产出",
        "产出的追溯码、数量、单位、产品与批次",
        "an..64",
        Obligation::Optional,
        true,
    ),
    ("place", "地点", "发生地的区划、地址与经纬度", "ul", Obligation::Optional, false),
    ("counterparty", "交易对方", "交易对方的主体代码", "an18", Obligation::Optional, false),
    (
        "documents",
        "凭证",
        "检疫证、合格证、运单等的种类与号码",
        "an..50",
        Obligation::Optional,
        true,
    ),
    ("evidence", "附件摘要", "附件的 SM3 摘要", "an64", Obligation::Optional, true),
    ("source", "数据来源", "手工、导入、接口或设备", "an..10", Obligation::Derived, false),
    ("external_id", "来源系统编号", "来源系统自己的编号", "an..100", Obligation::Optional, false),
    ("correction_of", "更正的事件", "被本事件取代的事件", "an36", Obligation::Optional, false),
    (
        "correction_reason",
        "更正原因",
        "对原记录作出更正所依据的事实",
        "an..200",
        Obligation::Conditional,
        false,
    ),
    ("anchor", "存证状态", "待上链、已打包或已确认", "an..10", Obligation::Derived, false),
];

fn common() -> impl Iterator<Item = Element> {
    COMMON.iter().map(|&(name, label, definition, format, obligation, repeats)| Element {
        set: String::from("trace_event"),
        set_title: String::from("追溯事件"),
        name: String::from(name),
        label: String::from(label),
        definition: String::from(definition),
        format: String::from(format),
        codes: Vec::new(),
        obligation,
        repeats,
        class: DataClass::Internal,
        english: in_words(name),
        condition: String::from(match name {
            "correction_reason" => "填写更正的事件时必填",
            _ => "",
        }),
        since: String::from(FIRST_EDITION),
    })
}

/// What every event holds, and the elements of all domain packs as they are shown on this day:
/// those of a closed domain too, for its records stay.
pub fn elements(domains: &Domains, day: Date) -> Vec<Element> {
    let mut all: Vec<_> = common().collect();
    for pack in domains.all_shown(day) {
        for (_, event) in pack.events() {
            let owner = (event.code.as_str(), event.name.as_str());
            all.extend(demanded(pack, event));
            let of_event = |field| asked(event, element(pack, owner, field));
            all.extend(event.fields.iter().map(of_event));
        }
        let owner = ("product", "产品");
        all.extend(pack.product_fields.iter().map(|field| element(pack, owner, field)));
    }
    all
}

/// The papers that an event type demands.
fn demanded(pack: &Pack, event: &EventSpec) -> Option<Element> {
    let said: Vec<_> = event.documents.iter().map(DocumentDemand::said).collect();
    let must = |demand: &DocumentDemand| {
        demand.lacking == Lacking::Refuse && demand.when.is_none() && demand.product.is_none()
    };
    let refused = event.documents.iter().any(|demand| demand.lacking == Lacking::Refuse);
    let obligation = match (event.documents.iter().any(must), refused) {
        (true, _) => Obligation::Mandatory,
        (false, true) => Obligation::Conditional,
        (false, false) => Obligation::Optional,
    };
    (!said.is_empty()).then(|| Element {
        set: format!("{}.{}", pack.code, event.code),
        set_title: format!("{}·{}", pack.name, event.name),
        name: String::from("documents"),
        label: String::from("应附凭证"),
        definition: said.join("；"),
        format: String::from("an..60"),
        codes: DocumentKind::CODES
            .iter()
            .map(|(code, label)| (String::from(*code), String::from(*label)))
            .collect(),
        obligation,
        repeats: true,
        class: DataClass::Internal,
        english: String::from("accompanying documents"),
        condition: match obligation {
            Obligation::Conditional => said.join("；"),
            _ => String::new(),
        },
        since: String::from(FIRST_EDITION),
    })
}

/// What is asked for of some goods only says so.
fn asked(event: &EventSpec, element: Element) -> Element {
    let asks = |rule: &&GoodsRule| match &rule.demand {
        GoodsDemand::Filled { fields } => fields.contains(&element.name),
        GoodsDemand::OutputMax { .. } | GoodsDemand::NoMore { .. } | GoodsDemand::Marked { .. } => {
            false
        }
    };
    let said: Vec<_> = event.goods_rules.iter().filter(asks).map(|rule| rule.said(event)).collect();
    if said.is_empty() || element.obligation == Obligation::Mandatory {
        return element;
    }
    Element { obligation: Obligation::Conditional, condition: said.join("；"), ..element }
}

/// `owner` is the event type, by code and name, or the product.
fn element(pack: &Pack, (code, owner): (&str, &str), field: &FieldSpec) -> Element {
    let format = match field.kind {
        FieldKind::Text => format!("an..{}", field.max_length.unwrap_or(LENGTH_MAX)),
        FieldKind::Int => String::from("n..18"),
        FieldKind::Decimal => String::from("n..15,4"),
        FieldKind::Result => String::from("an..40"),
        FieldKind::Bool => String::from("bl"),
        FieldKind::Date => String::from("YYYYMMDD"),
        FieldKind::Time => String::from("YYYYMMDDThhmmss"),
        FieldKind::Code => {
            let longest = field.codes.iter().map(|(code, _)| code.len()).max();
            format!("an..{}", longest.unwrap_or(1))
        }
    };
    Element {
        set: format!("{}.{code}", pack.code),
        set_title: format!("{}·{owner}", pack.name),
        name: field.name.clone(),
        label: field.label.clone(),
        definition: explained(defined(owner, &field.label), field.hint.as_deref()),
        format,
        codes: field.codes.clone(),
        obligation: if field.required { Obligation::Mandatory } else { Obligation::Optional },
        repeats: false,
        class: match field.class {
            Some(FieldClass::Personal) => DataClass::Personal,
            Some(FieldClass::Sensitive) => DataClass::Sensitive,
            None => DataClass::Internal,
        },
        english: in_words(&field.name),
        condition: String::new(),
        since: String::from(FIRST_EDITION),
    }
}
