//! Coding of the demonstration (G-5.4.4): prefixes that some subjects give codes under, links of a
//! product, and resolvers further up; all of them fictional, and nobody outside is asked.

use yj_kernel::{Ctx, Problem, Result, Tx};
use yj_product::{CodeRule, ResolverLink, ResolverUpstream};

use super::registers::subject_code;
use crate::Assembled;

/// Registers them; the subjects and products of the golden chains are there.
pub async fn load_codes(assembled: &Assembled) -> Result<()> {
    let ctx = assembled.app.on_own_behalf("demo");
    let mut tx = ctx.begin().await?;
    rules(&ctx, &mut tx).await?;
    links(&ctx, &mut tx).await?;
    upstreams(&ctx, &mut tx).await?;
    tx.commit().await
}

async fn rules(ctx: &Ctx, tx: &mut Tx) -> Result<()> {
    let until = ctx.now + jiff::SignedDuration::from_hours(700 * 24);
    let until = until.strftime("%Y-%m-%d").to_string();
    for (subject, scheme, prefix, issuer) in [
        ("P1", "gs1", "6901234", "示例物品编码机构"),
        ("P1", "ma", "MA.156.M0.9001", "示例编码机构"),
        ("F1", "handle", "88.118.9001", "示例工业互联网标识机构"),
        ("V1", "equipment", "215019001", "示例特种设备许可机构"),
    ] {
        let code = subject_code(subject)?;
        let found = yj_subject::by_codes(tx, &[code.as_str()]).await?.into_values().next();
        let found = found.ok_or_else(|| Problem::internal("a demonstration subject is missing"))?;
        let rule = CodeRule {
            name: None,
            scheme: String::from(scheme),
            prefix: String::from(prefix),
            subject_id: found.id.parse().map_err(Problem::internal)?,
            region: None,
            issuer: Some(String::from(issuer)),
            valid_until: Some(until.clone()),
            levels: None,
            in_use: true,
        };
        tx.insert(ctx, &rule).await?;
    }
    Ok(())
}

async fn links(ctx: &Ctx, tx: &mut Tx) -> Result<()> {
    let found = yj_product::by_gtin(tx, "06901234567892").await?;
    let product = found.ok_or_else(|| Problem::internal("a demonstration product is missing"))?;
    for (kind, title, href, media_type, lot) in [
        ("pip", "示例韭菜产品介绍", "https://www.example.cn/chives", "text/html", None),
        (
            "certificationInfo",
            "示例绿色食品证书",
            "https://www.example.cn/chives/certificate.pdf",
            "application/pdf",
            None,
        ),
        (
            "certificationInfo",
            "示例批次检测报告",
            "https://www.example.cn/chives/P1-Y.pdf",
            "application/pdf",
            Some("P1-Y"),
        ),
    ] {
        let link = ResolverLink {
            product_id: product.id.parse().map_err(Problem::internal)?,
            lot: lot.map(str::parse).transpose().map_err(Problem::internal)?,
            subject_id: None,
            region: None,
            link_type: String::from(kind),
            title: String::from(title),
            href: String::from(href),
            language: String::from("zh"),
            media_type: String::from(media_type),
            in_use: true,
        };
        tx.insert(ctx, &link).await?;
    }
    Ok(())
}

async fn upstreams(ctx: &Ctx, tx: &mut Tx) -> Result<()> {
    for (name, scheme, prefix, address) in [
        ("示例 GS1 解析", "gs1", None, "https://gs1.example.cn{path}"),
        ("示例工业互联网标识解析", "handle", Some("88."), "https://id.example.cn/resolve?id={id}"),
    ] {
        let upstream = ResolverUpstream {
            name: String::from(name),
            scheme: String::from(scheme),
            prefix: prefix.map(String::from),
            address: String::from(address),
            // The addresses are nobody's: asking them would only take time.
            in_use: false,
        };
        tx.insert(ctx, &upstream).await?;
    }
    Ok(())
}
