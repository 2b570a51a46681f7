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
    ("Ecode:100010123", Scheme::Ecode, "100010123"),
    ("ECODE:100010123", Scheme::Ecode, "100010123"),
    ("URN:Ecode:400001物品", Scheme::Ecode, "400001物品"),
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
    ("/gtin/6901234567892/lot/L1", Scheme::Gs1, "/01/06901234567892/10/L1"),
    ("/sscc/106141412345678908/", Scheme::Gs1, "/00/106141412345678908"),
    ("https://trace.example.cn/8004/6901234X1?01=6901234567892", Scheme::Gs1, "/8004/6901234X1"),
    ("/01/06901234567892/235/TPX1", Scheme::Gs1, "/01/06901234567892/235/TPX1"),
    ("/253/6901234000016DOC-1", Scheme::Gs1, "/253/6901234000016DOC-1"),
    ("/255/69012340000161234", Scheme::Gs1, "/255/69012340000161234"),
    ("/401/6901234ABC", Scheme::Gs1, "/401/6901234ABC"),
    ("/402/69012340000000016", Scheme::Gs1, "/402/69012340000000016"),
    ("/415/6901234000016/8020/REF1", Scheme::Gs1, "/415/6901234000016/8020/REF1"),
    ("/8010/6901234PART-1/8011/7", Scheme::Gs1, "/8010/6901234PART-1/8011/7"),
    ("/8013/1987654Ad4X4bL5ttr2310c2K", Scheme::Gs1, "/8013/1987654Ad4X4bL5ttr2310c2K"),
    ("/417/6901234000016/7040/1ABC", Scheme::Gs1, "/417/6901234000016/7040/1ABC"),
    (
        "(00)106141412345678908(401)6901234X(410)6901234000016",
        Scheme::Gs1,
        "/00/106141412345678908",
    ),
    ("]E06901234567892", Scheme::Gs1, "/01/06901234567892"),
    ("^0106901234567892^10L1^215", Scheme::Gs1, "/01/06901234567892/10/L1/21/5"),
    ("urn:epc:id:grai:6901234.00001.A1", Scheme::Gs1, "/8003/06901234000016A1"),
    ("urn:epc:id:gdti:6901234.00001.A%2F1", Scheme::Gs1, "/253/6901234000016A%2F1"),
    ("urn:epc:idpat:sgtin:6901234.056789.*", Scheme::Gs1, "/01/06901234567892"),
    ("urn:epc:tag:sgtin-96:3.6901234.056789.1", Scheme::Gs1, "/01/06901234567892/21/1"),
    ("urn:epc:tag:sscc-96:0.6901234.1234567890", Scheme::Gs1, "/00/169012342345678902"),
    ("urn:epc:id:upui:6901234.056789.T1", Scheme::Gs1, "/01/06901234567892/235/T1"),
    ("urn:epc:id:itip:6901234.056789.01.02.S1", Scheme::Gs1, "/8006/069012345678920102/21/S1"),
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
        "(01)06901234567892(01)16901234567899",
        "MA.156./1",
        "88.118.8",
        "1.2.156.01",
        "1M8GDM9A1KP042788",
        "/01/06901234567892?17=271301",
        "/01/06901234567892?17=270231",
        "/01/06901234567892?10=L1",
        "/01/06901234567892?01=06901234567892",
        "/01/06901234567892?9999=1",
        "/01/06901234567892/235/T1/21/1",
        "/01//10/L1",
        "/01/06901234567892/10/A\"1",
        "/00/106141412345678908?10=L1",
        "(00)106141412345678908(02)06901234567892",
        "(01)06901234567892(254)1",
        "/01/06901234567892/10/%ZZ",
        "(01)6901234567892",
        "(01)06901234567892(422)157",
        "(01)06901234567892(02)06901234567892(37)1",
        "urn:epc:id:sgtin:69012.3456789.1",
        "urn:epc:class:lgtin:6901234.056789.L/1",
        "urn:epc:idpat:sgtin:6901234.*.*",
        "urn:epc:class:sgtin:6901234.056789.1",
        "https://id.gs1.org/ARFGZo9JFoBkT8A",
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

/// What is said of a text that is none.
fn said(text: &str) -> String {
    assert_eq!(recognise(text), None, "{text}");
    why_not(text).to_string()
}

#[test]
fn refusals_say_what_is_wrong_and_what_would_be_right() {
    for (text, word) in [
        ("/01/06901234567893", "（01）商品条码（GTIN）校验位应为 2，现为 3"),
        ("/gtin/6901234567893", "校验位应为 2，现为 3"),
        ("6901234567893", "商品条码校验位应为 2，现为 3"),
        ("(01)06901234567893(10)L1", "校验位应为 2，现为 3"),
        ("/01/06901234567892/21/1/10/A", "应按 22、10、21 或 235 的顺序且不重复，现为 21、10"),
        ("/00/106141412345678908/10/L1", "之后不应再有限定符"),
        ("/01/06901234567892/10", "缺少取值"),
        ("/01/06901234567892?17=271301", "（17）有效期日期的月份应为 01 至 12，现为 13"),
        ("/01/06901234567892?17=270231", "2 月的日期应为 01 至 28，或 00"),
        ("/01/06901234567892?10=L1", "（10）应在路径中"),
        ("/01/06901234567892?9999=1", "（9999）不是 GS1 应用标识符"),
        ("/415/6901234000016", "（8020）"),
        ("https://id.gs1.org/ARFGZo9JFoBkT8A", "压缩"),
        ("https://id.gs1.org/01/06901234567892/EIE1ZcBXW", "压缩"),
        ("(01)069012345678921", "应为 14 位，现为 15 位"),
        ("(10)L1", "没有 GS1 主键"),
        ("(9)1", "（9）不是"),
        ("]C10106901234567892422156X", "应为 3 位"),
        ("urn:epc:id:sgtin:6901234.56789.1", "应共 13 位数字，现为 12 位"),
        ("urn:epc:id:gid:1.2.3", "gid 不是 GS1"),
        ("8123456789012345678", "19 位数字"),
        ("MA.156./1", "MA 标识"),
        ("88.118.8", "Handle"),
        ("1.2.156.01", "OID"),
        ("1M8GDM9A1KP042788", "第 9 位校验位"),
        ("902613010123412345678901", "前 8 位应为日期"),
        ("韭菜", "不是可识别的标识"),
        ("", "请给出"),
    ] {
        assert!(said(text).contains(word), "{text}: {}", said(text));
    }
    assert!(why_not(&"A".repeat(600)).to_string().contains("标识过长"));
    assert!(uncompressed_path("/ARFGZo9JFoBkT8A").is_some());
    for path in ["/", "/favicon.ico", "/t/ARFGZo9JFoBkT8A", "/robots.txt", "/administrator"] {
        assert!(uncompressed_path(path).is_none(), "{path}");
    }
}

#[test]
fn gs1_data_is_written_in_every_syntax() {
    let read = |text: &str| Gs1Data::read(text).unwrap().unwrap();
    let data =
        read("https://a.cn/x/01/06901234567892/10/L%2F1/21/5?17=270501&3103=000500&linkType=pip");
    assert_eq!(data.path(), "/01/06901234567892/10/L%2F1/21/5");
    assert_eq!(
        data.link("https://b.cn/"),
        "https://b.cn/01/06901234567892/10/L%2F1/21/5?17=270501&3103=000500"
    );
    assert_eq!(data.bracketed(), "(01)06901234567892(10)L/1(21)5(17)270501(3103)000500");
    assert_eq!(data.concatenated(), "010690123456789217270501310300050010L/1\u{1d}215");
    assert_eq!(data.value("3103"), Some("000500"));
    for (text, digits, urn) in [
        ("/01/06901234567892/21/5", 7, "urn:epc:id:sgtin:6901234.056789.5"),
        ("/01/06901234567892/10/L1", 7, "urn:epc:class:lgtin:6901234.056789.L1"),
        ("/01/06901234567892", 7, "urn:epc:idpat:sgtin:6901234.056789.*"),
        ("/01/06901234567892/235/T1", 7, "urn:epc:id:upui:6901234.056789.T1"),
        ("/00/106141412345678908", 7, "urn:epc:id:sscc:0614141.1234567890"),
        ("/414/6901234000016", 7, "urn:epc:id:sgln:6901234.00001.0"),
        ("/414/6901234000016/254/A%231", 7, ""),
        ("/414/6901234000016/254/A-1", 7, "urn:epc:id:sgln:6901234.00001.A-1"),
        ("/417/6901234000016", 7, "urn:epc:id:pgln:6901234.00001"),
        ("/8003/06901234000016A1", 7, "urn:epc:id:grai:6901234.00001.A1"),
        ("/8003/06901234000016", 7, "urn:epc:idpat:grai:6901234.00001.*"),
        ("/253/6901234000016A%2F1", 7, "urn:epc:id:gdti:6901234.00001.A%2F1"),
        ("/8004/6901234X1", 7, "urn:epc:id:giai:6901234.X1"),
        ("/8010/6901234P-1/8011/7", 7, "urn:epc:id:cpi:6901234.P-1.7"),
        ("/8006/069012345678920102/21/S1", 7, "urn:epc:id:itip:6901234.056789.01.02.S1"),
    ] {
        if urn.is_empty() {
            assert!(Gs1Data::read(text).unwrap().is_err(), "{text}");
            continue;
        }
        assert_eq!(read(text).urn(digits).as_deref(), Some(urn), "{text}");
        assert_eq!(read(urn).path(), text, "{urn}");
    }
    assert_eq!(read("/8013/1987654Ad4X4bL5ttr2310c2K").urn(7), None);
    assert_eq!(read("/01/06901234567892/21/5").urn(13), None);
}

/// A division that is known, by chance.
fn division() -> impl Strategy<Value = String> {
    prop::sample::select(vec!["610116", "110101", "810000", "350100", "450102"])
        .prop_map(String::from)
}

/// A sound code of every family that is told by its form alone.
fn family() -> impl Strategy<Value = (Scheme, String)> {
    let of = |scheme: Scheme, code: BoxedStrategy<String>| {
        code.prop_map(move |code| (scheme, code)).boxed()
    };
    let vin = "[1-9A-HJ-NPR-Z][0-9A-HJ-NPR-Z]{7}".prop_flat_map(|head| {
        ("[1-9A-HJ-NPR-TV-Y][0-9A-HJ-NPR-Z]{3}[0-9]{4}", Just(head)).prop_filter_map(
            "check",
            |(tail, head)| {
                let marks = "0123456789X".chars();
                let mut all = marks.map(|mark| format!("{head}{mark}{tail}"));
                all.find(|code| chinese::vin(code).is_some())
            },
        )
    });
    prop_oneof![
        of(Scheme::Organic, "0[0-9]{2}[12][0-9]{13}".boxed()),
        of(Scheme::Vin, vin.boxed()),
        of(Scheme::Drug, "8[0-9]{19}".boxed()),
        of(Scheme::Pesticide, "[1-3][0-9]{6}[1-3][0-9]{24}".boxed()),
        of(
            Scheme::VeterinaryDrug,
            "20[0-9]{2}(0[1-9]|1[0-2])(0[1-9]|1[0-9]|2[0-8])[0-9]{16}".boxed()
        ),
        of(Scheme::Equipment, "[1-9F][0-9]{3}[0-9]{5}20[0-4][0-9][0-9]{4,5}".boxed()),
        of(
            Scheme::MeatVegetable,
            (division(), "[0-9]{3}|[0-9]{7}|[0-9]{14}").prop_map(|(a, b)| a + &b).boxed()
        ),
        of(
            Scheme::Ecode,
            "ecode:(1[0-9]{4}[0-9]{1,20}|2[0-9]{4}[0-9]{1,28}|3[0-9]{5}[0-9A-Z]{1,39})".boxed()
        ),
        of(Scheme::Ma, "MA\\.156\\.[A-Z0-9]{2}\\.[0-9]{4}/[0-9A-Z]{1,20}".boxed()),
        of(Scheme::Handle, "88\\.[0-9]{1,3}\\.[0-9]{1,6}/[0-9A-Z.]{1,20}".boxed()),
        of(Scheme::Vaa, "VAA088[0-9]{2,6}/[0-9A-Z]{1,20}".boxed()),
        of(Scheme::Oid, "1\\.2\\.156\\.[1-9][0-9]{0,5}(\\.[1-9][0-9]{0,3}){0,3}".boxed()),
        of(
            Scheme::Own,
            (0_u32..1 << 30, 0_u64..1 << 60)
                .prop_map(|(a, b)| TraceCode::own(a, b).to_string())
                .boxed()
        ),
    ]
}

proptest! {
    #[test]
    fn a_sound_code_is_of_its_family_or_said_to_be_ambiguous((scheme, code) in family()) {
        let found = candidates(&code);
        let schemes: Vec<Scheme> = found.iter().map(|one| one.scheme).collect();
        prop_assert!(schemes.contains(&scheme), "{code}: {schemes:?} has not {scheme:?}");
        prop_assert!(schemes[0] == scheme || is_ambiguous(&found), "{code}: {schemes:?}");
    }

    #[test]
    fn seventeen_digits_are_no_vehicle(code in "[0-9]{17}") {
        prop_assert!(candidates(&code).iter().all(|one| one.scheme != Scheme::Vin));
    }

    #[test]
    fn what_gs1_data_writes_reads_back(text in "(/01/06901234567892|/8006/069012345678920102)(/22/[0-9A-Z]{1,20})?(/10/[0-9A-Za-z.-]{1,20})?(/21/[0-9A-Z]{1,20})?(\\?17=27050[0-9])?") {
        let data = Gs1Data::read(&text).unwrap().unwrap();
        prop_assert_eq!(data.link(""), text.as_str());
        for again in [data.bracketed(), format!("]d2{}", data.concatenated())] {
            let read = Gs1Data::read(&again).unwrap().unwrap();
            prop_assert_eq!(read.path(), data.path());
            prop_assert_eq!(read.value("17"), data.value("17"));
        }
    }
}
