//! GS1 data by the rules of its standards: what is read, in which form, and what is refused with
//! which word. Sections are of GS1 Digital Link URI Syntax, the General Specifications and the Tag
//! Data Standard.

use super::*;

const ITEM: &str = "06901234567892";

fn path(text: &str) -> String {
    let text = text.replace("ITEM", ITEM);
    let found = candidates(&text).into_iter().find(|one| one.scheme == Scheme::Gs1);
    found.map_or_else(|| panic!("{text}: {}", why_not(&text)), |found| found.canonical)
}

fn refused(text: &str) -> String {
    let text = text.replace("ITEM", ITEM);
    let code = bare_code(&text).unwrap_or_default();
    match Gs1Data::read(&code) {
        Some(Ok(found)) => panic!("{text} is {}", found.path()),
        Some(Err(error)) => error.to_string(),
        None => String::new(),
    }
}

#[test]
fn digital_link_4_10_any_host_and_stem_may_stand_before_the_key() {
    for text in [
        "https://id.gs1.org/01/ITEM",
        "HTTPS://EXAMPLE.CN/01/ITEM",
        "http://example.cn:65535/some/path/01/ITEM",
        "https://192.0.2.1/01/ITEM",
        "https://[2001:db8::1]:8443/01/ITEM",
        "https://xn--fsq.example./01/ITEM",
        "http://trace_web/01/ITEM",
        "https://例子.中国/商品/01/ITEM",
        "https://example.cn/00/faux/01/ITEM",
        "https://example.cn/01/01/01/ITEM",
        "https://example.cn//01/ITEM#lot",
        "https://example.cn/01/ITEM?",
        "https://example.cn/01/ITEM/",
    ] {
        assert_eq!(path(text), "/01/06901234567892", "{text}");
    }
    for text in [
        "https:///01/ITEM",
        "https://example.cn?of=/01/ITEM",
        "https://example.cn#/01/ITEM",
        "https://ex$ample.cn/01/ITEM",
        "https://somebody@example.cn/01/ITEM",
        "https://[fe80::1%25lo]/01/ITEM",
        "https://example.cn",
    ] {
        assert!(refused(text).contains("主机名"), "{text}: {}", refused(text));
    }
    for text in ["ftp://example.cn/01/ITEM", "01/ITEM", "urn:01:ITEM"] {
        assert_eq!(refused(text), "", "{text}");
    }
    let bare = bare_code("HTTPS://EXAMPLE.CN/01/ABC");
    assert_eq!(bare.as_deref(), Some("https://EXAMPLE.CN/01/ABC"));
    assert_eq!(bare_code("88.1.1/HTTP://A").as_deref(), Some("88.1.1/HTTP://A"));
    assert_eq!(bare_code("HTTPS://EXAMPLE.CN/t/ABC").as_deref(), Some("ABC"));
}

#[test]
fn digital_link_4_7_qualifiers_stand_in_the_order_of_one_sequence() {
    for text in [
        "/01/ITEM/22/V/10/L/21/S",
        "/01/ITEM/22/V/21/S",
        "/01/ITEM/235/T",
        "/8006/069012345678920102/22/V/10/L/21/S",
        "/8010/6901234P-1/8011/7",
        "/414/6901234000016/254/A",
        "/414/6901234000016/7040/1ABC",
        "/8018/690123400000000018/8019/123",
        "/8004/6901234X1/7040/1ABC",
    ] {
        assert_eq!(path(text), text.replace("ITEM", ITEM));
    }
    for text in [
        "/01/ITEM/10/L/22/V",
        "/01/ITEM/21/S/10/L",
        "/01/ITEM/10/L/235/T",
        "/01/ITEM/10/L/10/L",
        "/414/6901234000016/254/A/7040/1ABC",
        "/00/106141412345678908/21/S",
        "/01/ITEM/17/270501",
    ] {
        let said = refused(text);
        assert!(said.contains("限定符"), "{text}: {said}");
    }
}

#[test]
fn digital_link_4_8_the_query_holds_attributes_and_anything_that_is_no_number() {
    for (text, wanted) in [
        ("/01/ITEM?17=270501&3103=000195&3922=0299", "/01/06901234567892"),
        ("/01/ITEM?17=270501;linkType=gs1:pip;a=b=c", "/01/06901234567892"),
        ("/01/ITEM?&&&99=A&&98=B&&", "/01/06901234567892"),
        ("/01/ITEM?single&99=A&17&9a=1", "/01/06901234567892"),
        // A lot may be told where the path has no place for it.
        ("/01/ITEM/235/T?10=L", "/01/06901234567892/235/T"),
        ("/8004/6901234X1?01=6901234567892", "/8004/6901234X1"),
        ("/00/106141412345678908?02=ITEM&37=25&10=L", "/00/106141412345678908"),
        ("/401/6901234A?99=%2B", "/401/6901234A"),
    ] {
        assert_eq!(path(text), wanted, "{text}");
    }
    for (text, word) in [
        ("/01/ITEM?10=L", "应在路径中"),
        ("/01/ITEM/22/V?21=S", "应在路径中"),
        ("/414/6901234000016?254=A", "应在路径中"),
        ("/01/ITEM/235/T?21=S", "不是可用于问号之后的数据属性"),
        ("/8004/6901234X1?01=ITEM&21=S", "不是可用于问号之后的数据属性"),
        ("/01/ITEM?8200=A", "不是可用于问号之后的数据属性"),
        ("/00/106141412345678908?7041=PX", "不是可用于问号之后的数据属性"),
        ("/01/ITEM/10/L?10=L", "应只出现一次"),
        ("/01/ITEM?01=ITEM", "应只出现一次"),
        ("/01/ITEM?99=A&99=A", "应只出现一次"),
        ("/01/ITEM?999=A", "不是 GS1 应用标识符"),
        ("/01/ITEM?99=", "现为 0 位"),
        ("/01/ITEM?98=A+B", "%2B"),
        ("/01/ITEM?98=A%20B", "只应含"),
        ("/01/ITEM?98=A%00B", "只应含"),
    ] {
        let said = refused(text);
        assert!(said.contains(word), "{text}: {said}");
    }
}

#[test]
fn digital_link_4_12_what_is_escaped_is_read_and_written_in_one_way() {
    for (text, wanted) in [
        ("/01/ITEM/22/A%2d1", "/01/06901234567892/22/A-1"),
        ("/01/ITEM/22/A+1", "/01/06901234567892/22/A%2B1"),
        ("/01/ITEM/10/a%2Fb%2fc", "/01/06901234567892/10/a%2Fb%2Fc"),
        ("/01/ITEM/21/%41", "/01/06901234567892/21/A"),
        ("/8010/6901234A%23%2F", "/8010/6901234A%23%2F"),
    ] {
        assert_eq!(path(text), wanted, "{text}");
    }
    for text in ["/01/ITEM/10/A%2", "/01/ITEM/10/A%4G", "/01/ITEM/10/A%FF", "/01/ITEM/10/A%20B"] {
        assert_ne!(refused(text), "", "{text}");
    }
}

#[test]
fn digital_link_4_6_a_short_item_number_is_filled_up_and_is_digits() {
    for (text, wanted) in [
        ("/01/6901234567892", "/01/06901234567892"),
        ("/01/416000336108", "/01/00416000336108"),
        ("/01/40170725", "/01/00000040170725"),
        ("/01/00000040170725", "/01/00000040170725"),
        ("/gtin/40170725/ser/7", "/01/00000040170725/21/7"),
    ] {
        assert_eq!(path(text), wanted, "{text}");
    }
    for text in ["/01/%2012345670", "/01/%20123456789012", "/01/123456", "/01/4017072A"] {
        assert_ne!(refused(text), "", "{text}");
    }
}

#[test]
fn general_specifications_3_values_are_of_their_form() {
    for (text, word) in [
        ("(01)ITEM(8001)00001234512311", "不应为 0"),
        ("(01)ITEM(21)5(8030)A=B", "= 只应在末尾"),
        ("(01)ITEM(21)5(8030)A.B", "只应含"),
        ("(415)6901234000016(8020)A(8007)AA341234567890123", "银行账号"),
        ("(01)ITEM(7003)2705001200", "01 至 31"),
        ("(01)ITEM(7007)270501270", "其中一段"),
        ("(01)ITEM(8008)2705012460", "时应为"),
        ("(253)6901234000016123456789012345678", "13 至 30 位"),
        ("(8003)16901234000016", "第一位应为 0"),
        ("(8010)6901234a", "大写字母"),
        ("(01)ITEM(8110)0123456123456111101239", "优惠金额代码"),
        ("/01/ITEM?8110=012345", "厂商识别代码应为 6 位"),
        ("/01/ITEM?8112=07", "出资方代码"),
        ("]C101ITEM8112001234561234560", "序列号应为 6 位"),
    ] {
        let said = refused(text);
        assert!(said.contains(word), "{text}: {said}");
    }
    for text in [
        "(01)ITEM(8001)12341234512311",
        "(01)ITEM(21)5(8030)AB==",
        "(01)ITEM(7007)270501270502",
        "(01)ITEM(8008)27050112",
        "(01)ITEM(17)270500",
        "(01)ITEM(8110)012345612345611110123",
        "/01/ITEM?8112=001234561234560123456",
        "(8018)690123400000000018(7255)A%",
    ] {
        path(text);
    }
}

#[test]
fn general_specifications_4_13_pairs_are_checked_in_every_syntax() {
    for (text, word) in [
        ("(01)ITEM(3102)000100(3103)000100", "不能同时使用"),
        ("/01/ITEM?3102=000100&3103=000100", "不能同时使用"),
        ("]d201ITEM3102000100\u{1d}3103000100", "不能同时使用"),
        ("(01)ITEM(250)A", "应与 （21） 一起使用"),
        ("/01/ITEM?3922=100", "应与 （30）或（31nn）"),
        ("(414)6901234000016(17)270501", "一起使用"),
        ("(01)ITEM(8030)ABC", "（01）和（21）"),
    ] {
        let said = refused(text);
        assert!(said.contains(word), "{text}: {said}");
    }
    // The same told twice in a symbol is told once.
    assert_eq!(path("(01)ITEM(400)A(400)A"), "/01/06901234567892");
    assert!(refused("(01)ITEM(400)A(400)B").contains("应只有一个"));
}

#[test]
fn general_specifications_7_8_what_readers_send_is_read_by_its_mark() {
    for (text, wanted) in [
        ("]C101ITEM10L\u{1d}215", "/01/06901234567892/10/L/21/5"),
        ("]Q301ITEM\u{1d}10L\u{1d}", "/01/06901234567892/10/L"),
        ("]e001ITEM31030001231727050110L", "/01/06901234567892/10/L"),
        ("]J101ITEM", "/01/06901234567892"),
        ("]C1(01)ITEM(10)L", "/01/06901234567892/10/L"),
        ("^01ITEM10L^215^", "/01/06901234567892/10/L/21/5"),
        ("]Q1https://example.cn/01/ITEM", "/01/06901234567892"),
        ("]Q2https://example.cn/01/ITEM", "/01/06901234567892"),
        ("]d1https://example.cn/01/ITEM", "/01/06901234567892"),
        ("]d4https://example.cn/01/ITEM", "/01/06901234567892"),
        ("]J0https://example.cn/01/ITEM", "/01/06901234567892"),
        ("]E440170725", "/01/00000040170725"),
        ("]I116901234567899", "/01/16901234567899"),
    ] {
        assert_eq!(path(text), wanted, "{text}");
    }
    for text in ["]C101ITEM10L^215", "]d201ITEM2", "]Q301690123456789", "^", "]Q399A"] {
        assert_ne!(refused(text), "", "{text}");
    }
}

#[test]
fn general_specifications_4_15_a_bracket_of_a_value_may_be_escaped() {
    assert_eq!(path("(01)ITEM(10)A\\(21)5"), "/01/06901234567892/10/A%2821%295");
    assert_eq!(path("(01)ITEM(10)A(2)5"), "/01/06901234567892/10/A%282%295");
    assert_eq!(path("(01)ITEM(10)A\\("), "/01/06901234567892/10/A%28");
    let data = Gs1Data::read("/01/06901234567892/10/A%2821%295%28").unwrap().unwrap();
    assert_eq!(data.bracketed(), "(01)06901234567892(10)A\\(21)5(");
    assert_eq!(path(&data.bracketed()), data.path());
    for text in ["(10)(01)ITEM", "(01)ITEM(10)", "(1A)5", "()5", "(1", "(17)9(90)217"] {
        assert_ne!(refused(text), "", "{text}");
    }
}

#[test]
fn digital_link_4_9_a_link_is_written_with_what_it_may_hold() {
    let link = |text: &str| {
        let data = Gs1Data::read(&text.replace("ITEM", ITEM)).unwrap().unwrap();
        data.link("https://example.cn")
    };
    for (text, wanted) in [
        ("(10)L(235)T(01)ITEM", "https://example.cn/01/06901234567892/235/T?10=L"),
        ("(01)ITEM(8200)A(99)B+C", "https://example.cn/01/06901234567892?99=B%2BC"),
        ("(21)S(01)ITEM(17)270501", "https://example.cn/01/06901234567892/21/S?17=270501"),
    ] {
        assert_eq!(link(text), wanted);
        assert!(recognise(wanted).is_some(), "{wanted}");
    }
}

#[test]
fn tds_6_3_urns_are_of_the_form_of_their_scheme() {
    for (urn, wanted) in [
        ("urn:epc:id:sgtin:690123.1456789.A%2F%22b", ""),
        ("urn:epc:id:sgtin:690123456789.0.1", "/01/06901234567892/21/1"),
        ("urn:epc:id:sgln:690123400001..A", "/414/6901234000016/254/A"),
        ("urn:epc:id:pgln:690123400001.", "/417/6901234000016"),
        ("urn:epc:id:sgcn:6901234.00001.04", "/255/690123400001604"),
        ("urn:epc:id:gsin:6901234.000000001", "/402/69012340000000016"),
        ("urn:epc:id:ginc:6901234.xyz47%2F11", "/401/6901234xyz47%2F11"),
        ("urn:epc:idpat:itip:6901234.056789.01.02.*", "/8006/069012345678920102"),
        ("urn:epc:idpat:cpi:6901234.AB12.*", "/8010/6901234AB12"),
    ] {
        let found = path(urn);
        assert!(wanted.is_empty() || found == wanted, "{urn}: {found}");
    }
    for urn in [
        "urn:epc:id:sgtin:69012.34056789.1",
        "urn:epc:id:sgtin:6901234567890.1.1",
        "urn:epc:id:sgtin:6901234.056789",
        "urn:epc:id:sgtin:6901234.056789.123456789012345678901",
        "urn:epc:id:sgtin:6901234.056789.A<B",
        "urn:epc:id:sscc:690123.3111111111",
        "urn:epc:id:sgln:6901234.00001.",
        "urn:epc:id:pgln:6901234.00001.0",
        "urn:epc:id:grai:6901234.0001.A",
        "urn:epc:id:gdti:ABC.00001.A",
        "urn:epc:id:giai:6901234.§",
        "urn:epc:id:cpi:6901234.123%24.1",
        "urn:epc:id:cpi:6901234.abc.1",
        "urn:epc:id:cpi:6901234.ABC.012",
        "urn:epc:id:sgcn:6901234.00001.12ab",
        "urn:epc:id:itip:6901234.056789.1.2.S",
        "urn:epc:id:itip:6901234.056789.0.102.S",
        "urn:epc:id:itip:6901234.056789.03.02.S",
        "urn:epc:idpat:sgln:6901234.00001.*",
        "urn:epc:idpat:sgtin:6901234.056789.1",
        "urn:epc:ginc:6901234.A",
    ] {
        assert_ne!(refused(urn), "", "{urn}");
    }
}
