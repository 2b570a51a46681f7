//! What an identifier stands for here. Whatever is found, the same questions are asked of the
//! database: how long an answer takes tells a code that is not public from none (handbook §2.9).

use serde_json::{Value, json};
use yj_kernel::{App, DataClass, Result, Tx};
use yj_model::{Recognised, Scheme};
use yj_product::{MintedCode, ProductBrief, ProductState, PublicLink};

/// What an identifier stands for.
#[derive(Debug, Default)]
pub(crate) struct Found {
    /// The unit whose story is told.
    pub(crate) unit: Option<String>,
    /// The code of a batch, where it is public.
    pub(crate) minted: Option<MintedCode>,
    /// The product.
    pub(crate) product: Option<ProductBrief>,
    /// The subject that a location number names, by the name the public may know.
    pub(crate) subject: Option<String>,
    /// Further links of the product.
    pub(crate) links: Vec<PublicLink>,
    /// Whether this platform answers for the identifier, known or not: nobody else is asked then.
    pub(crate) ours: bool,
}

impl Found {
    /// Whether there is anything that the public may know.
    pub(crate) fn is_public(&self) -> bool {
        self.unit.is_some()
            || self.minted.is_some()
            || self.product.is_some()
            || self.subject.is_some()
    }
}

/// The codes under which units may be registered for a reading.
fn unit_codes<'a>(text: &'a str, readings: &'a [Recognised]) -> Vec<&'a str> {
    let mut codes = vec![text];
    for reading in readings {
        codes.push(reading.canonical.as_str());
        for name in ["sscc", "serial"] {
            codes.extend(reading.part(name));
        }
        if reading.part("lot").is_none() && reading.part("serial").is_none() {
            codes.extend(reading.part("gtin"));
        }
    }
    codes
}

/// Looks an identifier up.
pub(crate) async fn find(
    app: &App,
    tx: &mut Tx,
    (text, readings): (&str, &[Recognised]),
) -> Result<Found> {
    let unit = yj_trace::known_code(tx, &unit_codes(text, readings)).await?;
    let sought = yj_product::minted(app, tx, readings).await?;
    let minted = sought.found.filter(MintedCode::is_public);
    let gs1 = readings.iter().find(|reading| reading.scheme == Scheme::Gs1);
    let part = |name: &str| gs1.and_then(|reading| reading.part(name)).map(String::from);
    let (gtin, lot) = (part("gtin"), part("lot"));
    let by_gtin = yj_product::by_gtin(tx, gtin.as_deref().unwrap_or_default()).await?;
    let id = minted.as_ref().and_then(|code| code.product_id.clone()).unwrap_or_default();
    let by_code = yj_product::by_ids(tx, &[&id]).await?.into_values().next();
    // A serial number that a batch did not give names nothing, however well its product is known.
    let unknown_serial = part("serial").is_some() && minted.is_none();
    let product = by_code.or(by_gtin.filter(|_| !unknown_serial));
    let lot = minted.as_ref().and_then(|code| code.lot.clone()).or(lot);
    let id = product.as_ref().map_or("", |product| product.id.as_str());
    let of_lot = yj_trace::unit_of_lot(tx, id, lot.as_deref()).await?;
    let links = yj_product::public_links(tx, id, lot.as_deref()).await?;
    let gln = part("gln").or_else(|| part("party")).unwrap_or_default();
    let subject = yj_subject::by_codes(tx, &[&gln]).await?.into_values().next();
    let subject = subject.map(|subject| String::from(subject.name_for(DataClass::Internal)));
    let mut registered = false;
    for reading in readings.iter().take(2) {
        registered |= yj_product::is_registered(tx, reading).await?;
    }
    // A lot that is named and has no unit is not the newest of another lot.
    let named_lot = lot.is_none() || of_lot.is_some() || minted.is_some();
    let unit = unit.or_else(|| of_lot.filter(|_| product.is_some()));
    let product = product.filter(|_| named_lot || unit.is_some());
    Ok(Found { ours: sought.ours || registered, unit, minted, product, subject, links })
}

impl Found {
    /// What the public page tells where there is no story of a unit.
    pub(crate) fn story(&self, code: &str) -> Option<Value> {
        if !self.is_public() {
            return None;
        }
        let minted = self.minted.as_ref();
        let recalled =
            self.product.as_ref().map(|product| product.state) == Some(ProductState::Recalling);
        let product = self.product.as_ref().map(|product| {
            json!({
                "code": product.code, "name": product.name, "spec": product.spec,
                "brand": product.brand, "standard_no": product.standard_no,
            })
        });
        let product = product.or_else(|| self.subject.as_ref().map(|name| json!({ "name": name })));
        Some(json!({
            "code": code,
            "state": if recalled { "recalled" } else { "found" },
            "recall": recalled.then(|| json!({
                "reason": "产品正在召回", "advice": "请停止使用，并联系销售者或生产者",
            })),
            "product": product,
            "lot": minted.and_then(|code| code.lot.clone()),
            "produced_on": minted.and_then(|code| code.produced_on.clone()),
            "expires_on": minted.and_then(|code| code.expires_on.clone()),
            "steps": [],
        }))
    }
}
