//! Whether an event can be said in JSON and in XML alike. A repository answers in either form (EPCIS
//! 2.0 §12), so that an event which one of them cannot say would be missing from its answers.

use crate::{
    context::{Context, EPCIS_NAMESPACE, XML_NAMESPACE},
    event::EventKind,
    fault::{Faults, Path},
    json::Json,
    xml::names::{Unnamed, is_namespace, is_xml_text, unnamed},
};

/// Notes every name and every text of an event that XML has no way to say, and prefixes that mean
/// nothing.
pub(super) fn check(event: &Json, context: &Context, faults: &mut Faults) {
    if let Some(kind @ EventKind::Extended(_)) = event.text_of("type").and_then(EventKind::named) {
        let path = Path::ROOT.key("type");
        name(kind.name(), context, &path, faults);
        // Whoever looks for events of the standard's kinds looks for their names.
        if context.resolve(kind.name()).is_some_and(|(namespace, _)| namespace == EPCIS_NAMESPACE) {
            faults.note(
                &path,
                "标准的事件类型只写名称，如 ObjectEvent；自定义的类型不应用 GS1 的命名空间",
            );
        }
    }
    object(event, context, &Path::ROOT, faults);
}

/// What an `@context` declares has to be a namespace.
pub(super) fn prefixes(value: &Json, path: &Path<'_>, faults: &mut Faults) {
    for (index, part) in value.items().iter().enumerate() {
        prefixes(part, &path.index(index), faults);
    }
    for (key, value) in value.members().iter().filter(|(key, _)| !key.starts_with('@')) {
        let namespace = value.as_text().or_else(|| value.text_of("@id"));
        let known = key == "xml" && namespace == Some(XML_NAMESPACE);
        if !known && namespace.is_some_and(|uri| !is_namespace(uri)) {
            faults.note(&path.key(key), "应为命名空间的 URI，不能为空，不含控制字符");
        }
    }
}

fn object(value: &Json, context: &Context, path: &Path<'_>, faults: &mut Faults) {
    for (key, value) in value.members() {
        let path = path.key(key);
        match key.strip_prefix('@') {
            Some("context") => continue,
            Some(bare) => {
                name(bare, context, &path, faults);
                if value.scalar().is_none() {
                    faults.note(&path, "以 @ 开头的是 XML 的属性，其值应为文本、数或真假值");
                }
            }
            None if key == "#text" => {
                if value.scalar().is_none() {
                    faults.note(&path, "#text 是 XML 元素的文字，其值应为文本、数或真假值");
                }
            }
            None => name(key, context, &path, faults),
        }
        anything(value, context, &path, faults);
    }
}

fn anything(value: &Json, context: &Context, path: &Path<'_>, faults: &mut Faults) {
    match value.as_ld_list().unwrap_or(value) {
        Json::Object(_) => object(value, context, path, faults),
        Json::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                anything(item, context, &path.index(index), faults);
            }
        }
        Json::Text(text) if !is_xml_text(text) => faults.note(
            path,
            "不能含控制字符（换行与制表符除外）：EPCIS 事件要能写成 XML，XML 没有这些字符",
        ),
        _ => {}
    }
}

fn name(key: &str, context: &Context, path: &Path<'_>, faults: &mut Faults) {
    match unnamed(key, context) {
        None => {}
        // A context that lives elsewhere may declare it.
        Some(Unnamed::Undeclared) if !context.elsewhere().is_empty() => {}
        Some(Unnamed::Undeclared) => {
            let prefix = key.split(':').next().unwrap_or_default();
            let detail = format!("前缀 {prefix} 没有在 @context 中声明；请声明它，或写成完整的 URI");
            faults.note(path, detail);
        }
        Some(Unnamed::Letters) => faults.note(
            path,
            "不能成为 XML 的名称，而 EPCIS 事件要能写成 XML：名称（带前缀的，冒号之后的部分）应以字母或\
             下划线开头，只含字母、数字、-、. 与 _",
        ),
    }
}
