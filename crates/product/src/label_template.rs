//! 标签模板 (G-5.4.4): the shape of a label and the words on it, with what the law demands of some
//! kinds (handbook §2.8, §4.1).

use serde::{Deserialize, Serialize};
use yj_kernel::{Codes, Ctx, Field, Kind, Match, Problem, Resource, Result, Scoping, Tx};
use yj_label::{Content, Label, Place, SymbolKind, Template, draw, symbol};
use yj_model::{Id, RegionCode};

use crate::code_rule::{OF_SUBJECT, region_of};

/// 标签用途
const LABEL_KINDS: Codes = &[
    ("trace", "追溯标签"),
    ("certificate", "承诺达标合格证"),
    ("pesticide", "农药标签"),
    ("veterinary_drug", "兽药标签"),
    ("seed", "种子标签"),
];
/// 码制
const SYMBOLS: Codes = &[("qr", "二维码（QR）"), ("datamatrix", "Data Matrix")];
/// 码的位置
const PLACES: Codes = &[("left", "左"), ("right", "右"), ("top", "上")];
/// 码的内容
const CONTENTS: Codes = &[
    ("address", "网址（扫码打开追溯页）"),
    ("code", "编码本身"),
    ("text", "标签上的全部文字"),
    ("elements", "GS1 单元数据串（FNC1）"),
];

/// What may stand between braces.
pub(crate) const WORDS: [&str; 9] =
    ["产品名称", "规格", "批次号", "生产日期", "有效期至", "主体名称", "编码", "网址", "序号"];

/// What the words of a certificate must hold.
const CERTIFICATE: &str = "承诺达标合格证";
/// The order in which pesticides and seeds tell what they must, one to a line.
const ORDER: [&str; 4] = ["{产品名称}", "{主体名称}", "{编码}", "{网址}"];

/// 标签模板
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LabelTemplate {
    /// 模板名称
    pub name: String,
    /// 所属主体
    pub subject_id: Id<()>,
    /// 所属区域
    pub region: Option<RegionCode>,
    /// 标签用途
    pub kind: String,
    /// 宽，毫米
    pub width_mm: i64,
    /// 高，毫米
    pub height_mm: i64,
    /// 码制
    pub symbol: String,
    /// 码的边长，毫米
    pub symbol_mm: i64,
    /// 码的位置
    pub place: String,
    /// 字号，磅
    pub font_pt: i64,
    /// 码的内容
    pub content: String,
    /// The words, line by line.
    pub lines: String,
    /// 是否启用
    pub in_use: bool,
}

impl Resource for LabelTemplate {
    const TABLE: &'static str = "label_template";
    const TITLE: &'static str = "标签模板";
    const SCOPING: Scoping = OF_SUBJECT;
    const FIELDS: &'static [Field] = &[
        Field::new("name", "模板名称", Kind::Text)
            .length_max(60)
            .filter(Match::Contains)
            .sortable(),
        Field::new("subject_id", "所属主体", Kind::Id("trace_subject"))
            .filter(Match::Exact)
            .passes_on(),
        Field::new("region", "所属区域", Kind::Region).filter(Match::Prefix).computed().passes_on(),
        Field::new("kind", "标签用途", Kind::Code(LABEL_KINDS)).filter(Match::Exact).sortable(),
        Field::new("width_mm", "宽（毫米）", Kind::Int).hint("15 至 190"),
        Field::new("height_mm", "高（毫米）", Kind::Int).hint("15 至 270"),
        Field::new("symbol", "码制", Kind::Code(SYMBOLS)).filter(Match::Exact),
        Field::new("symbol_mm", "码的边长（毫米）", Kind::Int).hint("含四周空白，8 至 150"),
        Field::new("place", "码的位置", Kind::Code(PLACES)),
        Field::new("font_pt", "字号（磅）", Kind::Int).hint("4 至 48"),
        Field::new("content", "码的内容", Kind::Code(CONTENTS))
            .hint("GS1 单元数据串只能用 Data Matrix；二维码请用网址"),
        Field::new("lines", "文字", Kind::Text).length_max(1_000).hint(
            "一行一条，或用 | 分行；可用 {产品名称} {规格} {批次号} {生产日期} {有效期至} {主体名称} {编码} {网址} {序号}",
        ),
        Field::new("in_use", "是否启用", Kind::Bool).filter(Match::Exact),
    ];

    async fn check(&mut self, ctx: &Ctx, tx: &mut Tx) -> Result<()> {
        self.region = Some(region_of(tx, &self.subject_id).await?);
        let within = [
            ("width_mm", self.width_mm, 15, 190),
            ("height_mm", self.height_mm, 15, 270),
            ("symbol_mm", self.symbol_mm, 8, 150),
            ("font_pt", self.font_pt, 4, 48),
        ];
        for (field, value, least, most) in within {
            if !(least..=most).contains(&value) {
                return Err(Problem::invalid(field, format!("应为 {least} 至 {most}")));
            }
        }
        self.require_words()?;
        let words = Filled::sample(&ctx.app().platform().public_url);
        let unfit = |error: yj_label::Unfit| Problem::invalid("lines", error.0);
        self.drawing(&words).map(drop).map_err(unfit)
    }

    fn sample(n: u32) -> Self {
        Self {
            name: format!("示例标签{n}"),
            subject_id: Id::from_parts(1, u128::from(n)),
            region: "610116".parse().ok(),
            kind: String::from("trace"),
            width_mm: 60,
            height_mm: 40,
            symbol: String::from("qr"),
            symbol_mm: 25,
            place: String::from("left"),
            font_pt: 8,
            content: String::from("address"),
            lines: String::from("{产品名称}\n批次 {批次号}\n{编码}"),
            in_use: true,
        }
    }
}

/// What stands in the place of the words between braces.
pub(crate) struct Filled {
    /// In the order of [`WORDS`].
    pub(crate) words: [String; 9],
    /// The code as a symbol carries it, which is not always as people read it.
    pub(crate) code: String,
    /// The code as elements of GS1, where it is one.
    pub(crate) elements: Option<String>,
}

impl Filled {
    /// As long as they usually are.
    pub(crate) fn sample(public_url: &str) -> Self {
        let code = "00A7K29QX4T0VB8M3EJB";
        let address = format!("{}/t/{code}", public_url.trim_end_matches('/'));
        let words = [
            "示例产品",
            "500 g",
            "L20261101A",
            "2026-11-01",
            "2027-05-01",
            "示例食品厂",
            code,
            &address,
            "1",
        ];
        Self {
            words: words.map(String::from),
            code: String::from(code),
            elements: Some(String::from("0106901234567892211001")),
        }
    }

    fn fill(&self, line: &str) -> String {
        let mut line = String::from(line);
        for (name, word) in WORDS.iter().zip(&self.words) {
            line = line.replace(&format!("{{{name}}}"), word);
        }
        line
    }
}

impl LabelTemplate {
    fn lines(&self) -> impl Iterator<Item = &str> {
        self.lines.split(['\n', '|']).map(str::trim).filter(|line| !line.is_empty())
    }

    fn require_words(&self) -> Result<()> {
        let wrong = |detail: String| Err(Problem::invalid("lines", detail));
        let mut rest = self.lines.as_str();
        while let Some((_, behind)) = rest.split_once('{') {
            let (name, after) = behind.split_once('}').unwrap_or((behind, ""));
            if !WORDS.contains(&name) {
                let known = WORDS.map(|word| format!("{{{word}}}")).join(" ");
                return wrong(format!("没有 {{{name}}}，可用：{known}"));
            }
            rest = after;
        }
        match self.kind.as_str() {
            "certificate" if !self.lines.contains(CERTIFICATE) => {
                return wrong(format!("合格证标签应写明“{CERTIFICATE}”"));
            }
            "pesticide" | "seed" => {
                let places: Option<Vec<usize>> =
                    ORDER.iter().map(|word| self.lines.find(word)).collect();
                let sound = places.is_some_and(|places| places.is_sorted());
                if !sound || self.content != "text" || self.symbol != "qr" {
                    let order = ORDER.join("、");
                    return wrong(format!(
                        "农药与种子标签的二维码应依次承载 {order}，请用二维码，内容选“标签上的全部文字”"
                    ));
                }
            }
            "veterinary_drug" if !self.lines.contains("{编码}") || self.symbol != "qr" => {
                return wrong(String::from("兽药标签应用二维码，并写明 {编码}"));
            }
            _ => {}
        }
        Ok(())
    }

    pub(crate) fn symbol_kind(&self) -> SymbolKind {
        if self.symbol == "datamatrix" { SymbolKind::DataMatrix } else { SymbolKind::Qr }
    }

    /// A label with these words.
    pub(crate) fn drawing(&self, filled: &Filled) -> Result<yj_label::Drawing, yj_label::Unfit> {
        // What a code has none of, such as a lot not given yet, leaves no gap.
        let lines = self.lines().map(|line| filled.fill(line));
        let lines: Vec<String> = lines.filter(|line| !line.trim().is_empty()).collect();
        let content = match self.content.as_str() {
            "code" => Content::Text(filled.code.clone()),
            "text" => Content::Text(lines.join("\n")),
            "elements" => {
                let none = || {
                    let detail = "此编码不是 GS1 编码，码的内容不能为 GS1 单元数据串";
                    yj_label::Unfit(String::from(detail))
                };
                Content::Elements(filled.elements.clone().ok_or_else(none)?)
            }
            _ => Content::Text(filled.words[7].clone()),
        };
        let tenths = |mm: i64| u32::try_from(mm * 10).unwrap_or(0);
        let template = Template {
            width: tenths(self.width_mm),
            height: tenths(self.height_mm),
            symbol: tenths(self.symbol_mm),
            place: match self.place.as_str() {
                "right" => Place::Right,
                "top" => Place::Top,
                _ => Place::Left,
            },
            font: tenths(self.font_pt),
        };
        draw(template, Label { symbol: symbol(self.symbol_kind(), &content)?, content, lines })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_with_nothing_to_say_is_left_out() {
        let template = LabelTemplate {
            content: String::from("text"),
            width_mm: 80,
            lines: String::from("{产品名称}|{规格}|{批次号} {生产日期}|{编码}"),
            ..LabelTemplate::sample(1)
        };
        let mut filled = Filled::sample("https://trace.example.cn");
        for word in &mut filled.words[1..4] {
            word.clear();
        }
        let drawing = template.drawing(&filled).unwrap();
        let said: Vec<&str> = drawing.words.iter().map(|one| one.text.as_str()).collect();
        assert_eq!(said, ["示例产品", "00A7K29QX4T0VB8M3EJB"]);
        let carried = Content::Text(String::from("示例产品\n00A7K29QX4T0VB8M3EJB"));
        assert_eq!(drawing.label.content, carried);
    }

    #[test]
    fn a_symbol_carries_the_code_as_scanners_take_it() {
        let template = LabelTemplate { content: String::from("code"), ..LabelTemplate::sample(1) };
        let mut filled = Filled::sample("https://trace.example.cn");
        filled.words[6] = String::from("(01)06901234567892(21)5");
        filled.code = String::from("/01/06901234567892/21/5");
        let drawing = template.drawing(&filled).unwrap();
        assert_eq!(drawing.label.content, Content::Text(filled.code));
    }
}
