//! What an identifier stands for here. Whatever is found, the same questions are asked of the
//! database: how long an answer takes tells a code that is not public from none (handbook §2.9).

use serde_json::{Value, json};
use yj_kernel::{App, DataClass, Result, Tx};
use yj_model::{Recognised, Scheme, sought_code};
use yj_product::{MintedCode, ProductBrief, ProductState, PublicLink, Sought};

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
    /// Whether it is a code that its issuer made void, and whose batch is no secret.
    pub(crate) is_void: bool,
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

/// The codes under which units may be registered for a reading, and whether a code is but a part of
/// what was asked: a serial number means nothing without its product.
fn unit_codes(text: &str, readings: &[Recognised]) -> Vec<(String, bool)> {
    let mut codes = vec![(String::from(text), false)];
    codes.extend(sought_code(text).ok().map(|code| (code.to_string(), false)));
    for reading in readings {
        codes.push((reading.canonical.clone(), false));
        codes.extend(reading.part("serial").map(|code| (String::from(code), true)));
    }
    codes
}

/// Whether a text names a product and nothing finer: all its lots, and none of them.
fn names_class(readings: &[Recognised]) -> bool {
    let finer = ["lot", "serial", "third_party_serial"];
    part(readings, "gtin").is_some() && finer.iter().all(|name| part(readings, name).is_none())
}

/// Whose a code is: that of a batch belongs to the batch's product, one that names a product to that
/// product. Whatever else was registered under it by anybody is not what was asked for.
fn is_rightful(
    unit_product: Option<&String>,
    (minted, by_gtin): (Option<&MintedCode>, Option<&ProductBrief>),
    is_part: bool,
) -> bool {
    match (minted.and_then(|code| code.product_id.as_ref()), by_gtin) {
        (Some(product), _) => unit_product == Some(product),
        (None, Some(product)) => unit_product == Some(&product.id),
        (None, None) => !is_part,
    }
}

/// What a text is, before anything is asked of what it leads to.
#[derive(Debug)]
pub(crate) struct Named {
    sought: Sought,
    by_gtin: Option<ProductBrief>,
    /// The unit that is rightfully registered under it.
    unit: Option<String>,
    /// Whether that is what the text names, rather than a part of it.
    whole: bool,
}

impl Named {
    /// The unit that is registered under this very code, in whatever spelling, and is what the code was
    /// given for.
    pub(crate) fn unit(&self) -> Option<&str> {
        self.unit.as_deref().filter(|_| self.whole)
    }

    /// The product of a single piece, which shares its lot with others.
    pub(crate) fn product_of_piece(&self, readings: &[Recognised]) -> Option<&str> {
        let minted = self.sought.found.as_ref();
        let pieces = ["serial", "third_party_serial"];
        let is_piece = minted.is_some() || pieces.iter().any(|name| part(readings, name).is_some());
        let product = minted.and_then(|code| code.product_id.as_ref());
        let product = product.or_else(|| Some(&self.by_gtin.as_ref()?.id));
        product.map(String::as_str).filter(|_| is_piece)
    }
}

/// Looks an identifier up.
pub(crate) async fn find(
    app: &App,
    tx: &mut Tx,
    (text, readings): (&str, &[Recognised]),
) -> Result<Found> {
    let named = name(app, tx, (text, readings)).await?;
    follow(app, tx, (named, readings)).await
}

/// The code of a batch, the product and the unit that a text names.
pub(crate) async fn name(
    app: &App,
    tx: &mut Tx,
    (text, readings): (&str, &[Recognised]),
) -> Result<Named> {
    let mut sought = yj_product::minted(app, tx, readings).await?;
    // Asked also where there is nothing to find: what is unknown takes as long.
    let gtin = part(readings, "gtin").unwrap_or_default();
    let by_gtin = yj_product::by_gtin(tx, &gtin).await?;
    let codes = unit_codes(text, readings);
    let named: Vec<&str> = codes.iter().map(|(code, _)| code.as_str()).collect();
    let named = yj_trace::registered(tx, &named).await?;
    let whose = (sought.found.as_ref(), by_gtin.as_ref());
    let unit = codes.iter().find(|(code, is_part)| {
        named.get(code).is_some_and(|one| is_rightful(one.product_id.as_ref(), whose, *is_part))
    });
    // A piece of another lot than the one beside its serial number is not the piece that is meant.
    let minted_lot = sought.found.as_ref().and_then(|code| code.lot.as_ref());
    let unit_lot = unit.and_then(|(code, _)| named.get(code)?.lot.as_ref());
    let astray = is_of_another_lot(readings, [minted_lot, unit_lot]);
    // The barcode of a product is on all its lots, whoever registered one of them under it.
    let of_class = by_gtin.is_some() && sought.found.is_none() && names_class(readings);
    let unit = unit.filter(|_| !of_class && !astray);
    let whole = unit.is_some_and(|(_, is_part)| !is_part);
    let unit = unit.map(|(code, _)| code.clone());
    if astray {
        sought.found = None;
    }
    Ok(Named { sought, by_gtin, unit, whole })
}

/// Whether a text names a piece and beside it a lot, and the piece is known to be of none that is called so.
fn is_of_another_lot(readings: &[Recognised], known: [Option<&String>; 2]) -> bool {
    let pieces = ["serial", "third_party_serial"];
    let names_piece = pieces.iter().any(|name| part(readings, name).is_some());
    let lot = part(readings, "lot").filter(|_| names_piece);
    lot.is_some_and(|lot| known.into_iter().flatten().any(|own| *own != lot))
}

fn part(readings: &[Recognised], name: &str) -> Option<String> {
    let gs1 = readings.iter().find(|reading| reading.scheme == Scheme::Gs1);
    gs1.and_then(|reading| reading.part(name)).map(String::from)
}

/// What there is to what a text names.
pub(crate) async fn follow(
    app: &App,
    tx: &mut Tx,
    (named, readings): (Named, &[Recognised]),
) -> Result<Found> {
    let Named { sought, by_gtin, unit, .. } = named;
    let part = |name: &str| part(readings, name);
    let lot = part("lot");
    let is_void = unit.is_none() && sought.found.as_ref().is_some_and(MintedCode::is_void);
    let minted = sought.found.filter(MintedCode::is_public);
    let id = minted.as_ref().and_then(|code| code.product_id.clone()).unwrap_or_default();
    let by_code = yj_product::by_ids(tx, &[&id]).await?.into_values().next();
    // A serial number that a batch did not give names nothing, however well its product is known.
    let unknown_serial =
        (part("serial").or_else(|| part("third_party_serial"))).is_some() && minted.is_none();
    let product = by_code.or(by_gtin.filter(|_| !unknown_serial));
    let lot = minted.as_ref().and_then(|code| code.lot.clone()).or(lot);
    let id = product.as_ref().map_or("", |product| product.id.as_str());
    let of_lot = yj_trace::unit_of_lot(app, tx, (id, lot.as_deref())).await?;
    let links = yj_product::public_links(tx, id, lot.as_deref()).await?;
    let gln = part("gln").or_else(|| part("party")).unwrap_or_default();
    let subject = yj_subject::by_codes(tx, &[&gln]).await?.into_values().next();
    let subject = subject.map(|subject| String::from(subject.name_for(DataClass::Internal)));
    let mut registered = false;
    for reading in readings.iter().take(2) {
        registered |= yj_product::is_registered(tx, reading).await?;
    }
    // A lot that is named and has no unit is no other lot of its product.
    let named_lot = lot.is_none() || of_lot.is_known || minted.is_some();
    let unit = unit.or_else(|| of_lot.unit.filter(|_| product.is_some()));
    let product = product.filter(|_| (named_lot || unit.is_some()) && !is_void);
    Ok(Found { ours: sought.ours || registered, is_void, unit, minted, product, subject, links })
}

impl Found {
    /// The product, where nothing but the product is named.
    pub(crate) fn class(&self) -> Option<&ProductBrief> {
        self.product.as_ref().filter(|_| self.unit.is_none() && self.minted.is_none())
    }

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
        let state = match (recalled, self.class()) {
            (true, _) => "recalled",
            (false, Some(_)) => "class",
            (false, None) => "found",
        };
        Some(json!({
            "code": code,
            "state": state,
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
