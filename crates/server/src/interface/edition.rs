//! One edition of the interface specification: all files, made at once from what they describe.

use std::{
    io::{Cursor, Write as _},
    sync::Arc,
};

use axum::body::Bytes;
use serde_json::{Value, json};
use yj_crypto::sm3;
use yj_domain::{
    Domains, EventSpec, Pack,
    schema::{self, Codes, StandardNames},
};
use yj_kernel::{Problem, Result};
use yj_model::{DATUMS, DOCUMENT_KINDS, LICENCE_KINDS, ROLE_KINDS, SUBJECT_KINDS};
use zip::{CompressionMethod, ZipWriter, write::SimpleFileOptions};

use super::{
    PATH, VERSION,
    artefact::{Artefact, JSON, XML},
    guide,
};

/// The one file that holds all others.
const ARCHIVE: &str = "yuanjian-interface.zip";
const SCHEMA: &str = "application/schema+json";

/// What an edition is made from.
pub(super) struct Sources {
    pub(super) openapi: Value,
    pub(super) domains: Arc<Domains>,
    pub(super) names: StandardNames,
}

/// Changes with the sources that change while the application runs.
pub(super) fn key(domains: &Domains, names: &StandardNames) -> String {
    let mut message = Vec::new();
    let mut add = |text: &str| {
        message.extend_from_slice(text.as_bytes());
        message.push(0);
    };
    for (pack, digest) in domains.open() {
        add(&pack.code);
        add(&pack.version.to_string());
        add(digest.unwrap_or_default());
    }
    add("");
    for (set, name, standard) in names.iter() {
        add(set);
        add(name);
        add(standard);
    }
    sm3::hex(&sm3::digest(&message))
}

/// All files of one edition.
pub(super) struct Edition {
    /// SM3 over the paths and digests of all files.
    pub(super) digest: String,
    /// By path.
    artefacts: Vec<Artefact>,
    archive: Artefact,
    index: Bytes,
}

impl Edition {
    pub(super) fn make(sources: &Sources) -> Result<Self> {
        let mut artefacts = vec![Artefact::json(
            (String::from("openapi.json"), String::from("OpenAPI 3.1 接口描述")),
            "openapi",
            JSON,
            (None, &sources.openapi),
        )?];
        artefacts.extend(common_codes()?);
        let packs: Vec<&Arc<Pack>> = sources.domains.open().map(|(pack, _)| pack).collect();
        for pack in &packs {
            artefacts.extend(of_pack(pack, &sources.names)?);
        }
        let title = String::from("怎样开始");
        artefacts.push(Artefact::new(
            (String::from("README.md"), title),
            ("guide", "text/markdown; charset=utf-8"),
            None,
            guide::text(&packs).into_bytes(),
        ));
        artefacts.sort_by(|one, other| one.path.cmp(&other.path));
        let mut message = format!("YJ/interface/1\0{VERSION}\n");
        for artefact in &artefacts {
            message += &format!("{}\0{}\n", artefact.path, artefact.sm3);
        }
        let digest = sm3::hex(&sm3::digest(message.as_bytes()));
        let archive = archive(&artefacts)?;
        let pack = |pack: &&Arc<Pack>| {
            json!({
                "code": pack.code, "name": pack.name, "version": pack.version,
                "effective_on": pack.effective_on,
            })
        };
        let index = json!({
            "version": VERSION, "digest": digest, "base": format!("{PATH}/{digest}/"),
            "archive": archive.describe(), "packs": packs.iter().map(pack).collect::<Vec<_>>(),
            "artefacts": artefacts.iter().map(Artefact::describe).collect::<Vec<_>>(),
        });
        let index = serde_json::to_vec(&index).map_err(Problem::internal)?.into();
        Ok(Self { digest, artefacts, archive, index })
    }

    pub(super) fn index(&self) -> Bytes {
        self.index.clone()
    }

    pub(super) fn artefact(&self, path: &str) -> Option<&Artefact> {
        if path == self.archive.path {
            return Some(&self.archive);
        }
        let found = self.artefacts.binary_search_by(|artefact| artefact.path.as_str().cmp(path));
        found.ok().map(|at| &self.artefacts[at])
    }
}

/// The lists that registers and events of every domain use.
fn common_codes() -> Result<Vec<Artefact>> {
    let own = |name: &str, title: &str, codes: &[(&str, &str)]| {
        Codes::fixed((name, title), codes.iter().copied())
    };
    let mut lists = schema::common_codes();
    lists.extend([
        own("subject_kind", "主体类型", SUBJECT_KINDS),
        own("role_kind", "环节角色", ROLE_KINDS),
        own("licence_kind", "许可证照类型", LICENCE_KINDS),
        own("document_kind", "证件类型", DOCUMENT_KINDS),
        own("datum", "坐标系", DATUMS),
    ]);
    let mut files = Vec::new();
    for list in lists {
        let (path, title) = (format!("codelists/{}", list.name), list.title.clone());
        files.extend(Artefact::codes((&path, &title), None, &[list])?);
    }
    Ok(files)
}

fn of_pack(pack: &Pack, names: &StandardNames) -> Result<Vec<Artefact>> {
    let (code, version, day) = (&pack.code, pack.version, Some(pack.effective_on));
    let mut files = Vec::new();
    let xsd = schema::xsd(pack, names);
    files.push(Artefact::new(
        (format!("xsd/{code}/{version}.xsd"), format!("{}追溯事件（XML）", pack.name)),
        ("xsd", XML),
        day,
        xsd.into_bytes(),
    ));
    let codes = schema::pack_codes(pack);
    let title = format!("{}代码表", pack.name);
    files.extend(Artefact::codes((&format!("codelists/{code}/{version}"), &title), day, &codes)?);
    let folder = format!("schemas/{code}/{version}");
    if let Some(product) = schema::product_schema(pack, names) {
        let named =
            (format!("{folder}/product-attributes.schema.json"), format!("{}产品属性", pack.name));
        files.push(Artefact::json(named, "schema", SCHEMA, (day, &product))?);
    }
    for (stage, event) in pack.events() {
        let named = (
            format!("{folder}/{}.schema.json", event.code),
            format!("{}·{}", pack.name, event.name),
        );
        let document = schema::event_schema(pack, (stage, event), names);
        files.push(Artefact::json(named, "schema", SCHEMA, (day, &document))?);
        files.extend(examples(pack, event)?);
    }
    Ok(files)
}

fn examples(pack: &Pack, event: &EventSpec) -> Result<Vec<Artefact>> {
    let Some(example) = schema::example(pack, event) else { return Ok(Vec::new()) };
    let day = Some(pack.effective_on);
    let named = |ending: &str| {
        let path = format!("examples/{}/{}/{}.{ending}", pack.code, pack.version, event.code);
        (path, format!("示例：{}·{}", pack.name, event.name))
    };
    let xml = schema::example_xml(&example).into_bytes();
    Ok(vec![
        Artefact::json(named("json"), "example", JSON, (day, &example))?,
        Artefact::new(named("xml"), ("example", XML), day, xml),
    ])
}

/// All files in one. The same files give the same bytes.
fn archive(artefacts: &[Artefact]) -> Result<Artefact> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default().compression_method(CompressionMethod::Deflated);
    for artefact in artefacts {
        writer.start_file(artefact.path.as_str(), options).map_err(Problem::internal)?;
        writer.write_all(&artefact.bytes).map_err(Problem::internal)?;
    }
    let bytes = writer.finish().map_err(Problem::internal)?.into_inner();
    let named = (String::from(ARCHIVE), String::from("全部文件"));
    Ok(Artefact::new(named, ("archive", "application/zip"), None, bytes))
}
