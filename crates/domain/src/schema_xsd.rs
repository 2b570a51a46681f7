//! The event types of a pack as XML Schema 1.0: one element for each, with the same names as in JSON
//! and in any order. What one field demands of another only JSON Schema and the platform can say.

use std::fmt::Write as _;

use yj_model::UnitCode;

use crate::{
    EventSpec, FieldKind, FieldSpec, InputMode, Pack,
    schema::{DOCUMENTS_MAX, EVENTS_MAX, EVIDENCE_MAX, StandardNames, XML_NAMESPACE},
    schema_number, schema_pattern,
};

/// The XML Schema of a pack.
pub fn xsd(pack: &Pack, names: &StandardNames) -> String {
    let mut writer = Writer { text: String::new(), depth: 1 };
    writer.line(
        "<xs:element name=\"events\">\n    <xs:complexType>\n      <xs:choice maxOccurs=\"unbounded\">",
    );
    writer.depth = 4;
    for (_, event) in pack.events() {
        writer.line(&format!("<xs:element name=\"{0}\" type=\"event_{0}\"/>", event.code));
    }
    writer.depth = 1;
    writer.line(&format!(
        "    </xs:choice>\n      <xs:attribute name=\"domain\" type=\"xs:string\" use=\"required\" fixed=\"{}\"/>\n      \
         <xs:attribute name=\"atomic\" type=\"xs:boolean\" default=\"false\"/>\n    </xs:complexType>\n  </xs:element>",
        pack.code
    ));
    for (_, event) in pack.events() {
        event_type(&mut writer, (pack, event), names);
    }
    let title = escaped(&format!(
        "{}领域包 {} 的追溯事件，自 {} 起施行。一份文档至多 {EVENTS_MAX} 个事件；元素名与 JSON 相同，\
         次序不限，首尾与连续的空白不计；字段之间的规则见 JSON Schema。",
        pack.name, pack.version, pack.effective_on
    ));
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
         <xs:schema xmlns:xs=\"http://www.w3.org/2001/XMLSchema\" xmlns=\"{XML_NAMESPACE}\" targetNamespace=\"{XML_NAMESPACE}\" elementFormDefault=\"qualified\" version=\"{}\">\n  \
         <xs:annotation><xs:documentation xml:lang=\"zh\">{title}</xs:documentation></xs:annotation>\n{}{}</xs:schema>\n",
        pack.version,
        writer.text,
        common()
    )
}

struct Writer {
    text: String,
    depth: usize,
}

impl Writer {
    fn line(&mut self, line: &str) {
        let _ = writeln!(self.text, "{}{line}", "  ".repeat(self.depth));
    }

    fn inside(&mut self, open: &str, close: &str, fill: impl FnOnce(&mut Self)) {
        self.line(open);
        self.depth += 1;
        fill(self);
        self.depth -= 1;
        self.line(close);
    }

    /// An element of a named type, that may be left out.
    fn may(&mut self, name: &str, kind: &str, title: &str) {
        self.element((name, title, false), &format!(" type=\"{kind}\""), None);
    }

    fn must(&mut self, name: &str, kind: &str, title: &str) {
        self.element((name, title, true), &format!(" type=\"{kind}\""), None);
    }

    fn element(
        &mut self,
        (name, title, required): (&str, &str, bool),
        kind: &str,
        inner: Option<&str>,
    ) {
        let occurs = if required { "" } else { " minOccurs=\"0\"" };
        self.line(&format!(
            "<xs:element name=\"{name}\"{kind}{occurs}><xs:annotation><xs:documentation xml:lang=\"zh\">{}</xs:documentation></xs:annotation>{}</xs:element>",
            escaped(title),
            inner.unwrap_or_default()
        ));
    }
}

fn event_type(writer: &mut Writer, (pack, event): (&Pack, &EventSpec), names: &StandardNames) {
    let open = format!("<xs:complexType name=\"event_{}\">", event.code);
    writer.inside(&open, "</xs:complexType>", |writer| {
        writer.line(&format!(
            "<xs:annotation><xs:documentation xml:lang=\"zh\">{}</xs:documentation></xs:annotation>",
            escaped(&event.name)
        ));
        writer.inside("<xs:all>", "</xs:all>", |writer| {
            writer.must("subject", "party", "主体代码");
            writer.must("event_time", "time", "发生时间");
            let observed = event.inputs.mode == InputMode::Observe || event.unpacks();
            let input = if observed { "observed" } else { "input" };
            let (min, max) = (event.inputs.min, event.inputs.max);
            lines(writer, ("inputs", "投入"), ("input", input), (min, max));
            let (min, max) = (event.outputs.min, event.outputs.max);
            lines(writer, ("outputs", "产出"), ("output", "output"), (min, max));
            writer.may("place", "place", "地点");
            writer.may("counterparty", "party", "交易对方");
            lines(writer, ("documents", "凭证"), ("document", "document"), (0, DOCUMENTS_MAX));
            lines(writer, ("evidence", "证据文件"), ("file", "file"), (0, EVIDENCE_MAX));
            attributes(writer, (pack, event), names);
            writer.may("external_id", "text64", "来源系统编号");
            writer.may("correction_of", "uuid", "更正的事件");
            writer.may("correction_reason", "text200", "更正原因");
        });
    });
}

fn lines(
    writer: &mut Writer,
    (name, title): (&str, &str),
    (item, kind): (&str, &str),
    (min, max): (usize, usize),
) {
    if max == 0 {
        return;
    }
    let inner = format!(
        "<xs:complexType><xs:sequence><xs:element name=\"{item}\" type=\"{kind}\" minOccurs=\"{min}\" maxOccurs=\"{max}\"/></xs:sequence></xs:complexType>"
    );
    writer.element((name, title, min > 0), "", Some(&inner));
}

fn attributes(writer: &mut Writer, (pack, event): (&Pack, &EventSpec), names: &StandardNames) {
    if event.fields.is_empty() {
        return;
    }
    let needed = event.fields.iter().any(|field| field.required);
    let occurs = if needed { "" } else { " minOccurs=\"0\"" };
    let open = format!("<xs:element name=\"attributes\"{occurs}><xs:complexType><xs:all>");
    let set = format!("{}.{}", pack.code, event.code);
    writer.inside(&open, "</xs:all></xs:complexType></xs:element>", |writer| {
        for field in &event.fields {
            let standard = names.of(&set, &field.name);
            let title = match standard {
                Some(standard) => format!("{}（GB/T 38154：{standard}）", field.label),
                None => field.label.clone(),
            };
            let (kind, inner) = field_type(field);
            let kind = kind.map_or(String::new(), |kind| format!(" type=\"{kind}\""));
            writer.element((&field.name, &title, field.required), &kind, inner.as_deref());
        }
    });
}

/// A named type, or one of its own.
fn field_type(field: &FieldSpec) -> (Option<&'static str>, Option<String>) {
    let restricted = |base: &str, facets: String| {
        let inner = format!(
            "<xs:simpleType><xs:restriction base=\"{base}\">{facets}</xs:restriction></xs:simpleType>"
        );
        (None, Some(inner))
    };
    match field.kind {
        FieldKind::Bool => (Some("xs:boolean"), None),
        FieldKind::Time => (Some("time"), None),
        FieldKind::Date => (Some("date"), None),
        FieldKind::Int => {
            let (min, max) = field.whole_bounds();
            restricted("xs:integer", bounds(Some(min), Some(max)))
        }
        FieldKind::Result => {
            let signed = field.min.is_none_or(|min| min < yj_model::Quantity::ZERO);
            let pattern = escaped(&schema_number::result(signed));
            restricted("text", format!("<xs:pattern value=\"{pattern}\"/>"))
        }
        FieldKind::Decimal => restricted("decimal", bounds(field.min, field.max)),
        FieldKind::Text => {
            let mut facets = format!("<xs:maxLength value=\"{}\"/>", field.length());
            if let Some(pattern) = field.pattern.as_deref().and_then(schema_pattern::xsd) {
                let _ = write!(facets, "<xs:pattern value=\"{}\"/>", escaped(&pattern));
            }
            restricted("text", facets)
        }
        FieldKind::Code => restricted(
            "xs:token",
            field.codes.iter().map(|(code, label)| choice(code, label)).collect(),
        ),
    }
}

fn choice(code: &str, label: &str) -> String {
    format!(
        "<xs:enumeration value=\"{}\"><xs:annotation><xs:documentation xml:lang=\"zh\">{}</xs:documentation></xs:annotation></xs:enumeration>",
        escaped(code),
        escaped(label)
    )
}

fn bounds<T: std::fmt::Display>(min: Option<T>, max: Option<T>) -> String {
    let facet = |name: &str, bound: Option<T>| {
        bound.map_or(String::new(), |bound| format!("<xs:{name} value=\"{bound}\"/>"))
    };
    format!("{}{}", facet("minInclusive", min), facet("maxInclusive", max))
}

/// The types that every pack uses.
fn common() -> String {
    let units: String =
        UnitCode::all().map(|unit| choice(unit.as_str(), unit.unit().name)).collect();
    let simple = |name: &str, base: &str, facets: &str| {
        format!(
            "  <xs:simpleType name=\"{name}\"><xs:restriction base=\"{base}\">{facets}</xs:restriction></xs:simpleType>\n"
        )
    };
    let pattern = |form: &str| format!("<xs:pattern value=\"{form}\"/>");
    let mut types = String::new();
    types += &simple("text", "xs:token", "<xs:minLength value=\"1\"/>");
    for length in [40, 50, 60, 64, 120, 200] {
        let facets = format!("<xs:maxLength value=\"{length}\"/>");
        types += &simple(&format!("text{length}"), "text", &facets);
    }
    types += &simple(
        "party",
        "xs:token",
        &pattern("[0-9A-Z]{9}|[0-9]{13}|[0-9]{15}|[0-9A-Z]{18}|[0-9]{20}"),
    );
    types += &simple(
        "code",
        "xs:token",
        &format!(
            "<xs:maxLength value=\"64\"/>{}",
            pattern(r"[0-9A-Za-z(](\.?[0-9A-Za-z_#/:()+*\-])*\.?")
        ),
    );
    types += &simple("decimal", "xs:decimal", &pattern(r"-?[0-9]{1,11}(\.[0-9]{1,4})?"));
    types += &simple("quantity", "decimal", "<xs:minExclusive value=\"0\"/>");
    types += &simple("unit", "xs:token", &units);
    types += &simple("date", "xs:date", &pattern("[0-9]{4}-[0-9]{2}-[0-9]{2}"));
    types += &simple("time", "xs:dateTime", &pattern(r".*(Z|[+\-][0-9]{2}:[0-9]{2})"));
    types += &simple("region", "xs:token", &pattern("[1-9][0-9]{5}([0-9]{3}([0-9]{3})?)?"));
    types += &simple("sm3", "xs:token", &pattern("[0-9a-f]{64}"));
    types += &simple(
        "uuid",
        "xs:token",
        &pattern(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"),
    );
    types += &simple(
        "longitude",
        "xs:decimal",
        "<xs:minInclusive value=\"-180\"/><xs:maxInclusive value=\"180\"/>",
    );
    types += &simple(
        "latitude",
        "xs:decimal",
        "<xs:minInclusive value=\"-90\"/><xs:maxInclusive value=\"90\"/>",
    );
    let mut writer = Writer { text: types, depth: 1 };
    let mut all = |name: &str, parts: &[(&str, &str, &str, bool)]| {
        let open = format!("<xs:complexType name=\"{name}\"><xs:all>");
        writer.inside(&open, "</xs:all></xs:complexType>", |writer| {
            for (name, kind, title, required) in parts {
                if *required {
                    writer.must(name, kind, title);
                } else {
                    writer.may(name, kind, title);
                }
            }
        });
    };
    for (name, counted) in [("input", true), ("observed", false)] {
        all(
            name,
            &[
                ("code", "code", "追溯码", true),
                ("quantity", "quantity", "数量", counted),
                ("unit", "unit", "计量单位", counted),
                ("external", "xs:boolean", "来源于平台之外", false),
            ],
        );
    }
    all(
        "output",
        &[
            ("code", "code", "追溯码", true),
            ("quantity", "quantity", "数量", true),
            ("unit", "unit", "计量单位", true),
            ("product", "text", "产品代码", false),
            ("lot", "text50", "批次号", false),
        ],
    );
    all(
        "place",
        &[
            ("region", "region", "行政区划代码", true),
            ("address", "text200", "地址", false),
            ("lon", "longitude", "经度（CGCS2000）", false),
            ("lat", "latitude", "纬度（CGCS2000）", false),
        ],
    );
    all("document", &[("type", "text40", "种类", true), ("no", "text60", "编号", true)]);
    all("file", &[("name", "text120", "文件名", true), ("sm3", "sm3", "SM3 摘要", true)]);
    writer.text
}

/// A text inside XML, and inside quoted values.
pub(crate) fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            letter => out.push(letter),
        }
    }
    out
}
