use jiff::civil::date;
use proptest::prelude::*;

use super::*;
use crate::TraceCode;

/// Every scheme with a text, its canonical form, and whether something else fits too.
const EXAMPLES: &[(&str, Scheme, &str)] = &[
    ("00A7K29QX4T0VB8M3EJB", Scheme::Own, "00A7K29QX4T0VB8M3EJB"),
    ("https://trace.example.cn/t/00A7K29QX4T0VB8M3EJB", Scheme::Own, "00A7K29QX4T0VB8M3EJB"),
    (
        "https://trace.example.cn/01/06901234567892/10/L20261101A/21/000123?17=270501",
        Scheme::Gs1,
        "/01/06901234567892/10/L20261101A/21/000123",
    ),
    ("https://id.gs1.org/shop/01/6901234567892", Scheme::Gs1, "/01/06901234567892"),
    ("/414/6901234000016", Scheme::Gs1, "/414/6901234000016"),
    ("/8004/6901234X1", Scheme::Gs1, "/8004/6901234X1"),
    ("(01)06901234567892(10)L1(21)A(2", Scheme::Gs1, "/01/06901234567892/10/L1/21/A%282"),
    ("]d20106901234567892172705011OL", Scheme::Gs1, ""),
    ("]C10106901234567892\u{1d}10L1\u{1d}215", Scheme::Gs1, "/01/06901234567892/10/L1/21/5"),
    ("010690123456789217270501", Scheme::Gs1, "/01/06901234567892"),
    ("urn:epc:id:sgtin:6901234.056789.1001", Scheme::Gs1, "/01/06901234567892/21/1001"),
    ("urn:epc:class:lgtin:6901234.056789.L1", Scheme::Gs1, "/01/06901234567892/10/L1"),
    ("urn:epc:id:sscc:0614141.1234567890", Scheme::Gs1, "/00/106141412345678908"),
    ("urn:epc:id:sgln:6901234.00001.0", Scheme::Gs1, "/414/6901234000016"),
    ("6901234567892", Scheme::Gs1, "/01/06901234567892"),
    ("16901234567899", Scheme::Gs1, "/01/16901234567899"),
    ("40170725", Scheme::Gs1, "/01/00000040170725"),
    ("106141412345678908", Scheme::Gs1, "/00/106141412345678908"),
    ("ecode:100017", Scheme::Ecode, "100017"),
    ("312345ABC9", Scheme::Ecode, "312345ABC9"),
    ("ecode:412345示例", Scheme::Ecode, "412345示例"),
    ("ma.156.m0.1001/20261101", Scheme::Ma, "MA.156.M0.1001/20261101"),
    ("88.118.8/A01.2", Scheme::Handle, "88.118.8/A01.2"),
    ("VAA08810001/X1", Scheme::Vaa, "VAA08810001/X1"),
    ("urn:oid:1.2.156.1001.1", Scheme::Oid, "1.2.156.1001.1"),
    ("81234567890123456789", Scheme::Drug, "81234567890123456789"),
    ("12000012001123456789012345678901", Scheme::Pesticide, "12000012001123456789012345678901"),
    ("202611010123412345678901", Scheme::VeterinaryDrug, "202611010123412345678901"),
    ("00126123456789012", Scheme::Organic, "00126123456789012"),
    ("21501000120260001", Scheme::Equipment, "21501000120260001"),
    ("215010001202600001", Scheme::Equipment, "215010001202600001"),
    ("F00010001202600001", Scheme::Equipment, "F00010001202600001"),
    ("1M8GDM9AXKP042788", Scheme::Vin, "1M8GDM9AXKP042788"),
    ("610116001", Scheme::MeatVegetable, "610116001"),
    ("6101160010001", Scheme::MeatVegetable, "6101160010001"),
    ("61011600100010000001", Scheme::MeatVegetable, "61011600100010000001"),
    ("did:web:example.cn", Scheme::Did, "did:web:example.cn"),
];

#[test]
fn every_scheme_is_told_by_its_longest_grammar() {
    for (text, scheme, canonical) in EXAMPLES {
        let found = recognise(text);
        if canonical.is_empty() {
            assert_eq!(found, None, "{text}");
            continue;
        }
        let found = found.unwrap_or_else(|| panic!("{text} is nothing"));
        assert_eq!((found.scheme, found.canonical.as_str()), (*scheme, *canonical), "{text}");
        // What is canonical reads as itself. A mark of Ecode is needed where the version is 4.
        let again = candidates(canonical);
        let same = again.iter().any(|one| one.scheme == *scheme && one.canonical == *canonical);
        assert!(same || canonical.starts_with('4'), "{canonical}: {again:?}");
    }
}

#[test]
fn of_two_grammars_of_one_length_the_first_is_certain_and_both_are_told() {
    let schemes = |text: &str| candidates(text).iter().map(|one| one.scheme).collect::<Vec<_>>();
    // A division of the eighth region, and a month: three readings of twenty digits.
    assert_eq!(schemes("81008100002026110001"), [Scheme::Drug, Scheme::Equipment]);
    assert_eq!(schemes("81000000100010000001"), [Scheme::Drug, Scheme::MeatVegetable]);
    // Twenty digits with a check of ours by chance are read as what numbers are, and as ours too.
    let by_chance = (0..200_000_u64)
        .map(|serial| format!("8123456{serial:013}"))
        .find(|code| TraceCode::is_own(code))
        .expect("one of 1021 has it");
    assert_eq!(schemes(&by_chance), [Scheme::Drug, Scheme::Own]);
    // Seventeen digits with a year at its place.
    assert_eq!(schemes("21501000120260001")[..2], [Scheme::Equipment, Scheme::Organic]);
    // A GTIN-13 may begin as a division does.
    assert_eq!(schemes("6101160010008"), [Scheme::MeatVegetable, Scheme::Gs1]);
}

#[test]
fn what_only_looks_like_one_is_none() {
    for text in [
        "",
        " ",
        "韭菜",
        "/01/06901234567893",
        "/01/06901234567892/21/1/10/A",
        "/01/06901234567892/10",
        "https://trace.example.cn/",
        "(01)06901234567892(01)06901234567892",
        "MA.156./1",
        "88.118.8",
        "1.2.156.01",
        "1M8GDM9A1KP042788",
        "902613010123412345678901",
        &"1".repeat(600),
    ] {
        assert_eq!(recognise(text), None, "{text}");
    }
}

#[test]
fn prefixes_are_checked_by_scheme() {
    for (scheme, text, wanted) in [
        (Scheme::Gs1, "6901234", "6901234"),
        (Scheme::Ecode, "10001", "10001"),
        (Scheme::Ma, "ma.156.m0.1001", "MA.156.M0.1001"),
        (Scheme::Handle, "88.118.8", "88.118.8"),
        (Scheme::Vaa, "VAA08810001", "VAA08810001"),
        (Scheme::Oid, "1.2.156.1001", "1.2.156.1001"),
        (Scheme::Drug, "8123456", "8123456"),
        (Scheme::Pesticide, "12000012001", "12000012001"),
        (Scheme::VeterinaryDrug, "01234", "01234"),
        (Scheme::Organic, "001", "001"),
        (Scheme::Equipment, "215010001", "215010001"),
        (Scheme::MeatVegetable, "6101160010001", "6101160010001"),
    ] {
        assert_eq!(prefix_of(scheme, text).as_deref(), Ok(wanted), "{text}");
        let wrong = ["", "8", "/", "示例", "88.118.8/1"];
        assert!(wrong.iter().all(|text| prefix_of(scheme, text).is_err()), "{scheme:?}");
    }
    let short = prefix_of(Scheme::Gs1, "69212345678").unwrap_err().to_string();
    assert!(short.contains("应为 8 位"), "{short}");
}

fn wanted(scheme: Scheme, prefix: &'static str, chance: bool) -> Wanted<'static> {
    Wanted { scheme, prefix, chance, gtin: None, today: date(2026, 11, 19) }
}

#[test]
fn codes_that_are_made_lead_back_to_their_number() {
    let gtin = "06901234567892".parse().unwrap();
    let item = |chance| Wanted { gtin: Some(&gtin), ..wanted(Scheme::Gs1, "6901234", chance) };
    for wanted in [
        wanted(Scheme::Own, "", true),
        item(true),
        item(false),
        wanted(Scheme::Gs1, "6901234", false),
        wanted(Scheme::Gs1, "69212345", false),
        wanted(Scheme::Ecode, "10001", true),
        wanted(Scheme::Ecode, "312345", true),
        wanted(Scheme::Ecode, "312345", false),
        wanted(Scheme::Ma, "MA.156.M0.1001", true),
        wanted(Scheme::Ma, "MA.156.M0.1001", false),
        wanted(Scheme::Handle, "88.118.8", true),
        wanted(Scheme::Vaa, "VAA08810001", false),
        wanted(Scheme::Oid, "1.2.156.1001", false),
        wanted(Scheme::Drug, "8123456", true),
        wanted(Scheme::Drug, "8123456", false),
        wanted(Scheme::Pesticide, "12000012001", true),
        wanted(Scheme::VeterinaryDrug, "01234", true),
        wanted(Scheme::Organic, "001", true),
        wanted(Scheme::Equipment, "215010001", false),
        wanted(Scheme::MeatVegetable, "6101160010001", false),
    ] {
        let form = wanted.form(17).unwrap();
        assert_eq!(Tail::from_code(&form.tail.code()), Some(form.tail));
        for number in [0, 1, 4_321, form.tail.capacity() - 1] {
            let number = number.max(wanted.first());
            let code = form.code(number);
            let found = candidates(&code);
            let back = found.iter().filter(|one| one.scheme == form.scheme).flat_map(forms_of);
            let back: Vec<Split> = back.collect();
            let made = Split { head: form.head.clone(), tail: form.tail, value: number };
            assert!(back.contains(&made), "{code}: {back:?} has not {made:?}");
            assert!(back.len() <= 6);
        }
    }
    let refused = |wanted: Wanted<'_>| wanted.form(0).unwrap_err().to_string();
    assert!(refused(wanted(Scheme::Pesticide, "12000012001", false)).contains("只能随机"));
    assert!(refused(wanted(Scheme::Oid, "1.2.156.1001", true)).contains("只能顺序"));
    let foreign = Wanted { prefix: "6907777", ..item(true) };
    assert!(refused(foreign).contains("不属于厂商识别代码"));
}

proptest! {
    #[test]
    fn no_text_is_too_strange(text in "\\PC{0,80}") {
        for found in candidates(&text) {
            prop_assert!(forms_of(&found).len() <= 6);
        }
        for (code, _) in SCHEMES {
            let _ = prefix_of(Scheme::from_code(code).unwrap(), &text);
        }
    }

    #[test]
    fn no_link_is_too_strange(text in "(https://a|http://b/|)(/(01|00|10|21|8006|id|t|%E9)){0,6}(/[0-9A-Z%]{0,20}){0,4}(\\?[0-9a-z=&%]{0,12})?") {
        let _ = candidates(&text);
    }

    #[test]
    fn elements_and_links_mean_the_same(lot in "[!-\"%-'*-?A-Z_a-z]{1,20}", serial in "[0-9A-Z/.]{1,20}") {
        let text = format!("(01)06901234567892(10){lot}(21){serial}");
        let found = recognise(&text).unwrap();
        prop_assert_eq!(found.part("lot"), Some(lot.as_str()));
        let again = recognise(&found.canonical).unwrap();
        prop_assert_eq!(&again.canonical, &found.canonical);
        let sent = format!("]C10106901234567892\u{1d}10{lot}\u{1d}21{serial}");
        prop_assert_eq!(recognise(&sent).unwrap().canonical, found.canonical);
    }
}
