//! 追溯事件 (handbook §1.2 D, NY/T 4712): what was done, by whom, to what, when and where. As it
//! comes in, and as it is after its check.

use std::{borrow::Cow, collections::BTreeMap};

use jiff::civil::Date;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use yj_crypto::{from_hex, sm3};
use yj_domain::{Domains, EventSpec, EventType, InputMode};
use yj_kernel::{Ctx, FieldError, Problem, Result};
use yj_model::{
    Datum, GeoPoint, Id, KnownCode, LotNumber, OffsetTime, Quantity, RegionCode, Stage, TraceCode,
    UnitCode,
};

use crate::{
    sealed,
    spelling::{Codes, Spelling},
};

/// A trace event as clients send it.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TraceEvent {
    /// 领域代码，如 agri
    pub domain: String,
    /// 事件类型，如 harvest
    #[serde(rename = "type")]
    pub kind: String,
    /// 主体的代码：现用代码，或其任何一个旧代码；登记为现用代码
    pub subject: String,
    /// 发生时间，带时区偏移
    pub event_time: String,
    /// 投入
    #[serde(default)]
    pub inputs: Vec<Input>,
    /// 产出
    #[serde(default)]
    pub outputs: Vec<Output>,
    /// 地点
    #[serde(default)]
    pub place: Option<Place>,
    /// 交易对方的代码，现用或旧代码；登记为现用代码
    #[serde(default)]
    pub counterparty: Option<String>,
    /// 凭证
    #[serde(default)]
    pub documents: Vec<Document>,
    /// 证据文件
    #[serde(default)]
    pub evidence: Vec<Evidence>,
    /// 领域包规定的字段
    #[serde(default)]
    pub attributes: Map<String, Value>,
    /// 来源系统自己的编号
    #[serde(default)]
    pub external_id: Option<String>,
    /// 被更正事件的标识
    #[serde(default)]
    pub correction_of: Option<String>,
    /// 更正原因
    #[serde(default)]
    pub correction_reason: Option<String>,
    /// 撤销：被更正的事件没有发生过，也没有别的取代它；不写投入、产出与字段
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub withdraws: bool,
}

/// Something that goes in.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// 追溯码
    pub code: String,
    /// 数量，十进制字符串；检测、监管类可不填
    #[serde(default)]
    pub quantity: Option<String>,
    /// 计量单位，UN/CEFACT 代码
    #[serde(default)]
    pub unit: Option<String>,
    /// 来源于平台之外
    #[serde(default)]
    pub external: bool,
}

/// Something that comes out.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Output {
    /// 追溯码
    pub code: String,
    /// 数量，十进制字符串
    pub quantity: String,
    /// 计量单位
    pub unit: String,
    /// 产品代码
    #[serde(default)]
    pub product: Option<String>,
    /// 批次号
    #[serde(default)]
    pub lot: Option<String>,
}

/// Where it happened.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Place {
    /// 行政区划代码
    pub region: String,
    /// 地址
    #[serde(default)]
    pub address: Option<String>,
    /// 经度
    #[serde(default)]
    pub lon: Option<String>,
    /// 纬度
    #[serde(default)]
    pub lat: Option<String>,
}

/// 凭证
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Document {
    /// 类型
    #[serde(rename = "type")]
    pub kind: String,
    /// 编号
    pub no: String,
}

/// A file that supports the record, by its digest.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Evidence {
    /// 文件名
    pub name: String,
    /// SM3 摘要，64 位小写十六进制
    pub sm3: String,
}

/// A checked event: every part is of its type and fits the domain pack.
///
/// Who it names is said by the codes they have now. An event may come under any code a subject was
/// ever known by; at the door each is looked up once ([`Checked::name`]), and what is stored, hashed
/// and anchored says the present code, so that the same event under two codes is one event, and every
/// record of a subject names it alike. The code that was sent is not kept: the register of former
/// codes leads from it to the subject for ever, and a second name in the canonical record would say
/// nothing that could be verified. Records of earlier times keep the code they were anchored with.
///
/// Lots that are called by GTIN and lot number are named by the code of their unit in the same way
/// ([`crate::lots`]); the EPCIS event that called them so is kept as it came.
#[derive(Debug, Clone)]
pub(crate) struct Checked {
    pub(crate) domain: String,
    pub(crate) spec: EventType,
    pub(crate) stage: Stage,
    pub(crate) subject: KnownCode,
    pub(crate) time: OffsetTime,
    pub(crate) inputs: Vec<InLine>,
    pub(crate) outputs: Vec<OutLine>,
    pub(crate) counterparty: Option<KnownCode>,
    pub(crate) correction_of: Option<Id<()>>,
    /// Whether nothing takes the place of the event that it corrects.
    pub(crate) withdraws: bool,
    /// Everything in its normal form, as stored.
    pub(crate) body: Value,
    /// What stands in the digest for attributes that are sealed.
    pub(crate) blinded: BTreeMap<String, String>,
    /// SM3 of the normal form: the same content is the same event.
    pub(crate) digest: String,
    /// What it was before former codes gave way to present ones.
    pub(crate) as_sent: Option<AsSent>,
    /// What lots were called whose units are named instead, by side and line.
    pub(crate) lot_names: BTreeMap<(&'static str, usize), TraceCode>,
    /// Codes that came in another spelling than units are registered in now, by side and line.
    pub(crate) spellings: BTreeMap<(&'static str, usize), Spelling>,
    /// The lots that codes of single pieces said besides, by side and line.
    pub(crate) lots_said: BTreeMap<(&'static str, usize), LotNumber>,
}

/// An event under the codes that were sent.
#[derive(Debug, Clone)]
pub(crate) struct AsSent {
    pub(crate) subject: KnownCode,
    /// It may have been stored when those codes were not former ones yet.
    pub(crate) digest: String,
}

impl Checked {
    /// Puts present codes in the place of the former ones that were sent. Returns whether there were
    /// any.
    pub(crate) fn name(&mut self, subject: &str, counterparty: Option<&str>) -> Result<bool> {
        let code = |text: &str| text.parse::<KnownCode>().map_err(Problem::internal);
        let (subject, counterparty) = (code(subject)?, counterparty.map(code).transpose()?);
        let same = self.subject == subject
            && counterparty.as_ref().is_none_or(|code| self.counterparty.as_ref() == Some(code));
        if same {
            return Ok(false);
        }
        let sent = std::mem::replace(&mut self.subject, subject);
        if let Some(code) = counterparty {
            self.body["counterparty"] = json!(code);
            self.counterparty = Some(code);
        }
        let digest = self.digest_now(true)?;
        let digest = std::mem::replace(&mut self.digest, digest);
        self.as_sent = Some(AsSent { subject: sent, digest });
        Ok(true)
    }

    /// The codes of everything that goes in or comes out.
    pub(crate) fn codes(&self) -> impl Iterator<Item = &str> {
        let inputs = self.inputs.iter().map(|line| line.code.as_str());
        inputs.chain(self.outputs.iter().map(|line| line.code.as_str()))
    }

    /// `blinded`: sealed attributes are in it as nobody finds them by trying. What was recorded before they
    /// were is known by the plain one.
    pub(crate) fn digest_now(&self, blinded: bool) -> Result<String> {
        let corrects = self.correction_of.map(|id| id.to_string());
        let mut body = Cow::Borrowed(&self.body);
        for (name, blind) in self.blinded.iter().filter(|_| blinded) {
            body.to_mut()["attributes"][name] = json!(blind);
        }
        let whole = json!([self.domain, self.spec.code, self.subject, self.time, corrects, body]);
        let bytes = serde_json::to_vec(&whole).map_err(Problem::internal)?;
        Ok(sm3::hex(&sm3::parts(&[b"YJ/event/v1\0", &bytes])))
    }
}

#[derive(Debug, Clone)]
pub(crate) struct InLine {
    pub(crate) code: TraceCode,
    /// Absent where an event only observes, or opens a package that is not counted.
    pub(crate) amount: Option<(Quantity, UnitCode)>,
    pub(crate) external: bool,
}

#[derive(Debug, Clone)]
pub(crate) struct OutLine {
    pub(crate) code: TraceCode,
    pub(crate) quantity: Quantity,
    pub(crate) unit: UnitCode,
    pub(crate) product: Option<String>,
    pub(crate) lot: Option<LotNumber>,
}

const DOCUMENTS_MAX: usize = 20;
const EVIDENCE_MAX: usize = 20;

/// Collects everything that is wrong instead of stopping at the first.
pub(crate) struct Findings(Vec<FieldError>);

impl Findings {
    pub(crate) const fn none() -> Self {
        Self(Vec::new())
    }

    /// Refuses where anything was found.
    pub(crate) fn refuse(self) -> Result<()> {
        if self.0.is_empty() { Ok(()) } else { Err(Problem::Invalid(self.0)) }
    }

    pub(crate) fn add(&mut self, field: impl Into<String>, detail: impl Into<String>) {
        self.0.push(FieldError { field: field.into(), detail: detail.into() });
    }

    fn parse<T: std::str::FromStr>(&mut self, field: &str, text: &str) -> Option<T>
    where
        T::Err: std::fmt::Display,
    {
        text.parse().map_err(|error: T::Err| self.add(field, error.to_string())).ok()
    }

    fn text(&mut self, field: &str, text: &str, longest: usize) {
        let length = text.chars().count();
        if length == 0 || length > longest || text.chars().any(char::is_control) {
            self.add(field, format!("应为 1 至 {longest} 个字，不含控制字符"));
        }
    }
}

impl TraceEvent {
    /// The event type among those that may be recorded on this day.
    pub(crate) fn find(&self, domains: &Domains, day: Date) -> Result<EventType> {
        let pack = domains.in_force(&self.domain, day).ok_or_else(|| {
            let known: Vec<_> = domains
                .all_in_force(day)
                .map(|pack| format!("{} {}", pack.code, pack.name))
                .collect();
            let detail = match domains.shown(&self.domain, day) {
                Some(pack) => {
                    format!("领域 {}（{}）已停用或尚未施行，不能登记", pack.code, pack.name)
                }
                None => format!("没有领域 {}，应为：{}", self.domain, known.join("、")),
            };
            Problem::invalid("domain", detail)
        })?;
        EventType::find(pack, &self.kind).ok_or_else(|| {
            let known: Vec<_> =
                pack.events().map(|(_, event)| format!("{} {}", event.code, event.name)).collect();
            Problem::invalid(
                "type",
                format!("{}没有事件类型 {}，应为：{}", pack.name, self.kind, known.join("、")),
            )
        })
    }

    /// Checks the event against its event type, without looking at any other record. With `ctx` codes
    /// get the one spelling that there is; without it they stay as they are.
    pub(crate) fn check(&self, spec: EventType, ctx: Option<&Ctx>) -> Result<Checked> {
        let mut findings = Findings(Vec::new());
        let mut codes = Codes::of(ctx, &self.domain);
        let subject = findings.parse("subject", &self.subject);
        let time = findings.parse("event_time", &self.event_time);
        if self.withdraws {
            self.check_withdrawal(&mut findings);
        }
        let of_lines = !self.withdraws;
        let inputs =
            if of_lines { self.check_inputs(&spec, &mut codes, &mut findings) } else { Vec::new() };
        let outputs = if of_lines {
            self.check_outputs(&spec, &mut codes, &mut findings)
        } else {
            Vec::new()
        };
        self.check_place(&mut findings);
        let counterparty =
            self.counterparty.as_deref().and_then(|code| findings.parse("counterparty", code));
        self.check_papers(&mut findings);
        let correction_of = self.check_correction(&mut findings);
        let attributes = if of_lines {
            spec.attributes(&self.attributes, time, &mut findings.0)
        } else {
            Map::new()
        };
        let (Some(subject), Some(time)) = (subject, time) else {
            return Err(Problem::Invalid(findings.0));
        };
        if !findings.0.is_empty() {
            return Err(Problem::Invalid(findings.0));
        }
        let body = self.normal_form(&inputs, &outputs, (counterparty.as_ref(), attributes));
        let blinded = match ctx {
            Some(ctx) => sealed::blinded(ctx.app().vault(), &spec, &body["attributes"])?,
            None => BTreeMap::new(),
        };
        let mut checked = Checked {
            domain: self.domain.clone(),
            stage: spec.stage(),
            spec,
            subject,
            time,
            inputs,
            outputs,
            counterparty,
            correction_of,
            withdraws: self.withdraws,
            body,
            blinded,
            digest: String::new(),
            as_sent: None,
            lot_names: BTreeMap::new(),
            spellings: codes.spellings,
            lots_said: codes.lots,
        };
        checked.digest = checked.digest_now(true)?;
        Ok(checked)
    }

    fn check_inputs(
        &self,
        spec: &EventSpec,
        codes: &mut Codes<'_>,
        findings: &mut Findings,
    ) -> Vec<InLine> {
        count(
            findings,
            "inputs",
            (self.inputs.len(), spec.inputs.min, spec.inputs.max),
            &spec.name,
        );
        let mut lines: Vec<InLine> = Vec::new();
        for (at, input) in self.inputs.iter().enumerate() {
            let field = |name: &str| format!("inputs[{at}].{name}");
            let line = ("inputs", lines.len(), at);
            let code = codes.read(line, &input.code, findings);
            codes.lot(line, (&input.code, None), findings);
            let amount = match (&input.quantity, &input.unit) {
                (Some(quantity), Some(unit)) => {
                    amount(findings, (&field("quantity"), quantity), (&field("unit"), unit))
                }
                (None, None) if spec.inputs.mode == InputMode::Observe || spec.unpacks() => None,
                (None, _) => {
                    findings.add(field("quantity"), "必填");
                    None
                }
                (_, None) => {
                    findings.add(field("unit"), "必填");
                    None
                }
            };
            let Some(code) = code else { continue };
            if lines.iter().any(|line| line.code == code) {
                findings.add(field("code"), format!("追溯码 {code} 重复，请合并为一项"));
            }
            lines.push(InLine { code, amount, external: input.external });
        }
        lines
    }

    fn check_outputs(
        &self,
        spec: &EventSpec,
        codes: &mut Codes<'_>,
        findings: &mut Findings,
    ) -> Vec<OutLine> {
        count(
            findings,
            "outputs",
            (self.outputs.len(), spec.outputs.min, spec.outputs.max),
            &spec.name,
        );
        let mut lines: Vec<OutLine> = Vec::new();
        for (at, output) in self.outputs.iter().enumerate() {
            let field = |name: &str| format!("outputs[{at}].{name}");
            let line = ("outputs", lines.len(), at);
            let code = codes.read(line, &output.code, findings);
            let amount = amount(
                findings,
                (&field("quantity"), &output.quantity),
                (&field("unit"), &output.unit),
            );
            let lot = output.lot.as_deref().and_then(|lot| findings.parse(&field("lot"), lot));
            let lot = codes.lot(line, (&output.code, lot), findings);
            let (Some(code), Some((quantity, unit))) = (code, amount) else { continue };
            if lines.iter().any(|line| line.code == code) {
                findings.add(field("code"), format!("追溯码 {code} 重复，请合并为一项"));
            }
            lines.push(OutLine { code, quantity, unit, product: output.product.clone(), lot });
        }
        lines
    }

    fn check_place(&self, findings: &mut Findings) {
        let Some(place) = &self.place else { return };
        if let Some(address) = &place.address {
            findings.text("place.address", address, 200);
        }
        match (&place.lon, &place.lat) {
            (Some(lon), Some(lat)) => {
                if let Err(error) = GeoPoint::parse(lon, lat, Datum::Cgcs2000) {
                    findings.add("place.lon", error.to_string());
                }
            }
            (None, None) => {}
            _ => findings.add("place.lat", "经度与纬度应同时填写或同时留空"),
        }
        findings.parse::<RegionCode>("place.region", &place.region);
    }

    fn check_papers(&self, findings: &mut Findings) {
        if self.documents.len() > DOCUMENTS_MAX {
            findings.add("documents", format!("凭证至多 {DOCUMENTS_MAX} 件"));
        }
        if self.evidence.len() > EVIDENCE_MAX {
            findings.add("evidence", format!("证据文件至多 {EVIDENCE_MAX} 件"));
        }
        for (at, document) in self.documents.iter().enumerate() {
            findings.text(&format!("documents[{at}].type"), &document.kind, 40);
            findings.text(&format!("documents[{at}].no"), &document.no, 60);
        }
        for (at, evidence) in self.evidence.iter().enumerate() {
            findings.text(&format!("evidence[{at}].name"), &evidence.name, 120);
            if from_hex::<32>(&evidence.sm3).is_none() {
                findings.add(format!("evidence[{at}].sm3"), "应为 64 位小写十六进制的 SM3 摘要");
            }
        }
        if let Some(id) = &self.external_id {
            findings.text("external_id", id, 64);
        }
    }

    /// A withdrawal says which event, and why; nothing of what it would have been.
    fn check_withdrawal(&self, findings: &mut Findings) {
        if self.correction_of.is_none() {
            findings.add("correction_of", "撤销应指明被撤销的事件");
        }
        let papers = self.documents.is_empty() && self.evidence.is_empty();
        let empty = self.inputs.is_empty() && self.outputs.is_empty() && self.attributes.is_empty();
        if !(empty && papers && self.place.is_none() && self.counterparty.is_none()) {
            findings.add(
                "withdraws",
                "撤销不写投入、产出、地点、交易对方、凭证、证据与字段；有更正内容的请登记为更正",
            );
        }
    }

    fn check_correction(&self, findings: &mut Findings) -> Option<Id<()>> {
        match (&self.correction_of, &self.correction_reason) {
            (None, None) => None,
            (Some(id), Some(reason)) => {
                findings.text("correction_reason", reason, 200);
                findings.parse("correction_of", id)
            }
            (Some(_), None) => {
                findings.add("correction_reason", "更正应写明原因");
                None
            }
            (None, Some(_)) => {
                findings.add("correction_of", "写了更正原因，应指明被更正的事件");
                None
            }
        }
    }

    fn normal_form(
        &self,
        inputs: &[InLine],
        outputs: &[OutLine],
        (counterparty, attributes): (Option<&KnownCode>, Map<String, Value>),
    ) -> Value {
        let mut body = json!({
            "inputs": inputs.iter().map(in_json).collect::<Vec<_>>(),
            "outputs": outputs.iter().map(out_json).collect::<Vec<_>>(),
            "place": self.place, "counterparty": counterparty, "documents": self.documents,
            "evidence": self.evidence, "attributes": attributes, "external_id": self.external_id,
            "correction_reason": self.correction_reason,
        });
        // What is no withdrawal is the same content as ever.
        if self.withdraws {
            body["withdraws"] = json!(true);
        }
        body
    }
}

/// A line of the normal form.
pub(crate) fn in_json(line: &InLine) -> Value {
    let mut item = json!({ "code": line.code });
    if let Some((quantity, unit)) = line.amount {
        item["quantity"] = json!(quantity);
        item["unit"] = json!(unit);
    }
    if line.external {
        item["external"] = json!(true);
    }
    item
}

/// The same of what comes out.
pub(crate) fn out_json(line: &OutLine) -> Value {
    let mut item = json!({ "code": line.code, "quantity": line.quantity, "unit": line.unit });
    if let Some(product) = &line.product {
        item["product"] = json!(product);
    }
    if let Some(lot) = &line.lot {
        item["lot"] = json!(lot);
    }
    item
}

fn count(
    findings: &mut Findings,
    field: &str,
    (found, min, max): (usize, usize, usize),
    event: &str,
) {
    if found < min || found > max {
        let side = if field == "inputs" { "投入" } else { "产出" };
        let wanted = match (min, max) {
            (0, 0) => String::from("不应有"),
            (min, max) if found < min => format!("应有 {min} 至 {max} 项"),
            (_, max) => format!("至多 {max} 项"),
        };
        findings.add(field, format!("“{event}”{wanted}{side}，现有 {found} 项"));
    }
}

fn amount(
    findings: &mut Findings,
    (quantity_field, quantity): (&str, &str),
    (unit_field, unit): (&str, &str),
) -> Option<(Quantity, UnitCode)> {
    let parsed: Option<Quantity> = findings.parse(quantity_field, quantity);
    let unit: Option<UnitCode> = findings.parse(unit_field, unit);
    let quantity = parsed?;
    if !quantity.is_positive() {
        findings.add(quantity_field, format!("数量应大于 0，现为 {quantity}"));
        return None;
    }
    Some((quantity, unit?))
}
