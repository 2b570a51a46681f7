//! Typed terms of the GS1 Web Vocabulary, whose JSON-LD context says that a member's plain word
//! stands for a URI. Such a context lives elsewhere and is not fetched; what of it is known stands
//! here as data.
//!
//! Source: the context of the GS1 Web Vocabulary as GS1's event hash generator bundles it
//! (`gs1_web_voc_context_files/global_2025-09-26.jsonld`, terms with `"@type": "@vocab"` and
//! classes), and that generator's published texts for the EUDR context. Lists whose members are not
//! known for sure are left out: their words stay as they are.

use crate::context::Context;

const VOC: &str = "https://ref.gs1.org/voc/";

/// Members, and the list that their words belong to.
const LISTS: [(&str, &str); 8] = [
    ("acceptedPaymentMethod", "PaymentMethod"),
    ("additiveLevelOfContainment", "LevelOfContainmentCode"),
    ("allergenLevelOfContainmentCode", "LevelOfContainmentCode"),
    ("allergenType", "AllergenTypeCode"),
    ("locationID_Type", "LocationID_Type"),
    ("locationRoleType", "LocationRoleType"),
    ("regulationType", "RegulationTypeCode"),
    ("regulatoryIdentifierType", "RegulatoryIdentifierType"),
];

/// Classes, which `type` names.
#[rustfmt::skip]
const CLASSES: [&str; 50] = [
    "AdditionalProductClassificationDetails", "AdditiveDetails", "AllergenDetails",
    "AuthenticityDetails", "AwardPrizeDetails", "Beverage", "Brand", "CertificationDetails",
    "Clothing", "ColourCodeDetails", "CompulsoryAdditionalInformation", "ContactPoint", "Country",
    "DietTypeCodeDetails", "Discount", "FoodAndBeveragePreparationInformation",
    "FoodBeverageTobaccoIngredientDetails", "FoodBeverageTobaccoProduct", "Footwear",
    "FruitsVegetables", "GeoCoordinates", "GeoShape", "LocationID_Details",
    "LocationStatusHistory", "MeatPoultry", "MilkButterCreamYogurtCheeseEggsSubstitutes",
    "NutritionMeasurementType", "Offer", "OrganicClaimDetails", "Organization",
    "OrganizationID_Details", "OrganizationStatusHistory", "PackagingDetails",
    "PackagingMaterialDetails", "Place", "PostalAddress", "PriceSpecification", "Product",
    "ProductYieldDetails", "QuantitativeValue", "ReferencedFileDetails",
    "ReturnablePackageDepositDetails", "Seafood", "SizeCodeDetails", "SizeDetails",
    "TargetMarketDetails", "TextileMaterialDetails", "TypeCode", "WarrantyPromise",
    "WearableProduct",
];

/// Whether a context that lives elsewhere is one of the GS1 Web Vocabulary.
fn is_of_web_vocabulary(uri: &str) -> bool {
    let own = ["https://ref.gs1.org/", "https://gs1.org/", "https://www.gs1.org/"];
    own.iter().any(|from| uri.starts_with(from)) || uri.to_ascii_lowercase().contains("gs1webvoc")
}

/// The URI that a member's word stands for, where the document's contexts say so.
pub(crate) fn in_full(key: &str, word: &str, context: &Context) -> Option<String> {
    if !context.elsewhere().iter().any(|uri| is_of_web_vocabulary(uri)) {
        return None;
    }
    if matches!(key, "type" | "@type") {
        return CLASSES.contains(&word).then(|| format!("{VOC}{word}"));
    }
    let bare = match key.split_once(':') {
        Some((prefix, local)) => (context.namespace(prefix) == Some(VOC)).then_some(local)?,
        None => key,
    };
    let (_, list) = LISTS.iter().find(|(member, _)| *member == bare)?;
    is_word(word).then(|| format!("{VOC}{list}-{word}"))
}

/// Codes of these lists are capitals, digits, `_` and `-`, anything else escaped.
fn is_word(text: &str) -> bool {
    let sound =
        |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || b"_-%".contains(&byte);
    !text.is_empty() && text.bytes().all(sound)
}
